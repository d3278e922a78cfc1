"""Every call failing in every way, one at a time: it is named, nothing collected is lost, nothing unread passes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lint.aws.collect import collect, documents_of, graph_of
from lint.aws.collect.calls import BY_NAME, HUB, OF_TRANSIT_TABLES, OPERATIONS, REGIONS, TRANSIT, Operation
from lint.graph.graph import RuleGraph
from lint.live import calls
from lint.live.calls import LiveError
from lint.live.options import LiveOptions
from lint.live.snapshot import Snapshot
from lint.live.store import Store
from lint.space.traffic import TrafficSet
from tests.aws.world import reach
from tests.live import server
from tests.live.server import Aws, Refusal, Request

PLACE = "eu-west-1"
ABSENT = (*HUB, REGIONS, *TRANSIT, *OF_TRANSIT_TABLES)  # calls that the small world doesn't need
ASKED = [operation for operation in OPERATIONS if operation not in ABSENT]
FAULTS = {
    calls.THROTTLED: server.THROTTLED,
    calls.UNAVAILABLE: server.UNAVAILABLE,
    calls.ERROR: server.ERROR,
    calls.CUT: server.CUT,
}
# Kinds that the graph can do without: they repeat what other answers say, or name what isn't there.
HARMLESS = {
    "SecurityGroupRules",
    "Addresses",
    "StaleSecurityGroupSet",
    "EgressOnlyInternetGateways",
    "VpcEndpoints",
    "DBInstances",
    "Reservations",
    "PrefixLists",
    "VpcBlockPublicAccessExclusions",
}
VITAL = {"Vpcs", "Subnets", "SecurityGroups", "NetworkInterfaces"}
# The small world has a load balancer, which without these may listen to anything and pass it on to anybody.
BALANCING = {"TargetGroups", "LoadBalancerListeners", "LoadBalancerTargetHealth", "TargetGroupAttributes"}


def refusing(operation: Operation, refusal: Refusal) -> Any:
    """A judge that refuses one operation."""
    name = "".join({"db": "DB"}.get(part, part.capitalize()) for part in operation.method.split("_"))

    def judge(request: Request) -> Refusal | None:
        return refusal if (request.service, request.action) == (operation.service, name) else None

    return judge


@pytest.fixture(scope="module")
def whole(running: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Snapshot]]:
    """An undisturbed scan with its file."""
    from tests.live.conftest import environment

    running[0].calm()
    file = tmp_path_factory.mktemp("whole") / "scan.sqlite"
    with pytest.MonkeyPatch.context() as patch:
        environment(patch, running[0])
        found = collect([PLACE], LiveOptions(work=file, rate=1000, burst=1000, progress=False))
    yield file, found


def parties(made: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    """Who is asked about."""
    here = made[PLACE]
    return [(here["client-1"], here["server-1"]), (here["client-1"], "192.0.2.0/24"), ("internet", here["server-1"])]


def allowed(graph: RuleGraph, source: str, destination: str) -> tuple[TrafficSet | None, TrafficSet | None]:
    """What certainly and what possibly passes. Nothing is certain on an incomplete source; None: nobody to ask."""
    if any(name.startswith("eni-") and name not in graph.endpoints for name in (source, destination)):
        return None, None
    found = reach(graph, source, destination).allowed
    return (None if graph.incomplete else found.must), found.may


def assert_nothing_unread_passes(before: RuleGraph, after: RuleGraph, pairs: list[tuple[str, str]]) -> None:
    """What is certain may only shrink, what is possible may only grow."""
    for source, destination in pairs:
        must, may = allowed(before, source, destination)
        less, more = allowed(after, source, destination)
        assert less is None or (must is not None and less <= must)
        assert (may is not None and more is not None and may <= more) or after.incomplete


@pytest.mark.parametrize("operation", ASKED, ids=lambda o: o.name)
def test_a_denied_call_leaves_exactly_its_own_layers_open(
    aws: Aws,
    options: LiveOptions,
    whole: tuple[Path, Snapshot],
    made: dict[str, dict[str, str]],
    operation: Operation,
) -> None:
    aws.judge = refusing(operation, server.DENIED)
    found = collect([PLACE], options)
    failed = [answer for answer in found.failures() if answer.call.operation == operation.name]
    assert failed
    assert {answer.status for answer in found.failures()} == {calls.DENIED}
    assert failed[0].call.region == PLACE
    assert failed[0].call.scope == "123456789012"
    assert "UnauthorizedOperation" in failed[0].error or "AccessDenied" in failed[0].error
    assert_nothing_else_is_lost(found, whole[1], operation)
    graph, before = graph_of(found), graph_of(whole[1])
    assert_nothing_unread_passes(before, graph, parties(made))
    assert bool(graph.incomplete) == (operation.kind in VITAL | BALANCING)
    if operation.kind not in HARMLESS:
        assert operation.name in repr(graph), "the graph says which call failed"


def assert_nothing_else_is_lost(found: Snapshot, whole: Snapshot, operation: Operation) -> None:
    (document,), (complete,) = documents_of(found), documents_of(whole)
    assert operation.kind not in document.data
    follow = {"SecurityGroups", "RouteTables", "LoadBalancers", "LoadBalancerListeners", "TargetGroups"}
    follow |= {"Vpcs", "VpcPeeringConnections"}
    for kind, held in complete.data.items():
        if kind in document.data:
            assert document.data[kind] == held or (operation.kind in follow and kind == "ManagedPrefixListEntries")
        else:
            asked_of_one = any(o.kind == kind and o.parent for o in OPERATIONS)
            assert kind == operation.kind or (operation.kind in follow and asked_of_one)


@pytest.mark.parametrize("status", FAULTS)
def test_each_call_fails_in_each_way_one_at_a_time(
    aws: Aws,
    options: LiveOptions,
    whole: tuple[Path, Snapshot],
    made: dict[str, dict[str, str]],
    status: str,
    tmp_path: Path,
) -> None:
    before = graph_of(whole[1])
    for operation in ASKED:
        file = tmp_path / f"{operation.name}.sqlite"
        without(whole[0], file, operation.name)
        aws.requests.clear()
        aws.judge = refusing(operation, FAULTS[status])
        found = collect([PLACE], replace(options, work=file, resume=True, collected={}))
        assert {(a.call.operation, a.status) for a in found.failures()} == {(operation.name, status)}
        tries = 3 if status in (calls.THROTTLED, calls.CUT) else 1
        asked = [r for r in aws.requests if r.service != "sts"]
        assert len(asked) == tries * len(found.failures()), operation.name
        assert_nothing_unread_passes(before, graph_of(found), parties(made))
        if status != calls.CUT:
            continue
        aws.judge = None
        again = collect([PLACE], replace(options, work=file, resume=True, collected={}))
        assert again.content() == whole[1].content(), "asked again, the scan is whole"


def without(file: Path, copy: Path, operation: str) -> None:
    """A scan's file as if one operation had not been asked for yet."""
    import sqlite3

    shutil.copy(file, copy)
    with sqlite3.connect(copy) as db:
        for table in ("page", "outcome"):
            db.execute(f"DELETE FROM {table} WHERE operation = ?", (operation,))
    db.close()


