"""NICs, scale sets, private endpoints, machines and public addresses read from records."""

from __future__ import annotations

from dataclasses import replace

from lint.azure.coverage import reasons_for
from lint.azure.index import (
    INTERFACE,
    MACHINE,
    PRIVATE_ENDPOINT,
    PUBLIC_ADDRESS,
    SCALE_SET,
    Index,
)
from lint.azure.model import NOTHING, Attachment, Interface, IpConfiguration, Machine, PublicAddress
from lint.azure.networks import address_in
from lint.azure.records import Gap, Record, View, last_segment, view
from lint.origin import Reason
from lint.space.addresses import IPV6_BASE

SCALE_SET_INTERFACE = "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces"


def read_interfaces(index: Index) -> tuple[dict[str, Interface], dict[str, Machine]]:
    """All interfaces and machines by key."""
    interfaces: dict[str, Interface] = {}
    for record in index.of_type(INTERFACE, SCALE_SET_INTERFACE):
        interfaces[record.key] = _interface(index, record)
    collected = {_scale_set_of(record) for record in index.of_type(SCALE_SET_INTERFACE)}
    for record in index.of_type(SCALE_SET):
        if record.key not in collected:
            for made in _scale_set(index, record):
                interfaces[made.key] = made
    for record in index.of_type(PRIVATE_ENDPOINT):
        _private_endpoint(index, record, interfaces)
    machines = {record.key: _machine(index, record) for record in index.of_type(MACHINE)}
    for record in index.of_type(SCALE_SET_INTERFACE):
        instance = _instance(index, record, interfaces[record.key])
        if instance is not None:
            machines.setdefault(instance.key, instance)
    for key, machine in machines.items():
        for one in machine.interfaces:
            held = interfaces.get(one)
            if held is not None and held.machine is None:
                interfaces[one] = replace(held, machine=key)
    for key, interface in interfaces.items():
        owner = machines.get(interface.machine or "")
        if owner is not None and key not in owner.interfaces:
            machines[owner.key] = replace(owner, interfaces=(*owner.interfaces, key))
    return interfaces, machines


def _scale_set_of(record: Record) -> str:
    return record.key.partition("/virtualmachines/")[0]


def _instance(index: Index, record: Record, interface: Interface) -> Machine | None:
    """The machine of a scale set's interface: it has no resource of its own in the lists, and bears the set's tags."""
    owner = index.by_key.get(_scale_set_of(record))
    if interface.machine is None or owner is None:
        return None
    number = last_segment(interface.machine)
    return Machine(
        key=interface.machine,
        name=f"{owner.name}_{number}",
        interfaces=(interface.key,),
        origin=owner.origin,
        tags=owner.tags,
        tags_open=owner.tags_open,
        aliases=tuple(dict.fromkeys((owner.name, *owner.ids))),
    )


def _interface(index: Index, record: Record) -> Interface:
    properties = view(record)
    machine = properties.identity("virtualMachine")
    endpoint = properties.identity("privateEndpoint")
    items, more = properties.parts("ipConfigurations")
    configurations = tuple(_configuration(index, item, record.key, at) for at, item in enumerate(items)) or (
        _unseen_configuration(record.key, more),
    )
    groups = _associated_groups(index, "nic.application_group", record.key)
    configurations = tuple(
        # The azurerm provider writes the group to every IPv4 configuration and skips IPv6 ones.
        _with_groups(one, groups) if one.family == 4 else one
        for one in configurations
    )
    configurations = tuple(_with_pools(index, one, record.key) for one in configurations)
    kind = "network_interface"
    group = index.joined(
        index.attachment(properties, "networkSecurityGroup"), "nic.group", record.key, "network security groups"
    )
    if isinstance(endpoint, str):
        kind, group = "private_endpoint", NOTHING
    return Interface(
        key=record.key,
        name=record.name,
        kind=kind,
        configurations=configurations,
        group=group,
        origin=record.origin,
        machine=index.key(machine) if isinstance(machine, str) else None,
        forwarding=properties.flag("enableIPForwarding") is True,
        tcp_state_off=properties.flag("disableTcpStateTracking") is True,
        aliases=tuple(dict.fromkeys((record.name, *record.ids))),
        tags=record.tags,
        tags_open=record.tags_open,
        subscription=record.subscription,
        location=record.location,
        exists=record.exists,
        reasons=record.reasons,
    )


def _associated_groups(index: Index, kind: str, key: str) -> tuple[tuple[str, ...], tuple[Reason, ...]]:
    certain: list[str] = []
    possible: list[Reason] = []
    for attached, one in index.associations(kind, key):
        if isinstance(one.second, str) and one.exists and not isinstance(one.first, Gap):
            certain.append(index.key(one.second))
        else:
            possible += attached.open or one.reasons
    return tuple(certain), tuple(possible)


