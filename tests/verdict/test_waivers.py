"""Waivers: what somebody accepts until a day, and no more than that."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from lint.origin import Origin
from lint.verdict.options import CommentWaiver

ROLES = "console: [{addresses: [203.0.113.10/32]}]\ngateway: [{names: [gateway]}]"
FINDING = "prod/exclusive-flow"


def judge(tools, waivers="", comments=(), into=(("tcp/22", "10.0.0.0/8"),)):
    flow = tools.flow("exclusive", "console", "gateway", "tcp/22")
    world = tools.world().group("g", into).machine("gateway", "10.0.2.9", "g")
    return tools.judge(world, tools.pack(flow), ROLES, rest=waivers, comments=comments)


def waiver(finding=FINDING, expires="2026-12-31", where=None):
    lines = [f"waivers:\n  - finding: {finding}", "    reason: break-glass access", f"    expires: {expires}"]
    return "\n".join(lines + ([f"    where: {where}"] if where else [])) + "\n"


@pytest.mark.parametrize(
    ("expires", "verdict"),
    [("2026-06-16", "waived"), ("2026-06-15", "waived"), ("2026-06-14", "violated"), ("2020-01-01", "violated")],
)
def test_the_last_day_still_counts(tools, expires, verdict):
    judged = judge(tools, waiver(expires=expires))
    (finding,) = judged.findings
    assert finding.verdict == verdict
    if verdict == "waived":
        assert finding.waived_by == "break-glass access"
        assert judged.problems == ()
    else:
        assert any(f"expired on {expires}" in note for note in finding.notes)
        (problem,) = judged.problems
        assert (problem.severity, problem.origin.line) == ("warning", 9)
        assert "expired" in problem.text


@pytest.mark.parametrize(
    ("where", "verdict"),
    [
        ("aws_security_group.g", "waived"),
        ("aws_security_group.*", "waived"),
        ("aws_instance.gateway", "waived"),
        ("aws_security_group.other", "violated"),
    ],
)
def test_where_names_the_rule_or_the_endpoint(tools, where, verdict):
    judged = judge(tools, waiver(where=where))
    assert judged.findings[0].verdict == verdict
    assert bool(judged.problems) == (verdict == "violated")


def test_a_waiver_that_matches_nothing_is_said(tools):
    judged = judge(tools, waiver(), into=())
    assert judged.findings[0].verdict == "satisfied"
    (problem,) = judged.problems
    assert "matches no" in problem.text


def test_a_waiver_of_an_unknown_flow_is_a_mistake(tools):
    judged = judge(tools, waiver("prod/exclusive-flaw"))
    assert any(p.severity == "error" and "exclusive-flow" in (p.remedy or "") for p in judged.problems)


def comment(line, flow="exclusive-flow", until=datetime.date(2026, 12, 31), text=""):
    return CommentWaiver(flow, until, "agreed", Origin(file="main.tf", line=line, end_line=line), text)


# The group stands on lines 10 to 19, its first rule on line 11, its second on line 12.
@pytest.mark.parametrize(
    ("line", "verdict"), [(10, "waived"), (11, "waived"), (9, "violated"), (12, "violated"), (40, "violated")]
)
def test_a_comment_waives_the_rule_below_it_or_beside_it(tools, line, verdict):
    assert judge(tools, comments=(comment(line),)).findings[0].verdict == verdict


def test_a_comment_never_waives_another_rule(tools):
    rules = (("tcp/22", "10.0.0.0/8"), ("tcp/22", "172.16.0.0/12"))
    (finding,) = judge(tools, comments=(comment(11),), into=(rules[0], ("tcp/443", "10.0.0.0/8"), rules[1])).findings
    assert finding.verdict == "violated"
    assert any("isn't covered" in note for note in finding.notes)


def test_a_date_that_cannot_be_read_counts_as_expired(tools):
    judged = judge(tools, comments=(comment(11, until=None, text="soon"),))
    assert judged.findings[0].verdict == "violated"
    assert any("`soon`" in problem.text for problem in judged.problems)


def test_a_comment_names_its_flow(tools):
    assert judge(tools, comments=(comment(11, "gateway-*"),)).findings[0].verdict == "violated"
    assert judge(tools, comments=(comment(11, FINDING),)).findings[0].verdict == "waived"


def test_a_comment_leaves_a_rule_that_may_be_there_besides(tools):
    into = (("tcp/22", "10.0.0.0/8"), ("tcp/22", "?var.more"))
    (finding,) = judge(tools, comments=(comment(10),), into=into).findings
    assert finding.verdict == "violated"
    assert any("covers a part" in note for note in finding.notes)
    (finding,) = judge(tools, waiver(where="aws_security_group.g"), into=into).findings
    assert finding.verdict == "waived"


def test_a_comment_behind_a_rule_says_nothing_of_the_next_one(tools):
    into = (("tcp/443", "10.0.0.0/8"), ("tcp/22", "10.0.0.0/8"))
    below = comment(11)
    assert judge(tools, comments=(below,), into=into).findings[0].verdict == "waived"
    assert judge(tools, comments=(replace(below, alone=False),), into=into).findings[0].verdict == "violated"
