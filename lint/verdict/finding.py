"""The one finding type: what `check` says of one flow between bound parties. Reports only render it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lint.origin import Origin


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a finding. `role` is None on the undocumented side where no role stands there."""

    role: str | None
    endpoints: tuple[str, ...]
    addresses: tuple[str, ...]
    names: tuple[str, ...] = ()  # what people call the endpoints, one for each; empty: as `endpoints` says


@dataclass(frozen=True, slots=True)
class Lane:
    """A piece of traffic for a report: CIDRs on both sides (None where an address isn't known), and a service text.

    `from_name`/`to_name`: the group or endpoint beside a None.
    """

    source: str | None
    destination: str | None
    service: str
    source_name: str | None = None
    destination_name: str | None = None


@dataclass(frozen=True, slots=True)
class Blocker:
    """The first component that stops a required flow."""

    layer: str
    direction: str
    filter: str
    origin: Origin | None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class RuleAtFault:
    """A rule that makes the verdict: its filter's or its own address, its origin, and its id in the graph."""

    address: str
    origin: Origin
    filter: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """One concrete packet that shows the verdict; an address is None where none is known yet."""

    source: str | None
    destination: str | None
    protocol: str
    port: int | None
    source_port: int | None
    icmp_type: int | None = None
    icmp_code: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """Where a pack's document says it."""

    title: str
    section: str
    row: str
    url: str | None = None
    also: tuple[tuple[str, str], ...] = ()  # further sections and rows that say it


@dataclass(frozen=True, slots=True)
class Fix:
    """A checked suggestion: a unified diff, and/or commands for live sources."""

    summary: str
    verified: bool
    patch: str = ""
    commands: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()  # the patched files whole, by the name that origins have; not reported


@dataclass(frozen=True, slots=True)
class Finding:
    """One flow, one service (or `any_of` group), one group of bound pairs with the same filters and verdict."""

    id: str  # deployment/flow
    deployment: str
    pack: str
    flow: str
    document: Document
    kind: str  # required, forbidden, exclusive
    verdict: str  # satisfied, violated, undetermined, not_applicable, unbound, waived
    severity: str  # error, warning, note
    source: Side
    destination: Side
    service: str
    sentence: str  # the reason in one sentence, for people
    missing: tuple[Lane, ...] = ()
    excess: tuple[Lane, ...] = ()
    layers: tuple[str, ...] = ()
    blocked_by: tuple[Blocker, ...] = ()
    rules: tuple[RuleAtFault, ...] = ()
    witness: Witness | None = None
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fix: Fix | None = None
    fingerprint: str = ""
    waived_by: str | None = None  # the reason of the waiver
    as_read: str = ""  # the verdict as far as the source was read, where more isn't known only because of the rest
    perhaps: tuple[RuleAtFault, ...] = ()  # rules that may be at fault too; not reported
    trace: str | None = None  # the `netpact trace …` command that reproduces it


def in_order(layers: Iterable[str]) -> tuple[str, ...]:
    """Layers once each: the machine's own groups, the filters around it by name, then routes. However a packet meets
    them, findings of two sources agree."""
    first, last = ("security_group", "nsg"), ("route",)
    return tuple(sorted(set(layers), key=lambda one: (one not in first, one in last, one)))
