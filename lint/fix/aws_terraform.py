"""Changes of AWS security-group rules as edits of Terraform text, in the style that the file already uses."""

from __future__ import annotations

from collections.abc import Iterator

from lint.fix.changes import AddRule, Change, Keep, NarrowRule, holder_of, rule_of
from lint.fix.edits import Edit, apply, merged
from lint.fix.hcl import (
    Source,
    append_item,
    block_at,
    content,
    drop_block,
    insert_after,
    insert_block,
    item,
    quoted,
    render,
    rewrite,
    set_value,
    string_list,
)
from lint.fix.modules import reference
from lint.fix.places import Place, places
from lint.fix.workshop import Workshop
from lint.graph.rules import Direction, Filter, Rule
from lint.space.addresses import IPV4, IPV6, cidrs
from lint.space.intervals import IntervalSet
from lint.space.services import TCP, UDP, WIDTH
from lint.terraform.resources import Resource
from lint.terraform.syntax.tree import Block, Object, Tuple
from lint.terraform.values import reference_of

GROUPS = ("aws_security_group", "aws_default_security_group")
CLASSIC = "aws_security_group_rule"
_MOST = 8  # a fix that would write more CIDRs or rules than this isn't a suggestion any more


def edits(change: Change, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    """The text edits that make `change`, the best way first; nothing where the text gives no way to."""
    holder = holder_of(change, shop.graph)
    if holder is None or holder.kind != "security_group":
        return
    if isinstance(change, AddRule):
        yield from _add(change, holder, shop)
    elif isinstance(change, NarrowRule):
        rule = rule_of(holder, change.rule)
        made = _narrow(change, holder, rule, shop) if rule is not None else None
        if made is not None:
            yield made


# --- adding ----------------------------------------------------------------------------------------------------------


def _add(change: AddRule, holder: Filter, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    group = shop.resources.get(holder.origin.address or "")
    parts = list(_parts(change.services))
    if group is None or group.type not in GROUPS or not 0 < len(parts) <= _MOST:
        return
    style = _style(group, change.direction, shop)
    if style == "inline":
        peers = _peer_texts(change, group.module, shop)
        made = _inline(change, group, peers, parts, shop) if peers is not None and shop.editable(group) else None
        if made is not None:
            yield made
        return
    siblings = [r for r in shop.resources.values() if r.type == style and _belongs(r, group)]
    for place in places(group, siblings, shop):
        peers = _peer_texts(change, place.module, shop)
        own = reference(group, place.module, "id", shop)
        made = _standalone(style, change, place, own, peers, parts, shop) if own and peers is not None else None
        if made is not None:
            yield made


def _peer_texts(change: AddRule, module: str, shop: Workshop) -> dict[str, str] | None:
    """The peer as attribute texts of a rule: `security_groups`, `cidr_blocks`, `ipv6_cidr_blocks`, `self`."""
    if change.peers.group is not None:
        if change.peers.group == change.filter:
            return {"self": "true"}
        named = shop.graph.groups.get(change.peers.group)
        target = shop.resources.get(named.origin.address or "") if named is not None else None
        if target is None or target.origin.file is None:
            return None
        text = reference(target, module, "id", shop)
        return {"security_groups": text} if text else None
    return _cidr_texts(change.peers.addresses)


def _cidr_texts(addresses: IntervalSet) -> dict[str, str] | None:
    v4, v6 = cidrs(addresses & IPV4), cidrs(addresses & IPV6)
    if not (v4 or v6) or len(v4) + len(v6) > _MOST:
        return None
    texts = {}
    if v4:
        texts["cidr_blocks"] = string_list(v4)
    if v6:
        texts["ipv6_cidr_blocks"] = string_list(v6)
    return texts


def _parts(services: IntervalSet) -> Iterator[tuple[str, int, int]]:
    """The services as (protocol, from, to) of a security-group rule; nothing at all where one can't be written so."""
    for low, high in services.pairs:
        number, last = low // WIDTH, high // WIDTH
        if number != last or number not in (TCP, UDP):
            return
    for low, high in services.pairs:
        yield ("tcp" if low // WIDTH == TCP else "udp", low % WIDTH, high % WIDTH)


def _style(group: Resource, direction: Direction, shop: Workshop) -> str:
    """How rules of this group and direction are written: "inline", or the type of the standalone resource."""
    if group.nested(direction.value).configured and (
        group.nested(direction.value).items or group.nested(direction.value).open
    ):
        return "inline"
    new_style = f"aws_vpc_security_group_{direction.value}_rule"
    uses = [r.type for r in shop.resources.values() if _belongs(r, group)]
    for wanted in (new_style, CLASSIC):
        if wanted in uses:
            return wanted
    if any(kind.startswith("aws_vpc_security_group_") for kind in uses):
        return new_style
    other = "egress" if direction is Direction.INGRESS else "ingress"
    if group.type == "aws_default_security_group" or group.nested(other).configured:
        return "inline"
    around = [r.type for r in shop.resources.values() if r.module == group.module]
    if any(kind.startswith("aws_vpc_security_group_") for kind in around):
        return new_style
    if CLASSIC in around:
        return CLASSIC
    inline = any(
        r.type in GROUPS and r.module == group.module and r.nested("ingress").configured
        for r in shop.resources.values()
    )
    return "inline" if inline else new_style


def _belongs(rule: Resource, group: Resource) -> bool:
    if rule.type != CLASSIC and not rule.type.startswith("aws_vpc_security_group_"):
        return False
    target = reference_of(rule.get("security_group_id"))
    return target is not None and target.address == group.address


def _inline(
    change: AddRule, group: Resource, peers: dict[str, str], parts: list[tuple[str, int, int]], shop: Workshop
) -> tuple[Edit, ...] | None:
    source = shop.source(group.origin.file)
    block = block_at(source, group.origin.start_byte) if source is not None else None
    if source is None or block is None:
        return None
    attribute = block.body.attribute(change.direction.value)
    made = []
    for protocol, low, high in parts:
        texts = {
            "description": quoted(_description(change.purpose)),
            "protocol": quoted(protocol),
            "from_port": str(low),
            "to_port": str(high),
        }
        shown = {name: f"[{text}]" if name == "security_groups" else text for name, text in peers.items()}
        if attribute is None:
            made.append(insert_block(source, block, change.direction.value, texts | shown))
            continue
        if not isinstance(attribute.value, Tuple):
            return None
        every = dict.fromkeys(("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups", "self"), "null")
        made.append(append_item(source, attribute.value, texts | every | shown))
    return merged(made)


def _description(purpose: str) -> str:
    allowed = set("._-:/()#,@[]+=&;{}!$* ")
    return "".join(c if (c.isascii() and c.isalnum()) or c in allowed else " " for c in purpose)[:255]


def _standalone(
    style: str,
    change: AddRule,
    place: Place,
    own: str,
    peers: dict[str, str],
    parts: list[tuple[str, int, int]],
    shop: Workshop,
) -> tuple[Edit, ...] | None:
    rules: list[tuple[str, dict[str, str]]] = []
    for protocol, low, high in parts:
        head: dict[str, str] = {}
        if style == CLASSIC:
            head["type"] = quoted(change.direction.value)
        head["security_group_id"] = own
        head["description"] = quoted(_description(change.purpose))
        head["protocol" if style == CLASSIC else "ip_protocol"] = quoted(protocol)
        head["from_port"] = str(low)
        head["to_port"] = str(high)
        stem = f"{place.stem}_{protocol}_{low}" + (f"_{high}" if high != low else "")
        if style == CLASSIC:
            classic = {("source_security_group_id" if k == "security_groups" else k): v for k, v in peers.items()}
            rules.append((stem, head | classic))
        else:
            rules += [(stem, head | single) for single in _singles(peers, own)]
    if len(rules) > _MOST:
        return None
    texts = []
    for stem, attributes in rules:
        name = shop.free_label(style, stem, place.module)
        texts.append(render("resource", (style, name), attributes, "", place.source.newline))
    return (insert_after(place.source, place.anchor, (place.source.newline * 2).join(texts)),)


def _singles(peers: dict[str, str], own: str) -> Iterator[dict[str, str]]:
    """One peer a rule, as aws_vpc_security_group_*_rule wants it."""
    for name, text in peers.items():
        if name == "self":
            yield {"referenced_security_group_id": own}
        elif name == "security_groups":
            yield {"referenced_security_group_id": text}
        else:
            single = "cidr_ipv4" if name == "cidr_blocks" else "cidr_ipv6"
            yield from ({single: part.strip()} for part in text.strip("[]").split(","))


# --- narrowing -------------------------------------------------------------------------------------------------------


def _narrow(change: NarrowRule, holder: Filter, rule: Rule, shop: Workshop) -> tuple[Edit, ...] | None:
    origin = rule.origin
    source = shop.source(origin.file)
    resource = shop.resources.get(origin.address or holder.origin.address or "")
    if source is None or resource is None or not shop.editable(resource):
        return None
    block = block_at(source, origin.start_byte)
    if block is None:
        return _narrow_element(change, rule, source)
    if block.type == "resource" and block.labels[0] in GROUPS:
        return None  # the rule's own place isn't known: nothing that could be edited alone
    if not change.keep:
        return (drop_block(source, block),)
    variants: list[dict[str, str | None]] = []
    for keep in change.keep:
        found = _variants(content(block), keep, rule)
        if found is None:
            return None
        variants += found
    if not variants or len(variants) > _MOST:
        return None
    if len(variants) == 1:
        return tuple(rewrite(source, content(block), variants[0])) or None
    return (_copies(source, block, variants, resource, shop),)


Texts = dict[str, str | None]
"""Which attributes of a rule's block change to what; None: the attribute goes."""


def _variants(block: Block, keep: Keep, rule: Rule) -> list[Texts] | None:
    """The rules that together hold `keep`, as changes of the rule's block; None where it can't be written so."""
    peers = _peer_variants(block, keep)
    if keep.services == rule.services:
        return peers
    parts = list(_parts(keep.services))
    if not parts or peers is None:
        return None
    word = "ip_protocol" if block.body.attribute("ip_protocol") is not None else "protocol"
    return [
        peer | {word: quoted(protocol), "from_port": str(low), "to_port": str(high)}
        for peer in peers
        for protocol, low, high in parts
    ]


def _peer_variants(block: Block, keep: Keep) -> list[Texts] | None:
    v4, v6 = cidrs(keep.addresses & IPV4), cidrs(keep.addresses & IPV6)
    if len(v4) + len(v6) > _MOST:
        return None
    if block.body.attribute("cidr_ipv4") is not None or block.body.attribute("cidr_ipv6") is not None:
        single = [{"cidr_ipv4": quoted(text), "cidr_ipv6": None} for text in v4]
        single += [{"cidr_ipv6": quoted(text), "cidr_ipv4": None} for text in v6]
        return [dict(texts) for texts in single] or None
    texts: Texts = {}
    texts["cidr_blocks"] = string_list(v4) if v4 else None
    texts["ipv6_cidr_blocks"] = string_list(v6) if v6 else None
    if not keep.others:
        texts |= dict.fromkeys(("security_groups", "source_security_group_id", "self", "prefix_list_ids"), None)
    return [texts]


def _copies(source: Source, block: Block, variants: list[Texts], resource: Resource, shop: Workshop) -> Edit:
    """The block once for each variant; copies of a standalone rule get names of their own."""
    start, end = block.span.start, block.span.end
    copies = []
    for number, texts in enumerate(variants):
        edits_here = rewrite(source, content(block), texts)
        if number and block.type == "resource":
            kind, name = block.labels
            free = shop.free_label(kind, f"{name}_{number + 1}", resource.module)
            at = source.data.index(quoted(name).encode(), block.header.start + len(kind))
            edits_here.append(Edit(source.file, at, at + len(quoted(name)), quoted(free)))
        moved = [Edit(source.file, e.start - start, e.end - start, e.text) for e in edits_here]
        copies.append(apply(source.data[start:end], moved).decode("utf-8", "surrogateescape"))
    line = source.data.rfind(b"\n", 0, start) + 1
    indent = source.text(line, start)
    return Edit(source.file, start, end, (source.newline * 2 + indent).join(copies))


def _narrow_element(change: NarrowRule, rule: Rule, source: Source) -> tuple[Edit, ...] | None:
    """The rule is an object of `ingress = [{…}]`: change its items."""
    element = _object_at(source, rule.origin.start_byte)
    if element is None or len(change.keep) != 1:
        return None
    keep = change.keep[0]
    if keep.services != rule.services:
        return None
    made = []
    for name, family in (("cidr_blocks", IPV4), ("ipv6_cidr_blocks", IPV6)):
        found = item(element, name)
        if found is not None:
            left = cidrs(keep.addresses & family)
            made.append(set_value(source, found, string_list(left) if left else "null"))
    if not keep.others:
        for name in ("security_groups", "self", "prefix_list_ids"):
            found = item(element, name)
            if found is not None:
                made.append(set_value(source, found, "null"))
    return tuple(made) if made else None


def _object_at(source: Source, start: int | None) -> Object | None:
    for block in source.body.blocks:
        for attribute in block.body.attributes:
            if isinstance(attribute.value, Tuple):
                for element in attribute.value.items:
                    if isinstance(element, Object) and element.span.start == start:
                        return element
    return None
