"""A change of a network ACL as entries: one range of ports, one CIDR and a number each. Knows no file, no command."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from lint.fix.changes import AddRule
from lint.fix.on_graph import numbers_of
from lint.graph.rules import Action, Filter, Rule
from lint.space.addresses import IPV6, REAL, cidrs, parse_cidr
from lint.space.services import ALL_SERVICES, ICMP, ICMPV6, TCP, UDP, WIDTH

_MOST = 8  # an ACL has 20 entries a direction, and a fix with more than this isn't a suggestion any more
_WORDS = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "58"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as people write it. `icmp`: the type, for ICMP; ports are inclusive on both ends."""

    number: int
    action: str
    protocol: str
    low: int
    high: int
    cidr: str
    icmp: int | None = None


def entries_of(change: AddRule, holder: Filter) -> tuple[Entry, ...]:
    """The entries that make the change; none where it can't be written so."""
    numbers = numbers_of(change, holder)
    addresses = change.peers.addresses
    texts = ["0.0.0.0/0", "::/0"] if addresses == REAL else cidrs(addresses)
    if change.peers.group is not None or not 0 < len(numbers) <= _MOST:
        return ()
    made = []
    for number, (cidr, (low, high)) in zip(numbers, product(texts, change.services.pairs), strict=True):
        entry = _entry(number, change.action, low, high, cidr)
        if entry is None:
            return ()
        made.append(entry)
    return tuple(made)


def entry_of(rule: Rule, cidr: str) -> Entry | None:
    """An entry as it stands, with another range of addresses."""
    if rule.services == ALL_SERVICES:
        return Entry(rule.priority or 0, rule.action.value, "-1", 0, 0, cidr)
    if len(rule.services.pairs) != 1:
        return None
    return _entry(rule.priority or 0, rule.action, *rule.services.pairs[0], cidr)


def _entry(number: int, action: Action, low: int, high: int, cidr: str) -> Entry | None:
    protocol = low // WIDTH
    if high // WIDTH != protocol or protocol not in _WORDS:
        return None
    kind = None
    if protocol in (ICMP, ICMPV6):
        six = not parse_cidr(cidr).isdisjoint(IPV6)
        if low % 256 or high != low + 255 or six != (protocol == ICMPV6):
            return None  # all codes of one type, in ICMP of its own family
        kind = low % WIDTH // 256
    return Entry(number, action.value, _WORDS[protocol], low % WIDTH, high % WIDTH, cidr, kind)
