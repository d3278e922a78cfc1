"""Traffic sets are exact and canonical: compared with brute force on a small universe."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lint.space.bounds import Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_PORTS, ESP, TCP, UDP, WIDTH, WITH_PORTS, ports, protocol
from lint.space.traffic import ALL_TRAFFIC, EMPTY_TRAFFIC, TrafficSet

PEERS = range(8)
SERVICES = (TCP * WIDTH + 1, TCP * WIDTH + 2, TCP * WIDTH + 3, UDP * WIDTH + 1, ESP * WIDTH)
SOURCE_PORTS = (0, 1, 2, 40000)

peer_sets = st.sets(st.sampled_from(PEERS)).map(lambda points: IntervalSet.of(*points))
service_sets = st.sets(st.sampled_from(SERVICES)).map(
    lambda points: IntervalSet.union_of(
        protocol(ESP) if point == ESP * WIDTH else IntervalSet.of(point) for point in points
    )
)
port_sets = st.one_of(
    st.just(ALL_PORTS), st.sets(st.sampled_from(SOURCE_PORTS)).map(lambda points: IntervalSet.of(*points))
)
boxes = st.tuples(peer_sets, service_sets, port_sets)
box_lists = st.lists(boxes, max_size=5)
Packet = tuple[int, int, int]


def brute(box_list: list[tuple[IntervalSet, IntervalSet, IntervalSet]]) -> set[Packet]:
    return {
        (peer, service, port)
        for peers, services, source_ports in box_list
        for peer in PEERS
        for service in SERVICES
        for port in SOURCE_PORTS
        if peer in peers
        and service in services
        and port in source_ports
        and (source_ports == ALL_PORTS or service in WITH_PORTS)
    }


def members(traffic: TrafficSet) -> set[Packet]:
    return {
        (peer, service, port)
        for peer in PEERS
        for service in SERVICES
        for port in SOURCE_PORTS
        if traffic.contains(peer, service, port)
    }


@given(box_lists, box_lists)
def test_operators_agree_with_brute_force(a: list, b: list) -> None:
    one, two = TrafficSet.union_of(a), TrafficSet.union_of(b)
    assert members(one) == brute(a)
    assert members(one | two) == brute(a) | brute(b)
    assert members(one & two) == brute(a) & brute(b)
    assert members(one - two) == brute(a) - brute(b)
    assert bool(one) == bool(brute(a))


@given(box_lists, box_lists, box_lists)
def test_set_laws(a: list, b: list, c: list) -> None:
    x, y, z = (TrafficSet.union_of(one) for one in (a, b, c))
    assert x | y == y | x
    assert x & y == y & x
    assert (x | y) | z == x | (y | z)
    assert x & (y | z) == (x & y) | (x & z)
    assert x - (y | z) == (x - y) & (x - z)
    assert (x - y) | (x & y) == x
    assert ((x - y) & y) == EMPTY_TRAFFIC
    assert (x <= y) == (x | y == y) == (x & y == x)
    assert x.isdisjoint(y) == (not (x & y))
    assert ALL_TRAFFIC - (ALL_TRAFFIC - x) == x


@given(box_lists, st.randoms())
def test_there_is_one_form_of_each_set(a: list, random) -> None:
    whole = TrafficSet.union_of(a)
    single = EMPTY_TRAFFIC
    order = list(a)
    random.shuffle(order)
    for box in order:
        single = single | TrafficSet.of(*box)
    rebuilt = TrafficSet.union_of(whole.boxes())
    assert single == whole == rebuilt
    assert hash(single) == hash(whole) == hash(rebuilt)
    assert list(single.boxes()) == list(whole.boxes())


@given(box_lists)
def test_boxes_are_disjoint_and_distinct(a: list) -> None:
    found = list(TrafficSet.union_of(a).boxes())
    for at, one in enumerate(found):
        assert all(one)
        for other in found[at + 1 :]:
            assert any(x.isdisjoint(y) for x, y in zip(one, other, strict=True))


@given(box_lists, peer_sets, service_sets)
def test_restrict_is_the_intersection_with_a_box(a: list, peers: IntervalSet, services: IntervalSet) -> None:
    traffic = TrafficSet.union_of(a)
    assert traffic.restrict(peers, services) == traffic & TrafficSet.of(peers, services)
    assert traffic.restrict(services=services) == traffic & TrafficSet.of(ALL_TRAFFIC.peers(), services)


@given(box_lists)
def test_projections_and_samples(a: list) -> None:
    traffic = TrafficSet.union_of(a)
    packets = brute(a)
    assert {peer for peer in PEERS if peer in traffic.peers()} == {peer for peer, _, _ in packets}
    assert {service for service in SERVICES if service in traffic.services()} == {s for _, s, _ in packets}
    if traffic:
        assert traffic.contains(*traffic.sample())


@given(box_lists, box_lists, box_lists, box_lists)
def test_bounds_hold_whatever_the_truth_is(a: list, b: list, c: list, d: list) -> None:
    """Any true sets between the bounds give a result between the resulting bounds."""
    low_x, low_y = TrafficSet.union_of(a), TrafficSet.union_of(b)
    x, y = Bounds(low_x, low_x | TrafficSet.union_of(c)), Bounds(low_y, low_y | TrafficSet.union_of(d))
    for true_x in (x.must, x.may):
        for true_y in (y.must, y.may):
            for bounds, truth in (
                (x | y, true_x | true_y),
                (x & y, true_x & true_y),
                (x - y, true_x - true_y),
            ):
                assert bounds.must <= truth <= bounds.may


def test_protocols_without_ports_have_no_source_ports() -> None:
    some = IntervalSet.span(1024, 65535)
    both = TrafficSet.of(IntervalSet.of(1), protocol(TCP) | protocol(ESP), some)
    assert both == TrafficSet.of(IntervalSet.of(1), protocol(TCP), some)


def test_thousands_of_rules_join_quickly() -> None:
    boxes = [(IntervalSet.of(n * 3), ports(TCP, n % 700, n % 700), ALL_PORTS) for n in range(20000)]
    boxes += [(IntervalSet.span(n * 5, n * 5 + 300), ports(UDP, 53, 53), ALL_PORTS) for n in range(5000)]
    joined = TrafficSet.union_of(boxes)
    assert joined.contains(2100, TCP * WIDTH)
    assert not joined.contains(2101, TCP * WIDTH)
    assert TrafficSet.of(EMPTY, protocol(TCP)) == EMPTY_TRAFFIC
