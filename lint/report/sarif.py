"""SARIF 2.1.0 for code scanning, inside the limits that GitHub sets ("SARIF support for code scanning")."""

from __future__ import annotations

import json
from typing import Any

from lint.origin import Origin
from lint.report.document import CheckReport
from lint.report.style import printable_lines
from lint.report.words import REPORTED, document, headline, lane, places, repository_path, worst_first
from lint.verdict.finding import Finding

MOST_RESULTS = 5000
MOST_RELATED = 100
MOST_TEXT = 1000
_LEVELS = {"error": "error", "warning": "warning", "note": "note"}
_SEVERITY = {"error": "8.0", "warning": "5.0", "note": "2.0"}


def render(report: CheckReport) -> str:
    """The log. Findings without a file are located at the first source; waived and satisfied ones are left out."""
    wanted = [f for f in worst_first(report.findings) if f.verdict in REPORTED][:MOST_RESULTS]
    rules = {f.id: f for f in wanted}
    index = {name: number for number, name in enumerate(sorted(rules))}
    run = {
        "tool": {
            "driver": {
                "name": "netpact",
                "version": report.version,
                "rules": [_rule(rules[name]) for name in sorted(rules)],
            }
        },
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": "netpact/" + ",".join(s.source for s in report.sources)[:200] + "/"},
        "invocations": [
            {
                "executionSuccessful": not any(p.severity == "error" for p in report.problems),
                "toolExecutionNotifications": [
                    _notification(p.text, p.origin, p.severity, report) for p in report.problems
                ],
            }
        ],
        "results": [_result(f, index[f.id], report) for f in wanted],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "name": finding.flow[:255],
        "shortDescription": {"text": f"{finding.pack}: {finding.flow} ({finding.kind})"[:MOST_TEXT]},
        "fullDescription": {"text": f"{document(finding)}"[:MOST_TEXT]},
        "help": {"text": f"Documented in {document(finding)}."},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "tags": ["security", "network", finding.kind],
            "precision": "very-high",
            "security-severity": _SEVERITY[finding.severity],
        },
    }


def _result(finding: Finding, index: int, report: CheckReport) -> dict[str, Any]:
    found = places(finding)
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_location(found[0], report) if found else _nowhere(report)],
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint}:1"},
    }
    related = [_location(origin, report) for origin in found[1:]]
    if found:
        related += [_location(call, report) for call in found[0].calls]
    if related:
        result["relatedLocations"] = [one | {"id": n} for n, one in enumerate(related[:MOST_RELATED], 1)]
    return result


def _message(finding: Finding) -> str:
    lines = [headline(finding), finding.sentence]
    lines += [f"missing: {lane(one)}" for one in finding.missing[:5]]
    lines += [f"excess: {lane(one)}" for one in finding.excess[:5]]
    lines += [f"unknown: {text}" for text in finding.unknown[:5]]
    if finding.fix is not None:
        lines.append(f"fix: {finding.fix.summary}")
        lines.append(finding.fix.patch)
    return "\n".join(printable_lines(line) for line in lines if line)


def _location(origin: Origin, report: CheckReport) -> dict[str, Any]:
    # Code in an installed module isn't part of the repository: the call that brought it in is.
    if origin.file is not None and ".terraform/" in origin.file and origin.calls:
        own = [call for call in origin.calls if call.file and ".terraform/" not in call.file]
        origin = own[-1] if own else origin
    region: dict[str, Any] = {"startLine": origin.line or 1}
    if origin.end_line:
        region["endLine"] = origin.end_line
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(repository_path(report, origin.file or "."))},
            "region": region,
        },
        "message": {"text": origin.address or origin.where()},
    }


def _nowhere(report: CheckReport) -> dict[str, Any]:
    source = report.sources[0].source if report.sources else "."
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(source)}, "region": {"startLine": 1}},
        "message": {"text": source},
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path) or "."


def _notification(text: str, origin: Origin | None, severity: str, report: CheckReport) -> dict[str, Any]:
    level = {"error": "error", "incomplete": "warning", "warning": "note"}[severity]
    made: dict[str, Any] = {"level": level, "message": {"text": text}}
    if origin is not None and origin.file is not None:
        made["locations"] = [_location(origin, report)]
    return made