def test_a_call_that_breaks_off_in_the_middle_of_its_pages_counts_as_nothing(
    aws: Aws, options: LiveOptions, whole: tuple[Path, Snapshot]
) -> None:
    aws.page_size = 1

    def judge(request: Request) -> Refusal | None:
        return server.CUT if request.action == "DescribeSubnets" and request.token == "2" else None

    aws.judge = judge
    found = collect([PLACE], options)
    assert [(a.call.operation, a.status, a.pages) for a in found.failures()] == [
        ("ec2.describe_subnets", calls.CUT, ())
    ]
    (document,) = documents_of(found)
    assert "Subnets" not in document.data
    assert "Subnets" in document.missing
    assert graph_of(found).incomplete
    aws.judge = None
    aws.requests.clear()
    again = collect([PLACE], replace(options, resume=True, collected={}))
    assert next(r.token for r in aws.requests if r.service == "ec2") == "2"
    assert {r.action for r in aws.requests} == {"GetCallerIdentity", "DescribeSubnets"}
    assert documents_of(again) == documents_of(whole[1])


def test_an_expired_page_token_begins_the_call_anew(
    aws: Aws, options: LiveOptions, whole: tuple[Path, Snapshot]
) -> None:
    aws.page_size = 1
    aws.judge = lambda r: server.CUT if r.action == "DescribeSubnets" and r.token == "2" else None
    collect([PLACE], options)
    expired = Refusal("400 Bad Request", "InvalidNextToken")
    refused: list[str] = []

    def judge(request: Request) -> Refusal | None:
        if request.action == "DescribeSubnets" and request.token == "2" and not refused:
            refused.append("2")
            return expired
        return None

    aws.judge = judge
    again = collect([PLACE], replace(options, resume=True, collected={}))
    assert refused
    assert documents_of(again) == documents_of(whole[1])


