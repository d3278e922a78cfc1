"""azurerm and azapi resources: joins by reference, by name and by id, and what stays unknown with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lint.azure import MODELLED_TYPES, graph_from_terraform
from lint.terraform.evaluate import Options, evaluate_root

COMMON = """
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
"""
GROUP = """
resource "azurerm_network_security_group" "n" {
  name                = "n"
  resource_group_name = "rg"
  location            = "westeurope"
}
resource "azurerm_subnet_network_security_group_association" "s" {
  subnet_id                 = azurerm_subnet.s.id
  network_security_group_id = azurerm_network_security_group.n.id
}
"""


def nic(name: str, *, public: bool = False, subnet: str = "azurerm_subnet.s.id", more: str = "") -> str:
    """A NIC, and a Standard public address where it has one."""
    address = f"public_ip_address_id = azurerm_public_ip.{name}.id" if public else ""
    text = f"""
resource "azurerm_network_interface" "{name}" {{
  name                = "{name}"
  resource_group_name = "rg"
  location            = "westeurope"
  ip_configuration {{
    name                          = "ip"
    subnet_id                     = {subnet}
    private_ip_address_allocation = "Dynamic"
    {address}
    {more}
  }}
}}
"""
    if public:
        text += f"""
resource "azurerm_public_ip" "{name}" {{
  name                = "{name}"
  resource_group_name = "rg"
  location            = "westeurope"
  allocation_method   = "Static"
  sku                 = "Standard"
}}
"""
    return text


def standalone(name: str, priority: int, **fields: str) -> str:
    """A standalone rule: inbound tcp/443 from anywhere but for what `fields` say (HCL expressions)."""
    values = {
        "resource_group_name": '"rg"',
        "network_security_group_name": "azurerm_network_security_group.n.name",
        "priority": str(priority),
        "direction": '"Inbound"',
        "access": '"Allow"',
        "protocol": '"Tcp"',
        "source_port_range": '"*"',
        "destination_port_range": '"443"',
        "source_address_prefix": '"*"',
        "destination_address_prefix": '"*"',
        **fields,
    }
    lines = "\n".join(f"  {key} = {value}" for key, value in values.items() if value)
    return f'\nresource "azurerm_network_security_rule" "{name}" {{\n  name = "{name}"\n{lines}\n}}\n'


def machine(name: str, *nics: str) -> str:
    """A virtual machine with NICs."""
    ids = ", ".join(f"azurerm_network_interface.{one}.id" for one in nics)
    return f"""
resource "azurerm_linux_virtual_machine" "{name}" {{
  name                  = "{name}-vm"
  resource_group_name   = "rg"
  location              = "westeurope"
  size                  = "Standard_B1s"
  network_interface_ids = [{ids}]
  tags                  = {{ role = "{name}" }}
}}
"""


def test_a_machine_with_one_nic_is_its_endpoint(terraform: Any) -> None:
    graph = terraform(COMMON + nic("a") + machine("gw", "a"))
    gateway = graph.endpoints["azurerm_linux_virtual_machine.gw"]
    assert set(graph.endpoints) == {"azurerm_linux_virtual_machine.gw"}
    assert gateway.name == "gw-vm"
    assert "azurerm_network_interface.a" in gateway.aliases
    assert not [one for one in gateway.aliases if one.startswith("tf:")]
    assert gateway.tags == (("role", "gw"),)


def test_a_machine_with_two_nics_has_two_endpoints(terraform: Any) -> None:
    graph = terraform(COMMON + nic("a") + nic("b") + machine("gw", "a", "b"))
    assert set(graph.endpoints) == {"azurerm_network_interface.a", "azurerm_network_interface.b"}
    assert all("azurerm_linux_virtual_machine.gw" in one.aliases for one in graph.endpoints.values())


def test_standalone_rules_join_by_name_and_resource_group_in_any_case(terraform: Any) -> None:
    by_name = {"network_security_group_name": '"N"', "resource_group_name": '"RG"'}
    elsewhere = {"network_security_group_name": '"n"', "resource_group_name": '"other"'}
    graph = terraform(COMMON + GROUP + standalone("here", 100, **by_name) + standalone("there", 110, **elsewhere))
    names = [one.name for one in graph.filters["azurerm_network_security_group.n"].rules if not one.implied]
    assert names == ["here"]
    other = next(one for key, one in graph.filters.items() if key != "azurerm_network_security_group.n")
    assert [one.name for one in other.rules if not one.implied] == ["there"]
    assert other.open_ingress


def test_an_unknown_source_keeps_the_rule_undetermined_and_says_the_variable(terraform: Any, judge: Any) -> None:
    text = 'variable "office" {}\n' + COMMON + GROUP + nic("a", public=True)
    ask = judge(terraform(text + standalone("r", 100, source_address_prefix="var.office")))
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/443") == "undetermined"
    assert "tf.no-value:var.office" in ask.codes("X", "azurerm_network_interface.a", "tcp/443")
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/80") == "blocked"


def test_an_unknown_number_of_inline_rules_leaves_the_group_open(terraform: Any, judge: Any) -> None:
    group = """
