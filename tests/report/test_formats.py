"""Every format renders the same findings inside its readers' limits, and takes hostile names for what they are."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lint.origin import Origin, Problem
from lint.report import github, html, junit, markdown, sarif, table, text
from lint.report import json as as_json
from lint.report.document import CheckReport
from lint.report.style import Style
from lint.sources import SourceReport
from lint.verdict.finding import Document, Finding, Fix, Lane, RuleAtFault, Side, Witness

HOSTILE = 'evil\x1b[31m"><script>alert(1)</script>\n::error::forged, %0A | `x` ]]> \x00'


def finding(number: int = 0, **changes: object) -> Finding:
    base = Finding(
        id=f"dr/flow-{number}",
        deployment="dr",
        pack="vendor/product",
        flow=f"flow-{number}",
        document=Document("Ports", "Gateway", "2"),
        kind="exclusive",
        verdict="violated",
        severity="error",
        source=Side(None, (), ("0.0.0.0/0",)),
        destination=Side("gateway", ("aws_instance.gateway",), ("10.0.2.9/32",)),
        service="tcp/22",
        sentence="anyone reaches tcp/22 of the gateway",
        excess=(Lane("0.0.0.0/0", "10.0.2.9/32", "tcp/22"),),
        rules=(
            RuleAtFault("aws_security_group.gateway", Origin(file="main.tf", line=3 + number, end_line=9), "g", "r"),
        ),
        witness=Witness("198.51.100.7", "10.0.2.9", "tcp", 22, 49152),
        fix=Fix("narrow the rule", True, "--- a/main.tf\n+++ b/main.tf\n@@ -1 +1 @@\n-a\n+b\n"),
        fingerprint=f"{number:064x}",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def report(*findings: Finding, problems: tuple[Problem, ...] = ()) -> CheckReport:
    source = SourceReport(".", "terraform", True, (), {"files": 1, "resources": {"seen": 3, "modelled": 2}})
    return CheckReport("1.2.3", (source,), findings, problems, Path())


def test_what_waits_for_an_unread_file_alone_is_said_once() -> None:
    waiting = [
        finding(at, verdict="undetermined", as_read=as_read, unknown=("half.tf can't be parsed",))
        for at, as_read in enumerate(("satisfied", "satisfied", "violated"))
    ]
    open_ = finding(9, verdict="undetermined", sentence="nobody knows who")
    said = text.render(report(*waiting, open_), Style(False))
    assert "3 findings until the whole source can be read; by what was read, 2 kept and 1 not kept" in said
    assert said.count("half.tf can't be parsed") == 1 and "nobody knows who" in said
    assert text.render(report(*waiting), Style(False), verbose=True).count("half.tf can't be parsed") == 3


RENDERERS: dict[str, Callable[[CheckReport], str]] = {
    "text": lambda r: text.render(r, Style(False)),
    "json": as_json.render,
    "sarif": sarif.render,
    "junit": junit.render,
    "github": github.render,
    "markdown": markdown.render,
    "html": html.render,
    "csv": table.render,
}


@pytest.mark.parametrize("kind", RENDERERS)
def test_an_empty_report_renders(kind: str) -> None:
    assert RENDERERS[kind](report()) is not None


@pytest.mark.parametrize("kind", RENDERERS)
def test_names_from_strangers_drive_no_reader(kind: str) -> None:
    hostile = finding(
        sentence=HOSTILE,
        source=Side(None, (HOSTILE,), ()),
        rules=(RuleAtFault(HOSTILE, Origin(file="main.tf", line=1)),),
        fix=Fix(HOSTILE, True, commands=(f"az network nsg rule delete --name '{HOSTILE}'",)),
    )
    out = RENDERERS[kind](report(hostile, problems=(Problem("warning", HOSTILE),)))
    assert "\x1b" not in out
    assert "\n::error::forged" not in out
    if kind == "html":
        assert "<script>" not in out
    if kind == "markdown":  # inside a fence that nothing in it can close, text is literal
        assert "<script>" not in re.sub(r"(?ms)^(`{3,})\w*$.*?^\1$", "", out)
    if kind == "junit":
        ElementTree.fromstring(out)
    if kind in ("json", "sarif"):
        json.loads(out)


def test_json_holds_what_the_contract_names() -> None:
    document = json.loads(as_json.render(report(finding())))
    assert document["schema"] == 1
    assert document["tool"] == {"name": "netpact", "version": "1.2.3"}
    assert document["summary"]["violated"] == 1
    one = document["findings"][0]
    assert one["from"] == {"role": None, "endpoints": [], "addresses": ["0.0.0.0/0"]}
    assert one["rules"][0]["origin"]["file"] == "main.tf"
    assert one["rules"][0]["origin"]["line"] == 3
    assert one["excess"][0]["service"] == "tcp/22"
    assert one["fix"]["verified"] is True
    assert "files" not in one["fix"]
    assert one["witness"] == {
        "from": "198.51.100.7",
        "to": "10.0.2.9",
        "protocol": "tcp",
        "port": 22,
        "source_port": 49152,
    }


def test_annotations_stay_below_what_github_shows_and_say_what_is_left_out() -> None:
    lines = github.render(report(*(finding(n) for n in range(25)))).splitlines()
    assert len(lines) == 10
    assert all(line.startswith("::error ") for line in lines)
    assert "and 16 more" in lines[-1]
    assert lines[0].startswith("::error file=main.tf,line=3,endLine=9,title=dr/flow-0::")


def test_sarif_has_one_rule_a_flow_stable_fingerprints_and_only_findings_that_ask_for_attention() -> None:
    log = json.loads(sarif.render(report(finding(1), finding(1, verdict="satisfied"), finding(2, verdict="waived"))))
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["dr/flow-1"]
    (result,) = run["results"]
    assert result["partialFingerprints"]["primaryLocationLineHash"].startswith(f"{1:064x}")
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 4, "endLine": 9}


def test_a_filter_that_lacks_a_rule_is_shown_by_its_first_line_and_an_open_question_as_a_warning() -> None:
    group = Origin(file="main.tf", line=3, end_line=90)
    lacks = finding(
        1, rules=(RuleAtFault("aws_security_group.gateway", group, "g"),), verdict="undetermined", severity="warning"
    )
    (run,) = json.loads(sarif.render(report(lacks)))["runs"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "endLine": 3}
    assert run["results"][0]["level"] == "warning"
    assert github.render(report(lacks)).startswith("::warning file=main.tf,line=3,endLine=3,")


def test_sarif_points_to_the_call_where_the_code_is_an_installed_module() -> None:
    call = Origin(file="apps.tf", line=7)
    inside = Origin(file=".terraform/modules/sg/main.tf", line=90, calls=(call,))
    log = json.loads(sarif.render(report(finding(rules=(RuleAtFault("module.sg.x", inside),)))))
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("apps.tf")
    assert place["region"]["startLine"] == 7


def test_junit_counts_failures_errors_and_skips() -> None:
    out = junit.render(
        report(
            finding(1),
            finding(2, verdict="undetermined"),
            finding(3, verdict="waived"),
            finding(4, verdict="satisfied"),
        )
    )
    suite = ElementTree.fromstring(out).find("testsuite")
    assert suite is not None
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }


def test_markdown_is_cut_below_the_size_of_a_comment() -> None:
    big = finding(fix=Fix("x", True, "+" + "y" * 5000 + "\n"))
    out = markdown.render(report(*(replace(big, id=f"dr/{n}") for n in range(50))))
    assert len(out.encode()) < 65536
    assert "more findings" in out


def test_csv_cells_are_no_formulas() -> None:
    rows = list(csv.reader(io.StringIO(table.render(report(finding(sentence="=cmd|' /C calc'!A0"))))))
    assert rows[1][rows[0].index("sentence")].startswith("'=")


def test_text_shows_the_line_at_fault_and_the_fix_under_it(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('a\nb\nresource "aws_security_group" "gateway" {\n  x = 1\n}\n')
    shown = text.render(replace(report(finding()), base=tmp_path), Style(False))
    assert '3 | resource "aws_security_group" "gateway" {' in shown
    assert "^^^^^^^^" in shown
    assert shown.index("^^^^") < shown.index("fix (checked): narrow the rule") < shown.index("Summary: 1 violated")
    assert "\x1b" not in shown


def test_colours_appear_only_where_they_are_asked_for() -> None:
    assert "\x1b[" in text.render(report(finding()), Style(True))


def test_a_comment_stays_below_the_limit_whatever_there_is_to_say() -> None:
    problems = tuple(
        Problem("warning", f"the expression number {n} can't be computed " + "x" * 100) for n in range(900)
    )
    many = [finding(n, destination=Side("gateway", ("module.network." * 9,), ())) for n in range(900)]
    said = markdown.render(report(*many, problems=(*problems, Problem("error", "broken"))))
    assert len(said.encode()) < 65_536
    assert "- **error**: broken" in said
    assert re.search(r"…and \d+ more messages", said)
    assert re.search(r"…and \d+ more findings", said)


def test_of_many_open_questions_of_one_flow_a_few_are_shown_in_full() -> None:
    many = [
        finding(0, verdict="undetermined", destination=Side("agent", (f"aws_instance.a{n}",), ())) for n in range(20)
    ]
    said = text.render(report(*many), Style(False))
    assert said.count("document:") == 3
    assert "? undetermined flow-0  17 more  tcp/22" in said
    assert "anyone (0.0.0.0/0) → agent (aws_instance.a3)" in said
    assert text.render(report(*many), Style(False), verbose=True).count("document:") == 20
    violated = [replace(one, verdict="violated") for one in many]
    assert text.render(report(*violated), Style(False)).count("document:") == 20


def test_the_page_begins_with_what_is_wrong_and_names_rules_of_an_account() -> None:
    fine = finding(0, verdict="satisfied", rules=(), fix=None)
    wrong = finding(1, rules=(RuleAtFault("sg-1", Origin(resource_id="sgr-0abc", account="111122223333")),))
    page = html.render(report(fine, wrong))
    assert page.index("<b>flow-1</b>") < page.index("<b>flow-0</b>")
    assert "<dt>where</dt><dd>sgr-0abc" in page


def test_paper_shows_what_the_screen_folds() -> None:
    page = html.render(report(finding(0, verdict="satisfied")))
    assert re.search(r"@media print \{[^@]*details::details-content \{ content-visibility: visible", page)
