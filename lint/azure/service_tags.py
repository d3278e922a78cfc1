"""Service tag data: the weekly download, the API's answer, or Terraform's data source, as sets of addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lint.azure.model import ServiceTags
from lint.origin import Origin
from lint.space.addresses import parse_cidr
from lint.space.intervals import EMPTY, IntervalSet


def is_service_tags(data: Any) -> bool:
    """Whether a JSON document is service tag data: `values` with `changeNumber` or `cloud`."""
    if not isinstance(data, Mapping) or not isinstance(data.get("values"), list):
        return False
    return "changeNumber" in data or "cloud" in data


def read_service_tags(documents: Iterable[tuple[Any, Origin]]) -> tuple[ServiceTags, tuple[str, ...]]:
    """All tags of all documents; a tag that stands in several is their union. Second: what a person should know."""
    prefixes: dict[str, IntervalSet] = {}
    spelling: dict[str, str] = {}
    origins: dict[str, Origin] = {}
    notes: list[str] = []
    clouds: dict[str, str] = {}
    unread: set[str] = set()
    for data, origin in documents:
        if not isinstance(data, Mapping) or not isinstance(data.get("values"), list):
            notes.append(f"{origin.file or 'a service tags document'} holds no service tags (`values` is missing)")
            continue
        cloud, change = data.get("cloud"), data.get("changeNumber")
        if isinstance(cloud, str):
            clouds.setdefault(cloud.lower(), f"{cloud} change {change}")
        for entry in data.get("values") or ():
            name = entry.get("name") if isinstance(entry, Mapping) else None
            properties = entry.get("properties") if isinstance(entry, Mapping) else None
            if not isinstance(name, str) or not isinstance(properties, Mapping):
                continue
            listed = properties.get("addressPrefixes")
            pairs: list[tuple[int, int]] = []
            for text in listed if isinstance(listed, list) else ():
                try:
                    pairs += parse_cidr(str(text)).pairs
                except ValueError:
                    notes.append(f"service tag {name}: `{str(text)[:60]}` is not a CIDR, so the tag isn't known")
                    unread.add(name.lower())
            key = name.lower()
            if not isinstance(listed, list):
                notes.append(f"service tag {name} lists no prefixes, so the tag isn't known")
                unread.add(key)
            prefixes[key] = prefixes.get(key, EMPTY) | IntervalSet(pairs)
            spelling.setdefault(key, name)
            origins.setdefault(key, origin)
    for key in unread:
        prefixes.pop(key, None)
    if len(clouds) > 1:
        notes.append(
            f"service tags of several clouds were given ({', '.join(clouds.values())}); prefixes differ by cloud"
        )
    return ServiceTags(prefixes, spelling, origins, ", ".join(clouds.values())), tuple(notes)
