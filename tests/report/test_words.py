"""What a person reads of many addresses: all public ones are the Internet, whatever the list of CIDRs looks like."""

from __future__ import annotations

from lint.report.words import as_few, joined
from lint.space.addresses import IPV4, IPV6, PUBLIC, cidrs, parse_cidr
from lint.verdict.finding import Lane

EVERYBODY = tuple(cidrs(PUBLIC & IPV4))


def to(*sources: str, service: str = "tcp/22", target: str = "10.0.0.5/32") -> tuple[Lane, ...]:
    return tuple(Lane(source, target, service) for source in sources)


def test_all_public_addresses_are_the_internet() -> None:
    assert len(EVERYBODY) > 50
    assert as_few(EVERYBODY) == ("the Internet",)
    assert as_few((*EVERYBODY, "10.0.0.0/8")) == ("the Internet", "10.0.0.0/8")
    assert joined(to(*EVERYBODY)) == to("the Internet")
    outward = tuple(Lane("10.0.0.5/32", target, "tcp/80") for target in EVERYBODY)
    assert joined(outward) == (Lane("10.0.0.5/32", "the Internet", "tcp/80"),)


def test_the_internet_without_a_documented_peer_is_still_the_internet_but_half_of_it_is_not() -> None:
    most = tuple(cidrs((PUBLIC & IPV4) - parse_cidr("203.0.112.0/24")))
    assert joined(to(*most)) == to("the Internet except 203.0.112.0/24")
    half = tuple(cidrs(PUBLIC & parse_cidr("0.0.0.0/1")))
    assert joined(to(*half)) == to(*half)


def test_each_family_counts_for_itself() -> None:
    six = tuple(cidrs(PUBLIC & IPV6))
    assert as_few((*six, "198.51.100.0/24")) == ("198.51.100.0/24", "the Internet")


def test_a_network_without_a_few_addresses_is_named_with_its_exceptions() -> None:
    rest = tuple(cidrs(parse_cidr("10.70.0.0/16") - parse_cidr("10.70.1.15") - parse_cidr("10.70.2.0/24")))
    said = "10.70.0.0/16 except 10.70.1.15/32, 10.70.2.0/24"
    assert as_few((*rest, "168.63.129.16/32")) == (said, "168.63.129.16/32")
    assert as_few(("10.0.0.0/8", "192.168.0.0/16")) == ("10.0.0.0/8", "192.168.0.0/16")


def test_lanes_of_different_services_and_targets_stay_apart() -> None:
    lanes = to(*EVERYBODY) + to(*EVERYBODY, service="tcp/80") + to("10.0.0.0/8", target="10.0.0.6/32")
    assert joined(lanes) == (
        *to("the Internet"),
        *to("the Internet", service="tcp/80"),
        *to("10.0.0.0/8", target="10.0.0.6/32"),
    )


def test_what_has_no_address_keeps_its_name() -> None:
    named = Lane(None, "10.0.0.5/32", "tcp/22", source_name="aws_security_group.x")
    assert joined((*to(*EVERYBODY), named)) == (*to("the Internet"), named)
    assert as_few(("aws_instance.a", "10.0.0.0/8")) == ("aws_instance.a", "10.0.0.0/8")
