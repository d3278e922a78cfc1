"""Every expression of the tables gives the value and type that Terraform 1.11 gives, or is refused as it is there."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lint.terraform.expressions.evaluate import evaluate
from lint.terraform.files import Files
from lint.terraform.scope import EvaluationProblem, Scope, no_names
from lint.terraform.syntax.parse import parse_expression
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.types import type_text
from lint.terraform.values import is_wholly_known, to_json

HERE = Path(__file__).parent
FIXTURE = HERE / "fixture"
REFUSED = ({"error": True}, "error")


def exact(text: str) -> Any:
    """JSON with every number exact."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def table(name: str) -> list[dict[str, Any]]:
    """The cases of one table."""
    return [exact(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def answer(expression: str) -> tuple[Any, str]:
    """What an expression gives without any names: value and type, or REFUSED."""
    try:
        value = evaluate(parse_expression(expression), Scope(no_names, Files(FIXTURE), FIXTURE))
    except (EvaluationProblem, SyntaxProblem):
        return REFUSED
    assert is_wholly_known(value), f"{expression} is unknown"
    return exact(to_json(value)), type_text(value.type)


@pytest.mark.parametrize("case", table("functions.jsonl"), ids=lambda case: case["expr"][:60])
def test_an_expression_gives_what_terraform_gives(case: dict[str, Any]) -> None:
    assert answer(case["expr"]) == (case["json"], case["type"])


@pytest.mark.parametrize("case", table("further.jsonl"), ids=lambda case: case["expr"][:60])
def test_a_further_expression_gives_what_terraform_gave(case: dict[str, Any]) -> None:
    assert answer(case["expr"]) == (case["json"], case["type"])
