"""Random networks, with everything known, and the same networks as seen by someone who doesn't know all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.graph import RuleGraph
from lint.graph.places import Places
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
from lint.graph.topology import (
    NatGateway,
    Network,
    Peering,
    Route,
    RouteTable,
    Subnet,
    TransitAttachment,
    TransitGateway,
    Via,
)
from lint.origin import Origin, Reason
from lint.space.addresses import EVERYWHERE, IPV4, IPV6, PUBLIC, REAL, parse_cidr, position
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES, ICMP, ICMPV6, TCP, UDP, icmp, ports, protocol

HERE = Origin(file="main.tf", line=1)
WHY = (Reason("it isn't known"),)
PORTS = (0, 22, 80, 443, 1023, 1024, 1025, 32767, 32768, 49152, 65535)
OUTSIDE = ("203.0.113.10", "203.0.113.99", "198.51.100.7", "8.8.8.8", "2001:4860:4860::8888")


@dataclass
class Case:
    """The truth, and a blurred view of it in which some places got other numbers."""

    truth: RuleGraph
    blurred: RuleGraph
    places: dict[
        tuple[str, int], int
    ]  # an endpoint and the real place of its address -> its place in the blurred graph


def service(random: Random) -> IntervalSet:
    kind = random.random()
    if kind < 0.2:
        return ALL_SERVICES
    if kind < 0.7:
        number = random.choice((TCP, TCP, UDP))
        low, high = sorted((random.choice(PORTS), random.choice(PORTS)))
        return ports(number, low, high)
    if kind < 0.8:
        return protocol(random.choice((TCP, UDP, ICMP, ICMPV6, 50)))
    number, request, answer = random.choice(((ICMP, 8, 0), (ICMPV6, 128, 129)))
    return (
        icmp(number, random.choice((request, answer, None)), None)
        if random.random() < 0.7
        else icmp(number, request, 0)
    )


class Builder:
    """Makes one network from one seed."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.rules = 0

    def build(self) -> RuleGraph:
        random = self.random
        self.azure = random.random() < 0.3
        # Whether a network is open or strict, so that what lies behind the first filter is seen too.
        self.open = random.random() < 0.6
        self.many_gateways = random.random() < 0.5
        networks = [self.network(n) for n in range(random.choice((1, 2, 2, 3)))]
        self.networks = networks
        self.subnet_texts: list[str] = []
        subnets: list[Subnet] = []
        for n, network in enumerate(networks):
            for k in range(random.choice((1, 2, 2, 3))):
                subnets.append(self.subnet(network, n, k))
        groups = [Group(f"sg-{n}", f"sg-{n}", "security_group", HERE) for n in range(4)]
        self.groups = groups
        self.lists = [
            AddressList(f"list-{n}", f"list-{n}", found, found, HERE)
            for n in range(2)
            if (found := IntervalSet.union_of(parse_cidr(self.cidr()) for _ in range(2)))
        ]
        if self.azure and random.random() < 0.6:
            inside = IntervalSet.union_of(one.prefixes for one in networks if random.random() < 0.7)
            self.lists.append(AddressList("list-vnet", "list-vnet", inside, inside, HERE))
            outside = PUBLIC - inside
            self.lists.append(
                AddressList("list-internet", "list-internet", outside, outside, HERE, complement_of="list-vnet")
            )
        gateways = [
            NatGateway(
                f"nat-{subnet.id}",
                f"nat-{subnet.id}",
                subnet.id,
                IntervalSet.of((subnet.prefixes & IPV4).first + 9),
                IntervalSet.of(position(f"52.0.0.{n + 1}")),
                HERE,
                icmp=random.random() < 0.7,
            )
            for n, subnet in enumerate(subnets)
            if random.random() < (0.8 if self.many_gateways else 0.2)
        ]
        peerings = [
            Peering(
                f"pcx-{a}{b}",
                f"pcx-{a}{b}",
                networks[a].id,
                networks[b].id,
                random.random() < 0.85,
                HERE,
                group_references=random.random() < 0.7,
            )
            for a in range(len(networks))
            for b in range(a + 1, len(networks))
            if random.random() < 0.6
        ]
        hub = self.hub(networks, subnets) if len(networks) > 1 and random.random() < 0.5 else None
        tables = [self.table(subnet, gateways, peerings, hub) for subnet in subnets]
        filters: list[Filter] = []
        ready: list[Subnet] = []
        for subnet, table in zip(subnets, tables, strict=True):
            layers: tuple[Layer, ...] = ()
            if self.azure:
                if random.random() < 0.7:
                    made = self.nsg(f"nsg-{subnet.id}")
                    filters.append(made)
                    layers = (Layer("nsg", (made.id,)),)
            elif random.random() < 0.6:
                made = self.acl(f"acl-{subnet.id}")
                filters.append(made)
                layers = (Layer("network_acl", (made.id,), crossing=True),)
            block = random.choice(("ingress", "bidirectional")) if random.random() < 0.1 else ""
            ready.append(replace(subnet, layers=layers, route_table=table.id, internet_block=block))
        endpoints: list[Endpoint] = []
        for n in range(random.randint(2, 5)):
            made, own = self.endpoint(n, random.choice(ready))
            endpoints.append(made)
            filters += own
        if random.random() < 0.25:
            self.twins(networks, ready, tables, endpoints)
        if not self.azure:
            filters += [self.security_group(group.id) for group in groups]
        return RuleGraph(
            endpoints={one.id: one for one in endpoints},
            filters={one.id: one for one in filters},
            groups={one.id: one for one in groups},
            address_lists={one.id: one for one in self.lists},
            networks={one.id: one for one in networks},
            subnets={one.id: one for one in ready},
            route_tables={one.id: one for one in (*tables, *(self.hub_tables if hub else ()))},
            nat_gateways={one.id: one for one in gateways},
            peerings={one.id: one for one in peerings},
            transit_gateways={} if hub is None else {hub.id: hub},
        )

    def twins(
        self, networks: list[Network], subnets: list[Subnet], tables: list[RouteTable], endpoints: list[Endpoint]
    ) -> None:
        """A network that nothing links to the others, with the addresses of the first one."""
        random = self.random
        prefixes = parse_cidr("10.0.0.0/16")
        networks.append(Network("vpc-9", "vpc-9", prefixes, HERE))
        table = RouteTable("rtb-twin", "rtb-twin", (Route(prefixes, Via.LOCAL, HERE, "local"),), HERE)
        tables.append(table)
        like = subnets[0]
        subnets.append(
            replace(like, id="twin-00", network="vpc-9", prefixes=parse_cidr("10.0.0.0/24"), route_table=table.id)
        )
        for one in list(endpoints):
            mine = [address for address in one.addresses if address.family == 4 and address.subnet == like.id]
            if mine and random.random() < 0.7:
                own = tuple(replace(each, subnet="twin-00", public=None, public_exists=False) for each in mine)
                groups = tuple(group.id for group in self.groups if random.random() < 0.5)
                layers = one.layers if self.azure else (Layer("security_group", groups, closed_if_empty=True),)
                endpoints.append(
                    replace(one, id=f"{one.id}-twin", addresses=own, groups=groups, layers=layers, network="vpc-9")
                )

    def network(self, n: int) -> Network:
        return Network(
            f"vpc-{n}", f"vpc-{n}", parse_cidr(f"10.{n}.0.0/16") | parse_cidr(f"2600:1f18:0:{n}00::/56"), HERE
        )

    def subnet(self, network: Network, n: int, k: int) -> Subnet:
        prefixes = parse_cidr(f"10.{n}.{k}.0/24") | parse_cidr(f"2600:1f18:0:{n}0{k}::/64")
        self.subnet_texts += [f"10.{n}.{k}.0/24", f"2600:1f18:0:{n}0{k}::/64"]
        return Subnet(
            f"subnet-{n}{k}", f"subnet-{n}{k}", network.id, prefixes, HERE, zone=self.random.choice(("a", "a", "b"))
        )

    def cidr(self) -> str:
        random = self.random
        return random.choice(
            (
                "0.0.0.0/0",
                "::/0",
                "10.0.0.0/8",
                f"10.{random.randrange(3)}.0.0/16",
                f"10.{random.randrange(3)}.{random.randrange(2)}.{random.choice((8, 10, 12))}/30",
                f"10.{random.randrange(3)}.{random.randrange(2)}.{random.randrange(10, 14)}/32",
                "203.0.113.0/24",
                "203.0.113.10/32",
                "52.0.0.0/24",
                f"52.0.0.{random.randrange(1, 3)}/32",
                f"54.0.0.{random.randrange(10, 15)}/32",
                f"2600:1f18:0:{random.randrange(3)}00::/56",
                random.choice(self.subnet_texts),
            )
        )

    def peer(self, *, groups: bool = True) -> Peer:
        random = self.random
        kind = random.random()
        if groups and kind < 0.35:
            name = random.choice(self.groups).id
            return GroupMembers(name, name)
        if groups and kind < 0.45:
            name = random.choice(self.lists).id
            return NamedAddresses(name, name)
        text = self.cidr() if random.random() < 0.7 else random.choice(("0.0.0.0/0", "::/0"))
        return Addresses(parse_cidr(text), text)

    def rule(self, direction: Direction, action: Action, priority: int | None, *, groups: bool, sides: bool) -> Rule:
        random = self.random
        self.rules += 1
        peers = tuple(self.peer(groups=groups) for _ in range(random.choice((1, 1, 1, 2))))
        local: tuple[Peer, ...] | None = None
        source_ports = ALL_PORTS
        if sides and random.random() < 0.5:
            local = (self.peer(),)
        if sides and random.random() < 0.2:
            low, high = sorted((random.choice(PORTS), random.choice(PORTS)))
            source_ports = IntervalSet.span(low, high)
        return Rule(
            f"r{self.rules}",
            direction,
            action,
            peers,
            service(random),
            HERE,
            source_ports=source_ports,
            local=local,
            priority=priority,
        )

    def security_group(self, name: str) -> Filter:
        random = self.random
        rules = [
            self.rule(direction, Action.ALLOW, None, groups=True, sides=False)
            for direction in Direction
            for _ in range(random.choice((0, 1, 2, 3)))
        ]
        if self.open and random.random() < 0.6:
            whole = Addresses(REAL, "anywhere")
            rules.append(Rule("in", Direction.INGRESS, Action.ALLOW, (whole,), ALL_SERVICES, HERE))
        if random.random() < (0.9 if self.open else 0.5):
            whole = Addresses(REAL, "anywhere")
            rules.append(Rule("all", Direction.EGRESS, Action.ALLOW, (whole,), ALL_SERVICES, HERE))
        return Filter(name, name, "security_group", tuple(rules), HERE)

    def acl(self, name: str) -> Filter:
        random = self.random
        rules = [
            self.rule(
                direction,
                random.choice((Action.ALLOW, Action.ALLOW, Action.DENY)),
                10 * (n + 1),
                groups=False,
                sides=False,
            )
            for direction in Direction
            for n in range(random.choice((0, 1, 2, 4)))
        ]
        for direction in Direction:
            # Mostly open at the end; else only what replies need, or a part of it, or nothing.
            kind = random.random()
            last = ALL_SERVICES
            if kind < 0.35:
                last = ports(TCP, random.choice((1024, 32768)), 65535) | icmp(ICMP, 0, None) | icmp(ICMPV6, 129, None)
            elif kind < 0.4:
                continue
            peers = Addresses(REAL, "anywhere")
            if random.random() < 0.2:
                text = self.cidr()
                peers = Addresses(parse_cidr(text), text)
            rules.append(Rule(f"last-{direction.value}", direction, Action.ALLOW, (peers,), last, HERE, priority=999))
        random.shuffle(rules)
        return Filter(name, name, "network_acl", tuple(rules), HERE, ordered=True, stateful=False)

    def nsg(self, name: str) -> Filter:
        random = self.random
        actions = (Action.ALLOW, Action.ALLOW, Action.DENY)
        kind = "nsg"
        if random.random() < 0.15:
            kind, actions = "admin_rules", (*actions, Action.BYPASS)
        rules = [
            self.rule(direction, random.choice(actions), 100 + 10 * n, groups=True, sides=True)
            for direction in Direction
            for n in range(random.choice((0, 1, 2, 4)))
        ]
        if random.random() < 0.6:
            for direction in Direction:
                whole = Addresses(REAL, "anywhere")
                rules.append(
                    Rule(
                        f"last-{direction.value}", direction, Action.ALLOW, (whole,), ALL_SERVICES, HERE, priority=9999
                    )
                )
        random.shuffle(rules)
        return Filter(name, name, kind, tuple(rules), HERE, ordered=True)

    def endpoint(self, n: int, subnet: Subnet) -> tuple[Endpoint, list[Filter]]:
        random = self.random
        index = len(subnet.id) and int(subnet.id[-2]), int(subnet.id[-1])
        addresses = []
        public = None
        if random.random() < 0.9:
            public = position(f"54.0.0.{10 + n}") if random.random() < 0.5 else None
            own = None
            if random.random() < 0.15:
                own = tuple(group.id for group in self.groups if random.random() < 0.4)
            place = position(f"10.{index[0]}.{index[1]}.{10 + n}")
            addresses.append(Address(place, IntervalSet.of(place), subnet.id, public, public is not None, groups=own))
        if random.random() < 0.4 or not addresses:
            place = position(f"2600:1f18:0:{index[0]}0{index[1]}::{10 + n}")
            addresses.append(Address(place, IntervalSet.of(place), subnet.id))
        groups = tuple(group.id for group in self.groups if random.random() < 0.5)
        own_filters: list[Filter] = []
        if self.azure:
            layers: tuple[Layer, ...] = ()
            if random.random() < 0.6:
                made = self.nsg(f"nsg-{n}")
                own_filters.append(made)
                layers = (Layer("nsg", (made.id,)),)
        else:
            layers = (Layer("security_group", groups, closed_if_empty=True),)
        made_endpoint = Endpoint(
            f"eni-{n}",
            f"machine {n}",
            "instance",
            tuple(addresses),
            groups,
            layers,
            HERE,
            network=subnet.network,
            initiates=random.random() > 0.05,
            accepts=random.random() > 0.05,
        )
        return made_endpoint, own_filters

    def table(
        self, subnet: Subnet, gateways: list[NatGateway], peerings: list[Peering], hub: TransitGateway | None
    ) -> RouteTable:
        random = self.random
        network = next(one for one in self.networks if one.id == subnet.network)
        routes = [Route(network.prefixes, Via.LOCAL, HERE, "local", precedence=-1)]
        mine = [one for one in gateways if one.id.split("subnet-")[1][0] == subnet.id[-2]]
        kind = random.random()
        hosts = any(one.subnet == subnet.id for one in mine)
        mine_now = bool(mine) and self.many_gateways and random.random() < (0.1 if hosts else 0.85)
        if mine_now:
            routes.append(Route(IPV4, Via.NAT, HERE, "0.0.0.0/0", target=random.choice(mine).id))
        elif kind < (0.9 if hosts else 0.5):
            routes.append(Route(IPV4, Via.INTERNET, HERE, "0.0.0.0/0", target="igw"))
        elif kind < 0.75 and mine:
            routes.append(Route(IPV4, Via.NAT, HERE, "0.0.0.0/0", target=random.choice(mine).id))
        kind = random.random()
        if kind < 0.4:
            routes.append(Route(IPV6, Via.INTERNET, HERE, "::/0", target="igw"))
        elif kind < 0.6:
            routes.append(Route(IPV6, Via.EGRESS_ONLY, HERE, "::/0", target="eigw"))
        for other in self.networks:
            if other.id == network.id:
                continue
            n = other.id[-1]
            linked = [one for one in peerings if {one.first, one.second} == {network.id, other.id}]
            for text in (f"10.{n}.0.0/16", f"2600:1f18:0:{n}00::/56"):
                choice = random.random()
                if linked and choice < 0.5:
                    routes.append(Route(parse_cidr(text), Via.PEERING, HERE, text, target=linked[0].id))
                elif hub is not None and choice < 0.85:
                    routes.append(Route(parse_cidr(text), Via.TRANSIT, HERE, text, target=hub.id))
                elif linked:
                    routes.append(Route(parse_cidr(text), Via.PEERING, HERE, text, target=random.choice(peerings).id))
        if random.random() < 0.3:
            text = random.choice(("203.0.113.0/24", "10.1.1.0/24", "10.0.1.0/24", "10.2.0.12/30", "8.0.0.0/8"))
            routes.append(Route(parse_cidr(text), Via.DROP, HERE, text))
        if mine and random.random() < 0.25:
            text = f"10.{random.randrange(3)}.{random.randrange(2)}.0/25"
            routes.append(Route(parse_cidr(text), Via.NAT, HERE, text, target=random.choice(mine).id))
        random.shuffle(routes)
        return RouteTable(f"rtb-{subnet.id}", f"rtb-{subnet.id}", tuple(routes), HERE)

    def hub(self, networks: list[Network], subnets: list[Subnet]) -> TransitGateway:
        random = self.random
        attachments = []
        for network in networks:
            mine = [one for one in subnets if one.network == network.id]
            chosen = []
            for one in mine:  # at most one subnet in each zone
                if all(one.zone != other.zone for other in chosen) and (random.random() < 0.8 or not chosen):
                    chosen.append(one)
            attachments.append(
                TransitAttachment(
                    f"att-{network.id}",
                    "vpc",
                    network.id,
                    tuple(one.id for one in chosen[:1] if len(chosen) > 1 and random.random() < 0.4)
                    or tuple(one.id for one in chosen),
                    f"tgw-rtb-{random.randrange(2)}" if random.random() < 0.9 else None,
                    HERE,
                    group_references=random.random() < 0.7,
                    available=random.random() < 0.9,
                )
            )
        tables = []
        for n in range(2):
            routes = []
            for one in attachments:
                index = (one.network or "")[-1]
                for text in (f"10.{index}.0.0/16", f"2600:1f18:0:{index}00::/56"):
                    if random.random() < 0.8:
                        routes.append(Route(parse_cidr(text), Via.TRANSIT, HERE, text, target=one.id))
            if random.random() < 0.2:
                routes.append(Route(parse_cidr("10.1.0.0/24"), Via.DROP, HERE, "10.1.0.0/24"))
            tables.append(RouteTable(f"tgw-rtb-{n}", f"tgw-rtb-{n}", tuple(routes), HERE))
        self.hub_tables = tables
        return TransitGateway("tgw", "tgw", tuple(attachments), HERE, group_references=random.random() < 0.6)


