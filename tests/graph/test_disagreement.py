"""Of what two sources show differently, only what both show is certain, and all that either shows is possible."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lint.graph.endpoints import Layer
from lint.graph.graph import RuleGraph
from lint.graph.merge import merge
from lint.graph.topology import Forwarding
from lint.origin import Origin, Reason
from lint.reach import Party, between
from lint.space.addresses import IPV4
from lint.space.intervals import EMPTY
from lint.space.services import parse
from lint.space.traffic import TrafficSet
from tests.reach.build import (
    graph,
    machine,
    network,
    network_acl,
    nsg,
    open_acl,
    peering,
    route,
    rule,
    security_group,
    subnet,
    table,
)

CIDRS = ("10.0.1.0/24", "10.0.2.0/24", "10.0.1.4/32", "0.0.0.0/0", "sg-1", "sg-2")
SERVICES = ("tcp/22", "tcp/20-80", "any", "udp/53")
ways = st.sampled_from(["in", "out"])
group_rules = st.lists(
    st.builds(rule, ways, st.sampled_from(SERVICES), st.sampled_from(CIDRS)), max_size=4, unique_by=lambda r: r.id
)
numbered = st.builds(
    lambda way, service, cidr, action, number: rule(way, service, cidr, action=action, priority=number),
    ways,
    st.sampled_from(SERVICES),
    st.sampled_from(CIDRS[:4]),
    st.sampled_from(["allow", "deny"]),
    st.integers(100, 103),
)
numbered_rules = st.lists(numbered, max_size=4, unique_by=lambda r: (r.direction, r.priority))
groups = st.sets(st.sampled_from(["sg-1", "sg-2"]), min_size=1).map(sorted)
routes = st.sets(
    st.sampled_from([("10.0.0.0/16", "local"), ("10.0.2.0/24", "drop"), ("0.0.0.0/0", "internet")]), min_size=1
)


@st.composite
def views(draw: st.DrawFn) -> RuleGraph:
    """One world of two subnets and three machines, as one source may show it."""
    near = subnet("near", "10.0.1.0/24", acl="acl", table="table")
    far = subnet("far", "10.0.2.0/24", table="table", acl=draw(st.sampled_from(["acl", "open"])))
    third = machine("c", "10.0.2.7", subnet=far, layers=(Layer("nsg", ("nsg",)),))
    return graph(
        network("vpc-1", "10.0.0.0/16"),
        near,
        far,
        table("table", *(route(to, via, "igw" if via == "internet" else None) for to, via in sorted(draw(routes)))),
        network_acl("acl", *draw(numbered_rules)),
        open_acl("open"),
        nsg("nsg", *draw(numbered_rules)),
        security_group("sg-1", *draw(group_rules)),
        security_group("sg-2", *draw(group_rules)),
        machine("a", draw(st.sampled_from(["10.0.1.4", "10.0.1.5"])), groups=draw(groups), subnet=near),
        machine("b", "10.0.2.4", groups=draw(groups), subnet=far, public=draw(st.sampled_from([None, "52.0.0.1"]))),
        third,
    )


def passing(found: RuleGraph, source: str, destination: str) -> tuple[TrafficSet, TrafficSet]:
    """What certainly and possibly passes, whatever the source's address is called."""
    allowed = between(found, Party(source, endpoint=source), Party(destination, endpoint=destination)).allowed
    return allowed.must.with_peers(IPV4), allowed.may.with_peers(IPV4)


@settings(max_examples=120, deadline=None)
@given(views(), views())
def test_two_views_of_one_world_are_certain_where_they_agree_and_possible_where_one_says_so(
    one: RuleGraph, other: RuleGraph
) -> None:
    both = merge([one, other])
    for source, destination in (("a", "b"), ("b", "a"), ("a", "c"), ("c", "b")):
        must, may = passing(both, source, destination)
        for view in (one, other):
            sure, possible = passing(view, source, destination)
            assert both.incomplete or must <= sure, f"{source} -> {destination} is certain, and one source says no"
            assert both.incomplete or possible <= may, f"{source} -> {destination} is impossible, and one says yes"


@given(views())
def test_a_source_that_is_given_twice_says_the_same(one: RuleGraph) -> None:
    again = replace(
        one, filters={name: replace(each, origin=Origin(file="copy.json")) for name, each in one.filters.items()}
    )
    both = merge([one, again])
    assert not both.incomplete
    for source, destination in (("a", "b"), ("b", "c")):
        assert passing(both, source, destination) == passing(one, source, destination)


def test_a_rule_that_only_a_stale_source_shows_is_not_certain_and_says_why() -> None:
    stale = security_group("sg", rule("in", "tcp/22", "0.0.0.0/0"))
    newer = replace(security_group("sg"), origin=Origin(file="newer.json"))
    for order in ([stale, newer], [newer, stale]):
        found = merge([graph(one) for one in order]).filters["sg"]
        (held,) = found.rules
        assert not held.exists
        assert "newer.json doesn't show rule" in held.reasons[0].sentence()


def test_a_source_that_may_not_show_all_takes_nothing_away() -> None:
    partial = replace(
        security_group("sg", rule("in", "tcp/443", "10.0.0.0/8")), open_ingress=(Reason("the group is made elsewhere"),)
    )
    whole = security_group("sg", rule("in", "tcp/22", "10.0.0.0/8"))
    found = merge([graph(partial), graph(whole)]).filters["sg"]
    assert {one.services.first: one.exists for one in found.rules} == {
        parse("tcp/443").first: False,
        parse("tcp/22").first: True,
    }


def test_tags_that_two_sources_show_differently_bind_nothing_for_certain() -> None:
    one = replace(machine("m", "10.0.0.1"), tags=(("Name", "m"), ("role", "gateway")))
    other = replace(machine("m", "10.0.0.1"), tags=(("Name", "m"),))
    found = merge([graph(one), graph(other)]).endpoints["m"]
    assert found.tags == (("Name", "m"),) and found.tags_open


@pytest.mark.parametrize(("second", "expected"), [(True, True), (False, None)])
def test_a_peering_is_active_where_both_say_so(second: bool, expected: bool | None) -> None:
    graphs = [graph(peering("pcx", "vpc-1", "vpc-2", active=active)) for active in (True, second)]
    assert merge(graphs).peerings["pcx"].active is expected


def test_a_way_through_a_balancer_is_certain_where_every_source_shows_it() -> None:
    way = Forwarding("lb", parse("tcp/443"), ("m",), EMPTY, True, Origin(file="a.json"))
    shown = graph(machine("lb", "10.0.0.1"), machine("m", "10.0.0.2"), forwardings=(way,))
    silent = graph(machine("lb", "10.0.0.1"), machine("m", "10.0.0.2"))
    assert not merge([shown, shown]).forwardings[0].reasons
    assert merge([shown, silent]).forwardings[0].reasons
    assert not merge([shown, graph(machine("x", "10.0.0.3"))]).forwardings[0].reasons
