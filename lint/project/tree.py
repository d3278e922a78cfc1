"""YAML text as a small tree of nodes that know their line. Knows no meaning of any key.

Scalars stay as written, so that `2027-01-31`, `no` and `0644` mean what the reader of a key wants them to mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lint.origin import Origin

MAX_BYTES = 4 * 1024 * 1024
_MAX_DEPTH = 40


class TreeError(Exception):
    """Text that isn't usable YAML: what is wrong, and where."""

    def __init__(self, text: str, origin: Origin) -> None:
        super().__init__(text)
        self.text = text
        self.origin = origin


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as written. `plain`: without quotes."""

    text: str
    origin: Origin
    plain: bool = True

    @property
    def empty(self) -> bool:
        """Whether nothing is there: an empty value, `~` or `null`."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with values, in order; keys may occur twice, the reader complains."""

    pairs: tuple[tuple[Scalar, Node], ...]
    origin: Origin


Node = Scalar | Sequence | Mapping


@dataclass(slots=True)
class _Open:
    """A collection whose end hasn't come yet."""

    kind: str
    origin: Origin
    anchor: str | None
    items: list[Node] = field(default_factory=list)


def parse(text: str, file: str) -> Node:
    """The one document of a YAML text. Raises TreeError."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    anchors: dict[str, Node] = {}
    stack: list[_Open] = []
    documents: list[Node] = []

    def finish(node: Node, anchor: str | None) -> None:
        if anchor:
            anchors[anchor] = node
        (stack[-1].items if stack else documents).append(node)

    try:
        for event in yaml.parse(text, Loader=loader):
            here = _origin(file, event)
            if isinstance(event, yaml.ScalarEvent):
                finish(Scalar(event.value, here, bool(event.implicit[0])), event.anchor)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in anchors:
                    raise TreeError(f"`*{event.anchor}` refers to an anchor that isn't there", here)
                finish(anchors[event.anchor], None)
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                if len(stack) == _MAX_DEPTH:
                    raise TreeError("this is nested too deeply to be read", here)
                kind = "sequence" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
                stack.append(_Open(kind, here, event.anchor))
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                done = stack.pop()
                finish(_close(done), done.anchor)
            elif isinstance(event, yaml.DocumentStartEvent) and documents:
                raise TreeError("a second document begins here; one file holds one document", here)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Origin(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Origin(file=file)
        raise TreeError(f"this is not valid YAML: {error.problem or error.context}", place) from error
    except yaml.YAMLError as error:
        raise TreeError(f"this is not valid YAML: {' '.join(str(error).split())}", Origin(file=file)) from error
    if not documents:
        return Mapping((), Origin(file=file, line=1))
    return documents[0]


def _close(done: _Open) -> Node:
    if done.kind == "sequence":
        return Sequence(tuple(done.items), done.origin)
    pairs: list[tuple[Scalar, Node]] = []
    for key, value in zip(done.items[::2], done.items[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise TreeError("a key must be a plain word", key.origin)
        if key.plain and key.text == "<<":
            pairs += _merged(value, {k.text for k in done.items[::2] if isinstance(k, Scalar)})
        else:
            pairs.append((key, value))
    return Mapping(tuple(pairs), done.origin)


def _merged(value: Node, taken: set[str]) -> Iterator[tuple[Scalar, Node]]:
    """The pairs that a merge key brings; what the mapping says itself comes first."""
    for part in value.items if isinstance(value, Sequence) else (value,):
        if not isinstance(part, Mapping):
            raise TreeError("`<<` takes a mapping, or a list of mappings", value.origin)
        for key, inner in part.pairs:
            if key.text not in taken:
                taken.add(key.text)
                yield key, inner


def _origin(file: str, event: Any) -> Origin:
    start, end = event.start_mark, event.end_mark
    return Origin(file=file, line=start.line + 1, end_line=end.line + 1, column=start.column + 1)
