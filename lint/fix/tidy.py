"""Aligns the lines that an edit touched as `terraform fmt` does: equal signs and comments of neighbouring lines.

Lines that nobody touched, and runs that weren't aligned before, stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lint.fix.hcl import read
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.tree import Body, Expression, Object, Span, Tuple


@dataclass(frozen=True, slots=True)
class _Line:
    """One line `name = value # comment`: where it stands (`end` without the line end), and its parts."""

    number: int
    start: int
    end: int
    indent: str
    name: str
    value: str
    comment: str

    def assigned(self, width: int) -> str:
        """Everything before the comment, the equal sign behind `width` characters of name."""
        return f"{self.indent}{self.name.ljust(width)} = {self.value}"


def tidy(file: str, before: bytes, after: bytes) -> bytes:
    """`after`, an edited `before`, with every run of lines aligned that isn't as it was.

    Raises ValueError where one of them can't be parsed.
    """
    try:
        old = list(_runs(before, read(file, before).body))
        new = list(_runs(after, read(file, after).body))
    except SyntaxProblem as error:
        raise ValueError(str(error)) from error
    there = {_texts(before, run) for run in old}
    loose = {text for run in old if _aligned(run) != list(_texts(before, run)) for text in _texts(before, run)}
    heads = set(before.split(b"\n"))
    changes = [(start, end, b" = ") for start, end, head in _opened(after, read(file, after).body) if head not in heads]
    for run in new:
        texts = _texts(after, run)
        if texts in there or any(text in loose for text in texts):
            continue
        for line, text in zip(run, _aligned(run), strict=True):
            changes.append((line.start, line.end, text.encode("utf-8", "surrogateescape")))
    out = bytearray(after)
    for start, end, made in sorted(changes, reverse=True):
        out[start:end] = made
    return bytes(out)


def _opened(data: bytes, body: Body) -> Iterator[tuple[int, int, bytes]]:
    """The equal signs before lists and objects of several lines, which stand in no column; and each one's line."""
    for attribute in body.attributes:
        value = attribute.value
        if isinstance(value, (Tuple, Object)) and value.span.line != value.span.end_line:
            start = attribute.span.start + len(attribute.name.encode())
            head = data[data.rfind(b"\n", 0, start) + 1 : data.find(b"\n", start)]
            if data[start : value.span.start].strip() == b"=":
                yield start, value.span.start, head
    for block in body.blocks:
        yield from _opened(data, block.body)


def _texts(data: bytes, run: Sequence[_Line]) -> tuple[str, ...]:
    return tuple(data[line.start : line.end].decode("utf-8", "surrogateescape") for line in run)


def _aligned(run: Sequence[_Line]) -> list[str]:
    """The lines of a run as they should be ("terraform fmt": equal signs, then trailing comments, in one column)."""
    width = max(len(line.name) for line in run)
    heads = [line.assigned(width) for line in run]
    made: list[str] = []
    for index, (line, head) in enumerate(zip(run, heads, strict=True)):
        if not line.comment:
            made.append(head)
            continue
        first = last = index
        while first > 0 and run[first - 1].comment:
            first -= 1
        while last + 1 < len(run) and run[last + 1].comment:
            last += 1
        made.append(f"{head.ljust(max(len(one) for one in heads[first : last + 1]))} {line.comment}")
    return made


def _runs(data: bytes, body: Body) -> Iterator[tuple[_Line, ...]]:
    """Lines with one assignment each that follow each other, in order of the file."""
    lines = sorted(_lines(data, body), key=lambda line: line.start)
    run: list[_Line] = []
    for line in lines:
        if run and (line.number != run[-1].number + 1 or line.indent != run[-1].indent):
            yield tuple(run)
            run = []
        run.append(line)
    if run:
        yield tuple(run)


def _lines(data: bytes, body: Body) -> Iterator[_Line]:
    for attribute in body.attributes:
        line = _line(data, attribute.span.start, attribute.value.span)
        if line is not None:
            yield line
        yield from _inside(data, attribute.value)
    for block in body.blocks:
        yield from _lines(data, block.body)


def _inside(data: bytes, value: Expression) -> Iterator[_Line]:
    """The lines of objects that a value holds."""
    if isinstance(value, Tuple):
        for element in value.items:
            yield from _inside(data, element)
    elif isinstance(value, Object):
        for item in value.items:
            line = _line(data, item.key.span.start, item.value.span)
            if line is not None:
                yield line
            yield from _inside(data, item.value)


def _line(data: bytes, begin: int, value: Span) -> _Line | None:
    """The assignment from `begin` to the end of `value`, if it has one line to itself."""
    start = data.rfind(b"\n", 0, begin) + 1
    end = data.find(b"\n", value.end)
    end = len(data) if end < 0 else end
    if data[end - 1 : end] == b"\r":
        end -= 1
    if value.end_line != value.line or b"\n" in data[start : value.end] or data[start:begin].strip():
        return None
    name, sign, _ = data[begin : value.start].decode("utf-8", "surrogateescape").rpartition("=")
    rest = data[value.end : end].decode("utf-8", "surrogateescape").strip()
    comma = "," if rest.startswith(",") else ""
    comment = rest[len(comma) :].strip()
    if not sign or (comment and not comment.startswith(("#", "//", "/*"))):
        return None
    text = data[value.start : value.end].decode("utf-8", "surrogateescape")
    return _Line(value.line, start, end, data[start:begin].decode(), name.strip(), text + comma, comment)
