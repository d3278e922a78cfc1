"""Edited lines are aligned as `terraform fmt` aligns them; what nobody touched stays as it was."""

from __future__ import annotations

import pytest

from lint.fix.tidy import tidy

CASES = [
    (
        "a new attribute pushes the equal signs of its run",
        "a {\n  x = 1\n  y = 2\n}\n",
        "a {\n  x = 1\n  y = 2\n  longer = 3\n}\n",
        "a {\n  x      = 1\n  y      = 2\n  longer = 3\n}\n",
    ),
    (
        "an attribute that goes lets them back",
        "a {\n  x      = 1\n  longer = 3\n}\n",
        "a {\n  x      = 1\n}\n",
        "a {\n  x = 1\n}\n",
    ),
    (
        "a blank line ends a run",
        "a {\n  x = 1\n\n  y = 2\n}\n",
        "a {\n  x = 1\n\n  y = 2\n  longer = 3\n}\n",
        "a {\n  x = 1\n\n  y      = 2\n  longer = 3\n}\n",
    ),
    (
        "comments behind neighbouring values stand in one column",
        "a {\n  x = 1 # one\n  y = 2 # two\n}\n",
        'a {\n  x = "wide" # one\n  y = 2 # two\n}\n',
        'a {\n  x = "wide" # one\n  y = 2      # two\n}\n',
    ),
    (
        "a value of several lines ends a run",
        "a {\n  x = [\n    1,\n  ]\n  y = 2\n}\n",
        "a {\n  x = [\n    1,\n  ]\n  y = 2\n  longer = 3\n}\n",
        "a {\n  x = [\n    1,\n  ]\n  y      = 2\n  longer = 3\n}\n",
    ),
    (
        "elements of an object are lines as well",
        "a {\n  x = [{\n    b = 1\n  }]\n}\n",
        "a {\n  x = [{\n    b = 1\n    longer = 2\n  }]\n}\n",
        "a {\n  x = [{\n    b      = 1\n    longer = 2\n  }]\n}\n",
    ),
    (
        "a run that wasn't aligned before stays as its author wrote it",
        "a {\n  x = 1\n  longer = 2\n}\n",
        "a {\n  x = 9\n  longer = 2\n}\n",
        "a {\n  x = 9\n  longer = 2\n}\n",
    ),
    (
        "carriage returns stay",
        "a {\r\n  x = 1\r\n}\r\n",
        "a {\r\n  x = 1\r\n  longer = 2\r\n}\r\n",
        "a {\r\n  x      = 1\r\n  longer = 2\r\n}\r\n",
    ),
]


@pytest.mark.parametrize(("before", "after", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_lines_are_aligned(before: str, after: str, wanted: str) -> None:
    assert tidy("main.tf", before.encode(), after.encode()).decode() == wanted


@pytest.mark.parametrize("text", ["a {\n  x = 1\n  longer = 2\n}\n", "a {\n  x      = 1\n  longer = 2\n}\n"])
def test_what_is_not_edited_is_not_touched(text: str) -> None:
    assert tidy("main.tf", text.encode(), text.encode()) == text.encode()


def test_an_edit_that_breaks_the_file_is_refused() -> None:
    with pytest.raises(ValueError, match=r"main\.tf|expected"):
        tidy("main.tf", b"a {\n}\n", b"a {\n")


def test_a_list_that_grows_over_several_lines_leaves_the_column() -> None:
    before = b'resource "a" "b" {\n  name    = "x"\n  ingress = []\n  id      = 1\n}\n'
    after = before.replace(b"[]", b"[\n    1,\n  ]")
    assert tidy("a.tf", before, after) == (
        b'resource "a" "b" {\n  name = "x"\n  ingress = [\n    1,\n  ]\n  id = 1\n}\n'
    )
