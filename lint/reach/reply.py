"""Replies of stateless filters: which requests are answered by the replies that a filter passes, and what translation does to ports."""

from __future__ import annotations

from lint.space.bounds import Bounds
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES, ICMP, ICMPV6, TCP, UDP, WIDTH, icmp, protocol
from lint.space.traffic import Box, TrafficSet

_ECHOES = ((ICMP, 8, 0), (ICMPV6, 128, 129))  # protocol, type of the request, type of the reply
_ECHO_REQUESTS = IntervalSet.union_of(icmp(number, request, None) for number, request, _ in _ECHOES)
NEEDS_REPLY = protocol(TCP) | protocol(UDP) | _ECHO_REQUESTS
_NEEDS_NONE = ALL_SERVICES - NEEDS_REPLY
# NAT gateways and load balancers choose their own source ports: AWS documentation, "Ephemeral ports".
TRANSLATED_PORTS = IntervalSet.span(1024, 65535)


def answered(replies: TrafficSet, peers: IntervalSet) -> TrafficSet:
    """The requests with one of `peers` whose reply is in `replies`.

    The reply to a request to port d from port s goes to port s from port d; an echo reply has the code of its request. Other traffic needs none.
    """
    boxes: list[Box] = [(peers, _NEEDS_NONE, ALL_PORTS)]
    for remote, services, source_ports in replies.restrict(peers).boxes():
        for number in (TCP, UDP):
            mine = services & protocol(number)
            if mine:
                boxes.append((remote, _shifted(source_ports, number * WIDTH), _shifted(mine, -number * WIDTH)))
        for number, request, reply in _ECHOES:
            mine = services & icmp(number, reply, None)
            if mine:
                boxes.append((remote, _shifted(mine, (request - reply) * 256), ALL_PORTS))
    return TrafficSet.union_of(boxes)


def answered_bounds(replies: Bounds, peers: IntervalSet) -> Bounds:
    """`answered` on both sides; datagrams may be of use without a reply, so UDP is lost from what is certain alone."""
    may = answered(replies.may, peers) | TrafficSet.of(peers, protocol(UDP))
    must = answered(replies.must, peers)
    return Bounds(must, may)


def any_port(bounds: Bounds) -> Bounds:
    """Behind a translation that picks a source port of its own: certain where every such port passes, possible where one does."""
    return Bounds(
        TrafficSet.union_of(
            (peers, services, ALL_PORTS) for peers, services, ports in bounds.must.boxes() if ports >= TRANSLATED_PORTS
        ),
        TrafficSet.union_of(
            (peers, services, ALL_PORTS)
            for peers, services, ports in bounds.may.boxes()
            if not TRANSLATED_PORTS.isdisjoint(ports)
        ),
    )


def answered_translated(replies: Bounds, peers: IntervalSet) -> Bounds:
    """Requests whose reply reaches the translating gateway: their source port is the gateway's own choice."""
    return any_port(answered_bounds(replies, peers))


def _shifted(places: IntervalSet, by: int) -> IntervalSet:
    return IntervalSet((low + by, high + by) for low, high in places.pairs)
