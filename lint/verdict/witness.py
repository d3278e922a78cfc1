"""One concrete packet out of a set of traffic. Decides nothing."""

from __future__ import annotations

from lint.space.addresses import IPV4, SYMBOLIC, address_text
from lint.space.intervals import IntervalSet
from lint.space.services import ICMP, ICMPV6, NAMES, TCP, UDP, WIDTH
from lint.verdict.finding import Witness

_NAME_OF = {number: name for name, number in NAMES.items()}
_PREFERRED = IntervalSet.span(49152, 65535)


def packet(source: int | None, destination: int | None, service: int, source_ports: IntervalSet) -> Witness:
    """The packet with this service, its addresses written out where they are known."""
    number, rest = divmod(service, WIDTH)
    name = _NAME_OF.get(number, str(number))
    if number in (TCP, UDP):
        usual = source_ports & _PREFERRED
        port = (usual or source_ports).first if source_ports else None
        return Witness(_text(source), _text(destination), name, rest, port)
    if number in (ICMP, ICMPV6):
        return Witness(_text(source), _text(destination), name, None, None, rest // 256, rest % 256)
    return Witness(_text(source), _text(destination), name, None, None)


def example(places: IntervalSet) -> int | None:
    """A usual member: a real address rather than a symbolic one, the host after a network's own address."""
    if not places:
        return None
    low, high = places.pairs[0]
    if low < SYMBOLIC and high > low and (low in IPV4 or high > low + 1):
        return low + 1
    return low


def _text(place: int | None) -> str | None:
    return None if place is None or place >= SYMBOLIC else address_text(place)
