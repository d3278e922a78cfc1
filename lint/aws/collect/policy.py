"""The IAM policies that a scan needs, made from the table of its calls: `python -m lint.aws.collect.policy docs`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lint.aws.collect.calls import ACCOUNTS, ASSUME_ROLE, HUB, OPERATIONS

READER = "aws-iam-policy.json"  # for the identity or role in each account that is scanned
ORGANIZATION = "aws-iam-policy-organization.json"  # for who starts a scan of an organization, beside READER
ROLE = "netpact-reader"


def reader() -> dict[str, Any]:
    """What reading one account takes. STS GetCallerIdentity needs no permission."""
    actions = sorted({operation.action for operation in OPERATIONS if operation not in HUB})
    return _policy({"Sid": "NetpactRead", "Effect": "Allow", "Action": actions, "Resource": "*"})


def organization() -> dict[str, Any]:
    """What listing the organization's accounts and assuming the reading role in each takes in addition."""
    return _policy(
        {"Sid": "NetpactListAccounts", "Effect": "Allow", "Action": [ACCOUNTS.action], "Resource": "*"},
        {
            "Sid": "NetpactAssumeReader",
            "Effect": "Allow",
            "Action": [ASSUME_ROLE.action],
            "Resource": f"arn:aws:iam::*:role/{ROLE}",
        },
    )


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def files() -> dict[str, str]:
    """The policies as files, by name."""
    return {
        name: json.dumps(policy, indent=2) + "\n"
        for name, policy in ((READER, reader()), (ORGANIZATION, organization()))
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")
