"""For findings of too much: how the rules at fault may be narrowed, the most careful way first. Knows no file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from lint.fix.changes import EDITABLE, AddRule, Change, Keep, NarrowRule, Peers, alternatives, purpose_of, rule_of
from lint.fix.too_little import by_name, serves
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, Direction, Filter, NamedAddresses, Rule
from lint.space.addresses import IPV4, IPV6, PRIVATE, REAL, cidrs, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import TCP, protocol
from lint.verdict.finding import Finding, RuleAtFault

Blamed = Callable[[RuleAtFault], "tuple[tuple[IntervalSet, IntervalSet], ...]"]
"""What is wrong with a rule: services, with the peers that the document lets in on them."""

_MOST_ENTRIES = 4  # of a network ACL, which has 20 in all

_Faulty = tuple[Filter, Rule, tuple[tuple[IntervalSet, IntervalSet], ...]]


def narrowings(
    finding: Finding,
    graph: RuleGraph,
    documented: IntervalSet,
    blamed: Blamed | None,
) -> Iterator[tuple[Change, ...]]:
    """Narrow every rule at fault: its peers for what is judged, for all that it lets through, its ports; or drop it."""
    judged = IntervalSet.union_of(alternatives(finding.service))
    faulty: dict[tuple[object, str], _Faulty] = {}
    refused: dict[object, Filter] = {}
    for fault in finding.rules:
        holder = graph.filters.get(fault.filter)
        rule = rule_of(holder, fault.rule) if holder else None
        if holder is None or rule is None or holder.kind not in EDITABLE or rule.action is Action.DENY:
            return
        if rule.implied:
            if holder.kind != "nsg":
                return  # nobody wrote it, and a security group can't refuse
            refused[holder.origin] = holder
            continue
        if holder.kind == "network_acl" and not rule.services <= judged:
            if not _alone(finding, holder, graph):
                return  # an entry for others as well: whom else a refusal would cut off, the documents don't say
            refused[holder.origin] = holder
            continue
        said = ((judged, documented), *(blamed(fault) if blamed is not None else ()))
        faulty.setdefault((holder.origin, rule.id), (holder, rule, said))
    if not faulty and not refused:
        return
    denials = list(_denials(finding, refused.values(), judged, documented))
    seen = set()
    for narrowed in _narrowings(finding, list(faulty.values()), judged, documented, graph):
        for denied in denials or [()]:
            changes = (*narrowed, *denied)
            if changes not in seen:
                seen.add(changes)
                yield changes


def _alone(finding: Finding, holder: Filter, graph: RuleGraph) -> bool:
    """Whether the filter stands before nobody but the machines of the finding."""
    named = by_name(graph)
    meant = {
        named[name].id for side in (finding.source, finding.destination) for name in side.endpoints if name in named
    }
    return not any(serves(one, holder, graph) for one in graph.endpoints.values() if one.id not in meant)


def _families(finding: Finding) -> IntervalSet:
    """The address families of those who come in too many."""
    found = IntervalSet.union_of(parse_cidr(lane.source) for lane in finding.excess if lane.source is not None)
    return IntervalSet.union_of(family for family in (IPV4, IPV6) if not found.isdisjoint(family)) or REAL


def _outbound(finding: Finding) -> bool:
    """Whether what a forbidden flow forbids is what its role sends."""
    return bool(finding.source.endpoints) and not finding.destination.endpoints


def _denials(
    finding: Finding,
    holders: Iterable[Filter],
    judged: IntervalSet,
    documented: IntervalSet,
) -> Iterator[tuple[Change, ...]]:
    """What refuses the traffic that the cloud's own rules let through; the documented peers get a rule before it."""
    there = list(holders)
    if not there or not judged:
        return
    way = Direction.EGRESS if finding.kind == "forbidden" and _outbound(finding) else Direction.INGRESS
    acl = any(h.kind == "network_acl" for h in there)
    everyone = Peers(addresses=_families(finding) if acl else REAL)
    refuse = tuple(AddRule(h.id, way, everyone, judged, purpose_of(finding), action=Action.DENY) for h in there)
    yield refuse
    known = documented & everyone.addresses
    # An ACL has few entries: where everyone private may stay, the documented public peers are named alone.
    for peers in dict.fromkeys((known - PRIVATE, known)) if acl else (known,):
        if not peers or (acl and len(cidrs(peers)) > _MOST_ENTRIES):
            continue
        allow = tuple(AddRule(h.id, way, Peers(addresses=peers), judged, purpose_of(finding)) for h in there)
        yield (*refuse, *allow) if acl else (*allow, *refuse)  # each goes before what is against it


