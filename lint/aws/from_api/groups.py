"""Security groups, prefix lists and network ACLs from raw answers.

Sources: EC2 API reference, types IpPermission, UserIdGroupPair, SecurityGroupRule, NetworkAclEntry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lint.aws.from_api import facts
from lint.aws.from_api.answers import Answers, Item
from lint.aws.model.groups import (
    EGRESS,
    INGRESS,
    CidrPeer,
    GroupPeer,
    NetworkAcl,
    NetworkAclEntry,
    PrefixList,
    PrefixListPeer,
    RulePeer,
    SecurityGroup,
    SecurityGroupRule,
    Services,
    UndeterminedPeer,
)
from lint.aws.model.links import Link
from lint.aws.protocols import BadProtocol, exactly, number_of, services_of, undetermined
from lint.origin import Origin, Problem, Reason
from lint.space.addresses import IPV4, IPV6, REAL
from lint.space.intervals import EMPTY
from lint.space.services import ALL_SERVICES, ICMP, ICMPV6, TCP, UDP, protocol


def groups_of(answers: Answers, problems: list[Problem]) -> dict[str, SecurityGroup]:
    """Every security group, and one without rules for each that is only named."""
    found: dict[str, SecurityGroup] = {}
    ids = _rule_ids(answers)
    stale = _stale(answers)
    elsewhere = {
        item.id
        for item in answers.of("SecurityGroupVpcAssociations")
        if (facts.text(item.data, "State") or "associated") == "associated"
    }
    for item in answers.of("SecurityGroups"):
        rules: list[SecurityGroupRule] = []
        counts: dict[str, int] = {}
        for direction, key in ((INGRESS, "IpPermissions"), (EGRESS, "IpPermissionsEgress")):
            for permission in facts.listed(item.data, key):
                for rule in _rules(item, permission, direction, stale, problems):
                    rule = _identified(rule, item.id, ids, counts)
                    rules.append(rule)
        vpcs = [facts.text(item.data, "VpcId")]
        name = facts.text(item.data, "GroupName") or item.id
        found[item.id] = SecurityGroup(
            id=item.id,
            name=name,
            rules=tuple(rules),
            origin=item.origin,
            vpc=Link(None if item.id in elsewhere else vpcs[0]),  # one group may serve several VPCs
            members_open=answers.missing_in_region("NetworkInterfaces", item.document.region),
            aliases=tuple(
                dict.fromkeys(
                    a
                    for a in (
                        name,
                        dict(facts.tags_of(item.data)).get("Name"),
                        facts.text(item.data, "SecurityGroupArn"),
                    )
                    if a
                )
            ),
            tags=facts.tags_of(item.data),
            account=item.account,
            region=item.region,
            default_of=vpcs[0] if name == "default" else None,
        )
    return found


def foreign_group(id_: str, why: str, vpc: str | None = None, account: str | None = None) -> SecurityGroup:
    """A group that something here names and nothing here defines."""
    reason = Reason(
        f"the security group {id_} isn't in this source{why}",
        code=f"aws.foreign-group:{id_}",
        remedy="add the account or region that holds it",
    )
    return SecurityGroup(
        id=id_,
        name=id_,
        rules=(),
        origin=Origin(account=account, resource_id=id_),
        vpc=Link(vpc),
        open_ingress=(reason,),
        open_egress=(reason,),
        members_open=(reason,),
        account=account,
        foreign=True,
        known_by=frozenset({"id"}),
    )


def named_groups(groups: dict[str, SecurityGroup]) -> Iterator[str]:
    """Every group that a rule names."""
    for group in groups.values():
        for rule in group.rules:
            for peer in rule.peers:
                if isinstance(peer, GroupPeer) and not peer.stale:
                    yield peer.group


def _rules(
    item: Item, permission: dict[str, Any], direction: str, stale: set[tuple[str, str]], problems: list[Problem]
) -> Iterator[SecurityGroupRule]:
    services = _services(item, permission, problems)
    origin = item.origin
    for peer, description in _peers(item, permission, stale, problems):
        said = f"{services.must.pairs}|{services.may.pairs}|{type(peer).__name__}|{_key(peer)}"
        yield SecurityGroupRule(
            id=f"{direction}#{hashlib.sha256(said.encode()).hexdigest()[:10]}",
            direction=direction,
            services=services,
            peers=(peer,),
            origin=origin,
            reasons=services.reasons + (peer.reasons if isinstance(peer, UndeterminedPeer) else ()),
            description=description,
        )


def _services(item: Item, permission: dict[str, Any], problems: list[Problem]) -> Services:
    word = facts.text(permission, "IpProtocol")
    try:
        number = number_of(word or "")
        low, high = facts.whole(permission, "FromPort"), facts.whole(permission, "ToPort")
        if number in (TCP, UDP) and low in (None, -1) and high in (None, -1):
            problems.append(
                Problem("warning", f"{item.id} has a {word} rule without ports; taken as all ports", item.origin)
            )
        return exactly(services_of(number, low, high, ports_required=False))
    except BadProtocol as error:
        text = f"{item.id}: {error}"
        problems.append(Problem("warning", text, item.origin))
        return undetermined(text, origin=item.origin)


def _peers(
    item: Item, permission: dict[str, Any], stale: set[tuple[str, str]], problems: list[Problem]
) -> Iterator[tuple[RulePeer, str]]:
    for key, attribute, family in (("IpRanges", "CidrIp", IPV4), ("Ipv6Ranges", "CidrIpv6", IPV6)):
        for each in facts.listed(permission, key):
            written = facts.text(each, attribute) or ""
            addresses = facts.addresses(written)
            description = facts.text(each, "Description") or ""
            if addresses and addresses <= family:
                yield CidrPeer(addresses, written), description
            else:
                text = f'{item.id}: "{written}" is not a CIDR'
                problems.append(Problem("warning", text, item.origin))
                yield UndeterminedPeer((Reason(text, origin=item.origin),), written, family), description
    for each in facts.listed(permission, "PrefixListIds"):
        id_ = facts.text(each, "PrefixListId")
        if id_ is not None:
            yield PrefixListPeer(id_, id_), facts.text(each, "Description") or ""
    for each in facts.listed(permission, "UserIdGroupPairs"):
        description = facts.text(each, "Description") or ""
        id_ = facts.text(each, "GroupId")
        if id_ is None:
            named = facts.text(each, "GroupName") or "a group without an id"
            reason = Reason(f"{item.id} names {named} without an id", origin=item.origin)
            yield UndeterminedPeer((reason,), named, REAL), description
            continue
        status = facts.text(each, "PeeringStatus")
        why = ""
        if status is not None and status != "active":
            why = f"it names {id_} over a peering that is {status}"
        elif (item.id, id_) in stale:
            why = f"AWS lists its reference to {id_} as stale"
        user = facts.text(each, "UserId")
        text = id_ if user is None or user == item.account else f"{user}/{id_}"
        yield GroupPeer(id_, text, why), description


def _key(peer: RulePeer) -> str:
    if isinstance(peer, CidrPeer):
        return repr(peer.addresses.pairs)
    if isinstance(peer, GroupPeer):
        return peer.group
    return peer.list if isinstance(peer, PrefixListPeer) else peer.text


def _rule_ids(answers: Answers) -> dict[tuple[str, str, str, str], str]:
    """Rule ids by group, direction, services and peer, where the answers list single rules as well."""
    found: dict[tuple[str, str, str, str], str] = {}
    for item in answers.of("SecurityGroupRules"):
        group = facts.text(item.data, "GroupId")
        if group is None:
            continue
        peer = (
            facts.text(item.data, "ReferencedGroupInfo", "GroupId")
            or facts.text(item.data, "PrefixListId")
            or repr(facts.addresses(facts.text(item.data, "CidrIpv4") or facts.text(item.data, "CidrIpv6")).pairs)
        )
        try:
            services = services_of(
                number_of(facts.text(item.data, "IpProtocol") or ""),
                facts.whole(item.data, "FromPort"),
                facts.whole(item.data, "ToPort"),
                ports_required=False,
            )
        except BadProtocol:
            continue
        direction = EGRESS if facts.truth(item.data, "IsEgress") else INGRESS
        found[group, direction, repr(services.pairs), peer] = item.id
    return found


def _identified(
    rule: SecurityGroupRule, group: str, ids: dict[tuple[str, str, str, str], str], counts: dict[str, int]
) -> SecurityGroupRule:
    real = ids.get((group, rule.direction, repr(rule.services.must.pairs), _key(rule.peers[0])))
    id_ = real or rule.id
    counts[id_] = counts.get(id_, 0) + 1
    if counts[id_] > 1:
        id_ = f"{id_}-{counts[id_]}"
    return rule if id_ == rule.id else replace(rule, id=id_, name=real or "")


def _stale(answers: Answers) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for item in answers.of("StaleSecurityGroupSet"):
        for key in ("StaleIpPermissions", "StaleIpPermissionsEgress"):
            for permission in facts.listed(item.data, key):
                for pair in facts.listed(permission, "UserIdGroupPairs"):
                    id_ = facts.text(pair, "GroupId")
                    if id_ is not None:
                        found.add((item.id, id_))
    return found


def prefix_lists_of(answers: Answers) -> dict[str, PrefixList]:
    """Every prefix list: AWS's with their `Cidrs`, managed ones with the entries that were collected for them."""
    held: dict[str, list[Item]] = {}
    for item in answers.of("PrefixLists"):
        held.setdefault(item.id, []).append(item)
    entries: dict[str, Any] = {}
    for item in answers.of("ManagedPrefixListEntries"):
        addresses = entries.get(item.id, EMPTY)
        for each in facts.listed(item.data, "Entries"):
            addresses = addresses | facts.addresses(facts.text(each, "Cidr"))
        entries[item.id] = addresses
    found: dict[str, PrefixList] = {}
    for id_ in dict.fromkeys((*held, *entries)):
        items = held.get(id_, [])
        name = next((n for n in (facts.text(i.data, "PrefixListName") for i in items) if n), id_)
        addresses = entries.get(id_, EMPTY)
        known = id_ in entries
        family = REAL
        for item in items:
            if isinstance(item.data.get("Cidrs"), list):
                known = True
                for cidr in facts.texts(item.data, "Cidrs"):
                    addresses = addresses | facts.addresses(cidr)
            family = {"IPv4": IPV4, "IPv6": IPV6}.get(facts.text(item.data, "AddressFamily") or "", family)
        origin = items[0].origin if items else Origin(resource_id=id_)
        found[id_] = (
            PrefixList(id_, name, addresses, addresses, origin)
            if known
            else PrefixList(id_, name, EMPTY, family, origin, unread_list(answers, id_, name))
        )
    return found


