"""Network and application security groups read from records: rules with their problems, duplicates and mixed styles."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lint.azure.coverage import of_type
from lint.azure.index import (
    APPLICATION_GROUP,
    INTERFACE,
    PREFIX_SET,
    SECURITY_GROUP,
    SECURITY_RULE,
    Index,
)
from lint.azure.model import ApplicationSecurityGroup, Prefix, SecurityGroup, SecurityRule
from lint.azure.records import Gap, Record, View, last_segment, view
from lint.azure.security_rules import MAX_PRIORITY, Broken, parse_operands, read_rule
from lint.graph.rules import Direction
from lint.origin import Reason
from lint.space.intervals import EMPTY


@dataclass
class _Reading:
    """One NSG while it is read."""

    inbound: dict[Reason, None]
    outbound: dict[Reason, None]
    notes: dict[str, None]
    rules: dict[str, SecurityRule]

    def open(self, reasons: tuple[Reason, ...], direction: Direction | None) -> None:
        if direction is not Direction.EGRESS:
            self.inbound.update(dict.fromkeys(reasons))
        if direction is not Direction.INGRESS:
            self.outbound.update(dict.fromkeys(reasons))


def read_security_groups(index: Index) -> dict[str, SecurityGroup]:
    """All network security groups by key, also those that only standalone rules name."""
    found = {record.key: _security_group(index, record) for record in index.of_type(SECURITY_GROUP)}
    for (parent, kind), children in index.by_parent.items():
        if kind == SECURITY_RULE and parent not in found:
            found[parent] = _unseen_group(index, parent, children)
    loose = [record for record in index.of_type(SECURITY_RULE) if record.parent is None]
    if loose:
        reasons = tuple(
            Reason(
                f"{record.key} adds a rule to a network security group that isn't known",
                "azure.rule.parent",
                record.origin,
            )
            for record in loose
        )
        found = {
            key: replace(group, open_inbound=group.open_inbound + reasons, open_outbound=group.open_outbound + reasons)
            for key, group in found.items()
        }
    return found


def _security_group(index: Index, record: Record) -> SecurityGroup:
    reading = _Reading({}, {}, {}, {})
    properties = view(record)
    inline, more = properties.parts("securityRules")
    reading.open(more, None)
    children = index.children(record.key, SECURITY_RULE)
    names: set[str] = set()
    for child in children:
        names.add(child.name.lower())
    mixed = record.source == "terraform" and properties.raw("securityRules") is not None and bool(children)
    for item in inline:
        name = item.text("name")
        if isinstance(name, str) and name.lower() in names:
            continue  # the standalone resource says the same and is where a person edits it
        _take(index, reading, item, record, _rule_key(item, record))
    for child in children:
        item = replace(view(child), partial=child.partial)
        if mixed:
            reason = Reason(
                f"{record.key} has inline rules and standalone ones, which overwrite each other: "
                f"whether {child.key} stays in force isn't certain",
                "azure.tf.mixed-rules",
                child.origin,
                "write all rules of this group in one style",
            )
            index.problems.setdefault(
                Reason(
                    f"{record.key} has inline security_rule entries and standalone azurerm_network_security_rule "
                    "resources; each apply of one drops the other's rules",
                    "azure.tf.mixed-rules",
                    record.origin,
                    "write all rules of this group in one style",
                )
            )
            item = replace(item, exists=False, reasons=(*item.reasons, reason))
        _take(index, reading, item, record, child.key)
    _same_priority(index, reading, record.key)
    if record.source != "terraform":
        _check_defaults(properties, reading)
    return SecurityGroup(
        key=record.key,
        name=record.name,
        rules=tuple(sorted(reading.rules.values(), key=lambda rule: (rule.direction.value, rule.priority, rule.name))),
        origin=record.origin,
        open_inbound=tuple(reading.inbound),
        open_outbound=tuple(reading.outbound),
        notes=tuple(reading.notes),
        tags=record.tags,
        aliases=record.ids,
        subscription=record.subscription,
        location=record.location,
    )


def _unseen_group(index: Index, key: str, children: list[Record]) -> SecurityGroup:
    """An NSG of which the source shows rules, but not the group itself."""
    reason = Reason(
        f"the network security group {last_segment(key)} itself isn't in the source; it may hold further rules",
        f"azure.ref.missing:{key}",
        children[0].origin,
        "add the source that holds it",
    )
    reading = _Reading({reason: None}, {reason: None}, {}, {})
    for child in children:
        _take(index, reading, view(child), child, child.key)
    _same_priority(index, reading, key)
    return SecurityGroup(
        key=key,
        name=last_segment(key),
        rules=tuple(reading.rules.values()),
        origin=children[0].origin,
        open_inbound=tuple(reading.inbound),
        open_outbound=tuple(reading.outbound),
        notes=tuple(reading.notes),
        subscription=children[0].subscription,
    )


def _rule_key(item: View, record: Record) -> str:
    identity = item.raw("id")
    if isinstance(identity, str) and identity:
        return identity
    name = item.text("name")
    return f"{record.key}/{name}" if isinstance(name, str) else f"{record.key}/{item.origin.line or ''}"


def _take(index: Index, reading: _Reading, item: View, owner: Record, key: str) -> None:
    identity = item.raw("id")
    if isinstance(identity, str) and "/" in identity and owner.source == "dump":
        line = owner.lines.get(identity, item.origin.line)
        item = replace(item, origin=replace(item.origin, resource_id=identity, line=line))
    read = read_rule(item, key, owner.key if owner.source == "terraform" else owner.name, index.key)
    if isinstance(read, Broken):
        reading.open(read.reasons, read.direction)
        if read.mistake:
            index.problems.update(dict.fromkeys(read.reasons))
        return
    reading.notes.update(dict.fromkeys(read.notes))
    name = read.rule.name.lower()
    held = reading.rules.get(name)
    if held is not None and _same_rule(held, read.rule):
        return  # a dump repeats a child as a row of its own
    unique = name if held is None else f"{name}#{len(reading.rules)}"
    reading.rules[unique] = read.rule
    if not 100 <= read.rule.priority <= MAX_PRIORITY:
        reason = Reason(
            f"rule {read.rule.name!r} of {owner.name} has priority {read.rule.priority}",
            "azure.rule.incomplete",
            read.rule.origin,
            "Azure takes 100 to 4096",
        )
        index.problems[reason] = None
        reading.open((reason,), read.rule.direction)


def _same_rule(one: SecurityRule, other: SecurityRule) -> bool:
    """Whether two rules of one name say the same."""
    return replace(one, key="", origin=other.origin, description="") == replace(other, key="", description="")


def _same_priority(index: Index, reading: _Reading, key: str) -> None:
    seen: dict[tuple[Direction, int], SecurityRule] = {}
    for rule in reading.rules.values():
        place = (rule.direction, rule.priority)
        first = seen.setdefault(place, rule)
        if first is rule:
            continue
        sense = "inbound" if rule.direction is Direction.INGRESS else "outbound"
        reason = Reason(
            f"rules {first.name!r} and {rule.name!r} of {key} both have {sense} priority {rule.priority}, "
            "so which of them decides isn't known",
            "azure.rule.duplicate-priority",
            rule.origin,
            "give each rule of one direction its own priority",
        )
        if first.exists and rule.exists:
            index.problems[reason] = None
        reading.open((reason,), rule.direction)


_DEFAULT_NAMES = {
    "allowvnetinbound": (65000, "virtualnetwork", "virtualnetwork", "allow"),
    "allowazureloadbalancerinbound": (65001, "azureloadbalancer", "*", "allow"),
    "denyallinbound": (65500, "*", "*", "deny"),
    "allowvnetoutbound": (65000, "virtualnetwork", "virtualnetwork", "allow"),
    "allowinternetoutbound": (65001, "*", "internet", "allow"),
    "denyalloutbound": (65500, "*", "*", "deny"),
}


def _check_defaults(properties: View, reading: _Reading) -> None:
    """A dump may show the default rules: they're synthesised all the same, a difference is said."""
    items, _ = properties.parts("defaultSecurityRules")
    for item in items:
        name = item.text("name")
        expected = _DEFAULT_NAMES.get(name.lower() if isinstance(name, str) else "")
        try:
            priority = item.number("priority")
        except ValueError:
            priority = None
        values = [item.text(field) for field in ("sourceAddressPrefix", "destinationAddressPrefix", "access")]
        found = (priority, *(one.lower() if isinstance(one, str) else "" for one in values))
        if expected is None or found != expected:
            reading.notes[
                f"the default rule {name} of the dump isn't as Azure documents it; the documented one was used"
            ] = None


