"""The engine's memory: each filter, layer and route table of a graph is judged once. Knows no paths."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from lint.graph.endpoints import Endpoint, Layer
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Direction, Filter
from lint.graph.topology import Subnet
from lint.origin import Reason
from lint.reach.filters import MAY_BYPASS, Judged, Matched, asks_local, judge, local_key
from lint.reach.reply import answered_bounds
from lint.reach.resolved import Resolved, Spot
from lint.reach.routes import Share, compile_table
from lint.space.addresses import EVERYWHERE
from lint.space.bounds import EVERYTHING, NOTHING, Bounds
from lint.space.intervals import IntervalSet
from lint.space.traffic import ALL_TRAFFIC


@dataclass(frozen=True, slots=True)
class View:
    """One layer at one place in one direction, peers being the remote side."""

    layer: Layer
    direction: Direction
    passes: Bounds
    bypass: Bounds
    filters: tuple[Filter, ...]
    matched: tuple[tuple[Filter, Matched], ...]
    stateless: bool
    reasons: tuple[Reason, ...]


class Engine:
    """A graph and everything about it that was computed already.

    Not thread-safe; graphs are immutable, so it never gets stale.
    """

    def __init__(self, graph: RuleGraph) -> None:
        self.graph = graph
        self.resolved = Resolved(graph)
        self._judged: dict[object, Judged] = {}
        self._views: dict[object, View] = {}
        self._tables: dict[str, tuple[Share, ...]] = {}
        self._asks_local: dict[str, bool] = {}
        self._exempting: frozenset[str] | None = None
        self._answered: dict[int, tuple[View, Bounds]] = {}
        self.memory: dict[str, object] = {}  # what other modules of this room keep for this graph

    def shares(self, table: str) -> tuple[Share, ...] | None:
        """The routes of a table with their destinations; None where the graph doesn't hold it."""
        found = self._tables.get(table)
        if found is None:
            known = self.graph.route_tables.get(table)
            if known is None:
                return None
            found = self._tables[table] = compile_table(self.resolved, known)
        return found

    def judged(self, one: Filter, direction: Direction, references: bool | None, place: IntervalSet) -> Judged:
        """One filter in one direction, at the local place."""
        local: object = None
        if self._local(one):
            local = local_key(self.resolved, one, direction, place)
        key = (one.id, direction, references, local)
        found = self._judged.get(key)
        if found is None:
            found = self._judged[key] = judge(
                self.resolved, one, direction, references, None if local is None else place
            )
        return found

    def view(self, layer: Layer, direction: Direction, references: bool | None, place: IntervalSet) -> View:
        """One layer in one direction, at the local place."""
        local: object = None
        if any(self._local(self.graph.filters[name]) for name in layer.filters if name in self.graph.filters):
            local = place
        key = (layer, direction, references, local)
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = self._view(layer, direction, references, place)
        return found

    def _view(self, layer: Layer, direction: Direction, references: bool | None, place: IntervalSet) -> View:
        reasons: list[Reason] = list(layer.open)
        filters: list[Filter] = []
        matched: list[tuple[Filter, Matched]] = []
        passes = bypass = NOTHING
        missing = False
        for name in layer.filters:
            one = self.graph.filters.get(name)
            if one is None:
                missing = True
                reasons.append(Reason(f"the source doesn't show {name}", f"graph.filter-missing:{name}"))
                continue
            filters.append(one)
            judged = self.judged(one, direction, references, place)
            if layer.open and one.ordered:  # a filter that isn't shown may stand in its place
                judged = Judged(judged.passes.uncertain(), judged.bypass.uncertain(), judged.matched, judged.reasons)
            passes = passes | judged.passes if passes is not NOTHING else judged.passes
            bypass = bypass | judged.bypass if bypass is not NOTHING else judged.bypass
            matched += [(one, each) for each in judged.matched]
            reasons += judged.reasons
        if layer.open or missing:
            passes = Bounds(passes.must, ALL_TRAFFIC)
            if layer.kind in MAY_BYPASS:
                bypass = Bounds(bypass.must, ALL_TRAFFIC)
        elif not layer.filters:
            passes = NOTHING if layer.closed_if_empty else EVERYTHING
        return View(
            layer,
            direction,
            passes,
            bypass,
            tuple(filters),
            tuple(matched),
            any(not one.stateful for one in filters),
            tuple(dict.fromkeys(reasons)),
        )

    def exempts(self, endpoint: Endpoint) -> bool:
        """Whether a filter at the interface may exempt traffic from the other layers."""
        if self._exempting is None:
            self._exempting = frozenset(
                one.id for one in self.graph.filters.values() if any(rule.action is Action.BYPASS for rule in one.rules)
            )
        return bool(self._exempting) and any(
            name in self._exempting for layer in endpoint.layers for name in layer.filters
        )

    def answered(self, view: View) -> Bounds:
        """The requests whose replies a stateless layer passes, peers being the remote side."""
        found = self._answered.get(id(view))
        if found is None:
            # The view is kept beside its answer, so that its id stays its own.
            found = self._answered[id(view)] = (view, answered_bounds(view.passes, EVERYWHERE))
        return found[1]

    def asks_local(self, spot: Spot) -> bool:
        """Whether any filter at a spot, its subnet's included, depends on the spot's own address."""
        layers = (*(spot.endpoint.layers if spot.endpoint else ()), *(spot.subnet.layers if spot.subnet else ()))
        filters = (self.graph.filters.get(name) for layer in layers for name in layer.filters)
        return any(self._local(one) for one in filters if one is not None)

    def _local(self, one: Filter) -> bool:
        found = self._asks_local.get(one.id)
        if found is None:
            found = self._asks_local[one.id] = asks_local(one)
        return found

    def subnet_views(
        self,
        subnet: Subnet | None,
        direction: Direction,
        references: bool | None,
        place: IntervalSet,
        crosses: bool | None,
    ) -> list[View]:
        """The layers at a subnet's border. `crosses` None: it isn't known whether traffic crosses it."""
        if subnet is None:
            return []
        found = []
        for layer in subnet.layers:
            if layer.crossing and crosses is False:
                continue
            view = self.view(layer, direction, references, place)
            if layer.crossing and crosses is None:
                reason = Reason(f"it isn't known whether the traffic crosses the border of subnet {subnet.name}")
                view = View(
                    view.layer,
                    view.direction,
                    Bounds(view.passes.must, ALL_TRAFFIC),
                    view.bypass,
                    view.filters,
                    view.matched,
                    view.stateless,
                    (*view.reasons, reason),
                )
            found.append(view)
        return found

    def endpoint_views(
        self, spot: Spot, direction: Direction, references: bool | None, crosses: bool | None
    ) -> list[View]:
        """All layers at one side: the interface's, then the subnet's."""
        found: list[View] = []
        if spot.endpoint is not None:
            found = [
                self.view(layer, direction, references, spot.places)
                for layer in spot.endpoint.layers
                if not (layer.crossing and crosses is False)
            ]
        return found + self.subnet_views(spot.subnet, direction, references, spot.places, crosses)

    def side(self, endpoint: str, direction: Direction) -> Bounds:
        """What the filters on an endpoint's own side pass together, whether or not a route brings it there.

        Raises KeyError for an endpoint that the graph doesn't hold.
        """
        found = NOTHING
        for spot in self.resolved.spots[endpoint]:
            passes = EVERYTHING
            for bounds in with_bypasses(self.endpoint_views(spot, direction, True, True)):
                passes = passes & bounds
            found = found | passes
        return Bounds(self.resolved.shown(found.must), self.resolved.shown(found.may))


def with_bypasses(views: list[View]) -> list[Bounds]:
    """What each layer passes, or another layer of the same side exempts from it."""
    if all(view.bypass is NOTHING for view in views):
        return [view.passes for view in views]
    out = []
    for view in views:
        total = view.passes
        for other in views:
            if other is not view:
                total = total | other.bypass
        out.append(total)
    return out


_KEPT: OrderedDict[int, Engine] = OrderedDict()
_KEEP = 4


def engine_of(graph: RuleGraph | Engine) -> Engine:
    """The engine of a graph; that of the last few graphs is kept."""
    if isinstance(graph, Engine):
        return graph
    found = _KEPT.get(id(graph))
    if found is None or found.graph is not graph:
        found = _KEPT[id(graph)] = Engine(graph)
        while len(_KEPT) > _KEEP:
            _KEPT.popitem(last=False)
    return found
