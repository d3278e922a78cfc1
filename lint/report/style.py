"""Colours and marks of terminal text. Off a terminal, or with NO_COLOR, plain text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TextIO

_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "dim": "2", "bold": "1"}

VERDICT_COLOURS = {
    "satisfied": "green",
    "violated": "red",
    "undetermined": "yellow",
    "not_applicable": "dim",
    "unbound": "yellow",
    "waived": "cyan",
}


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text where `colour` is on."""

    colour: bool

    def paint(self, text: str, *names: str) -> str:
        """`text` in these colours; unchanged where colour is off."""
        if not self.colour or not names:
            return text
        codes = ";".join(_CODES[name] for name in names)
        return f"\x1b[{codes}m{text}\x1b[0m"


def style_for(stream: TextIO) -> Style:
    """Colour on a terminal alone, and never where NO_COLOR is set (no-color.org) or TERM is dumb."""
    wanted = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Style(wanted)


def printable_lines(text: str) -> str:
    """`printable` for each line of a text whose line breaks are meant (a patch)."""
    return "\n".join(printable(line) for line in text.split("\n"))


def printable(text: str) -> str:
    """`text` with control characters made visible, so that a hostile name can't drive a terminal or forge lines."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text)
