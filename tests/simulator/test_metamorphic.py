"""Changes to a network that must not matter, or must matter in one direction alone."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, Filter, Rule
from lint.reach import Engine, Party, between
from lint.space.bounds import Bounds
from lint.space.intervals import IntervalSet
from tests.simulator.generate import Builder, blur

SEEDS = range(40)


def answers(graph: RuleGraph) -> dict[tuple[str, str], tuple[Bounds, Bounds]]:
    engine = Engine(graph)
    found = {}
    for source in graph.endpoints:
        for destination in graph.endpoints:
            if source != destination:
                reach = between(engine, Party("a", endpoint=source), Party("b", endpoint=destination))
                found[source, destination] = (reach.allowed, reach.delivered)
    return found


def network(seed: int) -> tuple[RuleGraph, Random]:
    """Every other one has unknowns."""
    random = Random(seed)
    graph = Builder(random).build()
    return (blur(graph, random).blurred if seed % 2 else graph), random


def changed(graph: RuleGraph, change: object) -> RuleGraph:
    return replace(graph, filters={key: change(one) for key, one in graph.filters.items()})  # type: ignore[operator]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_in_which_rules_are_written_changes_nothing(seed: int) -> None:
    graph, random = network(seed)

    def shuffled(one: Filter) -> Filter:
        return replace(one, rules=tuple(random.sample(one.rules, len(one.rules))))

    assert answers(graph) == answers(changed(graph, shuffled))


def halves(given: IntervalSet) -> list[IntervalSet]:
    if given.size < 2:
        return [given]
    low, high = given.pairs[0][0], given.pairs[-1][1]
    middle = (low + high) // 2
    parts = [given & IntervalSet.span(low, middle), given & IntervalSet.span(middle + 1, high)]
    return [part for part in parts if part]


@pytest.mark.parametrize("seed", SEEDS)
def test_splitting_a_cidr_or_a_port_range_changes_nothing(seed: int) -> None:
    # Places that aren't known match a CIDR as a whole, so this law is for networks without unknowns.
    graph = Builder(Random(seed)).build()

    def split(one: Filter) -> Filter:
        rules: list[Rule] = []
        for rule in one.rules:
            if rule.services_may is None and rule.services.size > 1 and rule.source_ports.size == 65536:
                # A protocol without parts stays whole.
                for n, part in enumerate(halves(rule.services) if rule.services.size < 65536 else [rule.services]):
                    rules.append(replace(rule, id=f"{rule.id}/{n}", services=part))
            else:
                rules.append(rule)
        out: list[Rule] = []
        for rule in rules:
            peer = rule.peers[0]
            if isinstance(peer, Addresses):
                parts = tuple(Addresses(part, peer.text) for part in halves(peer.addresses))
                out.append(replace(rule, peers=(*parts, *rule.peers[1:])))
            else:
                out.append(rule)
        return replace(one, rules=tuple(out))

    assert answers(graph) == answers(changed(graph, split))


@pytest.mark.parametrize("seed", SEEDS)
def test_adding_an_allow_rule_never_removes_traffic(seed: int) -> None:
    graph, random = network(seed)
    if not any(one.rules for one in graph.filters.values()):
        return
    graph = _without_bypass(graph)
    more = _try(graph, random, Action.ALLOW)
    before, after = answers(graph), answers(more)
    for pair, (allowed, delivered) in before.items():
        assert allowed.must <= after[pair][0].must and allowed.may <= after[pair][0].may, pair
        assert delivered.must <= after[pair][1].must and delivered.may <= after[pair][1].may, pair


@pytest.mark.parametrize("seed", SEEDS)
def test_adding_a_deny_rule_never_adds_traffic(seed: int) -> None:
    graph, random = network(seed)
    if not any(one.ordered and one.rules for one in graph.filters.values()):
        return
    graph = _without_bypass(graph)
    less = _try(graph, random, Action.DENY)
    before, after = answers(graph), answers(less)
    for pair, (allowed, delivered) in after.items():
        assert allowed.must <= before[pair][0].must and allowed.may <= before[pair][0].may, pair
        assert delivered.must <= before[pair][1].must and delivered.may <= before[pair][1].may, pair


def _without_bypass(graph: RuleGraph) -> RuleGraph:
    def plain(one: Filter) -> Filter:
        kept = tuple(replace(rule, action=Action.ALLOW) if rule.action is Action.BYPASS else rule for rule in one.rules)
        return replace(one, rules=kept)

    return changed(graph, plain)


def _try(graph: RuleGraph, random: Random, action: Action) -> RuleGraph:
    with_rules = {
        key: one for key, one in graph.filters.items() if one.rules and (one.ordered or action is Action.ALLOW)
    }
    name = random.choice(sorted(with_rules))
    one = graph.filters[name]
    builder = Builder(random)
    builder.subnet_texts, builder.groups, builder.lists = ["10.0.0.0/24"], list(graph.groups.values()), []
    direction = random.choice(sorted({rule.direction for rule in one.rules}, key=lambda way: way.value))
    priority = random.choice((1, 15, 105, 115, 5000)) if one.ordered else None
    extra = replace(builder.rule(direction, action, priority, groups=False, sides=False), id="added")
    return replace(graph, filters={**graph.filters, name: replace(one, rules=(*one.rules, extra))})