variable "rules" {}
resource "azurerm_network_security_group" "n" {
  name                = "n"
  resource_group_name = "rg"
  location            = "westeurope"
  dynamic "security_rule" {
    for_each = var.rules
    content {
      name                       = security_rule.value.name
      priority                   = security_rule.value.priority
      direction                  = "Inbound"
      access                     = "Allow"
      protocol                   = "Tcp"
      source_port_range          = "*"
      destination_port_range     = security_rule.value.port
      source_address_prefix      = "*"
      destination_address_prefix = "*"
    }
  }
}
"""
    association = GROUP[GROUP.index('resource "azurerm_subnet_network') :]
    ask = judge(terraform(COMMON + group + association + nic("a", public=True)))
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/443") == "undetermined"


def test_no_inline_rules_written_as_an_empty_list_still_overwrite_standalone_ones(terraform: Any) -> None:
    text = COMMON + GROUP.replace(
        'location            = "westeurope"\n}', 'location = "westeurope"\n  security_rule = []\n}', 1
    )
    graph = terraform(text + standalone("r", 100))
    rule = next(one for one in graph.filters["azurerm_network_security_group.n"].rules if one.name == "r")
    assert not rule.exists
    assert any(reason.code == "azure.tf.mixed-rules" for reason in rule.reasons)


def test_inline_rules_as_an_attribute_of_objects(terraform: Any) -> None:
    every = """
  security_rule = [{
    name = "web", description = "", priority = 100, direction = "Inbound", access = "Allow", protocol = "Tcp",
    source_port_range = "*", source_port_ranges = [], destination_port_range = "",
    destination_port_ranges = ["80", "443"],
    source_address_prefix = "*", source_address_prefixes = [], destination_address_prefix = "*",
    destination_address_prefixes = [], source_application_security_group_ids = [],
    destination_application_security_group_ids = []
  }]
}"""
    text = GROUP.replace("\n}", every, 1)
    graph = terraform(COMMON + text)
    rule = next(one for one in graph.filters["azurerm_network_security_group.n"].rules if one.name == "web")
    from lint.space.services import render

    assert render(rule.services) == ["tcp/80", "tcp/443"]
    assert rule.origin.line == 19


def test_inline_subnets_carry_their_group(terraform: Any, judge: Any) -> None:
    text = """
resource "azurerm_virtual_network" "v" {
  name                = "v1"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
  subnet {
    name             = "inside"
    address_prefixes = ["10.0.1.0/24"]
    security_group   = azurerm_network_security_group.n.id
  }
}
resource "azurerm_network_security_group" "n" {
  name                = "n"
  resource_group_name = "rg"
  location            = "westeurope"
}
"""
    subnet = "tolist(azurerm_virtual_network.v.subnet)[0].id"
    graph = terraform(text + nic("a", public=True, subnet=subnet))
    assert [one.filters for one in graph.subnets["azurerm_virtual_network.v/subnets/inside"].layers] == [
        ("azurerm_network_security_group.n",)
    ]


def test_a_subnet_that_is_only_looked_up_is_open(terraform: Any, judge: Any) -> None:
    text = """
