"""Which things of two rule graphs are the same: by id, other ids, name, carrier, address.

Knows no cloud and no traffic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from lint.graph.endpoints import Endpoint, Layer
from lint.graph.graph import RuleGraph
from lint.graph.rules import Filter, Group
from lint.graph.topology import NatGateway, Subnet
from lint.origin import Origin
from lint.space.addresses import SYMBOLIC

T = TypeVar("T")
Keys = Iterable[Hashable]


@dataclass(frozen=True, slots=True)
class Matching:
    """For each kind of thing, the old source's id by the new one's. A thing that isn't here is on one side alone."""

    endpoints: Mapping[str, str]
    filters: Mapping[str, str]
    groups: Mapping[str, str]
    lists: Mapping[str, str]
    networks: Mapping[str, str]
    subnets: Mapping[str, str]
    gateways: Mapping[str, str]


def match(old: RuleGraph, new: RuleGraph) -> Matching:
    """Matches the things of two graphs, strong signs first.

    What fits several things by the same sign isn't matched by it.
    """
    networks = _Pairing(old.networks, new.networks)
    networks.unique(lambda one: _ids(one.id, one.origin))
    networks.unique(lambda one: [one.name] if one.name else [])
    networks.unique(lambda one: [one.prefixes] if one.prefixes else [])
    network = networks.found

    def home(name: str | None) -> str | None:
        return network.get(name, name) if name is not None else None

    subnets = _Pairing(old.subnets, new.subnets)
    subnets.unique(lambda one: _ids(one.id, one.origin))
    subnets.unique(lambda one: _named(one.name, one.network), lambda one: _named(one.name, home(one.network)))
    subnets.unique(lambda one: _prefix(one, one.network), lambda one: _prefix(one, home(one.network)))

    filters = _Pairing(old.filters, new.filters)
    filters.unique(_group_ids(old), _group_ids(new))
    filters.unique(
        lambda one: _named(one.name, one.kind, one.network), lambda one: _named(one.name, one.kind, home(one.network))
    )
    filters.unique(lambda one: _named(one.name, one.kind))

    endpoints = _Pairing(old.endpoints, new.endpoints)
    endpoints.unique(_endpoint_ids)
    endpoints.unique(_named_endpoint)
    endpoints.unique(lambda one: _located(one, one.network), lambda one: _located(one, home(one.network)))

    _by_carrier(filters, [(old.endpoints[b], new.endpoints[a]) for a, b in endpoints.found.items()])
    _by_carrier(filters, [(old.subnets[b], new.subnets[a]) for a, b in subnets.found.items()])

    groups = _Pairing(old.groups, new.groups)
    for mine, other in filters.found.items():
        groups.pair(mine, other)
    groups.unique(_group_ids(old), _group_ids(new))
    groups.unique(
        lambda one: _named(one.name, one.kind, one.network), lambda one: _named(one.name, one.kind, home(one.network))
    )
    # Those that stand for the machines that will carry a group go where the group goes.
    for mine, other in groups.found.items():
        endpoints.pair(mine, other)

    lists = _Pairing(old.address_lists, new.address_lists)
    lists.unique(lambda one: [(one.name, one.must, one.may)])
    lists.unique(lambda one: _named(one.name))

    gateways = _Pairing(old.nat_gateways, new.nat_gateways)
    gateways.unique(lambda one: _ids(one.id, one.origin))
    gateways.unique(_gateway({}), _gateway(subnets.found))
    return Matching(endpoints.found, filters.found, groups.found, lists.found, network, subnets.found, gateways.found)


