"""Whatever of Terraform holds a network interface: instances, interfaces, balancers, databases, functions and all that
carry a group.

Sources: the AWS provider's documentation of each resource type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lint.aws.from_terraform import facts
from lint.aws.from_terraform.carriers import Names, names_of
from lint.aws.from_terraform.groups import Groups, only_inputs
from lint.aws.from_terraform.index import Found, Index, Node
from lint.aws.from_terraform.network import SUBNET_TYPES, Networks
from lint.aws.from_terraform.places import account_of, display_name, region_of
from lint.aws.from_terraform.types import NEVER_CARRIERS, OTHER_CLOUDS, SUBNET_GROUP_TYPES, WORKLOAD_KINDS
from lint.aws.model.groups import INGRESS, CidrPeer
from lint.aws.model.links import NOWHERE, Link
from lint.aws.model.machines import InterfaceAddress, Workload
from lint.origin import Problem, Reason
from lint.space.addresses import IPV4, IPV6, IPV6_BASE, position
from lint.terraform.resources import Nested
from lint.terraform.values import Value, as_text, is_known, is_null, unknown_reasons

# These stand in a VPC whether they name a group or not.
_ALWAYS = frozenset(
    {
        "aws_instance",
        "aws_spot_instance_request",
        "aws_network_interface",
        "aws_lb",
        "aws_alb",
        "aws_db_instance",
        "aws_rds_cluster",
        "aws_eks_cluster",
        "aws_eks_node_group",
        "aws_autoscaling_group",
    }
)
_INSTANCES = frozenset({"aws_instance", "aws_spot_instance_request"})
_TEMPLATES = frozenset({"aws_launch_template", "aws_launch_configuration"})
_LAUNCHERS = frozenset({"aws_autoscaling_group", "aws_eks_node_group", "aws_ec2_fleet", "aws_spot_fleet_request"})
_MOST_ADDRESSES = 50  # of one interface: no type of instance has more for one family
_CARRIERS = (*sorted(_INSTANCES), "aws_network_interface", "aws_vpc_endpoint")
_BALANCERS = frozenset({"aws_lb", "aws_alb"})
# Instances and templates: a machine gets a public address as its subnet says.
_AS_SUBNET = _INSTANCES | _LAUNCHERS | _TEMPLATES
_PUBLIC_ATTRIBUTES = ("associate_public_ip_address", "publicly_accessible", "assign_public_ip", "map_public_ip")
_SUBNET_GROUP_ATTRIBUTES = (
    "db_subnet_group_name",
    "neptune_subnet_group_name",
    "subnet_group_name",
    "cluster_subnet_group_name",
    "replication_subnet_group_id",
)


@dataclass(slots=True)
class Machines:
    """All workloads, while they are being read."""

    index: Index
    groups: Groups
    networks: Networks
    problems: list[Problem]
    workloads: dict[str, Workload] = field(default_factory=dict)
    _interfaces: dict[str, str] = field(default_factory=dict)  # instance id -> its interface resource's id

    def read(self) -> None:
        """Reads every machine, its attachments and addresses.

        Groups that nothing carries get a machine that stands for any.
        """
        names: dict[str, Names] = {}
        nodes: dict[str, Node] = {}
        for node in self.index.nodes:
            if not node.managed or node.type in NEVER_CARRIERS or node.type.startswith(OTHER_CLOUDS):
                continue
            nodes[node.id] = node
            names[node.id] = names_of(self.index, node)
        launched = {
            node.id: template
            for node in nodes.values()
            if node.type in _LAUNCHERS | _INSTANCES and (template := self._template(node)) is not None
        }
        used = {t.id for t in launched.values()}
        behind = self._behind_interfaces(nodes)
        for node in nodes.values():
            said = names[node.id]
            if node.id in used or node.id in behind:
                continue
            if not (node.type in _ALWAYS or said.groups or said.groups_open or self._is_endpoint(node)):
                continue
            template = launched.get(node.id)
            self._add(node, said, template, names.get(template.id) if template is not None else None)
        for instance, interfaces in behind.items():
            for interface in interfaces:
                self._name_after(interface, nodes[instance])
        for node in nodes.values():
            if node.type == "aws_network_interface":
                for block in node.resource.nested("attachment").items:
                    link = self.index.link(node, block.values.get("instance"))
                    if link.id is not None and link.id in nodes and link.id != node.id:
                        self._name_after(node.id, nodes[link.id], primary=False)
        self._attachments()
        self._elastic_addresses()
        self._hypothetical()

    # One machine

    def _add(self, node: Node, said: Names, template: Node | None, template_names: Names | None) -> None:
        resource = node.resource
        groups, open_, unfiltered = self._groups(node, said, template, template_names)
        subnets, subnets_open = self._subnets(node, said, template_names)
        vpc = next((v for v in map(self.networks.vpc_of, subnets) if v.id is not None), NOWHERE)
        if vpc.id is None:
            vpc = next((self.groups.groups[g].vpc for g in groups if g in self.groups.groups), NOWHERE)
        if vpc.id is None:
            vpc = self.index.link(node, resource.values.get("vpc_id"))
        if not groups and not open_ and not unfiltered:
            own = self.groups.default_of(vpc.id) if vpc.id is not None else None
            if node.kind == "state" and said.says_groups:
                text = f"the state lists no group for {node.id}, which AWS never leaves without one"
                open_ = [Reason(text, code="aws.no-group", origin=resource.origin, remedy="refresh the state")]
            elif own is not None:
                groups = [own]
            else:
                open_ = [
                    Reason(
                        f"{node.id} names no group, so it carries its VPC's default group, which isn't in this source",
                        code="aws.default-group",
                        origin=resource.origin,
                    )
                ]
        tags, tags_open = self._tags(node, template)
        kind = WORKLOAD_KINDS.get(node.type, node.type.removeprefix("aws_"))
        real = [
            facts.text(resource.values.get(a))
            for a in (
                "id",
                "arn",
                "primary_network_interface_id",
                "identifier",
                "name",
                "dns_name",
                "function_name",
                "cluster_identifier",
            )
        ]
        aliases = [a for a in (resource.address, *real) if a and a != node.id]
        if node.id in self.index.real_ids:
            aliases.append(self.index.real_ids[node.id])
        if template is not None:
            aliases.append(template.id)
        self.workloads[node.id] = Workload(
            id=node.id,
            name=dict(tags).get("Name") or display_name(resource),
            kind=kind,
            groups=tuple(groups),
            groups_open=tuple(dict.fromkeys(open_)),
            unfiltered=unfiltered,
            addresses=tuple(self._addresses(node, subnets, template)),
            subnets=tuple(subnets),
            vpc=vpc,
            origin=resource.origin,
            aliases=tuple(dict.fromkeys(aliases)),
            tags=tags,
            tags_open=tags_open,
            account=account_of(resource),
            region=region_of(resource),
            exists=resource.exists,
            initiates=kind != "vpc_endpoint" or node.type == "aws_ec2_instance_connect_endpoint",
            accepts=kind != "function",
            forwards=facts.truth(resource.values.get("source_dest_check"), True) is not True,
            hypothetical=node.type in _TEMPLATES,
            reasons=(*resource.reasons, *subnets_open),
        )

    def _groups(
        self, node: Node, said: Names, template: Node | None, template_names: Names | None
    ) -> tuple[list[str], list[Reason], bool]:
        """The groups that a machine certainly carries, why it may carry more, and whether AWS filters it at all."""
        chosen = said.groups
        if node.type in _INSTANCES:
            by_id = [n for n in chosen if n.path[-1] == "vpc_security_group_ids"]
            if by_id and node.kind != "terraform":
                chosen = tuple(by_id)  # the state repeats them by name
        open_ = list(said.groups_open)
        if template_names is not None and not chosen and not open_:
            chosen, open_ = template_names.groups, list(template_names.groups_open)
        elif template is None and not chosen and node.type in _LAUNCHERS and node.type != "aws_eks_node_group":
            if not self._says_template(node):
                pass
            else:
                open_.append(
                    Reason(f"the launch template of {node.id} isn't in this source", origin=node.resource.origin)
                )
        groups: list[str] = []
        for each in chosen:
            group = self.groups.named(each.found)
            if each.certain:
                groups.append(group)
            else:
                open_ += each.reasons or (Reason(f"{node.id} may carry {group}", origin=node.resource.origin),)
        groups += self._cluster_group(node, bool(groups))
        if node.type in _BALANCERS and not groups and not open_:
            kind = facts.text(node.resource.values.get("load_balancer_type"))
            if kind in ("network", "gateway"):
                return [], [], True
            if facts.is_set(node.resource.values.get("load_balancer_type")) and kind is None:
                open_ += unknown_reasons(node.resource.values["load_balancer_type"])
        return list(dict.fromkeys(groups)), open_, False

    def _cluster_group(self, node: Node, has_groups: bool) -> list[str]:
        """EKS makes a group of its own for each cluster; nodes without a template's groups carry it as well."""
        if node.type == "aws_eks_cluster":
            cluster: Node | None = node
        elif node.type == "aws_eks_node_group" and not has_groups:
            found, complete, _ = self.index.find(node.root, node.resource.values.get("cluster_name"))
            cluster = found[0].node if complete and len(found) == 1 else None
            if cluster is None:
                name = facts.text(node.resource.values.get("cluster_name"))
                named = self.index.by_name("aws_eks_cluster", name) if name else []
                cluster = named[0] if len(named) == 1 else None
        else:
            return []
        if cluster is None or cluster.type != "aws_eks_cluster":
            return []
        for block in cluster.resource.nested("vpc_config").items:
            real = facts.text(block.values.get("cluster_security_group_id"))
            if real:
                return [self.groups.named(Found(self.index.by_id(real), (), real))]
        text = f"{cluster.resource.address}.vpc_config.0.cluster_security_group_id"
        return [self.groups.named(Found(cluster, ("vpc_config", 0, "cluster_security_group_id"), text))]

    def _subnets(self, node: Node, said: Names, template_names: Names | None) -> tuple[list[Link], tuple[Reason, ...]]:
        found: dict[str, Link] = {}
        open_ = list(said.subnets_open)
        named = list(said.subnets)
        for attribute in _SUBNET_GROUP_ATTRIBUTES:
            for group in self._subnet_groups(node, node.resource.values.get(attribute)):
                inner = names_of(self.index, group)
                named += inner.subnets
                open_ += inner.subnets_open
        if not named and template_names is not None:
            named += template_names.subnets
            open_ += template_names.subnets_open
        for each in named:
            if each.found.node is not None and each.found.node.type in SUBNET_TYPES:
                found[self.index.actual(each.found.node).id] = Link(self.index.actual(each.found.node).id)
            else:
                found[each.found.text] = Link(each.found.text)
        return list(found.values()), tuple(dict.fromkeys(open_))

    def _subnet_groups(self, node: Node, value: Value | None) -> Iterable[Node]:
        if value is None or is_null(value):
            return
        found, _, _ = self.index.find(node.root, value)
        for each in found:
            if each.node is not None and each.node.type in SUBNET_GROUP_TYPES:
                yield each.node
            elif each.node is None:
                for type_ in sorted(SUBNET_GROUP_TYPES):
                    yield from self.index.by_name(type_, each.text)

    def _tags(self, node: Node, template: Node | None) -> tuple[tuple[tuple[str, str], ...], tuple[Reason, ...]]:
        """Its own tags; an autoscaling group's machines get those of its template and the tags that it propagates."""
        tags, open_ = facts.tags_of(node.resource)
        found = dict(tags)
        if template is not None:
            for spec in template.resource.nested("tag_specifications").items:
                if facts.text(spec.values.get("resource_type")) in ("instance", "network-interface"):
                    held = spec.values.get("tags")
                    if held is not None and is_known(held) and isinstance(held.data, dict):
                        for key, value in held.data.items():
                            written = as_text(value)
                            if written is not None:
                                found.setdefault(key, written)
                    elif held is not None and not is_known(held):
                        open_ = (*open_, *unknown_reasons(held))
        if node.type == "aws_autoscaling_group":
            listed = node.resource.nested("tag")
            open_ = (*open_, *listed.open)
            for each in listed.items:
                key, value = facts.text(each.values.get("key")), facts.text(each.values.get("value"))
                if key is not None and value is not None:
                    found[key] = value
        return tuple(sorted(found.items())), tuple(dict.fromkeys(open_))

    # Addresses

    def _addresses(self, node: Node, subnets: list[Link], template: Node | None) -> Iterable[InterfaceAddress]:
        resource = node.resource
        places = subnets or [Link()]
        v4 = [
            *facts.strings(resource.values.get("private_ip")),
            *facts.strings(resource.values.get("secondary_private_ips")),
            *facts.strings(resource.values.get("private_ips")),
            *facts.strings(resource.values.get("private_ip_list")),
        ]
        if node.type == "aws_efs_mount_target":
            v4 += facts.strings(resource.values.get("ip_address"))
        for each in resource.nested("subnet_mapping").items:
            v4 += facts.strings(each.values.get("private_ipv4_address"))
        v6 = facts.strings(resource.values.get("ipv6_addresses"))
        told: set[int] = set()
        for written in dict.fromkeys((*v4, *v6)):
            try:
                place = position(written)
            except ValueError:
                if written:
                    self.problems.append(Problem("error", f'{node.id}: "{written}" is not an address', resource.origin))
                continue
            subnet = next((s for s in places if self._holds(s, place)), places[0] if len(places) == 1 else Link())
            public, public_reasons = self._public(node, subnet, template)
            if place >= IPV6_BASE:
                public, public_reasons = False, ()
            told.add(6 if place >= IPV6_BASE else 4)
            real = facts.text(resource.values.get("public_ip")) if written in v4[:1] else None
            found = InterfaceAddress(
                place=place,
                family=6 if place >= IPV6_BASE else 4,
                subnet=subnet,
                public=facts.place(real),
                public_exists=True if facts.place(real) is not None else public,
                public_reasons=public_reasons,
            )
            yield _as_told(node, found) if written in v4[:1] else found
        if 4 not in told:
            for subnet in (each for each in places if not self._ipv6_alone(each)):
                public, public_reasons = self._public(node, subnet, template)
                real = facts.text(resource.values.get("public_ip"))
                yield InterfaceAddress(
                    subnet=subnet,
                    public=facts.place(real),
                    public_exists=True if facts.place(real) is not None else public,
                    public_reasons=public_reasons,
                )
                yield from [InterfaceAddress(subnet=subnet)] * _further(resource.values.get("private_ips_count"), 0)
        if 6 not in told:
            for subnet in places:
                if self._has_ipv6(node, subnet):
                    yield InterfaceAddress(subnet=subnet, family=6)
                    further = _further(resource.values.get("ipv6_address_count"), 1)
                    yield from [InterfaceAddress(subnet=subnet, family=6)] * further

    def _holds(self, subnet: Link, place: int) -> bool:
        known = self.networks.subnets.get(subnet.id or "")
        return known is not None and place in known.prefixes

    def _ipv6_alone(self, subnet: Link) -> bool:
        """Whether a subnet has no IPv4 addresses to give (`ipv6_native`)."""
        known = self.networks.subnets.get(subnet.id or "")
        return known is not None and (known.prefixes | (known.prefixes_may or known.prefixes)).isdisjoint(IPV4)

    def _has_ipv6(self, node: Node, subnet: Link) -> bool:
        values = node.resource.values
        if self._ipv6_alone(subnet):
            return True
        count = values.get("ipv6_address_count")
        if facts.is_set(count):
            return facts.whole(count) != 0
        if facts.is_set(values.get("ipv6_addresses")) and not is_known(values["ipv6_addresses"]):
            return True
        if node.type in _BALANCERS:
            return (facts.text(values.get("ip_address_type")) or "ipv4").startswith("dualstack")
        known = self.networks.subnets.get(subnet.id or "")
        if node.type in _AS_SUBNET or node.type == "aws_network_interface":
            return known is not None and known.ipv6_on_launch is True
        return False

    def _public(self, node: Node, subnet: Link, template: Node | None) -> tuple[bool | None, tuple[Reason, ...]]:
        """Whether its private address has a public one, and why that isn't known."""
        for owner in (node, template):
            if owner is None:
                continue
            for name, value in _public_attributes(owner):
                said = facts.truth(value, False)
                if name == "internal":
                    said = None if said is None else not said
                if said is None:
                    return None, unknown_reasons(value)
                return said, ()
        if node.type in _BALANCERS or node.type == "aws_elb":
            return True, ()  # internal is false where it isn't set
        if node.type in _AS_SUBNET:
            known = self.networks.subnets.get(subnet.id or "")
            if known is not None and known.public_on_launch is not None:
                return known.public_on_launch, ()
            if known is not None and not known.looked_up:
                return None, (Reason(f"whether {known.id} gives public addresses isn't known", origin=known.origin),)
            # The subnet isn't in the source: that layer is passed through, as any that isn't there.
            return True, (
                Reason(
                    f"whether {node.id} gets a public address depends on its subnet, which isn't in this source",
                    code="aws.public-address",
                    origin=node.resource.origin,
                ),
            )
        if node.type in WORKLOAD_KINDS or node.kind == "state":
            return False, ()
        return None, (
            Reason(
                f"whether {node.id} has a public address isn't known for {node.type}",
                code="aws.public-address",
                origin=node.resource.origin,
            ),
        )

    # What other resources add

    def _template(self, node: Node) -> Node | None:
        """The launch template or configuration that a machine is made from."""
        for value in _template_values(node):
            found, complete, _ = self.index.find(node.root, value)
            for each in found if complete else ():
                if each.node is not None and each.node.type in _TEMPLATES:
                    return each.node
                if each.node is None:
                    for type_ in sorted(_TEMPLATES):
                        named = self.index.by_name(type_, each.text)
                        if len(named) == 1:
                            return named[0]
        return None

    def _says_template(self, node: Node) -> bool:
        return any(True for _ in _template_values(node))

    def _is_endpoint(self, node: Node) -> bool:
        kind = facts.text(node.resource.values.get("vpc_endpoint_type"))
        return node.type == "aws_vpc_endpoint" and kind == "Interface"

    def _behind_interfaces(self, nodes: Mapping[str, Node]) -> dict[str, list[str]]:
        """Instances that take their interfaces from interface resources: these stand for them."""
        behind: dict[str, list[str]] = {}
        for node in nodes.values():
            if node.type not in _INSTANCES:
                continue
            for block in (
                *node.resource.nested("network_interface").items,
                *node.resource.nested("primary_network_interface").items,
            ):
                link = self.index.link(node, block.values.get("network_interface_id"), "aws_network_interface")
                if link.id is not None and link.id in nodes and block.certain:
                    behind.setdefault(node.id, []).append(link.id)
        return behind

    def _name_after(self, interface: str, instance: Node, *, primary: bool = True) -> None:
        """An interface is known by its instance's names and tags as well."""
        known = self.workloads.get(interface)
        if known is None:
            return
        tags, open_ = facts.tags_of(instance.resource)
        real = facts.text(instance.resource.values.get("id"))
        aliases = [a for a in (instance.id, instance.resource.address, real) if a]
        if primary:
            self._interfaces.setdefault(instance.id, interface)
        addresses = known.addresses
        asked = instance.resource.values.get("associate_public_ip_address")
        if facts.is_set(asked) and primary:
            said = facts.truth(asked, False)
            addresses = tuple(replace(a, public_exists=said) if a.family == 4 else a for a in addresses)
        if primary:
            addresses = tuple(_as_told(instance, a) for a in addresses)
        self.workloads[interface] = replace(
            known,
            name=dict(tags).get("Name") or known.name,
            aliases=tuple(dict.fromkeys((*known.aliases, *aliases))),
            tags=tuple(sorted({**dict(known.tags), **dict(tags)}.items())),
            tags_open=tuple(dict.fromkeys((*known.tags_open, *open_))),
            addresses=addresses,
        )

    def owner(self, node: Node, value: Value | None) -> Workload | None:
        """The workload that an interface id or instance id means."""
        link = self.index.link(node, value)
        if link.id is None:
            return None
        id_ = link.id.removesuffix(".primary_network_interface_id").removesuffix(".network_interface_id")
        found = self.workloads.get(self._interfaces.get(id_, id_))
        if found is None:
            found = next((w for w in self.workloads.values() if link.id in w.aliases), None)
        return found

    def _attachments(self) -> None:
        """Attachment resources add a group to an interface, or an interface to an instance."""
        for node in self.index.of_type("aws_network_interface_attachment"):
            interface = self.owner(node, node.resource.values.get("network_interface_id"))
            found, complete, _ = self.index.find(node.root, node.resource.values.get("instance_id"))
            if interface is not None and complete and len(found) == 1 and found[0].node is not None:
                self._name_after(interface.id, found[0].node, primary=False)
        for kind, owner_attribute in (
            ("aws_network_interface_sg_attachment", "network_interface_id"),
            ("aws_vpc_endpoint_security_group_association", "vpc_endpoint_id"),
        ):
            for node in self.index.of_type(kind):
                self._attach(node, owner_attribute)

    def _attach(self, node: Node, owner_attribute: str) -> None:
        found, complete, reasons = self.index.find(node.root, node.resource.values.get("security_group_id"))
        groups = [self.groups.named(each) for each in found]
        owner = self.owner(node, node.resource.values.get(owner_attribute))
        if owner is None:
            why = self.index.link(node, node.resource.values.get(owner_attribute)).reasons
            elsewhere = not why or only_inputs(why)  # then the interface is made elsewhere
            others = {n.id for n in self.index.elsewhere(node, node.resource.values.get(owner_attribute), *_CARRIERS)}
            if elsewhere and not others:
                return
            text = f"{node.id} adds a group to an interface that isn't known"
            self.problems.append(Problem("warning", text, node.resource.origin))
            reason = Reason(text, origin=node.resource.origin)
            for id_, each in self.workloads.items():
                if elsewhere and id_.partition("#")[0] not in others:
                    continue
                self.workloads[id_] = replace(each, groups_open=(*each.groups_open, reason))
            return
        certain = complete and len(groups) == 1 and node.resource.exists
        if certain:
            open_ = tuple(
                r for r in owner.groups_open if r.code != "aws.default-group" or owner_attribute != "vpc_endpoint_id"
            )
            self.workloads[owner.id] = replace(
                owner, groups=tuple(dict.fromkeys((*owner.groups, *groups))), groups_open=open_
            )
        else:
            why = (*reasons, *node.resource.reasons) or (
                Reason(f"{node.id} may add a group", origin=node.resource.origin),
            )
            self.workloads[owner.id] = replace(owner, groups_open=tuple(dict.fromkeys((*owner.groups_open, *why))))

    def _elastic_addresses(self) -> None:
        """An Elastic IP makes a machine public, whatever its subnet says."""
        for node in self.index.of_type("aws_eip"):
            values = node.resource.values
            for attribute in ("network_interface", "instance"):
                if facts.is_set(values.get(attribute)):
                    self._make_public(node, values.get(attribute), node, values.get("associate_with_private_ip"))
                    break
        for node in self.index.of_type("aws_eip_association"):
            values = node.resource.values
            link = self.index.link(node, values.get("allocation_id"), "aws_eip")
            eip = next((n for n in self.index.of_type("aws_eip") if n.id == link.id), None)
            for attribute in ("network_interface_id", "instance_id"):
                if facts.is_set(values.get(attribute)):
                    self._make_public(node, values.get(attribute), eip, values.get("private_ip_address"))
                    break

    def _make_public(self, node: Node, value: Value | None, eip: Node | None, private: Value | None) -> None:
        owner = self.owner(node, value)
        if owner is None:
            self._maybe_public(node, value)
            return
        public = facts.place(facts.text(eip.resource.values.get("public_ip"))) if eip is not None else None
        wanted = facts.place(facts.text(private))
        certain = node.resource.exists and (eip is None or eip.resource.exists)
        addresses: list[InterfaceAddress] = []
        done = False
        for each in owner.addresses:
            fits = each.family == 4 and not done and (wanted is None or each.place == wanted)
            if not fits:
                addresses.append(each)
            elif certain:
                done = True
                elastic = eip.id if eip is not None else None
                addresses.append(replace(each, public=public, public_exists=True, public_reasons=(), elastic=elastic))
            else:
                done = True
                addresses.append(
                    replace(each, public_exists=each.public_exists or None, public_reasons=node.resource.reasons)
                )
        self.workloads[owner.id] = replace(owner, addresses=tuple(addresses))

    def _maybe_public(self, node: Node, value: Value | None) -> None:
        """An Elastic IP of one root may be that of a machine of another, which it doesn't name."""
        others = {n.id for n in self.index.elsewhere(node, value, *_CARRIERS)}
        why = Reason(f"{node.id} may be the address of a machine of another root", origin=node.resource.origin)
        for id_, each in self.workloads.items() if others else ():
            if id_.partition("#")[0] in others:
                addresses = tuple(
                    replace(a, public_exists=None, public_reasons=(*a.public_reasons, why))
                    if a.family == 4 and not a.public_exists
                    else a
                    for a in each.addresses
                )
                self.workloads[id_] = replace(each, addresses=addresses)

    def _hypothetical(self) -> None:
        """A group that nothing carries stands for any machine that will carry it.

        So does a group that a data source looks up (kind `foreign_group`: nothing of its own rules is known here); one
        that is known by a mere id or variable is a name in rules and no more, unless rules here open it.
        """
        carried = {g for w in self.workloads.values() for g in w.groups}
        for group in list(self.groups.groups.values()):
            if group.id in carried or group.id in self.workloads:
                continue
            looked_up = group.id.rpartition("aws_security_group.")[0].endswith("data.")
            if group.foreign and not looked_up and not any(r.direction == INGRESS for r in group.rules):
                continue
            addresses = [InterfaceAddress(public_exists=True)]
            if self._group_meets_ipv6(group.id, group.vpc):
                addresses.append(InterfaceAddress(family=6))
            self.workloads[group.id] = Workload(
                id=group.id,
                name=group.name,
                kind="foreign_group" if group.foreign else "group",
                groups=(group.id,),
                addresses=tuple(addresses),
                vpc=group.vpc,
                origin=group.origin,
                aliases=group.aliases,
                tags=group.tags,
                tags_open=group.tags_open,
                account=group.account,
                region=group.region,
                exists=group.exists,
                hypothetical=True,
            )

    def _group_meets_ipv6(self, group: str, vpc: Link) -> bool:
        """Whether its machines may have IPv6 addresses that matter:

        the VPC has IPv6, or isn't known and a rule lets IPv6 in.
        """
        home = self.networks.vpcs.get(vpc.id or "")
        if home is not None and home.ipv6 is not None:
            return home.ipv6
        return any(
            isinstance(p, CidrPeer) and not p.addresses.isdisjoint(IPV6)
            for r in self.groups.groups[group].rules
            if r.direction == "ingress"
            for p in r.peers
        )


