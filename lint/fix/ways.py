"""The routes that a missing flow lacks, where it is plain which way they lead; else what a person has to decide.

Knows no file and no command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lint.fix.changes import AddRoute
from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.topology import NatGateway, Via
from lint.space.addresses import IPV4, IPV6, PRIVATE, cidrs, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.verdict.finding import Blocker, Finding, Side

_MOST = 8  # routes in one fix


@dataclass(frozen=True, slots=True)
class Lacking:
    """A table without a way: from which network, to which networks (none: plain addresses), to which addresses."""

    table: str
    network: str
    machines: tuple[Endpoint, ...]  # those of the finding that are in this network
    far: tuple[Endpoint, ...]
    addresses: IntervalSet  # of the far side, where it is no machine


def lacking(finding: Finding, blocker: Blocker, graph: RuleGraph, named: Mapping[str, Endpoint]) -> Lacking | None:
    """What the table that blocks doesn't lead to; None where it isn't the table of either side's network."""
    networks = {subnet.network for subnet in graph.subnets.values() if subnet.route_table == blocker.filter}
    if blocker.filter not in graph.route_tables or len(networks) != 1:
        return None
    network = networks.pop()
    for near, far in ((finding.source, finding.destination), (finding.destination, finding.source)):
        machines, others = _machines(near, named), _machines(far, named)
        inside = bool(machines) and all(one.network == network for one in machines)
        if inside and not any(one.network == network for one in others):
            return Lacking(blocker.filter, network, machines, others, _written(far))
    return None


def missing_routes(
    finding: Finding, blocker: Blocker, graph: RuleGraph, named: Mapping[str, Endpoint]
) -> Iterator[AddRoute]:
    """The routes that would lead there, if there is exactly one thing that does."""
    lack = lacking(finding, blocker, graph, named)
    if lack is None:
        return
    if not lack.far:
        yield from _outward(lack, graph)
        return
    for network in dict.fromkeys(one.network for one in lack.far if one.network is not None):
        targets = links(lack.network, network, graph)
        if len(targets) != 1:
            continue
        via, target = targets[0]
        machines = [one for one in lack.far if one.network == network]
        families = _families(machines) & _families(lack.machines)
        whole = graph.networks[network].prefixes & families if network in graph.networks else EMPTY
        subnets = {address.subnet or "" for one in machines for address in one.addresses}
        parts = IntervalSet.union_of(graph.subnets[name].prefixes for name in subnets if name in graph.subnets)
        parts = parts & families
        if whole and len(cidrs(whole)) <= _MOST:
            yield AddRoute(lack.table, whole, via, target, network)
        if parts and parts != whole and parts.size < 2**112 and len(cidrs(parts)) <= _MOST:
            yield AddRoute(lack.table, parts, via, target)


def links(network: str, other: str, graph: RuleGraph) -> list[tuple[Via, str]]:
    """What could carry traffic between two networks: peerings of theirs that aren't down, hubs that both hang on."""
    found = [
        (Via.PEERING, one.id)
        for one in graph.peerings.values()
        if {one.first, one.second} == {network, other} and one.active is not False
    ]
    for hub in graph.transit_gateways.values():
        attached = {one.network for one in hub.attachments if one.kind == "vpc" and one.available is not False}
        if {network, other} <= attached:
            found.append((Via.TRANSIT, hub.id))
    return found


def _outward(lack: Lacking, graph: RuleGraph) -> Iterator[AddRoute]:
    public = lack.addresses - PRIVATE
    if not public or len(cidrs(public)) > _MOST:
        return
    if any(route.via is Via.INTERNET and route.target is None for route in graph.route_tables[lack.table].routes):
        yield AddRoute(lack.table, public, Via.INTERNET, None)  # Azure: no gateway has to be there
    for via, targets in exits(lack, graph):
        if len(targets) == 1:
            yield AddRoute(lack.table, public, via, targets[0])


def exits(lack: Lacking, graph: RuleGraph) -> list[tuple[Via, list[str]]]:
    """The ways to the Internet that a network has, for machines with public addresses and for those without."""
    known = graph.networks.get(lack.network)
    internet = list(known.internet_gateways) if known is not None else []
    nat = [one.id for one in _gateways(lack, graph)]
    return [(Via.INTERNET, internet), (Via.NAT, nat)]


def _gateways(lack: Lacking, graph: RuleGraph) -> list[NatGateway]:
    """The NAT gateways of the network that aren't private; those of the table's own zone where there are such."""
    zones = {one.zone for one in graph.subnets.values() if one.route_table == lack.table}
    here, near = [], []
    for one in graph.nat_gateways.values():
        subnet = graph.subnets.get(one.subnet or "")
        if one.internet is False or subnet is None or subnet.network != lack.network:
            continue
        here.append(one)
        if subnet.zone in zones:
            near.append(one)
    return near or here


def _machines(side: Side, named: Mapping[str, Endpoint]) -> tuple[Endpoint, ...]:
    return tuple(named[name] for name in side.endpoints if name in named)


def _written(side: Side) -> IntervalSet:
    return IntervalSet.union_of(parse_cidr(text) for text in side.addresses)


def _families(machines: Sequence[Endpoint]) -> IntervalSet:
    own = {address.family for one in machines for address in one.addresses}
    return IntervalSet.union_of(space for family, space in ((4, IPV4), (6, IPV6)) if family in own)
