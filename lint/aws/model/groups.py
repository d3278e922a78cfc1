"""Security groups, prefix lists and network ACLs: the packet filters of a VPC, in AWS's own words."""

from __future__ import annotations

from dataclasses import dataclass

from lint.aws.model.links import NOWHERE, Link
from lint.origin import Origin, Reason
from lint.space.intervals import IntervalSet

INGRESS, EGRESS = "ingress", "egress"


@dataclass(frozen=True, slots=True)
class CidrPeer:
    """Literal addresses, host bits already cleared; `text` as written."""

    addresses: IntervalSet
    text: str


@dataclass(frozen=True, slots=True)
class GroupPeer:
    """The private addresses of the interfaces that carry `group`.

    `stale` says why the reference matches nothing any more.
    """

    group: str
    text: str
    stale: str = ""


@dataclass(frozen=True, slots=True)
class PrefixListPeer:
    """The entries of a managed prefix list."""

    list: str
    text: str


@dataclass(frozen=True, slots=True)
class UndeterminedPeer:
    """A peer that the source doesn't determine; certainly inside `may`, and one of `groups` where that is known."""

    reasons: tuple[Reason, ...]
    text: str
    may: IntervalSet
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class NamedPeer:
    """Addresses that aren't known yet, by their owner: those and no others.

    `owner` is a workload, a NAT gateway, an Elastic IP, a subnet or a VPC by its model id. `which`: the one `private`
    or `public` address of it, or all addresses of a `network`. `otherwise` is what to make of it where the owner has no
    such address, or several.
    """

    owner: str
    which: str
    family: int
    otherwise: UndeterminedPeer

    @property
    def text(self) -> str:
        """As written: `aws_instance.app.private_ip/32`."""
        return self.otherwise.text


RulePeer = CidrPeer | GroupPeer | PrefixListPeer | NamedPeer | UndeterminedPeer


@dataclass(frozen=True, slots=True)
class Services:
    """What a protocol with its ports or ICMP types covers: certainly `must`, at most `may`."""

    must: IntervalSet
    may: IntervalSet
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """One permission: a service and all of its peers. `exists` False where it isn't certain to be in force."""

    id: str
    direction: str
    services: Services
    peers: tuple[RulePeer, ...]
    origin: Origin
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    name: str = ""
    description: str = ""
    implied: bool = False


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group with all of its rules.

    `open_ingress`, `open_egress`: why it may hold more rules than these. `members_open`: why interfaces that the source
    doesn't show may carry it. `foreign`: another source or account defines it, only its name is known here.
    `default_of`: it is the default group of that VPC.
    """

    id: str
    name: str
    rules: tuple[SecurityGroupRule, ...]
    origin: Origin
    vpc: Link = NOWHERE
    open_ingress: tuple[Reason, ...] = ()
    open_egress: tuple[Reason, ...] = ()
    members_open: tuple[Reason, ...] = ()
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    tags_open: tuple[Reason, ...] = ()
    account: str | None = None
    region: str | None = None
    foreign: bool = False
    known_by: frozenset[str] = frozenset()  # of a foreign group: the kinds of its certain identities ("id", "name")
    default_of: str | None = None
    exists: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrefixList:
    """A managed prefix list, the customer's or AWS's: certainly `must` and `named`, at most `may` and these."""

    id: str
    name: str
    must: IntervalSet
    may: IntervalSet
    origin: Origin
    reasons: tuple[Reason, ...] = ()
    aliases: tuple[str, ...] = ()
    named: tuple[NamedPeer, ...] = ()  # entries that are addresses not known yet


@dataclass(frozen=True, slots=True)
class NetworkAclEntry:
    """One numbered entry. `number` None: not known (`reasons`), then it may stand anywhere in the list."""

    id: str
    direction: str
    number: int | None
    allow: bool | None
    services: Services
    peer: CidrPeer | NamedPeer | UndeterminedPeer
    origin: Origin
    exists: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkAcl:
    """A network ACL:

    entries in any order, each direction sorted by number when it is lowered, and the subnets that use it.
    """

    id: str
    name: str
    vpc: Link
    entries: tuple[NetworkAclEntry, ...]
    subnets: tuple[Link, ...]
    origin: Origin
    default: bool = False
    open_ingress: tuple[Reason, ...] = ()
    open_egress: tuple[Reason, ...] = ()
    subnets_open: tuple[Reason, ...] = ()
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
