"""What load balancers do to traffic, whatever source they were read from.

Sources: NLB guide, "Edit target group attributes for your Network Load Balancer" (client IP preservation); ALB guide,
"Listener rules for your Application Load Balancer" (conditions, actions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lint.origin import Origin, Reason
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import TCP, UDP, ports

# Types of targets of which it isn't certain what they get.
UNSURE = {
    "lambda": "targets of type lambda aren't modelled",
    "alb": "whose address an application load balancer sees as a target isn't certain",
}
_TRANSPORTS = {
    "UDP": (UDP,),
    "QUIC": (UDP,),
    "TCP_UDP": (TCP, UDP),
    "TCP_QUIC": (TCP, UDP),
}  # all others stand on TCP


def services_at(protocol: str | None, port: int | None) -> IntervalSet:
    """What a listener or target of this protocol and port takes; nothing where the port isn't known."""
    found = EMPTY
    if port is not None and 0 <= port <= 65535:
        for number in _TRANSPORTS.get((protocol or "TCP").upper(), (TCP,)):
            found = found | ports(number, port, port)
    return found


def preserves_client(kind: str | None, protocol: str | None, setting: str | None) -> bool | None:
    """Whether a network load balancer's targets see the client's address.

    Instance targets do, and ip targets over UDP; ip targets over TCP and TLS don't, unless the attribute says
    otherwise.
    """
    if kind is None or kind == "alb":
        return None
    udp = (protocol or "").upper() in ("UDP", "TCP_UDP", "QUIC", "TCP_QUIC")
    if setting in ("true", "false") and not udp:
        return setting == "true"
    return True if udp else kind == "instance"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a listener rule: `host-header`, `path-pattern`, `source-ip`, …, and the values that meet it."""

    field: str
    values: tuple[str, ...]

    @property
    def text(self) -> str:
        """`path-pattern /api/*`."""
        shown = ", ".join(self.values[:3]) + (f" and {len(self.values) - 3} more" if len(self.values) > 3 else "")
        return f"{self.field} {shown}".strip()


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a rule forwards: what the sender chooses itself, and what it may not have in its hands."""

    chosen: tuple[Reason, ...]
    uncertain: tuple[Reason, ...]


def terms_of(rule: str, conditions: Sequence[Condition], actions: Sequence[str], origin: Origin) -> Terms:
    """The terms of a listener rule with these conditions and these types of actions.

    Host, path, headers, query and method are the sender's choice. Its address isn't, and whether a user may sign in or
    shows a valid token isn't known.
    """
    chosen = [one for one in conditions if one.field != "source-ip"]
    uncertain = [
        Reason(f"{rule} forwards only requests from {', '.join(one.values[:3])}", "aws.listener-rule", origin)
        for one in conditions
        if one.field == "source-ip"
    ]
    uncertain += [
        Reason(f"{rule} forwards only after {kind}", "aws.listener-rule", origin)
        for kind in actions
        if kind.startswith(("authenticate-", "jwt-"))
    ]
    said = Reason(
        f"{rule} forwards only requests with {' and '.join(one.text for one in chosen)}", "aws.listener-rule", origin
    )
    return Terms((said,) if chosen else (), tuple(uncertain))


def elsewhere(rules: int, origin: Origin) -> tuple[Reason, ...]:
    """Why a default action doesn't get every request where a listener has further rules."""
    if not rules:
        return ()
    named = "a rule of this listener" if rules == 1 else f"one of {rules} rules of this listener"
    return (Reason(f"it gets only requests that {named} doesn't take", "aws.listener-rule", origin),)
