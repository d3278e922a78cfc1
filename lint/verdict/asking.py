"""Asks the reach engine once for all that share the answer. Knows no flow.

Two endpoints are alike where no filter, route or list of the graph can tell them apart: same filters, groups and
subnets, and addresses between
the same borders of every address set that the graph holds. One of them answers for all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator
from dataclasses import replace

from lint.graph.endpoints import Address, Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Addresses, Direction, Peer, Rule, UnknownPeer
from lint.graph.topology import Network, Subnet
from lint.origin import Origin
from lint.reach import Inbound, Outbound, Reach, between, engine_of, inbound, outbound
from lint.reach.balancers import passed_on
from lint.reach.result import Party
from lint.space.addresses import REAL, SYMBOLIC
from lint.space.bounds import Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.traffic import TrafficSet

_NOWHERE = Origin()


class Asking:
    """The questions that were asked of one graph, with their answers.

    `public_places` are the symbolic places of public addresses that will exist.
    """

    def __init__(self, graph: RuleGraph) -> None:
        self.graph = graph
        self._borders = _borders(graph)
        self._singled = _singled_out(graph)
        self._kinds: dict[str, int] = {}
        self._numbers: dict[Hashable, int] = {}
        self._filters: dict[str, int] = {}
        self._likes: dict[int, list[str]] = {}
        self._between: dict[Hashable, Reach] = {}
        self._from: dict[Hashable, Reach] = {}
        self._to: dict[Hashable, Reach] = {}
        self._inbound: dict[Hashable, Inbound] = {}
        self._sides: dict[Hashable, Bounds] = {}
        self._outbound: dict[Hashable, Outbound] = {}
        self.public_places = _public_places(graph)

    def platform(self, endpoint: Endpoint) -> IntervalSet:
        """The cloud's own addresses in the endpoint's network: health probes, resolver, metadata."""
        theirs = (p for p in self.graph.platform if p.network is None or p.network == endpoint.network)
        return IntervalSet.union_of(p.addresses for p in theirs)

    def alike(self, endpoint: Endpoint) -> int:
        """A number, equal for two endpoints that nothing in the graph can tell apart."""
        found = self._kinds.get(endpoint.id)
        if found is None:
            own = endpoint.id if endpoint.id in self._singled else None
            bare = replace(
                endpoint,
                id="",
                name="",
                origin=_NOWHERE,
                aliases=(),
                tags=(),
                tags_open=(),
                client_ports=None,
                addresses=(),
            )
            addresses = tuple(self._address_kind(address) for address in endpoint.addresses)
            found = self._number("alike", own, bare, addresses)
            self._kinds[endpoint.id] = found
        return found

    def filters(self, endpoint: Endpoint) -> int:
        """A number, equal for two endpoints that the same filters guard, their subnets' included."""
        found = self._filters.get(endpoint.id)
        if found is None:
            own = frozenset(f for layer in endpoint.layers for f in layer.filters)
            subnets = [self.graph.subnets.get(a.subnet) for a in endpoint.addresses if a.subnet]
            border = frozenset(f for subnet in subnets if subnet for layer in subnet.layers for f in layer.filters)
            found = self._filters[endpoint.id] = self._number("filters", own, border)
        return found

    def _number(self, *kind: Hashable) -> int:
        return self._numbers.setdefault(kind, len(self._numbers))

    def between(self, source: Endpoint, destination: Endpoint, services: IntervalSet) -> Reach:
        """What passes between two endpoints of the graph. Its peers are the source's places."""
        key = (source.id, destination.id, services)
        found = self._between.get(key)
        if found is None:
            found = between(
                self.graph,
                Party(source.name or source.id, endpoint=source.id),
                Party(destination.name or destination.id, endpoint=destination.id),
                services,
            )
            self._between[key] = found
        return found

    def from_addresses(self, source: IntervalSet, text: str, destination: Endpoint, services: IntervalSet) -> Reach:
        """What passes from plain addresses to an endpoint. Its peers are these addresses."""
        key = (source, self.alike(destination), services)
        found = self._from.get(key)
        if found is None:
            party = Party(destination.name or destination.id, endpoint=destination.id)
            found = between(self.graph, Party(text, addresses=source), party, services)
            self._from[key] = found
        return found

    def to_addresses(self, source: Endpoint, destination: IntervalSet, text: str, services: IntervalSet) -> Reach:
        """What passes from an endpoint to plain addresses. The peers of its paths are these addresses."""
        key = (self.alike(source), destination, services)
        found = self._to.get(key)
        if found is None:
            party = Party(source.name or source.id, endpoint=source.id)
            found = self._to[key] = between(self.graph, party, Party(text, addresses=destination), services)
        return found

    def side(self, endpoint: Endpoint, direction: Direction) -> Bounds:
        """What the filters on the endpoint's own side pass, whether or not a route brings it there."""
        key = (self.alike(endpoint), direction)
        found = self._sides.get(key)
        if found is None:
            found = self._sides[key] = engine_of(self.graph).side(endpoint.id, direction)
        return found

    def inbound(self, endpoint: Endpoint, services: IntervalSet, peers: IntervalSet | None = None) -> Inbound:
        """Who (of `peers`) reaches these services of the endpoint. Where others are alike, its own place is among the
        peers; else not."""
        key = (self.alike(endpoint), services, peers)
        found = self._inbound.get(key)
        if found is None:
            two = self._two(endpoint)
            found, *more = [inbound(self.graph, one, services, peers, explained=False) for one in two]
            for other in more:  # what reaches one of them is the other, and the other way round
                found = replace(
                    found,
                    allowed=found.allowed | other.allowed,
                    rules=_joined(found.rules, other.rules),
                    reasons=tuple(dict.fromkeys((*found.reasons, *other.reasons))),
                )
            for passed in passed_on(self.graph, endpoint.id, services, peers):
                found = replace(
                    found,
                    allowed=found.allowed | passed.allowed,
                    rules=_joined(found.rules, passed.rules),
                    layers=tuple(dict.fromkeys((*found.layers, *passed.layers))),
                    reasons=tuple(dict.fromkeys((*found.reasons, *passed.reasons))),
                )
            self._inbound[key] = found
        return found

    def outbound(self, endpoint: Endpoint, services: IntervalSet) -> Outbound:
        """Whom the endpoint reaches with these services. Where others are alike, its own place is among the peers;
        else not."""
        key = (self.alike(endpoint), services)
        found = self._outbound.get(key)
        if found is None:
            found, *more = [outbound(self.graph, one, services, explained=False) for one in self._two(endpoint)]
            for other in more:
                found = replace(
                    found,
                    allowed=found.allowed | other.allowed,
                    delivered=found.delivered | other.delivered,
                    rules=_joined(found.rules, other.rules),
                    reasons=tuple(dict.fromkeys((*found.reasons, *other.reasons))),
                )
            self._outbound[key] = found
        return found

    def _two(self, endpoint: Endpoint) -> list[str]:
        """The endpoint and, where there is one, another that is alike."""
        if not self._likes:
            for one in self.graph.endpoints.values():
                self._likes.setdefault(self.alike(one), []).append(one.id)
        other = next((id_ for id_ in self._likes[self.alike(endpoint)] if id_ != endpoint.id), None)
        return [endpoint.id] if other is None else [endpoint.id, other]

    def _address_kind(self, address: Address) -> Hashable:
        known = address.place < SYMBOLIC
        return (
            address.family,
            replace(
                address,
                place=self._between_borders(address.place),
                within=EMPTY if known else address.within,
                public=None if address.public is None else self._between_borders(address.public),
            ),
        )

    def _between_borders(self, place: int) -> int:
        return bisect_right(self._borders, place)


