"""Finds the project file that belongs to a source. Reads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

FILE_NAMES = ("netpact.yaml", "netpact.yml")


def find(source_dirs: Iterable[Path], cwd: Path) -> Path | None:
    """netpact.yaml in the first of the sources' directories that has one; else in `cwd` or the nearest parent, no
    further up than the root of its repository.

    Outside of any repository only `cwd` itself is looked at. None: there is no project file.
    """
    for folder in source_dirs:
        if (found := _in(folder)) is not None:
            return found
    here = cwd.resolve()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    for folder in (here, *here.parents):
        if (found := _in(folder)) is not None:
            return found
        if folder == root:
            return None
    return None


def _in(folder: Path) -> Path | None:
    return next((folder / name for name in FILE_NAMES if (folder / name).is_file()), None)
