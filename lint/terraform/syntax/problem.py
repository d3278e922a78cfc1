"""What is wrong with a file's text and where: the one error that reading Terraform syntax raises."""

from __future__ import annotations


class SyntaxProblem(Exception):
    """Text that isn't valid Terraform: line and column from 1, what was found (`text`), what to do (`hint`)."""

    def __init__(self, file: str, line: int, column: int, text: str, hint: str = "") -> None:
        super().__init__(file, line, column, text, hint)
        self.file = file
        self.line = line
        self.column = column
        self.text = text
        self.hint = hint

    def __str__(self) -> str:
        tail = f"; {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.text}{tail}"
