"""Small worlds and small packs, written in a line each, so that a test reads as the statement it makes."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.graph import PlatformTraffic, RuleGraph
from lint.graph.rules import (
    Action,
    Addresses,
    AddressList,
    Direction,
    Filter,
    Group,
    GroupMembers,
    NamedAddresses,
    Peer,
    Rule,
    UnknownPeer,
)
from lint.origin import Origin, Reason
from lint.packs.model import Citation, Flow, Pack, Role
from lint.project import loads
from lint.space.addresses import IPV4, SYMBOLIC, parse_cidr, position
from lint.space.intervals import IntervalSet
from lint.space.services import parse
from lint.verdict.judge import judge
from lint.verdict.options import CommentWaiver, Judgement, JudgeOptions

TODAY = datetime.date(2026, 6, 15)
Line = tuple[str, str]  # service, peer: a CIDR, `group:ID`, `list:ID`, or `?why` for a peer that isn't known


@dataclass
class World:
    """A graph in the making. Machines carry security groups; there are no subnets and no routes."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    filters: dict[str, Filter] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    lists: dict[str, AddressList] = field(default_factory=dict)
    incomplete: tuple[Reason, ...] = ()
    platform: tuple[PlatformTraffic, ...] = ()
    lines: int = 0

    def group(self, name: str, into: Iterable[Line] = (), out: Iterable[Line] = (("any", "0.0.0.0/0"),)) -> World:
        """A security group `aws_security_group.NAME` whose rules stand one a line in main.tf."""
        self.lines += 10
        start = self.lines
        rules: list[Rule] = []
        for direction, given in ((Direction.INGRESS, into), (Direction.EGRESS, out)):
            for service, peer in given:
                origin = self.origin(start + 1 + len(rules), f"aws_security_group.{name}")
                reasons = (Reason(f"{peer[1:]} has no value", origin=origin),) if peer.startswith("?") else ()
                rules.append(
                    Rule(
                        f"{direction.value}-{service}-{peer}",
                        direction,
                        Action.ALLOW,
                        (self._peer(peer),),
                        parse(service),
                        origin,
                        reasons=reasons,
                    )
                )
        here = self.origin(start, f"aws_security_group.{name}", start + 9)
        self.filters[name] = Filter(name, name, "security_group", tuple(rules), here)
        self.groups[name] = Group(name, name, "security_group", here)
        return self

    def machine(
        self,
        name: str,
        address: str | None,
        *groups: str,
        tags: dict[str, str] | None = None,
        within: str | None = None,
        public: str | None = None,
        **more: object,
    ) -> World:
        """An instance `aws_instance.NAME`; `address` None: not known, inside `within`."""
        place = position(address) if address is not None else SYMBOLIC + len(self.endpoints)
        inside = IntervalSet.of(place) if address is not None else (parse_cidr(within) if within else IPV4)
        held = Address(
            place,
            inside,
            public=position(public) if public else None,
            public_exists=public is not None,
        )
        made = Endpoint(
            id=f"aws_instance.{name}",
            name=name,
            kind="instance",
            addresses=(held,),
            groups=groups,
            layers=(Layer("security_group", groups, closed_if_empty=True),),
            origin=self.origin(900 + len(self.endpoints), f"aws_instance.{name}"),
            tags=tuple((tags or {}).items()),
        )
        self.endpoints[made.id] = replace(made, **more)  # type: ignore[arg-type]
        return self

    def listed(self, name: str, must: str | None, may: str) -> World:
        """A prefix list."""
        certain = parse_cidr(must) if must else IntervalSet()
        why = () if must == may else (Reason(f"the entries of {name} aren't known"),)
        self.lists[name] = AddressList(name, name, certain, parse_cidr(may), self.origin(1, name), why)
        return self

    def graph(self) -> RuleGraph:
        """The graph."""
        return RuleGraph(
            endpoints=dict(self.endpoints),
            filters=dict(self.filters),
            groups=dict(self.groups),
            address_lists=dict(self.lists),
            incomplete=self.incomplete,
            platform=self.platform,
        )

    @staticmethod
    def origin(line: int, address: str, end: int | None = None) -> Origin:
        """A place in main.tf."""
        return Origin(file="main.tf", line=line, end_line=end or line, address=address)

    @staticmethod
    def _peer(text: str) -> Peer:
        if text.startswith("group:"):
            return GroupMembers(text[6:], text[6:])
        if text.startswith("list:"):
            return NamedAddresses(text[5:], text[5:])
        if text.startswith("?"):
            return UnknownPeer((Reason(f"{text[1:]} has no value"),), text[1:])
        return Addresses(parse_cidr(text), text)


def flow(kind: str, sources: str, destinations: str, services: str, **more: object) -> Flow:
    """A flow; roles and services are separated by spaces."""
    made = Flow(
        id=str(more.pop("id", f"{kind}-flow")),
        kind=kind,
        sources=tuple(sources.split()),
        destinations=tuple(destinations.split()),
        services=tuple(services.split()),
        citations=(Citation("Ports", "7"),),
        origin=Origin(file="pack.yaml", line=1),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def pack(*flows: Flow, **more: object) -> Pack:
    """A pack `acme/product` with these flows and every role that they name; `roles` replaces some."""
    given = {role.name: role for role in more.pop("roles", ())}  # type: ignore[attr-defined]
    names = dict.fromkeys(
        name for one in flows for name in (*one.sources, *one.destinations) if name not in ("internet", "anyone")
    )
    made = Pack(
        id="acme/product",
        title="Acme Product",
        document_title="Acme ports",
        document_url="https://example.com/ports",
        variants=(("agent", "with agents"),),
        phases=(),
        default_phase=None,
        roles=tuple(
            given.get(name, Role(name, name, "customer")) for name in (*names, *(g for g in given if g not in names))
        ),
        flows=flows,
        signature_services=(),
        parameters=(),
        origin=Origin(file="pack.yaml", line=1),
    )
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Tools:
    """What a test needs, so that test files import nothing of each other."""

    world: Callable[[], World] = World
    flow: Callable[..., Flow] = flow
    pack: Callable[..., Pack] = pack
    today: datetime.date = TODAY

    def project(self, roles: str, more: str = "", rest: str = ""):  # type: ignore[no-untyped-def]
        """A project file with one deployment `prod` of `acme/product`; `roles` are lines of its `roles`."""
        listed = "\n".join(f"      {line.strip()}" for line in roles.strip().splitlines())
        text = f"version: 1\ndeployments:\n  prod:\n    pack: acme/product\n{more}    roles:\n{listed}\n{rest}"
        return loads(text, Path("/project/netpact.yaml"))

    def judge(
        self,
        world: World | RuleGraph,
        pack: Pack,
        roles: str,
        more: str = "",
        rest: str = "",
        comments: tuple[CommentWaiver, ...] = (),
        **options: object,
    ) -> Judgement:
        """The judgement of that pack in that world."""
        graph = world.graph() if isinstance(world, World) else world
        chosen = replace(JudgeOptions(today=TODAY, comment_waivers=comments), **options)  # type: ignore[arg-type]
        return judge(graph, self.project(roles, more, rest), {pack.id: pack}, chosen)


@pytest.fixture
def tools() -> Tools:
    """Worlds, packs and the judge."""
    return Tools()
