"""What `count` and `for_each` make of a block: which instances there are, and what each sees. Evaluates no expressions.

Source: "The count Meta-Argument" and "The for_each Meta-Argument" in Terraform's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lint.origin import Origin, Reason
from lint.terraform.convert import ConversionError, convert
from lint.terraform.types import DYNAMIC, NUMBER, STRING, ListType, SetType, TupleType
from lint.terraform.values import (
    SENSITIVE,
    Unknown,
    Value,
    candidates_of,
    marks_deep,
    number,
    object_value,
    string,
    unknown,
)

MAX_INSTANCES = 10_000
"""So many instances of one block are evaluated; more are reported and stay unknown."""
MAX_CANDIDATES = 64


class RepetitionProblem(Exception):
    """A `count` or `for_each` that Terraform refuses, or one that is too large; the sentence says which."""

    def __init__(self, text: str, *, budget: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.budget = budget


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance: its key, what it sees (`each` or `count`), and whether it certainly exists."""

    key: str | int | None
    names: Mapping[str, Value]
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Instances:
    """All instances of a block. `how` is "single", "count" or "for_each"; `reasons` says why they aren't known.

    Where they aren't known there is one instance with the key "*" that stands for any number of them.
    """

    how: str
    items: tuple[Instance, ...]
    reasons: tuple[Reason, ...] = ()

    @property
    def known(self) -> bool:
        """Whether exactly these instances exist."""
        return not self.reasons


SINGLE = Instances("single", (Instance(None, {}),))


def counted(value: Value) -> Instances:
    """The instances that a value of `count` makes. Raises RepetitionProblem."""
    if value.data is None:
        raise RepetitionProblem("count is null; it must be a whole number")
    try:
        size = convert(value, NUMBER)
    except ConversionError as problem:
        raise RepetitionProblem(f"count must be a whole number: {problem}") from None
    if isinstance(size.data, Unknown):
        return unclear("count", size.data.reasons)
    amount = size.data
    if not amount.integral or (amount.negative and amount.mantissa):
        raise RepetitionProblem("count must be a whole number, zero or more")
    if amount.exponent > 64 or int(amount) > MAX_INSTANCES:
        raise RepetitionProblem(f"count asks for more than {MAX_INSTANCES:,} instances", budget=True)
    made = [Instance(i, {"count": object_value({"index": number(i)})}) for i in range(int(amount))]
    return Instances("count", tuple(made))


def repeated(value: Value) -> Instances:
    """The instances that a value of `for_each` makes. Raises RepetitionProblem."""
    if SENSITIVE in marks_deep(value) and SENSITIVE in value.marks:
        reason = Reason("for_each is derived from a sensitive value", "tf.sensitive-for-each")
        return unclear("for_each", (reason,))
    data = value.data
    if data is None:
        raise RepetitionProblem("for_each is null; it must be a map or a set of strings")
    if isinstance(data, Unknown):
        return unclear("for_each", data.reasons, value)
    if isinstance(data, dict):
        pairs = list(data.items())
    elif isinstance(value.type, SetType):
        pairs = []
        for element in data:
            if isinstance(element.data, Unknown):
                return unclear("for_each", element.data.reasons)
            if not isinstance(element.data, str):
                raise RepetitionProblem("for_each takes a set of strings, or a map; this set holds something else")
            pairs.append((element.data, element))
    elif isinstance(value.type, (ListType, TupleType)):
        raise RepetitionProblem("for_each takes a map or a set of strings, not a list; wrap it in toset()")
    else:
        raise RepetitionProblem("for_each must be a map or a set of strings")
    if len(pairs) > MAX_INSTANCES:
        raise RepetitionProblem(f"for_each asks for more than {MAX_INSTANCES:,} instances", budget=True)
    made = [Instance(key, each_of(string(key), element)) for key, element in sorted(pairs, key=lambda p: p[0])]
    return Instances("for_each", tuple(made))


def each_of(key: Value, value: Value) -> dict[str, Value]:
    """What an instance of `for_each` sees."""
    return {"each": object_value({"key": key, "value": value})}


def unclear(how: str, reasons: tuple[Reason, ...], value: Value | None = None) -> Instances:
    """One instance that stands for an unknown number, when `count` or `for_each` isn't known."""
    if how == "count":
        index = object_value({"index": unknown(NUMBER, reasons)})
        return Instances(how, (Instance("*", {"count": index}, False),), reasons)
    key, element = unclear_element(reasons, value)
    return Instances(how, (Instance("*", each_of(key, element), False),), reasons)


def unclear_element(reasons: tuple[Reason, ...], value: Value | None) -> tuple[Value, Value]:
    """Key and value of any element of a collection that isn't known; bounded where the collection has candidates."""
    keys: list[Value] | None = []
    values: list[Value] | None = []
    candidates = candidates_of(value) if value is not None else None
    if value is not None and isinstance(value.data, Unknown) and value.data.element is not None:
        return unknown(DYNAMIC, reasons), value.data.element
    for candidate in candidates or ():
        data = candidate.data
        if isinstance(data, dict):
            pairs = [(string(name), each) for name, each in data.items()]
        elif isinstance(data, tuple):
            keyed = isinstance(candidate.type, SetType)
            pairs = [(each if keyed else number(i), each) for i, each in enumerate(data)]
        elif data is None:
            pairs = []
        else:
            return unknown(DYNAMIC, reasons), unknown(DYNAMIC, reasons)
        for name, each in pairs:
            if keys is not None and values is not None:
                keys.append(name)
                values.append(each)
                if len(values) > MAX_CANDIDATES:
                    keys = values = None
    if not keys or not values:
        return unknown(DYNAMIC, reasons), unknown(DYNAMIC, reasons)
    key_type = STRING if all(k.type is STRING for k in keys) else DYNAMIC
    kinds = {each.type for each in values}
    kind = kinds.pop() if len(kinds) == 1 else DYNAMIC
    if len(values) == 1:
        return keys[0], values[0]
    return (
        unknown(key_type, reasons, candidates=keys),
        unknown(kind, reasons, candidates=values),
    )


def at(reasons: tuple[Reason, ...], origin: Origin) -> tuple[Reason, ...]:
    """Reasons without a place of their own get that of the block."""
    return tuple(r if r.origin is not None else Reason(r.text, r.code, origin, r.remedy) for r in reasons)
