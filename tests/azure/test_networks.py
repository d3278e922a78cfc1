"""Virtual networks: what the VirtualNetwork tag holds, which routes apply, who gets out."""

from __future__ import annotations

from typing import Any

import pytest

from lint.space.addresses import PRIVATE, parse_cidr, parse_cidrs


def virtual_network(graph: Any, subnet: str) -> Any:
    """The VirtualNetwork list as a subnet sees it."""
    return next(
        one for one in graph.address_lists.values() if one.id.startswith("azure:Virtual") and one.id.endswith(subnet)
    )


def test_the_tag_is_the_address_space_and_the_platform(landscape: Any) -> None:
    landscape.nsg("N", at=["V1/S1"])
    found = virtual_network(landscape.graph(), "/s1")
    assert found.must == found.may == parse_cidrs("10.0.0.0/16", "168.63.129.16/32")


def test_one_group_on_two_networks_means_two_things(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", at=["V1/S1", "V2/S3"])
    graph = landscape.graph()
    held = [one for one in graph.filters.values() if one.kind == "nsg"]
    assert len(held) == 2
    assert len({one.name for one in held}) == 1
    assert virtual_network(graph, "/s1").must != virtual_network(graph, "/s3").must


def test_one_group_on_two_subnets_of_one_network_is_one_filter(landscape: Any) -> None:
    landscape.nsg("N", at=["V1/S1", "V1/S2"])
    assert len([one for one in landscape.graph().filters.values() if one.kind == "nsg"]) == 1


def test_a_peering_whose_state_is_initiated_is_none(landscape: Any, judge: Any) -> None:
    landscape.peer("V1", "V2", state="Initiated")
    assert judge(landscape).verdict("A", "D", "tcp/22") == "blocked"


def test_peered_subnets_link_only_the_named_ones(landscape: Any, judge: Any) -> None:
    landscape.peer("V1", "V2", peerCompleteVnets=False, localSubnetNames=["S2"], remoteSubnetNames=["S3"])
    ask = judge(landscape)
    assert ask.verdict("A", "D", "tcp/22") == "blocked"
    assert ask.verdict("C", "D", "tcp/22") == "allowed"


def test_a_gateway_with_unknown_prefixes_widens_the_tag_and_leaves_its_routes_open(landscape: Any, judge: Any) -> None:
    landscape.resources["virtualNetworks/V1"]["properties"]["subnets"].append(
        {
            "name": "GatewaySubnet",
            "id": landscape.resources["virtualNetworks/V1"]["id"] + "/subnets/GatewaySubnet",
            "properties": {"addressPrefix": "10.0.255.0/27"},
        }
    )
    landscape.put(
        "virtualNetworkGateways",
        "vpn",
        {
            "gatewayType": "Vpn",
            "enableBgp": False,
            "ipConfigurations": [
                {
                    "name": "ip",
                    "properties": {
                        "subnet": {"id": landscape.resources["virtualNetworks/V1"]["id"] + "/subnets/GatewaySubnet"}
                    },
                }
            ],
        },
    )
    landscape.nsg("N", at=["V1/S1"])
    graph = landscape.graph()
    found = virtual_network(graph, "/s1")
    assert found.must == parse_cidrs("10.0.0.0/16", "168.63.129.16/32")
    assert parse_cidrs("10.0.0.0/8", "192.168.0.0/16") <= found.may
    ask = judge(graph)
    assert ask.verdict("A", "192.168.1.1", "tcp/22") == "undetermined"
    assert ask.verdict("A", "C", "tcp/22") == "allowed"
    assert ask.verdict("A", "X", "tcp/443") == "allowed"


def test_local_gateways_tell_what_lies_behind(landscape: Any) -> None:
    network = landscape.resources["virtualNetworks/V1"]
    network["properties"]["subnets"].append(
        {
            "name": "GatewaySubnet",
            "id": network["id"] + "/subnets/GatewaySubnet",
            "properties": {"addressPrefix": "10.0.255.0/27"},
        }
    )
    gateway = {
        "ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": network["id"] + "/subnets/GatewaySubnet"}}}]
    }
    landscape.put("virtualNetworkGateways", "vpn", {"gatewayType": "Vpn", "enableBgp": False, **gateway})
    landscape.put(
        "localNetworkGateways", "office", {"localNetworkAddressSpace": {"addressPrefixes": ["192.168.7.0/24"]}}
    )
    landscape.nsg("N", at=["V1/S1"])
    found = virtual_network(landscape.graph(), "/s1")
    assert found.may == found.must | parse_cidr("192.168.7.0/24")


