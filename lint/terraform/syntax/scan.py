"""The scanner: bytes of a file to tokens, places, comments and problems, one token at a time. Knows no grammar.

It is modal as HCL's own scanner is: the parser tells it whether line breaks count, and reads templates itself.
https://github.com/hashicorp/hcl/blob/main/hclsyntax/scan_tokens.rl
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn, TypeVar
from unicodedata import normalize

from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.tree import Comment, Span

Result = TypeVar("Result")

NESTING = 200
"""How deep brackets, blocks, templates and conditionals may stand inside one another."""

# Kinds of tokens that carry text; every other kind is the token's own characters.
NAME, NUMBER, STRING, HEREDOC, BREAK, END = "name", "number", "string", "heredoc", "break", "end"

_TOKEN = re.compile(
    r"[ \t]*(?:"
    r"([A-Za-z_\x80-\xff][A-Za-z0-9_\-\x80-\xff]*)"
    r"|(\r?\n)"
    r'|("[^"\\$%\r\n]*")'
    r"|([0-9](?:[0-9.]|[eE][+-]?[0-9])*(?<!\.))"
    r"|(#[^\n]*|//[^\n]*)"
    r"|(/\*)"
    r"|(<<-?[A-Za-z_\x80-\xff][A-Za-z0-9_\-\x80-\xff]*\r?\n)"
    r'|(==|!=|>=|<=|&&|\|\||::|\.\.\.|=>|~\}|[=.,(){}\[\]"?:!<>+\-*/%])'
    r")"
).match
_BLANK = re.compile(r"[ \t]*").match
continuations = re.compile(r"[\x80-\xbf]").findall
"""The bytes of a text that continue a character."""


_ENCRYPTED = b"\x00GITCRYPT\x00"  # git-crypt, "file format"


def one_character_per_byte(data: bytes, file: str) -> str:
    """The file with one character for each byte, so that an index into the text is a byte offset."""
    if data.isascii():
        return data.decode("ascii")
    if data.startswith(_ENCRYPTED):
        hint = "unlock the checkout with `git-crypt unlock`"
        raise SyntaxProblem(file, 1, 1, f"{file} is encrypted by git-crypt", hint)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        found = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        raise SyntaxProblem(file, line, column, found, "save the file as UTF-8") from None
    return data.decode("latin-1")


def between(first: Span, last: Span) -> Span:
    """From the start of the one to the end of the other."""
    return Span(first.file, first.start, last.end, first.line, first.column, last.end_line, last.end_column)


class Scanner:
    """Reads one text. `kind`, `start`, `end` are the token at hand, `word` a name's text; `line` and `margin` place it.

    `margin` is what to take from an offset to get its column from 0: the start of the line, moved on by every byte that
    continues a character. `shift` is the part of such bytes that the token at hand holds itself.
    """

    __slots__ = (
        "depth",
        "end",
        "file",
        "found_comments",
        "kind",
        "line",
        "margin",
        "newlines",
        "shift",
        "start",
        "text",
        "word",
    )

    def __init__(self, text: str, file: str, start: int) -> None:
        self.text = text
        self.file = file
        self.kind = ""
        self.word = ""
        self.start = start
        self.end = start
        self.line = 1
        self.margin = start
        self.shift = 0
        self.newlines = True
        self.depth = 0
        self.found_comments: list[tuple[int, int, int]] = []  # first line, start, end

    def run(self, rule: Callable[[], Result]) -> Result:
        """What the rule makes of the text; a stack that was nearly used up before is a problem of the text too."""
        try:
            return rule()
        except RecursionError:
            self.fail("too much is nested here", "split the expression with locals")

    # Tokens

    def advance(self) -> None:
        """Go to the next token; where line breaks don't count they are passed over like blanks and comments."""
        text = self.text
        end = self.end
        if self.shift:
            self.margin += self.shift
            self.shift = 0
        while True:
            match = _TOKEN(text, end)
            if match is None:
                self.no_token(end)
                return
            index = match.lastindex
            end = match.end()
            if index == 8:
                self.kind = match[8]
            elif index == 1:
                self.kind = NAME
                word = match[1]
                self.word = word if word.isascii() else self.wide_name(word, match.start(1))
            elif index == 2:
                self.line += 1
                self.margin = end
                if not self.newlines:
                    continue
                self.kind = BREAK
            elif index == 3:
                self.kind = STRING
                if not match[3].isascii():
                    self.shift = len(continuations(match[3]))
            elif index == 4:
                self.kind = NUMBER
            elif index == 5:
                self.found_comments.append((self.line, match.start(5), end))
                if not match[5].isascii():
                    self.margin += len(continuations(match[5]))
                continue
            elif index == 6:
                end = self.block_comment(match.start(6))
                continue
            else:
                self.kind = HEREDOC
            self.start = match.start(index or 0)
            self.end = end
            return

    def no_token(self, end: int) -> None:
        """The end of the text, or a character that can begin nothing."""
        blank = _BLANK(self.text, end)
        self.start = self.end = end = blank.end() if blank else end
        if end < len(self.text):
            self.kind = ""
            self.fail(f"unexpected {self.character(end)}", "")
        self.kind = END

    def wide_name(self, word: str, start: int) -> str:
        """A name with characters beyond ASCII, decoded."""
        name = word.encode("latin-1").decode("utf-8")
        self.shift = len(word) - len(name)
        for index, character in enumerate(name):
            if not (("_" if index else "") + character).isidentifier() and (character != "-" or not index):
                self.start = start
                self.fail(f"{character!r} can't stand in a name", "names hold letters, digits, _ and -")
        return name

    def block_comment(self, start: int) -> int:
        """The offset behind the comment that starts here."""
        end = self.text.find("*/", start + 2)
        if end < 0:
            self.start = start
            self.fail("this comment is never closed", "close it with */")
        end += 2
        self.found_comments.append((self.line, start, end))
        comment = self.text[start:end]
        last = comment.rfind("\n")
        if last >= 0:
            self.line += comment.count("\n")
            self.margin = start + last + 1
            comment = comment[last + 1 :]
        if not comment.isascii():
            self.margin += len(continuations(comment))
        return end

    def comments(self) -> tuple[Comment, ...]:
        """The comments passed over so far."""
        made: list[Comment] = []
        for line, start, end in self.found_comments:
            text = self.decoded(self.text[start:end])
            text = text[1:] if text.startswith("#") else text[2:-2] if text.startswith("/*") else text[2:]
            made.append(Comment(line, text.strip(), start, end))
        return tuple(made)

    def expect(self, kind: str, what: str) -> None:
        """Go on if the token is this one, else fail."""
        if self.kind != kind:
            self.unexpected(what)
        self.advance()

    def span(self) -> Span:
        """The range of the token at hand."""
        margin = self.margin
        start = self.start
        end = self.end
        line = self.line
        return Span(self.file, start, end, line, start - margin + 1, line, end - margin - self.shift + 1)

    def until(self, first: Span) -> Span:
        """From the start of `first` to the end of the token at hand."""
        end = self.end
        column = end - self.margin - self.shift + 1
        return Span(first.file, first.start, end, first.line, first.column, self.line, column)

    def decoded(self, text: str) -> str:
        """A piece of the text as characters."""
        return text if text.isascii() else text.encode("latin-1").decode("utf-8")

    def normal(self, text: str) -> str:
        """The same for text that becomes a value: Terraform keeps all strings in Unicode's normal form C."""
        return text if text.isascii() else normalize("NFC", text.encode("latin-1").decode("utf-8"))

    # Problems

    def fail(self, text: str, hint: str) -> NoReturn:
        """Raise the problem at the start of the token at hand."""
        raise SyntaxProblem(self.file, self.line, max(self.start - self.margin, 0) + 1, text, hint)

    def unexpected(self, wanted: str) -> NoReturn:
        """Raise the problem that the token at hand isn't what has to stand here."""
        if self.kind == BREAK:
            before = self.text.rfind("\n", 0, self.start) + 1
            column = len(self.decoded(self.text[before : self.start])) + 1
            raise SyntaxProblem(self.file, self.line - 1, column, "the line ends too early", f"expected {wanted}")
        self.fail(self.found(), f"expected {wanted}")

    def found(self) -> str:
        """The token at hand, for a sentence."""
        if self.kind == END:
            return "the text ends too early"
        token = self.decoded(self.text[self.start : self.end])
        return f"unexpected {token if len(token) <= 40 else token[:40] + '…'}"

    def character(self, offset: int) -> str:
        """The character at an offset, for a sentence."""
        end = offset + 1
        while end < len(self.text) and "\x80" <= self.text[end] <= "\xbf":
            end += 1
        character = self.decoded(self.text[offset:end])
        return character if character.isprintable() else f"character U+{ord(character):04X}"

    def deeper(self) -> None:
        """Count one more thing inside another."""
        self.depth += 1
        if self.depth > NESTING:
            self.fail(f"more than {NESTING} levels are nested here", "split the expression with locals")
