"""What Azure would answer of the rules and routes in force at an interface of the small landscape.

Shaped as the REST reference's examples: names with their collection, ports as ranges, `*` as 0.0.0.0/0, tags expanded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lint.space.addresses import IPV4, cidrs, parse_cidr, parse_cidrs
from lint.space.intervals import IntervalSet

VIRTUAL_NETWORK = ("10.0.0.0/16", "168.63.129.16/32")
_PRIVATE = parse_cidrs("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12")
_PRIVATE = _PRIVATE | parse_cidrs("192.168.0.0/16", "168.63.129.16/32", "224.0.0.0/3")
_DEFAULTS = (
    ("Inbound", 65000, "AllowVnetInBound", "VirtualNetwork", "VirtualNetwork", "Allow"),
    ("Inbound", 65001, "AllowAzureLoadBalancerInBound", "AzureLoadBalancer", "*", "Allow"),
    ("Inbound", 65500, "DenyAllInBound", "*", "*", "Deny"),
    ("Outbound", 65000, "AllowVnetOutBound", "VirtualNetwork", "VirtualNetwork", "Allow"),
    ("Outbound", 65001, "AllowInternetOutBound", "*", "Internet", "Allow"),
    ("Outbound", 65500, "DenyAllOutBound", "*", "*", "Deny"),
)


def expansions(network: Sequence[str] = VIRTUAL_NETWORK, **more: Sequence[str]) -> dict[str, list[str]]:
    """The addresses behind each tag."""
    inside = IntervalSet.union_of(parse_cidr(one) for one in network)
    return {
        "VirtualNetwork": list(network),
        "Internet": cidrs(IPV4 - _PRIVATE - inside),
        "AzureLoadBalancer": ["168.63.129.16/32"],
        **{name.replace("__", "."): list(held) for name, held in more.items()},
    }


def effective_group(
    group: dict[str, Any], tags: dict[str, list[str]], *, subnet: str = "", interface: str = ""
) -> dict[str, Any]:
    """One entry of an answer: an NSG's own rules and the default ones, with tags expanded."""
    rules = [
        _rule(f"securityRules/{one['name']}", one["properties"], tags) for one in group["properties"]["securityRules"]
    ]
    for direction, priority, name, source, destination, access in _DEFAULTS:
        properties = {
            "direction": direction,
            "priority": priority,
            "access": access,
            "protocol": "*",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": destination,
        }
        rules.append(_rule(f"defaultSecurityRules/{name}", properties, tags))
    where = {"subnet": subnet, "networkInterface": interface}
    return {
        "networkSecurityGroup": {"id": group["id"]},
        "association": {name: {"id": id_} for name, id_ in where.items() if id_},
        "effectiveSecurityRules": rules,
    }


def _rule(name: str, own: dict[str, Any], tags: dict[str, list[str]]) -> dict[str, Any]:
    found = {
        "name": name,
        "protocol": "All" if own["protocol"] == "*" else own["protocol"],
        "access": own["access"],
        "priority": own["priority"],
        "direction": own["direction"],
    }
    for side in ("source", "destination"):
        ports = own.get(f"{side}PortRange", "*")
        found[f"{side}PortRange"] = "0-65535" if ports == "*" else ports if "-" in ports else f"{ports}-{ports}"
        prefix = own.get(f"{side}AddressPrefix", "*")
        found[f"{side}AddressPrefix"] = "0.0.0.0/0" if prefix == "*" else prefix
        if prefix in tags:
            found[f"expanded{side.capitalize()}AddressPrefix"] = tags[prefix]
    return found


def effective_routes(*more: tuple[str, str, str, str], without: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The system routes of V1, and further ones: (source, prefix, next hop type, next hop address)."""
    system = [("Default", "10.0.0.0/16", "VnetLocal", ""), ("Default", "0.0.0.0/0", "Internet", "")]
    system += [
        ("Default", one, "None", "") for one in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
    ]
    replaced = {one[1] for one in more}
    return [
        {
            "source": source,
            "state": "Active",
            "addressPrefix": [prefix],
            "nextHopType": kind,
            "nextHopIpAddress": [address] if address else [],
        }
        for source, prefix, kind, address in (*(one for one in system if one[1] not in {*replaced, *without}), *more)
    ]
