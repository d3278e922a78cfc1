"""Conversion between types and the common type of several, by Terraform's rules (cty's `convert`).

A conversion is decided in two steps, as Terraform does: `convertible` looks at types alone, `convert` at the value.
"Unsafe" conversions may fail on some values (`string` to `number`, `map` to `object`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from lint.terraform.guard import leave_out
from lint.terraform.numbers import Number, NumberRangeError
from lint.terraform.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    PrimitiveType,
    SetType,
    TupleType,
    Type,
    friendly_name,
    list_of,
    map_of,
    object_of,
    set_of,
    tuple_of,
    without_optional,
)
from lint.terraform.values import (
    Unknown,
    Value,
    boolean,
    in_order,
    merge_reasons,
    null,
    set_value,
    unknown_reasons,
    unknown_step,
)


class ConversionError(ValueError):
    """A value that can't be of the wanted type; `text` says why, with the path inside the value where there is one."""

    def __init__(self, text: str, path: str = "") -> None:
        super().__init__(f"{path}: {text}" if path else text)
        self.text = text
        self.path = path

    def below(self, step: str) -> ConversionError:
        """The same mistake, seen from one level further out."""
        return ConversionError(self.text, step + self.path)


def convert(value: Value, wanted: Type) -> Value:
    """The value as a value of the wanted type. Raises ConversionError where there is no such value."""
    if value.type is wanted or wanted is DYNAMIC or value.type is without_optional(wanted):
        return value
    if convertible(value.type, wanted, True):
        try:
            return _apply(value, wanted, True)
        except _OpenTypes:
            pass
    elif not (_open(value) and wanted.has_dynamic and _one_family(value.type, wanted)):
        raise ConversionError(mismatch(value.type, wanted))
    # Elements that aren't known have no type yet; Terraform would know theirs, and find a common one or none.
    leave_out()
    return Value(without_optional(wanted), Unknown(unknown_reasons(value), not_null=True), value.marks)


class _OpenTypes(ConversionError):
    """Elements whose types differ as far as they are known, which isn't far enough to say that they don't fit."""


def _open(value: Value) -> bool:
    return not value.known and value.type.has_dynamic


def _one_family(given: Type, wanted: Type) -> bool:
    sequences, mappings = (ListType, SetType, TupleType), (MapType, ObjectType)
    return any(isinstance(given, family) and isinstance(wanted, family) for family in (sequences, mappings))


@lru_cache(maxsize=4096)
def convertible(given: Type, wanted: Type, unsafe: bool) -> bool:
    """Whether values of a type can (safely: always; unsafely: perhaps) be converted to another."""
    if wanted is DYNAMIC or (unsafe and given is DYNAMIC):
        return True
    if isinstance(given, PrimitiveType) or isinstance(wanted, PrimitiveType):
        if wanted is STRING:
            return given is NUMBER or given is BOOL
        return unsafe and given is STRING and (wanted is NUMBER or wanted is BOOL)
    if isinstance(wanted, ObjectType):
        return _convertible_to_object(given, wanted, unsafe)
    if isinstance(wanted, TupleType):
        return (
            isinstance(given, TupleType)
            and len(given.elements) == len(wanted.elements)
            and all(g is w or convertible(g, w, unsafe) for g, w in zip(given.elements, wanted.elements))
        )
    if isinstance(wanted, MapType):
        if isinstance(given, MapType):
            return convertible(given.element, wanted.element, unsafe) or given.element is wanted.element
        if isinstance(given, ObjectType):
            return _all_convertible(tuple(given.attributes.values()), wanted.element, unsafe, strict_dynamic=False)
        return False
    if isinstance(wanted, (ListType, SetType)):
        if isinstance(given, (ListType, SetType)):
            if isinstance(wanted, SetType) and isinstance(given, ListType) and not unsafe:
                return False
            return given.element is wanted.element or convertible(given.element, wanted.element, unsafe)
        if isinstance(given, TupleType):
            return _all_convertible(given.elements, wanted.element, unsafe, strict_dynamic=True)
    return False


