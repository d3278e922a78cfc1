"""What is certain of an expression although some of its values aren't known."""

from __future__ import annotations

import pytest

from lint.origin import Reason
from lint.terraform.expressions.evaluate import evaluate
from lint.terraform.scope import EvaluationProblem, Scope, fixed
from lint.terraform.syntax.parse import parse_expression
from lint.terraform.types import BOOL, DYNAMIC, NUMBER, STRING, list_of
from lint.terraform.values import (
    Reference,
    Unknown,
    Value,
    as_text,
    candidates_of,
    is_known,
    items,
    pieces_of,
    prefix_of,
    reference_of,
    to_json,
    unknown,
    unknown_reasons,
    within_of,
)

WHY = Reason("var.x has no value", "tf.no-value:var.x")


def group(name: str) -> Value:
    """The id of a security group before apply."""
    reference = Reference(f"aws_security_group.{name}", ("id",))
    return unknown(STRING, [Reason(f"{name} isn't known")], reference=reference, not_null=True)


NAMES = {
    "a": group("a"),
    "b": group("b"),
    "group": unknown(
        DYNAMIC, [Reason("known after apply")], reference=Reference("aws_security_group.a", ()), not_null=True
    ),
    "flag": unknown(BOOL, [WHY]),
    "count": unknown(NUMBER, [WHY]),
    "text": unknown(STRING, [WHY]),
    "texts": unknown(list_of(STRING), [WHY]),
    "any": unknown(DYNAMIC, [WHY]),
}


def value_of(expression: str) -> Value:
    """The value of an expression with NAMES in its scope."""
    return evaluate(parse_expression(expression), Scope(fixed(NAMES)))


@pytest.mark.parametrize(
    "expression",
    [
        "a",
        '"${a}"',
        "tostring(a)",
        'coalesce(a, "x")',
        'coalesce("", a)',
        'try(a, "x")',
        "try(group.id, null)",
        'coalesce(group.id, "x")',
        'lookup({ k = a }, "k", "x")',
        "one([a])",
        "[a][0]",
        "([a][*])[0]",
        "[for g in [a] : g][0]",
        "{ for k in [1] : k => a }[1]",
        "concat([a], [])[0]",
        'compact([a, ""])[0]',
        "flatten([[a]])[0]",
        "distinct([a, a])[0]",
        "values({ k = a })[0]",
        "merge({ k = a }, { j = 1 }).k",
        "element([a, b], 2)",
        'join(",", [a])',
        'format("%s", a)',
        "trimspace(a)",
        "tolist([a])[0]",
        "one(toset([a]))",
        'zipmap(["k"], [a]).k',
        "flag ? a : a",
    ],
)
def test_a_reference_survives_what_passes_a_value_on(expression: str) -> None:
    assert reference_of(value_of(expression)) == Reference("aws_security_group.a", ("id",))


@pytest.mark.parametrize(
    "expression", ['"${a}-x"', "upper(a)", 'replace(a, "x", "y")', "jsonencode(a)", "flag ? a : b"]
)
def test_a_changed_reference_is_no_reference(expression: str) -> None:
    found = value_of(expression)
    assert not is_known(found)
    assert reference_of(found) is None


@pytest.mark.parametrize(
    ("expression", "known"),
    [
        ("false && flag", "false"),
        ("flag || true", "true"),
        ("flag ? 1 : 1", "1"),
        ("(flag ? 1 : 2) > 0", "true"),
        ("length([any, any])", "2"),
        ("length(flag ? [1] : [2])", "1"),
        ("a == null", "false"),
        ("a != null", "true"),
        ("a == a", "true"),
        ('"x-${text}" == "y"', "false"),
        ('startswith("10.${any}", "10.")', "true"),
        ('contains([a, "x"], "x")', "true"),
        ("alltrue([flag, false])", "false"),
        ("anytrue([flag, true])", "true"),
        ("keys({ k = a })", '["k"]'),
        ("(flag ? { k = 1, j = 2 } : { k = 1 }).k", "1"),
        ("(flag ? [1, 2] : [1])[1]", "2"),
    ],
)
def test_what_the_unknown_cannot_change_is_known(expression: str, known: str) -> None:
    assert to_json(value_of(expression)) == known


@pytest.mark.parametrize(
    "expression",
    [
        "count * 0",
        "flag && true",
        "a == b",
        'a == "sg-1"',
        "text == null",
        "length(text)",
        "can(any.x)",
        "length(toset([a, b]))",
    ],
)
def test_what_the_unknown_may_change_is_unknown_with_a_reason(expression: str) -> None:
    found = value_of(expression)
    assert not is_known(found)
    assert unknown_reasons(found)


