"""Names, and the steps from a value to a part of it: attributes and indexes."""

from __future__ import annotations

from collections.abc import Iterable

from lint.terraform.convert import ConversionError, convert
from lint.terraform.expressions.environment import Environment, Handler, part_of
from lint.terraform.guard import leave_out
from lint.terraform.numbers import Number
from lint.terraform.scope import EvaluationProblem, IndexedNamespace, Namespace
from lint.terraform.syntax.tree import Expression, GetAttr, Index, Name, Span
from lint.terraform.types import (
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
)
from lint.terraform.unknowns import choose, lift
from lint.terraform.values import Unknown, Value, merge_reasons, unknown_reasons, unknown_step, with_marks


def _name(node: Name, env: Environment) -> Value:
    found = _lookup(node.name, node.span, env)
    return found if isinstance(found, Value) else found.value(node.span)


def _lookup(name: str, span: Span, env: Environment) -> Value | Namespace:
    bound = env.names.get(name)
    return bound if bound is not None else env.scope.resolve(name, span)


def _get_attr(node: GetAttr, env: Environment) -> Value:
    owner = owner_of(node.value, env)
    if not isinstance(owner, Value):
        found = owner.attribute(node.name, node.span)
        return found if isinstance(found, Value) else found.value(node.span)
    return attribute(owner, node.name, node.span)


def owner_of(node: Expression, env: Environment) -> Value | Namespace:
    """A value, or the namespace that a chain of names stands for so far."""
    if isinstance(node, Name):
        return _lookup(node.name, node.span, env)
    if isinstance(node, GetAttr):
        owner = owner_of(node.value, env)
        if isinstance(owner, Value):
            return attribute(owner, node.name, node.span)
        return owner.attribute(node.name, node.span)
    if isinstance(node, Index):
        return owner_element(node, env)
    return part_of(node, env)


def owner_element(node: Index, env: Environment) -> Value | Namespace:
    """An element of a value, or of a namespace, of which then nothing else is evaluated."""
    owner = owner_of(node.value, env)
    if not isinstance(owner, Value):
        if isinstance(owner, IndexedNamespace):
            return owner.element(part_of(node.key, env), node.span)
        owner = owner.value(node.value.span)
    return index(owner, part_of(node.key, env), node.span)


def attribute(owner: Value, name: str, span: Span) -> Value:
    """`owner.name`. Raises EvaluationProblem where there is no such attribute."""
    data = owner.data
    kind = owner.type
    if isinstance(data, dict):
        found: Value | None = data.get(name)
        if found is not None:
            return with_marks(found, owner.marks) if owner.marks else found
    if data is None:
        raise EvaluationProblem("This value is null, so it does not have any attributes", span)
    if isinstance(kind, ObjectType):
        if name not in kind.attributes:
            raise EvaluationProblem(f'This object does not have an attribute named "{name}"', span)
        return unknown_step(owner, name, kind.attributes[name])
    if isinstance(kind, MapType):
        if isinstance(data, Unknown):
            return unknown_step(owner, name, kind.element)
        raise EvaluationProblem(f'This map does not have an element with the key "{name}"', span)
    if kind is DYNAMIC:
        return unknown_step(owner, name)
    if isinstance(kind, (ListType, SetType, TupleType)):
        what = "list" if isinstance(kind, ListType) else "set" if isinstance(kind, SetType) else "tuple"
        raise EvaluationProblem(f"Can't access attributes on a {what}; name an element, or use [*] for all", span)
    raise EvaluationProblem(f"Can't access attributes on a {friendly_name(kind)}", span)


def _index(node: Index, env: Environment) -> Value:
    found = owner_element(node, env)
    return found if isinstance(found, Value) else found.value(node.span)


def index(owner: Value, key: Value, span: Span) -> Value:
    """`owner[key]`. Raises EvaluationProblem where there is no such element."""
    data = owner.data
    kind = owner.type
    if data is None:
        raise EvaluationProblem("This value is null, so it does not have any indices", span)
    if key.data is None:
        raise EvaluationProblem("Can't use a null value as an indexing key", span)
    if isinstance(kind, SetType):
        raise EvaluationProblem("Elements of a set have no index; use a for expression, or tolist()", span)
    if isinstance(kind, PrimitiveType) and kind is not DYNAMIC:
        raise EvaluationProblem("This value does not have any indices", span)
    marks = owner.marks | key.marks
    if isinstance(data, Unknown) or isinstance(key.data, Unknown):
        return with_marks(_index_unknown(owner, key, span), marks)
    wanted = NUMBER if isinstance(kind, (ListType, TupleType)) else STRING
    try:
        plain = convert(Value(key.type, key.data), wanted).data
    except ConversionError as problem:
        raise EvaluationProblem(f"The given key does not identify an element: {problem}", span) from None
    if wanted is STRING:
        found = data.get(plain)
        if found is None:
            raise EvaluationProblem(f'The given key does not identify an element: there is no "{plain}"', span)
    else:
        if not plain.integral:
            raise EvaluationProblem("The given key does not identify an element: an index is a whole number", span)
        if plain.negative and plain.mantissa:
            raise EvaluationProblem("The given key does not identify an element: an index can't be negative", span)
        if plain.exponent > 64 or int(plain) >= len(data):
            raise EvaluationProblem("The given key does not identify an element: the index is beyond the end", span)
        found = data[int(plain)]
    return with_marks(found, marks) if marks else found


def _index_unknown(owner: Value, key: Value, span: Span) -> Value:
    """An element of a collection that isn't known, or under a key that isn't."""
    lifted = lift((owner, key), lambda pair: index(pair[0], pair[1], span), EvaluationProblem)
    if lifted is not None:
        return lifted
    kind = owner.type
    if isinstance(owner.data, Unknown):
        if owner.data.element is not None:
            # There may be no such element.
            leave_out()
            return owner.data.element
        step: str | int | None = None
        if isinstance(key.data, str):
            step = key.data
        elif isinstance(key.data, Number) and key.data.integral and key.data.exponent < 64:
            step = int(key.data)
        element: Type = DYNAMIC
        if isinstance(kind, (ListType, MapType)):
            element = kind.element
        elif isinstance(kind, ObjectType) and isinstance(step, str):
            if step not in kind.attributes:
                raise EvaluationProblem(f'The given key does not identify an element: there is no "{step}"', span)
            element = kind.attributes[step]
        elif isinstance(kind, TupleType) and isinstance(step, int):
            if not 0 <= step < len(kind.elements):
                raise EvaluationProblem("The given key does not identify an element", span)
            element = kind.elements[step]
        if step is not None:
            return unknown_step(owner, step, element)
        reasons = merge_reasons(unknown_reasons(owner), unknown_reasons(key))
        return Value(element, Unknown(reasons))
    # The elements are known, the key isn't: it is one of them, or the expression fails.
    leave_out()
    return choose(list(elements(owner)), key)


def elements(value: Value) -> Iterable[Value]:
    """The elements of a known collection, without their keys."""
    data = value.data
    return data.values() if isinstance(data, dict) else data


HANDLERS: dict[type, Handler] = {Name: _name, GetAttr: _get_attr, Index: _index}
