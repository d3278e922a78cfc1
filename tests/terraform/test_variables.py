"""Input variables: precedence, types and defaults, validation, and what a variable without a value says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Evaluate
from .shown import messages, outputs, shown

WHO = 'variable "who" {\n  default = "default"\n}\noutput "who" {\n  value = var.who\n}\n'
SOURCES = {
    "terraform.tfvars": 'who = "terraform.tfvars"',
    "terraform.tfvars.json": '{"who": "terraform.tfvars.json"}',
    "a.auto.tfvars": 'who = "a.auto.tfvars"',
    "b.auto.tfvars.json": '{"who": "b.auto.tfvars.json"}',
    "c.auto.tfvars": 'who = "c.auto.tfvars"',
}


@pytest.mark.parametrize("present", range(len(SOURCES) + 1))
def test_later_files_win_over_earlier_ones_and_over_the_environment(evaluate: Evaluate, present: int) -> None:
    names = list(SOURCES)[:present]
    evaluation = evaluate(
        {"main.tf": WHO, **{name: SOURCES[name] for name in names}}, environ={"TF_VAR_who": "environment"}
    )
    assert outputs(evaluation) == {"who": names[-1] if names else "environment"}


def test_the_command_line_wins_in_its_own_order(evaluate: Evaluate, tmp_path: Path) -> None:
    file = tmp_path / "given.tfvars"
    file.write_text('who = "file"')
    files = {"main.tf": WHO, "c.auto.tfvars": SOURCES["c.auto.tfvars"]}
    assert outputs(evaluate(files, command_line=(("who", "text"), file))) == {"who": "file"}
    assert outputs(evaluate(files, command_line=(file, ("who", "text")))) == {"who": "text"}
    assert outputs(evaluate(files, var_files=(file,), variables=(("who", "text"),))) == {"who": "text"}


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("string", "[1]", "[1]"),
        ("number", "22", 22),
        ("bool", "true", True),
        ("list(number)", '[22, "443"]', [22, 443]),
        ("map(string)", "{ a = 1 }", {"a": "1"}),
        ("object({ a = optional(number, 7) })", "{}", {"a": 7}),
        ("any", '["a"]', ["a"]),
        ("set(string)", '["b", "a", "b"]', ["a", "b"]),
    ],
)
def test_text_is_read_by_the_type_of_the_variable(evaluate: Evaluate, kind: str, text: str, expected: Any) -> None:
    source = f'variable "v" {{ type = {kind} }}\noutput "v" {{ value = var.v }}'
    assert outputs(evaluate(source, variables=(("v", text),))) == {"v": expected}
    assert outputs(evaluate(source, environ={"TF_VAR_v": text})) == {"v": expected}


def test_defaults_of_optional_attributes_fill_in_at_every_depth(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": """
variable "rules" {
  type = map(list(object({
    port  = optional(number, 443)
    peers = optional(object({ cidrs = optional(list(string), ["10.0.0.0/8"]) }), {})
  })))
}
output "rules" { value = var.rules }
""",
            "terraform.tfvars": 'rules = { a = [{}, { port = "22", peers = { cidrs = [] } }, { port = null }] }',
        }
    )
    ten = {"cidrs": ["10.0.0.0/8"]}
    assert outputs(evaluation)["rules"] == {
        "a": [{"peers": ten, "port": 443}, {"peers": {"cidrs": []}, "port": 22}, {"peers": ten, "port": 443}]
    }


def test_null_takes_the_default_only_where_null_is_not_allowed(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": """
module "m" {
  source = "./m"
  a      = null
  b      = null
}
output "both" { value = module.m.both }
""",
            "m/main.tf": """
variable "a" {
  default  = "default"
  nullable = false
}
variable "b" { default = "default" }
output "both" { value = [var.a, var.b] }
""",
        }
    )
    assert outputs(evaluation) == {"both": ["default", None]}


def test_a_variable_without_value_says_so_and_how_to_give_one(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
variable "region" { default = "x" }
variable "console_cidr" { type = string }
resource "aws_security_group_rule" "a" { cidr_blocks = [var.console_cidr] }
"""
    )
    (element,) = evaluation.resources[0].values["cidr_blocks"].data
    (reason,) = element.data.reasons
    assert reason.sentence() == (
        "var.console_cidr has no value (main.tf:3); give it with --var console_cidr=… or a .tfvars file"
    )
    assert reason.code == "tf.no-value:var.console_cidr"
    assert evaluation.complete
    assert evaluation.coverage.unknown == 1


def test_two_uses_of_one_unknown_variable_are_the_same_thing(evaluate: Evaluate) -> None:
    evaluation = evaluate('variable "id" {}\noutput "both" { value = [var.id, { x = var.id }.x] }')
    assert outputs(evaluation) == {"both": ["?var.id", "?var.id"]}


def test_a_failing_validation_is_reported_with_its_message(evaluate: Evaluate) -> None:
    source = """
variable "env" {
  default = "qa"
  validation {
    condition     = contains(["dev", "prod"], var.env)
    error_message = "The environment ${var.env} isn't known."
  }
}
output "env" { value = var.env }
"""
    # A module whose default is refused by its own rule waits for a value.
    assert len(messages(evaluate(source), "warning")) == 1
    evaluation = evaluate(source, variables=(("env", "qa"),))
    assert messages(evaluation, "error") == [
        "main.tf:5: the value of var.env fails its validation: The environment qa isn't known."
    ]
    assert outputs(evaluation) == {"env": "qa"}


def test_a_failing_validation_never_shows_a_secret(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
variable "secret" {
  sensitive = true
  validation {
    condition     = length(var.secret) > 10
    error_message = "${var.secret} is too short."
  }
}
""",
        environ={"TF_VAR_secret": "hunter2"},
    )
    (message,) = messages(evaluation, "error")
    assert "fails its validation" in message and "hunter2" not in message


def test_a_validation_of_an_unknown_value_says_nothing(evaluate: Evaluate) -> None:
    source = 'variable "n" {\n  validation {\n    condition = var.n > 1\n    error_message = "small"\n  }\n}'
    assert messages(evaluate(source)) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"main.tf": 'variable "n" {\n  type = number\n  default = "x"\n}'},
            "main.tf:3: the value of var.n doesn't fit",
        ),
        ({"main.tf": 'variable "n" { type = list }\noutput "n" { value = var.n }'}, None),
        ({"main.tf": 'variable "n" { type = strin }'}, "main.tf:1: this is not a type; types are string"),
        ({"main.tf": "locals {}", "terraform.tfvars": "typo = 1"}, "terraform.tfvars:1: terraform.tfvars sets typo"),
        ({"main.tf": "locals {}", "x.auto.tfvars.json": '{"a": '}, "x.auto.tfvars.json:1"),
    ],
)
def test_mistakes_are_named_with_their_place(evaluate: Evaluate, files: dict[str, str], expected: str | None) -> None:
    found = messages(evaluate(files))
    if expected is None:
        assert found == []
    else:
        assert len(found) == 1 and found[0].startswith(expected)


def test_a_missing_argument_of_a_call_is_reported(evaluate: Evaluate) -> None:
    evaluation = evaluate({"main.tf": 'module "m" { source = "./m" }', "m/main.tf": 'variable "name" {}'})
    assert messages(evaluation, "error") == ["main.tf:1: module.m needs a value for name"]


def test_sensitive_values_stay_marked(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        'variable "s" {\n  default = "x"\n  sensitive = true\n}\nresource "aws_x" "a" { name = "${var.s}-1" }'
    )
    name = evaluation.resources[0].values["name"]
    assert shown(name) == "x-1" and name.marks == {"sensitive"}
