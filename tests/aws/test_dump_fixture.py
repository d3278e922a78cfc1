"""The dump of one account that is shipped with the project: what passes in it, to the packet."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.aws import graph_from_documents
from lint.aws.from_api import load_dump
from lint.graph.graph import RuleGraph
from lint.reach import Party, between
from lint.reach.trace import party, trace
from lint.space.services import parse
from tests.aws.world import text

SITE = Path(__file__).resolve().parents[2] / "fixtures" / "aws-dumps" / "dr-site"


@pytest.fixture(scope="module")
def site() -> RuleGraph:
    documents, problems = load_dump(SITE)
    assert problems == ()
    return graph_from_documents(documents)


def test_everything_is_there(site: RuleGraph) -> None:
    assert {e.name: e.kind for e in site.endpoints.values()} == {
        "sync-gateway": "instance",
        "app-orders": "instance",
        "app-billing": "instance",
        "shared-db": "database",
    }
    assert site.notes == ()
    assert {e.account for e in site.endpoints.values()} == {"111122223333"}
    assert {e.region for e in site.endpoints.values()} == {"eu-west-1"}


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        ("app-orders", "sync-gateway", ["10.20.1.10/32 tcp/13260"]),
        ("app-billing", "app-orders", []),
        ("app-orders", "shared-db", []),  # the agents' group lets nothing out to it
        ("sync-gateway", "app-orders", ["10.20.2.9/32 icmp/8"]),
    ],
)
def test_between_machines_by_name(site: RuleGraph, source: str, destination: str, expected: list[str]) -> None:
    private = next(
        p
        for p in between(site, party(site, source), party(site, destination), parse("any")).paths
        if p.via == "private"
    )
    assert text(private.allowed.must) == expected


@pytest.mark.parametrize(
    ("source", "destination", "service", "verdict"),
    [
        ("203.0.113.10", "sync-gateway", "tcp/16100", "allowed"),
        ("203.0.113.12", "sync-gateway", "tcp/16100", "blocked"),
        ("internet", "sync-gateway", "tcp/22", "allowed"),
        ("app-orders", "203.0.113.10", "tcp/443", "allowed"),
        ("app-orders", "203.0.113.12", "tcp/443", "blocked"),
        ("internet", "app-orders", "tcp/443", "blocked"),
        ("i-0c1d2e3f4a5b60003", "10.20.2.9", "tcp/13260", "allowed"),
    ],
)
def test_traces(site: RuleGraph, source: str, destination: str, service: str, verdict: str) -> None:
    assert trace(site, source, destination, parse(service)).reach.verdict == verdict


def test_an_endpoint_may_be_asked_for_by_its_id(site: RuleGraph) -> None:
    assert party(site, "eni-0c1d2e3f4a5b60001") == Party(
        party(site, "eni-0c1d2e3f4a5b60001").text, endpoint="eni-0c1d2e3f4a5b60001"
    )