def _with_groups(one: IpConfiguration, found: tuple[tuple[str, ...], tuple[Reason, ...]]) -> IpConfiguration:
    certain, possible = found
    if not certain and not possible:
        return one
    return replace(
        one,
        groups=tuple(dict.fromkeys((*one.groups, *certain))),
        groups_open=tuple(dict.fromkeys((*one.groups_open, *possible))),
    )


def _with_pools(index: Index, one: IpConfiguration, key: str) -> IpConfiguration:
    pools, pools_open, rules = list(one.pools), list(one.pools_open), list(one.nat_rules)
    for kind, into in (("nic.pool", pools), ("nic.nat_rule", rules)):
        for attached, association in index.associations(kind, key):
            name = association.detail
            if isinstance(name, str) and name.lower() != one.name.lower():
                continue
            if isinstance(association.second, str) and association.exists and not isinstance(association.first, Gap):
                into.append(index.key(association.second))
            else:
                pools_open += attached.open or association.reasons
    return replace(
        one,
        pools=tuple(dict.fromkeys(pools)),
        pools_open=tuple(dict.fromkeys(pools_open)),
        nat_rules=tuple(dict.fromkeys(rules)),
    )


def _unseen_configuration(key: str, more: tuple[Reason, ...]) -> IpConfiguration:
    reasons = more or (Reason("its ip configurations aren't in the source", "azure.coverage:ipConfigurations"),)
    unknown = Attachment(None, reasons)
    return IpConfiguration(f"{key}/ipConfigurations/*", "*", unknown, 4, None, unknown, groups_open=reasons)


def _configuration(index: Index, item: View, owner: str, at: int) -> IpConfiguration:
    name_value = item.text("name")
    name = name_value if isinstance(name_value, str) else str(at)
    identity = item.raw("id")
    key = index.key(identity) if isinstance(identity, str) and identity else f"{owner}/ipConfigurations/{name}"
    place = address_in(item.text("privateIPAddress"))
    version = item.text("privateIPAddressVersion")
    family = 6 if isinstance(version, str) and version.lower() == "ipv6" else 4
    if place is not None:
        family = 6 if place >= IPV6_BASE else 4
    groups: list[str] = []
    groups_open: list[Reason] = []
    ids, more = item.identities("applicationSecurityGroups")
    groups_open += more
    for one in ids:
        if isinstance(one, Gap):
            groups_open += one.reasons
        else:
            groups.append(index.key(one))
    pools: list[str] = []
    pools_open: list[Reason] = []
    ids, more = item.identities("loadBalancerBackendAddressPools")
    pools_open += more
    for one in ids:
        if isinstance(one, Gap):
            pools_open += one.reasons
        else:
            pools.append(index.key(one))
    pools_open += _unseen_balancers(index, pools)
    rules, _ = item.identities("loadBalancerInboundNatRules")
    public_value = item.raw("publicIPAddressConfiguration")
    public = index.attachment(item, "publicIPAddress")
    return IpConfiguration(
        key=key,
        name=name,
        subnet=index.attachment(item, "subnet"),
        family=family,
        address=place,
        public=public,
        groups=tuple(dict.fromkeys(groups)),
        groups_open=tuple(dict.fromkeys(groups_open)),
        pools=tuple(dict.fromkeys(pools)),
        pools_open=tuple(dict.fromkeys(pools_open)),
        nat_rules=tuple(index.key(one) for one in rules if isinstance(one, str)),
        implicit_public=public_value is not None and not isinstance(public_value, Gap),
    )


def _unseen_balancers(index: Index, pools: list[str]) -> list[Reason]:
    """Why what pools do for an interface isn't known: the list of their load balancers could not be collected."""
    owners = dict.fromkeys(pool.partition("/backendaddresspools/")[0] for pool in pools)
    return [
        reason for owner in owners if owner not in index.by_key for reason in reasons_for(index.source.missing, owner)
    ]


def _scale_set(index: Index, record: Record) -> list[Interface]:
    """One symbolic interface for each NIC block: how many instances there are changes no rule."""
    properties = view(record)
    profile = properties.part("virtualMachineProfile")
    network = profile.part("networkProfile") if isinstance(profile, View) else None
    mode = properties.text("orchestrationMode")
    items, more = network.parts("networkInterfaceConfigurations") if isinstance(network, View) else ((), ())
    made: list[Interface] = []
    for at, item in enumerate(items):
        name_value = item.text("name")
        name = name_value if isinstance(name_value, str) else str(at)
        key = record.key if len(items) == 1 and not more else f"{record.key}/networkInterfaces/{name}"
        inner, inner_more = item.parts("ipConfigurations")
        configurations = tuple(_configuration(index, one, key, i) for i, one in enumerate(inner))
        made.append(
            Interface(
                key=key,
                name=record.name if len(items) == 1 else f"{record.name}/{name}",
                kind="scale_set",
                configurations=configurations or (_unseen_configuration(key, inner_more),),
                group=index.attachment(item, "networkSecurityGroup"),
                origin=record.origin,
                forwarding=item.flag("enableIPForwarding") is True,
                aliases=tuple(dict.fromkeys((record.name, name, record.key, *record.ids))),
                tags=record.tags,
                tags_open=record.tags_open,
                subscription=record.subscription,
                location=record.location,
                exists=record.exists and item.exists,
                reasons=record.reasons + item.reasons,
                flexible=isinstance(mode, str) and mode.lower() == "flexible",
            )
        )
    if not made:
        made.append(
            Interface(
                key=record.key,
                name=record.name,
                kind="scale_set",
                configurations=(_unseen_configuration(record.key, more),),
                group=Attachment(None, more or (Reason("its interfaces aren't in the source", None, record.origin),)),
                origin=record.origin,
                aliases=(record.name, *record.ids),
                tags=record.tags,
                subscription=record.subscription,
                exists=record.exists,
                reasons=record.reasons,
            )
        )
    return made


