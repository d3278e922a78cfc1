"""Sets of traffic: (peer address x service x source port), exact and canonical."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lint.space.addresses import EVERYWHERE
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES, WITH_PORTS
from lint.space.steps import Steps

Ports = Steps[IntervalSet]  # from services to source ports
Box = tuple[IntervalSet, IntervalSet, IntervalSet]  # peers, services, source ports
_NO_PORTS: Ports = Steps()


class TrafficSet:
    """An immutable set of (peer, service, source port).

    Operators `|`, `&`, `-`, `<=`, `isdisjoint`; equal sets compare and hash equal. For services without ports the
    source port dimension is always whole; a box with fewer source ports holds TCP and UDP alone.

    Invariant: a step function from peers to step functions from services to source ports, each canonical; so there is
    one form of each set.
    """

    __slots__ = ("_steps",)

    _steps: Steps[Ports]

    def __init__(self, steps: Steps[Ports]) -> None:
        """For this room's own use; `of` and `union_of` make sets."""
        self._steps = steps

    @classmethod
    def of(cls, peers: IntervalSet, services: IntervalSet, source_ports: IntervalSet = ALL_PORTS) -> TrafficSet:
        """The box peers x services x source ports."""
        if not peers:
            return EMPTY_TRAFFIC
        inner = _ports(services, source_ports)
        return cls(Steps.of(peers, inner)) if inner else EMPTY_TRAFFIC

    @classmethod
    def union_of(cls, boxes: Iterable[Box]) -> TrafficSet:
        """All boxes together: boxes that share two sides are joined first, the rest pairwise.

        So that thousands cost little more than one by one.
        """
        by_lane: dict[tuple[IntervalSet, IntervalSet], list[IntervalSet]] = {}
        for peers, services, source_ports in boxes:
            by_lane.setdefault((services, source_ports), []).append(peers)
        by_peers: dict[IntervalSet, Ports] = {}
        for (services, source_ports), parts in by_lane.items():
            peers = IntervalSet.union_of(parts)
            inner = _ports(services, source_ports)
            if peers and inner:
                before = by_peers.get(peers)
                by_peers[peers] = inner if before is None else before | inner
        return cls(_join([Steps.of(peers, inner) for peers, inner in by_peers.items()]))

    @classmethod
    def union(cls, sets: Iterable[TrafficSet]) -> TrafficSet:
        """All sets together."""
        return cls(_join([one._steps for one in sets]))

    def __or__(self, other: TrafficSet) -> TrafficSet:
        return TrafficSet(self._steps | other._steps)

    def __and__(self, other: TrafficSet) -> TrafficSet:
        return TrafficSet(self._steps & other._steps)

    def __sub__(self, other: TrafficSet) -> TrafficSet:
        if self is other:
            return EMPTY_TRAFFIC
        return TrafficSet(self._steps - other._steps)

    def __le__(self, other: TrafficSet) -> bool:
        """Whether every member is in `other`."""
        return not (self - other)

    def isdisjoint(self, other: TrafficSet) -> bool:
        """Whether no member is in `other`."""
        return not (self & other)

    def __bool__(self) -> bool:
        return bool(self._steps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrafficSet) and self._steps == other._steps

    def __hash__(self) -> int:
        return hash(self._steps)

    def __repr__(self) -> str:
        inner = ", ".join(f"{peers!r} x {services!r} x {ports!r}" for peers, services, ports in self.boxes())
        return f"TrafficSet({inner})"

    def boxes(self) -> Iterator[Box]:
        """Disjoint boxes (peers, services, source ports) that make up the set, in canonical order."""
        for peers, inner in self._steps.grouped():
            for services, source_ports in inner.grouped():
                yield peers, services, source_ports

    def peers(self) -> IntervalSet:
        """Every peer that occurs."""
        return self._steps.domain()

    def services(self) -> IntervalSet:
        """Every service that occurs."""
        distinct = {inner for _, _, inner in self._steps.pieces}
        return IntervalSet.union_of(inner.domain() for inner in distinct)

    def restrict(self, peers: IntervalSet | None = None, services: IntervalSet | None = None) -> TrafficSet:
        """What of the set has its peer in `peers` and its service in `services` (None: any)."""
        steps = self._steps if peers is None else self._steps.on(peers)
        if services is None or not steps:
            return self if steps is self._steps else TrafficSet(steps)
        kept: dict[int, Ports] = {}
        for _, _, inner in steps.pieces:
            if id(inner) not in kept:
                kept[id(inner)] = inner.on(services)
        return TrafficSet(Steps((low, high, kept[id(inner)]) for low, high, inner in steps.pieces))

    def at(self, peer: int) -> TrafficSet:
        """What of the set has this one peer."""
        inner = self._steps.at(peer)
        return EMPTY_TRAFFIC if inner is None else TrafficSet(Steps(((peer, peer, inner),)))

    def with_peers(self, peers: IntervalSet) -> TrafficSet:
        """The set's services and source ports, whoever the peer was, for each of `peers` instead."""
        if not peers:
            return EMPTY_TRAFFIC
        inner: Ports = _NO_PORTS
        for one in {inner for _, _, inner in self._steps.pieces}:
            inner = inner | one
        return TrafficSet(Steps.of(peers, inner)) if inner else EMPTY_TRAFFIC

    def to_some(self, peers: IntervalSet, seen_as: IntervalSet) -> TrafficSet:
        """What holds for at least one of `peers`, said of `seen_as` instead."""
        inner: Ports = _NO_PORTS
        for one in {inner for _, _, inner in self._steps.on(peers).pieces}:
            inner = inner | one
        return TrafficSet(Steps.of(seen_as, inner)) if inner and seen_as else EMPTY_TRAFFIC

    def to_every(self, peers: IntervalSet, seen_as: IntervalSet) -> TrafficSet:
        """What holds for each of `peers`, said of `seen_as` instead."""
        pieces = self._steps.on(peers).pieces
        if not pieces or not seen_as or not peers <= IntervalSet((low, high) for low, high, _ in pieces):
            return EMPTY_TRAFFIC
        inner = pieces[0][2]
        for _, _, one in pieces[1:]:
            if one is not inner:
                inner = inner & one
        return TrafficSet(Steps.of(seen_as, inner)) if inner else EMPTY_TRAFFIC

    def sample(self) -> tuple[int, int, int]:
        """One member (peer, service, source port); of the usual client ports where they are members.

        Raises ValueError where the set is empty.
        """
        if not self._steps:
            raise ValueError("an empty set of traffic has no member")
        peer, _, inner = self._steps.pieces[0]
        service, _, source_ports = inner.pieces[0]
        usual = source_ports & _CLIENT
        return peer, service, (usual or source_ports).first

    def contains(self, peer: int, service: int, source_port: int = 49152) -> bool:
        """Whether this one packet is a member."""
        inner = self._steps.at(peer)
        source_ports = None if inner is None else inner.at(service)
        return source_ports is not None and source_port in source_ports


def _ports(services: IntervalSet, source_ports: IntervalSet) -> Ports:
    """Services x source ports; protocols without ports fall out where the source ports aren't whole."""
    if not source_ports:
        return _NO_PORTS
    return Steps.of(services if source_ports == ALL_PORTS else services & WITH_PORTS, source_ports)


def _join(parts: list[Steps[Ports]]) -> Steps[Ports]:
    """Pairwise union, so that no large intermediate result is walked more than log n times."""
    if not parts:
        return Steps()
    while len(parts) > 1:
        parts = [parts[at] | parts[at + 1] if at + 1 < len(parts) else parts[at] for at in range(0, len(parts), 2)]
    return parts[0]


_CLIENT = IntervalSet.span(49152, 65535)
EMPTY_TRAFFIC = TrafficSet(Steps())
ALL_TRAFFIC = TrafficSet.of(EVERYWHERE, ALL_SERVICES)
