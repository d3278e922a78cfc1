"""netpact and tfparse, an independent evaluator, see the same network rules in every shipped fixture."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("tfparse", reason="tfparse, the evaluator to compare with, isn't installed")

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tfparse_compare", HERE / "compare.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


compare = _script()


@pytest.mark.parametrize(("cloud", "least"), [("aws", 100), ("azure", 100)])
def test_both_see_the_same_rules_in_the_fixtures(cloud: str, least: int) -> None:
    values = 0
    for root, result in compare.roots(ROOT / "fixtures" / cloud):
        values += result.values
        left = [d for d in result.differences if d.kind not in compare.EXPLAINED]
        assert not left, f"{root}: {left[0]}"
    assert values > least


@pytest.mark.parametrize(("instances", "seen_there"), [(30, 30), (40, 32)])
def test_both_see_the_same_rules_of_many_instances_of_a_large_module(
    tmp_path: Path, instances: int, seen_there: int
) -> None:
    shutil.copytree(ROOT / "tests" / "accounting" / "group", tmp_path / "group")
    (tmp_path / "main.tf").write_text(
        """
        module "m" {
          source              = "./group"
          for_each            = { for k in range(INSTANCES) : "m${k}" => k }
          name                = each.key
          service             = "web"
          ingress_rules       = ["ssh-tcp"]
          ingress_cidr_blocks = [cidrsubnet("10.0.0.0/8", 8, each.value)]
          ingress_with_cidr_blocks = [
            { from_port = 8000 + each.value, to_port = 8000 + each.value, cidr_blocks = "192.0.2.0/24" },
          ]
        }
        """.replace("INSTANCES", str(instances))
    )
    [(_, result)] = compare.roots(tmp_path)
    # A group, four rules that let in and one that lets out: both agree on each that tfparse evaluates.
    assert result.resources == seen_there * 6
    assert result.values >= result.resources * 4
    assert {d.kind for d in result.differences} <= {"beyond 32 calls"}
    assert len(result.differences) == (instances - seen_there) * 6


def test_a_difference_is_told_apart_from_a_known_defect(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "main.tf").write_text('resource "aws_security_group" "this" {\n  name = "x"\n}\n')
    calls = [f'module "m{k}" {{\n  source = "./small"\n}}\n' for k in range(40)]
    (tmp_path / "main.tf").write_text("".join(calls))
    [(_, result)] = compare.roots(tmp_path)
    assert {d.kind for d in result.differences} == {"beyond 32 calls"}
    assert result.resources == 32
    assert len(result.differences) == 8

    here = {"aws_security_group.a": compare.Seen("aws_security_group.a", {}, {"ingress": ({"from_port": "22"},)})}
    there = {"aws_security_group.a": compare.Seen("aws_security_group.a", {}, {"ingress": ({"from_port": "23"},)})}
    [difference] = compare.compare(here, compare.Theirs(there, frozenset({""}))).differences
    assert (difference.kind, difference.what) == ("blocks", "ingress")
    assert difference.kind not in compare.EXPLAINED
