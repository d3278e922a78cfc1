"""Entries of AWS network ACLs as edits of Terraform text, in the style that the ACL already uses."""

from __future__ import annotations

from collections.abc import Iterator

from lint.fix.acl_entries import Entry, entries_of
from lint.fix.changes import AddRule, Change, NarrowRule, holder_of, rule_of
from lint.fix.edits import Edit, merged
from lint.fix.hcl import (
    append_item,
    block_at,
    content,
    drop_block,
    insert_after,
    insert_block,
    quoted,
    render,
    rewrite,
)
from lint.fix.modules import reference
from lint.fix.places import Place, places
from lint.fix.workshop import Workshop
from lint.graph.rules import Filter, Rule
from lint.space.addresses import IPV6, cidrs
from lint.terraform.resources import Resource
from lint.terraform.syntax.tree import Tuple
from lint.terraform.values import reference_of

ACLS = ("aws_network_acl", "aws_default_network_acl")
ENTRY = "aws_network_acl_rule"
_EVERY = (
    *("action", "cidr_block", "from_port", "icmp_code", "icmp_type", "ipv6_cidr_block", "protocol", "rule_no"),
    "to_port",
)


def edits(change: Change, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    """The text edits that make `change`; nothing where the text gives no way to."""
    holder = holder_of(change, shop.graph)
    if holder is None or holder.kind != "network_acl":
        return
    if isinstance(change, AddRule):
        yield from _add(change, holder, shop)
    elif isinstance(change, NarrowRule):
        rule = rule_of(holder, change.rule)
        made = _narrow(change, rule, shop) if rule is not None else None
        if made:
            yield made


def _add(change: AddRule, holder: Filter, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    found = entries_of(change, holder)
    acl = shop.resources.get(holder.origin.address or "")
    if not found or acl is None:
        return
    name = change.direction.value
    inline = acl.type in ACLS and any(acl.nested(way).configured for way in ("ingress", "egress"))
    siblings = [r for r in shop.resources.values() if r.type == ENTRY and _belongs(r, holder)]
    around = any(r.type == ENTRY and r.module == acl.module for r in shop.resources.values())
    if inline or (acl.type in ACLS and not siblings and not around and shop.editable(acl)):
        made = _inline(name, found, acl, shop)
        if made:
            yield made
        return
    for place in places(acl, siblings, shop):
        own = reference(acl, place.module, "id" if acl.type in ACLS else "default_network_acl_id", shop)
        if own:
            yield _standalone(name, found, own, place, shop)


def _inline(name: str, found: tuple[Entry, ...], acl: Resource, shop: Workshop) -> tuple[Edit, ...] | None:
    source = shop.source(acl.origin.file) if shop.editable(acl) else None
    block = block_at(source, acl.origin.start_byte) if source is not None else None
    if source is None or block is None:
        return None
    written = block.body.attribute(name)
    if written is not None and not isinstance(written.value, Tuple):
        return None
    made = []
    for entry in found:
        texts = {"protocol": quoted(entry.protocol), "rule_no": str(entry.number), "action": quoted(entry.action)}
        texts |= _rest(entry)
        if written is None:
            made.append(insert_block(source, block, name, texts))
        elif isinstance(written.value, Tuple):
            whole = {one: texts.get(one, "0" if one in ("from_port", "to_port") else "null") for one in _EVERY}
            made.append(append_item(source, written.value, whole))
    return merged(made)


def _standalone(name: str, found: tuple[Entry, ...], own: str, place: Place, shop: Workshop) -> tuple[Edit, ...]:
    texts = []
    for entry in found:
        head = {"network_acl_id": own, "rule_number": str(entry.number)}
        if name == "egress":
            head["egress"] = "true"
        head |= {"protocol": quoted(entry.protocol), "rule_action": quoted(entry.action)} | _rest(entry)
        label = shop.free_label(ENTRY, _label(place.stem, name, entry), place.module)
        texts.append(render("resource", (ENTRY, label), head, "", place.source.newline))
    return (insert_after(place.source, place.anchor, (place.source.newline * 2).join(texts)),)


def _label(acl: str, way: str, entry: Entry) -> str:
    ports = f"{entry.low}" if entry.low == entry.high else f"{entry.low}_{entry.high}"
    return f"{acl}_{way}_{'icmp' if entry.icmp is not None else f'{entry.protocol}_{ports}'}"


def _rest(entry: Entry) -> dict[str, str]:
    """The addresses and ports of an entry, in the words that blocks and resources share."""
    texts = {"cidr_block" if ":" not in entry.cidr else "ipv6_cidr_block": quoted(entry.cidr)}
    if entry.icmp is not None:
        return texts | {"from_port": "0", "to_port": "0", "icmp_type": str(entry.icmp), "icmp_code": "-1"}
    return texts | {"from_port": str(entry.low), "to_port": str(entry.high)}


def _belongs(rule: Resource, holder: Filter) -> bool:
    target = reference_of(rule.get("network_acl_id"))
    return target is not None and target.address == holder.origin.address


def _narrow(change: NarrowRule, rule: Rule, shop: Workshop) -> tuple[Edit, ...] | None:
    """One entry names one range: it gets another, or goes."""
    source = shop.source(rule.origin.file)
    resource = shop.resources.get(rule.origin.address or "")
    block = block_at(source, rule.origin.start_byte) if source is not None else None
    if source is None or block is None or resource is None or not shop.editable(resource):
        return None
    if block.type == "resource" and block.labels[0] != ENTRY:
        return None
    if not change.keep:
        return (drop_block(source, block),)
    left = cidrs(change.keep[0].addresses)
    if len(change.keep) > 1 or change.keep[0].services != rule.services or len(left) != 1:
        return None
    six = not change.keep[0].addresses.isdisjoint(IPV6)
    texts: dict[str, str | None] = {"ipv6_cidr_block" if six else "cidr_block": quoted(left[0])}
    texts["cidr_block" if six else "ipv6_cidr_block"] = None
    return tuple(rewrite(source, content(block), texts)) or None
