"""What an unset attribute means depends on the azurerm version that the configuration requires."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ESTATE = """
resource "azurerm_virtual_network" "v" {
  name                = "v1"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "s" {
  name                 = "s1"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.1.0/24"]
}
resource "azurerm_public_ip" "p" {
  name                = "p"
  resource_group_name = "rg"
  location            = "westeurope"
  allocation_method   = "Static"
}
resource "azurerm_network_interface" "a" {
  name                = "a"
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {
    name                          = "ip"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.p.id
  }
}
"""


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (None, "undetermined"),
        (">= 3.0", "undetermined"),
        ("~> 4.1", "blocked"),  # Standard: closed where no network security group judges
        (">= 4.0", "blocked"),
        ("~> 3.0", "allowed"),  # Basic: open
        ("< 4.0.0", "allowed"),
        ("<= 4.0", "undetermined"),
    ],
)
def test_the_sku_of_a_public_address(
    terraform: Callable[[str], Any], judge: Callable[..., Any], version: str | None, expected: str
) -> None:
    settings = f'terraform {{\n  required_providers {{\n    azurerm = "{version}"\n  }}\n}}\n' if version else ""
    graph = terraform(settings + ESTATE)
    assert judge(graph).verdict("X", "azurerm_network_interface.a", "tcp/22") == expected
