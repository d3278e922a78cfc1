"""Virtual Network Manager: security admin rules in force on a virtual network, and meshes that need no peerings.

Effective data (`listNetworkManagerEffectiveSecurityAdminRules`) decides; without it Terraform's own chain of
configuration, collection, static members and deployment does where it is whole; else the rules of the networks in scope
aren't known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lint.azure.index import EFFECTIVE_ADMIN, EFFECTIVE_CONNECTIVITY, MANAGER, Index
from lint.azure.model import AdminRules, SecurityRule, VirtualNetwork
from lint.azure.records import Gap, Many, Record, View, last_segment, view
from lint.azure.security_rules import Broken, read_rule
from lint.origin import Reason

CONFIGURATION = MANAGER + "/securityadminconfigurations"
COLLECTION = CONFIGURATION + "/rulecollections"
RULE = COLLECTION + "/rules"
NETWORK_GROUP = MANAGER + "/networkgroups"
MEMBER = NETWORK_GROUP + "/staticmembers"
CONNECTIVITY = MANAGER + "/connectivityconfigurations"
DEPLOYMENT = "netpact/networkmanagerdeployments"


def read_admin_rules(
    index: Index, networks: Mapping[str, VirtualNetwork]
) -> tuple[dict[str, AdminRules], dict[str, tuple[Reason, ...]]]:
    """Admin rules by virtual network key, and the networks that a mesh may join."""
    found: dict[str, AdminRules] = {}
    effective: set[str] = set()
    for record in index.of_type(EFFECTIVE_ADMIN):
        asked = view(record).text("of")
        if not isinstance(asked, str):
            continue
        key = index.key(asked)
        effective.add(key)
        items, more = view(record).parts("value")
        made = _rules(index, record, items, more)
        held = found.get(key)
        found[key] = (
            made
            if held is None
            else replace(held, rules=_in_order([*held.rules, *made.rules]), open=held.open + made.open)
        )
    offline = _offline(index, networks)
    for key, network in networks.items():
        if key in effective:
            continue
        if key in offline:
            found[key] = offline[key]
        for stray in _strays(index, network):
            held = found.get(key)
            opened = (*(held.open if held else ()), stray)
            found[key] = AdminRules(
                held.key if held else f"{key}#admin-rules",
                held.name if held else f"admin rules of {network.name}",
                held.rules if held else (),
                stray.origin or network.origin,
                opened,
            )
        if key in offline:
            continue
        for manager in index.of_type(MANAGER):
            if not _security_access(manager) or not _in_scope(manager, network):
                continue
            if _fully_described(index, manager):
                continue
            reason = Reason(
                f"{manager.name} may apply security admin rules to {network.name}, and they aren't in the source",
                "azure.avnm",
                manager.origin,
                "add the effective security admin rules of the virtual network",
            )
            held = found.get(key)
            opened = (*(held.open if held else ()), reason)
            found[key] = AdminRules(manager.key, manager.name, held.rules if held else (), manager.origin, opened)
    return found, _meshes(index, networks)


def _rules(index: Index, record: Record, items: tuple[View, ...], more: tuple[Reason, ...]) -> AdminRules:
    rules: list[SecurityRule] = []
    opened: list[Reason] = list(more)
    for at, item in enumerate(items):
        item = _shaped(item)
        identity = item.raw("id")
        key = identity if isinstance(identity, str) and identity else f"{record.key}/{at}"
        read = read_rule(item, key, record.name, index.key)
        if isinstance(read, Broken):
            opened += read.reasons
            if read.mistake:
                index.problems.update(dict.fromkeys(read.reasons))
            continue
        rules.append(read.rule)
        index.notes.update(dict.fromkeys(read.notes))
    return AdminRules(
        record.key, record.name, _in_order(_disputed(index, rules)), record.origin, tuple(dict.fromkeys(opened))
    )


def _shaped(item: View) -> View:
    """An admin rule in the words of an NSG rule. An empty side means any: source, destination, ports."""
    fields = dict(item.data)
    nested = fields.get("properties")
    if isinstance(nested, Mapping):
        fields = {**fields, **nested}
        fields.pop("properties")
    for side in ("source", "destination"):
        operands = (f"{side}s", f"{side}AddressPrefix", f"{side}AddressPrefixes")
        if not any(_given(fields.get(one)) for one in operands):
            fields[f"{side}AddressPrefix"] = "*"
        if not any(_given(fields.get(one)) for one in (f"{side}PortRanges", f"{side}PortRange")):
            fields[f"{side}PortRange"] = "*"
    name = fields.get("name") or fields.get("displayName")
    if not name and isinstance(fields.get("id"), str):
        fields["name"] = str(fields["id"]).rstrip("/").rpartition("/")[2]
    return replace(item, data=fields)


def _given(value: object) -> bool:
    """Whether a field says anything: a gap does, an empty list doesn't."""
    return bool(value.items or value.open) if isinstance(value, Many) else bool(value)


