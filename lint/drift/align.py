"""Writes two rule graphs in the same words: the same id and the same place for what is the same. Knows no traffic.

What one source knows of an address and the other doesn't is told to both: a machine whose address is known after
apply has the address that the live account shows, so no difference comes from not knowing it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lint.drift.match import Matching
from lint.graph.change import changed
from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.graph import RuleGraph
from lint.graph.places import Places
from lint.graph.rules import Addresses, Filter, GroupMembers, NamedAddresses, Peer, Rule, UnknownPeer
from lint.graph.topology import Route
from lint.space.addresses import REAL, SYMBOLIC, SYMBOLIC_END
from lint.space.intervals import IntervalSet

T = TypeVar("T")
Renames = Mapping[str, str]
_NONE: dict[str, str] = {}
_SAME = Matching(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE)


def align(old: RuleGraph, new: RuleGraph, found: Matching) -> tuple[RuleGraph, RuleGraph]:
    """Both graphs with the old one's ids and with places that mean the same."""
    places = Places()
    mine, theirs = _Side(), _Side()
    for name, other in found.endpoints.items():
        before, after = old.endpoints[other], new.endpoints[name]
        for at, (a, b) in enumerate(paired_addresses(before, after)):
            _unify(a.place, a.within, b.place, b.within, f"private {other} {at}", mine, theirs, places)
            if a.public is not None and b.public is not None:
                _unify(a.public, REAL, b.public, REAL, f"public {other} {at}", mine, theirs, places)
            elif a.public_exists is True and b.public_exists is True:
                for value, side, address in ((b.public, mine, a), (a.public, theirs, b)):
                    if value is not None and value < SYMBOLIC:
                        side.public[address.place] = value
            joined = a.within & b.within
            if joined:
                mine.within[a.place] = theirs.within[b.place] = joined
    for name, other in found.gateways.items():
        for text in ("private", "public"):
            a_points, b_points = (getattr(g, text) for g in (old.nat_gateways[other], new.nat_gateways[name]))
            if a_points.size == 1 and b_points.size == 1:
                _unify(a_points.first, REAL, b_points.first, REAL, f"{text} gateway {other}", mine, theirs, places)
    return (
        _Writer("old", _SAME, mine, places).graph(old),
        _Writer("new", found, theirs, places).graph(new),
    )


def paired_addresses(old: Endpoint, new: Endpoint) -> list[tuple[Address, Address]]:
    """The addresses of one endpoint in both sources: the same address first, the rest of each family in their order."""
    rest = {address.place: address for address in new.addresses}
    pairs: list[tuple[Address, Address]] = []
    lonely: list[Address] = []
    for address in old.addresses:
        same = rest.pop(address.place, None) if address.place < SYMBOLIC else None
        if same is not None:
            pairs.append((address, same))
        else:
            lonely.append(address)
    for address in lonely:
        other = next((each for each in rest.values() if each.family == address.family), None)
        if other is not None:
            del rest[other.place]
            pairs.append((address, other))
    return pairs


@dataclass(slots=True)
class _Side:
    """What one graph's places become."""

    places: dict[int, int]
    public: dict[int, int]  # of the address at a place, where it had none that is known
    within: dict[int, IntervalSet]

    def __init__(self) -> None:
        self.places, self.public, self.within = {}, {}, {}


def _unify(
    a: int,
    a_within: IntervalSet,
    b: int,
    b_within: IntervalSet,
    key: str,
    mine: _Side,
    theirs: _Side,
    places: Places,
) -> None:
    if a >= SYMBOLIC and b >= SYMBOLIC:
        mine.places[a] = theirs.places[b] = places.place(key)
    elif a >= SYMBOLIC and b in a_within:
        mine.places[a] = b
    elif b >= SYMBOLIC and a in b_within:
        theirs.places[b] = a


