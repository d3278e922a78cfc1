"""One packet, one way, plain loops: an obviously right simulator to hold the set engine against.

It reads a rule graph in which everything is known, follows the packet hop by hop, and asks each rule in turn. No sets,
no memory, no cleverness.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lint.graph.endpoints import Address, Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, Direction, Filter, GroupMembers, NamedAddresses, Peer, Rule
from lint.graph.topology import Peering, Route, Subnet, TransitAttachment, TransitGateway, Via
from lint.space.intervals import IntervalSet

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
IPV4_END = 2**32


@dataclass(frozen=True)
class Packet:
    """`source` and `destination` are places on the address line; `low` is the destination port, or type*256+code."""

    source: int
    destination: int
    protocol: int
    low: int
    source_port: int
    sender: str | None = None  # the endpoint that sends from its private address, for group membership

    @property
    def service(self) -> int:
        return self.protocol * 65536 + self.low


@dataclass(frozen=True)
class Arrival:
    """A packet at a machine's door, and how it got there."""

    packet: Packet
    endpoint: str | None  # None: the Internet
    gateway: str | None = None  # the NAT gateway that translated it
    references: bool = True
    same_subnet: bool = False


def inside(place: int, addresses: IntervalSet) -> bool:
    return any(low <= place <= high for low, high in addresses.pairs)


def family(place: int) -> int:
    return 4 if place < IPV4_END else 6


