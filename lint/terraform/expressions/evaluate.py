"""Evaluates expression trees in a scope, as Terraform does, with unknowns that keep what is certain of them.

Knows no files and no modules: names come from the scope. Where Terraform would refuse an expression, evaluation raises
EvaluationProblem; where a budget is spent, the result is unknown and the budget keeps a note of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from lint.origin import Reason
from lint.terraform.budget import Budget, BudgetSpent, Overrun
from lint.terraform.expressions import calls, conditionals, constructors, loops, operators, splats, templates, traversal
from lint.terraform.expressions.environment import HANDLERS, Environment, value_of
from lint.terraform.expressions.shape import shape_of
from lint.terraform.guard import uncaught
from lint.terraform.numbers import NumberRangeError
from lint.terraform.scope import Scope, origin_of
from lint.terraform.syntax.tree import Expression, Span
from lint.terraform.types import DYNAMIC
from lint.terraform.values import Value, unknown


def evaluate(expression: Expression, scope: Scope, names: Mapping[str, Value] | None = None) -> Value:
    """The value of an expression. `names` are further variables in front of the scope's (`each`, `count`, `self`).

    Raises EvaluationProblem (UndeclaredName for names that nothing declares). What a budget forbids is unknown.
    """
    budget = scope.budget
    try:
        with budget.expression(), uncaught():
            shape = shape_of(expression)
            if shape.height > budget.limits.height:
                raise BudgetSpent(f"the expression is nested deeper than {budget.limits.height}")
            if scope.check is not None:
                for path, span in shape.references:
                    if names is None or path[0] not in names:
                        scope.check(path, span)
            result = value_of(expression, Environment(scope, names or {}))
            budget.value(result.size, result.depth)
            return result
    except BudgetSpent as spent:
        return _over(expression.span, spent.text, budget)
    except NumberRangeError as spent:
        return _over(expression.span, str(spent), budget)
    except RecursionError:
        return _over(expression.span, "the expression needs too many steps inside one another", budget)
    except MemoryError:
        return _over(expression.span, "the expression needs more memory than there is", budget)


def _over(span: Span, text: str, budget: Budget) -> Value:
    budget.overruns.append(Overrun(text, span))
    return unknown(DYNAMIC, (Reason(f"not evaluated: {text}", "tf.budget", origin_of(span)),))


for _room in (calls, conditionals, constructors, loops, operators, splats, templates, traversal):
    HANDLERS.update(_room.HANDLERS)