class _Writer:
    """Writes one graph anew."""

    def __init__(self, text: str, found: Matching, side: _Side, places: Places) -> None:
        self._text = text
        self._found = found
        self._side = side
        self._all = places
        self._kept: dict[IntervalSet, IntervalSet] = {}
        self._layers: dict[Layer, Layer] = {}
        self._named: set[int] = set()

    def graph(self, graph: RuleGraph) -> RuleGraph:
        """The graph in the common words."""
        f = self._found
        for endpoint in graph.endpoints.values():
            for address in endpoint.addresses:
                self._named.update(p for p in (address.place, address.public) if p is not None and p >= SYMBOLIC)
        return replace(
            graph,
            endpoints=_keyed(graph.endpoints, f.endpoints, self._endpoint),
            filters=_keyed(graph.filters, f.filters, self._filter),
            groups=_keyed(
                graph.groups,
                f.groups,
                lambda one: changed(one, id=_name(one.id, f.groups), network=self._network(one.network)),
            ),
            address_lists=_keyed(
                graph.address_lists,
                f.lists,
                lambda one: changed(
                    one,
                    id=_name(one.id, f.lists),
                    must=self._moved(one.must),
                    may=self._moved(one.may),
                    complement_of=None if one.complement_of is None else _name(one.complement_of, f.lists),
                ),
            ),
            networks=_keyed(graph.networks, f.networks, lambda one: changed(one, id=_name(one.id, f.networks))),
            subnets=_keyed(
                graph.subnets,
                f.subnets,
                lambda one: changed(
                    one,
                    id=_name(one.id, f.subnets),
                    network=self._network(one.network),
                    layers=self._own_layers(one.layers),
                    egress_gateway=None if one.egress_gateway is None else _name(one.egress_gateway, f.gateways),
                ),
            ),
            route_tables={
                key: changed(one, routes=tuple(self._route(each) for each in one.routes))
                for key, one in graph.route_tables.items()
            },
            nat_gateways=_keyed(
                graph.nat_gateways,
                f.gateways,
                lambda one: changed(
                    one,
                    id=_name(one.id, f.gateways),
                    subnet=None if one.subnet is None else _name(one.subnet, f.subnets),
                    private=self._moved(one.private),
                    public=self._moved(one.public),
                ),
            ),
            peerings={
                key: changed(
                    one,
                    first=self._network(one.first),
                    second=self._network(one.second),
                    first_subnets=self._subnets(one.first_subnets),
                    second_subnets=self._subnets(one.second_subnets),
                )
                for key, one in graph.peerings.items()
            },
            transit_gateways={
                key: changed(
                    one,
                    attachments=tuple(
                        changed(
                            each,
                            network=self._network(each.network),
                            subnets=tuple(_name(name, f.subnets) for name in each.subnets),
                        )
                        for each in one.attachments
                    ),
                )
                for key, one in graph.transit_gateways.items()
            },
            forwardings=tuple(
                changed(
                    one,
                    balancer=_name(one.balancer, f.endpoints),
                    targets=tuple(_name(name, f.endpoints) for name in one.targets),
                )
                for one in graph.forwardings
            ),
            platform=tuple(changed(one, network=self._network(one.network)) for one in graph.platform),
        )

    def _network(self, name: Any) -> Any:
        return None if name is None else _name(name, self._found.networks)

    def _subnets(self, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else tuple(_name(name, self._found.subnets) for name in names)

    def _own_layers(self, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        found = []
        for layer in layers:
            known = self._layers.get(layer)
            if known is None:
                names = tuple(_name(name, self._found.filters) for name in layer.filters)
                known = self._layers[layer] = changed(layer, filters=names)
            found.append(known)
        return tuple(found)

    def _endpoint(self, one: Endpoint) -> Endpoint:
        f = self._found
        return changed(
            one,
            id=_name(one.id, f.endpoints),
            addresses=tuple(self._address(each) for each in one.addresses),
            groups=tuple(_name(name, f.groups) for name in one.groups),
            layers=self._own_layers(one.layers),
            network=self._network(one.network),
        )

    def _address(self, one: Address) -> Address:
        place = self._place(one.place)
        public = one.public if one.public is not None else self._side.public.get(one.place)
        return changed(
            one,
            place=place,
            within=IntervalSet.of(place) if place < SYMBOLIC else self._side.within.get(one.place, one.within),
            subnet=None if one.subnet is None else _name(one.subnet, self._found.subnets),
            public=None if public is None else self._place(public),
            groups=None if one.groups is None else tuple(_name(name, self._found.groups) for name in one.groups),
        )

    def _place(self, place: int) -> int:
        if place < SYMBOLIC or place >= SYMBOLIC_END:
            return place
        found = self._side.places.get(place)
        if found is None:
            found = self._side.places[place] = self._all.place(f"{self._text} {place}")
        return found

    def _moved(self, addresses: IntervalSet) -> IntervalSet:
        if not addresses or addresses.pairs[-1][1] < SYMBOLIC:
            return addresses
        found = self._kept.get(addresses)
        if found is None:
            found = self._kept[addresses] = self._moved_now(addresses)
        return found

    def _moved_now(self, addresses: IntervalSet) -> IntervalSet:
        real = addresses & REAL
        if SYMBOLIC_END in addresses:  # all places, but for some of this source
            left_out = IntervalSet.of(*(self._place(place) for place in self._named if place not in addresses))
            return (real | IntervalSet.span(SYMBOLIC, SYMBOLIC_END)) - left_out
        points = [
            place
            for low, high in addresses.pairs
            if high >= SYMBOLIC
            for place in range(max(low, SYMBOLIC), min(high, max(low, SYMBOLIC) + 2**20) + 1)
        ]
        return real | IntervalSet.of(*(self._place(place) for place in points))

    def _peers(self, given: Iterable[Peer]) -> tuple[Peer, ...]:
        f = self._found
        out: list[Peer] = []
        for peer in given:
            if isinstance(peer, Addresses):
                peer = changed(peer, addresses=self._moved(peer.addresses))
            elif isinstance(peer, GroupMembers):
                peer = changed(peer, group=_name(peer.group, f.groups))
            elif isinstance(peer, NamedAddresses):
                peer = changed(peer, list=_name(peer.list, f.lists))
            elif isinstance(peer, UnknownPeer):
                groups = None if peer.groups is None else tuple(_name(name, f.groups) for name in peer.groups)
                peer = changed(peer, may=self._moved(peer.may), groups=groups)
            out.append(peer)
        return tuple(out)

    def _rule(self, one: Rule) -> Rule:
        return changed(one, peers=self._peers(one.peers), local=None if one.local is None else self._peers(one.local))

    def _filter(self, one: Filter) -> Filter:
        return changed(
            one,
            id=_name(one.id, self._found.filters),
            rules=tuple(self._rule(each) for each in one.rules),
            network=self._network(one.network),
        )

    def _route(self, one: Route) -> Route:
        may = one.destinations_may
        target = one.target
        return changed(
            one,
            destinations=self._moved(one.destinations),
            destinations_may=None if may is None else self._moved(may),
            target=None if target is None else _name(target, self._found.gateways),
        )


def _name(name: str, renames: Renames) -> str:
    return renames.get(name, name)


def _keyed(things: Mapping[str, T], renames: Renames, write: Callable[[T], T]) -> dict[str, T]:
    return {_name(key, renames): write(one) for key, one in things.items()}
