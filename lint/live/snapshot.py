"""A finished scan as evidence: every raw answer with where and when it was given, sealed with SHA-256. Knows no cloud.

The file is JSON, as it is, compressed with gzip (`.gz`) or with Zstandard (`.zst`). Each part holds one call; its
`sha256` is that of the part's canonical JSON without it. The whole's `content_sha256` covers what was answered and
not when: two scans of an unchanged account agree in it. `sha256` covers everything.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lint.live.calls import OK, Answer, Call, LiveError, canonical
from lint.live.store import Store, now
from lint.version import __version__

FORMAT = 1
MOST_BYTES = 4 << 30  # of a snapshot when it is unpacked
ZSTANDARD, GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_INSTALL = "install it with `pip install 'netpact[live]'`, or name the file .json.gz or .json"


@dataclass(frozen=True, slots=True)
class Part:
    """One call and what it came to. `pages` are (time, body); unless `status` is "ok" they count as nothing."""

    call: Call
    status: str
    error: str
    time: str
    pages: tuple[tuple[str, Any], ...]

    def answer(self) -> Answer:
        """The bodies alone."""
        return Answer(
            self.call, self.status, self.error, tuple(body for _, body in self.pages) if self.status == OK else ()
        )

    def document(self) -> dict[str, Any]:
        """The part as JSON, with its hash."""
        plain = {
            "scope": self.call.scope,
            "region": self.call.region,
            "operation": self.call.operation,
            "parameters": json.loads(self.call.parameters),
            "status": self.status,
            "error": self.error,
            "time": self.time,
            "pages": [{"time": time, "body": body} for time, body in self.pages],
        }
        return {**plain, "sha256": _hash(plain)}

    def content(self) -> str:
        """Hash of what was answered, without when."""
        call = self.call
        bodies = [body for _, body in self.pages] if self.status == OK else []
        return _hash([call.scope, call.region, call.operation, call.parameters, self.status, bodies])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One finished scan. `cloud` and `source` say of what; `facts` what the collector noted of it (who called).

    `parts` are sorted by call; `requests` counts all that were sent, by operation, repeated ones too.
    """

    cloud: str
    source: str
    started: str
    finished: str
    facts: Mapping[str, Any]
    requests: Mapping[str, int]
    parts: tuple[Part, ...]
    tool: str = __version__

    def answers(self) -> Iterator[Answer]:
        """Every call's answer, sorted by call."""
        for part in self.parts:
            yield part.answer()

    def failures(self) -> tuple[Answer, ...]:
        """The calls that gave nothing that may count."""
        return tuple(part.answer() for part in self.parts if part.status != OK)

    def coverage(self) -> dict[str, Any]:
        """How much was asked and what failed, as plain JSON for the report."""
        return {
            "cloud": self.cloud,
            "scopes": len({p.call.scope for p in self.parts if p.call.scope}),
            "regions": len({(p.call.scope, p.call.region) for p in self.parts if p.call.region}),
            "calls": {"made": len(self.parts), "complete": sum(1 for p in self.parts if p.status == OK)},
            "requests": dict(sorted(self.requests.items())),
            "failed": [
                {
                    "account": a.call.scope,
                    "region": a.call.region,
                    "call": a.call.operation,
                    "parameters": json.loads(a.call.parameters),
                    "status": a.status,
                    "error": a.error,
                }
                for a in self.failures()
            ],
        }

    def content(self) -> str:
        """Hash of what was answered, the same for two scans of an unchanged account."""
        return _hash([part.content() for part in self.parts])

    def document(self) -> dict[str, Any]:
        """The whole as JSON, sealed."""
        parts = [part.document() for part in self.parts]
        head = {
            "netpact_snapshot": FORMAT,
            "tool": {"name": "netpact", "version": self.tool},
            "cloud": self.cloud,
            "source": self.source,
            "started": self.started,
            "finished": self.finished,
            "facts": dict(self.facts),
            "requests": dict(self.requests),
            "content_sha256": self.content(),
        }
        return {**head, "sha256": _seal(head, parts), "parts": parts}


def from_store(store: Store, cloud: str, source: str, facts: Iterable[str] = ()) -> Snapshot:
    """What a store holds, as a snapshot; `facts` are the names of notes to take along."""
    parts = []
    for call, status, error, time in store.calls():
        pages = tuple((page.time, page.body) for page in store.pages(call)) if status == OK else ()
        parts.append(Part(call, status, error, time, pages))
    return Snapshot(
        cloud=cloud,
        source=source,
        started=str(store.noted("started")),
        finished=now(),
        facts={name: value for name in facts if (value := store.noted(name)) is not None},
        requests=store.counts(),
        parts=tuple(sorted(parts, key=lambda part: part.call)),
    )


