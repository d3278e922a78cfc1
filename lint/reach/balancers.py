"""Load balancers: what passes from a client through a balancer to the machines behind it. Knows no cloud.

A machine behind a balancer is asked about by the services that it has itself, whatever the balancer listens to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Direction, GroupMembers, UnknownPeer
from lint.graph.topology import Forwarding
from lint.origin import Reason
from lint.reach.answer import admitting, between, inbound, open_reasons, wanted_of
from lint.reach.engine import Engine, engine_of, with_bypasses
from lint.reach.explain import hop_of, service_text, verdict_of
from lint.reach.resolved import Spot
from lint.reach.result import Hop, Inbound, Party, Path, Reach
from lint.reach.trails import Step
from lint.reach.ways import place_text, private_ways, same_subnet
from lint.space.addresses import EVERYWHERE
from lint.space.bounds import ANYTHING, EVERYTHING, NOTHING, Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES
from lint.space.traffic import ALL_TRAFFIC, EMPTY_TRAFFIC, TrafficSet

BALANCER = "load_balancer"


@dataclass(frozen=True, slots=True)
class Leg:
    """From a balancer to a machine behind it. Peers are the clients as the balancer sees them, services the machine's.

    `delivered`: what arrives; `allowed`: what is answered too.
    """

    delivered: Bounds
    allowed: Bounds
    hops: tuple[Hop, ...] = ()
    layers: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class _Before:
    """What balancers pass on, by machine."""

    of: dict[str, list[Forwarding]]


@dataclass(frozen=True, slots=True)
class _Arrived:
    """The last answer about who arrives at a balancer."""

    listen: IntervalSet
    peers: IntervalSet | None
    found: Inbound


def with_balancers(
    graph: RuleGraph | Engine, source: Party, destination: Party, services: IntervalSet | None = None
) -> Reach:
    """What passes from one party to another, also where a client addresses a balancer before the destination.

    Each way through a balancer is a further path.
    """
    engine = engine_of(graph)
    direct = between(engine, source, destination, services)
    target = destination.endpoint
    if target is None or target == source.endpoint or not _asks_privately(engine, destination):
        return direct
    asked = ALL_SERVICES if services is None else services
    client = None if source.endpoint is None else engine.graph.endpoints[source.endpoint].client_ports
    paths = [path for one in _before(engine, target) for path in _paths(engine, source, one, target, asked, client)]
    if not paths:
        return direct
    places = direct.asked | IntervalSet.union_of(path.allowed.may.peers() for path in paths)
    allowed, wanted = direct.allowed, wanted_of(places, asked, client)
    for path in paths:
        allowed = allowed | path.allowed
    verdict = verdict_of(allowed, wanted)
    reasons = (*direct.reasons, *(r for p in paths if not p.allowed.exact for r in p.reasons))
    notes = direct.notes
    if allowed.may != direct.allowed.may:
        notes = (*notes, "a part of it passes only where the client addresses the load balancer")
    return replace(
        direct,
        allowed=allowed,
        delivered=direct.delivered | allowed,
        every=allowed,
        some=allowed,
        paths=(*direct.paths, *paths),
        layers=tuple(dict.fromkeys((*direct.layers, *(h.layer for p in paths for h in p.hops if h.direction)))),
        verdict=verdict,
        reasons=open_reasons(allowed, wanted, verdict, tuple(dict.fromkeys(reasons))),
        notes=notes,
        asked=places,
    )


def _asks_privately(engine: Engine, destination: Party) -> bool:
    """Whether the destination's private addresses are meant: no balancer leads to a public one."""
    spots = engine.resolved.spots[destination.endpoint or ""]
    return destination.addresses is None or any(not s.shown.isdisjoint(destination.addresses) for s in spots)


def _before(engine: Engine, target: str) -> list[Forwarding]:
    """What balancers pass on to a machine."""
    held = engine.memory.get("forwardings")
    if not isinstance(held, _Before):
        held = engine.memory["forwardings"] = _Before({})
        for one in engine.graph.forwardings:
            for each in one.targets if one.balancer in engine.graph.endpoints else ():
                if each != one.balancer:
                    held.of.setdefault(each, []).append(one)
    return held.of.get(target, [])


