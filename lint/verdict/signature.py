"""Judges a pack without a project: who of the Internet reaches the ports that belong to the pack's product alone."""

from __future__ import annotations

from collections.abc import Iterator

from lint.packs.model import ANYONE, INTERNET, Flow, Pack, active_flows, services_of
from lint.space.addresses import REAL
from lint.space.intervals import IntervalSet
from lint.space.services import parse
from lint.verdict.asking import Asking
from lint.verdict.bind import Bound
from lint.verdict.documented import NOBODY, Documented
from lint.verdict.excess import Excess, finish, listed, peers_sentence
from lint.verdict.exclusive import excess_of, with_unbound
from lint.verdict.finding import Finding, Side
from lint.verdict.names import Names
from lint.verdict.options import JudgeOptions
from lint.verdict.parties import Crowd, Machine, crowds
from lint.verdict.required import SATISFIED, VIOLATED
from lint.verdict.scene import Scene
from lint.verdict.write import wanted_texts

# A group that is only looked up stands for machines that this source doesn't have: it speaks of them alone where a
# rule of this source opens a port.
FOREIGN = "foreign_group"


def judge(asking: Asking, names: Names, pack: Pack, options: JudgeOptions) -> Iterator[Finding]:
    """One finding for each service and set of filters that opens a signature port to public addresses; unbound for
    every other flow.

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
        open_: set[str] = set()  # the services that somebody has opened
        narrow: dict[str, dict[str, None]] = {}  # by service: who reaches it, and may be documented
        for text, services in _guarded(flow, pack):
            own = services & signature
            for finding in _open(scene, flow, text, own, everybody, narrow.setdefault(text, {})) if own else ():
                open_.add(text)
                key = (own, " ".join(finding.destination.endpoints) + finding.verdict)
                if key not in reported:
                    reported.add(key)
                    yield finding
        if flow.kind == "forbidden":
            # What is open is told by the port; what isn't, by the flow's own services.
            everything = tuple(dict.fromkeys(who for found in narrow.values() for who in found))
            for text in wanted_texts(flow) if not open_ else ():
                yield _unbound(scene, flow, text, signature, bool(everybody), everything)
            continue
        for text in wanted_texts(flow):
            if text not in open_:
                yield _unbound(scene, flow, text, signature, bool(everybody), tuple(narrow.get(text, ())))


def _guarded(flow: Flow, pack: Pack) -> tuple[tuple[str, IntervalSet], ...]:
    """The services that a flow keeps from the Internet, each with its text: those of an exclusive flow, the signature
    ports of one that forbids the Internet."""
    if flow.kind == "exclusive":
        return services_of(flow)
    if flow.kind != "forbidden" or not {INTERNET, ANYONE} & set(flow.sources):
        return ()
    forbidden = IntervalSet.union_of(one for _, one in services_of(flow))
    return tuple((text, own) for text in pack.signature_services if (own := parse(text) & forbidden))


def _open(
    scene: Scene, flow: Flow, text: str, services: IntervalSet, everybody: tuple[Crowd, ...], narrow: dict[str, None]
) -> Iterator[Finding]:
    """Findings for what is open to more of the Internet than a documented party has; the rest is put into `narrow`."""
    known = Documented(unbound=flow.sources)
    groups: dict[tuple[str, int], list[Excess]] = {}
    for crowd in everybody:
        for one in excess_of(scene, crowd.machines, services, NOBODY, True):
            excess, verdict = with_unbound(one, known)
            if verdict == "unbound" and excess.endpoint.kind != FOREIGN:
                words = peers_sentence(scene.names, excess.may.peers())
                narrow[f"{words} may reach {text} of {scene.names.shown(excess.endpoint)}"] = None
            elif verdict == VIOLATED or (verdict != SATISFIED and excess.endpoint.kind != FOREIGN):
                groups.setdefault((verdict, crowd.guarded), []).append(excess)
    for (verdict, _), together in groups.items():
        peers = IntervalSet.union_of(listed(one).peers() for one in together)
        machines = [one.endpoint for one in together]
        who = scene.names.shown(machines[0]) if len(machines) == 1 else f"{len(machines)} endpoints"
        verb = "is open" if verdict == VIOLATED else "may be open"
        whom = peers_sentence(scene.names, peers, "everybody")
        sentence = (
            f"{text} of {who} {verb} to {whom}; "
            f"only {scene.pack.title} uses this port, "
            "and no public address that a project file doesn't name should reach it"
        )
        side = Side(None, (), scene.side(None, (), peers & REAL).addresses)
        begun = scene.finding(flow, verdict, side, scene.side(None, machines), text, sentence)
        yield finish(scene, begun, together)


def _unbound(
    scene: Scene, flow: Flow, text: str, signature: IntervalSet, any_endpoint: bool, narrow: tuple[str, ...]
) -> Finding:
    roles = [f"`{name}`" for name in (*flow.sources, *flow.destinations) if name in scene.roles]
    wanted = " and ".join(roles)
    sentence = (
        f"bind {wanted} in a project file to have this judged" if roles else "it needs a project file to be judged"
    )
    if narrow:
        more = f" and {len(narrow) - 3} more" if len(narrow) > 3 else ""
        sentence = f"{'; '.join(narrow[:3])}{more}; {sentence}"
    elif any_endpoint and any(
        services & signature for one, services in _guarded(flow, scene.pack) if one == text or flow.kind == "forbidden"
    ):
        sentence += "; as far as public addresses go, no endpoint of the source opens these ports"
    sides = [Side(" or ".join(side) or None, (), ()) for side in (flow.sources, flow.destinations)]
    return scene.finding(flow, "unbound", sides[0], sides[1], text, sentence)
