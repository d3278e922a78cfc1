"""Regular expressions with RE2's syntax and matching: regex, regexall, and the patterns of replace."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.types import STRING, Type, list_of, object_of, tuple_of
from lint.terraform.values import Value, null, object_value, string, tuple_value

MAX_PATTERN = 100_000


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    """A compiled pattern. Raises FunctionError for an invalid one."""
    import re2

    if len(pattern) > MAX_PATTERN:
        raise FunctionError("the regular expression is too long")
    if _has_byte_class(pattern):
        raise FunctionError("invalid regular expression pattern")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as problem:
        raise FunctionError("invalid regular expression pattern") from problem


def _has_byte_class(pattern: str) -> bool:
    """Whether `\\C` (one byte) occurs, which Go's syntax doesn't have."""
    at = pattern.find("\\")
    while at >= 0:
        if pattern[at + 1 : at + 2] == "C":
            return True
        at = pattern.find("\\", at + 2)
    return False


def _shape(pattern: Any) -> tuple[Type, list[str]]:
    """The type of one match, and the names of its groups where they have names."""
    names = dict(pattern.groupindex)
    if not pattern.groups:
        return STRING, []
    if not names:
        return tuple_of([STRING] * pattern.groups), []
    if len(names) != pattern.groups:
        raise FunctionError("invalid regex pattern: cannot mix both named and unnamed capture groups")
    ordered = [name for name, _ in sorted(names.items(), key=lambda item: item[1])]
    return object_of(dict.fromkeys(ordered, STRING)), ordered


def _match_value(found: Any, names: list[str]) -> Value:
    groups = found.groups()
    if not groups:
        return string(found.group())
    values = [null(STRING) if g is None else string(g) for g in groups]
    return object_value(dict(zip(names, values))) if names else tuple_value(values)


@function("regex", Parameter("pattern", STRING), Parameter("string", STRING))
def _regex(call: Caller, pattern: Value, text: Value) -> Value:
    compiled = _compiled(pattern.data)
    _, names = _shape(compiled)
    found = compiled.search(text.data)
    if found is None:
        raise FunctionError("pattern did not match any part of the given string")
    return _match_value(found, names)


@function("regexall", Parameter("pattern", STRING), Parameter("string", STRING))
def _regexall(call: Caller, pattern: Value, text: Value) -> Value:
    compiled = _compiled(pattern.data)
    kind, names = _shape(compiled)
    matches: list[Value] = []
    for found in _all_matches(compiled, text.data):
        call.budget.spend()
        matches.append(_match_value(found, names))
    call.budget.elements(len(matches))
    return Value(list_of(kind), tuple(matches))


def _all_matches(compiled: Any, text: str) -> list[Any]:
    """Successive matches as Go finds them: an empty match directly behind another match doesn't count."""
    found: list[Any] = []
    at, end_before = 0, -1
    while at <= len(text):
        match = compiled.search(text, at)
        if match is None:
            break
        start, end = match.span()
        if end > start or start != end_before:
            found.append(match)
        end_before = end
        at = end if end > at else at + 1
        if end == start:
            at = end + 1
    return found


def replace_all(call: Caller, pattern: str, text: str, template: str) -> str:
    """Every match replaced by a template in which `$1`, `${name}` and `$$` stand for groups and a dollar sign."""
    compiled = _compiled(pattern)
    pieces: list[str] = []
    at = 0
    for match in _all_matches(compiled, text):
        start, end = match.span()
        pieces.append(text[at:start])
        pieces.append(_expand(match, template))
        call.budget.spend()
        call.budget.text(sum(map(len, pieces[-2:])))
        at = end
    pieces.append(text[at:])
    call.budget.text(sum(map(len, pieces)))
    return "".join(pieces)


def _expand(match: Any, template: str) -> str:
    if "$" not in template:
        return template
    names = dict(match.re.groupindex)
    groups = match.groups()
    parts: list[str] = []
    i = 0
    while i < len(template):
        char = template[i]
        if char != "$":
            parts.append(char)
            i += 1
            continue
        if template[i + 1 : i + 2] == "$":
            parts.append("$")
            i += 2
            continue
        name, after = _reference(template, i + 1)
        if name is None:
            parts.append("$")
            i += 1
            continue
        i = after
        number = int(name) if name.isascii() and name.isdigit() and len(name) < 9 else names.get(name)
        if number == 0:
            parts.append(match.group())
        elif number is not None and 1 <= number <= len(groups):
            parts.append(groups[number - 1] or "")
    return "".join(parts)


def _reference(template: str, at: int) -> tuple[str | None, int]:
    """The name behind a `$` and where it ends; None where there is none."""
    braces = template[at : at + 1] == "{"
    start = at + 1 if braces else at
    end = start
    while end < len(template) and (template[end].isalnum() or template[end] == "_"):
        end += 1
    if end == start:
        return None, at
    if braces:
        if template[end : end + 1] != "}":
            return None, at
        return template[start:end], end + 1
    return template[start:end], end
