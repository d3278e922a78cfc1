"""Compares what an evaluation of configuration says with what Terraform planned for it, value by value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from lint.terraform.numbers import Number
from lint.terraform.resources import Evaluation, Nested, Resource
from lint.terraform.values import Unknown, Value


def differences(evaluation: Evaluation, plan: Mapping[str, Any]) -> list[str]:
    """Every resource or value on which the two disagree; a value that one of them doesn't know can't disagree."""
    return list(_differences(evaluation, plan))


def known_values(evaluation: Evaluation) -> int:
    """How many arguments are wholly known: what a comparison has really compared at most."""
    return sum(value.known for resource in evaluation.resources for value in resource.values.values())


def _differences(evaluation: Evaluation, plan: Mapping[str, Any]) -> Iterator[str]:
    planned = {
        change["address"]: change["change"]
        for change in plan["resource_changes"]
        if change["mode"] == "managed" and change["change"]["actions"] != ["delete"]
    }
    found = {resource.address: resource for resource in evaluation.resources if resource.mode == "managed"}
    for address in sorted(planned.keys() - found.keys()):
        yield f"{address} is planned, but was not evaluated"
    for address in sorted(found.keys() - planned.keys()):
        if found[address].exists:
            yield f"{address} was evaluated, but is not planned"
    for address in sorted(planned.keys() & found.keys()):
        change = planned[address]
        yield from _resource(found[address], change["after"] or {}, change.get("after_unknown") or {})


def _resource(resource: Resource, after: Mapping[str, Any], unknown: Mapping[str, Any]) -> Iterator[str]:
    for name, value in resource.values.items():
        if unknown.get(name) is True or (name not in after and name not in unknown):
            continue
        if isinstance(after.get(name), list) and isinstance(value.data, tuple):
            items = [_plain(each) for each in value.data]
            if any(isinstance(item, dict) for item in items):
                yield from _blocks(resource, name, items, after[name])
                continue
        if not _same(_plain(value), after.get(name), unknown.get(name)):
            yield f"{resource.address}.{name}: evaluated {_plain(value)!r}, planned {after.get(name)!r}"
    for name, blocks in resource.blocks.items():
        listed = isinstance(after.get(name), list) and name not in ("lifecycle", "timeouts")
        if listed and all(block.certain for block in blocks) and name not in resource.open_blocks:
            yield from _blocks(resource, name, [_nested(block) for block in blocks], after[name])


def _blocks(resource: Resource, name: str, evaluated: list[Any], planned: list[Any]) -> Iterator[str]:
    left = list(planned)
    for block in evaluated:
        match = next((other for other in left if _same(block, other, None)), None)
        if match is None:
            yield f"{resource.address}.{name}: no planned block is like {block!r}"
        elif _wholly(block):
            left.remove(match)
    if len(evaluated) != len(planned) and all(_wholly(block) for block in evaluated):
        unique = {json.dumps(block, sort_keys=True, default=str) for block in evaluated}
        if len(unique) != len(planned):
            yield f"{resource.address}.{name}: evaluated {len(unique)} blocks, planned {len(planned)}"


PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp"}  # as the provider writes numbers


class _Open:
    """Stands for a value that isn't known."""

    def __repr__(self) -> str:
        return "?"


OPEN = _Open()


def _wholly(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_wholly(each) for each in value.values())
    if isinstance(value, list):
        return all(_wholly(each) for each in value)
    return value is not OPEN


def _nested(block: Nested) -> dict[str, Any]:
    made: dict[str, Any] = {name: _plain(value) for name, value in block.values.items()}
    for name, inner in block.blocks.items():
        made[name] = [_nested(each) for each in inner]
    return made


def _plain(value: Value) -> Any:
    data = value.data
    if isinstance(data, Unknown):
        return OPEN
    if isinstance(data, tuple):
        return [_plain(each) for each in data]
    if isinstance(data, dict):
        return {name: _plain(each) for name, each in data.items()}
    return Decimal(data.text()) if isinstance(data, Number) else data


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {}, False, 0, "0")


def _same(evaluated: Any, planned: Any, unknown: Any) -> bool:
    """Whether the two agree: providers fill in defaults, sort sets, and turn numbers into text and back."""
    if evaluated is OPEN or unknown is True or (planned is None and not _wholly(evaluated)):
        return True
    if isinstance(evaluated, dict) and isinstance(planned, dict):
        return all(
            _same(
                PROTOCOLS.get(each, each) if name == "protocol" else each,
                planned.get(name),
                unknown.get(name) if isinstance(unknown, dict) else None,
            )
            for name, each in evaluated.items()
        )
    if isinstance(evaluated, list) and isinstance(planned, list):
        if not _wholly(evaluated) or (isinstance(unknown, list) and any(flag is True for flag in unknown)):
            return True
        if len(evaluated) != len(planned):
            return len({str(each) for each in evaluated}) == len(planned)
        left = list(planned)
        for each in evaluated:
            match = next((other for other in left if _same(each, other, None)), None)
            if match is None:
                return False
            left.remove(match)
        return True
    if _empty(evaluated) and _empty(planned):
        return True
    if isinstance(evaluated, bool) or isinstance(planned, bool):
        return str(evaluated).lower() == str(planned).lower()
    return str(evaluated).lower() == str(planned).lower() or _number(evaluated) == _number(planned) is not None


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return None
