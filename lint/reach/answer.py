"""Answers about one graph: what passes between two parties, what arrives at an endpoint, whom an endpoint reaches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Direction, Rule
from lint.origin import Reason
from lint.reach.engine import Engine, engine_of
from lint.reach.explain import hop_of, verdict_of
from lint.reach.resolved import Spot
from lint.reach.result import Hop, Inbound, Outbound, Party, Path, Reach
from lint.reach.trails import DESTINATION, SOURCE, Step, Trail, private_trails, public_trails
from lint.reach.world import World, narrowed, routed
from lint.space.addresses import IPV4, IPV6, REAL
from lint.space.bounds import NOTHING, Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES, TCP, UDP, protocol
from lint.space.traffic import TrafficSet

UNKNOWN_CLIENT = IntervalSet.span(1024, 65535)  # source ports of a client that nothing is known of


def between(graph: RuleGraph | Engine, source: Party, destination: Party, services: IntervalSet | None = None) -> Reach:
    """What passes from one party to another. Raises KeyError for an endpoint that the graph doesn't hold."""
    engine = engine_of(graph)
    asked = ALL_SERVICES if services is None else services
    if source.endpoint is not None and destination.endpoint is not None:
        return _machines(engine, source, destination, asked)
    if destination.endpoint is not None:
        return _inward(engine, source, destination, asked)
    if source.endpoint is not None:
        return _outward(engine, source, destination, asked)
    reason = Reason("neither side is in the source, so nothing on the way is known")
    places = source.addresses or EMPTY
    everything = Bounds.at_most(TrafficSet.of(places, asked))
    return Reach(
        source,
        destination,
        everything,
        (),
        (),
        "undetermined",
        (reason,),
        (),
        everything,
        everything,
        everything,
        places,
    )


def trails_between(engine: Engine, source: Endpoint, destination: Endpoint, *, explained: bool = True) -> list[Trail]:
    """Every trail between the addresses of two endpoints, in terms of the source.

    Without `explained`, only those that may lead to the end: what passes is the same, and nobody hears why the
    rest doesn't.
    """
    found: list[Trail] = []
    for start in engine.resolved.spots[source.id]:
        for end in engine.resolved.spots[destination.id]:
            if not start.families & end.families:
                continue
            found += private_trails(engine, start, end, SOURCE, explained=explained)
            if _public_too(start, end):
                found += public_trails(engine, start, end, SOURCE, explained=explained)
    return found


def _starts_at(trail: Trail, party: Party) -> bool:
    return party.addresses is None or trail.source.shown <= party.addresses


def _ends_at(trail: Trail, party: Party) -> bool:
    """Whether a trail ends at the addresses that were asked for.

    A private one names the private way, a public one the public.
    """
    if party.addresses is None:
        return True
    places = trail.destination.shown if trail.via == "private" else trail.destination.public
    return not places.isdisjoint(party.addresses)


def _public_too(source: Spot, destination: Spot) -> bool:
    """Whether the way over public addresses is worth a look.

    Where the graph has no routing, it takes public addresses on both sides that may be there; an IPv6 address that is
    public itself has no second one inside its network.
    """
    if destination.public_exists is False:
        return False
    if destination.itself_public and source.network == destination.network:
        return False
    if not routed(source):
        return source.public_exists is not False and not destination.itself_public
    return True


