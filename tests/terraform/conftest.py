"""What the tests of the Terraform room share: configurations written into a folder, and evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lint.terraform.evaluate import evaluate_root
from lint.terraform.options import Options
from lint.terraform.resources import Evaluation, Resource

Write = Callable[[Mapping[str, str]], Path]
Evaluate = Callable[..., Evaluation]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files into a repository of their own and gives its folder."""
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)

    def write_files(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return root

    return write_files


@pytest.fixture
def evaluate(write: Write) -> Evaluate:
    """Evaluates files (or one main.tf) as a root module, with options by name."""

    def evaluate_files(files: Mapping[str, str] | str, directory: str = ".", **options: Any) -> Evaluation:
        root = write({"main.tf": files} if isinstance(files, str) else files)
        return evaluate_root(root / directory, Options(**options))

    return evaluate_files


def resource(evaluation: Evaluation, address: str) -> Resource:
    """The resource at an address."""
    return next(each for each in evaluation.resources if each.address == address)
