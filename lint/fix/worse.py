"""Whether findings got worse: a verdict's rank, or traffic that is in excess or missing and wasn't. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lint.space.addresses import parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import parse
from lint.verdict.finding import Finding, Lane

_RANK = {"satisfied": 0, "not_applicable": 0, "waived": 0, "unbound": 1, "undetermined": 1, "violated": 2}

Key = tuple[str, str, str, str]
"""A flow's id, the service, and one endpoint on either side ("" where none is known)."""


def harmful(before: Sequence[Finding], after: Sequence[Finding]) -> bool:
    """Whether any finding is worse than it was, or says less: an undecided flow, a new excess, more that is missing."""
    old, new = _ranks(before), _ranks(after)
    if any(rank > old.get(key, 0) for key, rank in new.items()):
        return True
    flows = {(f.id, f.service) for f in after}
    if any((f.id, f.service) not in flows for f in before if f.verdict == "satisfied"):
        return True
    for pick in (_excess, _missing):
        had = _lanes(before, pick)
        for key, lanes in _lanes(after, pick).items():
            if not all(_covered(lane, had.get(key, ())) for lane in lanes):
                return True
    return False


def _ranks(findings: Sequence[Finding]) -> dict[Key, int]:
    """The worst verdict of each flow, service and pair of endpoints."""
    worst: dict[Key, int] = {}
    for finding in findings:
        rank = _RANK[finding.verdict]
        for key in _keys(finding):
            worst[key] = max(rank, worst.get(key, 0))
    return worst


def _keys(finding: Finding) -> Iterable[Key]:
    """Who is judged: pairs for required flows; of the others, the side that the flow protects."""
    sources = finding.source.endpoints or ("",)
    destinations = finding.destination.endpoints or ("",)
    if finding.kind == "exclusive" or (finding.kind == "forbidden" and finding.destination.endpoints):
        sources = ("",)
    for source in sources:
        for destination in destinations:
            yield finding.id, finding.service, source, destination


def _excess(finding: Finding) -> tuple[Lane, ...]:
    return finding.excess


def _missing(finding: Finding) -> tuple[Lane, ...]:
    return finding.missing


def _lanes(findings: Sequence[Finding], pick: object) -> dict[tuple[str, str], list[Lane]]:
    found: dict[tuple[str, str], list[Lane]] = {}
    for finding in findings:
        lanes = _excess(finding) if pick is _excess else _missing(finding)
        found.setdefault((finding.id, finding.service), []).extend(lanes)
    return found


def _covered(lane: Lane, old: Sequence[Lane]) -> bool:
    """Whether the lane's traffic was there before, in one lane or in several that make it up."""
    if lane in old:
        return True
    services = _services(lane.service)
    left = _addresses(lane.source)
    for one in old:
        if not services <= _services(one.service) or not _within(lane.destination, one.destination):
            continue
        if (one.destination, one.destination_name) != (lane.destination, lane.destination_name) and not one.destination:
            continue
        if left is None:
            if one.source is None and one.source_name == lane.source_name:
                return True
            continue
        left = left - (_addresses(one.source) or EMPTY)
        if not left:
            return True
    return False


def _within(text: str | None, other: str | None) -> bool:
    if text is None or other is None:
        return text is other
    return parse_cidr(text) <= parse_cidr(other)


def _addresses(text: str | None) -> IntervalSet | None:
    return None if text is None else parse_cidr(text)


def _services(text: str) -> IntervalSet:
    try:
        return parse(text)
    except ValueError:
        return EMPTY
