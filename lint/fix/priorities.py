"""Free places in ordered filters (NSGs, network ACLs): before the rule that blocks, or beside one that is split."""

from __future__ import annotations

from lint.graph.rules import Action, Addresses, Direction, Filter, Rule
from lint.space.intervals import IntervalSet

FIRST, LAST = 100, 4096  # priorities that a rule of one's own may have ("Network security groups", Security rules)
_STEP = 10
FIRST_NUMBER, LAST_NUMBER = 1, 32766  # of network ACL entries ("Network ACL rules"); users number from 100


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


def free_numbers(
    holder: Filter,
    direction: Direction,
    services: IntervalSet,
    addresses: IntervalSet,
    against: Action,
    count: int,
) -> tuple[int, ...]:
    """`count` rising numbers that no entry of a network ACL has, before the first entry that does `against` to this.

    Numbers ten apart where there is room; empty where there is none at all.
    """
    same = [r for r in holder.rules if r.direction is direction and r.priority is not None]
    taken = {r.priority for r in same if r.priority is not None}
    opposed = [
        r.priority for r in same if r.priority is not None and _matches(r, services, addresses) and r.action is against
    ]
    limit = min([*opposed, LAST_NUMBER + 1])
    below = max((number for number in taken if number < limit), default=None)
    if below is None:
        first = min(100, limit - _STEP * count)
    else:
        first = below + (_STEP if below + _STEP * count < limit else 1)
    step = _STEP if below is None or first == below + _STEP else 1
    wanted = tuple(first + step * at for at in range(count))
    if wanted[0] >= FIRST_NUMBER and wanted[-1] < limit:
        return wanted
    free = [number for number in range(limit - 1, FIRST_NUMBER - 1, -1) if number not in taken][:count]
    return tuple(reversed(free)) if len(free) == count else ()


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
    return rule.action is Action.DENY and _matches(rule, services, addresses)


def _matches(rule: Rule, services: IntervalSet, addresses: IntervalSet | None) -> bool:
    possible = rule.services if rule.services_may is None else rule.services | rule.services_may
    if possible.isdisjoint(services):
        return False
    if addresses is None or not all(isinstance(peer, Addresses) for peer in rule.peers):
        return True
    return any(isinstance(peer, Addresses) and not peer.addresses.isdisjoint(addresses) for peer in rule.peers)
