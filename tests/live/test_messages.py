"""What goes wrong with a live account is one message that a person can act on, and the exit status says so."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from lint.cli import run
from lint.live.scan import cache_folder
from tests.live import world
from tests.live.conftest import Made
from tests.live.server import DENIED, Aws, Refusal, Request

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
Captured = pytest.CaptureFixture[str]


def refused(captured: Captured, *arguments: str) -> str:
    """The one message of a command that ends with status 2."""
    captured.readouterr()
    assert run([*arguments]) == 2
    out, err = captured.readouterr()
    assert out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and "Traceback" not in err
    return err


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)


COMMANDS = (
    ("show", "aws:eu-west-1"),
    ("diff", "aws:eu-west-1", "."),
    ("snapshot", "aws:eu-west-1", "-o", "audit.json"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_without_credentials_it_says_how_to_sign_in_and_leaves_no_file(
    aws: Aws, cold: None, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no usable AWS credentials: Unable to locate credentials; sign in" in refused(capsys, *command)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_endpoint_that_refuses_the_connection_is_named(
    aws: Aws, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    message = refused(capsys, "show", "aws:eu-west-1", "--rate", "1000")
    assert "AWS can't be reached" in message and "http://127.0.0.1:9" in message and "AWS_ENDPOINT_URL" in message


def test_a_region_that_does_not_exist_is_doubted_where_nothing_answers(
    aws: Aws, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    message = refused(capsys, "show", "aws:eu-west-91", "--rate", "1000")
    assert "eu-west-91 is no region that the installed botocore knows: check its name" in message


def test_expired_credentials_ask_to_sign_in_again(aws: Aws, capsys: Captured) -> None:
    aws.judge = lambda request: Refusal("400 Bad Request", "ExpiredToken")
    message = refused(capsys, "show", "aws:eu-west-1")
    assert "the AWS credentials have expired (ExpiredToken: refused); sign in again" in message
    assert "--resume" not in message, "nothing was read"
    assert not list(cache_folder().glob("*"))


def test_credentials_that_expire_on_the_way_keep_what_was_read(aws: Aws, capsys: Captured, tmp_path: Path) -> None:
    def judge(request: Request) -> Refusal | None:
        return Refusal("400 Bad Request", "ExpiredToken") if request.action == "DescribeTargetGroups" else None

    aws.judge = judge
    arguments = ("snapshot", "aws:eu-west-1", "-o", str(tmp_path / "audit.json"), "--rate", "1000")
    message = refused(capsys, *arguments)
    assert re.search(r"sign in again .*kept in .*audit\.json\.partial\.sqlite: the same command with --resume", message)
    aws.judge = None
    aws.requests.clear()
    assert run([*arguments, "--resume"]) == 0
    assert "DescribeVpcs" not in {request.action for request in aws.requests}


def test_without_the_sdk_it_says_what_to_install(aws: Aws, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert "pip install 'netpact[aws]'" in refused(capsys, "show", "aws:")
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    assert "pip install 'netpact[azure]'" in refused(capsys, "show", "azure:")


def test_azure_without_credentials_says_it_once_and_how_to_sign_in(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    azure = pytest.importorskip("azure.identity")
    from azure.core.exceptions import ClientAuthenticationError

    said = (
        "DefaultAzureCredential failed to retrieve a token from the included credentials.\n"
        "Attempted credentials:\n"
        "\tEnvironmentCredential: Authentication failed: AADSTS7000215: Invalid client secret provided.\n"
        "\tAzureCliCredential: Azure CLI not found on path\n"
        "To mitigate this issue, please refer to the troubleshooting guidelines here at https://example.com"
    )

    class Failing:
        def __init__(self, **_: object) -> None: ...

        def get_token(self, *_: str, **__: object) -> None:
            raise ClientAuthenticationError(message=said)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(azure, "DefaultAzureCredential", Failing)
    message = refused(capsys, "show", "azure:")
    assert "AADSTS7000215: Invalid client secret provided." in message
    assert "az login" in message and "CLI not found" not in message


@pytest.fixture
def organization(aws: Aws) -> list[str]:
    """An organization with two accounts beside the caller's; ids of all that are active."""
    client = world.session("us-east-1").client("organizations")
    try:
        client.create_organization(FeatureSet="ALL")
    except client.exceptions.AlreadyInOrganizationException:
        pass
    else:
        for name in ("one", "two"):
            client.create_account(AccountName=name, Email=f"{name}@example.com")
    listed = client.list_accounts()["Accounts"]
    aws.calm()
    return sorted(str(a["Id"]) for a in listed if a["Status"] == "ACTIVE")


PACK = ("--pack", "hyperbdr/saas-block-storage", "--no-fix", "--fail-on", "never")
ORG = ("aws:eu-west-1", "--aws-org", world.ROLE, "--rate", "1000")


class TestAnOrganization:
    def test_is_judged_and_kept_account_by_account(
        self, aws: Aws, made: Made, organization: list[str], capsys: Captured, tmp_path: Path
    ) -> None:
        capsys.readouterr()
        assert run(["check", *ORG, *PACK, "--format", "json"]) == 0
        (source,) = json.loads(capsys.readouterr().out)["sources"]
        assert source["complete"]
        assert (source["coverage"]["scopes"], source["coverage"]["requests"]["ec2.describe_vpcs"]) == (3, 3)
        file = tmp_path / "audit.json"
        assert run(["snapshot", *ORG, "-o", str(file)]) == 0
        assert "3 accounts, 3 regions" in capsys.readouterr().out
        kept = {part["scope"] for part in json.loads(file.read_text())["parts"] if part["region"]}
        assert sorted(kept) == organization

    def test_is_incomplete_without_an_account_whose_role_is_denied(
        self, aws: Aws, made: Made, organization: list[str], capsys: Captured, tmp_path: Path
    ) -> None:
        shut = next(id_ for id_ in organization if id_ != world.HUB)
        aws.judge = lambda r: DENIED if r.action == "AssumeRole" and shut in dict(r.parameters)["RoleArn"] else None
        capsys.readouterr()
        assert run(["check", *ORG, *PACK]) == 0
        out = capsys.readouterr().out
        assert re.search(
            r"^aws:eu-west-1 \(aws\): incomplete; 3 accounts, 2 regions, .* 1 of \d+ calls failed$", out, re.M
        )
        assert f"  not complete: sts.assume_role denied ({shut}): AccessDenied: refused\n" in out
        assert run(["check", *ORG, *PACK, "--format", "json"]) == 0
        document = json.loads(capsys.readouterr().out)
        (failed,) = document["sources"][0]["coverage"]["failed"]
        assert (failed["account"], failed["call"], failed["status"]) == (shut, "sts.assume_role", "denied")
        assert not [f for f in document["findings"] if f["verdict"] == "satisfied"], "a machine there may be anywhere"
        assert run(["snapshot", *ORG, "-o", str(tmp_path / "audit.json")]) == 1
        assert f"not complete: sts.assume_role denied ({shut})" in capsys.readouterr().out
