"""Routes that lack as edits of Terraform text, in the style that the route table already uses."""

from __future__ import annotations

from collections.abc import Iterator

from lint.fix.changes import AddRoute, Change, table_of
from lint.fix.edits import Edit, merged
from lint.fix.hcl import append_item, block_at, insert_after, insert_block, quoted, render
from lint.fix.modules import reference
from lint.fix.places import Place, places
from lint.fix.workshop import Workshop
from lint.graph.topology import Via
from lint.space.addresses import IPV4, IPV6, cidrs
from lint.terraform.resources import Resource
from lint.terraform.syntax.tree import Tuple
from lint.terraform.values import reference_of

TABLES = ("aws_route_table", "aws_default_route_table")
ROUTE = "aws_route"
_TARGETS = {
    Via.INTERNET: "gateway_id",
    Via.NAT: "nat_gateway_id",
    Via.PEERING: "vpc_peering_connection_id",
    Via.TRANSIT: "transit_gateway_id",
}
_TYPES = {attribute: via.value for via, attribute in _TARGETS.items()}
_EVERY = (
    *("carrier_gateway_id", "cidr_block", "core_network_arn", "destination_prefix_list_id", "egress_only_gateway_id"),
    *("gateway_id", "ipv6_cidr_block", "local_gateway_id", "nat_gateway_id", "network_interface_id"),
    *("transit_gateway_id", "vpc_endpoint_id", "vpc_peering_connection_id"),
)


def edits(change: Change, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    """The text edits that make `change`; nothing where the text gives no way to."""
    table = table_of(change, shop.graph)
    if not isinstance(change, AddRoute) or table is None:
        return
    holder = shop.resources.get(table.origin.address or "")
    if holder is None or holder.type not in TABLES or change.via not in _TARGETS:
        return
    siblings = [r for r in shop.resources.values() if r.type == ROUTE and _belongs(r, holder)]
    if not siblings and shop.editable(holder) and _inline(holder, shop):
        ways = _ways(change, holder.module, shop)
        made = _nested(ways, holder, shop) if ways else None
        if made:
            yield made
        return
    for place in places(holder, siblings, shop):
        ways, own = _ways(change, place.module, shop), reference(holder, place.module, "id", shop)
        if ways and own:
            yield _standalone(ways, own, place, shop)


Ways = list[tuple[bool, str, dict[str, str]]]
"""Routes as text: whether it is IPv6, its destination, and the attribute that names what it leads to."""


def _ways(change: AddRoute, module: str, shop: Workshop) -> Ways:
    target = shop.resources.get(change.target or "")
    text = reference(target, module, "id", shop) if target is not None and target.origin.file is not None else None
    if text is None:
        return []
    return [(six, cidr, {_TARGETS[change.via]: text}) for six, cidr in _destinations(change, module, shop)]


def _nested(ways: Ways, holder: Resource, shop: Workshop) -> tuple[Edit, ...] | None:
    source = shop.source(holder.origin.file)
    block = block_at(source, holder.origin.start_byte) if source is not None else None
    written = block.body.attribute("route") if block is not None else None
    if source is None or block is None or (written is not None and not isinstance(written.value, Tuple)):
        return None
    made = []
    for six, text, via in ways:
        texts = {"ipv6_cidr_block" if six else "cidr_block": text} | via
        if written is None:
            made.append(insert_block(source, block, "route", texts))
        elif isinstance(written.value, Tuple):
            made.append(append_item(source, written.value, {one: texts.get(one, "null") for one in _EVERY}))
    return merged(made)


def _inline(holder: Resource, shop: Workshop) -> bool:
    """Whether the table's routes are written in it, or those of the tables around it."""
    if holder.nested("route").configured or holder.type == "aws_default_route_table":
        return True
    around = [r for r in shop.resources.values() if r.module == holder.module]
    return not any(r.type == ROUTE for r in around) and any(
        r.type in TABLES and r.nested("route").configured for r in around
    )


def _standalone(ways: Ways, own: str, place: Place, shop: Workshop) -> tuple[Edit, ...]:
    texts = []
    for six, text, via in ways:
        head = {"route_table_id": own, "destination_ipv6_cidr_block" if six else "destination_cidr_block": text} | via
        label = shop.free_label(ROUTE, f"{place.stem}_{_TYPES[next(iter(via))]}", place.module)
        texts.append(render("resource", (ROUTE, label), head, "", place.source.newline))
    return (insert_after(place.source, place.anchor, (place.source.newline * 2).join(texts)),)


def _belongs(route: Resource, holder: Resource) -> bool:
    target = reference_of(route.get("route_table_id"))
    return target is not None and target.address == holder.address


def _destinations(change: AddRoute, module: str, shop: Workshop) -> list[tuple[bool, str]]:
    """Each destination, whether it is IPv6, as text: the network's own attribute where that is just it."""
    network = shop.graph.networks.get(change.network or "")
    owner = shop.resources.get(network.origin.address or "") if network is not None else None
    found = []
    for family, attribute in ((IPV4, "cidr_block"), (IPV6, "ipv6_cidr_block")):
        texts = cidrs(change.destinations & family)
        name = None
        if len(texts) == 1 and owner is not None and owner.origin.file is not None and owner.type == "aws_vpc":
            name = reference(owner, module, attribute, shop)
        found += [(family is IPV6, name or quoted(text)) for text in texts]
    return found
