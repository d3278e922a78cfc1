"""Markdown for a pull-request comment or a job summary: a table, the details folded, cut below GitHub's limits."""

from __future__ import annotations

from lint.report import live
from lint.report.document import CheckReport
from lint.report.style import printable, printable_lines
from lint.report.words import REPORTED, document, joined, lane, places, repository_path, side, worst_first
from lint.verdict.finding import Finding

MOST_BYTES = 60_000  # a comment holds 65,536 characters, a job summary 1 MiB
_LITERAL = str.maketrans(
    {mark: f"&#{ord(mark)};" for mark in "\\`*_[]()#|!@~"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_MARKS = {"violated": "❌", "undetermined": "❓"}


def render(report: CheckReport) -> str:
    """The report: summary, a line a finding that asks for attention, then each with its evidence and fix."""
    counts = report.summary()
    asked = [f for f in worst_first(report.findings) if f.verdict in REPORTED]
    lines = ["## netpact", ""]
    lines.append(", ".join(f"**{n}** {v.replace('_', ' ')}" for v, n in counts.items() if n) or "nothing to judge")
    lines.append("")
    lines += [
        f"- {plain(one.source)}: {plain(live.asked(one.coverage))}"
        for one in report.sources
        if live.is_live(one.coverage)
    ]
    problems = sorted(report.problems, key=lambda one: one.severity != "error")
    lines += _within(
        MOST_BYTES // 4, [f"- **{p.severity}**: {plain(p.text)}" for p in problems], "- …and {} more messages"
    )
    if asked:
        lines += ["", "| | flow | from → to | service | where |", "| --- | --- | --- | --- | --- |"]
        rows = [_row(finding, report) for finding in asked]
        lines += _within(MOST_BYTES // 2, rows, "| | …and {} more findings | | | |")
        lines.append("")
    text = "\n".join(lines) + "\n"
    left = 0
    for finding in asked:
        block = _details(finding)
        if len((text + block).encode()) > MOST_BYTES:
            left += 1
            continue
        text += block
    if left:
        text += f"\n…and the details of {left} more findings; `netpact check` shows them.\n"
    return text


def _within(most: int, lines: list[str], rest: str) -> list[str]:
    """The first lines, as many as fit into so many bytes, and how many more there are."""
    kept = 0
    for line in lines:
        most -= len(line.encode()) + 1
        if most < 0:
            break
        kept += 1
    return lines[:kept] + ([rest.format(len(lines) - kept)] if kept < len(lines) else [])


def _row(finding: Finding, report: CheckReport) -> str:
    place = next(iter(places(finding)), None)
    where = f"`{repository_path(report, place.file)}:{place.line}`" if place is not None and place.file else ""
    route = f"{side(finding.source)} → {side(finding.destination)}"
    cells = (_MARKS[finding.verdict], finding.id, route, finding.service, where)
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _details(finding: Finding) -> str:
    lines = [
        "<details>",
        f"<summary>{plain(finding.id)} {plain(finding.service)}</summary>",
        "",
        plain(finding.sentence),
        "",
    ]
    lines += [f"- missing: {plain(lane(one))}" for one in joined(finding.missing)[:10]]
    lines += [f"- excess: {plain(lane(one))}" for one in joined(finding.excess)[:10]]
    lines += [f"- unknown: {plain(text)}" for text in finding.unknown[:10]]
    lines.append(f"- document: {plain(document(finding))}")
    if finding.trace:
        lines.append(f"- explain: {code(finding.trace)}")
    if finding.fix is not None:
        lines += ["", f"Fix{' (checked)' if finding.fix.verified else ''}: {plain(finding.fix.summary)}", ""]
        if finding.fix.patch:
            fence = _fence(finding.fix.patch)
            lines += [f"{fence}diff", printable_lines(finding.fix.patch.rstrip("\n")), fence]
        if finding.fix.commands:
            commands = [printable(command) for command in finding.fix.commands]
            fence = _fence("\n".join(commands))
            lines += [f"{fence}sh", *commands, fence]
    return "\n".join([*lines, "", "</details>", "", ""])


def plain(text: str) -> str:
    """Text that Markdown takes literally: names come from strangers."""
    return " ".join(printable(text).translate(_LITERAL).split())


def _cell(text: str) -> str:
    if text.startswith("`") and text.endswith("`"):
        return code(text[1:-1]).replace("|", "\\|")
    return plain(text)


def code(text: str) -> str:
    """Text as a code span, whatever backticks it holds."""
    flat = " ".join(printable(text).split())
    ticks = "`"
    while ticks in flat:
        ticks += "`"
    return f"{ticks} {flat} {ticks}" if "`" in flat else f"`{flat}`"


def _fence(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return fence
