"""Ways to private places: by local routes, peerings, transit gateways and private NAT. Knows no rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lint.graph.rules import Direction
from lint.graph.topology import NatGateway, Peering, Route, Subnet, TransitAttachment, TransitGateway, Via
from lint.origin import Reason
from lint.reach.engine import Engine
from lint.reach.resolved import Spot
from lint.reach.ways.way import (
    Border,
    Mark,
    Trip,
    Way,
    missing,
    no_route,
    pending_peering,
    place_text,
    references_between,
    same_subnet,
    shares_at,
    shares_of,
    straight,
    table_name,
    target_text,
    unsure,
)
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ICMP, TCP, UDP, protocol

_MOST_HUBS = 4  # transit gateways in a row


def private_ways(engine: Engine, source: Spot, destination: Spot, *, explained: bool = True) -> list[Way]:
    """The ways from one spot to the private places of another. Without `explained`, blocked ones may lack a reason."""
    here = destination.places
    if straight(source, destination):
        return [Way(here, here, routed=False)]
    trip = Trip(engine, source, destination, explained)
    return list(_from_subnet(trip, source.subnet, source.network, here, Way(here, here)))


def _from_subnet(trip: Trip, subnet: Subnet | None, network: str | None, here: IntervalSet, way: Way) -> Iterator[Way]:
    """Follows the routes of a subnet to the destination's private places."""
    engine = trip.engine
    shares = shares_of(engine, subnet)
    destination = trip.destination
    if shares is None:
        held = references_between(engine, network, destination.network)
        pending = pending_peering(engine, network, destination.network)
        if pending is not None:
            yield way.then(None, pending, references_out=held, references_in=held)
        else:
            yield way.then(True, routed=False, references_out=held, references_in=held)
        return
    assert subnet is not None
    for share in shares_at(trip.engine, shares, destination, here, network):
        route = share.route
        if not trip.explained and _astray(engine, network, route, destination):
            yield Way(EMPTY, way.may & share.may, False)
            continue
        part = replace(way, must=way.must & share.must, may=way.may & share.may)
        if route is None:
            yield part.then(False, no_route(engine, subnet, destination))
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


def _along(trip: Trip, subnet: Subnet, network: str | None, route: Route, here: IntervalSet, way: Way) -> Iterator[Way]:
    engine, destination = trip.engine, trip.destination
    table = subnet.route_table or ""
    where = place_text(engine, destination)
    mark = Mark(
        "route",
        table,
        table_name(engine, subnet),
        True,
        f"route {route.text} of {table_name(engine, subnet)} takes it to {target_text(route)}",
        route.origin,
    )
    via = route.via
    if via is Via.LOCAL:
        inside = destination.network is None or network is None or destination.network == network
        if inside:
            yield way.then(True, mark)
        else:
            sentence = f"route {route.text} of {table_name(engine, subnet)} keeps {where} inside its own network"
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
        yield way.then(None, unsure(mark, route, subnet, engine), references_out=None, references_in=None)
    else:
        why = {
            Via.DROP: "drops it",
            Via.INTERNET: "leads to the Internet, which carries no private addresses",
            Via.EGRESS_ONLY: "leads to the Internet, which carries no private addresses",
            Via.SERVICE: "leads to a service of the cloud",
        }[via]
        sentence = f"route {route.text} of {table_name(engine, subnet)} {why}, so {where} isn't reached"
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
    trip: Trip, subnet: Subnet, network: str | None, target: str, here: IntervalSet, way: Way
) -> Iterator[Way]:
    """From a subnet into a hub by its network's attachment."""
    hub = trip.engine.graph.transit_gateways.get(target)
    if hub is None:
        yield missing(way, "transit_gateway", target)
        return
    name = hub.name or hub.id
    mine = [one for one in hub.attachments if one.kind == "vpc" and one.network == network]
    if not mine:
        sentence = f"transit gateway {name} has no attachment of this network"
        yield way.then(False, Mark("transit_gateway", hub.id, name, False, sentence, hub.origin))
        return
    attachment = mine[0]
    near, state = attachment_subnets(trip.engine, attachment, subnet)
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


def attachment_subnets(
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
    trip: Trip,
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
        yield missing(way, "transit_gateway", attachment.table)
        return
    trip.hubs += 1
    where = place_text(engine, destination)
    for share in shares_at(engine, shares, destination, here, None):
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
    trip: Trip,
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
            yield missing(way, "transit_gateway", out.peer or out.id)
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
        part = way if sure else replace(way, must=way.must if alike(engine, near) else EMPTY)
        if destination.subnet is None or destination.subnet.id != one.id:
            part = replace(part, borders=(*part.borders, Border(one, Direction.EGRESS, "destination", way.seen)))
            yield from _from_subnet_local(trip, one, out.network, here, part)
        else:
            yield part
        if alike(engine, near):
            return


def alike(engine: Engine, subnets: list[Subnet]) -> bool:
    """Whether all have the same table and the same filters."""
    return len({(one.route_table, one.layers) for one in subnets}) == 1


def _from_subnet_local(trip: Trip, subnet: Subnet, network: str | None, here: IntervalSet, way: Way) -> Iterator[Way]:
    """From an attachment's subnet to the destination in the same network."""
    shares = shares_of(trip.engine, subnet)
    if shares is None:
        yield way
        return
    for share in shares_at(trip.engine, shares, trip.destination, here, network):
        part = replace(way, must=way.must & share.must, may=way.may & share.may)
        route = share.route
        if route is not None and route.via is Via.LOCAL:
            yield part
        elif route is not None and route.via in (Via.APPLIANCE, Via.UNKNOWN, Via.EXTERNAL):
            mark = Mark("route", subnet.route_table or "", table_name(trip.engine, subnet), True, "", route.origin)
            yield part.then(None, unsure(mark, route, subnet, trip.engine), references_in=None)
        else:
            yield part.then(False, no_route(trip.engine, subnet, trip.destination))


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


def nat_services(gateway: NatGateway) -> IntervalSet:
    """The services that a NAT gateway translates."""
    found = protocol(TCP) | protocol(UDP)
    return found | protocol(ICMP) if gateway.icmp else found


def enter_nat(engine: Engine, subnet: Subnet, gateway: NatGateway, way: Way) -> Way:
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
        services=way.services & nat_services(gateway),
        services_may=way.services_may & nat_services(gateway),
        translated=True,
        references_out=False,
        references_in=False,
        gateway=spot,
    )


def _through_nat(trip: Trip, subnet: Subnet, route: Route, here: IntervalSet, way: Way) -> Iterator[Way]:
    gateway = trip.engine.graph.nat_gateways.get(route.target or "")
    if gateway is None or way.gateway is not None:
        yield missing(way, "nat_gateway", route.target or "")
        return
    inside = enter_nat(trip.engine, subnet, gateway, way)
    spot = inside.gateway
    assert spot is not None
    if same_subnet(spot, trip.destination):
        borders = tuple(one for one in inside.borders if not one.translated)
        yield replace(inside, borders=borders)
        return
    for found in _from_subnet(trip, spot.subnet, spot.network, here, inside):
        yield replace(found, references_out=False, references_in=False)
