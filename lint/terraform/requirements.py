"""Which versions of a provider a configuration takes: `required_providers` as bounds, and what the lock file chose.

Knows no provider.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lint.terraform.syntax.tree import Block, Expression, Literal, Object

Version = tuple[int, int, int]
_CONSTRAINT = re.compile(r"\s*(>=|<=|~>|!=|=|>|<)?\s*v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:[-+].*)?\s*")
NEVER: Version = (1 << 30, 0, 0)


def required(blocks: Iterable[Block]) -> Iterator[tuple[str, str]]:
    """Provider (the last part of its source, else its local name) and constraint, of each entry."""
    for block in blocks:
        for inner in block.body.blocks:
            if inner.type != "required_providers":
                continue
            for attribute in inner.body.attributes:
                entries = _entries(attribute.value)
                version = _text(attribute.value) or entries.get("version")
                if version is not None:
                    yield entries.get("source", attribute.name).rpartition("/")[2].lower(), version


def locked(blocks: Iterable[Block]) -> Iterator[tuple[str, str]]:
    """Provider and exact version of each entry of a dependency lock file (`.terraform.lock.hcl`)."""
    for block in blocks:
        attribute = block.body.attribute("version")
        version = _text(attribute.value) if attribute is not None else None
        if block.type == "provider" and block.labels and version is not None:
            yield block.labels[0].rpartition("/")[2].lower(), f"= {version}"


def bounds(constraints: Iterable[str]) -> tuple[Version, Version]:
    """The lowest version that all constraints take, and the first one above that none of them all takes."""
    low, high = (0, 0, 0), NEVER
    for text in constraints:
        for part in text.split(","):
            found = _CONSTRAINT.fullmatch(part)
            if found is None:
                continue
            operator = found.group(1) or "="
            given = [int(one) for one in found.groups()[1:] if one is not None]
            major, minor, patch = (*given, 0, 0)[:3]
            version = (major, minor, patch)
            above = (major, minor, patch + 1)
            if operator in (">=", ">", "=", "~>"):
                low = max(low, above if operator == ">" else version)
            if operator == "<":
                high = min(high, version)
            elif operator in ("<=", "="):
                high = min(high, above)
            elif operator == "~>" and len(given) > 1:  # only the last given number may grow
                high = min(high, (major, minor + 1, 0) if len(given) == 3 else (major + 1, 0, 0))
    return low, high


def _text(value: Expression) -> str | None:
    return value.value if isinstance(value, Literal) and isinstance(value.value, str) else None


def _entries(value: Expression) -> dict[str, str]:
    """The literal texts of an object, by key."""
    found: dict[str, str] = {}
    for item in value.items if isinstance(value, Object) else ():
        key = getattr(item.key, "name", None) or _text(item.key)
        text = _text(item.value)
        if isinstance(key, str) and text is not None:
            found[key] = text
    return found
