"""Networks, security groups, routes and gateways of the azurerm provider in ARM's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lint.azure import index as arm
from lint.azure.from_terraform.nodes import Node, is_unknown
from lint.azure.records import Gap, Many, Part
from lint.origin import Reason
from lint.terraform.values import as_bool, as_text, items

if TYPE_CHECKING:
    from lint.azure.from_terraform.reading import Reading

RULE = {
    "name": "name",
    "description": "description",
    "priority": "priority",
    "direction": "direction",
    "access": "access",
    "protocol": "protocol",
    "source_port_range": "sourcePortRange",
    "source_port_ranges": "sourcePortRanges",
    "destination_port_range": "destinationPortRange",
    "destination_port_ranges": "destinationPortRanges",
    "source_address_prefix": "sourceAddressPrefix",
    "source_address_prefixes": "sourceAddressPrefixes",
    "destination_address_prefix": "destinationAddressPrefix",
    "destination_address_prefixes": "destinationAddressPrefixes",
    "source_application_security_group_ids": "sourceApplicationSecurityGroups",
    "destination_application_security_group_ids": "destinationApplicationSecurityGroups",
}
ROUTE = {
    "name": "name",
    "address_prefix": "addressPrefix",
    "next_hop_type": "nextHopType",
    "next_hop_in_ip_address": "nextHopIpAddress",
}
_SUBNET = {
    "name": "name",
    "address_prefixes": "addressPrefixes",
    "address_prefix": "addressPrefix",
    "default_outbound_access_enabled": "defaultOutboundAccess",
    "private_endpoint_network_policies": "privateEndpointNetworkPolicies",
}
GROUPS = ("azurerm_network_security_group",)
NETWORKS = ("azurerm_virtual_network",)
TABLES = ("azurerm_route_table",)


def security_group(reading: Reading, node: Node) -> None:
    """An NSG: absent rules are none, for what the configuration manages."""
    rules = reading.many(node, "security_rule", RULE)
    properties: dict[str, Any] = {"securityRules": rules}
    if rules is None and node.managed and node.kind != "terraform":
        properties["securityRules"] = Many(())
    value = node.resource.values.get("security_rule")
    if rules is not None and node.managed and not rules.items and is_unknown(value) and _own(node, value):
        properties["securityRules"] = None  # computed and unset: the standalone rules tell
    left = node.resource.left_alone("security_rule")
    if left:
        held = properties["securityRules"]
        properties["securityRules"] = Many(held.items if held else (), (*(held.open if held else ()), *left))
    reading.add(node, arm.SECURITY_GROUP, properties)


def _own(node: Node, value: Any) -> bool:
    """Whether an unknown value is this resource's own attribute after apply, which says nothing new."""
    from lint.terraform.values import reference_of

    reference = reference_of(value)
    if reference is None:
        return bool(value.data.reasons) and all(
            (one.code or "").startswith("tf.computed:") for one in value.data.reasons
        )
    return reference.address == node.resource.address


def security_rule(reading: Reading, node: Node) -> None:
    """A standalone rule, joined to its NSG by name."""
    properties = reading.fields(node, RULE)
    parents = "Microsoft.Network/networkSecurityGroups"
    reading.add_child(node, arm.SECURITY_RULE, properties, GROUPS, "network_security_group_name", parents)


def application_group(reading: Reading, node: Node) -> None:
    """An ASG: nothing but a name."""
    reading.add(node, arm.APPLICATION_GROUP, {})


def virtual_network(reading: Reading, node: Node) -> None:
    """A virtual network with its inline subnets."""
    space = reading.get(node, "address_space")
    if space is None and node.managed:
        allocated = node.resource.nested("ip_address_pool")
        reasons = tuple(dict.fromkeys((*allocated.open, *_pool_reasons(node)))) if allocated.configured else ()
        space = Gap(reasons) if reasons else None
    properties: dict[str, Any] = {"addressSpace": {"addressPrefixes": space} if space is not None else None}
    inline = node.resource.nested("subnet")
    if inline.configured or inline.open:
        parts = []
        for nested in inline.items:
            made = reading.part(node, nested, _SUBNET)
            fields = dict(made.fields)
            fields.setdefault("defaultOutboundAccess", True)
            _inline_attached(reading, node, nested.values, fields)
            fields["delegations"] = _delegations(
                reading.inner(node, nested, "delegation", {"name": "name"}), nested.blocks
            )
            parts.append(Part(fields, made.origin, made.exists, made.reasons))
        properties["subnets"] = Many(tuple(parts), inline.open)
    if not node.managed:
        properties["madeElsewhere"] = True
    left = node.resource.left_alone("subnet")
    if left:
        held = properties.get("subnets")
        properties["subnets"] = Many(held.items if held else (), (*(held.open if held else ()), *left))
    reading.add(node, arm.VIRTUAL_NETWORK, properties)


