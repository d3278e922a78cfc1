"""One filter of both sources: what its rules allow on one side alone, with groups told apart by identity.

Knows no machines and no paths.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace

from lint.drift.result import NEW, OLD, CitedRule, FilterChange, RulePiece
from lint.graph.graph import RuleGraph
from lint.graph.rules import (
    Action,
    Addresses,
    AddressList,
    Direction,
    Filter,
    GroupMembers,
    NamedAddresses,
    Peer,
    Rule,
    UnknownPeer,
)
from lint.origin import Reason
from lint.reach.filters import Judged, judge
from lint.reach.resolved import Resolved
from lint.space.addresses import EVERYWHERE, IPV4, REAL, SYMBOLIC, cidrs
from lint.space.bounds import NOTHING, Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES
from lint.space.traffic import EMPTY_TRAFFIC, TrafficSet

_EMPTY_GRAPH = RuleGraph()
_STANDS_FOR = SYMBOLIC + 2**30  # places that stand for groups here, behind those of endpoints
_MOST_PARTS = 256  # so many parts of the local side are told apart


@dataclass(frozen=True, slots=True)
class Delta:
    """What of two bounds is on one side alone. `changed` is what certainly is, `possible` what may be beyond that."""

    changed: TrafficSet
    possible: TrafficSet

    def __bool__(self) -> bool:
        return bool(self.changed) or bool(self.possible)

    def doubted(self) -> Delta:
        """The same, none of it certain."""
        return Delta(EMPTY_TRAFFIC, self.changed | self.possible)


def gained(before: Bounds, after: Bounds) -> Delta:
    """What `after` lets through and `before` doesn't: certainly; or perhaps, because one of the two isn't certain.

    What both may let through and neither certainly does counts as the same: there is nothing to tell them apart by.
    """
    changed = after.must - before.may
    possible = ((after.may - before.may) | (after.must - before.must)) - changed
    return Delta(changed, possible)


class FilterComparison:
    """Compares filters of two aligned graphs."""

    def __init__(self, old: RuleGraph, new: RuleGraph, *, blind: bool = False) -> None:
        """`blind`: a filter of one side alone may be on the other one as well, which doesn't show it."""
        self._old, self._new = old, new
        self._blind = blind
        self._stand: dict[str, int] = {}  # group -> place
        self._groups: dict[int, str] = {}
        self._resolved = Resolved(_EMPTY_GRAPH)

    def differs(self, name: str) -> bool:
        """Whether a filter of both graphs may let different traffic through, given the same members of groups."""
        before, after = self._old.filters[name], self._new.filters[name]
        if rules_key(before, self._old) == rules_key(after, self._new):
            return False
        if (before.kind, before.ordered, before.stateful, before.default) != (
            after.kind,
            after.ordered,
            after.stateful,
            after.default,
        ):
            return True
        if self._open(before, self._old) != self._open(after, self._new):
            return True
        if _unknowns(before) != _unknowns(after):
            return True
        return any(
            one != other for direction in Direction for _, one, other in self._judged_both(before, after, direction)
        )

    def as_made(self, one: Filter) -> bool:
        """Whether the cloud's own filter does no more than when it was made.

        A group admits its own members alone, a network ACL lets everything through.
        """
        if one.stateful:
            return not one.open_ingress and all(
                rule.direction is Direction.EGRESS or _names_itself(rule, one.id) for rule in one.rules
            )
        graph = self._old if self._old.filters.get(one.id) is one else self._new
        everything = TrafficSet.of(IPV4, ALL_SERVICES, ALL_PORTS)
        return all(
            everything <= self._bounds(one, graph, direction, place).must
            for direction in Direction
            for place, _ in self._parts([one], direction)
        )

    def doubts(self, name: str) -> tuple[Reason, ...]:
        """Why what both versions of a filter may let through can't be told apart: each has reasons of its own."""
        before, after = self._old.filters.get(name), self._new.filters.get(name)
        if before is None or after is None or _unknowns(before) == _unknowns(after):
            return ()
        unsure = any(
            (one.may - one.must) & (other.may - other.must)
            for direction in Direction
            for _, one, other in self._judged_both(before, after, direction)
        )
        if not unsure:
            return ()
        told = sorted(_unknowns(before) ^ _unknowns(after))
        return tuple(
            Reason(f"{text}: the rules of {after.name or name} can't be compared with certainty") for text in told
        )

    def changes(self, name: str) -> Iterator[FilterChange]:
        """What changed in a filter's rules, for each direction in which something did."""
        before, after = self._old.filters.get(name), self._new.filters.get(name)
        here = after or before
        if here is None or (before is not None and after is not None and before == after):
            return
        status = "changed" if before is not None and after is not None else "added" if before is None else "removed"
        for direction in Direction:
            opened: list[RulePiece] = []
            closed: list[RulePiece] = []
            spans: list[tuple[TrafficSet, TrafficSet]] = []
            alike: dict[tuple[Delta, Delta], list[str]] = {}
            for part, one, other in self._judged_both(before, after, direction):
                alike.setdefault((gained(one, other), gained(other, one)), []).append(part or "")
            for (more, less), parts in alike.items():
                if self._blind and (before is None or after is None):
                    more, less = more.doubted(), less.doubted()
                if more or less:
                    local = ", ".join(parts) if len(alike) > 1 else None
                    opened += self._pieces(more, local)
                    closed += self._pieces(less, local)
                    spans.append((more.changed | more.possible, less.changed | less.possible))
            if opened or closed:
                yield FilterChange(
                    name,
                    here.name,
                    here.kind,
                    direction.value,
                    status,
                    tuple(dict.fromkeys(opened)),
                    tuple(dict.fromkeys(closed)),
                    tuple(self._cited(before, after, direction, spans)),
                    tuple(self._reasons(before, after, direction)),
                )

    def _open(self, one: Filter, graph: RuleGraph) -> Hashable:
        """What of the members of the groups that a filter names isn't shown."""
        names = {g for rule in one.rules for peer in (*rule.peers, *(rule.local or ())) for g in _groups_of(peer)}
        return frozenset((name, bool(graph.groups[name].open) if name in graph.groups else None) for name in names)

    def _judged_both(
        self, before: Filter | None, after: Filter | None, direction: Direction
    ) -> Iterator[tuple[str | None, Bounds, Bounds]]:
        """What both pass, part by part of the local side (None: the filter asks for none)."""
        filters = [one for one in (before, after) if one is not None]
        for place, text in self._parts(filters, direction):
            yield (
                text,
                self._bounds(before, self._old, direction, place),
                self._bounds(after, self._new, direction, place),
            )

    def _parts(self, filters: list[Filter], direction: Direction) -> list[tuple[IntervalSet | None, str | None]]:
        """The local side in parts that every rule treats alike."""
        sets = {
            places
            for one in filters
            for rule in one.rules
            if rule.direction is direction and rule.local is not None
            for graph in (self._old, self._new)
            for peer in self._peers(rule.local, graph)
            if (places := peer.addresses if isinstance(peer, Addresses) else peer.may)
        }
        if not sets:
            return [(None, None)]
        parts = [EVERYWHERE]
        for one in sorted(sets, key=lambda each: each.pairs):
            if len(parts) > _MOST_PARTS:
                break
            parts = [piece for part in parts for piece in (part & one, part - one) if piece]
        return [(part, self._text(part)) for part in parts]

    def _text(self, part: IntervalSet) -> str:
        groups = [name for place, name in self._groups.items() if place in part]
        addresses = cidrs(part & REAL)
        if part.size > 2**40 or len(addresses) > 8:
            return "all other addresses"
        return ", ".join([*groups, *addresses])

    def _bounds(self, one: Filter | None, graph: RuleGraph, direction: Direction, place: IntervalSet | None) -> Bounds:
        return NOTHING if one is None else self._judged(one, graph, direction, place).passes

    def _judged(self, one: Filter, graph: RuleGraph, direction: Direction, place: IntervalSet | None) -> Judged:
        rules = tuple(
            replace(
                rule,
                peers=self._peers(rule.peers, graph),
                local=None if rule.local is None else self._peers(rule.local, graph),
            )
            for rule in one.rules
            if rule.direction is direction
        )
        return judge(self._resolved, replace(one, rules=rules), direction, True, place)

    def _peers(self, peers: Iterable[Peer], graph: RuleGraph) -> tuple[Addresses | UnknownPeer, ...]:
        """The peers without the graph: a group is a place of its own, a list what it holds."""
        return tuple(one for peer in peers for one in self._plain(peer, graph))

    def _plain(self, peer: Peer, graph: RuleGraph) -> Iterator[Addresses | UnknownPeer]:
        if isinstance(peer, GroupMembers):
            yield Addresses(IntervalSet.of(self._standing(peer.group)), peer.text)
        elif isinstance(peer, NamedAddresses):
            yield from self._listed(peer, graph)
        elif isinstance(peer, UnknownPeer) and peer.groups is not None:
            places = IntervalSet.of(*(self._standing(name) for name in peer.groups))
            yield replace(peer, may=(peer.may & REAL) | places, groups=None)
        else:
            yield peer

    def _listed(self, peer: NamedAddresses, graph: RuleGraph) -> Iterator[Addresses | UnknownPeer]:
        """What a list holds. One of which neither source knows anything is a place of its own: the same in both."""
        mine, other = (one.address_lists.get(peer.list) for one in (self._old, self._new))
        if _same_list(mine, other) and (mine is None or (mine.may and not mine.must)):
            yield Addresses(IntervalSet.of(self._standing(peer.list if mine is None else mine.name)), peer.text)
            return
        here = graph.address_lists.get(peer.list)
        if here is not None and here.must:
            yield Addresses(here.must, peer.text)
        if here is None or here.must != here.may:
            yield UnknownPeer((), peer.text, EVERYWHERE if here is None else here.may)

    def _places(self, peers: Iterable[Peer], graph: RuleGraph) -> IntervalSet:
        return IntervalSet.union_of(
            [EMPTY, *(p.addresses if isinstance(p, Addresses) else p.may for p in self._peers(peers, graph))]
        )

    def _standing(self, group: str) -> int:
        place = self._stand.get(group)
        if place is None:
            place = self._stand[group] = _STANDS_FOR + len(self._stand)
            self._groups[place] = group
        return place

    def _pieces(self, delta: Delta, local: str | None) -> Iterator[RulePiece]:
        for traffic, certain in ((delta.changed, True), (delta.possible, False)):
            for peers, services, ports in traffic.boxes():
                real = peers & REAL
                if real:
                    yield RulePiece(real, None, services, ports, certain, local)
                for low, high in (peers - REAL).pairs:
                    for place in self._groups:
                        if low <= place <= high:
                            yield RulePiece(EMPTY, self._groups[place], services, ports, certain, local)

    def _cited(
        self,
        before: Filter | None,
        after: Filter | None,
        direction: Direction,
        spans: list[tuple[TrafficSet, TrafficSet]],
    ) -> Iterator[CitedRule]:
        """The rules of one side alone that speak of what changed."""
        both = (OLD, before, after, self._old, self._new), (NEW, after, before, self._new, self._old)
        for side, one, other, graph, beyond in both:
            if one is None:
                continue
            known = {rule_key(rule, beyond) for rule in other.rules} if other is not None else set()
            for rule in one.rules:
                if rule.direction is not direction or rule_key(rule, graph) in known:
                    continue
                mine = self._traffic(rule, graph)
                adds = (rule.action is not Action.DENY) == (side == NEW)
                if any(not mine.isdisjoint(more if adds else less) for more, less in spans):
                    yield CitedRule(side, one.name, rule, managed_at(one.id, self._old, self._new))

    def _traffic(self, rule: Rule, graph: RuleGraph) -> TrafficSet:
        places = self._places(rule.peers, graph)
        services = rule.services if rule.services_may is None else rule.services_may
        ports = rule.source_ports if rule.source_ports_may is None else rule.source_ports_may
        return TrafficSet.of(places, services, ports)

    def _reasons(self, before: Filter | None, after: Filter | None, direction: Direction) -> Iterator[Reason]:
        seen: dict[str, None] = {}
        for one in (before, after):
            if one is None:
                continue
            opened = one.open_ingress if direction is Direction.INGRESS else one.open_egress
            reasons = [
                *opened,
                *(reason for rule in one.rules if rule.direction is direction for reason in rule.reasons),
            ]
            for reason in reasons:
                if reason.text not in seen:
                    seen[reason.text] = None
                    yield reason


