"""Security groups, network ACLs, listeners and prefix lists of AWS as filters and lists of the graph."""

from __future__ import annotations

from collections.abc import Iterable

from lint.aws.lowering.networks import NETWORK_ACL, network_id
from lint.aws.model import Model
from lint.aws.model.groups import (
    INGRESS,
    CidrPeer,
    GroupPeer,
    NamedPeer,
    NetworkAcl,
    NetworkAclEntry,
    PrefixList,
    PrefixListPeer,
    SecurityGroup,
    SecurityGroupRule,
    UndeterminedPeer,
)
from lint.aws.model.machines import LoadBalancer
from lint.aws.owners import Owners
from lint.graph.rules import (
    Action,
    Addresses,
    AddressList,
    Direction,
    Filter,
    Group,
    GroupMembers,
    NamedAddresses,
    Peer,
    Rule,
    UnknownPeer,
)
from lint.origin import Reason
from lint.space.addresses import PRIVATE, REAL
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES

SECURITY_GROUP, LISTENER = "security_group", "listener"


class Filters:
    """Filters and groups of one model."""

    def __init__(self, model: Model, owners: Owners) -> None:
        self.model = model
        self.owners = owners
        self._unbounded, self._around = self._references()
        self._twins = self._doubles()

    def group(self, group: SecurityGroup) -> Group:
        """A security group as something that machines carry and rules name."""
        return Group(
            id=group.id,
            name=group.name,
            kind=SECURITY_GROUP,
            origin=group.origin,
            network=network_id(self.model, group.vpc),
            open=group.members_open if group.id in self._unbounded else (),
            tags=group.tags,
        )

    def _references(self) -> tuple[frozenset[str], dict[str, IntervalSet]]:
        """Groups with members elsewhere that are named where nothing bounds these; and by VPC what bounds them there.

        A reference works in the VPC, over active peerings of the Region, and for what a transit gateway may bring.
        """
        bounds: dict[str, IntervalSet] = {}
        for vpc in self.model.vpcs.values():
            if not vpc.looked_up:
                bounds[vpc.id] = vpc.prefixes if vpc.prefixes_may is None else vpc.prefixes_may
        around = dict(bounds)
        for peering in self.model.peerings.values():
            for here, there, prefixes in (
                (peering.requester.id, peering.accepter.id, peering.accepter_prefixes),
                (peering.accepter.id, peering.requester.id, peering.requester_prefixes),
            ):
                if here in around and there is not None and peering.active is not False and not peering.inter_region:
                    around[here] = around[here] | (prefixes or bounds.get(there, REAL))
        for attachment in self.model.transit_attachments.values():
            home = attachment.resource.id
            if home is not None and home in around:
                around[home] = around[home] | PRIVATE
        loose: set[str] = {g.id for g in self.model.groups.values() if g.members_open}
        bounded: set[str] = set()
        unbounded: set[str] = set()
        for group in self.model.groups.values():
            for rule in group.rules:
                for peer in rule.peers:
                    if isinstance(peer, GroupPeer) and peer.group in loose:
                        (bounded if group.vpc.id in around else unbounded).add(peer.group)
        return frozenset(loose - (bounded - unbounded)), around

    def _peers(self, group: SecurityGroup, rule: SecurityGroupRule) -> Iterable[Peer]:
        for peer in rule.peers:
            if isinstance(peer, NamedPeer):
                yield from self.owners.peers(peer)
                continue
            made = _peer(peer)
            if made is None:
                continue
            yield made
            if not isinstance(peer, GroupPeer):
                continue
            named = self.model.groups.get(peer.group)
            if named is None or not named.members_open:
                continue
            if named.id not in self._unbounded and group.vpc.id in self._around:
                yield UnknownPeer(named.members_open, peer.text, self._around[group.vpc.id])
            twins = self._twins.get(peer.group, ())
            if twins:
                yield UnknownPeer(named.members_open, peer.text, EMPTY, twins)

    def _doubles(self) -> dict[str, tuple[str, ...]]:
        """Groups that are known by different names only, and may be one and the same."""
        foreign = [g for g in self.model.groups.values() if g.foreign]
        carried = {g for w in self.model.workloads.values() if not w.hypothetical for g in w.groups}
        return {
            one.id: tuple(
                other.id
                for other in foreign
                if other.id != one.id and other.id in carried and not (one.known_by & other.known_by)
            )
            for one in foreign
        }

    def _open_lists(self, rule: SecurityGroupRule) -> tuple[Reason, ...]:
        """Why the prefix lists that a rule names aren't wholly known."""
        named = (self.model.prefix_lists.get(p.list) for p in rule.peers if isinstance(p, PrefixListPeer))
        return tuple(reason for listed in named if listed is not None for reason in listed.reasons)

    def security_group(self, group: SecurityGroup) -> Filter:
        """A security group as a filter."""
        notes = list(group.notes)
        for rule in group.rules:
            for peer in rule.peers:
                if isinstance(peer, GroupPeer) and peer.stale:
                    notes.append(f"stale rule {rule.id}: {peer.stale}")
        return Filter(
            id=group.id,
            name=group.name,
            kind=SECURITY_GROUP,
            rules=tuple(
                _group_rule(rule, tuple(self._peers(group, rule)), self._open_lists(rule)) for rule in group.rules
            ),
            origin=group.origin,
            open_ingress=group.open_ingress,
            open_egress=group.open_egress,
            network=network_id(self.model, group.vpc),
            notes=tuple(notes),
            own=group.default_of is not None,
        )

    def address_list(self, each: PrefixList) -> AddressList:
        """A prefix list, with the addresses that machines of the model will have."""
        must, may, reasons = each.must, each.may, each.reasons
        for peer in each.named:
            found = self.owners.places(peer)
            must, may = must | found, may | (found or peer.otherwise.may)
            reasons += () if found else peer.otherwise.reasons
        return AddressList(each.id, each.name, must, may, each.origin, tuple(dict.fromkeys(reasons)))


