"""`map`: who can reach whom, with the Internet as a party. Endpoints that nothing can tell apart are computed once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Addresses, Direction, UnknownPeer
from lint.graph.unread import Unread
from lint.origin import Reason
from lint.reach.answer import arriving_from, leaving_to, together, trails_between
from lint.reach.balancers import passed_on
from lint.reach.engine import Engine, engine_of
from lint.reach.resolved import Spot
from lint.space.addresses import PUBLIC, REAL, SYMBOLIC, address_text
from lint.space.bounds import NOTHING, Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES, render
from lint.space.traffic import TrafficSet

INTERNET = "internet"


@dataclass(frozen=True, slots=True)
class Edge:
    """What certainly passes (`allowed`), and what may pass beyond that (`possible`).

    From each of `sources` to each of `destinations`. Both are services, from at least one source port. `internet`
    stands for the public addresses: something passes where it does for one of them.
    """

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    allowed: IntervalSet
    possible: IntervalSet

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every pair of parties, none with itself."""
        for source in self.sources:
            for destination in self.destinations:
                if source != destination:
                    yield source, destination


@dataclass(frozen=True, slots=True)
class Atlas:
    """The whole map. `classes` is how many kinds of endpoints were told apart; `unknown`: why more may pass."""

    endpoints: tuple[Endpoint, ...]
    edges: tuple[Edge, ...]
    classes: int
    layers: tuple[str, ...]
    unknown: tuple[Reason, ...] = ()


def map_all(graph: RuleGraph | Engine) -> Atlas:
    """Who can reach whom. Pairs whose filters share nothing aren't looked at."""
    engine = engine_of(graph)
    kinds = kinds_of(engine)
    leaders = [members[0] for members in kinds]
    index = _Index(engine, leaders)
    edges: list[Edge] = []
    layers: dict[str, None] = {}
    for at, members in enumerate(kinds):
        leader = members[0]
        names = tuple(one.id for one in members)
        edges += _with_internet(engine, leader, names, layers)
        for other in index.senders(at):
            if other == at and len(members) < 2:
                continue
            start = leaders[other]
            end = members[1] if other == at else leader
            trails = trails_between(engine, start, end, explained=False)
            for trail in trails:
                layers.update(dict.fromkeys(step.layer for step in trail.steps if step.view is not None))
            edge = _edge([trail.allowed for trail in trails], tuple(one.id for one in kinds[other]), names)
            if edge is not None:
                edges.append(edge)
    order = tuple(sorted(engine.graph.endpoints.values(), key=lambda one: one.id))
    return Atlas(order, _as_read(engine.graph, edges), len(kinds), tuple(layers), engine.graph.incomplete)


def _as_read(graph: RuleGraph, edges: list[Edge]) -> tuple[Edge, ...]:
    """The edges, with nothing certain of endpoints that an unread part of the source may say more of."""
    if not graph.incomplete:
        return tuple(edges)
    unread = Unread(graph)
    open_ = {id_ for id_ in graph.endpoints if unread.around(id_)}
    found: list[Edge] = []
    for edge in edges:
        sure, unsure = ([one for one in edge.sources if (one in open_) is wanted] for wanted in (False, True))
        firm, loose = ([one for one in edge.destinations if (one in open_) is wanted] for wanted in (False, True))
        parts = ((sure, firm, edge.allowed), (unsure, edge.destinations, EMPTY), (sure, loose, EMPTY))
        found += [Edge(tuple(a), tuple(b), allowed, edge.possible) for a, b, allowed in parts if a and b]
    return tuple(found)


def map_json(atlas: Atlas) -> dict[str, object]:
    """The form of design.md, section 4; `internet` is one of the parties."""
    return {
        "schema": 1,
        "endpoints": endpoints_json(atlas),
        "edges": [entry for edge in atlas.edges for entry in edge_json(edge)],
        "layers": list(atlas.layers),
        "unknown": [reason.sentence() for reason in atlas.unknown],
    }


