"""Root modules of a repository: what nobody calls, and nothing that was vendored."""

from __future__ import annotations

import pytest

from lint.terraform.configuration import ParseCache
from lint.terraform.evaluate import evaluate_root
from lint.terraform.options import Options
from lint.terraform.roots import find_roots, has_configuration_below

from .conftest import Write

TF = "locals {}\n"


def call(source: str, name: str = "m") -> str:
    """A module call."""
    return f'module "{name}" {{\n  source = "{source}"\n}}\n'


@pytest.mark.parametrize(
    ("files", "roots"),
    [
        ({"main.tf": TF}, ["."]),
        ({"a/main.tf": TF, "b/main.tf": TF}, ["a", "b"]),
        ({"env/prod/main.tf": call("../../modules/vpc"), "modules/vpc/main.tf": TF}, ["env/prod"]),
        ({"main.tf": call("./m"), "m/main.tf": call("./n"), "m/n/main.tf": TF}, ["."]),
        # A module repository: itself, and its examples.
        (
            {"main.tf": TF, "examples/a/main.tf": call("../.."), "modules/x/main.tf": TF},
            [".", "examples/a", "modules/x"],
        ),
        ({"main.tf.json": '{"module": {"m": {"source": "./m"}}}', "m/main.tf": TF}, ["."]),
        ({"main.tofu": call("./m"), "m/main.tofu": TF, "o/main.tofu": TF}, [".", "o"]),
        ({"main.tf": '# module x\n# source = "./m"\n', "m/main.tf": TF}, [".", "m"]),
        # What a broken file would call is evaluated all the same.
        ({"main.tf": call("./m") + "{", "m/main.tf": TF}, [".", "m"]),
        ({"a/main.tf": call("../b"), "b/main.tf": call("../a")}, ["a"]),
        ({"a/main.tf": call("../a"), "b/readme.md": "x"}, ["a"]),
        (
            {
                "main.tf": TF,
                ".terraform/modules/x/main.tf": TF,
                ".git/main.tf": TF,
                "node_modules/p/main.tf": TF,
                "vendor/p/main.tf": TF,
                ".terragrunt-cache/a/main.tf": TF,
            },
            ["."],
        ),
        ({"readme.md": "nothing"}, []),
    ],
)
def test_roots_are_what_nobody_calls(write: Write, files: dict[str, str], roots: list[str]) -> None:
    root = write(files)
    found = find_roots(root)
    assert [path.relative_to(root).as_posix() for path in found.directories] == roots
    assert not found.cut
    assert has_configuration_below(root) == bool(roots)


def test_what_the_search_parses_need_not_be_parsed_again(write: Write) -> None:
    root = write({"infra/env/main.tf": call("../m"), "infra/m/main.tf": 'module "n" {\n  source = "./n"\n}\n'})
    cache = ParseCache()
    (found,) = find_roots(root / "infra", cache, root).directories
    parsed = len(cache)
    evaluate_root(found, Options(base=root), cache=cache)
    assert (parsed, len(cache)) == (2, 2)


def test_links_to_folders_are_not_followed(write: Write) -> None:
    root = write({"real/main.tf": TF})
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "main.tf").write_text(TF)
    (root / "away").symlink_to(outside, target_is_directory=True)
    (root / "loop").symlink_to(root, target_is_directory=True)
    assert [path.relative_to(root).as_posix() for path in find_roots(root).directories] == ["real"]
