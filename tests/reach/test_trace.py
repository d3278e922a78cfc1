"""`trace` and `map`.

Parties by their names, the whole answer as JSON, text and DOT, and one computation for endpoints that are alike.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lint.graph.graph import RuleGraph
from lint.origin import Origin
from lint.reach.atlas import map_all, map_json
from lint.reach.trace import trace, trace_json
from lint.report import map as map_report
from lint.report import trace as trace_report
from lint.space.services import parse
from tests.reach.build import graph, machine, network, route, rule, security_group, subnet, table


def shop() -> RuleGraph:
    rt = table("rt", route("10.0.0.0/16", "local"), route("0.0.0.0/0", "internet", "igw"))
    sub = subnet("A", "10.0.1.0/24", table="rt")
    web = security_group("sg-web", rule("in", "tcp/443", "0.0.0.0/0"), rule("out", "any", "0.0.0.0/0"))
    data = security_group("sg-db", rule("in", "tcp/5432", "sg-web"))
    machines = [machine(f"web-{n}", f"10.0.1.{10 + n}", groups=["sg-web"], subnet=sub) for n in range(3)]
    front = machine("front", "10.0.1.5", groups=["sg-web"], subnet=sub, public="198.51.100.5")
    front = replace(front, name='the "front"', origin=Origin(file="main.tf", line=1, address="aws_instance.front"))
    return graph(
        network("vpc-1", "10.0.0.0/16"),
        rt,
        sub,
        web,
        data,
        *machines,
        front,
        machine("db", "10.0.1.20", groups=["sg-db"], subnet=sub),
    )


def test_the_json_of_a_trace_is_whole() -> None:
    found: Any = trace_json(trace(shop(), "web-0", "db", parse("tcp/5432")))
    assert {name: found[name] for name in ("from", "to", "service", "verdict", "allowed", "unknown", "layers")} == {
        "from": "web-0",
        "to": "db",
        "service": "tcp/5432",
        "verdict": "allowed",
        "allowed": [{"from": "10.0.1.10/32", "service": "tcp/5432", "source_ports": "0-65535"}],
        "unknown": [],
        "layers": ["security_group"],
    }
    (path,) = found["paths"]
    assert (path["via"], path["verdict"]) == ("private", "allowed")
    assert [(hop["layer"], hop["direction"], hop["filter"], hop["verdict"]) for hop in path["hops"]] == [
        ("security_group", "egress", "sg-web", "allowed"),
        ("security_group", "ingress", "sg-db", "allowed"),
    ]
    assert path["hops"][1]["rules"][0]["origin"]["file"] == "main.tf"


@pytest.mark.parametrize(
    ("source", "destination", "service", "verdict", "ways"),
    [
        ("internet", "front", "tcp/443", "allowed", {"public"}),
        ("internet", "web-1", "tcp/443", "blocked", {"public"}),
        ("internet", "198.51.100.5", "tcp/443", "allowed", {"public"}),
        ("web-1", "10.0.1.5", "tcp/443", "allowed", {"private"}),
        ("aws_instance.front", "10.0.1.20", "tcp/5432", "allowed", {"private"}),
        ("203.0.113.0/24", "10.0.1.20", "tcp/5432", "blocked", set()),
        ("db", "front", "tcp/443", "blocked", {"private", "public"}),
        ("front", "8.8.8.8", "udp/53", "allowed", {"public"}),
    ],
)
def test_parties_are_named_as_people_name_them(
    source: str, destination: str, service: str, verdict: str, ways: set[str]
) -> None:
    found = trace(shop(), source, destination, parse(service)).reach
    assert found.verdict == verdict
    assert {path.via for path in found.paths} == ways


@pytest.mark.parametrize(
    ("name", "says"), [("web-9", "did you mean web-"), ("nobody-at-all", "netpact show"), ("", "no endpoint")]
)
def test_a_name_that_is_nobodys_is_refused_with_what_to_do(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        trace(shop(), name, "db")


def test_a_name_of_several_is_refused_with_their_ids() -> None:
    made = shop()
    twins = {key: replace(one, name="web") if key.startswith("web") else one for key, one in made.endpoints.items()}
    with pytest.raises(ValueError, match="web-0, web-1, web-2"):
        trace(replace(made, endpoints=twins), "web", "db")


def test_the_text_of_a_trace_says_what_stops_it_first() -> None:
    text = trace_report.render_text(trace(shop(), "db", "web-0", parse("tcp/443")))
    assert text.startswith("db -> web-0, tcp/443: blocked\n")
    assert "stopped first by: security group sg-db (main.tf:1) has no egress rule for tcp/443 to 10.0.1.10" in text
    assert "judged: security_group" in text


def test_the_map_holds_every_pair_and_the_internet() -> None:
    found: Any = map_json(map_all(shop()))
    edges = {(edge["from"], edge["to"]): edge["allowed"] for edge in found["edges"]}
    web = ("web-0", "web-1", "web-2", "front")
    expected = {(a, b): ["tcp/443"] for a in web for b in web if a != b}
    expected |= {(a, "db"): ["tcp/5432"] for a in web}
    expected |= {("internet", "front"): ["tcp/443"], ("front", "internet"): ["any"]}
    assert edges == expected
    assert [one["id"] for one in found["endpoints"]] == ["db", "front", "web-0", "web-1", "web-2", "internet"]


def test_the_map_agrees_with_each_trace() -> None:
    made = shop()
    found: Any = map_json(map_all(made))
    edges = {(edge["from"], edge["to"]): edge["allowed"] for edge in found["edges"]}
    for source in made.endpoints:
        for destination in made.endpoints:
            if source != destination:
                allowed = trace(made, source, destination).reach.allowed.must
                assert bool(allowed) == ((source, destination) in edges), (source, destination)


def test_endpoints_that_nothing_tells_apart_are_computed_once() -> None:
    assert map_all(shop()).classes == 3


def test_reports_are_valid_and_quote_names() -> None:
    made = shop()
    atlas = map_all(made)
    assert json.loads(map_report.render_json(atlas)) == map_json(atlas)
    dot = map_report.render_dot(atlas)
    assert dot.count("{") == dot.count("}") and '\\"front\\"' in dot
    assert "from internet: tcp/443" in map_report.render_text(atlas)
    found = trace(made, "front", "db", parse("tcp/5432"))
    assert json.loads(trace_report.render_json(found))["verdict"] == "allowed"
    assert trace_report.render_dot(found).startswith("digraph")
    hostile = trace_report.render_dot(replace(found, source="\x1b]0;x\x07\u202e"))
    assert not {"\x1b", "\x07", "\u202e"} & set(hostile)


def test_everybody_on_the_internet_and_ways_alike_are_said_in_few_words() -> None:
    made = shop()
    found = trace_report.render_text(trace(made, "internet", "front", parse("tcp/443")))
    assert "passes: tcp/443 from the Internet" in found
    blocks = [part for part in found.split("\n\n") if " path" in part]
    assert len(blocks) == len(set(blocks))
