"""A rule graph with its places resolved: which integers on the address line a rule's peer stands for.

Knows no paths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lint.graph.endpoints import Address, Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Addresses, AddressList, GroupMembers, NamedAddresses, Peer, UnknownPeer
from lint.graph.topology import NatGateway, Subnet
from lint.origin import Reason
from lint.space.addresses import EVERYWHERE, IPV4, IPV6, PRIVATE, PUBLIC, REAL, SYMBOLIC, SYMBOLIC_END
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES
from lint.space.traffic import TrafficSet

# Places that the engine itself hands out start here, far behind those of any source.
_OWN = SYMBOLIC + 2**31
PUBLIC_IPV4 = PUBLIC & IPV4
PUBLIC_IPV6 = PUBLIC & IPV6

Pair = tuple[IntervalSet, IntervalSet]  # certainly, at most
NO_PAIR: Pair = (EMPTY, EMPTY)
Worlds = Mapping[str, Pair]  # address lists that are fixed to one of their readings, by id


@dataclass(frozen=True, slots=True)
class Spot:
    """Where traffic starts or ends.

    One address of an endpoint, or a stretch of addresses that nobody in the graph owns. `places` are what filters see
    of it (one place for an endpoint's address), `shown` what a result calls them. `public` are the places as which the
    Internet knows it, `public_exists` None where that isn't certain.
    """

    endpoint: Endpoint | None
    address: Address | None
    places: IntervalSet
    shown: IntervalSet
    within: IntervalSet
    subnet: Subnet | None
    network: str | None
    public: IntervalSet
    public_exists: bool | None
    public_reasons: tuple[Reason, ...] = ()
    itself_public: bool = False  # an IPv6 address that the Internet reaches as it is
    text: str = ""
    subnets: tuple[
        str, ...
    ] = ()  # of a stretch: all subnets that it covers, `subnet` being one that is like the others

    @property
    def families(self) -> frozenset[int]:
        """The families (4, 6) of its addresses."""
        found = set()
        if not self.within.isdisjoint(IPV4):
            found.add(4)
        if not self.within.isdisjoint(IPV6):
            found.add(6)
        return frozenset(found)


class Resolved:
    """The graph's places. Built once for a graph; all look-ups are kept."""

    def __init__(self, graph: RuleGraph) -> None:
        self.graph = graph
        self._next = _OWN
        self._within: dict[int, IntervalSet] = {}
        self._single: tuple[int, dict[int, IntervalSet]] = (0, {})  # of so many places, those with one address
        owners: dict[int, int] = defaultdict(int)
        for endpoint in graph.endpoints.values():
            for place in {address.place for address in endpoint.addresses}:
                owners[place] += 1
        self._owners = owners
        self._shared: list[Pair] = []  # the engine's own places of machines that share an address, and the address
        self.spots: dict[str, tuple[Spot, ...]] = {
            endpoint.id: tuple(self._spots(endpoint)) for endpoint in graph.endpoints.values()
        }
        self.nat_private: dict[str, IntervalSet] = {}
        self.nat_public: dict[str, IntervalSet] = {}
        for gateway in graph.nat_gateways.values():
            self._nat(gateway)
        self._bounds = self._by_within()
        self._members_must, self._members_may = self._members()
        self._symbolic: dict[IntervalSet, Pair] = {}
        self._literal: dict[IntervalSet, Pair] = {}
        self.at_place: dict[int, list[str]] = defaultdict(list)
        for name, spots in self.spots.items():
            for spot in spots:
                self.at_place[spot.shown.first].append(name)

    def fresh(self, within: IntervalSet) -> int:
        """A new symbolic place whose address lies in `within`."""
        place = self._next
        self._next += 1
        self._within[place] = within
        return place

    def within(self, place: int) -> IntervalSet:
        """Where the address at a place can lie: itself, for a real one."""
        return IntervalSet.of(place) if place < SYMBOLIC else self._within.get(place, REAL)

    def cover(self, places: IntervalSet) -> IntervalSet:
        """Where the addresses of the places can lie."""
        if not places or places.pairs[-1][1] < SYMBOLIC:
            return places
        return IntervalSet.union_of(
            [places & REAL, *(within for within, mine in self._bounds if not mine.isdisjoint(places))]
        )

    def addresses(self, places: IntervalSet) -> IntervalSet:
        """The real addresses that the places stand for, as far as they are known."""
        if not places or places.pairs[-1][1] < SYMBOLIC:
            return places
        if self._single[0] != len(self._within):
            single = {place: within for place, within in self._within.items() if within.size == 1}
            self._single = (len(self._within), single)
        return IntervalSet.union_of(
            [places & REAL, *(within for place, within in self._single[1].items() if place in places)]
        )

    def meant(self, places: IntervalSet) -> IntervalSet:
        """The same with the places of machines that share one of these addresses and were told apart."""
        return IntervalSet.union_of([places, *(own for own, address in self._shared if address <= places)])

    def shown(self, traffic: TrafficSet) -> TrafficSet:
        """The same with the address itself where several machines share one and were told apart."""
        shared = IntervalSet.union_of([EMPTY, *(places for places, _ in self._shared)]) & traffic.peers()
        if not shared:
            return traffic
        rest = traffic - TrafficSet.of(shared, ALL_SERVICES)
        parts = [
            traffic.restrict(places).with_peers(address)
            for places, address in self._shared
            if not places.isdisjoint(shared)
        ]
        return TrafficSet.union([rest, *parts])

    def reachable(self, addresses: IntervalSet) -> Pair:
        """The symbolic places whose address certainly, or possibly, lies in `addresses`."""
        found = self._symbolic.get(addresses)
        if found is None:
            real = addresses & REAL
            found = self._symbolic[addresses] = (
                IntervalSet.union_of(places for within, places in self._bounds if within <= real),
                IntervalSet.union_of(places for within, places in self._bounds if not within.isdisjoint(real)),
            )
        return found

    def literal(self, addresses: IntervalSet) -> Pair:
        """What literal addresses match, symbolic places included."""
        found = self._literal.get(addresses)
        if found is None:
            must, may = self.reachable(addresses)
            found = self._literal[addresses] = (addresses | must, addresses | may)
        return found

    def peer(self, peer: Peer, references: bool | None = True, worlds: Worlds | None = None) -> Pair:
        """What a rule's peer certainly and possibly matches.

        `references`: whether naming a group works on this path; None: it isn't certain.
        """
        if isinstance(peer, Addresses):
            return self.literal(peer.addresses)
        if isinstance(peer, GroupMembers):
            if references is False:
                return NO_PAIR
            must, may = self.members(peer.group)
            return (must if references else EMPTY), may
        if isinstance(peer, NamedAddresses):
            return self.named(peer.list, worlds)
        return EMPTY, self._unknown(peer, references)

    def peers(self, peers: Iterable[Peer], references: bool | None = True, worlds: Worlds | None = None) -> Pair:
        """The union of several peers."""
        pairs = [self.peer(peer, references, worlds) for peer in peers]
        if len(pairs) == 1:
            return pairs[0]
        return IntervalSet.union_of(must for must, _ in pairs), IntervalSet.union_of(may for _, may in pairs)

    def members(self, group: str) -> Pair:
        """The places of those who certainly, or possibly, carry a group."""
        if group not in self.graph.groups and group not in self._members_may:
            return EMPTY, self._hidden()  # the source doesn't show the group: anybody inside may carry it
        return self._members_must.get(group, EMPTY), self._members_may.get(group, EMPTY)

    def named(self, name: str, worlds: Worlds | None = None) -> Pair:
        """What a named list certainly and possibly holds."""
        fixed = None if worlds is None else worlds.get(name)
        if fixed is not None:
            return self.literal(fixed[0])[0], self.literal(fixed[1])[1]
        found = self.graph.address_lists.get(name)
        if found is None:
            return EMPTY, EVERYWHERE
        return self.literal(found.must)[0], self.literal(found.may)[1]

    def worlds_of(self, name: str) -> list[Worlds]:
        """The readings of a list that is decided together with its complement: one where nothing about it is unsure."""
        inner = self._inner(name)
        if inner is None or inner.must == inner.may:
            return [{}]
        outer = [one for one in self.graph.address_lists.values() if one.complement_of == inner.id]
        unsure = inner.may - inner.must
        small: dict[str, Pair] = {inner.id: (inner.must, inner.must)}
        large: dict[str, Pair] = {inner.id: (inner.may, inner.may)}
        for one in outer:
            small[one.id] = (one.must | (unsure & PUBLIC), one.may)
            large[one.id] = (one.must, one.may - inner.may)
        return [small, large]

    def _inner(self, name: str) -> AddressList | None:
        """The list of a complementary pair that the other one is written in terms of."""
        found = self.graph.address_lists.get(name)
        if found is None:
            return None
        if found.complement_of is not None:
            return self.graph.address_lists.get(found.complement_of)
        return found if any(one.complement_of == name for one in self.graph.address_lists.values()) else None

    def pair_key(self, name: str) -> str | None:
        """The id of the complementary pair that a list belongs to, None where it stands alone."""
        inner = self._inner(name)
        return None if inner is None else inner.id

    def _unknown(self, peer: UnknownPeer, references: bool | None) -> IntervalSet:
        if peer.groups is None:
            return self.literal(peer.may)[1]
        if references is False:
            return EMPTY
        return IntervalSet.union_of(self.members(group)[1] for group in peer.groups)

    def _hidden(self) -> IntervalSet:
        """Where machines can be that the source doesn't show: private addresses, and whatever its networks use."""
        return PRIVATE | IntervalSet.union_of(
            (network.prefixes if network.prefixes_may is None else network.prefixes_may) & REAL
            for network in self.graph.networks.values()
        )

    def _spots(self, endpoint: Endpoint) -> Iterable[Spot]:
        addresses: tuple[Address, ...] = endpoint.addresses
        if not addresses:
            addresses = (Address(self.fresh(IPV4), IPV4),)
        for address in addresses:
            place, within = address.place, address.within
            if place >= SYMBOLIC:
                self._within[place] = within
            elif self._owners[place] > 1:
                # Two endpoints at one address in two networks: told apart by identity, matched by CIDR alike.
                within = IntervalSet.of(place)
                place = self.fresh(within)
                self._shared.append((IntervalSet.of(place), within))
            subnet = self.graph.subnets.get(address.subnet) if address.subnet is not None else None
            network = endpoint.network or (subnet.network if subnet is not None else None)
            known = self.graph.networks.get(network) if network is not None else None
            itself = (
                address.family == 6
                and address.public is None
                and not address.public_exists
                and (known is None or known.ipv6_public)
                and (address.place >= SYMBOLIC or address.place in PUBLIC)
            )
            exists = True if itself else address.public_exists
            if itself:
                public = IntervalSet.of(place)
            elif address.public is not None:
                public, exists = IntervalSet.of(address.public), True if exists is not None else None
                if address.public >= SYMBOLIC:
                    self._within.setdefault(address.public, PUBLIC_IPV6 if address.family == 6 else PUBLIC_IPV4)
            elif exists is not False:
                public = IntervalSet.of(self.fresh(PUBLIC_IPV6 if address.family == 6 else PUBLIC_IPV4))
            else:
                public = EMPTY
            yield Spot(
                endpoint,
                address,
                IntervalSet.of(place),
                IntervalSet.of(address.place),
                within,
                subnet,
                network,
                public,
                exists,
                address.public_reasons,
                itself,
                endpoint.name or endpoint.id,
            )

    def _nat(self, gateway: NatGateway) -> None:
        subnet = self.graph.subnets.get(gateway.subnet) if gateway.subnet is not None else None
        inside = IPV4
        if subnet is not None and subnet.prefixes & IPV4:
            inside = (subnet.prefixes if subnet.prefixes_may is None else subnet.prefixes_may) & IPV4
        private = gateway.private or IntervalSet.of(self.fresh(inside))
        public = gateway.public
        if not public and gateway.internet is not False:
            public = IntervalSet.of(self.fresh(PUBLIC_IPV4))
        for places, within in ((private, inside), (public, PUBLIC_IPV4)):
            for low, high in places.pairs:
                for place in range(max(low, SYMBOLIC), min(high, low + 256) + 1):
                    self._within.setdefault(place, within)
        self.nat_private[gateway.id], self.nat_public[gateway.id] = private, public

    def _by_within(self) -> list[Pair]:
        """The distinct bounds of symbolic places, each with all its places."""
        found: dict[IntervalSet, list[tuple[int, int]]] = defaultdict(list)
        for place, within in self._within.items():
            if place < SYMBOLIC_END:
                found[within].append((place, place))
        return [(within, IntervalSet(pairs)) for within, pairs in found.items()]

    def _members(self) -> tuple[dict[str, IntervalSet], dict[str, IntervalSet]]:
        must: dict[str, list[tuple[int, int]]] = defaultdict(list)
        everyone: list[tuple[int, int]] = []  # may carry any group
        for name, spots in self.spots.items():
            endpoint = self.graph.endpoints[name]
            for spot in spots:
                here = (spot.places.first, spot.places.first)
                own = spot.address.groups if spot.address is not None else None
                for group in endpoint.groups if own is None else own:
                    must[group].append(here)
                if endpoint.groups_open:
                    everyone.append(here)
        hidden: IntervalSet | None = None
        sure = {group: IntervalSet(pairs) for group, pairs in must.items()}
        loose = IntervalSet(everyone)
        possible: dict[str, IntervalSet] = {}
        for group in {*self.graph.groups, *must}:
            found = sure.get(group, EMPTY) | loose
            known = self.graph.groups.get(group)
            if known is not None and known.open:
                hidden = self._hidden() if hidden is None else hidden
                found = found | hidden
            possible[group] = found
        return sure, possible
