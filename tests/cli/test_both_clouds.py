"""A project with both clouds: each room reads its own resources, and machines meet over public addresses alone."""

from __future__ import annotations

from pathlib import Path

from lint.graph.graph import RuleGraph
from lint.reach.answer import between
from lint.reach.result import Party
from lint.sources import LoadOptions, load, parse
from lint.space.services import parse as service

AZURE = """
resource "azurerm_virtual_network" "v" {
  name                = "v"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "s" {
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.1.0/24"]
}
resource "azurerm_public_ip" "p" {
  name                = "p"
  resource_group_name = "rg"
  location            = "westeurope"
  allocation_method   = "Static"
  sku                 = "Standard"
}
resource "azurerm_network_interface" "n" {
  name                = "n"
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {
    name                          = "ip"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Static"
    private_ip_address            = "10.0.1.4"
    public_ip_address_id          = azurerm_public_ip.p.id
  }
}
resource "azurerm_network_security_group" "g" {
  name                = "g"
  resource_group_name = "rg"
  location            = "westeurope"
}
resource "azurerm_subnet_network_security_group_association" "a" {
  subnet_id                 = azurerm_subnet.s.id
  network_security_group_id = azurerm_network_security_group.g.id
}
resource "azurerm_network_security_rule" "ssh" {
  name                        = "ssh"
  resource_group_name         = "rg"
  network_security_group_name = azurerm_network_security_group.g.name
  priority                    = 100
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_port_range           = "*"
  destination_port_range      = "22"
  source_address_prefix       = "Internet"
  destination_address_prefix  = "*"
}
"""
AWS = """
resource "aws_vpc" "v" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_internet_gateway" "g" {
  vpc_id = aws_vpc.v.id
}
resource "aws_subnet" "s" {
  vpc_id     = aws_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_route_table" "r" {
  vpc_id = aws_vpc.v.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.g.id
  }
}
resource "aws_route_table_association" "a" {
  subnet_id      = aws_subnet.s.id
  route_table_id = aws_route_table.r.id
}
resource "aws_security_group" "sg" {
  vpc_id = aws_vpc.v.id
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_instance" "i" {
  ami                         = "ami-1"
  instance_type               = "t3.micro"
  subnet_id                   = aws_subnet.s.id
  private_ip                  = "10.0.1.4"
  associate_public_ip_address = true
  vpc_security_group_ids      = [aws_security_group.sg.id]
}
"""
HERE, THERE = "aws_instance.i", "azurerm_network_interface.n"


def verdict(graph: RuleGraph, source: str, destination: str, text: str) -> str:
    """From one machine to the other."""
    return between(graph, Party("", endpoint=source), Party("", endpoint=destination), service(text)).verdict


def test_machines_of_two_clouds_with_the_same_private_address_meet_over_public_ones(tmp_path: Path) -> None:
    (tmp_path / "azure.tf").write_text(AZURE, encoding="utf-8")
    (tmp_path / "aws.tf").write_text(AWS, encoding="utf-8")
    graph = load([parse(str(tmp_path))], LoadOptions()).graph
    assert set(graph.endpoints) == {HERE, THERE}
    assert verdict(graph, HERE, THERE, "tcp/22") == "allowed"
    assert verdict(graph, HERE, THERE, "tcp/23") == "blocked"
    assert verdict(graph, THERE, HERE, "tcp/22") == "blocked"
