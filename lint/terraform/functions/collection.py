"""Functions on lists, maps, objects and tuples: concat, element, flatten, keys, length, lookup, merge, one, zipmap …

Elements that aren't known stay where they are as long as their place is certain.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from lint.terraform.convert import ConversionError, convert, unify
from lint.terraform.functions.graphemes import clusters
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function, whole
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
    Type,
    friendly_name,
    list_of,
    map_of,
    tuple_of,
)
from lint.terraform.unknowns import choose, equal, lift, one_of
from lint.terraform.values import (
    EMPTY_OBJECT,
    FALSE,
    NO_MARKS,
    TRUE,
    Reference,
    Unknown,
    Value,
    identity,
    in_order,
    is_not_null,
    merge_reasons,
    null,
    object_value,
    prefix_of,
    tuple_value,
    unknown_from,
    unknown_reasons,
    unknown_step,
    with_marks,
)

_ANY = Parameter("list", DYNAMIC, unknown=True, partial=True, marked=True)
_MAX_OPEN = 3


def _sequence(value: Value) -> bool:
    return isinstance(value.type, (ListType, SetType, TupleType))


def _shown(value: Value) -> str:
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


@function("chunklist", Parameter("list", list_of(DYNAMIC), partial=True, marked=True), Parameter("size", NUMBER))
def _chunklist(call: Caller, values: Value, size: Value) -> Value:
    length = whole(size)
    if length < 0:
        raise FunctionError("the size argument must be positive")
    data = values.data
    step = length or max(1, len(data))
    chunks = [Value(values.type, data[i : i + step]) for i in range(0, len(data), step)]
    return Value(list_of(values.type), tuple(chunks), values.marks)


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
            if is_not_null(value) and (value.type is not STRING or _not_empty(value)):
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
        if not (is_not_null(passed[0]) and (kind is not STRING or _not_empty(passed[0]))):
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


def _not_empty(value: Value) -> bool:
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


@function("compact", Parameter("list", list_of(STRING), partial=True), returns=list_of(STRING))
def _compact(call: Caller, values: Value) -> Value:
    kept: list[Value] = []
    unclear: list[int] = []
    for each in values.data:
        if each.data is None or each.data == "":
            continue
        if isinstance(each.data, Unknown) and not (is_not_null(each) and _not_empty(each)):
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


@function("contains", Parameter("list", partial=True), Parameter("value", partial=True), returns=BOOL)
def _contains(call: Caller, values: Value, wanted: Value) -> Value:
    if not _sequence(values):
        raise FunctionError("argument must be list, tuple, or set")
    unclear: list[Value] = []
    for each in values.data:
        found = equal(wanted, each)
        if found.data is True:
            return TRUE
        if isinstance(found.data, Unknown):
            unclear.append(found)
    return unknown_from(BOOL, unclear, not_null=True) if unclear else FALSE


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
        raise FunctionError(f"cannot read elements from {_shown(values)}")
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
        if values.type is not DYNAMIC and not _sequence(values):
            raise FunctionError("can only flatten lists, sets and tuples")
        return _flatten_unknown(values)
    if not _sequence(values):
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
        if data is not None and _sequence(each):
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
        if not any(_sequence(v) for c in candidates for v in c.data):
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
    if element is not None and _sequence(element):
        if isinstance(element.data, Unknown):
            element = element.data.element
        else:
            element = one_of(element.data, (values,), None) if element.data else None
    if element is not None and _sequence(element):
        element = None
    return Value(DYNAMIC, Unknown(held.reasons, not_null=True, element=element), values.marks)


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
            raise FunctionError(f'arguments must be maps or objects, got "{_shown(each)}"')
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


@function("one", Parameter("list", unknown=True, partial=True))
def _one(call: Caller, values: Value) -> Value:
    kind, data = values.type, values.data
    refused = "must be a list, set, or tuple value with either zero or one elements"
    if isinstance(data, Unknown):
        if isinstance(kind, TupleType) and len(kind.elements) == 1:
            return unknown_step(values, 0, kind.elements[0])
        if kind is not DYNAMIC and not _sequence(values):
            raise FunctionError(refused)
        return _one_unknown(call, values)
    if not _sequence(values) or (isinstance(kind, TupleType) and len(data) > 1):
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


@function("reverse", Parameter("list", partial=True, marked=True))
def _reverse(call: Caller, values: Value) -> Value:
    kind = values.type
    if isinstance(kind, TupleType):
        return Value(tuple_of(kind.elements[::-1]), values.data[::-1], values.marks)
    if isinstance(kind, (ListType, SetType)):
        if isinstance(kind, SetType) and len(values.data) > 1 and not values.known:
            return unknown_from(list_of(kind.element), (values,), not_null=True)
        return Value(list_of(kind.element), values.data[::-1], values.marks)
    raise FunctionError(f"can only reverse list or tuple values, not {_shown(values)}")


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
