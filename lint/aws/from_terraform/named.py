"""Addresses that Terraform values name before anybody knows them: `"${aws_instance.app.private_ip}/32"`."""

from __future__ import annotations

from lint.aws.from_terraform import facts
from lint.aws.from_terraform.index import Index, Node
from lint.aws.from_terraform.network import SUBNET_TYPES, VPC_TYPES
from lint.aws.model.groups import NamedPeer, UndeterminedPeer
from lint.space.addresses import IPV4
from lint.space.intervals import IntervalSet
from lint.terraform.values import Reference, Value, pieces_of, unknown_reasons

_INTERFACES = frozenset({"aws_instance", "aws_spot_instance_request", "aws_network_interface"})
# (type, attribute) -> whether it is what the Internet sees.
_ATTRIBUTES = {
    ("aws_instance", "private_ip"): False,
    ("aws_instance", "public_ip"): True,
    ("aws_spot_instance_request", "private_ip"): False,
    ("aws_spot_instance_request", "public_ip"): True,
    ("aws_network_interface", "private_ip"): False,
    ("aws_nat_gateway", "private_ip"): False,
    ("aws_nat_gateway", "public_ip"): True,
    ("aws_eip", "public_ip"): True,
    ("aws_efs_mount_target", "ip_address"): False,
}
_FURTHER = {4: "aws_vpc_ipv4_cidr_block_association", 6: "aws_vpc_ipv6_cidr_block_association"}


def named_peer(index: Index, node: Node, value: Value, family: IntervalSet) -> NamedPeer | None:
    """Whose address an unknown CIDR of `node` exactly is; None where it doesn't say, or may be more than that."""
    if node.kind == "plan" and node.resource.origin.line is None:
        return None  # without its configuration, a plan tells what a value refers to, not how
    version = 4 if family <= IPV4 else 6
    pieces = pieces_of(value)
    if not pieces or not isinstance(pieces[0], Reference):
        return _same_range(index, node, value, family, version)
    reference = pieces[0]
    found = index.referred(node.root, reference).node
    if found is None or not _there(found):
        return None
    text = ".".join((reference.address, *(str(step) for step in reference.path)))
    may = facts.cidr_bounds(value, family)[1]
    rest = UndeterminedPeer(unknown_reasons(value), f"{text}{pieces[1] if len(pieces) == 2 else ''}", may)
    if len(pieces) == 1:
        return NamedPeer(found.id, "network", version, rest) if _whole(index, found, reference, version) else None
    if len(pieces) != 2 or pieces[1] != ("/32" if version == 4 else "/128"):
        return None
    if version == 6:
        counted = facts.whole(found.resource.values.get("ipv6_address_count"))
        first = reference.path == ("ipv6_addresses", 0) and counted in (None, 1)
        return NamedPeer(found.id, "private", 6, rest) if first and found.type in _INTERFACES else None
    public = _ATTRIBUTES.get((found.type, str(reference.path[0]))) if len(reference.path) == 1 else None
    return None if public is None else NamedPeer(found.id, "public" if public else "private", 4, rest)


def _there(node: Node) -> bool:
    """Whether a node is one machine or network that certainly exists."""
    return node.managed and node.resource.key != "*" and node.resource.exists


def _same_range(index: Index, node: Node, value: Value, family: IntervalSet, version: int) -> NamedPeer | None:
    """The subnet whose own CIDR isn't known and is this very value."""
    name = "cidr_block" if version == 4 else "ipv6_cidr_block"
    for subnet in index.of_type(*SUBNET_TYPES):
        own = subnet.resource.values.get(name)
        if own is not None and own.data is value.data and subnet.root == node.root and _there(subnet):
            rest = UndeterminedPeer(unknown_reasons(value), f"{subnet.id}.{name}", facts.cidr_bounds(value, family)[1])
            return NamedPeer(subnet.id, "network", version, rest)
    return None


def _whole(index: Index, found: Node, reference: Reference, version: int) -> bool:
    """Whether an attribute is the CIDR of a whole network or subnet, so that all of its machines are inside."""
    if reference.path != (("cidr_block",) if version == 4 else ("ipv6_cidr_block",)):
        return False
    if found.type in SUBNET_TYPES:
        return True
    return found.type in VPC_TYPES and not any(index.of_type(_FURTHER[version]))
