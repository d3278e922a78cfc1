"""A way and its marks, and what all ways ask: which routes a subnet has, whether two spots share a subnet.

Knows no rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lint.graph.rules import Direction
from lint.graph.topology import Route, Subnet, Via
from lint.origin import Origin, Reason
from lint.reach.engine import Engine
from lint.reach.resolved import Spot
from lint.reach.routes import Share
from lint.space.addresses import IPV4, IPV6, REAL, address_text, cidrs
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES


@dataclass(frozen=True, slots=True)
class Mark:
    """One component of a way: a route, a peering, a gateway. `passes` None: it isn't certain."""

    layer: str
    id: str
    name: str
    passes: bool | None
    sentence: str
    origin: Origin | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Border:
    """A subnet that the way leads through: its stateless layers count.

    `remote`: "source" or "destination" of the packet. `translated`: the packet has the gateway's source port here.
    `source`: the source's places as seen here (None: its own).
    """

    subnet: Subnet
    direction: Direction
    remote: str
    source: IntervalSet | None = None
    translated: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One way to some of the destinations: to `must` certainly, to `may` at most.

    `passes` False: it ends at its last mark. `seen`: the places as which the far end sees the source (None: its own).
    `references_out`, `references_in`: whether rules at the source and at the destination may name groups of the other
    side. `gateway`: the NAT gateway that replies go back to.
    """

    must: IntervalSet
    may: IntervalSet
    passes: bool | None = True
    marks: tuple[Mark, ...] = ()
    borders: tuple[Border, ...] = ()
    seen: IntervalSet | None = None
    services: IntervalSet = ALL_SERVICES
    services_may: IntervalSet = ALL_SERVICES
    translated: bool = False
    references_out: bool | None = True
    references_in: bool | None = True
    gateway: Spot | None = None
    routed: bool = True  # False: the graph has no routing layer here
    reasons: tuple[Reason, ...] = ()

    def then(self, passes: bool | None, mark: Mark | None = None, **changes: Any) -> Way:
        """The same way, one component longer. What is uncertain or blocked stays so."""
        joined: bool | None
        if self.passes is False or passes is False:
            joined = False
        else:
            joined = None if self.passes is None or passes is None else True
        marks = self.marks if mark is None else (*self.marks, mark)
        reasons = self.reasons if mark is None or passes is not None else self.reasons + mark.reasons
        return replace(self, passes=joined, marks=marks, reasons=reasons, **changes)


@dataclass(slots=True)
class Trip:
    """What stays the same while one packet's way is followed."""

    engine: Engine
    source: Spot
    destination: Spot
    explained: bool = True
    hubs: int = 0
    seen_tables: set[str] = field(default_factory=set)


def same_subnet(a: Spot, b: Spot) -> bool | None:
    """Whether two spots are certainly, possibly (None) or certainly not in one subnet."""
    if a.subnet is not None and b.subnet is not None:
        return a.subnet.id == b.subnet.id
    one, other = (a, b) if a.subnet is not None else (b, a)
    if one.subnet is None:
        return None
    if other.network is not None and other.network != one.subnet.network:
        return False
    prefixes = one.subnet.prefixes if one.subnet.prefixes_may is None else one.subnet.prefixes_may
    if not prefixes:
        return None
    return False if other.within.isdisjoint(prefixes) else None


def straight(a: Spot, b: Spot) -> bool:
    """Whether traffic between two spots certainly stays in a subnet whose routes have no say there."""
    return a.subnet is not None and not a.subnet.routes_inside and same_subnet(a, b) is True


def place_text(engine: Engine, spot: Spot) -> str:
    """`10.0.1.5`, or the name of the party where its address isn't known."""
    shown = spot.shown & REAL
    if shown.size == 1:
        return address_text(shown.first)
    if spot.endpoint is not None and spot.places.size == 1:
        return spot.endpoint.name or spot.endpoint.id
    few = cidrs(shown) if 0 < len(shown.pairs) <= 2 else []
    return ", ".join(few) if 0 < len(few) <= 2 else spot.text or "an unknown address"


def shares_of(engine: Engine, subnet: Subnet | None) -> tuple[Share, ...] | None:
    """The routes of a subnet; None where the graph has no routing layer for it."""
    if subnet is None or (subnet.route_table is None and not subnet.route_table_open):
        return None
    found = engine.shares(subnet.route_table) if subnet.route_table is not None else None
    if found is None or subnet.route_table_open:
        reasons = subnet.route_table_open or (Reason(f"the source doesn't show route table {subnet.route_table}"),)
        unseen = Route(EMPTY, Via.UNKNOWN, subnet.origin, "a route that isn't known", reasons=reasons)
        return (Share(unseen, EMPTY, IPV4 | IPV6 | engine.resolved.reachable(REAL)[1]),)
    return found