def _names_itself(rule: Rule, group: str) -> bool:
    """Whether the only peer is the rule's own group, with members that the source may not show."""
    first, *others = rule.peers
    return (
        isinstance(first, GroupMembers)
        and first.group == group
        and all(isinstance(other, UnknownPeer) and other.text == first.text for other in others)
    )


def managed_at(name: str, *graphs: RuleGraph) -> str | None:
    """The Terraform address of a filter, where one of the graphs knows it."""
    found = (graph.filters[name].origin.address for graph in graphs if name in graph.filters)
    return next((address for address in found if address), None)


def _unknowns(one: Filter) -> frozenset[str]:
    """Why a filter's rules aren't certain."""
    reasons = [*one.open_ingress, *one.open_egress]
    for rule in one.rules:
        reasons += rule.reasons
        for peer in (*rule.peers, *(rule.local or ())):
            if isinstance(peer, UnknownPeer):
                reasons += peer.reasons
    return frozenset(reason.text for reason in reasons)


def _same_list(one: AddressList | None, other: AddressList | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.name, one.must, one.may) == (other.name, other.must, other.may)


def _groups_of(peer: Peer) -> tuple[str, ...]:
    if isinstance(peer, GroupMembers):
        return (peer.group,)
    return (peer.groups or ()) if isinstance(peer, UnknownPeer) else ()


