"""The places where AWS does something else than one would think: each case with the exact set that passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lint.graph.graph import RuleGraph
from lint.space.addresses import PUBLIC, parse_cidr
from lint.space.intervals import IntervalSet
from lint.space.services import ICMP, TCP, UDP, parse, protocol, render
from tests.aws import hcl
from tests.aws.hcl import BASE, MACHINES, A, B
from tests.aws.world import (
    EVERYONE,
    EVERYONE6,
    LOCAL,
    OPEN,
    OPEN6,
    OUT6,
    Json,
    acl,
    entry,
    exactly,
    graph,
    group,
    interface,
    peering,
    permit,
    reach,
    route,
    subnet,
    sure,
    table,
    text,
    verdict,
    vpc,
    world,
)

ANY = permit("-1", None, None, EVERYONE)


def into_b(*permissions: Json, **kinds: list[Json]) -> RuleGraph:
    """The base world, whose group sg-b lets this in."""
    return graph(world(SecurityGroups=[group("sg-a"), group("sg-b", *permissions)], **kinds))


def test_a_group_means_every_private_address_of_its_members_and_nobody_else() -> None:
    one = into_b(
        permit("tcp", 443, 443, "sg-a"),
        NetworkInterfaces=[
            interface("a", "10.0.1.10", "sg-a", more=("10.0.1.12",), public="198.51.100.5"),
            interface("a2", "10.0.1.11", "sg-b"),
            interface("b", "10.0.2.10", "sg-b"),
        ],
    )
    assert exactly(one, "a", "b") == ["10.0.1.10/32,10.0.1.12/32 tcp/443"]
    assert exactly(one, "a2", "b") == []


def test_a_group_that_terraform_manages_without_egress_lets_nothing_out(tmp_path: Path) -> None:
    one = hcl.graph(
        tmp_path,
        BASE
        + MACHINES
        + """
        resource "aws_security_group" "sa" { vpc_id = aws_vpc.main.id }
        resource "aws_security_group" "sb" {
          vpc_id = aws_vpc.main.id
          ingress {
            from_port   = 0
            to_port     = 0
            protocol    = "-1"
            cidr_blocks = ["0.0.0.0/0"]
          }
        }
        """,
    )
    assert exactly(one, A, B) == []
    assert verdict(one, A, "10.0.0.2/32", "udp/53") == "allowed"  # the resolver is never filtered
    assert verdict(one, A, "169.254.169.254/32", "tcp/80") == "allowed"


def test_the_same_group_from_a_dump_has_its_default_egress() -> None:
    assert exactly(into_b(ANY), "a", "b") == ["10.0.1.10/32 any"]


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        pytest.param(permit("tcp", 0, 0, "10.0.0.0/8"), ["tcp/0"], id="0-0 is port 0 alone"),
        pytest.param(permit("icmp", 0, 0, "10.0.0.0/8"), ["icmp/0/0"], id="icmp 0/0 is the echo reply"),
        pytest.param(permit("icmp", 8, -1, EVERYONE), ["icmp/8"], id="code -1 is any code"),
        pytest.param(permit("icmp", -1, -1, EVERYONE), ["icmp"], id="type -1 is all of icmp"),
        pytest.param(permit("50", 0, 0, EVERYONE), ["esp"], id="a protocol without ports ignores them"),
        pytest.param(permit("47", 100, 200, EVERYONE), ["gre"], id="and so does a dump that has some"),
        pytest.param(permit("6", 22, 23, EVERYONE), ["tcp/22-23"], id="numbers are names"),
        pytest.param(permit("TCP", 22, 22, "10.0.1.77/24"), ["tcp/22"], id="host bits are cleared"),
    ],
)
def test_protocols_and_ports_are_read_as_aws_reads_them(permission: Json, expected: list[str]) -> None:
    assert exactly(into_b(permission), "a", "b") == [f"10.0.1.10/32 {service}" for service in expected]


DUAL = [
    interface("a", "10.0.1.10", "sg-a", v6=("2001:db8:0:1::a",)),
    interface("b", "10.0.2.10", "sg-b", v6=("2001:db8:0:2::b",)),
]
DUAL_NET: dict[str, list[Json]] = {
    "Vpcs": [vpc("vpc-1", "10.0.0.0/16", "2001:db8::/56")],
    "Subnets": [
        subnet("subnet-a", "10.0.1.0/24", v6="2001:db8:0:1::/64"),
        subnet("subnet-b", "10.0.2.0/24", v6="2001:db8:0:2::/64"),
    ],
    "NetworkInterfaces": DUAL,
}


def dual(*permissions: Json, **kinds: list[Json]) -> RuleGraph:
    """Both machines with IPv6, both groups letting everything out."""
    return graph(
        world(
            **{
                **DUAL_NET,
                "NetworkAcls": [acl("acl-0", ("subnet-a", "subnet-b"), *OPEN, *OPEN6)],
                "RouteTables": [table("rtb-0", LOCAL, route("2001:db8::/56", "local"), main=True)],
                "SecurityGroups": [group("sg-a", out=(OUT6,)), group("sg-b", *permissions, out=(OUT6,))],
                **kinds,
            }
        )
    )


def test_icmp_for_everyone_means_ipv4_only() -> None:
    assert exactly(dual(permit("icmp", -1, -1, EVERYONE)), "a", "b") == ["10.0.1.10/32 icmp"]


def test_all_protocols_for_all_of_ipv4_lets_no_ipv6_in() -> None:
    assert exactly(dual(ANY), "a", "b") == ["10.0.1.10/32 any"]


def test_the_groups_of_one_interface_are_united() -> None:
    one = graph(
        world(
            SecurityGroups=[
                group("sg-a"),
                group("sg-b1", permit("tcp", 80, 80, "10.0.1.0/24")),
                group("sg-b2", permit("tcp", 443, 443, "10.0.1.10/32")),
            ],
            NetworkInterfaces=[
                interface("a", "10.0.1.10", "sg-a"),
                interface("c", "10.0.1.20", "sg-a"),
                interface("b", "10.0.2.10", "sg-b1", "sg-b2"),
            ],
        )
    )
    assert exactly(one, "a", "b") == ["10.0.1.10/32 tcp/443", "10.0.1.10/32 tcp/80"] or exactly(one, "a", "b") == [
        "10.0.1.10/32 tcp/80,443"
    ]
    assert exactly(one, "c", "b") == ["10.0.1.20/32 tcp/80"]


def test_the_default_group_admits_its_own_members_alone() -> None:
    one = graph(
        world(
            SecurityGroups=[
                group("sg-0", permit("-1", None, None, "sg-0"), name="default"),
                group("sg-d", ANY),
            ],
            NetworkInterfaces=[
                interface("a", "10.0.1.10", "sg-0"),
                interface("b", "10.0.2.10", "sg-0"),
                interface("d", "10.0.2.20", "sg-d"),
            ],
        )
    )
    assert exactly(one, "a", "b") == ["10.0.1.10/32 any"]
    assert exactly(one, "b", "a") == ["10.0.2.10/32 any"]
    assert exactly(one, "a", "d") == ["10.0.1.10/32 any"]
    assert exactly(one, "d", "a") == []


def test_a_default_group_that_terraform_adopts_without_blocks_lets_nothing_through(tmp_path: Path) -> None:
    one = hcl.graph(
        tmp_path,
        BASE
        + """
        resource "aws_default_security_group" "main" { vpc_id = aws_vpc.main.id }
        resource "aws_instance" "a" { subnet_id = aws_subnet.a.id }
        resource "aws_instance" "b" { subnet_id = aws_subnet.b.id }
        """,
    )
    assert exactly(one, A, B) == []
    assert exactly(one, B, A) == []


def test_network_acl_entries_are_tried_by_number_not_as_listed() -> None:
    one = into_b(
        ANY,
        NetworkAcls=[
            acl("acl-a", ("subnet-a",), *OPEN),
            acl(
                "acl-b",
                ("subnet-b",),
                entry(100, "allow", "6", EVERYONE, 443, 443),
                entry(90, "deny", "6", "10.0.1.10/32", 0, 65535),
                OPEN[1],
            ),
        ],
        NetworkInterfaces=[
            interface("a", "10.0.1.10", "sg-a"),
            interface("c", "10.0.1.11", "sg-a"),
            interface("b", "10.0.2.10", "sg-b"),
        ],
    )
    assert exactly(one, "a", "b") == []
    assert exactly(one, "c", "b") == ["10.0.1.11/32 tcp/443"]


def test_network_acls_never_see_traffic_inside_a_subnet() -> None:
    one = into_b(
        permit("tcp", 22, 22, "10.0.1.0/24"),
        NetworkAcls=[acl("acl-a", ("subnet-a", "subnet-b"))],
        NetworkInterfaces=[interface("a", "10.0.1.10", "sg-a"), interface("b", "10.0.1.20", "sg-b")],
    )
    assert exactly(one, "a", "b") == ["10.0.1.10/32 tcp/22"]


def test_replies_need_a_way_through_network_acls_to_every_port_of_the_client() -> None:
    one = into_b(
        permit("tcp", 443, 443, EVERYONE),
        NetworkAcls=[
            acl("acl-a", ("subnet-a",), *OPEN),
            acl(
                "acl-b",
                ("subnet-b",),
                entry(100, "allow", "6", "10.0.1.0/24", 443, 443),
                entry(100, "allow", "6", "10.0.1.0/24", 32768, 65535, out=True),
            ),
        ],
    )
    assert verdict(one, "a", "b", "tcp/443") == "undetermined"
    linux = replace(one.endpoints["eni-a"], client_ports=IntervalSet.span(32768, 60999))
    known = replace(one, endpoints={**one.endpoints, "eni-a": linux})
    assert verdict(known, "a", "b", "tcp/443") == "allowed"


def test_a_deny_before_an_allow_takes_its_part_away() -> None:
    one = into_b(
        ANY,
        NetworkAcls=[
            acl("acl-a", ("subnet-a",), *OPEN),
            acl(
                "acl-b",
                ("subnet-b",),
                entry(100, "deny", "6", EVERYONE, 22, 22),
                entry(110, "allow", "-1", EVERYONE),
                OPEN[1],
            ),
        ],
    )
    assert verdict(one, "a", "b", "tcp/22") == "blocked"
    assert verdict(one, "a", "b", "tcp/1-21,23-65535") == "allowed"
    assert verdict(one, "a", "b", "udp") == "allowed"


def test_a_terraform_acl_entry_for_icmp_without_type_is_the_echo_reply(tmp_path: Path) -> None:
    groups = "".join(
        f"""
        resource "aws_security_group" "{name}" {{
          vpc_id = aws_vpc.main.id
          ingress {{
            from_port = 0
            to_port = 0
            protocol = "-1"
            cidr_blocks = ["0.0.0.0/0"]
          }}
          egress {{
            from_port = 0
            to_port = 0
            protocol = "-1"
            cidr_blocks = ["0.0.0.0/0"]
          }}
        }}
        """
        for name in ("sa", "sb")
    )
    rule = """{
          rule_no    = 100
          action     = "Allow"
          protocol   = "icmp"
          cidr_block = "0.0.0.0/0"
          from_port  = 0
          to_port    = 0
        }"""
    one = hcl.graph(
        tmp_path,
        BASE
        + MACHINES
        + groups
        + f"""
        resource "aws_network_acl" "b" {{
          vpc_id     = aws_vpc.main.id
          subnet_ids = [aws_subnet.b.id]
          ingress {rule}
          egress {rule}
        }}
        """,
    )
    assert verdict(one, A, B, "icmp/0/0") == "allowed"
    assert verdict(one, A, B, "icmp/8/0") == "blocked"
    assert verdict(one, A, B, "tcp/443") == "blocked"


def test_network_acl_entries_for_ipv4_never_let_ipv6_through() -> None:
    one = dual(
        permit("-1", None, None, EVERYONE, EVERYONE6),
        NetworkAcls=[acl("acl-0", ("subnet-a", "subnet-b"), *OPEN)],
    )
    assert exactly(one, "a", "b") == ["10.0.1.10/32 any"]


def peered(
    *permissions: Json,
    back: bool = True,
    status: str = "active",
    regions: tuple[str, str] = ("eu-west-1", "eu-west-1"),
) -> RuleGraph:
    """VPC 1 with a, peered with VPC 2 (10.1.0.0/16) that holds p."""
    home = route("10.1.0.0/16", "local")
    return graph(
        world(
            Vpcs=[vpc("vpc-1", "10.0.0.0/16"), vpc("vpc-2", "10.1.0.0/16")],
            Subnets=[subnet("subnet-a", "10.0.1.0/24"), subnet("subnet-p", "10.1.1.0/24", "vpc-2")],
            SecurityGroups=[group("sg-a"), group("sg-p", *permissions, vpc="vpc-2")],
            NetworkInterfaces=[
                interface("a", "10.0.1.10", "sg-a"),
                interface("p", "10.1.1.10", "sg-p", subnet="subnet-p", vpc="vpc-2"),
            ],
            NetworkAcls=None,
            RouteTables=[
                table("rtb-1", LOCAL, route("10.1.0.0/16", "pcx-12"), main=True),
                table("rtb-2", home, *([route("10.0.0.0/16", "pcx-12")] if back else []), main=True, vpc="vpc-2"),
            ],
            VpcPeeringConnections=[peering("pcx-12", "vpc-1", "vpc-2", status, regions)],
        )
    )


def test_a_peering_needs_a_route_on_both_sides() -> None:
    rule = permit("tcp", 443, 443, "sg-a")
    assert exactly(peered(rule), "a", "p") == ["10.0.1.10/32 tcp/443"]
    assert verdict(peered(rule, back=False), "a", "p", "tcp/443") == "blocked"


def test_a_group_reference_does_not_cross_regions_but_an_address_does() -> None:
    regions = ("eu-west-1", "us-east-1")
    assert exactly(peered(permit("tcp", 443, 443, "sg-a"), regions=regions), "a", "p") == []
    assert exactly(peered(permit("tcp", 443, 443, "10.0.0.0/16"), regions=regions), "a", "p") == [
        "10.0.1.10/32 tcp/443"
    ]


def test_peerings_are_not_transitive() -> None:
    one = graph(
        world(
            Vpcs=[vpc(f"vpc-{n}", f"10.{n}.0.0/16") for n in (1, 2, 3)],
            Subnets=[subnet(f"subnet-{n}", f"10.{n}.1.0/24", f"vpc-{n}") for n in (1, 2, 3)],
            SecurityGroups=[group(f"sg-{n}", ANY, vpc=f"vpc-{n}") for n in (1, 2, 3)],
            NetworkInterfaces=[
                interface(f"m{n}", f"10.{n}.1.10", f"sg-{n}", subnet=f"subnet-{n}", vpc=f"vpc-{n}") for n in (1, 2, 3)
            ],
            NetworkAcls=None,
            RouteTables=[
                table("rtb-1", route("10.1.0.0/16", "local"), route("10.3.0.0/16", "pcx-12"), main=True),
                table(
                    "rtb-2",
                    route("10.2.0.0/16", "local"),
                    route("10.3.0.0/16", "pcx-23"),
                    route("10.1.0.0/16", "pcx-12"),
                    main=True,
                    vpc="vpc-2",
                ),
                table(
                    "rtb-3",
                    route("10.3.0.0/16", "local"),
                    route("10.1.0.0/16", "pcx-23"),
                    route("10.2.0.0/16", "pcx-23"),
                    main=True,
                    vpc="vpc-3",
                ),
            ],
            VpcPeeringConnections=[peering("pcx-12", "vpc-1", "vpc-2"), peering("pcx-23", "vpc-2", "vpc-3")],
        )
    )
    assert exactly(one, "m1", "m3") == []
    assert exactly(one, "m2", "m3") == ["10.2.1.10/32 any"]


def test_a_reference_over_a_deleted_peering_matches_nothing_and_is_said() -> None:
    one = into_b(permit("tcp", 443, 443, "sg-a", PeeringStatus="deleted"))
    assert exactly(one, "a", "b") == []
    assert any("stale" in note for note in one.filters["sg-b"].notes)


IGW = {"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}


def public(
    *routes: Json, v6: tuple[str, ...] = (), vpc_more: Json | None = None, in6: bool = False, **kinds: list[Json]
) -> RuleGraph:
    """a with the public address 198.51.100.5, whose group lets tcp/22 in from everywhere."""
    net = {k: v for k, v in DUAL_NET.items() if k == "Subnets"} if v6 else {}
    return graph(
        world(
            **{
                "Vpcs": [vpc("vpc-1", "10.0.0.0/16", "2001:db8::/56" if v6 else "", **(vpc_more or {}))],
                **net,
                "SecurityGroups": [
                    group(
                        "sg-a",
                        permit("tcp", 22, 22, EVERYONE, *([EVERYONE6] if in6 else [])),
                        out=(OUT6,) if in6 else (permit("-1", None, None, EVERYONE),),
                    ),
                    group("sg-b"),
                ],
                "NetworkInterfaces": [interface("a", "10.0.1.10", "sg-a", public="198.51.100.5", v6=v6)],
                "NetworkAcls": [acl("acl-0", ("subnet-a", "subnet-b"), *OPEN, *OPEN6)],
                "RouteTables": [table("rtb-0", LOCAL, *routes, main=True)],
                "InternetGateways": [IGW],
                **kinds,
            }
        )
    )


def inside(graph: RuleGraph, name: str) -> list[str]:
    """The services by which anybody on the Internet certainly reaches an interface."""
    found = reach(graph, "internet", name).allowed
    assert found.must == found.may, text(found.may)[:5]
    services = found.must.services()
    return render(services) if services else []


def test_a_public_address_without_a_route_to_the_gateway_is_not_public() -> None:
    assert inside(public(), "a") == []


def test_an_internet_gateway_route_for_ipv4_makes_nothing_public_in_ipv6() -> None:
    one = public(route(EVERYONE, "igw-1"), v6=("2001:db8:0:1::a",))
    assert inside(one, "a") == ["tcp/22"]
    assert PUBLIC & parse_cidr(EVERYONE) == reach(one, "internet", "a").allowed.must.peers()
    assert text(reach(one, "2600::/16", "a").allowed.may) == []


def test_a_gateway_that_is_attached_elsewhere_is_a_dead_end() -> None:
    loose = {"InternetGatewayId": "igw-1", "Attachments": []}
    assert inside(public(route(EVERYONE, "igw-1"), InternetGateways=[loose]), "a") == []


NAT = {
    "NatGatewayId": "nat-1",
    "SubnetId": "subnet-b",
    "VpcId": "vpc-1",
    "State": "available",
    "NatGatewayAddresses": [{"PublicIp": "198.51.100.7", "PrivateIp": "10.0.2.200"}],
}


def behind_nat(*more: Json, out: tuple[Json, ...] | None = None, **kinds: list[Json]) -> RuleGraph:
    """a in a private subnet behind a NAT gateway in subnet B; a partner p in another VPC, public as 203.0.113.9."""
    away = {"InternetGatewayId": "igw-2", "Attachments": [{"VpcId": "vpc-2", "State": "available"}]}
    return graph(
        world(
            **{
                "Vpcs": [vpc("vpc-1", "10.0.0.0/16"), vpc("vpc-2", "10.9.0.0/16")],
                "Subnets": [
                    subnet("subnet-a", "10.0.1.0/24"),
                    subnet("subnet-b", "10.0.2.0/24"),
                    subnet("subnet-p", "10.9.1.0/24", "vpc-2"),
                ],
                "SecurityGroups": [
                    group("sg-a", ANY, **({"out": out} if out is not None else {})),
                    group("sg-p", permit("tcp", 443, 443, "198.51.100.7/32"), vpc="vpc-2"),
                ],
                "NetworkInterfaces": [
                    interface("a", "10.0.1.10", "sg-a"),
                    interface("p", "10.9.1.10", "sg-p", subnet="subnet-p", vpc="vpc-2", public="203.0.113.9"),
                ],
                "NetworkAcls": None,
                "NatGateways": [NAT],
                "InternetGateways": [IGW, away],
                "RouteTables": [
                    table("rtb-a", LOCAL, route(EVERYONE, "nat-1"), *more, subnets=("subnet-a",)),
                    table("rtb-b", LOCAL, route(EVERYONE, "igw-1"), subnets=("subnet-b",)),
                    table("rtb-p", route("10.9.0.0/16", "local"), route(EVERYONE, "igw-2"), main=True, vpc="vpc-2"),
                ],
                **kinds,
            }
        )
    )


def test_nat_carries_tcp_udp_and_icmp_outward_and_shows_its_own_address() -> None:
    one = behind_nat()
    out = reach(one, "a", "192.0.2.1/32").allowed
    assert out.must == out.may
    assert out.must.services() == protocol(TCP) | protocol(UDP) | protocol(ICMP)
    assert verdict(one, "a", "192.0.2.1/32", "esp") == "blocked"
    assert inside(one, "a") == []
    assert verdict(one, "a", "p", "tcp/443") == "allowed"
    assert verdict(one, "a", "p", "tcp/80") == "blocked"


def to_public_b(peer: str) -> RuleGraph:
    """a and b, both with public addresses; b's group lets tcp/443 in from one peer."""
    return graph(
        world(
            SecurityGroups=[group("sg-a"), group("sg-b", permit("tcp", 443, 443, peer))],
            NetworkInterfaces=[
                interface("a", "10.0.1.10", "sg-a", public="198.51.100.5"),
                interface("b", "10.0.2.10", "sg-b", public="198.51.100.6"),
            ],
            RouteTables=[table("rtb-0", LOCAL, route(EVERYONE, "igw-1"), main=True)],
            InternetGateways=[IGW],
        )
    )


