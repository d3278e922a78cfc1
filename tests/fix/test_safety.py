"""A fix never does more than it says: no neighbour is touched, nothing outside the source is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lint.check import Request, check, mend
from lint.fix.prove import Budget, Proven, Prover
from lint.project import load
from lint.sources import SourceError
from lint.verdict.finding import Finding
from tests.fix.projects import judged, request, the
from tests.fix.test_fixes import INLINE, MACHINES, project

WIDE = INLINE.replace('["203.0.113.10/32"]', '["0.0.0.0/0"]')
SSH = ("gateway-ssh", "tcp/22")

REPEATED = """\
resource "aws_security_group" "gateway" {
  name = "gateway"

  dynamic "ingress" {
    for_each = { ssh = 22, metrics = 9100 }

    content {
      protocol    = "tcp"
      from_port   = ingress.value
      to_port     = ingress.value
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
}
"""


def test_a_dynamic_block_is_not_narrowed_for_elements_that_nobody_complains_of(tmp_path: Path) -> None:
    finding = the(judged(project(tmp_path, REPEATED)), *SSH)
    assert finding.verdict == "violated"
    assert finding.fix is None


def test_the_element_of_a_map_is_narrowed_where_it_holds_the_address_itself(tmp_path: Path) -> None:
    text = REPEATED.replace(
        "{ ssh = 22, metrics = 9100 }",
        '{\n      ssh     = { port = 22, from = "0.0.0.0/0" }\n'
        '      metrics = { port = 9100, from = "10.9.0.0/16" }\n    }',
    )
    text = text.replace("ingress.value\n", "ingress.value.port\n").replace('["0.0.0.0/0"]', "[ingress.value.from]")
    finding = the(judged(project(tmp_path, text)), *SSH)
    assert finding.fix is not None
    assert '+      ssh     = { port = 22, from = "203.0.113.10/32" }' in finding.fix.patch
    assert "metrics" not in "".join(line for line in finding.fix.patch.splitlines() if line[0] in "+-")


def test_a_module_called_twice_is_not_opened_for_both(tmp_path: Path) -> None:
    directory = project(tmp_path, "")
    (directory / "node").mkdir()
    node = INLINE.replace("gateway", "node").replace(
        'resource "aws_security_group"',
        'variable "ip" {}\n\nresource "aws_instance" "node" {\n  private_ip             = var.ip\n'
        '  vpc_security_group_ids = [aws_security_group.node.id]\n}\n\nresource "aws_security_group"',
    )
    (directory / "node" / "main.tf").write_text(node)
    calls = "\n".join(
        f'module "{name}" {{\n  source = "./node"\n  ip     = "10.0.2.{last}"\n}}\n'
        for name, last in (("gateway", 9), ("other", 10))
    )
    machines = MACHINES[MACHINES.index('resource "aws_instance" "app"') :]
    (directory / "machines.tf").write_text(machines + "\n" + calls)
    text = (directory / "netpact.yaml").read_text().replace("aws_instance.gateway", "module.gateway.aws_instance.node")
    (directory / "netpact.yaml").write_text(text)
    finding = the(judged(directory), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    assert finding.fix is None


def test_installed_modules_and_json_configuration_get_no_patch(tmp_path: Path) -> None:
    directory = project(tmp_path, "")
    document = {
        "resource": {
            "aws_security_group": {
                "gateway": {
                    "ingress": [{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}]
                }
            }
        }
    }
    (directory / "gateway.tf.json").write_text(json.dumps(document, indent=2))
    finding = the(judged(directory), *SSH)
    assert finding.verdict == "violated"
    assert finding.fix is None


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = project(tmp_path, WIDE)
    proven = Prover.fix

    def slow(self: Prover, finding: Finding) -> Proven | None:
        found = proven(self, finding)
        (directory / "gateway.tf").write_text(WIDE + "\n# somebody else was here\n")
        return found

    monkeypatch.setattr(Prover, "fix", slow)
    with pytest.raises(SourceError, match="has changed since it was read"):
        mend(request(directory), write=True)
    assert (directory / "gateway.tf").read_text() == WIDE + "\n# somebody else was here\n"


def test_a_file_that_lies_elsewhere_is_never_written(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    directory = project(tmp_path / "source", WIDE)
    outside = tmp_path / "elsewhere.tf"
    shutil.move(directory / "gateway.tf", outside)
    (directory / "gateway.tf").symlink_to(outside)
    mended = mend(request(directory), write=True)
    assert mended.patch == ""
    assert outside.read_text() == WIDE


def test_fixes_of_several_findings_go_into_one_patch_and_do_not_fight(tmp_path: Path) -> None:
    directory = project(tmp_path, WIDE)
    mended = mend(request(directory), write=True)
    assert mended.left == 0
    assert [f.id for f in judged(directory).findings if f.verdict == "violated"] == []


def test_a_run_that_has_spent_its_budget_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = project(tmp_path, WIDE)
    spent = Budget(trials=0)
    monkeypatch.setattr("lint.fix.prove.Budget", lambda *_: spent)
    report = judged(directory)
    assert the(report, *SSH).fix is None
    assert ["netpact fix" in (p.remedy or "") for p in report.problems] == [True]
    assert report.problems[0].severity == "warning"


def test_what_one_fix_costs_is_shared_by_the_findings_of_the_same_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three findings blame one rule: its narrowing is written, read and judged once."""
    wide = WIDE.replace("from_port   = 22", "from_port   = 10729").replace("to_port     = 22", "to_port     = 16100")
    directory = project(tmp_path, wide)
    budget = Budget()
    monkeypatch.setattr("lint.fix.prove.Budget", lambda *_: budget)
    report = judged(directory)
    blamed = [f for f in report.findings if f.verdict == "violated" and f.kind == "exclusive"]
    assert len(blamed) == 3
    assert all(f.fix is not None for f in blamed)
    assert 60 - budget.trials <= 12


@pytest.mark.parametrize(
    "gateway",
    [
        'resource "aws_security_group" "gateway" { name = "gateway" }\n',
        'resource "aws_security_group" "gateway" {}\n',
        INLINE.replace("  ingress", "\tingress").replace("    ", "\t\t"),
        INLINE.replace('["203.0.113.10/32"]', '["203.0.113.10/32"] # the console'),
        INLINE.replace('name = "gateway"', 'name = "gateway"\n  description = <<-EOT\n    open { [ (\n  EOT\n'),
        INLINE.rstrip("\n"),
    ],
    ids=["one line", "empty", "tabs", "comment behind a value", "heredoc", "no final newline"],
)
def test_odd_layouts_get_a_rule_as_well(tmp_path: Path, gateway: str) -> None:
    directory = project(tmp_path, gateway)
    finding = the(judged(directory), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    for name, data in finding.fix.files:
        (directory / name).write_bytes(data)
    assert the(judged(directory), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_without_a_project_the_public_part_of_a_rule_goes_and_private_peers_stay(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(MACHINES + "\n" + WIDE.replace("22", "13260"))
    wanted = Request(sources=(str(tmp_path),), packs=("hyperbdr/saas-block-storage",))
    found = [f for f in check(wanted, "test").findings if f.verdict == "violated"]
    for finding in found:
        if finding.fix is not None:
            assert "10.0.0.0/8" in finding.fix.patch


def test_the_project_file_is_never_part_of_a_fix(tmp_path: Path) -> None:
    directory = project(tmp_path, WIDE)
    before = (directory / "netpact.yaml").read_bytes()
    mend(request(directory), write=True)
    assert (directory / "netpact.yaml").read_bytes() == before
    assert load(directory / "netpact.yaml").deployments
