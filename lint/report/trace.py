"""Renders a trace: text for people, JSON for programs, DOT for pictures. Decides nothing."""

from __future__ import annotations

import json

from lint.reach.result import Hop, Path
from lint.reach.trace import Trace, first_blocker, trace_json
from lint.report.style import Style, printable
from lint.report.words import as_few
from lint.space.addresses import REAL, cidrs
from lint.space.services import ALL_PORTS, render
from lint.space.traffic import TrafficSet

_PLAIN = Style(False)
_MARKS = {"allowed": "✓", "blocked": "✗", "partial": "~", "undetermined": "?"}
_COLOURS = {"allowed": "green", "blocked": "red", "partial": "yellow", "undetermined": "yellow"}
_MOST_PATHS = 12


def render_json(found: Trace) -> str:
    """One JSON object, ending in a newline."""
    return json.dumps(trace_json(found), indent=2, ensure_ascii=False) + "\n"


def render_text(found: Trace, style: Style = _PLAIN) -> str:
    """The verdict, the exact traffic, and each path hop by hop."""
    reach = found.reach
    verdict = style.paint(reach.verdict, _COLOURS.get(reach.verdict, "yellow"), "bold")
    lines = [f"{printable(found.source)} -> {printable(found.destination)}, {found.service}: {verdict}"]
    lines += _traffic("passes", reach.allowed.must)
    lines += _traffic("may pass", reach.allowed.may - reach.allowed.must)
    ways = list(dict.fromkeys("\n".join(_path(path, style)) for path in reach.paths))  # many differ by addresses alone
    for way in ways[:_MOST_PATHS]:
        lines += ["", way]
    if len(ways) > _MOST_PATHS:
        lines.append(f"  and {len(ways) - _MOST_PATHS} more ways like these")
    held = [reach.reasons, *(path.reasons for path in reach.paths if path.verdict == "undetermined")]
    unknown = dict.fromkeys(reason.sentence() for reasons in held for reason in reasons)
    if unknown:
        lines += ["", "unknown:", *(f"  {printable(text)}" for text in unknown)]
    if reach.notes:
        lines += ["", *(f"note: {printable(text)}" for text in reach.notes)]
    if reach.layers:
        lines += ["", style.paint(f"judged: {', '.join(reach.layers)}", "dim")]
    return "\n".join(lines) + "\n"


def render_dot(found: Trace) -> str:
    """A Graphviz graph: one chain of components for each path."""
    lines = ["digraph trace {", "  rankdir=LR;", "  node [shape=box];"]
    start, end = _quoted(found.source), _quoted(found.destination)
    for number, path in enumerate(found.reach.paths[:_MOST_PATHS]):
        before = start
        for at, hop in enumerate(path.hops):
            name = _quoted(f"{number}.{at}")
            label = _quoted(f"{hop.layer} {hop.direction}".strip(), hop.name)
            colour = {"allowed": "darkgreen", "blocked": "red"}.get(hop.verdict, "orange")
            lines.append(f"  {name} [label={label}, color={colour}];")
            lines.append(f"  {before} -> {name};")
            before = name
        lines.append(f"  {before} -> {end} [label={_quoted(f'{path.via}: {path.verdict}')}];")
    return "\n".join([*lines, "}"]) + "\n"


def _traffic(word: str, traffic: TrafficSet) -> list[str]:
    lines = []
    for peers, services, source_ports in traffic.boxes():
        texts = list(as_few(tuple(cidrs(peers))))
        if peers - REAL:
            texts.append("an address that isn't known yet")
        who = ", ".join(texts[:6]) + (f" and {len(texts) - 6} more" if len(texts) > 6 else "")
        what = ", ".join(render(services)[:8])
        ports = ""
        if source_ports != ALL_PORTS:
            ports = (
                f" from source port {', '.join(f'{a}-{b}' if a != b else str(a) for a, b in source_ports.pairs[:6])}"
            )
        lines.append(f"  {word}: {what} from {who}{ports}")
    return lines


def _path(path: Path, style: Style) -> list[str]:
    seen = cidrs(path.source_seen)
    over = f"{path.via} path" if path.via in ("private", "public") else path.via
    towards = cidrs(path.destination)
    sides = f" {seen[0]} -> {towards[0]}" if len(seen) == 1 and len(towards) == 1 else ""
    lines = [f"{over}{sides}: {style.paint(path.verdict, _COLOURS.get(path.verdict, 'yellow'))}"]
    lines += [_hop(hop, style) for hop in path.hops]
    blocker = first_blocker(path)
    if blocker is not None:
        lines.append(f"  stopped first by: {printable(blocker.sentence)}")
    elif path.verdict == "blocked":
        lines.append("  each component passes something, and together they share nothing")
    return lines


def _hop(hop: Hop, style: Style) -> str:
    mark = style.paint(_MARKS.get(hop.verdict, "?"), _COLOURS.get(hop.verdict, "yellow"))
    where = f"{hop.layer.replace('_', ' ')} {hop.direction}".strip()
    return f"  {mark} {where}: {printable(hop.sentence)}"


def _quoted(*lines: str) -> str:
    clean = [printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines if line]
    return '"' + "\\n".join(clean) + '"'
