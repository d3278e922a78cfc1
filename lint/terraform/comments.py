"""Finds the comments of a file by their lines, past strings and heredocs. Knows nothing of what they say."""

from __future__ import annotations

import re

from lint.terraform.resources import Comment

_HEREDOC = re.compile(rb"<<-?([^\s\"'#/<>=,(){}\[\]]+)[ \t]*\r?\n")
_NEXT = re.compile(rb'["#\n]|//|/\*|<<|[{}]')


def find_comments(data: bytes) -> tuple[Comment, ...]:
    """Every comment line, in order. A block comment gives one Comment a line, without leading `*`."""
    found: list[Comment] = []
    size = len(data)
    position = 0
    line = 1
    line_start = 0
    # Braces open inside the quoted templates around us: "${ … }" is code again, in which comments may stand.
    templates: list[int] = []
    depth = 0
    while position < size:
        match = _NEXT.search(data, position)
        if match is None:
            break
        token = match.group()
        start = match.start()
        position = match.end()
        if token == b"\n":
            line += 1
            line_start = position
        elif token == b"{":
            depth += 1
        elif token == b"}":
            if templates and depth == templates[-1]:
                templates.pop()
                depth -= 1
                position, line, line_start, opened = _quoted(data, position, line, line_start)
                if opened:
                    depth += 1
                    templates.append(depth)
            else:
                depth -= 1
        elif token == b'"':
            position, line, line_start, opened = _quoted(data, position, line, line_start)
            if opened:
                depth += 1
                templates.append(depth)
        elif token == b"<<":
            heredoc = _HEREDOC.match(data, start)
            if heredoc is not None:
                closing = re.compile(rb"^[ \t]*" + re.escape(heredoc.group(1)) + rb"[ \t]*\r?$", re.MULTILINE)
                end = closing.search(data, heredoc.end())
                stop = end.end() if end is not None else size
                line += data.count(b"\n", start, stop)
                line_start = data.rfind(b"\n", 0, stop) + 1
                position = stop
        elif token == b"/*":
            end_at = data.find(b"*/", position)
            stop = size if end_at < 0 else end_at
            alone = not data[line_start:start].strip()
            for offset, text in enumerate(data[position:stop].split(b"\n")):
                found.append(Comment(line + offset, _clean(text.strip().lstrip(b"*")), alone))
            line += data.count(b"\n", start, stop)
            line_start = data.rfind(b"\n", 0, stop) + 1
            position = min(size, stop + 2)
        else:
            end_at = data.find(b"\n", position)
            stop = size if end_at < 0 else end_at
            found.append(Comment(line, _clean(data[position:stop]), not data[line_start:start].strip()))
            position = stop
    return tuple(found)


def _clean(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip()


def _quoted(data: bytes, position: int, line: int, line_start: int) -> tuple[int, int, int, bool]:
    """Goes on inside a quoted template to its end, or to behind the `{` of an interpolation (True)."""
    size = len(data)
    while position < size:
        char = data[position]
        if char == 0x5C:  # backslash
            position += 2
        elif char == 0x22:
            return position + 1, line, line_start, False
        elif char == 0x0A:
            # A quoted template can't span lines: the file is invalid here, and the line ends it.
            return position, line, line_start, False
        elif char in (0x24, 0x25) and data[position + 1 : position + 2] == b"{":
            if data[position - 1 : position] == data[position : position + 1] and data[position - 2 : position - 1] != b"\\":
                position += 2  # "$${" is text
            else:
                return position + 2, line, line_start, True
        else:
            position += 1
    return position, line, line_start, False
