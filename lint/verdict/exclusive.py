"""Decides exclusive flows: whether anybody but the documented peers reaches a role. Knows no project and no report."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

from lint.graph.endpoints import Endpoint
from lint.graph.rules import Action, Addresses, Direction, GroupMembers, UnknownPeer
from lint.origin import Reason
from lint.packs.model import Flow, services_of
from lint.space.addresses import IPV4, IPV6, PUBLIC, REAL, SYMBOLIC
from lint.space.bounds import Bounds
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_SERVICES
from lint.space.traffic import EMPTY_TRAFFIC, TrafficSet
from lint.verdict.asking import Asking
from lint.verdict.documented import NOBODY, Documented, documented
from lint.verdict.excess import Excess, RuleTraffic, finish, listed, one_peer, peers_sentence, rules_sentence
from lint.verdict.finding import Finding, Side
from lint.verdict.parties import Machine, crowds, parties
from lint.verdict.required import NOT_APPLICABLE, SATISFIED, VIOLATED
from lint.verdict.scene import Scene
from lint.verdict.write import bare, unbound

_ELSEWHERE = Reason("an address of a documented party isn't known yet, and it may be one of these")
# No party that a document names has more public addresses than these: a /8 of IPv4, a /20 of IPv6.
_MOST_OF_A_PARTY = ((PUBLIC & IPV4, 2**24), (PUBLIC & IPV6, 2**108))


def findings(scene: Scene, flow: Flow) -> Iterator[Finding]:
    """The findings of one exclusive flow: by role, by service, by endpoints with the same filters and verdict."""
    graph = scene.asking.graph
    known = NOBODY if flow.host_local else documented(graph, scene.roles, flow.sources)
    for role in flow.destinations:
        bound = scene.roles[role]
        if not bound.bound:
            yield from unbound(scene, flow, [role], None, (role,))
            continue
        if not bound.everybody:
            sentence = f"{role} is bound to plain addresses; no filter of this source stands before them"
            yield from bare(scene, flow, NOT_APPLICABLE, sentence, destinations=(role,))
            continue
        public = flow.against == "public" or bound.role.shared or scene.strictness == "internet"
        for text, services in services_of(flow):
            found: list[tuple[Excess, int]] = []
            for crowd in crowds(scene.asking, scene.meant(parties(bound))):
                if crowd.machines:
                    found += [(one, crowd.guarded) for one in excess_of(scene, crowd.machines, services, known, public)]
            yield from _by_filters(scene, flow, role, text, known, found)


def excess_of(
    scene: Scene, machines: tuple[Machine, ...], services: IntervalSet, known: Documented, public: bool
) -> Iterator[Excess]:
    """What undocumented peers reach at each of these machines, which nothing can tell apart."""
    hidden = scene.asking.public_places if public else IntervalSet.span(SYMBOLIC, SYMBOLIC + 2**33)
    universe = PUBLIC if public else REAL
    # Where only public addresses count, nobody else is asked about: unknowns of private networks are no reason then.
    inbound = scene.asking.inbound(machines[0].endpoint, services, universe | hidden if public else None)
    rules: tuple[RuleTraffic, ...] = tuple(inbound.rules)
    named = _named_places(rules) & hidden
    must = inbound.allowed.must.restrict((universe | named) - known.may, services)
    may = inbound.allowed.may.restrict((universe | named) - known.must, services)
    certain = _certain(must, known)
    open_ = (_ELSEWHERE,) if certain != must else ()
    must = certain
    side = scene.asking.side(machines[0].endpoint, Direction.INGRESS) - Bounds.exactly(
        TrafficSet.of(known.may, ALL_SERVICES)
    )
    for one in machines:
        own = _own(one.endpoint)
        platform = scene.asking.platform(one.endpoint)
        mine = _rounded(_without(_by_peers(must, platform), own), own)
        perhaps = _rounded(_without(_by_peers(may, platform), own), own)
        if not public:
            perhaps = perhaps | _among_themselves(scene.asking, one.endpoint, services, known)
        reasons = (*inbound.reasons, *known.reasons, *open_, *one.reasons)
        yield Excess(one.endpoint, mine, perhaps, rules, tuple(inbound.layers), reasons, sure=one.sure, open=side)


def _by_peers(traffic: TrafficSet, platform: IntervalSet) -> TrafficSet:
    """Without stretches that the cloud's own platform addresses fill alone: they are nobody whom a document could name.

    Inside a wider range they stay, so that it reads as the rule names it.
    """
    alone = IntervalSet(pair for pair in traffic.peers().pairs if IntervalSet((pair,)) <= platform)
    return _without(traffic, alone)


def _rounded(traffic: TrafficSet, own: IntervalSet) -> TrafficSet:
    """The machine's own address put back into a range around it: nobody else has it, and the range stays readable."""
    for low, high in (own & REAL).pairs:
        for place in range(low, high + 1):
            around = (traffic.at(place - 1) if place else EMPTY_TRAFFIC), traffic.at(place + 1)
            here = IntervalSet.of(place)
            if around[0] and around[1]:
                traffic = traffic | (around[0].with_peers(here) & around[1].with_peers(here))
    return traffic


