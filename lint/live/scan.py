"""Where a scan keeps its answers while it is under way, and how it ends: as a snapshot, with nothing left behind."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lint.live.calls import CUT, ERROR, THROTTLED, canonical
from lint.live.collection import Collection
from lint.live.options import LiveOptions
from lint.live.redact import cleaner
from lint.live.snapshot import Snapshot, from_store
from lint.live.store import remove


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's cache folder for netpact."""
    if os.name == "nt" and environ.get("LOCALAPPDATA"):
        return Path(environ["LOCALAPPDATA"]) / "netpact"
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netpact"


def work_file(output: Path) -> Path:
    """Where the answers of a scan lie while it is under way: beside the file that it will become."""
    return output.with_name(f"{output.name}.partial.sqlite")


def finish(work: Path, snapshot: Snapshot) -> None:
    """Delete a scan's file, unless asking again (--resume) may bring what failed this time."""
    if not any(answer.status in (THROTTLED, CUT, ERROR) for answer in snapshot.failures()):
        remove(work)


def scan(
    cloud: str,
    source: str,
    plan: Mapping[str, Any],
    options: LiveOptions,
    collect: Callable[[Collection], None],
    facts: Sequence[str] = ("caller",),
) -> Snapshot:
    """Run a collector and give what it collected.

    Once a run: a second scan of the same source gets the first one's snapshot.

    `plan` is JSON that says what of the cloud is scanned and with whose rights (no secrets). `collect` makes its
    calls with the Collection it gets; `facts` are the names of what it notes in the store for the evidence. Raises
    LiveError, and Stopped on Ctrl-C with the answers kept for --resume.
    """
    known = options.collected.get(source)
    if known is not None:
        return known
    whole = {"cloud": cloud, "source": source, "redacted": sorted(options.redact_tags), **plan}
    path = options.work
    if path is None:
        id_ = hashlib.sha256(canonical(whole).encode()).hexdigest()[:16]
        path = cache_folder() / f"scan-{id_}.sqlite"
    with Collection(path, whole, options, cleaner(options.redact_tags)) as collection:
        collect(collection)
        snapshot = from_store(collection.store, cloud, source, facts)
    collection.store.close()
    if options.work is None:
        finish(path, snapshot)  # else whoever named the file does so once the snapshot is safe
    options.collected[source] = snapshot
    return snapshot