def _machines(engine: Engine, source: Party, destination: Party, asked: IntervalSet) -> Reach:
    start = engine.graph.endpoints[source.endpoint or ""]
    end = engine.graph.endpoints[destination.endpoint or ""]
    starts = engine.resolved.spots[start.id]
    families = frozenset().union(*(spot.families for spot in engine.resolved.spots[end.id]))
    places = IntervalSet.union_of(spot.shown for spot in starts if spot.families & families)
    if start.id == end.id:
        whole = Bounds.exactly(TrafficSet.of(places, asked))
        note = "both are the same machine: no filter of the cloud sees this traffic"
        return Reach(source, destination, whole, (), (), "allowed", (), (note,), whole, whole, whole, places)
    trails = [
        trail
        for trail in trails_between(engine, start, end)
        if _starts_at(trail, source) and _ends_at(trail, destination)
    ]
    if source.addresses is not None:
        places = places & source.addresses
    wanted = wanted_of(places, asked, start.client_ports)
    allowed, delivered, paths, layers, reasons = _gathered(engine, trails, asked, wanted, SOURCE)
    verdict = verdict_of(allowed, wanted)
    return Reach(
        source,
        destination,
        allowed,
        paths,
        layers,
        verdict,
        open_reasons(allowed, wanted, verdict, reasons),
        _notes(engine, paths, verdict, end) if places else ("the two share no address family",),
        delivered,
        allowed,
        allowed,
        places,
    )


def open_reasons(reach: Bounds, wanted: TrafficSet, verdict: str, reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Why a verdict is open. Where nothing is unknown, it is the client's source port that decides."""
    if verdict not in ("undetermined", "partial"):
        return ()
    if verdict == "undetermined" and (reach.may & wanted) == (reach.must & wanted):
        ports = IntervalSet.union_of(ports for _, _, ports in (wanted - reach.may).boxes())
        lost = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ports.pairs[:6])
        return (
            *reasons,
            Reason(
                f"replies to source ports {lost} are lost, and which ports the client uses isn't known", "client-ports"
            ),
        )
    return reasons


def wanted_of(places: IntervalSet, asked: IntervalSet, client: IntervalSet | None) -> TrafficSet:
    """What a client asks for: these services from the ports that it uses."""
    with_ports = asked & (protocol(TCP) | protocol(UDP))
    return TrafficSet.union_of(
        [(places, with_ports, client or UNKNOWN_CLIENT), (places, asked - with_ports, ALL_PORTS)]
    )


def _gathered(
    engine: Engine, trails: Iterable[Trail], asked: IntervalSet, wanted: TrafficSet, terms: str
) -> tuple[Bounds, Bounds, tuple[Path, ...], tuple[str, ...], tuple[Reason, ...]]:
    """All trails together, each as a path of hops."""
    allowed: list[Bounds] = []
    delivered: list[Bounds] = []
    paths: list[Path] = []
    layers: dict[str, None] = {}
    reasons: dict[Reason, None] = {}
    for trail in trails:
        mine = _readable(engine, trail.allowed).restrict(services=asked)
        allowed.append(mine)
        delivered.append(_readable(engine, trail.delivered).restrict(services=asked))
        here = trail.source.shown if terms == SOURCE else trail.addressed
        part = wanted.restrict(here)
        hops = _hops(engine, trail, asked, part)
        layers.update(dict.fromkeys(_layers(trail.steps)))
        why = () if mine.exact else trail.reasons or _unknown_addresses(trail)
        reasons.update(dict.fromkeys(why))
        paths.append(
            Path(
                trail.via,
                engine.resolved.addresses(trail.seen),
                engine.resolved.addresses(trail.addressed),
                hops,
                mine,
                verdict_of(mine, part),
                why,
            )
        )
    return (
        together(allowed),
        together(delivered),
        tuple(paths),
        tuple(layers),
        tuple(reasons),
    )


def _unknown_addresses(trail: Trail) -> tuple[Reason, ...]:
    """What leaves a way open that nothing else does: which address a machine will have on it."""
    found = []
    for spot, places in ((trail.source, trail.seen), (trail.destination, trail.addressed)):
        one = spot.endpoint
        if one is not None and places - REAL:
            kind = "public address" if trail.via == "public" else "address"
            called = (one.origin.address if one.origin is not None else None) or one.name or one.id
            found.append(Reason(f"the {kind} of {called} isn't known yet", "address.unknown", one.origin))
    return tuple(found)


def together(parts: list[Bounds]) -> Bounds:
    """The union of several bounds."""
    if len(parts) == 1:
        return parts[0]
    return Bounds(TrafficSet.union(one.must for one in parts), TrafficSet.union(one.may for one in parts))


