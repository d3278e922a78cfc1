"""Functions on lists, sets and tuples: concat, distinct, element, flatten, slice, sort …

Elements that aren't known stay where they are as long as their place is certain.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from lint.terraform.convert import ConversionError, convert, unify
from lint.terraform.functions.collection import is_sequence, not_empty, shown_type
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function, whole
from lint.terraform.guard import leave_out
from lint.terraform.types import DYNAMIC, NUMBER, STRING, ListType, SetType, TupleType, Type, list_of, tuple_of
from lint.terraform.unknowns import choose, equal, one_of
from lint.terraform.values import (
    NO_MARKS,
    Reference,
    Unknown,
    Value,
    identity,
    is_not_null,
    merge_reasons,
    tuple_value,
    unknown_from,
    unknown_reasons,
    unknown_step,
    with_marks,
)

_ANY = Parameter("list", DYNAMIC, unknown=True, partial=True, marked=True)
_MAX_OPEN = 3


@function("chunklist", Parameter("list", list_of(DYNAMIC), partial=True, marked=True), Parameter("size", NUMBER))
def _chunklist(call: Caller, values: Value, size: Value) -> Value:
    length = whole(size)
    if length < 0:
        raise FunctionError("the size argument must be positive")
    data = values.data
    step = length or max(1, len(data))
    chunks = [Value(values.type, data[i : i + step]) for i in range(0, len(data), step)]
    return Value(list_of(values.type), tuple(chunks), values.marks)


@function("compact", Parameter("list", list_of(STRING), partial=True), returns=list_of(STRING))
def _compact(call: Caller, values: Value) -> Value:
    kept: list[Value] = []
    unclear: list[int] = []
    for each in values.data:
        if each.data is None or each.data == "":
            continue
        if isinstance(each.data, Unknown) and not (is_not_null(each) and not_empty(each)):
            unclear.append(len(kept))
        kept.append(each)
    return _with_and_without(values, kept, unclear, list_of(STRING))


def _with_and_without(source: Value, kept: Sequence[Value], unclear: Sequence[int], kind: Type) -> Value:
    """The elements as a list; where it isn't certain whether some belong to it, every list that it may be."""
    if not unclear:
        return Value(kind, tuple(kept))
    candidates: list[Value] = []
    if len(unclear) <= _MAX_OPEN:
        for chosen in itertools.product((True, False), repeat=len(unclear)):
            left_out = {i for i, stays in zip(unclear, chosen) if not stays}
            candidates.append(Value(kind, tuple(v for i, v in enumerate(kept) if i not in left_out)))
    return Value(kind, Unknown(unknown_reasons(source), candidates=tuple(candidates) or None, not_null=True))


@function("concat", variadic=Parameter("seqs", unknown=True, partial=True, marked=True))
def _concat(call: Caller, *values: Value) -> Value:
    if not values:
        raise FunctionError("at least one argument is required")
    marks = NO_MARKS
    unclear = False
    for each in values:
        marks |= each.marks
        if each.type is not DYNAMIC and not isinstance(each.type, (ListType, TupleType)):
            raise FunctionError("all arguments must be lists or tuples")
        unclear = unclear or isinstance(each.data, Unknown)
    if unclear:
        return _concat_unknown(values, marks)
    data = tuple(itertools.chain.from_iterable(v.data for v in values))
    call.budget.elements(len(data))
    if all(isinstance(v.type, ListType) for v in values):
        kind = unify([v.type for v in values])
        if kind is not None:
            element = kind.element if isinstance(kind, ListType) else DYNAMIC
            return Value(list_of(element), tuple(convert(v, element) for v in data), marks)
    return Value(tuple_of([v.type for v in data]), data, marks)


def _concat_unknown(values: Sequence[Value], marks: frozenset[str]) -> Value:
    """Sequences of which one isn't known: the candidates where there are few, else what all elements have in common."""
    options = [v.data.candidates if isinstance(v.data, Unknown) else (v,) for v in values]
    reasons = merge_reasons(*[unknown_reasons(v) for v in values])
    counted = [o for o in options if o is not None]
    total = 1
    for each in counted:
        total *= len(each)
    if len(counted) == len(options) and total <= 16:
        candidates: list[Value] = []
        for combination in itertools.product(*counted):
            if any(not isinstance(c.data, tuple) for c in combination):
                continue
            candidates.append(tuple_value(itertools.chain.from_iterable(c.data for c in combination)))
        if candidates:
            return Value(DYNAMIC, Unknown(reasons, candidates=tuple(candidates), not_null=True), marks)
    # Lists that stay open: whatever their elements have in common, if every one of them is described.
    members: list[Value] = []
    for each_value in values:
        held = each_value.data
        if isinstance(held, Unknown):
            if held.element is None:
                return Value(DYNAMIC, Unknown(reasons, not_null=True), marks)
            members.append(held.element)
        else:
            members.extend(held)
    return Value(DYNAMIC, Unknown(reasons, not_null=True, element=one_of(members, values, None)), marks)


