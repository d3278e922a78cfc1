"""Evaluates the body of a resource, provider or nested block: its arguments, its blocks, and what `dynamic` makes.

Knows no schema: what a provider defines as a block or an argument is decided by how it is written.
Source: "dynamic Blocks" in Terraform's documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lint.origin import Origin, Reason
from lint.terraform.configuration import span_origin
from lint.terraform.repetition import MAX_INSTANCES, unclear_element
from lint.terraform.resources import Diagnostic, Nested
from lint.terraform.syntax.tree import (
    Attribute,
    Block,
    Body,
    Expression,
    GetAttr,
    Index,
    Literal,
    Name,
    Object,
    Parentheses,
    Span,
    Template,
    Tuple,
)
from lint.terraform.types import SetType
from lint.terraform.values import Unknown, Value, number, object_value, string, tuple_value

if TYPE_CHECKING:
    from lint.terraform.instances import ModuleInstance

NO_META: frozenset[str] = frozenset()


class Origins(Mapping[str, Origin]):
    """The places of attributes by name, made when they are asked for; elements of a literal list as `name[0]`."""

    __slots__ = ("_address", "_calls", "_spans")

    def __init__(self, spans: Mapping[str, Span], address: str | None, calls: tuple[Origin, ...]) -> None:
        self._spans = spans
        self._address = address
        self._calls = calls

    def __getitem__(self, name: str) -> Origin:
        return span_origin(self._spans[name], self._address, self._calls)

    def __iter__(self) -> Iterator[str]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A body with its values; `open_blocks` says of which blocks there may be more than were found."""

    values: Mapping[str, Value]
    blocks: Mapping[str, tuple[Nested, ...]]
    open_blocks: Mapping[str, tuple[Reason, ...]]
    origin: Origin
    origins: Mapping[str, Origin]


def evaluate_body(
    body: Body,
    module: ModuleInstance,
    names: Mapping[str, Value],
    meta: frozenset[str],
    address: str,
    span: Span | None = None,
) -> Evaluated:
    """The values and blocks of a body. `names` are further variables (`each`, iterators); `meta` is left out.

    `lifecycle` is kept as a block whose `ignore_changes` is a tuple of names (`["all"]` for all).
    """
    values: dict[str, Value] = {}
    spans: dict[str, Span] = {}
    for attribute in body.attributes:
        if attribute.name in meta:
            continue
        values[attribute.name] = module.value(attribute.value, names)
        spans[attribute.name] = attribute.span
        _element_spans(attribute.name, attribute.value, spans)
    blocks: dict[str, list[Nested]] = {}
    open_blocks: dict[str, list[Reason]] = {}
    for block in body.blocks:
        if block.type == "lifecycle" and "lifecycle" in meta:
            blocks.setdefault("lifecycle", []).append(_lifecycle(block, module, address))
        elif block.type in meta:
            continue
        elif block.type == "dynamic" and len(block.labels) == 1:
            _dynamic(block, module, names, address, blocks, open_blocks)
        else:
            blocks.setdefault(block.type, []).append(_nested(block.body, block.span, module, names, address))
    return Evaluated(
        values,
        {kind: tuple(found) for kind, found in blocks.items()},
        {kind: tuple(found) for kind, found in open_blocks.items()},
        span_origin(span or body.span, address, module.calls),
        Origins(spans, address, module.calls),
    )


def _nested(
    body: Body,
    span: Span,
    module: ModuleInstance,
    names: Mapping[str, Value],
    address: str,
    reasons: tuple[Reason, ...] = (),
) -> Nested:
    found = evaluate_body(body, module, names, NO_META, address, span)
    return Nested(found.values, found.blocks, found.origin, found.origins, not reasons, reasons, found.open_blocks)


