"""Gives a source that says nothing of places and routes those of the other one: what nobody wrote down doesn't differ.

Code of machines and groups alone lets traffic take any way, so every route table of an account would close something.
"""

from __future__ import annotations

from dataclasses import replace

from lint.drift.align import paired_addresses
from lint.graph.endpoints import Address, Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.topology import RouteTable, Subnet, Via


def lend_places(graph: RuleGraph, other: RuleGraph) -> tuple[RuleGraph, int]:
    """The graph with its machines in the other's subnets, and how many that are; none where it has subnets of its own.

    Both are aligned. Code whose network is another project knows no subnet at all.
    """
    if graph.subnets or not other.subnets:
        return graph, 0
    endpoints: dict[str, Endpoint] = {}
    for name, one in graph.endpoints.items():
        twin = other.endpoints.get(name)
        if twin is None or twin.network is None or one.network not in (None, twin.network):
            continue
        where = {mine.place: theirs for mine, theirs in paired_addresses(one, twin)}
        addresses = tuple(_placed(mine, where.get(mine.place)) for mine in one.addresses)
        endpoints[name] = replace(one, network=twin.network, addresses=addresses)
    if not endpoints:
        return graph, 0
    border = {name for subnet in other.subnets.values() for layer in subnet.layers for name in layer.filters}
    lent = {name: one for name, one in other.filters.items() if name in border}
    return (
        replace(
            graph,
            endpoints={**graph.endpoints, **endpoints},
            filters={**lent, **graph.filters},
            networks={**other.networks, **graph.networks},
            subnets=other.subnets,
            route_tables={**other.route_tables, **graph.route_tables},
            nat_gateways={**other.nat_gateways, **graph.nat_gateways},
            peerings={**other.peerings, **graph.peerings},
            transit_gateways={**other.transit_gateways, **graph.transit_gateways},
        ),
        sum(1 for one in endpoints.values() if not one.hypothetical),
    )


def _placed(mine: Address, theirs: Address | None) -> Address:
    """An address in the subnet of its twin, with the twin's public address where its own isn't known."""
    if theirs is None:
        return mine
    if mine.public_exists is not None:
        return replace(mine, subnet=theirs.subnet)
    return replace(
        mine, subnet=theirs.subnet, public=theirs.public, public_exists=theirs.public_exists, public_reasons=()
    )


def lend_routes(graph: RuleGraph, other: RuleGraph) -> tuple[RuleGraph, int]:
    """The graph with the other's tables at subnets of both for which it has no routing layer, and at how many.

    Both are aligned. A table that names a thing which the graph doesn't know isn't lent.
    """
    subnets: dict[str, Subnet] = {}
    tables: dict[str, RouteTable] = {}
    for name, one in graph.subnets.items():
        twin = other.subnets.get(name)
        if twin is None or twin.route_table is None or one.route_table is not None or one.route_table_open:
            continue
        table = other.route_tables.get(twin.route_table)
        if table is None or not _makes_sense(table, graph):
            continue
        key = f"{twin.route_table} of the other source"
        tables[key] = replace(table, id=key)
        subnets[name] = replace(one, route_table=key)
    if not subnets:
        return graph, 0
    return (
        replace(graph, subnets={**graph.subnets, **subnets}, route_tables={**graph.route_tables, **tables}),
        len(subnets),
    )


def _makes_sense(table: RouteTable, graph: RuleGraph) -> bool:
    known = {Via.NAT: graph.nat_gateways, Via.PEERING: graph.peerings, Via.TRANSIT: graph.transit_gateways}
    return all(route.via not in known or route.target in known[route.via] for route in table.routes)
