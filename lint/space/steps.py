"""Piecewise constant functions on the integer line: one dimension of an exact product set.

Knows no addresses and no services.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, Self, TypeVar

from lint.space.intervals import IntervalSet


class Region(Protocol):
    """What a step can hold: a set with value semantics that is falsy when empty."""

    def __or__(self, other: Self, /) -> Self: ...
    def __and__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...
    def __bool__(self) -> bool: ...
    def __hash__(self) -> int: ...


V = TypeVar("V", bound=Region)
Piece = tuple[int, int, V]  # first and last integer (both included), and what holds there


class Steps(Generic[V]):
    """An immutable function from integers to non-empty regions, empty outside its pieces.

    Invariant: `pieces` is sorted and disjoint, no value is empty, and neighbours that touch have different values; so
    equal functions have equal pieces, compare equal and hash equal. A set of pairs (integer, element of a region) in
    short, with the operators of one.
    """

    __slots__ = ("_hash", "pieces")

    pieces: tuple[Piece[V], ...]

    def __init__(self, pieces: Iterable[Piece[V]] = ()) -> None:
        """From sorted, disjoint pieces; touching equals are joined and empty ones left out."""
        joined: list[Piece[V]] = []
        for low, high, value in pieces:
            if not value:
                continue
            if joined:
                first, last, before = joined[-1]
                if last + 1 == low and (before is value or before == value):
                    joined[-1] = (first, high, before)
                    continue
            joined.append((low, high, value))
        self.pieces = tuple(joined)
        self._hash: int | None = None

    @classmethod
    def of(cls, where: IntervalSet, value: V) -> Steps[V]:
        """The same value on all of `where`."""
        return cls((low, high, value) for low, high in where.pairs)

    def __or__(self, other: Steps[V]) -> Steps[V]:
        if not other.pieces or self is other:
            return self
        if not self.pieces:
            return other
        return self._with(other, lambda a, b: a | b, keep_left=True, keep_right=True)

    def __and__(self, other: Steps[V]) -> Steps[V]:
        if self is other:
            return self
        return self._with(other, lambda a, b: a & b, keep_left=False, keep_right=False)

    def __sub__(self, other: Steps[V]) -> Steps[V]:
        if not other.pieces:
            return self
        return self._with(other, lambda a, b: a - b, keep_left=True, keep_right=False)

    def __bool__(self) -> bool:
        return bool(self.pieces)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Steps) and self.pieces == other.pieces)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.pieces)
        return self._hash

    def at(self, point: int) -> V | None:
        """What holds at one integer, None where nothing does."""
        index = bisect_right(self.pieces, point, key=lambda piece: piece[0]) - 1
        if index < 0 or self.pieces[index][1] < point:
            return None
        return self.pieces[index][2]

    def domain(self) -> IntervalSet:
        """The integers at which something holds."""
        return IntervalSet((low, high) for low, high, _ in self.pieces)

    def on(self, where: IntervalSet) -> Steps[V]:
        """The same function, empty outside of `where`."""
        out: list[Piece[V]] = []
        pairs, pieces = where.pairs, self.pieces
        i = j = 0
        while i < len(pieces) and j < len(pairs):
            low, high = max(pieces[i][0], pairs[j][0]), min(pieces[i][1], pairs[j][1])
            if low <= high:
                out.append((low, high, pieces[i][2]))
            if pieces[i][1] < pairs[j][1]:
                i += 1
            else:
                j += 1
        return self if len(out) == len(pieces) and tuple(out) == pieces else Steps(out)

    def grouped(self) -> list[tuple[IntervalSet, V]]:
        """The distinct values, each with all integers at which it holds, in the order of their first integers."""
        groups: dict[V, list[tuple[int, int]]] = {}
        for low, high, value in self.pieces:
            groups.setdefault(value, []).append((low, high))
        return [(IntervalSet(pairs), value) for value, pairs in groups.items()]

    def _with(self, other: Steps[V], operation: Callable[[V, V], V], *, keep_left: bool, keep_right: bool) -> Steps[V]:
        """One sweep over both; each pair of values is combined once."""
        done: dict[tuple[int, int], V] = {}
        out: list[Piece[V]] = []
        a, b = self.pieces, other.pieces
        i = j = 0
        at_a = a[0][0] if a else 0  # where the rest of piece i begins
        at_b = b[0][0] if b else 0
        while i < len(a) and j < len(b):
            _, end_a, value_a = a[i]
            _, end_b, value_b = b[j]
            if at_a < at_b:
                stop = min(end_a, at_b - 1)
                if keep_left:
                    out.append((at_a, stop, value_a))
                at_a = stop + 1
            elif at_b < at_a:
                stop = min(end_b, at_a - 1)
                if keep_right:
                    out.append((at_b, stop, value_b))
                at_b = stop + 1
            else:
                stop = min(end_a, end_b)
                key = (id(value_a), id(value_b))
                value = done.get(key)
                if value is None:
                    value = done[key] = operation(value_a, value_b)
                out.append((at_a, stop, value))
                at_a = at_b = stop + 1
            if at_a > end_a:
                i += 1
                at_a = a[i][0] if i < len(a) else 0
            if at_b > end_b:
                j += 1
                at_b = b[j][0] if j < len(b) else 0
        if keep_left and i < len(a):
            out.append((at_a, a[i][1], a[i][2]))
            out += a[i + 1 :]
        if keep_right and j < len(b):
            out.append((at_b, b[j][1], b[j][2]))
            out += b[j + 1 :]
        return Steps(out)


NO_STEPS: Steps[Any] = Steps()
