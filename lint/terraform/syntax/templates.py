"""What the pieces of a template come to: escapes, strip markers, heredoc indentation, and the nesting of directives.

The pieces are those of HCL's own scanner (in a heredoc a literal ends with its line), since strip markers and
indentation are defined on them: https://github.com/hashicorp/hcl/blob/main/hclsyntax/parser_template.go
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.tree import Expression, Interpolation, Literal, Span, TemplateFor, TemplateIf

_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|([$%])\2\{", re.DOTALL)
_DOUBLED = re.compile(r"([$%])\1\{")
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(slots=True)
class Text:
    """A literal piece; `value` shrinks while markers and indentation are applied."""

    value: str
    span: Span


@dataclass(slots=True)
class Directive:
    """`%{ … }`: `keyword` is if, else, endif, for or endfor."""

    keyword: str
    span: Span
    value: Expression | None = None
    key: str | None = None
    item: str = ""


Piece = Text | Interpolation | Directive


class BadEscape(Exception):
    """A backslash sequence that means nothing; `offset` is its place in the text."""

    def __init__(self, offset: int, sequence: str) -> None:
        super().__init__(sequence)
        self.offset = offset
        self.sequence = sequence


def unescape(text: str) -> str:
    """The text of a quoted string with `\\n`, `\\u0041`, `$${` and the like decoded. Raises BadEscape."""
    return _ESCAPE.sub(_character, text)


def undouble(text: str) -> str:
    """The text of a heredoc with `$${` and `%%{` decoded."""
    return _DOUBLED.sub(r"\1{", text)


def _character(match: re.Match[str]) -> str:
    if match[2]:
        return match[2] + "{"
    found = match[1]
    if found in _SIMPLE:
        return _SIMPLE[found]
    if len(found) > 1:
        code = int(found[1:], 16)
        if code < 0x110000 and not 0xD800 <= code < 0xE000:
            return chr(code)
    raise BadEscape(match.start(), match[0])


def trim_left(text: str) -> str:
    """Without its leading white space, as `~}` before it asks for."""
    return text.lstrip(_SPACE)


def trim_right(text: str) -> str:
    """Without its trailing white space, as `${~` behind it asks for."""
    return text.rstrip(_SPACE)


def outdent(pieces: list[Piece]) -> None:
    """Take the smallest indentation of all lines from every line of a `<<-` heredoc; blank lines don't count."""
    least: int | None = None
    starts: list[Text] = []
    line_start = True
    for piece in pieces:
        if line_start:
            line_start = False
            if not isinstance(piece, Text):
                least = 0
            else:
                text = piece.value
                indentation = len(text) - len(text.lstrip(_SPACE))
                if indentation < len(text) or not text.endswith("\n"):
                    starts.append(piece)
                    least = indentation if least is None else min(least, indentation)
        if isinstance(piece, Text) and piece.value.endswith("\n"):
            line_start = True
    if least:
        for piece in starts:
            piece.value = piece.value[least:]


@dataclass(slots=True)
class _Open:
    """A directive whose end hasn't come yet, with the parts that stood in it so far."""

    directive: Directive | None
    parts: list[Expression]
    then: tuple[Expression, ...] | None = None


def assemble(pieces: list[Piece], budget: int) -> tuple[Expression, ...]:
    """The parts of a template: neighbouring texts joined, every if and for closed. Raises SyntaxProblem."""
    stack = [_Open(None, [])]
    text: list[Text] = []

    def flush() -> None:
        if text:
            value = "".join(piece.value for piece in text)
            if value:
                stack[-1].parts.append(Literal(value, _between(text[0].span, text[-1].span)))
            text.clear()

    for piece in pieces:
        if isinstance(piece, Text):
            text.append(piece)
            continue
        flush()
        if isinstance(piece, Interpolation):
            stack[-1].parts.append(piece)
            continue
        keyword = piece.keyword
        if keyword in ("if", "for"):
            if len(stack) > budget:
                raise _problem(piece, "too many directives are nested here", "split the template")
            stack.append(_Open(piece, []))
            continue
        top = stack[-1]
        opened = top.directive
        if opened is None:
            raise _problem(piece, f"%{{ {keyword} }} belongs to no directive", "open it with %{ if … } or %{ for … }")
        if keyword == "else" and opened.keyword == "if" and top.then is None:
            top.then = tuple(top.parts)
            top.parts = []
            continue
        if keyword != "end" + opened.keyword:
            hint = f"close that with %{{ end{opened.keyword} }}"
            raise _problem(piece, f"%{{ {keyword} }} inside %{{ {opened.keyword} … }}", hint)
        stack.pop()
        assert opened.value is not None
        span = _between(opened.span, piece.span)
        parts = tuple(top.parts)
        made: Expression
        if keyword == "endfor":
            made = TemplateFor(opened.key, opened.item, opened.value, parts, span)
        elif top.then is None:
            made = TemplateIf(opened.value, parts, (), span)
        else:
            made = TemplateIf(opened.value, top.then, parts, span)
        stack[-1].parts.append(made)
    flush()
    unclosed = stack[-1].directive
    if unclosed is not None:
        hint = f"close it with %{{ end{unclosed.keyword} }}"
        raise _problem(unclosed, f"%{{ {unclosed.keyword} … }} is never closed", hint)
    return tuple(stack[0].parts)


def _between(first: Span, last: Span) -> Span:
    return Span(first.file, first.start, last.end, first.line, first.column, last.end_line, last.end_column)


def _problem(piece: Directive, text: str, hint: str) -> SyntaxProblem:
    return SyntaxProblem(piece.span.file, piece.span.line, piece.span.column, text, hint)
