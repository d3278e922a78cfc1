"""The shipped JSON Schema, for editors, says the same as the reader of the project file."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import lint
from lint.project import ProjectError, loads
from lint.verdict.bind import SELECTOR_KINDS

SCHEMA = json.loads((Path(lint.__file__).parent / "project.schema.json").read_text())
PATH = Path("/project/netpact.yaml")
START = "version: 1\ndeployments:\n  a:\n    pack: x/y\n"


class Texts(yaml.SafeLoader):
    """Dates stay as they are written, as in the reader and in an editor."""


Texts.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for sign, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def accepted(text):
    try:
        loads(text, PATH)
    except ProjectError:
        return False
    return True


@pytest.mark.parametrize(
    "more",
    [
        "",
        "    strictness: ports\n",
        "    strictness: port\n",
        "    variants: [a]\n",
        "    variants: a\n",
        "    varants: [a]\n",
        "    client_ports: {a: linux}\n",
        "    client_ports: {a: lots}\n",
        "    roles: {a: [{names: [b]}]}\n",
        "    roles: {a: [{names: b, tags: {x: [y, z]}}]}\n",
        "    roles: {a: [{name: [b]}]}\n",
        "    roles: {a: [{tags: {}}]}\n",
        "    roles: {a: [{}]}\n",
        "    roles: {a: b}\n",
        "waivers: [{finding: a/b, reason: c, expires: 2027-01-31}]\n",
        "waivers: [{finding: a/b, reason: c}]\n",
        "waivers: [{finding: a/b}]\n",
        "waivers: [{finding: a/b, reason: c, expires: soon}]\n",
        "prefix_lists: {pl-1: [10.0.0.0/8]}\n",
        "transparent: [eni-1]\n",
        "sources: [a]\n",
        "source: [a]\n",
    ],
)
def test_both_accept_the_same(more):
    text = START + more
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert validator.is_valid(yaml.load(text, Texts)) == accepted(text)


def test_every_kind_of_selector_is_in_both():
    assert set(SCHEMA["$defs"]["selector"]["properties"]) == set(SELECTOR_KINDS)
    for kind in SELECTOR_KINDS:
        value = {"tags": "{a: b}", "addresses": "[10.0.0.0/8]"}.get(kind, "[a]")
        assert accepted(START + f"    roles: {{r: [{{{kind}: {value}}}]}}\n"), kind
