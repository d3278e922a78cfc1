"""Whatever an unknown turns out to be, the value computed without it has allowed for the value computed with it."""

from __future__ import annotations

import ipaddress
import itertools

import pytest

from lint.origin import Reason
from lint.terraform.expressions.evaluate import evaluate
from lint.terraform.scope import EvaluationProblem, Scope, fixed
from lint.terraform.syntax.parse import parse_expression
from lint.terraform.types import DYNAMIC, SetType
from lint.terraform.values import (
    Reference,
    Unknown,
    Value,
    as_text,
    get,
    is_not_null,
    pieces_of,
    unknown,
    unknown_reasons,
)

ACTUAL = [
    "null",
    '""',
    '"a"',
    '"10.0.0.0/8"',
    '"5"',
    "5",
    "0",
    "true",
    "false",
    "[]",
    '["a"]',
    '["b", "a"]',
    '[1, "a", null]',
    "{}",
    "{ a = 1 }",
    '{ a = "x", b = [1] }',
    'tolist(["b", "a"])',
    'toset(["a", "b"])',
    'tomap({ a = "x" })',
    "[[1], [2, 3]]",
    "tostring(null)",
]

NAMES = (
    "abs alltrue anytrue base64encode can ceil chomp coalesce coalescelist compact concat distinct flatten floor "
    "jsondecode jsonencode keys length lower max merge one reverse sort sum tobool tolist tomap tonumber toset "
    "tostring transpose trimspace try upper values yamlencode setunion cidrnetmask formatlist"
)

FORMS = [
    *(f"{name}(v)" for name in NAMES.split()),
    '"${v}"',
    '"x${v}"',
    '"${v}.x"',
    '"10.${v}.0.0/16"',
    '"%{ if v }a%{ else }b%{ endif }"',
    '"%{ for x in v }${x},%{ endfor }"',
    "v ? 1 : 2",
    'v ? ["a"] : []',
    "v ? { a = 1 } : { a = 2 }",
    "true ? v : null",
    "false ? v : 7",
    "v == null",
    'v == "a"',
    "v == 5",
    "[v] == [5]",
    "!v",
    "-v",
    "v + 1",
    "v * 0",
    "v && false",
    "v || true",
    "v < 3",
    "v[0]",
    'v["a"]',
    "v.a",
    "v[*]",
    "v[*].a",
    "v.*.a",
    "[for x in v : x]",
    "[for k, x in v : k]",
    '[for x in ["p", "q"] : x if v]',
    '{ for x in ["p", "q"] : x => v }',
    '{ for x in ["p", "q"] : x => x if v }',
    "{ (v) = 1 }",
    "[v, 1]",
    "length([v, v])",
    "length(toset([v]))",
    'concat(v, ["z"])',
    'concat(["z"], v)',
    "concat(v...)",
    "merge({ a = 0 }, v)",
    "merge(v, { a = 0 })",
    "merge({ a = 0 }, v).a",
    "merge(v, { a = 0 }).a",
    'coalesce(v, "d")',
    'coalesce("", v, "d")',
    'compact([v, "a"])',
    'distinct([v, "a"])',
    'contains(["a", "b"], v)',
    'contains([v], "a")',
    "element(v, 0)",
    'element(["p", "q"], v)',
    '["p", "q"][v]',
    "{ a = 1, b = 2 }[v]",
    'lookup(v, "a", "d")',
    'lookup({ a = 1 }, v, "d")',
    'try(v.a, "d")',
    'try(v[0], "d")',
    'try(v.a.b, v.a, "d")',
    'try(tonumber(v), "d")',
    "try([v.a], [])",
    'try(one(v), "d")',
    'try(coalesce(v), "d")',
    "can(v.a)",
    "can(tonumber(v))",
    'flatten([v, ["z"]])',
    'flatten([["z"], [v]])',
    'join(",", [v, "z"])',
    'join(",", v)',
    'format("%s-%v", v, v)',
    'format("%d", v)',
    'formatlist("%s", v)',
    'formatlist("%s-%s", v, "z")',
    "cidrsubnet(v, 8, 1)",
    'cidrsubnet("10.0.0.0/8", 8, v)',
    'cidrsubnet("10.0.0.0/8", v, 1)',
    'cidrhost("10.0.0.0/8", v)',
    'startswith("x${v}", "x")',
    'replace(v, "a", "b")',
    'split(",", v)',
    'index(["a", "b"], v)',
    'zipmap(["k"], [v])',
    'zipmap(v, ["k"])',
    "setproduct(v, [1])",
    'setunion(v, ["z"])',
    'setsubtract(v, ["a"])',
    'setintersection(v, ["a"])',
    'toset([v, "a"])',
    'tolist(toset([v, "a"]))',
    'sort([v, "a"])',
    "slice([v, 1], 0, 1)",
    'matchkeys(["p"], [v], ["a"])',
    "keys({ a = v })",
    "values({ a = v })",
    "one([v])",
    "range(v)",
    "jsonencode([v])",
    "templatestring(v, {})",
    'regexall("a", v)',
    "sum([v, 1])",
    "chunklist([v, 1], 1)",
    "transpose({ a = v })",
]


