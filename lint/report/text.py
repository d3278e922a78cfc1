"""The report of `check` for a person at a terminal: by deployment, worst first, the fix under it, a summary last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from lint.origin import Origin, Problem
from lint.report import live
from lint.report.document import CheckReport, count, shown_path
from lint.report.excerpt import excerpt
from lint.report.style import VERDICT_COLOURS, Style, printable
from lint.report.words import document, joined, side
from lint.verdict.finding import Finding, Lane, Witness

_MARKS = {
    "violated": "✗",
    "undetermined": "?",
    "unbound": "○",
    "waived": "~",
    "satisfied": "✓",
    "not_applicable": "-",
}
_ORDER = ("violated", "undetermined", "unbound", "waived", "satisfied", "not_applicable")
_QUIET = ("satisfied", "not_applicable")
_MOST = 5
_SEVERITIES = ("error", "incomplete", "warning")
_MOST_ALIKE = 3
_MOST_PLACES = 6
# What tells two messages apart that say the same: addresses, quoted texts, numbers, what stands in brackets.
_NAMES = re.compile(r"""\([^()]*\)|"[^"]*"|`[^`]*`|\b[\w-]+(?:\.[\w*-]+|\["[^"]*"\]|\[[^\]]*\])+|\d+""")


def render(report: CheckReport, style: Style, *, verbose: bool = False) -> str:
    """The whole report, ending with a newline. Verdicts that ask for nothing are counted; `verbose` lists them."""
    lines: list[str] = []
    listed = {text for source in report.sources for text in live.messages(source.coverage)}  # with their source
    lines += _problems([one for one in report.problems if one.text not in listed], report.base, style)
    for deployment, found in groupby(report.findings, key=lambda f: (f.deployment, f.pack)):
        lines += _deployment(deployment, list(found), report, style, verbose)
    lines += _sources(report, style, verbose)
    lines += [_summary(report, style)]
    return "\n".join(lines) + "\n"


def render_problems(problems: Iterable[Problem], base: Path, style: Style) -> str:
    """Messages about sources alone, for commands that judge nothing."""
    return "".join(line + "\n" for line in _problems(problems, base, style))


def _problems(problems: Iterable[Problem], base: Path, style: Style) -> Iterator[str]:
    """The worst first; of many that say the same of other places, a few in full and the places of the rest."""
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in sorted(problems, key=lambda one: _SEVERITIES.index(one.severity)):
        alike.setdefault((problem.severity, _NAMES.sub("…", problem.text)), []).append(problem)
    for found in alike.values():
        shown = len(found) if len(found) <= _MOST_ALIKE + 1 else _MOST_ALIKE
        for problem in found[:shown]:
            yield from _problem(problem, base, style)
        rest = found[shown:]
        if rest:
            places = list(dict.fromkeys(_place(one.origin, base) for one in rest if one.origin is not None))
            named = ", ".join(places[:_MOST_PLACES])
            more = f" and {len(places) - _MOST_PLACES} more places" if len(places) > _MOST_PLACES else ""
            head = style.paint(f"{rest[0].severity}:", _colour(rest[0]), "bold")
            yield f"{head} {len(rest)} more like this" + (f", at {named}{more}" if places else "")
            yield ""


def _colour(problem: Problem) -> str:
    return "red" if problem.severity == "error" else "yellow"


def _place(origin: Origin, base: Path) -> str:
    if origin.file is None:
        return printable(origin.where())
    return printable(shown_path(base, origin.file)) + (f":{origin.line}" if origin.line is not None else "")


def _problem(problem: Problem, base: Path, style: Style) -> Iterator[str]:
    yield f"{style.paint(f'{problem.severity}:', _colour(problem), 'bold')} {printable(problem.text)}"
    if problem.origin is not None:
        yield from excerpt(problem.origin, base, style, indent="  ", lines=1)
    if problem.remedy:
        yield f"  {style.paint('help:', 'cyan')} {printable(problem.remedy)}"
    yield ""


def _deployment(
    deployment: tuple[str, str], findings: list[Finding], report: CheckReport, style: Style, verbose: bool
) -> Iterator[str]:
    name, pack = deployment
    yield f"{style.paint(printable(name), 'bold')}  {style.paint(pack, 'dim')}"
    yield ""
    for verdict in _ORDER:
        chosen = [finding for finding in findings if finding.verdict == verdict]
        if verdict == "undetermined" and not verbose:
            yield from _as_read([finding for finding in chosen if finding.as_read], style)
            chosen = [finding for finding in chosen if not finding.as_read]
        if verdict == "unbound" and not verbose:
            yield from _unbound(chosen, style)
        elif verdict == "undetermined" and not verbose:
            yield from _undetermined(chosen, report, style)
        elif verdict not in _QUIET or verbose:
            for finding in chosen:
                yield from _finding(finding, report, style)
    counts = count(findings)
    quiet = [f"{counts[v]} {v.replace('_', ' ')}" for v in _QUIET if counts[v]]
    if quiet and not verbose:
        yield f"  {style.paint('✓', 'green')} {', '.join(quiet)} {style.paint('(--verbose lists them)', 'dim')}"
        yield ""


def _as_read(findings: list[Finding], style: Style) -> Iterator[str]:
    """One line for all that waits for nothing but what could not be read."""
    if not findings:
        return
    mark = style.paint(f"{_MARKS['undetermined']} undetermined", VERDICT_COLOURS["undetermined"], "bold")
    lacking = sum(1 for finding in findings if finding.as_read == "violated")
    parts = [f"{len(findings) - lacking} kept"] if lacking < len(findings) else []
    parts += [f"{lacking} not kept"] if lacking else []
    causes = dict.fromkeys(finding.unknown[-1] for finding in findings)
    count = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
    yield f"  {mark} {count} until the whole source can be read; by what was read, {' and '.join(parts)}"
    yield from (f"    {style.paint('unknown:', 'yellow')} {printable(cause)}" for cause in list(causes)[:_MOST])
    yield f"    {style.paint('(--verbose lists them)', 'dim')}"
    yield ""


def _undetermined(findings: list[Finding], report: CheckReport, style: Style) -> Iterator[str]:
    """A few of each flow and service in full; of the rest whom they are about, since they mostly lack the same."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.flow, finding.service), []).append(finding)
    for (flow, service), found in alike.items():
        shown = len(found) if len(found) <= _MOST_ALIKE + 1 else _MOST_ALIKE
        for finding in found[:shown]:
            yield from _finding(finding, report, style)
        rest = found[shown:]
        if rest:
            mark = style.paint(f"{_MARKS['undetermined']} undetermined", VERDICT_COLOURS["undetermined"], "bold")
            parties = list(dict.fromkeys(f"{side(one.source)} → {side(one.destination)}" for one in rest))
            more = f"and {len(parties) - _MOST} more " if len(parties) > _MOST else ""
            yield f"  {mark} {style.paint(flow, 'bold')}  {len(rest)} more  {service}"
            yield from (f"    {printable(party)}" for party in parties[:_MOST])
            yield f"    {more}{style.paint('(--verbose shows each)', 'dim')}"
            yield ""


