"""One NSG or admin rule read from its ARM fields: protocols, ports, operands. Knows no joins and no graph.

A rule that can't be in force as written (no priority, a range upside down) is a message to a person, never a guess.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from lint.azure.model import AddressOf, AnyAddress, Members, Operand, Prefix, SecurityRule, Tag, Unclear
from lint.azure.records import Gap, View
from lint.graph.rules import Action, Direction
from lint.origin import Reason
from lint.space.addresses import EVERYWHERE, IPV6_BASE, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import AH, ALL_PORTS, ALL_SERVICES, ESP, ICMP, ICMPV6, TCP, UDP, WIDTH, WITH_PORTS, protocol

_ICMP = protocol(ICMP) | protocol(ICMPV6)
PROTOCOLS = {
    "tcp": protocol(TCP),
    "udp": protocol(UDP),
    "icmp": _ICMP,
    "icmpv6": _ICMP,
    "esp": protocol(ESP),
    "ah": protocol(AH),
    "6": protocol(TCP),
    "17": protocol(UDP),
    "1": _ICMP,
    "50": protocol(ESP),
    "51": protocol(AH),
}
EVERY = ("*", "any", "all")
MAX_PRIORITY = 4096
DIRECTIONS = {"inbound": Direction.INGRESS, "outbound": Direction.EGRESS}
ACTIONS = {"allow": Action.ALLOW, "deny": Action.DENY, "alwaysallow": Action.BYPASS}


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a rule could not be read, and which direction of its NSG that leaves open (None: both)."""

    reasons: tuple[Reason, ...]
    direction: Direction | None
    mistake: bool  # an error of the input, rather than something unknown


@dataclass(frozen=True, slots=True)
class Read:
    """A rule with what a person should know of it."""

    rule: SecurityRule
    notes: tuple[str, ...]


Resolve = Callable[[str], str]


def read_rule(view: View, key: str, owner: str, resolve: Resolve, addresses: Resolve | None = None) -> Read | Broken:
    """The rule, or why it isn't one. `owner` names the NSG in messages; `resolve` turns an ASG id into its key."""
    name_value = view.text("name")
    name = name_value if isinstance(name_value, str) else ""
    label = f"rule {name!r} of {owner}" if name else f"a rule of {owner}"
    origin = view.origin

    def mistake(text: str, direction: Direction | None, remedy: str) -> Broken:
        return Broken((Reason(f"{label}: {text}", "azure.rule.incomplete", origin, remedy),), direction, True)

    direction_value = view.text("direction")
    if isinstance(direction_value, Gap):
        return Broken(direction_value.reasons, None, False)
    direction = DIRECTIONS.get((direction_value or "").lower())
    if direction is None:
        found = f"the direction is `{direction_value}`" if direction_value else "it has no direction"
        return mistake(found, None, "write Inbound or Outbound")
    access_value = view.text("access") if view.raw("access") is not None else view.text("action")
    if isinstance(access_value, Gap):
        return Broken(access_value.reasons, direction, False)
    action = ACTIONS.get((access_value or "").lower())
    if action is None:
        found = f"the access is `{access_value}`" if access_value else "it has no access"
        return mistake(found, direction, "write Allow or Deny")
    try:
        priority = view.number("priority")
    except ValueError as error:
        return mistake(f"the priority {error}", direction, "give it a priority from 100 to 4096")
    if isinstance(priority, Gap):
        return Broken(priority.reasons, direction, False)
    if priority is None:
        return mistake(
            "it has no priority, so its place among the rules isn't known", direction, "give it one from 100 to 4096"
        )

    notes: list[str] = []
    reasons: list[Reason] = list(view.reasons)
    try:
        protocols, protocols_may = _protocols(view, reasons)
        ports, ports_may = _ports(view, "destinationPort", reasons)
        source_ports, source_ports_may = _ports(view, "sourcePort", reasons)
        sources = _operands(view, "source", resolve, reasons, notes, label)
        destinations = _operands(view, "destination", resolve, reasons, notes, label)
    except ValueError as error:
        return mistake(str(error), direction, "Azure refuses this rule; correct it")
    if protocols_may is None:
        return mistake("it has no protocol", direction, "write Tcp, Udp, Icmp, Esp, Ah or *")
    portless = bool(protocols) and protocols.isdisjoint(WITH_PORTS)
    if portless:
        if (ports not in (None, ALL_PORTS)) or (source_ports not in (None, ALL_PORTS)):
            notes.append(
                f"{label}: its protocol has no ports, so its port fields do nothing (azure.rule.ports-on-portless)"
            )
        ports = ports_may = source_ports = source_ports_may = ALL_PORTS
    missing = [
        what
        for what, there in (
            ("source", sources is not None),
            ("destination", destinations is not None),
            ("destination port", ports is not None),
            ("source port", source_ports is not None),
        )
        if not there
    ]
    if missing:
        return mistake(f"it has no {' and no '.join(missing)}", direction, "Azure refuses it; write * for any")
    assert sources is not None and destinations is not None
    assert ports is not None and ports_may is not None and source_ports is not None and source_ports_may is not None
    services = services_with(protocols, ports, source_ports)
    services_may = services_with(protocols_may, ports_may, source_ports_may)
    if protocols_may != protocols:  # it may be a protocol without ports, which asks for none
        services_may = services_may | (protocols_may - WITH_PORTS)
    description = view.text("description")
    rule = SecurityRule(
        key=key,
        name=name or key,
        direction=direction,
        action=action,
        priority=priority,
        services=services,
        services_may=services_may,
        source_ports=source_ports,
        source_ports_may=source_ports_may,
        sources=sources,
        destinations=destinations,
        origin=origin,
        exists=view.exists,
        reasons=tuple(dict.fromkeys(reasons)),
        description=description if isinstance(description, str) else "",
    )
    return Read(rule, tuple(notes))


