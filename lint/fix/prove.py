"""Proves fixes: makes the change, judges everything again, and keeps only what mends its finding and harms no other.

A way is first looked for on the rule graph, where a step costs little; what is found is then written as its source is
written (text, commands), read back and judged whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path
from time import monotonic

from lint.fix.changes import AddRoute, AddRule, Change, alternatives, holder_of, table_of
from lint.fix.collateral import collateral
from lint.fix.edits import Edit, apply, by_file, unified
from lint.fix.on_graph import apply as change_graph
from lint.fix.on_graph import apply_all
from lint.fix.plan import propose
from lint.fix.tidy import tidy
from lint.fix.too_much import Blamed
from lint.fix.wording import loses_names, worded
from lint.fix.workshop import Workshop
from lint.fix.worse import harmful
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Filter, Group
from lint.graph.topology import RouteTable
from lint.space.addresses import REAL, cidrs
from lint.space.intervals import IntervalSet
from lint.space.services import render
from lint.terraform.resources import Resource
from lint.verdict.finding import Finding, Fix, RuleAtFault

STEPS = 6
"""A missing flow may be blocked several times in a row (egress, then ingress, then replies): so many one after the
other are tried."""

ALTERNATIVES = 6
"""So many ways to write one change in a text are tried."""

WRITTEN = 10
"""So many ways that mend a finding on the graph are tried as text or commands."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the sources give with some files changed. `faults` are the messages that reading them brought."""

    graph: RuleGraph
    resources: Mapping[str, Resource]
    findings: tuple[Finding, ...]
    faults: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand: files changed so far by name, changes that live on the graph alone, and what they give."""

    trial: Trial
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    made: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Proven:
    """A fix and how things stand when it is made."""

    fix: Fix
    standing: Standing
    mirror: Standing | None = None  # how the configuration beside a plan or state stands then


@dataclass
class Budget:
    """What a run may spend on fixes: whole trials, questions about one flow, seconds. `cut`: something was left."""

    trials: int = 60
    questions: int = 600
    seconds: float = 20.0
    cut: bool = False
    began: float = field(default_factory=monotonic)

    def trial(self) -> bool:
        """Takes one whole trial; False where none is left."""
        self.trials -= 1
        return self._left(self.trials)

    def question(self) -> bool:
        """Takes one question about one flow; False where none is left."""
        self.questions -= 1
        return self._left(self.questions)

    def _left(self, count: int) -> bool:
        if count < 0 or monotonic() - self.began > self.seconds:
            self.cut = True
        return not self.cut


Judge = Callable[[Mapping[str, bytes], "tuple[Change, ...]"], Trial]
"""Evaluates and judges the sources with these files in place of theirs and these changes made on the graph."""

Ask = Callable[[RuleGraph, Finding], "tuple[Finding, ...]"]
"""Judges one finding's flow alone on a graph."""

EditMaker = Callable[[Change, Workshop], "Iterator[tuple[Edit, ...]]"]
CommandMaker = Callable[[Change, RuleGraph], "tuple[str, ...] | None"]


@dataclass(frozen=True, slots=True)
class Tools:
    """What a prover works with."""

    base: Path  # what the names of files are relative to
    judge: Judge
    ask: Ask
    edits: Sequence[EditMaker]
    commands: Sequence[CommandMaker]
    documented: Callable[[Finding], IntervalSet]
    client_ports: Callable[[Finding], IntervalSet]
    read: Mapping[str, bytes] = field(default_factory=dict)  # files as they were judged first
    values: tuple[str, ...] = ()  # files of variable values that the user gave


