"""Virtual networks, subnets, peerings, routes and gateways read from records. Judges nothing: that is `lower`'s."""

from __future__ import annotations

from dataclasses import replace

from lint.azure.coverage import of_type
from lint.azure.index import (
    FIREWALL,
    GATEWAY,
    HUB_CONNECTION,
    LOCAL_GATEWAY,
    NAT_GATEWAY,
    PEERING,
    PUBLIC_ADDRESS,
    ROUTE,
    ROUTE_SERVER,
    ROUTE_TABLE,
    SUBNET,
    VIRTUAL_NETWORK,
    Index,
)
from lint.azure.model import (
    NOTHING,
    AddressSpace,
    Attachment,
    Firewall,
    Gateway,
    Hop,
    NatGateway,
    Operand,
    Peering,
    RouteTable,
    Subnet,
    Unclear,
    VirtualNetwork,
)
from lint.azure.records import PROVISIONAL, Gap, Record, View, canonical, last_segment, parent_of, segment_of, view
from lint.azure.security_rules import parse_operands
from lint.origin import Origin, Reason
from lint.space.addresses import REAL, parse_cidr, position
from lint.space.intervals import EMPTY, IntervalSet

_INJECTED = ("microsoft.sql/managedinstances", "microsoft.databricks/workspaces")
FIRST_PRIVATE_SUBNETS = (
    "2025-07-01"  # VNets made by this API version on have no default outbound access ("Private subnets by default")
)


def space(index: Index, view: View, *names: str) -> AddressSpace | None:
    """The prefixes in the first of these fields that says anything; None where none does."""
    for name in names:
        values, more = view.values(name)
        if not values and not more:
            continue
        certain = possible = EMPTY
        reasons = list(more)
        if more:
            possible = REAL
        for value in values:
            if isinstance(value, Gap):
                reasons += value.reasons
                possible = possible | (value.within if value.within is not None else REAL)
                continue
            if value is None or value == "":
                continue
            try:
                one = parse_cidr(str(value))
            except ValueError:
                reason = Reason(f"`{value}` is not a CIDR", "azure.prefix", view.origin, "correct it")
                index.problems[reason] = None
                reasons.append(reason)
                possible = REAL
                continue
            certain = certain | one
            possible = possible | one
        return AddressSpace(certain, possible, tuple(dict.fromkeys(reasons)))
    return None


def _unknown_space(text: str) -> AddressSpace:
    return AddressSpace(EMPTY, REAL, (Reason(text, "azure.prefix"),))


def read_networks(index: Index) -> tuple[dict[str, VirtualNetwork], dict[str, Subnet], dict[str, Peering]]:
    """All virtual networks, subnets and peerings by key."""
    networks: dict[str, VirtualNetwork] = {}
    subnets: dict[str, Subnet] = {}
    peerings: dict[str, Peering] = {}
    for record in index.of_type(VIRTUAL_NETWORK):
        properties = view(record)
        own = _network_space(index, properties)
        networks[record.key] = VirtualNetwork(
            key=record.key,
            name=record.name,
            space=own or _unknown_space(f"the address space of {record.name} isn't known"),
            origin=record.origin,
            subscription=record.subscription,
            location=record.location,
            tags=record.tags,
            elsewhere=_elsewhere(record.name, record.origin)
            if record.partial or record.properties.get("madeElsewhere") is True
            else (),
        )
        inline, _ = properties.parts("subnets")
        standalone = {child.name.lower() for child in index.children(record.key, SUBNET)}
        for item in inline:
            name = item.text("name")
            if not isinstance(name, str) or name.lower() in standalone:
                continue
            key = _child_key(item, record, "subnets", name)
            index.parts.add(key)
            index.keys.setdefault(canonical(f"{PROVISIONAL}{record.key}/subnets/{name}"), key)
            made = _subnet(index, item, key, name, record.key, record)
            subnets[made.key] = made
        links, _ = properties.parts("virtualNetworkPeerings")
        held = {child.name.lower() for child in index.children(record.key, PEERING)}
        for item in links:
            name = item.text("name")
            if isinstance(name, str) and name.lower() not in held:
                key = _child_key(item, record, "virtualNetworkPeerings", name)
                peerings[key] = _peering(index, item, key, name, record.key)
    for record in index.of_type(SUBNET):
        network = index.key(record.parent) if record.parent is not None else f"{record.key}#network"
        if network not in networks:
            networks[network] = _missing_network(index, network, record)
        subnets[record.key] = _subnet(index, view(record), record.key, record.name, network, record)
    for record in index.of_type(PEERING):
        network = index.key(record.parent) if record.parent is not None else f"{record.key}#network"
        if network not in networks:
            networks[network] = _missing_network(index, network, record)
        made_peering = _peering(index, view(record), record.key, record.name, network)
        peerings[record.key] = replace(made_peering, exists=record.exists)
    for subnet in subnets.values():  # a network holds its subnets, whatever else it holds
        home = networks.get(subnet.network)
        if home is not None and not subnet.space.must <= home.space.must and subnet.space.must <= home.space.may:
            certain = home.space.must | subnet.space.must
            networks[home.key] = replace(home, space=replace(home.space, must=certain))
    injected = {one.network for one in subnets.values() if any(d.lower() in _INJECTED for d in one.delegations)}
    for key in injected:
        networks[key] = replace(networks[key], injected=True)
    return networks, subnets, peerings


