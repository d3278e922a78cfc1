"""What is certainly in a set and what may be in it."""

from __future__ import annotations

from dataclasses import dataclass

from lint.space.traffic import TrafficSet


@dataclass(frozen=True, slots=True)
class Bounds:
    """Two sets with `must <= actual <= may`. `|` and `&` go side by side; `a - b` is (a.must - b.may, a.may - b.must)."""

    must: TrafficSet
    may: TrafficSet
