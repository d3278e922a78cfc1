"""Writes a proposed project file: YAML that `lint.project` accepts, with a comment for each choice. Reads no source."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lint.graph.graph import RuleGraph
from lint.packs.model import Flow, Pack, Role
from lint.propose.evidence import ADDRESS, GROUP, NAME, PORT, TAG, Evidence, PackEvidence, RoleEvidence, rank

_FEW = 2
_MOST_NAMED = 12  # endpoints that a comment names one by one


@dataclass(frozen=True, slots=True)
class Proposal:
    """The file's text, the packs that it applies, and what to say beside it.

    `text` is empty where nothing speaks for any pack.
    """

    text: str
    packs: tuple[str, ...]
    said: tuple[str, ...]


def propose(
    graph: RuleGraph,
    packs: Mapping[str, Pack],
    sources: Sequence[str],
    wanted: Collection[str] = (),
    own_packs: Sequence[str] = (),
) -> Proposal:
    """A project file for this graph. `wanted`: packs to apply whatever speaks for them; else those with evidence.

    `sources` and `own_packs` are written into the file as they are.
    """
    ranked = rank(graph, packs)
    chosen, others = _choose(ranked, wanted)
    if not chosen:
        known = "\n".join(f"  {one.pack.id}  {one.pack.title}" for one in sorted(ranked, key=lambda e: e.pack.id))
        nothing = "no name, tag or open port speaks for any pack; name the one that is meant with --pack:"
        return Proposal("", (), (f"{nothing}\n{known}",))
    lines = [
        "# Proposed by `netpact init` from names, tags and open ports. Read every line:",
        "# a name only suggests what a machine is for.",
        "version: 1",
        f"sources: [{', '.join(map(quoted, sources))}]",
    ]
    if own_packs:
        lines.append(f"packs: [{', '.join(map(quoted, own_packs))}]")
    lines.append("deployments:")
    names: set[str] = set()
    for one in chosen:
        name = _free(one.pack.id.rpartition("/")[2], names)
        lines += _deployment(name, one, graph)
    for one in others:
        lines.append(f"# {_plain(one.pack.id)} fits less well: {_plain(_speaks(one))}")
    said = tuple(f"{one.pack.id}: {_speaks(one)}" for one in chosen)
    return Proposal("\n".join(lines) + "\n", tuple(one.pack.id for one in chosen), said)


def _choose(ranked: tuple[PackEvidence, ...], wanted: Collection[str]) -> tuple[list[PackEvidence], list[PackEvidence]]:
    """The packs to propose, and those whose evidence another one explains better."""
    if wanted:
        return [one for one in ranked if one.pack.id in wanted], []
    chosen: list[PackEvidence] = []
    others: list[PackEvidence] = []
    explained: set[object] = set()
    for one in ranked:
        if one.score == 0:
            continue
        mine: set[object] = {*one.endpoints(), *((port.service, port.filter) for port in one.ports)}
        if mine <= explained:
            others.append(one)
            continue
        # A pack of the same vendor for another way to deploy shares most of its signs with the better one.
        rival = next((other for other in chosen if _vendor(other.pack) == _vendor(one.pack)), None)
        if rival is not None and rival.score > one.score:
            others.append(one)
            continue
        chosen.append(one)
        explained |= mine
    return chosen, others


def _vendor(pack: Pack) -> str:
    return pack.id.partition("/")[0]


def _speaks(one: PackEvidence) -> str:
    """What speaks for a pack, in a few words."""
    parts = []
    bound = [role for role in one.roles if role.found]
    if bound:
        count = len(one.endpoints())
        parts.append(
            f"{count} endpoint{'s' * (count != 1)} in the role{'s' * (len(bound) != 1)} "
            + ", ".join(role.role.name for role in bound)
        )
    ports = list(dict.fromkeys(port.service for port in one.ports))
    if ports:
        parts.append(f"its own ports are open: {', '.join(ports)}")
    return "; ".join(parts) or "nothing was found, it was asked for"


def _deployment(name: str, one: PackEvidence, graph: RuleGraph) -> Iterator[str]:
    pack = one.pack
    yield f"  {name}:"
    yield f"    # {_plain(pack.title)}"
    yield f"    # {_plain(_speaks(one))}"
    for port in one.ports[:_MOST_NAMED]:
        yield f"    #   {port.service} in {_plain(port.filter)} ({_plain(port.origin.where())})"
    yield f"    pack: {quoted(pack.id)}"
    yield from _variants(one)
    if pack.phases:
        yield f"    # Its phases are {_plain(_listed(pack.phases))}."
        if pack.default_phase is not None:
            yield f"    phase: {quoted(pack.default_phase)}"
    yield from _parameters(pack, graph)
    found = [role for role in one.roles if role.found]
    yield "    roles:" if found else "    roles: {}"
    for role in found:
        yield from _role(role)
    missing = [role.role for role in one.roles if not role.found]
    if missing:
        yield "    # Nothing in the source speaks for these roles. Bind those that you have, in the form of the others;"
        yield "    # whoever is outside of the source is bound by addresses: [{addresses: [203.0.113.10/32]}]"
        for each in missing:
            yield from _missing(each)


def _variants(one: PackEvidence) -> Iterator[str]:
    pack = one.pack
    if not pack.variants:
        return
    bound = {role.role.name for role in one.roles if role.found and not role.role.shared}
    pointed = {name for role in bound for name in _pointing(pack, role)}
    fitting = [name for name, _ in pack.variants if name in pointed]
    for name, meaning in pack.variants:
        yield f"    # variant {_plain(name)}: {_plain(meaning)}"
    if len(fitting) > 1:
        yield "    # Keep those that you use."
    if not fitting:
        yield "    # No role that is found points to one of them, so all stand here; keep those that you use."
        fitting = [name for name, _ in pack.variants]
    yield f"    variants: [{', '.join(map(quoted, fitting))}]"


def _pointing(pack: Pack, role: str) -> set[str]:
    """The few variants whose flows name a role; none where a flow of all variants does."""
    flows = [flow for flow in pack.flows if role in _parties(flow)]
    named = {name for flow in flows for name in flow.variants}
    everywhere = any(not flow.variants for flow in flows) or len(named) == len(pack.variants)
    return set() if everywhere or len(named) > _FEW else named


def _parties(flow: Flow) -> tuple[str, ...]:
    return flow.sources + flow.destinations


def _parameters(pack: Pack, graph: RuleGraph) -> Iterator[str]:
    regions = sorted({one.region for one in graph.endpoints.values() if one.region})
    known = {"region": regions[0]} if len(regions) == 1 else {}
    given = [(name, known[name]) for name, _ in pack.parameters if name in known]
    if given:
        yield f"    parameters: {{{', '.join(f'{name}: {quoted(value)}' for name, value in given)}}}"
    for name, meaning in pack.parameters:
        if name not in known:
            yield f"    # parameter {_plain(name)}: {_plain(meaning)}; give it as parameters: {{{_plain(name)}: ...}}"


def _role(one: RoleEvidence) -> Iterator[str]:
    yield f"      # {_plain(one.role.title)}"
    said = Counter(f"{evidence.endpoint.name or evidence.endpoint.id}: {evidence.why}" for evidence in one.found)
    for text, times in list(said.items())[:_MOST_NAMED]:
        yield f"      #   {_plain(text)}" + (f" ({times} of them)" if times > 1 else "")
    if len(said) > _MOST_NAMED:
        yield f"      #   and {sum(list(said.values())[_MOST_NAMED:])} more"
    yield f"      {quoted(one.role.name)}:"
    yield from (f"        - {{{selector}}}" for selector in _selectors(one.found))


def _selectors(found: Sequence[Evidence]) -> Iterator[str]:
    """The fewest selectors that take them: one for each tag, one for all names, groups and addresses."""
    for tag in dict.fromkeys(one.value for one in found if one.kind == TAG):
        yield f"tags: {{{quoted(tag[0])}: {quoted(tag[1])}}}"
    for kinds, key in (((NAME,), "names"), ((GROUP,), "security_groups"), ((ADDRESS,), "terraform")):
        values = list(dict.fromkeys(one.value[0] for one in found if one.kind in kinds))
        if values:
            yield f"{key}: [{', '.join(map(quoted, values))}]"
    alone = [one for one in found if one.kind == PORT]
    for key, known in (("terraform", True), ("ids", False)):
        values = [one.value[0] for one in alone if (one.endpoint.origin.address == one.value[0]) is known]
        if values:
            yield f"{key}: [{', '.join(map(quoted, values))}]"


def _missing(role: Role) -> Iterator[str]:
    where = (
        "created and guarded by the vendor's platform"
        if role.managed
        else {
            "vendor": "run by the vendor",
            "customer": "on the customer's side",
            "cloud": "in the target cloud",
        }.get(role.lives, "")
    )
    yield f"    #   {_plain(role.name)}: {_plain(role.title)}" + (f" ({where})" if where else "")
    if role.hosts:
        yield f"    #     the document names {_plain(', '.join(role.hosts))}"
    if role.default_addresses:
        yield f"    #     {_plain(', '.join(role.default_addresses))} stand for it unless you bind it"


def _free(name: str, taken: set[str]) -> str:
    """A name for the deployment that no other one has."""
    clean = re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip("._-") or "deployment"
    found, count = clean, 1
    while found in taken:
        count += 1
        found = f"{clean}-{count}"
    taken.add(found)
    return found


def _listed(named: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {meaning}" for name, meaning in named)


def _plain(text: str) -> str:
    """Text inside a comment: one line, nothing that ends it."""
    flat = " ".join(text.split())
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in flat)


def quoted(text: str) -> str:
    """A YAML string of any text, on one line."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", text) and text.casefold() not in _WORDS:
        return text
    if text.isprintable() and '"' in text and "'" not in text:
        return f"'{text}'"
    out = []
    for c in text:
        if c in '"\\':
            out.append(f"\\{c}")
        elif c.isprintable():
            out.append(c)
        else:
            out.append(
                f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" if ord(c) < 65536 else f"\\U{ord(c):08x}"
            )
    return f'"{"".join(out)}"'


_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def relative_source(text: str, directory: Path) -> str:
    """A SOURCE as a project file in `directory` names it; a live account is nowhere."""
    kind, colon, rest = text.partition(":")
    if colon and kind in ("aws", "azure"):
        return text
    if colon and kind in ("terraform", "plan", "state", "dump", "snapshot"):
        return f"{kind}:{Path(os.path.relpath(rest or '.', directory)).as_posix()}"
    return Path(os.path.relpath(text, directory)).as_posix()
