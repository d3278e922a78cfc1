"""What is asked in one region of one account, and in which order: nothing that the answers before don't call for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from lint.aws.collect import calls
from lint.aws.collect.access import Account, Clients
from lint.aws.collect.calls import Operation
from lint.aws.collect.requests import REGION_CLOSED, turn
from lint.live.calls import UNAVAILABLE, Answer, Call, Page
from lint.live.collection import Collection

Ask = Callable[..., Answer]


def collect_region(collection: Collection, clients: Clients, account: Account, region: str) -> None:
    """Make every call for a region. A region that doesn't answer at all is asked once."""
    try:
        _collect(collection, clients, account, region)
    finally:
        clients.drop(account, region)


def _collect(collection: Collection, clients: Clients, account: Account, region: str) -> None:
    def ask(operation: Operation, parent: str | None = None) -> Answer:
        parameters = {operation.parent: parent} if parent is not None else {}

        def one(token: str | None) -> Page:
            return turn(clients.of(account, operation.service, region), operation, parent)(token)

        return collection.gather(Call.of(account.id, region, operation.name, parameters), one)

    most = collection.options.calls_a_place
    rest = [*calls.EVERYWHERE[1:], calls.LOAD_BALANCERS, calls.TARGET_GROUPS]
    collection.progress.expect(len(rest) + 1)
    first = ask(calls.VPCS)
    if first.status == UNAVAILABLE and (
        first.error.partition(":")[0] in REGION_CLOSED or "EndpointConnection" in first.error
    ):
        for operation in rest:
            collection.fail(Call.of(account.id, region, operation.name), UNAVAILABLE, first.error)
        return
    answers = {calls.VPCS.name: first}
    for answer in collection.together([partial(ask, operation) for operation in rest], most):
        answers[answer.call.operation] = answer
    more = list(_follow_up(account, answers))
    collection.progress.expect(len(more))
    found = collection.together([partial(ask, operation, parent) for operation, parent in more], most)
    tables = [
        str(each["TransitGatewayRouteTableId"])
        for answer in found
        if answer.call.operation == calls.TRANSIT_TABLES.name
        for each in _listed(answer, "TransitGatewayRouteTables")
    ]
    last = [partial(ask, operation, table) for table in tables for operation in calls.OF_TRANSIT_TABLES]
    last += [partial(ask, calls.LISTENER_RULES, listener) for listener in _with_rules(answers, found)]
    collection.progress.expect(len(last))
    collection.together(last, most)


def _follow_up(account: Account, answers: dict[str, Answer]) -> Iterator[tuple[Operation, str | None]]:
    """The calls that the answers call for: of prefix lists in use, peered VPCs, load balancers and transit gateways."""
    groups = list(_listed(answers[calls.SECURITY_GROUPS.name], "SecurityGroups"))
    routes = [
        route
        for table in _listed(answers[calls.ROUTE_TABLES.name], "RouteTables")
        for route in table.get("Routes") or ()
    ]
    for id_ in _used_lists(groups, routes):
        yield calls.PREFIX_LIST_ENTRIES, id_
    own = {
        str(vpc.get("VpcId"))
        for vpc in _listed(answers[calls.VPCS.name], "Vpcs")
        if vpc.get("OwnerId", account.id) == account.id  # of a shared VPC only its owner may ask
    }
    peered = {
        str((peering.get(side) or {}).get("VpcId"))
        for peering in _listed(answers[calls.PEERINGS.name], "VpcPeeringConnections")
        for side in ("RequesterVpcInfo", "AccepterVpcInfo")
    }
    for vpc in sorted(own & peered):
        yield calls.STALE_GROUPS, vpc
    for balancer in _ids(answers[calls.LOAD_BALANCERS.name], "LoadBalancers", "LoadBalancerArn"):
        yield calls.LISTENERS, balancer
    for group in _ids(answers[calls.TARGET_GROUPS.name], "TargetGroups", "TargetGroupArn"):
        yield calls.TARGET_GROUP_ATTRIBUTES, group
        yield calls.TARGET_HEALTH, group
    if any(route.get("TransitGatewayId") for route in routes):
        for operation in calls.TRANSIT:
            yield operation, None


def _with_rules(answers: dict[str, Answer], found: Iterable[Answer]) -> list[str]:
    """The listeners of application load balancers: those of others have no rules but their default action."""
    application = {
        str(each.get("LoadBalancerArn"))
        for each in _listed(answers[calls.LOAD_BALANCERS.name], "LoadBalancers")
        if each.get("Type") == "application"
    }
    return sorted(
        str(each["ListenerArn"])
        for answer in found
        if answer.call.operation == calls.LISTENERS.name
        for each in _listed(answer, "Listeners")
        if each.get("LoadBalancerArn") in application and each.get("ListenerArn")
    )


def _used_lists(groups: Iterable[dict[str, Any]], routes: Iterable[dict[str, Any]]) -> list[str]:
    """Prefix lists that a rule or a route names."""
    found: set[str] = set()
    for group in groups:
        for key in ("IpPermissions", "IpPermissionsEgress"):
            for permission in group.get(key) or ():
                found |= {
                    str(p["PrefixListId"]) for p in permission.get("PrefixListIds") or () if p.get("PrefixListId")
                }
    found |= {str(r["DestinationPrefixListId"]) for r in routes if r.get("DestinationPrefixListId")}
    return sorted(found)


def _ids(answer: Answer, key: str, name: str) -> list[str]:
    return sorted(str(each[name]) for each in _listed(answer, key) if each.get(name))


def _listed(answer: Answer, key: str) -> Iterator[dict[str, Any]]:
    for page in answer.pages:
        yield from page.get(key) or ()
