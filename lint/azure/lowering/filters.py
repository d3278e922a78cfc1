"""NSGs and admin rules as ordered filters, one for each viewpoint from which their tags mean something else."""

from __future__ import annotations

from dataclasses import replace

from lint.azure.lowering.tags import Tags, Viewpoint
from lint.azure.model import (
    AddressOf,
    AdminRules,
    AnyAddress,
    Members,
    Model,
    Operand,
    Prefix,
    SecurityGroup,
    SecurityRule,
    Tag,
)
from lint.graph.places import Places
from lint.graph.rules import (
    Action,
    Addresses,
    Direction,
    Filter,
    GroupMembers,
    NamedAddresses,
    Peer,
    Rule,
    UnknownPeer,
)
from lint.origin import Origin, Reason
from lint.space.addresses import EVERYWHERE, PUBLIC
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES

NSG, ADMIN, PUBLIC_ADDRESS, PEERING = "nsg", "admin_rules", "public_address", "peering"
_ANY = Addresses(EVERYWHERE, "*")

# Azure network security groups overview, "Default security rules".
_DEFAULTS = (
    (Direction.INGRESS, 65000, "AllowVnetInBound", "VirtualNetwork", "VirtualNetwork", Action.ALLOW),
    (Direction.INGRESS, 65001, "AllowAzureLoadBalancerInBound", "AzureLoadBalancer", "*", Action.ALLOW),
    (Direction.INGRESS, 65500, "DenyAllInBound", "*", "*", Action.DENY),
    (Direction.EGRESS, 65000, "AllowVnetOutBound", "VirtualNetwork", "VirtualNetwork", Action.ALLOW),
    (Direction.EGRESS, 65001, "AllowInternetOutBound", "*", "Internet", Action.ALLOW),
    (Direction.EGRESS, 65500, "DenyAllOutBound", "*", "*", Action.DENY),
)