def _convertible_to_object(given: Type, wanted: ObjectType, unsafe: bool) -> bool:
    if isinstance(given, ObjectType):
        for name, kind in wanted.attributes.items():
            present = given.attributes.get(name)
            if present is None:
                if name not in wanted.optional:
                    return False
            elif present is not kind and not convertible(present, kind, unsafe):
                return False
        return True
    if isinstance(given, MapType):
        return unsafe and all(
            given.element is kind or name in wanted.optional or convertible(given.element, kind, unsafe)
            for name, kind in wanted.attributes.items()
        )
    return False


def _all_convertible(given: tuple[Type, ...], element: Type, unsafe: bool, *, strict_dynamic: bool) -> bool:
    """Whether a structure's elements can become elements of one collection."""
    if not given:
        return True
    if element is DYNAMIC:
        common = unify(given, unsafe)
        if common is None:
            return False
        if strict_dynamic and common is DYNAMIC:
            return all(g is DYNAMIC for g in given)
        element = common
    return all(g is element or convertible(g, element, unsafe) for g in given)


def _apply(value: Value, wanted: Type, unsafe: bool) -> Value:
    """Converts a value whose type is known to be convertible."""
    if wanted is DYNAMIC or value.type is wanted:
        return value
    if value.marks:
        plain = _apply(Value(value.type, value.data), wanted, unsafe)
        return Value(plain.type, plain.data, plain.marks | value.marks)
    data = value.data
    if isinstance(data, Unknown):
        return _convert_unknown(value, data, without_optional(wanted))
    if data is None:
        return null(resolve_dynamic(value.type, without_optional(wanted)))
    if isinstance(wanted, PrimitiveType):
        return _convert_primitive(data, wanted)
    if isinstance(wanted, ObjectType):
        return _to_object(value, wanted, unsafe)
    if isinstance(wanted, TupleType):
        return _to_tuple(value, wanted, unsafe)
    if isinstance(wanted, MapType):
        return _to_map(value, wanted, unsafe)
    assert isinstance(wanted, (ListType, SetType))
    return _to_sequence(value, wanted, unsafe)


def _convert_primitive(data: object, wanted: PrimitiveType) -> Value:
    if wanted is STRING:
        if isinstance(data, Number):
            return Value(STRING, data.text())
        return Value(STRING, "true" if data else "false")
    if wanted is NUMBER and isinstance(data, str):
        try:
            return Value(NUMBER, Number.parse(data))
        except NumberRangeError as problem:
            raise ConversionError(str(problem)) from problem
        except ValueError as problem:
            raise ConversionError("a number is required") from problem
    if isinstance(data, str) and data in _BOOLS:
        return boolean(_BOOLS[data])
    raise ConversionError("a bool is required")


_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def _convert_unknown(value: Value, held: Unknown, wanted: Type) -> Value:
    if held.attributes is not None and isinstance(wanted, ObjectType):
        # A resource before apply: an object of which some attributes are known, and all others have a reference.
        found = {
            name: _element(unknown_step(value, name), kind, True, f".{name}")
            for name, kind in wanted.attributes.items()
        }
        return Value(object_of({name: v.type for name, v in found.items()}), found)
    candidates: list[Value] | None = None
    if held.candidates is not None:
        candidates = []
        for each in held.candidates:
            try:
                candidates.append(convert(each, wanted))
            except ConversionError:
                # Terraform would fail if it were this one, so it is one of the others.
                leave_out()
        if len(candidates) == 1:
            return candidates[0]
    elif not (convertible(value.type, wanted, False) or (wanted is STRING and held.reference and held.reference.path)):
        # It may turn out to be what can't be converted; an attribute is taken for text where it is used as such.
        leave_out()
    kind = resolve_dynamic(value.type, wanted)
    text = kind is STRING or kind is DYNAMIC
    return Value(
        kind,
        Unknown(
            held.reasons,
            held.reference,
            tuple(candidates) if candidates else None,
            held.within if text else None,
            held.prefix if text else None,
            held.not_null,
            element=_convert_element(held.element, wanted),
            pieces=held.pieces if text else None,
        ),
    )


