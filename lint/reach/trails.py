"""Trails: one way with the filters of both ends and of every border between, for the packet and for its reply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lint.graph.rules import Direction
from lint.graph.topology import Subnet
from lint.origin import Origin, Reason
from lint.reach.engine import Engine, View, with_bypasses
from lint.reach.reply import ONE_WAY, UNANSWERED, any_port
from lint.reach.resolved import Spot
from lint.reach.ways import Mark, Way, place_text, private_ways, public_way_in, public_ways_out, same_subnet, straight
from lint.space.addresses import REAL, cidrs
from lint.space.bounds import ANYTHING, EVERYTHING, NOTHING, Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES
from lint.space.traffic import EMPTY_TRAFFIC, TrafficSet

SOURCE, DESTINATION = "source", "destination"


@dataclass(frozen=True, slots=True)
class Step:
    """One component of a trail with what it passes, in the trail's terms."""

    layer: str
    direction: str
    filter: str
    name: str
    bounds: Bounds
    sentence: str = ""
    remote: str = ""  # what the other side is called, for a filter's sentence
    view: View | None = None
    remote_places: IntervalSet = EMPTY
    origin: Origin | None = None
    reasons: tuple[Reason, ...] = ()
    reply: bool = False


@dataclass(frozen=True, slots=True)
class Trail:
    """One way between two spots.

    Its sets have as peers the places of the source, or (`terms`) those of the destination. `delivered`: packets that
    arrive. `allowed`: those whose reply comes back too.
    """

    via: str
    source: Spot
    destination: Spot
    terms: str
    seen: IntervalSet
    addressed: IntervalSet
    steps: tuple[Step, ...]
    delivered: Bounds
    allowed: Bounds
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """How sets over a remote side turn into sets in the trail's terms."""

    terms: str
    source: IntervalSet
    seen: IntervalSet
    addressed: IntervalSet

    @property
    def peers(self) -> IntervalSet:
        return self.source if self.terms == SOURCE else self.addressed

    def say(self, bounds: Bounds, remote: str, seen: IntervalSet | None = None) -> Bounds:
        """`bounds` has the packet's source or destination as its peer."""
        if remote == DESTINATION:
            if self.terms == DESTINATION:
                return bounds.restrict(self.addressed)
            return _quantified(bounds, self.addressed, self.source)
        places = self.source if seen is None else seen
        if self.terms == SOURCE and places == self.source:
            return bounds.restrict(places)
        return _quantified(bounds, places, self.peers)

    def part(self, must: IntervalSet, may: IntervalSet, remote: str, seen: IntervalSet | None = None) -> Bounds:
        """A part of the source's or the destination's places, with everything."""
        return self.say(Bounds(TrafficSet.of(must, ALL_SERVICES), TrafficSet.of(may, ALL_SERVICES)), remote, seen)


def _quantified(bounds: Bounds, places: IntervalSet, peers: IntervalSet) -> Bounds:
    must = bounds.must.to_every(places, peers)
    if bounds.may is bounds.must and places.size == 1:
        return Bounds(must, must)
    return Bounds(must, bounds.may.to_some(places, peers))


def private_trails(
    engine: Engine,
    source: Spot,
    destination: Spot,
    terms: str,
    ways: list[Way] | None = None,
    *,
    explained: bool = True,
) -> list[Trail]:
    """All trails to the destination's private places; by these ways, where they are given.

    Without `explained`, ways that end on the road are left out: what passes is the same, and nobody hears why the rest
    doesn't.
    """
    if not source.families & destination.families:
        return []
    found = []
    for way in private_ways(engine, source, destination, explained=explained) if ways is None else ways:
        if way.may and (explained or way.passes is not False):
            found.append(_private(engine, source, destination, way, terms, explained))
    return found


