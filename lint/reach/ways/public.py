"""Ways over public addresses, out of a network and into one. Knows no rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lint.graph.rules import Direction
from lint.graph.topology import Subnet, Via
from lint.origin import Reason
from lint.reach.engine import Engine
from lint.reach.resolved import PUBLIC_IPV4, PUBLIC_IPV6, Spot
from lint.reach.ways.private import alike, attachment_subnets, enter_nat, nat_services
from lint.reach.ways.way import (
    Border,
    Mark,
    Trip,
    Way,
    missing,
    no_route,
    place_text,
    shares_at,
    shares_of,
    table_name,
    target_text,
    unsure,
)
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import WITH_PORTS


def public_ways_out(engine: Engine, source: Spot, destination: Spot) -> list[Way]:
    """The ways from one spot to public places; `destination` is the party as the Internet knows it."""
    here = destination.places
    trip = Trip(engine, source, destination)
    return list(_out(trip, source, source.subnet, here, Way(here, here, references_out=False, references_in=False)))


def _out(trip: Trip, source: Spot, subnet: Subnet | None, here: IntervalSet, way: Way) -> Iterator[Way]:
    engine, destination = trip.engine, trip.destination
    shares = shares_of(engine, subnet)
    if shares is None or subnet is None:
        yield way.then(True, routed=False, seen=source.public or _anybody(destination))
        return
    for share in shares_at(engine, shares, destination, here, None):
        part = replace(way, must=way.must & share.must, may=way.may & share.may)
        route = share.route
        if route is None:
            yield part.then(False, no_route(engine, subnet, destination))
            continue
        name = table_name(engine, subnet)
        sentence = f"route {route.text} of {name} takes it to {target_text(route)}"
        mark = Mark("route", subnet.route_table or "", name, True, sentence, route.origin)
        if route.via is Via.INTERNET:
            yield from _by_internet_gateway(trip, source, subnet, part.then(True, mark))
        elif route.via is Via.EGRESS_ONLY:
            if not source.itself_public or (
                not subnet.internet_block_open and subnet.internet_block == "bidirectional"
            ):
                sentence = f"{target_text(route)} carries IPv6 alone" if not source.itself_public else _blocked(subnet)
                yield part.then(True, mark).then(
                    False,
                    Mark("egress_only_gateway", route.target or "", target_text(route), False, sentence, route.origin),
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
                None, unsure(mark, route, subnet, engine), seen=source.public | source.places | _anybody(destination)
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


def _by_internet_gateway(trip: Trip, source: Spot, subnet: Subnet, way: Way) -> Iterator[Way]:
    """Out by an Internet gateway: with the machine's own public address, or whatever the subnet lends it."""
    block = _block_mark(subnet)
    if block is not None:
        way = way.then(block.passes, block)
    lender = trip.engine.graph.nat_gateways.get(subnet.egress_gateway or "")
    if lender is not None:
        # The subnet's NAT gateway comes before the machine's own address, for what it carries.
        carried = enter_nat(trip.engine, subnet, lender, way)
        yield replace(carried, seen=trip.engine.resolved.nat_public[lender.id])
        rest = way.services - nat_services(lender)
        if source.public_exists is not False and rest:
            reason = Reason(
                f"{lender.name or lender.id} doesn't carry it, and whether the machine's own public address does "
                "isn't documented"
            )
            mark = Mark("public_address", source.text, source.text, None, reason.text, None, (reason,))
            yield replace(way.then(None, mark, seen=source.public), services=EMPTY, services_may=rest)
        return
    if subnet.egress_gateway is not None:
        yield missing(way, "nat_gateway", subnet.egress_gateway)
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


