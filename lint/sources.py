"""From what a user names as SOURCE to one rule graph: recognises, reads, lowers, merges. Knows no flow, no verdict."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lint.origin import Origin, Problem, Reason

if TYPE_CHECKING:
    from lint.graph.graph import RuleGraph
    from lint.live.options import LiveOptions
    from lint.live.snapshot import Snapshot
    from lint.terraform.configuration import ParseCache
    from lint.terraform.options import Options as TerraformOptions
    from lint.terraform.resources import Evaluation

KINDS = ("terraform", "plan", "state", "dump", "snapshot", "aws", "azure")
LIVE = ("aws", "azure")


class SourceError(Exception):
    """A source that can't be used at all: what, where and what to do, in one message."""

    def __init__(self, text: str, remedy: str | None = None) -> None:
        super().__init__(f"{text}; {remedy}" if remedy else text)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What the report says of one source: how much there was and how much was evaluated. `coverage` is plain JSON."""

    source: str
    kind: str
    complete: bool
    notes: tuple[str, ...]
    coverage: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to read sources. `command_line` holds --var as (name, text) and --var-file as a path, in their order.

    `transparent` next hops, `service_tags` files and `prefix_lists` come from the project file. `overlay` puts
    contents in the place of
    files (by absolute path), to judge an edit that isn't written.
    """

    command_line: tuple[tuple[str, str] | Path, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    workspace: str = "default"
    transparent: tuple[str, ...] = ()
    service_tags: tuple[Path, ...] = ()
    prefix_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    overlay: Mapping[Path, bytes] = field(default_factory=dict)
    project: Path | None = None  # the project file's folder
    live: LiveOptions | None = None  # None: the defaults


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything the sources gave: one graph, and what must be said about reading it.

    `base` is the directory that every `Origin.file` is relative to. `failed` are those of the problems that tell of a
    failed call of a live account.
    """

    graph: RuleGraph
    reports: tuple[SourceReport, ...]
    problems: tuple[Problem, ...]
    evaluations: tuple[Evaluation, ...]
    base: Path
    failed: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One SOURCE argument, recognised. For a live account `path` is None and `scope` what stands behind the colon."""

    text: str
    kind: str
    path: Path | None
    scope: tuple[str, ...] = ()


def parse(text: str) -> Source:
    """Recognise one SOURCE argument by its prefix or by its content. Raises SourceError."""
    head, colon, rest = text.partition(":")
    if colon and head in KINDS:
        if head in LIVE:
            return Source(text, head, None, tuple(part for part in rest.split(",") if part))
        path = Path(rest or ".")
        _must_exist(path, text)
        if head in ("plan", "state", "snapshot") and path.is_dir():
            wrote = "netpact snapshot" if head == "snapshot" else "terraform show -json"
            raise SourceError(f"{text} is a directory", f"name the file that `{wrote}` wrote")
        return Source(text, head, path)
    if not text.strip():
        raise SourceError("a SOURCE is empty", "name a directory or file; `.` is the current folder")
    path = Path(text)
    _must_exist(path, text)
    return Source(text, _recognise(path), path)


def _must_exist(path: Path, text: str) -> None:
    if not path.exists():
        kinds = ", ".join(f"{kind}:" for kind in KINDS)
        raise SourceError(
            f"there is no file or directory {text!r}",
            f"name a Terraform directory, a plan, state or dump file, or use one of {kinds}",
        )


def _recognise(path: Path) -> str:
    if path.is_dir():
        from lint.terraform.roots import has_configuration_below

        return "terraform" if has_configuration_below(path) or not _has_json(path) else "dump"
    if path.name.endswith((".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars")):
        return "terraform"
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}") from error
    if start.startswith((b"\x28\xb5\x2f\xfd", b"\x1f\x8b")):  # Zstandard's and gzip's magic numbers
        return "snapshot"
    if start.startswith(b"PK\x03\x04"):  # a plan as `terraform plan -out` writes it: a zip archive
        return "plan"
    document = _read_json(path)
    if isinstance(document, dict):
        if "netpact_snapshot" in document:
            return "snapshot"
        if "planned_values" in document or "resource_changes" in document:
            return "plan"
        if "terraform_version" in document or ("version" in document and "serial" in document):
            return "state"
        if "format_version" in document and "values" in document:
            return "state"
    return "dump"


def _has_json(directory: Path) -> bool:
    return any(next(directory.rglob(f"*{end}"), None) is not None for end in (".json", ".jsonl", ".ndjson"))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}") from error
    except RecursionError as error:
        raise SourceError(f"{path} is nested too deeply to be a plan, state or dump") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is not UTF-8 text (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}",
            "give a Terraform directory, the output of `terraform show -json`, or a raw dump",
        ) from error


