"""What is too wide is narrowed where it is written, and nothing but that changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lint.check import mend
from tests.fix.projects import applied, judged, request, the, write
from tests.fix.test_fixes import MACHINES, PROJECT

HEAD = 'resource "aws_security_group" "gateway" {\n  name = "gateway"\n'


def rule(cidrs: str) -> str:
    """The gateway's group with one rule for the console, whose addresses are this expression."""
    return f"""{HEAD}
  ingress {{
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = {cidrs}
  }}
}}
"""


def differences(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went, and those that came."""
    old, new = before.splitlines(), after.splitlines()
    return [line.strip() for line in old if line not in new], [line.strip() for line in new if line not in old]


@pytest.mark.parametrize(
    ("gateway", "went", "came"),
    [
        pytest.param(
            'locals {\n  console = ["0.0.0.0/0"] # too wide\n}\n\n' + rule("local.console"),
            'console = ["0.0.0.0/0"] # too wide',
            'console = ["203.0.113.10/32"] # too wide',
            id="a local",
        ),
        pytest.param(
            'variable "console" {\n  default = "0.0.0.0/0"\n}\n\n' + rule("[var.console]"),
            'default = "0.0.0.0/0"',
            'default = "203.0.113.10/32"',
            id="a default",
        ),
        pytest.param(
            'locals {\n  office = ["0.0.0.0/0", "203.0.113.10/32"]\n}\n\n' + rule("local.office"),
            'office = ["0.0.0.0/0", "203.0.113.10/32"]',
            'office = ["203.0.113.10/32"]',
            id="an element that the others make up for",
        ),
        pytest.param(
            'locals {\n  office = ["203.0.113.10/32", "0.0.0.0/0"]\n}\n\n' + rule("local.office"),
            'office = ["203.0.113.10/32", "0.0.0.0/0"]',
            'office = ["203.0.113.10/32"]',
            id="the last of them",
        ),
        pytest.param(
            rule('[\n      "203.0.113.10/32", # console\n      "0.0.0.0/0",       # for now\n    ]'),
            '"0.0.0.0/0",       # for now',
            None,
            id="a line of a list, its neighbours' comments stay",
        ),
        pytest.param(
            'locals {\n  rules = {\n    ssh  = { port = 22, cidr = "0.0.0.0/0" }\n'
            '    ping = { port = 16100, cidr = "203.0.113.10/32" }\n  }\n}\n\n'
            + HEAD
            + """
  dynamic "ingress" {
    for_each = local.rules
    content {
      protocol    = "tcp"
      from_port   = ingress.value.port
      to_port     = ingress.value.port
      cidr_blocks = [ingress.value.cidr]
    }
  }
}
""",
            'ssh  = { port = 22, cidr = "0.0.0.0/0" }',
            'ssh  = { port = 22, cidr = "203.0.113.10/32" }',
            id="an element of a map of rules",
        ),
        pytest.param(
            'variable "ports" {\n  default = [22, 10729, 16100]\n}\n\n'
            'resource "aws_security_group" "gateway" {\n  name = "gateway"\n}\n\n'
            'resource "aws_security_group_rule" "console" {\n  count             = length(var.ports)\n'
            '  type              = "ingress"\n  security_group_id = aws_security_group.gateway.id\n'
            '  protocol          = "tcp"\n  from_port         = var.ports[count.index]\n'
            '  to_port           = var.ports[count.index]\n  cidr_blocks       = ["0.0.0.0/0"]\n}\n',
            'cidr_blocks       = ["0.0.0.0/0"]',
            'cidr_blocks       = ["203.0.113.10/32"]',
            id="a block that count repeats, of which all are at fault",
        ),
        pytest.param(rule("[local.x]") + 'locals { x = "0.0.0.0/0" }\n', 'locals { x = "0.0.0.0/0" }', ..., id="short"),
    ],
)
def test_the_source_of_the_value_is_changed(tmp_path: Path, gateway: str, went: str, came: object) -> None:
    write(tmp_path, MACHINES, project=PROJECT, name="machines.tf")
    (tmp_path / "gateway.tf").write_text(gateway)
    finding = the(judged(tmp_path), "gateway-ssh", "tcp/22")
    assert finding.verdict == "violated"
    applied(tmp_path, finding)
    gone, new = differences(gateway, (tmp_path / "gateway.tf").read_text())
    assert gone == [went]
    if came is not ...:
        assert new == ([came] if came is not None else [])
    assert the(judged(tmp_path), "gateway-ssh", "tcp/22").verdict == "satisfied"


VALUES = 'variable "console" {\n  type = list(string)\n}\n\n' + rule("var.console")


def test_values_that_terraform_takes_by_itself_are_changed_there(tmp_path: Path) -> None:
    write(tmp_path, MACHINES, VALUES, project=PROJECT)
    (tmp_path / "terraform.tfvars").write_text('# prod\nconsole = ["0.0.0.0/0"] # all\nregion  = "eu-west-1"\n')
    finding = the(judged(tmp_path), "gateway-ssh", "tcp/22")
    applied(tmp_path, finding)
    assert (tmp_path / "terraform.tfvars").read_text().splitlines()[:2] == [
        "# prod",
        'console = ["203.0.113.10/32"] # all',
    ]
    assert the(judged(tmp_path), "gateway-ssh", "tcp/22").verdict == "satisfied"


def test_of_several_files_of_values_the_one_that_was_given_is_changed(tmp_path: Path) -> None:
    write(tmp_path, MACHINES, VALUES, project=PROJECT)
    (tmp_path / "env").mkdir()
    for name in ("prod", "dev"):
        (tmp_path / "env" / f"{name}.tfvars").write_text('console = ["0.0.0.0/0"]\n')
    asked = request(tmp_path)
    given = replace(asked.load, command_line=(tmp_path / "env" / "prod.tfvars",))
    mended = mend(replace(asked, load=given), write=True)
    assert "prod.tfvars" in mended.patch
    assert (tmp_path / "env" / "prod.tfvars").read_text() == 'console = ["203.0.113.10/32"]\n'
    assert (tmp_path / "env" / "dev.tfvars").read_text() == 'console = ["0.0.0.0/0"]\n'


def test_values_that_lie_outside_the_source_are_left_alone(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    write(source, MACHINES, VALUES, project=PROJECT)
    (tmp_path / "prod.tfvars").write_text('console = ["0.0.0.0/0"]\n')
    asked = request(source)
    given = replace(asked.load, command_line=(tmp_path / "prod.tfvars",))
    mend(replace(asked, load=given), write=True)
    assert (tmp_path / "prod.tfvars").read_text() == 'console = ["0.0.0.0/0"]\n'


def test_a_rule_for_everything_is_cut_down_to_what_documents_name(tmp_path: Path) -> None:
    wide = (
        rule('["0.0.0.0/0"]')
        .replace("from_port   = 22", "from_port   = 0")
        .replace("to_port     = 22", "to_port     = 65535")
    )
    write(tmp_path, MACHINES, wide, project=PROJECT)
    mended = mend(request(tmp_path), write=True)
    text = (tmp_path / "main.tf").read_text()
    assert "0.0.0.0/0" not in text[text.index("gateway.id") + 1 :].split('"gateway" {')[1]
    assert not [f for f in judged(tmp_path).findings if f.verdict == "violated" and f.kind == "exclusive"], mended.said


def test_a_module_that_two_roots_share_is_not_changed_for_one_of_them(tmp_path: Path) -> None:
    shared = rule('["0.0.0.0/0"]') + 'output "id" {\n  value = aws_security_group.gateway.id\n}\n'
    for name, text in (
        ("modules/group", shared),
        ("prod", 'module "gateway" {\n  source = "../modules/group"\n}\n\n' + MACHINES),
        ("test", 'module "gateway" {\n  source = "../modules/group"\n}\n'),
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "main.tf").write_text(text.replace("aws_security_group.gateway.id]", "module.gateway.id]"))
    (tmp_path / "netpact.yaml").write_text(PROJECT)
    finding = next(f for f in judged(tmp_path).findings if f.flow == "gateway-ssh")
    assert finding.verdict == "violated"
    assert finding.fix is None
    assert any("shared" in note for note in finding.notes), finding.notes
