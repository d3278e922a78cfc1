"""A customer's dump of two subscriptions, REST lists and the CLI's form, judged against the vendor's pack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lint.azure import graph_from_documents
from lint.azure.from_api import is_dump, load_dump
from lint.cli import run

SITE = Path(__file__).resolve().parents[2] / "fixtures" / "azure-dumps" / "hyperbdr-block"


@pytest.mark.parametrize("kind", ["compliant", "broken"])
def test_every_file_is_read_and_every_thing_is_there(kind: str) -> None:
    documents, problems = load_dump(SITE / kind)
    assert problems == ()
    assert len(documents) == 11
    assert all(is_dump(one.data) for one in documents)
    graph = graph_from_documents(documents)
    assert {one.name for one in graph.endpoints.values()} == {"vm-sync-gateway", "vm-billing", "vm-orders"}
    assert {one.account for one in graph.endpoints.values()} == {
        "8f3d2a10-0000-4000-8000-00000000dd01",
        "8f3d2a10-0000-4000-8000-00000000dd02",
    }
    assert [one.active for one in graph.peerings.values()] == [True, True]
    assert graph.incomplete == ()


EXPECTED = {
    "compliant": set(),
    "broken": {
        ("prod-dr/block-agent-2", "tcp/13260"),  # a deny stands before the agents' rule
        ("prod-dr/gateway-ssh", "tcp/22"),  # the console's ports are open to the Internet
        ("prod-dr/gateway-driver", "tcp/10729"),
        ("prod-dr/gateway-control", "tcp/16100"),
    },
}


@pytest.mark.parametrize("kind", ["compliant", "broken"])
def test_the_pack_is_judged_on_a_dump(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["check", str(SITE / kind), "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert status == (1 if EXPECTED[kind] else 0)
    assert found["sources"][0]["complete"] is True
    assert found["summary"]["undetermined"] == 0
    violated = {(one["id"], one["service"]) for one in found["findings"] if one["verdict"] == "violated"}
    assert violated == EXPECTED[kind]


def test_a_rule_of_a_dump_has_its_line() -> None:
    documents, _ = load_dump(SITE / "broken")
    graph = graph_from_documents(documents)
    rule = next(one for held in graph.filters.values() for one in held.rules if one.name == "nobody-else-early")
    assert rule.origin.file is not None
    assert rule.origin.line is not None
    text = (SITE / "broken" / rule.origin.file).read_text(encoding="utf-8").splitlines()
    assert "securityRules/nobody-else-early" in text[rule.origin.line - 1]
