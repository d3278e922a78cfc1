"""Values that make no sense where they stand never make the reader stumble: they are said, or read as unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.aws.from_terraform.types import MODELLED_TYPES
from tests.aws import hcl

ATTRIBUTES = """
id name type vpc_id subnet_id subnet_ids subnets security_groups security_group_ids vpc_security_group_ids
security_group_id cidr_block cidr_blocks ipv6_cidr_block ipv6_cidr_blocks cidr_ipv4 cidr_ipv6 prefix_list_id
prefix_list_ids self ip_protocol protocol from_port to_port referenced_security_group_id source_security_group_id
ingress egress route entry entries subnet_mapping network_interface network_interfaces network_interface_id instance
instance_id private_ip private_ips ipv6_addresses public_ip allocation_id route_table_id route_table_ids
destination_cidr_block gateway_id nat_gateway_id transit_gateway_id transit_gateway_attachment_id
transit_gateway_route_table_id vpc_peering_connection_id peer_vpc_id auto_accept network_acl_id rule_number
rule_action rule_no action default_action listener target_group_arn target_id load_balancer_arn listener_arn port
launch_template launch_configuration mixed_instances_policy vpc_config network_configuration tag tags tags_all
filter internal load_balancer_type vpc_endpoint_type service_name associate_public_ip_address
internet_gateway_block_mode default_network_acl_id default_route_table_id propagating_vgws map_public_ip_on_launch
address_family connectivity_type
"""
VALUES = ["null", "-1", '""', '"10.0.0.0/99"', "[]", "[null]", "[[1]]", "[{}]", "{ a = { b = [1] } }"]


@pytest.mark.parametrize("value", [*VALUES, "var.unknown", "[{ protocol = var.unknown }]"])
def test_any_value_may_stand_anywhere(tmp_path: Path, value: str) -> None:
    body = "\n".join(f"  {name} = {value}" for name in ATTRIBUTES.split())
    looked_up = ("aws_security_group", "aws_subnet", "aws_vpc", "aws_prefix_list", "aws_ec2_managed_prefix_list")
    kinds = [("resource", kind) for kind in sorted(MODELLED_TYPES)] + [("data", kind) for kind in looked_up]
    text = 'variable "unknown" {}\n' + "\n".join(f'{word} "{kind}" "x" {{\n{body}\n}}' for word, kind in kinds)
    graph = hcl.graph(tmp_path, text)
    rules = [r for f in graph.filters.values() for r in f.rules if f.kind == "security_group" and not r.implied]
    assert "aws_security_group.x" in graph.filters
    assert rules
    if value != "-1":  # -1 is a protocol
        assert not any(r.services for r in rules)
