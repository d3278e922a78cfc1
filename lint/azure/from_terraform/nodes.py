"""Finding what a Terraform value names, and turning values into ARM trees.

References become ids, unknowns become gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lint.azure.records import PROVISIONAL, Gap, Many
from lint.origin import Reason
from lint.space.addresses import parse_cidr
from lint.terraform.resources import Evaluation, Resource
from lint.terraform.values import (
    Reference,
    Unknown,
    Value,
    as_int,
    as_text,
    candidates_of,
    is_known,
    is_null,
    pieces_of,
    prefix_of,
    reference_of,
    unknown_reasons,
    within_of,
)

MAX_CANDIDATES = 32
_DEPTH = 24
# Values that come from outside the source can't name a thing that the source itself makes.
_FOREIGN = ("tf.no-value:", "tf.data:", "tf.module-missing:", "tf.unread")
# What an address is, and the attributes that hold the first one and all of them.
_ADDRESSES = (
    ("private", "private_ip_address", "private_ip_addresses"),
    ("public", "public_ip_address", "public_ip_addresses"),
    ("public", "ip_address", ""),
)


@dataclass(frozen=True, slots=True)
class Node:
    """One resource or data source of one root.

    `key` is its identity: its address, with the root where two roots share it.
    """

    key: str
    root: int
    kind: str  # of the evaluation: terraform, plan, state
    resource: Resource

    @property
    def id(self) -> str:
        """The provisional id by which other records refer to it."""
        return PROVISIONAL + self.key

    @property
    def type(self) -> str:
        """The Terraform type; data sources too."""
        return self.resource.type

    @property
    def managed(self) -> bool:
        """Whether Terraform makes it (else it was only looked up)."""
        return self.resource.mode != "data"

    def value(self, name: str) -> Value | None:
        """An attribute as it is set; None where it isn't (or is null)."""
        value = self.resource.values.get(name)
        return None if value is None or is_null(value) else value

    def text(self, name: str) -> str | None:
        """A text attribute that is certain."""
        value = self.value(name)
        return as_text(value) if value is not None else None


