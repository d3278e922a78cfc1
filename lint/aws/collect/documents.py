"""From a scan's snapshot to the documents that `from_api` reads: the shapes of a dump, and what is missing."""

from __future__ import annotations

import json
from typing import Any

from lint.aws.collect.calls import ASSUME_ROLE, BY_NAME, EVERYWHERE, REGIONS, Operation
from lint.aws.from_api.documents import Document
from lint.live.calls import Answer
from lint.live.snapshot import Snapshot


def documents_of(snapshot: Snapshot) -> tuple[Document, ...]:
    """One document for each account and region, with its things sorted by id, so that nothing depends on time or order.

    A call that isn't whole gives nothing but an entry in `missing`, under its kind, or `kind:id` where it was asked
    of one thing.
    """
    data: dict[tuple[str, str | None], dict[str, Any]] = {}
    missing: dict[tuple[str, str | None], dict[str, str]] = {}
    for answer in snapshot.answers():
        operation = BY_NAME.get(answer.call.operation)
        if operation is None or not operation.kind:
            if operation is ASSUME_ROLE:
                _whole_account(answer, missing)
            continue
        if operation is REGIONS and not answer.ok:
            _whole_account(answer, missing)
        place = (answer.call.scope, answer.call.region or None)
        parent = json.loads(answer.call.parameters).get(operation.parent) if operation.parent else None
        if answer.ok:
            if answer.call.region:
                _add(data.setdefault(place, {}), operation, parent, answer)
        elif answer.call.region:
            key = f"{operation.kind}:{parent}" if parent else operation.kind
            missing.setdefault(place, {})[key] = _why(answer)
    return tuple(
        Document(
            path="/".join(("aws", place[0], place[1] or "")),
            account=place[0] or None,
            region=place[1],
            data={kind: data.get(place, {})[kind] for kind in sorted(data.get(place, {}))},
            missing=dict(sorted(missing.get(place, {}).items())),
        )
        for place in sorted({*data, *missing}, key=lambda place: (place[0], place[1] or ""))
    )


def _whole_account(answer: Answer, missing: dict[tuple[str, str | None], dict[str, str]]) -> None:
    for operation in EVERYWHERE:
        missing.setdefault((answer.call.scope, None), {})[operation.kind] = _why(answer)


def _why(answer: Answer) -> str:
    return f"{answer.call.operation} {answer.status}: {answer.error}"


def _add(data: dict[str, Any], operation: Operation, parent: str | None, answer: Answer) -> None:
    held: list[Any] = []
    more = False
    for page in answer.pages:
        found = page.get(operation.key) if isinstance(page, dict) else None
        held += found if isinstance(found, list) else [found] if found is not None else []
        more = more or (isinstance(page, dict) and page.get("AdditionalRoutesAvailable") is True)
    held.sort(key=lambda each: json.dumps(each, sort_keys=True))
    if operation.kind == operation.key:
        data.setdefault(operation.kind, []).extend(held)
        return
    wrapped: dict[str, Any] = {operation.parent: parent, operation.key: held}
    if more:
        wrapped["AdditionalRoutesAvailable"] = True
    data.setdefault(operation.kind, []).append(wrapped)
