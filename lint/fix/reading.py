"""Remembers the files of a configuration as they were first read, so that every edit starts from what was judged."""

from __future__ import annotations

from lint.terraform.configuration import ParseCache, Parsed


class ReadFiles(ParseCache):
    """Parsed files, and the bytes of each as it was first read; `first` is by the name that origins have."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, bytes] = {}

    def parse(self, data: bytes, file: str) -> Parsed:
        """The parsed file; later contents of the same file are those of trials."""
        self.first.setdefault(file, data)
        return super().parse(data, file)