def _out_by_nat(trip: Trip, source: Spot, subnet: Subnet, target: str, way: Way) -> Iterator[Way]:
    engine, destination = trip.engine, trip.destination
    gateway = engine.graph.nat_gateways.get(target)
    if gateway is None or way.gateway is not None:
        yield missing(way, "nat_gateway", target)
        return
    inside = enter_nat(engine, subnet, gateway, way)
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
    shares = shares_of(engine, spot.subnet)
    if shares is None or spot.subnet is None:
        yield replace(inside, seen=public)
        return
    for share in shares_at(engine, shares, destination, destination.places, None):
        part = replace(inside, must=inside.must & share.must, may=inside.may & share.may)
        route = share.route
        if route is None:
            yield part.then(False, no_route(engine, spot.subnet, destination))
            continue
        name = table_name(engine, spot.subnet)
        sentence = f"route {route.text} of {name} takes it to {target_text(route)}"
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
            yield part.then(None, unsure(mark, route, spot.subnet, engine), seen=public | _anybody(destination))
        else:
            sentence = f"route {route.text} of {name} takes it to {target_text(route)}, not to the Internet"
            yield part.then(False, replace(mark, passes=False, sentence=sentence, reasons=route.reasons))


def _out_by_transit(
    trip: Trip, source: Spot, subnet: Subnet, target: str, here: IntervalSet, way: Way
) -> Iterator[Way]:
    """Central egress: by a hub into another network, and out there by its NAT gateway."""
    engine = trip.engine
    hub = engine.graph.transit_gateways.get(target)
    mine = [one for one in hub.attachments if one.kind == "vpc" and one.network == source.network] if hub else []
    if hub is None or not mine or mine[0].table is None:
        yield missing(way, "transit_gateway", target)
        return
    name = hub.name or hub.id
    near, state = attachment_subnets(engine, mine[0], subnet)
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
    for share in shares_at(engine, shares, trip.destination, here, None):
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
        if out is None or out.kind != "vpc" or out.available is not True or not exits or not alike(engine, exits):
            yield missing(part, "transit_gateway", route.target or route.text)
            continue
        part = replace(part, borders=(*part.borders, Border(exits[0], Direction.EGRESS, "destination")))
        for inner in shares_at(engine, shares_of(engine, exits[0]) or (), trip.destination, here, None):
            leg = replace(part, must=part.must & inner.must, may=part.may & inner.may)
            if inner.route is not None and inner.route.via is Via.NAT:
                yield from _out_by_nat(trip, source, exits[0], inner.route.target or "", leg)
            elif inner.route is not None and inner.route.via in (Via.APPLIANCE, Via.UNKNOWN, Via.EXTERNAL, Via.TRANSIT):
                yield missing(leg, "transit_gateway", inner.route.target or inner.route.text)
            else:
                yield leg.then(False, no_route(engine, exits[0], trip.destination))


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
    shares = shares_of(engine, subnet)
    if shares is None or subnet is None:
        return [replace(start, routed=False)]
    block = _block_mark(subnet)
    if block is not None:
        start = start.then(block.passes, block)
    found = []
    for share in shares_at(engine, shares, seen, seen.places, None):
        part = replace(start, must=share.must, may=share.may)
        route = share.route
        if route is not None and route.via is Via.SERVICE and not share.must:
            continue  # a service of the cloud starts no connection: whoever does isn't one
        if route is None:
            found.append(part.then(False, no_route(engine, subnet, seen)))
            continue
        name = table_name(engine, subnet)
        mark = Mark(
            "route",
            subnet.route_table or "",
            name,
            True,
            f"route {route.text} of {name} leads to {target_text(route)}",
            route.origin,
        )
        if route.via is Via.INTERNET or (route.via is Via.APPLIANCE and route.transparent):
            found.append(part.then(True, mark))
        elif route.via in (Via.APPLIANCE, Via.EXTERNAL, Via.UNKNOWN):
            found.append(part.then(None, unsure(mark, route, subnet, engine)))
        else:
            sentence = f"{name} has no route to an Internet gateway for {place_text(engine, seen)}"
            found.append(part.then(False, replace(mark, passes=False, sentence=sentence, reasons=route.reasons)))
    return found
