"""The one list of built-in functions, and the rules by which all of them are called. Knows no function itself.

A family registers its functions with `function`. Arguments are converted to the parameters' types, nulls and unknowns
are kept away from functions that have no use for them, marks of arguments become marks of the result.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lint.origin import Reason
from lint.terraform.budget import Budget
from lint.terraform.convert import ConversionError, convert
from lint.terraform.scope import Scope
from lint.terraform.types import DYNAMIC, Type
from lint.terraform.unknowns import lift
from lint.terraform.values import NO_MARKS, Unknown, Value, merge_reasons, unknown_reasons, unmark_deep, with_marks


class FunctionError(Exception):
    """A call that Terraform would refuse; `text` says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Caller(Protocol):
    """What a function may ask of the expression that calls it."""

    @property
    def budget(self) -> Budget:
        """The budget of the evaluation."""
        ...

    @property
    def scope(self) -> Scope:
        """The scope of the expression: its files and the directory of relative paths."""
        ...

    def reason(self, text: str, code: str | None = None, remedy: str | None = None) -> Reason:
        """A reason with the place of the call."""
        ...

    def render(self, text: str, names: Mapping[str, Value], shown: str, *, files: bool) -> Value:
        """The value of a template text with its own variables; `files` allows file functions. Raises FunctionError."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name and type, and whether the function itself deals with nulls, unknowns and marks.

    `partial`: it takes collections that hold unknown elements; `unknown`: it takes values that aren't known at all.
    """

    name: str
    type: Type = DYNAMIC
    null: bool = False
    unknown: bool = False
    partial: bool = False
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """One built-in function. `returns` is the type of its result, DYNAMIC where it depends on the arguments."""

    name: str
    parameters: tuple[Parameter, ...]
    variadic: Parameter | None
    returns: Type
    body: Callable[..., Value]


_FUNCTIONS: dict[str, Function] = {}

_FAMILIES = (
    "collection",
    "datetime",
    "encoding",
    "filesystem",
    "formatting",
    "hash",
    "lists",
    "maps",
    "network",
    "numeric",
    "regular",
    "sets",
    "string",
    "templates",
    "typeconversion",
)

Body = Callable[..., Value]


def function(
    name: str, *parameters: Parameter, variadic: Parameter | None = None, returns: Type = DYNAMIC
) -> Callable[[Body], Body]:
    """Registers `body(call, *arguments)` under a name."""

    def register(body: Body) -> Body:
        _FUNCTIONS[name] = Function(name, parameters, variadic, returns, body)
        return body

    return register


_REMOVED = {
    "list": 'The "list" function was removed in Terraform 0.15: write tolist([...]) instead',
    "map": 'The "map" function was removed in Terraform 0.15: write tomap({...}) instead',
}


def functions() -> Mapping[str, Function]:
    """All built-in functions by name (without `try` and `can`, which are part of the evaluation itself)."""
    if len(_FUNCTIONS) < 2:
        for family in _FAMILIES:
            importlib.import_module(f"lint.terraform.functions.{family}")
    return _FUNCTIONS


def find_function(name: str) -> Function:
    """The function of a name (`max`, `core::max`, `provider::aws::arn_parse`). Raises FunctionError."""
    known = functions()
    found = known.get(name)
    if found is not None:
        return found
    if name.startswith("provider::"):
        return Function(
            name, (), Parameter("arguments", null=True, unknown=True, partial=True), DYNAMIC, _by_provider(name)
        )
    short = name.removeprefix("core::")
    if short != name and (short in known or short in ("try", "can")):
        return known.get(short, _EXPRESSIONS)
    if name in ("try", "can"):
        return _EXPRESSIONS
    if name in _REMOVED:
        raise FunctionError(_REMOVED[name])
    raise FunctionError(f'There is no function named "{name}"')


def _by_provider(name: str) -> Body:
    def body(call: Caller, *arguments: Value) -> Value:
        text = f"{name}() is computed by a provider, which isn't run"
        return Value(DYNAMIC, Unknown((call.reason(text, f"tf.provider-function:{name}"),)))

    return body


def _never(call: Caller, *arguments: Value) -> Value:
    raise FunctionError("try() and can() take expressions")


_EXPRESSIONS = Function("try", (), Parameter("expressions", null=True, unknown=True, partial=True), DYNAMIC, _never)


def call_function(called: Function, arguments: Sequence[Value], call: Caller) -> Value:
    """The result of a call. Raises FunctionError."""
    parameters = called.parameters
    given = len(arguments)
    if given < len(parameters):
        missing = parameters[given].name
        least = " at least" if called.variadic else ""
        raise FunctionError(f'{called.name}() expects{least} {len(parameters)} argument(s): "{missing}" is missing')
    if called.variadic is None and given > len(parameters):
        raise FunctionError(f"{called.name}() expects only {len(parameters)} argument(s)")
    marks = NO_MARKS
    prepared: list[Value] = []
    waiting = False
    for i, argument in enumerate(arguments):
        parameter = parameters[i] if i < len(parameters) else called.variadic
        assert parameter is not None
        value = argument
        if value.type is not parameter.type and parameter.type is not DYNAMIC:
            try:
                value = convert(value, parameter.type)
            except ConversionError as problem:
                raise FunctionError(
                    f'Invalid value for "{parameter.name}" parameter of {called.name}(): {problem}'
                ) from None
        if value.data is None and not parameter.null:
            raise FunctionError(
                f'Invalid value for "{parameter.name}" parameter of {called.name}(): it must not be null'
            )
        if not parameter.marked and not value.plain:
            value, found = unmark_deep(value)
            marks |= found
        if not value.known and not parameter.unknown:
            waiting = waiting or isinstance(value.data, Unknown) or not parameter.partial
        prepared.append(value)
    if waiting:
        return with_marks(_unknown_result(called, prepared, call), marks)
    result = called.body(call, *prepared)
    return with_marks(result, marks) if marks else result


def _unknown_result(called: Function, arguments: Sequence[Value], call: Caller) -> Value:
    """The result of a call some of whose arguments aren't known: what all candidates give, else unknown."""

    def compute(values: Sequence[Value]) -> Value:
        for i, each in enumerate(values):
            parameter = called.parameters[i] if i < len(called.parameters) else called.variadic
            assert parameter is not None
            if each.data is None and not parameter.null:
                raise FunctionError(f'Invalid value for "{parameter.name}" parameter: it must not be null')
            if (
                not each.known
                and not parameter.unknown
                and not (parameter.partial and not isinstance(each.data, Unknown))
            ):
                return unknown_call(called, values)
        return called.body(call, *values)

    lifted = lift(arguments, compute, FunctionError)
    return lifted if lifted is not None else unknown_call(called, arguments)


def unknown_call(called: Function, arguments: Sequence[Value]) -> Value:
    """A result of which nothing is known but its type."""
    reasons = merge_reasons(*[unknown_reasons(v) for v in arguments])
    return Value(called.returns, Unknown(reasons, not_null=called.returns is not DYNAMIC))


def whole(value: Value) -> int:
    """A whole number argument as an int. Raises FunctionError for fractions and numbers beyond 64 bits."""
    data: Any = value.data
    if not data.integral:
        raise FunctionError(f"{data.text()[:40]} is not a whole number")
    if data.exponent > 64 or abs(int(data)) >= 1 << 63:
        raise FunctionError("the number is too large")
    return int(data)
