"""Ways: where routes, gateways, peerings and hubs take a packet, judged without the filters of its two ends.

Knows no rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lint.graph.rules import Direction
from lint.graph.topology import NatGateway, Peering, Route, Subnet, TransitAttachment, TransitGateway, Via
from lint.origin import Origin, Reason
from lint.reach.engine import Engine
from lint.reach.resolved import PUBLIC_IPV4, PUBLIC_IPV6, Spot
from lint.reach.routes import Share
from lint.space.addresses import IPV4, IPV6, REAL, address_text, cidrs
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES, ICMP, TCP, UDP, WITH_PORTS, protocol

_MOST_HUBS = 4  # transit gateways in a row


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
class _Trip:
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


def private_ways(engine: Engine, source: Spot, destination: Spot, *, explained: bool = True) -> list[Way]:
    """The ways from one spot to the private places of another. Without `explained`, blocked ones may lack a reason."""
    here = destination.places
    if straight(source, destination):
        return [Way(here, here, routed=False)]
    trip = _Trip(engine, source, destination, explained)
    return list(_from_subnet(trip, source.subnet, source.network, here, Way(here, here)))


def _from_subnet(trip: _Trip, subnet: Subnet | None, network: str | None, here: IntervalSet, way: Way) -> Iterator[Way]:
    """Follows the routes of a subnet to the destination's private places."""
    engine = trip.engine
    shares = _shares(engine, subnet)
    destination = trip.destination
    if shares is None:
        linked = _linked(engine, network, destination.network)
        pending = _pending(engine, network, destination.network)
        if pending is not None:
            yield way.then(None, pending, references_out=linked, references_in=linked)
        else:
            yield way.then(True, routed=False, references_out=linked, references_in=linked)
        return
    assert subnet is not None
    for share in _at(trip.engine, shares, destination, here, network):
        route = share.route
        if not trip.explained and _astray(engine, network, route, destination):
            yield Way(EMPTY, way.may & share.may, False)
            continue
        part = replace(way, must=way.must & share.must, may=way.may & share.may)
        if route is None:
            yield part.then(False, _no_route(engine, subnet, destination))
        else:
            yield from _along(trip, subnet, network, route, here, part)


def _astray(engine: Engine, network: str | None, route: Route | None, destination: Spot) -> bool:
    """Whether a route certainly leads elsewhere, seen at a glance: most routes between networks that nothing joins."""
    if route is None or route.via in (Via.DROP, Via.INTERNET, Via.EGRESS_ONLY, Via.SERVICE):
        return True
    if destination.network is None or network is None:
        return False
    if route.via is Via.LOCAL:
        return destination.network != network
    peering = engine.graph.peerings.get(route.target or "") if route.via is Via.PEERING else None
    return peering is not None and other_side(peering, network) != destination.network


def _along(
    trip: _Trip, subnet: Subnet, network: str | None, route: Route, here: IntervalSet, way: Way
) -> Iterator[Way]:
    engine, destination = trip.engine, trip.destination
    table = subnet.route_table or ""
    where = place_text(engine, destination)
    mark = Mark(
        "route",
        table,
        _table_name(engine, subnet),
        True,
        f"route {route.text} of {_table_name(engine, subnet)} takes it to {_target(route)}",
        route.origin,
    )
    via = route.via
    if via is Via.LOCAL:
        inside = destination.network is None or network is None or destination.network == network
        if inside:
            yield way.then(True, mark)
        else:
            sentence = f"route {route.text} of {_table_name(engine, subnet)} keeps {where} inside its own network"
            yield way.then(False, replace(mark, passes=False, sentence=sentence, reasons=route.reasons))
    elif via is Via.PEERING:
        yield _peered(engine, subnet, network, route, destination, way.then(True, mark))
    elif via is Via.TRANSIT:
        yield from _transit(trip, subnet, network, route.target or "", here, way.then(True, mark))
    elif via is Via.NAT:
        yield from _through_nat(trip, subnet, route, here, way.then(True, mark))
    elif via is Via.APPLIANCE and route.transparent:
        yield way.then(True, mark, references_out=None, references_in=None)
    elif via in (Via.APPLIANCE, Via.EXTERNAL, Via.UNKNOWN):
        yield way.then(None, _unsure(mark, route, subnet, engine), references_out=None, references_in=None)
    else:
        why = {
            Via.DROP: "drops it",
            Via.INTERNET: "leads to the Internet, which carries no private addresses",
            Via.EGRESS_ONLY: "leads to the Internet, which carries no private addresses",
            Via.SERVICE: "leads to a service of the cloud",
        }[via]
        sentence = f"route {route.text} of {_table_name(engine, subnet)} {why}, so {where} isn't reached"
        yield way.then(False, replace(mark, passes=False, sentence=sentence, reasons=route.reasons))