def _network_space(index: Index, properties: View) -> AddressSpace | None:
    nested = properties.part("addressSpace")
    if isinstance(nested, Gap):
        return AddressSpace(EMPTY, nested.within or REAL, nested.reasons)
    return None if nested is None else space(index, nested, "addressPrefixes")


def _missing_network(index: Index, key: str, child: Record) -> VirtualNetwork:
    reason = (
        index.missing(key)
        if child.parent is not None
        else Reason("its virtual network isn't known", None, child.origin)
    )
    return VirtualNetwork(
        key=key,
        name=last_segment(key),
        space=AddressSpace(EMPTY, REAL, (reason,)),
        origin=child.origin,
        subscription=child.subscription,
        missing=(reason,),
        elsewhere=_elsewhere(last_segment(key), child.origin),
    )


def _elsewhere(name: str, origin: Origin) -> tuple[Reason, ...]:
    return (
        Reason(
            f"{name} is made elsewhere, and may have peerings and gateways that the source doesn't show",
            "azure.peering.remote-unknown",
            origin,
            "add the source that holds it",
        ),
    )


def _child_key(item: View, record: Record, kind: str, name: str) -> str:
    identity = item.raw("id")
    if isinstance(identity, str) and identity:
        return canonical(identity)
    return f"{record.key}/{kind}/{name}".lower() if record.key.startswith("/") else f"{record.key}/{kind}/{name}"


def _subnet(index: Index, item: View, key: str, name: str, network: str, record: Record) -> Subnet:
    own = space(index, item, "addressPrefixes", "addressPrefix")
    if own is None and record.source == "dump" and not item.partial and item.raw("ipamPoolPrefixAllocations") is None:
        reason = Reason(
            f"the dump shows only part of subnet {name}",
            f"azure.coverage:{SUBNET}",
            item.origin,
            "add the list of virtual networks",
        )
        item = replace(item, partial=(reason,))
    outbound = item.flag("defaultOutboundAccess")
    outbound_reasons: tuple[Reason, ...] = ()
    if isinstance(outbound, Gap):
        outbound_reasons = outbound.reasons
        outbound = None
    elif outbound is None:
        outbound, outbound_reasons = _default_outbound(record)
    policies = item.text("privateEndpointNetworkPolicies")
    policies_reasons: tuple[Reason, ...] = ()
    if isinstance(policies, Gap):
        policies_reasons = policies.reasons
        policies = None
    else:
        policies = (policies or "Disabled").lower()
    delegated, _ = item.parts("delegations")
    delegations = [one.text("serviceName") for one in delegated]
    services, _ = item.parts("serviceEndpoints")
    service_names = [one.text("service") for one in services]
    return Subnet(
        key=key,
        name=name,
        network=network,
        space=own or _unknown_space(f"the prefix of subnet {name} isn't known"),
        group=_group(index, item, key, record),
        route_table=index.joined(index.attachment(item, "routeTable"), "subnet.route_table", key, "route tables"),
        nat_gateway=_nat_gateway(index, item, key, record),
        origin=item.origin,
        default_outbound=outbound,
        default_outbound_reasons=outbound_reasons,
        endpoint_policies=policies,
        endpoint_policies_reasons=policies_reasons,
        delegations=tuple(one for one in delegations if isinstance(one, str)),
        service_endpoints=tuple(one for one in service_names if isinstance(one, str)),
    )


