"""--azure-verify-effective: what is asked of machines that run, how long-running calls go on, and what comes of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lint import cli
from lint.azure.collect import access, graph_of
from lint.azure.collect.calls import EFFECTIVE_GROUPS, EFFECTIVE_ROUTES
from lint.live import calls
from lint.live.options import AzureAccess, LiveOptions
from lint.live.snapshot import Snapshot, read
from lint.live.snapshot import write as keep
from tests.azure.conftest import Judge
from tests.azure.in_force import effective_group, expansions
from tests.live.azure import server, world
from tests.live.azure.ask import connection
from tests.live.azure.server import Arm, Refusal, Request

Scan = Callable[..., Snapshot]
MACHINES = ["agent-1", "agent-2", "console", "db", "lab"]
GROUPS, ROUTES = "effectiveNetworkSecurityGroups", "effectiveRouteTable"


@pytest.fixture
def verifying(options: LiveOptions) -> LiveOptions:
    return replace(options, azure=AzureAccess(verify_effective=True))


def interface(name: str) -> str:
    place = world.Place(
        Arm(), world.TWO if name in ("db", "lab") else world.ONE, "rg-data" if name in ("db", "lab") else "rg-app"
    )
    return place.id("networkInterfaces", f"{name}-nic")


def tell(arm: Arm, name: str, subnet: str, group: str, tags: Any = None) -> list[Any]:
    """Put in force at a machine what the lists say of its subnet's NSG; the rows, for a test to change."""
    held = next(one for id_, one in arm.resources.items() if id_.endswith(f"/networkSecurityGroups/{group}"))
    where = next(one for id_, one in arm.resources.items() if id_.endswith("/virtualNetworks/v1"))["id"]
    rows = [
        effective_group(held, tags or expansions(("10.0.0.0/16", "10.1.0.0/16")), subnet=f"{where}/subnets/{subnet}")
    ]
    arm.in_force[f"{interface(name)}/{GROUPS}".lower()] = rows
    return rows


def asked(arm: Arm, action: str) -> list[str]:
    """The machines whose interfaces were asked for something, in order of their names."""
    return sorted(one.path.split("/")[-2].removesuffix("-nic") for one in arm.asked(f"/{action}"))


def results(arm: Arm) -> list[Request]:
    return [one for one in arm.requests if "/operationresults/" in one.path.lower()]


def statuses(found: Snapshot) -> Counter[tuple[str, str]]:
    return Counter((one.call.operation.rpartition(".")[2], one.status) for one in found.failures())


def test_nothing_of_it_is_asked_without_the_option(arm: Arm, scan: Scan) -> None:
    scan()
    assert not [
        one for one in arm.requests if "effective" in one.path.split("/")[-1] or ("statusOnly", "true") in one.query
    ]


def test_interfaces_of_machines_that_run_are_asked_and_no_others(arm: Arm, scan: Scan, verifying: LiveOptions) -> None:
    arm.stopped = {"lab", "agent-2"}
    found = scan(using=verifying)
    assert found.failures() == ()
    assert asked(arm, GROUPS) == asked(arm, ROUTES) == ["agent-1", "console", "db"]
    assert len([one for one in arm.requests if ("statusOnly", "true") in one.query]) == 2, (
        "one call for each subscription"
    )
    assert sum(found.requests.values()) == len(arm.requests)


@pytest.mark.parametrize("polls", [0, 1, 5])
def test_a_long_running_call_is_asked_for_its_result_until_it_is_there(
    arm: Arm, scan: Scan, verifying: LiveOptions, polls: int
) -> None:
    arm.polls = polls
    found = scan(using=verifying)
    assert found.failures() == ()
    assert len(results(arm)) == 2 * len(MACHINES) * (polls + 1)
    assert {one.method for one in results(arm)} == {"GET"}
    assert all("api-version" in dict(one.query) for one in results(arm))


def test_a_result_that_never_comes_is_given_up_and_said(arm: Arm, scan: Scan, verifying: LiveOptions) -> None:
    arm.polls = 10**9
    assert set(statuses(scan(using=verifying))) == {(GROUPS, calls.CUT), (ROUTES, calls.CUT)}


