"""How Azure's answers on the wire are taken: pages, waiting, versions, other hosts, and who asks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport

from lint.azure.collect import collect, documents_of, graph_of
from lint.azure.collect.access import Connection, connect
from lint.azure.collect.calls import (
    ADMIN_RULES,
    BY_NAME,
    CONNECTIVITY,
    HUB_CONFIGURATIONS,
    HUBS,
    INTERFACES,
    LOCAL_GATEWAY,
    OPERATIONS,
    PREFIX_SETS,
    ROUTE_TABLES,
    SCALE_SET_INTERFACES,
    SECURITY_GROUPS,
    VIRTUAL_NETWORKS,
)
from lint.live import calls
from lint.live.calls import LiveError
from lint.live.options import AzureAccess, LiveOptions
from lint.live.snapshot import Snapshot
from tests.azure.conftest import Judge
from tests.live.azure import server, world
from tests.live.azure.ask import LoopbackAuth, connection
from tests.live.azure.faults import changed, is_of, refusing
from tests.live.azure.server import Arm, Refusal, Request

ROOT = Path(__file__).resolve().parents[3]
Scan = Callable[..., Snapshot]


def times(number: int, refusal: Refusal, takes: Callable[[Request], bool]) -> Callable[[Request], Refusal | None]:
    """A judge that refuses the first requests that `takes` takes."""
    left = [number]

    def judge(request: Request) -> Refusal | None:
        if takes(request) and left[0]:
            left[0] -= 1
            return refusal
        return None

    return judge


def of(operation: Any, subscription: str = world.ONE) -> Callable[[Request], bool]:
    """Takes the requests of an operation in a subscription."""
    return lambda request: is_of(operation, request) and request.subscription == subscription


# Pages


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_of_any_size_tell_the_same(arm: Arm, scan: Scan, size: int) -> None:
    whole = documents_of(scan())
    arm.page_size = size
    assert documents_of(scan()) == whole


def test_an_empty_page_with_a_link_is_not_the_end(arm: Arm, scan: Scan) -> None:
    whole = documents_of(scan())
    arm.empty_pages = True
    assert documents_of(scan()) == whole


def test_a_service_that_gives_one_page_for_ever_is_an_error(arm: Arm, scan: Scan) -> None:
    def again(request: Request, answer: Any) -> Any:
        if is_of(ROUTE_TABLES, request):
            return {**answer, "nextLink": f"{arm.url}{request.path}?api-version=2024-05-01&$skiptoken=1"}
        return answer

    arm.rewrite = again
    failed = scan(world.ONE).failures()
    assert [(one.status, one.error) for one in failed] == [
        (calls.ERROR, "the service gives the same page again and again")
    ]


@pytest.mark.parametrize("host", ["http://127.0.0.2:{port}", "https://127.0.0.1:{port}", "http://127.0.0.1:1"])
def test_a_link_to_another_host_is_not_followed(arm: Arm, scan: Scan, host: str) -> None:
    foreign = host.format(port=arm.url.rpartition(":")[2])

    def away(request: Request, answer: Any) -> Any:
        if is_of(SECURITY_GROUPS, request):
            return {**answer, "nextLink": f"{foreign}{request.path}?api-version=2024-05-01&$skiptoken=1"}
        return answer

    arm.rewrite = away
    found = scan(world.ONE)
    (failed,) = found.failures()
    assert (failed.call.operation, failed.status) == (SECURITY_GROUPS.name, calls.ERROR)
    assert "another host and was not asked" in failed.error
    assert len(arm.asked("networkSecurityGroups")) == 1


def test_a_redirect_is_not_followed(arm: Arm, scan: Scan) -> None:
    arm.judge = refusing(ROUTE_TABLES, Refusal(307, "Moved", headers=(("Location", "http://127.0.0.1:1/elsewhere"),)))
    (failed,) = scan(world.ONE).failures()
    assert (failed.call.operation, failed.status) == (ROUTE_TABLES.name, calls.ERROR)
    assert len(arm.asked("routeTables")) == 1


# Waiting


def test_a_call_that_is_throttled_twice_waits_as_long_as_the_service_asks(arm: Arm, scan: Scan) -> None:
    busy = Refusal(429, "TooManyRequests", headers=(("Retry-After", "0.3"),))
    arm.judge = times(2, busy, of(ROUTE_TABLES))
    found = scan(world.ONE)
    assert found.failures() == ()
    first, second, third = (one.time for one in arm.asked("routeTables"))
    assert second - first >= 0.3
    assert third - second >= 0.3
    assert found.requests[ROUTE_TABLES.name] == 3, "the repeated ones count too"


@pytest.mark.parametrize(
    "header", [("Retry-After", "300"), ("retry-after-ms", "300000"), ("x-ms-user-quota-resets-after", "00:05:00")]
)
def test_a_wait_beyond_the_budget_ends_the_call_at_once(arm: Arm, scan: Scan, header: tuple[str, str]) -> None:
    arm.judge = refusing(ROUTE_TABLES, Refusal(429, "TooManyRequests", headers=(header,)))
    (failed,) = scan(world.ONE).failures()
    assert failed.status == calls.THROTTLED
    assert "asked to wait 300 s" in failed.error
    assert len(arm.asked("routeTables")) == 1


def test_a_date_to_wait_for_is_understood(arm: Arm, scan: Scan) -> None:
    late = (("Retry-After", "Wed, 01 Jan 2120 00:00:00 GMT"),)
    arm.judge = refusing(ROUTE_TABLES, Refusal(503, "Busy", headers=late))
    (failed,) = scan(world.ONE).failures()
    assert failed.status == calls.THROTTLED


def test_an_answer_that_does_not_come_in_time_is_cut(arm: Arm, options: LiveOptions) -> None:
    arm.judge = refusing(ROUTE_TABLES, Refusal(slow=0.6))
    impatient = Connection(None, host=arm.url, policy=LoopbackAuth(), transport=RequestsTransport(read_timeout=0.3))
    found = collect((world.TWO,), options, impatient)
    assert [(one.call.operation, one.status) for one in found.failures()] == [(ROUTE_TABLES.name, calls.CUT)]


def test_the_rate_is_capped(arm: Arm, scan: Scan, options: LiveOptions) -> None:
    from dataclasses import replace

    arm.page_size = 1
    scan(world.ONE, using=replace(options, rate=20, burst=1))
    asked = [one.time for one in arm.asked("networkInterfaces") if "Compute" not in one.path]
    assert len(asked) > 3
    assert asked[-1] - asked[0] >= (len(asked) - 1) / 20 * 0.8


# Versions and names


def refuse_versions(above: str) -> Callable[[Request], Refusal | None]:
    """A cloud that trails behind."""

    def judge(request: Request) -> Refusal | None:
        if dict(request.query).get("api-version", "") <= above or "Microsoft.Network" not in request.path:
            return None
        offered = f"The supported versions are '2015-06-15,{above},2018-01-01-preview'."
        return Refusal(400, "NoRegisteredProviderFound", f"No registered resource provider found. {offered}")

    return judge


def test_a_cloud_that_trails_behind_is_asked_with_its_newest_version(arm: Arm, scan: Scan) -> None:
    whole = documents_of(scan())
    arm.judge = refuse_versions("2024-05-01")
    arm.requests.clear()
    found = scan()
    assert found.failures() == ()
    assert documents_of(found) == whole
    used = {dict(one.query)["api-version"] for one in arm.asked("routeTables")}
    assert used == {ROUTE_TABLES.version, "2024-05-01"}


def test_a_version_that_hides_what_decides_is_not_taken(arm: Arm, scan: Scan) -> None:
    arm.judge = refuse_versions("2022-01-01")
    found = scan(world.TWO)
    assert [one.call.operation for one in found.failures()] == [VIRTUAL_NETWORKS.name]
    assert "lack what decides" in found.failures()[0].error


def test_a_feature_that_a_cloud_does_not_have_yet_is_not_in_use(arm: Arm, scan: Scan) -> None:
    arm.judge = lambda one: refuse_versions("2024-05-01")(one) if is_of(PREFIX_SETS, one) else None
    found = scan()
    assert found.failures() == ()
    assert arm.asked("addressPrefixSets")


def test_ids_in_any_case_and_unknown_fields_change_nothing(arm: Arm, scan: Scan) -> None:
    before = graph_of(scan())

    def odd(request: Request, answer: Any) -> Any:
        if request.method != "GET" or "value" not in answer or "Microsoft.Network" not in request.path:
            return answer
        text = json.dumps({**answer, "future": {"x": 1}, "value": [{**row, "future": [1]} for row in answer["value"]]})
        for one in ("resourceGroups/rg-app", "networkSecurityGroups/", "virtualNetworks/v1", "publicIPAddresses/"):
            text = text.replace(one, one.upper() if "Network" in one else one.lower())
        return json.loads(text)

    arm.rewrite = odd
    found = scan()
    assert found.failures() == ()
    assert not changed(before, graph_of(found))


def test_a_child_whose_parent_is_gone_counts_as_missing(arm: Arm, scan: Scan) -> None:
    arm.judge = refusing(SCALE_SET_INTERFACES, server.MISSING)
    found = scan()
    (failed,) = found.failures()
    assert (failed.call.operation, failed.status) == (SCALE_SET_INTERFACES.name, calls.UNAVAILABLE)
    graph = graph_of(found)
    assert "workers" in {one.name for one in graph.endpoints.values()}, "the set itself still stands for its machines"
    assert [one.code for one in graph.incomplete] == [f"azure.coverage:{SCALE_SET_INTERFACES.kind}"]


def test_effective_admin_rules_come_page_by_page(arm: Arm, scan: Scan) -> None:
    network = f"/subscriptions/{world.ONE}/resourceGroups/rg-app/providers/Microsoft.Network/virtualNetworks/v1"
    rules = [
        {
            "id": f"/managers/m/rules/{number}",
            "kind": "Custom",
            "properties": {
                "priority": number,
                "direction": "Inbound",
                "access": "Deny",
                "protocol": "Tcp",
                "sources": [{"addressPrefixType": "IPPrefix", "addressPrefix": "*"}],
                "destinations": [{"addressPrefixType": "IPPrefix", "addressPrefix": "*"}],
                "sourcePortRanges": ["0-65535"],
                "destinationPortRanges": [port],
            },
        }
        for number, port in ((1, "22"), (2, "9000"))
    ]

    def paged(request: Request, answer: Any) -> Any:
        if not is_of(ADMIN_RULES, request) or network not in request.path:
            return answer
        more = request.body.get("skipToken")
        return {"value": [rules[1]]} if more else {"value": [rules[0]], "skipToken": "next"}

    before = graph_of(scan())
    arm.rewrite = paged
    found = scan()
    assert found.failures() == ()
    assert changed(before, graph_of(found)) == {
        ("agent-1", "console"),
        ("console", "agent-1"),
        ("198.51.100.7", "console"),
    }


@pytest.mark.parametrize(
    ("topology", "between_spokes", "verdict"),
    [
        ("Mesh", "None", "undetermined"),
        ("HubAndSpoke", "DirectlyConnected", "undetermined"),
        ("HubAndSpoke", "None", "blocked"),
        (None, "None", "undetermined"),
    ],
)
def test_a_mesh_of_a_network_manager_elsewhere_joins_networks(
    arm: Arm, scan: Scan, topology: str | None, between_spokes: str, verdict: str
) -> None:
    for name, place in (("v1", world.Place(arm, world.ONE, "rg-app")), ("v2", world.Place(arm, world.TWO, "rg-data"))):
        arm.resources[place.id("virtualNetworks", name)]["properties"]["virtualNetworkPeerings"] = []
    assert Judge(graph_of(scan())).verdict("console", "lab", "tcp/80") == "blocked"
    applied = {"connectivityTopology": topology, "appliesToGroups": [{"groupConnectivity": between_spokes}]}

    def mesh(request: Request, answer: Any) -> Any:
        return {"value": [{"id": "/managers/m/c", "properties": applied}]} if is_of(CONNECTIVITY, request) else answer

    if topology is None:
        arm.judge = refusing(CONNECTIVITY, server.DENIED)
    else:
        arm.rewrite = mesh
    assert Judge(graph_of(scan())).verdict("console", "lab", "tcp/80") == verdict


@pytest.mark.parametrize("refused", [None, HUBS, HUB_CONFIGURATIONS])
def test_a_route_server_leaves_open_what_it_teaches(arm: Arm, scan: Scan, refused: Any) -> None:
    before = graph_of(scan())
    place = world.Place(arm, world.TWO, "rg-data")
    subnet = f"{place.id('virtualNetworks', 'v2')}/subnets/RouteServerSubnet"
    network = arm.resources[place.id("virtualNetworks", "v2")]
    network["properties"]["subnets"].append(
        {"name": "RouteServerSubnet", "id": subnet, "properties": {"addressPrefix": "10.1.9.0/27"}}
    )
    hub = place.put("virtualHubs", "routes", {"sku": "Standard"})
    place.child(hub, "ipConfigurations", "ip", {"subnet": {"id": subnet}})
    arm.judge = refusing(refused, server.DENIED) if refused is not None else None
    found = scan()
    assert [one.call.operation for one in found.failures() if one.call.scope == world.TWO][:1] == (
        [refused.name] if refused is not None else []
    )
    ask = Judge(graph_of(found))
    assert Judge(before).verdict("lab", "192.0.2.9", "tcp/443") == "allowed"
    assert ask.verdict("lab", "192.0.2.9", "tcp/443") == "undetermined"
    assert ask.verdict("lab", "db", "tcp/22") == "blocked", "what the network's own rules decide stays decided"


# Who asks, and what is never done


def test_nothing_of_azure_is_loaded_before_it_is_needed() -> None:
    code = "import sys, lint.azure.collect; print([n for n in sys.modules if n.split('.')[0] in ('azure', 'requests')])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["azure.identity", "azure.mgmt.network"])
def test_without_the_extra_there_is_one_message(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        LiveError, match=r"needs azure-mgmt-network and azure-identity; .*pip install 'netpact\[azure\]'"
    ):
        connect(AzureAccess())


def test_the_standard_credential_is_set_up_for_each_cloud_and_tenant() -> None:
    for cloud in ("public", "usgovernment", "china"):
        assert connect(AzureAccess(cloud=cloud, tenant=world.TENANT)).cloud == cloud
    with pytest.raises(LiveError, match="there is no Azure cloud 'mars'"):
        connect(AzureAccess(cloud="mars"))


class NoToken:
    """A credential that nobody has signed in to."""

    def get_token(self, *scopes: str, **_: Any) -> Any:
        """As azure-identity does."""
        raise ClientAuthenticationError(
            "DefaultAzureCredential failed to retrieve a token.\nAttempted credentials: ..."
        )


def test_without_a_token_there_is_one_message(options: LiveOptions) -> None:
    with pytest.raises(LiveError, match=r"^no usable Azure credentials: DefaultAzure.* a token; sign in \(`az login`"):
        collect((), options, Connection(NoToken()))


def test_a_token_that_is_not_accepted_ends_the_scan(arm: Arm, scan: Scan) -> None:
    arm.judge = lambda one: Refusal(401, "ExpiredAuthenticationToken") if one.path.endswith("natGateways") else None
    with pytest.raises(LiveError, match=r"doesn't accept the access token .*repeat with --resume"):
        scan()


def test_a_subscription_of_another_tenant_is_asked_once(arm: Arm, scan: Scan) -> None:
    other = Refusal(401, "InvalidAuthenticationTokenTenant")
    arm.judge = lambda one: other if one.subscription == world.TWO else None
    assert {one.call.scope for one in scan().failures()} == {world.TWO}
    assert sum(1 for one in arm.requests if one.subscription == world.TWO) == 1


class Token:
    """A credential whose token says who it is."""

    def __init__(self, tenant: str) -> None:
        import base64

        body = json.dumps({"tid": tenant, "oid": "o-1", "appid": "a-1", "secret": "never kept"}).encode()
        self.token = f"e30.{base64.urlsafe_b64encode(body).decode().rstrip('=')}.sig"

    def get_token(self, *scopes: str, **_: Any) -> Any:
        """As azure-identity does."""
        from azure.core.credentials import AccessToken

        return AccessToken(self.token, 4_000_000_000)


def test_a_snapshot_says_who_asked(arm: Arm, scan: Scan) -> None:
    asking = connection(arm)
    asking._credential, asking._anonymous = Token(world.TENANT), False
    found = scan(world.TWO, over=asking)
    assert found.facts["caller"] == {"tenant": world.TENANT, "object": "o-1", "application": "a-1"}
    assert found.facts["cloud"] == "public"


def test_a_scan_is_not_resumed_in_another_tenant(arm: Arm, scan: Scan, options: LiveOptions) -> None:
    from dataclasses import replace

    asking = connection(arm)
    asking._credential, asking._anonymous = Token(world.TENANT), False
    scan(world.TWO, over=asking)
    asking._credential = Token("another")
    with pytest.raises(LiveError, match=r"begun in tenant 9999.* of another; use the same tenant"):
        scan(world.TWO, over=asking, using=replace(options, resume=True))


def test_tokens_go_only_over_tls(arm: Arm, options: LiveOptions) -> None:
    found = collect((world.TWO,), options, Connection(Token(world.TENANT), host=arm.url))
    assert arm.requests == []
    assert {one.status for one in found.failures()} == {calls.UNAVAILABLE}


@pytest.mark.parametrize(
    ("cloud", "host"),
    [
        ("public", "https://management.azure.com"),
        ("usgovernment", "https://management.usgovcloudapi.net"),
        ("china", "https://management.chinacloudapi.cn"),
    ],
)
def test_each_cloud_has_its_own_host(cloud: str, host: str) -> None:
    asking = Connection(NoToken(), cloud)
    assert asking.host == host
    assert not asking.own("https://management.example.com/subscriptions")
    assert asking.own(f"{host}/subscriptions?api-version=1")


def test_a_provider_that_is_not_registered_is_not_registered_by_a_scan(arm: Arm, scan: Scan) -> None:
    arm.judge = refusing(ROUTE_TABLES, Refusal(409, "MissingSubscriptionRegistration", "register 'Microsoft.Network'"))
    found = scan(world.ONE)
    assert [one.call.operation for one in found.failures()] == [ROUTE_TABLES.name]
    assert not any("register" in one.path for one in arm.requests)


def test_only_read_only_requests_of_the_table_are_made(arm: Arm, scan: Scan) -> None:
    heard: list[tuple[str, str]] = []
    scan(heard=lambda method, path: heard.append((method, path)))
    denied = refusing(INTERFACES, server.DENIED, groups=False)
    arm.judge = denied
    scan(heard=lambda method, path: heard.append((method, path)))
    assert {(one.method, one.path) for one in arm.requests} == set(heard)
    for one in arm.requests:
        assert any(is_of(operation, one) for operation in OPERATIONS), f"{one.method} {one.path}"
        assert one.method == "GET" or one.path.rpartition("/")[2] in (
            "listNetworkManagerEffectiveSecurityAdminRules",
            "listNetworkManagerEffectiveConnectivityConfigurations",
            "resources",
        )
    assert all(one.action.endswith("/read") or "ffective" in one.action for one in OPERATIONS)
    assert BY_NAME[LOCAL_GATEWAY.name] is LOCAL_GATEWAY