def _public_places(graph: RuleGraph) -> IntervalSet:
    found = [
        IntervalSet.of(a.public)
        for e in graph.endpoints.values()
        for a in e.addresses
        if a.public is not None and a.public >= SYMBOLIC
    ]
    found += [gateway.public - REAL for gateway in graph.nat_gateways.values()]
    return IntervalSet.union_of(found)


def _joined(
    first: tuple[tuple[Rule, str, TrafficSet], ...], second: tuple[tuple[Rule, str, TrafficSet], ...]
) -> tuple[tuple[Rule, str, TrafficSet], ...]:
    """The rules of both, each with all that it lets through."""
    found = {(filter_, rule.id): (rule, filter_, traffic) for rule, filter_, traffic in first}
    for rule, filter_, traffic in second:
        known = found.get((filter_, rule.id))
        found[filter_, rule.id] = (rule, filter_, traffic if known is None else known[2] | traffic)
    return tuple(found.values())


def _borders(graph: RuleGraph) -> list[int]:
    points: set[int] = set()
    seen: set[int] = set()
    for addresses in _address_sets(graph):
        if id(addresses) not in seen:
            seen.add(id(addresses))
            for low, high in addresses.pairs:
                points.add(low)
                points.add(high + 1)
    return sorted(points)


def _address_sets(graph: RuleGraph) -> Iterator[IntervalSet]:
    for filter_ in graph.filters.values():
        for rule in filter_.rules:
            yield from _of_peers(rule.peers)
            yield from _of_peers(rule.local or ())
    for listed in graph.address_lists.values():
        yield listed.must
        yield listed.may
    areas: list[Network | Subnet] = [*graph.networks.values(), *graph.subnets.values()]
    for area in areas:
        yield area.prefixes
        if area.prefixes_may is not None:
            yield area.prefixes_may
    for table in graph.route_tables.values():
        for route in table.routes:
            yield route.destinations
            if route.destinations_may is not None:
                yield route.destinations_may
    for gateway in graph.nat_gateways.values():
        yield gateway.private
        yield gateway.public
    for platform in graph.platform:
        yield platform.addresses


def _of_peers(peers: tuple[Peer, ...]) -> Iterator[IntervalSet]:
    for peer in peers:
        if isinstance(peer, Addresses):
            yield peer.addresses
        elif isinstance(peer, UnknownPeer):
            yield peer.may


def _singled_out(graph: RuleGraph) -> frozenset[str]:
    """Endpoints that something names by id: they are like no other."""
    named = {f.balancer for f in graph.forwardings} | {t for f in graph.forwardings for t in f.targets}
    for table in graph.route_tables.values():
        named |= {route.target for route in table.routes if route.target is not None}
    return frozenset(named)
