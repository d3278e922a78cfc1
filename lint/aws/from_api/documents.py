"""Raw API answers as files: finding them, telling what they are by their own top-level keys, and whose account and
region they show.

Sources: the output shapes of `aws ec2 describe-*`, `aws elbv2 describe-*`, `aws rds describe-*`; Batfish's folder
layout for AWS.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lint.documents.json_text import as_utf8, read_json
from lint.origin import Origin, Problem

# Top-level key -> the key that identifies one of its elements.
KINDS: Mapping[str, tuple[str, ...]] = {
    "Vpcs": ("VpcId",),
    "Subnets": ("SubnetId",),
    "SecurityGroups": ("GroupId",),
    "SecurityGroupRules": ("SecurityGroupRuleId",),
    "SecurityGroupVpcAssociations": ("GroupId",),
    "StaleSecurityGroupSet": ("GroupId",),
    "NetworkInterfaces": ("NetworkInterfaceId",),
    "Reservations": ("ReservationId", "Instances"),
    "Instances": ("InstanceId",),
    "NetworkAcls": ("NetworkAclId",),
    "RouteTables": ("RouteTableId",),
    "InternetGateways": ("InternetGatewayId",),
    "EgressOnlyInternetGateways": ("EgressOnlyInternetGatewayId",),
    "NatGateways": ("NatGatewayId",),
    "Addresses": ("PublicIp", "AllocationId"),
    "PrefixLists": ("PrefixListId",),
    "ManagedPrefixListEntries": ("PrefixListId",),
    "VpcPeeringConnections": ("VpcPeeringConnectionId",),
    "VpcEndpoints": ("VpcEndpointId",),
    "TransitGateways": ("TransitGatewayId",),
    "TransitGatewayAttachments": ("TransitGatewayAttachmentId",),
    "TransitGatewayVpcAttachments": ("TransitGatewayAttachmentId",),
    "TransitGatewayPeeringAttachments": ("TransitGatewayAttachmentId",),
    "TransitGatewayRouteTables": ("TransitGatewayRouteTableId",),
    "TransitGatewayRouteTableAssociations": ("TransitGatewayRouteTableId",),
    "TransitGatewayPropagations": ("TransitGatewayRouteTableId",),
    "TransitGatewayStaticRoutes": ("TransitGatewayRouteTableId",),
    "VpnGateways": ("VpnGatewayId",),
    "VpnConnections": ("VpnConnectionId",),
    "CustomerGateways": ("CustomerGatewayId",),
    "VpcBlockPublicAccessOptions": ("InternetGatewayBlockMode",),
    "VpcBlockPublicAccessExclusions": ("ExclusionId",),
    "LoadBalancers": ("LoadBalancerArn",),
    "LoadBalancerDescriptions": ("LoadBalancerName",),
    "LoadBalancerListeners": ("LoadBalancerArn",),
    "LoadBalancerAttributes": ("LoadBalancerArn",),
    "LoadBalancerTargetHealth": ("TargetGroupArn",),
    "LoadBalancerListenerRules": ("ListenerArn",),
    "Listeners": ("ListenerArn",),
    "Rules": ("RuleArn",),
    "TargetGroups": ("TargetGroupArn",),
    "TargetGroupAttributes": ("TargetGroupArn",),
    "DBInstances": ("DBInstanceIdentifier",),
    "DBClusters": ("DBClusterIdentifier",),
    "DomainStatusList": ("DomainId", "ARN"),
    "Regions": ("RegionName",),
}
# Parts of an answer that have lost the id of what they belong to; they can't be placed.
ORPHANS = frozenset({"Entries", "Attributes", "Associations", "Routes", "TargetHealthDescriptions"})
_CANONICAL = {key.lower(): key for key in KINDS}
_CANONICAL |= {"rdsinstances": "DBInstances", "elasticsearchdomains": "DomainStatusList"}
_REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-\d$")
_ACCOUNT = re.compile(r"^\d{12}$")
MAX_FILE_BYTES = 512 * 2**20
MAX_DEPTH = 6  # of objects that wrap answers by account and region


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON object of API answers: its file, the account and region that it shows as far as known, and its data.

    `missing` says which kinds (keys of KINDS, or `kind:id` where a call was made for one thing) could not be collected,
    and why: their layers are undetermined then, where a kind that is simply not there is a layer that the source
    doesn't contain.
    """

    path: str
    account: str | None
    region: str | None
    data: Mapping[str, Any]
    missing: Mapping[str, str] = field(default_factory=dict)

    def resources(self) -> int:
        """How many things it lists; of reservations, their machines."""
        listed = [one for kind, found in self.data.items() for one in (found if isinstance(found, list) else [found])]
        inner = (one.get("Instances") if isinstance(one, dict) else None for one in listed)
        return sum(len(machines) if isinstance(machines, list) else 1 for machines in inner)


def kind_of(key: str) -> str | None:
    """The kind that a top-level key (or a file's stem) means; `network_acls` and `NetworkAcls.json` as well."""
    return _CANONICAL.get(key.replace("_", "").replace("-", "").lower())


def is_dump(data: object) -> bool:
    """Whether parsed JSON holds answers of the AWS API, at the top or wrapped by account and region."""
    return _holds_answers(data, MAX_DEPTH)


