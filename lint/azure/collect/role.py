"""The Azure role that a scan needs, generated from the table of requests: `python -m lint.azure.collect.role docs`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lint.azure.collect.calls import OPERATIONS

NAME = "azure-role.json"


def role() -> dict[str, Any]:
    """The custom role that allows these requests and no others, as `az role definition create` takes it."""
    return {
        "Name": "netpact reader",
        "IsCustom": True,
        "Description": "Reads what netpact needs to judge network flows. Allows no change and no secret.",
        "Actions": sorted({operation.action for operation in OPERATIONS}),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": ["/subscriptions/00000000-0000-0000-0000-000000000000"],
    }


def text() -> str:
    """The file's content."""
    return json.dumps(role(), indent=2) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) / NAME).write_text(text(), encoding="utf-8")
