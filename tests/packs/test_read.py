"""Every mistake in a pack gets one message with file and line, says what to do, and is never passed over."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lint.documents.yaml import plain_value
from lint.packs import PackProblem, builtin_files, load_builtin, load_file, read_pack, rules_folder
from lint.packs.document import read_document
from lint.packs.validate import problems_of

PACK = """\
schema: 1
id: acme/mirror
title: Acme Mirror
document:
  title: Ports of Acme Mirror
  edition: 3rd
variants:
  agent: with an agent
  proxy: with a proxy
phases:
  setup: being installed
  normal: running
default_phase: normal
parameters:
  region: where it runs
roles:
  agent:
    title: machine with the agent
    lives: customer
  mirror:
    title: the mirror
    lives: cloud
    managed: true
    addresses: [192.0.2.1/32]
    hosts: mirror.example.com
    hints:
      names: ["*mirror*"]
      tags: {role: mirror}
      services: tcp/7000
  vcenter:
    title: vCenter
    lives: customer
    shared: true
signature: [tcp/7000]
flows:
  - id: agent-1
    kind: required
    from: agent
    to: {any_of: mirror}
    services: {any_of: ["tcp/22,7000", udp/7000-7010]}
    variants: [agent]
    phases: normal
    optional: true
    condition: if it is there
    assumed: nobody said
    purpose: to mirror
    cites:
      - {section: Ports, row: 1}
      - {section: Ports, row: last}
  - id: mirror-alone
    kind: exclusive
    from: []
    to: [mirror]
    services: tcp/7000
    severity: warning
    purpose: nobody else
    cites: [{section: Ports, row: 2}]
  - id: nothing-out
    kind: forbidden
    from: mirror
    to: internet
    services: any
    except: {services: tcp/443, documented: true}
    purpose: nothing goes out
    cites: [{section: Ports, row: 3}]
  - id: vcenter-public
    kind: exclusive
    from: agent
    to: vcenter
    services: tcp/443
    against: public
    purpose: not from the Internet
    cites: [{section: Ports, row: 4}]
