"""Binds the roles of a deployment to endpoints and addresses. Judges nothing.

A selector with keys about machines takes endpoints that all its keys take. A selector of addresses alone takes these
addresses, and the
endpoint behind an address that it names singly (`10.0.2.9/32`), so that a machine named by its address is judged with
its filters.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import AddressList
from lint.origin import Origin, Reason
from lint.packs.model import Pack, Role
from lint.project.model import Condition, Deployment, Project, Selector
from lint.space.addresses import REAL, SYMBOLIC, parse_cidrs
from lint.space.intervals import EMPTY, IntervalSet

ADDRESS_KINDS = ("addresses", "prefix_list", "service_tag")
_SINGLE = 256  # a CIDR of one address names a machine; so many in one selector are looked up one by one


AddressPart = tuple[IntervalSet, IntervalSet, str]


@dataclass(frozen=True, slots=True)
class Bound:
    """What one role of a deployment is bound to.

    `endpoints` certainly, `maybe` perhaps (unknown tags, unknown groups; `reasons` says why). `must` and `may` bound
    the plain addresses. `stated`: the
    deployment speaks of the role. `empty` lists the selectors that took nothing. `parts` are the plain addresses as
    they were written: (must, may, text).
    """

    role: Role
    endpoints: tuple[Endpoint, ...] = ()
    maybe: tuple[Endpoint, ...] = ()
    must: IntervalSet = EMPTY
    may: IntervalSet = EMPTY
    text: str = ""
    reasons: tuple[Reason, ...] = ()
    stated: bool = False
    empty: tuple[Selector, ...] = ()
    parts: tuple[AddressPart, ...] = ()

    @property
    def bound(self) -> bool:
        """Whether anything stands for the role."""
        return bool(self.endpoints or self.maybe or self.may)

    @property
    def everybody(self) -> tuple[Endpoint, ...]:
        """All endpoints, those that are bound for certain first."""
        return self.endpoints + self.maybe


def bind(graph: RuleGraph, project: Project, pack: Pack, deployment: Deployment) -> dict[str, Bound]:
    """Every role of the pack with what the deployment binds to it; the document's own addresses where it says
    nothing."""
    look = _Look(graph, project)
    found: dict[str, Bound] = {}
    for role in pack.roles:
        binding = deployment.binding(role.name)
        if binding is None:
            own = parse_cidrs(*role.default_addresses)
            parts = _parts(role.default_addresses, own)
            found[role.name] = Bound(role, must=own, may=own, text=", ".join(role.default_addresses), parts=parts)
            continue
        found[role.name] = _bind_role(look, role, binding.selectors)
    ports = deployment.client_ports
    return {
        name: replace(
            bound,
            endpoints=tuple(replace(e, client_ports=ports[name]) for e in bound.endpoints),
            maybe=tuple(replace(e, client_ports=ports[name]) for e in bound.maybe),
        )
        if name in ports
        else bound
        for name, bound in found.items()
    }


def _bind_role(look: _Look, role: Role, selectors: Iterable[Selector]) -> Bound:
    sure: dict[str, Endpoint] = {}
    perhaps: dict[str, Endpoint] = {}
    must = may = EMPTY
    texts: list[str] = []
    reasons: list[Reason] = []
    empty: list[Selector] = []
    parts: list[AddressPart] = []
    for selector in selectors:
        taken = look.take(selector)
        sure |= {e.id: e for e in taken.endpoints}
        perhaps |= {e.id: e for e in taken.maybe}
        must, may = must | taken.must, may | taken.may
        texts += [taken.text] if taken.may else []
        parts += taken.parts
        reasons += taken.reasons
        if not taken.endpoints and not taken.maybe and not taken.may:
            empty.append(selector)
    return Bound(
        role,
        _by_address(sure.values()),
        _by_address(e for e in perhaps.values() if e.id not in sure),
        must,
        may,
        ", ".join(texts),
        tuple(dict.fromkeys(reasons)),
        True,
        tuple(empty),
        tuple(parts),
    )


def _by_address(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """In the order of their addresses, which every source of one network tells alike; then those that have none yet."""
    return tuple(sorted(endpoints, key=lambda e: min((a.place for a in e.addresses if a.place in REAL), default=inf)))


def _parts(written: Iterable[str], left: IntervalSet) -> tuple[AddressPart, ...]:
    """Each CIDR by itself, as far as it isn't a machine's."""
    found = [(parse_cidrs(cidr) & left, cidr) for cidr in written]
    return tuple((held, held, cidr) for held, cidr in found if held)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What one selector takes."""

    endpoints: tuple[Endpoint, ...] = ()
    maybe: tuple[Endpoint, ...] = ()
    must: IntervalSet = EMPTY
    may: IntervalSet = EMPTY
    text: str = ""
    reasons: tuple[Reason, ...] = ()
    parts: tuple[AddressPart, ...] = ()


