"""Resource Graph: the resources of many subscriptions in few requests, where it certainly shows them all.

It leaves out silently what the caller may not read, so it serves only subscriptions in which the caller's own
permissions allow every kind. Sources: "Azure Resource Graph query language", "Work with large Azure resource data
sets", "Guidance for throttled requests in Azure Resource Graph".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from lint.azure.collect import calls
from lint.azure.collect.access import Connection
from lint.azure.collect.requests import turn
from lint.azure.collect.subscription import Rows, listed
from lint.live.calls import Answer, Call
from lint.live.collection import Collection

FROM = 4  # subscriptions: for fewer, the lists cost little and show the state of this very moment
MOST = 200  # subscriptions in a query
PAGE = 1000  # rows, the most that there can be
BY_KIND = {operation.kind: operation.name for operation in calls.EVERYWHERE}
QUERY = (
    "resources | where type in~ ("
    + ", ".join(f"'{operation.kind}'" for operation in calls.EVERYWHERE)
    + ") | project id, name, type, location, resourceGroup, subscriptionId, sku, tags, properties | order by id asc"
)


def resources(collection: Collection, connection: Connection, subscriptions: Sequence[str]) -> dict[str, Rows]:
    """The resources of every subscription that Resource Graph shows completely; the others are to be listed."""
    if not collection.options.azure.resource_graph or len(subscriptions) < FROM:
        return {}
    allowed = collection.together(
        [partial(_allowed, collection, connection, one) for one in subscriptions], collection.options.places
    )
    open_ = [one for one, may in zip(subscriptions, allowed, strict=True) if may]
    if len(open_) < FROM:
        return {}
    found: dict[str, Rows] = {}
    for at in range(0, len(open_), MOST):
        chunk = open_[at : at + MOST]
        call = Call.of("", "", calls.RESOURCE_GRAPH.name, {"subscriptions": chunk})
        body = {
            "subscriptions": chunk,
            "query": QUERY,
            "options": {"$top": PAGE, "resultFormat": "objectArray"},
        }
        collection.progress.expect(1)
        path = calls.RESOURCE_GRAPH.path
        answer = collection.gather(call, turn(connection, calls.RESOURCE_GRAPH, path, collection.options, body))
        if answer.ok:
            found |= divided(answer, chunk)
        else:
            collection.store.withdraw(call)
    return found


def divided(answer: Answer, subscriptions: Iterable[str]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The rows of an answer by subscription and operation; every subscription has each operation, empty or not."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {
        one: {name: [] for name in BY_KIND.values()} for one in subscriptions
    }
    lowered = {one.lower(): one for one in found}
    for row in (row for page in answer.pages for row in page["data"] if isinstance(row, dict)):
        subscription = lowered.get(str(row.get("subscriptionId") or _subscription(row)).lower())
        name = BY_KIND.get(str(row.get("type", "")).lower())
        if subscription is not None and name is not None:
            found[subscription][name].append(_as_listed(row))
    return found


def _as_listed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the lists of ARM have it: without columns of the query, and without those that are empty."""
    return {
        key: value for key, value in row.items() if key not in ("resourceGroup", "subscriptionId") and value is not None
    }


def _subscription(row: Mapping[str, Any]) -> str:
    match = re.match(r"/subscriptions/([^/]+)", str(row.get("id", "")), re.I)
    return match[1] if match else ""


def _allowed(collection: Collection, connection: Connection, subscription: str) -> bool:
    """Whether the caller may certainly read every kind in the whole subscription."""
    operation = calls.PERMISSIONS
    call = Call.of(subscription, "", operation.name)
    path = operation.path.format(subscription=subscription)
    collection.progress.expect(1)
    answer = collection.gather(call, turn(connection, operation, path, collection.options))
    if not answer.ok:
        collection.store.withdraw(call)
        return False
    granted = listed(answer)
    return all(any(_grants(one, operation.action) for one in granted) for operation in calls.EVERYWHERE)


def _grants(permission: Mapping[str, Any], action: str) -> bool:
    def takes(patterns: object) -> bool:
        return any(
            re.fullmatch(re.escape(str(one)).replace(r"\*", ".*"), action, re.I)
            for one in (patterns if isinstance(patterns, list) else ())
        )

    return takes(permission.get("actions")) and not takes(permission.get("notActions"))
