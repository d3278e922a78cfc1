"""Small Azure and AWS projects of one gateway and its agents, for the tests of fixes."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lint.check import Request, check
from lint.project import load
from lint.report.document import CheckReport
from lint.verdict.finding import Finding

PROJECT = """\
version: 1
deployments:
  dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    roles:
      console: [{addresses: [203.0.113.10/32]}]
      cloud-sync-gateway: [{names: [gateway]}]
      agent: [{names: ["app*"]}]
"""

BY_ADDRESS = """\
version: 1
deployments:
  dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    roles:
      console: [{addresses: [203.0.113.10/32]}]
      cloud-sync-gateway: [{terraform: aws_instance.gateway}]
      agent: [{terraform: aws_instance.app}]
"""

NETWORK = """\
resource "azurerm_resource_group" "dr" {
  name     = "rg-dr"
  location = "westeurope"
}

resource "azurerm_virtual_network" "dr" {
  name                = "vnet-dr"
  resource_group_name = azurerm_resource_group.dr.name
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}
"""


def subnet(name: str, prefix: str, group: str = "") -> str:
    """A subnet, with the network security group that guards it where one is named."""
    text = f"""\
resource "azurerm_subnet" "{name}" {{
  name                 = "{name}"
  resource_group_name  = azurerm_resource_group.dr.name
  virtual_network_name = azurerm_virtual_network.dr.name
  address_prefixes     = ["{prefix}"]
}}
"""
    if group:
        text += f"""\

resource "azurerm_subnet_network_security_group_association" "{name}" {{
  subnet_id                 = azurerm_subnet.{name}.id
  network_security_group_id = {group}
}}
"""
    return text


def machine(
    name: str, within: str, address: str, group: str = "", application_group: str = "", public: bool = False
) -> str:
    """A machine with one interface, and a public address where one is given."""
    seen = f"""\
    public_ip_address_id          = azurerm_public_ip.{name}.id
"""
    text = f"""\
resource "azurerm_public_ip" "{name}" {{
  name                = "pip-{name}"
  resource_group_name = azurerm_resource_group.dr.name
  location            = "westeurope"
  allocation_method   = "Static"
  sku                 = "Standard"
}}

"""
    if not public:
        seen = text = ""
    text += f"""\
resource "azurerm_network_interface" "{name}" {{
  name                = "nic-{name}"
  resource_group_name = azurerm_resource_group.dr.name
  location            = "westeurope"

  ip_configuration {{
    name                          = "primary"
    subnet_id                     = azurerm_subnet.{within}.id
    private_ip_address_allocation = "Static"
    private_ip_address            = "{address}"
{seen}  }}
}}

resource "azurerm_linux_virtual_machine" "{name}" {{
  name                  = "{name}"
  resource_group_name   = azurerm_resource_group.dr.name
  location              = "westeurope"
  size                  = "Standard_D2s_v5"
  admin_username        = "ops"
  network_interface_ids = [azurerm_network_interface.{name}.id]

  os_disk {{
    caching              = "ReadWrite"
    storage_account_type = "Premium_LRS"
  }}
}}
"""
    for kind, value in (("security", group), ("application_security", application_group)):
        if value:
            kind_id = "network_security_group_id" if kind == "security" else "application_security_group_id"
            text += f"""\

resource "azurerm_network_interface_{kind}_group_association" "{name}" {{
  network_interface_id = azurerm_network_interface.{name}.id
  {kind_id} = {value}
}}
"""
    return text


def security_rule(name: str, priority: int, **changes: str) -> str:
    """An inline rule; attributes as HCL text, None drops one."""
    texts = {
        "name": f'"{name}"',
        "priority": str(priority),
        "direction": '"Inbound"',
        "access": '"Allow"',
        "protocol": '"Tcp"',
        "source_port_range": '"*"',
        "destination_port_range": '"22"',
        "source_address_prefix": '"203.0.113.10/32"',
        "destination_address_prefix": '"*"',
    } | changes
    width = max(len(key) for key, value in texts.items() if value)
    lines = [f"    {key.ljust(width)} = {value}" for key, value in texts.items() if value]
    return "\n".join(["  security_rule {", *lines, "  }"])


DENY_ALL = security_rule(
    "nobody-else",
    4000,
    access='"Deny"',
    protocol='"*"',
    source_address_prefix='"*"',
    destination_port_range='"*"',
)


def security_group(name: str, *rules: str, head: str = "") -> str:
    """An NSG with inline rules."""
    lines = [f'resource "azurerm_network_security_group" "{name}" {{']
    if head:
        lines += [head, ""]
    lines += [
        f'  name                = "nsg-{name}"',
        "  resource_group_name = azurerm_resource_group.dr.name",
        '  location            = "westeurope"',
    ]
    for rule in rules:
        lines += ["", rule]
    return "\n".join([*lines, "}\n"])


def write(directory: Path, *parts: str, project: str = PROJECT, name: str = "main.tf") -> Path:
    """A project folder with these pieces of configuration."""
    (directory / "netpact.yaml").write_text(project)
    (directory / name).write_text("\n".join(parts))
    return directory


def request(directory: Path, *sources: str) -> Request:
    """What `netpact check` is asked for this folder."""
    return Request(sources=sources or (str(directory),), project=load(directory / "netpact.yaml"))


def judged(directory: Path, *sources: str) -> CheckReport:
    """The folder checked."""
    return check(request(directory, *sources), "test")


def the(report: CheckReport, flow: str, service: str) -> Finding:
    """The one finding of a flow and service."""
    found = [f for f in report.findings if f.flow == flow and f.service == service]
    assert len(found) == 1, [(f.flow, f.service, f.verdict) for f in report.findings]
    return found[0]


def applied(directory: Path, finding: Finding) -> None:
    """The finding's patch applied as a person would."""
    assert finding.fix is not None
    assert finding.fix.verified
    assert finding.fix.patch
    subprocess.run(["git", "apply", "-"], cwd=directory, input=finding.fix.patch.encode(), check=True)
