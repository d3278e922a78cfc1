"""The role under docs/ is the one that a scan needs: no more, no less."""

from __future__ import annotations

import json
from pathlib import Path

from lint.azure.collect.calls import OPERATIONS
from lint.azure.collect.role import NAME, VERIFYING, files

DOCS = Path(__file__).resolve().parents[3] / "docs"
FILE = DOCS / NAME


def test_the_roles_are_generated_from_the_table_of_requests() -> None:
    for name, text in files().items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, "run: python -m lint.azure.collect.role docs"


def test_what_only_verifying_needs_is_a_role_of_its_own() -> None:
    own, more = (set(json.loads((DOCS / name).read_text(encoding="utf-8"))["Actions"]) for name in (NAME, VERIFYING))
    assert more == {
        f"Microsoft.Network/networkInterfaces/{what}/action"
        for what in ("effectiveNetworkSecurityGroups", "effectiveRouteTable")
    }
    assert own | more == {one.action for one in OPERATIONS}
    assert not own & more


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
