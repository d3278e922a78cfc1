"""`try` and `can`: what an expression gives where it may fail."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lint.origin import Reason
from lint.terraform.expressions.environment import Environment, value_of
from lint.terraform.expressions.traversal import elements
from lint.terraform.guard import caught, leave_out
from lint.terraform.scope import EvaluationProblem, UndeclaredName
from lint.terraform.syntax.tree import Call, Expression, GetAttr, Literal, Name, Parentheses, Span, SplatItem
from lint.terraform.types import BOOL
from lint.terraform.unknowns import one_of
from lint.terraform.values import FALSE, TRUE, Reference, Unknown, Value, marks_deep, pieces_of, unknown_reasons


def try_value(node: Call, env: Environment) -> Value:
    """The value of a call of `try`."""
    if not node.arguments:
        raise EvaluationProblem("at least one argument is required", node.span)
    return _first_of(node.arguments, node.span, env)


def _first_of(arguments: Sequence[Expression], span: Span, env: Environment) -> Value:
    """The first expression that doesn't fail; where it isn't known whether one fails, it or what stands behind it."""
    problem: EvaluationProblem | None = None
    for i, argument in enumerate(arguments):
        with caught() as failures:
            try:
                value = value_of(argument, env)
            except UndeclaredName:
                raise
            except EvaluationProblem as found:
                problem = found
                continue
        if i + 1 == len(arguments) or not (failures.left_out or _may_fail(argument, value)):
            if failures.left_out:
                leave_out()
            return value
        try:
            rest = _first_of(arguments[i + 1 :], span, env)
        except UndeclaredName:
            raise
        except EvaluationProblem:
            leave_out()
            return value
        return one_of((value, rest), (value,), None) if not value.known else _open_choice(value, rest)
    assert problem is not None
    raise EvaluationProblem(f"no expression succeeded: {problem.text}", span)


def _open_choice(value: Value, rest: Value) -> Value:
    """A known value that stands only if a candidate which fails isn't the one."""
    reasons = (Reason("try() depends on a value that isn't known"),)
    doubt = Value(BOOL, Unknown(reasons))
    return one_of((value, rest), (doubt,), None)


def _may_fail(node: Expression, value: Value) -> bool:
    """Whether an expression that isn't known may yet turn out to fail.

    References to attributes that a resource will have are taken at their word, as is a variable or local by itself; a
    part of a variable that nobody gave a value may lack.
    """
    if value.known or _refers(value):
        return False
    while isinstance(node, Parentheses):
        node = node.value
    if isinstance(node, (Name, Literal, SplatItem)):
        return False
    return not (isinstance(node, GetAttr) and isinstance(node.value, Name) and node.value.name in _DECLARED)


_DECLARED = frozenset(("var", "local", "each", "count", "path", "terraform"))
"""Roots whose attributes are declared, so that `root.name` can't fail by itself."""


def _refers(value: Value) -> bool:
    """Whether everything that isn't known in a value has a reference."""
    if value.known:
        return True
    data = value.data
    if isinstance(data, Unknown):
        pieces = pieces_of(value)
        return data.attributes is not None or (
            pieces is not None and not any(isinstance(piece, Reference) and _given(piece) for piece in pieces)
        )
    return all(_refers(each) for each in elements(value))


_OUTSIDE = re.compile(r"(?:^|\.)(var|module)\.[^.\[\]]+(?:\[[^\]]*\])?$")


def _given(reference: Reference) -> bool:
    """Whether a reference is a part of a value from outside, which may lack that part: `var.network.group`.

    The output of a module that isn't installed is declared there, or Terraform refuses its name; parts of it may lack.
    """
    outside = _OUTSIDE.search(reference.address)
    return outside is not None and len(reference.path) > (1 if outside[1] == "module" else 0)


def can_value(node: Call, env: Environment) -> Value:
    """The value of a call of `can`."""
    if len(node.arguments) != 1:
        raise EvaluationProblem("can() takes one expression", node.span)
    with caught() as failures:
        try:
            value = value_of(node.arguments[0], env)
        except UndeclaredName:
            raise
        except EvaluationProblem:
            return FALSE
    if not value.known or failures.left_out:
        # What isn't known yet may still fail when it is.
        reasons = unknown_reasons(value) or (Reason("can() depends on a value that isn't known"),)
        return Value(BOOL, Unknown(reasons, not_null=True), marks_deep(value))
    return TRUE
