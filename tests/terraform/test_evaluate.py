"""Root modules: resources, locals, repetition, dynamic blocks, references, other files and forms."""

from __future__ import annotations

from typing import Any

import pytest

from lint.terraform.values import Unknown

from .conftest import Evaluate, resource
from .shown import addresses, messages, outputs, shown, shown_all, values


def test_locals_are_evaluated_in_whatever_order_they_depend(evaluate: Evaluate) -> None:
    chain = "\n".join(f"  n{i} = local.n{i + 1} + 1" for i in range(3_000))
    evaluation = evaluate(f'locals {{\n{chain}\n  n3000 = 0\n}}\noutput "n" {{ value = local.n0 }}')
    assert outputs(evaluation) == {"n": 3000}


def test_a_cycle_is_reported_with_its_path(evaluate: Evaluate) -> None:
    evaluation = evaluate('locals {\n  a = local.b\n  b = [local.c]\n  c = local.a\n}\noutput "x" { value = local.b }')
    assert messages(evaluation, "error") == ["main.tf:2: cycle: local.a → local.b → local.c → local.a"]
    assert not isinstance(outputs(evaluation)["x"], int)


def test_resources_that_need_each_other_are_a_cycle(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
resource "aws_security_group" "a" {
  ingress { security_groups = [aws_security_group.b.id] }
}
resource "aws_security_group" "b" {
  ingress { security_groups = [aws_security_group.a.id] }
}
"""
    )
    (message,) = messages(evaluation, "error")
    assert message == "main.tf:2: cycle: aws_security_group.a → aws_security_group.b → aws_security_group.a"
    assert addresses(evaluation) == ["aws_security_group.a", "aws_security_group.b"]


@pytest.mark.parametrize(
    ("repetition", "keys"),
    [
        ("count = 0", []),
        ("count = 2", ["[0]", "[1]"]),
        ('count = "1"', ["[0]"]),
        ("count = sensitive(1)", ["[0]"]),
        ('for_each = toset(["b", "a"])', ['["a"]', '["b"]']),
        ("for_each = { y = 1, x = null }", ['["x"]', '["y"]']),
        ('for_each = { "a.b/c \\"d\\"" = 1 }', ['["a.b/c \\"d\\""]']),
        ("for_each = {}", []),
        ("for_each = toset([])", []),
        ("count = var.unknown", ["[*]"]),
        ("count = var.unknown ? 1 : 0", ["[*]"]),
        ("for_each = toset(var.unknown)", ["[*]"]),
        ('for_each = toset(["a", var.unknown])', ["[*]"]),
        ('for_each = sensitive(toset(["a"]))', ["[*]"]),
        ("for_each = { a = var.unknown }", ['["a"]']),
    ],
)
def test_repetition_makes_terraforms_instances(evaluate: Evaluate, repetition: str, keys: list[str]) -> None:
    evaluation = evaluate(f'variable "unknown" {{}}\nresource "aws_vpc" "a" {{\n  {repetition}\n}}')
    assert addresses(evaluation) == [f"aws_vpc.a{key}" for key in keys]
    assert [r.exists for r in evaluation.resources] == [key != "[*]" for key in keys]
    assert all(r.reasons for r in evaluation.resources if not r.exists)
    assert messages(evaluation) == []


@pytest.mark.parametrize(
    ("repetition", "text"),
    [
        ("count = -1", "count must be a whole number, zero or more"),
        ("count = 1.5", "count must be a whole number, zero or more"),
        ("count = null", "count is null"),
        ("count = 1000000000", "count asks for more than"),
        ('for_each = ["a"]', "for_each takes a map or a set of strings, not a list"),
        ("for_each = null", "for_each is null"),
        ("for_each = 1", "for_each must be a map or a set of strings"),
    ],
)
def test_repetition_that_terraform_refuses_is_reported_and_unknown(
    evaluate: Evaluate, repetition: str, text: str
) -> None:
    evaluation = evaluate(f'resource "aws_vpc" "a" {{\n  {repetition}\n}}\nresource "aws_vpc" "b" {{}}')
    (message,) = messages(evaluation)
    assert message.startswith("main.tf:2: aws_vpc.a: ") and text in message
    assert [(r.address, r.exists) for r in evaluation.resources] == [("aws_vpc.a[*]", False), ("aws_vpc.b", True)]
    assert not evaluation.complete


def test_each_and_count_are_seen_inside(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
resource "aws_x" "a" {
  for_each = { k = { port = 22 } }
  name     = "${each.key}-${each.value.port}"
}
resource "aws_x" "b" {
  count = 2
  port  = 8000 + count.index
}
"""
    )
    assert [values(r) for r in evaluation.resources] == [{"name": "k-22"}, {"port": 8000}, {"port": 8001}]


