"""Joins the graphs of several sources into one.

The same id is one thing, and symbolic places get numbers that don't collide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from lint.graph.change import changed
from lint.graph.endpoints import Address, Endpoint
from lint.graph.graph import EMPTY_GRAPH, RuleGraph
from lint.graph.places import Places
from lint.graph.rules import Addresses, AddressList, Direction, Filter, Group, Peer, Rule, UnknownPeer
from lint.graph.topology import NatGateway, Network, Route, RouteTable
from lint.origin import Origin, Reason
from lint.space.addresses import REAL, SYMBOLIC, SYMBOLIC_END
from lint.space.intervals import IntervalSet

T = TypeVar("T")


def merge(graphs: Sequence[RuleGraph]) -> RuleGraph:
    """One graph of several. The first source that shows a thing says what it is; a contradiction is noted.

    A filter that two sources show with different rules (one manages a part, the other another part) has the rules of
    both. Where only one source knows a thing for certain, that one counts.
    """
    found = [graph for graph in graphs if graph is not EMPTY_GRAPH]
    if not found:
        return EMPTY_GRAPH
    if len(found) == 1:
        return found[0]
    numbers = Places()
    renumbered = [_renumber(graph, index, numbers) for index, graph in enumerate(found)]
    notes: dict[str, None] = {}
    for graph in renumbered:
        notes.update(dict.fromkeys(graph.notes))

    def join(name: str, what: str, both: Callable[[Any, Any], Any] | None = None) -> dict[str, Any]:
        joined: dict[str, Any] = {}
        for graph in renumbered:
            mapping: Mapping[str, Any] = getattr(graph, name)
            for key, value in mapping.items():
                before = joined.get(key)
                if before is None:
                    joined[key] = value
                elif before != value:
                    if both is not None and (together := both(before, value)) is not None:
                        joined[key] = together
                    elif _substance(before) != _substance(value):
                        note = f"{what} {key} differs between two sources; the first one counts ({_place(before)})"
                        notes[note] = None
        return joined

    return RuleGraph(
        endpoints=join("endpoints", "endpoint", _same_endpoint),
        filters=join("filters", "filter", _both_filters),
        groups=join("groups", "group", _both_groups),
        address_lists=join("address_lists", "list", _both_lists),
        networks=join("networks", "network"),
        subnets=join("subnets", "subnet"),
        route_tables=join("route_tables", "route table", _both_tables),
        nat_gateways=join("nat_gateways", "NAT gateway"),
        peerings=join("peerings", "peering"),
        transit_gateways=join("transit_gateways", "transit gateway"),
        forwardings=tuple(dict.fromkeys(one for graph in renumbered for one in graph.forwardings)),
        platform=tuple(dict.fromkeys(one for graph in renumbered for one in graph.platform)),
        incomplete=tuple(dict.fromkeys(one for graph in renumbered for one in graph.incomplete)),
        notes=tuple(notes),
    )


def _same_endpoint(before: Endpoint, after: Endpoint) -> Endpoint | None:
    """One that stands for machines to come gives way to a machine that exists."""
    if before.hypothetical and not after.hypothetical:
        return after
    return before if after.hypothetical else None


def _both_filters(before: Filter, after: Filter) -> Filter | None:
    """The rules of both, where the two agree on what kind of filter it is."""
    if (before.kind, before.ordered, before.stateful, before.default) != (
        after.kind,
        after.ordered,
        after.stateful,
        after.default,
    ):
        return None
    if before.ordered:
        before, after = _doubted(before, after), _doubted(after, before)
    known = {_rule_key(rule) for rule in before.rules}
    ids = {rule.id for rule in before.rules}
    more: list[Rule] = []
    for rule in after.rules:
        if _rule_key(rule) in known:
            continue
        more.append(replace(rule, id=f"{rule.id}@{rule.origin.where()}") if rule.id in ids else rule)
    return replace(
        before,
        rules=before.rules + tuple(more),
        # Each source is complete for itself; what one can't see the other may show, so both must be closed for the
        # filter to be.
        open_ingress=tuple(dict.fromkeys(before.open_ingress + after.open_ingress)),
        open_egress=tuple(dict.fromkeys(before.open_egress + after.open_egress)),
        notes=tuple(dict.fromkeys(before.notes + after.notes)),
    )


def _doubted(one: Filter, other: Filter) -> Filter:
    """A filter whose rules aren't certain where another source, that shows all of it, shows them not.

    In an ordered filter a rule too many is as wrong as one too few: a stale one hides those behind it.
    """
    shown = {_rule_key(rule) for rule in other.rules}
    rules: list[Rule] = []
    for rule in one.rules:
        closed = not (other.open_ingress if rule.direction is Direction.INGRESS else other.open_egress)
        if closed and _rule_key(rule) not in shown:
            reason = Reason(
                f"the sources don't agree on {one.name}: {other.origin.where()} doesn't show rule "
                f"{rule.name or rule.priority}",
                "source.contradiction",
                rule.origin,
                "give the newer source alone",
            )
            rule = replace(rule, exists=False, reasons=tuple(dict.fromkeys((*rule.reasons, reason))))
        rules.append(rule)
    return replace(one, rules=tuple(rules))


def _rule_key(rule: Rule) -> object:
    return replace(rule, id="", origin=Origin(), name="", description="")


def _both_groups(before: Group, after: Group) -> Group:
    return before if not before.open or after.open else after


def _both_lists(before: AddressList, after: AddressList) -> AddressList | None:
    """The one that is known; two that agree are one."""
    if before.must == before.may:
        return before if before.must <= after.may and after.must <= before.may else None
    return after if after.must == after.may else before


def _both_tables(before: RouteTable, after: RouteTable) -> RouteTable | None:
    known = {(one.text, one.via, one.target) for one in before.routes}
    more = tuple(one for one in after.routes if (one.text, one.via, one.target) not in known)
    if any(one.text == other.text for one in before.routes for other in more):
        return None
    opened = tuple(dict.fromkeys(before.open + after.open))
    return replace(before, routes=before.routes + more, open=opened)


def _substance(thing: Any) -> Any:
    """A thing without where it was read."""
    changes: dict[str, Any] = {"origin": Origin()}
    if isinstance(thing, Filter):
        changes["rules"] = frozenset(_rule_key(rule) for rule in thing.rules)
    if isinstance(thing, Endpoint):
        changes["addresses"] = tuple((one.within, one.public_exists) for one in thing.addresses)
    if isinstance(thing, Network):
        changes["internet_gateways"] = ()  # one source may show a gateway that another doesn't
    return replace(thing, **changes)


def _place(thing: Any) -> str:
    origin = getattr(thing, "origin", None)
    return origin.where() if isinstance(origin, Origin) else "unknown place"


def _renumber(graph: RuleGraph, index: int, numbers: Places) -> RuleGraph:
    """The graph with its symbolic places replaced by those of the merged one.

    The same address of the same thing is one place.
    """
    places: dict[int, int] = {}

    def own(place: int, key: str) -> None:
        if SYMBOLIC <= place < SYMBOLIC_END and place not in places:
            places[place] = numbers.place(key)

    for endpoint in graph.endpoints.values():
        for at, address in enumerate(endpoint.addresses):
            own(address.place, f"private {endpoint.id} {at}")
            if address.public is not None:
                own(address.public, f"public {endpoint.id} {at}")
    for gateway in graph.nat_gateways.values():
        for text, given in (("inside", gateway.private), ("outside", gateway.public)):
            for at, place in enumerate(_points(given)):
                own(place, f"{text} {gateway.id} {at}")

    kept: dict[IntervalSet, IntervalSet] = {}

    def moved(addresses: IntervalSet) -> IntervalSet:
        if not addresses or addresses.pairs[-1][1] < SYMBOLIC:
            return addresses
        found = kept.get(addresses)
        if found is None:
            found = kept[addresses] = _moved(addresses)
        return found

    def _moved(addresses: IntervalSet) -> IntervalSet:
        real = addresses & REAL
        if SYMBOLIC_END in addresses:  # all places, but for some of this source
            left_out = IntervalSet.of(*(new for old, new in places.items() if old not in addresses))
            return (real | IntervalSet.span(SYMBOLIC, SYMBOLIC_END)) - left_out
        for place in _points(addresses):
            own(place, f"other {index} {place}")
        return real | IntervalSet.of(*(places[place] for place in _points(addresses)))

    def maybe(addresses: IntervalSet | None) -> IntervalSet | None:
        return None if addresses is None else moved(addresses)

    def peers(given: Iterable[Peer]) -> tuple[Peer, ...]:
        out: list[Peer] = []
        for peer in given:
            if isinstance(peer, Addresses):
                peer = changed(peer, addresses=moved(peer.addresses))
            elif isinstance(peer, UnknownPeer):
                peer = changed(peer, may=moved(peer.may))
            out.append(peer)
        return tuple(out)

    def rule(given: Rule) -> Rule:
        return changed(given, peers=peers(given.peers), local=None if given.local is None else peers(given.local))

    def address_of(given: Address) -> Address:
        return changed(
            given,
            place=places.get(given.place, given.place),
            public=None if given.public is None else places.get(given.public, given.public),
        )

    def route(given: Route) -> Route:
        return changed(given, destinations=moved(given.destinations), destinations_may=maybe(given.destinations_may))

    def gateway_of(given: NatGateway) -> NatGateway:
        return changed(given, private=moved(given.private), public=moved(given.public))

    return replace(
        graph,
        endpoints={
            key: changed(one, addresses=tuple(address_of(each) for each in one.addresses))
            for key, one in graph.endpoints.items()
        },
        filters={
            key: changed(one, rules=tuple(rule(each) for each in one.rules)) for key, one in graph.filters.items()
        },
        address_lists={
            key: changed(one, must=moved(one.must), may=moved(one.may)) for key, one in graph.address_lists.items()
        },
        route_tables={
            key: changed(one, routes=tuple(route(each) for each in one.routes))
            for key, one in graph.route_tables.items()
        },
        nat_gateways={key: gateway_of(one) for key, one in graph.nat_gateways.items()},
    )


def _points(addresses: IntervalSet) -> list[int]:
    """The single symbolic places of a set; a stretch of them is no longer than the places that were given out."""
    found: list[int] = []
    for low, high in addresses.pairs:
        if high >= SYMBOLIC:
            found += range(max(low, SYMBOLIC), min(high, max(low, SYMBOLIC) + 2**20) + 1)
    return found
