"""Decides forbidden flows: whether any of what must not be may get through. Knows no project and no report."""

from __future__ import annotations

from collections.abc import Iterator

from lint.graph.endpoints import Endpoint
from lint.graph.rules import Direction
from lint.origin import Reason
from lint.packs.model import ANYONE, INTERNET, Flow, services_of
from lint.reach.result import Reach
from lint.space.addresses import PUBLIC, REAL
from lint.space.bounds import NOTHING, Bounds
from lint.space.intervals import IntervalSet
from lint.space.services import render
from lint.space.traffic import EMPTY_TRAFFIC, TrafficSet
from lint.verdict.documented import documented
from lint.verdict.excess import Excess, RuleTraffic, finish, listed, peers_sentence
from lint.verdict.finding import Finding, Side
from lint.verdict.parties import Crowd, Plain, crowds, parties
from lint.verdict.required import NOT_APPLICABLE, SATISFIED, VIOLATED
from lint.verdict.scene import Scene
from lint.verdict.write import bare, unbound

_WORDS = {INTERNET: PUBLIC, ANYONE: REAL}


def findings(scene: Scene, flow: Flow) -> Iterator[Finding]:
    """The findings of one forbidden flow: by pair of parties, by service, by endpoints with the same filters and
    verdict."""
    for source in flow.sources:
        for destination in flow.destinations:
            yield from _roles(scene, flow, source, destination)


def _roles(scene: Scene, flow: Flow, source: str, destination: str) -> Iterator[Finding]:
    roles = [name for name in (source, destination) if name not in _WORDS]
    missing = [name for name in roles if not scene.roles[name].bound]
    if missing:
        yield from unbound(
            scene,
            flow,
            missing,
            source if source in scene.roles else None,
            (destination,) if destination in scene.roles else (),
        )
        return
    starts, ends = _side(scene, source), _side(scene, destination)
    if not any(crowd.machines for crowd in (*starts, *ends)):
        sentence = "both sides are plain addresses; nothing of this source lies between them"
        yield from bare(scene, flow, NOT_APPLICABLE, sentence, None, (source,), (destination,))
        return
    known, why = NOTHING, tuple[Reason, ...]()
    if flow.except_documented and (source in _WORDS) != (destination in _WORDS):
        outward = destination in _WORDS
        known, why = _documented(scene, source if outward else destination, outward=outward)
    for text, services in services_of(flow):
        groups: dict[tuple[str, int], list[Excess]] = {}
        for start in starts:
            for end in ends:
                for excess, guarded in _pairs(scene, start, end, services, known, why):
                    groups.setdefault((excess.verdict, guarded), []).append(excess)
        if not groups:
            sentence = f"{source} and {destination} are the same single machine here"
            yield from bare(scene, flow, NOT_APPLICABLE, sentence, text, (source,), (destination,))
        for (verdict, _), together in groups.items():
            yield _finding(scene, flow, source, destination, text, verdict, together)


def _side(scene: Scene, name: str) -> tuple[Crowd, ...]:
    if name in _WORDS:
        return (Crowd((Plain(_WORDS[name], _WORDS[name], name),), -1, -1),)
    return crowds(scene.asking, parties(scene.roles[name]))


def _pairs(
    scene: Scene, start: Crowd, end: Crowd, services: IntervalSet, known: Bounds, why: tuple[Reason, ...]
) -> Iterator[tuple[Excess, int]]:
    """Each machine of the side that is ours with what it must not be able to do; `known` is documented and doesn't
    count."""
    first, last = start.first, end.first
    if isinstance(first, Plain) and isinstance(last, Plain):
        return
    if isinstance(first, Plain):
        answer = scene.asking.inbound(end.machines[0].endpoint, services)
        must = answer.allowed.must.restrict(first.must, services) - known.may
        may = answer.allowed.may.restrict(first.may, services) - known.must
        for one in end.machines:
            reasons = (*answer.reasons, *first.reasons, *why, *one.reasons)
            yield (
                Excess(
                    one.endpoint,
                    must,
                    may,
                    tuple(answer.rules),
                    tuple(answer.layers),
                    reasons,
                    sure=one.sure,
                    open=_open(scene, one.endpoint, Direction.INGRESS, known) if first.text in _WORDS else None,
                ),
                end.guarded,
            )
    elif isinstance(last, Plain):
        out = scene.asking.outbound(start.machines[0].endpoint, services)
        must = out.delivered.must.restrict(last.must, services) - known.may
        may = out.delivered.may.restrict(last.may, services) - known.must
        for one in start.machines:
            reasons = (*out.reasons, *last.reasons, *why, *one.reasons)
            yield (
                Excess(
                    one.endpoint,
                    must,
                    may,
                    tuple(out.rules),
                    tuple(out.layers),
                    reasons,
                    outward=True,
                    sure=one.sure,
                    open=_open(scene, one.endpoint, Direction.EGRESS, known) if last.text in _WORDS else None,
                ),
                start.guarded,
            )
    else:
        yield from _machines(scene, start, end, services)


