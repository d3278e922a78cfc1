"""Service texts: what is accepted, what is refused with a sentence, and that rendering is short and reads back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import (
    AH,
    ALL_SERVICES,
    ESP,
    ICMP,
    ICMPV6,
    TCP,
    UDP,
    icmp,
    parse,
    ports,
    protocol,
    render,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp/443", ports(TCP, 443, 443)),
        ("TCP/443", ports(TCP, 443, 443)),
        (" tcp / 22 , 10729 ", ports(TCP, 22, 22) | ports(TCP, 10729, 10729)),
        ("udp/1-1024", ports(UDP, 1, 1024)),
        ("tcp/22,80-90", ports(TCP, 22, 22) | ports(TCP, 80, 90)),
        ("6/443", ports(TCP, 443, 443)),
        ("tcp/*", protocol(TCP)),
        ("tcp", protocol(TCP)),
        ("icmp", protocol(ICMP)),
        ("icmp/8", icmp(ICMP, 8, None)),
        ("icmp/8/0", icmp(ICMP, 8, 0)),
        ("icmpv6/128/0", icmp(ICMPV6, 128, 0)),
        ("icmpv6", protocol(ICMPV6)),
        ("ipv6-icmp", protocol(ICMPV6)),
        ("esp", protocol(ESP)),
        ("ah", protocol(AH)),
        ("gre", protocol(47)),
        ("47", protocol(47)),
        ("0", protocol(0)),
        ("protocol/47", protocol(47)),
        ("any", ALL_SERVICES),
        ("ALL", ALL_SERVICES),
        ("-1", ALL_SERVICES),
    ],
)
def test_a_text_means_these_services(text: str, expected: IntervalSet) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "protocol"),
        ("banana/1", "protocol"),
        ("256", "protocol"),
        ("tcp/65536", "more than 65535"),
        ("tcp/9-1", "upside down"),
        ("tcp/", "not a port"),
        ("tcp/http", "not a port"),
        ("tcp/1/2", "second"),
        ("esp/1", "none"),
        ("icmp/256", "more than 255"),
        ("icmp/8/0/0", "third"),
        ("tcp/²", "not a port"),
        ("any/443", "protocol"),
        ("9" * 5000, "protocol"),
        ("tcp/" + "9" * 5000, "not a port"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(text)


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (ALL_SERVICES, ["any"]),
        (EMPTY, []),
        (ports(TCP, 1, 9079), ["tcp/1-9079"]),
        (protocol(TCP), ["tcp"]),
        (icmp(ICMP, 8, 0) | ports(UDP, 53, 53), ["icmp/8/0", "udp/53"]),
        (icmp(ICMP, 8, None), ["icmp/8"]),
        (protocol(ESP) | protocol(AH), ["esp", "ah"]),
        (ALL_SERVICES - ports(TCP, 22, 22), ["protocol/0-5", "tcp/0-21", "tcp/23-65535", "protocol/7-255"]),
        (protocol(ICMP) - icmp(ICMP, 8, 0), ["icmp/0-7", "icmp/8/1-255", "icmp/9-255"]),
        (protocol(0) | protocol(17), ["protocol/0", "udp"]),
    ],
)
def test_services_render_shortly(services: IntervalSet, expected: list[str]) -> None:
    assert render(services) == expected


pieces = st.one_of(
    st.tuples(st.sampled_from([TCP, UDP]), st.integers(0, 65535), st.integers(0, 65535)).map(
        lambda one: ports(one[0], min(one[1:]), max(one[1:]))
    ),
    st.tuples(st.sampled_from([ICMP, ICMPV6]), st.integers(0, 255), st.none() | st.integers(0, 255)).map(
        lambda one: icmp(*one)
    ),
    st.integers(0, 255).map(protocol),
)


@given(st.lists(pieces, max_size=6), st.booleans())
def test_rendered_texts_read_back(parts: list[IntervalSet], inverted: bool) -> None:
    services = IntervalSet.union_of(parts)
    if inverted:
        services = ALL_SERVICES - services
    assert IntervalSet.union_of(parse(text) for text in render(services)) == services
