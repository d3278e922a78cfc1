"""Routes to the Internet that an Azure route table lacks: as edits of Terraform text, and as `az network` commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from lint.fix.changes import AddRoute, Change, table_of
from lint.fix.edits import Edit, merged
from lint.fix.hcl import block_at, insert_after, insert_block, quoted, render
from lint.fix.modules import reference
from lint.fix.places import Place, places
from lint.fix.workshop import Workshop
from lint.graph.graph import RuleGraph
from lint.graph.topology import Via
from lint.space.addresses import cidrs
from lint.terraform.resources import Resource
from lint.terraform.values import as_text, reference_of

TABLE, ROUTE = "azurerm_route_table", "azurerm_route"


def edits(change: Change, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
    """The text edits that make `change`; nothing where the text gives no way to."""
    table = table_of(change, shop.graph)
    holder = shop.resources.get(table.origin.address or "") if table is not None else None
    if not isinstance(change, AddRoute) or table is None or holder is None or holder.type != TABLE:
        return
    if change.via is not Via.INTERNET or change.target is not None:
        return
    routes = _routes(change)
    siblings = [r for r in shop.resources.values() if r.type == ROUTE and _belongs(r, holder)]
    around = any(r.type == ROUTE and r.module == holder.module for r in shop.resources.values())
    if not siblings and (holder.nested("route").configured or not around) and shop.editable(holder):
        source = shop.source(holder.origin.file)
        block = block_at(source, holder.origin.start_byte) if source is not None else None
        if source is not None and block is not None and block.body.attribute("route") is None:
            yield merged([insert_block(source, block, "route", texts) for texts in routes])
        return
    for place in places(holder, siblings, shop):
        made = _standalone(routes, holder, place, shop)
        if made:
            yield made


def commands(change: Change, graph: RuleGraph) -> tuple[str, ...] | None:
    """The commands that make `change`; None where there are none."""
    table = table_of(change, graph)
    if not isinstance(change, AddRoute) or table is None or change.target is not None:
        return None
    parts = (table.origin.resource_id or "").split("/")
    if len(parts) != 9 or parts[7].lower() != "routetables" or change.via is not Via.INTERNET:
        return None
    words = ["az", "network", "route-table", "route", "create", "--subscription", parts[2]]
    words += ["--resource-group", parts[4], "--route-table-name", parts[8]]
    return tuple(
        shlex.join([*words, "--name", name, "--address-prefix", text, "--next-hop-type", "Internet"])
        for name, text in _named(change)
    )


def _named(change: AddRoute) -> Iterator[tuple[str, str]]:
    """Each destination with a name for its route; names are unique in a table, and routes have none in the graph."""
    for text in cidrs(change.destinations):
        yield "netpact-" + text.replace("/", "-").replace(":", "-").replace(".", "-"), text


def _routes(change: AddRoute) -> list[dict[str, str]]:
    return [
        {"name": quoted(name), "address_prefix": quoted(text), "next_hop_type": quoted("Internet")}
        for name, text in _named(change)
    ]


def _standalone(
    routes: list[dict[str, str]], holder: Resource, place: Place, shop: Workshop
) -> tuple[Edit, ...] | None:
    own = {}
    for name, attribute in (("resource_group_name", "resource_group_name"), ("route_table_name", "name")):
        written = as_text(holder.get(attribute))
        text = reference(holder, place.module, attribute, shop) or (quoted(written) if written is not None else None)
        if text is None:
            return None
        own[name] = text
    texts = []
    for route in routes:
        label = shop.free_label(ROUTE, f"{place.stem}_internet", place.module)
        attributes = {"name": route["name"]} | own | route
        texts.append(render("resource", (ROUTE, label), attributes, "", place.source.newline))
    return (insert_after(place.source, place.anchor, (place.source.newline * 2).join(texts)),)


def _belongs(route: Resource, holder: Resource) -> bool:
    target = route.get("route_table_name")
    named = reference_of(target)
    if named is not None:
        return named.address == holder.address
    return as_text(target) is not None and as_text(target) == as_text(holder.get("name"))
