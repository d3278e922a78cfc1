"""The shape in which both readers hand resources on: ARM property trees in which a value may be missing for a reason.

A dump gives such trees as they are; Terraform resources are translated to them. So everything behind this module reads
one format. A leaf is text, number, bool or None, or a `Gap`; a mapping is a plain dict or a `Part` with its own origin;
a list is a plain list or a `Many` that may have more elements than are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lint.origin import Origin, Reason
from lint.space.intervals import IntervalSet

if TYPE_CHECKING:
    from lint.azure.coverage import Missing

PROVISIONAL = "tf:"  # begins the identity of a Terraform resource that has no ARM id yet


@dataclass(frozen=True, slots=True)
class Gap:
    """A value that the source doesn't determine. `candidates`: certainly one of these; `within`: an address in here.

    `target` and `attribute` name the resource attribute that it will be, if it is one: the one that counts `at` where
    it has several and not all are meant, with a prefix of `length` bits behind it where one is written.
    """

    reasons: tuple[Reason, ...]
    candidates: tuple[Any, ...] | None = None
    within: IntervalSet | None = None
    target: str | None = None
    attribute: str = ""
    at: int | None = None
    length: int | None = None
    foreign: bool = False  # comes from outside the source, so it can't be a thing of this source


@dataclass(frozen=True, slots=True)
class Part:
    """A nested object with its own place in the source; `exists` False where it isn't certain that it is there."""

    fields: Mapping[str, Any]
    origin: Origin
    exists: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Many:
    """A list with its elements and why there may be more."""

    items: tuple[Any, ...]
    open: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One resource. `type` is the ARM type in lower case, `key` its identity, `ids` all spellings that refer to it
    (canonical).
    """

    type: str
    key: str
    name: str
    properties: Mapping[str, Any]
    origin: Origin
    ids: tuple[str, ...] = ()
    subscription: str | None = None
    group: str | None = None  # resource group
    location: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    tags_open: tuple[Reason, ...] = ()
    sku: Any = None
    parent: str | None = None  # id of the resource that this one is a child of
    api_version: str | None = None
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    partial: tuple[Reason, ...] = ()  # not empty: attributes that are not in `properties` aren't known
    source: str = "dump"  # dump, template, terraform, plan, state
    lines: Mapping[str, int] = field(default_factory=dict)  # of its file: where each id stands first


@dataclass(frozen=True, slots=True)
class Association:
    """Two resources joined by a third (Terraform's association resources). `kind` is `subnet.group` and the like.

    `first` and `second` are ids or Gaps; `detail` is what the kind needs beside them (an ip configuration's name).
    """

    kind: str
    first: Any
    second: Any
    origin: Origin
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    detail: Any = None


@dataclass(frozen=True, slots=True)
class Records:
    """All that a reader found, before anything is joined."""

    records: tuple[Record, ...]
    associations: tuple[Association, ...] = ()
    problems: tuple[Reason, ...] = ()
    incomplete: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    tag_documents: tuple[tuple[Any, Origin], ...] = ()
    closed: bool = True  # False: a resource type that isn't there may simply not have been collected
    partial_types: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)  # ARM types read in part
    seen_types: frozenset[str] = frozenset()
    missing: tuple[Missing, ...] = ()  # calls of a collector that failed


def canonical(identity: str) -> str:
    """An id as a key: lower case without trailing slash.

    Azure echoes ids in unstable case (azure-rest-api-specs issue 8309).
    """
    text = identity.strip()
    if text.startswith(PROVISIONAL):
        return text
    return text.rstrip("/").lower()


def type_of(identity: str) -> str:
    """`microsoft.network/virtualnetworks/subnets` for the id of a subnet; "" where the text is no ARM id."""
    lowered = identity.lower()
    _, found, tail = lowered.rpartition("/providers/")
    if not found:
        return ""
    segments = [segment for segment in tail.split("/") if segment]
    return "/".join([*segments[:1], *segments[1::2]])


def segment_of(identity: str, name: str) -> str | None:
    """The segment behind `name` in an id: `segment_of(id, "resourceGroups")`."""
    segments = identity.split("/")
    wanted = name.lower()
    for at, segment in enumerate(segments[:-1]):
        if segment.lower() == wanted:
            return segments[at + 1] or None
    return None


def last_segment(identity: str) -> str:
    """The name at the end of an id."""
    return identity.rstrip("/").rpartition("/")[2]


def parent_of(identity: str) -> str:
    """The id without its last type and name."""
    return identity.rstrip("/").rpartition("/")[0].rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class View:
    """A reading of one mapping: its own fields, and those under `properties`, which are the same thing in REST and
    CLI output.

    `partial` not empty: a field that isn't there isn't known (a data source, an update resource).
    """

    data: Mapping[str, Any]
    origin: Origin
    exists: bool = True
    reasons: tuple[Reason, ...] = ()
    partial: tuple[Reason, ...] = ()

    def raw(self, name: str) -> Any:
        """The value as it stands; a Gap where the source doesn't show the field; None where it is absent."""
        nested = self.data.get("properties")
        if isinstance(nested, Part):
            nested = nested.fields
        if isinstance(nested, Gap):
            return self.data.get(name, nested)
        held = nested if isinstance(nested, Mapping) and name in nested else self.data
        value = held.get(name)
        return Gap(self.partial) if value is None and self.partial else value

    def text(self, name: str) -> str | Gap | None:
        """A text; numbers count as their digits; empty text is absent."""
        value = self.raw(name)
        if isinstance(value, Gap):
            return value
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, int | float):
            return str(value)
        return value if isinstance(value, str) and value != "" else None

    def flag(self, name: str) -> bool | Gap | None:
        """A bool, also written as text."""
        value = self.raw(name)
        if isinstance(value, Gap | bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        return None

    def number(self, name: str) -> int | Gap | None:
        """A whole number, also written as text. Raises ValueError for anything else that is there."""
        value = self.raw(name)
        if isinstance(value, Gap):
            return value
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            raise ValueError(f"`{value}` is not a number")
        if isinstance(value, int) and abs(value) < 10**9:
            return value
        text = str(value).strip()
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 10:
            return int(text)
        raise ValueError(f"`{text[:40]}` is not a whole number")

    def part(self, name: str) -> View | Gap | None:
        """A nested object."""
        value = self.raw(name)
        return value if isinstance(value, Gap) else self._view(value)

    def parts(self, name: str) -> tuple[tuple[View, ...], tuple[Reason, ...]]:
        """A list of objects, and why there may be more."""
        values, more = self.values(name)
        found: list[View] = []
        reasons = list(more)
        for value in values:
            if isinstance(value, Gap):
                reasons += value.reasons
                continue
            view = self._view(value)
            if view is not None:
                found.append(view)
            else:
                reasons.append(malformed(name, self.origin))
        return tuple(found), tuple(reasons)

    def values(self, name: str) -> tuple[tuple[Any, ...], tuple[Reason, ...]]:
        """The elements of a list of any kind, and why there may be more. A single value is a list of one."""
        value = self.raw(name)
        if value is None or value == "":
            return (), ()
        if isinstance(value, Gap):
            return (), value.reasons
        if isinstance(value, Many):
            return value.items, value.open
        if isinstance(value, list | tuple):
            return tuple(value), ()
        return (value,), ()

    def identity(self, name: str) -> str | Gap | None:
        """The id in `name: {"id": ...}`, or in `name` itself where that is text."""
        return identity_in(self.raw(name), name, self.origin)

    def identities(self, name: str) -> tuple[tuple[str | Gap, ...], tuple[Reason, ...]]:
        """The ids of a list of references, and why there may be more."""
        values, more = self.values(name)
        found = [identity_in(value, name, self.origin) for value in values]
        return tuple(one for one in found if one is not None), more

    def _view(self, value: Any) -> View | None:
        if isinstance(value, Part):
            return View(value.fields, value.origin, value.exists, value.reasons)
        if isinstance(value, Mapping):
            return View(value, self.origin)
        return None


def identity_in(value: Any, name: str, origin: Origin) -> str | Gap | None:
    """The id of a reference object, or a text that is the id itself; None where nothing is there.

    Something that is there and names nothing is a Gap: it isn't nothing.
    """
    if isinstance(value, Part):
        value = value.fields
    if value is None or value == "":
        return None
    if isinstance(value, Mapping):
        value = value.get("id")
    if isinstance(value, Gap):
        return value
    return value if isinstance(value, str) and value.strip() else Gap((malformed(name, origin),))


def malformed(name: str, origin: Origin) -> Reason:
    """Why something that is there can't be read."""
    return Reason(f"a value under `{name}` is not what Azure writes there", "azure.malformed", origin, "correct it")


def view(record: Record) -> View:
    """The properties of a record, ready to read."""
    return View(record.properties, record.origin, record.exists, record.reasons, record.partial)


def walk(value: Any) -> Iterator[Any]:
    """Every leaf and node of a tree, without recursion."""
    stack = [value]
    while stack:
        one = stack.pop()
        yield one
        if isinstance(one, Part):
            stack.extend(one.fields.values())
        elif isinstance(one, Mapping):
            stack.extend(one.values())
        elif isinstance(one, Many):
            stack.extend(one.items)
        elif isinstance(one, list | tuple):
            stack.extend(one)


def reasons_in(values: Iterable[Any]) -> tuple[Reason, ...]:
    """The reasons of all gaps among the values, each once, in order."""
    found: dict[Reason, None] = {}
    for value in values:
        if isinstance(value, Gap):
            found.update(dict.fromkeys(value.reasons))
    return tuple(found)
