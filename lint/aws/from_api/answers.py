"""All objects of all documents by kind, each once, with the account and region it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lint.aws.from_api import facts
from lint.aws.from_api.documents import KINDS, Document
from lint.origin import Origin, Reason

_MERGED = {
    "LoadBalancerListeners",
    "LoadBalancerListenerRules",
    "LoadBalancerAttributes",
    "LoadBalancerTargetHealth",
    "TargetGroupAttributes",
    "ManagedPrefixListEntries",
    "TransitGatewayRouteTableAssociations",
    "TransitGatewayPropagations",
    "TransitGatewayStaticRoutes",
    "TransitGatewayPeeringAttachments",
    "TransitGatewayAttachments",
    "StaleSecurityGroupSet",
    "SecurityGroupVpcAssociations",
    "Addresses",
    "VpcBlockPublicAccessOptions",
    "PrefixLists",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One object of an answer. `id` is its own identifier."""

    id: str
    data: dict[str, Any]
    document: Document

    @property
    def account(self) -> str | None:
        """Whose it is: its own `OwnerId` before the folder that it lay in."""
        return facts.text(self.data, "OwnerId") or self.document.account

    @property
    def region(self) -> str | None:
        """From the folder, the ARN, or the availability zone."""
        if self.document.region is not None:
            return self.document.region
        for key in ("SubnetArn", "SecurityGroupArn", "LoadBalancerArn", "DBInstanceArn", "TransitGatewayArn", "Arn"):
            pieces = (facts.text(self.data, key) or "").split(":", 5)
            if len(pieces) == 6 and pieces[3]:
                return pieces[3]
        zone = facts.text(self.data, "AvailabilityZone") or ""
        return zone[:-1] if zone[-1:].isalpha() and zone[-2:-1].isdigit() else None

    @property
    def origin(self) -> Origin:
        """Account, region and id."""
        return Origin(account=self.account, region=self.region, resource_id=self.id)


class Answers:
    """The documents, taken apart."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self._items: dict[str, dict[str, Item]] = {}
        self._lists: dict[str, list[Item]] = {}
        for document in documents:
            for kind in document.data:
                if kind in KINDS:
                    self._take(kind, document)

    def _take(self, kind: str, document: Document) -> None:
        listing = self._lists.setdefault(kind, [])
        known = self._items.setdefault(kind, {})
        for data in facts.listed(document.data, kind):
            id_ = next((i for i in (facts.text(data, key) for key in KINDS[kind]) if i is not None), None)
            if id_ is None:
                continue
            item = Item(id_, data, document)
            if kind in _MERGED:
                listing.append(item)
                known.setdefault(id_, item)
                continue
            before = known.get(id_)
            if before is None:
                listing.append(item)
                known[id_] = item
            elif before.document.account != before.account and document.account == item.account:
                listing[listing.index(before)] = item  # the owner's own copy of a shared thing says more
                known[id_] = item

    def of(self, kind: str) -> Iterator[Item]:
        """Every object of a kind, in the order of the documents."""
        yield from self._lists.get(kind, ())

    def get(self, kind: str, id_: str | None) -> Item | None:
        """One object by its id."""
        return self._items.get(kind, {}).get(id_) if id_ is not None else None

    def has(self, kind: str) -> bool:
        """Whether the documents hold that kind at all, be it an empty list."""
        return kind in self._items

    def shows(self, kind: str, item: Item) -> bool:
        """Whether the documents hold that kind for the account and region of an object."""
        near = [d for d in self.documents if kind in d.data]
        return any(
            (d.region is None or item.document.region is None or d.region == item.document.region)
            and (d.account is None or item.document.account is None or d.account == item.document.account)
            for d in near
        )

    def missing(self, kind: str, item: Item | None = None) -> tuple[Reason, ...]:
        """Why a kind could not be collected where an object lies (or anywhere).

        `kind:id` is what was asked of one thing only.
        """
        return self._missing(
            kind,
            lambda document: (
                item is None
                or (
                    document.account == item.document.account
                    and (document.region is None or document.region == item.document.region)
                )
            ),
        )

    def missing_below(self, kind: str, item: Item) -> tuple[Reason, ...]:
        """As `missing`, with what could not be collected of single things of that kind."""
        keys = sorted({key for d in self.documents for key in d.missing if key.partition(":")[0] == kind})
        return tuple(reason for key in keys for reason in self.missing(key, item))

    def missing_in_region(self, kind: str, region: str | None) -> tuple[Reason, ...]:
        """Why a kind could not be collected in a region, in whatever account: shared networks span accounts."""
        return self._missing(kind, lambda document: None in (region, document.region) or document.region == region)

    def _missing(self, kind: str, near: Callable[[Document], bool]) -> tuple[Reason, ...]:
        found: list[Reason] = []
        for document in self.documents:
            why = document.missing.get(kind)
            if why is None or not near(document):
                continue
            where = " ".join(p for p in (document.account, document.region) if p)
            found.append(
                Reason(f"{kind} of {where or document.path} could not be read: {why}", code=f"aws.missing:{kind}")
            )
        return tuple(dict.fromkeys(found))
