"""Where this machine has `terraform`, it is asked itself: the tables' expressions and combinations of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from .live import ask, binary
from .test_functions import HERE, answer

pytestmark = pytest.mark.skipif(binary() is None, reason="no terraform program on this machine; the tables still hold")

ARGUMENTS = (
    "null",
    '""',
    '"a"',
    "5",
    "-1.5",
    "true",
    "[]",
    '["b", "a"]',
    '[1, "a", null]',
    "{ a = 1 }",
    'toset(["x"])',
)
CALLS_OF_ONE = (
    "flatten",
    "jsonencode",
    "keys",
    "length",
    "sort",
    "sum",
    "tolist",
    "tomap",
    "toset",
    "tostring",
    "values",
)
CALLS_OF_TWO = ("coalesce", "concat", "contains", "element", "format", "join", "merge", "setunion", "zipmap")
OPERATORS = ("==", "+", "/", "%", "<", "&&")


def generated() -> list[str]:
    """Functions, operators and conditionals on every combination of a few arguments."""
    pairs = list(itertools.product(ARGUMENTS, repeat=2))
    found = [f"{name}({argument})" for name in CALLS_OF_ONE for argument in ARGUMENTS]
    found += [f"{name}({a}, {b})" for name in CALLS_OF_TWO for a, b in pairs]
    found += [f"({a}) {operator} ({b})" for operator in OPERATORS for a, b in pairs]
    found += [f"true ? {a} : {b}" for a, b in pairs]
    return found


def test_generated_expressions_agree_with_the_program_itself(tmp_path: Path) -> None:
    expressions = generated()
    wrong = []
    for expression, theirs in zip(expressions, ask(expressions, tmp_path)):
        # What Terraform leaves unknown (an untyped null among the arguments of format) may be anything here.
        if theirs is not None and answer(expression) != theirs:
            wrong.append((expression, theirs, answer(expression)))
    assert wrong == []


def test_the_table_is_what_the_program_itself_says(tmp_path: Path) -> None:
    lines = (HERE / "further.jsonl").read_text(encoding="utf-8").splitlines()
    expressions = [json.loads(line)["expr"] for line in lines]
    wrong = [
        (expression, theirs)
        for expression, theirs in zip(expressions, ask(expressions, tmp_path))
        if theirs is not None and answer(expression) != theirs
    ]
    assert wrong == []
