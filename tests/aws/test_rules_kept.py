"""Rules that Terraform itself will remove aren't certain; networks with host bits are told, and judged without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.aws.model.groups import CidrPeer
from lint.space.addresses import parse_cidr
from tests.aws import hcl

GROUP = """
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_security_group" "g" { vpc_id = aws_vpc.v.id }
resource "aws_vpc_security_group_ingress_rule" "kept" {
  security_group_id = aws_security_group.g.id
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = "10.0.0.0/8"
}
resource "aws_vpc_security_group_ingress_rule" "left" {
  security_group_id = aws_security_group.g.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "10.0.0.0/8"
}
"""
KEEPER = """
variable "id" {{ type = string }}
variable "ids" {{ type = list(string) }}
resource "aws_vpc_security_group_rules_exclusive" "g" {{
  security_group_id = {group}
  ingress_rule_ids  = {rules}
  egress_rule_ids   = []
}}
"""
KEPT, LEFT = (f"aws_vpc_security_group_ingress_rule.{name}" for name in ("kept", "left"))


@pytest.mark.parametrize(
    ("group", "rules", "certain"),
    [
        ("aws_security_group.g.id", f"[{KEPT}.id]", {KEPT}),
        ("aws_security_group.g.id", f"[{KEPT}.security_group_rule_id, {LEFT}.id]", {KEPT, LEFT}),
        ("aws_security_group.g.id", "[]", set()),
        ("aws_security_group.g.id", "var.ids", set()),
        ('"sg-${var.id}"', f"[{KEPT}.id]", {KEPT}),
        ("var.id", f"[{KEPT}.id]", {KEPT, LEFT}),
        ('"sg-0123"', f"[{KEPT}.id]", {KEPT, LEFT}),
    ],
)
def test_only_the_rules_that_are_kept_are_certain(tmp_path: Path, group: str, rules: str, certain: set[str]) -> None:
    found = hcl.model(tmp_path, GROUP + KEEPER.format(group=group, rules=rules))
    assert {rule.id for rule in found.groups["aws_security_group.g"].rules if rule.exists} == certain
    lost = {KEPT, LEFT} - certain
    assert {one.origin.address for one in found.problems if one.origin} == lost
    assert all("Terraform removes it" in one.text for one in found.problems)


@pytest.mark.parametrize(
    ("ignored", "ingress", "egress"),
    [("[ingress]", 1, 0), ("[egress, tags]", 0, 1), ("all", 1, 1), ("[tags]", 0, 0)],
)
def test_a_group_whose_changes_are_ignored_may_hold_more(
    tmp_path: Path, ignored: str, ingress: int, egress: int
) -> None:
    text = INLINE.format(cidrs=f'cidr_blocks = ["10.0.0.0/8"]\n  }}\n  lifecycle {{\n    ignore_changes = {ignored}')
    group = hcl.model(tmp_path, text).groups["aws_security_group.g"]
    assert (len(group.open_ingress), len(group.open_egress)) == (ingress, egress)
    assert [rule.exists for rule in group.rules] == [True]


INLINE = """
resource "aws_security_group" "g" {{
  ingress {{
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    {cidrs}
  }}
}}
"""


@pytest.mark.parametrize(
    ("cidrs", "held", "remedy"),
    [
        ('cidr_blocks = ["10.0.0.1/24"]', "10.0.0.0/24", "write 10.0.0.0/24"),
        ('ipv6_cidr_blocks = ["2001:db8::1/64"]', "2001:db8::/64", "write 2001:db8::/64"),
        ('cidr_blocks = ["10.0.0.0/24"]', "10.0.0.0/24", None),
        ('ipv6_cidr_blocks = ["2001:0db8::/64"]', "2001:db8::/64", None),
    ],
)
def test_host_bits_are_told_and_cleared(tmp_path: Path, cidrs: str, held: str, remedy: str | None) -> None:
    found = hcl.model(tmp_path, INLINE.format(cidrs=cidrs))
    ((peer,),) = (rule.peers for rule in found.groups["aws_security_group.g"].rules)
    assert isinstance(peer, CidrPeer) and peer.addresses == parse_cidr(held)
    assert [one.remedy for one in found.problems] == ([remedy] if remedy else [])
    assert all(one.origin is not None and one.origin.where().endswith("main.tf:7") for one in found.problems)
