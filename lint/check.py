"""One run of `check`: reads the sources, judges the project, proves fixes. Wires rooms, decides nothing itself."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lint.origin import Origin
from lint.sources import Loaded, LoadOptions, Problem, Source, load, parse

if TYPE_CHECKING:
    from lint.fix.prove import Trial
    from lint.packs.model import Pack
    from lint.project.model import Project
    from lint.report.document import CheckReport
    from lint.space.intervals import IntervalSet
    from lint.terraform.configuration import ParseCache
    from lint.terraform.resources import Evaluation
    from lint.verdict.finding import Finding
    from lint.verdict.options import CommentWaiver, Judgement, JudgeOptions


MOST_FIXES = 200
"""`fix` makes so many changes at the most in one run."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for. `sources` empty: the project's, else the current folder."""

    sources: tuple[str, ...] = ()
    project: Project | None = None
    packs: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    load: LoadOptions = LoadOptions()
    fixes: bool = True
    today: datetime.date | None = None  # None: the machine's


def check(request: Request, version: str) -> CheckReport:
    """Judge the sources. Raises SourceError, PackProblem and what else can't be carried on from."""
    from lint.report.document import CheckReport
    from lint.terraform.configuration import ParseCache
    from lint.verdict.judge import judge

    project = request.project
    sources = _sources(request)
    packs = _packs(request)
    chosen = _load_options(request)
    cache = ParseCache()
    loaded = load(sources, chosen, cache)
    options = _judge_options(request, sources, loaded)
    judged = judge(loaded.graph, project, packs, options)
    findings = judged.findings
    if request.fixes and any(f.verdict == "violated" for f in findings):
        judged = _with_fixes(request, sources, chosen, cache, packs, loaded, judged)
        findings = judged.findings
    return CheckReport(version, loaded.reports, findings, loaded.problems + judged.problems, loaded.base)


def read(request: Request) -> Loaded:
    """The sources alone, for commands that judge nothing."""
    return load(_sources(request), _load_options(request))


@dataclass(frozen=True, slots=True)
class Mended:
    """What `fix` did: one patch of all proven fixes together, commands for live sources, what is left, what to say."""

    patch: str
    commands: tuple[str, ...]
    left: int
    said: tuple[str, ...]


def mend(request: Request, *, write: bool) -> Mended:
    """Fix one finding after the other, each on top of the last, until nothing more can be mended."""
    from lint.fix.edits import unified

    before: dict[Path, bytes] = {}
    overlay: dict[Path, bytes] = {}
    said: list[str] = []
    commands: list[str] = []
    report = check(request, "")
    for _ in range(MOST_FIXES):
        fixable = next((f for f in report.findings if f.verdict == "violated" and f.fix and f.fix.files), None)
        if fixable is None or fixable.fix is None:
            break
        said.append(f"{fixable.id} {fixable.service}: {fixable.fix.summary}")
        for name, data in fixable.fix.files:
            path = (report.base / name).resolve()
            if path not in before:
                before[path] = path.read_bytes()
            overlay[path] = data
        request = replace(request, load=replace(request.load, overlay=dict(overlay)))
        report = check(request, "")
    commands += [c for f in report.findings if f.verdict == "violated" and f.fix for c in f.fix.commands]
    left = sum(1 for f in report.findings if f.verdict == "violated")
    here = Path.cwd().resolve()
    names = {path: _shown(path, here) for path in overlay}
    patch = unified({names[p]: before[p] for p in overlay}, {names[p]: data for p, data in overlay.items()})
    if write:
        for path, data in overlay.items():
            path.write_bytes(data)
            said.append(f"wrote {names[path]}")
    if left:
        said.append(f"{left} violated findings have no proven fix; `netpact check` explains them")
    return Mended(patch, tuple(dict.fromkeys(commands)), left, tuple(said))


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

    own = [str(path) for path in request.project.packs] if request.project is not None else []
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
        source=" ".join(source.text for source in sources),
        comment_waivers=tuple(comment_waivers(loaded.evaluations)),
        packs=request.packs,
        only=request.only,
        skip=request.skip,
    )


