"""`netpact diff` with live sides, through the command line: code, plan and state against `aws:`, and snapshots.

The project is applied with the real Terraform to the AWS on loopback; then somebody changes the account by hand. It is
made of what joins code and account worst: groups that Terraform names itself, machines without names or with the same
one, and a machine in the default group of a network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lint.cli import run
from tests.live.conftest import Made, environment
from tests.live.server import DENIED, Aws
from tests.live.terraform import Applied, apply

REGION, ACCOUNT = "eu-central-1", "444444444444"
LIVE = f"aws:{REGION}"
CODE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" { region = "eu-central-1" }

resource "aws_vpc" "main" { cidr_block = "10.50.0.0/16" }
resource "aws_vpc" "side" {
  cidr_block = "10.51.0.0/16"
  tags       = { Name = "side" }
}
resource "aws_subnet" "front" {
  vpc_id                  = aws_vpc.main.id
  cidr_block              = "10.50.1.0/24"
  map_public_ip_on_launch = true
}
resource "aws_subnet" "back" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.50.2.0/24"
}
resource "aws_subnet" "side" {
  vpc_id     = aws_vpc.side.id
  cidr_block = "10.51.1.0/24"
}
resource "aws_internet_gateway" "main" { vpc_id = aws_vpc.main.id }
resource "aws_route_table" "front" {
  vpc_id = aws_vpc.main.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
}
resource "aws_route_table_association" "front" {
  subnet_id      = aws_subnet.front.id
  route_table_id = aws_route_table.front.id
}
resource "aws_ec2_managed_prefix_list" "partners" {
  name           = "partners-of-main"
  address_family = "IPv4"
  max_entries    = 5
  entry { cidr = "198.51.100.0/24" }
}
resource "aws_security_group" "web" {
  name_prefix = "web-"
  vpc_id      = aws_vpc.main.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["10.50.0.0/16"]
  }
}
resource "aws_security_group" "app" { vpc_id = aws_vpc.main.id }
resource "aws_vpc_security_group_ingress_rule" "app_web" {
  security_group_id            = aws_security_group.app.id
  referenced_security_group_id = aws_security_group.web.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}
resource "aws_vpc_security_group_ingress_rule" "app_partners" {
  security_group_id = aws_security_group.app.id
  prefix_list_id    = aws_ec2_managed_prefix_list.partners.id
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}
resource "aws_security_group" "db" {
  name   = "db"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.web.id]
  }
}
resource "aws_security_group" "metrics" {
  name   = "metrics"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 9100
    to_port     = 9100
    protocol    = "tcp"
    cidr_blocks = ["10.50.1.0/24"]
  }
}
resource "aws_instance" "web" {
  ami                    = "ami-12c6146b"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.front.id
  vpc_security_group_ids = [aws_security_group.web.id]
  tags                   = { Name = "web" }
}
resource "aws_instance" "app" {
  count                  = 2
  ami                    = "ami-12c6146b"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.back.id
  vpc_security_group_ids = [aws_security_group.app.id]
  tags                   = { Name = "app" }
}
resource "aws_instance" "db" {
  ami                    = "ami-12c6146b"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.back.id
  vpc_security_group_ids = [aws_security_group.db.id, aws_security_group.metrics.id]
}
resource "aws_instance" "plain" {
  ami           = "ami-12c6146b"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.side.id
}
"""
WEB, DB, APPS = "aws_instance.web", "aws_instance.db", ("aws_instance.app[0]", "aws_instance.app[1]")
FORMS = ("configuration", "plan", "state")


@dataclass(frozen=True, slots=True)
class World:
    """The account and what the project says of it."""

    aws: Aws
    applied: Applied
    snapshot: Path  # of the account as Terraform left it

    def form(self, name: str) -> str:
        root = self.applied.root
        return {
            "configuration": str(root),
            "plan": f"plan:{root / 'plan.json'}",
            "state": f"state:{root / 'state.json'}",
            "snapshot": str(self.snapshot),
        }[name]


