"""Sets of traffic: (peer address x service x source port), exact and canonical."""

from __future__ import annotations

from collections.abc import Iterator

from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS


class TrafficSet:
    """An immutable set of (peer, service, source port).

    Operators `|`, `&`, `-`, `<=`, `isdisjoint`; equal sets compare and hash equal. For services without ports the source
    port dimension is always whole; a box with fewer source ports holds TCP and UDP alone.
    """

    @classmethod
    def of(
        cls, peers: IntervalSet, services: IntervalSet, source_ports: IntervalSet = ALL_PORTS
    ) -> TrafficSet:
        """The box peers x services x source ports."""
        raise NotImplementedError

    def boxes(self) -> Iterator[tuple[IntervalSet, IntervalSet, IntervalSet]]:
        """Disjoint boxes (peers, services, source ports) that make up the set, in canonical order."""
        raise NotImplementedError

    def peers(self) -> IntervalSet:
        """Every peer that occurs."""
        raise NotImplementedError

    def services(self) -> IntervalSet:
        """Every service that occurs."""
        raise NotImplementedError
