"""Short texts about findings that several formats share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from lint.origin import Origin
from lint.report.document import CheckReport
from lint.space.addresses import IPV4, IPV6, IPV6_BASE, PUBLIC, address_text, cidrs, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.verdict.finding import Finding, Lane, Side

REPORTED = ("violated", "undetermined")
"""Verdicts that ask for somebody's attention: what annotations and test reports show."""


_INTERNET = "the Internet"
_ENOUGH = 2  # so many CIDRs are read as they stand
_EXCEPTIONS = 3  # a name with more exceptions than this says less than the list
# So many addresses may be missing (documented peers, the machine's own) of the Internet to be called so: a person reads
# one line then, where the exact list has a hundred. `--format json` has the exact one.
_HOLES = ((PUBLIC & IPV4, 2**20), (PUBLIC & IPV6, 2**108))


def as_few(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """CIDRs as a person would say them: `0.0.0.0/0 except 203.0.113.10/32`, `the Internet`; other texts as they are."""
    if len(addresses) <= _ENOUGH:
        return addresses
    known = {text: _cidr(text) for text in addresses}
    together = IntervalSet.union_of(known.values())
    found = [text for family in (IPV4, IPV6) for text in _family(together & family, family)]
    if len(found) >= sum(1 for own in known.values() if own):
        return addresses
    return (*found, *(text for text, own in known.items() if not own))


def _family(part: IntervalSet, family: IntervalSet) -> list[str]:
    """The addresses of one family: as a whole with few exceptions where that is shorter, else as CIDRs."""
    listed = cidrs(part)
    if len(listed) <= _ENOUGH:
        return listed
    best = listed
    for name, whole in ((_INTERNET, PUBLIC & family), *((text, parse_cidr(text)) for text in around(part))):
        missing = cidrs(whole - part)
        beside = cidrs(part - whole)
        if len(missing) <= _EXCEPTIONS and len(beside) + len(missing) < len(best):
            best = [name + (f" except {', '.join(missing)}" if missing else ""), *beside]
    if best is listed and any((public - part).size <= holes for public, holes in _HOLES if public <= family):
        return [_INTERNET, *cidrs(part - PUBLIC)]
    return best


def around(part: IntervalSet) -> list[str]:
    """The CIDRs that hold the largest stretch of a set of one family, the smallest first."""
    low, high = max(part.pairs, key=lambda pair: pair[1] - pair[0])
    bits, base = (32, 0) if low < IPV6_BASE else (128, IPV6_BASE)
    longest = bits - ((low - base) ^ (high - base)).bit_length()
    found = []
    for length in range(longest, -1, -1):
        start = (low - base) >> (bits - length) << (bits - length)
        found.append(f"{address_text(base + start)}/{length}")
    return found


def _cidr(text: str) -> IntervalSet:
    try:
        return parse_cidr(text)
    except ValueError:
        return EMPTY


def joined(lanes: Iterable[Lane]) -> tuple[Lane, ...]:
    """Lanes with the addresses at either end said in few words."""
    from_few = _joined(tuple(lanes), lambda one: one.source, lambda one, text: replace(one, source=text))
    return _joined(from_few, lambda one: one.destination, lambda one, text: replace(one, destination=text))


def _joined(
    lanes: tuple[Lane, ...], end: Callable[[Lane], str | None], put: Callable[[Lane, str], Lane]
) -> tuple[Lane, ...]:
    groups: dict[Lane, list[Lane]] = {}
    for one in lanes:
        groups.setdefault(put(one, ""), []).append(one)
    found: list[Lane] = []
    for members in groups.values():
        texts = tuple(text for one in members if (text := end(one)) is not None)
        found += [put(members[0], text) for text in as_few(texts)]
        found += [one for one in members if end(one) is None]
    return tuple(found)


def side(one: Side) -> str:
    """`agent (aws_instance.app[0], aws_instance.app[1] and 3 more)`."""
    name = one.role or "anyone"
    members = one.names or one.endpoints or as_few(one.addresses)
    if not members:
        return name
    shown = ", ".join(members[:2]) + (f" and {len(members) - 2} more" if len(members) > 2 else "")
    return f"{name} ({shown})"


def headline(finding: Finding) -> str:
    """One line: verdict, flow, who to whom, service."""
    verdict = finding.verdict.replace("_", " ")
    return f"{verdict}: {finding.id}: {side(finding.source)} → {side(finding.destination)} {finding.service}"


def lane(one: Lane) -> str:
    """`10.0.1.5/32 → 10.0.2.9/32 tcp/13260`."""
    source = one.source or one.source_name or "unknown address"
    destination = one.destination or one.destination_name or "unknown address"
    return f"{source} → {destination} {one.service}"


def document(finding: Finding) -> str:
    """Where the vendor's document says it."""
    row = f"row {finding.document.row}" if finding.document.row else ""
    said = ", ".join(part for part in (finding.document.title, finding.document.section, row) if part)
    more = len(finding.document.also)
    return said + (f" (and {more} more place{'s' if more > 1 else ''})" if more else "")


def places(finding: Finding) -> list[Origin]:
    """Where to look, the most telling place first: rules at fault, then what blocks; each file and line once.

    A filter that lacks a rule is shown by its first line: GitHub shows what lies in a change with all of its lines.
    """
    found: dict[tuple[str | None, int | None], Origin] = {}
    rules = [
        r.origin if r.rule or r.origin is None else replace(r.origin, end_line=r.origin.line) for r in finding.rules
    ]
    blockers = [b.origin and replace(b.origin, end_line=b.origin.line) for b in finding.blocked_by]
    for origin in rules + blockers:
        if origin is not None and origin.file is not None:
            found.setdefault((origin.file, origin.line), origin)
    return list(found.values())


def repository_path(report: CheckReport, file: str) -> str:
    """A file relative to the repository's root (where `.git` is), else to the current folder: what GitHub matches."""
    path = (report.base / file).resolve()
    for parent in path.parents:
        if (parent / ".git").exists():
            return path.relative_to(parent).as_posix()
    try:
        return path.relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def worst_first(findings: tuple[Finding, ...]) -> list[Finding]:
    """Violated before undetermined, errors before warnings, else in order."""
    verdicts = {"violated": 0, "undetermined": 1}
    severities = {"error": 0, "warning": 1, "note": 2}
    return sorted(findings, key=lambda f: (verdicts.get(f.verdict, 2), severities[f.severity]))
