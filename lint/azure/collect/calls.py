"""Every request to Azure that a scan may make, all of them read-only: paths, API versions, what they answer.

Sources: the REST reference of Microsoft.Network, Microsoft.Compute, Microsoft.Resources, Microsoft.Management and Azure
Resource Graph; "Azure resource provider operations" for the actions. The role under docs/ is generated from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NETWORK_VERSION = "2026-03-01"
_COMPUTE_VERSION = "2024-07-01"
_NETWORK, _COMPUTE = "Microsoft.Network", "Microsoft.Compute"
SUBNET = "microsoft.network/virtualnetworks/subnets"


@dataclass(frozen=True, slots=True)
class Operation:
    """One request. `path` is a template over {subscription}, {location} and {parent}, which is an id.

    `kind` is the ARM type of what it answers, in lower case ("" where nothing of it is for the model); `action` is what
    Azure's roles call it. `by_group`: it can be asked of one resource group, too. `single`: it answers one resource and
    not a list. Answers of API versions before `oldest` lack fields that decide; with `feature`, the thing doesn't exist
    before that version. `query` is what the URL asks beside the version. `long`: it may be answered later, at the place
    that the first answer names. `verifying`: asked only to compare what is in force with what was computed.
    """

    name: str
    path: str
    kind: str
    version: str
    action: str
    by_group: bool = False
    single: bool = False
    method: str = "GET"
    oldest: str = ""
    feature: bool = False
    query: str = ""
    long: bool = False
    verifying: bool = False


def _list(provider: str, kind: str, version: str, **more: Any) -> Operation:
    return Operation(
        f"{provider.rpartition('.')[2].lower()}.{kind}",
        f"/subscriptions/{{subscription}}/providers/{provider}/{kind}",
        f"{provider}/{kind}".lower(),
        version,
        f"{provider}/{kind}/read",
        by_group=True,
        **more,
    )


def _network(kind: str, **more: Any) -> Operation:
    return _list(_NETWORK, kind, _NETWORK_VERSION, **more)


def _of(parent: str, child: str, version: str = _NETWORK_VERSION, **more: Any) -> Operation:
    provider, _, owner = parent.partition("/")
    more.setdefault("kind", f"{parent}/{child}".lower())
    more.setdefault("action", f"{parent}/{child}/read")
    return Operation(
        f"{provider.rpartition('.')[2].lower()}.{owner}.{child}", f"{{parent}}/{child}", version=version, **more
    )


# Of the tenant
SUBSCRIPTIONS = Operation(
    "resources.subscriptions", "/subscriptions", "", "2022-12-01", "Microsoft.Resources/subscriptions/read"
)
DESCENDANTS = Operation(
    "management.managementGroups.descendants",
    "/providers/Microsoft.Management/managementGroups/{parent}/descendants",
    "",
    "2020-05-01",
    "Microsoft.Management/managementGroups/descendants/read",
)
RESOURCE_GRAPH = Operation(
    "resourcegraph.resources",
    "/providers/Microsoft.ResourceGraph/resources",
    "",
    "2021-03-01",
    "Microsoft.ResourceGraph/resources/read",
    method="POST",
)

# Of a subscription
PERMISSIONS = Operation(
    "authorization.permissions",
    "/subscriptions/{subscription}/providers/Microsoft.Authorization/permissions",
    "",
    "2022-04-01",
    "Microsoft.Authorization/permissions/read",
)
RESOURCE_GROUPS = Operation(
    "resources.resourceGroups",
    "/subscriptions/{subscription}/resourceGroups",
    "",
    "2021-04-01",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
)
# Older answers don't show `defaultOutboundAccess`, whose absence means that there is one.
VIRTUAL_NETWORKS = _network("virtualNetworks", oldest="2023-09-01")
SECURITY_GROUPS = _network("networkSecurityGroups")
INTERFACES = _network("networkInterfaces")
ROUTE_TABLES = _network("routeTables")
HUBS = _network("virtualHubs")
SCALE_SETS = _list(_COMPUTE, "virtualMachineScaleSets", _COMPUTE_VERSION)
MACHINES = _list(_COMPUTE, "virtualMachines", _COMPUTE_VERSION)

# Asked in every subscription, in this order. The first one shows whether the subscription answers at all.
EVERYWHERE: tuple[Operation, ...] = (
    VIRTUAL_NETWORKS,
    SECURITY_GROUPS,
    INTERFACES,
    _network("applicationSecurityGroups"),
    ROUTE_TABLES,
    _network("publicIPAddresses"),
    _network("publicIPPrefixes"),
    _network("loadBalancers"),
    _network("natGateways"),
    _network("privateEndpoints"),
    _network("azureFirewalls"),
    _network("bastionHosts"),
    HUBS,
    SCALE_SETS,
    MACHINES,
)

# Asked of single things that other answers name
SCALE_SET_INTERFACES = _of(
    f"{_COMPUTE}/virtualMachineScaleSets",
    "networkInterfaces",
    "2018-10-01",
    kind="microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces",
)
PREFIX_SETS = _of(f"{_NETWORK}/applicationSecurityGroups", "addressPrefixSets", oldest="2025-09-01", feature=True)
HUB_CONNECTIONS = _of(f"{_NETWORK}/virtualHubs", "hubVirtualNetworkConnections")
HUB_CONFIGURATIONS = _of(f"{_NETWORK}/virtualHubs", "ipConfigurations")
ADMIN_RULES = Operation(
    "network.virtualNetworks.effectiveSecurityAdminRules",
    "{parent}/listNetworkManagerEffectiveSecurityAdminRules",
    "netpact/effectiveadminrules",
    _NETWORK_VERSION,
    "Microsoft.Network/virtualNetworks/listNetworkManagerEffectiveSecurityAdminRules/action",
    method="POST",
)
CONNECTIVITY = Operation(
    "network.virtualNetworks.effectiveConnectivityConfigurations",
    "{parent}/listNetworkManagerEffectiveConnectivityConfigurations",
    "netpact/effectiveconnectivity",
    _NETWORK_VERSION,
    "Microsoft.Network/virtualNetworks/listNetworkManagerEffectiveConnectivityConfigurations/action",
    method="POST",
)
GATEWAY = Operation(
    "network.virtualNetworkGateways",
    "{parent}",
    "microsoft.network/virtualnetworkgateways",
    _NETWORK_VERSION,
    "Microsoft.Network/virtualNetworkGateways/read",
    single=True,
)
GATEWAY_CONNECTIONS = _of(
    f"{_NETWORK}/virtualNetworkGateways",
    "connections",
    kind="microsoft.network/connections",
    action="Microsoft.Network/virtualNetworkGateways/connections/read",
)
LOCAL_GATEWAY = Operation(
    "network.localNetworkGateways",
    "{parent}",
    "microsoft.network/localnetworkgateways",
    _NETWORK_VERSION,
    "Microsoft.Network/localNetworkGateways/read",
    single=True,
)
SERVICE_TAGS = Operation(
    "network.serviceTags",
    "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/serviceTags",
    "netpact/servicetags",
    _NETWORK_VERSION,
    "Microsoft.Network/locations/serviceTags/read",
)

# Asked with --verify-effective: which machines run, and what is in force at the interfaces of those that do.
STATES = Operation(
    "compute.virtualMachines.states",
    "/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines",
    "",
    _COMPUTE_VERSION,
    "Microsoft.Compute/virtualMachines/read",
    query="&statusOnly=true",
    verifying=True,
)
EFFECTIVE_GROUPS = Operation(
    "network.networkInterfaces.effectiveNetworkSecurityGroups",
    "{parent}/effectiveNetworkSecurityGroups",
    "netpact/effectivesecuritygroups",
    _NETWORK_VERSION,
    "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action",
    method="POST",
    long=True,
    verifying=True,
)
EFFECTIVE_ROUTES = Operation(
    "network.networkInterfaces.effectiveRouteTable",
    "{parent}/effectiveRouteTable",
    "netpact/effectiveroutes",
    _NETWORK_VERSION,
    "Microsoft.Network/networkInterfaces/effectiveRouteTable/action",
    method="POST",
    long=True,
    verifying=True,
)

OPERATIONS: tuple[Operation, ...] = (
    SUBSCRIPTIONS,
    DESCENDANTS,
    RESOURCE_GRAPH,
    PERMISSIONS,
    RESOURCE_GROUPS,
    *EVERYWHERE,
    SCALE_SET_INTERFACES,
    PREFIX_SETS,
    HUB_CONNECTIONS,
    HUB_CONFIGURATIONS,
    CONNECTIVITY,
    ADMIN_RULES,
    GATEWAY,
    GATEWAY_CONNECTIONS,
    LOCAL_GATEWAY,
    SERVICE_TAGS,
    STATES,
    EFFECTIVE_GROUPS,
    EFFECTIVE_ROUTES,
)
BY_NAME: Mapping[str, Operation] = {operation.name: operation for operation in OPERATIONS}