@function("distinct", Parameter("list", list_of(DYNAMIC), partial=True))
def _distinct(call: Caller, values: Value) -> Value:
    if values.known:
        seen: dict[object, Value] = {}
        for each in values.data:
            seen.setdefault(identity(each), each)
        return Value(values.type, tuple(seen.values()))
    kept: list[Value] = []
    unclear: list[int] = []
    for each in values.data:
        call.budget.spend(len(kept))
        found = [equal(each, other).data for other in kept]
        if True in found:
            continue
        if any(isinstance(f, Unknown) for f in found) and not all(_two_ids(each, other) for other in kept):
            unclear.append(len(kept))
        kept.append(each)
    return _with_and_without(values, kept, unclear, values.type)


def _two_ids(one: Value, other: Value) -> bool:
    """Whether two values certainly differ although one isn't known: ids of two resources, or an id and a plain text."""
    first, second = _identified(one), _identified(other)
    if first is not None and second is not None:
        return first != second
    return equal(one, other).data is False


def _identified(value: Value) -> str | None:
    if isinstance(value.data, Unknown) and value.data.reference is not None and value.data.not_null:
        reference = value.data.reference
        return reference.address if reference.path in (("id",), ("arn",)) else None
    return None


@function("element", _ANY, Parameter("index", NUMBER, unknown=True))
def _element(call: Caller, values: Value, position: Value) -> Value:
    data = values.data
    if values.type is not DYNAMIC and not isinstance(values.type, (ListType, TupleType)):
        raise FunctionError(f"cannot read elements from {shown_type(values)}")
    if isinstance(data, Unknown):
        return _element_unknown(values, position)
    if isinstance(position.data, Unknown):
        return with_marks(choose(data, position), values.marks)
    place = whole(position)
    if not data:
        raise FunctionError("cannot use element function with an empty list")
    if place < 0 and place % len(data) and isinstance(values.type, TupleType):
        # Lists count from their end, tuples don't: so it is in Terraform 1.11.
        raise FunctionError("cannot use element function with a negative index")
    return with_marks(data[place % len(data)], values.marks)


def _element_unknown(values: Value, position: Value) -> Value:
    held: Unknown = values.data
    element = values.type.element if isinstance(values.type, ListType) else DYNAMIC
    if held.candidates and not isinstance(position.data, Unknown):
        place = whole(position)
        found = [c.data[place % len(c.data)] for c in held.candidates if isinstance(c.data, tuple) and c.data]
        if found:
            if len(found) < len(held.candidates):
                leave_out()
            return with_marks(one_of(found, (values,), None), values.marks)
    if held.element is not None:
        return with_marks(held.element, values.marks)
    if not isinstance(position.data, Unknown) and whole(position) == 0:
        return unknown_step(values, 0, element)
    # Which element it is depends on the length.
    return unknown_from(element, (values, position))


@function("flatten", _ANY)
def _flatten(call: Caller, values: Value) -> Value:
    if isinstance(values.data, Unknown):
        if values.type is not DYNAMIC and not is_sequence(values):
            raise FunctionError("can only flatten lists, sets and tuples")
        return _flatten_unknown(values)
    if not is_sequence(values):
        raise FunctionError("can only flatten lists, sets and tuples")
    found: list[Value] = []
    open_lists: list[Value] = []
    marks = _flatten_into(call, values, found, open_lists)
    if open_lists:
        return with_marks(_flatten_open(values, found, open_lists), marks)
    return Value(tuple_of([v.type for v in found]), tuple(found), marks)


def _flatten_into(call: Caller, values: Value, found: list[Value], open_lists: list[Value]) -> frozenset[str]:
    marks = values.marks
    for each in values.data:
        call.budget.spend()
        data = each.data
        if data is not None and is_sequence(each):
            if isinstance(data, Unknown):
                open_lists.append(each)
                found.append(each)
                marks |= each.marks
            else:
                marks |= _flatten_into(call, each, found, open_lists)
        else:
            if isinstance(data, Unknown) and each.type is DYNAMIC and not _one_text(data.reference):
                # It may turn out to be a list.
                open_lists.append(each)
            found.append(each)
    return marks


def _one_text(reference: Reference | None) -> bool:
    """Whether an attribute is one text, and no list, by its name alone: nothing else is known of its type."""
    last = reference.path[-1] if reference is not None and reference.path else None
    return isinstance(last, str) and (last in _TEXTS or last.endswith(_TEXT_ENDINGS))


_TEXTS = frozenset(("id", "arn", "name", "cidr_block"))


_TEXT_ENDINGS = ("_id", "_arn", "_name", "_ip", "_address", "_cidr_block")


