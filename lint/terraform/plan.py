"""Reads a plan (`terraform show -json PLAN`): the resources as they will be, with references where they can be found.

A plan's values come from the provider, but ids that don't exist yet are unknown in it, and so is what refers to what.
Where the configuration lies beside the plan it is evaluated with the plan's own variables and known values, and joined
by address.
Source: "JSON Output Format" in Terraform's documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lint.origin import Origin, Reason
from lint.terraform.configuration import ParseCache
from lint.terraform.documents import (
    SourceProblem,
    check_format,
    coverage_of,
    local_provider,
    merged,
    read_document,
    well_formed,
    wholly_unknown,
)
from lint.terraform.files import FileRefused
from lint.terraform.options import Options
from lint.terraform.planned_references import PlannedReferences, module_parts
from lint.terraform.resources import Diagnostic, Evaluation, Nested, Resource
from lint.terraform.types import DYNAMIC
from lint.terraform.values import Reference, Value, from_python, is_null, refined, tuple_value, unknown

__all__ = ["SourceProblem", "read_plan"]


def read_plan(
    data: bytes,
    file: str,
    configuration: Path | None,
    options: Options | None = None,
    cache: ParseCache | None = None,
) -> Evaluation:
    """The resources that a plan leaves behind. `configuration` is the root module's directory, where it is at hand.

    Raises SourceProblem for what is no plan, or one of an old format.
    """
    document = read_document(data, file)
    if "resource_changes" not in document and "planned_values" not in document:
        what = "a state" if "values" in document or "resources" in document else "no plan"
        text = f"this is {what}, not a plan" if what == "a state" else "this is no plan in JSON"
        raise SourceProblem(file, text, "write the plan with `terraform show -json PLANFILE`")
    check_format(document, file, "plan")
    _check_shape(document, file)
    with well_formed(file, "plan"):
        return _Plan(document, file, configuration, options or Options(), cache).evaluation()


def _check_shape(document: Mapping[str, Any], file: str) -> None:
    """Raises SourceProblem where the lists of resources aren't a plan's: nothing unread may look like nothing there."""
    planned, listed = document.get("planned_values", {}), document.get("resource_changes")
    remedy = "write the plan again with `terraform show -json PLANFILE`"
    if not isinstance(planned, dict):
        raise SourceProblem(file, "its planned_values is no object", remedy)
    if listed is None and planned.get("root_module"):
        raise SourceProblem(file, "it plans values but holds no resource_changes", remedy)
    if listed is not None and not isinstance(listed, list):
        raise SourceProblem(file, "its resource_changes is no list", remedy)


class _Plan:
    """One plan being read."""

    def __init__(
        self,
        document: dict[str, Any],
        file: str,
        configuration: Path | None,
        options: Options,
        cache: ParseCache | None,
    ) -> None:
        self.document = document
        self.file = file
        self.diagnostics: list[Diagnostic] = []
        self.forgotten: set[str] = set()  # stays in the account, and is in no configuration any more
        self.changes = list(self._changes())
        self.data = dict(_state_resources(_at(document, "prior_state", "values", "root_module"), "data"))
        described = document.get("configuration")
        self.described = described if isinstance(described, dict) else {}
        addresses = [*(str(change["address"]) for change in self.changes), *self.data]
        self.references = PlannedReferences(self.described, addresses)
        self.configuration = self._evaluate(configuration, options, cache) if configuration is not None else None
        self.by_address = {r.address: r for r in self.configuration.resources} if self.configuration else {}

    def report(self, severity: str, text: str, remedy: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(severity, text, Origin(file=self.file), remedy))

    def _changes(self) -> Iterator[dict[str, Any]]:
        """The changes after which a resource is there."""
        listed = self.document.get("resource_changes")
        for change in listed if isinstance(listed, list) else []:
            if not isinstance(change, dict) or not isinstance(change.get("address"), str):
                self.report("incomplete", "a resource of the plan can't be read", "write the plan again")
                continue
            actions = _at(change, "change", "actions")
            if not isinstance(actions, list) or actions == ["delete"] or "deposed" in change:
                continue
            if actions == ["forget"]:
                text = f"{change['address']} is forgotten by Terraform, but stays in the account; it is judged as it is"
                self.report("warning", text)
                self.forgotten.add(change["address"])
                part = change["change"]
                kept = {
                    "actions": actions,
                    "after": part.get("before"),
                    "after_sensitive": part.get("before_sensitive"),
                }
                change = {**change, "change": kept}
            yield change

    def _evaluate(self, directory: Path, options: Options, cache: ParseCache | None) -> Evaluation | None:
        from lint.terraform.evaluate import Run

        known: dict[str, Mapping[str, Value]] = {}
        for address, resource in self.data.items():
            values = resource.get("values")
            known[address] = {n: from_python(v) for n, v in values.items()} if isinstance(values, dict) else {}
        for change in self.changes:
            known[change["address"]] = {n: v for n, v in self._planned(change).items() if v.known and not is_null(v)}
        inputs: dict[str, Value] = {}
        variables = self.document.get("variables")
        for name, given in variables.items() if isinstance(variables, dict) else ():
            if isinstance(given, dict) and "value" in given:
                inputs[str(name)] = from_python(given["value"])
        try:
            found = Run(directory, options, None, cache, known=known, inputs=inputs).evaluation()
        except FileRefused as refusal:
            self.report("warning", f"the configuration beside the plan was not read: {refusal.text}")
            return None
        if found.coverage.files == 0:
            return None
        return found

    def _planned(self, change: dict[str, Any]) -> dict[str, Value]:
        part = change["change"]
        after = part.get("after")
        lack = part.get("after_unknown")
        secret = part.get("after_sensitive")
        after = after if isinstance(after, dict) else {}
        lack = lack if isinstance(lack, dict) else {}
        secret = secret if isinstance(secret, dict) else {}
        address = change["address"]
        names = dict.fromkeys([*after, *[name for name, flag in lack.items() if _any(flag)]])
        return {str(n): merged(after.get(n), lack.get(n), secret.get(n), address, (str(n),)) for n in names}

    def evaluation(self) -> Evaluation:
        resources = [self._resource(change) for change in self.changes]
        read = {resource.address for resource in resources}
        resources.extend(self._data(address, each) for address, each in self.data.items() if address not in read)
        if self.document.get("errored") is True:
            self.report("incomplete", "the plan ended with an error, so it isn't whole", "plan again without errors")
        elif self.document.get("complete") is False:
            self.report(
                "incomplete", "the plan leaves changes to a later one", "plan and apply until nothing is deferred"
            )
        if self.configuration is not None:
            self.diagnostics.extend(d for d in self.configuration.diagnostics if d.severity == "error")
            lost = [
                r.address for r in resources if r.address not in self.by_address and r.address not in self.forgotten
            ]
            if lost:
                text = f"the configuration beside the plan has no {lost[0]}"
                more = f" and {len(lost) - 1} more resources of the plan" if len(lost) > 1 else ""
                self.report("warning", text + more, "judge the plan beside the configuration that it was made from")
        modules = {
            tuple(module_parts(r.module)[: i + 1]) for r in resources for i in range(len(module_parts(r.module)))
        }
        outputs: dict[str, Value] = {}
        changes = self.document.get("output_changes")
        for name, change in changes.items() if isinstance(changes, dict) else ():
            if isinstance(change, dict) and change.get("actions") != ["delete"]:
                outputs[str(name)] = merged(
                    change.get("after"),
                    change.get("after_unknown"),
                    change.get("after_sensitive"),
                    "output",
                    (str(name),),
                )
        if self.configuration is not None:
            outputs = {n: v if v.known else self.configuration.outputs.get(n, v) for n, v in outputs.items()}
        return Evaluation(
            root=self.file,
            kind="plan",
            resources=tuple(resources),
            outputs=outputs,
            diagnostics=tuple(self.diagnostics),
            coverage=coverage_of(resources, len(modules)),
            comments=self.configuration.comments if self.configuration is not None else {},
        )

    def _resource(self, change: dict[str, Any]) -> Resource:
        address = change["address"]
        module = change.get("module_address") or ""
        mode, kind, name = change.get("mode", "managed"), change.get("type", ""), change.get("name", "")
        planned = self._planned(change)
        written = self.by_address.get(address)
        described = self.references.resource(module, mode, kind, name) or {}
        values: dict[str, Value] = {}
        blocks: dict[str, tuple[Nested, ...]] = {}
        open_blocks: dict[str, tuple[Reason, ...]] = {}
        unset: set[str] = set()
        origin = Origin(file=self.file, address=address)
        if written is not None:
            _join(planned, written, values, blocks, open_blocks, unset)
            origin = written.origin
        else:
            self._describe(planned, address, module, described, values, blocks, unset, origin)
        provider = local_provider(change.get("provider_name"))
        key = described.get("provider_config_key")
        return Resource(
            address=address,
            mode=mode,
            type=kind,
            name=name,
            key=change.get("index"),
            module=module,
            provider=written.provider if written is not None else _provider_name(key, provider),
            provider_values=written.provider_values if written is not None else self._provider_values(key),
            values=values,
            blocks=blocks,
            open_blocks=open_blocks,
            origin=origin,
            origins=written.origins if written is not None else {},
            comments=written.comments if written is not None else (),
            computed=False,
            unset=frozenset(unset),
        )

    def _describe(
        self,
        planned: Mapping[str, Value],
        address: str,
        module: str,
        described: Mapping[str, Any],
        values: dict[str, Value],
        blocks: dict[str, tuple[Nested, ...]],
        unset: set[str],
        origin: Origin,
    ) -> None:
        """Takes the plan's values, with references as far as its configuration section tells them."""
        expressions = described.get("expressions")
        expressions = expressions if isinstance(expressions, dict) else {}
        for name, value in planned.items():
            if name.endswith("_wo") and is_null(value) and name in expressions:
                # A write-only argument is null in every plan; what it refers to stands in the configuration alone.
                why = Reason(f"{address}.{name} is write-only", f"tf.computed:{address}", origin)
                values[name] = self._refer(unknown(DYNAMIC, (why,)), address, module, expressions, (name,))
            elif value.known:
                values[name] = value
            elif name not in expressions and wholly_unknown(value):
                unset.add(name)
            elif name not in expressions and isinstance(value.data, tuple) and len(value.data) == 1:
                # A `dynamic` block over something unknown shows as one element, and as nothing in the configuration.
                element = self._refer(value.data[0], address, module, expressions, (name, 0))
                why = Reason(
                    f"how many {name} blocks {address} will have isn't known",
                    f"tf.computed:{address}",
                    origin,
                    "judge the plan beside its configuration",
                )
                inner = element.data if isinstance(element.data, dict) else {}
                blocks[name] = (Nested(inner, {}, origin, {}, False, (why,)),)
            else:
                values[name] = self._refer(value, address, module, expressions, (name,))

    def _refer(
        self, value: Value, address: str, module: str, expressions: Mapping[str, Any], path: tuple[str | int, ...]
    ) -> Value:
        """The value with what each unknown in it refers to."""
        data = value.data
        if value.known:
            return value
        if isinstance(data, dict):
            inner = {n: self._refer(v, address, module, expressions, (*path, n)) for n, v in data.items()}
            return Value(value.type, inner, value.marks)
        if isinstance(data, tuple):
            parts = [self._refer(v, address, module, expressions, (*path, i)) for i, v in enumerate(data)]
            return Value(value.type, tuple(parts), value.marks)
        found = self.references.of(module, expressions, path)
        shown = ".".join(str(step) for step in path)
        why = Reason(
            f"{address}.{shown} is known only after apply, and the plan doesn't say what it refers to",
            f"tf.computed:{address}",
            Origin(file=self.file, address=address),
            "judge the plan beside its configuration",
        )
        if not found.references or not found.complete:
            return refined(value, reasons=(why,), reference=None)
        each = [_referred(reference, self.file) for reference in found.references]
        plural = str(path[-1]).endswith("s") if isinstance(path[-1], str) else False
        if found.whole and plural and len({reference.path[-1:] for reference in found.references}) == 1:
            return tuple_value(each)
        if found.whole and len(each) == 1:
            return each[0]
        if plural:
            return refined(value, reasons=(why,), reference=None, element=unknown(DYNAMIC, (why,), candidates=each))
        return unknown(DYNAMIC, (why,), candidates=each)

    def _data(self, address: str, resource: Mapping[str, Any]) -> Resource:
        written = self.by_address.get(address)
        values = resource.get("values")
        key = (self.references.resource(_module_of(address), "data", resource["type"], resource["name"]) or {}).get(
            "provider_config_key"
        )
        return Resource(
            address=address,
            mode="data",
            type=str(resource.get("type", "")),
            name=str(resource.get("name", "")),
            key=resource.get("index"),
            module=_module_of(address),
            provider=written.provider
            if written
            else _provider_name(key, local_provider(resource.get("provider_name"))),
            provider_values=written.provider_values if written else self._provider_values(key),
            values={n: from_python(v) for n, v in values.items()} if isinstance(values, dict) else {},
            blocks={},
            open_blocks={},
            origin=written.origin if written else Origin(file=self.file, address=address),
            origins=written.origins if written else {},
            computed=False,
        )

    def _provider_values(self, key: object) -> Mapping[str, Value]:
        """A provider's arguments, as far as they are constants or variables of the root module."""
        entry = _at(self.described, "provider_config", str(key))
        expressions = entry.get("expressions") if isinstance(entry, dict) else None
        found: dict[str, Value] = {}
        for name, expression in expressions.items() if isinstance(expressions, dict) else ():
            if not isinstance(expression, dict):
                continue
            if "constant_value" in expression:
                found[str(name)] = from_python(expression["constant_value"])
                continue
            listed = expression.get("references")
            if (
                isinstance(listed, list)
                and len(listed) == 1
                and str(listed[0]).startswith("var.")
                and ":" not in str(key)
            ):
                given = _at(self.document, "variables", str(listed[0])[4:])
                if isinstance(given, dict) and "value" in given:
                    found[str(name)] = from_python(given["value"])
        return found


