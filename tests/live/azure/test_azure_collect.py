"""A scan of Azure: what it asks, what it keeps, and that every source tells the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lint import cli
from lint.azure.collect import access, documents_of, graph_of
from lint.azure.collect.calls import EVERYWHERE, PERMISSIONS, RESOURCE_GRAPH
from lint.live.calls import LiveError
from lint.live.options import AzureAccess, LiveOptions
from lint.live.snapshot import Snapshot, read
from lint.sources import keep, parse
from tests.live.azure import server, world
from tests.live.azure.ask import connection
from tests.live.azure.faults import changed, refusing
from tests.live.azure.server import Arm, Request

Scan = Callable[..., Snapshot]
PROJECT = """\
version: 1
deployments:
  dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    roles:
      console: [{addresses: [198.51.100.7/32]}]
      cloud-sync-gateway: [{tags: {role: console}}]
      agent: [{tags: {role: agent}}]
"""


def test_all_subscriptions_that_the_identity_sees(arm: Arm, scan: Scan) -> None:
    snapshot = scan()
    assert snapshot.failures() == ()
    graph = graph_of(snapshot)
    assert graph.incomplete == ()
    assert {one.name for one in graph.endpoints.values()} == {
        "console", "agent-1", "agent-2", "db", "lab", "vault", "workers_0", "front"
    }  # fmt: skip
    assert sum(snapshot.requests.values()) == len(arm.requests)


def test_a_machine_of_a_scale_set_bears_its_tags(scan: Scan) -> None:
    graph = graph_of(scan())
    (worker,) = [one for one in graph.endpoints.values() if one.name == "workers_0"]
    assert worker.tags == (("role", "worker"),)
    assert "workers" in worker.aliases


def test_secrets_are_never_stored(scan: Scan) -> None:
    text = json.dumps(scan().document())
    assert "secret" not in text
    assert "root-of-all" not in text
    assert "extensions" not in text


def test_tags_named_by_the_user_are_never_stored(scan: Scan, options: LiveOptions) -> None:
    assert "someone@example.com" in json.dumps(scan().document())
    assert "someone@example.com" not in json.dumps(scan(using=replace(options, redact_tags=("own*",))).document())


# Which subscriptions


@pytest.mark.parametrize("name", [world.TWO, world.TWO.upper(), "Data", "data"])
def test_a_subscription_by_its_id_or_name(arm: Arm, scan: Scan, name: str) -> None:
    assert {one.call.scope for one in scan(name).answers() if one.call.scope} == {world.TWO}


def test_ids_need_no_list_of_subscriptions(arm: Arm, scan: Scan) -> None:
    scan(world.TWO)
    assert not arm.asked("/subscriptions")


def test_a_name_that_nothing_has_is_said(scan: Scan) -> None:
    with pytest.raises(LiveError, match="azure:Nowhere: this identity sees no subscription of this id or name"):
        scan("Nowhere")


def test_the_subscriptions_below_a_management_group(arm: Arm, scan: Scan, options: LiveOptions) -> None:
    arm.groups["data"] = [world.TWO]
    using = replace(options, azure=AzureAccess(management_groups=("data",)))
    assert {one.call.scope for one in scan(using=using).answers() if one.call.scope} == {world.TWO}
    with pytest.raises(LiveError, match=r"listing the management group nowhere failed .*allow Microsoft\.Management"):
        scan(using=replace(options, azure=AzureAccess(management_groups=("nowhere",))))
    with pytest.raises(LiveError, match="no id of a management group"):
        scan(using=replace(options, azure=AzureAccess(management_groups=("../../x",))))


def test_a_subscription_that_is_disabled_is_skipped_and_said(arm: Arm, scan: Scan) -> None:
    arm.subscriptions[1]["state"] = "Disabled"
    found = scan()
    assert found.facts["skipped"] == {world.TWO: "Disabled"}
    assert {one.call.scope for one in found.answers() if one.call.scope} == {world.ONE}


def test_no_subscription_at_all_is_said(arm: Arm, scan: Scan) -> None:
    arm.subscriptions = []
    with pytest.raises(LiveError, match=r"sees no Azure subscription .*docs/azure-role\.json"):
        scan()


# Resource Graph


def several(arm: Arm, number: int = 5) -> list[str]:
    """Further subscriptions, each with an NSG."""
    ids = [world.ONE, world.TWO]
    for at in range(3, number + 1):
        id_ = world.ONE.replace("1", str(at))
        arm.subscriptions.append({"subscriptionId": id_, "displayName": f"S{at}", "state": "Enabled"})
        world.Place(arm, id_, "rg").nsg("alone", "In 100 Allow Tcp 192.0.2.0/24 * 443")
        ids.append(id_)
    return ids


def lists(arm: Arm) -> list[Request]:
    """The requests for a whole list."""
    paths = {one.path.rpartition("/")[2].lower() for one in EVERYWHERE}
    return [r for r in arm.requests if r.path.count("/") == 5 and r.path.rpartition("/")[2].lower() in paths]


def test_many_subscriptions_are_read_by_resource_graph_in_fewer_calls(
    arm: Arm, scan: Scan, options: LiveOptions
) -> None:
    several(arm)
    plain = scan(using=replace(options, azure=AzureAccess(resource_graph=False)))
    by_lists = len(arm.requests)
    assert len(lists(arm)) == 5 * len(EVERYWHERE)
    arm.requests.clear()
    arm.page_size = 7
    graph = scan()
    assert graph.failures() == ()
    assert lists(arm) == []
    assert len(arm.asked("Microsoft.ResourceGraph/resources")) > 3, "page by page"
    assert len(arm.requests) < by_lists / 2
    assert not changed(graph_of(plain), graph_of(graph))
    assert {one.lower() for one in graph_of(plain).filters} == {one.lower() for one in graph_of(graph).filters}
    assert "secret" not in json.dumps(graph.document())


def test_few_subscriptions_are_listed(arm: Arm, scan: Scan) -> None:
    several(arm, 3)
    scan()
    assert not arm.asked("Microsoft.ResourceGraph/resources")


@pytest.mark.parametrize(
    "permissions",
    [
        [{"actions": ["Microsoft.Network/networkSecurityGroups/read"], "notActions": []}],
        [{"actions": ["*/read"], "notActions": ["Microsoft.Compute/*"]}],
        [],
    ],
)
def test_resource_graph_is_not_believed_where_it_may_leave_something_out(
    arm: Arm, scan: Scan, permissions: list[dict[str, Any]]
) -> None:
    several(arm)
    arm.permissions = permissions
    assert scan().failures() == ()
    assert len(lists(arm)) == 5 * len(EVERYWHERE)
    assert not arm.asked("Microsoft.ResourceGraph/resources")


@pytest.mark.parametrize("operation", [PERMISSIONS, RESOURCE_GRAPH])
@pytest.mark.parametrize("refusal", [server.DENIED, server.THROTTLED, server.CUT], ids=["denied", "throttled", "cut"])
def test_where_resource_graph_fails_the_lists_serve(
    arm: Arm, scan: Scan, operation: Any, refusal: server.Refusal
) -> None:
    several(arm)
    arm.judge = refusing(operation, refusal)
    found = scan()
    assert found.failures() == (), "nothing is missing"
    assert len(lists(arm)) == 5 * len(EVERYWHERE)


def test_a_truncated_result_is_not_taken_for_all(arm: Arm, scan: Scan) -> None:
    several(arm)

    def truncate(request: Request, answer: Any) -> Any:
        if request.path.endswith("Microsoft.ResourceGraph/resources"):
            return {**answer, "data": answer["data"][:3], "resultTruncated": "true"}
        return answer

    arm.rewrite = truncate
    assert scan().failures() == ()
    assert len(lists(arm)) == 5 * len(EVERYWHERE)


def test_a_result_as_a_table_is_understood(arm: Arm, scan: Scan) -> None:
    several(arm)
    before = graph_of(scan())

    def table(request: Request, answer: Any) -> Any:
        if not request.path.endswith("Microsoft.ResourceGraph/resources"):
            return answer
        names = list(answer["data"][0])
        rows = [[row[name] for name in names] for row in answer["data"]]
        return {**answer, "data": {"columns": [{"name": name} for name in names], "rows": rows}}

    arm.rewrite = table
    arm.requests.clear()
    after = scan()
    assert lists(arm) == []
    assert not changed(before, graph_of(after))
    assert "secret" not in json.dumps(after.document())


# One truth from every source


def as_dump(snapshot: Snapshot, folder: Path) -> Path:
    """The raw answers of a scan as a folder of files."""
    for number, document in enumerate(documents_of(snapshot)):
        folder.mkdir(exist_ok=True)
        (folder / f"{number:03}.json").write_text(json.dumps(document.data), encoding="utf-8")
    return folder


def without_places(document: Any) -> Any:
    """Findings without where in a dump's files a thing stands, which a live account can't say."""
    if isinstance(document, str):
        return re.sub(r" \(\d+\.json:\d+\)", "", document)
    if isinstance(document, dict):
        return {k: without_places(v) for k, v in document.items() if k not in ("file", "line", "end_line")}
    return [without_places(one) for one in document] if isinstance(document, list) else document


def findings(text: str, source: str) -> str:
    """The findings of a report byte for byte, save the source's own name in the commands that it proposes."""
    return text[text.index('"findings"') :].replace(source, "SOURCE")


