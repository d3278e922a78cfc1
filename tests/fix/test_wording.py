"""A fix uses the name that the module already has for a list of addresses, where it means just these."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fix.projects import judged, the
from tests.fix.test_fixes import CLASSIC, INLINE, MODERN, project

SSH = ("gateway-ssh", "tcp/22")
LISTED = 'variable "console_cidrs" {\n  default = ["203.0.113.10/32"]\n}\n'
LOCAL = 'locals {\n  console = "203.0.113.10/32"\n}\n'


@pytest.mark.parametrize(
    ("gateway", "named", "written"),
    [
        (INLINE, LISTED, "cidr_blocks = var.console_cidrs"),
        (CLASSIC, LISTED, "= var.console_cidrs"),
        (MODERN, LOCAL, "= local.console"),
    ],
    ids=["inline", "aws_security_group_rule", "one address"],
)
def test_a_rule_is_narrowed_to_the_name(tmp_path: Path, gateway: str, named: str, written: str) -> None:
    wide = gateway.replace('["203.0.113.10/32"]', '["0.0.0.0/0"]').replace('= "203.0.113.10/32"', '= "0.0.0.0/0"')
    directory = project(tmp_path, wide)
    (directory / "variables.tf").write_text(named)
    finding = the(judged(directory), *SSH)
    assert finding.fix is not None
    assert written in finding.fix.patch


def test_a_name_that_is_given_another_value_is_not_used(tmp_path: Path) -> None:
    directory = project(tmp_path, INLINE.replace('["203.0.113.10/32"]', '["0.0.0.0/0"]'))
    (directory / "variables.tf").write_text(LISTED)
    (directory / "terraform.tfvars").write_text('console_cidrs = ["198.51.100.0/24"]\n')
    finding = the(judged(directory), *SSH)
    assert finding.fix is not None
    assert '["203.0.113.10/32"]' in finding.fix.patch
