"""Load balancers: what passes from a client through a balancer to each of its targets. Knows no cloud."""

from __future__ import annotations

from dataclasses import dataclass

from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Direction, GroupMembers
from lint.graph.topology import Forwarding
from lint.reach.answer import between
from lint.reach.engine import Engine, engine_of
from lint.reach.result import Party, Reach
from lint.space.intervals import EMPTY, IntervalSet


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
