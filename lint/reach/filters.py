"""One filter in one direction as exact sets: what it certainly passes, what it may pass, and which rules decide.

Knows no paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from lint.graph.rules import Action, Direction, Filter, NamedAddresses, Rule
from lint.origin import Reason
from lint.reach.resolved import Resolved, Worlds
from lint.space.bounds import NOTHING, Bounds
from lint.space.intervals import IntervalSet
from lint.space.traffic import ALL_TRAFFIC, EMPTY_TRAFFIC, Box, TrafficSet

MAY_BYPASS = frozenset({"admin_rules"})  # kinds whose unseen rules may exempt traffic from the other layers
Local = tuple[tuple[bool, bool], ...]  # for each rule: whether its local side certainly, or possibly, matches


@dataclass(frozen=True, slots=True)
class Matched:
    """A rule and what it decides: of an ordered filter only what no earlier rule certainly took."""

    rule: Rule
    box: Box
    left: TrafficSet | None = None  # None: everything

    def traffic(self) -> TrafficSet:
        """What the rule may decide, peers being the remote side."""
        mine = TrafficSet.of(*self.box)
        return mine if self.left is None else mine & self.left


@dataclass(frozen=True, slots=True)
class Judged:
    """One filter, judged. `bypass` is the part of `passes` that also skips the other layers of the same side."""

    passes: Bounds
    bypass: Bounds
    matched: tuple[Matched, ...]
    reasons: tuple[Reason, ...]


def open_of(one: Filter, direction: Direction) -> tuple[Reason, ...]:
    """Why the filter may hold further rules in this direction."""
    return one.open_ingress if direction is Direction.INGRESS else one.open_egress


def rules_of(one: Filter, direction: Direction) -> list[Rule]:
    """The rules of a direction, in the order in which they are tried."""
    mine = [rule for rule in one.rules if rule.direction is direction]
    if one.ordered:
        mine.sort(key=lambda rule: (rule.priority is None, rule.priority or 0))
    return mine


def judge(
    resolved: Resolved,
    one: Filter,
    direction: Direction,
    references: bool | None,
    place: IntervalSet | None,
) -> Judged:
    """Judges a filter.

    `place`: the local side, None where no rule asks for it; `references`: whether naming groups works here.
    """
    rules = rules_of(one, direction)
    opened = open_of(one, direction)
    judged: Judged | None = None
    for remote, local in _worlds(resolved, rules):
        matching = [
            (rule, *_local(resolved, rule, place, local), *_boxes(resolved, rule, references, remote)) for rule in rules
        ]
        here = _ordered(one, matching) if one.ordered else _unordered(matching)
        judged = here if judged is None else _either(judged, here)
    assert judged is not None
    if not opened:
        return judged
    must = EMPTY_TRAFFIC if one.ordered else judged.passes.must
    return Judged(
        Bounds(must, ALL_TRAFFIC),
        Bounds(EMPTY_TRAFFIC, ALL_TRAFFIC if one.kind in MAY_BYPASS else judged.bypass.may),
        judged.matched,
        judged.reasons + opened,
    )


def asks_local(one: Filter) -> bool:
    """Whether the filter's verdict depends on the local address."""
    return any(rule.local is not None for rule in one.rules)


def local_key(resolved: Resolved, one: Filter, direction: Direction, place: IntervalSet) -> Local:
    """What of the filter the local address decides: equal keys are judged once."""
    found = []
    for rule in rules_of(one, direction):
        for world in _local_worlds(resolved, rule):
            found.append(_local(resolved, rule, place, world))
    return tuple(found)


_Row = tuple[Rule, bool, bool, Box | None, Box]


def _unordered(rows: list[_Row]) -> Judged:
    """The union of what allows, without what denies."""
    sure: dict[Action, list[Box]] = {action: [] for action in Action}
    possible: dict[Action, list[Box]] = {action: [] for action in Action}
    matched: list[Matched] = []
    reasons: list[Reason] = []
    for rule, local_must, local_may, must, may in rows:
        if not local_may:
            continue
        possible[rule.action].append(may)
        matched.append(Matched(rule, may))
        reasons += rule.reasons
        if must is not None and local_must:
            sure[rule.action].append(must)
    allow_must = TrafficSet.union_of(sure[Action.ALLOW] + sure[Action.BYPASS])
    allow_may = allow_must
    if possible != sure:
        allow_may = TrafficSet.union_of(possible[Action.ALLOW] + possible[Action.BYPASS])
    passes = Bounds(allow_must, allow_may)
    bypass = NOTHING
    if possible[Action.BYPASS]:
        bypass = Bounds(TrafficSet.union_of(sure[Action.BYPASS]), TrafficSet.union_of(possible[Action.BYPASS]))
    if possible[Action.DENY]:
        denied = Bounds(TrafficSet.union_of(sure[Action.DENY]), TrafficSet.union_of(possible[Action.DENY]))
        passes, bypass = passes - denied, bypass - denied
    return Judged(passes, bypass, tuple(matched), tuple(reasons))


