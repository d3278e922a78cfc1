"""Virtual Network Manager resources of the azurerm provider in ARM's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lint.azure import admin
from lint.azure.from_terraform.nodes import Node
from lint.azure.index import MANAGER
from lint.azure.records import Gap, Many

if TYPE_CHECKING:
    from lint.azure.from_terraform.reading import Reading

_OPERAND = {"address_prefix": "addressPrefix", "address_prefix_type": "addressPrefixType"}


def manager(reading: Reading, node: Node) -> None:
    """A network manager: where it may act, and with what."""
    scopes = node.resource.nested("scope")
    groups: list[Any] = []
    subscriptions: list[Any] = []
    for nested in scopes.items:
        for name, into in (("management_group_ids", groups), ("subscription_ids", subscriptions)):
            tree = reading.nodes.tree(node, nested.values.get(name))
            into += tree.items if isinstance(tree, Many) else ([tree] if tree is not None else [])
    properties: dict[str, Any] = {
        "networkManagerScopes": {"managementGroups": Many(tuple(groups)), "subscriptions": Many(tuple(subscriptions))},
        "networkManagerScopeAccesses": reading.get(node, "scope_accesses"),
    }
    reading.add(node, MANAGER, properties)


def configuration(reading: Reading, node: Node) -> None:
    """A security admin configuration: without effect until it is deployed."""
    reading.add(node, admin.CONFIGURATION, {}, parent=reading.identity(node, "network_manager_id"))


def collection(reading: Reading, node: Node) -> None:
    """A rule collection and the network groups that it applies to."""
    properties: dict[str, Any] = {"appliesToGroups": reading.get(node, "network_group_ids")}
    reading.add(node, admin.COLLECTION, properties, parent=reading.identity(node, "security_admin_configuration_id"))


def rule(reading: Reading, node: Node) -> None:
    """A security admin rule."""
    properties: dict[str, Any] = reading.fields(
        node,
        {
            "name": "name",
            "description": "description",
            "priority": "priority",
            "direction": "direction",
            "action": "access",
            "protocol": "protocol",
            "source_port_ranges": "sourcePortRanges",
            "destination_port_ranges": "destinationPortRanges",
        },
    )
    properties["sources"] = reading.many(node, "source", _OPERAND)
    properties["destinations"] = reading.many(node, "destination", _OPERAND)
    reading.add(node, admin.RULE, properties, parent=reading.identity(node, "admin_rule_collection_id"))


def network_group(reading: Reading, node: Node) -> None:
    """A network group: static members are in the source, those of Azure Policy are not."""
    reading.add(node, admin.NETWORK_GROUP, {}, parent=reading.identity(node, "network_manager_id"))


def member(reading: Reading, node: Node) -> None:
    """A static member of a network group."""
    properties = {"resourceId": reading.identity(node, "target_virtual_network_id")}
    reading.add(node, admin.MEMBER, properties, parent=reading.identity(node, "network_group_id"))


def deployment(reading: Reading, node: Node) -> None:
    """A deployment: from here on the configurations act in one region."""
    ids = reading.get(node, "configuration_ids")
    reading.add(node, admin.DEPLOYMENT, {"configurationIds": ids if ids is not None else Gap(())})


def connectivity(reading: Reading, node: Node) -> None:
    """A connectivity configuration: may join networks without peerings."""
    groups = reading.many(node, "applies_to_group", {"network_group_id": "networkGroupId"})
    reading.add(
        node, admin.CONNECTIVITY, {"appliesToGroups": groups}, parent=reading.identity(node, "network_manager_id")
    )


ROOMS: Mapping[str, Callable[[Reading, Node], None]] = {
    "azurerm_network_manager": manager,
    "azurerm_network_manager_security_admin_configuration": configuration,
    "azurerm_network_manager_admin_rule_collection": collection,
    "azurerm_network_manager_admin_rule": rule,
    "azurerm_network_manager_network_group": network_group,
    "azurerm_network_manager_static_member": member,
    "azurerm_network_manager_deployment": deployment,
    "azurerm_network_manager_connectivity_configuration": connectivity,
}