@pytest.mark.parametrize(
    ("route", "verdict"),
    [
        (("10.0.2.0/24", "VnetLocal"), "allowed"),
        (("10.0.2.0/24", "None"), "blocked"),
        (("10.0.2.0/24", "VirtualAppliance", "10.0.1.9"), "undetermined"),
        (("10.0.2.0/24", "VirtualNetworkGateway"), "undetermined"),
        (("10.0.0.0/8", "None"), "allowed"),  # the network's own prefix is longer
        (("10.0.0.0/16", "None"), "blocked"),  # on equal prefixes the user's route wins
        (("Storage", "None"), "allowed"),
    ],
)
def test_the_longest_prefix_wins_and_the_user_on_a_tie(
    landscape: Any, judge: Any, route: tuple[str, ...], verdict: str
) -> None:
    landscape.routes("R", "V1/S1", route)
    if route[0] == "Storage":
        landscape.tags(Storage=["20.60.0.0/16"])
    assert judge(landscape).verdict("A", "C", "tcp/22") == verdict


@pytest.mark.parametrize(
    ("route", "verdict"),
    [
        (("10.0.1.0/24", "None"), "blocked"),
        (("10.0.1.0/24", "VirtualAppliance", "10.0.2.9"), "undetermined"),
        (("10.0.1.0/24", "VnetLocal"), "allowed"),
        (("10.0.2.0/24", "None"), "allowed"),
    ],
)
def test_routes_hold_inside_a_subnet_too(landscape: Any, judge: Any, route: tuple[str, ...], verdict: str) -> None:
    """ "Virtual network traffic routing", the route Within-Subnet1: without it, the appliance gets that traffic."""
    landscape.routes("R", "V1/S1", route)
    assert judge(landscape).verdict("A", "B", "tcp/22") == verdict


def test_private_space_outside_the_network_has_no_route(landscape: Any, judge: Any) -> None:
    assert judge(landscape).verdict("A", "192.168.5.5", "tcp/22") == "blocked"


def test_a_route_by_a_tag_without_data_leaves_public_addresses_open(landscape: Any, judge: Any) -> None:
    landscape.routes("R", "V1/S1", ("Storage", "None"))
    ask = judge(landscape)
    assert ask.verdict("A", "X", "tcp/443") == "undetermined"
    assert "azure.tag.no-data:Storage" in ask.codes("A", "X", "tcp/443")


def test_a_group_on_nothing_takes_private_space_for_its_network(landscape: Any) -> None:
    landscape.nsg("N")
    graph = landscape.graph()
    found = virtual_network(graph, "@anywhere")
    assert found.may == PRIVATE | parse_cidr("168.63.129.16/32")


@pytest.mark.parametrize("name", ["AzurePlatformDNS", "azureplatformdns"])
def test_a_deny_of_the_platform_tag_switches_the_exemption_off(landscape: Any, judge: Any, name: str) -> None:
    landscape.nsg("N", f"Out 100 Deny * * -> {name}", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("A", "168.63.129.16", "udp/53") == "blocked"
    assert ask.verdict("A", "169.254.169.254", "tcp/80") == "allowed"


def test_a_standard_address_elsewhere_on_the_machine_ends_default_access(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", at=["V1/S1"])
    assert judge(landscape).verdict("B", "X", "tcp/443") == "allowed"
    vm = landscape.resources["networkInterfaces/A"]["id"].replace(
        "Microsoft.Network/networkInterfaces/A", "Microsoft.Compute/virtualMachines/vm"
    )
    landscape.resources["vm"] = {
        "id": vm,
        "name": "vm",
        "type": "Microsoft.Compute/virtualMachines",
        "properties": {
            "networkProfile": {
                "networkInterfaces": [
                    {"id": landscape.resources[f"networkInterfaces/{one}"]["id"]} for one in ("A", "B")
                ]
            }
        },
    }
    b = landscape.resources["networkInterfaces/B"]["id"].lower()
    assert judge(landscape).verdict(b, "X", "tcp/443") == "blocked"
