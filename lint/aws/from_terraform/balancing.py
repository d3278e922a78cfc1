"""Load balancers of Terraform: listeners, target groups, and the machines behind them.

Sources: the AWS provider's documentation of aws_lb_listener, aws_lb_listener_rule, aws_lb_target_group,
aws_lb_target_group_attachment, aws_elb.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from lint.aws.balancing import UNSURE, Condition, Terms, elsewhere, preserves_client, services_at, terms_of
from lint.aws.from_terraform import facts
from lint.aws.from_terraform.index import Index, Node
from lint.aws.from_terraform.machines import Machines
from lint.aws.from_terraform.places import display_name
from lint.aws.model.links import Link
from lint.aws.model.machines import Forward, Listener, LoadBalancer, TargetGroup
from lint.origin import Reason
from lint.space.services import TCP, UDP, protocol
from lint.terraform.values import Value, is_known, is_null, unknown_reasons

_LISTENERS = ("aws_lb_listener", "aws_alb_listener")
_RULES = ("aws_lb_listener_rule", "aws_alb_listener_rule")
_GROUPS = ("aws_lb_target_group", "aws_alb_target_group")
_ATTACHMENTS = ("aws_lb_target_group_attachment", "aws_alb_target_group_attachment")
_CONDITIONS = ("host_header", "path_pattern", "http_header", "http_request_method", "query_string", "source_ip")
_OPEN = protocol(TCP) | protocol(UDP)


@dataclass(slots=True)
class Balancing:
    """All balancers, while they are being read."""

    index: Index
    machines: Machines
    balancers: dict[str, LoadBalancer] = field(default_factory=dict)
    groups: dict[str, TargetGroup] = field(default_factory=dict)

    def read(self) -> None:
        """Reads target groups with their targets, then the balancers whose listeners lead to them."""
        for node in self.index.of_type(*_GROUPS):
            self.groups[node.id] = self._group(node)
        for node in self.index.of_type(*_ATTACHMENTS):
            self._target(node)
        self._services_behind()
        for node in self.index.of_type("aws_lb", "aws_alb"):
            if node.id in self.machines.workloads:
                kind = facts.text(node.resource.values.get("load_balancer_type")) or "application"
                self.balancers[node.id] = LoadBalancer(
                    node.id, display_name(node.resource), kind, (node.id,), (), node.resource.origin
                )
        self._listeners()
        for node in self.index.of_type("aws_elb"):
            if node.id in self.machines.workloads:
                self._classic(node)

    def _group(self, node: Node) -> TargetGroup:
        values = node.resource.values
        kind = facts.text(values.get("target_type")) or (
            "instance" if not facts.is_set(values.get("target_type")) else None
        )
        protocol_ = facts.text(values.get("protocol"))
        port = facts.whole(values.get("port"))
        services = services_at(protocol_, port) or _OPEN
        reasons: list[Reason] = []
        if port is None and facts.is_set(values.get("port")):
            reasons += unknown_reasons(values["port"])
        setting = values.get("preserve_client_ip")
        known = facts.text(setting) if facts.is_set(setting) else None
        preserves = preserves_client(kind, protocol_, known)
        if setting is not None and not is_known(setting):
            preserves = None
            reasons += unknown_reasons(setting)
        if kind in UNSURE:
            reasons.append(Reason(UNSURE[kind], origin=node.resource.origin))
        return TargetGroup(
            id=node.id,
            name=display_name(node.resource),
            kind=kind or "unknown",
            services=services,
            targets=(),
            preserves_client=preserves,
            origin=node.resource.origin,
            reasons=tuple(reasons),
        )

    def _target(self, node: Node) -> None:
        values = node.resource.values
        link = self.index.link(node, values.get("target_group_arn"))
        targets = self._machines(node, values.get("target_id"))
        port = facts.whole(values.get("port"))
        for id_ in link.possible:
            group = self.groups.get(id_)
            if group is None:
                continue
            sure = link.id is not None and node.resource.exists and len(targets) == 1
            services = group.services
            if port is not None:
                udp = _protocol_text(group)
                services = services | services_at(udp, port)
            if sure:
                self.groups[id_] = replace(group, targets=_with(group.targets, targets), services=services)
            else:
                why = Reason(f"the target of {node.id} isn't known", origin=node.resource.origin)
                self.groups[id_] = replace(
                    group, targets_open=(*group.targets_open, why), targets=_with(group.targets, targets)
                )

    def _machines(self, node: Node, value: Value | None) -> list[str]:
        """The machines that a target id (instance, interface, address, balancer) names."""
        owner = self.machines.owner(node, value)
        if owner is not None:
            return [owner.id]
        written = facts.text(value)
        if written is None:
            return []
        return [
            w.id
            for w in self.machines.workloads.values()
            if any(a.place is not None and a.place == facts.place(written) for a in w.addresses)
        ]

    def _services_behind(self) -> None:
        """Services and autoscaling groups register their machines themselves."""
        for node in self.index.nodes:
            if node.id not in self.machines.workloads:
                continue
            values = node.resource.values
            wanted = [values.get("target_group_arns"), values.get("target_group_arn")]
            wanted += [b.values.get("target_group_arn") for b in node.resource.nested("load_balancer").items]
            wanted += [b.values.get("identifier") for b in node.resource.nested("traffic_source").items]
            for value in wanted:
                self._register(node, value, node.id)
        for node in self.index.of_type("aws_autoscaling_attachment", "aws_autoscaling_traffic_source_attachment"):
            link = self.index.link(node, node.resource.values.get("autoscaling_group_name"))
            if link.id in self.machines.workloads:
                self._register(node, node.resource.values.get("lb_target_group_arn"), str(link.id))

    def _register(self, node: Node, value: Value | None, machine: str) -> None:
        if value is None or is_null(value):
            return
        for each in facts.members(value)[0] if is_known(value) else (value,):
            link = self.index.link(node, each)
            group = self.groups.get(link.id or "")
            if group is not None:
                self.groups[group.id] = replace(group, targets=_with(group.targets, [machine]))

    def _listeners(self) -> None:
        more = self._rules()
        for node in self.index.of_type(*_LISTENERS):
            owner = self.index.link(node, node.resource.values.get("load_balancer_arn"))
            balancer = self.balancers.get(owner.id or "")
            if balancer is None:
                continue
            values = node.resource.values
            port = facts.whole(values.get("port"))
            services = services_at(facts.text(values.get("protocol")), port)
            reasons: tuple[Reason, ...] = node.resource.reasons
            if port is None:
                held = values.get("port")
                reasons += unknown_reasons(held) if held is not None else ()
                services = _OPEN
            rules = more.get(node.id, [])
            terms = Terms(elsewhere(len(rules), node.resource.origin), ())
            forwards = [*self._forwards(node, "default_action", terms), *(one for rule in rules for one in rule)]
            listener = Listener(services, tuple(dict.fromkeys(forwards)), node.resource.origin, reasons)
            self.balancers[balancer.id] = replace(balancer, listeners=(*balancer.listeners, listener))

    def _rules(self) -> dict[str, list[list[Forward]]]:
        """What each rule forwards, by listener; a rule whose listener isn't known counts for each that it may be."""
        listeners = [node.id for node in self.index.of_type(*_LISTENERS)]
        found: dict[str, list[list[Forward]]] = {}
        for node in self.index.of_type(*_RULES):
            owner = self.index.link(node, node.resource.values.get("listener_arn"))
            kinds = [facts.text(a.values.get("type")) or "" for a in node.resource.nested("action").items]
            name = display_name(node.resource)
            terms = terms_of(f"listener rule {name}", list(_conditions(node)), kinds, node.resource.origin)
            unsure = owner.reasons if owner.id is None else ()
            terms = replace(terms, uncertain=(*terms.uncertain, *unsure))
            forwards = list(self._forwards(node, "action", terms))
            for id_ in listeners if owner.id is None and owner.candidates is None else owner.possible:
                found.setdefault(id_, []).append(forwards)
        return found

    def _forwards(self, node: Node, name: str, terms: Terms) -> Iterator[Forward]:
        origin = node.resource.origin
        held = node.resource.nested(name)
        reasons = (*terms.uncertain, *held.open, *(() if node.resource.exists else node.resource.reasons))
        for action in held.items:
            value = action.values.get("target_group_arn")
            if facts.is_set(value):
                yield Forward(self.index.link(node, value), origin, terms.chosen, reasons)
            for forward in action.nested("forward").items:
                for target in forward.nested("target_group").items:
                    if facts.whole(target.values.get("weight")) != 0:  # which gets nothing
                        link = self.index.link(node, target.values.get("arn"))
                        yield Forward(link, origin, terms.chosen, reasons)
        if held.open:  # an action that isn't known may forward to any group
            yield Forward(Link(None, held.open), origin, terms.chosen, reasons)

    def _classic(self, node: Node) -> None:
        values = node.resource.values
        members: list[str] = []
        open_: list[Reason] = []
        given, unknown = facts.members(values.get("instances"))
        open_ += unknown
        for value in given:
            found = self._machines(node, value)
            members += found
            if not found:
                open_.append(Reason(f"an instance of {node.id} isn't known", origin=node.resource.origin))
        for other in self.index.of_type("aws_elb_attachment", "aws_autoscaling_attachment"):
            link = self.index.link(other, other.resource.values.get("elb"))
            if (
                link.id == node.id
                or facts.text(other.resource.values.get("elb")) == facts.text(values.get("name")) is not None
            ):
                asg = self.index.link(other, other.resource.values.get("autoscaling_group_name"))
                members += [asg.id] if asg.id in self.machines.workloads and asg.id is not None else []
                members += self._machines(other, other.resource.values.get("instance"))
        listeners: list[Listener] = []
        for number, each in enumerate(node.resource.nested("listener").items):
            front, behind = facts.whole(each.values.get("lb_port")), facts.whole(each.values.get("instance_port"))
            id_ = f"{node.id}.listener[{number}]"
            self.groups[id_] = TargetGroup(
                id_,
                id_,
                "instance",
                services_at("TCP", behind) or _OPEN,
                tuple(dict.fromkeys(members)),
                False,
                each.origin,
                tuple(open_),
            )
            forward = Forward(Link(id_), each.origin)
            listeners.append(Listener(services_at("TCP", front) or _OPEN, (forward,), each.origin))
        self.balancers[node.id] = LoadBalancer(
            node.id, display_name(node.resource), "classic", (node.id,), tuple(listeners), node.resource.origin
        )


def _conditions(node: Node) -> Iterator[Condition]:
    """The conditions of a listener rule; values that aren't known are left out of their words."""
    for held in node.resource.nested("condition").items:
        for kind in _CONDITIONS:
            for one in held.nested(kind).items:
                header = facts.text(one.values.get("http_header_name")) or ""
                values = facts.strings(one.values.get("values"))
                pairs = [(facts.text(one.values.get("key")), facts.text(one.values.get("value")))]
                values += ["=".join(part for part in pair if part) for pair in pairs if any(pair)]
                yield Condition(f"{kind.replace('_', '-')} {header}".strip(), tuple(values))


def _protocol_text(group: TargetGroup) -> str:
    tcp, udp = not group.services.isdisjoint(protocol(TCP)), not group.services.isdisjoint(protocol(UDP))
    return "TCP_UDP" if tcp and udp else "UDP" if udp else "TCP"


def _with(targets: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*targets, *more)))
