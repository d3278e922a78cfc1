"""Which things of two sources are the same where ids say nothing: code before its first state, and an account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from lint.drift import compare
from lint.drift.match import match
from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Filter
from lint.origin import Origin
from lint.space.addresses import SYMBOLIC
from tests.reach.build import graph, machine, network, nsg, open_acl, rule, security_group, subnet, unknown_machine

HTTPS, SSH = rule("in", "tcp/443", "10.0.0.0/8"), rule("in", "tcp/22", "0.0.0.0/0")


def called(one: Endpoint, name: str, address: str | None = None) -> Endpoint:
    """A machine with a Name tag; as the code shows it where it has a Terraform address."""
    origin = replace(one.origin, address=address) if address is not None else one.origin
    return replace(one, name=name, tags=(("Name", name),), origin=origin)


def coded(id_: str, name: str, group: str, within: str = "code-net") -> Endpoint:
    home = subnet("code-subnet", "10.0.1.0/24", network=within)
    made = unknown_machine(id_, SYMBOLIC + sum(id_.encode()), "10.0.1.0/24", groups=[group], subnet=home)
    return called(replace(made, network=within), name, id_)


def running(id_: str, name: str, *groups: str, within: str = "vpc-1") -> Endpoint:
    home = subnet("subnet-1", "10.0.1.0/24", network=within)
    made = machine(id_, f"10.0.1.{10 + int(id_.rpartition('-')[2])}", groups=groups, subnet=home, network=within)
    return called(made, name)


def in_region(name: str, region: str, *prefixes: str) -> object:
    return replace(network(name, *prefixes), name="main", region=region)


def code(machines: Iterable[Endpoint], *filters: Filter) -> RuleGraph:
    return graph(
        replace(network("code-net", "10.0.0.0/16"), name="main"),
        subnet("code-subnet", "10.0.1.0/24", network="code-net"),
        *machines,
        *filters,
    )


def account(machines: Iterable[Endpoint], *filters: Filter) -> RuleGraph:
    return graph(
        replace(network("vpc-1", "10.0.0.0/16"), name="main"), subnet("subnet-1", "10.0.1.0/24"), *machines, *filters
    )


THREE = [coded(f"aws_instance.app[{n}]", "app", "app") for n in range(3)]


class TestMachinesOfOneName:
    def test_are_the_same_machines_where_they_carry_the_same(self) -> None:
        live = [running(f"i-{n}", "app", "sg-app") for n in range(3)]
        drift = compare(
            code(THREE, security_group("app", HTTPS)),
            account(live, replace(security_group("sg-app", HTTPS), name="app")),
        )
        assert drift.empty
        assert drift.compared == 3

    def test_that_are_more_than_in_the_code_are_new(self) -> None:
        live = [running(f"i-{n}", "app", "sg-app") for n in range(5)]
        drift = compare(
            code(THREE, security_group("app", HTTPS)),
            account(live, replace(security_group("sg-app", HTTPS), name="app")),
        )
        assert (len(drift.added), len(drift.removed), drift.compared) == (2, 0, 3)

    def test_of_which_one_carries_a_further_group_are_the_same(self) -> None:
        """Whichever of the three it is called, exactly one has changed."""
        live = [running(f"i-{n}", "app", "sg-app", *["sg-ssh"] * (n == 1)) for n in range(3)]
        drift = compare(
            code(THREE, security_group("app", HTTPS)),
            account(live, replace(security_group("sg-app", HTTPS), name="app"), security_group("sg-ssh", SSH)),
        )
        assert (drift.added, drift.removed) == ((), ())
        assert len({one.destination for one in drift.opened}) == 1
        assert {cause for one in drift.opened for cause in one.causes} == {
            f"{one.destination} now carries sg-ssh" for one in drift.opened
        }

    def test_that_differ_on_both_sides_are_told_apart_by_what_they_carry(self) -> None:
        old = code(
            [coded("a.x[0]", "app", "app"), coded("a.x[1]", "app", "front")],
            security_group("app", HTTPS),
            security_group("front", SSH),
        )
        new = account(
            [running("i-1", "app", "sg-front"), running("i-2", "app", "sg-app")],
            replace(security_group("sg-app", HTTPS), name="app"),
            replace(security_group("sg-front", SSH), name="front"),
        )
        assert match(old, new).endpoints == {"i-1": "a.x[1]", "i-2": "a.x[0]"}

    def test_that_differ_in_what_no_name_joins_are_not_guessed(self) -> None:
        """Which of two nameless groups is which isn't known, so the machines aren't either."""
        old = code(
            [coded("a.x[0]", "app", "code-a"), coded("a.x[1]", "app", "code-b")],
            security_group("code-a", HTTPS),
            security_group("code-b", rule("in", "tcp/80", "10.0.0.0/8")),
        )
        new = account(
            [running("i-1", "app", "sg-1"), running("i-2", "app", "sg-2")],
            security_group("sg-1", SSH),
            security_group("sg-2", rule("in", "tcp/8080", "10.0.0.0/8")),
        )
        assert match(old, new).endpoints == {}


class TestMachinesOfCodeThatDoesNotSayWhereTheyStand:
    """The subnet is a variable: the network's code is another project."""

    def test_are_the_accounts_machines_of_that_name(self) -> None:
        old = graph(
            *(
                called(machine(f"aws_instance.app[{n}]", groups=["app"]), "app", f"aws_instance.app[{n}]")
                for n in (0, 1)
            ),
            security_group("app", HTTPS),
        )
        live = [running(f"i-{n}", "app", "sg-1") for n in (0, 1)]
        found = match(old, account(live, replace(security_group("sg-1", HTTPS), name="terraform-1")))
        assert found.endpoints == {"i-0": "aws_instance.app[0]", "i-1": "aws_instance.app[1]"}
        assert found.filters == {"sg-1": "app"}, "what they carry is the same then"


