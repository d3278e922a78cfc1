"""Addresses that are named before anybody knows them, as places of the rule graph. Knows no Terraform."""

from __future__ import annotations

from collections.abc import Iterator

from lint.aws.model import Model
from lint.aws.model.groups import NamedPeer
from lint.aws.model.machines import InterfaceAddress, Workload
from lint.graph.places import Places
from lint.graph.rules import Addresses, Peer, UnknownPeer
from lint.space.intervals import EMPTY, IntervalSet


class Owners:
    """Finds the places of named addresses: those that the owner's endpoint or gateway has in the graph, too."""

    def __init__(self, model: Model, places: Places) -> None:
        self._model = model
        self._places = places
        self._known: dict[tuple[str, str, int], IntervalSet] = {}
        self._elastic: dict[str, list[tuple[Workload, int]]] = {}
        for workload in model.workloads.values():
            for number, address in enumerate(workload.addresses):
                if address.elastic is not None:
                    self._elastic.setdefault(address.elastic, []).append((workload, number))
        self._public = {place for peer in self._named() for place in self._seen_as(peer)}

    def private(self, owner: Workload, number: int) -> int:
        """The place of a private address."""
        known = owner.addresses[number].place
        return known if known is not None else self._places.place(f"{owner.id}#{number}")

    def public(self, owner: Workload, number: int) -> int | None:
        """The place of what the Internet sees of an address, where it is known or something names it."""
        key = f"{owner.id}#{number}#public"
        known = owner.addresses[number].public
        return self._places.place(key) if known is None and key in self._public else known

    def gateway(self, id_: str, which: str) -> IntervalSet:
        """The places of a NAT gateway's private or public address, where it is known or something names it."""
        gateway = self._model.nat_gateways[id_]
        known = gateway.private if which == "private" else gateway.public
        key = f"{id_}#{which}"
        return IntervalSet.of(self._places.place(key)) if not known and key in self._public else known

    def peers(self, peer: NamedPeer) -> tuple[Peer, ...]:
        """What a rule matches that names these addresses."""
        rest = peer.otherwise
        unknown = UnknownPeer(rest.reasons, rest.text, rest.may, rest.groups)
        found = self.places(peer)
        if not found:
            return (unknown,)
        return (Addresses(found, rest.text), unknown) if peer.which == "network" else (Addresses(found, rest.text),)

    def places(self, peer: NamedPeer) -> IntervalSet:
        """The places that certainly are the named ones; empty where that isn't certain."""
        key = (peer.owner, peer.which, peer.family)
        if key not in self._known:
            self._known[key] = self._places_of(peer)
        return self._known[key]

    def _places_of(self, peer: NamedPeer) -> IntervalSet:
        if peer.which == "network":
            inside = (
                self.private(workload, number)
                for workload in self._model.workloads.values()
                for number, address in enumerate(workload.addresses)
                if address.family == peer.family and self._inside(workload, address, peer.owner)
            )
            return IntervalSet((place, place) for place in inside)
        if peer.owner in self._model.nat_gateways:
            return self.gateway(peer.owner, peer.which)
        if peer.which == "private":
            one = self._only(peer)
            return EMPTY if one is None else IntervalSet.of(self.private(*one))
        held = self._holder(peer)
        if held is not None:
            place = self.public(*held)
            return EMPTY if place is None else IntervalSet.of(place)
        gateways = [g.id for g in self._model.nat_gateways.values() if g.elastic == peer.owner]
        return self.gateway(gateways[0], "public") if len(gateways) == 1 and peer.owner not in self._elastic else EMPTY

    def _inside(self, workload: Workload, address: InterfaceAddress, network: str) -> bool:
        subnet = self._model.subnets.get(address.subnet.id or "")
        if address.subnet.id == network or (subnet is not None and subnet.vpc.id == network):
            return True
        return address.subnet.id is None and workload.vpc.id == network

    def _only(self, peer: NamedPeer) -> tuple[Workload, int] | None:
        """The owner and its first address of the family; None where these are alternatives, or several machines fit."""
        known = self._model.workloads.get(peer.owner)
        fits = [known] if known is not None else [w for w in self._model.workloads.values() if peer.owner in w.aliases]
        if len(fits) != 1 or not fits[0].exists:
            return None
        own = [number for number, address in enumerate(fits[0].addresses) if address.family == peer.family]
        subnets = {fits[0].addresses[number].subnet.id for number in own}
        return (fits[0], own[0]) if len(subnets) == 1 else None

    def _holder(self, peer: NamedPeer) -> tuple[Workload, int] | None:
        """Whose public address it is.

        An instance's own public_ip isn't the Elastic IP that it gets later: it doesn't name a machine that has one.
        """
        if peer.owner in self._elastic:
            held = self._elastic[peer.owner]
            return held[0] if len(held) == 1 and held[0][0].exists else None
        one = self._only(peer)
        if one is None:
            return None
        address = one[0].addresses[one[1]]
        return one if address.public_exists and address.elastic is None else None

    def _seen_as(self, peer: NamedPeer) -> Iterator[str]:
        """The keys of the places that a peer names and that nothing else needs."""
        gateways = [g for g in self._model.nat_gateways.values() if peer.owner in (g.id, g.elastic)]
        if len(gateways) == 1 and peer.owner not in self._elastic:
            yield f"{gateways[0].id}#{peer.which}"
        elif peer.which == "public" and (held := self._holder(peer)) is not None:
            yield f"{held[0].id}#{held[1]}#public"

    def _named(self) -> Iterator[NamedPeer]:
        for group in self._model.groups.values():
            for rule in group.rules:
                yield from (peer for peer in rule.peers if isinstance(peer, NamedPeer))
        for acl in self._model.acls.values():
            yield from (entry.peer for entry in acl.entries if isinstance(entry.peer, NamedPeer))
        for listed in self._model.prefix_lists.values():
            yield from listed.named
