"""NSG rules that never decide anything, because earlier rules of the same direction surely take all that they match."""

from __future__ import annotations

from lint.azure.model import AnyAddress, Operand, Prefix, SecurityGroup, SecurityRule
from lint.space.addresses import REAL
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.traffic import TrafficSet

_SAME = IntervalSet.of(0)  # stands for an operand that is no literal address: a tag, a group


def shadowed(group: SecurityGroup) -> list[tuple[SecurityRule, tuple[SecurityRule, ...]]]:
    """Every rule that never decides, with the rules that come before it in its stead.

    Exact for literal addresses; a tag or group counts as covered by `*` or by the same tag or group alone.
    """
    found: list[tuple[SecurityRule, tuple[SecurityRule, ...]]] = []
    for rule in group.rules:
        earlier = [
            one
            for one in group.rules
            if one.direction is rule.direction
            and one.priority < rule.priority
            and one.exists
            and not one.services.isdisjoint(rule.services_may)
        ]
        deciding: dict[str, SecurityRule] = {}
        if earlier and all(
            _covered(rule, source, destination, earlier, deciding)
            for source in rule.sources
            for destination in rule.destinations
        ):
            found.append((rule, tuple(deciding.values())))
    return found


def _covered(
    rule: SecurityRule,
    source: Operand,
    destination: Operand,
    earlier: list[SecurityRule],
    deciding: dict[str, SecurityRule],
) -> bool:
    """Whether earlier rules that hold the whole destination together take the source with all services and ports."""
    places = _places(source)
    wanted = TrafficSet.of(places, rule.services_may, rule.source_ports_may)
    left = wanted
    for one in earlier:
        if not any(_holds(other, destination) for other in one.destinations):
            continue
        mine = IntervalSet.union_of([EMPTY, *(_meeting(other, source) for other in one.sources)])
        taken = TrafficSet.of(mine, one.services, one.source_ports)
        if left.isdisjoint(taken):
            continue
        deciding[one.key] = one
        left = left - taken
        if not left:
            return True
    return not left


def _places(operand: Operand) -> IntervalSet:
    if isinstance(operand, Prefix):
        return operand.addresses
    return REAL if isinstance(operand, AnyAddress) else _SAME


def _meeting(earlier: Operand, operand: Operand) -> IntervalSet:
    """What of an operand an earlier one surely takes."""
    if isinstance(earlier, AnyAddress) or earlier == operand:
        return _places(operand)
    if isinstance(earlier, Prefix) and isinstance(operand, Prefix | AnyAddress):
        return earlier.addresses
    return EMPTY


def _holds(earlier: Operand, operand: Operand) -> bool:
    if isinstance(earlier, AnyAddress) or earlier == operand:
        return True
    return isinstance(earlier, Prefix) and isinstance(operand, Prefix) and operand.addresses <= earlier.addresses
