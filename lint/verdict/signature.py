"""Judges a pack without a project: who of the Internet reaches the ports that belong to the pack's product alone."""

from __future__ import annotations

from collections.abc import Iterator

from lint.packs.model import Flow, Pack, active_flows, services_of
from lint.packs.model import Role as PackRole
from lint.space.addresses import REAL
from lint.space.intervals import IntervalSet
from lint.space.services import parse
from lint.verdict.asking import Asking
from lint.verdict.bind import Bound
from lint.verdict.documented import NOBODY
from lint.verdict.excess import Excess, finish, peers_sentence
from lint.verdict.exclusive import excess_of
from lint.verdict.finding import Finding, Side
from lint.verdict.names import Names
from lint.verdict.options import JudgeOptions
from lint.verdict.parties import Crowd, Machine, crowds
from lint.verdict.required import SATISFIED, VIOLATED
from lint.verdict.scene import Scene
from lint.verdict.write import wanted_text


def judge(asking: Asking, names: Names, pack: Pack, options: JudgeOptions) -> Iterator[Finding]:
    """One finding for each service and set of filters that opens a signature port to public addresses; unbound for every other flow.

    Every variant and phase counts. Nothing is ever satisfied: that needs roles.
    """
    variants = tuple(name for name, _ in pack.variants)
    flows: dict[str, Flow] = {}
    phases: list[str | None] = [name for name, _ in pack.phases]
    for phase in phases or [None]:
        flows |= {flow.id: flow for flow in active_flows(pack, variants, phase)}
    roles = {role.name: Bound(role) for role in pack.roles}
    ordered = tuple(flow for flow in pack.flows if flow.id in flows)
    scene = Scene(pack.id, pack, "internet", roles, ordered, asking, names, options.source)
    signature = IntervalSet.union_of(parse(text) for text in pack.signature_services)
    everybody = crowds(asking, [Machine(e, e.exists) for e in asking.graph.endpoints.values() if e.accepts])
    reported: set[tuple[IntervalSet, str]] = set()
    for flow in ordered:
        found = False
        if flow.kind == "exclusive":
            for text, services in services_of(flow):
                own = services & signature
                if own:
                    for finding in _open(scene, flow, text, own, everybody):
                        found = True
                        key = (own, " ".join(finding.destination.endpoints) + finding.verdict)
                        if key not in reported:
                            reported.add(key)
                            yield finding
        if not found:
            yield _unbound(scene, flow, signature, bool(everybody))


def _open(
    scene: Scene, flow: Flow, text: str, services: IntervalSet, everybody: tuple[Crowd, ...]
) -> Iterator[Finding]:
    groups: dict[tuple[str, int], list[Excess]] = {}
    for crowd in everybody:
        for excess in excess_of(scene, crowd.machines, services, NOBODY, True):
            if excess.verdict != SATISFIED:
                groups.setdefault((excess.verdict, crowd.guarded), []).append(excess)
    for (verdict, _), together in groups.items():
        peers = IntervalSet.union_of(one.shown.peers() for one in together)
        machines = [one.endpoint for one in together]
        who = scene.names.endpoint(machines[0]) if len(machines) == 1 else f"{len(machines)} endpoints"
        verb = "is open" if verdict == VIOLATED else "may be open"
        sentence = (
            f"{text} of {who} {verb} to {peers_sentence(scene.names, peers)}; "
            f"only {scene.pack.title} uses this port, and no public address that a project file doesn't name should reach it"
        )
        side = Side(None, (), scene.side(None, (), peers & REAL).addresses)
        begun = scene.finding(flow, verdict, side, scene.side(None, machines), text, sentence)
        yield finish(scene, begun, together)


def _unbound(scene: Scene, flow: Flow, signature: IntervalSet, any_endpoint: bool) -> Finding:
    roles: dict[str, PackRole] = {
        name: scene.roles[name].role for name in (*flow.sources, *flow.destinations) if name in scene.roles
    }
    listed = " and ".join(f"`{name}`" for name in roles)
    sentence = (
        f"bind {listed} in a project file to have this judged" if listed else "it needs a project file to be judged"
    )
    judged = any(bool(services & signature) for _, services in services_of(flow))
    if flow.kind == "exclusive" and judged and any_endpoint:
        sentence += "; as far as public addresses go, no endpoint of the source opens these ports"
    sides = [Side(" or ".join(side) or None, (), ()) for side in (flow.sources, flow.destinations)]
    return scene.finding(flow, "unbound", sides[0], sides[1], wanted_text(flow), sentence)
