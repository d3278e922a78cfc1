"""Azure's own nouns as plain data: what both readers fill and `lower` turns into a rule graph. Knows no file format.

Keys are identities: a Terraform address, or a lower-case ARM id without trailing slash. Every value that a source
leaves open says why; nothing unknown is ever turned into "none" or "any".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lint.graph.rules import Action, Direction
from lint.origin import Origin, Reason
from lint.space.intervals import EMPTY, IntervalSet


@dataclass(frozen=True, slots=True)
class AnyAddress:
    """`*`: both families, every address."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A literal address or CIDR, as written and as a set."""

    text: str
    addresses: IntervalSet


@dataclass(frozen=True, slots=True)
class Tag:
    """A service tag by name, as written."""

    name: str


@dataclass(frozen=True, slots=True)
class Members:
    """The members of an application security group."""

    group: str
    text: str


@dataclass(frozen=True, slots=True)
class AddressOf:
    """The addresses that a thing of the model will get: a NIC's or machine's, or a public IP's.

    `at`: the one that counts so, from 0; None: all. `length`: of the prefix behind it; None: none.
    """

    key: str
    public: bool
    text: str
    at: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """An operand that the source doesn't determine; `groups` where it is one of these, `within` where it is bounded."""

    reasons: tuple[Reason, ...]
    text: str
    within: IntervalSet | None = None
    groups: tuple[str, ...] | None = None


Operand = AnyAddress | Prefix | Tag | Members | AddressOf | Unclear


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """One NSG or admin rule. `services` and `source_ports` certainly match, the `_may` sets may match."""

    key: str
    name: str
    direction: Direction
    action: Action
    priority: int
    services: IntervalSet
    services_may: IntervalSet
    source_ports: IntervalSet
    source_ports_may: IntervalSet
    sources: tuple[Operand, ...]
    destinations: tuple[Operand, ...]
    origin: Origin
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    description: str = ""
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """What hangs on a subnet or NIC. `key` with nothing `open`: certainly this; neither: certainly nothing.

    `key` with something `open`: this, or nothing; no key with something open: not known at all.
    """

    key: str | None = None
    open: tuple[Reason, ...] = ()
    missing: str | None = None  # the id that is named, where the source doesn't hold what it names


NOTHING = Attachment()


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A network security group. What is `open` in a direction makes that direction undetermined."""

    key: str
    name: str
    rules: tuple[SecurityRule, ...]
    origin: Origin
    open_inbound: tuple[Reason, ...] = ()
    open_outbound: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()
    subscription: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class ApplicationSecurityGroup:
    """An application security group; `prefix_sets` are addresses that it may hold beside its members."""

    key: str
    name: str
    origin: Origin
    open: tuple[Reason, ...] = ()
    prefix_sets: IntervalSet = EMPTY
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AddressSpace:
    """Prefixes: certainly `must`, at most `may`."""

    must: IntervalSet
    may: IntervalSet
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """A virtual network with its address space."""

    key: str
    name: str
    space: AddressSpace
    origin: Origin
    subscription: str | None = None
    location: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    injected: bool = False  # delegated to a service that may add rules of its own (SQL managed instance, Databricks)
    missing: tuple[Reason, ...] = ()  # not in the source: only named by a reference
    elsewhere: tuple[Reason, ...] = ()  # made elsewhere: may have peerings and gateways that the source doesn't show


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet and what hangs on it.

    `default_outbound`: default outbound access. `endpoint_policies`: the private endpoint network policies in lower
    case. Both None: not known.
    """

    key: str
    name: str
    network: str
    space: AddressSpace
    group: Attachment
    route_table: Attachment
    nat_gateway: Attachment
    origin: Origin
    default_outbound: bool | None = True
    default_outbound_reasons: tuple[Reason, ...] = ()
    endpoint_policies: str | None = "disabled"
    endpoint_policies_reasons: tuple[Reason, ...] = ()
    delegations: tuple[str, ...] = ()
    service_endpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Peering:
    """One side of a peering.

    `access` is allowVirtualNetworkAccess, `state` the live state in lower case ("" offline).
    """

    key: str
    name: str
    local: str
    remote: str | None
    remote_text: str
    origin: Origin
    state: str = ""
    access: bool | None = True
    use_remote_gateways: bool | None = False
    remote_space: AddressSpace | None = None
    whole: bool | None = True
    local_subnets: tuple[str, ...] = ()
    remote_subnets: tuple[str, ...] = ()
    exists: bool = True
    synced: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class IpConfiguration:
    """One private address of an interface. `address` is None where it isn't known yet."""

    key: str
    name: str
    subnet: Attachment
    family: int
    address: int | None
    public: Attachment
    groups: tuple[str, ...] = ()
    groups_open: tuple[Reason, ...] = ()
    pools: tuple[str, ...] = ()
    pools_open: tuple[Reason, ...] = ()
    nat_rules: tuple[str, ...] = ()
    implicit_public: bool = False  # a scale set's own public address configuration


