"""What exists and what was evaluated agree: every one of many calls of a module is in the graph, seen from outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent

SMALL = """\
variable "port" {
  type = number
}

resource "aws_security_group" "this" {
  name = "port-${var.port}"

  ingress {
    protocol    = "tcp"
    from_port   = var.port
    to_port     = var.port
    cidr_blocks = ["203.0.113.0/24"]
  }
}
"""


def netpact(directory: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "lint", *arguments, "--format", "json"],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def siblings(directory: Path) -> None:
    """100 calls of one small module, each its own block."""
    (directory / "small").mkdir()
    (directory / "small" / "main.tf").write_text(SMALL)
    calls = [f'module "m{k}" {{\n  source = "./small"\n  port   = {1000 + k}\n}}\n' for k in range(100)]
    (directory / "main.tf").write_text("\n".join(calls))


def instances(directory: Path) -> None:
    """100 instances of one call."""
    (directory / "small").mkdir()
    (directory / "small" / "main.tf").write_text(SMALL)
    (directory / "main.tf").write_text(
        'module "m" {\n  source   = "./small"\n  for_each = toset([for p in range(1000, 1100) : tostring(p)])\n'
        "  port     = each.value\n}\n"
    )


LARGE_CALL = """\
module "m{k}" {{
  source              = "./group"
  name                = "service-{k}"
  use_name_prefix     = {prefixed}
  service             = "web"
  ingress_rules       = ["ssh-tcp"]
  ingress_cidr_blocks = ["10.{k}.0.0/16"]
  ingress_with_cidr_blocks = [
    {{ from_port = {port}, to_port = {port}, protocol = "tcp", cidr_blocks = "192.0.2.0/24,198.51.100.0/24" }},
    {{ rule = "dns-udp" }},
  ]
  ingress_with_self = [{{ rule = "all-all" }}]
  ingress_with_source_security_group_id = [
    {{ rule = "postgresql-tcp", source_security_group_id = {peer} }},
  ]
}}
"""


def large(directory: Path) -> None:
    """40 calls of a module in the style of the public ones: each with seven rules, the next group a peer of one."""
    shutil.copytree(HERE / "group", directory / "group")
    calls = []
    for k in range(40):
        peer = f"module.m{k + 1}.security_group_id" if k < 39 else '"sg-0123456789abcdef0"'
        calls.append(LARGE_CALL.format(k=k, port=8000 + k, peer=peer, prefixed=str(k % 2 == 0).lower()))
    (directory / "main.tf").write_text("\n".join(calls))


def coverage(directory: Path) -> dict[str, Any]:
    report = netpact(directory, "check", ".", "--pack", "hyperbdr/saas-block-storage")
    [source] = report["sources"]
    assert source["complete"]
    found: dict[str, Any] = source["coverage"]
    return found


def filters(directory: Path) -> dict[str, dict[str, Any]]:
    return {f["id"]: f for f in netpact(directory, "show", ".")["filters"]}


@pytest.mark.parametrize(
    ("project", "address"),
    [(siblings, "module.m{k}.aws_security_group.this"), (instances, 'module.m["{port}"].aws_security_group.this')],
)
def test_a_hundred_calls_of_a_module_are_a_hundred_groups(tmp_path: Path, project: Any, address: str) -> None:
    project(tmp_path)
    counted = coverage(tmp_path)
    assert counted["modules"] == {"called": 100, "evaluated": 100}
    assert counted["resources"] == {"seen": 100, "modelled": 100}
    assert counted["files"] == 2
    shown = filters(tmp_path)
    for k in range(100):
        group = shown[address.format(k=k, port=1000 + k)]
        ports = [s for rule in group["rules"] if rule["direction"] == "ingress" for s in rule["service"]]
        assert ports == [f"tcp/{1000 + k}"]


def test_forty_calls_of_a_large_module_are_forty_groups_with_all_their_rules(tmp_path: Path) -> None:
    large(tmp_path)
    counted = coverage(tmp_path)
    assert counted["modules"] == {"called": 40, "evaluated": 40}
    # A group, three rules by name, two by CIDR, one for itself, one for its neighbour, one for egress: nine resources.
    assert counted["resources"] == {"seen": 360, "modelled": 360}
    shown = filters(tmp_path)
    for k in range(40):
        name = "prefixed" if k % 2 == 0 else "this"
        group = shown[f"module.m{k}.aws_security_group.{name}[0]"]
        services = {s for rule in group["rules"] if rule["direction"] == "ingress" for s in rule["service"]}
        assert services == {"tcp/22", "tcp/80", "tcp/443", "udp/53", "any", "tcp/5432", f"tcp/{8000 + k}"}
        assert not any(rule["unknown"] for rule in group["rules"])


def test_what_is_missing_is_counted_and_named(tmp_path: Path) -> None:
    siblings(tmp_path)
    with (tmp_path / "main.tf").open("a") as file:
        file.write('module "elsewhere" {\n  source = "terraform-aws-modules/security-group/aws"\n}\n')
    report = netpact(tmp_path, "check", ".", "--pack", "hyperbdr/saas-block-storage")
    [source] = report["sources"]
    assert not source["complete"]
    assert source["coverage"]["modules"] == {"called": 101, "evaluated": 100}
    assert any("module.elsewhere" in problem["text"] for problem in report["problems"])
