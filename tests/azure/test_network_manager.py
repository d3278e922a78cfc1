"""Azure Virtual Network Manager: what its rules and connectivity decide, and what stays open without effective data."""

from __future__ import annotations

from typing import Any

MANAGER = "networkManagers/m"


def manager(landscape: Any, *accesses: str) -> dict[str, Any]:
    """A network manager over the landscape's subscription."""
    subscription = "/subscriptions/11111111-1111-1111-1111-111111111111"
    made: dict[str, Any] = landscape.put(
        "networkManagers",
        "m",
        {"networkManagerScopes": {"subscriptions": [subscription]}, "networkManagerScopeAccesses": list(accesses)},
    )
    return made


def test_a_manager_whose_rules_are_not_there_leaves_its_networks_open(landscape: Any, judge: Any) -> None:
    manager(landscape, "SecurityAdmin")
    ask = judge(landscape)
    assert ask.verdict("C", "10.0.1.4", "tcp/22") == "undetermined"
    assert "azure.avnm" in ask.codes("C", "10.0.1.4", "tcp/22")


def test_a_manager_of_connectivity_alone_has_no_rules(landscape: Any, judge: Any) -> None:
    manager(landscape, "Connectivity")
    assert judge(landscape).verdict("C", "10.0.1.4", "tcp/22") == "allowed"


def test_a_manager_of_another_subscription_does_not_matter(landscape: Any, judge: Any) -> None:
    made = manager(landscape, "SecurityAdmin")
    made["properties"]["networkManagerScopes"] = {"subscriptions": ["/subscriptions/22222222"]}
    assert judge(landscape).verdict("C", "10.0.1.4", "tcp/22") == "allowed"


def test_a_connectivity_configuration_may_join_networks_without_a_peering(landscape: Any, judge: Any) -> None:
    assert judge(landscape).verdict("A", "D", "tcp/22") == "blocked"
    made = manager(landscape, "Connectivity")
    landscape.extra.append(
        {
            "value": [
                {
                    "id": f"{made['id']}/connectivityConfigurations/mesh",
                    "name": "mesh",
                    "type": "Microsoft.Network/networkManagers/connectivityConfigurations",
                    "properties": {
                        "connectivityTopology": "Mesh",
                        "appliesToGroups": [{"networkGroupId": f"{made['id']}/networkGroups/all"}],
                    },
                }
            ]
        }
    )
    ask = judge(landscape)
    assert ask.verdict("A", "D", "tcp/22") == "undetermined"
    assert "azure.avnm.connectivity" in ask.codes("A", "D", "tcp/22")
    assert ask.verdict("A", "C", "tcp/22") == "allowed"


def test_allow_hands_over_and_deny_ends(landscape: Any, judge: Any, make_rule: Any) -> None:
    network = landscape.resources["virtualNetworks/V1"]["id"]
    landscape.extra.append(
        {
            "request": f"{network}/listNetworkManagerEffectiveSecurityAdminRules",
            "value": [
                make_rule("In 1 Allow Tcp * -> *:443"),
                make_rule("In 2 Deny Tcp * -> *:443"),
                make_rule("Out 1 Deny Udp * -> *:53"),
            ],
        }
    )
    manager(landscape, "SecurityAdmin")  # effective data says all there is
    landscape.nsg("N", "In 100 Deny Tcp * -> *:443", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("C", "10.0.1.4", "tcp/443") == "blocked"  # by the NSG
    assert ask.verdict("A", "10.0.2.4", "tcp/443") == "allowed"
    assert ask.verdict("A", "10.0.2.4", "udp/53") == "blocked"
    assert ask.verdict("A", "10.0.2.4", "udp/54") == "allowed"