def _unbound(findings: list[Finding], style: Style) -> Iterator[str]:
    """One line for the services of a flow that lack the same."""
    mark = style.paint(f"{_MARKS['unbound']} unbound", VERDICT_COLOURS["unbound"])
    for (flow, sentence), found in groupby(findings, key=lambda f: (f.flow, f.sentence)):
        services = ", ".join(dict.fromkeys(one.service for one in found))
        yield f"  {mark} {flow} {services}: {printable(sentence)}"


def _finding(finding: Finding, report: CheckReport, style: Style) -> Iterator[str]:
    colour = VERDICT_COLOURS[finding.verdict]
    if finding.verdict == "violated" and finding.severity != "error":
        colour = "yellow"
    word = finding.verdict.replace("_", " ")
    if finding.verdict == "violated" and finding.severity != "error":
        word += f" ({finding.severity})"
    head = style.paint(f"{_MARKS[finding.verdict]} {word}", colour, "bold")
    route = printable(f"{side(finding.source)} → {side(finding.destination)}")
    flow, kind = style.paint(finding.flow, "bold"), style.paint(finding.kind, "dim")
    yield f"  {head} {flow}  {route}  {finding.service}  {kind}"
    yield f"    {printable(finding.sentence)}"
    for title, lanes in (("missing", finding.missing), ("excess", finding.excess)):
        yield from _lanes(title, lanes, style)
    if finding.verdict in ("violated", "undetermined", "waived"):
        shown = [(b.origin, b.filter) for b in finding.blocked_by] + [(r.origin, r.address) for r in finding.rules]
        seen: set[tuple[str | None, int | None, str]] = set()
        for origin, address in shown:
            if origin is None or (origin.file, origin.line, address) in seen or len(seen) == _MOST:
                continue
            seen.add((origin.file, origin.line, address))
            yield from excerpt(origin, report.base, style, indent="    ")
    for unknown in finding.unknown[:_MOST]:
        yield f"    {style.paint('unknown:', 'yellow')} {printable(unknown)}"
    if len(finding.unknown) > _MOST:
        yield f"    {style.paint('unknown:', 'yellow')} and {len(finding.unknown) - _MOST} more"
    for note in finding.notes:
        yield f"    {style.paint('note:', 'cyan')} {printable(note)}"
    if finding.waived_by:
        yield f"    {style.paint('waived:', 'cyan')} {printable(finding.waived_by)}"
    if finding.witness is not None:
        yield f"    {style.paint('packet:', 'dim')} {_witness(finding.witness)}"
    yield f"    {style.paint('document:', 'dim')} {printable(document(finding))}"
    if finding.trace:
        yield f"    {style.paint('explain:', 'dim')} {printable(finding.trace)}"
    yield from _fix(finding, style)
    yield ""