def _convert_element(element: Value | None, wanted: Type) -> Value | None:
    if element is None or not isinstance(wanted, (ListType, SetType)):
        return None
    try:
        return convert(element, wanted.element)
    except ConversionError:
        return None


def _element(value: Value, wanted: Type, unsafe: bool, step: str) -> Value:
    given = value.type
    if given is wanted:
        return value
    # Types were checked before; only a value of unknown type (null, unknown) or a converted one can still differ.
    if given is DYNAMIC and isinstance(value.data, Unknown) and value.data.candidates is not None:
        # The wanted type may have been chosen without knowing this one: no candidate may be left out for it.
        plain = Value(given, replace(value.data, candidates=None), value.marks)
        converted = _apply(plain, wanted, unsafe)
        if isinstance(converted.data, Unknown):
            try:
                found = tuple(convert(each, wanted) for each in value.data.candidates)
            except ConversionError:
                return converted
            return Value(converted.type, replace(converted.data, candidates=found), converted.marks)
        return converted
    try:
        return _apply(value, wanted, unsafe)
    except ConversionError as problem:
        raise problem.below(step) from None


def _to_object(value: Value, wanted: ObjectType, unsafe: bool) -> Value:
    data: dict[str, Value] = value.data
    result: dict[str, Value] = {}
    for name, kind in wanted.attributes.items():
        present = data.get(name)
        if present is None:
            if name not in wanted.optional:
                raise ConversionError(f'map has no element for required attribute "{name}"')
            result[name] = null(without_optional(kind))
            continue
        if isinstance(value.type, MapType) and not (present.type is kind or convertible(present.type, kind, unsafe)):
            raise ConversionError(
                f'map element type is incompatible with attribute "{name}": {mismatch(present.type, kind)}'
            )
        result[name] = _element(present, kind, unsafe, f".{name}")
    return Value(object_of({name: v.type for name, v in result.items()}), result)


def _to_tuple(value: Value, wanted: TupleType, unsafe: bool) -> Value:
    result = [_element(v, kind, unsafe, f"[{i}]") for i, (v, kind) in enumerate(zip(value.data, wanted.elements))]
    return Value(tuple_of([v.type for v in result]), tuple(result))


def _to_map(value: Value, wanted: MapType, unsafe: bool) -> Value:
    data: dict[str, Value] = value.data
    element = wanted.element
    if not data:
        if element is DYNAMIC and isinstance(value.type, MapType):
            return Value(map_of(value.type.element), {})
        return Value(map_of(without_optional(element)), {})
    if element is DYNAMIC and isinstance(value.type, ObjectType):
        element = unify(tuple(value.type.attributes.values()), unsafe) or DYNAMIC
    result = {name: _element(v, element, unsafe, f'["{name}"]') for name, v in data.items()}
    # Only among collections and objects does Terraform look for a common type once more, as safely as it can.
    again = isinstance(element, (ListType, SetType, MapType, ObjectType))
    safety = unsafe and isinstance(value.type, ObjectType)
    kind, members = _alike(list(result.values()), "map", safety if again else None)
    return Value(map_of(kind), in_order(dict(zip(result, members))))


