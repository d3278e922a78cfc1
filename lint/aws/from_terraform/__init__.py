"""Reads AWS resources that Terraform evaluated (from HCL, a plan or a state) into the model.

Knows nothing of the rule graph.
"""

from __future__ import annotations

from collections.abc import Sequence

from lint.aws.from_terraform.groups import Groups
from lint.aws.from_terraform.index import Index
from lint.aws.from_terraform.machines import Machines
from lint.aws.from_terraform.network import Networks
from lint.aws.model import Model
from lint.aws.model.links import Problem
from lint.terraform.resources import Evaluation


def read(evaluations: Sequence[Evaluation]) -> Model:
    """The AWS resources of several roots, plans and states as one model.

    References resolve inside a root by Terraform address, across roots by real id, and for data sources by name and
    tags.
    """
    index = Index(evaluations)
    problems: list[Problem] = []
    networks = Networks(index, problems)
    networks.read()
    groups = Groups(index, problems)
    groups.read()
    machines = Machines(index, groups, networks, problems)
    machines.read()
    return Model(
        groups=groups.groups,
        prefix_lists=groups.lists,
        vpcs=networks.vpcs,
        subnets=networks.subnets,
        workloads=machines.workloads,
        problems=tuple(dict.fromkeys(problems)),
    )
