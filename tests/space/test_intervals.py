"""Interval sets are exact and canonical: compared with Python's own sets; addresses keep their families apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.space.addresses import IPV4, IPV6, PRIVATE, PUBLIC, SYMBOLIC, address_text, cidrs, parse_cidr, position
from lint.space.intervals import EMPTY, IntervalSet

points = st.sets(st.integers(0, 20))


@given(points, points)
def test_operators_agree_with_sets(a: set[int], b: set[int]) -> None:
    one, two = IntervalSet.of(*a), IntervalSet.of(*b)
    assert one | two == IntervalSet.of(*(a | b))
    assert one & two == IntervalSet.of(*(a & b))
    assert one - two == IntervalSet.of(*(a - b))
    assert (one <= two) == (a <= b)
    assert one.isdisjoint(two) == a.isdisjoint(b)
    assert one.size == len(a)
    assert {n for n in range(21) if n in one} == a
    assert IntervalSet.union_of([one, two, EMPTY]) == one | two


@given(st.sets(st.integers(0, 300), min_size=100), st.sets(st.integers(0, 300), max_size=6), st.integers(0, 40))
def test_a_large_set_and_a_small_one_agree_with_sets(a: set[int], b: set[int], width: int) -> None:
    b = {point for start in b for point in range(start, start + width)}
    one, two = IntervalSet.of(*a), IntervalSet.of(*b)
    for made, expected in [(one & two, a & b), (two & one, a & b), (one - two, a - b), (two - one, b - a)]:
        assert made == IntervalSet.of(*expected)
    assert one.isdisjoint(two) == two.isdisjoint(one) == a.isdisjoint(b)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda p: (min(p), max(p)))))
def test_the_invariant_holds(pairs: list[tuple[int, int]]) -> None:
    made = IntervalSet(pairs)
    for (_, high), (low, _) in zip(made.pairs, made.pairs[1:], strict=False):
        assert high + 1 < low
    assert hash(made) == hash(IntervalSet(reversed(pairs)))


def test_families_are_disjoint_and_host_bits_are_cleared() -> None:
    assert IPV4.isdisjoint(IPV6)
    assert parse_cidr("10.1.2.3/8") == parse_cidr("10.0.0.0/8")
    assert cidrs(parse_cidr("::/0") | parse_cidr("10.0.0.0/9") | IntervalSet.of(SYMBOLIC)) == ["10.0.0.0/9", "::/0"]
    assert address_text(position("fd00::1")) == "fd00::1"
    with pytest.raises(ValueError, match="no address"):
        address_text(SYMBOLIC)
    with pytest.raises(ValueError, match="upside down"):
        IntervalSet.span(2, 1)


def test_private_and_special_addresses_are_not_public() -> None:
    assert PUBLIC.isdisjoint(PRIVATE)
    assert PUBLIC.isdisjoint(parse_cidr("169.254.0.0/16"))
    assert parse_cidr("203.0.113.0/24") <= PUBLIC
