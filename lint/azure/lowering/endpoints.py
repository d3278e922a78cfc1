"""Interfaces, balancers and hypothetical machines as endpoints with their addresses and layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lint.azure.lowering.balancers import Backend, Served, frontend_layers
from lint.azure.lowering.filters import ADMIN, NSG, PEERING, PUBLIC_ADDRESS, Filters
from lint.azure.lowering.links import joined
from lint.azure.lowering.tags import Tags, Viewpoint
from lint.azure.model import (
    ApplicationSecurityGroup,
    Attachment,
    Frontend,
    Interface,
    IpConfiguration,
    LoadBalancer,
    Machine,
    Members,
    Model,
    NatGateway,
    PublicAddress,
    SecurityGroup,
    Subnet,
)
from lint.azure.records import PROVISIONAL
from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.places import Places
from lint.origin import Reason
from lint.space.addresses import IPV4, IPV6, PRIVATE, REAL
from lint.space.intervals import EMPTY, IntervalSet

PRIVATE_ENDPOINTS = "#private-endpoints"  # the part of a subnet whose layers may differ: its private endpoints
BALANCERS = "#balancers"  # the part that no layer of the subnet guards: frontends of balancers
_NSG_ON_ENDPOINTS = ("enabled", "networksecuritygroupenabled")
# "Security admin rules in Azure Virtual Network Manager": not applied to the subnets of these services.
ADMIN_EXEMPT = (
    "azurebastionsubnet",
    "azurefirewallsubnet",
    "azurefirewallmanagementsubnet",
    "routeserversubnet",
    "gatewaysubnet",
)


class Layers:
    """The layers of subnets and interfaces."""

    def __init__(self, model: Model, tags: Tags, filters: Filters) -> None:
        self.model = model
        self.tags = tags
        self.filters = filters

    def of_subnet(self, subnet: Subnet, to_endpoints: bool) -> tuple[Layer, ...]:
        """NSG, then admin rules, at a subnet. Nearest to the machine first, as the graph asks."""
        view = self.tags.of_subnet(subnet)
        layers: list[Layer] = []
        if not to_endpoints:
            layers += self._group(subnet.group, view)
            layers += self._admin(subnet, view)
            layers += self._access_off(subnet)
            return tuple(layers)
        if subnet.endpoint_policies is None:
            held = self._group(subnet.group, view, to_endpoint=True)
            layers += [
                Layer(one.kind, one.filters, open=(*one.open, *subnet.endpoint_policies_reasons)) for one in held
            ]
        elif subnet.endpoint_policies in _NSG_ON_ENDPOINTS:
            layers += self._group(subnet.group, view, to_endpoint=True)
        return tuple(layers)

    def _group(self, attached: Attachment, view: Viewpoint, to_endpoint: bool = False) -> list[Layer]:
        if attached.key is not None and attached.key in self.model.groups:
            made = self.filters.security_group(attached.key, view, to_endpoint)
            return [Layer(NSG, (made,), open=attached.open)]
        if attached.open:
            return [Layer(NSG, (), open=attached.open)]
        return []

    def _admin(self, subnet: Subnet, view: Viewpoint) -> list[Layer]:
        admin = self.model.admin_rules.get(subnet.network)
        if admin is None or subnet.name.lower() in ADMIN_EXEMPT:
            return []
        network = self.model.networks[subnet.network]
        opened: tuple[Reason, ...] = ()
        if network.injected:
            opened = (
                Reason(
                    f"{network.name} holds a service that keeps admin rules off by its network intent policy",
                    "azure.intent-policy",
                    network.origin,
                ),
            )
        return [Layer(ADMIN, (self.filters.admin_rules(admin, view),), open=opened)]

    def _access_off(self, subnet: Subnet) -> list[Layer]:
        """Peerings without virtual network access, where no NSG judges what that means."""
        if subnet.group.key is not None or subnet.group.open:
            return []
        spaces = EMPTY
        reason: Reason | None = None
        for one in joined(self.model, subnet.network):
            if one.peering.access is not True and one.active is not False:
                spaces = spaces | one.space.may
                reason = Reason(
                    f"peering {one.peering.name} forbids virtual network access, and without a network security group "
                    "nothing says what that does",
                    "azure.peering.access-off-no-nsg",
                    one.peering.origin,
                )
        if reason is None:
            return []
        return [Layer(PEERING, (self.filters.access_off(subnet.network, spaces, reason),))]

    def of_interface(
        self, interface: Interface, view: Viewpoint, standard: bool | None, ingress: bool
    ) -> tuple[Layer, ...]:
        """The NIC's own NSG; or the closed door of a Standard public address where there is none at all."""
        if interface.kind == "private_endpoint":
            return ()
        layers = self._group(interface.group, view)
        if ingress and standard is not False:
            subnets = [self.model.subnets.get(one.subnet.key or "") for one in interface.configurations]
            attached = [interface.group, *(one.group for one in subnets if one is not None)]
            judged = any(one.key is not None and not one.open for one in attached)
            hidden = any(one.open for one in attached) or any(one is None for one in subnets)
            if not judged:
                certain = standard is True and not hidden
                reason = Reason(
                    f"whether the public address of {interface.name} is closed by default depends on its SKU and on "
                    "network security groups that the source doesn't settle",
                    "azure.pip.secure-by-default",
                    interface.origin,
                    "set the SKU",
                )
                made = self.filters.secure_by_default(view, certain, (reason,), interface.origin)
                layers.append(Layer(PUBLIC_ADDRESS, (made,)))
        return tuple(layers)


