"""Which virtual networks are joined: peerings with both their sides, and the space behind them. Knows no rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lint.azure.model import AddressSpace, Model, Peering
from lint.origin import Reason
from lint.space.addresses import REAL
from lint.space.intervals import EMPTY


@dataclass(frozen=True, slots=True)
class Joined:
    """One peering seen from its own side: whether it works, and the prefixes behind it."""

    peering: Peering
    active: bool | None
    space: AddressSpace
    reasons: tuple[Reason, ...] = ()


def joined(model: Model, network: str) -> Iterator[Joined]:
    """The peerings of a virtual network, and the networks that a connectivity configuration may join to it."""
    linked: set[str | None] = {network}
    for peering in model.peerings.values():
        if peering.local == network:
            linked.add(peering.remote)
            active, reasons = _active(model, peering)
            yield Joined(peering, active, _space(model, peering), reasons)
    for other in model.mesh if network in model.mesh else ():
        held = model.networks.get(other)
        if other in linked or held is None:
            continue
        reasons = model.mesh[network]
        mesh = Peering(
            key=f"{network}#mesh#{other}",
            name="a connectivity configuration",
            local=network,
            remote=other,
            remote_text=held.name,
            origin=reasons[0].origin or held.origin,
            exists=False,
            reasons=reasons,
        )
        yield Joined(mesh, None, held.space, reasons)


def _active(model: Model, peering: Peering) -> tuple[bool | None, tuple[Reason, ...]]:
    """Needs a resource on each side, both Connected ("Create, change, or delete an Azure virtual network peering")."""
    one_sided = Reason(
        f"peering {peering.name} has no counterpart in {peering.remote_text}",
        "azure.peering.one-sided",
        peering.origin,
        "peer the other virtual network back",
    )
    unknown = Reason(
        f"the virtual network {peering.remote_text} behind peering {peering.name} isn't in the source",
        "azure.peering.remote-unknown",
        peering.origin,
        "add the source that holds it",
    )
    if peering.state:
        if peering.state != "connected":
            return False, (one_sided,)
        return (True, ()) if peering.exists else (None, peering.reasons)
    if peering.remote is None:
        return None, (*peering.reasons, unknown)
    remote = model.networks.get(peering.remote)
    if remote is None or remote.missing:
        return None, (unknown,)
    back = [one for one in model.peerings.values() if one.local == peering.remote]
    if any(one.remote == peering.local and one.exists for one in back):
        if peering.exists:
            return True, ()
        return None, peering.reasons or (Reason(f"it isn't known whether {peering.key} exists", None, peering.origin),)
    maybe = [one for one in back if one.remote is None or one.remote == peering.local]
    if maybe:
        return None, tuple(reason for one in maybe for reason in one.reasons) or (unknown,)
    return False, (one_sided,)


def _space(model: Model, peering: Peering) -> AddressSpace:
    if peering.remote_space is not None:
        return peering.remote_space
    remote = model.networks.get(peering.remote or "")
    if remote is not None and not remote.missing:
        return remote.space
    reason = Reason(
        f"the address space of {peering.remote_text} behind peering {peering.name} isn't known",
        "azure.peering.remote-unknown",
        peering.origin,
        "add the source that holds it",
    )
    return AddressSpace(EMPTY, REAL, (reason,))
