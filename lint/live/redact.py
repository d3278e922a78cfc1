"""Takes out of an answer what must never be stored: user data, keys, and the tags that the user named."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from typing import Any

# Names of fields, in any cloud's answers, that hold secrets.
SECRETS = frozenset(
    {
        "userdata",
        "customdata",
        "customergatewayconfiguration",
        "presharedkey",
        "sharedkey",
        "adminpassword",
        "secretaccesskey",
        "sessiontoken",
    }
)
_TAGS = frozenset({"tags", "tagset", "taglist"})


def cleaner(tags: Sequence[str]) -> Callable[[Any], Any]:
    """A function that gives a body without secrets and without the tags that a pattern (`cost-*`, any case) takes.

    Knows tags as lists of {"Key": ..., "Value": ...} and as objects under `tags`.
    """
    patterns = tuple(tag.lower() for tag in tags)

    def hidden(name: object) -> bool:
        return isinstance(name, str) and any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in patterns)

    def tagged(value: Any) -> Any:
        if isinstance(value, list):
            return [e for e in value if not (isinstance(e, dict) and hidden(e.get("Key")))]
        if isinstance(value, dict):
            return {k: v for k, v in value.items() if not hidden(k)}
        return value

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                k: clean(tagged(v) if k.lower() in _TAGS else v) for k, v in value.items() if k.lower() not in SECRETS
            }
        if isinstance(value, list):
            return [clean(each) for each in value]
        return value

    return clean
