"""The command line: reads arguments, wires the rooms together, turns every mistake into one message and an exit status.

Exit status: 0 nothing to report; 1 findings at or above --fail-on; 2 netpact could not do what was asked.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lint.version import __version__

if TYPE_CHECKING:
    from lint.check import Request
    from lint.graph.graph import RuleGraph
    from lint.live.options import LiveOptions
    from lint.project.model import Project
    from lint.report.document import CheckReport
    from lint.sources import Loaded, LoadOptions

CLEAN, FINDINGS, FAILED = 0, 1, 2

FORMATS = ("text", "json", "sarif", "junit", "github", "markdown", "html", "csv")
_ENDINGS = {
    ".json": "json",
    ".txt": "text",
    ".sarif": "sarif",
    ".xml": "junit",
    ".md": "markdown",
    ".html": "html",
    ".csv": "csv",
}


class UsageError(Exception):
    """Arguments that can't be carried out, in a sentence."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().strip()}")


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit status. Never raises for a user's or a source's mistake."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # A run is short, and makes values by the hundred thousand with hardly a cycle among them: looking for cycles after
    # every 700 of them, as Python does, takes a quarter of its time.
    gc.set_threshold(10_000, 50, 100)
    try:
        options = _parser().parse_args(list(arguments))
        return int(options.command(options))
    except UsageError as error:
        return _fail(str(error))
    except BrokenPipeError:
        # The reader went away (`| head`): not our mistake, and nobody is there to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLEAN
    except KeyboardInterrupt:
        return _fail("interrupted")
    except Exception as error:
        if os.environ.get("NETPACT_DEBUG"):
            raise
        if type(error).__module__.startswith("lint."):
            return _fail(str(error))
        name = type(error).__name__
        return _fail(
            f"internal error: {name}: {error}; this is a bug of netpact: please report it with the output of the same "
            "command and NETPACT_DEBUG=1 set"
        )


def _fail(message: str) -> int:
    from lint.report.style import printable, style_for

    style = style_for(sys.stderr)
    lines = [printable(line) for line in message.split("\n")]
    print(f"{style.paint('error:', 'red', 'bold')} " + "\n".join(lines), file=sys.stderr)
    return FAILED


# --- arguments -------------------------------------------------------------------------------------------------------


class _Outputs(argparse.Action):
    """Collects --format and --output as they stand: an --output belongs to the --format before it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        wanted: list[tuple[str | None, str | None]] = list(getattr(namespace, "outputs", None) or [])
        if option in ("-f", "--format"):
            wanted.append((values, None))
        elif wanted and wanted[-1][0] is not None and wanted[-1][1] is None:
            wanted[-1] = (wanted[-1][0], values)
        else:
            wanted.append((None, values))
        namespace.outputs = wanted


class _Variables(argparse.Action):
    """Collects --var and --var-file in their order, since the later one wins."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        given: list[tuple[str, str] | Path] = list(getattr(namespace, "variables", None) or [])
        if option == "--var":
            name, equals, text = str(values).partition("=")
            if not equals or not name:
                raise UsageError(f"--var {values}: expected NAME=VALUE")
            given.append((name.strip(), text))
        else:
            given.append(Path(values))
        namespace.variables = given


