"""YAML with a place for every value: reads one document of mappings, lists and scalars. Knows nothing of packs.

It takes the part of YAML that a person writes by hand, and refuses the rest with a sentence: anchors and aliases,
explicit tags, several documents, keys that aren't plain text, keys given twice. Nesting and size are bounded, since a
file may come from a stranger. Only `true` and `false` are booleans and only plain digits are numbers (as in YAML
1.2): `no`, `on` and `~` stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lint.packs.problem import PackProblem

LARGEST = 1 << 20  # bytes
DEEPEST = 16

# Characters that change what a terminal or a reader sees: control characters and those that turn the writing direction.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as written; `plain` where it stands without quotes. Lines and columns count from 1."""

    text: str
    plain: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file; `end_line` is the last line that belongs to it."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int
    column: int
    end_line: int

    def get(self, key: str) -> Node | None:
        """The value of a key, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | Sequence | Mapping


def read_document(text: str | bytes, file: str) -> Node:
    """The one document of the text. Raises PackProblem, with all duplicate keys of the file in `every`."""
    import yaml

    source = _decoded(text, file)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(iter(yaml.parse(source, Loader=loader)), file).document()
    except yaml.reader.ReaderError as error:
        line = source.count("\n", 0, error.position) + 1
        raise PackProblem(
            file, line, "holds a character that YAML doesn't allow", "remove the control character"
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise PackProblem(
            file,
            mark.line + 1 if mark else None,
            f"not YAML: {said}",
            "check indentation, quotes and brackets there",
            mark.column + 1 if mark else None,
        ) from None
    except yaml.YAMLError as error:
        raise PackProblem(file, None, f"not YAML: {error}", "check the file's encoding and structure") from None


def plain_value(node: Node) -> object:
    """The document as dicts, lists, str, int and bool, for a JSON Schema validator."""
    if isinstance(node, Mapping):
        return {key.text: plain_value(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [plain_value(item) for item in node.items]
    if node.plain and node.text in ("true", "false"):
        return node.text == "true"
    if node.plain and _INTEGER.fullmatch(node.text):
        return int(node.text)
    return node.text


def _decoded(text: str | bytes, file: str) -> str:
    if len(text) > LARGEST:
        raise PackProblem(file, None, f"is larger than {LARGEST // 1024} KiB", "split it into several files")
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise PackProblem(file, line, "isn't UTF-8 text", "save the file as UTF-8") from None


class _Composer:
    """Makes nodes of the parser's events, counting depth and refusing what isn't written by hand."""

    def __init__(self, events: Iterator[object], file: str) -> None:
        self._events = events
        self._file = file
        self._duplicates: list[PackProblem] = []

    def document(self) -> Node:
        import yaml

        found: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if found is not None:
                    raise self._problem(event, "holds a second document", "keep one document a file")
                found = self._node(next(self._events), 1)
        if found is None:
            raise PackProblem(self._file, None, "is empty", "write a document into it")
        if self._duplicates:
            self._duplicates[0].every = tuple(self._duplicates)
            raise self._duplicates[0]
        return found

    def _node(self, event: object, depth: int) -> Node:
        import yaml

        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self._problem(event, "uses an anchor or an alias", "write the value out in each place")
        if getattr(event, "tag", None) is not None:
            raise self._problem(event, "uses a tag", "write the value without `!`")
        if depth > DEEPEST:
            raise self._problem(event, f"is nested deeper than {DEEPEST} levels", "flatten it")
        line, column = _place(event)
        if isinstance(event, yaml.ScalarEvent):
            if _UNSEEN.search(event.value):
                raise self._problem(event, "holds a character that can't be seen", "remove the control character")
            return Scalar(event.value, event.style is None or event.style == "", line, column)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            return Sequence(tuple(items), line, column)
        return self._mapping(line, column, depth)

    def _mapping(self, line: int, column: int, depth: int) -> Mapping:
        import yaml

        entries: list[tuple[Scalar, Node]] = []
        seen: dict[str, int] = {}
        last = line
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise self._problem(event, "has a key that is a list or a mapping", "use plain text as a key")
            value = self._node(next(self._events), depth + 1)
            last = max(last, _last_line(value))
            if key.text in seen:
                self._duplicates.append(
                    PackProblem(
                        self._file,
                        key.line,
                        f"key `{key.text[:100]}` is given twice, first in line {seen[key.text]}",
                        "keep one of them",
                        key.column,
                    )
                )
                continue
            seen[key.text] = key.line
            entries.append((key, value))
        return Mapping(tuple(entries), line, column, last)

    def _problem(self, event: object, text: str, remedy: str) -> PackProblem:
        line, column = _place(event)
        return PackProblem(self._file, line, text, remedy, column)


def _place(event: object) -> tuple[int, int]:
    mark = getattr(event, "start_mark", None)
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _last_line(node: Node) -> int:
    if isinstance(node, Mapping):
        return node.end_line
    if isinstance(node, Sequence):
        return max((_last_line(item) for item in node.items), default=node.line)
    return node.line + node.text.rstrip("\n").count("\n")
