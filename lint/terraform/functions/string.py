"""Functions on text: chomp, indent, join, lower, replace, split, substr, title, trim, upper …"""

from __future__ import annotations

import re

from lint.terraform.functions.graphemes import clusters
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function, whole
from lint.terraform.functions.regular import replace_all
from lint.terraform.texts import join_texts
from lint.terraform.types import BOOL, NUMBER, STRING, list_of
from lint.terraform.values import FALSE, TRUE, Unknown, Value, boolean, string, unknown_reasons

_STR = Parameter("str", STRING)
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


@function("chomp", _STR, returns=STRING)
def _chomp(call: Caller, text: Value) -> Value:
    return string(re.sub(r"(?:\r\n?|\n)*\Z", "", text.data))


@function("endswith", _STR, Parameter("suffix", STRING), returns=BOOL)
def _endswith(call: Caller, text: Value, suffix: Value) -> Value:
    return boolean(text.data.endswith(suffix.data))


@function("startswith", Parameter("str", STRING, unknown=True), Parameter("prefix", STRING), returns=BOOL)
def _startswith(call: Caller, text: Value, prefix: Value) -> Value:
    if isinstance(text.data, Unknown):
        known = text.data.prefix or ""
        if known.startswith(prefix.data):
            return TRUE
        if known and not prefix.data.startswith(known):
            return FALSE
        return Value(BOOL, Unknown(text.data.reasons, not_null=True))
    return boolean(text.data.startswith(prefix.data))


@function("strcontains", _STR, Parameter("substr", STRING), returns=BOOL)
def _strcontains(call: Caller, text: Value, part: Value) -> Value:
    return boolean(part.data in text.data)


@function("indent", Parameter("spaces", NUMBER), _STR, returns=STRING)
def _indent(call: Caller, spaces: Value, text: Value) -> Value:
    width = whole(spaces)
    if width < 0:
        raise FunctionError("the number of spaces must not be negative")
    call.budget.text(width)
    call.budget.text(width * text.data.count("\n") + len(text.data))
    return string(text.data.replace("\n", "\n" + " " * width))


@function(
    "join", Parameter("separator", STRING), variadic=Parameter("lists", list_of(STRING), partial=True), returns=STRING
)
def _join(call: Caller, separator: Value, *lists: Value) -> Value:
    if not lists:
        raise FunctionError("at least one list is required")
    pieces: list[Value] = []
    for each in lists:
        for item in each.data:
            if item.data is None:
                raise FunctionError("an element is null; cannot concatenate null values")
            if pieces and separator.data:
                pieces.append(separator)
            pieces.append(item)
    if not pieces:
        return Value(STRING, "")
    return join_texts(pieces, call.budget)


@function("lower", _STR, returns=STRING)
def _lower(call: Caller, text: Value) -> Value:
    return string(text.data.lower() if text.data.isascii() else "".join([_lower_char(c) for c in text.data]))


@function("upper", _STR, returns=STRING)
def _upper(call: Caller, text: Value) -> Value:
    return string(text.data.upper() if text.data.isascii() else "".join([_upper_char(c) for c in text.data]))


def _lower_char(char: str) -> str:
    """Unicode's simple mapping, one character to one."""
    changed = char.lower()
    return changed if len(changed) == 1 else changed[0]


def _upper_char(char: str) -> str:
    changed = char.upper()
    if len(changed) == 1:
        return changed
    return _title_char(char)


def _title_char(char: str) -> str:
    changed = char.title()
    return changed if len(changed) == 1 else char


@function("title", _STR, returns=STRING)
def _title(call: Caller, text: Value) -> Value:
    parts: list[str] = []
    before = " "
    for char in text.data:
        parts.append(_title_char(char) if _separates(before) else char)
        before = char
    return string("".join(parts))


def _separates(char: str) -> bool:
    """Whether a word starts behind the character: Go's rule of strings.Title."""
    if char.isascii():
        return not (char.isalnum() or char == "_")
    if char.isalpha() or char.isdecimal():
        return False
    return char in _SPACE


@function("replace", _STR, Parameter("substr", STRING), Parameter("replace", STRING), returns=STRING)
def _replace(call: Caller, text: Value, old: Value, new: Value) -> Value:
    pattern: str = old.data
    if len(pattern) > 1 and pattern[0] == "/" and pattern[-1] == "/":
        return string(replace_all(call, pattern[1:-1], text.data, new.data))
    call.budget.text(len(text.data) + text.data.count(pattern) * len(new.data))
    return string(text.data.replace(pattern, new.data))


@function("split", Parameter("separator", STRING), _STR, returns=list_of(STRING))
def _split(call: Caller, separator: Value, text: Value) -> Value:
    parts = text.data.split(separator.data) if separator.data else list(text.data)
    call.budget.elements(len(parts))
    return Value(list_of(STRING), tuple([string(p) for p in parts]))


@function("strrev", _STR, returns=STRING)
def _strrev(call: Caller, text: Value) -> Value:
    return string("".join(reversed(clusters(text.data))))


@function("substr", _STR, Parameter("offset", NUMBER), Parameter("length", NUMBER), returns=STRING)
def _substr(call: Caller, text: Value, offset: Value, length: Value) -> Value:
    start, count = whole(offset), whole(length)
    parts = clusters(text.data)
    if start < 0:
        start += len(parts)
    elif count == 0:
        return Value(STRING, "")
    rest = parts[start:] if start > 0 else parts
    # A length of zero behind a negative offset takes everything, as Terraform does.
    return string("".join(rest if count <= 0 else rest[:count]))


@function("trim", _STR, Parameter("cutset", STRING), returns=STRING)
def _trim(call: Caller, text: Value, cutset: Value) -> Value:
    return string(text.data.strip(cutset.data) if cutset.data else text.data)


@function("trimprefix", _STR, Parameter("prefix", STRING), returns=STRING)
def _trimprefix(call: Caller, text: Value, prefix: Value) -> Value:
    return string(text.data.removeprefix(prefix.data))


@function("trimsuffix", _STR, Parameter("suffix", STRING), returns=STRING)
def _trimsuffix(call: Caller, text: Value, suffix: Value) -> Value:
    return string(text.data.removesuffix(suffix.data))


@function("trimspace", Parameter("str", STRING, unknown=True), returns=STRING)
def _trimspace(call: Caller, text: Value) -> Value:
    if isinstance(text.data, Unknown):
        held = text.data
        if held.within is not None or (held.reference is not None and held.reference.path):
            # Attributes and addresses have no space around them.
            return Value(STRING, Unknown(held.reasons, held.reference, None, held.within, held.prefix, held.not_null))
        return Value(STRING, Unknown(unknown_reasons(text), not_null=True))
    return string(text.data.strip(_SPACE))
