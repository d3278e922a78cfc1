"""Load balancers from raw answers: their listeners, rules and targets, and what of them isn't in the source.

Source: Elastic Load Balancing API reference, types Listener, Rule, TargetGroup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lint.aws.balancing import UNSURE, Condition, Terms, elsewhere, preserves_client, services_at, terms_of
from lint.aws.from_api import facts
from lint.aws.from_api.answers import Answers, Item
from lint.aws.model.links import Link
from lint.aws.model.machines import Forward, InterfaceAddress, Listener, LoadBalancer, TargetGroup, Workload
from lint.origin import Origin, Reason
from lint.space.addresses import address_text

RULES = "LoadBalancerListenerRules"


def balancers_of(
    answers: Answers, workloads: dict[str, Workload]
) -> tuple[dict[str, LoadBalancer], dict[str, TargetGroup]]:
    """Load balancers with their listeners, and target groups.

    Balancers without interfaces of their own become workloads.
    """
    listeners: dict[str, list[dict[str, Any]]] = {}
    for held in answers.of("LoadBalancerListeners"):
        listeners.setdefault(held.id, []).extend(facts.listed(held.data, "Listeners"))
    for each in answers.of("Listeners"):
        owner = facts.text(each.data, "LoadBalancerArn")
        if owner is not None:
            listeners.setdefault(owner, []).append(each.data)
    balancers: dict[str, LoadBalancer] = {}
    for item in answers.of("LoadBalancers"):
        kind = facts.text(item.data, "Type") or "application"
        name = facts.text(item.data, "LoadBalancerName") or item.id
        balancers[item.id] = LoadBalancer(
            id=item.id,
            name=name,
            kind=kind,
            workloads=tuple(_balancer_workloads(item, name, kind, workloads)),
            listeners=tuple(_listeners(answers, item, kind, listeners.get(item.id, []))),
            origin=item.origin,
        )
    groups = _target_groups(answers, workloads)  # a balancer may be a target itself
    for item in answers.of("LoadBalancerDescriptions"):
        balancers[item.id] = _classic(item, workloads, groups)
    return balancers, groups


def _listeners(answers: Answers, item: Item, kind: str, listed: list[dict[str, Any]]) -> Iterator[Listener]:
    for each in listed:
        arn = facts.text(each, "ListenerArn") or ""
        rules = [rule for rule in _rules(answers, arn) if not facts.truth(rule, "IsDefault")]
        forwards = list(_forwards(each, "DefaultActions", Terms(elsewhere(len(rules), item.origin), ()), item.origin))
        for rule in rules:
            named = f"rule {facts.text(rule, 'Priority') or ''} of listener {arn.rpartition('/')[2]}".replace("  ", " ")
            kinds = [facts.text(action, "Type") or "" for action in facts.listed(rule, "Actions")]
            terms = terms_of(named, list(_conditions(rule)), kinds, item.origin)
            forwards += _forwards(rule, "Actions", terms, item.origin)
        if kind == "application" and not _has_rules(answers, arn):
            forwards = _unread(answers, item, arn, forwards)
        yield Listener(
            services_at(facts.text(each, "Protocol"), facts.whole(each, "Port")),
            tuple(dict.fromkeys(forwards)),
            item.origin,
        )


def _forwards(held: dict[str, Any], key: str, terms: Terms, origin: Origin) -> Iterator[Forward]:
    for action in facts.listed(held, key):
        named = [facts.text(action, "TargetGroupArn")]
        for group in facts.listed(action.get("ForwardConfig"), "TargetGroups"):
            if facts.whole(group, "Weight") != 0:  # which gets nothing
                named.append(facts.text(group, "TargetGroupArn"))
        for arn in dict.fromkeys(named):
            if arn is not None:
                yield Forward(Link(arn), origin, terms.chosen, terms.uncertain)


def _conditions(rule: dict[str, Any]) -> Iterator[Condition]:
    for each in facts.listed(rule, "Conditions"):
        field = facts.text(each, "Field") or ""
        config = next((value for key, value in each.items() if key.endswith("Config") and isinstance(value, dict)), {})
        values = [*facts.texts(config, "Values"), *facts.texts(config, "RegexValues")] or facts.texts(each, "Values")
        for pair in facts.listed(config, "Values"):  # of a query string
            values.append("=".join(part for part in (facts.text(pair, "Key"), facts.text(pair, "Value")) if part))
        header = facts.text(config, "HttpHeaderName") or ""
        yield Condition(f"{field} {header}".strip(), tuple(values))


def _rules(answers: Answers, listener: str) -> list[dict[str, Any]]:
    """The rules of a listener: `…:listener-rule/app/<name>/<balancer>/<listener>/<rule>`."""
    held = [r for each in answers.of(RULES) if each.id == listener for r in facts.listed(each.data, "Rules")]
    below = listener.replace(":listener/", ":listener-rule/") + "/"
    held += [each.data for each in answers.of("Rules") if each.id.startswith(below)]
    return held


def _has_rules(answers: Answers, listener: str) -> bool:
    return any(each.id == listener for each in answers.of(RULES)) or bool(_rules(answers, listener))


def _unread(answers: Answers, item: Item, listener: str, known: list[Forward]) -> list[Forward]:
    """What a listener may do whose rules aren't in the source: send to every group that belongs to its balancer."""
    why = answers.missing(f"{RULES}:{listener}", item) or (
        Reason(
            f"the rules of listener {listener.rpartition('/')[2]} aren't in this source",
            code=f"aws.missing:{RULES}",
            origin=item.origin,
            remedy="collect them with `aws elbv2 describe-rules`",
        ),
    )
    own = [each.id for each in answers.of("TargetGroups") if item.id in facts.texts(each.data, "LoadBalancerArns")]
    more = [Forward(Link(arn), item.origin, (), why) for arn in own if arn not in {one.group.id for one in known}]
    return [*(replace(one, conditions=(*one.conditions, *why)) for one in known), *more]


