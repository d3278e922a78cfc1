"""Exported ARM templates: their resources with parameters, variables and the usual functions put in.

Only what exports use is evaluated (`parameters`, `variables`, `resourceId`, `concat`, `format`); any other expression
is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lint.azure.records import Gap
from lint.origin import Reason

_DEPTH = 40
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def template_rows(template: Mapping[str, Any], scope: str) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Resource rows with ids under a subscription called `scope`, and notes. Children carry their parent's id."""
    reading = _Template(template, scope)
    rows: list[Mapping[str, Any]] = []
    resources = template.get("resources")
    if isinstance(resources, Mapping):  # symbolic names of newer templates
        resources = list(resources.values())
    for one in resources if isinstance(resources, list) else ():
        rows += reading.rows(one, "", "", 0)
    return rows, list(reading.notes)


class _Template:
    def __init__(self, template: Mapping[str, Any], scope: str) -> None:
        parameters, variables = template.get("parameters"), template.get("variables")
        self.parameters: Mapping[str, Any] = parameters if isinstance(parameters, Mapping) else {}
        self.variables: Mapping[str, Any] = variables if isinstance(variables, Mapping) else {}
        self.scope = scope.replace("/", "-") or "template"
        self.notes: dict[str, None] = {}

    def prefix(self) -> str:
        return f"/subscriptions/{self.scope}/resourceGroups/template"

    def rows(self, resource: Any, parent_type: str, parent_name: str, depth: int) -> list[Mapping[str, Any]]:
        if not isinstance(resource, Mapping) or depth > 8:
            return []
        kind = resource.get("type")
        name = self.value(resource.get("name"), 0)
        if not isinstance(kind, str):
            return []
        if parent_type and not kind.lower().startswith(parent_type.lower()):
            kind = f"{parent_type}/{kind}"
        if not isinstance(name, str):
            self.notes[f"a resource of type {kind} has a name that only a deployment computes"] = None
            return []
        if parent_name and "/" not in name:
            name = f"{parent_name}/{name}"
        row = {key: self.value(value, 0) for key, value in resource.items() if key not in ("resources", "dependsOn")}
        row["type"] = kind
        row["name"] = name
        row["id"] = self.identity(kind, name)
        found: list[Mapping[str, Any]] = [row]
        for child in resource.get("resources") or ():
            found += self.rows(child, kind, name, depth + 1)
        return found

    def identity(self, kind: str, name: str) -> str:
        provider, *types = kind.split("/")
        names = name.split("/")
        steps = [f"{one}/{two}" for one, two in zip(types, names)]
        return "/".join([self.prefix(), "providers", provider, *steps])

    def value(self, value: Any, depth: int) -> Any:
        if depth > _DEPTH:
            return Gap((Reason("the template is nested too deeply", "azure.template"),))
        if isinstance(value, str):
            if value.startswith("[[") or not (value.startswith("[") and value.endswith("]")):
                return value[1:] if value.startswith("[[") else value
            return self.expression(value[1:-1], depth + 1)
        if isinstance(value, Mapping):
            return {str(key): self.value(one, depth + 1) for key, one in value.items()}
        if isinstance(value, list):
            return [self.value(one, depth + 1) for one in value]
        return value

    def expression(self, text: str, depth: int) -> Any:
        try:
            found, rest = self._parse(text.strip(), depth)
        except _NotEvaluated:
            found, rest = None, "?"
        if rest.strip():
            return Gap((Reason(f"the template expression `{text[:80]}` isn't evaluated", "azure.template"),))
        return found

    def _parse(self, text: str, depth: int) -> tuple[Any, str]:
        if depth > _DEPTH:
            raise _NotEvaluated
        text = text.lstrip()
        if text.startswith("'"):
            return _quoted(text)
        if text[:1].isdigit():
            digits = re.match(r"\d{1,18}", text)
            assert digits is not None
            return int(digits.group()), text[digits.end() :]
        word = _NAME.match(text)
        if word is None:
            raise _NotEvaluated
        rest = text[word.end() :].lstrip()
        if not rest.startswith("("):
            raise _NotEvaluated
        rest = rest[1:].lstrip()
        arguments: list[Any] = []
        while not rest.startswith(")"):
            one, rest = self._parse(rest, depth + 1)
            arguments.append(one)
            rest = rest.lstrip()
            if rest.startswith(","):
                rest = rest[1:].lstrip()
            elif not rest.startswith(")"):
                raise _NotEvaluated
        return self._call(word.group().lower(), arguments, depth), rest[1:]

    def _call(self, name: str, arguments: list[Any], depth: int) -> Any:
        if name in ("parameters", "variables") and len(arguments) == 1:
            table = self.parameters if name == "parameters" else self.variables
            held = next((value for key, value in table.items() if key.lower() == str(arguments[0]).lower()), None)
            if name == "parameters":
                if not isinstance(held, Mapping) or "defaultValue" not in held:
                    reason = Reason(f"template parameter {arguments[0]} has no default value", "azure.template")
                    return Gap((reason,))
                held = held["defaultValue"]
            return self.value(held, depth + 1)
        if any(isinstance(one, Gap) for one in arguments):
            return Gap(tuple(dict.fromkeys(r for one in arguments if isinstance(one, Gap) for r in one.reasons)))
        if name == "concat" and all(isinstance(one, str | int) for one in arguments):
            return "".join(str(one) for one in arguments)
        if name == "format" and arguments and isinstance(arguments[0], str):
            return re.sub(r"\{(\d{1,3})\}", lambda m: _argument(arguments, int(m.group(1)) + 1), arguments[0])
        if name == "resourceid":
            return self._resource_id([str(one) for one in arguments])
        raise _NotEvaluated

    def _resource_id(self, arguments: list[str]) -> str:
        at = next((i for i, one in enumerate(arguments) if "/" in one and "." in one.partition("/")[0]), None)
        if at is None:
            raise _NotEvaluated
        return self.identity(arguments[at], "/".join(arguments[at + 1 :]))


class _NotEvaluated(Exception):
    """The expression uses something that exports don't."""


def _argument(arguments: list[Any], at: int) -> str:
    if at >= len(arguments):
        raise _NotEvaluated
    return str(arguments[at])


def _quoted(text: str) -> tuple[str, str]:
    out: list[str] = []
    at = 1
    while at < len(text):
        if text[at] == "'":
            if text[at + 1 : at + 2] == "'":
                out.append("'")
                at += 2
                continue
            return "".join(out), text[at + 1 :]
        out.append(text[at])
        at += 1
    raise _NotEvaluated
