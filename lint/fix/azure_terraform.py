"""Changes of Azure NSG rules as edits of Terraform text, in the style that the file already uses."""

from __future__ import annotations

from collections.abc import Iterator

from lint.fix.azure_commands import free_name
from lint.fix.changes import AddRule, Change, Keep, NarrowRule, holder_of, rule_of
from lint.fix.edits import Edit, apply
from lint.fix.hcl import (
    Source,
    append_item,
    block_at,
    content,
    drop_block,
    insert_after,
    insert_block,
    quoted,
    render,
    rewrite,
    set_attribute,
    string_list,
)
from lint.fix.modules import reference
from lint.fix.on_graph import place_of
from lint.fix.places import Place, places
from lint.fix.priorities import beside
from lint.fix.workshop import Workshop
from lint.graph.rules import Action, Direction, Filter, Rule
from lint.space.addresses import REAL, cidrs
from lint.space.intervals import IntervalSet
from lint.space.services import TCP, UDP, WIDTH
from lint.terraform.resources import Resource
from lint.terraform.syntax.tree import Block, Tuple
from lint.terraform.values import Value, as_text, reference_of

GROUP = "azurerm_network_security_group"
RULE = "azurerm_network_security_rule"
_MOST = 16
_EVERY = (
    *("description", "source_port_range", "source_port_ranges", "destination_port_range", "destination_port_ranges"),
    *("source_address_prefix", "source_address_prefixes", "source_application_security_group_ids"),
    *("destination_address_prefix", "destination_address_prefixes", "destination_application_security_group_ids"),
)


