"""Each mistake of a user or a source gets one clear message with file and line, status 2, and never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TERRAFORM = """\
resource "aws_security_group" "gateway" {
  name = "gateway"

  ingress {
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = ["203.0.113.10/32"]
  }
}

resource "aws_instance" "gateway" {
  private_ip             = "10.0.2.9"
  vpc_security_group_ids = [aws_security_group.gateway.id]
}
"""

PROJECT = """\
version: 1
deployments:
  dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    roles:
      console: [{addresses: [203.0.113.10/32]}]
      cloud-sync-gateway: [{terraform: aws_instance.gateway}]
"""


def netpact(directory: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lint", *arguments],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])} | environ,
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(TERRAFORM)
    (tmp_path / "netpact.yaml").write_text(PROJECT)
    return tmp_path


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_good_project_is_judged(project: Path) -> None:
    done = netpact(project, "check", ".", "--only", "block-agent-3")
    assert done.returncode == 1
    assert "block-agent-3" in said(done)


@pytest.mark.parametrize(
    ("before", "after", "place", "words"),
    [
        ("hyperbdr/saas-block-storage", "hyperbdr/saas-blok-storage", "netpact.yaml:4", "saas-blok-storage"),
        ("console:", "consol:", "netpact.yaml:7", "consol"),
        ("[agent]", "[agents]", "netpact.yaml:5", "agents"),
        ("aws_instance.gateway}", "aws_instance.gatway}", "netpact.yaml:8", "aws_instance.gatway"),
        ("203.0.113.10/32", "203.0.113.10/33", "netpact.yaml:7", "203.0.113.10/33"),
        ("version: 1\n", "version: 1\nversion: 1\n", "netpact.yaml:2", "version"),
        ("    variants: [agent]\n", "    variants: [agent]\n    variant: [agent]\n", "netpact.yaml:6", "variant"),
        ("version: 1", "version: [1", "netpact.yaml", ""),
    ],
    ids=[
        "unknown pack",
        "unknown role",
        "unknown variant",
        "a selector that binds nothing",
        "a wrong CIDR",
        "a duplicate key",
        "an unknown key",
        "no YAML",
    ],
)
def test_a_mistake_in_the_project_file_is_told_with_its_line(
    project: Path, before: str, after: str, place: str, words: str
) -> None:
    assert before in PROJECT
    (project / "netpact.yaml").write_text(PROJECT.replace(before, after, 1))
    done = netpact(project, "check")
    assert done.returncode == 2
    assert place in said(done)
    assert words in said(done)


def test_a_syntax_error_is_told_and_the_other_files_are_judged_all_the_same(project: Path) -> None:
    (project / "broken.tf").write_text('resource "aws_instance" "x" {\n  ami = \n}\n')
    done = netpact(project, "check", ".", "--only", "block-agent-3")
    assert done.returncode == 2
    assert "broken.tf:2:" in said(done)
    assert "violated" in done.stdout


def test_an_expired_waiver_says_so_and_the_finding_is_violated_again(project: Path) -> None:
    waiver = "waivers:\n  - finding: dr/block-agent-3\n    reason: later\n    expires: "
    (project / "netpact.yaml").write_text(PROJECT + waiver + "2999-01-01\n")
    waived = netpact(project, "check", "--only", "block-agent-3", "--format", "json")
    assert json.loads(waived.stdout)["summary"]["violated"] == 0
    assert waived.returncode == 0
    (project / "netpact.yaml").write_text(PROJECT + waiver + "2020-01-01\n")
    expired = netpact(project, "check", "--only", "block-agent-3")
    assert expired.returncode == 1
    assert "expired on 2020-01-01" in said(expired)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "no-such-folder"), "no-such-folder"),
        (("check", "--frobnicate"), "--frobnicate"),
        (("check", ".", "--var", "x"), "NAME=VALUE"),
        (("check", ".", "--config", "nowhere.yaml"), "nowhere.yaml"),
        (("check", ".", "--pack", "no/such"), "no/such"),
        (("check", ".", "--format", "json", "--format", "text"), "standard output"),
        (("check", ".", "--output", "report.xyz"), "report.xyz"),
        (("check", ".", "-f", "json", "-o", "r.json", "-f", "text", "-o", "r.json"), "two formats for one file"),
        (("trace", ".", "--from", "nobody", "--to", "internet"), "nobody"),
        (("trace", ".", "--from", "internet", "--to", "aws_instance.gateway", "--service", "tpc/22"), "tpc/22"),
        (("packs", "show", "no/such"), "no/such"),
        (("packs", "show"), "packs list"),
        (("console", "no-such-folder"), "no-such-folder"),
        ((), "COMMAND"),
    ],
)
def test_a_command_that_can_not_be_carried_out_says_why(project: Path, arguments: tuple[str, ...], words: str) -> None:
    done = netpact(project, *arguments)
    assert done.returncode == 2
    assert words in said(done)
    assert said(done).count("error:") == 1


def test_nothing_to_judge_is_not_a_pass(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(TERRAFORM)
    (tmp_path / ".git").mkdir()
    done = netpact(tmp_path, "check")
    assert done.returncode == 2
    assert "nothing to judge" in said(done)


def test_an_empty_folder_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "netpact.yaml").write_text(PROJECT)
    done = netpact(tmp_path, "check")
    assert done.returncode == 2
    assert "no Terraform configuration" in said(done)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plan.json", b"{"),
        ("plan.json", b"\xff\xfe"),
        ("plan.json", b"[" * 100_000),
        ("plan.json", b'{"format_version": "99.0", "planned_values": {}}'),
        ("state.json", b'{"version": 1, "serial": 1, "terraform_version": "0.8"}'),
        ("plan.json", b'{"format_version": "1.2", "planned_values": 5}'),
        ("plan.json", b"null"),
    ],
)
def test_a_plan_or_state_that_can_not_be_read_is_one_message(project: Path, name: str, content: bytes) -> None:
    (project / name).write_bytes(content)
    done = netpact(project, "check", f"{name.split('.')[0]}:{name}")
    assert done.returncode == 2
    assert name in said(done)


def test_several_formats_are_written_at_once(project: Path) -> None:
    done = netpact(
        project,
        "check",
        "--format",
        "text",
        "--format",
        "sarif",
        "--output",
        "r.sarif",
        "--output",
        "r.json",
        "-o",
        "r.html",
    )
    assert done.returncode == 1
    assert "Summary:" in done.stdout
    assert json.loads((project / "r.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((project / "r.json").read_text())["schema"] == 1
    assert "</html>" in (project / "r.html").read_text()


@pytest.mark.parametrize(("level", "status"), [("violated", 1), ("undetermined", 1), ("never", 0)])
def test_fail_on_decides_the_status(project: Path, level: str, status: int) -> None:
    assert netpact(project, "check", "--fail-on", level).returncode == status


def test_only_and_skip_choose_flows(project: Path) -> None:
    only = json.loads(netpact(project, "check", "--only", "gateway-*", "-f", "json").stdout)["findings"]
    assert only
    assert all(f["flow"].startswith("gateway-") for f in only)
    skipped = json.loads(netpact(project, "check", "--skip", "gateway-*", "-f", "json").stdout)["findings"]
    assert skipped
    assert not any(f["flow"].startswith("gateway-") for f in skipped)


def test_variables_decide_and_the_later_one_wins(project: Path) -> None:
    (project / "main.tf").write_text(
        TERRAFORM.replace('["203.0.113.10/32"]', "[var.console]") + 'variable "console" {}\n'
    )
    (project / "prod.tfvars").write_text('console = "203.0.113.10/32"\n')

    def verdicts(*arguments: str, **environ: str) -> set[str]:
        done = netpact(project, "check", "--only", "block-agent-3", "-f", "json", *arguments, **environ)
        return {f["verdict"] for f in json.loads(done.stdout)["findings"] if f["service"] == "tcp/22"}

    assert verdicts() == {"undetermined"}
    assert verdicts("--var-file", "prod.tfvars") == {"satisfied"}
    assert verdicts("--var-file", "prod.tfvars", "--var", "console=192.0.2.1/32") == {"violated"}
    assert verdicts("--var", "console=192.0.2.1/32", "--var-file", "prod.tfvars") == {"satisfied"}
    assert verdicts(TF_VAR_console="203.0.113.10/32") == {"satisfied"}


def test_a_closed_pipe_is_no_error(project: Path) -> None:
    command = f'"{sys.executable}" -m lint check . --format json | head -c 1 >/dev/null; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        text=True,
        capture_output=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_many_messages_that_say_the_same_are_told_once_with_their_places(project: Path) -> None:
    for name in ("a", "b", "c", "d", "e", "f"):
        (project / f"{name}.tf").write_text(f'module "{name}" {{\n  source = "example/{name}/aws"\n}}\n')
    (project / "z.tf").write_text("locals {\n  x = local.y\n}\n")
    done = netpact(project, "show", ".")
    heads = [line for line in done.stderr.splitlines() if line.startswith(("error:", "incomplete:"))]
    assert heads == [
        "error: local.y is not declared: there is no such local in the root module",
        *(f"incomplete: module.{n} (example/{n}/aws) was not read: it isn't installed" for n in ("a", "b", "c")),
        "incomplete: 3 more like this, at d.tf:1, e.tf:1, f.tf:1",
    ]


def test_show_says_once_what_could_not_be_read(project: Path) -> None:
    (project / "azure.tf").write_text('resource "azurerm_network_security_group" "x" { name = local.missing }\n')
    done = netpact(project, "show", ".")
    assert done.stdout.count("local.missing is not declared") == 1