def _group(index: Index, item: View, key: str, record: Record) -> Attachment:
    """The NSG of a subnet. An azapi body without one detaches whatever an association of azurerm attaches."""
    own = index.attachment(item, "networkSecurityGroup")
    found = index.joined(own, "subnet.group", key, "network security groups")
    if record.api_version is None or record.source == "dump" or own != NOTHING or found.key is None:
        return found
    reason = Reason(
        f"{record.key} writes its subnet without a network security group, and an association attaches {found.key}: "
        "each apply of one undoes the other",
        "azure.tf.mixed-subnet",
        record.origin,
        "name the group in the body",
    )
    index.problems[reason] = None
    return Attachment(found.key, (*found.open, reason))


def _nat_gateway(index: Index, item: View, key: str, record: Record) -> Attachment:
    """A subnet's NAT gateway. One that serves the whole network says so itself, so its list must be there."""
    found = index.joined(index.attachment(item, "natGateway"), "subnet.nat", key, "NAT gateways")
    unread = of_type(index.source.missing, NAT_GATEWAY, record.subscription) if found == NOTHING else ()
    return Attachment(None, unread) if unread else found


def _default_outbound(record: Record) -> tuple[bool | None, tuple[Reason, ...]]:
    """What an absent `defaultOutboundAccess` means.

    True in a live answer, else it depends on the API version that made the virtual network.
    """
    if record.source == "dump":
        return True, ()
    if record.api_version is None:
        reason = Reason(
            "whether this subnet has default outbound access depends on the API version that makes its virtual network",
            "azure.egress.default",
            record.origin,
            "set defaultOutboundAccess",
        )
        return None, (reason,)
    return record.api_version[:10] < FIRST_PRIVATE_SUBNETS, ()


def _peering(index: Index, item: View, key: str, name: str, network: str) -> Peering:
    reasons: list[Reason] = list(item.reasons)
    remote = item.identity("remoteVirtualNetwork")
    remote_key: str | None = None
    remote_text = "a virtual network that isn't known"
    if isinstance(remote, Gap):
        reasons += remote.reasons
    elif remote is not None:
        remote_key, remote_text = index.key(remote), last_segment(remote)
    remote_space: AddressSpace | None = None
    for field in ("remoteVirtualNetworkAddressSpace", "remoteAddressSpace"):
        nested = item.part(field)
        if isinstance(nested, View) and remote_space is None:
            remote_space = space(index, nested, "addressPrefixes")
    state = item.text("peeringState")
    sync = item.text("peeringSyncLevel")

    def flag(name: str, default: bool) -> bool | None:
        value = item.flag(name)
        if isinstance(value, Gap):
            reasons.extend(value.reasons)
            return None
        return default if value is None else value

    def names(field: str) -> tuple[str, ...]:
        values, more = item.values(field)
        reasons.extend(more)
        return tuple(one for one in values if isinstance(one, str))

    return Peering(
        key=key,
        name=name,
        local=network,
        remote=remote_key,
        remote_text=remote_text,
        origin=item.origin,
        state=state.lower() if isinstance(state, str) else "",
        access=flag("allowVirtualNetworkAccess", True),
        use_remote_gateways=flag("useRemoteGateways", False),
        remote_space=remote_space,
        whole=flag("peerCompleteVnets", True),
        local_subnets=names("localSubnetNames"),
        remote_subnets=names("remoteSubnetNames"),
        exists=item.exists,
        synced=not isinstance(sync, str) or sync.lower() == "fullyinsync",
        reasons=tuple(dict.fromkeys(reasons)),
    )


