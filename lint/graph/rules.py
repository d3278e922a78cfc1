"""Rules, the filters that hold them, and the ways in which a rule names its peer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lint.origin import Origin, Reason
from lint.space.addresses import EVERYWHERE
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS


class Direction(Enum):
    """Seen from the machine: ingress is what arrives at it, egress what it sends."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Action(Enum):
    """What a matching rule does. BYPASS allows and skips the layers behind it (Azure's AlwaysAllow)."""

    ALLOW = "allow"
    DENY = "deny"
    BYPASS = "bypass"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Peers named by literal addresses; `text` as written (`10.0.0.0/8`)."""

    addresses: IntervalSet
    text: str


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """Peers named by a group: every endpoint that carries it, by identity, at its private addresses."""

    group: str  # id of a Group of the graph
    text: str


@dataclass(frozen=True, slots=True)
class NamedAddresses:
    """Peers named by a list that the graph holds under `list`: a prefix list, a service tag."""

    list: str  # id of an AddressList of the graph
    text: str


@dataclass(frozen=True, slots=True)
class UnknownPeer:
    """Peers that the source doesn't determine: certainly inside `may` (real addresses and symbolic places).

    `groups` lists the ids of groups that it may be, where it is known to be one of these; else None.
    """

    reasons: tuple[Reason, ...]
    text: str
    may: IntervalSet = EVERYWHERE
    groups: tuple[str, ...] | None = None


Peer = Addresses | GroupMembers | NamedAddresses | UnknownPeer


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a filter: matches where its remote peer, its local side, its service and its source port all do.

    `peers` is a union; `local` likewise (None: every address of the machine; Azure NSG rules name both sides).
    `services` and `source_ports` are what it certainly matches, `services_may` and `source_ports_may` what it may match
    (supersets; None: the same). `exists` is False where it isn't certain that the rule is in force at all. `priority`
    orders an ordered filter, lowest first. `reasons` says what in it is unknown. `id` is unique within its filter and
    stable when lines move.
    """

    id: str
    direction: Direction
    action: Action
    peers: tuple[Peer, ...]
    services: IntervalSet
    origin: Origin
    services_may: IntervalSet | None = None
    source_ports: IntervalSet = ALL_PORTS
    source_ports_may: IntervalSet | None = None
    local: tuple[Peer, ...] | None = None
    priority: int | None = None
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    name: str = ""  # what the cloud or the document calls it
    description: str = ""
    implied: bool = False  # the cloud's own rule (default rules, implicit deny), not written by anyone


@dataclass(frozen=True, slots=True)
class Filter:
    """A list of rules at one layer.

    Unordered: allowed is the union of its allow rules. Ordered: the first match by priority decides, no match is
    `default`. `open` is not empty where it may hold further rules that the source doesn't show (per direction, or
    both): then what it may allow is everything, and what it certainly allows is what it allows whatever those rules are
    (unordered: its allow rules; ordered: nothing). Stateless filters judge the reply as well.
    """

    id: str  # unique in the graph: resource id, or Terraform address
    name: str  # for people: the Terraform address or the Name
    kind: str  # security_group, network_acl, nsg, admin_rules
    rules: tuple[Rule, ...]
    origin: Origin
    ordered: bool = False
    stateful: bool = True
    default: Action = Action.DENY
    open_ingress: tuple[Reason, ...] = ()
    open_egress: tuple[Reason, ...] = ()
    network: str | None = None
    notes: tuple[str, ...] = ()  # what a person should know (mixed rules, stale rules)
    own: bool = False  # the cloud made it with its network: the default group, the default network ACL


@dataclass(frozen=True, slots=True)
class Group:
    """Something that rules name as a peer and endpoints carry: a security group, an application security group.

    `open` is not empty where endpoints that the source doesn't show may carry it (a foreign account, a partial
    collection).
    """

    id: str
    name: str
    kind: str  # security_group, application_security_group
    origin: Origin
    network: str | None = None
    open: tuple[Reason, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AddressList:
    """A named set of addresses: certainly `must`, at most `may`.

    `complement_of` names another list whose complement it is, so that both are decided together (Azure's VirtualNetwork
    and Internet): such a pair is evaluated world by world, `must` or `may` of the other list on either side.
    """

    id: str
    name: str
    must: IntervalSet
    may: IntervalSet
    origin: Origin
    reasons: tuple[Reason, ...] = ()
    complement_of: str | None = None