def unread_list(answers: Answers, id_: str, name: str) -> tuple[Reason, ...]:
    """Why a prefix list's entries aren't known: the call that failed, else that nobody made it."""
    return answers.missing(f"ManagedPrefixListEntries:{id_}") or (unknown_list(name),)


def unknown_list(name: str) -> Reason:
    """Why a prefix list holds nobody knows what."""
    return Reason(
        f"the entries of the prefix list {name} aren't in this source",
        code=f"aws.prefix-list:{name}",
        remedy="collect them with `aws ec2 get-managed-prefix-list-entries`",
    )


def acls_of(answers: Answers, problems: list[Problem]) -> dict[str, NetworkAcl]:
    """Every network ACL with its entries and the subnets that use it."""
    found: dict[str, NetworkAcl] = {}
    for item in answers.of("NetworkAcls"):
        entries: list[NetworkAclEntry] = []
        for each in facts.listed(item.data, "Entries"):
            entries.append(_entry(item, each, problems))
        subnets = [facts.text(a, "SubnetId") for a in facts.listed(item.data, "Associations")]
        found[item.id] = NetworkAcl(
            id=item.id,
            name=facts.name_of(item.data, item.id),
            vpc=Link(facts.text(item.data, "VpcId")),
            entries=tuple(entries),
            subnets=tuple(Link(s) for s in subnets if s is not None),
            origin=item.origin,
            default=facts.truth(item.data, "IsDefault") is True,
            tags=facts.tags_of(item.data),
        )
    return found