def read_route_tables(index: Index) -> dict[str, RouteTable]:
    """All route tables by key; routes in them and standalone ones, each once."""
    found: dict[str, RouteTable] = {}
    for record in index.of_type(ROUTE_TABLE):
        properties = view(record)
        inline, more = properties.parts("routes")
        children = index.children(record.key, ROUTE)
        names = {child.name.lower() for child in children}
        hops: list[Hop] = []
        for item in inline:
            name = item.text("name")
            if not (isinstance(name, str) and name.lower() in names):
                hops.append(_hop(index, item, record.name))
        hops += [_hop(index, view(child), record.name) for child in children]
        gateway_routes = properties.flag("disableBgpRoutePropagation")
        found[record.key] = RouteTable(
            key=record.key,
            name=record.name,
            hops=tuple(hops),
            origin=record.origin,
            open=more,
            gateway_routes=None if isinstance(gateway_routes, Gap) else not gateway_routes,
        )
    for (parent, kind), children in index.by_parent.items():
        if kind == ROUTE and parent not in found:
            reason = index.missing(parent)
            found[parent] = RouteTable(
                parent,
                last_segment(parent),
                tuple(_hop(index, view(child), last_segment(parent)) for child in children),
                children[0].origin,
                (reason,),
            )
    return found


_KINDS = ("vnetlocal", "virtualnetworkgateway", "internet", "virtualappliance", "none", "virtualapplianceecmp")


