"""Gives a source that says nothing of routes those of the other one: what nobody wrote down doesn't differ.

Code of machines and groups alone lets traffic take any way, so every route table of an account would close something.
"""

from __future__ import annotations

from dataclasses import replace

from lint.graph.graph import RuleGraph
from lint.graph.topology import RouteTable, Subnet, Via


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
