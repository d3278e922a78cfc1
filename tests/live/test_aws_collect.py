"""What a scan of live AWS accounts asks for, in which accounts and regions, and that it asks for nothing else."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from lint.aws.collect import collect, documents_of, graph_of, policy
from lint.aws.collect.calls import ASSUME_ROLE, HUB, OPERATIONS, REGIONS
from lint.live import calls
from lint.live.calls import LiveError
from lint.live.options import AwsAccess, LiveOptions
from tests.aws.world import exactly
from tests.live import world
from tests.live.conftest import Made
from tests.live.server import DENIED, Aws, Refusal, Request

DOCS = Path(__file__).resolve().parents[2] / "docs"
BOTH = ["eu-west-1", "us-east-1"]


@pytest.fixture
def organization(aws: Aws) -> list[str]:
    """An organization of the hub and two other accounts, of which one is suspended; ids of the active ones."""
    client = world.session("us-east-1").client("organizations")
    try:
        client.create_organization(FeatureSet="ALL")
    except client.exceptions.AlreadyInOrganizationException:
        pass
    else:
        for name in ("one", "two"):
            client.create_account(AccountName=name, Email=f"{name}@example.com")
    listed = client.list_accounts()["Accounts"]
    aws.calm()
    return sorted(str(a["Id"]) for a in listed if a["Status"] == "ACTIVE")


def test_two_regions_are_read_with_everything_in_them(aws: Aws, options: LiveOptions, made: Made) -> None:
    found = collect(BOTH, options)
    assert found.failures() == ()
    documents = {d.region: d for d in documents_of(found)}
    assert list(documents) == BOTH
    for region, document in documents.items():
        ids = {g["GroupId"] for g in document.data["SecurityGroups"]}
        assert {made[region]["client"], made[region]["server"]} <= ids
        assert made[region]["acl"] in {a["NetworkAclId"] for a in document.data["NetworkAcls"]}
        assert made["peering"]["id"] in {p["VpcPeeringConnectionId"] for p in document.data["VpcPeeringConnections"]}
        (entries,) = document.data["ManagedPrefixListEntries"]
        assert entries["PrefixListId"] == made[region]["list"]
        assert [e["Cidr"] for e in entries["Entries"]] == ["198.51.100.0/24", "203.0.113.0/24"]
        (health,) = document.data["LoadBalancerTargetHealth"]
        assert health["TargetGroupArn"] == made[region]["targets"]
        assert document.account == world.HUB
    graph = graph_of(found)
    here, there = made["eu-west-1"], made["us-east-1"]
    assert exactly(graph, here["client-1"], here["server-1"]) == ["10.10.0.10/32 tcp/443"]
    assert exactly(graph, here["client-1"], there["client-1"]) == ["10.10.0.10/32 tcp/443"]
    assert graph.endpoints[here["client-1"]].name == "client-1"


def test_all_enabled_regions_are_read_where_none_is_named(aws: Aws, options: LiveOptions) -> None:
    def judge(request: Request) -> Refusal | None:
        return DENIED if request.action != "DescribeRegions" and request.service != "sts" else None

    aws.judge = judge
    found = collect([], options)
    asked = {a.call.region for a in found.answers()} - {""}
    enabled = {
        str(r["RegionName"])
        for a in found.answers()
        if a.call.operation == REGIONS.name
        for r in a.pages[0]["Regions"]
        if r["OptInStatus"] != "not-opted-in"
    }
    assert asked == enabled
    assert len(asked) > 10


def test_every_account_of_the_organization_is_read_with_the_role_named(
    aws: Aws, options: LiveOptions, organization: list[str]
) -> None:
    access = AwsAccess(organization=world.ROLE, external_id="x-1")
    found = collect(["eu-west-1"], replace(options, aws=access))
    assert len(organization) == 3
    assert found.failures() == ()
    assert sorted(d.account or "" for d in documents_of(found)) == organization
    assumed = [dict(r.parameters) for r in aws.requests if r.action == "AssumeRole"]
    assert {a["RoleArn"] for a in assumed} == {
        f"arn:aws:iam::{id_}:role/{world.ROLE}" for id_ in organization if id_ != world.HUB
    }
    assert {a["ExternalId"] for a in assumed} == {"x-1"}


def test_an_account_whose_role_is_denied_leaves_the_others_read_and_the_whole_incomplete(
    aws: Aws, options: LiveOptions, organization: list[str]
) -> None:
    shut = next(id_ for id_ in organization if id_ != world.HUB)

    def judge(request: Request) -> Refusal | None:
        return DENIED if request.action == "AssumeRole" and shut in dict(request.parameters)["RoleArn"] else None

    aws.judge = judge
    found = collect(["eu-west-1"], replace(options, aws=AwsAccess(organization=world.ROLE)))
    (failed,) = found.failures()
    assert (failed.call.scope, failed.call.operation, failed.status) == (shut, ASSUME_ROLE.name, calls.DENIED)
    assert {d.account for d in documents_of(found) if d.data} == set(organization) - {shut}
    assert any(shut in reason.text for reason in graph_of(found).incomplete)


def test_one_other_account_is_read_with_its_role(aws: Aws, options: LiveOptions, made: Made) -> None:
    arn = f"arn:aws:iam::{world.OTHER}:role/{world.ROLE}"
    found = collect(["eu-west-1"], replace(options, aws=AwsAccess(role_arn=arn)))
    (document,) = documents_of(found)
    assert document.account == world.OTHER
    assert made["other"]["vpc"] in {v["VpcId"] for v in document.data["Vpcs"]}
    assert found.facts["caller"]["Account"] == world.OTHER
    assert f"assumed-role/{world.ROLE}" in found.facts["caller"]["Arn"]


def test_only_calls_of_the_table_are_made_and_all_are_read_only(
    aws: Aws, options: LiveOptions, organization: list[str]
) -> None:
    heard: list[str] = []
    collect(BOTH, replace(options, aws=AwsAccess(organization=world.ROLE)), heard.append)
    allowed = {f"{o.service}.{api_name(o.service, o.method)}" for o in OPERATIONS}
    assert set(heard) <= allowed
    assert set(aws.actions()) <= allowed
    assert {name.partition(".")[2] for name in heard} == {r.action for r in aws.requests}
    for name in allowed - {"sts.AssumeRole"}:
        assert name.partition(".")[2].startswith(("Describe", "Get", "List", "Search"))


@lru_cache
def model_of(service: str) -> Any:
    """botocore's own model of a service."""
    return botocore.session.get_session().get_service_model(service)


