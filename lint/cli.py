"""The command line: reads arguments, wires the rooms together, turns every mistake into one message and an exit status.

Exit status: 0 nothing to report; 1 findings at or above --fail-on; 2 netpact could not do what was asked.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lint.version import __version__

if TYPE_CHECKING:
    from lint.project import Project
    from lint.report.document import CheckReport
    from lint.sources import Loaded
    from lint.verdict.finding import Finding

CLEAN, FINDINGS, FAILED = 0, 1, 2

FORMATS = ("text", "json")
_ENDINGS = {".json": "json", ".txt": "text"}


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
            f"internal error: {name}: {error}; this is a bug of netpact: please report it with the output of the same command "
            "and NETPACT_DEBUG=1 set"
        )


def _fail(message: str) -> int:
    from lint.report.style import printable, style_for

    style = style_for(sys.stderr)
    lines = [printable(line) for line in message.split("\n")]
    print(f"{style.paint('error:', 'red', 'bold')} " + "\n".join(lines), file=sys.stderr)
    return FAILED


# --- arguments -------------------------------------------------------------------------------------------------------


class _Outputs(argparse.Action):
    """Collects --format and --output in the order in which they stand: an --output belongs to the --format before it."""

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


def _parser() -> _Parser:
    parser = _Parser(
        prog="netpact",
        description="Does our network keep the vendor's contract? Proves documented network flows against Terraform, AWS and Azure.",
    )
    parser.add_argument("--version", action="version", version=f"netpact {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    check = commands.add_parser("check", help="judge the project's deployments")
    check.add_argument("sources", nargs="*", metavar="SOURCE")
    _terraform_arguments(check)
    _judging_arguments(check)
    _output_arguments(check, FORMATS)
    check.add_argument("--no-fix", action="store_true", help="don't look for fixes")
    check.add_argument("-v", "--verbose", action="store_true", help="list satisfied flows as well")
    check.add_argument("--if-staged", action="store_true", help="do nothing where git has nothing relevant staged")
    check.set_defaults(command=_check)

    packs = commands.add_parser("packs", help="list, show, validate and test packs")
    packs.add_argument("action", choices=("list", "show", "validate", "test"))
    packs.add_argument("names", nargs="*", metavar="PACK|FILE")
    packs.add_argument("--config", metavar="FILE", help="project file whose own packs count too")
    packs.add_argument("--if-staged", action="store_true", help=argparse.SUPPRESS)
    _output_arguments(packs, ("text", "json"))
    packs.set_defaults(command=_packs)
    return parser


def _terraform_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--var", action="append", default=[], metavar="NAME=VALUE", help="a Terraform variable")
    parser.add_argument("--var-file", action="append", default=[], metavar="FILE", help="a tfvars file")
    parser.add_argument("--workspace", default="default", help="what terraform.workspace is")
    parser.add_argument("--config", metavar="FILE", help="project file (default: netpact.yaml, looked for upwards)")


def _judging_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pack", action="append", default=[], metavar="PACK", help="judge without a project file")
    parser.add_argument("--fail-on", choices=("violated", "undetermined", "never"), default="violated")
    parser.add_argument("--only", action="append", default=[], metavar="FLOW", help="flows to report (glob, repeatable)")
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
    outputs = _outputs(options)
    project = _project(options)
    loaded = _load(options, project)
    report = _judge(options, project, loaded)
    for kind, file in outputs:
        _write(_rendered(report, kind, file, options), file)
    return _status(report, options.fail_on)


def _project(options: argparse.Namespace) -> Project | None:
    from lint import project

    if options.config:
        return project.load(Path(options.config))
    if options.pack:
        return None
    first = next((Path(s) for s in getattr(options, "sources", []) if Path(s).exists()), Path())
    found = project.find(first if first.is_dir() else first.parent, Path.cwd())
    return project.load(found) if found is not None else None


def _load(options: argparse.Namespace, project: Project | None) -> Loaded:
    from lint.sources import LoadOptions, load

    texts = list(options.sources)
    if not texts and project is not None:
        texts = list(project.sources)
    return load(texts or ["."], LoadOptions.from_arguments(options, project))


def _judge(options: argparse.Namespace, project: Project | None, loaded: Loaded) -> CheckReport:
    from lint.report.document import CheckReport
    from lint.verdict.run import judge_loaded

    judged = judge_loaded(loaded, project, packs=options.pack, sources=options.sources, fixes=not options.no_fix)
    findings = tuple(f for f in judged.findings if _wanted(f, options.only, options.skip))
    return CheckReport(__version__, loaded.reports, findings, loaded.problems + judged.problems, loaded.base)


def _wanted(finding: Finding, only: Sequence[str], skip: Sequence[str]) -> bool:
    names = (finding.flow, finding.id)
    if only and not any(fnmatchcase(name, glob) for name in names for glob in only):
        return False
    return not any(fnmatchcase(name, glob) for name in names for glob in skip)


def _rendered(report: CheckReport, kind: str, file: Path | None, options: argparse.Namespace) -> str:
    if kind == "json":
        from lint.report.json import render_check

        return render_check(report)
    from lint.report.style import Style, style_for
    from lint.report.text import render

    style = style_for(sys.stdout) if file is None else Style(colour=False)
    return render(report, style, verbose=options.verbose)


def _status(report: CheckReport, fail_on: str) -> int:
    if any(problem.severity == "error" for problem in report.problems):
        return FAILED
    if fail_on == "never":
        return CLEAN
    bad = {"violated"} if fail_on == "violated" else {"violated", "undetermined"}
    return FINDINGS if any(f.verdict in bad and f.severity != "note" for f in report.findings) else CLEAN
