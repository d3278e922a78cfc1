"""Every way to write a security group rule in Terraform; what is made of mistakes and of values that aren't known."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.aws.model import Model
from lint.aws.model.groups import (
    CidrPeer,
    GroupPeer,
    PrefixListPeer,
    SecurityGroupRule,
    UndeterminedPeer,
)
from lint.space.addresses import IPV4, parse_cidrs
from lint.space.services import parse, render
from tests.aws import hcl

NET = """
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
resource "aws_security_group" "other" { vpc_id = aws_vpc.main.id }
variable "cidrs" { type = list(string) }
variable "cidr" { type = string }
variable "group" { type = string }
variable "port" { type = number }
variable "how_many" { type = number }
variable "ports" { type = set(number) }
variable "wide" { type = bool }
"""


def rules(model: Model, group: str = "aws_security_group.g") -> list[SecurityGroupRule]:
    return list(model.groups[group].rules)


def line(rule: SecurityGroupRule) -> str:
    """`ingress tcp/443 10.0.0.0/8,self`, with `?` for what isn't certain."""
    kinds = {CidrPeer: "", GroupPeer: "group:", PrefixListPeer: "list:", UndeterminedPeer: "?"}
    peers = ",".join(kinds[type(p)] + p.text for p in rule.peers)
    services = " ".join(render(rule.services.must)) or "?" + " ".join(render(rule.services.may))
    return f"{rule.direction} {services} {peers}" + ("" if rule.exists else " maybe")


def group(body: str) -> str:
    return f'{NET}\nresource "aws_security_group" "g" {{\n  vpc_id = aws_vpc.main.id\n{body}\n}}\n'


BLOCK = """
  ingress {{
    from_port = {low}
    to_port   = {high}
    protocol  = "{protocol}"
    {peers}
  }}
"""


@pytest.mark.parametrize(
    ("protocol", "low", "high", "expected"),
    [
        ("tcp", 443, 443, "tcp/443"),
        ("TCP", 1, 65535, "tcp/1-65535"),
        ("6", 22, 22, "tcp/22"),
        ("17", 53, 53, "udp/53"),
        ("-1", 0, 0, "any"),
        ("all", 0, 0, "any"),
        ("icmp", 8, -1, "icmp/8"),
        ("icmp", -1, -1, "icmp"),
        ("icmpv6", -1, -1, "icmpv6"),
        ("58", 128, 0, "icmpv6/128/0"),
        ("50", 0, 0, "esp"),
    ],
)
def test_protocols_in_all_spellings(tmp_path: Path, protocol: str, low: int, high: int, expected: str) -> None:
    body = BLOCK.format(low=low, high=high, protocol=protocol, peers='cidr_blocks = ["10.0.0.0/8"]')
    assert [line(r) for r in rules(hcl.model(tmp_path, group(body)))] == [f"ingress {expected} 10.0.0.0/8"]


def test_one_block_is_the_cross_product_of_its_ports_with_all_of_its_peers(tmp_path: Path) -> None:
    peers = """
    cidr_blocks      = ["10.1.2.3/16", "192.0.2.0/24"]
    ipv6_cidr_blocks = ["2001:db8::/32"]
    security_groups  = [aws_security_group.other.id, "111122223333/sg-0a"]
    prefix_list_ids  = ["pl-123"]
    self             = true
    """
    (rule,) = rules(hcl.model(tmp_path, group(BLOCK.format(low=80, high=81, protocol="tcp", peers=peers))))
    assert line(rule) == (
        "ingress tcp/80-81 10.1.2.3/16,192.0.2.0/24,2001:db8::/32,list:pl-123,"
        "group:aws_security_group.other,group:111122223333/sg-0a,group:self"
    )
    first = rule.peers[0]
    assert isinstance(first, CidrPeer)
    assert first.addresses == parse_cidrs("10.1.0.0/16")


def test_attributes_as_blocks(tmp_path: Path) -> None:
    body = """
    ingress = [{
      from_port = 22, to_port = 22, protocol = "tcp", cidr_blocks = ["10.0.0.0/8"], ipv6_cidr_blocks = null,
      prefix_list_ids = null, security_groups = null, self = null, description = null
    }]
    egress = []
    """
    assert [line(r) for r in rules(hcl.model(tmp_path, group(body)))] == ["ingress tcp/22 10.0.0.0/8"]