class Endpoints:
    """All endpoints of one graph."""

    def __init__(self, model: Model, tags: Tags, filters: Filters, places: Places) -> None:
        self.model = model
        self.filters = filters
        self.tags = tags
        self.places = places
        self.layers = Layers(model, tags, filters)
        self.endpoints: dict[str, Endpoint] = {}
        self.of_configuration: dict[str, str] = {}  # ip configuration key: endpoint id
        self.pools: dict[str, list[str]] = {}  # pool key: ip configuration keys
        self.nat_rules: dict[str, list[str]] = {}
        self.by_configuration: dict[str, IpConfiguration] = {}
        self._open_pools: dict[Reason, None] = {}  # why interfaces may be in further pools
        self._known: set[int | None] = set()  # private addresses that interfaces of the source have
        for interface in model.interfaces.values():
            for one in interface.configurations:
                self.by_configuration[one.key] = one
                self._known.add(one.address)
                self._open_pools.update(dict.fromkeys(one.pools_open))
                for pool in one.pools:
                    self.pools.setdefault(pool, []).append(one.key)
                for rule in one.nat_rules:
                    self.nat_rules.setdefault(rule, []).append(one.key)
        for balancer in model.balancers.values():
            for pool, places_in in balancer.pool_addresses.items():
                for interface in model.interfaces.values():
                    for one in interface.configurations:
                        if one.address is not None and one.address in places_in:
                            self.pools.setdefault(pool, []).append(one.key)

    def prepare(self) -> None:
        """Gives every address its place before any rule names one."""
        places_of = self.filters.places_of
        held = {one for gateway in self.model.nat_gateways.values() for one in gateway.addresses}
        for interface in self.model.interfaces.values():
            places_of[interface.key, False] = tuple((self._place(one), one.family) for one in interface.configurations)
            for one in interface.configurations:
                place = self._place(one)
                home = self.model.subnets.get(one.subnet.key or "")
                if home is not None and not one.subnet.open:
                    inside = self.tags.inside.get(home.network, EMPTY)
                    self.tags.inside[home.network] = inside | IntervalSet.of(place)
                if one.public.key is not None:
                    held.add(one.public.key)
            seen = [(self._public(one), one.family) for one in interface.configurations]
            places_of[interface.key, True] = tuple((one[0], family) for one, family in seen if one[0] is not None)
        for machine in self.model.machines.values():
            if machine.interfaces_open or not all((one, False) in places_of for one in machine.interfaces):
                continue
            for is_public in (False, True):
                joined = tuple(pair for one in machine.interfaces for pair in places_of[one, is_public])
                places_of.setdefault((machine.key, is_public), joined)
        for address in self.model.public_addresses.values():
            # One that nothing here has may be lent by a balancer, or belong to what isn't modelled.
            if address.key in held or address.address is not None:
                places_of[address.key, True] = ((self._seen(address), address.family),)

    def _seen(self, address: PublicAddress) -> int:
        return address.address if address.address is not None else self.places.place(f"public:{address.key}")

    def seen_behind(self, gateway: NatGateway) -> IntervalSet:
        """What the Internet sees of the machines behind a NAT gateway."""
        known = [self._seen(self.model.public_addresses[key]) for key in gateway.addresses]
        if gateway.more or not (known or gateway.public):
            known.append(self.places.place(f"public:{gateway.key}"))
        return gateway.public | IntervalSet.of(*known)

    def _place(self, one: IpConfiguration) -> int:
        return one.address if one.address is not None else self.places.place(f"private:{one.key}")

    def _public(self, one: IpConfiguration) -> tuple[int | None, bool | None, tuple[Reason, ...]]:
        """The public place, whether there is one, and why that isn't known."""
        attached = one.public
        if attached.key is not None:
            address = self.model.public_addresses.get(attached.key)
            if address is not None:
                place = self._seen(address)
                if attached.open or not address.exists:
                    return place, None, attached.open
                return place, True, ()
        if attached.missing is not None:
            return self.places.place(f"public:{attached.missing}"), True, attached.open
        if attached.open:
            return None, None, attached.open
        if one.implicit_public:
            return self.places.place(f"public:{one.key}"), True, ()
        return None, False, ()

    def build(self) -> dict[str, Endpoint]:
        """All endpoints: interfaces, balancers, and those that stand for machines to come."""
        for interface in self.model.interfaces.values():
            made = self._interface(interface)
            self.endpoints[made.id] = made
        for balancer in self.model.balancers.values():
            for endpoint in self._balancer(balancer):
                self.endpoints[endpoint.id] = endpoint
        for machine in self.model.machines.values():
            if not any(one in self.model.interfaces for one in machine.interfaces):
                unseen = self._unseen(machine)
                self.endpoints[unseen.id] = unseen
        self._hypothetical()
        return self.endpoints

    def _interface(self, interface: Interface) -> Endpoint:
        machine = self.model.machines.get(interface.machine or "")
        identity, name = interface.key, interface.name
        aliases = list(interface.aliases)
        tags, tags_open = dict(interface.tags), interface.tags_open
        exists, reasons = interface.exists, interface.reasons
        if machine is not None:
            aliases += [machine.name, *machine.aliases]
            tags = {**tags, **dict(machine.tags)}
            tags_open = (*tags_open, *machine.tags_open)
            name = machine.name or name
            exists, reasons = exists and machine.exists, reasons + machine.reasons
            if len(machine.interfaces) == 1 and not machine.interfaces_open and not machine.key.startswith("/"):
                aliases.append(identity)
                identity = machine.key
            else:
                aliases.append(machine.key)
        elif interface.machine is not None:
            aliases.append(interface.machine)
            name = interface.machine.rpartition("/")[2] if interface.machine.startswith("/") else name
        subnets = [self.model.subnets.get(one.subnet.key or "") for one in interface.configurations]
        first = next((one for one in subnets if one is not None), None)
        view = self.tags.of_subnet(first) if first is not None else self.tags.unknown(self._subnet_reasons(interface))
        standard, ingress = self._ingress(interface)
        layers = list(self.layers.of_interface(interface, view, standard, ingress))
        if first is None and interface.kind != "private_endpoint":
            layers.append(Layer(NSG, (), open=self._subnet_reasons(interface)))
        addresses = tuple(self._address(interface, one, machine) for one in interface.configurations)
        groups = tuple(dict.fromkeys(group for one in interface.configurations for group in one.groups))
        groups_open = tuple(dict.fromkeys(reason for one in interface.configurations for reason in one.groups_open))
        for one in interface.configurations:
            self.of_configuration[one.key] = identity
        return Endpoint(
            id=identity,
            name=name,
            kind={"network_interface": "instance" if interface.machine else "network_interface"}.get(
                interface.kind, interface.kind
            ),
            addresses=addresses,
            groups=groups,
            layers=tuple(layers),
            origin=machine.origin if machine is not None and identity == machine.key else interface.origin,
            groups_open=groups_open,
            network=first.network if first is not None else None,
            aliases=_shown(aliases, identity),
            tags=tuple(sorted(tags.items())),
            tags_open=tuple(dict.fromkeys(tags_open)),
            account=interface.subscription,
            region=interface.location,
            exists=exists,
            initiates=interface.kind != "private_endpoint",
            forwards=interface.forwarding,
            reasons=tuple(dict.fromkeys(reasons)),
        )

    def _subnet_reasons(self, interface: Interface) -> tuple[Reason, ...]:
        found = dict.fromkeys(reason for one in interface.configurations for reason in one.subnet.open)
        return tuple(found) or (
            Reason(f"the subnet of {interface.name} isn't in the source", "azure.coverage:subnets", interface.origin),
        )

    def _ingress(self, interface: Interface) -> tuple[bool | None, bool]:
        """Whether every public way in is Standard (None: not known or mixed), and whether there is one at all."""
        kinds: set[bool | None] = set()
        for one in interface.configurations:
            if one.public.key is not None and one.public.key in self.model.public_addresses:
                kinds.add(self.model.public_addresses[one.public.key].standard)
            elif one.public.open or one.public.missing:
                kinds.add(None)
            elif one.implicit_public:
                kinds.add(True if interface.flexible else None)
            for balancer in self.model.balancers.values():
                if any(
                    set(rule.pools) & set(one.pools) or one.key in rule.targets or rule.key in one.nat_rules
                    for rule in balancer.rules
                ) and any(front.public.key or front.public.open for front in balancer.frontends):
                    kinds.add(balancer.standard)
        if not kinds:
            return None, False
        return (kinds.pop() if len(kinds) == 1 else None), True

    def _address(self, interface: Interface, one: IpConfiguration, machine: Machine | None) -> Address:
        subnet = self.model.subnets.get(one.subnet.key or "")
        place = self._place(one)
        if one.address is not None:
            within = IntervalSet.of(one.address)
        else:
            within = self._within(subnet, one.family)
        public, exists, reasons = self._public(one)
        identity = subnet.key if subnet is not None else None
        if subnet is not None and interface.kind == "private_endpoint":
            identity = subnet.key + PRIVATE_ENDPOINTS
        everywhere = {group for other in interface.configurations for group in other.groups}
        return Address(
            place=place,
            within=within,
            subnet=identity,
            public=public,
            public_exists=exists,
            public_reasons=reasons,
            groups=one.groups if set(one.groups) != everywhere else None,
            lent_egress=self._lent(one),
            default_egress=not (interface.flexible or self._other_public(interface, one, machine)),
        )

    def _within(self, subnet: Subnet | None, family: int) -> IntervalSet:
        side = IPV6 if family == 6 else IPV4
        if subnet is None:
            return side
        exact = subnet.space.must & side
        if exact and subnet.space.must == subnet.space.may:
            return exact
        bound = subnet.space.may & side
        network = self.model.networks.get(subnet.network)
        if bound == side and network is not None:
            bound = network.space.may & side
        return bound or side

    def _lent(self, one: IpConfiguration) -> bool | None:
        """Whether a balancer lends this address a way out, by an outbound rule or a rule that translates sources."""
        found: bool | None = None if one.pools_open else False
        for balancer in self.model.balancers.values():
            public = any(front.public.key or front.public.open for front in balancer.frontends)
            if not public:
                continue
            if set(balancer.outbound) & set(one.pools):
                return True
            if any(rule.snat and set(rule.pools) & set(one.pools) for rule in balancer.rules):
                return True
        return found

    def _other_public(self, interface: Interface, one: IpConfiguration, machine: Machine | None) -> bool:
        """Whether another NIC of the machine has a Standard public address.

        That takes default outbound access away ("Default outbound access in Azure").
        """
        keys = machine.interfaces if machine is not None else (interface.key,)
        for key in keys:
            held = self.model.interfaces.get(key)
            for other in held.configurations if held is not None else ():
                address = self.model.public_addresses.get(other.public.key or "")
                if other.key != one.key and address is not None and address.standard:
                    return True
        return False

    def _balancer(self, balancer: LoadBalancer) -> Iterator[Endpoint]:
        alone = len(balancer.frontends) == 1
        for front in balancer.frontends:
            identity = balancer.key if alone else front.key
            served = self._served(balancer, front)
            network = self._front_network(front, served)
            home = self.model.networks.get(network or "")
            space = home.space.may if home is not None else EMPTY
            inside = PRIVATE | (space if space != REAL else EMPTY)
            yield Endpoint(
                id=identity,
                name=balancer.name if alone else f"{balancer.name}/{front.name}",
                kind="load_balancer",
                addresses=(self._frontend(front, served),),
                groups=(),
                layers=frontend_layers(self.filters, front, identity, served, inside, balancer.origin),
                origin=balancer.origin,
                network=network,
                aliases=_shown([*balancer.aliases, front.key, front.name], identity),
                tags=balancer.tags,
                initiates=False,
                reasons=balancer.reasons,
            )

    def _served(self, balancer: LoadBalancer, front: Frontend) -> list[Served]:
        """The rules of a frontend with their backends."""
        found: list[Served] = []
        for rule in balancer.rules:
            if rule.frontend is not None and rule.frontend != front.key:
                continue
            keys = [one for pool in rule.pools for one in self.pools.get(pool, ())]
            keys += [*rule.targets, *self.nat_rules.get(rule.key, ())]
            backends: list[Backend] = []
            for key in dict.fromkeys(keys):
                one = self.by_configuration.get(key)
                if one is not None:
                    subnet = self.model.subnets.get(one.subnet.key or "")
                    here = self.endpoints[self.of_configuration[key]].layers
                    there = self.layers.of_subnet(subnet, False) if subnet is not None else ()
                    within = (
                        IntervalSet.of(one.address) if one.address is not None else self._within(subnet, one.family)
                    )
                    backends.append(Backend(one, within, (*here, *there)))
            unseen: list[Reason] = []
            if rule.frontend is None:
                unseen.append(Reason(f"the frontend of {rule.name} isn't known", "azure.lb", rule.origin))
            for pool in rule.pools:
                if any(place not in self._known for place in balancer.pool_addresses.get(pool, ())):
                    unseen.append(
                        Reason(
                            f"a backend of {rule.name} isn't in the source",
                            "azure.coverage:networkInterfaces",
                            rule.origin,
                        )
                    )
            unseen += self._open_pools
            found.append(Served(rule, tuple(backends), tuple(dict.fromkeys(unseen))))
        return found

    def _front_network(self, front: Frontend, served: list[Served]) -> str | None:
        own = self._network(front)
        if own is not None:
            return own
        for one in served:
            for backend in one.backends:
                subnet = self.model.subnets.get(backend.configuration.subnet.key or "")
                if subnet is not None:
                    return subnet.network
        return None

    def frontend_id(self, balancer: LoadBalancer, front: Frontend) -> str:
        """The endpoint id of a frontend."""
        return balancer.key if len(balancer.frontends) == 1 else front.key

    def _network(self, front: Frontend) -> str | None:
        subnet = self.model.subnets.get(front.subnet.key or "")
        return subnet.network if subnet is not None else None

    def _frontend(self, front: Frontend, served: list[Served]) -> Address:
        """A frontend's address. Replies take the routes of the backends' subnet, so a public frontend stands there."""
        subnet = self.model.subnets.get(front.subnet.key or "")
        if subnet is not None or front.subnet.open:
            place = front.address if front.address is not None else self.places.place(f"private:{front.key}")
            within = IntervalSet.of(place) if front.address is not None else self._within(subnet, front.family)
            return Address(place, within, subnet.key + BALANCERS if subnet is not None else None)
        fake = IpConfiguration(front.key, front.name, front.subnet, front.family, None, front.public)
        public, exists, reasons = self._public(fake)
        place = self.places.place(f"private:{front.key}")
        homes = [self.model.subnets.get(b.configuration.subnet.key or "") for one in served for b in one.backends]
        home = next((one for one in homes if one is not None), None)
        return Address(
            place,
            self._within(home, front.family),
            home.key + BALANCERS if home is not None else None,
            public,
            exists,
            reasons,
        )

    def _unseen(self, machine: Machine) -> Endpoint:
        """A machine whose NICs the source doesn't show: everything about it is open."""
        reasons = machine.interfaces_open or (
            Reason(
                f"the network interfaces of {machine.name} aren't in the source",
                "azure.coverage:networkInterfaces",
                machine.origin,
            ),
        )
        return Endpoint(
            id=machine.key,
            name=machine.name,
            kind="instance",
            addresses=(Address(self.places.place(f"private:{machine.key}"), IPV4, None, None, None, reasons),),
            groups=(),
            layers=(Layer(NSG, (), open=reasons),),
            origin=machine.origin,
            groups_open=reasons,
            aliases=_shown(machine.aliases, machine.key),
            tags=machine.tags,
            tags_open=machine.tags_open,
            exists=machine.exists,
            reasons=machine.reasons,
        )

    def _hypothetical(self) -> None:
        """An NSG or ASG that nothing carries stands for any machine that will be in its subnets, or carry it."""
        carrying: set[str] = set()
        for interface in self.model.interfaces.values():
            if interface.kind == "private_endpoint":
                continue
            carrying.add(interface.group.key or "")
            for one in interface.configurations:
                subnet = self.model.subnets.get(one.subnet.key or "")
                if subnet is not None:
                    carrying.add(subnet.group.key or "")
                carrying.update(one.groups)
        guarded: dict[str, list[Subnet]] = {}
        for one_subnet in self.model.subnets.values():
            guarded.setdefault(one_subnet.group.key or "", []).append(one_subnet)
        naming: dict[str, list[SecurityGroup]] = {}
        for group in self.model.groups.values():
            for name in _named_groups(group):
                naming.setdefault(name, []).append(group)
        for group in self.model.groups.values():
            if group.key in carrying:
                continue
            subnets = guarded.get(group.key, [])
            self.endpoints[group.key] = self._to_come(group, (), subnets, () if subnets else (group,))
        for asg in self.model.application_groups.values():
            if asg.key in carrying or asg.open:
                continue
            rulers = naming.get(asg.key, [])
            subnets = [subnet for one in rulers for subnet in guarded.get(one.key, ())]
            alone = [one for one in rulers if one.key not in guarded]
            self.endpoints[asg.key] = self._to_come(asg, (asg.key,), subnets, tuple(alone[:1]) if not subnets else ())

    def _to_come(
        self,
        owner: SecurityGroup | ApplicationSecurityGroup,
        groups: tuple[str, ...],
        subnets: list[Subnet],
        own: tuple[SecurityGroup, ...],
    ) -> Endpoint:
        key, name = owner.key, owner.name
        addresses = tuple(
            Address(
                self.places.place(f"to-come:{key}@{subnet.key}"),
                self._within(subnet, 4),
                subnet.key,
                None,
                True,
            )
            for subnet in subnets
        ) or (Address(self.places.place(f"to-come:{key}"), PRIVATE & IPV4, None, None, True),)
        layers = tuple(Layer(NSG, (self.filters.security_group(one.key, self.tags.nowhere()),)) for one in own)
        origin = owner.origin
        return Endpoint(
            id=key,
            name=name,
            kind="group",
            addresses=addresses,
            groups=groups,
            layers=layers,
            origin=origin,
            network=subnets[0].network if len({one.network for one in subnets}) == 1 else None,
            aliases=_shown(getattr(owner, "aliases", ()), key),
            tags=getattr(owner, "tags", ()),
            account=getattr(owner, "subscription", None),
            region=getattr(owner, "location", None),
            hypothetical=True,
        )


def _named_groups(group: SecurityGroup) -> set[str]:
    """The application security groups that an NSG's rules name."""
    return {
        one.group for rule in group.rules for one in (*rule.sources, *rule.destinations) if isinstance(one, Members)
    }


def _shown(aliases: Iterable[str], identity: str) -> tuple[str, ...]:
    """The names that select an endpoint: not its id, and none that is only this room's."""
    return tuple(dict.fromkeys(one for one in aliases if one and one != identity and not one.startswith(PROVISIONAL)))
