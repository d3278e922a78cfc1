"""Traffic that should not be: what a finding shows of it. Decides no flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Addresses, NamedAddresses, Rule
from lint.origin import Reason
from lint.space.addresses import IPV4, IPV6, PRIVATE, PUBLIC, REAL, SYMBOLIC, cidrs
from lint.space.bounds import Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_PORTS
from lint.space.traffic import TrafficSet
from lint.verdict.finding import Finding, Lane, RuleAtFault, in_order
from lint.verdict.names import MOST_LANES, Names, lanes_into, lanes_out, of_family
from lint.verdict.required import SATISFIED, UNDETERMINED, VIOLATED, rule_at_fault
from lint.verdict.scene import Scene
from lint.verdict.witness import example, packet

_HOLES = 2**20  # addresses that may be missing of the Internet to be called so
RuleTraffic = tuple[Rule, str, TrafficSet]  # a rule, the id of its filter, what it lets through


@dataclass(frozen=True, slots=True)
class Excess:
    """What gets through at one endpoint and should not: certainly `must`, at most `may`.

    `outward`: the endpoint is the source and the peers of the sets are destinations.
    """

    endpoint: Endpoint
    must: TrafficSet
    may: TrafficSet
    rules: tuple[RuleTraffic, ...] = ()
    layers: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    outward: bool = False
    sure: bool = True  # False: the endpoint may not be of the role, or not exist
    open: Bounds | None = None
    """Where peers may be anybody: what the machine's filters pass and isn't documented, with or without a route that
    brings it there. None: the peers are fixed."""

    @property
    def verdict(self) -> str:
        """satisfied, violated or undetermined."""
        if not self.may:
            return SATISFIED
        return VIOLATED if self.must and self.sure else UNDETERMINED

    @property
    def shown(self) -> TrafficSet:
        """What the finding lists: what is certain where that decides, else what is possible."""
        return self.must if self.verdict == VIOLATED else self.may


def at_fault(graph: RuleGraph, excess: Excess, within: TrafficSet) -> tuple[RuleAtFault, ...]:
    """The rules that let this much of the excess through: those of the machines' own filters where there are any."""
    found = [(r, f) for r, f, traffic in excess.rules if r.action.value != "deny" and not traffic.isdisjoint(within)]
    own = [(r, f) for r, f in found if f not in graph.filters or graph.filters[f].kind != "network_acl"]
    return tuple(dict.fromkeys(rule_at_fault(r, graph.filters.get(f)) for r, f in own or found))


def listed(excess: Excess) -> TrafficSet:
    """The excess as the rules name it: `0.0.0.0/0` and not the hundred ranges of it that can be routed to the machine.

    Where the peers may be anybody, each range that a rule at fault names and that some of the excess lies in is listed
    whole, as far as all filters pass it and nothing documents it: what is added has nobody who could use it, or doesn't
    count for the flow.
    """
    exact = TrafficSet.union_of((peers, services, ALL_PORTS) for peers, services, _ in excess.shown.boxes())
    if excess.open is None or not exact:
        return exact
    ranges = [
        (services, IntervalSet.span(low, high))
        for rule, _, traffic in excess.rules
        if not traffic.isdisjoint(excess.shown)
        for services in (traffic.services(),)
        for peer in rule.peers
        if isinstance(peer, Addresses)
        for family in (IPV4, IPV6)
        for low, high in (peer.addresses & family).pairs
    ]
    boxes = []
    for peers, services, _ in exact.boxes():
        for allowed, named in ranges:
            if not named.isdisjoint(peers) and not allowed.isdisjoint(services):
                boxes.append((named, services & allowed, ALL_PORTS))
    passed = excess.open.must if excess.verdict == VIOLATED else excess.open.may
    return exact | (TrafficSet.union_of(boxes) & passed)


def lanes(names: Names, excess: Excess) -> Iterator[Lane]:
    """The excess as lanes."""
    for peers, services, _ in listed(excess).boxes():
        if excess.outward:
            yield from lanes_out(names, excess.endpoint, services, peers)
        else:
            yield from lanes_into(names, peers, services, excess.endpoint)


def unknown(excess: Excess) -> tuple[str, ...]:
    """Why it isn't known whether the excess is there: the rules' own reasons, then those of the endpoint."""
    if excess.verdict != UNDETERMINED:
        return ()
    found = [
        reason.sentence()
        for rule, _, traffic in excess.rules
        if rule.reasons and not traffic.isdisjoint(excess.may)
        for reason in rule.reasons
    ]
    found += [reason.sentence() for reason in excess.reasons]
    return tuple(dict.fromkeys(found))