def _group_rule(rule: SecurityGroupRule, peers: tuple[Peer, ...], more: tuple[Reason, ...] = ()) -> Rule:
    return Rule(
        id=rule.id,
        direction=Direction.INGRESS if rule.direction == INGRESS else Direction.EGRESS,
        action=Action.ALLOW,
        peers=peers,
        services=rule.services.must,
        services_may=None if rule.services.may == rule.services.must else rule.services.may,
        origin=rule.origin,
        exists=rule.exists,
        reasons=tuple(dict.fromkeys((*rule.reasons, *more))),
        name=rule.name,
        description=rule.description,
        implied=rule.implied,
    )


def _peer(peer: CidrPeer | GroupPeer | PrefixListPeer | UndeterminedPeer) -> Peer | None:
    if isinstance(peer, CidrPeer):
        return Addresses(peer.addresses, peer.text)
    if isinstance(peer, GroupPeer):
        return None if peer.stale else GroupMembers(peer.group, peer.text)
    if isinstance(peer, PrefixListPeer):
        return NamedAddresses(peer.list, peer.text)
    return UnknownPeer(peer.reasons, peer.text, peer.may, peer.groups)


def listeners(balancer: LoadBalancer) -> Filter:
    """What the listeners of a balancer take, from anybody; outward it sends whatever it likes."""
    anybody = (Addresses(REAL, "anyone"),)
    rules = [
        Rule(
            id=f"listener/{number}",
            direction=Direction.INGRESS,
            action=Action.ALLOW,
            peers=anybody,
            services=EMPTY if listener.reasons else listener.services,
            services_may=listener.services if listener.reasons else None,
            origin=listener.origin,
            reasons=listener.reasons,
            implied=True,
        )
        for number, listener in enumerate(balancer.listeners)
    ]
    out = Rule("out", Direction.EGRESS, Action.ALLOW, anybody, ALL_SERVICES, balancer.origin, implied=True)
    return Filter(f"{balancer.id}#listeners", balancer.name, LISTENER, (*rules, out), balancer.origin)


def network_acl(acl: NetworkAcl, owners: Owners) -> Filter:
    """A network ACL as an ordered, stateless filter."""
    rules: list[Rule] = []
    for entry in acl.entries:
        rules += _acl_rules(entry, owners)
    return Filter(
        id=acl.id,
        name=acl.name,
        kind=NETWORK_ACL,
        rules=tuple(rules),
        origin=acl.origin,
        ordered=True,
        stateful=False,
        default=Action.DENY,
        open_ingress=acl.open_ingress,
        open_egress=acl.open_egress,
        network=acl.vpc.id,
        notes=acl.notes,
        own=acl.default,
    )


def _acl_rules(entry: NetworkAclEntry, owners: Owners) -> list[Rule]:
    """One entry; or, where it isn't known whether it allows or denies, both."""
    if isinstance(entry.peer, NamedPeer):
        peers = owners.peers(entry.peer)
    else:
        peer = _peer(entry.peer)
        peers = () if peer is None else (peer,)
    certain = entry.exists and entry.number is not None and entry.allow is not None
    return [
        Rule(
            id=entry.id if entry.allow is not None else f"{entry.id}/{action.value}",
            direction=Direction.INGRESS if entry.direction == INGRESS else Direction.EGRESS,
            action=action,
            peers=peers,
            services=entry.services.must,
            services_may=None if entry.services.may == entry.services.must else entry.services.may,
            origin=entry.origin,
            priority=entry.number if entry.number is not None else 0,
            exists=certain,
            reasons=entry.reasons,
            name=str(entry.number) if entry.number is not None else "",
        )
        for action in (
            [Action.ALLOW, Action.DENY] if entry.allow is None else [Action.ALLOW if entry.allow else Action.DENY]
        )
    ]
