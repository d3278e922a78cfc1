"""What changed between two rule graphs: plain data. Knows no source and no format."""

from __future__ import annotations

from dataclasses import dataclass

from lint.graph.endpoints import Endpoint
from lint.graph.rules import Rule
from lint.origin import Reason
from lint.space.intervals import IntervalSet
from lint.space.traffic import TrafficSet

INTERNET = "internet"
PRIVATE = "private addresses"  # private addresses that no machine of either source has

OLD, NEW = "old", "new"


@dataclass(frozen=True, slots=True)
class CitedRule:
    """A rule behind a change. `side` is the source that holds it (old or new), `filter` its filter's name.

    `address` is the Terraform address of the filter, where either source knows it: who manages the account's group.
    """

    side: str
    filter: str
    rule: Rule
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """A witness: one packet; an address is None where none is known. `service` is a place on the service line."""

    source: int | None
    destination: int | None
    service: int
    source_port: int


@dataclass(frozen=True, slots=True)
class ReachChange:
    """Traffic between two parties that one source lets through and the other doesn't.

    `source` and `destination` are endpoint ids, `internet` or `private addresses`. The peers of `traffic` are
    the addresses of the source, or (`by_destination`) of the destination, where that is a set of addresses.
    `certain` False: it may have changed, `reasons` say what isn't known. `rules` open it, or no longer open it;
    `causes` are what else is behind it, in sentences.
    """

    source: str
    destination: str
    traffic: TrafficSet
    by_destination: bool
    certain: bool
    rules: tuple[CitedRule, ...]
    causes: tuple[str, ...]
    reasons: tuple[Reason, ...]
    witness: Packet


@dataclass(frozen=True, slots=True)
class RulePiece:
    """A part of what a filter allows: for `addresses`, the members of `group`, or what the list `group` holds.

    `local` are the machine's own addresses that it is about, None where the filter asks for none.
    """

    addresses: IntervalSet
    group: str | None
    services: IntervalSet
    source_ports: IntervalSet
    certain: bool
    local: str | None = None


@dataclass(frozen=True, slots=True)
class FilterChange:
    """One filter in one direction: what its rules allow on one side alone. `status`: changed, added or removed."""

    filter: str  # id, the old source's where both have it
    name: str
    kind: str
    direction: str
    status: str
    opened: tuple[RulePiece, ...]
    closed: tuple[RulePiece, ...]
    rules: tuple[CitedRule, ...]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """The whole comparison. `endpoints` holds every party by id, as the newer source shows it where both do.

    An endpoint or filter of both sources has the old one's id. `unknown` says what couldn't be compared; `doubtful`:
    because of it something may have opened that isn't listed.
    """

    opened: tuple[ReachChange, ...]
    closed: tuple[ReachChange, ...]
    filters: tuple[FilterChange, ...]
    added: tuple[Endpoint, ...]
    removed: tuple[Endpoint, ...]
    unknown: tuple[Reason, ...]
    notes: tuple[str, ...]
    doubtful: bool
    endpoints: tuple[tuple[str, Endpoint], ...]
    compared: int  # endpoints that both sources hold
    blind: bool = False  # not all could be read: what only one source shows may be in the other as well

    @property
    def empty(self) -> bool:
        """Whether no change was found."""
        return not (self.opened or self.closed or self.filters or self.added or self.removed)

    def asks_for_attention(self, fail_on: str) -> bool:
        """Whether there is something of what was asked for: `opened`, `closed`, `any` or `never`.

        What may have opened counts as opened, and so does what couldn't be compared on one side: not to
        know is no reason to pass.
        """
        opened = bool(self.opened) or any(one.opened for one in self.filters) or self.doubtful
        closed = bool(self.closed) or any(one.closed for one in self.filters) or self.doubtful
        if fail_on == "any":
            return not self.empty or self.doubtful
        return {"opened": opened, "closed": closed}.get(fail_on, False)