def load(
    sources: Sequence[Source],
    options: LoadOptions,
    cache: ParseCache | None = None,
    kept: dict[Source, Any] | None = None,
) -> Loaded:
    """Read all sources into one graph. Raises SourceError where one can't be used at all.

    `kept` holds what was read of sources that no overlay changes (all but Terraform directories) from one call to the
    next with the same options: a live account is scanned once.
    """
    from lint.graph.merge import merge

    base = _base(sources)
    read = []
    for source in sources:
        one: _Read | None = kept.get(source) if kept is not None else None
        if one is None:
            one = _read(source, options, base, cache)
            if kept is not None and source.kind != "terraform":
                kept[source] = one
        read.append(one)
    evaluations = tuple(e for one in read for e in one.evaluations)
    graphs = [graph for one in read for graph in one.graphs]
    lowered = _lowered(evaluations, options)
    graphs += lowered
    problems = tuple(p for one in read for p in one.problems)
    graph = merge(graphs)
    incomplete = tuple(reason for one in read for reason in _unread(one, base))
    if incomplete:
        graph = replace(graph, incomplete=tuple(dict.fromkeys((*graph.incomplete, *incomplete))))
    reports = _noted([one.report for one in read], [note for one in lowered for note in one.notes])
    failed = tuple(p for one in read for p in one.failed)
    return Loaded(graph, reports, problems, evaluations, base, failed)


def _noted(reports: list[SourceReport], notes: list[str]) -> tuple[SourceReport, ...]:
    """The reports with what lowering Terraform said.

    Plans, states and configurations are lowered together, so it stands with the first of them.
    """
    at = next((n for n, one in enumerate(reports) if one.kind in ("terraform", "plan", "state")), None)
    if at is not None:
        reports[at] = replace(reports[at], notes=(*reports[at].notes, *dict.fromkeys(notes)))
    return tuple(reports)