def _peered(engine: Engine, subnet: Subnet, network: str | None, route: Route, destination: Spot, way: Way) -> Way:
    peering = engine.graph.peerings.get(route.target or "")
    if peering is None:
        reason = Reason(f"the source doesn't show {route.target or 'the peering'}", "graph.peering-missing")
        mark = Mark("peering", route.target or "", route.target or "", None, reason.text, route.origin, (reason,))
        return way.then(None, mark, references_out=None, references_in=None)
    name = peering.name or peering.id
    other = other_side(peering, network)
    if other is None or (destination.network is not None and destination.network != other):
        sentence = f"peering {name} leads to another network and isn't transitive"
        return way.then(False, Mark("peering", peering.id, name, False, sentence, peering.origin))
    if not _linked_subnets(peering, network, subnet, destination):
        sentence = f"peering {name} doesn't link these two subnets"
        return way.then(False, Mark("peering", peering.id, name, False, sentence, peering.origin))
    state = peering.active if destination.network is not None or peering.active is False else None
    words = {True: "is active", False: "is not active", None: "may be active"}[state]
    references = (True if peering.active else None) if peering.group_references else False
    return way.then(
        state,
        Mark("peering", peering.id, name, state, f"peering {name} {words}", peering.origin, peering.reasons),
        references_out=references,
        references_in=references,
    )


def other_side(peering: Peering, network: str | None) -> str | None:
    """The network on the other end of a peering."""
    if network == peering.first:
        return peering.second
    return peering.first if network == peering.second else None


def _linked_subnets(peering: Peering, network: str | None, subnet: Subnet, destination: Spot) -> bool:
    near, far = peering.first_subnets, peering.second_subnets
    if network != peering.first:
        near, far = far, near
    if near is not None and subnet.id not in near:
        return False
    return far is None or destination.subnet is None or destination.subnet.id in far


def _transit(
    trip: _Trip, subnet: Subnet, network: str | None, target: str, here: IntervalSet, way: Way
) -> Iterator[Way]:
    """From a subnet into a hub by its network's attachment."""
    hub = trip.engine.graph.transit_gateways.get(target)
    if hub is None:
        yield _missing(way, "transit_gateway", target)
        return
    name = hub.name or hub.id
    mine = [one for one in hub.attachments if one.kind == "vpc" and one.network == network]
    if not mine:
        sentence = f"transit gateway {name} has no attachment of this network"
        yield way.then(False, Mark("transit_gateway", hub.id, name, False, sentence, hub.origin))
        return
    attachment = mine[0]
    near, state = _attachment_subnets(trip.engine, attachment, subnet)
    if attachment.available is False or state is False:
        why = "isn't available" if attachment.available is False else f"has no subnet in the zone of {subnet.name}"
        sentence = f"the attachment {attachment.id} of transit gateway {name} {why}"
        yield way.then(False, Mark("transit_gateway", hub.id, name, False, sentence, attachment.origin))
        return
    if state is None or attachment.available is None:
        sentence = f"the attachment {attachment.id} of transit gateway {name} may not carry this traffic"
        reasons = attachment.reasons or (Reason(sentence, "graph.transit-zone"),)
        way = way.then(None, Mark("transit_gateway", hub.id, name, None, sentence, attachment.origin, reasons))
    borders = tuple(Border(one, Direction.INGRESS, "source", way.seen) for one in near)
    references = hub.group_references if attachment.group_references else attachment.group_references
    yield from _in_hub(
        trip, hub, attachment, here, replace(way, borders=way.borders + borders), references, subnet.zone
    )


