"""A small Azure landscape in ARM's REST shape, changed by each test as its case says."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from lint.azure import graph_from_documents, graph_from_terraform
from lint.graph.graph import RuleGraph
from lint.origin import Reason
from lint.reach.answer import between
from lint.reach.result import Party, Reach
from lint.space.addresses import parse_cidr
from lint.space.services import parse
from lint.terraform.evaluate import Options, evaluate_root

SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
ADDRESSES = {"X": "198.51.100.7", "probe": "168.63.129.16"}


def rule(text: str, **more: Any) -> dict[str, Any]:
    """`In 100 Allow Tcp Internet -> *:80`: direction, priority, access, protocol, source -> destination[:ports]."""
    head, _, tail = text.partition("->")
    direction, priority, access, protocol, source = head.split(None, 4)
    destination, found, ports = tail.strip().rpartition(":")
    if not found:
        destination, ports = tail.strip(), "*"
    properties: dict[str, Any] = {
        "priority": int(priority),
        "direction": {"In": "Inbound", "Out": "Outbound"}[direction],
        "access": access,
        "protocol": protocol,
        "sourcePortRange": "*",
    }
    for side, value in (("source", source.strip()), ("destination", destination.strip())):
        if value.startswith("asg:"):
            properties[f"{side}ApplicationSecurityGroups"] = [
                {"id": f"{NETWORK}/applicationSecurityGroups/{value[4:]}"}
            ]
        elif value.startswith("["):
            properties[f"{side}AddressPrefixes"] = [one.strip() for one in value.strip("[]").split(",")]
        else:
            properties[f"{side}AddressPrefix"] = value
    if "," in ports:
        properties["destinationPortRanges"] = [one.strip() for one in ports.split(",")]
    else:
        properties["destinationPortRange"] = ports
    properties.update(more)
    return {"name": f"{direction.lower()}-{priority}", "properties": properties}


class Landscape:
    """VNet V1 (S1 with A and B, S2 with C), VNet V2 (S3 with D), A with a Standard public address, no NSG anywhere."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Any]] = {}
        self.extra: list[Any] = []
        self.transparent: tuple[str, ...] = ()
        self.network("V1", ["10.0.0.0/16"], {"S1": ["10.0.1.0/24"], "S2": ["10.0.2.0/24"]})
        self.network("V2", ["10.1.0.0/16"], {"S3": ["10.1.0.0/24"]})
        self.public("A-ip", "203.0.113.77")
        self.nic("A", "V1/S1", "10.0.1.4", public="A-ip")
        self.nic("B", "V1/S1", "10.0.1.5")
        self.nic("C", "V1/S2", "10.0.2.4")
        self.nic("D", "V2/S3", "10.1.0.4")

    def put(self, kind: str, name: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
        """One resource of Microsoft.Network."""
        made = {
            "id": f"{NETWORK}/{kind}/{name}",
            "name": name,
            "type": f"Microsoft.Network/{kind}",
            "location": "westeurope",
            "properties": properties,
            **more,
        }
        self.resources[f"{kind}/{name}"] = made
        return made

    def network(self, name: str, space: list[str], subnets: dict[str, list[str]]) -> dict[str, Any]:
        """A virtual network with subnets."""
        made = [
            {
                "name": one,
                "id": f"{NETWORK}/virtualNetworks/{name}/subnets/{one}",
                "properties": {"addressPrefixes": prefixes},
            }
            for one, prefixes in subnets.items()
        ]
        return self.put(
            "virtualNetworks",
            name,
            {"addressSpace": {"addressPrefixes": space}, "subnets": made, "virtualNetworkPeerings": []},
        )

    def subnet(self, path: str) -> dict[str, Any]:
        """The properties of a subnet, `V1/S1`."""
        network, _, name = path.partition("/")
        for one in self.resources[f"virtualNetworks/{network}"]["properties"]["subnets"]:
            if one["name"] == name:
                found: dict[str, Any] = one["properties"]
                return found
        raise KeyError(path)

    def nic(self, name: str, subnet: str, address: str, *, public: str | None = None, **more: Any) -> dict[str, Any]:
        """A network interface with one ip configuration."""
        network, _, subnet_name = subnet.partition("/")
        configuration: dict[str, Any] = {
            "privateIPAddress": address,
            "subnet": {"id": f"{NETWORK}/virtualNetworks/{network}/subnets/{subnet_name}"},
            **more,
        }
        if public is not None:
            configuration["publicIPAddress"] = {"id": f"{NETWORK}/publicIPAddresses/{public}"}
        return self.put(
            "networkInterfaces",
            name,
            {
                "ipConfigurations": [
                    {
                        "name": "ipconfig1",
                        "id": f"{NETWORK}/networkInterfaces/{name}/ipConfigurations/ipconfig1",
                        "properties": configuration,
                    }
                ]
            },
        )

    def public(self, name: str, address: str, sku: str = "Standard") -> dict[str, Any]:
        """A public IP address."""
        return self.put("publicIPAddresses", name, {"ipAddress": address}, sku={"name": sku})

    def nsg(self, name: str, *rules: str | dict[str, Any], at: Iterable[str] = ()) -> dict[str, Any]:
        """An NSG with rules, attached to subnets (`V1/S1`) and interfaces (`A`)."""
        made = [rule(one) if isinstance(one, str) else one for one in rules]
        found = self.put("networkSecurityGroups", name, {"securityRules": made})
        for place in at:
            target = self.subnet(place) if "/" in place else self.resources[f"networkInterfaces/{place}"]["properties"]
            target["networkSecurityGroup"] = {"id": found["id"]}
        return found

    def asg(self, name: str, *members: str) -> None:
        """An application security group with the interfaces that are in it."""
        made = self.put("applicationSecurityGroups", name, {})
        for member in members:
            configuration = self.resources[f"networkInterfaces/{member}"]["properties"]["ipConfigurations"][0][
                "properties"
            ]
            configuration.setdefault("applicationSecurityGroups", []).append({"id": made["id"]})

    def peer(self, first: str, second: str, *, state: str = "Connected", back: bool = True, **flags: Any) -> None:
        """A peering of two virtual networks; `flags` are those of the first side."""
        for here, there, extra in ((first, second, flags), (second, first, {})):
            if here == second and not back:
                continue
            network = self.resources[f"virtualNetworks/{here}"]
            remote = self.resources.get(f"virtualNetworks/{there}")
            properties: dict[str, Any] = {
                "peeringState": state,
                "remoteVirtualNetwork": {"id": f"{NETWORK}/virtualNetworks/{there}"},
                "allowVirtualNetworkAccess": True,
                **extra,
            }
            if remote is not None:
                properties["remoteVirtualNetworkAddressSpace"] = remote["properties"]["addressSpace"]
            network["properties"]["virtualNetworkPeerings"].append(
                {
                    "name": f"to-{there}",
                    "id": f"{network['id']}/virtualNetworkPeerings/to-{there}",
                    "properties": {name: value for name, value in properties.items() if value is not None},
                }
            )

    def routes(self, name: str, at: str, *routes: tuple[str, str] | tuple[str, str, str]) -> dict[str, Any]:
        """A route table at a subnet: (prefix, kind[, address])."""
        made = [
            {
                "name": f"route-{number}",
                "properties": {
                    "addressPrefix": one[0],
                    "nextHopType": one[1],
                    **({"nextHopIpAddress": one[2]} if len(one) > 2 else {}),
                },
            }
            for number, one in enumerate(routes)
        ]
        table = self.put("routeTables", name, {"routes": made})
        self.subnet(at)["routeTable"] = {"id": table["id"]}
        return table

    def tags(self, **prefixes: list[str]) -> None:
        """Service tag data; a double underscore stands for the dot."""
        self.extra.append(
            {
                "changeNumber": 1,
                "cloud": "Public",
                "values": [
                    {"name": name.replace("__", "."), "properties": {"region": "", "addressPrefixes": listed}}
                    for name, listed in prefixes.items()
                ],
            }
        )

    def documents(self) -> list[Any]:
        """The REST lists of everything."""
        lists: dict[str, list[Any]] = {}
        for one in self.resources.values():
            lists.setdefault(one["type"], []).append(copy.deepcopy(one))
        return [*({"value": rows} for rows in lists.values()), *self.extra]

    def graph(self) -> RuleGraph:
        """The rule graph."""
        return graph_from_documents(self.documents(), transparent=self.transparent)


class Judge:
    """Asks one graph who reaches whom, by the names of the landscape or by address."""

    def __init__(self, graph: RuleGraph) -> None:
        self.graph = graph

    def party(self, name: str) -> Party:
        """An endpoint by its id, name or alias; else an address."""
        text = ADDRESSES.get(name, name)
        for one in self.graph.endpoints.values():
            if name in (one.id, one.name) or name in one.aliases:
                return Party(name, one.id)
        return Party(name, None, parse_cidr(text))

    def reach(self, source: str, destination: str, service: str = "any") -> Reach:
        """The engine's whole answer."""
        return between(self.graph, self.party(source), self.party(destination), parse(service))

    def verdict(self, source: str, destination: str, service: str = "any") -> str:
        """allowed, blocked, partial or undetermined."""
        return self.reach(source, destination, service).verdict

    def codes(self, source: str, destination: str, service: str = "any") -> set[str]:
        """Every reason code and rule id on the way."""
        found = self.reach(source, destination, service)
        reasons: list[Reason] = list(found.reasons)
        names: set[str] = set()
        for path in found.paths:
            reasons += path.reasons
            for hop in path.hops:
                reasons += hop.reasons
                names |= {one.id for one in hop.rules} | {one.name for one in hop.rules}
        return {one.code for one in reasons if one.code} | names


@pytest.fixture
def landscape() -> Landscape:
    """A fresh landscape."""
    return Landscape()


@pytest.fixture
def judge() -> Callable[[Landscape | RuleGraph], Judge]:
    """Asks a landscape or a graph."""

    def ask(of: Landscape | RuleGraph) -> Judge:
        return Judge(of.graph() if isinstance(of, Landscape) else of)

    return ask


@pytest.fixture
def terraform(tmp_path: Path) -> Callable[[str], RuleGraph]:
    """The graph of a configuration given as text."""

    def evaluate(text: str) -> RuleGraph:
        (tmp_path / "main.tf").write_text(textwrap.dedent(text), encoding="utf-8")
        return graph_from_terraform([evaluate_root(tmp_path, Options())])

    return evaluate


@pytest.fixture
def make_rule() -> Callable[..., dict[str, Any]]:
    """`rule`, for tests that change one."""
    return rule