def _paths(
    engine: Engine, source: Party, one: Forwarding, target: str, asked: IntervalSet, client: IntervalSet | None
) -> Iterator[Path]:
    """The ways from a client through one balancer to one machine."""
    behind = (one.services or one.listen) & asked
    if not behind or one.balancer == source.endpoint:
        return
    listen = one.listen if one.services else behind
    front = between(engine, source, Party(one.balancer, endpoint=one.balancer), listen)
    passing = [path for path in front.paths if path.verdict != "blocked"] or list(front.paths)
    doubts = (*one.reasons, *one.conditions)
    for path in passing:
        places = path.allowed.may.peers()
        allowed = Bounds(_behind(path.allowed.must, one, behind), _behind(path.allowed.may, one, behind))
        if doubts or (one.services and one.services.size > 1):
            allowed = allowed.uncertain()
        hops = (*path.hops, _hop(engine, one, target, behind, doubts))
        reasons = (*path.reasons, *doubts)
        if places:
            seen = places if not path.source_seen or places <= path.source_seen else path.source_seen
            translated = path.via == "public" or any(hop.layer == "nat_gateway" for hop in path.hops)
            if translated and not path.source_seen:  # as an address that isn't known
                leg = Leg(ANYTHING, ANYTHING)
            else:
                leg = leg_of(engine, one, target, seen, behind)
            hops, reasons = (*hops, *leg.hops), (*reasons, *leg.reasons)
            allowed = allowed & _from(leg.allowed, seen, places)
        wanted = wanted_of(places or front.asked, behind, client)
        end = IntervalSet.union_of(spot.places for spot in engine.resolved.spots[target])
        yield Path(
            path.via,
            path.source_seen,
            engine.resolved.addresses(end),
            hops,
            allowed,
            verdict_of(allowed, wanted),
            () if allowed.exact else tuple(dict.fromkeys(reasons)),
        )


def _from(bounds: Bounds, seen: IntervalSet, places: IntervalSet) -> Bounds:
    """What is said of clients as the balancer sees them, said of the clients themselves."""
    if seen == places:
        return bounds
    return Bounds(bounds.must.to_every(seen, places), bounds.may.to_some(seen, places))


def _hop(engine: Engine, one: Forwarding, target: str, behind: IntervalSet, doubts: tuple[Reason, ...]) -> Hop:
    balancer, machine = engine.graph.endpoints[one.balancer], engine.graph.endpoints[target]
    name = balancer.name or balancer.id
    kept = {True: ", with the client's address", False: ", with an address of its own", None: ""}[one.preserves_client]
    what = service_text(one.listen if one.services else behind)
    sentence = f"{name} passes {what} on to {machine.name or machine.id} as {service_text(behind)}{kept}"
    if doubts:
        sentence += f": {doubts[0].text}"
    return Hop(
        BALANCER,
        "",
        one.balancer,
        name,
        Bounds(EMPTY_TRAFFIC, ALL_TRAFFIC) if doubts else EVERYTHING,
        (),
        "undetermined" if doubts else "allowed",
        sentence,
        one.origin,
        doubts,
    )


def leg_of(engine: Engine, one: Forwarding, target: str, clients: IntervalSet, services: IntervalSet) -> Leg:
    """What of these clients' traffic gets from a balancer to a machine behind it."""
    if one.translate:  # the balancer's own layers are the machine's, in terms of what it listens to
        return Leg(EVERYTHING, EVERYTHING)
    if one.preserves_client is False:
        return _relayed(engine, one, target, clients, services)
    kept = _kept(engine, one, target, clients, services)
    if one.preserves_client is None:
        other = _relayed(engine, one, target, clients, services)
        return Leg(
            _either(kept.delivered, other.delivered),
            _either(kept.allowed, other.allowed),
            (*kept.hops, *other.hops),
            tuple(dict.fromkeys((*kept.layers, *other.layers))),
            (Reason("whether it keeps the client's address isn't known", "graph.balancer", one.origin),),
        )
    # A rule that names the balancer's group matches although the client's address is kept: AWS documentation,
    # "Security groups for Network Load Balancers".
    certain, possible = _naming_balancer(engine, one.balancer, target)
    named = services & possible
    if not named:
        return kept
    other = _relayed(engine, one, target, clients, named)
    sure = services & certain
    sent, allowed = (Bounds(each.must.restrict(services=sure), each.may) for each in (other.delivered, other.allowed))
    return Leg(
        kept.delivered | sent,
        kept.allowed | allowed,
        other.hops if sure == services else (*kept.hops, *other.hops),
        tuple(dict.fromkeys((*kept.layers, *other.layers))),
        (*kept.reasons, *other.reasons),
    )


def _either(one: Bounds, other: Bounds) -> Bounds:
    """What is certain and possible where it isn't known which of the two holds."""
    return Bounds(one.must & other.must, one.may | other.may)