@pytest.fixture(scope="module")
def world(running: tuple[Aws, Made], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The project applied, and a snapshot of it."""
    aws = running[0]
    aws.calm()
    folder = tmp_path_factory.mktemp("drift")
    (folder / "code").mkdir()
    (folder / "code" / "main.tf").write_text(CODE)
    with pytest.MonkeyPatch.context() as patch:
        environment(patch, aws)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        applied = apply(folder / "code", folder / "root", REGION, ACCOUNT)
        for name, value in applied.environ().items():
            patch.setenv(name, value)
        ec2 = applied.session.client("ec2")
        for group in ec2.describe_security_groups()["SecurityGroups"]:
            if group["GroupName"] == "default" and not group["IpPermissions"]:
                # moto leaves out the rule that AWS makes a default group with.
                itself = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]}
                ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[itself])
        snapshot = folder / "before.json.zst"
        assert run(["snapshot", LIVE, "-o", str(snapshot), "--rate", "1000"]) == 0
        yield World(aws, applied, snapshot)
    aws.calm()


@pytest.fixture(autouse=True)
def alone(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No faults, and the account's credentials."""
    world.aws.calm()
    environment(monkeypatch, world.aws)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in world.applied.environ().items():
        monkeypatch.setenv(name, value)
    yield
    world.aws.calm()


@pytest.fixture
def ids(world: World) -> dict[str, str]:
    """Ids of groups, and of interfaces of machines, by what the project calls them."""
    ec2 = world.applied.session.client("ec2")
    groups = {g["GroupName"]: g["GroupId"] for g in ec2.describe_security_groups()["SecurityGroups"]}
    found = {name: groups[name] for name in ("db", "metrics")}
    found |= {"web": next(id_ for name, id_ in groups.items() if name.startswith("web-"))}
    found |= {"app": next(id_ for name, id_ in groups.items() if name.startswith("terraform-"))}
    for reservation in ec2.describe_instances()["Reservations"]:
        for machine in reservation["Instances"]:
            name = next((tag["Value"] for tag in machine.get("Tags") or () if tag["Key"] == "Name"), None)
            interface = machine["NetworkInterfaces"][0]["NetworkInterfaceId"]
            found.setdefault(f"{name}-interface", interface)
    return found


Rules = list[dict[str, Any]]


def permission(port: int, cidr: str | None = None, group: str | None = None) -> Rules:
    whom = {"UserIdGroupPairs": [{"GroupId": group}]} if group else {"IpRanges": [{"CidrIp": cidr}]}
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **whom}]


@pytest.fixture
def changed(world: World, ids: dict[str, str]) -> Iterator[dict[str, str]]:
    """By hand: a rule added to `web`, one of `db` revoked, one of `app` changed, `metrics` attached to an app."""
    ec2 = world.applied.session.client("ec2")
    added, revoked = permission(22, "203.0.113.0/24"), permission(5432, group=ids["web"])
    before, after = permission(8080, group=ids["web"]), permission(8443, group=ids["web"])
    ec2.authorize_security_group_ingress(GroupId=ids["web"], IpPermissions=added)
    ec2.revoke_security_group_ingress(GroupId=ids["db"], IpPermissions=revoked)
    ec2.revoke_security_group_ingress(GroupId=ids["app"], IpPermissions=before)
    ec2.authorize_security_group_ingress(GroupId=ids["app"], IpPermissions=after)
    carried = {"NetworkInterfaceId": ids["app-interface"]}
    ec2.modify_network_interface_attribute(**carried, Groups=[ids["app"], ids["metrics"]])
    yield ids
    ec2.modify_network_interface_attribute(**carried, Groups=[ids["app"]])
    ec2.revoke_security_group_ingress(GroupId=ids["app"], IpPermissions=after)
    ec2.authorize_security_group_ingress(GroupId=ids["app"], IpPermissions=before)
    ec2.authorize_security_group_ingress(GroupId=ids["db"], IpPermissions=revoked)
    ec2.revoke_security_group_ingress(GroupId=ids["web"], IpPermissions=added)


Diff = Callable[..., tuple[int, str]]


@pytest.fixture
def diff(capsys: pytest.CaptureFixture[str]) -> Diff:
    """Runs the command; its exit status and what it prints."""

    def asked(old: str, new: str, *options: str) -> tuple[int, str]:
        capsys.readouterr()
        status = run(["diff", old, new, "--rate", "1000", *options])
        out, err = capsys.readouterr()
        assert err == ""
        return status, out

    return asked