def _lanes(title: str, lanes: tuple[Lane, ...], style: Style) -> Iterator[str]:
    lanes = joined(lanes)
    for lane in lanes[:_MOST]:
        source = lane.source or lane.source_name or "an address not known yet"
        destination = lane.destination or lane.destination_name or "an address not known yet"
        yield f"    {style.paint(title + ':', 'dim')} {printable(source)} → {printable(destination)}  {lane.service}"
    if len(lanes) > _MOST:
        yield f"    {style.paint(title + ':', 'dim')} and {len(lanes) - _MOST} more (--format json lists them)"


def _witness(witness: Witness) -> str:
    source = witness.source or "?"
    destination = witness.destination or "?"
    if witness.port is not None:
        return f"{witness.protocol} {source}:{witness.source_port} → {destination}:{witness.port}"
    if witness.icmp_type is not None:
        return f"{witness.protocol} type {witness.icmp_type} code {witness.icmp_code} {source} → {destination}"
    return f"{witness.protocol} {source} → {destination}"


def _fix(finding: Finding, style: Style) -> Iterator[str]:
    if finding.fix is None:
        return
    checked = "checked" if finding.fix.verified else "not checked"
    yield f"    {style.paint(f'fix ({checked}):', 'green')} {printable(finding.fix.summary)}"
    for line in finding.fix.patch.splitlines():
        colour = "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"
        yield f"      {style.paint(printable(line), colour)}"
    for command in finding.fix.commands:
        yield f"      {printable(command)}"


def _sources(report: CheckReport, style: Style, verbose: bool) -> Iterator[str]:
    """Each source of which there is something to say; of a live account, how much was asked and what failed."""
    told = [s for s in report.sources if not s.complete or s.notes or live.is_live(s.coverage)]
    for source in told:
        word = style.paint("complete" if source.complete else "incomplete", "green" if source.complete else "yellow")
        asked = f"; {live.asked(source.coverage)}" if live.is_live(source.coverage) else ""
        yield f"{printable(source.source)} ({source.kind}): {word}{printable(asked)}"
        if live.is_live(source.coverage):
            if verbose:
                yield f"  {printable(live.kinds(source.coverage))}"
            for text in live.failed(source.coverage):
                yield f"  {style.paint('not complete:', 'yellow')} {printable(text)}"
            if source.coverage["failed"]:
                yield "  what depends on these calls is undetermined"
        for note in source.notes:
            yield f"  {printable(note)}"
    if told:
        yield ""


def _summary(report: CheckReport, style: Style) -> str:
    counts = report.summary()
    parts = [
        style.paint(f"{counts[v]} {v.replace('_', ' ')}", *((VERDICT_COLOURS[v], "bold") if counts[v] else ("dim",)))
        for v in _ORDER
    ]
    return "Summary: " + ", ".join(parts)
