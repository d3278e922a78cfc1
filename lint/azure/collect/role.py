"""The Azure roles that a scan needs, generated from the table of requests: `python -m lint.azure.collect.role docs`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lint.azure.collect.calls import OPERATIONS

NAME = "azure-role.json"  # what a scan needs
VERIFYING = "azure-role-verify.json"  # what --verify-effective needs beside it


def role() -> dict[str, Any]:
    """The custom role that allows the requests of a scan and no others, as `az role definition create` takes it."""
    return _role(
        "netpact reader",
        "Reads what netpact needs to judge network flows. Allows no change and no secret.",
        {operation.action for operation in OPERATIONS if not operation.verifying},
    )


def verifying() -> dict[str, Any]:
    """The custom role for what --verify-effective asks beyond that."""
    own = {operation.action for operation in OPERATIONS if operation.verifying}
    return _role(
        "netpact verifier",
        "Beside netpact reader: reads the rules and routes in force, for --verify-effective. Allows no change.",
        own - {operation.action for operation in OPERATIONS if not operation.verifying},
    )


def _role(name: str, description: str, actions: set[str]) -> dict[str, Any]:
    return {
        "Name": name,
        "IsCustom": True,
        "Description": description,
        "Actions": sorted(actions),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": ["/subscriptions/00000000-0000-0000-0000-000000000000"],
    }


def files() -> dict[str, str]:
    """The roles as files, by name."""
    return {name: json.dumps(made, indent=2) + "\n" for name, made in ((NAME, role()), (VERIFYING, verifying()))}


if __name__ == "__main__":
    for name, text in files().items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
