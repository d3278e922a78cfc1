"""A rule may name an address known only after apply: it means the machine that will have it, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lint.aws import graph_from_terraform
from lint.graph.graph import RuleGraph
from lint.origin import Origin
from lint.reach import Party, between
from lint.space.services import parse
from lint.terraform.evaluate import Options, evaluate_root
from tests.aws import hcl

WORLD = """
variable "many" { type = number }
variable "text" { type = string }
resource "aws_vpc" "v" {
  cidr_block                       = "10.0.0.0/16"
  assign_generated_ipv6_cidr_block = true
}
resource "aws_internet_gateway" "i" { vpc_id = aws_vpc.v.id }
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.v.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.i.id
  }
}
resource "aws_subnet" "s" {
  vpc_id          = aws_vpc.v.id
  cidr_block      = "10.0.1.0/24"
  ipv6_cidr_block = cidrsubnet(aws_vpc.v.ipv6_cidr_block, 8, 1)
}
resource "aws_route_table_association" "s" {
  subnet_id      = aws_subnet.s.id
  route_table_id = aws_route_table.public.id
}
resource "aws_security_group" "gw" { vpc_id = aws_vpc.v.id }
resource "aws_security_group" "app" {
  vpc_id = aws_vpc.v.id
  egress {
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}
resource "aws_instance" "gw" {
  subnet_id              = aws_subnet.s.id
  vpc_security_group_ids = [aws_security_group.gw.id]
}
resource "aws_instance" "app" {
  count                  = 2
  subnet_id              = aws_subnet.s.id
  vpc_security_group_ids = [aws_security_group.app.id]
}
resource "aws_instance" "more" {
  count                  = var.many
  subnet_id              = aws_subnet.s.id
  vpc_security_group_ids = [aws_security_group.app.id]
}
"""
RULE = """
resource "aws_security_group_rule" "r" {{
  security_group_id = aws_security_group.gw.id
  type              = "ingress"
  protocol          = "tcp"
  from_port         = 443
  to_port           = 443
  {peers}
}}
"""
FIRST, SECOND, GATEWAY = "aws_instance.app[0]", "aws_instance.app[1]", "aws_instance.gw"


def passes(graph: RuleGraph, source: str, destination: str, service: str = "tcp/443") -> str:
    """`yes`, `no` or `unknown`: whether the source reaches the destination."""
    wanted = parse(service)
    reach = between(graph, Party(source, endpoint=source), Party(destination, endpoint=destination), wanted)
    if reach.allowed.must.restrict(None, wanted):
        return "yes"
    return "unknown" if reach.allowed.may.restrict(None, wanted) else "no"


def both(directory: Path, text: str) -> tuple[str, str]:
    """What the first and the second machine of `app` may do."""
    graph = hcl.graph(directory, text)
    return passes(graph, FIRST, GATEWAY), passes(graph, SECOND, GATEWAY)


@pytest.mark.parametrize(
    "cidrs",
    [
        '["${aws_instance.app[0].private_ip}/32"]',
        '[format("%s/32", aws_instance.app[0].private_ip)]',
        '[for i in [aws_instance.app[0]] : "${i.private_ip}/32"]',
        'formatlist("%s/32", aws_instance.app[*].private_ip).0[*]',
        'slice(formatlist("%s/32", aws_instance.app[*].private_ip), 0, 1)',
        'concat(["192.0.2.0/24"], ["${aws_instance.app.0.private_ip}/32"])',
        'flatten([["${aws_instance.app[0].private_ip}/32"], []])',
        'toset(["${aws_instance.app[0].private_ip}/32"])',
        'compact(["", "${aws_instance.app[0].private_ip}/32"])',
        '[join("/", [aws_instance.app[0].private_ip, "32"])]',
        '["${element(aws_instance.app[*].private_ip, 2)}/32"]',
    ],
)
def test_a_rule_for_one_machines_address_lets_in_that_machine_alone(tmp_path: Path, cidrs: str) -> None:
    assert both(tmp_path, WORLD + RULE.format(peers=f"cidr_blocks = {cidrs}")) == ("yes", "no")


def test_a_rule_for_the_addresses_of_all_lets_in_each(tmp_path: Path) -> None:
    peers = 'cidr_blocks = [for i in aws_instance.app : "${i.private_ip}/32"]'
    assert both(tmp_path, WORLD + RULE.format(peers=peers)) == ("yes", "yes")


@pytest.mark.parametrize(
    "cidr",
    [
        '"${aws_instance.app[0].private_ip}/24"',
        '"${aws_instance.app[0].private_ip}"',
        '"${aws_instance.app[0].private_ip}/${var.many}"',
        '"${var.text}/32"',
        '"${aws_instance.more[0].private_ip}/32"',
        '"${aws_instance.app[0].arn}/32"',
        '"${aws_instance.app[0].public_ip}/128"',
        "aws_instance.app[0].private_ip",
    ],
)
def test_where_the_text_does_not_say_whose_address_it_is_nothing_is_certain(tmp_path: Path, cidr: str) -> None:
    assert both(tmp_path, WORLD + RULE.format(peers=f"cidr_blocks = [{cidr}]")) == ("unknown", "unknown")


def test_a_rule_outward_names_its_destination(tmp_path: Path) -> None:
    text = """
resource "aws_security_group_rule" "out" {
  security_group_id = aws_security_group.gw.id
  type              = "egress"
  protocol          = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_blocks       = ["${aws_instance.app[1].private_ip}/32"]
}
resource "aws_security_group_rule" "in" {
  security_group_id = aws_security_group.app.id
  type              = "ingress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["10.0.0.0/8"]
}
"""
    graph = hcl.graph(tmp_path, WORLD + text)
    assert (passes(graph, GATEWAY, FIRST), passes(graph, GATEWAY, SECOND)) == ("no", "yes")


@pytest.mark.parametrize(
    ("peers", "expected"),
    [
        ("ipv6_cidr_blocks = [aws_vpc.v.ipv6_cidr_block]", "yes"),
        ("ipv6_cidr_blocks = [aws_subnet.s.ipv6_cidr_block]", "yes"),
        ('ipv6_cidr_blocks = ["${aws_instance.app[0].ipv6_addresses[0]}/128"]', "yes"),
        ("ipv6_cidr_blocks = [cidrsubnet(aws_vpc.v.ipv6_cidr_block, 8, 1)]", "unknown"),
        ("cidr_blocks = [aws_vpc.v.cidr_block]", "no"),
    ],
)
def test_the_range_of_a_network_holds_all_of_its_machines(tmp_path: Path, peers: str, expected: str) -> None:
    dual = WORLD.replace("subnet_id  ", "ipv6_address_count = 1\n  subnet_id  ")
    graph = hcl.graph(tmp_path, dual + RULE.format(peers=peers))
    wanted = parse("tcp/443")
    reach = between(graph, Party("a", endpoint=FIRST), Party("g", endpoint=GATEWAY), wanted)
    six = next(a.place for a in graph.endpoints[FIRST].addresses if a.family == 6)
    must, may = six in reach.allowed.must.peers(), six in reach.allowed.may.peers()
    assert ("yes" if must else "unknown" if may else "no") == expected


def test_an_interfaces_own_address_is_the_first_of_several(tmp_path: Path) -> None:
    text = """
resource "aws_network_interface" "n" {
  subnet_id         = aws_subnet.s.id
  private_ips_count = 2
  security_groups   = [aws_security_group.app.id]
}
"""
    peers = 'cidr_blocks = ["${aws_network_interface.n.private_ip}/32"]'
    graph = hcl.graph(tmp_path, WORLD + text + RULE.format(peers=peers))
    name = "aws_network_interface.n"
    reach = between(graph, Party(name, endpoint=name), Party(GATEWAY, endpoint=GATEWAY), parse("tcp/443"))
    own = [address.place for address in graph.endpoints[name].addresses]
    assert len(own) == 3
    assert [place in reach.allowed.may.peers() for place in own] == [True, False, False]


LIST = """
resource "aws_ec2_managed_prefix_list" "l" {
  name           = "apps"
  address_family = "IPv4"
  max_entries    = 5
  entry { cidr = "${aws_instance.app[0].private_ip}/32" }
}
"""


def test_a_prefix_list_may_hold_such_an_address(tmp_path: Path) -> None:
    text = WORLD + LIST + RULE.format(peers="prefix_list_ids = [aws_ec2_managed_prefix_list.l.id]")
    assert both(tmp_path, text) == ("yes", "no")


def test_a_network_acl_may_refuse_such_an_address(tmp_path: Path) -> None:
    text = """
resource "aws_subnet" "t" {
  vpc_id     = aws_vpc.v.id
  cidr_block = "10.0.2.0/24"
}
resource "aws_instance" "db" {
  subnet_id              = aws_subnet.t.id
  vpc_security_group_ids = [aws_security_group.gw.id]
}
resource "aws_network_acl" "t" {
  vpc_id     = aws_vpc.v.id
  subnet_ids = [aws_subnet.t.id]
  ingress {
    rule_no    = 10
    action     = "deny"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "${aws_instance.app[0].private_ip}/32"
  }
  ingress {
    rule_no    = 20
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }
  egress {
    rule_no    = 20
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }
}
"""
    graph = hcl.graph(tmp_path, WORLD + text + RULE.format(peers='cidr_blocks = ["0.0.0.0/0"]'))
    assert (passes(graph, FIRST, "aws_instance.db"), passes(graph, SECOND, "aws_instance.db")) == ("no", "yes")


ABROAD = """
resource "aws_vpc" "w" { cidr_block = "10.9.0.0/16" }
resource "aws_internet_gateway" "w" { vpc_id = aws_vpc.w.id }
resource "aws_route_table" "w" {
  vpc_id = aws_vpc.w.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.w.id
  }
}
resource "aws_subnet" "w" {
  count      = 2
  vpc_id     = aws_vpc.w.id
  cidr_block = cidrsubnet(aws_vpc.w.cidr_block, 8, count.index)
}
resource "aws_route_table_association" "w" {
  subnet_id      = aws_subnet.w[0].id
  route_table_id = aws_route_table.w.id
}
resource "aws_security_group" "w" {
  vpc_id = aws_vpc.w.id
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_instance" "w" {
  count                       = 2
  subnet_id                   = aws_subnet.w[count.index].id
  associate_public_ip_address = count.index == 0
  vpc_security_group_ids      = [aws_security_group.w.id]
}
resource "aws_eip" "gw" { instance = aws_instance.gw.id }
"""
ELASTIC = 'resource "aws_eip" "w" { instance = aws_instance.w[0].id }\n'
NAT = """
resource "aws_eip" "n" {}
resource "aws_nat_gateway" "n" {
  allocation_id = aws_eip.n.id
  subnet_id     = aws_subnet.w[0].id
}
resource "aws_route_table" "n" {
  vpc_id = aws_vpc.w.id
  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.n.id
  }
}
resource "aws_route_table_association" "n" {
  subnet_id      = aws_subnet.w[1].id
  route_table_id = aws_route_table.n.id
}
"""
ASSOCIATED = """
resource "aws_eip" "w" {}
resource "aws_eip_association" "w" {
  instance_id   = aws_instance.w[0].id
  allocation_id = aws_eip.w.id
}
"""


@pytest.mark.parametrize(
    ("more", "address", "expected"),
    [
        ("", "aws_instance.w[0].public_ip", ("yes", "no")),
        ("", "aws_instance.w[0].private_ip", ("no", "no")),
        ("", "aws_instance.w[1].public_ip", ("unknown", "no")),
        (ELASTIC, "aws_eip.w.public_ip", ("yes", "no")),
        (ASSOCIATED, "aws_eip.w.public_ip", ("yes", "no")),
        (ELASTIC, "aws_instance.w[0].public_ip", ("unknown", "no")),
        (NAT, "aws_eip.n.public_ip", ("no", "yes")),
        (NAT, "aws_nat_gateway.n.public_ip", ("no", "yes")),
        (NAT, "aws_nat_gateway.n.private_ip", ("no", "no")),
        ('resource "aws_eip" "x" {}\n' + NAT, "aws_eip.x.public_ip", ("unknown", "unknown")),
    ],
)
def test_a_public_address_is_that_of_who_has_it(
    tmp_path: Path, more: str, address: str, expected: tuple[str, str]
) -> None:
    graph = hcl.graph(tmp_path, WORLD + ABROAD + more + RULE.format(peers=f'cidr_blocks = ["${{{address}}}/32"]'))
    assert (passes(graph, "aws_instance.w[0]", GATEWAY), passes(graph, "aws_instance.w[1]", GATEWAY)) == expected


def test_several_roots_keep_their_places_apart(tmp_path: Path) -> None:
    text = WORLD + RULE.format(peers='cidr_blocks = ["${aws_instance.app[0].private_ip}/32"]')
    one, two = hcl.write(tmp_path / "one", text), hcl.write(tmp_path / "two", text.replace("app[0]", "app[1]"))
    graph = graph_from_terraform([evaluate_root(root, Options()) for root in (one, two)])
    assert [
        passes(graph, f"{root}:{source}", f"{root}:{GATEWAY}") for root in (one, two) for source in (FIRST, SECOND)
    ] == ["yes", "no", "no", "yes"]


def test_a_plan_without_its_configuration_does_not_say_how_an_address_is_named(tmp_path: Path) -> None:
    text = WORLD + RULE.format(peers='cidr_blocks = ["${aws_instance.app[0].private_ip}/32"]')
    read = evaluate_root(hcl.write(tmp_path, text), Options())
    bare = tuple(replace(one, origin=Origin(file="plan.json", address=one.address)) for one in read.resources)
    found = [
        passes(graph_from_terraform([replace(read, kind="plan", resources=some)]), FIRST, GATEWAY)
        for some in (
            read.resources,
            bare,
        )
    ]
    assert found == ["yes", "unknown"]
