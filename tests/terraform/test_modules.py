"""Modules: every call is evaluated, however many; what isn't there is named; nothing mixes up addresses."""

from __future__ import annotations

import json
from pathlib import Path

from lint.terraform.configuration import ParseCache
from lint.terraform.evaluate import evaluate_root
from lint.terraform.options import Options

from .conftest import Evaluate, Write, resource
from .shown import addresses, messages, outputs, shown, values

GROUP = """
variable "name" { type = string }
variable "peer" { default = null }
resource "aws_security_group" "this" { name = var.name }
resource "aws_vpc_security_group_ingress_rule" "peer" {
  count                        = var.peer == null ? 0 : 1
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = var.peer
}
output "id" { value = aws_security_group.this.id }
"""


def test_a_hundred_sibling_calls_are_all_evaluated(evaluate: Evaluate) -> None:
    calls = "\n".join(f'module "m{i}" {{\n  source = "./group"\n  name = "g{i}"\n}}' for i in range(100))
    evaluation = evaluate({"main.tf": calls, "group/main.tf": GROUP})
    groups = {r.address: shown(r.values["name"]) for r in evaluation.resources}
    assert groups == {f"module.m{i}.aws_security_group.this": f"g{i}" for i in range(100)}
    coverage = evaluation.coverage
    assert (coverage.modules_called, coverage.modules_evaluated, coverage.resources_seen) == (100, 100, 100)
    assert evaluation.complete


def test_a_chain_of_sibling_modules_is_evaluated_in_the_order_of_its_dependencies(evaluate: Evaluate) -> None:
    calls = [
        f'module "m{i}" {{\n  source = "./group"\n  name = "g{i}"\n  peer = module.m{i + 1}.id\n}}' for i in range(40)
    ]
    calls.append('module "m40" {\n  source = "./group"\n  name = "g40"\n}')
    evaluation = evaluate({"main.tf": "\n".join(calls), "group/main.tf": GROUP})
    for i in range(40):
        rule = resource(evaluation, f"module.m{i}.aws_vpc_security_group_ingress_rule.peer[0]")
        assert shown(rule.values["security_group_id"]) == f"?module.m{i}.aws_security_group.this.id"
        assert shown(rule.values["referenced_security_group_id"]) == f"?module.m{i + 1}.aws_security_group.this.id"
    assert len(evaluation.resources) == 81


def test_forty_calls_of_a_large_module_are_complete(evaluate: Evaluate) -> None:
    rules = "\n".join(f'    rule-{i} = [{i}, {i}, "tcp", "rule {i}"]' for i in range(300))
    switches = "\n".join(
        f"""
variable "r{i}" {{
  type    = list(string)
  default = []
}}
resource "aws_security_group_rule" "r{i}" {{
  count             = var.create ? length(var.r{i}) : 0
  security_group_id = aws_security_group.this[0].id
  from_port         = var.rules[var.r{i}[count.index]][0]
}}"""
        for i in range(40)
    )
    module = f"""
variable "create" {{ default = true }}
variable "rules" {{
  type    = map(list(any))
  default = {{
{rules}
  }}
}}
resource "aws_security_group" "this" {{ count = var.create ? 1 : 0 }}
{switches}
"""
    calls = "\n".join(f'module "m{i}" {{\n  source = "./big"\n  r{i} = ["rule-{i}", "rule-299"]\n}}' for i in range(40))
    evaluation = evaluate({"main.tf": calls, "big/main.tf": module})
    assert evaluation.coverage.modules_evaluated == evaluation.coverage.modules_called == 40
    assert len(evaluation.resources) == 40 * 3
    for i in range(40):
        first = resource(evaluation, f"module.m{i}.aws_security_group_rule.r{i}[0]")
        assert values(first) == {
            "security_group_id": f"?module.m{i}.aws_security_group.this[0].id",
            "from_port": str(i),
        }