def _pool_reasons(node: Node) -> tuple[Reason, ...]:
    return (
        Reason(
            f"the address space of {node.resource.address} comes from an address pool on apply",
            "tf.unknown:ip_address_pool",
            node.resource.origin,
            "give a plan or state after apply",
        ),
    )


def _inline_attached(reading: Reading, node: Node, values: Mapping[str, Any], fields: dict[str, Any]) -> None:
    for name, target in (("security_group", "networkSecurityGroup"), ("route_table_id", "routeTable")):
        value = values.get(name)
        if value is not None and value.data is not None and as_text(value) != "":
            tree = reading.nodes.tree(node, value)
            if tree is not None:
                fields[target] = {"id": tree}


def _delegations(blocks: Many, nested: Mapping[str, Any]) -> Many:
    services = []
    for one in nested.get("delegation", ()):
        for inner in one.blocks.get("service_delegation", ()):
            value = inner.values.get("name")
            services.append({"serviceName": as_text(value) if value is not None else None})
    return Many(tuple(services), blocks.open)


def subnet(reading: Reading, node: Node) -> None:
    """A subnet with what its own attributes attach; association resources come apart."""
    properties = reading.fields(node, _SUBNET)
    if node.managed and properties["defaultOutboundAccess"] is None:
        properties["defaultOutboundAccess"] = True
    if node.managed:
        properties["privateEndpointNetworkPolicies"] = _policies(reading, node)
        if properties["addressPrefixes"] is None and node.resource.nested("ip_address_pool").configured:
            properties["addressPrefixes"] = Gap(_pool_reasons(node))
    for name, target in (("network_security_group_id", "networkSecurityGroup"), ("route_table_id", "routeTable")):
        written = reading.get(node, f"{name}_wo")
        computed = reading.get(node, name)
        if written is not None:
            properties[target] = {"id": written}
        elif isinstance(computed, str) and computed and (node.kind in ("state", "terraform") or not node.managed):
            properties[target] = {"id": computed}  # written in a configuration: azurerm 1.x attached by it
        elif isinstance(computed, Gap) and node.kind == "terraform" and node.managed:
            properties[target] = {"id": computed}
        elif not node.managed and not node.resource.computed:
            properties[target] = {"id": computed} if isinstance(computed, Gap) else None
    found = node.resource.nested("delegation")
    services = [
        {"serviceName": as_text(inner.values["name"])}
        for one in found.items
        for inner in one.blocks.get("service_delegation", ())
        if "name" in inner.values
    ]
    properties["delegations"] = Many(tuple(services), found.open) if services else None
    properties["serviceEndpoints"] = _service_endpoints(node)
    parent = reading.parent(node, NETWORKS, "virtual_network_name", "Microsoft.Network/virtualNetworks")
    if isinstance(parent, Gap):
        parent = f"{node.id}#parent"
    reading.add(node, arm.SUBNET, properties, parent=parent)


def _service_endpoints(node: Node) -> Many | None:
    """`service_endpoints` list before 5.0, `service_endpoint` blocks since."""
    names: list[str] = []
    value = node.value("service_endpoints")
    for one in (items(value) or ()) if value is not None else ():
        text = as_text(one)
        if text:
            names.append(text)
    for nested in node.resource.nested("service_endpoint").items:
        held = nested.values.get("service")
        text = as_text(held) if held is not None else None
        if text:
            names.append(text)
    return Many(tuple({"service": one} for one in names)) if names else None