REFERENCES = """
resource "aws_sg" "one" { name = "one" }
resource "aws_sg" "many" { count = 2 }
resource "aws_sg" "keyed" {
  for_each = { k = 1, l = 2 }
  name     = each.key
}
resource "aws_sg" "maybe" { count = var.unknown ? 1 : 0 }
resource "aws_sg" "perhaps" { for_each = toset(var.unknown) }
data "aws_sg" "read" { name = "r" }
variable "unknown" {}
variable "group" {
  type    = object({ id = string, name = string })
  default = null
}
locals {
  whole = aws_sg.one
  map   = { for k, g in aws_sg.keyed : k => g.id }
}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("aws_sg.one.id", "?aws_sg.one.id"),
        ("aws_sg.one.name", "one"),
        ("local.whole.id", "?aws_sg.one.id"),
        ("local.whole.name", "one"),
        ("resource.aws_sg.one.id", "?aws_sg.one.id"),
        ('aws_sg.one["id"]', "?aws_sg.one.id"),
        ("aws_sg.one.ids[0].x", "?aws_sg.one.ids.0.x"),
        ("[aws_sg.one][0].id", "?aws_sg.one.id"),
        ("aws_sg.one[*].id", ["?aws_sg.one.id"]),
        ("aws_sg.many[1].id", "?aws_sg.many[1].id"),
        ("aws_sg.many[*].id", ["?aws_sg.many[0].id", "?aws_sg.many[1].id"]),
        ("aws_sg.many.*.id", ["?aws_sg.many[0].id", "?aws_sg.many[1].id"]),
        ("[for g in aws_sg.many : g.id]", ["?aws_sg.many[0].id", "?aws_sg.many[1].id"]),
        ("element(aws_sg.many, 3).id", "?aws_sg.many[1].id"),
        ("length(aws_sg.many)", 2),
        ('aws_sg.keyed["k"].id', '?aws_sg.keyed["k"].id'),
        ("aws_sg.keyed.l.id", '?aws_sg.keyed["l"].id'),
        ("values(aws_sg.keyed)[*].id", ['?aws_sg.keyed["k"].id', '?aws_sg.keyed["l"].id']),
        ("keys(aws_sg.keyed)", ["k", "l"]),
        ("local.map", {"k": '?aws_sg.keyed["k"].id', "l": '?aws_sg.keyed["l"].id'}),
        ("aws_sg.maybe[0].id", "?aws_sg.maybe[*].id"),
        ("[for g in aws_sg.maybe : g.id][0]", "?aws_sg.maybe[*].id"),
        ("(aws_sg.maybe[*].id)[0]", "?aws_sg.maybe[*].id"),
        ('aws_sg.perhaps["x"].id', "?aws_sg.perhaps[*].id"),
        ("data.aws_sg.read.id", "?data.aws_sg.read.id"),
        ("data.aws_sg.read.name", "r"),
        ("tolist([aws_sg.one.id])[0]", "?aws_sg.one.id"),
        ("coalesce(null, aws_sg.one.id)", "?aws_sg.one.id"),
        ("try(aws_sg.one.id, null)", "?aws_sg.one.id"),
        ('lookup({ a = aws_sg.one.id }, "a", "")', "?aws_sg.one.id"),
        ("one([aws_sg.one.id])", "?aws_sg.one.id"),
        ("concat([aws_sg.one.id], aws_sg.many[*].id)[2]", "?aws_sg.many[1].id"),
        ("merge({ a = 1 }, { b = aws_sg.one.id }).b", "?aws_sg.one.id"),
        ("aws_sg.one.id == null", False),
        ('"${aws_sg.one.id}"', "?aws_sg.one.id"),
        ("var.group == null ? aws_sg.one.id : var.group.id", "?aws_sg.one.id"),
    ],
)
def test_references_to_resources_keep_their_identity(evaluate: Evaluate, expression: str, expected: Any) -> None:
    evaluation = evaluate(f'{REFERENCES}\noutput "x" {{ value = {expression} }}')
    assert outputs(evaluation) == {"x": expected}
    assert messages(evaluation) == []


def test_a_resource_given_as_an_object_keeps_the_identity_of_its_attributes(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": 'resource "aws_sg" "a" { name = "n" }\nmodule "m" {\n  source = "./m"\n  group = aws_sg.a\n}\n'
            'output "x" { value = module.m.x }',
            "m/main.tf": 'variable "group" { type = object({ id = string, name = string }) }\n'
            'output "x" { value = [var.group.id, var.group.name] }',
        }
    )
    assert outputs(evaluation) == {"x": ["?aws_sg.a.id", "n"]}


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("var.nope", "var.nope"),
        ("local.nope", "local.nope"),
        ("module.nope.x", "module.nope"),
        ("aws_sg.nope.id", "aws_sg.nope"),
        ("data.aws_sg.nope.id", "data.aws_sg.nope"),
        ("each.key", "each"),
        ("count.index", "count"),
    ],
)
def test_what_nothing_declares_is_an_error(evaluate: Evaluate, expression: str, name: str) -> None:
    evaluation = evaluate(f'resource "aws_sg" "a" {{ name = try({expression}, "x") }}')
    (message,) = messages(evaluation, "error")
    assert message.startswith("main.tf:1: ") and name in message
    assert isinstance(evaluation.resources[0].values["name"].data, Unknown)


def test_dynamic_blocks_nest_and_take_other_iterators(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
resource "aws_x" "a" {
  dynamic "rule" {
    for_each = { a = [1, 2], b = [] }
    iterator = outer
    labels   = ["l"]
    content {
      name = outer.key
      dynamic "port" {
        for_each = outer.value
        content {
          number = port.value
          place  = "${outer.key}${port.key}"
        }
      }
    }
  }
  rule { name = "static" }
}
"""
    )
    rules = evaluation.resources[0].nested("rule")
    assert rules.configured and not rules.open
    # Blocks that stand there and blocks that `dynamic` makes are listed in the order of the file.
    assert [shown_all(item.values) for item in rules.items] == [{"name": "a"}, {"name": "b"}, {"name": "static"}]
    ports = rules.items[0].nested("port").items
    assert [shown_all(port.values) for port in ports] == [{"number": 1, "place": "a0"}, {"number": 2, "place": "a1"}]
    assert (rules.items[0].origin.line, rules.items[2].origin.line) == (3, 18)