class TestMachinesWithoutNames:
    def nameless(self) -> tuple[RuleGraph, list[Endpoint]]:
        old = [replace(one, name="app", tags=()) for one in THREE]
        live = [replace(running(f"i-{n}", "", "sg-app"), name=f"i-{n}", tags=()) for n in range(3)]
        return code(old, security_group("app", HTTPS)), live

    def test_are_the_codes_where_they_stand_and_carry_the_same(self) -> None:
        old, live = self.nameless()
        assert compare(old, account(live, replace(security_group("sg-app", HTTPS), name="app"))).compared == 3

    def test_of_two_scans_are_told_apart_by_their_ids(self) -> None:
        _, live = self.nameless()
        later = [replace(running(f"i-{n}", "", "sg-app"), name=f"i-{n}", tags=()) for n in range(7, 10)]
        held = security_group("sg-app", HTTPS)
        assert compare(account(live, held), account(later, held)).compared == 0


class TestNetworks:
    def test_of_one_name_in_two_regions_are_told_apart_by_the_region(self) -> None:
        old = graph(in_region("code-net", "eu-west-1", "10.0.0.0/16"))
        new = graph(in_region("vpc-1", "us-east-1", "10.0.0.0/16"), in_region("vpc-2", "eu-west-1", "10.0.0.0/16"))
        assert match(old, new).networks == {"vpc-2": "code-net"}

    def test_of_another_region_are_other_networks(self) -> None:
        old, new = (graph(in_region(name, region, "10.0.0.0/16")) for name, region in (("a", "x-1"), ("b", "y-1")))
        assert match(old, new).networks == {}

    def test_keep_machines_of_one_name_apart(self) -> None:
        """`web` of the code is gone; the `web` of another network is another machine."""
        old = code([coded("aws_instance.web", "web", "app")], security_group("app", HTTPS))
        new = graph(
            replace(network("vpc-1", "10.0.0.0/16"), name="main"),
            replace(network("vpc-2", "10.9.0.0/16"), name="staging"),
            subnet("subnet-1", "10.9.1.0/24", network="vpc-2"),
            running("i-1", "web", "sg-app", within="vpc-2"),
            replace(security_group("sg-app", HTTPS), name="app"),
        )
        assert match(old, new).endpoints == {}


