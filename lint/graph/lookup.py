"""Finds the endpoint that a person means: by id, Terraform address, alias, name or private address."""

from __future__ import annotations

from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.space.addresses import SYMBOLIC, position


def lookup(graph: RuleGraph, name: str) -> tuple[Endpoint, ...]:
    """The endpoints of that name, best match first; several where the name isn't unique, none where nothing has it.

    Tried in order: id; Terraform address or another alias; private address; Name. The first kind that finds something
    counts. Case matters only where two endpoints differ in nothing else.
    """
    wanted = name.strip()
    if not wanted:
        return ()
    exact = graph.endpoints.get(wanted)
    if exact is not None:
        return (exact,)
    folded = wanted.casefold()
    endpoints = list(graph.endpoints.values())
    for same in (_is, _is_folded):
        found = [one for one in endpoints if any(same(text, wanted, folded) for text in _texts(one))]
        if found:
            return tuple(found)
    place = _position(wanted)
    if place is not None:
        return tuple(one for one in endpoints if any(address.place == place for address in one.addresses))
    found = [one for one in endpoints if one.name == wanted]
    return tuple(found or [one for one in endpoints if one.name.casefold() == folded])


def _texts(endpoint: Endpoint) -> list[str]:
    texts = [endpoint.id, *endpoint.aliases]
    for text in (endpoint.origin.address, endpoint.origin.resource_id):
        if text:
            texts.append(text)
    return texts


def _is(text: str, wanted: str, folded: str) -> bool:
    return text == wanted


def _is_folded(text: str, wanted: str, folded: str) -> bool:
    return text.casefold() == folded


def _position(text: str) -> int | None:
    try:
        place = position(text)
    except ValueError:
        return None
    return place if place < SYMBOLIC else None
