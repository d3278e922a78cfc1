"""What a comparison says of small networks: traffic, rules, causes, and what isn't known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lint.drift import Drift, ReachChange, compare
from lint.drift.result import INTERNET, PRIVATE
from lint.graph.endpoints import Endpoint, Layer
from lint.graph.graph import RuleGraph
from lint.graph.rules import Addresses, Filter, UnknownPeer
from lint.origin import Reason
from lint.reach import Engine, Party, between
from lint.reach.answer import trails_between
from lint.reach.trails import Trail
from lint.report.diff import DiffReport, addresses_text, render_json, render_markdown, render_text
from lint.sources import LoadOptions, load, parse
from lint.space.addresses import IPV4, PUBLIC, REAL, parse_cidr, parse_cidrs
from lint.space.intervals import IntervalSet
from lint.space.services import render
from tests.reach.build import (
    address_list,
    graph,
    machine,
    network,
    network_acl,
    nsg,
    open_acl,
    route,
    rule,
    security_group,
    subnet,
    table,
    unknown_machine,
)

FIXTURES = sorted(path for path in Path(__file__).parents[2].glob("fixtures/aws/*/*") if (path / "state.json").exists())


def read(source: Path) -> RuleGraph:
    return load([parse(str(source))], LoadOptions()).graph


def only(changes: tuple[ReachChange, ...], source: str, destination: str) -> ReachChange:
    found = [one for one in changes if (one.source, one.destination) == (source, destination)]
    assert len(found) == 1, [(one.source, one.destination) for one in changes]
    return found[0]


def web(*rules: object, public: str | None = "203.0.113.80") -> RuleGraph:
    """A web server and its client in a routed VPC."""
    inside = subnet("subnet-1", "10.0.1.0/24", table="rtb-1")
    return graph(
        network("vpc-1", "10.0.0.0/16"),
        inside,
        table("rtb-1", route("10.0.0.0/16", "local"), route("0.0.0.0/0", "internet", "igw-1")),
        security_group("sg-web", *rules),
        security_group("sg-client", rule("out", "any", "0.0.0.0/0")),
        machine("web", "10.0.1.10", groups=["sg-web"], subnet=inside, public=public),
        machine("client", "10.0.1.20", groups=["sg-client"], subnet=inside),
    )


HTTPS = rule("in", "tcp/443", "sg-client")


class TestARuleThatIsAdded:
    def test_opens_exactly_what_tracing_it_says(self) -> None:
        old = web(HTTPS)
        new = web(HTTPS, rule("in", "tcp/22", "10.0.1.0/24"))
        drift = compare(old, new)
        change = only(drift.opened, "client", "web")
        before, after = (between(g, Party("c", endpoint="client"), Party("w", endpoint="web")) for g in (old, new))
        assert change.traffic == after.allowed.must - before.allowed.must
        assert render(change.traffic.services()) == ["tcp/22"]
        assert change.certain
        assert not drift.closed

    def test_is_cited_with_its_place(self) -> None:
        added = rule("in", "tcp/22", "0.0.0.0/0")
        change = only(compare(web(HTTPS), web(HTTPS, added)).opened, INTERNET, "web")
        assert [(c.side, c.filter, c.rule) for c in change.rules] == [("new", "sg-web", added)]
        assert change.traffic.peers() == PUBLIC & IPV4
        assert change.causes == ()

    def test_is_told_once_for_private_addresses_that_no_machine_has(self) -> None:
        change = only(compare(web(HTTPS), web(HTTPS, rule("in", "tcp/22", "10.0.0.0/16"))).opened, PRIVATE, "web")
        assert change.traffic.peers() == parse_cidr("10.0.0.0/16")

    def test_that_allows_what_is_allowed_already_is_no_change(self) -> None:
        assert compare(web(HTTPS), web(HTTPS, rule("in", "tcp/443", "sg-client"))).empty

    def test_is_told_rule_by_rule(self) -> None:
        drift = compare(web(HTTPS), web(HTTPS, rule("in", "tcp/22", "sg-client")))
        (change,) = drift.filters
        assert (change.filter, change.direction, change.status) == ("sg-web", "ingress", "changed")
        assert [(piece.group, render(piece.services)) for piece in change.opened] == [("sg-client", ["tcp/22"])]
        assert change.closed == ()

    def test_that_is_taken_away_again_closes_the_same(self) -> None:
        less, more = web(HTTPS), web(HTTPS, rule("in", "tcp/22", "0.0.0.0/0"))
        opened, closed = compare(less, more).opened, compare(more, less).closed
        assert {(c.source, c.destination, c.traffic) for c in opened} == {
            (c.source, c.destination, c.traffic) for c in closed
        }


class TestOtherCauses:
    def test_a_machine_that_carries_another_group(self) -> None:
        old = web(rule("in", "tcp/22", "sg-admin"))
        admin = security_group("sg-admin")
        old = replace(
            old,
            filters={**old.filters, "sg-admin": admin},
            groups={**old.groups, "sg-admin": replace(old.groups["sg-web"], id="sg-admin", name="sg-admin")},
        )
        client = old.endpoints["client"]
        layer = replace(client.layers[0], filters=("sg-client", "sg-admin"))
        joined = replace(client, groups=("sg-client", "sg-admin"), layers=(layer,))
        new = replace(old, endpoints={**old.endpoints, "client": joined})
        change = only(compare(old, new).opened, "client", "web")
        assert render(change.traffic.services()) == ["tcp/22"]
        assert change.causes == ("client now carries sg-admin",)

    def test_a_group_that_does_not_speak_of_the_traffic_is_no_cause(self) -> None:
        old = web(HTTPS)
        client = old.endpoints["client"]
        carried = ("sg-client", "sg-idle")
        client = replace(client, groups=carried, layers=(replace(client.layers[0], filters=carried),))
        idle = graph(security_group("sg-idle", rule("in", "tcp/9", "10.0.0.0/8")))
        new = web(HTTPS, rule("in", "tcp/22", "sg-client"))
        new = replace(
            new,
            endpoints={**new.endpoints, "client": client},
            filters={**new.filters, **idle.filters},
            groups={**new.groups, **idle.groups},
        )
        change = only(compare(old, new).opened, "client", "web")
        assert (len(change.rules), change.causes) == (1, ())

    def test_a_default_acl_that_lets_all_through_is_no_cause_and_a_narrowed_one_is(self) -> None:
        def with_acl(given: RuleGraph, acl: Filter) -> RuleGraph:
            inside = replace(given.subnets["subnet-1"], layers=(Layer("network_acl", (acl.id,), crossing=True),))
            made = replace(acl, own=True, network="vpc-1")
            return replace(given, subnets={"subnet-1": inside}, filters={**given.filters, acl.id: made})

        ssh = rule("in", "tcp/22", "0.0.0.0/0")
        opened = compare(web(HTTPS), with_acl(web(HTTPS, ssh), open_acl("acl-1")))
        (change,) = [one for one in opened.opened if one.source == INTERNET]
        assert [cited.filter for cited in change.rules] == ["sg-web"]
        narrow = network_acl("acl-1", rule("out", "any", "0.0.0.0/0", priority=100))
        (change,) = [one for one in compare(web(ssh), with_acl(web(ssh), narrow)).closed if one.source == INTERNET]
        assert change.traffic

    def test_a_route_that_is_gone(self) -> None:
        old = web(rule("in", "tcp/443", "0.0.0.0/0"))
        new = replace(old, route_tables={"rtb-1": table("rtb-1", route("10.0.0.0/16", "local"))})
        change = only(compare(old, new).closed, INTERNET, "web")
        assert change.causes == ("the routes of subnet subnet-1 differ",)

    def test_a_public_address(self) -> None:
        rules = (rule("in", "tcp/443", "0.0.0.0/0"),)
        change = only(compare(web(*rules, public=None), web(*rules)).opened, INTERNET, "web")
        assert change.causes == ("web now has a public address",)

    def test_a_machine_that_is_new_and_one_that_is_gone(self) -> None:
        old = web(rule("in", "tcp/443", "10.0.0.0/16"))
        second = replace(machine("client-2", "10.0.1.21", groups=["sg-client"]), network="vpc-1")
        new = replace(old, endpoints={**old.endpoints, "client-2": second})
        drift = compare(old, new)
        assert [one.id for one in drift.added] == ["client-2"]
        assert only(drift.opened, "client-2", "web").causes == ("client-2 is new",)
        back = compare(new, old)
        assert [one.id for one in back.removed] == ["client-2"]
        assert only(back.closed, "client-2", "web").causes == ("client-2 is gone",)


class TestWhatIsTheSame:
    def test_an_address_that_one_source_does_not_know(self) -> None:
        """Terraform before the apply has no address; the live account has one."""
        server = security_group("sg-web", rule("in", "tcp/443", "sg-client"), rule("in", "tcp/22", "10.0.1.0/24"))
        client = security_group("sg-client", rule("out", "any", "10.0.0.0/8"))
        inside = subnet("subnet-1", "10.0.1.0/24")
        place = 2**32 + 2**128 + 5
        symbolic = unknown_machine("web", place, "10.0.1.0/24", groups=["sg-web"], subnet=inside)
        old = graph(inside, server, client, symbolic, machine("c", "10.0.1.20", groups=["sg-client"], subnet=inside))
        new = replace(
            old, endpoints={**old.endpoints, "web": machine("web", "10.0.1.77", groups=["sg-web"], subnet=inside)}
        )
        assert compare(old, new).empty
        assert compare(new, old).empty

    def test_a_rule_that_names_a_machine_by_that_address(self) -> None:
        place = 2**32 + 2**128 + 5
        inside = subnet("subnet-1", "10.0.1.0/24")
        end = machine("db", "10.0.1.5", groups=["sg-db"], subnet=inside)

        def world(peer: Addresses, client: object) -> RuleGraph:
            mine = security_group("sg-c", rule("out", "any", "0.0.0.0/0"))
            return graph(inside, security_group("sg-db", rule("in", "tcp/5432", peer)), mine, end, client)

        by_symbol = world(
            Addresses(IntervalSet.of(place), "aws_instance.c.private_ip"),
            unknown_machine("c", place, "10.0.1.0/24", groups=["sg-c"], subnet=inside),
        )
        by_address = world(
            Addresses(parse_cidr("10.0.1.9"), "10.0.1.9/32"), machine("c", "10.0.1.9", groups=["sg-c"], subnet=inside)
        )
        assert compare(by_symbol, by_address).empty
        other = world(
            Addresses(parse_cidr("10.0.1.8"), "10.0.1.8/32"), machine("c", "10.0.1.9", groups=["sg-c"], subnet=inside)
        )
        assert [c.certain for c in compare(by_symbol, other).closed if c.source == "c"] == [True]

    @pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: "/".join(path.parts[-2:]))
    @pytest.mark.parametrize("other", ["plan.json", "state.json"])
    def test_a_project_and_its_plan_and_state(self, fixture: Path, other: str) -> None:
        """The states come from a simulator that gives machines public addresses of its own: that alone is told."""
        drift = compare(read(fixture), read(fixture / other))
        changes = (*drift.opened, *drift.closed)
        assert [c for c in changes if c.certain or not any("public address" in text for text in c.causes)] == []
        assert drift.filters == drift.added == drift.removed == ()

    def test_the_broken_fixture_differs_where_it_is_broken(self) -> None:
        folder = FIXTURES[0].parents[1] / "hyperbdr-block"
        drift = compare(read(folder / "compliant"), read(folder / "broken"))
        ssh = only(drift.opened, INTERNET, "aws_instance.sync_gateway")
        assert render(ssh.traffic.services()) == ["tcp/22"]
        assert [c.rule.origin.where() for c in ssh.rules] == ["gateway.tf:28"]
        lost = only(drift.closed, 'module.app_servers.aws_instance.app["billing"]', "aws_instance.sync_gateway")
        assert render(lost.traffic.services()) == ["tcp/13260"]


class TestUnknowns:
    HIDDEN = UnknownPeer((Reason("var.office has no value"),), "var.office")

    def test_the_same_unknown_in_both_is_no_change(self) -> None:
        one = web(HTTPS, rule("in", "tcp/22", self.HIDDEN))
        assert compare(one, web(HTTPS, rule("in", "tcp/22", self.HIDDEN))).empty

    def test_a_rule_whose_peers_are_not_known_may_open_something(self) -> None:
        drift = compare(web(HTTPS), web(HTTPS, rule("in", "tcp/22", self.HIDDEN)))
        change = only(drift.opened, INTERNET, "web")
        assert not change.certain
        assert drift.asks_for_attention("opened")

    def test_two_different_unknowns_can_not_be_compared(self) -> None:
        other = UnknownPeer((Reason("var.branch has no value"),), "var.branch")
        drift = compare(web(HTTPS, rule("in", "tcp/22", self.HIDDEN)), web(HTTPS, rule("in", "tcp/22", other)))
        assert not drift.opened
        assert drift.doubtful
        assert any("var.branch" in reason.text for reason in drift.unknown)
        assert drift.asks_for_attention("opened")

    def test_what_a_source_lacks_that_could_not_be_read_is_not_certainly_gone(self) -> None:
        old, new = web(HTTPS), replace(web(), incomplete=(Reason("Vpcs could not be read"),))
        del new.endpoints["client"]
        drift = compare(old, new)
        assert drift.closed
        assert not any(change.certain for change in drift.closed)
        assert all("Vpcs could not be read" in [r.text for r in change.reasons] for change in drift.closed)
        assert "perhaps removed: client" in render_text(DiffReport("a", "b", drift))
        assert "not all could be compared" in render_text(DiffReport("a", "b", drift))
        both = replace(old, incomplete=new.incomplete), new
        assert all(change.certain for change in compare(*both).closed), "both lack the same"

    def test_a_call_that_failed_leaves_nothing_equal(self) -> None:
        said = Reason("1, eu: ec2.describe_vpcs denied: no")
        for unread in (((), (said,)), ((said,), (said,))):
            drift = compare(web(HTTPS), web(HTTPS), unread)
            assert drift.empty
            assert {reason.text for reason in drift.unknown} <= {f"old: {said.text}", f"new: {said.text}"}
            assert drift.asks_for_attention("opened")
            assert "no change in what could be compared" in render_text(DiffReport("a", "b", drift))
        told = Reason("Vpcs of 1 eu could not be read: ec2.describe_vpcs denied: no")
        drift = compare(web(HTTPS), replace(web(HTTPS), incomplete=(told,)), ((), (said,)))
        assert [reason.text for reason in drift.unknown] == [f"new: {told.text}"], "once is enough"

    def test_a_source_that_could_not_be_read_is_no_reason_to_pass(self) -> None:
        whole = web(HTTPS)
        broken = replace(whole, incomplete=(Reason("b.tf can't be read"),))
        drift = compare(whole, broken)
        assert drift.empty
        assert drift.asks_for_attention("opened")
        assert "no change in what could be compared" in render_text(DiffReport("a", "b", drift))


class TestRoutesThatOneSourceAloneShows:
    def test_count_for_both(self) -> None:
        """Code of groups and machines takes every way for open; the account's tables close nothing by that."""
        whole = web(rule("in", "tcp/443", "0.0.0.0/0"))
        bare = replace(
            whole,
            route_tables={},
            subnets={key: replace(one, route_table=None) for key, one in whole.subnets.items()},
        )
        for sides, side in (((bare, whole), "new"), ((whole, bare), "old")):
            drift = compare(*sides)
            assert drift.empty
            assert drift.notes == (f"only the {side} source shows the routes of 1 subnet; they count for both",)

    def test_are_not_lent_where_a_source_says_that_it_does_not_know_its_own(self) -> None:
        whole = web(rule("in", "tcp/443", "0.0.0.0/0"))
        open_table = {
            key: replace(one, route_table=None, route_table_open=(Reason("var.table has no value"),))
            for key, one in whole.subnets.items()
        }
        drift = compare(replace(whole, subnets=open_table), whole)
        assert drift.notes == ()
        assert drift.opened
        assert not any(change.certain for change in drift.opened)


