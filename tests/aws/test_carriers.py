"""Which machines carry which groups: by reference, in whatever attribute, of whatever resource."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.aws.model.machines import Workload
from lint.space.addresses import IPV4, parse_cidrs, position
from lint.space.intervals import IntervalSet
from tests.aws import hcl
from tests.aws.hcl import BASE
from tests.aws.world import verdict

GROUP = BASE + 'resource "aws_security_group" "g" { vpc_id = aws_vpc.main.id }\n'


def machines(tmp_path: Path, text: str) -> dict[str, Workload]:
    return dict(hcl.model(tmp_path, GROUP + text).workloads)


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ('"aws_instance" "x" { vpc_security_group_ids = [aws_security_group.g.id] }', "instance"),
        ('"aws_network_interface" "x" { security_groups = [aws_security_group.g.id] }', "network_interface"),
        ('"aws_lb" "x" { security_groups = [aws_security_group.g.id] }', "load_balancer"),
        ('"aws_elb" "x" { security_groups = [aws_security_group.g.id] }', "load_balancer"),
        ('"aws_db_instance" "x" { vpc_security_group_ids = [aws_security_group.g.id] }', "database"),
        ('"aws_launch_template" "x" { vpc_security_group_ids = [aws_security_group.g.id] }', "launch_template"),
        (
            '"aws_launch_template" "x" { network_interfaces { security_groups = [aws_security_group.g.id] } }',
            "launch_template",
        ),
        ('"aws_lambda_function" "x" { vpc_config { security_group_ids = [aws_security_group.g.id] } }', "function"),
        (
            '"aws_ecs_service" "x" { network_configuration { security_groups = [aws_security_group.g.id] } }',
            "container_service",
        ),
        ('"aws_elasticache_cluster" "x" { security_group_ids = [aws_security_group.g.id] }', "cache"),
        (
            '"aws_msk_cluster" "x" { broker_node_group_info { security_groups = [aws_security_group.g.id] } }',
            "message_broker",
        ),
        (
            '"aws_emr_cluster" "x" { ec2_attributes { service_access_security_group = aws_security_group.g.id } }',
            "cluster",
        ),
        ('"aws_brand_new_thing" "x" { odd = { deep = [aws_security_group.g.id] } }', "brand_new_thing"),
    ],
)
def test_a_machine_carries_a_group_because_an_attribute_refers_to_it(tmp_path: Path, resource: str, kind: str) -> None:
    found = machines(tmp_path, f"resource {resource}".replace("{ ", "{\n").replace(" }", "\n}"))
    (name,) = (n for n in found if n.endswith(".x"))
    assert (found[name].kind, found[name].groups, found[name].groups_open) == (kind, ("aws_security_group.g",), ())
    assert "aws_security_group.g" not in found


@pytest.mark.parametrize(
    "resource",
    [
        '"aws_ssm_parameter" "x" { value = aws_security_group.g.id }',
        '"aws_ec2_tag" "x" { resource_id = aws_security_group.g.id }',
        '"aws_s3_bucket" "x" { tags = { group = aws_security_group.g.id } }',
        '"aws_vpc_security_group_egress_rule" "x" { security_group_id = aws_security_group.g.id }',
    ],
)
def test_naming_a_group_is_not_carrying_it(tmp_path: Path, resource: str) -> None:
    found = machines(tmp_path, f"resource {resource}")
    assert list(found) == ["aws_security_group.g"]
    assert (found["aws_security_group.g"].kind, found["aws_security_group.g"].hypothetical) == ("group", True)


def test_what_another_cloud_calls_a_security_group_is_none_of_aws(tmp_path: Path) -> None:
    text = """
    resource "alicloud_security_group" "theirs" {}
    resource "alicloud_security_group_rule" "open" { security_group_id = alicloud_security_group.theirs.id }
    resource "alicloud_instance" "x" { security_groups = [alicloud_security_group.theirs.id] }
    resource "spotinst_ocean_aws" "y" { security_groups = [aws_security_group.g.id] }
    """
    found = machines(tmp_path, text)
    assert {name: one.groups for name, one in found.items()} == {"spotinst_ocean_aws.y": ("aws_security_group.g",)}


def test_a_functions_environment_is_no_attachment(tmp_path: Path) -> None:
    found = machines(
        tmp_path,
        """
        resource "aws_lambda_function" "x" {
          environment {
            variables = { SG = aws_security_group.g.id }
          }
        }
        """,
    )
    assert list(found) == ["aws_security_group.g"]


def test_an_unknown_address_lies_in_its_subnet_but_for_the_reserved_ones(tmp_path: Path) -> None:
    text = """
    resource "aws_instance" "x" {
      subnet_id              = aws_subnet.a.id
      vpc_security_group_ids = [aws_security_group.g.id]
    }
    resource "aws_db_instance" "loose" { vpc_security_group_ids = [aws_security_group.g.id] }
    """
    one = hcl.graph(tmp_path, GROUP + text)
    (address,) = one.endpoints["aws_instance.x"].addresses
    assert address.within == IntervalSet.span(position("10.0.1.4"), position("10.0.1.254"))
    assert address.subnet == "aws_subnet.a"
    (loose,) = one.endpoints["aws_db_instance.loose"].addresses
    assert loose.within == parse_cidrs("10.0.0.0/16")
    assert address.place != loose.place
    alone = hcl.graph(tmp_path / "alone", 'resource "aws_security_group" "g" {}')
    assert alone.endpoints["aws_security_group.g"].addresses[0].within == IPV4


def test_public_addresses(tmp_path: Path) -> None:
    text = """
    resource "aws_subnet" "open" {
      vpc_id                  = aws_vpc.main.id
      cidr_block              = "10.0.7.0/24"
      map_public_ip_on_launch = true
    }
    resource "aws_instance" "closed" { subnet_id = aws_subnet.a.id }
    resource "aws_instance" "open" { subnet_id = aws_subnet.open.id }
    resource "aws_instance" "refuses" {
      subnet_id                   = aws_subnet.open.id
      associate_public_ip_address = false
    }
    resource "aws_instance" "elastic" { subnet_id = aws_subnet.a.id }
    resource "aws_eip" "one" { instance = aws_instance.elastic.id }
    resource "aws_instance" "joined" { subnet_id = aws_subnet.a.id }
    resource "aws_eip" "two" {}
    resource "aws_eip_association" "two" {
      instance_id   = aws_instance.joined.id
      allocation_id = aws_eip.two.id
    }
    resource "aws_lb" "inside" {
      internal = true
      subnets  = [aws_subnet.a.id]
    }
    resource "aws_lb" "outside" { subnets = [aws_subnet.a.id] }
    resource "aws_db_instance" "db" {}
    """
    found = machines(tmp_path, text)
    public = {name.partition(".")[2]: w.addresses[0].public_exists for name, w in found.items() if not w.hypothetical}
    assert public == {
        "closed": False,
        "open": True,
        "refuses": False,
        "elastic": True,
        "joined": True,
        "inside": False,
        "outside": True,
        "db": False,
    }


def test_an_instance_stands_behind_its_interface_resources(tmp_path: Path) -> None:
    text = """
    resource "aws_network_interface" "nic" {
      subnet_id       = aws_subnet.a.id
      private_ips     = ["10.0.1.9"]
      security_groups = [aws_security_group.g.id]
    }
    resource "aws_instance" "x" {
      network_interface {
        network_interface_id = aws_network_interface.nic.id
        device_index         = 0
      }
      tags = { Name = "gateway" }
    }
    """
    found = machines(tmp_path, text)
    assert list(found) == ["aws_network_interface.nic"]
    nic = found["aws_network_interface.nic"]
    assert nic.name == "gateway"
    assert "aws_instance.x" in nic.aliases
    assert dict(nic.tags) == {"Name": "gateway"}


def test_attachments_add_groups(tmp_path: Path) -> None:
    text = """
    resource "aws_security_group" "more" { vpc_id = aws_vpc.main.id }
    resource "aws_instance" "x" { vpc_security_group_ids = [aws_security_group.g.id] }
    resource "aws_network_interface_sg_attachment" "x" {
      security_group_id    = aws_security_group.more.id
      network_interface_id = aws_instance.x.primary_network_interface_id
    }
    """
    found = machines(tmp_path, text)
    assert found["aws_instance.x"].groups == ("aws_security_group.g", "aws_security_group.more")


def test_an_autoscaling_group_has_the_groups_of_its_template(tmp_path: Path) -> None:
    text = """
    resource "aws_launch_template" "t" { vpc_security_group_ids = [aws_security_group.g.id] }
    resource "aws_autoscaling_group" "x" {
      vpc_zone_identifier = [aws_subnet.a.id, aws_subnet.b.id]
      launch_template { id = aws_launch_template.t.id }
      tag {
        key                 = "Name"
        value               = "worker"
        propagate_at_launch = true
      }
    }
    """
    found = machines(tmp_path, text)
    assert list(found) == ["aws_autoscaling_group.x"]
    asg = found["aws_autoscaling_group.x"]
    assert (asg.groups, asg.name) == (("aws_security_group.g",), "worker")
    assert [a.subnet.id for a in asg.addresses] == ["aws_subnet.a", "aws_subnet.b"]


def test_databases_stand_in_the_subnets_of_their_subnet_group(tmp_path: Path) -> None:
    text = """
    resource "aws_db_subnet_group" "s" { subnet_ids = [aws_subnet.a.id, aws_subnet.b.id] }
    resource "aws_db_instance" "x" {
      db_subnet_group_name   = aws_db_subnet_group.s.name
      vpc_security_group_ids = [aws_security_group.g.id]
    }
    """
    assert [s.id for s in machines(tmp_path, text)["aws_db_instance.x"].subnets] == ["aws_subnet.a", "aws_subnet.b"]


def test_a_network_load_balancer_without_groups_is_not_filtered(tmp_path: Path) -> None:
    one = hcl.graph(
        tmp_path,
        GROUP
        + """
        resource "aws_lb" "x" {
          load_balancer_type = "network"
          subnets            = [aws_subnet.a.id]
        }
        """,
    )
    assert one.endpoints["aws_lb.x"].layers == ()


def test_a_group_list_that_is_not_known_leaves_the_machine_open(tmp_path: Path) -> None:
    found = machines(
        tmp_path,
        """
        variable "groups" { type = list(string) }
        resource "aws_instance" "x" { vpc_security_group_ids = var.groups }
        """,
    )
    assert found["aws_instance.x"].groups == ()
    assert "var.groups has no value" in found["aws_instance.x"].groups_open[0].text


def test_a_machine_of_unknown_number_may_be_there(tmp_path: Path) -> None:
    found = machines(
        tmp_path,
        'variable "n" { type = number }\n'
        'resource "aws_instance" "x" {\n  count = var.n\n  vpc_security_group_ids = [aws_security_group.g.id]\n}',
    )
    assert found["aws_instance.x[*]"].exists is False


def test_a_group_that_is_looked_up_stands_for_its_machines_and_a_bare_id_does_not(tmp_path: Path) -> None:
    found = machines(
        tmp_path,
        """
        data "aws_security_group" "agents" { name = "agents" }
        variable "peer" { type = string }
        resource "aws_security_group_rule" "in" {
          type                     = "ingress"
          security_group_id        = aws_security_group.g.id
          from_port                = 443
          to_port                  = 443
          protocol                 = "tcp"
          source_security_group_id = var.peer
        }
        resource "aws_security_group_rule" "agents" {
          type                     = "ingress"
          security_group_id        = aws_security_group.g.id
          from_port                = 443
          to_port                  = 443
          protocol                 = "tcp"
          source_security_group_id = data.aws_security_group.agents.id
        }
        """,
    )
    assert {name: w.kind for name, w in found.items()} == {
        "aws_security_group.g": "group",
        "data.aws_security_group.agents": "foreign_group",
    }


def test_a_group_that_is_handed_in_stands_for_machines_where_a_rule_opens_it(tmp_path: Path) -> None:
    rule = """
    variable "group" {}
    resource "aws_vpc_security_group_%s_rule" "it" {
      security_group_id = var.group
      ip_protocol       = "tcp"
      from_port         = 10729
      to_port           = 10729
      cidr_ipv4         = "0.0.0.0/0"
    }
    """
    opened = hcl.graph(tmp_path / "in", rule % "ingress")
    (machine,) = opened.endpoints.values()
    assert (machine.kind, machine.name, machine.hypothetical) == ("foreign_group", "var.group", True)
    assert verdict(opened, "internet", machine.id, "tcp/10729") == "allowed"
    assert verdict(opened, "internet", machine.id, "tcp/22") == "undetermined"
    assert hcl.graph(tmp_path / "out", rule % "egress").endpoints == {}


@pytest.mark.parametrize("own", [True, False], ids=["its own interface", "an interface made before"])
@pytest.mark.parametrize(("told", "public"), [("198.51.100.7", "198.51.100.7"), ("", None)])
def test_a_state_tells_which_public_address_an_instance_has(own: bool, told: str, public: str | None) -> None:
    """What was asked for at launch is history: a stopped instance has no public address."""

    def resource(kind: str, **values: object) -> dict[str, object]:
        return {"address": f"{kind}.a", "mode": "managed", "type": kind, "name": "a", "values": values}

    interface = resource("aws_network_interface", id="eni-1", private_ips=["10.0.1.10"], subnet_id="subnet-1")
    instance = resource(
        "aws_instance",
        id="i-1",
        private_ip="10.0.1.10",
        public_ip=told,
        subnet_id="subnet-1",
        associate_public_ip_address=True,
        network_interface=[] if own else [{"network_interface_id": "eni-1", "device_index": 0}],
    )
    made = [instance] if own else [interface, instance]
    read = hcl.state_model({"format_version": "1.0", "values": {"root_module": {"resources": made}}})
    (machine,) = read.workloads.values()
    (address,) = machine.addresses
    assert address.public == (position(public) if public else None)
    assert address.public_exists is (public is not None)


def test_a_machine_in_a_subnet_of_ipv6_alone_has_no_ipv4_address(tmp_path: Path) -> None:
    text = """
resource "aws_subnet" "six" {
  vpc_id          = aws_vpc.main.id
  ipv6_native     = true
  ipv6_cidr_block = "2001:db8::/64"
}
resource "aws_instance" "x" {
  subnet_id              = aws_subnet.six.id
  vpc_security_group_ids = [aws_security_group.g.id]
}
"""
    assert [one.family for one in machines(tmp_path, text)["aws_instance.x"].addresses] == [6]