def write(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot in the form that the file's name asks for, all of it or nothing. Raises LiveError."""
    data = (json.dumps(snapshot.document(), sort_keys=True, separators=(",", ":")) + "\n").encode()
    if path.name.endswith(".zst"):
        data = _zstandard("write", path).ZstdCompressor(level=9, write_checksum=True).compress(data)
    elif path.name.endswith(".gz"):
        import gzip

        data = gzip.compress(data, 9, mtime=0)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise LiveError(f"{path} can't be written: {error.strerror}") from error


def check_target(path: Path) -> None:
    """Raises LiveError where a snapshot could not be written to `path`: said before the scan, not after it."""
    if path.name.endswith(".zst"):
        _zstandard("write", path)
    elif not path.name.endswith((".json", ".json.gz")):
        raise LiveError(f"{path}: a snapshot's name ends in .json.zst, .json.gz or .json")
    if not path.parent.is_dir():
        raise LiveError(f"{path} can't be written: there is no folder {path.parent}")


def is_snapshot(start: bytes) -> bool:
    """Whether a file that starts so may be a snapshot: compressed, or JSON that says so at once."""
    return start.startswith((ZSTANDARD, GZIP))


def read(path: Path) -> Snapshot:
    """Read a snapshot and check every hash. Raises LiveError with what is wrong."""
    try:
        data = _unpacked(path)
        document = json.loads(data)
    except OSError as error:
        raise LiveError(f"{path} can't be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, zlib.error, EOFError) as error:
        raise LiveError(f"{path} is damaged and can't be read as a snapshot: {error}") from error
    return _checked(document, path)


def _unpacked(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(ZSTANDARD):
            module = _zstandard("read", path)
            try:
                with module.ZstdDecompressor().stream_reader(file) as stream:
                    return _bounded(stream, path)
            except module.ZstdError as error:
                raise LiveError(f"{path} is damaged and can't be unpacked: {error}") from error
        if start.startswith(GZIP):
            import gzip

            with gzip.open(file) as stream:
                return _bounded(stream, path)
        return _bounded(file, path)


def _bounded(stream: Any, path: Path) -> bytes:
    held = io.BytesIO()
    while block := stream.read(1 << 20):
        held.write(block)
        if held.tell() > MOST_BYTES:
            raise LiveError(f"{path} holds more than {MOST_BYTES >> 30} GiB and was not read")
    return held.getvalue()


def _checked(document: Any, path: Path) -> Snapshot:
    if not isinstance(document, dict) or "netpact_snapshot" not in document:
        raise LiveError(f"{path} is not a snapshot of netpact")
    if document["netpact_snapshot"] != FORMAT:
        raise LiveError(
            f"{path} was written by a newer netpact (format {document['netpact_snapshot']!r}); update netpact"
        )
    try:
        held = document["parts"]
        head = {key: value for key, value in document.items() if key not in ("sha256", "parts")}
        parts = []
        for number, each in enumerate(held):
            said = each["sha256"]
            if _hash({key: value for key, value in each.items() if key != "sha256"}) != said:
                raise LiveError(
                    f"{path}: part {number} ({each.get('operation')} in {each.get('scope')} {each.get('region')}) "
                    "was changed after it was collected: its SHA-256 doesn't fit; collect the snapshot again"
                )
            parts.append(_part(each))
        if _seal(head, held) != document["sha256"]:
            raise LiveError(f"{path} was changed after it was collected: its SHA-256 doesn't fit; collect it again")
        snapshot = Snapshot(
            cloud=_text(document["cloud"]),
            source=_text(document["source"]),
            started=_text(document["started"]),
            finished=_text(document["finished"]),
            facts=dict(document["facts"]),
            requests={_text(k): int(v) for k, v in document["requests"].items()},
            parts=tuple(sorted(parts, key=lambda part: part.call)),
            tool=_text(document["tool"]["version"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LiveError(f"{path} is not a snapshot that netpact wrote: {type(error).__name__} {error}") from error
    if snapshot.content() != document["content_sha256"]:
        raise LiveError(
            f"{path} was changed after it was collected: its content's SHA-256 doesn't fit; collect it again"
        )
    return snapshot


def _part(each: Mapping[str, Any]) -> Part:
    call = Call.of(_text(each["scope"]), _text(each["region"]), _text(each["operation"]), each["parameters"])
    pages = tuple((_text(page["time"]), page["body"]) for page in each["pages"])
    return Part(call, _text(each["status"]), _text(each["error"]), _text(each["time"]), pages)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def _seal(head: Mapping[str, Any], parts: Iterable[Mapping[str, Any]]) -> str:
    return _hash([dict(head), [part["sha256"] for part in parts]])


def _zstandard(what: str, path: Path) -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise LiveError(f"to {what} {path} the package zstandard is needed; {_INSTALL}") from error
    return zstandard