@pytest.mark.parametrize(
    ("expression", "candidates"),
    [
        ('flag ? "10.0.0.0/8" : "::/0"', ['"10.0.0.0/8"', '"::/0"']),
        ('cidrsubnet(flag ? "10.0.0.0/8" : "192.168.0.0/16", 8, 1)', ['"10.1.0.0/16"', '"192.168.1.0/24"']),
        ("(flag ? 22 : 443) + 1", ["23", "444"]),
        ("[22, 443][flag ? 0 : 1]", ["22", "443"]),
        ("length(flag ? [1] : [])", ["1", "0"]),
        ("[for p in [22] : p if flag]", ["[22]", "[]"]),
        ('concat(flag ? ["x"] : [], ["y"])', ['["x","y"]', '["y"]']),
        ('lookup(flag ? { k = 1 } : {}, "k", 2)', ["1", "2"]),
        ("try((flag ? [1, 2] : [1])[1], 5)", ["2", "5"]),
        ('try(tonumber(flag ? "x" : "5"), 7)', ["5", "7"]),
    ],
)
def test_a_choice_that_is_not_known_keeps_both_sides(expression: str, candidates: list[str]) -> None:
    found = candidates_of(value_of(expression))
    assert found is not None
    assert [to_json(each) for each in found] == candidates


def test_structures_of_one_shape_are_chosen_element_by_element() -> None:
    found = items(value_of("flag ? [1, a] : [2, a]"))
    assert found is not None
    assert not is_known(found[0])
    assert reference_of(found[1]) == Reference("aws_security_group.a", ("id",))


@pytest.mark.parametrize(
    ("expression", "block"),
    [
        ('cidrsubnet("10.0.0.0/8", 8, count)', "10.0.0.0/8"),
        ('cidrhost("10.1.0.0/16", count)', "10.1.0.0/16"),
        ('"${cidrhost("10.1.0.0/16", count)}/32"', "10.1.0.0/16"),
        ('"10.${count}.0.0/16"', "10.0.0.0/8"),
        ('"10.1.${any}.0/24"', "10.1.0.0/16"),
        ('format("10.%d.0.0/16", count)', "10.0.0.0/8"),
        ('cidrsubnets("10.0.0.0/8", 8, count)[1]', "10.0.0.0/8"),
        ('"10.${any}"', None),
        ('"1${count}.0.0.0/8"', None),
        ('"10.0.0.0/${count}"', None),
        ('"10.${count}.0.0/4"', None),
        ('cidrsubnet("10.0.0.0/8", count, 1)', None),
        ('cidrhost("10.0.0.0/8", count) == "x" ? "10.0.0.0/8" : text', None),
    ],
)
def test_an_address_that_is_not_known_lies_within_a_block_where_that_is_certain(
    expression: str, block: str | None
) -> None:
    found = value_of(expression)
    assert not is_known(found)
    assert within_of(found) == block


MACHINE = Reference("aws_security_group.a", ("id",))
OTHER = Reference("aws_security_group.b", ("id",))


@pytest.mark.parametrize(
    ("expression", "pieces"),
    [
        ('"${a}/32"', (MACHINE, "/32")),
        ('format("%s/32", a)', (MACHINE, "/32")),
        ('formatlist("%s/32", [a, b])[1]', (OTHER, "/32")),
        ('join("/", [a, "32"])', (MACHINE, "/32")),
        ('join("", [a, "/", "32"])', (MACHINE, "/32")),
        ('"${"${a}"}/${32}"', (MACHINE, "/32")),
        ('[for x in [a, b] : "${x}/32"][0]', (MACHINE, "/32")),
        ('{ for k, x in { k = a } : k => "${x}/32" }.k', (MACHINE, "/32")),
        ('concat(["x"], ["${a}/32"])[1]', (MACHINE, "/32")),
        ('flatten([["${a}/32"], []])[0]', (MACHINE, "/32")),
        ('tolist(["${a}/32"])[0]', (MACHINE, "/32")),
        ('one(toset(["${a}/32"]))', (MACHINE, "/32")),
        ('one(toset(["${a}/32", "${a}/32"]))', (MACHINE, "/32")),
        ('one(setunion(["${a}/32"], ["${a}/32"]))', (MACHINE, "/32")),
        ('compact(["${a}/32", ""])[0]', (MACHINE, "/32")),
        ('distinct(["${a}/32", "${a}/32"])[0]', (MACHINE, "/32")),
        ('coalesce("", "${a}/32")', (MACHINE, "/32")),
        ('try("${a}/32", "x")', (MACHINE, "/32")),
        ('flag ? "${a}/32" : "${a}/32"', (MACHINE, "/32")),
        ('tostring("${a}/32")', (MACHINE, "/32")),
        ('values({ k = "${a}/32" })[0]', (MACHINE, "/32")),
        ('element(["${a}/32", "x"], 2)', (MACHINE, "/32")),
        ('"${a}-${b}"', (MACHINE, "-", OTHER)),
        ('"10.0.0.0/8"', ("10.0.0.0/8",)),
        ('"${a}"', (MACHINE,)),
        ('upper("${a}/32")', None),
        ('replace("${a}/32", "/32", "/24")', None),
        ('"${a}/${text}"', None),
        ('"${text}/32"', None),
        ('format("%q/32", a)', None),
        ('format("%10s/32", a)', None),
        ('format("%.3s/32", a)', None),
        ('flag ? "${a}/32" : "${b}/32"', None),
        ('"${a}\u0301"', None),
        (f'"${{a}}{"-${b}${a}" * 32}"', None),
    ],
)
def test_a_text_around_a_reference_is_known_by_its_pieces(
    expression: str, pieces: tuple[str | Reference, ...] | None
) -> None:
    assert pieces_of(value_of(expression)) == pieces


