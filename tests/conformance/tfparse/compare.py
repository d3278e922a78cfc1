"""Compares the network rules that netpact evaluates with those that tfparse, an independent evaluator, sees.

    python tests/conformance/tfparse/compare.py DIRECTORY...

Every root module below each directory is evaluated by both. A resource that only one of them has, and an argument whose
value both know and don't agree on, is a difference. Differences whose cause is known are counted by class (README.md
beside this file explains each class); the others are printed, and the exit status is 1.

tfparse has no word for null apart from unknown, and invents identifiers for what is known only after apply: neither
counts as a value that it knows.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lint.origin import Origin
from lint.terraform.configuration import ParseCache
from lint.terraform.evaluate import evaluate_root
from lint.terraform.options import Options
from lint.terraform.resources import Evaluation, Resource
from lint.terraform.roots import find_roots
from lint.terraform.values import Value, as_text, items

_PORTS_AND_PEERS = ("from_port", "to_port", "protocol", "cidr_blocks", "ipv6_cidr_blocks")
_AZURE_RULE = (
    "access",
    "direction",
    "priority",
    "protocol",
    "source_port_range",
    "source_port_ranges",
    "destination_port_range",
    "destination_port_ranges",
    "source_address_prefix",
    "source_address_prefixes",
    "destination_address_prefix",
    "destination_address_prefixes",
)
_VPC_RULE = ("from_port", "to_port", "ip_protocol", "cidr_ipv4", "cidr_ipv6")

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "aws_security_group": (),
    "aws_default_security_group": (),
    "aws_security_group_rule": ("type", "self", *_PORTS_AND_PEERS),
    "aws_vpc_security_group_ingress_rule": _VPC_RULE,
    "aws_vpc_security_group_egress_rule": _VPC_RULE,
    "azurerm_network_security_group": (),
    "azurerm_network_security_rule": _AZURE_RULE,
}
"""The types that are compared, with the arguments that are."""

BLOCKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "aws_security_group": {"ingress": ("self", *_PORTS_AND_PEERS), "egress": ("self", *_PORTS_AND_PEERS)},
    "aws_default_security_group": {"ingress": ("self", *_PORTS_AND_PEERS), "egress": ("self", *_PORTS_AND_PEERS)},
    "azurerm_network_security_group": {"security_rule": _AZURE_RULE},
}

Known = str | frozenset[str]
"""A known value in one form: text (numbers and truths too), or the elements of a list or set."""

_INVENTED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOST_SIBLINGS = 32
"""tfparse evaluates so many child modules of a module (calls or instances) and leaves out the others, silently."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One resource as one of the two sees it: the arguments and the nested blocks of which it knows the value.

    `exists` is False where the number of instances isn't known, `open` names the blocks whose number isn't, `mixed`
    those that are written out in one place and made by `dynamic` in another.
    """

    address: str
    arguments: Mapping[str, Known]
    blocks: Mapping[str, tuple[Mapping[str, Known], ...]]
    exists: bool = True
    open: frozenset[str] = frozenset()
    mixed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: where, and what each of the two says (None: nothing)."""

    kind: str
    address: str
    what: str
    ours: object
    theirs: object


@dataclass(frozen=True, slots=True)
class Theirs:
    """What tfparse sees of one root module.

    `modules` are all module instances that hold any resource, `calls` the root module's calls, with or without any.
    """

    resources: Mapping[str, Seen]
    modules: frozenset[str]
    calls: frozenset[str] = frozenset()


@dataclass(slots=True)
class Comparison:
    """What came out for one root module.

    `values` counts the arguments that both know, `known_here` those that netpact alone knows.
    """

    resources: int = 0
    values: int = 0
    known_here: int = 0
    differences: list[Difference] = field(default_factory=list)


def ours(evaluation: Evaluation, base: Path) -> dict[str, Seen]:
    """What netpact sees. `base`: the folder that origins are relative to."""
    return {r.address: _ours(r, base) for r in evaluation.resources if r.mode == "managed" and r.type in ARGUMENTS}


