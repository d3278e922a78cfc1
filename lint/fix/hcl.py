"""Edits of HCL text by its syntax tree: add a block, set or drop an attribute, drop a block. Knows no cloud.

Every edit keeps the file's own indentation, line ends and alignment of what it doesn't touch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lint.fix.edits import Edit, apply
from lint.terraform.syntax.parse import parse_file
from lint.terraform.syntax.tree import Attribute, Block, Body, Expression, Object, ObjectItem, Tuple


@dataclass(frozen=True, slots=True)
class Source:
    """One HCL file: its name as origins have it, its bytes, and its tree."""

    file: str
    data: bytes
    body: Body

    @property
    def newline(self) -> str:
        """The line end that the file uses."""
        return "\r\n" if b"\r\n" in self.data else "\n"

    def text(self, start: int, end: int) -> str:
        """The text between two bytes."""
        return self.data[start:end].decode("utf-8", "surrogateescape")


@lru_cache(maxsize=256)
def read(file: str, data: bytes) -> Source:
    """Parse a file for editing. Raises SyntaxProblem."""
    return Source(file, data, parse_file(data, file))


def block_at(source: Source, start: int | None) -> Block | None:
    """The block, at any depth, that begins at byte `start`."""
    return next((block for block in _blocks(source.body) if block.span.start == start), None)


def content(block: Block) -> Block:
    """Where a nested block's attributes stand: those of a `dynamic` block in its `content`."""
    if block.type != "dynamic":
        return block
    return next((inner for inner in block.body.blocks if inner.type == "content"), block)


def resource_blocks(source: Source) -> tuple[Block, ...]:
    """The file's resource blocks in order."""
    return tuple(b for b in source.body.blocks if b.type == "resource" and len(b.labels) == 2)


def _blocks(body: Body) -> Iterator[Block]:
    for block in body.blocks:
        yield block
        yield from _blocks(block.body)


def render(kind: str, labels: Sequence[str], attributes: Mapping[str, str], indent: str, newline: str) -> str:
    """A block as terraform fmt would write it, without a line end behind it. Attribute values are HCL text."""
    width = max((len(name) for name in attributes), default=0)
    head = " ".join([kind, *(f'"{label}"' for label in labels)])
    lines = [f"{indent}{head} {{"]
    lines += [f"{indent}  {name.ljust(width)} = {value}" for name, value in attributes.items()]
    lines.append(f"{indent}}}")
    return newline.join(lines)


def render_object(attributes: Mapping[str, str], indent: str, newline: str) -> str:
    """An object expression with one attribute a line, its first line without indentation."""
    width = max((len(name) for name in attributes), default=0)
    lines = ["{"]
    lines += [f"{indent}  {name.ljust(width)} = {value}" for name, value in attributes.items()]
    lines.append(f"{indent}}}")
    return newline.join(lines)


