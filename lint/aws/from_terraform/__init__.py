"""Reads AWS resources that Terraform evaluated (from HCL, a plan or a state) into the model.

Knows nothing of the rule graph.
"""

from __future__ import annotations

from collections.abc import Sequence

from lint.aws.from_terraform.acls import Acls
from lint.aws.from_terraform.balancing import Balancing
from lint.aws.from_terraform.groups import Groups
from lint.aws.from_terraform.index import Index
from lint.aws.from_terraform.machines import Machines
from lint.aws.from_terraform.network import Networks
from lint.aws.from_terraform.routes import Routing
from lint.aws.from_terraform.transit import Transit
from lint.aws.model import Model
from lint.origin import Problem
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
    routing = Routing(index, networks, groups, problems)
    routing.read()
    networks.block_public_access()
    acls = Acls(index, networks, problems)
    acls.read()
    transit = Transit(index, groups)
    transit.read()
    balancing = Balancing(index, machines)
    balancing.read()
    return Model(
        groups=groups.groups,
        prefix_lists=groups.lists,
        vpcs=networks.vpcs,
        subnets=networks.subnets,
        acls=acls.acls,
        route_tables=routing.tables,
        internet_gateways=routing.internet_gateways,
        nat_gateways=routing.nat_gateways,
        peerings=routing.peerings,
        gateway_endpoints=routing.endpoints,
        transit_gateways=transit.gateways,
        transit_attachments=transit.attachments,
        transit_tables=transit.tables,
        workloads=machines.workloads,
        load_balancers=balancing.balancers,
        target_groups=balancing.groups,
        problems=tuple(dict.fromkeys(problems)),
    )
