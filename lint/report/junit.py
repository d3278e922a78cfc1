"""JUnit XML: a test suite for each deployment, a test case for each finding; for CI systems that show test reports."""

from __future__ import annotations

import re
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from lint.report.document import CheckReport
from lint.report.style import printable
from lint.report.words import document, headline, joined, lane
from lint.verdict.finding import Finding

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: CheckReport) -> str:
    """The report: violated is a failure, undetermined an error, unbound, waived and not applicable are skipped."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites name="netpact">']
    if report.problems:
        lines.append(
            f'  <testsuite name="sources" tests="{len(report.problems)}" failures="0" errors="{len(report.problems)}">'
        )
        for problem in report.problems:
            where = problem.origin.where() if problem.origin is not None else "sources"
            lines.append(f'    <testcase classname="sources" name={_attribute(where)}>')
            lines.append(f"      <error message={_attribute(problem.text)}/>")
            lines.append("    </testcase>")
        lines.append("  </testsuite>")
    for deployment, group in groupby(report.findings, key=lambda f: f.deployment):
        findings = list(group)
        failures = sum(1 for f in findings if f.verdict == "violated")
        errors = sum(1 for f in findings if f.verdict == "undetermined")
        skipped = sum(1 for f in findings if f.verdict in ("unbound", "waived", "not_applicable"))
        lines.append(
            f'  <testsuite name={_attribute(deployment)} tests="{len(findings)}" failures="{failures}" '
            f'errors="{errors}" skipped="{skipped}">'
        )
        for finding in findings:
            lines += _case(finding)
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _case(finding: Finding) -> list[str]:
    name = f"{finding.flow} {finding.service} {finding.fingerprint[:8]}".strip()
    head = f"    <testcase classname={_attribute(finding.pack)} name={_attribute(name)}"
    text = "\n".join(
        [printable(finding.sentence), f"document: {document(finding)}"]
        + [f"missing: {lane(one)}" for one in joined(finding.missing)]
        + [f"excess: {lane(one)}" for one in joined(finding.excess)]
        + [f"unknown: {text}" for text in finding.unknown]
        + ([f"fix: {printable(finding.fix.summary)}\n{finding.fix.patch}"] if finding.fix is not None else [])
    )
    tag = {"violated": "failure", "undetermined": "error"}.get(finding.verdict)
    if tag is not None:
        head_of = f"<{tag} message={_attribute(headline(finding))} type={_attribute(finding.kind)}>"
        body = f"      {head_of}{_text(text)}</{tag}>"
        return [head + ">", body, "    </testcase>"]
    if finding.verdict == "satisfied":
        return [head + "/>"]
    return [
        head + ">",
        f"      <skipped message={_attribute(finding.verdict + ': ' + finding.sentence)}/>",
        "    </testcase>",
    ]


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("?", printable(text)))


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("?", text))
