"""What a person sees of a scan under way: places and calls done, requests, time left.

Silent off a terminal and in CI.
"""

from __future__ import annotations

import os
import sys
import threading
from types import TracebackType
from typing import Any

from lint.live.calls import OK, Call


class Progress:
    """Counts in silence.

    `expect` says how many calls there are going to be at least; `end` may be called from any thread.
    """

    def __init__(self, scope: str = "account") -> None:
        """`scope` is the noun for what bounds an identity's rights: account, subscription."""
        self.scope = scope
        self.expected = 0
        self.done = 0
        self.failed = 0
        self.places: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        return None

    def expect(self, calls: int) -> None:
        """So many more calls are known to come."""
        with self._lock:
            self.expected += calls

    def begin(self, call: Call) -> None:
        """A call starts."""
        with self._lock:
            self.places.add((call.scope, call.region))

    def end(self, call: Call, status: str) -> None:
        """A call ended."""
        with self._lock:
            self.done += 1
            self.failed += status != OK
            self.expected = max(self.expected, self.done)
            self.show(call)

    def show(self, call: Call) -> None:
        """Tell a person; nothing here."""

    def line(self) -> str:
        """`2 accounts, 6 regions, 120 calls`; regions where there are any."""
        scopes = many(len({scope for scope, _ in self.places if scope}), self.scope)
        regions = len({place for place in self.places if place[1]})
        where = f"{scopes}, {many(regions, 'region')}" if self.scope == "account" else scopes
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{where}, {many(self.done, 'call')}{failed}"


def many(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class _Drawn(Progress):
    """A bar on standard error, drawn with rich."""

    def __init__(self, bar: Any, scope: str) -> None:
        super().__init__(scope)
        self._bar = bar
        self._task = bar.add_task("collecting", total=None, said="signing in")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bar.stop()

    def show(self, call: Call) -> None:
        self._bar.update(self._task, completed=self.done, total=self.expected, said=self.line())


def progress_for(wanted: bool, scope: str = "account") -> Progress:
    """A drawn progress on a terminal with rich installed, else a silent one."""
    if not wanted or os.environ.get("CI") or os.environ.get("TERM") == "dumb" or not sys.stderr.isatty():
        return Progress(scope)
    try:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
    except ImportError:
        return Progress(scope)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[said]}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return _Drawn(Bar(*columns, console=Console(stderr=True), transient=True), scope)
