"""No expression costs more than its budget: it becomes unknown and is noted, and all others are evaluated."""

from __future__ import annotations

import time

import pytest

from lint.terraform.budget import Budget
from lint.terraform.expressions.evaluate import evaluate
from lint.terraform.scope import EvaluationProblem, Namespace, Scope, fixed, no_names
from lint.terraform.syntax.parse import parse_expression
from lint.terraform.syntax.tree import Expression, Span
from lint.terraform.values import Value, is_known, to_json, unknown_reasons

COSTLY = [
    'format("%999999999d", 1)',
    'format("%.999999999f", 1)',
    'indent(999999999, "a\\nb")',
    "setproduct(range(1000), range(1000))",
    "setproduct(range(90), range(90), range(90))",
    "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]]",
    'join("", [for i in range(1000) : join("", [for j in range(1000) : "aaaaaaaaaaaaaaaa"])])',
    "flatten([for i in range(1000) : range(1000)])",
    "1e999999999",
    "1e30000 * 1e30000",
    'replace(join("", [for i in range(1000) : "a"]), "", join("", [for i in range(1000) : "bbbbbbbb"]))',
]


@pytest.mark.parametrize("text", COSTLY, ids=lambda text: text[:40])
def test_a_costly_expression_is_unknown_and_noted(text: str) -> None:
    budget = Budget()
    began = time.process_time()
    found = evaluate(parse_expression(text), Scope(no_names, budget=budget))
    assert time.process_time() - began < 3
    assert not is_known(found)
    assert unknown_reasons(found)[0].code == "tf.budget"
    assert [overrun.span.line for overrun in budget.overruns] == [1]


@pytest.mark.parametrize("text", ["range(1000000000)", 'join("", range(1000000000))', 'tonumber("1e999999999")'])
def test_what_terraform_refuses_for_its_size_is_refused(text: str) -> None:
    with pytest.raises(EvaluationProblem):
        evaluate(parse_expression(text), Scope(no_names))


class Doubling(Namespace):
    """Locals of which each is twice the one before it: n0 is a text, n1 = "${local.n0}${local.n0}" …"""

    def __init__(self, template: str) -> None:
        self.scope = Scope(fixed({"local": self}))
        self.template = template
        self.known: dict[str, Value] = {}

    def expression(self, number: int) -> Expression:
        text = '"0123456789"' if number == 0 else self.template.replace("N", f"local.n{number - 1}")
        return parse_expression(text)

    def attribute(self, name: str, span: Span) -> Value:
        if name not in self.known:
            self.known[name] = evaluate(self.expression(int(name[1:])), self.scope)
        return self.known[name]

    def value(self, span: Span) -> Value:
        raise AssertionError("nothing asks for all locals")


@pytest.mark.parametrize("template", ['"${N}${N}"', "[N, N]", "{ a = N, b = N }", "concat([N], [N], [N, N])"])
def test_locals_that_double_end_in_an_unknown(template: str) -> None:
    locals_ = Doubling(template)
    began = time.process_time()
    found = evaluate(parse_expression("local.n60"), locals_.scope)
    assert time.process_time() - began < 3
    assert not found.known
    assert locals_.scope.budget.overruns
    assert to_json(evaluate(parse_expression("1 + 1"), locals_.scope)) == "2"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 149 + "1" + "]" * 149,
        "(" * 150 + "1" + "+1)" * 150,
        "!" * 150 + "true",
        "true ? " * 100 + "1" + " : 2" * 100,
    ],
    ids=["brackets", "parentheses", "signs", "conditionals"],
)
def test_nesting_up_to_the_bound_is_evaluated(text: str) -> None:
    assert is_known(evaluate(parse_expression(text), Scope(no_names)))


def test_a_value_nested_too_deep_is_unknown() -> None:
    locals_ = Doubling("[N]")
    found = evaluate(parse_expression("local.n240"), locals_.scope)
    assert "nested" in " ".join(reason.text for reason in unknown_reasons(found))
