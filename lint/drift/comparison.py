"""Compares two rule graphs: what traffic each lets through that the other doesn't.

Looks only at endpoints around which something changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lint.drift.align import align, paired_addresses
from lint.drift.blame import Blame
from lint.drift.filters import Delta, FilterComparison, gained
from lint.drift.lend import lend_places, lend_routes
from lint.drift.match import match
from lint.drift.neighbours import Neighbours
from lint.drift.result import INTERNET, NEW, OLD, PRIVATE, Drift, FilterChange, Packet, ReachChange
from lint.drift.surroundings import Surroundings, texts
from lint.graph.endpoints import Endpoint
from lint.graph.graph import RuleGraph
from lint.graph.rules import Direction, Filter
from lint.origin import Reason
from lint.reach.answer import arriving_from, leaving_to, together, trails_between
from lint.reach.atlas import kinds_of
from lint.reach.engine import Engine
from lint.reach.trails import Trail
from lint.space.addresses import EVERYWHERE, PUBLIC, REAL, SYMBOLIC
from lint.space.addresses import PRIVATE as PRIVATE_ADDRESSES
from lint.space.bounds import NOTHING, Bounds
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.traffic import EMPTY_TRAFFIC, TrafficSet

ANYBODY = PUBLIC | PRIVATE_ADDRESSES

_FEW_PAIRS = 400  # so many pairs are asked one by one before it pays to look for alike ones

_Passing = tuple[Bounds, Bounds, tuple[str, ...]]  # answered, delivered, why it isn't certain
_NOTHING: _Passing = (NOTHING, NOTHING, ())


def compare(old: RuleGraph, new: RuleGraph, unread: tuple[Sequence[Reason], Sequence[Reason]] = ((), ())) -> Drift:
    """What changed from `old` to `new`. `unread`: the calls that failed when either was read.

    Endpoints, filters and groups are the same by id or Terraform address, else by another id that both sources
    show, else by a name and kind that is unique on both sides, else by carrier or address. Traffic is compared
    between those, wherever their addresses lie.
    """
    return _Comparison(old, new, unread).drift()


class _Comparison:
    def __init__(self, old: RuleGraph, new: RuleGraph, unread: tuple[Sequence[Reason], Sequence[Reason]]) -> None:
        # What a source alone may lack; what both lack for the same reason is no difference between them.
        lacks = {OLD: texts(old.incomplete), NEW: texts(new.incomplete)}
        self.lacks = {
            OLD: tuple(text for text in lacks[OLD] if text not in lacks[NEW]),
            NEW: tuple(text for text in lacks[NEW] if text not in lacks[OLD]),
        }
        # Where either is so, a thing that has no partner may be one that isn't recognized.
        self.unread = unread
        self.blind = self.lacks[OLD] + self.lacks[NEW] or texts((*unread[0], *unread[1]))
        found = match(old, new)
        self.aliases = {mine: other for mine, other in found.endpoints.items() if mine != other}
        before, after = align(old, new, found)
        (before, old_placed), (after, new_placed) = lend_places(before, after), lend_places(after, before)
        (self.old, old_lent), (self.new, new_lent) = lend_routes(before, after), lend_routes(after, before)
        # By whose places and routes they are.
        self.placed, self.lent = {NEW: old_placed, OLD: new_placed}, {NEW: old_lent, OLD: new_lent}
        self.rules = FilterComparison(self.old, self.new, blind=bool(self.blind))
        self.before, self.after = Surroundings(self.old), Surroundings(self.new)
        self.engines = {OLD: Engine(self.old), NEW: Engine(self.new)}
        self.changed_filters = self._changed_filters()
        self.only_old, self.only_new, self.ignored = self._one_sided()
        self.canon, self.asked = self._addresses()
        self.links_differ = self.before.links() != self.after.links()
        self.dirty_networks = self._dirty_networks()
        self.dirty, self.by_rules = self._dirty()
        owned = [
            address.place
            for graph in (self.old, self.new)
            for one in graph.endpoints.values()
            if not one.hypothetical
            for address in one.addresses
            if address.place < SYMBOLIC
        ]
        self.owned = IntervalSet((place, place) for place in owned)
        self._kinds: dict[str, dict[str, int]] = {}
        self._alike: dict[tuple[str, int, int], dict[int, _Passing]] = {}
        self._pairs = 0  # that were asked about
        self.unknown: dict[str, Reason] = {}
        self.doubtful = False
        usual = {
            one.id
            for graph in (self.old, self.new)
            for one in graph.filters.values()
            if one.own and not one.stateful and self.rules.as_made(one)
        }
        self.blame = Blame(self.old, self.new, self.engines, self.before, self.after, self.links_differ, usual)

    def drift(self) -> Drift:
        opened: list[ReachChange] = []
        closed: list[ReachChange] = []
        for one, gaining in self._all_changes():
            (opened if gaining == NEW else closed).append(one)
        filters, notes = self._filters()
        self._incomplete()
        self._unread()
        parties = {**self.old.endpoints, **self.new.endpoints}
        both = len((self.old.endpoints.keys() & self.new.endpoints.keys()) - self.ignored)
        return Drift(
            tuple(sorted(opened, key=_order)),
            tuple(sorted(closed, key=_order)),
            tuple(filters),
            tuple(self.new.endpoints[name] for name in sorted(self.only_new)),
            tuple(self.old.endpoints[name] for name in sorted(self.only_old)),
            tuple(self.unknown.values()),
            tuple(notes),
            self.doubtful,
            tuple(sorted(parties.items())),
            both,
            bool(self.blind),
        )

    # What changed at all

    def _changed_filters(self) -> set[str]:
        names = {*self.old.filters, *self.new.filters}
        both = self.old.filters.keys() & self.new.filters.keys()
        return {name for name in names if name not in both or self.rules.differs(name)}

    def _one_sided(self) -> tuple[set[str], set[str], set[str]]:
        """Endpoints of one source alone, and those that are not asked about.

        Whoever stands for the carriers of a group isn't of one source, where the other one shows that group; whoever
        stands for those of a network's own group is nobody.
        """
        only_old = set(self.old.endpoints) - set(self.new.endpoints)
        only_new = set(self.new.endpoints) - set(self.old.endpoints)
        ignored: set[str] = set()
        for names, graph, other in ((only_old, self.old, self.new), (only_new, self.new, self.old)):
            for name in names:
                one = graph.endpoints[name]
                if one.hypothetical and (name in other.groups or _own_of_cloud(graph, one)):
                    ignored.add(name)
        for name, one in self.old.endpoints.items():
            twin = self.new.endpoints.get(name)
            if twin is not None and all(
                e.hypothetical and _own_of_cloud(g, e) for g, e in ((self.old, one), (self.new, twin))
            ):
                ignored.add(name)
        return only_old - ignored, only_new - ignored, ignored

    def _addresses(self) -> tuple[dict[tuple[str, str, int], int], dict[tuple[str, str], set[int]]]:
        """For each endpoint's address the place that a change calls it by, and which addresses are compared."""
        canon: dict[tuple[str, str, int], int] = {}
        asked: dict[tuple[str, str], set[int]] = {}
        for side, graph, other in ((OLD, self.old, self.new), (NEW, self.new, self.old)):
            for name, one in graph.endpoints.items():
                places = {address.place for address in one.addresses}
                twin = other.endpoints.get(name)
                if twin is not None:
                    before, after = (one, twin) if side == OLD else (twin, one)
                    pairs = paired_addresses(before, after)
                    for a, b in pairs:
                        canon[(side, name, a.place if side == OLD else b.place)] = b.place
                    if one.hypothetical and twin.hypothetical:
                        places = {(a if side == OLD else b).place for a, b in pairs}
                for place in places:
                    canon.setdefault((side, name, place), place)
                asked[(side, name)] = places
        return canon, asked

    def _dirty_networks(self) -> set[str]:
        before, after = self.before.networks(), self.after.networks()
        names = {*before, *after}
        if self.links_differ:
            return names
        bordering = {
            one.network
            for graph in (self.old, self.new)
            for one in graph.subnets.values()
            for layer in one.layers
            if not self.changed_filters.isdisjoint(layer.filters)
        }
        dirty = {name for name in names if before.get(name) != after.get(name)} | bordering
        for links in (self.before.linked(), self.after.linked()):
            dirty |= {other for name in list(dirty) for other in links.get(name, ())}
        return dirty

    def _dirty(self) -> tuple[set[str], set[str]]:
        """Endpoints whose traffic may have changed, and those of them about which only rules changed."""
        dirty = self.only_old | self.only_new
        by_rules: set[str] = set()
        for name, one in self.old.endpoints.items():
            other = self.new.endpoints.get(name)
            if other is None or name in dirty or name in self.ignored:
                continue
            if self._differs(one, other):
                dirty.add(name)
            elif any(not self.changed_filters.isdisjoint(layer.filters) for layer in one.layers):
                dirty.add(name)
                names = [f for layer in one.layers for f in layer.filters]
                if all(
                    f in graph.filters and graph.filters[f].stateful for f in names for graph in (self.old, self.new)
                ):
                    by_rules.add(name)
        return dirty, by_rules

    def _differs(self, one: Endpoint, other: Endpoint) -> bool:
        """Whether something besides the rules of its filters differs."""
        if one.network in self.dirty_networks or other.network in self.dirty_networks:
            return True
        if self.links_differ and (one.network is None or other.network is None):
            return True
        mine, theirs = self.asked[(OLD, one.id)], self.asked[(NEW, one.id)]
        return self.before.endpoint(one, [a for a in one.addresses if a.place in mine]) != self.after.endpoint(
            other, [a for a in other.addresses if a.place in theirs]
        )

    # Traffic

    def _all_changes(self) -> Iterator[tuple[ReachChange, str]]:
        done: set[tuple[str, str]] = set()
        sides = [Neighbours(self.engines[side]) for side in (OLD, NEW)]
        for name in sorted(self.dirty):
            yield from self._anonymous(name)
        for name in sorted(self.dirty):
            inward = outward = EVERYWHERE
            if name in self.by_rules:
                inward, outward = (self._touched(name, direction) for direction in Direction)
            senders = {one for side in sides for one in side.senders(name, inward)}
            receivers = {one for side in sides for one in side.receivers(name, outward)}
            receivers -= self.dirty - self.by_rules  # as their senders
            pairs = [(one, name) for one in sorted(senders)] + [(name, one) for one in sorted(receivers)]
            for source, destination in pairs:
                if source == destination or (source, destination) in done or {source, destination} & self.ignored:
                    continue
                done.add((source, destination))
                yield from self._pair(source, destination)

    def _touched(self, name: str, direction: Direction) -> IntervalSet:
        """The remote places for which an endpoint's own filters may judge otherwise than before."""
        found = EMPTY
        spots = [
            sorted(self.engines[side].resolved.spots[name], key=lambda one: one.shown.first) for side in (OLD, NEW)
        ]
        for before, after in zip(*spots):
            for references in (True, False, None):
                views = [
                    self.engines[side].endpoint_views(spot, direction, references, False)
                    for side, spot in ((OLD, before), (NEW, after))
                ]
                for one, other in zip(*views):
                    for a, b in ((one.passes, other.passes), (one.bypass, other.bypass)):
                        for x, y in ((a.must, b.must), (a.may, b.may)):
                            if x != y:
                                found = found | (x - y).peers() | (y - x).peers()
        return found

    def _pair(self, source: str, destination: str) -> Iterator[tuple[ReachChange, str]]:
        before, after = (self._between(side, source, destination) for side in (OLD, NEW))
        for place in sorted({*before, *after}):
            one, other = before.get(place, _NOTHING), after.get(place, _NOTHING)
            yield from self._told(one, other, source, destination, by_destination=False)

    def _between(self, side: str, source: str, destination: str) -> dict[int, _Passing]:
        """What passes from each address of one endpoint to another."""
        engine = self.engines[side]
        start, end = engine.graph.endpoints.get(source), engine.graph.endpoints.get(destination)
        if start is None or end is None:
            return {}
        asked, heard = self.asked[(side, source)], self.asked[(side, destination)]
        self._pairs += 1
        kept = None
        if self._pairs > _FEW_PAIRS and not (start.hypothetical or end.hypothetical):
            kept = (side, self._kind(side, source), self._kind(side, destination))
        known = self._alike.get(kept) if kept is not None else None
        if known is not None:
            places = [self.canon[(side, source, address.place)] for address in start.addresses]
            return {places[at]: _placed(passing, places[at]) for at, passing in known.items()}
        found: dict[int, list[Trail]] = {}
        for trail in trails_between(engine, start, end):
            here, there = trail.source.address, trail.destination.address
            if here is None or there is None or here.place not in asked or there.place not in heard:
                continue
            found.setdefault(self.canon[(side, source, here.place)], []).append(trail)
        certain = start.exists and end.exists
        passing = {
            place: _passing(trails, certain, lambda one, at=place: _from(one, at)) for place, trails in found.items()
        }
        # What isn't certain has reasons that name its own machines, so it is asked for each pair.
        if kept is not None and not any(reasons for _, _, reasons in passing.values()):
            at = {self.canon[(side, source, one.place)]: index for index, one in enumerate(start.addresses)}
            self._alike[kept] = {at[place]: one for place, one in passing.items()}
        return passing

    def _kind(self, side: str, name: str) -> int:
        """Endpoints of a kind are told apart by nothing, so one pair of two kinds stands for all such pairs."""
        if side not in self._kinds:
            several = kinds_of(self.engines[side])
            self._kinds[side] = {one.id: at for at, members in enumerate(several) for one in members}
        return self._kinds[side][name]

    def _anonymous(self, name: str) -> Iterator[tuple[ReachChange, str]]:
        """What an endpoint exchanges with addresses, whoever has them."""
        before_in, before_out = self._with_anybody(OLD, name)
        after_in, after_out = self._with_anybody(NEW, name)
        for inward, before, after in ((True, before_in, after_in), (False, before_out, after_out)):
            one, other = before, after
            for party, space in ((INTERNET, PUBLIC), (PRIVATE, PRIVATE_ADDRESSES)):
                a, b = _within(one, space), _within(other, space)
                if inward:
                    yield from self._told(a, b, party, name, by_destination=False)
                else:
                    yield from self._told(a, b, name, party, by_destination=True)

    def _with_anybody(self, side: str, name: str) -> tuple[_Passing, _Passing]:
        engine = self.engines[side]
        one = engine.graph.endpoints.get(name)
        if one is None:
            return _NOTHING, _NOTHING
        inward: list[Trail] = []
        outward: list[Trail] = []
        for spot in engine.resolved.spots[name]:
            if spot.address is None or spot.address.place not in self.asked[(side, name)]:
                continue
            inward += arriving_from(engine, spot, ANYBODY)
            outward += leaving_to(engine, spot, ANYBODY)

        def real(bounds: Bounds) -> Bounds:
            return bounds.restrict(REAL)

        return _passing(inward, one.exists, real), _passing(outward, one.exists, real)

    def _told(
        self, one: _Passing, other: _Passing, source: str, destination: str, *, by_destination: bool
    ) -> Iterator[tuple[ReachChange, str]]:
        """The changes between two states of the same lane."""
        if one == other:
            return
        for gaining, before, after in ((NEW, one, other), (OLD, other, one)):
            answered, delivered = gained(before[0], after[0]), gained(before[1], after[1])
            sure = answered.changed | delivered.changed
            possible = answered.possible | delivered.possible
            missing = self.lacks[OLD if gaining == NEW else NEW]  # then what isn't found there may pass all the same
            if {source, destination} & (self.only_old | self.only_new):
                missing = self.blind
            if missing:
                sure, possible = EMPTY_TRAFFIC, sure | possible
            delta = Delta(sure, possible - sure)
            for traffic, certain in ((delta.changed, True), (delta.possible, False)):
                if PRIVATE in (source, destination):
                    traffic = self._nobodys(traffic, destination if source == PRIVATE else source)
                if traffic:
                    why = () if certain else dict.fromkeys(before[2] + after[2] + missing)
                    reasons = tuple(Reason(text) for text in why)
                    change = ReachChange(
                        source,
                        destination,
                        traffic,
                        by_destination,
                        certain,
                        *self.blame.of(gaining, source, destination, traffic, by_destination),
                        reasons,
                        self._witness(gaining, source, destination, traffic, by_destination),
                    )
                    yield change, gaining
        doubt = (one[1].may - one[1].must) & (other[1].may - other[1].must)
        if doubt and one[2] != other[2]:
            self.doubtful = True
            for text in (*one[2], *other[2]):
                if text not in one[2] or text not in other[2]:
                    self.unknown.setdefault(
                        text, Reason(f"{text}: what passes from {source} to {destination} can't be compared")
                    )

    def _nobodys(self, traffic: TrafficSet, name: str) -> TrafficSet:
        """Without single addresses of machines, which are told as machines.

        A machine inside a wider range stays, and so does the endpoint's own.
        """
        if not traffic:
            return traffic
        own = [
            address.place
            for graph in (self.old, self.new)
            if (one := graph.endpoints.get(name)) is not None
            for address in one.addresses
        ]
        boxes = list(traffic.boxes())
        kept = []
        for _, services, ports in boxes:
            whole = IntervalSet.union_of(peers for peers, more, wider in boxes if services <= more and ports <= wider)
            whole = whole | IntervalSet.of(*(place for place in own if place - 1 in whole and place + 1 in whole))
            kept.append((IntervalSet(p for p in whole.pairs if IntervalSet((p,)) - self.owned), services, ports))
        return TrafficSet.union_of(kept)

    def _witness(self, side: str, source: str, destination: str, traffic: TrafficSet, by_destination: bool) -> Packet:
        peer, service, port = traffic.sample()
        low, high = traffic.peers().pairs[0]
        if low == peer and high > low and traffic.contains(peer + 1, service, port):
            peer += 1  # a network's own address is nobody's
        if by_destination:
            return Packet(self._at(side, source, peer), peer, service, port)
        return Packet(peer if peer < SYMBOLIC else None, self._at(side, destination, peer, source), service, port)

    def _at(self, side: str, name: str, beside: int, other: str = "") -> int | None:
        """The address of an endpoint as the other side knows it, of its family where there is a choice."""
        one = self.engines[side].graph.endpoints[name]
        family = 6 if 2**32 <= beside < SYMBOLIC else 4
        chosen = next((a for a in one.addresses if a.family == family), one.addresses[0] if one.addresses else None)
        if chosen is None:
            return None
        if other == INTERNET and chosen.family == 4:
            return chosen.public if chosen.public is not None and chosen.public < SYMBOLIC else None
        return chosen.place if chosen.place < SYMBOLIC else None

    # Filters

    def _filters(self) -> tuple[list[FilterChange], list[str]]:
        kinds = [{one.kind for one in graph.filters.values()} for graph in (self.old, self.new)]
        shown = kinds[0] & kinds[1] if self.old.filters and self.new.filters else kinds[0] | kinds[1]
        carried = {
            name
            for graph in (self.old, self.new)
            for layers in (
                *(one.layers for one in graph.endpoints.values() if not one.hypothetical),
                *(one.layers for one in graph.subnets.values()),
            )
            for layer in layers
            for name in layer.filters
        }
        changes: list[FilterChange] = []
        left_out: dict[str, str] = {}
        for name in sorted(self.changed_filters):
            before, after = self.old.filters.get(name), self.new.filters.get(name)
            here = after or before
            assert here is not None
            if before is None or after is None:
                if self._as_made(here, name in carried):
                    continue
                if here.kind not in shown:
                    left_out[here.kind] = NEW if before is None else OLD
                    continue
            changes += self.rules.changes(name)
            for reason in self.rules.doubts(name):
                self.doubtful = True
                self.unknown.setdefault(reason.text, reason)
        notes = [
            f"only the {side} source shows {kind.replace('_', ' ')} filters; their rules aren't listed, their effect is"
            for kind, side in sorted(left_out.items())
        ]
        notes += [
            f"only the {side} source shows the subnets of {count} endpoint{'s' * (count != 1)}; they count for both"
            for side, count in self.placed.items()
            if count
        ]
        notes += [
            f"only the {side} source shows the routes of {count} subnet{'s' * (count != 1)}; they count for both"
            for side, count in self.lent.items()
            if count
        ]
        return changes, notes

    def _as_made(self, one: Filter, carried: bool) -> bool:
        """The cloud's own group that nobody carries, or its own ACL that lets everything through, as it was made.

        Code doesn't show them, and they change nothing.
        """
        if carried and one.stateful:
            return False
        if one.rules and all(rule.implied for rule in one.rules):
            return True
        return one.own and self.rules.as_made(one)

    def _incomplete(self) -> None:
        for side, graph in ((OLD, self.old), (NEW, self.new)):
            for reason in graph.incomplete:
                self.unknown.setdefault(reason.text, replace(reason, text=f"{side}: {reason.text}"))
        if self.lacks[OLD] or self.lacks[NEW]:
            self.doubtful = True

    def _unread(self) -> None:
        """Calls that failed: what they would have told can't be the same, even where they failed on both sides."""
        for side, failed in zip((OLD, NEW), self.unread):
            known = [one.text for one in self.unknown.values() if one.text.startswith(f"{side}: ")]
            for reason in failed:
                self.doubtful = True
                where, _, what = reason.text.partition(": ")
                if not any(what in text and all(part in text for part in where.split(", ")) for text in known):
                    text = f"{side}: {reason.text}"
                    self.unknown.setdefault(text, replace(reason, text=text))


