"""What an expression is evaluated in: names, files, a budget. Knows how to ask for a name, not where its value lies.

The loader gives the names: a root (`var`, `local`, `aws_instance` …) is a Value, or a Namespace that answers attribute
by attribute, so that a local is evaluated only when something asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from lint.origin import Origin, Reason
from lint.terraform.budget import Budget
from lint.terraform.files import Files
from lint.terraform.syntax.tree import Span
from lint.terraform.types import DYNAMIC, Type
from lint.terraform.values import Value


class EvaluationProblem(Exception):
    """An expression that Terraform would refuse: a sentence and the place. `try` and `can` catch it.

    `kind` is the type that the expression has all the same, as far as that is certain.
    """

    def __init__(self, text: str, span: Span, kind: Type = DYNAMIC) -> None:
        super().__init__(text)
        self.text = text
        self.span = span
        self.kind = kind

    def as_a(self, kind: Type) -> EvaluationProblem:
        """The same problem, as that of an expression around it, whose type is `kind`."""
        self.kind = kind
        return self

    def __str__(self) -> str:
        return f"{self.span.file}:{self.span.line}:{self.span.column}: {self.text}"


class UndeclaredName(EvaluationProblem):
    """A name that nothing declares: wrong whatever the values are, so `try` and `can` don't catch it."""


class Namespace(Protocol):
    """A name whose attributes are looked up one by one (`local`, `var`, `module.network`, `data.aws_vpc`)."""

    def attribute(self, name: str, span: Span) -> Value | Namespace:
        """The value, or the next namespace. Raises UndeclaredName where there is no such attribute."""
        ...

    def value(self, span: Span) -> Value:
        """All of it as one value (as `keys(module.network)` needs). Raises EvaluationProblem."""
        ...


@runtime_checkable
class IndexedNamespace(Namespace, Protocol):
    """A namespace whose elements are looked up one by one as well (`module.network["a"]`)."""

    def element(self, key: Value, span: Span) -> Value | Namespace:
        """The value, or the next namespace, under a key. Raises EvaluationProblem where there is none."""
        ...


Resolver = Callable[[str, Span], "Value | Namespace"]
"""Gives the root of a reference by its name. Raises UndeclaredName."""

Check = Callable[[tuple[str, ...], Span], None]
"""Raises UndeclaredName where the names at the start of a reference (`("local", "x")`) are declared nowhere.

It is asked for every reference of an expression before the expression is evaluated, whether or not a value is needed.
"""


@dataclass(slots=True)
class Scope:
    """Everything that an expression can see.

    `directory` is where relative paths start (the root module's). `short_circuit`: `&&` and `||` leave their right side
    alone where the left one decides, as Terraform does since 1.12.
    """

    resolve: Resolver
    files: Files | None = None
    directory: Path = field(default_factory=Path)
    budget: Budget = field(default_factory=Budget)
    check: Check | None = None
    template: str = ""  # "file" or "string" inside templatefile or templatestring, which bar some functions
    short_circuit: bool = False


def no_names(name: str, span: Span) -> Value:
    """A resolver that knows no name at all."""
    raise UndeclaredName(f'There is no variable named "{name}" here', span)


def fixed(names: Mapping[str, Value | Namespace]) -> Resolver:
    """A resolver of fixed names, for tests and for templates."""

    def resolve(name: str, span: Span) -> Value | Namespace:
        found = names.get(name)
        if found is None:
            raise UndeclaredName(f'There is no variable named "{name}" here', span)
        return found

    return resolve


def origin_of(span: Span) -> Origin:
    """The place of an expression as an origin."""
    return Origin(
        file=span.file,
        line=span.line,
        end_line=span.end_line,
        column=span.column,
        start_byte=span.start,
        end_byte=span.end,
    )


def reason_at(text: str, span: Span, code: str | None = None, remedy: str | None = None) -> Reason:
    """A reason with the place of an expression."""
    return Reason(text, code, origin_of(span), remedy)
