"""Compares what Azure says is in force at interfaces with what was computed, and opens what disagrees.

Neither side is preferred: where they differ, both count as possible, with a reason that names interface and
difference. What was undetermined anyway, what is in force decides: bounds of service tags, routes learned from
gateways. Only IPv4 is compared; the answers' IPv6 is not documented well enough to be evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from lint.azure.lowering.filters import default_rules
from lint.azure.lowering.routes import LEARNED, Routes
from lint.azure.lowering.tags import METADATA, PLATFORM, Tags, Viewpoint, is_computed
from lint.azure.model import (
    AddressSpace,
    AnyAddress,
    Attachment,
    GroupInForce,
    InForce,
    Interface,
    Members,
    Model,
    Operand,
    Prefix,
    RouteInForce,
    RuleInForce,
    SecurityGroup,
    SecurityRule,
    Side,
    Subnet,
    Tag,
    Verified,
)
from lint.graph.topology import Route, Via
from lint.origin import Reason
from lint.space.addresses import EVERYWHERE, IPV4, IPV6, cidrs, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet

DISAGREES = "azure.in-force"
# Traffic of the platform itself is listed by no answer.
_COMPARED = IPV4 - PLATFORM - METADATA - parse_cidr("224.0.0.0/3") - parse_cidr("0.0.0.0/8") - parse_cidr("127.0.0.0/8")
_KINDS = {
    "vnetlocal": {Via.LOCAL},
    "vnetpeering": {Via.PEERING},
    "vnetglobalpeering": {Via.PEERING},
    "internet": {Via.INTERNET},
    "none": {Via.DROP},
    "virtualappliance": {Via.APPLIANCE},
    "virtualapplianceecmp": {Via.APPLIANCE},
    "virtualnetworkgateway": {Via.EXTERNAL},
    "virtualnetworkserviceendpoint": {Via.SERVICE, Via.INTERNET},
    "interfaceendpoint": {Via.LOCAL, Via.PEERING},
}


@dataclass(slots=True)
class _Found:
    """What the comparison finds, while it is under way."""

    interfaces: dict[str, dict[Reason, None]] = field(default_factory=dict)
    subnets: dict[str, dict[Reason, None]] = field(default_factory=dict)
    expanded: dict[tuple[str, str], list[IntervalSet]] = field(default_factory=dict)
    learned: dict[str, list[tuple[IntervalSet, ...]]] = field(default_factory=dict)
    doubts: dict[str, dict[tuple[IntervalSet, Reason], None]] = field(default_factory=dict)
    unread: dict[str, None] = field(default_factory=dict)


def verified(model: Model) -> Model:
    """The model with everything open that what is in force contradicts. The same one where nothing was told."""
    if not model.in_force:
        return model
    found = _Found()
    tags = Tags(model)
    routes = Routes(model, tags, ())
    compared = 0
    for one in model.in_force:
        interface = model.interfaces.get(one.interface)
        subnet = _subnet(model, interface)
        if interface is None or subnet is None:
            continue
        compared += 1
        if one.groups is not None:
            _groups(model, tags, interface, subnet, one, found)
        if one.routes is not None:
            _routes(model, routes, interface, subnet, one.routes, found)
    bounds = {key: _bounds(model, tags, key, seen, found) for key, seen in found.expanded.items()}
    for where, name in list(bounds):
        if name == "internet" and not _doubted(bounds[where, name]) and (where, "virtualnetwork") in bounds:
            del bounds[where, name]  # it is what VirtualNetwork leaves
    learned = {key: seen[0] for key, seen in found.learned.items() if all(one == seen[0] for one in seen)}
    opened = len(found.interfaces) + len(found.subnets) + len(found.doubts)
    note = f"what is in force at {compared} interfaces was compared with what was computed"
    note += f"; {opened} places disagree" if opened else "; nothing disagrees"
    return replace(
        model,
        interfaces={
            key: replace(one, group=_opened(one.group, found.interfaces.get(key)))
            for key, one in model.interfaces.items()
        },
        subnets={
            key: replace(one, group=_opened(one.group, found.subnets.get(key))) for key, one in model.subnets.items()
        },
        verified=Verified(bounds, learned, {key: tuple(held) for key, held in found.doubts.items()}),
        notes=(*model.notes, note, *found.unread),
    )


def _opened(attached: Attachment, reasons: dict[Reason, None] | None) -> Attachment:
    return attached if not reasons else replace(attached, open=(*attached.open, *reasons))


def _subnet(model: Model, interface: Interface | None) -> Subnet | None:
    for one in interface.configurations if interface is not None else ():
        held = model.subnets.get(one.subnet.key or "")
        if held is not None:
            return held
    return None


# Network security groups


def _groups(model: Model, tags: Tags, interface: Interface, subnet: Subnet, told: InForce, found: _Found) -> None:
    places: list[tuple[Attachment, dict[Reason, None], str]] = [
        (interface.group, found.interfaces.setdefault(interface.key, {}), f"interface {interface.name}"),
        (subnet.group, found.subnets.setdefault(subnet.key, {}), f"subnet {subnet.name}"),
    ]
    groups = told.groups or ()
    for attached, opened, where in places:
        group = model.groups.get(attached.key or "")
        if group is None or attached.open:
            continue
        held = next((one for one in groups if one.group == group.key), None)
        if held is None:
            text = f"{group.name}, attached to {where}, isn't in force"
            opened[_disagreement(interface, text, told)] = None
            continue
        for text in _rules(model, tags, subnet, group, held, interface, found):
            opened[_disagreement(interface, f"{group.name}: {text}", told)] = None
    known = {attached.key for attached, _, _ in places if attached.key is not None}
    for one in groups:
        if not one.group or one.group in known or _unsettled(one, interface, subnet):
            continue
        opened = places[0][1] if one.interface is not None else places[1][1]
        where = places[0][2] if one.interface is not None else places[1][2]
        text = f"{one.group.rpartition('/')[2]} is in force at {where}, and isn't attached there"
        opened[_disagreement(interface, text, told)] = None
    for opened_of, key in ((found.interfaces, interface.key), (found.subnets, subnet.key)):
        if not opened_of[key]:
            del opened_of[key]


def _unsettled(one: GroupInForce, interface: Interface, subnet: Subnet) -> bool:
    """Whether it isn't known what is attached where this group is in force: that is said already."""
    attached = interface.group if one.interface is not None else subnet.group
    return bool(attached.open)