def finish(scene: Scene, begun: Finding, found: Iterable[Excess]) -> Finding:
    """The finding with the evidence of all endpoints that it is about."""
    every = list(found)
    shown_lanes: dict[Lane, None] = {}
    more = False
    for excess in every:
        for lane in lanes(scene.names, excess):
            if len(shown_lanes) >= MOST_LANES:
                more = True
                break
            shown_lanes[lane] = None
    notes = (*begun.notes, f"more than {MOST_LANES} excess lanes; the rest isn't listed") if more else begun.notes
    first = every[0]
    witness = trace = None
    shown = first.shown
    label = scene.names.endpoint(first.endpoint)
    if shown:
        peers, services, source_ports = next(shown.boxes())
        peer = example(peers)
        own = of_family(first.endpoint, None if peer is None or peer >= SYMBOLIC else (IPV4 if peer in IPV4 else IPV6))
        place = None if own is None else own.place
        pair = (place, peer) if first.outward else (peer, place)
        witness = packet(*pair, services.first, source_ports)
        other = peer_text(scene.names, peers)
        ends = (label, other) if first.outward else (other, label)
        trace = scene.trace(*ends, services, service_text(services))
    graph = scene.asking.graph
    rules = tuple(dict.fromkeys(rule for excess in every for rule in at_fault(graph, excess, excess.shown)))
    perhaps = dict.fromkeys(rule for excess in every for rule in at_fault(graph, excess, excess.may))
    return replace(
        begun,
        excess=tuple(shown_lanes),
        layers=in_order(layer for excess in every for layer in excess.layers),
        rules=rules,
        perhaps=tuple(one for one in perhaps if one not in rules),
        unknown=tuple(dict.fromkeys(text for excess in every for text in unknown(excess))),
        witness=witness,
        notes=notes,
        trace=trace,
    )


def service_text(services: IntervalSet) -> str:
    """The first service of a set, as text."""
    from lint.space.services import render

    return render(services)[0]


def peer_text(names: Names, peers: IntervalSet) -> str:
    """A peer of a set as `trace` takes it: `internet` where all of it is there, the widest CIDR, or a name."""
    if ((PUBLIC & IPV4) - peers).size <= _HOLES:
        return "internet"
    ranges = cidrs(peers & REAL)
    if ranges:
        families = (0 if ":" not in one else 96 for one in ranges)
        return min(zip(ranges, families, strict=True), key=lambda one: int(one[0].rpartition("/")[2]) - one[1])[0]
    return next((name for _, name in names.sides(peers) if name), "internet")


def peers_sentence(names: Names, peers: IntervalSet, all_of_them: str = "everybody else", most: int = 3) -> str:
    """`the Internet`, `everybody else`, or `10.0.0.0/8, aws_instance.a and 4 more`."""
    texts: list[str] = []
    rest = peers
    if ((PUBLIC & IPV4) - peers).size <= _HOLES:
        everybody = ((PRIVATE & IPV4) - peers).size <= _HOLES
        texts.append(all_of_them if everybody else "the Internet")
        rest = rest - IPV4 - IPV6 if everybody else rest - PUBLIC - IPV6
        if not everybody:
            rest = rest & (PRIVATE | (rest - REAL))
    texts += [cidr or name or "" for cidr, name in names.sides(rest)]
    shown = ", ".join(texts[:most])
    return f"{shown} and {len(texts) - most} more" if len(texts) > most else shown or "somebody"


def rules_sentence(names: Names, found: Iterable[Excess]) -> str:
    """The peers of the excess; as the rules at fault write them where these are fewer words (`10.70.0.0/16`)."""
    every = list(found)
    peers = IntervalSet.union_of(listed(excess).peers() for excess in every)
    words = peers_sentence(names, peers)
    written = tuple(
        dict.fromkeys(text for excess in every if excess.open is not None for text in _written(excess, peers))
    )
    if " more" in words and 0 < len(written) <= 3 and peers <= REAL:
        return ", ".join(written)
    return words


def _written(excess: Excess, peers: IntervalSet) -> Iterator[str]:
    """How rules at fault write these peers: those of the layer that says it most narrowly (0.0.0.0/0 of a network ACL
    says nothing beside 10.70.0.0/16 of a security group)."""
    layers = {name: number for number, layer in enumerate(excess.endpoint.layers) for name in layer.filters}
    found: dict[int | str, tuple[IntervalSet, dict[str, None]]] = {}
    for rule, filter_, traffic in excess.rules:
        if traffic.isdisjoint(excess.shown):
            continue
        held, texts = found.get(layers.get(filter_, filter_), (EMPTY, {}))
        for peer in rule.peers:
            if isinstance(peer, NamedAddresses) or (
                isinstance(peer, Addresses) and not peer.addresses.isdisjoint(peers)
            ):
                held = held | (peer.addresses if isinstance(peer, Addresses) else traffic.peers() & REAL)
                texts[peer.text] = None
        found[layers.get(filter_, filter_)] = (held, texts)
    for held, texts in found.values():
        if not any(other <= held and other != held for other, _ in found.values() if other):
            yield from texts


def one_peer(sentence: str) -> bool:
    """Whether the words of `peers_sentence` name one."""
    return ", " not in sentence and " and " not in sentence