def test_standalone_rules_of_both_kinds(tmp_path: Path) -> None:
    text = (
        group("")
        + """
    resource "aws_security_group_rule" "in" {
      type              = "ingress"
      security_group_id = aws_security_group.g.id
      from_port         = 0
      to_port           = 65535
      protocol          = "-1"
      cidr_blocks       = ["10.0.0.0/8"]
      ipv6_cidr_blocks  = ["fd00::/8"]
    }
    resource "aws_security_group_rule" "out" {
      type                     = "egress"
      security_group_id        = aws_security_group.g.id
      from_port                = 443
      to_port                  = 443
      protocol                 = "tcp"
      source_security_group_id = aws_security_group.other.id
    }
    resource "aws_vpc_security_group_ingress_rule" "one" {
      security_group_id = aws_security_group.g.id
      ip_protocol       = "-1"
      cidr_ipv4         = "192.0.2.0/24"
    }
    resource "aws_vpc_security_group_egress_rule" "two" {
      security_group_id            = aws_security_group.g.id
      ip_protocol                  = "tcp"
      from_port                    = 5432
      to_port                      = 5432
      referenced_security_group_id = aws_security_group.other.id
    }
    """
    )
    found = hcl.model(tmp_path, text)
    assert sorted(line(r) for r in rules(found)) == [
        "egress tcp/443 group:aws_security_group.other",
        "egress tcp/5432 group:aws_security_group.other",
        "ingress any 10.0.0.0/8,fd00::/8",
        "ingress any 192.0.2.0/24",
    ]
    assert sorted(r.id for r in rules(found)) == [
        "aws_security_group_rule.in",
        "aws_security_group_rule.out",
        "aws_vpc_security_group_egress_rule.two",
        "aws_vpc_security_group_ingress_rule.one",
    ]
    assert found.problems == ()


def test_inline_rules_keep_their_names_when_they_change_places(tmp_path: Path) -> None:
    one = BLOCK.format(low=1, high=1, protocol="tcp", peers='cidr_blocks = ["10.0.0.0/8"]')
    two = BLOCK.format(low=2, high=2, protocol="tcp", peers='cidr_blocks = ["10.0.0.0/8"]')
    before = {line(r): r.id for r in rules(hcl.model(tmp_path / "a", group(one + two)))}
    after = {line(r): r.id for r in rules(hcl.model(tmp_path / "b", group("\n\n" + two + one)))}
    assert before == after
    twice = rules(hcl.model(tmp_path / "c", group(one + one)))
    assert len({r.id for r in twice}) == 2


def test_a_rules_origin_is_its_own_block(tmp_path: Path) -> None:
    text = group(BLOCK.format(low=1, high=1, protocol="tcp", peers='cidr_blocks = ["10.0.0.0/8"]'))
    (rule,) = rules(hcl.model(tmp_path, text))
    lines = text.splitlines()
    assert rule.origin.line is not None and rule.origin.end_line is not None
    assert lines[rule.origin.line - 1].strip() == "ingress {"
    assert lines[rule.origin.end_line - 1].strip() == "}"


@pytest.mark.parametrize(
    ("low", "high", "protocol", "peers", "message"),
    [
        (10, 5, "tcp", 'cidr_blocks = ["10.0.0.0/8"]', "the port range 10-5 is upside down"),
        (0, 70000, "tcp", 'cidr_blocks = ["10.0.0.0/8"]', "0-70000 is not a range of ports from 0 to 65535"),
        (1, 1, "banana", 'cidr_blocks = ["10.0.0.0/8"]', '"banana" is not a protocol'),
        (1, 1, "esp", 'cidr_blocks = ["10.0.0.0/8"]', '"esp" is not a protocol'),
        (1, 1, "tcp", 'cidr_blocks = ["10.0.0.0/33"]', '"10.0.0.0/33" is not an IPv4 CIDR'),
        (1, 1, "tcp", 'cidr_blocks = ["::/0"]', '"::/0" is not an IPv4 CIDR'),
        (1, 1, "tcp", 'ipv6_cidr_blocks = ["10.0.0.0/8"]', '"10.0.0.0/8" is not an IPv6 CIDR'),
        (0, 65535, "-1", 'cidr_blocks = ["10.0.0.0/8"]', 'protocol "-1" takes ports 0 and 0 only'),
    ],
)
def test_what_aws_would_refuse_is_said_with_its_place_and_proves_nothing(
    tmp_path: Path, low: int, high: int, protocol: str, peers: str, message: str
) -> None:
    found = hcl.model(tmp_path, group(BLOCK.format(low=low, high=high, protocol=protocol, peers=peers)))
    (problem,) = found.problems
    assert message in problem.text
    assert problem.severity == "error"
    assert problem.origin is not None and problem.origin.file == "main.tf" and problem.origin.line is not None
    (rule,) = rules(found)
    unknown = [p for p in rule.peers if isinstance(p, UndeterminedPeer)]
    assert not rule.services.must or unknown
    assert rule.services.may and rule.reasons


