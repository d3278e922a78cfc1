"""Where an evaluation stands, and the one step from an expression to the value of a part of it.

Knows no kind of expression: each is known to one module of this folder, whose HANDLERS `evaluate` puts in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lint.terraform.scope import Scope
from lint.terraform.syntax.tree import Expression
from lint.terraform.values import Value


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
