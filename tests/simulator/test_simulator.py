"""The set engine against the packet simulator, on random networks: no packet may tell them apart.

`NETPACT_PACKETS` sets how many packets are sent (default 200,000), `NETPACT_SEED` where the random networks start; a
failure prints the seed of its network.
"""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random

from lint.reach import Engine, Party, between, inbound, outbound
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
        source = random.choice([*names, None])
        target = random.choice([*names, None])
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
            place = packet.source if source is None else case.places[source, packet.source]
            check(seen, packet, place, delivered, answered, story + " (blurred)")
    return sent, arrived


def test_who_is_let_in_and_who_is_reached_agree_with_single_packets() -> None:
    """`inbound` and `outbound` say for everybody at once what single packets show one by one."""
    sent = 0
    seed = SEED + 10_000_000
    while sent < PACKETS // 10:
        random = Random(seed)
        case = blur(Builder(random).build(), random)
        sent += compare_sides(case, random, seed)
        seed += 1


def compare_sides(case: Case, random: Random, seed: int) -> int:
    simulator = Simulator(case.truth)
    exact, unsure = Engine(case.truth), Engine(case.blurred)
    names = sorted(case.truth.endpoints)
    every = [one.place for end in case.truth.endpoints.values() for one in end.addresses]
    owners = {place for place in every if every.count(place) == 1}
    target = random.choice(names)
    into, into_unsure = inbound(exact, target), inbound(unsure, target)
    sender = random.choice(names)
    out, out_unsure = outbound(exact, sender), outbound(unsure, sender)
    sent = 0
    for _ in range(EACH):
        source = random.choice([*names, None])
        outside = position(random.choice(OUTSIDE))
        places = [one.place for one in case.truth.endpoints[target].addresses]
        places += [one.public for one in case.truth.endpoints[target].addresses if one.public is not None]
        packet = a_packet(case, random, source, target, random.choice(places), outside)
        if packet is not None and source != target and family(packet.source) == family(packet.destination):
            sent += 1
            arrival = simulator.arrival(source, packet, target)
            story = f"seed {seed}: {packet} into {target}"
            if arrival is not None:
                seen = arrival.packet
                what = (seen.source, seen.service, seen.source_port)
                assert into.allowed.may.contains(*what), f"{story}: arrives, and inbound leaves it out"
                assert into.confirmed.may.contains(*what), f"{story}: arrives, and inbound doesn't confirm it"
                place = case.places.get((source or "", seen.source), seen.source)
                if (source, seen.source) in case.places or seen.source == outside:
                    assert into_unsure.allowed.may.contains(place, *what[1:]), f"{story}: arrives (blurred)"
                    assert into_unsure.confirmed.may.contains(place, *what[1:]), f"{story}: arrives (blurred)"
            elif (
                source is not None
                and packet.destination in owners
                and packet.source in owners
                and not any(
                    simulator.delivered(source, replace(packet, destination=one), target)
                    for one in places
                    if family(one) == family(packet.source)
                )
            ):
                what = (packet.source, packet.service, packet.source_port)
                assert not into.confirmed.must.contains(*what), f"{story}: inbound is sure that it arrives"
                hidden = (case.places[source, packet.source], *what[1:])
                assert not into_unsure.confirmed.must.contains(*hidden), f"{story}: sure that it arrives (blurred)"
        other = random.choice([*[name for name in names if name != sender], None])
        goals = [outside]
        if other is not None:
            goals = [one.place for one in case.truth.endpoints[other].addresses]
        packet = a_packet(case, random, sender, other, random.choice(goals), outside)
        if packet is None or family(packet.source) != family(packet.destination):
            continue
        sent += 1
        arrived = simulator.delivered(sender, packet, other)
        answered = arrived and simulator.answered(sender, packet, other)
        what = (packet.destination, packet.service, packet.source_port)
        hidden = (case.places.get((other or "", packet.destination), packet.destination), *what[1:])
        story = f"seed {seed}: {packet} out of {sender} to {other}"
        for found, key in ((out, what), (out_unsure, hidden)):
            if arrived:
                assert found.delivered.may.contains(*key), f"{story}: arrives, and outbound leaves it out"
                assert found.confirmed.may.contains(*key), f"{story}: arrives, and outbound doesn't confirm it"
            if answered:
                assert found.allowed.may.contains(*key), f"{story}: is answered, and outbound leaves it out"
            if found.confirmed.must.contains(*key) and not arrived and packet.destination in {*owners, outside}:
                tries = [
                    simulator.delivered(sender, replace(packet, source=one.place), other)
                    for one in case.truth.endpoints[sender].addresses
                    if one.family == family(packet.destination)
                ]
                assert any(tries), f"{story}: outbound is sure that it arrives"
    return sent


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
