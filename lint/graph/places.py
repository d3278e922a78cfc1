"""Symbolic places for addresses that a source doesn't know yet.

Knows no cloud: a key is any text that names the address for good.
"""

from __future__ import annotations

from lint.space.addresses import SYMBOLIC, SYMBOLIC_END


class Places:
    """Gives every unknown address of one graph a place of its own, behind the real addresses of the line.

    Places count up from `SYMBOLIC` in the order of first use, so the same source gives the same places on every run.
    Two graphs made with two allocators use the same numbers for different things; `lint.graph.merge.merge` re-numbers
    the later ones, so nobody else has to care. What has a place: an endpoint's private address (`Address.place`), a
    public address that will exist but isn't known (`Address.public`), what the Internet sees of a NAT gateway
    (`NatGateway.public`). Rules may name these places (`Addresses(IntervalSet.of(place), text)`), for example where a
    rule's CIDR is built from a machine's address that is known after apply. `SYMBOLIC_END` is never given out: a set
    that holds it (`EVERYWHERE`) means all places, also those of other sources.
    """

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def place(self, key: str) -> int:
        """The place of this key: the same for the same key, never shared by two.

        Raises OverflowError behind 2**32 keys.
        """
        found = self._given.get(key)
        if found is None:
            found = SYMBOLIC + len(self._given)
            if found >= SYMBOLIC_END:
                raise OverflowError("more unknown addresses than symbolic places")
            self._given[key] = found
        return found
