"""Admin rules that Terraform makes act only where all that puts them in force certainly exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ESTATE = """
provider "azurerm" {
  features {}
}
resource "azurerm_resource_group" "rg" {
  name = "rg"
  location = "westeurope"
}
resource "azurerm_virtual_network" "v" {
  name = "v"
  resource_group_name = azurerm_resource_group.rg.name
  location = "westeurope"
  address_space = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "s" {
  name = "s"
  resource_group_name = azurerm_resource_group.rg.name
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes = ["10.0.1.0/24"]
}
resource "azurerm_public_ip" "p" {
  name = "p"
  resource_group_name = azurerm_resource_group.rg.name
  location = "westeurope"
  allocation_method = "Static"
  sku = "Standard"
}
resource "azurerm_network_interface" "n" {
  name = "n"
  resource_group_name = azurerm_resource_group.rg.name
  location = "westeurope"
  ip_configuration {
    name = "c"
    subnet_id = azurerm_subnet.s.id
    private_ip_address_allocation = "Static"
    private_ip_address = "10.0.1.4"
    public_ip_address_id = azurerm_public_ip.p.id
  }
}
resource "azurerm_linux_virtual_machine" "vm" {
  name = "vm"
  network_interface_ids = [azurerm_network_interface.n.id]
}
resource "azurerm_subnet_network_security_group_association" "a" {
  subnet_id = azurerm_subnet.s.id
  network_security_group_id = azurerm_network_security_group.g.id
}
resource "azurerm_network_security_group" "g" {
  name = "g"
  resource_group_name = azurerm_resource_group.rg.name
  location = "westeurope"
}
variable "deploy" {}
resource "azurerm_network_manager" "m" {
  name = "m"
  resource_group_name = azurerm_resource_group.rg.name
  location = "westeurope"
  scope_accesses = ["SecurityAdmin"]
  scope {
    subscription_ids = ["/subscriptions/x"]
  }
}
resource "azurerm_network_manager_network_group" "ng" {
  name = "ng"
  network_manager_id = azurerm_network_manager.m.id
}
resource "azurerm_network_manager_static_member" "sm" {
  name = "sm"
  network_group_id = azurerm_network_manager_network_group.ng.id
  target_virtual_network_id = azurerm_virtual_network.v.id
}
resource "azurerm_network_manager_security_admin_configuration" "c" {
  name = "c"
  network_manager_id = azurerm_network_manager.m.id
}
resource "azurerm_network_manager_admin_rule_collection" "rc" {
  name = "rc"
  security_admin_configuration_id = azurerm_network_manager_security_admin_configuration.c.id
  network_group_ids = [azurerm_network_manager_network_group.ng.id]
}
resource "azurerm_network_manager_admin_rule" "r" {
  name = "r"
  admin_rule_collection_id = azurerm_network_manager_admin_rule_collection.rc.id
  action = "AlwaysAllow"
  direction = "Inbound"
  priority = 1
  protocol = "Tcp"
  destination_port_ranges = ["22"]
  source {
    address_prefix_type = "IPPrefix"
    address_prefix = "198.51.100.0/24"
  }
}
resource "azurerm_network_manager_deployment" "d" {

  network_manager_id = azurerm_network_manager.m.id
  location = "westeurope"
  scope_access = "SecurityAdmin"
  configuration_ids = [azurerm_network_manager_security_admin_configuration.c.id]
}
"""
SECOND = """
resource "azurerm_network_manager_admin_rule_collection" "rc2" {
  name                            = "rc2"
  security_admin_configuration_id = azurerm_network_manager_security_admin_configuration.c.id
  network_group_ids               = [azurerm_network_manager_network_group.ng.id]
}
resource "azurerm_network_manager_admin_rule" "r2" {
  name                     = "r2"
  admin_rule_collection_id = azurerm_network_manager_admin_rule_collection.rc2.id
  action                   = "ACTION"
  direction                = "Inbound"
  priority                 = 1
  protocol                 = "Tcp"
  destination_port_ranges  = ["22"]
}
"""
MAYBE = '\n  count = var.deploy == "yes" ? 1 : 0'


def ask(terraform: Callable[[str], Any], judge: Callable[..., Any], text: str) -> Any:
    """The way from X to the machine by tcp/22."""
    return judge(terraform(text)).reach("X", "azurerm_linux_virtual_machine.vm", "tcp/22")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("", "", "allowed", id="deployed to all members"),
        pytest.param('_deployment" "d" {', f'_deployment" "d" {{{MAYBE}', "undetermined", id="the deployment"),
        pytest.param('_member" "sm" {', f'_member" "sm" {{{MAYBE}', "undetermined", id="the member"),
        pytest.param('_configuration" "c" {', f'_configuration" "c" {{{MAYBE}', "undetermined", id="the configuration"),
        pytest.param('_collection" "rc" {', f'_collection" "rc" {{{MAYBE}', "undetermined", id="the collection"),
        pytest.param('_rule" "r" {', f'_rule" "r" {{{MAYBE}', "undetermined", id="the rule"),
        pytest.param(
            'location = "westeurope"\n  scope_access =',
            "location = var.deploy\n  scope_access =",
            "undetermined",
            id="its region",
        ),
        pytest.param(
            'location = "westeurope"\n  scope_access =',
            'location = "North Europe"\n  scope_access =',
            "blocked",
            id="another region",
        ),
        pytest.param(
            "configuration_ids = [azurerm_network_manager_security_admin_configuration.c.id]",
            "configuration_ids = [var.deploy]",
            "undetermined",
            id="a configuration from elsewhere",
        ),
    ],
)
def test_what_puts_a_rule_in_force_must_be_certain(
    terraform: Callable[[str], Any], judge: Callable[..., Any], before: str, after: str, expected: str
) -> None:
    assert before in ESTATE
    text = ESTATE.replace(before, after, 1) if before else ESTATE
    assert ask(terraform, judge, text).verdict == expected
    if "count" in after:  # written rightly, by index, it comes to the same
        label = before.split('"')[1]
        assert ask(terraform, judge, text.replace(f".{label}.id", f".{label}[0].id")).verdict == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("azurerm_network_manager_security_admin_configuration.c.id\n", "undetermined"),
        ("azurerm_network_manager_admin_rule_collection.rc.id\n", "undetermined"),
    ],
)
def test_rules_of_a_configuration_that_is_not_in_the_source_may_be_in_force(
    terraform: Callable[[str], Any], judge: Callable[..., Any], before: str, expected: str
) -> None:
    assert before in ESTATE
    assert ask(terraform, judge, ESTATE.replace(before, "var.deploy\n", 1)).verdict == expected


def test_rules_of_one_priority_that_disagree_are_a_pair(
    terraform: Callable[[str], Any], judge: Callable[..., Any]
) -> None:
    found = ask(terraform, judge, ESTATE + SECOND.replace("ACTION", "Deny"))
    assert found.verdict == "undetermined"
    reasons = {one.code for path in found.paths for hop in path.hops for one in hop.reasons}
    assert "azure.rule.duplicate-priority" in reasons
    assert ask(terraform, judge, ESTATE + SECOND.replace("ACTION", "AlwaysAllow")).verdict == "allowed"
