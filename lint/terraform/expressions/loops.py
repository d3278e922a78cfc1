"""`for` over tuples, lists, sets, objects and maps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from lint.origin import Reason
from lint.terraform.convert import ConversionError, convert
from lint.terraform.expressions.environment import Environment, Handler, part_of, stand_in, value_of
from lint.terraform.expressions.splats import ANY_ELEMENT
from lint.terraform.guard import leave_out
from lint.terraform.numbers import Number
from lint.terraform.scope import EvaluationProblem
from lint.terraform.syntax.tree import Expression, ForObject, ForTuple, Span
from lint.terraform.types import BOOL, DYNAMIC, NUMBER, STRING, PrimitiveType, SetType, friendly_name, tuple_of
from lint.terraform.unknowns import lift
from lint.terraform.values import (
    Unknown,
    Value,
    merge_reasons,
    object_value,
    tuple_value,
    unknown,
    unknown_reasons,
    with_marks,
)


def _for_tuple(node: ForTuple, env: Environment) -> Value:
    collection = part_of(node.collection, env)
    return tuple_over(
        collection, node.key, node.item, node.condition, lambda inner: value_of(node.value, inner), node.span, env
    )


def _pairs(collection: Value) -> Iterable[tuple[Value, Value]]:
    """Key and element of everything in a collection, as `for` names them."""
    data = collection.data
    if isinstance(data, dict):
        return [(Value(STRING, name), value) for name, value in data.items()]
    if isinstance(collection.type, SetType):
        return [(value, value) for value in data]
    return [(Value(NUMBER, Number(False, i, 0, 64)), value) for i, value in enumerate(data)]


def _iterable(collection: Value, span: Span) -> bool:
    """Whether the collection can be iterated now; False where it isn't known. Raises EvaluationProblem."""
    if collection.data is None:
        raise EvaluationProblem("A null value cannot be used as the collection in a 'for' expression", span)
    kind = collection.type
    if kind is DYNAMIC:
        return False
    if isinstance(kind, PrimitiveType):
        raise EvaluationProblem(
            f"A value of type {friendly_name(kind)} cannot be used as the collection in a 'for' expression", span
        )
    return not isinstance(collection.data, Unknown)


def _check_condition(condition: Expression, key: str | None, item: str, span: Span, env: Environment) -> frozenset[str]:
    """Evaluates an `if` once for "any element", as Terraform does, so that it is refused even over nothing."""
    any_value = unknown(DYNAMIC, ANY_ELEMENT)
    names = {**env.names, item: any_value}
    if key is not None:
        names[key] = any_value
    result = part_of(condition, Environment(env.scope, names, env.item))
    _include(result, condition.span)
    return result.marks


def _include(result: Value, span: Span) -> bool | None:
    """What an `if` says: True, False, or None where that isn't known. Raises EvaluationProblem."""
    if result.data is None:
        raise EvaluationProblem("The value of the 'if' clause must not be null", span)
    try:
        found = convert(Value(result.type, result.data), BOOL).data
    except ConversionError as problem:
        raise EvaluationProblem(f"The 'if' clause value is invalid: {problem}", span) from None
    return None if isinstance(found, Unknown) else bool(found)


def _for_open(
    collection: Value,
    key: str | None,
    item: str,
    condition: Expression | None,
    body: Callable[[Environment], Value],
    env: Environment,
    marks: frozenset[str],
) -> Value:
    """A `for` over a collection of unknown length; where every element is described, every result is."""
    held: Unknown = collection.data
    element: Value | None = None
    if held.element is not None:
        names = {**env.names, item: held.element}
        if key is not None:
            names[key] = Value(DYNAMIC, Unknown(held.reasons, not_null=True))
        inner = Environment(env.scope, names, env.item)
        include = None if condition is None else _include(value_of(condition, inner), condition.span)
        if include is False:
            return with_marks(tuple_value(()), marks)
        element = body(inner)
    return Value(DYNAMIC, Unknown(held.reasons, not_null=True, element=element), marks)


_MAX_OPEN = 3
"""So many elements of unknown membership are spelled out as candidates (2**n collections); more make an unknown."""


def tuple_over(
    collection: Value,
    key: str | None,
    item: str,
    condition: Expression | None,
    body: Callable[[Environment], Value],
    span: Span,
    env: Environment,
) -> Value:
    known = _iterable(collection, span)
    marks = collection.marks
    if condition is not None:
        marks |= _check_condition(condition, key, item, span, env)
    if not known:

        def over(values: Sequence[Value]) -> Value:
            if isinstance(values[0].data, Unknown):
                return Value(DYNAMIC, Unknown(values[0].data.reasons, not_null=True))
            return tuple_over(values[0], key, item, condition, body, span, env)

        lifted = lift((collection,), over, EvaluationProblem)
        if lifted is not None:
            return with_marks(lifted, marks)
        return _for_open(collection, key, item, condition, body, env, marks)
    pairs = _pairs(collection)
    env.budget.elements(len(collection.data))
    names = dict(env.names)
    inner = Environment(env.scope, names, env.item)
    values: list[Value] = []
    failure: EvaluationProblem | None = None
    uncertain: list[int] = []
    reasons: list[tuple[Reason, ...]] = []
    for each_key, each in pairs:
        if key is not None:
            names[key] = each_key
        names[item] = each
        include: bool | None = True
        if condition is not None:
            result = part_of(condition, inner)
            marks |= result.marks
            include = _include(result, condition.span)
            if include is False:
                continue
        try:
            value = body(inner)
        except EvaluationProblem as problem:
            value = stand_in(problem)
            if include is None:
                leave_out()  # were it included, Terraform would refuse it
                continue
            failure = failure or problem
        if include is None:
            uncertain.append(len(values))
            reasons.append(unknown_reasons(result))
        values.append(value)
    if failure is not None:
        raise failure.as_a(DYNAMIC if uncertain else tuple_of([v.type for v in values]))
    if not uncertain:
        return Value(tuple_of([v.type for v in values]), tuple(values), marks)
    candidates = _with_and_without(values, uncertain)
    return Value(
        DYNAMIC,
        Unknown(
            merge_reasons(*reasons),
            candidates=None if candidates is None else tuple(tuple_value(c) for c in candidates),
            not_null=True,
        ),
        marks,
    )


