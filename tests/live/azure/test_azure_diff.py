"""`netpact diff` with `azure:` sides, through the command line: the real client, the ARM server on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lint.azure.collect import access
from lint.azure.collect.calls import BY_NAME, MACHINES, ROUTE_TABLES, SECURITY_GROUPS, Operation
from lint.cli import run
from tests.live.azure import world
from tests.live.azure.ask import connection
from tests.live.azure.faults import refusing
from tests.live.azure.server import DENIED, Arm

CODE = """
provider "azurerm" {
  features {}
}

resource "azurerm_resource_group" "app" {
  name     = "rg-app"
  location = "westeurope"
}
resource "azurerm_virtual_network" "v1" {
  name                = "v1"
  resource_group_name = azurerm_resource_group.app.name
  location            = azurerm_resource_group.app.location
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "console" {
  name                 = "console"
  resource_group_name  = azurerm_resource_group.app.name
  virtual_network_name = azurerm_virtual_network.v1.name
  address_prefixes     = ["10.0.1.0/24"]
}
resource "azurerm_subnet" "agents" {
  name                            = "agents"
  resource_group_name             = azurerm_resource_group.app.name
  virtual_network_name            = azurerm_virtual_network.v1.name
  address_prefixes                = ["10.0.2.0/24"]
  default_outbound_access_enabled = false
}
resource "azurerm_application_security_group" "agents" {
  name                = "agents"
  resource_group_name = azurerm_resource_group.app.name
  location            = azurerm_resource_group.app.location
}
resource "azurerm_network_security_group" "console" {
  name                = "console-nsg"
  resource_group_name = azurerm_resource_group.app.name
  location            = azurerm_resource_group.app.location
}
resource "azurerm_network_security_rule" "agents" {
  name                                  = "agents"
  network_security_group_name           = azurerm_network_security_group.console.name
  resource_group_name                   = azurerm_resource_group.app.name
  priority                              = 100
  direction                             = "Inbound"
  access                                = "Allow"
  protocol                              = "Tcp"
  source_application_security_group_ids = [azurerm_application_security_group.agents.id]
  source_port_range                     = "*"
  destination_address_prefix            = "*"
  destination_port_range                = "9000"
}
resource "azurerm_network_security_rule" "ssh" {
  name                        = "ssh"
  network_security_group_name = azurerm_network_security_group.console.name
  resource_group_name         = azurerm_resource_group.app.name
  priority                    = 110
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_address_prefix       = "198.51.100.0/24"
  source_port_range           = "*"
  destination_address_prefix  = "*"
  destination_port_range      = "22"
}
resource "azurerm_network_security_rule" "rest" {
  name                        = "rest"
  network_security_group_name = azurerm_network_security_group.console.name
  resource_group_name         = azurerm_resource_group.app.name
  priority                    = 4000
  direction                   = "Inbound"
  access                      = "Deny"
  protocol                    = "*"
  source_address_prefix       = "*"
  source_port_range           = "*"
  destination_address_prefix  = "*"
  destination_port_range      = "*"
}
resource "azurerm_subnet_network_security_group_association" "console" {
  subnet_id                 = azurerm_subnet.console.id
  network_security_group_id = azurerm_network_security_group.console.id
}
resource "azurerm_public_ip" "console" {
  name                = "console-ip"
  resource_group_name = azurerm_resource_group.app.name
  location            = azurerm_resource_group.app.location
  allocation_method   = "Static"
  sku                 = "Standard"
}
resource "azurerm_network_interface" "console" {
  name                = "console-nic"
  resource_group_name = azurerm_resource_group.app.name
  location            = azurerm_resource_group.app.location
  ip_configuration {
    name                          = "ipconfig1"
    subnet_id                     = azurerm_subnet.console.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.console.id
  }
}
resource "azurerm_linux_virtual_machine" "console" {
  name                  = "console"
  resource_group_name   = azurerm_resource_group.app.name
  location              = azurerm_resource_group.app.location
  size                  = "Standard_B1s"
  admin_username        = "admin-of-console"
  network_interface_ids = [azurerm_network_interface.console.id]
}
resource "azurerm_network_interface" "agent" {
  count               = 2
  name                = "agent-${count.index + 1}-nic"
  resource_group_name = azurerm_resource_group.app.name
  location            = azurerm_resource_group.app.location
  ip_configuration {
    name                          = "ipconfig1"
    subnet_id                     = azurerm_subnet.agents.id
    private_ip_address_allocation = "Dynamic"
  }
}
resource "azurerm_network_interface_application_security_group_association" "agent" {
  count                         = 2
  network_interface_id          = azurerm_network_interface.agent[count.index].id
  application_security_group_id = azurerm_application_security_group.agents.id
}
resource "azurerm_linux_virtual_machine" "agent" {
  count                 = 2
  name                  = "agent-${count.index + 1}"
  resource_group_name   = azurerm_resource_group.app.name
  location              = azurerm_resource_group.app.location
  size                  = "Standard_B1s"
  admin_username        = "admin-of-agent"
  network_interface_ids = [azurerm_network_interface.agent[count.index].id]
}
"""
LIVE = f"azure:{world.ONE}"
Diff = Callable[..., tuple[int, Any]]


def as_the_code_makes_it(arm: Arm) -> None:
    """What the project of this file makes, as ARM answers it."""
    arm.resources.clear()
    app = world.Place(arm, world.ONE, "rg-app")
    agents = app.put("applicationSecurityGroups", "agents", {})
    nsg = app.nsg(
        "console-nsg",
        f"In 100 Allow Tcp asg:{agents} * 9000",
        "In 110 Allow Tcp 198.51.100.0/24 * 22",
        "In 4000 Deny * * * *",
    )
    address = app.put("publicIPAddresses", "console-ip", {"ipAddress": "203.0.113.77"}, sku={"name": "Standard"})
    network = app.network(
        "v1",
        "10.0.0.0/16",
        {
            "console": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": nsg}},
            "agents": {"addressPrefixes": ["10.0.2.0/24"], "defaultOutboundAccess": False},
        },
    )
    app.machine("console", f"{network}/subnets/console", "10.0.1.4", publicIPAddress={"id": address})
    for number in (1, 2):
        app.machine(
            f"agent-{number}",
            f"{network}/subnets/agents",
            f"10.0.2.{3 + number}",
            applicationSecurityGroups=[{"id": agents}],
        )


def open_ssh(arm: Arm) -> None:
    """By hand: one rule lets a wider network in."""
    rule = next(one for id_, one in arm.resources.items() if id_.endswith("/console-nsg"))["properties"][
        "securityRules"
    ]
    rule[1]["properties"]["sourceAddressPrefix"] = "198.51.0.0/16"


@pytest.fixture(autouse=True)
def reached(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line's connection leads to the server."""
    monkeypatch.setattr(access, "connect", lambda _: connection(arm))


@pytest.fixture
def diff(capsys: pytest.CaptureFixture[str]) -> Diff:
    """Runs the command; its exit status and what it says, as JSON where no format is asked for."""

    def asked(old: str, new: str, *options: str) -> tuple[int, Any]:
        capsys.readouterr()
        as_json = "--format" not in options
        status = run(["diff", old, new, "--rate", "1000", *options, *["--format", "json"] * as_json])
        out, err = capsys.readouterr()
        assert err == ""
        return status, json.loads(out) if as_json else out

    return asked


def snapshot(file: Path) -> str:
    assert run(["snapshot", "azure:", "-o", str(file), "--rate", "1000"]) in (0, 1)
    return str(file)


def test_an_unchanged_landscape_says_what_its_snapshot_says(arm: Arm, diff: Diff, tmp_path: Path) -> None:
    kept = snapshot(tmp_path / "audit.json.zst")
    for old, new in ((kept, "azure:"), ("azure:", kept)):
        status, text = diff(old, new, "--fail-on", "any", "--format", "text")
        assert (status, text) == (0, f"no change: {old} → {new}, 8 endpoints compared\n")


def test_one_changed_rule_opens_exactly_its_traffic_in_every_pair_of_sources(
    arm: Arm, diff: Diff, tmp_path: Path
) -> None:
    before = snapshot(tmp_path / "before.json")
    open_ssh(arm)
    after = snapshot(tmp_path / "after.json")
    for old, new, gained, lost in (
        (before, after, "opened", "closed"),
        (before, "azure:", "opened", "closed"),
        ("azure:", before, "closed", "opened"),
    ):
        status, found = diff(old, new)
        assert status == (1 if gained == "opened" else 0)
        assert found[lost] == []
        (change,) = found[gained]
        assert (change["from"], change["certain"]) == ("internet", True)
        assert change["to"].endswith("/networkinterfaces/console-nic")
        assert {lane["service"] for lane in change["allowed"]} == {"tcp/22"}
        assert "198.51.0.0/18" in {lane["from"] for lane in change["allowed"]}
        assert "198.51.100.0/24" not in {lane["from"] for lane in change["allowed"]}
        (rule,) = change["rules"]
        assert (rule["filter"], rule["rule"]) == ("console-nsg", "in-110")
        assert rule["origin"]["resource_id"].endswith("/networkSecurityGroups/console-nsg/securityRules/in-110")
        assert [one["name"] for one in found["filters"]] == ["console-nsg"]
        assert found["unknown"] == []
    status, text = diff(before, "azure:", "--format", "text")
    assert "+ the Internet → console (rg-app/console-nic): tcp/22\n" in text
    assert "from 198.51.0.0/16 except 198.51.100.0/24\n" in text


class TestCode:
    @pytest.fixture
    def code(self, arm: Arm, tmp_path: Path) -> str:
        as_the_code_makes_it(arm)
        folder = tmp_path / "code"
        folder.mkdir()
        (folder / "main.tf").write_text(CODE)
        return str(folder)

    def test_says_what_the_unchanged_subscription_says(self, code: str, diff: Diff) -> None:
        for old, new in ((code, LIVE), (LIVE, code)):
            status, text = diff(old, new, "--fail-on", "any", "--format", "text")
            assert (status, text.splitlines()[-1]) == (0, f"no change: {old} → {new}, 3 endpoints compared"), text

    def test_differs_from_a_changed_one_in_the_rule_and_says_who_manages_it(
        self, code: str, arm: Arm, diff: Diff
    ) -> None:
        open_ssh(arm)
        status, found = diff(code, LIVE)
        assert status == 1
        assert [(one["from"], one["to"]) for one in found["opened"]] == [
            ("internet", "azurerm_linux_virtual_machine.console")
        ]
        (change,) = found["opened"]
        assert {lane["service"] for lane in change["allowed"]} == {"tcp/22"}
        cited = {(rule["side"], rule["rule"], rule["address"]) for rule in change["rules"]}
        assert ("new", "in-110", "azurerm_network_security_group.console") in cited
        assert found["closed"] == []
        assert [one["filter"] for one in found["filters"]] == ["azurerm_network_security_group.console"]


@pytest.mark.parametrize(
    "operation", [SECURITY_GROUPS, MACHINES, BY_NAME["network.natGateways"], ROUTE_TABLES], ids=lambda o: o.name
)
def test_a_list_that_is_denied_leaves_nothing_equal_and_is_said(
    arm: Arm, diff: Diff, tmp_path: Path, operation: Operation
) -> None:
    kept = snapshot(tmp_path / "audit.json")
    arm.judge = refusing(operation, DENIED)
    status, found = diff(kept, LIVE)
    assert status == 1
    assert any(text.startswith("new: ") and operation.name in text and world.ONE in text for text in found["unknown"])
    assert not any(change["certain"] for change in found["opened"])
    assert diff(kept, LIVE, "--fail-on", "never")[0] == 0
    for form in ("text", "markdown"):
        assert operation.name in diff(kept, LIVE, "--format", form)[1]
