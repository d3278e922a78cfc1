"""Runs a pack's own cases: small worlds written in a few lines, and the verdict that each flow must get there.

Knows no cloud: a case's machines each carry one filter of their own, in a graph without networks and routes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lint.graph.endpoints import Address, Endpoint, Layer
from lint.graph.graph import RuleGraph
from lint.graph.rules import Action, Addresses, Direction, Filter, Rule
from lint.origin import Origin
from lint.packs.document import Mapping, Node, Scalar, Sequence, read_document
from lint.packs.model import Pack, active_flows
from lint.packs.problem import PackProblem
from lint.packs.read import load_file
from lint.project.model import STRICTNESS, Condition, Deployment, Project, RoleBinding, Selector
from lint.space.addresses import EVERYWHERE, parse_cidr, position
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES, parse
from lint.verdict.finding import Finding
from lint.verdict.judge import judge
from lint.verdict.options import VERDICTS, JudgeOptions

_DEPLOYMENT = "case"
_PARTY_FIELDS = ("role", "address", "public", "cidr")
_CASE_FIELDS = ("name", "variants", "phase", "strictness", "without", "in", "out", "expect")


@dataclass(frozen=True, slots=True)
class Party:
    """Who stands for a role: a machine (`address`, perhaps `public`), or addresses outside of the network (`cidr`)."""

    name: str
    role: str
    origin: Origin
    address: int | None = None
    public: int | None = None
    cidr: str | None = None

    @property
    def places(self) -> IntervalSet:
        """All addresses of the party."""
        if self.cidr is not None:
            return parse_cidr(self.cidr)
        return IntervalSet.of(*(place for place in (self.address, self.public) if place is not None))


@dataclass(frozen=True, slots=True)
class Line:
    """One permission of a case: with this peer, on these services."""

    peer: IntervalSet
    services: IntervalSet
    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Case:
    """One world and what is expected of it.

    `inward` and `outward` are permissions by machine; a machine lets in nothing else, and lets out everything unless
    `outward` speaks of it. `expect` gives the verdict for each flow, or for each flow and service (`None`: all).
    """

    name: str
    pack: str
    parties: tuple[Party, ...]
    variants: tuple[str, ...]
    phase: str | None
    strictness: str
    inward: MappingType[str, tuple[Line, ...]]
    outward: MappingType[str, tuple[Line, ...]]
    expect: MappingType[tuple[str, str | None], str]
    origin: Origin


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case: no `failures` where it went as expected, else a sentence for each flow that didn't.

    A pack without cases is one result with a `note` that says so. `line` is the case's own in `file`, from 1.
    """

    pack: str
    name: str
    file: str
    line: int | None
    failures: tuple[str, ...] = ()
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether every verdict was the expected one."""
        return not self.failures


@dataclass(slots=True)
class _Pieces:
    """A graph under construction."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    filters: dict[str, Filter] = field(default_factory=dict)


def cases_of(pack_file: Path) -> Path:
    """Where the cases of a pack lie: `tests/<name>.yaml` beside `<name>.yaml`."""
    return pack_file.parent / "tests" / pack_file.name


def run_cases(pack_files: MappingType[str, Path]) -> tuple[CaseResult, ...]:
    """Runs the cases of these packs, given by what messages call their files.

    Raises PackProblem for a pack or a file of cases that can't be used.
    """
    results: list[CaseResult] = []
    for name, path in pack_files.items():
        pack = load_file(path, name)
        cases = cases_of(path)
        called = (PurePosixPath(name).parent / "tests" / path.name).as_posix()
        if cases.is_file():
            results += run_file(cases, {pack.id: pack}, called)
        else:
            results.append(CaseResult(pack.id, "no cases", name, None, note=f"no cases; write them in {called}"))
    return tuple(results)


def run_file(path: Path, packs: MappingType[str, Pack], name: str | None = None) -> tuple[CaseResult, ...]:
    """Runs every case of a file; `name` is what messages call it. Raises PackProblem for a file that can't be used."""
    return tuple(run(case, packs[case.pack]) for case in read_cases(path, packs, name))


def run(case: Case, pack: Pack) -> CaseResult:
    """Judges one case."""
    judgement = judge(
        _graph(case), _project(case), {pack.id: pack}, JudgeOptions(today=datetime.date(2000, 1, 1), source="case")
    )
    failures = [problem.text for problem in judgement.problems if problem.severity == "error"]
    failures += _compare(case, pack, judgement.findings)
    return CaseResult(pack.id, case.name, case.origin.file or "", case.origin.line, tuple(failures))


