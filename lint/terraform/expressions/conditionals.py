"""Choices between two expressions, in a conditional and in a template."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lint.terraform.convert import ConversionError, convert, unify
from lint.terraform.expressions.environment import Environment, Handler, value_of
from lint.terraform.scope import EvaluationProblem, UndeclaredName
from lint.terraform.syntax.tree import Conditional, Expression, Span
from lint.terraform.types import BOOL, DYNAMIC, Type
from lint.terraform.unknowns import conditional
from lint.terraform.values import Unknown, Value, merge_reasons, unknown_reasons, with_marks


def _conditional(node: Conditional, env: Environment) -> Value:
    return choice(
        node.condition,
        lambda: value_of(node.then, env),
        lambda: value_of(node.otherwise, env),
        node.span,
        env,
    )


def choice(
    condition_node: Expression,
    then: Callable[[], Value],
    otherwise: Callable[[], Value],
    span: Span,
    env: Environment,
) -> Value:
    """Terraform evaluates both sides, since the result has the common type of both; only the chosen side may fail."""
    problems: list[EvaluationProblem | None] = []
    sides: list[Value | None] = []
    kinds: list[Type] = []
    for side in (then, otherwise):
        try:
            value = side()
        except UndeclaredName:
            raise
        except EvaluationProblem as problem:
            problems.append(problem)
            sides.append(None)
            kinds.append(problem.kind)
        else:
            problems.append(None)
            sides.append(value)
            kinds.append(value.type)
    result = _result_type(sides, kinds, span)
    try:
        condition = value_of(condition_node, env)
    except EvaluationProblem as problem:
        raise problem.as_a(result) from None
    if condition.data is None:
        raise EvaluationProblem("The condition value is null. Conditions must either be true or false", span, result)
    if isinstance(condition.data, Unknown):
        first, second = sides
        if first is None or second is None:
            reasons = merge_reasons(unknown_reasons(condition))
            return Value(result, Unknown(reasons), condition.marks)
        return conditional(condition, first, second, result)
    try:
        truth = convert(condition, BOOL)
    except ConversionError:
        raise EvaluationProblem("The condition expression must be of type bool", condition_node.span, result) from None
    chosen = 0 if truth.data else 1
    problem_there = problems[chosen]
    if problem_there is not None:
        raise problem_there if result is DYNAMIC else problem_there.as_a(result)
    value_there = sides[chosen]
    assert value_there is not None
    marks = condition.marks
    for each in sides:
        if each is not None:
            marks = marks | each.marks
    try:
        converted = convert(value_there, result)
    except ConversionError as problem:
        text = f"The two results of the conditional have different types: {problem}"
        raise EvaluationProblem(text, span, result) from None
    return with_marks(converted, marks) if marks else converted


def _result_type(sides: Sequence[Value | None], kinds: Sequence[Type], span: Span) -> Type:
    for i, side in enumerate(sides):
        if side is not None and side.type is DYNAMIC and side.data is None and not side.marks:
            return kinds[1 - i]
    if kinds[0] is DYNAMIC or kinds[1] is DYNAMIC:
        return DYNAMIC
    found = unify(kinds)
    if found is None:
        raise EvaluationProblem("The true and false result expressions must have consistent types", span)
    return found


HANDLERS: dict[type, Handler] = {Conditional: _conditional}
