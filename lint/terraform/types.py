"""Types of the Terraform language: primitives, collections, structures, and `any`. Knows no values.

Types are interned: equal types are one object, so comparing and hashing them costs nothing, however large they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from weakref import WeakValueDictionary


class Type:
    """One type. Compare with `is` or `==`; the kinds are the subclasses below."""

    __slots__ = ("__weakref__", "has_dynamic")

    has_dynamic: bool
    """Whether `any` occurs somewhere in it."""

    def __repr__(self) -> str:
        return type_text(self)


class PrimitiveType(Type):
    """`string`, `number`, `bool`, and `dynamic`, the type of what has no type yet (an untyped null, `any`)."""

    __slots__ = ("name",)
    name: str

    def __init__(self, name: str) -> None:
        self.name = name
        self.has_dynamic = name == "dynamic"


class ListType(Type):
    """`list(element)`."""

    __slots__ = ("element",)
    element: Type


class SetType(Type):
    """`set(element)`."""

    __slots__ = ("element",)
    element: Type


class MapType(Type):
    """`map(element)`."""

    __slots__ = ("element",)
    element: Type


class TupleType(Type):
    """`tuple([a, b])`."""

    __slots__ = ("elements",)
    elements: tuple[Type, ...]


class ObjectType(Type):
    """`object({a = string})`; `attributes` in order of their names; `optional` names those that may be left out."""

    __slots__ = ("attributes", "optional")
    attributes: Mapping[str, Type]
    optional: frozenset[str]


CollectionType = ListType | SetType | MapType

DYNAMIC = PrimitiveType("dynamic")
STRING = PrimitiveType("string")
NUMBER = PrimitiveType("number")
BOOL = PrimitiveType("bool")

_COLLECTIONS: WeakValueDictionary[tuple[type[Type], Type], Type] = WeakValueDictionary()
_TUPLES: WeakValueDictionary[tuple[Type, ...], TupleType] = WeakValueDictionary()
_OBJECTS: WeakValueDictionary[tuple[tuple[str, ...], tuple[Type, ...], frozenset[str]], ObjectType] = (
    WeakValueDictionary()
)


def list_of(element: Type) -> ListType:
    """The type `list(element)`."""
    found = _COLLECTIONS.get((ListType, element))
    if not isinstance(found, ListType):
        found = ListType()
        found.element = element
        found.has_dynamic = element.has_dynamic
        _COLLECTIONS[ListType, element] = found
    return found


def set_of(element: Type) -> SetType:
    """The type `set(element)`."""
    found = _COLLECTIONS.get((SetType, element))
    if not isinstance(found, SetType):
        found = SetType()
        found.element = element
        found.has_dynamic = element.has_dynamic
        _COLLECTIONS[SetType, element] = found
    return found


def map_of(element: Type) -> MapType:
    """The type `map(element)`."""
    found = _COLLECTIONS.get((MapType, element))
    if not isinstance(found, MapType):
        found = MapType()
        found.element = element
        found.has_dynamic = element.has_dynamic
        _COLLECTIONS[MapType, element] = found
    return found


def tuple_of(elements: Iterable[Type]) -> TupleType:
    """The type `tuple([…])`."""
    key = tuple(elements)
    found = _TUPLES.get(key)
    if found is None:
        found = TupleType()
        found.elements = key
        found.has_dynamic = any(e.has_dynamic for e in key)
        _TUPLES[key] = found
    return found


def object_of(attributes: Mapping[str, Type], optional: Iterable[str] = ()) -> ObjectType:
    """The type `object({…})`, with the names of its optional attributes."""
    names = tuple(sorted(attributes))
    types = tuple([attributes[name] for name in names])
    optional_names = frozenset(optional)
    key = (names, types, optional_names)
    found = _OBJECTS.get(key)
    if found is None:
        found = ObjectType()
        found.attributes = dict(zip(names, types))
        found.optional = optional_names
        found.has_dynamic = any(t.has_dynamic for t in types)
        _OBJECTS[key] = found
    return found


def without_optional(wanted: Type) -> Type:
    """The same type with no attribute optional: the type of the values that a constraint yields."""
    if isinstance(wanted, ObjectType):
        return object_of({name: without_optional(t) for name, t in wanted.attributes.items()})
    if isinstance(wanted, ListType):
        return list_of(without_optional(wanted.element))
    if isinstance(wanted, SetType):
        return set_of(without_optional(wanted.element))
    if isinstance(wanted, MapType):
        return map_of(without_optional(wanted.element))
    if isinstance(wanted, TupleType):
        return tuple_of(without_optional(t) for t in wanted.elements)
    return wanted


def type_text(wanted: Type) -> str:
    """The type as text on one line: `object({a: tuple([number, string]), b: dynamic})`."""
    parts: list[str] = []
    pending: list[Type | str] = [wanted]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            parts.append(item)
        elif isinstance(item, PrimitiveType):
            parts.append(item.name)
        elif isinstance(item, TupleType):
            pending.append("])")
            for i in range(len(item.elements) - 1, -1, -1):
                pending.append(item.elements[i])
                if i:
                    pending.append(", ")
            pending.append("tuple([")
        elif isinstance(item, ObjectType):
            pending.append("})")
            names = list(item.attributes)
            for i in range(len(names) - 1, -1, -1):
                pending.append(item.attributes[names[i]])
                pending.append(f"{', ' if i else ''}{names[i]}: ")
            pending.append("object({")
        elif isinstance(item, (ListType, SetType, MapType)):
            word = "list" if isinstance(item, ListType) else "set" if isinstance(item, SetType) else "map"
            pending.extend((")", item.element, f"{word}("))
    return "".join(parts)


def friendly_name(wanted: Type) -> str:
    """The type as Terraform's messages name it: `list of string`, `object`, `tuple`."""
    if isinstance(wanted, PrimitiveType):
        return wanted.name
    if isinstance(wanted, ListType):
        return f"list of {friendly_name(wanted.element)}"
    if isinstance(wanted, SetType):
        return f"set of {friendly_name(wanted.element)}"
    if isinstance(wanted, MapType):
        return f"map of {friendly_name(wanted.element)}"
    return "tuple" if isinstance(wanted, TupleType) else "object"