"""


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    published = json.loads((rules_folder() / "pack.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    return jsonschema.Draft202012Validator(published)


def problems(text: str | bytes) -> tuple[PackProblem, ...]:
    with pytest.raises(PackProblem) as raised:
        read_pack(text, "acme.yaml")
    return raised.value.every


def test_a_pack_says_what_its_file_says() -> None:
    pack = read_pack(PACK, "acme.yaml")
    assert (pack.id, pack.title, pack.document_title) == ("acme/mirror", "Acme Mirror", "Ports of Acme Mirror")
    assert (pack.document_edition, pack.document_url) == ("3rd", None)
    assert pack.variants == (("agent", "with an agent"), ("proxy", "with a proxy"))
    assert pack.default_phase == "normal"
    assert pack.parameters == (("region", "where it runs"),)
    assert pack.signature_services == ("tcp/7000",)
    mirror = pack.role("mirror")
    assert mirror is not None
    assert (mirror.lives, mirror.managed, mirror.shared) == ("cloud", True, False)
    assert (mirror.default_addresses, mirror.hosts) == (("192.0.2.1/32",), ("mirror.example.com",))
    assert (mirror.hint_names, mirror.hint_tags) == (("*mirror*",), (("role", "mirror"),))
    flow = pack.flow("agent-1")
    assert flow is not None
    assert (flow.sources, flow.destinations) == (("agent",), ("mirror",))
    assert (flow.any_service, flow.any_destination, flow.optional) == (True, True, True)
    assert flow.services == ("tcp/22", "tcp/7000", "udp/7000-7010")
    assert (flow.variants, flow.phases, flow.severity) == (("agent",), ("normal",), "error")
    assert [(cite.section, cite.row) for cite in flow.citations] == [("Ports", "1"), ("Ports", "last")]
    assert (flow.origin.file, flow.origin.line, flow.origin.end_line) == ("acme.yaml", 36, 49)
    out = pack.flow("nothing-out")
    assert out is not None
    assert (out.except_services, out.except_documented) == (("tcp/443",), True)


@pytest.mark.parametrize(
    "text",
    [PACK.replace("\n", "\r\n"), "\ufeff" + PACK, PACK.rstrip("\n"), "---\n" + PACK + "...\n"],
    ids=["CRLF", "BOM", "no final newline", "document markers"],
)
def test_spellings_of_a_file_that_make_no_difference(text: str) -> None:
    flows = read_pack(text.encode(), "acme.yaml").flows
    assert [f.id for f in flows] == ["agent-1", "mirror-alone", "nothing-out", "vcenter-public"]


# what is replaced, by what, line of the problem, a part of what is said, whether the JSON Schema sees it as well
MISTAKES = [
    ("title: Acme Mirror", "titel: Acme Mirror", 3, "no field `titel`", True),
    ("title: Acme Mirror", "titel: Acme Mirror", 1, "no `title`", True),
    ("schema: 1", "schema: 2", 1, "schema that this version doesn't know", True),
    ("id: acme/mirror", "id: Acme Mirror", 2, "is no id", True),
    ("id: acme/mirror", "id: [acme]", 2, "`id` is no text", True),
    ("  title: Ports of Acme Mirror\n", "", 5, "no `title`", True),
    ("default_phase: normal", "default_phase: nomal", 13, "no phase of this pack", False),
    ("default_phase: normal\n", "", 1, "no `default_phase`", True),
    ("  agent:\n    title: machine", "  internet:\n    title: machine", 17, "party that every pack has", True),
    ("  agent:\n    title: machine", "  The Agent:\n    title: machine", 17, "no role name", True),
    ("    lives: cloud", "    lives: moon", 22, "`lives: moon` is not known", True),
    ("    lives: cloud\n", "", 21, "role `mirror` has no `lives`", True),
    ("managed: true", "managed: yes", 23, "neither true nor false", True),
    ("192.0.2.1/32", "192.0.2.1/33", 24, "is no CIDR", False),
    ("192.0.2.1/32", "mirror.example.com", 24, "is no CIDR", False),
    ("    hints:\n", "    hint:\n", 26, "did you mean `hints`?", True),
    ("      services: tcp/7000", "      services: tcp/70000", 29, "not a service", False),
    ("signature: [tcp/7000]", "signature: [tcp]7000]", 34, "not YAML", None),
    ("signature: [tcp/7000]", "signature: [frob/7000]", 34, "not a service", False),
    ("  - id: agent-1", "  - id: Agent 1", 36, "is no id", True),
    ("  - id: mirror-alone", "  - id: agent-1", 50, "given twice, first in line 36", False),
    (
        "    kind: exclusive\n    from: []",
        "    kind: exclusiv\n    from: []",
        51,
        "`kind: exclusiv` is not known",
        True,
    ),
    ("    from: []", "    from: agnet", 52, "did you mean `agent`?", False),
    ("    from: []", "    from: internet", 52, "party of forbidden flows alone", False),
    ("    from: agent\n    to: {any", "    from: []\n    to: {any", 38, "`from` names nobody", True),
    ("    from: agent\n    to: {any", "    from: [agent, agent]\n    to: {any", 38, "stands twice", True),
    ("    to: [mirror]", "    to: [mirrors]", 53, "did you mean `mirror`?", False),
    ("    to: [mirror]", "    to: {any_of: mirror}", 53, "`any_of` is for required flows alone", True),
    ("    to: {any_of: mirror}", "    to: {one_of: mirror}", 39, "no field `one_of`", True),
    ("    to: {any_of: mirror}", "    to: [[mirror]]", 39, "no text", True),
    ("    to: {any_of: mirror}", "    to: mirror\n    to: agent", 40, "given twice, first in line 39", None),
    ("tcp/22,7000", "tcp/22,x", 40, "not a service", False),
    ('["tcp/22,7000", udp/7000-7010]', "[]", 40, "`services` is empty", False),
    ("udp/7000-7010", "udp/7010-7000", 40, "not a service", False),
    ("    variants: [agent]", "    variants: [agents]", 41, "no variant of this pack", False),
    ("    phases: normal", "    phases: later", 42, "known are setup, normal", False),
    ("    severity: warning", "    severity: fatal", 55, "`severity: fatal` is not known", True),
    ("    severity: warning", "    optional: true", 55, "for required flows alone", True),
    ("    severity: warning", "    managed: true", 55, "for required flows alone", True),
    ("    severity: warning", "    host_local: true", 55, "for required flows alone", True),
    ("    severity: warning", "    except: {documented: true}", 55, "for forbidden flows alone", True),
    ("    condition: if it is there", "    against: public", 44, "for exclusive flows alone", True),
    ("    condition: if it is there", "    except: {services: tcp/443}", 44, "not for required flows", True),
    ("    purpose: nobody else\n", "", 50, "no `purpose`", True),
    ("    purpose: nobody else", "    purpose:", 56, "`purpose` is no text", True),
    ("    cites: [{section: Ports, row: 2}]", "    cites: []", 57, "names no place", True),
    ("    cites: [{section: Ports, row: 2}]", "    cites: [{section: Ports}]", 57, "no `row`", True),
    ("    from: mirror\n    to: internet", "    from: anyone\n    to: internet", 61, "no role on either side", False),
    ("    against: public\n", "", 69, "shared with other software", False),
    ("    against: public", "    against: strangers", 71, "`against: strangers` is not known", True),
    ("flows:\n", "flows: none\nflow:\n", 35, "no list of flows", True),
]


@pytest.mark.parametrize(("old", "new", "line", "said", "in_schema"), MISTAKES)
def test_a_mistake_is_told_with_its_line(
    schema: jsonschema.Draft202012Validator, old: str, new: str, line: int, said: str, in_schema: bool | None
) -> None:
    assert PACK.count(old) == 1
    text = PACK.replace(old, new)
    told = [p for p in problems(text) if said in p.text or said in p.remedy]
    assert told
    assert told[0].line == line
    assert str(told[0]).startswith(f"acme.yaml:{line}: ")
    assert told[0].remedy
    if in_schema is not None:
        assert (not schema.is_valid(plain_value(read_document(text, "acme.yaml")))) == in_schema


def test_all_mistakes_are_told_at_once_in_the_files_order() -> None:
    text = PACK.replace("lives: cloud", "lives: moon").replace("to: [mirror]", "to: [mirrors]")
    text = text.replace("against: public", "against: strangers")
    assert [p.line for p in problems(text)] == [22, 53, 69, 71]


def test_the_schema_accepts_the_packs_that_the_reader_accepts(schema: jsonschema.Draft202012Validator) -> None:
    assert schema.is_valid(plain_value(read_document(PACK, "acme.yaml")))
    for pack_id, path in builtin_files().items():
        assert [e.message for e in schema.iter_errors(plain_value(read_document(path.read_bytes(), pack_id)))] == []
        assert problems_of(path) == ()


def test_validation_tells_readers_and_schemas_problems_once(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(PACK.replace("lives: cloud", "lives: moon").replace("tcp/443", "tcp/x"), encoding="utf-8")
    assert [p.line for p in problems_of(bad, "bad.yaml")] == [22, 63, 70]
    assert "can't be read" in problems_of(tmp_path / "none.yaml")[0].text
    bad.write_text("roles: {a: 1, a: 2}", encoding="utf-8")
    assert "given twice" in problems_of(bad)[0].text


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PackProblem, match="can't be read"):
        load_file(tmp_path / "none.yaml")


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*path, key))
    if isinstance(value, list):
        for at, inner in enumerate(value):
            found += _places(inner, (*path, at))
    return found


WHOLE = plain_value(read_document(PACK, "acme.yaml"))
PLACES = _places(WHOLE)
TEXTS = [
    "",
    "x",
    "agent",
    "internet",
    "tcp/443",
    "required",
    "Not A Name",
    "tcp/1,2",
    "public",
    "forbidden",
    "exclusive",
]
LISTS: list[Any] = [[], ["x", "x"], ["agent"], [""], [[]]]
MAPPINGS: list[Any] = [{}, {"x": "y"}, {"any_of": "agent"}, {"any_of": []}]
OTHER = st.sampled_from([*TEXTS, 1, 0, True, False, *LISTS, *MAPPINGS])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.one_of(st.none(), OTHER)), min_size=1, max_size=3))
def test_the_reader_refuses_whatever_the_schema_refuses(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    published = json.loads((rules_folder() / "pack.schema.json").read_text(encoding="utf-8"))
    document: Any = copy.deepcopy(WHOLE)
    for path, value in changes:
        holder = document
        try:
            for step in path[:-1]:
                holder = holder[step]
            if value is None:
                del holder[path[-1]]
            else:
                holder[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    text = yaml.safe_dump(document, sort_keys=False)
    if not jsonschema.Draft202012Validator(published).is_valid(plain_value(read_document(text, "acme.yaml"))):
        assert problems(text)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=80), st.binary(max_size=80)))
def test_any_text_at_all_is_a_pack_or_a_problem(text: str | bytes) -> None:
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    assert all(p.text and p.file == "acme.yaml" for p in problems(text))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (b"", None, "is empty"),
        (b"# nothing\n", None, "is empty"),
        (b"a: 1\n---\nb: 2\n", 2, "second document"),
        (b"a: &x 1\nb: *x\n", 1, "anchor or an alias"),
        (b"a: 1\nb: !!python/object:os.system 1\n", 2, "uses a tag"),
        (b"a: 1\n? [b]\n: 2\n", 2, "key that is a list"),
        (b"a: 1\nb: \x07\n", 2, "character that YAML doesn't allow"),
        (b"a: 1\nb: \xff\n", 2, "isn't UTF-8"),
        (b'a: 1\nb: "\\e[2J"\n', 2, "can't be seen"),
        ("a: 1\n\u202eb: 1\n".encode(), 2, "can't be seen"),
        (b"a: 1\n\tb: 2\n", 2, "not YAML"),
        (b"a: [" + b"[" * 50_000, 1, "nested deeper"),
        (b"- " * 50_000, 1, "nested deeper"),
        (b"x" * (1 << 20) + b"x", None, "larger than 1024 KiB"),
        (b"a: 1\na: 2\nb: {c: 1, c: 2}\n", 2, "`a` is given twice, first in line 1"),
        (b"just text\n", 1, "no mapping"),
    ],
)
def test_what_no_person_writes_is_refused_with_a_sentence(text: bytes, line: int | None, said: str) -> None:
    first = problems(text)[0]
    assert first.line == line
    assert said in first.text


def test_every_duplicate_key_is_told() -> None:
    assert [p.line for p in problems("a: 1\na: 2\nb: {c: 1, c: 2}\n")] == [2, 3]


def test_the_built_in_packs_are_read_once() -> None:
    assert load_builtin()["hyperbdr/saas-block-storage"] is load_builtin()["hyperbdr/saas-block-storage"]


def test_a_pack_made_to_keep_a_machine_busy_is_refused() -> None:
    many = "".join(f"  r{n}: {{title: r, lives: any}}\n" for n in range(501))
    assert any("has 504 roles" in p.text for p in problems(PACK.replace("roles:\n", "roles:\n" + many)))
    flow = PACK[PACK.index("  - id: mirror-alone") : PACK.index("  - id: nothing-out")]
    flows = "".join(flow.replace("mirror-alone", f"flow-{n}") for n in range(2000))
    assert any("has 2004 flows" in p.text for p in problems(PACK + flows))
    ports = ",".join(str(port) for port in range(1, 600, 2))
    assert any("301 services" in p.text for p in problems(PACK.replace("tcp/22,7000", f"tcp/{ports}")))


def test_messages_stay_short_however_much_is_wrong() -> None:
    many = "".join(f"  r{n}: {{title: r, lives: any}}\n" for n in range(400))
    flow = PACK[PACK.index("  - id: mirror-alone") : PACK.index("  - id: nothing-out")].replace("[mirror]", "zzzzzzzz")
    flows = "".join(flow.replace("mirror-alone", f"flow-{n}") for n in range(500))
    told = problems(PACK.replace("roles:\n", "roles:\n" + many) + flows)
    assert len(told) == 200
    assert max(len(str(p)) for p in told) < 400
    (long,) = problems(PACK.replace("lives: cloud", "lives: " + "x" * 10_000))
    assert len(long.text) == 301
