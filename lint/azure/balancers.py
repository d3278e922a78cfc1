"""Load balancers read from records: frontends, rules, inbound NAT and who gets a way out by them."""

from __future__ import annotations

from lint.azure.index import BALANCER, Index
from lint.azure.interfaces import standard_sku
from lint.azure.model import BalancerRule, Frontend, LoadBalancer
from lint.azure.networks import address_in
from lint.azure.records import Gap, Record, View, canonical, view
from lint.origin import Reason
from lint.space.addresses import IPV6_BASE
from lint.space.intervals import IntervalSet
from lint.space.services import TCP, UDP, WITH_PORTS, ports


def read_balancers(index: Index) -> dict[str, LoadBalancer]:
    """All load balancers by key."""
    return {record.key: _balancer(index, record) for record in index.of_type(BALANCER)}


def _children(index: Index, record: Record, field: str) -> tuple[list[tuple[str, View]], tuple[Reason, ...]]:
    """Nested and standalone children of one kind, by key, each once."""
    inline, more = view(record).parts(field)
    found: dict[str, View] = {}
    for at, item in enumerate(inline):
        identity = item.raw("id")
        name = item.text("name")
        label = name if isinstance(name, str) else str(at)
        key = index.key(identity) if isinstance(identity, str) and identity else f"{record.key}/{field}/{label}"
        found[key] = item
        index.keys.setdefault(canonical(key), key)
    for child in index.children(record.key, f"{BALANCER}/{field.lower()}"):
        found[child.key] = view(child)
    return list(found.items()), more


def _balancer(index: Index, record: Record) -> LoadBalancer:
    reasons: list[Reason] = []
    frontends: list[Frontend] = []
    names: dict[str, str] = {}
    items, more = _children(index, record, "frontendIPConfigurations")
    reasons += more
    for key, item in items:
        name = item.text("name")
        label = name if isinstance(name, str) else key
        names[label.lower()] = key
        place = address_in(item.text("privateIPAddress"))
        version = item.text("privateIPAddressVersion")
        frontends.append(
            Frontend(
                key=key,
                name=label,
                public=index.attachment(item, "publicIPAddress"),
                subnet=index.attachment(item, "subnet"),
                address=place,
                family=6
                if (place or 0) >= IPV6_BASE or (isinstance(version, str) and version.lower() == "ipv6")
                else 4,
            )
        )
    rules: list[BalancerRule] = []
    for field in ("loadBalancingRules", "inboundNatRules", "inboundNatPools"):
        items, more = _children(index, record, field)
        reasons += more
        for key, item in items:
            rules.append(_rule(index, item, key, names, record, field))
    outbound: list[str] = []
    items, more = _children(index, record, "outboundRules")
    reasons += more
    for _, item in items:
        pool = item.identity("backendAddressPool")
        if isinstance(pool, str):
            outbound.append(index.key(pool))
    pool_addresses: dict[str, tuple[int, ...]] = {}
    items, more = _children(index, record, "backendAddressPools")
    for key, item in items:
        members, _ = item.parts("loadBalancerBackendAddresses")
        places = [address_in(one.text("ipAddress")) for one in members]
        pool_addresses[key] = tuple(place for place in places if place is not None)
    return LoadBalancer(
        key=record.key,
        name=record.name,
        standard=standard_sku(record),
        frontends=tuple(frontends),
        rules=tuple(rules),
        outbound=tuple(outbound),
        pool_addresses=pool_addresses,
        origin=record.origin,
        aliases=tuple(dict.fromkeys((record.name, *record.ids))),
        tags=record.tags,
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _rule(index: Index, item: View, key: str, names: dict[str, str], record: Record, field: str) -> BalancerRule:
    reasons: list[Reason] = list(item.reasons)
    if not item.exists and not reasons:
        reasons.append(Reason(f"it isn't known whether {key} exists", None, item.origin))
    name = item.text("name")
    frontend = item.identity("frontendIPConfiguration")
    frontend_name = item.text("frontendIPConfigurationName")
    frontend_key: str | None = None
    if isinstance(frontend, str):
        frontend_key = index.key(frontend)
    elif isinstance(frontend_name, str):
        frontend_key = names.get(frontend_name.lower())
    elif isinstance(frontend, Gap) or isinstance(frontend_name, Gap):
        reasons += frontend.reasons if isinstance(frontend, Gap) else ()
        reasons += frontend_name.reasons if isinstance(frontend_name, Gap) else ()
    protocol = item.text("protocol")
    protocol_text = protocol.lower() if isinstance(protocol, str) else ""
    if isinstance(protocol, Gap):
        reasons += protocol.reasons

    def port(name: str) -> int | None:
        try:
            value = item.number(name)
        except ValueError as error:
            index.problems[Reason(f"{key}: {error}", "azure.lb", item.origin)] = None
            return None
        if isinstance(value, Gap):
            reasons.extend(value.reasons)
            return None
        return value

    numbers = {"tcp": (TCP,), "udp": (UDP,)}.get(protocol_text, (TCP, UDP))
    front, back = port("frontendPort"), port("backendPort")
    first, last = port("frontendPortRangeStart"), port("frontendPortRangeEnd")
    listen: IntervalSet
    services: IntervalSet | None = None
    if first is not None and last is not None and 0 < first <= last <= 65535:
        listen = IntervalSet.union_of(ports(number, first, last) for number in numbers)
    elif front is not None and 0 < front <= 65535:
        listen = IntervalSet.union_of(ports(number, front, front) for number in numbers)
    elif front == 0:
        listen = IntervalSet.union_of(ports(number, 0, 65535) for number in numbers)
    else:
        listen = WITH_PORTS
        reasons.append(Reason(f"the frontend port of {key} isn't known", "azure.lb", item.origin))
    if back is not None and 0 < back <= 65535:
        services = IntervalSet.union_of(ports(number, back, back) for number in numbers)
    pools: list[str] = []
    for name_of in ("backendAddressPool", "backendAddressPools"):
        ids, more = item.identities(name_of)
        reasons += more
        for one in ids:
            if isinstance(one, Gap):
                reasons += one.reasons
            else:
                pools.append(index.key(one))
    target = item.identity("backendIPConfiguration")
    floating = item.flag("enableFloatingIP")
    no_snat = item.flag("disableOutboundSnat")
    return BalancerRule(
        key=key,
        name=name if isinstance(name, str) else key,
        frontend=frontend_key,
        listen=listen,
        services=services,
        pools=tuple(dict.fromkeys(pools)),
        targets=(index.key(target),) if isinstance(target, str) else (),
        origin=item.origin,
        floating=floating is True,
        snat=field == "loadBalancingRules" and no_snat is not True,
        reasons=tuple(dict.fromkeys(reasons)),
    )
