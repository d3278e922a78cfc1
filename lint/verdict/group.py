"""Puts pairs with the same filters and the same verdict together, so that one finding lists them all. Decides
nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lint.verdict.parties import Crowd, Machine
from lint.verdict.required import Answer


@dataclass(frozen=True, slots=True)
class Judged:
    """Two crowds with the answer for every pair of them (a machine never meets itself)."""

    source: Crowd
    destination: Crowd
    answer: Answer


@dataclass(frozen=True, slots=True)
class Group:
    """Crowds that make one finding: every source with every destination (save itself)."""

    verdict: str
    sources: tuple[Crowd, ...]
    destinations: tuple[Crowd, ...]
    pairs: tuple[Judged, ...]


def group(pairs: Iterable[Judged]) -> list[Group]:
    """The fewest groups of pairs with equal verdict and filters in which every source meets every destination, in
    order of first pair."""
    by_key: dict[tuple[str, int, int], dict[int, list[Judged]]] = {}
    for pair in pairs:
        key = (pair.answer.verdict, pair.source.guarded, pair.destination.guarded)
        by_key.setdefault(key, {}).setdefault(pair.source.number, []).append(pair)
    found: list[Group] = []
    for by_source in by_key.values():
        met = {pair.destination.number for mine in by_source.values() for pair in mine if _lonely(pair.destination)}
        rectangles: dict[frozenset[int], list[Judged]] = {}
        for mine in by_source.values():
            shape = {pair.destination.number for pair in mine}
            source = mine[0].source
            # A machine never meets itself; that gap alone must not set it apart from its like.
            own = next(
                (p.destination.number for others in by_source.values() for p in others if _same(source, p.destination)),
                None,
            )
            if own is not None and own in met:
                shape.add(own)
            rectangles.setdefault(frozenset(shape), []).extend(mine)
        for together in rectangles.values():
            sources = {pair.source.number: pair.source for pair in together}
            destinations = {pair.destination.number: pair.destination for pair in together}
            found.append(
                Group(
                    together[0].answer.verdict, tuple(sources.values()), tuple(destinations.values()), tuple(together)
                )
            )
    return found


def _lonely(crowd: Crowd) -> bool:
    return len(crowd.members) == 1 and isinstance(crowd.first, Machine)


def _same(one: Crowd, other: Crowd) -> bool:
    """Whether both are the same single machine."""
    a, b = one.first, other.first
    return (
        len(one.members) == len(other.members) == 1
        and isinstance(a, Machine)
        and isinstance(b, Machine)
        and a.endpoint.id == b.endpoint.id
    )
