"""Exclusive flows: nobody but the documented peers, and exactly who else."""

from __future__ import annotations

import pytest

from lint.graph.graph import PlatformTraffic
from lint.space.addresses import parse_cidr
from lint.space.services import parse

ROLES = "console: [{addresses: [203.0.113.10/32]}]\ngateway: [{names: [gateway]}]"


def gateway(tools, into, **more):
    return tools.world().group("g", into).machine("gateway", "10.0.2.9", "g", **more)


def lanes(finding):
    return [(lane.source or lane.source_name, lane.service) for lane in finding.excess]


@pytest.mark.parametrize(
    ("into", "verdict", "excess"),
    [
        ([], "satisfied", []),
        ([("tcp/22", "203.0.113.10/32")], "satisfied", []),
        ([("tcp/443", "0.0.0.0/0")], "satisfied", []),
        ([("tcp/22", "198.51.100.0/24")], "violated", [("198.51.100.0/24", "tcp/22")]),
        ([("tcp/22", "203.0.113.10/31")], "violated", [("203.0.113.11/32", "tcp/22")]),
        ([("tcp/22", "10.0.0.0/8")], "violated", [("10.0.0.0/8", "tcp/22")]),
        ([("tcp/22", "?var.admins")], "undetermined", None),
        ([("tcp/443", "?var.admins")], "satisfied", []),
    ],
)
def test_nobody_but_the_documented_peers(tools, into, verdict, excess):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    (finding,) = tools.judge(gateway(tools, into), tools.pack(flow), ROLES).findings
    assert finding.verdict == verdict
    assert finding.source.role is None
    if excess is not None:
        assert lanes(finding) == excess


def test_an_open_port_lists_the_internet_without_the_documented_address(tools):
    from lint.space.addresses import IPV4, parse_cidrs

    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    (finding,) = tools.judge(gateway(tools, [("tcp/22", "0.0.0.0/0")]), tools.pack(flow), ROLES).findings
    listed = parse_cidrs(*(lane.source for lane in finding.excess))
    assert listed == IPV4 - parse_cidrs("203.0.113.10/32")
    assert [(rule.address, rule.origin.line) for rule in finding.rules] == [("aws_security_group.g", 11)]


def test_the_rule_at_fault_is_the_one_that_lets_it_in(tools):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    world = gateway(tools, [("tcp/443", "0.0.0.0/0"), ("tcp/22", "203.0.113.10/32"), ("tcp/22-30", "192.0.2.0/24")])
    (finding,) = tools.judge(world, tools.pack(flow), ROLES).findings
    assert [rule.origin.line for rule in finding.rules] == [13]
    assert (finding.witness.destination, finding.witness.port) == ("10.0.2.9", 22)
    assert finding.witness.source.startswith("192.0.2.")


@pytest.mark.parametrize(
    ("peer", "verdict"),
    [("group:agents", "satisfied"), ("group:others", "violated"), ("group:empty", "satisfied")],
)
def test_groups_are_judged_by_who_carries_them(tools, peer, verdict):
    flow = tools.flow("exclusive", "agent", "gateway", "tcp/13260")
    world = (
        gateway(tools, [("tcp/13260", peer)])
        .group("agents")
        .group("others")
        .group("empty")
        .machine("agent-1", None, "agents")
        .machine("other", None, "others")
    )
    roles = "agent: [{security_groups: [agents]}]\ngateway: [{names: [gateway]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == verdict
    if verdict == "violated":
        assert lanes(finding) == [("aws_instance.other", "tcp/13260")]
        assert finding.source.endpoints == ("aws_instance.other",)


def test_a_group_that_nobody_carries_yet_is_a_peer_too(tools):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    world = gateway(tools, [("tcp/22", "group:future")]).group("future")
    world.machine("future", None, "future", hypothetical=True)
    (finding,) = tools.judge(world, tools.pack(flow), ROLES).findings
    assert finding.verdict == "violated"
    assert lanes(finding) == [("aws_instance.future", "tcp/22")]


def test_a_machine_reaching_itself_is_nobody_else(tools):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    (finding,) = tools.judge(gateway(tools, [("tcp/22", "group:g")]), tools.pack(flow), ROLES).findings
    assert finding.verdict == "satisfied"


