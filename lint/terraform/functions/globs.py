"""Patterns of fileset: `*`, `**`, `?`, `[a-z]`, `{a,b}` (the doublestar rules). Knows no files."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from lint.terraform.functions.registry import FunctionError

MAX_PATTERN = 2_000


@lru_cache(maxsize=256)
def glob_matcher(pattern: str) -> Callable[[str], bool]:
    """A test of whole paths (with `/` between their parts). Raises FunctionError for a malformed pattern."""
    if len(pattern) > MAX_PATTERN:
        raise FunctionError("the pattern is too long")
    import re2

    try:
        compiled = re2.compile("(?s)" + _translated(pattern))
    except re2.error:
        raise FunctionError("failed to glob pattern: it is malformed") from None
    return lambda path: compiled.fullmatch(path) is not None


def _translated(pattern: str) -> str:
    parts: list[str] = []
    i = 0
    depth = 0
    while i < len(pattern):
        char = pattern[i]
        if pattern.startswith("**/", i) and (i == 0 or pattern[i - 1] == "/"):
            parts.append("(?:[^/]+/)*")
            i += 3
            continue
        if pattern[i:] == "**" and (i == 0 or pattern[i - 1] == "/"):
            parts.append(".*")
            i += 2
            continue
        if char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[":
            end = _class_end(pattern, i)
            inner = pattern[i + 1 : end]
            negated = inner[:1] in ("!", "^")
            body = inner[1:] if negated else inner
            escaped = re.sub(r"([\[\]&~|^])", r"\\\1", body)
            parts.append(f"[{'^' if negated else ''}{escaped}]")
            i = end
        elif char == "{":
            depth += 1
            parts.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            parts.append(")")
        elif char == "," and depth:
            parts.append("|")
        elif char == "\\" and i + 1 < len(pattern):
            i += 1
            parts.append(re.escape(pattern[i]))
        else:
            parts.append(re.escape(char))
        i += 1
    if depth:
        raise FunctionError("failed to glob pattern: a brace isn't closed")
    return "".join(parts)


def _class_end(pattern: str, start: int) -> int:
    i = start + 1
    while i < len(pattern):
        if pattern[i] == "\\":
            i += 1
        elif pattern[i] == "]" and i > start + 1:
            return i
        i += 1
    raise FunctionError("failed to glob pattern: a bracket isn't closed")
