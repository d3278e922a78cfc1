"""Services as one integer line: protocol, then destination port or ICMP type and code.

Protocol p owns the places p*65536 .. p*65536+65535. TCP (6) and UDP (17) stand for their destination ports there, ICMP
(1) and ICMPv6 (58) for type*256+code; any other protocol has no parts and always owns its whole stretch.
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


NAMES = {
    "icmp": ICMP,
    "igmp": 2,
    "tcp": TCP,
    "udp": UDP,
    "gre": 47,
    "esp": ESP,
    "ah": AH,
    "icmpv6": ICMPV6,
    "ospf": 89,
    "sctp": 132,
}
_ALIASES = {"ipv6-icmp": ICMPV6, "icmp6": ICMPV6}
_NAME_OF = {number: name for name, number in NAMES.items()}
_ANY = ("any", "all", "-1", "*")


def parse(text: str) -> IntervalSet:
    """`tcp/443`, `tcp/22,10729`, `udp/1-1024`, `icmp/8/0`, `icmp`, `tcp`, `esp`, `47`, `any`. Raises ValueError.

    Upper and lower case mean the same. `protocol/18-46` is a range of whole protocols, `protocol/0` one: `render`
    writes them so.
    """
    head, *parts = [part.strip() for part in text.strip().lower().split("/")]
    if head in _ANY and not parts:
        return ALL_SERVICES
    if head == "protocol" and len(parts) == 1:
        return IntervalSet.union_of(
            IntervalSet.span(low * WIDTH, high * WIDTH + WIDTH - 1)
            for low, high in _ranges(parts[0], 255, "protocol number", text)
        )
    number = _protocol_number(head, text)
    if not parts or (len(parts) == 1 and parts[0] in _ANY):
        return protocol(number)
    if number in (TCP, UDP):
        if len(parts) > 1:
            raise ValueError(f"`{text}` has a second `/`; {head} takes ports alone, as in `{head}/443`")
        return IntervalSet.union_of(ports(number, *pair) for pair in _ranges(parts[0], 65535, "port", text))
    if number in (ICMP, ICMPV6):
        if len(parts) > 2:
            raise ValueError(f"`{text}` has a third `/`; {head} takes a type and a code, as in `{head}/8/0`")
        start = number * WIDTH
        kinds = _ranges(parts[0], 255, "ICMP type", text)
        if len(parts) == 1 or parts[1] in _ANY:
            return IntervalSet((start + low * 256, start + high * 256 + 255) for low, high in kinds)
        codes = _ranges(parts[1], 255, "ICMP code", text)
        return IntervalSet(
            (start + kind * 256 + first, start + kind * 256 + last)
            for low, high in kinds
            for kind in range(low, high + 1)
            for first, last in codes
        )
    raise ValueError(f"`{text}` names ports, but protocol {head} has none; write `{head}` alone")


def render(services: IntervalSet) -> list[str]:
    """The shortest service texts that make up the set, in line order; `any` for all.

    One text for each range: `tcp/1-9079`.
    """
    if services == ALL_SERVICES:
        return ["any"]
    out: list[str] = []
    whole: list[int] = []  # a run of whole protocols that isn't written yet

    def flush() -> None:
        if len(whole) > 2:
            out.append(f"protocol/{whole[0]}-{whole[-1]}")
        else:
            out.extend(_name(number) for number in whole)
        whole.clear()

    for low, high in services.pairs:
        for number in range(low // WIDTH, high // WIDTH + 1):
            first = max(low - number * WIDTH, 0)
            last = min(high - number * WIDTH, WIDTH - 1)
            if (first, last) == (0, WIDTH - 1) or number not in (TCP, UDP, ICMP, ICMPV6):
                if whole and whole[-1] + 1 != number:
                    flush()
                whole.append(number)
                continue
            flush()
            if number in (TCP, UDP):
                out.append(f"{_name(number)}/{_range(first, last)}")
            else:
                out.extend(f"{_name(number)}/{part}" for part in _icmp_parts(first, last))
    flush()
    return out


def _protocol_number(head: str, text: str) -> int:
    number = NAMES.get(head, _ALIASES.get(head))
    if number is None and head.isascii() and head.isdigit() and int(head[:6]) < 256:
        number = int(head)
    if number is None:
        known = ", ".join(sorted(NAMES))
        raise ValueError(f"`{text}` doesn't begin with a protocol: a number from 0 to 255, `any`, or one of {known}")
    return number


def _ranges(text: str, limit: int, what: str, whole: str) -> list[tuple[int, int]]:
    """`22,80-90` as pairs."""
    found: list[tuple[int, int]] = []
    for piece in text.split(","):
        low_text, dash, high_text = (part.strip() for part in piece.strip().partition("-"))
        high_text = high_text if dash else low_text
        if not all(part.isascii() and part.isdigit() and len(part) < 7 for part in (low_text, high_text)):
            raise ValueError(f"`{piece.strip()}` in `{whole}` is not a {what} or a range of them")
        low, high = int(low_text), int(high_text)
        if high > limit:
            raise ValueError(f"{what} {high} in `{whole}` is more than {limit}")
        if low > high:
            raise ValueError(f"the range `{piece.strip()}` in `{whole}` is upside down")
        found.append((low, high))
    return found


def _name(number: int) -> str:
    return _NAME_OF.get(number, f"protocol/{number}")


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def _icmp_parts(first: int, last: int) -> list[str]:
    """type*256+code from `first` to `last`: whole types as `8` or `9-255`, parts of one type as `8/0` or `3/1-5`."""
    parts: list[str] = []
    kind, code = divmod(first, 256)
    last_kind, last_code = divmod(last, 256)
    if code > 0:
        parts.append(f"{kind}/{_range(code, last_code if kind == last_kind else 255)}")
        kind += 1
    whole_end = last_kind if last_code == 255 else last_kind - 1
    if kind <= whole_end:
        parts.append(_range(kind, whole_end))
        kind = whole_end + 1
    if kind <= last_kind:
        parts.append(f"{kind}/{_range(0, last_code)}")
    return parts