def insert_block(source: Source, parent: Block, kind: str, attributes: Mapping[str, str]) -> Edit:
    """Add a nested block to `parent`: behind its last block of that kind, else behind its last content."""
    edit = _inserted(source, parent, kind, attributes)
    contents: list[Attribute | Block] = [*parent.body.attributes, *parent.body.blocks]
    if any(_indent(source, one.span.start).startswith("\t") for one in contents):
        lines = (re.sub(r"^(  )+", lambda found: "\t" * (len(found[0]) // 2), line) for line in edit.text.split("\n"))
        return replace(edit, text="\n".join(lines))
    return edit


def _inserted(source: Source, parent: Block, kind: str, attributes: Mapping[str, str]) -> Edit:
    newline = source.newline
    indent = _indent(source, parent.span.start).replace("\t", "  ") + "  "
    same = [b for b in parent.body.blocks if b.type == kind or (b.type == "dynamic" and b.labels == (kind,))]
    if same:
        at = same[-1].span.end
        return Edit(source.file, at, at, newline * 2 + render(kind, (), attributes, indent, newline))
    contents: list[Attribute | Block] = [*parent.body.attributes, *parent.body.blocks]
    if contents and parent.span.line == parent.span.end_line:
        opening = source.data.index(b"{", parent.header.end)
        outer = _indent(source, parent.span.start)
        inner = source.text(contents[0].span.start, contents[-1].span.end)
        made = render(kind, (), attributes, indent, newline)
        text = f"{{{newline}{indent}{inner}{newline}{newline}{made}{newline}{outer}}}"
        return Edit(source.file, opening, parent.span.end, text)
    if contents:
        at = _line_end(source, max(item.span.end for item in contents))
        return Edit(source.file, at, at, newline * 2 + render(kind, (), attributes, indent, newline))
    # An empty body: rewrite from the brace on, be it `{}` or `{` and `}` on lines of their own.
    opening = source.data.index(b"{", parent.header.end)
    outer = _indent(source, parent.span.start)
    text = f"{{{newline}{render(kind, (), attributes, indent, newline)}{newline}{outer}}}"
    return Edit(source.file, opening, parent.span.end, text)


def insert_after(source: Source, block: Block, text: str) -> Edit:
    """Add a top-level block behind another one."""
    at = _line_end(source, block.span.end)
    return Edit(source.file, at, at, source.newline * 2 + text)


def append_item(source: Source, items: Tuple, attributes: Mapping[str, str]) -> Edit:
    """Add an object to the end of a tuple of objects."""
    newline = source.newline
    outer = _indent(source, items.span.start)
    indent = outer + "  "
    if items.items:
        last = items.items[-1].span
        text = f",{newline}{indent}{render_object(attributes, indent, newline)}"
        multi = b"\n" in source.data[last.end : items.span.end]
        # A trailing comma that already stands there serves the new element.
        tail = source.data[last.end : items.span.end]
        comma = tail.find(b",")
        if comma >= 0:
            at = last.end + comma + 1
            return Edit(source.file, at, at, text[1:] + ",")
        return Edit(
            source.file, last.end, last.end, text if multi else f", {render_object(attributes, indent, newline)}"
        )
    body = f"[{newline}{indent}{render_object(attributes, indent, newline)},{newline}{outer}]"
    return Edit(source.file, items.span.start, items.span.end, body)


def set_attribute(source: Source, block: Block, name: str, value: str) -> Edit:
    """Give an attribute of a block another value, or add it behind the last attribute."""
    found = block.body.attribute(name)
    if found is not None:
        return set_value(source, found, value)
    newline = source.newline
    indent = _indent(source, block.span.start) + "  "
    if block.body.attributes:
        last = block.body.attributes[-1]
        at = _line_end(source, last.span.end)
        width = max(len(last.name), _column_of_equals(source, last) - len(indent))
        return Edit(source.file, at, at, f"{newline}{indent}{name.ljust(width)} = {value}")
    opening = source.data.index(b"{", block.header.end) + 1
    return Edit(source.file, opening, opening, f"{newline}{indent}{name} = {value}")


def rewrite(source: Source, block: Block, texts: Mapping[str, str | None]) -> list[Edit]:
    """Give attributes other values; None: it goes. A new one takes the line of one that goes, a similar one first."""
    there = {name: block.body.attribute(name) for name in texts}
    going = [name for name, text in texts.items() if text is None and there[name] is not None]
    made: list[Edit] = []
    for name, text in texts.items():
        if text is None:
            continue
        if there[name] is not None or not going:
            made.append(set_attribute(source, block, name, text))
            continue
        old = max(going, key=lambda one: _alike(one, name))
        going.remove(old)
        place = there[old]
        if place is not None:
            made.append(Edit(source.file, place.span.start, place.value.span.end, f"{name} = {text}"))
    made += [edit for name in going if (edit := drop_attribute(source, block, name)) is not None]
    return made


def _alike(name: str, other: str) -> int:
    """How many characters two names begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(name, other, strict=False)) if a != b), min(len(name), len(other)))


def set_value(source: Source, attribute: Attribute | ObjectItem, value: str) -> Edit:
    """Replace the value of an attribute or object item; of a list over several lines, only the elements that go."""
    span = attribute.value.span
    if isinstance(attribute.value, Tuple) and span.line != span.end_line and value.startswith("["):
        value = _shrunk(source, attribute.value, value) or value
    return Edit(source.file, span.start, span.end, value)


def _shrunk(source: Source, items: Tuple, value: str) -> str | None:
    """The text of a list without the elements that `value` hasn't, where it has none of its own."""
    wanted = [part.strip() for part in value.strip("[]").split(",")]
    there = [source.text(one.span.start, one.span.end) for one in items.items]
    if not set(wanted) <= set(there):
        return None
    going = [one for one, text in zip(items.items, there, strict=True) if text not in wanted]
    start = items.span.start
    cuts = [Edit("", e.start - start, e.end - start, e.text) for e in (drop_item(source, items, one) for one in going)]
    try:
        return apply(source.data[start : items.span.end], cuts).decode("utf-8", "surrogateescape")
    except ValueError:
        return None


def drop_item(source: Source, items: Tuple, element: Expression) -> Edit:
    """Remove an element of a list: its line with its comment, where it has one to itself, else it and its comma."""
    whole = drop_lines(source, element.span.start, element.span.end)
    if whole is not None:
        return whole
    at = next(number for number, one in enumerate(items.items) if one is element)
    if at + 1 < len(items.items):
        return Edit(source.file, element.span.start, items.items[at + 1].span.start, "")
    start = items.items[at - 1].span.end if at else element.span.start
    return Edit(source.file, start, element.span.end, "")


def drop_attribute(source: Source, block: Block, name: str) -> Edit | None:
    """Remove an attribute with its line, or None where the block has none of that name."""
    found = block.body.attribute(name)
    if found is None:
        return None
    start = _line_start(source, found.span.start)
    end = _line_end(source, found.span.end)
    if source.data[end : end + 2] == b"\r\n":
        end += 2
    elif source.data[end : end + 1] == b"\n":
        end += 1
    return Edit(source.file, start, end, "")


def drop_lines(source: Source, start: int, end: int) -> Edit | None:
    """Remove the lines that hold the element from `start` to `end` and its comma; None where they hold more than it."""
    first = _line_start(source, start)
    last = source.data.find(b"\n", end)
    last = len(source.data) if last < 0 else last + 1
    rest = source.data[end:last].strip().lstrip(b",").strip()
    if source.data[first:start].strip() or (rest and not rest.startswith((b"#", b"//"))):
        return None
    return Edit(source.file, first, last, "")


def drop_block(source: Source, block: Block) -> Edit:
    """Remove a block, the comment lines directly above it, and the blank line that would be left double."""
    start = _line_start(source, block.span.start)
    end = _line_end(source, block.span.end)
    while start > 0:
        above = _line_start(source, start - 1)
        line = source.data[above:start].strip()
        if not line.startswith((b"#", b"//")):
            break
        start = above
    if source.data[end : end + 2] == b"\r\n":
        end += 2
    elif source.data[end : end + 1] == b"\n":
        end += 1
    before = source.data[:start].rstrip(b" \t")
    if before.endswith((b"\n\n", b"\n\r\n")) or not before:
        following = source.data[end:]
        if following.startswith(b"\r\n"):
            end += 2
        elif following.startswith(b"\n"):
            end += 1
        elif following.lstrip(b" \t").startswith(b"}"):
            # The last block of a body: the blank line above it goes with it.
            start = len(before) - (2 if before.endswith(b"\r\n") else 1)
    return Edit(source.file, start, end, "")


def item(value: Object, name: str) -> ObjectItem | None:
    """The item of an object expression with that literal key."""
    from lint.terraform.syntax.tree import Literal

    return next((i for i in value.items if isinstance(i.key, Literal) and i.key.value == name), None)


def quoted(text: str) -> str:
    """A string as HCL writes it, with nothing in it that would be a template."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def string_list(texts: Sequence[str]) -> str:
    """A list of strings on one line."""
    return "[" + ", ".join(quoted(text) for text in texts) + "]"


def _line_start(source: Source, at: int) -> int:
    return source.data.rfind(b"\n", 0, at) + 1


def _line_end(source: Source, at: int) -> int:
    end = source.data.find(b"\n", at)
    if end < 0:
        return len(source.data)
    rest = source.data[at:end].strip()
    if rest and not rest.startswith((b"#", b"//", b"/*")):
        return at
    return end - 1 if source.data[end - 1 : end] == b"\r" else end


def _indent(source: Source, at: int) -> str:
    start = _line_start(source, at)
    line = source.data[start:at]
    return line[: len(line) - len(line.lstrip(b" \t"))].decode()


def _column_of_equals(source: Source, attribute: Attribute) -> int:
    start = _line_start(source, attribute.span.start)
    equals = source.data.find(b"=", attribute.span.start)
    return equals - start - 1
