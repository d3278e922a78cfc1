"""Functions on maps and objects: keys, lookup, merge, transpose, values, zipmap."""

from __future__ import annotations

from collections.abc import Sequence

from lint.terraform.convert import ConversionError, convert
from lint.terraform.functions.collection import shown_type
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.guard import leave_out
from lint.terraform.types import (
    DYNAMIC,
    STRING,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
    list_of,
    map_of,
    tuple_of,
)
from lint.terraform.unknowns import lift, one_of
from lint.terraform.values import (
    EMPTY_OBJECT,
    NO_MARKS,
    Unknown,
    Value,
    in_order,
    merge_reasons,
    object_value,
    tuple_value,
    unknown_from,
    unknown_reasons,
    unknown_step,
    with_marks,
)


@function("keys", Parameter("inputMap", unknown=True, partial=True, marked=True))
def _keys(call: Caller, mapping: Value) -> Value:
    kind = mapping.type
    if isinstance(kind, ObjectType):
        names = [Value(STRING, name) for name in kind.attributes]
        return Value(tuple_of([STRING] * len(names)), tuple(names), mapping.marks)
    if kind is not DYNAMIC and not isinstance(kind, MapType):
        raise FunctionError("must have map or object type")
    if isinstance(mapping.data, Unknown):
        held: Unknown = mapping.data
        if held.candidates is not None and all(isinstance(c.data, dict) for c in held.candidates):
            return one_of([_keys(call, c) for c in held.candidates], (mapping,), None)
        of = list_of(STRING) if isinstance(kind, MapType) else DYNAMIC
        return Value(of, Unknown(held.reasons, not_null=True), mapping.marks)
    return Value(list_of(STRING), tuple(Value(STRING, name) for name in mapping.data), mapping.marks)


@function(
    "lookup",
    Parameter("inputMap", unknown=True, partial=True, marked=True),
    Parameter("key", STRING, unknown=True, marked=True),
    variadic=Parameter("default", null=True, unknown=True, partial=True, marked=True),
)
def _lookup(call: Caller, mapping: Value, key: Value, *default: Value) -> Value:
    if len(default) > 1:
        raise FunctionError("lookup() takes two or three arguments")
    kind = mapping.type
    fallback = default[0] if default else None
    marks = mapping.marks | key.marks
    if kind is not DYNAMIC and not isinstance(kind, (ObjectType, MapType)):
        raise FunctionError("lookup() requires a map as the first argument")
    element: Type = DYNAMIC
    if isinstance(kind, MapType):
        element = kind.element
        if fallback is not None:
            try:
                fallback = convert(fallback, element)
            except ConversionError:
                raise FunctionError("the default value must have the same type as the map elements") from None
    if isinstance(key.data, Unknown):
        members = list(mapping.data.values()) if isinstance(mapping.data, dict) else []
        options = [*members, *([fallback] if fallback is not None else [])]
        if options and isinstance(mapping.data, dict):
            return with_marks(one_of(options, (key,), None), marks)
        return with_marks(unknown_from(element, (mapping, key)), marks)
    name = key.data
    if isinstance(mapping.data, Unknown):
        return with_marks(_lookup_unknown(call, mapping, key, fallback, element), marks)
    found = mapping.data.get(name)
    if found is not None:
        return with_marks(found, marks)
    if fallback is not None:
        return with_marks(fallback, marks)
    if isinstance(kind, ObjectType):
        raise FunctionError(f'the given object has no attribute "{name}"')
    raise FunctionError("lookup failed to find the key" if key.marks else f'lookup failed to find key "{name}"')


def _lookup_unknown(call: Caller, mapping: Value, key: Value, fallback: Value | None, element: Type) -> Value:
    held: Unknown = mapping.data
    kind = mapping.type
    if isinstance(kind, ObjectType):
        if key.data in kind.attributes:
            return unknown_step(mapping, key.data, kind.attributes[key.data])
        if fallback is not None:
            return fallback
        raise FunctionError(f'the given object has no attribute "{key.data}"')
    if held.candidates is not None and all(isinstance(c.data, dict) for c in held.candidates):
        results: list[Value] = []
        for each in held.candidates:
            found = each.data.get(key.data)
            if found is not None:
                results.append(found)
            elif fallback is not None:
                results.append(fallback)
        if results:
            if len(results) < len(held.candidates):
                leave_out()
            return one_of(results, (mapping,), None)
    if held.attributes is not None and key.data in held.attributes:
        return unknown_step(mapping, key.data)
    if fallback is None:
        return unknown_step(mapping, key.data, element)
    return unknown_from(element, (mapping, fallback))