def _attachment_subnets(
    engine: Engine, attachment: TransitAttachment, subnet: Subnet | None
) -> tuple[list[Subnet], bool | None]:
    """The attachment's subnets in a subnet's zone, and whether the attachment certainly serves that zone."""
    known = [engine.graph.subnets[name] for name in attachment.subnets if name in engine.graph.subnets]
    if subnet is None or not attachment.subnets:
        return known, None
    if any(one.id == subnet.id for one in known):
        return [one for one in known if one.id == subnet.id], True
    if subnet.zone is None or len(known) < len(attachment.subnets) or any(one.zone is None for one in known):
        return known, None
    near = [one for one in known if one.zone == subnet.zone]
    return near, bool(near)


def _in_hub(
    trip: _Trip,
    hub: TransitGateway,
    attachment: TransitAttachment,
    here: IntervalSet,
    way: Way,
    references: bool | None,
    zone: str | None,
) -> Iterator[Way]:
    """Looks the destination up in the table of the attachment that the packet came in by."""
    engine, destination = trip.engine, trip.destination
    name = hub.name or hub.id
    if attachment.table is None:
        sentence = f"the attachment {attachment.id} has no route table in transit gateway {name}"
        yield way.then(False, Mark("transit_gateway", hub.id, name, False, sentence, attachment.origin))
        return
    shares = engine.shares(attachment.table)
    if shares is None:
        yield _missing(way, "transit_gateway", attachment.table)
        return
    trip.hubs += 1
    where = place_text(engine, destination)
    for share in _at(engine, shares, destination, here, None):
        part = replace(way, must=way.must & share.must, may=way.may & share.may)
        route = share.route
        if route is None or route.via is Via.DROP:
            why = "has no route to" if route is None else "drops what goes to"
            sentence = f"{attachment.table} of transit gateway {name} {why} {where}"
            yield part.then(False, Mark("transit_gateway", hub.id, name, False, sentence, hub.origin))
            continue
        out = next((one for one in hub.attachments if one.id == route.target), None)
        if out is None or route.via not in (Via.TRANSIT, Via.LOCAL, Via.PEERING):
            reason = route.reasons or (
                Reason(f"what lies behind {route.target or route.text} isn't modelled", f"graph.hub:{hub.id}"),
            )
            sentence = f"{attachment.table} of transit gateway {name} sends {where} to {route.target or route.text}"
            yield part.then(None, Mark("transit_gateway", hub.id, name, None, sentence, hub.origin, reason))
            continue
        mark = Mark(
            "transit_gateway",
            hub.id,
            name,
            True,
            f"transit gateway {name} forwards {route.text} to {out.id}",
            out.origin,
        )
        yield from _out_of_hub(trip, hub, out, here, part.then(True, mark), references, zone)


def _out_of_hub(
    trip: _Trip,
    hub: TransitGateway,
    out: TransitAttachment,
    here: IntervalSet,
    way: Way,
    references: bool | None,
    zone: str | None,
) -> Iterator[Way]:
    engine, destination = trip.engine, trip.destination
    name = hub.name or hub.id
    if out.available is False:
        sentence = f"the attachment {out.id} of transit gateway {name} isn't available"
        yield way.then(False, Mark("transit_gateway", hub.id, name, False, sentence, out.origin))
        return
    if out.available is None:
        sentence = f"the attachment {out.id} of transit gateway {name} may not be available"
        way = way.then(None, Mark("transit_gateway", hub.id, name, None, sentence, out.origin, out.reasons))
    if out.kind == "peering":
        other = engine.graph.transit_gateways.get(out.peer or "")
        mirror = None if other is None else next((one for one in other.attachments if one.id == out.id), None)
        if other is None or mirror is None or trip.hubs >= _MOST_HUBS:
            yield _missing(way, "transit_gateway", out.peer or out.id)
            return
        yield from _in_hub(trip, other, mirror, here, way, False, None)
        return
    if out.kind != "vpc":
        reason = Reason(f"what lies behind {out.id} ({out.kind}) isn't modelled", f"graph.external:{out.kind}")
        mark = Mark("transit_gateway", hub.id, name, None, reason.text, out.origin, (reason,))
        yield way.then(None, mark, references_out=False, references_in=None)
        return
    if destination.network is not None and out.network != destination.network:
        sentence = f"transit gateway {name} sends it to {out.network}, where {place_text(engine, destination)} isn't"
        yield way.then(False, Mark("transit_gateway", hub.id, name, False, sentence, out.origin))
        return
    both: bool | None = False
    if references is not False and out.group_references is not False:
        both = True if references and out.group_references else None
    way = replace(way, references_out=False, references_in=both)
    known = [engine.graph.subnets[one] for one in out.subnets if one in engine.graph.subnets]
    near = [one for one in known if zone is not None and one.zone == zone] or known
    if not near:
        yield way
        return
    sure = len(near) == 1
    for one in near:
        # Which of several attachment subnets carries it depends on the zones; each must deliver for it to be certain.
        part = way if sure else replace(way, must=way.must if _alike(engine, near) else EMPTY)
        if destination.subnet is None or destination.subnet.id != one.id:
            part = replace(part, borders=(*part.borders, Border(one, Direction.EGRESS, "destination", way.seen)))
            yield from _from_subnet_local(trip, one, out.network, here, part)
        else:
            yield part
        if _alike(engine, near):
            return


