"""Endpoints: one network interface's worth of machine, with its addresses and the filters it carries."""

from __future__ import annotations

from dataclasses import dataclass

from lint.origin import Origin, Reason
from lint.space.intervals import IntervalSet


@dataclass(frozen=True, slots=True)
class Layer:
    """The filters of one kind at one place. Among several, one that allows is enough (security groups of an interface).

    `crossing` True: judged only where traffic crosses the subnet's border (network ACLs). `open` is not empty where
    further filters may be attached that the source doesn't show. No filters and nothing open: nothing is allowed where
    `closed_if_empty`, else the layer passes everything.
    """

    kind: str  # security_group, network_acl, nsg, admin_rules
    filters: tuple[str, ...]  # ids
    crossing: bool = False
    closed_if_empty: bool = False
    open: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """One private address of an endpoint, on the address line.

    `place` is its place: the real one where it is known, else a symbolic place of its own; then `within` bounds where
    the real one lies. `public` is what the Internet sees it as (1:1 translation): known (`public`), or certain to exist
    but not known (`public_exists` True, `public` None), absent (False), or not determined (None, with
    `public_reasons`).
    """

    place: int
    within: IntervalSet
    subnet: str | None = None
    public: int | None = None
    public_exists: bool | None = False
    public_reasons: tuple[Reason, ...] = ()
    groups: tuple[str, ...] | None = None  # of this address alone, where they differ from the endpoint's (Azure ASGs)
    lent_egress: bool | None = False  # whether a balancer lends it a way out (outbound rules); None: not determined
    default_egress: bool = True  # False: its subnet's default egress isn't for it

    @property
    def family(self) -> int:
        """4 or 6."""
        from lint.space.addresses import IPV6

        return 6 if not self.within.isdisjoint(IPV6) else 4


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A machine's interface, a load balancer, a database, an interface endpoint; or whoever will carry a group.

    `groups` are the ids of the groups it carries (what rules that name groups match); `groups_open` is not empty where
    it may carry more. `layers` are the filters at the interface, nearest to the machine first; those of its subnets
    hang on the Subnet. `hypothetical`: no such machine exists in the source, it stands for any machine that will carry
    the group. `exists` False: it isn't certain that it exists (unknown count).
    """

    id: str  # unique in the graph: interface or resource id, or Terraform address
    name: str  # Name tag, or what people call it
    kind: str  # instance, network_interface, load_balancer, database, lambda, vpc_endpoint, nat_gateway, group, ...
    addresses: tuple[Address, ...]
    groups: tuple[str, ...]
    layers: tuple[Layer, ...]
    origin: Origin
    groups_open: tuple[Reason, ...] = ()
    network: str | None = None
    aliases: tuple[str, ...] = ()  # other names that select it: instance id, interface id, Terraform address, DNS name
    tags: tuple[tuple[str, str], ...] = ()
    tags_open: tuple[Reason, ...] = ()  # tags that the source doesn't determine
    account: str | None = None
    region: str | None = None
    hypothetical: bool = False
    exists: bool = True
    initiates: bool = True  # False: never starts a connection (an interface endpoint, a private endpoint)
    accepts: bool = True  # False: never accepts one (a function, a NAT gateway)
    client_ports: IntervalSet | None = None  # source ports it uses as a client; None: not known (1024-65535)
    forwards: bool = False  # may carry foreign addresses (source/destination check off, IP forwarding)
    reasons: tuple[Reason, ...] = ()
