"""Applies waivers: what somebody accepts until a day, from the project file or from comments beside a rule."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lint.origin import Origin, Problem
from lint.project.model import Waiver
from lint.verdict.bind import glob, terraform_glob
from lint.verdict.finding import Finding, RuleAtFault
from lint.verdict.options import CommentWaiver, JudgeOptions

_WAIVABLE = ("violated", "undetermined")


@dataclass(frozen=True, slots=True)
class _Claim:
    """A waiver of either kind. `until` None: without an end; `unreadable`: its date can't be read, so it has
    expired."""

    finding: str
    reason: str
    origin: Origin
    until: datetime.date | None
    where: str | None = None
    comment: bool = False
    unreadable: str = ""
    alone: bool = True

    def expired(self, today: datetime.date) -> bool:
        """The last day itself still counts."""
        return bool(self.unreadable) or (self.until is not None and today > self.until)


def waive(
    findings: Iterable[Finding], waivers: Iterable[Waiver], options: JudgeOptions
) -> tuple[tuple[Finding, ...], list[Problem]]:
    """The findings with what waivers cover marked as `waived`, and what must be said about the waivers themselves.

    A waiver covers a finding only if it covers every rule at fault, so that a new rule elsewhere isn't waived unseen.
    An expired one leaves the
    finding as it is, with a note.
    """
    claims = [_Claim(w.finding, w.reason, w.origin, w.expires, w.where) for w in waivers]
    claims += [_of_comment(w) for w in options.comment_waivers if w.flow]
    used: set[int] = set()
    done = [_one(finding, claims, used, options.today) for finding in findings]
    said = [p for i, claim in enumerate(claims) for p in _said(claim, i in used, options.today)]
    return tuple(done), said + [_no_waiver(w) for w in options.comment_waivers if not w.flow]


def _no_waiver(comment: CommentWaiver) -> Problem:
    return Problem(
        "warning",
        f"the comment `{comment.until_text[:120]}` waives nothing",
        comment.origin,
        "write it as `netpact:waive FLOW until 2027-01-31: reason`, with the last day on which it holds",
    )


def _of_comment(waiver: CommentWaiver) -> _Claim:
    unreadable = "" if waiver.until is not None else waiver.until_text or "no date"
    return _Claim(
        waiver.flow, waiver.reason, waiver.origin, waiver.until, comment=True, unreadable=unreadable, alone=waiver.alone
    )


def _one(finding: Finding, claims: list[_Claim], used: set[int], today: datetime.date) -> Finding:
    if finding.verdict not in _WAIVABLE:
        return finding
    rules = set(_things(finding))
    left = set(rules)
    by: list[_Claim] = []
    notes: list[str] = []
    for i, claim in enumerate(claims):
        if not _names(claim, finding):
            continue
        covered = {rule for rule in rules if _covers(claim, rule)}
        whole = claim.where is None and not claim.comment
        whole = whole or (claim.where is not None and _is_about(claim.where, finding))
        if not whole and not covered:
            continue
        used.add(i)
        if claim.expired(today):
            notes.append(_expired(claim))
            continue
        by.append(claim)
        left = set() if whole else left - covered
    if by and not left:
        reasons = "; ".join(dict.fromkeys(claim.reason for claim in by))
        ends = [claim.until for claim in by if claim.until is not None]
        notes += [f"waived until {min(ends).isoformat()}"] if ends else []
        return replace(finding, verdict="waived", severity="note", waived_by=reasons, notes=(*finding.notes, *notes))
    if by:
        others = ", ".join(sorted({rule.address for rule in left}))
        notes.append(f"a waiver covers a part of this; {others} isn't covered")
    return replace(finding, notes=(*finding.notes, *notes)) if notes else finding


def _things(finding: Finding) -> Iterable[RuleAtFault]:
    """What has to be covered: also rules that are but perhaps there, or they would be waived unseen."""
    return (*finding.rules, *finding.perhaps)


def _names(claim: _Claim, finding: Finding) -> bool:
    return glob(claim.finding, finding.id) or (claim.comment and glob(claim.finding, finding.flow))


def _covers(claim: _Claim, rule: RuleAtFault) -> bool:
    if claim.comment:
        return _beside(claim.origin, rule.origin, alone=claim.alone)
    if claim.where is None:
        return True
    return any(
        _is_called(claim.where, name)
        for name in (rule.address, rule.filter, rule.rule, rule.origin.resource_id)
        if name
    )


def _is_about(where: str, finding: Finding) -> bool:
    """Whether it names all endpoints of the guarded side, or all blocking filters."""
    for side in (finding.destination, finding.source):
        if side.endpoints and all(_is_called(where, name) for name in side.endpoints):
            return True
    return bool(finding.blocked_by) and all(_is_called(where, one.filter) for one in finding.blocked_by)


def _is_called(where: str, name: str) -> bool:
    return glob(where, name) or terraform_glob(where, name)


def _beside(comment: Origin, rule: Origin, *, alone: bool) -> bool:
    """Whether the comment stands alone on the line before the rule, on its first line, or inside it."""
    if comment.file is None or comment.file != rule.file or comment.line is None or rule.line is None:
        return False
    last = comment.end_line or comment.line
    end = rule.end_line or rule.line
    return (alone and last == rule.line - 1) or rule.line <= comment.line <= end


def _expired(claim: _Claim) -> str:
    place = claim.origin.where().rsplit("/", 1)[-1]
    if claim.unreadable:
        return f"a waiver ({place}) doesn't count: `{claim.unreadable}` is not a date such as 2027-01-31"
    until = claim.until.isoformat() if claim.until is not None else ""
    return f"a waiver ({place}) expired on {until}: {claim.reason}"


def _said(claim: _Claim, used: bool, today: datetime.date) -> Iterable[Problem]:
    if claim.unreadable:
        yield Problem(
            "warning",
            f"the waiver of `{claim.finding}` doesn't count: `{claim.unreadable}` is not a date",
            claim.origin,
            "write the last day on which it holds as YYYY-MM-DD, for example 2027-01-31",
        )
    elif claim.expired(today):
        until = claim.until.isoformat() if claim.until is not None else ""
        yield Problem(
            "warning",
            f"the waiver of `{claim.finding}` expired on {until}",
            claim.origin,
            "fix the finding, or agree on a new day and write it there",
        )
    if not used:
        where = f" at `{claim.where}`" if claim.where else ""
        yield Problem(
            "warning",
            f"the waiver of `{claim.finding}`{where} matches no violated or undetermined finding",
            claim.origin,
            "remove it, or correct the name of the finding",
        )
