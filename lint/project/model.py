"""What a project file says, as plain data. Knows no file format, no network and no verdict."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lint.origin import Origin
from lint.space.intervals import IntervalSet

STRICTNESS = ("internet", "ports", "least-privilege")


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a selector.

    `patterns` are globs as written, one of which has to match. `tags`: pairs of a tag's name and a glob of its value,
    all of which have to
    match. `addresses`: what the CIDRs of an `addresses` condition make together.
    """

    kind: str
    patterns: tuple[str, ...] = ()
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    addresses: IntervalSet | None = None


@dataclass(frozen=True, slots=True)
class Selector:
    """One entry of a role's list: takes what all its conditions take."""

    conditions: tuple[Condition, ...]
    text: str  # as a person would write it on one line
    origin: Origin


@dataclass(frozen=True, slots=True)
class RoleBinding:
    """The selectors of one role; what any of them takes is bound."""

    role: str
    selectors: tuple[Selector, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Deployment:
    """One pack applied in this project.

    `phase` None: the pack's default. `client_ports`: by role, the source ports that its machines use as clients. The
    `*_origin(s)` say where a name stands, for
    messages about names that the pack doesn't have.
    """

    name: str
    pack: str
    roles: tuple[RoleBinding, ...]
    origin: Origin
    variants: tuple[str, ...] = ()
    phase: str | None = None
    strictness: str = "ports"
    parameters: Mapping[str, str] = field(default_factory=dict)
    client_ports: Mapping[str, IntervalSet] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(
        default_factory=dict
    )  # "pack", "phase", "variants" where the key is there, "variant:NAME", "parameter:NAME", "client_ports:ROLE"

    def binding(self, role: str) -> RoleBinding | None:
        """The selectors of that role, or None where the deployment doesn't speak of it."""
        return next((b for b in self.roles if b.role == role), None)

    def origin_of(self, what: str) -> Origin:
        """Where `what` stands; the deployment's own place where it isn't written anywhere."""
        return self.origins.get(what, self.origin)


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that somebody accepts. `finding` and `where` are globs; `expires` is the last day on which it holds
    (None: no end)."""

    finding: str
    reason: str
    origin: Origin
    where: str | None = None
    expires: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A project file. Relative paths in it are relative to `directory`.

    `sources` as written. `packs` are files, globs resolved. `transparent`: next hops of routes that pass everything.
    `service_tags`: files with the
    cloud's own list of service tags.
    """

    path: Path
    directory: Path
    deployments: tuple[Deployment, ...]
    sources: tuple[str, ...] = ()
    packs: tuple[Path, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    transparent: tuple[str, ...] = ()
    prefix_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    service_tags: tuple[Path, ...] = ()