def _protocols(view: View, reasons: list[Reason]) -> tuple[IntervalSet, IntervalSet | None]:
    value = view.text("protocol")
    if isinstance(value, Gap):
        reasons += value.reasons
        return EMPTY, ALL_SERVICES
    if value is None:
        return EMPTY, None
    if value.strip().lower() in EVERY:
        return ALL_SERVICES, ALL_SERVICES
    found = PROTOCOLS.get(value.strip().lower())
    if found is None:
        raise ValueError(f"the protocol `{value}` is none of Tcp, Udp, Icmp, Esp, Ah, *")
    return found, found


def services_with(protocols: IntervalSet, ports: IntervalSet, source_ports: IntervalSet) -> IntervalSet:
    """Protocols with a port condition: a condition on ports never matches what has none."""
    if ports == ALL_PORTS and source_ports == ALL_PORTS:
        return protocols
    with_ports = IntervalSet(
        (number * WIDTH + low, number * WIDTH + high) for number in (TCP, UDP) for low, high in ports.pairs
    )
    whole = protocols & with_ports
    portless_alone = protocols if protocols.isdisjoint(WITH_PORTS) else EMPTY
    return whole | portless_alone


def _ports(view: View, stem: str, reasons: list[Reason]) -> tuple[IntervalSet | None, IntervalSet | None]:
    """Certain and possible ports of a side. (None, None) where nothing is said."""
    there = False
    certain = EMPTY
    possible = EMPTY
    values: list[object] = [view.raw(f"{stem}Range")]
    more, more_open = view.values(f"{stem}Ranges")
    values += more
    if more_open:
        reasons += more_open
        there = True
        possible = ALL_PORTS
    for value in values:
        if value is None or value == "":
            continue
        there = True
        if isinstance(value, Gap):
            reasons += value.reasons
            possible = ALL_PORTS
            continue
        found = parse_ports(str(value))
        certain = certain | found
        possible = possible | found
    if not there:
        return None, None
    return certain, possible


def parse_ports(text: str) -> IntervalSet:
    """`*`, `80`, `8000-8080`, `80,443`. Raises ValueError with a sentence."""
    found: list[tuple[int, int]] = []
    for piece in text.split(","):
        part = piece.strip()
        if part == "*":
            return ALL_PORTS
        low_text, dash, high_text = (one.strip() for one in part.partition("-"))
        high_text = high_text if dash else low_text
        if not all(one.isascii() and one.isdigit() and len(one) < 7 for one in (low_text, high_text)):
            raise ValueError(f"`{part}` is not a port, a range of ports or *")
        low, high = int(low_text), int(high_text)
        if high > 65535 or low > 65535:
            raise ValueError(f"the port range `{part}` goes beyond 65535")
        if low > high:
            raise ValueError(f"the port range `{part}` is upside down")
        found.append((low, high))
    return IntervalSet(found)


