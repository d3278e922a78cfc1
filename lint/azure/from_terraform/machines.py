"""Interfaces, machines, scale sets and private endpoints of the azurerm provider in ARM's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lint.azure import index as arm
from lint.azure.from_terraform.nodes import Node
from lint.azure.records import Gap, Many, Part
from lint.terraform.values import as_text

if TYPE_CHECKING:
    from lint.azure.from_terraform.reading import Reading
    from lint.terraform.resources import Nested

_CONFIGURATION = {
    "name": "name",
    "subnet_id": "subnet",
    "private_ip_address": "privateIPAddress",
    "private_ip_address_version": "privateIPAddressVersion",
    "version": "privateIPAddressVersion",
    "public_ip_address_id": "publicIPAddress",
    "application_security_group_ids": "applicationSecurityGroups",
    "load_balancer_backend_address_pool_ids": "loadBalancerBackendAddressPools",
    "load_balancer_backend_address_pools_ids": "loadBalancerBackendAddressPools",  # azurerm 1.x
    "load_balancer_inbound_nat_rules_ids": "loadBalancerInboundNatRules",
}


def interface(reading: Reading, node: Node) -> None:
    """A NIC. The resource has no NSG attribute since azurerm 2.0; the data source exports one."""
    properties: dict[str, Any] = {"ipConfigurations": _configurations(reading, node)}
    forwarding = reading.get(node, "ip_forwarding_enabled")
    properties["enableIPForwarding"] = (
        forwarding if forwarding is not None else reading.get(node, "enable_ip_forwarding")
    )
    group = reading.get(node, "network_security_group_id")
    properties["networkSecurityGroup"] = {"id": group} if group not in (None, "") else None
    reading.add(node, arm.INTERFACE, properties)


def _configurations(reading: Reading, node: Node) -> Many | None:
    found = node.resource.nested("ip_configuration")
    if not found.configured and not found.open:
        return None
    return Many(tuple(_configuration(reading, node, one) for one in found.items), found.open)


def _configuration(reading: Reading, node: Node, nested: Nested) -> Part:
    names = {attribute: name for attribute, name in _CONFIGURATION.items() if nested.values.get(attribute) is not None}
    made = reading.part(node, nested, names)
    fields = dict(made.fields)
    if isinstance(fields.get("privateIPAddress"), Gap):
        fields.pop("privateIPAddress")
    for block in ("public_ip_address", "public_ip_address_configuration"):
        if nested.blocks.get(block):
            fields["publicIPAddressConfiguration"] = {}
        else:
            value = nested.values.get(block)
            if value is not None and isinstance(value.data, tuple) and value.data:
                fields["publicIPAddressConfiguration"] = {}
    return Part(fields, made.origin, made.exists, made.reasons)


def machine(reading: Reading, node: Node) -> None:
    """A virtual machine and its NICs, the primary one first."""
    ids = reading.get(node, "network_interface_ids")
    reading.add(node, arm.MACHINE, {"networkProfile": {"networkInterfaces": ids} if ids is not None else None})


def scale_set(reading: Reading, node: Node) -> None:
    """A scale set: one NIC for each block, however many instances there are."""
    _scale_set(reading, node, "network_interface", "Flexible" if "orchestrated" in node.type else "Uniform")


def legacy_scale_set(reading: Reading, node: Node) -> None:
    """The scale set resource of old, whose NIC blocks are called network_profile."""
    _scale_set(reading, node, "network_profile", "Uniform")


def _scale_set(reading: Reading, node: Node, block: str, mode: str) -> None:
    found = node.resource.nested(block)
    parts: list[Part] = []
    for nested in found.items:
        made = reading.part(
            node,
            nested,
            {
                "name": "name",
                "network_security_group_id": "networkSecurityGroup",
                "enable_ip_forwarding": "enableIPForwarding",
                "ip_forwarding_enabled": "enableIPForwarding",
            },
        )
        fields = dict(made.fields)
        inner = nested.blocks.get("ip_configuration")
        if inner is not None:
            fields["ipConfigurations"] = Many(tuple(_configuration(reading, node, one) for one in inner))
        else:
            from lint.terraform.resources import elements

            value = nested.values.get("ip_configuration")
            items, opened = elements(value, nested.origin) if value is not None else ((), ())
            fields["ipConfigurations"] = Many(tuple(_configuration(reading, node, one) for one in items), opened)
        for name in ("enable_ip_forwarding", "ip_forwarding_enabled"):
            held = nested.values.get(name)
            if held is not None and as_text(held) == "true":
                fields["enableIPForwarding"] = True
        parts.append(Part(fields, made.origin, made.exists, made.reasons))
    profile = {"networkProfile": {"networkInterfaceConfigurations": Many(tuple(parts), found.open)}}
    reading.add(node, arm.SCALE_SET, {"orchestrationMode": mode, "virtualMachineProfile": profile})


def private_endpoint(reading: Reading, node: Node) -> None:
    """A private endpoint with the addresses that are known of it."""
    properties: dict[str, Any] = {"subnet": reading.identity(node, "subnet_id")}
    parts: list[dict[str, Any]] = []
    for name in ("ip_configuration", "private_service_connection"):
        for nested in node.resource.nested(name).items:
            value = nested.values.get("private_ip_address")
            text = as_text(value) if value is not None else None
            if text and not any(one["privateIPAddress"] == text for one in parts):
                parts.append({"privateIPAddress": text})
    properties["ipConfigurations"] = Many(tuple(parts)) if parts else None
    reading.add(node, arm.PRIVATE_ENDPOINT, properties)


def _association(kind: str, first: str, second: str, detail: str | None = None) -> Callable[[Reading, Node], None]:
    def read(reading: Reading, node: Node) -> None:
        reading.associate(node, kind, first, second, node.text(detail) if detail is not None else None)

    return read


ROOMS: Mapping[str, Callable[[Reading, Node], None]] = {
    "azurerm_network_interface": interface,
    "azurerm_linux_virtual_machine": machine,
    "azurerm_windows_virtual_machine": machine,
    "azurerm_virtual_machine": machine,
    "azurerm_linux_virtual_machine_scale_set": scale_set,
    "azurerm_windows_virtual_machine_scale_set": scale_set,
    "azurerm_orchestrated_virtual_machine_scale_set": scale_set,
    "azurerm_virtual_machine_scale_set": legacy_scale_set,
    "azurerm_private_endpoint": private_endpoint,
    "azurerm_network_interface_security_group_association": _association(
        "nic.group", "network_interface_id", "network_security_group_id"
    ),
    "azurerm_network_interface_application_security_group_association": _association(
        "nic.application_group", "network_interface_id", "application_security_group_id"
    ),
    "azurerm_private_endpoint_application_security_group_association": _association(
        "endpoint.application_group", "private_endpoint_id", "application_security_group_id"
    ),
    "azurerm_network_interface_backend_address_pool_association": _association(
        "nic.pool", "network_interface_id", "backend_address_pool_id", "ip_configuration_name"
    ),
    "azurerm_network_interface_nat_rule_association": _association(
        "nic.nat_rule", "network_interface_id", "nat_rule_id", "ip_configuration_name"
    ),
}
