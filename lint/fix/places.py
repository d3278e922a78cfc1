"""Where a new resource goes that belongs to another one: beside it, or beside a call of the module that holds it.

What stands in an installed module is never edited, and a module that is called several times isn't for one of them;
there the caller names the thing by an output of the module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lint.fix.hcl import Source, block_at
from lint.fix.modules import callers, segments
from lint.fix.workshop import Workshop
from lint.terraform.resources import Resource
from lint.terraform.syntax.tree import Block


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the text of `module`, behind `anchor`. `stem`: what names of new resources begin with."""

    module: str
    stem: str
    source: Source
    anchor: Block


def places(thing: Resource, siblings: Sequence[Resource], shop: Workshop) -> Iterator[Place]:
    """The places for a resource that belongs to `thing`, nearest first: behind the last of its `siblings` there."""
    sites = [(thing.module, thing.name, thing.origin)]
    for module, call in callers(thing):
        name = segments(thing.module)[len(segments(module))]
        sites.append((module, re.sub(r"^module\.|\[.*$", "", name), call))
    for module, stem, origin in sites:
        own = [r for r in siblings if r.module == module and shop.editable(r)]
        last = max((r.origin for r in own), key=lambda o: (o.file or "", o.start_byte or 0), default=origin)
        source = shop.source(last.file) if shop.own(last.file) else None
        anchor = block_at(source, last.start_byte) if source is not None else None
        if source is not None and anchor is not None:
            yield Place(module, stem, source, anchor)