def read_application_groups(index: Index) -> dict[str, ApplicationSecurityGroup]:
    """All application security groups by key, with the prefixes that they may hold."""
    open_members: tuple[Reason, ...] = ()
    partial = index.source.partial_types.get(INTERFACE)
    if partial is not None:
        open_members = partial
    elif not index.source.closed and INTERFACE not in index.by_type:
        open_members = (
            Reason(
                "no network interfaces were collected, so the members of application security groups aren't known",
                "azure.coverage:networkInterfaces",
                None,
                "add the list of network interfaces",
            ),
        )
    found: dict[str, ApplicationSecurityGroup] = {}
    for record in index.of_type(APPLICATION_GROUP):
        prefixes = EMPTY
        for child in index.children(record.key, PREFIX_SET):
            values, _ = view(child).values("addressPrefixes")
            for value in values:
                if isinstance(value, Gap):
                    continue
                try:
                    operands = parse_operands(str(value), [], "")
                except ValueError as error:
                    index.problems[Reason(str(error), None, child.origin)] = None
                    continue
                for operand in operands:
                    if isinstance(operand, Prefix):
                        prefixes = prefixes | operand.addresses
        found[record.key] = ApplicationSecurityGroup(
            record.key,
            record.name,
            record.origin,
            (*open_members, *of_type(index.source.missing, PREFIX_SET, record.subscription, record.key)),
            prefixes,
            record.tags,
        )
    return found
