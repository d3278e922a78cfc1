"""Terraform resources of the azurerm and azapi providers to the Azure model.

Each resource is put into the words of ARM; references between resources become ids, unknown values gaps with their
reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lint.azure.model import Model
    from lint.azure.records import Records
    from lint.terraform.resources import Evaluation

__all__ = ["read", "records"]


def read(evaluations: Sequence[Evaluation], *, service_tags: Sequence[Any] = ()) -> Model:
    """The model of these roots, plans and states, read together. `service_tags` are service tag documents."""
    from lint.azure.assemble import assemble

    return assemble(records(evaluations, service_tags=service_tags))


def records(evaluations: Sequence[Evaluation], *, service_tags: Sequence[Any] = ()) -> Records:
    """The resources in ARM's words, before they're joined."""
    from lint.azure.from_api import Document
    from lint.azure.from_terraform.reading import Reading
    from lint.origin import Origin

    reading = Reading(evaluations)
    documents = [one if isinstance(one, Document) else Document(one) for one in service_tags]
    reading.tag_documents += [(one.data, Origin(file=one.file)) for one in documents]
    return reading.records()
