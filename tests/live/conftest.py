"""One AWS on loopback for the whole room, with the same small world in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lint.live.options import LiveOptions
from tests.live import world
from tests.live.server import Aws

Made = dict[str, dict[str, str]]


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[Aws, Made]]:
    """The server and the ids of what is in it, by place."""
    aws = Aws()
    aws.start()
    with pytest.MonkeyPatch.context() as patch:
        environment(patch, aws)
        made = {
            "eu-west-1": world.build("eu-west-1", block=10),
            "us-east-1": world.build("us-east-1", block=20),
            "other": world.build("eu-west-1", world.OTHER, block=30),
        }
        made["peering"] = {"id": world.peer(made["eu-west-1"], "eu-west-1", made["us-east-1"], "us-east-1")}
    yield aws, made
    aws.stop()


def environment(patch: pytest.MonkeyPatch, aws: Aws) -> None:
    """Credentials and endpoint for the server, nothing of the machine's own."""
    for name, value in {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
    }.items():
        patch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_MAX_ATTEMPTS"):
        patch.delenv(name, raising=False)


@pytest.fixture
def aws(running: tuple[Aws, Made], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    """The server, without faults."""
    running[0].calm()
    environment(monkeypatch, running[0])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield running[0]
    running[0].calm()


@pytest.fixture
def made(running: tuple[Aws, Made]) -> dict[str, dict[str, str]]:
    """The ids of what is in the server."""
    return running[1]


@pytest.fixture
def options(tmp_path: Path) -> LiveOptions:
    """Options for a test: quick retries, answers in a file of its own."""
    return LiveOptions(work=tmp_path / "scan.sqlite", backoff=0.001, attempts=3, rate=1000, burst=1000, progress=False)
