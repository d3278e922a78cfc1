"""AWS's own nouns, whatever source they were read from.

Knows neither Terraform nor the API, and nothing of the rule graph.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lint.aws.model.groups import NetworkAcl, PrefixList, SecurityGroup
from lint.aws.model.machines import LoadBalancer, TargetGroup, Workload
from lint.aws.model.network import (
    GatewayEndpoint,
    InternetGateway,
    NatGateway,
    PeeringConnection,
    RouteTable,
    Subnet,
    TransitGateway,
    TransitGatewayAttachment,
    TransitGatewayTable,
    Vpc,
)
from lint.origin import Problem, Reason


@dataclass(frozen=True, slots=True)
class Model:
    """Everything of AWS that one run knows. All mappings are by id.

    `incomplete` says what could not be read at all; `notes` which layers the source doesn't contain.
    """

    groups: dict[str, SecurityGroup] = field(default_factory=dict)
    prefix_lists: dict[str, PrefixList] = field(default_factory=dict)
    acls: dict[str, NetworkAcl] = field(default_factory=dict)
    vpcs: dict[str, Vpc] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    route_tables: dict[str, RouteTable] = field(default_factory=dict)
    internet_gateways: dict[str, InternetGateway] = field(default_factory=dict)
    nat_gateways: dict[str, NatGateway] = field(default_factory=dict)
    peerings: dict[str, PeeringConnection] = field(default_factory=dict)
    transit_gateways: dict[str, TransitGateway] = field(default_factory=dict)
    transit_attachments: dict[str, TransitGatewayAttachment] = field(default_factory=dict)
    transit_tables: dict[str, TransitGatewayTable] = field(default_factory=dict)
    gateway_endpoints: dict[str, GatewayEndpoint] = field(default_factory=dict)
    workloads: dict[str, Workload] = field(default_factory=dict)
    load_balancers: dict[str, LoadBalancer] = field(default_factory=dict)
    target_groups: dict[str, TargetGroup] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    incomplete: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
