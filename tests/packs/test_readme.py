"""The page on writing packs is true: its examples work, and it names every field of the schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lint.packs import load_builtin, read_pack, rules_folder
from lint.packs.validate import problems_of

README = (rules_folder() / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_the_example_is_a_pack(tmp_path: Path) -> None:
    pack = read_pack(EXAMPLES[0], "example.yaml")
    assert pack.id == "acme/mirror"
    (tmp_path / "example.yaml").write_text(EXAMPLES[0], encoding="utf-8")
    assert problems_of(tmp_path / "example.yaml") == ()


def test_the_examples_case_goes_as_it_says(tmp_path: Path) -> None:
    from lint.verdict.pack_cases import run_file

    pack = read_pack(EXAMPLES[0], "example.yaml")
    (tmp_path / "case.yaml").write_text(EXAMPLES[1], encoding="utf-8")
    assert [result.failures for result in run_file(tmp_path / "case.yaml", {pack.id: pack})] == [()]


def test_every_field_is_named() -> None:
    schema: Any = json.loads((rules_folder() / "pack.schema.json").read_text(encoding="utf-8"))
    fields = {
        *schema["properties"],
        *schema["$defs"]["role"]["properties"],
        *schema["$defs"]["role"]["properties"]["hints"]["properties"],
        *schema["$defs"]["flow"]["properties"],
        *schema["$defs"]["flow"]["properties"]["except"]["properties"],
    }
    assert [field for field in sorted(fields) if f"`{field}`" not in README and f"`{field}: " not in README] == []


def test_every_pack_and_its_document_are_named() -> None:
    for pack in load_builtin().values():
        assert f"`{pack.id}`" in README
        assert pack.document_title in README