def test_over_the_public_address_the_sender_is_no_member_of_its_group() -> None:
    def paths(peer: str) -> dict[str, str]:
        return {path.via: path.verdict for path in reach(to_public_b(peer), "a", "b", "tcp/443").paths}

    assert paths("sg-a") == {"private": "allowed", "public": "blocked"}
    assert paths("198.51.100.5/32") == {"private": "blocked", "public": "allowed"}


def test_the_longest_prefix_wins_also_when_it_is_a_dead_end() -> None:
    one = public(route(EVERYONE, "igw-1"), route("203.0.113.0/24", "pcx-9", "blackhole"))
    assert verdict(one, "a", "203.0.113.0/24", "tcp/443") == "blocked"
    assert verdict(one, "a", "192.0.2.0/24", "tcp/443") == "allowed"


def test_a_prefix_list_is_its_entries() -> None:
    one = behind_nat(
        out=(permit("tcp", 443, 443, "pl-x"),),
        PrefixLists=[{"PrefixListId": "pl-x", "PrefixListName": "partners", "AddressFamily": "IPv4"}],
        ManagedPrefixListEntries=[
            {"PrefixListId": "pl-x", "Entries": [{"Cidr": "203.0.113.0/24"}, {"Cidr": "198.51.100.0/24"}]}
        ],
    )
    assert verdict(one, "a", "203.0.113.128/25", "tcp/443") == "allowed"
    assert verdict(one, "a", "198.51.100.0/25", "tcp/443") == "allowed"
    assert verdict(one, "a", "192.0.2.0/24", "tcp/443") == "blocked"
    assert verdict(one, "a", "203.0.113.128/25", "tcp/80") == "blocked"