class Filters:
    """The filters of one graph, made as layers ask for them."""

    def __init__(self, model: Model, tags: Tags, places: Places) -> None:
        self.model = model
        self.tags = tags
        self.places = places
        self.filters: dict[str, Filter] = {}
        # Places of things that rules name by reference, in their order, each with its family.
        self.places_of: dict[tuple[str, bool], tuple[tuple[int, int | None], ...]] = {}
        self._by_viewpoint: dict[tuple[str, str, bool], str] = {}

    def security_group(self, key: str, view: Viewpoint, to_endpoint: bool = False) -> str:
        """The id of the filter of an NSG from a viewpoint.

        `to_endpoint`: at a private endpoint, where source ports count as any.
        """
        place = (key, view.id, to_endpoint)
        found = self._by_viewpoint.get(place)
        if found is not None:
            return found
        group = self.model.groups[key]
        made = key
        if made in self.filters:
            made = f"{key}@{view.id.partition('@')[2]}" + ("#private-endpoints" if to_endpoint else "")
        while made in self.filters:
            made += "'"
        self._by_viewpoint[place] = made
        self.filters[made] = self._filter(made, group, view, to_endpoint)
        return made

    def _filter(self, made: str, group: SecurityGroup, view: Viewpoint, to_endpoint: bool) -> Filter:
        rules = [self._rule(rule, view) for rule in (*group.rules, *default_rules(group))]
        if to_endpoint:
            rules = [replace(rule, source_ports=ALL_PORTS, source_ports_may=None) for rule in rules]
        return Filter(
            id=made,
            name=group.key if not group.key.startswith("/") else group.name,
            kind=NSG,
            rules=tuple(rules),
            origin=group.origin,
            ordered=True,
            default=Action.DENY,
            open_ingress=group.open_inbound,
            open_egress=group.open_outbound,
            notes=group.notes,
        )

    def admin_rules(self, admin: AdminRules, view: Viewpoint) -> str:
        """The id of the filter of admin rules from a viewpoint. Allow only hands over to the NSGs, as no match does."""
        place = (f"{admin.key}#{hash(admin.rules)}", view.id, False)
        found = self._by_viewpoint.get(place)
        if found is not None:
            return found
        made = f"{admin.key}@{view.id.partition('@')[2]}"
        while made in self.filters:
            made += "'"
        self._by_viewpoint[place] = made
        self.filters[made] = Filter(
            id=made,
            name=admin.name,
            kind=ADMIN,
            rules=tuple(self._rule(rule, view) for rule in admin.rules),
            origin=admin.origin,
            ordered=True,
            default=Action.ALLOW,
            open_ingress=admin.open,
            open_egress=admin.open,
        )
        return made

    def secure_by_default(self, view: Viewpoint, certain: bool, reasons: tuple[Reason, ...], origin: Origin) -> str:
        """The id of a filter that closes a Standard public address to the Internet where no NSG judges.

        "Public IP addresses in Azure": Standard is secure by default, closed to inbound traffic unless an NSG allows
        it.
        """
        made = f"azure:secure-by-default@{view.id.partition('@')[2]}" + ("" if certain else "?")
        if not certain:
            made += str(len([one for one in self.filters if one.startswith(made)]))
        if made not in self.filters:
            name, _ = self.tags.named("Internet", view, origin)
            rule = Rule(
                id="azure.pip.secure-by-default",
                direction=Direction.INGRESS,
                action=Action.DENY,
                peers=(NamedAddresses(name, "Internet"),),
                services=ALL_SERVICES,
                origin=origin,
                priority=1,
                exists=certain,
                reasons=reasons if not certain else (),
                name="secure by default",
                description="a Standard public address takes nothing from the Internet unless an NSG allows it",
                implied=True,
            )
            self.filters[made] = Filter(
                id=made,
                name="Standard public address without a network security group",
                kind=PUBLIC_ADDRESS,
                rules=(rule,),
                origin=origin,
                ordered=True,
                default=Action.ALLOW,
            )
        return made

    def access_off(self, network: str, spaces: IntervalSet, reason: Reason) -> str:
        """The id of a filter for a peering without network access where no NSG judges: nothing says what happens."""
        made = f"azure:peering-access-off@{network}"
        if made not in self.filters:
            rules = tuple(
                Rule(
                    id=f"{made}/{direction.value}",
                    direction=direction,
                    action=Action.DENY,
                    peers=(Addresses(spaces, "the peered address space"),),
                    services=ALL_SERVICES,
                    origin=reason.origin or Origin(),
                    priority=1,
                    exists=False,
                    reasons=(reason,),
                    implied=True,
                )
                for direction in Direction
            )
            self.filters[made] = Filter(
                made,
                "peering without virtual network access",
                PEERING,
                rules,
                reason.origin or Origin(),
                True,
                True,
                Action.ALLOW,
            )
        return made

    def _rule(self, rule: SecurityRule, view: Viewpoint) -> Rule:
        reasons = dict.fromkeys(rule.reasons)
        sources = self._peers(rule.sources, view, rule, reasons)
        destinations = self._peers(rule.destinations, view, rule, reasons)
        inbound = rule.direction is Direction.INGRESS
        peers, local = (sources, destinations) if inbound else (destinations, sources)
        everywhere = len(local) == 1 and local[0] == _ANY
        return Rule(
            id=rule.key,
            direction=rule.direction,
            action=rule.action,
            peers=peers,
            services=rule.services,
            origin=rule.origin,
            services_may=None if rule.services_may == rule.services else rule.services_may,
            source_ports=rule.source_ports,
            source_ports_may=None if rule.source_ports_may == rule.source_ports else rule.source_ports_may,
            local=None if everywhere else local,
            priority=rule.priority,
            exists=rule.exists,
            reasons=tuple(reasons),
            name=rule.name,
            description=rule.description,
            implied=rule.implied,
        )

    def _peers(
        self, operands: tuple[Operand, ...], view: Viewpoint, rule: SecurityRule, reasons: dict[Reason, None]
    ) -> tuple[Peer, ...]:
        out: list[Peer] = []
        literal: list[Prefix] = []
        for operand in operands:
            if isinstance(operand, AnyAddress):
                return (_ANY,)
            if isinstance(operand, Prefix):
                literal.append(operand)
            elif isinstance(operand, Tag):
                name, why = self.tags.named(operand.name, view, rule.origin)
                reasons.update(dict.fromkeys(why))
                out.append(NamedAddresses(name, operand.name))
            elif isinstance(operand, Members):
                out += self._members(operand, reasons)
            elif isinstance(operand, AddressOf):
                places = self._places(operand)
                if places:
                    out.append(Addresses(IntervalSet.of(*places), operand.text))
                else:
                    why_unknown = Reason(f"{operand.text} isn't known", "tf.unknown:address", rule.origin)
                    reasons[why_unknown] = None
                    out.append(UnknownPeer((why_unknown,), operand.text))
            else:
                reasons.update(dict.fromkeys(operand.reasons))
                may = EVERYWHERE if operand.within is None else operand.within
                out.append(UnknownPeer(operand.reasons, operand.text, may, operand.groups or None))
        for one in literal:
            out.append(Addresses(one.addresses, one.text))
        return tuple(out)

    def _places(self, operand: AddressOf) -> tuple[int, ...]:
        """The places that are certainly meant; none where that isn't known."""
        found = self.places_of.get((operand.key, operand.public), ())
        if operand.at is not None:
            found = found[operand.at : operand.at + 1]
        wanted = {None: (4, 6, None), 32: (4,), 128: (6,)}.get(operand.length, ())
        return tuple(place for place, _ in found) if all(family in wanted for _, family in found) else ()

    def _members(self, operand: Members, reasons: dict[Reason, None]) -> list[Peer]:
        group = self.model.application_groups.get(operand.group)
        name = group.name if group is not None else operand.text
        found: list[Peer] = [GroupMembers(operand.group, name)]
        if group is not None and group.prefix_sets:
            reason = Reason(
                f"{name} also holds address prefixes, and how they match isn't documented",
                f"azure.asg.prefix-set:{name}",
                group.origin,
            )
            reasons[reason] = None
            found.append(UnknownPeer((reason,), name, group.prefix_sets))
        return found


