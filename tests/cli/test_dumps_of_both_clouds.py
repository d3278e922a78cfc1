"""A dump is a folder of anyone's making: what in it can't be read is said, whichever cloud it may have been of."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from lint.sources import LoadOptions, load, parse

GROUPS: dict[str, Any] = {
    "SecurityGroups": [
        {
            "GroupId": "sg-0123456789abcdef0",
            "GroupName": "web",
            "VpcId": "vpc-0123456789abcdef0",
            "Description": "see microsoft.com",
            "IpPermissions": [],
            "IpPermissionsEgress": [],
        }
    ]
}
NETWORK: dict[str, Any] = {
    "value": [
        {
            "id": "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/networkSecurityGroups/n",
            "name": "n",
            "type": "Microsoft.Network/networkSecurityGroups",
            "properties": {"securityRules": []},
        }
    ]
}


@pytest.mark.parametrize("clouds", [("aws",), ("azure",), ("aws", "azure")])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("broken.json", b'{"value": [{"id": "/subscriptions/s/providers/Microsoft.Network/x"', "JSON"),
        ("odd.json", b'{"SecurityGroups": [], "about": "microsoft.com", "about": "again"}', "twice"),
        ("plain.json", b"az login first", "JSON"),
        ("latin.json", b'{"value": [{"type": "Microsoft.Network/\xe9"}]}', "UTF-8"),
        ("more.json.gz", gzip.compress(json.dumps(NETWORK).encode()), "compressed"),
        ("deep.json", b"[" * 200_000, "nested"),
    ],
)
def test_a_file_that_cannot_be_read_makes_the_dump_incomplete(
    tmp_path: Path, clouds: tuple[str, ...], name: str, content: bytes, words: str
) -> None:
    for cloud, data in (("aws", GROUPS), ("azure", NETWORK)):
        if cloud in clouds:
            (tmp_path / f"{cloud}.json").write_text(json.dumps(data), encoding="utf-8")
    assert load([parse(str(tmp_path))], LoadOptions()).reports[0].complete
    (tmp_path / name).write_bytes(content)
    loaded = load([parse(f"dump:{tmp_path}")], LoadOptions())
    assert not loaded.reports[0].complete
    assert [one.text for one in loaded.problems if words in one.text and name in one.text]
    assert len(loaded.graph.endpoints) == len(clouds)


def test_a_folder_of_json_lines_is_a_dump(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(one) for one in (NETWORK["value"][0], {**NETWORK["value"][0], "name": "m"}))
    (tmp_path / "rows.jsonl").write_text(lines, encoding="utf-8")
    assert parse(str(tmp_path)).kind == "dump"
    assert load([parse(str(tmp_path))], LoadOptions()).reports[0].complete
