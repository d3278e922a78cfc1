"""Packs: vendors' documented flows as data. Reads and validates `rules/`; knows no network and no verdict."""

from __future__ import annotations

from lint.packs.find import builtin_files, find, load_builtin, load_packs, pack_files, rules_folder
from lint.packs.model import (
    ANYONE,
    INTERNET,
    Citation,
    Flow,
    Pack,
    Role,
    active_flows,
    services_of,
    single_services,
)
from lint.packs.problem import PackProblem, UnknownPack
from lint.packs.read import load_file, read_pack

__all__ = [
    "ANYONE",
    "INTERNET",
    "Citation",
    "Flow",
    "Pack",
    "PackProblem",
    "Role",
    "UnknownPack",
    "active_flows",
    "builtin_files",
    "find",
    "load_builtin",
    "load_file",
    "load_packs",
    "pack_files",
    "read_pack",
    "rules_folder",
    "services_of",
    "single_services",
]