def test_a_prefix_list_that_nobody_knows_may_be_anything_and_is_certainly_nothing(tmp_path: Path) -> None:
    one = hcl.graph(
        tmp_path,
        BASE
        + """
        data "aws_ec2_managed_prefix_list" "s3" { name = "com.amazonaws.eu-west-1.s3" }
        resource "aws_security_group" "sa" {
          vpc_id = aws_vpc.main.id
          egress {
            from_port       = 443
            to_port         = 443
            protocol        = "tcp"
            prefix_list_ids = [data.aws_ec2_managed_prefix_list.s3.id]
          }
        }
        resource "aws_instance" "a" {
          subnet_id              = aws_subnet.a.id
          vpc_security_group_ids = [aws_security_group.sa.id]
        }
        resource "aws_internet_gateway" "main" { vpc_id = aws_vpc.main.id }
        resource "aws_eip" "nat" {}
        resource "aws_nat_gateway" "main" {
          subnet_id     = aws_subnet.b.id
          allocation_id = aws_eip.nat.id
        }
        resource "aws_route_table" "a" {
          vpc_id = aws_vpc.main.id
          route {
            cidr_block     = "0.0.0.0/0"
            nat_gateway_id = aws_nat_gateway.main.id
          }
        }
        resource "aws_route_table_association" "a" {
          subnet_id      = aws_subnet.a.id
          route_table_id = aws_route_table.a.id
        }
        resource "aws_route_table" "b" {
          vpc_id = aws_vpc.main.id
          route {
            cidr_block = "0.0.0.0/0"
            gateway_id = aws_internet_gateway.main.id
          }
        }
        resource "aws_route_table_association" "b" {
          subnet_id      = aws_subnet.b.id
          route_table_id = aws_route_table.b.id
        }
        """,
    )
    assert verdict(one, A, "198.51.100.9/32", "tcp/443") == "undetermined"
    assert verdict(one, A, "198.51.100.9/32", "tcp/80") == "blocked"


