"""What stays certain when a value isn't known: candidates, choices, comparisons. Knows no expressions.

An unknown may be known to be one of a few candidates (a conditional whose condition isn't known). What is computed from
it is then one of as many results, and where all of them agree it is known after all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

from lint.terraform.convert import ConversionError, convert
from lint.terraform.guard import leave_out
from lint.terraform.types import BOOL, DYNAMIC, ListType, MapType, ObjectType, SetType, TupleType, Type
from lint.terraform.values import (
    FALSE,
    NO_MARKS,
    TRUE,
    Unknown,
    Value,
    identity,
    is_not_null,
    marks_deep,
    merge_reasons,
    unknown_reasons,
    unmark_deep,
    with_marks,
)

MAX_CANDIDATES = 16
"""An unknown lists at most so many candidates; with more, only its reasons are kept."""


def alternatives(value: Value) -> tuple[Value, ...] | None:
    """The values that an unknown may be, or None where they aren't listed; a known value is its only alternative."""
    data = value.data
    if not isinstance(data, Unknown):
        return (value,)
    if data.candidates is None:
        return None
    return tuple(with_marks(c, value.marks) for c in data.candidates)


def lift(
    values: Sequence[Value],
    compute: Callable[[Sequence[Value]], Value],
    problem: type[Exception],
    *,
    nulls: bool = True,
) -> Value | None:
    """What `compute` gives for every combination of candidates; None where there are none, or too many.

    A combination that raises `problem` is left out: Terraform would refuse the configuration if it came true. Raises
    `problem` where all do. Results that agree are known. `nulls` is False where a null fails by itself.
    """
    if not any(isinstance(v.data, Unknown) and v.data.candidates for v in values):
        return None
    options: list[tuple[Value, ...]] = []
    count = 1
    for each in values:
        found = alternatives(each)
        if found is not None and not nulls and isinstance(each.data, Unknown):
            kept = tuple(v for v in found if v.data is not None)
            if len(kept) < len(found):
                leave_out()
            if not kept:
                return None
            found = kept
        options.append(found if found is not None else (each,))
        count *= len(options[-1])
        if count > MAX_CANDIDATES:
            return None
    results: list[Value] = []
    failure: Exception | None = None
    for combination in itertools.product(*options):
        try:
            results.append(compute(combination))
        except problem as found_problem:
            failure = found_problem
    if not results:
        assert failure is not None
        raise failure
    if failure is not None:
        leave_out()
    reasons = merge_reasons(*[unknown_reasons(v) for v in values])
    return one_of(results, values, None) if reasons else results[0]


def one_of(results: Sequence[Value], sources: Sequence[Value], kind: Type | None) -> Value:
    """One of several values, unknown because of the sources; itself where all are the same."""
    distinct: dict[object, Value] = {}
    marks = NO_MARKS
    for each in results:
        marks = marks | each.marks
        inner = alternatives(each)
        for found in inner if inner is not None else (each,):
            distinct.setdefault(identity(found), found)
    for each in sources:
        marks = marks | each.marks
    members = list(distinct.values())
    if len(members) == 1:
        return with_marks(members[0], marks)
    if kind is None:
        kinds = {v.type for v in members}
        kind = kinds.pop() if len(kinds) == 1 else DYNAMIC
    reasons = merge_reasons(*[unknown_reasons(v) for v in (*sources, *members)])
    candidates = tuple(members) if len(members) <= MAX_CANDIDATES else None
    return Value(
        kind,
        Unknown(
            reasons,
            candidates=candidates,
            within=_common([v.data.within if isinstance(v.data, Unknown) else None for v in members]),
            not_null=all(is_not_null(v) for v in members),
        ),
        marks,
    )


def _common(texts: Sequence[str | None]) -> str | None:
    return texts[0] if texts and all(t == texts[0] for t in texts) else None


def choose(members: Sequence[Value], key: Value) -> Value:
    """The element under a key that isn't known."""
    if not members:
        return Value(DYNAMIC, Unknown(unknown_reasons(key)), key.marks)
    if len(members) == 1:
        return members[0]
    return one_of(members, (key,), None)


def conditional(condition: Value, then: Value, otherwise: Value, kind: Type) -> Value:
    """One of two values under a condition that isn't known; structures of one shape are chosen element by element."""
    marks = condition.marks | then.marks | otherwise.marks
    try:
        first, second = convert(then, kind), convert(otherwise, kind)
    except ConversionError:
        return Value(kind, Unknown(unknown_reasons(condition)), marks)
    return with_marks(_either(condition, first, second), marks)


