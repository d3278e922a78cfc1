"""The map in lines: for each destination who reaches it, everybody with the same traffic on one line."""

from __future__ import annotations

from dataclasses import replace

from lint.reach.atlas import map_all
from lint.report.map import render_text
from tests.reach.build import graph, machine, rule, security_group


def test_senders_of_the_same_traffic_share_a_line() -> None:
    senders = [machine(f"i-{n}", f"10.0.0.{n}", groups=[f"sg-{n}"]) for n in range(1, 10)]
    own = [
        security_group(f"sg-{n}", rule("in", f"tcp/{n}", "192.0.2.1/32"), rule("out", "any", "0.0.0.0/0"))
        for n in range(1, 10)
    ]
    text = render_text(
        map_all(
            graph(
                *senders,
                *own,
                security_group("sg-db", rule("in", "tcp/5432", "10.0.0.0/8"), rule("in", "tcp/22", "10.0.0.1/32")),
                machine("i-db", "10.0.1.20", groups=["sg-db"]),
            )
        )
    )
    block = next(part for part in text.split("\n\n") if part.startswith("i-db"))
    assert block.splitlines() == [
        "i-db",
        "  from i-1: tcp/22, tcp/5432",
        "  from i-2, i-3, i-4, i-5, i-6, i-7 and 2 more: tcp/5432",
    ]


def test_a_group_that_no_machine_carries_is_called_so() -> None:
    lone = replace(machine("sg-x", "10.0.0.9", groups=["sg-x"]), name="x", hypothetical=True)
    source = graph(
        lone,
        security_group("sg-x", rule("in", "tcp/22", "10.0.0.0/8")),
        security_group("sg-1", rule("out", "any", "0.0.0.0/0")),
        machine("i-1", "10.0.0.1", groups=["sg-1"]),
    )
    assert render_text(map_all(source)).startswith("any carrier of x (sg-x)\n  from i-1: tcp/22")