def test_a_throttled_call_waits_as_long_as_the_service_asks(aws: Aws, options: LiveOptions) -> None:
    refused: list[Request] = []

    def judge(request: Request) -> Refusal | None:
        if request.action == "DescribeSecurityGroups" and not refused:
            refused.append(request)
            return Refusal("503 Service Unavailable", "RequestLimitExceeded", (("Retry-After", "1"),))
        return None

    aws.judge = judge
    found = collect([PLACE], options)
    times = [r.time for r in aws.requests if r.action == "DescribeSecurityGroups"]
    assert found.failures() == ()
    assert len(times) == 2
    assert times[1] - times[0] >= 1
    assert found.requests["ec2.describe_security_groups"] == 2, "the repeated one counts too"


def test_a_region_that_is_not_enabled_is_asked_once(aws: Aws, options: LiveOptions) -> None:
    closed = Refusal("401 Unauthorized", "AuthFailure")
    aws.judge = lambda r: closed if r.region == PLACE and r.service != "sts" else None
    found = collect([PLACE, "us-east-1"], options)
    assert sum(1 for r in aws.requests if r.region == PLACE and r.service != "sts") == 1
    assert {a.call.region for a in found.failures()} == {PLACE}
    assert {a.status for a in found.failures()} == {calls.UNAVAILABLE}
    closed_one = next(d for d in documents_of(found) if d.region == PLACE)
    assert closed_one.missing.keys() >= VITAL
    assert graph_of(found).incomplete


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("InvalidClientTokenId", "403 Forbidden", "doesn't accept the credentials"),
        ("ExpiredToken", "400 Bad Request", "have expired .* sign in again"),
    ],
)
def test_credentials_that_are_not_accepted_end_the_scan_with_a_message(
    aws: Aws, options: LiveOptions, code: str, status: str, message: str
) -> None:
    aws.judge = lambda _: Refusal(status, code)
    with pytest.raises(LiveError, match=message):
        collect([PLACE], options)


def test_no_credentials_at_all_end_the_scan_with_a_message(
    aws: Aws, options: LiveOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(LiveError, match="no usable AWS credentials"):
        collect([PLACE], options)
    assert not aws.requests


def test_credentials_that_expire_on_the_way_keep_what_was_collected(aws: Aws, options: LiveOptions) -> None:
    aws.judge = lambda r: (
        Refusal("400 Bad Request", "RequestExpired") if r.action == "GetManagedPrefixListEntries" else None
    )
    with pytest.raises(LiveError, match="--resume"):
        collect([PLACE], options)
    assert options.work is not None
    before = len(aws.requests)
    aws.judge = None
    found = collect([PLACE], replace(options, resume=True))
    assert found.failures() == ()
    assert len(aws.requests) - before < 10
    assert before > 20


def test_regions_that_cannot_be_listed_end_the_scan_with_a_message(aws: Aws, options: LiveOptions) -> None:
    aws.judge = lambda r: server.DENIED if r.action == "DescribeRegions" else None
    with pytest.raises(LiveError, match="name the regions: aws:eu-west-1"):
        collect([], options)


def test_the_table_of_calls_names_each_operation_once() -> None:
    assert len(BY_NAME) == len(OPERATIONS)


def test_a_file_of_another_scan_is_not_resumed(aws: Aws, options: LiveOptions) -> None:
    collect([PLACE], options)
    with pytest.raises(LiveError, match="belongs to a scan with other arguments"):
        collect(["us-east-1"], replace(options, resume=True, collected={}))


def test_nothing_to_resume_is_said(aws: Aws, options: LiveOptions) -> None:
    with pytest.raises(LiveError, match="there is no scan to resume"):
        collect([PLACE], replace(options, resume=True))


def test_a_file_that_another_process_writes_is_left_alone(aws: Aws, options: LiveOptions, tmp_path: Path) -> None:
    assert options.work is not None
    held = Store(options.work, {})
    with pytest.raises(LiveError, match="another netpact is writing"):
        collect([PLACE], options)
    held.close()