def test_a_time_that_is_too_long_is_not_waited_for(arm: Arm, scan: Scan, verifying: LiveOptions) -> None:
    arm.after = "3600"
    assert set(statuses(scan(using=verifying))) == {(GROUPS, calls.CUT), (ROUTES, calls.CUT)}


def test_the_service_is_not_asked_before_the_time_that_it_names(arm: Arm, scan: Scan, verifying: LiveOptions) -> None:
    arm.after = "1"
    arm.stopped = set(MACHINES) - {"db"}
    scan(using=replace(verifying, longest_wait=1.0))
    for action in (GROUPS, ROUTES):
        (begun,) = arm.asked(f"/{action}")
        polled = [one.time for one in results(arm)]
        assert len(polled) == 4
        assert sorted(polled)[-1] - begun.time >= 0.9


def test_where_the_list_of_states_is_denied_all_are_asked_and_stopped_machines_are_no_failure(
    arm: Arm, scan: Scan, verifying: LiveOptions
) -> None:
    arm.stopped = {"lab"}
    arm.judge = lambda request: server.DENIED if ("statusOnly", "true") in request.query else None
    found = scan(using=verifying)
    assert statuses(found) == {("states", calls.DENIED): 2}
    assert asked(arm, GROUPS) == MACHINES
    assert graph_of(found).incomplete == ()


FAULTS = {
    calls.DENIED: server.DENIED,
    calls.THROTTLED: server.THROTTLED,
    calls.CUT: server.CUT,
    calls.ERROR: server.BROKEN,
    calls.UNAVAILABLE: server.MISSING,
}


@pytest.mark.parametrize("status", FAULTS)
@pytest.mark.parametrize("operation", [EFFECTIVE_GROUPS, EFFECTIVE_ROUTES], ids=lambda one: one.name)
def test_a_call_that_fails_is_said_and_no_verdict_rests_on_it(
    arm: Arm, scan: Scan, options: LiveOptions, verifying: LiveOptions, operation: Any, status: str, tmp_path: Path
) -> None:
    plain = graph_of(scan(using=replace(options, work=tmp_path / "plain.sqlite")))
    action = operation.path.rpartition("/")[2]
    arm.judge = lambda request: FAULTS[status] if request.path.endswith(action) else None
    found = scan(using=verifying)
    assert statuses(found) == {(action, status): len(MACHINES)}
    graph = graph_of(found)
    assert graph.incomplete == ()
    assert len([note for note in graph.notes if operation.name in note]) == len(MACHINES)
    for pair in (("agent-1", "console"), ("198.51.100.7", "console"), ("agent-2", "db")):
        assert Judge(graph).reach(*pair).allowed == Judge(plain).reach(*pair).allowed


def test_a_stopped_scan_goes_on_with_the_result_that_was_asked_for(
    arm: Arm, scan: Scan, verifying: LiveOptions
) -> None:
    arm.judge = lambda request: server.CUT if "/operationresults/" in request.path.lower() else None
    assert set(statuses(scan(using=verifying))) == {(GROUPS, calls.CUT), (ROUTES, calls.CUT)}
    arm.judge = None
    arm.requests.clear()
    assert scan(using=replace(verifying, resume=True)).failures() == ()
    assert not arm.asked(GROUPS) and not arm.asked(ROUTES), "it was asked for already"
    assert results(arm)


def test_a_result_that_is_gone_is_asked_for_anew(arm: Arm, scan: Scan, verifying: LiveOptions) -> None:
    arm.judge = lambda request: server.CUT if "/operationresults/" in request.path.lower() else None
    scan(using=verifying)
    arm.judge = None
    arm.expired = len(arm.results)
    arm.requests.clear()
    assert scan(using=replace(verifying, resume=True)).failures() == ()
    assert asked(arm, GROUPS) == MACHINES


def test_a_result_on_another_host_is_not_asked_for(arm: Arm, scan: Scan, verifying: LiveOptions) -> None:
    away = Refusal(202, headers=(("Location", "https://example.com/results/1"), ("Retry-After", "0")))
    arm.judge = lambda request: away if request.path.endswith(GROUPS) else None
    found = scan(using=verifying)
    assert statuses(found) == {(GROUPS, calls.ERROR): len(MACHINES)}
    assert all("another host" in one.error for one in found.failures())


