"""A scan of Azure: what it asks, what it keeps, and that every source tells the same."""

from __future__ import annotations

import json
from collections.abc import Callable

from lint.azure.collect import graph_of
from lint.live.snapshot import Snapshot
from tests.live.azure.server import Arm

Scan = Callable[..., Snapshot]


def test_all_subscriptions_that_the_identity_sees(arm: Arm, scan: Scan) -> None:
    snapshot = scan()
    assert snapshot.failures() == ()
    graph = graph_of(snapshot)
    assert graph.incomplete == ()
    assert {one.name for one in graph.endpoints.values()} == {
        "console", "agent-1", "agent-2", "db", "vault", "workers_0", "front"
    }  # fmt: skip


def test_secrets_are_never_stored(scan: Scan) -> None:
    text = json.dumps(scan().document())
    assert "secret" not in text
    assert "root-of-all" not in text
    assert "extensions" not in text
