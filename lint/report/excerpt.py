"""The source lines behind an origin, with a caret under them, as compilers show them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lint.origin import Origin
from lint.report.document import shown_path
from lint.report.style import Style, printable

_LIMIT = 8 * 1024 * 1024


def excerpt(origin: Origin, base: Path, style: Style, *, indent: str, lines: int = 3) -> list[str]:
    """`--> main.tf:12:3`, then the first lines of the range with carets; the place alone where they can't be read (no
    file, no text)."""
    if origin.file is None:
        return [f"{indent}{style.paint('-->', 'blue')} {printable(origin.where())}"]
    place = printable(shown_path(base, origin.file))
    if origin.line is not None:
        place += f":{origin.line}" + (f":{origin.column}" if origin.column else "")
    shown = [f"{indent}{style.paint('-->', 'blue')} {place}"]
    text = _lines(base / origin.file) if origin.line is not None else None
    if text is not None and origin.line is not None and origin.line <= len(text) and "\0" not in text[origin.line - 1]:
        last = min(origin.end_line or origin.line, origin.line + lines - 1, len(text))
        width = len(str(last))
        bar = style.paint("|", "blue")
        for number in range(origin.line, last + 1):
            line = printable(text[number - 1].replace("\t", "    ").rstrip("\r\n"))
            shown.append(f"{indent}{style.paint(str(number).rjust(width), 'blue')} {bar} {line[:160]}")
            if number == origin.line:
                lead = len(line) - len(line.lstrip())
                carets = "^" * max(1, min(len(line.strip()), 160 - lead))
                shown.append(f"{indent}{' ' * width} {bar} {' ' * lead}{style.paint(carets, 'red')}")
        if (origin.end_line or origin.line) > last:
            shown.append(f"{indent}{' ' * width} {bar} …")
    shown += [
        f"{indent}    called from {printable(shown_path(base, call.file))}:{call.line}"
        + (f" ({printable(call.address)})" if call.address else "")
        for call in reversed(origin.calls)
        if call.file is not None
    ]
    return shown


def _lines(path: Path) -> list[str] | None:
    try:
        stat = path.stat()
        if stat.st_size > _LIMIT:
            return None
        return _read(path, stat.st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> list[str]:
    """The lines of a file; many messages may speak of one. `changed`: when it was last written."""
    return path.read_text(encoding="utf-8-sig", errors="replace").split("\n")