def _compare(case: Case, pack: Pack, findings: tuple[Finding, ...]) -> Iterator[str]:
    """One sentence for each flow whose verdict isn't the expected one, or of which the case says nothing."""
    for flow in active_flows(pack, case.variants, case.phase):
        about = [finding for finding in findings if finding.flow == flow.id]
        if not about:
            yield f"{flow.id}: no finding at all"
        for finding in about:
            wanted = case.expect.get((flow.id, finding.service), case.expect.get((flow.id, None)))
            if wanted is None:
                yield f"{flow.id} {finding.service}: is {finding.verdict}, and the case expects nothing of it"
            elif finding.verdict != wanted:
                yield f"{flow.id} {finding.service}: is {finding.verdict} instead of {wanted}: {finding.sentence}"
    judged = {(finding.flow, finding.service) for finding in findings}
    flows = {finding.flow for finding in findings}
    for flow_id, service in case.expect:
        if flow_id not in flows or (service is not None and (flow_id, service) not in judged):
            text = flow_id if service is None else f"{flow_id} {service}"
            yield f"{text}: is expected, but nothing was judged under that name with these variants"


# the graph and the project of a case


def _graph(case: Case) -> RuleGraph:
    pieces = _Pieces()
    for party in case.parties:
        if party.address is not None:
            _machine(pieces, case, party, party.address)
    return RuleGraph(endpoints=pieces.endpoints, filters=pieces.filters)


def _machine(pieces: _Pieces, case: Case, party: Party, address: int) -> None:
    guard = f"filter of {party.name}"
    everything = Line(EVERYWHERE, ALL_SERVICES, "everything", party.origin)
    outward = case.outward.get(party.name, (everything,))
    rules = [
        *_rules(Direction.INGRESS, case.inward.get(party.name, ())),
        *_rules(Direction.EGRESS, outward),
    ]
    pieces.filters[guard] = Filter(guard, guard, "security_group", tuple(rules), party.origin)
    pieces.endpoints[party.name] = Endpoint(
        id=party.name,
        name=party.name,
        kind="instance",
        addresses=(
            Address(
                place=address,
                within=IntervalSet.of(address),
                public=party.public,
                public_exists=party.public is not None,
            ),
        ),
        groups=(),
        layers=(Layer("security_group", (guard,), closed_if_empty=True),),
        origin=party.origin,
    )


def _rules(direction: Direction, lines: tuple[Line, ...]) -> Iterator[Rule]:
    for number, line in enumerate(lines):
        yield Rule(
            id=f"{direction.value}-{number}",
            direction=direction,
            action=Action.ALLOW,
            peers=(Addresses(line.peer, line.text),),
            services=line.services,
            origin=line.origin,
        )


def _project(case: Case) -> Project:
    bindings = []
    for role in dict.fromkeys(party.role for party in case.parties):
        selectors = tuple(_selector(party) for party in case.parties if party.role == role)
        bindings.append(RoleBinding(role, selectors, case.origin))
    deployment = Deployment(
        name=_DEPLOYMENT,
        pack=case.pack,
        roles=tuple(bindings),
        origin=case.origin,
        variants=case.variants,
        phase=case.phase,
        strictness=case.strictness,
    )
    return Project(path=Path(case.origin.file or "case"), directory=Path(), deployments=(deployment,))


def _selector(party: Party) -> Selector:
    if party.cidr is None:
        return Selector((Condition("ids", (party.name,)),), party.name, party.origin)
    condition = Condition("addresses", (party.cidr,), addresses=parse_cidr(party.cidr))
    return Selector((condition,), party.cidr, party.origin)


# reading


def read_cases(path: Path, packs: MappingType[str, Pack], name: str | None = None) -> tuple[Case, ...]:
    """The cases of a file. Raises PackProblem with file and line."""
    called = name if name is not None else path.as_posix()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PackProblem(called, None, f"can't be read: {error.strerror}", "check the path") from None
    return _CaseReader(called, packs).cases(read_document(content, called))