class TestPlacesThatOneSourceAloneShows:
    def bare(self, *rules: object) -> RuleGraph:
        """The code of an application: the network's code is another project."""
        whole = web(*rules)
        return replace(
            whole,
            networks={},
            subnets={},
            route_tables={},
            endpoints={
                name: replace(
                    one,
                    network=None,
                    addresses=tuple(replace(a, subnet=None, public_exists=None) for a in one.addresses),
                )
                for name, one in whole.endpoints.items()
            },
        )

    def test_count_for_both(self) -> None:
        anyone = rule("in", "tcp/443", "0.0.0.0/0")
        for sides, side in (((self.bare(anyone), web(anyone)), "new"), ((web(anyone), self.bare(anyone)), "old")):
            drift = compare(*sides)
            assert drift.empty
            assert drift.notes == (f"only the {side} source shows the subnets of 2 endpoints; they count for both",)

    def test_hide_no_rule(self) -> None:
        anyone = rule("in", "tcp/443", "0.0.0.0/0")
        drift = compare(self.bare(), web(anyone))
        change = only(drift.opened, INTERNET, "web")
        assert change.certain
        assert change.traffic.peers() == PUBLIC & IPV4
        assert not drift.closed


class TestGroupsWithoutMachines:
    def test_are_compared_rule_by_rule(self) -> None:
        """A module's group before anything carries it."""
        old = graph(security_group("sg-a", HTTPS), security_group("sg-client"))
        new = graph(security_group("sg-a", HTTPS, rule("in", "tcp/3306", "0.0.0.0/0")), security_group("sg-client"))
        drift = compare(old, new)
        (change,) = drift.filters
        assert [(piece.addresses, render(piece.services)) for piece in change.opened] == [(IPV4, ["tcp/3306"])]
        assert drift.asks_for_attention("opened")
        assert not drift.asks_for_attention("closed")