def _operands(
    view: View, side: str, resolve: Resolve, reasons: list[Reason], notes: list[str], label: str
) -> tuple[Operand, ...] | None:
    """All operands of a side, or None where nothing is said."""
    found: list[Operand] = []
    values: list[object] = [view.raw(f"{side}AddressPrefix")]
    more, more_open = view.values(f"{side}AddressPrefixes")
    values += more
    items, items_open = view.parts(f"{side}s")  # admin rules: sources: [{addressPrefix, addressPrefixType}]
    for item in items:
        values.append(item.raw("addressPrefix"))
    groups, groups_open = view.identities(f"{side}ApplicationSecurityGroups")
    for open_reasons in (more_open, items_open, groups_open):
        if open_reasons:
            reasons += open_reasons
            found.append(Unclear(open_reasons, f"{side} (not known)"))
    for value in values:
        if value is None or value == "":
            continue
        if isinstance(value, Gap):
            reasons += value.reasons
            found.append(_gap_operand(value, side))
            continue
        if not isinstance(value, str):
            raise ValueError(f"`{str(value)[:60]}` is not an address, a CIDR or a service tag")
        found += parse_operands(value, notes, label)
    for group in groups:
        if isinstance(group, Gap):
            reasons += group.reasons
            names = _texts(group.candidates)
            known = None if names is None else tuple(resolve(one) for one in names)
            found.append(Unclear(group.reasons, f"{side} application security group (not known)", None, known or ()))
        else:
            found.append(Members(resolve(group), group))
    return tuple(found) if found else None


def _texts(values: tuple[object, ...] | None) -> tuple[str, ...] | None:
    if values is None or not all(isinstance(one, str) for one in values):
        return None
    return tuple(str(one) for one in values)


def _gap_operand(gap: Gap, side: str) -> Operand:
    if gap.target is not None and gap.attribute in ("private", "public"):
        text = f"{gap.target} ({gap.attribute} address)"
        return AddressOf(gap.target, gap.attribute == "public", text, gap.at, gap.length)
    within = gap.within
    names = _texts(gap.candidates)
    if names is not None:
        possible = EMPTY
        for name in names:
            for operand in parse_operands(name, [], ""):
                possible = possible | (operand.addresses if isinstance(operand, Prefix) else EVERYWHERE)
        within = possible if within is None else within & possible
    return Unclear(gap.reasons, f"{side} address (not known)", within)


def parse_operands(text: str, notes: list[str], label: str) -> list[Operand]:
    """The operands in one address field: `*`, addresses, CIDRs, service tags, comma lists. Raises ValueError."""
    found: list[Operand] = []
    for piece in text.split(","):
        part = piece.strip()
        if not part:
            continue
        if part.lower() in EVERY:
            found.append(AnyAddress())
        elif part[0].isdigit() or ":" in part:
            found.append(Prefix(part, parse_prefix(part, notes, label)))
        else:
            found.append(Tag(part))
    return found


def parse_prefix(part: str, notes: list[str], label: str) -> IntervalSet:
    """An address, a CIDR, or a dash range of addresses (which belongs to Azure Firewall). Raises ValueError."""
    if "-" in part:
        low_text, _, high_text = part.partition("-")
        try:
            low, high = ipaddress.ip_address(low_text.strip()), ipaddress.ip_address(high_text.strip())
        except ValueError as error:
            raise ValueError(f"`{part}` is not an address, a CIDR or a service tag") from error
        if low.version != high.version or int(low) > int(high):
            raise ValueError(f"the address range `{part}` is upside down")
        notes.append(f"{label}: `{part}` is a range of addresses, which only Azure Firewall documents")
        base = IPV6_BASE if low.version == 6 else 0
        return IntervalSet.span(base + int(low), base + int(high))
    try:
        found = parse_cidr(part)
    except ValueError as error:
        raise ValueError(f"`{part}` is not an address, a CIDR or a service tag") from error
    if "/" in part:
        try:
            ipaddress.ip_network(part)
        except ValueError:
            notes.append(f"{label}: `{part}` has bits set right of its mask; they were cleared")
    return found
