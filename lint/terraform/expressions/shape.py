"""What an expression refers to and how deeply it is nested. Knows no values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from lint.terraform.syntax.tree import (
    Binary,
    Call,
    Conditional,
    Expression,
    ForObject,
    ForTuple,
    GetAttr,
    Index,
    Interpolation,
    Literal,
    Name,
    Object,
    Parentheses,
    Span,
    Splat,
    Template,
    TemplateFor,
    TemplateIf,
    Tuple,
    Unary,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What an expression refers to (without the variables of its own `for`s), and how deep it is nested."""

    references: tuple[tuple[tuple[str, ...], Span], ...]
    height: int


def references(expression: Expression) -> tuple[tuple[tuple[str, ...], Span], ...]:
    """Every reference in an expression: its names as far as they stand there (`("var", "x", "id")`), and its place."""
    return shape_of(expression).references


_SHAPES: dict[int, tuple[Expression, Shape]] = {}
_MAX_SHAPES = 200_000


def shape_of(expression: Expression) -> Shape:
    """The references and the height of an expression, found once for each expression object."""
    kept = _SHAPES.get(id(expression))
    if kept is not None and kept[0] is expression:
        return kept[1]
    found: list[tuple[tuple[str, ...], Span]] = []
    height = 0
    pending: list[tuple[Expression, frozenset[str], int]] = [(expression, frozenset(), 1)]
    while pending:
        node, bound, depth = pending.pop()
        if depth > height:
            height = depth
        kind = type(node)
        if kind is Literal:
            continue
        if kind is GetAttr or kind is Name or kind is Index:
            path = _path(node)
            if path is not None:
                names, rest = path
                if names[0] not in bound:
                    found.append((names, node.span))
                for each in rest:
                    pending.append((each, bound, depth + 1))
                # A chain of steps is as deep as it is long.
                height = max(height, depth + _chain(node))
                continue
        if isinstance(node, (ForTuple, ForObject)):
            inner = bound | {node.item} | ({node.key} if node.key else set())
            pending.append((node.collection, bound, depth + 1))
            pending.append((node.value, inner, depth + 1))
            if node.condition is not None:
                pending.append((node.condition, inner, depth + 1))
            if isinstance(node, ForObject):
                pending.append((node.result_key, inner, depth + 1))
        elif isinstance(node, TemplateFor):
            inner = bound | {node.item} | ({node.key} if node.key else set())
            pending.append((node.collection, bound, depth + 1))
            pending.extend((part, inner, depth + 1) for part in node.body)
        else:
            pending.extend((child, bound, depth + 1) for child in _children(node))
    shape = Shape(tuple(reversed(found)), height)
    if len(_SHAPES) >= _MAX_SHAPES:
        _SHAPES.clear()
    _SHAPES[id(expression)] = (expression, shape)
    return shape


def _path(node: Expression) -> tuple[tuple[str, ...], list[Expression]] | None:
    """The leading names of a reference, and the expressions in its indexes; None where its root is no name."""
    steps: list[str | None] = []
    rest: list[Expression] = []
    while True:
        if isinstance(node, GetAttr):
            steps.append(node.name)
            node = node.value
        elif isinstance(node, Index):
            steps.append(None)
            if not isinstance(node.key, Literal):
                rest.append(node.key)
            node = node.value
        elif isinstance(node, Name):
            steps.append(node.name)
            break
        else:
            return None
    names = list(itertools.takewhile(lambda step: step is not None, reversed(steps)))
    return tuple(name for name in names if name is not None), rest


def _chain(node: Expression) -> int:
    length = 0
    while isinstance(node, (GetAttr, Index)):
        node = node.value
        length += 1
    return length


def _children(node: Expression) -> Sequence[Expression]:
    if isinstance(node, (GetAttr, Interpolation, Unary, Parentheses)):
        return (node.value,)
    if isinstance(node, Index):
        return (node.value, node.key)
    if isinstance(node, Template):
        return node.parts
    if isinstance(node, TemplateIf):
        return (node.condition, *node.then, *node.otherwise)
    if isinstance(node, Splat):
        return (node.value, node.each)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Conditional):
        return (node.condition, node.then, node.otherwise)
    if isinstance(node, Tuple):
        return node.items
    if isinstance(node, Object):
        return [part for item in node.items for part in (item.key, item.value)]
    return ()
