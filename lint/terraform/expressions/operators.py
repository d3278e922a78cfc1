"""Operators on one and two values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lint.terraform.convert import ConversionError, convert
from lint.terraform.expressions.environment import Environment, Handler, value_of
from lint.terraform.numbers import Number
from lint.terraform.scope import EvaluationProblem
from lint.terraform.syntax.tree import Binary, Expression, Span, Unary
from lint.terraform.types import BOOL, NUMBER, Type
from lint.terraform.unknowns import equal, lift
from lint.terraform.values import (
    FALSE,
    NO_MARKS,
    TRUE,
    Unknown,
    Value,
    merge_reasons,
    unknown_reasons,
    with_marks,
)


def _unary(node: Unary, env: Environment) -> Value:
    wanted = BOOL if node.operator == "!" else NUMBER
    operand = _operand(node.value, wanted, env, wanted)
    data = operand.data
    if data is None:
        raise EvaluationProblem("Operation failed: the operand must not be null", node.span, wanted)
    if isinstance(data, Unknown):
        lifted = lift((operand,), lambda pair: _unary_value(node.operator, pair[0]), EvaluationProblem, nulls=False)
        return lifted or Value(wanted, Unknown(data.reasons, not_null=True), operand.marks)
    return _unary_value(node.operator, operand)


def _unary_value(operator: str, operand: Value) -> Value:
    if isinstance(operand.data, Unknown):
        return Value(operand.type, Unknown(operand.data.reasons, not_null=True), operand.marks)
    if operator == "!":
        return Value(BOOL, not operand.data, operand.marks)
    return Value(NUMBER, -operand.data, operand.marks)


def _operand(node: Expression, wanted: Type, env: Environment, result: Type) -> Value:
    try:
        value = value_of(node, env)
        return value if value.type is wanted else convert(value, wanted)
    except EvaluationProblem as problem:
        raise problem.as_a(result) from None
    except ConversionError as problem:
        raise EvaluationProblem(f"Unsuitable value for an operand: {problem}", node.span, result) from None


def _binary(node: Binary, env: Environment) -> Value:
    operator = node.operator
    if operator in ("==", "!="):
        try:
            left = value_of(node.left, env)
            right = value_of(node.right, env)
        except EvaluationProblem as problem:
            raise problem.as_a(BOOL) from None
        result = equal(left, right)
        if operator == "!=":
            result = _unary_value("!", result) if not isinstance(result.data, Unknown) else result
        return result
    operand, kind = _OPERANDS[operator]
    left = _operand(node.left, operand, env, kind)
    if env.scope.short_circuit and left.data is _DECIDES.get(operator):
        return left
    right = _operand(node.right, operand, env, kind)
    if left.data is None or right.data is None:
        raise EvaluationProblem(f'Operation "{operator}" failed: an operand is null', node.span, kind)
    marks = left.marks | right.marks if left.marks or right.marks else NO_MARKS
    if isinstance(left.data, Unknown) or isinstance(right.data, Unknown):
        return with_marks(_binary_unknown(operator, left, right, node.span), marks)
    found = _compute(operator, left.data, right.data, node.span)
    return Value(kind, found, marks)


def _binary_unknown(operator: str, left: Value, right: Value, span: Span) -> Value:
    # Sound although Terraform waits for both sides: nothing the unknown side can be changes the result.
    if operator == "&&" and (left.data is False or right.data is False):
        return FALSE
    if operator == "||" and (left.data is True or right.data is True):
        return TRUE
    kind = _OPERANDS[operator][1]

    def compute(pair: Sequence[Value]) -> Value:
        one, two = pair
        if isinstance(one.data, Unknown) or isinstance(two.data, Unknown):
            return Value(kind, Unknown(merge_reasons(unknown_reasons(one), unknown_reasons(two)), not_null=True))
        return Value(kind, _compute(operator, one.data, two.data, span))

    lifted = lift((left, right), compute, EvaluationProblem, nulls=False)
    if lifted is not None:
        return lifted
    return Value(kind, Unknown(merge_reasons(unknown_reasons(left), unknown_reasons(right)), not_null=True))


_DECIDES = {"&&": False, "||": True}

_OPERANDS: dict[str, tuple[Type, Type]] = {
    "||": (BOOL, BOOL),
    "&&": (BOOL, BOOL),
    "<": (NUMBER, BOOL),
    "<=": (NUMBER, BOOL),
    ">": (NUMBER, BOOL),
    ">=": (NUMBER, BOOL),
    "+": (NUMBER, NUMBER),
    "-": (NUMBER, NUMBER),
    "*": (NUMBER, NUMBER),
    "/": (NUMBER, NUMBER),
    "%": (NUMBER, NUMBER),
}


def _compute(operator: str, left: Any, right: Any, span: Span) -> object:
    kind = _OPERANDS[operator][1]
    try:
        return _COMPUTE[operator](left, right)
    except ValueError as problem:
        raise EvaluationProblem(f"Operation failed: {problem}", span, kind) from None


def modulo(left: Number, right: Number) -> Number:
    """The remainder with the sign of the dividend; the dividend itself where the divisor is 0 (as cty has it)."""
    if right.infinite or left.infinite:
        raise ValueError("the remainder of an infinity has no value")
    if not right.mantissa:
        return left
    # All that follows the division has the precision of the dividend.
    whole = Number(False, abs(int(left / right)), 0, left.bits)
    part = Number(left.negative, whole.mantissa * right.mantissa, whole.exponent + right.exponent, left.bits)
    return left - part


_COMPUTE: dict[str, Callable[[Any, Any], object]] = {
    "||": lambda a, b: a or b,
    "&&": lambda a, b: a and b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": modulo,
}


HANDLERS: dict[type, Handler] = {Unary: _unary, Binary: _binary}