def _relayed(engine: Engine, one: Forwarding, target: str, clients: IntervalSet, services: IntervalSet) -> Leg:
    """The balancer opens a connection of its own: all of the clients' traffic passes, or none."""
    start = Party(engine.graph.endpoints[one.balancer].name or one.balancer, endpoint=one.balancer)
    reach = between(engine, start, Party(target, endpoint=target), services)
    whole = TrafficSet.of(clients, services)
    sure = reach.verdict == "allowed" and _served(engine, one.balancer, target)
    bounds = Bounds(whole if sure else EMPTY_TRAFFIC, whole if reach.allowed.may else EMPTY_TRAFFIC)
    sent = Bounds(bounds.must, whole if reach.delivered.may else EMPTY_TRAFFIC)
    private = [path for path in reach.paths if path.via == "private"] or list(reach.paths)
    best = next((path for path in private if path.verdict == reach.verdict), private[0] if private else None)
    return Leg(sent, bounds, () if best is None else best.hops, reach.layers, () if sure else reach.reasons)


def _kept(engine: Engine, one: Forwarding, target: str, clients: IntervalSet, services: IntervalSet) -> Leg:
    """The machine's own filters see the client."""
    text = place_text(engine, _client(engine, clients))
    total = answered = NOTHING
    hops: list[Hop] = []
    layers: dict[str, None] = {}
    reasons: dict[Reason, None] = {}
    starts = engine.resolved.spots[one.balancer]
    sure = _served(engine, one.balancer, target)
    for end in engine.resolved.spots[target]:
        same = {same_subnet(start, end) for start in starts}
        crosses = True if same == {False} else False if same == {True} else None
        came = _leaves(engine, starts, end, services)
        here = Bounds(*(TrafficSet.of(clients, services) if side else EMPTY_TRAFFIC for side in came))
        back = here
        for direction in (Direction.INGRESS, Direction.EGRESS):
            views = engine.endpoint_views(end, direction, False, crosses)
            if direction is Direction.INGRESS:
                parts = [(view, total_) for view, total_ in zip(views, with_bypasses(views), strict=True)][::-1]
            else:
                parts = [(view, engine.answered(view)) for view in views if view.stateless]
            for view, passed in parts:
                bounds = passed.restrict(clients)
                reply = direction is Direction.EGRESS
                first = view.filters[0] if view.filters else None
                step = Step(
                    view.layer.kind,
                    f"reply-{direction.value}" if reply else direction.value,
                    ", ".join(each.id for each in view.filters),
                    ", ".join(each.name or each.id for each in view.filters),
                    bounds,
                    remote=text,
                    view=view,
                    remote_places=clients,
                    origin=None if first is None else first.origin,
                    reasons=view.reasons,
                    reply=reply,
                )
                hops.append(hop_of(engine, step, bounds, services, TrafficSet.of(clients, services)))
                layers[view.layer.kind] = None
                back = back & bounds
                here = here if reply else here & bounds
                if not bounds.exact:
                    reasons.update(dict.fromkeys(view.reasons))
        total, answered = total | here, answered | back
    machine = engine.graph.endpoints[target]
    if not machine.accepts:
        total = answered = NOTHING
    if not (sure and machine.exists and engine.graph.endpoints[one.balancer].exists):
        total, answered = total.uncertain(), answered.uncertain()
    return Leg(total, answered, tuple(hops), tuple(layers), tuple(reasons))


def _client(engine: Engine, places: IntervalSet) -> Spot:
    return Spot(None, None, places, places, engine.resolved.cover(places), None, None, EMPTY, None, text="the client")


def _leaves(engine: Engine, starts: tuple[Spot, ...], end: Spot, services: IntervalSet) -> tuple[bool, bool]:
    """Whether the balancer's own side certainly, and possibly, lets these services out to a machine."""
    must = may = False
    for start in starts:
        ways = [way for way in private_ways(engine, start, end) if way.may and way.passes is not False]
        views = engine.endpoint_views(start, Direction.EGRESS, True, not same_subnet(start, end))
        out = Bounds(ALL_TRAFFIC, ALL_TRAFFIC)
        for passed in with_bypasses(views):
            out = out & passed
        here = TrafficSet.of(end.places, services)
        may = may or bool(ways and out.may & here)
        must = must or (any(way.passes for way in ways) and here <= out.must)
    return must, may


def _served(engine: Engine, balancer: str, target: str) -> bool:
    """Whether nothing says that the balancer has no interface in the machine's zone."""
    zones = [
        {None if spot.subnet is None else spot.subnet.zone for spot in engine.resolved.spots[name]}
        for name in (balancer, target)
    ]
    return None in zones[0] | zones[1] or not zones[0].isdisjoint(zones[1])


