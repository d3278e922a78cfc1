"""Roles are bound to what their selectors take: endpoints by any of their names, or plain addresses."""

from __future__ import annotations

import pytest

from lint.verdict.bind import terraform_glob


@pytest.mark.parametrize(
    ("pattern", "address", "taken"),
    [
        ("aws_instance.app", "aws_instance.app", True),
        ("aws_instance.app", "aws_instance.app[0]", True),
        ("aws_instance.app[*]", "aws_instance.app[0]", True),
        ("aws_instance.app[*]", "aws_instance.app", True),
        ("aws_instance.app[0]", "aws_instance.app[1]", False),
        ('aws_instance.app["blue"]', 'aws_instance.app["blue"]', True),
        ('aws_instance.app["blue"]', 'aws_instance.app["green"]', False),
        ("aws_instance.*", 'aws_instance.app["a.b"]', True),
        ("aws_instance.*", "module.x.aws_instance.app", False),
        ("*.aws_instance.*", "module.x.aws_instance.app", True),
        ("module.app[*].aws_instance.*", 'module.app["eu.west"].aws_instance.web[0]', True),
        ("module.app[*].aws_instance.*", "module.app.aws_instance.web", True),
        ("module.app[*].aws_instance.*", "module.app[0].module.db.aws_instance.web", False),
        ("module.app.*", "module.app[0].module.db.aws_instance.web", True),
        ("module.a*.aws_instance.b", "module.app.aws_instance.b", True),
        ("aws_*.b", "aws_instance.b", True),
        ("*", "aws_instance.b", True),
        ("aws_instance", "aws_instance.b", False),
        ("", "aws_instance.b", False),
    ],
)
def test_globs_of_terraform_addresses(pattern, address, taken):
    assert terraform_glob(pattern, address) is taken


def test_a_hostile_glob_is_answered_at_once():
    assert not terraform_glob(".".join(["*", "a"] * 40), ".".join(["a"] * 400) + ".b")
    assert not terraform_glob("*a" * 40, "a" * 5000 + "b")


def bound(tools, selector):
    """The endpoints and addresses that one selector binds in a small world."""
    flow = tools.flow("required", "agent", "gateway", "tcp/1")
    world = (
        tools.world()
        .group("web-servers")
        .group("db")
        .machine("web-1", "10.0.1.5", "web-servers", tags={"role": "agent", "env": "prod"}, account="111", region="eu")
        .machine("web-2", "10.0.1.6", "web-servers", tags={"role": "agent"}, region="us", aliases=("i-0abc",))
        .machine("db-1", "10.0.2.7", "db", public="198.51.100.7")
        .listed("pl-1", "198.51.100.0/24", "198.51.100.0/24")
        .listed("Storage", None, "198.51.0.0/16")
    )
    judged = tools.judge(world, tools.pack(flow), f"agent: [{selector}]")
    ((_, role), *_) = judged.bindings[0].roles
    return role, judged


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("{names: [web-1]}", ["web-1"]),
        ("{names: ['web-*']}", ["web-1", "web-2"]),
        ("{names: web-1}", ["web-1"]),
        ("{ids: [i-0abc]}", ["web-2"]),
        ("{ids: [aws_instance.db-1]}", ["db-1"]),
        ("{terraform: ['aws_instance.web-1']}", ["web-1"]),
        ("{terraform: ['aws_instance.*']}", ["web-1", "web-2", "db-1"]),
        ("{security_groups: ['web-*']}", ["web-1", "web-2"]),
        ("{security_groups: [aws_security_group.db]}", ["db-1"]),
        ("{tags: {role: agent}}", ["web-1", "web-2"]),
        ("{tags: {role: 'ag*', env: prod}}", ["web-1"]),
        ("{tags: {env: [test, prod]}}", ["web-1"]),
        ("{accounts: ['111']}", ["web-1"]),
        ("{regions: [us]}", ["web-2"]),
        ("{names: ['web-*'], regions: [us]}", ["web-2"]),
        ("{names: ['*'], addresses: [10.0.1.0/24]}", ["web-1", "web-2"]),
        ("{addresses: [10.0.2.7/32]}", ["db-1"]),
        ("{addresses: [198.51.100.7/32]}", ["db-1"]),
    ],
)
def test_a_selector_takes_the_endpoints_that_all_its_keys_take(tools, selector, names):
    role, _ = bound(tools, selector)
    assert [endpoint.name for endpoint in role.endpoints] == names
    assert not role.may


