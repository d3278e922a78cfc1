"""The same project says the same whether it is read as configuration, as a plan, or as the state after apply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lint.aws import graph_from_terraform
from lint.graph.graph import RuleGraph
from lint.reach import engine_of, inbound
from lint.space.addresses import cidrs
from lint.space.services import render
from lint.terraform.evaluate import Options, evaluate_root
from lint.terraform.plan import read_plan
from lint.terraform.state import read_state

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "aws"
PROJECTS = sorted(p.parent for p in FIXTURES.glob("*/*/plan.json"))


def said(graph: RuleGraph) -> dict[str, list[str]]:
    """What certainly and possibly reaches each machine that is there, as lines."""
    engine = engine_of(graph)
    found: dict[str, list[str]] = {}
    for endpoint in graph.endpoints.values():
        if endpoint.hypothetical or any(a.place != a.within.first for a in endpoint.addresses):
            continue
        allowed = inbound(engine, endpoint.id).allowed
        lines = [
            f"{word} {','.join(cidrs(peers))} {service}"
            for word, part in (("must", allowed.must), ("may", allowed.may))
            for peers, services, _ in part.boxes()
            for service in render(services)
        ]
        found[endpoint.id] = sorted(lines)
    return found


def resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All resources of a state's module and of those below it."""
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from resources(child)


def state_of(project: Path, configured: RuleGraph) -> bytes:
    """The applied state. The emulator that it was made with leaves instances without groups, which AWS never does."""
    data = json.loads((project / "state.json").read_bytes())
    ids = {r["address"]: r["values"]["id"] for r in resources(data["values"]["root_module"]) if "id" in r["values"]}
    for each in resources(data["values"]["root_module"]):
        if each["type"] == "aws_instance" and not each["values"]["vpc_security_group_ids"]:
            endpoint = configured.endpoints.get(each["address"])
            if endpoint is not None:
                each["values"]["vpc_security_group_ids"] = [ids[g] for g in endpoint.groups]
    return json.dumps(data).encode()


@pytest.mark.parametrize("project", PROJECTS, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_configuration_plan_and_state_agree(project: Path) -> None:
    configuration = graph_from_terraform([evaluate_root(project, Options())])
    plan = graph_from_terraform([read_plan((project / "plan.json").read_bytes(), "plan.json", project)])
    state = graph_from_terraform([read_state(state_of(project, configuration), "state.json", project)])
    assert said(configuration)
    assert said(configuration) == said(plan)
    assert said(configuration) == said(state)


def test_a_configuration_and_its_own_state_are_one_thing() -> None:
    project = FIXTURES / "hyperbdr-block" / "compliant"
    configured = evaluate_root(project, Options())
    applied = read_state((project / "state.json").read_bytes(), "state.json", None)
    alone = graph_from_terraform([configured])
    for order in ([configured, applied], [applied, configured]):
        both = graph_from_terraform(order)
        assert said(both) == said(alone)
        assert both.endpoints.keys() == alone.endpoints.keys()
        gateway = both.endpoints["aws_instance.sync_gateway"]
        assert any(alias.startswith("i-") for alias in gateway.aliases)
