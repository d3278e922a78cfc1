"""What `init` proposes for the fixtures and for small networks: a project file that does what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lint.graph.graph import RuleGraph
from lint.packs import load_builtin
from lint.project import check_names, loads
from lint.project.model import Project
from lint.propose import propose, rank
from lint.propose.proposal import quoted, relative_source
from lint.sources import LoadOptions, load, parse
from lint.verdict.bind import bind
from tests.reach.build import graph, machine, rule, security_group

PACKS = load_builtin()
ROOT = Path(__file__).parents[2]


def project(text: str) -> Project:
    found = loads(text, ROOT / "netpact.yaml")
    assert not check_names(found, PACKS)
    return found


def bound(source: RuleGraph, text: str) -> dict[str, dict[str, set[str]]]:
    """By deployment and role, the endpoints that the proposal's selectors take."""
    found = project(text)
    return {
        one.name: {
            role: {e.id for e in taken.everybody}
            for role, taken in bind(source, found, PACKS[one.pack], one).items()
            if taken.endpoints or taken.maybe
        }
        for one in found.deployments
    }


def read(name: str) -> RuleGraph:
    return load([parse(str(ROOT / "fixtures" / name))], LoadOptions()).graph


@pytest.mark.parametrize(
    ("fixture", "roles"),
    [
        (
            "aws/hyperbdr-block/compliant",
            {
                "saas-block-storage": {
                    "cloud-sync-gateway": {"aws_instance.sync_gateway"},
                    "transition-host": {"aws_security_group.transition_host"},
                }
            },
        ),
        (
            "aws/cohesity/compliant",
            {
                "saas-connector": {
                    "saas-connector": {"aws_instance.connector"},
                    "physical-server": {'aws_instance.source["files"]', 'aws_instance.source["sql"]'},
                    "oracle-server": {'aws_instance.source["oracle"]'},
                }
            },
        ),
    ],
)
def test_a_fixture_gets_its_own_pack_with_its_roles(fixture: str, roles: object) -> None:
    source = read(fixture)
    assert bound(source, propose(source, PACKS, ["."]).text) == roles


def test_the_best_pack_comes_first() -> None:
    assert rank(read("aws/safehaven/compliant"), PACKS)[0].pack.id == "safehaven/safehaven-4"


def test_every_choice_says_why() -> None:
    text = propose(read("aws/hyperbdr-block/compliant"), PACKS, ["."]).text
    assert "dr-sync-gateway: tag dr-role = gateway" in text
    assert "tcp/13260 in dr-sync-gateway (gateway.tf:8)" in text


def test_a_role_that_nothing_speaks_for_is_told_with_the_hosts_of_the_document() -> None:
    text = propose(read("aws/cohesity/compliant"), PACKS, ["."]).text
    assert "#   helios: Cohesity Helios, control path (run by the vendor)" in text
    assert "the document names helios.cohesity.com" in text


GATEWAY = security_group("sg-1", *(rule("in", port, "10.0.0.0/8") for port in ("tcp/13260", "tcp/10729", "tcp/16100")))


def test_open_ports_alone_are_enough_where_all_of_them_are_open() -> None:
    source = graph(GATEWAY, machine("i-1", "10.0.0.5", groups=["sg-1"]))
    assert bound(source, propose(source, PACKS, ["."]).text) == {"saas-block-storage": {"cloud-sync-gateway": {"i-1"}}}


def test_a_rule_that_opens_everything_speaks_for_no_product() -> None:
    wide = security_group("sg-1", rule("in", "any", "0.0.0.0/0"), rule("in", "tcp", "0.0.0.0/0"))
    found = propose(graph(wide, machine("i-1", "10.0.0.5", groups=["sg-1"])), PACKS, ["."])
    assert found.text == ""
    assert found.packs == ()


def test_where_nothing_speaks_for_a_pack_all_packs_are_listed() -> None:
    found = propose(graph(machine("i-1", "10.0.0.5")), PACKS, ["."])
    assert found.text == ""
    assert all(name in found.said[0] for name in PACKS)


def test_a_party_that_other_software_shares_speaks_for_no_product() -> None:
    found = propose(graph(replace(machine("i-1", "10.0.0.5"), name="vcenter-01")), PACKS, ["."])
    assert found.text == ""


@pytest.mark.parametrize("name", ["bastion", "rds_oracle", "sqlserver-1", "protected-subnet-host"])
def test_a_name_that_every_company_uses_speaks_for_no_product(name: str) -> None:
    assert propose(graph(replace(machine("i-1", "10.0.0.5"), name=name)), PACKS, ["."]).text == ""


def test_a_common_name_binds_a_role_of_a_pack_that_something_else_speaks_for() -> None:
    nodes = [
        replace(machine(f"i-{n}", f"10.0.0.{n}"), name=name) for n, name in enumerate(("safehaven-cms", "bastion"))
    ]
    source = graph(*nodes)
    assert bound(source, propose(source, PACKS, ["."]).text) == {
        "safehaven-4": {"cms": {"i-0"}, "administrator": {"i-1"}}
    }


def test_machines_of_one_name_are_told_once() -> None:
    source = graph(*(replace(machine(f"i-{n}", f"10.0.0.{n}"), name="safehaven-cms") for n in range(3)))
    text = propose(source, PACKS, ["."]).text
    assert text.count("name safehaven-cms") == 1
    assert "safehaven-cms: name safehaven-cms (3 of them)" in text


@pytest.mark.parametrize("name", sorted(PACKS))
def test_a_pack_that_is_asked_for_is_applied_without_evidence(name: str) -> None:
    found = propose(graph(machine("i-1", "10.0.0.5")), PACKS, ["."], [name])
    (deployment,) = project(found.text).deployments
    assert deployment.pack == name
    assert deployment.roles == ()


NAMES = st.text(min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(name=NAMES, tag=NAMES)
def test_any_name_gives_a_file_that_can_be_read_and_takes_that_machine(name: str, tag: str) -> None:
    named = f"{name}-sync-gateway-{tag}"
    one = replace(machine("i-1", "10.0.0.5"), name=named)
    source = graph(one)
    text = propose(source, PACKS, [name]).text
    found = project(text)
    assert found.sources == (name,)
    assert text.count("\nversion: 1\n") == 1
    (selector,) = found.deployments[0].roles[0].selectors
    assert selector.conditions[0].patterns == (named,)


@given(text=st.text())
def test_a_quoted_text_is_read_as_it_is(text: str) -> None:
    import yaml

    assert yaml.safe_load(quoted(text)) == text


@pytest.mark.parametrize(
    ("source", "directory", "written"),
    [
        ("infra/prod", "infra/prod", "."),
        ("infra/prod", ".", "infra/prod"),
        ("state:infra/prod.json", "infra", "state:prod.json"),
        ("aws:eu-west-1", "infra", "aws:eu-west-1"),
    ],
)
def test_sources_are_written_as_seen_from_the_file(source: str, directory: str, written: str) -> None:
    assert relative_source(source, Path(directory)) == written