def _among_themselves(asking: Asking, endpoint: Endpoint, services: IntervalSet, known: Documented) -> TrafficSet:
    """What machines of unknown number, for which one endpoint stands, may let each other do by naming their group."""
    places = IntervalSet.of(*(a.place for a in endpoint.addresses)) - known.must
    if not (endpoint.hypothetical or not endpoint.exists) or not places:
        return EMPTY_TRAFFIC
    found = EMPTY_TRAFFIC
    for group in endpoint.groups:
        for rule in asking.graph.filters[group].rules if group in asking.graph.filters else ():
            named = any(isinstance(peer, GroupMembers) and peer.group in endpoint.groups for peer in rule.peers)
            if named and rule.direction is Direction.INGRESS and rule.action is not Action.DENY:
                allowed = rule.services if rule.services_may is None else rule.services_may
                found = found | TrafficSet.of(places, allowed & services)
    return found


def _own(endpoint: Endpoint) -> IntervalSet:
    """The endpoint's own addresses, what others would see of it."""
    return IntervalSet.union_of(
        IntervalSet.of(place) for a in endpoint.addresses for place in (a.place, a.public) if place is not None
    )


def _without(traffic: TrafficSet, places: IntervalSet) -> TrafficSet:
    return traffic - TrafficSet.of(places, ALL_SERVICES) if places else traffic


def _certain(must: TrafficSet, known: Documented) -> TrafficSet:
    """What is still certain although some documented addresses aren't known: more addresses than these could be."""
    if not known.somewhere:
        return must
    kept = EMPTY_TRAFFIC
    for peers, services, ports in must.boxes():
        real = peers & REAL
        hidden = sum(1 for within in known.somewhere if not within.isdisjoint(real))
        if real.size > hidden:
            kept = kept | TrafficSet.of(peers, services, ports)
        elif peers - REAL:
            kept = kept | TrafficSet.of(peers - REAL, services, ports)
    return kept


def _named_places(rules: Iterable[RuleTraffic]) -> IntervalSet:
    """Symbolic places that a rule names by identity.

    A place that a rule takes by its address alone needs no look of its own: the address it will have is judged as an
    address.
    """
    found = []
    for rule, _, traffic in rules:
        for peer in rule.peers:
            if isinstance(peer, GroupMembers) or (isinstance(peer, UnknownPeer) and peer.groups is not None):
                found.append(traffic.peers() - REAL)
            elif isinstance(peer, Addresses):
                found.append(peer.addresses - REAL)
            elif isinstance(peer, UnknownPeer) and peer.may.isdisjoint(REAL):
                found.append(peer.may)
    return IntervalSet.union_of(found)


def _by_filters(
    scene: Scene, flow: Flow, role: str, text: str, known: Documented, found: list[tuple[Excess, int]]
) -> Iterator[Finding]:
    groups: dict[Hashable, list[Excess]] = {}
    for excess, guarded in found:
        excess, verdict = with_unbound(excess, known)
        groups.setdefault((verdict, guarded), []).append(excess)
    for key, together in groups.items():
        verdict = key[0] if isinstance(key, tuple) else ""
        yield _finding(scene, flow, role, text, known, str(verdict), together)


def with_unbound(excess: Excess, known: Documented) -> tuple[Excess, str]:
    """The verdict where documented roles aren't bound: only more public addresses than a party has are certainly too
    many. Where so many may reach it and don't certainly, binding the roles would not decide it: undetermined."""
    if not known.unbound or not excess.may:
        return excess, excess.verdict
    broad, perhaps = _broad(excess.must), _broad(excess.may)
    if not perhaps:
        return excess, "unbound"
    narrowed = replace(excess, must=broad)
    return narrowed, narrowed.verdict


