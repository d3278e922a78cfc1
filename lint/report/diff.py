"""Renders what changed between two sources: text for people, JSON for programs, Markdown for a pull request.

Decides nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from lint.drift.result import INTERNET, PRIVATE, CitedRule, Drift, FilterChange, ReachChange, RulePiece
from lint.graph.endpoints import Endpoint
from lint.origin import origin_json
from lint.report.markdown import MOST_BYTES, plain
from lint.report.markdown import code as code_span
from lint.report.style import Style, printable
from lint.report.words import around
from lint.space.addresses import IPV4, IPV6, PUBLIC, REAL, SYMBOLIC, address_text, cidrs, parse_cidr
from lint.space.addresses import PRIVATE as PRIVATE_ADDRESSES
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_PORTS, render
from lint.space.traffic import TrafficSet
from lint.verdict.finding import Witness
from lint.verdict.witness import packet

_PLAIN = Style(False)
_MOST_ROWS = 40  # of each kind, in text and Markdown; JSON has all
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class DiffReport:
    """A comparison and what its two sources are called."""

    old: str
    new: str
    drift: Drift


# --- JSON ------------------------------------------------------------------------------------------------------------


def render_json(report: DiffReport) -> str:
    """One JSON object, ending in a newline."""
    drift = report.drift
    document = {
        "schema": 1,
        "old": report.old,
        "new": report.new,
        "opened": [_change_json(one) for one in drift.opened],
        "closed": [_change_json(one) for one in drift.closed],
        "filters": [_filter_json(one) for one in drift.filters],
        "endpoints": {
            "added": [_endpoint_json(one) for one in drift.added],
            "removed": [_endpoint_json(one) for one in drift.removed],
            "compared": drift.compared,
        },
        "unknown": [reason.sentence() for reason in drift.unknown],
        "notes": list(drift.notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _change_json(change: ReachChange) -> dict[str, Any]:
    return {
        "from": change.source,
        "to": change.destination,
        "allowed": _allowed_json(change),
        "rules": [_rule_json(rule) for rule in change.rules],
        "causes": list(change.causes),
        "certain": change.certain,
        "unknown": [reason.sentence() for reason in change.reasons],
        "witness": _witness_json(_witness(change)),
    }


def _allowed_json(change: ReachChange) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for peers, services, ports in change.traffic.boxes():
        texts: list[str | None] = [*cidrs(peers)]
        if peers - REAL:
            texts.append(None)
        for text in texts:
            for service in render(services):
                ends = {"from": None, "to": text} if change.by_destination else {"from": text}
                out.append(ends | {"service": service, "source_ports": _ports(ports)})
    return out


def _filter_json(change: FilterChange) -> dict[str, Any]:
    return {
        "filter": change.filter,
        "name": change.name,
        "kind": change.kind,
        "direction": change.direction,
        "status": change.status,
        "opened": [each for piece in change.opened for each in _piece_json(piece)],
        "closed": [each for piece in change.closed for each in _piece_json(piece)],
        "rules": [_rule_json(rule) for rule in change.rules],
        "unknown": [reason.sentence() for reason in change.reasons]
        if any(not piece.certain for piece in (*change.opened, *change.closed))
        else [],
    }


def _piece_json(piece: RulePiece) -> Iterator[dict[str, Any]]:
    peers: list[str] = [piece.group] if piece.group is not None else cidrs(piece.addresses)
    for peer in peers:
        for service in render(piece.services):
            yield {
                "peer": peer,
                "local": piece.local,
                "service": service,
                "source_ports": _ports(piece.source_ports),
                "certain": piece.certain,
            }


def _rule_json(cited: CitedRule) -> dict[str, Any]:
    rule = cited.rule
    return {
        "side": cited.side,
        "filter": cited.filter,
        "rule": rule.name or rule.id,
        "action": rule.action.value,
        "direction": rule.direction.value,
        "address": rule.origin.address or cited.address,
        "origin": origin_json(rule.origin),
    }


def _endpoint_json(one: Endpoint) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "addresses": _addresses(one),
        "aliases": list(one.aliases),
    }


def _addresses(one: Endpoint) -> list[str | None]:
    return [address_text(a.place) if a.place < SYMBOLIC else None for a in one.addresses]


def _witness(change: ReachChange) -> Witness:
    found = change.witness
    return packet(found.source, found.destination, found.service, IntervalSet.of(found.source_port))


def _witness_json(one: Witness) -> dict[str, Any]:
    found: dict[str, Any] = {"from": one.source, "to": one.destination, "protocol": one.protocol}
    if one.port is not None:
        found |= {"port": one.port, "source_port": one.source_port}
    if one.icmp_type is not None:
        found |= {"icmp_type": one.icmp_type, "icmp_code": one.icmp_code}
    return found


def _ports(ports: IntervalSet) -> str:
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ports.pairs)


# --- rows: changes that say the same are told once --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """Changes of the same traffic by the same rules: from each of `sources` to each of `destinations`."""

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    addresses: tuple[tuple[str, str], ...]  # with the services that each is for, "" where it is for all
    services: str
    certain: bool
    rules: tuple[CitedRule, ...]
    causes: tuple[str, ...]
    unknown: tuple[str, ...]
    witness: str


def _rows(changes: Iterable[ReachChange]) -> list[_Row]:
    """First the sources of each destination are joined, then destinations with the same sources."""
    by_destination: dict[object, list[ReachChange]] = {}
    for change in changes:
        crowd = _is_crowd(change)
        parts = tuple((services, ports, None if crowd else peers) for services, ports, peers in _parts(change.traffic))
        whom = change.destination if not change.by_destination else (change.destination, parts)
        side = None if crowd else (change.source if not change.by_destination else "any")
        by_destination.setdefault((whom, side, parts, change.certain, change.rules), []).append(change)
    joined: dict[object, list[_Row]] = {}
    for group in by_destination.values():
        first = group[0]
        row = _Row(
            tuple(one.source for one in group),
            (first.destination,),
            _places_text(first),
            _services_text(first),
            first.certain,
            first.rules,
            tuple(dict.fromkeys(cause for one in group for cause in one.causes)),
            tuple(dict.fromkeys(reason.sentence() for one in group for reason in one.reasons)),
            _witness_text(_witness(first)),
        )
        joined.setdefault((row.sources, row.addresses, row.services, row.certain, row.rules), []).append(row)
    rows = []
    for several in joined.values():
        head = several[0]
        rows.append(
            replace(
                head,
                destinations=tuple(dict.fromkeys(name for row in several for name in row.destinations)),
                causes=tuple(dict.fromkeys(cause for row in several for cause in row.causes)),
                unknown=tuple(dict.fromkeys(text for row in several for text in row.unknown)),
            )
        )
    return rows


def _is_crowd(change: ReachChange) -> bool:
    """Between machines; else one side is a set of addresses."""
    return {INTERNET, PRIVATE}.isdisjoint((change.source, change.destination))


def _parts(traffic: TrafficSet) -> list[tuple[IntervalSet, IntervalSet, IntervalSet]]:
    """Services with source ports and all the addresses that they are for, each service once."""
    parts: list[tuple[IntervalSet, IntervalSet, IntervalSet]] = []
    for peers, services, ports in traffic.boxes():
        rest, refined = services, []
        for known, its_ports, whom in parts:
            shared = known & rest if its_ports == ports else EMPTY
            rest = rest - shared
            refined += [
                (piece, its_ports, who) for piece, who in ((shared, whom | peers), (known - shared, whom)) if piece
            ]
        parts = [*refined, *([(rest, ports, peers)] if rest else [])]
    joined: dict[tuple[IntervalSet, IntervalSet], IntervalSet] = {}
    for services, ports, peers in parts:
        joined[ports, peers] = joined.get((ports, peers), EMPTY) | services
    found = [(services, ports, peers) for (ports, peers), services in joined.items()]
    return sorted(found, key=lambda part: tuple(one.pairs for one in part))


def _part_text(services: IntervalSet, ports: IntervalSet) -> str:
    tail = "" if ports == ALL_PORTS else f" (source ports {_ports(ports)})"
    return _few(render(services), 8) + tail


def _services_text(change: ReachChange) -> str:
    by_ports: dict[IntervalSet, IntervalSet] = {}
    for services, ports, _ in _parts(change.traffic):
        by_ports[ports] = by_ports.get(ports, EMPTY) | services
    return "; ".join(_part_text(services, ports) for ports, services in by_ports.items())


def _places_text(change: ReachChange) -> tuple[tuple[str, str], ...]:
    """The addresses of the side that is no endpoint; nothing where the party's name says it all."""
    if _is_crowd(change):
        return ()
    parts = _parts(change.traffic)
    if len({peers for _, _, peers in parts}) == 1:
        return (("", addresses_text(parts[0][2])),)
    return tuple((_part_text(services, ports), addresses_text(peers)) for services, ports, peers in parts)


