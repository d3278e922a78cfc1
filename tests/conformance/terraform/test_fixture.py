"""Expressions in a module with variables, locals and files give what `terraform console` gives there."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lint.terraform.console import run
from lint.terraform.options import Options

HERE = Path(__file__).parent


def exact(text: str) -> Any:
    """JSON with every number exact."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


CASES = [exact(line) for line in (HERE / "fixture.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def answers() -> list[Any]:
    """What every expression of the table gives, asked in one run."""
    return [exact(line) for line in run(HERE / "fixture", [case["expr"] for case in CASES], Options())]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["expr"][:60] for case in CASES])
def test_an_expression_of_the_fixture_gives_what_terraform_gives(answers: list[Any], number: int) -> None:
    case, answer = CASES[number], answers[number]
    if case["type"] == "error":
        assert "error" in answer
    else:
        assert answer == {"value": case["json"], "type": case["type"]}
