"""Every call to Azure failing in every way, one at a time: named, nothing else lost, nothing unread passes."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lint.azure.collect import collect, documents_of, graph_of
from lint.azure.collect.access import Connection
from lint.azure.collect.calls import (
    DESCENDANTS,
    HUB_CONFIGURATIONS,
    HUB_CONNECTIONS,
    INTERFACES,
    MACHINES,
    OPERATIONS,
    PERMISSIONS,
    RESOURCE_GRAPH,
    RESOURCE_GROUPS,
    ROUTE_TABLES,
    SECURITY_GROUPS,
    SERVICE_TAGS,
    SUBSCRIPTIONS,
    Operation,
)
from lint.azure.coverage import VITAL
from lint.live import calls
from lint.live.calls import LiveError
from lint.live.options import LiveOptions
from lint.live.snapshot import Snapshot
from tests.live.azure import server, world
from tests.live.azure.ask import connection
from tests.live.azure.faults import assert_nothing_unread_passes, changed, refusing
from tests.live.azure.server import Arm, Refusal, Request

ABSENT = {SUBSCRIPTIONS, DESCENDANTS, RESOURCE_GRAPH, PERMISSIONS, RESOURCE_GROUPS, HUB_CONNECTIONS}
ABSENT |= {HUB_CONFIGURATIONS}  # calls that the small world doesn't need
ASKED = [operation for operation in OPERATIONS if operation not in ABSENT and not operation.verifying]
FAULTS = {
    "denied": (server.DENIED, calls.DENIED, 1),
    "throttled": (server.THROTTLED, calls.THROTTLED, 3),
    "missing": (server.MISSING, calls.UNAVAILABLE, 1),
    "broken": (server.BROKEN, calls.ERROR, 3),
    "refused": (server.ODD, calls.ERROR, 1),
    "cut": (server.CUT, calls.CUT, 3),
    "no JSON": (Refusal(raw=b'{"value": ['), calls.CUT, 3),
    "no list": (Refusal(raw=b'{"message": "hello"}'), calls.ERROR, 1),
}
ONE_OF_EACH = {"denied", "throttled", "missing", "broken", "cut"}  # the others are further spellings of these
# What the verdicts of the small world can do without: names, and things that nothing in it needs.
HARMLESS = {"applicationSecurityGroups", "publicIPPrefixes", "azureFirewalls", "bastionHosts", "virtualHubs"}
# Both networks are peered, so that a mesh would add nothing.
HARMLESS |= {"virtualNetworks.effectiveConnectivityConfigurations"}


class Whole:
    """An undisturbed scan with its server and file."""

    def __init__(self, arm: Arm, folder: Path) -> None:
        self.arm = arm
        self.file = folder / "whole.sqlite"
        self.options = LiveOptions(
            work=self.file, backoff=0.001, longest_wait=0.05, attempts=3, rate=1000, burst=1000, progress=False
        )
        self.connection: Connection = connection(arm)
        self.snapshot = collect((), self.options, self.connection)
        self.graph = graph_of(self.snapshot)

    def again(self, operation: Operation, judge: Callable[[Request], Refusal | None] | None, file: Path) -> Snapshot:
        """The scan in which one operation had not been asked for yet, gone on with under a judge."""
        shutil.copy(self.file, file)
        with sqlite3.connect(file) as db:
            for table in ("page", "outcome"):
                db.execute(f"DELETE FROM {table} WHERE operation = ?", (operation.name,))
        db.close()
        return self.resumed(file, judge)

    def resumed(self, file: Path, judge: Callable[[Request], Refusal | None] | None = None) -> Snapshot:
        """Go on with a scan."""
        self.arm.judge = judge
        self.arm.requests.clear()
        return collect((), replace(self.options, work=file, resume=True, collected={}), self.connection)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    arm = Arm()
    world.build(arm)
    arm.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield Whole(arm, tmp_path_factory.mktemp("whole"))
    arm.stop()


@pytest.mark.parametrize("operation", ASKED, ids=lambda o: o.name)
def test_a_denied_call_leaves_exactly_its_own_layers_open(whole: Whole, operation: Operation, tmp_path: Path) -> None:
    found = whole.again(operation, refusing(operation, server.DENIED), tmp_path / "s.sqlite")
    failed = found.failures()
    assert failed
    assert {(one.call.operation, one.status) for one in failed} == {(operation.name, calls.DENIED)}
    assert all("AuthorizationFailed" in one.error for one in failed)
    assert {one.call.scope for one in failed} <= {world.ONE, world.TWO}
    graph = graph_of(found)
    assert_nothing_unread_passes(whole.graph, graph)
    assert bool(graph.incomplete) == (operation.kind in VITAL)
    assert all(one.code == f"azure.coverage:{operation.kind}" for one in graph.incomplete)
    if operation.name.partition(".")[2] in HARMLESS:
        assert not changed(whole.graph, graph)
    elif operation is not MACHINES:
        assert changed(whole.graph, graph)
    if operation is not SERVICE_TAGS:
        assert operation.name.partition(".")[2] in HARMLESS or operation.name in repr(graph), (
            "the graph says which call"
        )
    assert_nothing_else_is_lost(found, whole.snapshot, operation)


def assert_nothing_else_is_lost(found: Snapshot, complete: Snapshot, operation: Operation) -> None:
    held = {answer.call: answer.pages for answer in found.answers() if answer.ok}
    for answer in complete.answers():
        if answer.call.operation != operation.name:
            assert held[answer.call] == answer.pages


@pytest.mark.parametrize("fault", FAULTS)
def test_each_call_fails_in_each_way_one_at_a_time(whole: Whole, tmp_path: Path, fault: str) -> None:
    refusal, status, tries = FAULTS[fault]
    others = [operation for operation in ASKED[::6] if not operation.single]
    for operation in ASKED if fault in ONE_OF_EACH else others:
        file = tmp_path / f"{operation.name}.sqlite"
        found = whole.again(operation, refusing(operation, refusal), file)
        failed = found.failures()
        assert {(one.call.operation, one.status) for one in failed} == {(operation.name, status)}, fault
        asked = [one for one in whole.arm.requests if not one.path.lower().endswith("/resourcegroups")]
        assert len(asked) == tries * len(failed), operation.name
        if fault in ("throttled", "cut"):  # the graph knows no other ways
            graph = graph_of(found)
            assert_nothing_unread_passes(whole.graph, graph)
            assert bool(graph.incomplete) == (operation.kind in VITAL)
        if fault == "cut":
            again = whole.resumed(file)
            assert again.content() == whole.snapshot.content(), "asked again, the scan is whole"


def test_one_subscription_that_fails_leaves_what_is_of_the_other_alone(whole: Whole, tmp_path: Path) -> None:
    def judge(request: Request) -> Refusal | None:
        refused = refusing(ROUTE_TABLES, server.DENIED)(request)
        return refused if request.subscription == world.TWO else None

    graph = graph_of(whole.again(ROUTE_TABLES, judge, tmp_path / "s.sqlite"))
    assert not changed(whole.graph, graph), "no route table of the other subscription decides anything here"


def test_a_list_that_is_denied_is_asked_of_each_resource_group(whole: Whole, tmp_path: Path) -> None:
    found = whole.again(SECURITY_GROUPS, refusing(SECURITY_GROUPS, server.DENIED, groups=False), tmp_path / "s.sqlite")
    assert [one.call.parameters for one in found.failures()] == ["{}", "{}"], "both subscriptions' own lists"
    groups = {one.path.split("/")[4] for one in whole.arm.requests if "/resourceGroups/" in one.path}
    assert groups == {"rg-app", "rg-edge", "rg-data"}
    graph = graph_of(found)
    assert not changed(whole.graph, graph), "every group was found in its resource group"
    assert graph.incomplete, "resource groups that the identity doesn't see may hold more"


def test_what_the_visible_resource_groups_hold_is_kept(whole: Whole, tmp_path: Path) -> None:
    def judge(request: Request) -> Refusal | None:
        if request.path.lower().endswith("/networkinterfaces") and "rg-app" not in request.path:
            return server.DENIED
        return None

    graph = graph_of(whole.again(INTERFACES, judge, tmp_path / "s.sqlite"))
    ask = {one.name: one for one in graph.endpoints.values()}
    assert ask["console"].addresses[0].place == 10 << 24 | 1 << 8 | 4
    assert all(layer.open for layer in ask["db"].layers), "only the name of this one is known"
    assert graph.incomplete


def test_a_call_that_breaks_off_in_the_middle_of_its_pages_counts_as_nothing(whole: Whole, tmp_path: Path) -> None:
    whole.arm.page_size = 1

    def judge(request: Request) -> Refusal | None:
        return server.CUT if "networkInterfaces" in request.path and ("$skiptoken", "2") in request.query else None

    file = tmp_path / "s.sqlite"
    try:
        found = whole.again(INTERFACES, judge, file)
        assert [(one.call.scope, one.status, one.pages) for one in found.failures()] == [(world.ONE, calls.CUT, ())]
        assert not any(
            row["id"].startswith(f"/subscriptions/{world.ONE}/")
            for one in documents_of(found)
            for row in one.data.get("value", ())
            if row.get("type") == "Microsoft.Network/networkInterfaces"
        )
        assert graph_of(found).incomplete
        again = whole.resumed(file)
    finally:
        whole.arm.page_size = 1000
    assert dict(whole.arm.requests[0].query)["$skiptoken"] == "2", "it goes on where it broke off"
    assert documents_of(again) == documents_of(whole.snapshot)


def test_an_expired_page_token_begins_the_call_anew(whole: Whole, tmp_path: Path) -> None:
    whole.arm.page_size = 1
    expired = Refusal(400, "InvalidSkipToken", "the skip token has expired")
    refused: list[str] = []

    def cut(request: Request) -> Refusal | None:
        return server.CUT if "networkInterfaces" in request.path and ("$skiptoken", "2") in request.query else None

    def once(request: Request) -> Refusal | None:
        if cut(request) and not refused:
            refused.append("2")
            return expired
        return None

    file = tmp_path / "s.sqlite"
    try:
        whole.again(INTERFACES, cut, file)
        again = whole.resumed(file, once)
    finally:
        whole.arm.page_size = 1000
    assert refused
    assert documents_of(again) == documents_of(whole.snapshot)


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "InvalidSubscriptionId"])
def test_a_subscription_that_does_not_answer_is_asked_once(whole: Whole, options: LiveOptions, code: str) -> None:
    gone = Refusal(404, code)
    whole.arm.judge = lambda one: gone if one.subscription == world.TWO else None
    whole.arm.requests.clear()
    found = collect((world.ONE, world.TWO), options, whole.connection)
    assert sum(1 for one in whole.arm.requests if one.subscription == world.TWO) == 1
    assert {one.call.scope for one in found.failures()} == {world.TWO}
    graph = graph_of(found)
    assert graph.incomplete
    assert "console" in {one.name for one in graph.endpoints.values()}


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        (server.DENIED, r"listing the subscriptions is denied: .*AuthorizationFailed.*name the subscriptions"),
        (server.THROTTLED, r"listing the subscriptions is throttled"),
        (server.CUT, r"listing the subscriptions broke off"),
    ],
)
def test_without_the_list_of_subscriptions_nothing_can_be_said(
    whole: Whole, options: LiveOptions, refusal: Refusal, message: str
) -> None:
    whole.arm.judge = refusing(SUBSCRIPTIONS, refusal)
    with pytest.raises(LiveError, match=message):
        collect((), options, whole.connection)