def test_a_dynamic_block_over_something_unknown_is_one_uncertain_block(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
variable "cidrs" {}
variable "extra" {}
resource "aws_x" "a" {
  dynamic "ingress" {
    for_each = var.cidrs
    content {
      port  = 22
      cidrs = [ingress.value]
    }
  }
  dynamic "egress" {
    for_each = var.extra ? ["10.0.0.0/8"] : []
    content { cidrs = [egress.value] }
  }
}
"""
    )
    found = evaluation.resources[0]
    (ingress,) = found.nested("ingress").items
    assert not ingress.certain and "var.cidrs has no value" in ingress.reasons[0].text
    assert shown(ingress.values["port"]) == 22 and not ingress.values["cidrs"].known
    (egress,) = found.nested("egress").items
    assert not egress.certain and shown_all(egress.values) == {"cidrs": ["10.0.0.0/8"]}


def test_blocks_written_as_attributes_are_the_same_blocks(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
variable "unknown" {}
resource "aws_sg" "a" {
  ingress = [
    { from_port = 22 },
    { from_port = 80 }
  ]
  egress = []
}
resource "aws_sg" "b" {
  ingress = concat([{ from_port = 22 }], var.unknown)
  egress  = [{ from_port = 1 }, var.unknown]
}
resource "aws_sg" "c" { ingress = null }
"""
    )
    a, b, c = evaluation.resources
    first, second = a.nested("ingress").items
    assert shown_all(first.values) == {"from_port": 22}
    assert (first.origin.line, second.origin.line) == (5, 6)
    empty = a.nested("egress")
    assert empty.configured and empty.items == () and empty.open == ()
    assert b.nested("ingress").open and not b.nested("ingress").items
    assert len(b.nested("egress").items) == 1 and b.nested("egress").open
    assert not c.nested("ingress").configured and not a.nested("none").configured