def _hops(engine: Engine, trail: Trail, asked: IntervalSet, wanted: TrafficSet) -> tuple[Hop, ...]:
    hops = []
    for step in trail.steps:
        bounds = _readable(engine, step.bounds)
        hops.append(hop_of(engine, step, bounds, asked, wanted))
    return tuple(hops)


def _layers(steps: Iterable[Step]) -> list[str]:
    """The kinds of layers that were judged: filters by their kind, everything of the way as `route`."""
    return [step.layer if step.view is not None else "route" for step in steps if step.layer not in ("endpoint", "")]


def _notes(engine: Engine, paths: tuple[Path, ...], verdict: str, end: Endpoint) -> tuple[str, ...]:
    notes = []
    if (
        verdict == "blocked"
        and paths
        and not any(hop.verdict == "blocked" for path in paths if path.via == "private" for hop in path.hops)
    ):
        private = [path for path in paths if path.via == "private"]
        if private and not any(path.allowed.may for path in private):
            notes.append("two filters each pass something and share nothing: no single one blocks it")
    if not end.exists:
        notes.append(f"it isn't certain that {end.name or end.id} will exist")
    return tuple(notes)


def _inward(engine: Engine, source: Party, destination: Party, asked: IntervalSet) -> Reach:
    """From addresses to an endpoint. Known machines among them are judged with their own filters."""
    end = engine.graph.endpoints[destination.endpoint or ""]
    addresses = source.addresses or EMPTY
    trails: list[Trail] = []
    places = EMPTY
    for spot in engine.resolved.spots[end.id]:
        mine = _of_family(addresses, spot)
        if mine:
            places = places | mine
            trails += [one for one in _arriving(engine, spot, mine, known=True) if _ends_at(one, destination)]
    wanted = wanted_of(places, asked, None)
    allowed, delivered, paths, layers, reasons = _gathered(engine, trails, asked, wanted, SOURCE)
    verdict = verdict_of(allowed, wanted)
    return Reach(
        source,
        destination,
        allowed,
        paths,
        layers,
        verdict,
        open_reasons(allowed, wanted, verdict, reasons),
        _notes(engine, paths, verdict, end) if places else ("the two share no address family",),
        delivered,
        allowed,
        allowed,
        places,
    )


def _of_family(addresses: IntervalSet, spot: Spot) -> IntervalSet:
    found = addresses - IPV4 - IPV6
    if 4 in spot.families:
        found = found | (addresses & IPV4)
    if 6 in spot.families:
        found = found | (addresses & IPV6)
    return found


def _world(engine: Engine) -> World:
    found = engine.memory.get("world")
    if not isinstance(found, World):
        found = engine.memory["world"] = World(engine)
    return found


def arriving_from(engine: Engine, spot: Spot, addresses: IntervalSet) -> list[Trail]:
    """Every trail from these addresses to a spot, whoever has them."""
    return _arriving(engine, spot, addresses, known=False)


def leaving_to(engine: Engine, spot: Spot, addresses: IntervalSet) -> list[Trail]:
    """Every trail from a spot to these addresses, whoever has them."""
    return _leaving(engine, spot, addresses, known=False)


def _arriving(engine: Engine, spot: Spot, addresses: IntervalSet | None, *, known: bool) -> list[Trail]:
    """Every trail from anybody (of `addresses`) to a spot.

    `known`: machines of the graph are judged as what they are.
    """
    world = _world(engine)
    trails: list[Trail] = []
    for stretch in world.private(spot):
        places = stretch.places if addresses is None else stretch.places & addresses
        places = _family_places(engine, places, spot) - spot.places
        for machine in _owners(engine, world, spot, stretch, places, known):
            trails += private_trails(engine, machine, spot, SOURCE)
            places = places - machine.places
        if places:
            trails += _from_stretch(engine, world, narrowed(engine.resolved, stretch, places), spot)
    if routed(spot):
        outside = world.internet_spot(spot)
        places = outside.places if addresses is None else outside.places & addresses
        places = _family_places(engine, places, spot)
        if places:
            trails += public_trails(engine, narrowed(engine.resolved, outside, places), spot, SOURCE)
    return trails