def _dynamic(
    block: Block,
    module: ModuleInstance,
    names: Mapping[str, Value],
    address: str,
    blocks: dict[str, list[Nested]],
    open_blocks: dict[str, list[Reason]],
) -> None:
    kind = block.labels[0]
    place = span_origin(block.header, address, module.calls)
    content = next((inner for inner in block.body.blocks if inner.type == "content"), None)
    each = block.body.attribute("for_each")
    if content is None or each is None:
        text = f'dynamic "{kind}" needs for_each and a content block'
        module.run.report(Diagnostic("error", text, place, "complete the block"))
        open_blocks.setdefault(kind, []).append(Reason(text, "tf.invalid-dynamic", place))
        return
    iterator = _iterator(block.body.attribute("iterator")) or kind
    collection = module.value(each.value, names)
    data = collection.data
    blocks.setdefault(kind, [])  # `dynamic` over nothing still says that the configuration decides these blocks
    if isinstance(data, Unknown):
        reasons = tuple(r if r.origin is not None else Reason(r.text, r.code, place, r.remedy) for r in data.reasons)
        key, value = unclear_element(reasons, collection)
        inner = {**names, iterator: object_value({"key": key, "value": value})}
        blocks[kind].append(_nested(content.body, block.span, module, inner, address, reasons))
        return
    if isinstance(data, dict):
        pairs = [(string(name), value) for name, value in data.items()]
    elif isinstance(data, tuple):
        keyed = isinstance(collection.type, SetType)
        pairs = [(value if keyed else number(i), value) for i, value in enumerate(data)]
    else:
        what = "null" if data is None else "no collection"
        text = f'the for_each of dynamic "{kind}" is {what}'
        module.run.report(Diagnostic("error", text, place, "give it a list, set or map"))
        open_blocks.setdefault(kind, []).append(Reason(text, "tf.invalid-dynamic", place))
        return
    if len(pairs) > MAX_INSTANCES:
        text = f'dynamic "{kind}" asks for more than {MAX_INSTANCES:,} blocks'
        module.run.report(Diagnostic("incomplete", text, place, "make the number smaller"))
        open_blocks.setdefault(kind, []).append(Reason(text, "tf.budget", place))
        return
    for key, value in pairs:
        inner = {**names, iterator: object_value({"key": key, "value": value})}
        reasons = ()
        if isinstance(collection.type, SetType) and isinstance(value.data, Unknown):
            reasons = value.data.reasons  # it may be equal to another member: one block fewer
        blocks[kind].append(_nested(content.body, block.span, module, inner, address, reasons))


def _iterator(attribute: Attribute | None) -> str | None:
    if attribute is None:
        return None
    value = attribute.value
    if isinstance(value, Name):
        return value.name
    return value.value if isinstance(value, Literal) and isinstance(value.value, str) else None


def _element_spans(name: str, expression: Expression, spans: dict[str, Span]) -> None:
    """The places of the elements, and of their attributes, where an argument is a literal list of objects."""
    while isinstance(expression, Parentheses):
        expression = expression.value
    items: tuple[Expression, ...] = expression.items if isinstance(expression, Tuple) else (expression,)
    for index, item in enumerate(items):
        if not isinstance(item, Object):
            continue
        spans[f"{name}[{index}]"] = item.span
        for member in item.items:
            key = member.key
            if isinstance(key, Literal) and isinstance(key.value, str):
                spans[f"{name}[{index}].{key.value}"] = member.value.span


def _lifecycle(block: Block, module: ModuleInstance, address: str) -> Nested:
    origin = span_origin(block.span, address, module.calls)
    attribute = block.body.attribute("ignore_changes")
    values: dict[str, Value] = {}
    origins: dict[str, Origin] = {}
    if attribute is not None:
        items = attribute.value.items if isinstance(attribute.value, Tuple) else (attribute.value,)
        found = [literal_names(item) for item in items]
        values["ignore_changes"] = tuple_value([string(name) for name in found if name])
        origins["ignore_changes"] = span_origin(attribute.span, address, module.calls)
    return Nested(values, {}, origin, origins)


def literal_names(expression: Expression) -> str | None:
    """A reference that is meant as a name: `aws.west`, `ingress[0].cidr_blocks`, or the same in quotes."""
    if isinstance(expression, Name):
        return expression.name
    if isinstance(expression, Literal) and isinstance(expression.value, str):
        return expression.value
    if isinstance(expression, GetAttr):
        inner = literal_names(expression.value)
        return f"{inner}.{expression.name}" if inner else None
    if isinstance(expression, (Index, Parentheses)):
        return literal_names(expression.value)
    if isinstance(expression, Template) and len(expression.parts) == 1:
        return literal_names(getattr(expression.parts[0], "value", expression.parts[0]))
    return None