def _entry(item: Item, each: dict[str, Any], problems: list[Problem]) -> NetworkAclEntry:
    number = facts.whole(each, "RuleNumber")
    direction = EGRESS if facts.truth(each, "Egress") else INGRESS
    action = (facts.text(each, "RuleAction") or "").lower()
    reasons: list[Reason] = []
    written, family = facts.text(each, "CidrBlock"), IPV4
    if written is None:
        written, family = facts.text(each, "Ipv6CidrBlock"), IPV6
    addresses = facts.addresses(written)
    peer: CidrPeer | UndeterminedPeer
    if addresses and addresses <= family:
        peer = CidrPeer(addresses, written or "")
    else:
        reasons.append(Reason(f'{item.id} entry {number}: "{written}" is not a CIDR', origin=item.origin))
        peer = UndeterminedPeer(tuple(reasons), written or "", REAL)
    services = _acl_services(each, item, number)
    reasons += services.reasons
    for reason in reasons:
        problems.append(Problem("warning", reason.text, item.origin))
    return NetworkAclEntry(
        id=f"{direction}/{number}" + ("/6" if family is IPV6 else ""),
        direction=direction,
        number=number,
        allow={"allow": True, "deny": False}.get(action),
        services=services,
        peer=peer,
        origin=item.origin,
        reasons=tuple(reasons),
    )


def _acl_services(each: dict[str, Any], item: Item, number: int | None) -> Services:
    try:
        code = number_of(facts.text(each, "Protocol") or "")
    except BadProtocol as error:
        return undetermined(f"{item.id} entry {number}: {error}", ALL_SERVICES, item.origin)
    low = high = None
    if code in (TCP, UDP):
        low, high = facts.whole(each.get("PortRange"), "From"), facts.whole(each.get("PortRange"), "To")
    elif code in (ICMP, ICMPV6):
        kinds = each.get("IcmpTypeCode")
        if not isinstance(kinds, dict):
            text = f"{item.id} entry {number}: the ICMP types and codes are missing"
            return undetermined(text, protocol(code), item.origin)
        low, high = facts.whole(kinds, "Type"), facts.whole(kinds, "Code")
    try:
        return exactly(services_of(code, low, high, ports_required=False))
    except BadProtocol as error:
        return undetermined(f"{item.id} entry {number}: {error}", protocol(code), item.origin)