def test_an_egress_only_gateway_lets_ipv6_out_and_nothing_in() -> None:
    eigw = {"EgressOnlyInternetGatewayId": "eigw-1", "Attachments": [{"VpcId": "vpc-1", "State": "attached"}]}
    one = public(route(EVERYONE6, "eigw-1"), v6=("2001:db8:0:1::a",), in6=True, EgressOnlyInternetGateways=[eigw])
    assert verdict(one, "a", "2600::/16", "tcp/443") == "allowed"
    assert text(reach(one, "2600::/16", "a").allowed.may) == []


def test_block_public_access_beats_every_route() -> None:
    one = public(
        route(EVERYONE, "igw-1"), vpc_more={"BlockPublicAccessStates": {"InternetGatewayBlockMode": "block-ingress"}}
    )
    assert inside(one, "a") == []
    assert verdict(one, "a", "192.0.2.1/32", "tcp/443") == "blocked"
    kept = behind_nat(
        Vpcs=[
            vpc("vpc-1", "10.0.0.0/16", BlockPublicAccessStates={"InternetGatewayBlockMode": "block-ingress"}),
            vpc("vpc-2", "10.9.0.0/16"),
        ]
    )
    assert verdict(kept, "a", "192.0.2.1/32", "tcp/443") == "allowed"


