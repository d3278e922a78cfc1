"""Makes a change on a copy of the rule graph, as if its source had been changed so. Knows no file and no command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lint.fix.changes import AddRoute, AddRule, Change, Keep, NarrowRule, rule_of
from lint.fix.priorities import beside, free_numbers, free_priority, last_priority
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, Filter, GroupMembers, Peer, Rule, UnknownPeer
from lint.graph.topology import Route
from lint.space.addresses import REAL, cidrs
from lint.space.intervals import IntervalSet


def apply(change: Change, graph: RuleGraph) -> RuleGraph:
    """The graph with the change made in its filter, from every viewpoint that the graph has of it, or in its table.

    The graph itself, where the change has nothing to act upon.
    """
    if isinstance(change, AddRoute):
        return _routed(change, graph)
    holder = graph.filters.get(change.filter)
    if holder is None:
        return graph
    filters = dict(graph.filters)
    for one in views(holder, graph):
        changed = _added(change, one, graph) if isinstance(change, AddRule) else _narrowed(change, one)
        if changed is None:
            return graph
        filters[one.id] = changed
    return replace(graph, filters=filters)


def apply_all(changes: Iterable[Change], graph: RuleGraph) -> RuleGraph:
    """The graph with the changes made one after the other."""
    for change in changes:
        graph = apply(change, graph)
    return graph


def views(holder: Filter, graph: RuleGraph) -> Iterator[Filter]:
    """The filters that are one and the same thing: an NSG is a filter of its own for each subnet that its tags mean."""
    for one in graph.filters.values():
        if one.id == holder.id or (
            one.kind == holder.kind and one.ordered and one.name == holder.name and one.origin == holder.origin
        ):
            yield one


def _routed(change: AddRoute, graph: RuleGraph) -> RuleGraph:
    table = graph.route_tables.get(change.table)
    if table is None:
        return graph
    text = ", ".join(cidrs(change.destinations))
    route = Route(change.destinations, change.via, table.origin, text, target=change.target)
    tables = dict(graph.route_tables)
    for one in graph.route_tables.values():
        # Azure's system routes differ from subnet to subnet, so one table is a table of its own for each.
        if one.id == table.id or (one.origin == table.origin and one.name == table.name):
            tables[one.id] = replace(one, routes=(*one.routes, route))
    return replace(graph, route_tables=tables)


def _added(change: AddRule, holder: Filter, graph: RuleGraph) -> Filter | None:
    priority = None
    if holder.ordered:
        priority = place_of(change, holder)
        if priority is None:
            return None
    peers = tuple(_peers_of(change, graph))
    made = Rule(
        id=_free_id(f"{change.direction.value}+netpact", holder),
        direction=change.direction,
        action=change.action,
        peers=peers,
        services=change.services,
        origin=holder.origin,
        local=(_literal(change.near),) if change.near else None,
        priority=priority,
        description=change.purpose,
    )
    return replace(holder, rules=(*holder.rules, made))


def place_of(change: AddRule, holder: Filter) -> int | None:
    """The priority of a new rule of an ordered filter: before what refuses, a refusal behind all; None: no place.

    In a network ACL, where behind all is behind those that allow everything, a refusal goes before what lets it in.
    """
    if holder.kind == "network_acl":
        return next(iter(numbers_of(change, holder)), None)
    if change.action is Action.DENY:
        return last_priority(holder, change.direction)
    return free_priority(holder, change.direction, change.services, change.peers.addresses or None)


def numbers_of(change: AddRule, holder: Filter) -> tuple[int, ...]:
    """The numbers of the entries of a network ACL that make the change; none where there is no room."""
    count = len(change.services.pairs) * max(
        1, 2 if change.peers.addresses == REAL else len(cidrs(change.peers.addresses))
    )
    against = Action.DENY if change.action is Action.ALLOW else Action.ALLOW
    return free_numbers(holder, change.direction, change.services, change.peers.addresses, against, count)


def _peers_of(change: AddRule, graph: RuleGraph) -> Iterator[Peer]:
    if change.peers.group is None:
        yield _literal(change.peers.addresses)
        return
    yield GroupMembers(change.peers.group, change.peers.group)
    named = graph.groups.get(change.peers.group)
    if named is not None and named.open:
        # Machines that the source doesn't show may carry it, and then reach it as well.
        yield UnknownPeer(named.open, named.name)


def _literal(addresses: IntervalSet) -> Addresses:
    return Addresses(addresses, ", ".join(cidrs(addresses)))


def _narrowed(change: NarrowRule, holder: Filter) -> Filter | None:
    rule = rule_of(holder, change.rule)
    if rule is None:
        return None
    parts: list[Rule] = []
    taken: frozenset[int] = frozenset()
    for number, keep in enumerate(change.keep):
        part = replace(_part(rule, keep), id=rule.id if number == 0 else f"{rule.id}+{number}")
        if number and holder.ordered:
            priority = beside(holder, rule, taken)
            if priority is None:
                return None
            taken = taken | {priority}
            part = replace(part, priority=priority)
        parts.append(part)
    rules: list[Rule] = []
    for one in holder.rules:
        rules += parts if one.id == rule.id else [one]
    return replace(holder, rules=tuple(rules))


def _part(rule: Rule, keep: Keep) -> Rule:
    peers: list[Peer] = []
    if keep.others:
        peers = [peer for peer in rule.peers if not isinstance(peer, Addresses)]
    if keep.addresses:
        peers.append(_literal(keep.addresses))
    same = keep.services == rule.services
    return replace(rule, peers=tuple(peers), services=keep.services, services_may=rule.services_may if same else None)


def _free_id(stem: str, holder: Filter) -> str:
    taken = {rule.id for rule in holder.rules}
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name