def default_rules(group: SecurityGroup) -> tuple[SecurityRule, ...]:
    """The rules that Azure appends to every NSG."""
    return tuple(
        SecurityRule(
            key=f"{group.key}/defaultSecurityRules/{name}",
            name=name,
            direction=direction,
            action=action,
            priority=priority,
            services=ALL_SERVICES,
            services_may=ALL_SERVICES,
            source_ports=ALL_PORTS,
            source_ports_may=ALL_PORTS,
            sources=(AnyAddress() if source == "*" else Tag(source),),
            destinations=(AnyAddress() if destination == "*" else Tag(destination),),
            origin=group.origin,
            implied=True,
        )
        for direction, priority, name, source, destination, action in _DEFAULTS
    )


def lint_rules(model: Model) -> list[str]:
    """What a person should know of NSG rules although no verdict depends on it."""
    public = {
        one.address: one.name
        for one in model.public_addresses.values()
        if one.address is not None and one.address in PUBLIC
    }
    found: list[str] = []
    for group in model.groups.values():
        for rule in group.rules:
            if rule.direction is not Direction.INGRESS:
                continue
            for operand in rule.destinations:
                if isinstance(operand, AddressOf) and operand.public:
                    name = operand.key
                elif isinstance(operand, Prefix) and operand.addresses.size == 1:
                    held = public.get(operand.addresses.first)
                    if held is None:
                        continue
                    name = held
                else:
                    continue
                found.append(
                    f"rule {rule.name!r} of {group.name} names the public address {name} as its destination; "
                    "NSGs see private addresses, so it never matches (azure.rule.public-ip-dest)"
                )
    return found
