"""An Azure Firewall on the way: its rules aren't judged, so it leaves verdicts open and is named, unless the project
says that it passes everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_messages import netpact

TERRAFORM = """
resource "azurerm_virtual_network" "v" {
  name                = "v"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "this" {
  for_each             = { agents = 1, mirror = 2, AzureFirewallSubnet = 9 }
  name                 = each.key
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.${each.value}.0/24"]
}
resource "azurerm_network_interface" "this" {
  for_each            = { agents = 1, mirror = 2 }
  name                = each.key
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {
    name                          = "ip"
    subnet_id                     = azurerm_subnet.this[each.key].id
    private_ip_address_allocation = "Static"
    private_ip_address            = "10.0.${each.value}.4"
  }
  tags = { role = each.key }
}
resource "azurerm_firewall" "hub" {
  name                = "fw-hub"
  resource_group_name = "rg"
  location            = "westeurope"
  sku_name            = "AZFW_VNet"
  sku_tier            = "Standard"
  ip_configuration {
    name      = "ip"
    subnet_id = azurerm_subnet.this["AzureFirewallSubnet"].id
  }
}
resource "azurerm_route_table" "this" {
  for_each            = { agents = 2, mirror = 1 }
  name                = each.key
  resource_group_name = "rg"
  location            = "westeurope"
  route {
    name                   = "through"
    address_prefix         = "10.0.${each.value}.0/24"
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = azurerm_firewall.hub.ip_configuration[0].private_ip_address
  }
}
resource "azurerm_subnet_route_table_association" "this" {
  for_each       = { agents = 2, mirror = 1 }
  subnet_id      = azurerm_subnet.this[each.key].id
  route_table_id = azurerm_route_table.this[each.key].id
}
"""
BASE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Network"


def resource(kind: str, name: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {"id": f"{BASE}/{kind}/{name}", "name": name, "type": f"Microsoft.Network/{kind}", "location": "westeurope"}
    return {**made, "properties": properties, **more}


def dump() -> list[dict[str, Any]]:
    """The same as the raw lists show it."""
    network = f"{BASE}/virtualNetworks/v"
    routes = {"agents": "10.0.2.0/24", "mirror": "10.0.1.0/24"}
    subnets = [
        {
            "name": name,
            "id": f"{network}/subnets/{name}",
            "properties": {
                "addressPrefix": f"10.0.{number}.0/24",
                **({"routeTable": {"id": f"{BASE}/routeTables/{name}"}} if name in routes else {}),
            },
        }
        for name, number in (("agents", 1), ("mirror", 2), ("AzureFirewallSubnet", 9))
    ]
    found = [
        resource("virtualNetworks", "v", {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets})
    ]
    for number, name in enumerate(routes, 1):
        held = {"privateIPAddress": f"10.0.{number}.4", "subnet": {"id": f"{network}/subnets/{name}"}}
        id_ = f"{BASE}/networkInterfaces/{name}/ipConfigurations/ip"
        configuration = {"name": "ip", "id": id_, "properties": held}
        found.append(resource("networkInterfaces", name, {"ipConfigurations": [configuration]}, tags={"role": name}))
        hop = {"addressPrefix": routes[name], "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.9.4"}
        found.append(resource("routeTables", name, {"routes": [{"name": "through", "properties": hop}]}))
    where = {"subnet": {"id": f"{network}/subnets/AzureFirewallSubnet"}, "privateIPAddress": "10.0.9.4"}
    found.append(resource("azureFirewalls", "fw-hub", {"ipConfigurations": [{"name": "ip", "properties": where}]}))
    return found


PACK = """\
schema: 1
id: acme/mirror
title: Acme Mirror
document: {title: Ports of Acme Mirror}
roles:
  agent: {title: agent, lives: customer}
  mirror: {title: mirror, lives: cloud}
flows:
  - {id: data, kind: required, from: agent, to: mirror, services: tcp/7000, purpose: p, cites: [{section: S, row: 1}]}
  - {id: never, kind: forbidden, from: agent, to: mirror, services: tcp/22, purpose: p, cites: [{section: S, row: 2}]}
"""
PROJECT = """\
version: 1
packs: [mirror.yaml]
deployments:
  prod:
    pack: acme/mirror
    roles:
      agent: [{tags: {role: agents}}]
      mirror: [{tags: {role: mirror}}]
"""


@pytest.fixture(params=["terraform", "dump"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "terraform":
        (tmp_path / "main.tf").write_text(TERRAFORM)
    else:
        (tmp_path / "all.json").write_text(json.dumps({"value": dump()}))
    (tmp_path / "mirror.yaml").write_text(PACK)
    source = "terraform:." if request.param == "terraform" else "dump:all.json"
    (tmp_path / "netpact.yaml").write_text(f"{PROJECT}sources: ['{source}']\n")
    return tmp_path


def checked(folder: Path) -> dict[str, dict[str, Any]]:
    done = netpact(folder, "check", "-f", "json")
    assert "Traceback" not in done.stderr
    return {one["flow"]: one for one in json.loads(done.stdout)["findings"]}


def test_a_firewall_as_next_hop_leaves_verdicts_open_and_is_named(project: Path) -> None:
    found = checked(project)
    assert {flow: one["verdict"] for flow, one in found.items()} == {"data": "undetermined", "never": "undetermined"}
    for one in found.values():
        assert any("Azure Firewall fw-hub stands in the way" in text for text in one["unknown"]), one["unknown"]
        assert any("declare fw-hub transparent" in text for text in one["unknown"])


@pytest.mark.parametrize("name", ["fw-hub", "FW-HUB"])
def test_a_firewall_that_the_project_declares_transparent_is_passed(project: Path, name: str) -> None:
    written = (project / "netpact.yaml").read_text()
    (project / "netpact.yaml").write_text(f"{written}transparent: [{name}]\n")
    found = checked(project)
    assert {flow: one["verdict"] for flow, one in found.items()} == {"data": "satisfied", "never": "violated"}


def test_trace_names_the_firewall_as_a_hop(project: Path) -> None:
    source = "." if (project / "main.tf").exists() else "all.json"
    done = netpact(project, "trace", source, "--from", "10.0.1.4", "--to", "10.0.2.4", "-f", "json")
    shown = json.loads(done.stdout)
    assert shown["verdict"] == "undetermined"
    hops = [hop for path in shown["paths"] for hop in path["hops"] if hop["verdict"] == "undetermined"]
    assert hops and all(hop["layer"] == "route" for hop in hops)
    assert any("fw-hub" in text for text in shown["unknown"])