def passed_on(
    graph: RuleGraph | Engine,
    target: str,
    services: IntervalSet,
    peers: IntervalSet | None = None,
    behind_it: frozenset[str] = frozenset(),
) -> Iterator[Inbound]:
    """What reaches a machine over the balancers before it, and over those before these.

    The sender opens its connection to the balancer, and the machine has it on a service of its own. What a request
    has to say to be passed on is the sender's choice, so it passes. `behind_it`: what the machine itself passes on to.
    """
    engine = engine_of(graph)
    here = engine.graph.endpoints[target]
    for one in _before(engine, target):
        behind = (one.services or one.listen) & services
        if not behind:
            continue
        if one.balancer in behind_it:
            continue
        found = _at(engine, one.balancer, one.listen if one.services else behind, peers, behind_it | {target})
        others = EVERYWHERE - _places(engine.graph.endpoints[one.balancer]) - _places(here)
        exact = not one.reasons and (not one.services or one.services.size == 1)
        may = _behind(found.allowed.may, one, behind).restrict(others)
        must = _behind(found.allowed.must, one, behind).restrict(others) if exact else EMPTY_TRAFFIC
        if not may:
            continue
        leg = leg_of(engine, one, target, may.peers(), behind)
        arrived = Bounds(must, may) & leg.delivered
        reasons = (*found.reasons, *one.reasons, *leg.reasons)
        rules = tuple((rule, name, _behind(traffic, one, behind)) for rule, name, traffic in found.rules)
        rules = tuple(each for each in rules if not each[0].implied) or rules  # a listener is no rule that is at fault
        if one.preserves_client is not False and not one.translate:
            own = {name for layer in here.layers for name in layer.filters}
            told = tuple(each for each in admitting(engine, here, Direction.INGRESS, arrived.may) if each[1] in own)
            rules = told or rules
        if arrived.may:
            said = f"{one.balancer} passes connections on to {target}"
            if not arrived.exact:
                reasons = (*reasons, Reason(said, "graph.balancer", one.origin))
            layers = tuple(dict.fromkeys((*found.layers, *leg.layers)))
            yield Inbound(target, arrived, rules, layers, tuple(dict.fromkeys(reasons)))


def _at(
    engine: Engine, balancer: str, listen: IntervalSet, peers: IntervalSet | None, behind_it: frozenset[str]
) -> Inbound:
    """What arrives at a balancer, directly or over another one."""
    key = f"at {balancer}"  # all of its targets ask the same
    held = engine.memory.get(key)
    if not isinstance(held, _Arrived) or (held.listen, held.peers) != (listen, peers):
        held = _Arrived(listen, peers, inbound(engine, balancer, listen, peers, explained=False))
        engine.memory[key] = held
    found = held.found
    for other in passed_on(engine, balancer, listen, peers, behind_it):
        found = replace(
            found,
            allowed=found.allowed | other.allowed,
            rules=(*found.rules, *other.rules),
            layers=tuple(dict.fromkeys((*found.layers, *other.layers))),
            reasons=tuple(dict.fromkeys((*found.reasons, *other.reasons))),
        )
    return found


def _places(endpoint: Endpoint) -> IntervalSet:
    return IntervalSet.of(*(place for a in endpoint.addresses for place in (a.place, a.public) if place is not None))


def _behind(traffic: TrafficSet, forwarding: Forwarding, behind: IntervalSet) -> TrafficSet:
    """What arrives at a balancer in terms of the services that its target has it on."""
    if not forwarding.services:
        return traffic.restrict(services=behind)
    return TrafficSet.union_of((senders, behind, ports) for senders, _, ports in traffic.boxes())


def _naming_balancer(engine: Engine, balancer: str, target: str) -> tuple[IntervalSet, IntervalSet]:
    """The services that the target's rules certainly, and possibly, allow to the balancer's groups by name."""
    groups = engine.graph.endpoints[balancer].groups
    must, may = [EMPTY], [EMPTY]
    for name in dict.fromkeys(name for layer in engine.graph.endpoints[target].layers for name in layer.filters):
        held = engine.graph.filters.get(name)
        for rule in held.rules if held is not None else ():
            if rule.direction is not Direction.INGRESS or rule.action is Action.DENY:
                continue
            if any(isinstance(peer, GroupMembers) and peer.group in groups for peer in rule.peers):
                must += [rule.services] if rule.exists else []
                may += [rule.services, rule.services_may or EMPTY]
            elif any(isinstance(peer, UnknownPeer) for peer in rule.peers):
                may += [rule.services, rule.services_may or EMPTY]
    return IntervalSet.union_of(must), IntervalSet.union_of(may)
