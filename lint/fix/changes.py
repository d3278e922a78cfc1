"""What a fix changes: rules to add or to narrow, routes to add. Knows no file and no command, and proposes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Direction, Filter, Rule
from lint.graph.topology import RouteTable, Via
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import parse
from lint.verdict.finding import Finding

EDITABLE = ("security_group", "nsg", "network_acl")


@dataclass(frozen=True, slots=True)
class Peers:
    """Whom a new rule names: the members of a group, or addresses."""

    group: str | None = None
    addresses: IntervalSet = EMPTY


@dataclass(frozen=True, slots=True)
class AddRule:
    """Allow `services` between the machines behind `filter` and `peers`. `purpose` becomes its description.

    `near` are the addresses of the machines meant, where the filter serves others as well (NSGs name both sides);
    empty: all. `action` DENY refuses instead, behind all rules that allow (NSGs).
    """

    filter: str
    direction: Direction
    peers: Peers
    services: IntervalSet
    purpose: str
    near: IntervalSet = EMPTY
    action: Action = Action.ALLOW


@dataclass(frozen=True, slots=True)
class Keep:
    """A part of a rule that stays: these peers, these services. `others`: and peers named by groups or lists."""

    addresses: IntervalSet
    services: IntervalSet
    others: bool = True


@dataclass(frozen=True, slots=True)
class NarrowRule:
    """Let only `keep` remain of a rule; nothing remains where it is empty."""

    filter: str
    rule: str
    keep: tuple[Keep, ...]


@dataclass(frozen=True, slots=True)
class AddRoute:
    """Send `destinations` by `target` (an id; None: the cloud's own way out). `network`: whose prefixes they are."""

    table: str
    destinations: IntervalSet
    via: Via
    target: str | None
    network: str | None = None


Change = AddRule | NarrowRule | AddRoute


def holder_of(change: Change, graph: RuleGraph) -> Filter | None:
    """The filter that a change of rules is about."""
    return None if isinstance(change, AddRoute) else graph.filters.get(change.filter)


def table_of(change: Change, graph: RuleGraph) -> RouteTable | None:
    """The route table that a change of routes is about."""
    return graph.route_tables.get(change.table) if isinstance(change, AddRoute) else None


def rule_of(holder: Filter, rule: str) -> Rule | None:
    """The rule of a filter with that id."""
    return next((r for r in holder.rules if r.id == rule), None)


def alternatives(service: str) -> tuple[IntervalSet, ...]:
    """The services of a finding's service text; `tcp/22 or tcp/443` are alternatives, `any except tcp/443` is one."""
    found = []
    for part in service.split(" or "):
        whole, _, but = part.partition(" except ")
        try:
            found.append(parse(whole) - (IntervalSet.union_of(map(parse, but.split(", "))) if but else EMPTY))
        except ValueError:
            continue
    return tuple(found)


def purpose_of(finding: Finding) -> str:
    """What a rule that mends the finding is for: the pack and the two roles."""
    return f"{finding.pack}: {finding.source.role or 'anyone'} to {finding.destination.role or 'anyone'}"
