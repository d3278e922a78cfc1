"""What of a source could not be collected, and what that leaves open: exactly what depends on it.

A list that failed is never taken for an empty one. What other resources name by id is opened where it is named; here
are the stand-ins for things that nothing else would open, and what leaves the whole open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lint.azure.records import Many, Record, canonical, last_segment, parent_of, segment_of, type_of, walk
from lint.origin import Origin, Reason

_NETWORK = "microsoft.network/"
VIRTUAL_NETWORK = f"{_NETWORK}virtualnetworks"
SUBNET = f"{VIRTUAL_NETWORK}/subnets"
APPLICATION_GROUP = f"{_NETWORK}applicationsecuritygroups"
INTERFACE = f"{_NETWORK}networkinterfaces"
MACHINE = "microsoft.compute/virtualmachines"
GATEWAY = f"{_NETWORK}virtualnetworkgateways"
LOCAL_GATEWAY = f"{_NETWORK}localnetworkgateways"
CONNECTION = f"{_NETWORK}connections"
HUB = f"{_NETWORK}virtualhubs"
MANAGER = f"{_NETWORK}networkmanagers"
CONNECTIVITY = f"{MANAGER}/connectivityconfigurations"
EFFECTIVE_ADMIN = "netpact/effectiveadminrules"
EFFECTIVE_CONNECTIVITY = "netpact/effectiveconnectivity"

# Without one of these, machines, names or memberships may exist that nothing else shows.
VITAL = frozenset(
    {
        VIRTUAL_NETWORK,
        INTERFACE,
        MACHINE,
        f"{_NETWORK}networksecuritygroups",
        f"{_NETWORK}loadbalancers",
        f"{_NETWORK}privateendpoints",
        "microsoft.compute/virtualmachinescalesets",
        "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces",
    }
)

_WORDS = {
    EFFECTIVE_ADMIN: "the security admin rules in force",
    EFFECTIVE_CONNECTIVITY: "the connectivity configurations in force",
    "netpact/effectivesecuritygroups": "the rules in force",
    "netpact/effectiveroutes": "the routes in force",
}
_REMEDIES = {
    "denied": "give the identity the role of docs/azure-role.json",
    "unavailable": "look whether it is there for this identity",
}


@dataclass(frozen=True, slots=True)
class Missing:
    """One call that failed: resources of `type` in a subscription ("" where that isn't said), or `of` one thing alone.

    `of` is the key of what was asked about; "" where it was a list of everything. All in lower case.
    """

    type: str
    subscription: str
    of: str
    reason: Reason


def read_manifest(entries: Any) -> Iterator[Missing]:
    """What a collector says of its own completeness: [{"subscription", "type", "state", "reason", "of"}]."""
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, Mapping) or entry.get("state") == "complete":
            continue
        kind = str(entry.get("type", "")).lower()
        of, group = entry.get("of"), entry.get("group")
        where = entry.get("subscription") or "a subscription"
        if isinstance(of, str) and of:
            where = f"{last_segment(of)} in {where}"
        elif isinstance(group, str) and group:
            where = f"resource group {group} of {where}"
        why = entry.get("reason") or entry.get("state") or "not collected"
        yield Missing(
            kind,
            str(entry.get("subscription") or "").lower(),
            canonical(of) if isinstance(of, str) else "",
            Reason(
                f"{_WORDS.get(kind, kind)} of {where} could not be collected: {why}",
                f"azure.coverage:{kind}",
                None,
                _REMEDIES.get(str(entry.get("state")), "collect it again with --resume"),
            ),
        )


def whole(missing: tuple[Missing, ...]) -> tuple[Reason, ...]:
    """Why anything may be there that isn't seen."""
    return tuple(dict.fromkeys(one.reason for one in missing if one.type in VITAL))


def reasons_for(missing: tuple[Missing, ...], identity: str) -> tuple[Reason, ...]:
    """Why the thing of this id could not be collected; nothing where its list is complete."""
    kind = type_of(identity)
    kind = VIRTUAL_NETWORK if kind.startswith(VIRTUAL_NETWORK) else kind
    return of_type(missing, kind, segment_of(identity, "subscriptions"), canonical(identity))


def of_type(
    missing: tuple[Missing, ...], kind: str, subscription: str | None = None, key: str = ""
) -> tuple[Reason, ...]:
    """Why resources of a type in a subscription (None: in any) could not be collected, or the one with this key."""
    here = (subscription or "").lower()
    return tuple(
        dict.fromkeys(
            one.reason
            for one in missing
            if one.type == kind and (subscription is None or one.subscription in ("", here)) and one.of in ("", key)
        )
    )


def stand_ins(found: Mapping[str, Record], missing: tuple[Missing, ...]) -> Iterator[Record]:
    """Records for what is certainly or possibly there, with everything about it open."""
    if not missing:
        return
    types = {one.type for one in missing}
    named: dict[str, str] = {}
    if types & {VIRTUAL_NETWORK, APPLICATION_GROUP, MACHINE}:
        for identity in _identities(found):
            named.setdefault(canonical(identity), identity)
    for key in sorted(named):
        identity, kind = named[key], type_of(key)
        if key in found or kind not in (SUBNET, APPLICATION_GROUP, MACHINE):
            continue
        if kind == SUBNET and parent_of(key) in found:
            continue
        reasons = reasons_for(missing, identity)
        if reasons:
            yield _stub(kind, identity, reasons, parent=parent_of(identity) if kind == SUBNET else None)
    for one in missing:
        if one.type in (EFFECTIVE_ADMIN, EFFECTIVE_CONNECTIVITY) and one.of:
            yield Record(
                type=one.type,
                key=f"{one.of}#{one.type}",
                name=f"network managers of {last_segment(one.of)}",
                properties={"of": one.of, "value": Many((), (one.reason,))},
                origin=Origin(resource_id=one.of),
            )
        elif one.type == GATEWAY and one.of:
            subnet = _gateway_subnet(found, one.of)
            held = {} if subnet is None else {"ipConfigurations": [{"subnet": {"id": subnet}}]}
            yield _stub(GATEWAY, one.of, (one.reason,), properties=held)
        elif one.type in (CONNECTION, LOCAL_GATEWAY):
            yield _stub(LOCAL_GATEWAY, f"{one.of or one.subscription}#behind", (one.reason,))
        elif one.type in (HUB, f"{HUB}/ipconfigurations"):
            for subnet in _route_server_subnets(found, one.subscription):
                told = {"subnet": {"id": subnet}}
                yield _stub(HUB, f"{subnet}#route-server", (one.reason,), properties=told)
        elif one.type in (MANAGER, CONNECTIVITY):
            name = "a network manager that could not be read"
            yield Record(
                type=CONNECTIVITY,
                key=f"{one.of or one.subscription}#connectivity",
                name=name,
                properties={"name": name, "appliesToGroups": Many((), (one.reason,))},
                origin=Origin(account=one.subscription or None),
            )


def _stub(
    kind: str,
    identity: str,
    reasons: tuple[Reason, ...],
    *,
    properties: Mapping[str, Any] | None = None,
    parent: str | None = None,
) -> Record:
    name = last_segment(identity)
    subscription = segment_of(identity, "subscriptions")
    return Record(
        type=kind,
        key=canonical(identity),
        name=name,
        properties={"name": name, **(properties or {})},
        origin=Origin(account=subscription, resource_id=identity),
        ids=tuple(dict.fromkeys((identity, canonical(identity)))),
        subscription=subscription,
        group=segment_of(identity, "resourceGroups"),
        tags_open=reasons,
        parent=parent,
        partial=reasons,
    )


def _identities(found: Mapping[str, Record]) -> Iterator[str]:
    """Every id that a resource names."""
    for record in found.values():
        for one in walk(record.properties):
            if isinstance(one, Mapping) and isinstance(one.get("id"), str) and "/providers/" in one["id"]:
                yield one["id"]


def _route_server_subnets(found: Mapping[str, Record], subscription: str) -> Iterator[str]:
    """The subnets in which a route server may stand: it teaches the whole network routes."""
    for record in found.values():
        if record.type == VIRTUAL_NETWORK and (record.subscription or "").lower() == subscription:
            for one in walk(record.properties):
                if isinstance(one, Mapping) and str(one.get("name", "")).lower() == "routeserversubnet":
                    yield str(one.get("id") or f"{record.key}/subnets/routeserversubnet")


def _gateway_subnet(found: Mapping[str, Record], gateway: str) -> str | None:
    for record in found.values():
        if record.type != VIRTUAL_NETWORK:
            continue
        for one in walk(record.properties):
            if not isinstance(one, Mapping) or str(one.get("name", "")).lower() != "gatewaysubnet":
                continue
            if any(
                isinstance(each, Mapping) and canonical(str(each.get("id", ""))).startswith(f"{gateway}/")
                for each in walk(one.get("properties"))
            ):
                return str(one.get("id") or "") or None
    return None
