"""What came of the packs' own cases, for a person or as JSON. Judges nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lint.verdict.pack_cases import CaseResult


def render_text(results: Sequence[CaseResult]) -> str:
    """Each case that went otherwise than expected with its reasons, a line for each pack, a summary last."""
    lines: list[str] = []
    for result in results:
        if not result.passed:
            lines.append(f"✗ {result.pack}: {result.name} ({_place(result)})")
            lines += [f"    {failure}" for failure in result.failures]
    if lines:
        lines.append("")
    for pack in dict.fromkeys(result.pack for result in results):
        own = [result for result in results if result.pack == pack]
        notes = [result.note for result in own if result.note]
        failed = sum(not result.passed for result in own)
        said = "; ".join(notes) if notes else _cases(len(own)) + (f", {failed} failed" if failed else "")
        lines.append(f"{'✗' if failed else '○' if notes else '✓'} {pack}: {said}")
    ran = [result for result in results if not result.note]
    failed = sum(not result.passed for result in ran)
    lines += ["", f"Summary: {_cases(len(ran))}, {len(ran) - failed} passed, {failed} failed"]
    return "\n".join(lines) + "\n"


def render_json(results: Sequence[CaseResult]) -> str:
    """The cases with what failed in each, the packs that have none, and how many passed and failed."""
    cases: list[dict[str, Any]] = [
        {
            "pack": result.pack,
            "name": result.name,
            "file": result.file,
            "line": result.line,
            "passed": result.passed,
            "failures": list(result.failures),
        }
        for result in results
        if not result.note
    ]
    without = [{"pack": result.pack, "note": result.note} for result in results if result.note]
    failed = sum(not case["passed"] for case in cases)
    summary = {"passed": len(cases) - failed, "failed": failed}
    return json.dumps({"cases": cases, "without_cases": without, "summary": summary}, indent=2) + "\n"


def _place(result: CaseResult) -> str:
    return result.file if result.line is None else f"{result.file}:{result.line}"


def _cases(number: int) -> str:
    return "1 case" if number == 1 else f"{number} cases"
