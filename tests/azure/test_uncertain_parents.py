"""A rule, route or peering whose parent isn't certain may belong to each thing that it may name, and is never lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ESTATE = """
variable "nsg" {}
variable "group" {}
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
  ATTACHED
}
resource "azurerm_public_ip" "p" {
  name                = "p"
  resource_group_name = "rg"
  location            = "westeurope"
  allocation_method   = "Static"
  sku                 = "Standard"
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
ASSOCIATED = """
resource "azurerm_subnet_network_security_group_association" "s" {
  subnet_id                 = azurerm_subnet.s.id
  network_security_group_id = azurerm_network_security_group.n.id
}
"""


def group(label: str, name: str, resource_group: str = '"rg"', body: str = "") -> str:
    """An NSG without rules of its own."""
    return f"""
resource "azurerm_network_security_group" "{label}" {{
  name                = {name}
  resource_group_name = {resource_group}
  location            = "westeurope"
  {body}
}}
"""


def opening(name: str, resource_group: str = '"rg"') -> str:
    """A standalone rule that lets the Internet to tcp/22."""
    return f"""
resource "azurerm_network_security_rule" "r" {{
  name                        = "r"
  resource_group_name         = {resource_group}
  network_security_group_name = {name}
  priority                    = 100
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_port_range           = "*"
  destination_port_range      = "22"
  source_address_prefix       = "Internet"
  destination_address_prefix  = "*"
}}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(group("n", '"${var.nsg}-x"') + opening('"${var.nsg}-x"'), "undetermined", id="both unknown"),
        pytest.param(group("n", '"web"') + opening("var.nsg"), "undetermined", id="the rule's name has no value"),
        pytest.param(group("n", "var.nsg") + opening('"web"'), "undetermined", id="the group's name has no value"),
        pytest.param(group("n", '"web"') + opening('"db-${var.nsg}"'), "blocked", id="text that begins otherwise"),
        pytest.param(group("n", '"web"') + opening('"db"'), "blocked", id="another name"),
        pytest.param(group("n", '"WEB"') + opening('"web"'), "allowed", id="names mind no case"),
        pytest.param(group("n", '"web"') + opening("var.nsg", '"elsewhere"'), "blocked", id="another resource group"),
        pytest.param(
            group("n", '"web"', "var.group") + group("m", '"web"', "var.nsg") + opening('"web"'),
            "undetermined",
            id="two groups of that name",
        ),
        pytest.param(
            'module "m" {\n  source = "nobody/nowhere/azurerm"\n}\n' + group("n", '"web"') + opening("module.m.name"),
            "undetermined",
            id="a module that isn't installed names it",
        ),
    ],
)
def test_a_rule_may_belong_to_each_group_that_its_name_may_mean(
    terraform: Callable[[str], Any], judge: Callable[..., Any], text: str, expected: str
) -> None:
    graph = terraform(ESTATE.replace("ATTACHED", "") + ASSOCIATED + text)
    assert judge(graph).verdict("X", "azurerm_network_interface.a", "tcp/22") == expected


def test_a_route_may_belong_to_each_table_that_its_name_may_mean(
    terraform: Callable[[str], Any], judge: Callable[..., Any]
) -> None:
    table = """
resource "azurerm_route_table" "t" {
  name                = "t"
  resource_group_name = "rg"
  location            = "westeurope"
}
resource "azurerm_route" "r" {
  name                = "r"
  resource_group_name = "rg"
  route_table_name    = var.nsg
  address_prefix      = "198.51.100.0/24"
  next_hop_type       = "None"
}
resource "azurerm_subnet_route_table_association" "s" {
  subnet_id      = azurerm_subnet.s.id
  route_table_id = azurerm_route_table.t.id
}
"""
    graph = terraform(ESTATE.replace("ATTACHED", "") + table)
    assert judge(graph).verdict("azurerm_network_interface.a", "X", "tcp/443") == "undetermined"
    assert judge(graph).verdict("azurerm_network_interface.a", "192.0.9.1", "tcp/443") == "allowed"


def test_a_group_named_by_the_attribute_that_azurerm_1_had_is_attached(
    terraform: Callable[[str], Any], judge: Callable[..., Any]
) -> None:
    attribute = "network_security_group_id = azurerm_network_security_group.n.id"
    rules = group("n", '"n"') + opening("azurerm_network_security_group.n.name")
    at_subnet = ESTATE.replace("ATTACHED", attribute) + rules
    at_nic = ESTATE.replace("ATTACHED", "").replace('name                = "a"', f'name = "a"\n  {attribute}') + rules
    for text in (at_subnet, at_nic):
        asked = judge(terraform(text))
        assert asked.verdict("X", "azurerm_network_interface.a", "tcp/22") == "allowed"
        assert asked.verdict("X", "azurerm_network_interface.a", "tcp/23") == "blocked"
        assert asked.verdict("10.0.1.9", "azurerm_network_interface.a", "tcp/23") == "allowed"


def test_two_rules_of_one_name_and_priority_that_disagree_leave_the_answer_open(
    terraform: Callable[[str], Any], judge: Callable[..., Any]
) -> None:
    rule = """
  security_rule {
    name                       = "r"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "ACCESS"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = "22"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
  }
"""
    both = rule.replace("ACCESS", "Deny") + rule.replace("ACCESS", "Allow")
    graph = terraform(ESTATE.replace("ATTACHED", "") + ASSOCIATED + group("n", '"n"', body=both))
    assert judge(graph).verdict("X", "azurerm_network_interface.a", "tcp/22") == "undetermined"
