"""What is valid Terraform parses and what isn't is refused: 295 snippets that Terraform 1.11 itself judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lint.terraform.syntax.parse import parse_file
from lint.terraform.syntax.problem import SyntaxProblem

TABLE = Path(__file__).parents[2] / "conformance" / "terraform" / "syntax.jsonl"
SNIPPETS = [json.loads(line) for line in TABLE.read_text("utf-8").splitlines()]
FIXTURES = Path(__file__).parents[3] / "fixtures"


def test_the_table_is_whole() -> None:
    assert len(SNIPPETS) == 295
    assert sum(snippet["valid"] for snippet in SNIPPETS) > 200


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet["name"])
def test_a_snippet_is_read_as_terraform_reads_it(snippet: dict[str, object]) -> None:
    data = str(snippet["text"]).encode()
    if snippet["valid"]:
        parse_file(data, "main.tf")
        return
    with pytest.raises(SyntaxProblem) as caught:
        parse_file(data, "main.tf")
    problem = caught.value
    lines = data.decode().split("\n")
    assert 1 <= problem.line <= len(lines)
    assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    assert str(problem).startswith(f"main.tf:{problem.line}:{problem.column}: ")


@pytest.mark.parametrize("snippet", [s for s in SNIPPETS if s["valid"]], ids=lambda snippet: snippet["name"])
def test_line_ends_of_windows_and_a_byte_order_mark_change_no_structure(snippet: dict[str, object]) -> None:
    text = str(snippet["text"])
    plain = parse_file(text.encode(), "main.tf")
    marked = parse_file(b"\xef\xbb\xbf" + text.encode(), "main.tf")
    windows = parse_file(text.replace("\r\n", "\n").replace("\n", "\r\n").encode(), "main.tf")
    assert _names(plain) == _names(marked) == _names(windows)


def _names(body: object) -> object:
    """Types, labels and argument names of a body."""
    from lint.terraform.syntax.tree import Body

    assert isinstance(body, Body)
    return [a.name for a in body.attributes], [(b.type, b.labels, _names(b.body)) for b in body.blocks]


def test_every_fixture_parses() -> None:
    files = sorted(FIXTURES.rglob("*.tf"))
    for file in files:
        parse_file(file.read_bytes(), file.name)
