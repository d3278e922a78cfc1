"""Templates: texts made of parts, with choices and repetitions."""

from __future__ import annotations

from collections.abc import Sequence

from lint.terraform.convert import ConversionError, convert
from lint.terraform.expressions.conditionals import choice
from lint.terraform.expressions.environment import Environment, Handler, value_of
from lint.terraform.expressions.loops import tuple_over
from lint.terraform.scope import EvaluationProblem
from lint.terraform.syntax.tree import Expression, Interpolation, Span, Template, TemplateFor, TemplateIf
from lint.terraform.texts import join_texts
from lint.terraform.types import STRING
from lint.terraform.values import NO_MARKS, Unknown, Value, with_marks


def _template(node: Template, env: Environment) -> Value:
    parts = node.parts
    if len(parts) == 1 and isinstance(parts[0], Interpolation):
        return value_of(parts[0].value, env)
    return _joined(parts, env, node.span)


def _interpolation(node: Interpolation, env: Environment) -> Value:
    return value_of(node.value, env)


def _joined(parts: Sequence[Expression], env: Environment, span: Span) -> Value:
    """The text of several parts of a template."""
    values: list[Value] = []
    marks = NO_MARKS
    for part in parts:
        try:
            value = value_of(part, env)
        except EvaluationProblem as problem:
            raise problem.as_a(STRING) from None
        if value.data is None:
            raise EvaluationProblem("Cannot include a null value in a string template", part.span, STRING)
        marks |= value.marks
        try:
            text = convert(Value(value.type, value.data), STRING)
        except ConversionError as problem:
            raise EvaluationProblem(
                f"Cannot include the given value in a string template: {problem}", part.span, STRING
            ) from None
        if text.data is None:
            raise EvaluationProblem("Cannot include a null value in a string template", part.span, STRING)
        values.append(text)
    return with_marks(join_texts(values, env.budget), marks)


def _template_if(node: TemplateIf, env: Environment) -> Value:
    return choice(
        node.condition,
        lambda: _body(node.then, env, node.span),
        lambda: _body(node.otherwise, env, node.span),
        node.span,
        env,
    )


def _body(parts: Sequence[Expression], env: Environment, span: Span) -> Value:
    if not parts:
        return Value(STRING, "")
    if len(parts) == 1:
        return value_of(parts[0], env)
    return _joined(parts, env, span)


def _template_for(node: TemplateFor, env: Environment) -> Value:
    try:
        made = tuple_over(
            value_of(node.collection, env),
            node.key,
            node.item,
            None,
            lambda inner: _body(node.body, inner, node.span),
            node.span,
            env,
        )
    except EvaluationProblem as problem:
        raise problem.as_a(STRING) from None
    if isinstance(made.data, Unknown):
        return Value(STRING, Unknown(made.data.reasons, not_null=True), made.marks)
    texts: list[Value] = []
    marks = made.marks
    for each in made.data:
        if each.data is None:
            raise EvaluationProblem("Cannot include a null value in a string template", node.span, STRING)
        marks |= each.marks
        try:
            texts.append(convert(Value(each.type, each.data), STRING))
        except ConversionError as problem:
            raise EvaluationProblem(
                f"Cannot include one of the results in a string template: {problem}", node.span, STRING
            ) from None
    if not texts:
        return Value(STRING, "", marks)
    return with_marks(join_texts(texts, env.budget), marks)


HANDLERS: dict[type, Handler] = {
    Template: _template,
    Interpolation: _interpolation,
    TemplateIf: _template_if,
    TemplateFor: _template_for,
}
