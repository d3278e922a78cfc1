"""Each construct of an expression becomes the tree that HCL's specification gives it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from decimal import Decimal

import pytest

from lint.terraform.syntax.parse import comments, parse_expression, parse_file
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.tree import Literal, Span


def shape(node: object) -> object:
    """The tree as short nested lists, without places: `(+ a 1)` for `a + 1`."""
    if isinstance(node, tuple):
        return [shape(each) for each in node]
    if isinstance(node, Decimal):
        return str(node)
    if not is_dataclass(node):
        return node
    kind = type(node).__name__
    parts = [shape(getattr(node, part.name)) for part in fields(node) if part.name != "span"]
    if kind == "Name":
        return f"${parts[0]}"
    if kind == "Literal":
        return node.value if not isinstance(node.value, Decimal) else float(node.value)
    return [kind, *parts]


def grouping(text: str) -> str:
    """An expression of operators with all its grouping written out."""

    def write(node: object) -> str:
        made = shape(node)
        if isinstance(made, str):
            return made.removeprefix("$")
        if isinstance(made, float):
            return f"{made:g}"
        assert isinstance(made, list)
        match made:
            case ["Binary", operator, _, _]:
                return f"({write(node.left)}{operator}{write(node.right)})"
            case ["Unary", operator, _]:
                return f"({operator}{write(node.value)})"
            case ["Conditional", *_]:
                return f"({write(node.condition)}?{write(node.then)}:{write(node.otherwise)})"
            case ["Parentheses", _]:
                return write(node.value)
        raise AssertionError(made)

    return write(parse_expression(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b - c", "((a-b)-c)"),
        ("a / b * c % d", "(((a/b)*c)%d)"),
        ("a + b * c", "(a+(b*c))"),
        ("a * b + c", "((a*b)+c)"),
        ("a || b && c", "(a||(b&&c))"),
        ("a && b || c && d", "((a&&b)||(c&&d))"),
        ("a == b && c != d", "((a==b)&&(c!=d))"),
        ("a < b == c >= d", "((a<b)==(c>=d))"),
        ("a + b < c - d", "((a+b)<(c-d))"),
        ("!a == b", "((!a)==b)"),
        ("-a + b", "((-a)+b)"),
        ("-a.b * c", None),
        ("!!a", "(!(!a))"),
        ("10-51", "(10-51)"),
        ("a ? b : c ? d : e", "(a?b:(c?d:e))"),
        ("a ? b ? c : d : e", "(a?(b?c:d):e)"),
        ("a || b ? c + 1 : d", "((a||b)?(c+1):d)"),
        ("(a + b) * c", "((a+b)*c)"),
        ("a - (b - c)", "(a-(b-c))"),
        ("a<b ? -1 : !c", "((a<b)?(-1):(!c))"),
    ],
)
def test_operators_group_as_in_hcl(text: str, expected: str | None) -> None:
    if expected is None:
        assert shape(parse_expression(text)) == ["Binary", "*", ["Unary", "-", ["GetAttr", "$a", "b"]], "$c"]
    else:
        assert grouping(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", None),
        ("true", True),
        ("truefalse", "$truefalse"),
        ("a-b", "$a-b"),
        ("_a", "$_a"),
        ("名前", "$名前"),
        ("a.b.c", ["GetAttr", ["GetAttr", "$a", "b"], "c"]),
        ("a.0", ["Index", "$a", 0.0]),
        ("a[0].b", ["GetAttr", ["Index", "$a", 0.0], "b"]),
        ('a["k"]', ["Index", "$a", "k"]),
        ("a.*.b[0]", ["Index", ["Splat", "$a", ["GetAttr", ["SplatItem"], "b"], False], 0.0]),
        ("a.*.0.b", ["Splat", "$a", ["GetAttr", ["Index", ["SplatItem"], 0.0], "b"], False]),
        ("a.*", ["Splat", "$a", ["SplatItem"], False]),
        ("a[*].b[0]", ["Splat", "$a", ["Index", ["GetAttr", ["SplatItem"], "b"], 0.0], True]),
        (
            "a[*].b[*].c",
            ["Splat", "$a", ["Splat", ["GetAttr", ["SplatItem"], "b"], ["GetAttr", ["SplatItem"], "c"], True], True],
        ),
        ("f()", ["Call", "f", [], False]),
        ("f(a, b...)", ["Call", "f", ["$a", "$b"], True]),
        ("f(a,).b", ["GetAttr", ["Call", "f", ["$a"], False], "b"]),
        ("provider::aws::f(1)", ["Call", "provider::aws::f", [1.0], False]),
        ("core :: max(1)", ["Call", "core::max", [1.0], False]),
        ("[1, a,]", ["Tuple", [1.0, "$a"]]),
        ("[]", ["Tuple", []]),
        ("{}", ["Object", []]),
        ("{ a = 1, b : c }", ["Object", [["ObjectItem", "a", 1.0], ["ObjectItem", "b", "$c"]]]),
        ("{ (a) = 1 }", ["Object", [["ObjectItem", ["Parentheses", "$a"], 1.0]]]),
        ("{ a.b = 1 }", ["Object", [["ObjectItem", ["GetAttr", "$a", "b"], 1.0]]]),
        (
            "{ a-b = 1, true = 2, null = 3, if = 4 }",
            ["Object", [["ObjectItem", k, v] for k, v in (("a-b", 1.0), ("true", 2.0), ("null", 3.0), ("if", 4.0))]],
        ),
        ('{ "a" = 1 }', ["Object", [["ObjectItem", "a", 1.0]]]),
        ("{\n a = 1\n\n b = 2\n}", ["Object", [["ObjectItem", "a", 1.0], ["ObjectItem", "b", 2.0]]]),
        ("[for v in m : v]", ["ForTuple", None, "v", "$m", "$v", None]),
        ("[for k, v in m : k if v]", ["ForTuple", "k", "v", "$m", "$k", "$v"]),
        ("{for k, v in m : k => v}", ["ForObject", "k", "v", "$m", "$k", "$v", None, False]),
        ("{for v in m : v => 1... if v}", ["ForObject", None, "v", "$m", "$v", 1.0, "$v", True]),
        ("(a\n+ b)", ["Parentheses", ["Binary", "+", "$a", "$b"]]),
        ("f(a # why\n, b /* c */)", ["Call", "f", ["$a", "$b"], False]),
    ],
)
def test_a_construct_gives_its_tree(text: str, expected: object) -> None:
    assert shape(parse_expression(text)) == expected


@pytest.mark.parametrize(
    "text", ["0", "007", "0.1", "1e5", "1E+5", "2.50e-3", "3.14159265358979323846264338327950288", "9" * 60]
)
def test_numbers_are_exact(text: str) -> None:
    made = parse_expression(text)
    assert isinstance(made, Literal)
    assert made.value == Decimal(text)
    assert str(made.value) == str(Decimal(text))


def test_blocks_keep_labels_bodies_and_their_order() -> None:
    body = parse_file(
        b'resource aws_instance "we\\"b" {\n  a = 1\n  b { c = 2 }\n  b {\n  }\n}\nlocals {}\n', "main.tf"
    )
    assert [(block.type, block.labels) for block in body.blocks] == [
        ("resource", ("aws_instance", 'we"b')),
        ("locals", ()),
    ]
    inner = body.blocks[0].body
    assert [attribute.name for attribute in inner.attributes] == ["a"]
    assert [[a.name for a in block.body.attributes] for block in inner.blocks] == [["c"], []]


def test_comments_are_found_where_they_are_comments() -> None:
    data = 'x = "# no" // é\r\n/* c\n d */ y = <<E\n# no ${a /* in */}\nE\n# last'.encode()
    found = comments(data)
    assert [(comment.line, comment.text) for comment in found] == [(1, "é"), (2, "c\n d"), (4, "in"), (6, "last")]
    assert [data[comment.start : comment.end].decode().rstrip() for comment in found] == [
        "// é",
        "/* c\n d */",
        "/* in */",
        "# last",
    ]
    assert comments(b"x = 1\n") == ()


def test_nodes_compare_by_value() -> None:
    one = parse_expression("a.b[0]", "x.tf")
    two = parse_expression("a.b[0]", "x.tf")
    assert one == two
    assert hash(one) == hash(two)
    assert one != parse_expression("a.b[1]", "x.tf")
    assert isinstance(one.span, Span)


def test_line_breaks_are_blanks_in_a_value_from_outside_a_file() -> None:
    text = "\n[1,\n2]\n[0]\n+ a\n"
    assert shape(parse_expression(text, "TF_VAR_x", breaks_count=False)) == shape(parse_expression("[1, 2][0] + a"))
    with pytest.raises(SyntaxProblem):
        parse_expression("1\n+ 2")
