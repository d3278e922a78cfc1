"""What the live room keeps, hides, shows and takes from the command line."""

from __future__ import annotations

import argparse
import io
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.live.arguments import add, options_from
from lint.live.calls import OK, Call, LiveError, Page
from lint.live.collection import Collection
from lint.live.options import AwsAccess, AzureAccess, LiveOptions
from lint.live.progress import Progress, progress_for
from lint.live.redact import SECRETS, cleaner
from lint.live.scan import cache_folder
from lint.live.store import Store

CALL = Call.of("1", "eu", "x.list", {"b": 1, "a": [2]})
names = st.sampled_from(["Tags", "tags", "TagList", "Name", "UserData", "userData", "SharedKey", "Key", "Value", "x"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


def test_a_call_is_the_same_whatever_the_order_of_its_parameters() -> None:
    assert Call.of("1", "eu", "x.list", {"a": [2], "b": 1}) == CALL
    assert CALL.where() == "1, eu"
    assert Call.of("1", "", "x.list").where() == "1"


def test_what_is_kept_outlives_the_process_that_collected_it(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "scan.sqlite"
    store = Store(file, {"regions": ["eu"]})
    store.note("caller", {"Account": "1"})
    store.add(CALL, 0, Page({"things": [1]}, "next"))
    store.add(CALL, 1, Page({"things": [2]}))
    store.count("x.list")
    store.count("x.list")
    store.finish(CALL, OK)
    store.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Store(file, {"regions": ["eu"]}, resume=True)
    assert [(p.body, p.next) for p in again.pages(CALL)] == [({"things": [1]}, "next"), ({"things": [2]}, None)]
    assert again.outcome(CALL) == (OK, "")
    assert again.noted("caller") == {"Account": "1"}
    assert again.counts() == {"x.list": 2}
    assert [call for call, *_ in again.calls()] == [CALL]
    again.close()


def test_without_resume_a_scan_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "scan.sqlite"
    store = Store(file, {})
    store.add(CALL, 0, Page({}))
    store.finish(CALL, OK)
    store.close()
    again = Store(file, {})
    assert again.calls() == []
    assert again.pages(CALL) == []
    again.close()


def other_tables(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE page (x)")
    db.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda file: file.write_bytes(b"not a database, not at all" * 100), "is not a scan of netpact"),
        (other_tables, "another version of netpact"),
        (lambda file: file.mkdir(), "can't be written"),
    ],
)
def test_a_file_that_is_no_scan_is_left_alone_with_a_message(tmp_path: Path, make: Any, message: str) -> None:
    file = tmp_path / "scan.sqlite"
    make(file)
    with pytest.raises(LiveError, match=message):
        Store(file, {}, resume=True)


@given(json_values)
def test_no_secret_is_ever_kept(body: Any) -> None:
    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return {k.lower() for k in value} | {k for v in value.values() for k in keys(v)}
        return {k for v in value for k in keys(v)} if isinstance(value, list) else set()

    assert not keys(cleaner(())(body)) & SECRETS


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        ([{"Key": "Owner", "Value": "me"}, {"Key": "Name", "Value": "x"}], [{"Key": "Name", "Value": "x"}]),
        ({"owner": "me", "Name": "x"}, {"Name": "x"}),
    ],
)
def test_tags_are_hidden_by_name_in_both_clouds_forms(tags: Any, kept: Any) -> None:
    clean = cleaner(["OWN*"])
    assert clean({"a": [{"Tags": tags, "Owner": "kept"}]}) == {"a": [{"Tags": kept, "Owner": "kept"}]}


def test_arguments_become_options() -> None:
    parser = argparse.ArgumentParser()
    add(parser)
    assert options_from(parser.parse_args([])) == LiveOptions()
    given = [
        "--resume",
        "--redact-tag",
        "a",
        "--redact-tag",
        "b*",
        "--rate",
        "2.5",
        "--aws-profile",
        "p",
        "--aws-role-arn",
    ]
    given += ["arn:aws:iam::1:role/r", "--aws-org", "reader", "--aws-external-id", "x", "--azure-cloud", "china"]
    given += ["--azure-tenant", "t", "--azure-management-group", "m"]
    chosen = options_from(parser.parse_args(given))
    assert (chosen.resume, chosen.redact_tags, chosen.rate) == (True, ("a", "b*"), 2.5)
    assert chosen.aws == AwsAccess("p", "arn:aws:iam::1:role/r", "reader", "x")
    assert (chosen.azure.cloud, chosen.azure.tenant, chosen.azure.management_groups) == ("china", "t", ("m",))
    assert AzureAccess() == LiveOptions().azure


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "fast", "1e9"])
def test_a_rate_that_makes_no_sense_is_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--rate", rate])
    assert "--rate" in capsys.readouterr().err


class Terminal(io.StringIO):
    """Standard error of a person at a terminal."""

    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, **environ: str) -> str:
    """What a short scan shows."""
    for name in ("CI", "TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", **environ}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_for(True) as progress:
        progress.expect(2)
        for operation, status in (("x.list", OK), ("x.get", "denied")):
            call = Call.of("1", "eu", operation)
            progress.begin(call)
            progress.end(call, status)
        assert progress.line() == "1 account, 1 region, 2 calls, 1 failed"
    return stream.getvalue()


def test_a_person_at_a_terminal_sees_how_far_the_scan_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1 account, 1 region, 2 calls" in drawn(monkeypatch, Terminal())


def test_azure_is_counted_in_subscriptions(tmp_path: Path) -> None:
    with Collection(tmp_path / "scan.sqlite", {"source": "azure:", "cloud": "public"}, LiveOptions()) as collection:
        for scope in ("", "s-1", "s-2"):
            collection.gather(Call.of(scope, "westeurope" if scope else "", "x.list"), lambda _: Page([]))
        assert collection.progress.line() == "2 subscriptions, 3 calls"
    collection.store.close()


def test_a_scan_that_fails_before_anything_was_read_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "scan.sqlite"
    for error, message in (
        (LiveError("no credentials"), "^no credentials$"),
        (KeyboardInterrupt(), "^stopped before anything was read; nothing is kept$"),
    ):
        with pytest.raises(LiveError, match=message), Collection(file, {}, LiveOptions(progress=False)):
            raise error
        assert not list(tmp_path.iterdir())


def test_a_log_and_a_pipeline_are_left_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, io.StringIO()) == ""
    assert drawn(monkeypatch, Terminal(), CI="true") == ""
    assert drawn(monkeypatch, Terminal(), TERM="dumb") == ""
    assert type(progress_for(False)) is Progress


def test_without_rich_the_scan_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rich", "rich.console", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    assert drawn(monkeypatch, Terminal()) == ""


def test_the_cache_lies_where_the_user_wants_it() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/netpact")
    assert cache_folder({}) == Path.home() / ".cache" / "netpact"


def test_no_sdk_is_loaded_until_an_account_is_asked() -> None:
    code = (
        "import sys, lint.sources, lint.live.arguments, lint.live.options, lint.aws.collect\n"
        "print([m for m in ('boto3', 'botocore', 'rich', 'zstandard', 'azure') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
