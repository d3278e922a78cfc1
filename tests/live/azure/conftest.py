"""One ARM server for each test, with the same small landscape behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lint.azure.collect import collect
from lint.azure.collect.access import Connection
from lint.live.options import LiveOptions
from lint.live.snapshot import Snapshot
from tests.live.azure import world
from tests.live.azure.ask import connection
from tests.live.azure.server import Arm

Scan = Callable[..., Snapshot]


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Arm]:
    """The server with the landscape, without faults."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server = Arm()
    world.build(server)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def options(tmp_path: Path) -> LiveOptions:
    """Options for a test: quick retries, answers in a file of its own."""
    return LiveOptions(
        work=tmp_path / "scan.sqlite",
        backoff=0.001,
        longest_wait=0.05,
        attempts=3,
        rate=1000,
        burst=1000,
        progress=False,
    )


@pytest.fixture
def scan(arm: Arm, options: LiveOptions) -> Scan:
    """Scans the server: `scan("SUBSCRIPTION", ...)`, with other options where they are given."""

    def run(*scope: str, using: LiveOptions | None = None, over: Connection | None = None, **more: Any) -> Snapshot:
        chosen = using or options
        chosen.collected.clear()
        return collect(scope, chosen, over or connection(arm, **more))

    return run