def _policies(reading: Reading, node: Node) -> Any:
    """Private endpoint network policies: a string since 4.0, bools before (4.0 upgrade guide; source of 3.117)."""
    text = reading.get(node, "private_endpoint_network_policies")
    if text is not None:
        return text
    enabled = node.value("private_endpoint_network_policies_enabled")
    if enabled is not None and as_bool(enabled) is not None:
        return "Enabled" if as_bool(enabled) else "Disabled"
    enforced = node.value("enforce_private_link_endpoint_network_policies")
    if enforced is not None and as_bool(enforced) is not None:
        return "Disabled" if as_bool(enforced) else "Enabled"
    if node.kind != "terraform":
        return None
    if reading.since(node, 4):
        return "Disabled"
    return Gap(
        (
            Reason(
                "without private_endpoint_network_policies its value depends on the provider's major version",
                "tf.unknown:private_endpoint_network_policies",
                node.resource.origin,
                "set private_endpoint_network_policies",
            ),
        ),
        ("Disabled", "Enabled"),
    )


def peering(reading: Reading, node: Node) -> None:
    """One side of a peering."""
    properties = reading.fields(
        node,
        {
            "allow_virtual_network_access": "allowVirtualNetworkAccess",
            "allow_forwarded_traffic": "allowForwardedTraffic",
            "allow_gateway_transit": "allowGatewayTransit",
            "use_remote_gateways": "useRemoteGateways",
            "peer_complete_virtual_networks_enabled": "peerCompleteVnets",
            "local_subnet_names": "localSubnetNames",
            "remote_subnet_names": "remoteSubnetNames",
        },
    )
    remote = reading.identity(node, "remote_virtual_network_id")
    properties["remoteVirtualNetwork"] = {"id": remote} if remote is not None else None
    parents = "Microsoft.Network/virtualNetworks"
    reading.add_child(node, arm.PEERING, properties, NETWORKS, "virtual_network_name", parents)


def route_table(reading: Reading, node: Node) -> None:
    """A route table with its inline routes; the BGP switch turned its sense in 4.0."""
    properties: dict[str, Any] = {"routes": reading.many(node, "route", ROUTE)}
    value = node.resource.values.get("route")
    if is_unknown(value) and node.managed and _own(node, value):
        properties["routes"] = None
    enabled, disabled = (
        reading.get(node, "bgp_route_propagation_enabled"),
        reading.get(node, "disable_bgp_route_propagation"),
    )
    if isinstance(enabled, bool):
        properties["disableBgpRoutePropagation"] = not enabled
    else:
        properties["disableBgpRoutePropagation"] = enabled if isinstance(enabled, Gap) else disabled
    reading.add(node, arm.ROUTE_TABLE, properties)


def route(reading: Reading, node: Node) -> None:
    """A standalone route, joined to its table by name."""
    parents = "Microsoft.Network/routeTables"
    reading.add_child(node, arm.ROUTE, reading.fields(node, ROUTE), TABLES, "route_table_name", parents)


def public_address(reading: Reading, node: Node) -> None:
    """A public IP. Its SKU is Standard by default since 4.0, Basic before; unset, the provider's version decides."""
    reading.add(
        node,
        arm.PUBLIC_ADDRESS,
        reading.fields(
            node, {"ip_address": "ipAddress", "ip_prefix": "ipPrefix", "ip_version": "publicIPAddressVersion"}
        ),
        sku=reading.default_sku(node),
    )


def nat_gateway(reading: Reading, node: Node) -> None:
    """A NAT gateway; its addresses come by association resources."""
    properties: dict[str, Any] = {}
    ids = reading.get(node, "public_ip_address_ids")
    if isinstance(ids, Many):
        properties["publicIpAddresses"] = ids
    prefixes = reading.get(node, "public_ip_prefix_ids")
    if isinstance(prefixes, Many):
        properties["publicIpPrefixes"] = prefixes
    reading.add(node, arm.NAT_GATEWAY, properties)


def firewall(reading: Reading, node: Node) -> None:
    """An Azure Firewall, known by its private address."""
    names = {"name": "name", "subnet_id": "subnet", "private_ip_address": "privateIPAddress"}
    reading.add(node, arm.FIREWALL, {"ipConfigurations": reading.many(node, "ip_configuration", names)})


