"""What a run asks of the judge besides graph, project and packs; and what the judge gives back. Plain data."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from lint.origin import Origin, Problem
from lint.verdict.bind import Bound
from lint.verdict.finding import Finding


@dataclass(frozen=True, slots=True)
class CommentWaiver:
    """A comment `# netpact:waive FLOW until DATE: reason` of a source.

    `flow` is a flow's id or a glob, with or without the deployment before it (`prod-dr/gateway-ssh`). `until` None:
    the comment's date can't be read
    (`until_text` as written), which counts as expired. `flow` "": the comment is no waiver, `until_text` is what it
    says. `origin` is the comment's own place; lines from 1, `end_line`
    the last line of the
    comment lines that follow each other.
    """

    flow: str
    until: datetime.date | None
    reason: str
    origin: Origin
    until_text: str = ""
    alone: bool = True  # has its line to itself, so that it may speak of the rule below


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """`today` decides which waivers have expired. `source` is what the user wrote as SOURCE, for the `trace` commands.

    `packs`: ids of the packs to judge without a project file (empty: all that are given). `only` and `skip` are globs
    of flows (`prod-dr/*` or `block-agent-*`). `among` names endpoints: of required and exclusive flows the pairs of
    these alone (empty: all), for whoever asks about one finding again.
    """

    today: datetime.date
    source: str = "."
    comment_waivers: tuple[CommentWaiver, ...] = ()
    packs: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    among: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Binding:
    """How one deployment was bound, role by role, in the pack's order."""

    deployment: str
    pack: str
    roles: tuple[tuple[str, Bound], ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Findings in a stable order (deployments and flows as written), and what must be said about the project besides
    them.

    A problem of severity "error" ends the run with status 2. `unbound` lists (deployment, role) of the active flows to
    which nothing is bound.
    """

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()
    unbound: tuple[tuple[str, str], ...] = ()
    bindings: tuple[Binding, ...] = ()

    def summary(self) -> dict[str, int]:
        """How many findings have each verdict; every verdict is there."""
        counts = dict.fromkeys(VERDICTS, 0)
        for finding in self.findings:
            counts[finding.verdict] += 1
        return counts


VERDICTS = ("satisfied", "violated", "undetermined", "not_applicable", "unbound", "waived")
