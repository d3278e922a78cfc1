"""Which endpoints can exchange packets with an endpoint at all, by a quick look at both sides' own filters.

Decides no traffic.
"""

from __future__ import annotations

from bisect import bisect_right

from lint.graph.endpoints import Endpoint
from lint.graph.rules import Direction
from lint.graph.topology import Via
from lint.reach.engine import Engine
from lint.space.addresses import EVERYWHERE, PUBLIC, REAL
from lint.space.intervals import EMPTY, IntervalSet


class Neighbours:
    """Candidates of one graph: whoever isn't among them exchanges nothing; whoever is may still be held back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        rows: list[tuple[int, str]] = []
        self._public: set[str] = set()
        self._translated: set[str] = set()
        for name, spots in engine.resolved.spots.items():
            rows += [(spot.places.first, name) for spot in spots if spot.places]
            if any(spot.public_exists is not False for spot in spots):
                self._public.add(name)
            if any(self._behind_gateway(spot.subnet.route_table) for spot in spots if spot.subnet is not None):
                self._translated.add(name)
        rows.sort()
        self._places = [place for place, _ in rows]
        self._names = [name for _, name in rows]
        self._passed: dict[tuple[str, Direction], IntervalSet] = {}
        self._strangers = PUBLIC | engine.resolved.reachable(PUBLIC)[1]

    def senders(self, name: str, within: IntervalSet = EVERYWHERE) -> list[str]:
        """Who may send to an endpoint, being `within` these places as its filters see it."""
        end = self._engine.graph.endpoints.get(name)
        if end is None or not end.accepts:
            return []
        passed = self._passes(end, Direction.INGRESS) & within
        if not passed:
            return []
        found = self._standing(passed)
        if name in self._public and not passed.isdisjoint(self._strangers):
            found |= set(self._engine.graph.endpoints)
        found |= self._translated
        return [one for one in found if one != name and self._sends(one, name)]

    def receivers(self, name: str, within: IntervalSet = EVERYWHERE) -> list[str]:
        """Whom an endpoint may send to, being `within` these places as its filters see it."""
        start = self._engine.graph.endpoints.get(name)
        if start is None or not start.initiates:
            return []
        passed = self._passes(start, Direction.EGRESS) & within
        if not passed:
            return []
        found = self._standing(passed)
        if not passed.isdisjoint(self._strangers):
            found |= self._public
        return [one for one in found if one != name and self._hears(one, name)]

    def _sends(self, name: str, to: str) -> bool:
        """Whether a sender's own filters leave anything for that receiver."""
        passed = self._passes(self._engine.graph.endpoints[name], Direction.EGRESS)
        return any(
            not passed.isdisjoint(spot.places)
            or (spot.public_exists is not False and not passed.isdisjoint(self._strangers))
            for spot in self._engine.resolved.spots[to]
        )

    def _hears(self, name: str, sender: str) -> bool:
        passed = self._passes(self._engine.graph.endpoints[name], Direction.INGRESS)
        if sender in self._translated or (name in self._public and not passed.isdisjoint(self._strangers)):
            return True
        return any(not passed.isdisjoint(spot.places) for spot in self._engine.resolved.spots[sender])

    def _standing(self, places: IntervalSet) -> set[str]:
        found: set[str] = set()
        for low, high in places.pairs:
            found.update(self._names[bisect_right(self._places, low - 1) : bisect_right(self._places, high)])
        return found

    def _passes(self, one: Endpoint, direction: Direction) -> IntervalSet:
        """The remote places that an endpoint's own filters may pass."""
        key = (one.id, direction)
        found = self._passed.get(key)
        if found is None:
            found = EMPTY
            for spot in self._engine.resolved.spots[one.id]:
                mine = EVERYWHERE
                for view in self._engine.endpoint_views(spot, direction, True, False):
                    if view.bypass.may:
                        mine = EVERYWHERE
                        break
                    mine = mine & view.passes.may.peers()
                found = found | mine
            self._passed[key] = found
        return found

    def _behind_gateway(self, table: str | None) -> bool:
        """Whether private traffic may be translated on the way, so that filters see another address."""
        if table is None:
            return False
        return any(
            share.route is not None
            and share.route.via is Via.NAT
            and not share.may.isdisjoint(REAL - PUBLIC)
            and PUBLIC - share.may
            for share in self._engine.shares(table) or ()
        )
