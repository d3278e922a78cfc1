"""Where an evaluation stands, and the one step from an expression to the value of a part of it.

Knows no kind of expression: each is known to one module of this folder, whose HANDLERS `evaluate` puts in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lint.origin import Reason
from lint.terraform.scope import EvaluationProblem, Scope, UndeclaredName
from lint.terraform.syntax.tree import Expression
from lint.terraform.types import DYNAMIC
from lint.terraform.values import Value, unknown


class Environment:
    """Where the evaluation stands: the scope, the variables of `for` around it, and the element of a splat."""

    __slots__ = ("budget", "item", "names", "scope")

    def __init__(self, scope: Scope, names: Mapping[str, Value], item: Value | None = None) -> None:
        self.scope = scope
        self.budget = scope.budget
        self.names = names
        self.item = item


Handler = Callable[[Any, Environment], Value]

HANDLERS: dict[type, Handler] = {}
"""What gives the value of each kind of expression."""


def value_of(node: Expression, env: Environment) -> Value:
    """The value of an expression or of a part of one. Raises EvaluationProblem and BudgetSpent."""
    env.budget.left -= 1
    if env.budget.left < 0:
        env.budget.spend(0)
    return HANDLERS[type(node)](node, env)


def part_of(node: Expression, env: Environment) -> Value:
    """The value of a part whose failure leaves the type of the whole open."""
    try:
        return value_of(node, env)
    except EvaluationProblem as problem:
        raise problem.as_a(DYNAMIC) from None


def stand_in(problem: EvaluationProblem) -> Value:
    """What stands for a part that failed, so that the whole, which fails as well, still has a type.

    A conditional takes its type from both sides, also from one that fails. Raises what no choice can pass over.
    """
    if isinstance(problem, UndeclaredName):
        raise problem
    return unknown(problem.kind, _FAILED)


_FAILED = (Reason("a part of the expression fails"),)
