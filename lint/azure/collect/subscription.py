"""What is asked in one subscription, and in which order: nothing that the answers before don't call for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from lint.azure.collect import calls
from lint.azure.collect.access import Connection
from lint.azure.collect.calls import Operation
from lint.azure.collect.requests import GONE, turn
from lint.live.calls import DENIED, UNAVAILABLE, Answer, Call
from lint.live.collection import Collection

Rows = Mapping[str, list[dict[str, Any]]]  # resources by operation name
_COMPUTED_TAGS = ("virtualnetwork", "internet", "azureloadbalancer")
_GATEWAYS = re.compile(
    r"^(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/virtualNetworkGateways/[^/]+)/", re.I
)


def collect_subscription(
    collection: Collection, connection: Connection, subscription: str, known: Rows | None
) -> dict[str, set[str]]:
    """Make every call for a subscription. `known` holds its resources where Resource Graph has told them.

    Gives the locations of which service tag data is needed, as {location: {subscription}}.
    """
    most = collection.options.calls_a_place
    asking = _Asking(collection, connection, subscription)
    rows = dict(known) if known is not None else asking.lists()
    first = list(_follow_up(rows, subscription))
    collection.progress.expect(len(first))
    found = collection.together([partial(asking.of_thing, operation, id_) for operation, id_ in first], most)
    connections = [answer for answer in found if answer.call.operation == calls.GATEWAY_CONNECTIONS.name]
    local = sorted({id_ for answer in connections for row in listed(answer) for id_ in _local_gateway(row)})
    collection.progress.expect(len(local))
    collection.together([partial(asking.of_thing, calls.LOCAL_GATEWAY, id_) for id_ in local], most)
    if collection.options.azure.verify_effective:
        asking.in_force(rows)
    return {location: {subscription} for location in _tagged_locations(rows)}


def collect_tags(collection: Collection, connection: Connection, location: str, subscriptions: Iterable[str]) -> None:
    """The addresses of all service tags, as one location tells them: the first subscription that may ask does."""
    for subscription in sorted(subscriptions):
        call = Call.of(subscription, location, calls.SERVICE_TAGS.name)
        path = calls.SERVICE_TAGS.path.format(subscription=subscription, location=location)
        collection.progress.expect(1)
        answer = collection.gather(call, turn(connection, calls.SERVICE_TAGS, path, collection.options))
        if answer.ok:
            return


class _Asking:
    """The calls of one subscription."""

    def __init__(self, collection: Collection, connection: Connection, subscription: str) -> None:
        self.collection = collection
        self.connection = connection
        self.subscription = subscription

    def lists(self) -> dict[str, list[dict[str, Any]]]:
        """The lists of the whole subscription; where one is denied, those of its resource groups."""
        collection = self.collection
        rest = calls.EVERYWHERE[1:]
        collection.progress.expect(len(calls.EVERYWHERE))
        first = self.of_subscription(calls.EVERYWHERE[0])
        if first.error.partition(":")[0] in GONE:
            for operation in rest:
                collection.fail(Call.of(self.subscription, "", operation.name), UNAVAILABLE, first.error)
            return {}
        most = collection.options.calls_a_place
        answers = [first, *collection.together([partial(self.of_subscription, one) for one in rest], most)]
        rows = {answer.call.operation: listed(answer) for answer in answers}
        denied = [calls.BY_NAME[answer.call.operation] for answer in answers if answer.status == DENIED]
        if denied:
            groups = self.groups()
            jobs = [partial(self.of_group, operation, group) for operation in denied for group in groups]
            collection.progress.expect(len(jobs))
            for answer in collection.together(jobs, most):
                rows[answer.call.operation] = [*rows[answer.call.operation], *listed(answer)]
        return rows

    def groups(self) -> list[str]:
        """The resource groups that the identity sees."""
        operation = calls.RESOURCE_GROUPS
        call = Call.of(self.subscription, "", operation.name)
        path = operation.path.format(subscription=self.subscription)
        answer = self.collection.gather(call, turn(self.connection, operation, path, self.collection.options))
        return sorted({str(row["name"]) for row in listed(answer) if row.get("name")}, key=str.lower)

    def of_subscription(self, operation: Operation) -> Answer:
        """A list of the whole subscription."""
        call = Call.of(self.subscription, "", operation.name)
        path = operation.path.format(subscription=self.subscription)
        return self.collection.gather(call, turn(self.connection, operation, path, self.collection.options))

    def of_group(self, operation: Operation, group: str) -> Answer:
        """A list of one resource group."""
        call = Call.of(self.subscription, "", operation.name, {"resource_group": group})
        path = operation.path.format(subscription=self.subscription)
        path = path.replace("/providers/", f"/resourceGroups/{group}/providers/", 1)
        return self.collection.gather(call, turn(self.connection, operation, path, self.collection.options))

    def in_force(self, rows: Rows) -> None:
        """The rules and routes in force at the interfaces of machines that run; of others Azure tells nothing."""
        collection = self.collection
        collection.progress.expect(1)
        running = _running(self.of_subscription(calls.STATES))
        interfaces = [id_ for id_, machine in _attached(rows) if running is None or machine.lower() in running]
        wanted = [(one, id_) for id_ in interfaces for one in (calls.EFFECTIVE_GROUPS, calls.EFFECTIVE_ROUTES)]
        collection.progress.expect(len(wanted))
        jobs = [partial(self.of_thing, operation, id_) for operation, id_ in wanted]
        collection.together(jobs, collection.options.calls_a_place)

    def of_thing(self, operation: Operation, id_: str) -> Answer:
        """What one resource says of itself, or what hangs below it."""
        call = Call.of(self.subscription, "", operation.name, {"parent": id_})
        body: dict[str, Any] | None = {} if operation.method == "POST" else None
        return self.collection.gather(
            call, turn(self.connection, operation, operation.path.format(parent=id_), self.collection.options, body)
        )


def listed(answer: Answer) -> list[dict[str, Any]]:
    """The resources of an answer."""
    return [
        row
        for page in answer.pages
        if isinstance(page, dict) and isinstance(page.get("value"), list)
        for row in page["value"]
        if isinstance(row, dict)
    ]


def _follow_up(rows: Rows, subscription: str) -> Iterator[tuple[Operation, str]]:
    """The calls that the lists call for, by the id of the thing that they are about."""
    for row in _with_id(rows, calls.SCALE_SETS):
        if str(_inside(row, "orchestrationMode") or "Uniform").lower() != "flexible":
            yield calls.SCALE_SET_INTERFACES, row["id"]
    named = {id_.lower(): id_ for row in rows.get(calls.SECURITY_GROUPS.name, ()) for id_ in _application_groups(row)}
    for key in sorted(named):
        if f"/subscriptions/{subscription}/".lower() in key:
            yield calls.PREFIX_SETS, named[key]
    for row in _with_id(rows, calls.HUBS):
        yield calls.HUB_CONNECTIONS, row["id"]
        yield calls.HUB_CONFIGURATIONS, row["id"]
    for row in _with_id(rows, calls.VIRTUAL_NETWORKS):
        yield calls.ADMIN_RULES, row["id"]
        yield calls.CONNECTIVITY, row["id"]
    for id_ in gateways_of(rows.get(calls.VIRTUAL_NETWORKS.name, ())):
        yield calls.GATEWAY, id_
        yield calls.GATEWAY_CONNECTIONS, id_


def _attached(rows: Rows) -> Iterator[tuple[str, str]]:
    """The interfaces of virtual machines, each with its machine's id. Uniform scale sets' aren't among them."""
    for row in _with_id(rows, calls.INTERFACES):
        machine = _inside(row, "virtualMachine")
        if isinstance(machine, Mapping) and isinstance(machine.get("id"), str):
            yield row["id"], machine["id"]


