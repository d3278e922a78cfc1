"""What decides an endpoint's traffic besides its rules, as keys that compare equal where nothing changed.

Knows no rules and no sets of traffic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.graph import RuleGraph
from lint.graph.topology import RouteTable, Subnet, Via
from lint.origin import Reason

_AIMLESS = (Via.LOCAL, Via.INTERNET, Via.EGRESS_ONLY, Via.DROP)
"""Ways whose target has only a name of its own: another gateway's name changes no traffic."""


class Surroundings:
    """The keys of one graph.

    Where two keys are equal (and so are the filters), the same traffic passes; where they differ, it may not.
    """

    def __init__(self, graph: RuleGraph) -> None:
        self.graph = graph
        self._forwarding: dict[str, list[Hashable]] = defaultdict(list)
        for one in graph.forwardings:
            key = (one.balancer, one.listen, one.targets, one.services, one.preserves_client)
            for name in {one.balancer, *one.targets}:
                self._forwarding[name].append(key)
        self._tables: dict[str, Hashable] = {}

    def endpoint(self, one: Endpoint, addresses: Iterable[Address]) -> Hashable:
        """An endpoint at these of its addresses."""
        return (
            frozenset(self.address(each) for each in addresses),
            frozenset(one.groups),
            bool(one.groups_open),
            _layers(one.layers),
            one.network,
            one.exists,
            one.initiates,
            one.accepts,
            one.client_ports,
            one.forwards,
            frozenset(self._forwarding.get(one.id, ())),
        )

    def address(self, one: Address) -> Hashable:
        """One address; what the Internet sees of it counts, its reasons don't."""
        return (
            one.place,
            one.within,
            one.subnet,
            one.public,
            one.public_exists,
            one.groups,
            one.lent_egress,
            one.default_egress,
        )

    def subnet(self, one: Subnet) -> Hashable:
        """A subnet with its border and its routes."""
        return self.border(one), self.routes(one), one.prefixes, one.prefixes_may, one.egress_gateway, one.zone

    def border(self, one: Subnet) -> Hashable:
        """What a subnet's own settings let out and in, besides its routes."""
        return _layers(one.layers), one.internet_block, bool(one.internet_block_open), one.default_egress

    def routes(self, one: Subnet) -> Hashable:
        """Where a subnet's traffic goes."""
        if one.route_table is None:
            return bool(one.route_table_open)
        found = self._tables.get(one.route_table)
        if found is None:
            table = self.graph.route_tables.get(one.route_table)
            found = self._tables[one.route_table] = one.route_table if table is None else _table(table)
        return found

    def networks(self) -> dict[str, Hashable]:
        """Each network with its subnets, its prefixes, and whether a machine in it carries foreign traffic."""
        subnets: dict[str, list[Hashable]] = defaultdict(list)
        for one in self.graph.subnets.values():
            subnets[one.network].append((one.id, self.subnet(one)))
        forwarding = {one.network for one in self.graph.endpoints.values() if one.forwards}
        names = {*self.graph.networks, *subnets, *(name for name in forwarding if name is not None)}
        keys: dict[str, Hashable] = {}
        for name in names:
            known = self.graph.networks.get(name)
            own = (known.prefixes, known.prefixes_may, known.ipv6_public) if known is not None else None
            keys[name] = own, frozenset(subnets[name]), name in forwarding
        return keys

    def links(self) -> Hashable:
        """Peerings, hubs, NAT gateways and the platform's own traffic: what joins networks."""
        graph = self.graph
        return (
            frozenset(
                (frozenset({(p.first, p.first_subnets), (p.second, p.second_subnets)}), p.active, p.group_references)
                for p in graph.peerings.values()
            ),
            frozenset(
                (
                    hub.group_references,
                    frozenset(
                        (
                            one.kind,
                            one.network,
                            frozenset(one.subnets),
                            one.group_references,
                            one.available,
                            self._hub_routes(one.table),
                        )
                        for one in hub.attachments
                    ),
                )
                for hub in graph.transit_gateways.values()
            ),
            frozenset(
                (one.id, one.subnet, one.private, one.public, one.internet, one.icmp)
                for one in graph.nat_gateways.values()
            ),
            frozenset((one.addresses, one.services, one.network) for one in graph.platform),
        )

    def _hub_routes(self, name: str | None) -> Hashable:
        table = self.graph.route_tables.get(name or "")
        return name if table is None else _table(table)

    def linked(self) -> dict[str, set[str]]:
        """The networks that each network may exchange traffic with."""
        found: dict[str, set[str]] = defaultdict(set)
        for peering in self.graph.peerings.values():
            found[peering.first].add(peering.second)
            found[peering.second].add(peering.first)
        hubs = {one.network for hub in self.graph.transit_gateways.values() for one in hub.attachments if one.network}
        for name in hubs:
            found[name] |= hubs
        return found


def _table(table: RouteTable) -> Hashable:
    return (
        frozenset(
            (
                one.destinations,
                one.destinations_may,
                one.via,
                None if one.via in _AIMLESS else one.target,
                one.precedence,
                one.transparent,
            )
            for one in table.routes
        ),
        texts(table.open),
    )


def _layers(layers: tuple[Layer, ...]) -> Hashable:
    return tuple(
        (one.kind, frozenset(one.filters), one.crossing, one.closed_if_empty, texts(one.open)) for one in layers
    )


def texts(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """What reasons say, to be compared."""
    return tuple(sorted({reason.text for reason in reasons}))
