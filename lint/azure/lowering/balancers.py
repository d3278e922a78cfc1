"""Balancer frontends as endpoints that let through what their backends' NSGs let through, after translation.

A balancer is no hop of its own: NSGs see the client's address and the backend's port ("Azure network security groups
overview"). So a frontend carries its backends' filters, put in terms of its own ports; the graph's forwardings say
where the traffic goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lint.azure.lowering.filters import Filters
from lint.azure.model import BalancerRule, Frontend, IpConfiguration
from lint.graph.endpoints import Layer
from lint.graph.rules import (
    Action,
    Addresses,
    Direction,
    Filter,
    GroupMembers,
    NamedAddresses,
    Peer,
    Rule,
)
from lint.origin import Origin, Reason
from lint.space.addresses import EVERYWHERE
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import TCP, UDP, protocol

BALANCER = "load_balancer"


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend of a rule: its configuration, where its address lies, the layers before it (nearest first)."""

    configuration: IpConfiguration
    within: IntervalSet
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """A rule of a frontend with its backends; `unseen` where it has more than are shown."""

    rule: BalancerRule
    backends: tuple[Backend, ...]
    unseen: tuple[Reason, ...] = ()


def frontend_layers(
    filters: Filters, front: Frontend, identity: str, served: list[Served], inside: IntervalSet, origin: Origin
) -> tuple[Layer, ...]:
    """The layers of a frontend. `inside`: addresses that reach a public frontend over its public address alone."""
    opened = dict.fromkeys(reason for one in served for reason in (*one.rule.reasons, *one.unseen))
    public = front.subnet.key is None and not front.subnet.open
    layers = [Layer(BALANCER, (_listening(filters, identity, served, inside if public else EMPTY, origin),))]
    depth = max((len(backend.layers) for one in served for backend in one.backends), default=0)
    several: dict[Reason, None] = {}
    for at in range(depth):
        made: list[Rule] = []
        default: Action | None = None
        open_ingress: dict[Reason, None] = {}
        kind, name = BALANCER, identity
        for one in served:
            columns: dict[tuple[Rule, ...], None] = {}
            for backend in one.backends:
                layer = backend.layers[at] if at < len(backend.layers) else None
                held = filters.filters.get(layer.filters[0]) if layer is not None and layer.filters else None
                if layer is not None:
                    open_ingress.update(dict.fromkeys(layer.open))
                if held is None:
                    columns[(_pass(one.rule, identity),)] = None
                    continue
                open_ingress.update(dict.fromkeys(held.open_ingress))
                kind, name = held.kind, held.name
                columns[tuple(_translated(filters, held, one.rule, backend))] = None
            if len(columns) > 1:
                reason = Reason(
                    f"the backends of {one.rule.name} are guarded by different rules",
                    "azure.lb.mixed-backends",
                    one.rule.origin,
                    "judge each backend on its own",
                )
                several[reason] = None
            for column in columns:
                made += column
            default = Action.DENY
        key = f"{identity}#layer-{at}"
        filters.filters[key] = Filter(
            id=key,
            name=name,
            kind=BALANCER,  # a translation of the NSG, which nobody edits
            rules=tuple(_distinct(made)),
            origin=origin,
            ordered=True,
            default=default or Action.DENY,
            open_ingress=tuple(open_ingress),
        )
        layers.append(Layer(kind, (key,)))
    reasons = (*opened, *several)
    if reasons:
        layers = [replace(layer, open=(*layer.open, *reasons)) for layer in layers]
    return tuple(layers)


def _distinct(rules: list[Rule]) -> list[Rule]:
    """Each rule under an id of its own."""
    seen: dict[str, int] = {}
    out: list[Rule] = []
    for rule in rules:
        seen[rule.id] = seen.get(rule.id, 0) + 1
        out.append(rule if seen[rule.id] == 1 else replace(rule, id=f"{rule.id}#{seen[rule.id]}"))
    return out


def _listening(filters: Filters, identity: str, served: list[Served], inside: IntervalSet, origin: Origin) -> str:
    """The frontend itself: it takes what its rules with backends listen to."""
    rules: list[Rule] = []
    if inside:
        rules.append(
            Rule(
                id=f"{identity}#inside",
                direction=Direction.INGRESS,
                action=Action.DENY,
                peers=(Addresses(inside, "private addresses"),),
                services=IntervalSet.span(0, 256 * 65536 - 1),
                origin=origin,
                priority=0,
                name="public frontend",
                description="a public frontend is reached over its public address alone",
                implied=True,
            )
        )
    for number, one in enumerate(served, 1):
        if one.backends or one.unseen:
            rules.append(
                replace(_pass(one.rule, identity), id=one.rule.key, name=one.rule.name, priority=number, implied=False)
            )
    key = f"{identity}#listening"
    filters.filters[key] = Filter(key, identity, BALANCER, tuple(rules), origin, ordered=True)
    return key


def _pass(rule: BalancerRule, identity: str) -> Rule:
    return Rule(
        id=f"{identity}#pass-{rule.key}",
        direction=Direction.INGRESS,
        action=Action.ALLOW,
        peers=(Addresses(EVERYWHERE, "*"),),
        services=rule.listen,
        origin=rule.origin,
        priority=70000,
        name=rule.name,
        implied=True,
    )


def _translated(filters: Filters, held: Filter, rule: BalancerRule, backend: Backend) -> Iterable[Rule]:
    """The inbound rules of a backend's filter in terms of what the frontend listens to."""
    for one in held.rules:
        if one.direction is not Direction.INGRESS:
            continue
        must, may = (True, True) if one.local is None else _local(filters, one.local, backend)
        if not may:
            continue
        certain = _listened(rule, one.services, whole=True)
        possible = _listened(rule, one.services if one.services_may is None else one.services_may, whole=False)
        if not possible:
            continue
        yield replace(
            one,
            services=certain,
            services_may=None if certain == possible else possible,
            local=None,
            exists=one.exists and must,
        )
    if held.default is not Action.DENY:
        yield _pass(rule, held.id)


def _listened(rule: BalancerRule, services: IntervalSet, *, whole: bool) -> IntervalSet:
    """What arrives at the frontend as one of these services at the backend."""
    if rule.services is None:
        return rule.listen & services
    found = EMPTY
    for number in (TCP, UDP):
        there = rule.services & protocol(number)
        if not there:
            continue
        if there <= services if whole else not there.isdisjoint(services):
            found = found | (rule.listen & protocol(number))
    return found


def _local(filters: Filters, local: tuple[Peer, ...], backend: Backend) -> tuple[bool, bool]:
    """Whether the backend certainly, or possibly, is the destination that a rule names."""
    must = may = False
    for peer in local:
        if isinstance(peer, Addresses):
            certain, possible = peer.addresses, peer.addresses
        elif isinstance(peer, GroupMembers):
            inside = peer.group in backend.configuration.groups
            must, may = must or inside, may or inside or bool(backend.configuration.groups_open)
            continue
        elif isinstance(peer, NamedAddresses) and peer.list in filters.tags.lists:
            found = filters.tags.lists[peer.list]
            certain, possible = found.must, found.may
        else:
            may = True
            continue
        must = must or backend.within <= certain
        may = may or not backend.within.isdisjoint(possible)
    return must, may
