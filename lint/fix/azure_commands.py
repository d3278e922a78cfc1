"""Changes of network security groups in a subscription as `az network nsg rule` commands, quoted for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from lint.fix.changes import AddRule, Change, Keep, NarrowRule, holder_of, rule_of
from lint.fix.on_graph import place_of
from lint.fix.priorities import beside
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, Direction, Filter, GroupMembers, NamedAddresses, Rule
from lint.space.addresses import EVERYWHERE, REAL, cidrs
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES, TCP, UDP, WIDTH

_MOST = 64  # prefixes in one command


def commands(change: Change, graph: RuleGraph) -> tuple[str, ...] | None:
    """The commands that make `change`; None where there are none."""
    holder = holder_of(change, graph)
    target = _target(holder) if holder is not None and holder.kind == "nsg" else None
    if holder is None or target is None:
        return None
    if isinstance(change, AddRule):
        return _added(change, holder, target, graph)
    if not isinstance(change, NarrowRule):
        return None
    rule = rule_of(holder, change.rule)
    return _narrowed(change, holder, rule, target, graph) if rule is not None and not rule.implied else None


def _target(holder: Filter) -> list[str] | None:
    """The words that name an NSG: its subscription, resource group and name, as its ARM id has them."""
    parts = (holder.origin.resource_id or "").split("/")
    if len(parts) != 9 or [parts[1].lower(), parts[3].lower(), parts[7].lower()] != [
        "subscriptions",
        "resourcegroups",
        "networksecuritygroups",
    ]:
        return None
    return ["--subscription", parts[2], "--resource-group", parts[4], "--nsg-name", parts[8]]


def _added(change: AddRule, holder: Filter, target: Sequence[str], graph: RuleGraph) -> tuple[str, ...] | None:
    priority = place_of(change, holder)
    services = _services(change.services)
    if priority is None or services is None:
        return None
    inbound = change.direction is Direction.INGRESS
    peers = _members(change.peers.group, "source" if inbound else "destination", graph)
    if peers is None:
        addresses = _prefixes(change.peers.addresses)
        if addresses is None:
            return None
        peers = [f"--{'source' if inbound else 'destination'}-address-prefixes", *addresses]
    near = _prefixes(change.near) if change.near else ["*"]
    if near is None:
        return None
    name = free_name(holder, change)
    words = [
        *("--name", name, "--priority", str(priority)),
        *("--direction", "Inbound" if inbound else "Outbound"),
        *("--access", "Allow" if change.action is Action.ALLOW else "Deny"),
        *services,
        *("--source-port-ranges", "*"),
        *peers,
        *(f"--{'destination' if inbound else 'source'}-address-prefixes", *near),
        *("--description", change.purpose[:140]),
    ]
    return (_command("create", target, words),)


def free_name(holder: Filter, change: AddRule) -> str:
    """A name for a new rule that no rule of the group has; names are compared without case."""
    ports = _ports(change.services)
    verb = "netpact" if change.action is Action.ALLOW else "netpact-deny"
    kind = "udp" if change.services and change.services.first // WIDTH == UDP else "tcp"
    way = "" if change.direction is Direction.INGRESS else "-out"
    stem = f"{verb}{way}-{kind}-{ports[0].replace('*', 'all') if ports else 'all'}"
    taken = {rule.name.lower() for rule in holder.rules}
    name, number = stem, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def _narrowed(
    change: NarrowRule, holder: Filter, rule: Rule, target: Sequence[str], graph: RuleGraph
) -> tuple[str, ...] | None:
    if not change.keep:
        return (_command("delete", target, ["--name", rule.name]),)
    first, *more = change.keep
    made: list[str] = []
    taken: frozenset[int] = frozenset()
    for keep in more:  # what is split off is made first: nothing documented is cut in between
        priority = beside(holder, rule, taken)
        copy = _copy(keep, rule, holder, graph, priority, len(made))
        if priority is None or copy is None:
            return None
        taken = taken | {priority}
        made.append(_command("create", target, copy))
    words = _changes(first, rule, graph)
    if words is None:
        return None
    return (*made, _command("update", target, ["--name", rule.name, *words]))


def _copy(
    keep: Keep, rule: Rule, holder: Filter, graph: RuleGraph, priority: int | None, number: int
) -> list[str] | None:
    """A rule like this one with another part of its traffic."""
    services = _services(keep.services)
    far = _far(keep, rule, graph)
    if priority is None or services is None or far is None or rule.local is not None:
        return None
    if rule.source_ports != ALL_PORTS:
        return None
    inbound = rule.direction is Direction.INGRESS
    taken = {one.name.lower() for one in holder.rules}
    name = f"{rule.name[:70]}-{number + 2}"
    while name.lower() in taken:
        name += "-x"
    return [
        *("--name", name, "--priority", str(priority), "--direction", "Inbound" if inbound else "Outbound"),
        *("--access", "Allow" if rule.action is Action.ALLOW else "Deny"),
        *services,
        *("--source-port-ranges", "*"),
        *far,
        *(f"--{'destination' if inbound else 'source'}-address-prefixes", "*"),
    ]


def _changes(keep: Keep, rule: Rule, graph: RuleGraph) -> list[str] | None:
    far = _far(keep, rule, graph)
    if far is None:
        return None
    words = list(far)
    if keep.services != rule.services:
        services = _services(keep.services)
        if services is None:
            return None
        words += services
    return words


def _far(keep: Keep, rule: Rule, graph: RuleGraph) -> list[str] | None:
    """The rule's peers as they stay: prefixes, tags and groups in the words of the command."""
    side = "source" if rule.direction is Direction.INGRESS else "destination"
    texts: list[str] = []
    groups: list[str] = []
    if keep.others:
        for peer in rule.peers:
            if isinstance(peer, NamedAddresses):
                texts.append(peer.text)
            elif isinstance(peer, GroupMembers):
                id_ = _group_id(peer.group, graph)
                if id_ is None:
                    return None
                groups.append(id_)
            elif not isinstance(peer, Addresses):
                return None
    literal = _prefixes(keep.addresses) if keep.addresses else []
    if literal is None:
        return None
    texts += literal
    if texts and groups:
        return None  # a rule names either prefixes or groups
    if groups:
        return [f"--{side}-asgs", *groups]
    return [f"--{side}-address-prefixes", *texts] if texts else None