HOSTILE = "web`|</td>\x1b[31m\n# <script>alert(1)</script> @everyone ::error::"


def rendered() -> tuple[Drift, str, str, str]:
    old = web(HTTPS)
    new = web(HTTPS, rule("in", "tcp/22", "0.0.0.0/0"))
    new = replace(new, endpoints={**new.endpoints, "web": replace(new.endpoints["web"], name=HOSTILE)})
    drift = compare(old, new)
    report = DiffReport("main", "head", drift)
    return drift, render_text(report), render_json(report), render_markdown(report)


class TestReports:
    def test_json_has_the_documented_shape(self) -> None:
        import json

        drift, _, text, _ = rendered()
        document = json.loads(text)
        assert list(document) == [
            "schema",
            "old",
            "new",
            "opened",
            "closed",
            "filters",
            "endpoints",
            "unknown",
            "notes",
        ]
        assert len(document["opened"]) == len(drift.opened)
        entry = next(one for one in document["opened"] if one["from"] == "client")
        assert entry["to"] == "web"
        assert entry["allowed"] == [{"from": "10.0.1.20/32", "service": "tcp/22", "source_ports": "0-65535"}]
        assert entry["certain"] is True
        assert entry["witness"] == {
            "from": "10.0.1.20",
            "to": "10.0.1.10",
            "protocol": "tcp",
            "port": 22,
            "source_port": 49152,
        }
        assert entry["rules"][0]["origin"]["file"] == "main.tf"

    def test_services_for_different_addresses_are_told_apart(self) -> None:
        new = web(HTTPS, rule("in", "tcp/22-23", "0.0.0.0/0"), rule("in", "tcp/23-24", "198.51.100.0/24"))
        text = render_text(DiffReport("a", "b", compare(web(HTTPS), new)))
        assert "the Internet → web: tcp/22-24\n" in text
        assert "tcp/22-23 from every public IPv4 address\n" in text
        assert "tcp/24 from 198.51.100.0/24\n" in text

    def test_a_hostile_name_drives_no_terminal_and_no_page(self) -> None:
        _, text, _, markdown = rendered()
        assert "\x1b" not in text + markdown
        assert "\n# <script>" not in text
        assert "<script>" not in markdown
        assert "@everyone" not in markdown

    def test_markdown_stays_below_the_limit_of_a_comment(self) -> None:
        many = [machine(f"m-{at}", f"10.{at // 200}.{at % 200}.1", groups=[f"sg-{at}"]) for at in range(400)]
        groups = [security_group(f"sg-{at}") for at in range(400)]
        opened = [security_group(f"sg-{at}", rule("in", f"tcp/{at + 1}", "10.0.0.0/8")) for at in range(400)]
        report = DiffReport("a", "b", compare(graph(*groups, *many), graph(*opened, *many)))
        text = render_markdown(report)
        assert len(text.encode()) < 65_536
        assert "more; `netpact diff --format json` lists all" in text

    @pytest.mark.parametrize(
        ("cidrs", "text"),
        [
            (["0.0.0.0/0"], "0.0.0.0/0"),
            (["0.0.0.0/0", "::/0"], "any address"),
            (["10.0.0.0/8"], "10.0.0.0/8"),
            (["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"], "every private address"),
        ],
    )
    def test_sets_of_addresses_are_called_what_people_call_them(self, cidrs: list[str], text: str) -> None:
        assert addresses_text(parse_cidrs(*cidrs)) == text

    def test_a_hole_in_a_set_is_told_as_a_hole(self) -> None:
        hole = parse_cidr("0.0.0.0/0") - parse_cidr("203.0.113.10/31")
        assert addresses_text(hole) == "0.0.0.0/0 except 203.0.113.10/31"
        hole = parse_cidr("198.51.0.0/16") - parse_cidr("198.51.100.0/24")
        assert addresses_text(hole) == "198.51.0.0/16 except 198.51.100.0/24"

    def test_the_ids_of_azure_are_said_by_group_and_name(self) -> None:
        id_ = "/subscriptions/11111111-1111/resourceGroups/rg_app/providers/Microsoft.Network/networkInterfaces/web"
        old, new = web(HTTPS), web(HTTPS, rule("in", "tcp/22", "0.0.0.0/0"))
        for one in (old, new):
            one.endpoints[id_] = replace(one.endpoints.pop("web"), id=id_)
        report = DiffReport("a", "b", compare(old, new))
        assert "the Internet → web (rg_app/web): tcp/22\n" in render_text(report)
        assert "web &#40;rg&#95;app/web&#41;" in render_markdown(report)
        assert id_ in render_json(report)


