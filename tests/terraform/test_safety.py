"""A stranger's configuration runs nothing, reads nothing outside of the repository, and can't take the machine down."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lint.terraform.evaluate import evaluate_root
from lint.terraform.files import FileRefused, Files
from lint.terraform.options import Options
from lint.terraform.resources import Evaluation

from .conftest import Evaluate, Write
from .shown import addresses, messages, outputs

SECRET = "the-content-of-a-file-outside"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the repository, with a module and a secret in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text(SECRET)
    (folder / "main.tf").write_text(f'output "o" {{ value = "{SECRET}" }}')
    return folder


def everything(evaluation: Evaluation) -> str:
    """All that an evaluation says."""
    return repr(evaluation)


@pytest.mark.parametrize(
    "expression",
    [
        'file("../outside/secret.txt")',
        'file("${path.module}/../outside/secret.txt")',
        'filebase64("../outside/secret.txt")',
        'filesha256("../outside/secret.txt")',
        'templatefile("../outside/secret.txt", {})',
        'fileexists("../outside/secret.txt")',
        'fileset("../outside", "*")',
        'fileset(".", "../outside/*")',
        'file("link.txt")',
        'file("folder/secret.txt")',
        'try(file("../outside/secret.txt"), "fallback")',
        'file("/etc/hostname")',
        'jsondecode(file("../outside/secret.txt"))',
    ],
)
def test_files_outside_of_the_repository_are_not_read(write: Write, outside: Path, expression: str) -> None:
    root = write({"main.tf": f'output "x" {{\n  value = {expression}\n}}\nresource "aws_vpc" "v" {{}}'})
    (root / "link.txt").symlink_to(outside / "secret.txt")
    (root / "folder").symlink_to(outside, target_is_directory=True)
    evaluation = evaluate_root(root, Options())
    assert SECRET not in everything(evaluation)
    assert outputs(evaluation)["x"] in ("?", []), "what can't be read must not be a known value"
    assert addresses(evaluation) == ["aws_vpc.v"]


def test_modules_outside_of_the_repository_are_not_read(write: Write, outside: Path) -> None:
    root = write({"main.tf": 'module "a" { source = "../outside" }\nmodule "b" { source = "./link" }'})
    (root / "link").symlink_to(outside, target_is_directory=True)
    evaluation = evaluate_root(root, Options())
    assert SECRET not in everything(evaluation)
    for name, source in (("a", "../outside"), ("b", "./link")):
        assert any(
            text.endswith(f"module.{name} ({source}) was not read: it lies outside of the repository")
            for text in messages(evaluation, "incomplete")
        )


def test_configuration_that_is_a_link_out_of_the_repository_is_refused(write: Write, outside: Path) -> None:
    root = write({"main.tf": "locals {}"})
    (root / "linked.tf").symlink_to(outside / "main.tf")
    evaluation = evaluate_root(root, Options())
    assert messages(evaluation, "error") == ["linked.tf: linked.tf lies outside the repository and was not read"]
    assert SECRET not in everything(evaluation)
    assert (evaluation.coverage.files, evaluation.coverage.files_read) == (2, 1)


@pytest.mark.parametrize("name", ["v.tf", "v.auto.tfvars"])
def test_a_file_that_cannot_be_read_is_never_passed_over(write: Write, name: str) -> None:
    root = write({"main.tf": 'resource "aws_vpc" "v" {}'})
    (root / name).symlink_to(root / "gone" / name)
    evaluation = evaluate_root(root, Options())
    assert messages(evaluation) == [f"{name}: {name} does not exist"]
    assert not evaluation.complete


def test_an_encrypted_file_is_called_so(write: Write) -> None:
    root = write({"main.tf": 'variable "x" {}'})
    (root / "terraform.tfvars").write_bytes(b"\x00GITCRYPT\x00\xd0\x01")
    (found,) = evaluate_root(root, Options()).diagnostics
    assert (found.severity, found.text) == ("error", "terraform.tfvars is encrypted by git-crypt")


def test_messages_do_not_repeat_what_a_file_holds(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": 'locals {\n  a = jsondecode(file("secret.txt"))\n  b = tonumber(file("secret.txt"))\n'
            '  c = templatefile("bad.tftpl", {})\n  d = yamldecode(file("bad.yaml"))\n}',
            "secret.txt": SECRET,
            "bad.tftpl": f"${{{SECRET.replace('-', '_')}}}",
            "bad.yaml": f"a: [{SECRET}: }}",
        }
    )
    text = " ".join(messages(evaluation))
    assert len(evaluation.diagnostics) >= 4
    assert "the-content" not in text


def test_special_files_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    files = Files(tmp_path)
    with pytest.raises(FileRefused, match="not a regular file"):
        files.read(tmp_path / "pipe")
    with pytest.raises(FileRefused):
        files.read(tmp_path / "nul\0byte")
    with pytest.raises(FileRefused, match="does not exist"):
        files.read(tmp_path / "none")


@pytest.mark.parametrize(
    "source",
    [
        "locals {\n  big = range(1000000000)\n}",
        'locals {\n  a0 = "xxxxxxxxxx"\n'
        + "".join(f'  a{i + 1} = "${{local.a{i}}}${{local.a{i}}}"\n' for i in range(60))
        + "}",
        "locals {\n  a0 = [1, 2]\n" + "".join(f"  a{i + 1} = [local.a{i}, local.a{i}]\n" for i in range(60)) + "}",
        "locals {\n  deep = " + "[" * 10_000 + "]" * 10_000 + "\n}",
        "locals {\n  deep = " + "(" * 5_000 + "1" + ")" * 5_000 + "\n}",
        "locals {\n  deep = " + "-" * 10_000 + "1\n}",
        "locals {\n  deep = " + '"${' * 3_000 + "1" + '}"' * 3_000 + "\n}",
        'locals {\n  pad = format("%999999999d", 1)\n}',
        "locals {\n  x = { for a in range(300) : a => { for b in range(300) : b => range(300) } }\n}",
        'resource "aws_vpc" "many" {\n  count = 1000000000\n}',
        'resource "aws_vpc" "many" {\n  for_each = { for i in range(50000) : i => i }\n}',
        'resource "aws_x" "many" {\n  dynamic "b" {\n    for_each = range(90000)\n    content { x = b.value }\n  }\n}',
        'locals {\n  r = regex("(a+)+$", "' + "a" * 5_000 + 'b")\n}',
    ],
)
def test_what_costs_too_much_is_said_and_all_else_is_judged(evaluate: Evaluate, source: str) -> None:
    before = time.process_time()
    evaluation = evaluate({"hostile.tf": source, "good.tf": 'resource "aws_vpc" "good" { cidr_block = "10.0.0.0/8" }'})
    assert time.process_time() - before < 6
    assert any(
        origin is not None and origin.file == "hostile.tf" for origin in (d.origin for d in evaluation.diagnostics)
    )
    assert "aws_vpc.good" in addresses(evaluation)
    assert not evaluation.complete or any(d.severity == "warning" for d in evaluation.diagnostics)


def test_many_instances_of_many_modules_are_bounded(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n  count = 300\n}',
            "a/main.tf": 'module "b" {\n  source = "../b"\n  count = 300\n}',
            "b/main.tf": 'resource "aws_vpc" "v" {\n  count = 300\n}',
        }
    )
    assert len(evaluation.resources) < 100_000
    assert any("more instances than are evaluated" in text for text in messages(evaluation, "incomplete"))
    assert any(not found.exists for found in evaluation.resources)


def test_an_unreadable_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused):
        evaluate_root(tmp_path / "none", Options())
