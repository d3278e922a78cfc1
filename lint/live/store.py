"""The answers of one scan, written to an SQLite file as they arrive, so that a killed scan can go on where it was.

Holds no credentials. Everything in it is keyed by call and page; times are UTC.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lint.live.calls import OK, Call, LiveError, Page, canonical

VERSION = 1
_TABLES = """
CREATE TABLE scan (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE page (
    scope TEXT, region TEXT, operation TEXT, parameters TEXT, number INTEGER,
    time TEXT NOT NULL, next TEXT, body BLOB NOT NULL,
    PRIMARY KEY (scope, region, operation, parameters, number));
CREATE TABLE outcome (
    scope TEXT, region TEXT, operation TEXT, parameters TEXT,
    status TEXT NOT NULL, error TEXT NOT NULL, time TEXT NOT NULL,
    PRIMARY KEY (scope, region, operation, parameters));
CREATE TABLE request (operation TEXT PRIMARY KEY, made INTEGER NOT NULL);
"""
_KEY = "scope = ? AND region = ? AND operation = ? AND parameters = ?"


@dataclass(frozen=True, slots=True)
class Kept:
    """One page as it is kept: when it arrived, its body, and the token of the page behind it."""

    time: str
    body: Any
    next: str | None


def now() -> str:
    """This moment in UTC, to the second: `2027-01-31T09:00:00Z`."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """One scan's file. All methods may be called from any thread; each change is on disk when its method returns."""

    def __init__(self, path: Path, plan: Mapping[str, Any], *, resume: bool = False) -> None:
        """Begin a scan, or go on with the one in `path`. `plan` is JSON that says what is scanned and how.

        Raises LiveError where there is nothing to resume, where the file belongs to a scan with another plan, where
        another process is writing it, or where it can't be written.
        """
        self.path = path
        self._lock = threading.Lock()
        known = path.exists()
        if resume and not known:
            raise LiveError(f"there is no scan to resume at {path}; leave --resume away to start one")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not known:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._db = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._begin(canonical(plan), resume)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise LiveError(f"another netpact is writing {path}; wait for it to end") from error
            raise LiveError(f"{path} can't be written: {error}") from error
        except sqlite3.DatabaseError as error:
            raise LiveError(f"{path} is not a scan of netpact; remove it, or name another file") from error
        except OSError as error:
            raise LiveError(f"{path} can't be written: {error.strerror}") from error

    def _begin(self, plan: str, resume: bool) -> None:
        with self._change():
            names = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not resume:
                for name in sorted(names & {"scan", "page", "outcome", "request"}):
                    self._db.execute(f"DROP TABLE {name}")
                names = set()
            if not names:
                for statement in _TABLES.split(";"):
                    self._db.execute(statement)
                self._note("version", VERSION)
                self._note("plan", plan)
                self._note("started", now())
                return
            if "scan" not in names or self._read("version") != VERSION:
                raise LiveError(f"{self.path} was written by another version of netpact; leave --resume away")
            if self._read("plan") != plan:
                raise LiveError(
                    f"{self.path} belongs to a scan with other arguments; give the same ones, or leave --resume away"
                )
            # What failed may succeed now; what arrived is never asked for again.
            self._db.execute("DELETE FROM outcome WHERE status <> ?", (OK,))

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # What is known of the scan as a whole

    def note(self, name: str, value: Any) -> None:
        """Keep one fact (JSON) about the scan, such as who the caller is."""
        with self._change():
            self._note(name, value)

    def noted(self, name: str) -> Any:
        """A fact that was kept; None where there is none."""
        with self._lock:
            return self._read(name)

    def _note(self, name: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO scan VALUES (?, ?)", (name, canonical(value)))

    def _read(self, name: str) -> Any:
        row = self._db.execute("SELECT value FROM scan WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def count(self, operation: str) -> None:
        """One more request of this operation was sent, whatever came of it."""
        with self._change():
            self._db.execute(
                "INSERT INTO request VALUES (?, 1) ON CONFLICT (operation) DO UPDATE SET made = made + 1", (operation,)
            )

    def counts(self) -> dict[str, int]:
        """How many requests were sent, by operation."""
        with self._lock:
            return dict(self._db.execute("SELECT operation, made FROM request ORDER BY operation").fetchall())

    # Calls

    def add(self, call: Call, number: int, page: Page) -> None:
        """Keep one page, counted from 0."""
        body = zlib.compress(canonical(page.body).encode(), 1)
        with self._change():
            self._db.execute(
                "INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (call.scope, call.region, call.operation, call.parameters, number, now(), page.next, body),
            )

    def finish(self, call: Call, status: str, error: str = "") -> None:
        """Say what a call came to."""
        with self._change():
            self._db.execute(
                "INSERT OR REPLACE INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?)",
                (call.scope, call.region, call.operation, call.parameters, status, error, now()),
            )

    def forget(self, call: Call) -> None:
        """Drop the pages of a call that has to begin anew."""
        with self._change():
            self._db.execute(f"DELETE FROM page WHERE {_KEY}", _key(call))

    def withdraw(self, call: Call) -> None:
        """Drop a call as if it had never been made: what it would have told is asked for in another way."""
        with self._change():
            self._db.execute(f"DELETE FROM page WHERE {_KEY}", _key(call))
            self._db.execute(f"DELETE FROM outcome WHERE {_KEY}", _key(call))

    def outcome(self, call: Call) -> tuple[str, str] | None:
        """Status and error of a call; None where it isn't finished."""
        with self._lock:
            row = self._db.execute(f"SELECT status, error FROM outcome WHERE {_KEY}", _key(call)).fetchone()
        return None if row is None else (row[0], row[1])

    def pages(self, call: Call) -> list[Kept]:
        """The pages of a call that arrived, in order."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT time, body, next FROM page WHERE {_KEY} ORDER BY number", _key(call)
            ).fetchall()
        return [Kept(time, json.loads(zlib.decompress(body)), token) for time, body, token in rows]

    def calls(self) -> list[tuple[Call, str, str, str]]:
        """Every finished call with its status, error and time, sorted by call."""
        with self._lock:
            rows = self._db.execute(
                "SELECT scope, region, operation, parameters, status, error, time FROM outcome ORDER BY 1, 2, 3, 4"
            ).fetchall()
        return [(Call(*row[:4]), row[4], row[5], row[6]) for row in rows]

    def holds_anything(self) -> bool:
        """Whether a page arrived or a call was finished: what --resume could go on with."""
        with self._lock:
            return any(self._db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in ("page", "outcome"))

    def close(self) -> None:
        """Let go of the file, keeping it."""
        with self._lock:
            self._db.close()


def remove(path: Path) -> None:
    """Delete a scan's file: its scan is complete and kept elsewhere."""
    for end in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{end}").unlink(missing_ok=True)


def _key(call: Call) -> tuple[str, str, str, str]:
    return (call.scope, call.region, call.operation, call.parameters)
