"""Every AWS fixture says the same as configuration, plan, state, dump, snapshot and live account.

Each is applied with the real Terraform to an account of its own of the AWS on loopback, and scanned there. Where moto
differs from AWS it is put right, and each time it says how.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
from tests.live.terraform import Applied, apply

FIXTURES = sorted((Path(__file__).resolve().parents[2] / "fixtures" / "aws").glob("*/*/netpact.yaml"))
NAMES = [f"{place.parent.parent.name}/{place.parent.name}" for place in FIXTURES]
ACCOUNTS = [f"{number:012}" for number in range(700000000000, 700000000000 + len(NAMES))]
SOURCES = ("plan", "state", "dump", "snapshot", "aws")
AT_ONCE = 3


@dataclass(frozen=True)
class Project:
    """A fixture that was applied, and a scan of its account."""

    applied: Applied
    region: str
    snapshot: Snapshot

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""
        return self.applied.root.parent

    def judged(self, source: str) -> dict[str, Any]:
        """The report of `check` on one form of the project."""
        text = {
            "configuration": str(self.folder / "root"),
            "plan": f"plan:{self.folder / 'root' / 'plan.json'}",
            "state": f"state:{self.folder / 'root' / 'state.json'}",
            "dump": f"dump:{self.folder / 'dump'}",
            "snapshot": str(self.folder / "audit.json.zst"),
            "aws": f"aws:{self.region}",
        }[source]
        live = LiveOptions(progress=False, collected={f"aws:{self.region}": self.snapshot})
        project = load_project(self.folder / "root" / "netpact.yaml")
        report = check(Request((text,), project, load=LoadOptions(live=live), fixes=False), "1")
        found: dict[str, Any] = json.loads(render(report))
        return found


@pytest.fixture(scope="module")
def every(running: tuple[Aws, Made], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Project]]:
    """All fixtures, applied and scanned."""
    aws = running[0]
    aws.calm()
    base = tmp_path_factory.mktemp("truth")
    with pytest.MonkeyPatch.context() as patch:
        environment(patch, aws)
        patch.setenv("XDG_CACHE_HOME", str(base / "cache"))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            applied = pool.map(lambda place, account: apply_one(place, account, base), FIXTURES, ACCOUNTS)
        made = {}
        for name, (region, one) in zip(NAMES, applied, strict=True):
            for key, value in one.environ().items():
                patch.setenv(key, value)
            options = LiveOptions(rate=1000, progress=False)
            snapshot = keep(parse(f"aws:{region}"), one.root.parent / "audit.json.zst", options)
            dump(snapshot, one.root.parent / "dump")
            made[name] = Project(one, region, snapshot)
        yield made


def apply_one(project: Path, account: str, base: Path) -> tuple[str, Applied]:
    """A fixture made real in an account, with its region."""
    plan = json.loads((project.parent / "plan.json").read_text())
    region = plan["variables"]["region"]["value"]
    return region, apply(project.parent, base / account / "root", region, account)


def dump(snapshot: Snapshot, folder: Path) -> None:
    """The raw answers as files, as people keep them."""
    for document in documents_of(snapshot):
        place = folder / "aws_configs" / "accounts" / str(document.account) / str(document.region)
        place.mkdir(parents=True)
        for kind, held in document.data.items():
            (place / f"{kind}.json").write_text(json.dumps({kind: held}))


def said(report: dict[str, Any]) -> Counter[str]:
    """All that findings say of the traffic: what is left out is how a source calls its machines and rules."""

    def lanes(given: list[dict[str, Any]]) -> list[tuple[str | None, str | None, str]]:
        return [(lane["from"], lane["to"], lane["service"]) for lane in given]

    return Counter(
        json.dumps(
            {
                **{key: f[key] for key in ("id", "service", "kind", "verdict", "severity", "witness", "unknown")},
                **{side: (f[side]["role"], f[side]["addresses"]) for side in ("from", "to")},
                **{key: lanes(f[key]) for key in ("missing", "excess")},
                "blocked_by": sorted({(at["layer"], at["direction"]) for at in f["blocked_by"]}),
                # Code says nothing of the network ACL that AWS makes with a VPC, and that lets everything pass.
                "layers": [layer for layer in f["layers"] if layer != "network_acl"],
            }
        )
        for f in report["findings"]
    )


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", NAMES)
def test_every_form_of_a_project_gives_the_findings_of_its_configuration(
    every: dict[str, Project], name: str, source: str
) -> None:
    project = every[name]
    assert project.snapshot.failures() == ()
    expected = said(project.judged("configuration"))
    found = said(project.judged(source))
    assert found - expected == expected - found == Counter()


def test_the_projects_hold_what_is_right_and_what_is_wrong(every: dict[str, Project]) -> None:
    verdicts = {name: {f["verdict"] for f in every[name].judged("aws")["findings"]} for name in NAMES}
    assert all("satisfied" in found for found in verdicts.values())
    assert {name for name, found in verdicts.items() if "violated" in found} == {n for n in NAMES if "broken" in n}


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_gives_the_live_findings_byte_for_byte(every: dict[str, Project], name: str) -> None:
    project = every[name]
    live, kept = project.judged("aws"), project.judged("snapshot")
    for finding in (*live["findings"], *kept["findings"]):
        # The command that reproduces a finding names the source that was given, and nothing else differs.
        words = (finding["trace"] or "").replace(str(project.folder / "audit.json.zst"), f"aws:{project.region}")
        finding["trace"] = words
    assert json.dumps(live["findings"]) == json.dumps(kept["findings"])
    assert live["summary"] == kept["summary"]


def test_a_new_scan_gives_the_same_findings(
    running: tuple[Aws, Made], every: dict[str, Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws, project = running[0], every["hyperbdr-block/broken"]
    environment(monkeypatch, aws)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for key, value in project.applied.environ().items():
        monkeypatch.setenv(key, value)
    aws.page_size = 1
    try:
        options = LiveOptions(rate=1000, burst=1000, progress=False)
        second = keep(parse(f"aws:{project.region}"), tmp_path / "again.json", options)
    finally:
        aws.calm()
    again = Project(project.applied, project.region, second)
    assert project.snapshot.failures() == second.failures() == ()
    assert project.judged("aws")["findings"] == again.judged("aws")["findings"]