@pytest.mark.parametrize(
    ("selector", "must", "may"),
    [
        ("{addresses: [203.0.113.0/24, 10.0.0.0/8]}", ["10.0.0.0/8", "203.0.113.0/24"], None),
        ("{prefix_list: pl-1}", ["198.51.100.0/24"], None),
        ("{service_tag: Storage}", [], ["198.51.0.0/16"]),
        ("{service_tag: Sql}", [], ["0.0.0.0/0", "::/0"]),
        ("{prefix_list: com.amazonaws.eu-west-1.s3}", [], ["0.0.0.0/0", "::/0"]),
    ],
)
def test_a_selector_of_addresses_takes_addresses(tools, selector, must, may):
    from lint.space.addresses import cidrs

    role, _ = bound(tools, selector)
    assert role.endpoints == ()
    assert cidrs(role.must) == must
    assert cidrs(role.may) == (must if may is None else may)


def test_prefix_lists_of_the_project_file_are_known(tools):
    flow = tools.flow("required", "agent", "api", "tcp/443")
    world = tools.world().group("a", out=[("tcp/443", "203.0.113.0/24")]).machine("a", "10.0.1.5", "a")
    roles = "agent: [{names: [a]}]\napi: [{prefix_list: com.amazonaws.eu-west-1.ec2}]"
    judged = tools.judge(world, tools.pack(flow), roles)
    assert judged.findings[0].verdict == "undetermined"
    assert any("com.amazonaws.eu-west-1.ec2" in text for text in judged.findings[0].unknown)
    known = "prefix_lists:\n  com.amazonaws.eu-west-1.ec2: [203.0.113.64/26]\n"
    assert tools.judge(world, tools.pack(flow), roles, rest=known).findings[0].verdict == "satisfied"


def test_unknown_tags_leave_it_open_whether_a_machine_is_bound(tools):
    from lint.origin import Reason

    flow = tools.flow("required", "agent", "gateway", "tcp/1")
    world = tools.world().group("a").group("g", []).machine("gateway", "10.0.2.9", "g")
    world.machine("agent", "10.0.1.5", "a", tags_open=(Reason("var.tags has no value"),))
    judged = tools.judge(world, tools.pack(flow), "agent: [{tags: {role: agent}}]\ngateway: [{names: [gateway]}]")
    (finding,) = judged.findings
    assert finding.verdict == "undetermined"
    assert any("var.tags has no value" in text for text in finding.unknown)
    assert judged.problems == ()


@pytest.mark.parametrize("kind", ["required", "forbidden"])
def test_a_selector_that_binds_nothing_is_said_and_never_a_pass(tools, kind):
    flow = tools.flow(kind, "agent", "gateway", "tcp/1")
    world = tools.world().group("g", []).machine("gateway", "10.0.2.9", "g")
    judged = tools.judge(world, tools.pack(flow), "agent: [{names: [nobody-*]}]\ngateway: [{names: [gateway]}]")
    (finding,) = judged.findings
    assert finding.verdict == "unbound"
    (problem,) = judged.problems
    assert problem.severity == ("error" if kind == "required" else "warning")
    assert "nobody-*" in problem.text
    assert problem.origin.line == 6


def test_the_document_s_own_addresses_stand_for_a_role_that_is_not_bound(tools):
    from lint.packs.model import Role

    flow = tools.flow("required", "agent", "dns", "udp/53")
    pack = tools.pack(flow, roles=(Role("dns", "DNS", "vendor", default_addresses=("8.8.8.8/32",)),))
    world = tools.world().group("a", out=[("udp/53", "8.8.8.8/32")]).machine("a", "10.0.1.5", "a")
    (finding,) = tools.judge(world, pack, "agent: [{names: [a]}]").findings
    assert finding.verdict == "satisfied"
    (finding,) = tools.judge(world, pack, "agent: [{names: [a]}]\ndns: [{addresses: [10.9.9.9/32]}]").findings
    assert finding.verdict == "violated"


def test_client_ports_are_those_of_the_project_file(tools):
    from lint.project.decode import PROFILES

    flow = tools.flow("required", "agent", "api", "tcp/443")
    world = tools.world().group("a").machine("a", "10.0.1.5", "a")
    roles = "agent: [{names: [a]}]\napi: [{addresses: [203.0.113.1/32]}]"
    judged = tools.judge(world, tools.pack(flow), roles, more="    client_ports: {agent: linux}\n")
    assert judged.bindings[0].roles[0][1].endpoints[0].client_ports == PROFILES["linux"]
