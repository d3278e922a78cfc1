"""What parties are called in findings."""

from __future__ import annotations

from dataclasses import replace

from lint.graph.places import Places
from lint.space.intervals import IntervalSet
from lint.verdict.names import Names
from tests.reach.build import graph, machine


def test_a_machine_of_several_unknown_addresses_is_named_once() -> None:
    places = Places()
    one = machine("i-1", "10.0.0.5")
    first, second = (replace(one.addresses[0], place=places.place(name)) for name in ("a", "b"))
    names = Names(graph(replace(one, addresses=(first, second))))
    assert list(names.sides(IntervalSet.of(first.place) | IntervalSet.of(second.place))) == [(None, "i-1")]