def _addresses_lines(row: _Row) -> Iterator[str]:
    """`from 10.0.0.0/8`, or for several services `tcp/22 from 10.0.0.0/8`."""
    word = "to" if row.destinations[0] in (INTERNET, PRIVATE) else "from"
    for services, addresses in row.addresses[:6]:
        yield f"{services} {word} {addresses}".lstrip()
    if len(row.addresses) > 6:
        yield f"and {len(row.addresses) - 6} more; --format json lists all"


def addresses_text(addresses: IntervalSet) -> str:
    """As a person would say it: `any address`, `every public address except 203.0.113.10/32`, or its CIDRs."""
    if not addresses:
        return "nothing"
    whole = (
        ("any address", REAL),
        ("every public address", PUBLIC),
        ("every private address", PRIVATE_ADDRESSES),
        ("0.0.0.0/0", IPV4),
        ("::/0", IPV6),
        ("every public IPv4 address", PUBLIC & IPV4),
        ("every public IPv6 address", PUBLIC & IPV6),
        ("every private IPv4 address", PRIVATE_ADDRESSES & IPV4),
    )
    real = addresses & REAL
    for text, base in whole:
        if real == base:
            return text
    texts = cidrs(real)
    if len(texts) <= 3:
        return ", ".join(texts) if texts else "an address that isn't known yet"
    nets = [(text, parse_cidr(text)) for part in (real & IPV4, real & IPV6) if part for text in around(part)]
    almost = []
    for text, base in (*whole, *(nets if real <= IPV4 or real <= IPV6 else ())):
        if real <= base and len((base - real).pairs) <= 3:
            missing = cidrs(base - real)
            almost.append((len(missing), f"{text} except {', '.join(missing)}"))
    count, text = min(almost, default=(len(texts), ""), key=lambda one: one[0])
    return text if count <= 4 and count < len(texts) and text else _few(texts, 6)


