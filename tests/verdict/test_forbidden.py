"""Forbidden flows: satisfied only where nothing of it is possible."""

from __future__ import annotations

import pytest

SRN = "srn: [{names: [srn]}]"


def srn(tools, into=(), out=()):
    return tools.world().group("s", into, out).machine("srn", "10.0.1.5", "s")


@pytest.mark.parametrize(
    ("into", "verdict"),
    [
        ([], "satisfied"),
        ([("any", "10.0.0.0/8")], "satisfied"),
        ([("tcp/22", "198.51.100.7/32")], "violated"),
        ([("any", "0.0.0.0/0")], "violated"),
        ([("tcp/22", "?var.admins")], "undetermined"),
    ],
)
def test_the_internet_reaches_nothing(tools, into, verdict):
    flow = tools.flow("forbidden", "internet", "srn", "any")
    (finding,) = tools.judge(srn(tools, into), tools.pack(flow), SRN).findings
    assert finding.verdict == verdict
    assert finding.source.role is None
    assert bool(finding.excess) == (verdict != "satisfied")


@pytest.mark.parametrize(
    ("out", "verdict"),
    [
        ([("any", "10.0.0.0/8")], "satisfied"),
        ([("tcp/443", "0.0.0.0/0")], "satisfied"),
        ([("tcp/80", "0.0.0.0/0")], "violated"),
        ([("udp/443", "198.51.100.7/32")], "violated"),
        ([("any", "?var.x")], "undetermined"),
    ],
)
def test_nothing_goes_to_the_internet_but_what_is_excepted(tools, out, verdict):
    flow = tools.flow("forbidden", "srn", "internet", "any", except_services=("tcp/443",), severity="warning")
    (finding,) = tools.judge(srn(tools, out=out), tools.pack(flow), SRN).findings
    assert finding.verdict == verdict
    assert finding.severity == ("note" if verdict == "satisfied" else "warning")
    assert finding.service == "any except tcp/443"


@pytest.mark.parametrize(("peer", "verdict"), [("198.51.100.7/32", "satisfied"), ("198.51.100.6/31", "violated")])
def test_what_a_required_flow_documents_is_not_forbidden(tools, peer, verdict):
    required = tools.flow("required", "srn", "api", "tcp/443")
    flow = tools.flow("forbidden", "srn", "internet", "any", except_documented=True)
    roles = SRN + "\napi: [{addresses: [198.51.100.7/32]}]"
    found = tools.judge(srn(tools, out=[("tcp/443", peer)]), tools.pack(required, flow), roles).findings
    assert [f.verdict for f in found] == ["satisfied", verdict]


@pytest.mark.parametrize(
    ("into", "verdict"),
    [
        ([("tcp/4401", "group:d")], "violated"),
        ([("tcp/4401", "10.0.9.0/24")], "violated"),
        ([("tcp/4401", "10.0.8.0/24")], "satisfied"),
        ([("tcp/4401", "?var.x")], "undetermined"),
    ],
)
def test_one_role_never_connects_to_another(tools, into, verdict):
    flow = tools.flow("forbidden", "datacenter", "client", "any")
    world = tools.world().group("c", into).group("d").machine("client", "10.0.1.5", "c")
    world.machine("datacenter", "10.0.9.1", "d")
    roles = "client: [{names: [client]}]\ndatacenter: [{names: [datacenter]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == verdict
    if verdict == "violated":
        assert [(lane.source, lane.destination, lane.service) for lane in finding.excess] == [
            ("10.0.9.1/32", "10.0.1.5/32", "tcp/4401")
        ]


def test_plain_addresses_are_judged_at_our_end(tools):
    flow = tools.flow("forbidden", "datacenter", "client", "any")
    world = tools.world().group("c", [("tcp/1-100", "203.0.113.0/24")]).machine("client", "10.0.1.5", "c")
    roles = "client: [{names: [client]}]\ndatacenter: [{addresses: [203.0.113.5/32]}]"
    (finding,) = tools.judge(world, tools.pack(flow), roles).findings
    assert finding.verdict == "violated"
    assert [(lane.source, lane.service) for lane in finding.excess] == [("203.0.113.5/32", "tcp/1-100")]


def test_a_role_without_anybody_is_never_a_pass(tools):
    flow = tools.flow("forbidden", "internet", "srn", "any")
    (finding,) = tools.judge(tools.world(), tools.pack(flow), "other: []").findings
    assert finding.verdict == "unbound"


def test_what_is_open_is_named_where_any_service_is_forbidden(tools):
    flow = tools.flow("forbidden", "internet", "gateway", "any")
    world = tools.world().group("g", [("tcp/22", "0.0.0.0/0")]).machine("gateway", "10.0.2.9", "g")
    (finding,) = tools.judge(world, tools.pack(flow), "gateway: [{names: [gateway]}]").findings
    assert finding.sentence == "the Internet can reach tcp/22 of aws_instance.gateway"


def test_findings_about_different_roles_have_different_fingerprints(tools):
    flow = tools.flow("forbidden", "internet", "gateway agent", "any")
    world = tools.world().group("g").machine("gateway", "10.0.2.9", "g")
    roles = "gateway: [{names: [gateway]}]\nagent: [{addresses: [192.168.0.0/24]}]"
    found = tools.judge(world, tools.pack(flow), roles).findings
    assert sorted(f.verdict for f in found) == ["not_applicable", "satisfied"]
    assert len({f.fingerprint for f in found}) == 2