def _private(engine: Engine, source: Spot, destination: Spot, way: Way, terms: str, explained: bool) -> Trail:
    frame = _Frame(terms, source.places, way.seen or source.places, destination.places)
    same = same_subnet(source, destination)
    crosses = None if same is None else not same
    if source.subnet is None or destination.subnet is None:
        # Where one side's subnet isn't in the graph, traffic stays inside a subnet only if the addresses could be in
        # it.
        crosses = None if same is None and _could_share(source, destination) else True
    steps = _start(engine, source, destination, way, frame, crosses)
    steps += _way_steps(way, frame)
    steps += _borders(engine, way, source, destination, frame)
    steps += _end(engine, source, destination, way, frame, crosses)
    if way.passes is not False:
        steps += _reply_start(engine, source, destination, way, frame, crosses)
        if way.gateway is None:
            steps += _routes_back(engine, destination, source, source, frame, way, explained=explained)
        else:
            steps += _routes_back(engine, destination, way.gateway, source, frame, way)
            steps += _behind_nat(engine, source, destination, way, frame)
        steps += _reply_end(engine, source, destination, way, frame, crosses)
    return _trail("private", source, destination, way, frame, steps)


def _could_share(a: Spot, b: Spot) -> bool:
    """Whether a spot without a subnet could be in the other's."""
    one, other = (a, b) if a.subnet is not None else (b, a)
    if one.subnet is None:
        return False  # no subnet, no border
    return other.network is None or other.network == one.subnet.network


def public_trails(
    engine: Engine, source: Spot, destination: Spot, terms: str, *, explained: bool = True
) -> list[Trail]:
    """All trails to the destination's public places; either side may be the Internet itself. `explained` as above."""
    if not source.families & destination.families:
        return []
    if not destination.public:
        if not explained or source.endpoint is not None or destination.endpoint is None:
            return []
        frame = _Frame(terms, source.places, source.places, destination.places)
        who = place_text(engine, destination)
        mark = Mark("public_address", who, who, False, f"{who} has no public address")
        step = _mark_step(mark, frame)
        nothing = Way(EMPTY, EMPTY).then(False, mark)
        return [_trail("public", source, destination, nothing, frame, [step])]
    outside = Spot(
        destination.endpoint,
        None,
        destination.public,
        destination.public,
        engine.resolved.cover(destination.public),
        None,
        None,
        destination.public,
        True,
        text=destination.text,
    )
    if source.endpoint is None and source.subnet is None:
        ways = [Way(destination.public, destination.public, references_in=False, references_out=False)]
    else:
        ways = public_ways_out(engine, source, outside)
    found: list[Trail] = []
    for way in ways:
        if way.may and (explained or way.passes is not False):
            found += _public(engine, source, destination, outside, way, terms, explained)
    return found


def _public(
    engine: Engine, source: Spot, destination: Spot, outside: Spot, way: Way, terms: str, explained: bool
) -> list[Trail]:
    seen = way.seen or source.places
    frame = _Frame(terms, source.places, seen, destination.public)
    world = destination.endpoint is None and destination.subnet is None
    base = _start(engine, source, outside, way, frame, True)
    base += _way_steps(way, frame)
    base += _borders(engine, way, source, outside, frame)
    after: list[Step] = []
    if way.gateway is not None and way.passes is not False:
        after += _behind_nat(engine, source, outside, way, frame)
    after += _reply_end(engine, source, outside, way, frame, True)
    if world or way.passes is False:
        return [_trail("public", source, destination, way, frame, base + after)]
    stranger = Spot(None, None, seen, seen, engine.resolved.cover(seen), None, None, seen, True, text=source.text)
    found = []
    for inward in public_way_in(engine, destination, stranger):
        if not inward.may or (inward.passes is False and not explained):
            continue
        steps = list(base)
        for mark in inward.marks:
            steps.append(_mark_step(mark, frame))
        part = frame.part(inward.must, inward.may, SOURCE, seen)
        if inward.passes is not False:
            steps.append(Step("internet", "", "", "", part))
            steps += _end(engine, source, destination, way, frame, True)
            steps += _reply_start(engine, source, destination, way, frame, True)
            steps += after
        else:
            steps.append(Step("internet", "", "", "", Bounds(EMPTY_TRAFFIC, EMPTY_TRAFFIC)))
        found.append(_trail("public", source, destination, way, frame, steps, inward.reasons))
    return found