data "azurerm_subnet" "s" {
  name                 = "s1"
  virtual_network_name = "v1"
  resource_group_name  = "rg"
}
"""
    graph = terraform(text + nic("a", public=True, subnet="data.azurerm_subnet.s.id"))
    ask = judge(graph)
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/443") == "undetermined"
    assert any(one.startswith("tf.data:") for one in ask.codes("X", "azurerm_network_interface.a", "tcp/443"))


def test_a_data_source_is_the_resource_of_another_root(tmp_path: Path, judge: Any) -> None:
    network, apps = tmp_path / "network", tmp_path / "apps"
    network.mkdir()
    apps.mkdir()
    (network / "main.tf").write_text(COMMON + GROUP, encoding="utf-8")
    (apps / "main.tf").write_text(
        'data "azurerm_subnet" "s" {\n  name = "s1"\n  virtual_network_name = "V1"\n  resource_group_name = "rg"\n}\n'
        + nic("a", public=True, subnet="data.azurerm_subnet.s.id"),
        encoding="utf-8",
    )
    graph = graph_from_terraform([evaluate_root(network, Options()), evaluate_root(apps, Options())])
    assert judge(graph).verdict("X", "azurerm_network_interface.a", "tcp/443") == "blocked"


def test_one_address_in_two_roots_is_two_things(tmp_path: Path) -> None:
    evaluations = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(COMMON + GROUP + nic("a"), encoding="utf-8")
        evaluations.append(evaluate_root(tmp_path / name, Options()))
    graph = graph_from_terraform(evaluations)
    assert len(graph.endpoints) == 2
    assert len([one for one in graph.filters.values() if one.kind == "nsg"]) == 2
    assert all(one.endswith(":azurerm_network_interface.a") for one in graph.endpoints)


def test_unknown_names_join_by_whose_name_they_are(terraform: Any) -> None:
    text = (
        (COMMON + GROUP)
        .replace('"v1"', '"${var.prefix}-v1"')
        .replace('"n"\n  resource', '"${var.prefix}-n"\n  resource', 1)
    )
    graph = terraform('variable "prefix" {}\n' + text + standalone("r", 100) + nic("a"))
    assert graph.subnets["azurerm_subnet.s"].network == "azurerm_virtual_network.v"
    held = graph.filters["azurerm_network_security_group.n"]
    assert [one.name for one in held.rules if not one.implied] == ["r"]


def test_a_rule_that_names_an_address_known_after_apply_means_that_machine(terraform: Any, judge: Any) -> None:
    rule = standalone("r", 100, source_address_prefix="azurerm_network_interface.b.private_ip_address")
    deny = standalone("d", 200, access='"Deny"', source_address_prefix='"*"')
    ask = judge(terraform(COMMON + GROUP + nic("a") + nic("b") + nic("c") + rule + deny))
    assert ask.verdict("azurerm_network_interface.b", "azurerm_network_interface.a", "tcp/443") == "allowed"
    assert ask.verdict("azurerm_network_interface.c", "azurerm_network_interface.a", "tcp/443") == "blocked"


def test_without_a_sku_the_closed_door_is_not_certain(terraform: Any, judge: Any) -> None:
    text = (COMMON + nic("a", public=True)).replace('  sku                 = "Standard"\n', "")
    ask = judge(terraform(text))
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/443") == "undetermined"
    assert "azure.pip.secure-by-default" in ask.codes("X", "azurerm_network_interface.a", "tcp/443")


def test_a_group_that_nothing_carries_stands_for_machines_to_come(terraform: Any, judge: Any) -> None:
    graph = terraform(COMMON + GROUP + standalone("r", 100, source_address_prefix='"Internet"'))
    endpoint = graph.endpoints["azurerm_network_security_group.n"]
    assert endpoint.hypothetical
    assert endpoint.kind == "group"
    assert judge(graph).verdict("X", endpoint.id, "tcp/443") == "allowed"
    assert judge(graph).verdict("X", endpoint.id, "tcp/22") == "blocked"


@pytest.mark.parametrize("transparent", [(), ("fw",), ("azurerm_firewall.fw",)])
def test_a_firewall_as_next_hop_is_named_by_reference(tmp_path: Path, judge: Any, transparent: tuple[str, ...]) -> None:
    text = """
resource "azurerm_firewall" "fw" {
  name                = "fw"
  resource_group_name = "rg"
  location            = "westeurope"
  sku_name            = "AZFW_VNet"
  sku_tier            = "Standard"
  ip_configuration {
    name      = "ip"
    subnet_id = azurerm_subnet.s.id
  }
}
resource "azurerm_route_table" "r" {
  name                = "r"
  resource_group_name = "rg"
  location            = "westeurope"
}
resource "azurerm_route" "default" {
  name                   = "default"
  resource_group_name    = "rg"
  route_table_name       = azurerm_route_table.r.name
  address_prefix         = "0.0.0.0/0"
  next_hop_type          = "VirtualAppliance"
  next_hop_in_ip_address = azurerm_firewall.fw.ip_configuration[0].private_ip_address
}
resource "azurerm_subnet_route_table_association" "r" {
  subnet_id      = azurerm_subnet.s.id
  route_table_id = azurerm_route_table.r.id
}
"""
    (tmp_path / "main.tf").write_text(COMMON + text + nic("a"), encoding="utf-8")
    graph = graph_from_terraform([evaluate_root(tmp_path, Options())], transparent=transparent)
    ask = judge(graph)
    assert ask.verdict("azurerm_network_interface.a", "X", "tcp/443") == ("allowed" if transparent else "undetermined")
    if not transparent:
        assert "azure.firewall:fw" in ask.codes("azurerm_network_interface.a", "X", "tcp/443")


def test_scale_sets_are_one_endpoint_for_each_nic_block(terraform: Any, judge: Any) -> None:
    text = """