def _alike(engine: Engine, subnets: list[Subnet]) -> bool:
    """Whether all have the same table and the same filters."""
    return len({(one.route_table, one.layers) for one in subnets}) == 1


def _from_subnet_local(trip: _Trip, subnet: Subnet, network: str | None, here: IntervalSet, way: Way) -> Iterator[Way]:
    """From an attachment's subnet to the destination in the same network."""
    shares = _shares(trip.engine, subnet)
    if shares is None:
        yield way
        return
    for share in _at(trip.engine, shares, trip.destination, here, network):
        part = replace(way, must=way.must & share.must, may=way.may & share.may)
        route = share.route
        if route is not None and route.via is Via.LOCAL:
            yield part
        elif route is not None and route.via in (Via.APPLIANCE, Via.UNKNOWN, Via.EXTERNAL):
            mark = Mark("route", subnet.route_table or "", _table_name(trip.engine, subnet), True, "", route.origin)
            yield part.then(None, _unsure(mark, route, subnet, trip.engine), references_in=None)
        else:
            yield part.then(False, _no_route(trip.engine, subnet, trip.destination))


def nat_spot(engine: Engine, gateway: NatGateway) -> Spot:
    """The NAT gateway as a spot: what is behind it sees its private address."""
    private = engine.resolved.nat_private[gateway.id]
    public = engine.resolved.nat_public[gateway.id]
    subnet = engine.graph.subnets.get(gateway.subnet) if gateway.subnet is not None else None
    return Spot(
        None,
        None,
        private,
        private,
        engine.resolved.within(private.first),
        subnet,
        subnet.network if subnet is not None else None,
        public,
        gateway.internet,
        gateway.reasons,
        text=gateway.name or gateway.id,
    )


def _nat_services(gateway: NatGateway) -> IntervalSet:
    found = protocol(TCP) | protocol(UDP)
    return found | protocol(ICMP) if gateway.icmp else found


def _enter_nat(engine: Engine, subnet: Subnet, gateway: NatGateway, way: Way) -> Way:
    """Into a NAT gateway and out of it: its subnet's border on both sides, its address and port from here on."""
    spot = nat_spot(engine, gateway)
    name = gateway.name or gateway.id
    borders: tuple[Border, ...] = ()
    if spot.subnet is not None:
        if spot.subnet.id != subnet.id:
            borders += (Border(spot.subnet, Direction.INGRESS, "source", way.seen),)
        borders += (Border(spot.subnet, Direction.EGRESS, "destination", None, True),)
    mark = Mark("nat_gateway", gateway.id, name, True, f"NAT gateway {name} translates the source", gateway.origin)
    return way.then(
        True,
        mark,
        borders=way.borders + borders,
        seen=spot.places,
        services=way.services & _nat_services(gateway),
        services_may=way.services_may & _nat_services(gateway),
        translated=True,
        references_out=False,
        references_in=False,
        gateway=spot,
    )


def _through_nat(trip: _Trip, subnet: Subnet, route: Route, here: IntervalSet, way: Way) -> Iterator[Way]:
    gateway = trip.engine.graph.nat_gateways.get(route.target or "")
    if gateway is None or way.gateway is not None:
        yield _missing(way, "nat_gateway", route.target or "")
        return
    inside = _enter_nat(trip.engine, subnet, gateway, way)
    spot = inside.gateway
    assert spot is not None
    if same_subnet(spot, trip.destination):
        borders = tuple(one for one in inside.borders if not one.translated)
        yield replace(inside, borders=borders)
        return
    for found in _from_subnet(trip, spot.subnet, spot.network, here, inside):
        yield replace(found, references_out=False, references_in=False)