def _trail(
    via: str,
    source: Spot,
    destination: Spot,
    way: Way,
    frame: _Frame,
    steps: list[Step],
    more: tuple[Reason, ...] = (),
) -> Trail:
    part = frame.part(way.must, way.may, DESTINATION)
    delivered = part
    if way.services != ALL_SERVICES or way.services_may != ALL_SERVICES:
        peers = frame.peers
        delivered = delivered & Bounds(TrafficSet.of(peers, way.services), TrafficSet.of(peers, way.services_may))
    for step in steps:
        if not step.reply:
            delivered = delivered & step.bounds
    allowed = delivered
    for step in steps:
        if step.reply:
            allowed = allowed & step.bounds
    reasons: dict[Reason, None] = dict.fromkeys((*way.reasons, *more))
    for step in steps:
        if step.reasons and step.bounds.must is not step.bounds.may and not step.bounds.exact:
            reasons.update(dict.fromkeys(step.reasons))
    kept = tuple(step for step in steps if step.layer != "internet")
    return Trail(
        via, source, destination, frame.terms, frame.seen, frame.addressed, kept, delivered, allowed, tuple(reasons)
    )


def _start(
    engine: Engine, source: Spot, destination: Spot, way: Way, frame: _Frame, crosses: bool | None
) -> list[Step]:
    """What leaves the source: its own layers, then its subnet's."""
    steps: list[Step] = []
    if source.endpoint is not None and not source.endpoint.initiates:
        steps.append(_never(source, "never starts a connection"))
    if way.gateway is not None and _same(way.gateway.subnet, source.subnet):
        crosses = False  # to the gateway it stays inside the subnet; the gateway's own border comes later
    views = engine.endpoint_views(source, Direction.EGRESS, way.references_out, crosses)
    return steps + _view_steps(views, frame, DESTINATION, None, place_text(engine, destination), frame.addressed)


def _end(engine: Engine, source: Spot, destination: Spot, way: Way, frame: _Frame, crosses: bool | None) -> list[Step]:
    """What arrives at the destination: its subnet's layers, then its own."""
    if way.passes is False:
        return []
    if way.gateway is not None and _same(way.gateway.subnet, destination.subnet):
        crosses = False
    views = engine.endpoint_views(destination, Direction.INGRESS, way.references_in, crosses)
    steps = _view_steps(
        views, frame, SOURCE, frame.seen, _seen_text(engine, source, way), frame.seen, translated=way.translated
    )
    steps.reverse()
    if destination.endpoint is not None and not destination.endpoint.accepts:
        steps.append(_never(destination, "never accepts a connection"))
    return steps


def _seen_text(engine: Engine, source: Spot, way: Way) -> str:
    """What the far end sees of the source."""
    who = place_text(engine, source)
    if way.seen is None or way.seen == source.places:
        return who
    real = way.seen & REAL
    if real and real == way.seen and real.size <= 4:
        return f"{', '.join(cidrs(real)).replace('/32', '').replace('/128', '')} ({who})"
    return f"the public address of {place_text(engine, way.gateway) if way.gateway is not None else who}"


def _never(spot: Spot, what: str) -> Step:
    assert spot.endpoint is not None
    name = spot.endpoint.name or spot.endpoint.id
    return Step("endpoint", "", spot.endpoint.id, name, NOTHING, f"{name} {what}", origin=spot.endpoint.origin)


