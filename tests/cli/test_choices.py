"""What a run judges: packs, flows, project files and waivers are found; what was meant and isn't there is said."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.test_messages import PROJECT, TERRAFORM, netpact, said

PACK = """\
schema: 1
id: acme/mirror
title: Acme Mirror
document: {title: Ports of Acme Mirror}
roles:
  agent: {title: agent, lives: customer}
  mirror: {title: mirror, lives: cloud}
signature: [tcp/7000]
flows:
  - {id: m-1, kind: required, from: agent, to: mirror, services: "tcp/7000,7001", purpose: p,
     cites: [{section: S, row: 1}]}
  - {id: m-2, kind: exclusive, from: agent, to: mirror, services: tcp/7000, purpose: p, cites: [{section: S, row: 1}]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(TERRAFORM)
    (tmp_path / "netpact.yaml").write_text(PROJECT)
    return tmp_path


@pytest.fixture
def with_pack(project: Path) -> Path:
    (project / "policies").mkdir()
    (project / "policies" / "mirror.yaml").write_text(PACK)
    (project / "netpact.yaml").write_text(PROJECT.replace("deployments:", "packs: [policies/*.yaml]\ndeployments:", 1))
    return project


def findings(done) -> list[dict]:
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)["findings"]


def test_a_row_with_several_ports_is_a_finding_for_each_also_where_nothing_is_bound(project: Path) -> None:
    found = [f for f in findings(netpact(project, "check", "-f", "json")) if f["flow"] == "block-agent-1"]
    assert [(f["service"], f["verdict"]) for f in found] == [("tcp/443", "unbound"), ("tcp/30080", "unbound")]
    assert said(netpact(project, "check")).count("unbound block-agent-1 tcp/443, tcp/30080:") == 1


@pytest.mark.parametrize("name", ["acme/mirror", "policies/mirror.yaml"])
def test_a_pack_of_the_project_is_named_by_id_or_file(with_pack: Path, name: str) -> None:
    assert "1 pack, valid" in said(netpact(with_pack, "packs", "validate", name))
    assert netpact(with_pack, "packs", "test", name).returncode in (0, 1)
    done = netpact(with_pack, "check", ".", "--pack", name, "-f", "json")
    assert {(f["pack"], f["flow"], f["service"], f["verdict"]) for f in findings(done)} == {
        ("acme/mirror", "m-1", "tcp/7000", "unbound"),
        ("acme/mirror", "m-1", "tcp/7001", "unbound"),
        ("acme/mirror", "m-2", "tcp/7000", "unbound"),
    }


def test_an_unknown_pack_is_told_which_one_is_near(project: Path) -> None:
    (project / "netpact.yaml").write_text(PROJECT.replace("saas-block-storage", "saas-blok-storage"))
    assert "did you mean `hyperbdr/saas-block-storage`?" in said(netpact(project, "check"))


def test_a_flow_that_is_not_there_is_no_choice(project: Path) -> None:
    done = netpact(project, "check", "--only", "gatway-*", "-f", "json")
    assert done.returncode == 2
    assert [p["text"] for p in json.loads(done.stdout)["problems"] if p["severity"] == "error"] == [
        "--only gatway-* names no flow"
    ]
    assert "--skip gatway-* names no flow" in said(netpact(project, "check", "--skip", "gatway-*"))
    assert "names no flow" not in said(netpact(project, "check", "--only", "dr/gateway-*"))


def test_a_deployment_that_chooses_no_variant_is_told_so(project: Path) -> None:
    (project / "netpact.yaml").write_text(PROJECT.replace("    variants: [agent]\n", ""))
    assert "chooses no variant" in said(netpact(project, "check"))
    (project / "netpact.yaml").write_text(PROJECT.replace("[agent]", "[]"))
    assert "chooses no variant" not in said(netpact(project, "check"))