def _from_stretch(engine: Engine, world: World, stretch: Spot, spot: Spot) -> list[Trail]:
    """From addresses nobody in the graph owns. Those that lie nowhere arrive only from beyond what is modelled."""
    if stretch.subnet is None and stretch.network is None and routed(spot) and stretch.text.startswith("other"):
        from lint.reach.ways import Mark, Way

        beyond = world.beyond(spot)
        places = stretch.places
        reason = Reason(
            "it may come from outside of what is modelled (VPN, appliance, forwarding machine)", "graph.beyond"
        )
        mark = Mark("route", "", "outside", None, reason.text, None, (reason,))
        none = Mark("route", "", "outside", False, "nothing of these addresses leads here")
        trails = []
        if places & beyond:
            way = Way(spot.places, spot.places, references_in=None).then(None, mark)
            trails += private_trails(engine, narrowed(engine.resolved, stretch, places & beyond), spot, SOURCE, [way])
        if places - beyond:
            way = Way(spot.places, spot.places).then(False, none)
            trails += private_trails(engine, narrowed(engine.resolved, stretch, places - beyond), spot, SOURCE, [way])
        return trails
    return private_trails(engine, stretch, spot, SOURCE)


def _family_places(engine: Engine, places: IntervalSet, spot: Spot) -> IntervalSet:
    """Only what shares a family with the spot; symbolic places by where they can lie."""
    if spot.families == {4, 6}:
        return places
    family = IPV4 if 4 in spot.families else IPV6
    return places & (family | engine.resolved.reachable(family)[0])


def _owners(engine: Engine, world: World, spot: Spot, stretch: Spot, places: IntervalSet, known: bool) -> list[Spot]:
    """The machines within a stretch that are judged as what they are, but for `spot`'s own.

    All where `known`; else those whose own filters may exempt traffic from the subnet's, which a stretch can't stand
    for.
    """
    found = []
    own = (
        IntervalSet.union_of(one.places for one in engine.resolved.spots[spot.endpoint.id]) if spot.endpoint else EMPTY
    )
    for crowd in world.machines(stretch) if known else world.exempting(stretch):
        here = (crowd.places & places) - own
        if here:
            found.append(crowd if here == crowd.places else narrowed(engine.resolved, crowd, here))
    return found


def _leaving(engine: Engine, spot: Spot, addresses: IntervalSet | None, *, known: bool) -> list[Trail]:
    """Every trail from a spot to anybody (of `addresses`), in terms of the destination."""
    world = _world(engine)
    trails: list[Trail] = []
    for stretch in world.private(spot):
        places = stretch.places if addresses is None else stretch.places & addresses
        places = _family_places(engine, places, spot) - spot.places
        for machine in _owners(engine, world, spot, stretch, places, known):
            trails += private_trails(engine, spot, machine, DESTINATION)
            places = places - machine.places
        if places:
            trails += private_trails(engine, spot, narrowed(engine.resolved, stretch, places), DESTINATION)
    if routed(spot):
        outside = world.internet_spot(spot)
        places = outside.places if addresses is None else outside.places & addresses
        places = _family_places(engine, places, spot)
        if places:
            there = narrowed(engine.resolved, outside, places)
            there = replace(there, public=places)
            trails += public_trails(engine, spot, there, DESTINATION)
    return trails


def _platform(engine: Engine, endpoint: Endpoint, asked: IntervalSet) -> TrafficSet:
    """Traffic that no filter sees, peers being the destinations."""
    boxes = [
        (one.addresses, one.services & asked, ALL_PORTS)
        for one in engine.graph.platform
        if one.network is None or one.network == endpoint.network
    ]
    return TrafficSet.union_of(boxes)


