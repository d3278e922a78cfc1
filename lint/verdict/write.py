"""Writes the findings of required flows, and those of flows that nothing is bound to. Decides no traffic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lint.packs.model import Flow, services_of
from lint.space.addresses import IPV4, IPV6, SYMBOLIC
from lint.space.intervals import EMPTY, IntervalSet
from lint.verdict.finding import Finding, Lane, Side, Witness, in_order
from lint.verdict.group import Group, Judged, group
from lint.verdict.names import MOST_LANES, lanes_into, lanes_out, of_family, single_cidrs
from lint.verdict.parties import EPHEMERAL, Crowd, Machine, Plain, crowds, parties
from lint.verdict.required import NOT_APPLICABLE, SATISFIED, UNDETERMINED, VIOLATED, Answer, Required, distinct
from lint.verdict.scene import Scene
from lint.verdict.witness import example, packet


@dataclass(frozen=True, slots=True)
class Wanted:
    """One service of a flow, or several of which one is enough."""

    text: str
    services: tuple[IntervalSet, ...]


def wanted_services(flow: Flow) -> tuple[Wanted, ...]:
    """Each service by itself; where one of them is enough, all as one."""
    listed = services_of(flow)
    if flow.any_service and len(listed) > 1:
        return (Wanted(" or ".join(text for text, _ in listed), tuple(one for _, one in listed)),)
    return tuple(Wanted(text, (one,)) for text, one in listed)


def required_findings(scene: Scene, flow: Flow, required: Required) -> Iterator[Finding]:
    """The findings of one required flow: by service, by pair of roles, by group of pairs."""
    if flow.host_local:
        sentence = "source and destination are the same machine, which no filter of a cloud stands between"
        yield from bare(scene, flow, NOT_APPLICABLE, sentence)
        return
    targets = [flow.destinations] if flow.any_destination else [(role,) for role in flow.destinations]
    for source in flow.sources:
        for destinations in targets:
            yield from _roles(scene, flow, required, source, destinations)


def _roles(
    scene: Scene, flow: Flow, required: Required, source: str, destinations: tuple[str, ...]
) -> Iterator[Finding]:
    bound = [name for name in destinations if scene.roles[name].bound]
    if not scene.roles[source].bound or not bound:
        missing = [] if scene.roles[source].bound else [source]
        missing += [] if bound else list(destinations)
        yield from unbound(scene, flow, missing, source, destinations)
        return
    apart = flow.any_destination
    sides = [parties(scene.roles[name], apart=apart) for name in bound]
    starts = crowds(scene.asking, scene.meant(parties(scene.roles[source])))
    ends = [crowd for side in sides for crowd in crowds(scene.asking, side if apart else scene.meant(side))]
    ends = [replace(crowd, number=at) for at, crowd in enumerate(ends)]
    role = " or ".join(bound)
    for wanted in wanted_services(flow):
        pairs = list(_pairs(required, starts, ends, wanted, flow.any_destination))
        if not pairs:
            sentence = f"{source} is a single machine here; there is no other to talk to"
            yield from bare(scene, flow, NOT_APPLICABLE, sentence, wanted.text, (source,), destinations)
        for together in group(pairs):
            yield _finding(scene, flow, wanted, source, role, together)


def _pairs(
    required: Required, starts: tuple[Crowd, ...], ends: list[Crowd], wanted: Wanted, any_destination: bool
) -> Iterator[Judged]:
    for start in starts:
        found: list[Judged] = []
        for end in ends:
            pair = _different(start, end)
            if pair is not None:
                found.append(Judged(start, end, _best([required.pair(*pair, one) for one in wanted.services])))
        if any_destination and found:
            found = [_if_there(one) for one in found]
            verdicts = {one.answer.verdict for one in found}
            best = next(v for v in (SATISFIED, NOT_APPLICABLE, UNDETERMINED, VIOLATED) if v in verdicts)
            if best == NOT_APPLICABLE and verdicts != {NOT_APPLICABLE}:
                best = UNDETERMINED if UNDETERMINED in verdicts else VIOLATED
            found = [one for one in found if one.answer.verdict == best]
        yield from found


def _if_there(judged: Judged) -> Judged:
    """One of several destinations is no proof where it may not be there, or may not be one of them."""
    end = judged.destination.first
    if judged.answer.verdict != SATISFIED or not isinstance(end, Machine) or end.sure:
        return judged
    unknown = tuple(reason.sentence() for reason in end.reasons)
    sentence = f"it isn't certain that {end.endpoint.name or end.endpoint.id} takes part"
    return replace(judged, answer=replace(judged.answer, verdict=UNDETERMINED, unknown=unknown, sentence=sentence))


def _different(start: Crowd, end: Crowd) -> tuple[Machine | Plain, Machine | Plain] | None:
    """One member of each that aren't the same machine, or None where both are one and the same."""
    for source in start.members[:2]:
        for destination in end.members[:2]:
            if not (
                isinstance(source, Machine)
                and isinstance(destination, Machine)
                and source.endpoint.id == destination.endpoint.id
            ):
                return source, destination
    return None