def _flatten_open(values: Value, found: Sequence[Value], open_lists: Sequence[Value]) -> Value:
    """Some members are lists (or may be) that aren't known: the candidates where there are few."""
    options: list[list[tuple[Value, ...]]] = []
    total = 1
    opened = {id(v) for v in open_lists}
    for each in found:
        if id(each) not in opened:
            options.append([(each,)])
            continue
        if each.data.candidates is None:
            total = 1000
            break
        spread: list[tuple[Value, ...]] = []
        for candidate in each.data.candidates:
            if isinstance(candidate.data, tuple):
                spread.append(candidate.data)
            else:
                spread.append((candidate,))
        options.append(spread)
        total *= len(spread)
    reasons = unknown_reasons(values)
    if total <= 16:
        candidates = [tuple_value(itertools.chain.from_iterable(c)) for c in itertools.product(*options)]
        if not any(is_sequence(v) for c in candidates for v in c.data):
            return Value(DYNAMIC, Unknown(reasons, candidates=tuple(candidates), not_null=True))
    members: list[Value] = []
    for each in found:
        if id(each) in opened:
            if each.data.element is None:
                return Value(DYNAMIC, Unknown(reasons, not_null=True))
            members.append(each.data.element)
        else:
            members.append(each)
    return Value(DYNAMIC, Unknown(reasons, not_null=True, element=one_of(members, (values,), None)))


def _flatten_unknown(values: Value) -> Value:
    held: Unknown = values.data
    element = held.element
    if element is not None and is_sequence(element):
        if isinstance(element.data, Unknown):
            element = element.data.element
        else:
            element = one_of(element.data, (values,), None) if element.data else None
    if element is not None and is_sequence(element):
        element = None
    return Value(DYNAMIC, Unknown(held.reasons, not_null=True, element=element), values.marks)


@function(
    "matchkeys",
    Parameter("values", list_of(DYNAMIC), partial=True),
    Parameter("keys", list_of(DYNAMIC), partial=True),
    Parameter("searchset", list_of(DYNAMIC), partial=True),
)
def _matchkeys(call: Caller, values: Value, keys: Value, searchset: Value) -> Value:
    kind = unify([keys.type, searchset.type])
    if kind is None:
        raise FunctionError("keys and searchset must be of the same type")
    if len(values.data) != len(keys.data):
        raise FunctionError("length of keys and values should be equal")
    if not searchset.data:
        return Value(values.type, ())
    try:
        keys, searchset = convert(keys, kind), convert(searchset, kind)
    except ConversionError as problem:
        raise FunctionError(str(problem)) from None
    kept: list[Value] = []
    for key, value in zip(keys.data, values.data):
        call.budget.spend(len(searchset.data))
        found = [equal(key, each).data for each in searchset.data]
        if True in found:
            kept.append(value)
        elif any(isinstance(f, Unknown) for f in found):
            return unknown_from(values.type, (keys, searchset), not_null=True)
    return Value(values.type, tuple(kept))


@function("reverse", Parameter("list", partial=True, marked=True))
def _reverse(call: Caller, values: Value) -> Value:
    kind = values.type
    if isinstance(kind, TupleType):
        return Value(tuple_of(kind.elements[::-1]), values.data[::-1], values.marks)
    if isinstance(kind, (ListType, SetType)):
        if isinstance(kind, SetType) and len(values.data) > 1 and not values.known:
            return unknown_from(list_of(kind.element), (values,), not_null=True)
        return Value(list_of(kind.element), values.data[::-1], values.marks)
    raise FunctionError(f"can only reverse list or tuple values, not {shown_type(values)}")


@function(
    "slice",
    Parameter("list", partial=True, marked=True),
    Parameter("start_index", NUMBER),
    Parameter("end_index", NUMBER),
)
def _slice(call: Caller, values: Value, start: Value, end: Value) -> Value:
    if isinstance(values.type, SetType):
        raise FunctionError("cannot slice a set, because its elements do not have indices")
    if not isinstance(values.type, (ListType, TupleType)):
        raise FunctionError("must be a list or tuple value")
    first, last = whole(start), whole(end)
    if first < 0 or last < 0:
        raise FunctionError("start and end index must not be less than zero")
    if first > len(values.data) or last > len(values.data):
        raise FunctionError("start and end index must not be greater than the length of the list")
    if first > last:
        raise FunctionError("start index must not be greater than end index")
    data = values.data[first:last]
    kind: Type = values.type if isinstance(values.type, ListType) else tuple_of([v.type for v in data])
    return Value(kind, data, values.marks)


@function("sort", Parameter("list", list_of(STRING), partial=True), returns=list_of(STRING))
def _sort(call: Caller, values: Value) -> Value:
    if not values.known:
        if len(values.data) < 2:
            return values
        return unknown_from(list_of(STRING), (values,), not_null=True)
    if any(v.data is None for v in values.data):
        raise FunctionError("a list element is null; a null string cannot be sorted")
    return Value(values.type, tuple(sorted(values.data, key=_text)))


def _text(value: Value) -> str:
    text: str = value.data
    return text
