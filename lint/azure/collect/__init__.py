"""Collects from live Azure subscriptions what `from_api` reads: read-only, paged, within limits, kept as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from lint.azure.collect import access
from lint.azure.collect.access import Connection
from lint.azure.collect.documents import documents_of
from lint.azure.collect.resource_graph import resources
from lint.azure.collect.scope import subscriptions
from lint.azure.collect.subscription import collect_subscription, collect_tags
from lint.live.calls import LiveError
from lint.live.collection import Collection
from lint.live.options import LiveOptions
from lint.live.scan import scan
from lint.live.snapshot import Snapshot

if TYPE_CHECKING:
    from lint.graph.graph import RuleGraph

__all__ = ["collect", "documents_of", "graph_of"]


def collect(scope: Sequence[str], options: LiveOptions, connection: Connection | None = None) -> Snapshot:
    """Scan the subscriptions named by id or name (none: all that the identity sees, or those of management groups).

    `connection` takes the place of the standard one. Raises LiveError where nothing can be said at all; a call that
    fails is in the snapshot as failed.
    """
    chosen = sorted({one.strip() for one in scope if one.strip()})
    azure = options.azure
    plan = {
        "subscriptions": chosen,
        "cloud": azure.cloud,
        "tenant": azure.tenant,
        "management_groups": sorted(azure.management_groups),
        "resource_graph": azure.resource_graph,
        **({"verify_effective": True} if azure.verify_effective else {}),
    }
    name = "azure:" + ",".join(chosen)

    def run(collection: Collection) -> None:
        asked = connection or access.connect(azure)
        collection.store.note("caller", _same_caller(collection, asked))
        collection.store.note("cloud", asked.cloud)
        ids = subscriptions(collection, asked, chosen)
        known = resources(collection, asked, ids)
        places = collection.options.places
        wanted: dict[str, set[str]] = {}
        jobs = [partial(collect_subscription, collection, asked, one, known.get(one)) for one in ids]
        for locations in collection.together(jobs, places):
            for location, having in locations.items():
                wanted.setdefault(location, set()).update(having)
        collection.together(
            [partial(collect_tags, collection, asked, location, wanted[location]) for location in sorted(wanted)],
            places,
        )

    return scan("azure", name, plan, options, run, ("caller", "cloud", "skipped"))


def _same_caller(collection: Collection, connection: Connection) -> dict[str, str]:
    """The caller, where a resumed scan was begun in the same tenant."""
    caller = connection.caller()
    before = collection.store.noted("caller")
    if before is not None and before.get("tenant") != caller.get("tenant"):
        raise LiveError(
            f"the scan was begun in tenant {before.get('tenant')}, these credentials are of {caller.get('tenant')}; "
            "use the same tenant, or leave --resume away"
        )
    return caller


def graph_of(snapshot: Snapshot, *, transparent: Sequence[str] = (), service_tags: Sequence[Any] = ()) -> RuleGraph:
    """The rule graph of a scan, whether it was just collected or read from a file.

    `transparent` and `service_tags` are as in `graph_from_documents`.
    """
    from lint import azure

    return azure.graph_from_documents(documents_of(snapshot), transparent=transparent, service_tags=service_tags)