def _own_of_cloud(graph: RuleGraph, one: Endpoint) -> bool:
    """Whether it stands for the carriers of a group that the cloud itself made, and nobody carries."""
    carried = [graph.filters[name] for layer in one.layers for name in layer.filters]
    rules = [rule for each in carried for rule in each.rules]
    return any(each.own for each in carried) or (bool(rules) and all(rule.implied for rule in rules))


def _passing(trails: list[Trail], certain: bool, terms: object) -> _Passing:
    assert callable(terms)
    answered = together([terms(trail.allowed) for trail in trails] or [NOTHING])
    delivered = together([terms(trail.delivered) for trail in trails] or [NOTHING])
    if not certain:
        answered, delivered = answered.uncertain(), delivered.uncertain()
    reasons: tuple[str, ...] = ()
    if not (answered.exact and delivered.exact):
        reasons = texts([reason for trail in trails for reason in trail.reasons])
    return answered, delivered, reasons


def _placed(passing: _Passing, place: int) -> _Passing:
    """The same, from another place."""
    answered, delivered, reasons = passing
    return _from(answered, place), _from(delivered, place), reasons


def _from(bounds: Bounds, place: int) -> Bounds:
    at = IntervalSet.of(place)
    return Bounds(
        bounds.must.with_peers(at) if bounds.must else EMPTY_TRAFFIC,
        bounds.may.with_peers(at) if bounds.may else EMPTY_TRAFFIC,
    )


def _within(passing: _Passing, space: IntervalSet) -> _Passing:
    answered, delivered, reasons = passing
    return answered.restrict(space), delivered.restrict(space), reasons


def _order(change: ReachChange) -> tuple[object, ...]:
    return (
        not change.certain,
        change.source != INTERNET,
        change.destination,
        change.source,
        change.traffic.peers().pairs,
    )
