"""A flow that has no way gets the route it lacks, where exactly one thing leads there."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from lint.check import check, mend
from tests.fix.projects import BY_ADDRESS, applied, judged, request, the, write
from tests.fix.sites import AclSite

NETWORKS = """\
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_vpc" "dr" {
  cidr_block = "10.1.0.0/16"
}

resource "aws_subnet" "app" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}

resource "aws_subnet" "gateway" {
  vpc_id     = aws_vpc.dr.id
  cidr_block = "10.1.2.0/24"
}

resource "aws_route_table_association" "app" {
  subnet_id      = aws_subnet.app.id
  route_table_id = aws_route_table.app.id
}

resource "aws_route_table_association" "gateway" {
  subnet_id      = aws_subnet.gateway.id
  route_table_id = aws_route_table.gateway.id
}

resource "aws_internet_gateway" "dr" {
  vpc_id = aws_vpc.dr.id
}

resource "aws_instance" "gateway" {
  subnet_id                   = aws_subnet.gateway.id
  associate_public_ip_address = true
  vpc_security_group_ids      = [aws_security_group.gateway.id]
}

resource "aws_instance" "app" {
  subnet_id              = aws_subnet.app.id
  vpc_security_group_ids = [aws_security_group.app.id]
}

resource "aws_security_group" "app" {
  vpc_id = aws_vpc.main.id

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "gateway" {
  vpc_id = aws_vpc.dr.id

  ingress {
    protocol        = "tcp"
    from_port       = 13260
    to_port         = 13260
    security_groups = [aws_security_group.app.id]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"""

PEERING = """\
resource "aws_vpc_peering_connection" "dr" {
  vpc_id      = aws_vpc.main.id
  peer_vpc_id = aws_vpc.dr.id
  auto_accept = true
}
"""


def table(name: str, network: str, *routes: str) -> str:
    """A route table."""
    return "\n".join([f'resource "aws_route_table" "{name}" {{', f"  vpc_id = aws_vpc.{network}.id", *routes, "}\n"])


EMPTY = (table("app", "main"), table("gateway", "dr"))
PROXY = '\n  route {\n    cidr_block = "198.51.100.0/24" # the proxy\n    gateway_id = aws_internet_gateway.dr.id\n  }'


def test_both_sides_of_a_peering_get_the_way_that_they_lack(tmp_path: Path) -> None:
    write(tmp_path, NETWORKS, PEERING, *EMPTY, project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    applied(tmp_path, finding)
    text = (tmp_path / "main.tf").read_text()
    for side, other in (("app", "dr"), ("gateway", "main")):
        assert (
            f"""\
resource "aws_route" "{side}_peering" {{
  route_table_id            = aws_route_table.{side}.id
  destination_cidr_block    = aws_vpc.{other}.cidr_block
  vpc_peering_connection_id = aws_vpc_peering_connection.dr.id
}}
"""
            in text
        )
    assert the(judged(tmp_path), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_only_the_way_back_is_added_where_the_way_there_exists(tmp_path: Path) -> None:
    way = '\n  route {\n    cidr_block                = "10.1.0.0/16"\n    vpc_peering_connection_id = '
    way += "aws_vpc_peering_connection.dr.id\n  }"
    write(tmp_path, NETWORKS, PEERING, table("app", "main", way), table("gateway", "dr", PROXY), project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.fix is not None
    applied(tmp_path, finding)
    text = (tmp_path / "main.tf").read_text()
    assert "    cidr_block                = aws_vpc.main.cidr_block\n" in text
    assert '    cidr_block = "198.51.100.0/24" # the proxy\n' in text
    assert the(judged(tmp_path), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_a_machine_with_a_public_address_is_routed_to_the_internet_gateway(tmp_path: Path) -> None:
    write(tmp_path, NETWORKS, *EMPTY, project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-4", "tcp/443")
    applied(tmp_path, finding)
    text = (tmp_path / "main.tf").read_text()
    assert 'destination_cidr_block = "203.0.113.10/32"\n  gateway_id             = aws_internet_gateway.dr.id' in text
    assert the(judged(tmp_path), "block-agent-4", "tcp/443").verdict == "satisfied"


def test_a_machine_without_one_is_routed_to_the_nat_gateway(tmp_path: Path) -> None:
    nat = """\
resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_subnet" "public" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.9.0/24"
}

resource "aws_eip" "nat" {}

resource "aws_nat_gateway" "main" {
  subnet_id     = aws_subnet.public.id
  allocation_id = aws_eip.nat.id
}

resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}
"""
    way = '\n  route {\n    cidr_block = "0.0.0.0/0"\n    gateway_id = aws_internet_gateway.main.id\n  }'
    write(tmp_path, NETWORKS, nat, *EMPTY, table("public", "main", way), project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-1", "tcp/443")
    assert finding.fix is not None
    assert "nat_gateway_id = aws_nat_gateway.main.id" in finding.fix.patch
    applied(tmp_path, finding)
    assert the(judged(tmp_path), "block-agent-1", "tcp/443").verdict == "satisfied"


def test_two_ways_are_for_a_person_to_choose_between(tmp_path: Path) -> None:
    second = PEERING.replace('"dr" {', '"second" {')
    write(tmp_path, NETWORKS, PEERING, second, *EMPTY, project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    assert finding.fix is None
    assert any("aws_vpc_peering_connection.second" in note for note in finding.notes)


def test_no_way_at_all_is_said(tmp_path: Path) -> None:
    write(tmp_path, NETWORKS, *EMPTY, project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.fix is None
    assert any("nothing links" in note for note in finding.notes)


def test_a_route_that_would_open_something_else_is_not_proposed(tmp_path: Path) -> None:
    wide = NETWORKS.replace("security_groups = [aws_security_group.app.id]", 'cidr_blocks     = ["10.0.1.0/24"]')
    write(tmp_path, wide, PEERING, *EMPTY, project=BY_ADDRESS)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    assert finding.fix is None


def test_fix_writes_all_routes_at_once(tmp_path: Path) -> None:
    write(tmp_path, NETWORKS, PEERING, table("app", "main", PROXY), table("gateway", "dr", PROXY), project=BY_ADDRESS)
    mend(request(tmp_path), write=True)
    text = (tmp_path / "main.tf").read_text()
    assert text.count("route {") == 5
    assert the(judged(tmp_path), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_a_live_table_gets_the_command(tmp_path: Path) -> None:
    site = AclSite(tmp_path)
    file = next(site.directory.rglob("RouteTables.json"))
    document = json.loads(file.read_text())
    for one in document["RouteTables"]:
        one["Routes"] = [r for r in one["Routes"] if r.get("GatewayId") != "igw-0f1e2d3c4b5a60001"]
    file.write_text(json.dumps(document))
    commands = [shlex.split(c) for c in mend(site.request, write=False).commands]
    made = [words for words in commands if words[2] == "create-route"]
    assert made
    for words in made:
        given = dict(zip(words[3::2], words[4::2], strict=True))
        assert given["--gateway-id"] == "igw-0f1e2d3c4b5a60001"
        table_ = next(t for t in document["RouteTables"] if t["RouteTableId"] == given["--route-table-id"])
        route = {"DestinationCidrBlock": given["--destination-cidr-block"], "GatewayId": given["--gateway-id"]}
        table_["Routes"].append(route | {"State": "active"})
    file.write_text(json.dumps(document))
    again = check(site.request, "test").findings
    assert not [f for f in again if f.verdict == "violated" and any(b.layer == "route" for b in f.blocked_by)]
