"""Several sources make one graph: the same id is one thing, symbolic places don't collide, contradictions are noted."""

from __future__ import annotations

from dataclasses import replace

from lint.graph.endpoints import Layer
from lint.graph.graph import EMPTY_GRAPH
from lint.graph.lookup import lookup
from lint.graph.merge import merge
from lint.graph.places import Places
from lint.graph.rules import Addresses, UnknownPeer
from lint.origin import Origin, Reason
from lint.reach import Party, between
from lint.space.addresses import EVERYWHERE, SYMBOLIC, SYMBOLIC_END, parse_cidr
from lint.space.intervals import IntervalSet
from lint.space.services import parse
from tests.reach.build import HERE, graph, machine, nsg, rule, security_group, unknown_machine


def test_places_are_the_same_for_the_same_key_and_never_shared() -> None:
    one, two = Places(), Places()
    assert [one.place(key) for key in "abca"] == [SYMBOLIC, SYMBOLIC + 1, SYMBOLIC + 2, SYMBOLIC]
    assert two.place("z") == SYMBOLIC


def test_two_sources_with_the_same_symbolic_place_keep_their_machines_apart() -> None:
    first = graph(
        security_group("sg-a", rule("out", "any", "0.0.0.0/0")), unknown_machine("a", SYMBOLIC, groups=["sg-a"])
    )
    named = Addresses(IntervalSet.of(SYMBOLIC), "b's address")
    second = graph(
        security_group(
            "sg-b", rule("in", "tcp/1", named), rule("in", "tcp/2", "sg-a"), rule("out", "any", "0.0.0.0/0")
        ),
        unknown_machine("b", SYMBOLIC, groups=["sg-b"]),
        unknown_machine("c", SYMBOLIC + 1, groups=["sg-b"]),
    )
    both = merge([first, second])
    places = {name: one.addresses[0].place for name, one in both.endpoints.items()}
    assert len(set(places.values())) == 3

    def verdict(source: str, service: str) -> str:
        return between(both, Party("", endpoint=source), Party("", endpoint="c"), parse(service)).verdict

    assert verdict("b", "tcp/1") == "allowed"
    assert verdict("a", "tcp/1") == "blocked"
    assert verdict("a", "tcp/2") == "allowed"


def test_everywhere_stays_everywhere_and_what_was_left_out_stays_out() -> None:
    but_a = EVERYWHERE - IntervalSet.of(SYMBOLIC)
    why = (Reason("it isn't known"),)
    first = graph(unknown_machine("x", SYMBOLIC))
    second = graph(
        security_group(
            "sg", rule("in", "any", UnknownPeer(why, "x", EVERYWHERE)), rule("in", "any", UnknownPeer(why, "y", but_a))
        ),
        unknown_machine("a", SYMBOLIC, groups=["sg"]),
    )
    both = merge([first, second])
    whole, less = (one.peers[0] for one in both.filters["sg"].rules)
    assert isinstance(whole, UnknownPeer) and isinstance(less, UnknownPeer)
    assert whole.may == EVERYWHERE
    assert both.endpoints["a"].addresses[0].place not in less.may
    assert both.endpoints["x"].addresses[0].place in less.may
    assert SYMBOLIC_END in less.may


def test_a_filter_whose_rules_two_sources_share_has_them_all_once() -> None:
    same = rule("in", "tcp/22", "10.0.0.0/8")
    first = graph(security_group("sg", same))
    again = replace(same, id="other id", origin=Origin(file="other.tf", line=9))
    second = graph(security_group("sg", again, rule("in", "tcp/443", "10.0.0.0/8")))
    both = merge([first, second])
    assert len(both.filters["sg"].rules) == 2
    assert both.filters["sg"].rules[0] is same
    assert not both.notes


def test_where_a_contradiction_can_not_be_left_open_the_graph_is_incomplete() -> None:
    first = graph(machine("m", "10.0.0.1"))
    second = graph(replace(machine("m", "10.0.0.1"), initiates=False))
    (reason,) = merge([first, second]).incomplete
    assert "two sources don't agree on endpoint m" in reason.text


def test_a_difference_that_decides_nothing_is_noted_and_the_first_source_counts() -> None:
    first = graph(machine("m", "10.0.0.1"))
    second = graph(replace(machine("m", "10.0.0.1"), account="1234"))
    both = merge([first, second])
    assert both.endpoints["m"].account is None and not both.incomplete
    assert any("m differs between two sources" in note for note in both.notes)


def test_a_machine_takes_the_place_of_one_that_was_only_supposed() -> None:
    supposed = replace(unknown_machine("m", SYMBOLIC), hypothetical=True)
    for order in (
        [graph(supposed), graph(machine("m", "10.0.0.1"))],
        [graph(machine("m", "10.0.0.1")), graph(supposed)],
    ):
        assert not merge(order).endpoints["m"].hypothetical


def test_merging_nothing_or_one_changes_nothing() -> None:
    one = graph(machine("m", "10.0.0.1"))
    assert merge([]) is EMPTY_GRAPH
    assert merge([one]) is one
    assert merge([one, EMPTY_GRAPH]) is one


def test_an_endpoint_is_found_by_everything_that_people_call_it() -> None:
    m = replace(
        machine("eni-1", "10.0.0.1"),
        name="Gateway",
        aliases=("i-0abc", "aws_instance.gw"),
        origin=Origin(file="main.tf", line=1, address="module.x.aws_instance.gw[0]"),
    )
    twin = replace(machine("eni-2", "10.0.0.2"), name="Gateway")
    made = graph(m, twin, machine("eni-3", "10.0.0.3"))
    for text in ("eni-1", "ENI-1", "i-0abc", "aws_instance.gw", "module.x.aws_instance.gw[0]", "10.0.0.1"):
        assert [one.id for one in lookup(made, text)] == ["eni-1"], text
    assert [one.id for one in lookup(made, "Gateway")] == ["eni-1", "eni-2"]
    assert [one.id for one in lookup(made, "gateway")] == ["eni-1", "eni-2"]
    assert lookup(made, "10.0.0.0/8") == ()
    assert lookup(made, "") == ()
    assert parse_cidr("10.0.0.1") and HERE


def test_ordered_filters_that_disagree_leave_open_what_only_one_of_them_shows() -> None:
    stale = nsg("n", rule("in", "tcp/22", "0.0.0.0/0", priority=100, action="deny"))
    newer = nsg("n", rule("in", "tcp/22-23", "0.0.0.0/0", priority=110))
    graphs = [graph(one, machine("m", "10.0.0.4", layers=(Layer("nsg", ("n",)),))) for one in (stale, newer)]
    for order in (graphs, graphs[::-1]):
        both = merge(order)
        for service, expected in (("tcp/22", "undetermined"), ("tcp/23", "undetermined"), ("tcp/24", "blocked")):
            found = between(
                both, Party("", addresses=parse_cidr("192.0.2.1/32")), Party("", endpoint="m"), parse(service)
            )
            assert found.verdict == expected
    same = merge([graphs[1], graphs[1]])
    found = between(same, Party("", addresses=parse_cidr("192.0.2.1/32")), Party("", endpoint="m"), parse("tcp/22"))
    assert found.verdict == "allowed"
