"""Pairs of one kind of thing in two rule graphs, by signs that fit one thing on each side. Knows no signs itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")
Keys = Iterable[Hashable]


class Pairing(Generic[T]):
    """The pairs that were found so far (the old one's id by the new one's), and what is left on either side.

    The same id always is a pair.
    """

    def __init__(self, old: Mapping[str, T], new: Mapping[str, T]) -> None:
        self.found: dict[str, str] = {name: name for name in new if name in old}
        self._old = {name: one for name, one in old.items() if name not in new}
        self._new = {name: one for name, one in new.items() if name not in old}

    def pair(self, new: str, old: str) -> None:
        """These two are the same, where both are still free."""
        if new in self._new and old in self._old:
            self.found[new] = old
            del self._new[new], self._old[old]

    def unique(
        self,
        key: Callable[[T], Keys],
        key_of_new: Callable[[T], Keys] | None = None,
        fits: Callable[[T, T], bool] | None = None,
    ) -> None:
        """Pairs what shares a key that nothing else on its side has, unless `fits` knows better."""
        if not self._old or not self._new:
            return
        here, there = by_key(self._old, key), by_key(self._new, key_of_new or key)
        for shared, names in there.items():
            others = here.get(shared, set())
            if len(names) == 1 and len(others) == 1:
                mine, other = next(iter(names)), next(iter(others))
                if (
                    mine in self._new
                    and other in self._old
                    and (fits is None or fits(self._old[other], self._new[mine]))
                ):
                    self.pair(mine, other)

    def left(self, *, new: bool) -> Mapping[str, T]:
        """What has no partner on that side."""
        return self._new if new else self._old


def by_key(things: Mapping[str, T], key: Callable[[T], Keys]) -> dict[Hashable, set[str]]:
    """The ids of things by each of their keys."""
    found: dict[Hashable, set[str]] = defaultdict(set)
    for name, one in things.items():
        for each in key(one):
            found[each].add(name)
    return found
