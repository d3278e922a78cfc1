"""One HTML page without scripts or foreign resources: for an auditor's file, readable in a browser and on paper."""

from __future__ import annotations

import html
from itertools import groupby

from lint.report import live
from lint.report.document import VERDICTS, CheckReport
from lint.report.style import printable, printable_lines
from lint.report.words import document, joined, lane, places, side, worst_first
from lint.verdict.finding import Finding

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
.counts { display: flex; gap: .6rem; flex-wrap: wrap; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-radius: .5rem; padding: .4rem .8rem; }
.counts b { font-size: 1.3rem; display: block; }
.tag { border-radius: .3rem; padding: .05rem .45rem; font-size: .85rem; font-weight: 600; white-space: nowrap; }
.violated { background: #c6282822; color: #c62828; } .undetermined, .unbound { background: #b2670022; color: #b26700; }
.satisfied { background: #2e7d3222; color: #2e7d32; }
.waived { background: #00698522; color: #006985; } .not_applicable { background: var(--soft); }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; padding: .5rem .8rem; }
summary { cursor: pointer; } pre { background: var(--soft); padding: .7rem; border-radius: .4rem; overflow-x: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
dt { opacity: .7; } dd { margin: 0; overflow-wrap: anywhere; }
@media print {
  body { max-width: none; margin: 0; font-size: 10pt; }
  details, tr { break-inside: avoid; } h2, summary { break-after: avoid; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
}
@page { margin: 14mm; }
"""


def escape(text: str) -> str:
    """A name or sentence as HTML text: one line, nothing that a browser or terminal would obey."""
    return html.escape(printable(text))


def render(report: CheckReport) -> str:
    """The page. Findings that ask for attention come first and are unfolded; all others are folded, but on paper."""
    counts = report.summary()
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>netpact report</title><style>{_STYLE}</style></head><body>",
        f"<h1>Network contract report</h1><p>netpact {escape(report.version)}</p>",
        '<ul class="counts">',
        *(f'<li><b>{counts[v]}</b><span class="tag {v}">{v.replace("_", " ")}</span></li>' for v in VERDICTS),
        "</ul>",
    ]
    if report.problems:
        parts.append("<h2>Messages</h2><ul>")
        for problem in report.problems:
            where = f" ({escape(problem.origin.where())})" if problem.origin else ""
            remedy = f"; {escape(problem.remedy)}" if problem.remedy else ""
            parts.append(f"<li><b>{escape(problem.severity)}</b>: {escape(problem.text)}{where}{remedy}</li>")
        parts.append("</ul>")
    parts.append(
        "<h2>Sources</h2><table><tr><th>source</th><th>kind</th><th>complete</th><th>resources</th><th>notes</th></tr>"
    )
    for source in report.sources:
        resources = source.coverage.get("resources", {})
        seen = resources.get("seen", "") if isinstance(resources, dict) else ""
        said = list(source.notes)
        if live.is_live(source.coverage):
            said = [live.asked(source.coverage), live.kinds(source.coverage), *live.failed(source.coverage), *said]
        parts.append(
            f"<tr><td>{escape(source.source)}</td><td>{escape(source.kind)}</td>"
            f"<td>{'yes' if source.complete else 'no'}</td>"
            f"<td>{seen}</td><td>{'<br>'.join(escape(text) for text in said)}</td></tr>"
        )
    parts.append("</table>")
    for deployment, group in groupby(report.findings, key=lambda f: (f.deployment, f.pack)):
        parts.append(f"<h2>{escape(deployment[0])}</h2><p>{escape(deployment[1])}</p>")
        parts += [_finding(finding) for finding in worst_first(tuple(group))]
    parts.append("</body></html>")
    return "\n".join(parts) + "\n"


def _finding(f: Finding) -> str:
    opened = " open" if f.verdict in ("violated", "undetermined") else ""
    rows = [("", f.sentence), ("kind", f"{f.kind}, {f.severity}"), ("document", document(f))]
    rows += [("missing", lane(one)) for one in joined(f.missing)] + [("excess", lane(one)) for one in joined(f.excess)]
    elsewhere = [rule.origin.where() for rule in f.rules if rule.origin.file is None]
    rows += [("where", place) for place in dict.fromkeys([*(origin.where() for origin in places(f)), *elsewhere])]
    rows += [("unknown", text) for text in f.unknown]
    rows += [("note", note) for note in f.notes]
    if f.layers:
        rows.append(("layers judged", ", ".join(f.layers)))
    if f.waived_by:
        rows.append(("waived", f.waived_by))
    if f.trace:
        rows.append(("explain", f.trace))
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    fix = ""
    if f.fix is not None:
        body = f.fix.patch or "\n".join(map(printable, f.fix.commands))
        checked = " (checked)" if f.fix.verified else ""
        fix = f"<p>Fix{checked}: {escape(f.fix.summary)}</p><pre>{html.escape(printable_lines(body))}</pre>"
    head = (
        f'<span class="tag {f.verdict}">{f.verdict.replace("_", " ")}</span> <b>{escape(f.flow)}</b> '
        f"{escape(side(f.source))} → {escape(side(f.destination))} {escape(f.service)}"
    )
    return f"<details{opened}><summary>{head}</summary><dl>{listed}</dl>{fix}</details>"
