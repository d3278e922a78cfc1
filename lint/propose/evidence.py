"""What in a graph speaks for a pack: names, tags and open ports that its roles hint at. Proposes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Direction, Filter
from lint.origin import Origin
from lint.packs.model import Pack, Role, single_services
from lint.space.intervals import IntervalSet
from lint.space.services import parse
from lint.verdict.bind import glob

TAG, NAME, GROUP, ADDRESS, PORT = "tag", "name", "group", "terraform", "port"
_WEIGHT = {TAG: 4, NAME: 3, GROUP: 3, ADDRESS: 3, PORT: 2}
_NARROW = 4096  # a rule for so many services at the most is meant for one product; `all TCP` speaks for none


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why an endpoint may play a role.

    `kind` says what speaks for it, `value` what a selector takes it by, `why` says it in words.
    """

    endpoint: Endpoint
    kind: str  # tag, name, group, terraform or port
    value: tuple[str, ...]
    why: str
    common: bool = False  # machines of other products are called so, too


@dataclass(frozen=True, slots=True)
class RoleEvidence:
    """A role and who may play it; empty where nobody was found."""

    role: Role
    found: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A port of a pack's signature that a filter opens. `filter` is the filter's name, `origin` the rule's."""

    service: str
    filter: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class PackEvidence:
    """All that speaks for a pack. `score` ranks packs; 0: nothing that belongs to this product was found."""

    pack: Pack
    roles: tuple[RoleEvidence, ...]
    ports: tuple[OpenPort, ...]
    score: int

    def endpoints(self) -> frozenset[str]:
        """The ids of all endpoints that may play a role."""
        return frozenset(one.endpoint.id for role in self.roles for one in role.found)


def rank(graph: RuleGraph, packs: Mapping[str, Pack]) -> tuple[PackEvidence, ...]:
    """Every pack with its evidence, the best first."""
    opened = {name: tuple(_opened(one)) for name, one in graph.filters.items()}
    endpoints = sorted(graph.endpoints.values(), key=lambda one: (one.name, one.id))
    found = [_pack(graph, pack, endpoints, opened) for pack in packs.values()]
    return tuple(sorted(found, key=lambda one: (-one.score, one.pack.id)))


_Opened = tuple[IntervalSet, Origin]


def _pack(
    graph: RuleGraph, pack: Pack, endpoints: list[Endpoint], opened: Mapping[str, tuple[_Opened, ...]]
) -> PackEvidence:
    taken: dict[str, str] = {}  # endpoint -> the role that its name or a tag speaks for
    found: dict[str, dict[str, Evidence]] = {role.name: {} for role in pack.roles}
    for role in pack.roles:
        for endpoint in endpoints:
            one = _by_tag(role, endpoint) or _by_name(graph, role, endpoint)
            if one is not None:
                found[role.name][endpoint.id] = one
                taken.setdefault(endpoint.id, role.name)
    wanted = {role.name: _wanted(role) for role in pack.roles}
    # A port alone is a weak sign: all that a role listens on have to be open, and the role with the most ports wins.
    for role in sorted(pack.roles, key=lambda one: -len(wanted[one.name])):
        for endpoint in endpoints if wanted[role.name] and not role.shared else ():
            if endpoint.id in taken:
                continue
            rules = [each for name in _filters_of(graph, endpoint) for each in opened.get(name, ())]
            one = _by_ports(wanted[role.name], endpoint, rules)
            if one is not None:
                found[role.name][endpoint.id] = one
                taken[endpoint.id] = role.name
    roles = [RoleEvidence(role, tuple(found[role.name].values())) for role in pack.roles]
    ports = tuple(_signature(graph, pack, opened))
    # Parties that other software shares (a vCenter) and names that others use (a bastion) say nothing of this product.
    own = [one for role in roles if not role.role.shared for one in role.found if not one.common]
    named = {(one.kind, one.value) for one in own if one.kind != PORT}
    score = sum(_WEIGHT[kind] for kind, _ in named) + 2 * len({port.service for port in ports})
    return PackEvidence(pack, tuple(roles), ports, score)