def api_name(service: str, method: str) -> str:
    """The API's name of an operation, by botocore's model."""
    model = model_of(service)
    plain = method.replace("_", "")
    return next(name for name in model.operation_names if name.lower() == plain)


def test_the_table_fits_the_services_own_models() -> None:
    for operation in OPERATIONS:
        shape = model_of(operation.service).operation_model(api_name(operation.service, operation.method))
        given = shape.input_shape.members if shape.input_shape else {}
        gives = shape.output_shape.members
        if operation.key:
            assert operation.key in gives
        if operation.size:
            assert {operation.size_name, operation.token_in} <= set(given)
            assert operation.token_out in gives
            most = given[operation.size_name].metadata.get("max", operation.size)
            assert operation.size == most, "as few calls as the service allows"
        elif operation.key:
            assert not {"NextToken", "Marker"} & set(gives), f"{operation.name} has pages"
        assert set(shape.input_shape.required_members if shape.input_shape else ()) <= {
            operation.parent,
            *operation.fixed,
            "RoleArn",
            "RoleSessionName",
        }


def test_the_policies_in_the_documents_are_those_of_the_table() -> None:
    for name, text in policy.files().items():
        assert (DOCS / name).read_text() == text, "run python -m lint.aws.collect.policy docs"
    (statement,) = json.loads((DOCS / policy.READER).read_text())["Statement"]
    assert set(statement["Action"]) == {o.action for o in OPERATIONS if o not in HUB}
    assert not any("*" in action for action in statement["Action"])


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_as_many_calls_are_made_as_there_are_pages(aws: Aws, options: LiveOptions, size: int) -> None:
    aws.page_size = size
    found = collect(["us-east-1"], options)
    (document,) = documents_of(found)
    aws.page_size = None
    pages = Counter(r.action for r in aws.requests if r.service == "ec2")
    for kind, action in (
        ("SecurityGroups", "DescribeSecurityGroups"),
        ("Subnets", "DescribeSubnets"),
        ("NetworkInterfaces", "DescribeNetworkInterfaces"),
        ("RouteTables", "DescribeRouteTables"),
        ("PrefixLists", "DescribeManagedPrefixLists"),
    ):
        assert pages[action] == max(1, math.ceil(len(document.data[kind]) / size))
    whole = collect(["us-east-1"], replace(options, collected={}))
    assert documents_of(whole) == documents_of(found)


