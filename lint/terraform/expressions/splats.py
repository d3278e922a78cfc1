"""Splats: the same steps for each element."""

from __future__ import annotations

from collections.abc import Sequence

from lint.origin import Reason
from lint.terraform.expressions.environment import Environment, Handler, stand_in, value_of
from lint.terraform.expressions.traversal import owner_of
from lint.terraform.guard import leave_out
from lint.terraform.scope import EvaluationProblem, UndeclaredName
from lint.terraform.syntax.tree import Name, Splat, SplatItem
from lint.terraform.types import DYNAMIC, ListType, SetType, TupleType, Type, list_of, tuple_of
from lint.terraform.unknowns import lift
from lint.terraform.values import Unknown, Value, tuple_value, unknown, unknown_step, with_marks


def _splat_item(node: SplatItem, env: Environment) -> Value:
    assert env.item is not None
    return env.item


def _splat(node: Splat, env: Environment) -> Value:
    owner = owner_of(node.value, env)
    source = owner if isinstance(owner, Value) else owner.value(node.value.span)
    kind = source.type
    sequence = isinstance(kind, (ListType, SetType, TupleType))
    if source.data is None:
        if not sequence:
            return with_marks(tuple_value(()), source.marks)
        raise EvaluationProblem("Splat expressions (with the * symbol) cannot be applied to null sequences", node.span)
    if isinstance(source.data, Unknown) and not (not sequence and _is_one(source)):
        return _splat_unknown(node, source, env)
    members: Sequence[Value] = source.data if sequence else (Value(kind, source.data),)
    env.budget.elements(len(members))
    inner = Environment(env.scope, env.names)
    values: list[Value] = []
    failure: EvaluationProblem | None = None
    for member in members:
        inner.item = member
        try:
            values.append(value_of(node.each, inner))
        except EvaluationProblem as problem:
            failure = failure or problem
            values.append(stand_in(problem))
    if failure is not None:
        whole = list_of(failure.kind) if isinstance(kind, (ListType, SetType)) else tuple_of([v.type for v in values])
        raise failure.as_a(whole)
    if isinstance(kind, (ListType, SetType)):
        if not values:
            inner.item = unknown(kind.element, ANY_ELEMENT)
            element = value_of(node.each, inner).type
            return Value(list_of(element), (), source.marks)
        types = {v.type for v in values}
        if len(types) > 1:
            if not all(v.known for v in values):
                return Value(tuple_of([v.type for v in values]), tuple(values), source.marks)
            raise EvaluationProblem("The splat expression produced elements of different types", node.span)
        return Value(list_of(types.pop()), tuple(values), source.marks)
    return Value(tuple_of([v.type for v in values]), tuple(values), source.marks)


ANY_ELEMENT = (Reason("an element that stands for any other"),)
"""Why the element that an empty collection might have isn't known: it gives the results their type."""


def _is_one(source: Value) -> bool:
    """Whether something unknown is certainly one thing, and neither a sequence nor null."""
    held: Unknown = source.data
    return held.not_null and (source.type is not DYNAMIC or held.attributes is not None)


def _splat_unknown(node: Splat, source: Value, env: Environment) -> Value:
    def each(values: Sequence[Value]) -> Value:
        bound = Environment(env.scope, env.names)
        bound.names = {**env.names, _HIDDEN: values[0]}
        return _splat(Splat(Name(_HIDDEN, node.value.span), node.each, node.full, node.span), bound)

    lifted = lift((source,), each, EvaluationProblem)
    if lifted is not None:
        return lifted
    kind = source.type
    inner = Environment(env.scope, env.names)
    if isinstance(kind, TupleType):
        values: list[Value] = []
        for i, element in enumerate(kind.elements):
            inner.item = unknown_step(source, i, element)
            values.append(value_of(node.each, inner))
        return tuple_value(values)
    if source.data.element is not None:
        inner.item = source.data.element
        each_element = value_of(node.each, inner)
        return Value(DYNAMIC, Unknown(source.data.reasons, not_null=True, element=each_element), source.marks)
    result: Type = DYNAMIC
    if isinstance(kind, (ListType, SetType)):
        inner.item = Value(kind.element, Unknown(source.data.reasons))
        result = list_of(value_of(node.each, inner).type)
    elif kind is not DYNAMIC:
        inner.item = Value(kind, source.data)
        try:
            value_of(node.each, inner)
        except UndeclaredName:
            raise
        except EvaluationProblem:
            # If it turns out to be null there is no element, and nothing fails.
            leave_out()
            return Value(tuple_of(()), (), source.marks)
    return Value(result, Unknown(source.data.reasons, not_null=result is not DYNAMIC), source.marks)


_HIDDEN = "the source of a splat"

HANDLERS: dict[type, Handler] = {Splat: _splat, SplatItem: _splat_item}