_WAIVER = re.compile(r"netpact:waive\s+(?P<flow>\S+)\s+until\s+(?P<until>[^\s:]+)\s*(?::\s*(?P<reason>.*))?$")


def comment_waivers(evaluations: Sequence[Evaluation]) -> Iterator[CommentWaiver]:
    """Every `# netpact:waive FLOW until DATE: reason` of the sources' files, each once."""
    from lint.verdict.options import CommentWaiver

    seen = set()
    for evaluation in evaluations:
        for file, comments in evaluation.comments.items():
            lines = {comment.line for comment in comments}
            for comment in comments:
                match = _WAIVER.search(comment.text.strip())
                if match is None or (file, comment.line) in seen:
                    continue
                seen.add((file, comment.line))
                last = comment.line
                while last + 1 in lines:
                    last += 1
                until = match["until"]
                try:
                    date: datetime.date | None = datetime.date.fromisoformat(until)
                except ValueError:
                    date = None
                origin = Origin(file=file, line=comment.line, end_line=last)
                yield CommentWaiver(match["flow"], date, (match["reason"] or "").strip(), origin, until)


def _with_fixes(
    request: Request,
    sources: tuple[Source, ...],
    chosen: LoadOptions,
    cache: ParseCache,
    packs: Mapping[str, Pack],
    loaded: Loaded,
    judged: Judgement,
) -> Judgement:
    """The judgement with a proven fix at each violated finding for which one was found."""
    from lint.fix import aws_terraform, azure_terraform
    from lint.fix.prove import Prover, Trial
    from lint.fix.workshop import Workshop
    from lint.verdict.judge import judge

    base = loaded.base.resolve()

    def trial_of(some: Loaded, verdict: Judgement) -> Trial:
        resources = {r.address: r for e in some.evaluations for r in e.resources}
        faults = frozenset(p.text for p in (*some.problems, *verdict.problems) if p.severity != "warning")
        return Trial(some.graph, resources, verdict.findings, faults)

    def judge_with(overlay: Mapping[str, bytes]) -> Trial:
        files = dict(chosen.overlay) | {base / name: data for name, data in overlay.items()}
        some = load(sources, replace(chosen, overlay=files), cache)
        return trial_of(some, judge(some.graph, request.project, packs, _judge_options(request, sources, some)))

    start = trial_of(loaded, judged)
    changed = {
        path.relative_to(base).as_posix(): data for path, data in chosen.overlay.items() if path.is_relative_to(base)
    }
    shop = Workshop(loaded.base, loaded.graph, dict(start.resources), changed)
    prover = Prover(
        shop,
        start,
        judge_with,
        (aws_terraform.edits, azure_terraform.edits),
        _documented(request, packs, loaded, judged),
    )
    findings = tuple(
        replace(finding, fix=prover.fix(finding)) if finding.verdict == "violated" else finding
        for finding in judged.findings
    )
    return replace(judged, findings=findings)


def _documented(
    request: Request, packs: Mapping[str, Pack], loaded: Loaded, judged: Judgement
) -> Callable[[Finding], IntervalSet]:
    """For a finding of an exclusive flow, the peers that its document lets in."""
    from lint.packs.model import active_flows
    from lint.space.intervals import EMPTY
    from lint.verdict.documented import documented

    deployments = {d.name: d for d in request.project.deployments} if request.project is not None else {}
    bindings = {binding.deployment: dict(binding.roles) for binding in judged.bindings}

    def of(finding: Finding) -> IntervalSet:
        deployment, pack = deployments.get(finding.deployment), packs.get(finding.pack)
        if deployment is None or pack is None or finding.kind != "exclusive":
            return EMPTY
        flows = active_flows(pack, deployment.variants, deployment.phase)
        flow = next((f for f in flows if f.id == finding.flow), None)
        return documented(loaded.graph, bindings[finding.deployment], flow.sources).must if flow is not None else EMPTY

    return of


def fatal(problems: Sequence[Problem]) -> bool:
    """Whether a message among these ends the run with status 2."""
    return any(problem.severity == "error" for problem in problems)
