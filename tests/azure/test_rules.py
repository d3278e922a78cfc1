"""What an NSG rule means, and what is said of one that can't be in force."""

from __future__ import annotations

from typing import Any

import pytest

from lint.azure.records import Gap, View
from lint.azure.security_rules import Broken, Read, parse_ports, read_rule
from lint.origin import Origin, Reason
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES, parse, render

RULE = {
    "name": "r",
    "priority": 100,
    "direction": "Inbound",
    "access": "Allow",
    "protocol": "Tcp",
    "sourcePortRange": "*",
    "destinationPortRange": "443",
    "sourceAddressPrefix": "*",
    "destinationAddressPrefix": "*",
}
UNKNOWN = Gap((Reason("var.x has no value", "tf.no-value:var.x"),))


def read(**changes: Any) -> Read | Broken:
    fields = {name: value for name, value in {**RULE, **changes}.items() if value != "ABSENT"}
    return read_rule(View(fields, Origin(file="main.tf", line=3)), "key", "nsg", lambda one: one)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", [(0, 65535)]),
        ("80", [(80, 80)]),
        ("0-65535", [(0, 65535)]),
        ("80,443, 8000-8080", [(80, 80), (443, 443), (8000, 8080)]),
        (" 22 - 23 ", [(22, 23)]),
    ],
)
def test_ports(text: str, expected: list[tuple[int, int]]) -> None:
    assert list(parse_ports(text)) == expected


@pytest.mark.parametrize(
    ("changes", "services"),
    [
        ({}, ["tcp/443"]),
        ({"protocol": "UDP"}, ["udp/443"]),
        ({"protocol": "*"}, ["tcp/443", "udp/443"]),
        ({"protocol": "*", "destinationPortRange": "*"}, ["any"]),
        ({"protocol": "All", "destinationPortRange": "0-65535"}, ["any"]),
        ({"protocol": "Icmp", "destinationPortRange": "*"}, ["icmp", "icmpv6"]),
        ({"protocol": "Esp"}, ["esp"]),
        ({"protocol": "ah", "destinationPortRange": "ABSENT"}, ["ah"]),
        ({"destinationPortRange": 8443}, ["tcp/8443"]),
        ({"destinationPortRange": "", "destinationPortRanges": ["1-3", 9]}, ["tcp/1-3", "tcp/9"]),
        ({"destinationPortRange": "22", "destinationPortRanges": ["80"]}, ["tcp/22", "tcp/80"]),
    ],
)
def test_protocols_and_ports(changes: dict[str, Any], services: list[str]) -> None:
    found = read(**changes)
    assert isinstance(found, Read)
    assert render(found.rule.services) == services
    assert found.rule.services == found.rule.services_may


def test_a_source_port_never_matches_a_protocol_without_ports() -> None:
    found = read(protocol="*", destinationPortRange="*", sourcePortRange="53")
    assert isinstance(found, Read)
    assert found.rule.services == parse("tcp") | parse("udp")
    assert found.rule.source_ports == IntervalSet.of(53)


def test_ports_of_a_protocol_without_ports_are_said() -> None:
    found = read(protocol="Icmp", destinationPortRange="80")
    assert isinstance(found, Read)
    assert any("azure.rule.ports-on-portless" in one for one in found.notes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"priority": "ABSENT"}, "it has no priority"),
        ({"priority": "high"}, "`high` is not a whole number"),
        ({"direction": "ABSENT"}, "it has no direction"),
        ({"direction": "Sideways"}, "the direction is `Sideways`"),
        ({"access": "Maybe"}, "the access is `Maybe`"),
        ({"protocol": "Sctp"}, "the protocol `Sctp` is none of"),
        ({"protocol": "ABSENT"}, "it has no protocol"),
        ({"destinationPortRange": "443-80"}, "the port range `443-80` is upside down"),
        ({"destinationPortRange": "70000"}, "beyond 65535"),
        ({"destinationPortRange": "http"}, "`http` is not a port"),
        ({"destinationPortRange": ""}, "it has no destination port"),
        ({"sourceAddressPrefix": ""}, "it has no source"),
        ({"sourceAddressPrefix": "10.0.0.0/33"}, "`10.0.0.0/33` is not an address"),
        ({"sourceAddressPrefix": "10.0.0.9-10.0.0.1"}, "upside down"),
    ],
)
def test_a_rule_that_cannot_be_in_force_is_a_clear_mistake(changes: dict[str, Any], says: str) -> None:
    found = read(**changes)
    assert isinstance(found, Broken)
    assert found.mistake
    assert says in found.reasons[0].text
    assert "rule 'r' of nsg" in found.reasons[0].text
    assert found.reasons[0].origin is not None
    assert found.reasons[0].origin.where() == "main.tf:3"


