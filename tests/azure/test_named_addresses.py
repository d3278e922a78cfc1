"""A rule may name an address known only after apply: it means the machine that will have it, and nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.azure import graph_from_terraform
from lint.graph.graph import RuleGraph
from lint.reach import Party, between
from lint.space.services import parse
from lint.terraform.evaluate import Options, evaluate_root
from tests.azure.test_terraform import nic, standalone

SUBNETS = """
variable "number" { type = number }
resource "azurerm_virtual_network" "v" {
  name                = "v"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_virtual_network" "w" {
  name                = "w"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.9.0.0/16"]
}
resource "azurerm_subnet" "s" {
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.1.0/24"]
}
resource "azurerm_subnet" "w" {
  name                            = "w"
  resource_group_name             = "rg"
  virtual_network_name            = azurerm_virtual_network.w.name
  address_prefixes                = ["10.9.1.0/24"]
  default_outbound_access_enabled = false
}
resource "azurerm_network_security_group" "n" {
  name                = "n"
  resource_group_name = "rg"
  location            = "westeurope"
}
resource "azurerm_network_interface_security_group_association" "g" {
  network_interface_id      = azurerm_network_interface.g.id
  network_security_group_id = azurerm_network_security_group.n.id
}
"""
SECOND_ADDRESS = """
  }
  ip_configuration {
    name                          = "second"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Dynamic"
    primary                       = false
"""
PUBLIC = """
resource "azurerm_public_ip" "%s" {
  name                = "%s"
  resource_group_name = "rg"
  location            = "westeurope"
  allocation_method   = "Static"
  sku                 = "Standard"
}
"""
NAT = (
    PUBLIC % ("nat", "nat")
    + PUBLIC % ("other", "other")
    + """
resource "azurerm_nat_gateway" "nat" {
  name                = "nat"
  resource_group_name = "rg"
  location            = "westeurope"
}
resource "azurerm_nat_gateway_public_ip_association" "nat" {
  nat_gateway_id       = azurerm_nat_gateway.nat.id
  public_ip_address_id = azurerm_public_ip.nat.id
}
resource "azurerm_subnet_nat_gateway_association" "w" {
  subnet_id      = azurerm_subnet.w.id
  nat_gateway_id = azurerm_nat_gateway.nat.id
}
"""
)
SECOND_NAT_ADDRESS = """
resource "azurerm_nat_gateway_public_ip_association" "other" {
  nat_gateway_id       = azurerm_nat_gateway.nat.id
  public_ip_address_id = azurerm_public_ip.other.id
}
"""
WEST = "azurerm_subnet.w.id"
GATEWAY = "azurerm_network_interface.g"


def world(*more: str) -> str:
    """A gateway with an NSG, and machines a and b beside it."""
    return SUBNETS + nic("g", public=True) + nic("a") + nic("b") + "".join(more)


def only(prefix: str, field: str = "source_address_prefix") -> str:
    """The NSG lets in what the prefix says, and nobody else."""
    closed = standalone("deny", 200, access='"Deny"', destination_port_range='"*"', protocol='"*"')
    return standalone("allow", 100, **{field: prefix}) + closed


def graph(directory: Path, text: str) -> RuleGraph:
    """The rule graph of one root module."""
    (directory / "main.tf").write_text(text)
    return graph_from_terraform([evaluate_root(directory, Options())])


def passes(found: RuleGraph, source: str) -> str:
    """`yes`, `no` or `unknown`: whether an interface reaches the gateway on tcp/443."""
    wanted = parse("tcp/443")
    start = Party(source, endpoint=f"azurerm_network_interface.{source}")
    reach = between(found, start, Party("gateway", endpoint=GATEWAY), wanted)
    if reach.allowed.must.restrict(None, wanted):
        return "yes"
    return "unknown" if reach.allowed.may.restrict(None, wanted) else "no"


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("azurerm_network_interface.a.private_ip_address", "yes no"),
        ('"${azurerm_network_interface.a.private_ip_address}/32"', "yes no"),
        ('format("%s/32", azurerm_network_interface.a.private_ip_addresses[0])', "yes no"),
        ('"${azurerm_network_interface.a.private_ip_addresses[1]}/32"', "unknown unknown"),
        ('"${azurerm_network_interface.a.private_ip_address}/24"', "unknown unknown"),
        ('"${azurerm_network_interface.a.private_ip_address}/128"', "unknown unknown"),
        ('"${azurerm_network_interface.a.private_ip_address}/${var.number}"', "unknown unknown"),
        ('"${azurerm_network_interface.a.mac_address}/32"', "unknown unknown"),
    ],
)
def test_a_rule_for_one_interfaces_address_lets_in_that_one_alone(tmp_path: Path, prefix: str, expected: str) -> None:
    found = graph(tmp_path, world(only(prefix)))
    assert f"{passes(found, 'a')} {passes(found, 'b')}" == expected


def test_a_rule_may_name_the_addresses_of_several(tmp_path: Path) -> None:
    each = 'for n in [azurerm_network_interface.a, azurerm_network_interface.b] : "${n.private_ip_address}/32"'
    found = graph(tmp_path, world(only(f"[{each}]", "source_address_prefixes")))
    assert (passes(found, "a"), passes(found, "b")) == ("yes", "yes")


@pytest.mark.parametrize(
    ("prefix", "field", "sure"),
    [
        ("azurerm_network_interface.two.private_ip_address", "source_address_prefix", 1),
        ("azurerm_network_interface.two.private_ip_addresses", "source_address_prefixes", 2),
    ],
)
def test_the_first_address_is_not_all_of_them(tmp_path: Path, prefix: str, field: str, sure: int) -> None:
    found = graph(tmp_path, world(nic("two", more=SECOND_ADDRESS), only(prefix, field)))
    start = Party("two", endpoint="azurerm_network_interface.two")
    reach = between(found, start, Party("gateway", endpoint=GATEWAY), parse("tcp/443"))
    assert (reach.allowed.must.peers().size, reach.allowed.may.peers().size) == (sure, sure)


@pytest.mark.parametrize(
    ("more", "prefix", "expected"),
    [
        ("", "azurerm_public_ip.c.ip_address", "yes no"),
        ("", '"${azurerm_public_ip.c.ip_address}/32"', "yes no"),
        ("", '"${azurerm_network_interface.c.private_ip_address}/32"', "no no"),
        (NAT, '"${azurerm_public_ip.nat.ip_address}/32"', "no yes"),
        (NAT, '"${azurerm_public_ip.other.ip_address}/32"', "unknown unknown"),
        (NAT + SECOND_NAT_ADDRESS, '"${azurerm_public_ip.nat.ip_address}/32"', "no unknown"),
    ],
)
def test_a_public_address_is_that_of_who_has_it(tmp_path: Path, more: str, prefix: str, expected: str) -> None:
    west = PUBLIC % ("c", "c") + nic("c", subnet=WEST, more="public_ip_address_id = azurerm_public_ip.c.id")
    if "nat" in more:
        west = west.replace("azurerm_subnet.w.id", "azurerm_subnet.s.id")
    found = graph(tmp_path, world(west, nic("d", subnet=WEST), more, only(prefix)))
    assert f"{passes(found, 'c') if 'nat' not in more else passes(found, 'a')} {passes(found, 'd')}" == expected