def _either(condition: Value, first: Value, second: Value) -> Value:
    if first is second or identity(first) == identity(second):
        return first
    one, two = first.data, second.data
    if first.type is second.type and not isinstance(first.type, SetType):
        if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
            return Value(first.type, {k: _either_of(condition, v, two[k], first.type, k) for k, v in one.items()})
        if isinstance(one, tuple) and isinstance(two, tuple) and len(one) == len(two):
            made = [_either_of(condition, a, b, first.type, i) for i, (a, b) in enumerate(zip(one, two))]
            return Value(first.type, tuple(made))
    return one_of((first, second), (condition,), first.type if first.type is second.type else None)


def _either_of(condition: Value, first: Value, second: Value, owner: Type, step: str | int) -> Value:
    made = _either(condition, first, second)
    wanted: Type | None = None
    if isinstance(owner, (ListType, MapType)):
        wanted = owner.element
    elif isinstance(owner, ObjectType) and isinstance(step, str):
        wanted = owner.attributes[step]
    elif isinstance(owner, TupleType) and isinstance(step, int):
        wanted = owner.elements[step]
    if wanted is not None and made.type is not wanted:
        return Value(wanted, made.data, made.marks)
    return made


def equal(left: Value, right: Value) -> Value:
    """`left == right`, as a bool; unknown where it depends on what isn't known."""
    marks = NO_MARKS
    if not (left.plain and right.plain):
        if (left.data is None) != (right.data is None):
            marks = left.marks | right.marks
        else:
            marks = marks_deep(left) | marks_deep(right)
        left, right = unmark_deep(left)[0], unmark_deep(right)[0]
    found = _same(left, right)
    if found is None:
        lifted = lift((left, right), lambda pair: _truth(_same(pair[0], pair[1]), pair), ValueError)
        result = lifted if lifted is not None else _truth(None, (left, right))
    else:
        result = TRUE if found else FALSE
    return with_marks(result, marks) if marks else result


def _truth(found: bool | None, sources: Sequence[Value]) -> Value:
    if found is not None:
        return TRUE if found else FALSE
    return Value(BOOL, Unknown(merge_reasons(*[unknown_reasons(v) for v in sources]), not_null=True))


def _same(left: Value, right: Value) -> bool | None:
    """Whether two unmarked values are equal; None where that isn't known."""
    one, two = left.data, right.data
    if one is None or two is None:
        if one is None and two is None:
            return True
        return False if is_not_null(left) and is_not_null(right) else _null_against(left, right)
    if isinstance(one, Unknown) or isinstance(two, Unknown):
        return _same_unknown(left, right)
    kind = left.type
    if kind is not right.type and not (kind.has_dynamic or right.type.has_dynamic):
        return False
    if type(kind) is not type(right.type):
        return False
    if isinstance(kind, SetType):
        return _same_sets(one, two)
    if isinstance(one, tuple):
        if len(one) != len(two):
            return False
        return _all(_same(a, b) for a, b in zip(one, two))
    if isinstance(one, dict):
        if one.keys() != two.keys():
            return False
        return _all(_same(one[k], two[k]) for k in one)
    return kind is right.type and bool(one == two)


def _null_against(left: Value, right: Value) -> bool | None:
    other = right if left.data is None else left
    return None if isinstance(other.data, Unknown) and not other.data.not_null else False


def _same_unknown(left: Value, right: Value) -> bool | None:
    one, two = left.data, right.data
    if isinstance(one, Unknown) and isinstance(two, Unknown):
        if one is two or (one.reference is not None and one.reference == two.reference):
            return True
        if one.pieces is not None and one.pieces == two.pieces:
            return True
        return None
    held: Unknown = one if isinstance(one, Unknown) else two
    unclear, known = (left, right) if isinstance(one, Unknown) else (right, left)
    if not unclear.type.has_dynamic and not known.type.has_dynamic and unclear.type is not known.type:
        return False if held.not_null else None
    if held.prefix is not None and isinstance(known.data, str) and not known.data.startswith(held.prefix):
        return False
    return None


def _same_sets(one: tuple[Value, ...], two: tuple[Value, ...]) -> bool | None:
    if all(v.known for v in one) and all(v.known for v in two):
        return {identity(v) for v in one} == {identity(v) for v in two}
    return True if [identity(v) for v in one] == [identity(v) for v in two] else None


def _all(found: Iterable[bool | None]) -> bool | None:
    unclear = False
    for each in found:
        if each is False:
            return False
        if each is None:
            unclear = True
    return None if unclear else True
