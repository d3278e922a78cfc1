"""Groups of which Terraform keeps only the rules that it is told to: `aws_vpc_security_group_rules_exclusive`.

Source: the AWS provider's documentation of that resource: it removes every rule of the group that its lists don't name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lint.aws.from_terraform import facts
from lint.aws.from_terraform.index import Index, Node
from lint.aws.model.groups import EGRESS, INGRESS, SecurityGroup, SecurityGroupRule
from lint.origin import Problem, Reason

_LISTS = {INGRESS: "ingress_rule_ids", EGRESS: "egress_rule_ids"}


@dataclass(frozen=True, slots=True)
class _Kept:
    """The rules that one resource keeps in one direction, by address or id of their own."""

    keeper: Node
    rules: frozenset[str]


class Exclusive:
    """What is kept of each group."""

    def __init__(self, index: Index, problems: list[Problem]) -> None:
        self._problems = problems
        self._kept: dict[str, list[_Kept]] = {}
        for node in index.of_type("aws_vpc_security_group_rules_exclusive"):
            link = index.link(node, node.resource.values.get("security_group_id"), "aws_security_group")
            named = frozenset(
                found.node.id if found.node is not None else found.text
                for name in _LISTS.values()
                for value in facts.members(node.resource.values.get(name))[0]
                for found in index.find(node.root, value)[0]
            )
            everywhere = [each.id for each in index.of_type("aws_security_group") if each.root == node.root]
            others = index.elsewhere(node, node.resource.values.get("security_group_id"), "aws_security_group")
            for group in (*(link.possible or everywhere), *(other.id for other in others)):
                self._kept.setdefault(group, []).append(_Kept(node, named))

    def of(self, group: SecurityGroup) -> SecurityGroup:
        """The group: rules that nothing keeps aren't certain to be in force."""
        kept = self._kept.get(group.id)
        if not kept:
            return group
        return replace(group, rules=tuple(self._rule(rule, kept) for rule in group.rules))

    def _rule(self, rule: SecurityGroupRule, kept: list[_Kept]) -> SecurityGroupRule:
        for one in kept:
            if rule.implied or not one.rules.isdisjoint((rule.id, rule.name)):
                continue
            text = f"{one.keeper.id} doesn't keep {rule.id}, so Terraform removes it"
            problem = Problem("warning", text, rule.origin, f"name it in {_LISTS[rule.direction]}")
            if problem not in self._problems:
                self._problems.append(problem)
            why = Reason(text, "tf.rule-not-kept", one.keeper.resource.origin)
            rule = replace(rule, exists=False, reasons=(*rule.reasons, why))
        return rule
