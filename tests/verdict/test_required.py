"""Required flows: satisfied inside what is certain, violated outside of what is possible, else undetermined."""

from __future__ import annotations

import pytest

from lint.origin import Reason

AGENT_TO_GATEWAY = "agent: [{names: [agent-*]}]\ngateway: [{names: [gateway]}]"


def two_agents(tools, into, out=(("any", "0.0.0.0/0"),)):
    return (
        tools.world()
        .group("agents", out=out)
        .group("gateway", into)
        .machine("agent-1", "10.0.1.5", "agents")
        .machine("agent-2", "10.0.1.6", "agents")
        .machine("gateway", "10.0.2.9", "gateway")
    )


@pytest.mark.parametrize(
    ("into", "verdict"),
    [
        ([("tcp/13260", "10.0.1.0/24")], "satisfied"),
        ([("tcp/13260", "group:agents")], "satisfied"),
        ([("tcp/13260", "10.0.1.5/32"), ("tcp/13260", "10.0.1.6/32")], "satisfied"),
        ([("tcp/13000-14000", "0.0.0.0/0")], "satisfied"),
        ([("any", "group:agents")], "satisfied"),
        ([], "violated"),
        ([("udp/13260", "10.0.1.0/24")], "violated"),
        ([("tcp/13261", "10.0.1.0/24")], "violated"),
        ([("tcp/13260", "group:gateway")], "violated"),
        ([("tcp/13260", "?var.agents")], "undetermined"),
        ([("tcp/13260", "10.0.1.0/24"), ("tcp/22", "?var.agents")], "satisfied"),
        ([("tcp/22", "?var.agents")], "violated"),
    ],
)
def test_verdict_follows_the_destination_s_rules(tools, into, verdict):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    (finding,) = tools.judge(two_agents(tools, into), tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.verdict == verdict


def test_missing_lists_exactly_the_pairs_that_lack_it(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = two_agents(tools, [("tcp/13260", "10.0.1.5/32")])
    (finding, other) = sorted(tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings, key=lambda f: f.verdict)
    assert (finding.verdict, finding.source.endpoints) == ("satisfied", ("aws_instance.agent-1",))
    assert (other.verdict, other.source.endpoints) == ("violated", ("aws_instance.agent-2",))
    assert [(lane.source, lane.destination, lane.service) for lane in other.missing] == [
        ("10.0.1.6/32", "10.0.2.9/32", "tcp/13260")
    ]
    assert other.source.addresses == ("10.0.1.6/32",)


def test_a_violation_names_the_first_blocker_its_rules_and_a_packet(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    (finding,) = tools.judge(two_agents(tools, []), tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.id == "prod/required-flow"
    assert [(one.layer, one.direction, one.filter) for one in finding.blocked_by] == [
        ("security_group", "ingress", "gateway")
    ]
    assert finding.blocked_by[0].origin.file == "main.tf"
    assert [(rule.address, rule.origin.line) for rule in finding.rules] == [("aws_security_group.gateway", 20)]
    packet = finding.witness
    assert (packet.source, packet.destination, packet.protocol, packet.port) == ("10.0.1.5", "10.0.2.9", "tcp", 13260)
    assert 1024 <= packet.source_port <= 65535
    assert finding.severity == "error"
    assert finding.document.row == "7"
    assert finding.layers == ("security_group",)


def test_pairs_with_the_same_filters_and_verdict_are_one_finding(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    (finding,) = tools.judge(two_agents(tools, []), tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.source.endpoints == ("aws_instance.agent-1", "aws_instance.agent-2")
    assert len(finding.missing) == 2


def test_each_service_is_a_finding_of_its_own(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/443,30080 udp/53")
    world = two_agents(tools, [("tcp/443", "10.0.1.0/24")])
    found = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert [(f.service, f.verdict) for f in found] == [
        ("tcp/443", "satisfied"),
        ("tcp/30080", "violated"),
        ("udp/53", "violated"),
    ]


@pytest.mark.parametrize(
    ("open_", "verdict"),
    [("tcp/22", "satisfied"), ("tcp/443", "satisfied"), ("tcp/80", "violated")],
)
def test_one_of_several_services_is_enough_where_the_document_says_or(tools, open_, verdict):
    flow = tools.flow("required", "agent", "gateway", "tcp/22 tcp/443", any_service=True)
    (finding,) = tools.judge(two_agents(tools, [(open_, "10.0.1.0/24")]), tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert (finding.service, finding.verdict) == ("tcp/22 or tcp/443", verdict)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("10.0.1.0/24", "10.0.1.0/24", "satisfied"),
        ("10.0.1.0/24", "192.0.2.1/32", "satisfied"),
        ("192.0.2.1/32", "192.0.2.1/32", "violated"),
        ("192.0.2.1/32", "?var.x", "undetermined"),
    ],
)
def test_one_of_several_destinations_is_enough_where_the_document_says_or(tools, first, second, verdict):
    flow = tools.flow("required", "agent", "dns", "udp/53", any_destination=True)
    world = (
        tools.world()
        .group("agents")
        .group("a", [("udp/53", first)])
        .group("b", [("udp/53", second)])
        .machine("agent-1", "10.0.1.5", "agents")
        .machine("dns-a", "10.0.2.1", "a")
        .machine("dns-b", "10.0.2.2", "b")
    )
    found = tools.judge(world, tools.pack(flow), "agent: [{names: [agent-*]}]\ndns: [{names: ['dns-*']}]").findings
    assert {f.verdict for f in found} == {verdict}


def test_outbound_rules_of_the_source_count_too(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = two_agents(tools, [("any", "0.0.0.0/0")], out=[("tcp/443", "0.0.0.0/0")])
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.verdict == "violated"
    assert [(one.direction, one.filter) for one in finding.blocked_by] == [("egress", "agents")]


def test_every_filter_that_stops_it_is_named(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    (finding,) = tools.judge(two_agents(tools, [], out=[]), tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert [one.direction for one in finding.blocked_by] == ["egress", "ingress"]


def test_plain_addresses_are_judged_at_the_end_that_is_ours(tools):
    flow = tools.flow("required", "console", "gateway", "tcp/22")
    roles = "console: [{addresses: [203.0.113.10/32, 203.0.113.11/32]}]\ngateway: [{names: [gateway]}]"
    world = tools.world().group("g", [("tcp/22", "203.0.113.10/32")]).machine("gateway", "10.0.2.9", "g")
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == "violated"
    assert [(lane.source, lane.destination) for lane in finding.missing] == [("203.0.113.11/32", "10.0.2.9/32")]
    assert finding.source.addresses == ("203.0.113.10/32", "203.0.113.11/32")


@pytest.mark.parametrize(
    ("out", "verdict", "missing"),
    [
        ([("tcp/443", "0.0.0.0/0")], "satisfied", []),
        ([("tcp/443", "198.51.100.0/24")], "satisfied", []),
        ([("tcp/443", "198.51.100.0/25")], "violated", [("10.0.1.5/32", "198.51.100.128/25")]),
        ([], "violated", [("10.0.1.5/32", "198.51.100.0/24")]),
        ([("tcp/443", "?var.storage")], "undetermined", [("10.0.1.5/32", "198.51.100.0/24")]),
    ],
)
def test_only_the_outbound_side_is_judged_towards_plain_addresses(tools, out, verdict, missing):
    flow = tools.flow("required", "agent", "storage", "tcp/443")
    world = tools.world().group("a", out=out).machine("agent-1", "10.0.1.5", "a")
    roles = "agent: [{names: [agent-1]}]\nstorage: [{addresses: [198.51.100.0/24]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == verdict
    assert [(lane.source, lane.destination) for lane in finding.missing] == missing


def test_nothing_of_ours_lies_between_two_plain_addresses(tools):
    flow = tools.flow("required", "console", "api", "tcp/443")
    roles = "console: [{addresses: [203.0.113.10/32]}]\napi: [{addresses: [198.51.100.0/24]}]"
    (finding,) = tools.judge(tools.world(), tools.pack(flow), roles).findings
    assert finding.verdict == "not_applicable"
    assert finding.missing == ()


def test_a_host_local_flow_is_not_applicable(tools):
    flow = tools.flow("required", "agent", "agent", "tcp/59999", host_local=True)
    world = tools.world().group("a").machine("agent-1", "10.0.1.5", "a")
    (finding,) = tools.judge(world, tools.pack(flow), "agent: [{names: [agent-1]}]").findings
    assert finding.verdict == "not_applicable"


def test_a_machine_in_both_roles_needs_no_way_to_itself(tools):
    flow = tools.flow("required", "srn", "srn", "udp/20082")
    world = tools.world().group("s", [("udp/20082", "group:s")])
    for number in (1, 2, 3):
        world.machine(f"srn-{number}", f"10.0.1.{number}", "s")
    (finding,) = tools.judge(world, tools.pack(flow), "srn: [{names: ['srn-*']}]").findings
    assert finding.verdict == "satisfied"
    assert len(finding.source.endpoints) == len(finding.destination.endpoints) == 3


def test_different_machines_of_one_role_still_make_one_finding(tools):
    flow = tools.flow("required", "srn", "srn", "udp/20082")
    world = tools.world().group("s")
    for number in (1, 2, 3):
        world.machine(f"srn-{number}", f"10.0.1.{number}", "s", region=f"r{number}")
    (finding,) = tools.judge(world, tools.pack(flow), "srn: [{names: ['srn-*']}]").findings
    assert finding.verdict == "violated"
    assert len(finding.missing) == 6


def test_a_single_machine_has_no_peer_of_its_own_role(tools):
    flow = tools.flow("required", "srn", "srn", "udp/20082")
    world = tools.world().group("s").machine("srn-1", "10.0.1.1", "s")
    (finding,) = tools.judge(world, tools.pack(flow), "srn: [{names: ['srn-*']}]").findings
    assert finding.verdict == "not_applicable"


def test_unknown_addresses_are_proven_by_group(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = (
        tools.world()
        .group("agents")
        .group("gateway", [("tcp/13260", "group:agents")])
        .machine("agent-1", None, "agents")
        .machine("gateway", None, "gateway")
    )
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.verdict == "satisfied"
    assert finding.source.addresses == ()


def test_missing_traffic_of_an_unknown_address_names_the_endpoint(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = tools.world().group("agents").group("gateway", [])
    world.machine("agent-1", None, "agents").machine("gateway", None, "gateway")
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    (lane,) = finding.missing
    assert (lane.source, lane.source_name) == (None, "aws_instance.agent-1")
    assert (lane.destination, lane.destination_name) == (None, "aws_instance.gateway")
    assert finding.witness.source is None


def test_an_address_range_that_may_hold_the_source_leaves_it_undetermined(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = tools.world().group("agents").group("gateway", [("tcp/13260", "10.0.1.0/25")])
    world.machine("agent-1", None, "agents", within="10.0.1.0/24").machine("gateway", "10.0.2.9", "gateway")
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.verdict == "undetermined"


def test_what_is_unknown_is_named(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = two_agents(tools, [("tcp/13260", "?var.agents")])
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert any("var.agents has no value" in text for text in finding.unknown)
    assert finding.severity == "warning"


def test_an_endpoint_that_may_not_exist_is_never_certainly_violated(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = tools.world().group("agents").group("gateway", [])
    world.machine("agent-1", "10.0.1.5", "agents").machine("gateway", "10.0.2.9", "gateway", exists=False)
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.verdict == "undetermined"


def test_nothing_is_satisfied_where_the_source_is_incomplete(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = two_agents(tools, [("tcp/13260", "10.0.1.0/24")])
    world.incomplete = (Reason("module.vpc isn't installed"),)
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.verdict == "undetermined"
    assert any("module.vpc isn't installed" in text for text in finding.unknown)


def test_no_rule_is_certainly_missing_where_the_source_is_incomplete(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = two_agents(tools, [])
    world.incomplete = (Reason("rules.tf can't be parsed"),)
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert (finding.verdict, finding.severity) == ("undetermined", "warning")
    assert finding.blocked_by and "rules.tf can't be parsed" in finding.sentence
    assert "rules.tf can't be parsed" in finding.unknown


@pytest.mark.parametrize(("root", "expected"), [("", "undetermined"), (None, "undetermined"), ("other", "violated")])
def test_what_was_not_read_of_another_root_takes_nothing_away(tools, root, expected):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    world = two_agents(tools, [])
    world.incomplete = (Reason("rules.tf can't be parsed", root=root),)
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.verdict == expected


@pytest.mark.parametrize("kind", ["exclusive", "forbidden"])
def test_what_is_open_stays_open_where_the_source_is_incomplete(tools, kind):
    flow = tools.flow(kind, "agent", "gateway", "tcp/22")
    world = two_agents(tools, [("tcp/22", "0.0.0.0/0")])
    world.incomplete = (Reason("rules.tf can't be parsed"),)
    findings = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert {one.verdict for one in findings} == {"violated"}


def test_an_optional_flow_is_a_warning_at_most(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260", optional=True)
    (finding,) = tools.judge(two_agents(tools, []), tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert (finding.verdict, finding.severity) == ("violated", "warning")


def test_the_finding_prints_the_trace_that_shows_it(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    judged = tools.judge(two_agents(tools, []), tools.pack(flow), AGENT_TO_GATEWAY, source="infra/prod")
    assert judged.findings[0].trace == (
        "netpact trace infra/prod --from aws_instance.agent-1 --to aws_instance.gateway --service tcp/13260"
    )


def test_the_fingerprint_outlives_moved_lines_and_changes_with_the_endpoints(tools):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    first = tools.judge(two_agents(tools, []), tools.pack(flow), AGENT_TO_GATEWAY).findings[0]
    moved = two_agents(tools, [])
    moved = tools.world().group("unrelated")
    moved.group("agents").group("gateway").machine("agent-1", "10.0.1.5", "agents")
    moved.machine("agent-2", "10.0.1.6", "agents").machine("gateway", "10.0.2.9", "gateway")
    second = tools.judge(moved, tools.pack(flow), AGENT_TO_GATEWAY).findings[0]
    assert first.rules[0].origin.line != second.rules[0].origin.line
    assert first.fingerprint == second.fingerprint
    moved.machine("agent-3", "10.0.1.7", "agents")
    third = tools.judge(moved, tools.pack(flow), AGENT_TO_GATEWAY).findings[0]
    assert third.fingerprint != first.fingerprint


def behind_an_acl(tools, replies):
    """Agent and gateway in two subnets; the gateway's network ACL lets replies out to these ports."""
    from dataclasses import replace

    from lint.graph.endpoints import Layer
    from lint.graph.rules import Action, Addresses, Direction, Filter, Rule
    from lint.graph.topology import Network, Subnet
    from lint.space.addresses import parse_cidr
    from lint.space.services import parse

    world = two_agents(tools, [("tcp/13260", "10.0.1.0/24")])
    graph = world.graph()
    place = world.origin(500, "aws_network_acl.b", 510)

    def rule(number, direction, service, peer):
        made = Rule(str(number), direction, Action.ALLOW, (Addresses(parse_cidr(peer), peer),), parse(service), place)
        return replace(made, priority=number)

    acl = Filter(
        "acl-b",
        "acl-b",
        "network_acl",
        (
            rule(100, Direction.INGRESS, "tcp/13260", "10.0.1.0/24"),
            rule(100, Direction.EGRESS, replies, "10.0.1.0/24"),
        ),
        place,
        ordered=True,
        stateful=False,
    )
    subnets = {
        "a": Subnet("a", "a", "vpc", parse_cidr("10.0.1.0/24"), place),
        "b": Subnet(
            "b", "b", "vpc", parse_cidr("10.0.2.0/24"), place, layers=(Layer("network_acl", ("acl-b",), crossing=True),)
        ),
    }
    endpoints = {
        id_: replace(
            one,
            network="vpc",
            addresses=tuple(replace(a, subnet="b" if "gateway" in id_ else "a") for a in one.addresses),
        )
        for id_, one in graph.endpoints.items()
    }
    return replace(
        graph,
        endpoints=endpoints,
        subnets=subnets,
        networks={"vpc": Network("vpc", "vpc", parse_cidr("10.0.0.0/16"), place)},
        filters={**graph.filters, "acl-b": acl},
    )


@pytest.mark.parametrize(
    ("replies", "ports", "verdict"),
    [
        ("tcp/1024-65535", "", "satisfied"),
        ("tcp/32768-65535", "", "undetermined"),
        ("tcp/32768-65535", "    client_ports: {agent: linux}\n", "satisfied"),
        ("tcp/32768-65535", "    client_ports: {agent: 1024-5000}\n", "violated"),
        ("tcp/443", "", "violated"),
        ("udp/1024-65535", "", "violated"),
    ],
)
def test_replies_have_to_come_back_to_every_port_of_the_client(tools, replies, ports, verdict):
    flow = tools.flow("required", "agent", "gateway", "tcp/13260")
    graph = behind_an_acl(tools, replies)
    (finding,) = tools.judge(graph, tools.pack(flow), AGENT_TO_GATEWAY, more=ports).findings
    assert finding.verdict == verdict
    if verdict == "undetermined":
        assert any("1024-32767" in text and "client_ports" in text for text in finding.unknown)
        assert "network_acl" in finding.layers
    if verdict == "violated":
        assert [one.filter for one in finding.blocked_by] == ["acl-b"]


@pytest.mark.parametrize("open_", ["tcp/22", "tcp/443"])
def test_the_alternative_that_holds_is_the_one_that_is_traced(tools, open_):
    flow = tools.flow("required", "agent", "gateway", "tcp/22 tcp/443", any_service=True)
    world = two_agents(tools, [(open_, "10.0.1.0/24")])
    (finding,) = tools.judge(world, tools.pack(flow), AGENT_TO_GATEWAY).findings
    assert finding.trace.endswith(f"--service {open_}")
    assert finding.witness.port == int(open_[4:])


@pytest.mark.parametrize(
    ("out", "verdict"),
    [
        ("8.8.8.8/32", "satisfied"),
        ("10.0.0.53/32", "satisfied"),
        ("8.8.4.4/32", "violated"),
        ("?var.dns", "undetermined"),
    ],
)
def test_one_of_several_addresses_is_enough_where_the_document_says_or(tools, out, verdict):
    flow = tools.flow("required", "agent", "dns", "udp/53", any_destination=True)
    world = tools.world().group("agents", out=[("udp/53", out)]).machine("agent-1", "10.0.1.5", "agents")
    for roles in (
        "dns: [{addresses: [8.8.8.8/32, 10.0.0.53/32]}]",
        "dns: [{addresses: [8.8.8.8]}, {addresses: [10.0.0.53]}]",
    ):
        found = tools.judge(world, tools.pack(flow), "agent: [{names: [agent-*]}]\n" + roles).findings
        assert {f.verdict for f in found} == {verdict}


def test_all_of_several_addresses_are_needed_where_the_document_does_not_say_or(tools):
    flow = tools.flow("required", "agent", "dns", "udp/53")
    world = tools.world().group("agents", out=[("udp/53", "8.8.8.8/32")]).machine("agent-1", "10.0.1.5", "agents")
    roles = "agent: [{names: [agent-*]}]\ndns: [{addresses: [8.8.8.8/32, 10.0.0.53/32]}]"
    assert [f.verdict for f in tools.judge(world, tools.pack(flow), roles).findings] == ["violated"]


def test_an_alternative_that_may_not_exist_is_no_proof(tools):
    flow = tools.flow("required", "agent", "dns", "udp/53", any_destination=True)
    why = (Reason("var.count has no value"),)
    world = (
        tools.world()
        .group("agents")
        .group("a", [("udp/53", "10.0.1.0/24")])
        .group("b")
        .machine("agent-1", "10.0.1.5", "agents")
        .machine("dns-a", "10.0.2.1", "a", exists=False, reasons=why)
        .machine("dns-b", "10.0.2.2", "b")
    )
    found = tools.judge(world, tools.pack(flow), "agent: [{names: [agent-*]}]\ndns: [{names: ['dns-*']}]").findings
    assert {f.verdict for f in found} == {"undetermined"}
    assert "var.count has no value" in found[0].unknown


@pytest.mark.parametrize(
    ("into", "exists", "verdict"),
    [
        ([("tcp/22", "10.0.2.0/24")], True, "satisfied"),
        ([], True, "violated"),
        ([("tcp/22", "?var.who")], True, "undetermined"),
        ([], False, "undetermined"),
    ],
)
def test_a_known_machine_at_a_destination_s_address_takes_part_with_its_own_filters(tools, into, exists, verdict):
    flow = tools.flow("required", "agent", "gateway", "tcp/22")
    world = tools.world().group("g", into).group("a").machine("agent-1", "10.0.2.9", "a")
    world = world.machine("g-1", "10.0.1.7", "g", exists=exists)
    roles = "agent: [{names: [agent-*]}]\ngateway: [{addresses: [10.0.1.0/24]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == verdict
    if verdict != "satisfied":
        assert [(lane.source, lane.destination) for lane in finding.missing] == [("10.0.2.9/32", "10.0.1.7/32")]
    if verdict == "violated":
        assert "aws_security_group.g" in finding.sentence


def test_the_trace_of_a_violation_asks_about_addresses_that_are_missing(tools):
    flow = tools.flow("required", "console", "gateway", "tcp/22")
    world = tools.world().group("g", [("tcp/22", "203.0.113.0/25")]).machine("gateway", "10.0.2.9", "g")
    roles = "console: [{addresses: [203.0.113.0/24]}]\ngateway: [{names: [gateway]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.trace is not None
    assert "--from 203.0.113.128" in finding.trace
