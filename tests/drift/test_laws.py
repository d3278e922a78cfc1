"""Laws of a comparison, on random networks: it finds what asking about every pair finds, whatever it passed over."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from random import Random

import pytest

from lint.drift import Drift, compare
from lint.drift.result import INTERNET, PRIVATE, ReachChange
from lint.graph.graph import RuleGraph
from lint.graph.rules import Addresses
from lint.reach import Engine, Party, between
from lint.space.addresses import REAL
from lint.space.traffic import EMPTY_TRAFFIC, TrafficSet
from tests.simulator.generate import Builder, blur

SEEDS = range(30)
Sets = dict[tuple[str, str], TrafficSet]


@pytest.fixture(autouse=True)
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks have few pairs; alike ones are looked for all the same."""
    monkeypatch.setattr("lint.drift.comparison._FEW_PAIRS", 0)


def told(changes: tuple[ReachChange, ...]) -> Sets:
    """What a comparison says of pairs of endpoints, certain or not."""
    found: Sets = defaultdict(lambda: EMPTY_TRAFFIC)
    for change in changes:
        if {change.source, change.destination}.isdisjoint({INTERNET, PRIVATE}):
            found[change.source, change.destination] |= change.traffic
    return dict(found)


def everything(drift: Drift) -> tuple[object, object]:
    """Opened and closed without the rules and causes, which are named from either side."""

    def bare(changes: tuple[ReachChange, ...]) -> object:
        return {(c.source, c.destination, c.traffic, c.certain) for c in changes}

    return bare(drift.opened), bare(drift.closed)


def asked(old: RuleGraph, new: RuleGraph) -> tuple[Sets, Sets]:
    """The same, by asking both graphs about every pair."""
    engines = Engine(old), Engine(new)
    opened: Sets = {}
    closed: Sets = {}
    for source in old.endpoints:
        for destination in old.endpoints:
            if source == destination:
                continue
            before, after = (
                between(engine, Party(source, endpoint=source), Party(destination, endpoint=destination))
                for engine in engines
            )
            for found, one, other in ((opened, before, after), (closed, after, before)):
                more = (other.allowed.must - one.allowed.must) | (other.delivered.must - one.delivered.must)
                if more:
                    found[source, destination] = more
    return opened, closed


def mutated(graph: RuleGraph, random: Random) -> RuleGraph:
    """Some rules less, some machines with other groups, perhaps another route."""
    filters = {
        key: replace(one, rules=tuple(rule for rule in one.rules if random.random() < 0.8))
        if random.random() < 0.4
        else one
        for key, one in graph.filters.items()
    }
    tables = {
        key: replace(one, routes=one.routes[:-1]) if one.routes and random.random() < 0.15 else one
        for key, one in graph.route_tables.items()
    }
    peerings = {
        key: replace(one, active=False) if random.random() < 0.15 else one for key, one in graph.peerings.items()
    }
    return replace(graph, filters=filters, route_tables=tables, peerings=peerings)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_graph_does_not_differ_from_itself(seed: int) -> None:
    random = Random(seed)
    graph = Builder(random).build()
    for one in (graph, blur(graph, random).blurred):
        drift = compare(one, one)
        assert drift.empty
        assert not drift.doubtful


@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_of_endpoints_change_exactly_as_asking_about_each_pair_says(seed: int) -> None:
    random = Random(seed)
    old = Builder(random).build()
    new = mutated(old, random)
    opened, closed = asked(old, new)
    drift = compare(old, new)
    assert told(drift.opened) == opened
    assert told(drift.closed) == closed
    assert all(
        change.certain
        for change in (*drift.opened, *drift.closed)
        if {change.source, change.destination}.isdisjoint({INTERNET, PRIVATE})
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_what_one_way_opens_the_other_way_closes(seed: int) -> None:
    random = Random(seed)
    old = Builder(random).build()
    new = mutated(old, random)
    if seed % 2:
        old, new = blur(old, random).blurred, blur(new, random).blurred
    opened, closed = everything(compare(old, new))
    assert everything(compare(new, old)) == (closed, opened)


@pytest.mark.parametrize("seed", SEEDS)
def test_knowing_less_of_the_same_network_is_no_certain_change(seed: int) -> None:
    random = Random(seed)
    truth = Builder(random).build()
    drift = compare(blur(truth, random).blurred, truth)
    assert not [change for change in (*drift.opened, *drift.closed) if change.certain]
    assert not [piece for change in drift.filters for piece in (*change.opened, *change.closed) if piece.certain]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_witness_is_a_packet_of_its_change(seed: int) -> None:
    random = Random(seed)
    old = Builder(random).build()
    drift = compare(old, mutated(old, random))
    for change in (*drift.opened, *drift.closed):
        packet = change.witness
        peer = packet.destination if change.by_destination else packet.source
        assert peer is not None
        assert change.traffic.contains(peer, packet.service, packet.source_port)


@pytest.mark.parametrize("seed", SEEDS)
def test_another_source_with_other_ids_and_unknown_addresses_is_no_change(seed: int) -> None:
    """As Terraform before the first apply and the live account after it: the names are all that both have."""
    graph = Builder(Random(seed)).build()
    assert compare(graph, renamed(graph)).empty
    assert compare(renamed(graph), graph).empty


def renamed(graph: RuleGraph) -> RuleGraph:
    """The same network with other ids for machines, groups and filters; names stay."""

    def other(name: str) -> str:
        return f"live-{name}"

    def layers(given: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(replace(one, filters=tuple(other(n) for n in one.filters)) for one in given)

    def peers(given: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(replace(p, group=other(p.group)) if hasattr(p, "group") else p for p in given)

    return replace(
        graph,
        endpoints={
            other(key): replace(
                one,
                id=other(key),
                groups=tuple(map(other, one.groups)),
                layers=layers(one.layers),
                addresses=tuple(
                    replace(a, groups=None if a.groups is None else tuple(map(other, a.groups))) for a in one.addresses
                ),
            )
            for key, one in graph.endpoints.items()
        },
        groups={other(key): replace(one, id=other(key)) for key, one in graph.groups.items()},
        filters={
            other(key): replace(
                one,
                id=other(key),
                rules=tuple(
                    replace(r, peers=peers(r.peers), local=None if r.local is None else peers(r.local))
                    for r in one.rules
                ),
            )
            for key, one in graph.filters.items()
        },
        subnets={key: replace(one, layers=layers(one.layers)) for key, one in graph.subnets.items()},
        forwardings=tuple(
            replace(one, balancer=other(one.balancer), targets=tuple(map(other, one.targets)))
            for one in graph.forwardings
        ),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_splitting_a_rule_is_no_change(seed: int) -> None:
    graph = Builder(Random(seed)).build()

    def split(one: object) -> object:
        rules = []
        for rule in one.rules:
            parts = [rule]
            if len(rule.peers) == 1 and isinstance(rule.peers[0], Addresses) and not one.ordered:
                whole = rule.peers[0].addresses & REAL
                middle = whole.pairs[0][0] + (whole.pairs[0][1] - whole.pairs[0][0]) // 2
                halves = [
                    type(whole)(((whole.pairs[0][0], middle),)),
                    whole - type(whole)(((whole.pairs[0][0], middle),)),
                ]
                parts = [
                    replace(rule, id=f"{rule.id}-{at}", peers=(Addresses(half, f"half {at}"),))
                    for at, half in enumerate(halves)
                    if half
                ]
            rules += parts
        return replace(one, rules=tuple(rules))

    other = replace(graph, filters={key: split(one) for key, one in graph.filters.items()})
    assert compare(graph, other).empty
