"""Takes out of a resource what the model never reads and what may be secret: extensions, profiles of machines, keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Of these types only the properties named are kept; of all others, everything.
_KEPT: Mapping[str, Mapping[str, Any]] = {
    "microsoft.compute/virtualmachines": {
        "networkProfile": True,
        "virtualMachineScaleSet": True,
        "instanceView": {"statuses": True},
    },
    "microsoft.compute/virtualmachinescalesets": {
        "orchestrationMode": True,
        "virtualMachineProfile": {"networkProfile": True},
    },
    "microsoft.network/virtualnetworkgateways": {
        "ipConfigurations": True,
        "gatewayType": True,
        "vpnType": True,
        "enableBgp": True,
        "activeActive": True,
        "vpnClientConfiguration": {"vpnClientAddressPool": True},
        "provisioningState": True,
    },
    "microsoft.network/connections": {
        "connectionType": True,
        "connectionStatus": True,
        "enableBgp": True,
        "virtualNetworkGateway1": True,
        "virtualNetworkGateway2": True,
        "localNetworkGateway2": True,
    },
}
_OUTER = ("id", "name", "type", "location", "tags", "sku", "kind", "zones", "resourceGroup", "subscriptionId")


def trimmed(row: Any, asked: str = "") -> Any:
    """A resource without what is never stored; anything else as it is. `asked` is the type where a row doesn't say."""
    if not isinstance(row, dict):
        return row
    kind = row.get("type")
    kept = _KEPT.get((kind if isinstance(kind, str) else asked).lower())
    if kept is None:
        return row
    found = {key: row[key] for key in _OUTER if key in row}
    if "properties" in row:
        found["properties"] = _chosen(row["properties"], kept)
    return found


def _chosen(value: Any, kept: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return {}
    return {
        key: value[key] if inner is True else _chosen(value[key], inner) for key, inner in kept.items() if key in value
    }
