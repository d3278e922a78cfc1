"""Literals, parentheses, tuples and objects."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from lint.terraform.convert import ConversionError, convert
from lint.terraform.expressions.environment import Environment, Handler, stand_in, value_of
from lint.terraform.numbers import Number
from lint.terraform.scope import EvaluationProblem
from lint.terraform.syntax.tree import Expression, GetAttr, Index, Literal, Object, Parentheses, Tuple
from lint.terraform.types import DYNAMIC, NUMBER, STRING, tuple_of
from lint.terraform.values import (
    FALSE,
    NO_MARKS,
    NULL,
    TRUE,
    Unknown,
    Value,
    merge_reasons,
    normal,
    object_value,
    unknown_reasons,
)


def _literal(node: Literal, env: Environment) -> Value:
    value = node.value
    if value is None:
        return NULL
    if value is True:
        return TRUE
    if value is False:
        return FALSE
    if isinstance(value, str):
        return Value(STRING, normal(value))
    return _number(value)


@lru_cache(maxsize=1024)
def _number(written: Decimal) -> Value:
    return Value(NUMBER, Number.parse(str(written)))


def _parentheses(node: Parentheses, env: Environment) -> Value:
    return value_of(node.value, env)


def _tuple(node: Tuple, env: Environment) -> Value:
    values: list[Value] = []
    failure: EvaluationProblem | None = None
    for item in node.items:
        try:
            values.append(value_of(item, env))
        except EvaluationProblem as problem:
            failure = failure or problem
            values.append(stand_in(problem))
    kind = tuple_of([v.type for v in values])
    if failure is not None:
        raise failure.as_a(kind)
    return Value(kind, tuple(values))


def _object(node: Object, env: Environment) -> Value:
    result: dict[str, Value] = {}
    marks = NO_MARKS
    unclear: list[Value] = []
    failure: EvaluationProblem | None = None
    for item in node.items:
        try:
            text = _key(item.key, env)
        except EvaluationProblem as problem:
            raise problem.as_a(DYNAMIC) from None
        try:
            value = value_of(item.value, env)
        except EvaluationProblem as problem:
            failure = failure or problem
            value = stand_in(problem)
        marks |= text.marks
        if isinstance(text.data, Unknown):
            unclear.append(text)
        else:
            result[text.data] = value
    if failure is not None:
        raise failure.as_a(DYNAMIC if unclear else object_value(result).type)
    if unclear:
        return Value(DYNAMIC, Unknown(merge_reasons(*[unknown_reasons(v) for v in unclear]), not_null=True), marks)
    made = object_value(result)
    return Value(made.type, made.data, marks) if marks else made


def _key(node: Expression, env: Environment) -> Value:
    """The key of an object's item as text, which may be unknown."""
    if isinstance(node, (GetAttr, Index)):
        raise EvaluationProblem("An attribute key with a dot is ambiguous: put it in parentheses or quotes", node.span)
    key = value_of(node, env)
    if key.data is None:
        raise EvaluationProblem("Can't use a null value as a key", node.span)
    try:
        return convert(key, STRING)
    except ConversionError as problem:
        raise EvaluationProblem(f"Can't use this value as a key: {problem}", node.span) from None


HANDLERS: dict[type, Handler] = {Literal: _literal, Parentheses: _parentheses, Tuple: _tuple, Object: _object}
