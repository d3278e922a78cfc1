"""Everybody else, seen from one endpoint: stretches of addresses that share their subnet's routes and borders.

Knows no rules.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import chain

from lint.graph.graph import RuleGraph
from lint.graph.topology import Subnet, Via
from lint.reach.engine import Engine
from lint.reach.resolved import Resolved, Spot
from lint.reach.ways import other_side
from lint.space.addresses import EVERYWHERE, PUBLIC, REAL
from lint.space.intervals import EMPTY, IntervalSet

_Where = tuple[str | None, str | None]  # subnet, network


class World:
    """The neighbours of endpoints of one graph."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._places: dict[_Where, IntervalSet] = {}
        found: dict[_Where, list[IntervalSet]] = defaultdict(list)
        for spots in engine.resolved.spots.values():
            for spot in spots:
                found[(spot.subnet.id if spot.subnet else None, spot.network)].append(spot.places)
        self._places = {where: IntervalSet.union_of(parts) for where, parts in found.items()}
        self._subnets: dict[str, list[Subnet]] = defaultdict(list)
        for subnet in engine.graph.subnets.values():
            self._subnets[subnet.network].append(subnet)
        self._crowds: dict[_Where, list[Spot]] = defaultdict(list)
        self._private: dict[_Where, list[Spot]] = {}
        self._outside: dict[str | None, IntervalSet] = {}
        self._exempting: dict[_Where, list[Spot]] = defaultdict(list)
        self._named = _named(engine.graph)
        self._gather(engine)
        # The Internet: addresses that anybody may have, and the public addresses that aren't known yet.
        self._internet = PUBLIC | engine.resolved.reachable(PUBLIC)[0]

    def _gather(self, engine: Engine) -> None:
        """Machines of one subnet with the same filters, together."""
        crowds: dict[object, list[Spot]] = defaultdict(list)
        for spots in engine.resolved.spots.values():
            for spot in spots:
                if spot.endpoint is None:
                    continue
                where = (spot.subnet.id if spot.subnet else None, spot.network)
                alone = spot.places if engine.asks_local(spot) else None
                one = spot.endpoint
                crowds[(where, one.layers, one.initiates, one.accepts, spot.families, alone)].append(spot)
        for members in crowds.values():
            first = members[0]
            places = IntervalSet.union_of(spot.places for spot in members)
            shown = IntervalSet.union_of(spot.shown for spot in members)
            within = IntervalSet.union_of(spot.within for spot in members)
            crowd = replace(first, places=places, shown=shown, within=within, public=EMPTY, public_exists=False)
            where = (first.subnet.id if first.subnet else None, first.network)
            self._crowds[where].append(crowd)
            if crowd.endpoint is not None and engine.exempts(crowd.endpoint):
                self._exempting[where].append(crowd)

    def machines(self, stretch: Spot) -> list[Spot]:
        """The known machines of a stretch.

        Those of one subnet with the same filters are one spot with several places.
        """
        return [crowd for where in _covered(stretch) for crowd in self._crowds.get(where, ())]

    def exempting(self, stretch: Spot) -> list[Spot]:
        """Those of them whose own filters may exempt traffic from the subnet's."""
        if not self._exempting:
            return []
        return [crowd for where in _covered(stretch) for crowd in self._exempting.get(where, ())]

    def private(self, spot: Spot) -> list[Spot]:
        """Whoever could exchange packets with a spot without the Internet, as disjoint stretches.

        Private addresses that lie nowhere come last.
        """
        where = (spot.subnet.id if spot.subnet else None, spot.network)
        known = self._private.get(where)
        if known is None:
            known = self._private[where] = self._stretches(spot)
        return known

    def _stretches(self, spot: Spot) -> list[Spot]:
        own = spot.network
        found: list[Spot] = []
        taken = EMPTY
        for network in [own, *sorted(self._linked(own))] if own is not None else []:
            for group in self._grouped(network, spot.subnet):
                known = self._subnet_spot(group, network)
                known = narrowed(self._engine.resolved, known, known.places - taken)
                taken = taken | known.places
                found.append(known)
            rest = self._places.get((None, network), EMPTY) | self._prefixes(network)
            rest = rest - taken
            # Addresses outside of every subnet cross the border of the spot's; a machine without address may not.
            for part in (rest & REAL, rest - REAL):
                if part:
                    found.append(self._stretch(part, None, network, network or ""))
            taken = taken | rest
        nowhere = self._places.get((None, None), EMPTY) - taken
        if nowhere:
            found.append(self._stretch(nowhere, None, None, "a machine whose network isn't known"))
            taken = taken | nowhere
        if not routed(spot):
            rest = EVERYWHERE - taken
            found.append(self._stretch(rest, None, None, "any address"))
        else:
            found.append(self._stretch(REAL - taken - self.internet(spot), None, None, "other private addresses"))
        return found

    def internet(self, spot: Spot) -> IntervalSet:
        """The Internet's addresses as a spot in a routed subnet knows them: without what its own networks use."""
        known = self._outside.get(spot.network)
        if known is None:
            inside = self._prefixes(spot.network)
            for network in self._linked(spot.network):
                inside = inside | self._prefixes(network)
            known = self._outside[spot.network] = self._internet - inside
        return known

    def internet_spot(self, spot: Spot) -> Spot:
        """The Internet as a party."""
        places = self.internet(spot)
        within = self._engine.resolved.cover(places)
        return Spot(None, None, places, places, within, None, None, places, True, text="the Internet")

    def _grouped(self, network: str | None, own: Subnet | None) -> list[list[Subnet]]:
        """The network's subnets, those together that have the same routes and borders; a spot's own apart."""
        groups: dict[object, list[Subnet]] = defaultdict(list)
        for subnet in self._subnets.get(network or "", []):
            mine = own is not None and subnet.id == own.id
            key = (
                mine,
                subnet.route_table,
                subnet.route_table_open,
                subnet.layers,
                subnet.zone,
                subnet.id if subnet.id in self._named else None,
            )
            groups[key].append(subnet)
        return sorted(groups.values(), key=lambda group: not (own is not None and group[0].id == own.id))

    def _subnet_spot(self, group: list[Subnet], network: str | None) -> Spot:
        places = IntervalSet.union_of(
            [one.prefixes & REAL for one in group]
            + [self._places.get((one.id, network), EMPTY) for one in group]
            + [self._places.get((one.id, one.network), EMPTY) for one in group]
        )
        found = self._stretch(places, group[0], network, group[0].name or group[0].id)
        return replace(found, subnets=tuple(one.id for one in group))

    def _stretch(self, places: IntervalSet, subnet: Subnet | None, network: str | None, text: str) -> Spot:
        within = self._engine.resolved.cover(places)
        return Spot(None, None, places, places, within, subnet, network, EMPTY, False, text=text)

    def _prefixes(self, network: str | None) -> IntervalSet:
        """All that may be a network's own."""
        known = self._engine.graph.networks.get(network or "")
        if known is None:
            return EMPTY
        may = known.prefixes if known.prefixes_may is None else known.prefixes_may
        return known.prefixes if may >= REAL else may & REAL

    def _linked(self, network: str | None) -> set[str]:
        """The networks that a peering or a hub may join to this one."""
        if network is None:
            return set()
        graph = self._engine.graph
        found = {
            other
            for peering in graph.peerings.values()
            if peering.active is not False and (other := other_side(peering, network)) is not None
        }
        hubs = {
            hub.id for hub in graph.transit_gateways.values() if any(one.network == network for one in hub.attachments)
        }
        for _ in range(4):  # hubs that peer with hubs
            for hub in list(hubs):
                known = graph.transit_gateways.get(hub)
                hubs |= {one.peer for one in known.attachments if one.peer} if known else set()
        for name in hubs:
            known = graph.transit_gateways.get(name)
            found |= {one.network for one in known.attachments if one.network} if known else set()
        return found - {network}

    def beyond(self, spot: Spot) -> IntervalSet:
        """The addresses that may send to a spot from outside of what is modelled.

        By VPN, by an appliance, by a forwarding machine.
        """
        found = EMPTY
        if spot.subnet is not None and spot.subnet.route_table is not None:
            for share in self._engine.shares(spot.subnet.route_table) or ():
                if share.route is not None and share.route.via in (
                    Via.EXTERNAL,
                    Via.UNKNOWN,
                    Via.APPLIANCE,
                    Via.TRANSIT,
                ):
                    found = found | share.may
        if spot.subnet is not None and spot.subnet.route_table_open:
            found = EVERYWHERE
        forwarding = any(
            endpoint.forwards and endpoint.network in (None, spot.network)
            for endpoint in self._engine.graph.endpoints.values()
        )
        return found | (REAL - PUBLIC) if forwarding else found


def routed(spot: Spot) -> bool:
    """Whether the graph has a routing layer where a spot is."""
    return spot.subnet is not None and (spot.subnet.route_table is not None or bool(spot.subnet.route_table_open))


def _covered(stretch: Spot) -> list[_Where]:
    """Where the machines of a stretch are."""
    return [(one, stretch.network) for one in stretch.subnets] or [(None, stretch.network)]


def narrowed(resolved: Resolved, spot: Spot, places: IntervalSet) -> Spot:
    """The same stretch, with fewer addresses."""
    return replace(spot, places=places, shown=places, within=resolved.cover(places))


def _named(graph: RuleGraph) -> frozenset[str]:
    """Subnets that something names by id: they are like no other."""
    peered = [(*(one.first_subnets or ()), *(one.second_subnets or ())) for one in graph.peerings.values()]
    attached = [one.subnets for hub in graph.transit_gateways.values() for one in hub.attachments]
    gateways = [one.subnet for one in graph.nat_gateways.values() if one.subnet is not None]
    return frozenset(chain(*peered, *attached, gateways))
