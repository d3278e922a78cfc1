"""What one root adds to a thing that another root makes: where nothing says which it is, it may be any that fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aws import hcl
from tests.aws.hcl import BASE, MACHINES, A, B
from tests.aws.world import verdict

OUT = 'egress {\nfrom_port = 0\nto_port = 0\nprotocol = "-1"\ncidr_blocks = ["0.0.0.0/0"]\n}'
NETWORK = (
    BASE
    + MACHINES
    + f"""
resource "aws_security_group" "sa" {{
  vpc_id = aws_vpc.main.id
  {OUT}
}}
resource "aws_security_group" "sb" {{
  name   = "sb"
  vpc_id = aws_vpc.main.id
  tags   = {{ tier = "db" }}
  {OUT}
}}
resource "aws_vpc_security_group_ingress_rule" "ssh" {{
  security_group_id = aws_security_group.sb.id
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = "10.0.0.0/8"
}}
resource "aws_network_acl" "b" {{
  vpc_id     = aws_vpc.main.id
  subnet_ids = [aws_subnet.b.id]
  ingress {{
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }}
  egress {{
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }}
}}
"""
)
RULE = """
resource "aws_vpc_security_group_ingress_rule" "more" {
  security_group_id = %s
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "10.0.0.0/8"
}
"""


@pytest.mark.parametrize(
    ("names", "by", "expected"),
    [
        ("var.group", 'variable "group" {}', "undetermined"),
        ('"sg-0123456789abcdef0"', "", "undetermined"),
        (
            "data.terraform_remote_state.network.outputs.group",
            'data "terraform_remote_state" "network" {\nbackend = "local"\n}',
            "undetermined",
        ),
        (
            "data.aws_security_group.it.id",
            'data "aws_security_group" "it" {\nname = var.name\n}\nvariable "name" {}',
            "undetermined",
        ),
        ("data.aws_security_group.it.id", 'data "aws_security_group" "it" {\nname = "sb"\n}', "allowed"),
        (
            "data.aws_security_group.it.id",
            'data "aws_security_group" "it" {\nname = "other"\ntags = { tier = "x" }\n}',
            "blocked",
        ),
        ("aws_security_group.own.id", 'resource "aws_security_group" "own" {}', "blocked"),
    ],
)
def test_a_rule_belongs_to_every_group_that_it_may_name(tmp_path: Path, names: str, by: str, expected: str) -> None:
    one = hcl.graph(tmp_path, NETWORK, app=by + RULE % names)
    assert verdict(one, A, B, "tcp/443") == expected
    assert verdict(one, A, B, "tcp/22") == "allowed"
    assert verdict(one, A, B, "tcp/23") == "blocked"


ACL_RULE = """
variable "acl" {}
resource "aws_network_acl_rule" "deny" {
  network_acl_id = var.acl
  rule_number    = 10
  protocol       = "tcp"
  rule_action    = "deny"
  cidr_block     = "0.0.0.0/0"
  from_port      = 22
  to_port        = 22
}
"""
ACL = """
variable "vpc" {}
variable "subnets" { type = list(string) }
resource "aws_network_acl" "closed" {
  vpc_id     = var.vpc
  subnet_ids = var.subnets
}
"""
ATTACHMENT = """
variable "interface" {}
resource "aws_security_group" "more" {}
resource "aws_network_interface_sg_attachment" "more" {
  network_interface_id = var.interface
  security_group_id    = aws_security_group.more.id
}
"""


@pytest.mark.parametrize(
    ("app", "service"), [(ACL_RULE, "tcp/22"), (ACL, "tcp/22"), (ATTACHMENT, "tcp/443")], ids=["entry", "acl", "group"]
)
def test_what_is_added_to_something_that_is_not_named_may_be_added_here(tmp_path: Path, app: str, service: str) -> None:
    assert verdict(hcl.graph(tmp_path, NETWORK, app=app), A, B, service) == "undetermined"


def test_an_address_of_another_root_may_make_a_machine_public(tmp_path: Path) -> None:
    network = (
        NETWORK.replace('"10.0.0.0/8"', '"0.0.0.0/0"')
        + """
    resource "aws_internet_gateway" "out" { vpc_id = aws_vpc.main.id }
    resource "aws_route_table" "out" {
      vpc_id = aws_vpc.main.id
      route {
        cidr_block = "0.0.0.0/0"
        gateway_id = aws_internet_gateway.out.id
      }
    }
    resource "aws_route_table_association" "b" {
      subnet_id      = aws_subnet.b.id
      route_table_id = aws_route_table.out.id
    }
    """
    )
    eip = 'variable "machine" {}\nresource "aws_eip" "it" {\ninstance = var.machine\n}'
    assert verdict(hcl.graph(tmp_path / "alone", network), "internet", B, "tcp/22") == "blocked"
    assert verdict(hcl.graph(tmp_path / "both", network, app=eip), "internet", B, "tcp/22") == "undetermined"


DEFAULTS = (
    BASE
    + """
resource "aws_instance" "a" {
  subnet_id = aws_subnet.a.id
}
resource "aws_instance" "b" {
  subnet_id = aws_subnet.b.id
}
resource "aws_route_table" "unused" { vpc_id = aws_vpc.main.id }
"""
)


@pytest.mark.parametrize(
    "app",
    [
        'resource "aws_default_security_group" "x" { vpc_id = var.x }',
        'resource "aws_default_network_acl" "x" { default_network_acl_id = var.x }',
        'resource "aws_default_route_table" "x" { default_route_table_id = var.x }',
        'resource "aws_route_table" "x" { vpc_id = var.x }\n'
        'resource "aws_main_route_table_association" "x" {\nvpc_id = var.x\nroute_table_id = aws_route_table.x.id\n}',
    ],
)
def test_what_a_vpc_has_by_default_may_be_taken_over_by_another_root(tmp_path: Path, app: str) -> None:
    assert verdict(hcl.graph(tmp_path / "alone", DEFAULTS), A, B, "tcp/22") == "allowed"
    both = hcl.graph(tmp_path / "both", DEFAULTS, app='variable "x" { type = string }\n' + app)
    assert verdict(both, A, B, "tcp/22") == "undetermined"


def test_entries_of_a_prefix_list_may_come_from_another_root(tmp_path: Path) -> None:
    network = """
resource "aws_ec2_managed_prefix_list" "l" {
  name           = "l"
  address_family = "IPv4"
  max_entries    = 5
}
"""
    entry = """
variable "list" { type = string }
resource "aws_ec2_managed_prefix_list_entry" "x" {
  prefix_list_id = var.list
  cidr           = "10.0.0.0/8"
}
"""
    for more, may in ({}, False), ({"app": entry}, True):
        listed = hcl.graph(tmp_path / str(may), network, **more).address_lists["aws_ec2_managed_prefix_list.l"]
        assert (bool(listed.must), bool(listed.may)) == (False, may)


def test_another_root_may_keep_other_rules_of_a_group(tmp_path: Path) -> None:
    keeper = """
variable "group" { type = string }
resource "aws_vpc_security_group_rules_exclusive" "x" {
  security_group_id = var.group
  ingress_rule_ids  = []
  egress_rule_ids   = []
}
"""
    for more, expected in ({}, "allowed"), ({"app": keeper}, "undetermined"):
        assert verdict(hcl.graph(tmp_path / expected, NETWORK, **more), A, B, "tcp/22") == expected
