"""One thing that two sources show: what both show is certain, what only one shows may be.

A source that says itself that it may not show all of a filter or table takes nothing from what the other shows. Where
two sources contradict each other in what can't be left open, None is the answer, and the graph is incomplete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.rules import AddressList, Direction, Filter, Group, Rule
from lint.graph.topology import NatGateway, Network, Peering, Route, RouteTable, Subnet
from lint.origin import Origin, Reason
from lint.space.intervals import EMPTY, IntervalSet

Place = Callable[[str], int]  # a symbolic place for a key


def contradiction(what: str, one: Any, other: Any) -> Reason:
    """Why something isn't certain that two sources show differently."""
    places = " and ".join(dict.fromkeys(each.origin.where() for each in (one, other)))
    text = f"two sources don't agree on {what} ({places})"
    return Reason(text, "source.contradiction", one.origin, "give the newer source alone")


def both_endpoints(before: Endpoint, after: Endpoint, place: Place) -> Endpoint | None:
    """What is certain of a machine; None where the two contradict each other.

    One that stands for machines to come gives way to one that exists.
    """
    if before.hypothetical != after.hypothetical:
        return after if before.hypothetical else before
    layers = _layers(before, after)
    if layers is None or len(before.addresses) != len(after.addresses):
        return None
    why = contradiction(f"the groups of {before.name or before.id}", before, after)
    groups = tuple(one for one in before.groups if one in after.groups)
    doubted = set(before.groups) != set(after.groups)
    made = replace(
        before,
        groups=groups,
        groups_open=_once(before.groups_open, after.groups_open, (why,) if doubted else ()),
        layers=layers,
        addresses=tuple(
            _address(before, at, one, other, place)
            for at, (one, other) in enumerate(zip(before.addresses, after.addresses))
        ),
        tags=tuple(one for one in before.tags if one in after.tags),
        tags_open=_once(before.tags_open, after.tags_open, _tagged(before, after)),
        exists=before.exists or after.exists,
        reasons=_once(before.reasons, after.reasons),
    )
    same = ("kind", "network", "initiates", "accepts", "forwards", "client_ports")
    return made if _agree(before, after, same) else None


def _tagged(before: Endpoint, after: Endpoint) -> tuple[Reason, ...]:
    differ = set(before.tags) != set(after.tags)
    return (contradiction(f"the tags of {before.name or before.id}", before, after),) if differ else ()


def _address(owner: Endpoint, at: int, one: Address, other: Address, place: Place) -> Address:
    if replace(one, public_reasons=()) == replace(other, public_reasons=()):
        return one
    name = f"the addresses of {owner.name or owner.id}"
    why = Reason(f"two sources don't agree on {name}", "source.contradiction", owner.origin)
    made = one
    if (one.public, one.public_exists) != (other.public, other.public_exists):
        made = replace(made, public=None, public_exists=None, public_reasons=_once(one.public_reasons, (why,)))
    if one.place != other.place or one.within != other.within:
        made = replace(made, place=place(f"either {owner.id} {at}"), within=one.within | other.within)
    if one.subnet != other.subnet:
        made = replace(made, subnet=None)
    if one.groups != other.groups:
        made = replace(made, groups=tuple(g for g in one.groups or () if g in (other.groups or ())))
    lent = one.lent_egress if one.lent_egress == other.lent_egress else None
    return replace(made, lent_egress=lent, default_egress=one.default_egress and other.default_egress)


def _layers(before: Endpoint | Subnet, after: Endpoint | Subnet) -> tuple[Layer, ...] | None:
    """The layers with the filters that both show; None where they aren't the same layers."""
    if [_kind(one) for one in before.layers] != [_kind(one) for one in after.layers]:
        return None
    found: list[Layer] = []
    for one, other in zip(before.layers, after.layers):
        opened = _once(one.open, other.open)
        if set(one.filters) != set(other.filters):
            opened += (contradiction(f"the {one.kind.replace('_', ' ')} of {before.name}", before, after),)
        found.append(replace(one, filters=tuple(f for f in one.filters if f in other.filters), open=opened))
    return tuple(found)


def _kind(layer: Layer) -> tuple[str, bool, bool]:
    return layer.kind, layer.crossing, layer.closed_if_empty


def both_filters(before: Filter, after: Filter) -> Filter | None:
    """The rules of both: certain those that both show, or that one shows where the other may not show all."""
    if not _agree(before, after, ("kind", "ordered", "stateful", "default")):
        return None
    first, second = _doubted(before, after), _doubted(after, before)
    known = {rule_key(rule) for rule in before.rules}
    ids = {rule.id for rule in before.rules}
    more: list[Rule] = []
    for rule, as_shown in zip(second.rules, after.rules):
        if rule_key(as_shown) in known:
            continue
        more.append(replace(rule, id=f"{rule.id}@{rule.origin.where()}") if rule.id in ids else rule)
    return replace(
        first,
        rules=first.rules + tuple(more),
        open_ingress=_once(before.open_ingress, after.open_ingress),
        open_egress=_once(before.open_egress, after.open_egress),
        notes=tuple(dict.fromkeys(before.notes + after.notes)),
    )


