"""A scan of Azure that is killed or stopped goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lint.azure.collect import access
from lint.live import snapshot as evidence
from lint.live.calls import Stopped
from lint.live.options import LiveOptions
from lint.live.scan import work_file
from lint.sources import keep, parse
from tests.live.azure.ask import connection
from tests.live.azure.server import Arm, Refusal, Request

ROOT = Path(__file__).resolve().parents[3]
SCAN = """
import sys
from pathlib import Path
from lint.azure.collect import access
from lint.live.options import LiveOptions
from lint.sources import keep, parse
from tests.live.azure.ask import LoopbackAuth
access.connect = lambda _: access.Connection(None, host=sys.argv[2], policy=LoopbackAuth())
keep(parse("azure:"), Path(sys.argv[1]), LiveOptions(rate=1000, burst=1000, progress=False))
"""


class Gate:
    """Holds the server's answer to the n-th request back until the scan is gone."""

    def __init__(self, number: int) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self._left = number
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Refusal | None:
        with self._lock:
            self._left -= 1
            held = self._left <= 0
        if held:
            self.reached.set()
            self.open.wait(30)
        return None


def key(request: Request) -> tuple[str, str, str]:
    """What makes two requests the same."""
    return request.method, request.path, dict(request.query).get("$skiptoken", "")


def timeless(document: Any) -> Any:
    """A snapshot's document without what depends on when it was made and how often was asked."""
    hidden = ("time", "started", "finished", "sha256", "requests")
    if isinstance(document, dict):
        return {k: timeless(v) for k, v in document.items() if k not in hidden}
    if isinstance(document, list):
        return [timeless(each) for each in document]
    return document


@pytest.mark.parametrize("number", [3, 20, 40])
def test_a_killed_scan_goes_on_where_it_was(
    arm: Arm, options: LiveOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(access, "connect", lambda _: connection(arm))
    arm.page_size = 2
    whole = tmp_path / "whole.json"
    keep(parse("azure:"), whole, replace(options, collected={}))
    undisturbed = Counter(key(one) for one in arm.requests)
    arm.requests.clear()

    file = tmp_path / "audit.json"
    arm.judge = gate = Gate(number)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
    process = subprocess.Popen([sys.executable, "-c", SCAN, str(file), arm.url], cwd=ROOT, env=environ)
    assert gate.reached.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    gate.open.set()
    arm.judge = None
    assert not file.exists()
    assert work_file(file).exists()

    keep(parse("azure:"), file, replace(options, resume=True, collected={}))
    assert timeless(evidence.read(file).document()) == timeless(evidence.read(whole).document())
    asked = Counter(key(one) for one in arm.requests)
    assert asked.keys() == undisturbed.keys()
    twice = sum(times - undisturbed[one] for one, times in asked.items())
    assert twice <= options.places * options.calls_a_place, "only what was under way when the scan was killed"
    assert asked.total() - undisturbed.total() < number
    assert not work_file(file).exists()


def test_ctrl_c_says_what_is_kept(
    arm: Arm, options: LiveOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "connect", lambda _: connection(arm))
    file = tmp_path / "audit.json"
    stopped = threading.Event()

    def judge(request: Request) -> Refusal | None:
        if request.path.endswith("routeTables") and not stopped.is_set():
            stopped.set()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return None

    arm.judge = judge
    with pytest.raises(Stopped, match=r"stopped: \d+ calls .* kept in .*audit\.json\.partial\.sqlite.*--resume"):
        keep(parse("azure:"), file, options)
    keep(parse("azure:"), file, replace(options, resume=True, collected={}))
    assert len([one for one in arm.requests if one.path == "/subscriptions"]) == 1
    assert evidence.read(file).failures() == ()
