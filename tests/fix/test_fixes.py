"""A violated finding comes with a fix in the file's own style that, applied, mends it and harms nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lint.check import Request, check
from lint.project import load
from lint.report.document import CheckReport
from lint.verdict.finding import Finding

PROJECT = """\
version: 1
deployments:
  dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    roles:
      console: [{addresses: [203.0.113.10/32]}]
      cloud-sync-gateway: [{terraform: aws_instance.gateway}]
      agent: [{terraform: aws_instance.app}]
"""

MACHINES = """\
resource "aws_instance" "gateway" {
  private_ip             = "10.0.2.9"
  vpc_security_group_ids = [aws_security_group.gateway.id]
}

resource "aws_instance" "app" {
  private_ip             = "10.0.1.5"
  vpc_security_group_ids = [aws_security_group.app.id]
}

resource "aws_security_group" "app" {
  name = "app"

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"""

INLINE = """\
resource "aws_security_group" "gateway" {
  name = "gateway" # the sync gateway

  ingress {
    description = "console"
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = ["203.0.113.10/32"]
  }
}
"""

ELEMENTS = """\
resource "aws_security_group" "gateway" {
  name = "gateway"

  ingress = [
    {
      description      = "console"
      protocol         = "tcp"
      from_port        = 22
      to_port          = 22
      cidr_blocks      = ["203.0.113.10/32"]
      ipv6_cidr_blocks = null
      prefix_list_ids  = null
      security_groups  = null
      self             = null
    },
  ]
}
"""

CLASSIC = """\
resource "aws_security_group" "gateway" {
  name = "gateway"
}

resource "aws_security_group_rule" "ssh" {
  type              = "ingress"
  security_group_id = aws_security_group.gateway.id
  protocol          = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_blocks       = ["203.0.113.10/32"]
}
"""

MODERN = """\
resource "aws_security_group" "gateway" {
  name = "gateway"
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = aws_security_group.gateway.id
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = "203.0.113.10/32"
}
"""


def judged(directory: Path) -> CheckReport:
    return check(Request(sources=(str(directory),), project=load(directory / "netpact.yaml")), "test")


def project(directory: Path, gateway: str) -> Path:
    (directory / "netpact.yaml").write_text(PROJECT)
    (directory / "machines.tf").write_text(MACHINES)
    (directory / "gateway.tf").write_text(gateway)
    return directory


def the(report: CheckReport, flow: str, service: str) -> Finding:
    found = [f for f in report.findings if f.flow == flow and f.service == service]
    assert len(found) == 1, [(f.flow, f.service, f.verdict) for f in report.findings]
    return found[0]


def applied(directory: Path, patch: str) -> None:
    subprocess.run(["git", "apply", "-"], cwd=directory, input=patch.encode(), check=True)


@pytest.mark.parametrize(
    ("gateway", "written"),
    [
        (INLINE, "+  ingress {\n"),
        (ELEMENTS, "+    {\n"),
        (CLASSIC, '+resource "aws_security_group_rule" '),
        (MODERN, '+resource "aws_vpc_security_group_ingress_rule" '),
    ],
    ids=["inline blocks", "attribute of objects", "aws_security_group_rule", "aws_vpc_security_group_ingress_rule"],
)
def test_a_missing_flow_gets_a_rule_in_the_style_of_the_file(tmp_path: Path, gateway: str, written: str) -> None:
    directory = project(tmp_path, gateway)
    finding = the(judged(directory), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    assert finding.fix.verified
    assert written in finding.fix.patch
    assert "aws_security_group.app.id" in finding.fix.patch
    applied(directory, finding.fix.patch)
    assert the(judged(directory), "block-agent-2", "tcp/13260").verdict == "satisfied"


@pytest.mark.parametrize("gateway", [INLINE, ELEMENTS, CLASSIC, MODERN])
def test_a_patch_is_formatted_as_terraform_fmt_would(tmp_path: Path, gateway: str) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("no terraform binary on this machine")
    directory = project(tmp_path, gateway)
    finding = the(judged(directory), "block-agent-2", "tcp/13260")
    assert finding.fix is not None
    applied(directory, finding.fix.patch)
    subprocess.run(["terraform", "fmt", "-check", "-diff"], cwd=directory, check=True)


@pytest.mark.parametrize(
    ("gateway", "before", "after"),
    [
        (INLINE, '["203.0.113.10/32"]', '["0.0.0.0/1", "128.0.0.0/1"]'),
        (ELEMENTS, '["203.0.113.10/32"]', '["0.0.0.0/0"]'),
        (CLASSIC, '["203.0.113.10/32"]', '["0.0.0.0/0"]'),
        (MODERN, '"203.0.113.10/32"', '"0.0.0.0/0"'),
    ],
)
def test_an_excess_is_narrowed_to_the_documented_peer(tmp_path: Path, gateway: str, before: str, after: str) -> None:
    directory = project(tmp_path, gateway.replace(before, after))
    finding = the(judged(directory), "gateway-ssh", "tcp/22")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    assert "203.0.113.10/32" in finding.fix.patch
    applied(directory, finding.fix.patch)
    report = judged(directory)
    assert the(report, "gateway-ssh", "tcp/22").verdict == "satisfied"
    assert the(report, "block-agent-3", "tcp/22").verdict == "satisfied"


def test_a_rule_too_wide_in_ports_is_split_so_that_its_other_ports_stay(tmp_path: Path) -> None:
    wide = INLINE.replace("from_port   = 22", "from_port   = 20").replace("to_port     = 22", "to_port     = 13260")
    directory = project(tmp_path, wide.replace('["203.0.113.10/32"]', '["203.0.113.10/32", "10.0.1.0/24"]'))
    before = judged(directory)
    assert the(before, "block-agent-2", "tcp/13260").verdict == "satisfied"
    finding = the(before, "gateway-ssh", "tcp/22")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    applied(directory, finding.fix.patch)
    after = judged(directory)
    assert the(after, "gateway-ssh", "tcp/22").verdict == "satisfied"
    assert the(after, "block-agent-2", "tcp/13260").verdict == "satisfied"
    assert the(after, "block-agent-3", "tcp/22").verdict == "satisfied"


def test_a_flow_blocked_on_both_sides_gets_both_rules_in_one_patch(tmp_path: Path) -> None:
    directory = project(tmp_path, INLINE)
    machines = (directory / "machines.tf").read_text().replace('"-1"', '"udp"')
    (directory / "machines.tf").write_text(machines.replace("to_port     = 0", "to_port     = 9"))
    finding = the(judged(directory), "block-agent-2", "tcp/13260")
    assert finding.fix is not None
    assert "egress" in finding.fix.patch
    assert "ingress" in finding.fix.patch
    applied(directory, finding.fix.patch)
    assert the(judged(directory), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_line_ends_of_the_file_are_kept(tmp_path: Path) -> None:
    directory = project(tmp_path, INLINE)
    (directory / "gateway.tf").write_bytes(INLINE.replace("\n", "\r\n").encode())
    finding = the(judged(directory), "block-agent-2", "tcp/13260")
    assert finding.fix is not None
    added = dict(finding.fix.files)["gateway.tf"]
    assert b"\n" not in added.replace(b"\r\n", b"")


def test_nothing_is_suggested_that_would_open_a_forbidden_way(tmp_path: Path) -> None:
    """The group of the agents is carried by a stranger as well: naming it would let the stranger in."""
    directory = project(tmp_path, INLINE)
    stranger = MACHINES.replace(
        'resource "aws_security_group" "app"',
        'resource "aws_instance" "stranger" {\n  private_ip             = "10.0.1.66"\n'
        '  vpc_security_group_ids = [aws_security_group.app.id]\n}\n\nresource "aws_security_group" "app"',
    )
    (directory / "machines.tf").write_text(stranger)
    finding = the(judged(directory), "block-agent-2", "tcp/13260")
    assert finding.fix is not None
    assert "aws_security_group.app.id" not in finding.fix.patch
    assert '"10.0.1.5/32"' in finding.fix.patch