def test_unset_attributes_are_known_after_apply(evaluate: Evaluate) -> None:
    found = evaluate('resource "aws_vpc" "a" { name = null }').resources[0]
    for name in ("id", "name"):
        assert shown(found.get(name)) == f"?aws_vpc.a.{name}"


def test_override_files_merge_as_terraform_says(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": """
variable "n" { default = 1 }
locals { l = 1 }
resource "aws_sg" "a" {
  count = 2
  name  = "main"
  ingress { port = 1 }
  ingress { port = 2 }
  egress { port = 3 }
  lifecycle {
    ignore_changes        = [ingress[0].port, name]
    create_before_destroy = true
  }
}
output "x" { value = [var.n, local.l] }
""",
            "a_override.tf": 'resource "aws_sg" "a" {\n  name = "first"\n  dynamic "ingress" {\n    for_each = [9]\n'
            "    content { port = ingress.value }\n  }\n}\nlocals { l = 2 }",
            "override.tf": 'variable "n" { default = 7 }\nresource "aws_sg" "a" {\n  name = "last"\n'
            '  lifecycle { prevent_destroy = true }\n}\nresource "aws_sg" "none" {}',
        }
    )
    first = evaluation.resources[0]
    assert values(first) == {"name": "last"}
    assert [shown_all(item.values) for item in first.nested("ingress").items] == [{"port": 9}]
    assert [shown_all(item.values) for item in first.nested("egress").items] == [{"port": 3}]
    assert shown_all(first.blocks["lifecycle"][0].values) == {"ignore_changes": ["ingress.port", "name"]}
    assert outputs(evaluation) == {"x": [7, 2]}
    (message,) = messages(evaluation, "error")
    assert message.startswith("override.tf:6: resource aws_sg none overrides nothing")


def test_json_configuration_means_the_same(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf.json": """
{
  "variable": {"cidr": {"default": "10.0.0.0/8"}},
  "locals": {"ports": [22, 443]},
  "resource": {"aws_security_group": {"a": {
    "name": "sg-${var.cidr}",
    "count": 1,
    "ingress": [{"from_port": "${local.ports[0]}"}, {"from_port": 80}],
    "egress": {"from_port": 0},
    "dynamic": {"rule": {"for_each": "${local.ports}", "content": {"port": "${rule.value}"}}}
  }}},
  "output": {"id": {"value": "${aws_security_group.a[0].id}"}}
}
"""
        }
    )
    assert messages(evaluation) == []
    (group,) = evaluation.resources
    assert group.address == "aws_security_group.a[0]" and shown(group.values["name"]) == "sg-10.0.0.0/8"
    assert [shown_all(item.values) for item in group.nested("ingress").items] == [{"from_port": 22}, {"from_port": 80}]
    assert [shown_all(item.values) for item in group.nested("egress").items] == [{"from_port": 0}]
    assert [shown_all(item.values) for item in group.nested("rule").items] == [{"port": 22}, {"port": 443}]
    assert outputs(evaluation) == {"id": "?aws_security_group.a[0].id"}


def test_a_tofu_file_hides_the_tf_file_of_its_name(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "a.tf": 'resource "aws_x" "terraform" {}',
            "a.tofu": 'resource "aws_x" "tofu" {}',
            "b.tf": 'resource "aws_x" "both" {}',
            "c.tofu.json": '{"resource": {"aws_x": {"json": {}}}}',
            ".hidden.tf": "this is not read",
            "backup.tf~": "neither is this",
        }
    )
    assert addresses(evaluation) == ["aws_x.tofu", "aws_x.both", "aws_x.json"]
    assert evaluation.coverage.files == 3


def test_other_blocks_are_tolerated(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
terraform { required_version = ">= 1.0" }
moved {
  from = aws_x.old
  to   = aws_x.a
}
removed {
  from = aws_x.gone
  lifecycle { destroy = false }
}
import {
  to = aws_x.a
  id = "i-1"
}
check "up" {
  data "http" "probe" { url = "https://example.com" }
  assert {
    condition     = data.http.probe.status_code == 200
    error_message = "down"
  }
}
ephemeral "random_password" "p" { length = 4 }
resource "aws_x" "a" {
  depends_on = [aws_x.b]
  x          = ephemeral.random_password.p.result
  lifecycle {
    precondition {
      condition     = self.x == 1
      error_message = "x"
    }
  }
  provisioner "local-exec" { command = "exit 1 ${self.id}" }
}
resource "aws_x" "b" { workspace = terraform.workspace }
resource "terraform_data" "d" { input = 7 }
output "d" { value = terraform_data.d.output }
output "f" { value = provider::aws::arn_parse("x") }
"""
    )
    assert messages(evaluation) == []
    assert values(resource(evaluation, "aws_x.b")) == {"workspace": "default"}
    assert outputs(evaluation) == {"d": 7, "f": "?"}


