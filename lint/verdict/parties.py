"""The two sides of a question, as the rooms of this folder pass them on: one endpoint, or plain addresses. Decides
nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lint.graph.endpoints import Endpoint
from lint.origin import Reason
from lint.space.addresses import IPV4, IPV6
from lint.space.intervals import IntervalSet
from lint.space.services import WITH_PORTS
from lint.space.traffic import EMPTY_TRAFFIC, TrafficSet
from lint.verdict.asking import Asking
from lint.verdict.bind import Bound

EPHEMERAL = IntervalSet.span(1024, 65535)  # the source ports of a client of which nothing is known


@dataclass(frozen=True, slots=True)
class Machine:
    """One endpoint. `sure` False: it may not be of the role, or may not exist at all; `reasons` says why."""

    endpoint: Endpoint
    sure: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Plain:
    """Addresses that aren't known to be anybody's in the graph: certainly `must`, at most `may`."""

    must: IntervalSet
    may: IntervalSet
    text: str
    reasons: tuple[Reason, ...] = ()


Party = Machine | Plain


def parties(bound: Bound, *, apart: bool = False) -> tuple[Party, ...]:
    """Everything that stands for a role, one by one; plain addresses as one, or `apart` as they were written."""
    found: list[Party] = []
    for endpoint in bound.endpoints:
        unsure = (
            ()
            if endpoint.exists
            else endpoint.reasons or (Reason("whether it exists isn't known", origin=endpoint.origin),)
        )
        found.append(Machine(endpoint, endpoint.exists, unsure))
    found += [Machine(endpoint, False, bound.reasons) for endpoint in bound.maybe]
    plain = bound.parts if apart else ((bound.must, bound.may, bound.text),)
    found += [Plain(must, may, text, bound.reasons if must != may else ()) for must, may, text in plain if may]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Parties of one role that nothing can tell apart: what holds for one holds for all. Plain addresses are a crowd
    of their own.

    `number` tells crowds of one role apart; `guarded` is equal for crowds behind the same filters.
    """

    members: tuple[Party, ...]
    number: int
    guarded: int

    @property
    def first(self) -> Party:
        """The one that answers for all."""
        return self.members[0]

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The members that are endpoints."""
        return tuple(member for member in self.members if isinstance(member, Machine))


def crowds(asking: Asking, everybody: Iterable[Party]) -> tuple[Crowd, ...]:
    """The parties, put together where they are alike, in order of the first of each."""
    found: dict[tuple[int, bool, IntervalSet | None, tuple[Reason, ...]], list[Party]] = {}
    plain: list[Crowd] = []
    for party in everybody:
        if isinstance(party, Plain):
            plain.append(Crowd((party,), -1 - len(plain), -1 - len(plain)))
            continue
        key = (asking.alike(party.endpoint), party.sure, party.endpoint.client_ports, party.reasons)
        found.setdefault(key, []).append(party)
    made = [
        Crowd(tuple(members), number, asking.filters(members[0].endpoint))
        for number, members in enumerate(found.values())
        if isinstance(members[0], Machine)
    ]
    return (*made, *plain)


def families_of(endpoint: Endpoint) -> frozenset[int]:
    """Of which families the endpoint has addresses: 4, 6."""
    return frozenset(address.family for address in endpoint.addresses)


def in_families(places: IntervalSet, endpoint: Endpoint) -> IntervalSet:
    """The part of plain addresses that an endpoint can talk to; all of them where it can talk to none."""
    own = families_of(endpoint)
    if own == {4}:
        return places - IPV6 if not places <= IPV6 else places
    if own == {6}:
        return places - IPV4 if not places <= IPV4 else places
    return places


def needed(places: IntervalSet, services: IntervalSet, ports: IntervalSet) -> TrafficSet:
    """All traffic of these services from these places, from every source port of a client."""
    if not places:
        return EMPTY_TRAFFIC
    return TrafficSet.of(places, services & WITH_PORTS, ports) | TrafficSet.of(places, services - WITH_PORTS)


def any_port(traffic: TrafficSet, ports: IntervalSet) -> TrafficSet:
    """The same peers and services with every source port of a client, where at least one of them is in the set."""
    found = EMPTY_TRAFFIC
    for peers, services, _ in traffic.boxes():
        found = found | needed(peers, services, ports)
    return found
