"""What passes between two parties.

One case for each thing that the engine models, and what is certain where something is unknown.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from lint.graph.endpoints import Layer
from lint.graph.graph import PlatformTraffic, RuleGraph
from lint.graph.rules import Addresses, UnknownPeer
from lint.graph.topology import NatGateway, TransitAttachment, TransitGateway
from lint.origin import Reason
from lint.reach import Party, Reach, between, inbound, outbound
from lint.space.addresses import EVERYWHERE, IPV4, PUBLIC, REAL, SYMBOLIC, cidrs, parse_cidr, position
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import parse, render
from lint.space.traffic import TrafficSet
from tests.reach.build import (
    HERE,
    address_list,
    graph,
    listed,
    machine,
    network,
    network_acl,
    nsg,
    open_acl,
    peering,
    route,
    rule,
    security_group,
    subnet,
    table,
    unknown_machine,
)

WHY = (Reason("var.x has no value"),)
OUT = ("out", "any", "0.0.0.0/0")


def at(name: str) -> Party:
    return Party(name, endpoint=name)


def near(text: str) -> Party:
    return Party(text, addresses=parse_cidr(text))


def said(traffic: TrafficSet) -> list[tuple[str, str]]:
    return sorted(
        (one, text)
        for peers, services, _ in traffic.boxes()
        for one in cidrs(peers) or ["?"]
        for text in render(services)
    )


def ask(made: RuleGraph, source: str, destination: str, service: str = "any") -> Reach:
    sides = [at(one) if one in made.endpoints else near(one) for one in (source, destination)]
    return between(made, *sides, parse(service))


def two(*rules_b: object, egress: object = None) -> RuleGraph:
    """a may send anything; b is guarded by these rules."""
    return graph(
        security_group("sg-a", rule(*OUT)),
        security_group("sg-b", *rules_b),  # type: ignore[arg-type]
        machine("a", "10.0.1.10", groups=["sg-a"]),
        machine("b", "10.0.2.10", groups=["sg-b"]),
    )


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("tcp/443", [("10.0.1.10/32", "tcp/443")]),
        ("tcp/0", [("10.0.1.10/32", "tcp/0")]),
        ("icmp/0/0", [("10.0.1.10/32", "icmp/0/0")]),
        ("icmp/8", [("10.0.1.10/32", "icmp/8")]),
        ("esp", [("10.0.1.10/32", "esp")]),
        ("any", [("10.0.1.10/32", "any")]),
    ],
)
def test_a_rule_lets_in_its_service_and_no_other(service: str, expected: list[tuple[str, str]]) -> None:
    found = ask(two(rule("in", service, "10.0.0.0/8")), "a", "b")
    assert said(found.allowed.must) == said(found.allowed.may) == expected


def test_a_group_stands_for_all_private_addresses_of_its_members_and_for_nobody_else() -> None:
    made = graph(
        security_group("sg-a", rule(*OUT)),
        security_group("sg-b", rule("in", "tcp/443", "sg-a"), rule(*OUT)),
        machine("a", "10.0.1.10", "10.0.1.12", groups=["sg-a"], public="198.51.100.9"),
        machine("other", "10.0.1.11", groups=["sg-b"]),
        machine("b", "10.0.2.10", groups=["sg-b"]),
    )
    assert said(ask(made, "a", "b").allowed.must) == [("10.0.1.10/32", "tcp/443"), ("10.0.1.12/32", "tcp/443")]
    assert ask(made, "other", "b").verdict == "blocked"
    assert said(inbound(made, "b").allowed.must) == [("10.0.1.10/32", "tcp/443"), ("10.0.1.12/32", "tcp/443")]


def test_two_machines_at_one_address_are_told_apart_by_the_groups_they_carry() -> None:
    made = graph(
        security_group("sg-a", rule(*OUT)),
        security_group("sg-x", rule(*OUT)),
        security_group("sg-b", rule("in", "tcp/443", "sg-a")),
        machine("a", "10.0.1.10", groups=["sg-a"], network="one"),
        machine("twin", "10.0.1.10", groups=["sg-x"], network="two"),
        machine("b", "10.0.2.10", groups=["sg-b"], network="one"),
    )
    assert said(ask(made, "a", "b").allowed.must) == [("10.0.1.10/32", "tcp/443")]
    assert ask(made, "twin", "b").verdict == "blocked"


def test_no_egress_rule_means_nothing_leaves() -> None:
    made = graph(
        security_group("sg-a"),
        security_group("sg-b", rule("in", "any", "0.0.0.0/0")),
        machine("a", "10.0.1.10", groups=["sg-a"]),
        machine("b", "10.0.2.10", groups=["sg-b"]),
    )
    found = ask(made, "a", "b", "tcp/443")
    assert found.verdict == "blocked"
    assert "has no egress rule for tcp/443 to 10.0.2.10" in found.paths[0].hops[0].sentence


def test_filters_that_share_nothing_are_said_to() -> None:
    made = graph(
        security_group("sg-a", rule("out", "tcp/80", "0.0.0.0/0")),
        security_group("sg-b", rule("in", "tcp/443", "0.0.0.0/0")),
        machine("a", "10.0.1.10", groups=["sg-a"]),
        machine("b", "10.0.2.10", groups=["sg-b"]),
    )
    found = ask(made, "a", "b")
    assert found.verdict == "blocked"
    assert any("share nothing" in note for note in found.notes)


@pytest.mark.parametrize(
    ("peer", "certain", "possible"),
    [
        (UnknownPeer(WHY, "var.x", EVERYWHERE), False, True),
        (UnknownPeer(WHY, "var.x", parse_cidr("10.0.0.0/8")), False, True),
        (UnknownPeer(WHY, "var.x", parse_cidr("192.168.0.0/16")), False, False),
        (UnknownPeer(WHY, "a group", EVERYWHERE, ("sg-a",)), False, True),
        (UnknownPeer(WHY, "a group", EVERYWHERE, ("sg-b",)), False, False),
    ],
)
def test_an_unknown_peer_only_widens_what_is_possible(peer: UnknownPeer, certain: bool, possible: bool) -> None:
    found = ask(two(rule("in", "tcp/443", peer)), "a", "b", "tcp/443")
    assert (bool(found.allowed.must), bool(found.allowed.may)) == (certain, possible)
    assert found.verdict == ("undetermined" if possible else "blocked")


@pytest.mark.parametrize(
    ("within", "certain", "possible"),
    [("10.0.1.0/24", True, True), ("10.0.0.0/8", False, True), ("10.9.0.0/16", False, False)],
)
def test_an_address_that_is_not_known_yet_matches_a_cidr_by_its_bounds(
    within: str, certain: bool, possible: bool
) -> None:
    made = graph(
        security_group("sg-a", rule(*OUT)),
        security_group("sg-b", rule("in", "tcp/443", "10.0.0.0/16")),
        unknown_machine("a", SYMBOLIC, within, groups=["sg-a"]),
        machine("b", "10.0.2.10", groups=["sg-b"]),
    )
    found = ask(made, "a", "b", "tcp/443")
    assert (bool(found.allowed.must), bool(found.allowed.may)) == (certain, possible)
    by_name = ask(
        graph(
            *made.endpoints.values(),
            security_group("sg-a", rule(*OUT)),
            security_group("sg-b", rule("in", "tcp/443", "sg-a")),
        ),
        "a",
        "b",
        "tcp/443",
    )
    assert by_name.verdict == "allowed"


def test_an_open_filter_is_certain_of_what_it_shows_and_possible_for_the_rest() -> None:
    made = two(rule("in", "tcp/443", "10.0.0.0/8"))
    opened = replace(made, filters={**made.filters, "sg-b": replace(made.filters["sg-b"], open_ingress=WHY)})
    assert ask(opened, "a", "b", "tcp/443").verdict == "allowed"
    found = ask(opened, "a", "b", "tcp/22")
    assert found.verdict == "undetermined"
    assert WHY[0] in found.reasons


def test_a_filter_that_the_source_does_not_show_leaves_all_open() -> None:
    made = graph(
        security_group("sg-a", rule(*OUT)),
        machine("a", "10.0.1.10", groups=["sg-a"]),
        machine("b", "10.0.2.10", groups=["sg-gone"]),
    )
    assert ask(made, "a", "b", "tcp/443").verdict == "undetermined"


V = network("vpc-1", "10.0.0.0/16", "2600:1f18::/56")
LOCAL = (route("10.0.0.0/16", "local"), route("2600:1f18::/56", "local"))
ALL = security_group("sg-all", *(rule(way, "any", one) for way in ("in", "out") for one in ("0.0.0.0/0", "::/0")))


def vpc(*acls: object, routes: tuple[object, ...] = (), public: bool = False, acl_b: str | None = None) -> RuleGraph:
    """a in subnet A, b in subnet B; all groups are open."""
    rt = table("rt", *LOCAL, *routes)  # type: ignore[arg-type]
    sub_a, sub_b = subnet("A", "10.0.1.0/24", table="rt"), subnet("B", "10.0.2.0/24", table="rt", acl=acl_b)
    return graph(
        V,
        rt,
        sub_a,
        sub_b,
        ALL,
        *acls,
        machine("a", "10.0.1.10", groups=["sg-all"], subnet=sub_a, public="198.51.100.1" if public else None),
        machine("a2", "10.0.1.11", groups=["sg-all"], subnet=sub_a),
        machine("b", "10.0.2.10", groups=["sg-all"], subnet=sub_b),
    )


def test_network_acl_rules_are_tried_by_number_and_not_in_the_order_of_the_source() -> None:
    acl = network_acl(
        "acl",
        rule("in", "tcp/443", "0.0.0.0/0", priority=100),
        rule("in", "tcp", "10.0.1.10/32", action="deny", priority=90),
        rule("out", "any", "0.0.0.0/0", priority=100),
    )
    made = vpc(acl, acl_b="acl")
    assert ask(made, "a", "b", "tcp/443").verdict == "blocked"
    assert said(ask(made, "a2", "b", "tcp").allowed.must) == [("10.0.1.11/32", "tcp/443")]
    assert "denies tcp/443 from 10.0.1.10 by rule 90" in next(
        hop.sentence for hop in ask(made, "a", "b", "tcp/443").paths[0].hops if hop.verdict == "blocked"
    )


def test_traffic_inside_a_subnet_does_not_meet_its_network_acl() -> None:
    made = vpc(network_acl("acl"), acl_b="acl")
    moved = replace(
        made.endpoints["a2"],
        addresses=(
            replace(made.endpoints["b"].addresses[0], place=position("10.0.2.11"), within=parse_cidr("10.0.2.11/32")),
        ),
    )
    made = replace(made, endpoints={**made.endpoints, "a2": moved})
    assert ask(made, "a2", "b", "tcp/22").verdict == "allowed"
    assert ask(made, "a", "b", "tcp/22").verdict == "blocked"


def test_replies_need_their_own_way_out_of_a_stateless_filter() -> None:
    acl = network_acl(
        "acl",
        rule("in", "tcp/443", "10.0.1.0/24", priority=1),
        rule("out", "tcp/32768-65535", "10.0.1.0/24", priority=1),
    )
    made = vpc(acl, acl_b="acl")
    found = ask(made, "a", "b", "tcp/443")
    assert found.verdict == "undetermined"
    assert any("1024-32767" in reason.text for reason in found.reasons)
    assert [ports for _, _, ports in found.allowed.must.boxes()] == [IntervalSet.span(32768, 65535)]
    assert found.delivered.must.contains(position("10.0.1.10"), parse("tcp/443").first, 1024)
    linux = replace(made.endpoints["a"], client_ports=IntervalSet.span(32768, 60999))
    assert ask(replace(made, endpoints={**made.endpoints, "a": linux}), "a", "b", "tcp/443").verdict == "allowed"


def test_an_echo_reply_is_an_icmp_message_of_its_own() -> None:
    only_request = network_acl(
        "acl", rule("in", "icmp/8", "0.0.0.0/0", priority=1), rule("out", "tcp", "0.0.0.0/0", priority=1)
    )
    assert ask(vpc(only_request, acl_b="acl"), "a", "b", "icmp/8/0").verdict == "blocked"
    both = network_acl(
        "acl", rule("in", "icmp/8", "0.0.0.0/0", priority=1), rule("out", "icmp/0", "0.0.0.0/0", priority=1)
    )
    assert ask(vpc(both, acl_b="acl"), "a", "b", "icmp/8/0").verdict == "allowed"


def test_the_internet_needs_a_public_address_and_a_route() -> None:
    world = Party("internet", addresses=PUBLIC & IPV4)
    igw = route("0.0.0.0/0", "internet", "igw-1")
    assert between(vpc(public=True), world, at("a"), parse("tcp/22")).verdict == "blocked"
    assert between(vpc(routes=(igw,)), world, at("a"), parse("tcp/22")).verdict == "blocked"
    assert between(vpc(routes=(igw,), public=True), world, at("a"), parse("tcp/22")).verdict == "allowed"
    assert between(vpc(routes=(igw,), public=True), at("a"), near("8.8.8.8"), parse("udp/53")).verdict == "allowed"
    assert between(vpc(routes=(igw,)), at("a"), near("8.8.8.8"), parse("udp/53")).verdict == "blocked"


def test_a_longer_route_that_drops_takes_its_part_of_the_internet() -> None:
    made = vpc(routes=(route("0.0.0.0/0", "internet", "igw"), route("203.0.113.0/24", "drop")), public=True)
    found = outbound(made, "a", parse("tcp/443"))
    assert parse_cidr("203.0.113.0/24").isdisjoint(found.allowed.may.peers())
    assert parse_cidr("203.0.112.0/24") <= found.allowed.must.peers()


def test_an_internet_block_stops_what_an_internet_gateway_carries() -> None:
    made = vpc(routes=(route("0.0.0.0/0", "internet", "igw"),), public=True)
    blocked = replace(made, subnets={key: replace(one, internet_block="ingress") for key, one in made.subnets.items()})
    assert between(blocked, near("203.0.113.7"), at("a"), parse("tcp/22")).verdict == "blocked"
    assert between(blocked, at("a"), near("203.0.113.7"), parse("tcp/22")).verdict == "blocked"


def with_nat() -> RuleGraph:
    private = table("private", *LOCAL, route("0.0.0.0/0", "nat", "nat-1"))
    front = table("front", *LOCAL, route("0.0.0.0/0", "internet", "igw"))
    sub_a, sub_b = subnet("A", "10.0.1.0/24", table="private"), subnet("B", "10.0.2.0/24", table="front", acl="acl")
    gateway = NatGateway(
        "nat-1", "nat-1", "B", IntervalSet.of(position("10.0.2.5")), IntervalSet.of(position("198.51.100.7")), HERE
    )
    partner = security_group("sg-p", rule("in", "tcp/443", "198.51.100.7/32"))
    return graph(
        V,
        private,
        front,
        sub_a,
        sub_b,
        gateway,
        ALL,
        partner,
        open_acl("acl"),
        machine("a", "10.0.1.10", groups=["sg-all"], subnet=sub_a),
        machine("p", "10.0.2.20", groups=["sg-p"], subnet=sub_b, public="198.51.100.8"),
    )


def test_behind_a_nat_gateway_the_far_side_sees_its_address() -> None:
    made = with_nat()
    found = ask(made, "a", "p", "tcp/443")
    assert [path.verdict for path in found.paths if path.via == "public"] == ["allowed"]
    assert [path.verdict for path in found.paths if path.via == "private"] == ["blocked"]
    assert ask(made, "a", "8.8.8.8", "esp").verdict == "blocked"
    assert ask(made, "8.8.8.8", "a", "tcp/443").verdict == "blocked"


def test_the_acl_of_a_nat_gateways_subnet_counts() -> None:
    made = with_nat()
    shut = network_acl(
        "acl", rule("in", "tcp/443", "10.0.0.0/16", priority=1), rule("out", "any", "0.0.0.0/0", priority=1)
    )
    found = ask(replace(made, filters={**made.filters, "acl": shut}), "a", "8.8.8.8", "tcp/443")
    assert found.verdict == "blocked"  # the reply from the Internet doesn't come in
    assert found.delivered.must


def peered(*, active: bool | None = True, references: bool = True, back: bool = True, peer: str = "sg-a") -> RuleGraph:
    far = network("vpc-2", "10.1.0.0/16")
    near_table = table("near", *LOCAL, route("10.1.0.0/16", "peering", "pcx"), route("10.2.0.0/16", "peering", "pcx"))
    far_routes = [route("10.1.0.0/16", "local")] + ([route("10.0.0.0/16", "peering", "pcx")] if back else [])
    sub_a = subnet("A", "10.0.1.0/24", table="near")
    sub_d = subnet("D", "10.1.1.0/24", table="far", network="vpc-2")
    return graph(
        V,
        far,
        near_table,
        table("far", *far_routes),
        sub_a,
        sub_d,
        peering("pcx", "vpc-1", "vpc-2", active=active, references=references),
        security_group("sg-a", rule(*OUT)),
        security_group("sg-d", rule("in", "tcp/443", peer)),
        machine("a", "10.0.1.10", groups=["sg-a"], subnet=sub_a),
        machine("d", "10.1.1.10", groups=["sg-d"], subnet=sub_d),
    )


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (peered(), "allowed"),
        (peered(active=None), "undetermined"),
        (peered(active=False), "blocked"),
        (peered(references=False), "blocked"),
        (peered(references=False, peer="10.0.0.0/16"), "allowed"),
        (peered(back=False), "blocked"),
    ],
)
def test_a_peering_needs_to_be_active_with_routes_both_ways(made: RuleGraph, verdict: str) -> None:
    assert ask(made, "a", "d", "tcp/443").verdict == verdict


def test_a_peering_without_a_route_back_still_delivers() -> None:
    found = ask(peered(back=False), "a", "d", "tcp/443")
    assert found.delivered.must and not found.allowed.may
    assert any("doesn't come back" in hop.sentence for hop in found.paths[0].hops)


def test_peerings_are_not_transitive() -> None:
    made = peered()
    third = network("vpc-3", "10.2.0.0/16")
    sub = subnet("E", "10.2.1.0/24", network="vpc-3", table="far")
    made = replace(
        made,
        networks={**made.networks, "vpc-3": third},
        subnets={**made.subnets, "E": sub},
        endpoints={**made.endpoints, "e": machine("e", "10.2.1.10", groups=["sg-d"], subnet=sub)},
    )
    found = ask(made, "a", "e", "tcp/443")
    assert found.verdict == "blocked"
    assert any("isn't transitive" in hop.sentence for hop in found.paths[0].hops)


def hub(*, zone: str = "a", references: bool = True, table_of_a: str | None = "hub-rt") -> RuleGraph:
    sub_a = subnet("A", "10.0.1.0/24", table="near", zone=zone)
    near_att = subnet("A-att", "10.0.9.0/28", table="near", zone="a")
    sub_d = subnet("D", "10.1.1.0/24", table="far", network="vpc-2")
    return graph(
        V,
        network("vpc-2", "10.1.0.0/16"),
        table("near", *LOCAL, route("10.1.0.0/16", "transit", "tgw")),
        table("far", route("10.1.0.0/16", "local"), route("10.0.0.0/16", "transit", "tgw")),
        table("hub-rt", route("10.0.0.0/16", "transit", "att-1"), route("10.1.0.0/16", "transit", "att-2")),
        sub_a,
        near_att,
        sub_d,
        TransitGateway(
            "tgw",
            "tgw",
            (
                TransitAttachment("att-1", "vpc", "vpc-1", ("A-att",), table_of_a, HERE),
                TransitAttachment("att-2", "vpc", "vpc-2", ("D",), "hub-rt", HERE),
            ),
            HERE,
            group_references=references,
        ),
        security_group("sg-a", rule(*OUT)),
        security_group("sg-d", rule("in", "tcp/443", "sg-a")),
        machine("a", "10.0.1.10", groups=["sg-a"], subnet=sub_a),
        machine("d", "10.1.1.10", groups=["sg-d"], subnet=sub_d),
    )


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (hub(), "allowed"),
        (hub(zone="b"), "blocked"),
        (hub(references=False), "blocked"),
        (hub(table_of_a=None), "blocked"),
    ],
)
def test_a_transit_gateway_needs_zones_tables_and_support_for_groups(made: RuleGraph, verdict: str) -> None:
    assert ask(made, "a", "d", "tcp/443").verdict == verdict


@pytest.mark.parametrize("via", ["appliance", "external", "unknown"])
def test_what_is_not_modelled_on_the_way_is_undetermined_and_named(via: str) -> None:
    made = vpc(routes=(route("10.0.2.0/24", via, "thing-1"),))
    found = ask(made, "a", "b", "tcp/443")
    assert found.verdict == "undetermined"
    assert any("thing-1" in reason.text for reason in found.reasons)


def test_a_transparent_appliance_passes_but_hides_who_carries_a_group() -> None:
    through = replace(route("10.0.2.0/24", "appliance", "fw"), transparent=True)
    back = replace(route("10.0.1.0/24", "appliance", "fw"), transparent=True)
    made = vpc(routes=(through, back))
    assert ask(made, "a", "b", "tcp/443").verdict == "allowed"
    named = security_group("sg-all", rule("in", "any", "sg-all"), rule(*OUT))
    assert ask(replace(made, filters={**made.filters, "sg-all": named}), "a", "b", "tcp/443").verdict == "undetermined"


def test_routes_that_tie_are_undetermined() -> None:
    made = vpc(routes=(route("10.0.2.0/24", "local"), route("10.0.2.0/24", "drop")))
    assert ask(made, "a", "b", "tcp/443").verdict == "undetermined"
    first = vpc(routes=(route("10.0.2.0/24", "local"), route("10.0.2.0/24", "drop", precedence=1)))
    assert ask(first, "a", "b", "tcp/443").verdict == "allowed"


def test_platform_traffic_is_not_filtered() -> None:
    made = graph(security_group("sg-a"), machine("a", "10.0.1.10", groups=["sg-a"]))
    made = replace(made, platform=(PlatformTraffic(parse_cidr("169.254.169.254"), parse("tcp/80"), "metadata"),))
    assert ask(made, "a", "169.254.169.254", "tcp/80").verdict == "allowed"
    assert ask(made, "a", "169.254.169.254", "tcp/81").verdict == "blocked"


def azure(*rules_: object, must: IntervalSet, may: IntervalSet, local: str = "10.0.2.4") -> RuleGraph:
    """One machine behind an ordered filter that names a network and its complement."""
    everything = REAL
    lists = (
        address_list("list-vnet", must, may),
        address_list("list-internet", PUBLIC - may, everything - must, complement_of="list-vnet"),
    )
    guard = nsg("nsg", *rules_)  # type: ignore[arg-type]
    return graph(
        *lists,
        guard,
        machine("a", "10.1.0.4", layers=()),
        machine("b", local, layers=(Layer("nsg", ("nsg",)),)),
    )


def test_complementary_lists_are_decided_together() -> None:
    rules_ = (
        rule("in", "tcp/22", listed("list-internet"), priority=100),
        rule("in", "tcp/22", listed("list-vnet"), priority=200),
        rule("in", "any", "0.0.0.0/0", action="deny", priority=300),
    )
    vnet = parse_cidr("10.0.0.0/16")
    made = azure(*rules_, must=vnet, may=vnet | IPV4)
    # 203.0.113.7 is in one list or in the other: allowed either way, although neither is certain.
    assert ask(made, "203.0.113.7", "b", "tcp/22").verdict == "allowed"
    split = (replace(rules_[0], action=rule("in", "any", "0.0.0.0/0", action="deny").action), *rules_[1:])
    assert ask(azure(*split, must=vnet, may=vnet | IPV4), "203.0.113.7", "b", "tcp/22").verdict == "undetermined"
    assert ask(azure(*split, must=vnet, may=vnet), "203.0.113.7", "b", "tcp/22").verdict == "blocked"


def test_bypass_skips_the_other_filters_and_deny_does_not() -> None:
    admin = nsg(
        "admin",
        rule("in", "tcp/22", "10.1.0.4/32", action="bypass", priority=10),
        rule("in", "tcp/3389", "0.0.0.0/0", action="deny", priority=20),
    )
    admin = replace(admin, default=rule("in", "any", "0.0.0.0/0").action)
    closed = nsg(
        "nsg",
        rule("in", "tcp/22", "0.0.0.0/0", action="deny", priority=100),
        rule("in", "any", "0.0.0.0/0", priority=110),
    )
    made = graph(
        admin,
        closed,
        machine("a", "10.1.0.4", layers=()),
        machine("c", "10.1.0.5", layers=()),
        machine("b", "10.0.2.4", layers=(Layer("nsg", ("nsg",)), Layer("admin_rules", ("admin",)))),
    )
    assert ask(made, "a", "b", "tcp/22").verdict == "allowed"
    assert ask(made, "c", "b", "tcp/22").verdict == "blocked"
    assert ask(made, "a", "b", "tcp/3389").verdict == "blocked"
    assert ask(made, "a", "b", "tcp/80").verdict == "allowed"


def test_a_rule_that_names_its_local_side_counts_there_alone() -> None:
    guard = nsg("nsg", rule("in", "tcp/22", "0.0.0.0/0", priority=100, local="10.0.2.4/32"))
    made = graph(
        guard,
        machine("a", "10.1.0.4", layers=()),
        machine("b", "10.0.2.4", layers=(Layer("nsg", ("nsg",)),)),
        machine("c", "10.0.2.5", layers=(Layer("nsg", ("nsg",)),)),
    )
    assert ask(made, "a", "b", "tcp/22").verdict == "allowed"
    assert ask(made, "a", "c", "tcp/22").verdict == "blocked"


def test_known_machines_among_plain_addresses_are_judged_with_their_own_filters() -> None:
    made = graph(
        security_group("sg-mute"),
        security_group("sg-b", rule("in", "tcp/22", "10.0.0.0/16")),
        machine("mute", "10.0.1.10", groups=["sg-mute"]),
        machine("b", "10.0.2.10", groups=["sg-b"]),
    )
    found = ask(made, "10.0.1.8/30", "b", "tcp/22")
    assert position("10.0.1.10") not in found.allowed.may.peers()
    assert position("10.0.1.9") in found.allowed.must.peers()
    sides = inbound(made, "b", parse("tcp/22"))
    assert position("10.0.1.10") in sides.allowed.must.peers()
    assert position("10.0.1.10") not in sides.confirmed.may.peers()


def test_a_set_of_destinations_is_reached_certainly_where_all_of_it_is() -> None:
    made = graph(
        security_group("sg-a", rule("out", "tcp/443", "203.0.113.0/25")), machine("a", "10.0.1.10", groups=["sg-a"])
    )
    whole, half = ask(made, "a", "203.0.113.0/24", "tcp/443"), ask(made, "a", "203.0.113.0/25", "tcp/443")
    assert half.verdict == "allowed"
    assert not whole.every.may and whole.some.must
    assert not whole.allowed.must and whole.allowed.may


def test_the_same_machine_is_not_filtered() -> None:
    found = ask(two(), "b", "b", "tcp/443")
    assert found.verdict == "allowed" and found.notes


def test_inbound_names_the_rule_that_lets_each_piece_in() -> None:
    wide, narrow = rule("in", "tcp/22", "0.0.0.0/0"), rule("in", "tcp/443", "10.0.0.0/8")
    found = inbound(two(wide, narrow), "b", parse("tcp/22"))
    assert [(one.id, name) for one, name, _ in found.rules] == [(wide.id, "sg-b")]
    assert isinstance(wide.peers[0], Addresses)


def test_machines_of_like_subnets_are_found_whoever_is_asked_first() -> None:
    mute = security_group("sg-mute")
    open_ = security_group("sg-open", rule("in", "any", "0.0.0.0/0"))
    rt = table("rt", *LOCAL)
    subnets = [subnet(f"S{n}", f"10.0.{n}.0/24", table="rt") for n in range(1, 4)]
    machines = [machine(f"m{n}", f"10.0.{n}.10", groups=["sg-mute"], subnet=one) for n, one in enumerate(subnets, 1)]
    targets = [machine(f"t{n}", f"10.0.{n}.20", groups=["sg-open"], subnet=one) for n, one in enumerate(subnets, 1)]
    made = graph(V, rt, mute, open_, *subnets, *machines, *targets)
    for target in ("t1", "t2", "t3", "t1"):
        for n in range(1, 4):
            assert ask(made, f"10.0.{n}.10", target, "tcp/22").verdict == "blocked", (n, target)
            assert ask(made, f"10.0.{n}.11", target, "tcp/22").verdict == "allowed", (n, target)


def test_a_filter_that_stops_it_alone_is_not_said_to_share_nothing_with_others() -> None:
    sub = subnet("A", "10.0.1.0/24")
    found = between(
        graph(
            network("vpc-1", "10.0.0.0/16"),
            sub,
            security_group("sg-a", rule("out", "any", "0.0.0.0/0")),
            security_group("sg-b", rule("in", "tcp/22", "10.9.0.0/16")),
            machine("a", "10.0.1.10", groups=["sg-a"], subnet=sub),
            machine("b", "10.0.1.11", groups=["sg-b"], subnet=sub),
        ),
        Party("a", endpoint="a"),
        Party("b", endpoint="b"),
        parse("tcp/22"),
    )
    assert found.verdict == "blocked"
    assert found.notes == ()


def behind_a_service_endpoint(*more: object, public: str | None = "198.51.100.5") -> RuleGraph:
    """A machine whose route table also leads to a service whose addresses aren't known, as a gateway endpoint does."""
    service = replace(
        route("192.0.2.0/24", "service", "vpce-1"), destinations=EMPTY, destinations_may=PUBLIC, reasons=WHY
    )
    place = subnet("A", "10.0.1.0/24", table="rt")
    return graph(
        network("vpc-1", "10.0.0.0/16"),
        table("rt", route("10.0.0.0/16", "local"), service, *more),
        place,
        security_group("sg", rule("in", "tcp/22", "203.0.113.10/32"), rule(*OUT)),
        machine("m", "10.0.1.5", groups=["sg"], subnet=place, public=public),
    )


@pytest.mark.parametrize("service", ["tcp/22", "tcp/443"])
def test_a_gateway_endpoint_of_unknown_addresses_takes_nothing_from_what_passes_either_way(service: str) -> None:
    made = behind_a_service_endpoint(route("0.0.0.0/0", "internet", "igw"))
    assert between(made, at("m"), near("203.0.113.10/32"), parse(service)).verdict == "allowed"
    wanted = "allowed" if service == "tcp/22" else "blocked"
    found = between(made, near("203.0.113.10/32"), at("m"), parse(service))
    assert found.verdict == wanted
    assert all("no route" not in hop.sentence for path in found.paths for hop in path.hops)


@pytest.mark.parametrize("more", [[], [route("0.0.0.0/0", "drop")]])
def test_where_the_service_endpoint_is_the_only_way_it_stays_open(more: list[object]) -> None:
    found = between(behind_a_service_endpoint(*more), at("m"), near("203.0.113.10/32"), parse("tcp/443"))
    assert found.verdict == "undetermined"
