"""What can reach what: composes the filters and routes of a path and explains each hop. Knows no cloud."""

from __future__ import annotations

from lint.reach.answer import between, inbound, outbound
from lint.reach.engine import Engine, engine_of
from lint.reach.result import Hop, Inbound, Outbound, Party, Path, Reach

__all__ = [
    "Engine",
    "Hop",
    "Inbound",
    "Outbound",
    "Party",
    "Path",
    "Reach",
    "between",
    "engine_of",
    "inbound",
    "outbound",
]