def balanced(target_peer: str, target_type: str) -> RuleGraph:
    """An Internet-facing network load balancer with group sg-n in subnet A, in front of b."""
    arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/front/50dc6c495c0c9188"
    behind = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/back/73e2d6bc24d8a067"
    return graph(
        world(
            SecurityGroups=[
                group("sg-n", permit("tcp", 443, 443, EVERYONE)),
                group("sg-b", permit("tcp", 443, 443, target_peer)),
            ],
            NetworkInterfaces=[
                interface(
                    "n",
                    "10.0.1.50",
                    "sg-n",
                    public="198.51.100.50",
                    InterfaceType="network_load_balancer",
                    Description="ELB net/front/50dc6c495c0c9188",
                ),
                interface("b", "10.0.2.10", "sg-b", Attachment={"InstanceId": "i-b"}),
            ],
            RouteTables=[table("rtb-0", LOCAL, route(EVERYONE, "igw-1"), main=True)],
            InternetGateways=[IGW],
            LoadBalancers=[{"LoadBalancerArn": arn, "LoadBalancerName": "front", "Type": "network", "VpcId": "vpc-1"}],
            LoadBalancerListeners=[
                {
                    "LoadBalancerArn": arn,
                    "Listeners": [
                        {
                            "Protocol": "TCP",
                            "Port": 443,
                            "DefaultActions": [{"Type": "forward", "TargetGroupArn": behind}],
                        }
                    ],
                }
            ],
            TargetGroups=[
                {
                    "TargetGroupArn": behind,
                    "TargetGroupName": "back",
                    "Protocol": "TCP",
                    "Port": 443,
                    "TargetType": target_type,
                }
            ],
            LoadBalancerTargetHealth=[
                {
                    "TargetGroupArn": behind,
                    "TargetHealthDescriptions": [
                        {"Target": {"Id": "i-b" if target_type == "instance" else "10.0.2.10", "Port": 443}}
                    ],
                }
            ],
        )
    )


