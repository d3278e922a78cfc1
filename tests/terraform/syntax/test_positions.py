"""Every node knows exactly which bytes it came from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from lint.terraform.syntax.parse import parse_expression, parse_file
from lint.terraform.syntax.tree import Attribute, Block, Body, Interpolation, Literal, Span, Splat, SplatItem, Template

TABLE = Path(__file__).parents[2] / "conformance" / "terraform" / "syntax.jsonl"
VALID = [s for s in map(json.loads, TABLE.read_text("utf-8").splitlines()) if s["valid"]]


def nodes(value: object) -> Iterator[Any]:
    """A node and all that are inside it."""
    if isinstance(value, tuple):
        for each in value:
            yield from nodes(each)
    elif is_dataclass(value) and not isinstance(value, Span):
        yield value
        for part in fields(value):
            yield from nodes(getattr(value, part.name))


def bare(value: object) -> object:
    """A tree without its places."""
    if isinstance(value, tuple):
        return tuple(bare(each) for each in value)
    if is_dataclass(value):
        return type(value).__name__, *(bare(getattr(value, part.name)) for part in fields(value) if part.name != "span")
    return value


def place(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column of a byte, counted the slow way."""
    before = data[:offset].decode("utf-8").removeprefix("\ufeff")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


@pytest.mark.parametrize("snippet", VALID, ids=lambda snippet: snippet["name"])
def test_lines_and_columns_are_those_of_the_bytes(snippet: dict[str, str]) -> None:
    for mark in (b"", b"\xef\xbb\xbf", "# é ü\n/* ž\nž */ ".encode()):
        data = mark + snippet["text"].encode()
        for node in nodes(parse_file(data, "main.tf")):
            span = getattr(node, "span", None)
            if span is not None and not (isinstance(node, Body) and span.start == 0):
                assert 0 <= span.start <= span.end <= len(data)
                assert (span.line, span.column) == place(data, span.start), node
                assert (span.end_line, span.end_column) == place(data, span.end), node


@pytest.mark.parametrize("snippet", VALID, ids=lambda snippet: snippet["name"])
def test_the_bytes_of_an_expression_give_the_same_expression(snippet: dict[str, str]) -> None:
    data = snippet["text"].encode()
    body = parse_file(data, "main.tf")
    inside = {id(part) for node in nodes(body) for part in _texts(node)}
    for node in nodes(body):
        if isinstance(node, Attribute | Block | Body | SplatItem | Interpolation) or not hasattr(node, "span"):
            continue
        if id(node) in inside or _stands_in_a_splat(node):
            continue
        text = data[node.span.start : node.span.end].decode()
        if isinstance(node, Literal) and isinstance(node.value, str) and text == node.value:
            continue  # an object's key without quotes
        again = parse_expression(f"({text}\n)").value
        assert bare(again) == bare(node)


def _texts(node: object) -> Iterator[object]:
    """Nodes that stand only inside a template: its texts and directives."""
    for name in ("parts", "then", "otherwise", "body"):
        parts = getattr(node, name, ())
        if isinstance(parts, tuple) and (isinstance(node, Template) or type(node).__name__.startswith("Template")):
            yield from parts


def _stands_in_a_splat(node: object) -> bool:
    return any(isinstance(each, SplatItem) for each in nodes(node)) and not isinstance(node, Splat)


def test_attributes_and_blocks_cover_their_whole_definition() -> None:
    data = b'\xef\xbb\xbf# c\nresource "a" "b" {\n  x = <<E\nhi\nE\n  y {\n  }\n}\n'
    block = parse_file(data, "main.tf").blocks[0]
    assert data[block.header.start : block.header.end] == b'resource "a" "b"'
    assert data[block.span.start : block.span.end] == data[data.index(b"resource") : -1]
    assert data[block.body.span.start : block.body.span.end] == data[data.index(b"{") : -1]
    attribute = block.body.attributes[0]
    assert data[attribute.span.start : attribute.span.end] == b"x = <<E\nhi\nE"
    assert (attribute.span.line, attribute.span.end_line) == (3, 5)
    inner = block.body.blocks[0]
    assert data[inner.span.start : inner.span.end] == b"y {\n  }"


def test_columns_count_characters() -> None:
    body = parse_file('x = f("é", é, b)'.encode(), "main.tf")
    call = body.attributes[0].value
    assert [(a.span.start, a.span.column, a.span.end_column) for a in call.arguments] == [
        (6, 7, 10),
        (12, 12, 13),
        (16, 15, 16),
    ]
