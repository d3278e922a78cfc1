"""Text of Terraform files to the expression tree of `tree`: files, bodies and blocks. Knows nothing of their meaning.

The grammar is HCL's native syntax as Terraform 1.11 reads it, see
https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md. docs/parser.md says why the parser is our own.
"""

from __future__ import annotations

from lint.terraform.syntax.expressions import QUOTED_TEXT, ExpressionParser
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.scan import (
    BREAK,
    END,
    NAME,
    STRING,
    between,
    continuations,
    one_character_per_byte,
)
from lint.terraform.syntax.tree import (
    Attribute,
    Block,
    Body,
    Comment,
    Expression,
    Span,
)


def parse_file(data: bytes, file: str) -> Body:
    """The body of a .tf, .tofu or .tfvars file. Raises SyntaxProblem."""
    return parse_with_comments(data, file)[0]


def parse_with_comments(data: bytes, file: str) -> tuple[Body, tuple[Comment, ...]]:
    """The body of a file and all comments in it, in the order in which they stand. Raises SyntaxProblem."""
    parser = _Parser(one_character_per_byte(data, file), file, 3 if data.startswith(b"\xef\xbb\xbf") else 0)
    body = parser.run(parser.file_body)
    return body, parser.comments()


def comments(data: bytes, file: str = "<file>") -> tuple[Comment, ...]:
    """All comments of a file that parses. Raises SyntaxProblem."""
    if b"#" not in data and b"//" not in data and b"/*" not in data:
        return ()
    return parse_with_comments(data, file)[1]


def parse_expression(text: str, file: str = "<expression>", breaks_count: bool = True) -> Expression:
    """One expression that fills the whole text. Raises SyntaxProblem.

    Line breaks count as they do after `=` in a file; with `breaks_count=False` they are blanks, as in a value that is
    given on the command line, in the environment or in JSON.
    """
    parser = _Parser(one_character_per_byte(text.encode("utf-8", "surrogatepass"), file), file, 0)
    parser.newlines = breaks_count
    return parser.run(parser.whole_expression)


def parse_template(text: str, file: str = "<template>") -> Expression:
    """A text as the inside of a template without quotes: what a string of a .tf.json file, or a template file, is.

    Backslashes stand for themselves. Raises SyntaxProblem.
    """
    parser = _Parser(one_character_per_byte(text.encode("utf-8", "surrogatepass"), file), file, 0)
    return parser.run(parser.whole_template)


class _Parser(ExpressionParser):
    """The rules of bodies on top of those of expressions."""

    __slots__ = ()

    # Whole texts

    def file_body(self) -> Body:
        self.advance()
        return self.body(Span(self.file, 0, 0, 1, 1, 1, 1), END)

    def whole_expression(self) -> Expression:
        self.advance()
        value = self.expression()
        while self.kind == BREAK:
            self.advance()
        if self.kind != END:
            self.unexpected("the end of the expression")
        return value

    # Bodies

    def body(self, first: Span, closing: str) -> Body:
        """Attributes and blocks up to the closing token, which stays at hand."""
        attributes: list[Attribute] = []
        blocks: list[Block] = []
        seen: dict[str, Span] = {}
        while True:
            kind = self.kind
            if kind == BREAK:
                self.advance()
                continue
            if kind == closing:
                break
            if kind != NAME:
                self.unexpected("an argument, a block or }" if closing == "}" else "an argument or a block")
            name = self.word
            start = self.span()
            self.advance()
            if self.kind == "=":
                if name in seen:
                    raise SyntaxProblem(
                        self.file,
                        start.line,
                        start.column,
                        f"{name} is already set in line {seen[name].line}",
                        "set every argument once",
                    )
                seen[name] = start
                attributes.append(self.attribute(name, start))
            else:
                blocks.append(self.block(name, start))
            if self.kind == BREAK:
                self.advance()
            elif self.kind != END:
                self.unexpected("a new line")
        return Body(tuple(attributes), tuple(blocks), self.until(first))

    def attribute(self, name: str, start: Span) -> Attribute:
        """`= value`, whose name was read."""
        self.advance()
        value = self.expression()
        return Attribute(name, value, between(start, value.span))

    def block(self, type_: str, start: Span) -> Block:
        """Labels and body of the block whose type was read."""
        labels: list[str] = []
        header = start
        while True:
            kind = self.kind
            if kind == NAME:
                labels.append(self.word)
            elif kind == STRING:
                labels.append(self.normal(self.text[self.start + 1 : self.end - 1]))
            elif kind == '"':
                labels.append(self.label())
            elif kind == "{":
                break
            else:
                self.unexpected("= for an argument, or a label or { for a block" if not labels else "a label or {")
            header = self.until(start)
            self.advance()
        self.deeper()
        opening = self.span()
        self.advance()
        if self.kind in (BREAK, END, "}"):
            body = self.body(opening, "}")
        else:
            if self.kind != NAME:
                self.unexpected("an argument or }")
            name = self.word
            first = self.span()
            self.advance()
            if self.kind != "=":
                self.unexpected("= since a block on one line holds one argument")
            attribute = self.attribute(name, first)
            if self.kind != "}":
                self.unexpected("} since a block on one line holds one argument")
            body = Body((attribute,), (), self.until(opening))
        self.depth -= 1
        span = self.until(start)
        self.advance()
        return Block(type_, tuple(labels), body, header, span)

    def label(self) -> str:
        """A quoted label with escapes; interpolation can't stand in it."""
        match = QUOTED_TEXT(self.text, self.end)
        assert match is not None
        text = self.unescaped(self.end, match[0])
        self.shift += len(continuations(match[0]))
        self.end = match.end()
        if not self.text.startswith('"', self.end):
            self.unexpected('a label that is closed by " and holds no ${ or %{')
        self.end += 1
        return text
