"""Unknown never vanishes: what is said without a variable's value holds for every value that it can have."""

from __future__ import annotations

import ipaddress
import re
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lint.terraform.configuration import ParseCache
from lint.terraform.evaluate import evaluate_root
from lint.terraform.options import Options
from lint.terraform.resources import Evaluation, Nested, NestedList
from lint.terraform.values import Unknown, Value, to_json

ROOT = """
variable "enabled" { type = bool }
variable "cidrs" { type = list(string) }
variable "size" { type = number }
variable "names" { type = map(string) }
variable "extra" { default = null }

locals {
  base   = var.enabled ? "10.0.0.0/16" : "172.16.0.0/16"
  third  = "10.0.${var.size}.0/24"
  sorted = distinct(concat(["10.9.0.0/16"], var.cidrs))
  picked = [for name, text in var.names : upper(text) if length(name) < 3]
  merged = merge({ a = "x" }, var.names, var.enabled ? { z = "last" } : {})
  logic  = var.enabled || var.size > 3
  port   = var.size > 2 ? 443 : 80
  tried  = try(var.names["a"], "none")
  count  = length(local.picked) + (var.enabled ? 1 : 0)
}

resource "x_group" "plain" {
  name    = "g-${var.enabled}-${local.port}"
  base    = local.base
  subnet  = cidrsubnet(local.base, 8, 1)
  third   = local.third
  sorted  = local.sorted
  first   = element(local.sorted, var.size)
  merged  = local.merged
  keys    = keys(local.merged)
  logic   = local.logic
  tried   = local.tried
  both    = local.logic && !var.enabled
  equal   = var.size == 2
  looked  = lookup(var.names, "zz", local.port)
  joined  = join(",", local.picked)
  extra   = coalesce(var.extra, "default")
  nothing = var.extra == null
  at      = can(cidrhost(local.sorted[1], 1))
  minimum = min(var.size, 5)

  rule { port = local.port }
  dynamic "rule" {
    for_each = local.sorted
    content { cidr = rule.value }
  }
  dynamic "door" {
    for_each = var.enabled ? [22] : []
    content { port = door.value + var.size }
  }
}

resource "x_group" "counted" {
  count = var.enabled ? 2 : 0
  index = count.index
}

resource "x_group" "many" {
  count = min(local.count, 4)
  name  = try(local.picked[count.index], "beyond")
}

resource "x_group" "keyed" {
  for_each = var.names
  name     = each.key
  text     = each.value
  id       = one(x_group.counted[*].index)
}

module "child" {
  source   = "./child"
  for_each = { for name, text in var.names : name => text if text != "" }
  name     = each.value
  enabled  = var.enabled
}
"""
CHILD = """
variable "name" {}
variable "enabled" {}
resource "x_group" "inner" {
  count = var.enabled ? 1 : 0
  name  = var.name
}
output "name" { value = var.name }
"""

CACHE = ParseCache()
FOLDER = tempfile.TemporaryDirectory()
DIRECTORY = Path(FOLDER.name)
(DIRECTORY / ".git").mkdir()
(DIRECTORY / "child").mkdir()
(DIRECTORY / "main.tf").write_text(ROOT)
(DIRECTORY / "child" / "main.tf").write_text(CHILD)

VARIABLES = st.fixed_dictionaries(
    {
        "enabled": st.sampled_from(["true", "false"]),
        "cidrs": st.lists(st.sampled_from(["10.9.0.0/16", "0.0.0.0/0", "x", "192.0.2.0/24"]), max_size=3).map(
            lambda items: "[" + ", ".join(f'"{item}"' for item in items) + "]"
        ),
        "size": st.sampled_from(["0", "1", "2", "3", "7"]),
        "names": st.dictionaries(
            st.sampled_from(["a", "b", "ccc", "zz"]), st.sampled_from(["p", "q", ""]), max_size=3
        ).map(lambda items: "{" + ", ".join(f'{key} = "{text}"' for key, text in items.items()) + "}"),
        "extra": st.sampled_from(["null", '"given"']),
    }
)