def _balancer_workloads(item: Item, name: str, kind: str, workloads: dict[str, Workload]) -> Iterator[str]:
    """The interfaces of a balancer: AWS describes them as `ELB app/<name>/<hash>`."""
    tail = item.id.partition("loadbalancer/")[2]
    interfaces = [w.id for w in workloads.values() if tail and f"ELB {tail}" in w.aliases]
    if not interfaces:
        interfaces = [w.id for w in workloads.values() if f"ELB {name}" in w.aliases]
    for id_ in interfaces:
        known = workloads[id_]
        workloads[id_] = replace(
            known,
            kind="load_balancer",
            name=name,
            unfiltered=kind == "network" and not known.groups,
            aliases=tuple(dict.fromkeys((*known.aliases, name, item.id, facts.text(item.data, "DNSName") or name))),
        )
        yield id_
    if interfaces:
        return
    public = facts.text(item.data, "Scheme") == "internet-facing"
    addresses: list[InterfaceAddress] = []
    links: list[Link] = []
    for zone in facts.listed(item.data, "AvailabilityZones"):
        subnet = Link(facts.text(zone, "SubnetId"))
        links.append(subnet)
        told = list(facts.listed(zone, "LoadBalancerAddresses"))
        for each in told or [{}]:
            known_public = facts.place(facts.text(each, "IpAddress"))
            addresses.append(
                InterfaceAddress(
                    place=facts.place(facts.text(each, "PrivateIPv4Address")),
                    subnet=subnet,
                    public=known_public if public else None,
                    public_exists=public,
                )
            )
    subnets = facts.texts(item.data, "Subnets")
    links += [Link(s) for s in subnets]
    addresses += [InterfaceAddress(subnet=Link(s), public_exists=public) for s in subnets]
    given = facts.texts(item.data, "SecurityGroups")
    workloads[item.id] = Workload(
        id=item.id,
        name=name,
        kind="load_balancer",
        groups=tuple(given),
        addresses=tuple(addresses) or (InterfaceAddress(public_exists=public),),
        origin=item.origin,
        subnets=tuple(links),
        vpc=Link(facts.text(item.data, "VpcId") or facts.text(item.data, "VPCId")),
        unfiltered=kind in ("network", "gateway") and not given,
        aliases=tuple(a for a in (name, facts.text(item.data, "DNSName")) if a),
        account=item.account,
        region=item.region,
    )
    yield item.id


