"""Joins records: any spelling of an id to the record's key, children to parents, attachments to what they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lint.azure.coverage import reasons_for
from lint.azure.model import NOTHING, Attachment
from lint.azure.records import Association, Gap, Record, Records, View, canonical, last_segment, type_of
from lint.origin import Reason

NETWORK = "microsoft.network/"
SECURITY_GROUP = NETWORK + "networksecuritygroups"
SECURITY_RULE = SECURITY_GROUP + "/securityrules"
APPLICATION_GROUP = NETWORK + "applicationsecuritygroups"
PREFIX_SET = APPLICATION_GROUP + "/addressprefixsets"
VIRTUAL_NETWORK = NETWORK + "virtualnetworks"
SUBNET = VIRTUAL_NETWORK + "/subnets"
PEERING = VIRTUAL_NETWORK + "/virtualnetworkpeerings"
INTERFACE = NETWORK + "networkinterfaces"
PUBLIC_ADDRESS = NETWORK + "publicipaddresses"
BALANCER = NETWORK + "loadbalancers"
ROUTE_TABLE = NETWORK + "routetables"
ROUTE = ROUTE_TABLE + "/routes"
NAT_GATEWAY = NETWORK + "natgateways"
FIREWALL = NETWORK + "azurefirewalls"
GATEWAY = NETWORK + "virtualnetworkgateways"
LOCAL_GATEWAY = NETWORK + "localnetworkgateways"
PRIVATE_ENDPOINT = NETWORK + "privateendpoints"
BASTION = NETWORK + "bastionhosts"
MANAGER = NETWORK + "networkmanagers"
HUB_CONNECTION = NETWORK + "virtualhubs/hubvirtualnetworkconnections"
ROUTE_SERVER = NETWORK + "virtualhubs"
MACHINE = "microsoft.compute/virtualmachines"
SCALE_SET = "microsoft.compute/virtualmachinescalesets"
EFFECTIVE_ADMIN = "netpact/effectiveadminrules"
EFFECTIVE_CONNECTIVITY = "netpact/effectiveconnectivity"
EFFECTIVE_GROUPS = "netpact/effectivesecuritygroups"
EFFECTIVE_ROUTES = "netpact/effectiveroutes"


@dataclass
class Index:
    """All records by type and identity. Filled once, then only read; `problems` and `notes` collect what is found."""

    source: Records
    keys: dict[str, str] = field(default_factory=dict)
    by_key: dict[str, Record] = field(default_factory=dict)
    by_type: dict[str, list[Record]] = field(default_factory=dict)
    by_parent: dict[tuple[str, str], list[Record]] = field(default_factory=dict)
    by_association: dict[str, list[Association]] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)  # keys of things that stand inside a record: inline subnets
    problems: dict[Reason, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Records) -> Index:
        """The index of these records. Of two records with one identity the later adds nothing but its spellings."""
        made = cls(source)
        for record in source.records:
            for spelling in (record.key, *record.ids):
                made.keys.setdefault(canonical(spelling), record.key)
            if record.key in made.by_key:
                continue
            made.by_key[record.key] = record
            made.by_type.setdefault(record.type, []).append(record)
        for record in made.by_key.values():
            if record.parent is not None:
                made.by_parent.setdefault((made.key(record.parent), record.type), []).append(record)
        for association in source.associations:
            made.by_association.setdefault(association.kind, []).append(association)
        made.problems.update(dict.fromkeys(source.problems))
        made.notes.update(dict.fromkeys(source.notes))
        return made

    def key(self, identity: str) -> str:
        """The key of the record that an id refers to, or the id itself in canonical form where no record has it."""
        wanted = canonical(identity)
        return self.keys.get(wanted, wanted)

    def of_type(self, *types: str) -> Iterator[Record]:
        """All records of these types, in order of reading."""
        for one in types:
            yield from self.by_type.get(one, ())

    def children(self, key: str, kind: str) -> list[Record]:
        """Child records of one type under a parent's key."""
        return self.by_parent.get((key, kind), [])

    def missing(self, identity: str) -> Reason:
        """Why a thing that is referred to isn't known."""
        known = reasons_for(self.source.missing, identity)
        if known:
            return known[0]
        kind = type_of(identity) or "resource"
        return Reason(
            f"{last_segment(identity)} ({kind}) is referred to, but the source doesn't hold it",
            f"azure.ref.missing:{canonical(identity)}",
            None,
            "add the source that holds it",
        )

    def attachment(self, view: View, name: str) -> Attachment:
        """What a field refers to: a record, certainly nothing, or not known."""
        return self.attach(view.identity(name))

    def attach(self, identity: str | Gap | None) -> Attachment:
        """The same for an id that was read already."""
        if identity is None:
            return NOTHING
        if isinstance(identity, Gap):
            names = identity.candidates or ()
            known = {
                self.key(one)
                for one in names
                if isinstance(one, str) and (self.key(one) in self.by_key or self.key(one) in self.parts)
            }
            nothing_else = len(names) > 0 and all(one is None or isinstance(one, str) for one in names)
            if len(known) == 1 and nothing_else:
                return Attachment(known.pop(), identity.reasons)
            return Attachment(None, identity.reasons)
        key = self.key(identity)
        if key in self.by_key or key in self.parts:
            return Attachment(key)
        return Attachment(None, (self.missing(identity),), key)

    def associations(self, kind: str, key: str) -> list[tuple[Attachment, Association]]:
        """What associations of one kind attach to the thing `key`, and what they may attach to it."""
        found: list[tuple[Attachment, Association]] = []
        for one in self.by_association.get(kind, ()):
            if isinstance(one.first, Gap):
                candidates = one.first.candidates
                possible = candidates is None or any(
                    isinstance(each, str) and self.key(each) == key for each in candidates
                )
                if possible and not one.first.foreign:
                    found.append((Attachment(None, one.first.reasons), one))
                continue
            if one.first is None or self.key(one.first) != key:
                continue
            attached = self.attach(one.second)
            if not one.exists:
                reasons = one.reasons or (Reason("it isn't known whether this association exists", None, one.origin),)
                attached = Attachment(attached.key, attached.open + reasons)
            found.append((attached, one))
        return found

    def joined(self, own: Attachment, kind: str, key: str, what: str) -> Attachment:
        """An attribute's attachment and those of associations, as one; a person hears where they disagree."""
        all_of = [own] if own != NOTHING else []
        all_of += [attached for attached, _ in self.associations(kind, key)]
        certain = {one.key for one in all_of if one.key is not None and not one.open}
        if len(certain) > 1:
            names = " and ".join(sorted(one for one in certain if one))
            reason = Reason(f"{key} has two {what}: {names}", "azure.tf.mixed-subnet", None, "keep one of them")
            self.problems[reason] = None
            return Attachment(None, (reason,))
        if certain:
            return Attachment(certain.pop())
        if not all_of:
            return NOTHING
        keys = {one.key for one in all_of}
        reasons = tuple(dict.fromkeys(reason for one in all_of for reason in one.open))
        return Attachment(keys.pop() if len(keys) == 1 else None, reasons)