class Simulator:
    """A graph without unknowns."""

    def __init__(self, graph: RuleGraph) -> None:
        self.graph = graph

    # -- what a test asks ---------------------------------------------------------------------------------------------

    def delivered(self, sender: str | None, packet: Packet, target: str | None) -> bool:
        """Whether the packet arrives at the endpoint `target` (None: at the Internet)."""
        return self.arrival(sender, packet, target) is not None

    def answered(self, sender: str | None, packet: Packet, target: str | None) -> bool:
        """Whether it arrives and, where there is one, its reply comes back."""
        arrival = self.arrival(sender, packet, target)
        if arrival is None:
            return False
        answer = reply_of(arrival.packet)
        if answer is None:
            return True
        return self.reply_arrives(sender, packet, target, arrival, answer)

    # -- there --------------------------------------------------------------------------------------------------------

    def arrival(self, sender: str | None, packet: Packet, target: str | None) -> Arrival | None:
        if sender is None:
            return self.enter(packet, target, None)
        start = self.graph.endpoints[sender]
        if not start.initiates:
            return None
        address = self.address(start, packet.source)
        subnet = self.subnet(address)
        end = None if target is None else self.graph.endpoints[target]
        if end is not None:
            own = next((one for one in end.addresses if one.place == packet.destination), None)
            if own is not None and subnet is not None and own.subnet == subnet.id:
                if not self.endpoint_passes(start, address, Direction.EGRESS, packet, end, True, crossing=False):
                    return None
                return self.door(end, own, Arrival(packet, end.id, None, True, True))
        way = None if subnet is None else self.lookup(subnet.route_table, packet.destination)
        references_out = self.references(start, way, end, outgoing=True)
        leaves = not (
            way is not None and way.via is Via.NAT and self.nat_subnet(way) == (subnet.id if subnet else None)
        )
        if not self.endpoint_passes(start, address, Direction.EGRESS, packet, end, references_out, crossing=leaves):
            return None
        if subnet is None:
            return None
        if way is None:
            return None
        return self.along(start, address, subnet, way, packet, target)

    def along(
        self, start: Endpoint, address: Address, subnet: Subnet, way: Route, packet: Packet, target: str | None
    ) -> Arrival | None:
        end = None if target is None else self.graph.endpoints[target]
        if way.via is Via.LOCAL:
            return self.knock(end, start.network, Arrival(packet, target))
        if way.via is Via.PEERING:
            peering = self.graph.peerings[way.target or ""]
            if not peering.active:
                return None
            other = across(peering, start.network)
            return self.knock(end, other, Arrival(packet, target, references=peering.group_references))
        if way.via is Via.TRANSIT:
            return self.transit(start.network, subnet, way.target or "", Arrival(packet, target))
        if way.via is Via.INTERNET:
            if family(packet.source) == 6:
                seen: int | None = packet.source
            else:
                seen = address.public
            if seen is None or subnet.internet_block:
                return None
            return self.over_internet(replace(packet, source=seen, sender=None), target, None)
        if way.via is Via.EGRESS_ONLY:
            if family(packet.source) != 6 or subnet.internet_block == "bidirectional":
                return None
            return self.over_internet(replace(packet, sender=None), target, None)
        if way.via is Via.NAT:
            return self.nat(subnet, way, packet, target)
        return None

    def nat(self, subnet: Subnet, way: Route, packet: Packet, target: str | None) -> Arrival | None:
        gateway = self.graph.nat_gateways[way.target or ""]
        if packet.protocol not in (TCP, UDP, ICMP) or (packet.protocol == ICMP and not gateway.icmp):
            return None
        home = self.graph.subnets[gateway.subnet or ""]
        if home.id != subnet.id and not self.border(home, Direction.INGRESS, packet.source, packet):
            return None
        inner = replace(packet, source=gateway.private.first, source_port=40000, sender=None)
        end = None if target is None else self.graph.endpoints[target]
        own = None if end is None else next((one for one in end.addresses if one.place == packet.destination), None)
        if own is not None and own.subnet == home.id and end is not None:
            return self.door(end, own, Arrival(inner, end.id, gateway.id, False, True))
        if not self.border(home, Direction.EGRESS, packet.destination, inner):
            return None
        onward = self.lookup(home.route_table, packet.destination)
        if onward is None:
            return None
        if onward.via is Via.LOCAL:
            return self.knock(end, home.network, Arrival(inner, target, gateway.id, False))
        if onward.via is Via.PEERING:
            peering = self.graph.peerings[onward.target or ""]
            other = across(peering, home.network)
            if not peering.active:
                return None
            return self.knock(end, other, Arrival(inner, target, gateway.id, False))
        if onward.via is Via.TRANSIT:
            return self.transit(home.network, home, onward.target or "", Arrival(inner, target, gateway.id, False))
        if onward.via is Via.INTERNET and gateway.internet and home.internet_block != "bidirectional":
            return self.over_internet(replace(inner, source=gateway.public.first), target, gateway.id)
        return None

    def transit(self, network: str | None, subnet: Subnet, hub_id: str, arrival: Arrival) -> Arrival | None:
        packet, target = arrival.packet, arrival.endpoint
        hub = self.graph.transit_gateways[hub_id]
        came_in = self.attachment(hub, network)
        if came_in is None or not came_in.available or came_in.table is None:
            return None
        near = self.in_zone(came_in, subnet)
        if near is None:
            return None
        if not self.border(near, Direction.INGRESS, packet.source, packet):
            return None
        way = self.lookup(came_in.table, packet.destination)
        if way is None or way.via is Via.DROP:
            return None
        out = next(one for one in hub.attachments if one.id == way.target)
        end = None if target is None else self.graph.endpoints[target]
        if end is None or out.network != end.network or not out.available:
            return None
        own = next((one for one in end.addresses if one.place == packet.destination), None)
        if own is None:
            return None
        far = self.in_zone(out, subnet) or self.graph.subnets[out.subnets[0]]
        if far.id != own.subnet:
            if not self.border(far, Direction.EGRESS, packet.destination, packet):
                return None
            local = self.lookup(far.route_table, packet.destination)
            if local is None or local.via is not Via.LOCAL:
                return None
        references = bool(hub.group_references and came_in.group_references and out.group_references)
        return self.knock(end, out.network, replace(arrival, references=arrival.references and references))

    def over_internet(self, packet: Packet, target: str | None, gateway: str | None) -> Arrival | None:
        if target is None:
            return Arrival(packet, None, gateway, False)
        return self.enter(packet, target, gateway)

    def enter(self, packet: Packet, target: str | None, gateway: str | None) -> Arrival | None:
        """From the Internet to a machine's public address."""
        if target is None:
            return None
        end = self.graph.endpoints[target]
        for address in end.addresses:
            public = address.place if family(address.place) == 6 else address.public
            subnet = self.subnet(address)
            if public != packet.destination or subnet is None:
                continue
            back = self.lookup(subnet.route_table, packet.source)
            if back is None or back.via is not Via.INTERNET or subnet.internet_block:
                continue
            inner = replace(packet, destination=address.place, sender=None)
            if not self.border(subnet, Direction.INGRESS, inner.source, inner):
                continue
            return self.door(end, address, Arrival(inner, end.id, gateway, False))
        return None

    def knock(self, end: Endpoint | None, network: str | None, arrival: Arrival) -> Arrival | None:
        """At the border of the subnet that holds the destination, inside a network."""
        if end is None or end.network != network:
            return None
        own = next((one for one in end.addresses if one.place == arrival.packet.destination), None)
        subnet = None if own is None else self.subnet(own)
        if own is None or subnet is None:
            return None
        if not self.border(subnet, Direction.INGRESS, arrival.packet.source, arrival.packet):
            return None
        return self.door(end, own, arrival)

    def door(self, end: Endpoint, own: Address, arrival: Arrival) -> Arrival | None:
        """The machine's own filters, and those of its subnet that see traffic inside it too."""
        if not end.accepts:
            return None
        packet = arrival.packet
        sender = self.graph.endpoints[packet.sender] if packet.sender is not None else None
        passed = self.endpoint_passes(end, own, Direction.INGRESS, packet, sender, arrival.references, crossing=False)
        return arrival if passed else None

    # -- and back -----------------------------------------------------------------------------------------------------

    def reply_arrives(
        self, sender: str | None, request: Packet, target: str | None, arrival: Arrival, answer: Packet
    ) -> bool:
        """The reply needs routes and the stateless filters; stateful ones let it through."""
        start = None if sender is None else self.graph.endpoints[sender]
        source_address = None if start is None else self.address(start, request.source)
        home = None if source_address is None else self.subnet(source_address)
        gateway = None if arrival.gateway is None else self.graph.nat_gateways[arrival.gateway]
        gateway_subnet = None if gateway is None else self.graph.subnets[gateway.subnet or ""]
        end = None if target is None else self.graph.endpoints[target]
        public = (
            sender is None
            or end is None
            or arrival.packet.destination != request.destination
            or not self.private(arrival.packet.source, request, gateway)
        )
        if end is not None:
            own = self.address(end, arrival.packet.destination)
            far = self.subnet(own)
            assert far is not None
            meets = home if gateway is None else gateway_subnet
            if not (not public and meets is not None and meets.id == far.id):
                if not self.border(far, Direction.EGRESS, answer.destination, answer):
                    return False
                if (
                    not public
                    and meets is not None
                    and not self.carries(far, end.network, answer, meets, gateway is None)
                ):
                    return False
        if gateway is not None and gateway_subnet is not None and home is not None:
            far_id = None if end is None or public else self.subnet(self.address(end, arrival.packet.destination))
            if far_id is None or far_id.id != gateway_subnet.id:
                back = replace(answer, source=request.destination, destination=gateway.private.first)
                if not self.border(gateway_subnet, Direction.INGRESS, back.source, back):
                    return False
            if home.id != gateway_subnet.id:
                last = self.plain_reply(request)
                if not self.border(gateway_subnet, Direction.EGRESS, last.destination, last):
                    return False
                if not self.carries(gateway_subnet, gateway_subnet.network, last, home, True):
                    return False
        if home is not None:
            last = self.plain_reply(request)
            touching = gateway_subnet if gateway is not None else None
            if touching is not None:
                crosses = touching.id != home.id
            else:
                far_subnet = (
                    None if end is None or public else self.subnet(self.address(end, arrival.packet.destination))
                )
                crosses = far_subnet is None or far_subnet.id != home.id
            if crosses and not self.border(home, Direction.INGRESS, last.source, last):
                return False
        return True

    def private(self, seen: int, request: Packet, gateway: object) -> bool:
        """Whether the far end sees a private address of the sender."""
        if gateway is None:
            return seen == request.source and not (family(seen) == 6 and self.by_internet(request))
        return seen == gateway.private.first  # type: ignore[attr-defined]

    def by_internet(self, request: Packet) -> bool:
        """Whether an IPv6 packet leaves its network by an Internet gateway."""
        if request.sender is None:
            return True
        start = self.graph.endpoints[request.sender]
        address = self.address(start, request.source)
        subnet = self.subnet(address)
        for end in self.graph.endpoints.values():
            if any(one.place == request.destination and one.subnet == address.subnet for one in end.addresses):
                return False
        way = None if subnet is None else self.lookup(subnet.route_table, request.destination)
        return way is not None and way.via in (Via.INTERNET, Via.EGRESS_ONLY)

    def plain_reply(self, request: Packet) -> Packet:
        found = reply_of(request)
        assert found is not None
        return found

    def carries(self, subnet: Subnet, network: str | None, packet: Packet, target: Subnet, direct: bool) -> bool:
        """Whether routes take a reply from one subnet to an address in another one."""
        way = self.lookup(subnet.route_table, packet.destination)
        if way is None:
            return False
        if way.via is Via.LOCAL:
            return target.network == network
        if way.via is Via.PEERING:
            peering = self.graph.peerings[way.target or ""]
            other = across(peering, network)
            return bool(peering.active) and other == target.network
        if way.via is Via.TRANSIT:
            hub = self.graph.transit_gateways[way.target or ""]
            came_in = self.attachment(hub, network)
            if came_in is None or not came_in.available or came_in.table is None:
                return False
            near = self.in_zone(came_in, subnet)
            if near is None or not self.border(near, Direction.INGRESS, packet.source, packet):
                return False
            onward = self.lookup(came_in.table, packet.destination)
            if onward is None or onward.via is Via.DROP:
                return False
            out = next(one for one in hub.attachments if one.id == onward.target)
            if out.network != target.network or not out.available:
                return False
            far = self.in_zone(out, subnet) or self.graph.subnets[out.subnets[0]]
            if far.id == target.id:
                return True
            if not self.border(far, Direction.EGRESS, packet.destination, packet):
                return False
            local = self.lookup(far.route_table, packet.destination)
            return local is not None and local.via is Via.LOCAL
        return False

    # -- rules --------------------------------------------------------------------------------------------------------

    def border(self, subnet: Subnet, direction: Direction, remote: int, packet: Packet) -> bool:
        """The layers that only see what crosses the subnet's border."""
        for layer in subnet.layers:
            if layer.crossing and not any(
                self.filter_passes(self.graph.filters[name], direction, remote, None, packet, None, False)
                for name in layer.filters
            ):
                return False
        return True

    def endpoint_passes(
        self,
        endpoint: Endpoint,
        address: Address,
        direction: Direction,
        packet: Packet,
        other: Endpoint | None,
        references: bool,
        *,
        crossing: bool,
    ) -> bool:
        """The interface's filters and the subnet's that aren't only for its border; its border too where `crossing`."""
        remote = packet.destination if direction is Direction.EGRESS else packet.source
        subnet = self.subnet(address)
        layers = list(endpoint.layers)
        if subnet is not None:
            layers += [layer for layer in subnet.layers if not layer.crossing or crossing]
        answers = []
        for layer in layers:
            answer = None
            for name in layer.filters:
                found = self.filter_decides(
                    self.graph.filters[name], direction, remote, address.place, packet, other, references, endpoint
                )
                if found is Action.BYPASS or (found is Action.ALLOW and answer is not Action.BYPASS):
                    answer = found
            if not layer.filters:
                answer = None if layer.closed_if_empty else Action.ALLOW
            answers.append(answer)
        for at, answer in enumerate(answers):
            exempt = any(one is Action.BYPASS for n, one in enumerate(answers) if n != at)
            if answer is None and not exempt:
                return False
        return True

    def filter_passes(self, one: Filter, *rest: object) -> bool:
        return self.filter_decides(one, *rest) in (Action.ALLOW, Action.BYPASS)  # type: ignore[arg-type]

    def filter_decides(
        self,
        one: Filter,
        direction: Direction,
        remote: int,
        local: int | None,
        packet: Packet,
        other: Endpoint | None,
        references: bool,
        own: Endpoint | None = None,
    ) -> Action | None:
        """ALLOW, BYPASS, or None for denied."""
        rules = [rule for rule in one.rules if rule.direction is direction]
        if one.ordered:
            rules = sorted(rules, key=lambda rule: rule.priority or 0)
            for rule in rules:
                if self.matches(rule, remote, local, packet, other, references, own):
                    return None if rule.action is Action.DENY else rule.action
            return None if one.default is Action.DENY else one.default
        for rule in rules:
            if rule.action is Action.ALLOW and self.matches(rule, remote, local, packet, other, references, own):
                return Action.ALLOW
        return None

    def matches(
        self,
        rule: Rule,
        remote: int,
        local: int | None,
        packet: Packet,
        other: Endpoint | None,
        references: bool,
        own: Endpoint | None,
    ) -> bool:
        if not inside(packet.service, rule.services):
            return False
        if packet.protocol in (TCP, UDP):
            if not inside(packet.source_port, rule.source_ports):
                return False
        elif rule.source_ports.size != 65536:
            return False  # a condition on ports is never met by a protocol without ports
        if not any(self.is_peer(peer, remote, other, references) for peer in rule.peers):
            return False
        return rule.local is None or any(self.is_peer(peer, local or 0, own, True) for peer in rule.local)

    def is_peer(self, peer: Peer, place: int, other: Endpoint | None, references: bool) -> bool:
        if isinstance(peer, Addresses):
            return inside(place, peer.addresses)
        if isinstance(peer, NamedAddresses):
            return inside(place, self.graph.address_lists[peer.list].must)
        if isinstance(peer, GroupMembers):
            if not references:
                return False
            if other is None:
                return False
            for address in other.addresses:
                own = other.groups if address.groups is None else address.groups
                if address.place == place and peer.group in own:
                    return True
            return False
        raise AssertionError("the simulator knows no unknowns")

    # -- topology -----------------------------------------------------------------------------------------------------

    def references(self, start: Endpoint, way: Route | None, end: Endpoint | None, *, outgoing: bool) -> bool:
        """Whether an egress rule may name the other side's group on this way."""
        if way is None or end is None:
            return True
        if way.via is Via.PEERING:
            return self.graph.peerings[way.target or ""].group_references
        return way.via is Via.LOCAL

    def address(self, endpoint: Endpoint, place: int) -> Address:
        return next(one for one in endpoint.addresses if one.place == place)

    def subnet(self, address: Address) -> Subnet | None:
        return self.graph.subnets.get(address.subnet or "")

    def nat_subnet(self, way: Route) -> str | None:
        return self.graph.nat_gateways[way.target or ""].subnet

    def attachment(self, hub: TransitGateway, network: str | None) -> TransitAttachment | None:
        return next((one for one in hub.attachments if one.network == network), None)

    def in_zone(self, attachment: TransitAttachment, subnet: Subnet) -> Subnet | None:
        if subnet.id in attachment.subnets:
            return subnet
        for name in attachment.subnets:
            if self.graph.subnets[name].zone == subnet.zone:
                return self.graph.subnets[name]
        return None

    def lookup(self, table: str | None, place: int) -> Route | None:
        """The longest prefix that holds the place; the lowest precedence among equals."""
        best: tuple[int, int] | None = None
        found: Route | None = None
        for route in self.graph.route_tables[table or ""].routes:
            for low, high in route.destinations.pairs:
                if low <= place <= high:
                    key = (high - low, route.precedence)
                    if best is None or key < best:
                        best, found = key, route
        return found


def across(peering: Peering, network: str | None) -> str | None:
    """The other end of a peering; a route to somebody else's peering leads nowhere."""
    if network == peering.first:
        return peering.second
    return peering.first if network == peering.second else "nowhere"


def reply_of(packet: Packet) -> Packet | None:
    """The reply that the packet asks for; None where it asks for none."""
    if packet.protocol in (TCP, UDP):
        return Packet(packet.destination, packet.source, packet.protocol, packet.source_port, packet.low)
    kind, code = divmod(packet.low, 256)
    if packet.protocol == ICMP and kind == 8:
        return Packet(packet.destination, packet.source, ICMP, code, 0)
    if packet.protocol == ICMPV6 and kind == 128:
        return Packet(packet.destination, packet.source, ICMPV6, 129 * 256 + code, 0)
    if packet.protocol not in (ICMP, ICMPV6):
        return Packet(packet.destination, packet.source, packet.protocol, 0, 0)
    return None
