"""Evidence: what a snapshot holds, that it can't be changed unseen, and that it says what the live account said."""

from __future__ import annotations

import gzip
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard

from lint.aws.collect import collect, documents_of, graph_of
from lint.live import snapshot as evidence
from lint.live.calls import LiveError
from lint.live.options import LiveOptions
from lint.live.scan import work_file
from lint.live.snapshot import Snapshot
from lint.sources import LoadOptions, SourceError, keep, load, parse
from tests.live import world
from tests.live.conftest import Made
from tests.live.server import CUT, DENIED, Aws


@pytest.fixture
def found(aws: Aws, options: LiveOptions) -> Snapshot:
    """A scan of one region, one call of which is denied."""
    aws.judge = lambda r: DENIED if r.action == "DescribeNatGateways" else None
    return collect(["eu-west-1"], options)


@pytest.mark.parametrize("name", ["audit.json", "audit.json.gz", "audit.json.zst"])
def test_a_snapshot_read_again_is_the_same(found: Snapshot, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    evidence.write(found, file)
    again = evidence.read(file)
    assert again == found
    assert documents_of(again) == documents_of(found)
    assert graph_of(again) == graph_of(found)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_each_part_says_where_when_and_for_whom_it_was_answered(found: Snapshot) -> None:
    document = found.document()
    assert document["netpact_snapshot"] == 1
    assert document["facts"]["caller"]["Account"] == world.HUB
    assert document["facts"]["caller"]["Arn"].startswith("arn:aws:")
    assert document["requests"]["ec2.describe_vpcs"] == 1
    parts = {part["operation"]: part for part in document["parts"]}
    groups = parts["ec2.describe_security_groups"]
    assert (groups["scope"], groups["region"], groups["status"]) == (world.HUB, "eu-west-1", "ok")
    assert groups["pages"][0]["time"].endswith("Z")
    assert len(groups["sha256"]) == 64
    assert parts["ec2.describe_nat_gateways"]["status"] == "denied"
    assert parts["ec2.describe_nat_gateways"]["pages"] == []
    assert "UnauthorizedOperation" in parts["ec2.describe_nat_gateways"]["error"]


def test_two_scans_of_an_unchanged_account_agree_in_their_content(
    aws: Aws, options: LiveOptions, tmp_path: Path
) -> None:
    first = collect(["eu-west-1"], options)
    second = collect(["eu-west-1"], replace(options, work=tmp_path / "second.sqlite", collected={}))
    assert first.content() == second.content()


Change = Callable[[dict[str, Any]], None]


def open_everything(document: dict[str, Any]) -> None:
    for part in document["parts"]:
        if part["operation"] == "ec2.describe_security_groups":
            part["pages"][0]["body"]["SecurityGroups"].pop()


def claim_success(document: dict[str, Any]) -> None:
    part = next(p for p in document["parts"] if p["status"] != "ok")
    part["status"] = "ok"


def drop_a_part(document: dict[str, Any]) -> None:
    document["parts"] = [p for p in document["parts"] if p["status"] == "ok"]


def another_caller(document: dict[str, Any]) -> None:
    document["facts"]["caller"]["Arn"] = "arn:aws:iam::1:user/auditor"


def another_time(document: dict[str, Any]) -> None:
    document["started"] = "2020-01-01T00:00:00Z"


def reorder(document: dict[str, Any]) -> None:
    document["parts"].reverse()


def resealed_part(document: dict[str, Any]) -> None:
    claim_success(document)
    part = next(p for p in document["parts"] if p["operation"] == "ec2.describe_nat_gateways")
    plain = {k: v for k, v in part.items() if k != "sha256"}
    part["sha256"] = evidence._hash(plain)


@pytest.mark.parametrize(
    "change", [open_everything, claim_success, drop_a_part, another_caller, another_time, reorder, resealed_part]
)
def test_a_snapshot_that_was_changed_is_refused(found: Snapshot, tmp_path: Path, change: Change) -> None:
    document = found.document()
    change(document)
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(document))
    with pytest.raises(LiveError, match="was changed after it was collected"):
        evidence.read(file)


