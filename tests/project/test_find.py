"""Which project file belongs to a source."""

from __future__ import annotations

from lint.project import find


def put(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "netpact.yaml").write_text("version: 1\n")
    return folder / "netpact.yaml"


def test_the_source_s_own_file_comes_first(tmp_path):
    own = put(tmp_path / "infra")
    put(tmp_path)
    assert find([tmp_path / "infra"], tmp_path) == own


def test_else_the_nearest_parent_of_the_current_folder_within_the_repository(tmp_path):
    put(tmp_path)
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    deep = tmp_path / "repo" / "a" / "b"
    deep.mkdir(parents=True)
    assert find([], deep) is None
    own = put(tmp_path / "repo")
    assert find([deep], deep) == own.resolve()
    nearer = put(tmp_path / "repo" / "a")
    assert find([], deep) == nearer.resolve()


def test_outside_of_a_repository_no_parent_is_looked_at(tmp_path):
    put(tmp_path)
    (tmp_path / "a").mkdir()
    assert find([], tmp_path / "a") is None
    assert find([], tmp_path) is not None
