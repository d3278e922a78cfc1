"""templatefile and templatestring: template texts rendered with variables of their own."""

from __future__ import annotations

import re

from lint.terraform.convert import ConversionError, convert
from lint.terraform.functions.filesystem import read_text
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.types import STRING, MapType, ObjectType
from lint.terraform.values import Unknown, Value, unknown_from, with_marks

_VARIABLES = Parameter("vars", partial=True, marked=True)
_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")


def _names(variables: Value) -> dict[str, Value]:
    if not isinstance(variables.type, (MapType, ObjectType)):
        raise FunctionError("invalid vars value: must be a map")
    names: dict[str, Value] = variables.data
    for name in names:
        if not _IDENTIFIER.fullmatch(name):
            raise FunctionError("invalid template variable name: it must start with a letter")
    return names


@function("templatefile", Parameter("path", STRING), _VARIABLES)
def _templatefile(call: Caller, path: Value, variables: Value) -> Value:
    text = read_text(call, path.data)
    if isinstance(text, Value):
        return text
    result = call.render(text, _names(variables), path.data, files=True)
    if result.data is None:
        raise FunctionError("the result of the template is null")
    return with_marks(result, variables.marks)


@function("templatestring", Parameter("template", unknown=True), _VARIABLES, returns=STRING)
def _templatestring(call: Caller, template: Value, variables: Value) -> Value:
    if isinstance(template.data, Unknown):
        return unknown_from(STRING, (template, variables), not_null=True)
    if template.type is not STRING:
        raise FunctionError("invalid template value: a string is required")
    result = call.render(template.data, _names(variables), "template", files=False)
    if result.data is None:
        raise FunctionError("the result of the template is null")
    try:
        return with_marks(convert(result, STRING), variables.marks)
    except ConversionError as problem:
        raise FunctionError(f"invalid template result: {problem}") from None