def _disagreement(interface: Interface, text: str, told: InForce) -> Reason:
    return Reason(
        f"at {interface.name}, Azure has another thing in force than its lists say: {text}",
        f"{DISAGREES}:{interface.name}",
        told.origin,
        "collect again; if it stays, ask what changes these rules",
    )


def _rules(
    model: Model,
    tags: Tags,
    subnet: Subnet,
    group: SecurityGroup,
    held: GroupInForce,
    interface: Interface,
    found: _Found,
) -> Iterator[str]:
    """How the rules in force differ from the group's own, in words."""
    view = tags.of_subnet(subnet)
    own = {(one.direction, one.priority): one for one in (*group.rules, *default_rules(group))}
    theirs = {(one.direction, one.priority): one for one in held.rules}
    open_ = {one for one in own if own[one].direction.value == "ingress"} if group.open_inbound else set()
    open_ |= {one for one in own if own[one].direction.value == "egress"} if group.open_outbound else set()
    for key in sorted(own.keys() | theirs.keys(), key=lambda one: (one[0].value, one[1])):
        rule, other = own.get(key), theirs.get(key)
        if key in open_ or (rule is None and (group.open_inbound or group.open_outbound)):
            continue
        if other is None:
            assert rule is not None
            if rule.exists and not any(isinstance(one, Members) for one in (*rule.sources, *rule.destinations)):
                yield f"its rule {rule.name} isn't in force"
        elif rule is None:
            where = f"{other.direction.value}, priority {other.priority}"
            yield f"rule {other.name} ({where}) is in force, and isn't its own"
        else:
            yield from _rule(model, tags, view, subnet, rule, other, interface, found)