def test_transit_gateways_are_asked_for_only_where_a_route_leads_to_one(
    aws: Aws, options: LiveOptions, made: Made
) -> None:
    ec2 = world.session("eu-west-1", world.OTHER).client("ec2")
    access = AwsAccess(role_arn=f"arn:aws:iam::{world.OTHER}:role/{world.ROLE}")
    collect(["eu-west-1"], replace(options, aws=access))
    assert not any("TransitGateway" in action for action in aws.actions())
    gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway, VpcId=made["other"]["vpc"], SubnetIds=[made["other"]["subnet-a"]]
    )
    ec2.create_route(
        RouteTableId=made["other"]["table-a"], DestinationCidrBlock="10.99.0.0/16", TransitGatewayId=gateway
    )
    found = collect(["eu-west-1"], replace(options, aws=access, collected={}))
    (document,) = documents_of(found)
    assert gateway in {t["TransitGatewayId"] for t in document.data["TransitGateways"]}
    tables = {t["TransitGatewayRouteTableId"] for t in document.data["TransitGatewayRouteTables"]}
    for kind in ("TransitGatewayRouteTableAssociations", "TransitGatewayPropagations", "TransitGatewayStaticRoutes"):
        assert {each["TransitGatewayRouteTableId"] for each in document.data[kind]} == tables
    denied = "GetTransitGatewayRouteTablePropagations"
    aws.judge = lambda r: DENIED if r.action == denied else None
    graph = graph_of(collect(["eu-west-1"], replace(options, aws=access, collected={})))
    route = next(r for r in graph.route_tables[made["other"]["table-a"]].routes if r.text == "10.99.0.0/16")
    assert route.via.value == "unknown"
    assert any("propagations denied" in reason.text for reason in route.reasons)


def test_calls_to_one_operation_are_spread_over_time(aws: Aws, options: LiveOptions) -> None:
    aws.page_size = 1
    collect(["us-east-1"], replace(options, rate=20, burst=1))
    times = [r.time for r in aws.requests if r.action == "DescribeManagedPrefixLists"]
    assert len(times) > 5
    assert times[-1] - times[0] >= (len(times) - 1) / 20 * 0.9


def test_no_more_calls_are_under_way_in_a_region_than_allowed(aws: Aws, options: LiveOptions) -> None:
    import threading
    import time

    under_way, most, lock = [0], [0], threading.Lock()

    def gate(_: Request) -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.01)
        with lock:
            under_way[0] -= 1

    aws.gate = gate
    collect(["eu-west-1"], replace(options, calls_a_place=2))
    assert most[0] == 2


@pytest.mark.parametrize("region", ["Ireland", "eu-west-1; rm", "../x", "eu_west_1"])
def test_a_name_that_is_no_region_is_refused_before_any_call(aws: Aws, options: LiveOptions, region: str) -> None:
    with pytest.raises(LiveError, match="no AWS region"):
        collect([region], options)
    assert not aws.requests


def test_a_profile_that_does_not_exist_is_said(aws: Aws, options: LiveOptions) -> None:
    with pytest.raises(LiveError, match="--aws-profile"):
        collect(["eu-west-1"], replace(options, aws=AwsAccess(profile="nobody")))


def test_without_boto3_the_message_says_what_to_install(options: LiveOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(LiveError, match=r"pip install 'netpact\[aws\]'"):
        collect(["eu-west-1"], options)
