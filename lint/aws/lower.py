"""Lowers the AWS model to the rule graph: the one place that knows both worlds.

Sources: VPC User Guide, "Security group rules", "Control traffic to subnets using network ACLs", "Configure route
tables", "Control traffic to your AWS resources using security groups" (traffic that nothing filters).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lint.aws.model import Model
from lint.aws.model import network as aws
from lint.aws.model.groups import (
    INGRESS,
    CidrPeer,
    GroupPeer,
    NamedPeer,
    NetworkAcl,
    NetworkAclEntry,
    PrefixList,
    PrefixListPeer,
    SecurityGroup,
    SecurityGroupRule,
    UndeterminedPeer,
)
from lint.aws.model.links import Link
from lint.aws.model.machines import Forward, InterfaceAddress, Listener, LoadBalancer, TargetGroup, Workload
from lint.aws.owners import Owners
from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.graph import PlatformTraffic, RuleGraph
from lint.graph.places import Places
from lint.graph.rules import (
    Action,
    Addresses,
    AddressList,
    Direction,
    Filter,
    Group,
    GroupMembers,
    NamedAddresses,
    Peer,
    Rule,
    UnknownPeer,
)
from lint.graph.topology import (
    Forwarding,
    NatGateway,
    Network,
    Peering,
    Route,
    RouteTable,
    Subnet,
    TransitAttachment,
    TransitGateway,
    Via,
)
from lint.origin import Origin, Reason
from lint.space.addresses import IPV4, IPV6, PRIVATE, REAL, parse_cidrs
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES, TCP, UDP, ports

SECURITY_GROUP, NETWORK_ACL, LISTENER = "security_group", "network_acl", "listener"

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


def lower(
    model: Model,
    *,
    transparent: Collection[str] = (),
    prefix_lists: Mapping[str, Sequence[str]] | None = None,
) -> RuleGraph:
    """The rule graph of everything in the model.

    `transparent`: appliances that pass everything. `prefix_lists`: CIDRs of lists that the source doesn't hold, by id
    or name; raises ValueError where one of them is no CIDR.
    """
    return _Lowering(_with_lists(model, prefix_lists or {}), frozenset(transparent)).graph()


def _with_lists(model: Model, given: Mapping[str, Sequence[str]]) -> Model:
    """The model with the prefix lists that a person gave, where the source has nothing certain to say."""
    lists = dict(model.prefix_lists)
    for id_, known in lists.items():
        named = next((given[n] for n in (id_, known.name, *known.aliases) if n in given), None)
        if named is not None and known.must != known.may:
            addresses = parse_cidrs(*named)
            lists[id_] = replace(known, must=addresses, may=addresses, reasons=())
    return replace(model, prefix_lists=lists)


class _Lowering:
    def __init__(self, model: Model, transparent: frozenset[str]) -> None:
        self.model = model
        self.transparent = transparent
        self.owners = Owners(model, Places())
        self.notes: list[str] = []
        # The two ends of a peering of transit gateways share their id; only attachments of VPCs are looked up by it.
        self.attachments = {a.id: a for a in model.transit_attachments.values()}
        # A balancer takes what its listeners listen to, whatever its groups let through (network ones may have none).
        self.listening = {
            workload: f"{each.id}#listeners"
            for each in model.load_balancers.values()
            if each.listeners
            for workload in each.workloads
        }
        self.unbounded, self.around = self._references()
        self.twins = self._twins()

    def graph(self) -> RuleGraph:
        model = self.model
        tables = self._route_tables()
        subnets = self._subnets(tables)
        filters = {id_: self._group_filter(group) for id_, group in model.groups.items()}
        filters |= {id_: _acl_filter(acl, self.owners) for id_, acl in model.acls.items()}
        filters |= {
            f"{each.id}#listeners": _listener_filter(each) for each in model.load_balancers.values() if each.listeners
        }
        return RuleGraph(
            endpoints={id_: self._endpoint(each, subnets) for id_, each in model.workloads.items()},
            filters=filters,
            groups={id_: self._group(group) for id_, group in model.groups.items()},
            address_lists={id_: self._list(each) for id_, each in model.prefix_lists.items()},
            networks=self._networks(),
            subnets=subnets,
            route_tables=tables,
            nat_gateways={id_: self._nat(each) for id_, each in model.nat_gateways.items()},
            peerings={id_: each for id_, each in map(self._peering, model.peerings.values()) if each is not None},
            transit_gateways=self._transit_gateways(),
            forwardings=tuple(self._forwardings()),
            platform=tuple(self._platform()),
            incomplete=model.incomplete,
            notes=tuple(dict.fromkeys((*(p.sentence() for p in model.problems), *model.notes, *self.notes))),
        )

    # Filters

    def _network_id(self, link: Link) -> str | None:
        """The network of a link, where it is certain that it isn't another name of a second one here."""
        vpc = self.model.vpcs.get(link.id) if link.id is not None else None
        return vpc.id if vpc is not None and not vpc.looked_up else None

    def _group(self, group: SecurityGroup) -> Group:
        return Group(
            id=group.id,
            name=group.name,
            kind=SECURITY_GROUP,
            origin=group.origin,
            network=self._network_id(group.vpc),
            open=group.members_open if group.id in self.unbounded else (),
            tags=group.tags,
        )

    def _references(self) -> tuple[frozenset[str], dict[str, IntervalSet]]:
        """Groups with members elsewhere that are named where nothing bounds these; and by VPC what bounds them there.

        A reference works in the VPC, over active peerings of the Region, and for what a transit gateway may bring.
        """
        bounds: dict[str, IntervalSet] = {}
        for vpc in self.model.vpcs.values():
            if not vpc.looked_up:
                bounds[vpc.id] = vpc.prefixes if vpc.prefixes_may is None else vpc.prefixes_may
        around = dict(bounds)
        for peering in self.model.peerings.values():
            for here, there, prefixes in (
                (peering.requester.id, peering.accepter.id, peering.accepter_prefixes),
                (peering.accepter.id, peering.requester.id, peering.requester_prefixes),
            ):
                if here in around and there is not None and peering.active is not False and not peering.inter_region:
                    around[here] = around[here] | (prefixes or bounds.get(there, REAL))
        for attachment in self.model.transit_attachments.values():
            home = attachment.resource.id
            if home is not None and home in around:
                around[home] = around[home] | PRIVATE
        loose: set[str] = {g.id for g in self.model.groups.values() if g.members_open}
        bounded: set[str] = set()
        unbounded: set[str] = set()
        for group in self.model.groups.values():
            for rule in group.rules:
                for peer in rule.peers:
                    if isinstance(peer, GroupPeer) and peer.group in loose:
                        (bounded if group.vpc.id in around else unbounded).add(peer.group)
        return frozenset(loose - (bounded - unbounded)), around

    def _peers(self, group: SecurityGroup, rule: SecurityGroupRule) -> Iterable[Peer]:
        for peer in rule.peers:
            if isinstance(peer, NamedPeer):
                yield from self.owners.peers(peer)
                continue
            made = _peer(peer)
            if made is None:
                continue
            yield made
            if not isinstance(peer, GroupPeer):
                continue
            named = self.model.groups.get(peer.group)
            if named is None or not named.members_open:
                continue
            if named.id not in self.unbounded and group.vpc.id in self.around:
                yield UnknownPeer(named.members_open, peer.text, self.around[group.vpc.id])
            twins = self.twins.get(peer.group, ())
            if twins:
                yield UnknownPeer(named.members_open, peer.text, EMPTY, twins)

    def _twins(self) -> dict[str, tuple[str, ...]]:
        """Groups that are known by different names only, and may be one and the same."""
        foreign = [g for g in self.model.groups.values() if g.foreign]
        carried = {g for w in self.model.workloads.values() if not w.hypothetical for g in w.groups}
        return {
            one.id: tuple(
                other.id
                for other in foreign
                if other.id != one.id and other.id in carried and not (one.known_by & other.known_by)
            )
            for one in foreign
        }

    def _open_lists(self, rule: SecurityGroupRule) -> tuple[Reason, ...]:
        """Why the prefix lists that a rule names aren't wholly known."""
        named = (self.model.prefix_lists.get(p.list) for p in rule.peers if isinstance(p, PrefixListPeer))
        return tuple(reason for listed in named if listed is not None for reason in listed.reasons)

    def _group_filter(self, group: SecurityGroup) -> Filter:
        notes = list(group.notes)
        for rule in group.rules:
            for peer in rule.peers:
                if isinstance(peer, GroupPeer) and peer.stale:
                    notes.append(f"stale rule {rule.id}: {peer.stale}")
        return Filter(
            id=group.id,
            name=group.name,
            kind=SECURITY_GROUP,
            rules=tuple(
                _group_rule(rule, tuple(self._peers(group, rule)), self._open_lists(rule)) for rule in group.rules
            ),
            origin=group.origin,
            open_ingress=group.open_ingress,
            open_egress=group.open_egress,
            network=self._network_id(group.vpc),
            notes=tuple(notes),
            own=group.default_of is not None,
        )

    def _list(self, each: PrefixList) -> AddressList:
        must, may, reasons = each.must, each.may, each.reasons
        for peer in each.named:
            found = self.owners.places(peer)
            must, may = must | found, may | (found or peer.otherwise.may)
            reasons += () if found else peer.otherwise.reasons
        return AddressList(each.id, each.name, must, may, each.origin, tuple(dict.fromkeys(reasons)))

    # Machines

    def _endpoint(self, each: Workload, subnets: Mapping[str, Subnet]) -> Endpoint:
        layers: tuple[Layer, ...] = ()
        if not each.unfiltered:
            layers = (Layer(SECURITY_GROUP, each.groups, closed_if_empty=True, open=each.groups_open),)
        if each.id in self.listening:
            layers = (*layers, Layer(LISTENER, (self.listening[each.id],), closed_if_empty=True))
        addresses = tuple(
            self._address(each, address, number, subnets) for number, address in enumerate(each.addresses)
        )
        return Endpoint(
            id=each.id,
            name=each.name,
            kind=each.kind,
            addresses=addresses,
            groups=each.groups,
            layers=layers,
            origin=each.origin,
            groups_open=each.groups_open,
            network=self._network_id(each.vpc),
            aliases=each.aliases,
            tags=each.tags,
            tags_open=each.tags_open,
            account=each.account,
            region=each.region,
            hypothetical=each.hypothetical,
            exists=each.exists,
            initiates=each.initiates,
            accepts=each.accepts,
            client_ports=each.client_ports,
            forwards=each.forwards,
            reasons=each.reasons,
        )

    def _address(
        self, owner: Workload, address: InterfaceAddress, number: int, subnets: Mapping[str, Subnet]
    ) -> Address:
        subnet = address.subnet.id if address.subnet.id in subnets else None
        place = self.owners.private(owner, number)
        if address.place is not None:
            within = IntervalSet.of(place)
        else:
            within = address.within or self._within(owner, address)
        return Address(
            place=place,
            within=within,
            subnet=subnet,
            public=self.owners.public(owner, number),
            public_exists=address.public_exists,
            public_reasons=address.public_reasons,
        )

    def _within(self, owner: Workload, address: InterfaceAddress) -> IntervalSet:
        """Where an unknown address can lie:

        in its subnet but for the five reserved ones, else in its VPC, else anywhere.
        """
        family = IPV6 if address.family == 6 else IPV4
        subnet = self.model.subnets.get(address.subnet.id) if address.subnet.id is not None else None
        if subnet is not None:
            exact = subnet.prefixes & family
            if exact and (subnet.prefixes_may is None or subnet.prefixes_may & family == exact):
                return _usable(exact)
            bound = (subnet.prefixes if subnet.prefixes_may is None else subnet.prefixes_may) & family
            if bound:
                return bound
        vpc = self.model.vpcs.get(owner.vpc.id) if owner.vpc.id is not None else None
        if vpc is not None:
            bound = (vpc.prefixes if vpc.prefixes_may is None else vpc.prefixes_may) & family
            if bound:
                return bound
        return family

    # Networks, subnets, routes

    def _networks(self) -> dict[str, Network]:
        found: dict[str, Network] = {}
        gateways: dict[str, tuple[str, ...]] = {}
        for gateway in self.model.internet_gateways.values():
            if gateway.vpc.id is not None and not gateway.egress_only:
                gateways[gateway.vpc.id] = (*gateways.get(gateway.vpc.id, ()), gateway.id)
        for vpc in self.model.vpcs.values():
            if vpc.looked_up:
                continue
            found[vpc.id] = Network(
                id=vpc.id,
                name=vpc.name,
                prefixes=vpc.prefixes,
                prefixes_may=vpc.prefixes_may if vpc.prefixes_may != vpc.prefixes else None,
                origin=vpc.origin,
                account=vpc.account,
                region=vpc.region,
                tags=vpc.tags,
                internet_gateways=gateways.get(vpc.id, ()),
            )
        for peering in self.model.peerings.values():
            for side, prefixes in (
                (peering.requester, peering.requester_prefixes),
                (peering.accepter, peering.accepter_prefixes),
            ):
                if side.id is not None and side.id not in found:
                    known = self.model.vpcs.get(side.id)
                    held = known.prefixes if known is not None else prefixes
                    may = known.prefixes_may if known is not None else None if prefixes else REAL
                    found[side.id] = Network(side.id, side.id, held, peering.origin, may)
        return found

    def _subnets(self, tables: dict[str, RouteTable]) -> dict[str, Subnet]:
        acls, acls_open = _by_subnet(
            (acl.id, acl.vpc, acl.subnets, acl.subnets_open) for acl in self.model.acls.values()
        )
        default_acls = {acl.vpc.id: acl.id for acl in self.model.acls.values() if acl.default and acl.vpc.id}
        routed, routed_open = _by_subnet(
            (t.id, t.vpc, t.subnets, t.subnets_open) for t in self.model.route_tables.values()
        )
        main = {t.vpc.id: t.id for t in self.model.route_tables.values() if t.main and t.vpc.id}
        found: dict[str, Subnet] = {}
        unfiltered: list[str] = []
        unrouted: list[str] = []
        for each in self.model.subnets.values():
            network = self._network_id(each.vpc)
            if network is None:
                continue
            vpc = self.model.vpcs[network]
            layers = _acl_layers(
                each,
                vpc,
                acls.get(each.id, []),
                vpc.acls_open + acls_open.get(each.id, ()) + acls_open.get(network, ()),
                default_acls,
            )
            if not layers:
                unfiltered.append(each.id)
            table, table_open = _table_of(
                each,
                vpc,
                routed.get(each.id, []),
                vpc.routes_open + routed_open.get(each.id, ()) + routed_open.get(network, ()),
                main,
            )
            if table == _local_table(network) and table not in tables:
                tables[table] = self._local_only(vpc)
            if table is None and not table_open:
                unrouted.append(each.id)
            found[each.id] = Subnet(
                id=each.id,
                name=each.name,
                network=network,
                prefixes=each.prefixes,
                prefixes_may=each.prefixes_may if each.prefixes_may != each.prefixes else None,
                origin=each.origin,
                zone=each.zone,
                layers=layers,
                route_table=table,
                route_table_open=table_open,
                internet_block=vpc.internet_block if each.internet_block is None else each.internet_block,
                internet_block_open=vpc.internet_block_open + each.internet_block_open,
                account=each.account,
                region=each.region,
                tags=each.tags,
            )
        self._say_absent("network ACLs", unfiltered, len(found))
        self._say_absent("route tables", unrouted, len(found))
        return found

    def _say_absent(self, layer: str, subnets: list[str], of: int) -> None:
        if subnets:
            where = (
                "any subnet"
                if len(subnets) == of
                else f"{len(subnets)} of {of} subnets ({', '.join(subnets[:3])}{', ...' if len(subnets) > 3 else ''})"
            )
            self.notes.append(f"the source contains no {layer} for {where}: that layer was passed through")

    def _local_only(self, vpc: aws.Vpc) -> RouteTable:
        """The main table that AWS makes with a VPC:

        local routes alone. In a dump it would be listed, so there it is no route.
        """
        id_ = _local_table(vpc.id)
        if vpc.implied_main:
            return RouteTable(id_, f"main route table of {vpc.id}", (_local_route(vpc),), vpc.origin)
        return RouteTable(id_, f"{vpc.id}, which has no main route table in this source,", (), vpc.origin)

    def _route_tables(self) -> dict[str, RouteTable]:
        found: dict[str, RouteTable] = {}
        for table in self.model.route_tables.values():
            routes: list[Route] = []
            vpc = self.model.vpcs.get(table.vpc.id) if table.vpc.id is not None else None
            if vpc is not None:
                routes.append(_local_route(vpc))
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
            known = route.target in self.model.transit_gateways or route.target in self.attachments
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
        attachment = self.attachments.get(attachment_id)
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

    # Gateways

    def _nat(self, each: aws.NatGateway) -> NatGateway:
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

    def _peering(self, each: aws.PeeringConnection) -> tuple[str, Peering | None]:
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

    def _transit_gateways(self) -> dict[str, TransitGateway]:
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

    def _forwardings(self) -> Iterable[Forwarding]:
        for balancer in self.model.load_balancers.values():
            for listener in balancer.listeners:
                for forward, group in self._groups_behind(listener):
                    preserves = group.preserves_client if balancer.kind == "network" else False
                    for workload in balancer.workloads:
                        if group.targets or group.targets_open:
                            yield Forwarding(
                                balancer=workload,
                                listen=listener.services,
                                targets=tuple(t for t in group.targets if t in self.model.workloads),
                                services=group.services,
                                preserves_client=preserves,
                                origin=forward.origin,
                                reasons=(*listener.reasons, *forward.reasons, *group.reasons, *group.targets_open),
                                conditions=forward.conditions,
                            )

    def _groups_behind(self, listener: Listener) -> Iterator[tuple[Forward, TargetGroup]]:
        """Where a listener sends to; where the target group isn't known, each that it may be."""
        for forward in listener.forwards:
            link, known = forward.group, self.model.target_groups
            if link.id is None and link.reasons:
                forward = replace(forward, reasons=(*forward.reasons, *link.reasons))
            named = known if link.id is None and link.reasons and link.candidates is None else link.possible
            yield from ((forward, known[id_]) for id_ in named if id_ in known)

    def _platform(self) -> Iterable[PlatformTraffic]:
        """Traffic that neither security groups nor network ACLs ever see."""
        dns = ports(UDP, 53, 53) | ports(TCP, 53, 53)
        if not self.model.vpcs and not self.model.workloads:
            return
        for addresses, services, text in (
            (("169.254.169.254", "fd00:ec2::254"), ports(TCP, 80, 80), "instance metadata"),
            (("169.254.170.2",), ports(TCP, 80, 80), "ECS task metadata"),
            (("169.254.169.123", "fd00:ec2::123"), ports(UDP, 123, 123), "Amazon Time Sync"),
            (("169.254.169.250", "169.254.169.251"), ports(TCP, 1688, 1688), "Windows licence activation"),
        ):
            yield PlatformTraffic(parse_cidrs(*addresses), services, text)
        resolvers = parse_cidrs("169.254.169.253", "fd00:ec2::253")
        known = [vpc for vpc in self.model.vpcs.values() if not vpc.looked_up]
        if not known:
            yield PlatformTraffic(resolvers, dns, "Route 53 Resolver")
        for vpc in known:
            if vpc.dns_support:
                own = EMPTY if vpc.resolver is None else IntervalSet.of(vpc.resolver)
                yield PlatformTraffic(resolvers | own, dns, "Route 53 Resolver", vpc.id)