def _members(group: str | None, side: str, graph: RuleGraph) -> list[str] | None:
    if group is None:
        return None
    id_ = _group_id(group, graph)
    return [f"--{side}-asgs", id_] if id_ is not None else ["--" + side + "-asgs", group]


def _group_id(group: str, graph: RuleGraph) -> str | None:
    named = graph.groups.get(group)
    return named.origin.resource_id if named is not None else None


def _prefixes(addresses: IntervalSet) -> list[str] | None:
    if addresses in (REAL, EVERYWHERE):
        return ["*"]
    found = cidrs(addresses & REAL)
    return found if found and len(found) <= _MOST else None


def _services(services: IntervalSet) -> list[str] | None:
    if services == ALL_SERVICES:
        return ["--protocol", "*", "--destination-port-ranges", "*"]
    numbers = {n for low, high in services.pairs for n in (low // WIDTH, high // WIDTH)}
    word = {frozenset({TCP}): "Tcp", frozenset({UDP}): "Udp"}.get(frozenset(numbers))
    return ["--protocol", word, "--destination-port-ranges", *_ports(services)] if word else None


def _ports(services: IntervalSet) -> list[str]:
    found = []
    for low, high in services.pairs:
        if low % WIDTH == 0 and high % WIDTH == WIDTH - 1:
            found.append("*")
        else:
            found.append(str(low % WIDTH) if low == high else f"{low % WIDTH}-{high % WIDTH}")
    return found


def _command(verb: str, target: Sequence[str], words: Sequence[str]) -> str:
    return shlex.join(["az", "network", "nsg", "rule", verb, *target, *words])
