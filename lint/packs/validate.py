"""Everything that is wrong with one pack file: the reader's own checks and the published JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from lint.documents.yaml import Mapping, Node, Sequence, plain_value
from lint.packs.document import read_document
from lint.packs.find import rules_folder
from lint.packs.problem import PackProblem
from lint.packs.read import read_pack


def problems_of(path: str | Path, name: str | None = None) -> tuple[PackProblem, ...]:
    """All mistakes of the file in its order, nothing where it is a good pack; `name` is what messages call the file.

    The reader says more than a schema can, so what the schema finds is told only for lines where the reader found
    nothing.
    """
    called = name if name is not None else Path(path).as_posix()
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        return (PackProblem(called, None, f"can't be read: {error.strerror}", "check the path and its permissions"),)
    try:
        document = read_document(content, called)
    except PackProblem as problem:
        return problem.every
    found: list[PackProblem] = []
    try:
        read_pack(content, called)
    except PackProblem as problem:
        found += problem.every
    told = {problem.line for problem in found}
    found += [problem for problem in schema_problems(document, called) if problem.line not in told]
    return tuple(sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0)))


def schema_problems(document: Node, file: str) -> tuple[PackProblem, ...]:
    """What `rules/pack.schema.json` says against the document."""
    import jsonschema

    schema = json.loads((rules_folder() / "pack.schema.json").read_text(encoding="utf-8"))
    errors = jsonschema.Draft202012Validator(schema).iter_errors(plain_value(document))
    found: list[PackProblem] = []
    for error in errors:
        node = _at(document, error.absolute_path)
        message = error.message if len(error.message) <= 200 else error.message[:200] + "…"
        found.append(PackProblem(file, node.line, f"breaks the schema: {message}", "see pack.schema.json", node.column))
    return tuple(found)


def _at(document: Node, path: Iterable[str | int]) -> Node:
    """The node at a path of keys and indexes; the last one that exists."""
    node = document
    for step in path:
        inner: Node | None = None
        if isinstance(node, Mapping) and isinstance(step, str):
            inner = node.get(step)
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            inner = node.items[step]
        if inner is None:
            break
        node = inner
    return node