def _way_steps(way: Way, frame: _Frame) -> list[Step]:
    steps = []
    for mark in way.marks:
        step = _mark_step(mark, frame)
        if mark.layer == "nat_gateway" and way.services != ALL_SERVICES and mark.passes is not False:
            carried = TrafficSet.of(frame.peers, way.services)
            step = Step(
                step.layer,
                "",
                step.filter,
                step.name,
                step.bounds & Bounds.exactly(carried),
                step.sentence,
                origin=step.origin,
                reasons=step.reasons,
            )
        steps.append(step)
    return steps


def _mark_step(mark: Mark, frame: _Frame) -> Step:
    bounds = {True: EVERYTHING, None: ANYTHING, False: NOTHING}[mark.passes].restrict(frame.peers)
    return Step(mark.layer, "", mark.id, mark.name, bounds, mark.sentence, origin=mark.origin, reasons=mark.reasons)


def _view_steps(
    views: list[View],
    frame: _Frame,
    remote: str,
    seen: IntervalSet | None,
    text: str,
    places: IntervalSet,
    *,
    translated: bool = False,
) -> list[Step]:
    steps = []
    for view, total in zip(views, with_bypasses(views), strict=True):
        bounds = frame.say(total, remote, seen)
        if translated:
            bounds = any_port(bounds)
        steps.append(_view_step(view, bounds, text, places, reply=False))
    return steps


def _view_step(view: View, bounds: Bounds, text: str, places: IntervalSet, *, reply: bool) -> Step:
    direction = f"reply-{view.direction.value}" if reply else view.direction.value
    first = view.filters[0] if view.filters else None
    return Step(
        view.layer.kind,
        direction,
        ", ".join(one.id for one in view.filters),
        ", ".join(one.name or one.id for one in view.filters),
        bounds,
        remote=text,
        view=view,
        remote_places=places,
        origin=first.origin if first is not None else None,
        reasons=view.reasons,
        reply=reply,
    )


def _borders(engine: Engine, way: Way, source: Spot, destination: Spot, frame: _Frame) -> list[Step]:
    """The stateless layers of subnets between the two ends."""
    steps = []
    for border in way.borders:
        views = [
            view
            for view in engine.subnet_views(border.subnet, border.direction, False, EMPTY, True)
            if view.layer.crossing
        ]
        if border.remote == DESTINATION:
            steps += _view_steps(
                views,
                frame,
                DESTINATION,
                None,
                place_text(engine, destination),
                frame.addressed,
                translated=border.translated,
            )
        else:
            seen = border.source if border.source is not None else frame.source
            steps += _view_steps(
                views, frame, SOURCE, seen, place_text(engine, source), seen, translated=border.translated
            )
    return steps


def _stateless(views: Iterable[View]) -> list[View]:
    return [view for view in views if view.stateless]


def _reply_steps(
    engine: Engine,
    views: list[View],
    frame: _Frame,
    remote: str,
    seen: IntervalSet | None,
    text: str,
    *,
    translated: bool = False,
) -> list[Step]:
    """Stateless layers judge the reply; `remote` names the request's source or destination."""
    steps = []
    places = frame.addressed if remote == DESTINATION else (seen if seen is not None else frame.source)
    for view in views:
        bounds = frame.say(engine.answered(view), remote, seen)
        if translated:
            bounds = any_port(bounds)
        steps.append(_view_step(view, bounds, text, places, reply=True))
    return steps


def _reply_start(
    engine: Engine, source: Spot, destination: Spot, way: Way, frame: _Frame, crosses: bool | None
) -> list[Step]:
    if way.gateway is not None and _same(way.gateway.subnet, destination.subnet):
        crosses = False
    views = _stateless(engine.endpoint_views(destination, Direction.EGRESS, way.references_in, crosses))
    return _reply_steps(
        engine, views, frame, SOURCE, frame.seen, _seen_text(engine, source, way), translated=way.translated
    )