def _to_sequence(value: Value, wanted: ListType | SetType, unsafe: bool) -> Value:
    data: tuple[Value, ...] = value.data
    element = wanted.element
    make = list_of if isinstance(wanted, ListType) else set_of
    if not data:
        if element is DYNAMIC and isinstance(value.type, (ListType, SetType)):
            element = value.type.element
        return Value(make(without_optional(element)), ())
    if element is DYNAMIC and isinstance(value.type, TupleType):
        element = unify(value.type.elements, unsafe) or DYNAMIC
    result = [_element(v, element, unsafe, f"[{i}]") for i, v in enumerate(data)]
    if isinstance(wanted, SetType):
        return set_value(*_alike(result, "set", None))
    kind, result = _alike(result, "list", unsafe if isinstance(value.type, TupleType) else None)
    if isinstance(value.type, SetType) and not certain_members(data):
        # The order and the number of the elements depend on what isn't known.
        return Value(list_of(kind), Unknown(merge_reasons(*[unknown_reasons(v) for v in data]), not_null=True))
    return Value(list_of(kind), tuple(result))


def certain_members(members: Sequence[Value]) -> bool:
    """Whether the members of a set are as many as they seem, in the order in which they stand."""
    return len(members) < 2 or not any(not m.known for m in members)


def _alike(values: list[Value], what: str, unsafe: bool | None) -> tuple[Type, list[Value]]:
    """The elements of a new collection with one type; untyped nulls take on the type of the others.

    `unsafe`: the conversions by which those of different types may still become alike; None: they may not.
    """
    kinds = {v.type for v in values} - {DYNAMIC}
    if len(kinds) > 1 and unsafe is not None:
        common = unify([v.type for v in values], unsafe)
        if common is not None:
            values = [v if v.type is common else _apply(v, common, unsafe) for v in values]
            kinds = {v.type for v in values} - {DYNAMIC}
    if len(kinds) > 1:
        problem = _OpenTypes if any(_open(v) for v in values) else ConversionError
        raise problem(f"element types must all match for conversion to {what}")
    kind = kinds.pop() if kinds else DYNAMIC
    if kind is not DYNAMIC and any(v.type is DYNAMIC and isinstance(v.data, Unknown) for v in values):
        leave_out()  # it may turn out to be of another type
    return kind, [v if v.type is kind else Value(kind, v.data, v.marks) for v in values]


def resolve_dynamic(given: Type, wanted: Type) -> Type:
    """The wanted type, with its `any` replaced by what the given type says there."""
    if given is DYNAMIC or not wanted.has_dynamic:
        return wanted
    if wanted is DYNAMIC:
        return given
    if isinstance(wanted, MapType):
        if isinstance(given, MapType):
            return map_of(resolve_dynamic(given.element, wanted.element))
        if isinstance(given, ObjectType):
            common = unify(tuple(given.attributes.values()), True) or DYNAMIC
            return map_of(resolve_dynamic(common, wanted.element))
    elif isinstance(wanted, ObjectType):
        kinds = dict(wanted.attributes)
        for name, kind in kinds.items():
            if isinstance(given, MapType):
                kinds[name] = resolve_dynamic(given.element, kind)
            elif isinstance(given, ObjectType) and name in given.attributes:
                kinds[name] = resolve_dynamic(given.attributes[name], kind)
        return object_of(kinds)
    elif isinstance(wanted, (ListType, SetType)):
        make = list_of if isinstance(wanted, ListType) else set_of
        if isinstance(given, (ListType, SetType)):
            return make(resolve_dynamic(given.element, wanted.element))
        if isinstance(given, TupleType):
            common = unify(given.elements, True) or DYNAMIC
            return make(resolve_dynamic(common, wanted.element))
    elif isinstance(wanted, TupleType) and isinstance(given, TupleType):
        return tuple_of(resolve_dynamic(g, w) for g, w in zip(given.elements, wanted.elements))
    return wanted


def unify(kinds: Sequence[Type], unsafe: bool = True) -> Type | None:
    """The type to which values of all the types convert, or None where there is none (or none is given)."""
    if not kinds:
        return None
    distinct = tuple(dict.fromkeys(kinds))
    if len(distinct) == 1:
        # Structures of one shape unify to themselves.
        return distinct[0]
    return _unify(distinct, unsafe)


