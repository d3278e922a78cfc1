"""What Azure says is in force at network interfaces: effective NSG rules and effective routes, as it answers them.

Sources: REST reference, Network Interfaces, "List Effective Network Security Groups" and "Get Effective Route Table";
"Diagnose a virtual machine network traffic filter problem". Knows no verdict: `lowering/verified` compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lint.azure.index import EFFECTIVE_GROUPS, EFFECTIVE_ROUTES, Index
from lint.azure.model import GroupInForce, InForce, RouteInForce, RuleInForce, Side
from lint.azure.records import Record, canonical
from lint.azure.security_rules import ACTIONS, DIRECTIONS, EVERY, PROTOCOLS, parse_ports, services_with
from lint.origin import Origin
from lint.space.addresses import EVERYWHERE, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES


def read_in_force(index: Index) -> tuple[InForce, ...]:
    """What every interface was told of, by its key. An empty answer tells nothing: the machine may not run."""
    groups: dict[str, tuple[GroupInForce, ...]] = {}
    routes: dict[str, tuple[RouteInForce, ...]] = {}
    origins: dict[str, Origin] = {}
    for record in index.of_type(EFFECTIVE_GROUPS):
        key = index.key(str(record.properties.get("of")))
        made = tuple(_group(index, row) for row in _rows(record) if "effectiveSecurityRules" in row)
        if made:
            groups[key] = (*groups.get(key, ()), *made)
            origins.setdefault(key, record.origin)
    for record in index.of_type(EFFECTIVE_ROUTES):
        key = index.key(str(record.properties.get("of")))
        active = [row for row in _rows(record) if str(row.get("state", "Active")).lower() == "active"]
        if active:
            routes[key] = (*routes.get(key, ()), *(_route(row) for row in active))
            origins.setdefault(key, record.origin)
    return tuple(InForce(key, groups.get(key), routes.get(key), origins[key]) for key in sorted(origins))


def _rows(record: Record) -> Iterator[Mapping[str, Any]]:
    value = record.properties.get("value")
    for row in value if isinstance(value, list) else ():
        if isinstance(row, Mapping):
            yield row


def _id(index: Index, value: Any) -> str | None:
    identity = value.get("id") if isinstance(value, Mapping) else None
    return index.key(identity) if isinstance(identity, str) and identity else None


def _group(index: Index, row: Mapping[str, Any]) -> GroupInForce:
    where = row.get("association")
    where = where if isinstance(where, Mapping) else {}
    rules = row.get("effectiveSecurityRules")
    read = (_rule(one) for one in (rules if isinstance(rules, list) else ()) if isinstance(one, Mapping))
    return GroupInForce(
        _id(index, row.get("networkSecurityGroup")) or "",
        _id(index, where.get("networkInterface")),
        _id(index, where.get("subnet")),
        tuple(one for one in read if one is not None),
    )


def _rule(row: Mapping[str, Any]) -> RuleInForce | None:
    direction = DIRECTIONS.get(str(row.get("direction", "")).lower())
    action = ACTIONS.get(str(row.get("access", "")).lower())
    priority = row.get("priority")
    if direction is None or action is None or not isinstance(priority, int):
        return None
    named = str(row.get("protocol", "")).lower()
    protocols = ALL_SERVICES if named in EVERY else PROTOCOLS.get(named)
    ports, source_ports = _ports(row, "destinationPortRange"), _ports(row, "sourcePortRange")
    services = None
    if protocols is not None and ports is not None and source_ports is not None:
        services = services_with(protocols, ports, source_ports)
    return RuleInForce(
        str(row.get("name", "")),
        direction,
        action,
        priority,
        services,
        source_ports,
        _side(row, "source"),
        _side(row, "destination"),
    )


def _texts(row: Mapping[str, Any], *names: str) -> list[str]:
    found: list[str] = []
    for name in names:
        value = row.get(name)
        found += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one]
    return list(dict.fromkeys(found))


def _ports(row: Mapping[str, Any], name: str) -> IntervalSet | None:
    try:
        found = [parse_ports(text) for text in _texts(row, name, f"{name}s")]
    except ValueError:
        return None
    return IntervalSet.union_of(found) if found else ALL_PORTS


def _side(row: Mapping[str, Any], side: str) -> Side:
    written = _texts(row, f"{side}AddressPrefix", f"{side}AddressPrefixes")
    title = side.capitalize()
    expanded = _texts(row, f"expanded{title}AddressPrefix", f"expanded{title}AddressPrefixes")
    tags: list[str] = []
    addresses = EMPTY
    for text in written:
        if text.lower() in EVERY:
            addresses = addresses | EVERYWHERE
            continue
        try:
            addresses = addresses | parse_cidr(text)
        except ValueError:
            tags.append(text)
    try:
        addresses = addresses | IntervalSet.union_of([EMPTY, *(parse_cidr(text) for text in expanded)])
    except ValueError:
        return Side(tuple(tags), None)
    told = bool(expanded) or (bool(written) and not tags)
    return Side(tuple(tags), addresses if told else None)


def _route(row: Mapping[str, Any]) -> RouteInForce:
    prefixes: list[IntervalSet] = []
    for text in _texts(row, "addressPrefix"):
        try:
            prefixes.append(parse_cidr(text))
        except ValueError:
            continue  # a tag: its addresses are told by routes of their own
    return RouteInForce(
        tuple(prefixes), str(row.get("nextHopType", "")).lower(), tuple(_texts(row, "nextHopIpAddress"))
    )


def interface_of(row: Mapping[str, Any]) -> str | None:
    """The interface that a row of effective rules itself names, for answers kept without their request."""
    where = row.get("association")
    named = where.get("networkInterface") if isinstance(where, Mapping) else None
    identity = named.get("id") if isinstance(named, Mapping) else None
    return canonical(identity) if isinstance(identity, str) and identity else None