def _outward(engine: Engine, source: Party, destination: Party, asked: IntervalSet) -> Reach:
    """From an endpoint to addresses: for every one of them, and for one at least."""
    start = engine.graph.endpoints[source.endpoint or ""]
    addresses = destination.addresses or EMPTY
    every, some, sent = [NOTHING], [NOTHING], [NOTHING]
    paths: list[Path] = []
    layers: dict[str, None] = {}
    reasons: dict[Reason, None] = {}
    places = EMPTY
    exempt = _platform(engine, start, asked)
    for spot in engine.resolved.spots[start.id]:
        mine = _of_family(addresses, spot)
        if not mine or (source.addresses is not None and not spot.shown <= source.addresses):
            continue
        places = places | spot.shown
        wanted = wanted_of(mine, asked, start.client_ports)
        allowed, delivered, found, judged, why = _gathered(
            engine, _leaving(engine, spot, mine, known=True), asked, wanted, DESTINATION
        )
        free = Bounds.exactly(exempt.restrict(mine))
        allowed, delivered = allowed | free, delivered | free
        every.append(Bounds(allowed.must.to_every(mine, spot.shown), allowed.may.to_every(mine, spot.shown)))
        some.append(Bounds(allowed.must.to_some(mine, spot.shown), allowed.may.to_some(mine, spot.shown)))
        sent.append(Bounds(delivered.must.to_every(mine, spot.shown), delivered.may.to_some(mine, spot.shown)))
        paths += found
        layers.update(dict.fromkeys(judged))
        reasons.update(dict.fromkeys(why))
    reached, met = together(every), together(some)
    allowed = Bounds(reached.must, met.may)
    whole = wanted_of(places, asked, start.client_ports)
    verdict = verdict_of(reached, whole)
    if verdict == "blocked" and met.may:
        verdict = "partial" if met.must else "undetermined"
    return Reach(
        source,
        destination,
        allowed,
        tuple(paths),
        tuple(layers),
        verdict,
        open_reasons(reached, whole, verdict, tuple(reasons)),
        () if places else ("the two share no address family",),
        together(sent),
        reached,
        met,
        places,
    )


def inbound(
    graph: RuleGraph | Engine,
    endpoint: str,
    services: IntervalSet | None = None,
    peers: IntervalSet | None = None,
    *,
    explained: bool = True,
) -> Inbound:
    """What arrives at an endpoint from anybody, or from these places alone.

    Without `explained` neither `hops` nor `confirmed` is worked out: both take a look at every sender. Raises KeyError
    for an endpoint that the graph doesn't hold.
    """
    engine = engine_of(graph)
    here = engine.graph.endpoints[endpoint]
    asked = ALL_SERVICES if services is None else services
    senders = None if peers is None else engine.resolved.meant(peers)
    trails: list[Trail] = []
    for spot in engine.resolved.spots[endpoint]:
        trails += _arriving(engine, spot, senders, known=False)
    allowed = together([trail.delivered for trail in trails] or [NOTHING]).restrict(services=asked)
    wanted = TrafficSet.of(REAL, asked)
    layers: dict[str, None] = {}
    reasons: dict[Reason, None] = {}
    hops: list[Hop] = []
    for trail in trails:
        layers.update(dict.fromkeys(_layers(trail.steps)))
        if not trail.delivered.restrict(services=asked).exact:
            reasons.update(dict.fromkeys(trail.reasons))
        if explained:
            part = wanted.restrict(trail.source.places)
            hops += [hop_of(engine, step, step.bounds, asked, part) for step in trail.steps if not step.reply]
    confirmed = _confirmed(engine, allowed, here, asked, SOURCE) if explained else allowed
    return Inbound(
        endpoint,
        _readable(engine, allowed),
        tuple(admitting(engine, here, Direction.INGRESS, allowed.may)),
        tuple(layers),
        tuple(reasons),
        tuple(dict.fromkeys(hops)),
        (),
        _readable(engine, confirmed),
    )


