"""The rule graph: everything that decides what can reach what, from one source or from several merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lint.graph.endpoints import Endpoint
from lint.graph.rules import AddressList, Filter, Group
from lint.graph.topology import (
    Forwarding,
    NatGateway,
    Network,
    Peering,
    RouteTable,
    Subnet,
    TransitGateway,
)
from lint.origin import Reason
from lint.space.intervals import EMPTY, IntervalSet


@dataclass(frozen=True, slots=True)
class PlatformTraffic:
    """Traffic that no filter of the cloud ever sees (metadata, resolver, time).

    Allowed from every endpoint of `network` (None: all).
    """

    addresses: IntervalSet
    services: IntervalSet
    text: str
    network: str | None = None


@dataclass(frozen=True, slots=True)
class RuleGraph:
    """All mappings are by id. `incomplete` says what of the source could not be read at all."""

    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    address_lists: Mapping[str, AddressList] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    route_tables: Mapping[str, RouteTable] = field(default_factory=dict)
    nat_gateways: Mapping[str, NatGateway] = field(default_factory=dict)
    peerings: Mapping[str, Peering] = field(default_factory=dict)
    transit_gateways: Mapping[str, TransitGateway] = field(default_factory=dict)
    forwardings: tuple[Forwarding, ...] = ()
    platform: tuple[PlatformTraffic, ...] = ()
    incomplete: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()


NO_ADDRESSES = EMPTY
EMPTY_GRAPH = RuleGraph()
