"""Text of .tf.json and .tfvars.json files to the same tree as native syntax, with exact byte ranges.

Terraform's JSON syntax needs to know what is a block and what an argument. Here that is known for everything that
Terraform itself defines (resource, lifecycle, dynamic …). What a provider defines becomes arguments with objects and
tuples, in which form nested blocks are written too: https://developer.hashicorp.com/terraform/language/syntax/json
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from typing import NoReturn
from unicodedata import normalize

from lint.terraform.syntax.parse import parse_expression, parse_template
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.scan import NESTING, between, one_character_per_byte
from lint.terraform.syntax.tree import (
    Attribute,
    Block,
    Body,
    Expression,
    Literal,
    Name,
    Object,
    ObjectItem,
    Span,
    Tuple,
    node,
)


@node
class Leaf:
    """A string, number, true, false or null."""

    value: str | Decimal | bool | None
    span: Span


@node
class Member:
    """`"key": value`; `key` is a Leaf with a string."""

    key: Leaf
    name: str
    value: Json


@node
class Members:
    """`{ … }`, its members in the order in which they stand."""

    members: tuple[Member, ...]
    span: Span


@node
class Items:
    """`[ … ]`."""

    items: tuple[Json, ...]
    span: Span


Json = Leaf | Members | Items


@dataclass(frozen=True, slots=True)
class _Kind:
    """What Terraform defines of a block: how many labels, which blocks inside, and the arguments that are no templates.

    `references` hold names of things as strings (`"depends_on": ["aws_vpc.a"]`), `texts` strings that are just text.
    """

    labels: int = 0
    blocks: Mapping[str, _Kind] = field(default_factory=dict)
    references: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    plain: bool = False  # every argument is what it is: nothing in it is a template


def _content() -> Mapping[str, _Kind]:
    """Blocks that stand in the content of a dynamic block: a dynamic block again, and so on."""
    inner: dict[str, _Kind] = {}
    inner["dynamic"] = _Kind(1, {"content": _Kind(0, inner)}, frozenset({"iterator"}))
    return inner


_CHECKED = _Kind()
_META = frozenset({"depends_on", "provider"})
_PROVISIONING = {"connection": _Kind(), "provisioner": _Kind(1, {"connection": _Kind()})}
_LIFECYCLE = _Kind(
    0, {"precondition": _CHECKED, "postcondition": _CHECKED}, frozenset({"ignore_changes", "replace_triggered_by"})
)
_RESOURCE = _Kind(2, {"lifecycle": _LIFECYCLE, **_PROVISIONING, **_content()}, _META)
_PLAIN = _Kind(plain=True)
_FILE = _Kind(
    0,
    {
        "resource": _RESOURCE,
        "data": _RESOURCE,
        "ephemeral": _RESOURCE,
        "variable": _Kind(1, {"validation": _CHECKED}, frozenset({"type"}), frozenset({"default", "description"})),
        "output": _Kind(1, {"precondition": _CHECKED}, _META, frozenset({"description"})),
        "locals": _Kind(),
        "module": _Kind(1, {}, _META | {"providers"}, frozenset({"source", "version"})),
        "provider": _Kind(1, _content(), frozenset(), frozenset({"alias", "version"})),
        "terraform": _Kind(
            0,
            {
                "required_providers": _PLAIN,
                "backend": _Kind(1, plain=True),
                "cloud": _Kind(0, {"workspaces": _PLAIN}, plain=True),
                "provider_meta": _Kind(1),
            },
            plain=True,
        ),
        "moved": _Kind(0, {}, frozenset({"from", "to"})),
        "removed": _Kind(0, {"lifecycle": _LIFECYCLE, **_PROVISIONING}, frozenset({"from"})),
        "import": _Kind(0, {}, frozenset({"to", "provider"})),
        "check": _Kind(1, {"data": _RESOURCE, "assert": _CHECKED}),
    },
)


def parse_json_file(data: bytes, file: str) -> Body:
    """The body of a .tf.json or .tofu.json file. Raises SyntaxProblem."""
    return to_body(read_json(data, file), _FILE)


def parse_json_values(data: bytes, file: str) -> Body:
    """The body of a .tfvars.json file: every string is what it is. Raises SyntaxProblem."""
    return to_body(read_json(data, file), _PLAIN)


def to_body(value: Json, kind: _Kind) -> Body:
    """The body that an object, or an array of objects, stands for; `"//"` holds comments. Raises SyntaxProblem."""
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    for member in _members(value):
        name = member.name
        inner = kind.blocks.get(name)
        if name == "//":
            continue
        if inner is not None:
            blocks.extend(_blocks(name, member.key.span, member.value, inner, ()))
            continue
        if name in attributes:
            line = attributes[name].span.line
            _fail(member.key.span, f"{name} is already set in line {line}", "set every argument once")
        if name in kind.references:
            made = _references(member.value)
        else:
            made = _expression(member.value, kind.plain or name in kind.texts)
        attributes[name] = Attribute(name, made, between(member.key.span, member.value.span))
    return Body(tuple(attributes.values()), tuple(blocks), value.span)


def _members(value: Json) -> Iterator[Member]:
    if isinstance(value, Members):
        yield from value.members
    elif isinstance(value, Items) and all(isinstance(item, Members) for item in value.items):
        for item in value.items:
            yield from _members(item)
    else:
        _fail(value.span, "this stands for a block", "write an object, or an array of objects")


def _blocks(type_: str, header: Span, value: Json, kind: _Kind, labels: tuple[str, ...]) -> Iterator[Block]:
    """All blocks of one type below its key: one object level for each label, and arrays for repetition."""
    if len(labels) < kind.labels:
        for member in _members(value):
            yield from _blocks(type_, member.key.span, member.value, kind, (*labels, member.name))
        return
    if isinstance(value, Leaf) and value.value is None:
        return
    for item in value.items if isinstance(value, Items) else (value,):
        yield Block(type_, labels, to_body(item, kind), header, between(header, item.span))


def _expression(value: Json, plain: bool) -> Expression:
    """An argument's value; where it isn't plain, strings and keys are templates."""
    if isinstance(value, Leaf):
        if isinstance(value.value, str) and not plain and ("${" in value.value or "%{" in value.value):
            return _placed(parse_template, value.value, value.span)
        return Literal(value.value, value.span)
    if isinstance(value, Items):
        return Tuple(tuple(_expression(item, plain) for item in value.items), value.span)
    seen: set[str] = set()
    items: list[ObjectItem] = []
    for member in value.members:
        if member.name in seen:
            _fail(member.key.span, f"the key {member.name!r} is already there", "write every key once")
        seen.add(member.name)
        items.append(ObjectItem(_expression(member.key, plain), _expression(member.value, plain)))
    return Object(tuple(items), value.span)


def _references(value: Json) -> Expression:
    """Names of resources, providers and types: each string is an expression of native syntax."""
    if isinstance(value, Leaf):
        if isinstance(value.value, str):
            return _placed(_reference, value.value, value.span)
        return Literal(value.value, value.span)
    if isinstance(value, Items):
        return Tuple(tuple(_references(item) for item in value.items), value.span)
    items: list[ObjectItem] = []
    for member in value.members:
        key = _references(member.key)
        if isinstance(key, Name):
            key = Literal(key.name, key.span)
        items.append(ObjectItem(key, _references(member.value)))
    return Object(tuple(items), value.span)


def _reference(text: str, file: str) -> Expression:
    return parse_expression(text, file, breaks_count=False)


def _placed(parse: Callable[[str, str], Expression], text: str, span: Span) -> Expression:
    """What the text of a string says; as escapes move its bytes, every node of it has the string's own place."""
    try:
        made = parse(text, span.file)
    except SyntaxProblem as problem:
        raise SyntaxProblem(span.file, span.line, span.column, problem.text, problem.hint) from None
    pending: list[object] = [made]
    while pending:
        one = pending.pop()
        if isinstance(one, tuple):
            pending.extend(one)
        elif hasattr(one, "__dataclass_fields__"):
            for name in (part.name for part in fields(one)):  # type: ignore[arg-type]
                if name == "span":
                    object.__setattr__(one, name, span)
                else:
                    pending.append(getattr(one, name))
    return made


