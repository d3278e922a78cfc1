"""Whatever stands in a file, reading it ends soon and either gives a tree or says in one sentence what is wrong."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.terraform.syntax.expressions import CHAIN
from lint.terraform.syntax.json import parse_json_file
from lint.terraform.syntax.parse import parse_expression, parse_file, parse_template
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.scan import NESTING

TABLE = Path(__file__).parents[2] / "conformance" / "terraform" / "syntax.jsonl"
TEXTS = [json.loads(line)["text"] for line in TABLE.read_text("utf-8").splitlines()]
PIECES = ['"', "${", "%{", "}", "{", "[", "]", "(", ")", "<<E\n", "\nE\n", "\n", "~", "*", ".", "if ", "for ", "a", "="]
PIECES += ["=>", ",", "/*", "#", "\\", "é", "0", "-", "?", ":", "::", "...", "$", "\0", "\r"]


def problem(data: bytes) -> str:
    with pytest.raises(SyntaxProblem) as caught:
        parse_file(data, "main.tf")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1 b = 2\n", "main.tf:1:7: unexpected b; expected a new line"),
        ("a {} b {}\n", "main.tf:1:6: unexpected b; expected a new line"),
        ("a = 1\na = 2\n", "main.tf:2:1: a is already set in line 1; set every argument once"),
        ("a = \n", "main.tf:1:5: the line ends too early; expected an expression"),
        ("a =", "main.tf:1:4: the text ends too early; expected an expression"),
        ("a = [1 2]\n", "main.tf:1:8: unexpected 2; expected a comma or a closing ]"),
        ("a = f(1\n", "main.tf:2:1: the text ends too early; expected a comma or the ) of the function call"),
        ("a = { b = 1\n", "main.tf:2:1: the text ends too early"),
        ("a = b ? c\n", "main.tf:1:10: the line ends too early; expected the : of a conditional"),
        ("a = $b\n", "main.tf:1:5: unexpected $"),
        ("a = [for x in b : x => 1]\n", "main.tf:1:21: unexpected =>; a for expression in [ ] has no keys"),
        ("a = {for x in b : x}\n", "main.tf:1:20: unexpected }; expected => since a for expression in { }"),
        ("a = b.0.1\n", "main.tf:1:7: unexpected .0.1; write indexes in brackets, like [0][1]"),
        ("a = 0..5\n", "main.tf:1:5: 0..5 is not a number; write it like 12, 0.5 or 1e6"),
        ("a {\n", "main.tf:2:1: the text ends too early; expected an argument, a block or }"),
        ('"a" = 1\n', 'main.tf:1:1: unexpected "a"; expected an argument or a block'),
        ("a { b = 1\n}\n", "main.tf:1:10: the line ends too early; expected } since a block on one line"),
        ('a "x${y}" {}\n', 'main.tf:1:3: unexpected "x; expected a label that is closed by " and holds no ${ or %{'),
        ("/* é\n", "main.tf:1:1: this comment is never closed; close it with */"),
        ("é = 1 é = 2\n", "main.tf:1:7: unexpected é; expected a new line"),
        ("x = a€\n", "main.tf:1:5: '€' can't stand in a name; names hold letters, digits, _ and -"),
        ("x = \0\n", "main.tf:1:5: unexpected character U+0000"),
    ],
)
def test_a_problem_names_place_find_and_remedy(text: str, message: str) -> None:
    assert problem(text.encode()).startswith(message)


def test_bytes_that_are_not_utf8_are_named_with_their_place() -> None:
    message = "main.tf:2:6: the byte 0xff is not UTF-8; save the file as UTF-8"
    assert problem("é = 1\nü = ".encode() + b'"\xff"\n') == message


@pytest.mark.parametrize(
    "unit",
    ["(", "[", "{a=", "-", "!", '"${', "a?", "a?b:", "1+", "f(", "a[", "[for a in ", "a {\n", "<<A\n${"],
)
def test_ten_thousand_levels_are_a_problem_at_once(unit: str) -> None:
    began = time.process_time()
    message = problem(("" if unit.endswith("{\n") else "x=").encode() + unit.encode() * 10_000)
    assert "more than" in message
    assert time.process_time() - began < 1


@pytest.mark.parametrize("step", ["[0]", ".a", "[*]"])
def test_ten_thousand_steps_are_a_problem_at_once(step: str) -> None:
    assert "more than" in problem(b"x=a" + step.encode() * 10_000)


def test_ten_thousand_directives_are_a_problem_at_once() -> None:
    assert "too many directives" in problem(b'x="' + b"%{if a}" * 10_000 + b'"')


def test_what_people_write_is_far_inside_the_budget() -> None:
    assert parse_expression("(" * (NESTING - 1) + "1" + ")" * (NESTING - 1))
    assert parse_expression("||".join(["a"] * CHAIN))
    assert parse_expression("a ? b : " * (NESTING - 1) + "c")
    assert parse_expression("{a=" * (NESTING - 1) + "1" + "}" * (NESTING - 1))


def test_reading_takes_time_in_proportion() -> None:
    block = 'resource "a" "b" {\n  x = "a ${var.b} c"\n  y = [1, 2, "é"]\n}\n'.encode()

    def seconds(count: int) -> float:
        began = time.process_time()
        parse_file(block * count, "main.tf")
        return time.process_time() - began

    seconds(100)
    small = min(seconds(300) for _ in range(3))
    large = min(seconds(3000) for _ in range(2))
    assert large < small * 40


def _file(text: str) -> object:
    return parse_file(text.encode(), "m.tf")


def _json_file(text: str) -> object:
    return parse_json_file(text.encode(), "m.tf.json")


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_gives_a_tree_or_a_problem(text: str) -> None:
    for read in (_file, parse_expression, parse_template, _json_file):
        try:
            read(text)
        except SyntaxProblem as found:
            assert found.line >= 1
            assert found.column >= 1


@given(st.sampled_from(TEXTS), st.integers(0, 200), st.integers(0, 5), st.sampled_from(PIECES))
def test_any_edit_of_a_snippet_gives_a_tree_or_a_problem(text: str, where: int, cut: int, piece: str) -> None:
    edited = text[:where] + piece + text[where + cut :]
    try:
        parse_file(edited.encode(), "m.tf")
    except SyntaxProblem as found:
        assert str(found).startswith(f"m.tf:{found.line}:{found.column}: ")


@given(st.binary(max_size=60))
def test_any_bytes_give_a_tree_or_a_problem(data: bytes) -> None:
    for read in (parse_file, parse_json_file):
        try:
            read(data, "m")
        except SyntaxProblem as found:
            assert found.file == "m"
