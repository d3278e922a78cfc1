"""Every AWS fixture says the same as configuration, plan, state, dump, snapshot and live account.

Each is applied with the real Terraform to an account of its own of the AWS on loopback, and scanned there. Where moto
differs from AWS it is put right, and each time it says how.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.regenerate import OVERRIDE, groups_of_interfaces
from lint.aws.collect import documents_of
from lint.check import Request, check
from lint.live.options import LiveOptions
from lint.live.snapshot import Snapshot
from lint.project import load as load_project
from lint.report.json import render
from lint.sources import LoadOptions, keep, parse
from tests.live import world
from tests.live.conftest import Made, environment
from tests.live.server import Aws

pytestmark = pytest.mark.xdist_group("one truth")  # one worker applies them all, and once

FIXTURES = sorted((Path(__file__).resolve().parents[2] / "fixtures" / "aws").glob("*/*/netpact.yaml"))
NAMES = [f"{place.parent.parent.name}/{place.parent.name}" for place in FIXTURES]
SOURCES = ("plan", "state", "dump", "snapshot", "aws")
AT_ONCE = 4


@dataclass(frozen=True)
class Applied:
    """A fixture with its state, and a scan of the account that it was applied to."""

    folder: Path
    region: str
    credentials: dict[str, str]
    snapshot: Snapshot

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


def plugins() -> Path | None:
    """A plugin directory for `terraform init` that holds the AWS provider."""
    named = os.environ.get("NETPACT_PLUGIN_DIR")
    places = [Path(named)] if named else [*Path("/opt").glob("*"), Path.home() / ".terraform.d" / "plugins"]
    for place in places:
        if place.is_dir() and next(place.rglob("terraform-provider-aws*"), None) is not None:
            return place
    return None


def apply(fixture: Path, folder: Path, credentials: dict[str, str], terraform: str, directory: Path) -> str:
    """Make the fixture real; its region."""
    root = folder / "root"
    shutil.copytree(fixture, root, ignore=shutil.ignore_patterns("state.json", "expected.json"))
    environ = {k: v for k, v in os.environ.items() if k != "TF_CLI_CONFIG_FILE"} | credentials

    def run(*arguments: str) -> str:
        command = [terraform, *arguments]
        done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"terraform {arguments[0]} of {fixture}: {done.stderr}"
        return done.stdout

    own = "".join(line for line in OVERRIDE.splitlines(keepends=True) if "_key  " not in line)
    (root / "zz_override.tf").write_text(own)  # credentials come from the environment
    run("init", "-input=false", f"-plugin-dir={directory}")
    run("apply", "-input=false", "-auto-approve")
    (root / "state.json").write_text(run("show", "-json"))
    (root / "zz_override.tf").unlink()
    plan = json.loads((root / "plan.json").read_text())
    return str(plan["variables"]["region"]["value"])


@pytest.fixture(scope="module")
def every(running: tuple[Aws, Made], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Applied]]:
    """All fixtures, applied and scanned."""
    terraform, directory = shutil.which("terraform"), plugins()
    if terraform is None or directory is None:
        pytest.skip(
            "needs a terraform binary and the AWS provider in NETPACT_PLUGIN_DIR, below /opt or in ~/.terraform.d"
        )
    aws = running[0]
    aws.calm()
    base = tmp_path_factory.mktemp("truth")
    with pytest.MonkeyPatch.context() as patch:
        environment(patch, aws)
        patch.setenv("XDG_CACHE_HOME", str(base / "cache"))
        groups_of_interfaces()  # moto answers no groups for an instance; AWS answers those of its first interface
        accounts = {name: f"{number:012}" for number, name in enumerate(NAMES, 700000000000)}
        given = {name: credentials_of(account) for name, account in accounts.items()}
        folders = {name: base / accounts[name] for name in NAMES}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            regions = pool.map(
                lambda name, place: apply(place.parent, folders[name], given[name], terraform, directory),
                NAMES,
                FIXTURES,
            )
        made = {}
        for name, region in zip(NAMES, regions, strict=True):
            for key, value in given[name].items():
                patch.setenv(key, value)
            options = LiveOptions(rate=1000, progress=False)
            snapshot = keep(parse(f"aws:{region}"), folders[name] / "audit.json.zst", options)
            dump(snapshot, folders[name] / "dump")
            made[name] = Applied(folders[name], region, given[name], snapshot)
        yield made


def credentials_of(account: str) -> dict[str, str]:
    """Environment variables for an account of the AWS on loopback."""
    held = world.session("us-east-1", account).get_credentials()
    return {
        "AWS_ACCESS_KEY_ID": held.access_key,
        "AWS_SECRET_ACCESS_KEY": held.secret_key,
        "AWS_SESSION_TOKEN": held.token,
    }


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
    every: dict[str, Applied], name: str, source: str
) -> None:
    applied = every[name]
    assert applied.snapshot.failures() == ()
    expected = said(applied.judged("configuration"))
    found = said(applied.judged(source))
    assert found - expected == expected - found == Counter()


def test_the_projects_hold_what_is_right_and_what_is_wrong(every: dict[str, Applied]) -> None:
    verdicts = {name: {f["verdict"] for f in every[name].judged("aws")["findings"]} for name in NAMES}
    assert all("satisfied" in found for found in verdicts.values())
    assert {name for name, found in verdicts.items() if "violated" in found} == {n for n in NAMES if "broken" in n}


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_gives_the_live_findings_byte_for_byte(every: dict[str, Applied], name: str) -> None:
    applied = every[name]
    live, kept = applied.judged("aws"), applied.judged("snapshot")
    for finding in (*live["findings"], *kept["findings"]):
        # The command that reproduces a finding names the source that was given, and nothing else differs.
        words = (finding["trace"] or "").replace(str(applied.folder / "audit.json.zst"), f"aws:{applied.region}")
        finding["trace"] = words
    assert json.dumps(live["findings"]) == json.dumps(kept["findings"])
    assert live["summary"] == kept["summary"]


def test_a_new_scan_gives_the_same_findings(
    running: tuple[Aws, Made], every: dict[str, Applied], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws, applied = running[0], every["hyperbdr-block/broken"]
    environment(monkeypatch, aws)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for key, value in applied.credentials.items():
        monkeypatch.setenv(key, value)
    aws.page_size = 1
    try:
        options = LiveOptions(rate=1000, burst=1000, progress=False)
        second = keep(parse(f"aws:{applied.region}"), tmp_path / "again.json", options)
    finally:
        aws.calm()
    again = Applied(applied.folder, applied.region, applied.credentials, second)
    assert applied.snapshot.failures() == second.failures() == ()
    assert applied.judged("aws")["findings"] == again.judged("aws")["findings"]