def _broad(traffic: TrafficSet) -> TrafficSet:
    """What more public addresses may send than any one party has."""
    found = EMPTY_TRAFFIC
    for peers, services, ports in traffic.boxes():
        if any((family & peers).size > most for family, most in _MOST_OF_A_PARTY):
            found = found | TrafficSet.of(peers, services, ports)
    return found


def _finding(
    scene: Scene, flow: Flow, role: str, text: str, known: Documented, verdict: str, together: list[Excess]
) -> Finding:
    names = scene.names
    machines = [one.endpoint for one in together]
    target = scene.side(role, machines)
    who = names.shown(machines[0]) if len(machines) == 1 else f"{len(machines)} endpoints of {role}"
    only = " and ".join(flow.sources) if flow.sources and not flow.host_local else "nobody"
    if verdict == SATISFIED:
        sentence = (
            f"nobody but {only} reaches {text} of {who}" if only != "nobody" else f"nobody reaches {text} of {who}"
        )
        return finish(scene, scene.finding(flow, verdict, Side(None, (), ()), target, text, sentence), together)
    peers = IntervalSet.union_of(listed(one).peers() for one in together)
    words = rules_sentence(names, together)
    if verdict == "unbound":
        roles = _listing(known.unbound)
        sentence = f"{words} may reach {text} of {who}; bind {roles} to tell whether that is documented"
        begun = scene.finding(flow, verdict, Side(None, (), ()), target, text, sentence)
        return replace(finish(scene, begun, together), excess=())
    names_of_peers = tuple(name for cidr, name in names.sides(peers - REAL) if name)
    cidrs = scene.side(None, (), peers & REAL).addresses
    verb = ("reaches" if one_peer(words) else "reach") if verdict == VIOLATED else "may reach"
    sentence = (
        f"{words} {verb} {text} of {who}; the document names {only} alone"
        if only != "nobody"
        else (f"{words} {verb} {text} of {who}; the document lets nobody from outside do so")
    )
    begun = scene.finding(flow, verdict, Side(None, names_of_peers, cidrs), target, text, sentence)
    return finish(scene, begun, together)


def undocumented_services(scene: Scene) -> Iterator[Finding]:
    """For strictness least-privilege: services that no flow of the pack documents, on the filters of roles with
    exclusive flows."""
    first: dict[str, Flow] = {}
    taken: dict[str, dict[str, IntervalSet]] = {}
    for flow in scene.flows:
        if flow.kind == "forbidden":
            continue
        for role in flow.destinations:
            taken.setdefault(role, {}).update(services_of(flow))
            if flow.kind == "exclusive":
                first.setdefault(role, flow)
    for role, flow in first.items():
        bound = scene.roles[role]
        if bound.role.shared:  # other software legitimately uses its other ports
            continue
        rest = ALL_SERVICES - IntervalSet.union_of(taken[role].values())
        text = "any except " + ", ".join(taken[role])
        found: list[tuple[Excess, int]] = []
        for crowd in crowds(scene.asking, parties(bound)):
            if crowd.machines:
                found += [(one, crowd.guarded) for one in excess_of(scene, crowd.machines, rest, NOBODY, False)]
        groups: dict[tuple[str, int], list[Excess]] = {}
        for excess, guarded in found:
            groups.setdefault((excess.verdict, guarded), []).append(excess)
        for (verdict, _), together in groups.items():
            peers = IntervalSet.union_of(listed(one).peers() for one in together)
            side = Side(None, (), scene.side(None, (), peers & REAL).addresses)
            if verdict == SATISFIED:
                sentence = f"the filters of {role} let in nothing but the documented services"
            else:
                verb = "lets" if verdict == VIOLATED else "may let"
                who = peers_sentence(scene.names, peers)
                sentence = f"a filter of {role} {verb} {who} in on services that no flow documents"
            begun = scene.finding(
                flow, verdict, side, scene.side(role, [one.endpoint for one in together]), text, sentence
            )
            yield finish(scene, begun, together)


def _listing(roles: Iterable[str]) -> str:
    return " and ".join(f"`{role}`" for role in roles)
