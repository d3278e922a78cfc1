"""Times cold runs of netpact on a shipped fixture and on generated projects: wall time, peak memory, and how both grow.

    python benchmarks/check.py                         start-up, the fixture, and one generated project
    python benchmarks/check.py --growth                500, 1,000 and 2,000 groups with 5,000 to 20,000 rules
    python benchmarks/check.py --groups 300 --rules 20 --modules 40 --for-each 0.5
    python benchmarks/check.py --keep DIRECTORY        leave the generated project there

Every run is a process of its own. The generated project has one part of its groups as plain blocks, one part behind
`for_each`, and one part in calls of a module; their rules are inline blocks, dynamic blocks and resources of their own.
Nothing is asserted: the table is for people to compare.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIXTURE = ROOT / "fixtures" / "aws" / "hyperbdr-block" / "broken"
PACK = "hyperbdr/saas-block-storage"
GROWTH = (500, 1000, 2000)


@dataclass(frozen=True, slots=True)
class Shape:
    """A generated project: groups, rules a group, module calls among the groups, and the share behind `for_each`."""

    groups: int
    rules: int
    modules: int
    for_each: float


@dataclass(frozen=True, slots=True)
class Timing:
    """One measured command: seconds of the median run, and the largest peak memory in MB."""

    name: str
    seconds: float
    megabytes: float
    status: int


MODULE = """\
variable "name" {
  type = string
}

variable "rules" {
  type = map(object({ port = number, cidr = string, protocol = optional(string, "tcp") }))
}

