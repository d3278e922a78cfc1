"""Lowers the AWS model to the rule graph: the one place that knows both worlds.

Sources: VPC User Guide, "Security group rules", "Control traffic to subnets using network ACLs", "Configure route
tables", "Control traffic to your AWS resources using security groups" (traffic that nothing filters).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from lint.aws.lowering.filters import Filters, listeners, network_acl
from lint.aws.lowering.machines import Machines
from lint.aws.lowering.networks import networks, subnets
from lint.aws.lowering.routes import Routes
from lint.aws.model import Model
from lint.aws.owners import Owners
from lint.graph.graph import PlatformTraffic, RuleGraph
from lint.graph.places import Places
from lint.space.addresses import parse_cidrs
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import TCP, UDP, ports


def lower(
    model: Model,
    *,
    transparent: Collection[str] = (),
    prefix_lists: Mapping[str, Sequence[str]] | None = None,
) -> RuleGraph:
    """The rule graph of everything in the model.

    `transparent`: appliances that pass everything. `prefix_lists`: CIDRs of lists that the source doesn't hold, by id
    or name; raises ValueError where one of them is no CIDR.
    """
    model = _with_lists(model, prefix_lists or {})
    owners = Owners(model, Places())
    filters = Filters(model, owners)
    routes = Routes(model, owners, frozenset(transparent))
    notes: list[str] = []
    tables = routes.tables()
    held = subnets(model, tables, notes)
    machines = Machines(model, owners, held)
    balancers = [each for each in model.load_balancers.values() if each.listeners]
    return RuleGraph(
        endpoints={id_: machines.endpoint(each) for id_, each in model.workloads.items()},
        filters={
            **{id_: filters.security_group(group) for id_, group in model.groups.items()},
            **{id_: network_acl(acl, owners) for id_, acl in model.acls.items()},
            **{f"{each.id}#listeners": listeners(each) for each in balancers},
        },
        groups={id_: filters.group(group) for id_, group in model.groups.items()},
        address_lists={id_: filters.address_list(each) for id_, each in model.prefix_lists.items()},
        networks=networks(model),
        subnets=held,
        route_tables=tables,
        nat_gateways={id_: routes.nat_gateway(each) for id_, each in model.nat_gateways.items()},
        peerings={id_: each for id_, each in map(routes.peering, model.peerings.values()) if each is not None},
        transit_gateways=routes.transit_gateways(),
        forwardings=tuple(machines.forwardings()),
        platform=tuple(_platform(model)),
        incomplete=model.incomplete,
        notes=tuple(dict.fromkeys((*(p.sentence() for p in model.problems), *model.notes, *notes))),
    )


def _with_lists(model: Model, given: Mapping[str, Sequence[str]]) -> Model:
    """The model with the prefix lists that a person gave, where the source has nothing certain to say."""
    lists = dict(model.prefix_lists)
    for id_, known in lists.items():
        named = next((given[n] for n in (id_, known.name, *known.aliases) if n in given), None)
        if named is not None and known.must != known.may:
            addresses = parse_cidrs(*named)
            lists[id_] = replace(known, must=addresses, may=addresses, reasons=())
    return replace(model, prefix_lists=lists)


def _platform(model: Model) -> Iterable[PlatformTraffic]:
    """Traffic that neither security groups nor network ACLs ever see."""
    dns = ports(UDP, 53, 53) | ports(TCP, 53, 53)
    if not model.vpcs and not model.workloads:
        return
    for addresses, services, text in (
        (("169.254.169.254", "fd00:ec2::254"), ports(TCP, 80, 80), "instance metadata"),
        (("169.254.170.2",), ports(TCP, 80, 80), "ECS task metadata"),
        (("169.254.169.123", "fd00:ec2::123"), ports(UDP, 123, 123), "Amazon Time Sync"),
        (("169.254.169.250", "169.254.169.251"), ports(TCP, 1688, 1688), "Windows licence activation"),
    ):
        yield PlatformTraffic(parse_cidrs(*addresses), services, text)
    resolvers = parse_cidrs("169.254.169.253", "fd00:ec2::253")
    known = [vpc for vpc in model.vpcs.values() if not vpc.looked_up]
    if not known:
        yield PlatformTraffic(resolvers, dns, "Route 53 Resolver")
    for vpc in known:
        if vpc.dns_support:
            own = EMPTY if vpc.resolver is None else IntervalSet.of(vpc.resolver)
            yield PlatformTraffic(resolvers | own, dns, "Route 53 Resolver", vpc.id)
