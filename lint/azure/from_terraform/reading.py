"""All resources of all roots as records: what they have in common, and which room translates which type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lint.azure.from_terraform import azapi, balancers, machines, managers, networks
from lint.azure.from_terraform.nodes import Node, Nodes, is_unknown
from lint.azure.records import Association, Gap, Many, Part, Record, Records, parent_of, segment_of
from lint.origin import Origin, Reason
from lint.terraform.requirements import bounds
from lint.terraform.resources import Evaluation, Nested, NestedList
from lint.terraform.values import Value, as_text, entries, is_known, unknown_reasons

MAX_SUPPOSED = 20_000  # records of children under parents that they may have
Names = Mapping[str, str]  # Terraform attribute: ARM property


class Reading:
    """The records found so far, with what each room needs to make its own."""

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        self.nodes = Nodes(evaluations)
        self._versions = [bounds(one.required.get("azurerm", ())) for one in evaluations]
        self.found: list[Record] = []
        self.associations: list[Association] = []
        self.problems: list[Reason] = []
        self.notes: dict[str, None] = {}
        self.tag_documents: list[tuple[Any, Origin]] = []
        self._supposed = 0  # children kept under each of several possible parents
        self.incomplete: tuple[Reason, ...] = ()

    def records(self) -> Records:
        """Everything, translated."""
        rooms: Mapping[str, Callable[[Reading, Node], None]] = {
            **networks.ROOMS,
            **machines.ROOMS,
            **balancers.ROOMS,
            **managers.ROOMS,
            **azapi.ROOMS,
        }
        for node in self.nodes.all:
            room = rooms.get(node.type)
            if room is not None:
                room(self, node)
        azapi.overlay(self)
        return Records(
            records=tuple(self.found),
            associations=tuple(self.associations),
            problems=tuple(self.problems),
            incomplete=self.incomplete,
            notes=tuple(self.notes),
            tag_documents=tuple(self.tag_documents),
            closed=True,
        )

    def add(
        self,
        node: Node,
        kind: str,
        properties: Mapping[str, Any],
        *,
        parent: str | Gap | None = None,
        sku: Any = None,
        location: str | None = None,
    ) -> Record:
        """Keep one resource. A data source that wasn't read is partial: what it doesn't show isn't known."""
        resource = node.resource
        partial: tuple[Reason, ...] = ()
        if not node.managed and resource.computed:
            partial = (
                Reason(
                    f"{resource.address} is only looked up, and what it is isn't in the configuration",
                    f"tf.data:{resource.address}",
                    resource.origin,
                    "give a plan or state, or the source that holds it",
                ),
            )
        real = node.text("id")
        ids = (node.id,) + ((real,) if real and "/" in real and not real.startswith(node.id) else ())
        if kind.startswith("netpact/"):
            ids = (node.id,)
        tags, tags_open = self._tags(node)
        subscription = segment_of(real or "", "subscriptions")
        if subscription is None:
            held = resource.provider_values.get("subscription_id")
            subscription = as_text(held) if held is not None else None
        record = Record(
            type=kind,
            key=node.key,
            name=node.text("name") or resource.name,
            properties={name: value for name, value in properties.items() if value is not None},
            origin=resource.origin,
            ids=ids,
            subscription=subscription,
            group=node.text("resource_group_name"),
            location=location or node.text("location"),
            tags=tags,
            tags_open=tags_open,
            sku=sku,
            parent=parent if isinstance(parent, str) else None,
            exists=resource.exists,
            reasons=resource.reasons,
            partial=partial,
            source=node.kind,
        )
        self.found.append(record)
        return record

    def _tags(self, node: Node) -> tuple[tuple[tuple[str, str], ...], tuple[Reason, ...]]:
        value = node.value("tags")
        if value is None:
            return (), ()
        held = entries(value)
        if held is None:
            return (), unknown_reasons(value)
        known = tuple((name, as_text(one) or "") for name, one in held.items() if is_known(one))
        return known, tuple(dict.fromkeys(r for one in held.values() for r in unknown_reasons(one)))

    def since(self, node: Node, major: int) -> bool | None:
        """Whether the azurerm provider of a configuration is of this major version or newer; None: not known."""
        low, high = self._versions[node.root]
        if node.kind != "terraform" or not node.managed:
            return None
        if low >= (major, 0, 0):
            return True
        return False if high <= (major, 0, 0) else None

    def default_sku(self, node: Node) -> Any:
        """The SKU as set; else by the provider's version: Standard since 4.0, Basic before (4.0 upgrade guide)."""
        found = self.get(node, "sku")
        newer = self.since(node, 4)
        return found if found is not None or newer is None else ("Standard" if newer else "Basic")

    # Trees

    def get(self, node: Node, name: str) -> Any:
        """An attribute as a tree; None where it isn't set."""
        return self.nodes.tree(node, node.value(name))

    def fields(self, node: Node, names: Names) -> dict[str, Any]:
        """Attributes of a resource under their ARM names."""
        return {arm: self.get(node, name) for name, arm in names.items()}

    def part(self, node: Node, nested: Nested, names: Names, **more: Any) -> Part:
        """A nested block under ARM names; its rules keep the block's own place."""
        fields = {arm: self.nodes.tree(node, _set(nested.values.get(name))) for name, arm in names.items()}
        known = {name: value for name, value in {**fields, **more}.items() if value is not None}
        return Part(known, nested.origin, nested.certain, nested.reasons)

    def many(self, node: Node, name: str, names: Names) -> Many | None:
        """All blocks of a name; None where the resource says nothing of them."""
        return self.listed(node, node.resource.nested(name), names)

    def listed(self, node: Node, found: NestedList, names: Names) -> Many | None:
        """The same for blocks that were found already."""
        if not found.configured and not found.open:
            return None
        return Many(tuple(self.part(node, one, names) for one in found.items), found.open)

    def inner(self, node: Node, nested: Nested, name: str, names: Names) -> Many:
        """The blocks inside a block, or the objects of an attribute of it."""
        held = nested.blocks.get(name)
        if held is not None:
            return Many(tuple(self.part(node, one, names) for one in held))
        value = nested.values.get(name)
        if value is None or value.data is None:
            return Many(())
        if not is_known(value):
            return Many((), unknown_reasons(value))
        from lint.terraform.resources import elements

        items, opened = elements(value, nested.origins.get(name, nested.origin))
        return Many(tuple(self.part(node, one, names) for one in items), opened)

    def parent(self, node: Node, types: Sequence[str], attribute: str, arm: str) -> str | Gap | None:
        """The id of the parent, which a resource names by `attribute` and resource group, or by its own real id."""
        real = node.text("id")
        if real and real.startswith("/") and node.managed and "/providers/" in real:
            held = self._held(node, types, attribute)
            return held.id if held is not None else parent_of(real)
        value = node.value(attribute)
        held = self._held(node, types, attribute)
        if held is not None:
            return held.id
        if value is None:
            return f"{node.id}#parent"
        if is_unknown(value):
            tree = self.nodes.tree(node, value)
            if isinstance(tree, Gap):
                return f"{node.id}#parent" if tree.foreign else tree
        name = as_text(value) or "?"
        group = node.text("resource_group_name") or "?"
        held_subscription = node.resource.provider_values.get("subscription_id")
        subscription = as_text(held_subscription) if held_subscription is not None else None
        return f"/subscriptions/{subscription or '?'}/resourceGroups/{group}/providers/{arm}/{name}"

    def add_child(
        self, node: Node, kind: str, properties: Mapping[str, Any], types: Sequence[str], attribute: str, arm: str
    ) -> None:
        """Keep a resource that names its parent. Where several things may be meant, each may have it."""
        value = node.value(attribute)
        real = node.text("id")
        settled = value is None or (real and "/providers/" in real) or self._held(node, types, attribute) is not None
        among = [] if settled or value is None else self.nodes.possible(node, types, value)
        if not among:
            parent = self.parent(node, types, attribute, arm)
            self.add(node, kind, properties, parent=f"{node.id}#parent" if isinstance(parent, Gap) else parent)
            return
        resource = node.resource
        self._supposed += len(among)
        if self._supposed > MAX_SUPPOSED:
            reason = Reason(
                f"what {resource.address} belongs to isn't known, and there are too many things that it may be",
                "source.incomplete",
                resource.origin,
                f"give {attribute} a value",
            )
            self.incomplete = (*self.incomplete, reason)
            return
        said = Reason(
            f"which resource {attribute} of {resource.address} names isn't known",
            f"tf.unknown:{attribute}",
            resource.origins.get(attribute, resource.origin),
            f"give {attribute} a value, or refer to the resource by it",
        )
        reasons = tuple(dict.fromkeys((*resource.reasons, *unknown_reasons(value), said))) if value else (said,)
        for one in among:
            made = self.add(node, kind, properties, parent=one.id)
            self.found[-1] = replace(made, key=f"{node.key}@{one.key}", ids=(), exists=False, reasons=reasons)

    def _held(self, node: Node, types: Sequence[str], attribute: str) -> Node | None:
        value = node.value(attribute)
        target = self.nodes.target(node, value)
        if target is not None and target.type in types:
            return target
        if value is not None and is_unknown(value):
            return self.nodes.same_name(node, types, value)
        name = as_text(value) if value is not None else None
        return self.nodes.named(node, types, name, node.text("resource_group_name")) if name else None

    def identity(self, node: Node, attribute: str) -> str | Gap | None:
        """The id that an attribute holds."""
        tree = self.get(node, attribute)
        return tree if isinstance(tree, str | Gap) else None

    def associate(self, node: Node, kind: str, first: str, second: str, detail: Any = None) -> None:
        """Keep one association resource."""
        self.associations.append(
            Association(
                kind,
                self.identity(node, first),
                self.identity(node, second),
                node.resource.origin,
                node.resource.exists,
                node.resource.reasons,
                detail,
            )
        )

    def extend(self, key: str, field: str, items: tuple[Any, ...]) -> None:
        """Add elements to a list of a record that is there already, or will not be looked at again."""
        for at, record in enumerate(self.found):
            if record.key == key:
                held = record.properties.get(field)
                before = held.items if isinstance(held, Many) else ()
                opened = held.open if isinstance(held, Many) else ()
                self.found[at] = replace(
                    record, properties={**record.properties, field: Many((*before, *items), opened)}
                )


def _set(value: Value | None) -> Value | None:
    return None if value is None or value.data is None else value