def _join(
    planned: Mapping[str, Value],
    written: Resource,
    values: dict[str, Value],
    blocks: dict[str, tuple[Nested, ...]],
    open_blocks: dict[str, tuple[Reason, ...]],
    unset: set[str],
) -> None:
    """Values from the plan where they are known; from the configuration, with its references, where they aren't.

    Elements of lists and blocks are never mixed from both: a plan lists sets in another order than the configuration.
    """
    for name, value in planned.items():
        configured = written.values.get(name)
        if value.known:
            # A write-only argument is null in every plan; what it is set to stands in the configuration alone.
            write_only = name.endswith("_wo") and is_null(value) and configured is not None
            values[name] = configured if write_only and configured is not None else value
        elif name in written.blocks or name in written.open_blocks:
            blocks[name] = written.blocks.get(name, ())
            if name in written.open_blocks:
                open_blocks[name] = written.open_blocks[name]
        elif configured is None or is_null(configured):
            if wholly_unknown(value):
                unset.add(name)
            else:
                values[name] = value
        elif wholly_unknown(configured) and not wholly_unknown(value):
            values[name] = value
        else:
            values[name] = configured
    for name in ("lifecycle",):
        if name in written.blocks:
            blocks[name] = written.blocks[name]


def _referred(reference: Reference, file: str) -> Value:
    path = reference.path or ("id",)
    shown = ".".join([reference.address, *(str(step) for step in path)])
    reason = Reason(f"{shown} is known only after apply", f"tf.computed:{reference.address}", Origin(file=file))
    return unknown(DYNAMIC, (reason,), reference=Reference(reference.address, path))


def _provider_name(key: object, otherwise: str) -> str:
    """The local name with alias from a key such as `aws.west` or `module.a:aws`."""
    return key.rsplit(":", 1)[-1] if isinstance(key, str) and key else otherwise


def _module_of(address: str) -> str:
    return ".".join(module_parts(address))


def _any(flag: Any) -> bool:
    """Whether anything in a structure of flags is set."""
    if isinstance(flag, dict):
        return any(_any(each) for each in flag.values())
    if isinstance(flag, list):
        return any(_any(each) for each in flag)
    return flag is True


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _state_resources(module: Any, mode: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources of one mode in a tree of modules, by address."""
    pending = [module]
    while pending:
        each = pending.pop(0)
        if not isinstance(each, dict):
            continue
        for resource in each.get("resources") or []:
            if isinstance(resource, dict) and resource.get("mode") == mode and isinstance(resource.get("address"), str):
                yield resource["address"], resource
        pending.extend(each.get("child_modules") or [])