def gateway(reading: Reading, node: Node) -> None:
    """A VPN or ExpressRoute gateway."""
    bgp = reading.get(node, "bgp_enabled")
    properties: dict[str, Any] = {
        "gatewayType": reading.get(node, "type"),
        "enableBgp": bgp if bgp is not None else reading.get(node, "enable_bgp"),
        "ipConfigurations": reading.many(node, "ip_configuration", {"name": "name", "subnet_id": "subnet"}),
    }
    reading.add(node, arm.GATEWAY, properties)


def local_gateway(reading: Reading, node: Node) -> None:
    """What lies on the other side of a VPN."""
    space = reading.get(node, "address_space")
    bgp = node.resource.nested("bgp_settings")
    properties: dict[str, Any] = {"localNetworkAddressSpace": {"addressPrefixes": space} if space is not None else None}
    if bgp.items:
        properties["bgpSettings"] = {}
    reading.add(node, arm.LOCAL_GATEWAY, properties)


def hub_connection(reading: Reading, node: Node) -> None:
    """A virtual network joined to a Virtual WAN hub."""
    reading.add(node, arm.HUB_CONNECTION, {"remoteVirtualNetwork": reading.identity(node, "remote_virtual_network_id")})


def route_server(reading: Reading, node: Node) -> None:
    """A Route Server learns routes by BGP."""
    reading.add(node, arm.ROUTE_SERVER, {"subnet": reading.identity(node, "subnet_id")})


def bastion(reading: Reading, node: Node) -> None:
    """A Bastion host."""
    names = {"name": "name", "subnet_id": "subnet"}
    reading.add(node, arm.BASTION, {"ipConfigurations": reading.many(node, "ip_configuration", names)})


def service_tags(reading: Reading, node: Node) -> None:
    """The data source with service tag prefixes, where it was read."""
    service = node.text("service")
    if service is None or node.managed:
        return
    region = node.text("location_filter")
    prefixes: list[str] = []
    for name in ("ipv4_cidrs", "ipv6_cidrs", "address_prefixes"):
        value = node.value(name)
        prefixes += [
            text for text in (as_text(one) for one in ((items(value) or ()) if value is not None else ())) if text
        ]
    if prefixes:
        name = f"{service}.{region}" if region else service
        document = {"changeNumber": 0, "values": [{"name": name, "properties": {"addressPrefixes": prefixes}}]}
        reading.tag_documents.append((document, node.resource.origin))


def _association(kind: str, first: str, second: str) -> Callable[[Reading, Node], None]:
    def read(reading: Reading, node: Node) -> None:
        reading.associate(node, kind, first, second)

    return read


ROOMS: Mapping[str, Callable[[Reading, Node], None]] = {
    "azurerm_network_security_group": security_group,
    "azurerm_network_security_rule": security_rule,
    "azurerm_application_security_group": application_group,
    "azurerm_virtual_network": virtual_network,
    "azurerm_subnet": subnet,
    "azurerm_virtual_network_peering": peering,
    "azurerm_route_table": route_table,
    "azurerm_route": route,
    "azurerm_public_ip": public_address,
    "azurerm_public_ip_prefix": public_address,
    "azurerm_nat_gateway": nat_gateway,
    "azurerm_firewall": firewall,
    "azurerm_virtual_network_gateway": gateway,
    "azurerm_local_network_gateway": local_gateway,
    "azurerm_virtual_hub_connection": hub_connection,
    "azurerm_route_server": route_server,
    "azurerm_bastion_host": bastion,
    "azurerm_network_service_tags": service_tags,
    "azurerm_subnet_network_security_group_association": _association(
        "subnet.group", "subnet_id", "network_security_group_id"
    ),
    "azurerm_subnet_route_table_association": _association("subnet.route_table", "subnet_id", "route_table_id"),
    "azurerm_subnet_nat_gateway_association": _association("subnet.nat", "subnet_id", "nat_gateway_id"),
    "azurerm_nat_gateway_public_ip_association": _association(
        "nat.public_address", "nat_gateway_id", "public_ip_address_id"
    ),
    "azurerm_nat_gateway_public_ip_prefix_association": _association(
        "nat.public_prefix", "nat_gateway_id", "public_ip_prefix_id"
    ),
}
