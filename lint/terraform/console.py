"""Evaluates expressions in a root module, one a line, and answers with one JSON object a line.

A line whose brackets or heredocs are still open goes on in the next line, as in `terraform console`. Empty lines, and
lines that are only comments, are passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from lint.terraform.options import Options

MAX_LINES = 10_000
_HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)[ \t]*\r?\n")
_TOKEN = re.compile(r'["(\[{)\]}#]|//|/\*|<<')
_QUOTED = re.compile(r'\\.|"|[$%]+\{|\n', re.DOTALL)


def run(directory: Path | None, lines: Iterable[str], options: Options) -> Iterator[str]:
    """One JSON object for every expression: `{"value", "type"}`, `{"unknown": why}` or `{"error": message}`.

    Values are written as `jsonencode` does. `directory` is the root module; None: names of a module mean nothing.
    Raises FileRefused when the directory can't be read.
    """
    answer = _Answers(directory, options)
    for text in expressions(lines):
        yield answer.of(text)


def expressions(lines: Iterable[str]) -> Iterator[str]:
    """Expressions from lines; one that is still open takes further lines, unless no later line ever closes it."""
    source = iter(lines)
    waiting: list[str] = []
    while True:
        if waiting:
            line = waiting.pop(0)
        else:
            taken = next(source, None)
            if taken is None:
                return
            line = taken.rstrip("\r\n")
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", "//")):
            continue
        if is_open(line + "\n"):
            text = line
            used = 0
            closed = False
            while used < MAX_LINES:
                if used == len(waiting):
                    more = next(source, None)
                    if more is None:
                        break
                    waiting.append(more.rstrip("\r\n"))
                text = f"{text}\n{waiting[used]}"
                used += 1
                if not is_open(text + "\n"):
                    closed = True
                    break
            if closed:
                del waiting[:used]
                yield text
                continue
        yield line


def is_open(text: str) -> bool:
    """Whether brackets, an interpolation, a comment or a heredoc are open at the end of the text."""
    position = 0
    stack: list[str] = []
    while True:
        match = _TOKEN.search(text, position)
        if match is None:
            return bool(stack)
        token = match.group()
        position = match.end()
        if token in "([{":
            stack.append(token)
        elif token in ")]}":
            if not stack:
                return False
            opened = stack.pop()
            if opened == "${":
                position = _quoted(text, position, stack)
        elif token == '"':
            position = _quoted(text, position, stack)
        elif token == "/*":
            end = text.find("*/", position)
            if end < 0:
                return True
            position = end + 2
        elif token == "<<":
            heredoc = _HEREDOC.match(text, match.start())
            if heredoc is not None:
                close = re.compile(rf"^[ \t]*{re.escape(heredoc.group(1))}[ \t]*$", re.MULTILINE)
                end_match = close.search(text, heredoc.end())
                if end_match is None:
                    return True
                position = end_match.end()
        else:
            end = text.find("\n", position)
            position = len(text) if end < 0 else end


def _quoted(text: str, position: int, stack: list[str]) -> int:
    """Goes on inside a quoted text, to its end or to an interpolation in it."""
    while True:
        match = _QUOTED.search(text, position)
        if match is None:
            return len(text)
        token = match.group()
        position = match.end()
        if token == '"' or token == "\n":
            return position
        if token[0] in "$%" and (len(token) - 1) % 2 == 1:
            stack.append("${")
            return position


class _Answers:
    """Answers expressions in one root module."""

    def __init__(self, directory: Path | None, options: Options) -> None:
        from lint.terraform.evaluate import Run
        from lint.terraform.files import Files, repository_root
        from lint.terraform.scope import Scope, no_names

        if directory is None:
            here = Path()
            self.scope = Scope(no_names, Files(options.boundary or repository_root(here)), here)
        else:
            self.scope = replace(Run(directory, options).root.scope)

    def of(self, text: str) -> str:
        """The answer to one expression."""
        from lint.terraform.expressions.evaluate import evaluate
        from lint.terraform.scope import EvaluationProblem
        from lint.terraform.syntax.parse import parse_expression
        from lint.terraform.syntax.problem import SyntaxProblem
        from lint.terraform.types import type_text
        from lint.terraform.values import marks_deep, to_json, unknown_reasons

        try:
            value = evaluate(parse_expression(_terminated(text), "<expression>"), self.scope)
        except (SyntaxProblem, EvaluationProblem) as problem:
            return _line({"error": problem.text})
        except RecursionError:
            return _line({"error": "the expression is nested too deeply"})
        if not value.known:
            reasons = unknown_reasons(value)
            wrong = [r for r in reasons if r.code in ("tf.invalid-expression", "tf.cycle", "tf.invalid-value")]
            if wrong:
                return _line({"error": wrong[0].sentence()})
            return _line({"unknown": "; ".join(r.sentence() for r in reasons)})
        marks = marks_deep(value)
        if marks:
            what = " and ".join(sorted(marks))
            return _line({"unknown": f"the value is {what}; nonsensitive(…) shows what is sensitive"})
        try:
            return f'{{"value": {to_json(value)}, "type": {json.dumps(type_text(value.type), ensure_ascii=False)}}}'
        except ValueError as problem:
            return _line({"error": str(problem)})


def _terminated(text: str) -> str:
    """A heredoc that ends the expression needs the line break behind its marker."""
    return text + "\n" if "<<" in text and not text.endswith("\n") else text


def _line(answer: dict[str, str]) -> str:
    return json.dumps(answer, ensure_ascii=False)