def public_ways_out(engine: Engine, source: Spot, destination: Spot) -> list[Way]:
    """The ways from one spot to public places; `destination` is the party as the Internet knows it."""
    here = destination.places
    trip = _Trip(engine, source, destination)
    return list(_out(trip, source, source.subnet, here, Way(here, here, references_out=False, references_in=False)))


def _out(trip: _Trip, source: Spot, subnet: Subnet | None, here: IntervalSet, way: Way) -> Iterator[Way]:
    engine, destination = trip.engine, trip.destination
    shares = _shares(engine, subnet)
    if shares is None or subnet is None:
        yield way.then(True, routed=False, seen=source.public or _anybody(destination))
        return
    for share in _at(engine, shares, destination, here, None):
        part = replace(way, must=way.must & share.must, may=way.may & share.may)
        route = share.route
        if route is None:
            yield part.then(False, _no_route(engine, subnet, destination))
            continue
        name = _table_name(engine, subnet)
        sentence = f"route {route.text} of {name} takes it to {_target(route)}"
        mark = Mark("route", subnet.route_table or "", name, True, sentence, route.origin)
        if route.via is Via.INTERNET:
            yield from _by_internet_gateway(trip, source, subnet, part.then(True, mark))
        elif route.via is Via.EGRESS_ONLY:
            if not source.itself_public or (
                not subnet.internet_block_open and subnet.internet_block == "bidirectional"
            ):
                sentence = f"{_target(route)} carries IPv6 alone" if not source.itself_public else _blocked(subnet)
                yield part.then(True, mark).then(
                    False,
                    Mark("egress_only_gateway", route.target or "", _target(route), False, sentence, route.origin),
                )
            else:
                certain = None if subnet.internet_block_open else True
                yield part.then(
                    certain, replace(mark, passes=certain, reasons=subnet.internet_block_open), seen=source.public
                )
        elif route.via is Via.NAT:
            yield from _out_by_nat(trip, source, subnet, route.target or "", part.then(True, mark))
        elif route.via is Via.TRANSIT:
            yield from _out_by_transit(trip, source, subnet, route.target or "", here, part.then(True, mark))
        elif route.via is Via.SERVICE:
            if destination.endpoint is not None:
                sentence = f"route {route.text} of {name} leads to a service of the cloud"
                yield part.then(False, replace(mark, passes=False, sentence=sentence, reasons=route.reasons))
            else:
                yield part.then(True, mark, seen=source.places)
        elif route.via is Via.APPLIANCE and route.transparent:
            yield part.then(True, mark, seen=source.public or _anybody(destination))
        elif route.via in (Via.APPLIANCE, Via.EXTERNAL, Via.UNKNOWN):
            yield part.then(
                None, _unsure(mark, route, subnet, engine), seen=source.public | source.places | _anybody(destination)
            )
        else:
            why = {
                Via.DROP: "drops it",
                Via.LOCAL: "keeps it inside the network",
                Via.PEERING: "leads into a peered network, which doesn't carry it on",
            }[route.via]
            sentence = f"route {route.text} of {name} {why}"
            yield part.then(False, replace(mark, passes=False, sentence=sentence, reasons=route.reasons))


def _anybody(destination: Spot) -> IntervalSet:
    return PUBLIC_IPV6 if 4 not in destination.families else PUBLIC_IPV4


def _blocked(subnet: Subnet) -> str:
    return f"traffic with the Internet is blocked for subnet {subnet.name} ({subnet.internet_block})"


