"""Code against the account: a project before its first state, and the answers of the cloud's own interface."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lint.cli import run
from lint.drift import compare
from lint.graph.graph import RuleGraph
from lint.sources import LoadOptions, load, parse
from lint.space.addresses import parse_cidr
from lint.space.services import render

CODE = """
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = "main" }
}
resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
  tags       = { Name = "a" }
}
resource "aws_security_group" "web" {
  name_prefix = "web-"
  vpc_id      = aws_vpc.main.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
resource "aws_instance" "web" {
  ami                    = "ami-1"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.a.id
  vpc_security_group_ids = [aws_security_group.web.id]
  tags                   = { Name = "web" }
}
"""


def named(name: str) -> list[dict[str, str]]:
    return [{"Key": "Name", "Value": name}]


def rule(id_: str, port: int, cidr: str) -> dict[str, object]:
    return {
        "SecurityGroupRuleId": id_,
        "GroupId": "sg-1",
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "CidrIpv4": cidr,
    }


def permission(given: dict[str, object]) -> dict[str, object]:
    return {
        "IpProtocol": given["IpProtocol"],
        "FromPort": given["FromPort"],
        "ToPort": given["ToPort"],
        "IpRanges": [{"CidrIp": given["CidrIpv4"]}],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
        "UserIdGroupPairs": [],
    }


def account(*rules: dict[str, object]) -> dict[str, object]:
    """What the describe calls answer: other ids, a name that the prefix was made into, a real address."""
    group = {"GroupId": "sg-1", "GroupName": "web-2026"}
    return {
        "Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Tags": named("main")}],
        "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "Tags": named("a")}],
        "SecurityGroups": [
            {**group, "VpcId": "vpc-1", "IpPermissions": list(map(permission, rules)), "IpPermissionsEgress": []}
        ],
        "SecurityGroupRules": list(rules),
        "NetworkInterfaces": [
            {
                "NetworkInterfaceId": "eni-1",
                "VpcId": "vpc-1",
                "SubnetId": "subnet-1",
                "PrivateIpAddress": "10.0.1.33",
                "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.33", "Primary": True}],
                "Groups": [group],
                "Attachment": {"InstanceId": "i-1", "DeviceIndex": 0, "Status": "attached"},
                "InterfaceType": "interface",
                "Status": "in-use",
            }
        ],
        "Reservations": [
            {
                "ReservationId": "r-1",
                "Instances": [
                    {
                        "InstanceId": "i-1",
                        "VpcId": "vpc-1",
                        "SubnetId": "subnet-1",
                        "State": {"Name": "running"},
                        "Tags": named("web"),
                    }
                ],
            }
        ],
    }


HTTPS = rule("sgr-1", 443, "10.0.0.0/8")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "main.tf").write_text(CODE)
    return folder


def live(tmp_path: Path, *rules: dict[str, object]) -> Path:
    file = tmp_path / "live.json"
    file.write_text(json.dumps(account(*rules)))
    return file


def read(source: Path) -> RuleGraph:
    return load([parse(str(source))], LoadOptions()).graph


def test_the_account_as_the_code_made_it_is_no_change(code: Path, tmp_path: Path) -> None:
    drift = compare(read(code), read(live(tmp_path, HTTPS)))
    assert drift.empty
    assert drift.compared == 1


def test_a_rule_made_by_hand_is_told_with_the_terraform_address_and_its_own_id(code: Path, tmp_path: Path) -> None:
    drift = compare(read(code), read(live(tmp_path, HTTPS, rule("sgr-2", 22, "10.9.0.0/16"))))
    (change,) = drift.opened
    assert (change.source, change.destination) == ("private addresses", "aws_instance.web")
    assert change.traffic.peers() == parse_cidr("10.9.0.0/16")
    assert render(change.traffic.services()) == ["tcp/22"]
    assert [cited.rule.name for cited in change.rules] == ["sgr-2"]
    (rules,) = drift.filters
    assert (rules.filter, rules.name) == ("aws_security_group.web", "web-2026")


@pytest.mark.parametrize(
    ("rules", "options", "status"),
    [
        ((HTTPS,), [], 0),
        ((HTTPS, rule("sgr-2", 22, "10.9.0.0/16")), [], 1),
        ((HTTPS, rule("sgr-2", 22, "10.9.0.0/16")), ["--fail-on", "closed"], 0),
        ((HTTPS, rule("sgr-2", 22, "10.9.0.0/16")), ["--fail-on", "never"], 0),
        ((), [], 0),
        ((), ["--fail-on", "closed"], 1),
        ((), ["--fail-on", "any"], 1),
    ],
)
def test_the_exit_status_says_whether_what_was_asked_for_happened(
    code: Path, tmp_path: Path, rules: tuple[dict[str, object], ...], options: list[str], status: int
) -> None:
    assert run(["diff", str(code), str(live(tmp_path, *rules)), *options]) == status


def test_a_source_that_is_not_there_is_said(code: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", str(code), str(tmp_path / "nowhere")]) == 2
    assert "there is no file or directory" in capsys.readouterr().err
