"""The console: one expression a line in, one JSON object a line out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lint.terraform.console import expressions, is_open, run
from lint.terraform.options import Options

from .conftest import Write

FILES = {
    "main.tf": """
variable "given" {}
variable "free" { type = string }
variable "secret" {
  default   = "s"
  sensitive = true
}
locals {
  here = path.module
  bad  = tonumber("x")
  a    = local.b
  b    = local.a
}
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
module "m" { source = "./m" }
""",
    "m/main.tf": 'output "o" { value = { k = [path.module] } }',
}


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("1 + 1", {"value": 2, "type": "number"}),
        ("var.given", {"value": "x", "type": "string"}),
        ("module.m.o", {"value": {"k": ["m"]}, "type": "object({k: tuple([string])})"}),
        ("cidrsubnet(aws_vpc.v.cidr_block, 8, 1)", {"value": "10.0.1.0/24", "type": "string"}),
        ("null", {"value": None, "type": "dynamic"}),
        ('"<&>"', {"value": "<&>", "type": "string"}),
        (
            "var.free",
            {"unknown": "var.free has no value (main.tf:3); give it with --var free=… or a .tfvars file"},
        ),
        (
            "[1, var.free]",
            {"unknown": "var.free has no value (main.tf:3); give it with --var free=… or a .tfvars file"},
        ),
        ("aws_vpc.v.id", {"unknown": "aws_vpc.v.id is known only after apply (main.tf:14)"}),
        ("local.a", {"error": "cycle: local.a → local.b → local.a (main.tf:11)"}),
        ("var.secret", {"unknown": "the value is sensitive; nonsensitive(…) shows what is sensitive"}),
        ("nonsensitive(var.secret)", {"value": "s", "type": "string"}),
    ],
)
def test_answers(write: Write, expression: str, answer: dict[str, object]) -> None:
    (line,) = run(write(FILES), [expression], Options(variables=(("given", "x"),)))
    assert json.loads(line) == answer


@pytest.mark.parametrize(
    "expression", ["1 +", "var.nope", "local.bad", 'tonumber("x")', "each.key", ")", "[1", "a b", '"x']
)
def test_mistakes_are_answered_with_an_error(write: Write, expression: str) -> None:
    (line,) = run(write(FILES), [expression], Options())
    answer = json.loads(line)
    assert list(answer) == ["error"] and answer["error"] and "Traceback" not in answer["error"]


def test_without_a_module_only_names_are_missing() -> None:
    lines = list(run(None, ["max(1, 2)", "var.x"], Options()))
    assert json.loads(lines[0]) == {"value": 2, "type": "number"}
    assert "error" in json.loads(lines[1])


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["1", "", "  ", "# comment", "// comment", "2"], ["1", "2"]),
        (["[1,", "2]", "3"], ["[1,\n2]", "3"]),
        (["<<EOT", "a ) ] }", "EOT", "1"], ["<<EOT\na ) ] }\nEOT", "1"]),
        (["<<-EOT", "  a", "  EOT"], ["<<-EOT\n  a\n  EOT"]),
        (['"${', "1 + 1", '}"', "2"], ['"${\n1 + 1\n}"', "2"]),
        (["f(1 /* (", "*/)", "2"], ["f(1 /* (\n*/)", "2"]),
        (["[1 # ]", "]"], ["[1 # ]\n]"]),
        # What is never closed is a mistake in its own line, and swallows no other.
        (["[1, 2", "3", '"x"'], ["[1, 2", "3", '"x"']),
        (["<<EOT", "1", "2"], ["<<EOT", "1", "2"]),
        (["1)", "2"], ["1)", "2"]),
        (['"x', "2"], ['"x', "2"]),
        (['"$${"', '"%%{"', "1"], ['"$${"', '"%%{"', "1"]),
        (['"a\\"("', "1"], ['"a\\"("', "1"]),
    ],
)
def test_expressions_may_span_lines(lines: list[str], found: list[str]) -> None:
    assert list(expressions(f"{line}\r\n" for line in lines)) == found


def test_nothing_is_read_ahead_of_a_whole_line() -> None:
    def lines() -> Iterator[str]:
        yield "1 + 1"
        raise AssertionError("the next line was read before the first was answered")

    answers = run(None, lines(), Options())
    assert json.loads(next(iter(answers))) == {"value": 2, "type": "number"}
    assert not is_open("1 + 1\n")