def _hop(index: Index, item: View, table: str) -> Hop:
    reasons: list[Reason] = list(item.reasons)
    name = item.text("name")
    label = f"route {name} of {table}" if isinstance(name, str) else f"a route of {table}"
    prefix_value = item.raw("addressPrefix")
    prefix: Operand
    if isinstance(prefix_value, Gap) or prefix_value in (None, ""):
        why = (
            prefix_value.reasons
            if isinstance(prefix_value, Gap)
            else (Reason(f"{label} has no prefix", None, item.origin),)
        )
        reasons += why
        prefix = Unclear(why, "prefix (not known)", prefix_value.within if isinstance(prefix_value, Gap) else None)
    else:
        notes: list[str] = []
        try:
            operands = parse_operands(str(prefix_value), notes, label)
        except ValueError as error:
            reason = Reason(f"{label}: {error}", "azure.prefix", item.origin, "correct it")
            index.problems[reason] = None
            operands = [Unclear((reason,), str(prefix_value))]
        index.notes.update(dict.fromkeys(notes))
        prefix = operands[0] if operands else Unclear((), str(prefix_value))
    kind = item.text("nextHopType")
    if isinstance(kind, Gap):
        reasons += kind.reasons
        kind_text = "unknown"
    else:
        kind_text = (kind or "").lower()
        if kind_text not in _KINDS:
            reason = Reason(f"{label}: `{kind}` is no kind of next hop", "azure.route", item.origin)
            index.problems[reason] = None
            reasons.append(reason)
            kind_text = "unknown"
    address = item.text("nextHopIpAddress") or _ecmp(item)
    if isinstance(address, Gap):
        reasons += address.reasons
        address = address.target if address.target is not None else None
    return Hop(
        name=name if isinstance(name, str) else "",
        prefix=prefix,
        kind=kind_text,
        address=address,
        origin=item.origin,
        exists=item.exists,
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _ecmp(item: View) -> str | None:
    nested = item.part("nextHop")
    if not isinstance(nested, View):
        return None
    values, _ = nested.values("nextHopIpAddresses")
    return ",".join(str(one) for one in values if not isinstance(one, Gap)) or None


def read_nat_gateways(index: Index) -> dict[str, NatGateway]:
    """All NAT gateways by key. One without a public address or prefix gives no way out."""
    found: dict[str, NatGateway] = {}
    for record in index.of_type(NAT_GATEWAY):
        properties = view(record)
        public = EMPTY
        working: bool | None = False
        reasons: list[Reason] = []
        addresses: list[str | Gap] = []
        for field in ("publicIpAddresses", "publicIpPrefixes", "publicIpAddressesV6", "publicIpPrefixesV6"):
            ids, more = properties.identities(field)
            addresses += ids
            reasons += more
        for kind in ("nat.public_address", "nat.public_prefix"):
            for _, one in index.associations(kind, record.key):
                if one.exists and not isinstance(one.first, Gap):
                    addresses.append(one.second if isinstance(one.second, str | Gap) else Gap(()))
                else:
                    reasons += one.reasons
        if addresses:
            working = True
        elif reasons:
            working = None
        unknown: list[str] = []
        more_addresses = bool(reasons)
        for one_address in addresses:
            held = index.by_key.get(index.key(one_address)) if isinstance(one_address, str) else None
            text = view(held).text("ipAddress") if held is not None else None
            text = text or (view(held).text("ipPrefix") if held is not None else None)
            if isinstance(text, str):
                public = public | _cidr(text)
            elif held is not None and held.type == PUBLIC_ADDRESS:
                unknown.append(held.key)
            else:
                more_addresses = True
        network = properties.identity("sourceVirtualNetwork")
        found[record.key] = NatGateway(
            key=record.key,
            name=record.name,
            working=working,
            public=public,
            addresses=tuple(dict.fromkeys(unknown)),
            more=more_addresses,
            origin=record.origin,
            network=index.key(network) if isinstance(network, str) else None,
            reasons=tuple(dict.fromkeys(reasons)),
        )
    return found


def _cidr(text: str) -> IntervalSet:
    try:
        return parse_cidr(text)
    except ValueError:
        return EMPTY


def address_in(value: object) -> int | None:
    """The place of an address as text, None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return position(value)
    except ValueError:
        return None


def read_firewalls(index: Index) -> dict[str, Firewall]:
    """All Azure Firewalls by key, with the private addresses by which routes name them."""
    found: dict[str, Firewall] = {}
    for record in index.of_type(FIREWALL):
        configurations, _ = view(record).parts("ipConfigurations")
        places: list[int] = []
        subnet: str | None = None
        for one in configurations:
            place = address_in(one.text("privateIPAddress"))
            if place is not None:
                places.append(place)
            identity = one.identity("subnet")
            if isinstance(identity, str):
                subnet = index.key(identity)
        found[record.key] = Firewall(record.key, record.name, tuple(places), record.origin, subnet)
    return found


def read_gateways(index: Index) -> dict[str, Gateway]:
    """VPN and ExpressRoute gateways, Virtual WAN connections and Route Servers by key.

    Prefixes behind them are those of local network gateways, whichever connection joins them; without any, or with
    BGP, they aren't known.
    """
    local = EMPTY
    any_local = False
    bgp_local = False
    unread: list[Reason] = []
    for record in index.of_type(LOCAL_GATEWAY):
        unread += record.partial
        nested = view(record).part("localNetworkAddressSpace")
        found = space(index, nested, "addressPrefixes") if isinstance(nested, View) else None
        if found is not None:
            any_local = True
            local = local | found.may
        if view(record).raw("bgpSettings") is not None:
            bgp_local = True
    gateways: dict[str, Gateway] = {}
    for record in index.of_type(GATEWAY):
        properties = view(record)
        configurations, _ = properties.parts("ipConfigurations")
        network: str | None = None
        for one in configurations:
            identity = one.identity("subnet")
            if isinstance(identity, str):
                network = subnet_network(index, identity)
        kind = properties.text("gatewayType")
        bgp = properties.flag("enableBgp")
        learned = (bgp is not False and bgp is not None) or (isinstance(kind, str) and kind.lower() == "expressroute")
        gateways[record.key] = Gateway(
            record.key,
            record.name,
            network,
            None if learned or bgp_local or not any_local else local,
            record.origin,
            learned or bgp_local,
            tuple(dict.fromkeys((*record.partial, *unread))),
        )
    for record in index.of_type(HUB_CONNECTION):
        identity = view(record).identity("remoteVirtualNetwork")
        gateways[record.key] = Gateway(
            record.key, record.name, index.key(identity) if isinstance(identity, str) else None, None, record.origin
        )
    for record in index.of_type(ROUTE_SERVER):
        told = (record, *index.children(record.key, f"{ROUTE_SERVER}/ipconfigurations"))
        for each in told:  # ARM tells the subnet in a child, Terraform in the server itself
            subnet = view(each).identity("subnet")
            if isinstance(subnet, str):
                network = subnet_network(index, subnet)
                gateways[record.key] = Gateway(
                    record.key, record.name, network, None, record.origin, open=record.partial
                )
    return gateways


def subnet_network(index: Index, identity: str) -> str | None:
    """The key of the virtual network of a subnet, by its record or by its id."""
    record = index.by_key.get(index.key(identity))
    if record is not None and record.parent is not None:
        return index.key(record.parent)
    if segment_of(identity, "virtualNetworks") is not None:
        return index.key(parent_of(identity))
    owner, found, _ = identity.rpartition("/subnets/")
    return index.key(owner) if found else None
