"""Services as one integer line: protocol, then destination port or ICMP type and code.

Protocol p owns the places p*65536 .. p*65536+65535. TCP (6) and UDP (17) stand for their destination ports there, ICMP (1) and ICMPv6
(58) for type*256+code; any other protocol has no parts and always owns its whole stretch.
"""

from __future__ import annotations

from lint.space.intervals import IntervalSet

WIDTH = 65536
ICMP, TCP, UDP, ESP, AH, ICMPV6 = 1, 6, 17, 50, 51, 58

ALL_PORTS = IntervalSet.span(0, 65535)
ALL_SERVICES = IntervalSet.span(0, 256 * WIDTH - 1)


def protocol(number: int) -> IntervalSet:
    """Everything of one protocol."""
    return IntervalSet.span(number * WIDTH, number * WIDTH + WIDTH - 1)


def ports(number: int, low: int, high: int) -> IntervalSet:
    """Destination ports `low` to `high` (inclusive, 0-65535) of TCP or UDP. Raises ValueError."""
    if number not in (TCP, UDP):
        raise ValueError(f"protocol {number} has no ports")
    if not 0 <= low <= high <= 65535:
        raise ValueError(f"not a port range: {low}-{high}")
    return IntervalSet.span(number * WIDTH + low, number * WIDTH + high)


def icmp(number: int, kind: int | None, code: int | None) -> IntervalSet:
    """An ICMP (1) or ICMPv6 (58) type and code, None for any. Raises ValueError."""
    if number not in (ICMP, ICMPV6):
        raise ValueError(f"protocol {number} is not ICMP")
    if kind is None:
        return protocol(number)
    if not 0 <= kind <= 255 or not (code is None or 0 <= code <= 255):
        raise ValueError(f"not an ICMP type and code: {kind}/{code}")
    start = number * WIDTH + kind * 256
    return IntervalSet.span(start, start + 255) if code is None else IntervalSet.of(start + code)


WITH_PORTS = protocol(TCP) | protocol(UDP)


def parse(text: str) -> IntervalSet:
    """`tcp/443`, `tcp/22,10729`, `udp/1-1024`, `icmp/8/0`, `icmp`, `tcp`, `esp`, `47`, `any`. Raises ValueError."""
    raise NotImplementedError


def render(services: IntervalSet) -> list[str]:
    """The shortest service texts that make up the set, in line order; `any` for all."""
    raise NotImplementedError