def _ordered(one: Filter, rows: list[_Row]) -> Judged:
    """First match by priority; rules of equal priority have no order among themselves."""
    left = ALL_TRAFFIC  # what no earlier rule has certainly taken
    may: dict[Action, list[TrafficSet]] = {action: [] for action in Action}
    matched: list[Matched] = []
    reasons: list[Reason] = []
    at = 0
    while at < len(rows):
        end = at + 1
        while end < len(rows) and rows[end][0].priority == rows[at][0].priority:
            end += 1
        taken: list[Box] = []
        for rule, local_must, local_may, must, possible in rows[at:end]:
            if not local_may:
                continue
            mine = Matched(rule, possible, left)
            matched.append(mine)
            reasons += rule.reasons
            may[rule.action].append(mine.traffic())
            if must is not None and local_must:
                taken.append(must)
        if taken:
            left = left - TrafficSet.union_of(taken)
        at = end
    may[one.default].append(left)
    allow, deny, bypass = (TrafficSet.union(may[action]) for action in (Action.ALLOW, Action.DENY, Action.BYPASS))
    passed = allow | bypass
    return Judged(
        Bounds(passed - deny, passed),
        Bounds(bypass - deny - allow, bypass) if bypass else NOTHING,
        tuple(matched),
        tuple(reasons),
    )


def _boxes(resolved: Resolved, rule: Rule, references: bool | None, worlds: Worlds | None) -> tuple[Box | None, Box]:
    """What the rule certainly matches (None: nothing is certain) and what it may match."""
    must, may = resolved.peers(rule.peers, references, worlds)
    services_may = rule.services if rule.services_may is None else rule.services_may
    ports_may = rule.source_ports if rule.source_ports_may is None else rule.source_ports_may
    possible = (may, services_may, ports_may)
    if not rule.exists:
        return None, possible
    sure = (must, rule.services, rule.source_ports)
    return (possible if sure == possible else sure), possible


def _local(resolved: Resolved, rule: Rule, place: IntervalSet | None, worlds: Worlds | None) -> tuple[bool, bool]:
    if rule.local is None:
        return True, True
    if place is None:
        return False, True
    must, may = resolved.peers(rule.local, True, worlds)
    return place <= must, not place.isdisjoint(may)


def _worlds(resolved: Resolved, rules: list[Rule]) -> list[tuple[Worlds | None, Worlds | None]]:
    """The readings of the complementary lists that the rules name, on the remote and on the local side.

    Such a pair is unsure as one: for each packet the truth is one of these readings on either side, and all are tried.
    """
    remote = _pairs(resolved, [rule.peers for rule in rules])
    local = _pairs(resolved, [rule.local for rule in rules if rule.local is not None])
    if not remote and not local:
        return [(None, None)]
    return list(product(_readings(resolved, remote), _readings(resolved, local)))


def _local_worlds(resolved: Resolved, rule: Rule) -> list[Worlds | None]:
    return _readings(resolved, _pairs(resolved, [rule.local] if rule.local is not None else []))


def _pairs(resolved: Resolved, sides: list[tuple[object, ...]]) -> list[str]:
    names = {peer.list for side in sides for peer in side if isinstance(peer, NamedAddresses)}
    keys = {key for key in map(resolved.pair_key, names) if key is not None and len(resolved.worlds_of(key)) > 1}
    return sorted(keys) if len(keys) <= 2 else []  # more than two unsure pairs: each rule on its own, which is wider


def _readings(resolved: Resolved, keys: list[str]) -> list[Worlds | None]:
    if not keys:
        return [None]
    return [
        {name: pair for world in worlds for name, pair in world.items()}
        for worlds in product(*(resolved.worlds_of(key) for key in keys))
    ]


def _either(a: Judged, b: Judged) -> Judged:
    """One of the two is the truth."""
    seen = {id(one.rule) for one in a.matched}
    return Judged(
        Bounds(a.passes.must & b.passes.must, a.passes.may | b.passes.may),
        Bounds(a.bypass.must & b.bypass.must, a.bypass.may | b.bypass.may),
        a.matched + tuple(one for one in b.matched if id(one.rule) not in seen),
        a.reasons + tuple(reason for reason in b.reasons if reason not in a.reasons),
    )