class _CaseReader:
    """Reads one file of cases and stops at the first mistake."""

    def __init__(self, file: str, packs: MappingType[str, Pack]) -> None:
        self._file = file
        self._packs = packs

    def cases(self, node: Node) -> tuple[Case, ...]:
        fields = self._fields(node, ("pack", "parties", "cases"), ("pack", "parties", "cases"))
        pack = self._packs.get(self._text(fields["pack"]))
        if pack is None:
            raise self._problem(fields["pack"], "is no pack that is known here", "write the id of a pack")
        parties = tuple(self._party(key, value, pack) for key, value in self._entries(fields["parties"]))
        return tuple(self._case(item, pack, parties) for item in self._items(fields["cases"]))

    def _party(self, key: Scalar, node: Node, pack: Pack) -> Party:
        fields = self._fields(node, _PARTY_FIELDS, ("role",))
        role = self._text(fields["role"])
        if pack.role(role) is None:
            raise self._problem(fields["role"], f"`{role}` is no role of {pack.id}", "write a role of the pack")
        if ("cidr" in fields) == ("address" in fields):
            raise self._problem(node, f"`{key.text}` needs either `address` or `cidr`", "a machine has an address")
        if "cidr" in fields and "public" in fields:
            raise self._problem(node, f"`{key.text}` is no machine", "leave `public` out, or give it an `address`")
        cidr = self._text(fields["cidr"]) if "cidr" in fields else None
        if cidr is not None:
            self._addresses(cidr, fields["cidr"])
        return Party(
            name=key.text,
            role=role,
            origin=self._origin(key),
            address=self._place(fields.get("address")),
            public=self._place(fields.get("public")),
            cidr=cidr,
        )

    def _case(self, node: Node, pack: Pack, parties: tuple[Party, ...]) -> Case:
        fields = self._fields(node, _CASE_FIELDS, ("name", "expect"))
        away = self._names(fields.get("without"), {party.name for party in parties}, "party")
        present = {party.name: party for party in parties if party.name not in away}
        phase = fields.get("phase")
        strictness = self._text(fields["strictness"]) if "strictness" in fields else "ports"
        if strictness not in STRICTNESS:
            raise self._problem(
                fields["strictness"], f"`{strictness}` is no strictness", f"write {', '.join(STRICTNESS)}"
            )
        return Case(
            name=self._text(fields["name"]),
            pack=pack.id,
            parties=tuple(present.values()),
            variants=self._names(fields.get("variants"), {name for name, _ in pack.variants}, "variant"),
            phase=self._names(phase, {name for name, _ in pack.phases}, "phase")[0] if phase is not None else None,
            strictness=strictness,
            inward=self._lines(fields.get("in"), present),
            outward=self._lines(fields.get("out"), present),
            expect=self._expected(fields["expect"], pack),
            origin=self._origin(node),
        )

    def _lines(self, node: Node | None, parties: dict[str, Party]) -> dict[str, tuple[Line, ...]]:
        """`machine: ["peer service service", …]`; the peer is a party or a CIDR."""
        found: dict[str, tuple[Line, ...]] = {}
        for key, value in self._entries(node):
            party = parties.get(key.text)
            if party is None or party.address is None:
                raise self._problem(key, f"`{key.text}` is no machine of this case", "name a party with an `address`")
            found[key.text] = tuple(self._line(item, parties) for item in self._items(value))
        return found

    def _line(self, node: Node, parties: dict[str, Party]) -> Line:
        peer, *services = self._text(node).split()
        if not services:
            raise self._problem(node, "names no service", 'write "peer tcp/443"')
        known = parties.get(peer)
        places = known.places if known is not None else self._addresses(peer, node)
        joined = EMPTY
        for text in services:
            try:
                joined = joined | parse(text)
            except ValueError as error:
                raise self._problem(node, f"not a service: {error}", "write it as tcp/443") from None
        return Line(places, joined, self._text(node), self._origin(node))

    def _expected(self, node: Node, pack: Pack) -> dict[tuple[str, str | None], str]:
        """`verdict: [flow, "flow service", …]`."""
        found: dict[tuple[str, str | None], str] = {}
        for key, value in self._entries(node):
            if key.text not in VERDICTS:
                raise self._problem(key, f"`{key.text}` is no verdict", f"write one of {', '.join(VERDICTS)}")
            for item in self._items(value):
                flow_id, _, service = self._text(item).partition(" ")
                if pack.flow(flow_id) is None:
                    raise self._problem(item, f"`{flow_id}` is no flow of {pack.id}", "write the id of a flow")
                about = (flow_id, service or None)
                if about in found:
                    raise self._problem(item, f"`{flow_id}` is expected twice", "keep one of them")
                found[about] = key.text
        return found

    def _names(self, node: Node | None, known: set[str], what: str) -> tuple[str, ...]:
        if node is None:
            return ()
        items = self._items(node) if isinstance(node, Sequence) else (node,)
        for item in items:
            if self._text(item) not in known:
                raise self._problem(
                    item, f"`{self._text(item)}` is no {what} here", f"known are {', '.join(sorted(known))}"
                )
        return tuple(self._text(item) for item in items)

    def _addresses(self, text: str, node: Node) -> IntervalSet:
        try:
            return parse_cidr(text)
        except ValueError:
            raise self._problem(node, f"`{text}` is neither a party nor a CIDR", "write it as 10.0.0.0/8") from None

    def _place(self, node: Node | None) -> int | None:
        if node is None:
            return None
        try:
            return position(self._text(node))
        except ValueError:
            raise self._problem(node, f"`{self._text(node)}` is no address", "write it as 10.0.0.1") from None

    def _fields(self, node: Node, known: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key, value in self._entries(node):
            if key.text not in known:
                raise self._problem(key, f"there is no field `{key.text}`", f"known are {', '.join(known)}")
            found[key.text] = value
        for name in needed:
            if name not in found:
                raise self._problem(node, f"there is no `{name}`", "add it")
        return found

    def _entries(self, node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
        if node is None:
            return ()
        if not isinstance(node, Mapping):
            raise self._problem(node, "is no mapping", "write `name: …` lines")
        return node.entries

    def _items(self, node: Node) -> tuple[Node, ...]:
        if not isinstance(node, Sequence):
            raise self._problem(node, "is no list", "write a list")
        return node.items

    def _text(self, node: Node) -> str:
        if not isinstance(node, Scalar) or not node.text.strip():
            raise self._problem(node, "is no text", "write a text there")
        return node.text.strip()

    def _origin(self, node: Node) -> Origin:
        return Origin(file=self._file, line=node.line, end_line=node.line, column=node.column)

    def _problem(self, node: Node, text: str, remedy: str) -> PackProblem:
        return PackProblem(self._file, node.line, text, remedy, node.column)
