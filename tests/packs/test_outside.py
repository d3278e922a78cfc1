"""A project's own packs are read inside its repository alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.packs import PackProblem, pack_files


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    inside = tmp_path / "repository"
    (inside / ".git").mkdir(parents=True)
    (inside / "infra").mkdir()
    (inside / "policies").mkdir()
    (inside / "policies" / "own.yaml").write_text("pack: own/own\n")
    (tmp_path / "secret.yaml").write_text("secret: 1\n")
    (inside / "infra" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    return inside


def test_a_pack_elsewhere_in_the_repository_is_found(repository: Path) -> None:
    assert [p.name for p in pack_files(["../policies/*.yaml"], repository / "infra")] == ["own.yaml"]


@pytest.mark.parametrize("pattern", ["../../secret.yaml", "../../*.yaml", "link.yaml"])
def test_a_file_outside_is_refused(repository: Path, pattern: str) -> None:
    with pytest.raises(PackProblem, match="outside the repository"):
        pack_files([pattern], repository / "infra")
