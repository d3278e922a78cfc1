"""Writes a list of CIDRs as the module already calls it: a variable or local that holds just these addresses.

Whether it really does, whatever sets it, is for the proof to say. Knows no cloud.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from lint.fix.changes import AddRoute, AddRule, Change
from lint.fix.edits import Edit
from lint.fix.hcl import Source, quoted, string_list
from lint.fix.workshop import Workshop
from lint.space.addresses import IPV4, REAL, cidrs, parse_cidrs
from lint.space.intervals import IntervalSet
from lint.terraform.syntax.tree import Expression, Literal, Template, Tuple

_NAME = re.compile(r"[A-Za-z_][\w-]*\.[A-Za-z_][\w-]*")


def loses_names(edits: tuple[Edit, ...], shop: Workshop) -> bool:
    """Whether the edits overwrite the names of variables, locals or instances: where the value is written is better."""
    return any(
        set(_NAME.findall((shop.data(edit.file) or b"")[edit.start : edit.end].decode("utf-8", "replace")))
        - set(_NAME.findall(edit.text))
        for edit in edits
        if edit.end > edit.start
    )


def worded(edits: tuple[Edit, ...], change: Change, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    """The same edits with names in place of literal CIDRs, for each name that fits."""
    if any(edit.file.endswith(".tfvars") for edit in edits):
        return  # values are given there, nothing is named
    if isinstance(change, AddRoute):
        parts: tuple[IntervalSet, ...] = (change.destinations,)
    else:
        parts = (change.peers.addresses,) if isinstance(change, AddRule) else tuple(k.addresses for k in change.keep)
    for addresses in dict.fromkeys(parts):
        for family in (addresses & IPV4, (addresses & REAL) - IPV4):
            texts = cidrs(family)
            if not texts:
                continue
            written = {True: string_list(texts), False: quoted(texts[0]) if len(texts) == 1 else ""}
            for name, listed in _names(edits[0].file, family, shop):
                old = written[listed]
                if old and any(_whole(old, edit.text) for edit in edits):
                    yield tuple(
                        replace(edit, text=edit.text.replace(old, name)) if _whole(old, edit.text) else edit
                        for edit in edits
                    )


def _whole(old: str, text: str) -> bool:
    """Whether the literal stands alone as a value: a single CIDR that is an element of a list isn't replaced."""
    return old in text and (old.startswith("[") or text.strip() == old or f"= {old}" in text)


def _names(file: str, addresses: IntervalSet, shop: Workshop) -> Iterator[tuple[str, bool]]:
    """The variables and locals of the module that hold these addresses, and whether each is a list."""
    for name in shop.files_beside(file):
        source = shop.source(name)
        if source is None:
            continue
        for word, value in _values(source):
            found = _addresses(value)
            if found is not None and found == addresses:
                yield word, isinstance(value, Tuple)


def _values(source: Source) -> Iterator[tuple[str, Expression]]:
    for block in source.body.blocks:
        if block.type == "variable" and block.labels:
            default = block.body.attribute("default")
            if default is not None:
                yield f"var.{block.labels[0]}", default.value
        elif block.type == "locals":
            for attribute in block.body.attributes:
                yield f"local.{attribute.name}", attribute.value


def _addresses(value: Expression) -> IntervalSet | None:
    """The addresses of a CIDR or a list of CIDRs that is written out; None where it isn't one."""
    items = value.items if isinstance(value, Tuple) else (value,)
    texts = [_text(item) for item in items]
    if not texts or any(text is None or "/" not in text for text in texts):
        return None
    try:
        return parse_cidrs(*(text for text in texts if text is not None))
    except ValueError:
        return None


def _text(value: Expression) -> str | None:
    if isinstance(value, Literal):
        return value.value if isinstance(value.value, str) else None
    if isinstance(value, Template) and len(value.parts) == 1 and isinstance(value.parts[0], Literal):
        return _text(value.parts[0])
    return None
