"""Puts what the engine found into words: verdicts, deciding rules and sentences for each hop."""

from __future__ import annotations

from lint.graph.rules import Action, Rule
from lint.reach.engine import Engine, View
from lint.reach.result import Hop
from lint.reach.trails import Step
from lint.space.bounds import Bounds
from lint.space.intervals import IntervalSet
from lint.space.services import ALL_PORTS, ALL_SERVICES, render
from lint.space.traffic import TrafficSet

_KINDS = {
    "security_group": "security group",
    "network_acl": "network ACL",
    "nsg": "network security group",
    "admin_rules": "admin rules",
}


def verdict_of(passed: Bounds, wanted: TrafficSet) -> str:
    """allowed, blocked, partial or undetermined, for what was wanted.

    Traffic that passes from some of the client's source ports alone is undetermined: the client chooses among them.
    """
    if not wanted:
        return "blocked"
    possible = passed.may & wanted
    if not possible:
        return "blocked"
    if wanted <= passed.must:
        return "allowed"
    if (passed.must & wanted) != possible:
        return "undetermined"
    halves = wanted - possible
    if halves and _any_port(halves, wanted) & _any_port(possible, wanted):
        return "undetermined"
    return "partial"


def _any_port(traffic: TrafficSet, wanted: TrafficSet) -> TrafficSet:
    """The peers and services that occur, with every wanted source port."""
    return TrafficSet.union_of((peers, services, ALL_PORTS) for peers, services, _ in traffic.boxes()) & wanted


def hop_of(engine: Engine, step: Step, bounds: Bounds, asked: IntervalSet, wanted: TrafficSet) -> Hop:
    """A step as a hop: with its verdict about what was wanted, and the rules that decide it."""
    verdict = verdict_of(bounds, wanted)
    rules: tuple[Rule, ...] = ()
    sentence = step.sentence
    if step.view is not None:
        rules = _deciding(step, step.view, asked, verdict)
        sentence = _sentence(step, step.view, rules, asked, verdict)
    return Hop(
        step.layer,
        step.direction,
        step.filter.split(", ")[0],
        step.name,
        bounds,
        rules,
        verdict,
        sentence,
        step.origin,
        step.reasons,
    )


def _deciding(step: Step, view: View, asked: IntervalSet, verdict: str) -> tuple[Rule, ...]:
    """The rules that touch what was asked: those that allow, and those that deny where not all passes."""
    if step.reply:
        touching = [one for _, one in view.matched if not one.box[0].isdisjoint(step.remote_places)]
        wanted = Action.DENY if verdict == "blocked" else Action.ALLOW
        found = [one.rule for one in touching if one.rule.action is wanted and not one.rule.implied]
        return tuple(dict.fromkeys(found))
    allowing: list[Rule] = []
    denying: list[Rule] = []
    for _, one in view.matched:
        peers, services, _ = one.box
        if peers.isdisjoint(step.remote_places) or services.isdisjoint(asked):
            continue
        if one.left is not None and not one.traffic().restrict(step.remote_places, asked):
            continue
        (denying if one.rule.action is Action.DENY else allowing).append(one.rule)
    if verdict == "allowed":
        return tuple(allowing)
    return tuple(denying + allowing) if verdict != "blocked" else tuple(denying)


def _sentence(step: Step, view: View, rules: tuple[Rule, ...], asked: IntervalSet, verdict: str) -> str:
    what = service_text(asked)
    direction = view.direction.value
    side = "from" if direction == "ingress" else "to"
    who = step.remote
    subject = _subject(view)
    if step.reply:
        side = "to" if direction == "egress" else "from"
        if verdict == "allowed":
            return f"{subject} lets the reply {side} {who} through"
        if verdict == "blocked":
            deny = next((rule for rule in rules if rule.action is Action.DENY), None)
            why = f" by {rule_text(deny)}" if deny is not None else f": no {direction} rule passes it"
            return f"{subject} stops the reply {side} {who}{why}"
        return f"{subject} lets only a part of the replies {side} {who} through"
    if verdict == "allowed":
        by = f" by {rule_text(rules[0])}" if rules else ""
        return f"{subject} allows {what} {side} {who}{by}"
    if verdict == "blocked":
        deny = next((rule for rule in rules if rule.action is Action.DENY and not rule.implied), None)
        if deny is not None:
            return f"{subject} denies {what} {side} {who} by {rule_text(deny)}"
        if not view.filters and not view.layer.open:
            return f"no {_KINDS.get(view.layer.kind, view.layer.kind)} allows {what} {side} {who}"
        return f"{subject} has no {direction} rule for {what} {side} {who}"
    if verdict == "undetermined":
        why = view.reasons[0].sentence() if view.reasons else "part of it is unknown"
        return f"whether {subject} allows {what} {side} {who} isn't determined: {why}"
    return f"{subject} allows a part of {what} {side} {who}"


def _subject(view: View) -> str:
    kind = _KINDS.get(view.layer.kind, view.layer.kind.replace("_", " "))
    if not view.filters:
        return f"a {kind} that the source doesn't show" if view.layer.open else f"no {kind}"
    names = []
    for one in view.filters:
        place = f" ({one.origin.where()})" if one.origin.file else ""
        names.append(f"{one.origin.address or one.name or one.id}{place}")
    if len(names) == 1:
        return f"{kind} {names[0]}"
    plural = {"security_group": "security groups", "network_acl": "network ACLs"}.get(view.layer.kind, f"{kind}s")
    return f"the set of {plural} {', '.join(names)}"


def rule_text(rule: Rule) -> str:
    """`rule 90 (main.tf:12)`: the name or number that the cloud gives it, and where it is written."""
    name = rule.name or (str(rule.priority) if rule.priority is not None else "")
    place = f" ({rule.origin.where()})" if rule.origin.file else ""
    if not name:
        return f"the rule in {rule.origin.where()}" if rule.origin.file else f"rule {rule.id}"
    return f"rule {name}{place}"


def service_text(services: IntervalSet) -> str:
    """`tcp/443`, `tcp/22, udp/53`, `anything`."""
    if services == ALL_SERVICES:
        return "anything"
    texts = render(services)
    return ", ".join(texts[:4]) + (f" and {len(texts) - 4} more" if len(texts) > 4 else "")
