"""Reads files for an evaluation: only inside one boundary, only regular files, never more than a bound.

What a stranger's configuration names (`file`, `templatefile`, `fileset`, module sources, symbolic links) goes through
here. It knows no Terraform syntax. A refusal says the path as written and why, never what the file holds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_LISTED = 100_000


class FileRefused(Exception):
    """A file that may not or can't be read; `text` is a sentence for a person, `outside` tells the boundary was why."""

    def __init__(self, text: str, *, outside: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.outside = outside


def repository_root(directory: Path) -> Path:
    """The nearest folder at or above `directory` that holds `.git`, else `directory` itself (resolved)."""
    start = Path(os.path.realpath(directory))
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return start


class Files:
    """The files that an evaluation may see: what lies inside `boundary`, with `overlay` in place of what is on disk.

    `overlay` maps paths to contents that are not written anywhere (a suggested edit that is judged before it is shown).
    """

    def overlaid(self, path: Path) -> bytes | None:
        """The contents that stand in place of a file's own, if there are such."""
        return self._overlay.get(os.path.realpath(path))

    def __init__(self, boundary: Path, overlay: Mapping[Path, bytes] | None = None) -> None:
        self.boundary = Path(os.path.realpath(boundary))
        self._overlay = {os.path.realpath(path): data for path, data in (overlay or {}).items()}
        self.matched: dict[tuple[str, str, str], tuple[str, ...]] = {}  # what fileset() found: directory, pattern, path
        self._resolved: dict[str, str] = {}
        self._read: dict[str, bytes] = {}
        self._walked: dict[str, list[PurePosixPath]] = {}

    def _inside(self, path: Path, shown: str) -> str:
        # The same few paths are asked for again and again: where they lead is looked up once for an evaluation.
        found = self._resolved.get(str(path))
        if found is not None:
            return found
        try:
            resolved = os.path.realpath(path)
        except (OSError, ValueError) as problem:
            raise FileRefused(f"{shown} is not a path that can be read") from problem
        boundary = str(self.boundary)
        if resolved != boundary and not resolved.startswith(boundary.rstrip(os.sep) + os.sep):
            raise FileRefused(f"{shown} lies outside the repository and was not read", outside=True)
        self._resolved[str(path)] = resolved
        return resolved

    def read(self, path: Path, shown: str | None = None) -> bytes:
        """The bytes of a regular file inside the boundary. Raises FileRefused; `shown` is how messages name it."""
        name = shown if shown is not None else path.as_posix()
        resolved = self._inside(path, name)
        if resolved in self._overlay:
            return self._overlay[resolved]
        if resolved in self._read:
            return self._read[resolved]
        try:
            # O_NONBLOCK: opening a named pipe must not wait for a writer.
            handle = os.open(resolved, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except FileNotFoundError as problem:
            raise FileRefused(f"{name} does not exist") from problem
        except (OSError, ValueError) as problem:
            raise FileRefused(f"{name} can't be read: {_why(problem)}") from problem
        with os.fdopen(handle, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise FileRefused(f"{name} is not a regular file")
            if status.st_size > MAX_FILE_BYTES:
                raise FileRefused(f"{name} is larger than {MAX_FILE_BYTES // (1024 * 1024)} MiB and was not read")
            data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise FileRefused(f"{name} is larger than {MAX_FILE_BYTES // (1024 * 1024)} MiB and was not read")
        self._read[resolved] = data
        return data

    def exists(self, path: Path, shown: str | None = None) -> bool:
        """Whether a regular file is there. Raises FileRefused for a path outside the boundary, which stays unknown."""
        resolved = self._inside(path, shown if shown is not None else path.as_posix())
        return resolved in self._overlay or resolved in self._read or Path(resolved).is_file()

    def directory(self, path: Path, shown: str | None = None) -> bool:
        """Whether a directory inside the boundary is there. Raises FileRefused for one outside."""
        resolved = self._inside(path, shown if shown is not None else path.as_posix())
        return Path(resolved).is_dir()

    def names(self, directory: Path, shown: str | None = None) -> list[str]:
        """The names directly in a directory that are no folders, sorted; overlay files included.

        A link that leads nowhere and a pipe are listed too: whoever wants to read them hears why it can't be done.
        """
        name = shown if shown is not None else directory.as_posix()
        resolved = self._inside(directory, name)
        found = {Path(path).name for path in self._overlay if str(Path(path).parent) == resolved}
        try:
            with os.scandir(resolved) as entries:
                for entry in entries:
                    if len(found) >= MAX_LISTED:
                        raise FileRefused(f"{name} holds more than {MAX_LISTED:,} files")
                    if not entry.is_dir(follow_symlinks=False):
                        found.add(entry.name)
        except OSError as problem:
            if not found:
                raise FileRefused(f"{name} can't be listed: {_why(problem)}") from problem
        return sorted(found)

    def walk(self, directory: Path, shown: str | None = None) -> Iterator[PurePosixPath]:
        """Every regular file below a directory, relative to it, sorted; links out of the boundary are left out."""
        name = shown if shown is not None else directory.as_posix()
        top = self._inside(directory, name)
        found = self._walked.get(top)
        if found is None:
            found = self._walked[top] = self._walk(top, name)
        return iter(found)

    def _walk(self, top: str, name: str) -> list[PurePosixPath]:
        found: list[PurePosixPath] = []
        pending = [("", top)]
        seen = 0
        while pending:
            prefix, folder = pending.pop()
            try:
                entries = list(os.scandir(folder))
            except OSError:
                continue
            for entry in entries:
                seen += 1
                if seen > MAX_LISTED:
                    raise FileRefused(f"{name} holds more than {MAX_LISTED:,} files")
                if entry.is_symlink():
                    try:
                        target = self._inside(Path(entry.path), entry.name)
                    except FileRefused:
                        continue
                    if Path(target).is_file():
                        found.append(PurePosixPath(prefix + entry.name))
                elif entry.is_dir(follow_symlinks=False):
                    pending.append((f"{prefix}{entry.name}/", entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found.append(PurePosixPath(prefix + entry.name))
        return sorted(found)


def _why(problem: Exception) -> str:
    """The system's own short reason (`Permission denied`), without the path it repeats."""
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return "the name isn't valid"


def relative_name(path: Path, directory: Path) -> str:
    """How reports name a file: relative to the source's directory, POSIX separators (`../modules/x.tf` when above)."""
    return Path(os.path.relpath(path, directory)).as_posix()
