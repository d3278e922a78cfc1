"""A violated finding of an Azure project comes with a patch of its network security group that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fix.projects import (
    DENY_ALL,
    NETWORK,
    applied,
    judged,
    machine,
    security_group,
    security_rule,
    subnet,
    the,
    write,
)

GROUP = "azurerm_network_security_group.gateway.id"
CONSOLE = security_rule("console", 100, destination_port_range="", destination_port_ranges='["22", "10729", "16100"]')
GATEWAY = machine("gateway", "gateway", "10.0.2.9", public=True)
APP = subnet("apps", "10.0.1.0/24") + "\n" + machine("app", "apps", "10.0.1.5")
AGENT, SSH = ("block-agent-2", "tcp/13260"), ("gateway-ssh", "tcp/22")

STANDALONE = """\
resource "azurerm_network_security_rule" "{name}" {{
  name                        = "{name}"
  resource_group_name         = azurerm_resource_group.dr.name
  network_security_group_name = {group}.name
  priority                    = {priority}
  direction                   = "Inbound"
  access                      = "{access}"
  protocol                    = "{protocol}"
  source_port_range           = "*"
  destination_port_range      = "{port}"
  source_address_prefix       = "{source}"
  destination_address_prefix  = "*"
}}
"""


def standalone(
    name: str, priority: int, source: str, port: str = "22", access: str = "Allow", protocol: str = "Tcp"
) -> str:
    return STANDALONE.format(
        name=name,
        group="azurerm_network_security_group.gateway",
        priority=priority,
        source=source,
        port=port,
        access=access,
        protocol=protocol,
    )


def project(directory: Path, *parts: str, group: str = GROUP) -> Path:
    return write(directory, NETWORK, subnet("gateway", "10.0.2.0/24", group), GATEWAY, APP, *parts)


def patched(directory: Path, flow: tuple[str, str]) -> str:
    """The patch of the flow's finding, applied; the flow is satisfied then."""
    finding = the(judged(directory), *flow)
    assert finding.verdict == "violated"
    assert finding.fix is not None
    applied(directory, finding)
    assert the(judged(directory), *flow).verdict == "satisfied"
    return finding.fix.patch


def test_an_inline_rule_is_added_before_the_rule_that_refuses(tmp_path: Path) -> None:
    patch = patched(project(tmp_path, security_group("gateway", CONSOLE, DENY_ALL)), AGENT)
    assert "+  security_rule {" in patch
    assert '+    source_address_prefix      = "10.0.1.5/32"' in patch
    assert "+    priority                   = 110" in patch


def test_a_rule_finds_room_between_priorities_that_are_taken(tmp_path: Path) -> None:
    refusing = DENY_ALL.replace("4000", "102")
    taken = security_rule("other", 101, destination_port_range='"8080"')
    patch = patched(project(tmp_path, security_group("gateway", refusing, taken)), AGENT)
    assert "+    priority                   = 100" in patch


def test_nothing_is_suggested_where_no_priority_is_free_before_the_refusal(tmp_path: Path) -> None:
    refusing = DENY_ALL.replace("4000", "101")
    taken = security_rule("other", 100, destination_port_range='"8080"')
    directory = project(tmp_path, security_group("gateway", refusing, taken))
    assert the(judged(directory), *AGENT).fix is None


def test_a_standalone_rule_is_added_where_the_group_has_standalone_rules(tmp_path: Path) -> None:
    rules = standalone("console", 100, "203.0.113.10/32"), standalone("closed", 4000, "*", "*", "Deny", "*")
    patch = patched(project(tmp_path, security_group("gateway"), *rules), AGENT)
    assert '+resource "azurerm_network_security_rule" "netpact_tcp_13260" {' in patch
    assert "azurerm_network_security_group.gateway.name" in patch


def test_one_instance_of_a_repeated_group_gets_a_rule_of_its_own(tmp_path: Path) -> None:
    groups = security_group("gateway", head='  for_each = toset(["a", "b"])').replace(
        '"nsg-gateway"', '"nsg-${each.key}"'
    )
    closed = standalone("closed", 4000, "*", "*", "Deny", "*").replace("gateway.name", 'gateway["a"].name')
    directory = project(tmp_path, groups, closed, group='azurerm_network_security_group.gateway["a"].id')
    assert 'azurerm_network_security_group.gateway["a"].name' in patched(directory, AGENT)


def test_inline_rules_of_a_repeated_group_are_left_alone_where_nobody_complains_of_the_other(tmp_path: Path) -> None:
    groups = security_group("gateway", DENY_ALL, head='  for_each = toset(["a", "b"])').replace(
        '"nsg-gateway"', '"nsg-${each.key}"'
    )
    directory = write(
        tmp_path,
        NETWORK,
        subnet("gateway", "10.0.2.0/24", 'azurerm_network_security_group.gateway["a"].id'),
        GATEWAY,
        subnet("apps", "10.0.1.0/24", 'azurerm_network_security_group.gateway["b"].id'),
        machine("app", "apps", "10.0.1.5"),
        groups,
    )
    finding = the(judged(directory), *AGENT)
    assert finding.verdict == "violated"
    assert finding.fix is None


