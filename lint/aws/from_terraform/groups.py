"""Security groups, their rules in every form that Terraform has, and prefix lists.

Sources: the AWS provider's documentation of aws_security_group, aws_security_group_rule,
aws_vpc_security_group_ingress_rule and aws_default_security_group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lint.aws.from_terraform import facts
from lint.aws.from_terraform.exclusive import Exclusive
from lint.aws.from_terraform.index import FROM_OUTSIDE, Found, Index, Node
from lint.aws.from_terraform.named import named_peer
from lint.aws.from_terraform.places import account_of, display_name, region_of
from lint.aws.from_terraform.types import GROUP_TYPES, PREFIX_LIST_TYPES, STANDALONE_RULE_TYPES
from lint.aws.model.groups import (
    EGRESS,
    INGRESS,
    CidrPeer,
    GroupPeer,
    NamedPeer,
    PrefixList,
    PrefixListPeer,
    RulePeer,
    SecurityGroup,
    SecurityGroupRule,
    Services,
    UndeterminedPeer,
)
from lint.aws.model.links import NOWHERE, Link
from lint.aws.protocols import EVERY, GROUP_NAMES, BadProtocol, number_of, services_of
from lint.origin import Origin, Problem, Reason
from lint.space.addresses import IPV4, IPV6, PUBLIC, REAL, parse_cidr
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES, protocol
from lint.terraform.resources import Nested, Resource
from lint.terraform.values import (
    Value,
    as_int,
    as_text,
    is_known,
    is_null,
    items,
    reference_of,
    unknown_reasons,
)

# A group's members are interfaces at their private addresses: a reference to a group never admits a stranger from the
# Internet.
MEMBERS = REAL - (PUBLIC & IPV4)
# More rules than these that may belong to a group leave open what it lets through.
_MOST_STRANGERS = 64

_FAMILY = {"v4": IPV4, "v6": IPV6}
_INLINE_PEERS = (
    ("cidr_blocks", "v4"),
    ("ipv6_cidr_blocks", "v6"),
    ("prefix_list_ids", "list"),
    ("security_groups", "group"),
)
_RULE_PEERS = (
    ("cidr_blocks", "v4"),
    ("ipv6_cidr_blocks", "v6"),
    ("prefix_list_ids", "list"),
    ("source_security_group_id", "group"),
)
_VPC_RULE_PEERS = (
    ("cidr_ipv4", "v4"),
    ("cidr_ipv6", "v6"),
    ("prefix_list_id", "list"),
    ("referenced_security_group_id", "group"),
)


@dataclass(slots=True)
class Groups:
    """All groups of the run, while they are being read."""

    index: Index
    problems: list[Problem]
    groups: dict[str, SecurityGroup] = field(default_factory=dict)
    lists: dict[str, PrefixList] = field(default_factory=dict)
    _adopted: dict[str, str] = field(default_factory=dict)  # VPC id -> its default group
    _may_be_adopted: dict[str, Reason] = field(default_factory=dict)  # VPC id -> why other rules may be in its group
    _elsewhere: set[str] = field(default_factory=set)  # groups that are associated with further VPCs
    _strangers: dict[str, list[SecurityGroupRule]] = field(default_factory=dict)  # rules of other roots, maybe theirs

    def read(self) -> None:
        """Reads every declared group with all of its rules."""
        for node in self.index.of_type("aws_default_security_group"):
            vpc = self.index.link(node, node.resource.values.get("vpc_id"))
            if vpc.id is not None:
                self._adopted[vpc.id] = node.id
            for other in self.index.elsewhere(node, node.resource.values.get("vpc_id"), "aws_vpc"):
                said = f"{node.id} may be the default group of {other.id}"
                self._may_be_adopted[other.id] = Reason(said, origin=node.resource.origin)
        for node in self.index.of_type(*PREFIX_LIST_TYPES, managed=None):
            self._prefix_list(node)
        for node in self.index.of_type("aws_vpc_security_group_vpc_association"):
            self._elsewhere.update(self.index.link(node, node.resource.values.get("security_group_id")).possible)
        standalone, everywhere = self._standalone()
        for node in self.index.of_type(*GROUP_TYPES):
            group = self._group(node, standalone.get(node.id, []), everywhere.get(node.root, []))
            self.groups[node.id] = _with_strangers(group, self._strangers.get(node.id, []))
        for id_, rules in standalone.items():
            self._add_to_others(id_, rules)
        exclusive = Exclusive(self.index, self.problems)
        self.groups = {id_: exclusive.of(group) for id_, group in self.groups.items()}

    # Naming groups

    def named(self, found: Found) -> str:
        """The id of the group that a value names; makes a foreign group where nothing here defines it."""
        node = self.index.actual(found.node) if found.node is not None else None
        if node is not None and node.type in GROUP_TYPES:
            if not node.managed:
                self._foreign(node.id, display_name(node.resource), node.resource.origin, node)
            return node.id
        if node is not None and found.path and found.path[-1] == "default_security_group_id":
            return self.default_of(node.id) or self._foreign(found.text, found.text, node.resource.origin, node)
        if node is not None:
            return self._foreign(found.text, found.text, node.resource.origin, node)
        name = found.text.rpartition("/")[2]
        for vpc in self.index.of_type("aws_vpc"):  # a state names a default group by its id alone
            if facts.text(vpc.resource.values.get("default_security_group_id")) == name:
                return self.default_of(vpc.id) or self._foreign(name, name, Origin(resource_id=name), None)
        return self._foreign(name, name, Origin(resource_id=name), None)

    def default_of(self, vpc: str) -> str | None:
        """The default group of a VPC that Terraform makes:

        the one that it adopts, else AWS's own with AWS's own rules.
        """
        adopted = self._adopted.get(vpc)
        if adopted is not None:
            return adopted
        id_ = f"{vpc}.default_security_group_id"
        if id_ in self.groups:
            return id_
        node = next((n for n in self.index.of_type("aws_vpc") if n.id == vpc), None)
        if node is None:
            return None
        origin = node.resource.origin
        real = facts.text(node.resource.values.get("default_security_group_id"))
        everyone = CidrPeer(IPV4, "0.0.0.0/0")
        rules = [
            SecurityGroupRule(
                "default-ingress",
                INGRESS,
                _ALL,
                (GroupPeer(id_, "self"),),
                origin,
                implied=True,
                name="default ingress",
            ),
            SecurityGroupRule("default-egress", EGRESS, _ALL, (everyone,), origin, implied=True, name="default egress"),
        ]
        if facts.truth(
            node.resource.values.get("assign_generated_ipv6_cidr_block"), False
        ) is not False or facts.is_set(node.resource.values.get("ipv6_cidr_block")):
            rules.append(
                SecurityGroupRule("default-egress-ipv6", EGRESS, _ALL, (CidrPeer(IPV6, "::/0"),), origin, implied=True)
            )
        open_ = (self._may_be_adopted[vpc],) if vpc in self._may_be_adopted else ()
        self.groups[id_] = SecurityGroup(
            id=id_,
            name=f"default group of {vpc}",
            rules=tuple(replace(rule, exists=not open_, reasons=open_) for rule in rules),
            open_ingress=open_,
            open_egress=open_,
            origin=origin,
            vpc=Link(vpc),
            aliases=(real,) if real else (),
            region=region_of(node.resource),
            account=account_of(node.resource),
            default_of=vpc,
        )
        return id_

    def _foreign(self, id_: str, name: str, origin: Origin, node: Node | None) -> str:
        if id_ not in self.groups:
            reason = Reason(
                f"the security group {name} isn't defined in this source",
                code=f"aws.foreign-group:{id_}",
                origin=origin if origin.file else None,
                remedy="add the source that defines it",
            )
            resource = node.resource if node is not None else None
            vpc = Link()
            if node is not None and node.type in GROUP_TYPES:
                vpc = self.index.link(node, node.resource.values.get("vpc_id"))
            tags, tags_open = (
                facts.tags_of(resource)
                if resource is not None and node is not None and node.type in GROUP_TYPES
                else ((), ())
            )
            self.groups[id_] = SecurityGroup(
                id=id_,
                name=name,
                rules=(),
                origin=origin,
                vpc=vpc,
                open_ingress=(reason,),
                open_egress=(reason,),
                members_open=(reason,),
                tags=tags,
                tags_open=tags_open,
                region=region_of(resource) if resource is not None else None,
                foreign=True,
                known_by=_known_by(id_, resource),
            )
        return id_

    def _add_to_others(self, id_: str, rules: list[SecurityGroupRule]) -> None:
        """Standalone rules of groups that no resource here declares: foreign ones, and a VPC's own default group."""
        known = self.groups.get(id_)
        if known is not None and (known.foreign or known.id == f"{known.default_of}.default_security_group_id"):
            self.groups[id_] = replace(known, rules=known.rules + tuple(rules))

    # Groups

    def _group(
        self, node: Node, standalone: list[SecurityGroupRule], possible: list[SecurityGroupRule]
    ) -> SecurityGroup:
        resource = node.resource
        rules: list[SecurityGroupRule] = []
        open_: dict[str, tuple[Reason, ...]] = {}
        notes: list[str] = []
        for direction in (INGRESS, EGRESS):
            listed = resource.nested(direction)
            open_[direction] = listed.open + resource.left_alone(direction)
            inline = _numbered(
                self._rule(node, each, direction, _INLINE_PEERS, direction, own=node.id) for each in listed.items
            )
            own = [rule for rule in standalone if rule.direction == direction]
            if node.kind != "terraform":
                inline = _without(inline, own)
            configured = listed.configured and node.kind != "state"
            if configured and own:
                text = (
                    f"TF-MIXED-RULES: {node.id} sets its {direction} rules inline, and {len(own)} standalone "
                    f"{'rule adds' if len(own) == 1 else 'rules add'} to them; every second apply removes these"
                )
                notes.append(text)
                self.problems.append(
                    Problem("warning", text, own[0].origin, "keep to one way of writing rules for each direction")
                )
                why = Reason(text, code="tf.mixed-rules", origin=own[0].origin)
                own = [replace(rule, exists=False, reasons=(*rule.reasons, why)) for rule in own]
            rules += inline + own + [rule for rule in possible if rule.direction == direction]
        opposite = {r.direction for r in standalone}
        if (
            not notes
            and standalone
            and any(
                resource.nested(d).configured and d not in opposite and resource.nested(d).items
                for d in (INGRESS, EGRESS)
            )
        ):
            notes.append(f"{node.id} has inline rules in one direction and standalone rules in the other")
        tags, tags_open = facts.tags_of(resource)
        aliases = [resource.address] if resource.address != node.id else []
        for attribute in ("id", "arn", "name", "name_prefix"):
            written = facts.text(resource.values.get(attribute))
            if written:
                aliases.append(written)
        vpc = self.index.link(node, resource.values.get("vpc_id"))
        if node.id in self._elsewhere:
            vpc = NOWHERE  # it serves several VPCs
        return SecurityGroup(
            id=node.id,
            name=display_name(resource),
            rules=tuple(rules),
            origin=resource.origin,
            vpc=vpc,
            open_ingress=open_[INGRESS],
            open_egress=open_[EGRESS],
            aliases=tuple(dict.fromkeys(aliases)),
            tags=tags,
            tags_open=tags_open,
            account=account_of(resource),
            region=region_of(resource),
            default_of=vpc.id if resource.type == "aws_default_security_group" else None,
            exists=resource.exists,
            notes=tuple(notes),
        )

    def _standalone(self) -> tuple[dict[str, list[SecurityGroupRule]], dict[int, list[SecurityGroupRule]]]:
        """Standalone rules by the group that they belong to.

        And by root those of which the group isn't known at all.
        """
        by_group: dict[str, list[SecurityGroupRule]] = {}
        everywhere: dict[int, list[SecurityGroupRule]] = {}
        for node in self.index.of_type(*STANDALONE_RULE_TYPES):
            resource = node.resource
            found, complete, reasons = self.index.find(node.root, resource.values.get("security_group_id"))
            owners = list(dict.fromkeys(self.named(each) for each in found))
            certain = complete and len(owners) == 1
            strangers = self.index.elsewhere(node, resource.values.get("security_group_id"), *GROUP_TYPES)
            if not complete and only_inputs(reasons):
                # The id comes from outside, so it is a group that is made elsewhere.
                owners, certain = (
                    [self._foreign(f"{node.id}.security_group_id", _reason_text(reasons), resource.origin, None)],
                    True,
                )
            directions, peers = self._shape(node)
            for each in directions:
                id_ = node.id if len(directions) == 1 else f"{node.id}#{each}"
                rule = self._rule(node, resource, each, peers, id_, own=owners[0] if certain else None)
                if not certain or len(directions) > 1:
                    rule = replace(rule, exists=False, reasons=(*rule.reasons, *reasons))
                for stranger in strangers:
                    said = (
                        f"{node.id} of another root may belong to {stranger.id}; nothing here says which group it names"
                    )
                    why = Reason(said, code="aws.rule-of-another-root", origin=resource.origin)
                    lent = replace(rule, exists=False, reasons=(*rule.reasons, why))
                    self._strangers.setdefault(stranger.id, []).append(lent)
                if owners:
                    for owner in owners:
                        by_group.setdefault(owner, []).append(rule)
                else:
                    everywhere.setdefault(node.root, []).append(rule)
        return by_group, everywhere

    def _shape(self, node: Node) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        """The directions that a standalone rule may have (one, where it says so), and how it names its peers."""
        resource = node.resource
        if resource.type == "aws_vpc_security_group_ingress_rule":
            return (INGRESS,), _VPC_RULE_PEERS
        if resource.type == "aws_vpc_security_group_egress_rule":
            return (EGRESS,), _VPC_RULE_PEERS
        word = facts.text(resource.values.get("type"))
        if word in (INGRESS, EGRESS):
            return (word,), _RULE_PEERS
        if word is not None or not facts.is_set(resource.values.get("type")):
            said = f'"{word}"' if word is not None else "not set"
            self._problem(
                f'{node.id}: type must be "ingress" or "egress", and is {said}', facts.origin_of(resource, "type")
            )
        return (INGRESS, EGRESS), _RULE_PEERS

    # Rules

    def _rule(
        self,
        node: Node,
        holder: Resource | Nested,
        direction: str,
        shape: tuple[tuple[str, str], ...],
        id_: str,
        own: str | None,
    ) -> SecurityGroupRule:
        services = self._services(node, holder)
        peers = self._peers(node, holder, shape, own)
        if not peers and isinstance(holder, Resource) and holder.exists:
            self._problem(
                f"{node.id} names no peer at all, so it allows nothing",
                holder.origin,
                "set one of " + ", ".join(name for name, _ in shape),
            )
        certain = holder.exists if isinstance(holder, Resource) else holder.certain
        unknown = [r for p in peers if isinstance(p, UndeterminedPeer) for r in p.reasons]
        return SecurityGroupRule(
            id=id_,
            direction=direction,
            services=services,
            peers=tuple(peers),
            origin=holder.origin,
            exists=certain,
            reasons=tuple(dict.fromkeys((*holder.reasons, *services.reasons, *unknown))),
            name=_security_group_rule_id(holder),
            description=facts.text(holder.values.get("description")) or "",
        )

    def _services(self, node: Node, holder: Resource | Nested) -> Services:
        word = "ip_protocol" if "ip_protocol" in holder.values else "protocol"
        vpc_rule = node.type.startswith("aws_vpc_security_group_")
        protocols = facts.options(holder.values.get(word), as_text)
        lows = facts.options(holder.values.get("from_port"), as_int)
        highs = facts.options(holder.values.get("to_port"), as_int)
        reasons = tuple(dict.fromkeys((*protocols.reasons, *lows.reasons, *highs.reasons)))
        origin = facts.origin_of(holder, word)
        if not protocols.complete:
            return Services(EMPTY, ALL_SERVICES, reasons)
        must: IntervalSet | None = None
        may = EMPTY
        strict = node.kind != "state"
        for each in protocols.values:
            try:
                number = number_of("" if each is None else each, names=GROUP_NAMES)
            except BadProtocol as error:
                self._problem(f"{node.id}: {error}", origin)
                return Services(EMPTY, ALL_SERVICES, (Reason(f"{node.id}: {error}", origin=origin),))
            if not (lows.complete and highs.complete) and number != EVERY:
                may, must = may | protocol(number), EMPTY
                continue
            for low in lows.values or (None,):
                for high in highs.values or (None,):
                    if (
                        strict
                        and number == EVERY
                        and node.type in GROUP_TYPES
                        and (low, high) not in _ALL_PORTS_SPELLINGS
                    ):
                        text = f'{node.id}: protocol "-1" takes ports 0 and 0 only, not {low} and {high}'
                        self._problem(text, origin, "set from_port and to_port to 0")
                        return Services(EMPTY, ALL_SERVICES, (Reason(text, origin=origin),))
                    try:
                        one = services_of(number, low, high, ports_required=strict)
                    except BadProtocol as error:
                        text = f"{node.id}: {error}"
                        self._problem(text, facts.origin_of(holder, "from_port"))
                        return Services(EMPTY, protocol(number), (Reason(text, origin=origin),))
                    if strict and vpc_rule and number == EVERY and (low, high) not in _ALL_PORTS_SPELLINGS:
                        self._problem(
                            f"{node.id}: ip_protocol -1 means every port; from_port and to_port must not be set",
                            origin,
                            severity="warning",
                        )
                    must = one if must is None else must & one
                    may = may | one
        return Services(must or EMPTY, may, reasons if must != may else ())

    def _peers(
        self, node: Node, holder: Resource | Nested, shape: tuple[tuple[str, str], ...], own: str | None
    ) -> list[RulePeer]:
        peers: list[RulePeer] = []
        literal = False
        for name, kind in shape:
            value = holder.values.get(name)
            if value is None or is_null(value):
                continue
            if kind == "group" and literal and reference_of(value) is None and not is_known(value):
                continue  # computed by the provider where addresses are given: they exclude a group
            if not is_known(value) and items(value) is None and kind in _FAMILY:
                peers += self._unknown_cidr(node, value, kind, name)
                continue
            given, open_ = facts.members(value)
            origin = facts.origin_of(holder, name)
            for each in given:
                if kind in _FAMILY:
                    found = self._cidr(node, each, kind, origin, name)
                    literal = literal or bool(found)
                    peers += found
                elif kind == "list":
                    peers += self._list_peer(node, each)
                else:
                    peers += self._group_peer(node, each)
            if open_ and not given and kind not in _FAMILY and not name.endswith("s"):
                peers += self._group_peer(node, value) if kind == "group" else self._list_peer(node, value)
            elif open_:
                text = _value_text(value, name)
                may = REAL if kind == "list" else MEMBERS
                peers.append(UndeterminedPeer(open_, text, may))
        oneself = holder.values.get("self")
        if oneself is not None and not is_null(oneself):
            said = facts.truth(oneself, False)
            if said is None:
                why = unknown_reasons(oneself)
                peers.append(UndeterminedPeer(why, "self", MEMBERS, (own,) if own else None))
            elif said and own is not None:
                peers.append(GroupPeer(own, "self"))
            elif said:
                peers.append(UndeterminedPeer((Reason("the rule's own group isn't known"),), "self", MEMBERS))
        return peers

    def _unknown_cidr(self, node: Node, value: Value, kind: str, name: str) -> list[RulePeer]:
        named = named_peer(self.index, node, value, _FAMILY[kind])
        if named is not None:
            return [named]
        must, may = facts.cidr_bounds(value, _FAMILY[kind])
        found: list[RulePeer] = [UndeterminedPeer(unknown_reasons(value), _value_text(value, name), may)]
        if must:
            found.append(CidrPeer(must, _value_text(value, name)))
        return found

    def _cidr(self, node: Node, value: Value, kind: str, origin: Origin, name: str) -> list[RulePeer]:
        if not is_known(value):
            return self._unknown_cidr(node, value, kind, name)
        written = as_text(value)
        if written is None:
            return []
        family = _FAMILY[kind]
        try:
            addresses = parse_cidr(written)
        except ValueError:
            addresses = EMPTY
        if not addresses or not addresses <= family:
            version = "IPv4" if kind == "v4" else "IPv6"
            text = f'{node.id}: "{written}" is not an {version} CIDR'
            self._problem(text, origin, f"write it as {'10.0.0.0/8' if kind == 'v4' else '2001:db8::/32'}")
            return [UndeterminedPeer((Reason(text, origin=origin),), written, family)]
        if node.kind != "state" and (whole := facts.network_of(written)) != written:
            self._problem(f'{node.id}: the provider refuses "{written}": it isn\'t a network', origin, f"write {whole}")
        return [CidrPeer(addresses, written)]

    def _list_peer(self, node: Node, value: Value) -> list[RulePeer]:
        found, complete, reasons = self.index.find(node.root, value)
        ids = [self._list_id(each) for each in found]
        if complete and len(ids) == 1:
            return [PrefixListPeer(ids[0], self.lists[ids[0]].name)]
        if complete and not ids:
            return []
        may = REAL
        if complete:
            may = EMPTY
            for each in ids:
                may = may | self.lists[each].may
        return [UndeterminedPeer(reasons, _value_text(value, "a prefix list"), may)]

    def list_named(self, node: Node, value: Value) -> str | None:
        """The id of the one prefix list that a value of `node` names; None where that isn't certain."""
        found, complete, _ = self.index.find(node.root, value)
        return self._list_id(found[0]) if complete and len(found) == 1 else None

    def service_list(self, service: str, origin: Origin) -> str:
        """The id of the prefix list of an AWS service, by the service's name."""
        known = next((each.id for each in self.lists.values() if each.name == service), None)
        if known is None:
            known = service
            reason = Reason(
                f"the entries of the prefix list {service} are known only to AWS", code=f"aws.prefix-list:{service}"
            )
            self.lists[known] = PrefixList(known, service, EMPTY, IPV4, origin, (reason,))
        return known

    def _list_id(self, found: Found) -> str:
        node = self.index.actual(found.node) if found.node is not None else None
        if node is not None and node.type in PREFIX_LIST_TYPES:
            return node.id
        if node is not None and found.path and found.path[-1] == "prefix_list_id":
            service = facts.text(node.resource.values.get("service_name"))
            if service is not None:  # a gateway endpoint: its prefix list is that of its service
                return self.service_list(service, node.resource.origin)
        id_ = found.text
        if id_ not in self.lists:
            name = found.text
            origin = node.resource.origin if node is not None else Origin(resource_id=id_)
            reason = Reason(
                f"the entries of the prefix list {name} aren't in this source", code=f"aws.prefix-list:{name}"
            )
            self.lists[id_] = PrefixList(id_, name, EMPTY, REAL, origin, (reason,))
        return id_

    def _group_peer(self, node: Node, value: Value) -> list[RulePeer]:
        found, complete, reasons = self.index.find(node.root, value)
        ids = list(dict.fromkeys(self.named(each) for each in found))
        if complete and len(ids) == 1:
            return [GroupPeer(ids[0], found[0].text if found[0].node is None else ids[0])]
        if complete and not ids:
            return []
        text = " or ".join(ids) if complete else _value_text(value, "a security group")
        return [UndeterminedPeer(reasons, text, MEMBERS, tuple(ids) if complete else None)]

    # Prefix lists

    def _prefix_list(self, node: Node) -> None:
        resource = node.resource
        actual = self.index.actual(node)
        if actual is not node:
            return
        must, may = EMPTY, EMPTY
        reasons: list[Reason] = []
        wanted = facts.text(resource.values.get("address_family"))
        family = {"IPv4": IPV4, "IPv6": IPV6}.get(wanted or "", IPV4 | IPV6)
        name = facts.text(resource.values.get("name")) or node.id
        listed = resource.nested("entry")
        entries_ = resource.nested("entries") if not node.managed else listed
        named: list[NamedPeer] = []
        cidr_values = [(node, each.values.get("cidr"), each.certain) for each in (*listed.items, *entries_.items)]
        cidr_values += [(node, each, True) for each in facts.members(resource.values.get("cidr_blocks"))[0]]
        for node_entry in self.index.of_type("aws_ec2_managed_prefix_list_entry"):
            link = self.index.link(node_entry, node_entry.resource.values.get("prefix_list_id"))
            others = self.index.elsewhere(node_entry, node_entry.resource.values.get("prefix_list_id"), node.type)
            if node.id in link.possible or node in others:
                # Inline and standalone entries of one list fight over it.
                certain = link.id == node.id and not listed.items and node_entry.resource.exists
                cidr_values.append((node_entry, node_entry.resource.values.get("cidr"), certain))
        for writer, value, certain in cidr_values:
            owner = named_peer(self.index, writer, value, family) if certain and value is not None else None
            if owner is not None:
                named.append(owner)
                continue
            held, held_may = self._list_entry(node, value, family, reasons)
            must = must | held if certain else must
            may = may | held_may
        reasons += [*listed.open, *entries_.open]
        if not node.managed and not cidr_values:
            reasons.append(
                Reason(
                    f"the entries of the prefix list {name} are known only to AWS",
                    code=f"aws.prefix-list:{name}",
                    origin=resource.origin,
                )
            )
            may = family
        elif reasons and (listed.open or entries_.open):
            may = family
        aliases = tuple(t for t in (facts.text(resource.values.get("id")), resource.address) if t)
        self.lists[node.id] = PrefixList(
            node.id, name, must, may, resource.origin, tuple(dict.fromkeys(reasons)), aliases, tuple(named)
        )

    def _list_entry(
        self, node: Node, value: Value | None, family: IntervalSet, reasons: list[Reason]
    ) -> tuple[IntervalSet, IntervalSet]:
        if value is None or is_null(value):
            return EMPTY, EMPTY
        if not is_known(value):
            reasons += unknown_reasons(value)
            return facts.cidr_bounds(value, family)
        written = as_text(value) or ""
        try:
            held = parse_cidr(written)
        except ValueError:
            text = f'{node.id}: "{written}" is not a CIDR'
            self._problem(text, node.resource.origin)
            reasons.append(Reason(text, origin=node.resource.origin))
            return EMPTY, family
        return held, held

    def _problem(self, text: str, origin: Origin, remedy: str | None = None, severity: str = "error") -> None:
        problem = Problem(severity, text, origin, remedy)
        if problem not in self.problems:
            self.problems.append(problem)


