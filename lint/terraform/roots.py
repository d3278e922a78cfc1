"""Finds the root modules below a directory: those with configuration that no other one calls. Evaluates nothing.

A repository is searched with `.terraform`, `.git` and other hidden folders left out, and vendored trees too
(`node_modules`, `vendor`). `examples/` of a module repository are roots like any other. Symbolic links to folders
aren't followed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lint.terraform.configuration import ParseCache, configuration_files, is_configuration, literal_text
from lint.terraform.files import FileRefused, Files, relative_name
from lint.terraform.modules import is_local

LEFT_OUT = frozenset({"node_modules", "vendor", "__pycache__", "site-packages"})
MAX_DIRECTORIES = 50_000
_MODULE = re.compile(rb"\bmodule\b")


@dataclass(frozen=True, slots=True)
class Roots:
    """The root modules below a directory, in order of their paths; `cut` tells that the search gave up on its size."""

    directories: tuple[Path, ...]
    cut: bool = False


def has_configuration_below(directory: Path) -> bool:
    """Whether a root module would be found at or below `directory`."""
    return any(folder is not None for folder in _configured(directory.absolute()))


def find_roots(directory: Path, cache: ParseCache | None = None, base: Path | None = None) -> Roots:
    """The root modules at or below `directory`; itself first, where it has configuration.

    `cache` keeps what was parsed for an evaluation with the same `base` (else `directory`), to which names of files are
    relative. A file that can't be parsed calls nothing, so what it would call counts as a root too: rather one root too
    many than one too few.
    """
    parsed = cache if cache is not None else ParseCache()
    top = directory.absolute()
    named = base.absolute() if base is not None else top
    files = Files(top)
    folders = list(_configured(top))
    cut = None in folders
    found = {os.path.realpath(folder): folder for folder in folders if folder is not None}
    calls = {
        identity: _calls(path, named, files, parsed) & found.keys() - {identity} for identity, path in found.items()
    }
    called = {target for targets in calls.values() for target in targets}
    first = os.path.realpath(top)
    chosen = [identity for identity in found if identity not in called or identity == first]
    reached = _reached(chosen, calls)
    for identity in found:
        # Modules that call each other in a circle, and are called by no one else: one of them has to begin.
        if identity not in reached:
            chosen.append(identity)
            reached |= _reached([identity], calls)
    paths = sorted((found[identity] for identity in chosen), key=lambda path: path.parts)
    return Roots(tuple(directory / path.relative_to(top) for path in paths), cut)


def _configured(top: Path) -> Iterator[Path | None]:
    """The folders with configuration; a last None tells that the search gave up on its size."""
    for count, (folder, below, names) in enumerate(os.walk(top, followlinks=False)):
        if count >= MAX_DIRECTORIES:
            yield None
            return
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in LEFT_OUT)
        if any(is_configuration(name) for name in names):
            yield Path(folder)


def _reached(start: list[str], calls: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    pending = list(start)
    while pending:
        identity = pending.pop()
        if identity not in reached:
            reached.add(identity)
            pending.extend(calls[identity])
    return reached


def _calls(directory: Path, base: Path, files: Files, cache: ParseCache) -> set[str]:
    """The directories that the module calls of a directory name by a local path."""
    targets: set[str] = set()
    try:
        names = configuration_files(files.names(directory))
    except FileRefused:
        return targets
    for name in names:
        try:
            data = files.read(directory / name)
        except FileRefused:
            continue
        if _MODULE.search(data) is None:
            continue
        body = cache.parse(data, relative_name(directory / name, base)).body
        for block in body.blocks if body is not None else ():
            source = literal_text(block.body.attribute("source")) if block.type == "module" else None
            if source is not None and is_local(source):
                targets.add(os.path.realpath(directory / source.replace("\\", "/")))
    return targets
