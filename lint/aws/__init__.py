"""AWS: what its resources mean, read from Terraform or from raw API answers, and lowered to the rule graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lint.aws.from_api import Document
    from lint.graph.graph import RuleGraph
    from lint.terraform.resources import Evaluation

    MODELLED_TYPES: frozenset[str]


def graph_from_terraform(evaluations: Sequence[Evaluation]) -> RuleGraph:
    """The rule graph of the AWS resources of these roots, plans and states, read together."""
    from lint.aws.from_terraform import read
    from lint.aws.lower import lower

    return lower(read(evaluations))


def graph_from_documents(documents: Sequence[Document]) -> RuleGraph:
    """The rule graph of raw API answers (`from_api.load_dump` gives them), read together."""
    from lint.aws.from_api import read
    from lint.aws.lower import lower

    return lower(read(documents))


def __getattr__(name: str) -> Any:
    if name == "MODELLED_TYPES":
        from lint.aws.from_terraform.types import MODELLED_TYPES

        return MODELLED_TYPES
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