def _narrowings(
    finding: Finding,
    faulty: Sequence[_Faulty],
    judged: IntervalSet,
    documented: IntervalSet,
    graph: RuleGraph,
) -> Iterator[tuple[Change, ...]]:
    if not faulty:
        yield ()
        return
    if finding.kind == "forbidden":
        kept: list[list[tuple[Keep, ...]]] = [
            [_keep(graph, r, REAL, r.services - judged, others=True) for _, r, _ in faulty],
            [_keep(graph, r, PRIVATE, r.services, others=True) for _, r, _ in faulty],
            [() for _ in faulty],
        ]
        for keeps in kept:
            yield tuple(NarrowRule(h.id, r.id, keep) for (h, r, _), keep in zip(faulty, keeps, strict=True))
        return
    # Peers named by a group or list are at fault where a rule names nothing else, or where narrowing the addresses
    # isn't enough. What no finding speaks of stays as it is, where the rule can be split so.
    if all(_everything(r) for _, r, _ in faulty):
        # Open for everything: what stayed open beside the documented ports would be as wide as it was.
        yield tuple(NarrowRule(h.id, r.id, _documented_alone(graph, r, said)) for h, r, said in faulty)
    for alone in (False, True):
        for others in (True, False):
            made = []
            for h, r, said in faulty:
                wide = judged if alone else IntervalSet.union_of(s for s, peers in said if peers == documented)
                left = _keep(graph, r, REAL, r.services - wide, others=True)
                left += _keep(graph, r, documented, r.services & wide, others=others)
                made.append(NarrowRule(h.id, r.id, left))
            yield tuple(made)
    for others in (True, False):
        yield tuple(
            NarrowRule(h.id, r.id, _keep(graph, r, documented, r.services, others=others)) for h, r, _ in faulty
        )
    yield tuple(NarrowRule(h.id, r.id, _keep(graph, r, REAL, r.services - judged, others=True)) for h, r, _ in faulty)
    yield tuple(NarrowRule(h.id, r.id, _documented_alone(graph, r, said)) for h, r, said in faulty)
    yield tuple(NarrowRule(h.id, r.id, ()) for h, r, _ in faulty)


def _everything(rule: Rule) -> bool:
    """Whether a rule is about all ports of TCP, or more."""
    return protocol(TCP) <= rule.services


def _documented_alone(
    graph: RuleGraph, rule: Rule, said: tuple[tuple[IntervalSet, IntervalSet], ...]
) -> tuple[Keep, ...]:
    """Of a rule that lets too much through on too many ports: what the documents name, each port with its peers."""
    by_peers: dict[IntervalSet, IntervalSet] = {}
    for services, peers in said:
        by_peers[peers] = by_peers.get(peers, EMPTY) | services
    kept: tuple[Keep, ...] = ()
    for peers, services in by_peers.items():
        kept += _keep(graph, rule, peers, rule.services & services, others=False)
    return kept


def _keep(graph: RuleGraph, rule: Rule, peers: IntervalSet, services: IntervalSet, *, others: bool) -> tuple[Keep, ...]:
    if not services:
        return ()
    literal = EMPTY
    rest = False
    for peer in rule.peers:
        if isinstance(peer, Addresses):
            literal = literal | peer.addresses
        elif isinstance(peer, NamedAddresses) and not others and peer.list in graph.address_lists:
            literal = literal | (graph.address_lists[peer.list].may & REAL)  # a tag or list may be written out
        else:
            rest = True
    left = literal & peers
    if not left and not (rest and others):
        return ()
    return (Keep(left, services, others),)