def blur(truth: RuleGraph, random: Random) -> Case:
    """Hides some of the truth; what remains says less, and nothing wrong."""
    given = Places()
    places: dict[tuple[str, int], int] = {}
    endpoints = {}
    for one in truth.endpoints.values():
        addresses = []
        for at, address in enumerate(one.addresses):
            hidden = address
            if random.random() < 0.3:
                subnet = truth.subnets[address.subnet or ""]
                family = IPV4 if address.family == 4 else IPV6
                within = random.choice(
                    (subnet.prefixes & family, truth.networks[subnet.network].prefixes & family, family)
                )
                hidden = replace(hidden, place=given.place(f"{one.id}/{at}"), within=within)
            if address.family == 4 and random.random() < 0.15:
                hidden = replace(hidden, public=None, public_exists=None, public_reasons=WHY)
            elif address.public is not None and random.random() < 0.3:
                hidden = replace(hidden, public=None, public_exists=True)
            places[one.id, address.place] = hidden.place
            addresses.append(hidden)
        opened = WHY if random.random() < 0.08 else ()
        groups = tuple(group for group in one.groups if not opened or random.random() < 0.5)
        layers = tuple(
            replace(
                layer,
                filters=tuple(name for name in layer.filters if layer.kind != "security_group" or name in groups),
                open=opened if layer.kind == "security_group" else (),
            )
            for layer in one.layers
        )
        hidden_one = replace(one, addresses=tuple(addresses), groups=groups, groups_open=opened, layers=layers)
        if opened:
            hidden_one = replace(
                hidden_one,
                addresses=tuple(replace(address, groups=address.groups) for address in hidden_one.addresses),
            )
        endpoints[one.id] = hidden_one
    filters = {key: _blur_filter(one, truth, random) for key, one in truth.filters.items()}
    lists = {}
    for key, listed in truth.address_lists.items():
        if key == "list-vnet" and random.random() < 0.7:
            hidden = parse_cidr(random.choice(("10.0.0.0/8", "0.0.0.0/0", "203.0.113.0/24", "10.1.0.0/16")))
            listed = replace(
                listed, must=listed.must - (hidden if random.random() < 0.5 else EMPTY), may=listed.may | hidden
            )
            pair = truth.address_lists["list-internet"]
            lists["list-internet"] = replace(pair, must=PUBLIC - listed.may, may=REAL - listed.must)
        elif key == "list-internet":
            listed = lists.get(key, listed)
        elif key != "list-vnet" and random.random() < 0.3:
            extra = parse_cidr(random.choice(("10.0.0.0/8", "0.0.0.0/0", "203.0.113.0/24")))
            listed = replace(
                listed, must=listed.must if random.random() < 0.5 else EMPTY, may=listed.may | extra, reasons=WHY
            )
        lists[key] = listed
    peerings = {
        key: replace(one, active=None, reasons=WHY) if random.random() < 0.15 else one
        for key, one in truth.peerings.items()
    }
    tables = {key: _blur_table(one, random) for key, one in truth.route_tables.items()}
    subnets = {
        key: replace(one, internet_block="", internet_block_open=WHY) if random.random() < 0.1 else one
        for key, one in truth.subnets.items()
    }
    gateways = {
        key: replace(one, public=IntervalSet.of(given.place(f"{key}/public"))) if random.random() < 0.3 else one
        for key, one in truth.nat_gateways.items()
    }
    blurred = replace(
        truth,
        endpoints=endpoints,
        filters=filters,
        address_lists=lists,
        peerings=peerings,
        route_tables=tables,
        subnets=subnets,
        nat_gateways=gateways,
    )
    return Case(truth, blurred, places)