def test_tcp_without_ports_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    text = (
        group("")
        + """
    resource "aws_vpc_security_group_ingress_rule" "x" {
      security_group_id = aws_security_group.g.id
      ip_protocol       = "tcp"
      cidr_ipv4         = "10.0.0.0/8"
    }
    """
    )
    found = hcl.model(tmp_path, text)
    assert "tcp needs from_port and to_port" in found.problems[0].text
    assert line(rules(found)[0]) == "ingress ?tcp 10.0.0.0/8"


def test_a_rule_of_unknown_number_may_be_there(tmp_path: Path) -> None:
    text = (
        group("")
        + """
    resource "aws_vpc_security_group_ingress_rule" "x" {
      count             = var.how_many
      security_group_id = aws_security_group.g.id
      ip_protocol       = "tcp"
      from_port         = 80
      to_port           = 80
      cidr_ipv4         = "10.0.0.0/8"
    }
    """
    )
    (rule,) = rules(hcl.model(tmp_path, text))
    assert line(rule) == "ingress tcp/80 10.0.0.0/8 maybe"
    assert any("var.how_many has no value" in r.text for r in rule.reasons)


def test_a_dynamic_block_over_something_unknown_may_be_anything_of_its_shape(tmp_path: Path) -> None:
    body = """
    dynamic "ingress" {
      for_each = var.ports
      content {
        from_port   = ingress.value
        to_port     = ingress.value
        protocol    = "tcp"
        cidr_blocks = ["10.0.0.0/8"]
      }
    }
    """
    found = hcl.model(tmp_path, group(body))
    assert [line(r) for r in rules(found)] == ["ingress ?tcp 10.0.0.0/8 maybe"]
    assert found.groups["aws_security_group.g"].open_egress == ()


def test_unknown_addresses_are_bounded_by_what_is_known_of_them(tmp_path: Path) -> None:
    def peers(written: str) -> list[object]:
        text = group(BLOCK.format(low=1, high=1, protocol="tcp", peers=f"cidr_blocks = {written}"))
        return [
            (type(p).__name__, p.may if isinstance(p, UndeterminedPeer) else getattr(p, "addresses", None))
            for p in rules(hcl.model(tmp_path / str(abs(hash(written))), text))[0].peers
        ]

    assert peers("var.cidrs") == [("UndeterminedPeer", IPV4)]
    assert peers("[var.cidr]") == [("UndeterminedPeer", IPV4)]
    assert peers('["10.${var.cidr}.0.0/16"]') == [("UndeterminedPeer", parse_cidrs("10.0.0.0/8"))]
    assert peers('[var.wide ? "10.0.0.0/8" : "10.1.0.0/16"]') == [
        ("UndeterminedPeer", parse_cidrs("10.0.0.0/8")),
        ("CidrPeer", parse_cidrs("10.1.0.0/16")),
    ]


def test_unknown_ports_keep_the_protocol(tmp_path: Path) -> None:
    body = """
    ingress {
      from_port   = var.port
      to_port     = var.port
      protocol    = "tcp"
      cidr_blocks = ["10.0.0.0/8"]
    }
    ingress {
      from_port   = var.wide ? 80 : 443
      to_port     = 443
      protocol    = "tcp"
      cidr_blocks = ["10.0.0.0/8"]
    }
    """
    first, second = rules(hcl.model(tmp_path, group(body)))
    assert (first.services.must, first.services.may) == (parse("tcp") & parse("udp"), parse("tcp"))
    assert (second.services.must, second.services.may) == (parse("tcp/443"), parse("tcp/80-443"))


def test_groups_and_lists_that_are_only_looked_up_are_named_and_open(tmp_path: Path) -> None:
    text = """
    data "aws_security_group" "bastion" { name = "bastion" }
    data "aws_prefix_list" "s3" { name = "com.amazonaws.eu-west-1.s3" }
    """ + group(
        BLOCK.format(
            low=22,
            high=22,
            protocol="tcp",
            peers="security_groups = [data.aws_security_group.bastion.id, var.group]\n"
            "prefix_list_ids = [data.aws_prefix_list.s3.id]",
        )
    )
    found = hcl.model(tmp_path, text)
    bastion = found.groups["data.aws_security_group.bastion"]
    assert (bastion.name, bastion.foreign) == ("bastion", True)
    assert bastion.members_open and bastion.open_ingress and bastion.open_egress
    assert found.groups["var.group"].foreign
    listed = found.prefix_lists["data.aws_prefix_list.s3"]
    assert (listed.name, bool(listed.must), bool(listed.may)) == ("com.amazonaws.eu-west-1.s3", False, True)


