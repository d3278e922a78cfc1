"""What reaches a machine through the load balancers before it: what `trace`, `map` and exclusive flows count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.graph.graph import RuleGraph
from lint.graph.rules import UnknownPeer
from lint.graph.topology import Forwarding
from lint.origin import Reason
from lint.reach import Path
from lint.reach.atlas import INTERNET, map_all
from lint.reach.balancers import passed_on
from lint.reach.trace import Trace, trace, trace_json
from lint.space.addresses import IPV4, PRIVATE, PUBLIC, REAL, parse_cidr
from lint.space.bounds import NOTHING, Bounds
from lint.space.intervals import EMPTY
from lint.space.services import parse
from tests.reach.build import (
    HERE,
    graph,
    machine,
    network,
    network_acl,
    open_acl,
    route,
    rule,
    security_group,
    subnet,
    table,
)

PARTNER = "198.51.100.0/24"
WHY = (Reason("the target group isn't known"),)
API = (Reason("rule 10 forwards only requests with path-pattern /api/*"),)
OUT = ("out", "any", "0.0.0.0/0")


def behind(
    peer: Any,
    preserves: bool | None,
    *,
    front: str = "0.0.0.0/0",
    out: tuple[str, str, str] = OUT,
    acl: Any = None,
    zone: str = "a",
    internal: bool = False,
    **forwarding: Any,
) -> RuleGraph:
    """An Internet-facing balancer on tcp/443 in a public subnet, and behind it t on tcp/8443 in a private one."""
    public = subnet("P", "10.0.1.0/24", table="rt-p")
    private = subnet("S", "10.0.2.0/24", table="rt-s", acl="acl", zone=zone)
    made = {
        "balancer": "lb",
        "listen": parse("tcp/443"),
        "targets": ("t",),
        "services": parse("tcp/8443"),
        "preserves_client": preserves,
        "origin": HERE,
    }
    return graph(
        network("vpc-1", "10.0.0.0/16"),
        table("rt-p", route("10.0.0.0/16", "local"), route("0.0.0.0/0", "internet", "igw-1")),
        table("rt-s", route("10.0.0.0/16", "local")),
        public,
        private,
        acl or open_acl("acl"),
        security_group("sg-n", rule("in", "tcp/443", front), rule(*out)),
        security_group("sg-t", rule("in", "tcp/8443", peer)),
        machine("lb", "10.0.1.10", groups=["sg-n"], subnet=public, public=None if internal else "203.0.113.10"),
        machine("t", "10.0.2.10", groups=["sg-t"], subnet=private),
        machine("inside", "10.0.2.20", groups=["sg-n"], subnet=private),
        forwardings=(Forwarding(**{**made, **forwarding}),),
    )


def through(found: Trace) -> list[Path]:
    return [path for path in found.reach.paths if any(hop.layer == "load_balancer" for hop in path.hops)]


def arrives(made: RuleGraph, service: str = "tcp/8443") -> Bounds:
    """What public senders get through to t over the balancer."""
    total = NOTHING
    for one in passed_on(made, "t", parse(service), PUBLIC):
        total = total | one.allowed
    return total


# Whom the machine's group lets in, whether the balancer keeps the client's address -> what the partner's client gets.
LETS_IN = [
    ("sg-n", True, "allowed"),  # naming the balancer's group matches though the client's address is kept
    ("sg-n", False, "allowed"),
    ("sg-n", None, "undetermined"),
    ("10.0.1.0/24", True, "blocked"),
    ("10.0.1.0/24", False, "allowed"),
    ("10.0.1.0/24", None, "undetermined"),
    (PARTNER, True, "allowed"),
    (PARTNER, False, "blocked"),
    (PARTNER, None, "undetermined"),
    ("0.0.0.0/0", None, "allowed"),
]


@pytest.mark.parametrize(("peer", "preserves", "verdict"), LETS_IN)
def test_whose_address_the_machines_filters_see(peer: str, preserves: bool | None, verdict: str) -> None:
    made = behind(peer, preserves)
    found = trace(made, "198.51.100.7", "t", parse("tcp/8443"))
    assert found.reach.verdict == verdict
    (path,) = through(found)
    assert (path.via, path.verdict) == ("public", verdict)
    client = parse_cidr("198.51.100.7")
    came = arrives(made)
    assert bool(came.must.restrict(client)) == (verdict == "allowed")
    assert bool(came.may.restrict(client)) == (verdict != "blocked")


def test_without_a_balancer_before_it_the_machine_is_closed() -> None:
    made = replace(behind("0.0.0.0/0", True), forwardings=())
    assert trace(made, "internet", "t").reach.verdict == "blocked"


def test_only_those_whom_the_balancer_lets_in_arrive() -> None:
    for preserves in (True, False):
        made = behind("0.0.0.0/0", preserves, front=PARTNER)
        assert arrives(made).must.peers() == arrives(made).may.peers() == parse_cidr(PARTNER)
        assert trace(made, "internet", "t", parse("tcp/8443")).reach.verdict == "partial"
        assert not arrives(made, "tcp/443").may, "the machine has it on its own port"


def test_the_path_names_each_component_in_order_and_in_the_shape_of_any_path() -> None:
    found = trace(behind("sg-n", False), "internet", "t", parse("tcp/8443"))
    (path,) = through(found)
    assert [(hop.layer, hop.direction, hop.filter) for hop in path.hops] == [
        ("public_address", "", "10.0.1.10"),
        ("route", "", "rt-p"),
        ("security_group", "ingress", "sg-n"),
        ("load_balancer", "", "lb"),
        ("security_group", "egress", "sg-n"),
        ("route", "", "rt-p"),
        ("network_acl", "ingress", "acl"),
        ("security_group", "ingress", "sg-t"),
        ("network_acl", "reply-egress", "acl"),
        ("route", "reply-egress", ""),
    ]
    assert "lb passes tcp/443 on to t as tcp/8443, with an address of its own" in [hop.sentence for hop in path.hops]
    shown = trace_json(found)
    assert isinstance(shown["paths"], list)
    one = next(each for each in shown["paths"] if any(hop["layer"] == "load_balancer" for hop in each["hops"]))
    assert set(one) == {"via", "verdict", "source_seen", "destination", "hops"}
    assert (one["via"], one["verdict"], one["destination"]) == ("public", "allowed", ["10.0.2.10/32"])
    assert shown["notes"] == ["a part of it passes only where the client addresses the load balancer"]


def test_what_stops_it_behind_the_balancer_is_said() -> None:
    found = trace(behind(PARTNER, False), "internet", "t", parse("tcp/8443"))
    (path,) = through(found)
    stopped = next(hop for hop in path.hops if hop.verdict == "blocked")
    assert (stopped.layer, stopped.filter) == ("security_group", "sg-t")
    assert "10.0.1.10" in stopped.sentence


@pytest.mark.parametrize("preserves", [True, False])
def test_what_the_balancer_may_not_send_does_not_arrive(preserves: bool) -> None:
    made = behind("0.0.0.0/0", preserves, out=("out", "tcp/80", "0.0.0.0/0"))
    assert not arrives(made).may
    assert trace(made, "internet", "t", parse("tcp/8443")).reach.verdict == "blocked"


def test_a_network_acl_before_the_machine_sees_the_client_where_its_address_is_kept() -> None:
    acl = network_acl("acl", rule("in", "any", "10.0.0.0/8", priority=1), rule("out", "any", "0.0.0.0/0", priority=1))
    assert not arrives(behind("0.0.0.0/0", True, acl=acl)).may
    assert arrives(behind("0.0.0.0/0", False, acl=acl)).must


def test_a_reply_that_is_lost_behind_the_balancer_is_no_connection() -> None:
    acl = network_acl("acl", rule("in", "any", "0.0.0.0/0", priority=1))
    for preserves in (True, False):
        made = behind("0.0.0.0/0", preserves, acl=acl)
        assert trace(made, "internet", "t", parse("tcp/8443")).reach.verdict == "blocked"
        assert arrives(made).may


def test_a_balancer_in_other_zones_alone_certainly_serves_nobody_there() -> None:
    came = arrives(behind("0.0.0.0/0", False, zone="b"))
    assert came.may and not came.must


def test_what_a_request_has_to_say_is_up_to_its_sender() -> None:
    made = behind("0.0.0.0/0", False, conditions=API)
    assert arrives(made).must, "who wants to get there does"
    found = trace(made, "internet", "t", parse("tcp/8443"))
    assert found.reach.verdict == "undetermined", "and not every request does"
    unknown = trace_json(found)["unknown"]
    assert isinstance(unknown, list)
    assert "path-pattern /api/*" in unknown[0]


def test_a_target_that_is_not_known_may_get_it() -> None:
    for preserves in (True, False):
        came = arrives(behind("0.0.0.0/0", preserves, reasons=WHY))
        assert came.may and not came.must


def test_a_rule_whose_peer_is_not_known_may_name_the_balancers_group() -> None:
    came = arrives(behind(UnknownPeer(WHY, "var.group", EMPTY, ("sg-n",)), True))
    assert came.may and not came.must


def test_machines_inside_may_take_an_internal_balancer() -> None:
    made = behind("sg-n", False, internal=True)
    found = trace(made, "inside", "t", parse("tcp/8443"))
    assert [path.via for path in through(found)] == ["private"]
    assert not arrives(made).may


def test_the_map_counts_what_the_internet_reaches_over_a_balancer() -> None:
    edges = {(s, d): e for e in map_all(behind("sg-n", False)).edges for s in e.sources for d in e.destinations}
    assert edges[INTERNET, "t"].allowed == parse("tcp/8443")
    assert edges[INTERNET, "lb"].allowed == parse("tcp/443")
    closed = {(s, d) for e in map_all(behind(PARTNER, False)).edges for s in e.sources for d in e.destinations}
    assert (INTERNET, "t") not in closed


def test_the_balancer_itself_and_private_senders_are_no_public_ones() -> None:
    came = arrives(behind("0.0.0.0/0", True))
    assert came.may.peers().isdisjoint(PRIVATE)
    assert came.may.peers() <= REAL & IPV4


def test_a_balancer_behind_a_balancer_passes_on_what_the_first_one_does() -> None:
    made = behind("sg-i", False)
    inner = machine("inner", "10.0.2.30", groups=["sg-i"], subnet=made.subnets["S"])
    group = security_group("sg-i", rule("in", "tcp/8443", "sg-n"), rule(*OUT))
    chain = replace(
        made,
        endpoints={**made.endpoints, "inner": inner},
        filters={**made.filters, "sg-i": group},
        groups={**made.groups, "sg-i": replace(made.groups["sg-n"], id="sg-i", name="sg-i")},
        forwardings=(
            Forwarding("lb", parse("tcp/443"), ("inner",), parse("tcp/8443"), False, HERE),
            Forwarding("inner", parse("tcp/8443"), ("t", "lb"), parse("tcp/8443"), False, HERE),
        ),
    )
    assert arrives(chain).must
    assert not arrives(replace(chain, forwardings=chain.forwardings[1:])).may


CLIENTS = ("198.51.100.7", "203.0.113.99", "192.0.2.1")
PEERS = st.sampled_from(["0.0.0.0/0", PARTNER, "203.0.113.96/28", "10.0.1.0/24", "10.0.1.10/32", "sg-n", "sg-t"])
SERVICES = st.sampled_from(["tcp/443", "tcp/8443", "tcp/1-9000", "udp/443", "any"])


@given(
    front=st.lists(st.tuples(SERVICES, PEERS), max_size=3),
    out=st.lists(st.tuples(SERVICES, PEERS), max_size=2),
    into=st.lists(st.tuples(SERVICES, PEERS), max_size=3),
    preserves=st.booleans(),
)
def test_what_arrives_is_what_each_single_client_gets_through(front: Any, out: Any, into: Any, preserves: bool) -> None:
    made = behind("0.0.0.0/0", preserves)
    rules = [rule("in", *one) for one in front] + [rule("out", *one) for one in out]
    filters = {**made.filters, "sg-n": security_group("sg-n", *rules)}
    filters["sg-t"] = security_group("sg-t", *(rule("in", *one) for one in into))
    changed = replace(made, filters=filters)
    came = arrives(changed)
    carries = {"10.0.1.10": "sg-n", "10.0.2.10": "sg-t"}

    def passes(rules: Any, service: str, address: str) -> bool:
        named = (
            peer == carries.get(address) or ("/" in peer and parse_cidr(address) <= parse_cidr(peer))
            for _, peer in rules
        )
        return any(yes and parse(service) <= parse(one) for yes, (one, _) in zip(named, rules, strict=True))

    for client in CLIENTS:
        seen = [client, "10.0.1.10"] if preserves else ["10.0.1.10"]
        named = [one for one in into if one[1] == "sg-n"]
        last = passes(into, "tcp/8443", seen[0]) or (preserves and passes(named, "tcp/8443", seen[-1]))
        expected = passes(front, "tcp/443", client) and passes(out, "tcp/8443", "10.0.2.10") and last
        assert bool(came.must.restrict(parse_cidr(client))) == expected
        assert bool(came.may.restrict(parse_cidr(client))) == expected
        shown = trace(changed, client, "t", parse("tcp/8443")).reach.verdict
        assert shown == ("allowed" if expected else "blocked")