def _blur_filter(one: Filter, truth: RuleGraph, random: Random) -> Filter:
    rules = []
    lost = {Direction.INGRESS: False, Direction.EGRESS: False}
    for rule in one.rules:
        chance = random.random()
        if chance < 0.04:
            lost[rule.direction] = True
            continue
        if chance < 0.1:
            rule = replace(rule, exists=False, reasons=WHY)
        elif chance < 0.16:
            rule = replace(rule, peers=(UnknownPeer(WHY, "var.peer", EVERYWHERE),), reasons=WHY)
        elif chance < 0.2 and any(isinstance(peer, GroupMembers) for peer in rule.peers) and len(rule.peers) == 1:
            rule = replace(
                rule, peers=(UnknownPeer(WHY, "a group", EVERYWHERE, tuple(sorted(truth.groups))),), reasons=WHY
            )
        elif chance < 0.26:
            wider = rule.services | ports(TCP, 1, 1024)
            rule = replace(rule, services=rule.services if random.random() < 0.5 else EMPTY, services_may=wider)
        rules.append(rule)
    if random.random() < 0.1:  # a rule that isn't there after all
        extra = Rule(
            "ghost",
            random.choice(list(Direction)),
            Action.ALLOW if not one.ordered else random.choice((Action.ALLOW, Action.DENY)),
            (Addresses(IPV4, "0.0.0.0/0"),),
            service(random),
            HERE,
            priority=5 if one.ordered else None,
            exists=False,
        )
        rules.append(extra)
    return replace(
        one,
        rules=tuple(rules),
        open_ingress=WHY if lost[Direction.INGRESS] else (),
        open_egress=WHY if lost[Direction.EGRESS] else (),
    )


def _blur_table(one: RouteTable, random: Random) -> RouteTable:
    routes = []
    lost = False
    for route in one.routes:
        chance = random.random()
        if chance < 0.03 and route.via is not Via.LOCAL:
            lost = True
            continue
        if chance < 0.1 and route.via is not Via.LOCAL:
            route = replace(route, destinations=EMPTY, destinations_may=REAL, reasons=WHY)
        elif chance < 0.15 and route.via is not Via.LOCAL:
            route = Route(route.destinations, Via.UNKNOWN, HERE, route.text, reasons=WHY)
        routes.append(route)
    return replace(one, routes=tuple(routes), open=WHY if lost else ())
