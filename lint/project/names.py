"""Checks the names that a project file uses against the packs that there are. Knows no graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from lint.origin import Origin, Problem
from lint.project.model import Deployment, Project

if TYPE_CHECKING:
    from lint.packs.model import Pack


def check_names(project: Project, packs: Mapping[str, Pack]) -> tuple[Problem, ...]:
    """One message of severity "error" for each pack, variant, phase, parameter or role that isn't there, and for
    waivers of unknown deployments or flows."""
    found: list[Problem] = []
    for deployment in project.deployments:
        pack = packs.get(deployment.pack)
        if pack is None:
            found.append(_unknown_pack(deployment, packs))
            continue
        found += _deployment(deployment, pack)
    found += _waivers(project, packs)
    return tuple(found)


def _unknown_pack(deployment: Deployment, packs: Mapping[str, Pack]) -> Problem:
    from lint.packs.find import builtin_files

    known = dict.fromkeys([*packs, *builtin_files()])
    return _unknown("pack", deployment.pack, known, deployment.origin_of("pack"), "`netpact packs list` lists them")


def _deployment(deployment: Deployment, pack: Pack) -> Iterator[Problem]:
    behind = f" in pack `{pack.id}`"
    variants = [name for name, _ in pack.variants]
    if "variants" not in deployment.origins and any(flow.variants for flow in pack.flows):
        yield Problem(
            "warning",
            f"deployment `{deployment.name}` chooses no variant of pack `{pack.id}`: flows that need one aren't judged",
            deployment.origin,
            f"add `variants: [...]`, of {', '.join(variants)}; `variants: []` if none is in use",
        )
    for variant in deployment.variants:
        if variant not in variants:
            yield _unknown("variant", variant, variants, deployment.origin_of(f"variant:{variant}"), behind=behind)
    phases = [name for name, _ in pack.phases]
    if deployment.phase is not None and deployment.phase not in phases:
        yield _unknown("phase", deployment.phase, phases, deployment.origin_of("phase"), behind=behind)
    parameters = [name for name, _ in pack.parameters]
    for parameter in deployment.parameters:
        if parameter not in parameters:
            yield _unknown(
                "parameter", parameter, parameters, deployment.origin_of(f"parameter:{parameter}"), behind=behind
            )
    roles = [role.name for role in pack.roles]
    for binding in deployment.roles:
        if binding.role not in roles:
            yield _unknown("role", binding.role, roles, binding.origin, behind=behind)
    for role in deployment.client_ports:
        if role not in roles:
            yield _unknown("role", role, roles, deployment.origin_of(f"client_ports:{role}"), behind=behind)


def _waivers(project: Project, packs: Mapping[str, Pack]) -> Iterator[Problem]:
    names = [deployment.name for deployment in project.deployments]
    for waiver in project.waivers:
        if any(sign in waiver.finding for sign in "*?["):
            continue
        name, slash, flow = waiver.finding.partition("/")
        if not slash:
            yield Problem(
                "error",
                f"`{waiver.finding}` doesn't name a finding",
                waiver.origin,
                "write DEPLOYMENT/FLOW as the report does, for example prod-dr/gateway-ssh",
            )
            continue
        if name not in names:
            yield _unknown("deployment", name, names, waiver.origin)
            continue
        deployment = next(one for one in project.deployments if one.name == name)
        pack = packs.get(deployment.pack)
        if pack is not None and pack.flow(flow) is None:
            yield _unknown("flow", flow, [one.id for one in pack.flows], waiver.origin, behind=f" in pack `{pack.id}`")


def _unknown(what: str, name: str, known: Iterable[str], origin: Origin, remedy: str = "", behind: str = "") -> Problem:
    return Problem("error", f"there is no {what} `{name}`{behind}", origin, suggestion(name, known, remedy))


def suggestion(name: str, known: Iterable[str], remedy: str = "") -> str:
    """`did you mean X?`, else what there is."""
    import difflib

    listed = list(known)
    near = difflib.get_close_matches(name, listed, 1, 0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    if remedy:
        return remedy
    return f"there is: {', '.join(listed)}" if listed else "there are none; remove it"