def _rule(
    model: Model,
    tags: Tags,
    view: Viewpoint,
    subnet: Subnet,
    rule: SecurityRule,
    other: RuleInForce,
    interface: Interface,
    found: _Found,
) -> Iterator[str]:
    if rule.action is not other.action:
        yield f"rule {rule.name} is in force to {other.action.value}"
        return
    if other.services is None or other.source_ports is None:
        found.unread[f"rule {other.name} in force at {interface.name} could not be compared"] = None
    elif not (rule.services <= other.services <= rule.services_may):
        yield f"rule {rule.name} is in force for other services"
    elif not (rule.source_ports <= other.source_ports <= rule.source_ports_may):
        yield f"rule {rule.name} is in force for other source ports"
    for operands, side, name in (
        (rule.sources, other.source, "source"),
        (rule.destinations, other.destination, "destination"),
    ):
        if side.addresses is None:
            if side.tags and not all(isinstance(one, Tag) for one in operands):
                found.unread[f"rule {other.name} in force at {interface.name} could not be compared"] = None
            continue
        tag = operands[0] if len(operands) == 1 and isinstance(operands[0], Tag) else None
        if tag is not None:
            if _is_same_tag(tag, side):
                lowered = tag.name.strip().lower()
                where = subnet.key if is_computed(lowered) else ""
                if lowered != "azureloadbalancer":  # of which only platform addresses are told
                    found.expanded.setdefault((where, lowered), []).append(side.addresses)
            else:
                yield f"rule {rule.name} is in force with another {name}"
            continue
        certain, possible = _operands(model, tags, view, operands, rule)
        extra = (side.addresses - possible) & _COMPARED
        missing = (certain - side.addresses) & _COMPARED
        if extra or missing:
            word = "also" if extra else "not"
            yield f"rule {rule.name} is {word} in force for {name} {_few(extra or missing)}"


def _is_same_tag(tag: Tag, side: Side) -> bool:
    return not side.tags or any(one.lower() == tag.name.strip().lower() for one in side.tags)


def _operands(
    model: Model, tags: Tags, view: Viewpoint, operands: Iterable[Operand], rule: SecurityRule
) -> tuple[IntervalSet, IntervalSet]:
    """The addresses that operands certainly, and possibly, stand for."""
    must, may = EMPTY, EMPTY
    for one in operands:
        if isinstance(one, AnyAddress):
            return EVERYWHERE, EVERYWHERE
        if isinstance(one, Prefix):
            must, may = must | one.addresses, may | one.addresses
        elif isinstance(one, Tag):
            name, _ = tags.named(one.name, view, rule.origin)
            must, may = must | tags.lists[name].must, may | tags.lists[name].may
        elif isinstance(one, Members):
            known, rest = _members(model, one.group)
            must, may = must | known, may | known | rest
        else:
            may = may | EVERYWHERE
    return must, may


def _members(model: Model, group: str) -> tuple[IntervalSet, IntervalSet]:
    """The known addresses of an application security group, and what it may hold beside them."""
    held = model.application_groups.get(group)
    rest = EVERYWHERE if held is None or held.open else held.prefix_sets
    places: list[int] = []
    for interface in model.interfaces.values():
        for one in interface.configurations:
            if group in one.groups and one.address is not None:
                places.append(one.address)
            elif group in one.groups or one.groups_open:
                rest = EVERYWHERE
    return IntervalSet.of(*places), rest


def _bounds(model: Model, tags: Tags, key: tuple[str, str], seen: list[IntervalSet], found: _Found) -> AddressSpace:
    """A tag's bounds: as in force where that lies within what was computed, else what either says."""
    where, name = key
    certain, possible = seen[0], IntervalSet.union_of(seen)
    for one in seen[1:]:
        certain = certain & one
    data = model.service_tags.prefixes.get(name)
    reasons: tuple[Reason, ...] = ()
    if where:
        view = tags.of_subnet(model.subnets[where])
        listed, reasons = tags.named(name, view, model.subnets[where].origin)
        must, may = tags.lists[listed].must, tags.lists[listed].may
    elif data is not None:
        must, may = data, data
    else:
        why = Reason(f"the IPv6 addresses of service tag {name} aren't known", f"azure.tag.no-data:{name}")
        return AddressSpace(certain, possible | IPV6, (why,))
    extra, missing = (possible - may) & _COMPARED, (must - certain) & _COMPARED
    rest_must, rest_may = must - _COMPARED, may - _COMPARED
    if not extra and not missing:
        return AddressSpace(rest_must | (certain & _COMPARED), rest_may | (possible & _COMPARED), reasons)
    place = f" in subnet {model.subnets[where].name}" if where else ""
    text = f"service tag {name}{place} holds {'also' if extra else 'no'} {_few(extra or missing)}"
    why = Reason(f"by what is in force at its interfaces, {text}", f"{DISAGREES}:{name}")
    found.unread[why.text] = None
    return AddressSpace(must - missing, may | extra, (*reasons, why))


