"""Asking for some senders alone gives the same as asking for all and keeping these: the limit saves work, nothing else."""

from __future__ import annotations

from random import Random

import pytest

from lint.reach import Engine, inbound
from lint.space.addresses import PUBLIC, parse_cidr
from tests.simulator.generate import Builder, blur

SENDERS = (PUBLIC, parse_cidr("10.0.0.0/9"), parse_cidr("198.51.0.0/16"))


@pytest.mark.parametrize("seed", range(12))
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
            assert some.allowed == everybody.allowed.restrict(peers)
            assert set(some.reasons) <= set(everybody.reasons)
