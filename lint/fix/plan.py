"""From a violated finding to changes of rules that would mend it, the most precise first. Knows no file and no command.

A change is a proposal: `prove` applies it and judges again before anyone sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, Direction, Filter, NamedAddresses, Rule
from lint.space.addresses import PRIVATE, REAL, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import parse
from lint.verdict.finding import Finding, Lane, Side

EDITABLE = ("security_group", "nsg")


@dataclass(frozen=True, slots=True)
class Peers:
    """Whom a new rule names: the members of a group, or addresses."""

    group: str | None = None
    addresses: IntervalSet = EMPTY


@dataclass(frozen=True, slots=True)
class AddRule:
    """Allow `services` between the machines behind `filter` and `peers`. `purpose` becomes its description."""

    filter: str
    direction: Direction
    peers: Peers
    services: IntervalSet
    purpose: str


@dataclass(frozen=True, slots=True)
class Keep:
    """A part of a rule that stays: these peers, these services. `others`: peers named by groups or lists stay in it too."""

    addresses: IntervalSet
    services: IntervalSet
    others: bool = True


@dataclass(frozen=True, slots=True)
class NarrowRule:
    """Let only `keep` remain of a rule; nothing remains where it is empty."""

    filter: str
    rule: str
    keep: tuple[Keep, ...]


Change = AddRule | NarrowRule


def propose(finding: Finding, graph: RuleGraph, documented: IntervalSet) -> Iterator[tuple[Change, ...]]:
    """Candidates for one step towards mending `finding`: each is a group of changes to be made together.

    `documented` are the peers that the document lets in, for an exclusive flow.
    """
    if finding.kind == "required":
        yield from _missing(finding, graph)
    else:
        yield from _excess(finding, graph, documented)


def _missing(finding: Finding, graph: RuleGraph) -> Iterator[tuple[Change, ...]]:
    for blocker in finding.blocked_by:
        blocking = graph.filters.get(blocker.filter)
        if blocking is None or blocking.kind not in EDITABLE:
            continue
        direction = Direction.EGRESS if blocker.direction == "egress" else Direction.INGRESS
        for services in alternatives(finding.service):
            for peers in _peers(finding, direction, graph):
                yield (AddRule(blocking.id, direction, peers, services, _purpose(finding)),)


def alternatives(service: str) -> tuple[IntervalSet, ...]:
    """The services of a finding's service text; `tcp/22 or tcp/443` are alternatives."""
    found = []
    for part in service.split(" or "):
        try:
            found.append(parse(part))
        except ValueError:
            continue
    return tuple(found)


def _purpose(finding: Finding) -> str:
    return f"{finding.pack}: {finding.source.role or 'anyone'} to {finding.destination.role or 'anyone'}"


def _peers(finding: Finding, direction: Direction, graph: RuleGraph) -> Iterator[Peers]:
    far = finding.source if direction is Direction.INGRESS else finding.destination
    for group in _shared_groups(far, graph):
        yield Peers(group=group)
    lanes = [_far(lane, direction) for lane in finding.missing]
    if lanes and all(lane is not None for lane in lanes):
        yield Peers(addresses=_union(text for text in lanes if text is not None))
    elif far.addresses and not far.endpoints:
        yield Peers(addresses=_union(far.addresses))


def _far(lane: Lane, direction: Direction) -> str | None:
    return lane.source if direction is Direction.INGRESS else lane.destination


def _shared_groups(side: Side, graph: RuleGraph) -> Sequence[str]:
    """Groups that every endpoint of a side carries: naming one names them all."""
    carried = [graph.endpoints[name].groups for name in side.endpoints if name in graph.endpoints]
    if not carried or len(carried) != len(side.endpoints):
        return ()
    return [group for group in carried[0] if all(group in others for others in carried[1:])]


def _excess(finding: Finding, graph: RuleGraph, documented: IntervalSet) -> Iterator[tuple[Change, ...]]:
    """Narrow every rule at fault: its peers first, then its ports, then drop it."""
    faulty = []
    for fault in finding.rules:
        holder = graph.filters.get(fault.filter)
        rule = rule_of(holder, fault.rule) if holder else None
        if holder is None or rule is None or holder.kind not in EDITABLE or rule.action is Action.DENY:
            return
        faulty.append((holder, rule))
    if not faulty:
        return
    judged = EMPTY
    for services in alternatives(finding.service):
        judged = judged | services
    if finding.kind == "forbidden":
        yield tuple(NarrowRule(h.id, r.id, _keep(graph, r, REAL, r.services - judged, others=True)) for h, r in faulty)
        yield tuple(NarrowRule(h.id, r.id, _keep(graph, r, PRIVATE, r.services, others=True)) for h, r in faulty)
        yield tuple(NarrowRule(h.id, r.id, ()) for h, r in faulty)
        return
    # Peers named by a group or list are at fault where a rule names nothing else, or where narrowing the addresses isn't enough.
    for others in (True, False):
        yield tuple(NarrowRule(h.id, r.id, _keep(graph, r, documented, r.services, others=others)) for h, r in faulty)
    for others in (True, False):
        yield tuple(
            NarrowRule(
                h.id,
                r.id,
                _keep(graph, r, REAL, r.services - judged, others=True)
                + _keep(graph, r, documented, r.services & judged, others=others),
            )
            for h, r in faulty
        )
    yield tuple(NarrowRule(h.id, r.id, _keep(graph, r, REAL, r.services - judged, others=True)) for h, r in faulty)
    yield tuple(NarrowRule(h.id, r.id, ()) for h, r in faulty)


def rule_of(holder: Filter, rule: str) -> Rule | None:
    """The rule of a filter with that id."""
    return next((r for r in holder.rules if r.id == rule), None)


def _keep(graph: RuleGraph, rule: Rule, peers: IntervalSet, services: IntervalSet, *, others: bool) -> tuple[Keep, ...]:
    if not services:
        return ()
    literal = EMPTY
    rest = False
    for peer in rule.peers:
        if isinstance(peer, Addresses):
            literal = literal | peer.addresses
        elif isinstance(peer, NamedAddresses) and not others and peer.list in graph.address_lists:
            literal = literal | (graph.address_lists[peer.list].may & REAL)  # a tag or list may be written out
        else:
            rest = True
    left = literal & peers
    if not left and not (rest and others):
        return ()
    return (Keep(left, services, others),)


def _union(texts: Iterable[str]) -> IntervalSet:
    joined: list[tuple[int, int]] = []
    for text in texts:
        joined += parse_cidr(text).pairs
    return IntervalSet(joined)