def _doubted(space: AddressSpace) -> bool:
    return any((one.code or "").startswith(DISAGREES) for one in space.reasons)


def _few(addresses: IntervalSet) -> str:
    texts = cidrs(addresses)
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


# Routes


def _routes(
    model: Model, routes: Routes, interface: Interface, subnet: Subnet, told: tuple[RouteInForce, ...], found: _Found
) -> None:
    identity, opened = routes.table(subnet, subnet.key)
    table = routes.tables[identity]
    learned = tuple(p for one in told if one.kind == "virtualnetworkgateway" for p in one.prefixes if p <= IPV4)
    if opened or table.open:
        return
    user = [route for route in table.routes if route.via is Via.EXTERNAL and route.precedence < LEARNED]
    own = tuple(p for p in learned if not any(p == route.destinations for route in user))
    found.learned.setdefault(subnet.key, []).append(tuple(sorted(own, key=lambda one: one.pairs)))
    fixed = [route for route in table.routes if route.precedence != LEARNED]
    unsure = IntervalSet.union_of(
        [EMPTY, *(route.destinations_may for route in fixed if route.destinations_may is not None)]
    )
    computed = list(_computed(fixed, _COMPARED - unsure))
    doubts = found.doubts.setdefault(subnet.key, {})
    left = _COMPARED
    for one, places in _by_length(told):
        here = places & left
        left = left - places
        if one.kind == "virtualnetworkgateway" and len(fixed) < len(table.routes):
            continue  # what a gateway brings wasn't computed, and is taken from here
        for route, mine in computed:
            both = here & mine
            if both and not _same_hop(model, route, one):
                hop = f"{one.kind or 'an unknown hop'}{' ' + one.hops[0] if one.hops else ''}"
                text = f"{_few(both)} goes to {hop}, and by the route tables to {_target(route)}"
                doubts[both, _disagreement_of_routes(interface, text)] = None
    for route, mine in computed:
        if left & mine and route is not None and route.via is not Via.DROP:
            text = f"{_few(left & mine)} has no route in force, and by the route tables goes to {_target(route)}"
            doubts[left & mine, _disagreement_of_routes(interface, text)] = None
    if not doubts:
        del found.doubts[subnet.key]


def _disagreement_of_routes(interface: Interface, text: str) -> Reason:
    return Reason(
        f"at {interface.name}, Azure has other routes in force than were computed: {text}",
        f"{DISAGREES}:{interface.name}",
        interface.origin,
    )


def _target(route: Route | None) -> str:
    return "nowhere" if route is None else f"{route.via.value}{' ' + route.target if route.target else ''}"


def _same_hop(model: Model, route: Route | None, one: RouteInForce) -> bool:
    if route is None:
        return one.kind == "none"
    if route.via not in _KINDS.get(one.kind, ()):
        return False
    if route.via is not Via.APPLIANCE or not one.hops or route.target is None:
        return True
    known = {route.target}
    for firewall in model.firewalls.values():
        if route.target in (firewall.name, firewall.key):
            known = {text.partition("/")[0] for text in cidrs(IntervalSet.of(*firewall.addresses))} or set(one.hops)
    return bool(known & set(one.hops))


def _by_length(told: Iterable[RouteInForce]) -> Iterator[tuple[RouteInForce, IntervalSet]]:
    rows = [(one, prefix) for one in told for prefix in one.prefixes if prefix <= IPV4]
    yield from sorted(rows, key=lambda row: (row[1].size, row[1].pairs))


def _computed(routes: Iterable[Route], places: IntervalSet) -> Iterator[tuple[Route | None, IntervalSet]]:
    """The computed route of each destination: the longest prefix, then precedence."""
    rows = [
        (parse_cidr(text), route)
        for route in routes
        if route.destinations_may is None or route.destinations
        for text in cidrs(route.destinations & IPV4)
    ]
    rows.sort(key=lambda row: (row[0].size, row[1].precedence))
    left = places
    for prefix, route in rows:
        mine = prefix & left
        if mine:
            left = left - mine
            yield route, mine
    if left:
        yield None, left
