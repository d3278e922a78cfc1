"""What a pack is: a vendor's documented flows as plain data. Knows no file format, no network and no verdict."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from lint.origin import Origin
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import parse

INTERNET = "internet"  # a party of forbidden flows: every public address
ANYONE = "anyone"  # a party of forbidden flows: everybody


@dataclass(frozen=True, slots=True)
class Role:
    """A party that the pack names.

    `lives`: customer, cloud, vendor or any. `managed`: the vendor's platform creates and guards it at run time
    (unbound: not_applicable).
    `shared`: other software legitimately reaches it on the same ports (vCenter), so it is exclusive against public
    addresses alone.
    `default_addresses`: CIDRs that the document itself names (8.8.8.8/32); they stand for the role where a deployment
    binds nothing to it.
    `hosts`: host names that the document gives for it (may hold `*` and `<parameter>`), for a person who has to find
    its addresses.
    Hints are for `init`: name globs, tags, ports. `hint_common` are globs that fit machines of other products as well.
    """

    name: str
    title: str
    lives: str
    managed: bool = False
    shared: bool = False
    default_addresses: tuple[str, ...] = ()
    hint_names: tuple[str, ...] = ()
    hint_common: tuple[str, ...] = ()
    hint_tags: tuple[tuple[str, str], ...] = ()
    hint_services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """Where the document says it; several rows where one flow is said more than once."""

    section: str
    row: str


@dataclass(frozen=True, slots=True)
class Flow:
    """One documented flow.

    `kind` required: every address of each `sources` role to every endpoint of each `destinations` role, for each of
    `services` (`any_service`: one of them is enough; `any_destination`: one of the destination endpoints is enough).
    `kind` forbidden: nothing of `services` from `sources` to `destinations`; the party `internet` means every public
    address,
    `anyone` everybody. `except_documented`: traffic that a required flow of the deployment documents doesn't count.
    `kind` exclusive: nobody but `sources` (and the endpoints of `destinations` themselves) reaches `services` of
    `destinations`;
    `against` is "anyone" or "public". Without sources: nobody at all.
    `services` are single (`tcp/22`, a range counts as one); `except_services` are taken out of each of them, see
    `services_of`.
    `host_local`: source and destination are the same machine. `variants`/`phases`: active where one of them is
    (empty: always).
    `optional`: the document recommends or conditions it (`condition` in words); a violation is then a warning.
    `managed`: the vendor's platform opens this flow itself (a side that nothing is bound to: not_applicable).
    `assumed`: why the pack says more than the document. `severity`: error, warning or note.
    """

    id: str
    kind: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    services: tuple[str, ...]
    citations: tuple[Citation, ...]
    origin: Origin
    any_service: bool = False
    any_destination: bool = False
    against: str = "anyone"
    host_local: bool = False
    variants: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    optional: bool = False
    condition: str | None = None
    assumed: str | None = None
    severity: str = "error"
    purpose: str = ""
    except_services: tuple[str, ...] = ()
    except_documented: bool = False
    managed: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """One product and deployment model.

    `id` is `<vendor>/<name>`, `signature_services` the ports that belong to this product alone.
    """

    id: str
    title: str
    document_title: str
    document_url: str | None
    variants: tuple[tuple[str, str], ...]  # name, what it means
    phases: tuple[tuple[str, str], ...]
    default_phase: str | None
    roles: tuple[Role, ...]
    flows: tuple[Flow, ...]
    signature_services: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]  # name, what it means
    origin: Origin
    document_edition: str | None = None  # the document's own date, version or article code

    def role(self, name: str) -> Role | None:
        """The role of that name, or None."""
        return next((r for r in self.roles if r.name == name), None)

    def flow(self, flow_id: str) -> Flow | None:
        """The flow of that id, or None."""
        return next((f for f in self.flows if f.id == flow_id), None)


def single_services(text: str) -> tuple[str, ...]:
    """`tcp/22,10729-10730` as `tcp/22` and `tcp/10729-10730`; a text without a comma as it is. Checks nothing."""
    protocol, slash, ports = text.partition("/")
    if not slash or "," not in ports:
        return (text.strip(),)
    return tuple(f"{protocol.strip()}/{port.strip()}" for port in ports.split(","))


@lru_cache(maxsize=1024)
def services_of(flow: Flow) -> tuple[tuple[str, IntervalSet], ...]:
    """The flow's services, one by one: text and set (`tcp/22,10729` gives two). Raises ValueError for a text that is
    no service.

    A flow with `except_services` gives the rest of each service, `any except tcp/443`; a service of which nothing is
    left is not given.
    """
    taken = EMPTY
    for text in flow.except_services:
        taken = taken | parse(text)
    found: list[tuple[str, IntervalSet]] = []
    for listed in flow.services:
        for text in single_services(listed):
            whole = parse(text)
            rest = whole - taken
            if rest == whole:
                found.append((text, whole))
            elif rest:
                found.append((f"{text} except {', '.join(flow.except_services)}", rest))
    return tuple(found)


def active_flows(pack: Pack, variants: Collection[str], phase: str | None) -> tuple[Flow, ...]:
    """The flows that count for a deployment with these variants in this phase, in the pack's order.

    `phase` None is the pack's default phase. The sources of an exclusive flow are narrowed to those that the
    deployment documents: a source that required flows of the pack send to one of the destinations on one of the
    services stays only where such a required flow is active; a source that no required flow speaks of always stays.
    Where nobody would be left, all stay.
    """
    now = pack.default_phase if phase is None else phase
    active = tuple(
        flow
        for flow in pack.flows
        if (not flow.variants or not set(flow.variants).isdisjoint(variants))
        and (not flow.phases or now in flow.phases)
    )
    counting = {flow.id for flow in active}

    def narrowed(exclusive: Flow) -> Flow:
        sources = tuple(source for source in exclusive.sources if stays(source, exclusive))
        return replace(exclusive, sources=sources) if sources else exclusive

    def stays(source: str, exclusive: Flow) -> bool:
        speaking = [flow for flow in pack.flows if flow.kind == "required" and _documents(flow, source, exclusive)]
        return not speaking or any(flow.id in counting for flow in speaking)

    return tuple(narrowed(flow) if flow.kind == "exclusive" else flow for flow in active)


def _documents(required: Flow, source: str, exclusive: Flow) -> bool:
    """Whether the required flow sends that source to a destination of the exclusive flow on one of its services."""
    if source not in required.sources or set(required.destinations).isdisjoint(exclusive.destinations):
        return False
    return any(not mine.isdisjoint(theirs) for _, mine in services_of(required) for _, theirs in services_of(exclusive))
