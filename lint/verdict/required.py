"""Decides required flows: whether all that a document asks for passes. Knows no project and no report."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

from lint.graph.endpoints import Endpoint
from lint.graph.rules import Filter, Rule
from lint.origin import Reason
from lint.reach.result import Hop, Reach
from lint.space.addresses import IPV4, SYMBOLIC
from lint.space.bounds import Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_PORTS
from lint.space.traffic import EMPTY_TRAFFIC, TrafficSet
from lint.verdict.asking import Asking
from lint.verdict.finding import Blocker, RuleAtFault
from lint.verdict.parties import EPHEMERAL, Machine, Party, Plain, any_port, in_families, needed

SATISFIED, VIOLATED, UNDETERMINED, NOT_APPLICABLE = "satisfied", "violated", "undetermined", "not_applicable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one pair of parties gives for one set of services.

    `lost` says what is missing, as pairs of the far side and services. The far side is the index of an address of the
    source endpoint, or plain addresses (of
    the source, or of the destination where the source is the endpoint).
    """

    verdict: str
    lost: tuple[tuple[int | IntervalSet, IntervalSet], ...] = ()
    layers: tuple[str, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    rules: tuple[RuleAtFault, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sentence: str = ""
    chosen: int = 0  # of several services of which one is enough, the one that this is about


class Required:
    """Answers pairs of one graph; pairs that nothing can tell apart are answered once."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._known: dict[Hashable, Answer] = {}
        self._standing: dict[Plain, list[tuple[Endpoint, int]]] = {}

    def pair(self, source: Party, destination: Party, services: IntervalSet) -> Answer:
        """Whether everything of `services` passes from the source to the destination."""
        if isinstance(source, Plain) and isinstance(destination, Plain):
            return Answer(
                NOT_APPLICABLE,
                sentence=f"both {source.text} and {destination.text} are plain addresses; "
                "nothing of this source lies between them",
            )
        answer = self._certain(source, destination, services)
        for party in (source, destination):
            if isinstance(party, Machine) and not party.sure and answer.verdict == VIOLATED:
                answer = replace(
                    answer,
                    verdict=UNDETERMINED,
                    unknown=(*answer.unknown, *(r.sentence() for r in party.reasons)),
                    sentence=f"{answer.sentence}; "
                    f"it isn't certain that {party.endpoint.name or party.endpoint.id} takes part",
                )
        return answer

    def _certain(self, source: Party, destination: Party, services: IntervalSet) -> Answer:
        asking = self._asking
        if isinstance(source, Machine) and isinstance(destination, Machine):
            ports = source.endpoint.client_ports
            key: Hashable = (asking.alike(source.endpoint), asking.alike(destination.endpoint), services, ports)
        elif isinstance(source, Machine):
            assert isinstance(destination, Plain)
            key = (asking.alike(source.endpoint), destination, services, source.endpoint.client_ports)
        else:
            assert isinstance(destination, Machine)
            key = (source, asking.alike(destination.endpoint), services)
        found = self._known.get(key)
        if found is None:
            if isinstance(source, Machine) and isinstance(destination, Machine):
                found = self._machines(source.endpoint, destination.endpoint, services)
            elif isinstance(source, Machine):
                assert isinstance(destination, Plain)
                found = self._outward(source.endpoint, destination, services)
            else:
                assert isinstance(source, Plain) and isinstance(destination, Machine)
                found = self._inward(source, destination.endpoint, services)
            self._known[key] = found
        return found

    def _machines(self, source: Endpoint, destination: Endpoint, services: IntervalSet) -> Answer:
        own = {address.family for address in destination.addresses}
        shared = [i for i, a in enumerate(source.addresses) if a.family in own]
        indexes = shared or list(range(len(source.addresses)))
        if not source.addresses or not destination.addresses:
            bare = source if not source.addresses else destination
            reason = Reason(f"no address of {bare.name or bare.id} is known", origin=bare.origin)
            return Answer(UNDETERMINED, unknown=(reason.sentence(),), sentence=reason.text)
        reach = self._asking.between(source, destination, services)
        places = IntervalSet.of(*(source.addresses[i].place for i in indexes))
        answer = self._judge(reach, places, services, source.client_ports or EPHEMERAL)
        lost = tuple(
            (i, gone)
            for i in indexes
            if (
                gone := _union(
                    s for at, s in answer.lost if not isinstance(at, int) and source.addresses[i].place in at
                )
            )
        )
        return replace(answer, lost=lost)

    def _inward(self, source: Plain, destination: Endpoint, services: IntervalSet) -> Answer:
        may = in_families(source.may, destination)
        must = source.must & may
        reach = self._asking.from_addresses(may, source.text, destination, services)
        answer = self._judge(reach, may, services, EPHEMERAL, "source")
        if answer.verdict == VIOLATED and must != may:
            certain = self._judge(reach, must, services, EPHEMERAL) if must else None
            none_passes = not reach.allowed.may.restrict(may, services)
            if (certain is None or certain.verdict != VIOLATED) and not none_passes:
                answer = replace(answer, verdict=UNDETERMINED)
        return _also_unknown(answer, source.reasons)

    def _outward(self, source: Endpoint, destination: Plain, services: IntervalSet) -> Answer:
        may = in_families(destination.may, source)
        must = destination.must & may
        out = self._asking.outbound(source, services)
        ports = source.client_ports or EPHEMERAL
        answer = self._weigh(out.allowed, may, services, ports)
        if answer.verdict == VIOLATED and must != may:
            certain = self._weigh(out.allowed, must, services, ports) if must else None
            none_passes = not out.allowed.may.restrict(may, services)
            if (certain is None or certain.verdict != VIOLATED) and not none_passes:
                answer = replace(answer, verdict=UNDETERMINED)
        if answer.verdict == SATISFIED:
            return self._with_receivers(replace(answer, layers=tuple(out.layers)), source, destination, services)
        reach = self._asking.to_addresses(source, may, destination.text, services)
        answer = self._explained(answer, reach, ports, "destination")
        answer = self._with_receivers(answer, source, destination, services)
        return _also_unknown(answer, destination.reasons)

    def _with_receivers(self, answer: Answer, source: Endpoint, destination: Plain, services: IntervalSet) -> Answer:
        """The answer with what known machines at the destination's addresses refuse themselves."""
        if answer.verdict == VIOLATED:
            return answer
        ports = source.client_ports or EPHEMERAL
        for receiver, place in self._receivers(destination):
            if receiver.id == source.id:
                continue
            here = IntervalSet.of(place)
            own = in_families(here, source)
            sender = IntervalSet.of(
                *(a.place for a in source.addresses if (a.family == 4) == (not here.isdisjoint(IPV4)))
            )
            if not own or not sender:
                continue
            reach = self._asking.to_addresses(source, here, receiver.name or receiver.id, services)
            one = self._weigh(reach.allowed, sender, services, ports)
            if one.verdict == SATISFIED:
                continue
            lost = _union(gone for _, gone in one.lost)
            one = self._explained(replace(one, lost=((here, lost),)), reach, ports, "destination")
            certain = one.verdict == VIOLATED and receiver.exists and here <= destination.must
            answer = replace(
                one,
                verdict=VIOLATED if certain else UNDETERMINED,
                lost=(*answer.lost, (here, lost)),
                layers=tuple(dict.fromkeys((*answer.layers, *one.layers))),
                unknown=tuple(
                    dict.fromkeys((*answer.unknown, *one.unknown, *(r.sentence() for r in receiver.reasons)))
                ),
            )
            if certain:
                return replace(answer, lost=((here, lost),))
        return answer

    def _receivers(self, destination: Plain) -> list[tuple[Endpoint, int]]:
        """A machine of each kind that stands at one of these addresses, with the address."""
        found = self._standing.get(destination)
        if found is None:
            kinds: dict[Hashable, tuple[Endpoint, int]] = {}
            for endpoint in self._asking.graph.endpoints.values():
                for address in endpoint.addresses:
                    if address.place < SYMBOLIC and address.place in destination.may:
                        kind = (self._asking.alike(endpoint), address.place in destination.must)
                        kinds.setdefault(kind, (endpoint, address.place))
            found = self._standing[destination] = list(kinds.values())
        return found

    def _judge(
        self, reach: Reach, places: IntervalSet, services: IntervalSet, ports: IntervalSet, by: str = ""
    ) -> Answer:
        answer = self._weigh(reach.allowed, places, services, ports)
        if answer.verdict == SATISFIED:
            return replace(answer, layers=reach.layers, notes=reach.notes)
        return self._explained(answer, reach, ports, by)

    def _explained(self, answer: Answer, reach: Reach, ports: IntervalSet, by: str) -> Answer:
        """The answer with what stops it, or what isn't known. `by`: which side of the paths tells apart what is
        missing."""
        missing = _traffic(answer.lost, ports)
        blockers, rules = self._blame(_concerned(reach, missing, by), answer.verdict)
        unknown: tuple[str, ...] = ()
        if answer.verdict == UNDETERMINED:
            every = tuple(hop for path in reach.paths for hop in path.hops)
            reasons = (*reach.reasons, *(r for path in reach.paths for r in path.reasons))
            unknown = _unknowns(reasons, every, missing)
        return replace(
            answer,
            layers=reach.layers,
            notes=reach.notes,
            blockers=blockers,
            rules=rules,
            unknown=tuple(dict.fromkeys((*answer.unknown, *unknown))),
            sentence=answer.sentence or _sentence(answer.verdict, blockers, unknown),
        )

    def _weigh(self, allowed: Bounds, places: IntervalSet, services: IntervalSet, ports: IntervalSet) -> Answer:
        """The verdict alone, with what is missing."""
        need = needed(places, services, ports)
        if need <= allowed.must:
            return Answer(SATISFIED)
        none_back = need - any_port(need & allowed.may, ports)
        if none_back:
            return Answer(VIOLATED, _lost(none_back))
        unproven = need - allowed.must
        some_lost = need - allowed.may
        if some_lost:
            gone = _union(p for _, _, p in some_lost.boxes())
            text = _ranges(gone)
            return Answer(
                UNDETERMINED,
                _lost(unproven),
                unknown=(
                    f"which source ports the client uses: traffic with source port {text} doesn't get through; "
                    "say it with `client_ports`",
                ),
                sentence=f"it depends on the client's source port: {text} doesn't get through",
            )
        return Answer(UNDETERMINED, _lost(unproven))

    def _blame(
        self, ways: Iterable[tuple[Iterable[Hop], TrafficSet]], verdict: str
    ) -> tuple[tuple[Blocker, ...], tuple[RuleAtFault, ...]]:
        """Each hop that loses some of what is missing on its way, with its rules; the first comes first."""
        blockers: list[Blocker] = []
        rules: list[RuleAtFault] = []
        for hops, missing in ways:
            for hop in hops:
                passed = hop.allowed.may if verdict == VIOLATED else hop.allowed.must
                if missing <= any_port_of(missing, passed):
                    continue
                one = self._asking.graph.filters.get(hop.filter)
                origin = hop.origin or (one.origin if one is not None else None)
                blockers.append(Blocker(hop.layer, hop.direction, hop.filter or hop.name, origin, hop.sentence))
                rules += at_fault(one, hop)
        return distinct(blockers), tuple(dict.fromkeys(rules))


def _also_unknown(answer: Answer, reasons: Iterable[Reason]) -> Answer:
    """An undetermined answer with more reasons, the first of which is its sentence where it has no other."""
    more = tuple(reason.sentence() for reason in reasons)
    if answer.verdict != UNDETERMINED or not more:
        return answer
    sentence = answer.sentence if answer.unknown else f"not determined: {more[0]}"
    return replace(answer, unknown=tuple(dict.fromkeys((*answer.unknown, *more))), sentence=sentence)


def _concerned(reach: Reach, missing: TrafficSet, by: str) -> list[tuple[Iterable[Hop], TrafficSet]]:
    """The paths that the missing traffic would take, each with its part of it; private ones where there are any."""
    found: list[tuple[Iterable[Hop], TrafficSet]] = []
    for via in ("private", "public"):
        for path in reach.paths:
            if path.via != via:
                continue
            seen = path.source_seen if by == "source" else path.destination
            part = missing.restrict(seen) if by and seen else missing
            if part:
                found.append((path.hops, part))
        if found and not by:
            break
    return found


def any_port_of(missing: TrafficSet, passed: TrafficSet) -> TrafficSet:
    """What of the missing traffic gets through with one source port at least."""
    return any_port(missing & passed, ALL_PORTS)


def distinct(blockers: Iterable[Blocker]) -> tuple[Blocker, ...]:
    """Each component once, with the first sentence about it."""
    found: dict[tuple[str, str, str], Blocker] = {}
    for one in blockers:
        found.setdefault((one.layer, one.direction, one.filter), one)
    return tuple(found.values())


def at_fault(one: Filter | None, hop: Hop) -> list[RuleAtFault]:
    """The rules of a hop that make it lose traffic; the filter itself where it only lacks one."""
    if one is None:
        return []
    denying = [rule for rule in hop.rules if rule.action.value == "deny" and not rule.implied]
    unsure = [rule for rule in hop.rules if rule.reasons]
    chosen = denying or unsure
    if chosen:
        return [rule_at_fault(rule, one) for rule in chosen]
    return [RuleAtFault(one.origin.address or one.name, one.origin, one.id)]


def rule_at_fault(rule: Rule, one: Filter | None) -> RuleAtFault:
    """A rule as a finding names it."""
    address = rule.origin.address or (one.origin.address or one.name if one is not None else rule.name)
    return RuleAtFault(address or rule.id, rule.origin, one.id if one is not None else "", rule.id)


def _lost(traffic: TrafficSet) -> tuple[tuple[int | IntervalSet, IntervalSet], ...]:
    by_peers: dict[IntervalSet, IntervalSet] = {}
    for peers, services, _ in traffic.boxes():
        by_peers[peers] = by_peers.get(peers, EMPTY) | services
    return tuple(by_peers.items())


def _traffic(lost: Iterable[tuple[int | IntervalSet, IntervalSet]], ports: IntervalSet) -> TrafficSet:
    found = EMPTY_TRAFFIC
    for places, services in lost:
        if not isinstance(places, int):
            found = found | needed(places, services, ports)
    return found


def _union(sets: Iterable[IntervalSet]) -> IntervalSet:
    found = EMPTY
    for one in sets:
        found = found | one
    return found


def _unknowns(reasons: Iterable[Reason], hops: Iterable[Hop], missing: TrafficSet) -> tuple[str, ...]:
    """Why it isn't known whether the missing traffic passes: the hops' reasons where they have some, else all that
    were given."""
    found: list[str] = []
    for hop in hops:
        if missing <= hop.allowed.must:
            continue
        found += [r.sentence() for r in hop.reasons]
        found += [r.sentence() for rule in hop.rules for r in rule.reasons]
    found += [r.sentence() for r in reasons]
    return tuple(dict.fromkeys(found))


def _sentence(verdict: str, blockers: tuple[Blocker, ...], unknown: tuple[str, ...]) -> str:
    if verdict == VIOLATED:
        if not blockers:
            return "each step lets something through, but nothing gets through all of them"
        first = blockers[0]
        if first.sentence:
            return first.sentence
        where = f" ({first.origin.where()})" if first.origin is not None and first.origin.file else ""
        return f"{first.filter or first.layer} doesn't let it through{where}"
    return f"not determined: {unknown[0]}" if unknown else "not determined"


def _ranges(ports: IntervalSet) -> str:
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ports.pairs)