@dataclass(frozen=True, slots=True)
class _Read:
    report: SourceReport
    problems: tuple[Problem, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    graphs: tuple[RuleGraph, ...] = ()
    failed: tuple[Problem, ...] = ()  # calls of a live account, among the problems


def _base(sources: Sequence[Source]) -> Path:
    """The directory that origins are relative to: the source's own where there is one, else what all have in common."""
    folders = [s.path if s.path.is_dir() else s.path.parent for s in sources if s.path is not None]
    if not folders:
        return Path()
    if len(folders) == 1:
        return folders[0]
    return Path(os.path.commonpath([folder.resolve() for folder in folders]))


def _read(source: Source, options: LoadOptions, base: Path, cache: ParseCache | None) -> _Read:
    if source.path is None:
        return _live(source, options)
    if source.kind == "terraform":
        return _terraform(source, source.path, options, base, cache)
    if source.kind in ("plan", "state"):
        return _json(source, source.path, options, base, cache)
    if source.kind == "snapshot":
        from lint.live.snapshot import read

        return _collected(source, read(source.path), options)
    return _dump(source, source.path, options)


def _terraform(source: Source, path: Path, options: LoadOptions, base: Path, cache: ParseCache | None) -> _Read:
    from lint.terraform.evaluate import evaluate_root
    from lint.terraform.roots import find_roots

    directory = path if path.is_dir() else path.parent
    roots = find_roots(directory, cache, base)
    if not roots.directories:
        raise SourceError(
            f"no Terraform configuration below {directory}", "name a directory with .tf, .tf.json or .tofu files"
        )
    chosen = _terraform_options(options, base)
    evaluations = tuple(evaluate_root(root, chosen, overlay=options.overlay, cache=cache) for root in roots.directories)
    return _evaluated(source, evaluations)


def _terraform_options(options: LoadOptions, base: Path) -> TerraformOptions:
    from lint.terraform.options import Options

    return Options(
        command_line=options.command_line,
        environ=options.environ,
        workspace=options.workspace,
        base=base,
        boundary=_boundary(base, options.project),
    )


def _boundary(base: Path, project: Path | None) -> Path:
    """Outside of which folder no file is read: the repository's root.

    Without a repository, the outermost of the source's folder and of those of the current and the project file's
    folder that hold it.
    """
    from lint.terraform.files import repository_root

    source = base.resolve()
    root = repository_root(source)
    if (root / ".git").exists():
        return root
    holding = [folder.resolve() for folder in (Path.cwd(), project or Path.cwd())]
    return min((f for f in [source, *holding] if source.is_relative_to(f)), key=lambda f: len(f.parts))


def _json(source: Source, path: Path, options: LoadOptions, base: Path, cache: ParseCache | None) -> _Read:
    from lint.terraform.plan import read_plan
    from lint.terraform.state import read_state

    data = path.read_bytes()
    beside = path.parent
    configured = has_configuration(beside)
    chosen = _terraform_options(options, base)
    if source.kind == "plan":
        evaluation = read_plan(data, path.name, beside if configured else None, chosen, cache)
    else:
        evaluation = read_state(data, path.name, beside if configured else None, chosen, cache)
    return _evaluated(source, (evaluation,))


def has_configuration(directory: Path) -> bool:
    """Whether Terraform files lie in this very directory."""
    return any(any(directory.glob(pattern)) for pattern in ("*.tf", "*.tf.json", "*.tofu"))


def _evaluated(source: Source, evaluations: tuple[Evaluation, ...]) -> _Read:
    problems = tuple(Problem(d.severity, d.text, d.origin, d.remedy) for e in evaluations for d in e.diagnostics)
    types = [r.type for e in evaluations for r in e.resources]
    modelled = _modelled_types(types)
    coverage = {
        "files": sum(e.coverage.files for e in evaluations),
        "modules": {
            "called": sum(e.coverage.modules_called for e in evaluations),
            "evaluated": sum(e.coverage.modules_evaluated for e in evaluations),
        },
        "resources": {"seen": len(types), "modelled": sum(1 for kind in types if kind in modelled)},
        "unknown": sum(e.coverage.unknown for e in evaluations),
    }
    complete = all(e.complete for e in evaluations)
    notes = tuple(f"root module {e.root}" for e in evaluations) if len(evaluations) > 1 else ()
    return _Read(SourceReport(source.text, source.kind, complete, notes, coverage), problems, evaluations)


def _clouds(types: Iterable[str]) -> set[str]:
    heads = {kind.partition("_")[0] for kind in types}
    return {cloud for cloud, own in (("aws", {"aws"}), ("azure", {"azurerm", "azapi"})) if heads & own}


def _modelled_types(types: Sequence[str]) -> frozenset[str]:
    modelled: frozenset[str] = frozenset()
    for cloud in _clouds(types):
        if cloud == "aws":
            from lint import aws

            modelled |= aws.MODELLED_TYPES
        else:
            from lint import azure

            modelled |= azure.MODELLED_TYPES
    return modelled


def _lowered(evaluations: Sequence[Evaluation], options: LoadOptions) -> list[RuleGraph]:
    graphs = []
    clouds = _clouds(r.type for e in evaluations for r in e.resources)
    if "aws" in clouds:
        from lint import aws

        graphs.append(
            aws.graph_from_terraform(evaluations, transparent=options.transparent, prefix_lists=options.prefix_lists)
        )
    if "azure" in clouds:
        from lint import azure

        graphs.append(
            azure.graph_from_terraform(
                evaluations, transparent=options.transparent, service_tags=_service_tags(options)
            )
        )
    return graphs


def _service_tags(options: LoadOptions) -> list[Any]:
    """The service tag files that the project names, as Azure publishes them."""
    return [_read_json(path) for path in options.service_tags]


def _dump(source: Source, path: Path, options: LoadOptions) -> _Read:
    from lint import aws
    from lint.aws.from_api import load_dump
    from lint.azure.from_api import is_dump
    from lint.azure.from_api import load_dump as load_azure

    found, more = load_azure(path, azure_only=True)
    theirs = [d for d in found if is_dump(d.data)]
    more += tuple(_packed(path))
    own = {d.file for d in theirs}
    heard = own | {r.origin.file for r in more if r.origin is not None}
    documents, said = load_dump(path)
    documents = tuple(d for d in documents if d.path not in own)
    problems = [
        Problem(p.severity, p.text, p.origin, p.remedy) for p in said if p.origin is None or p.origin.file not in heard
    ]
    graphs = (
        [aws.graph_from_documents(documents, transparent=options.transparent, prefix_lists=options.prefix_lists)]
        if documents
        else []
    )
    things = [document.resources() for document in documents]
    if theirs:
        problems = [p for p in problems if p.severity != "error"]
    problems += [Problem("incomplete", r.text, r.origin, r.remedy) for r in more]
    if theirs:
        from lint import azure

        graphs.append(
            azure.graph_from_documents(theirs, transparent=options.transparent, service_tags=_service_tags(options))
        )
        things += [document.resources() for document in theirs]
    if not graphs:  # nothing of it could be read: not a source with gaps, but none
        problems = [replace(p, severity="error") if p.severity == "incomplete" else p for p in problems]
    coverage = {
        "files": _count_json(path),
        "modules": {"called": 0, "evaluated": 0},
        "resources": {"seen": sum(things), "modelled": sum(things)},
        "unknown": 0,
    }
    complete = not any(p.severity in ("error", "incomplete") for p in problems)
    notes = tuple(note for graph in graphs for note in graph.notes)
    return _Read(SourceReport(source.text, source.kind, complete, notes, coverage), tuple(problems), (), tuple(graphs))


def _packed(path: Path) -> Iterable[Reason]:
    """What lies in a dump's folder in a form that isn't read: it may hold anything."""
    for file in sorted(path.rglob("*.json.*")) if path.is_dir() else ():
        if file.suffix.lower() in (".gz", ".zst", ".bz2", ".xz", ".zip") and file.is_file():
            shown = file.relative_to(path).as_posix()
            yield Reason(
                f"{shown} is compressed and was not read", "source.incomplete", Origin(file=shown), "unpack it"
            )


def _count_json(path: Path) -> int:
    return sum(1 for _ in path.rglob("*.json")) if path.is_dir() else 1


def _live(source: Source, options: LoadOptions) -> _Read:
    from importlib import import_module

    from lint.live.options import LiveOptions

    collect = import_module(f"lint.{source.kind}.collect").collect
    return _collected(source, collect(source.scope, options.live or LiveOptions()), options)


def keep(source: Source, output: Path, options: LiveOptions) -> Snapshot:
    """Scan a live account and write its snapshot to a file. Raises LiveError and SourceError.

    While the scan runs, its answers lie beside the file, for `options.resume`.
    """
    from importlib import import_module

    from lint.live.scan import finish, work_file
    from lint.live.snapshot import check_target, write

    if source.path is not None:
        raise SourceError(f"{source.text} is no live account", "name one: aws:, aws:eu-west-1 or azure:")
    check_target(output)
    work = work_file(output)
    snapshot: Snapshot = import_module(f"lint.{source.kind}.collect").collect(source.scope, replace(options, work=work))
    write(snapshot, output)
    finish(work, snapshot)
    return snapshot


def _collected(source: Source, snapshot: Snapshot, options: LoadOptions) -> _Read:
    """A live account's answers, just collected or kept in a file: the two are read the same way."""
    from importlib import import_module

    if snapshot.cloud not in LIVE:
        raise SourceError(f"{source.text} is a snapshot of {snapshot.cloud!r}, an unknown cloud", "update netpact")
    room = import_module(f"lint.{snapshot.cloud}.collect")
    graph: RuleGraph = room.graph_of(snapshot, transparent=options.transparent, service_tags=_service_tags(options))
    failures = snapshot.failures()
    problems = tuple(
        Problem(
            "warning",
            f"{answer.call.where()}: {answer.call.what()} {answer.status}: {answer.error}",
            None,
            "what depends on it is undetermined",
        )
        for answer in failures
    )
    held = (graph.endpoints, graph.filters, graph.networks, graph.subnets, graph.route_tables)
    things = sum(len(mapping) for mapping in held)
    coverage = {
        "files": 0,
        "modules": {"called": 0, "evaluated": 0},
        "resources": {"seen": things, "modelled": things},
        "unknown": 0,
        **snapshot.coverage(),
    }
    report = SourceReport(source.text, source.kind, not failures, graph.notes, coverage)
    return _Read(report, problems, (), (graph,), problems)


def _unread(read: _Read, base: Path) -> Iterator[Reason]:
    """The problems that leave a graph incomplete, as reasons for its unknowns, each with the root that it is of."""
    for evaluation in read.evaluations:
        for one in evaluation.diagnostics:
            if one.severity != "warning":
                yield Reason(one.text, "source.incomplete", one.origin, one.remedy, _folder(evaluation, base))
    for problem in () if read.evaluations else read.problems:
        if problem.severity != "warning":
            yield Reason(problem.text, "source.incomplete", problem.origin, problem.remedy)


def _folder(evaluation: Evaluation, base: Path) -> str | None:
    """The folder of a root relative to the base, as origins have it; None of a plan or state, which says no folder."""
    if evaluation.kind != "terraform":
        return None
    relative = Path(os.path.relpath(Path(evaluation.root).resolve(), base.resolve())).as_posix()
    return "" if relative == "." else relative


def reasons_of_calls(loaded: Loaded) -> tuple[Reason, ...]:
    """The calls of live accounts that failed, as reasons: nothing can be said of what they would have told."""
    return tuple(Reason(problem.text, "source.incomplete") for problem in loaded.failed)
