"""Raw API answers as files: any name, any folder layout, any wrapper; and what is said of those that can't be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lint.aws import graph_from_documents
from lint.aws.from_api import Document, is_dump, load_dump, read
from lint.space.addresses import parse_cidrs
from tests.aws.world import ANY_JSON, Json, exactly, graph, group, permit, world


def put(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")


BASE = world(SecurityGroups=[group("sg-a"), group("sg-b", permit("tcp", 443, 443, "sg-a"))])
EXPECTED = ["10.0.1.10/32 tcp/443"]


def said(path: Path) -> list[str]:
    documents, problems = load_dump(path)
    assert problems == ()
    return exactly(graph_from_documents(documents), "a", "b")


def test_one_file_that_holds_everything(tmp_path: Path) -> None:
    put(tmp_path / "everything.json", BASE)
    assert said(tmp_path / "everything.json") == EXPECTED
    assert said(tmp_path) == EXPECTED


def test_one_file_a_kind_under_any_name(tmp_path: Path) -> None:
    for number, (kind, items) in enumerate(BASE.items()):
        put(tmp_path / f"out-{number}.json", {kind: items})
    assert said(tmp_path) == EXPECTED


@pytest.mark.parametrize(
    "folder",
    ["accounts/111122223333/eu-west-1", "aws_configs/eu-west-1", "aws_configs/111122223333/eu-west-1", "eu-west-1"],
)
def test_account_and_region_come_from_the_folders(tmp_path: Path, folder: str) -> None:
    for kind, items in BASE.items():
        put(tmp_path / folder / f"{kind}.json", {kind: items})
    assert said(tmp_path) == EXPECTED
    documents, _ = load_dump(tmp_path)
    assert {d.region for d in documents} == {"eu-west-1"}
    assert {d.account for d in documents} == {"111122223333" if "1111" in folder else None}
    endpoint = graph_from_documents(documents).endpoints["eni-a"]
    assert endpoint.region == "eu-west-1"


def test_keys_may_wrap_the_answers_by_account_and_region(tmp_path: Path) -> None:
    put(tmp_path / "all.json", {"111122223333": {"eu-west-1": BASE}})
    assert said(tmp_path) == EXPECTED
    documents, _ = load_dump(tmp_path)
    assert [(d.account, d.region) for d in documents] == [("111122223333", "eu-west-1")]


def test_a_bare_list_is_what_its_file_name_says(tmp_path: Path) -> None:
    for kind, items in BASE.items():
        put(tmp_path / f"{kind}.json", items)
    assert said(tmp_path) == EXPECTED


def test_byte_order_marks_and_missing_lists_are_borne(tmp_path: Path) -> None:
    put(tmp_path / "a.json", "\ufeff" + json.dumps({**BASE, "NatGateways": None, "ResponseMetadata": {}}) + "\n\n")
    assert said(tmp_path) == EXPECTED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"Vpcs": [', "is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"Vpcs": 3}', "Vpcs is no list"),
        ('{"Vpcs": [{"Name": "x"}]}', "the elements of Vpcs aren't Vpcs"),
        ('{"SecurityGroups": [], "NextToken": "abc"}', "one page of several"),
        ('{"Entries": []}', "Entries doesn't say what it belongs to"),
    ],
)
def test_a_file_that_cannot_be_read_makes_the_source_incomplete(tmp_path: Path, content: str, message: str) -> None:
    put(tmp_path / "good.json", BASE)
    put(tmp_path / "bad.json", content)
    documents, (problem,) = load_dump(tmp_path)
    assert message in problem.text
    assert problem.severity == "incomplete"
    assert problem.origin is not None and problem.origin.file == "bad.json"
    assert exactly(graph_from_documents(documents), "a", "b") == EXPECTED


def test_a_file_that_is_not_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe\x00")
    documents, (problem,) = load_dump(tmp_path)
    assert documents == ()
    assert "not UTF-8" in problem.text


def test_a_kind_that_is_missing_is_a_layer_that_is_passed_through_and_said() -> None:
    without = {k: v for k, v in BASE.items() if k not in ("NetworkAcls", "RouteTables")}
    one = graph(without)
    assert exactly(one, "a", "b") == EXPECTED
    assert any("NetworkAcls" in note for note in one.notes)
    assert any("RouteTables" in note for note in one.notes)


@pytest.mark.parametrize("kind", ["NetworkAcls", "RouteTables"])
def test_a_kind_that_could_not_be_collected_leaves_its_layer_undetermined(kind: str) -> None:
    data = {k: v for k, v in BASE.items() if k != kind}
    one = graph_from_documents([Document("x", None, None, data, {kind: "UnauthorizedOperation"})])
    reach = exactly_or_not(one)
    assert reach == ([], EXPECTED)
    opened = [r for s in one.subnets.values() for r in (*s.route_table_open, *(r for la in s.layers for r in la.open))]
    assert any("UnauthorizedOperation" in reason.text for reason in opened)
    assert one.incomplete == ()  # nothing else depends on it


def exactly_or_not(one: Any) -> tuple[list[str], list[str]]:
    from tests.aws.world import reach, text

    allowed = reach(one, "a", "b").allowed
    return text(allowed.must), text(allowed.may)


def test_route_tables_of_which_none_is_the_subnets_are_no_route() -> None:
    assert exactly(graph({**BASE, "RouteTables": []}), "a", "b") == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (BASE, True),
        ({"SecurityGroups": []}, True),
        ({"eu-west-1": {"Vpcs": []}}, True),
        ({"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "off"}}, True),
        ({"format_version": "1.2", "planned_values": {}}, False),
        ({"value": [{"type": "Microsoft.Network/networkSecurityGroups"}]}, False),
        ([], False),
        ("SecurityGroups", False),
        ({"Instances": [{"name": "x"}]}, False),
    ],
)
def test_dumps_are_recognised_by_their_content(data: Any, expected: bool) -> None:
    assert is_dump(data) is expected


def test_a_shared_thing_is_taken_from_its_owners_dump() -> None:
    def side(account: str, name: str) -> Document:
        subnet = {
            "SubnetId": "subnet-a",
            "VpcId": "vpc-1",
            "CidrBlock": "10.0.1.0/24",
            "OwnerId": "111122223333",
            "Tags": [{"Key": "Name", "Value": name}],
        }
        return Document(account, account, "eu-west-1", {"Subnets": [subnet]})

    owner, participant = side("111122223333", "owner"), side("444455556666", "participant")
    for order in ([owner, participant], [participant, owner]):
        assert read(order).subnets["subnet-a"].name == "owner"


def test_disassociated_ranges_are_not_the_vpcs_any_more() -> None:
    vpc: Json = {
        "VpcId": "vpc-1",
        "CidrBlock": "10.0.0.0/16",
        "CidrBlockAssociationSet": [
            {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
            {"CidrBlock": "10.9.0.0/16", "CidrBlockState": {"State": "disassociated"}},
        ],
        "Ipv6CidrBlockAssociationSet": [
            {"Ipv6CidrBlock": "2001:db8::/56", "Ipv6CidrBlockState": {"State": "associated"}}
        ],
    }
    assert read([Document("x", None, None, {"Vpcs": [vpc]})]).vpcs["vpc-1"].prefixes == parse_cidrs(
        "10.0.0.0/16", "2001:db8::/56"
    )


def test_rules_have_the_ids_that_aws_gives_them() -> None:
    listed = {
        "SecurityGroupRuleId": "sgr-1",
        "GroupId": "sg-b",
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "ReferencedGroupInfo": {"GroupId": "sg-a"},
    }
    one = graph({**BASE, "SecurityGroupRules": [listed]})
    assert [r.id for r in one.filters["sg-b"].rules if r.direction.value == "ingress"] == ["sgr-1"]


def test_terminated_instances_and_gateways_are_no_machines() -> None:
    one = graph(
        {
            "Reservations": [
                {
                    "ReservationId": "r-1",
                    "Instances": [
                        {"InstanceId": "i-1", "State": {"Name": "terminated"}},
                        {
                            "InstanceId": "i-2",
                            "State": {"Name": "stopped"},
                            "Tags": [{"Key": "Name", "Value": "kept"}],
                            "NetworkInterfaces": [
                                {"NetworkInterfaceId": "eni-2", "PrivateIpAddress": "10.0.0.9", "Groups": []}
                            ],
                        },
                    ],
                }
            ]
        }
    )
    assert list(one.endpoints) == ["eni-2"]
    assert one.endpoints["eni-2"].name == "kept"
    assert "i-2" in one.endpoints["eni-2"].aliases


@pytest.mark.parametrize("value", ANY_JSON)
@pytest.mark.parametrize("kind", ["Vpcs", "SecurityGroups", "NetworkInterfaces", "NetworkAcls", "RouteTables"])
def test_nothing_in_an_answer_makes_the_reader_stumble(kind: str, value: Any) -> None:
    broken = {key: value for item in BASE[kind] for key in item if not key.endswith("Id")}
    broken |= {key: each for key, each in BASE[kind][0].items() if key.endswith("Id")}
    assert graph({**BASE, kind: [broken]}) is not None
