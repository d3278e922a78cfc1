"""Taking facts out of JSON that nobody has checked:

every accessor bears a missing key, a null, and a value of another type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lint.space.addresses import parse_cidr, position
from lint.space.intervals import EMPTY, IntervalSet


def text(item: Any, *path: str) -> str | None:
    """The text at a path of keys; numbers count; None where there is none or it is empty."""
    for key in path:
        item = item.get(key) if isinstance(item, dict) else None
    if isinstance(item, str):
        return item or None
    return str(item) if isinstance(item, int) and not isinstance(item, bool) else None


def whole(item: Any, key: str) -> int | None:
    """A whole number, also where it was written as text."""
    value = item.get(key) if isinstance(item, dict) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return None
    return None


def truth(item: Any, key: str) -> bool | None:
    """A bool, also where it was written as text; None where there is none."""
    value = item.get(key) if isinstance(item, dict) else None
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def listed(item: Any, key: str) -> Iterator[dict[str, Any]]:
    """The objects of a list."""
    value = item.get(key) if isinstance(item, dict) else None
    if isinstance(value, dict):
        value = [value]
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            yield each


def texts(item: Any, key: str) -> list[str]:
    """The texts of a list."""
    value = item.get(key) if isinstance(item, dict) else None
    return [e for e in value if isinstance(e, str) and e] if isinstance(value, list) else []


def tags_of(item: Any) -> tuple[tuple[str, str], ...]:
    """`Tags` or `TagSet` as sorted pairs."""
    found: dict[str, str] = {}
    for key in ("Tags", "TagSet", "TagList"):
        for each in listed(item, key):
            name = text(each, "Key")
            if name is not None:
                found[name] = text(each, "Value") or ""
    return tuple(sorted(found.items()))


def name_of(item: Any, otherwise: str) -> str:
    """The Name tag, else what is given."""
    return dict(tags_of(item)).get("Name") or otherwise


def addresses(written: str | None) -> IntervalSet:
    """A CIDR or address; nothing where the text is none."""
    try:
        return parse_cidr(written) if written else EMPTY
    except ValueError:
        return EMPTY


def place(written: str | None) -> int | None:
    """The place of one address; None where the text is none."""
    try:
        return position(written) if written else None
    except ValueError:
        return None
