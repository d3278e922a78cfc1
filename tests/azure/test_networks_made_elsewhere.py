"""A root that only looks its virtual network up: what is certain all the same, and what may be there unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

LOOKED_UP = """
data "azurerm_virtual_network" "v" {
  name                = "v"
  resource_group_name = "rg"
}
"""
OWN = """
resource "azurerm_virtual_network" "v" {
  name                = "v"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}
"""
SUBNET = """
resource "azurerm_subnet" "s" {
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = NETWORK
  address_prefixes     = ["10.0.1.0/24"]
}
"""
LOOKED_UP_SUBNET = """
data "azurerm_subnet" "s" {
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = "v"
}
"""
REST = """
variable "network" {}
resource "azurerm_network_interface" "a" {
  name                = "a"
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {
    name                          = "ip"
    subnet_id                     = HOME
    private_ip_address_allocation = "Dynamic"
  }
}
resource "azurerm_network_interface" "b" {
  name                = "b"
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {
    name                          = "ip"
    subnet_id                     = HOME
    private_ip_address_allocation = "Dynamic"
  }
}
resource "azurerm_network_security_group" "n" {
  name                = "n"
  resource_group_name = "rg"
  location            = "westeurope"
  security_rule {
    name                       = "ssh"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = "22"
    source_address_prefix      = "VirtualNetwork"
    destination_address_prefix = "*"
  }
  security_rule {
    name                       = "rest"
    priority                   = 4000
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    destination_port_range     = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
  }
}
resource "azurerm_subnet_network_security_group_association" "s" {
  subnet_id                 = HOME
  network_security_group_id = azurerm_network_security_group.n.id
}
"""


def estate(kind: str) -> str:
    """A subnet of a network that is this root's own, looked up, or named by a variable; or a subnet looked up."""
    if kind == "subnet":
        return LOOKED_UP_SUBNET + REST.replace("HOME", "data.azurerm_subnet.s.id")
    network, name = {
        "own": (OWN, "azurerm_virtual_network.v.name"),
        "looked up": (LOOKED_UP, "data.azurerm_virtual_network.v.name"),
        "named": ("", "var.network"),
    }[kind]
    return network + SUBNET.replace("NETWORK", name) + REST.replace("HOME", "azurerm_subnet.s.id")


@pytest.mark.parametrize("kind", ["own", "looked up", "named", "subnet"])
def test_machines_of_one_subnet_are_in_one_virtual_network(
    terraform: Callable[[str], Any], judge: Callable[..., Any], kind: str
) -> None:
    ask = judge(terraform(estate(kind)))
    sure = "allowed" if kind != "subnet" else "undetermined"  # its routes, which hold inside it, aren't known
    assert ask.verdict("azurerm_network_interface.b", "azurerm_network_interface.a", "tcp/22") == sure
    assert ask.verdict("azurerm_network_interface.b", "azurerm_network_interface.a", "tcp/23") == "blocked"


@pytest.mark.parametrize(
    ("kind", "expected"), [("own", "blocked"), ("looked up", "undetermined"), ("named", "undetermined")]
)
def test_a_network_made_elsewhere_may_have_peerings_that_are_not_shown(
    terraform: Callable[[str], Any], judge: Callable[..., Any], kind: str, expected: str
) -> None:
    ask = judge(terraform(estate(kind)))
    assert ask.verdict("10.0.1.9", "azurerm_network_interface.a", "tcp/22") == "allowed"
    assert ask.verdict("10.9.9.9", "azurerm_network_interface.a", "tcp/22") == expected
    assert ask.verdict("10.9.9.9", "azurerm_network_interface.a", "tcp/23") == "blocked"
    assert ask.verdict("azurerm_network_interface.a", "10.9.9.9", "tcp/22") == expected