def lanes(changes: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """From, to and service, with the addresses of the party that is none of the project's."""
    found = set()
    for change in changes:
        assert change["certain"]
        for lane in change["allowed"]:
            start = f"{change['from']} {lane['from']}" if change["from"] in ("internet", "private addresses") else ""
            found.add((start or change["from"], change["to"], lane["service"]))
    return found


class TestAnUnchangedAccount:
    @pytest.mark.parametrize("form", FORMS)
    def test_says_the_same_as_the_project_in_each_of_its_forms(self, world: World, diff: Diff, form: str) -> None:
        for old, new in ((world.form(form), LIVE), (LIVE, world.form(form))):
            status, text = diff(old, new, "--fail-on", "any")
            assert (status, text.splitlines()[-1]) == (0, f"no change: {old} → {new}, 5 endpoints compared")
            routes = f"note: only the {'new' if new == LIVE else 'old'} source shows the routes of 1 subnet; "
            assert text.splitlines()[:-1] == [f"{routes}they count for both"]

    def test_says_the_same_as_its_snapshot_in_each_format(self, world: World, diff: Diff) -> None:
        for old, new in ((str(world.snapshot), LIVE), (LIVE, str(world.snapshot))):
            status, text = diff(old, new, "--fail-on", "any")
            assert (status, text) == (0, f"no change: {old} → {new}, 5 endpoints compared\n")
        status, text = diff(str(world.snapshot), LIVE, "--format", "json")
        found = json.loads(text)
        assert status == 0
        assert not any(found[key] for key in ("opened", "closed", "filters", "unknown", "notes"))
        status, text = diff(str(world.snapshot), LIVE, "--format", "markdown")
        assert status == 0
        assert text.startswith("## netpact diff\n\nno change: ")


OPENED = {("internet 203.0.113.0/24", WEB, "tcp/22"), *((WEB, app, "tcp/8443") for app in APPS)}
CLOSED = {(WEB, DB, "tcp/5432"), *((WEB, app, "tcp/8080") for app in APPS)}


class TestAnAccountThatWasChangedByHand:
    @pytest.mark.parametrize("form", FORMS)
    def test_differs_from_the_project_in_exactly_that_traffic(
        self, world: World, diff: Diff, changed: dict[str, str], form: str
    ) -> None:
        status, text = diff(world.form(form), LIVE, "--format", "json")
        found = json.loads(text)
        assert status == 1
        opened, closed = lanes(found["opened"]), lanes(found["closed"])
        # Whichever of the two machines of one name the group was attached to, one of them may be reached now.
        attached = {lane for lane in opened if lane[2] == "tcp/9100"}
        (machine,) = {to for _, to, _ in attached}
        assert machine in APPS
        assert {start for start, _, _ in attached} == {WEB, "private addresses 10.50.1.0/24"}
        assert opened - attached == OPENED
        assert closed == CLOSED
        assert (found["endpoints"], found["unknown"]) == ({"added": [], "removed": [], "compared": 5}, [])

    @pytest.mark.parametrize("form", FORMS)
    def test_names_the_rules_and_who_manages_them(
        self, world: World, diff: Diff, changed: dict[str, str], form: str
    ) -> None:
        _, text = diff(world.form(form), LIVE, "--format", "json")
        found = json.loads(text)
        to = {change["to"]: change for change in found["opened"] if change["from"] in ("internet", WEB)}
        (ssh,) = to[WEB]["rules"]
        assert ssh["rule"].startswith("sgr-")
        assert (ssh["side"], ssh["address"]) == ("new", "aws_security_group.web")
        assert ssh["origin"] == {"account": ACCOUNT, "region": REGION, "resource_id": changed["web"]}
        attached, other = sorted((to[app] for app in APPS), key=lambda one: not one["causes"])
        assert attached["causes"] == [f"{attached['to']} now carries metrics"]
        assert {rule["address"] for rule in attached["rules"]} == {
            "aws_security_group.app",
            "aws_security_group.metrics",
        }
        assert (other["causes"], [rule["address"] for rule in other["rules"]]) == ([], ["aws_security_group.app"])
        (revoked,) = [change for change in found["closed"] if change["to"] == DB]
        (rule,) = revoked["rules"]
        assert (rule["side"], rule["address"]) == ("old", "aws_security_group.db")
        if form == "configuration":
            assert rule["origin"]["file"] == "main.tf"
            assert CODE.splitlines()[rule["origin"]["line"] - 1].strip() == "ingress {"
        changes = {
            one["filter"]: ([p["service"] for p in one["opened"]], [p["service"] for p in one["closed"]])
            for one in found["filters"]
        }
        assert changes == {
            "aws_security_group.web": (["tcp/22"], []),
            "aws_security_group.db": ([], ["tcp/5432"]),
            "aws_security_group.app": (["tcp/8443"], ["tcp/8080"]),
        }

    def test_is_told_to_a_person_in_a_few_lines(self, world: World, diff: Diff, changed: dict[str, str]) -> None:
        status, text = diff(world.form("configuration"), LIVE)
        assert status == 1
        lines = [line.strip() for line in text.splitlines()]
        at = lines.index("+ the Internet → web (aws_instance.web): tcp/22")
        assert lines[at + 1] == "from 203.0.113.0/24"
        assert lines[at + 2].endswith(f"({changed['web']}, aws_security_group.web)")
        assert len(lines) < 45
        status, text = diff(world.form("configuration"), LIVE, "--format", "markdown")
        assert status == 1
        assert "| tcp/22 | from 203.0.113.0/24 |" in text
        assert f"`{changed['web']}` `aws_security_group.web`" in text

    def test_differs_from_its_earlier_snapshot_in_the_same(
        self, world: World, diff: Diff, changed: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        later = tmp_path / "later.json"
        assert run(["snapshot", LIVE, "-o", str(later), "--rate", "1000"]) == 0
        told = [
            json.loads(diff(*sides, "--format", "json")[1])
            for sides in (
                (str(world.snapshot), str(later)),
                (str(world.snapshot), LIVE),
                (str(later), str(world.snapshot)),
            )
        ]
        for key in ("opened", "closed", "filters"):
            assert told[0][key] == told[1][key], "a snapshot says what the account says"
        assert lanes(told[0]["opened"]) == lanes(told[2]["closed"])
        assert lanes(told[0]["closed"]) == lanes(told[2]["opened"])
        assert {lane[2] for lane in lanes(told[0]["opened"])} == {"tcp/22", "tcp/8443", "tcp/9100"}
        assert {lane[2] for lane in lanes(told[0]["closed"])} == {"tcp/5432", "tcp/8080"}
        assert diff(str(later), LIVE, "--fail-on", "any")[0] == 0


CALLS = (
    "DescribeVpcs",
    "DescribeSubnets",
    "DescribeSecurityGroups",
    "DescribeSecurityGroupRules",
    "DescribeNetworkInterfaces",
    "DescribeInstances",
    "DescribeRouteTables",
    "DescribeNetworkAcls",
    "DescribeManagedPrefixLists",
    "GetManagedPrefixListEntries",
)


class TestACallThatIsDenied:
    @pytest.mark.parametrize("action", CALLS)
    def test_leaves_nothing_equal_and_is_listed(self, world: World, diff: Diff, action: str) -> None:
        world.aws.judge = lambda request: DENIED if request.action == action else None
        for old in (world.form("configuration"), str(world.snapshot)):
            status, text = diff(old, LIVE, "--format", "json")
            found = json.loads(text)
            assert status == 1
            name = "".join(f"_{c.lower()}" if c.isupper() else c for c in action).lstrip("_")
            assert [t for t in found["unknown"] if f"ec2.{name}" in t and "denied: UnauthorizedOperation" in t]
            assert any(t.startswith("new: ") for t in found["unknown"])
            assert all(name in t or "border of subnet" in t for t in found["unknown"])
            for change in (*found["opened"], *found["closed"]):
                assert not change["certain"], "the account is as the code made it"
            for piece in (each for one in found["filters"] for each in (*one["opened"], *one["closed"])):
                assert not piece["certain"]

    def test_is_said_in_text_and_markdown(self, world: World, diff: Diff) -> None:
        world.aws.judge = lambda request: DENIED if request.action == "DescribeInstances" else None
        status, text = diff(str(world.snapshot), LIVE)
        assert status == 1
        said = f"new: {ACCOUNT}, {REGION}: ec2.describe_instances denied: UnauthorizedOperation: refused"
        assert text.splitlines()[:-1] == [f"unknown: {said}"]
        assert text.splitlines()[-1].startswith("no change in what could be compared: ")
        status, text = diff(str(world.snapshot), LIVE, "--format", "markdown")
        assert status == 1
        assert "no change in what could be compared" in text
        assert "describe&#95;instances denied" in text

    def test_on_both_sides_is_no_agreement(
        self, world: World, diff: Diff, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.aws.judge = lambda request: DENIED if request.action == "DescribeRouteTables" else None
        snapshot = tmp_path / "blind.json"
        assert run(["snapshot", LIVE, "-o", str(snapshot), "--rate", "1000"]) == 1
        status, text = diff(str(snapshot), LIVE)
        assert status == 1
        assert text.count("ec2.describe_route_tables denied") == 2
        assert diff(str(snapshot), LIVE, "--fail-on", "never")[0] == 0
