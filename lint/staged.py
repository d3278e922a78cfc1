"""Asks git whether a commit touches anything that netpact reads, so that the hook is done at once where it doesn't."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from fnmatch import fnmatch

RELEVANT = (
    "*.tf",
    "*.tf.json",
    "*.tofu",
    "*.tofu.json",
    "*.tfvars",
    "*.tfvars.json",
    "netpact.yaml",
    "*/netpact.yaml",
    # Packs, plans, states and dumps are named freely: any YAML or JSON file may be one.
    "*.yaml",
    "*.yml",
    "*.json",
    "*.tftpl",
    "*.csv",
)


def nothing_staged(arguments: Sequence[str]) -> bool:
    """Whether git says that no relevant path is staged, deleted and renamed ones included.

    False wherever git can't answer (no repository, no git, a fault): then everything is judged. pre-commit's
    `--from-ref/--to-ref` runs (pre-push, CI) compare these two commits instead of the index.
    """
    del arguments
    start = os.environ.get("PRE_COMMIT_FROM_REF")
    end = os.environ.get("PRE_COMMIT_TO_REF")
    command = ["git", "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff"]
    command += [f"{start}...{end}"] if start and end else ["--cached"]
    try:
        answer = subprocess.run(command, capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return False
    if answer.returncode != 0:
        return False
    paths = [p for p in answer.stdout.decode("utf-8", "replace").split("\0") if p]
    return not any(relevant(path) for path in paths)


def relevant(path: str) -> bool:
    """Whether a path of the repository may change a verdict."""
    return any(fnmatch(path, pattern) for pattern in RELEVANT)
