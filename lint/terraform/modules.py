"""Finds where a module call's configuration lies: a local path, or a copy that `terraform get` has installed.

It reads no configuration and fetches nothing. Source: "Module Sources" in Terraform's documentation.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lint.terraform.files import FileRefused, Files


@dataclass(frozen=True, slots=True)
class Found:
    """A module's directory; or None, with the sentence that says why and what to do.

    `missing` tells that the module isn't installed; otherwise the call itself is wrong.
    """

    directory: Path | None
    text: str = ""
    remedy: str = ""
    missing: bool = False


def is_local(source: str) -> bool:
    """Whether a source is a path beside the calling module, which is read where it lies."""
    return source.startswith(("./", "../", ".\\", "..\\")) or source in (".", "..")


class Installed:
    """The modules installed below a root module's directory, by `modules.json`."""

    def __init__(self, root: Path, files: Files, environ: Mapping[str, str]) -> None:
        self.root = root
        self.problem: str | None = None
        self._directories: dict[str, str] = {}
        folder = environ.get("TF_DATA_DIR") or ".terraform"
        manifest = root / folder / "modules" / "modules.json"
        try:
            if not files.exists(manifest, f"{folder}/modules/modules.json"):
                return
            document = json.loads(files.read(manifest, f"{folder}/modules/modules.json").decode("utf-8-sig"))
            for entry in document["Modules"]:
                key, directory = entry["Key"], entry["Dir"]
                if isinstance(key, str) and isinstance(directory, str):
                    self._directories[key] = directory
        except FileRefused as refusal:
            self.problem = refusal.text
        except (ValueError, KeyError, TypeError, RecursionError):
            self.problem = f"{folder}/modules/modules.json can't be read as Terraform's list of installed modules"

    def directory(self, key: str) -> Path | None:
        """Where the module with that dotted path of call names is installed."""
        found = self._directories.get(key)
        return None if found is None else self.root / found


def find_module(source: str, key: str, caller: Path, installed: Installed, files: Files, root_shown: str) -> Found:
    """The directory of a module call; `key` is the dotted path of call names that leads to it, `caller` the directory
    of the module that calls it, `root_shown` how messages name the root module's directory."""
    if is_local(source):
        directory = Path(os.path.normpath(caller / source.replace("\\", "/")))
        try:
            if files.directory(directory, source):
                return Found(directory)
        except FileRefused as refusal:
            if not refusal.outside:
                return Found(None, refusal.text, "correct the module's source", True)
            remedy = "keep modules inside the repository, or check the folder that holds them all"
            return Found(None, "it lies outside of the repository", remedy, True)
        remedy = "correct the module's source, or check out what is missing (`git submodule update --init`)"
        return Found(None, f"there is no directory {source}", remedy)
    directory_installed = installed.directory(key)
    get = f"run `terraform get` in {root_shown}"
    if directory_installed is not None:
        try:
            if files.directory(directory_installed, str(directory_installed)):
                return Found(directory_installed)
        except FileRefused:
            return Found(None, "its installed copy lies outside of the repository", get, True)
        return Found(None, "its installed copy is gone", get, True)
    return Found(None, installed.problem or "it isn't installed", get, True)