def test_a_network_load_balancers_group_matches_though_targets_see_the_client() -> None:
    one = balanced("sg-n", "instance")
    (forwarding,) = one.forwardings
    assert forwarding.balancer == "eni-n"
    assert forwarding.targets == ("eni-b",)
    assert forwarding.listen == forwarding.services == parse("tcp/443")
    assert forwarding.preserves_client is True
    assert inside(one, "n") == ["tcp/443"]
    assert balanced("10.0.1.0/24", "ip").forwardings[0].preserves_client is False


def test_a_load_balancer_takes_nothing_but_what_it_listens_to() -> None:
    one = balanced("sg-n", "instance")
    open_ = replace(one.filters["sg-n"], rules=into_b(ANY).filters["sg-b"].rules)
    wide = replace(one, filters={**one.filters, "sg-n": open_})
    assert inside(wide, "n") == ["tcp/443"]


def through_transit(
    *permissions: Json, zones: tuple[str, str] = ("az1", "az1"), support: str = "disable", out: Json | None = None
) -> RuleGraph:
    """VPC 1 with a in zone `zones[0]`, attached by subnet T in zone `zones[1]`; VPC 2 with p."""
    associations = ("att-1", "att-2")
    return graph(
        world(
            Vpcs=[vpc("vpc-1", "10.0.0.0/16"), vpc("vpc-2", "10.1.0.0/16")],
            Subnets=[
                subnet("subnet-a", "10.0.1.0/24", zone=zones[0]),
                subnet("subnet-t", "10.0.9.0/24", zone=zones[1]),
                subnet("subnet-p", "10.1.1.0/24", "vpc-2"),
            ],
            SecurityGroups=[
                group("sg-a", out=(out or permit("-1", None, None, EVERYONE),)),
                group("sg-p", *permissions, vpc="vpc-2"),
            ],
            NetworkInterfaces=[
                interface("a", "10.0.1.10", "sg-a"),
                interface("p", "10.1.1.10", "sg-p", subnet="subnet-p", vpc="vpc-2"),
            ],
            NetworkAcls=None,
            RouteTables=[
                table("rtb-1", LOCAL, route("10.1.0.0/16", "tgw-1"), main=True),
                table(
                    "rtb-2",
                    route("10.1.0.0/16", "local"),
                    route("10.0.0.0/16", "tgw-1"),
                    main=True,
                    vpc="vpc-2",
                ),
            ],
            TransitGateways=[{"TransitGatewayId": "tgw-1", "Options": {"SecurityGroupReferencingSupport": support}}],
            TransitGatewayAttachments=[
                {
                    "TransitGatewayAttachmentId": f"att-{n}",
                    "TransitGatewayId": "tgw-1",
                    "ResourceType": "vpc",
                    "ResourceId": f"vpc-{n}",
                    "State": "available",
                    "Association": {"TransitGatewayRouteTableId": "tgw-rtb-1", "State": "associated"},
                }
                for n in (1, 2)
            ],
            TransitGatewayVpcAttachments=[
                {
                    "TransitGatewayAttachmentId": "att-1",
                    "TransitGatewayId": "tgw-1",
                    "VpcId": "vpc-1",
                    "State": "available",
                    "SubnetIds": ["subnet-t"],
                    "Options": {"SecurityGroupReferencingSupport": "enable"},
                },
                {
                    "TransitGatewayAttachmentId": "att-2",
                    "TransitGatewayId": "tgw-1",
                    "VpcId": "vpc-2",
                    "State": "available",
                    "SubnetIds": ["subnet-p"],
                    "Options": {"SecurityGroupReferencingSupport": "enable"},
                },
            ],
            TransitGatewayRouteTables=[{"TransitGatewayRouteTableId": "tgw-rtb-1", "TransitGatewayId": "tgw-1"}],
            TransitGatewayPropagations=[
                {
                    "TransitGatewayRouteTableId": "tgw-rtb-1",
                    "TransitGatewayRouteTablePropagations": [
                        {"TransitGatewayAttachmentId": a, "State": "enabled"} for a in associations
                    ],
                }
            ],
        )
    )


