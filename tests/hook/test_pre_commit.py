"""The hook as its users have it: installed by the real pre-commit into a scratch repository, run by `git commit`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "fixtures" / "aws" / "hyperbdr-block" / "compliant"

RULE = """
  ingress {
    description     = "replication data from agents"
    from_port       = 13260
    to_port         = 13260
    protocol        = "tcp"
    security_groups = [module.app_servers.security_group_id]
  }
"""


def git(directory: Path, *arguments: str, check: bool = True, **environ: str) -> subprocess.CompletedProcess[str]:
    identity = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com"}
    identity |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return subprocess.run(
        ["git", "-C", str(directory), *arguments],
        check=check,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=clean | identity | environ,
    )


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the compliant fixture in it and netpact's hook installed from a copy of this checkout."""
    hooks = tmp_path_factory.mktemp("netpact")
    for name in ("lint", "rules"):
        shutil.copytree(ROOT / name, hooks / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, hooks / name)
    git(hooks, "init", "-q")
    git(hooks, "add", "-A")
    git(hooks, "commit", "-qm", "netpact")
    revision = git(hooks, "rev-parse", "HEAD").stdout.strip()

    repository = tmp_path_factory.mktemp("infrastructure")
    git(repository, "init", "-q")
    ignore = shutil.ignore_patterns("*.json")
    shutil.copytree(FIXTURE, repository, dirs_exist_ok=True, ignore=ignore)
    (repository / "notes.txt").write_text("notes\n")
    (repository / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {hooks}\n    rev: {revision}\n    hooks:\n      - id: netpact\n        verbose: true\n"
    )
    home = tmp_path_factory.mktemp("pre-commit-home")
    os.environ["PRE_COMMIT_HOME"] = str(home)
    subprocess.run(
        [sys.executable, "-m", "pre_commit", "install", "--install-hooks"],
        cwd=repository,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    git(repository, "add", "-A")
    done = git(repository, "commit", "-m", "compliant", check=False)
    assert done.returncode == 0, done.stdout
    return repository


def commit(repository: Path, message: str) -> subprocess.CompletedProcess[str]:
    git(repository, "add", "-A")
    done = git(repository, "commit", "-m", message, check=False)
    if done.returncode != 0:
        git(repository, "reset", "-q", "--hard")
    return done


def test_a_commit_that_loses_a_required_rule_is_stopped_with_the_patch(scratch: Path) -> None:
    file = scratch / "gateway.tf"
    assert RULE in file.read_text()
    file.write_text(file.read_text().replace(RULE, ""))
    done = commit(scratch, "lose the data port")
    assert done.returncode == 1
    assert "block-agent-2" in done.stdout
    assert "+    from_port" in done.stdout


def test_a_commit_that_deletes_a_file_with_required_rules_is_stopped(scratch: Path) -> None:
    (scratch / "transition.tf").unlink()
    (scratch / "apps.tf").unlink()
    done = commit(scratch, "delete the application servers")
    assert done.returncode == 1
    assert "exit code: 2" in done.stdout  # the gateway refers to a module that is gone: told, not guessed
    assert "app_servers" in done.stdout


def test_a_commit_without_relevant_files_passes_without_judging(scratch: Path) -> None:
    (scratch / "notes.txt").write_text("more notes\n")
    done = commit(scratch, "notes")
    assert done.returncode == 0, done.stdout
    assert "satisfied" not in done.stdout


def test_a_harmless_change_passes(scratch: Path) -> None:
    file = scratch / "variables.tf"
    file.write_text(file.read_text().replace("m6i.large", "m7i.large"))
    done = commit(scratch, "newer machines")
    assert done.returncode == 0, done.stdout
    assert "0 violated" in done.stdout