def _running(states: Answer) -> set[str] | None:
    """The ids of machines that run; None where that isn't told: then every machine is asked."""
    found: set[str] = set()
    told = False
    for row in listed(states):
        view = _inside(row, "instanceView")
        codes = [
            str(one.get("code", "")).lower()
            for one in (view.get("statuses") or () if isinstance(view, Mapping) else ())
            if isinstance(one, Mapping)
        ]
        told = told or any(code.startswith("powerstate/") for code in codes)
        if "powerstate/running" in codes and isinstance(row.get("id"), str):
            found.add(row["id"].lower())
    return found if states.ok and told else None


def gateways_of(networks: Iterable[Mapping[str, Any]]) -> list[str]:
    """The VPN and ExpressRoute gateways of virtual networks: each is told by a subnet named GatewaySubnet.

    They have no list of a whole subscription; asking every resource group would cost far more calls.
    """
    found: dict[str, str] = {}
    for network in networks:
        for subnet in _inside(network, "subnets") or ():
            if not isinstance(subnet, Mapping) or str(subnet.get("name", "")).lower() != "gatewaysubnet":
                continue
            for one in _inside(subnet, "ipConfigurations") or ():
                match = _GATEWAYS.match(str(one.get("id", ""))) if isinstance(one, Mapping) else None
                if match:
                    found.setdefault(match[1].lower(), match[1])
    return [found[key] for key in sorted(found)]


