"""Which subscriptions a scan covers: those named, those below a management group, or all that the identity sees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lint.azure.collect import calls
from lint.azure.collect.access import Connection
from lint.azure.collect.requests import turn
from lint.azure.collect.subscription import listed
from lint.live.calls import Call, LiveError
from lint.live.collection import Collection, must

_ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.I)
# "Azure subscription states": in the others nothing can be read.
READABLE = ("enabled", "warned", "pastdue")


def subscriptions(collection: Collection, connection: Connection, named: Sequence[str]) -> list[str]:
    """The ids of the subscriptions to scan, sorted. Raises LiveError where they can't be told or there are none."""
    groups = collection.options.azure.management_groups
    if named and not groups and all(_ID.match(one) for one in named):
        return sorted({one.lower() for one in named})
    seen = {str(row.get("subscriptionId", "")).lower(): row for row in _seen(collection, connection)}
    chosen: set[str] = set()
    for one in named:
        chosen |= {one.lower()} if _ID.match(one) else {_by_name(one, seen)}
    for group in groups:
        chosen |= _below(collection, connection, group)
    if not named and not groups:
        chosen = set(seen)
    skipped = {one: str(seen[one].get("state")) for one in chosen & set(seen) if not _readable(seen[one])}
    if skipped:
        collection.store.note("skipped", dict(sorted(skipped.items())))
    found = sorted(chosen - set(skipped))
    if not found:
        raise LiveError(
            "this identity sees no Azure subscription that can be read; "
            "give it a role in one (docs/azure-role.json), or name another tenant with --azure-tenant"
        )
    return found


def _seen(collection: Collection, connection: Connection) -> list[dict[str, Any]]:
    operation = calls.SUBSCRIPTIONS
    answer = collection.gather(
        Call.of("", "", operation.name), turn(connection, operation, operation.path, collection.options)
    )
    remedy = "name the subscriptions: azure:00000000-0000-0000-0000-000000000000"
    return listed(must(answer, "listing the subscriptions", remedy))


def _below(collection: Collection, connection: Connection, group: str) -> set[str]:
    if not re.fullmatch(r"[\w.()-]{1,90}", group):
        raise LiveError(f"--azure-management-group {group}: that is no id of a management group")
    operation = calls.DESCENDANTS
    path = operation.path.format(parent=group)
    answer = collection.gather(
        Call.of("", "", operation.name, {"parent": group}), turn(connection, operation, path, collection.options)
    )
    rows = listed(
        must(answer, f"listing the management group {group}", f"allow {operation.action}, or name the subscriptions")
    )
    return {
        str(row.get("name", "")).lower() for row in rows if str(row.get("type", "")).lower().endswith("/subscriptions")
    }


def _by_name(name: str, seen: dict[str, dict[str, Any]]) -> str:
    found = [id_ for id_, row in seen.items() if str(row.get("displayName", "")).lower() == name.lower()]
    if len(found) == 1:
        return found[0]
    what = "several subscriptions have this name" if found else "this identity sees no subscription of this id or name"
    raise LiveError(f"azure:{name}: {what}; give its id")


def _readable(row: dict[str, Any]) -> bool:
    return str(row.get("state", "Enabled")).lower() in READABLE
