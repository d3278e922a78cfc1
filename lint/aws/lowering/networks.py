"""VPCs and subnets of AWS with what stands at their borders: a network ACL, a route table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lint.aws.lowering.routes import local_only, local_table
from lint.aws.model import Model
from lint.aws.model import network as aws
from lint.aws.model.links import Link
from lint.graph.endpoints import Layer
from lint.graph.topology import Network, RouteTable, Subnet
from lint.origin import Reason
from lint.space.addresses import REAL

NETWORK_ACL = "network_acl"
_Listed = tuple[str, Link, tuple[Link, ...], tuple[Reason, ...]]


def network_id(model: Model, link: Link) -> str | None:
    """The network of a link, where it is certain that it isn't another name of a second one here."""
    vpc = model.vpcs.get(link.id) if link.id is not None else None
    return vpc.id if vpc is not None and not vpc.looked_up else None


def networks(model: Model) -> dict[str, Network]:
    """The VPCs, those on the far side of a peering too."""
    found: dict[str, Network] = {}
    gateways: dict[str, tuple[str, ...]] = {}
    for gateway in model.internet_gateways.values():
        if gateway.vpc.id is not None and not gateway.egress_only:
            gateways[gateway.vpc.id] = (*gateways.get(gateway.vpc.id, ()), gateway.id)
    for vpc in model.vpcs.values():
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
    for peering in model.peerings.values():
        for side, prefixes in (
            (peering.requester, peering.requester_prefixes),
            (peering.accepter, peering.accepter_prefixes),
        ):
            if side.id is not None and side.id not in found:
                known = model.vpcs.get(side.id)
                held = known.prefixes if known is not None else prefixes
                may = known.prefixes_may if known is not None else None if prefixes else REAL
                found[side.id] = Network(side.id, side.id, held, peering.origin, may)
    return found


def subnets(model: Model, tables: dict[str, RouteTable], notes: list[str]) -> dict[str, Subnet]:
    """The subnets. Adds to `tables` the main tables that AWS makes and nobody lists, to `notes` the layers that aren't
    there.
    """
    acls, acls_open = _by_subnet((acl.id, acl.vpc, acl.subnets, acl.subnets_open) for acl in model.acls.values())
    default_acls = {acl.vpc.id: acl.id for acl in model.acls.values() if acl.default and acl.vpc.id}
    routed, routed_open = _by_subnet((t.id, t.vpc, t.subnets, t.subnets_open) for t in model.route_tables.values())
    main = {t.vpc.id: t.id for t in model.route_tables.values() if t.main and t.vpc.id}
    found: dict[str, Subnet] = {}
    unfiltered: list[str] = []
    unrouted: list[str] = []
    for each in model.subnets.values():
        network = network_id(model, each.vpc)
        if network is None:
            continue
        vpc = model.vpcs[network]
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
        if table == local_table(network) and table not in tables:
            tables[table] = local_only(vpc)
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
    notes += _absent("network ACLs", unfiltered, len(found))
    notes += _absent("route tables", unrouted, len(found))
    return found


def _absent(layer: str, subnets: list[str], of: int) -> list[str]:
    """A note on a layer that some subnets lack."""
    if not subnets:
        return []
    more = ", ..." if len(subnets) > 3 else ""
    where = "any subnet" if len(subnets) == of else f"{len(subnets)} of {of} subnets ({', '.join(subnets[:3])}{more})"
    return [f"the source contains no {layer} for {where}: that layer was passed through"]


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
    return (local_table(vpc.id), ()) if vpc.has_routes else (None, ())
