"""Live and dumped groups get the exact commands that mend a finding: run, they do what was proven."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from lint.check import Request, check, mend
from lint.project import load
from lint.report.document import CheckReport
from tests.fix.projects import the

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SITE = FIXTURES / "aws-dumps" / "dr-site"
AZURE = FIXTURES / "azure-dumps" / "hyperbdr-block" / "broken"
GATEWAY, AGENT = "sg-0a1b2c3d4e5f60001", "sg-0a1b2c3d4e5f60002"

PROJECT = """\
version: 1
deployments:
  dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    roles:
      console: [{addresses: [203.0.113.10/32, 203.0.113.11/32]}]
      cloud-sync-gateway: [{security_groups: [dr-sync-gateway]}]
      agent: [{security_groups: [dr-agent]}]
"""


class Site:
    """A copy of the AWS dump whose security groups can be changed as the aws command changes them."""

    def __init__(self, directory: Path) -> None:
        self.directory = Path(shutil.copytree(SITE, directory / "site"))
        self.project = directory / "netpact.yaml"
        self.project.write_text(PROJECT)
        self.file = next(self.directory.rglob("SecurityGroups.json"))

    @property
    def request(self) -> Request:
        return Request(sources=(f"dump:{self.directory}",), project=load(self.project))

    def judged(self) -> CheckReport:
        return check(self.request, "test")

    def groups(self) -> Any:
        return json.loads(self.file.read_text())

    def change(self, group: str, key: str, permissions: list[dict[str, Any]]) -> None:
        document = self.groups()
        next(g for g in document["SecurityGroups"] if g["GroupId"] == group)[key] = permissions
        self.file.write_text(json.dumps(document))

    def run(self, command: str) -> None:
        words = shlex.split(command)
        assert words[:2] == ["aws", "ec2"]
        given = dict(zip(words[3::2], words[4::2], strict=True))
        assert given["--region"] == "eu-west-1"
        key = "IpPermissions" if words[2].endswith("ingress") else "IpPermissionsEgress"
        document = self.groups()
        group = next(g for g in document["SecurityGroups"] if g["GroupId"] == given["--group-id"])
        for permission in json.loads(given["--ip-permissions"]):
            if words[2].startswith("authorize"):
                group[key].append(permission)
            else:
                self.revoke(group[key], permission)
        self.file.write_text(json.dumps(document))

    @staticmethod
    def revoke(there: list[dict[str, Any]], permission: dict[str, Any]) -> None:
        shape = {k: permission.get(k) for k in ("IpProtocol", "FromPort", "ToPort")}
        named = {
            (kind, v)
            for kind in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
            for peer in permission.get(kind, [])
            for k, v in peer.items()
            if k != "Description"
        }
        found = 0
        for one in there:
            if {k: one.get(k) for k in shape} != shape:
                continue
            for kind in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"):
                kept = [p for p in one.get(kind, []) if not any((kind, v) in named for v in p.values())]
                found += len(one.get(kind, [])) - len(kept)
                one[kind] = kept
        assert found == len(named), "a rule is revoked that isn't there"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_wide_rule_is_replaced_by_narrow_ones_before_it_is_revoked(site: Site) -> None:
    finding = the(site.judged(), "gateway-ssh", "tcp/22")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    assert finding.fix.verified
    assert finding.fix.patch == ""
    assert [shlex.split(c)[2] for c in finding.fix.commands] == [
        "authorize-security-group-ingress",
        "revoke-security-group-ingress",
    ]
    for command in finding.fix.commands:
        site.run(command)
    after = site.judged()
    assert the(after, "gateway-ssh", "tcp/22").verdict == "satisfied"
    assert the(after, "block-agent-3", "tcp/22").verdict == "satisfied"


def test_what_is_allowed_already_is_not_authorized_again(site: Site) -> None:
    wide = [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": c}]}
        for c in ("203.0.113.10/31", "0.0.0.0/0")
    ]
    site.change(GATEWAY, "IpPermissions", wide)
    finding = the(site.judged(), "gateway-ssh", "tcp/22")
    assert finding.fix is not None
    assert [shlex.split(c)[2] for c in finding.fix.commands] == ["revoke-security-group-ingress"]


def test_a_missing_flow_gets_rules_on_both_sides(site: Site) -> None:
    site.change(GATEWAY, "IpPermissions", [])
    site.change(AGENT, "IpPermissionsEgress", [])
    finding = the(site.judged(), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    assert [shlex.split(c)[2] for c in finding.fix.commands] == [
        "authorize-security-group-egress",
        "authorize-security-group-ingress",
    ]
    for command in finding.fix.commands:
        site.run(command)
    assert the(site.judged(), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_a_rule_that_is_known_by_its_id_is_revoked_by_it(site: Site) -> None:
    rule = {
        "SecurityGroupRuleId": "sgr-0aa11bb22cc33dd44",
        "GroupId": GATEWAY,
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "CidrIpv4": "0.0.0.0/0",
    }
    (site.file.parent / "SecurityGroupRules.json").write_text(json.dumps({"SecurityGroupRules": [rule]}))
    finding = the(site.judged(), "gateway-ssh", "tcp/22")
    assert finding.fix is not None
    assert finding.fix.commands[-1] == (
        "aws ec2 revoke-security-group-ingress --region eu-west-1 "
        f"--group-id {GATEWAY} --security-group-rule-ids sgr-0aa11bb22cc33dd44"
    )


def test_fix_prints_all_commands_of_a_source_in_the_order_in_which_they_are_run(site: Site) -> None:
    site.change(GATEWAY, "IpPermissions", [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    mended = mend(site.request, write=False)
    assert mended.patch == ""
    assert mended.commands
    assert mended.left == 0
    for command in mended.commands:
        site.run(command)
    assert [f.id for f in site.judged().findings if f.verdict == "violated"] == []


def test_a_group_that_a_configuration_of_the_run_makes_gets_commands_and_the_patch(site: Site) -> None:
    fixture = FIXTURES / "aws" / "hyperbdr-block" / "broken"
    wanted = Request(sources=(str(fixture), f"dump:{site.directory}"), project=load(fixture / "netpact.yaml"))
    found = [f for f in check(wanted, "test").findings if f.flow == "gateway-ssh" and f.verdict == "violated"]
    live = [f.fix for f in found if f.fix is not None and f.fix.commands]
    assert len(found) == 2
    assert len(live) == 1
    assert "gateway.tf" in live[0].patch


def azure(directory: Path) -> Request:
    return Request(sources=(f"dump:{directory}",), project=load(directory / "netpact.yaml"))


def test_azure_commands_name_subscription_resource_group_and_rule(tmp_path: Path) -> None:
    report = check(azure(Path(shutil.copytree(AZURE, tmp_path / "site"))), "test")
    added = the(report, "block-agent-2", "tcp/13260").fix
    assert added is not None
    (command,) = added.commands
    words = shlex.split(command)
    assert words[:5] == ["az", "network", "nsg", "rule", "create"]
    assert words[5:11] == [
        *("--subscription", "8f3d2a10-0000-4000-8000-00000000dd01"),
        *("--resource-group", "rg-dr"),
        *("--nsg-name", "nsg-sync-gateway"),
    ]
    assert words[words.index("--priority") + 1] == "104"
    narrowed = the(report, "gateway-ssh", "tcp/22").fix
    assert narrowed is not None
    assert narrowed.commands == (
        "az network nsg rule update --subscription 8f3d2a10-0000-4000-8000-00000000dd01 --resource-group rg-dr "
        "--nsg-name nsg-sync-gateway --name console --source-address-prefixes 203.0.113.10/31",
    )


def test_names_from_a_cloud_cannot_run_anything_in_a_shell(tmp_path: Path) -> None:
    directory = Path(shutil.copytree(AZURE, tmp_path / "site"))
    hostile = "nsg'; touch owned; $(reboot) `id`"
    for file in directory.rglob("*.json"):
        file.write_text(file.read_text().replace("nsg-sync-gateway", hostile))
    report = check(azure(directory), "test")
    fixes = [f.fix for f in report.findings if f.verdict == "violated" and f.fix is not None]
    assert fixes
    for fix in fixes:
        for command in fix.commands:
            words = shlex.split(command)
            assert words[words.index("--nsg-name") + 1] == hostile


def test_fix_mends_the_azure_dump_with_one_command_for_each_rule(tmp_path: Path) -> None:
    mended = mend(azure(Path(shutil.copytree(AZURE, tmp_path / "site"))), write=True)
    assert mended.left == 0
    assert [shlex.split(c)[4] for c in mended.commands] == ["create", "update"]
    assert mended.patch == ""