resource "aws_security_group" "this" {
  name = var.name
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each          = var.rules
  security_group_id = aws_security_group.this.id
  ip_protocol       = each.value.protocol
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

output "id" {
  value = aws_security_group.this.id
}
"""


def _cidr(group: int, rule: int) -> str:
    return f"10.{group % 250}.{rule % 250}.0/24"


def _port(group: int, rule: int) -> int:
    return 1024 + (group * 31 + rule * 7) % 40000


def generate(directory: Path, shape: Shape) -> None:
    """Write a project of this shape."""
    (directory / "group").mkdir(parents=True)
    (directory / "group" / "main.tf").write_text(MODULE)
    many = int(shape.groups * shape.for_each)
    calls = min(shape.modules, shape.groups - many)
    plain = shape.groups - many - calls
    texts = ['locals {\n  office = "203.0.113.0/24"\n}\n']
    for g in range(plain):
        texts.append(_plain(g, shape.rules))
    for g in range(plain, plain + calls):
        rules = "\n".join(f'    r{r} = {{ port = {_port(g, r)}, cidr = "{_cidr(g, r)}" }}' for r in range(shape.rules))
        texts.append(
            f'module "m{g}" {{\n  source = "./group"\n  name   = "m{g}"\n  rules = {{\n{rules}\n  }}\n}}\n'
            + _machine(f"m{g}", f"module.m{g}.id", g)
        )
    if many:
        texts.append(_behind_for_each(many, shape.rules))
    for number in range(0, len(texts), 50):
        (directory / f"part{number // 50:03}.tf").write_text("\n".join(texts[number : number + 50]))


def _plain(g: int, rules: int) -> str:
    blocks = "\n".join(
        f"  ingress {{\n    from_port   = {_port(g, r)}\n    to_port     = {_port(g, r)}\n"
        f'    protocol    = "tcp"\n    cidr_blocks = ["{_cidr(g, r)}", local.office]\n  }}'
        for r in range(rules)
    )
    group = f'resource "aws_security_group" "g{g}" {{\n  name = "g{g}"\n{blocks}\n}}\n'
    return group + _machine(f"g{g}", f"aws_security_group.g{g}.id", g)


def _machine(name: str, group: str, g: int) -> str:
    address = f"10.{g % 250}.{g // 250 + 1}.10"
    return (
        f'resource "aws_instance" "{name}" {{\n  private_ip             = "{address}"\n'
        f"  vpc_security_group_ids = [{group}]\n}}\n"
    )


def _behind_for_each(groups: int, rules: int) -> str:
    return f"""
locals {{
  many = {{
    for g in range({groups}) : "n${{g}}" => [
      for r in range({rules}) : {{
        port = 1024 + (g * 31 + r * 7) % 40000
        cidr = cidrsubnet("10.0.0.0/8", 16, g * 16 + r)
      }}
    ]
  }}
}}

resource "aws_security_group" "many" {{
  for_each = local.many
  name     = each.key

  dynamic "ingress" {{
    for_each = each.value
    content {{
      from_port   = ingress.value.port
      to_port     = ingress.value.port
      protocol    = "tcp"
      cidr_blocks = [ingress.value.cidr]
    }}
  }}
}}
"""


def measure(name: str, arguments: list[str], repeats: int) -> Timing:
    """Run one command several times, each a cold process."""
    seconds, peaks, status = [], [], 0
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    for _ in range(repeats):
        began = time.perf_counter()
        child = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "lint", *arguments],
            environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
        )
        _, wait, usage = os.wait4(child, 0)
        seconds.append(time.perf_counter() - began)
        # Linux counts the peak in kilobytes, macOS in bytes.
        peaks.append(usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))
        status = os.waitstatus_to_exitcode(wait)
    return Timing(name, statistics.median(seconds), max(peaks), status)


def table(timings: list[Timing], growth: bool) -> str:
    """The timings as text; with ratios to the row before where they show growth."""
    lines = [f"{'':44} {'seconds':>8} {'MB':>7} {'status':>7}" + (f" {'times':>7}" if growth else "")]
    before: Timing | None = None
    for timing in timings:
        line = f"{timing.name:44} {timing.seconds:8.2f} {timing.megabytes:7.0f} {timing.status:7}"
        if growth and before is not None:
            line += f" {timing.seconds / before.seconds:7.2f}"
        lines.append(line)
        before = timing
    return "\n".join(lines)


def _project(shape: Shape, keep: Path | None) -> tuple[Path, Path | None]:
    """A directory with the generated project; and what to remove afterwards."""
    if keep is not None:
        directory = keep / f"{shape.groups}-groups"
        if directory.exists():
            raise SystemExit(f"{directory} exists already: name another folder for --keep")
        generate(directory, shape)
        return directory, None
    temporary = Path(tempfile.mkdtemp(prefix="netpact-benchmark-"))
    generate(temporary / "project", shape)
    return temporary / "project", temporary


def _checked(shape: Shape, keep: Path | None) -> Timing:
    directory, remove = _project(shape, keep)
    try:
        name = f"check: {shape.groups} groups, {shape.groups * shape.rules} rules"
        return measure(name, ["check", str(directory), "--pack", PACK, "--fail-on", "never"], 1)
    finally:
        if remove is not None:
            shutil.rmtree(remove)


def main() -> None:
    parser = argparse.ArgumentParser(description="Times cold runs of netpact.")
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--rules", type=int, default=10, help="rules a group")
    parser.add_argument("--modules", type=int, default=75, help="module calls among the groups")
    parser.add_argument("--for-each", type=float, default=0.3, help="share of the groups behind for_each")
    parser.add_argument("--repeat", type=int, default=5, help="runs of the small commands; the median counts")
    parser.add_argument("--growth", action="store_true", help="500, 1,000 and 2,000 groups")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="leave the generated project there")
    chosen = parser.parse_args()
    if chosen.growth:
        shapes = [Shape(g, chosen.rules, chosen.modules * g // 500, chosen.for_each) for g in GROWTH]
        print(table([_checked(shape, chosen.keep) for shape in shapes], growth=True))
        return
    fixture = ["check", str(FIXTURE), "--fail-on", "never"]
    timings = [
        measure("netpact --version", ["--version"], chosen.repeat),
        measure("packs list", ["packs", "list"], chosen.repeat),
        measure("check: fixture, without fixes", [*fixture, "--no-fix"], chosen.repeat),
        measure("check: fixture", fixture, chosen.repeat),
        _checked(Shape(chosen.groups, chosen.rules, chosen.modules, chosen.for_each), chosen.keep),
    ]
    print(table(timings, growth=False))


if __name__ == "__main__":
    main()
