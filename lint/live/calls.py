"""One call of a cloud's API, its pages, and the ways in which it can fail. Knows no cloud and no SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

OK = "ok"
DENIED = "denied"  # the identity may not make this call
THROTTLED = "throttled"  # still refused for its rate after the last attempt
UNAVAILABLE = "unavailable"  # the region, the service or the operation isn't there for us
ERROR = "error"  # the service answered with another error
CUT = "cut"  # the connection broke, the answer ended early, or nothing came in time
STATUSES = (OK, DENIED, THROTTLED, UNAVAILABLE, ERROR, CUT)


class LiveError(Exception):
    """A live account that can't be read at all: what, where and what to do, in one message."""


class Stopped(LiveError):
    """The user stopped the run (Ctrl-C). The message says what is kept and how to go on."""


class Fault(Exception):
    """One request that failed.

    `again`: another attempt may succeed, after at least `after` seconds where the service says so.

    `attempts` caps the attempts for this kind of fault below the run's own number. `restart`: the page token isn't
    valid any more, so that the call has to begin anew. `pending`: the service works on it and is to be asked again;
    that is no failed attempt.
    """

    def __init__(
        self,
        status: str,
        error: str,
        *,
        again: bool = False,
        after: float | None = None,
        attempts: int | None = None,
        restart: bool = False,
        pending: bool = False,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.again = again
        self.after = after
        self.attempts = attempts
        self.restart = restart
        self.pending = pending


def canonical(value: Any) -> str:
    """JSON in the one form that is hashed: sorted keys, no blanks, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """What is asked: an operation (`ec2.describe_vpcs`) in a region ("" where it has none) of a scope, with parameters.

    `scope` is what bounds an identity's rights and the service's limits: an account, a subscription, a tenant.
    `parameters` is canonical JSON of what tells this call from others of its operation, without page sizes and
    tokens.
    """

    scope: str
    region: str
    operation: str
    parameters: str = "{}"

    @classmethod
    def of(cls, scope: str, region: str, operation: str, parameters: Mapping[str, Any] | None = None) -> Call:
        """The call with its parameters as JSON."""
        return cls(scope, region, operation, canonical(dict(parameters or {})))

    def where(self) -> str:
        """`account 111122223333, eu-west-1`: for sentences."""
        return ", ".join(part for part in (self.scope, self.region) if part)

    def what(self) -> str:
        """`ec2.get_managed_prefix_list_entries of pl-1`: for sentences."""
        about = ", ".join(str(value) for value in json.loads(self.parameters).values())
        return f"{self.operation} of {about}" if about else self.operation


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its body as plain JSON without page tokens. `next` asks for the next page; None ends the call."""

    body: Any
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to. Unless `status` is "ok", `pages` is not the whole set and must count as nothing."""

    call: Call
    status: str
    error: str = ""
    pages: tuple[Any, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every page arrived."""
        return self.status == OK


Turn = Callable[[str | None], Page]
"""Makes one request: gets the page token (None: the first page), returns one Page, raises Fault."""
