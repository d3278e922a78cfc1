"""From a scan's snapshot to the documents that `from_api` reads: the raw lists, and what is missing of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lint.azure.collect import calls
from lint.azure.collect.calls import BY_NAME, Operation
from lint.azure.collect.resource_graph import divided
from lint.azure.from_api import Document
from lint.live.calls import Answer, Call, canonical
from lint.live.snapshot import Snapshot


def documents_of(snapshot: Snapshot) -> tuple[Document, ...]:
    """One document for each call, its resources sorted by id, so that nothing depends on pages or on who told them.

    The last one says what is missing: {"netpact_coverage": [{"subscription", "type", "state", "reason", "of"}]}.
    `of` is the id of the one thing that was asked about.
    """
    rows: dict[tuple[str, str, str], list[Any]] = {}
    plain: dict[Call, Any] = {}
    missing: list[dict[str, str]] = []
    for answer in snapshot.answers():
        operation = BY_NAME.get(answer.call.operation)
        if operation is None:
            continue
        if not answer.ok:
            missing += _missing(answer, operation)
        elif operation is calls.RESOURCE_GRAPH:
            told = divided(answer, json.loads(answer.call.parameters)["subscriptions"])
            for subscription, kinds in told.items():
                for name, found in kinds.items():
                    rows.setdefault((subscription, name, ""), []).extend(found)
        elif operation is calls.SERVICE_TAGS:
            plain[answer.call] = _tags(answer)
        elif operation.kind:
            parent = json.loads(answer.call.parameters).get("parent", "")
            held = rows.setdefault((answer.call.scope, operation.name, parent), [])
            for page in answer.pages:
                held += [page] if operation.single else page["value"]
    documents = [_document(place, rows[place]) for place in sorted(rows)]
    documents += [Document(plain[call]) for call in sorted(plain)]
    if missing:
        documents.append(Document({"netpact_coverage": sorted(missing, key=canonical)}))
    return tuple(documents)


def _document(place: tuple[str, str, str], rows: list[Any]) -> Document:
    _, name, parent = place
    operation = BY_NAME[name]
    if operation in (calls.ADMIN_RULES, calls.CONNECTIVITY) or operation.verifying:
        request = operation.path.format(parent=parent)
        return Document({"request": request, "value": rows}, request=request)
    return Document({"value": sorted(rows, key=_order)})


def _order(row: Any) -> tuple[str, str]:
    identity = row.get("id") if isinstance(row, Mapping) else None
    return (identity.lower() if isinstance(identity, str) else "", canonical(row))


def _tags(answer: Answer) -> dict[str, Any]:
    whole = dict(answer.pages[0])
    whole["values"] = [one for page in answer.pages for one in page.get("values") or ()]
    return whole


def _missing(answer: Answer, operation: Operation) -> list[dict[str, str]]:
    if not operation.kind or operation is calls.SERVICE_TAGS:
        return []  # a tag without data is unknown of itself
    parameters = json.loads(answer.call.parameters)
    entry = {
        "subscription": answer.call.scope,
        "type": operation.kind,
        "state": answer.status,
        "reason": f"{operation.name} {answer.status}: {answer.error}",
    }
    for name, ours in (("parent", "of"), ("resource_group", "group")):
        if name in parameters:
            entry[ours] = str(parameters[name])
    return [entry]
