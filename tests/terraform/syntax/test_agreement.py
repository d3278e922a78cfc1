"""Where python-hcl2 reads a file, our tree says the same: blocks, arguments, operators, steps, calls and templates.

python-hcl2 is an independent reader of the same language. Both trees are brought to one plain form in which a chain of
steps (`a.b[0].*.c`) is flat, since python-hcl2 draws the border of an attribute-only splat elsewhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hcl2
import pytest
from lark import Token, Tree

from lint.terraform.syntax.parse import parse_file
from lint.terraform.syntax.tree import (
    Binary,
    Body,
    Call,
    Conditional,
    ForObject,
    ForTuple,
    GetAttr,
    Index,
    Interpolation,
    Literal,
    Name,
    Object,
    Parentheses,
    Splat,
    Template,
    TemplateFor,
    TemplateIf,
    Tuple,
    Unary,
)

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "tests" / "conformance" / "terraform" / "syntax.jsonl"
VALID = [s for s in map(json.loads, TABLE.read_text("utf-8").splitlines()) if s["valid"]]
# Terraform gives "${a1}" for "$${a${1}}": only the "$${" is escaped. python-hcl2 takes all up to the first "}" as text.
OTHERWISE = {"s_esc_interp_nested", "s_esc_interp_nested2"}
FILES = sorted((ROOT / "fixtures").rglob("*.tf"))


class Ours:
    """Our tree in the plain form; quoted texts by their bytes, since python-hcl2 leaves escapes as they stand."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def body(self, body: Body) -> Any:
        items = [*body.attributes, *body.blocks]
        items.sort(key=lambda item: item.span.start)
        return [
            ("block", i.span.start, i.type, i.labels, self.body(i.body))
            if hasattr(i, "labels")
            else ("set", i.span.start, i.name, self.value(i.value))
            for i in items
        ]

    def value(self, node: Any) -> Any:
        match node:
            case Literal(value, span):
                text = self.data[span.start : span.end]
                if text.startswith(b"<<"):
                    return "heredoc"
                return ("text", self.inside(text)) if text.startswith(b'"') else ("word", text.decode())
            case Template(parts, span):
                text = self.data[span.start : span.end]
                return (
                    "heredoc"
                    if text.startswith(b"<<")
                    else ("template", [p for part in parts for p in self.part(part)])
                )
            case Name(name, _):
                return ("word", name)
            case GetAttr() | Index() | Splat():
                base, steps = self.chain(node)
                return ("steps", self.value(base), steps)
            case Call(name, arguments, expand, _):
                return ("call", name, [self.value(a) for a in arguments], expand)
            case Unary(operator, value, _):
                return ("unary", operator, self.value(value))
            case Binary(operator, left, right, _):
                return ("binary", operator, self.value(left), self.value(right))
            case Conditional(condition, then, otherwise, _):
                return ("conditional", self.value(condition), self.value(then), self.value(otherwise))
            case Parentheses(value, _):
                return ("parentheses", self.value(value))
            case Tuple(items, _):
                return ("tuple", [self.value(item) for item in items])
            case Object(items, _):
                return ("object", [(self.value(item.key), self.value(item.value)) for item in items])
            case ForTuple(key, item, collection, value, condition, _):
                return ("for", key, item, self.value(collection), None, self.value(value), self.maybe(condition), False)
            case ForObject(key, item, collection, result, value, condition, group, _):
                return (
                    "for",
                    key,
                    item,
                    self.value(collection),
                    self.value(result),
                    self.value(value),
                    self.maybe(condition),
                    group,
                )
        raise AssertionError(node)

    def maybe(self, node: Any) -> Any:
        return None if node is None else self.value(node)

    def inside(self, text: bytes) -> str:
        return text[1:-1].decode()

    def chain(self, node: Any) -> tuple[Any, list[Any]]:
        if isinstance(node, GetAttr):
            base, steps = self.chain(node.value)
            return base, [*steps, ("attribute", node.name)]
        if isinstance(node, Index):
            base, steps = self.chain(node.value)
            return base, [*steps, ("index", self.value(node.key))]
        if isinstance(node, Splat):
            base, steps = self.chain(node.value)
            return base, [*steps, "[*]" if node.full else ".*", *self.chain(node.each)[1]]
        return node, []

    def part(self, part: Any) -> list[Any]:
        if isinstance(part, Interpolation):
            return [("${", self.value(part.value))]
        if isinstance(part, TemplateIf):
            inner = [p for each in part.then for p in self.part(each)]
            return [
                ("if", self.value(part.condition)),
                *inner,
                *[p for each in part.otherwise for p in self.part(each)],
                "endif",
            ]
        if isinstance(part, TemplateFor):
            inner = [p for each in part.body for p in self.part(each)]
            return [("for", part.key, part.item, self.value(part.collection)), *inner, "endfor"]
        return []