def _by_internet_gateway(trip: _Trip, source: Spot, subnet: Subnet, way: Way) -> Iterator[Way]:
    """Out by an Internet gateway: with the machine's own public address, or whatever the subnet lends it."""
    block = _block_mark(subnet)
    if block is not None:
        way = way.then(block.passes, block)
    lender = trip.engine.graph.nat_gateways.get(subnet.egress_gateway or "")
    if lender is not None:
        # The subnet's NAT gateway comes before the machine's own address, for what it carries.
        carried = _enter_nat(trip.engine, subnet, lender, way)
        yield replace(carried, seen=trip.engine.resolved.nat_public[lender.id])
        rest = way.services - _nat_services(lender)
        if source.public_exists is not False and rest:
            reason = Reason(
                f"{lender.name or lender.id} doesn't carry it, and whether the machine's own public address does "
                "isn't documented"
            )
            mark = Mark("public_address", source.text, source.text, None, reason.text, None, (reason,))
            yield replace(way.then(None, mark, seen=source.public), services=EMPTY, services_may=rest)
        return
    if subnet.egress_gateway is not None:
        yield _missing(way, "nat_gateway", subnet.egress_gateway)
        return
    who = place_text(trip.engine, source)
    if source.public_exists:
        mark = Mark("public_address", who, who, True, f"{who} has a public address")
        yield way.then(True, mark, seen=source.public)
    elif source.public_exists is None:
        sentence = f"it isn't known whether {who} has a public address"
        reasons = source.public_reasons or (Reason(sentence),)
        yield way.then(
            None,
            Mark("public_address", who, who, None, sentence, None, reasons),
            seen=source.public | (_anybody(trip.destination) if subnet.default_egress is not False else EMPTY),
        )
    elif _lends(source) is not False:
        lent = _lends(source)
        sentence = f"a load balancer {'lends' if lent else 'may lend'} {who} a public address"
        way = replace(way, services=way.services & WITH_PORTS, services_may=way.services_may & WITH_PORTS)
        reasons = () if lent else (Reason(sentence),)
        mark = Mark("public_address", who, who, lent, sentence, subnet.origin, reasons)
        yield way.then(lent, mark, seen=_anybody(trip.destination))
    elif subnet.default_egress is False or not _has_default(source):
        sentence = f"{who} has no public address, and route {subnet.route_table} leads to an Internet gateway"
        reasons = subnet.default_egress_reasons
        yield way.then(False, Mark("public_address", who, who, False, sentence, subnet.origin, reasons))
    else:
        sentence = f"subnet {subnet.name} gives machines without a public address a way out"
        mark = Mark(
            "public_address", who, who, subnet.default_egress, sentence, subnet.origin, subnet.default_egress_reasons
        )
        yield way.then(subnet.default_egress, mark, seen=_anybody(trip.destination))


def _lends(source: Spot) -> bool | None:
    """Whether a balancer gives the source a way out by its outbound rules."""
    return source.address.lent_egress if source.address is not None else False


def _has_default(source: Spot) -> bool:
    """Whether the default egress of its subnet is for the source."""
    return source.address.default_egress if source.address is not None else True


def _block_mark(subnet: Subnet) -> Mark | None:
    if subnet.internet_block_open:
        sentence = f"it isn't known whether traffic with the Internet is blocked for subnet {subnet.name}"
        return Mark("internet_block", subnet.id, subnet.name, None, sentence, subnet.origin, subnet.internet_block_open)
    if subnet.internet_block:
        return Mark("internet_block", subnet.id, subnet.name, False, _blocked(subnet), subnet.origin)
    return None


def _out_by_nat(trip: _Trip, source: Spot, subnet: Subnet, target: str, way: Way) -> Iterator[Way]:
    engine, destination = trip.engine, trip.destination
    gateway = engine.graph.nat_gateways.get(target)
    if gateway is None or way.gateway is not None:
        yield _missing(way, "nat_gateway", target)
        return
    inside = _enter_nat(engine, subnet, gateway, way)
    spot = inside.gateway
    assert spot is not None
    if gateway.internet is False:
        sentence = f"NAT gateway {spot.text} is private: the Internet gateway drops what it sends"
        yield inside.then(False, Mark("nat_gateway", gateway.id, spot.text, False, sentence, gateway.origin))
        return
    if gateway.internet is None:
        mark = Mark("nat_gateway", gateway.id, spot.text, None, "it may be private", gateway.origin, gateway.reasons)
        inside = inside.then(None, mark)
    public = engine.resolved.nat_public[gateway.id]
    shares = _shares(engine, spot.subnet)
    if shares is None or spot.subnet is None:
        yield replace(inside, seen=public)
        return
    for share in _at(engine, shares, destination, destination.places, None):
        part = replace(inside, must=inside.must & share.must, may=inside.may & share.may)
        route = share.route
        if route is None:
            yield part.then(False, _no_route(engine, spot.subnet, destination))
            continue
        name = _table_name(engine, spot.subnet)
        sentence = f"route {route.text} of {name} takes it to {_target(route)}"
        mark = Mark("route", spot.subnet.route_table or "", name, True, sentence, route.origin)
        if route.via is Via.INTERNET:
            blocked = spot.subnet.internet_block == "bidirectional"
            if spot.subnet.internet_block_open:
                yield part.then(None, _block_mark(spot.subnet), seen=public)
            elif blocked:
                yield part.then(False, _block_mark(spot.subnet))
            else:
                yield part.then(True, mark, seen=public)
        elif route.via in (Via.APPLIANCE, Via.EXTERNAL, Via.UNKNOWN, Via.TRANSIT):
            yield part.then(None, _unsure(mark, route, spot.subnet, engine), seen=public | _anybody(destination))
        else:
            sentence = f"route {route.text} of {name} takes it to {_target(route)}, not to the Internet"
            yield part.then(False, replace(mark, passes=False, sentence=sentence, reasons=route.reasons))