def _best(answers: list[Answer]) -> Answer:
    """Of alternatives, the one that decides: a satisfied one if there is one; violated only if all are."""
    if len(answers) == 1:
        return answers[0]
    for verdict in (SATISFIED, NOT_APPLICABLE):
        for chosen, answer in enumerate(answers):
            if answer.verdict == verdict:
                return replace(answer, chosen=chosen)
    unsure = [answer for answer in answers if answer.verdict == UNDETERMINED] or answers
    return replace(
        unsure[0],
        chosen=answers.index(unsure[0]),
        lost=tuple(part for answer in unsure for part in answer.lost),
        unknown=tuple(dict.fromkeys(text for answer in unsure for text in answer.unknown)),
        blockers=distinct(one for answer in unsure for one in answer.blockers),
        rules=tuple(dict.fromkeys(one for answer in unsure for one in answer.rules)),
    )


def _finding(scene: Scene, flow: Flow, wanted: Wanted, source: str, destination: str, found: Group) -> Finding:
    answers = [pair.answer for pair in found.pairs]
    begun = scene.finding(
        flow,
        found.verdict,
        _side(scene, source, found.sources),
        _side(scene, destination, found.destinations),
        wanted.text,
        answers[0].sentence or f"{source} reaches {destination} on {wanted.text}",
    )
    lanes, left = _lanes(scene, found)
    notes = [*begun.notes, *(note for answer in answers for note in answer.notes)]
    if left:
        notes.append(f"more than {MOST_LANES} missing lanes; the rest isn't listed")
    return replace(
        begun,
        missing=lanes,
        layers=in_order(layer for answer in answers for layer in answer.layers),
        blocked_by=distinct(one for answer in answers for one in answer.blockers),
        rules=tuple(dict.fromkeys(one for answer in answers for one in answer.rules)),
        witness=_witness(found, wanted),
        unknown=tuple(dict.fromkeys(text for answer in answers for text in answer.unknown)),
        notes=tuple(dict.fromkeys(notes)),
        trace=_trace(scene, found, wanted),
    )


def _side(scene: Scene, role: str, members: tuple[Crowd, ...]) -> Side:
    plain = EMPTY
    for crowd in members:
        if isinstance(crowd.first, Plain):
            plain = plain | crowd.first.may
    return scene.side(role, [one.endpoint for crowd in members for one in crowd.machines], plain)


def _lanes(scene: Scene, found: Group) -> tuple[tuple[Lane, ...], bool]:
    """What is missing between all pairs of the group, and whether some of it had to be left out."""
    lanes: dict[Lane, None] = {}
    for pair in found.pairs:
        for far, services in pair.answer.lost:
            for lane in _of_pair(scene, pair, far, services):
                if len(lanes) >= MOST_LANES:
                    return tuple(lanes), True
                lanes[lane] = None
    return tuple(lanes), False


def _of_pair(scene: Scene, pair: Judged, far: int | IntervalSet, services: IntervalSet) -> Iterator[Lane]:
    names = scene.names
    if isinstance(far, int):
        for target in pair.destination.machines:
            for one in pair.source.machines:
                if one.endpoint.id != target.endpoint.id:
                    place = IntervalSet.of(one.endpoint.addresses[far].place)
                    yield from lanes_into(names, place, services, target.endpoint)
    elif pair.destination.machines:
        for target in pair.destination.machines:
            yield from lanes_into(names, far, services, target.endpoint)
    else:
        for one in pair.source.machines:
            yield from lanes_out(names, one.endpoint, services, far)