def outbound(
    graph: RuleGraph | Engine, endpoint: str, services: IntervalSet | None = None, *, explained: bool = True
) -> Outbound:
    """Whom an endpoint reaches. Raises KeyError for an endpoint that the graph doesn't hold.

    Without `explained` neither `hops` nor `confirmed` is worked out.
    """
    engine = engine_of(graph)
    here = engine.graph.endpoints[endpoint]
    asked = ALL_SERVICES if services is None else services
    trails: list[Trail] = []
    for spot in engine.resolved.spots[endpoint]:
        trails += _leaving(engine, spot, None, known=False)
    free = Bounds.exactly(_platform(engine, here, asked))
    allowed = together([trail.allowed for trail in trails] or [NOTHING]).restrict(services=asked) | free
    delivered = together([trail.delivered for trail in trails] or [NOTHING]).restrict(services=asked) | free
    wanted = wanted_of(REAL, asked, here.client_ports)
    layers: dict[str, None] = {}
    reasons: dict[Reason, None] = {}
    hops: list[Hop] = []
    for trail in trails:
        layers.update(dict.fromkeys(_layers(trail.steps)))
        if not trail.allowed.restrict(services=asked).exact:
            reasons.update(dict.fromkeys(trail.reasons))
        if explained:
            part = wanted.restrict(trail.addressed)
            hops += [hop_of(engine, step, step.bounds, asked, part) for step in trail.steps]
    return Outbound(
        endpoint,
        _readable(engine, allowed),
        tuple(admitting(engine, here, Direction.EGRESS, delivered.may)),
        tuple(layers),
        tuple(reasons),
        tuple(dict.fromkeys(hops)),
        (),
        _readable(engine, delivered),
        _readable(engine, _confirmed(engine, delivered, here, asked, DESTINATION) if explained else delivered),
    )


def _readable(engine: Engine, bounds: Bounds) -> Bounds:
    """Places that the engine gave to machines sharing an address become that address again."""
    return Bounds(engine.resolved.shown(bounds.must), engine.resolved.shown(bounds.may))


def _confirmed(engine: Engine, bounds: Bounds, here: Endpoint, asked: IntervalSet, terms: str) -> Bounds:
    """Without what the known machines on the other side hold back themselves."""
    total = bounds
    touched = bounds.may.peers()
    for name, spots in engine.resolved.spots.items():
        if name == here.id:
            continue
        mine = IntervalSet.union_of(spot.places for spot in spots) & touched
        if not mine:
            continue
        other = engine.graph.endpoints[name]
        passed = [NOTHING]
        for spot in spots:
            for own in engine.resolved.spots[here.id]:
                start, end = (spot, own) if terms == SOURCE else (own, spot)
                passed += [trail.delivered for trail in private_trails(engine, start, end, terms)]
                if end.itself_public and _public_too(start, end):  # one IPv6 address for both ways
                    passed += [trail.delivered for trail in public_trails(engine, start, end, terms)]
        kept = together(passed).restrict(services=asked)
        if not other.exists:
            kept = kept.uncertain()
        rest = Bounds(total.must - TrafficSet.of(mine, ALL_SERVICES), total.may - TrafficSet.of(mine, ALL_SERVICES))
        total = rest | (kept & total)
    return total


def admitting(
    engine: Engine, here: Endpoint, direction: Direction, passed: TrafficSet
) -> Iterable[tuple[Rule, str, TrafficSet]]:
    """The rules of an endpoint's own side that allow a piece of what passes."""
    seen: set[tuple[str, str]] = set()
    for spot in engine.resolved.spots[here.id]:
        for view in engine.endpoint_views(spot, direction, True, True):
            for one, matched in view.matched:
                if matched.rule.action is Action.DENY or (one.id, matched.rule.id) in seen:
                    continue
                piece = matched.traffic() & passed
                if piece:
                    seen.add((one.id, matched.rule.id))
                    yield matched.rule, one.id, engine.resolved.shown(piece)
