"""Service tags as address lists.

VirtualNetwork from each subnet's own viewpoint, Internet as its complement, others from data.
"""

from __future__ import annotations

from dataclasses import dataclass

from lint.azure.lowering.links import joined
from lint.azure.model import AddressSpace, Model, Prefix, Subnet, Tag
from lint.graph.rules import AddressList
from lint.origin import Origin, Reason
from lint.space.addresses import IPV4, PRIVATE, PUBLIC, REAL, parse_cidr, parse_cidrs
from lint.space.intervals import EMPTY, IntervalSet

PLATFORM = parse_cidr("168.63.129.16/32")  # "What is IP address 168.63.129.16?"
METADATA = parse_cidr("169.254.169.254/32")
# Where a gateway's prefixes aren't known: the blocks with a system route to None ("Azure virtual network traffic
# routing").
RESERVED = parse_cidrs("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
ROUTABLE = PUBLIC - PLATFORM
_COMPUTED = ("virtualnetwork", "internet", "azureloadbalancer")
_PLATFORM_TAGS = {"azureplatformdns": PLATFORM, "azureplatformimds": METADATA, "azureplatformlkm": EMPTY}
_SPELLING = {
    "virtualnetwork": "VirtualNetwork",
    "internet": "Internet",
    "azureloadbalancer": "AzureLoadBalancer",
    "azureplatformdns": "AzurePlatformDNS",
    "azureplatformimds": "AzurePlatformIMDS",
    "azureplatformlkm": "AzurePlatformLKM",
}


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """What VirtualNetwork means at one place: certainly `must`, at most `may`. `id` is the list's id in the graph."""

    id: str
    must: IntervalSet
    may: IntervalSet
    reasons: tuple[Reason, ...]
    outside: AddressSpace | None = None  # what Internet means here, where that is told apart from the complement

    @property
    def internet(self) -> str:
        """The id of the complement."""
        return self.id.replace("VirtualNetwork", "Internet", 1)


class Tags:
    """The address lists of one graph, made as rules ask for them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.lists: dict[str, AddressList] = {}
        self.notes: dict[str, None] = {}
        self.inside: dict[str, IntervalSet] = {}  # by network: the places of machines that certainly are in it
        self._by_sets: dict[tuple[IntervalSet, IntervalSet, tuple[Reason, ...], AddressSpace | None], Viewpoint] = {}
        self._by_subnet: dict[str, Viewpoint] = {}

    def of_subnet(self, subnet: Subnet) -> Viewpoint:
        """The viewpoint of a NIC in this subnet."""
        found = self._by_subnet.get(subnet.key)
        if found is None:
            must, may, reasons = self._virtual_network(subnet)
            told = self.model.verified.tags.get((subnet.key, "virtualnetwork"))
            if told is not None:
                must, may, reasons = told.must, told.may, told.reasons
            outside = self.model.verified.tags.get((subnet.key, "internet"))
            found = self._by_subnet[subnet.key] = self._viewpoint(subnet.key, must, may, reasons, outside)
        return found

    def nowhere(self) -> Viewpoint:
        """The viewpoint of a machine that doesn't exist yet: its virtual network is somewhere in private space."""
        return self._viewpoint("anywhere", PLATFORM, PRIVATE | PLATFORM, ())

    def unknown(self, reasons: tuple[Reason, ...]) -> Viewpoint:
        """The viewpoint of a NIC whose subnet isn't known."""
        return self._viewpoint("unknown", PLATFORM, REAL, reasons)

    def _viewpoint(
        self,
        at: str,
        must: IntervalSet,
        may: IntervalSet,
        reasons: tuple[Reason, ...],
        outside: AddressSpace | None = None,
    ) -> Viewpoint:
        key = (must, may, reasons, outside)
        found = self._by_sets.get(key)
        if found is None:
            found = self._by_sets[key] = Viewpoint(f"azure:VirtualNetwork@{at}", must, may, reasons, outside)
        return found

    def _virtual_network(self, subnet: Subnet) -> tuple[IntervalSet, IntervalSet, tuple[Reason, ...]]:
        """Own, peered and on-premises space, and prefixes of routes ("Azure service tags overview")."""
        model = self.model
        reasons: list[Reason] = []
        must = may = PLATFORM
        network = model.networks.get(subnet.network)
        if network is None:
            return PLATFORM, REAL, ()
        held = network.space.must | self.inside.get(network.key, EMPTY)
        must, may = must | held, may | held | network.space.may
        reasons += network.space.reasons
        if network.elsewhere:
            may = may | RESERVED
            reasons += network.elsewhere
        remote_gateways = False
        for one in joined(model, subnet.network):
            peering = one.peering
            remote_gateways = remote_gateways or peering.use_remote_gateways is not False
            if one.active is False or peering.access is False:
                continue
            may = may | one.space.may
            if one.active and peering.access and peering.whole:
                held = one.space.must | self.inside.get(peering.remote or "", EMPTY)
                must, may = must | held, may | held
                reasons += one.space.reasons
            elif one.active and peering.access:
                reasons.append(
                    Reason(
                        f"whether VirtualNetwork holds all of {peering.remote_text} isn't documented for subnets",
                        "azure.peering.subnets",
                        peering.origin,
                    )
                )
            else:
                reasons += one.reasons or peering.reasons
        for gateway in model.gateways.values():
            if gateway.network != subnet.network:
                continue
            may = may | (gateway.prefixes if gateway.prefixes is not None else RESERVED)
            reasons += gateway.open
            reasons.append(
                Reason(
                    f"VirtualNetwork also holds what lies behind {gateway.name}"
                    + ("" if gateway.prefixes is not None else ", which isn't known"),
                    "azure.bgp" if gateway.bgp else "azure.route.gateway",
                    gateway.origin,
                )
            )
        if remote_gateways:
            may = may | RESERVED
            reasons.append(Reason("a peering uses the other side's gateway", "azure.route.gateway", network.origin))
        table = model.route_tables.get(subnet.route_table.key or "")
        if subnet.route_table.open and table is None:
            may = REAL
            reasons += subnet.route_table.open
        if table is not None:
            if table.open:
                may = REAL
                reasons += table.open
            for hop in table.hops:
                prefix = self.addresses_of(hop.prefix)
                if prefix <= must:
                    continue
                may = may | prefix
                default = not prefix.isdisjoint(PUBLIC) and prefix.size >= IPV4.size
                reasons.append(
                    Reason(
                        "under a default route the VirtualNetwork tag may hold every address"
                        if default
                        else f"the prefix of route {hop.name or hop.kind} may belong to VirtualNetwork",
                        "azure.tag.virtualnetwork-default-route" if default else "azure.tag.virtualnetwork-route",
                        hop.origin,
                        "deny the Internet explicitly, or give the source addresses" if default else None,
                    )
                )
        return must, may, tuple(dict.fromkeys(reasons))

    def addresses_of(self, operand: object) -> IntervalSet:
        """At most these real addresses are meant by a route's prefix."""
        if isinstance(operand, Prefix):
            return operand.addresses
        if isinstance(operand, Tag):
            data = self.model.service_tags.prefixes.get(operand.name.lower())
            return data if data is not None else ROUTABLE
        return REAL

    def named(self, name: str, view: Viewpoint, origin: Origin) -> tuple[str, tuple[Reason, ...]]:
        """The id of the list that a rule's tag names here, and why it isn't certain what it holds."""
        lowered = name.strip().lower()
        catalogue = _SPELLING.get(lowered) or self.model.service_tags.spelling.get(lowered)
        if catalogue is not None and catalogue != name:
            self.notes[
                f"service tag `{name}` is written `{catalogue}`; the portal and Azure Firewall mind the case"
            ] = None
        if lowered == "virtualnetwork":
            self._pair(view, origin)
            return view.id, view.reasons if view.must != view.may else ()
        if lowered == "internet":
            self._pair(view, origin)
            return view.internet, self.lists[view.internet].reasons if view.outside or view.must != view.may else ()
        if lowered == "azureloadbalancer":
            return self._list("azure:tag:azureloadbalancer", "AzureLoadBalancer", PLATFORM, PLATFORM, origin), ()
        platform = _PLATFORM_TAGS.get(lowered)
        if platform is not None:
            return self._list(f"azure:tag:{lowered}", catalogue or name, platform, platform, origin), ()
        told = self.model.verified.tags.get(("", lowered))
        if told is not None:
            why = told.reasons if told.must != told.may else ()
            return self._list(f"azure:tag:{lowered}", catalogue or name, told.must, told.may, origin, why), why
        data = self.model.service_tags.prefixes.get(lowered)
        if data is not None:
            return self._list(f"azure:tag:{lowered}", catalogue or name, data, data, origin), ()
        reason = Reason(
            f"the addresses of service tag {name} aren't known",
            f"azure.tag.no-data:{name}",
            origin,
            "give the service tags file",
        )
        may = REAL - view.must
        key = f"azure:tag:{lowered}@{view.id.partition('@')[2]}"
        return self._list(key, name, EMPTY, may, origin, (reason,)), (reason,)

    def _pair(self, view: Viewpoint, origin: Origin) -> None:
        if view.id in self.lists:
            return
        self.lists[view.id] = AddressList(view.id, "VirtualNetwork", view.must, view.may, origin, view.reasons)
        if view.outside is not None:
            told, reasons = view.outside, (*view.reasons, *view.outside.reasons)
            self.lists[view.internet] = AddressList(view.internet, "Internet", told.must, told.may, origin, reasons)
            return
        self.lists[view.internet] = AddressList(
            view.internet,
            "Internet",
            ROUTABLE - view.may,
            REAL - view.must,
            origin,
            view.reasons,
            complement_of=view.id,
        )

    def _list(
        self, key: str, name: str, must: IntervalSet, may: IntervalSet, origin: Origin, reasons: tuple[Reason, ...] = ()
    ) -> str:
        self.lists.setdefault(key, AddressList(key, name, must, may, origin, reasons))
        return key


def is_computed(name: str) -> bool:
    """Whether a tag needs no data."""
    return name.lower() in _COMPUTED
