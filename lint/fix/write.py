"""Writes changed files in place of those that were read: all of them or none, and none that changed meanwhile."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


class NotWritten(Exception):
    """Why nothing was written, in a sentence, and what to do."""

    def __init__(self, text: str, remedy: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


def write(files: Mapping[Path, bytes], read: Mapping[Path, bytes], names: Mapping[Path, str]) -> None:
    """Put `files` in place; `read` is what each was, `names` what a person calls it. Raises NotWritten.

    Each file is written beside itself first and then takes the other's place, so that none is ever half written.
    Modes stay, and a link stays a link to the file that changes.
    """
    targets = {path: path.resolve() for path in files}
    fresh: dict[Path, Path] = {}
    done: list[Path] = []
    try:
        for path, data in files.items():
            fresh[path] = _beside(targets[path], data, names[path])
        for path in files:
            _unchanged(targets[path], read[path], names[path])
        for path, made in fresh.items():
            made.replace(targets[path])
            done.append(path)
    except OSError as error:
        path = next(one for one in files if one not in done)
        for one in done:
            with suppress(OSError):
                _beside(targets[one], read[one], names[one]).replace(targets[one])
        raise NotWritten(f"{names[path]} can't be written: {error.strerror}") from error
    finally:
        for path, made in fresh.items():
            if path not in done:
                made.unlink(missing_ok=True)


def _beside(target: Path, data: bytes, name: str) -> Path:
    """A new file in the same folder with the same mode and owner."""
    try:
        if not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied")
        handle, made = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        held = target.stat()
        Path(made).chmod(stat.S_IMODE(held.st_mode))
        with suppress(OSError, AttributeError, LookupError):
            shutil.chown(made, held.st_uid, held.st_gid)
        return Path(made)
    except OSError as error:
        raise NotWritten(f"{name} can't be written: {error.strerror}; nothing was written") from error


def _unchanged(target: Path, read: bytes, name: str) -> None:
    try:
        same = target.read_bytes() == read
    except OSError as error:
        raise NotWritten(f"{name} can't be read any more: {error.strerror}; nothing was written") from error
    if not same:
        raise NotWritten(f"{name} has changed since it was read; nothing was written", "run `netpact fix` again")
