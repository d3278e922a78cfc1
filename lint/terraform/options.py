"""What a person chooses about an evaluation: variable values, workspace, and how far files may be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lint.terraform.values import Value

DataEvaluator = Callable[[Mapping[str, Value]], Mapping[str, Value]]
"""From the arguments of a data source to what it would return, where nothing but the arguments decides that."""


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one evaluation.

    `command_line` holds `--var` as (name, text) and `--var-file` as a path, in the order in which they were given,
    since the later one wins. `var_files` and `variables` are for callers to whom that order doesn't matter: they are
    taken before `command_line`, files first. `environ` is where `TF_VAR_name` is looked up; nothing else of it is read
    but `TF_DATA_DIR`. `boundary` is the folder outside of which no file is read; None: the repository's root, or the
    source's directory where there is no repository. `base` is the folder to which file names in origins are relative;
    None: the root module's own. With one base, several roots share what was parsed.
    """

    variables: tuple[tuple[str, str], ...] = ()
    var_files: tuple[Path, ...] = ()
    command_line: tuple[tuple[str, str] | Path, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    workspace: str = "default"
    boundary: Path | None = None
    base: Path | None = None
    data_evaluators: Mapping[str, DataEvaluator] = field(default_factory=dict)

    def given(self) -> tuple[tuple[str, str] | Path, ...]:
        """All values given on the command line, weakest first."""
        return (*self.var_files, *self.variables, *self.command_line)
