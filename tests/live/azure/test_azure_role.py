"""The role under docs/ is the one that a scan needs: no more, no less."""

from __future__ import annotations

import json
from pathlib import Path

from lint.azure.collect.calls import OPERATIONS
from lint.azure.collect.role import NAME, text

FILE = Path(__file__).resolve().parents[3] / "docs" / NAME


def test_the_role_is_generated_from_the_table_of_requests() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: python -m lint.azure.collect.role docs"


def test_it_allows_nothing_but_reading() -> None:
    actions = json.loads(FILE.read_text(encoding="utf-8"))["Actions"]
    assert sorted(actions) == actions
    assert all("*" not in one for one in actions)
    others = [one for one in actions if not one.endswith("/read")]
    assert others == [
        f"Microsoft.Network/virtualNetworks/listNetworkManagerEffective{what}/action"
        for what in ("ConnectivityConfigurations", "SecurityAdminRules")
    ]
    assert len({one.name for one in OPERATIONS}) == len(OPERATIONS)