def shares_at(
    engine: Engine, shares: tuple[Share, ...], destination: Spot, here: IntervalSet, network: str | None
) -> Iterator[Share]:
    """The routes that `here` takes. A known machine of the same network is local unless a longer route may catch it."""
    if (
        network is not None
        and destination.network == network
        and destination.endpoint is not None
        and destination.within.size > 1
    ):
        local = next((one for one in shares if one.route is not None and one.route.via is Via.LOCAL), None)
        if local is not None:
            catching = [
                one
                for one in shares
                if one.route is not None
                and one.route.via in (Via.NAT, Via.APPLIANCE, Via.DROP, Via.UNKNOWN)
                and not one.may.isdisjoint(here)
                and not _is_default(one.route)
            ]
            yield Share(local.route, EMPTY if catching else here, here)
            for one in catching:
                yield Share(one.route, EMPTY, one.may & here)
            return
    for share in shares:
        may = share.may & here
        if may:
            yield Share(share.route, share.must & here, may)


def _is_default(route: Route) -> bool:
    """Whether a route covers a whole family and nothing more specific: it is never longer than the local one."""
    whole = [family for family in (IPV4, IPV6) if family <= route.destinations]
    return bool(whole) and route.destinations_may is None and route.destinations == IntervalSet.union_of(whole)


def references_between(engine: Engine, first: str | None, second: str | None) -> bool | None:
    """Whether group references hold between two networks whose routes the graph doesn't show."""
    if first is None or second is None or first == second:
        return True
    for peering in engine.graph.peerings.values():
        if {peering.first, peering.second} == {first, second}:
            if not peering.group_references:
                return False
            return True if peering.active else None
    return None


def pending_peering(engine: Engine, first: str | None, second: str | None) -> Mark | None:
    """The peering that alone joins two networks and may not be active."""
    joining = [
        one
        for one in engine.graph.peerings.values()
        if {one.first, one.second} == {first, second} and one.active is not False
    ]
    if not joining or any(one.active for one in joining):
        return None
    one = joining[0]
    name = one.name or one.id
    return Mark("peering", one.id, name, None, f"peering {name} may be active", one.origin, one.reasons)


def missing(way: Way, layer: str, target: str) -> Way:
    """The way on through something that the source doesn't hold: nothing is certain from here."""
    reason = Reason(f"what {target or 'the gateway'} does isn't in the source", f"graph.{layer}-missing:{target}")
    mark = Mark(layer, target, target, None, reason.text, None, (reason,))
    return way.then(None, mark, references_out=None, references_in=None)


def no_route(engine: Engine, subnet: Subnet, destination: Spot) -> Mark:
    """That a subnet's table leads nowhere near the destination."""
    name = table_name(engine, subnet)
    known = engine.graph.route_tables.get(subnet.route_table or "")
    sentence = f"{name} has no route to {place_text(engine, destination)}"
    return Mark("route", subnet.route_table or "", name, False, sentence, known.origin if known else subnet.origin)


def table_name(engine: Engine, subnet: Subnet) -> str:
    """A subnet's route table, for people."""
    known = engine.graph.route_tables.get(subnet.route_table or "")
    name = (known.name or known.id) if known else (subnet.route_table or "")
    return f"route table {name}" if name else f"the route table of subnet {subnet.name}"


def target_text(route: Route) -> str:
    """Where a route leads, for people."""
    words = {
        Via.LOCAL: "its own network",
        Via.INTERNET: "the Internet gateway",
        Via.EGRESS_ONLY: "the egress-only gateway",
        Via.NAT: "NAT gateway",
        Via.PEERING: "peering",
        Via.TRANSIT: "transit gateway",
        Via.SERVICE: "service endpoint",
        Via.DROP: "nowhere",
        Via.APPLIANCE: "appliance",
        Via.EXTERNAL: "external gateway",
        Via.UNKNOWN: "a target that isn't known",
    }[route.via]
    return f"{words} {route.target}" if route.target else words


def unsure(mark: Mark, route: Route, subnet: Subnet, engine: Engine) -> Mark:
    """The mark of a route whose effect isn't modelled, with the reason."""
    reasons = route.reasons or (
        Reason(
            f"{target_text(route)} isn't modelled (route {route.text})",
            f"graph.route.{route.via.value}:{route.target}",
            route.origin,
        ),
    )
    sentence = (
        f"route {route.text} of {table_name(engine, subnet)} leads to {target_text(route)}, whose rules aren't judged"
    )
    return replace(mark, passes=None, sentence=sentence, reasons=reasons)
