"""The set engine against the packet simulator, on random networks: no packet may tell them apart.

`NETPACT_PACKETS` sets how many packets are sent (default 200,000), `NETPACT_SEED` where the random networks start; a failure prints the seed
of its network.
"""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random

from lint.reach import Engine, Party, between
from lint.reach.result import Reach
from lint.space.addresses import position
from lint.space.intervals import IntervalSet
from lint.space.services import ICMP, ICMPV6, TCP, UDP, WIDTH
from tests.simulator.generate import OUTSIDE, PORTS, Builder, Case, blur
from tests.simulator.packets import Packet, Simulator, family

PACKETS = int(os.environ.get("NETPACT_PACKETS", "200000"))
SEED = int(os.environ.get("NETPACT_SEED", "1"))
QUESTIONS = 8
EACH = 90


def test_no_packet_tells_the_engine_and_the_simulator_apart() -> None:
    sent = seed = 0
    passed = 0
    seed = SEED
    while sent < PACKETS:
        random = Random(seed)
        truth = Builder(random).build()
        case = blur(truth, random)
        found, through = compare(case, random, seed)
        sent += found
        passed += through
        seed += 1
    # A generator that blocks everything would prove nothing.
    assert passed > sent // 50, f"only {passed} of {sent} packets passed; seeds {SEED} to {seed - 1}"


def compare(case: Case, random: Random, seed: int) -> tuple[int, int]:
    """Sends packets between random parties of one network. Gives how many were sent, and how many arrived."""
    simulator = Simulator(case.truth)
    exact, unsure = Engine(case.truth), Engine(case.blurred)
    names = sorted(case.truth.endpoints)
    sent = arrived = 0
    for _ in range(QUESTIONS):
        source = random.choice([*names, *names, None])
        target = random.choice([*names, *names, None])
        if source == target:
            continue
        true = ask(exact, source, target, random)
        if true is None:
            continue
        reach, addressed, outside = true
        start, end = parties(source, target, addressed, outside, case)
        seen = between(unsure, start, end)
        if end.endpoint is not None and end.addresses is None:
            # A public address that isn't known can't be asked for alone: what passes by another way proves nothing.
            seen = replace(seen, allowed=seen.allowed.uncertain(), delivered=seen.delivered.uncertain())
        for _ in range(EACH):
            packet = a_packet(case, random, source, target, addressed, outside)
            if packet is None:
                break
            delivered = simulator.delivered(source, packet, target)
            answered = delivered and simulator.answered(source, packet, target)
            sent += 1
            arrived += delivered
            story = f"seed {seed}: {source} -> {target}, {packet}: delivered {delivered}, answered {answered}"
            check(reach, packet, packet.source, delivered, answered, story + " (all known)")
            place = packet.source if source is None else case.places[packet.source]
            check(seen, packet, place, delivered, answered, story + " (blurred)")
    return sent, arrived


def check(reach: Reach, packet: Packet, place: int, delivered: bool, answered: bool, story: str) -> None:
    what = (place, packet.service, packet.source_port)
    if reach.delivered.must.contains(*what):
        assert delivered, f"{story}: the engine is sure that it arrives"
    if delivered:
        assert reach.delivered.may.contains(*what), f"{story}: the engine is sure that it doesn't arrive"
    if reach.allowed.must.contains(*what):
        assert answered, f"{story}: the engine is sure that it is answered"
    if answered:
        assert reach.allowed.may.contains(*what), f"{story}: the engine is sure that it isn't answered"
    if (
        "(all known)" in story
        and packet.protocol != UDP
        and not any(hop.layer == "nat_gateway" for path in reach.paths for hop in path.hops)
    ):
        assert reach.delivered.must.contains(*what) == delivered, f"{story}: the engine isn't sure"
        assert reach.allowed.must.contains(*what) == answered, f"{story}: the engine isn't sure of the answer"


def ask(engine: Engine, source: str | None, target: str | None, random: Random) -> tuple[Reach, int, int] | None:
    """A question about one address of the destination: a private one, a public one, or one of the Internet."""
    outside = position(random.choice(OUTSIDE))
    if source is None and target is None:
        return None
    if target is None:
        return (
            between(engine, Party("a", endpoint=source), Party("x", addresses=IntervalSet.of(outside))),
            outside,
            outside,
        )
    choices = []
    for address in engine.graph.endpoints[target].addresses:
        if source is not None or address.family == 6:
            choices.append(address.place)
        if address.public is not None:
            choices.append(address.public)
    choices = [one for one in choices if source is not None or family(one) == family(outside)]
    if not choices:
        return None
    addressed = random.choice(choices)
    there = Party("b", endpoint=target, addresses=IntervalSet.of(addressed))
    if source is None:
        return between(engine, Party("x", addresses=IntervalSet.of(outside)), there), addressed, outside
    return between(engine, Party("a", endpoint=source), there), addressed, outside


def parties(source: str | None, target: str | None, addressed: int, outside: int, case: Case) -> tuple[Party, Party]:
    """The same question to someone who knows less: without the destination's address, which he may not know."""
    start = Party("x", addresses=IntervalSet.of(outside)) if source is None else Party("a", endpoint=source)
    if target is None:
        return start, Party("x", addresses=IntervalSet.of(outside))
    places = []
    for at, address in enumerate(case.truth.endpoints[target].addresses):
        hidden = case.blurred.endpoints[target].addresses[at]
        if address.place == addressed:
            places.append(hidden.place)
        elif address.public == addressed and hidden.public is not None:
            places.append(hidden.public)
    if not places:
        return start, Party("b", endpoint=target)  # by whatever way
    return start, Party("b", endpoint=target, addresses=IntervalSet.of(*places))


def a_packet(
    case: Case, random: Random, source: str | None, target: str | None, addressed: int, outside: int
) -> Packet | None:
    if source is None:
        start = outside
    else:
        own = [one.place for one in case.truth.endpoints[source].addresses if one.family == family(addressed)]
        if not own:
            return None
        start = random.choice(own)
    protocol = random.choice((TCP, TCP, TCP, UDP, ICMP if family(addressed) == 4 else ICMPV6, 50))
    low = 0
    if protocol in (TCP, UDP):
        low = min(65535, max(0, random.choice(PORTS) + random.choice((-1, 0, 0, 0, 1))))
    elif protocol == ICMP:
        low = random.choice((8, 8, 0, 3)) * 256 + random.choice((0, 0, 1))
    elif protocol == ICMPV6:
        low = random.choice((128, 128, 129, 1)) * 256 + random.choice((0, 0, 1))
    source_port = random.choice(PORTS) if protocol in (TCP, UDP) else 0
    assert protocol * WIDTH + low >= 0
    return Packet(start, addressed, protocol, low, source_port, source)
