"""From what a user names as SOURCE to one rule graph: recognises, reads, lowers and merges. Knows no flow and no verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lint.origin import Origin, Reason

if TYPE_CHECKING:
    from lint.graph.graph import RuleGraph
    from lint.terraform.evaluate import Options as TerraformOptions
    from lint.terraform.resources import Evaluation

KINDS = ("terraform", "plan", "state", "dump", "snapshot", "aws", "azure")
LIVE = ("aws", "azure")


class SourceError(Exception):
    """A source that can't be used at all: what, where and what to do, in one message."""

    def __init__(self, text: str, remedy: str | None = None) -> None:
        super().__init__(f"{text}; {remedy}" if remedy else text)


@dataclass(frozen=True, slots=True)
class Problem:
    """A message to a person about a source. `severity`: "error" (the run ends with status 2), "incomplete" or "warning"."""

    severity: str
    text: str
    origin: Origin | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What the report says of one source: how much there was and how much was evaluated. `coverage` is plain JSON."""

    source: str
    kind: str
    complete: bool
    notes: tuple[str, ...]
    coverage: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TerraformRoot:
    """One evaluated root module, kept so that a fix can be tried on it. `directory` is where it lies."""

    directory: Path
    evaluation: Evaluation
    options: TerraformOptions


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to read sources. `transparent` next hops and `service_tags` files come from the project file."""

    variables: tuple[tuple[str, str], ...] = ()
    var_files: tuple[Path, ...] = ()
    workspace: str = "default"
    transparent: tuple[str, ...] = ()
    service_tags: tuple[Path, ...] = ()
    prefix_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    live: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything the sources gave: one graph, and what must be said about reading it.

    `base` is the directory that every `Origin.file` is relative to.
    """

    graph: RuleGraph
    reports: tuple[SourceReport, ...]
    problems: tuple[Problem, ...]
    roots: tuple[TerraformRoot, ...]
    base: Path


@dataclass(frozen=True, slots=True)
class Source:
    """One SOURCE argument, recognised. `path` is None for a live account; then `scope` is what stands behind the colon."""

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
        return Source(text, head, path)
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
        return "terraform" if _has_configuration(path) or not _has_json(path) else "dump"
    if path.name.endswith((".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars")):
        return "terraform"
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}") from error
    if start == b"\x28\xb5\x2f\xfd":  # Zstandard's magic number
        return "snapshot"
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


def _has_configuration(directory: Path) -> bool:
    from lint.terraform.roots import find_roots

    return bool(find_roots(directory).directories)


def _has_json(directory: Path) -> bool:
    return next(directory.rglob("*.json"), None) is not None


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


def reasons_of(problems: Sequence[Problem]) -> tuple[Reason, ...]:
    """The problems that leave a graph incomplete, as reasons for its unknowns."""
    return tuple(
        Reason(p.text, "source.incomplete", p.origin, p.remedy) for p in problems if p.severity != "warning"
    )
