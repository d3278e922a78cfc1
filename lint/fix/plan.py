"""From a violated finding to changes of rules that would mend it, the most precise first. Knows no file and no command.

A change is a proposal: `prove` applies it and judges again before anyone sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, Direction, Filter, NamedAddresses, Rule
from lint.space.addresses import PRIVATE, REAL, SYMBOLIC, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import parse
from lint.verdict.finding import Finding, Lane, RuleAtFault, Side
from lint.verdict.names import Names

EDITABLE = ("security_group", "nsg")


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


Change = AddRule | NarrowRule


Blamed = Callable[[RuleAtFault], "tuple[tuple[IntervalSet, IntervalSet], ...]"]
"""What is wrong with a rule: services, with the peers that the document lets in on them."""


def propose(
    finding: Finding,
    graph: RuleGraph,
    documented: IntervalSet,
    blamed: Blamed | None = None,
) -> Iterator[tuple[Change, ...]]:
    """Candidates for one step towards mending `finding`: each is a group of changes to be made together.

    `documented` are the peers that the document lets in, for an exclusive flow. `blamed` gives what all violated
    findings say of a rule at fault: one rule is narrowed once for all of them.
    """
    if finding.kind == "required":
        yield from _missing(finding, graph)
    else:
        yield from _excess(finding, graph, documented, blamed)


def _missing(finding: Finding, graph: RuleGraph) -> Iterator[tuple[Change, ...]]:
    named = _by_name(graph)
    for blocker in finding.blocked_by:
        blocking = graph.filters.get(blocker.filter)
        if blocking is None or blocking.kind not in EDITABLE:
            continue
        direction = Direction.EGRESS if blocker.direction == "egress" else Direction.INGRESS
        for services in alternatives(finding.service):
            for peers in _peers(finding, direction, graph, blocking, named):
                near = _near(finding, direction, graph, blocking, named)
                for side in (near, EMPTY) if near else (EMPTY,):
                    yield (AddRule(blocking.id, direction, peers, services, _purpose(finding), side),)


def _near(
    finding: Finding, direction: Direction, graph: RuleGraph, blocking: Filter, named: Mapping[str, Endpoint]
) -> IntervalSet:
    """The addresses of the machines meant, where an NSG serves others too and all of theirs are known."""
    if blocking.kind != "nsg":
        return EMPTY
    side = finding.destination if direction is Direction.INGRESS else finding.source
    meant = {named[name].id for name in side.endpoints if name in named}
    if not any(_serves(endpoint, blocking, graph) for endpoint in graph.endpoints.values() if endpoint.id not in meant):
        return EMPTY
    own = [address.place for id_ in meant for address in graph.endpoints[id_].addresses]
    if not own or len(meant) != len(side.endpoints) or max(own) >= SYMBOLIC:
        return EMPTY
    return IntervalSet.of(*own)


def _serves(endpoint: Endpoint, blocking: Filter, graph: RuleGraph) -> bool:
    """Whether the filter, from any viewpoint, stands before this endpoint."""
    named = [address.subnet for address in endpoint.addresses if address.subnet is not None]
    subnets = [graph.subnets[name] for name in named if name in graph.subnets]
    layers = [*endpoint.layers, *(layer for subnet in subnets for layer in subnet.layers)]
    held = [graph.filters[f] for layer in layers for f in layer.filters if f in graph.filters]
    return any(f.id == blocking.id or (f.kind == blocking.kind and f.origin == blocking.origin) for f in held)


def _by_name(graph: RuleGraph) -> dict[str, Endpoint]:
    """The endpoints by the names that findings give them."""
    names = Names(graph)
    return {names.endpoint(endpoint): endpoint for endpoint in graph.endpoints.values()}


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


def _purpose(finding: Finding) -> str:
    return f"{finding.pack}: {finding.source.role or 'anyone'} to {finding.destination.role or 'anyone'}"


def _peers(
    finding: Finding, direction: Direction, graph: RuleGraph, blocking: Filter, named: Mapping[str, Endpoint]
) -> Iterator[Peers]:
    far = finding.source if direction is Direction.INGRESS else finding.destination
    wanted = "application_security_group" if blocking.kind == "nsg" else "security_group"
    for group in _shared_groups(far, named):
        if group in graph.groups and graph.groups[group].kind == wanted:
            yield Peers(group=group)
    lanes = [_far(lane, direction) for lane in finding.missing]
    if lanes and all(lane is not None for lane in lanes):
        yield Peers(addresses=_union(text for text in lanes if text is not None))
    elif far.addresses and not far.endpoints:
        yield Peers(addresses=_union(far.addresses))


def _far(lane: Lane, direction: Direction) -> str | None:
    return lane.source if direction is Direction.INGRESS else lane.destination


def _shared_groups(side: Side, named: Mapping[str, Endpoint]) -> Sequence[str]:
    """Groups that every endpoint of a side carries: naming one names them all."""
    carried = [named[name].groups for name in side.endpoints if name in named]
    if not carried or len(carried) != len(side.endpoints):
        return ()
    return [group for group in carried[0] if all(group in others for others in carried[1:])]


_Faulty = tuple[Filter, Rule, tuple[tuple[IntervalSet, IntervalSet], ...]]


def _excess(
    finding: Finding,
    graph: RuleGraph,
    documented: IntervalSet,
    blamed: Blamed | None,
) -> Iterator[tuple[Change, ...]]:
    """Narrow every rule at fault: its peers for what is judged, for all that it lets through, its ports; or drop it."""
    judged = IntervalSet.union_of(alternatives(finding.service))
    faulty: dict[tuple[object, str], _Faulty] = {}
    refused: dict[object, Filter] = {}
    for fault in finding.rules:
        holder = graph.filters.get(fault.filter)
        rule = rule_of(holder, fault.rule) if holder else None
        if holder is None or rule is None or holder.kind not in EDITABLE or rule.action is Action.DENY:
            return
        if rule.implied:
            if holder.kind != "nsg":
                return  # nobody wrote it, and a security group can't refuse
            refused[holder.origin] = holder
            continue
        said = ((judged, documented), *(blamed(fault) if blamed is not None else ()))
        faulty.setdefault((holder.origin, rule.id), (holder, rule, said))
    if not faulty and not refused:
        return
    denials = list(_denials(finding, refused.values(), judged, documented))
    seen = set()
    for narrowed in _narrowings(finding, list(faulty.values()), judged, documented, graph):
        for denied in denials or [()]:
            changes = (*narrowed, *denied)
            if changes not in seen:
                seen.add(changes)
                yield changes


def _outbound(finding: Finding) -> bool:
    """Whether what a forbidden flow forbids is what its role sends."""
    return bool(finding.source.endpoints) and not finding.destination.endpoints


def _denials(
    finding: Finding,
    holders: Iterable[Filter],
    judged: IntervalSet,
    documented: IntervalSet,
) -> Iterator[tuple[Change, ...]]:
    """What refuses the traffic that the cloud's own rules let through; the documented peers get a rule before it."""
    everyone = Peers(addresses=REAL)
    there = list(holders)
    if not there or not judged:
        return
    way = Direction.EGRESS if finding.kind == "forbidden" and _outbound(finding) else Direction.INGRESS
    refuse = tuple(AddRule(h.id, way, everyone, judged, _purpose(finding), action=Action.DENY) for h in there)
    yield refuse
    known = documented & REAL
    if known:
        allow = tuple(AddRule(h.id, way, Peers(addresses=known), judged, _purpose(finding)) for h in there)
        yield (*allow, *refuse)