class TestNamedLists:
    """Azure's Internet tag: certainly the public addresses, perhaps more."""

    def world(self, *rules: object) -> RuleGraph:
        inside = subnet("subnet-1", "10.0.1.0/24")
        border = replace(inside, layers=(Layer("nsg", ("nsg-1",)),))
        internet = address_list("list-internet", PUBLIC, REAL - parse_cidr("10.0.0.0/16"))
        return graph(
            border,
            nsg("nsg-1", *rules),
            internet,
            replace(machine("web", "10.0.1.10", subnet=inside), layers=()),
        )

    def test_a_list_that_is_opened_is_certain_where_it_is_and_closes_nothing(self) -> None:
        console = rule("in", "tcp/22", "203.0.113.10/32", priority=100)
        wider = rule("in", "tcp/22", "list-internet", priority=100)
        (change,) = compare(self.world(console), self.world(wider)).filters
        certain = [piece for piece in change.opened if piece.certain]
        assert [piece.addresses for piece in certain] == [PUBLIC - parse_cidr("203.0.113.10/32")]
        assert change.closed == ()

    def test_a_rule_for_one_address_of_the_subnet_says_which(self) -> None:
        narrow = rule("in", "tcp/22", "203.0.113.10/32", priority=100, local="10.0.1.10/32")
        drift = compare(self.world(), self.world(narrow))
        (change,) = drift.filters
        assert [piece.local for piece in change.opened] == ["10.0.1.10/32"]
        assert [c.destination for c in drift.opened] == ["web"]


