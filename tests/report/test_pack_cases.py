"""Results of packs' cases: failures first with their place, packs without cases said to have none."""

from __future__ import annotations

import json

from lint.report.pack_cases import render_json, render_text
from lint.verdict.pack_cases import CaseResult

RESULTS = (
    CaseResult("acme/mirror", "all open", "rules/acme/tests/mirror.yaml", 7),
    CaseResult("acme/mirror", "closed", "rules/acme/tests/mirror.yaml", 19, ("agent-1 tcp/7000: is satisfied",)),
    CaseResult("acme/own", "no cases", "own.yaml", None, note="no cases; write them in tests/own.yaml"),
)


def test_a_person_sees_what_failed_and_where() -> None:
    assert render_text(RESULTS) == (
        "✗ acme/mirror: closed (rules/acme/tests/mirror.yaml:19)\n"
        "    agent-1 tcp/7000: is satisfied\n"
        "\n"
        "✗ acme/mirror: 2 cases, 1 failed\n"
        "○ acme/own: no cases; write them in tests/own.yaml\n"
        "\n"
        "Summary: 2 cases, 1 passed, 1 failed\n"
    )
    assert render_text(RESULTS[:1]) == "✓ acme/mirror: 1 case\n\nSummary: 1 case, 1 passed, 0 failed\n"


def test_json_holds_the_same() -> None:
    document = json.loads(render_json(RESULTS))
    assert document["summary"] == {"passed": 1, "failed": 1}
    assert [case["passed"] for case in document["cases"]] == [True, False]
    assert document["cases"][1]["failures"] == ["agent-1 tcp/7000: is satisfied"]
    assert document["without_cases"] == [{"pack": "acme/own", "note": "no cases; write them in tests/own.yaml"}]