class Theirs:
    """python-hcl2's tree in the plain form."""

    def body(self, tree: Tree[Token]) -> Any:
        return [self.item(child) for child in kids(tree) if child.data in ("attribute", "block")]

    def item(self, tree: Tree[Token]) -> Any:
        start = tree.meta.start_pos
        children = kids(tree)
        if tree.data == "attribute":
            return ("set", start, word(children[0]), self.value(children[1]))
        labels = tuple(text(c)[1:-1].replace('\\"', '"') if c.data == "string" else word(c) for c in children[1:-1])
        return ("block", start, word(children[0]), labels, self.body(children[-1]))

    def value(self, tree: Tree[Token]) -> Any:
        children = kids(tree)
        match tree.data:
            case "expr_term":
                if any(isinstance(c, Token) and c == "(" for c in tree.children):
                    return ("parentheses", self.value(children[0]))
                return self.value(children[0])
            case "identifier" | "literal_value" | "keyword" | "int_lit" | "float_lit":
                return number(text(tree))
            case "object_elem_key":
                return self.value(children[0])
            case "string":
                parts = [p for c in children for p in self.part(c)]
                return ("template", parts) if parts else ("text", text(tree)[1:-1])
            case "heredoc_template" | "heredoc_template_trim":
                return "heredoc"
            case "unary_op":
                return ("unary", str(tree.children[0]), self.value(children[-1]))
            case "binary_op":
                operator, right = kids(children[1])
                return ("binary", word(operator), self.value(children[0]), self.value(right))
            case "conditional":
                return ("conditional", *map(self.value, children))
            case "tuple":
                return ("tuple", [self.value(c) for c in children])
            case "object":
                return ("object", [(self.value(kids(c)[0]), self.value(kids(c)[1])) for c in children])
            case "function_call":
                names = [word(c) for c in children if c.data == "identifier"]
                arguments = [c for c in children if c.data == "arguments"]
                values = [self.value(c) for each in arguments for c in kids(each)]
                expand = any(isinstance(c, Token) and c == "..." for each in arguments for c in each.children)
                return ("call", "::".join(names), values, expand)
            case "index_expr_term" | "get_attr_expr_term" | "attr_splat_expr_term" | "full_splat_expr_term":
                base = self.value(children[0])
                steps = self.step(children[1])
                return ("steps", base[1], base[2] + steps) if base[0] == "steps" else ("steps", base, steps)
            case "for_tuple_expr" | "for_object_expr":
                return self.loop(tree)
        raise AssertionError(tree.data)

    def loop(self, tree: Tree[Token]) -> Any:
        intro, *rest = kids(tree)
        *names, collection = kids(intro)
        condition = None
        if rest[-1].data == "for_cond":
            condition = self.value(kids(rest.pop())[0])
        values = [self.value(each) for each in rest]
        group = any(isinstance(c, Token) and c == "..." for c in tree.children)
        key, item = (None, names[0]) if len(names) == 1 else names
        result = values[0] if len(values) == 2 else None
        return ("for", key and word(key), word(item), self.value(collection), result, values[-1], condition, group)

    def step(self, tree: Tree[Token]) -> list[Any]:
        children = kids(tree)
        if tree.data == "get_attr":
            return [("attribute", word(children[0]))]
        if tree.data == "short_index":
            return [("index", ("word", str(tree.children[1])))]
        if tree.data == "braces_index":
            return [("index", self.value(children[0]))]
        return [".*" if tree.data == "attr_splat" else "[*]", *(s for c in children for s in self.step(c))]

    def part(self, tree: Tree[Token]) -> list[Any]:
        made: list[Any] = []
        for child in kids(tree):
            inner = kids(child)
            if child.data == "interpolation":
                made.append(("${", self.value(inner[0])))
            elif child.data == "template_if_start":
                made.append(("if", self.value(inner[0])))
            elif child.data == "template_for_start":
                key, item = (None, inner[0]) if len(inner) == 2 else inner[:2]
                made.append(("for", key and word(key), word(item), self.value(inner[-1])))
            elif child.data in ("template_endif", "template_endfor"):
                made.append(child.data.removeprefix("template_"))
        return made


def kids(tree: Tree[Token]) -> list[Tree[Token]]:
    """The rules inside a rule, without line breaks and comments."""
    return [c for c in tree.children if isinstance(c, Tree) and c.data != "new_line_or_comment"]


def text(tree: Tree[Token]) -> str:
    return "".join(str(token) for token in tree.scan_values(lambda token: isinstance(token, Token)))


def word(tree: Tree[Token]) -> str:
    return text(tree).strip()


def number(found: str) -> Any:
    """A negative number is one token there, and a sign before a number here."""
    return ("unary", "-", ("word", found[1:])) if found.startswith("-") else ("word", found)


def both(data: bytes) -> tuple[Any, Any] | None:
    """The two plain forms, or None where python-hcl2 doesn't read the text."""
    try:
        tree = hcl2.parses_to_tree(data.decode())
    except Exception:  # it raises Lark's many kinds of errors
        return None
    theirs = Theirs().body(kids(tree)[0])
    return Ours(data).body(parse_file(data, "main.tf")), theirs


def test_valid_snippets_that_python_hcl2_reads_agree() -> None:
    read = 0
    for snippet in VALID:
        found = both(snippet["text"].encode())
        if found is not None and snippet["text"].isascii() and snippet["name"] not in OTHERWISE:
            read += 1
            assert found[0] == found[1], snippet["name"]
    assert read > 150


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_fixtures_agree(file: Path) -> None:
    found = both(file.read_bytes())
    assert found is not None
    assert found[0] == found[1]
