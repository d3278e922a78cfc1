"""What is wrong with a pack, said to the person who wrote it."""

from __future__ import annotations


class PackProblem(ValueError):
    """One mistake in a pack file: where (file, line from 1, column from 1; None where no place can be named), what,
    and what to do about it.

    A file with several mistakes raises the first; `every` then holds all of them, the first included.
    """

    def __init__(self, file: str, line: int | None, text: str, remedy: str = "", column: int | None = None) -> None:
        super().__init__(text)
        self.file = file
        self.line = line
        self.column = column
        self.text = text
        self.remedy = remedy
        self.every: tuple[PackProblem, ...] = (self,)

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.text}" + (f"; {self.remedy}" if self.remedy else "")


class UnknownPack(ValueError):
    """No pack has that id; the message names those that are near, or all."""