def admits(claimed: Value, actual: Value) -> bool:
    """Whether a value that may hold unknowns allows for an actual value."""
    held = claimed.data
    if isinstance(held, Unknown):
        if held.not_null and actual.data is None:
            return False
        if held.candidates is not None and not any(admits(each, actual) for each in held.candidates):
            return False
        if held.prefix is not None and actual.data is not None and not str(actual.data).startswith(held.prefix):
            return False
        if held.within is not None and isinstance(actual.data, str):
            try:
                inner = ipaddress.ip_network(actual.data, strict=False)
            except ValueError:
                # It is no address, and will be refused where one is wanted.
                return True
            outer = ipaddress.ip_network(held.within)
            return inner.version == outer.version and bool(inner.subnet_of(outer))  # type: ignore[arg-type]
        if held.attributes is not None and isinstance(actual.data, dict):
            return all(k in actual.data and admits(v, actual.data[k]) for k, v in held.attributes.items())
        return True
    if isinstance(claimed.type, SetType) and not claimed.known:
        members = list(actual.data or ())
        return all(any(admits(each, member) for each in held) for member in members)
    if isinstance(held, tuple) and isinstance(actual.data, tuple):
        return len(held) == len(actual.data) and all(admits(a, b) for a, b in zip(held, actual.data))
    if isinstance(held, dict) and isinstance(actual.data, dict):
        return held.keys() == actual.data.keys() and all(admits(v, actual.data[k]) for k, v in held.items())
    # The type of an unknown may decide that of its neighbours: 1 beside "a" in a list is "1".
    return as_text(claimed) == as_text(actual) and (held is None) == (actual.data is None)


def outcome(form: str, value: Value) -> Value | None:
    """The value of a form; None where it is refused, or where even a known `v` gives what Terraform never knows."""
    names = {"v": value, "k": value}
    try:
        found = evaluate(parse_expression(form), Scope(fixed(names)))
    except EvaluationProblem:
        return None
    never = not found.known and {r.code for r in unknown_reasons(found)} == {"tf.untyped-null"}
    return None if never else found


WHY = Reason("v isn't known")
VALUES = [evaluate(parse_expression(text), Scope(fixed({}))) for text in ACTUAL]


@pytest.mark.parametrize("form", FORMS)
def test_an_unknown_allows_for_every_value_it_may_turn_out_to_be(form: str) -> None:
    for value in VALUES:
        actual = outcome(form, value)
        if actual is None:
            continue
        for kind in (DYNAMIC, value.type):
            stand_in = unknown(kind, [WHY], not_null=is_not_null(value))
            claimed = outcome(form, stand_in)
            assert claimed is not None, f"{form} is refused with v unknown, but not with v = {value}"
            assert admits(claimed, actual), f"{form}: {claimed} doesn't allow for {actual} (v = {value})"


@pytest.mark.parametrize("form", FORMS)
def test_candidates_allow_for_each_of_them(form: str) -> None:
    for one, other in itertools.combinations(VALUES[::2] + VALUES[5:12:3], 2):
        kind = one.type if one.type is other.type else DYNAMIC
        stand_in = unknown(kind, [WHY], candidates=(one, other), not_null=is_not_null(one) and is_not_null(other))
        claimed = outcome(form, stand_in)
        for value in (one, other):
            actual = outcome(form, value)
            if actual is None:
                continue
            assert claimed is not None, f"{form} is refused with v = {one} or {other}"
            assert admits(claimed, actual), f"{form}: {claimed} doesn't allow for {actual} (v = {value})"


def spelled(claimed: Value, actual: Value, value: Value) -> bool:
    """Whether every text in a claimed value that is put together of pieces is the actual one."""
    held = claimed.data
    if isinstance(held, Unknown):
        pieces = pieces_of(claimed)
        if pieces is None or not isinstance(actual.data, str):
            return True
        parts = [each if isinstance(each, str) else as_text(get(value, *each.path) or value) for each in pieces]
        return None not in parts and "".join(str(part) for part in parts) == actual.data
    if isinstance(claimed.type, SetType):
        return True
    if isinstance(held, tuple) and isinstance(actual.data, tuple):
        return all(spelled(a, b, value) for a, b in zip(held, actual.data))
    if isinstance(held, dict) and isinstance(actual.data, dict):
        return all(spelled(a, actual.data[name], value) for name, a in held.items() if name in actual.data)
    return True


# An attribute of a resource is always there, so that `try` has nothing to fall back to; and it isn't taken for a list.
PASSED_ON = [form for form in FORMS if not form.startswith(("try(", "flatten("))]


@pytest.mark.parametrize(
    "form", [*PASSED_ON, 'formatlist("%s/32", [v])', '[for x in [v] : "${x}/32"]', 'concat(["${v}/32"], [v])']
)
def test_the_pieces_of_a_text_spell_what_it_turns_out_to_be(form: str) -> None:
    for value in VALUES:
        actual = outcome(form, value)
        if actual is None:
            continue
        for kind in (DYNAMIC, value.type):
            stand_in = unknown(kind, [WHY], reference=Reference("x.v", ()), not_null=is_not_null(value))
            claimed = outcome(form, stand_in)
            assert claimed is not None, f"{form} is refused with v unknown, but not with v = {value}"
            assert spelled(claimed, actual, value), f"{form}: {claimed} isn't {actual} (v = {value})"
