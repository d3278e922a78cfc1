"""Functions on collections of any kind, and choices among values: length, contains, one, alltrue, coalesce …"""

from __future__ import annotations

from lint.terraform.convert import ConversionError, convert, unify
from lint.terraform.functions.graphemes import clusters
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.guard import leave_out
from lint.terraform.numbers import Number
from lint.terraform.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    friendly_name,
    list_of,
)
from lint.terraform.unknowns import equal, one_of
from lint.terraform.values import (
    FALSE,
    TRUE,
    Unknown,
    Value,
    is_not_null,
    null,
    prefix_of,
    unknown_from,
    unknown_reasons,
    unknown_step,
)


def is_sequence(value: Value) -> bool:
    """Whether it is a list, set or tuple."""
    return isinstance(value.type, (ListType, SetType, TupleType))


def shown_type(value: Value) -> str:
    """The type of a value as messages name it."""
    return friendly_name(value.type)


@function("alltrue", Parameter("list", list_of(BOOL), partial=True), returns=BOOL)
def _alltrue(call: Caller, values: Value) -> Value:
    unclear = False
    for each in values.data:
        if each.data is None or each.data is False:
            return FALSE
        unclear = unclear or isinstance(each.data, Unknown)
    return Value(BOOL, Unknown(unknown_reasons(values), not_null=True)) if unclear else TRUE


@function("anytrue", Parameter("list", list_of(BOOL), partial=True), returns=BOOL)
def _anytrue(call: Caller, values: Value) -> Value:
    unclear = False
    for each in values.data:
        if each.data is True:
            return TRUE
        unclear = unclear or isinstance(each.data, Unknown)
    return Value(BOOL, Unknown(unknown_reasons(values), not_null=True)) if unclear else FALSE


@function("coalesce", variadic=Parameter("vals", null=True, unknown=True, partial=True))
def _coalesce(call: Caller, *values: Value) -> Value:
    kind = unify([v.type for v in values])
    if kind is None:
        raise FunctionError("all arguments must have the same type")
    passed: list[Value] = []
    for each in values:
        try:
            value = convert(each, kind)
        except ConversionError:
            continue  # Terraform passes over it as if it were null
        if isinstance(value.data, Unknown):
            if is_not_null(value) and (value.type is not STRING or not_empty(value)):
                passed.append(value)
                break
            passed.append(value)
            continue
        if value.data is None or (kind is STRING and value.data == ""):
            continue
        passed.append(value)
        break
    else:
        if not passed:
            raise FunctionError("no non-null, non-empty-string arguments")
    if len(passed) == 1 and not isinstance(passed[0].data, Unknown):
        return passed[0]
    if len(passed) == 1:
        held: Unknown = passed[0].data
        if not (is_not_null(passed[0]) and (kind is not STRING or not_empty(passed[0]))):
            leave_out()
        return Value(
            passed[0].type,
            Unknown(
                held.reasons,
                held.reference,
                _usable(held.candidates),
                held.within,
                held.prefix,
                True,
                held.attributes,
                held.element,
                held.pieces,
            ),
        )
    options: list[Value] = []
    for each in passed:
        options.extend(_usable(each.data.candidates) or [each] if isinstance(each.data, Unknown) else [each])
    result = one_of(options, passed, kind)
    if isinstance(result.data, Unknown):
        held = result.data
        return Value(result.type, Unknown(held.reasons, candidates=held.candidates, within=held.within, not_null=True))
    return result


def _usable(candidates: tuple[Value, ...] | None) -> tuple[Value, ...] | None:
    if candidates is None:
        return None
    kept = tuple(c for c in candidates if c.data is not None and c.data != "")
    return kept or None


def not_empty(value: Value) -> bool:
    """Whether an unknown string is certainly not empty: it starts with something, or is an id the cloud will give."""
    held: Unknown = value.data
    if prefix_of(value) or held.within or any(isinstance(piece, str) for piece in held.pieces or ()):
        return True
    if held.candidates is not None and all(c.data for c in held.candidates):
        return True
    return held.reference is not None and held.not_null and held.reference.path[-1:] in (("id",), ("arn",))


@function("coalescelist", variadic=Parameter("vals", null=True, unknown=True, partial=True))
def _coalescelist(call: Caller, *values: Value) -> Value:
    if not values:
        raise FunctionError("at least one argument is required")
    for each in values:
        if isinstance(each.data, Unknown):
            return unknown_from(DYNAMIC, values)
        if not isinstance(each.type, (ListType, TupleType)):
            raise FunctionError("coalescelist arguments must be lists or tuples")
    for each in values:
        if each.data:
            return each
    raise FunctionError("no non-null arguments")