def _with_and_without(values: Sequence[Value], uncertain: Sequence[int]) -> list[list[Value]] | None:
    if len(uncertain) > _MAX_OPEN:
        return None
    found = []
    for chosen in itertools.product((True, False), repeat=len(uncertain)):
        left_out = {i for i, kept in zip(uncertain, chosen) if not kept}
        found.append([v for i, v in enumerate(values) if i not in left_out])
    return found


def _for_object(node: ForObject, env: Environment) -> Value:
    return _for_object_over(part_of(node.collection, env), node, env)


def _for_object_over(collection: Value, node: ForObject, env: Environment) -> Value:
    known = _iterable(collection, node.collection.span)
    marks = collection.marks
    if node.condition is not None:
        marks |= _check_condition(node.condition, node.key, node.item, node.span, env)
    if not known:

        def over(values: Sequence[Value]) -> Value:
            if isinstance(values[0].data, Unknown):
                return Value(DYNAMIC, Unknown(values[0].data.reasons, not_null=True))
            return _for_object_over(values[0], node, env)

        lifted = lift((collection,), over, EvaluationProblem)
        if lifted is not None:
            return with_marks(lifted, marks)
        return _for_open(
            collection, node.key, node.item, node.condition, lambda inner: value_of(node.value, inner), env, marks
        )
    env.budget.elements(len(collection.data))
    names = dict(env.names)
    inner = Environment(env.scope, names, env.item)
    groups: dict[str, list[Value]] = {}
    failure: EvaluationProblem | None = None
    unclear: list[tuple[Reason, ...]] = []
    uncertain: list[str] = []
    doubts: list[tuple[Reason, ...]] = []
    for each_key, each in _pairs(collection):
        if node.key is not None:
            names[node.key] = each_key
        names[node.item] = each
        include: bool | None = True
        if node.condition is not None:
            result = part_of(node.condition, inner)
            marks |= result.marks
            include = _include(result, node.condition.span)
            if include is False:
                continue
        raw = part_of(node.result_key, inner)
        if raw.data is None:
            raise EvaluationProblem("Key expression in 'for' expression must not produce a null value", node.span)
        marks |= raw.marks
        try:
            key = convert(Value(raw.type, raw.data), STRING)
        except ConversionError as problem:
            raise EvaluationProblem(f"The key expression produced an invalid result: {problem}", node.span) from None
        try:
            value = value_of(node.value, inner)
        except EvaluationProblem as problem:
            value = stand_in(problem)
            if include is None:
                leave_out()  # were it included, Terraform would refuse it
                continue
            failure = failure or problem
        if isinstance(key.data, Unknown):
            unclear.append(key.data.reasons)
            continue
        name = key.data
        if include is None:
            uncertain.append(name)
            doubts.append(unknown_reasons(result))
        if node.group:
            groups.setdefault(name, []).append(value)
        elif name in groups:
            if include is None or name in uncertain:
                unclear.append(doubts[-1])
                continue
            text = f"Two different items produced the key \"{name}\" in this 'for' expression"
            failure = failure or EvaluationProblem(text, node.span)
        else:
            groups[name] = [value]
    if failure is not None:
        raise failure.as_a(DYNAMIC if unclear or uncertain else _grouped(groups, node.group).type)
    if unclear or (uncertain and node.group):
        return Value(DYNAMIC, Unknown(merge_reasons(*unclear, *doubts), not_null=True), marks)
    if not uncertain:
        return with_marks(_grouped(groups, node.group), marks)
    single = {name: values[0] for name, values in groups.items()}
    if len(uncertain) > _MAX_OPEN:
        return Value(DYNAMIC, Unknown(merge_reasons(*doubts), not_null=True), marks)
    candidates = []
    for chosen in itertools.product((True, False), repeat=len(uncertain)):
        left_out = {name for name, kept in zip(uncertain, chosen) if not kept}
        candidates.append(object_value({n: v for n, v in single.items() if n not in left_out}))
    return Value(DYNAMIC, Unknown(merge_reasons(*doubts), candidates=tuple(candidates), not_null=True), marks)


def _grouped(groups: Mapping[str, Sequence[Value]], group: bool) -> Value:
    return object_value({name: tuple_value(values) if group else values[0] for name, values in groups.items()})


HANDLERS: dict[type, Handler] = {ForTuple: _for_tuple, ForObject: _for_object}
