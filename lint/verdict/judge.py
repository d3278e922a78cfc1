"""Judges a whole project: every active flow of every deployment, in order, then the waivers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from lint.graph.graph import RuleGraph
from lint.graph.unread import Unread
from lint.origin import Problem, Reason
from lint.packs.model import Flow, Pack, active_flows
from lint.project.model import Deployment, Project
from lint.project.names import check_names
from lint.verdict import exclusive, forbidden, signature
from lint.verdict.asking import Asking
from lint.verdict.bind import bind, glob
from lint.verdict.finding import Finding
from lint.verdict.names import Names
from lint.verdict.options import Binding, Judgement, JudgeOptions
from lint.verdict.required import Required
from lint.verdict.scene import Scene
from lint.verdict.waivers import waive
from lint.verdict.write import bare, required_findings

_MOST_REASONS = 5


def judge(graph: RuleGraph, project: Project | None, packs: Mapping[str, Pack], options: JudgeOptions) -> Judgement:
    """All findings of the project's deployments; without a project, of the packs' signature ports.

    `packs` by id. Unknown packs, roles, variants and phases are problems of severity "error"; such a deployment is
    judged as far as its names are known.
    """
    asking, names = Asking(graph), Names(graph)
    if project is None:
        wanted = options.packs or tuple(packs)
        found = [f for id_ in wanted if id_ in packs for f in signature.judge(asking, names, packs[id_], options)]
        findings, said = waive(_chosen(found, options), (), options)
        names_of = [(id_, packs[id_]) for id_ in wanted if id_ in packs]
        return Judgement(findings, (*_unmatched(names_of, options), *said))
    problems = list(check_names(project, packs))
    problems += _unmatched([(d.name, packs[d.pack]) for d in project.deployments if d.pack in packs], options)
    found, unbound, bindings = [], [], []
    for deployment in project.deployments:
        pack = packs.get(deployment.pack)
        if pack is None:
            continue
        scene = _scene(graph, project, pack, deployment, asking, names, options)
        bindings.append(Binding(deployment.name, pack.id, tuple(scene.roles.items())))
        problems += _empty_selectors(scene, project)
        unbound += [(deployment.name, role) for role in _unbound_roles(scene)]
        required = Required(asking)
        for flow in scene.flows:
            if _wanted(scene.deployment, flow.id, options):
                found += _flow(scene, flow, required)
        if deployment.strictness == "least-privilege":
            found += [f for f in exclusive.undocumented_services(scene) if _wanted(scene.deployment, f.flow, options)]
    findings, said = waive(_complete(found, graph, names), project.waivers, options)
    return Judgement(tuple(findings), (*problems, *said), tuple(unbound), tuple(bindings))


def _scene(
    graph: RuleGraph,
    project: Project,
    pack: Pack,
    deployment: Deployment,
    asking: Asking,
    names: Names,
    options: JudgeOptions,
) -> Scene:
    return Scene(
        deployment=deployment.name,
        pack=pack,
        strictness=deployment.strictness,
        roles=bind(graph, project, pack, deployment),
        flows=active_flows(pack, deployment.variants, deployment.phase),
        asking=asking,
        names=names,
        source=options.source,
        among=options.among,
    )


def _flow(scene: Scene, flow: Flow, required: Required) -> Iterator[Finding]:
    """The findings of one flow."""
    if flow.kind == "required":
        yield from required_findings(scene, flow, required)
    elif flow.kind == "exclusive":
        yield from exclusive.findings(scene, flow)
    elif flow.kind == "forbidden":
        yield from forbidden.findings(scene, flow)
    else:
        yield from bare(scene, flow, "undetermined", f"a flow of kind {flow.kind} isn't known to this version")


def _unbound_roles(scene: Scene) -> list[str]:
    """Roles of the active flows to which nothing is bound, in the pack's order."""
    used = {role for flow in scene.flows for role in (*flow.sources, *flow.destinations)}
    return [name for name, bound in scene.roles.items() if name in used and not bound.bound and not bound.role.managed]


def _empty_selectors(scene: Scene, project: Project) -> Iterator[Problem]:
    """One message for each selector that takes nothing: an error where a required flow needs the role."""
    needed = {
        role
        for flow in scene.flows
        if flow.kind == "required" and not flow.optional
        for role in (*flow.sources, *flow.destinations)
    }
    for name, bound in scene.roles.items():
        for selector in bound.empty:
            yield Problem(
                "error" if name in needed and not bound.role.managed else "warning",
                f"the selector {selector.text} of role `{name}` in deployment `{scene.deployment}` binds nothing: "
                "no endpoint and no address of the source matches it",
                selector.origin,
                "correct the selector or remove it; `netpact show` lists the endpoints with names, tags and groups",
            )


def _wanted(deployment: str, flow: str, options: JudgeOptions) -> bool:
    def named(globs: Iterable[str]) -> bool:
        return any(_is_named(one, deployment, flow) for one in globs)

    return (not options.only or named(options.only)) and not named(options.skip)


def _is_named(one: str, deployment: str, flow: str) -> bool:
    return glob(one, flow) or glob(one, f"{deployment}/{flow}")


def _unmatched(deployments: list[tuple[str, Pack]], options: JudgeOptions) -> Iterator[Problem]:
    """A glob that no flow has would leave out what was meant, or let it pass unseen."""
    for option, globs, severity in (("--only", options.only, "error"), ("--skip", options.skip, "warning")):
        for one in globs:
            if not any(_is_named(one, name, flow.id) for name, pack in deployments for flow in pack.flows):
                yield Problem(
                    severity,
                    f"{option} {one} names no flow",
                    None,
                    "name a flow as the report does (gateway-ssh, prod-dr/gateway-ssh) or by a glob (gateway-*); "
                    "`netpact packs show PACK` lists them",
                )


def _chosen(findings: Iterable[Finding], options: JudgeOptions) -> list[Finding]:
    return [f for f in findings if _wanted(f.deployment, f.flow, options)]


def _complete(findings: Iterable[Finding], graph: RuleGraph, names: Names) -> tuple[Finding, ...]:
    """What could not be read may hold anything: nothing is satisfied on it, and no rule that is required is missing.

    What is open to somebody stays so, whatever else there is.
    """
    if not graph.incomplete:
        return tuple(findings)
    unread = Unread(graph)
    ids = {names.endpoint(one): one.id for one in graph.endpoints.values()}
    made = []
    for one in findings:
        if one.verdict == "satisfied" or (one.verdict == "violated" and one.kind == "required"):
            sides = (*one.source.endpoints, *one.destination.endpoints)
            why = unread.around(*(ids.get(label, label) for label in sides))
            one = _lowered(one, why) if why else one
        made.append(one)
    return tuple(made)


def _lowered(finding: Finding, why: tuple[Reason, ...]) -> Finding:
    """The finding as far as it holds while something isn't read."""
    unknown = tuple(reason.sentence() for reason in why[:_MOST_REASONS])
    if len(why) > len(unknown):
        unknown = (*unknown, f"and {len(why) - len(unknown)} more")
    if finding.verdict == "satisfied":
        sentence = f"what could be read of the source keeps it, but the source is incomplete: {unknown[0]}"
    else:
        sentence = f"{finding.sentence}; what lets it pass may stand in what could not be read: {unknown[0]}"
    return replace(
        finding,
        verdict="undetermined",
        as_read=finding.verdict,
        severity="warning" if finding.severity != "note" else "note",
        sentence=sentence,
        unknown=(*finding.unknown, *unknown),
    )
