"""Finding the resource that a value names:

by Terraform reference inside its root, by real id, ARN or name across roots.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lint.aws.from_terraform import facts
from lint.aws.model.links import NOWHERE, Link
from lint.origin import Reason
from lint.terraform.resources import Evaluation, Resource
from lint.terraform.values import (
    Reference,
    Value,
    as_text,
    candidates_of,
    get,
    is_known,
    is_null,
    reference_of,
    unknown_reasons,
)

# Codes of reasons that say: the value is made elsewhere and handed in.
FROM_OUTSIDE = ("tf.no-value:", "tf.data:")


@dataclass(frozen=True, slots=True)
class Node:
    """One resource or data source of one root.

    `id` is its name in the model: its address, with the root where two roots share it.
    """

    id: str
    root: int
    kind: str  # of the evaluation: terraform, plan, state
    resource: Resource

    @property
    def type(self) -> str:
        """The resource type; data sources too."""
        return self.resource.type

    @property
    def managed(self) -> bool:
        """Whether Terraform makes it (else it was only looked up)."""
        return self.resource.mode != "data"


@dataclass(frozen=True, slots=True)
class Found:
    """What a value names: a node and the attribute of it that was named, or an id that nothing here defines."""

    node: Node | None
    path: tuple[str | int, ...]
    text: str


class Index:
    """All resources of all roots."""

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        same = _same_roots(evaluations)
        seen: dict[str, int] = {}
        for root, evaluation in enumerate(evaluations):
            for address in {r.address for r in evaluation.resources} if root not in same else ():
                seen[address] = seen.get(address, 0) + 1
        self.nodes: list[Node] = []
        self._by_address: dict[tuple[int, str], Node] = {}
        self._by_id: dict[str, Node] = {}
        self._by_name: dict[tuple[str, str], list[Node]] = {}
        self._by_type: dict[str, list[Node]] = {}
        self._actual: dict[str, Node] = {}
        self._same = same
        self.real_ids: dict[str, str] = {}
        """Model id -> the id that a state of the same root knows."""
        for root in sorted(range(len(evaluations)), key=lambda r: r in same):
            for resource in evaluations[root].resources:
                twin = self._by_address.get((same.get(root, root), resource.address)) if root in same else None
                if twin is not None:
                    self._by_address[root, resource.address] = twin
                    self._known_as(twin, resource)
                else:
                    shared = seen.get(resource.address, 0) > 1
                    self._add(root, evaluations[root], resource, shared=shared)

    def _known_as(self, node: Node, resource: Resource) -> None:
        """The configuration says what a thing is; the state of the same root knows its ids."""
        for attribute in ("id", "arn"):
            written = facts.text(resource.values.get(attribute))
            if written:
                self._by_id.setdefault(written, node)
                if attribute == "id":
                    self.real_ids.setdefault(node.id, written)

    def _add(self, root: int, evaluation: Evaluation, resource: Resource, *, shared: bool) -> None:
        real = facts.text(resource.values.get("id"))
        if real and resource.mode != "data":
            twin = self._by_id.get(real)
            if twin is not None and twin.type == resource.type and twin.managed:
                self._by_address[root, resource.address] = twin
                return
        node = Node(
            f"{evaluation.root}:{resource.address}" if shared else resource.address, root, evaluation.kind, resource
        )
        self.nodes.append(node)
        self._by_type.setdefault(node.type, []).append(node)
        self._by_address[root, resource.address] = node
        for attribute in ("id", "arn"):
            written = facts.text(resource.values.get(attribute))
            if written and (node.managed or written not in self._by_id):
                self._by_id[written] = node
        name = facts.text(resource.values.get("name"))
        if name:
            self._by_name.setdefault((resource.type, name), []).append(node)

    def of_type(self, *types: str, managed: bool | None = True) -> Iterable[Node]:
        """The nodes of these types; `managed` None: data sources as well, False: only these."""
        for kind in dict.fromkeys(types):
            for node in self._by_type.get(kind, ()):
                if managed is None or node.managed == managed:
                    yield node

    def at(self, root: int, address: str) -> Node | None:
        """The resource at an address of one root."""
        return self._by_address.get((root, address))

    def by_id(self, written: str) -> Node | None:
        """The resource with this real id or ARN."""
        return self._by_id.get(written)

    def by_name(self, kind: str, name: str) -> list[Node]:
        """The resources of a type whose `name` is this."""
        return self._by_name.get((kind, name), [])

    def referred(self, root: int, reference: Reference) -> Found:
        """What an attribute reference names. Without an instance key, the only instance is meant."""
        node = self.at(root, reference.address)
        if node is None and not reference.address.endswith("]"):
            node = self.at(root, f"{reference.address}[0]") or self.at(root, f"{reference.address}[*]")
        if node is None and reference.address.endswith("]"):
            node = self.at(root, f"{reference.address.rpartition('[')[0]}[*]")
        path = ".".join(str(p) for p in reference.path)
        return Found(node, reference.path, f"{reference.address}.{path}" if path else reference.address)

    def find(self, root: int, value: Value | None) -> tuple[list[Found], bool, tuple[Reason, ...]]:
        """Everything that one value may name; whether that is certain to be all; and why it isn't known."""
        if value is None or is_null(value):
            return [], True, ()
        if is_known(value):
            written = (as_text(value) or "").strip()
            if not written:
                return [], True, ()
            return [Found(self.by_id(written.rpartition("/")[2]) or self.by_id(written), (), written)], True, ()
        reference = reference_of(value)
        if reference is not None:
            return [self.referred(root, reference)], True, unknown_reasons(value)
        candidates = candidates_of(value)
        reasons = unknown_reasons(value)
        if candidates is None or len(candidates) > facts.MAX_CANDIDATES:
            return [], False, reasons
        found: list[Found] = []
        for candidate in candidates:
            inner, complete, _ = self.find(root, candidate)
            if not complete:
                return [], False, reasons
            found += inner
        return found, True, reasons

    def elsewhere(self, node: Node, value: Value | None, *types: str) -> list[Node]:
        """What other roots make and a value of `node` may name, though nothing says so.

        An id that comes from an input, from a look-up or is written out may be that of a thing whose own id isn't
        known here.
        """
        others = [n for n in self.of_type(*types) if self._place(n.root) != self._place(node.root)]
        if not others or value is None or is_null(value):
            return []
        found, complete, reasons = self.find(node.root, value)
        if not complete:
            from_outside = any((r.code or "").startswith(FROM_OUTSIDE) for r in reasons)
            return [n for n in others if self._may_be(n, {})] if from_outside else []
        possible: dict[str, Node] = {}
        for each in found:
            if each.node is None:
                wanted = {"id": each.text}
            elif each.node.managed or self.actual(each.node) is not each.node:
                continue
            else:
                wanted = (_criteria(each.node) or {}) if each.node.type in types else {}
            possible.update((n.id, n) for n in others if self._may_be(n, wanted))
        return list(possible.values())

    def _place(self, root: int) -> int:
        return self._same.get(root, root)

    def _may_be(self, node: Node, wanted: dict[str, str]) -> bool:
        """Whether a resource may be the one that is asked for: nothing that is known of it says otherwise."""
        offered = _offers(node)
        real = self.real_ids.get(node.id)
        if real is not None:
            offered["id"] = real
        complete = not facts.tags_of(node.resource)[1]
        return all(
            offered[key] == value if key in offered else not (complete and key.startswith("tag:"))
            for key, value in wanted.items()
        )

    def actual(self, node: Node) -> Node:
        """The resource that a data source looks up, where exactly one of those at hand fits its static filter.

        Else itself.
        """
        if node.managed:
            return node
        known = self._actual.get(node.id)
        if known is None:
            real = facts.text(node.resource.values.get("id"))
            named = self._by_id.get(real) if real else None
            known = named if named is not None and named.type == node.type else self._looked_up(node) or node
            self._actual[node.id] = known
        return known

    def _looked_up(self, node: Node) -> Node | None:
        """The one managed resource of the same type that has every name, tag and id that the data source asks for."""
        wanted = _criteria(node)
        if not wanted:
            return None
        fits = [
            other
            for other in self.of_type(node.type)
            if other.resource.exists and all(_offers(other).get(key) == value for key, value in wanted.items())
        ]
        vpc = self.link(node, node.resource.values.get("vpc_id")) if len(fits) > 1 else NOWHERE
        if vpc.id is not None:
            fits = [other for other in fits if self.link(other, other.resource.values.get("vpc_id")).id == vpc.id]
        return fits[0] if len(fits) == 1 else None

    def link(self, node: Node, value: Value | None, *types: str) -> Link:
        """Which resource of these types (all where none are given) a value of `node` names, by model id.

        A known id that nothing here defines is a link to that id.
        """
        if value is None or is_null(value):
            return NOWHERE
        found, complete, reasons = self.find(node.root, value)
        ids = list(
            dict.fromkeys(
                self.actual(each.node).id
                if each.node is not None and (not types or each.node.type in types)
                else each.text
                for each in found
            )
        )
        if complete and len(ids) == 1:
            return Link(ids[0])
        if not reasons:
            reasons = (Reason(f"{node.id} names several things where one is expected", origin=node.resource.origin),)
        return Link(None, reasons, tuple(ids) if complete else None)