def _in_order(rules: list[SecurityRule]) -> tuple[SecurityRule, ...]:
    return tuple(sorted(rules, key=lambda rule: (rule.direction.value, rule.priority, rule.key)))


def _security_access(manager: Record) -> bool:
    values, more = view(manager).values("networkManagerScopeAccesses")
    if more:
        return True
    return any(isinstance(one, Gap) or str(one).lower() == "securityadmin" for one in values)


def _in_scope(manager: Record, network: VirtualNetwork) -> bool:
    scopes = view(manager).part("networkManagerScopes")
    if not isinstance(scopes, View):
        return True
    groups, groups_open = scopes.values("managementGroups")
    subscriptions, subscriptions_open = scopes.values("subscriptions")
    if groups or groups_open or subscriptions_open or network.subscription is None:
        return True
    named = [one for one in subscriptions if isinstance(one, str)]
    if len(named) != len(subscriptions):
        return True
    return any(one.rstrip("/").rpartition("/")[2].lower() == network.subscription.lower() for one in named)


def _strays(index: Index, network: VirtualNetwork) -> list[Reason]:
    """Rules and collections of which the source doesn't show what they belong to: they may be in force here."""
    found: list[Reason] = []
    for record in index.of_type(COLLECTION, RULE):
        if record.parent is not None and index.key(record.parent) in index.by_key:
            continue
        if record.type == COLLECTION:
            ids, more = view(record).identities("appliesToGroups")
            if _covered(index, network, ids, more)[0] is False:
                continue
        found.append(
            Reason(
                f"{record.name} belongs to a security admin configuration that isn't in the source, and may be in "
                f"force in {network.name}",
                "azure.avnm",
                record.origin,
                "add the source that holds it, or the effective security admin rules of the virtual network",
            )
        )
    return found


def _deployed(index: Index, configuration: Record) -> list[Record]:
    out: list[Record] = []
    for deployment in index.of_type(DEPLOYMENT):
        ids, more = view(deployment).identities("configurationIds")
        if more or any(isinstance(one, Gap) or index.key(one) == configuration.key for one in ids):
            out.append(deployment)
    return out


def _fully_described(index: Index, manager: Record) -> bool:
    """Whether the source itself makes all of this manager's configurations, so that nothing else is in force."""
    return manager.source != "dump" and manager.exists and not manager.partial


def _offline(index: Index, networks: Mapping[str, VirtualNetwork]) -> dict[str, AdminRules]:
    """Admin rules by Terraform's own resources.

    Only deployed configurations act, on static members in the deployment's region.
    """
    found: dict[str, AdminRules] = {}
    for configuration in index.of_type(CONFIGURATION):
        deployments = _deployed(index, configuration)
        if not deployments:
            continue
        for collection in index.children(configuration.key, COLLECTION):
            ids, more = view(collection).identities("appliesToGroups")
            rules = [_as_item(child) for child in index.children(collection.key, RULE)]
            made = _rules(index, collection, tuple(rules), ())
            for key, network in networks.items():
                covered, reasons = _covered(index, network, ids, more)
                doubts = _doubts(index, configuration, collection, deployments, network)
                if covered is False or doubts is None:
                    continue
                held = found.get(key)
                rules_here = [*(held.rules if held else ())]
                opened = list(held.open if held else ())
                if covered:
                    rules_here += [
                        replace(rule, exists=False, reasons=(*rule.reasons, *doubts)) if doubts else rule
                        for rule in made.rules
                    ]
                opened += [*made.open, *reasons]
                if held is not None and held.key != configuration.key:
                    opened.append(
                        Reason(
                            f"{held.name} and {configuration.name} both rule {network.name}, and which comes first "
                            "isn't documented",
                            "azure.avnm",
                            configuration.origin,
                            "add the effective security admin rules of the virtual network",
                        )
                    )
                found[key] = AdminRules(
                    configuration.key,
                    configuration.name,
                    _in_order(_disputed(index, rules_here)),
                    configuration.origin,
                    tuple(dict.fromkeys(opened)),
                )
    return found


def _names(index: Index, deployment: Record, configuration: Record) -> bool:
    ids, _ = view(deployment).identities("configurationIds")
    return any(isinstance(one, str) and index.key(one) == configuration.key for one in ids)


def _doubts(
    index: Index, configuration: Record, collection: Record, deployments: list[Record], network: VirtualNetwork
) -> tuple[Reason, ...] | None:
    """Why these rules may not be in force here; None where they certainly aren't: they're deployed elsewhere."""
    found: list[Reason] = []
    reached = False
    for deployment in deployments:
        if deployment.location is None or network.location is None:
            found.append(
                Reason(
                    f"whether {deployment.key} deploys to the region of {network.name} isn't known",
                    "azure.avnm",
                    deployment.origin,
                    "give the locations values",
                )
            )
        elif _plain(deployment.location) != _plain(network.location):
            continue
        elif deployment.exists and _names(index, deployment, configuration):
            found = []
            reached = True
            break
        else:
            _, more = view(deployment).identities("configurationIds")
            found += (*deployment.reasons, *more) or (_unsettled(deployment),)
        reached = True
    if not reached:
        return None
    for record in (configuration, collection):
        if not record.exists:
            found += record.reasons or (_unsettled(record),)
    return tuple(dict.fromkeys(found))


