"""The effective routes of each subnet: user-defined before learned before system, the longest prefix first.

Source: "Azure virtual network traffic routing".
"""

from __future__ import annotations

from collections.abc import Sequence

from lint.azure.lowering.links import joined
from lint.azure.lowering.tags import METADATA, PLATFORM, RESERVED, Tags
from lint.azure.model import Hop, Model, Prefix, Subnet, Tag
from lint.graph.topology import Peering, Route, RouteTable, Via
from lint.origin import Reason
from lint.space.addresses import IPV4, IPV6, PRIVATE, REAL, address_text, cidrs, position
from lint.space.intervals import EMPTY, IntervalSet

USER, USER_TAG, LEARNED, SYSTEM = 0, 1, 2, 3
_ALWAYS = -1
_KINDS = {
    "vnetlocal": Via.LOCAL,
    "internet": Via.INTERNET,
    "none": Via.DROP,
    "virtualappliance": Via.APPLIANCE,
    "virtualapplianceecmp": Via.APPLIANCE,
    "virtualnetworkgateway": Via.EXTERNAL,
    "unknown": Via.UNKNOWN,
}


class Routes:
    """Route tables of one graph."""

    def __init__(self, model: Model, tags: Tags, transparent: Sequence[str]) -> None:
        self.model = model
        self.tags = tags
        self.transparent = {one.strip().lower() for one in transparent}
        self.tables: dict[str, RouteTable] = {}
        self.peerings: dict[str, Peering] = {}
        self.firewalls = {place: one for one in model.firewalls.values() for place in one.addresses}

    def table(self, subnet: Subnet, shown: str) -> tuple[str, tuple[Reason, ...]]:
        """The id of a subnet's table, and why it isn't known. `shown` is the subnet's id in the graph."""
        own = self.model.route_tables.get(subnet.route_table.key or "")
        made = f"{shown}#routes"
        if made not in self.tables:
            routes = [*self._system(subnet), *self._learned(subnet, own is None or own.gateway_routes is not False)]
            name = f"system routes of subnet {subnet.name}"
            opened: tuple[Reason, ...] = ()
            origin = subnet.origin
            if own is not None:
                routes += [self._user(hop, subnet, own.name) for hop in own.hops]
                name, opened, origin = own.name, own.open, own.origin
            for places, reason in self.model.verified.doubts.get(subnet.key, ()):
                text = "a route in force that isn't the one computed"
                routes.append(Route(EMPTY, Via.UNKNOWN, origin, text, places, reasons=(reason,)))
            self.tables[made] = RouteTable(made, name, tuple(routes), origin, opened)
        return made, subnet.route_table.open

    def _system(self, subnet: Subnet) -> list[Route]:
        network = self.model.networks.get(subnet.network)
        origin = network.origin if network is not None else subnet.origin
        own = network.space.must if network is not None else subnet.space.must
        own_may = (network.space.may if network is not None else REAL) | own
        routes = [
            Route(
                own,
                Via.LOCAL,
                origin,
                "the virtual network's address space",
                own_may if own_may != own else None,
                precedence=SYSTEM,
            ),
            Route(PLATFORM | METADATA, Via.LOCAL, origin, "platform addresses", precedence=_ALWAYS),
            Route(IPV4, Via.INTERNET, origin, "0.0.0.0/0 (system route)", precedence=SYSTEM),
            Route(IPV6, Via.INTERNET, origin, "::/0 (system route)", precedence=SYSTEM),
        ]
        if own_may != own:
            # Nothing outside the virtual network can be told from inside it: at most private space is its own.
            routes[0] = Route(own, Via.LOCAL, origin, routes[0].text, own_may & (PRIVATE | own), precedence=SYSTEM)
        for text in cidrs(RESERVED):
            block = _block(text)
            if not block <= own:
                routes.append(
                    Route(block, Via.DROP, origin, f"{text} (system route to None)", precedence=SYSTEM, reasons=())
                )
        for one in joined(self.model, subnet.network):
            peering = one.peering
            identity = peering.key
            if identity not in self.peerings:
                self.peerings[identity] = Peering(
                    id=identity,
                    name=peering.name,
                    first=peering.local,
                    second=peering.remote or f"{identity}#remote",
                    active=one.active,
                    origin=peering.origin,
                    group_references=False,
                    first_subnets=self._named(peering.local, peering.local_subnets) if peering.whole is False else None,
                    second_subnets=self._named(peering.remote, peering.remote_subnets)
                    if peering.whole is False
                    else None,
                    reasons=one.reasons,
                )
            certain, possible = one.space.must, one.space.may
            if not possible:
                continue
            routes.append(
                Route(
                    certain,
                    Via.PEERING,
                    peering.origin,
                    f"the address space of {peering.remote_text}",
                    None if possible == certain else (possible & (PRIVATE | certain)) - own,
                    identity,
                    precedence=SYSTEM,
                    reasons=one.reasons or one.space.reasons,
                )
            )
        if network is not None and network.elsewhere:
            routes.append(
                Route(
                    EMPTY,
                    Via.EXTERNAL,
                    origin,
                    f"peerings and gateways of {network.name}",
                    RESERVED - own,
                    network.name,
                    precedence=SYSTEM,
                    reasons=network.elsewhere,
                )
            )
        routes += self._service_endpoints(subnet)
        return routes

    def _named(self, network: str | None, names: tuple[str, ...]) -> tuple[str, ...]:
        wanted = {name.lower() for name in names}
        return tuple(
            one.key for one in self.model.subnets.values() if one.network == network and one.name.lower() in wanted
        )

    def _service_endpoints(self, subnet: Subnet) -> list[Route]:
        out: list[Route] = []
        for service in subnet.service_endpoints:
            tag = service.partition(".")[2]
            data = self.model.service_tags.prefixes.get(tag.lower())
            if data is not None:
                out.append(Route(data, Via.SERVICE, subnet.origin, f"service endpoint {service}", precedence=SYSTEM))
            elif subnet.default_outbound is not True and subnet.nat_gateway.key is None:
                reason = Reason(
                    f"the addresses of service endpoint {service} aren't known",
                    f"azure.tag.no-data:{tag}",
                    subnet.origin,
                    "give the service tags file",
                )
                out.append(
                    Route(
                        EMPTY,
                        Via.SERVICE,
                        subnet.origin,
                        f"service endpoint {service}",
                        self.tags.addresses_of(Tag(tag)),
                        precedence=SYSTEM,
                        reasons=(reason,),
                    )
                )
        return out

    def _learned(self, subnet: Subnet, gateway_routes: bool) -> list[Route]:
        """What gateways bring. System routes of the network and its peerings win over more specific learned ones."""
        gateways = [one for one in self.model.gateways.values() if one.network == subnet.network]
        remote = [
            one
            for one in joined(self.model, subnet.network)
            if one.peering.use_remote_gateways is not False and one.active is not False
        ]
        if not gateway_routes or not (gateways or remote):
            return []
        network = self.model.networks.get(subnet.network)
        taken = network.space.may if network is not None and network.space.may != REAL else EMPTY
        for one in joined(self.model, subnet.network):
            taken = taken | one.space.must
        taken = taken | PLATFORM | METADATA
        out: list[Route] = []
        told = self.model.verified.learned.get(subnet.key)
        if told is not None:
            out += [self._told(prefix, subnet) for prefix in told if not prefix <= taken]
            taken = taken | IPV4  # of IPv4, all that is learned is told
        for gateway in gateways:
            code = "azure.bgp" if gateway.bgp else "azure.route.gateway"
            reason = Reason(
                f"what lies behind {gateway.name} isn't modelled", code, gateway.origin, "add the effective routes"
            )
            if gateway.prefixes is not None:
                out.append(
                    Route(
                        gateway.prefixes - taken,
                        Via.EXTERNAL,
                        gateway.origin,
                        ", ".join(cidrs(gateway.prefixes)[:3]),
                        None,
                        gateway.name,
                        LEARNED,
                        reasons=(*gateway.open, reason),
                    )
                )
            else:
                possible = (REAL if gateway.bgp else RESERVED) - taken
                out.append(
                    Route(
                        EMPTY,
                        Via.EXTERNAL,
                        gateway.origin,
                        "learned routes",
                        possible,
                        gateway.name,
                        LEARNED,
                        reasons=(*gateway.open, reason),
                    )
                )
        for one in remote:
            reason = Reason(
                f"{one.peering.name} uses the gateway of {one.peering.remote_text}, whose routes aren't known",
                "azure.route.gateway",
                one.peering.origin,
            )
            out.append(
                Route(
                    EMPTY,
                    Via.EXTERNAL,
                    one.peering.origin,
                    "learned routes",
                    REAL - taken,
                    one.peering.remote_text,
                    LEARNED,
                    reasons=(reason,),
                )
            )
        return out

    def _told(self, prefix: IntervalSet, subnet: Subnet) -> Route:
        """A route that an interface of the subnet learns from a gateway, as Azure itself says."""
        text = ", ".join(cidrs(prefix)[:3])
        reason = Reason(f"what lies behind the gateway at {text} isn't modelled", "azure.route.gateway", subnet.origin)
        return Route(prefix, Via.EXTERNAL, subnet.origin, text, None, "gateway", LEARNED, reasons=(reason,))

    def _user(self, hop: Hop, subnet: Subnet, table: str) -> Route:
        via = _KINDS[hop.kind]
        certain = EMPTY
        possible = EMPTY
        precedence = USER
        text = hop.name or hop.kind
        reasons = list(hop.reasons)
        if isinstance(hop.prefix, Prefix):
            certain, text = hop.prefix.addresses, hop.prefix.text
        elif isinstance(hop.prefix, Tag):
            precedence, text = USER_TAG, hop.prefix.name
            data = self.model.service_tags.prefixes.get(hop.prefix.name.lower())
            if data is not None:
                certain = data
            else:
                possible = self.tags.addresses_of(hop.prefix)
                reasons.append(
                    Reason(
                        f"the addresses of service tag {hop.prefix.name} aren't known",
                        f"azure.tag.no-data:{hop.prefix.name}",
                        hop.origin,
                        "give the service tags file",
                    )
                )
        else:
            within = getattr(hop.prefix, "within", None)
            possible = within if isinstance(within, IntervalSet) else REAL
        if not hop.exists:
            certain, possible = EMPTY, possible | certain
        target = hop.address
        transparent = False
        if via is Via.APPLIANCE:
            target, reason, transparent = self._appliance(hop, table)
            reasons.append(reason)
        elif via is Via.EXTERNAL:
            target = "VirtualNetworkGateway"
            reasons.append(
                Reason(
                    f"route {text} of {table} leads to a gateway, and what lies behind it isn't modelled",
                    "azure.route.gateway",
                    hop.origin,
                )
            )
        elif via is Via.DROP:
            reasons.append(Reason(f"route {text} of {table} drops it", "azure.route.none", hop.origin))
        return Route(
            certain,
            via,
            hop.origin,
            text,
            None if not possible else possible | certain,
            target,
            precedence,
            transparent,
            tuple(dict.fromkeys(reasons)),
        )

    def _appliance(self, hop: Hop, table: str) -> tuple[str, Reason, bool]:
        """What a next hop is called: an Azure Firewall by its name, else an address. Its rules are not judged."""
        address = hop.address or ""
        firewall = None
        place = _place(address)
        if place is not None:
            firewall = self.firewalls.get(place)
        if firewall is None and address:
            firewall = self.model.firewalls.get(address) or self.model.firewalls.get(address.removeprefix("tf:"))
        names = {address.lower()} | ({firewall.name.lower(), firewall.key.lower()} if firewall is not None else set())
        if firewall is not None:
            names |= {address_text(one) for one in firewall.addresses}
            shown, code = firewall.name, f"azure.firewall:{firewall.name}"
            text = f"Azure Firewall {firewall.name} stands in the way, and its rules aren't judged"
        else:
            shown = address.removeprefix("tf:") or "an appliance that isn't known"
            code = f"azure.route.appliance:{shown}"
            text = f"the appliance {shown} stands in the way, and its rules aren't judged"
        remedy = f"if it passes everything, declare {shown} transparent in the project file"
        return shown, Reason(text, code, hop.origin, remedy), bool(names & self.transparent)


def _place(text: str) -> int | None:
    try:
        return position(text)
    except ValueError:
        return None


def _block(text: str) -> IntervalSet:
    from lint.space.addresses import parse_cidr

    return parse_cidr(text)
