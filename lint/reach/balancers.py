"""Load balancers: what passes from a client through a balancer to each of its targets. Knows no cloud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Direction, GroupMembers
from lint.graph.topology import Forwarding
from lint.origin import Reason
from lint.reach.answer import admitting, between, inbound
from lint.reach.engine import Engine, engine_of
from lint.reach.result import Inbound, Party, Reach
from lint.space.addresses import EVERYWHERE
from lint.space.bounds import Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.traffic import EMPTY_TRAFFIC, TrafficSet


@dataclass(frozen=True, slots=True)
class Forwarded:
    """One way through a balancer to one target.

    `front`: the client to the balancer (None where there is no interface between: translation). `back`: what the
    target's side says, asked with the client or with the balancer as its source, as the balancer shows itself.
    `back_other` is the second reading where it isn't known which.
    """

    forwarding: Forwarding
    target: str
    front: Reach | None
    back: Reach
    back_other: Reach | None = None

    @property
    def verdict(self) -> str:
        """allowed, blocked, partial or undetermined, of the whole way."""
        parts = [self.back.verdict] if self.front is None else [self.front.verdict, self.back.verdict]
        if self.back_other is not None and self.back_other.verdict != self.back.verdict:
            parts.append("undetermined")
        for word in ("blocked", "undetermined", "partial"):
            if word in parts:
                return word
        return "allowed"


def through_balancer(
    graph: RuleGraph | Engine, client: Party, balancer: str, services: IntervalSet | None = None
) -> tuple[Forwarded, ...]:
    """Every way from a client through a balancer's listeners to its targets."""
    engine = engine_of(graph)
    found: list[Forwarded] = []
    front_party = Party(balancer, endpoint=balancer)
    for one in engine.graph.forwardings:
        listen = one.listen if services is None else one.listen & services
        if one.balancer != balancer or not listen:
            continue
        translated = one.translate
        front = None if translated else between(engine, client, front_party, listen)
        behind = one.services or listen
        for target in one.targets:
            if target not in engine.graph.endpoints:
                continue
            end = Party(target, endpoint=target)
            as_client = between(engine, client, end, behind)
            if not translated and one.preserves_client and behind <= _naming_balancer(engine, balancer, target):
                # A rule that names the balancer's group matches although the client's address is kept: AWS
                # documentation, "Security groups for Network Load Balancers".
                found.append(Forwarded(one, target, front, between(engine, front_party, end, behind)))
                continue
            if translated or one.preserves_client:
                found.append(Forwarded(one, target, front, as_client))
                continue
            as_balancer = between(engine, front_party, end, behind)
            other = None if one.preserves_client is False else as_client
            found.append(Forwarded(one, target, front, as_balancer, other))
    return tuple(found)


def passed_on(
    graph: RuleGraph | Engine, target: str, services: IntervalSet, peers: IntervalSet | None = None
) -> Iterator[Inbound]:
    """What reaches a target over balancers that keep the client's address: the sender opens its connection to the
    balancer, and the target has it on a service of its own.

    Where the balancer has an interface between, what the target's filters then let in is at most this.
    """
    engine = engine_of(graph)
    here = engine.graph.endpoints[target]
    for one in engine.graph.forwardings:
        behind = (one.services or one.listen) & services
        if one.preserves_client is False or target not in one.targets or one.balancer == target or not behind:
            continue
        if one.balancer not in engine.graph.endpoints:
            continue
        found = inbound(engine, one.balancer, one.listen if one.services else behind, peers, explained=False)
        others = EVERYWHERE - _places(engine.graph.endpoints[one.balancer]) - _places(here)
        exact = one.translate and not one.reasons and (not one.services or one.services.size == 1)
        may = _behind(found.allowed.may, one, behind).restrict(others)
        must = _behind(found.allowed.must, one, behind).restrict(others) if exact else EMPTY_TRAFFIC
        reasons = (*found.reasons, *one.reasons)
        rules = tuple((rule, name, _behind(traffic, one, behind)) for rule, name, traffic in found.rules)
        if not one.translate:
            own = {name for layer in here.layers for name in layer.filters}
            rules = tuple(found for found in admitting(engine, here, Direction.INGRESS, may) if found[1] in own)
            if own and not any(layer.open for layer in here.layers) and not _open(engine, own):
                may = may & TrafficSet.union_of(box for _, _, traffic in rules for box in traffic.boxes())
            said = f"{one.balancer} passes connections on to {target} with the client's address"
            reasons = (*reasons, Reason(said, "graph.balancer", one.origin, "judge the balancer as a party of its own"))
        if may:
            yield Inbound(target, Bounds(must, may), rules, found.layers, tuple(dict.fromkeys(reasons)))


def _places(endpoint: Endpoint) -> IntervalSet:
    return IntervalSet.of(*(place for a in endpoint.addresses for place in (a.place, a.public) if place is not None))


def _behind(traffic: TrafficSet, forwarding: Forwarding, behind: IntervalSet) -> TrafficSet:
    """What arrives at a balancer in terms of the services that its target has it on."""
    if not forwarding.services:
        return traffic.restrict(services=behind)
    return TrafficSet.union_of((senders, behind, ports) for senders, _, ports in traffic.boxes())


def _open(engine: Engine, names: set[str]) -> bool:
    """Whether one of these filters may hold rules that aren't shown."""
    held = [engine.graph.filters.get(name) for name in names]
    return any(one is None or one.open_ingress for one in held)


def _naming_balancer(engine: Engine, balancer: str, target: str) -> IntervalSet:
    """The services that the target's rules allow to the balancer's groups by name."""
    groups = engine.graph.endpoints[balancer].groups if balancer in engine.graph.endpoints else ()
    found = [
        rule.services
        for layer in engine.graph.endpoints[target].layers
        for name in layer.filters
        if name in engine.graph.filters
        for rule in engine.graph.filters[name].rules
        if rule.direction is Direction.INGRESS
        and rule.action is Action.ALLOW
        and rule.exists
        and any(isinstance(peer, GroupMembers) and peer.group in groups for peer in rule.peers)
    ]
    return IntervalSet.union_of([EMPTY, *found])
