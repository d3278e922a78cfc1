"""Renders a map of who can reach whom: text, JSON, DOT. Decides nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

from lint.graph.endpoints import Endpoint
from lint.reach.atlas import INTERNET, Atlas, Edge, edge_json, endpoints_json
from lint.report.style import Style, printable
from lint.space.intervals import IntervalSet
from lint.space.services import render

Parties = tuple[str, ...]
Passing = tuple[IntervalSet, IntervalSet]  # services that certainly pass, and those that may

_PLAIN = Style(False)
_MOST_NAMED = 6


def render_json(atlas: Atlas) -> str:
    """One JSON object, ending in a newline; one line for each pair, since there can be millions."""
    endpoints = ",\n".join(json.dumps(one, ensure_ascii=False) for one in endpoints_json(atlas))
    edges = ",\n".join(line for edge in atlas.edges for line in _edge_lines(edge))
    layers = json.dumps(list(atlas.layers))
    unknown = json.dumps([reason.sentence() for reason in atlas.unknown], ensure_ascii=False)
    tail = f'"layers": {layers},\n"unknown": {unknown}'
    return f'{{"schema": 1,\n"endpoints": [\n{endpoints}\n],\n"edges": [\n{edges}\n],\n{tail}}}\n'


def _edge_lines(edge: Edge) -> Iterator[str]:
    """What `edge_json` gives, with the shared part written once."""
    tail = ""
    for entry in edge_json(edge):
        if not tail:
            shared = {name: value for name, value in entry.items() if name not in ("from", "to")}
            tail = json.dumps(shared, ensure_ascii=False)[1:]
        yield f'{{"from": {json.dumps(entry["from"])}, "to": {json.dumps(entry["to"])}, {tail}'


def render_text(atlas: Atlas, style: Style = _PLAIN) -> str:
    """For each destination, who reaches it with what; endpoints that share their filters stand together."""
    names = _names(atlas)
    lines: list[str] = []
    grouped = by_traffic(atlas.edges)
    for destinations, found in grouped.items():
        lines.append(style.paint(_all(destinations, names), "bold"))
        lines += [f"  from {_all(sources, names)}: {_what(*passing)}" for sources, passing in found]
        lines.append("")
    for reason in atlas.unknown:
        lines.append(f"{style.paint('more may pass:', 'yellow')} {printable(reason.sentence())}")
    parties = len(atlas.endpoints)
    lines.append(
        f"{parties} endpoints of {atlas.classes} kinds, {len(grouped)} groups of destinations reached"
        + (f"; judged: {', '.join(atlas.layers)}" if atlas.layers else "")
    )
    return "\n".join(lines) + "\n"


def by_traffic(edges: Iterable[Edge]) -> dict[Parties, list[tuple[Parties, Passing]]]:
    """For each destination, who sends what: machines with the same traffic together, the Internet by itself."""
    grouped: dict[Parties, dict[tuple[bool, Passing], list[str]]] = defaultdict(dict)
    for edge in edges:
        key = (edge.sources == (INTERNET,), (edge.allowed, edge.possible))
        grouped[edge.destinations].setdefault(key, []).extend(edge.sources)
    return {
        destinations: [(tuple(sources), passing) for (_, passing), sources in found.items()]
        for destinations, found in grouped.items()
    }


def render_dot(atlas: Atlas) -> str:
    """A Graphviz graph: one node for endpoints that share their filters, an edge for what passes (dashed: may pass)."""
    names = _names(atlas)
    lines = ["digraph map {", "  rankdir=LR;", "  node [shape=box];"]
    ids: dict[tuple[str, ...], str] = {}
    for edge in atlas.edges:
        for side in (edge.sources, edge.destinations):
            if side not in ids:
                ids[side] = f"n{len(ids)}"
                shape = ", shape=ellipse" if side == (INTERNET,) else ""
                lines.append(f"  {ids[side]} [label={_quoted(_all(side, names))}{shape}];")
        dashed = "" if edge.allowed else ", style=dashed"
        label = _quoted(_what(edge.allowed, edge.possible))
        lines.append(f"  {ids[edge.sources]} -> {ids[edge.destinations]} [label={label}{dashed}];")
    return "\n".join([*lines, "}"]) + "\n"


def _names(atlas: Atlas) -> dict[str, Endpoint]:
    return {one.id: one for one in atlas.endpoints}


def _all(ids: Parties, names: dict[str, Endpoint]) -> str:
    texts = []
    for one in ids[:_MOST_NAMED]:
        known = names.get(one)
        text = one if known is None or known.name in ("", one) else f"{known.name} ({one})"
        texts.append(printable(f"any carrier of {text}" if known is not None and known.hypothetical else text))
    return ", ".join(texts) + (f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else "")


def _what(allowed: IntervalSet, possible: IntervalSet) -> str:
    parts = []
    if allowed:
        parts.append(_few(render(allowed)))
    rest = possible - allowed
    if rest:
        parts.append(f"perhaps {_few(render(rest))}")
    return "; ".join(parts)


def _few(texts: list[str]) -> str:
    return ", ".join(texts[:10]) + (f" and {len(texts) - 10} more" if len(texts) > 10 else "")


def _quoted(text: str) -> str:
    clean = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{clean}"'
