"""Laws of filters that hold whatever they contain: order, splitting, adding."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from lint.graph.graph import RuleGraph
from lint.space.bounds import Bounds
from tests.aws.world import OPEN, Json, acl, entry, graph, group, permit, reach, world

PEERS = st.sampled_from(
    ["10.0.1.0/24", "10.0.1.10/32", "10.0.0.0/8", "0.0.0.0/0", "192.0.2.0/24", "sg-a", "sg-b", "sg-x"]
)
PORTS = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda p: (min(p), max(p)))
PERMISSIONS = st.builds(
    lambda protocol, ports, peer: permit(protocol, *ports, peer), st.sampled_from(["tcp", "udp", "icmp"]), PORTS, PEERS
)
ENTRIES = st.builds(
    lambda number, action, protocol, cidr, ports: entry(number, action, protocol, cidr, *ports),
    st.integers(1, 9),
    st.sampled_from(["allow", "deny"]),
    st.sampled_from(["6", "17", "1"]),
    st.sampled_from(["10.0.1.0/24", "10.0.1.10/32", "0.0.0.0/0"]),
    PORTS,
)
few = settings(max_examples=40, deadline=None)


def passed(permissions: list[Json], entries: list[Json]) -> Bounds:
    """What passes from a to b (replies always do)."""
    one: RuleGraph = graph(
        world(
            SecurityGroups=[group("sg-a"), group("sg-b", *permissions)],
            NetworkAcls=[acl("acl-a", ("subnet-a",), *OPEN), acl("acl-b", ("subnet-b",), *entries, OPEN[1])],
        )
    )
    allowed: Bounds = reach(one, "a", "b").allowed
    return allowed


def numbered(entries: list[Json]) -> list[Json]:
    """The entries without those whose number is taken: AWS has one entry a number."""
    return list({each["RuleNumber"]: each for each in entries}.values())


@few
@given(st.lists(PERMISSIONS, max_size=5), st.lists(ENTRIES, max_size=5), st.randoms())
def test_the_order_in_which_rules_are_listed_means_nothing(
    permissions: list[Json], entries: list[Json], random: Random
) -> None:
    entries = numbered(entries)
    before = passed(permissions, entries)
    random.shuffle(permissions)
    random.shuffle(entries)
    assert passed(permissions, entries) == before


@few
@given(st.lists(PERMISSIONS, min_size=1, max_size=4), st.integers(0, 5))
def test_splitting_a_range_means_nothing(permissions: list[Json], at: int) -> None:
    split: list[Json] = []
    for each in permissions:
        low, high = each["FromPort"], each["ToPort"]
        if each["IpProtocol"] != "icmp" and low <= at < high:
            split += [{**each, "ToPort": at}, {**each, "FromPort": at + 1}]
        else:
            split.append(each)
    halves = [
        {**each, "IpRanges": [{"CidrIp": "0.0.0.0/1"}, {"CidrIp": "128.0.0.0/1"}]}
        if each["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
        else each
        for each in split
    ]
    whole = [entry(100, "allow", "-1", "0.0.0.0/0")]
    assert passed(halves, whole) == passed(permissions, whole)


@few
@given(st.lists(PERMISSIONS, max_size=4), st.lists(ENTRIES, max_size=4), PERMISSIONS)
def test_adding_a_rule_never_takes_traffic_away(permissions: list[Json], entries: list[Json], more: Json) -> None:
    entries = numbered(entries)
    before, after = passed(permissions, entries), passed([*permissions, more], entries)
    assert before.must <= after.must
    assert before.may <= after.may


@few
@given(st.lists(PERMISSIONS, min_size=1, max_size=4), st.lists(ENTRIES, max_size=4), ENTRIES)
def test_adding_a_deny_never_adds_traffic(permissions: list[Json], entries: list[Json], more: Json) -> None:
    entries = [e for e in numbered(entries) if e["RuleNumber"] != more["RuleNumber"]]
    deny = {**more, "RuleAction": "deny"}
    before, after = passed(permissions, entries), passed(permissions, [*entries, deny])
    assert after.must <= before.must
    assert after.may <= before.may
