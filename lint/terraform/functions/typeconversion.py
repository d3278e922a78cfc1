"""Conversions and marks: tobool, tolist, tomap, tonumber, toset, tostring, sensitive, ephemeralasnull …"""

from __future__ import annotations

from lint.terraform.convert import ConversionError, convert
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.types import BOOL, DYNAMIC, NUMBER, STRING, Type, friendly_name, list_of, map_of, set_of
from lint.terraform.values import EPHEMERAL, FALSE, SENSITIVE, TRUE, Unknown, Value, null, with_marks

_ANY = Parameter("value", null=True, unknown=True, partial=True, marked=True)


def _register(name: str, wanted: Type) -> None:
    @function(name, _ANY, returns=wanted)
    def _to(call: Caller, value: Value) -> Value:
        try:
            return convert(value, wanted)
        except ConversionError as problem:
            raise FunctionError(f"cannot convert {friendly_name(value.type)} to {name[2:]}: {problem}") from None


for _name, _wanted in (
    ("tobool", BOOL),
    ("tonumber", NUMBER),
    ("tostring", STRING),
    ("tolist", list_of(DYNAMIC)),
    ("toset", set_of(DYNAMIC)),
    ("tomap", map_of(DYNAMIC)),
):
    _register(_name, _wanted)


@function("sensitive", _ANY)
def _sensitive(call: Caller, value: Value) -> Value:
    return with_marks(value, (SENSITIVE,))


@function("nonsensitive", _ANY)
def _nonsensitive(call: Caller, value: Value) -> Value:
    return Value(value.type, value.data, value.marks - {SENSITIVE})


@function("issensitive", _ANY, returns=BOOL)
def _issensitive(call: Caller, value: Value) -> Value:
    if SENSITIVE in value.marks:
        return TRUE
    if isinstance(value.data, Unknown):
        return Value(BOOL, Unknown(value.data.reasons, not_null=True))
    return FALSE


@function("ephemeralasnull", _ANY)
def _ephemeralasnull(call: Caller, value: Value) -> Value:
    return _without_ephemeral(value)


def _without_ephemeral(value: Value) -> Value:
    if value.plain:
        return value
    if EPHEMERAL in value.marks:
        return with_marks(null(value.type), value.marks - {EPHEMERAL})
    data = value.data
    if isinstance(data, tuple):
        return Value(value.type, tuple(_without_ephemeral(v) for v in data), value.marks)
    if isinstance(data, dict):
        return Value(value.type, {k: _without_ephemeral(v) for k, v in data.items()}, value.marks)
    return value