def _doubted(one: Filter, other: Filter) -> Filter:
    """A filter whose rules aren't certain where another source, that shows all of it, shows them not."""
    shown = {rule_key(rule) for rule in other.rules}
    rules: list[Rule] = []
    for rule in one.rules:
        closed = not (other.open_ingress if rule.direction is Direction.INGRESS else other.open_egress)
        if closed and rule_key(rule) not in shown:
            reason = Reason(
                f"the sources don't agree on {one.name}: {other.origin.where()} doesn't show rule "
                f"{rule.name or (rule.id if rule.priority is None else rule.priority)}",
                "source.contradiction",
                rule.origin,
                "give the newer source alone",
            )
            rule = replace(rule, exists=False, reasons=_once(rule.reasons, (reason,)))
        rules.append(rule)
    return replace(one, rules=tuple(rules))


def rule_key(rule: Rule) -> object:
    """What a rule says, whatever it is called and wherever it was read."""
    return replace(rule, id="", origin=Origin(), name="", description="", reasons=())


def both_groups(before: Group, after: Group) -> Group:
    """The one that shows all of its members."""
    return before if not before.open or after.open else after


def both_lists(before: AddressList, after: AddressList) -> AddressList | None:
    """The one that is known; where both are and don't agree, what both hold is certain."""
    if before.complement_of != after.complement_of:
        return None
    known = [one for one in (before, after) if one.must == one.may]
    if len(known) == 1:
        return known[0]
    why = () if (before.must, before.may) == (after.must, after.may) else (contradiction(before.name, before, after),)
    return replace(
        before,
        must=before.must & after.must,
        may=before.may | after.may,
        reasons=_once(before.reasons, after.reasons, why),
    )


def both_networks(before: Network, after: Network) -> Network | None:
    """A network with the prefixes that both show, and at most those that one shows."""
    if before.ipv6_public != after.ipv6_public:
        return None
    gateways = tuple(dict.fromkeys(before.internet_gateways + after.internet_gateways))
    must, may = _prefixes(before, after)
    return replace(before, internet_gateways=gateways, prefixes=must, prefixes_may=may)


def _prefixes(before: Network | Subnet, after: Network | Subnet) -> tuple[IntervalSet, IntervalSet | None]:
    must, may = before.prefixes & after.prefixes, _may(before) | _may(after)
    return must, None if must == may else may


def _may(area: Network | Subnet) -> IntervalSet:
    return area.prefixes if area.prefixes_may is None else area.prefixes_may


def both_subnets(before: Subnet, after: Subnet) -> Subnet | None:
    """A subnet with the border and routes that both show."""
    layers = _layers(before, after)
    if layers is None or not _agree(before, after, ("network", "zone", "egress_gateway")):
        return None
    must, may = _prefixes(before, after)
    made = replace(
        before,
        prefixes=must,
        prefixes_may=may,
        layers=layers,
        route_table_open=_once(before.route_table_open, after.route_table_open),
        internet_block_open=_once(before.internet_block_open, after.internet_block_open),
        default_egress_reasons=_once(before.default_egress_reasons, after.default_egress_reasons),
    )
    if before.route_table != after.route_table:
        why = contradiction(f"the route table of {before.name}", before, after)
        made = replace(made, route_table=None, route_table_open=(*made.route_table_open, why))
    if before.internet_block != after.internet_block:
        why = contradiction(f"what {before.name} blocks of the Internet", before, after)
        made = replace(made, internet_block_open=(*made.internet_block_open, why))
    if before.default_egress != after.default_egress:
        why = contradiction(f"the default egress of {before.name}", before, after)
        made = replace(made, default_egress=None, default_egress_reasons=(*made.default_egress_reasons, why))
    return made


def both_tables(before: RouteTable, after: RouteTable) -> RouteTable:
    """The routes of both: certain those that both show, or that one shows where the other may not show all."""
    opened = _once(before.open, after.open)
    known = {_route_key(one) for one in before.routes}
    routes = [one if after.open else _unsure(one, before, after) for one in before.routes]
    more = [one for one in after.routes if _route_key(one) not in known]
    routes += [one if before.open else _unsure(one, after, before) for one in more]
    return replace(before, routes=tuple(routes), open=opened)


def _unsure(route: Route, own: RouteTable, other: RouteTable) -> Route:
    if any(_route_key(route) == _route_key(one) for one in other.routes):
        return route
    may = route.destinations if route.destinations_may is None else route.destinations_may | route.destinations
    why = contradiction(f"route {route.text} of {own.name}", own, other)
    return replace(route, destinations=EMPTY, destinations_may=may, reasons=_once(route.reasons, (why,)))


def _route_key(route: Route) -> object:
    return replace(route, origin=Origin(), text="", reasons=())


def both_nat_gateways(before: NatGateway, after: NatGateway) -> NatGateway | None:
    """A gateway that may be seen as any of the addresses that either source shows."""
    if not _agree(before, after, ("subnet", "icmp")):
        return None
    return replace(
        before,
        private=before.private | after.private,
        public=before.public | after.public,
        internet=before.internet if before.internet == after.internet else None,
        reasons=_once(before.reasons, after.reasons),
    )


def both_peerings(before: Peering, after: Peering) -> Peering | None:
    """A peering that isn't certain to be active where only one source shows it so."""
    if not _agree(before, after, ("first", "second", "group_references", "first_subnets", "second_subnets")):
        return None
    if before.active == after.active:
        return before
    why = contradiction(f"whether {before.name} is active", before, after)
    return replace(before, active=None, reasons=_once(before.reasons, after.reasons, (why,)))


def _agree(before: object, after: object, names: tuple[str, ...]) -> bool:
    return all(getattr(before, name) == getattr(after, name) for name in names)


def _once(*groups: tuple[Reason, ...]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for group in groups for reason in group))
