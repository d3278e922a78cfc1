"""What load balancers do to traffic, whatever source they were read from.

Source: NLB guide, "Edit target group attributes for your Network Load Balancer" (client IP preservation).
"""

from __future__ import annotations

from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import TCP, UDP, ports

_TRANSPORTS = {
    "UDP": (UDP,),
    "QUIC": (UDP,),
    "TCP_UDP": (TCP, UDP),
    "TCP_QUIC": (TCP, UDP),
}  # all others stand on TCP


def services_at(protocol: str | None, port: int | None) -> IntervalSet:
    """What a listener or target of this protocol and port takes; nothing where the port isn't known."""
    found = EMPTY
    if port is not None and 0 <= port <= 65535:
        for number in _TRANSPORTS.get((protocol or "TCP").upper(), (TCP,)):
            found = found | ports(number, port, port)
    return found


def preserves_client(kind: str | None, protocol: str | None, setting: str | None) -> bool | None:
    """Whether a network load balancer's targets see the client's address.

    Instance targets do, and ip targets over UDP; ip targets over TCP and TLS don't, unless the attribute says
    otherwise.
    """
    if kind is None:
        return None
    udp = (protocol or "").upper() in ("UDP", "TCP_UDP", "QUIC", "TCP_QUIC")
    if setting in ("true", "false") and not udp:
        return setting == "true"
    return True if udp else kind == "instance"