_SEGMENT = r"[^\s/`|<>),:]+"
_ARM_ID = re.compile(
    rf"/subscriptions/{_SEGMENT}/resourceGroups/({_SEGMENT})/providers/{_SEGMENT}((?:/{_SEGMENT}/{_SEGMENT})+)", re.I
)


def _shortened(text: str) -> str:
    """Without what nobody reads in the ids of Azure: `rg-app/console-nic`. JSON has them whole."""
    return _ARM_ID.sub(lambda found: "/".join([found[1], *found[2].split("/")[2::2]]), text)


def _few(texts: list[str], most: int) -> str:
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def _witness_text(one: Witness) -> str:
    service = f"{one.protocol}/{one.port}" if one.port is not None else one.protocol
    if one.icmp_type is not None:
        service = f"{one.protocol}/{one.icmp_type}/{one.icmp_code}"
    return f"{one.source or 'its address'} → {one.destination or 'its address'} {service}"


def _who(names: tuple[str, ...], known: dict[str, Endpoint]) -> str:
    return _few([_party(name, known) for name in names], _MOST_NAMED)


def _party(name: str, known: dict[str, Endpoint]) -> str:
    if name == INTERNET:
        return "the Internet"
    one = known.get(name)
    if one is None:
        return name
    text = name if one.name in ("", name) else f"{one.name} ({name})"
    return f"any machine that will carry {text}" if one.hypothetical else text


def _rule_text(cited: CitedRule) -> str:
    """`live rule sgr-1 of dr-sync-gateway (gateway.tf:28, aws_security_group.sync_gateway)`."""
    rule = cited.rule
    what = f"{rule.action.value} {rule.direction.value} of {cited.filter}"
    if rule.name and rule.name != cited.filter:
        what += f", {rule.name}"
    where = rule.origin.where()
    address = rule.origin.address or cited.address
    places = [where] + [address] * (address not in (None, where, cited.filter))
    return f"{what} ({', '.join(place for place in places if place)})"