def test_a_file_that_cannot_be_parsed_is_reported_and_the_others_are_judged(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "bad.tf": 'locals {\n  shared = 1\n}\nresource "aws_x" "broken" {\n  a = [1,\n}\n',
            "good.tf": 'resource "aws_x" "good" { a = local.shared }',
        }
    )
    (message,) = messages(evaluation)
    assert message.startswith("bad.tf:6: ")
    assert evaluation.diagnostics[0].severity == "error" and not evaluation.complete
    assert addresses(evaluation) == ["aws_x.good"]
    assert not evaluation.resources[0].values["a"].known
    assert (evaluation.coverage.files, evaluation.coverage.files_read) == (2, 1)


def test_declaring_twice_is_an_error(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        'resource "aws_x" "a" { n = 1 }\nresource "aws_x" "a" { n = 2 }\nlocals { l = 1 }\nlocals { l = 2 }'
    )
    first, second = messages(evaluation, "error")
    assert first.startswith("main.tf:2: resource aws_x a is declared twice; the first is at main.tf:1")
    assert second.startswith("main.tf:4: local.l is declared twice")


def test_comments_are_kept_beside_resources_and_by_file(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
# unrelated

# netpact:waive gateway-ssh until 2027-01-31: break-glass
// second line
resource "aws_x" "a" {
  name = "# no comment" # trailing
  ingress {
    port = 22 /* inside
                 * two lines */
  }
}
# after
"""
    )
    (found,) = evaluation.resources
    assert found.comments == (
        "netpact:waive gateway-ssh until 2027-01-31: break-glass",
        "second line",
        "trailing",
        "inside",
        "two lines",
    )
    by_line = {comment.line: comment.text for comment in evaluation.comments["main.tf"]}
    assert by_line[2] == "unrelated" and by_line[13] == "after" and by_line[7] == "trailing"


def test_data_sources_that_need_only_their_arguments_can_be_evaluated(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        'data "aws_region_name" "r" { short = "use1" }\noutput "r" { value = data.aws_region_name.r.name }',
        data_evaluators={"aws_region_name": lambda values: {"name": values["short"]}},
    )
    assert outputs(evaluation) == {"r": "use1"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("var.none != null && var.none.enabled", False),
        ("var.none == null || length(var.none) > 0", True),
    ],
)
def test_logic_that_only_newer_terraform_accepts_is_evaluated_as_it_does(
    evaluate: Evaluate, expression: str, expected: bool
) -> None:
    evaluation = evaluate(f'variable "none" {{ default = null }}\noutput "x" {{ value = {expression} }}')
    assert outputs(evaluation) == {"x": expected}
    assert messages(evaluation) == []


def test_what_terraform_refuses_is_unknown_and_said(evaluate: Evaluate) -> None:
    evaluation = evaluate('resource "aws_vpc" "a" {\n  cidr_block = cidrsubnet("10.0.0.0/8", 40, 1)\n}')
    (message,) = messages(evaluation)
    assert message.startswith("main.tf:2: ")
    assert not evaluation.resources[0].values["cidr_block"].known
