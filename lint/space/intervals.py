"""Sets of integers as canonical unions of intervals."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from operator import itemgetter

_FEW = 8
"""Where one set has so many times fewer intervals than the other, halving beats a sweep over both."""

_start, _end = itemgetter(0), itemgetter(1)


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
        if len(a) > len(b):
            a, b = b, a
        if not a:
            return EMPTY
        out: list[tuple[int, int]] = []
        if len(a) * _FEW < len(b):
            for low, high in a:
                out += _within(b, low, high)
            return IntervalSet._canonical(tuple(out))
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
        if len(holes) * _FEW < len(self.pairs):
            return IntervalSet._canonical(_cut(self.pairs, holes))
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
        a, b = self.pairs, other.pairs
        if len(a) > len(b):
            a, b = b, a
        if len(a) * _FEW < len(b):
            return not any(_within(b, low, high) for low, high in a)
        i = j = 0
        while i < len(a) and j < len(b):
            if a[i][1] < b[j][0]:
                i += 1
            elif b[j][1] < a[i][0]:
                j += 1
            else:
                return False
        return True

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


def _within(pairs: tuple[tuple[int, int], ...], low: int, high: int) -> list[tuple[int, int]]:
    """What of sorted pairs lies from `low` to `high`, found by halving."""
    first = bisect_left(pairs, low, key=_end)
    last = bisect_right(pairs, high, first, key=_start)
    found = list(pairs[first:last])
    if found:
        found[0] = (max(found[0][0], low), found[0][1])
        found[-1] = (found[-1][0], min(found[-1][1], high))
    return found


def _cut(pairs: tuple[tuple[int, int], ...], holes: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Sorted pairs without a few holes, whose places are found by halving."""
    out: list[tuple[int, int]] = []
    done = 0  # pairs before this one are in `out`, as far as they stay
    rest: tuple[int, int] | None = None  # what is left of the pair before `done`, behind the last hole
    for low, high in holes:
        if rest is not None:
            if rest[1] < low:
                out.append(rest)
                rest = None
            else:
                if rest[0] < low:
                    out.append((rest[0], low - 1))
                rest = (high + 1, rest[1]) if high < rest[1] else None
                if rest is not None:
                    continue
        first = bisect_left(pairs, low, done, key=_end)
        last = bisect_right(pairs, high, first, key=_start)
        out += pairs[done:first]
        if first < last:
            if pairs[first][0] < low:
                out.append((pairs[first][0], low - 1))
            if high < pairs[last - 1][1]:
                rest = (high + 1, pairs[last - 1][1])
        done = last
    if rest is not None:
        out.append(rest)
    out += pairs[done:]
    return tuple(out)
