"""Copies of a raw dump that can be changed as the cloud's command line changes an account."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

from lint.check import Request
from lint.project import load

SITE = Path(__file__).resolve().parents[2] / "fixtures" / "aws-dumps" / "dr-site"


class AclSite:
    """A copy of the AWS dump whose network ACLs can be changed as the aws command changes them."""

    def __init__(self, directory: Path) -> None:
        self.directory = Path(shutil.copytree(SITE, directory / "site"))
        self.project = directory / "netpact.yaml"
        self.project.write_text("""\
version: 1
deployments:
  dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    roles:
      console: [{addresses: [203.0.113.10/32]}]
      cloud-sync-gateway: [{security_groups: [dr-sync-gateway]}]
      agent: [{security_groups: [dr-agent]}]
""")
        self.file = next(self.directory.rglob("NetworkAcls.json"))

    @property
    def request(self) -> Request:
        return Request(sources=(f"dump:{self.directory}",), project=load(self.project))

    def edit(self, change: Any) -> None:
        document = json.loads(self.file.read_text())
        for one in document["NetworkAcls"]:
            one["Entries"] = change(one["NetworkAclId"], one["Entries"])
        self.file.write_text(json.dumps(document))

    def run(self, command: str) -> None:
        words = shlex.split(command)
        assert words[:3] == ["aws", "ec2", "create-network-acl-entry"]
        egress = "--egress" in words
        words = [word for word in words if word not in ("--egress", "--ingress")]
        given = dict(zip(words[3::2], words[4::2], strict=True))
        assert given["--region"] == "eu-west-1"
        ports = dict(part.split("=") for part in given["--port-range"].split(","))
        made = {
            "RuleNumber": int(given["--rule-number"]),
            "RuleAction": given["--rule-action"],
            "Protocol": {"tcp": "6"}[given["--protocol"]],
            "Egress": egress,
            "CidrBlock": given["--cidr-block"],
            "PortRange": {key: int(value) for key, value in ports.items()},
        }

        def create(id_: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
            if id_ != given["--network-acl-id"]:
                return entries
            assert (made["RuleNumber"], egress) not in [(e["RuleNumber"], e["Egress"]) for e in entries]
            return [made, *entries]

        self.edit(create)
