"""A YAML document is read as it is written, with a line for everything, and no stranger's text can upset the reader."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lint.documents.yaml import Allowed, Mapping, Node, NotYaml, Scalar, Sequence, YamlError, plain_value, read_yaml

STRICT = Allowed(largest=1 << 20, deepest=16)
LENIENT = Allowed(largest=1 << 22, deepest=41, aliases=True, tags=True, unseen=True, twice=True)


def read(text: str | bytes, allowed: Allowed = STRICT) -> Node:
    node = read_yaml(text, "x.yaml", allowed)
    assert node is not None
    return node


def refused(text: str | bytes, allowed: Allowed = STRICT) -> YamlError:
    with pytest.raises(YamlError) as raised:
        read_yaml(text, "x.yaml", allowed)
    return raised.value


def test_only_true_and_false_are_booleans() -> None:
    node = read("a: no\nb: 'true'\nc: true\nd: 08\ne: ~\n")
    assert plain_value(node) == {"a": "no", "b": "true", "c": True, "d": 8, "e": "~"}


def test_everything_knows_its_lines() -> None:
    node = read("a: 1\nb:\n  - x\n  - |\n    two\n    lines\nc: {d: folded\n    text}\n")
    assert isinstance(node, Mapping)
    assert (node.line, node.column, node.end_line) == (1, 1, 8)
    listed, inner = node.get("b"), node.get("c")
    assert isinstance(listed, Sequence)
    assert isinstance(inner, Mapping)
    assert (listed.line, listed.column, listed.end_line) == (3, 3, 6)
    assert [(item.line, item.column, item.end_line) for item in listed.items] == [(3, 5, 3), (4, 5, 6)]
    assert (inner.line, inner.end_line) == (7, 8)
    assert inner.entries[0][1].origin.where() == "x.yaml:7"
    assert (inner.origin.line, inner.origin.end_line, inner.entries[0][1].origin.end_line) == (7, 7, 8)


def test_quotes_make_a_text_of_anything() -> None:
    node = read("[~, '~', null, \"null\", '', true]")
    assert isinstance(node, Sequence)
    items = [item for item in node.items if isinstance(item, Scalar)]
    assert [item.plain for item in items] == [True, False, True, False, False, True]
    assert [item.empty for item in items] == [True, False, True, False, False, False]


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff"])
def test_a_file_without_a_document_is_none(text: str) -> None:
    assert read_yaml(text, "x.yaml", STRICT) is None
    assert read_yaml(text.encode(), "x.yaml", LENIENT) is None


# text, line of the mistake, a part of what is said, whether the lenient reader refuses it as well
REFUSED: list[tuple[bytes, int | None, str, bool]] = [
    (b"a: 1\n---\nb: 2\n", 2, "second document", True),
    (b"a: &x 1\nb: *x\n", 1, "anchor or an alias", False),
    (b"a: 1\nb: !!python/object:os.system 1\n", 2, "uses a tag", False),
    (b"a: 1\n? [b]\n: 2\n", 2, "key that is a list", True),
    (b"a: 1\nb: \x07\n", 2, "character that YAML doesn't allow", True),
    (b"a: 1\nb: \xff\n", 2, "isn't UTF-8", True),
    (b'a: 1\nb: "\\e[2J"\n', 2, "can't be seen", False),
    ("a: 1\n\u202eb: 1\n".encode(), 2, "can't be seen", False),
    (b"a: [" + b"[" * 50_000, 1, "nested deeper", True),
    (b"- " * 50_000, 1, "nested deeper", True),
    (b"x" * (1 << 20) + b"x", None, "larger than 1024 KiB", False),
    (b"a: 1\na: 2\nb: {c: 1, c: 2}\n", 2, "`a` is given twice, first in line 1", False),
]


@pytest.mark.parametrize(("text", "line", "said", "always"), REFUSED)
def test_what_is_not_allowed_is_refused_with_its_line(text: bytes, line: int | None, said: str, always: bool) -> None:
    error = refused(text)
    assert error.line == line
    assert said in error.text
    assert error.remedy
    if always:
        assert (refused(text, LENIENT).line, refused(text, LENIENT).text[:15]) == (line, error.text[:15])
    else:
        read(text, LENIENT)


@pytest.mark.parametrize("text", ["a: 1\n\tb: 2\n", "a: 1\nb: [1\n c: }", "a: 1\n'b"])
def test_broken_grammar_is_told_apart(text: str) -> None:
    error = refused(text)
    assert isinstance(error, NotYaml)
    assert error.line is not None
    assert error.line >= 2


def test_every_duplicate_key_is_told() -> None:
    assert [(one.line, one.column) for one in refused("a: 1\na: 2\nb: {c: 1, c: 2}\n").every] == [(2, 1), (3, 11)]
    node = read("a: 1\na: 2\n", LENIENT)
    assert isinstance(node, Mapping)
    assert [key.line for key, _ in node.entries] == [1, 2]


def test_merge_keys_bring_what_a_mapping_does_not_say_itself() -> None:
    text = "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nall:\n  <<: [*one, *two]\n  a: own\n"
    whole = plain_value(read(text, LENIENT))
    assert isinstance(whole, dict)
    assert whole["all"] == {"a": "own", "b": 1, "c": 2}
    assert plain_value(read("<<: {a: 1}")) == {"<<": {"a": 1}}
    assert plain_value(read("'<<': {a: 1}", LENIENT)) == {"<<": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: *gone\n", 2, "`*gone`, an anchor that isn't there"),
        ("a: &a\n  b: *a\n", 2, "`*a`, an anchor that isn't there"),
        ("a: 1\n<<: text\n", 2, "neither a mapping nor a list of mappings"),
    ],
)
def test_aliases_that_lead_nowhere_are_told(text: str, line: int, said: str) -> None:
    error = refused(text, LENIENT)
    assert (error.line, said in error.text) == (line, True)


def test_merge_keys_that_unfold_without_end_are_refused() -> None:
    text = "x: &x {" + ", ".join(f"k{n}: 1" for n in range(2000)) + "}\n"
    text += "".join(f"y{n}:\n  <<: *x\n" for n in range(1000))
    assert "merges more than" in refused(text, LENIENT).text


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(alphabet="ab:-?[]{}&*!<>|'\"\n\t #%@,", max_size=60), st.binary(max_size=60)))
def test_any_text_at_all_is_read_or_refused(text: str | bytes) -> None:
    for allowed in (STRICT, LENIENT):
        try:
            node = read_yaml(text, "x.yaml", allowed)
        except YamlError as error:
            assert error.text
        else:
            assert node is None or 1 <= node.line <= node.end_line


def test_the_reader_costs_nothing_before_it_reads() -> None:
    code = "import sys, lint.documents.yaml; print([m for m in ('yaml', 'jsonschema') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
