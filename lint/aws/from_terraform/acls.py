"""Network ACLs of Terraform: inline and standalone entries, associations, and the default ACL that Terraform may adopt.

Sources: the AWS provider's documentation of aws_network_acl, aws_default_network_acl, aws_network_acl_rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lint.aws.from_terraform import facts
from lint.aws.from_terraform.index import Found, Index, Node
from lint.aws.from_terraform.named import named_peer
from lint.aws.from_terraform.network import SUBNET_TYPES, VPC_TYPES, Networks
from lint.aws.from_terraform.places import display_name
from lint.aws.model.groups import (
    EGRESS,
    INGRESS,
    CidrPeer,
    NamedPeer,
    NetworkAcl,
    NetworkAclEntry,
    Services,
    UndeterminedPeer,
)
from lint.aws.model.links import Link
from lint.aws.protocols import BadProtocol, exactly, number_of, services_of
from lint.origin import Problem, Reason
from lint.space.addresses import IPV4, IPV6, REAL, parse_cidr
from lint.space.intervals import EMPTY
from lint.space.services import ALL_SERVICES, ICMP, ICMPV6, TCP, UDP, protocol
from lint.terraform.resources import Nested, Resource
from lint.terraform.values import Value, as_int, as_text, is_known, unknown_reasons

ACL_TYPES = ("aws_network_acl", "aws_default_network_acl")


@dataclass(slots=True)
class Acls:
    """All network ACLs, while they are being read."""

    index: Index
    networks: Networks
    problems: list[Problem]
    acls: dict[str, NetworkAcl] = field(default_factory=dict)

    def read(self) -> None:
        """Reads every declared ACL with its entries and subnets."""
        adopted = {
            vpc: node.id
            for node in self.index.of_type("aws_default_network_acl")
            if (vpc := self.networks.adopted_by(node, "default_network_acl_id")) is not None
        }
        standalone: dict[str, list[tuple[Node, bool, tuple[Reason, ...]]]] = {}
        for node in self.index.of_type("aws_network_acl_rule"):
            ids, certain, reasons = self._owners(node, node.resource.values.get("network_acl_id"), adopted)
            for id_ in ids:
                standalone.setdefault(id_, []).append((node, certain, reasons))
        subnets = self._associations(adopted)
        for node in self.index.of_type(*ACL_TYPES):
            self.acls[node.id] = self._acl(node, standalone.pop(node.id, []), subnets.get(node.id, []))
        for id_, rules in standalone.items():
            self._implicit_default(id_, rules)
        for node in self.index.of_type("aws_default_network_acl"):
            if node.id not in adopted.values():
                for vpc in self.networks.may_adopt(node, "default_network_acl_id"):
                    known = self.networks.vpcs[vpc]
                    why = Reason(f"{node.id} may be the default network ACL of {vpc}", origin=node.resource.origin)
                    self.networks.vpcs[vpc] = replace(known, acls_open=(*known.acls_open, why))

    def _id(self, found: Found, adopted: dict[str, str]) -> str:
        vpc = self.networks.with_default(found)
        if vpc is not None:
            return adopted.get(vpc, f"{vpc}.default_network_acl_id")
        return found.node.id if found.node is not None else found.text

    def _owners(
        self, node: Node, value: Value | None, adopted: dict[str, str]
    ) -> tuple[list[str], bool, tuple[Reason, ...]]:
        found, complete, reasons = self.index.find(node.root, value)
        ids = list(dict.fromkeys(self._id(each, adopted) for each in found))
        if not complete:
            ids = [n.id for n in self.index.of_type(*ACL_TYPES) if n.root == node.root]
        others = [each.id for each in self.index.elsewhere(node, value, *ACL_TYPES)]
        if others:
            reasons = (*reasons, Reason(f"{node.id} may belong to an ACL of another root", origin=node.resource.origin))
            ids = list(dict.fromkeys((*ids, *others)))
        certain = complete and len(ids) == 1 and not others and node.resource.exists
        return ids, certain, (*reasons, *node.resource.reasons) if not certain else ()

    def _associations(self, adopted: dict[str, str]) -> dict[str, list[Link]]:
        found: dict[str, list[Link]] = {}
        for node in self.index.of_type("aws_network_acl_association"):
            ids, certain, reasons = self._owners(node, node.resource.values.get("network_acl_id"), adopted)
            value = node.resource.values.get("subnet_id")
            link = self.index.link(node, value)
            for id_ in ids:
                found.setdefault(id_, []).append(
                    link if certain else Link(None, reasons or link.reasons, link.possible or None)
                )
                if value is not None:
                    found[id_] += self._elsewhere(node, (value,))
        return found

    def _elsewhere(self, node: Node, values: Iterable[Value]) -> list[Link]:
        """Subnets of other roots that a value of `node` may name without saying so."""
        others = tuple(
            dict.fromkeys(each.id for value in values for each in self.index.elsewhere(node, value, *SUBNET_TYPES))
        )
        if not others:
            return []
        said = f"{node.id} may be the network ACL of subnets of another root; nothing here says which it names"
        return [Link(None, (Reason(said, origin=node.resource.origin),), others)]

    def _acl(
        self, node: Node, standalone: list[tuple[Node, bool, tuple[Reason, ...]]], subnets: list[Link]
    ) -> NetworkAcl:
        resource = node.resource
        entries: list[NetworkAclEntry] = []
        open_: dict[str, tuple[Reason, ...]] = {}
        notes: list[str] = []
        for direction in (INGRESS, EGRESS):
            listed = resource.nested(direction)
            open_[direction] = listed.open + resource.left_alone(direction)
            entries += [self._entry(node, e, direction, "rule_no", "action", inline=True) for e in listed.items]
            own = [s for s in standalone if _direction(s[0].resource) in (direction, None)]
            mixed = listed.configured and bool(listed.items) and bool(own) and node.kind != "state"
            if mixed:
                text = f"TF-MIXED-RULES: {node.id} sets its {direction} entries inline and by standalone resources"
                notes.append(text)
                self.problems.append(Problem("warning", text, own[0][0].resource.origin))
            told = {e.number for e in entries if e.direction == direction}
            for other, certain, reasons in own:
                entry = self._entry(other, other.resource, direction, "rule_number", "rule_action", inline=False)
                if node.kind == "state" and entry.number in told:
                    continue
                sure = certain and not mixed and _direction(other.resource) is not None
                entries.append(entry if sure else _unsure(entry, reasons))
        mine = list(subnets)
        given, unknown = facts.members(resource.values.get("subnet_ids"))
        mine += [self.index.link(node, each) for each in given]
        wanted = given if not unknown else (*given, resource.values["subnet_ids"])
        mine += self._elsewhere(node, wanted)
        vpc = self.index.link(node, resource.values.get("vpc_id"), *VPC_TYPES)
        default = resource.type == "aws_default_network_acl"
        if default:
            vpc = Link(self.networks.adopted_by(node, "default_network_acl_id"))
        if vpc.id is None:
            vpc = next((v for v in map(self.networks.vpc_of, mine) if v.id is not None), vpc)
        if not resource.exists:
            mine = [Link(None, resource.reasons, each.possible or None) for each in mine]
        return NetworkAcl(
            id=node.id,
            name=display_name(resource),
            vpc=vpc,
            entries=tuple(entries),
            subnets=tuple(mine),
            origin=resource.origin,
            default=default and resource.exists,
            open_ingress=open_[INGRESS],
            open_egress=open_[EGRESS],
            subnets_open=(*unknown, *resource.left_alone("subnet_ids")),
            tags=facts.tags_of(resource)[0],
            notes=tuple(notes),
        )

    def _implicit_default(self, id_: str, rules: list[tuple[Node, bool, tuple[Reason, ...]]]) -> None:
        """A VPC's own default ACL, which allows everything, with the entries that standalone resources add to it."""
        vpc = id_.removesuffix(".default_network_acl_id")
        if vpc == id_ or vpc not in self.networks.vpcs:
            return
        origin = self.networks.vpcs[vpc].origin
        entries = [
            NetworkAclEntry(f"{d}/{n}", d, n, True, exactly(ALL_SERVICES), CidrPeer(family, text), origin)
            for d in (INGRESS, EGRESS)
            for n, family, text in ((100, IPV4, "0.0.0.0/0"), (101, IPV6, "::/0"))
        ]
        for node, certain, reasons in rules:
            for direction in (INGRESS, EGRESS):
                if _direction(node.resource) in (direction, None):
                    entry = self._entry(node, node.resource, direction, "rule_number", "rule_action", inline=False)
                    entries = [
                        e for e in entries if e.direction != direction or e.number != entry.number or not certain
                    ]
                    entries.append(entry if certain else _unsure(entry, reasons))
        self.acls[id_] = NetworkAcl(
            id_, f"default network ACL of {vpc}", Link(vpc), tuple(entries), (), origin, default=True
        )

    def _entry(
        self, node: Node, holder: Resource | Nested, direction: str, number: str, action: str, *, inline: bool
    ) -> NetworkAclEntry:
        values = holder.values
        order = facts.options(values.get(number), as_int)
        word = facts.text(values.get(action))
        reasons: list[Reason] = [*holder.reasons, *order.reasons]
        if word is None and facts.is_set(values.get(action)):
            reasons += unknown_reasons(values[action])
        allow = {"allow": True, "deny": False}.get((word or "").lower())
        if word is not None and allow is None:
            reasons.append(self._wrong(node, holder, f'"{word}" is neither allow nor deny'))
        services = self._services(node, holder)
        peer = self._peer(node, holder)
        if isinstance(peer, UndeterminedPeer):
            reasons += peer.reasons
        place = order.values[0] if order.certain else None
        certain = holder.exists if isinstance(holder, Resource) else holder.certain
        id_ = f"{direction}/{place if place is not None else '?'}" if inline else node.id
        if inline and (
            (isinstance(peer, CidrPeer) and not peer.addresses.isdisjoint(IPV6))
            or (isinstance(peer, NamedPeer) and peer.family == 6)
        ):
            id_ += "/6"
        return NetworkAclEntry(
            id=id_,
            direction=direction,
            number=place,
            allow=allow,
            services=services,
            peer=peer,
            origin=holder.origin,
            exists=certain,
            reasons=tuple(dict.fromkeys((*reasons, *services.reasons))),
        )

    def _peer(self, node: Node, holder: Resource | Nested) -> CidrPeer | NamedPeer | UndeterminedPeer:
        unknown: list[Reason] = []
        may = EMPTY
        for name, family in (("cidr_block", IPV4), ("ipv6_cidr_block", IPV6)):
            value = holder.values.get(name)
            if value is None or (is_known(value) and not as_text(value)):
                continue
            if not is_known(value):
                named = named_peer(self.index, node, value, family)
                if named is not None:
                    return named
                unknown += unknown_reasons(value)
                may = may | facts.cidr_bounds(value, family)[1]
                continue
            written = as_text(value) or ""
            try:
                held = CidrPeer(parse_cidr(written), written)
            except ValueError:
                reason = self._wrong(node, holder, f'"{written}" is not a CIDR')
                return UndeterminedPeer((reason,), written, family)
            # The provider takes host bits in a standalone rule, and the API clears them.
            if isinstance(holder, Nested) and node.kind != "state" and (whole := facts.network_of(written)) != written:
                self._wrong(node, holder, f'the provider refuses "{written}"; write {whole}')
            return held
        if not unknown:
            unknown, may = [self._wrong(node, holder, "it names no addresses")], REAL
        return UndeterminedPeer(tuple(unknown), "an unknown range", may)

    def _services(self, node: Node, holder: Resource | Nested) -> Services:
        values = holder.values
        protocols = facts.options(values.get("protocol"), as_text)
        if not protocols.complete:
            return Services(EMPTY, ALL_SERVICES, protocols.reasons)
        must, may = ALL_SERVICES, EMPTY
        reasons: list[Reason] = []
        for word in protocols.values:
            try:
                code = number_of(word or "")
                names: tuple[str, str] | None = None
                if code in (TCP, UDP):
                    names = ("from_port", "to_port")
                elif code in (ICMP, ICMPV6):
                    names = ("icmp_type", "icmp_code")
                low, high = (facts.options(values.get(n), as_int) for n in names or ("", ""))
                if not (low.complete and high.complete):
                    must, may = EMPTY, may | protocol(code)
                    reasons += (*low.reasons, *high.reasons)
                    continue
                for first in low.values:
                    for last in high.values:
                        # Without type and code the provider sends 0 and 0: an echo reply.
                        pair = (first or 0, last or 0) if code in (ICMP, ICMPV6) else (first, last)
                        one = services_of(code, *pair, ports_required=True)
                        must, may = must & one, may | one
            except BadProtocol as error:
                reason = self._wrong(node, holder, str(error))
                return Services(EMPTY, ALL_SERVICES, (reason,))
        return Services(must, may, tuple(reasons))

    def _wrong(self, node: Node, holder: Resource | Nested, text: str) -> Reason:
        sentence = f"{node.id}: {text}"
        problem = Problem("error", sentence, holder.origin)
        if problem not in self.problems:
            self.problems.append(problem)
        return Reason(sentence, origin=holder.origin)


def _direction(resource: Resource) -> str | None:
    """Which way a standalone entry looks; None where that isn't known."""
    egress = facts.truth(resource.values.get("egress"), False)
    return None if egress is None else EGRESS if egress else INGRESS


def _unsure(entry: NetworkAclEntry, reasons: Iterable[Reason]) -> NetworkAclEntry:
    return replace(entry, exists=False, reasons=tuple(dict.fromkeys((*entry.reasons, *reasons))))
