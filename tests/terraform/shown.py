"""Values as plain Python data, so that a test can say in one line what it expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lint.terraform.numbers import Number
from lint.terraform.resources import Evaluation, Resource
from lint.terraform.values import Unknown, Value


def shown(value: Value) -> Any:
    """Known values as Python data; an unknown as `?`, with the address and path that it refers to (`?aws_vpc.a.id`)."""
    data = value.data
    if isinstance(data, Unknown):
        reference = data.reference
        return (
            "?" if reference is None else "?" + ".".join([reference.address, *(str(step) for step in reference.path)])
        )
    if isinstance(data, tuple):
        return [shown(each) for each in data]
    if isinstance(data, dict):
        return {name: shown(each) for name, each in data.items()}
    if isinstance(data, Number):
        return int(data) if data.integral else float(data.text())
    return data


def outputs(evaluation: Evaluation) -> dict[str, Any]:
    """All outputs of the root module."""
    return {name: shown(value) for name, value in evaluation.outputs.items()}


def values(resource: Resource) -> dict[str, Any]:
    """All arguments of a resource."""
    return shown_all(resource.values)


def shown_all(found: Mapping[str, Value]) -> dict[str, Any]:
    """Several values by name."""
    return {name: shown(value) for name, value in found.items()}


def addresses(evaluation: Evaluation) -> list[str]:
    """The addresses of all resources, in order."""
    return [resource.address for resource in evaluation.resources]


def messages(evaluation: Evaluation, severity: str | None = None) -> list[str]:
    """`main.tf:3: text` for every diagnostic (of one severity)."""
    return [
        f"{d.origin.where()}: {d.text}" if d.origin is not None else d.text
        for d in evaluation.diagnostics
        if severity is None or d.severity == severity
    ]