class Nodes:
    """All azurerm and azapi resources of all roots."""

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        seen: dict[str, int] = {}
        for evaluation in evaluations:
            for address in {one.address for one in evaluation.resources}:
                seen[address] = seen.get(address, 0) + 1
        self.all: list[Node] = []
        self._by_address: dict[tuple[int, str], Node] = {}
        self._by_name: dict[tuple[str, str], list[Node]] = {}
        by_id: dict[tuple[str, str], Node] = {}
        for root, evaluation in enumerate(evaluations):
            for resource in evaluation.resources:
                if not resource.type.startswith(("azurerm_", "azapi_")):
                    continue
                real = as_text(resource.values["id"]) if "id" in resource.values else None
                twin = by_id.get((resource.type, real.lower())) if real and resource.mode != "data" else None
                if twin is not None:
                    self._by_address[root, resource.address] = twin
                    continue
                key = f"{evaluation.root}:{resource.address}" if seen[resource.address] > 1 else resource.address
                node = Node(key, root, evaluation.kind, resource)
                self.all.append(node)
                self._by_address[root, resource.address] = node
                if real and resource.mode != "data":
                    by_id[resource.type, real.lower()] = node
                name = node.text("name")
                if name is not None:
                    self._by_name.setdefault((resource.type, name.lower()), []).append(node)

        self._looked_up()

    def _looked_up(self) -> None:
        """A data source stands for the resource that another root makes, where id or names tell which one it is."""
        by_id: dict[tuple[str, str], Node] = {}
        for node in self.all:
            real = node.text("id")
            if node.managed and real:
                by_id.setdefault((node.type, real.lower()), node)
        kept: list[Node] = []
        for node in self.all:
            twin: Node | None = None
            if not node.managed:
                real = node.text("id")
                twin = by_id.get((node.type, real.lower())) if real else self._twin(node)
            if twin is None:
                kept.append(node)
            else:
                self._by_address[node.root, node.resource.address] = twin
        self.all = kept

    def _twin(self, node: Node) -> Node | None:
        """The one managed resource of the same type and names in any root."""
        name = node.text("name")
        found = [] if name is None else self._by_name.get((node.type, name.lower()), [])
        names = ("resource_group_name", "virtual_network_name")
        same = [
            one
            for one in found
            if one.managed
            and all((one.text(each) or "").lower() == (node.text(each) or "").lower() for each in names)
            and one.text("resource_group_name") is not None
        ]
        return same[0] if len(same) == 1 else None

    def of_type(self, *types: str) -> Iterable[Node]:
        """The nodes of these types, data sources included."""
        for node in self.all:
            if node.type in types:
                yield node

    def at(self, root: int, reference: Reference) -> Node | None:
        """The resource that a reference names. Without an instance key, the only instance is meant."""
        address = reference.address
        found = self._by_address.get((root, address))
        if found is None and not address.endswith("]"):
            found = self._by_address.get((root, f"{address}[0]")) or self._by_address.get((root, f"{address}[*]"))
        if found is None and address.endswith("]"):
            found = self._by_address.get((root, f"{address.rpartition('[')[0]}[*]"))
        return found

    def named(self, near: Node, types: Sequence[str], name: str, group: str | None) -> Node | None:
        """The resource of one of these types by name and resource group: own root first, managed before read."""
        found: list[Node] = []
        for one in types:
            for node in self._by_name.get((one, name.lower()), ()):
                other = node.text("resource_group_name")
                if group is None or other is None or other.lower() == group.lower():
                    found.append(node)
        found.sort(key=lambda node: (node.root != near.root, not node.managed))
        if not found:
            return None
        first = found[0]
        same = [
            one
            for one in found
            if (one.root == near.root) == (first.root == near.root) and one.managed == first.managed
        ]
        return first if len(same) == 1 else None

    def same_name(self, near: Node, types: Sequence[str], value: Value) -> Node | None:
        """The only resource of these types in the same root whose name is the same unknown value."""
        reference = reference_of(value)
        if reference is None:
            return None
        found = [
            node
            for node in self.of_type(*types)
            if node.root == near.root and (name := node.value("name")) is not None and reference_of(name) == reference
        ]
        return found[0] if len(found) == 1 else None

    def possible(self, near: Node, types: Sequence[str], value: Value) -> list[Node]:
        """The resources that a name may mean where no single one is certain: none that its known text excludes."""
        wanted = candidates_of(value)
        texts = None if wanted is None else {(as_text(one) or "").lower() for one in wanted}
        begin = (prefix_of(value) or "").lower()
        group = near.text("resource_group_name")
        found: list[Node] = []
        for node in self.of_type(*types):
            other = node.text("resource_group_name")
            if group is not None and other is not None and other.lower() != group.lower():
                continue
            name = node.text("name")
            if name is None:
                held = node.value("name")
                start = (prefix_of(held) or "").lower() if held is not None else ""
                if texts is not None and not any(one.startswith(start) for one in texts):
                    continue
                if not (start.startswith(begin) or begin.startswith(start)):
                    continue
            elif not (name.lower() in texts if texts is not None else name.lower().startswith(begin)):
                continue
            found.append(node)
        return found

    # Values to trees

    def tree(self, node: Node, value: Value | None, depth: int = 0) -> Any:
        """A value as plain data: ids for references, gaps for what isn't known, text and numbers for the rest."""
        if value is None or is_null(value) or depth > _DEPTH:
            return None
        if not is_known(value):
            return self._unknown(node, value, depth)
        data = value.data
        if isinstance(data, bool | str):
            return data
        if isinstance(data, tuple):
            items: list[Any] = []
            opened: list[Reason] = []
            for one in data:
                found = self.tree(node, one, depth + 1)
                if isinstance(found, Many):
                    items += found.items
                    opened += found.open
                else:
                    items.append(found)
            return Many(tuple(items), tuple(dict.fromkeys(opened)))
        if isinstance(data, dict):
            return {name: self.tree(node, one, depth + 1) for name, one in data.items()}
        whole = as_int(value)
        return whole if whole is not None else as_text(value)

    def _unknown(self, node: Node, value: Value, depth: int) -> Any:
        reasons = unknown_reasons(value)
        pieces = pieces_of(value) or ()
        if pieces and isinstance(pieces[0], Reference):
            found = self._referred(node, pieces[0], reasons)
            whole = len(pieces) == 1
            if isinstance(found, Gap) and found.target is not None:
                length = {"/32": 32, "/128": 128}.get(str(pieces[1])) if len(pieces) == 2 else None
                if length is not None or (whole and not _loose(node)):
                    return replace(found, length=length)
            elif found is not None and whole:
                return found
        candidates = candidates_of(value)
        trees: tuple[Any, ...] | None = None
        if candidates is not None and len(candidates) <= MAX_CANDIDATES:
            trees = tuple(self.tree(node, one, depth + 1) for one in candidates)
            if any(isinstance(one, Gap) for one in trees):
                trees = None
        within = within_of(value)
        return Gap(reasons, trees, parse_cidr(within) if within else None, foreign=_foreign(reasons))

    def _referred(self, node: Node, reference: Reference, reasons: tuple[Reason, ...]) -> Any:
        target = self.at(node.root, reference)
        if target is None:
            return None
        path = tuple(str(step) for step in reference.path)
        if path in (("id",), ("resource_id",)):
            return target.id
        if target.resource.key != "*":
            for attribute, single, all_ in _ADDRESSES:
                if path[-1:] == (single,) or (path[-2:-1] == (all_,) and path[-1].isdigit()):
                    at = 0 if path[-1] == single else int(path[-1])
                    return Gap(reasons, target=target.key, attribute=attribute, at=at)
                if path[-1:] == (all_,):
                    return Gap(reasons, target=target.key, attribute=attribute)
        if target.type == "azurerm_virtual_network" and path[:1] == ("subnet",):
            names = [
                as_text(one.values["name"]) for one in target.resource.nested("subnet").items if "name" in one.values
            ]
            known = tuple(f"{target.id}/subnets/{name}" for name in names if name)
            return Gap(reasons, known) if len(known) > 1 else (known[0] if known else None)
        if target.type == "azurerm_lb" and path[:1] == ("frontend_ip_configuration",) and path[-1:] == ("id",):
            fronts = target.resource.nested("frontend_ip_configuration").items
            at = int(path[1]) if len(path) > 2 and path[1].isdigit() else 0
            if at < len(fronts) and "name" in fronts[at].values:
                return f"{target.id}/frontendIPConfigurations/{as_text(fronts[at].values['name'])}"
        return None

    def target(self, node: Node, value: Value | None) -> Node | None:
        """The resource that a value refers to by any of its attributes (`.name`, `.id`)."""
        reference = reference_of(value) if value is not None else None
        return self.at(node.root, reference) if reference is not None else None


def _foreign(reasons: tuple[Reason, ...]) -> bool:
    return bool(reasons) and all((one.code or "").startswith(_FOREIGN) for one in reasons)


def _loose(node: Node) -> bool:
    """Whether a plan without its configuration tells what a value refers to, but not whether it is more than that."""
    return node.kind == "plan" and node.resource.origin.line is None


def is_unknown(value: Value | None) -> bool:
    """Whether an attribute is set to something that isn't known."""
    return value is not None and isinstance(value.data, Unknown)
