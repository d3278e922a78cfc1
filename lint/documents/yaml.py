"""YAML as a small tree of nodes that know their lines: reads one document, as strictly as it is asked to. Knows no
meaning of any key.

Scalars stay as written, so that `2027-01-31`, `no` and `0644` mean what the reader of a key wants them to mean. Nesting
and size are always bounded, since a file may come from a stranger; several documents and keys that aren't plain text
are always refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lint.origin import Origin

# What all merge keys of a document may bring; more was made to keep a machine busy.
_MOST_MERGED = 200_000

# Characters that change what a terminal or a reader sees: control characters and those that turn the writing direction.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class YamlError(Exception):
    """One mistake in a document: where (line and column from 1; None where no place can be named), what, and what to
    do about it. `text` says what the file does: `holds a second document`.

    A document with several mistakes raises the first; `every` then holds all of them, the first included.
    """

    def __init__(self, text: str, remedy: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy
        self.line = line
        self.column = column
        self.every: tuple[YamlError, ...] = (self,)


class NotYaml(YamlError):
    """Text that breaks YAML's grammar; `text` is what the parser says of it."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as written; `plain` where it stands without quotes. Lines and columns count from 1."""

    text: str
    plain: bool
    file: str
    line: int
    column: int
    end_line: int

    @property
    def origin(self) -> Origin:
        """Where it stands."""
        return Origin(file=self.file, line=self.line, end_line=self.end_line, column=self.column)

    @property
    def empty(self) -> bool:
        """Whether nothing is there: an empty value, `~` or `null`."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list; `end_line` is the last line that belongs to it."""

    items: tuple[Node, ...]
    file: str
    line: int
    column: int
    end_line: int

    @property
    def origin(self) -> Origin:
        """Where it begins."""
        return Origin(file=self.file, line=self.line, end_line=self.line, column=self.column)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file; `end_line` is the last line that belongs to it."""

    entries: tuple[tuple[Scalar, Node], ...]
    file: str
    line: int
    column: int
    end_line: int

    @property
    def origin(self) -> Origin:
        """Where it begins."""
        return Origin(file=self.file, line=self.line, end_line=self.line, column=self.column)

    def get(self, key: str) -> Node | None:
        """The value of a key, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a document may hold.

    `largest` is in bytes (of a text: in characters); `deepest` counts levels, a value in the innermost list is one.
    `aliases`: anchors, aliases and merge keys; without them `<<` is a key like any other. `tags`: explicit ones, which
    are passed over. `unseen`: control characters in values and keys. `twice`: a key again in one mapping, for a reader
    of `entries` that tells it better.
    """

    largest: int
    deepest: int
    aliases: bool = False
    tags: bool = False
    unseen: bool = False
    twice: bool = False


def read_yaml(source: str | bytes, file: str, allowed: Allowed) -> Node | None:
    """The one document of the source, None where there is none. Raises YamlError.

    All duplicate keys are told at once, in `every`. `file` is what origins call the source.
    """
    import yaml

    text = _decoded(source, allowed.largest)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(iter(yaml.parse(text, Loader=loader)), file, allowed).document()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError("holds a character that YAML doesn't allow", "remove the control character", line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        remedy = "check indentation, quotes and brackets there"
        raise NotYaml(said, remedy, mark.line + 1 if mark else None, mark.column + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise NotYaml(" ".join(str(error).split()), "check the file's encoding and structure") from None


def plain_value(node: Node) -> object:
    """The document as dicts, lists, str, int and bool, for a JSON Schema validator.

    Only `true` and `false` are booleans and only plain digits are numbers (as in YAML 1.2): `no`, `on` and `~` stay
    text.
    """
    if isinstance(node, Mapping):
        return {key.text: plain_value(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [plain_value(item) for item in node.items]
    if node.plain and node.text in ("true", "false"):
        return node.text == "true"
    if node.plain and _INTEGER.fullmatch(node.text):
        return int(node.text)
    return node.text


def _decoded(source: str | bytes, largest: int) -> str:
    if len(source) > largest:
        raise YamlError(f"is larger than {largest // 1024} KiB", "split it into several files")
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise YamlError("isn't UTF-8 text", "save the file as UTF-8", line) from None


class _Composer:
    """Makes nodes of the parser's events, counting depth and refusing what isn't allowed."""

    def __init__(self, events: Iterator[object], file: str, allowed: Allowed) -> None:
        self._events = events
        self._file = file
        self._allowed = allowed
        self._anchors: dict[str, Node] = {}
        self._merged = 0
        self._duplicates: list[YamlError] = []

    def document(self) -> Node | None:
        import yaml

        found: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if found is not None:
                    raise _error(event, "holds a second document", "keep one document a file")
                found = self._node(next(self._events), 1)
        if self._duplicates:
            self._duplicates[0].every = tuple(self._duplicates)
            raise self._duplicates[0]
        return found

    def _node(self, event: object, depth: int) -> Node:
        import yaml

        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None and not self._allowed.aliases:
            raise _error(event, "uses an anchor or an alias", "write the value out in each place")
        if isinstance(event, yaml.AliasEvent):
            if anchor is None or anchor not in self._anchors:
                text = f"refers to `*{str(anchor)[:100]}`, an anchor that isn't there"
                raise _error(event, text, "put the anchor before it, or write the value out")
            return self._anchors[anchor]
        if getattr(event, "tag", None) is not None and not self._allowed.tags:
            raise _error(event, "uses a tag", "write the value without `!`")
        if depth > self._allowed.deepest:
            raise _error(event, f"is nested deeper than {self._allowed.deepest} levels", "flatten it")
        line, column = _place(event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            if not self._allowed.unseen and _UNSEEN.search(event.value):
                raise _error(event, "holds a character that can't be seen", "remove the control character")
            plain = bool(event.implicit[0]) and not event.style
            node = Scalar(event.value, plain, self._file, line, column, _end_line(event, line))
        elif isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            last = max((item.end_line for item in items), default=line)
            node = Sequence(tuple(items), self._file, line, column, max(line, last))
        else:
            node = self._mapping(line, column, depth)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _mapping(self, line: int, column: int, depth: int) -> Mapping:
        import yaml

        entries: list[tuple[Scalar, Node]] = []
        seen: dict[str, int] = {}
        merges = False
        last = line
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise _error(event, "has a key that is a list or a mapping", "use plain text as a key")
            value = self._node(next(self._events), depth + 1)
            last = max(last, key.end_line, value.end_line)
            merges = merges or self._merges(key)
            if key.text in seen and not self._allowed.twice:
                text = f"key `{key.text[:100]}` is given twice, first in line {seen[key.text]}"
                self._duplicates.append(YamlError(text, "keep one of them", key.line, key.column))
                continue
            seen[key.text] = key.line
            entries.append((key, value))
        if merges:
            entries = list(self._with_merged(entries, seen))
        return Mapping(tuple(entries), self._file, line, column, last)

    def _merges(self, key: Scalar) -> bool:
        return self._allowed.aliases and key.plain and key.text == "<<"

    def _with_merged(self, entries: list[tuple[Scalar, Node]], own: dict[str, int]) -> Iterator[tuple[Scalar, Node]]:
        """The entries with what merge keys bring; what the mapping says itself comes first."""
        for key, value in entries:
            if not self._merges(key):
                yield key, value
                continue
            taken = set(own)
            for part in value.items if isinstance(value, Sequence) else (value,):
                if not isinstance(part, Mapping):
                    text = "gives `<<` what is neither a mapping nor a list of mappings"
                    raise YamlError(text, "write `<<: *name`, with the anchor of a mapping", value.line, value.column)
                self._merged += len(part.entries) + 1
                if self._merged > _MOST_MERGED:
                    text = f"merges more than {_MOST_MERGED} keys"
                    raise YamlError(text, "write out what is needed", key.line, key.column)
                for inner in part.entries:
                    if inner[0].text not in taken:
                        taken.add(inner[0].text)
                        yield inner


def _error(event: object, text: str, remedy: str) -> YamlError:
    return YamlError(text, remedy, *_place(event))


def _place(event: object) -> tuple[int, int]:
    mark = getattr(event, "start_mark", None)
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _end_line(event: object, line: int) -> int:
    """The last line of a scalar; the parser ends a block of lines where the next line begins."""
    mark = getattr(event, "end_mark", None)
    if mark is None:
        return line
    end: int = mark.line if mark.column == 0 else mark.line + 1
    return max(line, end)
