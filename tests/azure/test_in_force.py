"""What Azure says is in force, beside the lists: agreement changes nothing, and where they differ neither wins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lint.azure import graph_from_documents
from lint.azure.from_api import load_dump
from tests.azure.conftest import Judge, Landscape
from tests.azure.in_force import VIRTUAL_NETWORK, effective_group, effective_routes, expansions

PAIRS = [
    (one, other)
    for one in ("A", "B", "C", "X", "172.16.5.9", "10.9.0.5")
    for other in ("A", "B", "C", "X", "104.146.0.9", "172.16.5.9")
    if one != other and not {one, other} <= {"X", "104.146.0.9", "172.16.5.9", "10.9.0.5"}
]
SERVICES = ("tcp/22", "tcp/443", "udp/53", "icmp/8/0")


@pytest.fixture
def guarded(landscape: Any) -> Any:
    """NSG N at S1 and M at interface A."""
    landscape.nsg("N", "In 100 Allow Tcp 10.0.2.0/24 -> *:22", "In 200 Allow Tcp Internet -> *:443", at=["V1/S1"])
    landscape.nsg("M", "In 100 Allow Tcp * -> *:22-443", at=["A"])
    return landscape


def interface(landscape: Any, name: str) -> str:
    return str(landscape.resources[f"networkInterfaces/{name}"]["id"])


def tell_groups(
    landscape: Any, tags: Any = None, change: Callable[[list[Any]], None] | None = None, at: str = "A"
) -> None:
    """Add what is in force at an interface: N by its subnet, M at A; `change` may edit the answer."""
    tags = tags or expansions()
    groups = {one["name"]: one for key, one in landscape.resources.items() if key.startswith("networkSecurityGroups/")}
    subnet = landscape.resources["virtualNetworks/V1"]["id"] + "/subnets/S1"
    rows = [effective_group(groups["N"], tags, subnet=subnet)] if "N" in groups else []
    if at == "A" and "M" in groups:
        rows.append(effective_group(groups["M"], tags, interface=interface(landscape, "A")))
    if change is not None:
        change(rows)
    landscape.extra.append({"request": f"{interface(landscape, at)}/effectiveNetworkSecurityGroups", "value": rows})


def tell_routes(landscape: Any, *more: Any, at: str = "A", **others: Any) -> None:
    rows = effective_routes(*more, **others)
    landscape.extra.append({"request": f"{interface(landscape, at)}/effectiveRouteTable", "value": rows})


def verdicts(judge: Any, landscape: Any) -> dict[tuple[str, str, str], str]:
    ask = judge(landscape)
    return {(*pair, service): ask.verdict(*pair, service) for pair in PAIRS for service in SERVICES}


def changed(rows: list[Any], rule: str, **fields: Any) -> None:
    for row in rows:
        for one in row["effectiveSecurityRules"]:
            if one["name"] == rule:
                one.update(fields)


def test_where_all_agrees_nothing_changes(guarded: Any, judge: Any) -> None:
    before = verdicts(judge, guarded)
    tell_groups(guarded)
    tell_routes(guarded)
    assert verdicts(judge, guarded) == before
    (note,) = [one for one in guarded.graph().notes if "in force" in one]
    assert note == "what is in force at 1 interfaces was compared with what was computed; nothing disagrees"


# What is in force at A in another way than the lists say, and what the reason says of it.
DIFFERENCES: list[tuple[Callable[[list[Any]], None], str]] = [
    (lambda rows: changed(rows[:1], "securityRules/in-100", access="Deny"), "N: rule in-100 is in force to deny"),
    (
        lambda rows: changed(rows[:1], "securityRules/in-100", destinationPortRange="22-23"),
        "N: rule in-100 is in force for other services",
    ),
    (
        lambda rows: changed(rows[:1], "securityRules/in-100", protocol="Udp"),
        "N: rule in-100 is in force for other services",
    ),
    (
        lambda rows: changed(rows[:1], "securityRules/in-100", sourcePortRange="1024-65535"),
        "N: rule in-100 is in force for other s",
    ),
    (
        lambda rows: changed(rows[:1], "securityRules/in-100", sourceAddressPrefix="10.0.0.0/16"),
        "N: rule in-100 is also in force for source 10.0.0.0/23",
    ),
    (
        lambda rows: changed(rows[:1], "securityRules/in-100", sourceAddressPrefix="10.0.2.0/25"),
        "N: rule in-100 is not in force for source 10.0.2.128/25",
    ),
    (lambda rows: rows[0]["effectiveSecurityRules"].pop(0) and None, "N: its rule in-100 isn't in force"),
    (
        lambda rows: rows[0]["effectiveSecurityRules"].append(
            {**rows[0]["effectiveSecurityRules"][0], "name": "securityRules/new", "priority": 150}
        ),
        "N: rule securityRules/new (ingress, priority 150) is in force, and isn't its own",
    ),
    (lambda rows: rows.pop(0) and None, "N, attached to subnet S1, isn't in force"),
    (lambda rows: rows[0]["networkSecurityGroup"].update(id=rows[0]["networkSecurityGroup"]["id"] + "2"), "n2 is in"),
]


@pytest.mark.parametrize(("change", "said"), DIFFERENCES)
def test_where_they_differ_neither_is_preferred(guarded: Any, judge: Any, change: Any, said: str) -> None:
    before = verdicts(judge, guarded)
    tell_groups(guarded, change=change)
    after = verdicts(judge, guarded)
    for pair in (("C", "B", "tcp/22"), ("C", "B", "tcp/443"), ("B", "C", "tcp/22")):
        assert after[pair] == "undetermined", "what N guards"
    untouched = [key for key in before if not {"A", "B"} & set(key)]
    assert all(after[key] == before[key] for key in untouched)
    assert all(after[key] in (before[key], "undetermined") for key in before)
    reasons = [reason.text for reason in judge(guarded).reach("C", "B", "tcp/22").reasons]
    assert any(text.startswith("at A, Azure has another thing in force") and said in text for text in reasons), reasons


def test_an_interfaces_own_group_that_differs_opens_that_interface_alone(guarded: Any, judge: Any) -> None:
    before = verdicts(judge, guarded)
    tell_groups(guarded, change=lambda rows: changed(rows[1:], "securityRules/in-100", access="Deny"))
    after = verdicts(judge, guarded)
    assert after["C", "A", "tcp/22"] == "undetermined"
    assert {key for key in before if after[key] != before[key]} <= {key for key in before if "A" in key[:2]}


def test_a_group_that_is_attached_by_no_list_may_be_in_force(landscape: Any, judge: Any) -> None:
    landscape.nsg("M", "In 100 Deny * * -> *")
    assert judge(landscape).verdict("C", "A", "tcp/22") == "allowed"
    rows = [
        effective_group(
            landscape.resources["networkSecurityGroups/M"], expansions(), interface=interface(landscape, "A")
        )
    ]
    landscape.extra.append({"request": f"{interface(landscape, 'A')}/effectiveNetworkSecurityGroups", "value": rows})
    ask = judge(landscape)
    assert ask.verdict("C", "A", "tcp/22") == "undetermined"
    assert ask.verdict("C", "B", "tcp/22") == "allowed"


def test_a_virtual_network_tag_within_its_bounds_is_what_is_in_force(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", at=["V1/S1"])
    landscape.routes("R", "V1/S1", ("0.0.0.0/0", "VirtualAppliance", "10.0.9.4"))
    landscape.transparent = ("10.0.9.4",)
    assert "azure.tag.virtualnetwork-default-route" in judge(landscape).codes("X", "A", "tcp/22")
    tell_groups(landscape)
    ask = judge(landscape)
    assert ask.verdict("X", "A", "tcp/22") == "blocked", "the tag holds the network alone"
    assert ask.verdict("C", "A", "tcp/22") == "allowed"


def test_a_virtual_network_tag_beyond_its_bounds_is_open_where_they_differ(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", at=["V1/S1"])
    tell_groups(landscape, expansions([*VIRTUAL_NETWORK, "10.9.0.0/16"]))
    graph = landscape.graph()
    (held,) = [one for one in graph.address_lists.values() if one.name == "VirtualNetwork"]
    assert not (held.may - held.must).isdisjoint(_set("10.9.0.0/16"))
    assert _set("10.0.0.0/16") <= held.must
    ask = judge(graph)
    assert ask.verdict("C", "A", "tcp/22") == "allowed"
    assert ask.verdict("X", "A", "tcp/22") == "blocked"
    assert any("virtualnetwork in subnet S1 holds also 10.9.0.0/16" in note for note in graph.notes)


def _set(text: str) -> Any:
    from lint.space.addresses import parse_cidr

    return parse_cidr(text)


def test_a_service_tag_without_data_is_what_is_in_force(landscape: Any, judge: Any) -> None:
    rules = ("Out 100 Allow Tcp * -> Storage.WestUS:443", "Out 110 Deny * * -> Internet")
    landscape.nsg("N", *rules, at=["V1/S1"])
    assert judge(landscape).verdict("A", "20.38.64.9", "tcp/443") == "undetermined"
    tell_groups(landscape, expansions(Storage__WestUS=["20.38.64.0/19"]))
    ask = judge(landscape)
    assert ask.verdict("A", "20.38.64.9", "tcp/443") == "allowed"
    assert ask.verdict("A", "X", "tcp/443") == "blocked"


def test_a_service_tag_that_differs_from_its_data_is_open_where_it_does(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "Out 100 Allow Tcp * -> Storage:443", "Out 110 Deny * * -> Internet", at=["V1/S1"])
    landscape.tags(Storage=["20.38.64.0/19", "20.60.0.0/24"])
    tell_groups(landscape, expansions(Storage=["20.38.64.0/19", "20.61.0.0/24"]))
    ask = judge(landscape)
    assert ask.verdict("A", "20.38.64.9", "tcp/443") == "allowed"
    assert ask.verdict("A", "20.60.0.9", "tcp/443") == "undetermined"
    assert ask.verdict("A", "20.61.0.9", "tcp/443") == "undetermined"
    assert ask.verdict("A", "X", "tcp/443") == "blocked"


def test_members_of_an_application_group_are_compared(landscape: Any, judge: Any) -> None:
    landscape.asg("web", "C")
    text = "In 100 Allow Tcp * -> *:22"
    landscape.nsg("N", text, "In 200 Deny * * -> *", at=["V1/S1"])
    group = landscape.resources["networkSecurityGroups/N"]
    own = group["properties"]["securityRules"][0]["properties"]
    del own["sourceAddressPrefix"]
    own["sourceApplicationSecurityGroups"] = [{"id": landscape.resources["applicationSecurityGroups/web"]["id"]}]
    told = {"sourceAddressPrefix": None, "expandedSourceAddressPrefix": ["10.0.2.4/32"]}
    before = verdicts(judge, landscape)
    tell_groups(landscape, change=lambda rows: changed(rows, "securityRules/in-100", **told))
    assert verdicts(judge, landscape) == before
    landscape.extra.clear()
    told["expandedSourceAddressPrefix"] = ["10.0.2.4/32", "10.0.1.5/32"]
    tell_groups(landscape, change=lambda rows: changed(rows, "securityRules/in-100", **told))
    assert judge(landscape).verdict("B", "A", "tcp/22") == "undetermined"


def test_what_cannot_be_compared_is_said_and_changes_nothing(guarded: Any, judge: Any) -> None:
    before = verdicts(judge, guarded)
    tell_groups(guarded, change=lambda rows: changed(rows, "securityRules/in-100", protocol="Gre"))
    assert verdicts(judge, guarded) == before
    assert any("in-100 in force at A could not be compared" in note for note in guarded.graph().notes)


@pytest.mark.parametrize("rows", [[], [{}], [None, 1, "x"], [{"effectiveSecurityRules": None, "association": []}]])
def test_an_answer_that_tells_nothing_changes_nothing_but_what_it_denies(guarded: Any, judge: Any, rows: Any) -> None:
    before = verdicts(judge, guarded)
    for action in ("effectiveNetworkSecurityGroups", "effectiveRouteTable"):
        guarded.extra.append({"request": f"{interface(guarded, 'A')}/{action}", "value": rows})
    after = verdicts(judge, guarded)
    assert all(after[key] in (before[key], "undetermined") for key in before)
    if not rows:
        assert after == before


# Routes


def test_a_route_that_differs_is_open_for_its_destinations(landscape: Any, judge: Any) -> None:
    before = verdicts(judge, landscape)
    tell_routes(landscape, ("User", "10.0.2.0/24", "None", ""))
    after = verdicts(judge, landscape)
    assert after["A", "C", "tcp/22"] == "undetermined"
    assert after["A", "B", "tcp/22"] == before["A", "B", "tcp/22"] == "allowed"
    assert after["A", "X", "tcp/22"] == before["A", "X", "tcp/22"] == "allowed"
    (reason,) = [one for one in judge(landscape).reach("A", "C", "tcp/22").reasons if "routes in force" in one.text]
    assert "at A, " in reason.text and "10.0.2.0/24 goes to none" in reason.text


def test_a_system_route_that_nobody_documents_is_open_for_its_destinations(landscape: Any, judge: Any) -> None:
    tell_routes(landscape, ("Default", "104.146.0.0/17", "None", ""))
    ask = judge(landscape)
    assert ask.verdict("A", "104.146.0.9", "tcp/443") == "undetermined"
    assert ask.verdict("A", "X", "tcp/443") == "allowed"


def test_another_appliance_is_another_route(landscape: Any, judge: Any) -> None:
    landscape.routes("R", "V1/S1", ("10.0.2.0/24", "VirtualAppliance", "10.0.9.4"))
    landscape.transparent = ("10.0.9.4",)
    tell_routes(landscape, ("User", "10.0.2.0/24", "VirtualAppliance", "10.0.9.4"))
    assert judge(landscape).verdict("A", "C", "tcp/22") == "allowed"
    landscape.extra.clear()
    tell_routes(landscape, ("User", "10.0.2.0/24", "VirtualAppliance", "10.0.9.5"))
    assert judge(landscape).verdict("A", "C", "tcp/22") == "undetermined"


def gateway(landscape: Any) -> None:
    """A BGP gateway whose routes nothing tells."""
    network = landscape.resources["virtualNetworks/V1"]
    where = f"{network['id']}/subnets/GatewaySubnet"
    network["properties"]["subnets"].append(
        {"name": "GatewaySubnet", "id": where, "properties": {"addressPrefixes": ["10.0.255.0/27"]}}
    )
    configuration = {"name": "ip", "properties": {"subnet": {"id": where}}}
    landscape.put(
        "virtualNetworkGateways",
        "er",
        {"gatewayType": "ExpressRoute", "enableBgp": True, "ipConfigurations": [configuration]},
    )


def test_routes_learned_from_a_gateway_are_what_is_in_force(landscape: Any, judge: Any) -> None:
    gateway(landscape)
    ask = judge(landscape)
    assert ask.verdict("A", "X", "tcp/443") == "undetermined", "the gateway may teach a default route"
    tell_routes(landscape, ("VirtualNetworkGateway", "172.16.0.0/16", "VirtualNetworkGateway", "10.0.255.4"))
    ask = judge(landscape)
    assert ask.verdict("A", "X", "tcp/443") == "allowed"
    assert ask.verdict("A", "172.16.5.9", "tcp/443") == "undetermined", "what lies behind isn't modelled"
    assert ask.verdict("A", "172.17.5.9", "tcp/443") == "blocked"
    assert ask.verdict("C", "X", "tcp/443") == "undetermined", "of another subnet nothing was told"


def test_a_gateway_that_no_list_shows_is_a_route_that_differs(landscape: Any, judge: Any) -> None:
    tell_routes(landscape, ("VirtualNetworkGateway", "172.16.0.0/16", "VirtualNetworkGateway", "10.0.255.4"))
    ask = judge(landscape)
    assert ask.verdict("A", "172.16.5.9", "tcp/443") == "undetermined"
    assert ask.verdict("A", "X", "tcp/443") == "allowed"


def test_routes_that_are_not_active_count_for_nothing(landscape: Any, judge: Any) -> None:
    before = verdicts(judge, landscape)
    tell_routes(landscape)
    landscape.extra[-1]["value"].append(
        {"source": "Default", "state": "Invalid", "addressPrefix": ["10.0.2.0/24"], "nextHopType": "None"}
    )
    assert verdicts(judge, landscape) == before


# Dumps


def test_a_dump_may_hold_what_is_in_force(guarded: Any, judge: Any, tmp_path: Path) -> None:
    tell_groups(guarded, change=lambda rows: changed(rows[:1], "securityRules/in-100", access="Deny"))
    whole = guarded.documents()
    (tmp_path / "all.json").write_text(json.dumps(whole[:-1]), encoding="utf-8")
    (tmp_path / "in-force.json").write_text(json.dumps(whole[-1]), encoding="utf-8")
    documents, problems = load_dump(tmp_path)
    assert not problems
    assert judge(graph_from_documents(documents)).verdict("C", "B", "tcp/22") == "undetermined"


def test_without_its_request_an_answer_is_placed_by_the_interface_that_it_names(guarded: Any, judge: Any) -> None:
    tell_groups(guarded, change=lambda rows: changed(rows[1:], "securityRules/in-100", access="Deny"))
    asked = guarded.extra.pop()
    guarded.extra.append({"value": [row for row in asked["value"] if "networkInterface" in row["association"]]})
    ask = judge(guarded)
    assert ask.verdict("C", "A", "tcp/22") == "undetermined"


# A law


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_whatever_is_in_force_only_takes_from_what_is_certain_and_adds_to_what_is_possible(data: st.DataObject) -> None:
    landscape = Landscape()
    landscape.nsg("N", "In 100 Allow Tcp 10.0.2.0/24 -> *:22", "In 200 Deny Udp * -> *:53", at=["V1/S1"])
    landscape.nsg("M", "In 100 Allow Tcp * -> *:22-443", at=["A"])
    before = landscape.graph()

    def change(rows: list[Any]) -> None:
        for _ in range(data.draw(st.integers(1, 4))):
            rules = data.draw(st.sampled_from(rows))["effectiveSecurityRules"]
            rule = data.draw(st.sampled_from(rules))
            match data.draw(st.sampled_from(["access", "port", "prefix", "drop", "move", "expand"])):
                case "access":
                    rule["access"] = data.draw(st.sampled_from(["Allow", "Deny"]))
                case "port":
                    rule["destinationPortRange"] = data.draw(st.sampled_from(["22-22", "0-65535", "53-443"]))
                case "prefix":
                    rule["sourceAddressPrefix"] = data.draw(
                        st.sampled_from(["10.0.0.0/16", "10.0.2.4/32", "0.0.0.0/0"])
                    )
                case "expand":
                    rule["expandedSourceAddressPrefix"] = data.draw(st.sampled_from([["10.0.0.0/15"], ["1.0.0.0/8"]]))
                case "move":
                    rule["priority"] += 1
                case _ if len(rules) > 1:
                    rules.remove(rule)

    tell_groups(landscape, change=change)
    hops = st.sampled_from(["None", "Internet", "VnetLocal", "VirtualAppliance", "VirtualNetworkGateway", "New"])
    prefixes = st.sampled_from(["10.0.2.0/24", "0.0.0.0/0", "198.51.100.0/24", "10.0.0.0/8"])
    tell_routes(landscape, *(("User", data.draw(prefixes), data.draw(hops), "10.0.9.4") for _ in range(2)))
    after = landscape.graph()
    for one, other in PAIRS:
        was, is_ = (Judge(graph).reach(one, other).allowed for graph in (before, after))
        assert is_.must <= was.must, (one, other)
        assert was.may <= is_.may, (one, other)
