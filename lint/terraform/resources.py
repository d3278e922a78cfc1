"""What the Terraform room hands to the clouds: evaluated resources, whatever source they came from.

HCL, plan JSON and state JSON all end here. Clouds read resources only through this module and `values`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lint.origin import Origin, Reason
from lint.terraform.types import DYNAMIC
from lint.terraform.values import Reference, Unknown, Value, as_text, items, unknown_reasons


@dataclass(frozen=True, slots=True)
class Nested:
    """One element of a nested block or of an attribute that Terraform also lets one write as blocks.

    `values` maps attribute names to values, an absent attribute is not in it (or null). `blocks` holds blocks nested
    deeper. `origin` is the block (or the element of the tuple, or failing that the attribute) that makes it;
    `origins` gives the place of each single attribute where one is known. `certain` is False for the one element that
    stands for an unknown number of blocks (a `dynamic` whose `for_each` is unknown): then its values may be unknown,
    and `reasons` says why.
    """

    values: Mapping[str, Value]
    blocks: Mapping[str, tuple[Nested, ...]]
    origin: Origin
    origins: Mapping[str, Origin] = field(default_factory=dict)
    certain: bool = True
    reasons: tuple[Reason, ...] = ()
    open_blocks: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)

    def nested(self, name: str) -> NestedList:
        """All elements of a block nested deeper, however it is written; the same meaning as `Resource.nested`."""
        return _nested_list(name, self.values, self.blocks, self.open_blocks, self.origin, self.origins)


@dataclass(frozen=True, slots=True)
class NestedList:
    """All elements of one nested block type of a resource.

    `items` in the order in which they stand. `configured` is False where the resource says nothing of it (neither block
    nor attribute; `ingress = []` is configured). `open` is not empty where there may be further elements than `items`,
    or where nothing is known of them, and says why.
    """

    items: tuple[Nested, ...]
    configured: bool
    open: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """One instance of a resource or data source, evaluated.

    `address` is Terraform's own (`module.a["x"].aws_security_group.b[0]`, `data.aws_vpc.main`). `values` holds what the
    source determines: from HCL what the configuration sets (unset attributes are absent), from a plan or state all that
    the provider returned. An attribute that is computed and unset is not in `values` of an HCL resource: `get` answers
    it with an unknown that carries a reference to this resource.
    `exists` is False where it isn't known whether the instance exists at all (its `count` or `for_each`, or that of a
    module around it, is unknown; `key` is then "*" and the address has `[*]`); `reasons` says why. `provider` is the
    local name with alias (`aws.west`).
    `provider_values` are the provider block's own evaluated attributes (region, assume_role …), as far as known.
    """

    address: str
    mode: str  # "managed" or "data"
    type: str
    name: str
    key: str | int | None
    module: str  # address of the module instance, "" for the root module
    provider: str
    provider_values: Mapping[str, Value]
    values: Mapping[str, Value]
    blocks: Mapping[str, tuple[Nested, ...]]
    open_blocks: Mapping[str, tuple[Reason, ...]]
    origin: Origin
    origins: Mapping[str, Origin]
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    comments: tuple[str, ...] = ()  # the comment lines directly above and inside the block, without their markers
    computed: bool = True  # True (HCL): absent attributes are unknown; False (plan, state): absent is null
    unset: frozenset[str] = frozenset()  # plan: attributes that nothing sets and that are known only after apply

    def get(self, name: str) -> Value:
        """The value of an attribute: as set; else unknown with a reference to this resource; from a state, else null.

        An attribute that the configuration sets to null is unset for Terraform, and so it is here.
        """
        value = self.values.get(name)
        if value is not None and (value.data is not None or not self.computed):
            return value
        if not self.computed and name not in self.unset:
            return Value(DYNAMIC, None)
        reason = Reason(
            text=f"{self.address}.{name} is known only after apply",
            code=f"tf.computed:{self.type}.{name}",
            origin=self.origin,
        )
        return Value(DYNAMIC, Unknown(reasons=(reason,), reference=Reference(self.address, (name,))))

    def nested(self, name: str) -> NestedList:
        """All elements of a nested block, written as blocks, by `dynamic`, as an attribute of objects, or as JSON."""
        return _nested_list(name, self.values, self.blocks, self.open_blocks, self.origin, self.origins)

    def left_alone(self, name: str) -> tuple[Reason, ...]:
        """Why what is there may be more than a configuration says of an attribute: it ignores its changes."""
        if not self.computed or self.mode == "data":
            return ()
        found: list[Reason] = []
        for lifecycle in self.blocks.get("lifecycle", ()):
            value = lifecycle.values.get("ignore_changes")
            listed = (items(value) or (value,)) if value is not None else ()
            named = [as_text(one) or "" for one in listed]
            if any(one == "all" or one.partition(".")[0].partition("[")[0] == name for one in named):
                text = f"{self.address} ignores changes of {name}, so more may be there than the configuration says"
                found.append(Reason(text, "tf.ignore-changes", lifecycle.origin, "give a plan, a state or the account"))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What exists in a source and what was evaluated of it; the two must agree, or the source is incomplete."""

    files: int
    files_read: int
    modules_called: int
    modules_evaluated: int
    resources_seen: int
    unknown: int  # values of resources that stayed unknown although the configuration sets them


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A message to a person about the source: a file that can't be parsed, a failing validation, a budget spent.

    `severity` is "error" (the source is wrong: the run ends with status 2), "incomplete" (there may be resources that
    aren't listed, or values that a budget cut off: verdicts that depend on them are undetermined) or "warning" (what it
    speaks of is unknown in `resources` and says why there, or makes no difference).
    """

    severity: str
    text: str
    origin: Origin | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment line of a file without its marker: its line (from 1), text, and whether it has the line to itself."""

    line: int
    text: str
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One root module, plan or state, evaluated: all its resources and data sources in a stable order."""

    root: str  # directory or file, as given
    kind: str  # "terraform", "plan" or "state"
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Value]
    diagnostics: tuple[Diagnostic, ...]
    coverage: Coverage
    comments: Mapping[str, tuple[Comment, ...]] = field(default_factory=dict)  # by file, in order of their lines
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # version constraints by provider (`azurerm`)

    @property
    def complete(self) -> bool:
        """Whether everything that exists was read and evaluated (unknown values do not count against it)."""
        return not any(d.severity in ("error", "incomplete") for d in self.diagnostics)


def _nested_list(
    name: str,
    values: Mapping[str, Value],
    blocks: Mapping[str, tuple[Nested, ...]],
    open_blocks: Mapping[str, tuple[Reason, ...]],
    origin: Origin,
    origins: Mapping[str, Origin],
) -> NestedList:
    """The blocks of that name and, behind them, the elements of the attribute of that name."""
    items = list(blocks.get(name, ()))
    reasons = list(open_blocks.get(name, ()))
    value = values.get(name)
    configured = bool(items) or bool(reasons) or name in blocks or (value is not None and value.data is not None)
    if value is not None:
        places: list[Origin] = []
        while (place := origins.get(f"{name}[{len(places)}]")) is not None:
            places.append(place)
        more, unknown = elements(value, origins.get(name, origin), places)
        items.extend(more)
        reasons.extend(unknown)
    return NestedList(tuple(items), configured, tuple(dict.fromkeys(reasons)))


def elements(
    value: Value, origin: Origin, places: Iterable[Origin] = ()
) -> tuple[tuple[Nested, ...], tuple[Reason, ...]]:
    """The objects that a value of objects holds, as elements of a block; and why there may be others.

    `value` is a list, set or tuple of objects, or one object (JSON writes a single block so). An element that isn't
    known makes the list open. `places` are the places of the elements, where the attribute is a literal tuple.
    """
    data = value.data
    if data is None:
        return (), ()
    if isinstance(data, Unknown):
        return (), data.reasons
    if isinstance(data, dict):
        return (Nested(data, {}, origin),), ()
    if not isinstance(data, tuple):
        return (), ()
    spots = tuple(places)
    found: list[Nested] = []
    reasons: list[Reason] = []
    for index, element in enumerate(data):
        if isinstance(element.data, Unknown):
            reasons.extend(element.data.reasons)
        elif isinstance(element.data, dict):
            found.append(Nested(element.data, {}, spots[index] if index < len(spots) else origin))
    return tuple(found), tuple(reasons)


def count_unknown(values: Mapping[str, Value], blocks: Mapping[str, tuple[Nested, ...]]) -> int:
    """How many arguments are set and not wholly known.

    What only refers to another resource's computed attribute doesn't count: it is known what it refers to.
    """
    count = sum(not value.known and _open(value) for value in values.values())
    return count + sum(count_unknown(n.values, n.blocks) for found in blocks.values() for n in found)


def _open(value: Value) -> bool:
    return any(not (reason.code or "").startswith("tf.computed:") for reason in unknown_reasons(value))
