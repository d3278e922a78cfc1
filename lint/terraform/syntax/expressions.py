"""Expressions and templates of Terraform's native syntax, read from the tokens of `scan`. Knows no blocks.

The rules are those of https://github.com/hashicorp/hcl/blob/main/hclsyntax/parser.go and parser_template.go.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from unicodedata import normalize

from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.scan import (
    BREAK,
    HEREDOC,
    NAME,
    NESTING,
    NUMBER,
    STRING,
    Scanner,
    between,
    continuations,
)
from lint.terraform.syntax.templates import (
    BadEscape,
    Directive,
    Piece,
    Text,
    assemble,
    outdent,
    trim_left,
    trim_right,
    undouble,
    unescape,
)
from lint.terraform.syntax.tree import (
    Binary,
    Call,
    Conditional,
    Expression,
    ForObject,
    ForTuple,
    GetAttr,
    Index,
    Interpolation,
    Literal,
    Name,
    Object,
    ObjectItem,
    Parentheses,
    Span,
    Splat,
    SplatItem,
    Template,
    Tuple,
    Unary,
)

CHAIN = 400
"""How many operators, steps (`.a`, `[0]`) or signs may follow one another in one expression."""

_NUMBER_FORM = re.compile(r"[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?").fullmatch
QUOTED_TEXT = re.compile(r'(?:[^"\\$%\r\n]++|\\[^\r\n]|\$\$\{|%%\{|\$(?!\{)|%(?!\{))*+').match
_LITERAL = r"[^$%\r\n]++|\$\$\{|%%\{|\$(?!\{)|%(?!\{)"
# HCL's scanner parts the carriage return behind a lone $ or % from its line feed, which matters to a ~ that follows.
_LINE = re.compile(rf"(?:{_LITERAL})*+(?:(?<=[$%])(?<![$%][$%])\r(?=\n)|(\r?\n))?").match
_BARE_LINE = re.compile(rf"(?:{_LITERAL}|\r(?!\n))*+(?:(?<=[$%])(?<![$%][$%])\r(?=\n)|(\r?\n))?").match

_PRECEDENCE = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_KEYWORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class ExpressionParser(Scanner):
    """The rules of expressions; each begins at its first token and ends with the token behind it at hand."""

    __slots__ = ()

    # Expressions

    def expression(self) -> Expression:
        """A conditional, or what may stand before its `?`."""
        value = self.term()
        if self.kind in _PRECEDENCE:
            value = self.operators(value, 0)
        if self.kind != "?":
            return value
        return self.conditional(value)

    def conditional(self, value: Expression) -> Expression:
        """`? then : otherwise`, where `otherwise` may go on as a conditional."""
        steps: list[tuple[Expression, Expression]] = []
        self.deeper()
        while self.kind == "?":
            self.advance()
            then = self.expression()
            self.expect(":", "the : of a conditional")
            steps.append((value, then))
            if len(steps) > NESTING:
                self.fail(f"more than {NESTING} conditionals follow one another", "split the expression with locals")
            value = self.term()
            if self.kind in _PRECEDENCE:
                value = self.operators(value, 0)
        self.depth -= 1
        for condition, then in reversed(steps):
            value = Conditional(condition, then, value, between(condition.span, value.span))
        return value

    def operators(self, left: Expression, weakest: int) -> Expression:
        """What follows the left operand while operators bind more strongly than `weakest`; equals go left to right."""
        count = 0
        while (precedence := _PRECEDENCE.get(self.kind, 0)) > weakest:
            count += 1
            if count > CHAIN:
                self.fail(f"more than {CHAIN} operators follow one another here", "split the expression with locals")
            operator = self.kind
            self.advance()
            right = self.term()
            if _PRECEDENCE.get(self.kind, 0) > precedence:
                right = self.operators(right, precedence)
            left = Binary(operator, left, right, between(left.span, right.span))
        return left

    def term(self) -> Expression:
        """An operand with its signs before and its steps behind it."""
        kind = self.kind
        value: Expression
        if kind == NAME:
            word = self.word
            span = self.span()
            self.advance()
            kind = self.kind
            if kind == "(" or kind == "::":
                value = self.call(word, span)
            elif word in _KEYWORDS:
                value = Literal(_KEYWORDS[word], span)
            else:
                value = Name(word, span)
        elif kind == STRING:
            value = Literal(self.normal(self.text[self.start + 1 : self.end - 1]), self.span())
            self.advance()
        elif kind == NUMBER:
            value = Literal(self.number(), self.span())
            self.advance()
        elif kind == '"':
            value = self.quoted()
        elif kind == "[":
            value = self.brackets()
        elif kind == "{":
            value = self.braces()
        elif kind == "(":
            value = self.parentheses()
        elif kind == "-" or kind == "!":
            return self.signs()
        elif kind == HEREDOC:
            value = self.heredoc()
        else:
            self.unexpected("an expression")
        kind = self.kind
        if kind == "." or kind == "[":
            return self.steps(value)
        return value

    def signs(self) -> Expression:
        """`-` and `!` before an operand; they bind more strongly than every operator."""
        signs: list[tuple[str, Span]] = []
        while self.kind in ("-", "!"):
            if len(signs) >= CHAIN:
                self.fail(f"more than {CHAIN} signs follow one another here", "write it plainly")
            signs.append((self.kind, self.span()))
            self.advance()
        value = self.term()
        for sign, span in reversed(signs):
            value = Unary(sign, value, between(span, value.span))
        return value

    def number(self) -> Decimal:
        """The number at hand, exactly."""
        text = self.text[self.start : self.end]
        if _NUMBER_FORM(text) is None:
            self.fail(f"{text[:40]} is not a number", "write it like 12, 0.5 or 1e6")
        try:
            return Decimal(text)
        except InvalidOperation:
            self.fail(f"the number {text[:40]} is too large", "write a smaller one")

    def steps(self, value: Expression) -> Expression:
        """The `.name`, `.0`, `[key]`, `.*` and `[*]` behind an operand."""
        count = 0
        while True:
            kind = self.kind
            count += 1
            if count > CHAIN:
                self.fail(f"more than {CHAIN} steps follow one another here", "split the expression with locals")
            if kind == ".":
                dot = self.span()
                self.advance()
                if self.kind == "*":
                    value = self.attribute_splat(value, dot)
                else:
                    value = self.attribute_step(value)
            elif kind == "[":
                opening = self.span()
                self.advance()
                if self.kind == "*":
                    self.advance()
                    if self.kind != "]":
                        self.unexpected("] after [*")
                    item = SplatItem(self.until(opening))
                    self.advance()
                    self.deeper()
                    each = self.steps(item)
                    self.depth -= 1
                    return Splat(value, each, True, between(value.span, each.span))
                self.deeper()
                outer = self.newlines
                self.newlines = False
                if self.kind == BREAK:
                    self.advance()
                key = self.expression()
                if self.kind != "]":
                    self.unexpected("the ] of an index")
                value = Index(value, key, self.until(value.span))
                self.newlines = outer
                self.depth -= 1
                self.advance()
            else:
                return value

    def attribute_step(self, value: Expression) -> Expression:
        """The name or number behind a dot."""
        if self.kind == NAME:
            value = GetAttr(value, self.word, self.until(value.span))
        elif self.kind == NUMBER:
            text = self.text[self.start : self.end]
            if not text.isdigit():
                self.fail(f"unexpected .{text[:40]}", "write indexes in brackets, like [0][1]")
            key = Literal(self.number(), self.span())
            value = Index(value, key, self.until(value.span))
        else:
            self.unexpected("an attribute's name after the dot")
        self.advance()
        return value

    def attribute_splat(self, value: Expression, dot: Span) -> Expression:
        """`.*` with the attributes that follow it; an index behind them is one of the whole splat."""
        item = SplatItem(self.until(dot))
        each: Expression = item
        self.advance()
        count = 0
        while self.kind == ".":
            count += 1
            if count > CHAIN:
                self.fail(f"more than {CHAIN} steps follow one another here", "split the expression with locals")
            self.advance()
            each = self.attribute_step(each)
        return Splat(value, each, False, between(value.span, each.span))

    def call(self, name: str, start: Span) -> Expression:
        """`(arguments)` or `::name(arguments)` behind a name."""
        while self.kind == "::":
            self.advance()
            if self.kind != NAME:
                self.unexpected("a function's name after ::")
            name = f"{name}::{self.word}"
            self.advance()
        if self.kind != "(":
            self.unexpected("the ( of a function call")
        self.deeper()
        outer = self.newlines
        self.newlines = False
        self.advance()
        arguments: list[Expression] = []
        expand = False
        while self.kind != ")":
            arguments.append(self.expression())
            if self.kind == ",":
                self.advance()
            elif self.kind == "...":
                expand = True
                self.advance()
                if self.kind != ")":
                    self.unexpected(") after ...")
            elif self.kind != ")":
                self.unexpected("a comma or the ) of the function call")
        span = self.until(start)
        self.newlines = outer
        self.depth -= 1
        self.advance()
        return Call(name, tuple(arguments), expand, span)

    def parentheses(self) -> Expression:
        """`( value )`."""
        self.deeper()
        start = self.span()
        outer = self.newlines
        self.newlines = False
        self.advance()
        value = self.expression()
        if self.kind != ")":
            self.unexpected("a closing )")
        span = self.until(start)
        self.newlines = outer
        self.depth -= 1
        self.advance()
        return Parentheses(value, span)

    def brackets(self) -> Expression:
        """`[a, b]` or `[for …]`."""
        self.deeper()
        start = self.span()
        outer = self.newlines
        self.newlines = False
        self.advance()
        value: Expression
        if self.kind == NAME and self.word == "for":
            value = self.loop(start, "]")
        else:
            items: list[Expression] = []
            while self.kind != "]":
                items.append(self.expression())
                if self.kind == ",":
                    self.advance()
                elif self.kind != "]":
                    self.unexpected("a comma or a closing ]")
            value = Tuple(tuple(items), self.until(start))
        self.newlines = outer
        self.depth -= 1
        self.advance()
        return value

    def braces(self) -> Expression:
        """`{ key = value }` or `{for …}`."""
        self.deeper()
        start = self.span()
        outer = self.newlines
        self.newlines = False
        self.advance()
        value: Expression
        if self.kind == NAME and self.word == "for":
            value = self.loop(start, "}")
        else:
            self.newlines = True
            items: list[ObjectItem] = []
            while self.kind != "}":
                if self.kind == BREAK:
                    self.advance()
                    continue
                word = self.word if self.kind == NAME else None
                key = self.expression()
                if word is not None and (type(key) is Name or type(key) is Literal):
                    key = Literal(word, key.span)
                if self.kind != "=" and self.kind != ":":
                    self.unexpected("= or : after the key")
                self.advance()
                items.append(ObjectItem(key, self.expression()))
                if self.kind == "," or self.kind == BREAK:
                    self.advance()
                elif self.kind != "}":
                    self.unexpected("a comma, a new line or a closing }")
            value = Object(tuple(items), self.until(start))
        self.newlines = outer
        self.depth -= 1
        self.advance()
        return value

    def names(self) -> tuple[str | None, str]:
        """`k, v in` of a for expression or directive, its keyword at hand."""
        self.advance()
        key = None
        if self.kind != NAME:
            self.unexpected("a variable's name after for")
        item = self.word
        self.advance()
        if self.kind == ",":
            self.advance()
            if self.kind != NAME:
                self.unexpected("a variable's name after the comma")
            key = item
            item = self.word
            self.advance()
        if self.kind != NAME or self.word != "in":
            self.unexpected("in")
        self.advance()
        return key, item

    def loop(self, start: Span, closing: str) -> Expression:
        """A for expression from its keyword to the closing bracket, which stays at hand."""
        key, item = self.names()
        collection = self.expression()
        self.expect(":", "a : after the collection")
        value = self.expression()
        result_key: Expression | None = None
        group = False
        if self.kind == "=>":
            if closing == "]":
                self.fail("unexpected =>", "a for expression in [ ] has no keys; write it in { }")
            self.advance()
            result_key = value
            value = self.expression()
        elif closing == "}":
            self.unexpected("=> since a for expression in { } gives keys and values")
        if self.kind == "...":
            if closing == "]":
                self.fail("unexpected ...", "only a for expression in { } groups its values")
            group = True
            self.advance()
        condition: Expression | None = None
        if self.kind == NAME and self.word == "if":
            self.advance()
            condition = self.expression()
        if self.kind != closing:
            self.unexpected(f"the {closing} of the for expression")
        span = self.until(start)
        if result_key is None:
            return ForTuple(key, item, collection, value, condition, span)
        return ForObject(key, item, collection, result_key, value, condition, group, span)

    # Templates

    def whole_template(self) -> Expression:
        pieces: list[Piece] = []
        text = self.text
        trim = False
        while self.end < len(text):
            match = _BARE_LINE(text, self.end)
            assert match is not None
            if self.end < match.end():
                self.piece(pieces, match.end(), trim, quoted=False)
                trim = False
            if text.startswith(("${", "%{"), self.end):
                trim = self.sequence(pieces)
        first = Span(self.file, 0, 0, 1, 1, 1, 1)
        return self.template(pieces, self.until(first))

    def quoted(self) -> Expression:
        """A quoted template whose opening quote is at hand."""
        self.deeper()
        start = self.span()
        text = self.text
        pieces: list[Piece] = []
        trim = False
        while True:
            match = QUOTED_TEXT(text, self.end)
            assert match is not None
            if self.end < match.end():
                self.piece(pieces, match.end(), trim, quoted=True)
                trim = False
            self.start = self.end
            following = text[self.end : self.end + 1]
            if following == '"':
                break
            if following == "$" or following == "%":
                trim = self.sequence(pieces)
                continue
            if following == "\\":
                self.fail("a line ends with a backslash in this string", 'close the string with "')
            wanted = 'close it with ", or write \\n or a heredoc for a line break'
            raise SyntaxProblem(self.file, start.line, start.column, "this string is never closed in its line", wanted)
        self.end += 1
        value = self.template(pieces, self.until(start))
        self.depth -= 1
        self.advance()
        return value

    def heredoc(self) -> Expression:
        """A heredoc whose `<<MARKER` line is at hand."""
        self.deeper()
        text = self.text
        margin = self.margin
        start = Span(self.file, self.start, self.start, self.line, self.start - margin + 1, self.line, 1)
        marker = text[self.start + 2 : self.end].rstrip("\r\n")
        flush = marker.startswith("-")
        if flush:
            marker = marker[1:]
        self.line += 1
        self.margin = self.end
        pieces: list[Piece] = []
        trim = False
        line_start = True
        while True:
            if line_start:
                end = text.find("\n", self.end)
                if end >= 0 and text[self.end : end].strip(" \t\r\v\f") == marker:
                    if text[end - 1] == "\r":
                        end -= 1
                    break
            match = _LINE(text, self.end)
            assert match is not None
            line_start = match[1] is not None
            if self.end < match.end():
                self.piece(pieces, match.end(), trim, quoted=False)
                trim = False
            if line_start or text.startswith("\n", self.end):
                continue
            if text.startswith(("${", "%{"), self.end):
                trim = self.sequence(pieces)
                continue
            wanted = f"end it with a line that holds {self.decoded(marker)} alone"
            raise SyntaxProblem(self.file, start.line, start.column, "this heredoc is never closed", wanted)
        self.end = end
        if not marker.isascii():
            self.shift = len(continuations(marker))
        if flush:
            outdent(pieces)
        value = self.template(pieces, self.until(start))
        self.depth -= 1
        self.advance()
        return value

    def piece(self, pieces: list[Piece], end: int, trim: bool, quoted: bool) -> None:
        """Add the literal text up to `end`; a line break can only be its last character."""
        start = self.end
        raw = self.text[start:end]
        line, column = self.line, start - self.margin + 1
        if quoted:
            value = self.unescaped(start, raw) if "\\" in raw or "{" in raw else self.normal(raw)
        else:
            value = self.normal(raw)
            if "{" in value:
                value = undouble(value)
        if raw.endswith("\n"):
            self.line += 1
            self.margin = end
        elif not raw.isascii():
            self.margin += len(continuations(raw))
        self.end = end
        if trim:
            value = trim_left(value)
        pieces.append(Text(value, Span(self.file, start, end, line, column, self.line, end - self.margin + 1)))

    def unescaped(self, start: int, raw: str) -> str:
        """The decoded text of a quoted string's piece."""
        text = self.decoded(raw)
        try:
            return normalize("NFC", unescape(text))
        except BadEscape as bad:
            column = start - self.margin + 1 + bad.offset
            hint = 'escapes are \\n, \\r, \\t, \\", \\\\, \\uNNNN and \\UNNNNNNNN; write \\\\ for a backslash'
            raise SyntaxProblem(self.file, self.line, column, f"{bad.sequence} is not an escape", hint) from None

    def sequence(self, pieces: list[Piece]) -> bool:
        """`${ … }` or `%{ … }`; whether a `~` at its end takes the white space behind it."""
        self.deeper()
        text = self.text
        self.start = self.end
        self.end += 2
        if text.startswith("~", self.end):
            self.end += 1
            if pieces and isinstance(pieces[-1], Text):
                pieces[-1].value = trim_right(pieces[-1].value)
        start = self.span()
        outer = self.newlines
        self.newlines = False
        directive = text[self.start] == "%"
        self.advance()
        if directive:
            made = self.directive(start)
            if self.kind != "}" and self.kind != "~}":
                self.unexpected(f"the }} of %{{ {made.keyword} … }}")
            made.span = self.until(start)
            pieces.append(made)
        else:
            value = self.expression()
            if self.kind != "}" and self.kind != "~}":
                self.unexpected("the } of ${ … }; write $${ for the characters themselves")
            pieces.append(Interpolation(value, self.until(start)))
        self.newlines = outer
        self.depth -= 1
        return self.kind == "~}"

    def directive(self, start: Span) -> Directive:
        """The inside of `%{ … }`."""
        if self.kind != NAME or self.word not in ("if", "else", "endif", "for", "endfor"):
            self.unexpected("if, else, endif, for or endfor after %{; write %%{ for the characters themselves")
        keyword = self.word
        if keyword == "for":
            key, item = self.names()
            return Directive(keyword, start, self.expression(), key, item)
        self.advance()
        return Directive(keyword, start, self.expression() if keyword == "if" else None)

    def template(self, pieces: list[Piece], span: Span) -> Expression:
        """The pieces as one expression: a text alone is a Literal."""
        parts = assemble(pieces, NESTING)
        if not parts:
            return Literal("", span)
        if len(parts) == 1:
            only = parts[0]
            if isinstance(only, Literal):
                return Literal(only.value, span)
            if len(pieces) > 1 and isinstance(only, Interpolation):
                # White space that a marker took still makes it a text, not the value itself.
                return Template((Literal("", only.span), only), span)
        return Template(parts, span)
