"""Terraform's JSON syntax ends in the same tree as native syntax, with the place of every key and value."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.terraform.syntax.json import parse_json_file, parse_json_values, read_json
from lint.terraform.syntax.parse import parse_file
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.tree import Body, Literal, Object, Tuple


def bare(value: object) -> object:
    """A tree without its places."""
    if isinstance(value, tuple):
        return tuple(bare(each) for each in value)
    if is_dataclass(value):
        return type(value).__name__, *(
            bare(getattr(value, part.name))
            for part in fields(value)
            if "span" not in part.name and part.name != "header"
        )
    return value


NATIVE = """
resource "aws_security_group" "a" {
  name       = "x-${var.n}"
  depends_on = [aws_vpc.b]
  provider   = aws.west
  ingress    = [{ "from_port" = 1, "cidr_blocks" = ["0.0.0.0/0"] }]
  tags       = { "//" = "é" }
  lifecycle {
    ignore_changes = [tags]
  }
  dynamic "egress" {
    for_each = "${var.l}"
    iterator = it
    content {
      to_port = 2
      dynamic "x" {
        for_each = []
        content {
        }
      }
    }
  }
}
variable "v" {
  type    = list(string)
  default = "$${lit}"
  validation {
    condition = "${var.v != null}"
  }
}
locals {
  k = { "${var.a}" = true, "b" = null }
}
module "m" {
  source    = "./x"
  providers = { "aws" = aws.west }
}
moved {
  from = a.b
  to   = a.c[0]
}
"""
JSON = r"""{
  "//": "a comment",
  "resource": {"aws_security_group": {"a": {
    "name": "x-${var.n}", "depends_on": ["aws_vpc.b"], "provider": "aws.west",
    "ingress": [{"from_port": 1, "cidr_blocks": ["0.0.0.0/0"]}],
    "tags": {"//": "\u00e9"},
    "lifecycle": {"ignore_changes": ["tags"]},
    "dynamic": {"egress": {"for_each": "${var.l}", "iterator": "it",
      "content": {"to_port": 2, "dynamic": [{"x": [{"for_each": [], "content": {}}]}]}}}}}},
  "variable": [{"v": {"type": "list(string)", "default": "${lit}", "validation": [{"condition": "${var.v != null}"}]}}],
  "locals": {"k": {"${var.a}": true, "b": null}},
  "module": {"m": {"source": "./x", "providers": {"aws": "aws.west"}}},
  "moved": [{"from": "a.b", "to": "a.c[0]"}]
}"""


def test_json_and_native_syntax_give_the_same_tree() -> None:
    assert bare(parse_json_file(JSON.encode(), "a.tf.json")) == bare(parse_file(NATIVE.encode(), "a.tf"))


def test_several_bodies_under_one_label_are_several_blocks() -> None:
    text = '{"resource": [{"a": {"b": [{"x": 1}, {"x": 2}], "c": {"x": 3}}}, {"a": {"d": {}}}]}'
    body = parse_json_file(text.encode(), "m.tf.json")
    assert [block.labels for block in body.blocks] == [("a", "b"), ("a", "b"), ("a", "c"), ("a", "d")]


def test_places_are_those_of_the_text() -> None:
    data = '\ufeff{\n  "é": 1,\n  "resource": {"a_b": {"n": {\n    "x": "é${y}z", "l": [1]}}}\n}\n'.encode()
    body = parse_json_file(data, "m.tf.json")
    block = body.blocks[0]
    assert data[block.header.start : block.header.end] == b'"n"'
    assert data[block.span.start : block.span.end].startswith(b'"n": {') and data[block.span.end - 1 :].startswith(
        b"}}}"
    )
    assert (block.span.line, block.span.column, block.span.end_line) == (3, 24, 4)
    text, items = block.body.attributes
    assert data[text.span.start : text.span.end].decode() == '"x": "é${y}z"'
    assert (text.value.span.line, text.value.span.column, text.value.span.end_column) == (4, 10, 18)
    assert {part.span for part in text.value.parts} == {text.value.span}  # type: ignore[union-attr]
    assert data[items.value.span.start : items.value.span.end] == b"[1]"


def test_values_of_tfvars_are_never_templates() -> None:
    body = parse_json_values(b'{"a": "${x}", "b": {"${k}": ["%{ if"]}}', "x.tfvars.json")
    first, second = body.attributes
    assert isinstance(first.value, Literal) and first.value.value == "${x}"
    assert isinstance(second.value, Object)
    item = second.value.items[0]
    assert isinstance(item.key, Literal) and item.key.value == "${k}"
    assert isinstance(item.value, Tuple)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "m:1:1: the text ends too early; expected a JSON value"),
        ('{"a":}', "m:1:6: unexpected }"),
        ('{"a": 1,}', "m:1:9: unexpected }; expected a key in quotes"),
        ('{"a": 1 "b": 2}', 'm:1:9: unexpected "b": 2}; expected a comma or }'),
        ('{"a": 01}', "m:1:7: unexpected 01}; expected a JSON value"),
        ('{"a": nul}', "m:1:7: unexpected nul}; expected a JSON value"),
        ('{"a": "\t"}', 'm:1:7: unexpected "'),
        ('{"a": 1}\n]', "m:2:1: unexpected ]; expected the end of the file"),
        ("[1]", "m:1:1: this stands for a block; write an object, or an array of objects"),
        ('{"resource": {"a": 3}}', "m:1:20: this stands for a block; write an object, or an array of objects"),
        ('{"locals": {"a": 1,\n "a": 2}}', "m:2:2: a is already set in line 1; set every argument once"),
        ('{"locals": {"a": {"k": 1, "k": 2}}}', "m:1:27: the key 'k' is already there; write every key once"),
        ('{"locals": {"a": "${"}}', "m:1:18: the text ends too early; expected an expression"),
        ('{"moved": {"from": "a b"}}', "m:1:20: unexpected b; expected the end of the expression"),
        ('{"a": 1e99999999999999999999}', "m:1:7: the number 1e99999999999999999999 is too large; write a smaller one"),
    ],
)
def test_a_problem_names_place_find_and_remedy(text: str, message: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_json_file(text.encode(), "m")
    assert str(caught.value).startswith(message)


def test_deep_nesting_is_a_problem_at_once() -> None:
    for text in ("[" * 10_000, '{"a":' * 10_000):
        with pytest.raises(SyntaxProblem, match="more than"):
            parse_json_file(text.encode(), "m")


def plain(value: object) -> object:
    """A JSON tree as json.loads gives it."""
    if hasattr(value, "members"):
        return {member.name: plain(member.value) for member in value.members}
    if hasattr(value, "items"):
        return [plain(item) for item in value.items]
    return value.value  # type: ignore[attr-defined]


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="ascii"), max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(documents, st.sampled_from([None, 2]))
def test_any_json_is_read_as_the_standard_library_reads_it(document: object, indent: int | None) -> None:
    text = json.dumps(document, indent=indent)
    assert plain(read_json(text.encode(), "m")) == json.loads(text)


def test_an_empty_document_is_an_empty_body() -> None:
    body = parse_json_file(b" {}\r\n", "m")
    assert isinstance(body, Body)
    assert (body.attributes, body.blocks) == ((), ())
