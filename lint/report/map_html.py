"""A map of who can reach whom as one HTML page: no scripts, nothing fetched, readable in a browser and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lint.graph.endpoints import Endpoint
from lint.reach.atlas import INTERNET, Atlas, Edge
from lint.report.html import escape
from lint.report.map import by_traffic
from lint.space.addresses import SYMBOLIC, address_text
from lint.space.intervals import IntervalSet
from lint.space.services import render

_MOST_COLUMNS = 12  # a wider table is read in no browser and on no paper
_MOST_ROWS = 2000  # of one table; a page that no browser opens helps nobody
_MOST_NAMED = 6
_MOST_SERVICES = 24

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8881; --open: #c62828; --perhaps: #b26700; }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; } p { margin: .3rem 0; }
.lead, .note { opacity: .75; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border: 1px solid var(--line); }
th, td { overflow-wrap: anywhere; }
thead th { background: var(--soft); font-weight: 600; } tbody th { font-weight: 600; width: 22rem; }
.matrix th, .matrix td { width: auto; min-width: 6.5rem; font-size: .88rem; } .matrix .same { background: var(--soft); }
.matrix td:empty { background: repeating-linear-gradient(45deg, transparent 0 6px, var(--soft) 6px 7px); }
.id { display: block; font: .8rem/1.35 ui-monospace, monospace; font-weight: 400; opacity: .75; }
.service { display: inline-block; font: .85rem/1.5 ui-monospace, monospace; border: 1px solid var(--line);
  border-radius: .3rem; padding: 0 .35rem; margin: 0 .2rem .2rem 0; }
.internet .service { border-color: var(--open); color: var(--open); }
.service.perhaps { border-style: dashed; border-color: var(--perhaps); color: var(--perhaps); }
tr { break-inside: avoid; } h2 { break-after: avoid; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; } .scroll { overflow: visible; } }
@page { margin: 14mm; size: landscape; }
"""


@dataclass(frozen=True, slots=True)
class _Names:
    """What parties are called."""

    endpoints: dict[str, Endpoint]

    def label(self, party: tuple[str, ...]) -> str:
        """A party in one cell: a name and an id for each endpoint."""
        if party == (INTERNET,):
            return "the Internet"
        parts = [self._one(name) for name in party[:_MOST_NAMED]]
        if len(party) > _MOST_NAMED:
            parts.append(f'<span class="id">and {len(party) - _MOST_NAMED} more</span>')
        return "".join(parts)

    def short(self, party: tuple[str, ...]) -> str:
        """A party as the head of a column."""
        if party == (INTERNET,):
            return "the Internet"
        one = self.endpoints.get(party[0])
        text = escape(one.name if one is not None and one.name else party[0])
        return text + (f" <small>and {len(party) - 1} more</small>" if len(party) > 1 else "")

    def _one(self, name: str) -> str:
        known = self.endpoints.get(name)
        if known is None or known.name in ("", name):
            return f"<span>{escape(name)}</span> "
        if known.hypothetical:
            return f'<span>any carrier of {escape(known.name)}</span><span class="id">{escape(name)}</span>'
        return f'<span>{escape(known.name)}</span><span class="id">{escape(name)}</span>'


def render_html(atlas: Atlas) -> str:
    """The page: what the Internet reaches, a matrix where it fits, who reaches each endpoint, and the endpoints."""
    names = _Names({one.id: one for one in atlas.endpoints})
    inward = [edge for edge in atlas.edges if edge.sources == (INTERNET,)]
    outward = [edge for edge in atlas.edges if edge.destinations == (INTERNET,)]
    inside = [edge for edge in atlas.edges if INTERNET not in (*edge.sources[:1], *edge.destinations[:1])]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>netpact map</title><style>{_STYLE}</style></head><body>",
        "<h1>Who can reach whom</h1>",
        f'<p class="lead">{_lead(atlas)}</p>',
        "<h2>From the Internet</h2>",
        *_listing(inward, names, "reached", "by at least one public address, with", sources=False, css="internet"),
        *_matrix(inside, names),
        "<h2>Among each other</h2>",
        *_inside(inside, names),
        "<h2>To the Internet</h2>",
        *_listing(outward, names, "from", "reaches at least one public address with", sources=True, css=""),
        "<h2>Endpoints</h2>",
        *_endpoints(atlas),
        *(f'<p class="note">More may pass: {escape(reason.sentence())}</p>' for reason in atlas.unknown),
        '<p class="note">Dashed: may pass, what decides it isn’t known. Endpoints that no filter tells apart '
        "share a row.</p>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _lead(atlas: Atlas) -> str:
    count = len(atlas.endpoints)
    text = f"{count} endpoint{'s' * (count != 1)} of {atlas.classes} kind{'s' * (atlas.classes != 1)}"
    judged = ", ".join(escape(layer.replace("_", " ")) for layer in atlas.layers)
    return text + (f"; judged: {judged}" if judged else "")


