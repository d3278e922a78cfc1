"""Plans and states: the same resources as from the configuration, with the values that Terraform knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lint.terraform.documents import SourceProblem
from lint.terraform.evaluate import evaluate_root
from lint.terraform.options import Options
from lint.terraform.plan import read_plan
from lint.terraform.resources import Evaluation
from lint.terraform.state import read_state

from .conftest import resource
from .planned import differences, known_values
from .shown import addresses, messages, outputs, shown, shown_all

FIXTURES = Path(__file__).parents[2] / "fixtures"
LANGUAGE = FIXTURES / "terraform" / "language"
PLANNED = sorted(path.parent for path in FIXTURES.glob("*/**/plan.json"))
# The provider keeps user_data as a hash.
HASHED = "user_data"


def plan_of(folder: Path, *, configuration: bool = True) -> Evaluation:
    """A fixture's plan, with its configuration beside it or without."""
    return read_plan((folder / "plan.json").read_bytes(), "plan.json", folder if configuration else None)


@pytest.mark.parametrize("folder", PLANNED, ids=lambda path: str(path.relative_to(FIXTURES)))
def test_configuration_evaluates_to_what_terraform_planned(folder: Path) -> None:
    evaluation = evaluate_root(folder, Options())
    assert messages(evaluation) == []
    assert known_values(evaluation) > 10
    found = differences(evaluation, json.loads((folder / "plan.json").read_text()))
    assert [each for each in found if HASHED not in each] == []


@pytest.mark.parametrize("folder", PLANNED, ids=lambda path: str(path.relative_to(FIXTURES)))
def test_a_plan_refers_to_the_same_resources_as_its_configuration(folder: Path) -> None:
    evaluated = {r.address: r for r in evaluate_root(folder, Options()).resources}
    planned = plan_of(folder)
    assert {r.address for r in planned.resources} == set(evaluated)
    compared = 0
    for found in planned.resources:
        written = evaluated[found.address]
        assert found.origin == written.origin
        for name, value in written.values.items():
            if not value.known:
                assert shown(found.get(name)) == shown(value), (found.address, name)
                compared += 1
        for name in written.blocks:
            if name != "lifecycle":
                assert len(found.nested(name).items) == len(written.nested(name).items), (found.address, name)
    assert compared > 5


@pytest.mark.parametrize("folder", PLANNED, ids=lambda path: str(path.relative_to(FIXTURES)))
def test_references_found_in_a_plan_alone_are_those_of_the_configuration(folder: Path) -> None:
    """A plan tells less than its configuration, but nothing else."""
    evaluated = {r.address: r for r in evaluate_root(folder, Options()).resources}
    alone = plan_of(folder, configuration=False)
    assert {r.address for r in alone.resources} == set(evaluated)
    found_any = False
    for found in alone.resources:
        for name, value in found.values.items():
            written = evaluated[found.address].values.get(name)
            told = shown(value)
            if written is not None and not value.known and isinstance(told, str) and told != "?":
                assert told == shown(written), (found.address, name)
                found_any = True
            elif written is not None and isinstance(told, list) and all(isinstance(t, str) and t != "?" for t in told):
                assert sorted(told) == sorted(map(str, shown(written))), (found.address, name)
    assert found_any


@pytest.mark.parametrize("folder", PLANNED, ids=lambda path: str(path.relative_to(FIXTURES)))
def test_a_state_holds_every_resource_of_the_plan(folder: Path) -> None:
    state = read_state((folder / "state.json").read_bytes(), "state.json", folder)
    planned = plan_of(folder)
    assert set(addresses(state)) == set(addresses(planned))
    origins = {r.address: r.origin for r in planned.resources}
    for found in state.resources:
        assert found.get("id").known and found.origin == origins[found.address]
    assert state.coverage.unknown == 0 and state.complete


def test_a_plan_without_configuration_knows_what_its_own_section_tells() -> None:
    plan = plan_of(LANGUAGE, configuration=False)
    rule = resource(plan, 'module.firewall["app"].aws_vpc_security_group_egress_rule.peer["data"]')
    assert shown(rule.values["security_group_id"]) == '?module.firewall["app"].aws_security_group.this.id'
    # Which of two networks module.network[each.key] is doesn't stand in a plan.
    group = resource(plan, 'module.firewall["app"].aws_security_group.this')
    assert shown(group.get("vpc_id")) == "?"
    assert group.provider_values.keys() == {"access_key", "region", "secret_key"} | {
        name for name in group.provider_values if name.startswith("skip_")
    }
    assert shown(group.provider_values["region"]) == "us-east-1"
    assert resource(plan, "aws_vpc.west").provider == "aws.west"
    assert (group.origin.file, group.origin.line, group.origin.address) == ("plan.json", None, group.address)


def test_what_nothing_sets_is_not_configured_in_a_plan() -> None:
    for configuration in (True, False):
        plan = plan_of(LANGUAGE, configuration=configuration)
        group = resource(plan, 'module.firewall["app"].aws_security_group.this')
        assert not group.nested("egress").configured
        assert shown(group.get("egress")) == f"?{group.address}.egress"
        ingress = group.nested("ingress")
        assert ingress.configured and not ingress.open
        assert sorted(shown(item.values["from_port"]) for item in ingress.items) == [53, 443, 8000]
        assert shown(group.get("nonsense")) is None


