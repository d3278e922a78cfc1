"""AWS: what its resources mean, read from Terraform or from raw API answers, and lowered to the rule graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lint.aws.from_api import Document
    from lint.graph.graph import RuleGraph
    from lint.terraform.resources import Evaluation

    MODELLED_TYPES: frozenset[str]


def graph_from_terraform(
    evaluations: Sequence[Evaluation],
    *,
    transparent: Collection[str] = (),
    prefix_lists: Mapping[str, Sequence[str]] | None = None,
) -> RuleGraph:
    """The rule graph of the AWS resources of these roots, plans and states, read together.

    `transparent` names appliances (by id, address or name) that the project declares to pass everything; `prefix_lists`
    gives the CIDRs of lists that the source doesn't hold, by id or name.
    """
    from lint.aws.from_terraform import read
    from lint.aws.lower import lower

    return lower(read(evaluations), transparent=transparent, prefix_lists=prefix_lists)


def graph_from_documents(
    documents: Sequence[Document],
    *,
    transparent: Collection[str] = (),
    prefix_lists: Mapping[str, Sequence[str]] | None = None,
) -> RuleGraph:
    """The rule graph of raw API answers (`from_api.load_dump` gives them), read together. Options as above."""
    from lint.aws.from_api import read
    from lint.aws.lower import lower

    return lower(read(documents), transparent=transparent, prefix_lists=prefix_lists)


def __getattr__(name: str) -> Any:
    if name == "MODELLED_TYPES":
        from lint.aws.from_terraform.types import MODELLED_TYPES

        return MODELLED_TYPES
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
