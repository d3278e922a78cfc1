"""Values of the Terraform language with types, unknowns and marks (Terraform's own model is cty).

A Value is immutable. `data` by type: bool; Decimal-exact number (`fractions.Fraction` or `decimal.Decimal`, one of them
everywhere); str (NFC); tuple of Values for list, set (in Terraform's order) and tuple; dict name -> Value for map and
object; None for null; an Unknown for a value that the source doesn't determine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lint.origin import Reason


@dataclass(frozen=True, slots=True)
class Reference:
    """The identity that an unknown value still has: attribute path `path` of the resource at `address`.

    `Reference("aws_security_group.a", ("id",))` is what `aws_security_group.a.id` gives before apply. It survives
    locals, variables, outputs, modules and functions that pass a value on.
    """

    address: str
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """What stands in `Value.data` where a value isn't known: why, and what is known of it all the same.

    `reference` is the resource attribute it will be, if it is one. `candidates`: it is certainly one of these values.
    `within`: a CIDR that certainly holds it (the value is an address or CIDR text). `prefix`: text it certainly starts with. `not_null` as in cty.
    """

    reasons: tuple[Reason, ...]
    reference: Reference | None = None
    candidates: tuple[Value, ...] | None = None
    within: str | None = None
    prefix: str | None = None
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its type (see `types`), its data and its marks ("sensitive", "ephemeral")."""

    type: Any
    data: Any
    marks: frozenset[str] = frozenset()