def test_calls_with_equal_inputs_keep_their_own_addresses(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": """
module "a" {
  source = "./group"
  name = "same"
}
module "b" {
  source = "./group"
  name = "same"
}
output "ids" { value = [module.a.id, module.b.id] }
""",
            "group/main.tf": GROUP,
        }
    )
    assert outputs(evaluation) == {
        "ids": ["?module.a.aws_security_group.this.id", "?module.b.aws_security_group.this.id"]
    }


def test_addresses_and_origins_of_nested_modules_are_terraforms(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": """
module "outer" {
  for_each = { "a b" = 1, z = 2 }
  source   = "./outer"
  size     = each.value
}
""",
            "outer/main.tf": """
variable "size" {}
module "inner" {
  count  = var.size
  source = "../group"
  name   = "g${count.index}"
}
""",
            "group/main.tf": GROUP,
        }
    )
    assert addresses(evaluation) == [
        'module.outer["a b"].module.inner[0].aws_security_group.this',
        'module.outer["z"].module.inner[0].aws_security_group.this',
        'module.outer["z"].module.inner[1].aws_security_group.this',
    ]
    origin = evaluation.resources[0].origin
    assert (origin.file, origin.line) == ("group/main.tf", 4)
    assert [(call.file, call.line, call.address) for call in origin.calls] == [
        ("main.tf", 2, 'module.outer["a b"]'),
        ("outer/main.tf", 3, 'module.outer["a b"].module.inner[0]'),
    ]


def test_an_instance_of_a_module_may_feed_another_instance_of_it(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": """
module "a" {
  source   = "./group"
  for_each = { x = 1 }
  name     = "a"
  peer     = module.b["y"].plain
}
module "b" {
  source   = "./b"
  for_each = { y = 1 }
  peer     = module.a["x"].id
}
""",
            "group/main.tf": GROUP,
            "b/main.tf": """
variable "peer" {}
resource "aws_security_group" "b" { name = "plain" }
output "plain" { value = aws_security_group.b.id }
output "peer" { value = var.peer }
""",
        }
    )
    assert messages(evaluation) == []
    rule = resource(evaluation, 'module.a["x"].aws_vpc_security_group_ingress_rule.peer[0]')
    assert shown(rule.values["referenced_security_group_id"]) == '?module.b["y"].aws_security_group.b.id'


def test_a_module_that_is_not_installed_is_named_with_the_remedy(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        """
module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "5.0.0"
}
resource "aws_security_group" "a" { vpc_id = module.vpc.vpc_id }
"""
    )
    (diagnostic,) = evaluation.diagnostics
    assert diagnostic.severity == "incomplete"
    assert "module.vpc (terraform-aws-modules/vpc/aws)" in diagnostic.text
    assert diagnostic.remedy is not None and diagnostic.remedy.startswith("run `terraform get` in ")
    value = evaluation.resources[0].values["vpc_id"]
    assert shown(value) == "?module.vpc.vpc_id"
    assert not evaluation.complete
    assert (evaluation.coverage.modules_called, evaluation.coverage.modules_evaluated) == (1, 0)


def test_installed_modules_are_found_by_the_manifest(evaluate: Evaluate) -> None:
    manifest = {
        "Modules": [
            {"Key": "", "Source": "", "Dir": "."},
            {
                "Key": "sg",
                "Source": "registry.terraform.io/x/sg/aws",
                "Version": "1.0.0",
                "Dir": ".terraform/modules/sg",
            },
            {"Key": "sg.rules", "Source": "git::https://example.com/r.git", "Dir": ".terraform/modules/sg.rules/sub"},
        ]
    }
    evaluation = evaluate(
        {
            "main.tf": 'module "sg" {\n  source = "x/sg/aws"\n  version = "1.0.0"\n}',
            ".terraform/modules/modules.json": json.dumps(manifest),
            ".terraform/modules/sg/main.tf": 'module "rules" { source = "git::https://example.com/r.git//sub" }',
            ".terraform/modules/sg.rules/sub/main.tf": 'resource "aws_security_group" "a" { name = path.module }',
        }
    )
    assert evaluation.complete
    assert addresses(evaluation) == ["module.sg.module.rules.aws_security_group.a"]
    assert values(evaluation.resources[0]) == {"name": ".terraform/modules/sg.rules/sub"}


def test_a_circle_of_module_calls_is_reported(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": 'module "a" { source = "./a" }',
            "a/main.tf": 'module "b" { source = "../b" }',
            "b/main.tf": 'module "a" { source = "../a" }\nresource "aws_vpc" "v" {}',
        }
    )
    assert addresses(evaluation) == ["module.a.module.b.aws_vpc.v"]
    assert messages(evaluation, "error") == [
        "b/main.tf:1: module.a.module.b.module.a calls a module that it is part of (../a)"
    ]


def test_an_unknown_count_of_a_module_makes_its_resources_uncertain(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": """
variable "enabled" {}
module "a" {
  count  = var.enabled ? 1 : 0
  source = "./group"
  name   = "g"
}
output "id" { value = module.a[0].id }
output "ids" { value = one(module.a[*].id) }
""",
            "group/main.tf": GROUP,
        }
    )
    (group,) = evaluation.resources
    assert (group.address, group.exists) == ("module.a[*].aws_security_group.this", False)
    assert "var.enabled has no value" in group.reasons[0].text
    assert outputs(evaluation)["id"] == "?module.a[*].aws_security_group.this.id"


def test_provider_configurations_are_passed_down(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tf": """
provider "aws" { region = "us-east-1" }
provider "aws" {
  alias  = "west"
  region = join("-", ["us", "west", "2"])
  assume_role { role_arn = "arn:aws:iam::123456789012:role/x" }
}
module "implicit" { source = "./m" }
module "mapped" {
  source = "./m"
  providers = {
    aws = aws.west
    aws.peer = aws
  }
}
resource "aws_vpc" "west" { provider = aws.west }
""",
            "m/main.tf": """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", configuration_aliases = [aws.peer] }
  }
}
resource "aws_vpc" "own" {}
resource "aws_vpc" "peer" { provider = aws.peer }
""",
        }
    )
    regions = {
        r.address: shown(r.provider_values["region"]) for r in evaluation.resources if "region" in r.provider_values
    }
    assert regions == {
        "aws_vpc.west": "us-west-2",
        "module.implicit.aws_vpc.own": "us-east-1",
        "module.mapped.aws_vpc.own": "us-west-2",
        "module.mapped.aws_vpc.peer": "us-east-1",
    }
    west = resource(evaluation, "aws_vpc.west")
    assert west.provider == "aws.west"
    assert shown(west.provider_values["assume_role"]) == [{"role_arn": "arn:aws:iam::123456789012:role/x"}]


def test_roots_share_what_was_parsed(write: Write, monkeypatch: object) -> None:
    root = write(
        {
            "a/main.tf": 'module "g" {\n  source = "../group"\n  name = "a"\n}',
            "b/main.tf": 'module "g" {\n  source = "../group"\n  name = "b"\n}',
            "group/main.tf": GROUP,
        }
    )
    cache = ParseCache()
    options = Options(base=root)
    first = evaluate_root(root / "a", options, cache=cache)
    parsed = len(cache)
    second = evaluate_root(root / "b", options, cache=cache)
    assert len(cache) == parsed + 1
    assert [r.origin.file for r in (*first.resources, *second.resources)] == ["group/main.tf", "group/main.tf"]
    assert [call.file for call in second.resources[0].origin.calls] == ["b/main.tf"]


def test_an_overlay_is_judged_in_place_of_the_file(write: Write) -> None:
    root = write({"main.tf": 'resource "aws_vpc" "a" { cidr_block = "10.0.0.0/16" }'})
    edited = b'resource "aws_vpc" "a" { cidr_block = "10.1.0.0/16" }\nresource "aws_vpc" "b" {}\n'
    evaluation = evaluate_root(root, Options(), overlay={root / "main.tf": edited, root / "new.tf": b"locals {}"})
    assert values(evaluation.resources[0]) == {"cidr_block": "10.1.0.0/16"}
    assert addresses(evaluation) == ["aws_vpc.a", "aws_vpc.b"]
    assert evaluation.coverage.files == 2
    assert Path(root / "main.tf").read_text().count("10.0.0.0/16") == 1


def test_a_source_may_be_made_of_locals_as_in_opentofu(evaluate: Evaluate) -> None:
    evaluation = evaluate(
        {
            "main.tofu": 'locals { folder = "group" }\nmodule "a" {\n  source = "./${local.folder}"\n  name = "a"\n}\n'
            'module "b" {\n  source = "./${var.unknown}"\n}\nvariable "unknown" {}',
            "group/main.tf": GROUP,
        }
    )
    assert addresses(evaluation) == ["module.a.aws_security_group.this"]
    assert messages(evaluation, "error") == ["main.tofu:6: the source of module.b isn't known"]
