"""The project file, netpact.yaml: which packs are applied to what, and what is waived. Knows no graph and no
verdict."""

from __future__ import annotations

from lint.project.decode import PROFILES, ProjectError, load, loads
from lint.project.find import FILE_NAMES, find
from lint.project.model import STRICTNESS, Condition, Deployment, Project, RoleBinding, Selector, Waiver
from lint.project.names import check_names

__all__ = [
    "FILE_NAMES",
    "PROFILES",
    "STRICTNESS",
    "Condition",
    "Deployment",
    "Project",
    "ProjectError",
    "RoleBinding",
    "Selector",
    "Waiver",
    "check_names",
    "find",
    "load",
    "loads",
]
