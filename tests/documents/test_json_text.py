"""JSON with a key given twice means two things at once; a reader hears of it."""

from __future__ import annotations

import json

import pytest

from lint.documents.json_text import read_json


@pytest.mark.parametrize(
    ("text", "data", "twice"),
    [
        ('{"a": 1, "b": {"a": 2}}', {"a": 1, "b": {"a": 2}}, ()),
        ('{"a": 1, "a": 2}', {"a": 2}, ("a",)),
        ('[{"x": {"k": [], "k": [1], "k": 2}}, {"y": 1, "y": 1}]', [{"x": {"k": 2}}, {"y": 1}], ("k", "y")),
        ("[]", [], ()),
        ("null", None, ()),
    ],
)
def test_keys_given_twice_are_told(text: str, data: object, twice: tuple[str, ...]) -> None:
    assert read_json(text) == (data, twice)


def test_text_that_is_not_json_fails_as_it_always_does() -> None:
    with pytest.raises(json.JSONDecodeError):
        read_json('{"a": ')
