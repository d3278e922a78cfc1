"""Functions on sets: setintersection, setproduct, setsubtract, setunion."""

from __future__ import annotations

import itertools

from lint.terraform.convert import ConversionError, convert, unify
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.types import DYNAMIC, ListType, SetType, TupleType, Type, list_of, set_of, tuple_of
from lint.terraform.values import NO_MARKS, Unknown, Value, identity, set_value, unknown_from

_FIRST = Parameter("first_set", set_of(DYNAMIC), partial=True)
_OTHERS = Parameter("other_sets", set_of(DYNAMIC), partial=True)


def _alike(sets: tuple[Value, ...]) -> list[Value]:
    """All sets with one element type. Raises FunctionError where there is none."""
    elements: list[Type] = []
    for each in sets:
        assert isinstance(each.type, SetType)
        if not each.data and each.type.element is DYNAMIC:
            continue
        elements.append(each.type.element)
    common = unify(elements) if elements else DYNAMIC
    if common is None:
        raise FunctionError("given sets must all have compatible element types")
    try:
        alike = [convert(each, set_of(common)) for each in sets]
    except ConversionError as problem:
        raise FunctionError(str(problem)) from None
    if len({each.type for each in alike}) > 1 and all(each.known for each in alike):
        raise FunctionError("given sets must all have the same element type")
    return alike


def _element(value: Value) -> Type:
    return value.type.element if isinstance(value.type, SetType) else DYNAMIC


@function("setunion", _FIRST, variadic=_OTHERS)
def _setunion(call: Caller, *sets: Value) -> Value:
    alike = _alike(sets)
    members = [m for each in alike for m in each.data]
    call.budget.elements(len(members))
    return set_value(_element(alike[0]), members)


@function("setintersection", _FIRST, variadic=_OTHERS)
def _setintersection(call: Caller, *sets: Value) -> Value:
    alike = _alike(sets)
    if not all(each.known for each in alike):
        return unknown_from(alike[0].type, alike, not_null=True)
    kept = list(alike[0].data)
    for each in alike[1:]:
        members = {identity(m) for m in each.data}
        kept = [m for m in kept if identity(m) in members]
    return set_value(_element(alike[0]), kept)


@function("setsubtract", Parameter("a", set_of(DYNAMIC), partial=True), Parameter("b", set_of(DYNAMIC), partial=True))
def _setsubtract(call: Caller, first: Value, second: Value) -> Value:
    alike = _alike((first, second))
    if not all(each.known for each in alike):
        if not alike[0].data or not alike[1].data:
            return alike[0]
        return unknown_from(alike[0].type, alike, not_null=True)
    members = {identity(m) for m in alike[1].data}
    return set_value(_element(alike[0]), [m for m in alike[0].data if identity(m) not in members])


@function("setproduct", variadic=Parameter("sets", unknown=True, partial=True, marked=True))
def _setproduct(call: Caller, *sets: Value) -> Value:
    if len(sets) < 2:
        raise FunctionError("at least two arguments are required")
    elements: list[Type] = []
    ordered = True
    marks = NO_MARKS
    total = 1
    unclear = False
    for each in sets:
        kind = each.type
        if isinstance(kind, (SetType, ListType)):
            elements.append(kind.element)
            ordered = ordered and isinstance(kind, ListType)
        elif isinstance(kind, TupleType):
            common = unify(kind.elements) if kind.elements else DYNAMIC
            if common is None:
                raise FunctionError("all elements must be of the same type")
            elements.append(common)
        elif kind is DYNAMIC and isinstance(each.data, Unknown):
            elements.append(DYNAMIC)
        else:
            raise FunctionError("a set or a list is required")
        marks |= each.marks
        if isinstance(each.data, Unknown):
            unclear = True
        else:
            total *= len(each.data)
    member = tuple_of(elements)
    result = list_of(member) if ordered else set_of(member)
    if unclear:
        made = unknown_from(result, sets, not_null=True)
        return Value(made.type, made.data, marks)
    call.budget.elements(total * len(sets))
    try:
        converted = [[convert(m, of) for m in each.data] for each, of in zip(sets, elements)]
    except ConversionError as problem:
        raise FunctionError(str(problem)) from None
    rows = [Value(tuple_of([v.type for v in row]), row) for row in itertools.product(*converted)]
    kinds = {row.type for row in rows}
    if len(kinds) > 1 and all(row.known for row in rows):
        raise FunctionError("the elements of one of the lists have different types")
    kind = rows[0].type if len(kinds) == 1 else member
    if ordered:
        return Value(list_of(kind), tuple(rows), marks)
    made = set_value(kind, rows)
    return Value(made.type, made.data, made.marks | marks)