def _once(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Routes once each: the same destinations by the same way are no contradiction."""
    found: dict[object, Route] = {}
    for route in routes:
        found.setdefault((route.destinations, route.destinations_may, route.via, route.target), route)
    return tuple(found.values())


def _usable(prefixes: IntervalSet) -> IntervalSet:
    """A subnet's range without the five addresses that AWS keeps: the first four and the last."""
    kept = EMPTY
    for low, high in prefixes.pairs:
        if high - low >= 8:
            kept = kept | IntervalSet.span(low + 4, high - 1)
        else:
            kept = kept | IntervalSet.span(low, high)
    return kept


def _group_rule(rule: SecurityGroupRule, peers: tuple[Peer, ...], more: tuple[Reason, ...] = ()) -> Rule:
    return Rule(
        id=rule.id,
        direction=Direction.INGRESS if rule.direction == INGRESS else Direction.EGRESS,
        action=Action.ALLOW,
        peers=peers,
        services=rule.services.must,
        services_may=None if rule.services.may == rule.services.must else rule.services.may,
        origin=rule.origin,
        exists=rule.exists,
        reasons=tuple(dict.fromkeys((*rule.reasons, *more))),
        name=rule.name,
        description=rule.description,
        implied=rule.implied,
    )


def _peer(peer: CidrPeer | GroupPeer | PrefixListPeer | UndeterminedPeer) -> Peer | None:
    if isinstance(peer, CidrPeer):
        return Addresses(peer.addresses, peer.text)
    if isinstance(peer, GroupPeer):
        return None if peer.stale else GroupMembers(peer.group, peer.text)
    if isinstance(peer, PrefixListPeer):
        return NamedAddresses(peer.list, peer.text)
    return UnknownPeer(peer.reasons, peer.text, peer.may, peer.groups)


def _listener_filter(balancer: LoadBalancer) -> Filter:
    """What the listeners of a balancer take, from anybody; outward it sends whatever it likes."""
    anybody = (Addresses(REAL, "anyone"),)
    rules = [
        Rule(
            id=f"listener/{number}",
            direction=Direction.INGRESS,
            action=Action.ALLOW,
            peers=anybody,
            services=EMPTY if listener.reasons else listener.services,
            services_may=listener.services if listener.reasons else None,
            origin=listener.origin,
            reasons=listener.reasons,
            implied=True,
        )
        for number, listener in enumerate(balancer.listeners)
    ]
    out = Rule("out", Direction.EGRESS, Action.ALLOW, anybody, ALL_SERVICES, balancer.origin, implied=True)
    return Filter(f"{balancer.id}#listeners", balancer.name, LISTENER, (*rules, out), balancer.origin)


def _acl_filter(acl: NetworkAcl, owners: Owners) -> Filter:
    rules: list[Rule] = []
    for entry in acl.entries:
        rules += _acl_rules(entry, owners)
    return Filter(
        id=acl.id,
        name=acl.name,
        kind=NETWORK_ACL,
        rules=tuple(rules),
        origin=acl.origin,
        ordered=True,
        stateful=False,
        default=Action.DENY,
        open_ingress=acl.open_ingress,
        open_egress=acl.open_egress,
        network=acl.vpc.id,
        notes=acl.notes,
        own=acl.default,
    )


def _acl_rules(entry: NetworkAclEntry, owners: Owners) -> list[Rule]:
    """One entry; or, where it isn't known whether it allows or denies, both."""
    if isinstance(entry.peer, NamedPeer):
        peers = owners.peers(entry.peer)
    else:
        peer = _peer(entry.peer)
        peers = () if peer is None else (peer,)
    certain = entry.exists and entry.number is not None and entry.allow is not None
    return [
        Rule(
            id=entry.id if entry.allow is not None else f"{entry.id}/{action.value}",
            direction=Direction.INGRESS if entry.direction == INGRESS else Direction.EGRESS,
            action=action,
            peers=peers,
            services=entry.services.must,
            services_may=None if entry.services.may == entry.services.must else entry.services.may,
            origin=entry.origin,
            priority=entry.number if entry.number is not None else 0,
            exists=certain,
            reasons=entry.reasons,
            name=str(entry.number) if entry.number is not None else "",
        )
        for action in (
            [Action.ALLOW, Action.DENY] if entry.allow is None else [Action.ALLOW if entry.allow else Action.DENY]
        )
    ]


_Listed = tuple[str, Link, tuple[Link, ...], tuple[Reason, ...]]


def _by_subnet(things: Iterable[_Listed]) -> tuple[dict[str, list[str]], dict[str, tuple[Reason, ...]]]:
    """What subnets certainly use; and for which subnets (or all of a VPC) that isn't known, with the reasons."""
    sure: dict[str, list[str]] = {}
    unsure: dict[str, tuple[Reason, ...]] = {}
    for id_, vpc, subnets, open_ in things:
        for link in subnets:
            if link.id is not None:
                sure.setdefault(link.id, []).append(id_)
            elif link.reasons:
                for possible in link.candidates or ((vpc.id,) if vpc.id is not None else ()):
                    unsure[possible] = unsure.get(possible, ()) + link.reasons
        if open_ and vpc.id is not None:
            unsure[vpc.id] = unsure.get(vpc.id, ()) + open_
    return sure, unsure


def _acl_layers(
    subnet: aws.Subnet,
    vpc: aws.Vpc,
    own: list[str],
    open_: tuple[Reason, ...],
    defaults: Mapping[str, str],
) -> tuple[Layer, ...]:
    """The network ACL at a subnet's border: its own, else the VPC's default one, else none that the source shows."""
    own = list(dict.fromkeys(own))
    if len(own) == 1:
        return (Layer(NETWORK_ACL, tuple(own), crossing=True),)
    if len(own) > 1:
        why = Reason(f"{subnet.id} is associated with several network ACLs: {', '.join(own)}", origin=subnet.origin)
        return (Layer(NETWORK_ACL, (), crossing=True, closed_if_empty=True, open=(why,)),)
    default = defaults.get(vpc.id)
    if open_:
        return (Layer(NETWORK_ACL, (), crossing=True, closed_if_empty=True, open=open_),)
    if default is not None:
        return (Layer(NETWORK_ACL, (default,), crossing=True),)
    if vpc.has_acls:
        why = Reason(f"the network ACL of {subnet.id} isn't in this source", origin=subnet.origin)
        return (Layer(NETWORK_ACL, (), crossing=True, closed_if_empty=True, open=(why,)),)
    return ()


def _table_of(
    subnet: aws.Subnet, vpc: aws.Vpc, own: list[str], open_: tuple[Reason, ...], main: Mapping[str, str]
) -> tuple[str | None, tuple[Reason, ...]]:
    """The route table of a subnet:

    its own, else the VPC's main one. (None, ()): the source has no routing layer for it.
    """
    own = list(dict.fromkeys(own))
    if len(own) == 1:
        return own[0], ()
    if len(own) > 1:
        why = Reason(f"{subnet.id} is associated with several route tables: {', '.join(own)}", origin=subnet.origin)
        return None, (why,)
    if open_:
        return None, open_
    if vpc.id in main:
        return main[vpc.id], ()
    return (_local_table(vpc.id), ()) if vpc.has_routes else (None, ())


def _local_table(vpc: str) -> str:
    return f"{vpc}.main_route_table_id"


def _local_route(vpc: aws.Vpc) -> Route:
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
