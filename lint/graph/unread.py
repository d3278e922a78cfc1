"""Which things of a graph a part of its source that could not be read may concern. Knows no source and no cloud.

Each root module is judged as if it were given alone, unless something ties it to another: what could not be read of a
root may say more of that root's things and of whatever they are tied to, and nothing of the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from lint.graph.endpoints import Layer
from lint.graph.graph import RuleGraph
from lint.graph.rules import GroupMembers, NamedAddresses, Peer, UnknownPeer
from lint.origin import Origin, Reason


class Unread:
    """What of one graph's source could not be read, by the things that it may concern."""

    def __init__(self, graph: RuleGraph) -> None:
        self._reasons = graph.incomplete
        self._parents: dict[str, str] = {}
        if any(reason.root is not None for reason in graph.incomplete):
            for one, other in _ties(graph):
                self._parents[self._top(one)] = self._top(other)

    def around(self, *things: str) -> tuple[Reason, ...]:
        """Why what the graph shows of these things, by their ids, may not be all."""
        if not things:
            return ()
        tops = {self._top(_thing(one)) for one in things}
        return tuple(r for r in self._reasons if r.root is None or self._top(_root(r.root)) in tops)

    def _top(self, node: str) -> str:
        path: list[str] = []
        while (parent := self._parents.get(node, node)) != node:
            path.append(node)
            node = parent
        for one in path:
            self._parents[one] = node
        return node


def root_of(origin: Origin) -> str | None:
    """The folder of the root module that made a thing: where its outermost module call stands, or the thing itself."""
    file = (origin.calls[0] if origin.calls else origin).file
    if file is None:
        return None
    folder = str(PurePosixPath(file).parent)
    return "" if folder == "." else folder


def _thing(id_: str) -> str:
    return f"thing {id_}"


def _root(folder: str) -> str:
    return f"root {folder}"


def _ties(graph: RuleGraph) -> Iterator[tuple[str, str]]:
    """Pairs of things of which one names the other, and of a thing and the root that made it or a part of it."""

    def made(id_: str, *origins: Origin) -> Iterator[tuple[str, str]]:
        for origin in origins:
            folder = root_of(origin)
            if folder is not None:
                yield _thing(id_), _root(folder)

    def named(id_: str, others: Iterable[str | None]) -> Iterator[tuple[str, str]]:
        for other in others:
            if other is not None:
                yield _thing(id_), _thing(other)

    for endpoint in graph.endpoints.values():
        yield from made(endpoint.id, endpoint.origin)
        yield from named(endpoint.id, [endpoint.network, *endpoint.groups, *_filters(endpoint.layers)])
        yield from named(endpoint.id, (a.subnet for a in endpoint.addresses))
    for one in graph.filters.values():
        yield from made(one.id, one.origin, *(rule.origin for rule in one.rules if not rule.implied))
        yield from named(one.id, [one.network])
        for rule in one.rules:
            for peer in (*rule.peers, *(rule.local or ())):
                yield from named(one.id, _named_by(peer, graph))
    for group in graph.groups.values():
        yield from made(group.id, group.origin)
        yield from named(group.id, [group.network])
    for listed in graph.address_lists.values():
        if _written(listed.id, listed.origin):
            yield from made(listed.id, listed.origin)
    for subnet in graph.subnets.values():
        yield from made(subnet.id, subnet.origin)
        yield from named(subnet.id, [subnet.network, subnet.route_table, subnet.egress_gateway])
        yield from named(subnet.id, _filters(subnet.layers))
    for table in graph.route_tables.values():
        yield from made(table.id, table.origin, *(route.origin for route in table.routes))
        yield from named(table.id, (route.target for route in table.routes))
    for network in graph.networks.values():
        yield from made(network.id, network.origin)
    for gateway in graph.nat_gateways.values():
        yield from made(gateway.id, gateway.origin)
        yield from named(gateway.id, [gateway.subnet])
    for peering in graph.peerings.values():
        yield from made(peering.id, peering.origin)
        yield from named(peering.id, [peering.first, peering.second])
    for hub in graph.transit_gateways.values():
        yield from made(hub.id, hub.origin)
        for attachment in hub.attachments:
            yield from made(attachment.id, attachment.origin)
            yield from named(attachment.id, [hub.id, attachment.network, attachment.table, attachment.peer])
    for forwarding in graph.forwardings:
        yield from made(forwarding.balancer, forwarding.origin)
        yield from named(forwarding.balancer, forwarding.targets)


def _filters(layers: Iterable[Layer]) -> Iterator[str]:
    for layer in layers:
        yield from layer.filters


def _named_by(peer: Peer, graph: RuleGraph) -> Iterator[str]:
    if isinstance(peer, GroupMembers):
        yield peer.group
    elif isinstance(peer, UnknownPeer):
        yield from peer.groups or ()
    elif isinstance(peer, NamedAddresses):
        listed = graph.address_lists.get(peer.list)
        if listed is not None and _written(listed.id, listed.origin):
            yield listed.id


def _written(id_: str, origin: Origin) -> bool:
    """Whether a list is one that somebody wrote, rather than one of the cloud's own that all share."""
    return origin.address is not None and id_.endswith(origin.address)
