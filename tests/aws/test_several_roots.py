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
