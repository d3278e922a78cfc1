"""Proves fixes: makes the change, judges everything again, and keeps only what mends its finding and harms no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lint.fix.edits import Edit, apply, by_file, unified
from lint.fix.plan import AddRule, Change, propose
from lint.fix.workshop import Workshop
from lint.graph.graph import RuleGraph
from lint.graph.rules import Filter, Group
from lint.space.addresses import cidrs
from lint.space.intervals import IntervalSet
from lint.space.services import render
from lint.terraform.resources import Resource
from lint.verdict.finding import Finding, Fix, Lane

STEPS = 4
"""A missing flow may be blocked several times in a row (egress, then ingress): so many changes one fix may hold."""

_RANK = {"satisfied": 0, "not_applicable": 0, "waived": 0, "unbound": 1, "undetermined": 1, "violated": 2}


@dataclass(frozen=True, slots=True)
class Trial:
    """What the sources give with some files changed. `faults` are the messages that reading them brought."""

    graph: RuleGraph
    resources: Mapping[str, Resource]
    findings: tuple[Finding, ...]
    faults: frozenset[str]


Judge = Callable[[Mapping[str, bytes]], Trial]
"""Evaluates and judges the sources with these files in place of theirs."""

EditMaker = Callable[[Change, Workshop], "tuple[Edit, ...] | None"]


@dataclass(frozen=True, slots=True)
class _Attempt:
    overlay: dict[str, bytes]
    changes: tuple[Change, ...]
    trial: Trial
    finding: Finding


class Prover:
    """Finds a proven fix for each violated finding of one run. Trials are shared between findings."""

    def __init__(
        self,
        workshop: Workshop,
        start: Trial,
        judge: Judge,
        makers: Sequence[EditMaker],
        documented: Callable[[Finding], IntervalSet],
    ) -> None:
        self._documented = documented
        self._workshop = workshop
        self._start = start
        self._judge = judge
        self._makers = makers
        self._trials: dict[tuple[tuple[str, bytes], ...], Trial] = {}

    def fix(self, finding: Finding) -> Fix | None:
        """A fix that was made, judged and found good, or None."""
        attempts = [_Attempt(dict(self._workshop.overlay), (), self._start, finding)]
        for _ in range(STEPS):
            following: list[_Attempt] = []
            for attempt in attempts:
                for next_attempt in self._candidates(attempt):
                    if _mended(finding, next_attempt.trial):
                        return self._shown(next_attempt)
                    still = _same(finding, next_attempt.trial)
                    if finding.kind == "required" and still is not None and _moved_on(attempt.finding, still):
                        following.append(replace(next_attempt, finding=still))
            attempts = following[:2]
        return None

    def _candidates(self, attempt: _Attempt) -> Iterator[_Attempt]:
        shop = Workshop(self._workshop.base, attempt.trial.graph, dict(attempt.trial.resources), dict(attempt.overlay))
        for changes in propose(attempt.finding, attempt.trial.graph, self._documented(attempt.finding)):
            overlay = self._made(changes, shop)
            if overlay is None:
                continue
            trial = self._tried(overlay)
            if not _harmful(self._start, trial):
                yield _Attempt(overlay, attempt.changes + changes, trial, attempt.finding)

    def _made(self, changes: tuple[Change, ...], shop: Workshop) -> dict[str, bytes] | None:
        edits: list[Edit] = []
        for change in changes:
            made = next((m for maker in self._makers if (m := maker(change, shop)) is not None), None)
            if made is None:
                return None
            edits += [edit for edit in made if edit not in edits]
        overlay = dict(shop.overlay)
        for file, some in by_file(edits).items():
            data = shop.data(file)
            if data is None:
                return None
            try:
                overlay[file] = apply(data, some)
            except ValueError:
                return None
        return overlay if overlay != shop.overlay else None

    def _tried(self, overlay: dict[str, bytes]) -> Trial:
        key = tuple(sorted(overlay.items()))
        if key not in self._trials:
            self._trials[key] = self._judge(overlay)
        return self._trials[key]

    def _shown(self, attempt: _Attempt) -> Fix:
        changed = {f: d for f, d in attempt.overlay.items() if self._workshop.overlay.get(f) != d}
        before = {file: self._workshop.data(file) or b"" for file in changed}
        summary = "; ".join(_sentence(change, attempt.trial.graph) for change in attempt.changes)
        return Fix(summary=summary, verified=True, patch=unified(before, changed), files=tuple(changed.items()))


def _sentence(change: Change, graph: RuleGraph) -> str:
    holder = graph.filters.get(change.filter)
    name = _named(holder, change.filter)
    if isinstance(change, AddRule):
        services = ", ".join(render(change.services))
        if change.peers.group is not None:
            who = _named(graph.groups.get(change.peers.group), change.peers.group)
        else:
            who = ", ".join(cidrs(change.peers.addresses))
        way = "from" if change.direction.value == "ingress" else "to"
        return f"allow {services} {way} {who} in {name}"
    if not change.keep:
        return f"remove the rule from {name}"
    kept = [" ".join(filter(None, [", ".join(render(k.services)), ", ".join(cidrs(k.addresses))])) for k in change.keep]
    return f"narrow the rule of {name} to {' and '.join(kept)}"


def _named(thing: Filter | Group | None, id_: str) -> str:
    """What the code calls it: its Terraform address, else its name."""
    return (thing.origin.address or thing.name or id_) if thing is not None else id_


def _same(finding: Finding, trial: Trial) -> Finding | None:
    """The finding of the trial that speaks of the same flow, service and endpoints and is still violated."""
    return next((f for f in _alike(finding, trial) if f.verdict == "violated"), None)


def _alike(finding: Finding, trial: Trial) -> Iterator[Finding]:
    for other in trial.findings:
        if (other.id, other.service, other.kind) != (finding.id, finding.service, finding.kind):
            continue
        if _meet(finding.destination.endpoints, other.destination.endpoints) and (
            finding.kind != "required" or _meet(finding.source.endpoints, other.source.endpoints)
        ):
            yield other


def _meet(first: Sequence[str], second: Sequence[str]) -> bool:
    return not first or not second or bool(set(first) & set(second))


def _mended(finding: Finding, trial: Trial) -> bool:
    after = list(_alike(finding, trial))
    return bool(after) and all(_RANK[f.verdict] == 0 for f in after)


def _moved_on(before: Finding, after: Finding) -> bool:
    """Whether a step helped: another component blocks now, or less is missing."""
    return [(b.filter, b.direction) for b in before.blocked_by] != [
        (b.filter, b.direction) for b in after.blocked_by
    ] or before.missing != after.missing


def _harmful(before: Trial, after: Trial) -> bool:
    """Whether any finding got worse, any message is new, or any endpoint vanished."""
    if after.faults - before.faults or set(before.graph.endpoints) - set(after.graph.endpoints):
        return True
    old, new = _ranks(before.findings), _ranks(after.findings)
    if any(rank > old.get(key, 0) for key, rank in new.items()):
        return True
    old_lanes, new_lanes = _lanes(before.findings), _lanes(after.findings)
    return any(not lanes <= old_lanes.get(key, set()) for key, lanes in new_lanes.items() if old.get(key, 0) < 2)


def _ranks(findings: Sequence[Finding]) -> dict[tuple[str, str, str, str], int]:
    """The worst verdict of each flow, service and pair of endpoints."""
    worst: dict[tuple[str, str, str, str], int] = {}
    for finding in findings:
        rank = _RANK[finding.verdict]
        for source in finding.source.endpoints or ("",):
            for destination in finding.destination.endpoints or ("",):
                key = (finding.id, finding.service, source if finding.kind == "required" else "", destination)
                worst[key] = max(rank, worst.get(key, 0))
    return worst


def _lanes(findings: Sequence[Finding]) -> dict[tuple[str, str, str, str], set[Lane]]:
    found: dict[tuple[str, str, str, str], set[Lane]] = {}
    for finding in findings:
        for destination in finding.destination.endpoints or ("",):
            key = (finding.id, finding.service, "", destination)
            found.setdefault(key, set()).update(finding.excess)
    return found