def _witness(found: Group, wanted: Wanted) -> Witness | None:
    """A packet of the first pair: one that is missing, or one that shows that it works."""
    if found.verdict == NOT_APPLICABLE:
        return None
    pair = found.pairs[0]
    both = _different(pair.source, pair.destination)
    if both is None:
        return None
    start, end = both
    far, services = pair.answer.lost[0] if pair.answer.lost else (None, wanted.services[pair.answer.chosen])
    source: int | None = None
    target: int | None = None
    if isinstance(start, Machine):
        own = start.endpoint.addresses
        if isinstance(far, int):
            source = own[far].place
        elif isinstance(end, Plain):
            target = example(far if far is not None else end.may)
            address = of_family(start.endpoint, None if target is None else IntervalSet.of(target))
            source = None if address is None else address.place
        elif own:
            source = own[0].place
        ports = start.endpoint.client_ports or EPHEMERAL
    else:
        source, ports = example(far if isinstance(far, IntervalSet) else start.may), EPHEMERAL
    if isinstance(end, Machine):
        family = None if source is None or source >= SYMBOLIC else (IPV4 if source in IPV4 else IPV6)
        address = of_family(end.endpoint, family)
        target = None if address is None else address.place
    return packet(source, target, services.first, ports)


def _trace(scene: Scene, found: Group, wanted: Wanted) -> str | None:
    if found.verdict == NOT_APPLICABLE:
        return None
    both = _different(found.pairs[0].source, found.pairs[0].destination)
    if both is None:
        return None
    lost = found.pairs[0].answer.lost
    far = lost[0][0] if lost and found.verdict == VIOLATED else None
    start, end = (
        scene.names.endpoint(one.endpoint)
        if isinstance(one, Machine)
        else next(iter(single_cidrs(far if isinstance(far, IntervalSet) else one.may, 64)), "internet")
        for one in both
    )
    chosen = found.pairs[0].answer.chosen
    return scene.trace(start, end, wanted.services[chosen], wanted.text.split(" or ")[chosen])


def bare(
    scene: Scene,
    flow: Flow,
    verdict: str,
    sentence: str,
    service: str | None = None,
    sources: tuple[str, ...] | None = None,
    destinations: tuple[str, ...] | None = None,
) -> Iterator[Finding]:
    """Findings without traffic, one for each service: the roles with what is bound to them; all roles and services of
    the flow where none are given."""
    start = role_side(scene, flow.sources if sources is None else sources)
    end = role_side(scene, flow.destinations if destinations is None else destinations)
    for text in (service,) if service is not None else wanted_texts(flow):
        yield scene.finding(flow, verdict, start, end, text, sentence)


def role_side(scene: Scene, roles: tuple[str, ...]) -> Side:
    """All that is bound to these roles, as one side."""
    bound = [scene.roles[name] for name in roles if name in scene.roles]
    plain = EMPTY
    for one in bound:
        plain = plain | one.may
    return scene.side(" or ".join(roles) or None, [e for one in bound for e in one.everybody], plain)


def unbound(
    scene: Scene, flow: Flow, missing: list[str], source: str | None, destinations: tuple[str, ...]
) -> Iterator[Finding]:
    """The findings of a flow whose `missing` roles have nothing bound to them, one for each service."""
    managed = flow.managed or any(scene.roles[role].role.managed for role in missing)
    stated = [role for role in missing if scene.roles[role].stated]
    listed = " and ".join(f"`{role}`" for role in missing)
    if managed:
        verdict, sentence = NOT_APPLICABLE, f"the vendor's platform opens this itself, and nothing is bound to {listed}"
    elif stated:
        texts = "; ".join(one.text for role in stated for one in scene.roles[role].empty)
        verdict, sentence = (
            "unbound",
            f"the selectors of {listed} bind nothing: {texts}" if texts else f"{listed} has no selectors",
        )
    else:
        verdict, sentence = (
            "unbound",
            f"nothing is bound to {listed}; say under `roles` of deployment {scene.deployment} what stands for it",
        )
    start = role_side(scene, (source,)) if source is not None else Side(None, (), ())
    end = role_side(scene, destinations)
    for text in wanted_texts(flow):
        yield scene.finding(flow, verdict, start, end, text, sentence)


def wanted_texts(flow: Flow) -> tuple[str, ...]:
    """Each service by itself as a text; where one of them is enough, all as one."""
    return tuple(wanted.text for wanted in wanted_services(flow))
