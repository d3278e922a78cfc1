"""Which groups and subnets a resource names, found by reference in any attribute, whatever its name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lint.aws.from_terraform.index import Found, Index, Node
from lint.aws.from_terraform.network import SUBNET_TYPES
from lint.aws.from_terraform.types import GROUP_TYPES, MERE_TEXT, SUBNET_GROUP_TYPES
from lint.origin import Reason
from lint.terraform.resources import Nested
from lint.terraform.values import Value, as_text, is_known, is_null, unknown_reasons

_GROUP_ATTRIBUTE = re.compile(r"(?<!source_)security_groups?(_ids?|_id_list|_names?)?$|^(sg|sgs|sg_ids?)$")
_NOT_ATTACHED = frozenset({"source_security_group", "source_security_group_id", "security_group_names"})
_SUBNET_ATTRIBUTE = re.compile(r"^(.*_)?subnets?(_ids?)?$|^vpc_zone_identifier$")
_GROUP_ID = re.compile(r"^(\d{12}/)?sg-[0-9a-zA-Z]+$")
_SUBNET_ID = re.compile(r"^subnet-[0-9a-zA-Z]+$")


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that an attribute names. `certain` False: one of several, or of a block that may not be there."""

    path: tuple[str, ...]
    found: Found
    certain: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """What a resource names in all of its attributes. The `open` ones say why there may be more."""

    groups: tuple[Named, ...]
    groups_open: tuple[Reason, ...]
    subnets: tuple[Named, ...]
    subnets_open: tuple[Reason, ...]
    says_groups: bool  # whether an attribute for groups is set at all, be it to an empty list


# Attribute names that lead to a value, the value, whether it is all of the attribute (no element of a list), whether it
# is certain to be
# there, and why not.
Leaf = tuple[tuple[str, ...], Value, bool, bool, tuple[Reason, ...]]


def names_of(index: Index, node: Node) -> Names:
    """Every group and subnet that the attributes of a resource refer to."""
    groups: list[Named] = []
    subnets: list[Named] = []
    groups_open: list[Reason] = []
    subnets_open: list[Reason] = []
    says_groups = False
    for path, value, whole, certain, reasons in _leaves(node):
        attribute = path[-1]
        about_groups = bool(_GROUP_ATTRIBUTE.search(attribute)) and attribute not in _NOT_ATTACHED
        about_subnets = bool(_SUBNET_ATTRIBUTE.search(attribute))
        says_groups = says_groups or about_groups
        if is_null(value):
            continue
        known = is_known(value)
        text = as_text(value) if known else None
        if known and not text:
            continue
        if text is not None and not about_groups and not about_subnets and not _looks_like_id(text):
            continue
        found, complete, why = index.find(node.root, value)
        if not known and whole and attribute.endswith(("s", "_list")) and (about_groups or about_subnets):
            complete, why = False, unknown_reasons(value)  # the list itself isn't known
        if not complete:
            if about_groups:
                groups_open += why
            elif about_subnets:
                subnets_open += why
            continue
        sure = certain and len(found) == 1
        for each in found:
            kind = _kind(index, each, about_groups, about_subnets, attribute)
            if kind == "group":
                for one in _by_name(index, each, about_groups):
                    groups.append(Named(path, one, sure, (*reasons, *why) if not sure else ()))
            elif kind == "subnet":
                subnets.append(Named(path, each, sure, (*reasons, *why) if not sure else ()))
            elif kind == "subnet list":
                subnets_open += why
            elif kind == "group list":
                groups_open += why
    return Names(
        tuple(groups),
        tuple(dict.fromkeys(groups_open)),
        tuple(subnets),
        tuple(dict.fromkeys(subnets_open)),
        says_groups,
    )


def _looks_like_id(text: str) -> bool:
    return bool(_GROUP_ID.match(text) or _SUBNET_ID.match(text))


def _kind(index: Index, found: Found, about_groups: bool, about_subnets: bool, attribute: str) -> str:
    """Whether a reference means a group, a subnet, or neither."""
    node = found.node
    last = found.path[-1] if found.path else "id"
    if node is None:
        if found.path:  # a reference to a resource that isn't there
            return "group" if about_groups else "subnet" if about_subnets else ""
        if _GROUP_ID.match(found.text):
            return "group"
        if _SUBNET_ID.match(found.text):
            return "subnet"
        return "group" if about_groups else ""
    if node.type in GROUP_TYPES:
        return "group" if about_groups or last == "id" else ""
    if node.type in SUBNET_TYPES:
        return "subnet" if last == "id" else ""
    if last == "ids":
        return "group list" if node.type == "aws_security_groups" else "subnet list" if about_subnets else ""
    if node.type in SUBNET_GROUP_TYPES:
        return ""
    if about_groups or str(last).endswith("security_group_id"):
        return "group"
    return "subnet" if about_subnets and attribute != "db_subnet_group_name" else ""


def _by_name(index: Index, found: Found, about_groups: bool) -> list[Found]:
    """A group may be named by its name (EC2-Classic style `security_groups`)."""
    if found.node is not None or found.path or not about_groups or _GROUP_ID.match(found.text):
        return [found]
    named = [n for t in ("aws_security_group", "aws_default_security_group") for n in index.by_name(t, found.text)]
    return [Found(named[0], ("name",), found.text)] if len(named) == 1 else [found]


def _leaves(node: Node) -> Iterator[Leaf]:
    """Every primitive or unknown value of a resource with the attribute names that lead to it."""
    yield from _of_values(node.resource.values, (), True, ())
    yield from _of_blocks(node.resource.blocks, (), True, ())


def _of_values(
    values: Mapping[str, Value], path: tuple[str, ...], certain: bool, reasons: tuple[Reason, ...]
) -> Iterator[Leaf]:
    for name, value in values.items():
        if name in MERE_TEXT:
            continue
        yield from _of_value(value, (*path, name), True, certain, reasons)


def _of_value(
    value: Value, path: tuple[str, ...], whole: bool, certain: bool, reasons: tuple[Reason, ...]
) -> Iterator[Leaf]:
    data = value.data
    if isinstance(data, dict):
        yield from _of_values(data, path, certain, reasons)
    elif isinstance(data, tuple):
        if not data:
            yield path, Value(value.type, None), whole, certain, reasons
        for each in data:
            yield from _of_value(each, path, False, certain, reasons)
    else:
        yield path, value, whole, certain, reasons


def _of_blocks(
    blocks: Mapping[str, tuple[Nested, ...]], path: tuple[str, ...], certain: bool, reasons: tuple[Reason, ...]
) -> Iterator[Leaf]:
    for name, held in blocks.items():
        if name in MERE_TEXT:
            continue
        for each in held:
            sure = certain and each.certain
            yield from _of_values(each.values, (*path, name), sure, (*reasons, *each.reasons))
            yield from _of_blocks(each.blocks, (*path, name), sure, (*reasons, *each.reasons))