_ALL = Services(ALL_SERVICES, ALL_SERVICES)
_ALL_PORTS_SPELLINGS = {(0, 0), (None, None), (-1, -1), (None, 0), (0, None)}


def _known_by(id_: str, resource: Resource | None) -> frozenset[str]:
    """By what a foreign group is certain to be told from others: its id, its name."""
    found = {"id"} if id_.startswith("sg-") else set()
    if resource is not None and resource.type in GROUP_TYPES:
        for attribute in ("id", "name"):
            if facts.text(resource.values.get(attribute)):
                found.add(attribute)
    return frozenset(found)


def _security_group_rule_id(holder: Resource | Nested) -> str:
    return facts.text(holder.values.get("security_group_rule_id")) or ""


def _with_strangers(group: SecurityGroup, rules: list[SecurityGroupRule]) -> SecurityGroup:
    """The group with rules that other roots make for a group that they don't name."""
    if len(rules) <= _MOST_STRANGERS:
        return replace(group, rules=group.rules + tuple(rules)) if rules else group
    why = (Reason(f"{len(rules)} rules of other roots may belong to {group.id}", code="aws.rule-of-another-root"),)
    return replace(group, open_ingress=group.open_ingress + why, open_egress=group.open_egress + why)


def only_inputs(reasons: tuple[Reason, ...]) -> bool:
    """Whether a value is unknown only because an input of the root or a data source is: then it is made elsewhere."""
    return bool(reasons) and all((r.code or "").startswith(FROM_OUTSIDE) for r in reasons)


