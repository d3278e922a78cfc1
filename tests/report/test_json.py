"""The JSON of findings has the documented shape, every key always there."""

from __future__ import annotations

import json

from lint.origin import Origin
from lint.report.json import finding_json, findings_json
from lint.verdict.finding import Blocker, Document, Finding, Fix, Lane, RuleAtFault, Side, Witness

FINDING = Finding(
    id="prod-dr/block-agent-2",
    deployment="prod-dr",
    pack="hyperbdr/saas-block-storage",
    flow="block-agent-2",
    document=Document("Title", "Section", "2"),
    kind="required",
    verdict="violated",
    severity="error",
    source=Side("agent", ("aws_instance.app[0]",), ("10.0.1.5/32",)),
    destination=Side("cloud-sync-gateway", ("aws_instance.gateway",), ()),
    service="tcp/13260",
    sentence="no rule lets it in",
)
KEYS = [
    "id",
    "deployment",
    "pack",
    "flow",
    "document",
    "kind",
    "verdict",
    "severity",
    "from",
    "to",
    "service",
    "missing",
    "excess",
    "layers",
    "blocked_by",
    "rules",
    "witness",
    "unknown",
    "fix",
    "fingerprint",
]


def test_a_bare_finding_has_every_key():
    document = finding_json(FINDING)
    assert set(KEYS) <= set(document)
    assert document["from"] == {"role": "agent", "endpoints": ["aws_instance.app[0]"], "addresses": ["10.0.1.5/32"]}
    assert document["witness"] is None
    assert document["fix"] is None
    json.dumps(document)


def test_evidence_is_plain_data():
    from dataclasses import replace

    place = Origin(file="main.tf", line=12, end_line=18, address="aws_security_group.gateway")
    full = replace(
        FINDING,
        missing=(Lane("10.0.1.5/32", "10.0.2.9/32", "tcp/13260"),),
        excess=(Lane(None, "10.0.2.9/32", "tcp/22", source_name="aws_security_group.x"),),
        blocked_by=(Blocker("security_group", "ingress", "aws_security_group.gateway", place, "why"),),
        rules=(RuleAtFault("aws_security_group.gateway", place),),
        witness=Witness("10.0.1.5", "10.0.2.9", "tcp", 13260, 49152),
        fix=Fix("add a rule", True, "--- a\n+++ b\n"),
    )
    (document,) = findings_json([full])
    assert document["missing"] == [{"from": "10.0.1.5/32", "to": "10.0.2.9/32", "service": "tcp/13260"}]
    assert document["excess"] == [
        {"from": None, "to": "10.0.2.9/32", "service": "tcp/22", "from_name": "aws_security_group.x"}
    ]
    assert document["blocked_by"][0]["origin"] == {
        "file": "main.tf",
        "line": 12,
        "end_line": 18,
        "address": "aws_security_group.gateway",
    }
    assert document["rules"] == [
        {"address": "aws_security_group.gateway", "origin": document["blocked_by"][0]["origin"]}
    ]
    assert document["witness"] == {
        "from": "10.0.1.5",
        "to": "10.0.2.9",
        "protocol": "tcp",
        "port": 13260,
        "source_port": 49152,
    }
    assert document["fix"] == {"summary": "add a rule", "verified": True, "patch": "--- a\n+++ b\n", "commands": []}


def test_a_packet_of_icmp_has_a_type_and_a_code():
    from dataclasses import replace

    packet = Witness("10.0.1.5", None, "icmp", None, None, 8, 0)
    assert finding_json(replace(FINDING, witness=packet))["witness"] == {
        "from": "10.0.1.5",
        "to": None,
        "protocol": "icmp",
        "port": None,
        "source_port": None,
        "icmp_type": 8,
        "icmp_code": 0,
    }
