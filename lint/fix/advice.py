"""Says in words why a violated finding has no fix, and what a person has to decide or change. Proposes no edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from lint.fix.changes import EDITABLE
from lint.fix.too_little import by_name
from lint.fix.ways import exits, lacking, links
from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Filter
from lint.origin import Origin
from lint.space.addresses import cidrs
from lint.verdict.finding import Blocker, Finding

_OTHERWISE = "no change of one rule mends it and makes no other finding worse; a person has to decide what gives way"


def advice(finding: Finding, graph: RuleGraph, touched: Sequence[str] = ()) -> str:
    """One sentence about a finding for which no fix was found.

    `touched` are the filters that a change which would have mended it would have changed as well.
    """
    named = by_name(graph)
    others = [_name(graph.filters[id_]) if id_ in graph.filters else id_ for id_ in touched]
    if others:
        shown = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        return f"no fix: the code of the rule is shared: to change it there would change {shown} as well"
    for blocker in finding.blocked_by:
        said = _blocked(finding, blocker, graph, named)
        if said:
            return f"no fix: {said}"
    for fault in finding.rules:
        holder = graph.filters.get(fault.filter)
        rule = next((r for r in holder.rules if r.id == fault.rule), None) if holder is not None else None
        said = _uneditable(holder, rule.origin if rule is not None else fault.origin) if holder is not None else ""
        if said:
            return f"no fix: {said}"
        if holder is not None and rule is not None and rule.implied:
            return f"no fix: the cloud's own rules of {_name(holder)} let it in, and nothing there can refuse it"
    return f"no fix: {_OTHERWISE}"


def _blocked(finding: Finding, blocker: Blocker, graph: RuleGraph, named: Mapping[str, Endpoint]) -> str:
    holder = graph.filters.get(blocker.filter)
    if blocker.layer == "route":
        return _no_way(finding, blocker, graph, named)
    if holder is not None and holder.kind == "admin_rules":
        return (
            f"security admin rules ({_name(holder)}) decide before any network security group; "
            f"who manages them has to allow {finding.service}"
        )
    if holder is not None:
        if holder.kind not in EDITABLE:
            return f"{_name(holder)} decides it; who manages it has to allow {finding.service}"
        return _uneditable(holder, holder.origin)
    return {
        "public_address": "the machine has no public address: give it one, or a NAT gateway and a route there",
        "peering": f"peering {blocker.filter} has to be accepted, or made active, by who owns the other side",
        "transit_gateway": f"the attachments and route tables of transit gateway {blocker.filter} decide it; "
        "its owner has to add what lacks",
        "nat_gateway": f"NAT gateway {blocker.filter} doesn't lead there: a public one is needed",
        "internet_block": "VPC Block Public Access is in force; who manages the account has to make an exception",
    }.get(blocker.layer, "")


def _no_way(finding: Finding, blocker: Blocker, graph: RuleGraph, named: Mapping[str, Endpoint]) -> str:
    table = graph.route_tables.get(blocker.filter)
    lack = lacking(finding, blocker, graph, named)
    if lack is None or table is None:
        return ""
    name = table.origin.address or table.name or table.id
    for network in dict.fromkeys(one.network for one in lack.far if one.network is not None):
        ways = links(lack.network, network, graph)
        if not ways:
            both = f"{_network(lack.network, graph)} and {_network(network, graph)}"
            return f"nothing links {both}: a peering or a transit gateway has to be made"
        if len(ways) > 1:
            targets = ", ".join(target for _, target in ways)
            return f"several ways lead to {_network(network, graph)} ({targets}): choose one and route to it in {name}"
    if not lack.far:
        found = [target for _, targets in exits(lack, graph) for target in targets]
        shown = ", ".join(cidrs(lack.addresses)[:3])
        if not found:
            where = _network(lack.network, graph)
            return f"{where} has no Internet gateway and no NAT gateway: decide how {shown} is to be reached"
        return f"decide which of {', '.join(found)} leads to {shown}, and route to it in {name}"
    return ""


def _uneditable(holder: Filter, origin: Origin) -> str:
    """Why the place where a rule or filter is written can't be edited."""
    file = origin.file or holder.origin.file or ""
    if ".terraform" in PurePosixPath(file).parts:
        call = origin.calls[0].where() if origin.calls else "where it is called"
        return f"{_name(holder)} is made by a module installed from elsewhere: change the inputs of its call ({call})"
    if file.endswith((".tf.json", ".tofu.json")):
        return f"{_name(holder)} is written in JSON ({file}), where netpact makes no patches"
    if holder.origin.address is not None and not file.endswith((".tf", ".tofu")):
        return f"{_name(holder)} comes from a plan or state without its configuration: change it there"
    return ""


def _name(holder: Filter) -> str:
    return holder.origin.address or holder.name or holder.id


def _network(id_: str, graph: RuleGraph) -> str:
    network = graph.networks.get(id_)
    return (network.origin.address or network.name or id_) if network is not None else id_