def evaluate(values: dict[str, str]) -> Evaluation:
    """The project with these variables given."""
    return evaluate_root(DIRECTORY, Options(variables=tuple(values.items())), cache=CACHE)


def holds(said: Value, real: Value) -> bool:
    """Whether what is said of a value is true of the real one."""
    if not isinstance(said.data, Unknown):
        if isinstance(said.data, tuple):
            return (
                isinstance(real.data, tuple)
                and len(said.data) == len(real.data)
                and all(holds(s, r) for s, r in zip(said.data, real.data))
            )
        if isinstance(said.data, dict):
            return (
                isinstance(real.data, dict)
                and said.data.keys() == real.data.keys()
                and all(holds(each, real.data[name]) for name, each in said.data.items())
            )
        return not real.known or said.data == real.data
    if not real.known:
        return True
    held = said.data
    if held.candidates is not None and not any(holds(each, real) for each in held.candidates):
        return False
    if held.not_null and real.data is None:
        return False
    if held.prefix is not None and isinstance(real.data, str) and not real.data.startswith(held.prefix):
        return False
    if held.within is not None and isinstance(real.data, str):
        inner = ipaddress.ip_network(real.data, strict=False)
        outer = ipaddress.ip_network(held.within)
        return inner.prefixlen >= outer.prefixlen and inner.supernet(new_prefix=outer.prefixlen) == outer
    return True


def text(value: Value) -> str:
    """A value for a message."""
    return to_json(value) if value.known else repr(value.data)


def blocks_hold(said: NestedList, real: NestedList) -> bool:
    """Whether what is said of blocks is true of the real ones."""
    certain = [item for item in said.items if item.certain]
    uncertain = [item for item in said.items if not item.certain]
    if len(certain) > len(real.items):
        return False
    if not uncertain and not said.open and len(certain) != len(real.items):
        return False
    left = list(real.items)
    for item in certain:
        match = next((other for other in left if item_holds(item, other)), None)
        if match is None:
            return False
        left.remove(match)
    return bool(said.open) or all(any(item_holds(item, other) for item in uncertain) for other in left)


def item_holds(said: Nested, real: Nested) -> bool:
    """Whether one block can be the other."""
    return said.values.keys() == real.values.keys() and all(holds(v, real.values[n]) for n, v in said.values.items())


def pattern(address: str) -> re.Pattern[str]:
    """What addresses an uncertain resource stands for: `[*]` is any key, or none of its instances."""
    return re.compile(re.escape(address).replace(re.escape("[*]"), r'\[(?:\d+|"[^"]*")\]'))


@settings(max_examples=150, deadline=None)
@given(VARIABLES, st.sets(st.sampled_from(["enabled", "cidrs", "size", "names", "extra"])))
def test_what_is_known_without_a_value_is_true_with_it(values: dict[str, str], withheld: set[str]) -> None:
    real = evaluate(values)
    said = evaluate({name: value for name, value in values.items() if name not in withheld or name == "extra"})
    if any(d.severity != "warning" for d in real.diagnostics):
        return  # Terraform itself refuses these values
    refused = {d.origin.line for d in real.diagnostics if d.origin is not None}
    found: dict[str, Any] = {r.address: r for r in real.resources}
    for resource in said.resources:
        if resource.exists:
            assert resource.address in found, resource.address
            pairs = [found[resource.address]]
        else:
            pairs = [r for address, r in found.items() if pattern(resource.address).fullmatch(address)]
        for other in pairs:
            for name, value in resource.values.items():
                place = resource.origins.get(name)
                if place is None or place.line not in refused:
                    assert holds(value, other.values[name]), (name, text(value), text(other.values[name]))
            for kind in resource.blocks:
                assert blocks_hold(resource.nested(kind), other.nested(kind)), kind
    for address in found:
        assert any(pattern(r.address).fullmatch(address) for r in said.resources), address
