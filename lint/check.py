"""One run of `check`: reads the sources, judges the project, proves fixes. Wires rooms, decides nothing itself."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lint.origin import Origin, Problem
from lint.sources import Loaded, LoadOptions, Source, SourceError, load, parse

if TYPE_CHECKING:
    from lint.fix.changes import Change
    from lint.fix.prove import Budget, Prover, Trial
    from lint.fix.reading import ReadFiles
    from lint.graph.graph import RuleGraph
    from lint.packs.model import Pack
    from lint.project.model import Project
    from lint.report.document import CheckReport
    from lint.space.intervals import IntervalSet
    from lint.terraform.resources import Evaluation
    from lint.verdict.finding import Finding
    from lint.verdict.options import CommentWaiver, Judgement, JudgeOptions


MOST_FIXES = 200
"""`fix` makes so many changes at the most in one run."""

MOST_TRIALS, MOST_QUESTIONS, MOST_SECONDS = 2000, 20000, 3600.0
"""What `fix` may spend, where `check` keeps to the small default of `Budget`."""


MOST_CHECKED, LEAST_CHECKED, WORK, LONGEST_CHECKED = 60, 2, 9000, 300.0
"""`check` tries so many changes at the most and at the least; so many rules, endpoints and findings in all; seconds."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for. `sources` empty: the project's, else the current folder."""

    sources: tuple[str, ...] = ()
    project: Project | None = None
    packs: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    load: LoadOptions = field(default_factory=LoadOptions)
    config: str | None = None  # the project file, where it was named
    own_packs: tuple[Path, ...] = ()  # files of packs that no project file names
    fixes: bool = True
    today: datetime.date | None = None  # None: the machine's


def check(request: Request, version: str) -> CheckReport:
    """Judge the sources. Raises SourceError, PackProblem and what else can't be carried on from."""
    from lint.report.document import CheckReport

    run = _judged(request)
    findings, problems = run.judgement.findings, run.loaded.problems + run.judgement.problems
    if request.fixes and any(f.verdict == "violated" for f in findings):
        from lint.fix.advice import advice

        budget = _budget(run)
        prover = _prover(run, budget)
        fixed = []
        for finding in findings:
            proven = prover.fix(finding) if finding.verdict == "violated" and not budget.cut else None
            if proven is not None:
                finding = replace(finding, fix=proven.fix)
            elif finding.verdict == "violated" and not budget.cut:
                finding = replace(
                    finding, notes=(*finding.notes, advice(finding, run.loaded.graph, prover.touched(finding)))
                )
            fixed.append(finding)
        findings = _with_twins(fixed, run.loaded.graph)
        if budget.cut:
            problems += (_CUT,)
    placed = tuple(_placed(problem, run.loaded.base) for problem in problems)
    return CheckReport(version, run.loaded.reports, findings, placed, run.loaded.base)


def _placed(problem: Problem, base: Path) -> Problem:
    """The message with its file relative to `base`, as the files of all origins are: the project file's is not."""
    origin = problem.origin
    if origin is None or origin.file is None or not Path(origin.file).is_absolute():
        return problem
    file = Path(os.path.relpath(origin.file, base.resolve())).as_posix()
    return replace(problem, origin=replace(origin, file=file))


