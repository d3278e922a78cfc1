"""Routes that lack, in an account, as `aws ec2` commands quoted for a shell. Knows no Terraform."""

from __future__ import annotations

import shlex

from lint.fix.changes import AddRoute, Change, table_of
from lint.graph.graph import RuleGraph
from lint.graph.topology import Via
from lint.space.addresses import cidrs

_TARGETS = {
    Via.INTERNET: ("--gateway-id", "igw-"),
    Via.NAT: ("--nat-gateway-id", "nat-"),
    Via.PEERING: ("--vpc-peering-connection-id", "pcx-"),
    Via.TRANSIT: ("--transit-gateway-id", "tgw-"),
}


def commands(change: Change, graph: RuleGraph) -> tuple[str, ...] | None:
    """The commands that make `change`; None where there are none."""
    table = table_of(change, graph)
    if not isinstance(change, AddRoute) or table is None or change.via not in _TARGETS:
        return None
    option, stem = _TARGETS[change.via]
    if not (table.origin.resource_id or "").startswith("rtb-") or not (change.target or "").startswith(stem):
        return None
    words = ["aws", "ec2", "create-route"]
    if table.origin.region:
        words += ["--region", table.origin.region]
    words += ["--route-table-id", table.origin.resource_id or table.id]
    made = []
    for text in cidrs(change.destinations):
        block = ["--destination-cidr-block" if ":" not in text else "--destination-ipv6-cidr-block", text]
        made.append(shlex.join([*words, *block, option, change.target or ""]))
    return tuple(made) or None
