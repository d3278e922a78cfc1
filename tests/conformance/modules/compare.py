"""Compares what netpact evaluates with what Terraform plans, for root modules of public repositories.

    PYTHONPATH=. python tests/conformance/modules/compare.py FOLDER ROOT...

Each ROOT is a root module below FOLDER, whose calls lead to modules below FOLDER as well.

Plans with `terraform test` and a mocked AWS provider, so that no account and no network is needed: what data sources
return is made up by Terraform, and unknown to netpact. A value that both know must be the same; an address must be
planned by both. Needs the `terraform` program and a plugin directory with the AWS provider (NETPACT_PLUGIN_DIR).
Writes `netpact.tftest.hcl` and `.terraform` into the directories: give it copies. Nothing of them is kept here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from lint.terraform.evaluate import Run
from lint.terraform.options import Options
from lint.terraform.types import STRING
from lint.terraform.values import list_value, string

PLUGINS = os.environ.get("NETPACT_PLUGIN_DIR", "/opt/tf-plugins")
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
_ZONES = re.compile(r'data\s+"aws_availability_zones"\s+"(\w+)"')
TEST = """\
mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
  }
  mock_data "aws_vpc" {
    defaults = { cidr_block = "172.31.0.0/16", id = "vpc-0123456789abcdef0" }
  }
  mock_data "aws_subnets" {
    defaults = { ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

run "plan" {
  command = plan
}
"""


def terraform(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One run of the program, which opens no network."""
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    return subprocess.run(["terraform", *arguments], cwd=directory, env=environment, capture_output=True, text=True)


def planned(directory: Path) -> dict[str, Any] | str:
    """The plan of a root module as JSON, or why there is none."""
    (directory / "netpact.tftest.hcl").write_text(TEST, encoding="utf-8")
    begun = terraform(directory, "init", "-backend=false", "-input=false", "-no-color", f"-plugin-dir={PLUGINS}")
    if begun.returncode:
        return " ".join(begun.stderr.split())[:300]
    why: list[str] = []
    for line in terraform(directory, "test", "-json", "-verbose").stdout.splitlines():
        message = json.loads(line)
        if message.get("type") == "test_plan":
            plan: dict[str, Any] = message["test_plan"]
            return {"resource_changes": [], **plan}
        if message.get("@level") == "error" and "diagnostic" in message:
            why.append(message["diagnostic"]["summary"])
    return "; ".join(why)[:300]


def comparison() -> Any:
    """The module that compares an evaluation with a plan, which is part of the tests."""
    place = Path(__file__).resolve().parents[2] / "terraform" / "planned.py"
    found = importlib.util.spec_from_file_location("planned", place)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def main() -> int:
    """Compare each root; 1 where anything differs."""
    compare = comparison()
    folder, *roots = sys.argv[1:]
    wrong = 0
    for name in roots:
        plan = planned(Path(name))
        if isinstance(plan, str):
            print(f"{name}: not planned: {plan}")
            continue
        # The zones are told to both, since most networks are laid out by them.
        text = "".join(path.read_text(encoding="utf-8") for path in Path(name).glob("*.tf"))
        zones = {"names": list_value(STRING, [string(zone) for zone in ZONES])}
        known = {f"data.aws_availability_zones.{label}": zones for label in _ZONES.findall(text)}
        evaluation = Run(Path(name), Options(boundary=Path(folder)), known=known).evaluation()
        found = compare.differences(evaluation, plan)
        wrong += len(found)
        count = sum(change["mode"] == "managed" for change in plan["resource_changes"])
        print(
            f"{name}: {count} planned resources, {compare.known_values(evaluation)} known values, {len(found)} differ"
        )
        for line in found:
            print(f"  {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