def _target_groups(answers: Answers, workloads: dict[str, Workload]) -> dict[str, TargetGroup]:
    attributes: dict[str, dict[str, str]] = {}
    for held in answers.of("TargetGroupAttributes"):
        for each in facts.listed(held.data, "Attributes"):
            attributes.setdefault(held.id, {})[facts.text(each, "Key") or ""] = facts.text(each, "Value") or ""
    targets: dict[str, list[dict[str, Any]]] = {}
    for held in answers.of("LoadBalancerTargetHealth"):
        targets.setdefault(held.id, []).extend(facts.listed(held.data, "TargetHealthDescriptions"))
    by_name = _by_name(workloads)
    found: dict[str, TargetGroup] = {}
    for item in answers.of("TargetGroups"):
        kind = facts.text(item.data, "TargetType") or "instance"
        protocol = facts.text(item.data, "Protocol")
        services = services_at(protocol, facts.whole(item.data, "Port"))
        members: dict[str, None] = {}
        unknown: list[Reason] = []
        for each in targets.get(item.id, []):
            id_ = facts.text(each, "Target", "Id")
            port = facts.whole(each.get("Target"), "Port")
            services = services | services_at(protocol, port)
            machines = by_name.get(id_ or "", [])
            if kind == "alb":
                machines = [w.id for w in workloads.values() if id_ == w.id or id_ in w.aliases]
            members.update(dict.fromkeys(machines))
            if not machines:
                unknown.append(Reason(f"the target {id_} of {item.id} isn't in this source", origin=item.origin))
        if item.id not in targets:
            unknown.append(
                Reason(
                    f"the targets of {facts.text(item.data, 'TargetGroupName') or item.id} aren't in this source",
                    code="aws.missing:LoadBalancerTargetHealth",
                    origin=item.origin,
                    remedy="collect them with `aws elbv2 describe-target-health`",
                )
            )
        if kind in UNSURE:
            unknown.append(Reason(UNSURE[kind], origin=item.origin))
        found[item.id] = TargetGroup(
            id=item.id,
            name=facts.text(item.data, "TargetGroupName") or item.id,
            kind=kind,
            services=services,
            targets=tuple(members),
            preserves_client=preserves_client(
                kind, protocol, attributes.get(item.id, {}).get("preserve_client_ip.enabled")
            ),
            origin=item.origin,
            targets_open=tuple(unknown),
        )
    return found


def _by_name(workloads: dict[str, Workload]) -> dict[str, list[str]]:
    """Workloads by instance id, interface id and private address.

    An instance's first interface is the one that is a target.
    """
    found: dict[str, list[str]] = {}
    for workload in workloads.values():
        for name in (workload.id, *workload.aliases):
            found.setdefault(name, [workload.id])
        for address in workload.addresses:
            if address.place is not None:
                found.setdefault(address_text(address.place), []).append(workload.id)
    return found


def _classic(item: Item, workloads: dict[str, Workload], groups: dict[str, TargetGroup]) -> LoadBalancer:
    """A classic balancer: each listener has its own backend port, and all share the instances."""
    by_name = _by_name(workloads)
    members: dict[str, None] = {}
    for each in facts.listed(item.data, "Instances"):
        members.update(dict.fromkeys(by_name.get(facts.text(each, "InstanceId") or "", [])))
    listeners: list[Listener] = []
    for description in facts.listed(item.data, "ListenerDescriptions"):
        front: Any = description.get("Listener")
        port = facts.whole(front, "LoadBalancerPort")
        behind = facts.whole(front, "InstancePort")
        id_ = f"{item.id}:{port}"
        groups[id_] = TargetGroup(
            id_,
            id_,
            "instance",
            services_at(facts.text(front, "InstanceProtocol"), behind),
            tuple(members),
            False,
            item.origin,
        )
        forward = Forward(Link(id_), item.origin)
        listeners.append(Listener(services_at(facts.text(front, "Protocol"), port), (forward,), item.origin))
    return LoadBalancer(
        id=item.id,
        name=item.id,
        kind="classic",
        workloads=tuple(_balancer_workloads(item, item.id, "classic", workloads)),
        listeners=tuple(listeners),
        origin=item.origin,
    )