def edits(change: Change, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    """The text edits that make `change`, the best way first; nothing where the text gives no way to."""
    holder = holder_of(change, shop.graph)
    if holder is None or holder.kind != "nsg":
        return
    if isinstance(change, AddRule):
        yield from _add(change, holder, shop)
    elif isinstance(change, NarrowRule):
        rule = rule_of(holder, change.rule)
        made = _narrow(change, holder, rule, shop) if rule is not None and not rule.implied else None
        if made is not None:
            yield made


def _add(change: AddRule, holder: Filter, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    group = shop.resources.get(holder.origin.address or "")
    if group is None or group.type != GROUP:
        return
    name = free_name(holder, change)
    if _inline(group, shop):
        attributes = _attributes(change, holder, name, group.module, shop) if shop.editable(group) else None
        made = _nested(attributes, group, shop) if attributes is not None else None
        if made is not None:
            yield made
        return
    siblings = [r for r in shop.resources.values() if r.type == RULE and _belongs(r, group)]
    for place in places(group, siblings, shop):
        attributes = _attributes(change, holder, name, place.module, shop)
        made = _standalone(attributes, name, group, place, shop) if attributes is not None else None
        if made is not None:
            yield made


def _attributes(change: AddRule, holder: Filter, name: str, module: str, shop: Workshop) -> dict[str, str] | None:
    """A rule's attributes as `module` would write them."""
    priority = place_of(change, holder)
    protocol = _protocol(change.services)
    if priority is None or protocol is None:
        return None
    near, far = ("destination", "source") if change.direction is Direction.INGRESS else ("source", "destination")
    peers = _peer_texts(far, change, module, shop)
    own = _prefix_texts(near, change.near) if change.near else {f"{near}_address_prefix": quoted("*")}
    if peers is None or own is None:
        return None
    return {
        "name": quoted(name),
        "description": quoted(change.purpose[:140]),
        "priority": str(priority),
        "direction": quoted("Inbound" if change.direction is Direction.INGRESS else "Outbound"),
        "access": quoted("Allow" if change.action is Action.ALLOW else "Deny"),
        "protocol": quoted(protocol),
        "source_port_range": quoted("*"),
        **_port_texts("destination", change.services),
        **peers,
        **own,
    }


def _nested(attributes: dict[str, str], group: Resource, shop: Workshop) -> tuple[Edit, ...] | None:
    source = shop.source(group.origin.file)
    block = block_at(source, group.origin.start_byte) if source is not None else None
    if source is None or block is None:
        return None
    written = block.body.attribute("security_rule")
    if written is None:
        return (insert_block(source, block, "security_rule", attributes),)
    if not isinstance(written.value, Tuple):
        return None
    # As an attribute, each object must name every attribute of the block.
    return (append_item(source, written.value, attributes | {n: "null" for n in _EVERY if n not in attributes}),)


def _inline(group: Resource, shop: Workshop) -> bool:
    rules = group.nested("security_rule")
    if rules.configured and (rules.items or rules.open):
        return True
    return not any(r.type == RULE and r.module == group.module for r in shop.resources.values())


def _standalone(
    attributes: dict[str, str], name: str, group: Resource, place: Place, shop: Workshop
) -> tuple[Edit, ...] | None:
    holding = _resource_group(group, place, shop)
    holder = reference(group, place.module, "name", shop) or _written(group.get("name"))
    if holding is None or holder is None:
        return None
    head = {
        "name": attributes["name"],
        "resource_group_name": holding,
        "network_security_group_name": holder,
    }
    label = shop.free_label(RULE, name.replace("-", "_"), place.module)
    text = render("resource", (RULE, label), head | attributes, "", place.source.newline)
    return (insert_after(place.source, place.anchor, text),)


def _resource_group(group: Resource, place: Place, shop: Workshop) -> str | None:
    """How the place's module names the resource group of an NSG."""
    own = reference(group, place.module, "resource_group_name", shop)
    if own is not None:
        return own
    value = group.get("resource_group_name")
    meant = reference_of(value)
    for one in shop.resources.values():
        if one.type == "azurerm_resource_group" and (
            (meant is not None and meant.address == one.address)
            or (as_text(value) is not None and as_text(one.get("name")) == as_text(value))
        ):
            return reference(one, place.module, "name", shop) or _written(value)
    return _written(value)


def _written(value: Value) -> str | None:
    text = as_text(value)
    return quoted(text) if text is not None else None


def _belongs(rule: Resource, group: Resource) -> bool:
    target = rule.get("network_security_group_name")
    named = reference_of(target)
    if named is not None:
        return named.address == group.address
    return as_text(target) is not None and as_text(target) == as_text(group.get("name"))


def _protocol(services: IntervalSet) -> str | None:
    numbers = {low // WIDTH for low, _ in services.pairs} | {high // WIDTH for _, high in services.pairs}
    return {frozenset({TCP}): "Tcp", frozenset({UDP}): "Udp"}.get(frozenset(numbers))


def _ports(services: IntervalSet) -> list[str]:
    return [str(low % WIDTH) if low == high else f"{low % WIDTH}-{high % WIDTH}" for low, high in services.pairs]


def _port_texts(side: str, services: IntervalSet) -> dict[str, str]:
    ports = _ports(services)
    if len(ports) == 1:
        return {f"{side}_port_range": quoted(ports[0])}
    return {f"{side}_port_ranges": string_list(ports)}


def _prefix_texts(side: str, addresses: IntervalSet) -> dict[str, str] | None:
    if addresses == REAL:
        return {f"{side}_address_prefix": quoted("*")}
    found = cidrs(addresses)
    if not found or len(found) > _MOST:
        return None
    if len(found) == 1:
        return {f"{side}_address_prefix": quoted(found[0])}
    return {f"{side}_address_prefixes": string_list(found)}


def _peer_texts(side: str, change: AddRule, module: str, shop: Workshop) -> dict[str, str] | None:
    if change.peers.group is None:
        return _prefix_texts(side, change.peers.addresses)
    named = shop.graph.groups.get(change.peers.group)
    target = shop.resources.get(named.origin.address or "") if named is not None else None
    if target is None or target.origin.file is None or target.type != "azurerm_application_security_group":
        return None
    text = reference(target, module, "id", shop)
    return {f"{side}_application_security_group_ids": f"[{text}]"} if text else None


def _narrow(change: NarrowRule, holder: Filter, rule: Rule, shop: Workshop) -> tuple[Edit, ...] | None:
    source = shop.source(rule.origin.file)
    resource = shop.resources.get(rule.origin.address or "")
    if source is None or resource is None or not shop.editable(resource):
        return None
    block = block_at(source, rule.origin.start_byte)
    if block is None or (block.type == "resource" and block.labels[0] != RULE):
        return None
    if not change.keep:
        return (drop_block(source, block),)
    first, *more = change.keep
    inner = content(block)
    edits = _rewrite(source, inner, first, rule)
    if edits is None:
        return None
    copies = []
    taken: frozenset[int] = frozenset()
    for number, keep in enumerate(more, 2):
        priority = beside(holder, rule, taken)
        if priority is None or block.type == "dynamic":
            return None
        taken = taken | {priority}
        copy = _copy(source, block, keep, rule, priority, number, resource, shop)
        if copy is None:
            return None
        copies.append(copy)
    if copies:
        line = source.data.rfind(b"\n", 0, block.span.start) + 1
        indent = source.newline * 2 + source.text(line, block.span.start)
        edits.append(Edit(source.file, block.span.end, block.span.end, "".join(indent + copy for copy in copies)))
    return tuple(edits) or None


def _rewrite(source: Source, block: Block, keep: Keep, rule: Rule) -> list[Edit] | None:
    texts = _narrowed(block, keep, rule)
    if texts is None:
        return None
    return rewrite(source, block, texts)


def _copy(
    source: Source, block: Block, keep: Keep, rule: Rule, priority: int, number: int, resource: Resource, shop: Workshop
) -> str | None:
    """The rule's block once more, with another part of its traffic, a priority and a name of its own."""
    edits = _rewrite(source, block, keep, rule)
    if edits is None:
        return None
    edits.append(set_attribute(source, block, "priority", str(priority)))
    edits.append(set_attribute(source, block, "name", quoted(f"{rule.name[:70]}-{number}")))
    if block.type == "resource":
        label = shop.free_label(RULE, f"{block.labels[1]}_{number}", resource.module)
        at = source.data.index(quoted(block.labels[1]).encode(), block.header.start + len(RULE))
        edits.append(Edit(source.file, at, at + len(quoted(block.labels[1])), quoted(label)))
    start, end = block.span.start, block.span.end
    moved = [Edit(source.file, e.start - start, e.end - start, e.text) for e in edits]
    return apply(source.data[start:end], moved).decode("utf-8", "surrogateescape")


def _narrowed(block: Block, keep: Keep, rule: Rule) -> dict[str, str | None] | None:
    texts: dict[str, str | None] = {}
    far = "source" if rule.direction is Direction.INGRESS else "destination"
    if keep.addresses or not keep.others:
        peers = _prefix_texts(far, keep.addresses)
        if peers is None:
            return None
        dropped = [f"{far}_address_prefix", f"{far}_address_prefixes"]
        if not keep.others:
            dropped.append(f"{far}_application_security_group_ids")
        texts |= {name: None for name in dropped if name not in peers and block.body.attribute(name) is not None}
        texts |= peers
    if keep.services != rule.services:
        protocol = _protocol(keep.services)
        if protocol is None:
            return None
        ports = _port_texts("destination", keep.services)
        for name in ("destination_port_range", "destination_port_ranges"):
            if name not in ports and block.body.attribute(name) is not None:
                texts[name] = None
        texts |= {"protocol": quoted(protocol)} | ports
    return texts
