"""`fix --write` puts whole files in place, all or none, and leaves what isn't its own as it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lint.check import mend
from lint.fix.write import NotWritten, write
from tests.fix.projects import request
from tests.fix.test_fixes import INLINE, project
from tests.fix.test_safety import WIDE


def files(directory: Path, count: int = 3) -> dict[Path, bytes]:
    """Some files, as they were read."""
    read = {directory / f"{number}.tf": f"# {number}\n".encode() for number in range(count)}
    for path, data in read.items():
        path.write_bytes(data)
    return read


def test_modes_stay(tmp_path: Path) -> None:
    read = files(tmp_path)
    for path, mode in zip(read, (0o600, 0o644, 0o755), strict=True):
        path.chmod(mode)
    write(dict.fromkeys(read, b"new\n"), read, {path: path.name for path in read})
    assert [stat.S_IMODE(path.stat().st_mode) for path in read] == [0o600, 0o644, 0o755]
    assert {path.read_bytes() for path in read} == {b"new\n"}
    assert sorted(tmp_path.iterdir()) == sorted(read)


def test_one_file_that_changed_keeps_all_from_being_written(tmp_path: Path) -> None:
    read = files(tmp_path)
    last = list(read)[-1]
    last.write_bytes(b"# somebody else\n")
    with pytest.raises(NotWritten, match="has changed"):
        write(dict.fromkeys(read, b"new\n"), read, {path: path.name for path in read})
    assert [path.read_bytes() for path in read] == [b"# 0\n", b"# 1\n", b"# somebody else\n"]
    assert sorted(tmp_path.iterdir()) == sorted(read)


def test_a_file_that_is_gone_keeps_all_from_being_written(tmp_path: Path) -> None:
    read = files(tmp_path)
    list(read)[-1].unlink()
    with pytest.raises(NotWritten, match=r"2\.tf can't be written"):
        write(dict.fromkeys(read, b"new\n"), read, {path: path.name for path in read})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.tf", "1.tf"]
    assert (tmp_path / "0.tf").read_bytes() == b"# 0\n"


def test_a_fault_halfway_undoes_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = files(tmp_path)
    replace, calls = Path.replace, []

    def failing(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(NotWritten, match=r"2\.tf can't be written: No space left"):
        write(dict.fromkeys(read, b"new\n"), read, {path: path.name for path in read})
    assert [path.read_bytes() for path in read] == [b"# 0\n", b"# 1\n", b"# 2\n"]
    assert sorted(tmp_path.iterdir()) == sorted(read)


def test_a_read_only_file_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = files(tmp_path, 1)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(NotWritten, match="Permission denied"):
        write(dict.fromkeys(read, b"new\n"), read, {path: path.name for path in read})
    assert [path.read_bytes() for path in read] == [b"# 0\n"]


def test_a_link_inside_the_source_stays_a_link(tmp_path: Path) -> None:
    directory = project(tmp_path, WIDE)
    (directory / "shared").mkdir()
    (directory / "gateway.tf").rename(directory / "shared" / "gateway.txt")
    (directory / "gateway.tf").symlink_to("shared/gateway.txt")
    assert mend(request(directory), write=True).left == 0
    assert (directory / "gateway.tf").is_symlink()
    assert "203.0.113.10/32" in (directory / "shared" / "gateway.txt").read_text()


def test_a_byte_order_mark_and_line_ends_stay(tmp_path: Path) -> None:
    directory = project(tmp_path, WIDE)
    text = b"\xef\xbb\xbf" + WIDE.replace("\n", "\r\n").encode()
    (directory / "gateway.tf").write_bytes(text)
    assert mend(request(directory), write=True).left == 0
    after = (directory / "gateway.tf").read_bytes()
    assert after.startswith(b"\xef\xbb\xbf")
    assert after.count(b"\n") == after.count(b"\r\n")


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    directory = project(tmp_path, INLINE)
    assert mend(request(directory), write=True).patch
    before = {path: path.read_bytes() for path in directory.iterdir()}
    again = mend(request(directory), write=True)
    assert (again.patch, again.left) == ("", 0)
    assert {path: path.read_bytes() for path in directory.iterdir()} == before


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a folder."""
    command = [sys.executable, "-m", "lint", *arguments]
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        command, cwd=directory, env=os.environ | {"PYTHONPATH": root}, capture_output=True, text=True, check=False
    )


def test_the_exit_status_says_what_is_left(tmp_path: Path) -> None:
    directory = project(tmp_path, WIDE)
    shown = run(directory, "fix")
    assert (shown.returncode, shown.stdout.startswith("--- a/gateway.tf")) == (0, True)
    assert run(directory, "fix", "--write").returncode == 0
    assert run(directory, "check").returncode == 0


def test_what_has_no_fix_is_said_with_the_reason(tmp_path: Path) -> None:
    directory = project(tmp_path, WIDE.replace("aws_security_group.gateway.id", "var.gone"))
    lone = 'resource "aws_route_table" "t" {\n  vpc_id = aws_vpc.v.id\n}\n'
    net = 'resource "aws_vpc" "v" {\n  cidr_block = "10.0.0.0/16"\n}\n'
    net += 'resource "aws_subnet" "s" {\n  vpc_id = aws_vpc.v.id\n  cidr_block = "10.0.0.0/16"\n}\n'
    net += 'resource "aws_route_table_association" "a" {\n  subnet_id = aws_subnet.s.id\n'
    net += "  route_table_id = aws_route_table.t.id\n}\n"
    machines = (directory / "machines.tf").read_text()
    (directory / "machines.tf").write_text(
        machines.replace('private_ip             = "10.0.1.5"', "subnet_id = aws_subnet.s.id") + net + lone
    )
    shown = run(directory, "fix")
    assert shown.returncode == 1
    assert "block-agent-1 tcp/443: no fix: aws_vpc.v has no Internet gateway and no NAT gateway" in shown.stderr


def test_a_source_that_can_not_be_read_whole_is_said(tmp_path: Path) -> None:
    directory = project(tmp_path, WIDE)
    (directory / "broken.tf").write_text('resource "aws_instance" {\n')
    shown = run(directory, "fix")
    assert "broken.tf" in shown.stderr
    assert shown.returncode == run(directory, "check").returncode


def test_changes_that_are_not_committed_are_kept(tmp_path: Path) -> None:
    directory = project(tmp_path, WIDE)
    git = ["git", "-C", str(directory), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "one"], check=True)
    (directory / "gateway.tf").write_text(WIDE + "\n# mine\n")
    assert run(directory, "fix", "--write").returncode == 0
    text = (directory / "gateway.tf").read_text()
    assert text.endswith("\n# mine\n")
    assert "203.0.113.10/32" in text
