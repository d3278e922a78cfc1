"""Route tables of AWS, those of subnets and of transit gateways, and the gateways that routes lead to."""

from __future__ import annotations

from collections.abc import Iterable

from lint.aws.model import Model
from lint.aws.model import network as aws
from lint.aws.model.links import Link
from lint.aws.owners import Owners
from lint.graph.topology import (
    NatGateway,
    Peering,
    Route,
    RouteTable,
    TransitAttachment,
    TransitGateway,
    Via,
)
from lint.origin import Origin, Reason
from lint.space.addresses import REAL
from lint.space.intervals import EMPTY

_VIA = {
    aws.LOCAL: Via.LOCAL,
    aws.INTERNET_GATEWAY: Via.INTERNET,
    aws.EGRESS_ONLY_GATEWAY: Via.EGRESS_ONLY,
    aws.NAT_GATEWAY: Via.NAT,
    aws.PEERING: Via.PEERING,
    aws.TRANSIT_GATEWAY: Via.TRANSIT,
    aws.GATEWAY_ENDPOINT: Via.SERVICE,
    aws.APPLIANCE: Via.APPLIANCE,
    aws.VPN_GATEWAY: Via.EXTERNAL,
    aws.OTHER_GATEWAY: Via.EXTERNAL,
    aws.BLACKHOLE: Via.DROP,
    aws.UNDETERMINED: Via.UNKNOWN,
}


class Routes:
    """Route tables and gateways of one model. `transparent`: appliances that pass everything."""

    def __init__(self, model: Model, owners: Owners, transparent: frozenset[str]) -> None:
        self.model = model
        self.owners = owners
        self.transparent = transparent
        # The two ends of a peering of transit gateways share their id; only attachments of VPCs are looked up by it.
        self._attachments = {a.id: a for a in model.transit_attachments.values()}

    def tables(self) -> dict[str, RouteTable]:
        """All route tables, with the routes that AWS adds to them."""
        found: dict[str, RouteTable] = {}
        for table in self.model.route_tables.values():
            routes: list[Route] = []
            vpc = self.model.vpcs.get(table.vpc.id) if table.vpc.id is not None else None
            if vpc is not None:
                routes.append(local_route(vpc))
            for route in table.routes:
                if route.kind == aws.LOCAL and vpc is not None:
                    continue
                routes.append(self._route(route, table.vpc))
            for endpoint in self.model.gateway_endpoints.values():
                for link in endpoint.tables:
                    if table.id in link.possible or (link.id is None and link.candidates is None and link.reasons):
                        routes.append(self._service_route(endpoint, link.id == table.id))
            found[table.id] = RouteTable(table.id, table.name, _once(routes), table.origin, table.open)
        for each in self.model.transit_tables.values():
            routes = [self._route(route, Link()) for route in each.routes]
            for attachment_id in each.propagating:
                routes += self._propagated(attachment_id, each)
            found[each.id] = RouteTable(each.id, each.name, _once(routes), each.origin, each.open)
        return found

    def _route(self, route: aws.Route, vpc: Link) -> Route:
        destinations, may = route.destinations, route.destinations_may
        reasons = route.reasons
        if route.prefix_list is not None:
            listed = self.model.prefix_lists.get(route.prefix_list)
            if listed is None:
                reasons = (
                    *reasons,
                    Reason(f"the entries of the prefix list {route.prefix_list} aren't in this source"),
                )
                destinations, may = EMPTY, REAL
            else:
                destinations, may = listed.must, listed.may if listed.may != listed.must else None
                reasons = (*reasons, *listed.reasons)
        if not route.exists:
            destinations, may = EMPTY, destinations if may is None else may | destinations
        via = _VIA[route.kind]
        if route.kind in (aws.INTERNET_GATEWAY, aws.EGRESS_ONLY_GATEWAY) and route.target is not None:
            gateway = self.model.internet_gateways.get(route.target)
            if gateway is not None:
                if gateway.vpc.absent or (
                    gateway.vpc.id is not None and vpc.id is not None and gateway.vpc.id != vpc.id
                ):
                    via = Via.DROP
                elif gateway.vpc.id is None:
                    via, reasons = Via.UNKNOWN, (*reasons, *gateway.vpc.reasons)
        if route.kind == aws.NAT_GATEWAY and route.target is not None:
            nat = self.model.nat_gateways.get(route.target)
            if nat is None:
                via = Via.UNKNOWN
                reasons = (*reasons, Reason(f"the NAT gateway {route.target} isn't in this source"))
            elif nat.available is False:
                via = Via.DROP
        if route.kind == aws.PEERING and route.target not in self.model.peerings:
            via = Via.UNKNOWN
            reasons = (*reasons, Reason(f"the peering {route.target} isn't in this source"))
        if route.kind == aws.TRANSIT_GATEWAY and route.target is not None:
            known = route.target in self.model.transit_gateways or route.target in self._attachments
            if not known:
                via = Via.EXTERNAL
                reasons = (*reasons, Reason(f"the transit gateway {route.target} isn't in this source"))
        return Route(
            destinations=destinations,
            via=via,
            origin=route.origin,
            text=route.text,
            destinations_may=may,
            target=route.target,
            precedence=route.rank,
            transparent=via is Via.APPLIANCE and route.target in self.transparent,
            reasons=reasons,
        )

    def _service_route(self, endpoint: aws.GatewayEndpoint, certain: bool) -> Route:
        listed = self.model.prefix_lists.get(endpoint.prefix_list) if endpoint.prefix_list is not None else None
        must = listed.must if listed is not None else EMPTY
        may = listed.may if listed is not None else REAL
        reasons = (
            listed.reasons
            if listed is not None
            else (
                Reason(
                    f"the addresses of {endpoint.service} aren't in this source",
                    code=f"aws.prefix-list:{endpoint.service}",
                ),
            )
        )
        return Route(
            destinations=must if certain else EMPTY,
            via=Via.SERVICE,
            origin=endpoint.origin,
            text=endpoint.service,
            destinations_may=may if may != must or not certain else None,
            target=endpoint.id,
            precedence=1,
            reasons=reasons if may != must else (),
        )

    def _propagated(self, attachment_id: str, table: aws.TransitGatewayTable) -> list[Route]:
        attachment = self._attachments.get(attachment_id)
        if attachment is None:
            why = (Reason(f"the attachment {attachment_id} isn't in this source"),)
            return [Route(EMPTY, Via.UNKNOWN, table.origin, attachment_id, REAL, attachment_id, 2, reasons=why)]
        vpc = self.model.vpcs.get(attachment.resource.id) if attachment.resource.id is not None else None
        if vpc is None or vpc.looked_up:
            why = (Reason(f"what {attachment_id} propagates isn't in this source", origin=attachment.origin),)
            return [Route(EMPTY, Via.TRANSIT, table.origin, attachment_id, REAL, attachment_id, 2, reasons=why)]
        may = vpc.prefixes_may if vpc.prefixes_may is not None and vpc.prefixes_may != vpc.prefixes else None
        return [
            Route(
                vpc.prefixes,
                Via.TRANSIT,
                table.origin,
                f"{vpc.name}, propagated",
                may,
                attachment_id,
                2,
                reasons=vpc.reasons,
            )
        ]

    def nat_gateway(self, each: aws.NatGateway) -> NatGateway:
        """A NAT gateway."""
        return NatGateway(
            id=each.id,
            name=each.name,
            subnet=each.subnet.id,
            private=self.owners.gateway(each.id, "private"),
            public=self.owners.gateway(each.id, "public"),
            origin=each.origin,
            internet=None if each.connectivity is None else each.connectivity != "private",
            reasons=each.reasons,
        )

    def peering(self, each: aws.PeeringConnection) -> tuple[str, Peering | None]:
        """A peering by its id; None where one of its sides isn't known."""
        if each.requester.id is None or each.accepter.id is None:
            return each.id, None
        return each.id, Peering(
            id=each.id,
            name=each.name,
            first=each.requester.id,
            second=each.accepter.id,
            active=each.active,
            origin=each.origin,
            group_references=not each.inter_region,
            reasons=each.reasons,
        )

    def transit_gateways(self) -> dict[str, TransitGateway]:
        """The transit gateways with what is attached to them."""
        found: dict[str, TransitGateway] = {}
        for each in self.model.transit_gateways.values():
            attachments = [a for a in self.model.transit_attachments.values() if each.id in a.gateway.possible]
            found[each.id] = TransitGateway(
                id=each.id,
                name=each.name,
                attachments=tuple(
                    TransitAttachment(
                        id=a.id,
                        kind=a.kind,
                        network=a.resource.id if a.kind == "vpc" else None,
                        subnets=tuple(s.id for s in a.subnets if s.id is not None),
                        table=a.table.id,
                        origin=a.origin,
                        group_references=a.group_references,
                        peer=a.peer_gateway,
                        available=a.available,
                        reasons=(*a.reasons, *a.table.reasons),
                    )
                    for a in attachments
                ),
                origin=each.origin,
                group_references=each.group_references,
                reasons=each.reasons,
            )
        return found


