"""Lowers the Azure model to the rule graph: the one place that knows both worlds.

Sources (Microsoft Learn): "Azure network security groups overview", "Azure service tags overview",
"Azure virtual network traffic routing", "Public IP addresses in Azure", "Default outbound access in Azure",
"What is IP address 168.63.129.16?".
"""

from __future__ import annotations

from collections.abc import Sequence

from lint.azure.lowering.endpoints import BALANCERS, PRIVATE_ENDPOINTS, Endpoints
from lint.azure.lowering.filters import Filters, lint_rules
from lint.azure.lowering.routes import Routes
from lint.azure.lowering.shadow import shadowed
from lint.azure.lowering.tags import METADATA, PLATFORM, Tags
from lint.azure.lowering.verified import verified
from lint.azure.model import LoadBalancer, Model, Tag
from lint.graph.endpoints import Layer
from lint.graph.graph import PlatformTraffic, RuleGraph
from lint.graph.places import Places
from lint.graph.rules import Action, Direction, Group
from lint.graph.topology import Forwarding, NatGateway, Network, Subnet
from lint.origin import Reason
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS, TCP, UDP, ports

APPLICATION_GROUP = "application_security_group"
_WIRE_SERVICES = (
    ports(TCP, 53, 53)
    | ports(UDP, 53, 53)
    | ports(UDP, 67, 67)
    | ports(TCP, 80, 80)
    | ports(TCP, 443, 443)
    | ports(TCP, 32526, 32526)
)
_NO_GROUP_SUBNETS = ("gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "routeserversubnet")


def lower(model: Model, *, transparent: Sequence[str] = ()) -> RuleGraph:
    """The rule graph of everything in the model.

    `transparent` names next hops that pass everything (address or firewall name).
    """
    return _Lowering(verified(model), transparent).graph()


class _Lowering:
    def __init__(self, model: Model, transparent: Sequence[str]) -> None:
        self.model = model
        self.places = Places()
        self.tags = Tags(model)
        self.filters = Filters(model, self.tags, self.places)
        self.routes = Routes(model, self.tags, transparent)
        self.endpoints = Endpoints(model, self.tags, self.filters, self.places)
        self.notes: dict[str, None] = {}

    def graph(self) -> RuleGraph:
        model = self.model
        self.endpoints.prepare()
        endpoints = self.endpoints.build()
        subnets = self._subnets()
        nat_gateways = self._nat_gateways()
        forwardings = tuple(one for balancer in model.balancers.values() for one in self._forwardings(balancer))
        platform = tuple(self._platform())
        self._lint()
        return RuleGraph(
            endpoints=endpoints,
            filters=self.filters.filters,
            groups={
                one.key: Group(one.key, one.name, APPLICATION_GROUP, one.origin, None, one.open, one.tags)
                for one in model.application_groups.values()
            },
            address_lists=self.tags.lists,
            networks=self._networks(),
            subnets=subnets,
            route_tables=self.routes.tables,
            nat_gateways=nat_gateways,
            peerings=self.routes.peerings,
            forwardings=forwardings,
            platform=platform,
            incomplete=model.incomplete,
            notes=tuple(
                dict.fromkeys(
                    (*(one.sentence() for one in model.problems), *model.notes, *self.tags.notes, *self.notes)
                )
            ),
        )

    def _networks(self) -> dict[str, Network]:
        return {
            one.key: Network(
                id=one.key,
                name=one.name,
                prefixes=one.space.must | PLATFORM,  # health probes come from inside, whatever the address looks like
                origin=one.origin,
                prefixes_may=one.space.may | PLATFORM if one.space.may != one.space.must else None,
                account=one.subscription,
                region=one.location,
                tags=one.tags,
                ipv6_public=False,
            )
            for one in self.model.networks.values()
        }

    def _subnets(self) -> dict[str, Subnet]:
        found: dict[str, Subnet] = {}
        by_network = {one.network: one.key for one in self.model.nat_gateways.values() if one.network is not None}
        used = {
            address.subnet
            for endpoint in self.endpoints.endpoints.values()
            for address in endpoint.addresses
            if address.subnet is not None and address.subnet.endswith((PRIVATE_ENDPOINTS, BALANCERS))
        }
        for subnet in self.model.subnets.values():
            network = self.model.networks.get(subnet.network)
            egress, reasons, gateway = subnet.default_outbound, subnet.default_outbound_reasons, None
            attached = subnet.nat_gateway
            key = attached.key or (by_network.get(subnet.network) if not attached.open else None)
            nat = self.model.nat_gateways.get(key or "")
            if nat is not None and not attached.open:
                if nat.working:
                    gateway = nat.key
                else:
                    egress = None
                    reasons = nat.reasons or (
                        Reason(f"NAT gateway {nat.name} has no public address", "azure.egress.none", nat.origin),
                    )
            elif attached.open:
                egress, reasons = None, attached.open
            if egress is False and not reasons:
                reasons = (
                    Reason(
                        f"subnet {subnet.name} gives no way out to the Internet of its own",
                        "azure.egress.none",
                        subnet.origin,
                        "add a NAT gateway or a public address",
                    ),
                )
            for part in ("", PRIVATE_ENDPOINTS, BALANCERS):
                identity = subnet.key + part
                if part and identity not in used:
                    continue
                table, table_open = self.routes.table(subnet, subnet.key)
                layers: tuple[Layer, ...] = ()
                if part != BALANCERS:
                    layers = self.endpoints.layers.of_subnet(subnet, part == PRIVATE_ENDPOINTS)
                found[identity] = Subnet(
                    id=identity,
                    name=subnet.name,
                    network=subnet.network,
                    prefixes=subnet.space.must,
                    origin=subnet.origin,
                    prefixes_may=subnet.space.may if subnet.space.may != subnet.space.must else None,
                    layers=layers,
                    route_table=table,
                    route_table_open=table_open,
                    default_egress=egress,
                    default_egress_reasons=reasons,
                    egress_gateway=gateway,
                    routes_inside=True,
                    account=network.subscription if network is not None else None,
                    region=network.location if network is not None else None,
                )
        return found

    def _nat_gateways(self) -> dict[str, NatGateway]:
        return {
            one.key: NatGateway(
                id=one.key,
                name=one.name,
                subnet=None,
                private=IntervalSet.of(self.places.place(f"nat:{one.key}")),
                public=self.endpoints.seen_behind(one),
                origin=one.origin,
                internet=True if one.working else one.working,
                icmp=False,
                reasons=one.reasons,
            )
            for one in self.model.nat_gateways.values()
        }

    def _forwardings(self, balancer: LoadBalancer) -> list[Forwarding]:
        found: list[Forwarding] = []
        fronts = {front.key: front for front in balancer.frontends}
        for rule in balancer.rules:
            front = fronts.get(rule.frontend or "")
            where = [front] if front is not None else list(balancer.frontends)
            configurations = [one for pool in rule.pools for one in self.endpoints.pools.get(pool, ())]
            configurations += [*rule.targets, *self.endpoints.nat_rules.get(rule.key, ())]
            targets = dict.fromkeys(
                self.endpoints.of_configuration[one] for one in configurations if one in self.endpoints.of_configuration
            )
            reasons = list(rule.reasons)
            if front is None:
                reasons.append(Reason(f"the frontend of {rule.name} isn't known", "azure.lb", rule.origin))
            if rule.floating and self._destination_specific(targets):
                reasons.append(
                    Reason(
                        f"{rule.name} uses a floating IP, and which destination NSGs compare isn't documented",
                        "azure.lb.floating-ip",
                        rule.origin,
                    )
                )
            for one in where:
                found.append(
                    Forwarding(
                        balancer=self.endpoints.frontend_id(balancer, one),
                        listen=rule.listen,
                        targets=tuple(targets),
                        services=rule.services if rule.services is not None else IntervalSet(),
                        preserves_client=True,
                        origin=rule.origin,
                        reasons=tuple(dict.fromkeys(reasons)),
                        translate=True,
                    )
                )
        return found

    def _destination_specific(self, targets: dict[str, None]) -> bool:
        """Whether an inbound rule before the targets names destinations."""
        for target in targets:
            endpoint = self.endpoints.endpoints[target]
            subnets = [self.model.subnets.get(one.subnet or "") for one in endpoint.addresses]
            names = [layer_filter for layer in endpoint.layers for layer_filter in layer.filters]
            names += [one.group.key for one in subnets if one is not None and one.group.key is not None]
            for name in names:
                held = self.filters.filters.get(name)
                if held is not None and any(
                    rule.local is not None and not rule.implied and rule.direction is Direction.INGRESS
                    for rule in held.rules
                ):
                    return True
        return False

    def _platform(self) -> list[PlatformTraffic]:
        """Platform addresses that no NSG filters unless a rule denies the platform's own tag."""
        denied: dict[str, set[str]] = {}
        for group in self.model.groups.values():
            for rule in group.rules:
                if rule.direction is Direction.EGRESS and rule.action is Action.DENY:
                    for operand in rule.destinations:
                        if isinstance(operand, Tag) and operand.name.lower().startswith("azureplatform"):
                            denied.setdefault(operand.name.lower(), set()).update(self._networks_of(group.key))
        found: list[PlatformTraffic] = []
        for network in self.model.networks:
            services = _WIRE_SERVICES
            if network in denied.get("azureplatformdns", ()):
                services = services - ports(UDP, 53, 53) - ports(TCP, 53, 53)
            found.append(PlatformTraffic(PLATFORM, services, "Azure's own services at 168.63.129.16", network))
            if network not in denied.get("azureplatformimds", ()):
                found.append(PlatformTraffic(METADATA, ports(TCP, 80, 80), "the instance metadata service", network))
        return found

    def _networks_of(self, group: str) -> set[str]:
        subnets = {one.network for one in self.model.subnets.values() if one.group.key == group}
        for interface in self.model.interfaces.values():
            if interface.group.key == group:
                for one in interface.configurations:
                    subnet = self.model.subnets.get(one.subnet.key or "")
                    if subnet is not None:
                        subnets.add(subnet.network)
        return subnets

    def _lint(self) -> None:
        for note in lint_rules(self.model):
            self.notes[note] = None
        for interface in self.model.interfaces.values():
            if interface.tcp_state_off:
                self.notes[f"{interface.name} has TCP state tracking switched off (azure.nic.tcp-state-off)"] = None
        mail = ports(TCP, 25, 25)
        for group in self.model.groups.values():
            for rule in group.rules:
                named = rule.services.size < ALL_PORTS.size and mail <= rule.services
                if named and rule.direction is Direction.EGRESS and rule.action is Action.ALLOW:
                    self.notes[
                        f"rule {rule.name!r} of {group.name} lets tcp/25 out, which Azure itself blocks in most "
                        "types of subscription (azure.smtp25)"
                    ] = None
            for rule, deciding in shadowed(group):
                names = ", ".join(repr(one.name) for one in deciding)
                self.notes[
                    f"rule {rule.name!r} of {group.name} never decides anything: "
                    f"{names} before it take all that it matches"
                ] = None
            probe = next(
                (
                    rule
                    for rule in group.rules
                    if rule.direction is Direction.INGRESS
                    and any(isinstance(one, Tag) and one.name.lower() == "azureloadbalancer" for one in rule.sources)
                    and rule.action is Action.ALLOW
                ),
                None,
            )
            for rule in group.rules:
                if (
                    rule.direction is Direction.INGRESS
                    and rule.action is Action.DENY
                    and rule.exists
                    and any(type(one).__name__ == "AnyAddress" for one in rule.sources)
                    and rule.services.size > 200 * 65536
                    and (probe is None or probe.priority > rule.priority)
                ):
                    self.notes[
                        f"rule {rule.name!r} of {group.name} also blocks the health probes of load balancers "
                        "(azure.lb.probe-blocked)"
                    ] = None
        for peering in self.model.peerings.values():
            if not peering.synced:
                self.notes[f"peering {peering.name} is not fully in sync: new prefixes aren't peered yet"] = None