def test_agents_of_one_application_security_group_are_named_by_it(tmp_path: Path) -> None:
    directory = write(
        tmp_path,
        NETWORK,
        subnet("gateway", "10.0.2.0/24", GROUP),
        GATEWAY,
        subnet("apps", "10.0.1.0/24"),
        machine("app1", "apps", "10.0.1.5", application_group="azurerm_application_security_group.apps.id"),
        machine("app2", "apps", "10.0.1.6", application_group="azurerm_application_security_group.apps.id"),
        'resource "azurerm_application_security_group" "apps" {\n  name                = "asg-apps"\n'
        '  resource_group_name = azurerm_resource_group.dr.name\n  location            = "westeurope"\n}\n',
        security_group("gateway", DENY_ALL),
    )
    assert "[azurerm_application_security_group.apps.id]" in patched(directory, AGENT)


def test_groups_of_subnet_and_interface_are_both_opened_by_one_patch(tmp_path: Path) -> None:
    directory = write(
        tmp_path,
        NETWORK,
        subnet("gateway", "10.0.2.0/24", GROUP),
        machine("gateway", "gateway", "10.0.2.9", group="azurerm_network_security_group.nic.id"),
        APP,
        security_group("gateway", DENY_ALL),
        security_group("nic", DENY_ALL),
    )
    assert patched(directory, AGENT).count("+  security_rule {") == 2


def test_a_group_of_several_machines_is_opened_for_the_one_that_is_meant(tmp_path: Path) -> None:
    other = machine("database", "gateway", "10.0.2.77")
    patch = patched(project(tmp_path, other, security_group("gateway", DENY_ALL)), AGENT)
    assert '+    destination_address_prefix = "10.0.2.9/32"' in patch


@pytest.mark.parametrize(
    "source",
    [
        {"source_address_prefix": '"*"'},
        {"source_address_prefix": '"Internet"'},
        {"source_address_prefix": '"0.0.0.0/0"'},
        {"source_address_prefix": "", "source_address_prefixes": '["203.0.113.10/32", "10.0.1.0/24"]'},
    ],
    ids=["anyone", "Internet", "all addresses", "augmented"],
)
def test_a_wide_rule_is_narrowed_to_the_documented_peer(tmp_path: Path, source: dict[str, str]) -> None:
    directory = project(tmp_path, security_group("gateway", security_rule("console", 100, **source), DENY_ALL))
    patch = patched(directory, SSH)
    assert "+    source_address_prefix " in patch or '"203.0.113.10/32"' in patch
    assert patch.count("\n+") <= 3


def test_a_rule_for_the_whole_network_is_narrowed_to_documented_peers(tmp_path: Path) -> None:
    wide = security_rule("agents", 100, destination_port_range='"13260"', source_address_prefix='"VirtualNetwork"')
    other = machine("stranger", "apps", "10.0.1.66")
    directory = project(tmp_path, other, security_group("gateway", wide, DENY_ALL))
    flow = ("gateway-data", "tcp/13260")
    found = [f for f in judged(directory).findings if f.verdict == "violated" and f.service == "tcp/13260"]
    assert [f.kind for f in found] == ["exclusive"]
    assert '"10.0.1.5/32"' in patched(directory, (found[0].flow, flow[1]))


def test_a_standalone_rule_is_narrowed_in_its_own_resource(tmp_path: Path) -> None:
    rules = standalone("console", 100, "Internet"), standalone("closed", 4000, "*", "*", "Deny", "*")
    patch = patched(project(tmp_path, security_group("gateway"), *rules), SSH)
    assert '-  source_address_prefix       = "Internet"' in patch


def test_ports_that_no_document_speaks_of_stay_open_in_a_rule_of_their_own(tmp_path: Path) -> None:
    wide = security_rule(
        "mixed", 100, destination_port_range="", destination_port_ranges='["22", "8080"]', source_address_prefix='"*"'
    )
    directory = project(tmp_path, security_group("gateway", wide, DENY_ALL))
    patch = patched(directory, SSH)
    assert "mixed-2" in patch
    assert "= 101" in patch
    text = (directory / "main.tf").read_text()
    assert '"8080"' in text
    assert '"22"' in text


def test_what_only_azures_own_rule_lets_in_is_refused_and_the_documented_peer_let_in_before(tmp_path: Path) -> None:
    stranger = machine("stranger", "apps", "10.0.1.66")
    directory = project(tmp_path, stranger, security_group("gateway"))
    report = judged(directory)
    found = next(f for f in report.findings if f.verdict == "violated" and f.service == "tcp/13260")
    assert found.fix is not None
    applied(directory, found)
    after = judged(directory)
    assert the(after, found.flow, "tcp/13260").verdict == "satisfied"
    assert the(after, *AGENT).verdict == "satisfied"
    assert '"Deny"' in found.fix.patch


def test_a_group_that_subnets_see_differently_is_changed_once(tmp_path: Path) -> None:
    """Tags mean something else in each network: the graph has two filters, the configuration one group."""
    second = NETWORK.replace("vnet-dr", "vnet-two").replace('network" "dr"', 'network" "two"').replace("10.0.", "10.9.")
    second = second[second.index('resource "azurerm_virtual_network"') :]
    elsewhere = subnet("far", "10.9.1.0/24", GROUP).replace("azurerm_virtual_network.dr", "azurerm_virtual_network.two")
    wide = security_rule("agents", 100, destination_port_range='"*"', source_address_prefix='"VirtualNetwork"')
    directory = project(tmp_path, second, elsewhere, security_group("gateway", wide, DENY_ALL))
    finding = the(judged(directory), *SSH)
    if finding.verdict == "violated":
        assert finding.fix is not None
        assert finding.fix.patch.count("@@") == 2
        applied(directory, finding)
        assert the(judged(directory), *SSH).verdict == "satisfied"
