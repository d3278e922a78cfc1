"""Encodings: base64, CSV, JSON, YAML, URL escapes and text in other character sets."""

from __future__ import annotations

import base64
import binascii
import json
import re
from functools import lru_cache
from typing import Any, NoReturn

from lint.terraform.functions.charsets import charset, decode, encode
from lint.terraform.functions.csvtext import read_csv
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.functions.yamltext import read_yaml, write_yaml
from lint.terraform.numbers import Number
from lint.terraform.types import NUMBER, STRING, list_of, object_of
from lint.terraform.values import (
    FALSE,
    NULL,
    TRUE,
    Unknown,
    Value,
    normal,
    object_value,
    string,
    to_json,
    tuple_value,
    unknown_from,
)

_STR = Parameter("str", STRING)


@function("base64encode", _STR, returns=STRING)
def _base64encode(call: Caller, text: Value) -> Value:
    return string(base64.b64encode(text.data.encode()).decode())


@function("base64decode", _STR, returns=STRING)
def _base64decode(call: Caller, text: Value) -> Value:
    try:
        return string(_decoded(text.data).decode("utf-8"))
    except UnicodeDecodeError:
        raise FunctionError("the result of decoding the provided string is not valid UTF-8") from None


def _decoded(text: str) -> bytes:
    """The bytes of standard base64 with padding; line breaks are passed over. Raises FunctionError."""
    try:
        return base64.b64decode(text.replace("\r", "").replace("\n", "").encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise FunctionError("the text is not valid base64") from None


@function("base64gzip", _STR, returns=STRING)
def _base64gzip(call: Caller, text: Value) -> Value:
    reason = call.reason("base64gzip() gives bytes that depend on the compressor", "tf.function:base64gzip")
    return Value(STRING, Unknown((reason,), prefix="H4sIAAAAAAAA", not_null=True))


@function("urlencode", _STR, returns=STRING)
def _urlencode(call: Caller, text: Value) -> Value:
    from urllib.parse import quote_plus

    return string(quote_plus(text.data, safe=""))


@function("textencodebase64", Parameter("string", STRING), Parameter("encoding", STRING), returns=STRING)
def _textencodebase64(call: Caller, text: Value, encoding: Value) -> Value:
    codec = _codec(encoding.data)
    try:
        return string(base64.b64encode(encode(text.data, codec)).decode())
    except UnicodeError:
        raise FunctionError("the given string contains characters that the encoding can't represent") from None


@function("textdecodebase64", Parameter("source", STRING), Parameter("encoding", STRING), returns=STRING)
def _textdecodebase64(call: Caller, source: Value, encoding: Value) -> Value:
    codec = _codec(encoding.data)
    try:
        text = decode(_decoded(source.data), codec)
    except UnicodeError:
        raise FunctionError("the given string contains symbols that are not defined for the encoding") from None
    if "\ufffd" in text:
        raise FunctionError("the given string contains symbols that are not defined for the encoding")
    return string(text)


def _codec(name: str) -> str:
    """Python's name of a character set by a name or alias of IANA's registry. Raises FunctionError."""
    found = charset(name)
    if found is None:
        raise FunctionError(f'"{name[:40]}" is not a supported IANA encoding name or alias')
    return found


@function("csvdecode", _STR)
def _csvdecode(call: Caller, text: Value) -> Value:
    try:
        rows = read_csv(text.data)
    except ValueError as problem:
        raise FunctionError(str(problem)) from None
    if not rows:
        raise FunctionError("missing header line")
    names = [normal(name) for name in rows[0]]
    if len(set(names)) < len(names):
        raise FunctionError("duplicate column name")
    kind = object_of(dict.fromkeys(names, STRING))
    call.budget.elements(len(rows) * max(1, len(names)))
    made: list[Value] = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise FunctionError(f"CSV parse error: record {number} has the wrong number of fields")
        made.append(object_value({name: string(cell) for name, cell in zip(names, row)}))
    return Value(list_of(kind), tuple(made))


@function("jsonencode", Parameter("val", null=True, unknown=True, partial=True), returns=STRING)
def _jsonencode(call: Caller, value: Value) -> Value:
    if not value.known:
        return unknown_from(STRING, (value,), not_null=True)
    try:
        text = to_json(value)
    except ValueError as problem:
        raise FunctionError(str(problem)) from None
    call.budget.text(len(text))
    return string(text)


@function("jsondecode", _STR)
def _jsondecode(call: Caller, text: Value) -> Value:
    try:
        made = _read_once(text.data) if len(text.data) <= _KEPT_TEXT else _read_json(text.data)
    except RecursionError:
        raise FunctionError("the JSON is nested too deeply") from None
    except ValueError as problem:
        raise FunctionError("the text is not valid JSON") from problem
    call.budget.value(made.size, made.depth)
    return made


def _read_json(text: str) -> Value:
    return json_value(
        json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_constant, object_pairs_hook=_object)
    )


_KEPT_TEXT = 32_768
"""JSON of up to so many characters is read once, however often it is asked for: policies come in the hundreds."""

_read_once = lru_cache(maxsize=1024)(_read_json)


def _number(digits: str) -> Value:
    return Value(NUMBER, Number.parse(digits))


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> Value:
    if any(normal(name) != name for name, _ in pairs):
        # Terraform normalises the names of the type, not those it then looks for.
        raise ValueError("an object has a name that isn't normalised")
    return object_value({name: json_value(value) for name, value in pairs})


_SURROGATE = re.compile("[\ud800-\udfff]")


def json_value(data: Any) -> Value:
    """What `json.loads` gave as a value: an array is a tuple, an object is an object."""
    if isinstance(data, Value):
        return data
    if data is None:
        return NULL
    if data is True:
        return TRUE
    if data is False:
        return FALSE
    if isinstance(data, str):
        return string(data if data.isascii() else _SURROGATE.sub("\ufffd", data))
    return tuple_value([json_value(each) for each in data])


@function("yamldecode", Parameter("src", STRING))
def _yamldecode(call: Caller, text: Value) -> Value:
    return read_yaml(text.data, call.budget)


@function("yamlencode", Parameter("value", null=True, unknown=True, partial=True), returns=STRING)
def _yamlencode(call: Caller, value: Value) -> Value:
    if not value.known:
        return unknown_from(STRING, (value,), not_null=True)
    text = write_yaml(value)
    call.budget.text(len(text))
    return string(text)