def test_another_machine_of_the_same_role_is_not_documented(tools):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    world = gateway(tools, [("tcp/22", "group:g")]).machine("gateway-2", "10.0.2.10", "g")
    roles = ROLES.replace("[gateway]", "['gateway*']")
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == "violated"
    assert finding.destination.endpoints == ("aws_instance.gateway", "aws_instance.gateway-2")
    listed = {(lane.source, lane.destination) for lane in finding.excess}
    assert listed == {("10.0.2.10/32", "10.0.2.9/32"), ("10.0.2.9/32", "10.0.2.10/32")}


@pytest.mark.parametrize(
    ("strictness", "peer", "verdict"),
    [
        ("internet", "10.0.0.0/8", "satisfied"),
        ("internet", "198.51.100.7/32", "violated"),
        ("ports", "10.0.0.0/8", "violated"),
        ("least-privilege", "10.0.0.0/8", "violated"),
    ],
)
def test_strictness_says_which_peers_count(tools, strictness, peer, verdict):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    judged = tools.judge(
        gateway(tools, [("tcp/22", peer)]), tools.pack(flow), ROLES, more=f"    strictness: {strictness}\n"
    )
    assert judged.findings[0].verdict == verdict


@pytest.mark.parametrize(
    ("service", "verdict"), [("tcp/22", "satisfied"), ("tcp/3389", "violated"), ("icmp", "violated")]
)
def test_least_privilege_asks_for_undocumented_services_too(tools, service, verdict):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    judged = tools.judge(
        gateway(tools, [(service, "203.0.113.10/32")]),
        tools.pack(flow),
        ROLES,
        more="    strictness: least-privilege\n",
    )
    (rest,) = [f for f in judged.findings if f.service == "any except tcp/22"]
    assert rest.verdict == verdict


@pytest.mark.parametrize("how", ["against", "shared"])
@pytest.mark.parametrize(("peer", "verdict"), [("10.0.0.0/8", "satisfied"), ("198.51.100.7/32", "violated")])
def test_shared_parties_are_exclusive_against_public_addresses_alone(tools, how, peer, verdict):
    from lint.packs.model import Role

    flow = tools.flow("exclusive", "console", "gateway", "tcp/22", against="public" if how == "against" else "anyone")
    pack = tools.pack(flow, roles=(Role("gateway", "Gateway", "customer", shared=how == "shared"),))
    (finding,) = tools.judge(gateway(tools, [("tcp/22", peer)]), pack, ROLES).findings
    assert finding.verdict == verdict


def test_documented_machines_may_come_from_their_public_address(tools):
    flow = tools.flow("exclusive", "agent", "gateway", "tcp/13260")
    world = gateway(tools, [("tcp/13260", "198.51.100.7/32")]).group("agents")
    world.machine("agent-1", "10.9.0.5", "agents", public="198.51.100.7")
    roles = "agent: [{names: [agent-1]}]\ngateway: [{names: [gateway]}]"
    assert tools.judge(world, tools.pack(flow), roles).findings[0].verdict == "satisfied"


@pytest.mark.parametrize(
    ("peer", "verdict"), [("10.0.1.0/24", "violated"), ("10.0.1.7/32", "undetermined"), ("group:agents", "satisfied")]
)
def test_a_range_larger_than_the_unknown_documented_addresses_is_certainly_too_much(tools, peer, verdict):
    flow = tools.flow("exclusive", "agent", "gateway", "tcp/13260")
    world = gateway(tools, [("tcp/13260", peer)]).group("agents")
    world.machine("agent-1", None, "agents", within="10.0.1.0/24")
    roles = "agent: [{names: [agent-1]}]\ngateway: [{names: [gateway]}]"
    assert tools.judge(world, tools.pack(flow), roles).findings[0].verdict == verdict


def test_an_unknown_address_inside_a_documented_range_is_documented(tools):
    flow = tools.flow("exclusive", "agent", "gateway", "tcp/13260")
    world = gateway(tools, [("tcp/13260", "10.0.1.0/24")]).group("others")
    world.machine("other", None, "others", within="10.0.0.0/16")
    roles = "agent: [{addresses: [10.0.1.0/24]}]\ngateway: [{names: [gateway]}]"
    assert tools.judge(world, tools.pack(flow), roles).findings[0].verdict == "satisfied"


