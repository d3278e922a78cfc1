"""A scan that is killed or stopped goes on where it was: nothing is lost, and nothing is asked for twice."""

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

from lint.aws.collect import collect
from lint.live import snapshot as evidence
from lint.live.calls import Stopped
from lint.live.options import LiveOptions
from lint.live.scan import cache_folder, work_file
from lint.sources import LoadOptions, keep, load, parse
from tests.live.server import Aws, Request

ROOT = Path(__file__).resolve().parents[2]
SCAN = """
import sys
from pathlib import Path
from lint.live.options import LiveOptions
from lint.sources import keep, parse
keep(parse("aws:eu-west-1"), Path(sys.argv[1]), LiveOptions(rate=1000, burst=1000, calls_a_place=1))
"""


class Gate:
    """Holds the server's answer to the n-th request back until the scan is gone."""

    def __init__(self, number: int) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self._left = number
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> None:
        with self._lock:
            self._left -= 1
            held = self._left == 0
        if held:
            self.reached.set()
            self.open.wait(30)


def timeless(document: Any) -> Any:
    """A snapshot's document without what depends on when it was made and how often was asked."""
    hidden = ("time", "started", "finished", "sha256", "requests")
    if isinstance(document, dict):
        return {k: timeless(v) for k, v in document.items() if k not in hidden}
    if isinstance(document, list):
        return [timeless(each) for each in document]
    return document


@pytest.mark.parametrize("number", [2, 14, 30])
def test_a_killed_scan_goes_on_where_it_was(aws: Aws, options: LiveOptions, tmp_path: Path, number: int) -> None:
    aws.page_size = 2
    whole = tmp_path / "whole.json"
    keep(parse("aws:eu-west-1"), whole, options)
    undisturbed = Counter((r.service, r.action, r.token, r.parameters) for r in aws.requests)
    aws.requests.clear()

    file = tmp_path / "audit.json"
    aws.gate = gate = Gate(number)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", SCAN, str(file)], cwd=ROOT, env=environ)
    assert gate.reached.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    gate.open.set()
    aws.gate = None
    assert not file.exists()
    assert work_file(file).exists()
    before = Counter((r.service, r.action, r.token, r.parameters) for r in aws.requests)
    assert sum(before.values()) == number

    keep(parse("aws:eu-west-1"), file, replace(options, resume=True, collected={}))
    assert timeless(evidence.read(file).document()) == timeless(evidence.read(whole).document())
    asked = Counter((r.service, r.action, r.token, r.parameters) for r in aws.requests)
    assert asked.keys() == undisturbed.keys()
    twice = [key for key, times in asked.items() if times > 1 and key[1] != "GetCallerIdentity"]
    assert len(twice) <= 1, "only the request that was under way when the scan was killed"
    assert not work_file(file).exists()


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(
    aws: Aws, options: LiveOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "audit.json"
    stopped = threading.Event()

    def gate(request: Request) -> None:
        if request.action == "DescribeSubnets" and not stopped.is_set():
            stopped.set()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    aws.gate = gate
    with pytest.raises(
        Stopped, match=r"stopped: \d+ calls? .* complete and kept in .*audit\.json\.partial\.sqlite.*--resume"
    ):
        keep(parse("aws:eu-west-1"), file, options)
    aws.gate = None
    asked = Counter(r.action for r in aws.requests)
    keep(parse("aws:eu-west-1"), file, replace(options, resume=True, collected={}))
    after = Counter(r.action for r in aws.requests)
    assert after["DescribeVpcs"] == asked["DescribeVpcs"] == 1
    assert evidence.read(file).failures() == ()


def test_a_command_without_a_file_keeps_its_answers_in_the_users_cache(aws: Aws, options: LiveOptions) -> None:
    stopped = threading.Event()

    def gate(request: Request) -> None:
        if request.action == "DescribeNetworkAcls" and not stopped.is_set():
            stopped.set()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    aws.gate = gate
    chosen = replace(options, work=None)
    with pytest.raises(Stopped, match="scan-"):
        load([parse("aws:eu-west-1")], LoadOptions(live=chosen))
    (file,) = cache_folder().glob("scan-*.sqlite")
    aws.requests.clear()
    load([parse("aws:eu-west-1")], LoadOptions(live=replace(chosen, resume=True)))
    assert "DescribeVpcs" not in {r.action for r in aws.requests}
    assert not file.exists()


def test_an_account_that_changed_hands_is_not_resumed(
    aws: Aws, options: LiveOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lint.live.calls import LiveError
    from tests.live import world

    collect(["eu-west-1"], options)
    other = world.session("eu-west-1", world.OTHER).get_credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", other.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", other.secret_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", other.token)
    with pytest.raises(LiveError, match="was begun in account 123456789012, these credentials are of 222222222222"):
        collect(["eu-west-1"], replace(options, resume=True, collected={}))