def _listing(edges: list[Edge], names: _Names, head: str, what: str, *, sources: bool, css: str) -> Iterator[str]:
    if not edges:
        yield "<p>Nothing passes.</p>"
        return
    yield f'<table class="{css}"><thead><tr><th>{head}</th><th>{what}</th></tr></thead><tbody>'
    for edge in edges[:_MOST_ROWS]:
        party = edge.sources if sources else edge.destinations
        yield f"<tr><th>{names.label(party)}</th><td>{_services(edge.allowed, edge.possible)}</td></tr>"
    yield "</tbody></table>"
    yield from _rest(len(edges))


def _matrix(edges: list[Edge], names: _Names) -> Iterator[str]:
    """Rows send, columns receive; only where it can be read."""
    rows = list(dict.fromkeys(edge.sources for edge in edges))
    columns = list(dict.fromkeys(edge.destinations for edge in edges))
    if not 2 <= len(columns) <= _MOST_COLUMNS or len(rows) > 4 * _MOST_COLUMNS:
        return
    cells = {(edge.sources, edge.destinations): edge for edge in edges}
    yield "<h2>Matrix</h2>"
    yield '<div class="scroll"><table class="matrix"><thead><tr><th>from ↓ to →</th>'
    yield "".join(f"<th>{names.short(column)}</th>" for column in columns) + "</tr></thead><tbody>"
    for row in rows:
        line = [f"<tr><th>{names.short(row)}</th>"]
        for column in columns:
            edge = cells.get((row, column))
            if edge is not None:
                line.append(f"<td>{_services(edge.allowed, edge.possible, 6)}</td>")
            else:
                line.append('<td class="same">itself</td>' if row == column and len(row) == 1 else "<td></td>")
        yield "".join(line) + "</tr>"
    yield "</tbody></table></div>"


def _inside(edges: list[Edge], names: _Names) -> Iterator[str]:
    if not edges:
        yield "<p>Nothing passes.</p>"
        return
    rows = 0
    yield "<table><thead><tr><th>reached</th><th>by</th><th>with</th></tr></thead><tbody>"
    for destinations, found in by_traffic(edges).items():
        rows += len(found)
        if rows > _MOST_ROWS:
            continue
        for at, (sources, passing) in enumerate(found):
            head = f'<th rowspan="{len(found)}">{names.label(destinations)}</th>' if at == 0 else ""
            yield f"<tr>{head}<td>{names.label(sources)}</td><td>{_services(*passing)}</td></tr>"
    yield "</tbody></table>"
    yield from _rest(rows)


def _endpoints(atlas: Atlas) -> Iterator[str]:
    if not atlas.endpoints:
        yield "<p>The source has none.</p>"
        return
    yield "<table><thead><tr><th>name</th><th>id</th><th>kind</th><th>addresses</th></tr></thead><tbody>"
    for one in atlas.endpoints[:_MOST_ROWS]:
        addresses = [address_text(a.place) if a.place < SYMBOLIC else "not known yet" for a in one.addresses]
        kind = "group without machines" if one.hypothetical else one.kind.replace("_", " ")
        yield (
            f"<tr><td>{escape(one.name)}</td><td>{escape(one.id)}</td><td>{escape(kind)}</td>"
            f"<td>{escape(', '.join(dict.fromkeys(addresses)))}</td></tr>"
        )
    yield "</tbody></table>"
    yield from _rest(len(atlas.endpoints))


def _rest(count: int) -> Iterator[str]:
    if count > _MOST_ROWS:
        yield f'<p class="note">and {count - _MOST_ROWS} more rows; netpact map --format json has all</p>'


def _services(allowed: IntervalSet, possible: IntervalSet, most: int = _MOST_SERVICES) -> str:
    parts = []
    for css, texts in (("service", render(allowed)), ("service perhaps", render(possible - allowed))):
        parts += [f'<span class="{css}">{escape(text)}</span>' for text in texts[:most]]
        if len(texts) > most:
            parts.append(f'<span class="{css}">and {len(texts) - most} more</span>')
    return "".join(parts)
