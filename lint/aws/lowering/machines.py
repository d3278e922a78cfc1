"""Network interfaces of AWS as endpoints, and what load balancers forward to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from lint.aws.lowering.filters import LISTENER, SECURITY_GROUP
from lint.aws.lowering.networks import network_id
from lint.aws.model import Model
from lint.aws.model.machines import Forward, InterfaceAddress, Listener, TargetGroup, Workload
from lint.aws.owners import Owners
from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.topology import Forwarding, Subnet
from lint.space.addresses import IPV4, IPV6
from lint.space.intervals import EMPTY, IntervalSet


class Machines:
    """Endpoints of one model, in the subnets that the graph holds."""

    def __init__(self, model: Model, owners: Owners, subnets: Mapping[str, Subnet]) -> None:
        self.model = model
        self.owners = owners
        self.subnets = subnets
        # A balancer takes what its listeners listen to, whatever its groups let through (network ones may have none).
        self._listening = {
            workload: f"{each.id}#listeners"
            for each in model.load_balancers.values()
            if each.listeners
            for workload in each.workloads
        }

    def endpoint(self, each: Workload) -> Endpoint:
        """One interface's worth of machine."""
        layers: tuple[Layer, ...] = ()
        if not each.unfiltered:
            layers = (Layer(SECURITY_GROUP, each.groups, closed_if_empty=True, open=each.groups_open),)
        if each.id in self._listening:
            layers = (*layers, Layer(LISTENER, (self._listening[each.id],), closed_if_empty=True))
        addresses = tuple(self._address(each, address, number) for number, address in enumerate(each.addresses))
        return Endpoint(
            id=each.id,
            name=each.name,
            kind=each.kind,
            addresses=addresses,
            groups=each.groups,
            layers=layers,
            origin=each.origin,
            groups_open=each.groups_open,
            network=network_id(self.model, each.vpc),
            aliases=each.aliases,
            tags=each.tags,
            tags_open=each.tags_open,
            account=each.account,
            region=each.region,
            hypothetical=each.hypothetical,
            exists=each.exists,
            initiates=each.initiates,
            accepts=each.accepts,
            client_ports=each.client_ports,
            forwards=each.forwards,
            reasons=each.reasons,
        )

    def _address(self, owner: Workload, address: InterfaceAddress, number: int) -> Address:
        subnet = address.subnet.id if address.subnet.id in self.subnets else None
        place = self.owners.private(owner, number)
        if address.place is not None:
            within = IntervalSet.of(place)
        else:
            within = address.within or self._within(owner, address)
        return Address(
            place=place,
            within=within,
            subnet=subnet,
            public=self.owners.public(owner, number),
            public_exists=address.public_exists,
            public_reasons=address.public_reasons,
        )

    def _within(self, owner: Workload, address: InterfaceAddress) -> IntervalSet:
        """Where an unknown address can lie:

        in its subnet but for the five reserved ones, else in its VPC, else anywhere.
        """
        family = IPV6 if address.family == 6 else IPV4
        subnet = self.model.subnets.get(address.subnet.id) if address.subnet.id is not None else None
        if subnet is not None:
            exact = subnet.prefixes & family
            if exact and (subnet.prefixes_may is None or subnet.prefixes_may & family == exact):
                return _usable(exact)
            bound = (subnet.prefixes if subnet.prefixes_may is None else subnet.prefixes_may) & family
            if bound:
                return bound
        vpc = self.model.vpcs.get(owner.vpc.id) if owner.vpc.id is not None else None
        if vpc is not None:
            bound = (vpc.prefixes if vpc.prefixes_may is None else vpc.prefixes_may) & family
            if bound:
                return bound
        return family

    def forwardings(self) -> Iterable[Forwarding]:
        """What each listener sends to each target group."""
        for balancer in self.model.load_balancers.values():
            for listener in balancer.listeners:
                for forward, group in self._groups_behind(listener):
                    preserves = group.preserves_client if balancer.kind == "network" else False
                    for workload in balancer.workloads:
                        if group.targets or group.targets_open:
                            yield Forwarding(
                                balancer=workload,
                                listen=listener.services,
                                targets=tuple(t for t in group.targets if t in self.model.workloads),
                                services=group.services,
                                preserves_client=preserves,
                                origin=forward.origin,
                                reasons=(*listener.reasons, *forward.reasons, *group.reasons, *group.targets_open),
                                conditions=forward.conditions,
                            )

    def _groups_behind(self, listener: Listener) -> Iterator[tuple[Forward, TargetGroup]]:
        """Where a listener sends to; where the target group isn't known, each that it may be."""
        for forward in listener.forwards:
            link, known = forward.group, self.model.target_groups
            if link.id is None and link.reasons:
                forward = replace(forward, reasons=(*forward.reasons, *link.reasons))
            named = known if link.id is None and link.reasons and link.candidates is None else link.possible
            yield from ((forward, known[id_]) for id_ in named if id_ in known)


def _usable(prefixes: IntervalSet) -> IntervalSet:
    """A subnet's range without the five addresses that AWS keeps: the first four and the last."""
    kept = EMPTY
    for low, high in prefixes.pairs:
        if high - low >= 8:
            kept = kept | IntervalSet.span(low + 4, high - 1)
        else:
            kept = kept | IntervalSet.span(low, high)
    return kept
