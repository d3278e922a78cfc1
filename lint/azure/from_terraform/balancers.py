"""Load balancers of the azurerm provider in ARM's words: rules and pools are resources of their own there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lint.azure.from_terraform.nodes import Node
from lint.azure.index import BALANCER
from lint.azure.records import Gap, Many
from lint.origin import Reason

if TYPE_CHECKING:
    from lint.azure.from_terraform.reading import Reading

_FRONTEND = {
    "name": "name",
    "subnet_id": "subnet",
    "private_ip_address": "privateIPAddress",
    "private_ip_address_version": "privateIPAddressVersion",
    "public_ip_address_id": "publicIPAddress",
}
_RULE = {
    "name": "name",
    "frontend_ip_configuration_name": "frontendIPConfigurationName",
    "protocol": "protocol",
    "frontend_port": "frontendPort",
    "frontend_port_start": "frontendPortRangeStart",
    "frontend_port_end": "frontendPortRangeEnd",
    "backend_port": "backendPort",
    "backend_address_pool_ids": "backendAddressPools",
    "backend_address_pool_id": "backendAddressPool",
    "disable_outbound_snat": "disableOutboundSnat",
}


def balancer(reading: Reading, node: Node) -> None:
    """A load balancer with its frontends."""
    fronts = reading.many(node, "frontend_ip_configuration", _FRONTEND)
    reading.add(node, BALANCER, {"frontendIPConfigurations": fronts}, sku=reading.default_sku(node))


def _child(kind: str) -> Callable[[Reading, Node], None]:
    def read(reading: Reading, node: Node) -> None:
        properties: dict[str, Any] = reading.fields(node, _RULE)
        floating = reading.get(node, "floating_ip_enabled")
        properties["enableFloatingIP"] = floating if floating is not None else reading.get(node, "enable_floating_ip")
        parent = reading.identity(node, "loadbalancer_id")
        if isinstance(parent, Gap) and any(reading.nodes.of_type("azurerm_lb")):
            said = f"which load balancer {node.resource.address} belongs to isn't known"
            reason = Reason(said, "tf.unknown:loadbalancer_id", node.resource.origin, "give loadbalancer_id a value")
            reading.incomplete = (*reading.incomplete, reason)
        reading.add(node, f"{BALANCER}/{kind}", properties, parent=parent)

    return read


def pool(reading: Reading, node: Node) -> None:
    """A backend pool; addresses join it by resources of their own."""
    addresses: list[dict[str, Any]] = []
    for other in reading.nodes.of_type("azurerm_lb_backend_address_pool_address"):
        if reading.identity(other, "backend_address_pool_id") == node.id:
            addresses.append({"ipAddress": reading.get(other, "ip_address")})
    reading.add(
        node,
        f"{BALANCER}/backendaddresspools",
        {"loadBalancerBackendAddresses": Many(tuple(addresses))},
        parent=reading.identity(node, "loadbalancer_id"),
    )


ROOMS: Mapping[str, Callable[[Reading, Node], None]] = {
    "azurerm_lb": balancer,
    "azurerm_lb_rule": _child("loadbalancingrules"),
    "azurerm_lb_nat_rule": _child("inboundnatrules"),
    "azurerm_lb_nat_pool": _child("inboundnatpools"),
    "azurerm_lb_outbound_rule": _child("outboundrules"),
    "azurerm_lb_backend_address_pool": pool,
}