def test_outputs_of_plans_and_states() -> None:
    networks = {"app": ["10.10.100.0/24", "10.10.101.0/24", "10.10.102.0/24"], "data": ["10.20.0.0/24", "10.20.1.0/24"]}
    plan = plan_of(LANGUAGE)
    assert outputs(plan)["networks"] == networks
    assert outputs(plan)["firewalls"] == [
        '?module.firewall["app"].aws_security_group.this.id',
        '?module.firewall["data"].aws_security_group.this.id',
    ]
    state = read_state((LANGUAGE / "state.json").read_bytes(), "state.json")
    assert outputs(state)["networks"] == networks
    assert all(value.startswith("sg-") for value in outputs(state)["firewalls"])


def document(*changes: dict[str, Any], **more: Any) -> bytes:
    """A plan with the changes given."""
    return json.dumps({"format_version": "1.2", "resource_changes": list(changes), **more}).encode()


def change(address: str, actions: list[str], after: Any = None, unknown: Any = None, **more: Any) -> dict[str, Any]:
    """One change of a plan."""
    kind, name = address.split("[")[0].rsplit(".", 2)[-2:]
    part = {"actions": actions, "before": None, "after": after, "after_unknown": unknown or {}}
    return {"address": address, "mode": "managed", "type": kind, "name": name, "change": part, **more}


def test_only_what_will_exist_is_listed() -> None:
    plan = read_plan(
        document(
            change("aws_x.created", ["create"], {"n": 1}),
            change("aws_x.kept", ["no-op"], {"n": 2}),
            change("aws_x.replaced", ["delete", "create"], {"n": 3}),
            change("aws_x.deleted", ["delete"]),
            change("aws_x.old", ["delete"], deposed="00000001"),
            {**(gone := change("aws_x.forgotten", ["forget"])), "change": {**gone["change"], "before": {"n": 4}}},
        ),
        "plan.json",
        None,
    )
    assert {r.address: shown(r.values["n"]) for r in plan.resources} == {
        "aws_x.created": 1,
        "aws_x.kept": 2,
        "aws_x.replaced": 3,
        "aws_x.forgotten": 4,
    }
    (message,) = messages(plan, "warning")
    assert "aws_x.forgotten is forgotten by Terraform, but stays in the account" in message


def test_unknown_and_sensitive_parts_are_honoured_by_their_place() -> None:
    made = change(
        "aws_x.a",
        ["create"],
        {"list": [{"a": 1}, {"a": 2}], "secret": "s", "plain": "p"},
        {"list": [{}, {"b": True}], "id": True},
    )
    made["change"]["after_sensitive"] = {"secret": True, "list": [{"a": True}]}
    configuration = {
        "root_module": {
            "resources": [
                {
                    "address": "aws_x.a",
                    "mode": "managed",
                    "type": "aws_x",
                    "name": "a",
                    "expressions": {"list": [{"a": {}}, {"b": {"references": ["local.x"]}}]},
                }
            ]
        }
    }
    plan = read_plan(document(made, configuration=configuration), "plan.json", None)
    (found,) = plan.resources
    first, second = found.nested("list").items
    assert shown_all(first.values) == {"a": 1} and first.values["a"].marks == {"sensitive"}
    assert shown_all(second.values) == {"a": 2, "b": "?"}
    assert "doesn't say what it refers to" in second.values["b"].data.reasons[0].text
    assert found.values["secret"].marks == {"sensitive"} and not found.values["plain"].marks
    assert "id" not in found.values and not found.get("id").known


def test_an_unknown_number_of_dynamic_blocks_is_one_uncertain_block() -> None:
    made = change(
        "aws_sg.a", ["create"], {"ingress": [{"description": ""}]}, {"ingress": [{"from_port": True, "protocol": True}]}
    )
    configuration = {
        "root_module": {
            "resources": [{"address": "aws_sg.a", "mode": "managed", "type": "aws_sg", "name": "a", "expressions": {}}]
        }
    }
    plan = read_plan(document(made, configuration=configuration), "plan.json", None)
    (block,) = plan.resources[0].nested("ingress").items
    assert not block.certain and "isn't known" in block.reasons[0].text


def test_data_that_was_read_is_known_and_reaches_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        'data "aws_vpc" "d" {}\nvariable "size" {}\nresource "aws_x" "a" {\n  count = var.size\n'
        '  c = data.aws_vpc.d.cidr_block\n  g = [aws_x.b.id]\n}\nresource "aws_x" "b" {}\n'
    )
    read = {
        "address": "data.aws_vpc.d",
        "mode": "data",
        "type": "aws_vpc",
        "name": "d",
        "values": {"cidr_block": "10.0.0.0/8"},
    }
    plan = read_plan(
        document(
            change("aws_x.a[0]", ["create"], {"c": "10.0.0.0/8"}, {"g": True}, index=0),
            change("aws_x.b", ["create"], {}, {"id": True}),
            prior_state={"values": {"root_module": {"resources": [read]}}},
            variables={"size": {"value": 1}},
        ),
        "plan.json",
        tmp_path,
    )
    assert messages(plan) == []
    assert shown_all(resource(plan, "aws_x.a[0]").values) == {"c": "10.0.0.0/8", "g": ["?aws_x.b.id"]}
    data = resource(plan, "data.aws_vpc.d")
    assert (shown(data.get("cidr_block")), shown(data.get("other")), data.origin.line) == ("10.0.0.0/8", None, 1)


