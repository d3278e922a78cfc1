"""What could not be read of one root says nothing of a root that nothing ties to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lint.graph.unread import Unread, root_of
from lint.origin import Origin
from lint.reach.atlas import map_all
from lint.reach.trace import trace
from lint.sources import Loaded, LoadOptions, load, parse
from lint.space.services import parse as service

ROOT = """
resource "aws_vpc" "v" { cidr_block = "10.NUMBER.0.0/16" }
resource "aws_subnet" "s" {
  vpc_id     = aws_vpc.v.id
  cidr_block = "10.NUMBER.1.0/24"
}
resource "aws_security_group" "NAME" {
  vpc_id = aws_vpc.v.id
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_instance" "NAME" {
  count                  = 2
  private_ip             = "10.NUMBER.1.${10 + count.index}"
  subnet_id              = aws_subnet.s.id
  vpc_security_group_ids = [aws_security_group.NAME.id]
}
"""
BROKEN = 'resource "aws_security_group_rule" "half" {\n'
TIE = """
resource "aws_security_group_rule" "tie" {
  security_group_id        = "sg-0123"
  type                     = "ingress"
  protocol                 = "tcp"
  from_port                = 1
  to_port                  = 1
  source_security_group_id = aws_security_group.NAME.id
}
"""
TIED = """
resource "aws_instance" "tied" {
  private_ip             = "10.NUMBER.1.200"
  subnet_id              = aws_subnet.s.id
  vpc_security_group_ids = ["sg-0123", aws_security_group.NAME.id]
}
"""


def two_roots(directory: Path, first: str = "", second: str = "") -> Loaded:
    """Root a, of which a file is broken, and root b beside it; both with something more."""
    for at, (name, more) in enumerate((("a", first), ("b", second))):
        (directory / name).mkdir()
        text = (ROOT + more).replace("NAME", name).replace("NUMBER", str(at + 1))
        (directory / name / "main.tf").write_text(text)
    (directory / "a" / "half.tf").write_text(BROKEN)
    return load([parse(str(directory))], LoadOptions())


def verdict(loaded: Loaded, name: str, port: str) -> tuple[str, bool]:
    """What a trace between two machines of a root says, and whether it names the broken file."""
    machine = f"aws_instance.{name}"
    found = trace(loaded.graph, f"{machine}[0]", f"{machine}[1]", service(port)).reach
    return found.verdict, any("half.tf" in reason.sentence() for reason in found.reasons)


def test_a_broken_file_leaves_nothing_certain_in_its_root(tmp_path: Path) -> None:
    loaded = two_roots(tmp_path)
    assert [verdict(loaded, "a", port) for port in ("tcp/22", "tcp/80")] == [("undetermined", True)] * 2
    found = trace(loaded.graph, "aws_instance.a[0]", "aws_instance.a[1]", service("tcp/80")).reach
    assert found.allowed.may and not found.allowed.must


def test_a_broken_file_takes_nothing_from_a_root_that_nothing_ties_to_it(tmp_path: Path) -> None:
    loaded = two_roots(tmp_path)
    assert [verdict(loaded, "b", port) for port in ("tcp/22", "tcp/80")] == [("allowed", False), ("blocked", False)]


@pytest.mark.parametrize(("first", "second"), [(TIE, TIED), (TIED, TIE)])
def test_roots_that_share_a_thing_are_doubted_together(tmp_path: Path, first: str, second: str) -> None:
    loaded = two_roots(tmp_path, first, second)
    assert verdict(loaded, "b", "tcp/80") == ("undetermined", True)


def test_a_map_has_no_certain_edge_where_something_was_not_read(tmp_path: Path) -> None:
    atlas = map_all(two_roots(tmp_path).graph)
    certain = {one for edge in atlas.edges if edge.allowed for one in (*edge.sources, *edge.destinations)}
    assert certain == {"internet", "aws_instance.b[0]", "aws_instance.b[1]"}
    assert any("half.tf" in reason.sentence() for reason in atlas.unknown)


def test_what_belongs_to_no_root_concerns_everything(tmp_path: Path) -> None:
    graph = two_roots(tmp_path).graph
    anywhere = replace(graph, incomplete=tuple(replace(reason, root=None) for reason in graph.incomplete))
    assert Unread(anywhere).around("aws_instance.b[0]") == anywhere.incomplete
    assert Unread(anywhere).around() == ()


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (Origin(file="main.tf"), ""),
        (Origin(file="infra/prod/main.tf"), "infra/prod"),
        (Origin(file="modules/a/x.tf", calls=(Origin(file="infra/prod/main.tf"), Origin(file="m.tf"))), "infra/prod"),
        (Origin(resource_id="sg-1"), None),
    ],
)
def test_the_root_of_a_thing_is_where_its_outermost_call_stands(origin: Origin, expected: str | None) -> None:
    assert root_of(origin) == expected
