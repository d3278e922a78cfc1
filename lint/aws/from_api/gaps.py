"""What a failed call leaves open: stand-ins for networks that only other answers name, and what no layer can show.

A kind that could not be read is never taken for one that isn't there. Network ACLs, route tables, gateways, prefix
lists and the control of public access are opened where they are read; here is the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lint.aws.from_api import facts
from lint.aws.from_api.answers import Answers, Item
from lint.aws.model import network as aws
from lint.aws.model.links import Link
from lint.origin import Origin, Reason
from lint.space.addresses import REAL
from lint.space.intervals import EMPTY

# Without one of these, machines, names or memberships may exist that nothing else shows.
_VITAL = ("Vpcs", "Subnets", "SecurityGroups", "NetworkInterfaces")
_DETAILS = ("TargetGroups", "LoadBalancerListeners", "LoadBalancerTargetHealth", "TargetGroupAttributes")
_BALANCING = ("LoadBalancers", "LoadBalancerDescriptions", *_DETAILS)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What of the source could not be read at all, and what could not be read and doesn't matter here."""

    incomplete: tuple[Reason, ...]
    notes: tuple[str, ...]


def gaps_of(answers: Answers) -> Gaps:
    """The failed calls that leave the whole open."""
    found = [reason for kind in _VITAL for reason in answers.missing(kind)]
    notes: list[str] = []
    for document in answers.documents:
        failed = [kind for kind in document.missing if kind.partition(":")[0] in _BALANCING]
        if not failed:
            continue
        seen = "NetworkInterfaces" in document.data
        standing = any(is_balancer(each) for each in facts.listed(document.data, "NetworkInterfaces"))
        listed = any(True for _ in facts.listed(document.data, "LoadBalancers"))
        for kind in failed:
            balanced = standing or (listed and kind.partition(":")[0] in _DETAILS)
            where = " ".join(p for p in (document.account, document.region) if p)
            text = f"{kind} of {where or document.path} could not be read: {document.missing[kind]}"
            if balanced or not seen:
                found.append(Reason(text, code=f"aws.missing:{kind}"))
            else:
                notes.append(f"{text}; nothing there is a load balancer's")
    return Gaps(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(notes)))


def is_balancer(interface: Any) -> bool:
    """Whether a network interface belongs to a load balancer: AWS describes these as `ELB <name>`."""
    kind = facts.text(interface, "InterfaceType") or ""
    return "load_balancer" in kind or (facts.text(interface, "Description") or "").startswith("ELB ")


def stub_vpcs(answers: Answers, known: dict[str, aws.Vpc]) -> dict[str, aws.Vpc]:
    """A VPC of unknown extent for each that other answers name where the VPCs themselves could not be read."""
    found: dict[str, aws.Vpc] = {}
    for item, id_ in _named(
        answers, "VpcId", ("Subnets", "NetworkInterfaces", "SecurityGroups", "RouteTables", "NetworkAcls")
    ):
        why = answers.missing("Vpcs", item)
        if not why or id_ in known or id_ in found:
            continue
        found[id_] = aws.Vpc(
            id=id_,
            name=id_,
            prefixes=EMPTY,
            prefixes_may=REAL,
            origin=Origin(account=item.account, region=item.region, resource_id=id_),
            ipv6=None,
            has_acls=answers.shows("NetworkAcls", item),
            has_routes=answers.shows("RouteTables", item),
            acls_open=answers.missing("NetworkAcls", item),
            routes_open=answers.missing("RouteTables", item),
            internet_block_open=why,
            account=item.account,
            region=item.region,
            reasons=why,
        )
    return found


def stub_subnets(answers: Answers, known: dict[str, aws.Subnet]) -> dict[str, aws.Subnet]:
    """A subnet of unknown extent for each that an interface names where the subnets themselves could not be read."""
    found: dict[str, aws.Subnet] = {}
    for item, id_ in _named(answers, "SubnetId", ("NetworkInterfaces",)):
        why = answers.missing("Subnets", item)
        if not why or id_ in known or id_ in found:
            continue
        found[id_] = aws.Subnet(
            id=id_,
            name=id_,
            vpc=Link(facts.text(item.data, "VpcId")),
            prefixes=EMPTY,
            prefixes_may=REAL,
            origin=Origin(account=item.account, region=item.region, resource_id=id_),
            zone=facts.text(item.data, "AvailabilityZoneId") or facts.text(item.data, "AvailabilityZone"),
            public_on_launch=None,
            ipv6_on_launch=None,
            internet_block_open=why,
            account=item.account,
            region=item.region,
            reasons=why,
        )
    return found


def _named(answers: Answers, key: str, kinds: tuple[str, ...]) -> Iterator[tuple[Item, str]]:
    for kind in kinds:
        for item in answers.of(kind):
            id_ = facts.text(item.data, key)
            if id_ is not None:
                yield item, id_