def _reason_text(reasons: tuple[Reason, ...]) -> str:
    code = next((r.code for r in reasons if r.code), None)
    return code.partition(":")[2] if code and ":" in code else "an unknown group"


def _value_text(value: Value, otherwise: str) -> str:
    """What a person calls an unknown value: the reference or input that it comes from."""
    reference = reference_of(value)
    if reference is not None:
        return ".".join((reference.address, *(str(p) for p in reference.path)))
    for reason in unknown_reasons(value):
        if reason.code and ":" in reason.code:
            return reason.code.partition(":")[2]
    return otherwise


def _peer_key(peer: RulePeer) -> tuple[object, ...]:
    if isinstance(peer, CidrPeer):
        return ("cidr", peer.addresses)
    if isinstance(peer, GroupPeer):
        return ("group", peer.group)
    if isinstance(peer, PrefixListPeer):
        return ("list", peer.list)
    if isinstance(peer, NamedPeer):
        return ("named", peer.owner, peer.which, peer.family)
    return ("unknown", peer.text)


def _without(inline: list[SecurityGroupRule], standalone: list[SecurityGroupRule]) -> list[SecurityGroupRule]:
    """Inline rules of a state without those that standalone resources made: after a refresh the provider lists both."""
    told = {(rule.services.must, _peer_key(peer)) for rule in standalone for peer in rule.peers}
    kept: list[SecurityGroupRule] = []
    for rule in inline:
        peers = tuple(p for p in rule.peers if (rule.services.must, _peer_key(p)) not in told)
        if peers or not rule.peers:
            kept.append(rule if peers == rule.peers else replace(rule, peers=peers))
    return kept


def _numbered(rules: Iterable[SecurityGroupRule]) -> list[SecurityGroupRule]:
    """Inline rules named by what they say, so that their names stay when lines move or blocks change places."""
    found: list[SecurityGroupRule] = []
    counts: dict[str, int] = {}
    for rule in rules:
        said = "|".join(
            [repr(rule.services.must.pairs), repr(rule.services.may.pairs), *sorted(p.text for p in rule.peers)]
        )
        id_ = f"{rule.direction}#{hashlib.sha256(said.encode()).hexdigest()[:10]}"
        counts[id_] = counts.get(id_, 0) + 1
        if counts[id_] > 1:
            id_ = f"{id_}-{counts[id_]}"
        found.append(replace(rule, id=id_))
    return found
