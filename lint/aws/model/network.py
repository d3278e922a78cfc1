"""VPCs, subnets, route tables and the gateways that routes lead to, in AWS's own words."""

from __future__ import annotations

from dataclasses import dataclass

from lint.aws.model.links import NOWHERE, Link
from lint.origin import Origin, Reason
from lint.space.intervals import EMPTY, IntervalSet


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC. `prefixes` are certainly its own, `prefixes_may` bounds them.

    `has_acls`, `has_routes`: whether the source contains that layer for this VPC at all. `internet_block` is the mode
    of VPC Block Public Access in force for it: "", "ingress", "bidirectional".
    """

    id: str
    name: str
    prefixes: IntervalSet
    origin: Origin
    prefixes_may: IntervalSet | None = None
    ipv6: bool | None = False
    has_acls: bool = True
    has_routes: bool = True
    implied_main: bool = False  # Terraform: AWS makes a main route table with the VPC that nobody declares
    acls_open: tuple[Reason, ...] = ()  # why its network ACLs could not be read
    routes_open: tuple[Reason, ...] = ()
    dns_support: bool = True
    resolver: int | None = None  # place of the resolver in its primary IPv4 range
    internet_block: str = ""
    internet_block_open: tuple[Reason, ...] = ()
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    account: str | None = None
    region: str | None = None
    reasons: tuple[Reason, ...] = ()
    looked_up: bool = False  # a data source: it may be the same VPC as another one here


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet. `public_on_launch`: machines get a public address unless they say otherwise (None: not known)."""

    id: str
    name: str
    vpc: Link
    prefixes: IntervalSet
    origin: Origin
    prefixes_may: IntervalSet | None = None
    zone: str | None = None
    public_on_launch: bool | None = False
    ipv6_on_launch: bool | None = False
    internet_block: str | None = None  # None: as the VPC's
    internet_block_open: tuple[Reason, ...] = ()
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    account: str | None = None
    region: str | None = None
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    looked_up: bool = False


# What a route leads to, after its target was looked up.
LOCAL = "local"
INTERNET_GATEWAY = "internet_gateway"
EGRESS_ONLY_GATEWAY = "egress_only_internet_gateway"
NAT_GATEWAY = "nat_gateway"
PEERING = "vpc_peering_connection"
TRANSIT_GATEWAY = "transit_gateway"
GATEWAY_ENDPOINT = "gateway_endpoint"
APPLIANCE = "appliance"
VPN_GATEWAY = "vpn_gateway"
OTHER_GATEWAY = "other_gateway"
BLACKHOLE = "blackhole"
UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `kind` is one of the constants above; `target` the id of what it leads to (its attachment, for a
    transit gateway's table).

    `rank`: static before prefix list before propagated. `prefix_list`: it takes its destinations from that list.
    """

    destinations: IntervalSet
    kind: str
    text: str
    origin: Origin
    destinations_may: IntervalSet | None = None
    target: str | None = None
    prefix_list: str | None = None
    rank: int = 0
    exists: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table with the subnets associated with it. `main`: the VPC's main table (None: not known)."""

    id: str
    name: str
    vpc: Link
    routes: tuple[Route, ...]
    subnets: tuple[Link, ...]
    origin: Origin
    main: bool = False
    open: tuple[Reason, ...] = ()
    subnets_open: tuple[Reason, ...] = ()
    gateways: tuple[str, ...] = ()  # gateways at whose edge it redirects inbound traffic
    aliases: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InternetGateway:
    """An Internet gateway (or, `egress_only`, one for IPv6 outward) and the VPC it is attached to."""

    id: str
    vpc: Link
    origin: Origin
    egress_only: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NatGateway:
    """A NAT gateway. `private`, `public`: its addresses, as far as known; `public_exists`: it has an Elastic IP.

    `elastic`: the one Elastic IP that is its only public address, by model id.
    """

    id: str
    name: str
    subnet: Link
    origin: Origin
    private: IntervalSet = EMPTY
    public: IntervalSet = EMPTY
    public_exists: bool = True
    elastic: str | None = None
    connectivity: str | None = "public"
    available: bool | None = True
    route_table: Link = NOWHERE
    aliases: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class PeeringConnection:
    """A VPC peering. `active` None: not determined."""

    id: str
    name: str
    requester: Link
    accepter: Link
    active: bool | None
    origin: Origin
    inter_region: bool = False
    requester_prefixes: IntervalSet = EMPTY
    accepter_prefixes: IntervalSet = EMPTY
    aliases: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class TransitGatewayAttachment:
    """What is attached to a transit gateway. `table`: the route table that traffic coming in by it uses."""

    id: str
    kind: str  # vpc, peering, vpn, direct-connect-gateway, connect, ...
    gateway: Link
    resource: Link
    subnets: tuple[Link, ...]
    origin: Origin
    table: Link = NOWHERE
    available: bool | None = True
    group_references: bool | None = True
    peer_gateway: str | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class TransitGatewayTable:
    """A route table of a transit gateway; its routes' targets are attachment ids."""

    id: str
    name: str
    gateway: Link
    routes: tuple[Route, ...]
    origin: Origin
    propagating: tuple[
        str, ...
    ] = ()  # attachments whose VPC's prefixes it learns, where the routes themselves aren't listed
    open: tuple[Reason, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransitGateway:
    """A transit gateway. `group_references`: whether it passes security group references on (off by default)."""

    id: str
    name: str
    origin: Origin
    group_references: bool | None = False
    default_table: Link = NOWHERE
    aliases: tuple[str, ...] = ()
    tables_known: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewayEndpoint:
    """A gateway endpoint (S3, DynamoDB): a prefix-list route in each of its route tables."""

    id: str
    name: str
    vpc: Link
    service: str
    tables: tuple[Link, ...]
    origin: Origin
    prefix_list: str | None = None
    tables_open: tuple[Reason, ...] = ()
