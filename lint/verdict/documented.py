"""Who may reach a role by the document: the places of the documented parties, as the other side sees them. Judges
nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.topology import Subnet, Via
from lint.origin import Reason
from lint.space.addresses import IPV4, PUBLIC, SYMBOLIC
from lint.space.intervals import EMPTY, IntervalSet
from lint.verdict.bind import Bound


@dataclass(frozen=True, slots=True)
class Documented:
    """The documented peers: certainly `must`, at most `may`.

    `somewhere`: for each documented address that isn't known, where it lies; one address of each such set is
    documented, nobody knows which.
    `unbound`: documented roles to which nothing is bound.
    """

    must: IntervalSet = EMPTY
    may: IntervalSet = EMPTY
    somewhere: tuple[IntervalSet, ...] = ()
    unbound: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


NOBODY = Documented()


def documented(graph: RuleGraph, roles: Mapping[str, Bound], names: Iterable[str]) -> Documented:
    """All that is bound to these roles, with the public and translated addresses as which others see it."""
    must: list[IntervalSet] = []
    may: list[IntervalSet] = []
    somewhere: list[IntervalSet] = []
    unbound: list[str] = []
    reasons: list[Reason] = []
    for name in names:
        bound = roles[name]
        if not bound.bound:
            unbound.append(name)
            continue
        must.append(bound.must)
        may.append(bound.may)
        reasons += bound.reasons
        for endpoint in bound.everybody:
            places, unknown = places_of(graph, endpoint)
            may.append(places)
            somewhere += unknown
            if endpoint in bound.endpoints:
                must.append(places)
    return Documented(_join(must), _join(may), tuple(somewhere), tuple(unbound), tuple(dict.fromkeys(reasons)))


def places_of(graph: RuleGraph, endpoint: Endpoint) -> tuple[IntervalSet, list[IntervalSet]]:
    """All places as which others see the endpoint, and where each of its addresses lies that isn't known."""
    found: list[IntervalSet] = []
    unknown: list[IntervalSet] = []
    for address in endpoint.addresses:
        found.append(IntervalSet.of(address.place))
        if address.place >= SYMBOLIC:
            unknown.append(address.within)
        if address.public is not None:
            found.append(IntervalSet.of(address.public))
        if (address.public is None and address.public_exists is not False) or (
            address.public is not None and address.public >= SYMBOLIC
        ):
            unknown.append(PUBLIC & IPV4 if address.family == 4 else PUBLIC - IPV4)
        subnet = graph.subnets.get(address.subnet) if address.subnet is not None else None
        for gateway in _translators(graph, subnet):
            public = graph.nat_gateways[gateway].public
            found += [public, graph.nat_gateways[gateway].private]
            if public.pairs and public.pairs[-1][1] >= SYMBOLIC:
                unknown.append(PUBLIC & IPV4)
    return _join(found), unknown


def _translators(graph: RuleGraph, subnet: Subnet | None) -> list[str]:
    """The NAT gateways behind which the machines of a subnet stand."""
    if subnet is None:
        return []
    named = [subnet.egress_gateway] if subnet.egress_gateway is not None else []
    table = graph.route_tables.get(subnet.route_table) if subnet.route_table is not None else None
    if table is not None:
        named += [route.target for route in table.routes if route.via is Via.NAT and route.target is not None]
    return [name for name in dict.fromkeys(named) if name in graph.nat_gateways]


def _join(sets: Iterable[IntervalSet]) -> IntervalSet:
    return IntervalSet.union_of(sets)
