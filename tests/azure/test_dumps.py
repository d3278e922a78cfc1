"""Every shape in which Azure hands out its resources is read, and what is missing from a dump is said."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from lint.azure import graph_from_documents
from lint.azure.from_api import Document, is_dump, load_dump

SAMPLES = Path(__file__).parent.parent / "conformance" / "azure"


def flat(value: Any) -> Any:
    """A REST object as `az … list` writes it: `properties` flattened away at every level."""
    if isinstance(value, list):
        return [flat(one) for one in value]
    if not isinstance(value, dict):
        return value
    inner = value.get("properties")
    merged = {**{k: v for k, v in value.items() if k != "properties"}, **(inner if isinstance(inner, dict) else {})}
    made = {name: flat(one) for name, one in merged.items()}
    if isinstance(made.get("id"), str) and "/resourceGroups/" in made["id"]:
        made["resourceGroup"] = made["id"].split("/resourceGroups/")[1].split("/")[0]
    return made


@pytest.fixture
def closed(landscape: Any) -> Any:
    """A landscape in which one port is open to the Internet."""
    landscape.nsg("N", "In 100 Allow Tcp Internet -> *:443", at=["V1/S1"])
    return landscape


def assert_same(graph: Any, judge: Any) -> None:
    ask = judge(graph)
    assert ask.verdict("X", "A", "tcp/443") == "allowed"
    assert ask.verdict("X", "A", "tcp/22") == "blocked"
    assert ask.verdict("C", "A", "tcp/22") == "allowed"


def test_rest_lists_of_each_kind(closed: Any, judge: Any) -> None:
    assert_same(graph_from_documents(closed.documents()), judge)


def test_the_cli_form_without_properties(closed: Any, judge: Any) -> None:
    lists = [flat(one["value"]) for one in closed.documents()]
    assert all("properties" not in json.dumps(one) for one in lists)
    assert_same(graph_from_documents(lists), judge)


def test_the_cli_form_of_older_versions_spells_ip_otherwise(closed: Any, judge: Any, tmp_path: Path) -> None:
    for number, one in enumerate(closed.documents()):
        text = json.dumps(flat(one["value"])).replace("cIPAddress", "cIpAddress").replace("eIPAddress", "eIpAddress")
        (tmp_path / f"{number}.json").write_text(text.replace("dIPConfigurations", "dIpConfigurations"))
    assert any("privateIpAddress" in file.read_text() for file in tmp_path.iterdir())
    documents, problems = load_dump(tmp_path)
    assert problems == ()
    assert_same(graph_from_documents(documents), judge)


def test_one_resource_alone(closed: Any, judge: Any) -> None:
    assert_same(graph_from_documents([row for one in closed.documents() for row in one["value"]]), judge)


def test_resource_graph_rows_with_lower_case_types(closed: Any, judge: Any) -> None:
    rows = [
        {**row, "type": row["type"].lower(), "id": row["id"].upper()}
        for one in closed.documents()
        for row in one["value"]
    ]
    assert_same(graph_from_documents([{"data": rows, "total_records": len(rows), "skip_token": None}]), judge)


def test_resource_graph_tables(closed: Any, judge: Any) -> None:
    rows = [row for one in closed.documents() for row in one["value"]]
    names = ["id", "name", "type", "location", "sku", "properties"]
    table = {"columns": [{"name": one} for one in names], "rows": [[row.get(one) for one in names] for row in rows]}
    assert_same(graph_from_documents([{"data": table}]), judge)


def test_several_pages_in_one_file(closed: Any, judge: Any) -> None:
    assert_same(graph_from_documents([closed.documents()]), judge)


def test_children_that_a_dump_repeats_count_once(closed: Any) -> None:
    group = copy.deepcopy(closed.resources["networkSecurityGroups/N"])
    rule = group["properties"]["securityRules"][0]
    child = {
        **rule,
        "id": f"{group['id']}/securityRules/{rule['name']}",
        "type": "Microsoft.Network/networkSecurityGroups/securityRules",
    }
    rule["id"] = child["id"]
    graph = graph_from_documents([*closed.documents(), [child], {"value": [group]}])
    held = next(one for one in graph.filters.values() if one.kind == "nsg")
    assert len([one for one in held.rules if not one.implied]) == 1
    assert held.open_ingress == ()


def test_a_page_that_is_missing_leaves_its_kind_open(landscape: Any, judge: Any) -> None:
    landscape.asg("web", "B")
    landscape.nsg("N", "In 100 Deny Tcp asg:web -> *:22", at=["V1/S2"])
    documents = landscape.documents()
    for one in documents:
        if "networkInterfaces" in one["value"][0]["id"]:
            one["nextLink"] = "https://management.azure.com/next"
    graph = graph_from_documents(documents)
    assert [one.code for one in graph.incomplete] == ["azure.coverage:microsoft.network/networkinterfaces"]
    assert judge(graph).verdict("A", "C", "tcp/22") == "undetermined"


def test_what_is_referred_to_but_missing_is_undetermined(closed: Any, judge: Any) -> None:
    documents = [one for one in closed.documents() if "networkSecurityGroups" not in one["value"][0]["id"]]
    ask = judge(graph_from_documents(documents))
    assert ask.verdict("X", "A", "tcp/443") == "undetermined"
    assert any(one.startswith("azure.ref.missing:") for one in ask.codes("X", "A", "tcp/443"))


def test_without_interfaces_the_members_of_a_group_are_not_known(landscape: Any) -> None:
    landscape.asg("web")
    documents = [one for one in landscape.documents() if "networkInterfaces" not in one["value"][0]["id"]]
    graph = graph_from_documents(documents)
    assert [reason.code for one in graph.groups.values() for reason in one.open] == ["azure.coverage:networkInterfaces"]


RULE_ID = "[resourceId('Microsoft.Network/networkSecurityGroups/securityRules', parameters('nsg'), 'https')]"
SUBNET_ID = "[concat(resourceId('Microsoft.Network/virtualNetworks', variables('vnet')), '/subnets/apps')]"
TEMPLATE: dict[str, Any] = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "parameters": {"nsg": {"type": "String", "defaultValue": "web"}, "secret": {"type": "String"}},
    "variables": {"vnet": "[concat(parameters('nsg'), '-vnet')]"},
    "resources": [
        {
            "type": "Microsoft.Network/networkSecurityGroups",
            "apiVersion": "2024-05-01",
            "name": "[parameters('nsg')]",
            "properties": {
                "securityRules": [
                    {
                        "name": "https",
                        "id": RULE_ID,
                        "properties": {
                            "priority": 100,
                            "direction": "Inbound",
                            "access": "Allow",
                            "protocol": "Tcp",
                            "sourcePortRange": "*",
                            "destinationPortRange": "443",
                            "sourceAddressPrefix": "Internet",
                            "destinationAddressPrefix": "*",
                        },
                    }
                ]
            },
        },
        {
            "type": "Microsoft.Network/networkSecurityGroups/securityRules",
            "apiVersion": "2024-05-01",
            "name": "[concat(parameters('nsg'), '/https')]",
            "dependsOn": ["[resourceId('Microsoft.Network/networkSecurityGroups', parameters('nsg'))]"],
            "properties": {
                "priority": 100,
                "direction": "Inbound",
                "access": "Allow",
                "protocol": "Tcp",
                "sourcePortRange": "*",
                "destinationPortRange": "443",
                "sourceAddressPrefix": "Internet",
                "destinationAddressPrefix": "*",
            },
        },
        {
            "type": "Microsoft.Network/virtualNetworks",
            "apiVersion": "2024-05-01",
            "name": "[variables('vnet')]",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [
                    {
                        "name": "apps",
                        "properties": {
                            "addressPrefix": "10.0.1.0/24",
                            "networkSecurityGroup": {
                                "id": "[resourceId('Microsoft.Network/networkSecurityGroups', parameters('nsg'))]"
                            },
                        },
                    }
                ],
            },
        },
        {
            "type": "Microsoft.Network/networkInterfaces",
            "apiVersion": "2024-05-01",
            "name": "nic",
            "properties": {
                "ipConfigurations": [
                    {
                        "name": "ip",
                        "properties": {
                            "privateIPAddress": "[parameters('secret')]",
                            "subnet": {"id": SUBNET_ID},
                            "publicIPAddress": {"id": "[resourceId('Microsoft.Network/publicIPAddresses', 'ip')]"},
                        },
                    }
                ]
            },
        },
    ],
}


def test_an_exported_template(judge: Any) -> None:
    graph = graph_from_documents([TEMPLATE])
    nic = next(one.id for one in graph.endpoints.values() if one.name == "nic")
    ask = judge(graph)
    assert ask.verdict("X", nic, "tcp/443") == "allowed"
    assert ask.verdict("X", nic, "tcp/22") == "blocked"
    assert len([one for group in graph.filters.values() for one in group.rules if one.name == "https"]) == 1


@pytest.mark.parametrize(
    "expression",
    [
        "[reference('x').y]",
        "[concat('a'",
        "[resourceId()]",
        "[[literal]",
        "[" + "concat(" * 5000 + "]",
        "[format('{9}', 'a')]",
        "['open",
    ],
)
def test_odd_template_expressions_are_unknown_and_do_no_harm(expression: str) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["resources"][0]["properties"]["securityRules"][0]["properties"]["sourceAddressPrefix"] = expression
    template["resources"] = [template["resources"][0]]
    graph = graph_from_documents([template])
    assert graph.filters


def test_the_public_samples_load() -> None:
    documents, problems = load_dump(SAMPLES)
    assert problems == ()
    assert len(documents) == 9
    assert all(is_dump(one.data) for one in documents)
    graph = graph_from_documents(documents)
    assert {one.name for one in graph.endpoints.values()} >= {"vm1", "test-nic2"}
    assert {one.name for one in graph.filters.values() if one.kind == "nsg"} >= {"testnsg", "nsg1", "nsg3"}
    assert len({one.addresses[0].place for one in graph.endpoints.values() if one.name in ("vm1", "test-nic2")}) == 1


def test_folders_of_several_subscriptions_json_lines_and_broken_files(closed: Any, judge: Any, tmp_path: Path) -> None:
    for number, one in enumerate(closed.documents()):
        folder = tmp_path / f"subscription-{number % 2}"
        folder.mkdir(exist_ok=True)
        if number % 2:
            (folder / f"{number}.json").write_text("\ufeff" + json.dumps(one), encoding="utf-8")
        else:
            (folder / f"{number}.jsonl").write_text(
                "\n".join(json.dumps(row) for row in one["value"]) + "\n", encoding="utf-8"
            )
    (tmp_path / "broken.json").write_text('{"value": [', encoding="utf-8")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "deep.json").write_text("[" * 200_000, encoding="utf-8")
    documents, problems = load_dump(tmp_path)
    assert_same(graph_from_documents(documents), judge)
    said = {one.origin.file: one.text for one in problems if one.origin}
    assert set(said) == {"broken.json", "binary.json", "deep.json"}
    assert said["broken.json"].startswith("broken.json:1:")


@pytest.mark.parametrize(
    "data",
    [
        None,
        1,
        "text",
        [],
        {},
        [1, "a", None],
        {"value": [1, {"id": 3}]},
        {"value": {"id": "x"}},
        {"data": "x"},
        {"Reservations": []},
    ],
)
def test_documents_of_nobody_do_no_harm(data: Any) -> None:
    assert not is_dump(data)
    assert graph_from_documents([data]).endpoints == {}


@pytest.mark.parametrize(
    "properties",
    [
        {"securityRules": "x"},
        {"securityRules": [None, 3, {"properties": None}, {"name": 7, "properties": {"priority": []}}]},
        {"securityRules": [{"name": "a", "properties": {"direction": {}, "access": [], "priority": {"a": 1}}}]},
    ],
)
def test_odd_values_in_a_group_do_no_harm(landscape: Any, properties: dict[str, Any]) -> None:
    landscape.put("networkSecurityGroups", "odd", properties)
    assert landscape.graph().filters


def test_a_request_tells_the_network_of_effective_rules(landscape: Any, judge: Any, make_rule: Any) -> None:
    network = landscape.resources["virtualNetworks/V1"]["id"]
    url = f"https://management.azure.com{network}/listNetworkManagerEffectiveSecurityAdminRules?api-version=2024-05-01"
    rule = make_rule("In 10 Deny Tcp 10.0.2.0/24 -> 10.0.1.0/24:22")
    graph = graph_from_documents([*landscape.documents(), Document({"value": [rule]}, request=url)])
    ask = judge(graph)
    assert ask.verdict("C", "10.0.1.4", "tcp/22") == "blocked"
    assert ask.verdict("C", "10.0.1.4", "tcp/23") == "allowed"
