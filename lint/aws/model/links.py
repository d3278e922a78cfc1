"""How one AWS object names another, and what a person is told of input that makes no sense."""

from __future__ import annotations

from dataclasses import dataclass

from lint.origin import Reason


@dataclass(frozen=True, slots=True)
class Link:
    """Which object is meant: `id` where it is certain; else `reasons` say why not, and `candidates` (ids) bound it
    where they can.

    Neither id nor reasons: the source says that there is none.
    """

    id: str | None = None
    reasons: tuple[Reason, ...] = ()
    candidates: tuple[str, ...] | None = None

    @property
    def absent(self) -> bool:
        """Whether it is certain that no object is named."""
        return self.id is None and not self.reasons

    @property
    def possible(self) -> tuple[str, ...]:
        """Every id that it may be, as far as they can be listed."""
        if self.id is not None:
            return (self.id,)
        return self.candidates or ()


NOWHERE = Link()