def _open(scene: Scene, endpoint: Endpoint, direction: Direction, known: Bounds) -> Bounds:
    return scene.asking.side(endpoint, direction) - Bounds.exactly(known.may)


def _machines(scene: Scene, start: Crowd, end: Crowd, services: IntervalSet) -> Iterator[tuple[Excess, int]]:
    """Each destination with what reaches it from all sources of the crowd."""
    for target in end.machines:
        must = may = EMPTY_TRAFFIC
        rules: list[RuleTraffic] = []
        layers: dict[str, None] = {}
        reasons: list[Reason] = [*target.reasons]
        met = False
        for one in start.machines:
            if one.endpoint.id == target.endpoint.id:
                continue
            met = True
            reach = scene.asking.between(one.endpoint, target.endpoint, services)
            places = IntervalSet.of(*(a.place for a in one.endpoint.addresses))
            if one.sure:
                must = must | reach.delivered.must.restrict(places, services)
            may = may | reach.delivered.may.restrict(places, services)
            layers |= dict.fromkeys(reach.layers)
            reasons += [*reach.reasons, *one.reasons]
            rules += _rules_of(reach)
        if met:
            yield (
                Excess(
                    target.endpoint,
                    must,
                    may,
                    tuple(dict.fromkeys(rules)),
                    tuple(layers),
                    tuple(dict.fromkeys(reasons)),
                    sure=target.sure,
                ),
                end.guarded * 65537 + start.guarded,
            )


def _rules_of(reach: Reach) -> list[RuleTraffic]:
    """The rules of the paths that let something through, each with all that its hop lets through."""
    return [
        (rule, hop.filter, hop.allowed.may)
        for path in reach.paths
        for hop in path.hops
        if hop.layer not in ("route", "network_acl")
        for rule in hop.rules
    ]


def _documented(scene: Scene, role: str, *, outward: bool) -> tuple[Bounds, tuple[Reason, ...]]:
    """What the required flows of a role document: (the other side, service), of what it sends or of what it gets."""
    must = may = EMPTY_TRAFFIC
    why: list[Reason] = []
    for other in scene.flows:
        near, far = (other.sources, other.destinations) if outward else (other.destinations, other.sources)
        if other.kind != "required" or other.host_local or role not in near:
            continue
        services = IntervalSet.union_of(one for _, one in services_of(other))
        known = documented(scene.asking.graph, scene.roles, far)
        must, may = must | TrafficSet.of(known.must, services), may | TrafficSet.of(known.may, services)
        for name in known.unbound:
            may = may | TrafficSet.of(REAL, services)
            why.append(Reason(f"nothing is bound to `{name}`, which {other.id} documents", f"role.unbound:{name}"))
    return Bounds(must, may), tuple(dict.fromkeys(why))


def _spoken(together: list[Excess]) -> str:
    """The services of the excess, where the flow speaks of any."""
    texts = render(IntervalSet.union_of(services for one in together for _, services, _ in one.shown.boxes()))
    if texts == ["any"]:
        return "any service"
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def _finding(
    scene: Scene, flow: Flow, source: str, destination: str, text: str, verdict: str, together: list[Excess]
) -> Finding:
    names = scene.names
    outward = together[0].outward
    machines = [one.endpoint for one in together]
    peers = IntervalSet.union_of(listed(one).peers() for one in together)
    near = scene.side(source if outward else destination, machines)
    far_name = destination if outward else source
    far_role = None if far_name in _WORDS else far_name
    holders = tuple(name for _, name in names.sides(peers - REAL) if name)
    addresses = scene.side(None, (), peers & REAL).addresses
    if far_role is not None and not peers:
        bound = scene.roles[far_role]
        far = scene.side(far_role, bound.everybody, bound.may)
    else:
        far = Side(far_role, holders, addresses)
    who = names.shown(machines[0]) if len(machines) == 1 else f"{len(machines)} endpoints of {near.role}"
    spoken = f"any service{text[3:]}" if text.startswith("any") else text
    if verdict == SATISFIED:
        sentence = (
            f"{who} reaches nothing of {far_name} on {spoken}"
            if outward
            else f"{far_name} doesn't reach {spoken} of {who}"
        )
    else:
        can = "can" if verdict == VIOLATED else "may be able to"
        words = peers_sentence(names, peers, "the Internet" if far_name == INTERNET else "everybody")
        spoken = _spoken(together) if text.startswith("any") else text
        sentence = f"{who} {can} reach {words} on {spoken}" if outward else f"{words} {can} reach {spoken} of {who}"
    begun = scene.finding(flow, verdict, near if outward else far, far if outward else near, text, sentence)
    return finish(scene, begun, together)
