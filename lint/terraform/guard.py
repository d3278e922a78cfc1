"""Notes when a candidate was left out because an expression fails for it. Knows nothing else.

Outside of `try` and `can` such a candidate can't be the one, because Terraform would refuse the configuration. Inside
them it would go on with something else, so whoever catches failures must know that one was passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Caught:
    """What happened while failures were caught: whether a failing candidate was left out."""

    __slots__ = ("left_out",)

    def __init__(self) -> None:
        self.left_out = False


_CATCHER: ContextVar[Caught | None] = ContextVar("catcher", default=None)


def leave_out() -> None:
    """Says that a candidate was left out because the expression fails for it."""
    catcher = _CATCHER.get()
    if catcher is not None:
        catcher.left_out = True


@contextmanager
def caught() -> Iterator[Caught]:
    """Evaluates what may fail."""
    catcher = Caught()
    token = _CATCHER.set(catcher)
    try:
        yield catcher
    finally:
        _CATCHER.reset(token)


@contextmanager
def uncaught() -> Iterator[None]:
    """Evaluates an expression of its own, whose failure nothing around it catches."""
    token = _CATCHER.set(None)
    try:
        yield
    finally:
        _CATCHER.reset(token)