def local_only(vpc: aws.Vpc) -> RouteTable:
    """The main table that AWS makes with a VPC:

    local routes alone. In a dump it would be listed, so there it is no route.
    """
    id_ = local_table(vpc.id)
    if vpc.implied_main:
        return RouteTable(id_, f"main route table of {vpc.id}", (local_route(vpc),), vpc.origin)
    return RouteTable(id_, f"{vpc.id}, which has no main route table in this source,", (), vpc.origin)


def local_table(vpc: str) -> str:
    """The id of the main table that AWS makes with a VPC, where no other is known."""
    return f"{vpc}.main_route_table_id"


def local_route(vpc: aws.Vpc) -> Route:
    """The route that keeps a VPC's own addresses inside."""
    return Route(
        destinations=vpc.prefixes,
        via=Via.LOCAL,
        origin=vpc.origin
        if vpc.origin.file is None
        else Origin(address=vpc.origin.address, file=vpc.origin.file, line=vpc.origin.line),
        text="local",
        destinations_may=vpc.prefixes_may if vpc.prefixes_may != vpc.prefixes else None,
        precedence=-1,
        reasons=vpc.reasons,
    )


def _once(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Routes once each: the same destinations by the same way are no contradiction."""
    found: dict[object, Route] = {}
    for route in routes:
        found.setdefault((route.destinations, route.destinations_may, route.via, route.target), route)
    return tuple(found.values())