def check(source: str, folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    """What `netpact check` says."""
    config = folder / "netpact.yaml"
    config.write_text(PROJECT, encoding="utf-8")
    status = cli.run(["check", source, "--config", str(config), *more])
    return status, capsys.readouterr().out


@pytest.mark.parametrize("refused", [None, "routeTables", "networkInterfaces"])
def test_live_snapshot_and_dump_give_the_same_findings(
    arm: Arm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: str | None
) -> None:
    monkeypatch.setattr(access, "connect", lambda _: connection(arm))
    arm.judge = lambda one: server.DENIED if refused and one.path.endswith(f"Network/{refused}") else None
    file = tmp_path / "audit.json.zst"
    keep(parse("azure:"), file, LiveOptions(progress=False))
    arm.page_size = 3
    live = check("azure:", tmp_path, capsys, "--format", "json")
    kept = check(str(file), tmp_path, capsys, "--format", "json")
    assert live[0] == kept[0]
    assert findings(live[1], "azure:") == findings(kept[1], str(file))
    of_live = json.loads(live[1])
    verdicts = {one["verdict"] for one in of_live["findings"]}
    assert verdicts >= ({"undetermined"} if refused else {"violated", "satisfied"})
    dump = as_dump(read(file), tmp_path / "dump")
    of_dump = json.loads(
        check(f"dump:{dump}", tmp_path, capsys, "--format", "json")[1].replace(f"dump:{dump}", "azure:")
    )
    assert without_places(of_dump["findings"]) == without_places(of_live["findings"])
    assert of_dump["summary"] == of_live["summary"]


def test_a_check_says_what_could_not_be_read(
    arm: Arm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(access, "connect", lambda _: connection(arm))
    arm.judge = lambda one: server.DENIED if one.path.endswith("networkSecurityGroups") else None
    _, text = check("azure:", tmp_path, capsys, "--format", "json")
    found = json.loads(text)
    assert found["summary"]["satisfied"] == 0
    (source,) = found["sources"]
    assert source["complete"] is False
    failed = source["coverage"]["failed"]
    assert {(one["call"], one["status"]) for one in failed} == {("network.networkSecurityGroups", "denied")}
    assert {one["account"] for one in failed} == {world.ONE, world.TWO}
    assert source["coverage"]["requests"]["network.networkSecurityGroups"] == 5
    assert any(
        "network.networkSecurityGroups denied" in reason for one in found["findings"] for reason in one["unknown"]
    )
