"""Joins the graphs of several sources into one.

The same id is one thing, and symbolic places get numbers that don't collide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lint.graph.change import changed
from lint.graph.disagreement import (
    both_endpoints,
    both_filters,
    both_groups,
    both_lists,
    both_nat_gateways,
    both_networks,
    both_peerings,
    both_subnets,
    both_tables,
    contradiction,
    rule_key,
)
from lint.graph.endpoints import Address, Endpoint
from lint.graph.graph import EMPTY_GRAPH, RuleGraph
from lint.graph.places import Places
from lint.graph.rules import Addresses, Filter, Peer, Rule, UnknownPeer
from lint.graph.topology import Forwarding, NatGateway, Network, Route
from lint.origin import Origin, Reason
from lint.space.addresses import REAL, SYMBOLIC, SYMBOLIC_END
from lint.space.intervals import IntervalSet


def merge(graphs: Sequence[RuleGraph]) -> RuleGraph:
    """One graph of several.

    What two sources show differently is certain as far as they agree (see `disagreement`); where they contradict each
    other in what can't be left open, the graph is incomplete. Differences that decide nothing are noted, and the first
    source counts.
    """
    found = [graph for graph in graphs if graph is not EMPTY_GRAPH]
    if not found:
        return EMPTY_GRAPH
    if len(found) == 1:
        return found[0]
    numbers = Places()
    renumbered = [_renumber(graph, index, numbers) for index, graph in enumerate(found)]
    notes: dict[str, None] = {}
    incomplete: dict[Reason, None] = {}
    for graph in renumbered:
        notes.update(dict.fromkeys(graph.notes))
        incomplete.update(dict.fromkeys(graph.incomplete))

    def join(name: str, what: str, both: Callable[[Any, Any], Any] | None = None) -> dict[str, Any]:
        joined: dict[str, Any] = {}
        for graph in renumbered:
            mapping: Mapping[str, Any] = getattr(graph, name)
            for key, value in mapping.items():
                before = joined.get(key)
                if before is None:
                    joined[key] = value
                elif before != value and _substance(before) != _substance(value):
                    together = None if both is None else both(before, value)
                    if together is None:
                        incomplete[contradiction(f"{what} {key}", before, value)] = None
                    elif together == before:
                        note = f"{what} {key} differs between two sources; the first one counts ({_place(before)})"
                        notes[note] = None
                    else:
                        joined[key] = together
        return joined

    def endpoints(before: Endpoint, after: Endpoint) -> Endpoint | None:
        return both_endpoints(before, after, numbers.place)

    merged = RuleGraph(
        endpoints=join("endpoints", "endpoint", endpoints),
        filters=join("filters", "filter", both_filters),
        groups=join("groups", "group", both_groups),
        address_lists=join("address_lists", "list", both_lists),
        networks=join("networks", "network", both_networks),
        subnets=join("subnets", "subnet", both_subnets),
        route_tables=join("route_tables", "route table", both_tables),
        nat_gateways=join("nat_gateways", "NAT gateway", both_nat_gateways),
        peerings=join("peerings", "peering", both_peerings),
        transit_gateways=join("transit_gateways", "transit gateway"),
        forwardings=_forwardings(renumbered),
        platform=tuple(dict.fromkeys(one for graph in renumbered for one in graph.platform)),
    )
    return replace(merged, incomplete=tuple(incomplete), notes=tuple(notes))


def _forwardings(graphs: Sequence[RuleGraph]) -> tuple[Forwarding, ...]:
    """The ways through balancers: certain those that every source shows that shows the balancer."""
    found: dict[object, Forwarding] = {}
    for graph in graphs:
        for one in graph.forwardings:
            silent = [
                other
                for other in graphs
                if one.balancer in other.endpoints and _way(one) not in {_way(each) for each in other.forwardings}
            ]
            if silent:
                balancer = silent[0].endpoints[one.balancer]
                why = contradiction(f"what {balancer.name or balancer.id} passes on", one, balancer)
                one = replace(one, reasons=(*one.reasons, why))
            found.setdefault(_way(one), one)
    return tuple(found.values())


def _way(one: Forwarding) -> object:
    return replace(one, origin=Origin(), reasons=())


def _substance(thing: Any) -> Any:
    """A thing without where it was read."""
    changes: dict[str, Any] = {"origin": Origin()}
    if isinstance(thing, Filter):
        changes["rules"] = frozenset(rule_key(rule) for rule in thing.rules)
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
