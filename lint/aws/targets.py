"""What an id means as the target of a route, by its prefix."""

from __future__ import annotations

from lint.aws.model import network as aws

_PREFIXES = (
    ("igw-", aws.INTERNET_GATEWAY),
    ("eigw-", aws.EGRESS_ONLY_GATEWAY),
    ("vgw-", aws.VPN_GATEWAY),
    ("nat-", aws.NAT_GATEWAY),
    ("pcx-", aws.PEERING),
    ("tgw-", aws.TRANSIT_GATEWAY),
    ("eni-", aws.APPLIANCE),
    ("i-", aws.APPLIANCE),
    ("lgw-", aws.OTHER_GATEWAY),
    ("cagw-", aws.OTHER_GATEWAY),
)


def kind_of_target(id_: str) -> str | None:
    """The kind of thing that an id names; None where its prefix doesn't tell (`vpce-` has two kinds)."""
    if id_ == "local":
        return aws.LOCAL
    return next((kind for prefix, kind in _PREFIXES if id_.startswith(prefix)), None)