class _Look:
    """Answers selectors from one graph."""

    def __init__(self, graph: RuleGraph, project: Project) -> None:
        self._graph = graph
        self._project = project
        self._by_address: dict[int, list[Endpoint]] = {}
        for endpoint in graph.endpoints.values():
            for address in endpoint.addresses:
                for place in (address.place, address.public):
                    if place is not None and place < SYMBOLIC:
                        self._by_address.setdefault(place, []).append(endpoint)

    def take(self, selector: Selector) -> _Taken:
        """What the selector takes; endpoints that it perhaps takes with the reasons."""
        plain = [c for c in selector.conditions if c.kind in ADDRESS_KINDS]
        if len(plain) == len(selector.conditions):
            return self._addresses(plain, selector)
        sure: list[Endpoint] = []
        maybe: list[Endpoint] = []
        reasons: list[Reason] = []
        inside = [self._set_of(c, selector.origin) for c in plain]
        for endpoint in self._graph.endpoints.values():
            open_: list[Reason] = []
            answer: bool | None = True
            for condition in selector.conditions:
                if condition.kind not in ADDRESS_KINDS:
                    answer = _and(answer, _MATCH[condition.kind](self._graph, endpoint, condition, open_))
            for must, may, why in inside:
                answer = _and(answer, _stands_in(endpoint, must, may, open_, why))
            if answer:
                sure.append(endpoint)
            elif answer is None:
                maybe.append(endpoint)
                reasons += open_
        return _Taken(tuple(sure), tuple(maybe), text=selector.text, reasons=tuple(dict.fromkeys(reasons)))

    def _addresses(self, conditions: list[Condition], selector: Selector) -> _Taken:
        must = may = REAL | IntervalSet.span(SYMBOLIC, SYMBOLIC + 2**32)
        reasons: list[Reason] = []
        for condition in conditions:
            low, high, why = self._set_of(condition, selector.origin)
            must, may = must & low, may & high
            reasons += why
        machines: dict[str, Endpoint] = {}
        if len(conditions) == 1 and conditions[0].kind == "addresses" and must.size <= _SINGLE:
            for cidr in conditions[0].patterns:
                one = parse_cidrs(cidr)
                for endpoint in self._by_address.get(one.first, ()) if one.size == 1 else ():
                    machines[endpoint.id] = endpoint
                    must, may = must - one, may - one
        text = ", ".join(p for c in conditions for p in c.patterns)
        parts: tuple[AddressPart, ...] = ((must, may, text),) if may else ()
        if len(conditions) == 1 and conditions[0].kind == "addresses":
            parts = _parts(conditions[0].patterns, may)
        return _Taken(tuple(machines.values()), (), must, may, text, tuple(reasons), parts)

    def _set_of(self, condition: Condition, origin: Origin) -> tuple[IntervalSet, IntervalSet, list[Reason]]:
        """What addresses the condition names: certainly, at most, and why these differ."""
        if condition.addresses is not None:
            return condition.addresses, condition.addresses, []
        must = may = EMPTY
        reasons: list[Reason] = []
        for name in condition.patterns:
            given = self._project.prefix_lists.get(name)
            if given is not None:
                own = parse_cidrs(*given)
                must, may = must | own, may | own
                continue
            lists = [
                one for one in self._graph.address_lists.values() if name in (one.id, one.name, one.origin.address)
            ]
            for one in lists:
                must, may = must | one.must, may | one.may
                if one.must != one.may:
                    reasons += one.reasons or (_unknown_list(name, one, origin),)
            if not lists and (condition.kind == "service_tag" or name.startswith("com.amazonaws.")):
                may = REAL
                reasons.append(_unknown_list(name, None, origin))
        return must, may, reasons