@function("merge", variadic=Parameter("maps", null=True, unknown=True, partial=True, marked=True))
def _merge(call: Caller, *maps: Value) -> Value:
    if not maps:
        return EMPTY_OBJECT
    marks = NO_MARKS
    checked = True
    for each in maps:
        # Behind an untyped null Terraform checks types no more: what has no elements, or texts as its keys, will do.
        checked = checked and each.type is not DYNAMIC
        mapping = each.type is DYNAMIC or isinstance(each.type, (MapType, ObjectType))
        strings = isinstance(each.type, SetType) and each.type.element is STRING
        if not mapping and (checked or (each.data != () and not strings)):
            raise FunctionError(f'arguments must be maps or objects, got "{shown_type(each)}"')
        marks |= each.marks
    if any(isinstance(m.data, Unknown) for m in maps):
        return _merge_unknown(call, maps, marks)
    if all(m.type is DYNAMIC for m in maps):
        # Untyped nulls only.
        return Value(EMPTY_OBJECT.type, {}, marks)
    result: dict[str, Value] = {}
    kinds: list[Type] = []
    for each in maps:
        if each.data is None:
            kinds.append(EMPTY_OBJECT.type if isinstance(each.type, ObjectType) or each.type is DYNAMIC else each.type)
            continue
        kinds.append(each.type)
        result.update(each.data if isinstance(each.data, dict) else {v.data: v for v in each.data})
    call.budget.elements(len(result))
    first = kinds[0]
    if all(k is first for k in kinds) and isinstance(first, MapType):
        return Value(first, in_order(result), marks)
    return with_marks(object_value(result), marks)


def _merge_unknown(call: Caller, maps: Sequence[Value], marks: frozenset[str]) -> Value:
    """Maps of which some aren't known: what stands in the known ones behind the last unknown one is certain."""
    reasons = merge_reasons(*[unknown_reasons(m) for m in maps])
    lifted = lift(maps, lambda each: _merge(call, *each), FunctionError)
    if lifted is not None:
        return with_marks(lifted, marks)
    certain: dict[str, Value] = {}
    for each_map in maps:
        if isinstance(each_map.data, Unknown):
            certain = {}
            if isinstance(each_map.type, ObjectType):
                for name, kind in each_map.type.attributes.items():
                    certain[name] = unknown_step(each_map, name, kind)
            elif each_map.data.attributes is not None:
                certain.update(each_map.data.attributes)
        elif each_map.data is not None:
            certain.update(each_map.data)
    if all(not isinstance(m.data, Unknown) or isinstance(m.type, ObjectType) for m in maps):
        whole_of: dict[str, Value] = {}
        for each_map in maps:
            if isinstance(each_map.data, Unknown) and isinstance(each_map.type, ObjectType):
                for name, kind in each_map.type.attributes.items():
                    whole_of[name] = unknown_step(each_map, name, kind)
            elif each_map.data is not None:
                whole_of.update(each_map.data)
        return with_marks(object_value(whole_of), marks)
    kinds = {m.type for m in maps}
    only = kinds.pop() if len(kinds) == 1 else DYNAMIC
    kept = only if isinstance(only, MapType) else DYNAMIC
    return Value(kept, Unknown(reasons, not_null=True, attributes=in_order(certain) or None), marks)


@function("transpose", Parameter("values", map_of(list_of(STRING))), returns=map_of(list_of(STRING)))
def _transpose(call: Caller, mapping: Value) -> Value:
    found: dict[str, list[str]] = {}
    for name, values in mapping.data.items():
        if values.data is None:
            raise FunctionError("input must not contain null list")
        for each in values.data:
            if each.data is None:
                raise FunctionError("input list must not contain null string")
            found.setdefault(each.data, []).append(name)
    kind = list_of(STRING)
    result = {k: Value(kind, tuple(Value(STRING, n) for n in sorted(names))) for k, names in found.items()}
    return Value(map_of(kind), in_order(result))


@function("values", Parameter("mapping", unknown=True, partial=True, marked=True))
def _values(call: Caller, mapping: Value) -> Value:
    kind = mapping.type
    if isinstance(mapping.data, Unknown):
        held: Unknown = mapping.data
        if isinstance(kind, ObjectType):
            made = tuple_value(unknown_step(mapping, name, of) for name, of in kind.attributes.items())
            return with_marks(made, mapping.marks)
        if kind is not DYNAMIC and not isinstance(kind, MapType):
            raise FunctionError("values() requires a map as the first argument")
        if held.candidates is not None and all(isinstance(c.data, dict) for c in held.candidates):
            return one_of([_values(call, c) for c in held.candidates], (mapping,), None)
        of_list = list_of(kind.element) if isinstance(kind, MapType) else DYNAMIC
        return Value(of_list, Unknown(held.reasons, not_null=True, element=held.element), mapping.marks)
    if isinstance(kind, MapType):
        return Value(list_of(kind.element), tuple(mapping.data.values()), mapping.marks)
    if isinstance(kind, ObjectType):
        data = tuple(mapping.data.values())
        return Value(tuple_of([v.type for v in data]), data, mapping.marks)
    raise FunctionError("values() requires a map as the first argument")


@function(
    "zipmap",
    Parameter("keys", list_of(STRING), marked=True),
    Parameter("values", partial=True, marked=True),
)
def _zipmap(call: Caller, keys: Value, values: Value) -> Value:
    if not isinstance(values.type, (ListType, TupleType)):
        raise FunctionError("values argument must be a list or tuple value")
    if len(keys.data) != len(values.data):
        raise FunctionError(f"number of keys ({len(keys.data)}) does not match number of values ({len(values.data)})")
    marks = keys.marks | values.marks
    result: dict[str, Value] = {}
    for key, value in zip(keys.data, values.data):
        if key.data is None:
            raise FunctionError("keys list has a null value")
        marks |= key.marks
        result[key.data] = value
    if isinstance(values.type, ListType):
        return Value(map_of(values.type.element), in_order(result), marks)
    return with_marks(object_value(result), marks)