def _as_told(instance: Node, address: InterfaceAddress) -> InterfaceAddress:
    """An instance's first address with the public one that a state tells it has, or with none.

    What was asked for at launch is history.
    """
    told = instance.resource.values.get("public_ip")
    if instance.kind != "state" or address.family != 4 or told is None or is_null(told) or not is_known(told):
        return address
    real = facts.place(facts.text(told))
    return replace(address, public=real, public_exists=real is not None, public_reasons=())


def _further(count: Value | None, first: int) -> int:
    """How many addresses there are beside one; of a number that isn't known, one stands for all."""
    if not facts.is_set(count):
        return 0
    known = facts.whole(count)
    return 1 if known is None else min(max(known - first, 0), _MOST_ADDRESSES)


def _public_attributes(node: Node) -> Iterable[tuple[str, Value]]:
    """The attributes that say whether a machine is public, at whatever depth the type has them."""
    holders: list[Mapping[str, Value]] = [node.resource.values]
    for name in ("network_interfaces", "network_configuration", "network_interface"):
        holders += [each.values for each in node.resource.nested(name).items if isinstance(each, Nested)]
    for values in holders:
        for attribute in _PUBLIC_ATTRIBUTES:
            value = values.get(attribute)
            if value is not None and not is_null(value) and facts.text(value) != "":
                yield attribute, value
        internal = values.get("internal")
        if node.type in _BALANCERS | {"aws_elb"} and internal is not None and not is_null(internal):
            yield "internal", internal


def _template_values(node: Node) -> Iterable[Value]:
    values = node.resource.values
    for attribute in ("launch_configuration", "launch_template_id"):
        held = values.get(attribute)
        if held is not None and not is_null(held):
            yield held
    blocks = list(node.resource.nested("launch_template").items)
    for policy in node.resource.nested("mixed_instances_policy").items:
        blocks += list(policy.blocks.get("launch_template", ()))
    for block in list(blocks):
        blocks += list(block.blocks.get("launch_template_specification", ()))
    for block in blocks:
        for attribute in ("id", "name", "launch_template_id", "launch_template_name"):
            held = block.values.get(attribute)
            if held is not None and not is_null(held) and facts.text(held) != "":
                yield held