def test_a_configuration_of_something_else_is_said(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_x" "other" {}')
    plan = read_plan(document(change("aws_x.a", ["create"], {"n": 1})), "plan.json", tmp_path)
    assert messages(plan, "warning") == ["plan.json: the configuration beside the plan has no aws_x.a"]
    assert addresses(plan) == ["aws_x.a"]


@pytest.mark.parametrize("flag", [{"errored": True}, {"complete": False}])
def test_a_plan_that_is_not_whole_says_so(flag: dict[str, bool]) -> None:
    assert not read_plan(document(**flag), "plan.json", None).complete


@pytest.mark.parametrize(
    ("read", "data", "text"),
    [
        (
            read_plan,
            b'{"format_version": "0.1", "terraform_version": "0.12.31", "planned_values": {}}',
            "format version 0.1",
        ),
        (
            read_plan,
            b'{"format_version": "2.0", "resource_changes": []}',
            "format version 2.0 of this plan isn't supported",
        ),
        (read_plan, b'{"planned_values": {}}', "format_version is missing"),
        (read_plan, b'{"format_version": "1.0", "values": {}}', "this is a state, not a plan"),
        (read_plan, b"[]", "no object"),
        (read_plan, b"{", "invalid JSON at line 1"),
        (read_plan, b'{"a": NaN}', "NaN is no number"),
        (read_plan, b"PK\x03\x04", "binary plan"),
        (read_plan, b"\xff\x00", "no text"),
        (read_plan, b"[" * 100_000, "nested too deeply"),
        (
            read_state,
            b'{"version": 3, "terraform_version": "0.11.14", "modules": []}',
            "state version 3 isn't supported",
        ),
        (read_state, b'{"format_version": "0.1", "values": {}}', "format version 0.1 of this state"),
        (read_state, b'{"format_version": "1.0", "resource_changes": []}', "this is a plan, not a state"),
        (read_state, b"{}", "neither format_version nor version"),
        (
            read_state,
            b'{"version": 4, "resources": [{"module": true, "instances": [{"attributes": {}}]}]}',
            "not shaped as",
        ),
        (
            read_state,
            b'{"format_version": "1.0", "values": {"root_module": {"resources": 7}}}',
            "not shaped as a state",
        ),
        (
            read_plan,
            b'{"format_version": "1.0", "resource_changes": [{"address": "a.b", "change": {"actions": ["x"]}, '
            b'"module_address": 7}]}',
            "not shaped as a plan",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_clearly(read: Any, data: bytes, text: str) -> None:
    with pytest.raises(SourceProblem) as caught:
        read(data, "file.json", None)
    assert text in caught.value.text and caught.value.file == "file.json" and caught.value.remedy


def test_a_raw_state_file_holds_the_same_resources() -> None:
    raw = {
        "version": 4,
        "terraform_version": "1.11.4",
        "outputs": {"o": {"value": "x", "type": "string", "sensitive": True}},
        "resources": [
            {
                "module": 'module.a["k"]',
                "mode": "managed",
                "type": "aws_sg",
                "name": "g",
                "provider": 'provider["registry.terraform.io/hashicorp/aws"].west',
                "instances": [
                    {"index_key": 0, "attributes": {"id": "sg-0", "ingress": [{"from_port": 22}]}},
                    {"index_key": 0, "deposed": "1", "attributes": {"id": "sg-old"}},
                    {"index_key": "x.y", "attributes": {"id": "sg-1", "key": "s"},
                     "sensitive_attributes": [[{"type": "get_attr", "value": "key"}]]},
                ],
            },
            {"mode": "data", "type": "aws_vpc", "name": "v", "instances": [{"attributes": {"id": "v"}}]},
            {"mode": "managed", "type": "aws_old", "name": "f", "provider": "", "instances": [{"attributes_flat": {}}]},
        ],
    }  # fmt: skip
    state = read_state(json.dumps(raw).encode(), "terraform.tfstate")
    assert addresses(state) == ['module.a["k"].aws_sg.g[0]', 'module.a["k"].aws_sg.g["x.y"]', "data.aws_vpc.v"]
    first, second, _ = state.resources
    assert (first.provider, first.module, first.key, second.key) == ("aws.west", 'module.a["k"]', 0, "x.y")
    assert shown_all(first.nested("ingress").items[0].values) == {"from_port": 22}
    assert second.values["key"].marks == {"sensitive"} and shown(first.get("absent")) is None
    assert state.outputs["o"].marks == {"sensitive"}
    assert messages(state, "incomplete") == ["terraform.tfstate: aws_old.f of the state can't be read"]
