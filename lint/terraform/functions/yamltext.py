"""Reads and writes YAML as Terraform does, on PyYAML's parser and emitter.

Scalars are resolved by Terraform's own rules (go-cty-yaml): the words of YAML 1.1 (`yes`, `on`) are bools, `010` is
ten, dates become timestamps, `1_000` is text.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date
from functools import cache
from typing import Any

from lint.terraform.budget import Budget
from lint.terraform.convert import ConversionError, convert
from lint.terraform.functions.registry import FunctionError
from lint.terraform.numbers import Number, infinity
from lint.terraform.types import NUMBER, STRING, ObjectType
from lint.terraform.values import FALSE, NULL, TRUE, Value, number, object_value, string, tuple_value

_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(_TAG + name for name in ("str", "bool", "int", "float", "null", "timestamp", "binary"))
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Value] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], TRUE),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], FALSE),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), NULL),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), Value(NUMBER, infinity(False))),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), Value(NUMBER, infinity(True))),
}
_MERGE = object_value({"<<": NULL})


class _Reader:
    """Builds values from the events of one document."""

    def __init__(self, events: Any, budget: Budget) -> None:
        self.events = events
        self.budget = budget
        self.anchors: dict[str, Value | None] = {}
        self.depth = 0

    def next(self) -> Any:
        import yaml

        try:
            return next(self.events)
        except StopIteration:
            raise FunctionError("the YAML ends too early") from None
        except yaml.YAMLError as problem:
            raise FunctionError(_described(problem)) from None

    def document(self) -> Value:
        import yaml

        if not isinstance(self.next(), yaml.StreamStartEvent):
            raise FunctionError("missing start of document")
        start = self.next()
        if not isinstance(start, yaml.DocumentStartEvent):
            raise FunctionError("missing start of document")
        if start.version not in (None, (1, 1)):
            raise FunctionError("found incompatible YAML document")
        value = self.value(self.next())
        if not isinstance(self.next(), yaml.DocumentEndEvent):
            raise FunctionError("unexpected extra content after value")
        if not isinstance(self.next(), yaml.StreamEndEvent):
            raise FunctionError("only a single document is allowed")
        return value

    def value(self, event: Any) -> Value:
        import yaml

        self.budget.spend()
        if isinstance(event, yaml.AliasEvent):
            found = self.anchors.get(str(event.anchor))
            if found is None:
                raise FunctionError("an alias refers to an anchor that isn't defined yet")
            return found
        if event.anchor:
            self.anchors[event.anchor] = None
        self.depth += 1
        if self.depth > self.budget.limits.depth:
            self.budget.value(1, self.depth)
        if isinstance(event, yaml.ScalarEvent):
            value = _resolve(event)
            if value is _MERGE:
                value = string("<<")
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(event)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self.mapping(event)
        else:
            raise FunctionError("expecting a value")
        self.depth -= 1
        self.budget.value(value.size, value.depth)
        if event.anchor:
            self.anchors[event.anchor] = value
        return value

    def sequence(self, event: Any) -> Value:
        import yaml

        if event.tag not in (None, _TAG + "seq"):
            raise FunctionError("can't interpret sequence with that tag")
        values: list[Value] = []
        while True:
            inner = self.next()
            if isinstance(inner, yaml.SequenceEndEvent):
                return tuple_value(values)
            values.append(self.value(inner))

    def mapping(self, event: Any) -> Value:
        import yaml

        if event.tag not in (None, _TAG + "map"):
            raise FunctionError("can't interpret mapping with that tag")
        values: dict[str, Value] = {}
        while True:
            inner = self.next()
            if isinstance(inner, yaml.MappingEndEvent):
                return object_value(values)
            if not isinstance(inner, yaml.ScalarEvent):
                raise FunctionError("only strings are allowed as mapping keys")
            key = _resolve(inner)
            if key is _MERGE:
                merged = self.value(self.next())
                if not isinstance(merged.type, ObjectType):
                    raise FunctionError("cannot merge that into a mapping")
                values.update(merged.data)
                continue
            try:
                name = convert(key, STRING)
            except ConversionError:
                raise FunctionError("only strings are allowed as mapping keys") from None
            if name.data is None:
                raise FunctionError("mapping key cannot be null")
            values[name.data] = self.value(self.next())


def read_yaml(text: str, budget: Budget) -> Value:
    """The value of a YAML document. Raises FunctionError."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Reader(yaml.parse(text or "\n", Loader=loader), budget).document()
    except yaml.YAMLError as problem:
        raise FunctionError(_described(problem)) from None
    except RecursionError:
        raise FunctionError("the YAML is nested too deeply") from None


def _described(problem: Any) -> str:
    mark = getattr(problem, "problem_mark", None)
    return f"the text is not valid YAML (line {mark.line + 1})" if mark is not None else "the text is not valid YAML"


def _resolve(event: Any) -> Value:
    """The value of a scalar by its tag, or by its look where it has none."""
    text: str = event.value
    tag: str = event.tag or ""
    if tag == "!":
        tag = _TAG + "str"
    if tag and tag not in _SCALAR_TAGS:
        raise FunctionError("the YAML has a tag that isn't supported")
    short = tag.removeprefix(_TAG)
    hint = _hint(text)
    if hint and short not in ("str", "binary"):
        if event.style in ("'", '"'):
            return string(text)
        if text in _WORDS:
            return _WORDS[text]
        if not tag and text in (".nan", ".NaN", ".NAN"):
            raise FunctionError("floating point NaN is not supported")
        if hint == ".":
            found = _number(text)
            if found is not None:
                return found
        elif hint == "D":
            if short in ("", "timestamp"):
                stamp = _timestamp(text)
                if stamp is not None:
                    return string(stamp)
            if _INTEGER.fullmatch(text):
                short = "int"
            elif _FLOAT.fullmatch(text):
                short = "float"
    if not tag and text == "<<" and short == "":
        return _MERGE
    return _tagged(text, short)


