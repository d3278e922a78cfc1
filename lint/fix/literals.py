"""Changes of a rule's addresses where they are written: in a local, a default, a module's argument, a map of rules.

A block that is repeated takes its addresses from elsewhere; there the one element can be changed. Knows no cloud.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint.fix.changes import Change, NarrowRule, rule_of
from lint.fix.edits import Edit
from lint.fix.hcl import Source, drop_item, drop_lines, quoted
from lint.fix.workshop import Workshop
from lint.graph.rules import Addresses, Filter, Rule
from lint.space.addresses import cidrs, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.terraform.syntax.tree import (
    Body,
    Call,
    Conditional,
    Expression,
    Literal,
    Object,
    Parentheses,
    Span,
    Template,
    Tuple,
)

_MOST = 8  # a list that grew by more isn't a suggestion any more


def edits(change: Change, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    """For each place where one of the rule's CIDRs is written, the edit that puts what stays in its place."""
    if not isinstance(change, NarrowRule) or len(change.keep) > 1:
        return
    holder = shop.graph.filters.get(change.filter)
    rule = rule_of(holder, change.rule) if holder is not None else None
    if holder is None or rule is None:
        return
    if not change.keep:
        yield from _dropped(holder, rule, shop)
        return
    if change.keep[0].services != rule.services:
        return
    keep = change.keep[0].addresses
    for peer in rule.peers:
        if not isinstance(peer, Addresses) or peer.addresses <= keep:
            continue
        left = cidrs(peer.addresses & keep)
        if not left or len(left) > _MOST:
            continue
        for source in _sources(holder, rule, shop):
            for literal, around in _literals(source.body):
                if not _means(literal, peer.addresses.pairs):
                    continue
                text = ", ".join(quoted(one) for one in left)
                if around is not None and (peer.addresses & keep) <= _others(around, literal):
                    yield (drop_item(source, around, literal),)
                elif around is not None or len(left) == 1:
                    yield (Edit(source.file, literal.span.start, literal.span.end, text),)


def _dropped(holder: Filter, rule: Rule, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    """For each element of a map or list that names the rule's address, the edit that takes the element away."""
    named = [peer.addresses.pairs for peer in rule.peers if isinstance(peer, Addresses)]
    if len(named) != len(rule.peers):
        return
    for source in _sources(holder, rule, shop):
        for span, value in _elements(source.body):
            if any(_means(text, pairs) for text, _ in _strings(value, None) for pairs in named):
                edit = drop_lines(source, span.start, value.span.end)
                if edit is not None:
                    yield (edit,)


def _elements(body: Body) -> Iterator[tuple[Span, Expression]]:
    """The elements of every map and list that are structures themselves: where each begins, and its value."""
    for attribute in body.attributes:
        yield from _structures(attribute.value)
    for block in body.blocks:
        yield from _elements(block.body)


def _structures(value: Expression) -> Iterator[tuple[Span, Expression]]:
    if isinstance(value, Tuple):
        for element in value.items:
            if isinstance(element, (Tuple, Object)):
                yield element.span, element
                yield from _structures(element)
    elif isinstance(value, Object):
        for item in value.items:
            if isinstance(item.value, (Tuple, Object)):
                yield item.key.span, item.value
                yield from _structures(item.value)
    elif isinstance(value, Call):
        for argument in value.arguments:
            yield from _structures(argument)


def _means(literal: Literal | Template, pairs: tuple[tuple[int, int], ...]) -> bool:
    text = _text(literal)
    try:
        return text is not None and parse_cidr(text).pairs == pairs
    except ValueError:
        return False


def _text(value: Literal | Template) -> str | None:
    if isinstance(value, Literal):
        return value.value if isinstance(value.value, str) else None
    parts = [part.value for part in value.parts if isinstance(part, Literal) and isinstance(part.value, str)]
    return "".join(parts) if len(parts) == len(value.parts) else None


def _sources(holder: Filter, rule: Rule, shop: Workshop) -> Iterator[Source]:
    """The files in which the rule's addresses may be written: its module's, and those of the modules that call it."""
    seen: set[str] = set()
    for file in (rule.origin.file, holder.origin.file, *(call.file for call in reversed(rule.origin.calls))):
        if file is None:
            continue
        for name in shop.files_beside(file):
            source = shop.source(name) if name not in seen and shop.inside(name) else None
            seen.add(name)
            if source is not None and ".terraform" not in name.split("/"):
                yield source
    root = rule.origin.calls[0].file if rule.origin.calls else rule.origin.file or holder.origin.file
    for name in shop.values_beside(root) if root is not None else ():
        source = shop.source(name) if shop.inside(name) else None
        if source is not None:
            yield source


def _others(around: Tuple, literal: Expression) -> IntervalSet:
    """The addresses that the other elements of a list name."""
    found = EMPTY
    for one in around.items:
        text = _text(one) if one is not literal and isinstance(one, (Literal, Template)) else None
        try:
            found = found | (parse_cidr(text) if text is not None else EMPTY)
        except ValueError:
            continue
    return found


def _literals(body: Body) -> Iterator[tuple[Literal | Template, Tuple | None]]:
    """Every string of a body, and the list that it is an element of."""
    for attribute in body.attributes:
        yield from _strings(attribute.value, None)
    for block in body.blocks:
        yield from _literals(block.body)


def _strings(value: Expression, around: Tuple | None) -> Iterator[tuple[Literal | Template, Tuple | None]]:
    if isinstance(value, (Literal, Template)):
        yield value, around
    elif isinstance(value, Tuple):
        for element in value.items:
            yield from _strings(element, value)
    elif isinstance(value, Object):
        for item in value.items:
            yield from _strings(item.value, None)
    elif isinstance(value, Call):
        for argument in value.arguments:
            yield from _strings(argument, None)
    elif isinstance(value, Conditional):
        yield from _strings(value.then, None)
        yield from _strings(value.otherwise, None)
    elif isinstance(value, Parentheses):
        yield from _strings(value.value, around)
