"""A pack without a project file: what is open to the Internet on the product's own ports, and what needs roles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lint.origin import Reason
from lint.verdict.judge import judge
from lint.verdict.options import JudgeOptions


def findings(tools, into, **more):
    required = tools.flow("required", "console", "gateway", "tcp/22", id="row-1")
    exclusive = tools.flow("exclusive", "console", "gateway", "tcp/22,10729", id="gateway-ports")
    pack = tools.pack(required, exclusive, signature_services=("tcp/10729",))
    world = tools.world().group("g", into).machine("gateway", "10.0.2.9", "g", **more)
    return judge(world.graph(), None, {pack.id: pack}, JudgeOptions(today=tools.today)).findings


def test_an_open_signature_port_is_a_violation(tools):
    first, second, third = findings(tools, [("tcp/0-65535", "0.0.0.0/0")])
    assert (first.flow, first.verdict) == ("row-1", "unbound")
    assert (third.flow, third.verdict, third.service) == ("gateway-ports", "unbound", "tcp/22")
    assert (second.flow, second.verdict, second.service) == ("gateway-ports", "violated", "tcp/10729")
    assert second.destination.endpoints == ("aws_instance.gateway",)
    assert second.deployment == "acme/product"
    assert second.rules[0].address == "aws_security_group.g"


@pytest.mark.parametrize(
    "into", [[], [("tcp/22", "0.0.0.0/0")], [("tcp/10729", "10.0.0.0/8")], [("tcp/10729", "203.0.113.10/32")]]
)
def test_all_else_needs_roles_and_is_never_satisfied(tools, into):
    found = findings(tools, into)
    assert [(f.flow, f.service, f.verdict) for f in found] == [
        ("row-1", "tcp/22", "unbound"),
        ("gateway-ports", "tcp/22", "unbound"),
        ("gateway-ports", "tcp/10729", "unbound"),
    ]
    assert all("`console`" in one.sentence for one in found)


def test_a_narrow_public_peer_is_named_since_it_may_be_the_documented_one(tools):
    found = findings(tools, [("tcp/10729", "203.0.113.10/32")])
    assert "203.0.113.10/32" not in found[1].sentence
    assert "203.0.113.10/32" in found[2].sentence


def test_an_unknown_peer_is_not_a_pass(tools):
    found = findings(tools, [("tcp/10729", "?var.console")])
    (one,) = [f for f in found if (f.flow, f.service) == ("gateway-ports", "tcp/10729")]
    assert one.verdict in ("undetermined", "unbound")
    assert "tcp/10729" in one.sentence


@pytest.mark.parametrize(
    ("into", "verdict"),
    [
        ([("tcp/10729", "0.0.0.0/0")], "violated"),
        ([("any", "0.0.0.0/0")], "violated"),
        ([("tcp/443", "0.0.0.0/0")], "unbound"),
        ([("tcp/10729", "10.0.0.0/8")], "unbound"),
        ([("tcp/10729", "203.0.113.10/32")], "unbound"),
    ],
)
def test_a_flow_that_forbids_the_internet_keeps_the_signature_ports_from_it(tools, into, verdict):
    flow = tools.flow("forbidden", "internet", "gateway", "any", except_documented=True)
    pack = tools.pack(flow, signature_services=("tcp/10729",))
    world = tools.world().group("g", into).machine("gateway", "10.0.2.9", "g")
    (finding,) = judge(world.graph(), None, {pack.id: pack}, JudgeOptions(today=tools.today)).findings
    assert finding.verdict == verdict
    if verdict == "violated":
        assert finding.service == "tcp/10729"


@pytest.mark.parametrize(("into", "verdict"), [([], "unbound"), ([("tcp/10729", "0.0.0.0/0")], "violated")])
def test_a_group_that_is_only_looked_up_counts_where_a_rule_here_opens_it(tools, into, verdict):
    world = tools.world().group("g", into).machine("foreign", None, "g", kind="foreign_group", hypothetical=True)
    why = (Reason("the security group g isn't defined in this source"),)
    world.filters["g"] = replace(world.filters["g"], open_ingress=why)
    flow = tools.flow("exclusive", "console", "gateway", "tcp/10729")
    pack = tools.pack(flow, signature_services=("tcp/10729",))
    (finding,) = judge(world.graph(), None, {pack.id: pack}, JudgeOptions(today=tools.today)).findings
    assert finding.verdict == verdict