def test_the_message_names_the_part_that_was_changed(found: Snapshot, tmp_path: Path) -> None:
    document = found.document()
    open_everything(document)
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(document))
    with pytest.raises(LiveError, match=r"ec2\.describe_security_groups in 123456789012 eu-west-1"):
        evidence.read(file)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"netpact_snapshot": 1}',
        b'{"netpact_snapshot": 99}',
        b'{"netpact_snapshot": 1, "parts": [{}], "sha256": ""}',
        b'{"netpact_snapshot": 1, "parts": [3], "sha256": ""}',
        b"[" * 100_000,
        b"\xff\xfe",
        gzip.compress(b"{}", mtime=0)[:-4],
        b"\x1f\x8b" + b"x" * 30,
        zstandard.compress(b"{" * 1000)[:-6],
        b"\x28\xb5\x2f\xfd" + b"x" * 30,
    ],
)
def test_a_file_that_is_no_snapshot_is_refused_with_a_message(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "strange.json.zst"
    file.write_bytes(data)
    with pytest.raises(LiveError, match=r"strange\.json\.zst"):
        evidence.read(file)


def test_a_snapshot_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MOST_BYTES", 1 << 20)
    file = tmp_path / "bomb.json.zst"
    file.write_bytes(zstandard.compress(b" " * (3 << 20)))
    with pytest.raises(LiveError, match="was not read"):
        evidence.read(file)


@pytest.mark.parametrize("name", ["audit.xml", "audit", "missing/audit.json"])
def test_a_target_that_cannot_be_written_is_refused_before_the_scan(aws: Aws, tmp_path: Path, name: str) -> None:
    with pytest.raises(LiveError):
        keep(parse("aws:eu-west-1"), tmp_path / name, LiveOptions(progress=False))
    assert not aws.requests


def test_only_live_accounts_are_kept(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no live account"):
        keep(parse(f"terraform:{tmp_path}"), tmp_path / "audit.json", LiveOptions())


def test_without_zstandard_the_message_says_what_to_do(
    found: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(LiveError, match=r"pip install 'netpact\[live\]'.*\.json\.gz"):
        evidence.write(found, tmp_path / "audit.json.zst")
    evidence.write(found, tmp_path / "audit.json.gz")
    assert evidence.read(tmp_path / "audit.json.gz") == found


def test_secrets_and_tags_that_the_user_names_are_never_stored(
    aws: Aws, options: LiveOptions, tmp_path: Path, made: Made
) -> None:
    file = tmp_path / "audit.json"
    chosen = replace(options, redact_tags=("owner-*",))
    found = keep(parse("aws:eu-west-1"), file, chosen)
    text = file.read_text()
    for secret in ("hunter2", "someone@example.com", "Owner-Mail", "UserData"):
        assert secret not in text
    assert "client-1" in text
    assert graph_of(found).endpoints[made["eu-west-1"]["client-1"]].name == "client-1"
    assert collect(["eu-west-1"], replace(chosen, collected={})).failures() == ()
    assert options.work is not None
    kept = b"".join(p.read_bytes() for p in tmp_path.glob("scan.sqlite*"))
    assert b"example.com" not in kept


def test_a_command_reads_a_snapshot_as_it_reads_the_account(
    aws: Aws, options: LiveOptions, tmp_path: Path, made: Made
) -> None:
    file = tmp_path / "audit.json.zst"
    aws.judge = lambda r: DENIED if r.action == "DescribeNetworkAcls" else None
    keep(parse("aws:eu-west-1"), file, options)
    live = load([parse("aws:eu-west-1")], LoadOptions(live=replace(options, collected={})))
    kept = load([parse(str(file))], LoadOptions())
    assert kept.graph == live.graph
    assert kept.problems == live.problems
    assert kept.reports[0].kind == "snapshot"
    assert not kept.reports[0].complete
    assert "123456789012, eu-west-1: ec2.describe_network_acls denied: UnauthorizedOperation" in live.problems[0].text
    (failed,) = kept.reports[0].coverage["failed"]
    assert (failed["account"], failed["region"], failed["call"]) == (
        world.HUB,
        "eu-west-1",
        "ec2.describe_network_acls",
    )
    assert kept.reports[0].coverage["requests"]["ec2.describe_subnets"] == 1


def test_a_run_asks_an_account_once(aws: Aws, options: LiveOptions) -> None:
    chosen = LoadOptions(live=options)
    load([parse("aws:eu-west-1")], chosen)
    before = len(aws.requests)
    load([parse("aws:eu-west-1")], replace(chosen, overlay={}))
    assert len(aws.requests) == before


def test_nothing_is_left_beside_a_finished_snapshot(aws: Aws, options: LiveOptions, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    aws.judge = lambda r: DENIED if r.action == "DescribeNetworkAcls" else None
    keep(parse("aws:eu-west-1"), file, options)
    assert list(tmp_path.glob("audit*")) == [file]


def test_what_may_succeed_later_can_be_asked_for_again(aws: Aws, options: LiveOptions, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    aws.judge = lambda r: CUT if r.action == "DescribeNetworkAcls" else None
    assert keep(parse("aws:eu-west-1"), file, options).failures()
    assert work_file(file).exists()
    aws.judge = None
    aws.requests.clear()
    assert not keep(parse("aws:eu-west-1"), file, replace(options, resume=True, collected={})).failures()
    assert {r.action for r in aws.requests} == {"GetCallerIdentity", "DescribeNetworkAcls"}
    assert list(tmp_path.glob("audit*")) == [file]
