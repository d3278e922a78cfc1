"""A finding's fingerprint: the same when lines move or the order of a file changes, another when it is about other
things."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def fingerprint(deployment: str, flow: str, service: str, *things: Iterable[str]) -> str:
    """32 hexadecimal digits from the flow, the service and the names of what it is about; lines and verdicts don't
    count."""
    digest = hashlib.sha256()
    for part in (deployment, flow, service, *("\x1f".join(sorted(set(names))) for names in things)):
        digest.update(part.encode("utf-8", "surrogatepass"))
        digest.update(b"\x1e")
    return digest.hexdigest()[:32]