def _unknown_list(name: str, _: AddressList | None, origin: Origin) -> Reason:
    return Reason(
        f"the addresses of {name} aren't in the source",
        f"list.no-data:{name}",
        origin,
        "list them under `prefix_lists` in the project file",
    )


def _and(first: bool | None, second: bool | None) -> bool | None:
    """Three-valued: False wins, then None."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _stands_in(
    endpoint: Endpoint, must: IntervalSet, may: IntervalSet, open_: list[Reason], why: list[Reason]
) -> bool | None:
    """Whether an address of the endpoint is inside the set."""
    answer: bool | None = False
    for address in endpoint.addresses:
        known = [address.public] if address.public is not None else []
        if address.place < SYMBOLIC or address.place in must:
            known.append(address.place)
        elif address.within and address.within <= must:
            return True
        elif not address.within.isdisjoint(may):
            open_.append(Reason("its address isn't known", origin=endpoint.origin))
            answer = None
        if any(place in must for place in known):
            return True
        if any(place in may for place in known):
            open_ += why
            answer = None
    return answer


Matcher = Callable[[RuleGraph, Endpoint, Condition, list[Reason]], "bool | None"]


def _any(values: Iterable[str | None], patterns: Iterable[str]) -> bool:
    found = [value for value in values if value]
    return any(glob(pattern, value) for pattern in patterns for value in found)


def glob(pattern: str, text: str) -> bool:
    """Whether the glob takes the text: `*`, `?` and `[seq]`; upper and lower case differ."""
    return pattern == text or _glob(pattern).match(text) is not None


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


def _by_tags(_: RuleGraph, endpoint: Endpoint, condition: Condition, open_: list[Reason]) -> bool | None:
    tags = dict(endpoint.tags)
    answer: bool | None = True
    for name, patterns in condition.tags:
        if name in tags:
            answer = _and(answer, any(glob(pattern, tags[name]) for pattern in patterns))
        elif endpoint.tags_open:
            open_ += endpoint.tags_open
            answer = _and(answer, None)
        else:
            return False
    return answer


def _by_groups(graph: RuleGraph, endpoint: Endpoint, condition: Condition, open_: list[Reason]) -> bool | None:
    carried = dict.fromkeys(endpoint.groups)
    carried |= dict.fromkeys(g for a in endpoint.addresses for g in a.groups or ())
    for layer in endpoint.layers:
        carried |= dict.fromkeys(layer.filters)
    for id_ in carried:
        group = graph.groups.get(id_)
        filter_ = graph.filters.get(id_)
        known = [id_]
        for held in (group, filter_):
            if held is not None:
                known += [held.name, held.origin.address or "", held.origin.resource_id or ""]
        if group is not None:
            known += [value for name, value in group.tags if name == "Name"]
        if _any(known, condition.patterns):
            return True
        if any(
            terraform_glob(p, held.origin.address)
            for p in condition.patterns
            for held in (group, filter_)
            if held and held.origin.address
        ):
            return True
    if endpoint.groups_open or any(layer.open for layer in endpoint.layers):
        open_ += endpoint.groups_open
        for layer in endpoint.layers:
            open_ += layer.open
        return None
    return False


def _by_names(_: RuleGraph, endpoint: Endpoint, condition: Condition, open_: list[Reason]) -> bool | None:
    tagged = dict(endpoint.tags).get("Name")
    if _any((endpoint.name, tagged), condition.patterns):
        return True
    if endpoint.tags_open and tagged is None:
        open_ += endpoint.tags_open
        return None
    return False


def _by_ids(_: RuleGraph, endpoint: Endpoint, condition: Condition, __: list[Reason]) -> bool | None:
    return _any((endpoint.id, endpoint.origin.resource_id, *endpoint.aliases), condition.patterns)


def _by_terraform(_: RuleGraph, endpoint: Endpoint, condition: Condition, __: list[Reason]) -> bool | None:
    known = [endpoint.origin.address, endpoint.id, *endpoint.aliases]
    return any(terraform_glob(p, one) for p in condition.patterns for one in known if one)


def _by_subnets(graph: RuleGraph, endpoint: Endpoint, condition: Condition, _: list[Reason]) -> bool | None:
    for id_ in {a.subnet for a in endpoint.addresses if a.subnet}:
        subnet = graph.subnets.get(id_)
        known = [id_] + ([subnet.name, subnet.origin.address or ""] if subnet else [])
        if _any(known, condition.patterns):
            return True
    return False


def _by_networks(graph: RuleGraph, endpoint: Endpoint, condition: Condition, _: list[Reason]) -> bool | None:
    if endpoint.network is None:
        return False
    network = graph.networks.get(endpoint.network)
    return _any((endpoint.network, *((network.name, network.origin.address) if network else ())), condition.patterns)


def _by_accounts(_: RuleGraph, endpoint: Endpoint, condition: Condition, __: list[Reason]) -> bool | None:
    return _any((endpoint.account,), condition.patterns)


def _by_regions(_: RuleGraph, endpoint: Endpoint, condition: Condition, __: list[Reason]) -> bool | None:
    return _any((endpoint.region,), condition.patterns)


_MATCH: dict[str, Matcher] = {
    "tags": _by_tags,
    "security_groups": _by_groups,
    "names": _by_names,
    "ids": _by_ids,
    "terraform": _by_terraform,
    "subnets": _by_subnets,
    "vpcs": _by_networks,
    "networks": _by_networks,
    "accounts": _by_accounts,
    "regions": _by_regions,
}
SELECTOR_KINDS = (*_MATCH, *ADDRESS_KINDS)


def terraform_glob(pattern: str, address: str) -> bool:
    """Whether a glob of Terraform addresses takes an address.

    `*` as a whole step takes one step or more, inside a step any characters of it. A step without an index takes every
    instance, as
    Terraform's own targets do; `[*]` says so; `[0]` and `["blue"]` take that instance alone.
    """
    wanted, steps = _steps(pattern), _steps(address)
    at = step = 0
    star: int | None = None
    resume = 0
    while step < len(steps):
        if at < len(wanted) and wanted[at] == ("*", None):
            star, at = at, at + 1
            step += 1
            resume = step
        elif at < len(wanted) and _step_matches(wanted[at], steps[step]):
            at, step = at + 1, step + 1
        elif star is not None:
            at = star + 1
            resume += 1
            step = resume
        else:
            return False
    return at == len(wanted)


def _step_matches(wanted: tuple[str, str | None], step: tuple[str, str | None]) -> bool:
    if not glob(wanted[0], step[0]):
        return False
    if wanted[1] is None or wanted[1] == "*":
        return True
    return step[1] is not None and glob(wanted[1].strip("\"'"), step[1].strip("\"'"))


@lru_cache(maxsize=16384)
def _steps(text: str) -> tuple[tuple[str, str | None], ...]:
    """`module.app["a.b"].x.y[0]` as (module,), (app, "a.b"), (x,), (y, 0)."""
    found: list[tuple[str, str | None]] = []
    name: list[str] = []
    index: list[str] | None = None
    depth, quoted, skip = 0, False, False
    last: str | None = None
    for char in text:
        if depth:
            if skip:
                skip = False
            elif char == "\\" and quoted:
                skip = True
            elif char == '"':
                quoted = not quoted
            elif char == "[" and not quoted:
                depth += 1
            elif char == "]" and not quoted:
                depth -= 1
                if depth == 0:
                    last, index = "".join(index or ()), None
                    continue
            (index if index is not None else name).append(char)
        elif char == "[":
            depth, index = 1, []
        elif char == ".":
            found.append(("".join(name), last))
            name, last = [], None
        else:
            name.append(char)
    found.append(("".join(name), last))
    return tuple(found)
