"""How much a finding weighs. Knows the flow and the verdict alone."""

from __future__ import annotations

from lint.packs.model import Flow

_LEVELS = ("note", "warning", "error")


def severity(flow: Flow, verdict: str) -> str:
    """A violation weighs what the pack says, at most a warning where the document only recommends; all that isn't a
    violation weighs less.

    Undetermined: at most a warning. Unbound, satisfied, not applicable, waived: a note.
    """
    own = flow.severity if flow.severity in _LEVELS else "error"
    if flow.optional:
        own = _at_most(own, "warning")
    if verdict == "violated":
        return own
    return _at_most(own, "warning") if verdict == "undetermined" else "note"


def _at_most(level: str, limit: str) -> str:
    return level if _LEVELS.index(level) <= _LEVELS.index(limit) else limit