def test_the_project_file_of_any_source_is_found(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name in ("network", "app"):
        (tmp_path / name).mkdir()
    (tmp_path / "network" / "main.tf").write_text('resource "aws_vpc" "v" {\n  cidr_block = "10.0.0.0/16"\n}\n')
    (tmp_path / "app" / "main.tf").write_text(TERRAFORM)
    (tmp_path / "app" / "netpact.yaml").write_text(PROJECT)
    assert findings(netpact(tmp_path, "check", "network", "app", "-f", "json"))


def test_messages_about_the_project_file_place_it_as_origins_do(project: Path) -> None:
    (project / "netpact.yaml").write_text(PROJECT.replace("console:", "consol:"))
    done = netpact(project, "check", "-f", "json")
    (problem,) = [p for p in json.loads(done.stdout)["problems"] if p["severity"] == "error"]
    assert (problem["origin"]["file"], problem["origin"]["line"]) == ("netpact.yaml", 7)
    elsewhere = netpact(project.parent, "check", project.name, "-f", "json")
    assert json.loads(elsewhere.stdout)["problems"] == json.loads(done.stdout)["problems"]


@pytest.mark.parametrize(
    "comment",
    ["netpact:waive gateway-ssh", "netpact:waive gateway-ssh: why", "netpact:waive gateway-ssh until 2099-01-31"],
)
def test_a_comment_that_is_meant_as_a_waiver_and_is_none_is_said(project: Path, comment: str) -> None:
    open_to_all = TERRAFORM.replace("203.0.113.10/32", "0.0.0.0/0").replace(
        "  ingress {", f"  # {comment}\n  ingress {{"
    )
    (project / "main.tf").write_text(open_to_all)
    done = netpact(project, "check")
    assert done.returncode == 1
    assert f"the comment `{comment}` waives nothing" in said(done)


def test_nothing_to_mend_is_not_a_pass(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(TERRAFORM)
    (tmp_path / ".git").mkdir()
    done = netpact(tmp_path, "fix")
    assert done.returncode == 2
    assert "nothing to judge" in said(done)


ROUTED = """\
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_internet_gateway" "g" { vpc_id = aws_vpc.v.id }
resource "aws_subnet" "s" {
  vpc_id     = aws_vpc.v.id
  cidr_block = "10.0.2.0/24"
}
resource "aws_route_table" "t" {
  vpc_id = aws_vpc.v.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.g.id
  }
}
resource "aws_route_table_association" "a" {
  subnet_id      = aws_subnet.s.id
  route_table_id = aws_route_table.t.id
}
resource "aws_security_group" "s" {
  vpc_id = aws_vpc.v.id
  ingress {
    protocol    = "tcp"
    from_port   = 13260
    to_port     = 13260
    cidr_blocks = ["198.51.100.0/24"]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_instance" "gateway" {
  subnet_id                   = aws_subnet.s.id
  associate_public_ip_address = true
  vpc_security_group_ids      = [aws_security_group.s.id]
}
resource "aws_instance" "app" {
  subnet_id                   = aws_subnet.s.id
  associate_public_ip_address = true
  vpc_security_group_ids      = [aws_security_group.s.id]
}
"""


def test_what_a_public_address_decides_that_comes_with_apply_is_said_to_be_unknown(project: Path) -> None:
    (project / "main.tf").write_text(ROUTED)
    (project / "netpact.yaml").write_text(PROJECT + "      agent: [{terraform: aws_instance.app}]\n")
    (finding,) = findings(netpact(project, "check", "--only", "block-agent-2", "-f", "json"))
    assert finding["verdict"] == "undetermined"
    assert any("public address of aws_instance.app" in text for text in finding["unknown"])
    ends = ("--from", "aws_instance.app", "--to", "aws_instance.gateway", "--service", "tcp/13260")
    traced = json.loads(netpact(project, "trace", ".", *ends, "-f", "json").stdout)
    assert traced["verdict"] == "undetermined"
    assert traced["unknown"] == finding["unknown"]


def test_the_trace_command_of_a_finding_reads_what_the_finding_was_judged_by(tmp_path: Path) -> None:
    folder = tmp_path / "my infra"
    folder.mkdir()
    (tmp_path / ".git").mkdir()
    (folder / "main.tf").write_text(TERRAFORM.replace('"203.0.113.10/32"', "var.console") + 'variable "console" {}\n')
    (tmp_path / "dr.yaml").write_text(PROJECT)
    (tmp_path / "prod.tfvars").write_text('console = "192.0.2.1/32"\n')
    more = ("--var-file", "prod.tfvars", "--var", "console=203.0.113.10/32", "--config", "dr.yaml")
    done = netpact(tmp_path, "check", "my infra", "--only", "block-agent-3", "-f", "json", *more)
    commands = {f["service"]: f["trace"] for f in findings(done)}
    words = shlex.split(commands["tcp/22"])
    assert words[:3] == ["netpact", "trace", "my infra"]
    assert json.loads(netpact(tmp_path, *words[1:], "-f", "json").stdout)["verdict"] == "allowed"


def test_a_slow_machine_finds_the_same_fixes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from itertools import count

    from lint.check import Request, check
    from lint.fix import prove
    from lint.project import load

    request = Request(sources=(str(project),), project=load(project / "netpact.yaml"))
    quick = check(request, "0")
    ticks = count(step=3)
    monkeypatch.setattr(prove, "monotonic", lambda: float(next(ticks)))
    assert check(request, "0") == quick
    assert any(finding.fix is not None for finding in quick.findings)
    assert next(ticks) > 20


BOMB = (
    'locals {\n  a0 = "xxxxxxxxxx"\n'
    + "".join(f'  a{n} = "${{local.a{n - 1}}}${{local.a{n - 1}}}${{local.a{n - 1}}}"\n' for n in range(1, 60))
    + "}\n"
)


def test_an_expression_over_its_budget_leaves_open_what_depends_on_it_and_nothing_else(project: Path) -> None:
    (project / "bomb.tf").write_text(BOMB)
    done = netpact(project, "check", "--only", "block-agent-3", "-f", "json")
    assert {f["service"]: f["verdict"] for f in findings(done)}["tcp/22"] == "satisfied"
    assert ["bomb.tf" in p["origin"]["file"] for p in json.loads(done.stdout)["problems"]] == [True]
    (project / "main.tf").write_text(TERRAFORM.replace('"203.0.113.10/32"', "substr(local.a59, 0, 12)"))
    done = netpact(project, "check", "--only", "block-agent-3", "-f", "json")
    (open_,) = [f for f in findings(done) if f["service"] == "tcp/22"]
    assert open_["verdict"] == "undetermined"
    assert any("4,000,000 characters" in text for text in open_["unknown"])
