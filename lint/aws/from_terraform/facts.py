"""Taking plain facts out of Terraform values: what one certainly is, what it may be, and why that isn't known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from lint.origin import Origin, Reason
from lint.space.addresses import cidrs, parse_cidr, position
from lint.space.intervals import EMPTY, IntervalSet
from lint.terraform.resources import Nested, Resource
from lint.terraform.values import (
    Value,
    as_bool,
    as_int,
    as_text,
    candidates_of,
    entries,
    is_known,
    is_null,
    items,
    unknown_reasons,
    within_of,
)

T = TypeVar("T")

MAX_CANDIDATES = 32


@dataclass(frozen=True, slots=True)
class Options(Generic[T]):
    """What a value may be.

    `values` lists everything that it may be where `complete`; else it may be anything (`reasons`).
    """

    values: tuple[T, ...]
    complete: bool
    reasons: tuple[Reason, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether it is one known thing."""
        return self.complete and len(self.values) == 1


def options(value: Value | None, convert: Callable[[Value], T | None]) -> Options[T | None]:
    """Everything that a primitive value may be; None among them stands for null or for an attribute that isn't set."""
    if value is None or is_null(value):
        return Options((None,), True)
    if is_known(value):
        return Options((convert(value),), True)
    candidates = candidates_of(value)
    reasons = unknown_reasons(value)
    if candidates is None or len(candidates) > MAX_CANDIDATES:
        return Options((), False, reasons)
    found: dict[T | None, None] = {}
    for candidate in candidates:
        inner = options(candidate, convert)
        if not inner.complete:
            return Options((), False, reasons)
        found.update(dict.fromkeys(inner.values))
    return Options(tuple(found), True, reasons)


def text(value: Value | None) -> str | None:
    """The text of a value that is certain; None otherwise."""
    return None if value is None else as_text(value)


def whole(value: Value | None) -> int | None:
    """The whole number of a value that is certain; None otherwise."""
    return None if value is None else as_int(value)


def truth(value: Value | None, default: bool) -> bool | None:
    """A bool; `default` where it isn't set; None where it isn't known or makes no sense."""
    if value is None or is_null(value):
        return default
    return as_bool(value)


def place(written: str | None) -> int | None:
    """The place of one address; None where the text is none."""
    try:
        return position(written) if written else None
    except ValueError:
        return None


def is_set(value: Value | None) -> bool:
    """Whether an attribute says something, be it unknown. States write an empty text where nothing is set."""
    return value is not None and not is_null(value) and value.data != ""


def network_of(cidr: str) -> str:
    """The CIDR with its host bits cleared; itself where it has none, or where a lone address is written."""
    head, slash, length = cidr.partition("/")
    if not slash:
        return cidr
    found = cidrs(parse_cidr(cidr))[0]
    place, own = position(head), parse_cidr(cidr).first
    return cidr if place == own else f"{found.partition('/')[0]}/{length}"


def members(value: Value | None) -> tuple[tuple[Value, ...], tuple[Reason, ...]]:
    """The elements of a list attribute, and why there may be others. A single value counts as a list of itself.

    Of a list that is one of several candidates, the elements of all are given, and it is open.
    """
    if value is None or is_null(value):
        return (), ()
    if not is_known(value):
        return (), unknown_reasons(value)
    found = items(value)
    return ((value,), ()) if found is None else (found, ())


def strings(value: Value | None) -> list[str]:
    """The known texts of a list."""
    return [t for t in (as_text(v) for v in members(value)[0]) if t is not None]


def cidr_bounds(value: Value, family: IntervalSet) -> tuple[IntervalSet, IntervalSet]:
    """What an unknown address range (or list of them) certainly holds, and what it may hold.

    As its candidates or the range around it say, else nothing and the whole family.
    """
    candidates = candidates_of(value)
    if candidates is not None and len(candidates) <= MAX_CANDIDATES:
        must: IntervalSet | None = None
        may = EMPTY
        for candidate in candidates:
            if not is_known(candidate):
                return EMPTY, family
            held = EMPTY
            for each in items(candidate) or (() if is_null(candidate) else (candidate,)):
                written = as_text(each)
                try:
                    held = held | parse_cidr(written or "?")
                except ValueError:
                    return EMPTY, family
            must = held if must is None else must & held
            may = may | held
        return must or EMPTY, may
    within = within_of(value)
    if within is not None:
        try:
            return EMPTY, parse_cidr(within)
        except ValueError:
            return EMPTY, family
    return EMPTY, family


def tags_of(resource: Resource) -> tuple[tuple[tuple[str, str], ...], tuple[Reason, ...]]:
    """The tags of a resource, the provider's default tags under them, and why there may be others."""
    found: dict[str, str] = {}
    reasons: list[Reason] = []
    for value in (_default_tags(resource), resource.values.get("tags_all"), resource.values.get("tags")):
        if value is None or is_null(value):
            continue
        held = entries(value)
        if held is None:
            reasons += unknown_reasons(value)
            continue
        for key, each in held.items():
            written = as_text(each)
            if written is not None:
                found[key] = written
            elif not is_null(each):
                reasons += unknown_reasons(each)
    return tuple(sorted(found.items())), tuple(dict.fromkeys(reasons))


def _default_tags(resource: Resource) -> Value | None:
    held = resource.provider_values.get("default_tags")
    if held is None or not is_known(held):
        return held
    first = held
    if isinstance(held.data, tuple):
        if not held.data:
            return None
        first = held.data[0]
    inside = entries(first)
    return inside.get("tags") if inside is not None else None


def origin_of(thing: Resource | Nested, attribute: str) -> Origin:
    """The place of an attribute where one is known, else of the block."""
    return thing.origins.get(attribute, thing.origin)