def endpoints_json(atlas: Atlas) -> list[dict[str, object]]:
    """The parties of a map."""
    endpoints: list[dict[str, object]] = [
        {
            "id": one.id,
            "name": one.name,
            "kind": one.kind,
            "addresses": [
                address_text(address.place) if address.place < SYMBOLIC else None for address in one.addresses
            ],
        }
        for one in atlas.endpoints
    ]
    endpoints.append({"id": INTERNET, "name": INTERNET, "kind": INTERNET, "addresses": []})
    return endpoints


def edge_json(edge: Edge) -> Iterator[dict[str, object]]:
    """One entry for each pair of parties; what all pairs share is one object."""
    shared: dict[str, object] = {"allowed": render(edge.allowed)}
    if possible := render(edge.possible - edge.allowed):
        shared["possible"] = possible
    for source, destination in edge.pairs():
        yield {"from": source, "to": destination, **shared}


def _edge(parts: list[Bounds], sources: tuple[str, ...], destinations: tuple[str, ...]) -> Edge | None:
    total = together(parts or [NOTHING])
    if not total.may:
        return None
    return Edge(sources, destinations, total.must.services(), total.may.services())


def _with_internet(engine: Engine, leader: Endpoint, names: tuple[str, ...], layers: dict[str, None]) -> Iterator[Edge]:
    """Both directions between the Internet and one kind of endpoints: what at least one public address can exchange."""
    inward: list[Bounds] = []
    outward: list[Bounds] = []
    for spot in engine.resolved.spots[leader.id]:
        for trail in arriving_from(engine, spot, PUBLIC):
            layers.update(dict.fromkeys(step.layer for step in trail.steps if step.view is not None))
            inward.append(_anyone(trail.delivered))
        for trail in leaving_to(engine, spot, PUBLIC):
            outward.append(_anyone(trail.allowed))
    for passed in passed_on(engine, leader.id, ALL_SERVICES, PUBLIC):
        layers.update(dict.fromkeys(passed.layers))
        inward.append(_anyone(passed.allowed))
    for parts, sources, destinations in ((inward, (INTERNET,), names), (outward, names, (INTERNET,))):
        edge = _edge(parts, sources, destinations)
        if edge is not None:
            yield edge


def _anyone(bounds: Bounds) -> Bounds:
    one = IntervalSet.of(0)
    return Bounds(
        bounds.must.to_some(bounds.must.peers() & REAL, one), bounds.may.to_some(bounds.may.peers() & REAL, one)
    )


def kinds_of(engine: Engine) -> list[list[Endpoint]]:
    """Endpoints in classes.

    Same filters, groups, subnets and flags, with addresses that every address set of the graph treats alike.
    """
    borders = _borders(engine.graph)
    named = {one.balancer for one in engine.graph.forwardings} | {
        target for one in engine.graph.forwardings for target in one.targets
    }
    kinds: dict[Hashable, list[Endpoint]] = defaultdict(list)
    for endpoint in engine.graph.endpoints.values():
        spots = engine.resolved.spots[endpoint.id]
        key = (
            endpoint.id if endpoint.id in named else None,
            endpoint.groups,
            bool(endpoint.groups_open),
            endpoint.layers,
            endpoint.network,
            endpoint.initiates,
            endpoint.accepts,
            endpoint.exists,
            tuple(_spot_kind(spot, borders) for spot in spots),
        )
        kinds[key].append(endpoint)
    return list(kinds.values())


def _spot_kind(spot: Spot, borders: list[int]) -> Hashable:
    cell: Hashable = bisect_right(borders, spot.shown.first), spot.within if spot.shown.first >= SYMBOLIC else None
    public: Hashable = None
    if spot.public and not spot.itself_public:
        first = spot.public.first
        public = bisect_right(borders, first) if first < SYMBOLIC else "unknown"
    rest = None
    if spot.address is not None:
        rest = replace(spot.address, place=0, within=EMPTY, public=None)
    return cell, public, spot.public_exists, rest


