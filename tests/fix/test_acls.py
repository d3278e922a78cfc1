"""A flow that a network ACL stops gets entries before the one that denies, for the packet and for its reply."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.check import check, mend
from lint.fix.priorities import free_numbers
from lint.graph.rules import Action, Addresses, Direction, Filter, Rule
from lint.origin import Origin
from lint.space.addresses import parse_cidr
from lint.space.intervals import IntervalSet
from lint.space.services import parse
from tests.fix.projects import BY_ADDRESS, applied, judged, request, the, write
from tests.fix.sites import AclSite

PLACES = """\
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "gateway" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.2.0/24"
}

resource "aws_subnet" "app" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}

resource "aws_instance" "gateway" {
  subnet_id              = aws_subnet.gateway.id
  private_ip             = "10.0.2.9"
  vpc_security_group_ids = [aws_security_group.gateway.id]
}

resource "aws_instance" "app" {
  subnet_id              = aws_subnet.app.id
  vpc_security_group_ids = [aws_security_group.app.id]
}

resource "aws_security_group" "app" {
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "gateway" {
  ingress {
    protocol        = "tcp"
    from_port       = 13260
    to_port         = 13260
    security_groups = [aws_security_group.app.id]
  }
}
"""


def entry(way: str, number: int, action: str, cidr: str, low: int = 0, high: int = 0, protocol: str = "-1") -> str:
    """A nested entry of a network ACL."""
    return f"""\
  {way} {{
    protocol   = "{protocol}"
    rule_no    = {number}
    action     = "{action}"
    cidr_block = "{cidr}"
    from_port  = {low}
    to_port    = {high}
  }}
"""


def acl(name: str, *entries: str) -> str:
    """A network ACL of the subnet of that name."""
    head = f"""\
resource "aws_network_acl" "{name}" {{
  vpc_id     = aws_vpc.main.id
  subnet_ids = [aws_subnet.{name}.id]
"""
    return "\n".join([head, *entries]).rstrip("\n") + "\n}\n"


EVERYTHING = entry("egress", 100, "allow", "0.0.0.0/0")
DENIED = acl(
    "gateway",
    entry("ingress", 100, "allow", "203.0.113.10/32", 22, 22, "tcp"),
    entry("ingress", 200, "deny", "0.0.0.0/0"),
    EVERYTHING,
)
CLOSED = 'resource "aws_network_acl" "app" {\n  vpc_id     = aws_vpc.main.id\n  subnet_ids = [aws_subnet.app.id]\n}\n'
STANDALONE = (
    CLOSED
    + """
resource "aws_network_acl_rule" "out" {
  network_acl_id = aws_network_acl.app.id
  rule_number    = 100
  egress         = true
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = "10.0.9.0/24"
  from_port      = 443
  to_port        = 443
}
"""
)


def added(patch: str) -> str:
    """The lines that a patch adds."""
    return "\n".join(line[1:] for line in patch.splitlines() if line.startswith("+") and not line.startswith("+++"))


def test_an_inline_entry_goes_before_the_one_that_denies(tmp_path: Path) -> None:
    write(tmp_path, PLACES, DENIED, project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    # The machine's address isn't known before apply: its subnet is what the ACL can name.
    assert (
        added(finding.fix.patch).strip() == entry("ingress", 110, "allow", "10.0.1.0/24", 13260, 13260, "tcp").strip()
    )
    applied(tmp_path, finding)
    assert the(judged(tmp_path), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_both_borders_and_both_replies_are_opened_in_one_fix(tmp_path: Path) -> None:
    shut = acl("gateway", entry("ingress", 100, "deny", "10.0.0.0/8"), entry("egress", 50, "deny", "10.0.0.0/8"))
    write(tmp_path, PLACES, shut, STANDALONE, project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.fix is not None
    applied(tmp_path, finding)
    text = (tmp_path / "main.tf").read_text()
    assert entry("ingress", 90, "allow", "10.0.1.0/24", 13260, 13260, "tcp") in text
    assert entry("egress", 40, "allow", "10.0.1.0/24", 1024, 65535, "tcp") in text
    assert 'resource "aws_network_acl_rule" "app_egress_tcp_13260"' in text
    assert 'resource "aws_network_acl_rule" "app_ingress_tcp_1024_65535"' in text
    assert the(judged(tmp_path), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_the_reply_is_opened_for_the_ports_that_the_client_uses_alone(tmp_path: Path) -> None:
    ports = BY_ADDRESS + '    client_ports: {agent: "32768-60999"}\n'
    shut = acl("gateway", entry("ingress", 100, "allow", "10.0.0.0/8"))
    write(tmp_path, PLACES, shut, project=ports)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.fix is not None
    assert added(finding.fix.patch).strip() == entry("egress", 100, "allow", "10.0.1.0/24", 32768, 60999, "tcp").strip()


def test_ipv6_gets_an_entry_of_its_own(tmp_path: Path) -> None:
    six = (
        PLACES.replace("10.0.0.0/16", '10.0.0.0/16"\n  ipv6_cidr_block = "2001:db8:1::/56')
        .replace('"10.0.2.0/24"', '"10.0.2.0/24"\n  ipv6_cidr_block = "2001:db8:1:2::/64"')
        .replace('"10.0.2.9"', '"10.0.2.9"\n  ipv6_addresses = ["2001:db8:1:2::9"]')
        .replace('cidr_blocks = ["0.0.0.0/0"]', 'cidr_blocks = ["0.0.0.0/0"]\n    ipv6_cidr_blocks = ["::/0"]')
        .replace("security_groups = [aws_security_group.app.id]", 'cidr_blocks = ["198.51.100.0/24"]')
    )
    shut = acl("gateway", entry("egress", 100, "deny", "192.0.2.1/32"))
    project = BY_ADDRESS.replace("203.0.113.10/32]", '203.0.113.10/32, "2001:db8:9::1/128"]')
    write(tmp_path, six, shut, project=project)
    finding = the(judged(tmp_path), "block-agent-3", "tcp/22")
    assert finding.fix is not None
    text = added(finding.fix.patch)
    assert 'ipv6_cidr_block = "2001:db8:9::1/128"' in text
    assert "rule_no         = 110" in text or "rule_no    = 110" in text
    applied(tmp_path, finding)
    assert the(judged(tmp_path), "block-agent-3", "tcp/22").verdict == "satisfied"


def test_fix_mends_all_of_them_together(tmp_path: Path) -> None:
    write(tmp_path, PLACES, DENIED, STANDALONE, project=BY_ADDRESS)
    mended = mend(request(tmp_path), write=True)
    assert mended.left == 0, mended.said
    assert {f.verdict for f in judged(tmp_path).findings} <= {"satisfied", "unbound", "not_applicable"}


def test_entries_written_as_a_list_stay_a_list(tmp_path: Path) -> None:
    listed = """\
resource "aws_network_acl" "gateway" {
  vpc_id     = aws_vpc.main.id
  subnet_ids = [aws_subnet.gateway.id]

  ingress = []

  egress = [
    {
      action          = "allow"
      cidr_block      = "0.0.0.0/0"
      from_port       = 0
      icmp_code       = null
      icmp_type       = null
      ipv6_cidr_block = null
      protocol        = "-1"
      rule_no         = 100
      to_port         = 0
    },
  ]
}
"""
    write(tmp_path, PLACES, listed, project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.fix is not None
    applied(tmp_path, finding)
    text = (tmp_path / "main.tf").read_text()
    assert 'cidr_block      = "10.0.1.0/24"' in text
    assert 'ipv6_cidr_block = null\n      protocol        = "tcp"' in text


def test_a_default_acl_that_nobody_declared_gets_standalone_entries(tmp_path: Path) -> None:
    refusing = """\
resource "aws_network_acl_rule" "nobody" {
  network_acl_id = aws_vpc.main.default_network_acl_id
  rule_number    = 50
  protocol       = "tcp"
  rule_action    = "deny"
  cidr_block     = "0.0.0.0/0"
  from_port      = 22
  to_port        = 22
}
"""
    write(tmp_path, PLACES, refusing, project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-3", "tcp/22")
    assert finding.fix is not None
    text = added(finding.fix.patch)
    assert "network_acl_id = aws_vpc.main.default_network_acl_id" in text
    assert "rule_number    = 40" in text


def test_what_only_the_acl_can_close_is_refused_there(tmp_path: Path) -> None:
    balancer = """\
resource "aws_lb" "gateway" {
  name               = "gateway"
  load_balancer_type = "network"
  subnets            = [aws_subnet.gateway.id]
}
"""
    project = (
        BY_ADDRESS.replace("aws_instance.gateway", "aws_lb.gateway")
        .replace("{terraform: aws_instance.app}", "{addresses: [10.9.0.0/16]}")
        .replace("    variants:", "    strictness: internet\n    variants:")
    )
    places = PLACES[: PLACES.index('resource "aws_instance"')]
    open_ = acl("gateway", entry("ingress", 100, "allow", "0.0.0.0/0"), EVERYTHING)
    write(tmp_path, places, open_, balancer, project=project)
    finding = the(judged(tmp_path), "gateway-ssh", "tcp/22")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    text = added(finding.fix.patch)
    assert entry("ingress", 90, "deny", "0.0.0.0/0", 22, 22, "tcp") in text + "\n"
    assert entry("ingress", 80, "allow", "203.0.113.10/32", 22, 22, "tcp") in text + "\n"


def test_an_acl_that_guards_others_too_is_not_closed(tmp_path: Path) -> None:
    project = BY_ADDRESS.replace("    variants:", "    strictness: internet\n    variants:").replace(
        "aws_instance.gateway", "aws_lb.gateway"
    )
    balancer = """\
resource "aws_lb" "gateway" {
  name               = "gateway"
  load_balancer_type = "network"
  subnets            = [aws_subnet.gateway.id]
}
"""
    open_ = acl("gateway", entry("ingress", 100, "allow", "0.0.0.0/0"), EVERYTHING)
    write(tmp_path, PLACES, open_, balancer, project=project)
    finding = the(judged(tmp_path), "gateway-ssh", "tcp/22")
    assert finding.verdict == "violated"
    assert finding.fix is None


def denial(number: int, service: str, cidr: str = "0.0.0.0/0") -> Rule:
    """A rule that denies."""
    peers = (Addresses(parse_cidr(cidr), cidr),)
    return Rule(str(number), Direction.INGRESS, Action.DENY, peers, parse(service), Origin(), priority=number)


@pytest.mark.parametrize(
    ("numbers", "count", "wanted"),
    [
        ((), 1, (100,)),
        ((), 2, (100, 110)),
        ((100,), 1, (90,)),
        ((100,), 2, (80, 90)),
        ((5,), 2, (3, 4)),
        ((1,), 1, ()),
        ((2,), 2, ()),
    ],
)
def test_numbers_come_before_what_denies(numbers: tuple[int, ...], count: int, wanted: tuple[int, ...]) -> None:
    held = Filter("acl", "acl", "network_acl", tuple(denial(n, "tcp/22") for n in numbers), Origin(), ordered=True)
    anyone = parse_cidr("10.0.0.0/8")
    assert free_numbers(held, Direction.INGRESS, parse("tcp/22"), anyone, Action.DENY, count) == wanted


def test_numbers_avoid_those_that_are_taken() -> None:
    held = Filter("acl", "acl", "network_acl", (denial(100, "tcp/80"), denial(101, "tcp/22")), Origin(), ordered=True)
    found = free_numbers(held, Direction.INGRESS, parse("tcp/22"), IntervalSet.of(1), Action.DENY, 2)
    assert found == (98, 99)


@given(
    st.dictionaries(st.integers(1, 40) | st.integers(1, 32766), st.booleans(), max_size=12),
    st.integers(1, 5),
)
def test_numbers_are_free_rise_and_come_before_whatever_denies(held: dict[int, bool], count: int) -> None:
    rules = tuple(denial(number, "tcp/22" if denies else "tcp/80") for number, denies in held.items())
    acl_ = Filter("acl", "acl", "network_acl", rules, Origin(), ordered=True)
    found = free_numbers(acl_, Direction.INGRESS, parse("tcp/22"), parse_cidr("10.0.0.0/8"), Action.DENY, count)
    limit = min((number for number, denies in held.items() if denies), default=32767)
    if found:
        assert len(set(found)) == count
        assert list(found) == sorted(found)
        assert not set(found) & set(held)
        assert 1 <= found[0] <= found[-1] < limit
    else:
        assert len(set(range(1, limit)) - set(held)) < count


def test_a_live_acl_gets_commands_that_mend_it(tmp_path: Path) -> None:
    site = AclSite(tmp_path)
    was = {(f.flow, f.service): f.verdict for f in check(site.request, "test").findings}
    site.edit(lambda _, entries: [e for e in entries if e["RuleNumber"] != 100 or e["CidrBlock"] != "0.0.0.0/0"])
    report = check(site.request, "test")
    broken = [f for f in report.findings if f.verdict == "violated" and was[f.flow, f.service] == "satisfied"]
    assert broken
    mended = mend(site.request, write=False)
    assert mended.commands
    assert not mended.patch
    for command in mended.commands:
        if "acl" in command:
            site.run(command)
    now = {(f.flow, f.service): f.verdict for f in check(site.request, "test").findings}
    assert {now[f.flow, f.service] for f in broken} == {"satisfied"}
