"""A pack's documents as YAML that a person writes by hand: no anchors, no tags, nothing unseen. Knows no field of a
pack, and leaves the reading to `lint.documents.yaml`.
"""

from __future__ import annotations

from lint.documents.yaml import Allowed, Mapping, Node, NotYaml, Scalar, Sequence, YamlError, read_yaml
from lint.packs.problem import PackProblem

__all__ = ["Mapping", "Node", "Scalar", "Sequence", "read_document"]

_ALLOWED = Allowed(largest=1 << 20, deepest=16)


def read_document(text: str | bytes, file: str) -> Node:
    """The one document of the text. Raises PackProblem, with all duplicate keys of the file in `every`."""
    try:
        found = read_yaml(text, file, _ALLOWED)
    except YamlError as error:
        every = tuple(_problem(one, file) for one in error.every)
        every[0].every = every
        raise every[0] from None
    if found is None:
        raise PackProblem(file, None, "is empty", "write a document into it")
    return found


def _problem(error: YamlError, file: str) -> PackProblem:
    text = f"not YAML: {error.text}" if isinstance(error, NotYaml) else error.text
    return PackProblem(file, error.line, text, error.remedy, error.column)
