"""Network interfaces and what stands behind them, from raw answers.

Source: EC2 API reference, type NetworkInterface.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lint.aws.from_api import facts
from lint.aws.from_api.answers import Answers, Item
from lint.aws.from_api.gaps import is_balancer
from lint.aws.model.links import Link
from lint.aws.model.machines import InterfaceAddress, Workload
from lint.origin import Reason
from lint.space.addresses import IPV4, IPV6

# Interfaces that are ways for traffic and no machines.
_HOPS = frozenset(
    {"natGateway", "nat_gateway", "transit_gateway", "gateway_load_balancer_endpoint", "gateway_load_balancer"}
)
_KINDS = {
    "lambda": "function",
    "vpc_endpoint": "vpc_endpoint",
    "load_balancer": "load_balancer",
    "network_load_balancer": "load_balancer",
}


def workloads_of(answers: Answers) -> dict[str, Workload]:
    """Every interface that is a machine's.

    Where no interfaces were collected, what the instances themselves tell of theirs.
    """
    instances = _instances(answers)
    public = _elastic(answers)
    found: dict[str, Workload] = {}
    for item in answers.of("NetworkInterfaces"):
        if facts.text(item.data, "InterfaceType") in _HOPS:
            continue
        found[item.id] = _named(answers, item, _interface(item, item.data, instances, public))
    for instance in instances.values():
        if not answers.has("NetworkInterfaces") or answers.missing("NetworkInterfaces", instance):
            for each in _instance_interfaces(instance):
                id_ = facts.text(each, "NetworkInterfaceId") or instance.id
                found.setdefault(id_, replace(_interface(instance, each, instances, public), id=id_))
    _endpoints(answers, found)
    _databases(answers, found)
    return found


def _named(answers: Answers, item: Item, workload: Workload) -> Workload:
    """An interface whose owner could not be read may have other names and tags than its own."""
    kinds: tuple[str, ...] = ()
    if workload.kind == "instance":
        kinds = ("Reservations",)
    elif is_balancer(item.data):
        kinds = ("LoadBalancers", "LoadBalancerDescriptions")
    elif "RDSNetworkInterface" in workload.aliases:
        kinds = ("DBInstances",)
    elif workload.kind == "vpc_endpoint":
        kinds = ("VpcEndpoints",)
    open_ = tuple(reason for kind in kinds for reason in answers.missing(kind, item))
    return replace(workload, tags_open=(*workload.tags_open, *open_)) if open_ else workload


def _instances(answers: Answers) -> dict[str, Item]:
    """Instances by id; terminated ones have no interfaces any more."""
    found: dict[str, Item] = {}
    for reservation in answers.of("Reservations"):
        for data in facts.listed(reservation.data, "Instances"):
            id_ = facts.text(data, "InstanceId")
            if id_ is not None:
                merged = {"OwnerId": facts.text(reservation.data, "OwnerId"), **data}
                found[id_] = Item(id_, merged, reservation.document)
    for item in answers.of("Instances"):
        found.setdefault(item.id, item)
    return {
        id_: item
        for id_, item in found.items()
        if facts.text(item.data, "State", "Name") not in ("terminated", "shutting-down")
    }


def _instance_interfaces(instance: Item) -> Iterator[dict[str, Any]]:
    listed = list(facts.listed(instance.data, "NetworkInterfaces"))
    if listed:
        for each in listed:
            yield {"Attachment": {"InstanceId": instance.id}, **each, "_Instance": instance.id}
        return
    yield {
        "Groups": instance.data.get("SecurityGroups"),
        "PrivateIpAddress": facts.text(instance.data, "PrivateIpAddress"),
        "SubnetId": facts.text(instance.data, "SubnetId"),
        "VpcId": facts.text(instance.data, "VpcId"),
        "Association": {"PublicIp": facts.text(instance.data, "PublicIpAddress")},
        "SourceDestCheck": instance.data.get("SourceDestCheck"),
        "_Instance": instance.id,
    }


def _elastic(answers: Answers) -> dict[tuple[str, str | None], str]:
    """Elastic IPs by interface and private address."""
    found: dict[tuple[str, str | None], str] = {}
    for item in answers.of("Addresses"):
        public, interface = facts.text(item.data, "PublicIp"), facts.text(item.data, "NetworkInterfaceId")
        if public is not None and interface is not None:
            found[interface, facts.text(item.data, "PrivateIpAddress")] = public
    return found


def _interface(
    item: Item, data: dict[str, Any], instances: dict[str, Item], public: dict[tuple[str, str | None], str]
) -> Workload:
    id_ = facts.text(data, "NetworkInterfaceId") or item.id
    type_ = facts.text(data, "InterfaceType") or "interface"
    instance_id = facts.text(data, "Attachment", "InstanceId") or facts.text(data, "_Instance")
    instance = instances.get(instance_id) if instance_id is not None else None
    description = facts.text(data, "Description") or ""
    tags = dict(facts.tags_of(data))
    if instance is not None:
        tags = {**tags, **dict(facts.tags_of(instance.data))}
    addresses = tuple(_addresses(id_, data, public))
    groups = tuple(g for g in (facts.text(each, "GroupId") for each in facts.listed(data, "Groups")) if g is not None)
    balancer = type_ in ("load_balancer", "network_load_balancer")
    open_: tuple[Reason, ...] = ()
    if "Groups" not in data or data.get("Groups") is None:
        open_ = (Reason(f"the groups of {id_} aren't in this source", origin=item.origin),)
    elif not groups and not balancer and facts.truth(data, "RequesterManaged"):
        open_ = (Reason(f"{id_} belongs to a service and shows no groups", origin=item.origin),)
    aliases = [
        instance_id,
        id_ if id_ != item.id else None,
        facts.text(data, "PrivateDnsName"),
        facts.text(data, "Association", "PublicDnsName"),
    ]
    if description:
        aliases.append(description)
    subnet = facts.text(data, "SubnetId")
    account = facts.text(data, "OwnerId") or item.account
    kind = "instance" if instance_id is not None else _KINDS.get(type_, "network_interface")
    return Workload(
        id=id_,
        name=tags.get("Name") or instance_id or description or id_,
        kind=kind,
        groups=groups,
        addresses=addresses,
        origin=replace(item.origin, resource_id=id_, account=account),
        subnets=(Link(subnet),) if subnet else (),
        vpc=Link(facts.text(data, "VpcId")),
        groups_open=open_,
        unfiltered=type_ == "network_load_balancer" and not groups and not open_,
        aliases=tuple(dict.fromkeys(a for a in aliases if a)),
        tags=tuple(sorted(tags.items())),
        account=account,
        region=item.region,
        exists=facts.text(data, "Status") != "available",
        initiates=kind != "vpc_endpoint",
        accepts=kind != "function",
        forwards=facts.truth(data, "SourceDestCheck") is False,
        reasons=(Reason(f"{id_} isn't attached to anything", origin=item.origin),)
        if facts.text(data, "Status") == "available"
        else (),
    )


def _addresses(id_: str, data: dict[str, Any], public: dict[tuple[str, str | None], str]) -> Iterator[InterfaceAddress]:
    subnet = Link(facts.text(data, "SubnetId"))
    listed = list(facts.listed(data, "PrivateIpAddresses"))
    if not listed and facts.text(data, "PrivateIpAddress") is not None:
        listed = [{"PrivateIpAddress": data["PrivateIpAddress"], "Association": data.get("Association")}]
    denied = facts.truth(data, "DenyAllIgwTraffic") is True
    for each in listed:
        written = facts.text(each, "PrivateIpAddress")
        place = facts.place(written)
        if place is None:
            continue
        known = facts.text(each, "Association", "PublicIp")
        if known is None and written == facts.text(data, "PrivateIpAddress"):
            known = facts.text(data, "Association", "PublicIp")
        known = known or public.get((id_, written)) or (public.get((id_, None)) if each is listed[0] else None)
        exists: bool | None = facts.place(known) is not None
        reasons: tuple[Reason, ...] = ()
        if exists and denied:
            exists, reasons = None, (Reason(f"{id_} refuses traffic from Internet gateways"),)
        yield InterfaceAddress(
            place=place, subnet=subnet, public=facts.place(known), public_exists=exists, public_reasons=reasons
        )
    for each in facts.listed(data, "Ipv6Addresses"):
        place = facts.place(facts.text(each, "Ipv6Address"))
        if place is not None:
            yield InterfaceAddress(place=place, family=6, subnet=subnet)
    for key, attribute, family in (("Ipv4Prefixes", "Ipv4Prefix", IPV4), ("Ipv6Prefixes", "Ipv6Prefix", IPV6)):
        for each in facts.listed(data, key):
            within = facts.addresses(facts.text(each, attribute)) & family
            if within:
                yield InterfaceAddress(within=within, family=6 if family is IPV6 else 4, subnet=subnet)


def _endpoints(answers: Answers, found: dict[str, Workload]) -> None:
    """Interface endpoints lend their name to their interfaces; without interfaces they stand for themselves."""
    for item in answers.of("VpcEndpoints"):
        if facts.text(item.data, "VpcEndpointType") not in ("Interface", "Resource", "ServiceNetwork"):
            continue
        service = facts.text(item.data, "ServiceName") or item.id
        name = facts.name_of(item.data, service)
        interfaces = [i for i in facts.texts(item.data, "NetworkInterfaceIds") if i in found]
        for id_ in interfaces:
            known = found[id_]
            found[id_] = replace(
                known, kind="vpc_endpoint", initiates=False, name=name, aliases=(*known.aliases, item.id, service)
            )
        if not interfaces:
            groups = [facts.text(g, "GroupId") for g in facts.listed(item.data, "Groups")]
            subnets = [Link(s) for s in facts.texts(item.data, "SubnetIds")]
            found[item.id] = Workload(
                id=item.id,
                name=name,
                kind="vpc_endpoint",
                groups=tuple(g for g in groups if g is not None),
                addresses=tuple(InterfaceAddress(subnet=s) for s in subnets) or (InterfaceAddress(),),
                origin=item.origin,
                subnets=tuple(subnets),
                vpc=Link(facts.text(item.data, "VpcId")),
                aliases=(service,),
                tags=facts.tags_of(item.data),
                account=item.account,
                region=item.region,
                initiates=False,
            )


def _databases(answers: Answers, found: dict[str, Workload]) -> None:
    """Databases lend their names to the interfaces that RDS made for them.

    Without interfaces they stand for themselves.
    """
    managed = [w for w in found.values() if "RDSNetworkInterface" in w.aliases]
    items = list(answers.of("DBInstances"))
    wanted: dict[str, list[Item]] = {}
    for item in items:
        groups = frozenset(_database_groups(item))
        subnets = frozenset(_database_subnets(item))
        mine = [w for w in managed if frozenset(w.groups) == groups and {s.id for s in w.subnets} <= subnets]
        for workload in mine:
            wanted.setdefault(workload.id, []).append(item)
        if not mine:
            links = [Link(s) for s in _database_subnets(item)]
            public = facts.truth(item.data, "PubliclyAccessible")
            found[item.id] = Workload(
                id=item.id,
                name=item.id,
                kind="database",
                groups=tuple(_database_groups(item)),
                addresses=tuple(InterfaceAddress(subnet=s, public_exists=public) for s in links)
                or (InterfaceAddress(public_exists=public),),
                origin=item.origin,
                subnets=tuple(links),
                vpc=Link(facts.text(item.data, "DBSubnetGroup", "VpcId")),
                aliases=tuple(
                    a
                    for a in (facts.text(item.data, "Endpoint", "Address"), facts.text(item.data, "DBInstanceArn"))
                    if a
                ),
                tags=facts.tags_of(item.data),
                account=item.account,
                region=item.region,
            )
    for id_, owners in wanted.items():
        aliases = [a for o in owners for a in (o.id, facts.text(o.data, "Endpoint", "Address")) if a]
        known = found[id_]
        found[id_] = replace(
            known,
            kind="database",
            name=owners[0].id if len(owners) == 1 else known.name,
            aliases=(*known.aliases, *aliases),
            tags=facts.tags_of(owners[0].data) if len(owners) == 1 else known.tags,
        )


def _database_groups(item: Item) -> list[str]:
    listed = (facts.text(g, "VpcSecurityGroupId") for g in facts.listed(item.data, "VpcSecurityGroups"))
    return [g for g in listed if g is not None]


def _database_subnets(item: Item) -> list[str]:
    listed = (facts.text(s, "SubnetIdentifier") for s in facts.listed(item.data.get("DBSubnetGroup"), "Subnets"))
    return [s for s in listed if s is not None]