def _budget(run: _Run) -> Budget:
    """What `check` may spend on fixes: the less, the more there is to judge again for each. Counted and not timed, so
    that two runs say the same, however busy the machine is; the clock only ends what would take forever."""
    from lint.fix.prove import Budget

    graph = run.loaded.graph
    rules = sum(len(one.rules) for one in graph.filters.values())
    size = max(1, rules + len(graph.endpoints) + len(run.judgement.findings))
    return Budget(
        min(MOST_CHECKED, max(LEAST_CHECKED, WORK // size)),
        min(10 * MOST_CHECKED, max(10 * LEAST_CHECKED, 10 * WORK // size)),
        LONGEST_CHECKED,
    )


def _with_twins(findings: Sequence[Finding], graph: RuleGraph) -> tuple[Finding, ...]:
    """Findings of live groups with the patch too, where a configuration of this run has the same groups and finding."""

    def groups(finding: Finding) -> frozenset[tuple[str, str]]:
        named = [fault.filter for fault in finding.rules] + [blocker.filter for blocker in finding.blocked_by]
        held = [graph.filters.get(name) for name in named]
        return frozenset((one.kind, one.name) for one in held if one is not None)

    patches = {
        (f.id, f.service, f.kind, groups(f)): f.fix
        for f in findings
        if f.fix is not None and f.fix.patch and not f.fix.commands
    }
    made = []
    for finding in findings:
        if patches and finding.fix is not None and finding.fix.commands and not finding.fix.patch:
            twin = patches.get((finding.id, finding.service, finding.kind, groups(finding)))
            if twin is not None:
                finding = replace(finding, fix=replace(finding.fix, patch=twin.patch, files=twin.files))
        made.append(finding)
    return tuple(made)


_CUT = Problem(
    "warning",
    "fixes were not looked for at every violated finding: `check` spends little time on them",
    None,
    "`netpact fix` looks further",
)


_SPENT = Problem(
    "warning",
    "fixes were not looked for at every violated finding: this run has tried as much as one may",
    None,
    "run `netpact fix` again when these are made",
)


@dataclass(frozen=True, slots=True)
class _Run:
    """The sources as loaded and judged once, and what it takes to do it again with changes."""

    request: Request
    sources: tuple[Source, ...]
    options: LoadOptions
    packs: Mapping[str, Pack]
    cache: ReadFiles
    kept: dict[Source, object]
    loaded: Loaded
    judgement: Judgement


def _judged(request: Request, sources: tuple[Source, ...] = ()) -> _Run:
    from lint.fix.reading import ReadFiles
    from lint.verdict.judge import judge

    sources = sources or _sources(request)
    packs = _packs(request)
    chosen = _load_options(request)
    cache = ReadFiles()
    kept: dict[Source, object] = {}
    loaded = load(sources, chosen, cache, kept)
    judged = judge(loaded.graph, request.project, packs, _judge_options(request, sources, loaded))
    return _Run(request, sources, chosen, packs, cache, kept, loaded, judged)


def read(request: Request) -> Loaded:
    """The sources alone, for commands that judge nothing."""
    from lint.terraform.configuration import ParseCache

    return load(_sources(request), _load_options(request), ParseCache())


@dataclass(frozen=True, slots=True)
class Mended:
    """What `fix` did: one patch of all proven fixes together, commands for live sources, what is left, what to say.

    `problems` are those of reading and judging the sources, which lie in `base`.
    """

    patch: str
    commands: tuple[str, ...]
    left: int
    said: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    base: Path = Path()


def mend(request: Request, *, write: bool) -> Mended:
    """Fix one finding after the other, each on top of the last, until nothing more can be mended.

    With `write`, the files are changed; raises SourceError where one has changed since it was read, and then writes
    none.
    """
    from lint.fix.advice import advice
    from lint.fix.edits import unified
    from lint.fix.prove import Budget, key_of

    run = _judged(request)
    base = run.loaded.base
    budget = Budget(MOST_TRIALS, MOST_QUESTIONS, MOST_SECONDS)
    prover = _prover(run, budget)
    said: list[str] = []
    commands: list[str] = []
    before: dict[str, bytes] = {}
    hopeless: set[object] = set()
    touched: dict[object, tuple[str, ...]] = {}
    for _ in range(MOST_FIXES):
        for finding in sorted(prover.start.trial.findings, key=_direct):
            key = key_of(finding)
            if finding.verdict != "violated" or key in hopeless:
                continue
            proven = prover.fix(finding)
            if proven is not None:
                break
            hopeless.add(key)
            touched[key] = prover.touched(finding)
        else:
            break
        said.append(f"{finding.id} {finding.service}: {proven.fix.summary}")
        commands += proven.fix.commands
        for name, _ in proven.fix.files:
            if name not in before:
                before[name] = run.cache.first.get(name) or _read_file(base / name)
        prover = prover.after(proven)
    overlay = {base / name: data for name, data in prover.start.overlay.items() if name in before}
    originals = {base / name: data for name, data in before.items()}
    left = [f for f in prover.start.trial.findings if f.verdict == "violated"]
    here = Path.cwd().resolve()
    names = {path: _shown(path.resolve(), here) for path in overlay}
    patch = unified({names[p]: originals[p] for p in overlay}, {names[p]: data for p, data in overlay.items()})
    if write:
        said += _written(overlay, originals, names)
    graph = prover.start.trial.graph
    said += [f"{f.id} {f.service}: {advice(f, graph, touched.get(key_of(f), ()))}" for f in left]
    if left:
        said.append(f"{len(left)} violated {_findings(len(left))} no proven fix; `netpact check` explains them")
    problems = run.loaded.problems + run.judgement.problems + ((_SPENT,) if budget.cut else ())
    return Mended(patch, tuple(dict.fromkeys(commands)), len(left), tuple(said), problems, base)


def _direct(finding: Finding) -> bool:
    """Findings that lack a reply come first: the ports that it needs may hold those of other flows."""
    return not any(blocker.direction.startswith("reply-") for blocker in finding.blocked_by)


def _findings(count: int) -> str:
    return "finding has" if count == 1 else "findings have"


def _written(overlay: Mapping[Path, bytes], originals: Mapping[Path, bytes], names: Mapping[Path, str]) -> list[str]:
    from lint.fix.write import NotWritten, write

    try:
        write(overlay, originals, names)
    except NotWritten as error:
        raise SourceError(error.text, error.remedy) from error
    here = Path.cwd().resolve()
    return [f"wrote {names[p] if p.resolve().is_relative_to(here) else p}" for p in overlay]


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} can't be read any more: {error.strerror}") from error


def _shown(path: Path, here: Path) -> str:
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix().lstrip("/")


def _sources(request: Request) -> tuple[Source, ...]:
    texts: Sequence[str] = request.sources
    if not texts and request.project is not None and request.project.sources:
        here = Path(os.path.relpath(request.project.directory))
        texts = [_relative(text, here) for text in request.project.sources]
    elif not texts and request.project is not None:
        texts = [os.path.relpath(request.project.directory)]
    return tuple(parse(text) for text in texts or ["."])


def _relative(text: str, here: Path) -> str:
    """A source of the project file as seen from the current folder; a live account is nowhere."""
    kind, colon, rest = text.partition(":")
    if colon and kind in ("aws", "azure"):
        return text
    if colon and kind in ("terraform", "plan", "state", "dump", "snapshot"):
        return f"{kind}:{(here / rest).as_posix()}"
    return (here / text).as_posix()


def _packs(request: Request) -> Mapping[str, Pack]:
    from lint.packs.find import find
    from lint.packs.problem import UnknownPack

    own = [str(path) for path in (request.project.packs if request.project is not None else request.own_packs)]
    wanted = list(request.packs)
    if request.project is not None:
        wanted += [d.pack for d in request.project.deployments]
    base = request.project.directory if request.project is not None else Path()
    found = {}
    for name in dict.fromkeys(wanted):
        try:
            found[name] = find(name, own, base)
        except UnknownPack:
            if name in request.packs:
                raise
            # A name of the project file: the judge says so with its line.
    return found


def _load_options(request: Request) -> LoadOptions:
    if request.project is None:
        return request.load
    return replace(
        request.load,
        transparent=request.project.transparent,
        service_tags=request.project.service_tags,
        prefix_lists=request.project.prefix_lists,
        project=request.project.directory,
    )


def _judge_options(request: Request, sources: Sequence[Source], loaded: Loaded) -> JudgeOptions:
    from lint.verdict.options import JudgeOptions

    return JudgeOptions(
        today=request.today or datetime.date.today(),
        source=_asked(request, sources),
        comment_waivers=tuple(comment_waivers(loaded.evaluations)),
        packs=request.packs,
        only=request.only,
        skip=request.skip,
    )


def _asked(request: Request, sources: Sequence[Source]) -> str:
    """The sources, and the options by which they were read, as a shell takes them: for commands that show the same."""
    import shlex

    words = [source.text for source in sources]
    for given in request.load.command_line:
        words += ["--var-file", str(given)] if isinstance(given, Path) else ["--var", f"{given[0]}={given[1]}"]
    if request.load.workspace != "default":
        words += ["--workspace", request.load.workspace]
    if request.config is not None:
        words += ["--config", request.config]
    return shlex.join(words)


_WAIVER = re.compile(r"netpact:waive\s+(?P<flow>\S+)\s+until\s+(?P<until>[^\s:]+)\s*:\s*(?P<reason>\S.*)$")
_MEANT = re.compile(r"netpact:\s*waive\b")


def comment_waivers(evaluations: Sequence[Evaluation]) -> Iterator[CommentWaiver]:
    """Every `# netpact:waive FLOW until DATE: reason` of the sources' files, each once; and those that are meant to be
    one."""
    from lint.verdict.options import CommentWaiver

    seen = set()
    for evaluation in evaluations:
        for file, comments in evaluation.comments.items():
            lines = {comment.line for comment in comments}
            for comment in comments:
                text = comment.text.strip()
                match = _WAIVER.search(text)
                if (match is None and _MEANT.match(text) is None) or (file, comment.line) in seen:
                    continue
                seen.add((file, comment.line))
                if match is None:
                    place = Origin(file=file, line=comment.line, end_line=comment.line)
                    yield CommentWaiver("", None, "", place, text.split("\n")[0])
                    continue
                last = comment.line
                while last + 1 in lines:
                    last += 1
                until = match["until"]
                try:
                    date: datetime.date | None = datetime.date.fromisoformat(until)
                except ValueError:
                    date = None
                origin = Origin(file=file, line=comment.line, end_line=last)
                yield CommentWaiver(match["flow"], date, match["reason"].strip(), origin, until, comment.alone)


def _prover(run: _Run, budget: Budget, depth: int = 0) -> Prover:
    """What finds proven fixes for this run's findings."""
    from lint.fix import (
        acl_commands,
        acl_terraform,
        aws_commands,
        aws_terraform,
        azure_commands,
        azure_routes,
        azure_terraform,
        literals,
        route_commands,
        route_terraform,
    )
    from lint.fix.on_graph import apply_all
    from lint.fix.prove import Prover, Standing, Tools, Trial
    from lint.verdict.judge import judge

    request, chosen, base = run.request, run.options, run.loaded.base.resolve()

    def trial_of(some: Loaded, graph: RuleGraph, verdict: Judgement) -> Trial:
        resources = {r.address: r for e in some.evaluations for r in e.resources}
        faults = frozenset(p.text for p in (*some.problems, *verdict.problems) if p.severity != "warning")
        return Trial(graph, resources, verdict.findings, faults)

    def judge_with(overlay: Mapping[str, bytes], made: tuple[Change, ...]) -> Trial:
        some = run.loaded
        if overlay:
            files = dict(chosen.overlay) | {base / name: data for name, data in overlay.items()}
            some = load(run.sources, replace(chosen, overlay=files), run.cache, run.kept)
        graph = apply_all(made, some.graph)
        return trial_of(
            some, graph, judge(graph, request.project, run.packs, _judge_options(request, run.sources, some))
        )

    def ask(graph: RuleGraph, finding: Finding) -> tuple[Finding, ...]:
        among = frozenset((*finding.source.endpoints, *finding.destination.endpoints))
        options = replace(_judge_options(request, run.sources, run.loaded), only=(finding.id,), among=among)
        return judge(graph, request.project, run.packs, options).findings

    tools = Tools(
        run.loaded.base,
        judge_with,
        ask,
        (
            *(aws_terraform.edits, azure_terraform.edits, acl_terraform.edits),
            *(route_terraform.edits, azure_routes.edits, literals.edits),
        ),
        (
            *(aws_commands.commands, azure_commands.commands, acl_commands.commands),
            *(route_commands.commands, azure_routes.commands),
        ),
        _documented(run),
        _client_ports(request.project),
        run.cache.first,
        tuple(os.path.relpath(path, base) for path in chosen.command_line if isinstance(path, Path)),
    )
    beside = _configurations(run.sources) if depth == 0 else ()
    mirror = (lambda: _prover(_judged(request, beside), budget, depth + 1)) if beside else None
    start = Standing(trial_of(run.loaded, run.loaded.graph, run.judgement))
    return Prover(tools, start, budget, mirror)


def _configurations(sources: Sequence[Source]) -> tuple[Source, ...]:
    """The sources with the configuration in place of each plan and state that lies beside one; () where none does."""
    from lint.sources import has_configuration

    found: dict[Source, None] = {}
    changed = False
    for source in sources:
        if source.kind in ("plan", "state") and source.path is not None and has_configuration(source.path.parent):
            folder = source.path.parent
            source, changed = Source(str(folder), "terraform", folder), True
        found[source] = None
    return tuple(found) if changed else ()


def _client_ports(project: Project | None) -> Callable[[Finding], IntervalSet]:
    """For a finding, the source ports that the machines on its source side use, as far as the project says."""
    from lint.verdict.parties import EPHEMERAL

    deployments = project.deployments if project is not None else ()
    said = {(d.name, role): ports for d in deployments for role, ports in d.client_ports.items()}
    return lambda finding: said.get((finding.deployment, finding.source.role or ""), EPHEMERAL)


def _documented(run: _Run) -> Callable[[Finding], IntervalSet]:
    """For a finding of an exclusive flow, the peers that may stay.

    Those that its document lets in; where only public addresses are judged (strictness `internet`, no project file),
    everyone private as well.
    """
    from lint.packs.model import active_flows
    from lint.space.addresses import PRIVATE
    from lint.space.intervals import EMPTY
    from lint.verdict.documented import documented

    project = run.request.project
    deployments = {d.name: d for d in project.deployments} if project is not None else {}
    bindings = {binding.deployment: dict(binding.roles) for binding in run.judgement.bindings}
    known: dict[tuple[str, str], IntervalSet] = {}

    def of(finding: Finding) -> IntervalSet:
        key = (finding.deployment, finding.flow)
        if key not in known:
            known[key] = found(finding)
        return known[key]

    def found(finding: Finding) -> IntervalSet:
        if finding.kind != "exclusive":
            return EMPTY
        deployment, pack = deployments.get(finding.deployment), run.packs.get(finding.pack)
        if deployment is None or pack is None:
            return PRIVATE if project is None else EMPTY
        flows = active_flows(pack, deployment.variants, deployment.phase)
        flow = next((f for f in flows if f.id == finding.flow), None)
        if flow is None:
            return EMPTY
        peers = documented(run.loaded.graph, bindings[finding.deployment], flow.sources).must
        return peers | PRIVATE if deployment.strictness == "internet" else peers

    return of


def fatal(problems: Sequence[Problem]) -> bool:
    """Whether a message among these ends the run with status 2."""
    return any(problem.severity == "error" for problem in problems)