def _borders(graph: RuleGraph) -> list[int]:
    """Where any address set of the graph begins or ends."""
    points: set[int] = set()

    def add(sets: Iterable[IntervalSet | None]) -> None:
        for one in sets:
            for low, high in one.pairs if one is not None else ():
                points.add(low)
                points.add(high + 1)

    for one in graph.filters.values():
        for rule in one.rules:
            for peer in (*rule.peers, *(rule.local or ())):
                if isinstance(peer, Addresses):
                    add([peer.addresses])
                elif isinstance(peer, UnknownPeer):
                    add([peer.may])
    for listed in graph.address_lists.values():
        add([listed.must, listed.may])
    for network in graph.networks.values():
        add([network.prefixes, network.prefixes_may])
    for subnet in graph.subnets.values():
        add([subnet.prefixes, subnet.prefixes_may])
    for table in graph.route_tables.values():
        for route in table.routes:
            add([route.destinations, route.destinations_may])
    for platform in graph.platform:
        add([platform.addresses])
    return sorted(points)


class _Index:
    """Which kinds of endpoints can be senders at all.

    Those at places that the receiver's own filters pass, or that may use a public address.
    """

    def __init__(self, engine: Engine, leaders: list[Endpoint]) -> None:
        self._engine = engine
        self._leaders = leaders
        rows: list[tuple[int, int]] = []
        self._public: list[int] = []
        self._names: dict[str, int] = {}
        for at, leader in enumerate(leaders):
            spots = engine.resolved.spots[leader.id]
            rows += [(spot.places.first, at) for spot in spots]
            if any(spot.public_exists is not False or spot.subnet is not None for spot in spots):
                self._public.append(at)
        rows.sort()
        self._places = [place for place, _ in rows]
        self._who = [at for _, at in rows]
        self._loose = [at for at, leader in enumerate(leaders) if self._translated(leader)]

    def senders(self, at: int) -> list[int]:
        """The kinds whose packets may get through the receiver's own filters, in order."""
        passed = EMPTY
        reachable_publicly = False
        for spot in self._engine.resolved.spots[self._leaders[at].id]:
            views = self._engine.endpoint_views(spot, Direction.INGRESS, True, False)
            mine: TrafficSet | None = None
            for view in views:
                here = view.passes.may | view.bypass.may
                mine = here if mine is None else mine & here if not view.bypass.may else mine | here
            passed = passed | (REAL | IntervalSet.span(SYMBOLIC, SYMBOLIC + 2**32) if mine is None else mine.peers())
            reachable_publicly = reachable_publicly or (
                spot.public_exists is not False
                and not passed.isdisjoint(PUBLIC | self._engine.resolved.reachable(PUBLIC)[0])
            )
        found: set[int] = set()
        for low, high in passed.pairs:
            start = bisect_right(self._places, low - 1)
            end = bisect_right(self._places, high)
            found.update(self._who[start:end])
        if reachable_publicly:
            found.update(self._public)
        found.update(self._loose)  # behind a NAT gateway, filters see another address
        return sorted(found)

    def _translated(self, leader: Endpoint) -> bool:
        """Whether private traffic of this endpoint may be translated on the way."""
        from lint.graph.topology import Via

        for spot in self._engine.resolved.spots[leader.id]:
            if spot.subnet is None or spot.subnet.route_table is None:
                continue
            for share in self._engine.shares(spot.subnet.route_table) or ():
                if share.route is not None and share.route.via is Via.NAT and share.may & REAL - PUBLIC:
                    return not _default_only(share.may)
        return False


def _default_only(may: IntervalSet) -> bool:
    """Whether a NAT route is the default route of a subnet: private networks have longer ones."""
    return may >= PUBLIC & REAL
