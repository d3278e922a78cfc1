"""Addresses as one integer line: IPv4, then IPv6, then symbolic places for addresses that aren't known yet.

IPv4 address a stands at a (0 .. 2**32-1); IPv6 address a at 2**32 + a. Behind the IPv6 space, from `SYMBOLIC`, each
endpoint whose address isn't known has a place of its own, so that sets of peers stay exact where a rule names a group
and not an address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache

from lint.space.intervals import EMPTY, IntervalSet

IPV6_BASE = 2**32
SYMBOLIC = 2**32 + 2**128  # first symbolic place
SYMBOLIC_END = SYMBOLIC + 2**32

IPV4 = IntervalSet.span(0, 2**32 - 1)
IPV6 = IntervalSet.span(IPV6_BASE, SYMBOLIC - 1)
REAL = IntervalSet.span(0, SYMBOLIC - 1)  # every address that can be written
EVERYWHERE = IntervalSet.span(0, SYMBOLIC_END)  # and every symbolic place


@lru_cache(maxsize=65536)
def parse_cidr(text: str) -> IntervalSet:
    """`10.0.0.0/8`, `10.1.2.3`, `fd00::/8`; bits right of the mask are cleared. Raises ValueError."""
    network = ipaddress.ip_network(text.strip(), strict=False)
    base = IPV6_BASE if network.version == 6 else 0
    return IntervalSet.span(base + int(network.network_address), base + int(network.broadcast_address))


def parse_cidrs(*texts: str) -> IntervalSet:
    """The union of several CIDRs."""
    joined = EMPTY
    for text in texts:
        joined = joined | parse_cidr(text)
    return joined


def position(text: str) -> int:
    """The place of one address on the line. Raises ValueError."""
    address = ipaddress.ip_address(text.strip())
    return int(address) + (IPV6_BASE if address.version == 6 else 0)


def address_text(place: int) -> str:
    """The address at a place. Raises ValueError for a symbolic one."""
    if place < IPV6_BASE:
        return str(ipaddress.IPv4Address(place))
    if place < SYMBOLIC:
        return str(ipaddress.IPv6Address(place - IPV6_BASE))
    raise ValueError("a symbolic place has no address")


def cidrs(addresses: IntervalSet) -> list[str]:
    """The fewest CIDRs that make up the real addresses of the set, IPv4 first; symbolic places are left out."""
    return list(_cidrs(addresses))


@lru_cache(maxsize=16384)
def _cidrs(addresses: IntervalSet) -> tuple[str, ...]:
    return tuple(
        f"{address_text(place)}/{bits - size}"
        for family, base, bits in ((IPV4, 0, 32), (IPV6, IPV6_BASE, 128))
        for low, high in (addresses & family).pairs
        for place, size in _blocks(low, high, base, bits)
    )


def _blocks(low: int, high: int, base: int, bits: int) -> Iterator[tuple[int, int]]:
    """The largest aligned blocks of a range, lowest first: where each begins, and how many bits of it are free."""
    while low <= high:
        aligned = ((low - base) & (base - low)).bit_length() - 1 if low > base else bits
        size = min(aligned, (high - low + 1).bit_length() - 1)
        yield low, size
        low += 1 << size


PRIVATE = parse_cidrs("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_SPECIAL = parse_cidrs(
    "0.0.0.0/8",
    "127.0.0.0/8",
    "168.63.129.16/32",  # Azure's own host, which no stranger has ("What is IP address 168.63.129.16?")
    "169.254.0.0/16",
    "192.0.0.0/24",
    "198.18.0.0/15",
    "224.0.0.0/3",
    "::/8",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)
# Addresses that a stranger on the Internet may have. The documentation ranges (192.0.2.0/24, 198.51.100.0/24,
# 203.0.113.0/24)
# count as public on purpose: they stand for public addresses in examples.
PUBLIC = REAL - PRIVATE - _SPECIAL
