"""Asking for some senders alone gives what asking for all gives of these, or knows it more exactly."""

from __future__ import annotations

from random import Random

import pytest

from lint.reach import Engine, inbound
from lint.space.addresses import PUBLIC, parse_cidr
from tests.simulator.generate import Builder, blur

SENDERS = (PUBLIC, parse_cidr("10.0.0.0/9"), parse_cidr("198.51.0.0/16"))


@pytest.mark.parametrize("seed", [*range(8), 116, 153, 250, 483])
def test_limited_senders_are_a_part_of_all_senders(seed: int) -> None:
    random = Random(seed)
    graph = blur(Builder(random).build(), random).blurred
    engine = Engine(graph)
    for name, endpoint in graph.endpoints.items():
        if not endpoint.accepts:
            continue
        everybody = inbound(engine, name, explained=False)
        for peers in SENDERS:
            some = inbound(engine, name, None, peers, explained=False)
            part = everybody.allowed.restrict(peers)
            assert part.must <= some.allowed.must
            assert some.allowed.may <= part.may
            assert some.allowed.must <= some.allowed.may
            if peers is PUBLIC:
                assert some.allowed == part
            assert set(some.reasons) <= set(everybody.reasons)