def test_no_more_calls_are_under_way_in_a_subscription_than_allowed(
    arm: Arm, scan: Scan, verifying: LiveOptions
) -> None:
    import threading
    import time

    under_way, most, lock = [0], [0], threading.Lock()

    def judge(request: Request) -> None:
        if request.path.endswith((GROUPS, ROUTES)) and f"/{world.ONE}/" in request.path:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            time.sleep(0.02)
            with lock:
                under_way[0] -= 1

    arm.judge = judge
    scan(using=replace(verifying, calls_a_place=2))
    assert 0 < most[0] <= 2


def test_what_is_in_force_is_kept_and_decides_the_same_from_the_snapshot(
    arm: Arm, scan: Scan, verifying: LiveOptions, tmp_path: Path
) -> None:
    rows = tell(arm, "console", "console", "console-nsg")
    agents, own = rows[0]["effectiveSecurityRules"][:2]
    agents |= {"sourceAddressPrefix": "", "expandedSourceAddressPrefix": ["10.0.2.4/32", "10.0.2.5/32"]}
    assert own["name"] == "securityRules/in-110"
    assert Judge(graph_of(scan(using=verifying))).verdict("198.51.100.7", "console", "tcp/22") == "allowed"
    own["sourceAddressPrefix"] = "203.0.113.0/24"
    found = scan(using=verifying)
    graph = graph_of(found)
    asking = Judge(graph)
    assert asking.verdict("198.51.100.7", "console", "tcp/22") == "undetermined"
    assert asking.verdict("agent-2", "db", "tcp/5432") == "allowed", "elsewhere nothing was told"
    texts = [reason.text for reason in asking.reach("198.51.100.7", "console", "tcp/22").reasons]
    assert any("at console-nic" in text and "in-110" in text for text in texts)
    kept = tmp_path / "kept.json"
    keep(found, kept)
    assert graph_of(read(kept)) == graph


PROJECT = """\
version: 1
packs: [mirror.yaml]
deployments:
  dr:
    pack: acme/mirror
    roles:
      agent: [{tags: {role: agent}}]
      mirror: [{tags: {role: console}}]
"""
PACK = """\
schema: 1
id: acme/mirror
title: Acme Mirror
document: {title: Ports of Acme Mirror}
roles:
  agent: {title: agent, lives: customer}
  mirror: {title: mirror, lives: cloud}
flows:
  - {id: data, kind: required, from: agent, to: mirror, services: tcp/9000, purpose: p, cites: [{section: S, row: 1}]}
"""


@pytest.mark.parametrize(("differs", "verdict"), [(False, "satisfied"), (True, "undetermined")])
def test_check_says_what_is_in_force_otherwise(
    arm: Arm,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    differs: bool,
    verdict: str,
) -> None:
    monkeypatch.setattr(access, "connect", lambda _: connection(arm))
    (tmp_path / "netpact.yaml").write_text(PROJECT)
    (tmp_path / "mirror.yaml").write_text(PACK)
    rules = tell(arm, "console", "console", "console-nsg")[0]["effectiveSecurityRules"]
    members = ["10.0.2.4/32", "10.0.2.9/32" if differs else "10.0.2.5/32"]
    rules[0] |= {"sourceAddressPrefix": "", "expandedSourceAddressPrefix": members}
    cli.run(
        ["check", "azure:", "--config", str(tmp_path / "netpact.yaml"), "--azure-verify-effective", "--format", "json"]
    )
    found = json.loads(capsys.readouterr().out)
    (finding,) = found["findings"]
    assert finding["verdict"] == verdict
    assert any("at console-nic, Azure has another thing" in text for text in finding["unknown"]) == differs
    (source,) = found["sources"]
    assert source["complete"] is True
    assert any("what is in force at 1 interfaces was compared" in note for note in source["notes"])
    assert source["coverage"]["requests"]["network.networkInterfaces.effectiveRouteTable"] == 3 * len(MACHINES)
