"""Changes of security groups that live in an account as `aws ec2` commands, quoted for a shell. Knows no Terraform."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from lint.fix.changes import AddRule, Change, Keep, NarrowRule, holder_of, rule_of
from lint.graph.graph import RuleGraph
from lint.graph.rules import Addresses, Direction, Filter, GroupMembers, NamedAddresses, Rule
from lint.space.addresses import IPV4, REAL, cidrs, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES, ICMP, ICMPV6, TCP, UDP, WIDTH

_MOST = 16  # so many permissions in one command are still a suggestion that a person reads
Permission = dict[str, Any]


def commands(change: Change, graph: RuleGraph) -> tuple[str, ...] | None:
    """The commands that make `change`, in an order that closes no documented way; None where there are none."""
    holder = holder_of(change, graph)
    if holder is None or holder.kind != "security_group" or not (holder.origin.resource_id or "").startswith("sg-"):
        return None
    if isinstance(change, AddRule):
        allowed = _added(change, holder, graph)
        return _authorize(holder, change.direction, allowed) if allowed else None
    if not isinstance(change, NarrowRule):
        return None
    rule = rule_of(holder, change.rule)
    return _narrowed(change, holder, rule, graph) if rule is not None else None


def _added(change: AddRule, holder: Filter, graph: RuleGraph) -> list[Permission]:
    description = _description(change.purpose)
    peers: list[tuple[str, Permission]] = []
    if change.peers.group is not None:
        pair = _pair(change.peers.group, holder, graph)
        if pair is None:
            return []
        peers.append(("UserIdGroupPairs", pair | {"Description": description}))
    else:
        peers += [(key, one | {"Description": description}) for key, one in _ranges(change.peers.addresses)]
    return _permissions(change.services, peers)


def _narrowed(change: NarrowRule, holder: Filter, rule: Rule, graph: RuleGraph) -> tuple[str, ...] | None:
    """Add what stays, then take the wide rule away: nothing documented is cut in between."""
    made: list[str] = []
    for keep in change.keep:
        peers = _kept(keep, rule, holder, graph)
        if peers is None:
            return None
        peers = [(key, one) for key, one in peers if not _there(key, one, keep, rule, holder)]
        if not peers:
            continue
        described = [(key, one | ({"Description": rule.description} if rule.description else {})) for key, one in peers]
        permissions = _permissions(keep.services, described)
        if not permissions:
            return None
        made += _authorize(holder, rule.direction, permissions)
    revoked = _revoke(holder, rule, graph)
    return (*made, *revoked) if revoked else None


def _there(key: str, peer: Permission, keep: Keep, rule: Rule, holder: Filter) -> bool:
    """Whether another rule of the group allows just this already: EC2 refuses to be told twice."""
    for other in holder.rules:
        if other.id == rule.id or other.direction is not rule.direction or other.services != keep.services:
            continue
        for one in other.peers:
            if isinstance(one, GroupMembers):
                same = peer.get("GroupId") == one.group
            elif isinstance(one, NamedAddresses):
                same = peer.get("PrefixListId") == one.list
            else:
                literal = key in ("IpRanges", "Ipv6Ranges") and isinstance(one, Addresses)
                same = literal and parse_cidr(next(iter(peer.values()))) == getattr(one, "addresses", None)
            if same:
                return True
    return False


def _kept(keep: Keep, rule: Rule, holder: Filter, graph: RuleGraph) -> list[tuple[str, Permission]] | None:
    peers = list(_ranges(keep.addresses & REAL))
    if keep.others:
        others = _others(rule, holder, graph)
        if others is None:
            return None
        peers += others
    return peers


def _others(rule: Rule, holder: Filter, graph: RuleGraph) -> list[tuple[str, Permission]] | None:
    found: list[tuple[str, Permission]] = []
    for peer in rule.peers:
        if isinstance(peer, GroupMembers):
            pair = _pair(peer.group, holder, graph)
            if pair is None:
                return None
            found.append(("UserIdGroupPairs", pair))
        elif isinstance(peer, NamedAddresses):
            if not peer.list.startswith("pl-"):
                return None
            found.append(("PrefixListIds", {"PrefixListId": peer.list}))
    return found


def _pair(group: str, holder: Filter, graph: RuleGraph) -> Permission | None:
    named = graph.groups.get(group)
    id_ = (named.origin.resource_id if named is not None else None) or group
    if not id_.startswith("sg-"):
        return None
    pair: Permission = {"GroupId": id_}
    account = named.origin.account if named is not None else None
    if account and holder.origin.account and account != holder.origin.account:
        pair["UserId"] = account
    return pair


def _ranges(addresses: IntervalSet) -> Iterator[tuple[str, Permission]]:
    for text in cidrs(addresses & IPV4):
        yield "IpRanges", {"CidrIp": text}
    for text in cidrs((addresses & REAL) - IPV4):
        yield "Ipv6Ranges", {"CidrIpv6": text}


def _permissions(services: IntervalSet, peers: list[tuple[str, Permission]]) -> list[Permission]:
    """One permission for each range of services, with all peers; nothing where one can't be written so."""
    shapes = list(_shapes(services))
    if not peers or not shapes or len(shapes) * len(peers) > _MOST:
        return []
    made = []
    for shape in shapes:
        permission = dict(shape)
        for key, peer in peers:
            permission.setdefault(key, []).append(peer)
        made.append(permission)
    return made


