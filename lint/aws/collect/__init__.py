"""Collects from live AWS accounts what `from_api` reads: read-only, paged, within limits, kept as evidence."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from lint.aws.collect.access import Account, Clients, accounts
from lint.aws.collect.calls import ASSUME_ROLE, REGIONS
from lint.aws.collect.documents import documents_of
from lint.aws.collect.region import collect_region
from lint.aws.collect.requests import turn
from lint.live.calls import Call, LiveError
from lint.live.collection import Collection, must
from lint.live.options import LiveOptions
from lint.live.scan import scan
from lint.live.snapshot import Snapshot

if TYPE_CHECKING:
    from lint.graph.graph import RuleGraph

__all__ = ["collect", "documents_of", "graph_of"]

_REGION = re.compile(r"^[a-z]{2,}(-[a-z]+)+-\d+$")


def collect(regions: Sequence[str], options: LiveOptions, heard: Callable[[str], None] | None = None) -> Snapshot:
    """Scan the regions named (none: all that are enabled) in the caller's account, or in all of its organization.

    `heard` gets the name of every operation that is sent. Raises LiveError where nothing can be said at all; a call
    that fails is in the snapshot as failed.
    """
    for region in regions:
        if not _REGION.match(region):
            raise LiveError(
                f"aws:{region}: that is no AWS region; write for example aws:eu-west-1,us-east-1, or aws: for all"
            )
    access = options.aws
    chosen = sorted(set(regions))
    secret = hashlib.sha256(access.external_id.encode()).hexdigest() if access.external_id else None
    plan = {
        "regions": chosen,
        "profile": access.profile,
        "role": access.role_arn,
        "organization": access.organization,
        "external_id": secret,
    }

    def run(collection: Collection) -> None:
        clients = Clients(heard)
        found = accounts(collection, clients, access, chosen[0] if chosen else None)
        many = collection.options.places
        places = collection.together([partial(_places, collection, clients, a, chosen) for a in found], many)
        jobs = [
            partial(collect_region, collection, clients, account, region)
            for account, listed in zip(found, places, strict=True)
            for region in listed
        ]
        collection.together(jobs, many)

    return scan("aws", "aws:" + ",".join(chosen), plan, options, run)


def _places(collection: Collection, clients: Clients, account: Account, regions: Sequence[str]) -> Sequence[str]:
    """The regions to scan in an account."""
    if account.closed is not None:
        collection.fail(Call.of(account.id, "", ASSUME_ROLE.name), *account.closed)
        return ()
    if regions:
        return regions
    home = account.session.region_name or "us-east-1"
    call = Call.of(account.id, "", REGIONS.name)
    answer = collection.gather(call, turn(clients.of(account, "ec2", home), REGIONS))
    if not collection.options.aws.organization:
        must(answer, "listing the enabled regions", "allow ec2:DescribeRegions, or name the regions: aws:eu-west-1")
    return sorted(
        str(each["RegionName"])
        for page in answer.pages
        for each in page.get("Regions") or ()
        if each.get("OptInStatus", "opt-in-not-required") in ("opt-in-not-required", "opted-in")
    )


def graph_of(snapshot: Snapshot, **_: Any) -> RuleGraph:
    """The rule graph of a scan, whether it was just collected or read from a file."""
    from lint import aws

    return aws.graph_from_documents(documents_of(snapshot))
