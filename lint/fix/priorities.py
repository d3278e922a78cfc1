"""Free priorities of ordered filters (NSGs): before the rule that blocks, or beside one that is split."""

from __future__ import annotations

from lint.graph.rules import Action, Addresses, Direction, Filter, Rule
from lint.space.intervals import IntervalSet

FIRST, LAST = 100, 4096  # priorities that a rule of one's own may have ("Network security groups", Security rules)
_STEP = 10


def free_priority(
    holder: Filter, direction: Direction, services: IntervalSet, addresses: IntervalSet | None = None
) -> int | None:
    """A priority that no rule has and that takes effect before the first rule that denies these services.

    `addresses`: the peers of the new rule, where they are known; then a denial of other addresses alone doesn't count.
    None where no place is left.
    """
    same = [r for r in holder.rules if r.direction is direction and r.priority is not None]
    taken = {r.priority for r in same if r.priority is not None}
    denying = [r.priority for r in same if r.priority is not None and _denies(r, services, addresses)]
    limit = min([*denying, LAST + 1])
    wanted = max([p for p in taken if p < limit], default=FIRST - _STEP) + _STEP
    if FIRST <= wanted < limit:
        return wanted
    return next((p for p in range(limit - 1, FIRST - 1, -1) if p not in taken), None)


def last_priority(holder: Filter, direction: Direction) -> int | None:
    """The last priority that is free, behind all rules that anyone wrote; None where there is none behind them."""
    taken = [r.priority for r in holder.rules if r.direction is direction and r.priority is not None and not r.implied]
    behind = max(taken, default=FIRST - 1) + 1
    return max(behind, min(LAST, 4000)) if behind <= LAST else None


def beside(holder: Filter, rule: Rule, also: frozenset[int] = frozenset()) -> int | None:
    """A free priority at which a part of `rule` means what it means at the rule's own: no denial stands between.

    `also` are priorities that are taken besides.
    """
    if rule.priority is None:
        return None
    same = [r for r in holder.rules if r.direction is rule.direction and r.priority is not None]
    taken = {r.priority for r in same} | also
    denying = {r.priority for r in same if r.action is not rule.action}
    for step in (1, -1):
        place = rule.priority + step
        while FIRST <= place <= LAST and place not in denying:
            if place not in taken:
                return place
            place += step
    return None


def _denies(rule: Rule, services: IntervalSet, addresses: IntervalSet | None) -> bool:
    possible = rule.services if rule.services_may is None else rule.services | rule.services_may
    if rule.action is not Action.DENY or possible.isdisjoint(services):
        return False
    if addresses is None or not all(isinstance(peer, Addresses) for peer in rule.peers):
        return True
    return any(isinstance(peer, Addresses) and not peer.addresses.isdisjoint(addresses) for peer in rule.peers)