@lru_cache(maxsize=4096)
def _unify(kinds: tuple[Type, ...], unsafe: bool) -> Type | None:
    counts: dict[type[Type], int] = dict.fromkeys((MapType, ListType, SetType, ObjectType, TupleType), 0)
    dynamic = 0
    for each in kinds:
        if each is DYNAMIC:
            dynamic += 1
        elif type(each) in counts:
            counts[type(each)] += 1
    total = len(kinds)
    maps, lists, sets, objects, tuples = counts.values()
    if maps and maps + dynamic == total:
        return DYNAMIC if dynamic else _unify_collections(kinds, unsafe)
    if maps and maps + objects + dynamic == total:
        found = _unify_mixed(kinds, ObjectType, unsafe)
        if isinstance(found, MapType):
            return found
    elif lists and lists + dynamic == total:
        return DYNAMIC if dynamic else _unify_collections(kinds, unsafe)
    elif lists and lists + tuples + dynamic == total:
        found = _unify_mixed(kinds, TupleType, unsafe)
        if isinstance(found, ListType):
            return found
    elif sets and sets + dynamic == total:
        return DYNAMIC if dynamic else _unify_collections(kinds, unsafe)
    elif objects and objects + dynamic == total:
        return DYNAMIC if dynamic else _unify_objects(kinds, unsafe)
    elif tuples and tuples + dynamic == total:
        return DYNAMIC if dynamic else _unify_tuples(kinds, unsafe)
    elif objects and tuples:
        return None
    for i in _by_preference(kinds):
        if all(each is kinds[i] or convertible(each, kinds[i], unsafe) for each in kinds):
            return kinds[i]
    return None


def _unify_collections(kinds: tuple[Type, ...], unsafe: bool) -> Type | None:
    elements = [k.element for k in kinds if isinstance(k, (ListType, SetType, MapType))]
    common = unify(elements, unsafe)
    if common is None:
        return None
    first = kinds[0]
    result: Type = (
        list_of(common)
        if isinstance(first, ListType)
        else set_of(common)
        if isinstance(first, SetType)
        else map_of(common)
    )
    return result if all(k is result or convertible(k, result, unsafe) for k in kinds) else None


def _unify_mixed(kinds: tuple[Type, ...], structure: type[Type], unsafe: bool) -> Type | None:
    """Collections together with structures: the structures count as collections of the same kind."""
    structures = tuple(k for k in kinds if isinstance(k, structure))
    collected = _objects_as_map(structures, unsafe) if structure is ObjectType else _tuples_as_list(structures, unsafe)
    if collected is None:
        return None
    return unify([collected if isinstance(k, structure) else k for k in kinds], unsafe)


def _unify_objects(kinds: tuple[Type, ...], unsafe: bool) -> Type | None:
    objects = [k for k in kinds if isinstance(k, ObjectType)]
    names = objects[0].attributes.keys()
    if any(o.attributes.keys() != names for o in objects):
        return _objects_as_map(kinds, unsafe)
    attributes: dict[str, Type] = {}
    for name in names:
        common = unify([o.attributes[name] for o in objects], unsafe)
        if common is None:
            return None
        attributes[name] = common
    result = object_of(attributes)
    if all(k is result or convertible(k, result, unsafe) for k in kinds):
        return result
    return _objects_as_map(kinds, unsafe)


def _objects_as_map(kinds: Iterable[Type], unsafe: bool) -> Type | None:
    given = tuple(kinds)
    common = unify([a for k in given if isinstance(k, ObjectType) for a in k.attributes.values()], unsafe)
    if common is None:
        return None
    result = map_of(common)
    return result if all(convertible(k, result, unsafe) for k in given) else None


def _unify_tuples(kinds: tuple[Type, ...], unsafe: bool) -> Type | None:
    tuples = [k for k in kinds if isinstance(k, TupleType)]
    if len({len(t.elements) for t in tuples}) > 1:
        return _tuples_as_list(kinds, unsafe)
    elements: list[Type] = []
    for across in zip(*[t.elements for t in tuples]):
        common = unify(across, unsafe)
        if common is None:
            return None
        elements.append(common)
    result = tuple_of(elements)
    if all(k is result or convertible(k, result, unsafe) for k in kinds):
        return result
    return _tuples_as_list(kinds, unsafe)