def _unsettled(record: Record) -> Reason:
    return Reason(f"it isn't known whether {record.key} exists", "azure.avnm", record.origin)


def _disputed(index: Index, rules: list[SecurityRule]) -> list[SecurityRule]:
    """The rules, those of one priority that disagree with the reason why it isn't known which of them decides."""
    by_place: dict[tuple[object, int], list[SecurityRule]] = {}
    for rule in rules:
        by_place.setdefault((rule.direction, rule.priority), []).append(rule)
    out: list[SecurityRule] = []
    for same in by_place.values():
        if len({rule.action for rule in same}) == 1:
            out += same
            continue
        reason = Reason(
            f"admin rules {' and '.join(repr(rule.name) for rule in same[:4])} have priority {same[0].priority} and "
            "disagree, so which of them decides isn't known",
            "azure.rule.duplicate-priority",
            same[-1].origin,
            "give each admin rule of one direction its own priority",
        )
        index.problems[reason] = None
        out += [replace(rule, reasons=tuple(dict.fromkeys((*rule.reasons, reason)))) for rule in same]
    return out


def _as_item(record: Record) -> View:
    return view(record)


def _plain(region: str) -> str:
    return region.replace(" ", "").lower()


def _covered(
    index: Index, network: VirtualNetwork, ids: tuple[str | Gap, ...], more: tuple[Reason, ...]
) -> tuple[bool | None, tuple[Reason, ...]]:
    """Whether a network is in one of these network groups: True, False, or None with the reasons."""
    reasons: list[Reason] = list(more)
    for one in ids:
        if isinstance(one, Gap):
            reasons += one.reasons
            continue
        key = index.key(one)
        group = index.by_key.get(key)
        for member in index.children(key, MEMBER):
            target = view(member).identity("resourceId")
            if isinstance(target, Gap):
                reasons += target.reasons
            elif target is not None and index.key(target) == network.key:
                if member.exists:
                    return True, ()
                reasons += member.reasons or (_unsettled(member),)
        if group is None or group.source == "dump":
            reasons.append(
                Reason(
                    f"Azure Policy may decide whether {network.name} is in the network group {one.rpartition('/')[2]}",
                    "azure.avnm.dynamic-group",
                    group.origin if group is not None else None,
                    "add the effective security admin rules of the virtual network",
                )
            )
        elif not index.children(key, MEMBER):
            reasons.append(
                Reason(
                    f"the network group {group.name} has no static members, so Azure Policy decides who is in it",
                    "azure.avnm.dynamic-group",
                    group.origin,
                    "add the effective security admin rules of the virtual network",
                )
            )
    return (None, tuple(reasons)) if reasons else (False, ())


def _joins(item: View) -> bool:
    """Whether a configuration joins networks without a peering: all but a hub whose spokes are not connected."""
    topology = item.text("connectivityTopology")
    groups, more = item.parts("appliesToGroups")
    connected = [one.text("groupConnectivity") for one in groups]
    hub = isinstance(topology, str) and topology.lower() == "hubandspoke"
    return not hub or bool(more) or any(not isinstance(one, str) or one.lower() != "none" for one in connected)


def _meshes(index: Index, networks: Mapping[str, VirtualNetwork]) -> dict[str, tuple[Reason, ...]]:
    found: dict[str, tuple[Reason, ...]] = {}
    effective: set[str] = set()
    for record in index.of_type(EFFECTIVE_CONNECTIVITY):
        asked = view(record).text("of")
        if not isinstance(asked, str):
            continue
        key = index.key(asked)
        effective.add(key)
        items, opened = view(record).parts("value")
        joining = tuple(
            Reason(
                f"a connectivity configuration in force joins {last_segment(asked)} with other virtual networks",
                "azure.avnm.connectivity",
                record.origin,
            )
            for item in items
            if _joins(item)
        )
        if joining or opened:
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *opened, *joining)))
    for record in index.of_type(CONNECTIVITY):
        items, more = view(record).parts("appliesToGroups")
        ids = tuple(one for one in (item.identity("networkGroupId") for item in items) if one is not None)
        for key, network in networks.items():
            if key in effective:
                continue
            covered, _ = _covered(index, network, ids, more)
            if covered is not False:
                reason = Reason(
                    f"{record.name} may connect {network.name} with other virtual networks without a peering",
                    "azure.avnm.connectivity",
                    record.origin,
                    "add the effective connectivity configurations of the virtual network",
                )
                found[key] = (*found.get(key, ()), reason)
    return found
