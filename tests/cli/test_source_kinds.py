"""What is given as SOURCE is recognised by its content, or told in one message what it should have been."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_messages import TERRAFORM, netpact, said

GROUP = {"GroupId": "sg-1", "GroupName": "g", "VpcId": "vpc-1", "IpPermissions": [], "IpPermissionsEgress": []}
DUMP = {
    "Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}],
    "SecurityGroups": [GROUP, GROUP | {"GroupId": "sg-2"}],
    "Reservations": [{"Instances": [{"InstanceId": "i-1", "PrivateIpAddress": "10.0.0.1", "VpcId": "vpc-1"}] * 1}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(TERRAFORM)
    (tmp_path / "empty").mkdir()
    (tmp_path / "number.json").write_text("12")
    (tmp_path / "other.json").write_text('{"hello": "world"}')
    (tmp_path / "tf.plan").write_bytes(b"PK\x03\x04" + bytes(100))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "vpcs.json").write_text('{"Vpcs": ')
    return tmp_path


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("plan:empty", "is a directory"),
        ("state:", "is a directory"),
        ("snapshot:empty", "is a directory"),
        ("", "a SOURCE is empty"),
        ("dump:main.tf", "is not JSON"),
        ("dump:empty", "no answers of a cloud's API"),
        ("dump:broken", "is not JSON"),
        ("number.json", "no JSON object"),
        ("other.json", "no answers of a cloud's API"),
        ("tf.plan", "binary plan"),
    ],
)
def test_a_source_of_which_nothing_can_be_read_is_one_error(folder: Path, source: str, words: str) -> None:
    done = netpact(folder, "show", source)
    assert done.returncode == 2
    assert words in said(done)
    assert done.stderr.count("error:") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_dump_is_read_as_the_shells_write_it_and_counted(folder: Path, encoding: str) -> None:
    (folder / "all.json").write_text(json.dumps(DUMP), encoding=encoding)
    done = netpact(folder, "check", "all.json", "--pack", "hyperbdr/saas-block-storage", "--format", "json")
    (source,) = json.loads(done.stdout)["sources"]
    assert (source["kind"], source["complete"]) == ("dump", True)
    assert source["coverage"]["resources"] == {"seen": 4, "modelled": 4}


def test_an_azure_dump_in_utf_16_is_read(folder: Path) -> None:
    group = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/networkSecurityGroups/n"
    document = {"value": [{"id": group, "name": "n", "properties": {"securityRules": []}}]}
    (folder / "nsg.json").write_text(json.dumps(document), encoding="utf-16")
    done = netpact(folder, "show", "nsg.json")
    assert done.returncode == 0
    assert "networkSecurityGroups/n" in done.stdout or " n" in done.stdout