def _tuples_as_list(kinds: Iterable[Type], unsafe: bool) -> Type | None:
    given = tuple(kinds)
    common = unify([e for k in given if isinstance(k, TupleType) for e in k.elements], unsafe)
    if common is None:
        return None
    result = list_of(common)
    return result if all(convertible(k, result, unsafe) for k in given) else None


def _by_preference(kinds: Sequence[Type]) -> list[int]:
    """Indexes of the types, the more general ones first (a stable topological order)."""
    count = len(kinds)
    edges: list[list[int]] = [[] for _ in kinds]
    incoming = [0] * count
    for i in range(count):
        for j in range(i + 1, count):
            rank = _compare(kinds[i], kinds[j])
            if rank:
                above, below = (i, j) if rank < 0 else (j, i)
                edges[above].append(below)
                incoming[below] += 1
    order = [i for i in range(count) if not incoming[i]]
    for i in order:
        for j in edges[i]:
            incoming[j] -= 1
            if not incoming[j]:
                order.append(j)
    return order


def _compare(left: Type, right: Type) -> int:
    """Negative where the left type is more general, positive where the right one is, 0 where neither is."""
    if left is right:
        return 0
    if left is DYNAMIC or right is DYNAMIC:
        return 1 if left is DYNAMIC else -1
    if isinstance(left, PrimitiveType) and isinstance(right, PrimitiveType):
        return -1 if left is STRING else 1 if right is STRING else 0
    for kind in (ListType, SetType, MapType):
        if isinstance(left, kind) and isinstance(right, kind):
            return _compare(left.element, right.element)
    if isinstance(right, SetType) and isinstance(left, (TupleType, ListType)):
        return -1
    if isinstance(left, SetType) and isinstance(right, (TupleType, ListType)):
        return 1
    if isinstance(left, (ListType, MapType)) and isinstance(
        right, TupleType if isinstance(left, ListType) else ObjectType
    ):
        return -1
    if isinstance(right, (ListType, MapType)) and isinstance(
        left, TupleType if isinstance(right, ListType) else ObjectType
    ):
        return 1
    if isinstance(left, ObjectType) and isinstance(right, ObjectType):
        if left.attributes.keys() != right.attributes.keys():
            return 0
        return _compare_across([_compare(left.attributes[n], right.attributes[n]) for n in left.attributes])
    if isinstance(left, TupleType) and isinstance(right, TupleType):
        if len(left.elements) != len(right.elements):
            return 0
        return _compare_across([_compare(a, b) for a, b in zip(left.elements, right.elements)])
    return 0


def _compare_across(ranks: Iterable[int]) -> int:
    found = {rank for rank in ranks if rank}
    return found.pop() if len(found) == 1 else 0


def mismatch(given: Type, wanted: Type) -> str:
    """A sentence on why a type can't be converted to another."""
    if isinstance(given, ObjectType) and isinstance(wanted, ObjectType):
        missing = [n for n in wanted.attributes if n not in given.attributes and n not in wanted.optional]
        if missing:
            plural = "s" if len(missing) > 1 else ""
            verb = "are" if len(missing) > 1 else "is"
            named = ", ".join(f'"{n}"' for n in missing)
            return f"attribute{plural} {named} {verb} required"
        for name, kind in wanted.attributes.items():
            present = given.attributes.get(name)
            if present is not None and present is not kind and not convertible(present, kind, True):
                return f'attribute "{name}": {mismatch(present, kind)}'
    article = "an" if friendly_name(wanted)[0] in "aeiou" else "a"
    return f"{article} {friendly_name(wanted)} is required, but this is {friendly_name(given)}"
