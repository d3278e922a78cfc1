"""Packs are found by id: those that come with netpact, and a project's own, which never take a built-in one's place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lint.packs import PackProblem, UnknownPack, builtin_files, find, load_packs

OWN = """\
schema: 1
id: {id}
title: Own
document: {{title: Our own}}
roles:
  app: {{title: app, lives: customer}}
flows:
  - {{id: app-1, kind: exclusive, from: [], to: app, services: tcp/1, purpose: ours, cites: [{{section: a, row: 1}}]}}
"""


def own(folder: Path, name: str, pack_id: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(OWN.format(id=pack_id), encoding="utf-8")
    return path


def test_a_built_in_pack_is_the_file_of_its_id() -> None:
    for pack_id, path in builtin_files().items():
        pack = find(pack_id)
        assert pack.id == pack_id
        assert pack.origin.file == f"rules/{pack_id}.yaml"
        assert path.name == f"{pack_id.split('/')[1]}.yaml"


def test_a_projects_pack_is_found_by_glob_and_named_by_its_relative_path(tmp_path: Path) -> None:
    own(tmp_path, "policies/mine.yaml", "acme/mine")
    pack = find("acme/mine", ["policies/*.yaml"], tmp_path)
    assert pack.origin.file == "policies/mine.yaml"
    assert "acme/mine" in load_packs(["policies/mine.yaml"], tmp_path)
    assert find("acme/mine", [str(tmp_path / "policies/mine.yaml")], tmp_path) == pack


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("hyperbdr/saas-block", "did you mean `hyperbdr/saas-block-storage`?"),
        ("zzz", "known are cohesity/saas-connector, hyperbdr/saas-block-storage"),
        ("acme/min", "did you mean `acme/mine`?"),
    ],
)
def test_an_unknown_pack_names_what_is_near(tmp_path: Path, wanted: str, said: str) -> None:
    own(tmp_path, "mine.yaml", "acme/mine")
    with pytest.raises(UnknownPack) as raised:
        find(wanted, ["*.yaml"], tmp_path)
    assert said in str(raised.value)


def test_a_projects_pack_never_takes_the_place_of_a_built_in_one(tmp_path: Path) -> None:
    own(tmp_path, "mine.yaml", "hyperbdr/saas-block-storage")
    with pytest.raises(PackProblem, match="id of a built-in pack"):
        find("hyperbdr/saas-block-storage", ["mine.yaml"], tmp_path)


def test_two_packs_of_one_id_are_refused(tmp_path: Path) -> None:
    own(tmp_path, "a.yaml", "acme/mine")
    own(tmp_path, "b.yaml", "acme/mine")
    with pytest.raises(PackProblem, match=r"also the id of a\.yaml"):
        find("acme/mine", ["*.yaml"], tmp_path)


@pytest.mark.parametrize("pattern", ["none/*.yaml", "", "a**b", "/nowhere/pack.yaml", "mine.yaml/*"])
def test_an_entry_that_takes_no_file_is_a_mistake(tmp_path: Path, pattern: str) -> None:
    own(tmp_path, "mine.yaml", "acme/mine")
    with pytest.raises(PackProblem, match="no pack file of that name"):
        find("acme/mine", [pattern], tmp_path)


def test_one_pack_is_found_without_reading_the_others_and_without_a_schema_validator() -> None:
    code = (
        "import sys; from lint.packs import find; from lint.packs.find import _builtin\n"
        "find('hyperbdr/saas-block-storage')\n"
        "print(_builtin.cache_info().currsize, 'jsonschema' in sys.modules, 'difflib' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False", "False"]
