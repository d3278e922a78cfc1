"""Resources of the azapi provider: their bodies are ARM documents already."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lint.azure.from_terraform.nodes import Node, is_unknown
from lint.azure.records import Gap
from lint.origin import Reason
from lint.terraform.values import unknown_reasons

if TYPE_CHECKING:
    from lint.azure.from_terraform.reading import Reading

_KNOWN = ("microsoft.network/", "microsoft.compute/")


def resource(reading: Reading, node: Node) -> None:
    """`azapi_resource`: `type` is `<type>@<api version>`, `body` an object (text in 1.x)."""
    kind, _, version = (node.text("type") or "").partition("@")
    if not kind.lower().startswith(_KNOWN):
        return
    body, gaps = _body(reading, node)
    nested = body.get("properties")
    properties: dict[str, Any] = dict(nested) if isinstance(nested, Mapping) else {}
    if isinstance(nested, Gap):
        gaps += nested.reasons
    hidden = [name for name in ("sensitive_body", "ignore_body_changes") if node.value(name) is not None]
    gaps += tuple(
        Reason(f"{name} of {node.resource.address} hides what it sets", f"tf.unknown:{name}", node.resource.origin)
        for name in hidden
    )
    parent = reading.identity(node, "parent_id")
    record = reading.add(
        node,
        kind.lower(),
        properties,
        parent=parent if kind.count("/") > 1 and isinstance(parent, str) else None,
        sku=body.get("sku"),
        location=body.get("location") if isinstance(body.get("location"), str) else None,
    )
    found = replace(record, api_version=version or None, partial=record.partial + gaps)
    reading.found[reading.found.index(record)] = found


def _body(reading: Reading, node: Node) -> tuple[Mapping[str, Any], tuple[Reason, ...]]:
    value = node.value("body")
    if value is None:
        return {}, ()
    if is_unknown(value):
        return {}, unknown_reasons(value)
    tree = reading.nodes.tree(node, value)
    if isinstance(tree, str):
        try:
            tree = json.loads(tree)
        except (ValueError, RecursionError):
            reason = Reason(f"the body of {node.resource.address} is not JSON", "azure.body", node.resource.origin)
            reading.problems.append(reason)
            return {}, (reason,)
    return (tree, ()) if isinstance(tree, Mapping) else ({}, unknown_reasons(value))


def nothing(reading: Reading, node: Node) -> None:
    """`azapi_update_resource` is laid over its target when everything else is read."""


def overlay(reading: Reading) -> None:
    """Merges the bodies of `azapi_update_resource` into the resources that they change."""
    for node in reading.nodes.of_type("azapi_update_resource"):
        kind = (node.text("type") or "").partition("@")[0].lower()
        if not kind.startswith(_KNOWN):
            continue
        body, gaps = _body(reading, node)
        nested = body.get("properties")
        properties: dict[str, Any] = dict(nested) if isinstance(nested, Mapping) else {}
        if not node.resource.exists:
            unsure = node.resource.reasons or (
                Reason(f"it isn't known whether {node.resource.address} exists", None, node.resource.origin),
            )
            properties = {name: Gap(unsure) for name in properties}
        target = reading.identity(node, "resource_id")
        wanted = target.lower() if isinstance(target, str) and target.startswith("/") else target
        for at, record in enumerate(reading.found):
            if isinstance(wanted, str) and any(
                wanted == (one.lower() if one.startswith("/") else one) for one in record.ids
            ):
                reading.found[at] = replace(
                    record, properties={**record.properties, **properties}, partial=record.partial + gaps
                )
                break
        else:
            made = reading.add(node, kind, properties)
            reason = Reason(
                f"{node.resource.address} changes a resource that isn't in the source",
                f"azure.ref.missing:{target if isinstance(target, str) else node.key}",
                node.resource.origin,
                "add the source that holds it",
            )
            ids = (*made.ids, target) if isinstance(target, str) else made.ids
            reading.found[reading.found.index(made)] = replace(made, partial=(*made.partial, reason, *gaps), ids=ids)


ROOMS: Mapping[str, Callable[[Reading, Node], None]] = {
    "azapi_resource": resource,
    "azapi_update_resource": nothing,
}