@dataclass(frozen=True, slots=True)
class Interface:
    """A NIC, a scale set's NIC or a private endpoint (`kind`)."""

    key: str
    name: str
    kind: str  # network_interface, scale_set, private_endpoint
    configurations: tuple[IpConfiguration, ...]
    group: Attachment
    origin: Origin
    machine: str | None = None
    forwarding: bool = False
    tcp_state_off: bool = False
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    tags_open: tuple[Reason, ...] = ()
    subscription: str | None = None
    location: str | None = None
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    flexible: bool = False  # an instance of a Flexible scale set


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine: a name, tags and the NICs in their order (the first is the primary one)."""

    key: str
    name: str
    interfaces: tuple[str, ...]
    origin: Origin
    tags: tuple[tuple[str, str], ...] = ()
    tags_open: tuple[Reason, ...] = ()
    aliases: tuple[str, ...] = ()
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    interfaces_open: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """A public IP; `standard` None: the SKU isn't known."""

    key: str
    name: str
    address: int | None
    standard: bool | None
    origin: Origin
    exists: bool = True
    family: int | None = 4  # None: not known


@dataclass(frozen=True, slots=True)
class Frontend:
    """A frontend of a load balancer: public, or private in a subnet."""

    key: str
    name: str
    public: Attachment
    subnet: Attachment
    address: int | None
    family: int = 4


@dataclass(frozen=True, slots=True)
class BalancerRule:
    """A load balancing or inbound NAT rule: `listen` at the frontend goes to `services` at the backends.

    `services` None: the destination port stays as it is.
    """

    key: str
    name: str
    frontend: str | None
    listen: IntervalSet
    services: IntervalSet | None
    pools: tuple[str, ...]
    targets: tuple[str, ...]  # ip configuration keys, for NAT rules
    origin: Origin
    floating: bool = False
    snat: bool = True  # also gives the backends a way out
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """A load balancer with frontends, rules, pools and outbound rules (`outbound` are pool keys that get egress)."""

    key: str
    name: str
    standard: bool | None
    frontends: tuple[Frontend, ...]
    rules: tuple[BalancerRule, ...]
    outbound: tuple[str, ...]
    pool_addresses: Mapping[str, tuple[int, ...]]
    origin: Origin
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Hop:
    """One user-defined route."""

    name: str
    prefix: Operand
    kind: str  # vnetlocal, virtualnetworkgateway, internet, virtualappliance, none, unknown
    address: str | None
    origin: Origin
    exists: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table; `open` where it may hold more than is shown."""

    key: str
    name: str
    hops: tuple[Hop, ...]
    origin: Origin
    open: tuple[Reason, ...] = ()
    gateway_routes: bool | None = True  # False: gateway (BGP) routes don't reach the subnets that use it


@dataclass(frozen=True, slots=True)
class NatGateway:
    """A NAT gateway.

    `working`: it has a public address; None: not known. `network`: bound to a whole virtual network. `public`: its
    known public addresses, `addresses` the keys of those that aren't known yet, `more` where it may have others.
    """

    key: str
    name: str
    working: bool | None
    public: IntervalSet
    origin: Origin
    addresses: tuple[str, ...] = ()
    more: bool = False
    network: str | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Firewall:
    """An Azure Firewall: known as a next hop by its private addresses."""

    key: str
    name: str
    addresses: tuple[int, ...]
    origin: Origin
    subnet: str | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """A VPN, ExpressRoute or Virtual WAN way out of a virtual network; `prefixes` behind it, None: not known."""

    key: str
    name: str
    network: str | None
    prefixes: IntervalSet | None
    origin: Origin
    bgp: bool = True
    open: tuple[Reason, ...] = ()  # why what was asked about it isn't known


@dataclass(frozen=True, slots=True)
class AdminRules:
    """The security admin rules in force on one virtual network, or why they aren't known."""

    key: str
    name: str
    rules: tuple[SecurityRule, ...]
    origin: Origin
    open: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceTags:
    """Prefixes of service tags by lower-case name, with the spelling of the catalogue; of which cloud and change."""

    prefixes: Mapping[str, IntervalSet] = field(default_factory=dict)
    spelling: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """The source or destination of a rule in force: its addresses, tags expanded; None where they aren't told."""

    tags: tuple[str, ...]
    addresses: IntervalSet | None


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """One effective rule. `services` and `source_ports` are None where they can't be read."""

    name: str
    direction: Direction
    action: Action
    priority: int
    services: IntervalSet | None
    source_ports: IntervalSet | None
    source: Side
    destination: Side