def rules_key(one: Filter, graph: RuleGraph) -> Hashable:
    """Everything of a filter that decides traffic; equal keys decide alike. Where it was read doesn't count."""
    return (
        one.kind,
        one.ordered,
        one.stateful,
        one.default,
        _texts(one.open_ingress),
        _texts(one.open_egress),
        frozenset(rule_key(rule, graph) for rule in one.rules),
    )


def rule_key(rule: Rule, graph: RuleGraph) -> Hashable:
    """Everything of a rule that decides traffic."""
    return (
        rule.direction,
        rule.action,
        _peers_key(rule.peers, graph),
        rule.services,
        rule.services_may,
        rule.source_ports,
        rule.source_ports_may,
        None if rule.local is None else _peers_key(rule.local, graph),
        rule.priority,
        rule.exists,
    )


def _peers_key(peers: Iterable[Peer], graph: RuleGraph) -> Hashable:
    return frozenset(_peer_key(peer, graph) for peer in peers)


def _peer_key(peer: Peer, graph: RuleGraph) -> Hashable:
    if isinstance(peer, Addresses):
        return peer.addresses
    if isinstance(peer, GroupMembers):
        group = graph.groups.get(peer.group)
        return peer.group, None if group is None else bool(group.open)
    if isinstance(peer, NamedAddresses):
        listed = graph.address_lists.get(peer.list)
        return ("list", peer.list) if listed is None else ("list", listed.name, listed.must, listed.may)
    return _texts(peer.reasons), peer.may, peer.groups


def _texts(reasons: Iterable[Reason]) -> tuple[str, ...]:
    return tuple(sorted({reason.text for reason in reasons}))
