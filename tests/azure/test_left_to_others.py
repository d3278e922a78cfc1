"""What a configuration leaves to others: to the version of azurerm, to what is there already, to Azure itself."""

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


def test_rules_that_terraform_leaves_alone_are_not_known(terraform: Callable[[str], Any]) -> None:
    text = """
    resource "azurerm_network_security_group" "n" {
      name                = "n"
      resource_group_name = "rg"
      location            = "westeurope"
      lifecycle {
        ignore_changes = [ATTRIBUTE]
      }
    }
    """
    for attribute, unknown in (("[security_rule]", True), ("[tags]", False), ("all", True)):
        (group,) = terraform(text.replace("[ATTRIBUTE]", attribute)).filters.values()
        for opened in (group.open_ingress, group.open_egress):
            assert any("ignores changes of security_rule" in one.text for one in opened) is unknown


def test_mail_that_azure_may_block_is_told(landscape: Any) -> None:
    landscape.nsg("N", "Out 100 Allow Tcp * -> *:25", at=["V1/S1"])
    landscape.nsg("M", "Out 100 Allow Tcp * -> *", "Out 110 Allow Tcp * -> *:26", at=["V1/S2"])
    (note,) = [one for one in landscape.graph().notes if "azure.smtp25" in one]
    assert "of N" in note