class TestCost:
    def test_a_rule_for_one_group_asks_about_its_members_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        count = 60
        machines = [machine(f"m-{n}", f"10.0.0.{n + 1}", groups=[f"sg-{n}"]) for n in range(count)]
        groups = [security_group(f"sg-{n}", HTTPS, rule("out", "any", "0.0.0.0/0")) for n in range(count)]
        old = graph(*groups, *machines, security_group("sg-client"))
        opened = replace(groups[0], rules=(*groups[0].rules, rule("in", "tcp/22", "sg-7")))
        asked: list[tuple[str, str]] = []

        def counted(engine: Engine, source: Endpoint, destination: Endpoint) -> list[Trail]:
            asked.append((source.id, destination.id))
            return trails_between(engine, source, destination)

        monkeypatch.setattr("lint.drift.comparison.trails_between", counted)
        drift = compare(old, replace(old, filters={**old.filters, "sg-0": opened}))
        assert [(c.source, c.destination) for c in drift.opened] == [("m-7", "m-0")]
        assert set(asked) == {("m-7", "m-0")}

    def test_graphs_that_are_equal_are_asked_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lint.drift.comparison.trails_between", None)
        monkeypatch.setattr("lint.drift.comparison.arriving_from", None)
        assert compare(web(HTTPS), web(HTTPS)).empty


def test_what_a_machine_may_now_send_is_told_by_where_it_goes() -> None:
    import json

    old, new = web(HTTPS), web(HTTPS, rule("out", "tcp/443", "198.51.100.0/24"))
    drift = compare(old, new)
    change = only(drift.opened, "web", INTERNET)
    assert change.by_destination
    assert change.traffic.peers() == parse_cidr("198.51.100.0/24")
    entries = json.loads(render_json(DiffReport("a", "b", drift)))["opened"]
    entry = next(one for one in entries if one["from"] == "web")
    assert entry["allowed"] == [
        {"from": None, "to": "198.51.100.0/24", "service": "tcp/443", "source_ports": "0-65535"}
    ]