class Prover:
    """Finds a proven fix for violated findings of one run. Trials are shared between findings.

    `mirror` is the prover of the configuration where the source itself was made from one (a plan, a state): a change of
    its text is proven on both.
    """

    def __init__(
        self, tools: Tools, start: Standing, budget: Budget, mirror: Callable[[], Prover] | None = None
    ) -> None:
        self._tools = tools
        self.start = start
        self._budget = budget
        self._mirror_of = mirror
        self._mirror: Prover | None = None
        self._trials: dict[object, Trial] = {}
        self._asked: dict[object, tuple[Finding, ...]] = {}
        self._touched: dict[object, tuple[str, ...]] = {}

    def fix(self, finding: Finding) -> Proven | None:
        """A fix that was made, judged and found good, or None."""
        for changes in islice(self._ways(finding), WRITTEN):
            found = self.prove(finding, changes)
            if found is not None:
                return found
        return None

    def after(self, proven: Proven) -> Prover:
        """The prover that goes on from where this fix leads."""
        following = Prover(self._tools, proven.standing, self._budget)
        mirror = self._mirror
        if self._mirror_of is not None:
            if proven.mirror is not None and mirror is not None:
                moved = Prover(mirror._tools, proven.mirror, mirror._budget)
                following._mirror_of, following._mirror = self._mirror_of, moved
            else:
                following._mirror_of, following._mirror = self._mirror_of, mirror
        return following

    def _ways(self, finding: Finding) -> Iterator[tuple[Change, ...]]:
        """The changes that mend the finding on the graph, the fewest and most precise first."""
        attempts: list[tuple[tuple[Change, ...], RuleGraph, Finding]] = [((), self.start.trial.graph, finding)]
        seen: set[object] = set()
        for _ in range(STEPS):
            following = []
            for made, graph, still in attempts:
                documented, ports = self._tools.documented(still), self._tools.client_ports(still)
                for changes in propose(still, graph, documented, ports, self._blamed(still)):
                    changed = apply_all(changes, graph)
                    meaning = tuple(_meaning(change, changed) for change in changes)
                    if changed is graph or (made, meaning) in seen:
                        continue
                    seen.add((made, meaning))
                    found = self._answer(made + changes, changed, finding)
                    if found is None:
                        return
                    if mended(finding, found):
                        yield self._least(finding, made + changes)
                        continue
                    next_one = _same(finding, found)
                    if finding.kind == "required" and next_one is not None and _moved_on(still, next_one):
                        following.append((made + changes, changed, next_one))
            attempts = following[:2]

    def _least(self, finding: Finding, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """Without those steps towards a missing flow that it can do without: two ways may lead there."""
        if finding.kind != "required" or len(changes) == 1:
            return changes
        start = self.start.trial.graph
        for change in changes:
            fewer = tuple(one for one in changes if one is not change)
            found = self._answer(fewer, apply_all(fewer, start), finding) if fewer else None
            if found is not None and mended(finding, found):
                changes = fewer
        return changes

    def _answer(self, changes: tuple[Change, ...], graph: RuleGraph, finding: Finding) -> tuple[Finding, ...] | None:
        key = (finding.id, changes)
        if key not in self._asked:
            if not self._budget.question():
                return None
            self._asked[key] = self._tools.ask(graph, finding)
        return self._asked[key]

    def _blamed(self, finding: Finding) -> Blamed:
        def said(fault: RuleAtFault) -> tuple[tuple[IntervalSet, IntervalSet], ...]:
            found = []
            for other in self.start.trial.findings:
                if other.verdict != "violated" or other.kind != finding.kind or other.deployment != finding.deployment:
                    continue
                if any(f.filter == fault.filter and f.rule == fault.rule for f in other.rules):
                    services = IntervalSet.union_of(alternatives(other.service))
                    found.append((services, self._tools.documented(other)))
            return tuple(found)

        return said

    def prove(self, finding: Finding, changes: tuple[Change, ...]) -> Proven | None:
        """The changes written as their sources want them, judged whole; None where they can't be or aren't good."""
        graph = self.start.trial.graph
        in_text = tuple(c for c in changes if _in_text(c, graph))
        alone = tuple(c for c in changes if not _in_text(c, graph))
        commands = self._commands(alone, graph)
        if commands is None:
            return None
        if in_text and self._mirror_of is not None:
            return self._mirrored(finding, in_text, alone, commands)
        for overlay in self._made(in_text) if in_text else [dict(self.start.overlay)]:
            standing = self._tried(overlay, self.start.made + alone)
            if standing is not None and self._good(finding, standing, changes):
                return Proven(self._shown(changes, commands, overlay, standing.trial.graph), standing)
        return None

    def _mirrored(
        self, finding: Finding, in_text: tuple[Change, ...], alone: tuple[Change, ...], commands: tuple[str, ...]
    ) -> Proven | None:
        """The text is proven by evaluating it, and its meaning on the graph of the plan or state."""
        standing = self._tried(dict(self.start.overlay), self.start.made + in_text + alone)
        if standing is None or not self._good(finding, standing, in_text + alone):
            return None
        if self._mirror is None and self._mirror_of is not None:
            self._mirror = self._mirror_of()
        mirror = self._mirror
        twin = _same(finding, mirror.start.trial.findings) if mirror is not None else None
        proven = mirror.prove(twin, in_text) if mirror is not None and twin is not None else None
        if proven is None or mirror is None:
            return None
        overlay = dict(proven.standing.overlay)
        fix = self._shown(in_text + alone, commands, overlay, standing.trial.graph)
        return Proven(fix, Standing(standing.trial, overlay, standing.made), proven.standing)

    def _good(self, finding: Finding, standing: Standing, changes: tuple[Change, ...]) -> bool:
        before, after = self.start.trial, standing.trial
        if not mended(finding, after.findings) or after.faults - before.faults:
            return False
        if set(before.graph.endpoints) - set(after.graph.endpoints):
            return False
        if harmful(before.findings, after.findings):
            return False
        healed = [f for f in before.findings if f.verdict == "violated" and mended(f, after.findings)]
        found = collateral(before.graph, after.graph, changes, healed)
        if found:
            self._touched.setdefault(key_of(finding), found)
        return not found

    def touched(self, finding: Finding) -> tuple[str, ...]:
        """The filters that a change which mends the finding would change as well, where that kept it from being one."""
        return self._touched.get(key_of(finding), ())

    def _commands(self, changes: tuple[Change, ...], graph: RuleGraph) -> tuple[str, ...] | None:
        found: list[str] = []
        for change in changes:
            made = next((m for maker in self._tools.commands if (m := maker(change, graph)) is not None), None)
            if made is None or not all(command.isprintable() for command in made):
                return None  # with control characters in a name there is no command that a person could paste
            found += made
            graph = change_graph(change, graph)
        return tuple(dict.fromkeys(found))

    def _made(self, changes: tuple[Change, ...]) -> Iterator[dict[str, bytes]]:
        """The files with the changes written in them, each in one of the ways in which the text allows it."""
        trial = self.start.trial
        shop = Workshop(
            self._tools.base,
            trial.graph,
            dict(trial.resources),
            dict(self.start.overlay),
            self._tools.read,
            self._tools.values,
        )
        written = []
        for change in changes:
            written.append(list(islice(self._edits(change, shop), ALTERNATIVES)))
            shop.graph = change_graph(change, shop.graph)  # the next one mustn't take the same place in an order
        for ways in islice(product(*written), ALTERNATIVES):
            overlay = self._overlay(shop, [edit for edits in ways for edit in edits])
            if overlay is not None:
                yield overlay

    def _edits(self, change: Change, shop: Workshop) -> Iterator[tuple[Edit, ...]]:
        """The ways to write a change, those first that don't overwrite what stands there for something else's sake."""
        ways: list[tuple[Edit, ...]] = []
        for maker in self._tools.edits:
            try:
                ways += islice(maker(change, shop), ALTERNATIVES)
            except ValueError:
                continue  # edits that overlap: this maker has no way for such a text
        for way in sorted(ways, key=lambda one: loses_names(one, shop)):
            yield from islice(worded(way, change, shop), 2)
            yield way

    def _overlay(self, shop: Workshop, edits: Sequence[Edit]) -> dict[str, bytes] | None:
        overlay = dict(shop.overlay)
        for file, some in by_file(dict.fromkeys(edits)).items():
            data = shop.data(file)
            if data is None or not shop.inside(file):
                return None
            try:
                overlay[file] = tidy(file, data, apply(data, some))
            except ValueError:
                return None
        return overlay if overlay != shop.overlay else None

    def _tried(self, overlay: dict[str, bytes], made: tuple[Change, ...]) -> Standing | None:
        key = (tuple(sorted(overlay.items())), made)
        if key not in self._trials:
            if not self._budget.trial():
                return None
            self._trials[key] = self._tools.judge(overlay, made)
        return Standing(self._trials[key], overlay, made)

    def _shown(
        self, changes: tuple[Change, ...], commands: tuple[str, ...], overlay: Mapping[str, bytes], graph: RuleGraph
    ) -> Fix:
        shop = Workshop(self._tools.base, graph, {}, dict(self.start.overlay), self._tools.read)
        changed = {f: d for f, d in overlay.items() if self.start.overlay.get(f) != d}
        before = {file: shop.data(file) or b"" for file in changed}
        summary = "; ".join(dict.fromkeys(_sentence(change, graph) for change in changes))
        return Fix(
            summary=summary,
            verified=True,
            patch=unified(before, changed),
            commands=commands,
            files=tuple(changed.items()),
        )


def key_of(finding: Finding) -> object:
    """What stays the same of a finding from one trial to the next."""
    return finding.id, finding.service, finding.source.endpoints, finding.destination.endpoints


def _in_text(change: Change, graph: RuleGraph) -> bool:
    """Whether the filter or route table is written in a configuration file."""
    holder = holder_of(change, graph) or table_of(change, graph)
    return holder is not None and (holder.origin.file or "").endswith((".tf", ".tofu", ".tf.json", ".tofu.json"))


def _meaning(change: Change, graph: RuleGraph) -> object:
    """What a change made of its filter or table: two that come to the same are one."""
    if isinstance(change, AddRoute):
        return change
    return graph.filters[change.filter].rules if change.filter in graph.filters else None


def _sentence(change: Change, graph: RuleGraph) -> str:
    if isinstance(change, AddRoute):
        table = graph.route_tables.get(change.table)
        where = _named(table, change.table)
        return f"route {', '.join(cidrs(change.destinations))} to {_target(change, graph)} in {where}"
    holder = graph.filters.get(change.filter)
    name = _named(holder, change.filter)
    if isinstance(change, AddRule):
        services = ", ".join(render(change.services))
        if change.peers.group is not None:
            who = _named(graph.groups.get(change.peers.group), change.peers.group)
        else:
            who = "anyone" if change.peers.addresses == REAL else ", ".join(cidrs(change.peers.addresses))
        way = "from" if change.direction.value == "ingress" else "to"
        verb = "allow" if change.action is Action.ALLOW else "refuse"
        return f"{verb} {services} {way} {who} in {name}"
    if not change.keep:
        return f"remove the rule from {name}"
    kept = [" ".join(filter(None, [", ".join(render(k.services)), _few(k.addresses)])) for k in change.keep]
    return f"narrow the rule of {name} to {' and '.join(kept)}"


def _target(change: AddRoute, graph: RuleGraph) -> str:
    id_ = change.target or "the Internet"
    things = (graph.peerings.get(id_), graph.transit_gateways.get(id_), graph.nat_gateways.get(id_))
    return next((one.origin.address or one.name or id_ for one in things if one is not None), id_)


def _named(thing: Filter | Group | RouteTable | None, id_: str) -> str:
    """What the code calls it: its Terraform address, else its name."""
    return (thing.origin.address or thing.name or id_) if thing is not None else id_


def _few(addresses: IntervalSet, most: int = 6) -> str:
    texts = cidrs(addresses)
    return ", ".join(texts) if len(texts) <= most else f"{', '.join(texts[:most])} and {len(texts) - most} more"


def _same(finding: Finding, findings: Sequence[Finding]) -> Finding | None:
    """The finding that speaks of the same flow, service and endpoints and is still violated."""
    return next((f for f in _alike(finding, findings) if f.verdict == "violated"), None)


def _alike(finding: Finding, findings: Sequence[Finding]) -> Iterator[Finding]:
    for other in findings:
        if (other.id, other.service, other.kind) != (finding.id, finding.service, finding.kind):
            continue
        if _meet(finding.destination.endpoints, other.destination.endpoints) and (
            finding.kind == "exclusive" or _meet(finding.source.endpoints, other.source.endpoints)
        ):
            yield other


def _meet(first: Sequence[str], second: Sequence[str]) -> bool:
    return not first or not second or bool(set(first) & set(second))


def mended(finding: Finding, findings: Sequence[Finding]) -> bool:
    """Whether the finding is satisfied now, for all of its endpoints."""
    after = list(_alike(finding, findings))
    return bool(after) and all(f.verdict == "satisfied" for f in after)


def _moved_on(before: Finding, after: Finding) -> bool:
    """Whether a step helped: another component blocks now, or less is missing."""
    return [(b.filter, b.direction) for b in before.blocked_by] != [
        (b.filter, b.direction) for b in after.blocked_by
    ] or before.missing != after.missing
