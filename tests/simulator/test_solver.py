"""The algebra's sets against a solver's formula: for generated filters, z3 finds no packet on which the two differ."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
import z3

from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Direction, Filter, GroupMembers, NamedAddresses
from lint.reach import Engine
from lint.reach.filters import judge
from lint.reach.reply import answered
from lint.space.addresses import EVERYWHERE, REAL
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES, ICMP, ICMPV6, TCP, UDP, WIDTH
from lint.space.traffic import TrafficSet
from tests.simulator.generate import Builder

PEER, SERVICE, PORT = z3.Ints("peer service source_port")


def member(variable: Any, values: IntervalSet) -> Any:
    return (
        z3.Or([z3.And(variable >= low, variable <= high) for low, high in values.pairs])
        if values
        else z3.BoolVal(False)
    )


def has_ports(service: Any) -> Any:
    return z3.Or(z3.And(service >= n * WIDTH, service < (n + 1) * WIDTH) for n in (TCP, UDP))


def packets() -> Any:
    """All packets whose peer is a real address; protocols without ports have source port 0 alone."""
    inside = z3.And(member(PEER, REAL), member(SERVICE, ALL_SERVICES), member(PORT, ALL_PORTS))
    return z3.And(inside, z3.Or(has_ports(SERVICE), PORT == 0))


def as_formula(traffic: TrafficSet) -> Any:
    return z3.Or(
        [
            z3.And(member(PEER, peers), member(SERVICE, services), member(PORT, ports))
            for peers, services, ports in traffic.boxes()
        ]
    )


def of_filter(engine: Engine, one: Filter, direction: Direction) -> Any:
    """What the filter passes, rule by rule, written without any set operation."""
    graph = engine.graph
    rules = [rule for rule in one.rules if rule.direction is direction]
    if one.ordered:
        rules.sort(key=lambda rule: rule.priority or 0)
    formula: Any = z3.BoolVal(False)
    for rule in reversed(rules):
        sides = []
        for peer in rule.peers:
            if isinstance(peer, GroupMembers):
                places = [
                    address.place == PEER
                    for member_ in graph.endpoints.values()
                    for address in member_.addresses
                    if peer.group in (member_.groups if address.groups is None else address.groups)
                ]
                sides.append(z3.Or(places))
            elif isinstance(peer, NamedAddresses):
                sides.append(member(PEER, graph.address_lists[peer.list].must))
            else:
                sides.append(member(PEER, peer.addresses))  # type: ignore[union-attr]
        ports: Any = member(PORT, rule.source_ports)
        if rule.source_ports != ALL_PORTS:
            ports = z3.And(ports, has_ports(SERVICE))
        matches = z3.And(z3.Or(sides), member(SERVICE, rule.services), ports)
        passes = rule.action is not Action.DENY
        formula = z3.If(matches, passes, formula) if one.ordered else z3.Or(matches, formula)
    return formula


def same(one: Any, other: Any, graph: RuleGraph) -> None:
    """Addresses that two machines share say nothing of who it is; the simulator has them."""
    every = [address.place for end in graph.endpoints.values() for address in end.addresses]
    solver = z3.Solver()
    solver.add(packets(), one != other, *(place != PEER for place in every if every.count(place) > 1))
    assert solver.check() == z3.unsat, solver.model()


@pytest.mark.parametrize("seed", range(25))
def test_the_algebra_and_the_solver_agree_on_every_packet(seed: int) -> None:
    random = Random(seed)
    graph = Builder(random).build()
    engine = Engine(graph)
    checked = 0
    for name in sorted(graph.filters):
        # One side of a rule is enough here; the simulator has both.
        given = graph.filters[name]
        one = replace(given, rules=tuple(replace(rule, local=None) for rule in given.rules))
        for direction in Direction:
            judged = judge(engine.resolved, one, direction, True, None)
            assert judged.passes.must == judged.passes.may
            same(of_filter(engine, one, direction), as_formula(judged.passes.must), graph)
            checked += 1
    assert checked or not graph.filters


@pytest.mark.parametrize("seed", range(8))
def test_replies_are_requests_with_their_ports_exchanged(seed: int) -> None:
    """`answered` holds exactly the packets whose reply passes."""
    random = Random(seed)
    builder = Builder(random)
    builder.build()
    acl = builder.acl("acl")
    graph = Builder(Random(seed)).build()
    engine = Engine(graph)
    replies = engine.judged(acl, Direction.EGRESS, False, EVERYWHERE).passes.must
    reply_service, reply_port = z3.Ints("reply_service reply_port")
    cases = []
    for number in (TCP, UDP):
        mine = z3.And(number * WIDTH <= SERVICE, (number + 1) * WIDTH > SERVICE)
        cases.append((mine, z3.And(reply_service == number * WIDTH + PORT, reply_port == SERVICE - number * WIDTH)))
    for number, request, reply in ((ICMP, 8, 0), (ICMPV6, 128, 129)):
        start = number * WIDTH + request * 256
        mine = z3.And(start <= SERVICE, start + 256 > SERVICE)
        cases.append((mine, z3.And(reply_service == SERVICE + (reply - request) * 256, reply_port == 0)))
    passed = z3.substitute(as_formula(replies), (SERVICE, reply_service), (PORT, reply_port))
    claimed = as_formula(answered(replies, EVERYWHERE))
    for mine, exchanged in cases:
        solver = z3.Solver()
        solver.add(packets(), mine, exchanged, passed != claimed)
        assert solver.check() == z3.unsat, solver.model()