def _shapes(services: IntervalSet) -> Iterator[Permission]:
    if services == ALL_SERVICES:
        yield {"IpProtocol": "-1"}
        return
    found: list[Permission] = []
    for low, high in services.pairs:
        number, last = low // WIDTH, high // WIDTH
        if number == last and number in (TCP, UDP):
            word = "tcp" if number == TCP else "udp"
            found.append({"IpProtocol": word, "FromPort": low % WIDTH, "ToPort": high % WIDTH})
        elif number == last and number in (ICMP, ICMPV6):
            shape = _icmp(number, low % WIDTH, high % WIDTH)
            if shape is None:
                return
            found.append(shape)
        else:
            if low % WIDTH or high % WIDTH != WIDTH - 1 or any(n in (TCP, UDP) for n in range(number, last + 1)):
                return
            if last - number > 3:
                return
            found += [{"IpProtocol": str(n)} for n in range(number, last + 1)]
    yield from found


def _icmp(number: int, low: int, high: int) -> Permission | None:
    word = "icmp" if number == ICMP else "icmpv6"
    if (low, high) == (0, WIDTH - 1):
        return {"IpProtocol": word, "FromPort": -1, "ToPort": -1}
    if low // 256 != high // 256:
        return None
    if (low % 256, high % 256) == (0, 255):
        return {"IpProtocol": word, "FromPort": low // 256, "ToPort": -1}
    return {"IpProtocol": word, "FromPort": low // 256, "ToPort": low % 256} if low == high else None


def _authorize(holder: Filter, direction: Direction, permissions: list[Permission]) -> tuple[str, ...]:
    verb = f"authorize-security-group-{direction.value}"
    return (_command(holder, verb, ["--ip-permissions", json.dumps(permissions, separators=(",", ":"))]),)


def _revoke(holder: Filter, rule: Rule, graph: RuleGraph) -> tuple[str, ...]:
    verb = f"revoke-security-group-{rule.direction.value}"
    if rule.name.startswith("sgr-"):
        return (_command(holder, verb, ["--security-group-rule-ids", rule.name]),)
    others = _others(rule, holder, graph)
    literal = IntervalSet.union_of(p.addresses for p in rule.peers if isinstance(p, Addresses)) if rule.peers else EMPTY
    peers = [*_ranges(literal), *(others or [])]
    permissions = _permissions(rule.services, peers) if others is not None else []
    if not permissions:
        return ()
    return (_command(holder, verb, ["--ip-permissions", json.dumps(permissions, separators=(",", ":"))]),)


def _command(holder: Filter, verb: str, rest: list[str]) -> str:
    words = ["aws", "ec2", verb]
    if holder.origin.region:
        words += ["--region", holder.origin.region]
    return shlex.join([*words, "--group-id", holder.origin.resource_id or holder.id, *rest])


def _description(purpose: str) -> str:
    """What EC2 takes as a description ("Security group rules": letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*)."""
    allowed = set("._-:/()#,@[]+=&;{}!$* ")
    return "".join(c if (c.isascii() and c.isalnum()) or c in allowed else " " for c in purpose)[:255]
