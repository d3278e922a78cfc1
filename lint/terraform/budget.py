"""How much an evaluation may cost: steps, sizes, depth. Knows no expressions; what is over becomes unknown and is said.

Terraform itself has no such bounds, so each is far beyond what configurations need. A bound that is hit makes the one
expression unknown, with a reason; everything else is evaluated all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lint.terraform.syntax.tree import Span

RECURSION_LIMIT = 12_000
"""Python frames while an expression is evaluated; frames of Python code take no room on the machine's own stack."""


class BudgetSpent(Exception):
    """An evaluation that costs more than its budget; `text` says which bound was hit."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds. Steps are visited nodes and made elements; lengths are characters; sizes are values, counted deep."""

    steps: int = 400_000
    total_steps: int = 60_000_000
    elements: int = 100_000
    text: int = 4_000_000
    size: int = 600_000
    depth: int = 150
    height: int = 1_200
    nested: int = 250
    template_depth: int = 20


@dataclass(frozen=True, slots=True)
class Overrun:
    """One expression that went over a bound, for a report."""

    text: str
    span: Span


@dataclass(slots=True)
class Budget:
    """What is left in one evaluation of a root module, and which expressions went over."""

    limits: Limits = field(default_factory=Limits)
    overruns: list[Overrun] = field(default_factory=list)
    left: int = 0  # steps of the expression at hand
    total: int = 0  # steps spent so far
    nested: int = 0  # expressions that wait for another one's value
    templates: int = 0  # template files inside one another

    def spend(self, steps: int = 1) -> None:
        """Take steps from the expression at hand. Raises BudgetSpent."""
        self.left -= steps
        if self.left < 0:
            raise BudgetSpent(f"the expression needs more than {self.limits.steps:,} steps")

    def elements(self, count: int) -> None:
        """Make room for a collection of so many elements. Raises BudgetSpent."""
        if count > self.limits.elements:
            raise BudgetSpent(f"a collection of more than {self.limits.elements:,} elements isn't built")
        self.spend(count)

    def text(self, length: int) -> None:
        """Make room for a text of so many characters. Raises BudgetSpent."""
        if length > self.limits.text:
            raise BudgetSpent(f"a text of more than {self.limits.text:,} characters isn't built")
        self.left -= length >> 6

    def value(self, size: int, depth: int) -> None:
        """Accept a value of so many parts, nested so deep. Raises BudgetSpent."""
        if size > self.limits.size:
            raise BudgetSpent(f"a value of more than {self.limits.size:,} parts isn't built")
        if depth > self.limits.depth:
            raise BudgetSpent(f"a value nested deeper than {self.limits.depth} isn't built")

    @contextmanager
    def expression(self) -> Iterator[None]:
        """One expression's share: its own steps, taken from the total as well. Raises BudgetSpent."""
        if self.total > self.limits.total_steps:
            raise BudgetSpent(f"the configuration needs more than {self.limits.total_steps:,} steps")
        if self.nested >= self.limits.nested:
            raise BudgetSpent(f"more than {self.limits.nested} expressions wait for each other's values")
        kept, self.left = self.left, self.limits.steps
        self.nested += 1
        frames = sys.getrecursionlimit()
        if self.nested == 1 and frames < RECURSION_LIMIT:
            sys.setrecursionlimit(RECURSION_LIMIT)
        try:
            yield
        finally:
            self.nested -= 1
            self.total += self.limits.steps - self.left
            self.left = kept
            if self.nested == 0 and frames < RECURSION_LIMIT:
                sys.setrecursionlimit(frames)

    @contextmanager
    def template(self) -> Iterator[None]:
        """One template file or text inside another. Raises BudgetSpent."""
        if self.templates >= self.limits.template_depth:
            raise BudgetSpent(f"templates are nested deeper than {self.limits.template_depth}")
        self.templates += 1
        try:
            yield
        finally:
            self.templates -= 1
