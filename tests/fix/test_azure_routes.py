"""A flow that an Azure route table drops gets a longer route to the Internet, in the table's own style."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.fix.azure_routes import commands
from lint.fix.changes import AddRoute
from lint.graph.graph import RuleGraph
from lint.graph.topology import RouteTable, Via
from lint.origin import Origin
from lint.space.addresses import parse_cidr
from tests.fix.projects import NETWORK, PROJECT, applied, judged, machine, subnet, the, write

LONE = PROJECT.replace('{names: ["app*"]}', "{addresses: [10.0.9.0/24]}")

INLINE = """\
resource "azurerm_route_table" "dr" {
  name                = "rt-dr"
  resource_group_name = azurerm_resource_group.dr.name
  location            = "westeurope"

  route {
    name           = "nothing-out"
    address_prefix = "0.0.0.0/0"
    next_hop_type  = "None"
  }
}
"""

STANDALONE = """\
resource "azurerm_route_table" "dr" {
  name                = "rt-dr"
  resource_group_name = azurerm_resource_group.dr.name
  location            = "westeurope"
}

resource "azurerm_route" "nothing" {
  name                = "nothing-out"
  resource_group_name = azurerm_resource_group.dr.name
  route_table_name    = azurerm_route_table.dr.name
  address_prefix      = "0.0.0.0/0"
  next_hop_type       = "None"
}
"""


def association(name: str) -> str:
    """The table at a subnet."""
    return f"""\
resource "azurerm_subnet_route_table_association" "{name}" {{
  subnet_id      = azurerm_subnet.{name}.id
  route_table_id = azurerm_route_table.dr.id
}}
"""


@pytest.mark.parametrize(
    ("table", "written"),
    [
        (INLINE, '\n  route {\n    name           = "netpact-203-0-113-10-32"\n'),
        (
            STANDALONE,
            'azurerm_route_table.dr.name\n  address_prefix      = "203.0.113.10/32"\n',
        ),
    ],
    ids=["inline", "standalone"],
)
def test_the_table_gets_a_route_of_its_own_style(tmp_path: Path, table: str, written: str) -> None:
    gateway = machine("gateway", "gw", "10.0.2.9", public=True)
    write(tmp_path, NETWORK, subnet("gw", "10.0.2.0/24"), gateway, table, association("gw"), project=LONE)
    finding = the(judged(tmp_path), "block-agent-4", "tcp/443")
    assert finding.verdict == "violated"
    applied(tmp_path, finding)
    assert written in (tmp_path / "main.tf").read_text()
    assert the(judged(tmp_path), "block-agent-4", "tcp/443").verdict == "satisfied"


def test_a_table_of_several_subnets_is_one_table(tmp_path: Path) -> None:
    parts = [subnet("gw", "10.0.2.0/24"), subnet("other", "10.0.3.0/24"), association("gw"), association("other")]
    gateway = machine("gateway", "gw", "10.0.2.9", public=True)
    write(tmp_path, NETWORK, *parts, gateway, INLINE, project=LONE)
    applied(tmp_path, the(judged(tmp_path), "block-agent-4", "tcp/443"))
    assert the(judged(tmp_path), "block-agent-4", "tcp/443").verdict == "satisfied"


def test_a_live_table_gets_the_command() -> None:
    id_ = "/subscriptions/s1/resourceGroups/rg dr/providers/Microsoft.Network/routeTables/rt-dr"
    table = RouteTable("t", "rt-dr", (), Origin(resource_id=id_))
    change = AddRoute("t", parse_cidr("203.0.113.10/32"), Via.INTERNET, None)
    assert commands(change, RuleGraph(route_tables={"t": table})) == (
        "az network route-table route create --subscription s1 --resource-group 'rg dr' --route-table-name rt-dr "
        "--name netpact-203-0-113-10-32 --address-prefix 203.0.113.10/32 --next-hop-type Internet",
    )