def test_a_look_up_by_name_finds_the_group_that_another_root_makes(tmp_path: Path) -> None:
    app = """
    data "aws_security_group" "lb" { name = "front" }
    resource "aws_security_group" "app" {
      ingress {
        from_port       = 8080
        to_port         = 8080
        protocol        = "tcp"
        security_groups = [data.aws_security_group.lb.id]
      }
    }
    """
    network = 'resource "aws_security_group" "lb" { name = "front" }'
    one = hcl.graph(tmp_path, app, network=network)
    (peer,) = one.filters["aws_security_group.app"].rules[0].peers
    assert getattr(peer, "group", None) == "aws_security_group.lb"
    assert "data.aws_security_group.lb" not in one.groups


def test_managed_prefix_lists_are_their_entries(tmp_path: Path) -> None:
    text = """
    resource "aws_ec2_managed_prefix_list" "partners" {
      name           = "partners"
      address_family = "IPv4"
      max_entries    = 5
      entry { cidr = "192.0.2.0/24" }
    }
    resource "aws_ec2_managed_prefix_list" "late" {
      name           = "late"
      address_family = "IPv4"
      max_entries    = 5
    }
    resource "aws_ec2_managed_prefix_list_entry" "one" {
      prefix_list_id = aws_ec2_managed_prefix_list.late.id
      cidr           = "198.51.100.0/24"
    }
    """
    lists = hcl.model(tmp_path, text).prefix_lists
    partners, late = lists["aws_ec2_managed_prefix_list.partners"], lists["aws_ec2_managed_prefix_list.late"]
    assert partners.must == partners.may == parse_cidrs("192.0.2.0/24")
    assert late.must == late.may == parse_cidrs("198.51.100.0/24")


def test_a_standalone_rule_names_the_prefix_list_of_its_own_project(tmp_path: Path) -> None:
    text = (
        group("")
        + """
    resource "aws_ec2_managed_prefix_list" "partners" {
      name           = "partners"
      address_family = "IPv4"
      max_entries    = 5
      entry { cidr = "192.0.2.0/24" }
    }
    resource "aws_vpc_security_group_ingress_rule" "ssh" {
      security_group_id = aws_security_group.g.id
      prefix_list_id    = aws_ec2_managed_prefix_list.partners.id
      ip_protocol       = "tcp"
      from_port         = 22
      to_port           = 22
    }
    """
    )
    (ssh,) = rules(hcl.model(tmp_path, text))
    assert line(ssh) == "ingress tcp/22 list:partners"


def test_a_vpcs_untouched_default_group_has_awss_own_rules(tmp_path: Path) -> None:
    text = """
    resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
    resource "aws_subnet" "a" {
      vpc_id     = aws_vpc.main.id
      cidr_block = "10.0.1.0/24"
    }
    resource "aws_instance" "plain" { subnet_id = aws_subnet.a.id }
    """
    found = hcl.model(tmp_path, text)
    (group_id,) = found.workloads["aws_instance.plain"].groups
    assert [line(r) for r in found.groups[group_id].rules] == ["ingress any group:self", "egress any 0.0.0.0/0"]


def test_a_state_names_a_vpcs_default_group_by_its_id(tmp_path: Path) -> None:
    vpc = {"id": "vpc-1", "cidr_block": "10.0.0.0/16", "default_security_group_id": "sg-1"}
    subnet = {"id": "subnet-1", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24"}
    plain = {"id": "i-1", "subnet_id": "subnet-1", "private_ip": "10.0.1.10", "vpc_security_group_ids": ["sg-1"]}
    made = [
        {"address": f"{kind}.a", "mode": "managed", "type": kind, "name": "a", "schema_version": 1, "values": values}
        for kind, values in (("aws_vpc", vpc), ("aws_subnet", subnet), ("aws_instance", plain))
    ]
    found = hcl.state_model({"format_version": "1.0", "values": {"root_module": {"resources": made}}})
    (group_id,) = found.workloads["aws_instance.a"].groups
    assert found.groups[group_id].default_of == "aws_vpc.a"
    assert not found.groups[group_id].foreign
