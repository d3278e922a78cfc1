"""Route tables as exact partitions of the destinations.

Longest prefix first, unknown destinations widening what is possible. Knows no paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from lint.graph.topology import Route, RouteTable, Via
from lint.reach.resolved import Resolved
from lint.space.addresses import EVERYWHERE, IPV6_BASE, REAL
from lint.space.intervals import EMPTY, IntervalSet


@dataclass(frozen=True, slots=True)
class Share:
    """The destinations that certainly, or possibly, take a route (None: no route)."""

    route: Route | None
    must: IntervalSet
    may: IntervalSet


def compile_table(resolved: Resolved, table: RouteTable) -> tuple[Share, ...]:
    """All routes of a table with their destinations, symbolic places included."""
    entries: list[tuple[int, int, Route, IntervalSet, IntervalSet]] = []
    for route in table.routes:
        certain: list[IntervalSet] = []
        for low, high, length in prefixes(route.destinations & REAL):
            must, may = resolved.literal(IntervalSet.span(low, high))
            certain.append(must)
            entries.append((length, route.precedence, route, must, may))
        if route.destinations - REAL:  # symbolic places that the lowering itself names
            entries.append((129, route.precedence, route, route.destinations - REAL, route.destinations - REAL))
        if route.destinations_may is not None:
            unsure = resolved.literal(route.destinations_may)[1] - IntervalSet.union_of([EMPTY, *certain])
            if unsure:
                entries.append((130, 0, route, EMPTY, unsure))  # as specific as it likes
    entries.sort(key=lambda entry: (-entry[0], entry[1]))
    must_of: dict[int, list[IntervalSet]] = {}
    may_of: dict[int, list[IntervalSet]] = {}
    by_id = {id(route): route for _, _, route, _, _ in entries}
    taken = met = EMPTY  # certainly, possibly taken by a longer prefix
    for _, group in groupby(entries, key=lambda entry: (entry[0], entry[1])):
        rows = list(group)
        # Prefixes of one length are the same or disjoint: two routes for the same one have no order.
        clashes = _clashes([(id(route), may) for _, _, route, _, may in rows])
        for _, _, route, must, may in rows:
            may_of.setdefault(id(route), []).append(may - taken)
            must_of.setdefault(id(route), []).append(must - met - clashes)
        taken = IntervalSet.union_of([taken, *(must for _, _, _, must, _ in rows)])
        met = IntervalSet.union_of([met, *(may for _, _, route, must, may in rows if must or not _spares(route))])
    opened = bool(table.open)
    shares = [
        Share(route, EMPTY if opened else IntervalSet.union_of(must_of[key]), IntervalSet.union_of(may_of[key]))
        for key, route in by_id.items()
    ]
    if opened:
        unseen = Route(EMPTY, Via.UNKNOWN, table.origin, "a route that isn't shown", reasons=table.open)
        shares.append(Share(unseen, EMPTY, EVERYWHERE))
    shares.append(Share(None, EMPTY if opened else EVERYWHERE - met, EVERYWHERE - taken))
    return tuple(shares)


def _spares(route: Route) -> bool:
    """Whether a route whose destinations aren't known leaves the certainty of shorter ones alone.

    One to a service of the cloud does (S3 by a gateway endpoint): what takes it arrives as well, past the same filters,
    and the service starts no connection to which a reply could go astray.
    """
    return route.via is Via.SERVICE


def prefixes(addresses: IntervalSet) -> Iterator[tuple[int, int, int]]:
    """The CIDRs of a set of real addresses: first place, last place, prefix length.

    A host route of either family ends last.
    """
    for low, high in addresses.pairs:
        while low <= high:
            base, bits = (IPV6_BASE, 128) if low >= IPV6_BASE else (0, 32)
            last = high if base else min(high, IPV6_BASE - 1)
            offset = low - base
            width = bits if offset == 0 else (offset & -offset).bit_length() - 1
            while width and low + (1 << width) - 1 > last:
                width -= 1
            yield low, low + (1 << width) - 1, bits - width
            low += 1 << width


def _clashes(rows: list[tuple[int, IntervalSet]]) -> IntervalSet:
    """What more than one route of a group claims."""
    if len(rows) < 2:
        return EMPTY
    claimed: dict[int, list[IntervalSet]] = {}
    for key, may in rows:
        claimed.setdefault(key, []).append(may)
    if len(claimed) < 2:
        return EMPTY
    edges: list[tuple[int, int]] = []
    for parts in claimed.values():
        for low, high in IntervalSet.union_of(parts).pairs:
            edges.append((low, 1))
            edges.append((high + 1, -1))
    edges.sort()
    depth, start, out = 0, 0, []
    for at, change in edges:
        if depth > 1 and at > start:
            out.append((start, at - 1))
        depth += change
        start = at
    return IntervalSet(out)
