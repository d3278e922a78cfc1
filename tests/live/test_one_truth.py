"""The same project says the same as configuration, plan, state, dump, snapshot and live account.

The project is applied with the real Terraform to the AWS on loopback. Where moto differs from AWS it is put right, and
each time the test says how.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lint.aws.collect import documents_of
from lint.check import Request, check
from lint.live.options import LiveOptions
from lint.live.snapshot import Snapshot
from lint.project import load as load_project
from lint.report.json import render
from lint.sources import LoadOptions, keep, parse
from tests.live.conftest import Made, environment
from tests.live.server import Aws
from tests.live.terraform import apply

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "aws" / "hyperbdr-block" / "broken"
ACCOUNT = "333333333333"
REGION = "us-east-1"
Applied = tuple[Aws, Path, Snapshot]
SOURCES = ("configuration", "plan", "state", "dump", "snapshot", "aws")
# As the fixture's own, with the one selector that only Terraform can answer said by the machines' names.
PROJECT = """
version: 1
deployments:
  prod-dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    parameters: {region: us-east-1}
    roles:
      console: [{addresses: [203.0.113.10/32, 203.0.113.11/32]}]
      cloud-sync-gateway: [{tags: {dr-role: gateway}}]
      agent: [{names: ["app-*"]}]
      transition-host: [{security_groups: ["dr-transition-host"]}]
"""


@pytest.fixture(scope="module")
def applied(
    running: tuple[Aws, Made], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Aws, Path, Snapshot]]:
    """The project's folder with its plan and state, and a scan of the account that it was applied to."""
    aws = running[0]
    aws.calm()
    folder = tmp_path_factory.mktemp("truth")
    (folder / "netpact.yaml").write_text(PROJECT)
    with pytest.MonkeyPatch.context() as patch:
        environment(patch, aws)
        made = apply(FIXTURE, folder / "root", REGION, ACCOUNT)
        for name, value in made.environ().items():
            patch.setenv(name, value)
        snapshot = keep(parse(f"aws:{REGION}"), folder / "audit.json.zst", LiveOptions(rate=1000, progress=False))
        for document in documents_of(snapshot):
            place = folder / "dump" / "aws_configs" / "accounts" / str(document.account) / str(document.region)
            place.mkdir(parents=True)
            for kind, held in document.data.items():
                (place / f"{kind}.json").write_text(json.dumps({kind: held}))
        yield aws, folder, snapshot


def judged(applied: Applied, source: str) -> dict[str, Any]:
    """The report of `check` on one form of the project."""
    _, folder, snapshot = applied
    text = {
        "configuration": str(folder / "root"),
        "plan": f"plan:{folder / 'root' / 'plan.json'}",
        "state": f"state:{folder / 'root' / 'state.json'}",
        "dump": f"dump:{folder / 'dump'}",
        "snapshot": str(folder / "audit.json.zst"),
        "aws": f"aws:{REGION}",
    }[source]
    live = LiveOptions(progress=False, collected={f"aws:{REGION}": snapshot})
    project = load_project(folder / "netpact.yaml")
    report = check(Request((text,), project, load=LoadOptions(live=live), fixes=False), "1")
    found: dict[str, Any] = json.loads(render(report))
    return found


def verdicts(report: dict[str, Any]) -> Counter[tuple[str, str, str]]:
    """Flow, service and verdict of each finding."""
    return Counter((f["id"], f["service"], f["verdict"]) for f in report["findings"])


@pytest.mark.parametrize("source", SOURCES[1:])
def test_every_form_of_the_project_has_the_verdicts_of_its_configuration(applied: Applied, source: str) -> None:
    expected = verdicts(judged(applied, "configuration"))
    assert {verdict for _, _, verdict in expected} >= {"satisfied", "violated"}
    assert verdicts(judged(applied, source)) == expected


def test_a_snapshot_gives_the_live_findings_byte_for_byte(applied: Applied) -> None:
    live, kept = judged(applied, "aws"), judged(applied, "snapshot")
    for report in (live, kept):
        for finding in report["findings"]:
            # The command that reproduces a finding names the source that was given, and nothing else differs.
            words = (finding["trace"] or "").replace(str(applied[1] / "audit.json.zst"), f"aws:{REGION}")
            finding["trace"] = words
    assert json.dumps(live["findings"]) == json.dumps(kept["findings"])
    assert live["summary"] == kept["summary"]


def test_a_new_scan_gives_the_same_findings(applied: Applied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aws, folder, first = applied
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    aws.page_size = 1
    try:
        second = keep(
            parse(f"aws:{REGION}"), tmp_path / "again.json", LiveOptions(rate=1000, burst=1000, progress=False)
        )
    finally:
        aws.calm()
    again = (aws, folder, second)
    assert first.failures() == second.failures() == ()
    assert judged(applied, "aws")["findings"] == judged(again, "aws")["findings"]
