"""What the tests of failing calls share: which request is which operation, and what may follow from a graph."""

from __future__ import annotations

import re
from collections.abc import Callable

from lint.azure.collect.calls import Operation
from lint.graph.graph import RuleGraph
from tests.azure.conftest import Judge
from tests.live.azure.server import Refusal, Request

PAIRS = (
    ("agent-1", "console"),
    ("console", "agent-1"),
    ("agent-2", "db"),
    ("198.51.100.7", "console"),
    ("198.51.100.7", "front"),
    ("198.51.100.7", "agent-1"),
    ("agent-1", "20.38.64.9"),
    ("agent-1", "172.16.3.4"),
    ("console", "192.168.7.9"),
    ("192.168.7.9", "console"),
    ("workers_0", "console"),
    ("console", "vault"),
    ("198.51.100.7", "lab"),
)


def is_of(operation: Operation, request: Request, *, groups: bool = True) -> bool:
    """Whether a request is one of an operation, in a whole subscription or, with `groups`, in a resource group."""
    if request.method != operation.method:
        return False
    path = operation.path
    if operation.single:
        path = f"{{parent}}/{operation.name.partition('.')[2]}/{{location}}"
    elif path.startswith("{parent}/"):
        path = f"{{parent}}/{operation.name.split('.')[-2]}/{{location}}/{path.partition('/')[2]}"
    pattern = re.escape(path).replace(r"\{parent\}", ".+")
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern)
    if operation.by_group and groups:
        pattern = pattern.replace("/providers/", "(?:/resourceGroups/[^/]+)?/providers/")
    return re.fullmatch(pattern, request.path, re.I) is not None


def refusing(operation: Operation, refusal: Refusal, *, groups: bool = True) -> Callable[[Request], Refusal | None]:
    """A judge that refuses one operation."""
    return lambda request: refusal if is_of(operation, request, groups=groups) else None


def assert_nothing_unread_passes(before: RuleGraph, after: RuleGraph) -> None:
    """What is certain may only shrink, what is possible may only grow.

    Where interfaces weren't read, addresses aren't known: then what was possible must at least not be impossible.
    """
    for source, destination in PAIRS:
        whole = Judge(before).reach(source, destination).allowed
        try:
            rest = Judge(after).reach(source, destination).allowed
        except ValueError:
            assert after.incomplete, f"{source} or {destination} vanished in silence"
            continue
        assert after.incomplete or rest.must <= whole.must, f"{source} to {destination} is certain, and wasn't"
        assert whole.may <= rest.may or (after.incomplete and rest.may), f"{source} to {destination} is impossible now"


def changed(before: RuleGraph, after: RuleGraph) -> set[tuple[str, str]]:
    """The pairs of which another thing is known."""
    return {(one, other) for one, other in PAIRS if _known(before, one, other) != _known(after, one, other)}


def _known(graph: RuleGraph, source: str, destination: str) -> str:
    try:
        return str(Judge(graph).reach(source, destination).allowed)
    except ValueError:
        return ""
