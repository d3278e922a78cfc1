"""Renders a `check` run as the JSON that other programs read. Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lint.origin import Problem, origin_json
from lint.verdict.finding import Finding, Fix, Lane, Side, Witness

if TYPE_CHECKING:
    from lint.report.document import CheckReport

SCHEMA = 1


def render(report: CheckReport) -> str:
    """The whole report, with a newline at its end."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": "netpact", "version": report.version},
        "sources": [
            {
                "source": one.source,
                "kind": one.kind,
                "complete": one.complete,
                "notes": list(one.notes),
                "coverage": one.coverage,
            }
            for one in report.sources
        ],
        "summary": report.summary(),
        "findings": findings_json(report.findings),
        "problems": [problem_json(one) for one in report.problems],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def findings_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Each finding as plain data, in order."""
    return [finding_json(finding) for finding in findings]


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding; every key is always there."""
    return {
        "id": finding.id,
        "deployment": finding.deployment,
        "pack": finding.pack,
        "flow": finding.flow,
        "document": {
            "title": finding.document.title,
            "section": finding.document.section,
            "row": finding.document.row,
            "also": [{"section": section, "row": row} for section, row in finding.document.also],
            "url": finding.document.url,
        },
        "kind": finding.kind,
        "verdict": finding.verdict,
        "severity": finding.severity,
        "from": _side(finding.source),
        "to": _side(finding.destination),
        "service": finding.service,
        "sentence": finding.sentence,
        "missing": [_lane(lane) for lane in finding.missing],
        "excess": [_lane(lane) for lane in finding.excess],
        "layers": list(finding.layers),
        "blocked_by": [
            {
                "layer": one.layer,
                "direction": one.direction,
                "filter": one.filter,
                "origin": origin_json(one.origin),
                "sentence": one.sentence,
            }
            for one in finding.blocked_by
        ],
        "rules": [{"address": rule.address, "origin": origin_json(rule.origin)} for rule in finding.rules],
        "witness": _witness(finding.witness),
        "unknown": list(finding.unknown),
        "notes": list(finding.notes),
        "waived_by": finding.waived_by,
        "trace": finding.trace,
        "fix": _fix(finding.fix),
        "fingerprint": finding.fingerprint,
    }


def problem_json(problem: Problem) -> dict[str, Any]:
    """A message about a source or the project file."""
    return {
        "severity": problem.severity,
        "text": problem.text,
        "origin": origin_json(problem.origin),
        "remedy": problem.remedy,
    }


def _side(side: Side) -> dict[str, Any]:
    return {"role": side.role, "endpoints": list(side.endpoints), "addresses": list(side.addresses)}


def _lane(lane: Lane) -> dict[str, Any]:
    found: dict[str, Any] = {"from": lane.source, "to": lane.destination, "service": lane.service}
    if lane.source_name is not None:
        found["from_name"] = lane.source_name
    if lane.destination_name is not None:
        found["to_name"] = lane.destination_name
    return found


def _witness(witness: Witness | None) -> dict[str, Any] | None:
    if witness is None:
        return None
    found: dict[str, Any] = {
        "from": witness.source,
        "to": witness.destination,
        "protocol": witness.protocol,
        "port": witness.port,
        "source_port": witness.source_port,
    }
    if witness.icmp_type is not None:
        found["icmp_type"] = witness.icmp_type
        found["icmp_code"] = witness.icmp_code
    return found


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    return {"summary": fix.summary, "verified": fix.verified, "patch": fix.patch, "commands": list(fix.commands)}
