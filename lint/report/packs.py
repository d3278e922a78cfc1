"""Shows packs to a person or as JSON: what there is, and what one documents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lint.packs.model import Flow, Pack, services_of


def list_text(packs: Sequence[Pack]) -> str:
    """One pack a line: id and title."""
    width = max((len(pack.id) for pack in packs), default=0)
    return "".join(f"{pack.id.ljust(width)}  {pack.title}\n" for pack in packs)


def list_json(packs: Sequence[Pack]) -> str:
    """Id, title, document, variants and phases of each pack."""
    return json.dumps([_head(pack) for pack in packs], indent=2) + "\n"


def show_text(pack: Pack) -> str:
    """Everything a pack says, flow by flow with its place in the document."""
    lines = [f"{pack.id}: {pack.title}", f"document: {pack.document_title}"]
    if pack.document_edition:
        lines.append(f"edition: {pack.document_edition}")
    if pack.document_url:
        lines.append(f"url: {pack.document_url}")
    for title, entries in (("variants", pack.variants), ("phases", pack.phases), ("parameters", pack.parameters)):
        if entries:
            lines += ["", f"{title}:"]
            lines += [f"  {name}  {meaning}" for name, meaning in entries]
    lines += ["", "roles:"]
    for role in pack.roles:
        marks = [role.lives] + ["platform-managed"] * role.managed + ["shared"] * role.shared
        lines.append(f"  {role.name}  {role.title} ({', '.join(marks)})")
        if role.hosts:
            lines.append(f"    hosts: {', '.join(role.hosts)}")
    for kind in ("required", "exclusive", "forbidden"):
        flows = [flow for flow in pack.flows if flow.kind == kind]
        if flows:
            lines += ["", f"{kind} flows:"]
            for flow in flows:
                lines += _flow_lines(flow)
    return "\n".join(lines) + "\n"


def show_json(pack: Pack) -> str:
    """Everything a pack says, as JSON."""
    document = _head(pack) | {
        "parameters": dict(pack.parameters),
        "roles": [
            {
                "name": r.name,
                "title": r.title,
                "lives": r.lives,
                "managed": r.managed,
                "shared": r.shared,
                "hosts": list(r.hosts),
                "default_addresses": list(r.default_addresses),
            }
            for r in pack.roles
        ],
        "flows": [_flow_json(flow) for flow in pack.flows],
        "signature_services": list(pack.signature_services),
    }
    return json.dumps(document, indent=2) + "\n"


def _head(pack: Pack) -> dict[str, Any]:
    return {
        "id": pack.id,
        "title": pack.title,
        "document": {"title": pack.document_title, "url": pack.document_url, "edition": pack.document_edition},
        "variants": dict(pack.variants),
        "phases": dict(pack.phases),
    }


def _flow_lines(flow: Flow) -> list[str]:
    joiner = " or " if flow.any_service else ", "
    services = joiner.join(text for text, _ in services_of(flow))
    source = " or ".join(flow.sources) or "nobody"
    destination = (" or " if flow.any_destination else ", ").join(flow.destinations)
    if flow.kind == "exclusive":
        public = "; others: no public address" if flow.against == "public" else ""
        head = f"  {flow.id}: {services} of {destination} for {source} alone{public}"
    else:
        head = f"  {flow.id}: {source} → {destination}  {services}"
    lines = [head]
    conditions = []
    if flow.variants:
        conditions.append("variant " + " or ".join(flow.variants))
    if flow.phases:
        conditions.append("phase " + " or ".join(flow.phases))
    if flow.optional:
        conditions.append("optional")
    if flow.host_local:
        conditions.append("on the machine itself")
    if flow.severity != "error":
        conditions.append(flow.severity)
    if conditions:
        lines.append(f"    when: {', '.join(conditions)}")
    if flow.condition:
        lines.append(f"    condition: {flow.condition}")
    if flow.purpose:
        lines.append(f"    for: {flow.purpose}")
    if flow.assumed:
        lines.append(f"    assumed: {flow.assumed}")
    lines += [f"    document: {c.section}" + (f", row {c.row}" if c.row else "") for c in flow.citations]
    return lines


def _flow_json(flow: Flow) -> dict[str, Any]:
    return {
        "id": flow.id,
        "kind": flow.kind,
        "from": list(flow.sources),
        "to": list(flow.destinations),
        "services": [text for text, _ in services_of(flow)],
        "any_service": flow.any_service,
        "any_destination": flow.any_destination,
        "against": flow.against if flow.kind == "exclusive" else None,
        "host_local": flow.host_local,
        "variants": list(flow.variants),
        "phases": list(flow.phases),
        "optional": flow.optional,
        "condition": flow.condition,
        "assumed": flow.assumed,
        "severity": flow.severity,
        "purpose": flow.purpose,
        "document": [{"section": c.section, "row": c.row} for c in flow.citations],
    }