def _reply_end(
    engine: Engine, source: Spot, destination: Spot, way: Way, frame: _Frame, crosses: bool | None
) -> list[Step]:
    if way.passes is False:
        return []
    if way.gateway is not None and _same(way.gateway.subnet, source.subnet):
        crosses = False
    views = _stateless(engine.endpoint_views(source, Direction.INGRESS, way.references_out, crosses))
    return _reply_steps(engine, views, frame, DESTINATION, None, place_text(engine, destination))


def _behind_nat(engine: Engine, source: Spot, destination: Spot, way: Way, frame: _Frame) -> list[Step]:
    """The reply from the destination into the NAT gateway's subnet, and from there back to the source."""
    gateway = way.gateway
    assert gateway is not None
    steps: list[Step] = []
    if gateway.subnet is None:
        return steps
    if not _same(gateway.subnet, destination.subnet):
        views = _stateless(engine.subnet_views(gateway.subnet, Direction.INGRESS, False, EMPTY, True))
        steps += _reply_steps(engine, views, frame, DESTINATION, None, place_text(engine, destination), translated=True)
    if not _same(gateway.subnet, source.subnet):
        views = _stateless(engine.subnet_views(gateway.subnet, Direction.EGRESS, False, EMPTY, True))
        steps += _reply_steps(engine, views, frame, SOURCE, None, place_text(engine, source))
    return steps + _routes_back(engine, gateway, source, source, frame, way)


def _routes_back(
    engine: Engine, start: Spot, target: Spot, source: Spot, frame: _Frame, way: Way, *, explained: bool = True
) -> list[Step]:
    """Whether the reply finds its way from `start` to `target` (the source, or the NAT gateway that stands for it)."""
    if straight(start, target):
        return []
    total = Bounds(EMPTY_TRAFFIC, EMPTY_TRAFFIC)
    worst: Mark | None = None
    routed = False
    reasons: list[Reason] = []
    whole = target.places == source.places
    seen = None if whole else target.places
    for back in private_ways(engine, start, target, explained=explained):
        if not back.may:
            continue
        routed = routed or back.routed or bool(back.marks)
        part = frame.part(back.must, back.may, SOURCE, seen)
        blocked = back.passes is False or back.gateway is not None
        if blocked:
            worst = next((mark for mark in back.marks if mark.passes is False), back.marks[-1] if back.marks else None)
            continue
        if back.passes is None:
            reasons += back.reasons
            worst = worst or next((mark for mark in back.marks if mark.passes is None), None)
            part = part.uncertain()
        for border in back.borders:
            # Seen from the reply, its source is the request's destination.
            remote = DESTINATION if border.remote == SOURCE else SOURCE
            views = _stateless(engine.subnet_views(border.subnet, border.direction, False, EMPTY, True))
            for step in _reply_steps(engine, views, frame, remote, seen if remote == SOURCE else None, ""):
                part = part & step.bounds
        total = total | part
    if not routed:
        return []
    unanswered = TrafficSet.of(frame.peers, UNANSWERED)
    total = Bounds(total.must | unanswered, total.may | unanswered | TrafficSet.of(frame.peers, ONE_WAY))
    where = place_text(engine, target)
    name = worst.name if worst is not None else "the route back"
    everything = TrafficSet.of(frame.peers, ALL_SERVICES)
    lost = not total.may - unanswered - TrafficSet.of(frame.peers, ONE_WAY)
    if everything <= total.must:
        sentence = f"the reply to {where} finds its way back"
    elif worst is not None:
        sentence = f"the reply to {where} doesn't come back: {worst.sentence}"
    else:
        sentence = f"the reply to {where} doesn't always come back"
    return [
        Step(
            worst.layer if worst is not None and lost else "route",
            "reply-egress",
            worst.id if worst is not None else "",
            name,
            total,
            sentence,
            origin=worst.origin if worst is not None else None,
            reasons=tuple(reasons),
            reply=True,
        )
    ]


def _same(a: Subnet | None, b: Subnet | None) -> bool:
    return a is not None and b is not None and a.id == b.id
