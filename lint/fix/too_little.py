"""For findings of too little: the rules and routes that would let the missing traffic through. Knows no file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lint.fix.changes import EDITABLE, AddRule, Change, Peers, alternatives, purpose_of
from lint.fix.ways import missing_routes
from lint.graph.endpoints import Address, Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Direction, Filter
from lint.space.addresses import IPV4, IPV6, REAL, SYMBOLIC, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ICMP, ICMPV6, TCP, UDP, WIDTH, icmp, protocol
from lint.verdict.finding import Blocker, Finding, Lane, Side
from lint.verdict.names import Names
from lint.verdict.parties import EPHEMERAL

_FEW = 8  # machines whose addresses one entry after the other may still name


def openings(finding: Finding, graph: RuleGraph, ports: IntervalSet) -> Iterator[tuple[Change, ...]]:
    """What would open each component that blocks: all of them at once first, then one by one."""
    named = by_name(graph)
    steps = [list(_step(finding, blocker, graph, named, ports)) for blocker in finding.blocked_by]
    able = [step for step in steps if step]
    if len(able) > 1:
        yield tuple(dict.fromkeys(change for step in able for change in step[0]))
    for step in able:
        yield from step


def _step(
    finding: Finding, blocker: Blocker, graph: RuleGraph, named: Mapping[str, Endpoint], ports: IntervalSet
) -> Iterator[tuple[Change, ...]]:
    if blocker.layer == "route":
        yield from ((route,) for route in missing_routes(finding, blocker, graph, named))
        return
    blocking = graph.filters.get(blocker.filter)
    if blocking is None or blocking.kind not in EDITABLE:
        return
    if blocking.kind == "network_acl":
        yield from ((entry,) for entry in _entries(finding, blocker, graph, named, ports))
        return
    direction = Direction.EGRESS if blocker.direction == "egress" else Direction.INGRESS
    for services in alternatives(finding.service):
        for peers in _peers(finding, direction, graph, blocking, named):
            near = _near(finding, direction, graph, blocking, named)
            for side in (near, EMPTY) if near else (EMPTY,):
                yield (AddRule(blocking.id, direction, peers, services, purpose_of(finding), side),)


def _entries(
    finding: Finding, blocker: Blocker, graph: RuleGraph, named: Mapping[str, Endpoint], ports: IntervalSet
) -> Iterator[AddRule]:
    """Entries of a network ACL, which judges the reply as well: there the client's ports are the destination."""
    reply = blocker.direction.startswith("reply-")
    direction = Direction.EGRESS if blocker.direction.endswith("egress") else Direction.INGRESS
    from_source = (direction is Direction.INGRESS) != reply
    far, near = (finding.source, finding.destination) if from_source else (finding.destination, finding.source)
    families = _families(far, named) & _families(near, named)
    for services in alternatives(finding.service):
        wanted = [services] if not reply else list(dict.fromkeys(replies(services, p) for p in (ports, EPHEMERAL)))
        for asked in wanted:
            for addresses in _seen_as(far, named, graph):
                if asked and addresses & families:
                    peers = Peers(addresses=addresses & families)
                    yield AddRule(blocker.filter, direction, peers, asked, purpose_of(finding))


def replies(services: IntervalSet, ports: IntervalSet) -> IntervalSet:
    """The services that the replies to these have, to clients that use these source ports."""
    found = EMPTY
    for number in (TCP, UDP):
        if not services.isdisjoint(protocol(number)):
            found = found | IntervalSet((number * WIDTH + low, number * WIDTH + high) for low, high in ports.pairs)
    for number, request, reply in ((ICMP, 8, 0), (ICMPV6, 128, 129)):
        if not services.isdisjoint(icmp(number, request, None)):
            found = found | icmp(number, reply, None)
    return found


def _families(side: Side, named: Mapping[str, Endpoint]) -> IntervalSet:
    """The address families that a side has."""
    own = {a.family for name in side.endpoints if name in named for a in named[name].addresses}
    plain = _union(side.addresses)
    own |= {family for family, space in ((4, IPV4), (6, IPV6)) if not plain.isdisjoint(space)}
    return IntervalSet.union_of(space for family, space in ((4, IPV4), (6, IPV6)) if family in own or not own)


def around(address: Address, graph: RuleGraph) -> IntervalSet:
    """The subnet's prefixes of the address's family; where there is no subnet, where the address may be."""
    subnet = graph.subnets.get(address.subnet or "")
    if subnet is None or not subnet.prefixes:
        return address.within
    return subnet.prefixes & (IPV6 if address.family == 6 else IPV4)