def _holds_answers(data: object, depth: int) -> bool:
    if not isinstance(data, dict) or depth == 0:
        return False
    for key, value in data.items():
        kind = kind_of(key) if isinstance(key, str) else None
        if kind is not None and _fits(kind, value):
            return True
    wrapped = [v for k, v in data.items() if isinstance(k, str) and _is_scope(k)]
    return any(_holds_answers(each, depth - 1) for each in wrapped)


def _is_scope(key: str) -> bool:
    return bool(_REGION.match(key) or _ACCOUNT.match(key)) or key in ("accounts", "regions", "aws_configs")


def _fits(kind: str, value: object) -> bool:
    """Whether a value looks like a list of that kind. An empty list fits."""
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return False
    first = next((e for e in value if isinstance(e, dict)), None)
    return not value or (first is not None and any(key in first for key in KINDS[kind]))


def load_dump(path: Path) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """Reads a file, or every JSON file below a directory. Files that can't be read are problems, the others still
    count.

    Account and region come from the folders (`accounts/<id>/<region>/…`, `aws_configs/<region>/…`) or from keys that
    wrap the answers.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    top = path if path.is_dir() else path.parent
    for file in _files(path):
        shown = file.relative_to(top).as_posix()
        data, problem = _parse(file, shown)
        if problem is not None:
            problems.append(problem)
        if data is None:
            continue
        account, region = _scope_of(path / shown if path.is_dir() else file)
        found, more = _documents(shown, file.stem, account, region, data, MAX_DEPTH)
        documents += found
        problems += more
    if not documents and not problems:
        problems.append(
            Problem(
                "error",
                f"{path} holds no answers of a cloud's API",
                None,
                "give what `aws ec2 describe-…`, `az network … list` or `terraform show -json` printed",
            )
        )
    return tuple(documents), tuple(problems)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(".json") and name != "manifest.json":
                yield Path(folder) / name


def _parse(file: Path, shown: str) -> tuple[object, Problem | None]:
    where = Origin(file=shown)
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            return None, Problem(
                "incomplete", f"{shown} is larger than {MAX_FILE_BYTES >> 20} MiB and was not read", where
            )
        text = as_utf8(file.read_bytes()).decode("utf-8")
        data, twice = read_json(text)
        if twice:
            said = f"{shown} gives the key {twice[0][:60]!r} twice in one object, and only one of them was read"
            return data, Problem("incomplete", said, where, "collect it again")
        return data, None
    except UnicodeDecodeError as error:
        return None, Problem("incomplete", f"{shown} is not UTF-8: {error.reason} at byte {error.start}", where)
    except json.JSONDecodeError as error:
        spot = Origin(file=shown, line=error.lineno, column=error.colno)
        return None, Problem("incomplete", f"{shown} is not JSON: {error.msg}", spot, "collect it again")
    except RecursionError:
        return None, Problem("incomplete", f"{shown} is nested too deeply", where)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return None, Problem("incomplete", f"{shown} can't be read: {reason}", where)


def _scope_of(file: Path) -> tuple[str | None, str | None]:
    """Account and region from the folders that a file lies in."""
    account = region = None
    parts = file.parent.parts
    for index, part in enumerate(parts):
        if _REGION.match(part):
            region = part
        elif _ACCOUNT.match(part) or (index and parts[index - 1] == "accounts"):
            account = part
    return account, region


def _documents(
    shown: str, stem: str, account: str | None, region: str | None, data: object, depth: int
) -> tuple[list[Document], list[Problem]]:
    where = Origin(file=shown, account=account, region=region)
    if isinstance(data, list):
        kind = kind_of(stem)
        if kind is not None and _fits(kind, data):
            return [Document(shown, account, region, {kind: data})], []
        found: list[Document] = []
        problems: list[Problem] = []
        for each in data if depth else ():
            more, wrong = _documents(shown, stem, account, region, each, depth - 1)
            found += more
            problems += wrong
        return found, problems
    if not isinstance(data, dict):
        return [], [Problem("incomplete", f"{shown} holds no JSON object", where)]
    held: dict[str, Any] = {}
    problems = []
    inner: list[Document] = []
    for key, value in data.items():
        kind = kind_of(key)
        if kind is not None and _fits(kind, value):
            held[kind] = [value] if isinstance(value, dict) else value
        elif kind is not None and value is None:
            held[kind] = []
        elif kind is not None and not (isinstance(value, (dict, list))):
            problems.append(Problem("incomplete", f"{shown}: {key} is no list", where))
        elif key in ORPHANS and isinstance(value, list):
            problems.append(
                Problem(
                    "incomplete",
                    f"{shown}: {key} doesn't say what it belongs to",
                    where,
                    "wrap it in an object that names its parent, e.g. "
                    '{"ManagedPrefixListEntries": [{"PrefixListId": "pl-…", "Entries": […]}]}',
                )
            )
        elif key in ("NextToken", "nextToken", "NextMarker") and value:
            problems.append(
                Problem(
                    "incomplete", f"{shown} is one page of several ({key})", where, "collect it without --max-items"
                )
            )
        elif depth and isinstance(value, (dict, list)) and _is_scope(key):
            more, wrong = _documents(
                shown,
                stem,
                key if _ACCOUNT.match(key) else account,
                key if _REGION.match(key) else region,
                value,
                depth - 1,
            )
            inner += more
            problems += wrong
        elif kind is not None:
            problems.append(Problem("incomplete", f"{shown}: the elements of {key} aren't {kind}", where))
    if held:
        inner.insert(0, Document(shown, account, region, held))
    return inner, problems
