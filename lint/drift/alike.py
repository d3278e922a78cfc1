"""Machines that nothing but an id tells apart: three of one name in the code are the three of that name in the account.

Knows no cloud and no traffic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping

from lint.drift.pairing import Pairing
from lint.graph.endpoints import Endpoint

Key = Callable[[Endpoint], Hashable | None]


def alike(
    endpoints: Pairing[Endpoint], filters: Mapping[str, str], subnets: Mapping[str, str], networks: Mapping[str, str]
) -> None:
    """Pairs machines of the same name, else those without names, that stand in the same subnets as far as is known.

    First those that carry the same filters; then the rest, where there are as many on both sides and those of one
    side carry the same, so that any of them may be called by any name of the other side.
    """
    for named, placed in ((True, True), (False, True), (True, False)):
        old = _crowds(endpoints.left(new=False), named, placed, {}, {})
        new = _crowds(endpoints.left(new=True), named, placed, subnets, networks)
        for key in sorted(old.keys() & new.keys(), key=repr):
            before, after = sorted(old[key], key=_natural), sorted(new[key], key=_natural)
            if not named and len({bool(one.origin.address) for one in (*before, *after)}) == 1:
                continue  # without a name, only the code's machines and the account's are taken for the same
            if not placed and all(any(one.network is not None for one in side) for side in (before, after)):
                continue  # where both know the network, it counts
            _pair(endpoints, before, after, filters)


def _pair(
    endpoints: Pairing[Endpoint], before: list[Endpoint], after: list[Endpoint], filters: Mapping[str, str]
) -> None:
    by_filters: dict[frozenset[str], list[Endpoint]] = defaultdict(list)
    for one in before:
        by_filters[_carried(one)].append(one)
    rest: list[Endpoint] = []
    for one in after:
        carried = _carried(one)
        same = by_filters.get(frozenset(filters[name] for name in carried), []) if carried <= filters.keys() else []
        if same:
            endpoints.pair(one.id, same.pop(0).id)
        else:
            rest.append(one)
    lonely = [one for several in by_filters.values() for one in several]
    if len(lonely) == len(rest) and any(len({_carried(one) for one in side}) == 1 for side in (lonely, rest)):
        for one, other in zip(rest, lonely, strict=True):
            endpoints.pair(one.id, other.id)


def _crowds(
    endpoints: Mapping[str, Endpoint],
    named: bool,
    placed: bool,
    subnets: Mapping[str, str],
    networks: Mapping[str, str],
) -> dict[Hashable, list[Endpoint]]:
    """Free machines by what they are and, if asked for, what they are called and where they stand."""
    found: dict[Hashable, list[Endpoint]] = defaultdict(list)
    for one in endpoints.values():
        if one.hypothetical or (named and not one.name) or (not named and not _nameless(one)):
            continue
        places = frozenset(subnets.get(a.subnet or "", a.subnet) for a in one.addresses)
        network = None if one.network is None else networks.get(one.network, one.network)
        found[one.name if named else None, one.kind, (network, places) if placed else None].append(one)
    return found


def _nameless(one: Endpoint) -> bool:
    """Whether it is called by an id of its own, or by the label of its block."""
    if one.origin.address:
        return "Name" not in dict(one.tags) and one.name == one.origin.address.partition("[")[0].rpartition(".")[2]
    ids = (one.id, *one.aliases)
    return one.name in ids and not any(text.endswith(f"/{one.name}") for text in ids)


def _carried(one: Endpoint) -> frozenset[str]:
    return frozenset(name for layer in one.layers for name in layer.filters)


def _natural(one: Endpoint) -> tuple[int, str]:
    return len(one.id), one.id
