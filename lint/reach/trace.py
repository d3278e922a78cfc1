"""`trace`: finds the two parties that a person names, asks what passes, and says so.

Knows no report format but the JSON one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lint.graph.graph import RuleGraph
from lint.graph.lookup import lookup
from lint.graph.unread import Unread
from lint.origin import origin_json
from lint.reach.balancers import with_balancers
from lint.reach.engine import Engine, engine_of
from lint.reach.result import Hop, Party, Path, Reach
from lint.space.addresses import PUBLIC, REAL, cidrs, parse_cidr, position
from lint.space.bounds import Bounds
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_SERVICES, render
from lint.space.traffic import TrafficSet

INTERNET = ("internet", "the internet", "anywhere")


@dataclass(frozen=True, slots=True)
class Trace:
    """The answer to one question between two named parties."""

    source: str
    destination: str
    services: IntervalSet
    service: str  # as asked, or any
    reach: Reach


def party(graph: RuleGraph | Engine, text: str) -> Party:
    """`internet`, a CIDR, or an endpoint by id, Terraform address, alias, private address or Name.

    Raises ValueError with what to do.
    """
    engine = engine_of(graph)
    if text.strip().casefold() in INTERNET:
        return Party("internet", addresses=PUBLIC)
    found = lookup(engine.graph, text)
    if len(found) > 1:
        names = ", ".join(sorted(one.id for one in found)[:6])
        raise ValueError(f"`{text}` names {len(found)} endpoints: {names}; use one of these ids")
    place = _position(text)
    if found:
        return Party(text, endpoint=found[0].id, addresses=None if place is None else IntervalSet.of(place))
    owner = None if place is None else _owner(engine, place)
    if owner is not None and place is not None:
        return Party(text, endpoint=owner, addresses=IntervalSet.of(place))
    try:
        return Party(text, addresses=parse_cidr(text))
    except ValueError:
        pass
    near = _near(engine, text)
    tail = f"; did you mean {near}?" if near else "; `netpact show` lists the endpoints"
    raise ValueError(
        f"`{text}` is no endpoint (id, Terraform address, Name, private address), no CIDR and not `internet`{tail}"
    )


def trace(graph: RuleGraph | Engine, source: str, destination: str, services: IntervalSet | None = None) -> Trace:
    """What passes between two named parties. Raises ValueError where a name isn't one."""
    engine = engine_of(graph)
    start, end = party(engine, source), party(engine, destination)
    reach = _as_read(engine.graph, with_balancers(engine, start, end, services), services)
    return Trace(
        source,
        destination,
        ALL_SERVICES if services is None else services,
        "any" if services is None else ", ".join(render(services)),
        reach,
    )


def _as_read(graph: RuleGraph, reach: Reach, services: IntervalSet | None) -> Reach:
    """The answer as far as it holds where a part of the source couldn't be read: that part may hold anything."""
    sides = (reach.source.endpoint, reach.destination.endpoint)
    why = Unread(graph).around(*(one for one in sides if one is not None)) if graph.incomplete else ()
    if not why:
        return reach
    asked = TrafficSet.of(reach.asked or reach.allowed.may.peers(), ALL_SERVICES if services is None else services)
    allowed = Bounds.at_most(reach.allowed.may | asked)
    return replace(reach, allowed=allowed, verdict="undetermined", reasons=(*reach.reasons, *why))


def trace_json(found: Trace) -> dict[str, object]:
    """The form of design.md, section 4."""
    reach = found.reach
    unknown = [reason.sentence() for reason in reach.reasons]
    for path in reach.paths:
        if path.verdict == "undetermined":
            unknown += [reason.sentence() for reason in path.reasons]
    return {
        "schema": 1,
        "from": found.source,
        "to": found.destination,
        "service": found.service,
        "verdict": reach.verdict,
        "allowed": allowed_json(reach.allowed.must),
        "possible": allowed_json(reach.allowed.may - reach.allowed.must),
        "paths": [_path_json(path) for path in reach.paths],
        "layers": list(reach.layers),
        "unknown": list(dict.fromkeys(unknown)),
        "notes": list(reach.notes),
    }


def allowed_json(traffic: TrafficSet) -> list[dict[str, object]]:
    """`{"from": CIDR, "service", "source_ports"}` for each piece; `from` is null where the address isn't known."""
    out: list[dict[str, object]] = []
    for peers, services, source_ports in traffic.boxes():
        texts: list[str | None] = list(cidrs(peers))
        if peers - REAL:
            texts.append(None)
        ports = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in source_ports.pairs)
        out += [
            {"from": text, "service": service, "source_ports": ports} for text in texts for service in render(services)
        ]
    return out


def _path_json(path: Path) -> dict[str, object]:
    return {
        "via": path.via,
        "verdict": path.verdict,
        "source_seen": cidrs(path.source_seen)[:64],
        "destination": cidrs(path.destination)[:64],
        "hops": [_hop_json(hop) for hop in path.hops],
    }


def _hop_json(hop: Hop) -> dict[str, object]:
    return {
        "layer": hop.layer,
        "direction": hop.direction,
        "filter": hop.filter,
        "name": hop.name,
        "verdict": hop.verdict,
        "sentence": hop.sentence,
        "origin": origin_json(hop.origin),
        "rules": [
            {
                "id": rule.id,
                "name": rule.name,
                "action": rule.action.value,
                "priority": rule.priority,
                "origin": origin_json(rule.origin),
            }
            for rule in hop.rules
        ],
        "unknown": [reason.sentence() for reason in hop.reasons],
    }


def first_blocker(path: Path) -> Hop | None:
    """The first hop of a path that stops everything; None where no single one does."""
    return next((hop for hop in path.hops if hop.verdict == "blocked"), None)


def _owner(engine: Engine, place: int) -> str | None:
    """The endpoint that the Internet knows by this address."""
    for name, spots in engine.resolved.spots.items():
        if any(place in spot.public for spot in spots):
            return name
    return None


def _position(text: str) -> int | None:
    try:
        return position(text)
    except ValueError:
        return None


def _near(engine: Engine, text: str) -> str | None:
    import difflib

    names = {name for one in engine.graph.endpoints.values() for name in (one.id, one.name, *one.aliases) if name}
    close = difflib.get_close_matches(text, sorted(names)[:5000], 1, 0.7)
    return close[0] if close else None
