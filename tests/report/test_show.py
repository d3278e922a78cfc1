"""The rule graph for a person: where a machine stands, and each unknown thing once."""

from __future__ import annotations

from dataclasses import replace

from lint.graph.rules import Direction
from lint.origin import Reason
from lint.report.show import render_text
from lint.report.style import Style
from tests.reach.build import graph, machine, network, open_acl, rule, security_group, subnet

UNKNOWN = Reason("var.admins has no value")


def test_a_machine_stands_in_a_subnet_with_its_filters() -> None:
    place = subnet("subnet-1", "10.0.1.0/24", acl="acl-1")
    text = render_text(
        graph(network("vpc-1", "10.0.0.0/16"), open_acl("acl-1"), place, machine("i-1", "10.0.1.5", subnet=place)),
        Style(False),
    )
    assert "    subnet: subnet-1 (10.0.1.0/24), filters: acl-1\n" in text


def test_what_several_rules_lack_is_said_once() -> None:
    group = security_group(
        "sg-1", *(rule("in", f"tcp/{n}", "10.0.0.0/8") for n in (22, 80, 443)), rule("out", "any", "::/0")
    )
    rules = [replace(one, reasons=(UNKNOWN,)) if one.direction is Direction.INGRESS else one for one in group.rules]
    implied = replace(group.rules[0], id="implied", implied=True, reasons=(UNKNOWN, Reason("a peering isn't known")))
    text = render_text(graph(replace(group, rules=(*rules, implied, replace(implied, id="more")))), Style(False))
    assert text.count("var.admins has no value") == 1
    assert text.count("unknown: the same") == 2
    assert text.count("a peering isn't known") == 1


def test_a_rule_whose_peers_are_unknown_is_not_for_nobody() -> None:
    group = security_group("sg-1", rule("in", "tcp/22", "10.0.0.0/8"))
    (open_,) = group.rules
    text = render_text(graph(replace(group, rules=(replace(open_, peers=(), reasons=(UNKNOWN,)),))), Style(False))
    assert "ingress allow tcp/22 from addresses not known yet" in text
