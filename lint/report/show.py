"""Shows the rule graph itself: every endpoint, filter and rule with its origin and what is unknown in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Addresses, Filter, GroupMembers, NamedAddresses, Peer, Rule
from lint.origin import Reason, origin_json
from lint.report.style import Style, printable
from lint.space.addresses import SYMBOLIC, address_text, cidrs
from lint.space.services import ALL_PORTS, render


def render_json(graph: RuleGraph) -> str:
    """The graph as JSON; origins and unknowns in full."""
    document = {
        "endpoints": [_endpoint(one) for one in graph.endpoints.values()],
        "filters": [_filter(one) for one in graph.filters.values()],
        "groups": [
            {"id": g.id, "name": g.name, "kind": g.kind, "origin": origin_json(g.origin), "unknown": _said(g.open)}
            for g in graph.groups.values()
        ],
        "subnets": [
            {
                "id": s.id,
                "name": s.name,
                "network": s.network,
                "addresses": cidrs(s.prefixes),
                "filters": [name for layer in s.layers for name in layer.filters],
                "route_table": s.route_table,
                "origin": origin_json(s.origin),
                "unknown": _said(s.route_table_open),
            }
            for s in graph.subnets.values()
        ],
        "route_tables": [
            {
                "id": t.id,
                "name": t.name,
                "routes": [
                    {
                        "destination": r.text,
                        "via": r.via.value,
                        "target": r.target,
                        "origin": origin_json(r.origin),
                        "unknown": _said(r.reasons),
                    }
                    for r in t.routes
                ],
                "unknown": _said(t.open),
            }
            for t in graph.route_tables.values()
        ],
        "networks": [
            {"id": n.id, "name": n.name, "addresses": cidrs(n.prefixes), "origin": origin_json(n.origin)}
            for n in graph.networks.values()
        ],
        "unknown": _said(graph.incomplete),
        "notes": list(graph.notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def render_text(graph: RuleGraph, style: Style) -> str:
    """The graph for a person: endpoints with their filters, then filters with their rules."""
    lines = [style.paint(f"{len(graph.endpoints)} endpoints", "bold")]
    for endpoint in graph.endpoints.values():
        label = f" ({endpoint.name})" if endpoint.name and endpoint.name != endpoint.id else ""
        lines.append(f"  {printable(endpoint.id)}{printable(label)}  {style.paint(endpoint.kind, 'dim')}")
        addresses = ", ".join(_addresses(endpoint)) or "no address known yet"
        lines.append(f"    addresses: {addresses}")
        filters = [name for layer in endpoint.layers for name in layer.filters]
        if filters:
            lines.append(f"    filters: {printable(', '.join(filters))}")
        for name in dict.fromkeys(a.subnet for a in endpoint.addresses if a.subnet is not None):
            lines.append(f"    subnet: {printable(_subnet(graph, name))}")
        for reason in (*endpoint.groups_open, *endpoint.reasons):
            lines.append(f"    {style.paint('unknown:', 'yellow')} {printable(reason.sentence())}")
    lines += ["", style.paint(f"{len(graph.filters)} filters", "bold")]
    for one in graph.filters.values():
        lines.append(
            f"  {printable(one.id)}  {style.paint(one.kind, 'dim')}  {style.paint(one.origin.where(), 'blue')}"
        )
        lines += _rules(one, style)
        for direction, reasons in (("ingress", one.open_ingress), ("egress", one.open_egress)):
            lines += [
                f"    {style.paint(f'{direction} may hold more:', 'yellow')} {printable(r.sentence())}" for r in reasons
            ]
        lines += [f"    {style.paint('note:', 'cyan')} {printable(note)}" for note in one.notes]
    for reason in graph.incomplete:
        lines.append(f"{style.paint('incomplete:', 'yellow')} {printable(reason.sentence())}")
    return "\n".join(lines) + "\n"


def _subnet(graph: RuleGraph, name: str) -> str:
    """A subnet with its addresses and the filters that stand on its border."""
    subnet = graph.subnets.get(name)
    if subnet is None:
        return name
    prefixes = ", ".join(cidrs(subnet.prefixes))
    filters = ", ".join(filter_ for layer in subnet.layers for filter_ in layer.filters)
    return name + (f" ({prefixes})" if prefixes else "") + (f", filters: {filters}" if filters else "")


def _rules(one: Filter, style: Style) -> Iterator[str]:
    """Every rule that somebody wrote, with what is unknown in it; what its neighbours lack as well is said once."""
    said: tuple[Reason, ...] = ()
    for rule in one.rules:
        if rule.implied:
            continue
        yield f"    {_rule_line(rule, style)}"
        if rule.reasons and rule.reasons == said:
            yield f"      {style.paint('unknown:', 'yellow')} the same"
        else:
            yield from (f"      {style.paint('unknown:', 'yellow')} {printable(r.sentence())}" for r in rule.reasons)
        said = rule.reasons or said
    written = {reason for rule in one.rules if not rule.implied for reason in rule.reasons}
    implied = dict.fromkeys(r for rule in one.rules if rule.implied for r in rule.reasons if r not in written)
    if implied:
        yield "    the cloud's own rules"
        yield from (f"      {style.paint('unknown:', 'yellow')} {printable(r.sentence())}" for r in implied)


def _rule_line(rule: Rule, style: Style) -> str:
    peers = ", ".join(dict.fromkeys(peer.text for peer in rule.peers)) or (
        "addresses not known yet" if rule.reasons else "nobody"
    )
    services = ", ".join(render(rule.services)) or "a service not known yet"
    way = "from" if rule.direction.value == "ingress" else "to"
    number = f"{rule.priority} " if rule.priority is not None else ""
    action = style.paint(rule.action.value, "red" if rule.action.value == "deny" else "green")
    place = style.paint(rule.origin.where(), "blue")
    maybe = "" if rule.exists else " (may not exist)"
    return f"{rule.direction.value} {number}{action} {services} {way} {printable(peers)}{maybe}  {place}"


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "kind": endpoint.kind,
        "addresses": _addresses(endpoint),
        "public_addresses": [
            address_text(a.public) if a.public is not None and a.public < SYMBOLIC else None
            for a in endpoint.addresses
            if a.public_exists is not False
        ],
        "subnets": list(dict.fromkeys(a.subnet for a in endpoint.addresses if a.subnet is not None)),
        "network": endpoint.network,
        "groups": list(endpoint.groups),
        "filters": [name for layer in endpoint.layers for name in layer.filters],
        "tags": dict(endpoint.tags),
        "account": endpoint.account,
        "region": endpoint.region,
        "hypothetical": endpoint.hypothetical,
        "exists": endpoint.exists,
        "aliases": list(endpoint.aliases),
        "origin": origin_json(endpoint.origin),
        "unknown": _said((*endpoint.groups_open, *endpoint.tags_open, *endpoint.reasons)),
    }


def _addresses(endpoint: Endpoint) -> list[str]:
    return [address_text(a.place) for a in endpoint.addresses if a.place < SYMBOLIC]


def _filter(one: Filter) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "ordered": one.ordered,
        "stateful": one.stateful,
        "rules": [_rule(rule) for rule in one.rules],
        "origin": origin_json(one.origin),
        "unknown": _said((*one.open_ingress, *one.open_egress)),
        "notes": list(one.notes),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "direction": rule.direction.value,
        "action": rule.action.value,
        "priority": rule.priority,
        "peer": [_peer(peer) for peer in rule.peers],
        "local": [_peer(peer) for peer in rule.local] if rule.local is not None else None,
        "service": render(rule.services),
        "source_ports": None if rule.source_ports == ALL_PORTS else [f"{a}-{b}" for a, b in rule.source_ports.pairs],
        "exists": rule.exists,
        "implied": rule.implied,
        "origin": origin_json(rule.origin),
        "unknown": _said(rule.reasons),
    }


def _peer(peer: Peer) -> dict[str, Any]:
    if isinstance(peer, Addresses):
        return {"kind": "addresses", "text": peer.text, "addresses": cidrs(peer.addresses)}
    if isinstance(peer, GroupMembers):
        return {"kind": "group", "text": peer.text, "group": peer.group}
    if isinstance(peer, NamedAddresses):
        return {"kind": "list", "text": peer.text, "list": peer.list}
    return {"kind": "unknown", "text": peer.text, "unknown": _said(peer.reasons)}


def _said(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.sentence() for reason in reasons]