def _local_gateway(row: Mapping[str, Any]) -> Iterator[str]:
    reference = _inside(row, "localNetworkGateway2")
    if isinstance(reference, Mapping) and isinstance(reference.get("id"), str):
        yield reference["id"]


def _with_id(rows: Rows, operation: Operation) -> list[dict[str, Any]]:
    found = {str(row["id"]).lower(): row for row in rows.get(operation.name, ()) if isinstance(row.get("id"), str)}
    return [found[key] for key in sorted(found)]


def _inside(row: Mapping[str, Any], name: str) -> Any:
    nested = row.get("properties")
    return nested.get(name) if isinstance(nested, Mapping) else None


def _application_groups(group: Mapping[str, Any]) -> Iterator[str]:
    for rule in _rules(group):
        for side in ("source", "destination"):
            for one in _inside(rule, f"{side}ApplicationSecurityGroups") or ():
                if isinstance(one, Mapping) and isinstance(one.get("id"), str):
                    yield one["id"]


def _rules(group: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for rule in _inside(group, "securityRules") or ():
        if isinstance(rule, Mapping):
            yield rule


def _tagged_locations(rows: Rows) -> set[str]:
    """Where a rule, a route or a service endpoint names a service tag whose addresses need data."""
    found: set[str] = set()
    for group in rows.get(calls.SECURITY_GROUPS.name, ()):
        named = [
            text
            for rule in _rules(group)
            for side in ("source", "destination")
            for text in (
                _inside(rule, f"{side}AddressPrefix"),
                *(_inside(rule, f"{side}AddressPrefixes") or ()),
            )
        ]
        if any(_is_tag(text) for text in named):
            found |= _location(group)
    for table in rows.get(calls.ROUTE_TABLES.name, ()):
        routes = [one for one in _inside(table, "routes") or () if isinstance(one, Mapping)]
        if any(_is_tag(_inside(one, "addressPrefix")) for one in routes):
            found |= _location(table)
    for network in rows.get(calls.VIRTUAL_NETWORKS.name, ()):
        subnets = [one for one in _inside(network, "subnets") or () if isinstance(one, Mapping)]
        if any(_inside(one, "serviceEndpoints") for one in subnets):
            found |= _location(network)
    return found


def _location(row: Mapping[str, Any]) -> set[str]:
    text = row.get("location")
    return {text.replace(" ", "").lower()} if isinstance(text, str) and text else set()


def _is_tag(text: object) -> bool:
    """Whether an operand is neither an address, nor `*`, nor a tag that needs no data."""
    if not isinstance(text, str) or not text.strip():
        return False
    word = text.strip().lower()
    return word[0].isalpha() and ":" not in word and word not in (*_COMPUTED_TAGS, "*", "any")
