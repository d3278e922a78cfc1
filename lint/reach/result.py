"""The answer of the reach engine: what traffic passes, by which paths, and which rule decides at each hop."""

from __future__ import annotations

from dataclasses import dataclass

from lint.graph.rules import Rule
from lint.origin import Origin, Reason
from lint.space.bounds import NOTHING, Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.traffic import TrafficSet


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a question: an endpoint of the graph, or a set of addresses (a CIDR, the Internet).

    `endpoint` is an endpoint id, or None; then `addresses` are meant. An endpoint with `addresses` is asked at these of
    its addresses alone, private or public ones. `text` is what a person called it.
    """

    text: str
    endpoint: str | None = None
    addresses: IntervalSet | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """One component on a path: a filter in one direction, a route, a gateway, a public address.

    `allowed` is what it lets through of all traffic, in terms of the path (peers = the source's places). `rules` are
    those that decide (of what was asked for): that allow, or where nothing passes those that deny. `verdict`: allowed,
    blocked, partial, undetermined.
    """

    layer: str  # security_group, network_acl, nsg, admin_rules, route, nat_gateway, peering, public_address, ...
    direction: str  # ingress, egress, reply-ingress, reply-egress, or "" where it has none
    filter: str  # id of the filter, table or gateway; "" where there is none
    name: str
    allowed: Bounds
    rules: tuple[Rule, ...]
    verdict: str
    sentence: str
    origin: Origin | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """One way from the source to the destination: over private or public addresses.

    `source_seen` are the places as which the destination sees the source (after translation), `destination` those that
    the source addresses.
    """

    via: str  # private or public
    source_seen: IntervalSet
    destination: IntervalSet
    hops: tuple[Hop, ...]
    allowed: Bounds
    verdict: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """What passes from one party to another over all paths together.

    `allowed`: peers are the source's places (real, or symbolic where its address isn't known); packets whose reply
    comes back too. `delivered`: packets that arrive, with or without a reply; what a forbidden flow is judged by. Where
    the destination is a set of addresses, `allowed` is certain where every one of them is reached and possible where
    one is; `every` and `some` are exact. `asked`: the source's places that share an address family with the
    destination. `layers` are the kinds of layers that were judged.
    """

    source: Party
    destination: Party
    allowed: Bounds
    paths: tuple[Path, ...]
    layers: tuple[str, ...]
    verdict: str
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    delivered: Bounds = NOTHING
    every: Bounds = NOTHING
    some: Bounds = NOTHING
    asked: IntervalSet = EMPTY


@dataclass(frozen=True, slots=True)
class Inbound:
    """What arrives at an endpoint from anybody. Peers are the senders as the endpoint's filters see them.

    Judged are the endpoint's own side and the routing on the way; what known senders' own filters hold back is left out
    of `confirmed` alone. `allowed` are packets that arrive, whether or not the reply comes back. `rules` are the rules
    of the endpoint's side that let a piece in: the rule, its filter's id, and the piece.
    """

    endpoint: str
    allowed: Bounds
    rules: tuple[tuple[Rule, str, TrafficSet], ...]
    layers: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    hops: tuple[Hop, ...] = ()
    notes: tuple[str, ...] = ()
    confirmed: Bounds = NOTHING


@dataclass(frozen=True, slots=True)
class Outbound:
    """Whom an endpoint reaches. Peers are the destinations as it addresses them.

    `allowed`: packets whose reply comes back too; `delivered`: packets that arrive. What known receivers' own filters
    refuse is left out of `confirmed` alone.
    """

    endpoint: str
    allowed: Bounds
    rules: tuple[tuple[Rule, str, TrafficSet], ...]
    layers: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    hops: tuple[Hop, ...] = ()
    notes: tuple[str, ...] = ()
    delivered: Bounds = NOTHING
    confirmed: Bounds = NOTHING