def _out_by_transit(
    trip: _Trip, source: Spot, subnet: Subnet, target: str, here: IntervalSet, way: Way
) -> Iterator[Way]:
    """Central egress: by a hub into another network, and out there by its NAT gateway."""
    engine = trip.engine
    hub = engine.graph.transit_gateways.get(target)
    mine = [one for one in hub.attachments if one.kind == "vpc" and one.network == source.network] if hub else []
    if hub is None or not mine or mine[0].table is None:
        yield _missing(way, "transit_gateway", target)
        return
    name = hub.name or hub.id
    near, state = _attachment_subnets(engine, mine[0], subnet)
    shares = engine.shares(mine[0].table)
    if shares is None or state is False or mine[0].available is False:
        sentence = f"transit gateway {name} doesn't take traffic of subnet {subnet.name}"
        yield way.then(
            None if shares is None else False,
            Mark("transit_gateway", hub.id, name, None if shares is None else False, sentence, hub.origin),
        )
        return
    sure = True if state and mine[0].available else None
    way = replace(way, borders=way.borders + tuple(Border(one, Direction.INGRESS, "source") for one in near))
    for share in _at(engine, shares, trip.destination, here, None):
        part = replace(way, must=way.must & share.must, may=way.may & share.may)
        route = share.route
        out = None if route is None else next((one for one in hub.attachments if one.id == route.target), None)
        if route is None or route.via is Via.DROP:
            sentence = f"{mine[0].table} of transit gateway {name} has no way to the Internet"
            yield part.then(False, Mark("transit_gateway", hub.id, name, False, sentence, hub.origin))
            continue
        mark = Mark(
            "transit_gateway",
            hub.id,
            name,
            sure,
            f"transit gateway {name} forwards {route.text}",
            hub.origin,
            mine[0].reasons,
        )
        part = part.then(sure, mark)
        exits = [engine.graph.subnets[one] for one in out.subnets if one in engine.graph.subnets] if out else []
        if out is None or out.kind != "vpc" or out.available is not True or not exits or not _alike(engine, exits):
            yield _missing(part, "transit_gateway", route.target or route.text)
            continue
        part = replace(part, borders=(*part.borders, Border(exits[0], Direction.EGRESS, "destination")))
        for inner in _at(engine, _shares(engine, exits[0]) or (), trip.destination, here, None):
            leg = replace(part, must=part.must & inner.must, may=part.may & inner.may)
            if inner.route is not None and inner.route.via is Via.NAT:
                yield from _out_by_nat(trip, source, exits[0], inner.route.target or "", leg)
            elif inner.route is not None and inner.route.via in (Via.APPLIANCE, Via.UNKNOWN, Via.EXTERNAL, Via.TRANSIT):
                yield _missing(leg, "transit_gateway", inner.route.target or inner.route.text)
            else:
                yield leg.then(False, _no_route(engine, exits[0], trip.destination))


