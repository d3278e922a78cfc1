"""What is certainly in a set and what may be in it."""

from __future__ import annotations

from dataclasses import dataclass

from lint.space.intervals import IntervalSet
from lint.space.traffic import ALL_TRAFFIC, EMPTY_TRAFFIC, TrafficSet


@dataclass(frozen=True, slots=True)
class Bounds:
    """Two sets with `must <= actual <= may`.

    `|` and `&` go side by side; `a - b` is (a.must - b.may, a.may - b.must).
    """

    must: TrafficSet
    may: TrafficSet

    @classmethod
    def exactly(cls, traffic: TrafficSet) -> Bounds:
        """Nothing unknown: both sets are the same."""
        return cls(traffic, traffic)

    @classmethod
    def at_most(cls, traffic: TrafficSet) -> Bounds:
        """Nothing certain."""
        return cls(EMPTY_TRAFFIC, traffic)

    def __or__(self, other: Bounds) -> Bounds:
        return Bounds(self.must | other.must, self.may | other.may)

    def __and__(self, other: Bounds) -> Bounds:
        return Bounds(self.must & other.must, self.may & other.may)

    def __sub__(self, other: Bounds) -> Bounds:
        return Bounds(self.must - other.may, self.may - other.must)

    def restrict(self, peers: IntervalSet | None = None, services: IntervalSet | None = None) -> Bounds:
        """Both sets, with peers in `peers` and services in `services` alone (None: any)."""
        return Bounds(self.must.restrict(peers, services), self.may.restrict(peers, services))

    def uncertain(self) -> Bounds:
        """The same, with nothing certain any more."""
        return Bounds(EMPTY_TRAFFIC, self.may)

    @property
    def exact(self) -> bool:
        """Whether both sets are the same."""
        return self.must == self.may


NOTHING = Bounds(EMPTY_TRAFFIC, EMPTY_TRAFFIC)
EVERYTHING = Bounds(ALL_TRAFFIC, ALL_TRAFFIC)
ANYTHING = Bounds(EMPTY_TRAFFIC, ALL_TRAFFIC)  # not known at all