def _seen_as(side: Side, named: Mapping[str, Endpoint], graph: RuleGraph) -> Iterator[IntervalSet]:
    """The addresses by which a subnet's border may know a side: its own, its subnets', public ones, its gateway's."""
    plain = _union(side.addresses)
    if plain and not side.endpoints:
        yield plain
        return
    machines = [named[name] for name in side.endpoints if name in named]
    addresses = [address for machine in machines for address in machine.addresses]
    own = IntervalSet.of(*(a.place for a in addresses if a.place < SYMBOLIC))
    subnets = IntervalSet.union_of(around(a, graph) for a in addresses)
    public = IntervalSet.of(*(a.public for a in addresses if a.public is not None and a.public < SYMBOLIC))
    outside = inside = EMPTY
    for gateway in graph.nat_gateways.values():
        subnet = graph.subnets.get(gateway.subnet or "")
        if subnet is not None and subnet.network in {machine.network for machine in machines}:
            outside, inside = outside | (gateway.public & REAL), inside | subnet.prefixes
    whole = bool(addresses) and all(a.place < SYMBOLIC for a in addresses) and len(own.pairs) <= _FEW
    made = (own if whole else EMPTY, subnets & REAL, public, outside, inside & REAL)
    yield from dict.fromkeys(one for one in made if one and one.size < 2**112)


def _near(
    finding: Finding, direction: Direction, graph: RuleGraph, blocking: Filter, named: Mapping[str, Endpoint]
) -> IntervalSet:
    """The addresses of the machines meant, where an NSG serves others too and all of theirs are known."""
    if blocking.kind != "nsg":
        return EMPTY
    side = finding.destination if direction is Direction.INGRESS else finding.source
    meant = {named[name].id for name in side.endpoints if name in named}
    if not any(serves(endpoint, blocking, graph) for endpoint in graph.endpoints.values() if endpoint.id not in meant):
        return EMPTY
    own = [address.place for id_ in meant for address in graph.endpoints[id_].addresses]
    if not own or len(meant) != len(side.endpoints) or max(own) >= SYMBOLIC:
        return EMPTY
    return IntervalSet.of(*own)


def serves(endpoint: Endpoint, blocking: Filter, graph: RuleGraph) -> bool:
    """Whether the filter, from any viewpoint, stands before this endpoint."""
    named = [address.subnet for address in endpoint.addresses if address.subnet is not None]
    subnets = [graph.subnets[name] for name in named if name in graph.subnets]
    layers = [*endpoint.layers, *(layer for subnet in subnets for layer in subnet.layers)]
    held = [graph.filters[f] for layer in layers for f in layer.filters if f in graph.filters]
    return any(f.id == blocking.id or (f.kind == blocking.kind and f.origin == blocking.origin) for f in held)


def by_name(graph: RuleGraph) -> dict[str, Endpoint]:
    """The endpoints by the names that findings give them."""
    names = Names(graph)
    return {names.endpoint(endpoint): endpoint for endpoint in graph.endpoints.values()}


def _peers(
    finding: Finding, direction: Direction, graph: RuleGraph, blocking: Filter, named: Mapping[str, Endpoint]
) -> Iterator[Peers]:
    far = finding.source if direction is Direction.INGRESS else finding.destination
    wanted = "application_security_group" if blocking.kind == "nsg" else "security_group"
    for group in _shared_groups(far, named):
        if group in graph.groups and graph.groups[group].kind == wanted:
            yield Peers(group=group)
    lanes = [_far(lane, direction) for lane in finding.missing]
    if lanes and all(lane is not None for lane in lanes):
        yield Peers(addresses=_union(text for text in lanes if text is not None))
    elif far.addresses and not far.endpoints:
        yield Peers(addresses=_union(far.addresses))


def _far(lane: Lane, direction: Direction) -> str | None:
    return lane.source if direction is Direction.INGRESS else lane.destination


def _shared_groups(side: Side, named: Mapping[str, Endpoint]) -> Sequence[str]:
    """Groups that every endpoint of a side carries: naming one names them all."""
    carried = [named[name].groups for name in side.endpoints if name in named]
    if not carried or len(carried) != len(side.endpoints):
        return ()
    return [group for group in carried[0] if all(group in others for others in carried[1:])]


def _union(texts: Iterable[str]) -> IntervalSet:
    joined: list[tuple[int, int]] = []
    for text in texts:
        joined += parse_cidr(text).pairs
    return IntervalSet(joined)
