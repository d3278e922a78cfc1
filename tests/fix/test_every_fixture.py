"""Every violated finding of the shipped fixtures has a proven fix, and `fix` mends a whole project at once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lint.check import Request, check, mend
from lint.project import load
from lint.report.document import CheckReport
from lint.verdict.finding import Finding

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
BROKEN = sorted(path for cloud in ("aws", "azure") for path in (FIXTURES / cloud).glob("*/broken"))
AWS = [path for path in BROKEN if path.parts[-3] == "aws"]


def copied(fixture: Path, directory: Path) -> Path:
    return Path(shutil.copytree(fixture, directory / "project"))


def request(directory: Path, source: str = "") -> Request:
    return Request(sources=(str(directory / source),), project=load(directory / "netpact.yaml"))


def violated(report: CheckReport) -> list[Finding]:
    return [f for f in report.findings if f.verdict == "violated"]


def formatted(directory: Path) -> bool:
    """Whether `terraform fmt` has nothing to say; the tests of `tidy` say the same without the binary."""
    binary = shutil.which("terraform")
    if binary is None:
        return True
    command = [binary, "fmt", "-check", "-recursive"]
    return subprocess.run(command, cwd=directory, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("fixture", BROKEN, ids=lambda p: "-".join(p.parts[-3:-1]))
def test_every_fix_of_a_fixture_applies_with_git_mends_and_is_formatted(fixture: Path, tmp_path: Path) -> None:
    findings = violated(check(request(fixture), "test"))
    assert findings
    for number, finding in enumerate(findings):
        assert finding.fix is not None, finding.sentence
        assert finding.fix.verified
        directory = copied(fixture, tmp_path / str(number))
        subprocess.run(["git", "apply", "-"], cwd=directory, input=finding.fix.patch.encode(), check=True)
        assert formatted(directory)
        left = violated(check(Request(sources=(str(directory),), project=request(directory).project, fixes=False), ""))
        assert (finding.id, finding.service, finding.destination) not in [
            (f.id, f.service, f.destination) for f in left
        ]
        assert len(left) < len(findings)


@pytest.mark.parametrize("fixture", BROKEN, ids=lambda p: "-".join(p.parts[-3:-1]))
def test_fix_writes_all_of_them_together_and_then_has_nothing_to_say(fixture: Path, tmp_path: Path) -> None:
    directory = copied(fixture, tmp_path)
    printed = mend(request(directory), write=False)
    assert printed.left == 0
    assert printed.patch
    assert not subprocess.run(["diff", "-r", fixture, directory], capture_output=True, check=False).stdout
    written = mend(request(directory), write=True)
    assert written.patch == printed.patch
    assert not violated(check(request(directory), "test"))
    assert formatted(directory)
    again = mend(request(directory), write=True)
    assert (again.patch, again.commands, again.left, again.said) == ("", (), 0, ())


@pytest.mark.parametrize("kind", ["plan", "state"])
@pytest.mark.parametrize("fixture", AWS, ids=lambda p: p.parts[-2])
def test_a_plan_and_a_state_beside_their_configuration_get_the_same_patches(fixture: Path, kind: str) -> None:
    """Proven twice: the change on the plan's own graph, and the text by evaluating the configuration."""
    text = {(f.id, f.service): f.fix.patch for f in violated(check(request(fixture), "test")) if f.fix}
    made = {
        (f.id, f.service): f.fix.patch
        for f in violated(check(request(fixture, f"{kind}.json"), "test"))
        if f.fix is not None
    }
    assert made
    for key, patch in made.items():
        assert patch == text[key]