def _piece_text(piece: RulePiece, direction: str) -> str:
    who = piece.group if piece.group is not None else addresses_text(piece.addresses)
    word = "from" if direction == "ingress" else "to"
    local = f" at {piece.local}" if piece.local is not None else ""
    ports = "" if piece.source_ports == ALL_PORTS else f" (source ports {_ports(piece.source_ports)})"
    perhaps = "" if piece.certain else ", perhaps"
    return f"{_few(render(piece.services), 8)} {word} {who}{local}{ports}{perhaps}"


# --- text ------------------------------------------------------------------------------------------------------------


def render_text(report: DiffReport, style: Style = _PLAIN) -> str:
    """What opened and closed, then rule by rule, then what couldn't be compared."""
    drift = report.drift
    known = dict(drift.endpoints)
    lines: list[str] = []
    for title, mark, colour, changes in (
        ("opened", "+", "red", drift.opened),
        ("closed", "-", "green", drift.closed),
    ):
        rows = _rows(changes)
        if rows:
            lines.append(style.paint(title, "bold", colour))
            for row in rows[:_MOST_ROWS]:
                lines += _row_lines(row, mark, colour, style, known)
            if len(rows) > _MOST_ROWS:
                lines.append(f"  and {len(rows) - _MOST_ROWS} more; --format json lists all")
            lines.append("")
    if drift.filters:
        lines.append(style.paint("rules", "bold"))
        for change in drift.filters[:_MOST_ROWS]:
            lines += _filter_lines(change, style)
        if len(drift.filters) > _MOST_ROWS:
            lines.append(f"  and {len(drift.filters) - _MOST_ROWS} more filters; --format json lists all")
        lines.append("")
    for title, ends in (("added", drift.added), ("removed", drift.removed)):
        if ends:
            lines.append(f"{_perhaps(drift, title)}: {printable(_few([_party(one.id, known) for one in ends], 10))}")
    lines += [
        style.paint(f"unknown: {printable(reason.sentence())}", "yellow") for reason in drift.unknown[:_MOST_ROWS]
    ]
    lines += [style.paint(f"note: {printable(note)}", "dim") for note in drift.notes]
    lines.append(printable(summary(report)))
    return _shortened("\n".join(lines)) + "\n"


def _perhaps(drift: Drift, title: str) -> str:
    """What one source alone shows may be in the other one, where not everything could be read."""
    return f"perhaps {title}" if drift.blind else title


def summary(report: DiffReport) -> str:
    """The last line: what there is in one sentence."""
    drift = report.drift
    if drift.empty:
        found = "no change"
        if drift.unknown:
            found += " in what could be compared" if drift.doubtful else ""
    else:
        counts = (
            (len(drift.opened), "opened"),
            (len(drift.closed), "closed"),
            (len(drift.filters), "filters with other rules" if len(drift.filters) != 1 else "filter with other rules"),
            (len(drift.added), "added"),
            (len(drift.removed), "removed"),
        )
        found = ", ".join(f"{count} {what}" for count, what in counts if count)
        found += ", not all could be compared" if drift.doubtful else ""
    count = f"{drift.compared} endpoint{'s' * (drift.compared != 1)} compared"
    return f"{found}: {report.old} → {report.new}, {count}"


def _row_lines(row: _Row, mark: str, colour: str, style: Style, known: dict[str, Endpoint]) -> Iterator[str]:
    perhaps = "" if row.certain else " (perhaps)"
    head = f"{_who(row.sources, known)} → {_who(row.destinations, known)}: {row.services}{perhaps}"
    yield f"  {style.paint(mark, colour)} {printable(head)}"
    for text in _addresses_lines(row):
        yield f"      {printable(text)}"
    for cited in row.rules[:6]:
        yield (
            f"      {'by' if mark == '+' else 'was by'} {printable(_rule_text(cited))}"
            if _speaks(cited, mark)
            else f"      {'no longer' if mark == '+' else 'now'} {printable(_rule_text(cited))}"
        )
    if len(row.rules) > 6:
        yield f"      and {len(row.rules) - 6} more rules"
    for text in row.causes[:3]:
        yield f"      because {printable(text)}"
    if len(row.causes) > 3:
        yield f"      and {len(row.causes) - 3} more such causes"
    for text in row.unknown[:3]:
        yield style.paint(f"      unknown: {printable(text)}", "yellow")
    yield style.paint(f"      such as {printable(row.witness)}", "dim")


def _speaks(cited: CitedRule, mark: str) -> bool:
    """Whether a rule lets the traffic through in the source that does, or holds it back in the other one."""
    return (cited.side == "new") == (mark == "+")


