"""Version constraints on providers: read wherever a configuration states them, and taken as bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.terraform.evaluate import Options, evaluate_root
from lint.terraform.requirements import NEVER, Version, bounds


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ((), ((0, 0, 0), NEVER)),
        (("~> 4.0",), ((4, 0, 0), (5, 0, 0))),
        (("~> 3.117.1",), ((3, 117, 1), (3, 118, 0))),
        (("~> 4",), ((4, 0, 0), NEVER)),
        (("4.5.0",), ((4, 5, 0), (4, 5, 1))),
        (("= 3.1",), ((3, 1, 0), (3, 1, 1))),
        ((">= 3.0, < 4.0",), ((3, 0, 0), (4, 0, 0))),
        ((">3.0", "<= 3.9.2"), ((3, 0, 1), (3, 9, 3))),
        (("!= 4.0.0",), ((0, 0, 0), NEVER)),
        ((">= v4.0.0-beta1",), ((4, 0, 0), NEVER)),
        (("newest",), ((0, 0, 0), NEVER)),
        ((">= 3", "~> 4.2"), ((4, 2, 0), (5, 0, 0))),
    ],
)
def test_constraints_are_bounds(constraints: tuple[str, ...], expected: tuple[Version, Version]) -> None:
    assert bounds(constraints) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "main.tf",
            'terraform {\n required_providers {\n azurerm = {\n source = "hashicorp/azurerm"\n version = "~> 4.0"\n'
            " }\n }\n}\n",
        ),
        ("main.tf", 'terraform {\n required_providers {\n azurerm = "~> 4.0"\n }\n}\n'),
        (
            "main.tf",
            "terraform {\n required_providers {\n"
            ' mine = { source = "registry.terraform.io/hashicorp/AzureRM", version = "~> 4.0" }\n }\n}\n',
        ),
        ("main.tf.json", '{"terraform": {"required_providers": {"azurerm": {"version": "~> 4.0"}}}}'),
        ("main.tf.json", '{"terraform": [{"required_providers": [{"azurerm": "~> 4.0"}]}]}'),
    ],
)
def test_every_way_to_write_them_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert evaluate_root(tmp_path, Options()).required == {"azurerm": ("~> 4.0",)}


def test_modules_constrain_too(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('module "m" {\n source = "./m"\n}\n', encoding="utf-8")
    (tmp_path / "m").mkdir()
    text = 'terraform {\n required_providers {\n azurerm = "< 4.0"\n }\n}\n'
    (tmp_path / "m" / "main.tf").write_text(text, encoding="utf-8")
    assert evaluate_root(tmp_path, Options()).required == {"azurerm": ("< 4.0",)}


LOCK = """\
# This file is maintained automatically by "terraform init".
provider "registry.terraform.io/hashicorp/azurerm" {
  version     = "3.117.1"
  constraints = ">= 3.0.0"
  hashes      = ["h1:abc="]
}
"""


def test_the_lock_file_chooses_where_the_constraints_leave_it_open(tmp_path: Path) -> None:
    text = 'terraform {\n required_providers {\n azurerm = ">= 3.0"\n }\n}\n'
    (tmp_path / "main.tf").write_text(text, encoding="utf-8")
    (tmp_path / ".terraform.lock.hcl").write_text(LOCK, encoding="utf-8")
    required = evaluate_root(tmp_path, Options()).required
    assert required == {"azurerm": (">= 3.0", "= 3.117.1")}
    assert bounds(required["azurerm"]) == ((3, 117, 1), (3, 117, 2))


@pytest.mark.parametrize("text", ["provider {", 'provider "x" {\n version = 1\n}\n', "\xff", ""])
def test_a_lock_file_that_says_nothing_leaves_it_open(tmp_path: Path, text: str) -> None:
    (tmp_path / "main.tf").write_text("", encoding="utf-8")
    (tmp_path / ".terraform.lock.hcl").write_text(text, encoding="latin-1")
    assert evaluate_root(tmp_path, Options()).required == {}
