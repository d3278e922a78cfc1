"""Every report of a live account says how much was asked of whom, and which calls failed where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lint.live.calls import DENIED, OK, Call
from lint.live.snapshot import Part, Snapshot
from lint.origin import Problem
from lint.report import html, live, markdown, snapshot, text
from lint.report import json as as_json
from lint.report.document import CheckReport
from lint.report.style import Style
from lint.sources import SourceReport

PLAIN = Style(False)
WHY = "UnauthorizedOperation: no"


def scanned(*calls: tuple[str, str, str, str], cloud: str = "aws", requests: dict[str, int] | None = None) -> Snapshot:
    """A scan of these calls: account, region, operation, status."""
    parts = tuple(
        Part(Call.of(scope, region, operation), status, "" if status == OK else WHY, "t", ())
        for scope, region, operation, status in calls
    )
    sent = requests or {operation: 1 for _, _, operation, _ in calls}
    return Snapshot(cloud, f"{cloud}:", "t0", "t1", {}, sent, parts)


TWO = scanned(
    *((account, region, "ec2.describe_vpcs", OK) for account in ("111", "222") for region in ("eu", "us")),
    ("111", "eu", "ec2.describe_nat_gateways", DENIED),
    ("222", "us", "ec2.describe_nat_gateways", DENIED),
    requests={"ec2.describe_vpcs": 4, "ec2.describe_nat_gateways": 2, "sts.get_caller_identity": 1},
)


def report(kept: Snapshot) -> CheckReport:
    problems = tuple(
        Problem("warning", f"{a.call.where()}: {a.call.what()} {a.status}: {a.error}") for a in kept.failures()
    )
    source = SourceReport("aws:", "aws", not problems, (), kept.coverage())
    return CheckReport("1", (source,), (), problems, Path())


ASKED = (
    "2 accounts, 4 regions, 7 requests (4 ec2.describe_vpcs, 2 ec2.describe_nat_gateways, 1 sts.get_caller_identity), "
    "2 of 6 calls failed"
)
FAILED = f"ec2.describe_nat_gateways denied (111 eu, 222 us): {WHY}"


def test_text_says_it_in_one_line_with_the_failed_calls_below() -> None:
    lines = text.render(report(TWO), PLAIN).splitlines()
    at = lines.index(f"aws: (aws): incomplete; {ASKED}")
    assert lines[at + 1] == f"  not complete: {FAILED}"
    assert sum("describe_nat_gateways" in line for line in lines) == 2, "and not as messages once more"
    verbose = text.render(report(TWO), PLAIN, verbose=True)
    assert "  7 requests: 2 ec2.describe_nat_gateways, 4 ec2.describe_vpcs, 1 sts.get_caller_identity\n" in verbose


def test_a_complete_account_is_named_too() -> None:
    said = text.render(report(scanned(("111", "eu", "ec2.describe_vpcs", OK))), PLAIN)
    assert "aws: (aws): complete; 1 account, 1 region, 1 request (1 ec2.describe_vpcs)\n" in said


def test_the_other_reports_say_the_same() -> None:
    assert ASKED in markdown.render(report(TWO)).replace("&#95;", "_").replace("&#40;", "(").replace("&#41;", ")")
    page = html.render(report(TWO))
    assert ASKED in page and FAILED in page
    kept = snapshot.render_text(TWO, Path("audit.json"), PLAIN)
    assert kept.startswith("audit.json: 4 of 6 calls complete, 2 accounts, 4 regions, t0 to t1\n7 requests: ")
    assert f"not complete: {FAILED}\n" in kept
    coverage = json.loads(as_json.render(report(TWO)))["sources"][0]["coverage"]
    assert (coverage["cloud"], coverage["requests"]["ec2.describe_vpcs"]) == ("aws", 4)


def test_azure_has_subscriptions() -> None:
    kept = scanned(("s-1", "", "network.nsgs", OK), ("s-1", "westeurope", "network.tags", OK), cloud="azure")
    assert live.asked(kept.coverage()) == "1 subscription, 2 requests (1 network.nsgs, 1 network.tags)"


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        ({}, "0 requests"),
        ({f"x{n}": 1 for n in range(9)}, "9 requests (9 kinds 1 each)"),
        ({"a": 12} | {f"x{n}": 2 for n in range(5)} | {"b": 1}, "23 requests (12 a, 5 kinds 2 each, 1 b)"),
        ({f"x{n}": n + 1 for n in range(9)}, "45 requests (9 x8, 8 x7, 7 x6, 6 x5, 5 x4, 4 kinds 1-4 each)"),
    ],
)
def test_kinds_that_were_asked_for_as_often_are_told_together(requests: dict[str, int], said: str) -> None:
    coverage = {**scanned().coverage(), "requests": requests}
    assert live.asked(coverage) == f"0 accounts, 0 regions, {said}"


def test_of_many_failures_each_kind_is_named_once_with_its_places() -> None:
    kept = scanned(*((f"{n:03}", "eu", "ec2.describe_vpcs", DENIED) for n in range(50)))
    (line,) = live.failed(kept.coverage())
    assert line.startswith("ec2.describe_vpcs denied (000 eu, 001 eu,")
    assert "005 eu and 44 more): " in line
    many = scanned(*(("111", f"eu-{n}", f"ec2.describe_{n}", DENIED) for n in range(50)))
    assert len(list(live.failed(many.coverage()))) == 21
    closed = scanned(*(("111", "eu", f"ec2.describe_{n}", DENIED) for n in range(10, 50)))
    assert list(live.failed(closed.coverage())) == [f"ec2.describe_10 and 39 other calls denied (111 eu): {WHY}"]
