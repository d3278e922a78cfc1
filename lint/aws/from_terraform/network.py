"""VPCs and subnets of Terraform: their prefixes, and what is known of them where they are only looked up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lint.aws.from_terraform import facts
from lint.aws.from_terraform.index import FROM_OUTSIDE, Found, Index, Node
from lint.aws.from_terraform.places import account_of, display_name, region_of
from lint.aws.model.links import NOWHERE, Link
from lint.aws.model.network import Subnet, Vpc
from lint.origin import Problem, Reason
from lint.space.addresses import IPV4, IPV6, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.terraform.values import Value, as_text, is_known, is_null, unknown_reasons

VPC_TYPES = ("aws_vpc", "aws_default_vpc")
BLOCK_MODES = {"off": "", "block-ingress": "ingress", "block-bidirectional": "bidirectional"}
SUBNET_TYPES = ("aws_subnet", "aws_default_subnet")
DEFAULTS = ("main_route_table_id", "default_route_table_id", "default_network_acl_id")


@dataclass(slots=True)
class Networks:
    """VPCs and subnets, while they are being read."""

    index: Index
    problems: list[Problem]
    vpcs: dict[str, Vpc] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    _defaults: dict[str, str] = field(default_factory=dict)  # real id of a default table or ACL -> its VPC

    def read(self) -> None:
        """Reads every VPC and subnet, those that are only looked up as well."""
        for node in self.index.of_type(*VPC_TYPES, managed=None):
            if self.index.actual(node) is node:
                self.vpcs[node.id] = self._vpc(node)
            for name in DEFAULTS:
                written = facts.text(node.resource.values.get(name))
                if written:
                    self._defaults[written] = self.index.actual(node).id
        for node in self.index.of_type(*SUBNET_TYPES, managed=None):
            if self.index.actual(node) is node:
                self.subnets[node.id] = self._subnet(node)

    def block_public_access(self) -> None:
        """Applies VPC Block Public Access: one mode for the account and region, with exclusions by VPC or subnet."""
        for node in self.index.of_type("aws_vpc_block_public_access_options"):
            word = facts.text(node.resource.values.get("internet_gateway_block_mode"))
            mode = BLOCK_MODES.get(word or "")
            for id_, vpc in self.vpcs.items():
                region = region_of(node.resource)
                if region is not None and vpc.region is not None and region != vpc.region:
                    continue
                if mode is None or not node.resource.exists:
                    why = Reason(f"the mode of {node.id} isn't known", origin=node.resource.origin)
                    self.vpcs[id_] = replace(vpc, internet_block_open=(why,))
                else:
                    self.vpcs[id_] = replace(vpc, internet_block=mode)
        for node in self.index.of_type("aws_vpc_block_public_access_exclusion"):
            values = node.resource.values
            word = facts.text(values.get("internet_gateway_exclusion_mode"))
            mode = {"allow-bidirectional": "", "allow-egress": "ingress"}.get(word or "")
            why = Reason(f"{node.id} isn't fully known", origin=node.resource.origin)
            unsure = mode is None or not node.resource.exists
            for id_ in self.index.link(node, values.get("vpc_id"), *VPC_TYPES).possible:
                home = self.vpcs.get(id_)
                if home is not None and home.internet_block:
                    self.vpcs[id_] = (
                        replace(home, internet_block_open=(why,))
                        if unsure
                        else replace(home, internet_block=mode or "")
                    )
            for id_ in self.index.link(node, values.get("subnet_id"), *SUBNET_TYPES).possible:
                subnet = self.subnets.get(id_)
                if subnet is not None:
                    self.subnets[id_] = (
                        replace(subnet, internet_block_open=(why,)) if unsure else replace(subnet, internet_block=mode)
                    )

    def vpc_of(self, subnet: Link) -> Link:
        """The VPC of a subnet, as far as the source tells."""
        known = self.subnets.get(subnet.id) if subnet.id is not None else None
        return known.vpc if known is not None else NOWHERE

    def with_default(self, found: Found) -> str | None:
        """The VPC whose own route table or ACL a value names: by the VPC's attribute, or by a real id that it holds."""
        if found.node is not None:
            return self.index.actual(found.node).id if found.node.type in VPC_TYPES else None
        return self._defaults.get(found.text)

    def adopted_by(self, node: Node, attribute: str) -> str | None:
        """The VPC whose own route table or ACL a resource adopts by this attribute."""
        found, complete, _ = self.index.find(node.root, node.resource.values.get(attribute))
        if complete and len(found) == 1 and (vpc := self.with_default(found[0])) is not None:
            return vpc
        # Once made, the resource has the id of what it adopted, and says itself where it is.
        real = facts.text(node.resource.values.get("vpc_id"))
        home = self.index.by_id(real) if real else None
        return home.id if home is not None else None

    def may_adopt(self, node: Node, attribute: str) -> tuple[str, ...]:
        """The VPCs whose own table, ACL or group a resource may adopt, though nothing says for certain which it is."""
        value = node.resource.values.get(attribute)
        found, complete, reasons = self.index.find(node.root, value)
        ids = [vpc for each in found if (vpc := self.with_default(each)) is not None]
        ids += [each.id for each in self.index.elsewhere(node, value, *VPC_TYPES)]
        if not complete and not all((one.code or "").startswith(FROM_OUTSIDE) for one in reasons):
            ids += [each.id for each in self.index.of_type(*VPC_TYPES) if each.root == node.root]
        return tuple(one for one in dict.fromkeys(ids) if one in self.vpcs)

    def _vpc(self, node: Node) -> Vpc:
        resource = node.resource
        must, may = EMPTY, EMPTY
        reasons: list[Reason] = []
        wants = [(node, resource.values.get("cidr_block"), IPV4), (node, resource.values.get("ipv6_cidr_block"), IPV6)]
        for other in self.index.of_type("aws_vpc_ipv4_cidr_block_association", "aws_vpc_ipv6_cidr_block_association"):
            if node.id in self.index.link(other, other.resource.values.get("vpc_id")).possible:
                name, family = ("cidr_block", IPV4) if "ipv4" in other.type else ("ipv6_cidr_block", IPV6)
                value = other.resource.values.get(name)
                wants.append((other, other.resource.get(name) if not facts.is_set(value) else value, family))
        for owner, value, family in wants:
            held, held_may = self._prefix(owner, value, family, reasons)
            if owner.resource.exists:
                must = must | held
            may = may | held_may
        generated = facts.truth(resource.values.get("assign_generated_ipv6_cidr_block"), False)
        pooled = facts.is_set(resource.values.get("ipv6_ipam_pool_id"))
        ipv6: bool | None = True if not may.isdisjoint(IPV6) or pooled else generated
        if ipv6 is not False and may.isdisjoint(IPV6):
            may = may | IPV6
        if may.isdisjoint(IPV4):
            may = may | IPV4  # every VPC has an IPv4 range: here it comes from a pool, or from a look-up
        if not node.managed and ipv6 is False and node.kind == "terraform":
            ipv6, may = None, may | IPV6
        tags, _ = facts.tags_of(resource)
        real = facts.text(resource.values.get("id"))
        return Vpc(
            id=node.id,
            name=display_name(resource),
            prefixes=must,
            prefixes_may=may,
            origin=resource.origin,
            ipv6=ipv6,
            resolver=_second(self._prefix(node, resource.values.get("cidr_block"), IPV4, [])[0]),
            dns_support=facts.truth(resource.values.get("enable_dns_support"), True) is not False,
            aliases=tuple(a for a in (real, resource.address) if a and a != node.id),
            tags=tags,
            account=account_of(resource),
            region=region_of(resource),
            reasons=tuple(reasons),
            looked_up=not node.managed,
        )

    def _subnet(self, node: Node) -> Subnet:
        resource = node.resource
        reasons: list[Reason] = []
        vpc = self.index.link(node, resource.values.get("vpc_id"), *VPC_TYPES)
        home = self.vpcs.get(vpc.id) if vpc.id is not None else None
        around = home.prefixes_may if home is not None and home.prefixes_may is not None else IPV4 | IPV6
        must, may = EMPTY, EMPTY
        for name, family in (("cidr_block", IPV4), ("ipv6_cidr_block", IPV6)):
            held, held_may = self._prefix(node, resource.values.get(name), family, reasons)
            must, may = must | held, may | (held_may if held else held_may & around)
        if may.isdisjoint(IPV4) and facts.truth(resource.values.get("ipv6_native"), False) is not True:
            may = may | (IPV4 & around)
        if not node.managed and node.kind == "terraform" and may.isdisjoint(IPV6):
            may = may | (IPV6 & around)
        zone = facts.text(resource.values.get("availability_zone_id")) or facts.text(
            resource.values.get("availability_zone")
        )
        tags, _ = facts.tags_of(resource)
        looked_up = not node.managed and node.kind == "terraform"
        real = facts.text(resource.values.get("id"))
        on_launch = resource.values.get("map_public_ip_on_launch")
        return Subnet(
            id=node.id,
            name=display_name(resource),
            vpc=vpc,
            prefixes=must,
            prefixes_may=may,
            origin=resource.origin,
            zone=zone,
            public_on_launch=None
            if looked_up and not facts.is_set(on_launch)
            else facts.truth(on_launch, node.type == "aws_default_subnet"),
            ipv6_on_launch=None
            if looked_up
            else facts.truth(resource.values.get("assign_ipv6_address_on_creation"), False),
            aliases=tuple(a for a in (real, resource.address) if a and a != node.id),
            tags=tags,
            account=account_of(resource),
            region=region_of(resource),
            exists=resource.exists,
            reasons=tuple(reasons),
            looked_up=not node.managed,
        )

    def _prefix(
        self, node: Node, value: Value | None, family: IntervalSet, reasons: list[Reason]
    ) -> tuple[IntervalSet, IntervalSet]:
        """What a prefix attribute certainly covers, and what it may cover."""
        if value is None or is_null(value):
            return EMPTY, EMPTY
        if not is_known(value):
            reasons += unknown_reasons(value)
            return facts.cidr_bounds(value, family)
        written = as_text(value) or ""
        if not written:
            return EMPTY, EMPTY
        try:
            held = parse_cidr(written)
        except ValueError:
            text = f'{node.id}: "{written}" is not a CIDR'
            self.problems.append(Problem("error", text, node.resource.origin, "write it as 10.0.0.0/16"))
            reasons.append(Reason(text, origin=node.resource.origin))
            return EMPTY, family
        return held, held


def _second(prefix: IntervalSet) -> int | None:
    """The resolver's address: the base of the primary IPv4 range plus two."""
    return prefix.first + 2 if prefix else None
