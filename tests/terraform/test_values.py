"""Numbers, sets, conversions and accessors of Terraform values."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.terraform.convert import ConversionError, convert, unify
from lint.terraform.functions.graphemes import clusters
from lint.terraform.numbers import Number
from lint.terraform.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    list_of,
    map_of,
    object_of,
    set_of,
    tuple_of,
    type_text,
)
from lint.terraform.values import (
    SENSITIVE,
    as_bool,
    as_int,
    as_text,
    boolean,
    entries,
    from_python,
    get,
    is_wholly_known,
    items,
    marks_deep,
    null,
    number,
    object_value,
    set_value,
    string,
    to_json,
    tuple_value,
    unknown,
    with_marks,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("0.1", "0.1"), ("1e3", "1000"), ("-0", "-0"), ("5.", "5"), (".5", "0.5"), ("1p3", "8"), ("1e-7", "0.0000001")],
)
def test_a_number_is_shown_as_short_as_it_reads_back(text: str, shown: str) -> None:
    assert Number.parse(text).text() == shown


@pytest.mark.parametrize("text", ["", " 1", "1_000", "0x10", "1e", "abc", "NaN", "--1", "."])
def test_other_text_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        Number.parse(text)


@given(st.integers(-(10**60), 10**60), st.integers(-(10**60), 10**60))
def test_whole_numbers_are_exact(left: int, right: int) -> None:
    one, two = Number.of(left), Number.of(right)
    assert int(one + two) == left + right
    assert int(one * two) == left * right
    assert (one < two) == (left < right)
    assert (one == two) == (left == right)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_a_decimal_reads_back(value: Decimal) -> None:
    assert Number.parse(Number.of(value).text()) == Number.of(value)
    assert abs(Number.of(value).fraction() - Fraction(value)) <= abs(Fraction(value)) / 2**511


def test_equal_types_are_one_object() -> None:
    assert object_of({"b": STRING, "a": list_of(NUMBER)}) is object_of({"a": list_of(NUMBER), "b": STRING})
    assert type_text(object_of({"a": tuple_of([NUMBER, STRING]), "b": DYNAMIC})) == (
        "object({a: tuple([number, string]), b: dynamic})"
    )


def test_a_set_holds_equal_elements_once_in_order() -> None:
    found = set_value(STRING, [string("b"), null(STRING), string("a"), string("b")])
    assert to_json(found) == '["a","b",null]'


def test_marks_of_elements_move_to_the_set() -> None:
    found = set_value(STRING, [with_marks(string("a"), (SENSITIVE,))])
    assert found.marks == {SENSITIVE}


@pytest.mark.parametrize(
    ("value", "wanted", "json"),
    [
        (number(5), STRING, '"5"'),
        (string("1.50"), NUMBER, "1.5"),
        (string("1"), BOOL, "true"),
        (from_python([1, "a", True]), list_of(STRING), '["1","a","true"]'),
        (from_python([2, 1, 2]), set_of(NUMBER), "[1,2]"),
        (from_python({"a": 1, "b": "x"}), map_of(STRING), '{"a":"1","b":"x"}'),
        (from_python({"a": 1, "b": 2}), object_of({"a": STRING}), '{"a":"1"}'),
        (from_python({"a": 1}), object_of({"a": NUMBER, "b": STRING}, ["b"]), '{"a":1,"b":null}'),
        (from_python([[1], ["a"]]), list_of(list_of(DYNAMIC)), '[["1"],["a"]]'),
    ],
)
def test_a_value_converts_to_a_type(value: object, wanted: object, json: str) -> None:
    assert to_json(convert(value, wanted)) == json  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (string("x"), NUMBER),
        (string("yes"), BOOL),
        (number(1), BOOL),
        (from_python([1]), STRING),
        (from_python({"a": 1}), list_of(DYNAMIC)),
        (from_python({}), object_of({"a": STRING})),
        (from_python([1, [2]]), list_of(DYNAMIC)),
    ],
)
def test_some_values_have_no_counterpart_in_a_type(value: object, wanted: object) -> None:
    with pytest.raises(ConversionError):
        convert(value, wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kinds", "common"),
    [
        ([NUMBER, STRING], STRING),
        ([BOOL, NUMBER], None),
        ([tuple_of([NUMBER]), tuple_of([STRING, STRING])], list_of(STRING)),
        ([object_of({"a": NUMBER}), object_of({"b": NUMBER})], map_of(NUMBER)),
        ([object_of({"a": NUMBER}), object_of({"a": STRING})], object_of({"a": STRING})),
        ([list_of(NUMBER), tuple_of([STRING])], list_of(STRING)),
        ([object_of({}), tuple_of([])], None),
        ([], None),
    ],
)
def test_types_have_a_common_type(kinds: list[object], common: object) -> None:
    assert unify(kinds) is common  # type: ignore[arg-type]


def test_accessors_answer_or_say_none() -> None:
    value = from_python({"port": "22", "open": True, "cidrs": ["10.0.0.0/8"], "none": None})
    assert as_int(entries(value)["port"]) == 22  # type: ignore[index]
    assert as_bool(get(value, "open") or null()) is True
    assert [as_text(each) for each in items(get(value, "cidrs") or null()) or ()] == ["10.0.0.0/8"]
    assert items(get(value, "none") or string("")) == ()
    assert items(unknown(DYNAMIC, [])) is None
    assert as_int(number(1.5)) is None
    assert as_text(boolean(False)) == "false"
    assert get(value, "absent") is None


def test_size_depth_and_marks_are_known_of_a_value() -> None:
    inner = with_marks(string("s"), (SENSITIVE,))
    value = object_value({"a": tuple_value([inner, unknown(STRING, [])])})
    assert (value.size, value.depth, value.known, value.plain) == (4, 2, False, False)
    assert marks_deep(value) == {SENSITIVE}
    assert not is_wholly_known(value)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("abc", 3), ("e\u0301", 1), ("👨‍👩‍👧x", 2), ("🇩🇪🇫🇷", 2), ("\r\n", 1), ("각", 1), ("👍🏽", 1), ("नि", 1)],
)
def test_text_is_counted_in_what_a_reader_takes_for_a_character(text: str, count: int) -> None:
    assert len(clusters(text)) == count
    assert "".join(clusters(text)) == text
