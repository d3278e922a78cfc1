"""Packs: vendors' documented flows as data. Reads and validates `rules/`; knows no network and no verdict."""

from __future__ import annotations

from dataclasses import dataclass

from lint.origin import Origin
from lint.space.intervals import IntervalSet


@dataclass(frozen=True, slots=True)
class Role:
    """A party that the pack names.

    `lives`: customer, cloud, vendor or any. `managed`: the vendor's platform creates and guards it at run time (unbound: not_applicable).
    `shared`: other software legitimately reaches it on the same ports (vCenter), so it is exclusive against public addresses alone.
    `default_addresses`: CIDRs that the document itself names (8.8.8.8/32). Hints are for `init`: name globs, tags, ports.
    """

    name: str
    title: str
    lives: str
    managed: bool = False
    shared: bool = False
    default_addresses: tuple[str, ...] = ()
    hint_names: tuple[str, ...] = ()
    hint_tags: tuple[tuple[str, str], ...] = ()
    hint_services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """Where the document says it; several rows where one flow is said more than once."""

    section: str
    row: str


@dataclass(frozen=True, slots=True)
class Flow:
    """One documented flow.

    `kind` required: every address of each `sources` role to every endpoint of each `destinations` role, for each of `services`
    (`any_service`: one of them is enough; `any_destination`: one of the destination endpoints is enough).
    `kind` forbidden: nothing of `services` from `sources` to `destinations`; the party `internet` means every public address,
    `anyone` everybody.
    `kind` exclusive: nobody but `sources` (and the endpoints of `destinations` themselves) reaches `services` of `destinations`;
    `against` is "anyone" or "public".
    `host_local`: source and destination are the same machine. `variants`/`phases`: active where one of them is (empty: always).
    `optional`: the document recommends or conditions it (`condition` in words); a violation is then a warning.
    `assumed`: why the pack says more than the document. `severity`: error, warning or note.
    """

    id: str
    kind: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    services: tuple[str, ...]
    citations: tuple[Citation, ...]
    origin: Origin
    any_service: bool = False
    any_destination: bool = False
    against: str = "anyone"
    host_local: bool = False
    variants: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    optional: bool = False
    condition: str | None = None
    assumed: str | None = None
    severity: str = "error"
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Pack:
    """One product and deployment model. `id` is `<vendor>/<name>`, `signature_services` the ports that belong to this product alone."""

    id: str
    title: str
    document_title: str
    document_url: str | None
    variants: tuple[tuple[str, str], ...]  # name, what it means
    phases: tuple[tuple[str, str], ...]
    default_phase: str | None
    roles: tuple[Role, ...]
    flows: tuple[Flow, ...]
    signature_services: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]  # name, what it means
    origin: Origin

    def role(self, name: str) -> Role | None:
        """The role of that name, or None."""
        return next((r for r in self.roles if r.name == name), None)


def services_of(flow: Flow) -> tuple[tuple[str, IntervalSet], ...]:
    """The flow's services, one by one: text and set (`tcp/22,10729` gives two)."""
    raise NotImplementedError
