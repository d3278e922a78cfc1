"""A small Azure landscape of two subscriptions, in the shapes of ARM's REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.live.azure.server import Arm

ONE = "11111111-1111-1111-1111-111111111111"
TWO = "22222222-2222-2222-2222-222222222222"
TENANT = "99999999-9999-9999-9999-999999999999"


class Place:
    """One resource group of a subscription, in which resources are made."""

    def __init__(self, arm: Arm, subscription: str, group: str) -> None:
        self.arm = arm
        self.base = f"/subscriptions/{subscription}/resourceGroups/{group}/providers"

    def id(self, kind: str, name: str) -> str:
        """`id("networkInterfaces", "a")`; a kind of another provider is written whole."""
        provider = "" if "/" in kind else "Microsoft.Network/"
        return f"{self.base}/{provider}{kind}/{name}"

    def put(self, kind: str, name: str, properties: Mapping[str, Any], **more: Any) -> str:
        """Make a resource; its id."""
        id_ = self.id(kind, name)
        full = kind if "/" in kind else f"Microsoft.Network/{kind}"
        made = {"id": id_, "name": name, "type": full, "location": "westeurope", "etag": 'W/"1"'}
        self.arm.put({**made, "properties": {"provisioningState": "Succeeded", **properties}, **more})
        return id_

    def child(self, parent: str, kind: str, name: str, properties: Mapping[str, Any]) -> str:
        """Make a resource below another one."""
        owner = parent.rpartition("/providers/")[2].split("/")
        id_ = f"{parent}/{kind}/{name}"
        self.arm.put(
            {"id": id_, "name": name, "type": "/".join([owner[0], owner[1], kind]), "properties": dict(properties)}
        )
        return id_

    def nsg(self, name: str, *rules: str) -> str:
        """An NSG: `In 100 Allow Tcp Internet * 443`, or with the id of an application security group as `asg:ID`."""
        made = []
        for text in rules:
            direction, priority, access, protocol, source, destination, port = text.split()
            properties: dict[str, Any] = {
                "priority": int(priority),
                "direction": {"In": "Inbound", "Out": "Outbound"}[direction],
                "access": access,
                "protocol": protocol,
                "sourcePortRange": "*",
                "destinationPortRange": port,
            }
            for side, value in (("source", source), ("destination", destination)):
                if value.startswith("asg:"):
                    properties[f"{side}ApplicationSecurityGroups"] = [{"id": value[4:]}]
                else:
                    properties[f"{side}AddressPrefix"] = value
            rule = f"{direction}-{priority}".lower()
            made.append(
                {
                    "name": rule,
                    "id": f"{self.id('networkSecurityGroups', name)}/securityRules/{rule}",
                    "properties": properties,
                }
            )
        return self.put("networkSecurityGroups", name, {"securityRules": made, "defaultSecurityRules": []})

    def network(
        self, name: str, space: str, subnets: Mapping[str, Mapping[str, Any]], peerings: Sequence[Any] = ()
    ) -> str:
        """A virtual network: subnets by name, each with its prefix under `addressPrefix` and what is attached to it."""
        id_ = self.id("virtualNetworks", name)
        made = [{"name": one, "id": f"{id_}/subnets/{one}", "properties": dict(held)} for one, held in subnets.items()]
        joined = [
            {
                "name": f"to-{other.rpartition('/')[2]}",
                "id": f"{id_}/virtualNetworkPeerings/to-{other.rpartition('/')[2]}",
                "properties": {
                    "peeringState": "Connected",
                    "peeringSyncLevel": "FullyInSync",
                    "allowVirtualNetworkAccess": True,
                    "useRemoteGateways": False,
                    "remoteVirtualNetwork": {"id": other},
                    "remoteVirtualNetworkAddressSpace": {"addressPrefixes": [prefix]},
                    "remoteAddressSpace": {"addressPrefixes": [prefix]},
                },
            }
            for other, prefix in peerings
        ]
        return self.put(
            "virtualNetworks",
            name,
            {"addressSpace": {"addressPrefixes": [space]}, "subnets": made, "virtualNetworkPeerings": joined},
        )

    def machine(self, name: str, subnet: str, address: str, tags: Mapping[str, str] | None = None, **more: Any) -> str:
        """A virtual machine with one interface; `more` goes into its ip configuration."""
        machine, nic = self.id("Microsoft.Compute/virtualMachines", name), self.id("networkInterfaces", f"{name}-nic")
        self.put(
            "Microsoft.Compute/virtualMachines",
            name,
            {
                "vmId": name,
                "osProfile": {"computerName": name, "adminUsername": "root-of-all", "customData": "c2VjcmV0"},
                "networkProfile": {"networkInterfaces": [{"id": nic}]},
            },
            tags=dict(tags or {}),
            resources=[
                {"id": f"{machine}/extensions/script", "properties": {"settings": {"command": "secret-of-script"}}}
            ],
        )
        self.put(
            "networkInterfaces",
            f"{name}-nic",
            {
                "virtualMachine": {"id": machine},
                "ipConfigurations": [
                    {
                        "name": "ipconfig1",
                        "id": f"{nic}/ipConfigurations/ipconfig1",
                        "properties": {"privateIPAddress": address, "primary": True, "subnet": {"id": subnet}, **more},
                    }
                ],
            },
        )
        return nic


def build(arm: Arm) -> None:
    """A console and agents in one subscription, a database in a peered network of another, every kind at least once.

    tcp/22 to `console` is open to 198.51.100.0/24 alone; `agent` reaches `console` on tcp/9000 and `db` on tcp/5432.
    """
    arm.subscriptions = [
        {
            "id": f"/subscriptions/{id_}",
            "subscriptionId": id_,
            "displayName": name,
            "state": "Enabled",
            "tenantId": TENANT,
        }
        for id_, name in ((ONE, "Production"), (TWO, "Data"))
    ]
    arm.groups = {"landing-zones": [ONE, TWO]}
    one, two = Place(arm, ONE, "rg-app"), Place(arm, TWO, "rg-data")
    far = Place(arm, ONE, "rg-edge")
    v1, v2 = one.id("virtualNetworks", "v1"), two.id("virtualNetworks", "v2")
    agents = one.put("applicationSecurityGroups", "agents", {})
    console_nsg = one.nsg(
        "console-nsg",
        f"In 100 Allow Tcp asg:{agents} * 9000",
        "In 110 Allow Tcp 198.51.100.0/24 * 22",
        "In 4000 Deny * * * *",
    )
    agent_nsg = one.nsg("agent-nsg", "Out 100 Allow Tcp * Storage 443", "Out 200 Deny * * Internet *")
    db_nsg = two.nsg("db-nsg", "In 100 Allow Tcp 10.0.2.0/24 * 5432", "In 4000 Deny * * * *")
    console_ip = one.put("publicIPAddresses", "console-ip", {"ipAddress": "203.0.113.77"}, sku={"name": "Standard"})
    nat_ip = one.put("publicIPAddresses", "nat-ip", {"ipAddress": "203.0.113.90"}, sku={"name": "Standard"})
    front_ip = far.put("publicIPAddresses", "front-ip", {"ipAddress": "203.0.113.91"}, sku={"name": "Standard"})
    one.put("publicIPPrefixes", "spare", {"ipPrefix": "203.0.113.96/30"}, sku={"name": "Standard"})
    nat = one.put("natGateways", "nat", {"publicIpAddresses": [{"id": nat_ip}]}, sku={"name": "Standard"})
    table = one.put(
        "routeTables",
        "agents",
        {"routes": [{"name": "branch", "properties": {"addressPrefix": "172.16.0.0/12", "nextHopType": "None"}}]},
    )
    gateway = far.id("virtualNetworkGateways", "vpn")
    one.network(
        "v1",
        "10.0.0.0/16",
        {
            "console": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": console_nsg}},
            "agents": {
                "addressPrefixes": ["10.0.2.0/24"],
                "networkSecurityGroup": {"id": agent_nsg.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/")},
                "routeTable": {"id": table},
                "natGateway": {"id": nat},
                "defaultOutboundAccess": False,
            },
            "GatewaySubnet": {
                "addressPrefix": "10.0.255.0/27",
                "ipConfigurations": [{"id": f"{gateway}/ipConfigurations/default"}],
            },
        },
        [(v2, "10.1.0.0/16")],
    )
    two.network(
        "v2",
        "10.1.0.0/16",
        {
            "data": {"addressPrefix": "10.1.1.0/24", "networkSecurityGroup": {"id": db_nsg}},
            "lab": {"addressPrefix": "10.1.2.0/24"},
        },
        [(v1, "10.0.0.0/16")],
    )
    far.put(
        "virtualNetworkGateways",
        "vpn",
        {
            "gatewayType": "Vpn",
            "enableBgp": False,
            "ipConfigurations": [{"name": "default", "properties": {"subnet": {"id": f"{v1}/subnets/GatewaySubnet"}}}],
            "vpnClientConfiguration": {"radiusServerSecret": "secret-of-radius"},
        },
    )
    branch = far.put(
        "localNetworkGateways", "branch", {"localNetworkAddressSpace": {"addressPrefixes": ["192.168.7.0/24"]}}
    )
    far.put(
        "connections",
        "to-branch",
        {
            "virtualNetworkGateway1": {"id": gateway},
            "localNetworkGateway2": {"id": branch},
            "sharedKey": "secret-of-tunnel",
            "connectionType": "IPsec",
        },
    )
    one.machine("console", f"{v1}/subnets/console", "10.0.1.4", {"role": "console"}, publicIPAddress={"id": console_ip})
    pool = f"{far.id('loadBalancers', 'front')}/backendAddressPools/agents"
    for number in (1, 2):
        one.machine(
            f"agent-{number}",
            f"{v1}/subnets/agents",
            f"10.0.2.{3 + number}",
            {"role": "agent", "owner": "someone@example.com"},
            applicationSecurityGroups=[{"id": agents}],
            loadBalancerBackendAddressPools=[{"id": pool}],
        )
    lab_ip = two.put("publicIPAddresses", "lab-ip", {"ipAddress": "203.0.113.92"}, sku={"name": "Standard"})
    two.machine("lab", f"{v2}/subnets/lab", "10.1.2.4", publicIPAddress={"id": lab_ip})
    two.machine("db", f"{v2}/subnets/data", "10.1.1.4", {"role": "db"})
    front = f"{far.id('loadBalancers', 'front')}/frontendIPConfigurations/public"
    far.put(
        "loadBalancers",
        "front",
        {
            "frontendIPConfigurations": [
                {"name": "public", "id": front, "properties": {"publicIPAddress": {"id": front_ip}}}
            ],
            "backendAddressPools": [{"name": "agents", "id": pool, "properties": {}}],
            "loadBalancingRules": [
                {
                    "name": "web",
                    "properties": {
                        "frontendIPConfiguration": {"id": front},
                        "backendAddressPool": {"id": pool},
                        "protocol": "Tcp",
                        "frontendPort": 8443,
                        "backendPort": 8443,
                        "disableOutboundSnat": True,
                    },
                }
            ],
        },
        sku={"name": "Standard"},
    )
    one.put(
        "privateEndpoints",
        "vault",
        {
            "subnet": {"id": f"{v1}/subnets/console"},
            "networkInterfaces": [{"id": one.id("networkInterfaces", "vault-nic")}],
        },
    )
    one.put(
        "networkInterfaces",
        "vault-nic",
        {
            "privateEndpoint": {"id": one.id("privateEndpoints", "vault")},
            "ipConfigurations": [
                {
                    "name": "p",
                    "id": f"{one.id('networkInterfaces', 'vault-nic')}/ipConfigurations/p",
                    "properties": {"privateIPAddress": "10.0.1.9", "subnet": {"id": f"{v1}/subnets/console"}},
                }
            ],
        },
    )
    scale_set = one.put(
        "Microsoft.Compute/virtualMachineScaleSets",
        "workers",
        {
            "orchestrationMode": "Uniform",
            "virtualMachineProfile": {
                "osProfile": {"customData": "secret-of-workers"},
                "extensionProfile": {"extensions": [{"properties": {"settings": {"x": "secret-of-extension"}}}]},
                "networkProfile": {
                    "networkInterfaceConfigurations": [
                        {
                            "name": "nic",
                            "properties": {
                                "primary": True,
                                "ipConfigurations": [
                                    {"name": "ip", "properties": {"subnet": {"id": f"{v1}/subnets/agents"}}}
                                ],
                            },
                        }
                    ]
                },
            },
        },
        tags={"role": "worker"},
    )
    worker = f"{scale_set}/virtualMachines/0/networkInterfaces/nic"
    arm.put(
        {
            "id": worker,
            "name": "nic",
            "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces",
            "properties": {
                "primary": True,
                "virtualMachine": {"id": f"{scale_set}/virtualMachines/0"},
                "ipConfigurations": [
                    {
                        "name": "ip",
                        "id": f"{worker}/ipConfigurations/ip",
                        "properties": {"privateIPAddress": "10.0.2.20", "subnet": {"id": f"{v1}/subnets/agents"}},
                    }
                ],
            },
        }
    )
    arm.tags = {
        "name": "Public",
        "id": f"/subscriptions/{ONE}/providers/Microsoft.Network/serviceTags/Public",
        "type": "Microsoft.Network/serviceTags",
        "changeNumber": "63",
        "cloud": "Public",
        "values": [
            {
                "name": "Storage",
                "id": "Storage",
                "properties": {"changeNumber": "1", "region": "", "addressPrefixes": ["20.38.64.0/19"]},
            }
        ],
    }
