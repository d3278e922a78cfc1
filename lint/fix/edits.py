"""Text edits of files and their unified diff: the smallest change of bytes, nothing reformatted. Knows no Terraform."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace bytes `start` (from 0) to `end` (exclusive) of `file` by `text`; an insertion has `start == end`.

    `file` is relative to the base that origins are relative to.
    """

    file: str
    start: int
    end: int
    text: str


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """`data` with these edits of one file. Raises ValueError where two of them overlap."""
    out: list[bytes] = []
    at = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        if edit.start < at:
            raise ValueError("edits overlap")
        out += [data[at : edit.start], edit.text.encode()]
        at = edit.end
    return b"".join([*out, data[at:]])


def merged(made: Sequence[Edit]) -> tuple[Edit, ...]:
    """Insertions at one place become one edit."""
    joined: list[Edit] = []
    for edit in made:
        if joined and joined[-1].start == edit.start and joined[-1].end == edit.end == edit.start:
            joined[-1] = replace(joined[-1], text=joined[-1].text + edit.text)
        else:
            joined.append(edit)
    return tuple(joined)


def by_file(edits: Iterable[Edit]) -> dict[str, list[Edit]]:
    """The edits of each file."""
    grouped: dict[str, list[Edit]] = {}
    for edit in edits:
        grouped.setdefault(edit.file, []).append(edit)
    return grouped


def unified(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """The change as `git apply` and `patch -p1` take it, files in order of their names."""
    return "".join(_one(name, before[name], after[name]) for name in sorted(after) if before[name] != after[name])


def _one(name: str, old: bytes, new: bytes) -> str:
    lines: list[str] = []
    for line in difflib.unified_diff(_lines(old), _lines(new), f"a/{name}", f"b/{name}", n=3):
        if line.endswith("\n"):
            lines.append(line)
        else:
            lines.append(line + "\n\\ No newline at end of file\n")
    return "".join(lines)


def _lines(data: bytes) -> Sequence[str]:
    # Split at "\n" alone, so that a carriage return stays part of its line as git sees it.
    text = data.decode("utf-8", "surrogateescape")
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