@function("contains", Parameter("list", partial=True), Parameter("value", partial=True), returns=BOOL)
def _contains(call: Caller, values: Value, wanted: Value) -> Value:
    if not is_sequence(values):
        raise FunctionError("argument must be list, tuple, or set")
    unclear: list[Value] = []
    for each in values.data:
        found = equal(wanted, each)
        if found.data is True:
            return TRUE
        if isinstance(found.data, Unknown):
            unclear.append(found)
    return unknown_from(BOOL, unclear, not_null=True) if unclear else FALSE


@function("index", Parameter("list", partial=True), Parameter("value", partial=True), returns=NUMBER)
def _index(call: Caller, values: Value, wanted: Value) -> Value:
    if not isinstance(values.type, (ListType, TupleType)):
        raise FunctionError("argument must be a list or tuple")
    if not values.data:
        raise FunctionError("cannot search an empty list")
    for i, each in enumerate(values.data):
        found = equal(each, wanted)
        if isinstance(found.data, Unknown):
            return unknown_from(NUMBER, (values, wanted), not_null=True)
        if found.data:
            return Value(NUMBER, Number(False, i, 0, 64))
    raise FunctionError("item not found")


@function("length", Parameter("value", unknown=True, partial=True, marked=True), returns=NUMBER)
def _length(call: Caller, value: Value) -> Value:
    kind, data = value.type, value.data
    count: int | None = None
    if isinstance(kind, TupleType):
        count = len(kind.elements)
    elif isinstance(kind, ObjectType):
        count = len(kind.attributes)
    elif kind is STRING or isinstance(kind, (ListType, MapType, SetType)) or kind is DYNAMIC:
        if isinstance(data, str):
            count = len(clusters(data))
        elif isinstance(data, Unknown):
            return _length_unknown(value)
        elif isinstance(kind, SetType) and len(data) > 1 and not value.known:
            # Members that aren't known may turn out to be equal.
            return Value(NUMBER, Unknown(unknown_reasons(value), not_null=True), value.marks)
        else:
            count = len(data)
    if count is None:
        raise FunctionError("argument must be a string, a collection type, or a structural type")
    return Value(NUMBER, Number(False, count, 0, 64), value.marks)


def _length_unknown(value: Value) -> Value:
    held: Unknown = value.data
    if held.candidates is not None:
        counts = [_count(c) for c in held.candidates]
        known = [c for c in counts if c is not None]
        if len(known) == len(counts):
            return one_of([Value(NUMBER, Number(False, c, 0, 64)) for c in known], (value,), NUMBER)
    return Value(NUMBER, Unknown(held.reasons, not_null=True), value.marks)


def _count(value: Value) -> int | None:
    data = value.data
    if isinstance(data, str):
        return len(clusters(data))
    if isinstance(data, (tuple, dict)) and not (isinstance(value.type, SetType) and len(data) > 1 and not value.known):
        return len(data)
    return None


@function("one", Parameter("list", unknown=True, partial=True))
def _one(call: Caller, values: Value) -> Value:
    kind, data = values.type, values.data
    refused = "must be a list, set, or tuple value with either zero or one elements"
    if isinstance(data, Unknown):
        if isinstance(kind, TupleType) and len(kind.elements) == 1:
            return unknown_step(values, 0, kind.elements[0])
        if kind is not DYNAMIC and not is_sequence(values):
            raise FunctionError(refused)
        return _one_unknown(call, values)
    if not is_sequence(values) or (isinstance(kind, TupleType) and len(data) > 1):
        raise FunctionError(refused)
    if not data:
        return null(kind.element if isinstance(kind, (ListType, SetType)) else DYNAMIC)
    if len(data) == 1:
        first: Value = data[0]
        return first
    if isinstance(kind, SetType) and not values.known:
        return one_of(data, (values,), None)
    raise FunctionError(refused)


def _one_unknown(call: Caller, values: Value) -> Value:
    held: Unknown = values.data
    element = values.type.element if isinstance(values.type, (ListType, SetType)) else DYNAMIC
    if held.candidates is not None:
        found: list[Value] = []
        for each in held.candidates:
            if isinstance(each.data, tuple) and len(each.data) <= 1:
                found.append(each.data[0] if each.data else null(element))
        if found:
            if len(found) < len(held.candidates):
                leave_out()
            return one_of(found, (values,), None)
    if held.element is not None:
        # None or one: null, or what every element is.
        return one_of((held.element, null(held.element.type)), (values,), None)
    return unknown_from(element, (values,))
