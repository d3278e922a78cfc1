"""GitHub workflow annotations: worst first, aggregated, and capped where the runner would drop them silently."""

from __future__ import annotations

from lint.origin import Origin
from lint.report.document import CheckReport
from lint.report.style import printable, printable_lines
from lint.report.words import REPORTED, headline, joined, lane, places, repository_path, worst_first
from lint.verdict.finding import Finding

MOST_OF_A_KIND = 10  # GitHub shows ten errors, ten warnings and ten notices a step; the rest vanishes
MOST_TEXT = 4000  # the runner cuts a message at 4,096 characters


def render(report: CheckReport) -> str:
    """`::error file=…,line=…,endLine=…,title=…::message` lines, then what was left out."""
    notes: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    for problem in report.problems:
        kind = "error" if problem.severity == "error" else "warning"
        text = printable(problem.text) + (f"\n{printable(problem.remedy)}" if problem.remedy else "")
        notes[kind].append(_command(kind, "netpact", text, problem.origin, report))
    for finding in worst_first(report.findings):
        if finding.verdict in REPORTED:
            kind = _kind(finding)
            place = next(iter(places(finding)), None)
            notes[kind].append(_command(kind, finding.id, _text(finding), place, report))
    lines: list[str] = []
    for kind, all_of_kind in notes.items():
        shown = all_of_kind if len(all_of_kind) <= MOST_OF_A_KIND else all_of_kind[: MOST_OF_A_KIND - 1]
        lines += shown
        if len(shown) < len(all_of_kind):
            rest = len(all_of_kind) - len(shown)
            lines.append(f"::{kind} title=netpact::and {rest} more; see the job's log or the SARIF report")
    return "".join(line + "\n" for line in lines)


def _kind(finding: Finding) -> str:
    if finding.verdict != "violated":
        return "warning"
    return {"error": "error", "warning": "warning", "note": "notice"}[finding.severity]


def _text(finding: Finding) -> str:
    lines = [headline(finding), finding.sentence]
    lines += [f"missing: {lane(one)}" for one in joined(finding.missing)[:3]]
    lines += [f"excess: {lane(one)}" for one in joined(finding.excess)[:3]]
    lines += [f"unknown: {text}" for text in finding.unknown[:3]]
    if finding.fix is not None:
        lines.append(f"fix: {finding.fix.summary}")
    lines = [printable(line) for line in lines if line]
    if finding.fix is not None:
        lines.append(printable_lines(finding.fix.patch))
    return "\n".join(lines)[:MOST_TEXT]


def _command(kind: str, title: str, text: str, origin: Origin | None, report: CheckReport) -> str:
    fields = [f"title={_property(title)}"]
    if origin is not None and origin.file is not None:
        fields.insert(0, f"file={_property(repository_path(report, origin.file))}")
        if origin.line is not None:
            fields.insert(1, f"line={origin.line}")
            if origin.end_line is not None:
                fields.insert(2, f"endLine={origin.end_line}")
    return f"::{kind} {','.join(fields)}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