@pytest.mark.parametrize(
    ("address", "path", "may_lack"),
    [
        ("aws_security_group.a", ("id",), False),
        ("module.m.aws_security_group.a", ("id",), False),
        ("var.x", (), False),
        ("var.x", ("id",), True),
        ('module.m["a.b"].var.x', ("id",), True),
        ("module.m", ("out",), False),
        ('module.m["a.b"]', ("out", "id"), True),
    ],
)
def test_a_part_of_what_comes_from_outside_may_lack(address: str, path: tuple[str, ...], may_lack: bool) -> None:
    held = unknown(DYNAMIC, [WHY], reference=Reference(address, path))
    found = evaluate(parse_expression('try([x][0], "y")'), Scope(fixed({"x": held})))
    assert (reference_of(found) is None) is may_lack
    choice = candidates_of(found)
    assert not may_lack or (choice is not None and len(choice) == 2)


def test_texts_of_the_same_pieces_are_equal() -> None:
    assert to_json(value_of('"${a}/32" == format("%s/32", a)')) == "true"
    assert not is_known(value_of('"${a}/32" == "${b}/32"'))


def test_a_text_keeps_its_known_beginning() -> None:
    assert prefix_of(value_of('"web-${text}-x"')) == "web-"


def test_elements_stay_around_one_that_is_not_known() -> None:
    found = items(value_of('concat(["x"], [a], ["y"])'))
    assert found is not None
    assert [is_known(each) for each in found] == [True, False, True]


def test_what_try_may_fall_back_to_is_kept() -> None:
    found = candidates_of(value_of('try(cidrsubnet("10.0.0.0/8", 8, count), "0.0.0.0/0")'))
    assert found is not None
    assert [within_of(found[0]), to_json(found[1])] == ["10.0.0.0/8", '"0.0.0.0/0"']


def test_reasons_are_merged_once_each() -> None:
    assert unknown_reasons(value_of('"${text}${any}${text}"')) == (WHY,)
    assert len(unknown_reasons(value_of("[a, b, text, a]"))) == 3


@pytest.mark.parametrize(
    "name", ["timestamp()", "uuid()", "plantimestamp()", 'bcrypt("x")', "provider::aws::arn_parse(1)"]
)
def test_what_depends_on_time_chance_or_a_provider_is_unknown_and_says_so(name: str) -> None:
    found = value_of(name)
    assert isinstance(found.data, Unknown)
    assert name.partition("(")[0] in unknown_reasons(found)[0].text


def test_a_mistake_is_one_although_other_values_are_unknown() -> None:
    with pytest.raises(EvaluationProblem):
        value_of('[any, tonumber("x")]')


@pytest.mark.parametrize(
    "expression", ['format("%s", null)', 'formatlist("%v", "a", null)', 'length(format("x", null))']
)
def test_a_null_without_a_type_leaves_a_format_unknown_for_ever_as_in_terraform(expression: str) -> None:
    found = value_of(expression)
    assert [reason.code for reason in unknown_reasons(found)] == ["tf.untyped-null"]


def test_a_null_with_a_type_is_refused_or_written() -> None:
    assert as_text(value_of('format("%v", tostring(null))')) == "null"
    with pytest.raises(EvaluationProblem):
        value_of('format("%s", tostring(null))')


@pytest.mark.parametrize(
    "expression",
    [
        # What isn't known may be a list of any length.
        'flatten([any, "10.0.0.0/8"])',
        "flatten([group.subnets])",
        # It may have a type for which Terraform finds a common one.
        'tolist([any, ["a"]])',
        'toset([["a"], any])',
    ],
)
def test_what_has_no_type_yet_is_not_taken_for_one_thing_nor_refused(expression: str) -> None:
    found = value_of(expression)
    assert not found.known
    assert candidates_of(found) is None
    assert not isinstance(found.data, tuple)


@pytest.mark.parametrize(
    "expression", ["try(tomap(any), {})", "try(tomap({ a = any, b = {} }), {})", "can(tolist(any))"]
)
def test_a_conversion_that_may_fail_leaves_open_what_catches_it(expression: str) -> None:
    found = value_of(expression)
    assert not is_known(found)
    if "try" in expression:
        assert candidates_of(found) is not None


def test_an_attribute_that_is_one_text_keeps_its_place_among_flattened_ones() -> None:
    found = items(value_of('flatten([group.id, ["b"]])'))
    assert found is not None
    assert (reference_of(found[0]), as_text(found[1])) == (Reference("aws_security_group.a", ("id",)), "b")


def test_an_element_that_would_be_refused_is_not_among_the_chosen_ones() -> None:
    assert to_json(value_of("[for v in [1, {}] : v + 1 if v == 1 || flag]")) == "[2]"
    assert to_json(value_of("{ for v in [1, {}] : jsonencode(v) => v + 1 if v == 1 || flag }")) == '{"1":2}'
