"""Routes, gateways, network ACLs and load balancers of Terraform, as sets of what passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.graph.graph import RuleGraph
from lint.graph.topology import Via
from lint.reach.answer import inbound
from lint.space.addresses import REAL, parse_cidr, parse_cidrs
from lint.space.services import parse
from tests.aws import hcl
from tests.aws.hcl import BASE, MACHINES, A, B
from tests.aws.world import exactly, sure, verdict

OPEN = "".join(
    f"""
resource "aws_security_group" "{name}" {{
  vpc_id = aws_vpc.main.id
  ingress {{
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }}
  egress {{
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}
"""
    for name in ("sa", "sb")
)
WORLD = BASE + MACHINES + OPEN
GATEWAY = 'resource "aws_internet_gateway" "main" { vpc_id = aws_vpc.main.id }\n'


def world(tmp_path: Path, text: str) -> RuleGraph:
    return hcl.graph(tmp_path, WORLD + text)


def test_layers_that_a_project_does_not_contain_are_passed_through_and_said(tmp_path: Path) -> None:
    one = world(tmp_path, "")
    assert exactly(one, A, B) == ["10.0.1.10/32 any"]
    assert [s.route_table for s in one.subnets.values()] == [None, None]
    assert [s.layers for s in one.subnets.values()] == [(), ()]
    assert sum("passed through" in note for note in one.notes) == 2


def test_a_subnet_without_association_uses_the_main_table_where_the_project_has_routes(tmp_path: Path) -> None:
    text = (
        GATEWAY
        + """
    resource "aws_route_table" "public" {
      vpc_id = aws_vpc.main.id
      route {
        cidr_block = "0.0.0.0/0"
        gateway_id = aws_internet_gateway.main.id
      }
    }
    resource "aws_route_table_association" "a" {
      subnet_id      = aws_subnet.a.id
      route_table_id = aws_route_table.public.id
    }
    resource "aws_eip" "a" { instance = aws_instance.a.id }
    resource "aws_eip" "b" { instance = aws_instance.b.id }
    """
    )
    one = world(tmp_path, text)
    assert one.subnets["aws_subnet.a"].route_table == "aws_route_table.public"
    assert verdict(one, "internet", A, "tcp/22") == "allowed"
    assert verdict(one, "internet", B, "tcp/22") == "blocked"
    assert verdict(one, A, B, "tcp/22") == "allowed"


@pytest.mark.parametrize(
    ("target", "via"),
    [
        ("gateway_id = aws_internet_gateway.main.id", Via.INTERNET),
        ("gateway_id = aws_nat_gateway.n.id", Via.NAT),
        ("nat_gateway_id = aws_nat_gateway.n.id", Via.NAT),
        ("vpc_peering_connection_id = aws_vpc_peering_connection.p.id", Via.PEERING),
        ("transit_gateway_id = aws_ec2_transit_gateway.t.id", Via.TRANSIT),
        ("network_interface_id = aws_network_interface.f.id", Via.APPLIANCE),
        ("gateway_id = aws_vpn_gateway.v.id", Via.EXTERNAL),
        ("vpc_endpoint_id = aws_vpc_endpoint.gwlb.id", Via.APPLIANCE),
        ("gateway_id = var.somewhere", Via.UNKNOWN),
        ('gateway_id = "igw-0a"', Via.INTERNET),
        ("gateway_id = aws_internet_gateway.elsewhere.id", Via.DROP),
    ],
)
def test_a_routes_kind_is_that_of_the_resource_it_refers_to(tmp_path: Path, target: str, via: Via) -> None:
    text = (
        GATEWAY
        + f"""
    variable "somewhere" {{ type = string }}
    resource "aws_internet_gateway" "elsewhere" {{}}
    resource "aws_nat_gateway" "n" {{ subnet_id = aws_subnet.b.id }}
    resource "aws_vpc" "far" {{ cidr_block = "10.7.0.0/16" }}
    resource "aws_vpc_peering_connection" "p" {{
      vpc_id      = aws_vpc.main.id
      peer_vpc_id = aws_vpc.far.id
      auto_accept = true
    }}
    resource "aws_ec2_transit_gateway" "t" {{}}
    resource "aws_network_interface" "f" {{ subnet_id = aws_subnet.b.id }}
    resource "aws_vpn_gateway" "v" {{ vpc_id = aws_vpc.main.id }}
    resource "aws_vpc_endpoint" "gwlb" {{
      vpc_id            = aws_vpc.main.id
      service_name      = "x"
      vpc_endpoint_type = "GatewayLoadBalancer"
    }}
    resource "aws_route_table" "r" {{ vpc_id = aws_vpc.main.id }}
    resource "aws_route" "x" {{
      route_table_id         = aws_route_table.r.id
      destination_cidr_block = "10.7.0.0/16"
      {target}
    }}
    """
    )
    routes = {r.text: r for r in world(tmp_path, text).route_tables["aws_route_table.r"].routes}
    assert routes["10.7.0.0/16"].via is via
    assert routes["10.7.0.0/16"].destinations == parse_cidrs("10.7.0.0/16")


PEERED = """
resource "aws_vpc" "far" {{ cidr_block = "10.7.0.0/16" }}
resource "aws_subnet" "far" {{
  vpc_id     = aws_vpc.far.id
  cidr_block = "10.7.1.0/24"
}}
resource "aws_security_group" "far" {{
  vpc_id = aws_vpc.far.id
  ingress {{
    from_port       = 443
    to_port         = 443
    protocol        = "tcp"
    security_groups = [aws_security_group.sa.id]
  }}
}}
resource "aws_instance" "far" {{
  subnet_id              = aws_subnet.far.id
  private_ip             = "10.7.1.10"
  vpc_security_group_ids = [aws_security_group.far.id]
}}
resource "aws_vpc_peering_connection" "p" {{
  vpc_id      = aws_vpc.main.id
  peer_vpc_id = aws_vpc.far.id
  {accept}
}}
resource "aws_default_route_table" "near" {{
  default_route_table_id = aws_vpc.main.default_route_table_id
  route {{
    cidr_block                = "10.7.0.0/16"
    vpc_peering_connection_id = aws_vpc_peering_connection.p.id
  }}
}}
resource "aws_route" "back" {{
  route_table_id            = aws_vpc.far.main_route_table_id
  destination_cidr_block    = "10.0.0.0/16"
  vpc_peering_connection_id = aws_vpc_peering_connection.p.id
}}
"""


def test_a_peering_that_nobody_accepts_may_become_active(tmp_path: Path) -> None:
    far = "aws_instance.far"
    accepted = world(tmp_path / "a", PEERED.format(accept="auto_accept = true"))
    assert exactly(accepted, A, far) == ["10.0.1.10/32 tcp/443"]
    pending = world(tmp_path / "b", PEERED.format(accept=""))
    assert sure(pending, A, far) == []
    assert verdict(pending, A, far, "tcp/443") == "undetermined"
    beyond_subnets = parse_cidr("10.7.0.0/24")  # of the other network too, and nobody's yet
    for graph, certain in ((accepted, True), (pending, False)):
        allowed = inbound(graph, A, peers=beyond_subnets).allowed
        assert (bool(allowed.must), bool(allowed.may)) == (certain, True)
    regions = world(tmp_path / "c", PEERED.format(accept='peer_region = "us-east-1"\n  auto_accept = true'))
    assert exactly(regions, A, far) == []


def test_transit_gateways_make_their_default_tables(tmp_path: Path) -> None:
    text = """
    resource "aws_vpc" "far" { cidr_block = "10.7.0.0/16" }
    resource "aws_subnet" "far" {
      vpc_id     = aws_vpc.far.id
      cidr_block = "10.7.1.0/24"
    }
    resource "aws_security_group" "far" {
      vpc_id = aws_vpc.far.id
      ingress {
        from_port   = 443
        to_port     = 443
        protocol    = "tcp"
        cidr_blocks = ["10.0.0.0/16"]
      }
    }
    resource "aws_instance" "far" {
      subnet_id              = aws_subnet.far.id
      private_ip             = "10.7.1.10"
      vpc_security_group_ids = [aws_security_group.far.id]
    }
    resource "aws_ec2_transit_gateway" "t" {}
    resource "aws_ec2_transit_gateway_vpc_attachment" "near" {
      transit_gateway_id = aws_ec2_transit_gateway.t.id
      vpc_id             = aws_vpc.main.id
      subnet_ids         = [aws_subnet.a.id]
    }
    resource "aws_ec2_transit_gateway_vpc_attachment" "far" {
      transit_gateway_id = aws_ec2_transit_gateway.t.id
      vpc_id             = aws_vpc.far.id
      subnet_ids         = [aws_subnet.far.id]
    }
    resource "aws_route" "out" {
      route_table_id         = aws_vpc.main.main_route_table_id
      destination_cidr_block = "10.7.0.0/16"
      transit_gateway_id     = aws_ec2_transit_gateway.t.id
    }
    resource "aws_route" "back" {
      route_table_id         = aws_vpc.far.default_route_table_id
      destination_cidr_block = "10.0.0.0/16"
      transit_gateway_id     = aws_ec2_transit_gateway.t.id
    }
    """
    assert exactly(world(tmp_path, text), A, "aws_instance.far") == ["10.0.1.10/32 tcp/443"]


ENTRY = """
  {direction} {{
    rule_no    = {number}
    action     = "{action}"
    protocol   = "{protocol}"
    cidr_block = "0.0.0.0/0"
    from_port  = {low}
    to_port    = {high}
  }}
"""


def entry(direction: str, number: int, action: str, protocol: str, low: int = 0, high: int = 0) -> str:
    return ENTRY.format(direction=direction, number=number, action=action, protocol=protocol, low=low, high=high)


def test_network_acls_inline_and_standalone(tmp_path: Path) -> None:
    body = entry("ingress", 200, "allow", "-1") + entry("egress", 200, "allow", "all")
    text = f"""
    resource "aws_network_acl" "b" {{
      vpc_id     = aws_vpc.main.id
      subnet_ids = [aws_subnet.b.id]
      {body}
    }}
    resource "aws_network_acl" "a" {{ vpc_id = aws_vpc.main.id }}
    resource "aws_network_acl_association" "a" {{
      network_acl_id = aws_network_acl.a.id
      subnet_id      = aws_subnet.a.id
    }}
    resource "aws_network_acl_rule" "out" {{
      network_acl_id = aws_network_acl.a.id
      rule_number    = 100
      egress         = true
      protocol       = "tcp"
      rule_action    = "allow"
      cidr_block     = "10.0.2.0/24"
      from_port      = 443
      to_port        = 443
    }}
    resource "aws_network_acl_rule" "back" {{
      network_acl_id = aws_network_acl.a.id
      rule_number    = 100
      protocol       = "6"
      rule_action    = "allow"
      cidr_block     = "10.0.2.0/24"
      from_port      = 1024
      to_port        = 65535
    }}
    """
    one = world(tmp_path, text)
    assert verdict(one, A, B, "tcp/443") == "allowed"
    assert verdict(one, A, B, "tcp/80") == "blocked"


def test_a_default_acl_that_terraform_adopts_denies_everything_it_does_not_list(tmp_path: Path) -> None:
    text = """
    resource "aws_default_network_acl" "d" { default_network_acl_id = aws_vpc.main.default_network_acl_id }
    """
    assert exactly(world(tmp_path, text), A, B) == []


def test_standalone_entries_on_the_default_acl_come_beside_its_own(tmp_path: Path) -> None:
    text = """
    resource "aws_network_acl_rule" "no_ssh" {
      network_acl_id = aws_vpc.main.default_network_acl_id
      rule_number    = 50
      protocol       = "tcp"
      rule_action    = "deny"
      cidr_block     = "0.0.0.0/0"
      from_port      = 22
      to_port        = 22
    }
    """
    one = world(tmp_path, text)
    assert verdict(one, A, B, "tcp/22") == "blocked"
    assert verdict(one, A, B, "tcp/443") == "allowed"


def test_two_acls_that_claim_one_subnet_leave_it_undetermined(tmp_path: Path) -> None:
    body = entry("ingress", 100, "allow", "-1") + entry("egress", 100, "allow", "-1")
    text = "".join(
        f"""
        resource "aws_network_acl" "{name}" {{
          vpc_id     = aws_vpc.main.id
          subnet_ids = [aws_subnet.b.id]
          {body}
        }}
        """
        for name in ("one", "two")
    )
    assert verdict(world(tmp_path, text), A, B, "tcp/443") == "undetermined"


def test_a_load_balancer_leads_to_its_targets(tmp_path: Path) -> None:
    text = """
    resource "aws_lb" "front" {
      subnets         = [aws_subnet.a.id]
      security_groups = [aws_security_group.sa.id]
    }
    resource "aws_lb_target_group" "back" {
      port     = 8080
      protocol = "HTTP"
      vpc_id   = aws_vpc.main.id
    }
    resource "aws_lb_target_group_attachment" "b" {
      target_group_arn = aws_lb_target_group.back.arn
      target_id        = aws_instance.b.id
    }
    resource "aws_lb_listener" "https" {
      load_balancer_arn = aws_lb.front.arn
      port              = 443
      protocol          = "HTTPS"
      default_action {
        type             = "forward"
        target_group_arn = aws_lb_target_group.back.arn
      }
    }
    """
    (forwarding,) = world(tmp_path, text).forwardings
    assert (forwarding.balancer, forwarding.targets) == ("aws_lb.front", (B,))
    assert (forwarding.listen, forwarding.services) == (parse("tcp/443"), parse("tcp/8080"))
    assert forwarding.preserves_client is False


def test_two_roots_that_use_one_address_for_two_things_stay_apart(tmp_path: Path) -> None:
    one = hcl.graph(
        tmp_path,
        'resource "aws_security_group" "this" { name = "one" }',
        other='resource "aws_security_group" "this" { name = "two" }',
    )
    assert sorted(g.name for g in one.groups.values()) == ["one", "two"]


def test_an_appliance_that_the_project_declares_transparent_is_passed(tmp_path: Path) -> None:
    from lint.aws import graph_from_documents
    from lint.aws.from_api import Document
    from tests.aws.world import LOCAL, group, permit, route, table
    from tests.aws.world import world as dump

    data = dump(
        SecurityGroups=[group("sg-a"), group("sg-b", permit("tcp", 443, 443, "10.0.0.0/16"))],
        RouteTables=[
            table("rtb-a", LOCAL, route("10.0.2.0/24", "vpce-1"), subnets=("subnet-a",)),
            table("rtb-b", LOCAL, main=True),
        ],
    )
    one = graph_from_documents([Document("x", None, None, data)], transparent=["vpce-1"])
    assert verdict(one, "a", "b", "tcp/443") == "allowed"


def test_a_prefix_list_may_be_given_by_hand(tmp_path: Path) -> None:
    from lint.aws import graph_from_terraform
    from lint.terraform.evaluate import Options, evaluate_root

    text = """
    data "aws_prefix_list" "s3" { name = "com.amazonaws.eu-west-1.s3" }
    resource "aws_security_group" "g" {
      egress {
        from_port       = 443
        to_port         = 443
        protocol        = "tcp"
        prefix_list_ids = [data.aws_prefix_list.s3.id]
      }
    }
    """
    evaluation = evaluate_root(hcl.write(tmp_path, text), Options())
    one = graph_from_terraform([evaluation], prefix_lists={"com.amazonaws.eu-west-1.s3": ["192.0.2.0/24"]})
    (listed,) = one.address_lists.values()
    assert listed.must == listed.may == parse_cidrs("192.0.2.0/24")


def test_a_rule_says_what_is_unknown_of_the_prefix_list_it_names(tmp_path: Path) -> None:
    text = """
    data "aws_vpc" "main" {}
    resource "aws_ec2_managed_prefix_list" "inside" {
      name           = "inside"
      address_family = "IPv4"
      max_entries    = 1
      entry { cidr = data.aws_vpc.main.cidr_block }
    }
    resource "aws_security_group" "g" {
      ingress {
        from_port       = 80
        to_port         = 80
        protocol        = "tcp"
        prefix_list_ids = [aws_ec2_managed_prefix_list.inside.id]
      }
    }
    """
    (rule,) = [r for r in hcl.graph(tmp_path, text).filters["aws_security_group.g"].rules if not r.implied]
    assert [r.text for r in rule.reasons] == ["data.aws_vpc.main.cidr_block is read from the provider"]


def test_a_group_that_nothing_carries_leaves_the_acl_s_verdict_about_other_addresses_certain(tmp_path: Path) -> None:
    text = (
        BASE
        + MACHINES
        + """
        resource "aws_security_group" "sa" { vpc_id = aws_vpc.main.id }
        resource "aws_security_group" "unused" { vpc_id = aws_vpc.main.id }
        resource "aws_security_group" "sb" {
          vpc_id = aws_vpc.main.id
          ingress {
            from_port   = 0
            to_port     = 65535
            protocol    = "tcp"
            cidr_blocks = ["10.0.0.0/16"]
          }
        }
        resource "aws_network_acl" "b" {
          vpc_id     = aws_vpc.main.id
          subnet_ids = [aws_subnet.b.id]
        }
        """
    )
    found = inbound(hcl.graph(tmp_path, text), "aws_instance.b", parse("tcp/22"))
    assert found.allowed.may.peers() & REAL <= parse_cidr("10.0.2.0/24")


@pytest.mark.parametrize("gives", ["true", "var.flag"])
def test_a_way_over_public_addresses_that_may_exist_is_not_ruled_out(tmp_path: Path, gives: str) -> None:
    """Without routes in the source; the group lets in what the sender's public address may be."""
    text = (
        BASE.replace('"10.0.1.0/24"', f'"10.0.1.0/24"\n  map_public_ip_on_launch = {gives}').replace(
            '"10.0.2.0/24"', f'"10.0.2.0/24"\n  map_public_ip_on_launch = {gives}'
        )
        + MACHINES
        + OPEN
        + 'variable "flag" { type = bool }\n'
    )
    head, tail = text.split('resource "aws_security_group" "sb"')
    text = head + 'resource "aws_security_group" "sb"' + tail.replace('["0.0.0.0/0"]', '["203.0.113.0/24"]', 1)
    assert verdict(hcl.graph(tmp_path, text), A, B, "tcp/443") == "undetermined"


def test_a_state_joins_default_tables_to_their_networks_by_id() -> None:
    """After apply, an adopted table's default_route_table_id is its own id, and a route names the table by id."""

    def resource(kind: str, name: str, **values: object) -> dict[str, object]:
        return {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name, "values": values}

    route = {"cidr_block": "10.7.0.0/16", "vpc_peering_connection_id": "pcx-1"}
    made = [
        resource("aws_vpc", "near", id="vpc-1", cidr_block="10.0.0.0/16", main_route_table_id="rtb-1"),
        resource("aws_vpc", "far", id="vpc-2", cidr_block="10.7.0.0/16", main_route_table_id="rtb-2"),
        resource(
            "aws_default_route_table",
            "near",
            id="rtb-1",
            default_route_table_id="rtb-1",
            vpc_id="vpc-1",
            route=[route],
        ),
        resource(
            "aws_route",
            "back",
            id="r-1",
            route_table_id="rtb-2",
            destination_cidr_block="10.0.0.0/16",
            vpc_peering_connection_id="pcx-1",
        ),
        resource("aws_vpc_peering_connection", "p", id="pcx-1", vpc_id="vpc-1", peer_vpc_id="vpc-2", auto_accept=True),
    ]
    read = hcl.state_model({"format_version": "1.0", "values": {"root_module": {"resources": made}}})
    assert {(t.vpc.id, t.main, len(t.routes)) for t in read.route_tables.values()} == {
        ("aws_vpc.near", True, 1),
        ("aws_vpc.far", True, 1),
    }
    assert all(vpc.has_routes for vpc in read.vpcs.values())