@pytest.mark.parametrize("field", ["priority", "direction", "access"])
def test_what_orders_a_rule_leaves_the_group_open_where_it_is_unknown(field: str) -> None:
    found = read(**{field: UNKNOWN})
    assert isinstance(found, Broken)
    assert not found.mistake
    assert found.reasons == UNKNOWN.reasons


@pytest.mark.parametrize(
    ("field", "certain", "possible"),
    [
        ("protocol", [], ["icmp", "tcp/443", "udp/443", "esp", "ah", "icmpv6"]),
        ("destinationPortRange", [], ["tcp"]),
    ],
)
def test_an_unknown_service_is_bounded(field: str, certain: list[str], possible: list[str]) -> None:
    found = read(**{field: UNKNOWN})
    assert isinstance(found, Read)
    assert UNKNOWN.reasons[0] in found.rule.reasons
    assert render(found.rule.services) == certain
    assert all(parse(one) <= found.rule.services_may for one in possible)


def test_an_unknown_source_port_may_be_any() -> None:
    found = read(sourcePortRange=UNKNOWN)
    assert isinstance(found, Read)
    assert found.rule.source_ports == EMPTY
    assert found.rule.source_ports_may == parse_ports("*")


def test_an_unknown_address_keeps_its_bounds() -> None:
    from lint.azure.model import Unclear
    from lint.space.addresses import parse_cidr

    found = read(sourceAddressPrefix=Gap(UNKNOWN.reasons, within=parse_cidr("10.0.0.0/8")))
    assert isinstance(found, Read)
    assert [one.within for one in found.rule.sources if isinstance(one, Unclear)] == [parse_cidr("10.0.0.0/8")]


def test_bits_behind_the_mask_are_cleared_and_said() -> None:
    found = read(sourceAddressPrefix="10.0.0.5/24")
    assert isinstance(found, Read)
    assert any("right of its mask" in one for one in found.notes)


def test_every_service_is_what_a_star_means() -> None:
    found = read(protocol="*", destinationPortRange="*")
    assert isinstance(found, Read)
    assert found.rule.services == ALL_SERVICES


def test_two_rules_of_one_priority_leave_that_direction_open(landscape: Any, judge: Any, make_rule: Any) -> None:
    first, second = make_rule("In 100 Allow Tcp * -> *:22"), make_rule("In 100 Deny Tcp * -> *:22")
    second["name"] = "other"
    landscape.nsg("N", first, second, "Out 100 Deny Tcp * -> *:25", at=["V1/S1"])
    graph = landscape.graph()
    ask = judge(graph)
    assert ask.verdict("C", "A", "tcp/22") == "undetermined"
    assert "azure.rule.duplicate-priority" in ask.codes("C", "A", "tcp/22")
    assert ask.verdict("A", "C", "tcp/25") == "blocked"  # the other direction is whole
    assert len([one for one in graph.notes if "both have inbound priority 100" in one]) == 1


@pytest.mark.parametrize(
    "change",
    [{"priority": None}, {"priority": 5000}, {"destinationPortRange": "443-80"}, {"destinationPortRange": None}],
)
def test_a_broken_rule_makes_its_group_undetermined_and_is_said_once(
    landscape: Any, judge: Any, make_rule: Any, change: dict[str, Any]
) -> None:
    landscape.nsg("N", make_rule("In 200 Allow Tcp * -> *:22", **change), "In 100 Allow Tcp * -> *:80", at=["V1/S1"])
    graph = landscape.graph()
    assert judge(graph).verdict("C", "A", "tcp/80") == "undetermined"
    assert len([one for one in graph.notes if "'in-200'" in one]) == 1


def test_a_public_address_as_destination_is_said(landscape: Any) -> None:
    landscape.nsg("N", "In 100 Allow Tcp * -> 203.0.113.77:22", at=["V1/S1"])
    assert any("azure.rule.public-ip-dest" in note for note in landscape.graph().notes)


def test_a_default_rule_that_differs_in_a_dump_is_said(landscape: Any) -> None:
    made = landscape.nsg("N", at=["V1/S1"])
    made["properties"]["defaultSecurityRules"] = [
        {
            "name": "DenyAllInBound",
            "properties": {
                "priority": 65500,
                "access": "Allow",
                "sourceAddressPrefix": "*",
                "destinationAddressPrefix": "*",
            },
        }
    ]
    graph = landscape.graph()
    held = next(one for one in graph.filters.values() if one.kind == "nsg")
    assert any("DenyAllInBound" in note for note in held.notes)
    assert [one.name for one in held.rules if one.implied and one.direction.value == "ingress"] == [
        "AllowVnetInBound",
        "AllowAzureLoadBalancerInBound",
        "DenyAllInBound",
    ]
