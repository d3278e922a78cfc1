"""JSON text as plain data, told which keys an object gives twice: Python keeps the last and says nothing.

Windows PowerShell writes what a command prints as UTF-16 with a byte order mark, so that is text here, too.
"""

from __future__ import annotations

import json
from typing import Any


def as_utf8(data: bytes) -> bytes:
    """The bytes of a text in UTF-8 without a byte order mark. Raises UnicodeDecodeError for UTF-16 that is none."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16").encode("utf-8")
    return data.removeprefix(b"\xef\xbb\xbf")


def read_json(text: str) -> tuple[Any, tuple[str, ...]]:
    """The data, and the keys that some object gives twice. Raises ValueError and RecursionError as `json.loads`."""
    twice: dict[str, None] = {}

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    twice[key] = None
                seen.add(key)
        return found

    return json.loads(text, object_pairs_hook=made), tuple(twice)
