"""How a live account is read: limits, what is kept where, and whose identity is used. Plain data, free to import."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lint.live.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """Which AWS identity collects, and in which accounts. All empty: the standard credential chain, its own account.

    `role_arn` is assumed first. `organization` names a role that is assumed in every active account of the
    organization. `external_id` is handed over with every role.
    """

    profile: str | None = None
    role_arn: str | None = None
    organization: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class AzureAccess:
    """Which Azure cloud and tenant, and which management groups. `resource_graph` False: only the plain ARM lists.

    `verify_effective`: also ask for the rules and routes in force at the interfaces of machines that run.
    """

    cloud: str = "public"
    tenant: str | None = None
    management_groups: tuple[str, ...] = ()
    resource_graph: bool = True
    verify_effective: bool = False


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Everything that a live source needs to know beside its own text.

    `work` is the SQLite file that answers are written to as they arrive (None: in the user's cache folder, by the
    scan's own id); it is removed when the scan has succeeded. `resume` goes on with it. `rate` is how many calls a
    second each operation of one region and scope may take, `burst` how many of these at once; `places` how many
    scopes or regions are read at once, `calls_a_place` how many calls are under way in one. `attempts` and `backoff`
    (seconds before the second one, doubled each time) are for calls that may succeed later. `collected` holds what
    this run has read already, by source, so that nothing is asked twice.
    """

    work: Path | None = None
    resume: bool = False
    redact_tags: tuple[str, ...] = ()
    rate: float = 5.0
    burst: int = 10
    places: int = 8
    calls_a_place: int = 4
    attempts: int = 8
    backoff: float = 0.5
    longest_wait: float = 60.0
    progress: bool = True
    aws: AwsAccess = AwsAccess()
    azure: AzureAccess = AzureAccess()
    collected: dict[str, Snapshot] = field(default_factory=dict, compare=False, repr=False)
