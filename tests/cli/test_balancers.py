"""What comes in through an Internet-facing balancer counts at the machine behind it, and `trace` shows the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_messages import netpact

AWS = """
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_internet_gateway" "g" { vpc_id = aws_vpc.v.id }
resource "aws_subnet" "front" {
  vpc_id     = aws_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_subnet" "back" {
  vpc_id     = aws_vpc.v.id
  cidr_block = "10.0.2.0/24"
}
resource "aws_route_table" "r" {
  vpc_id = aws_vpc.v.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.g.id
  }
}
resource "aws_route_table_association" "a" {
  subnet_id      = aws_subnet.front.id
  route_table_id = aws_route_table.r.id
}
resource "aws_route_table" "inside" { vpc_id = aws_vpc.v.id }
resource "aws_route_table_association" "inside" {
  subnet_id      = aws_subnet.back.id
  route_table_id = aws_route_table.inside.id
}
resource "aws_security_group" "front" {
  vpc_id = aws_vpc.v.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["FRONT"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_security_group" "back" {
  vpc_id = aws_vpc.v.id
  ingress {
    from_port = 7000
    to_port   = 7000
    protocol  = "tcp"
    BACK
  }
}
resource "aws_instance" "mirror" {
  subnet_id              = aws_subnet.back.id
  private_ip             = "10.0.2.10"
  vpc_security_group_ids = [aws_security_group.back.id]
  tags                   = { role = "mirror" }
}
resource "aws_lb" "lb" {
  load_balancer_type = "KIND"
  subnets            = [aws_subnet.front.id]
  security_groups    = [aws_security_group.front.id]
}
resource "aws_lb_target_group" "t" {
  port     = 7000
  protocol = "PROTOCOL"
  vpc_id   = aws_vpc.v.id
}
resource "aws_lb_target_group_attachment" "t" {
  target_group_arn = aws_lb_target_group.t.arn
  target_id        = aws_instance.mirror.id
}
resource "aws_lb_listener" "l" {
  load_balancer_arn = aws_lb.lb.arn
  port              = 443
  protocol          = "LISTENS"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.t.arn
  }
}
"""
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
  address_prefixes     = ["10.0.2.0/24"]
}
resource "azurerm_network_security_group" "g" {
  name                = "g"
  resource_group_name = "rg"
  location            = "westeurope"
  security_rule {
    name                       = "in"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = "7000"
    source_address_prefix      = "BACK"
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
resource "azurerm_subnet_network_security_group_association" "a" {
  subnet_id                 = azurerm_subnet.s.id
  network_security_group_id = azurerm_network_security_group.g.id
}
resource "azurerm_network_interface" "mirror" {
  name                = "mirror"
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {
    name                          = "ip"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Static"
    private_ip_address            = "10.0.2.10"
  }
  tags = { role = "mirror" }
}
resource "azurerm_public_ip" "p" {
  name                = "p"
  resource_group_name = "rg"
  location            = "westeurope"
  allocation_method   = "Static"
  sku                 = "Standard"
}
resource "azurerm_lb" "lb" {
  name                = "lb"
  resource_group_name = "rg"
  location            = "westeurope"
  sku                 = "Standard"
  frontend_ip_configuration {
    name                 = "f"
    public_ip_address_id = azurerm_public_ip.p.id
  }
}
INBOUND
"""
POOL = """
resource "azurerm_lb_backend_address_pool" "p" {
  name            = "p"
  loadbalancer_id = azurerm_lb.lb.id
}
resource "azurerm_network_interface_backend_address_pool_association" "p" {
  network_interface_id    = azurerm_network_interface.mirror.id
  ip_configuration_name   = "ip"
  backend_address_pool_id = azurerm_lb_backend_address_pool.p.id
}
resource "azurerm_lb_rule" "r" {
  name                           = "r"
  loadbalancer_id                = azurerm_lb.lb.id
  frontend_ip_configuration_name = "f"
  protocol                       = "Tcp"
  frontend_port                  = 443
  backend_port                   = 7000
  backend_address_pool_ids       = [azurerm_lb_backend_address_pool.p.id]
}
"""
NAT = """
resource "azurerm_lb_nat_rule" "n" {
  name                           = "n"
  resource_group_name            = "rg"
  loadbalancer_id                = azurerm_lb.lb.id
  frontend_ip_configuration_name = "f"
  protocol                       = "Tcp"
  frontend_port                  = 443
  backend_port                   = 7000
}
resource "azurerm_network_interface_nat_rule_association" "n" {
  network_interface_id  = azurerm_network_interface.mirror.id
  ip_configuration_name = "ip"
  nat_rule_id           = azurerm_lb_nat_rule.n.id
}
"""
PACK = """\
schema: 1
id: acme/mirror
title: Acme Mirror
document: {title: Ports of Acme Mirror}
roles:
  agent: {title: agent, lives: customer}
  mirror: {title: mirror, lives: cloud}
flows:
  - {id: only-agents, kind: exclusive, from: agent, to: mirror, services: tcp/7000, purpose: p, against: public,
     cites: [{section: S, row: 1}]}
  - {id: no-internet, kind: forbidden, from: internet, to: mirror, services: any, purpose: p,
     cites: [{section: S, row: 2}]}
"""
PROJECT = """\
version: 1
packs: [mirror.yaml]
deployments:
  prod:
    pack: acme/mirror
    roles:
      agent: [{addresses: [198.51.100.7/32]}]
      mirror: [{tags: {role: mirror}}]
"""
ANYBODY, AGENT = "0.0.0.0/0", "198.51.100.7/32"


