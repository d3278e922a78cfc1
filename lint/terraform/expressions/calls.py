"""Function calls, with their arguments and what a function may ask of the expression that calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from lint.origin import Reason
from lint.terraform.budget import Budget
from lint.terraform.expressions.attempts import can_value, try_value
from lint.terraform.expressions.environment import Environment, Handler, part_of, value_of
from lint.terraform.expressions.shape import shape_of
from lint.terraform.functions.registry import Caller, FunctionError, call_function, find_function
from lint.terraform.scope import EvaluationProblem, Scope, fixed, origin_of
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.tree import Call, Expression, GetAttr, Index, Name, Span, Splat
from lint.terraform.types import DYNAMIC, ListType, SetType, TupleType
from lint.terraform.unknowns import lift
from lint.terraform.values import TRUE, Unknown, Value, merge_reasons, unknown_reasons, with_marks


def _call(node: Call, env: Environment) -> Value:
    name = node.name.removeprefix("core::")
    if name in ("try", "can") and not node.expand:
        return try_value(node, env) if name == "try" else can_value(node, env)
    if name in _TEMPLATES or env.scope.template == "string":
        _check_template(name, node, env)
    try:
        function = find_function(node.name)
        arguments = _arguments(node, env)
        if name in ("try", "can"):
            if not arguments or (name == "can" and len(arguments) > 1):
                raise FunctionError(f'"{name}" takes expressions')
            return arguments[0] if name == "try" else TRUE
        return call_function(function, arguments, EvaluationCaller(node.span, env))
    except FunctionError as problem:
        raise EvaluationProblem(problem.text, node.span) from None


_TEMPLATES = ("templatefile", "templatestring")


def _check_template(name: str, node: Call, env: Environment) -> None:
    """Templates inside templates, files inside templatestring and templates written in place are refused."""
    if env.scope.template and name in _TEMPLATES:
        raise EvaluationProblem(f"cannot recursively call {name} from inside another template function", node.span)
    if env.scope.template == "string" and name.startswith("file"):
        raise EvaluationProblem(f"cannot use {name} in a template of templatestring", node.span)
    if name == "templatestring" and node.arguments and not (node.expand and len(node.arguments) == 1):
        source = node.arguments[0]
        while isinstance(source, (GetAttr, Index, Splat)):
            source = source.value
        if not isinstance(source, Name):
            raise EvaluationProblem(
                "templatestring() takes a direct reference to a template from elsewhere, no text written in place",
                node.span,
            )


def _arguments(node: Call, env: Environment) -> list[Value]:
    values = [part_of(argument, env) for argument in node.arguments]
    if not node.expand:
        return values
    final = values.pop()
    if final.data is None:
        raise FunctionError("The expanding argument (indicated by ...) must not be null")
    if final.type is not DYNAMIC and not isinstance(final.type, (ListType, SetType, TupleType)):
        raise FunctionError("The expanding argument (indicated by ...) must be of a tuple, list, or set type")
    if isinstance(final.data, Unknown):
        raise _UnknownArguments(final)
    env.budget.elements(len(final.data))
    values.extend(with_marks(v, final.marks) for v in final.data)
    return values


class _UnknownArguments(Exception):
    """The list behind `...` isn't known, so neither is the number of arguments."""

    def __init__(self, value: Value) -> None:
        super().__init__("unknown arguments")
        self.value = value


def _call_spread(node: Call, env: Environment) -> Value:
    try:
        return _call(node, env)
    except _UnknownArguments as problem:
        value = problem.value
        rest: list[Value] = []
        for argument in node.arguments[:-1]:
            rest.append(part_of(argument, env))
        function = find_function(node.name)
        caller = EvaluationCaller(node.span, env)

        def spread(values: Sequence[Value]) -> Value:
            if isinstance(values[0].data, Unknown):
                return Value(DYNAMIC, Unknown(values[0].data.reasons))
            if not isinstance(values[0].data, tuple):
                raise EvaluationProblem("The expanding argument must be of a tuple, list, or set type", node.span)
            try:
                return call_function(function, [*rest, *values[0].data], caller)
            except FunctionError as found:
                raise EvaluationProblem(found.text, node.span) from None

        lifted = lift((value,), spread, EvaluationProblem)
        if lifted is not None:
            return with_marks(lifted, value.marks)
        reasons = merge_reasons(*[unknown_reasons(v) for v in (value, *rest)])
        return Value(DYNAMIC, Unknown(reasons), value.marks)


def _parsed_template(text: str, shown: str) -> Expression:
    return _parsed_once(text, shown) if len(text) <= _KEPT_TEXT else _parse(text, shown)


def _parse(text: str, shown: str) -> Expression:
    from lint.terraform.syntax.parse import parse_template

    return parse_template(text, shown)


_KEPT_TEXT = 32_768
"""Templates of up to so many characters are parsed once, however often they are rendered."""

_parsed_once = lru_cache(maxsize=1024)(_parse)


class EvaluationCaller(Caller):
    """What a function may ask of the expression that calls it."""

    __slots__ = ("env", "span")

    def __init__(self, span: Span, env: Environment) -> None:
        self.span = span
        self.env = env

    @property
    def budget(self) -> Budget:
        """The budget of the evaluation."""
        return self.env.budget

    @property
    def scope(self) -> Scope:
        """The scope of the expression."""
        return self.env.scope

    def reason(self, text: str, code: str | None = None, remedy: str | None = None) -> Reason:
        """A reason with the place of the call."""
        return Reason(text, code, origin_of(self.span), remedy)

    def render(self, text: str, names: Mapping[str, Value], shown: str, *, files: bool) -> Value:
        """The value of a template text with its own variables. Raises FunctionError; `shown` names the template."""
        try:
            template = _parsed_template(text, shown)
        except SyntaxProblem as problem:
            raise FunctionError(f"{shown} is not a valid template (line {problem.line})") from None
        with self.budget.template():
            inner = Scope(
                fixed(names),
                self.scope.files,
                self.scope.directory,
                self.scope.budget,
                short_circuit=self.scope.short_circuit,
                template="file" if files else "string",
            )
            for path, span in shape_of(template).references:
                if path[0] not in names:
                    raise FunctionError(f'vars map does not contain key "{path[0]}", referenced at {shown}:{span.line}')
            try:
                return value_of(template, Environment(inner, {}))
            except EvaluationProblem as problem:
                raise FunctionError(f"{shown}:{problem.span.line}: {problem.text}") from None


HANDLERS: dict[type, Handler] = {Call: _call_spread}
