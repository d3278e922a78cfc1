"""Reads raw answers of the AWS API (what `aws … describe-…` prints, or what a collector keeps) into the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lint.aws.from_api.answers import Answers
from lint.aws.from_api.balancing import balancers_of
from lint.aws.from_api.documents import Document, is_dump, load_dump
from lint.aws.from_api.gaps import gaps_of, stub_subnets, stub_vpcs
from lint.aws.from_api.groups import acls_of, foreign_group, groups_of, named_groups, prefix_lists_of, unread_list
from lint.aws.from_api.machines import workloads_of
from lint.aws.from_api.network import (
    gateway_endpoints_of,
    internet_gateways_of,
    nat_gateways_of,
    peerings_of,
    route_tables_of,
    subnets_of,
    transit_of,
    vpcs_of,
)
from lint.aws.model import Model
from lint.aws.model.groups import PrefixList, PrefixListPeer, SecurityGroup
from lint.aws.model.machines import InterfaceAddress, Workload
from lint.aws.model.network import INTERNET_GATEWAY, LOCAL, RouteTable, Subnet, Vpc
from lint.origin import Origin, Problem, Reason
from lint.space.addresses import REAL
from lint.space.intervals import EMPTY

__all__ = ["Document", "is_dump", "load_dump", "read"]

_LAYERS = (
    ("SecurityGroups", "security groups"),
    ("NetworkInterfaces", "network interfaces"),
    ("Subnets", "subnets"),
    ("Vpcs", "VPCs"),
    ("NetworkAcls", "network ACLs"),
    ("RouteTables", "route tables"),
)


def read(documents: Sequence[Document]) -> Model:
    """All documents, of whatever accounts and regions, as one model. References resolve by id."""
    answers = Answers(documents)
    problems: list[Problem] = []
    groups = groups_of(answers, problems)
    workloads = workloads_of(answers)
    balancers, target_groups = balancers_of(answers, workloads)
    tables = route_tables_of(answers, problems)
    vpcs = vpcs_of(answers)
    vpcs |= stub_vpcs(answers, vpcs)
    subnets = subnets_of(answers)
    subnets |= stub_subnets(answers, subnets)
    lists = prefix_lists_of(answers)
    _complete_groups(answers, groups, workloads, vpcs)
    for group in groups.values():
        for rule in group.rules:
            for peer in rule.peers:
                if isinstance(peer, PrefixListPeer) and peer.list not in lists:
                    lists[peer.list] = _unknown(answers, peer.list)
    for table in tables.values():
        for route in table.routes:
            if route.prefix_list is not None and route.prefix_list not in lists:
                lists[route.prefix_list] = _unknown(answers, route.prefix_list)
    gateways, attachments, transit_tables = transit_of(answers)
    gaps = gaps_of(answers)
    notes = [
        f"the dump holds no {kind} ({name}): that layer was passed through"
        for kind, name in _LAYERS
        if not answers.has(kind) and not answers.missing(kind)
    ]
    return Model(
        groups=groups,
        prefix_lists=lists,
        acls=acls_of(answers, problems),
        vpcs=vpcs,
        subnets=_redirected(subnets, tables),
        route_tables=tables,
        internet_gateways=internet_gateways_of(answers),
        nat_gateways=nat_gateways_of(answers),
        peerings=peerings_of(answers),
        transit_gateways=gateways,
        transit_attachments=attachments,
        transit_tables=transit_tables,
        gateway_endpoints=gateway_endpoints_of(answers),
        workloads=workloads,
        load_balancers=balancers,
        target_groups=target_groups,
        problems=tuple(dict.fromkeys(problems)),
        incomplete=gaps.incomplete,
        notes=(*notes, *gaps.notes),
    )


def _unknown(answers: Answers, id_: str) -> PrefixList:
    return PrefixList(id_, id_, EMPTY, REAL, Origin(resource_id=id_), unread_list(answers, id_, id_))


def _complete_groups(
    answers: Answers, groups: dict[str, SecurityGroup], workloads: dict[str, Workload], networks: dict[str, Vpc]
) -> None:
    """Adds groups that are only named, and for each group that nothing carries a machine that stands for any."""
    vpcs = {g: w.vpc.id for w in workloads.values() for g in w.groups}
    why = "".join(f"; {r.text}" for r in answers.missing("SecurityGroups"))
    for id_ in dict.fromkeys((*named_groups(groups), *vpcs)):
        if id_ not in groups:
            groups[id_] = foreign_group(id_, why, vpcs.get(id_))
    carried = {g for w in workloads.values() for g in w.groups}
    for group in groups.values():
        if not group.foreign and group.id not in carried:
            home = networks.get(group.vpc.id or "")
            addresses = [InterfaceAddress(public_exists=True)]
            if home is not None and home.ipv6 is not False:
                addresses.append(InterfaceAddress(family=6))
            workloads[group.id] = Workload(
                id=group.id,
                name=group.name,
                kind="group",
                groups=(group.id,),
                addresses=tuple(addresses),
                vpc=group.vpc,
                origin=group.origin,
                aliases=group.aliases,
                tags=group.tags,
                account=group.account,
                region=group.region,
                hypothetical=True,
            )


def _redirected(subnets: dict[str, Subnet], tables: dict[str, RouteTable]) -> dict[str, Subnet]:
    """Subnets whose Internet traffic a gateway's own route table sends through an appliance first."""
    found = dict(subnets)
    for table in tables.values():
        if not any(g.startswith("igw-") for g in table.gateways):
            continue
        for route in table.routes:
            if route.kind in (LOCAL, INTERNET_GATEWAY):
                continue
            why = Reason(
                f"traffic from the Internet to {route.text} goes through {route.target} first ({table.id})",
                origin=table.origin,
            )
            for id_, subnet in found.items():
                if not subnet.prefixes.isdisjoint(route.destinations):
                    found[id_] = replace(subnet, internet_block_open=(*subnet.internet_block_open, why))
    return found
