"""The expression tree of Terraform configuration: what stands in a file, where, and nothing of what it means.

Every node is immutable and carries the byte range of its text. Templates have their escapes decoded, heredocs
their indentation removed and strip markers (`~`) applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar, dataclass_transform

Node = TypeVar("Node")


@dataclass_transform(frozen_default=True)
def node(cls: type[Node]) -> type[Node]:
    """A dataclass with slots that compares and hashes by value, and that the type checker keeps frozen.

    It isn't frozen at run time: a file has about one node for every word, and a frozen dataclass takes five times
    as long to make.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@node
class Span:
    """Bytes `start` (from 0) to `end` (exclusive) of `file`, with its first and last line and column (from 1)."""

    file: str
    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int


@node
class Comment:
    """A comment without its markers; `line` is its first line, `start` and `end` are bytes and take the markers in."""

    line: int
    text: str
    start: int
    end: int


@node
class Literal:
    """`null`, `true`, `12`, or a piece of text without interpolation."""

    value: bool | Decimal | str | None
    span: Span


@node
class Template:
    """A quoted string or heredoc with interpolations or directives; its parts are joined as text.

    A template of exactly one Interpolation gives the value itself, of any type (Terraform's "unwrap").
    """

    parts: tuple[Expression, ...]  # Literal (text), Interpolation, TemplateIf, TemplateFor
    span: Span


@node
class Interpolation:
    """`${ … }` inside a Template."""

    value: Expression
    span: Span


@node
class TemplateIf:
    """`%{ if c }…%{ else }…%{ endif }`; without else, `otherwise` is empty."""

    condition: Expression
    then: tuple[Expression, ...]
    otherwise: tuple[Expression, ...]
    span: Span


@node
class TemplateFor:
    """`%{ for k, v in c }…%{ endfor }`."""

    key: str | None
    item: str
    collection: Expression
    body: tuple[Expression, ...]
    span: Span


@node
class Name:
    """The root of a reference: `var`, `local`, `each`, `aws_instance`, or a `for` variable."""

    name: str
    span: Span


@node
class GetAttr:
    """`value.name`; legacy `value.0` is an Index with a number."""

    value: Expression
    name: str
    span: Span


@node
class Index:
    """`value[key]`."""

    value: Expression
    key: Expression
    span: Span


@node
class SplatItem:
    """Stands inside `Splat.each` for the element at hand."""

    span: Span


@node
class Splat:
    """`value[*].a.b` (full) or `value.*.a` (attribute-only); `each` is evaluated with every element as SplatItem."""

    value: Expression
    each: Expression
    full: bool
    span: Span


@node
class Call:
    """`name(arguments)`; `expand` where `...` follows the last argument. `core::max` is named with its namespace."""

    name: str
    arguments: tuple[Expression, ...]
    expand: bool
    span: Span


@node
class Unary:
    """`!value` or `-value`."""

    operator: str
    value: Expression
    span: Span


@node
class Binary:
    """`left operator right` with `||`, `&&`, `==`, `!=`, `<`, `<=`, `>`, `>=`, `+`, `-`, `*`, `/`, `%`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


@node
class Conditional:
    """`condition ? then : otherwise`."""

    condition: Expression
    then: Expression
    otherwise: Expression
    span: Span


@node
class Parentheses:
    """`( value )`: matters for object keys and for text edits."""

    value: Expression
    span: Span


@node
class Tuple:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    span: Span


@node
class ObjectItem:
    """One `key = value` of an object. A bare identifier key is a Literal text; `(expr)` is Parentheses."""

    key: Expression
    value: Expression


@node
class Object:
    """`{ a = 1, (b) = 2 }`."""

    items: tuple[ObjectItem, ...]
    span: Span


@node
class ForTuple:
    """`[for k, v in collection : value if condition]`."""

    key: str | None
    item: str
    collection: Expression
    value: Expression
    condition: Expression | None
    span: Span


@node
class ForObject:
    """`{for k, v in collection : result_key => value... if condition}`; `group` where `...` stands."""

    key: str | None
    item: str
    collection: Expression
    result_key: Expression
    value: Expression
    condition: Expression | None
    group: bool
    span: Span


Expression = (
    Literal
    | Template
    | Interpolation
    | TemplateIf
    | TemplateFor
    | Name
    | GetAttr
    | Index
    | SplatItem
    | Splat
    | Call
    | Unary
    | Binary
    | Conditional
    | Parentheses
    | Tuple
    | Object
    | ForTuple
    | ForObject
)


@node
class Attribute:
    """`name = value` in a body; `span` covers the whole definition."""

    name: str
    value: Expression
    span: Span


@node
class Block:
    """`type "label" … { body }`; `header` covers type and labels, `span` everything to the closing brace."""

    type: str
    labels: tuple[str, ...]
    body: Body
    header: Span
    span: Span


@node
class Body:
    """The attributes and blocks of a file or block, in the order in which they stand."""

    attributes: tuple[Attribute, ...]
    blocks: tuple[Block, ...]
    span: Span

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name, or None."""
        return next((a for a in self.attributes if a.name == name), None)
