"""Networks, subnets, routes and gateways: the ways that traffic can take between endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lint.graph.endpoints import Layer
from lint.origin import Origin, Reason
from lint.space.intervals import EMPTY, IntervalSet


@dataclass(frozen=True, slots=True)
class Network:
    """A VPC or virtual network. `prefixes` are certainly its own, `prefixes_may` bounds them (None: the same).

    `ipv6_public`: the Internet reaches its IPv6 addresses as they are (AWS); False where they need public addresses of
    their own (Azure). `internet_gateways`: the ids of those attached to it, for whoever looks for a route that lacks.
    """

    id: str
    name: str
    prefixes: IntervalSet
    origin: Origin
    prefixes_may: IntervalSet | None = None
    account: str | None = None
    region: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    ipv6_public: bool = True
    internet_gateways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet with its prefixes, the filters at its border, and its route table.

    `route_table` None: the source has no routing layer for it.

    `route_table_open`: why its route table isn't known. `internet_block`: "" | "ingress" | "bidirectional" (a control
    above all routes that blocks Internet gateways), `internet_block_open` where that isn't known. `default_egress`:
    whether a machine without a public address can reach the Internet over an INTERNET route all the same (Azure): True,
    False, or None with `default_egress_reasons`. `egress_gateway`: the NAT gateway that a subnet uses without naming it
    in a route (Azure). `routes_inside`: its routes hold for traffic inside it as well (Azure).
    """

    id: str
    name: str
    network: str
    prefixes: IntervalSet
    origin: Origin
    prefixes_may: IntervalSet | None = None
    zone: str | None = None
    layers: tuple[Layer, ...] = ()
    route_table: str | None = None
    route_table_open: tuple[Reason, ...] = ()
    internet_block: str = ""
    internet_block_open: tuple[Reason, ...] = ()
    default_egress: bool | None = False
    default_egress_reasons: tuple[Reason, ...] = ()
    egress_gateway: str | None = None
    routes_inside: bool = False
    account: str | None = None
    region: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


class Via(Enum):
    """Where a route sends traffic."""

    LOCAL = "local"  # inside the network
    INTERNET = "internet"  # an Internet gateway: needs a public address
    EGRESS_ONLY = "egress_only"  # IPv6 out, never in
    NAT = "nat"
    PEERING = "peering"
    TRANSIT = "transit"
    SERVICE = "service"  # a gateway endpoint to the cloud's own service: sources keep their private addresses
    DROP = "drop"  # blackhole, None
    APPLIANCE = "appliance"  # a machine, firewall or gateway whose rules aren't judged: undetermined and named
    EXTERNAL = "external"  # VPN, Direct Connect, ExpressRoute: leaves what is modelled
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Route:
    """`destinations` (certainly; at most `destinations_may`) go `via` the thing `target` (an id).

    The longest prefix wins; on equal length the lowest `precedence`. `transparent`: an appliance that the project file
    declares to pass everything.
    """

    destinations: IntervalSet
    via: Via
    origin: Origin
    text: str  # as written: 0.0.0.0/0, pl-123
    destinations_may: IntervalSet | None = None
    target: str | None = None
    precedence: int = 0
    transparent: bool = False
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteTable:
    """The routes of a subnet or a transit gateway attachment; `open` where there may be more than are shown."""

    id: str
    name: str
    routes: tuple[Route, ...]
    origin: Origin
    open: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class NatGateway:
    """A NAT gateway: passes TCP, UDP and (`icmp`) ICMP outward, accepts nothing.

    `public`: what the Internet sees (symbolic place where not known).
    """

    id: str
    name: str
    subnet: str | None
    private: IntervalSet
    public: IntervalSet
    origin: Origin
    internet: bool | None = True  # False: a private NAT gateway
    icmp: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Peering:
    """A link of exactly two networks, not transitive. `active` None: not determined (`reasons`).

    `group_references`: whether rules on one side may name groups of the other. `first_subnets`/`second_subnets`: only
    these subnets are linked (None: all).
    """

    id: str
    name: str
    first: str
    second: str
    active: bool | None
    origin: Origin
    group_references: bool = True
    first_subnets: tuple[str, ...] | None = None
    second_subnets: tuple[str, ...] | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class TransitAttachment:
    """One attachment of a transit gateway. It carries traffic of zones in which it has a subnet (`subnets`).

    `table` is the route table that packets coming in by it use (None: it only propagates). `kind`: vpc, peering, vpn,
    connect, ... All but vpc and peering lead out of what is modelled. `group_references` as the attachment allows.
    """

    id: str
    kind: str
    network: str | None
    subnets: tuple[str, ...]
    table: str | None
    origin: Origin
    group_references: bool | None = True
    peer: str | None = None  # the transit gateway on the other side, for kind peering
    available: bool | None = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class TransitGateway:
    """A hub of networks. Its route tables are RouteTables of the graph; their routes' targets are attachment ids."""

    id: str
    name: str
    attachments: tuple[TransitAttachment, ...]
    origin: Origin
    group_references: bool | None = False
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Forwarding:
    """One way through a load balancer: what arrives at `listen` on the balancer goes to `targets` on `port`.

    `preserves_client`: the targets' filters see the client's address (True), the balancer's (False), or it isn't known
    (None). `translate` True: client and target see one connection with changed addresses (NAT, no balancer interface
    between: Azure, inbound NAT rules). `conditions`: what a request has to say to be passed on to these targets; the
    sender chooses it, so who wants to get there does.
    """

    balancer: str  # endpoint id
    listen: IntervalSet  # services at the balancer
    targets: tuple[str, ...]  # endpoint ids
    services: IntervalSet  # services at the targets; empty: the same as listen
    preserves_client: bool | None
    origin: Origin
    reasons: tuple[Reason, ...] = ()
    translate: bool = False
    conditions: tuple[Reason, ...] = ()


PLATFORM_EXEMPT_NONE: IntervalSet = EMPTY
