"""`netpact init` at the command line: where it writes, and what it never overwrites."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.cli import run
from lint.project import load

FIXTURE = str(Path(__file__).parents[2] / "fixtures" / "aws" / "hyperbdr-block" / "compliant")


def test_prints_the_proposal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", FIXTURE]) == 0
    assert "pack: hyperbdr/saas-block-storage" in capsys.readouterr().out


def test_a_written_file_can_be_checked_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "netpact.yaml"
    assert run(["init", FIXTURE, "-o", str(file)]) == 0
    assert load(file).deployments[0].pack == "hyperbdr/saas-block-storage"
    assert run(["check", "--config", str(file), "--no-fix"]) in (0, 1)
    assert "unbound" in capsys.readouterr().out


def test_an_existing_file_stays_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "netpact.yaml"
    file.write_text("version: 1\n")
    assert run(["init", FIXTURE, "-o", str(file)]) == 2
    assert file.read_text() == "version: 1\n"
    assert "--force overwrites it" in capsys.readouterr().err
    assert run(["init", FIXTURE, "-o", str(file), "--force"]) == 0
    assert load(file).deployments


def test_a_source_that_speaks_for_no_pack_lists_the_packs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }\n')
    assert run(["init", str(tmp_path)]) == 2
    message = capsys.readouterr()
    assert message.out == ""
    assert "safehaven/safehaven-4" in message.err


def test_a_pack_that_does_not_exist_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", FIXTURE, "--pack", "hyperbdr/saas-blok-storage"]) == 2
    assert "did you mean `hyperbdr/saas-block-storage`?" in capsys.readouterr().err
