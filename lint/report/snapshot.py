"""Says what a snapshot holds, for the person who took it: how much was asked, of whom, and what could not be had."""

from __future__ import annotations

from pathlib import Path

from lint.live.snapshot import Snapshot
from lint.report import live
from lint.report.style import Style, printable


def render_text(snapshot: Snapshot, output: Path, style: Style) -> str:
    """Where it was written, calls and requests by kind, and every call that failed."""
    coverage = snapshot.coverage()
    calls = coverage["calls"]
    lines = [
        f"{style.paint(output.as_posix(), 'bold')}: {calls['complete']} of {calls['made']} calls complete, "
        f"{live.scope(coverage)}, {snapshot.started} to {snapshot.finished}",
        live.kinds(coverage),
    ]
    lines += [f"{style.paint('not complete:', 'yellow')} {printable(text)}" for text in live.failed(coverage)]
    if coverage["failed"]:
        lines.append("what depends on these calls is undetermined in every report made from this snapshot")
    return "\n".join(lines) + "\n"
