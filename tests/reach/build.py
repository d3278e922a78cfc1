"""Short ways to write rule graphs for tests of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.graph import RuleGraph
from lint.graph.rules import (
    Action,
    Addresses,
    AddressList,
    Direction,
    Filter,
    Group,
    GroupMembers,
    NamedAddresses,
    Peer,
    Rule,
)
from lint.graph.topology import (
    Network,
    Peering,
    Route,
    RouteTable,
    Subnet,
    Via,
)
from lint.origin import Origin
from lint.space.addresses import IPV4, IPV6, parse_cidr, position
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_PORTS, parse

HERE = Origin(file="main.tf", line=1)
_count = 0


def cidr(text: str) -> Addresses:
    return Addresses(parse_cidr(text), text)


def group(name: str) -> GroupMembers:
    return GroupMembers(name, name)


def listed(name: str) -> NamedAddresses:
    return NamedAddresses(name, name)


def peer_of(text: str) -> Peer:
    if text.startswith("sg-"):
        return group(text)
    if text.startswith("list-"):
        return listed(text)
    return cidr(text)


def rule(
    direction: str,
    service: str,
    peer: str | Peer,
    *,
    action: str = "allow",
    priority: int | None = None,
    exists: bool = True,
    local: str | None = None,
    source_ports: IntervalSet = ALL_PORTS,
) -> Rule:
    global _count
    _count += 1
    return Rule(
        f"r{_count}",
        Direction.INGRESS if direction == "in" else Direction.EGRESS,
        Action(action),
        (peer_of(peer) if isinstance(peer, str) else peer,),
        parse(service),
        Origin(file="main.tf", line=_count),
        priority=priority,
        exists=exists,
        local=None if local is None else (peer_of(local),),
        source_ports=source_ports,
    )


def security_group(name: str, *rules: Rule) -> Filter:
    return Filter(name, name, "security_group", rules, HERE)


def network_acl(name: str, *rules: Rule) -> Filter:
    return Filter(name, name, "network_acl", rules, HERE, ordered=True, stateful=False)


def nsg(name: str, *rules: Rule) -> Filter:
    return Filter(name, name, "nsg", rules, HERE, ordered=True)


OPEN_ACL = ("in", "out")


def open_acl(name: str) -> Filter:
    """Allows everything both ways."""
    return network_acl(
        name,
        *(rule(way, "any", family, priority=100) for way in OPEN_ACL for family in ("0.0.0.0/0", "::/0")),
    )


def machine(
    name: str,
    *addresses: str,
    groups: Iterable[str] = (),
    subnet: Subnet | None = None,
    network: str | None = None,
    public: str | None = None,
    layers: tuple[Layer, ...] | None = None,
) -> Endpoint:
    mine = tuple(groups)
    return Endpoint(
        name,
        name,
        "instance",
        tuple(
            Address(
                position(text),
                parse_cidr(text),
                subnet.id if subnet else None,
                public=position(public) if public and ":" not in text else None,
                public_exists=bool(public) and ":" not in text,
            )
            for text in addresses
        ),
        mine,
        (Layer("security_group", mine, closed_if_empty=True),) if layers is None else layers,
        HERE,
        network=network or (subnet.network if subnet else None),
    )


def unknown_machine(
    name: str, place: int, within: str = "0.0.0.0/0", *, groups: Iterable[str] = (), subnet: Subnet | None = None
) -> Endpoint:
    made = machine(name, "10.9.9.9", groups=groups, subnet=subnet)
    bounds = IPV4 if within == "0.0.0.0/0" else IPV6 if within == "::/0" else parse_cidr(within)
    return replace(made, addresses=(Address(place, bounds, subnet.id if subnet else None),))


def subnet(
    name: str, prefix: str, *, network: str = "vpc-1", acl: str | None = None, table: str | None = None, zone: str = "a"
) -> Subnet:
    return Subnet(
        name,
        name,
        network,
        parse_cidr(prefix) if prefix else EMPTY,
        HERE,
        zone=zone,
        layers=(Layer("network_acl", (acl,), crossing=True),) if acl else (),
        route_table=table,
    )


def route(destination: str, via: str, target: str | None = None, *, precedence: int = 0) -> Route:
    return Route(parse_cidr(destination), Via(via), HERE, destination, target=target, precedence=precedence)


def table(name: str, *routes: Route) -> RouteTable:
    return RouteTable(name, name, routes, HERE)


def network(name: str, *prefixes: str) -> Network:
    return Network(name, name, IntervalSet.union_of(parse_cidr(one) for one in prefixes), HERE)


def peering(name: str, first: str, second: str, *, active: bool | None = True, references: bool = True) -> Peering:
    return Peering(name, name, first, second, active, HERE, group_references=references)


def address_list(name: str, must: IntervalSet, may: IntervalSet, complement_of: str | None = None) -> AddressList:
    return AddressList(name, name, must, may, HERE, complement_of=complement_of)


def graph(*things: object, **more: object) -> RuleGraph:
    """A graph of these things; a security group is a group as well."""
    kinds: dict[str, dict[str, object]] = {
        name: {}
        for name in (
            "endpoints",
            "filters",
            "groups",
            "address_lists",
            "networks",
            "subnets",
            "route_tables",
            "nat_gateways",
            "peerings",
            "transit_gateways",
        )
    }
    rooms = {
        "Endpoint": "endpoints",
        "Filter": "filters",
        "Group": "groups",
        "AddressList": "address_lists",
        "Network": "networks",
        "Subnet": "subnets",
        "RouteTable": "route_tables",
        "NatGateway": "nat_gateways",
        "Peering": "peerings",
        "TransitGateway": "transit_gateways",
    }
    for thing in things:
        kinds[rooms[type(thing).__name__]][thing.id] = thing  # type: ignore[attr-defined]
        if isinstance(thing, Filter) and thing.kind == "security_group":
            kinds["groups"].setdefault(thing.id, Group(thing.id, thing.name, thing.kind, HERE))
    return RuleGraph(**kinds, **more)  # type: ignore[arg-type]