def public_way_in(engine: Engine, destination: Spot, seen: Spot) -> list[Way]:
    """How the Internet's packets (from `seen`) arrive at a spot.

    Its public address, and the route of its subnet back to them. The ways' `must` and `may` are parts of `seen`, not of
    the destination.
    """
    who = place_text(engine, destination)
    start = Way(seen.places, seen.places, references_in=False, references_out=False)
    if destination.public_exists is False:
        mark = Mark("public_address", who, who, False, f"{who} has no public address")
        return [start.then(False, mark)]
    exists = destination.public_exists
    sentence = f"{who} has a public address" if exists else f"it isn't known whether {who} has a public address"
    reasons = destination.public_reasons or ((Reason(sentence),) if exists is None else ())
    start = start.then(exists, Mark("public_address", who, who, exists, sentence, None, reasons))
    subnet = destination.subnet
    shares = _shares(engine, subnet)
    if shares is None or subnet is None:
        return [replace(start, routed=False)]
    block = _block_mark(subnet)
    if block is not None:
        start = start.then(block.passes, block)
    found = []
    for share in _at(engine, shares, seen, seen.places, None):
        part = replace(start, must=share.must, may=share.may)
        route = share.route
        if route is not None and route.via is Via.SERVICE and not share.must:
            continue  # a service of the cloud starts no connection: whoever does isn't one
        if route is None:
            found.append(part.then(False, _no_route(engine, subnet, seen)))
            continue
        name = _table_name(engine, subnet)
        mark = Mark(
            "route",
            subnet.route_table or "",
            name,
            True,
            f"route {route.text} of {name} leads to {_target(route)}",
            route.origin,
        )
        if route.via is Via.INTERNET or (route.via is Via.APPLIANCE and route.transparent):
            found.append(part.then(True, mark))
        elif route.via in (Via.APPLIANCE, Via.EXTERNAL, Via.UNKNOWN):
            found.append(part.then(None, _unsure(mark, route, subnet, engine)))
        else:
            sentence = f"{name} has no route to an Internet gateway for {place_text(engine, seen)}"
            found.append(part.then(False, replace(mark, passes=False, sentence=sentence, reasons=route.reasons)))
    return found


def _shares(engine: Engine, subnet: Subnet | None) -> tuple[Share, ...] | None:
    """The routes of a subnet; None where the graph has no routing layer for it."""
    if subnet is None or (subnet.route_table is None and not subnet.route_table_open):
        return None
    found = engine.shares(subnet.route_table) if subnet.route_table is not None else None
    if found is None or subnet.route_table_open:
        reasons = subnet.route_table_open or (Reason(f"the source doesn't show route table {subnet.route_table}"),)
        unseen = Route(EMPTY, Via.UNKNOWN, subnet.origin, "a route that isn't known", reasons=reasons)
        return (Share(unseen, EMPTY, IPV4 | IPV6 | engine.resolved.reachable(REAL)[1]),)
    return found


def _at(
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


def _linked(engine: Engine, first: str | None, second: str | None) -> bool | None:
    """Whether group references hold between two networks whose routes the graph doesn't show."""
    if first is None or second is None or first == second:
        return True
    for peering in engine.graph.peerings.values():
        if {peering.first, peering.second} == {first, second}:
            if not peering.group_references:
                return False
            return True if peering.active else None
    return None


def _pending(engine: Engine, first: str | None, second: str | None) -> Mark | None:
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


def _missing(way: Way, layer: str, target: str) -> Way:
    reason = Reason(f"what {target or 'the gateway'} does isn't in the source", f"graph.{layer}-missing:{target}")
    mark = Mark(layer, target, target, None, reason.text, None, (reason,))
    return way.then(None, mark, references_out=None, references_in=None)


def _no_route(engine: Engine, subnet: Subnet, destination: Spot) -> Mark:
    name = _table_name(engine, subnet)
    known = engine.graph.route_tables.get(subnet.route_table or "")
    sentence = f"{name} has no route to {place_text(engine, destination)}"
    return Mark("route", subnet.route_table or "", name, False, sentence, known.origin if known else subnet.origin)


def _table_name(engine: Engine, subnet: Subnet) -> str:
    known = engine.graph.route_tables.get(subnet.route_table or "")
    name = (known.name or known.id) if known else (subnet.route_table or "")
    return f"route table {name}" if name else f"the route table of subnet {subnet.name}"


def _target(route: Route) -> str:
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


def _unsure(mark: Mark, route: Route, subnet: Subnet, engine: Engine) -> Mark:
    reasons = route.reasons or (
        Reason(
            f"{_target(route)} isn't modelled (route {route.text})",
            f"graph.route.{route.via.value}:{route.target}",
            route.origin,
        ),
    )
    sentence = (
        f"route {route.text} of {_table_name(engine, subnet)} leads to {_target(route)}, whose rules aren't judged"
    )
    return replace(mark, passes=None, sentence=sentence, reasons=reasons)
