"""Whatever holds a network interface in a VPC, and the load balancers that pass traffic on to it."""

from __future__ import annotations

from dataclasses import dataclass

from lint.aws.model.links import NOWHERE, Link
from lint.origin import Origin, Reason
from lint.space.intervals import IntervalSet


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """One private address: known (`place`), or somewhere within `within`, or (both None) anywhere in its subnet.

    `prefix`: a delegated prefix instead of one address. `public`: the public address that stands for it;
    `public_exists` as in the graph. `family` matters where the address isn't known.
    """

    place: int | None = None
    within: IntervalSet | None = None
    family: int = 4
    subnet: Link = NOWHERE
    public: int | None = None
    public_exists: bool | None = False
    public_reasons: tuple[Reason, ...] = ()
    elastic: str | None = None  # the Elastic IP that is its public address, by model id


@dataclass(frozen=True, slots=True)
class Workload:
    """One network interface's worth of machine: an interface, an instance, a load balancer, a database, a function.

    `groups` are certain; `groups_open` says why it may carry more. `unfiltered`: AWS applies no group to it (a NAT
    gateway, a network load balancer without groups). `subnets`: where it may stand. `hypothetical`: it stands for any
    machine that will carry its group.
    """

    id: str
    name: str
    kind: str
    groups: tuple[str, ...]
    addresses: tuple[InterfaceAddress, ...]
    origin: Origin
    subnets: tuple[Link, ...] = ()
    vpc: Link = NOWHERE
    groups_open: tuple[Reason, ...] = ()
    unfiltered: bool = False
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    tags_open: tuple[Reason, ...] = ()
    account: str | None = None
    region: str | None = None
    exists: bool = True
    initiates: bool = True
    accepts: bool = True
    hypothetical: bool = False
    client_ports: IntervalSet | None = None
    forwards: bool = False
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    """One target group that a listener sends to, by its default action or by a rule.

    `conditions`: what a request has to say to be sent there; whoever sends it chooses that. `reasons`: why it isn't
    certain at all that anything is sent there.
    """

    group: Link
    origin: Origin
    conditions: tuple[Reason, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener: what it takes (services at the balancer) and where it sends it."""

    services: IntervalSet
    forwards: tuple[Forward, ...]
    origin: Origin
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Targets behind a balancer.

    `targets` are workload ids; `services` what arrives at them; `preserves_client` None: not known.
    """

    id: str
    name: str
    kind: str  # instance, ip, lambda, alb
    services: IntervalSet
    targets: tuple[str, ...]
    preserves_client: bool | None
    origin: Origin
    targets_open: tuple[Reason, ...] = ()
    aliases: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """An application, network or classic load balancer; `workloads` are the ids of its interfaces."""

    id: str
    name: str
    kind: str  # application, network, gateway, classic
    workloads: tuple[str, ...]
    listeners: tuple[Listener, ...]
    origin: Origin
    aliases: tuple[str, ...] = ()