def _wanted(role: Role) -> list[tuple[str, IntervalSet]]:
    return [(text, parse(text)) for listed in role.hint_services for text in single_services(listed)]


def _by_ports(wanted: list[tuple[str, IntervalSet]], endpoint: Endpoint, rules: list[_Opened]) -> Evidence | None:
    if not all(any(service <= services for services, _ in rules) for _, service in wanted):
        return None
    place = next(origin for services, origin in rules if wanted[0][1] <= services)
    texts = ", ".join(text for text, _ in wanted)
    verb = "is" if len(wanted) == 1 else "are"
    return Evidence(endpoint, PORT, _own_name(endpoint), f"{texts} {verb} open ({place.where()})")


def _by_tag(role: Role, endpoint: Endpoint) -> Evidence | None:
    tags = dict(endpoint.tags)
    for name, value in role.hint_tags:
        if name in tags and glob(value.casefold(), tags[name].casefold()):
            return Evidence(endpoint, TAG, (name, tags[name]), f"tag {name} = {tags[name]}")
    return None


def _by_name(graph: RuleGraph, role: Role, endpoint: Endpoint) -> Evidence | None:
    """By its own name, by that of a group it carries, or by its Terraform address; the most telling first."""
    groups = [graph.groups[id_].name for id_ in endpoint.groups if id_ in graph.groups]
    address = endpoint.origin.address or ""
    for patterns, common in ((role.hint_names, False), (role.hint_common, True)):
        if endpoint.hypothetical and _fits(patterns, endpoint.name):
            why = f"group {endpoint.name}, which no machine carries yet"
            return Evidence(endpoint, GROUP, (endpoint.name,), why, common)
        if _fits(patterns, endpoint.name):
            return Evidence(endpoint, NAME, (endpoint.name,), f"name {endpoint.name}", common)
        for name in groups:
            if _fits(patterns, name):
                return Evidence(endpoint, GROUP, (name,), f"carries group {name}", common)
        if _fits(patterns, address):
            return Evidence(endpoint, ADDRESS, (address,), f"Terraform address {address}", common)
    return None


def _fits(patterns: tuple[str, ...], text: str) -> bool:
    return bool(text) and any(glob(pattern.casefold(), text.casefold()) for pattern in patterns)


def _own_name(endpoint: Endpoint) -> tuple[str, ...]:
    """What takes this endpoint alone."""
    return (endpoint.origin.address or endpoint.id,)


def _filters_of(graph: RuleGraph, endpoint: Endpoint) -> Iterator[str]:
    for layer in endpoint.layers:
        yield from layer.filters
    for address in endpoint.addresses:
        subnet = graph.subnets.get(address.subnet or "")
        for layer in subnet.layers if subnet is not None else ():
            if not layer.crossing:  # a network ACL names ports of the whole subnet
                yield from layer.filters


def _opened(one: Filter) -> Iterator[_Opened]:
    """What a filter's own rules open on purpose: a few ports, not all of them."""
    for rule in one.rules:
        if rule.direction is not Direction.INGRESS or rule.action is Action.DENY or rule.implied:
            continue
        if rule.services and rule.services.size <= _NARROW:
            yield rule.services, rule.origin


def _signature(graph: RuleGraph, pack: Pack, opened: Mapping[str, tuple[_Opened, ...]]) -> Iterator[OpenPort]:
    seen: set[tuple[str, str]] = set()
    for listed in pack.signature_services:
        for text in single_services(listed):
            service = parse(text)
            for name, rules in opened.items():
                for services, origin in rules:
                    if service <= services and (text, name) not in seen:
                        seen.add((text, name))
                        yield OpenPort(text, graph.filters[name].name or name, origin)
