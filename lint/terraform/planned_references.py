"""What a plan's own `configuration` tells of references: which resource an unknown attribute will come from.

A plan lists what an expression refers to, not how: of several references it isn't known which one counts, locals are
missing, and so is everything inside `dynamic` blocks. What that leaves open stays unknown, and says so. The plan's
documentation is "JSON Output Format"; hashicorp/terraform#30826 and #28346 discuss what it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lint.terraform.values import Reference

_STEP = re.compile(r'\[(?:"((?:[^"\\]|\\.)*)"|(\d+))\]|\.?([^.\[\]]+)')
MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Found:
    """The references of an expression. `complete`: these are all resources that it can come from. `whole`: each names
    the very attribute (`a.id`), not just the resource."""

    references: tuple[Reference, ...]
    complete: bool
    whole: bool


NOTHING = Found((), False, False)


class PlannedReferences:
    """Resolves references by a plan's `configuration` section and the addresses that the plan holds."""

    def __init__(self, configuration: Mapping[str, Any], addresses: Iterable[str]) -> None:
        root = configuration.get("root_module")
        self.root: Mapping[str, Any] = root if isinstance(root, dict) else {}
        self._instances: dict[str, list[str]] = {}
        self._modules: dict[str, set[str]] = {}
        for address in addresses:
            self._instances.setdefault(without_last_key(address), []).append(address)
            parts = module_parts(address)
            for i in range(1, len(parts) + 1):
                full = ".".join(parts[:i])
                self._modules.setdefault(without_last_key(full), set()).add(full)

    def resource(self, module: str, mode: str, kind: str, name: str) -> Mapping[str, Any] | None:
        """The configuration of a resource; `module` is the address of its module instance."""
        for each in _dicts(self._module(module).get("resources")):
            if (each.get("mode"), each.get("type"), each.get("name")) == (mode, kind, name):
                return each
        return None

    def of(self, module: str, expressions: Mapping[str, Any], path: tuple[str | int, ...]) -> Found:
        """The references behind the attribute at a path of a resource's expressions."""
        texts, exact = _texts([expressions], [step for step in path if isinstance(step, str)])
        if not texts:
            return NOTHING
        found = self._resolve(module, texts, 0)
        return found if exact or len(found.references) == 1 else Found(found.references, found.complete, False)

    def _module(self, address: str) -> Mapping[str, Any]:
        module = self.root
        for part in module_parts(address):
            calls = module.get("module_calls")
            call = calls.get(without_last_key(part).removeprefix("module.")) if isinstance(calls, dict) else None
            inner = call.get("module") if isinstance(call, dict) else None
            if not isinstance(inner, dict):
                return {}
            module = inner
        return module

    def _resolve(self, module: str, texts: list[str], depth: int) -> Found:
        if depth > MAX_DEPTH:
            return NOTHING
        found: dict[Reference, None] = {}
        complete = whole = True
        for text in _longest(texts):
            steps = _steps(text)
            root = str(steps[0])
            if root in ("path", "terraform"):
                continue
            if root in ("each", "count"):
                if text not in ("each.key", "count.index"):
                    complete = False
                continue
            part = self._one(module, root, steps, depth)
            found.update(dict.fromkeys(part.references))
            complete = complete and part.complete
            whole = whole and part.whole
        return Found(tuple(found), complete and bool(found), whole)

    def _one(self, module: str, root: str, steps: list[str | int], depth: int) -> Found:
        if root == "var" and len(steps) > 1:
            parts = module_parts(module)
            if not parts:
                return NOTHING
            parent = ".".join(parts[:-1])
            calls = self._module(parent).get("module_calls")
            name = without_last_key(parts[-1]).removeprefix("module.")
            call = calls.get(name) if isinstance(calls, dict) else None
            expressions = call.get("expressions") if isinstance(call, dict) else None
            texts, exact = _texts([expressions], [str(steps[1])]) if isinstance(expressions, dict) else ([], False)
            if not texts:
                return NOTHING
            found = self._resolve(parent, texts, depth + 1)
            # var.x.y is a part of what was given: which part of it isn't said.
            return found if exact and len(steps) == 2 else Found(found.references, found.complete, False)
        if root == "module" and len(steps) > 1:
            return self._output(module, steps, depth)
        if root == "local":
            return NOTHING
        length = 3 if root == "data" else 2
        if len(steps) < length:
            return NOTHING
        base = ".".join([*([module] if module else []), *(str(step) for step in steps[:length])])
        rest = steps[length:]
        known = self._instances.get(base, [])
        if rest and base + _key(rest[0]) in known:
            return Found((Reference(base + _key(rest[0]), tuple(rest[1:])),), True, len(rest) > 1)
        if known == [base]:
            return Found((Reference(base, tuple(rest)),), True, bool(rest))
        return Found(tuple(Reference(address, ()) for address in known), bool(known), False)

    def _output(self, module: str, steps: list[str | int], depth: int) -> Found:
        base = f"{module}.module.{steps[1]}" if module else f"module.{steps[1]}"
        rest = steps[2:]
        instances = sorted(self._modules.get(base, ()))
        if rest and base + _key(rest[0]) in instances:
            instances = [base + _key(rest[0])]
            rest = rest[1:]
        if not rest or not instances:
            return NOTHING
        found: dict[Reference, None] = {}
        complete = whole = True
        for instance in instances:
            outputs = self._module(instance).get("outputs")
            output = outputs.get(str(rest[0])) if isinstance(outputs, dict) else None
            expression = output.get("expression") if isinstance(output, dict) else None
            texts, _ = _texts([{"value": expression}], ["value"])
            part = self._resolve(instance, texts, depth + 1) if texts else NOTHING
            found.update(dict.fromkeys(part.references))
            complete = complete and part.complete
            whole = whole and part.whole and len(rest) == 1
        return Found(tuple(found), complete, whole)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(nodes: list[Any], names: list[str]) -> tuple[list[str], bool]:
    """All references below a path of names; False where several blocks share the name, so that they are mixed up."""
    exact = True
    for name in names:
        following: list[Any] = []
        for node in nodes:
            if isinstance(node, dict):
                if "references" in node:
                    following.append(node)  # an argument that is written as a whole: all its references together
                    exact = False
                elif name in node:
                    inner = node[name]
                    following.extend(inner if isinstance(inner, list) else [inner])
        exact = exact and len(following) <= 1
        nodes = following
    texts: list[str] = []
    for node in nodes:
        listed = node.get("references") if isinstance(node, dict) else None
        if isinstance(listed, list):
            texts.extend(each for each in listed if isinstance(each, str))
    return texts, exact