@dataclass(frozen=True, slots=True)
class GroupInForce:
    """One NSG in force, at an interface, a subnet or both (the ids that the answer names)."""

    group: str
    interface: str | None
    subnet: str | None
    rules: tuple[RuleInForce, ...]


@dataclass(frozen=True, slots=True)
class RouteInForce:
    """One effective route that is active. `kind` is the next hop's type in lower case, `hops` its addresses."""

    prefixes: tuple[IntervalSet, ...]
    kind: str
    hops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force at one interface; None where nothing was told."""

    interface: str
    groups: tuple[GroupInForce, ...] | None
    routes: tuple[RouteInForce, ...] | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Verified:
    """What answers of what is in force add to the model, and where the two disagree.

    `tags`: the bounds of a service tag, by subnet key ("" for all) and lower-case name. `learned`: the prefixes that a
    subnet's interfaces learn from gateways. `doubts`: destinations whose route isn't certain, by subnet key.
    """

    tags: Mapping[tuple[str, str], AddressSpace] = field(default_factory=dict)
    learned: Mapping[str, tuple[IntervalSet, ...]] = field(default_factory=dict)
    doubts: Mapping[str, tuple[tuple[IntervalSet, Reason], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that was read. Mappings are by key.

    `problems` are mistakes of the input, each a message to a person; `incomplete` is what could not be read at all.
    `mesh` lists virtual networks that a connectivity configuration may join, with the reason. `in_force` is what
    interfaces were told, `verified` what followed from comparing that with the rest.
    """

    groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    application_groups: Mapping[str, ApplicationSecurityGroup] = field(default_factory=dict)
    networks: Mapping[str, VirtualNetwork] = field(default_factory=dict)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    peerings: Mapping[str, Peering] = field(default_factory=dict)
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    machines: Mapping[str, Machine] = field(default_factory=dict)
    public_addresses: Mapping[str, PublicAddress] = field(default_factory=dict)
    balancers: Mapping[str, LoadBalancer] = field(default_factory=dict)
    route_tables: Mapping[str, RouteTable] = field(default_factory=dict)
    nat_gateways: Mapping[str, NatGateway] = field(default_factory=dict)
    firewalls: Mapping[str, Firewall] = field(default_factory=dict)
    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    admin_rules: Mapping[str, AdminRules] = field(default_factory=dict)  # by virtual network key
    mesh: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    service_tags: ServiceTags = field(default_factory=ServiceTags)
    in_force: tuple[InForce, ...] = ()
    verified: Verified = field(default_factory=Verified)
    problems: tuple[Reason, ...] = ()
    incomplete: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
