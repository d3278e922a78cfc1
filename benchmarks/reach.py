"""Times trace, inbound and map on generated graphs of growing size: `python benchmarks/reach.py [ENDPOINTS ...]`.

Three shapes: `references` (each machine has a group of its own, rules name other groups), `addresses` (rules name
single addresses), `shared` (few groups for all machines, rules open to the whole network, so that every pair passes).
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lint.graph.graph import RuleGraph
from lint.reach import Engine, inbound
from lint.reach.atlas import map_all
from lint.reach.trace import trace
from lint.space.services import parse
from tests.reach.build import graph, machine, network, open_acl, route, rule, security_group, subnet, table

Result = TypeVar("Result")

RULES = 6


def build(size: int, shape: str) -> RuleGraph:
    """`size` machines in 40 subnets with an access list, six ingress rules a group."""
    random = Random(size)
    subnets = [subnet(f"subnet-{n}", f"10.0.{n}.0/24", table="rt", acl="acl") for n in range(40)]
    groups = 30 if shape == "shared" else size
    things: list[object] = [
        network("vpc-1", "10.0.0.0/8"),
        table("rt", route("10.0.0.0/8", "local"), route("0.0.0.0/0", "internet", "igw")),
        open_acl("acl"),
        *subnets,
    ]
    for n in range(groups):
        rules = [rule("out", "any", "0.0.0.0/0")]
        for _ in range(RULES):
            service = f"tcp/{random.randrange(1, 60000)}"
            peer = {
                "references": f"sg-{random.randrange(groups)}",
                "addresses": f"10.0.{random.randrange(40)}.{random.randrange(250)}/32",
                "shared": "10.0.0.0/8",
            }[shape]
            rules.append(rule("in", service, peer))
        things.append(security_group(f"sg-{n}", *rules))
    for n in range(size):
        place = subnets[n % 40]
        public = f"54.0.{n // 250}.{n % 250}" if n % 10 == 0 else None
        address = f"10.{n // 10000}.{n % 40}.{n // 40 % 250 + 5}"
        things.append(machine(f"m-{n}", address, groups=[f"sg-{n % groups}"], subnet=place, public=public))
    return graph(*things)


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or [500, 1000, 2000]
    print(
        f"{'shape':<11}{'machines':>9}{'rules':>8}{'trace s':>9}{'inbound s':>10}{'map s':>8}{'kinds':>7}{'peak MB':>9}"
    )
    for shape in ("references", "addresses", "shared"):
        for size in sizes:
            made = build(size, shape)
            rules = sum(len(one.rules) for one in made.filters.values())
            engine = Engine(made)
            one, _ = timed(lambda engine=engine: trace(engine, "m-0", "m-7", parse("tcp/22")))
            two, _ = timed(lambda engine=engine: inbound(engine, "m-10", parse("tcp/22")))
            three, atlas = timed(lambda engine=engine: map_all(engine))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            kinds = atlas.classes
            print(f"{shape:<11}{size:>9}{rules:>8}{one:>9.2f}{two:>10.2f}{three:>8.2f}{kinds:>7}{peak:>9}")


if __name__ == "__main__":
    main()
