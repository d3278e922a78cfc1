"""What people call endpoints and addresses in a finding, and the lanes that a report shows. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lint.graph.endpoints import Address, Endpoint
from lint.graph.graph import RuleGraph
from lint.space.addresses import IPV4, IPV6, REAL, SYMBOLIC, address_text, cidrs
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import render
from lint.verdict.finding import Lane

MOST_LANES = 10_000


class Names:
    """The names of one graph's endpoints and places."""

    def __init__(self, graph: RuleGraph) -> None:
        self._label: dict[str, str] = {}
        self._holder: dict[int, str] = {}
        taken: dict[str, str] = {}
        for endpoint in graph.endpoints.values():
            label = endpoint.origin.address or endpoint.id
            if taken.setdefault(label, endpoint.id) != endpoint.id:
                label = endpoint.id
            self._label[endpoint.id] = label
        for endpoint in graph.endpoints.values():
            for address in endpoint.addresses:
                for place in (address.place, address.public):
                    if place is not None and place >= SYMBOLIC:
                        self._holder.setdefault(place, self._label[endpoint.id])
        for gateway in graph.nat_gateways.values():
            for low, high in gateway.public.pairs:
                if low >= SYMBOLIC and low == high:
                    self._holder.setdefault(low, gateway.name or gateway.id)

    def endpoint(self, endpoint: Endpoint) -> str:
        """The Terraform address where there is one that is its alone, else its id."""
        return self._label[endpoint.id]

    def shown(self, endpoint: Endpoint) -> str:
        """What a person would call it: in an account the name with the short id, in code the address."""
        label = self._label[endpoint.id]
        if endpoint.origin.address is not None or not endpoint.name or endpoint.name == label:
            return label
        return endpoint.name if "/" in label else f"{endpoint.name} {label}"

    def place(self, place: int) -> str | None:
        """Whose symbolic place this is, or None where nobody of the graph has it."""
        return self._holder.get(place)

    def held(self) -> IntervalSet:
        """Every symbolic place that somebody of the graph has."""
        return IntervalSet((place, place) for place in self._holder)

    def sides(self, places: IntervalSet) -> Iterator[tuple[str | None, str | None]]:
        """(CIDR, None) for real addresses, (None, name) for symbolic places that somebody has."""
        for cidr in cidrs(places):
            yield cidr, None
        names: dict[str, None] = {}  # a machine of several addresses is one party
        for low, high in (places - REAL).pairs:
            if high - low > len(self._holder):
                names.update((self._holder[p], None) for p in sorted(p for p in self._holder if low <= p <= high))
            else:
                names.update((self._holder[p], None) for p in range(low, high + 1) if p in self._holder)
        for name in names:
            yield None, name

    def target(self, endpoint: Endpoint, places: IntervalSet | None = None) -> tuple[str | None, str | None]:
        """The endpoint as the other side of a lane: its address of the family of `places`, else its name."""
        address = of_family(endpoint, places)
        if address is None or address.place >= SYMBOLIC:
            return None, self.endpoint(endpoint)
        return cidrs(IntervalSet.of(address.place))[0], None


def of_family(endpoint: Endpoint, places: IntervalSet | None) -> Address | None:
    """The endpoint's first address, of the family that the places have if it has one of that family."""
    if places is not None and places:
        family = 6 if places.isdisjoint(IPV4) and not places.isdisjoint(IPV6) else 4
        for address in endpoint.addresses:
            if address.family == family:
                return address
    return endpoint.addresses[0] if endpoint.addresses else None


def known_addresses(endpoints: Iterable[Endpoint]) -> IntervalSet:
    """The private addresses of these endpoints that are known."""
    found = [(a.place, a.place) for e in endpoints for a in e.addresses if a.place < SYMBOLIC]
    return IntervalSet(found) if found else EMPTY


def single_cidrs(places: IntervalSet, most: int = 1024) -> tuple[str, ...]:
    """Each address of a small set as a CIDR of its own; a large one by the fewest CIDRs."""
    if places.size <= most:
        return tuple(
            f"{address_text(place)}/{32 if place in IPV4 else 128}"
            for low, high in places.pairs
            for place in range(low, high + 1)
            if place < SYMBOLIC
        )
    return tuple(cidrs(places))


def lanes_into(names: Names, sources: IntervalSet, services: IntervalSet, target: Endpoint) -> Iterator[Lane]:
    """Lanes from these places to an endpoint."""
    for family in (sources & IPV4, sources & IPV6, sources - REAL):
        if not family:
            continue
        destination, destination_name = names.target(target, family)
        for source, source_name in names.sides(family):
            for service in render(services):
                yield Lane(source, destination, service, source_name, destination_name)


def lanes_out(names: Names, source: Endpoint, services: IntervalSet, targets: IntervalSet) -> Iterator[Lane]:
    """Lanes from an endpoint to these places."""
    for family in (targets & IPV4, targets & IPV6, targets - REAL):
        if not family:
            continue
        origin, origin_name = names.target(source, family)
        for destination, destination_name in names.sides(family):
            for service in render(services):
                yield Lane(origin, destination, service, origin_name, destination_name)
