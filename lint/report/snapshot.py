"""Says what a snapshot holds, for the person who took it: how much was asked, of whom, and what could not be had."""

from __future__ import annotations

from pathlib import Path

from lint.live.snapshot import Snapshot
from lint.report.style import Style, printable

_MOST = 20


def render_text(snapshot: Snapshot, output: Path, style: Style) -> str:
    """Where it was written, calls and requests by kind, and every call that failed."""
    coverage = snapshot.coverage()
    calls = coverage["calls"]
    lines = [
        f"{style.paint(output.as_posix(), 'bold')}: {calls['complete']} of {calls['made']} calls complete, "
        f"{coverage['scopes']} accounts, {coverage['regions']} regions, {snapshot.started} to {snapshot.finished}"
    ]
    requests: dict[str, int] = coverage["requests"]
    lines.append(f"{sum(requests.values())} requests: " + ", ".join(f"{n} {name}" for name, n in requests.items()))
    failures = snapshot.failures()
    for answer in failures[:_MOST]:
        call = answer.call
        where = " ".join(part for part in (call.scope, call.region) if part)
        lines.append(
            f"{style.paint('not complete:', 'yellow')} {printable(call.operation)} ({printable(where)}): "
            f"{answer.status}, {printable(answer.error or '')}"
        )
    if len(failures) > _MOST:
        lines.append(f"and {len(failures) - _MOST} more")
    if failures:
        lines.append("what depends on these calls is undetermined in every report made from this snapshot")
    return "\n".join(lines) + "\n"