def _narrowings(
    finding: Finding,
    faulty: Sequence[_Faulty],
    judged: IntervalSet,
    documented: IntervalSet,
    graph: RuleGraph,
) -> Iterator[tuple[Change, ...]]:
    if not faulty:
        yield ()
        return
    if finding.kind == "forbidden":
        kept: list[list[tuple[Keep, ...]]] = [
            [_keep(graph, r, REAL, r.services - judged, others=True) for _, r, _ in faulty],
            [_keep(graph, r, PRIVATE, r.services, others=True) for _, r, _ in faulty],
            [() for _ in faulty],
        ]
        for keeps in kept:
            yield tuple(NarrowRule(h.id, r.id, keep) for (h, r, _), keep in zip(faulty, keeps, strict=True))
        return
    # Peers named by a group or list are at fault where a rule names nothing else, or where narrowing the addresses
    # isn't enough. What no finding speaks of stays as it is, where the rule can be split so.
    for alone in (False, True):
        for others in (True, False):
            made = []
            for h, r, said in faulty:
                wide = judged if alone else IntervalSet.union_of(s for s, peers in said if peers == documented)
                left = _keep(graph, r, REAL, r.services - wide, others=True)
                left += _keep(graph, r, documented, r.services & wide, others=others)
                made.append(NarrowRule(h.id, r.id, left))
            yield tuple(made)
    for others in (True, False):
        yield tuple(
            NarrowRule(h.id, r.id, _keep(graph, r, documented, r.services, others=others)) for h, r, _ in faulty
        )
    yield tuple(NarrowRule(h.id, r.id, _keep(graph, r, REAL, r.services - judged, others=True)) for h, r, _ in faulty)
    yield tuple(NarrowRule(h.id, r.id, _documented_alone(graph, r, said)) for h, r, said in faulty)
    yield tuple(NarrowRule(h.id, r.id, ()) for h, r, _ in faulty)


def _documented_alone(
    graph: RuleGraph, rule: Rule, said: tuple[tuple[IntervalSet, IntervalSet], ...]
) -> tuple[Keep, ...]:
    """Of a rule that lets too much through on too many ports: what the documents name, each port with its peers."""
    by_peers: dict[IntervalSet, IntervalSet] = {}
    for services, peers in said:
        by_peers[peers] = by_peers.get(peers, EMPTY) | services
    kept: tuple[Keep, ...] = ()
    for peers, services in by_peers.items():
        kept += _keep(graph, rule, peers, rule.services & services, others=False)
    return kept


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