def _tagged(text: str, short: str) -> Value:
    if short in ("", "str"):
        return string(text)
    if short == "binary":
        try:
            base64.b64decode(text.replace("\n", "").encode(), validate=True)
        except (binascii.Error, ValueError):
            raise FunctionError("a binary of the YAML is not valid base64") from None
        return string(text)
    if short == "null":
        return NULL
    if short == "timestamp":
        stamp = _timestamp(text)
        if stamp is not None:
            return string(stamp)
    if short in ("int", "float"):
        plain = text.replace("_", "")
        found = _number(plain)
        if found is not None:
            return found
        try:
            return number(int(plain, 0))
        except ValueError:
            pass
    if short == "bool":
        word = _WORDS.get(text)
        if word is TRUE or word is FALSE:
            return word
    raise FunctionError(f"cannot parse a value of the YAML as {short}")


def _hint(text: str) -> str:
    """Whether a scalar may be more than text: a word ("M"), a number or date ("D"), a point (".")."""
    if not text:
        return "M"
    first = text[0]
    if first in "+-0123456789":
        return "D"
    if first == ".":
        return "."
    return "M" if first in "yYnNtTfFoO~" else ""


def _number(text: str) -> Value | None:
    try:
        return Value(NUMBER, Number.parse(text))
    except ValueError:
        return None


_STAMP = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))"
    r"|(?: ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})([.,][0-9]+)?))?"
)


def _timestamp(text: str) -> str | None:
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    hour, minute, second = (int(found[i] or found[i + 5] or 0) for i in (4, 5, 6))
    try:
        date(year or 400, month, day)
    except ValueError:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    zone = found[8] or "Z"
    if zone != "Z" and (int(zone[1:3]) > 24 or int(zone[4:6]) > 60):
        return None
    shown = "Z" if zone in ("Z", "+00:00", "-00:00") else zone
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{shown}"


def write_yaml(value: Value) -> str:
    """A value as YAML: block style, text in double quotes or, with line breaks in it, as a literal block."""
    import io

    import yaml

    events: list[Any] = [yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False)]
    _emit(value, events)
    events.extend((yaml.DocumentEndEvent(explicit=False), yaml.StreamEndEvent()))
    stream = io.StringIO()
    emitter = _emitter()(stream, allow_unicode=True, width=_WIDTH)
    for event in events:
        emitter.emit(event)
    text = stream.getvalue()
    # PyYAML marks the start of an empty text as that of a document; Terraform doesn't.
    return text.removeprefix("--- ") if isinstance(value.data, str) else text


_WIDTH = 80


@cache
def _emitter() -> Any:
    """PyYAML's emitter with long quoted text folded as libyaml folds it: at the first space behind the width."""
    from yaml.emitter import Emitter

    class Folding(Emitter):
        def write_double_quoted(self, text: str, split: bool = True) -> None:
            self.write_indicator('"', True)
            spaces = False
            for i, char in enumerate(text):
                if char != " ":
                    self._put(_escaped(char))
                elif split and not spaces and self.column > _WIDTH and 0 < i < len(text) - 1:
                    self.write_indent()
                    if text[i + 1] == " ":
                        self._put("\\")
                else:
                    self._put(" ")
                spaces = char == " "
            self.write_indicator('"', False)

        def write_literal(self, text: str) -> None:
            super().write_literal(text)
            # PyYAML marks the end of a document behind a block that keeps its last line breaks; Terraform doesn't.
            self.open_ended = False

        def _put(self, text: str) -> None:
            self.column += len(text)
            self.stream.write(text)

    return Folding


_ESCAPES = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e",
    '"': '"', "\\": "\\", "\x85": "N", "\u2028": "L", "\u2029": "P",
}  # fmt: skip


def _escaped(char: str) -> str:
    short = _ESCAPES.get(char)
    if short is not None:
        return f"\\{short}"
    code = ord(char)
    if 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xD7FF or (0xE000 <= code <= 0xFFFD and code != 0xFEFF):
        return char
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _emit(value: Value, events: list[Any]) -> None:
    import yaml

    data = value.data
    if isinstance(data, dict):
        events.append(yaml.MappingStartEvent(None, None, True, flow_style=False))
        for name, each in data.items():
            _emit(string(name), events)
            _emit(each, events)
        events.append(yaml.MappingEndEvent())
    elif isinstance(data, tuple):
        events.append(yaml.SequenceStartEvent(None, None, True, flow_style=False))
        for each in data:
            _emit(each, events)
        events.append(yaml.SequenceEndEvent())
    elif isinstance(data, str):
        style = "|" if "\n" in data else '"'
        events.append(yaml.ScalarEvent(None, None, (True, True), data, style=style))
    else:
        if isinstance(data, Number):
            plain = data.text()
        else:
            plain = "null" if data is None else "true" if data else "false"
        events.append(yaml.ScalarEvent(None, None, (True, True), plain))
