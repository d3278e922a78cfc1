"""Entries of network ACLs that live in an account as `aws ec2` commands, quoted for a shell. Knows no Terraform."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from lint.fix.acl_entries import Entry, entries_of, entry_of
from lint.fix.changes import AddRule, Change, NarrowRule, holder_of, rule_of
from lint.graph.graph import RuleGraph
from lint.graph.rules import Direction, Filter, Rule
from lint.space.addresses import cidrs


def commands(change: Change, graph: RuleGraph) -> tuple[str, ...] | None:
    """The commands that make `change`; None where there are none."""
    holder = holder_of(change, graph)
    if holder is None or holder.kind != "network_acl" or not (holder.origin.resource_id or "").startswith("acl-"):
        return None
    if isinstance(change, AddRule):
        made = [_create(holder, change.direction, entry) for entry in entries_of(change, holder)]
        return tuple(made) or None
    if not isinstance(change, NarrowRule):
        return None
    rule = rule_of(holder, change.rule)
    return _narrowed(change, holder, rule) if rule is not None and rule.priority is not None else None


def _narrowed(change: NarrowRule, holder: Filter, rule: Rule) -> tuple[str, ...] | None:
    """Take the entry away, or replace its range: EC2 wants the whole entry again for that."""
    if not change.keep:
        return (_command(holder, "delete-network-acl-entry", rule.direction, ["--rule-number", str(rule.priority)]),)
    left = cidrs(change.keep[0].addresses)
    if len(change.keep) > 1 or len(left) != 1 or change.keep[0].services != rule.services:
        return None
    shape = entry_of(rule, left[0])
    if shape is None:
        return None
    return (_command(holder, "replace-network-acl-entry", rule.direction, _words(shape)),)


def _create(holder: Filter, direction: Direction, entry: Entry) -> str:
    return _command(holder, "create-network-acl-entry", direction, _words(entry))


def _words(entry: Entry) -> list[str]:
    words = ["--rule-number", str(entry.number), "--protocol", entry.protocol, "--rule-action", entry.action]
    words += ["--cidr-block" if ":" not in entry.cidr else "--ipv6-cidr-block", entry.cidr]
    if entry.icmp is not None:
        return [*words, "--icmp-type-code", f"Type={entry.icmp},Code=-1"]
    if entry.protocol == "-1":
        return words
    return [*words, "--port-range", f"From={entry.low},To={entry.high}"]


def _command(holder: Filter, verb: str, direction: Direction, rest: Sequence[str]) -> str:
    words = ["aws", "ec2", verb]
    if holder.origin.region:
        words += ["--region", holder.origin.region]
    acl = ["--network-acl-id", holder.origin.resource_id or holder.id, f"--{direction.value}"]
    return shlex.join([*words, *acl, *rest])