resource "azurerm_linux_virtual_machine_scale_set" "web" {
  name                = "web"
  resource_group_name = "rg"
  location            = "westeurope"
  instances           = 3
  network_interface {
    name                      = "main"
    primary                   = true
    network_security_group_id = azurerm_network_security_group.n.id
    ip_configuration {
      name                           = "ip"
      subnet_id                      = azurerm_subnet.s.id
      application_security_group_ids = [azurerm_application_security_group.g.id]
    }
  }
}
resource "azurerm_application_security_group" "g" {
  name                = "g"
  resource_group_name = "rg"
  location            = "westeurope"
}
resource "azurerm_network_security_group" "n" {
  name                = "n"
  resource_group_name = "rg"
  location            = "westeurope"
}
"""
    rules = standalone(
        "r",
        100,
        access='"Deny"',
        destination_address_prefix="",
        destination_application_security_group_ids="[azurerm_application_security_group.g.id]",
    )
    ask = judge(terraform(COMMON + text + rules + nic("a")))
    web = ask.graph.endpoints["azurerm_linux_virtual_machine_scale_set.web"]
    assert web.groups == ("azurerm_application_security_group.g",)
    assert ask.verdict("azurerm_network_interface.a", web.id, "tcp/443") == "blocked"
    assert ask.verdict("azurerm_network_interface.a", web.id, "tcp/80") == "allowed"


def test_azapi_bodies_are_read_as_arm(terraform: Any, judge: Any) -> None:
    text = """
resource "azapi_resource" "n" {
  type      = "Microsoft.Network/networkSecurityGroups@2024-05-01"
  parent_id = "/subscriptions/s/resourceGroups/rg"
  name      = "n"
  location  = "westeurope"
  body = {
    properties = {
      securityRules = [{
        name = "web"
        properties = {
          priority = 100, direction = "Inbound", access = "Allow", protocol = "Tcp", sourcePortRange = "*"
          destinationPortRange = "443", sourceAddressPrefix = "Internet", destinationAddressPrefix = "*"
        }
      }]
    }
  }
}
resource "azapi_resource" "v" {
  type      = "Microsoft.Network/virtualNetworks@2024-05-01"
  parent_id = "/subscriptions/s/resourceGroups/rg"
  name      = "v"
  location  = "westeurope"
  body = jsonencode({ properties = { addressSpace = { addressPrefixes = ["10.0.0.0/16"] } } })
}
resource "azapi_resource" "s" {
  type      = "Microsoft.Network/virtualNetworks/subnets@2024-05-01"
  parent_id = azapi_resource.v.id
  name      = "s"
  body = {
    properties = {
      addressPrefix        = "10.0.1.0/24"
      networkSecurityGroup = { id = azapi_resource.n.id }
    }
  }
}
"""
    ask = judge(terraform(text + nic("a", public=True, subnet="azapi_resource.s.id")))
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/443") == "allowed"
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/22") == "blocked"


def test_an_azapi_subnet_without_a_group_fights_an_association(terraform: Any, judge: Any) -> None:
    text = """
resource "azapi_resource" "s" {
  type      = "Microsoft.Network/virtualNetworks/subnets@2024-05-01"
  parent_id = azurerm_virtual_network.v.id
  name      = "s9"
  body      = { properties = { addressPrefix = "10.0.9.0/24" } }
}
"""
    network = COMMON[: COMMON.index('resource "azurerm_subnet"')]
    group = GROUP.replace("azurerm_subnet.s.id", "azapi_resource.s.id")
    graph = terraform(network + text + group + nic("a", public=True, subnet="azapi_resource.s.id"))
    ask = judge(graph)
    assert ask.verdict("X", "azurerm_network_interface.a", "tcp/443") == "undetermined"
    assert "azure.tf.mixed-subnet" in ask.codes("X", "azurerm_network_interface.a", "tcp/443")


def test_an_azapi_update_changes_its_target(terraform: Any) -> None:
    text = """
resource "azapi_update_resource" "s" {
  type        = "Microsoft.Network/virtualNetworks/subnets@2024-05-01"
  resource_id = azurerm_subnet.s.id
  body        = { properties = { defaultOutboundAccess = false } }
}
"""
    assert terraform(COMMON + text).subnets["azurerm_subnet.s"].default_egress is False


def test_admin_rules_act_where_they_are_deployed(terraform: Any, judge: Any) -> None:
    text = """