def _ours(resource: Resource, base: Path) -> Seen:
    blocks = {}
    unsure, mixed = set(), set()
    for name, arguments in BLOCKS.get(resource.type, {}).items():
        nested = resource.nested(name)
        if nested.open or not all(item.certain for item in nested.items):
            unsure.add(name)
        if {True, False} <= {_is_dynamic(item.origin, base) for item in nested.items}:
            mixed.add(name)
        blocks[name] = tuple(_known_of(item.values, arguments) for item in nested.items if item.certain)
    known = _known_of(resource.values, ARGUMENTS[resource.type])
    return Seen(resource.address, known, blocks, resource.exists, frozenset(unsure), frozenset(mixed))


def _is_dynamic(origin: Origin, base: Path) -> bool:
    if origin.file is None or origin.line is None:
        return False
    return (base / origin.file).read_text(encoding="utf-8").split("\n")[origin.line - 1].lstrip().startswith("dynamic")


def _known_of(values: Mapping[str, Value], names: tuple[str, ...]) -> dict[str, Known]:
    found = {name: _our_value(values[name]) for name in names if name in values}
    return {name: value for name, value in found.items() if value is not None}


def _our_value(value: Value) -> Known | None:
    if not value.known or value.data is None:
        return None
    elements = items(value)
    if elements is not None:
        return frozenset(_text(as_text(e) or "") for e in elements)
    text = as_text(value)
    return None if text is None else _text(text)


def _text(text: str) -> str:
    return text.lower()


def theirs(root: Path) -> Theirs:
    """What tfparse sees. Needs the package."""
    import tfparse

    loaded: dict[str, Any] = tfparse.load_from_path(str(root), allow_downloads=False)
    found = {}
    for kind, arguments in ARGUMENTS.items():
        for resource in loaded.get(kind, []):
            address = resource["__tfmeta"]["path"]
            if ".data." in f".{address}":
                continue
            blocks = {}
            for name, inner in BLOCKS.get(kind, {}).items():
                written = resource.get(name) or []
                listed = written if isinstance(written, list) else [written]
                blocks[name] = tuple(_known_there(b, inner) for b in listed if isinstance(b, dict))
            counted = "count" not in resource or resource["count"] is not None
            found[address] = Seen(address, _known_there(resource, arguments), blocks, counted)
    places = (r["__tfmeta"].get("path") or "" for rs in loaded.values() for r in rs if isinstance(r, dict))
    calls = frozenset(call["__tfmeta"].get("path") or "" for call in loaded.get("module", []))
    return Theirs(found, frozenset(_module(path) for path in places), calls)


def _known_there(written: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Known]:
    found = {name: _their_value(written.get(name)) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _their_value(value: object) -> Known | None:
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, list):
        elements = [_their_value(e) for e in value]
        texts = [e for e in elements if isinstance(e, str)]
        return frozenset(texts) if len(texts) == len(elements) else None
    text = str(value).lower()
    return None if _INVENTED.search(text) else text


def compare(mine: Mapping[str, Seen], seen: Theirs) -> Comparison:
    """Compare what the two see of one root module."""
    result = Comparison()
    other = seen.resources
    for address in sorted(mine.keys() | other.keys()):
        left, right = mine.get(address), other.get(address)
        if right is None:
            result.differences.append(Difference(_missing_there(mine[address], mine, seen), address, "", address, None))
        elif left is None:
            result.differences.append(Difference(_missing_here(right, mine), address, "", None, address))
        else:
            result.resources += 1
            _arguments(result, address, "", left.arguments, right.arguments)
            for name in left.blocks:
                _blocks(result, left, right, name)
    return result


def _arguments(
    result: Comparison, address: str, where: str, left: Mapping[str, Known], right: Mapping[str, Known]
) -> None:
    for name in sorted(left.keys() & right.keys()):
        result.values += 1
        if left[name] != right[name]:
            what = f"{where}{name}"
            result.differences.append(Difference("value", address, what, left[name], right[name]))
    result.known_here += len(left.keys() - right.keys())
    for name in sorted(right.keys() - left.keys()):
        result.differences.append(Difference("known there", address, f"{where}{name}", None, right[name]))


