"""Escapes, heredoc indentation, strip markers and directives come out as Terraform renders them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from unicodedata import normalize

import pytest

from lint.terraform.syntax.parse import parse_expression, parse_template
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.tree import (
    Expression,
    GetAttr,
    Interpolation,
    Literal,
    Name,
    Template,
    TemplateFor,
    TemplateIf,
)

RENDERED = Path(__file__).parents[2] / "conformance" / "terraform" / "templates.jsonl"


def written(value: Expression) -> str:
    """A template with its texts decoded: `<x>` is the interpolation of x, `if(c|a|b)` and `for(v|a)` are directives."""
    parts = value.parts if isinstance(value, Template) else (value,)
    return "".join(_part(part) for part in parts)


def _part(part: Expression) -> str:
    if isinstance(part, Literal):
        assert isinstance(part.value, str)
        return part.value
    if isinstance(part, Interpolation):
        return f"<{part.value.name if isinstance(part.value, Name) else '…'}>"
    if isinstance(part, TemplateIf):
        then, otherwise = ("".join(map(_part, parts)) for parts in (part.then, part.otherwise))
        return f"if({_part(Interpolation(part.condition, part.span))}|{then}|{otherwise})"
    assert isinstance(part, TemplateFor)
    return f"for({part.key},{part.item}|{''.join(map(_part, part.body))})"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('""', ""),
        (r'"a\n\r\t\"\\b"', 'a\n\r\t"\\b'),
        (r'"\u00e9\U0001F600"', "é😀"),
        ('"é😀"', "é😀"),
        (r'"e\u0301"', "é"),
        ('"$${a} %%{b}"', "${a} %{b}"),
        ('"$$${a}"', "$${a}"),
        ('"$$$${a}"', "$$${a}"),
        ('"$$ $ % %% $a 5%"', "$$ $ % %% $a 5%"),
        ('"$${a${b}}"', "${a<b>}"),
        ('"a ${b} c"', "a <b> c"),
        ('"a ${~ b ~} c"', "a<b>c"),
        ('"a ${~b} c"', "a<b> c"),
        ('"a ${b~} c"', "a <b>c"),
        ('" \\n ${~b}"', "<b>"),
        ('"%{ if a ~} x %{~ else ~} y %{~ endif } z"', "if(<a>|x|y) z"),
        ('"%{ if a }%{ if b }c%{ endif }d%{ endif }"', "if(<a>|if(<b>|c|)d|)"),
        ('"%{ for k, v in m }${k},%{ endfor }"', "for(k,v|<k>,)"),
        ('"%{ for v in m ~} x %{ endfor ~} y"', "for(None,v|x )y"),
        ("<<E\nE\n", ""),
        ("<<E\n\nE\n", "\n"),
        ("<<E\na\n  b\n  E\n", "a\n  b\n"),
        ('<<E\na \\n "q" # no\nE\n', 'a \\n "q" # no\n'),
        ("<<E\r\nhi\r\nE\r\n", "hi\r\n"),
        ("<<E\n$${a} %%{b} $ $$\nE\n", "${a} %{b} $ $$\n"),
        ("<<E\nEE\nxE\nE y\nE\n", "EE\nxE\nE y\n"),
        ("<<-E\n    a\n      b\n    E\n", "a\n  b\n"),
        ("<<-E\n    a\n\n      b\n  E\n", "a\n\n  b\n"),
        ("<<-E\n\t\ta\n\tb\nE\n", "\ta\nb\n"),
        ("<<-E\n    ${a}\n      b\n    E\n", "<a>\n  b\n"),
        ("<<-E\n${a}\n      b\n    E\n", "<a>\n      b\n"),
        ("<<-E\n    a ${b}\n  c\nE\n", "  a <b>\nc\n"),
        # Each line of a heredoc is a piece of its own, and ~ takes white space from the next piece only.
        ("<<E\n%{ for v in m ~}\n  x ${v}\n%{ endfor ~}\nE\n", "for(None,v|  x <v>\n)"),
        ("<<E\na\n  ${~ b }\nE\n", "a\n<b>\n"),
        ("<<E\na  \n${~ b }\nE\n", "a<b>\n"),
        ("<<-E\n    %{ if a ~}\n    x\n    %{ endif ~}\n    E\n", "if(<a>|    x\n|)"),
        ("<<A\n${<<B\nhi\nB\n}\nA\n", "<…>\n"),
    ],
)
def test_a_template_is_decoded(text: str, expected: str) -> None:
    assert written(parse_expression(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\\n${b}", "a\\n<b>"),
        ("", ""),
        ("$", "$"),
        ("a\n  ${~ b ~}\n\n c", "a\n<b>\n c"),
        ('"$${x}"', '"${x}"'),
        ("%{ if a }x%{ endif }", "if(<a>|x|)"),
    ],
)
def test_a_bare_template_has_no_backslash_escapes(text: str, expected: str) -> None:
    assert written(parse_template(text)) == expected


def test_one_interpolation_alone_is_the_value_itself() -> None:
    made = parse_expression('"${a}"')
    assert isinstance(made, Template)
    assert [type(part) for part in made.parts] == [Interpolation]


def test_white_space_that_was_stripped_still_makes_a_text() -> None:
    made = parse_expression('" ${~ a }"')
    assert isinstance(made, Template)
    assert [type(part) for part in made.parts] == [Literal, Interpolation]
    assert written(made) == "<a>"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r'"a\/"', r"<expression>:1:3: \/ is not an escape"),
        (r'"\ud800"', r"<expression>:1:2: \ud800 is not an escape"),
        (r'"\u12"', r"<expression>:1:2: \u is not an escape"),
        ('"abc', "<expression>:1:1: this string is never closed in its line"),
        ('"a\nb"', "<expression>:1:1: this string is never closed in its line"),
        ("<<E\nhi\n", "<expression>:1:1: this heredoc is never closed; end it with a line that holds E alone"),
        ('"${a"', '<expression>:1:5: unexpected "; expected the } of ${ … }'),
        ('"${}"', "<expression>:1:4: unexpected }; expected an expression"),
        ('"%{ foo }"', "<expression>:1:5: unexpected foo; expected if, else, endif, for or endfor"),
        ('"%{ if a }x"', "<expression>:1:2: %{ if … } is never closed"),
        ('"x%{ endif }"', "<expression>:1:3: %{ endif } belongs to no directive"),
        ('"%{ if a }%{ endfor }"', "<expression>:1:11: %{ endfor } inside %{ if … }"),
        ('"%{ if a }%{ else }%{ else }%{ endif }"', "<expression>:1:20: %{ else } inside %{ if … }"),
        ('"%{ for a in b }%{ else }%{ endfor }"', "<expression>:1:17: %{ else } inside %{ for … }"),
    ],
)
def test_a_broken_template_is_refused_where_it_breaks(text: str, found: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_expression(text)
    assert str(caught.value).startswith(found)


def rendered(value: Expression, names: Mapping[str, str]) -> str:
    """A template with var.a true, var.b "B" and var.m ["1", "2"], and nothing else that it may refer to."""

    def join(parts: tuple[Expression, ...], inner: Mapping[str, str]) -> str:
        return "".join(rendered(part, inner) for part in parts)

    match value:
        case Literal(str() as text, _):
            return text
        case Template(parts, _):
            return join(parts, names)
        case Interpolation(Name(name, _), _):
            return names[name]
        case Interpolation(GetAttr(Name("var", _), "b", _), _):
            return "B"
        case TemplateIf(GetAttr(Name("var", _), "a", _), then, _, _):
            return join(then, names)
        case TemplateFor(None, item, GetAttr(Name("var", _), "m", _), body, _):
            return "".join(join(body, {**names, item: element}) for element in ("1", "2"))
    raise AssertionError(value)


def test_templates_render_as_terraform_rendered_them() -> None:
    cases = [json.loads(line) for line in RENDERED.read_text("utf-8").splitlines()]
    assert len(cases) == 250
    for case in cases:
        assert normalize("NFC", rendered(parse_expression(case["text"]), {})) == case["value"], case["text"]
