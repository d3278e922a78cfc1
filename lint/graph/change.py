"""Changed copies of the graph's things, the thing itself where nothing changes. Knows no meaning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Thing = TypeVar("Thing", bound="DataclassInstance")


def changed(thing: Thing, **changes: Any) -> Thing:
    """The thing with these fields; the thing itself where they are its own, so that equal things stay shared."""
    if all(getattr(thing, name) == value for name, value in changes.items()):
        return thing
    return replace(thing, **changes)
