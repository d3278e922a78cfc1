"""Route tables and gateways of Terraform. A route's kind is that of the resource that it refers to, not that of the
attribute.

Sources: the AWS provider's documentation of aws_route_table, aws_route, aws_default_route_table, aws_nat_gateway,
aws_vpc_peering_connection, aws_vpc_endpoint, aws_ec2_transit_gateway and their associations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lint.aws.from_terraform import facts
from lint.aws.from_terraform.groups import Groups
from lint.aws.from_terraform.index import Found, Index, Node
from lint.aws.from_terraform.network import SUBNET_TYPES, VPC_TYPES, Networks
from lint.aws.from_terraform.places import display_name, region_of
from lint.aws.model import network as aws
from lint.aws.model.links import NOWHERE, Link
from lint.aws.targets import kind_of_target
from lint.origin import Origin, Problem, Reason
from lint.space.addresses import IPV4, IPV6, REAL, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.terraform.resources import Nested, Resource
from lint.terraform.values import Value, as_text, is_known, is_null, unknown_reasons

TABLE_TYPES = ("aws_route_table", "aws_default_route_table")
_KINDS = {
    "aws_internet_gateway": aws.INTERNET_GATEWAY,
    "aws_internet_gateway_attachment": aws.INTERNET_GATEWAY,
    "aws_egress_only_internet_gateway": aws.EGRESS_ONLY_GATEWAY,
    "aws_nat_gateway": aws.NAT_GATEWAY,
    "aws_vpc_peering_connection": aws.PEERING,
    "aws_vpc_peering_connection_accepter": aws.PEERING,
    "aws_ec2_transit_gateway": aws.TRANSIT_GATEWAY,
    "aws_network_interface": aws.APPLIANCE,
    "aws_instance": aws.APPLIANCE,
    "aws_networkfirewall_firewall": aws.APPLIANCE,
    "aws_vpn_gateway": aws.VPN_GATEWAY,
    "aws_vpn_gateway_attachment": aws.VPN_GATEWAY,
    "aws_ec2_carrier_gateway": aws.OTHER_GATEWAY,
    "aws_ec2_local_gateway": aws.OTHER_GATEWAY,
    "aws_networkmanager_core_network": aws.OTHER_GATEWAY,
}
_TARGETS = {
    "gateway_id": None,
    "nat_gateway_id": aws.NAT_GATEWAY,
    "egress_only_gateway_id": aws.EGRESS_ONLY_GATEWAY,
    "transit_gateway_id": aws.TRANSIT_GATEWAY,
    "vpc_peering_connection_id": aws.PEERING,
    "vpc_endpoint_id": aws.APPLIANCE,
    "network_interface_id": aws.APPLIANCE,
    "instance_id": aws.APPLIANCE,
    "carrier_gateway_id": aws.OTHER_GATEWAY,
    "local_gateway_id": aws.OTHER_GATEWAY,
    "core_network_arn": aws.OTHER_GATEWAY,
    "odb_network_arn": aws.OTHER_GATEWAY,
}
_DESTINATIONS = (
    ("cidr_block", IPV4),
    ("destination_cidr_block", IPV4),
    ("ipv6_cidr_block", IPV6),
    ("destination_ipv6_cidr_block", IPV6),
)
_LISTS = ("destination_prefix_list_id",)
_FURTHER_ADDRESSES = ("secondary_allocation_ids", "availability_zone_address", "availability_mode")


@dataclass(slots=True)
class Routing:
    """All route tables and gateways, while they are being read."""

    index: Index
    networks: Networks
    groups: Groups
    problems: list[Problem]
    tables: dict[str, aws.RouteTable] = field(default_factory=dict)
    internet_gateways: dict[str, aws.InternetGateway] = field(default_factory=dict)
    nat_gateways: dict[str, aws.NatGateway] = field(default_factory=dict)
    peerings: dict[str, aws.PeeringConnection] = field(default_factory=dict)
    endpoints: dict[str, aws.GatewayEndpoint] = field(default_factory=dict)
    _mains: dict[str, str] = field(default_factory=dict)  # VPC -> its adopted main table

    def read(self) -> None:
        """Reads gateways first, then the tables whose routes lead to them."""
        self._internet_gateways()
        self._nat_gateways()
        self._peerings()
        for node in self.index.of_type("aws_default_route_table"):
            adopted = self.networks.adopted_by(node, "default_route_table_id")
            if adopted is not None:
                self._mains[adopted] = node.id
                continue
            for vpc_id in self.networks.may_adopt(node, "default_route_table_id"):
                self._main_open(vpc_id, node)
        self._tables()
        self._associations()
        self._endpoints()
        for id_, vpc in list(self.networks.vpcs.items()):
            contained = any(t.vpc.id == id_ for t in self.tables.values())
            self.networks.vpcs[id_] = replace(vpc, has_acls=False, has_routes=contained, implied_main=True)

    def _main_open(self, vpc_id: str, node: Node) -> None:
        """Says that a resource may decide which routes a VPC's subnets without a table of their own have."""
        known = self.networks.vpcs[vpc_id]
        why = Reason(f"{node.id} may be the main route table of {vpc_id}", origin=node.resource.origin)
        self.networks.vpcs[vpc_id] = replace(known, routes_open=(*known.routes_open, why))

    # Gateways

    def _internet_gateways(self) -> None:
        attached: dict[str, Link] = {}
        for node in self.index.of_type("aws_internet_gateway_attachment"):
            gateway = self.index.link(node, node.resource.values.get("internet_gateway_id"))
            if gateway.id is not None:
                attached[gateway.id] = self.index.link(node, node.resource.values.get("vpc_id"), *VPC_TYPES)
        for kind in ("aws_internet_gateway", "aws_egress_only_internet_gateway"):
            for node in self.index.of_type(kind):
                vpc = attached.get(node.id) or self.index.link(node, node.resource.values.get("vpc_id"), *VPC_TYPES)
                if not node.resource.exists:
                    vpc = Link(None, node.resource.reasons, vpc.possible or None)
                self.internet_gateways[node.id] = aws.InternetGateway(
                    node.id, vpc, node.resource.origin, egress_only="egress" in kind
                )

    def _nat_gateways(self) -> None:
        for node in self.index.of_type("aws_nat_gateway", managed=None):
            if self.index.actual(node) is not node:
                continue
            values = node.resource.values
            public = EMPTY
            eip = self.index.link(node, values.get("allocation_id"))
            for value in (values.get("public_ip"), self._attribute(eip, "public_ip")):
                public = public | _cidr(facts.text(value))
            connectivity = facts.options(values.get("connectivity_type"), as_text)
            kind = (connectivity.values[0] or "public") if connectivity.certain else None
            several = any(facts.is_set(values.get(name)) for name in _FURTHER_ADDRESSES)
            self.nat_gateways[node.id] = aws.NatGateway(
                id=node.id,
                name=display_name(node.resource),
                subnet=self.index.link(node, values.get("subnet_id"), *SUBNET_TYPES),
                origin=node.resource.origin,
                private=_cidr(facts.text(values.get("private_ip"))),
                public=public,
                elastic=eip.id if kind == "public" and not several else None,
                connectivity=kind,
                reasons=(*node.resource.reasons, *connectivity.reasons),
            )

    def _attribute(self, link: Link, name: str) -> Value | None:
        node = next((n for n in self.index.of_type("aws_eip", managed=None) if n.id == link.id), None)
        return node.resource.values.get(name) if node is not None else None

    def _peerings(self) -> None:
        accepted: dict[str, bool | None] = {}
        for node in self.index.of_type("aws_vpc_peering_connection_accepter"):
            link = self.index.link(node, node.resource.values.get("vpc_peering_connection_id"))
            if link.id is not None:
                accepted[link.id] = facts.truth(node.resource.values.get("auto_accept"), False)
        for node in self.index.of_type("aws_vpc_peering_connection"):
            values = node.resource.values
            status = facts.text(values.get("accept_status"))
            active: bool | None = None
            if status is not None and node.kind != "terraform":
                active = status == "active"
            elif facts.truth(values.get("auto_accept"), False) is True or accepted.get(node.id) is True:
                active = True
            reasons: tuple[Reason, ...] = ()
            if active is None or not node.resource.exists:
                active = None
                text = f"{node.id} is pending until somebody accepts it"
                reasons = (Reason(text, code="aws.peering-pending", origin=node.resource.origin),)
            own, peer = region_of(node.resource), facts.text(values.get("peer_region"))
            self.peerings[node.id] = aws.PeeringConnection(
                id=node.id,
                name=display_name(node.resource),
                requester=self.index.link(node, values.get("vpc_id"), *VPC_TYPES),
                accepter=self.index.link(node, values.get("peer_vpc_id"), *VPC_TYPES),
                active=active,
                origin=node.resource.origin,
                inter_region=peer is not None and peer != own,
                reasons=(*reasons, *node.resource.reasons),
            )

    # Tables

    def _table_id(self, found: Found) -> str:
        vpc = self.networks.with_default(found)
        if vpc is not None:
            return self._mains.get(vpc, f"{vpc}.main_route_table_id")
        return self.index.actual(found.node).id if found.node is not None else found.text

    def _tables(self) -> None:
        standalone: dict[str, list[aws.Route]] = {}
        for node in self.index.of_type("aws_route"):
            found, complete, reasons = self.index.find(node.root, node.resource.values.get("route_table_id"))
            ids = list(dict.fromkeys(self._table_id(each) for each in found))
            if not complete:
                ids = [n.id for n in self.index.of_type(*TABLE_TYPES) if n.root == node.root]
            others = self.index.elsewhere(node, node.resource.values.get("route_table_id"), *TABLE_TYPES)
            if others:
                said = f"{node.id} may belong to a route table of another root"
                reasons = (*reasons, Reason(said, origin=node.resource.origin))
                ids = list(dict.fromkeys((*ids, *(each.id for each in others))))
            sure = complete and len(ids) == 1 and not others and node.resource.exists
            route = self._route(node, node.resource)
            if not sure:
                route = replace(route, exists=False, reasons=(*route.reasons, *reasons, *node.resource.reasons))
            for id_ in ids:
                standalone.setdefault(id_, []).append(route)
        propagated = self._propagation()
        for node in self.index.of_type(*TABLE_TYPES):
            resource = node.resource
            listed = resource.nested("route")
            routes = [self._route(node, each) for each in listed.items]
            own = standalone.pop(node.id, [])
            notes: list[str] = []
            if listed.configured and listed.items and own and node.kind != "state":
                text = f"TF-MIXED-ROUTES: {node.id} has inline routes and standalone ones"
                notes.append(text)
                self.problems.append(Problem("warning", text, own[0].origin))
                own = [replace(r, exists=False) for r in own]
            vpc = self.index.link(node, resource.values.get("vpc_id"), *VPC_TYPES)
            main = resource.type == "aws_default_route_table"
            if main:
                vpc = Link(next((v for v, t in self._mains.items() if t == node.id), None))
            open_ = [*listed.open, *resource.left_alone("route"), *propagated.get(node.id, ())]
            given, unknown = facts.members(resource.values.get("propagating_vgws"))
            if given or unknown:
                open_.append(_propagates(node.id, resource.origin))
            self.tables[node.id] = aws.RouteTable(
                id=node.id,
                name=display_name(resource),
                vpc=vpc,
                routes=_unique((*routes, *own)),
                subnets=(),
                origin=resource.origin,
                main=main,
                open=tuple(open_),
                notes=tuple(notes),
            )
        for id_, routes in standalone.items():
            vpc_id = id_.removesuffix(".main_route_table_id")
            home = self.networks.vpcs.get(vpc_id)
            if vpc_id != id_ and home is not None:
                self.tables[id_] = aws.RouteTable(
                    id_, f"main route table of {vpc_id}", Link(vpc_id), _unique(routes), (), home.origin, main=True
                )

    def _propagation(self) -> dict[str, list[Reason]]:
        found: dict[str, list[Reason]] = {}
        for node in self.index.of_type("aws_vpn_gateway_route_propagation"):
            link = self.index.link(node, node.resource.values.get("route_table_id"))
            for id_ in link.possible:
                found.setdefault(id_, []).append(_propagates(id_, node.resource.origin))
        return found

    def _route(self, node: Node, holder: Resource | Nested) -> aws.Route:
        destinations, may, text, listed, reasons = self._destination(node, holder)
        kind, target, why = self._target(node, holder)
        certain = holder.exists if isinstance(holder, Resource) else holder.certain
        return aws.Route(
            destinations=destinations,
            destinations_may=may,
            kind=kind,
            text=text,
            origin=holder.origin,
            target=target,
            prefix_list=listed,
            rank=1 if listed else 0,
            exists=certain,
            reasons=tuple(dict.fromkeys((*reasons, *why, *holder.reasons))),
        )

    def _destination(
        self, node: Node, holder: Resource | Nested
    ) -> tuple[IntervalSet, IntervalSet | None, str, str | None, tuple[Reason, ...]]:
        unknown: list[Reason] = []
        may = EMPTY
        for name, family in _DESTINATIONS:
            value = holder.values.get(name)
            if value is None or is_null(value) or (is_known(value) and not as_text(value)):
                continue
            if not is_known(value):
                unknown += unknown_reasons(value)
                may = may | facts.cidr_bounds(value, family)[1]
                continue
            written = as_text(value) or ""
            held = _cidr(written)
            if held:
                return held, None, written, None, ()
            text = f'{node.id}: "{written}" is not a CIDR'
            self.problems.append(Problem("error", text, holder.origin))
            return EMPTY, family, written, None, (Reason(text, origin=holder.origin),)
        for name in _LISTS:
            value = holder.values.get(name)
            if value is None or is_null(value) or (is_known(value) and not as_text(value)):
                continue
            id_ = self.groups.list_named(node, value)
            if id_ is not None:
                return EMPTY, None, self.groups.lists[id_].name, id_, ()
            unknown += unknown_reasons(value)
            may = REAL
        return EMPTY, may or REAL, "an unknown destination", None, tuple(unknown)

    def _target(self, node: Node, holder: Resource | Nested) -> tuple[str, str | None, tuple[Reason, ...]]:
        for name, usual in _TARGETS.items():
            value = holder.values.get(name)
            if value is None or is_null(value) or (is_known(value) and not as_text(value)):
                continue
            found, complete, reasons = self.index.find(node.root, value)
            if not complete or len(found) != 1:
                if usual in (aws.APPLIANCE, aws.OTHER_GATEWAY):
                    return usual, None, reasons
                return aws.UNDETERMINED, None, reasons
            return self._kind(found[0], usual, reasons)
        why = Reason(f"the route of {node.id} names no target that is known", origin=holder.origin)
        return aws.UNDETERMINED, None, (why,)

    def _kind(
        self, found: Found, usual: str | None, reasons: tuple[Reason, ...]
    ) -> tuple[str, str | None, tuple[Reason, ...]]:
        if found.node is None:
            kind = kind_of_target(found.text) or usual or aws.UNDETERMINED
            why = () if kind != aws.UNDETERMINED else reasons or (Reason(f"{found.text} isn't in this source"),)
            return kind, None if kind == aws.LOCAL else found.text, why
        target = self.index.actual(found.node)
        if target.type == "aws_vpc_endpoint":
            written = facts.text(target.resource.values.get("vpc_endpoint_type")) or "Gateway"
            return (aws.GATEWAY_ENDPOINT if written == "Gateway" else aws.APPLIANCE), target.id, ()
        kind = _KINDS.get(target.type) or usual or aws.UNDETERMINED
        id_ = target.id
        for through in ("internet_gateway_id", "vpc_peering_connection_id", "vpn_gateway_id"):
            if target.type.endswith(("_attachment", "_accepter")) and through in target.resource.values:
                id_ = self.index.link(target, target.resource.values[through]).id or id_
        return kind, id_, () if kind != aws.UNDETERMINED else reasons

    def _associations(self) -> None:
        for node in self.index.of_type("aws_route_table_association"):
            values = node.resource.values
            found, complete, reasons = self.index.find(node.root, values.get("route_table_id"))
            ids = [i for i in dict.fromkeys(self._table_id(each) for each in found) if i in self.tables]
            if facts.is_set(values.get("gateway_id")):
                gateway = self.index.link(node, values.get("gateway_id"))
                for id_ in ids if gateway.id is not None else ():
                    known = self.tables[id_]
                    self.tables[id_] = replace(known, gateways=(*known.gateways, str(gateway.id)))
                continue
            link = self.index.link(node, values.get("subnet_id"), *SUBNET_TYPES)
            sure = complete and len(ids) == 1 and len(found) == 1 and node.resource.exists
            if not sure:
                why = (*reasons, *node.resource.reasons, *link.reasons) or (
                    Reason(f"{node.id} names a route table that isn't in this source", origin=node.resource.origin),
                )
                if not complete or not ids:
                    home = self.networks.vpc_of(link)
                    ids = [t.id for t in self.tables.values() if home.id is None or t.vpc.id == home.id][:1] or ids
                link = Link(None, why, link.possible or None)
            others = tuple(each.id for each in self.index.elsewhere(node, values.get("subnet_id"), *SUBNET_TYPES))
            links = [link]
            if others:
                said = f"{node.id} may give a route table to subnets of another root"
                links.append(Link(None, (Reason(said, origin=node.resource.origin),), others))
            for id_ in ids:
                known = self.tables[id_]
                self.tables[id_] = replace(known, subnets=(*known.subnets, *links))
        for node in self.index.of_type("aws_main_route_table_association"):
            link = self.index.link(node, node.resource.values.get("route_table_id"))
            vpc = self.index.link(node, node.resource.values.get("vpc_id"), *VPC_TYPES)
            certain = vpc.id is not None and link.id is not None and node.resource.exists
            strangers = self.index.elsewhere(node, node.resource.values.get("vpc_id"), *VPC_TYPES)
            for vpc_id in (*(() if certain else vpc.possible), *(each.id for each in strangers)):
                if vpc_id in self.networks.vpcs:
                    self._main_open(vpc_id, node)
            for id_, table in list(self.tables.items()):
                if certain and table.vpc.id == vpc.id:
                    self.tables[id_] = replace(table, main=id_ == link.id)

    # Gateway endpoints

    def _endpoints(self) -> None:
        added: dict[str, list[Link]] = {}
        for node in self.index.of_type("aws_vpc_endpoint_route_table_association"):
            owner = self.index.link(node, node.resource.values.get("vpc_endpoint_id"))
            table = self._table_link(node, node.resource.values.get("route_table_id"))
            for id_ in owner.possible:
                certain = owner.id is not None and node.resource.exists
                added.setdefault(id_, []).append(
                    table if certain else Link(None, (*owner.reasons, *node.resource.reasons), table.possible or None)
                )
        for node in self.index.of_type("aws_vpc_endpoint"):
            values = node.resource.values
            if (facts.text(values.get("vpc_endpoint_type")) or "Gateway") != "Gateway":
                continue
            service = facts.text(values.get("service_name")) or node.id
            given, unknown = facts.members(values.get("route_table_ids"))
            self.endpoints[node.id] = aws.GatewayEndpoint(
                id=node.id,
                name=display_name(node.resource),
                vpc=self.index.link(node, values.get("vpc_id"), *VPC_TYPES),
                service=service,
                tables=(*(self._table_link(node, v) for v in given), *added.get(node.id, [])),
                origin=node.resource.origin,
                prefix_list=self.groups.service_list(service, node.resource.origin),
                tables_open=unknown,
            )

    def _table_link(self, node: Node, value: Value | None) -> Link:
        found, complete, reasons = self.index.find(node.root, value)
        ids = tuple(dict.fromkeys(self._table_id(each) for each in found))
        if complete and not ids:
            return NOWHERE
        return Link(ids[0]) if complete and len(ids) == 1 else Link(None, reasons, ids if complete else None)


def _cidr(written: str | None) -> IntervalSet:
    try:
        return parse_cidr(written) if written else EMPTY
    except ValueError:
        return EMPTY


def _propagates(id_: str, origin: Origin) -> Reason:
    return Reason(
        f"a VPN gateway propagates routes into {id_} that no source shows", code="aws.vpn-routes", origin=origin
    )


def _unique(routes: Iterable[aws.Route]) -> tuple[aws.Route, ...]:
    """Routes once each: a refreshed state lists standalone routes inline as well."""
    found: dict[object, aws.Route] = {}
    for route in routes:
        key = (route.destinations, route.prefix_list, route.kind, route.target) if route.exists else id(route)
        found.setdefault(key, route)
    return tuple(found.values())
