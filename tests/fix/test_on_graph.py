"""A change on the graph means what it says; priorities are free and on the right side of what refuses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lint.fix.changes import AddRule, Keep, NarrowRule, Peers
from lint.fix.on_graph import apply
from lint.fix.priorities import beside, free_priority, last_priority
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, Direction, Filter, Rule
from lint.origin import Origin
from lint.space.addresses import REAL, parse_cidr
from lint.space.services import parse

TEN, SSH, ALL = parse_cidr("10.0.0.0/8"), parse("tcp/22"), parse("any")
ORIGIN = Origin(address="g")


def rule(name: str, priority: int | None, action: Action = Action.ALLOW, peers: str = "0.0.0.0/0") -> Rule:
    return Rule(name, Direction.INGRESS, action, (Addresses(parse_cidr(peers), peers),), ALL, ORIGIN, priority=priority)


def group(*rules: Rule, ordered: bool = True) -> Filter:
    return Filter("g", "g", "nsg" if ordered else "security_group", rules, ORIGIN, ordered=ordered)


def test_a_new_rule_of_an_ordered_filter_comes_before_the_refusal() -> None:
    graph = RuleGraph(filters={"g": group(rule("deny", 300, Action.DENY))})
    made = apply(AddRule("g", Direction.INGRESS, Peers(addresses=TEN), SSH, "test"), graph)
    (new,) = [r for r in made.filters["g"].rules if r.id != "deny"]
    assert new.priority is not None
    assert new.priority < 300
    assert new.services == SSH


def test_a_refusal_of_others_does_not_push_a_rule_before_it() -> None:
    holder = group(rule("deny", 100, Action.DENY, "172.16.0.0/12"))
    assert free_priority(holder, Direction.INGRESS, SSH, TEN) == 110
    assert free_priority(holder, Direction.INGRESS, SSH, REAL) is None


def test_narrowing_keeps_the_parts_and_nothing_else() -> None:
    graph = RuleGraph(filters={"g": group(rule("wide", None), ordered=False)})
    kept = (Keep(TEN, SSH), Keep(parse_cidr("192.0.2.0/24"), parse("tcp/443")))
    made = apply(NarrowRule("g", "wide", kept), graph).filters["g"].rules
    assert [(r.id, r.services, [p.addresses for p in r.peers if isinstance(p, Addresses)]) for r in made] == [
        ("wide", SSH, [TEN]),
        ("wide+1", parse("tcp/443"), [parse_cidr("192.0.2.0/24")]),
    ]
    assert apply(NarrowRule("g", "wide", ()), graph).filters["g"].rules == ()


def test_a_change_of_what_is_not_there_changes_nothing() -> None:
    graph = RuleGraph(filters={"g": group(rule("wide", 100))})
    assert apply(NarrowRule("g", "other", ()), graph) is graph
    assert apply(NarrowRule("other", "wide", ()), graph) is graph


PRIORITIES = st.lists(
    st.tuples(st.integers(100, 125), st.sampled_from([Action.ALLOW, Action.DENY])),
    unique_by=lambda p: p[0],
    max_size=24,
)


@given(PRIORITIES)
def test_a_free_priority_is_free_and_before_every_refusal(taken: list[tuple[int, Action]]) -> None:
    holder = group(*(rule(f"r{p}", p, action) for p, action in taken))
    found = free_priority(holder, Direction.INGRESS, SSH)
    refusing = [p for p, action in taken if action is Action.DENY]
    if found is None:
        assert set(range(100, min(refusing))) <= {p for p, _ in taken}
    else:
        assert found not in {p for p, _ in taken}
        assert all(found < p for p in refusing)


@given(PRIORITIES.filter(bool))
def test_a_priority_beside_a_rule_has_no_other_action_between(taken: list[tuple[int, Action]]) -> None:
    holder = group(*(rule(f"r{p}", p, action) for p, action in taken))
    first = holder.rules[0]
    found = beside(holder, first)
    if found is not None and first.priority is not None:
        low, high = sorted((found, first.priority))
        assert found not in {p for p, _ in taken}
        assert not [p for p, action in taken if action is not first.action and low <= p <= high]


def test_a_refusal_goes_behind_every_rule() -> None:
    assert last_priority(group(rule("a", 100), rule("b", 4050)), Direction.INGRESS) == 4051
    assert last_priority(group(rule("a", 100)), Direction.INGRESS) == 4000
    assert last_priority(group(rule("a", 4096)), Direction.INGRESS) is None