def _private_endpoint(index: Index, record: Record, interfaces: dict[str, Interface]) -> None:
    properties = view(record)
    ids, _ = properties.identities("networkInterfaces")
    own = [index.key(one) for one in ids if isinstance(one, str) and index.key(one) in interfaces]
    groups: list[str] = []
    listed, groups_open = properties.identities("applicationSecurityGroups")
    groups += [index.key(one) for one in listed if isinstance(one, str)]
    certain, possible = _associated_groups(index, "endpoint.application_group", record.key)
    groups += certain
    membership = (tuple(dict.fromkeys(groups)), tuple(dict.fromkeys((*groups_open, *possible))))
    for key in own:
        held = interfaces[key]
        interfaces[key] = replace(
            held,
            kind="private_endpoint",
            group=NOTHING,
            name=record.name,
            aliases=tuple(dict.fromkeys((*held.aliases, record.name, record.key, *record.ids))),
            tags=held.tags or record.tags,
            configurations=tuple(_with_groups(one, membership) for one in held.configurations),
        )
    if own:
        return
    subnet = index.attachment(properties, "subnet")
    items, _ = properties.parts("ipConfigurations")
    places = [place for place in (address_in(item.text("privateIPAddress")) for item in items) if place is not None]
    configurations = tuple(
        IpConfiguration(
            f"{record.key}/ipConfigurations/{at}",
            str(at),
            subnet,
            6 if place is not None and place >= IPV6_BASE else 4,
            place,
            NOTHING,
        )
        for at, place in enumerate(places or [None])
    )
    interfaces[record.key] = Interface(
        key=record.key,
        name=record.name,
        kind="private_endpoint",
        configurations=tuple(_with_groups(one, membership) for one in configurations),
        group=NOTHING,
        origin=record.origin,
        aliases=tuple(dict.fromkeys((record.name, *record.ids))),
        tags=record.tags,
        tags_open=record.tags_open,
        subscription=record.subscription,
        location=record.location,
        exists=record.exists,
        reasons=record.reasons,
    )


def _machine(index: Index, record: Record) -> Machine:
    properties = view(record)
    profile = properties.part("networkProfile")
    ids, more = profile.identities("networkInterfaces") if isinstance(profile, View) else ((), ())
    keys = tuple(index.key(one) for one in ids if isinstance(one, str))
    gaps = tuple(reason for one in ids if isinstance(one, Gap) for reason in one.reasons)
    return Machine(
        key=record.key,
        name=record.name,
        interfaces=tuple(dict.fromkeys(keys)),
        origin=record.origin,
        tags=record.tags,
        tags_open=record.tags_open,
        aliases=tuple(dict.fromkeys((record.name, *record.ids))),
        exists=record.exists,
        reasons=record.reasons,
        interfaces_open=tuple(dict.fromkeys((*more, *gaps))),
    )


def read_public_addresses(index: Index) -> dict[str, PublicAddress]:
    """All public IP addresses by key."""
    found: dict[str, PublicAddress] = {}
    for record in index.of_type(PUBLIC_ADDRESS):
        found[record.key] = PublicAddress(
            key=record.key,
            name=record.name or last_segment(record.key),
            address=address_in(view(record).text("ipAddress")),
            standard=standard_sku(record),
            origin=record.origin,
            exists=record.exists,
            family=_family_of(view(record)),
        )
    return found


def _family_of(address: View) -> int | None:
    """The family of a public address: IPv4 where it doesn't say; None where it isn't known."""
    version = address.text("publicIPAddressVersion")
    if isinstance(version, Gap):
        return None
    return 6 if (version or "").lower() == "ipv6" else 4


def standard_sku(record: Record) -> bool | None:
    """Whether the SKU is Standard (or newer); None where the source doesn't tell."""
    value = record.sku
    name = value.get("name") if isinstance(value, dict) else value
    if not isinstance(name, str) or not name:
        return None
    return name.lower() != "basic"