def _filter_lines(change: FilterChange, style: Style) -> Iterator[str]:
    status = "" if change.status == "changed" else f" ({change.status})"
    name = change.filter if change.name in ("", change.filter) else f"{change.filter} ({change.name})"
    yield f"  {printable(name)} {change.direction}{status}"
    for mark, colour, pieces in (("+", "red", change.opened), ("-", "green", change.closed)):
        for piece in pieces[:10]:
            yield f"    {style.paint(mark, colour)} {printable(_piece_text(piece, change.direction))}"
        if len(pieces) > 10:
            yield f"    and {len(pieces) - 10} more"
    for cited in change.rules[:8]:
        yield style.paint(f"      {cited.side}: {printable(_rule_text(cited))}", "dim")


# --- Markdown --------------------------------------------------------------------------------------------------------


def render_markdown(report: DiffReport) -> str:
    """For a pull-request comment: a table of what opened and closed, the rules folded, cut below GitHub's limits."""
    drift = report.drift
    known = dict(drift.endpoints)
    text = f"## netpact diff\n\n{plain(summary(report))}\n"
    left = 0
    for title, changes in (("🔓 Opened", drift.opened), ("🔒 Closed", drift.closed)):
        rows = _rows(changes)
        if not rows:
            continue
        text += f"\n### {title}\n\n| from → to | service | addresses | rules and causes |\n| --- | --- | --- | --- |\n"
        for at, row in enumerate(rows):
            line = _markdown_row(row, known)
            if at >= _MOST_ROWS or len((text + line).encode()) > MOST_BYTES // 2:
                left += len(rows) - at
                break
            text += line
    for change in drift.filters:
        block = _markdown_filter(change)
        if len((text + block).encode()) > MOST_BYTES - 4000:
            left += 1
            continue
        text += block
    for title, ends in (("added", drift.added), ("removed", drift.removed)):
        if ends:
            text += (
                f"\n{_perhaps(drift, title).capitalize()}: {plain(_few([_party(one.id, known) for one in ends], 10))}\n"
            )
    said = [f"unknown: {reason.sentence()}" for reason in drift.unknown] + list(drift.notes)
    for one in said[:10]:
        text += f"\n- {plain(one[:300])}"
    if left:
        text += f"\n\n…and {left} more; `netpact diff --format json` lists all.\n"
    return _shortened(text).rstrip("\n") + "\n"


def _markdown_row(row: _Row, known: dict[str, Endpoint]) -> str:
    perhaps = "" if row.certain else " (perhaps)"
    ends = f"{_who(row.sources, known)} → {_who(row.destinations, known)}"
    rules = list(dict.fromkeys(f"{cited.side}: {_markdown_rule(cited)}" for cited in row.rules))
    why = rules[:3]
    if len(rules) > 3:
        why.append(f"{len(rules) - 3} more rules")
    why += [plain(text) for text in (*row.causes[:2], *row.unknown[:2])]
    addresses = "<br>".join(plain(text) for text in _addresses_lines(row))
    cells = (plain(ends[:600]), plain(row.services + perhaps), addresses, "<br>".join(why))
    return "| " + " | ".join(cells) + " |\n"


def _markdown_rule(cited: CitedRule) -> str:
    rule = cited.rule
    address = rule.origin.address or cited.address
    places = [rule.origin.where()] + [address] * (address is not None and rule.origin.file is None)
    where = " ".join(code_span(place).replace("|", "\\|") for place in places if place)
    name = f"{cited.filter}, {rule.name}" if rule.name and rule.name != cited.filter else cited.filter
    return f"{plain(rule.action.value)} in {plain(name)} {where}"


def _markdown_filter(change: FilterChange) -> str:
    lines = [
        "",
        "<details>",
        f"<summary>{plain(change.name or change.filter)} {change.direction} ({change.status})</summary>",
        "",
    ]
    for mark, pieces in (("+", change.opened), ("−", change.closed)):
        lines += [f"- {mark} {plain(_piece_text(piece, change.direction))}" for piece in pieces[:10]]
        if len(pieces) > 10:
            lines.append(f"- {mark} …and {len(pieces) - 10} more")
    lines += dict.fromkeys(f"- {cited.side}: {_markdown_rule(cited)}" for cited in change.rules[:8])
    return "\n".join([*lines, "", "</details>", ""])
