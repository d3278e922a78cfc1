"""Service tag files: the weekly download, the API's answer, Terraform's data source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lint.azure import graph_from_documents, graph_from_terraform
from lint.azure.service_tags import is_service_tags, read_service_tags
from lint.origin import Origin
from lint.space.addresses import parse_cidr, parse_cidrs
from lint.terraform.state import read_state

GROUP = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/n"
SAMPLE = Path(__file__).resolve().parents[1] / "conformance" / "azure" / "ServiceTagsList.json"


def test_the_apis_answer() -> None:
    body = json.loads(SAMPLE.read_text(encoding="utf-8"))["responses"]["200"]["body"]
    assert is_service_tags(body)
    found, notes = read_service_tags([(body, Origin())])
    assert notes == ()
    assert found.prefixes["apimanagement"] == parse_cidrs("13.64.39.16/32", "40.74.146.80/31", "40.74.147.32/28")
    assert found.spelling["apimanagement.australiacentral"] == "ApiManagement.AustraliaCentral"
    assert found.text == "Public change 63"


def test_a_tag_in_two_files_is_their_union_and_two_clouds_are_said() -> None:
    def file(cloud: str, prefix: str) -> dict[str, Any]:
        return {
            "cloud": cloud,
            "changeNumber": 1,
            "values": [{"name": "Sql", "properties": {"addressPrefixes": [prefix]}}],
        }

    found, notes = read_service_tags(
        [(file("Public", "1.0.0.0/24"), Origin()), (file("China", "2.0.0.0/24"), Origin())]
    )
    assert found.prefixes["sql"] == parse_cidrs("1.0.0.0/24", "2.0.0.0/24")
    assert len(notes) == 1
    assert "several clouds" in notes[0]


def test_what_is_no_tag_file_is_said() -> None:
    found, notes = read_service_tags(
        [
            ([], Origin(file="tags.json")),
            ({"values": [{"name": "A", "properties": {"addressPrefixes": ["x"]}}]}, Origin()),
        ]
    )
    assert "a" not in found.prefixes
    assert [one.partition(" ")[0] for one in notes] == ["tags.json", "service"]


def test_a_file_given_beside_a_dump(landscape: Any, judge: Any) -> None:
    landscape.nsg("N", "Out 100 Deny Tcp * -> Sql:*", at=["V1/S1"])
    tags = {
        "cloud": "Public",
        "changeNumber": 1,
        "values": [{"name": "Sql", "properties": {"addressPrefixes": ["20.1.0.0/16"]}}],
    }
    ask = judge(graph_from_documents(landscape.documents(), service_tags=[tags]))
    assert ask.verdict("A", "20.1.2.3", "tcp/1433") == "blocked"
    assert ask.verdict("A", "20.2.2.3", "tcp/1433") == "allowed"


def test_the_data_source_of_a_state() -> None:
    state = {
        "format_version": "1.0",
        "terraform_version": "1.9.0",
        "values": {
            "root_module": {
                "resources": [
                    {
                        "address": "data.azurerm_network_service_tags.sql",
                        "mode": "data",
                        "type": "azurerm_network_service_tags",
                        "name": "sql",
                        "provider_name": "registry.terraform.io/hashicorp/azurerm",
                        "values": {
                            "service": "Sql",
                            "location_filter": "westeurope",
                            "ipv4_cidrs": ["20.1.0.0/16"],
                            "ipv6_cidrs": [],
                        },
                    },
                    {
                        "address": "azurerm_network_security_group.n",
                        "mode": "managed",
                        "type": "azurerm_network_security_group",
                        "name": "n",
                        "provider_name": "registry.terraform.io/hashicorp/azurerm",
                        "values": {
                            "id": GROUP,
                            "name": "n",
                            "resource_group_name": "rg",
                            "security_rule": [
                                {
                                    "name": "sql",
                                    "priority": 100,
                                    "direction": "Inbound",
                                    "access": "Allow",
                                    "protocol": "Tcp",
                                    "source_port_range": "*",
                                    "destination_port_range": "1433",
                                    "source_address_prefix": "Sql.WestEurope",
                                    "destination_address_prefix": "*",
                                }
                            ],
                        },
                    },
                ]
            }
        },
    }
    graph = graph_from_terraform([read_state(json.dumps(state).encode(), "state.json")])
    assert graph.address_lists["azure:tag:sql.westeurope"].must == parse_cidr("20.1.0.0/16")


@pytest.mark.parametrize("prefixes", [["203.0.113.0/24", "198.51.100.0/99"], None, "198.51.100.0/24"])
def test_a_tag_whose_prefixes_cannot_be_read_is_not_known(landscape: Any, judge: Any, prefixes: Any) -> None:
    landscape.nsg("N", "Out 100 Deny Tcp *->Storage:443", at=["V1/S1"])
    landscape.tags(Storage=["203.0.113.0/24"])
    assert judge(landscape).verdict("A", "X", "tcp/443") == "allowed"
    landscape.extra[0]["values"][0]["properties"]["addressPrefixes"] = prefixes
    assert judge(landscape).verdict("A", "X", "tcp/443") == "undetermined"