def _longest(texts: list[str]) -> list[str]:
    """References without those that only repeat the beginning of another one."""
    unique = list(dict.fromkeys(texts))
    return [t for t in unique if not any(o != t and o.startswith((f"{t}.", f"{t}[")) for o in unique)]


def _steps(text: str) -> list[str | int]:
    steps: list[str | int] = []
    for match in _STEP.finditer(text):
        quoted, number, name = match.groups()
        if number is not None:
            steps.append(int(number))
        elif quoted is not None:
            steps.append(re.sub(r"\\(.)", r"\1", quoted))
        else:
            steps.append(name)
    return steps or [""]


def _key(step: str | int) -> str:
    from lint.terraform.addresses import key_text

    return key_text(step)


def without_last_key(address: str) -> str:
    """The address without the key at its end."""
    if not address.endswith("]"):
        return address
    if address.endswith('"]'):
        position = len(address) - 3
        while position > 0:
            position = address.rfind('["', 0, position + 1)
            if position < 0:
                return address
            inside = address[position + 2 : -2]
            if not re.search(r'(?<!\\)(?:\\\\)*"', inside):
                return address[:position]
            position -= 1
        return address
    return address[: address.rindex("[")]


def module_parts(address: str) -> list[str]:
    """`["module.a[\\"x\\"]", "module.b"]`: the module instances at the beginning of an address."""
    parts: list[str] = []
    rest = address
    while rest.startswith("module."):
        match = re.match(r'module\.[^.\[]+(?:\[(?:"(?:[^"\\]|\\.)*"|\d+|\*)\])?', rest)
        if match is None:
            break
        parts.append(match.group())
        rest = rest[match.end() :].removeprefix(".")
    return parts