def test_a_transit_gateway_takes_nothing_from_a_zone_where_it_has_no_subnet() -> None:
    rule = permit("tcp", 443, 443, "10.0.0.0/16")
    assert exactly(through_transit(rule), "a", "p") == ["10.0.1.10/32 tcp/443"]
    assert exactly(through_transit(rule, zones=("az2", "az1")), "a", "p") == []


def test_group_references_cross_a_transit_gateway_inbound_only_and_only_where_enabled() -> None:
    rule = permit("tcp", 443, 443, "sg-a")
    assert exactly(through_transit(rule), "a", "p") == []
    assert exactly(through_transit(rule, support="enable"), "a", "p") == ["10.0.1.10/32 tcp/443"]
    out = permit("-1", None, None, "sg-p")
    for support in ("enable", "disable"):
        assert exactly(through_transit(rule, support=support, out=out), "a", "p") == []


def test_a_route_through_an_appliance_leaves_nothing_certain() -> None:
    one = into_b(
        permit("tcp", 443, 443, "sg-a"),
        RouteTables=[
            table("rtb-a", LOCAL, route("10.0.2.0/24", "vpce-1"), subnets=("subnet-a",)),
            table("rtb-b", LOCAL, main=True),
        ],
        VpcEndpoints=[{"VpcEndpointId": "vpce-1", "VpcEndpointType": "GatewayLoadBalancer", "VpcId": "vpc-1"}],
    )
    assert verdict(one, "a", "b", "tcp/443") == "undetermined"
    assert sure(one, "a", "b") == []


