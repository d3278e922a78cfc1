"""JSON text as plain data, told which keys an object gives twice: Python keeps the last and says nothing."""

from __future__ import annotations

import json
from typing import Any


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
