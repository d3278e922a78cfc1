"""Laws of the verdict: knowing less never makes anything satisfied, and never turns one certainty into the other."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lint.graph.rules import UnknownPeer
from lint.origin import Reason

SERVICES = ["tcp/22", "tcp/22-30", "tcp/443", "udp/22", "any"]
PEERS = ["10.0.1.5/32", "10.0.1.0/24", "10.0.0.0/8", "0.0.0.0/0", "203.0.113.10/32", "group:a", "group:g", "?var.x"]
LINES = st.lists(st.tuples(st.sampled_from(SERVICES), st.sampled_from(PEERS)), max_size=4)
FLOWS = [
    ("required", "agent", "gateway"),
    ("required", "console", "gateway"),
    ("exclusive", "agent", "gateway"),
    ("exclusive", "console", "gateway"),
    ("forbidden", "agent", "gateway"),
    ("forbidden", "internet", "gateway"),
    ("forbidden", "gateway", "internet"),
]
ROLES = "agent: [{names: ['agent*']}]\nconsole: [{addresses: [203.0.113.10/32]}]\ngateway: [{names: [gateway]}]"


def forget(graph, chosen):
    """The graph with the peers of some rules, or whether these rules exist at all, not known any more."""
    filters = {}
    at = 0
    for id_, one in graph.filters.items():
        rules = []
        for rule in one.rules:
            how = chosen[at % len(chosen)] if chosen else 0
            at += 1
            why = (Reason("var.y has no value"),)
            if how == 1:
                rule = replace(rule, peers=(UnknownPeer(why, "var.y"),), reasons=why)
            elif how == 2:
                rule = replace(rule, exists=False, reasons=why)
            elif how == 3:
                from lint.space.intervals import EMPTY
                from lint.space.services import ALL_SERVICES

                rule = replace(rule, services=EMPTY, services_may=ALL_SERVICES, reasons=why)
            rules.append(rule)
        filters[id_] = replace(one, rules=tuple(rules))
    return replace(graph, filters=filters)


def verdicts(judged, endpoints):
    """The verdict for each flow and pair of endpoints."""
    found = {}
    for finding in judged.findings:
        for source in finding.source.endpoints or [""]:
            for destination in finding.destination.endpoints or [""]:
                pair = (source, destination) if finding.kind != "exclusive" else ("", destination)
                if finding.kind == "forbidden":
                    pair = ("", "")
                found[(finding.flow, finding.service, pair)] = finding.verdict
    return found


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(into=LINES, out=LINES, chosen=st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_knowing_less_never_decides_more(tools, into, out, chosen):
    flows = [
        tools.flow(kind, source, destination, "tcp/22", id=f"{kind}-{source}-{destination}")
        for kind, source, destination in FLOWS
    ]
    pack = tools.pack(*flows)
    world = (
        tools.world()
        .group("a", out=out)
        .group("g", into, out)
        .machine("agent-1", "10.0.1.5", "a")
        .machine("agent-2", "10.0.2.6", "a")
        .machine("gateway", "10.0.2.9", "g")
    )
    graph = world.graph()
    known = verdicts(tools.judge(graph, pack, ROLES), graph.endpoints)
    less = verdicts(tools.judge(forget(graph, chosen), pack, ROLES), graph.endpoints)
    for key, verdict in less.items():
        before = known.get(key)
        if verdict in ("satisfied", "violated") and before is not None:
            assert verdict == before, (key, before, verdict)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(into=LINES, more=LINES)
def test_one_more_rule_never_takes_a_required_flow_away_nor_hides_an_excess(tools, into, more):
    flows = [
        tools.flow("required", "agent", "gateway", "tcp/22"),
        tools.flow("exclusive", "agent", "gateway", "tcp/22"),
    ]
    roles = "agent: [{names: [agent-1]}]\ngateway: [{names: [gateway]}]"

    def judged(lines):
        world = tools.world().group("a").group("g", lines)
        world.machine("agent-1", "10.0.1.5", "a").machine("gateway", "10.0.2.9", "g")
        return [finding.verdict for finding in tools.judge(world, tools.pack(*flows), roles).findings]

    first, second = judged(into), judged(into + more)
    if first[0] == "satisfied":
        assert second[0] == "satisfied"
    if first[1] == "violated":
        assert second[1] == "violated"
    if second[1] == "satisfied":
        assert first[1] == "satisfied"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(into=LINES)
def test_missing_and_excess_are_exact(tools, into):
    """Taking the lanes at their word: adding what is missing satisfies the flow."""
    flow = tools.flow("required", "agent", "gateway", "tcp/22")
    roles = "agent: [{names: ['agent*']}]\ngateway: [{names: [gateway]}]"

    def judged(lines):
        world = tools.world().group("a").group("g", lines)
        world.machine("agent-1", "10.0.1.5", "a").machine("agent-2", "10.0.2.6", "a").machine(
            "gateway", "10.0.2.9", "g"
        )
        return tools.judge(world, tools.pack(flow), roles).findings

    lanes = [lane for finding in judged(into) for lane in finding.missing]
    again = judged(into + [(lane.service, lane.source) for lane in lanes])
    assert {finding.verdict for finding in again} == {"satisfied"}
