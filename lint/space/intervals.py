"""Sets of integers as canonical unions of intervals."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class IntervalSet:
    """An immutable set of integers.

    Invariant: `pairs` is sorted, intervals are inclusive on both ends, disjoint and not adjacent; so equal sets have
    equal pairs, compare equal and hash equal.
    """

    __slots__ = ("_hash", "pairs")

    pairs: tuple[tuple[int, int], ...]

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        merged: list[tuple[int, int]] = []
        for low, high in sorted(pairs):
            if low > high:
                raise ValueError(f"interval upside down: {low}-{high}")
            if merged and low <= merged[-1][1] + 1:
                if high > merged[-1][1]:
                    merged[-1] = (merged[-1][0], high)
            else:
                merged.append((low, high))
        self.pairs = tuple(merged)
        self._hash: int | None = None

    @classmethod
    def _canonical(cls, pairs: tuple[tuple[int, int], ...]) -> IntervalSet:
        made = cls.__new__(cls)
        made.pairs = pairs
        made._hash = None
        return made

    @classmethod
    def of(cls, *points: int) -> IntervalSet:
        """The set of these integers."""
        return cls((p, p) for p in points)

    @classmethod
    def span(cls, low: int, high: int) -> IntervalSet:
        """All integers from `low` to `high`, both included."""
        return cls(((low, high),))

    @classmethod
    def union_of(cls, sets: Iterable[IntervalSet]) -> IntervalSet:
        """All sets together, in one sweep."""
        found = list(sets)
        if len(found) == 1:
            return found[0]
        return cls(pair for one in found for pair in one.pairs)

    def __or__(self, other: IntervalSet) -> IntervalSet:
        if not other.pairs or self is other:
            return self
        if not self.pairs:
            return other
        return IntervalSet(self.pairs + other.pairs)

    def __and__(self, other: IntervalSet) -> IntervalSet:
        if self is other:
            return self
        a, b = self.pairs, other.pairs
        if not a or not b:
            return EMPTY
        out: list[tuple[int, int]] = []
        i = j = 0
        while i < len(a) and j < len(b):
            low = max(a[i][0], b[j][0])
            high = min(a[i][1], b[j][1])
            if low <= high:
                out.append((low, high))
            if a[i][1] < b[j][1]:
                i += 1
            else:
                j += 1
        return IntervalSet._canonical(tuple(out))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        if self is other:
            return EMPTY
        if not self.pairs or not other.pairs:
            return self
        out: list[tuple[int, int]] = []
        holes = other.pairs
        j = 0
        for low, high in self.pairs:
            while j < len(holes) and holes[j][1] < low:
                j += 1
            k = j
            while k < len(holes) and holes[k][0] <= high:
                if holes[k][0] > low:
                    out.append((low, holes[k][0] - 1))
                low = holes[k][1] + 1
                if low > high:
                    break
                k += 1
            if low <= high:
                out.append((low, high))
        return IntervalSet._canonical(tuple(out))

    def __le__(self, other: IntervalSet) -> bool:
        """Whether every member is in `other`."""
        return not (self - other).pairs

    def isdisjoint(self, other: IntervalSet) -> bool:
        """Whether no member is in `other`."""
        return not (self & other).pairs

    def __contains__(self, point: object) -> bool:
        if not isinstance(point, int):
            return False
        at = bisect_right(self.pairs, point, key=lambda pair: pair[0]) - 1
        return at >= 0 and self.pairs[at][1] >= point

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntervalSet) and self.pairs == other.pairs

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.pairs)
        return self._hash

    def __repr__(self) -> str:
        inner = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in self.pairs)
        return f"IntervalSet({inner})"

    @property
    def size(self) -> int:
        """How many integers are members."""
        return sum(high - low + 1 for low, high in self.pairs)

    @property
    def first(self) -> int:
        """The smallest member. Raises IndexError where the set is empty."""
        return self.pairs[0][0]


EMPTY = IntervalSet()
