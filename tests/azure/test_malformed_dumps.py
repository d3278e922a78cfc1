"""What a dump shows in part, wrongly or twice is never taken as nothing: it leaves open what it may have said."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lint.azure import graph_from_documents
from lint.azure.from_api import is_dump, load_dump

GROUP = "networkSecurityGroups/N"


@pytest.fixture
def guarded(landscape: Any) -> Any:
    """A is open to the Internet on tcp/443, but for one block that an earlier rule denies."""
    landscape.nsg("N", "In 100 Deny Tcp 198.51.100.0/24->*:443", "In 110 Allow Tcp Internet->*:443", at=["V1/S1"])
    return landscape


def _set(path: str, value: Any) -> Callable[[Any], None]:
    def change(landscape: Any) -> None:
        *steps, last = path.split("/")
        held = landscape.resources[GROUP]
        for step in steps:
            held = held[int(step)] if step.isdigit() else held[step]
        held[int(last) if last.isdigit() else last] = value

    return change


def _attach(value: Any) -> Callable[[Any], None]:
    def change(landscape: Any) -> None:
        landscape.subnet("V1/S1")["networkSecurityGroup"] = value

    return change


DENY = "properties/securityRules/0/properties"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_set("properties", None), id="a row of `az resource list` without properties"),
        pytest.param(_set("properties/securityRules", None), id="no rules at all"),
        pytest.param(_set("properties/securityRules", "oops"), id="text in place of rules"),
        pytest.param(_set("properties/securityRules/0", "oops"), id="text in place of a rule"),
        pytest.param(_set("properties/securityRules/0", None), id="null in place of a rule"),
        pytest.param(_set(DENY, []), id="a list in place of properties"),
        pytest.param(_set(f"{DENY}/priority", 10**400), id="a huge priority"),
        pytest.param(_set(f"{DENY}/priority", float("nan")), id="a priority that is no number"),
        pytest.param(_set(f"{DENY}/priority", True), id="a priority that is a switch"),
        pytest.param(_set(f"{DENY}/sourceAddressPrefix", ["198.51.100.0/24"]), id="a list in place of an address"),
        pytest.param(_set(f"{DENY}/destinationPortRange", {}), id="an object in place of a port"),
        pytest.param(_set("id", None), id="a group without id"),
        pytest.param(_attach(5), id="a number in place of the group"),
        pytest.param(_attach({}), id="a reference to nothing"),
        pytest.param(_attach({"id": None}), id="a reference without id"),
    ],
)
def test_what_cannot_be_read_is_not_taken_as_nothing(
    guarded: Any, judge: Callable[..., Any], change: Callable[[Any], None]
) -> None:
    assert judge(guarded).verdict("X", "A", "tcp/443") == "blocked"
    change(guarded)
    found = judge(guarded).reach("X", "A", "tcp/443")
    assert found.verdict == "undetermined"
    assert all(len(one.text) < 400 for one in found.reasons)


def test_a_group_shown_twice_with_different_rules_is_not_settled_by_chance(
    guarded: Any, judge: Callable[..., Any]
) -> None:
    other = copy.deepcopy(guarded.resources[GROUP])
    documents = guarded.documents()
    assert judge(graph_from_documents([*documents, {"value": [other]}])).verdict("X", "A", "tcp/443") == "blocked"
    del other["properties"]["securityRules"][0]
    other |= {"etag": "newer", "tags": {"a": "b"}}
    asked = judge(graph_from_documents([*documents, {"value": [other]}]))
    assert asked.verdict("X", "A", "tcp/443") == "undetermined"
    assert "azure.dump.contradiction" in asked.codes("X", "A", "tcp/443")
    reordered = copy.deepcopy(guarded.resources[GROUP])
    reordered["properties"]["securityRules"].reverse()
    assert judge(graph_from_documents([*documents, {"value": [reordered]}])).verdict("X", "A", "tcp/443") == "blocked"


def _written(tmp_path: Path, landscape: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """The landscape as files, one for each type; `change` may change them."""
    files = {rows["value"][0]["type"].rpartition("/")[2]: rows for rows in landscape.documents()}
    for name, data in change(files).items():
        text = data if isinstance(data, str) else json.dumps(data)
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    return load_dump(tmp_path)


def test_a_key_given_twice_makes_the_dump_incomplete(guarded: Any, tmp_path: Path) -> None:
    def double(files: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(files["networkSecurityGroups"])
        text = text.replace('"securityRules":', '"securityRules": [], "securityRules":')
        return {**files, "networkSecurityGroups": text}

    documents, problems = _written(tmp_path, guarded, double)
    assert len(documents) == 4
    assert [one.text for one in problems] == [
        "networkSecurityGroups.json gives the key 'securityRules' twice in one object, and only one of them was read"
    ]


def test_answers_wrapped_in_one_object_are_read(guarded: Any, judge: Callable[..., Any]) -> None:
    named = {rows["value"][0]["type"]: rows for rows in guarded.documents()}
    for wrapped in (
        named,
        {name: rows["value"] for name, rows in named.items()},
        {"prod": named, "notes": {"by": "hand"}},
    ):
        assert is_dump(wrapped)
        assert judge(graph_from_documents([wrapped])).verdict("X", "A", "tcp/443") == "blocked"


@pytest.mark.parametrize("subscription", ["11111111-1111-1111-1111-111111111111", None])
def test_a_page_that_is_missing_from_one_subscription_is_missed(guarded: Any, subscription: str | None) -> None:
    link = f"https://management.azure.com/subscriptions/{subscription}/x?$skiptoken=1" if subscription else "next"
    documents = guarded.documents()
    groups = next(one for one in documents if "networkSecurityGroups" in one["value"][0]["id"])
    elsewhere = json.loads(json.dumps(groups).replace("11111111-", "22222222-"))
    assert not graph_from_documents([*documents, elsewhere]).incomplete
    groups["nextLink"] = link
    (reason,) = graph_from_documents([*documents, elsewhere]).incomplete
    assert "11111111-1111-1111-1111-111111111111" in reason.text
    last = {"value": groups["value"]}
    assert not graph_from_documents([*documents, elsewhere, last]).incomplete


def test_an_error_in_place_of_an_answer_makes_the_dump_incomplete(guarded: Any) -> None:
    refused = {"error": {"code": "AuthorizationFailed", "message": "no Microsoft.Network/networkInterfaces/read"}}
    assert is_dump(refused)
    (reason,) = graph_from_documents([*guarded.documents(), refused]).incomplete
    assert "AuthorizationFailed" in reason.text
