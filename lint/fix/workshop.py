"""What the makers of edits work with: the evaluated root, its files, and the graph that was lowered from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lint.fix.hcl import Source, read
from lint.graph.graph import RuleGraph
from lint.terraform.resources import Resource
from lint.terraform.syntax.problem import SyntaxProblem


@dataclass
class Workshop:
    """One root module's resources by address, and its files as they stand (`overlay` holds those changed so far).

    Files are named as origins name them, relative to `base`.
    """

    base: Path
    graph: RuleGraph
    resources: dict[str, Resource]
    overlay: dict[str, bytes] = field(default_factory=dict)
    read: Mapping[str, bytes] = field(default_factory=dict)  # files as they were read when they were judged
    values: tuple[str, ...] = ()  # files of variable values that were given
    labels: set[tuple[str, str, str]] = field(default_factory=set)  # module, type, name: given to new resources

    def free_label(self, kind: str, stem: str, module: str) -> str:
        """A name that no resource of this type has in the module, nor one that was promised before."""
        taken = {r.name for r in self.resources.values() if r.type == kind and r.module == module}
        name, number = stem, 1
        while name in taken or (module, kind, name) in self.labels:
            number += 1
            name = f"{stem}_{number}"
        self.labels.add((module, kind, name))
        return name

    def data(self, file: str) -> bytes | None:
        """The bytes of a file, with the changes made so far; None where it can't be read."""
        if file in self.overlay:
            return self.overlay[file]
        if file in self.read:
            return self.read[file]
        try:
            return (self.base / file).read_bytes()
        except OSError:
            return None

    def source(self, file: str | None) -> Source | None:
        """A file parsed for editing, or None where it isn't editable HCL text."""
        if file is None or not file.endswith((".tf", ".tofu", ".tfvars")):
            return None
        data = self.data(file)
        if data is None:
            return None
        try:
            return read(file, data)
        except SyntaxProblem:
            return None

    def inside(self, file: str) -> bool:
        """Whether a file lies in the source itself, links followed: nothing else is ever changed."""
        return (self.base / file).resolve().is_relative_to(self.base.resolve())

    def files_beside(self, file: str) -> dict[str, bytes]:
        """The HCL files of the folder in which `file` lies."""
        folder = (self.base / file).parent
        found = {}
        for path in sorted(folder.glob("*.tf")) + sorted(folder.glob("*.tofu")):
            name = (Path(file).parent / path.name).as_posix()
            data = self.data(name)
            if data is not None:
                found[name] = data
        return found

    def values_beside(self, file: str) -> list[str]:
        """The files that give the variables of the root in which `file` lies their values."""
        folder = (self.base / file).parent
        paths = [*folder.glob("terraform.tfvars"), *sorted(folder.glob("*.auto.tfvars"))]
        return [*((Path(file).parent / path.name).as_posix() for path in paths), *self.values]

    def editable(self, resource: Resource) -> bool:
        """Whether the resource stands in a file of the user's own (not in an installed module)."""
        return self.own(resource.origin.file) and self.source(resource.origin.file) is not None

    def own(self, file: str | None) -> bool:
        """Whether a file is the user's own."""
        return file is not None and ".terraform" not in Path(file).parts and self.inside(file)
