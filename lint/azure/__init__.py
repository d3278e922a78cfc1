"""Azure: Terraform resources and ARM documents to the rule graph. Knows Azure's words; the graph does not.

Importing this package costs nothing: each function loads its rooms when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lint.azure.types import MODELLED_TYPES

if TYPE_CHECKING:
    from lint.graph.graph import RuleGraph
    from lint.terraform.resources import Evaluation

__all__ = ["MODELLED_TYPES", "graph_from_documents", "graph_from_terraform", "is_modelled"]


def is_modelled(resource_type: str) -> bool:
    """Whether a Terraform resource or data source type takes part in the graph."""
    return resource_type in MODELLED_TYPES


def graph_from_terraform(
    evaluations: Sequence[Evaluation], *, transparent: Sequence[str] = (), service_tags: Sequence[Any] = ()
) -> RuleGraph:
    """The rule graph of evaluated Terraform roots, plans or states.

    `transparent` names next hops (an address, or a firewall's name) that pass everything; `service_tags` are parsed
    service tag files.
    """
    from lint.azure.from_terraform import read
    from lint.azure.lower import lower

    return lower(read(evaluations, service_tags=service_tags), transparent=transparent)


def graph_from_documents(
    documents: Sequence[Any], *, transparent: Sequence[str] = (), service_tags: Sequence[Any] = ()
) -> RuleGraph:
    """The rule graph of ARM documents, as `lint.azure.from_api.load_dump` gives them or as parsed JSON."""
    from lint.azure.from_api import read
    from lint.azure.lower import lower

    return lower(read([*documents, *service_tags]), transparent=transparent)