resource "azurerm_network_manager" "m" {
  name                = "m"
  resource_group_name = "rg"
  location            = "westeurope"
  scope_accesses      = ["SecurityAdmin"]
  scope { subscription_ids = ["/subscriptions/s"] }
}
resource "azurerm_network_manager_network_group" "g" {
  name               = "g"
  network_manager_id = azurerm_network_manager.m.id
}
resource "azurerm_network_manager_static_member" "v" {
  name                      = "v"
  network_group_id          = azurerm_network_manager_network_group.g.id
  target_virtual_network_id = azurerm_virtual_network.v.id
}
resource "azurerm_network_manager_security_admin_configuration" "c" {
  name               = "c"
  network_manager_id = azurerm_network_manager.m.id
}
resource "azurerm_network_manager_admin_rule_collection" "rc" {
  name                            = "rc"
  security_admin_configuration_id = azurerm_network_manager_security_admin_configuration.c.id
  network_group_ids               = [azurerm_network_manager_network_group.g.id]
}
resource "azurerm_network_manager_admin_rule" "ssh" {
  name                     = "no-ssh"
  admin_rule_collection_id = azurerm_network_manager_admin_rule_collection.rc.id
  action                   = "Deny"
  direction                = "Inbound"
  priority                 = 1
  protocol                 = "Tcp"
  destination_port_ranges  = ["22"]
}
"""
    deployment = """
resource "azurerm_network_manager_deployment" "d" {
  network_manager_id = azurerm_network_manager.m.id
  location           = "West Europe"
  scope_access       = "SecurityAdmin"
  configuration_ids  = [azurerm_network_manager_security_admin_configuration.c.id]
}
"""
    deployed = judge(terraform(COMMON + text + deployment + nic("a") + nic("b")))
    assert deployed.verdict("azurerm_network_interface.b", "azurerm_network_interface.a", "tcp/22") == "blocked"
    assert deployed.verdict("azurerm_network_interface.b", "azurerm_network_interface.a", "tcp/80") == "allowed"


def test_admin_rules_without_a_deployment_do_nothing(terraform: Any, judge: Any) -> None:
    text = """
resource "azurerm_network_manager" "m" {
  name                = "m"
  resource_group_name = "rg"
  location            = "westeurope"
  scope_accesses      = ["SecurityAdmin"]
  scope { subscription_ids = ["/subscriptions/s"] }
}
"""
    ask = judge(terraform(COMMON + text + nic("a") + nic("b")))
    assert ask.verdict("azurerm_network_interface.b", "azurerm_network_interface.a", "tcp/22") == "allowed"


def test_a_balancers_rules_lead_to_the_interfaces_of_its_pool(terraform: Any) -> None:
    text = """
resource "azurerm_lb" "lb" {
  name                = "lb"
  resource_group_name = "rg"
  location            = "westeurope"
  sku                 = "Standard"
  frontend_ip_configuration {
    name                 = "front"
    public_ip_address_id = azurerm_public_ip.a.id
  }
}
resource "azurerm_lb_backend_address_pool" "p" {
  name            = "p"
  loadbalancer_id = azurerm_lb.lb.id
}
resource "azurerm_lb_rule" "https" {
  name                           = "https"
  loadbalancer_id                = azurerm_lb.lb.id
  frontend_ip_configuration_name = "front"
  protocol                       = "Tcp"
  frontend_port                  = 443
  backend_port                   = 8443
  backend_address_pool_ids       = [azurerm_lb_backend_address_pool.p.id]
}
resource "azurerm_network_interface_backend_address_pool_association" "b" {
  network_interface_id    = azurerm_network_interface.b.id
  ip_configuration_name   = "ip"
  backend_address_pool_id = azurerm_lb_backend_address_pool.p.id
}
"""
    graph = terraform(COMMON + nic("a", public=True) + nic("b") + text)
    from lint.space.services import render

    (one,) = graph.forwardings
    assert (one.balancer, one.targets) == ("azurerm_lb.lb", ("azurerm_network_interface.b",))
    assert (render(one.listen), render(one.services)) == (["tcp/443"], ["tcp/8443"])
    assert one.preserves_client is True
    assert graph.endpoints["azurerm_network_interface.b"].addresses[0].lent_egress is True
    assert graph.endpoints["azurerm_network_interface.a"].addresses[0].lent_egress is False


def test_every_type_that_is_translated_counts_as_modelled() -> None:
    from lint.azure.from_terraform import azapi, balancers, machines, managers, networks

    rooms = {**networks.ROOMS, **machines.ROOMS, **balancers.ROOMS, **managers.ROOMS, **azapi.ROOMS}
    assert set(rooms) <= MODELLED_TYPES
