"""Why traffic changed: the rules that differ and match it, and what else differs about its two ends.

Decides no traffic.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Set

from lint.drift.filters import managed_at, rule_key
from lint.drift.result import NEW, OLD, CitedRule
from lint.drift.surroundings import Surroundings
from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Direction, Filter, GroupMembers
from lint.reach.engine import Engine
from lint.reach.filters import Matched
from lint.reach.resolved import Spot
from lint.space.addresses import EVERYWHERE, SYMBOLIC, address_text
from lint.space.intervals import IntervalSet
from lint.space.traffic import TrafficSet


class Blame:
    """Explains changes between two aligned graphs."""

    def __init__(
        self,
        old: RuleGraph,
        new: RuleGraph,
        engines: Mapping[str, Engine],
        before: Surroundings,
        after: Surroundings,
        links_differ: bool,
        usual: Set[str] = frozenset(),
    ) -> None:
        """`usual` are filters that let through what they do whoever looks: no cause of anything."""
        self._usual = usual
        self._graphs = {OLD: old, NEW: new}
        self._engines = engines
        self._keys: dict[tuple[str, str], frozenset[Hashable]] = {}
        self._around = {OLD: before, NEW: after}
        self._links_differ = links_differ

    def of(
        self, gaining: str, source: str, destination: str, traffic: TrafficSet, by_destination: bool
    ) -> tuple[tuple[CitedRule, ...], tuple[str, ...]]:
        """The rules behind traffic that the `gaining` side alone lets through, and the other causes."""
        lacking = OLD if gaining == NEW else NEW
        peers = traffic.peers()
        ends = [
            (
                destination,
                Direction.INGRESS,
                self._places(source) if source in self._graphs[gaining].endpoints else peers,
            ),
            (source, Direction.EGRESS, self._places(destination) if not by_destination else peers),
        ]
        cited: list[CitedRule] = []
        passing: list[CitedRule] = []
        speaking: dict[str, set[str]] = {OLD: set(), NEW: set()}  # filters that differ, and groups that rules name
        for name, direction, remote in ends:
            for one, rule, changed in self._matching(gaining, name, direction, remote, traffic, allow=True):
                (cited if changed else passing).append(self._citation(gaining, one, rule))
                speaking[gaining] |= {peer.group for peer in rule.rule.peers if isinstance(peer, GroupMembers)}
                speaking[gaining] |= {one.id} if changed else set()
            for one, rule, changed in self._matching(lacking, name, direction, remote, traffic, allow=False):
                if changed:
                    cited.append(self._citation(lacking, one, rule))
                    speaking[lacking].add(one.id)
        parties = dict.fromkeys((source, destination))
        causes = [text for name in parties for text in self._structural(name, speaking)]
        if not cited and not causes:
            causes = [text for name in parties for text in self._structural(name)]
        if not cited and not causes:
            causes = [text for name in parties for text in self._around_it(name)]
            if self._links_differ and not causes:
                causes = ["peerings, transit gateways or NAT gateways differ"]
        return tuple(dict.fromkeys(cited or passing)), tuple(dict.fromkeys(causes))

    def _citation(self, side: str, one: Filter, matched: Matched) -> CitedRule:
        return CitedRule(side, one.name, matched.rule, managed_at(one.id, *self._graphs.values()))

    def _places(self, name: str) -> IntervalSet:
        """Every place by which filters may know an endpoint; everywhere for what is none."""
        found: list[IntervalSet] = []
        for engine in self._engines.values():
            for spot in engine.resolved.spots.get(name, ()):
                found += [spot.places, spot.public]
        return IntervalSet.union_of(found) if found else EVERYWHERE

    def _matching(
        self, side: str, name: str, direction: Direction, remote: IntervalSet, traffic: TrafficSet, *, allow: bool
    ) -> Iterator[tuple[Filter, Matched, bool]]:
        """The rules of an endpoint's side that match the traffic, and whether the other source has none like them."""
        engine = self._engines[side]
        wanted = traffic.services()
        for spot in engine.resolved.spots.get(name, ()):
            for view in engine.endpoint_views(spot, direction, True, True):
                for one, matched in view.matched:
                    if (matched.rule.action is not Action.DENY) != allow:
                        continue
                    if matched.box[1].isdisjoint(wanted) or matched.box[0].isdisjoint(remote):
                        continue
                    yield one, matched, not self._known(side, name, spot, one.id, matched)

    def _known(self, side: str, name: str, spot: Spot, filter_id: str, matched: Matched) -> bool:
        """Whether the other source has the same rule, in a filter that hangs at the same endpoint."""
        if filter_id in self._usual:
            return True
        other = OLD if side == NEW else NEW
        twin = self._graphs[other].endpoints.get(name)
        if twin is None:
            return False
        carried = {one for layer in twin.layers for one in layer.filters}
        for address in twin.addresses:
            subnet = self._graphs[other].subnets.get(address.subnet or "")
            carried |= {one for layer in subnet.layers for one in layer.filters} if subnet is not None else set()
        if filter_id not in carried:
            return False
        return rule_key(matched.rule, self._graphs[side]) in self._rules(other, filter_id)

    def _rules(self, side: str, filter_id: str) -> frozenset[Hashable]:
        found = self._keys.get((side, filter_id))
        if found is None:
            graph = self._graphs[side]
            one = graph.filters.get(filter_id)
            keys = frozenset(rule_key(rule, graph) for rule in one.rules) if one is not None else frozenset()
            found = self._keys[(side, filter_id)] = keys
        return found

    def _structural(self, name: str, speaking: Mapping[str, Set[str]] | None = None) -> Iterator[str]:
        """An endpoint that is new or gone, or carries other filters: those that speak of the traffic, or all."""
        before, after = (self._graphs[side].endpoints.get(name) for side in (OLD, NEW))
        if before is None and after is None:
            return
        if before is None or after is None:
            yield f"{name} is {'new' if before is None else 'gone'}"
            return
        mine, theirs = _carried(before), _carried(after)
        for more, side, verb in ((theirs - mine, NEW, "now carries"), (mine - theirs, OLD, "no longer carries")):
            for one in sorted(more if speaking is None else more & speaking[side]):
                yield f"{name} {verb} {self._name(one)}"

    def _name(self, filter_id: str) -> str:
        for graph in self._graphs.values():
            one = graph.filters.get(filter_id)
            if one is not None:
                return one.name or filter_id
        return filter_id

    def _around_it(self, name: str) -> Iterator[str]:
        """Addresses, subnets and routes that differ."""
        before, after = (self._graphs[side].endpoints.get(name) for side in (OLD, NEW))
        if before is None or after is None:
            return
        mine, theirs = ({a.place for a in one.addresses if a.place < SYMBOLIC} for one in (before, after))
        if mine != theirs:
            shown = [", ".join(map(address_text, sorted(places))) or "no known address" for places in (mine, theirs)]
            yield f"{name} had {shown[0]} and has {shown[1]}"
        had, has = (any(a.public_exists for a in one.addresses) for one in (before, after))
        if had != has:
            yield f"{name} {'now has a public address' if has else 'no longer has a public address'}"
        elif {a.public for a in before.addresses} != {a.public for a in after.addresses}:
            yield f"{name} has another public address"
        subnets = [{a.subnet for a in one.addresses} for one in (before, after)]
        if subnets[0] != subnets[1]:
            yield f"{name} lies in another subnet"
            return
        for subnet in sorted(one for one in subnets[0] if one is not None):
            old, new = (self._graphs[side].subnets.get(subnet) for side in (OLD, NEW))
            if old is None or new is None:
                continue
            if self._around[OLD].routes(old) != self._around[NEW].routes(new):
                yield f"the routes of subnet {new.name or subnet} differ"
            elif self._around[OLD].border(old) != self._around[NEW].border(new):
                yield f"the filters or settings at the border of subnet {new.name or subnet} differ"


def _carried(one: Endpoint) -> set[str]:
    return {name for layer in one.layers for name in layer.filters}