@pytest.mark.parametrize(
    ("into", "verdict"),
    [
        ([], "satisfied"),
        ([("tcp/22", "198.51.100.7/32")], "unbound"),
        ([("tcp/22", "0.0.0.0/0")], "violated"),
    ],
)
def test_without_the_documented_peer_only_the_whole_internet_is_certainly_too_much(tools, into, verdict):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    judged = tools.judge(gateway(tools, into), tools.pack(flow), "gateway: [{names: [gateway]}]")
    (finding,) = judged.findings
    assert finding.verdict == verdict
    assert judged.unbound == (("prod", "console"),)
    if verdict == "unbound":
        assert "`console`" in finding.sentence


@pytest.mark.parametrize(("managed", "verdict"), [(False, "unbound"), (True, "not_applicable")])
def test_a_role_that_nothing_is_bound_to(tools, managed, verdict):
    from lint.packs.model import Role

    flow = tools.flow("exclusive", "console", "host", "tcp/10729")
    pack = tools.pack(flow, roles=(Role("host", "Host", "cloud", managed=managed),))
    (finding,) = tools.judge(tools.world(), pack, "console: [{addresses: [203.0.113.10/32]}]").findings
    assert finding.verdict == verdict


@pytest.mark.parametrize(("peer", "verdict"), [("10.0.0.0/8", "violated"), ("group:g", "satisfied")])
def test_a_host_local_port_is_reached_by_nobody_from_outside(tools, peer, verdict):
    flow = tools.flow("exclusive", "gateway", "gateway", "tcp/59999", host_local=True)
    world = gateway(tools, [("tcp/59999", peer)])
    (finding,) = tools.judge(world, tools.pack(flow), "gateway: [{names: [gateway]}]").findings
    assert finding.verdict == verdict


@pytest.mark.parametrize("strictness", ["internet", "ports"])
def test_a_range_is_listed_as_the_rule_names_it(tools, strictness):
    flow = tools.flow("exclusive", "agent", "gateway", "tcp/22")
    world = gateway(tools, [("tcp/22", "0.0.0.0/0"), ("tcp/22", "10.0.0.0/8")])
    world.group("agents").machine("agent", "10.0.1.5", "agents")
    roles = "agent: [{names: [agent]}]\ngateway: [{names: [gateway]}]"
    judged = tools.judge(world, tools.pack(flow), roles, more=f"    strictness: {strictness}\n")
    (finding,) = judged.findings
    from lint.space.addresses import IPV4, parse_cidrs

    assert parse_cidrs(*(lane.source for lane in finding.excess)) == IPV4 - parse_cidrs("10.0.1.5/32")


def test_private_ranges_are_no_excess_where_public_addresses_alone_count(tools):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    world = gateway(tools, [("tcp/22", "10.0.0.0/8"), ("tcp/22", "198.51.100.0/24")])
    judged = tools.judge(world, tools.pack(flow), ROLES, more="    strictness: internet\n")
    assert lanes(judged.findings[0]) == [("198.51.100.0/24", "tcp/22")]


def test_a_peer_that_may_be_documented_is_neither_here_nor_there(tools):
    from lint.origin import Reason

    flow = tools.flow("exclusive", "agent", "gateway", "tcp/13260")
    world = gateway(tools, [("tcp/13260", "group:agents")]).group("agents")
    world.machine("agent-1", None, "agents", tags_open=(Reason("var.tags has no value"),))
    roles = "agent: [{tags: {role: agent}}]\ngateway: [{ids: [aws_instance.gateway]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == "undetermined"
    assert any("var.tags has no value" in text for text in finding.unknown)


def test_documented_machines_behind_a_nat_gateway_are_seen_as_its_address():
    from lint.graph.endpoints import Address, Endpoint
    from lint.graph.graph import RuleGraph
    from lint.graph.topology import NatGateway, Route, RouteTable, Subnet, Via
    from lint.origin import Origin
    from lint.space.addresses import IPV4, parse_cidr, position
    from lint.space.intervals import IntervalSet
    from lint.verdict.documented import places_of

    here = Origin()
    own, public = IntervalSet.of(position("10.0.1.5")), parse_cidr("198.51.100.7/32")
    machine = Endpoint(
        "i", "i", "instance", (Address(position("10.0.1.5"), own, subnet="private"),), (), (), here, network="vpc"
    )
    graph = RuleGraph(
        endpoints={"i": machine},
        subnets={"private": Subnet("private", "private", "vpc", parse_cidr("10.0.1.0/24"), here, route_table="rt")},
        route_tables={"rt": RouteTable("rt", "rt", (Route(IPV4, Via.NAT, here, "0.0.0.0/0", target="nat"),), here)},
        nat_gateways={"nat": NatGateway("nat", "nat", "public", parse_cidr("10.0.0.9/32"), public, here)},
    )
    places, unknown = places_of(graph, machine)
    assert places == own | public | parse_cidr("10.0.0.9/32")
    assert unknown == []


