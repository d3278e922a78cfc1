"""Reads a state: `terraform show -json` of a state, or a state file of version 4. Every value in it is known.

Where the configuration lies beside the state, resources are found again in it, for their place; values are the state's.
Sources: "JSON Output Format" in Terraform's documentation, and Terraform's `internal/states/statefile/version4.go`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lint.origin import Origin
from lint.terraform.addresses import key_text, resource_address
from lint.terraform.configuration import ParseCache
from lint.terraform.documents import (
    SourceProblem,
    check_format,
    coverage_of,
    local_provider,
    merged,
    read_document,
    well_formed,
)
from lint.terraform.files import FileRefused
from lint.terraform.options import Options
from lint.terraform.planned_references import module_parts
from lint.terraform.resources import Diagnostic, Evaluation, Resource
from lint.terraform.values import SENSITIVE, Value, from_python, with_marks

__all__ = ["SourceProblem", "read_state"]


def read_state(
    data: bytes,
    file: str,
    configuration: Path | None = None,
    options: Options | None = None,
    cache: ParseCache | None = None,
) -> Evaluation:
    """All resources of a state. `configuration` is the root module's directory, where it is at hand.

    Raises SourceProblem for what is no state, or one of an old format.
    """
    document = read_document(data, file)
    if "resource_changes" in document or "planned_values" in document:
        raise SourceProblem(file, "this is a plan, not a state", "name it as plan:FILE")
    with well_formed(file, "state"):
        return _evaluation(document, file, configuration, options or Options(), cache)


def _evaluation(
    document: dict[str, Any], file: str, configuration: Path | None, options: Options, cache: ParseCache | None
) -> Evaluation:
    diagnostics: list[Diagnostic] = []
    if "format_version" in document:
        check_format(document, file, "state")
        found = list(_shown(document, file, diagnostics))
        outputs = _shown_outputs(document)
    elif "version" in document:
        _check_version(document, file)
        found = list(_raw(document, file, diagnostics))
        outputs = _raw_outputs(document)
    else:
        text = "this is no state: neither format_version nor version is in it"
        raise SourceProblem(file, text, "write it with `terraform show -json`, or use terraform.tfstate")
    comments: Mapping[str, Any] = {}
    if configuration is not None:
        written = _written(configuration, found, options, cache, file, diagnostics)
        if written is not None:
            comments = written.comments
            by_address = {resource.address: resource for resource in written.resources}
            found = [_placed(resource, by_address.get(resource.address)) for resource in found]
    modules = {tuple(parts[: i + 1]) for r in found for parts in (module_parts(r.module),) for i in range(len(parts))}
    return Evaluation(
        root=file,
        kind="state",
        resources=tuple(found),
        outputs=outputs,
        diagnostics=tuple(diagnostics),
        coverage=coverage_of(found, len(modules)),
        comments=comments,
    )


def _check_version(document: Mapping[str, Any], file: str) -> None:
    version = document.get("version")
    if version == 4 and isinstance(document.get("resources", []), list):
        return
    written = document.get("terraform_version")
    by = f" (written by Terraform {written})" if isinstance(written, str) else ""
    text = f"state version {version} isn't supported{by}; version 4 is"
    raise SourceProblem(file, text, "upgrade the state with Terraform 0.13 or newer, or use `terraform show -json`")


def _written(
    directory: Path,
    found: list[Resource],
    options: Options,
    cache: ParseCache | None,
    file: str,
    diagnostics: list[Diagnostic],
) -> Evaluation | None:
    from lint.terraform.evaluate import Run

    known = {resource.address: resource.values for resource in found}
    try:
        evaluation = Run(directory, options, None, cache, known=known).evaluation()
    except FileRefused as refusal:
        text = f"the configuration beside the state was not read: {refusal.text}"
        diagnostics.append(Diagnostic("warning", text, Origin(file=file)))
        return None
    return evaluation if evaluation.coverage.files else None


def _placed(resource: Resource, written: Resource | None) -> Resource:
    """The resource with the place of its block, and what only the configuration tells."""
    if written is None:
        return resource
    lifecycle = written.blocks.get("lifecycle")
    return Resource(
        address=resource.address,
        mode=resource.mode,
        type=resource.type,
        name=resource.name,
        key=resource.key,
        module=resource.module,
        provider=written.provider,
        provider_values=written.provider_values,
        values=resource.values,
        blocks={"lifecycle": lifecycle} if lifecycle is not None else {},
        open_blocks={},
        origin=written.origin,
        origins=written.origins,
        comments=written.comments,
        computed=False,
    )


def _resource(
    file: str,
    address: str,
    module: str,
    mode: str,
    kind: str,
    name: str,
    key: str | int | None,
    provider: str,
    values: Mapping[str, Value],
) -> Resource:
    return Resource(
        address=address,
        mode=mode,
        type=kind,
        name=name,
        key=key,
        module=module,
        provider=provider,
        provider_values={},
        values=values,
        blocks={},
        open_blocks={},
        origin=Origin(file=file, address=address),
        origins={},
        computed=False,
    )


def _shown(document: Mapping[str, Any], file: str, diagnostics: list[Diagnostic]) -> Iterator[Resource]:
    """The resources of `terraform show -json`."""
    values = document.get("values")
    pending = [values.get("root_module")] if isinstance(values, dict) else []
    while pending:
        module = pending.pop(0)
        if not isinstance(module, dict):
            continue
        for each in module.get("resources") or []:
            attributes = each.get("values") if isinstance(each, dict) else None
            if not isinstance(each, dict) or not isinstance(each.get("address"), str) or "deposed_key" in each:
                if not (isinstance(each, dict) and "deposed_key" in each):
                    diagnostics.append(_unreadable(file))
                continue
            address = each["address"]
            secret = each.get("sensitive_values")
            have = attributes if isinstance(attributes, dict) else {}
            hidden = secret if isinstance(secret, dict) else {}
            yield _resource(
                file,
                address,
                ".".join(module_parts(address)),
                str(each.get("mode", "managed")),
                str(each.get("type", "")),
                str(each.get("name", "")),
                each.get("index"),
                local_provider(each.get("provider_name")),
                {str(n): merged(v, None, hidden.get(n), address, (str(n),)) for n, v in have.items()},
            )
        pending.extend(module.get("child_modules") or [])


def _raw(document: Mapping[str, Any], file: str, diagnostics: list[Diagnostic]) -> Iterator[Resource]:
    """The resources of a state file of version 4."""
    for each in document.get("resources") or []:
        if not isinstance(each, dict) or not isinstance(each.get("instances"), list):
            diagnostics.append(_unreadable(file))
            continue
        module = each.get("module") or ""
        mode, kind, name = str(each.get("mode", "managed")), str(each.get("type", "")), str(each.get("name", ""))
        for instance in each["instances"]:
            attributes = instance.get("attributes") if isinstance(instance, dict) else None
            if isinstance(instance, dict) and instance.get("deposed"):
                continue
            if not isinstance(attributes, dict):
                # States of before Terraform 0.12 keep attributes flat, under names like `ingress.123.from_port`.
                diagnostics.append(_unreadable(file, resource_address(module, mode, kind, name)))
                continue
            key = instance.get("index_key")
            hidden = {
                path[0]["value"]
                for path in instance.get("sensitive_attributes") or []
                if isinstance(path, list) and len(path) == 1 and isinstance(path[0], dict) and "value" in path[0]
            }
            address = resource_address(module, mode, kind, name, key_text(key))
            values = {str(n): merged(v, None, n in hidden, address, (str(n),)) for n, v in attributes.items()}
            yield _resource(file, address, module, mode, kind, name, key, local_provider(each.get("provider")), values)


def _unreadable(file: str, address: str | None = None) -> Diagnostic:
    text = f"{address or 'a resource'} of the state can't be read"
    return Diagnostic("incomplete", text, Origin(file=file), "write the state again with a current Terraform")


def _shown_outputs(document: Mapping[str, Any]) -> dict[str, Value]:
    values = document.get("values")
    outputs = values.get("outputs") if isinstance(values, dict) else None
    return _outputs(outputs)


def _raw_outputs(document: Mapping[str, Any]) -> dict[str, Value]:
    return _outputs(document.get("outputs"))


def _outputs(outputs: object) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, output in outputs.items() if isinstance(outputs, dict) else ():
        if isinstance(output, dict):
            value = from_python(output.get("value"))
            found[str(name)] = with_marks(value, (SENSITIVE,)) if output.get("sensitive") is True else value
    return found