MIXED = """
resource "aws_security_group" "sa" {
  vpc_id = aws_vpc.main.id
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_security_group" "sb" {
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
resource "aws_security_group_rule" "https" {
  type              = "ingress"
  security_group_id = aws_security_group.sb.id
  from_port         = 443
  to_port           = 443
  protocol          = "tcp"
  cidr_blocks       = ["10.0.0.0/8"]
}
"""


def test_inline_rules_win_over_standalone_ones_that_terraform_keeps_removing(tmp_path: Path) -> None:
    one = hcl.graph(tmp_path, BASE + MACHINES + MIXED)
    assert verdict(one, A, B, "tcp/22") == "allowed"
    assert verdict(one, A, B, "tcp/443") == "undetermined"
    assert any("TF-MIXED-RULES" in note for note in one.filters["aws_security_group.sb"].notes)
    assert any("TF-MIXED-RULES" in note for note in one.notes)


PLAN: Json = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "complete": True,
    "errored": False,
    "planned_values": {"root_module": {}},
    "resource_changes": [
        {
            "address": "aws_security_group.sb",
            "mode": "managed",
            "type": "aws_security_group",
            "name": "sb",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"name": "sb", "vpc_id": "vpc-1", "description": "Managed by Terraform"},
                "after_unknown": {"id": True, "arn": True, "ingress": True, "egress": True, "owner_id": True},
            },
        },
        {
            "address": "aws_security_group_rule.ssh",
            "mode": "managed",
            "type": "aws_security_group_rule",
            "name": "ssh",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {
                    "type": "ingress",
                    "from_port": 22,
                    "to_port": 22,
                    "protocol": "tcp",
                    "cidr_blocks": ["10.0.0.0/8"],
                    "ipv6_cidr_blocks": None,
                    "prefix_list_ids": None,
                    "self": False,
                },
                "after_unknown": {"id": True, "security_group_id": True, "source_security_group_id": True},
            },
        },
    ],
    "configuration": {
        "root_module": {
            "resources": [
                {
                    "address": "aws_security_group.sb",
                    "mode": "managed",
                    "type": "aws_security_group",
                    "name": "sb",
                    "expressions": {"name": {"constant_value": "sb"}, "vpc_id": {"constant_value": "vpc-1"}},
                },
                {
                    "address": "aws_security_group_rule.ssh",
                    "mode": "managed",
                    "type": "aws_security_group_rule",
                    "name": "ssh",
                    "expressions": {
                        "security_group_id": {"references": ["aws_security_group.sb.id", "aws_security_group.sb"]},
                        "cidr_blocks": {"constant_value": ["10.0.0.0/8"]},
                    },
                },
            ]
        }
    },
}


def test_rules_that_a_plan_does_not_configure_are_not_there() -> None:
    one = hcl.planned(PLAN)
    held = one.filters["aws_security_group.sb"]
    (rule,) = held.rules
    assert (held.open_ingress, held.open_egress) == ((), ())
    assert (rule.id, rule.exists, rule.services) == ("aws_security_group_rule.ssh", True, parse("tcp/22"))
    assert [peer.text for peer in rule.peers] == ["10.0.0.0/8"]


def test_a_refreshed_state_lists_a_standalone_rule_twice_and_it_counts_once() -> None:
    rule = {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}
    one = hcl.applied(
        {
            "format_version": "1.0",
            "terraform_version": "1.11.4",
            "values": {
                "root_module": {
                    "resources": [
                        {
                            "address": "aws_security_group.sb",
                            "mode": "managed",
                            "type": "aws_security_group",
                            "name": "sb",
                            "values": {"id": "sg-1", "vpc_id": "vpc-1", "ingress": [rule], "egress": []},
                        },
                        {
                            "address": "aws_security_group_rule.ssh",
                            "mode": "managed",
                            "type": "aws_security_group_rule",
                            "name": "ssh",
                            "values": {"type": "ingress", "security_group_id": "sg-1", **rule},
                        },
                    ]
                }
            },
        }
    )
    held = one.filters["aws_security_group.sb"]
    assert [each.id for each in held.rules] == ["aws_security_group_rule.ssh"]
    assert held.notes == ()
    assert not any("MIXED" in note for note in one.notes)


def test_a_group_of_an_account_that_is_not_loaded_is_inside_the_vpc_or_its_peers() -> None:
    one = into_b(permit("tcp", 443, 443, "sg-0a", UserId="111122223333"))
    assert verdict(one, "10.0.1.0/24", "b", "tcp/443") == "undetermined"
    assert verdict(one, "172.16.0.0/24", "b", "tcp/443") == "blocked"
    assert verdict(one, "internet", "b", "tcp/443") == "blocked"