def _blocks(result: Comparison, left: Seen, right: Seen, name: str) -> None:
    """Compare the blocks of one name as sets: tfparse puts those of `dynamic` behind the others."""
    mine, other = list(left.blocks[name]), list(right.blocks[name])
    if name in left.open:
        if other:
            result.differences.append(Difference("open block", left.address, name, "?", len(other)))
        return
    strange = []
    for block in other:
        partner = max((b for b in mine if _agree(b, block)), key=lambda b: len(b.keys() & block.keys()), default=None)
        if partner is None:
            strange.append(block)
        else:
            mine.remove(partner)
            _arguments(result, left.address, f"{name}.", partner, block)
    if len(mine) == 1 and not strange and name in left.mixed:
        result.differences.append(Difference("an element of dynamic lost there", left.address, name, mine, None))
    elif mine or strange:
        result.differences.append(Difference("blocks", left.address, name, mine, strange))


def _agree(left: Mapping[str, Known], right: Mapping[str, Known]) -> bool:
    return all(left[name] == right[name] for name in left.keys() & right.keys())


def _missing_there(left: Seen, mine: Mapping[str, Seen], seen: Theirs) -> str:
    """Why tfparse may lack a resource."""
    if not left.exists:
        return "number not known"
    module = _module(left.address)
    if module in seen.modules and left.address.endswith("]"):
        return "left out of a call there"
    if len(_calls(mine)) > MOST_SIBLINGS and not any(_first(m) == _first(module) for m in seen.modules):
        return "beyond 32 calls"
    if module not in seen.modules and _without_keys(_first(module)) in seen.calls:
        return "call left empty there"
    return "missing there"


def _missing_here(right: Seen, mine: Mapping[str, Seen]) -> str:
    """Why tfparse may have a resource that netpact hasn't."""
    bare = _without_keys(right.address)
    if any(not seen.exists and _without_keys(seen.address) == bare for seen in mine.values()):
        return "number not known"
    if not right.exists:
        return "unknown count is one there"
    if not right.address.endswith("]"):
        return "empty for_each kept there"
    return "missing here"


def _module(address: str) -> str:
    """The module instance that a resource stands in, "" for the root module."""
    match = re.match(r"(?:module\.[^.\[]+(?:\[[^\]]*\])?\.)*", address)
    return match[0].rstrip(".") if match else ""


def _first(module: str) -> str:
    """The instance of the root module's own call that a module stands in."""
    match = re.match(r"module\.[^.\[]+(?:\[[^\]]*\])?", module)
    return match[0] if match else ""


def _calls(seen: Mapping[str, Seen]) -> set[str]:
    """The instances of the root module's calls that resources stand in."""
    return {_first(_module(address)) for address in seen if address.startswith("module.")}


def _without_keys(address: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", address)


EXPLAINED = frozenset(
    {
        "number not known",
        "open block",
        "beyond 32 calls",
        "an element of dynamic lost there",
        "left out of a call there",
        "call left empty there",
        "unknown count is one there",
        "empty for_each kept there",
    }
)
"""Classes of differences whose cause is known; README.md explains each."""


def roots(directory: Path) -> Iterator[tuple[Path, Comparison]]:
    """Compare every root module below a directory."""
    cache = ParseCache()
    for root in find_roots(directory).directories:
        options = Options(base=directory, boundary=directory.resolve())
        yield root, compare(ours(evaluate_root(root, options, cache=cache), directory), theirs(root))


def main() -> int:
    total: Counter[str] = Counter()
    left = 0
    for argument in sys.argv[1:]:
        classes: Counter[str] = Counter()
        count = resources = values = alone = 0
        for root, result in roots(Path(argument)):
            count, alone = count + 1, alone + result.known_here
            resources, values = resources + result.resources, values + result.values
            classes.update(d.kind for d in result.differences)
            for difference in result.differences:
                if difference.kind not in EXPLAINED:
                    left += 1
                    print(f"  {root}: {difference.address} {difference.what}: {difference.kind}")
                    print(f"    netpact: {difference.ours}\n    tfparse: {difference.theirs}")
        total.update(classes)
        said = ", ".join(f"{kind} {number}" for kind, number in sorted(classes.items())) or "no difference"
        known = f"{values} values known to both, {alone} to netpact alone"
        print(f"{Path(argument).name}: {count} roots, {resources} resources, {known}; {said}", flush=True)
    print(f"all: {dict(total)}; {left} not explained")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
