"""Rule graphs of Terraform text, plans and states, as short as tests want them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lint.aws import graph_from_terraform
from lint.aws.from_terraform import read
from lint.aws.model import Model
from lint.graph.graph import RuleGraph
from lint.terraform.evaluate import Options, evaluate_root
from lint.terraform.plan import read_plan
from lint.terraform.state import read_state

BASE = """
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_subnet" "b" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.2.0/24"
}
"""
MACHINES = """
resource "aws_instance" "a" {
  subnet_id              = aws_subnet.a.id
  private_ip             = "10.0.1.10"
  vpc_security_group_ids = [aws_security_group.sa.id]
}
resource "aws_instance" "b" {
  subnet_id              = aws_subnet.b.id
  private_ip             = "10.0.2.10"
  vpc_security_group_ids = [aws_security_group.sb.id]
}
"""
A, B = "aws_instance.a", "aws_instance.b"


def write(directory: Path, text: str) -> Path:
    """A root module of one file."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "main.tf").write_text(text, encoding="utf-8")
    return directory


def model(directory: Path, text: str) -> Model:
    """The model of one root module."""
    return read([evaluate_root(write(directory, text), Options())])


def graph(directory: Path, text: str, **others: str) -> RuleGraph:
    """The rule graph of one root module, or of several side by side."""
    roots = [write(directory / "main", text), *(write(directory / name, each) for name, each in others.items())]
    return graph_from_terraform([evaluate_root(root, Options()) for root in roots])


def planned(data: dict[str, Any]) -> RuleGraph:
    """The rule graph of a plan."""
    return graph_from_terraform([read_plan(json.dumps(data).encode(), "plan.json", None)])


def applied(data: dict[str, Any]) -> RuleGraph:
    """The rule graph of a state."""
    return graph_from_terraform([read_state(json.dumps(data).encode(), "state.json", None)])


def state_model(data: dict[str, Any]) -> Model:
    """The model of a state."""
    return read([read_state(json.dumps(data).encode(), "state.json", None)])
