"""The cases in which Azure's rules surprise, one test each, judged end to end. X is a host on the Internet."""

from __future__ import annotations

import json
from typing import Any

import pytest

ALLOW, DENY, OPEN = "allowed", "blocked", "undetermined"


def test_01_an_nsg_without_rules_admits_the_network_and_probes_alone(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("X", "A", "tcp/22") == DENY
    assert "DenyAllInBound" in ask.codes("X", "A", "tcp/22")
    assert ask.verdict("C", "A") == ALLOW
    assert ask.verdict("A", "X", "tcp/443") == ALLOW
    assert ask.verdict("probe", "A", "tcp/80") == ALLOW
    assert ask.verdict("probe", "B", "tcp/80") == ALLOW


def test_02_without_any_nsg_a_standard_public_address_is_closed(landscape: Any, judge: Any) -> None:
    ask = judge(landscape)
    assert ask.verdict("X", "A", "tcp/80") == DENY
    assert "azure.pip.secure-by-default" in ask.codes("X", "A", "tcp/80")
    assert ask.verdict("C", "A") == ALLOW
    assert ask.verdict("A", "X", "tcp/443") == ALLOW


def test_03_a_basic_public_address_is_open(landscape: Any, judge: Any) -> None:
    landscape.public("A-ip", "203.0.113.77", sku="Basic")
    assert judge(landscape).verdict("X", "A", "tcp/80") == ALLOW


def test_04_both_nsgs_must_allow(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "In 100 Allow Tcp Internet -> *:80", at=["V1/S1"])
    landscape.nsg("NA", at=["A"])
    ask = judge(landscape)
    assert ask.verdict("X", "A", "tcp/80") == DENY
    assert ask.verdict("X", "B", "tcp/80") == DENY  # no way in


def test_05_both_nsgs_allow(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "In 100 Allow Tcp Internet -> *:80", at=["V1/S1"])
    landscape.nsg("NA", "In 100 Allow Tcp * -> *:80", at=["A"])
    ask = judge(landscape)
    assert ask.verdict("X", "A", "tcp/80") == ALLOW
    assert ask.verdict("X", "A", "tcp/81") == DENY
    assert ask.verdict("C", "A", "tcp/81") == ALLOW


def test_06_traffic_inside_a_subnet_is_filtered(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "In 100 Deny * * -> *", at=["V1/S1"])
    graph = landscape.graph()
    ask = judge(graph)
    assert ask.verdict("B", "A") == DENY
    assert ask.verdict("C", "A") == DENY
    assert ask.verdict("A", "C") == ALLOW
    assert ask.verdict("probe", "A", "tcp/80") == DENY
    assert any("azure.lb.probe-blocked" in note for note in graph.notes)


def test_07_outbound_rules_judge_traffic_inside_a_subnet_too(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "Out 100 Deny Tcp * -> 10.0.1.5:443", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("A", "B", "tcp/443") == DENY
    assert ask.verdict("A", "B", "tcp/80") == ALLOW
    assert ask.verdict("C", "B", "tcp/443") == ALLOW


def test_08_replies_need_no_rule_and_platform_addresses_are_not_filtered(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "In 100 Allow Tcp 198.51.100.7 -> *:80", "Out 100 Deny * * -> *", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("X", "A", "tcp/80") == ALLOW
    assert ask.verdict("A", "X", "tcp/80") == DENY
    assert ask.verdict("A", "probe", "udp/53") == ALLOW


def test_09_the_lower_priority_number_wins(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "In 100 Deny Tcp 10.0.2.0/24 -> *:22", "In 200 Allow Tcp VirtualNetwork -> *:22", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("C", "A", "tcp/22") == DENY
    assert ask.verdict("B", "A", "tcp/22") == ALLOW
    assert ask.verdict("X", "A", "tcp/22") == DENY


def test_10_a_shadowed_rule_changes_nothing(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "In 100 Allow Tcp * -> *:1-1024", "In 110 Deny Tcp * -> *:22", at=["V1/S1"])
    graph = landscape.graph()
    assert judge(graph).verdict("X", "A", "tcp/22") == ALLOW
    assert any("in-110" in note and "never decides" in note for note in graph.notes)


def test_11_augmented_rules_are_exact(landscape: Any, judge: Any) -> None:
    from lint.space.addresses import PUBLIC, parse_cidrs
    from lint.space.services import parse

    landscape.nsg(
        "N",
        "In 100 Allow Tcp [203.0.113.0/24, 198.51.100.7] -> *:80, 443, 8000-8080",
        "In 4096 Deny * * -> *",
        at=["V1/S1"],
    )
    ask = judge(landscape)
    wanted = parse_cidrs("203.0.113.0/24", "198.51.100.7/32")
    for service in ("tcp/80", "tcp/443", "tcp/8000-8080"):
        from lint.reach.answer import between
        from lint.reach.result import Party

        found = between(ask.graph, Party("the Internet", None, PUBLIC), ask.party("A"), parse(service))
        assert found.allowed.must.peers() - parse_cidrs("203.0.113.77/32") == wanted - parse_cidrs("203.0.113.77/32")
        assert found.allowed.must == found.allowed.may
    for service in ("tcp/81", "tcp/7999", "tcp/8081", "udp/80", "icmp"):
        assert ask.verdict("203.0.113.5", "A", service) == DENY
    assert ask.verdict("C", "10.0.1.4") == DENY
    assert ask.verdict("C", "A", "tcp/80") == OPEN  # C's public address isn't known, and A has one


def test_12_a_peered_network_belongs_to_virtual_network(landscape: Any, judge: Any) -> None:
    landscape.peer("V1", "V2")
    landscape.nsg("N", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("D", "A") == ALLOW
    assert ask.verdict("A", "D") == ALLOW
    assert ask.verdict("X", "A") == DENY


def test_13_without_network_access_the_peer_leaves_the_tag_but_stays_reachable(landscape: Any, judge: Any) -> None:
    landscape.peer("V1", "V2", allowVirtualNetworkAccess=False)
    landscape.nsg("N", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("D", "A") == DENY
    assert ask.verdict("A", "D", "tcp/22") == OPEN
    landscape.nsg("N", "In 100 Allow Tcp 10.1.0.0/16 -> *:22", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("D", "A", "tcp/22") == ALLOW
    assert ask.verdict("D", "A", "tcp/23") == DENY


def test_13_without_any_nsg_the_access_flag_decides_nothing_that_is_documented(landscape: Any, judge: Any) -> None:
    landscape.peer("V1", "V2", allowVirtualNetworkAccess=False)
    ask = judge(landscape)
    assert ask.verdict("D", "B", "tcp/22") == OPEN
    assert "azure.peering.access-off-no-nsg" in ask.codes("D", "B", "tcp/22")


def test_14_one_side_makes_no_peering(landscape: Any, judge: Any) -> None:
    landscape.peer("V1", "V2", state="", back=False)
    ask = judge(landscape)
    assert ask.verdict("A", "D", "tcp/22") == DENY
    assert "azure.peering.one-sided" in ask.codes("A", "D", "tcp/22")


def test_14_a_peer_outside_the_source_is_not_known(landscape: Any, judge: Any) -> None:
    landscape.peer("V1", "V9", state="", back=False)
    ask = judge(landscape)
    assert ask.verdict("A", "10.9.0.4", "tcp/22") == OPEN
    assert "azure.peering.remote-unknown" in ask.codes("A", "10.9.0.4", "tcp/22")


def test_15_peerings_are_not_transitive(landscape: Any, judge: Any) -> None:
    landscape.network("V3", ["10.2.0.0/16"], {"S4": ["10.2.0.0/24"]})
    landscape.nic("E", "V3/S4", "10.2.0.4")
    landscape.peer("V1", "V2")
    landscape.peer("V2", "V3")
    landscape.nsg("N", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("A", "E", "tcp/22") == DENY
    assert ask.verdict("E", "A", "tcp/22") == DENY
    lists = [one for one in ask.graph.address_lists.values() if one.name == "VirtualNetwork"]
    from lint.space.addresses import position

    assert lists
    assert all(position("10.2.0.4") not in one.may for one in lists if one.id.lower().endswith("/s1"))


def test_16_a_route_to_none_drops_both_ways(landscape: Any, judge: Any) -> None:
    landscape.peer("V1", "V2")
    landscape.routes("R", "V1/S1", ("10.1.0.0/16", "None"))
    ask = judge(landscape)
    assert ask.verdict("A", "D", "tcp/22") == DENY
    assert "azure.route.none" in ask.codes("A", "D", "tcp/22")
    assert ask.verdict("D", "A", "tcp/22") == DENY
    assert ask.verdict("A", "C", "tcp/22") == ALLOW


def test_17_a_default_route_to_an_appliance_leaves_the_tag_and_the_way_open(landscape: Any, judge: Any) -> None:
    landscape.routes("R", "V1/S1", ("0.0.0.0/0", "VirtualAppliance", "10.0.9.4"))
    landscape.nsg("N", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("X", "A", "tcp/22") == OPEN
    assert "azure.tag.virtualnetwork-default-route" in ask.codes("X", "A", "tcp/22")
    assert ask.verdict("A", "X", "tcp/443") == OPEN
    assert "azure.route.appliance:10.0.9.4" in ask.codes("A", "X", "tcp/443")
    layers = [hop for path in ask.reach("A", "X", "tcp/443").paths for hop in path.hops if hop.layer == "nsg"]
    assert layers
    assert {hop.verdict for hop in layers} == {ALLOW}
    assert ask.verdict("C", "A", "tcp/22") == ALLOW


def test_17_a_transparent_appliance_is_no_obstacle(landscape: Any, judge: Any) -> None:
    landscape.routes("R", "V1/S1", ("0.0.0.0/0", "VirtualAppliance", "10.0.9.4"))
    landscape.nsg("N", at=["V1/S1"])
    landscape.transparent = ("10.0.9.4",)
    assert judge(landscape).verdict("A", "X", "tcp/443") == ALLOW


def test_18_application_security_groups_match_by_identity(landscape: Any, judge: Any) -> None:
    landscape.asg("logic", "B")
    landscape.asg("db", "C")
    landscape.nsg("N", "In 110 Allow Tcp asg:logic -> asg:db:1433", "In 120 Deny * * -> asg:db:1433", at=["V1/S2"])
    ask = judge(landscape)
    assert ask.verdict("B", "C", "tcp/1433") == ALLOW
    assert ask.verdict("A", "C", "tcp/1433") == DENY
    assert ask.verdict("A", "C", "tcp/1434") == ALLOW
    assert ask.verdict("A", "C", "icmp") == ALLOW


CASE_19 = """
resource "azurerm_virtual_network" "v" {
  name                = "v1"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16", "fd00:db8:1::/48"]
}
resource "azurerm_subnet" "s1" {
  name                 = "s1"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.1.0/24", "fd00:db8:1:1::/64"]
}
resource "azurerm_subnet" "s2" {
  name                 = "s2"
  resource_group_name  = "RG"
  virtual_network_name = "V1"
  address_prefixes     = ["10.0.2.0/24", "fd00:db8:1:2::/64"]
}
resource "azurerm_network_interface" "a" {
  name                = "A"
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {
    name                          = "v4"
    subnet_id                     = azurerm_subnet.s1.id
    private_ip_address            = "10.0.1.4"
    private_ip_address_allocation = "Static"
    primary                       = true
  }
  ip_configuration {
    name                          = "v6"
    subnet_id                     = azurerm_subnet.s1.id
    private_ip_address            = "fd00:db8:1:1::4"
    private_ip_address_version    = "IPv6"
    private_ip_address_allocation = "Static"
  }
}
resource "azurerm_network_interface" "c" {
  name                = "C"
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {
    name                          = "v4"
    subnet_id                     = azurerm_subnet.s2.id
    private_ip_address            = "10.0.2.4"
    private_ip_address_allocation = "Static"
    primary                       = true
  }
  ip_configuration {
    name                          = "v6"
    subnet_id                     = azurerm_subnet.s2.id
    private_ip_address            = "fd00:db8:1:2::4"
    private_ip_address_version    = "IPv6"
    private_ip_address_allocation = "Static"
  }
}
resource "azurerm_application_security_group" "g" {
  name                = "g"
  resource_group_name = "rg"
  location            = "westeurope"
}
resource "azurerm_network_interface_application_security_group_association" "c" {
  network_interface_id          = azurerm_network_interface.c.id
  application_security_group_id = azurerm_application_security_group.g.id
}
resource "azurerm_network_security_group" "n" {
  name                = "n"
  resource_group_name = "rg"
  location            = "westeurope"
  security_rule {
    name                                       = "deny-group"
    priority                                   = 100
    direction                                  = "Inbound"
    access                                     = "Deny"
    protocol                                   = "*"
    source_port_range                          = "*"
    destination_port_range                     = "*"
    source_address_prefix                      = "*"
    destination_application_security_group_ids = [azurerm_application_security_group.g.id]
  }
}
resource "azurerm_subnet_network_security_group_association" "s2" {
  subnet_id                 = azurerm_subnet.s2.id
  network_security_group_id = azurerm_network_security_group.n.id
}
"""


def test_19_the_provider_puts_the_group_on_ipv4_configurations_alone(terraform: Any, judge: Any) -> None:
    ask = judge(terraform(CASE_19))
    from lint.space.addresses import IPV4, IPV6

    found = ask.reach("azurerm_network_interface.a", "azurerm_network_interface.c", "tcp/443")
    assert not (found.allowed.may.peers() & IPV4)
    assert found.allowed.must.peers() & IPV6


def test_20_a_tag_with_data_is_exact(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "Out 100 Allow Tcp * -> Storage.WestUS:443", "Out 110 Deny * * -> Internet", at=["V1/S1"])
    landscape.tags(Storage__WestUS=["20.60.0.0/16"])
    ask = judge(landscape)
    assert ask.verdict("A", "20.60.1.1", "tcp/443") == ALLOW
    assert ask.verdict("A", "X", "tcp/443") == DENY


def test_20_a_tag_without_data_is_not_known(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "Out 100 Allow Tcp * -> Storage.WestUS:443", "Out 110 Deny * * -> Internet", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("A", "X", "tcp/443") == OPEN
    assert "azure.tag.no-data:Storage.WestUS" in ask.codes("A", "X", "tcp/443")
    assert ask.verdict("A", "X", "tcp/80") == DENY


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("In 100 Allow Tcp Internet -> *:443", DENY),
        ("In 100 Allow Tcp Internet -> *:8443", ALLOW),
        ("In 100 Allow Tcp AzureLoadBalancer -> *:8443", DENY),
    ],
)
def test_21_balanced_traffic_is_judged_as_it_arrives(landscape: Any, judge: Any, rule: str, expected: str) -> None:
    landscape.public("lb-ip", "203.0.113.88")
    name = "loadBalancers/lb"
    base = landscape.put("loadBalancers", "lb", {}, sku={"name": "Standard"})["id"]
    landscape.resources[name]["properties"] = {
        "frontendIPConfigurations": [
            {
                "name": "front",
                "id": f"{base}/frontendIPConfigurations/front",
                "properties": {
                    "publicIPAddress": {"id": landscape.resources["publicIPAddresses/lb-ip"]["id"]},
                },
            }
        ],
        "backendAddressPools": [{"name": "pool", "id": f"{base}/backendAddressPools/pool", "properties": {}}],
        "loadBalancingRules": [
            {
                "name": "https",
                "id": f"{base}/loadBalancingRules/https",
                "properties": {
                    "frontendIPConfiguration": {"id": f"{base}/frontendIPConfigurations/front"},
                    "backendAddressPool": {"id": f"{base}/backendAddressPools/pool"},
                    "protocol": "Tcp",
                    "frontendPort": 443,
                    "backendPort": 8443,
                },
            }
        ],
    }
    landscape.nic(
        "B", "V1/S1", "10.0.1.5", loadBalancerBackendAddressPools=[{"id": f"{base}/backendAddressPools/pool"}]
    )
    landscape.nsg("N", rule, at=["V1/S1"])
    assert judge(landscape).verdict("X", "lb", "tcp/443") == expected


@pytest.mark.parametrize(("policies", "expected"), [("Disabled", ALLOW), ("NetworkSecurityGroupEnabled", DENY)])
def test_22_a_private_endpoint_is_filtered_where_its_subnet_says_so(
    landscape: Any, judge: Any, policies: str, expected: str
) -> None:
    nic = landscape.nic("P-nic", "V1/S1", "10.0.1.10")
    landscape.put(
        "privateEndpoints",
        "P",
        {
            "subnet": nic["properties"]["ipConfigurations"][0]["properties"]["subnet"],
            "networkInterfaces": [{"id": nic["id"]}],
        },
    )
    landscape.nsg("N", "In 100 Deny Tcp * -> *:443", at=["V1/S1"])
    landscape.subnet("V1/S1")["privateEndpointNetworkPolicies"] = policies
    ask = judge(landscape)
    assert ask.verdict("C", "P", "tcp/443") == expected
    assert ask.verdict("C", "A", "tcp/443") == DENY


def test_23_admin_rules_come_before_nsgs(landscape: Any, judge: Any, make_rule: Any) -> None:
    network = landscape.resources["virtualNetworks/V1"]["id"]

    def admin(text: str) -> dict[str, Any]:
        made = make_rule(text)
        properties = made["properties"]
        for side in ("source", "destination"):
            prefix = properties.pop(f"{side}AddressPrefix")
            properties[f"{side}s"] = (
                [] if prefix == "*" else [{"addressPrefix": prefix, "addressPrefixType": "IPPrefix"}]
            )
        properties["sourcePortRanges"] = ["0-65535"]
        properties["destinationPortRanges"] = [properties.pop("destinationPortRange")]
        manager = network.replace("virtualNetworks/V1", "networkManagers/m")
        made["id"] = f"{manager}/securityAdminConfigurations/c/ruleCollections/rc/rules/{made['name']}"
        return {**made, "kind": "Custom"}

    landscape.extra.append(
        {
            "request": f"{network}/listNetworkManagerEffectiveSecurityAdminRules",
            "value": [
                admin("In 10 AlwaysAllow Tcp 10.0.2.4 -> *:22"),
                admin("In 20 Deny Tcp Internet -> *:3389"),
                admin("In 30 Allow Tcp Internet -> *:80"),
            ],
        }
    )
    landscape.nsg("N", "In 100 Deny Tcp * -> *:22", "In 110 Allow Tcp Internet -> *:3389", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("C", "A", "tcp/22") == ALLOW
    assert ask.verdict("B", "A", "tcp/22") == DENY
    assert ask.verdict("X", "A", "tcp/3389") == DENY
    assert ask.verdict("X", "A", "tcp/80") == DENY


def test_24_without_default_access_there_is_no_way_out(landscape: Any, judge: Any) -> None:
    landscape.subnet("V1/S1")["defaultOutboundAccess"] = False
    landscape.nsg("N", at=["V1/S1"])
    assert judge(landscape).verdict("B", "X", "tcp/443") == DENY


def test_24_a_nat_gateway_is_a_way_out_for_tcp_and_udp(landscape: Any, judge: Any) -> None:
    landscape.subnet("V1/S1")["defaultOutboundAccess"] = False
    landscape.nsg("N", at=["V1/S1"])
    public = landscape.public("nat-ip", "203.0.113.99")
    gateway = landscape.put("natGateways", "nat", {"publicIpAddresses": [{"id": public["id"]}]})
    landscape.subnet("V1/S1")["natGateway"] = {"id": gateway["id"]}
    ask = judge(landscape)
    assert ask.verdict("B", "X", "tcp/443") == ALLOW
    assert ask.verdict("B", "X", "icmp") == DENY
    assert ask.verdict("X", "B", "tcp/443") == DENY
    assert ask.verdict("A", "X", "icmp") == OPEN


RULES_25 = """
resource "azurerm_virtual_network" "v" {{
  name                = "v1"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}}
resource "azurerm_subnet" "s" {{
  name                 = "s1"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.1.0/24"]
  {subnet}
}}
resource "azurerm_public_ip" "p" {{
  name                = "p"
  resource_group_name = "rg"
  location            = "westeurope"
  allocation_method   = "Static"
  sku                 = "Standard"
}}
resource "azurerm_network_interface" "a" {{
  name                = "a"
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {{
    name                          = "ip"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.p.id
  }}
}}
resource "azurerm_network_security_group" "n" {{
  name                = "n"
  resource_group_name = "rg"
  location            = "westeurope"
  security_rule {{
    name                       = "http"
    priority                   = "100"
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = 80
    source_address_prefix      = "*"
    destination_address_prefix = "*"
  }}
}}
{more}
"""
ASSOCIATION = """
resource "azurerm_subnet_network_security_group_association" "s" {
  subnet_id                 = azurerm_subnet.s.id
  network_security_group_id = azurerm_network_security_group.n.id
}
"""
STANDALONE = """
resource "azurerm_network_security_rule" "https" {
  name                        = "https"
  resource_group_name         = "rg"
  network_security_group_name = azurerm_network_security_group.n.name
  priority                    = 110
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_port_range           = "*"
  destination_port_range      = "443"
  source_address_prefix       = "Internet"
  destination_address_prefix  = "*"
}
"""


def test_25_inline_and_standalone_rules_overwrite_each_other(terraform: Any, judge: Any) -> None:
    graph = terraform(RULES_25.format(subnet="", more=ASSOCIATION + STANDALONE))
    ask = judge(graph)
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/80") == ALLOW
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/443") == OPEN
    assert "azure.tf.mixed-rules" in ask.codes("X", "azurerm_network_interface.a", "tcp/443")
    assert len([note for note in graph.notes if "each apply of one drops" in note]) == 1


def test_28_a_write_only_attribute_attaches_the_nsg(terraform: Any, judge: Any) -> None:
    subnet = (
        "network_security_group_id_wo = azurerm_network_security_group.n.id\n  network_security_group_id_wo_version = 1"
    )
    ask = judge(terraform(RULES_25.format(subnet=subnet, more="")))
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/80") == ALLOW
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/443") == DENY


def test_27_spelling_changes_no_verdict(landscape: Any, judge: Any) -> None:
    made = landscape.nsg(
        "N",
        {
            "name": "in-100",
            "properties": {
                "priority": 100,
                "direction": "inbound",
                "access": "ALLOW",
                "protocol": "TCP",
                "sourcePortRange": "*",
                "sourceAddressPrefix": "virtualnetwork",
                "destinationAddressPrefix": "*",
                "destinationPortRange": "22",
            },
        },
        "In 200 Deny * * -> *",
    )
    landscape.subnet("V1/S1")["networkSecurityGroup"] = {
        "id": made["id"].replace("resourceGroups/rg", "resourceGroups/RG")
    }
    graph = landscape.graph()
    ask = judge(graph)
    assert ask.verdict("C", "A", "tcp/22") == ALLOW
    assert ask.verdict("C", "A", "tcp/23") == DENY
    assert ask.verdict("X", "A", "tcp/22") == DENY
    assert len([note for note in graph.notes if "virtualnetwork" in note]) == 1


def inline(name: str, priority: int, port: str) -> dict[str, Any]:
    """One rule as a state writes it: every attribute, the unused ones empty."""
    return {
        "name": name,
        "description": "",
        "priority": priority,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "source_port_range": "*",
        "source_port_ranges": [],
        "destination_port_range": port,
        "destination_port_ranges": [],
        "source_address_prefix": "*",
        "source_address_prefixes": [],
        "destination_address_prefix": "*",
        "destination_address_prefixes": [],
        "source_application_security_group_ids": [],
        "destination_application_security_group_ids": [],
    }


def test_26_a_state_that_repeats_standalone_rules_counts_each_once() -> None:
    from lint.azure import graph_from_terraform
    from lint.terraform.state import read_state

    group = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/n"

    def resource(kind: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "address": f"{kind}.{name}",
            "mode": "managed",
            "type": kind,
            "name": name,
            "provider_name": "registry.terraform.io/hashicorp/azurerm",
            "schema_version": 0,
            "values": values,
        }

    rules = [inline("http", 100, "80"), inline("https", 110, "443")]
    named = {"resource_group_name": "rg", "network_security_group_name": "n"}
    state = {
        "format_version": "1.0",
        "terraform_version": "1.9.0",
        "values": {
            "root_module": {
                "resources": [
                    resource(
                        "azurerm_network_security_group",
                        "n",
                        {"id": group, "name": "n", "resource_group_name": "rg", "security_rule": rules, "tags": {}},
                    ),
                    *(
                        resource(
                            "azurerm_network_security_rule",
                            one["name"],
                            {**one, **named, "id": f"{group}/securityRules/{one['name']}"},
                        )
                        for one in rules
                    ),
                ]
            }
        },
    }
    graph = graph_from_terraform([read_state(json.dumps(state).encode(), "state.json")])
    held = graph.filters["azurerm_network_security_group.n"]
    assert sorted(one.name for one in held.rules if not one.implied) == ["http", "https"]
    assert held.open_ingress == ()
    assert {one.id for one in held.rules if not one.implied} == {
        "azurerm_network_security_rule.http",
        "azurerm_network_security_rule.https",
    }
    assert not [note for note in graph.notes if "priority" in note or "overwrite" in note or "drops" in note]


def test_28_in_a_plan_the_configuration_tells_what_is_attached(judge: Any) -> None:
    from lint.azure import graph_from_terraform
    from lint.terraform.plan import read_plan

    def planned(kind: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "address": f"{kind}.{name}",
            "mode": "managed",
            "type": kind,
            "name": name,
            "provider_name": "registry.terraform.io/hashicorp/azurerm",
            "schema_version": 0,
            "values": values,
        }

    def change(kind: str, name: str, values: dict[str, Any], unknown: dict[str, Any]) -> dict[str, Any]:
        made = {name_: value for name_, value in planned(kind, name, values).items() if name_ not in ("values",)}
        return {
            **made,
            "change": {"actions": ["create"], "before": None, "after": values, "after_unknown": unknown},
        }

    def configured(kind: str, name: str, expressions: dict[str, Any]) -> dict[str, Any]:
        return {
            "address": f"{kind}.{name}",
            "mode": "managed",
            "type": kind,
            "name": name,
            "provider_config_key": "azurerm",
            "expressions": expressions,
            "schema_version": 0,
        }

    common = {"resource_group_name": "rg", "location": "westeurope", "tags": None}
    things: list[tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
        (
            "azurerm_virtual_network",
            "v",
            {**common, "name": "v1", "address_space": ["10.0.0.0/16"]},
            {"id": True, "subnet": True},
            {},
        ),
        (
            "azurerm_subnet",
            "s",
            {
                "name": "s1",
                "resource_group_name": "rg",
                "virtual_network_name": "v1",
                "address_prefixes": ["10.0.1.0/24"],
                "default_outbound_access_enabled": True,
                "private_endpoint_network_policies": "Disabled",
                "network_security_group_id_wo": None,
                "network_security_group_id_wo_version": 1,
            },
            {"id": True, "network_security_group_id": True, "route_table_id": True},
            {
                "network_security_group_id_wo": {
                    "references": ["azurerm_network_security_group.n.id", "azurerm_network_security_group.n"]
                }
            },
        ),
        (
            "azurerm_network_security_group",
            "n",
            {**common, "name": "n", "security_rule": [inline("http", 100, "80")]},
            {"id": True},
            {},
        ),
        (
            "azurerm_network_interface",
            "a",
            {
                **common,
                "name": "a",
                "ip_configuration": [
                    {"name": "ip", "private_ip_address_allocation": "Dynamic", "private_ip_address_version": "IPv4"}
                ],
            },
            {"id": True, "ip_configuration": [{"subnet_id": True, "private_ip_address": True}]},
            {"ip_configuration": [{"subnet_id": {"references": ["azurerm_subnet.s.id", "azurerm_subnet.s"]}}]},
        ),
    ]
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": [planned(k, n, v) for k, n, v, _, _ in things]}},
        "resource_changes": [change(k, n, v, u) for k, n, v, u, _ in things],
        "configuration": {
            "provider_config": {"azurerm": {"name": "azurerm", "full_name": "registry.terraform.io/hashicorp/azurerm"}},
            "root_module": {"resources": [configured(k, n, e) for k, n, _, _, e in things]},
        },
    }
    graph = graph_from_terraform([read_plan(json.dumps(plan).encode(), "plan.json", None)])
    assert graph.subnets["azurerm_subnet.s"].layers[0].filters == ("azurerm_network_security_group.n",)
    assert graph.subnets["azurerm_subnet.s"].layers[0].open == ()
    assert graph.endpoints["azurerm_network_interface.a"].addresses[0].subnet == "azurerm_subnet.s"
