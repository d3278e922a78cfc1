"""Real Terraform against the AWS on loopback: a project applied to an account of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.regenerate import OVERRIDE, groups_of_interfaces
from tests.live import world
from tests.plugins import plugin_directory


@dataclass(frozen=True, slots=True)
class Applied:
    """A root module with its plan.json and state.json beside it, and boto3's session of the account."""

    root: Path
    session: Any

    def environ(self) -> dict[str, str]:
        """The credentials of the account, as boto3 takes them from the environment."""
        held = self.session.get_credentials()
        return {
            "AWS_ACCESS_KEY_ID": held.access_key,
            "AWS_SECRET_ACCESS_KEY": held.secret_key,
            "AWS_SESSION_TOKEN": held.token,
        }


def apply(source: Path, root: Path, region: str, account: str) -> Applied:
    """Copy a project to `root`, plan it where no plan.json is beside it, and apply it. Skips the test where there is no
    Terraform; AWS_ENDPOINT_URL says where the account is.
    """
    terraform, directory = shutil.which("terraform"), plugin_directory()
    if terraform is None or directory is None:
        pytest.skip("no terraform binary, or no local copy of the AWS provider")
    shutil.copytree(source, root, ignore=shutil.ignore_patterns("state.json", "expected.json"))
    groups_of_interfaces()  # moto answers no groups for an instance; AWS answers those of its first interface
    made = Applied(root, world.session(region, account))
    held = made.session.get_credentials()
    override = OVERRIDE.replace('"test"', f'"{held.access_key}"', 1)
    override = override.replace('"test"', f'"{held.secret_key}"\n  token = "{held.token}"', 1)
    (root / "zz_override.tf").write_text(override)
    environ = {k: v for k, v in os.environ.items() if k != "TF_CLI_CONFIG_FILE"}

    def run(*arguments: str) -> str:
        command = [terraform, *arguments]
        done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"terraform {arguments[0]} of {source}: {done.stderr}"
        return done.stdout

    run("init", "-input=false", f"-plugin-dir={directory}")
    if (root / "plan.json").exists():
        run("apply", "-input=false", "-auto-approve")
    else:
        run("plan", "-input=false", "-out=plan.bin")
        (root / "plan.json").write_text(run("show", "-json", "plan.bin"))
        run("apply", "-input=false", "plan.bin")
    (root / "state.json").write_text(run("show", "-json"))
    (root / "zz_override.tf").unlink()
    return made
