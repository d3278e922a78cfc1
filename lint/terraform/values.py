"""Values of the Terraform language with types, unknowns and marks (Terraform's own model is cty). Knows no expressions.

A Value is immutable. `data` by type: bool; `numbers.Number`; str (NFC); tuple of Values for list, set (in Terraform's
order) and tuple; dict name -> Value, in order of the names, for map and object; None for null; an Unknown for a value
that the source doesn't determine. A list may hold unknown elements: then the list itself is known, and its length too.

Clouds read values with the accessors below (`as_text`, `as_int`, `as_bool`, `items`, `entries`, `is_known` …) and build
none. Every accessor that can't answer says None; `is_null` and `unknown_reasons` tell why.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from lint.origin import Reason
from lint.terraform.numbers import Number
from lint.terraform.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    MapType,
    ObjectType,
    TupleType,
    Type,
    list_of,
    map_of,
    object_of,
    set_of,
    tuple_of,
)

SENSITIVE = "sensitive"
EPHEMERAL = "ephemeral"
NO_MARKS: frozenset[str] = frozenset()
MAX_REASONS = 12
"""An unknown names at most so many reasons; further ones are dropped."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The identity that an unknown value still has: attribute path `path` of the resource at `address`.

    `Reference("aws_security_group.a", ("id",))` is what `aws_security_group.a.id` gives before apply. It survives
    locals, variables, outputs, modules and functions that pass a value on. A variable that nobody gave a value is
    `Reference("var.x", ())`, an output of a module that isn't installed `Reference("module.m", ("out",))`: two uses of
    them are the same value, whatever it is.
    """

    address: str
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """What stands in `Value.data` where a value isn't known: why, and what is known of it all the same.

    `reference` is the resource attribute it will be, if it is one. `candidates`: it is certainly one of these values.
    `within`: a CIDR that certainly holds it (the value is an address or CIDR text). `prefix`: text it certainly starts
    with. `not_null` as in cty. `attributes`: what is known of an object that isn't known as a whole (a resource before
    apply has the attributes that its configuration sets, and others). `element`: what every element of a collection of
    unknown length is (the instances of a resource whose `count` isn't known). `pieces`: the text is exactly these, one
    after the other: known texts and attributes of resources (`"${aws_eip.a.public_ip}/32"`).
    """

    reasons: tuple[Reason, ...]
    reference: Reference | None = None
    candidates: tuple[Value, ...] | None = None
    within: str | None = None
    prefix: str | None = None
    not_null: bool = False
    attributes: Mapping[str, Value] | None = field(default=None, compare=False)
    element: Value | None = field(default=None, compare=False)
    pieces: tuple[str | Reference, ...] | None = None


class Value:
    """One value: its type (see `types`), its data and its marks ("sensitive", "ephemeral"). Immutable.

    `size` counts the value and everything in it (long text counts more), `depth` its levels; `known` tells whether all
    of it is known, `plain` whether nothing in it is marked. Equal by type, data and marks.
    """

    __slots__ = ("data", "depth", "known", "marks", "plain", "size", "type")

    type: Type
    data: Any
    marks: frozenset[str]
    size: int
    depth: int
    known: bool
    plain: bool

    def __init__(self, type: Type, data: Any, marks: frozenset[str] = NO_MARKS) -> None:
        self.type = type
        self.data = data
        self.marks = marks
        kind = data.__class__
        if kind is tuple or kind is dict:
            size, depth, known, plain = 1, 0, True, not marks
            for each in data if kind is tuple else data.values():
                size += each.size
                if each.depth > depth:
                    depth = each.depth
                known = known and each.known
                plain = plain and each.plain
            self.size = size
            self.depth = depth + 1
            self.known = known
            self.plain = plain
        else:
            self.size = 1 + (len(data) >> 6) if kind is str else 1
            self.depth = 0
            self.known = kind is not Unknown
            self.plain = not marks

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return self is other or (
            self.type is other.type and self.marks == other.marks and bool(self.data == other.data)
        )

    def __hash__(self) -> int:
        return hash((self.type, identity(self)))

    def __repr__(self) -> str:
        marks = f", marks={sorted(self.marks)}" if self.marks else ""
        return f"Value({self.type}, {self.data!r}{marks})"


# Constructors


def normal(text: str) -> str:
    """Text in NFC, as Terraform keeps all text."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def string(text: str) -> Value:
    """A string, normalised to NFC."""
    return Value(STRING, normal(text))


def number(size: int | float | Decimal | Number) -> Value:
    """A number. Raises ValueError for NaN, NumberRangeError beyond what is computed."""
    return Value(NUMBER, size if isinstance(size, Number) else Number.of(size))


def boolean(truth: bool) -> Value:
    """`true` or `false`."""
    return TRUE if truth else FALSE


def null(of: Type = DYNAMIC) -> Value:
    """The null of a type; without a type the untyped null."""
    return Value(of, None)


def unknown(
    of: Type,
    reasons: Iterable[Reason],
    *,
    reference: Reference | None = None,
    candidates: Iterable[Value] | None = None,
    within: str | None = None,
    prefix: str | None = None,
    not_null: bool = False,
    marks: frozenset[str] = NO_MARKS,
) -> Value:
    """A value that isn't known, with at least one reason why; see Unknown."""
    kept = None if candidates is None else tuple(candidates)
    return Value(of, Unknown(merge_reasons(reasons), reference, kept, within, prefix, not_null), marks)


def list_value(element: Type, elements: Iterable[Value]) -> Value:
    """A list; every element is of the element type."""
    return Value(list_of(element), tuple(elements))


def tuple_value(elements: Iterable[Value]) -> Value:
    """A tuple."""
    data = tuple(elements)
    return Value(tuple_of([e.type for e in data]), data)


def map_value(element: Type, elements: Mapping[str, Value]) -> Value:
    """A map; every element is of the element type."""
    return Value(map_of(element), in_order(elements))


def object_value(attributes: Mapping[str, Value]) -> Value:
    """An object."""
    data = in_order(attributes)
    return Value(object_of({name: v.type for name, v in data.items()}), data)


def set_value(element: Type, elements: Iterable[Value]) -> Value:
    """A set: equal elements once, in Terraform's order; marks of elements move to the set itself.

    An element that isn't known stands behind the known ones; whether it equals one of them isn't known.
    """
    marks: frozenset[str] = NO_MARKS
    distinct: dict[object, Value] = {}
    for each in elements:
        plain, found = unmark_deep(each)
        marks |= found
        distinct.setdefault(identity(plain), plain)
    data = sorted(distinct.values(), key=cmp_to_key(_compare_members)) if len(distinct) > 1 else distinct.values()
    return Value(set_of(element), tuple(data), marks)


def in_order(elements: Mapping[str, Value]) -> dict[str, Value]:
    """The same elements in the order of their names, which is the order in which Terraform iterates."""
    names = list(elements)
    ordered = sorted(names)
    return dict(elements) if names == ordered else {name: elements[name] for name in ordered}


def from_python(data: object) -> Value:
    """JSON-like Python data as values: lists are tuples, dicts objects. Raises TypeError for anything else."""
    if data is None:
        return NULL
    if isinstance(data, bool):
        return TRUE if data else FALSE
    if isinstance(data, str):
        return string(data)
    if isinstance(data, (int, float, Decimal, Number)):
        return number(data)
    if isinstance(data, (list, tuple)):
        return tuple_value([from_python(e) for e in data])
    if isinstance(data, Mapping):
        return object_value({normal(str(k)): from_python(v) for k, v in data.items()})
    raise TypeError(f"{type(data).__name__} has no counterpart in Terraform")


TRUE = Value(BOOL, True)
FALSE = Value(BOOL, False)
NULL = Value(DYNAMIC, None)
EMPTY_TUPLE = tuple_value(())
EMPTY_OBJECT = object_value({})

# Accessors


def is_known(value: Value) -> bool:
    """Whether the value itself is known (null is known; elements may be unknown)."""
    return not isinstance(value.data, Unknown)


def is_null(value: Value) -> bool:
    """Whether it is certainly null."""
    return value.data is None


def is_not_null(value: Value) -> bool:
    """Whether it is certainly not null."""
    return value.data.not_null if isinstance(value.data, Unknown) else value.data is not None


def is_wholly_known(value: Value) -> bool:
    """Whether the value and everything in it is known."""
    return value.known


def is_marked(value: Value, mark: str = SENSITIVE) -> bool:
    """Whether the value itself carries the mark."""
    return mark in value.marks


def unknown_reasons(value: Value) -> tuple[Reason, ...]:
    """Why the value, or anything in it, isn't known; () where it is wholly known."""
    found: dict[Reason, None] = {}
    _collect_reasons(value, found)
    return tuple(found)[:MAX_REASONS]


def reference_of(value: Value) -> Reference | None:
    """The resource attribute that an unknown value will be, if it is one."""
    return value.data.reference if isinstance(value.data, Unknown) else None


def pieces_of(value: Value) -> tuple[str | Reference, ...] | None:
    """The texts and attributes that a text exactly is, one after the other; None where that isn't known."""
    data = value.data
    if isinstance(data, str):
        return (data,) if data else ()
    if not isinstance(data, Unknown):
        return None
    return (data.reference,) if data.reference is not None else data.pieces


def candidates_of(value: Value) -> tuple[Value, ...] | None:
    """The values of which it is certainly one: itself where it is known, None where nothing is known."""
    return value.data.candidates if isinstance(value.data, Unknown) else (value,)


def within_of(value: Value) -> str | None:
    """The CIDR that certainly holds an unknown address or CIDR text."""
    return value.data.within if isinstance(value.data, Unknown) else None


def prefix_of(value: Value) -> str | None:
    """The text with which an unknown string certainly starts."""
    return value.data.prefix if isinstance(value.data, Unknown) else None


def as_text(value: Value) -> str | None:
    """A string, number or bool as text; None where it is unknown, null, or no primitive."""
    data = value.data
    if isinstance(data, str):
        return data
    if isinstance(data, bool):
        return "true" if data else "false"
    return data.text() if isinstance(data, Number) else None


def as_number(value: Value) -> Number | None:
    """A number, or a string that converts to one; None otherwise."""
    data = value.data
    if isinstance(data, Number):
        return data
    if isinstance(data, str):
        try:
            return Number.parse(data)
        except (ValueError, ArithmeticError):
            return None
    return None


def as_int(value: Value) -> int | None:
    """A whole number, or a string that converts to one; None where it is unknown, null, fractional or no number."""
    found = as_number(value)
    return int(found) if found is not None and found.integral and found.exponent < 1024 else None


def as_bool(value: Value) -> bool | None:
    """A bool, or a string that converts to one; None otherwise."""
    data = value.data
    if isinstance(data, bool):
        return data
    return {"true": True, "1": True, "false": False, "0": False}.get(data) if isinstance(data, str) else None


def items(value: Value) -> tuple[Value, ...] | None:
    """The elements of a list, set or tuple, or the values of a map or object in order of the names.

    () for null. None where the collection isn't known, or where the value is no collection.
    """
    data = value.data
    if isinstance(data, tuple):
        return data
    if isinstance(data, dict):
        return tuple(data.values())
    return () if data is None else None


def entries(value: Value) -> Mapping[str, Value] | None:
    """The elements of a map or object by name; empty for null; None where it isn't known or is something else."""
    data = value.data
    if isinstance(data, dict):
        return data
    return {} if data is None else None


def get(value: Value, *path: str | int) -> Value | None:
    """The value at a path of attribute names and indexes; None where there is none.

    Below an unknown value it is an unknown with the same reasons, and a longer reference where there is one.
    """
    for step in path:
        data = value.data
        if isinstance(data, Unknown):
            value = unknown_step(value, step)
            continue
        found: Value | None = None
        if isinstance(data, dict) and isinstance(step, str):
            found = data.get(step)
        elif isinstance(data, tuple) and isinstance(step, int) and 0 <= step < len(data):
            found = data[step]
        if found is None:
            return None
        value = _marked_as(found, value)
    return value


# Marks and unknowns


def with_marks(value: Value, marks: Iterable[str]) -> Value:
    """The value with further marks."""
    added = frozenset(marks)
    return value if added <= value.marks else Value(value.type, value.data, value.marks | added)


def unmark(value: Value) -> Value:
    """The value without marks of its own; its elements keep theirs."""
    return Value(value.type, value.data) if value.marks else value


def unmark_deep(value: Value) -> tuple[Value, frozenset[str]]:
    """The value without any mark, also inside, and all marks that were found."""
    marks = marks_deep(value)
    return (_strip(value), marks) if marks else (value, NO_MARKS)


def marks_deep(value: Value) -> frozenset[str]:
    """All marks of the value and of everything in it."""
    marks = value.marks
    if value.plain:
        return marks
    data = value.data
    if isinstance(data, tuple):
        for each in data:
            marks = marks | marks_deep(each)
    elif isinstance(data, dict):
        for each in data.values():
            marks = marks | marks_deep(each)
    return marks


def merge_reasons(*groups: Iterable[Reason]) -> tuple[Reason, ...]:
    """All reasons once, in order, at most MAX_REASONS."""
    found: dict[Reason, None] = {}
    for group in groups:
        for each in group:
            found[each] = None
            if len(found) >= MAX_REASONS:
                return tuple(found)
    return tuple(found)


def unknown_from(of: Type, sources: Iterable[Value], *, not_null: bool = False) -> Value:
    """An unknown whose reasons and marks are those of the values that it was made from."""
    values = tuple(sources)
    marks = NO_MARKS
    for each in values:
        marks = marks | marks_deep(each)
    return Value(of, Unknown(merge_reasons(*[unknown_reasons(v) for v in values]), not_null=not_null), marks)


def unknown_step(value: Value, step: str | int, of: Type = DYNAMIC) -> Value:
    """An attribute or element of an unknown value: unknown for the same reasons, its reference a step longer."""
    held: Unknown = value.data
    if held.attributes is not None and isinstance(step, str) and step in held.attributes:
        return _marked_as(held.attributes[step], value)
    if held.element is not None and held.attributes is None:
        return _marked_as(held.element, value)
    reference = held.reference
    if reference is not None:
        reference = Reference(reference.address, (*reference.path, step))
    candidates: tuple[Value, ...] | None = None
    if held.candidates is not None:
        found = [get(c, step) for c in held.candidates]
        present = {identity(c): c for c in found if c is not None}
        if None not in found:
            if len(present) == 1:
                return _marked_as(next(iter(present.values())), value)
            candidates = tuple(present.values()) or None
    # A resource always has an id, and an ARN where it has that attribute.
    not_null = reference is not None and reference.path in (("id",), ("arn",))
    return Value(of, Unknown(held.reasons, reference, candidates, not_null=not_null), value.marks)


def refined(value: Value, **changes: Any) -> Value:
    """The unknown value with fields of its Unknown changed."""
    return Value(value.type, replace(value.data, **changes), value.marks)


def identity(value: Value) -> object:
    """A hashable thing that is equal for equal values of one type; marks don't count.

    An unknown is identical to itself only: two unknowns are the same if they carry the same reference, or are texts
    of the same pieces.
    """
    data = value.data
    if isinstance(data, tuple):
        return (value.type, *[identity(e) for e in data])
    if isinstance(data, dict):
        return (value.type, *[(k, identity(v)) for k, v in data.items()])
    if isinstance(data, Unknown):
        return (Unknown, data.reference or data.pieces or id(data))
    if isinstance(data, bool):
        return (bool, data)
    return data


def to_json(value: Value) -> str:
    """JSON text as `jsonencode` writes it. Raises ValueError where anything is unknown or infinite."""
    parts: list[str] = []
    _write_json(value, parts)
    return "".join(parts)


def json_text(text: str) -> str:
    """A JSON string literal with Go's escapes (`<`, `>`, `&` and the line separators too)."""
    return f'"{_JSON_SPECIAL.sub(_json_escape, text)}"'


def _json_escape(found: re.Match[str]) -> str:
    char = found.group()
    return _JSON_SHORT.get(char) or f"\\u{ord(char):04x}"


_JSON_SPECIAL = re.compile('["\\\\<>&\\x00-\\x1f\u2028\u2029]')
_JSON_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def _write_json(value: Value, parts: list[str]) -> None:
    data = value.data
    if data is None:
        parts.append("null")
    elif isinstance(data, str):
        parts.append(json_text(data))
    elif isinstance(data, bool):
        parts.append("true" if data else "false")
    elif isinstance(data, Number):
        if data.infinite:
            raise ValueError("an infinity has no JSON")
        parts.append(data.text())
    elif isinstance(data, tuple):
        parts.append("[")
        for i, each in enumerate(data):
            if i:
                parts.append(",")
            _write_json(each, parts)
        parts.append("]")
    elif isinstance(data, dict):
        parts.append("{")
        for i, (name, each) in enumerate(data.items()):
            parts.append(f"{',' if i else ''}{json_text(name)}:")
            _write_json(each, parts)
        parts.append("}")
    else:
        raise ValueError("a value that isn't known has no JSON")


def _marked_as(value: Value, owner: Value) -> Value:
    return with_marks(value, owner.marks) if owner.marks else value


def _strip(value: Value) -> Value:
    if value.plain:
        return value
    data = value.data
    if isinstance(data, tuple):
        return Value(value.type, tuple(_strip(e) for e in data))
    if isinstance(data, dict):
        return Value(value.type, {k: _strip(v) for k, v in data.items()})
    return Value(value.type, data)


def _collect_reasons(value: Value, found: dict[Reason, None]) -> None:
    if value.known or len(found) >= MAX_REASONS:
        return
    data = value.data
    if isinstance(data, Unknown):
        for each in data.reasons:
            found[each] = None
    elif isinstance(data, tuple):
        for each in data:
            _collect_reasons(each, found)
    elif isinstance(data, dict):
        for each in data.values():
            _collect_reasons(each, found)


def _compare_members(left: Value, right: Value) -> int:
    """Terraform's order of the members of a set: by value for primitives, by a text of the whole value otherwise."""
    one: Any = left.data
    two: Any = right.data
    # Nulls stand last, unknowns before them.
    rank = _member_rank(one) - _member_rank(two)
    if rank or one is None or isinstance(one, Unknown):
        return rank
    if isinstance(one, (str, bool, Number)):
        return 0 if one == two else -1 if one < two else 1
    first, second = _member_text(left).encode(), _member_text(right).encode()
    return (first > second) - (first < second)


def _member_rank(data: object) -> int:
    return 2 if data is None else 1 if isinstance(data, Unknown) else 0


def _member_text(value: Value) -> str:
    data = value.data
    if isinstance(data, Unknown):
        return "?"
    if data is None:
        return "~"
    if isinstance(data, bool):
        return "T" if data else "F"
    if isinstance(data, str):
        return go_quoted(data)
    if isinstance(data, Number):
        return number_brief(data)
    if isinstance(value.type, MapType):
        return "{" + "".join(f"{go_quoted(k)}:{_member_text(v)};" for k, v in data.items()) + "}"
    elements: Sequence[Value] = tuple(data.values()) if isinstance(data, dict) else data
    inner = "".join(f"{_member_text(e)};" for e in elements)
    return f"<{inner}>" if isinstance(value.type, (ObjectType, TupleType)) else f"[{inner}]"


def number_brief(data: Number) -> str:
    """A number with ten significant digits, as Go's `%.10g`: `22`, `0.3333333333`, `1e+30`."""
    if data.infinite:
        return "-Inf" if data.negative else "+Inf"
    sign = "-" if data.negative else ""
    digits, point = data.rounded_digits(10)
    if not digits:
        return f"{sign}0"
    power = point - 1
    if power < -4 or power >= 10:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    return f"{sign}{digits[:point]}.{digits[point:]}"


def go_quoted(text: str) -> str:
    """Text as a double-quoted literal of Go (`%q`)."""
    parts = ['"']
    for char in text:
        code = ord(char)
        if char in '"\\':
            parts.append("\\" + char)
        elif char in _GO_SHORT:
            parts.append(_GO_SHORT[char])
        elif char == " " or (char.isprintable() and code != 0xFFFD) or code == 0xFFFD:
            parts.append(char)
        elif code < 0x20 or code == 0x7F:
            parts.append(f"\\x{code:02x}")
        else:
            parts.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    parts.append('"')
    return "".join(parts)


_GO_SHORT = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