def _fail(span: Span, text: str, hint: str) -> NoReturn:
    raise SyntaxProblem(span.file, span.line, span.column, text, hint)


_TOKEN = re.compile(
    r"[ \t\r\n]*(?:"
    r"([{}\[\],:])"
    r'|("(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+")'
    r"|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z_.]))"
    r"|(true|false|null)(?![0-9A-Za-z_])"
    r")"
).match
_BLANK = re.compile(r"[ \t\r\n]*").match
_WORDS = {"true": True, "false": False, "null": None}
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def read_json(data: bytes, file: str) -> Json:
    """JSON with the range of every value and key; an object keeps all its members. Raises SyntaxProblem."""
    reader = _Reader(one_character_per_byte(data, file), file, 3 if data.startswith(b"\xef\xbb\xbf") else 0)
    value = reader.value()
    reader.finish()
    return value


class _Reader:
    """Reads one JSON text from `position` on; `depth` counts the brackets that are open."""

    __slots__ = ("depth", "file", "lines", "position", "text", "wide")

    def __init__(self, text: str, file: str, position: int) -> None:
        self.text = text
        self.file = file
        self.position = position
        self.depth = 0
        self.wide = not text.isascii()
        self.lines = [position, *(match.end() for match in re.finditer("\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.lines, offset)
        start = self.lines[line - 1] if line else 0
        before = self.text[start:offset]
        return max(line, 1), 1 + sum(not "\x80" <= c <= "\xbf" for c in before) if self.wide else 1 + len(before)

    def span(self, start: int, end: int) -> Span:
        return Span(self.file, start, end, *self.place(start), *self.place(end))

    def token(self, wanted: str) -> re.Match[str]:
        match = _TOKEN(self.text, self.position)
        if match is None:
            self.unexpected(self.position, wanted)
        self.position = match.end()
        return match

    def unexpected(self, offset: int, wanted: str) -> NoReturn:
        blank = _BLANK(self.text, offset)
        offset = blank.end() if blank else offset
        found = self.text[offset : offset + 20].split("\n")[0].strip()
        found = found.encode("latin-1").decode("utf-8", "ignore")
        text = f"unexpected {found}" if offset < len(self.text) else "the text ends too early"
        raise SyntaxProblem(self.file, *self.place(offset), text, f"expected {wanted}")

    def finish(self) -> None:
        blank = _BLANK(self.text, self.position)
        if blank is not None and blank.end() < len(self.text):
            self.unexpected(self.position, "the end of the file")

    def value(self) -> Json:
        match = self.token("a JSON value")
        index = match.lastindex
        mark = match[1]
        if index != 1:
            return self.leaf(match)
        if mark not in ("{", "["):
            self.unexpected(match.start(1), "a JSON value")
        start = match.start(1)
        self.depth += 1
        if self.depth > NESTING:
            raise SyntaxProblem(self.file, *self.place(start), f"more than {NESTING} levels are nested here", "")
        made = self.members(start) if mark == "{" else self.items(start)
        self.depth -= 1
        return made

    def leaf(self, match: re.Match[str]) -> Leaf:
        index = match.lastindex or 0
        token = match[index]
        span = self.span(match.start(index), match.end(index))
        if index == 4:
            return Leaf(_WORDS[token], span)
        if index == 3:
            try:
                return Leaf(Decimal(token), span)
            except InvalidOperation:
                _fail(span, f"the number {token[:40]} is too large", "write a smaller one")
        if not token.isascii():
            token = token.encode("latin-1").decode("utf-8")
        text: str = json.loads(token) if "\\" in token else token[1:-1]
        return Leaf(normalize("NFC", _SURROGATE.sub("\ufffd", text)), span)

    def members(self, start: int) -> Members:
        members: list[Member] = []
        match = self.token("a key or }")
        while match[1] != "}":
            if match.lastindex != 2:
                self.unexpected(match.start(match.lastindex or 0), "a key in quotes")
            key = self.leaf(match)
            colon = self.token("a colon")
            if colon[1] != ":":
                self.unexpected(colon.start(colon.lastindex or 0), "a colon")
            members.append(Member(key, str(key.value), self.value()))
            match = self.token("a comma or }")
            if match[1] == ",":
                match = self.token("a key in quotes")
                if match[1] == "}":
                    self.unexpected(match.start(1), "a key in quotes")
            elif match[1] != "}":
                self.unexpected(match.start(match.lastindex or 0), "a comma or }")
        return Members(tuple(members), self.span(start, self.position))

    def items(self, start: int) -> Items:
        items: list[Json] = []
        before = self.position
        match = self.token("a JSON value or ]")
        if match[1] != "]":
            self.position = before
            while True:
                items.append(self.value())
                match = self.token("a comma or ]")
                if match[1] == "]":
                    break
                if match[1] != ",":
                    self.unexpected(match.start(match.lastindex or 0), "a comma or ]")
        return Items(tuple(items), self.span(start, self.position))
