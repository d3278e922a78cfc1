"""CSV with one finding a row, for spreadsheets and auditors' tools."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from lint.report.document import CheckReport
from lint.report.style import printable
from lint.report.words import lane, places

COLUMNS = (
    "id", "deployment", "pack", "flow", "kind", "verdict", "severity", "from_role", "from", "to_role", "to", "service",
    "missing", "excess", "where", "sentence", "unknown", "document", "section", "row", "fix", "fingerprint",
)  # fmt: skip


def render(report: CheckReport) -> str:
    """All findings, satisfied ones too. Cells that a spreadsheet would take for a formula begin with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for f in report.findings:
        row = (
            f.id, f.deployment, f.pack, f.flow, f.kind, f.verdict, f.severity,
            f.source.role or "", _joined(f.source.endpoints or f.source.addresses),
            f.destination.role or "", _joined(f.destination.endpoints or f.destination.addresses),
            f.service, _joined(lane(one) for one in f.missing), _joined(lane(one) for one in f.excess),
            _joined(origin.where() for origin in places(f)), f.sentence, _joined(f.unknown),
            f.document.title, f.document.section, f.document.row, f.fix.summary if f.fix else "", f.fingerprint,
        )  # fmt: skip
        writer.writerow([_safe(cell) for cell in row])
    return out.getvalue()


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(parts)


def _safe(cell: str) -> str:
    cell = printable(cell)
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
