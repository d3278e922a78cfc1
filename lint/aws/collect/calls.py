"""Every AWS API call that a scan may make, all of them read-only: page sizes, tokens, and what they answer.

Sources: the service models of EC2, Elastic Load Balancing, RDS, Organizations and STS (limits of MaxResults, PageSize
and MaxRecords). The IAM policy under docs/ is generated from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `key` is the list in its answer, `kind` what the model calls it, `action` what IAM calls it.

    `size` is the largest page (0: the operation has no pages), under the parameter `size_name`; `token_in` asks for
    the next page, `token_out` names it. `parent` is the parameter that says of what thing it is asked; then the
    answer is kept under that id. `names_only`: it tells names and nothing that decides traffic.
    """

    service: str
    method: str
    key: str
    kind: str
    action: str
    size: int = 0
    size_name: str = "MaxResults"
    token_in: str = "NextToken"
    token_out: str = "NextToken"
    parent: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`ec2.describe_vpcs`."""
        return f"{self.service}.{self.method}"


def _ec2(method: str, key: str, size: int = 0, **more: Any) -> Operation:
    name = "".join(part.capitalize() for part in method.split("_"))
    more.setdefault("kind", key)
    return Operation("ec2", method, key, action=f"ec2:{name}", size=size, **more)


def _balancing(service: str, method: str, key: str, size: int = 0, **more: Any) -> Operation:
    name = "".join(part.capitalize() for part in method.split("_"))
    more.setdefault("kind", key)
    marker: dict[str, Any] = {"size_name": "PageSize", "token_in": "Marker", "token_out": "NextMarker"}
    return Operation(service, method, key, action=f"elasticloadbalancing:{name}", size=size, **marker, **more)


CALLER = Operation("sts", "get_caller_identity", "", "", "")  # needs no permission
ASSUME_ROLE = Operation("sts", "assume_role", "", "", "sts:AssumeRole")
ACCOUNTS = Operation("organizations", "list_accounts", "Accounts", "Accounts", "organizations:ListAccounts", 20)
REGIONS = _ec2("describe_regions", "Regions")

VPCS = _ec2("describe_vpcs", "Vpcs", 1000)
SECURITY_GROUPS = _ec2("describe_security_groups", "SecurityGroups", 1000)
ROUTE_TABLES = _ec2("describe_route_tables", "RouteTables", 100)
PEERINGS = _ec2("describe_vpc_peering_connections", "VpcPeeringConnections", 1000)

# Asked in every region, in this order. The first one shows whether the region answers at all.
EVERYWHERE: tuple[Operation, ...] = (
    VPCS,
    _ec2("describe_subnets", "Subnets", 1000),
    SECURITY_GROUPS,
    _ec2("describe_security_group_rules", "SecurityGroupRules", 1000),
    _ec2("describe_network_interfaces", "NetworkInterfaces", 1000),
    _ec2("describe_instances", "Reservations", 1000),
    _ec2("describe_network_acls", "NetworkAcls", 1000),
    ROUTE_TABLES,
    _ec2("describe_internet_gateways", "InternetGateways", 1000),
    _ec2("describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", 255),
    _ec2("describe_nat_gateways", "NatGateways", 1000),
    _ec2("describe_addresses", "Addresses"),
    _ec2("describe_managed_prefix_lists", "PrefixLists", 100),
    PEERINGS,
    _ec2("describe_vpc_endpoints", "VpcEndpoints", 1000),
    _ec2("describe_vpc_block_public_access_options", "VpcBlockPublicAccessOptions"),
    _ec2("describe_vpc_block_public_access_exclusions", "VpcBlockPublicAccessExclusions", 1000),
    _balancing("elb", "describe_load_balancers", "LoadBalancerDescriptions", 400),
    Operation(
        service="rds",
        method="describe_db_instances",
        key="DBInstances",
        kind="DBInstances",
        action="rds:DescribeDBInstances",
        size=100,
        size_name="MaxRecords",
        token_in="Marker",
        token_out="Marker",
    ),
)
LOAD_BALANCERS = _balancing("elbv2", "describe_load_balancers", "LoadBalancers", 400)
TARGET_GROUPS = _balancing("elbv2", "describe_target_groups", "TargetGroups", 400)

# Asked of single things that other answers name.
PREFIX_LIST_ENTRIES = _ec2(
    "get_managed_prefix_list_entries", "Entries", 100, kind="ManagedPrefixListEntries", parent="PrefixListId"
)
STALE_GROUPS = _ec2("describe_stale_security_groups", "StaleSecurityGroupSet", 255, parent="VpcId")
LISTENERS = _balancing(
    "elbv2", "describe_listeners", "Listeners", 400, kind="LoadBalancerListeners", parent="LoadBalancerArn"
)
LISTENER_RULES = _balancing(
    "elbv2", "describe_rules", "Rules", 400, kind="LoadBalancerListenerRules", parent="ListenerArn"
)  # only application load balancers have more than a default one
TARGET_GROUP_ATTRIBUTES = _balancing(
    "elbv2", "describe_target_group_attributes", "Attributes", kind="TargetGroupAttributes", parent="TargetGroupArn"
)
TARGET_HEALTH = _balancing(
    "elbv2",
    "describe_target_health",
    "TargetHealthDescriptions",
    kind="LoadBalancerTargetHealth",
    parent="TargetGroupArn",
)

# Asked where a route leads to a transit gateway.
TRANSIT_TABLES = _ec2("describe_transit_gateway_route_tables", "TransitGatewayRouteTables", 1000)
TRANSIT: tuple[Operation, ...] = (
    _ec2("describe_transit_gateways", "TransitGateways", 1000),
    _ec2("describe_transit_gateway_attachments", "TransitGatewayAttachments", 1000),
    _ec2("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments", 1000),
    TRANSIT_TABLES,
)
_TABLE = "TransitGatewayRouteTableId"
OF_TRANSIT_TABLES: tuple[Operation, ...] = (
    _ec2(
        "get_transit_gateway_route_table_associations",
        "Associations",
        1000,
        kind="TransitGatewayRouteTableAssociations",
        parent=_TABLE,
    ),
    _ec2(
        "get_transit_gateway_route_table_propagations",
        "TransitGatewayRouteTablePropagations",
        1000,
        kind="TransitGatewayPropagations",
        parent=_TABLE,
    ),
    _ec2(
        "search_transit_gateway_routes",
        "Routes",
        1000,
        kind="TransitGatewayStaticRoutes",
        parent=_TABLE,
        fixed={"Filters": [{"Name": "state", "Values": ["active", "blackhole"]}]},
    ),
)

OPERATIONS: tuple[Operation, ...] = (
    CALLER,
    ASSUME_ROLE,
    ACCOUNTS,
    REGIONS,
    *EVERYWHERE,
    LOAD_BALANCERS,
    TARGET_GROUPS,
    PREFIX_LIST_ENTRIES,
    STALE_GROUPS,
    LISTENERS,
    LISTENER_RULES,
    TARGET_GROUP_ATTRIBUTES,
    TARGET_HEALTH,
    *TRANSIT,
    *OF_TRANSIT_TABLES,
)
BY_NAME: Mapping[str, Operation] = {operation.name: operation for operation in OPERATIONS}
# Asked by the identity that starts the scan, not by the role in each account.
HUB = (CALLER, ASSUME_ROLE, ACCOUNTS)