def aws(kind: str, back: str, front: str = ANYBODY) -> str:
    peers = {"group": "security_groups = [aws_security_group.front.id]"}.get(back, f'cidr_blocks = ["{back}"]')
    over = {"network": ("TCP", "TCP"), "application": ("HTTP", "HTTPS")}[kind]
    text = AWS.replace("KIND", kind).replace("PROTOCOL", over[0]).replace("LISTENS", over[1])
    return text.replace("FRONT", front).replace("BACK", peers)


def azure(inbound: str, back: str) -> str:
    return AZURE.replace("INBOUND", inbound).replace("BACK", back)


# What stands before the mirror, whom its filters let in -> the verdicts of both flows, and of `trace`.
CASES = {
    "NLB, anybody": (aws("network", ANYBODY), "violated", "violated", "allowed"),
    "NLB, the agent": (aws("network", AGENT), "satisfied", "violated", "partial"),
    "NLB, its own group": (aws("network", "group"), "violated", "violated", "allowed"),
    "NLB, only the agent before it": (aws("network", "group", AGENT), "satisfied", "violated", "partial"),
    "NLB, its subnet": (aws("network", "10.0.1.0/24"), "satisfied", "satisfied", "blocked"),
    "ALB, its own group": (aws("application", "group"), "violated", "violated", "allowed"),
    "ALB, its subnet": (aws("application", "10.0.1.0/24"), "violated", "violated", "allowed"),
    "ALB, only the agent before it": (aws("application", "group", AGENT), "satisfied", "violated", "partial"),
    "ALB, the agent": (aws("application", AGENT), "satisfied", "satisfied", "blocked"),
    "Azure rule, anybody": (azure(POOL, "Internet"), "violated", "violated", "allowed"),
    "Azure rule, the agent": (azure(POOL, "198.51.100.7"), "satisfied", "violated", "partial"),
    "Azure rule, probes": (azure(POOL, "AzureLoadBalancer"), "satisfied", "satisfied", "blocked"),
    "Azure inbound NAT, anybody": (azure(NAT, "*"), "violated", "violated", "allowed"),
    "Azure inbound NAT, the agent": (azure(NAT, "198.51.100.7"), "satisfied", "violated", "partial"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_comes_through_a_balancer_is_judged_at_the_machine_and_shown(tmp_path: Path, name: str) -> None:
    text, exclusive, forbidden, traced = CASES[name]
    (tmp_path / "main.tf").write_text(text)
    (tmp_path / "mirror.yaml").write_text(PACK)
    (tmp_path / "netpact.yaml").write_text(PROJECT)
    found = json.loads(netpact(tmp_path, "check", "-f", "json").stdout)["findings"]
    verdicts = {one["flow"]: one["verdict"] for one in found}
    assert verdicts == {"only-agents": exclusive, "no-internet": forbidden}
    mirror = "aws_instance.mirror" if "aws_vpc" in text else "azurerm_network_interface.mirror"
    shown = trace(tmp_path, mirror)
    assert shown["verdict"] == traced
    ways = [path for path in shown["paths"] if any(hop["layer"] == "load_balancer" for hop in path["hops"])]
    assert {path["via"] for path in ways} == {"public"}
    assert any(path["verdict"] != "blocked" for path in ways) == (traced != "blocked")
    for path in ways:
        assert path["destination"] == ["10.0.2.10/32"]


def trace(folder: Path, mirror: str) -> dict[str, Any]:
    done = netpact(folder, "trace", ".", "--from", "internet", "--to", mirror, "--service", "tcp/7000", "-f", "json")
    assert "Traceback" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_fix_closes_the_balancer_where_the_machine_sees_only_that(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(CASES["ALB, its own group"][0])
    (tmp_path / "mirror.yaml").write_text(PACK)
    (tmp_path / "netpact.yaml").write_text(PROJECT)
    found = json.loads(netpact(tmp_path, "check", "-f", "json").stdout)["findings"]
    (fix,) = [one["fix"] for one in found if one["flow"] == "only-agents"]
    assert fix["verified"] is True
    assert '+    cidr_blocks = ["198.51.100.7/32"]' in fix["patch"]
    assert "aws_security_group.front" in fix["summary"]
