"""Terraform itself is the judge: what it plans for configurations made here is what they evaluate to.

Needs the `terraform` binary and a local copy of the AWS provider (a plugin directory, as `terraform init -plugin-dir`
takes it, in NETPACT_PLUGIN_DIR or one of the usual places); opens no network and needs no account. The plans that are
kept as fixtures hold without either (test_plan).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from lint.terraform.evaluate import evaluate_root
from lint.terraform.options import Options
from lint.terraform.plan import read_plan
from tests.plugins import plugin_directory

from .planned import differences, known_values
from .shown import messages, shown

FLAGS = ("true", "false")
PROVIDER = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
"""


PLUGINS = plugin_directory()
BINARY = shutil.which("terraform")
pytestmark = pytest.mark.skipif(
    BINARY is None or PLUGINS is None, reason="no terraform binary, or no local copy of the AWS provider"
)


def generated(seed: int) -> dict[str, str]:
    """A configuration with groups and rules behind modules, repetition, dynamic blocks and functions."""
    pick = random.Random(seed)
    groups = {f"g{i}": pick.randint(0, 4) for i in range(pick.randint(4, 6))}
    ports = [pick.choice([22, 80, 443, 5432, 8080, 9100, 0, 65535]) for _ in range(6)]
    cidr = f"10.{pick.randint(0, 200)}.0.0/16"
    newbits = pick.randint(2, 8)
    protocol = pick.choice(['"tcp"', '"UDP"', '"6"', '"17"', '"icmp"'])
    entries = "\n".join(
        f"    {name} = {{ size = {size}, open = {pick.choice(FLAGS)}, ports = {json.dumps(ports[:size])} }}"
        for name, size in groups.items()
    )
    root = f"""
locals {{
  groups = {{
{entries}
  }}
  flat = flatten([
    for name, group in local.groups : [
      for index, port in group.ports : {{ key = "${{name}}-${{index}}", group = name, port = port }}
    ]
  ])
  cidrs  = [for i in range({pick.randint(1, 4)}) : cidrsubnet("{cidr}", {newbits}, i)]
  biggest = max(values(local.groups)[*].size...)
  chosen = {{ for name, group in local.groups : name => group if group.open || group.size > {pick.randint(0, 3)} }}
}}
resource "aws_vpc" "this" {{
  cidr_block = "{cidr}"
}}
resource "aws_subnet" "this" {{
  count      = length(local.cidrs)
  vpc_id     = aws_vpc.this.id
  cidr_block = local.cidrs[count.index]
  tags       = {{ Name = format("%s-%02d", "subnet", count.index), last = count.index == length(local.cidrs) - 1 }}
}}
module "group" {{
  source   = "./group"
  for_each = local.groups
  name     = "${{each.key}}-${{substr(sha256(each.key), 0, {pick.randint(3, 9)})}}"
  vpc_id   = aws_vpc.this.id
  ports    = each.value.ports
  cidrs    = each.value.open ? ["0.0.0.0/0"] : slice(local.cidrs, 0, min(length(local.cidrs), {pick.randint(1, 3)}))
  protocol = {protocol}
}}
resource "aws_vpc_security_group_ingress_rule" "flat" {{
  for_each          = {{ for rule in local.flat : rule.key => rule }}
  security_group_id = module.group[each.value.group].id
  cidr_ipv4         = element(local.cidrs, each.value.port)
  from_port         = each.value.port
  to_port           = try(each.value.to, each.value.port)
  ip_protocol       = lower("TCP")
}}
resource "aws_security_group_rule" "peers" {{
  for_each                 = local.chosen
  type                     = each.value.open ? "ingress" : "egress"
  security_group_id        = module.group[each.key].id
  source_security_group_id = values(module.group)[0].id
  protocol                 = "-1"
  from_port                = local.biggest % 2 == 0 ? 0 : -1
  to_port                  = local.biggest % 2 == 0 ? 0 : -1
}}
"""
    group = """
variable "name" { type = string }
variable "vpc_id" {}
variable "ports" { type = set(number) }
variable "cidrs" { type = list(string) }
variable "protocol" { default = "tcp" }
locals {
  wide = [for cidr in var.cidrs : cidr if tonumber(split("/", cidr)[1]) < 17]
}
resource "aws_security_group" "this" {
  name   = var.name
  vpc_id = var.vpc_id
  dynamic "ingress" {
    for_each = var.ports
    iterator = port
    content {
      description = join(",", [for i, c in var.cidrs : "${i}:${c}"])
      from_port   = port.value
      to_port     = port.key
      protocol    = var.protocol
      cidr_blocks = var.cidrs
    }
  }
  dynamic "egress" {
    for_each = length(local.wide) > 0 ? [1] : []
    content {
      from_port        = 0
      to_port          = 0
      protocol         = "-1"
      cidr_blocks      = local.wide
      ipv6_cidr_blocks = contains(local.wide, "0.0.0.0/0") ? ["::/0"] : null
    }
  }
}
output "id" { value = aws_security_group.this.id }
"""
    return {"main.tf": root, "group/main.tf": group, "provider.tf": PROVIDER}


def terraform(folder: Path, *arguments: str) -> str:
    """Runs terraform in a folder; its standard output."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
    environ["CHECKPOINT_DISABLE"] = "1"
    done = subprocess.run(
        [BINARY or "terraform", *arguments], cwd=folder, env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the provider is installed."""
    folder = tmp_path_factory.mktemp("terraform")
    (folder / "provider.tf").write_text(PROVIDER)
    (folder / "group").mkdir()
    (folder / "group" / "main.tf").write_text("")
    (folder / "main.tf").write_text('module "group" { source = "./group" }')
    terraform(folder, "init", "-input=false", f"-plugin-dir={PLUGINS}")
    return folder


@pytest.mark.parametrize("seed", [1, 2])
def test_generated_configurations_evaluate_to_what_terraform_plans(prepared: Path, seed: int) -> None:
    for name, text in generated(seed).items():
        (prepared / name).write_text(text)
    terraform(prepared, "plan", "-input=false", "-refresh=false", "-out=plan.bin")
    plan = terraform(prepared, "show", "-json", "plan.bin")
    evaluation = evaluate_root(prepared, Options())
    assert messages(evaluation) == []
    assert known_values(evaluation) > 20
    assert differences(evaluation, json.loads(plan)) == []
    joined = {r.address: r for r in read_plan(plan.encode(), "plan.json", prepared).resources}
    for found in evaluation.resources:
        for name, value in found.values.items():
            if not value.known:
                assert shown(joined[found.address].get(name)) == shown(value)