class _Pairing(Generic[T]):
    """The pairs of one kind of thing that were found so far, and what is left on either side.

    The same id always is a pair.
    """

    def __init__(self, old: Mapping[str, T], new: Mapping[str, T]) -> None:
        self.found: dict[str, str] = {name: name for name in new if name in old}
        self._old = {name: one for name, one in old.items() if name not in new}
        self._new = {name: one for name, one in new.items() if name not in old}

    def pair(self, new: str, old: str) -> None:
        """These two are the same, where both are still free."""
        if new in self._new and old in self._old:
            self.found[new] = old
            del self._new[new], self._old[old]

    def unique(self, key: Callable[[T], Keys], key_of_new: Callable[[T], Keys] | None = None) -> None:
        """Pairs what shares a key that nothing else on its side has."""
        if not self._old or not self._new:
            return
        here, there = _by_key(self._old, key), _by_key(self._new, key_of_new or key)
        for shared, names in there.items():
            others = here.get(shared, set())
            if len(names) == 1 and len(others) == 1:
                self.pair(next(iter(names)), next(iter(others)))

    def free(self, new: str, old: str) -> bool:
        """Whether neither of the two has a partner."""
        return new in self._new and old in self._old

    def left(self, *, new: bool) -> Mapping[str, T]:
        """What has no partner on that side."""
        return self._new if new else self._old


def _by_key(things: Mapping[str, T], key: Callable[[T], Keys]) -> dict[Hashable, set[str]]:
    found: dict[Hashable, set[str]] = defaultdict(set)
    for name, one in things.items():
        for each in key(one):
            found[each].add(name)
    return found


def _ids(id_: str, origin: Origin) -> list[str]:
    return [text for text in (id_, origin.address, origin.resource_id) if text]


def _named(name: str, *more: Hashable) -> Keys:
    return [(name, *more)] if name else []


def _prefix(one: Subnet, network: str | None) -> Keys:
    return [(one.prefixes, network)] if one.prefixes else []


def _group_ids(graph: RuleGraph) -> Callable[[Filter | Group], Keys]:
    """The ids of a group; whoever stands for its members knows further ones."""

    def of(one: Filter | Group) -> Keys:
        stand_in = graph.endpoints.get(one.id)
        more = stand_in.aliases if stand_in is not None and stand_in.hypothetical else ()
        # An implied thing (a VPC's default group) has the address of what implies it, so that alone is no sign.
        return [(one.kind, text) for text in (one.id, one.origin.resource_id, *more) if text and text != one.name]

    return of


def _endpoint_ids(one: Endpoint) -> Keys:
    return [text for text in (*_ids(one.id, one.origin), *one.aliases) if text != one.name]


def _named_endpoint(one: Endpoint) -> Keys:
    return [] if one.hypothetical else _named(one.name, one.kind)


def _located(one: Endpoint, network: str | None) -> Keys:
    if one.hypothetical:
        return []
    return [(network, one.kind, address.place) for address in one.addresses if address.place < SYMBOLIC]


def _gateway(subnets: Mapping[str, str]) -> Callable[[NatGateway], Keys]:
    return lambda one: [subnets.get(one.subnet, one.subnet)] if one.subnet is not None else []


def _by_carrier(filters: _Pairing[Filter], carriers: Iterable[tuple[Endpoint | Subnet, Endpoint | Subnet]]) -> None:
    """Filters at the same layer of the same thing are the same, where there is one choice and no contradiction."""
    votes: dict[str, set[str]] = defaultdict(set)
    for old, new in carriers:
        for layer in new.layers:
            before = [one for one in old.layers if one.kind == layer.kind]
            if len(before) != 1:
                continue
            mine = [name for name in layer.filters if name in filters.left(new=True)]
            theirs = [name for name in before[0].filters if name in filters.left(new=False)]
            if len(mine) == 1 and len(theirs) == 1 and _as_many(layer, before[0]):
                votes[mine[0]].add(theirs[0])
    wanted: dict[str, set[str]] = defaultdict(set)
    for mine_id, others in votes.items():
        for other in others:
            wanted[other].add(mine_id)
    for mine_id, others in votes.items():
        if len(others) == 1 and len(wanted[next(iter(others))]) == 1:
            other = next(iter(others))
            new_filter, old_filter = filters.left(new=True)[mine_id], filters.left(new=False)[other]
            if new_filter.kind == old_filter.kind and not _implied(new_filter) and not _implied(old_filter):
                filters.pair(mine_id, other)


def _as_many(a: Layer, b: Layer) -> bool:
    return len(a.filters) == len(b.filters) and not a.open and not b.open


def _implied(one: Filter) -> bool:
    """The cloud's own filter: a machine that carries it no longer carries what it carried before."""
    return bool(one.rules) and all(rule.implied for rule in one.rules)
