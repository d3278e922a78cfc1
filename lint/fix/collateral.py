"""Whether an edit changed more than was planned: rules of other instances of a repeated block, rules beside it.

A block that `for_each`, `count`, `dynamic` or a module call repeats makes several rules; changing it changes them all.
That is right only where findings complain of all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from lint.fix.changes import Change, holder_of
from lint.fix.on_graph import apply_all, views
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, GroupMembers, NamedAddresses, Peer, Rule
from lint.space.intervals import EMPTY, IntervalSet
from lint.verdict.finding import Finding

Signature = tuple[Hashable, ...]


def collateral(
    before: RuleGraph, after: RuleGraph, changes: Sequence[Change], mended: Sequence[Finding]
) -> tuple[str, ...]:
    """The ids of filters and route tables in which something changed that neither the changes nor any finding `mended`
    asked for."""
    planned = apply_all(changes, before)
    holders = [holder for c in changes if (holder := holder_of(c, before)) is not None]
    meant = {one.id for holder in holders for one in views(holder, before)}
    faulty = {(fault.filter, fault.rule) for f in mended for fault in f.rules}
    blocking = {blocker.filter for f in mended for blocker in f.blocked_by}
    found = [
        id_
        for id_ in dict.fromkeys((*before.route_tables, *after.route_tables))
        if _routes(after, id_) != _routes(planned, id_) and _routes(after, id_) != _routes(before, id_)
    ]
    for id_ in dict.fromkeys((*before.filters, *after.filters)):
        old, new = before.filters.get(id_), after.filters.get(id_)
        if old is None or new is None:
            found.append(id_)
            continue
        if old.rules == new.rules:
            continue
        had, has = _signatures(old.rules), _signatures(new.rules)
        wanted = _signatures(planned.filters[id_].rules)
        if has in (had, wanted):
            continue
        changed = {rule.id for rule in old.rules} - {rule.id for rule in planned.filters[id_].rules}
        changed |= {r.id for r in old.rules for p in planned.filters[id_].rules if p.id == r.id and p != r}
        # Another instance of the block may have been at fault as well; that it is narrowed too is right.
        stays = [r for r in planned.filters[id_].rules if r.id in changed or (id_, r.id) not in faulty]
        if id_ in meant and _lost(stays, new.rules, after):
            found.append(id_)
            continue
        lost, gained = had - has, has - had
        if any(
            lost[_signature(rule)] and rule.id not in changed and (id_, rule.id) not in faulty for rule in old.rules
        ):
            found.append(id_)
            continue
        room = [*(r for r in old.rules if lost[_signature(r)]), *(planned.filters[id_].rules if id_ in meant else ())]
        fresh = [rule for rule in new.rules if gained[_signature(rule)]]
        if not all(_inside(rule, room, before) for rule in fresh) and not (
            id_ not in meant and id_ in blocking and all(rule.action is Action.ALLOW for rule in fresh)
        ):
            found.append(id_)
    return tuple(found)


def _routes(graph: RuleGraph, table: str) -> dict[Hashable, IntervalSet]:
    """The destinations that go each way; where a table lists them one by one or together is the same."""
    found: dict[Hashable, IntervalSet] = {}
    for route in graph.route_tables[table].routes if table in graph.route_tables else ():
        way = (route.via, route.target, route.destinations_may, route.precedence)
        found[way] = found.get(way, EMPTY) | route.destinations
    return found


def _signatures(rules: Iterable[Rule]) -> Counter[Signature]:
    return Counter(_signature(rule) for rule in rules)


def _signature(rule: Rule) -> Signature:
    return (
        rule.direction,
        rule.action,
        _peers(rule.peers),
        rule.services,
        rule.services_may or rule.services,
        rule.source_ports,
        _peers(rule.local) if rule.local is not None else None,
        rule.priority,
        rule.exists,
    )


def _peers(peers: Iterable[Peer]) -> Hashable:
    literal = EMPTY
    others: set[Hashable] = set()
    for peer in peers:
        if isinstance(peer, Addresses):
            literal = literal | peer.addresses
        else:
            others.add(_other(peer))
    return literal, frozenset(others)


def _other(peer: Peer) -> Hashable:
    if isinstance(peer, GroupMembers):
        return "group", peer.group
    if isinstance(peer, NamedAddresses):
        return "list", peer.list
    return "unknown", getattr(peer, "text", "")


def _lost(planned: Sequence[Rule], made: Sequence[Rule], graph: RuleGraph) -> bool:
    """Whether anything that should be let through isn't."""
    return any(
        not _inside(replace(rule, services=IntervalSet.span(low, high)), made, graph)
        for rule in planned
        if rule.action is Action.ALLOW
        for low, high in rule.services.pairs
    )


def _inside(rule: Rule, room: Sequence[Rule], graph: RuleGraph) -> bool:
    """Whether everything that the rule matches is matched by rules of `room` that do the same."""
    peers = [
        peer
        for one in room
        if one.direction is rule.direction and one.action is rule.action and rule.services <= one.services
        for peer in one.peers
    ]
    literal = IntervalSet.union_of(_written(peer, graph) for peer in peers)
    named = {_other(peer) for peer in peers if not isinstance(peer, Addresses)}
    return all(
        peer.addresses <= literal if isinstance(peer, Addresses) else _other(peer) in named for peer in rule.peers
    )


def _written(peer: Peer, graph: RuleGraph) -> IntervalSet:
    """The addresses that a peer stands for when it is written out."""
    if isinstance(peer, Addresses):
        return peer.addresses
    if isinstance(peer, NamedAddresses) and peer.list in graph.address_lists:
        return graph.address_lists[peer.list].may
    return EMPTY
