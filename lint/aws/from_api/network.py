"""VPCs, subnets, route tables and gateways from raw answers.

Sources: EC2 API reference, types Vpc, Subnet, Route, RouteTableAssociation, NatGateway, VpcPeeringConnection,
TransitGateway….
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lint.aws.from_api import facts
from lint.aws.from_api.answers import Answers, Item
from lint.aws.model import network as aws
from lint.aws.model.links import NOWHERE, Link
from lint.aws.targets import kind_of_target
from lint.origin import Problem, Reason
from lint.space.addresses import IPV4, REAL
from lint.space.intervals import EMPTY, IntervalSet

_BLOCK_MODES = {"off": "", "block-ingress": "ingress", "block-bidirectional": "bidirectional"}
_EXCLUSIONS = {"allow-bidirectional": "", "allow-egress": "ingress"}


def vpcs_of(answers: Answers) -> dict[str, aws.Vpc]:
    """Every VPC. A layer counts as contained where the documents hold its kind for the VPC's account and region."""
    found: dict[str, aws.Vpc] = {}
    for item in answers.of("Vpcs"):
        prefixes = _associated(item.data, "CidrBlockAssociationSet", "CidrBlock")
        primary = facts.addresses(facts.text(item.data, "CidrBlock"))
        if "CidrBlockAssociationSet" not in item.data:
            prefixes = primary
        v6 = _associated(item.data, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock")
        acls_missing, routes_missing = answers.missing("NetworkAcls", item), answers.missing("RouteTables", item)
        mode, mode_open = _blocked(answers, item)
        found[item.id] = aws.Vpc(
            id=item.id,
            name=facts.name_of(item.data, item.id),
            prefixes=prefixes | v6,
            origin=item.origin,
            ipv6=bool(v6),
            has_acls=answers.shows("NetworkAcls", item),
            has_routes=answers.shows("RouteTables", item),
            acls_open=acls_missing,
            routes_open=routes_missing,
            resolver=primary.first + 2 if primary else None,
            internet_block=mode,
            internet_block_open=mode_open,
            tags=facts.tags_of(item.data),
            account=item.account,
            region=item.region,
        )
    return found


def _blocked(answers: Answers, item: Item) -> tuple[str, tuple[Reason, ...]]:
    """The mode of VPC Block Public Access for a VPC, and why that isn't known."""
    effective = facts.text(item.data, "BlockPublicAccessStates", "InternetGatewayBlockMode")
    if effective in _BLOCK_MODES:
        return _BLOCK_MODES[effective], ()
    mode = ""
    for options in answers.of("VpcBlockPublicAccessOptions"):
        region = facts.text(options.data, "AwsRegion") or options.document.region
        if region is None or item.region is None or region == item.region:
            mode = _BLOCK_MODES.get(facts.text(options.data, "InternetGatewayBlockMode") or "off", "bidirectional")
    excluded = _exclusion(answers, f"vpc/{item.id}")
    open_ = answers.missing("VpcBlockPublicAccessOptions", item)
    if mode:
        open_ += answers.missing("VpcBlockPublicAccessExclusions", item)
    return (mode if excluded is None or not mode else excluded), open_


def _exclusion(answers: Answers, resource: str) -> str | None:
    for item in answers.of("VpcBlockPublicAccessExclusions"):
        state = facts.text(item.data, "State") or "create-complete"
        if (facts.text(item.data, "ResourceArn") or "").endswith(resource) and "delete" not in state:
            return _EXCLUSIONS.get(facts.text(item.data, "InternetGatewayExclusionMode") or "")
    return None


def _associated(data: dict[str, Any], key: str, block: str) -> IntervalSet:
    """The blocks of an association set that are in force; disassociated ones stay listed for a while."""
    found = EMPTY
    for each in facts.listed(data, key):
        state = each.get("CidrBlockState") or each.get("Ipv6CidrBlockState") or {}
        word = facts.text(state, "State") if isinstance(state, dict) else str(state)
        if word is None or ("disassociat" not in word and "fail" not in word):
            found = found | facts.addresses(facts.text(each, block))
    return found


def subnets_of(answers: Answers) -> dict[str, aws.Subnet]:
    """Every subnet."""
    found: dict[str, aws.Subnet] = {}
    for item in answers.of("Subnets"):
        mode = facts.text(item.data, "BlockPublicAccessStates", "InternetGatewayBlockMode")
        block = _BLOCK_MODES.get(mode) if mode is not None else None
        if block is None:
            block = _exclusion(answers, f"subnet/{item.id}")
        found[item.id] = aws.Subnet(
            id=item.id,
            name=facts.name_of(item.data, item.id),
            vpc=Link(facts.text(item.data, "VpcId")),
            prefixes=facts.addresses(facts.text(item.data, "CidrBlock"))
            | _associated(item.data, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock"),
            origin=item.origin,
            zone=facts.text(item.data, "AvailabilityZoneId") or facts.text(item.data, "AvailabilityZone"),
            public_on_launch=facts.truth(item.data, "MapPublicIpOnLaunch"),
            internet_block=block,
            tags=facts.tags_of(item.data),
            account=item.account,
            region=item.region,
        )
    return found


def route_tables_of(answers: Answers, problems: list[Problem]) -> dict[str, aws.RouteTable]:
    """Every route table with its routes and the subnets associated with it."""
    endpoints = {i.id: facts.text(i.data, "VpcEndpointType") or "Gateway" for i in answers.of("VpcEndpoints")}
    found: dict[str, aws.RouteTable] = {}
    for item in answers.of("RouteTables"):
        subnets: list[Link] = []
        gateways: list[str] = []
        main = False
        for each in facts.listed(item.data, "Associations"):
            state = facts.text(each, "AssociationState", "State") or "associated"
            if state not in ("associated", "associating"):
                continue
            subnet, gateway = facts.text(each, "SubnetId"), facts.text(each, "GatewayId")
            if subnet is not None:
                subnets.append(Link(subnet))
            elif gateway is not None:
                gateways.append(gateway)
            elif facts.truth(each, "Main"):
                main = True
        found[item.id] = aws.RouteTable(
            id=item.id,
            name=facts.name_of(item.data, item.id),
            vpc=Link(facts.text(item.data, "VpcId")),
            routes=tuple(
                _unread(answers, item, _route(item, each, endpoints, problems))
                for each in facts.listed(item.data, "Routes")
            ),
            subnets=tuple(subnets),
            origin=item.origin,
            main=main,
            gateways=tuple(gateways),
        )
    return found


_NEEDED: Mapping[str, tuple[str, ...]] = {
    aws.INTERNET_GATEWAY: ("InternetGateways",),
    aws.EGRESS_ONLY_GATEWAY: ("EgressOnlyInternetGateways",),
    aws.NAT_GATEWAY: ("NatGateways",),
    aws.PEERING: ("VpcPeeringConnections",),
    aws.GATEWAY_ENDPOINT: ("VpcEndpoints",),
    aws.TRANSIT_GATEWAY: (
        "TransitGateways",
        "TransitGatewayAttachments",
        "TransitGatewayVpcAttachments",
        "TransitGatewayRouteTables",
        "TransitGatewayRouteTableAssociations",
        "TransitGatewayPropagations",
        "TransitGatewayStaticRoutes",
    ),
}  # what has to be read before a route to such a thing can be followed


def _unread(answers: Answers, item: Item, route: aws.Route) -> aws.Route:
    """The route; one that leads nowhere certain where what it leads to could not be read."""
    kinds = _NEEDED.get(route.kind, ())
    if route.target is not None and route.target.startswith("vpce-"):
        kinds = ("VpcEndpoints",)
    why = [reason for kind in kinds for reason in answers.missing_below(kind, item)]
    if not why:
        return route
    return replace(route, kind=aws.UNDETERMINED, reasons=(*route.reasons, *why))


def _route(item: Item, each: dict[str, Any], endpoints: dict[str, str], problems: list[Problem]) -> aws.Route:
    written = facts.text(each, "DestinationCidrBlock") or facts.text(each, "DestinationIpv6CidrBlock")
    listed = facts.text(each, "DestinationPrefixListId")
    kind, target, why = _target(each, endpoints)
    reasons = (Reason(why, origin=item.origin),) if why else ()
    destinations = facts.addresses(written)
    may = None
    if not destinations and listed is None:
        text = f'{item.id}: "{written}" is no destination of a route'
        problems.append(Problem("warning", text, item.origin))
        reasons, may = (*reasons, Reason(text, origin=item.origin)), REAL
    if facts.text(each, "State") in ("blackhole", "filtered"):
        kind = aws.BLACKHOLE
    return aws.Route(
        destinations=destinations,
        destinations_may=may,
        kind=kind,
        text=written or listed or "?",
        origin=item.origin,
        target=target,
        prefix_list=listed,
        rank=2 if facts.text(each, "Origin") == "EnableVgwRoutePropagation" else 1 if listed else 0,
        reasons=reasons,
    )


def _target(each: dict[str, Any], endpoints: dict[str, str]) -> tuple[str, str | None, str]:
    """What a route leads to: its kind, id, and what isn't known about it."""
    for key, usual in (
        ("NatGatewayId", aws.NAT_GATEWAY),
        ("VpcPeeringConnectionId", aws.PEERING),
        ("TransitGatewayId", aws.TRANSIT_GATEWAY),
        ("EgressOnlyInternetGatewayId", aws.EGRESS_ONLY_GATEWAY),
        ("NetworkInterfaceId", aws.APPLIANCE),
        ("InstanceId", aws.APPLIANCE),
        ("LocalGatewayId", aws.OTHER_GATEWAY),
        ("CarrierGatewayId", aws.OTHER_GATEWAY),
        ("CoreNetworkArn", aws.OTHER_GATEWAY),
        ("OdbNetworkArn", aws.OTHER_GATEWAY),
    ):
        id_ = facts.text(each, key)
        if id_ is not None:
            return usual, id_, ""
    id_ = facts.text(each, "GatewayId") or facts.text(each, "VpcEndpointId")
    if id_ is None:
        return aws.UNDETERMINED, None, "the route names no target"
    kind = kind_of_target(id_)
    if kind is not None:
        return kind, None if kind == aws.LOCAL else id_, ""
    if id_.startswith("vpce-"):
        type_ = endpoints.get(id_)
        if type_ is None:
            # Routes to gateway endpoints name a prefix list, routes to appliances an address range.
            type_ = "Gateway" if facts.text(each, "DestinationPrefixListId") else "GatewayLoadBalancer"
        return (aws.GATEWAY_ENDPOINT if type_ == "Gateway" else aws.APPLIANCE), id_, ""
    return aws.UNDETERMINED, id_, f"{id_} is a kind of target that isn't known"


def internet_gateways_of(answers: Answers) -> dict[str, aws.InternetGateway]:
    """Every Internet gateway and egress-only one, with the VPC it is attached to."""
    found: dict[str, aws.InternetGateway] = {}
    for kind, egress_only in (("InternetGateways", False), ("EgressOnlyInternetGateways", True)):
        for item in answers.of(kind):
            vpc = next(
                (
                    facts.text(a, "VpcId")
                    for a in facts.listed(item.data, "Attachments")
                    if (facts.text(a, "State") or "available") in ("available", "attached")
                ),
                None,
            )
            found[item.id] = aws.InternetGateway(item.id, Link(vpc), item.origin, egress_only)
    return found


def nat_gateways_of(answers: Answers) -> dict[str, aws.NatGateway]:
    """Every NAT gateway."""
    found: dict[str, aws.NatGateway] = {}
    for item in answers.of("NatGateways"):
        private, public = EMPTY, EMPTY
        for each in facts.listed(item.data, "NatGatewayAddresses"):
            private = private | facts.addresses(facts.text(each, "PrivateIp"))
            public = public | facts.addresses(facts.text(each, "PublicIp"))
        regional = facts.text(item.data, "AvailabilityMode") == "regional"
        found[item.id] = aws.NatGateway(
            id=item.id,
            name=facts.name_of(item.data, item.id),
            subnet=Link(facts.text(item.data, "SubnetId")),
            origin=item.origin,
            private=private & IPV4,
            public=public & IPV4,
            public_exists=bool(public),
            connectivity=facts.text(item.data, "ConnectivityType") or "public",
            available=(facts.text(item.data, "State") or "available") == "available",
            route_table=Link(facts.text(item.data, "RouteTableId")),
            reasons=(Reason(f"{item.id} is a regional NAT gateway, whose subnets aren't modelled", origin=item.origin),)
            if regional
            else (),
        )
    return found


def peerings_of(answers: Answers) -> dict[str, aws.PeeringConnection]:
    """Every VPC peering."""
    found: dict[str, aws.PeeringConnection] = {}
    for item in answers.of("VpcPeeringConnections"):
        sides = [item.data.get("RequesterVpcInfo"), item.data.get("AccepterVpcInfo")]
        regions = [facts.text(s, "Region") for s in sides]
        status = facts.text(item.data, "Status", "Code") or "active"
        found[item.id] = aws.PeeringConnection(
            id=item.id,
            name=facts.name_of(item.data, item.id),
            requester=Link(facts.text(sides[0], "VpcId")),
            accepter=Link(facts.text(sides[1], "VpcId")),
            active=status == "active",
            origin=item.origin,
            inter_region=None not in regions and regions[0] != regions[1],
            requester_prefixes=_side_prefixes(sides[0]),
            accepter_prefixes=_side_prefixes(sides[1]),
            reasons=() if status == "active" else (Reason(f"the peering {item.id} is {status}", origin=item.origin),),
        )
    return found


def _side_prefixes(side: Any) -> IntervalSet:
    found = facts.addresses(facts.text(side, "CidrBlock"))
    for each in facts.listed(side, "CidrBlockSet"):
        found = found | facts.addresses(facts.text(each, "CidrBlock"))
    for each in facts.listed(side, "Ipv6CidrBlockSet"):
        found = found | facts.addresses(facts.text(each, "Ipv6CidrBlock"))
    return found


def gateway_endpoints_of(answers: Answers) -> dict[str, aws.GatewayEndpoint]:
    """Gateway endpoints. Their routes stand in the route tables themselves."""
    found: dict[str, aws.GatewayEndpoint] = {}
    for item in answers.of("VpcEndpoints"):
        if (facts.text(item.data, "VpcEndpointType") or "Gateway") == "Gateway":
            service = facts.text(item.data, "ServiceName") or item.id
            vpc = Link(facts.text(item.data, "VpcId"))
            found[item.id] = aws.GatewayEndpoint(
                item.id, facts.name_of(item.data, service), vpc, service, (), item.origin
            )
    return found


def transit_of(
    answers: Answers,
) -> tuple[dict[str, aws.TransitGateway], dict[str, aws.TransitGatewayAttachment], dict[str, aws.TransitGatewayTable]]:
    """Transit gateways, their attachments and their route tables."""
    gateways: dict[str, aws.TransitGateway] = {}
    for item in answers.of("TransitGateways"):
        gateways[item.id] = aws.TransitGateway(
            id=item.id,
            name=facts.name_of(item.data, item.id),
            origin=item.origin,
            group_references=facts.text(item.data, "Options", "SecurityGroupReferencingSupport") == "enable",
        )
    attachments = {f"{a.gateway.id}/{a.id}": a for a in _attachments(answers)}
    for attachment in attachments.values():
        if attachment.gateway.id is not None and attachment.gateway.id not in gateways:
            why = Reason(f"the transit gateway {attachment.gateway.id} isn't in this source")
            gateways[attachment.gateway.id] = aws.TransitGateway(
                attachment.gateway.id, attachment.gateway.id, attachment.origin, None, reasons=(why,)
            )
    tables: dict[str, aws.TransitGatewayTable] = {}
    for item in answers.of("TransitGatewayRouteTables"):
        routes, propagating, open_ = _transit_routes(answers, item)
        tables[item.id] = aws.TransitGatewayTable(
            id=item.id,
            name=facts.name_of(item.data, item.id),
            gateway=Link(facts.text(item.data, "TransitGatewayId")),
            routes=tuple(routes),
            origin=item.origin,
            propagating=tuple(propagating),
            open=open_,
        )
    return gateways, attachments, tables


def _attachments(answers: Answers) -> Iterator[aws.TransitGatewayAttachment]:
    vpc_side = {i.id: i for i in answers.of("TransitGatewayVpcAttachments")}
    associated: dict[str, str] = {}
    for item in answers.of("TransitGatewayRouteTableAssociations"):
        for each in facts.listed(item.data, "Associations"):
            id_ = facts.text(each, "TransitGatewayAttachmentId")
            if id_ is not None and facts.text(each, "State") in (None, "associated"):
                associated[id_] = item.id
    listed = [*answers.of("TransitGatewayAttachments")]
    told = {i.id for i in listed}
    listed += [i for i in vpc_side.values() if i.id not in told]
    for item in listed:
        more = vpc_side.get(item.id)
        detail = more.data if more is not None else {}
        kind = facts.text(item.data, "ResourceType") or ("vpc" if more is not None else "unknown")
        resource = facts.text(item.data, "ResourceId") or facts.text(detail, "VpcId")
        table = facts.text(item.data, "Association", "TransitGatewayRouteTableId") or associated.get(item.id)
        gateway = facts.text(item.data, "TransitGatewayId") or facts.text(detail, "TransitGatewayId")
        state = facts.text(item.data, "State") or facts.text(detail, "State") or "available"
        support = facts.text(detail, "Options", "SecurityGroupReferencingSupport")
        yield aws.TransitGatewayAttachment(
            id=item.id,
            kind=kind,
            gateway=Link(gateway),
            resource=Link(resource),
            subnets=tuple(Link(s) for s in facts.texts(detail, "SubnetIds")),
            origin=item.origin,
            table=Link(table) if table is not None else NOWHERE,
            available=state == "available",
            group_references=support != "disable",
            peer_gateway=resource if kind == "peering" else None,
        )


def _transit_routes(answers: Answers, item: Item) -> tuple[list[aws.Route], list[str], tuple[Reason, ...]]:
    routes: list[aws.Route] = []
    open_: list[Reason] = []
    shown = False
    learned: set[str] = set()
    for held in answers.of("TransitGatewayStaticRoutes"):
        if held.id != item.id:
            continue
        shown = True
        if facts.truth(held.data, "AdditionalRoutesAvailable"):
            open_.append(Reason(f"{item.id} has more routes than were collected", origin=item.origin))
        for each in facts.listed(held.data, "Routes"):
            attachments = [
                facts.text(a, "TransitGatewayAttachmentId") for a in facts.listed(each, "TransitGatewayAttachments")
            ]
            targets = [a for a in attachments if a is not None]
            listed = facts.text(each, "PrefixListId")
            written = facts.text(each, "DestinationCidrBlock")
            blackhole = facts.text(each, "State") == "blackhole" or not targets
            if facts.text(each, "Type") == "propagated":
                learned.update(targets)
            routes.append(
                aws.Route(
                    destinations=facts.addresses(written),
                    kind=aws.BLACKHOLE if blackhole else aws.TRANSIT_GATEWAY,
                    text=written or listed or "?",
                    origin=item.origin,
                    target=targets[0] if targets else None,
                    prefix_list=listed if written is None else None,
                    rank=2 if facts.text(each, "Type") == "propagated" else 0,
                )
            )
    propagating: list[str] = []
    for held in answers.of("TransitGatewayPropagations"):
        if held.id != item.id:
            continue
        shown = True
        for each in facts.listed(held.data, "TransitGatewayRouteTablePropagations"):
            id_ = facts.text(each, "TransitGatewayAttachmentId")
            if id_ is not None and facts.text(each, "State") in (None, "enabled") and id_ not in learned:
                propagating.append(id_)
    if not shown:
        open_.append(Reason(f"the routes of {item.id} aren't in this source", origin=item.origin))
    return routes, propagating, tuple(open_)