def _parser() -> _Parser:
    parser = _Parser(
        prog="netpact",
        description="Does our network keep the vendor's contract? "
        "Proves documented network flows against Terraform, AWS and Azure.",
    )
    parser.add_argument("--version", action="version", version=f"netpact {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    check = commands.add_parser("check", help="judge the project's deployments")
    check.add_argument("sources", nargs="*", metavar="SOURCE")
    _source_arguments(check)
    _judging_arguments(check)
    _output_arguments(check, FORMATS)
    check.add_argument("--no-fix", action="store_true", help="don't look for fixes")
    check.add_argument("-v", "--verbose", action="store_true", help="show every finding in full, satisfied ones too")
    check.add_argument("--if-staged", action="store_true", help="do nothing where git has nothing relevant staged")
    check.set_defaults(command=_check)

    trace = commands.add_parser("trace", help="explain one connection, hop by hop")
    trace.add_argument("sources", nargs="*", metavar="SOURCE")
    trace.add_argument("--from", dest="start", required=True, metavar="A", help="endpoint, address, CIDR or internet")
    trace.add_argument("--to", dest="end", required=True, metavar="B")
    trace.add_argument("--service", metavar="SERVICE", help="such as tcp/22; default: everything")
    _source_arguments(trace)
    _output_arguments(trace, ("text", "json", "dot"))
    trace.set_defaults(command=_trace)

    atlas = commands.add_parser("map", help="who can reach whom")
    atlas.add_argument("sources", nargs="*", metavar="SOURCE")
    _source_arguments(atlas)
    _output_arguments(atlas, ("text", "json", "dot", "html"))
    atlas.set_defaults(command=_map)

    diff = commands.add_parser("diff", help="what reachability changed between two sources")
    diff.add_argument("old", metavar="OLD")
    diff.add_argument("new", metavar="NEW")
    diff.add_argument("--fail-on", choices=("opened", "closed", "any", "never"), default="opened")
    _source_arguments(diff)
    _output_arguments(diff, ("text", "json", "markdown"))
    diff.set_defaults(command=_diff)

    snapshot = commands.add_parser(
        "snapshot", help="keep a live account's raw answers as evidence; the file is a source"
    )
    snapshot.add_argument(
        "source", metavar="SOURCE", help="aws: or azure:, with regions or subscriptions behind the colon"
    )
    snapshot.add_argument("-o", "--output", metavar="FILE", required=True, help="such as audit.json.zst")
    _source_arguments(snapshot)
    snapshot.set_defaults(command=_snapshot)

    show = commands.add_parser("show", help="the rule graph itself")
    show.add_argument("sources", nargs="*", metavar="SOURCE")
    _source_arguments(show)
    _output_arguments(show, ("text", "json"))
    show.set_defaults(command=_show)

    fix = commands.add_parser("fix", help="print the patch that mends what can be mended; --write applies it")
    fix.add_argument("sources", nargs="*", metavar="SOURCE")
    fix.add_argument("--write", action="store_true", help="apply the patch to the files")
    _source_arguments(fix)
    _judging_arguments(fix)
    fix.set_defaults(command=_fix)

    init = commands.add_parser("init", help="propose a netpact.yaml from names, tags and open ports")
    init.add_argument("sources", nargs="*", metavar="SOURCE")
    init.add_argument("--pack", action="append", default=[], metavar="PACK", help="apply this pack in any case")
    init.add_argument("-o", "--output", metavar="FILE", help="write the file instead of printing it")
    init.add_argument("--force", action="store_true", help="overwrite FILE where it exists")
    _source_arguments(init)
    init.set_defaults(command=_init)

    console = commands.add_parser("console", help="evaluate Terraform expressions from standard input, one a line")
    console.add_argument("directory", nargs="?", metavar="DIR")
    _terraform_arguments(console)
    console.set_defaults(command=_console)

    packs = commands.add_parser("packs", help="list, show, validate and test packs")
    packs.add_argument("action", choices=("list", "show", "validate", "test"))
    packs.add_argument("names", nargs="*", metavar="PACK|FILE")
    packs.add_argument("--config", metavar="FILE", help="project file whose own packs count too")
    packs.add_argument("--if-staged", action="store_true", help=argparse.SUPPRESS)
    _output_arguments(packs, ("text", "json"))
    packs.set_defaults(command=_packs)
    return parser


def _source_arguments(parser: argparse.ArgumentParser) -> None:
    """How sources of every kind are read."""
    from lint.live.arguments import add

    _terraform_arguments(parser)
    add(parser)


def _terraform_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--var", action=_Variables, metavar="NAME=VALUE", dest="variables", help="a Terraform variable")
    parser.add_argument("--var-file", action=_Variables, metavar="FILE", dest="variables", help="a tfvars file")
    parser.add_argument("--workspace", default="default", help="what terraform.workspace is")
    parser.add_argument("--config", metavar="FILE", help="project file (default: netpact.yaml, looked for upwards)")


def _judging_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pack", action="append", default=[], metavar="PACK", help="judge without a project file")
    parser.add_argument("--fail-on", choices=("violated", "undetermined", "never"), default="violated")
    parser.add_argument(
        "--only", action="append", default=[], metavar="FLOW", help="flows to report (glob, repeatable)"
    )
    parser.add_argument("--skip", action="append", default=[], metavar="FLOW", help="flows not to report (glob)")


def _output_arguments(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    parser.add_argument("-f", "--format", action=_Outputs, choices=formats, dest="outputs", default=None)
    parser.add_argument("-o", "--output", action=_Outputs, metavar="FILE", dest="outputs")


def _outputs(options: argparse.Namespace) -> list[tuple[str, Path | None]]:
    wanted: list[tuple[str, Path | None]] = []
    for kind, file in options.outputs or [("text", None)]:
        if kind is None:
            kind = _ENDINGS.get(Path(file).suffix)
            if kind is None:
                raise UsageError(f"--output {file}: say which format it is with --format before it")
        wanted.append((kind, Path(file) if file and file != "-" else None))
    if sum(1 for _, file in wanted if file is None) > 1:
        raise UsageError("two formats for standard output: give each but one an --output FILE behind it")
    files = [file for _, file in wanted if file is not None]
    for file in files:
        if files.count(file) > 1:
            raise UsageError(f"--output {file}: two formats for one file; give each a file of its own")
    return wanted


def _write(text: str, file: Path | None) -> None:
    if file is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--output {file}: {error.strerror}") from error


# --- check -----------------------------------------------------------------------------------------------------------


def _check(options: argparse.Namespace) -> int:
    from lint.check import check

    outputs = _outputs(options)
    report = check(_request(options), __version__)
    for kind, file in outputs:
        _write(_rendered(report, kind, file, options), file)
    return _status(report, options.fail_on)


def _request(options: argparse.Namespace) -> Request:
    """What there is to judge: the project's deployments, or the packs that --pack names."""
    from lint.check import Request

    project = None if options.pack else _project(options)
    if project is None and not options.pack:
        raise UsageError(
            "nothing to judge: no netpact.yaml in the source, the current folder or a folder above it; write one "
            "(`netpact init` proposes it), name it with --config, or name a pack with --pack (`netpact packs list`)"
        )
    names, own = _named_packs(options)
    return Request(
        sources=tuple(options.sources),
        project=project,
        packs=names,
        config=options.config,
        own_packs=own,
        only=tuple(options.only),
        skip=tuple(options.skip),
        load=_load_options(options),
        fixes=not getattr(options, "no_fix", False),
    )


def _named_packs(options: argparse.Namespace) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """The ids of the packs that --pack names by id or file, and the files of those that aren't built in."""
    from lint.packs import builtin_files, load_file

    names: list[str] = []
    own: dict[Path, None] = {}
    for name in options.pack:
        if name not in builtin_files():
            if Path(name).is_file():
                own[Path(name)] = None
                name = load_file(Path(name), name).id
            else:
                own |= dict.fromkeys(Path(file) for file in _own_packs(options)[0])
        names.append(name)
    return tuple(dict.fromkeys(names)), tuple(own)


def _project(options: argparse.Namespace) -> Project | None:
    from lint.project import load

    found = _project_file(options)
    return load(found) if found is not None else None


def _project_file(options: argparse.Namespace) -> Path | None:
    """The file that --config names; else the one of the first source that has one; else that of the current folder."""
    from lint.project import find
    from lint.sources import parse

    if options.config:
        return Path(options.config)
    paths = [source.path for source in map(parse, getattr(options, "sources", ())) if source.path is not None]
    folders = [path if path.is_dir() else path.parent for path in paths]
    return find(folders, Path.cwd())


def _load_options(options: argparse.Namespace) -> LoadOptions:
    from lint.sources import LoadOptions

    return LoadOptions(
        command_line=tuple(options.variables or ()),
        environ=dict(os.environ),
        workspace=options.workspace,
        live=_live_options(options),
    )


def _live_options(options: argparse.Namespace) -> LiveOptions:
    """One object for the whole run: it keeps what was collected, so that nothing is scanned twice."""
    from lint.live.arguments import options_from

    made: LiveOptions | None = getattr(options, "live", None)
    if made is None:
        made = options.live = options_from(options)
    return made


def _rendered(report: CheckReport, kind: str, file: Path | None, options: argparse.Namespace) -> str:
    if kind == "text":
        from lint.report.style import Style, style_for
        from lint.report.text import render as text

        style = style_for(sys.stdout) if file is None else Style(colour=False)
        return text(report, style, verbose=options.verbose)
    import importlib

    module = importlib.import_module(f"lint.report.{_RENDERERS[kind]}")
    return str(module.render(report))


_RENDERERS = {
    "json": "json",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
    "markdown": "markdown",
    "html": "html",
    "csv": "table",
}


def _status(report: CheckReport, fail_on: str) -> int:
    if any(problem.severity == "error" for problem in report.problems):
        return FAILED
    if fail_on == "never":
        return CLEAN
    bad = {"violated"} if fail_on == "violated" else {"violated", "undetermined"}
    return FINDINGS if any(f.verdict in bad for f in report.findings) else CLEAN


# --- looking at the graph --------------------------------------------------------------------------------------------


def _graph(options: argparse.Namespace) -> RuleGraph:
    """The rule graph of the sources named, or of the project's; what is wrong with them goes to standard error."""
    return _loaded(options).graph


def _loaded(options: argparse.Namespace, *, failed_calls: bool = True) -> Loaded:
    """The sources as read. Without `failed_calls`, the report itself says which calls of live accounts failed."""
    from lint.check import Request, read
    from lint.report.style import style_for
    from lint.report.text import render_problems

    loaded = read(Request(sources=tuple(options.sources), project=_project(options), load=_load_options(options)))
    problems = tuple(p for p in loaded.problems if failed_calls or p not in loaded.failed)
    if problems:
        sys.stderr.write(render_problems(problems, loaded.base, style_for(sys.stderr)))
    options.failed = any(problem.severity == "error" for problem in loaded.problems)
    return loaded


def _trace(options: argparse.Namespace) -> int:
    from lint.reach.trace import trace
    from lint.report import trace as shown
    from lint.report.style import Style, style_for
    from lint.space.services import parse

    outputs = _outputs(options)
    try:
        service = parse(options.service) if options.service else None
    except ValueError as error:
        raise UsageError(f"--service {options.service}: {error}") from error
    graph = _graph(options)
    try:
        found = trace(graph, options.start, options.end, service)
    except ValueError as error:  # a name that is nobody's
        raise UsageError(str(error)) from error
    for kind, file in outputs:
        style = style_for(sys.stdout) if file is None else Style(colour=False)
        text = {"json": shown.render_json, "dot": shown.render_dot}.get(kind)
        _write(text(found) if text is not None else shown.render_text(found, style), file)
    return FAILED if options.failed else CLEAN


def _map(options: argparse.Namespace) -> int:
    from lint.reach.atlas import map_all
    from lint.report import map as shown
    from lint.report.map_html import render_html
    from lint.report.style import Style, style_for

    outputs = _outputs(options)
    found = map_all(_graph(options))
    for kind, file in outputs:
        style = style_for(sys.stdout) if file is None else Style(colour=False)
        text = {"json": shown.render_json, "dot": shown.render_dot, "html": render_html}.get(kind)
        _write(text(found) if text is not None else shown.render_text(found, style), file)
    return FAILED if options.failed else CLEAN


def _diff(options: argparse.Namespace) -> int:
    from lint.drift import compare
    from lint.report import diff as shown
    from lint.report.style import Style, style_for
    from lint.sources import reasons_of_calls

    outputs = _outputs(options)
    sides, failed = [], False
    for source in (options.old, options.new):
        options.sources = [source]
        sides.append(_loaded(options, failed_calls=False))
        failed = failed or options.failed
    old, new = sides
    found = compare(old.graph, new.graph, (reasons_of_calls(old), reasons_of_calls(new)))
    report = shown.DiffReport(options.old, options.new, found)
    for kind, file in outputs:
        style = style_for(sys.stdout) if file is None else Style(colour=False)
        text = {"json": shown.render_json, "markdown": shown.render_markdown}.get(kind)
        _write(text(report) if text is not None else shown.render_text(report, style), file)
    if failed:
        return FAILED
    return FINDINGS if found.asks_for_attention(options.fail_on) else CLEAN


def _show(options: argparse.Namespace) -> int:
    from lint.report.show import render_json, render_text
    from lint.report.style import Style, style_for

    outputs = _outputs(options)
    graph = _graph(options)
    for kind, file in outputs:
        style = style_for(sys.stdout) if file is None else Style(colour=False)
        _write(render_json(graph) if kind == "json" else render_text(graph, style), file)
    return FAILED if options.failed else CLEAN


def _console(options: argparse.Namespace) -> int:
    from lint.terraform.console import run as answers
    from lint.terraform.options import Options

    directory = Path(options.directory) if options.directory else None
    if directory is not None and not directory.is_dir():
        raise UsageError(f"no directory {options.directory!r}")
    chosen = Options(command_line=tuple(options.variables or ()), environ=dict(os.environ), workspace=options.workspace)
    for line in answers(directory, sys.stdin, chosen):
        print(line, flush=True)
    return CLEAN


# --- snapshot --------------------------------------------------------------------------------------------------------


def _snapshot(options: argparse.Namespace) -> int:
    from lint.report.snapshot import render_text
    from lint.report.style import style_for
    from lint.sources import keep, parse

    output = Path(options.output)
    kept = keep(parse(options.source), output, _live_options(options))
    sys.stdout.write(render_text(kept, output, style_for(sys.stdout)))
    return CLEAN if not kept.failures() else FINDINGS


# --- fix -------------------------------------------------------------------------------------------------------------


def _fix(options: argparse.Namespace) -> int:
    from lint.check import fatal, mend
    from lint.report.style import printable, style_for
    from lint.report.text import render_problems

    mended = mend(_request(options), write=options.write)
    sys.stderr.write(render_problems(mended.problems, mended.base, style_for(sys.stderr)))
    sys.stdout.write(mended.patch)
    for command in mended.commands:
        print(command)
    for line in mended.said:
        print(printable(line), file=sys.stderr)
    if fatal(mended.problems):
        return FAILED
    return FINDINGS if mended.left else CLEAN


# --- init ------------------------------------------------------------------------------------------------------------


def _init(options: argparse.Namespace) -> int:
    from lint.packs import find, load_packs
    from lint.propose import propose
    from lint.propose.proposal import relative_source

    file = Path(options.output) if options.output and options.output != "-" else None
    if file is not None and file.exists() and not options.force:
        raise UsageError(f"{file} exists already; --force overwrites it, without -o the proposal is printed")
    globs, base = _own_packs(options)
    packs = load_packs(globs, base)
    for name in options.pack:
        find(name, globs, base)
    directory = file.parent if file is not None else Path()
    sources = [relative_source(source, directory) for source in options.sources or ["."]]
    wanted, options.pack = options.pack, []
    graph = _graph(options)
    found = propose(graph, packs, sources, wanted, [os.path.relpath(glob, directory) for glob in globs])
    if not found.text:
        raise UsageError("\n".join(found.said))
    _write(found.text, file)
    for line in found.said:
        print(line, file=sys.stderr)
    return FAILED if options.failed else CLEAN


# --- packs -----------------------------------------------------------------------------------------------------------


def _packs(options: argparse.Namespace) -> int:
    outputs = _outputs(options)
    work = {"list": _packs_list, "show": _packs_show, "validate": _packs_validate, "test": _packs_test}
    status, render = work[options.action](options)
    for kind, file in outputs:
        _write(render(kind), file)
    return status


Rendered = tuple[int, Callable[[str], str]]


def _packs_list(options: argparse.Namespace) -> Rendered:
    from lint.packs import load_packs
    from lint.report.packs import list_json, list_text

    globs, base = _own_packs(options)
    packs = tuple(load_packs(globs, base).values())
    return CLEAN, lambda kind: list_json(packs) if kind == "json" else list_text(packs)


def _packs_show(options: argparse.Namespace) -> Rendered:
    from lint.packs import find
    from lint.report.packs import show_json, show_text

    if len(options.names) != 1:
        raise UsageError("packs show takes the id of one pack; `netpact packs list` lists them")
    globs, base = _own_packs(options)
    pack = find(options.names[0], globs, base)
    return CLEAN, lambda kind: show_json(pack) if kind == "json" else show_text(pack)


def _packs_validate(options: argparse.Namespace) -> Rendered:
    import json

    from lint.packs.validate import problems_of

    files = _pack_paths(options)
    problems = [problem for name, path in files.items() for problem in problems_of(path, name)]

    def render(kind: str) -> str:
        if kind == "json":
            found = [{"file": p.file, "line": p.line, "text": p.text, "remedy": p.remedy} for p in problems]
            return json.dumps({"packs": list(files), "problems": found}, indent=2) + "\n"
        fine = f"{len(files)} packs, all valid" if len(files) != 1 else "1 pack, valid"
        lines = [str(problem) for problem in problems] or [fine]
        return "\n".join(lines) + "\n"

    return (FAILED if problems else CLEAN), render


def _packs_test(options: argparse.Namespace) -> Rendered:
    from lint.report.pack_cases import render_json, render_text
    from lint.verdict.pack_cases import run_cases

    results = run_cases(_pack_paths(options))
    failed = any(not result.passed for result in results)
    return (
        FINDINGS if failed else CLEAN
    ), lambda kind: render_json(results) if kind == "json" else render_text(results)


def _own_packs(options: argparse.Namespace) -> tuple[list[str], Path]:
    """The packs of the project file, where there is one: paths, and what relative ones are relative to."""
    project = _project(options)
    return ([str(file) for file in project.packs], project.directory) if project is not None else ([], Path())


def _pack_paths(options: argparse.Namespace) -> dict[str, Path]:
    """The pack files that the arguments name, by what messages call them; without arguments, all."""
    from lint.packs import builtin_files

    builtin = builtin_files()
    if options.names and all(name in builtin or Path(name).is_file() for name in options.names):
        own = {}
    else:
        own = {os.path.relpath(file): Path(file) for file in _own_packs(options)[0]}
    if not options.names:
        return {f"rules/{name}.yaml": path for name, path in builtin.items()} | own
    ids = {_id_of(path): name for name, path in own.items()}
    chosen: dict[str, Path] = {}
    for name in options.names:
        if name in builtin:
            chosen[f"rules/{name}.yaml"] = builtin[name]
        elif Path(name).is_file():
            chosen[name] = Path(name)
        elif name in ids:
            chosen[ids[name]] = own[ids[name]]
        else:
            raise UsageError(f"no pack and no file {name!r}; `netpact packs list` lists the packs")
    return chosen


def _id_of(file: Path) -> str | None:
    """The id of a pack file; None where it is no pack, which is said when it is asked for."""
    from lint.packs import PackProblem, load_file

    try:
        return load_file(file, file.name).id
    except PackProblem:
        return None
