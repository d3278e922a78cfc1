"""`check --if-staged` is done at once where git has nothing relevant staged, and judges wherever it can't tell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lint.staged import nothing_staged, relevant

ROOT = Path(__file__).resolve().parents[2]


def git(directory: Path, *arguments: str) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    name = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", "-C", str(directory), *name, *arguments], check=True, capture_output=True, env=clean)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key in [k for k in os.environ if k.startswith(("GIT_", "PRE_COMMIT"))]:
        monkeypatch.delenv(key)
    git(tmp_path, "init", "-q")
    (tmp_path / "main.tf").write_text("locals {}\n")
    (tmp_path / "notes.txt").write_text("notes\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "path",
    ["main.tf", "a/b.tf.json", "x.tofu", "prod.auto.tfvars", "netpact.yaml", "infra/netpact.yaml", "policies/own.yaml"],
)
def test_what_may_change_a_verdict_is_relevant(path: str) -> None:
    assert relevant(path)


@pytest.mark.parametrize("path", ["notes.txt", "README.md", "main.py", "tf", "a.tf.bak"])
def test_what_can_not_change_a_verdict_is_not(path: str) -> None:
    assert not relevant(path)


def test_an_unstaged_change_does_not_count(repository: Path) -> None:
    (repository / "main.tf").write_text("locals { a = 1 }\n")
    assert nothing_staged([])


def test_a_staged_change_counts(repository: Path) -> None:
    (repository / "main.tf").write_text("locals { a = 1 }\n")
    git(repository, "add", "main.tf")
    assert not nothing_staged([])


def test_a_deleted_file_counts(repository: Path) -> None:
    git(repository, "rm", "-q", "main.tf")
    assert not nothing_staged([])


def test_a_file_renamed_away_counts(repository: Path) -> None:
    git(repository, "mv", "main.tf", "main.txt")
    assert not nothing_staged([])


def test_names_that_git_would_quote_count(repository: Path) -> None:
    (repository / "größe.tf").write_text("locals {}\n")
    git(repository, "add", "-A")
    assert not nothing_staged([])


def test_two_commits_are_compared_where_the_hook_is_given_them(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "notes.txt").write_text("more\n")
    git(repository, "commit", "-qam", "notes")
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "HEAD~1")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    assert nothing_staged([])
    git(repository, "rm", "-q", "main.tf")
    git(repository, "commit", "-qm", "gone")
    assert not nothing_staged([])


def test_outside_of_a_repository_everything_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert not nothing_staged([])


def test_the_shortcut_loads_nothing_of_the_product(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lint", "check", "--if-staged"],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == ""
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert {name for name in loaded if name.startswith("lint.")} <= {"lint.staged", "lint.__main__"}
    assert "argparse" not in loaded