class TestGroups:
    def test_that_terraform_named_by_chance_are_known_by_their_rules(self) -> None:
        old = code([], replace(security_group("aws_security_group.app", HTTPS), name="app", network="code-net"))
        made = replace(security_group("sg-1", HTTPS), name="terraform-20260101000000000000000001", network="vpc-1")
        assert match(old, account([], made)).filters == {"sg-1": "aws_security_group.app"}

    def test_with_a_name_prefix_are_known_by_their_name_tag(self) -> None:
        def tagged(given: RuleGraph) -> RuleGraph:
            return replace(
                given, groups={key: replace(one, tags=(("Name", "web"),)) for key, one in given.groups.items()}
            )

        old = code([], replace(security_group("aws_security_group.web", HTTPS), name="label"))
        new = account([], replace(security_group("sg-1", HTTPS, SSH), name="web-20260101000000000000000001"))
        assert match(tagged(old), tagged(new)).filters == {"sg-1": "aws_security_group.web"}


class TestTheCloudsOwnFilters:
    SELF = rule("in", "any", "sg-default")

    def default(self, *rules: object) -> Filter:
        return replace(security_group("sg-default", *rules), name="default", network="vpc-1", own=True)

    def test_are_no_change_where_they_are_as_they_were_made(self) -> None:
        acl = replace(open_acl("acl-default"), own=True, network="vpc-1")
        open_to_all = rule("out", "any", "0.0.0.0/0")
        drift = compare(code(THREE[:1], security_group("app")), account([], acl, self.default(self.SELF, open_to_all)))
        assert not drift.opened
        assert not [one for one in drift.filters if one.status == "added"]

    @pytest.mark.parametrize("more", [SSH, rule("in", "tcp/22", "sg-other")])
    def test_are_told_where_somebody_opened_them(self, more: object) -> None:
        drift = compare(code([]), account([], self.default(self.SELF, more)))
        assert [(one.filter, one.status) for one in drift.filters] == [("sg-default", "added")]
        assert drift.asks_for_attention("opened")

    def test_of_one_network_are_one_whatever_they_are_called(self) -> None:
        theirs = replace(security_group("code-default"), name="default group", network="code-net", own=True)
        assert match(code([], theirs), account([], self.default())).filters == {"sg-default": "code-default"}

    def test_of_two_networks_are_two(self) -> None:
        theirs = replace(security_group("code-default"), name="default", network="other-net", own=True)
        assert match(code([], theirs), account([], self.default())).filters == {}

    def test_that_were_narrowed_in_the_account_are_told_by_their_effect(self) -> None:
        """A default network ACL that nobody wrote in code, and that now denies something."""
        acl = replace(nsg("acl-default", rule("in", "tcp/443", "0.0.0.0/0", priority=100)), kind="network_acl")
        acl = replace(acl, stateful=False, own=True, network="vpc-1")
        other = replace(open_acl("acl-own"), network="vpc-1")
        drift = compare(code([], replace(open_acl("acl-code"), name="acl-own")), account([], acl, other))
        assert "acl-default" in {one.filter for one in drift.filters}


def test_nothing_is_matched_with_what_stands_for_nobody() -> None:
    stand_in = replace(machine("sg-1", groups=["sg-1"]), name="app", hypothetical=True, origin=Origin())
    old = code([replace(THREE[0], network="vpc-1")], security_group("app"))
    assert match(old, account([stand_in], security_group("sg-1"))).endpoints == {}
