"""Records to the model: the one place where both readers end."""

from __future__ import annotations

from lint.azure.admin import read_admin_rules
from lint.azure.balancers import read_balancers
from lint.azure.groups import read_application_groups, read_security_groups
from lint.azure.in_force import read_in_force
from lint.azure.index import BASTION, EFFECTIVE_GROUPS, EFFECTIVE_ROUTES, Index
from lint.azure.interfaces import read_interfaces, read_public_addresses
from lint.azure.model import Model
from lint.azure.networks import (
    read_firewalls,
    read_gateways,
    read_nat_gateways,
    read_networks,
    read_route_tables,
)
from lint.azure.records import Records
from lint.azure.service_tags import read_service_tags


def assemble(records: Records) -> Model:
    """The model of everything that was read."""
    index = Index.of(records)
    groups = read_security_groups(index)
    networks, subnets, peerings = read_networks(index)
    interfaces, machines = read_interfaces(index)
    admin_rules, mesh = read_admin_rules(index, networks)
    tags, tag_notes = read_service_tags(records.tag_documents)
    for record in index.of_type(BASTION):
        index.notes.setdefault(f"{record.key}: Azure Bastion starts management flows from its own subnet")
    for one in records.missing:
        if one.type in (EFFECTIVE_GROUPS, EFFECTIVE_ROUTES):
            index.notes.setdefault(one.reason.sentence())
    return Model(
        groups=groups,
        application_groups=read_application_groups(index),
        networks=networks,
        subnets=subnets,
        peerings=peerings,
        interfaces=interfaces,
        machines=machines,
        public_addresses=read_public_addresses(index),
        balancers=read_balancers(index),
        route_tables=read_route_tables(index),
        nat_gateways=read_nat_gateways(index),
        firewalls=read_firewalls(index),
        gateways=read_gateways(index),
        admin_rules=admin_rules,
        mesh=mesh,
        service_tags=tags,
        in_force=read_in_force(index),
        problems=tuple(index.problems),
        incomplete=records.incomplete,
        notes=(*index.notes, *tag_notes),
    )
