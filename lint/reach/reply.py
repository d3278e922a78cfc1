"""Replies of stateless filters.

Which requests are answered by the replies that a filter passes, and what translation does to ports.
"""

from __future__ import annotations

from lint.space.bounds import Bounds
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES, ICMP, ICMPV6, TCP, UDP, WIDTH, icmp, protocol
from lint.space.traffic import Box, TrafficSet

_ECHOES = ((ICMP, 8, 0), (ICMPV6, 128, 129))  # protocol, type of the request, type of the reply
_ECHO_REQUESTS = IntervalSet.union_of(icmp(number, request, None) for number, request, _ in _ECHOES)
_OTHERS = ALL_SERVICES - protocol(TCP) - protocol(UDP) - protocol(ICMP) - protocol(ICMPV6)
# Datagrams and tunnels may be of use without an answer; whether they are, only the application knows.
ONE_WAY = protocol(UDP) | _OTHERS
# ICMP messages that aren't echo requests: nobody answers them.
UNANSWERED = (protocol(ICMP) | protocol(ICMPV6)) - _ECHO_REQUESTS
# NAT gateways and load balancers choose their own source ports: AWS documentation, "Ephemeral ports".
TRANSLATED_PORTS = IntervalSet.span(1024, 65535)


def answered(replies: TrafficSet, peers: IntervalSet) -> TrafficSet:
    """The requests with one of `peers` whose reply is in `replies`.

    The reply to a request to port d from port s goes to port s from port d; an echo reply has the code of its request;
    protocols without ports answer with themselves. Other ICMP messages need no reply.
    """
    boxes: list[Box] = [(peers, UNANSWERED, ALL_PORTS)]
    for remote, services, source_ports in replies.restrict(peers).boxes():
        for number in (TCP, UDP):
            mine = services & protocol(number)
            if mine:
                boxes.append((remote, _shifted(source_ports, number * WIDTH), _shifted(mine, -number * WIDTH)))
        for number, request, reply in _ECHOES:
            mine = services & icmp(number, reply, None)
            if mine:
                boxes.append((remote, _shifted(mine, (request - reply) * 256), ALL_PORTS))
        boxes.append((remote, services & _OTHERS, ALL_PORTS))
    return TrafficSet.union_of(boxes)


def answered_bounds(replies: Bounds, peers: IntervalSet) -> Bounds:
    """`answered` on both sides; what may be of use without a reply is lost from what is certain alone."""
    may = answered(replies.may, peers) | TrafficSet.of(peers, ONE_WAY)
    must = answered(replies.must, peers)
    return Bounds(must, may)


def any_port(bounds: Bounds) -> Bounds:
    """Behind a translation that picks a source port of its own.

    Certain where every such port passes, possible where one does.
    """
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


def _shifted(places: IntervalSet, by: int) -> IntervalSet:
    return IntervalSet((low + by, high + by) for low, high in places.pairs)
