"""Which things of two rule graphs are the same: by id, other ids, name, carrier, address, rules.

Knows no cloud and no traffic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

from lint.drift.alike import alike
from lint.drift.pairing import Keys, Pairing
from lint.graph.endpoints import Endpoint, Layer
from lint.graph.graph import RuleGraph
from lint.graph.rules import Addresses, Filter, Group, GroupMembers
from lint.graph.topology import NatGateway, Network, Subnet
from lint.origin import Origin
from lint.space.addresses import SYMBOLIC


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

    What fits several things by the same sign isn't matched by it, save machines that nothing tells apart: any of them
    stands for any other.
    """
    networks = Pairing(old.networks, new.networks)
    networks.unique(lambda one: _ids(one.id, one.origin))
    networks.unique(lambda one: _named(one.name, one.region))
    networks.unique(lambda one: _named(one.name), fits=_not_elsewhere)
    networks.unique(lambda one: [(one.prefixes, one.region)] if one.prefixes else [])
    networks.unique(lambda one: [one.prefixes] if one.prefixes else [], fits=_not_elsewhere)
    places = _Places(networks.found)
    home = places.home

    subnets = Pairing(old.subnets, new.subnets)
    subnets.unique(lambda one: _ids(one.id, one.origin))
    subnets.unique(lambda one: _named(one.name, one.network), lambda one: _named(one.name, home(one.network)))
    subnets.unique(lambda one: _prefix(one, one.network), lambda one: _prefix(one, home(one.network)))

    filters = Pairing(old.filters, new.filters)
    filters.unique(_group_ids(old), _group_ids(new))
    filters.unique(lambda one: _own(one, one.network), lambda one: _own(one, home(one.network)))
    filters.unique(
        lambda one: _named(one.name, one.kind, one.network), lambda one: _named(one.name, one.kind, home(one.network))
    )
    filters.unique(lambda one: _called(one, one.name), fits=places.fit)
    filters.unique(lambda one: _called(one, _tag(old, one)), lambda one: _called(one, _tag(new, one)), fits=places.fit)

    endpoints = Pairing(old.endpoints, new.endpoints)
    endpoints.unique(_endpoint_ids)
    endpoints.unique(lambda one: _named_endpoint(one, one.network), lambda one: _named_endpoint(one, home(one.network)))
    endpoints.unique(_named_endpoint, fits=places.fit)
    endpoints.unique(lambda one: _located(one, one.network), lambda one: _located(one, home(one.network)))

    _by_carrier(filters, [(old.subnets[b], new.subnets[a]) for a, b in subnets.found.items()])
    known = -1
    while known != (known := len(endpoints.found) + len(filters.found)):
        _by_carrier(filters, [(old.endpoints[b], new.endpoints[a]) for a, b in endpoints.found.items()])
        alike(endpoints, filters.found, subnets.found, networks.found)
    filters.unique(lambda one: _rules(one, {}, one.network), lambda one: _rules(one, filters.found, home(one.network)))

    groups = Pairing(old.groups, new.groups)
    for mine, other in filters.found.items():
        groups.pair(mine, other)
    groups.unique(_group_ids(old), _group_ids(new))
    groups.unique(
        lambda one: _named(one.name, one.kind, one.network), lambda one: _named(one.name, one.kind, home(one.network))
    )
    # Those that stand for the machines that will carry a group go where the group goes.
    for mine, other in groups.found.items():
        endpoints.pair(mine, other)

    lists = Pairing(old.address_lists, new.address_lists)
    lists.unique(lambda one: [(one.name, one.must, one.may)])
    lists.unique(lambda one: _named(one.name))

    gateways = Pairing(old.nat_gateways, new.nat_gateways)
    gateways.unique(lambda one: _ids(one.id, one.origin))
    gateways.unique(_gateway({}), _gateway(subnets.found))
    return Matching(
        endpoints.found, filters.found, groups.found, lists.found, networks.found, subnets.found, gateways.found
    )


@dataclass(frozen=True, slots=True)
class _Places:
    """Which network of the old source a network of the new one is."""

    networks: Mapping[str, str]

    def home(self, name: str | None) -> str | None:
        """A network as the old source calls it."""
        return self.networks.get(name, name) if name is not None else None

    def fit(self, old: Endpoint | Filter, new: Endpoint | Filter) -> bool:
        """Whether two things may be one: not where they stand in networks that are known to be two."""
        here, there = old.network, self.home(new.network)
        if here is None or there is None or here == there:
            return True
        return new.network not in self.networks and here not in self.networks.values()


def _ids(id_: str, origin: Origin) -> list[str]:
    return [text for text in (id_, origin.address, origin.resource_id) if text]


def _named(name: str, *more: Hashable) -> Keys:
    return [(name, *more)] if name else []


def _not_elsewhere(old: Network, new: Network) -> bool:
    """Two networks of two regions or accounts are two."""
    return all(a is None or b is None or a == b for a, b in ((old.region, new.region), (old.account, new.account)))


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


def _own(one: Filter, network: str | None) -> Keys:
    """A network has one default group and one default network ACL, whatever they are called."""
    return [("own", one.kind, network)] if one.own and network is not None else []


def _called(one: Filter, name: str) -> Keys:
    return [] if one.own else _named(name, one.kind)


def _tag(graph: RuleGraph, one: Filter) -> str:
    """The Name tag of a group: with `name_prefix` it is all that the code knows of its name."""
    group = graph.groups.get(one.id)
    return "" if group is None else dict(group.tags).get("Name", "")


def _rules(one: Filter, names: Mapping[str, str], network: str | None) -> Keys:
    """What a filter's rules say, where all of it is known: a group that Terraform named by chance has no other sign."""
    said = []
    for rule in one.rules:
        peers: set[Hashable] = set()
        for peer in rule.peers:
            if isinstance(peer, Addresses):
                peers.add(peer.addresses)
            elif isinstance(peer, GroupMembers):
                peers.add("self" if peer.group == one.id else names.get(peer.group, peer.group))
            else:
                return []
        if rule.local is not None or rule.reasons or not rule.exists:
            return []
        said.append((rule.direction, rule.action, frozenset(peers), rule.services, rule.source_ports, rule.priority))
    return [(one.kind, network, frozenset(said))] if said else []


def _endpoint_ids(one: Endpoint) -> Keys:
    return [text for text in (*_ids(one.id, one.origin), *one.aliases) if text != one.name]


def _named_endpoint(one: Endpoint, *more: Hashable) -> Keys:
    return [] if one.hypothetical else _named(one.name, one.kind, *more)


def _located(one: Endpoint, network: str | None) -> Keys:
    if one.hypothetical:
        return []
    return [(network, one.kind, address.place) for address in one.addresses if address.place < SYMBOLIC]


def _gateway(subnets: Mapping[str, str]) -> Callable[[NatGateway], Keys]:
    return lambda one: [subnets.get(one.subnet, one.subnet)] if one.subnet is not None else []


def _by_carrier(filters: Pairing[Filter], carriers: Iterable[tuple[Endpoint | Subnet, Endpoint | Subnet]]) -> None:
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