def _same_roots(evaluations: Sequence[Evaluation]) -> dict[int, int]:
    """Plans and states that show the same root as a configuration beside them, with that configuration's number.

    They do where most of their resources have the addresses of the configuration's.
    """
    held = [{r.address for r in e.resources if r.mode != "data"} for e in evaluations]
    found: dict[int, int] = {}
    for root, evaluation in enumerate(evaluations):
        if evaluation.kind == "terraform" or not held[root]:
            continue
        written = [n for n, other in enumerate(evaluations) if other.kind == "terraform"]
        best = max(written, key=lambda n: len(held[n] & held[root]), default=None)
        if best is not None and 2 * len(held[best] & held[root]) > len(held[root]):
            found[root] = best
    return found


_FILTERS = {
    "group-name": "name",
    "group-id": "id",
    "vpc-id": "vpc",
    "subnet-id": "id",
    "cidr": "cidr_block",
    "cidr-block": "cidr_block",
}


def _criteria(node: Node) -> dict[str, str] | None:
    """What a data source asks for, as attribute or `tag:KEY` -> text; None where not all of it is static."""
    wanted: dict[str, str] = {}
    values = node.resource.values
    for attribute in ("id", "name", "cidr_block"):
        if facts.is_set(values.get(attribute)):
            written = facts.text(values.get(attribute))
            if written is None:
                return None
            wanted[attribute] = written
    tags, unknown = facts.tags_of(node.resource)
    own = values.get("tags")
    if unknown:
        return None
    if own is not None and not is_null(own):
        wanted.update({f"tag:{key}": value for key, value in tags if get(own, key) is not None})
    filters = node.resource.nested("filter")
    if filters.open:
        return None
    for each in filters.items:
        name = facts.text(each.values.get("name"))
        given = facts.strings(each.values.get("values"))
        if name == "vpc-id":
            continue
        if name is None or len(given) != 1 or "*" in given[0] or "?" in given[0]:
            return None
        if name.startswith("tag:"):
            wanted[name] = given[0]
        elif name in _FILTERS:
            wanted[_FILTERS[name]] = given[0]
        else:
            return None
    return wanted


def _offers(node: Node) -> dict[str, str]:
    """What a resource can be asked for."""
    offered = {f"tag:{key}": value for key, value in facts.tags_of(node.resource)[0]}
    for attribute in ("id", "name", "cidr_block"):
        written = facts.text(node.resource.values.get(attribute))
        if written is not None:
            offered[attribute] = written
    return offered
