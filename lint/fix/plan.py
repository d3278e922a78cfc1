"""From a violated finding to changes that would mend it, the most precise first. Knows no file and no command.

A change is a proposal: `prove` applies it and judges again before anyone sees it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint.fix.changes import Change
from lint.fix.too_little import openings
from lint.fix.too_much import Blamed, narrowings
from lint.graph.graph import RuleGraph
from lint.space.intervals import IntervalSet
from lint.verdict.finding import Finding


def propose(
    finding: Finding,
    graph: RuleGraph,
    documented: IntervalSet,
    ports: IntervalSet,
    blamed: Blamed | None = None,
) -> Iterator[tuple[Change, ...]]:
    """Candidates for one step towards mending `finding`: each is a group of changes to be made together.

    `documented` are the peers that the document lets in, for an exclusive flow. `ports` are the source ports that the
    client of a required flow uses. `blamed` gives what all violated
    findings say of a rule at fault: one rule is narrowed once for all of them.
    """
    if finding.kind == "required":
        yield from openings(finding, graph, ports)
    else:
        yield from narrowings(finding, graph, documented, blamed)
