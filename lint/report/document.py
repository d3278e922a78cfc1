"""What a `check` run says, as data: findings, sources and problems. Every format renders this and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lint.origin import Problem
from lint.sources import SourceReport
from lint.verdict.finding import Finding

VERDICTS = ("satisfied", "violated", "undetermined", "not_applicable", "unbound", "waived")


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One run of `check`. `base` is the directory that every `Origin.file` is relative to."""

    version: str
    sources: tuple[SourceReport, ...]
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    base: Path

    def summary(self) -> dict[str, int]:
        """How many findings have each verdict."""
        return count(self.findings)


def count(findings: Sequence[Finding]) -> dict[str, int]:
    """How many of these findings have each verdict, every verdict named."""
    counts = dict.fromkeys(VERDICTS, 0)
    for finding in findings:
        counts[finding.verdict] += 1
    return counts


def shown_path(base: Path, file: str) -> str:
    """A file of an origin as a person in the current folder would write it."""
    path = base / file
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return path.as_posix()
