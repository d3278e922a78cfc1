"""What all rooms of the verdict share while one deployment is judged: its graph, names, roles, and how a finding is
begun."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lint.graph.endpoints import Endpoint
from lint.packs.model import Flow, Pack
from lint.space.intervals import EMPTY, IntervalSet
from lint.verdict.asking import Asking
from lint.verdict.bind import Bound
from lint.verdict.finding import Document, Finding, Side
from lint.verdict.fingerprint import fingerprint
from lint.verdict.names import Names, known_addresses, single_cidrs
from lint.verdict.parties import Machine, Party
from lint.verdict.severity import severity


@dataclass(frozen=True, slots=True)
class Scene:
    """One deployment under judgement. `strictness` as the project file names it; `source` is what the user wrote as
    SOURCE."""

    deployment: str
    pack: Pack
    strictness: str
    roles: Mapping[str, Bound]
    flows: tuple[Flow, ...]  # the active ones
    asking: Asking
    names: Names
    source: str = "."
    among: frozenset[str] = frozenset()  # the endpoints that are asked about, by name; empty: all

    def meant(self, found: tuple[Party, ...]) -> tuple[Party, ...]:
        """Those of a role's parties that are asked about; all of them where none is named."""
        kept = tuple(p for p in found if not isinstance(p, Machine) or self.names.endpoint(p.endpoint) in self.among)
        return (kept or found) if self.among else found

    def side(self, role: str | None, endpoints: Iterable[Endpoint], addresses: IntervalSet = EMPTY) -> Side:
        """One side of a finding: endpoints by name with the addresses that are known of them, and plain addresses."""
        machines = list(endpoints)
        called = {self.names.endpoint(e): self.names.shown(e) for e in machines}
        own = known_addresses(machines)
        plain = (*single_cidrs(own), *single_cidrs(addresses - own, 8))
        return Side(role, tuple(called), plain, tuple(called.values()))

    def trace(self, source: str, destination: str, services: IntervalSet | None, text: str) -> str:
        """The command that shows the same, hop by hop."""
        words = ["netpact", "trace", *_words(self.source), "--from", source, "--to", destination]
        if services is not None and " " not in text and text != "any":
            words += ["--service", text]
        return shlex.join(words)

    def finding(
        self, flow: Flow, verdict: str, source: Side, destination: Side, service: str, sentence: str
    ) -> Finding:
        """A finding with everything that follows from its flow."""
        return Finding(
            id=f"{self.deployment}/{flow.id}",
            deployment=self.deployment,
            pack=self.pack.id,
            flow=flow.id,
            document=document(self.pack, flow),
            kind=flow.kind,
            verdict=verdict,
            severity=severity(flow, verdict),
            source=source,
            destination=destination,
            service=service,
            sentence=sentence,
            notes=_notes(flow),
            fingerprint=fingerprint(
                self.deployment,
                flow.id,
                service,
                source.endpoints or source.addresses,
                destination.endpoints or destination.addresses,
            ),
        )


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a path with a quotation mark in it
        return [text]


def document(pack: Pack, flow: Flow) -> Document:
    """Where the document speaks of the flow: the first place, and all others in `also`."""
    places = [(c.section, c.row) for c in flow.citations] or [("", "")]
    return Document(pack.document_title, *places[0], pack.document_url, tuple(places[1:]))


def _notes(flow: Flow) -> tuple[str, ...]:
    notes = []
    if flow.assumed:
        notes.append(f"assumed: {flow.assumed}")
    if flow.condition:
        notes.append(f"condition: {flow.condition}")
    return tuple(notes)