def test_the_trace_starts_where_the_excess_is_and_not_where_nobody_is(tools):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    world = tools.world().group("g", [("tcp/22", "203.0.113.0/24")]).machine("gateway", "10.0.2.9", "g")
    roles = "console: [{addresses: [203.0.113.0/25]}]\ngateway: [{names: [gateway]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.trace is not None
    assert "--from 203.0.113.128/25" in finding.trace


def test_an_address_that_may_be_the_documented_one_is_undetermined_and_says_why(tools):
    flow = tools.flow("exclusive", "agent", "gateway", "tcp/22")
    world = tools.world().group("a").group("g", [("tcp/22", "10.0.1.5/32")]).machine("gateway", "10.0.2.9", "g")
    world = world.machine("agent", None, "a", within="10.0.1.0/24")
    roles = "agent: [{names: [agent]}]\ngateway: [{names: [gateway]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == "undetermined"
    assert finding.unknown


@pytest.mark.parametrize(
    ("machine", "verdict"),
    [({}, "satisfied"), ({"exists": False}, "undetermined"), ({"hypothetical": True}, "undetermined")],
)
def test_machines_of_unknown_number_may_reach_each_other(tools, machine, verdict):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    world = (
        tools.world().group("g", [("tcp/22", "group:g")]).machine("gateway", None, "g", within="10.0.1.0/24", **machine)
    )
    roles = "console: [{addresses: [203.0.113.10/32]}]\ngateway: [{names: [gateway]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == verdict


@pytest.mark.parametrize(("peer", "verdict"), [("168.63.129.16/32", "satisfied"), ("168.63.129.0/24", "violated")])
def test_the_clouds_own_platform_addresses_are_nobody_that_a_document_could_name(tools, peer, verdict):
    """A health probe's address that a default rule lets in is no undocumented peer; a range around it still is one."""
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    world = gateway(tools, [("tcp/22", peer), ("tcp/22", "203.0.113.10/32")])
    world.platform = (PlatformTraffic(parse_cidr("168.63.129.16"), parse("tcp/53"), "health probes"),)
    (finding,) = tools.judge(world, tools.pack(flow), ROLES).findings
    assert finding.verdict == verdict


@pytest.mark.parametrize("strictness", ["internet", "ports"])
@pytest.mark.parametrize(
    ("outer", "inner", "excess", "words"),
    [
        ([("allow", "0.0.0.0/0")], "198.51.0.0/16", "198.51.0.0/16", "198.51.0.0/16 reaches"),
        ([("deny", "198.51.100.0/24"), ("allow", "0.0.0.0/0")], "198.51.0.0/16", "198.51.0.0/16 -198.51.100.0/24", ""),
        ([("allow", "198.51.100.0/24")], "0.0.0.0/0", "198.51.100.0/24", "198.51.100.0/24 reaches"),
    ],
)
def test_a_range_is_listed_as_far_as_every_layer_passes_it(tools, strictness, outer, inner, excess, words):
    from lint.graph.endpoints import Layer
    from lint.graph.rules import Action, Addresses, Direction, Filter, Rule

    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    layers = (Layer("network_acl", ("acl",)), Layer("security_group", ("g",), closed_if_empty=True))
    world = gateway(tools, [("tcp/22", inner)], layers=layers)
    here = world.origin(1, "aws_network_acl.acl")
    rules = tuple(
        Rule(
            f"{number}",
            Direction.INGRESS,
            Action(action),
            (Addresses(parse_cidr(cidr), cidr),),
            parse("any"),
            here,
            priority=number,
        )
        for number, (action, cidr) in enumerate(outer)
    )
    world.filters["acl"] = Filter("acl", "acl", "network_acl", rules, here, ordered=True, stateful=False)
    (finding,) = tools.judge(world, tools.pack(flow), ROLES, more=f"    strictness: {strictness}\n").findings
    wide, _, hole = excess.partition(" -")
    expected = parse_cidr(wide) - (parse_cidr(hole) if hole else parse_cidr("203.0.113.10/32"))
    from lint.space.addresses import parse_cidrs

    assert parse_cidrs(*(lane.source for lane in finding.excess)) == expected
    assert finding.sentence.startswith(words)
