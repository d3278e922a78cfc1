"""How one Terraform module names a thing that another resource is: `aws_security_group.a.id`, `module.b.group_id`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from lint.terraform.resources import Resource
from lint.terraform.syntax.problem import SyntaxProblem

Reader = Callable[[str], bytes | None]
"""Gives a file's bytes by the name that origins have, or None where it can't be read."""


def reference(target: Resource, user: Resource, attribute: str, files: Mapping[str, bytes]) -> str | None:
    """The expression by which the module of `user` names `attribute` of `target`; None where it has no way to.

    `files` are the configuration files of the root by name, for the outputs of child modules.
    """
    if target.mode == "data":
        local = target.address[len(target.module) :].lstrip(".")
    else:
        local = local_name(target)
    if target.module == user.module:
        return f"{local}.{attribute}"
    prefix = f"{user.module}." if user.module else ""
    if not target.module.startswith(prefix + "module."):
        return None
    call = target.module[len(prefix) :]
    if re.fullmatch(r"module\.[\w-]+(\[[^\]]*\])?", call) is None:
        return None
    output = _output(target, f"{local}.{attribute}", files)
    return f"{call}.{output}" if output else None


def local_name(resource: Resource) -> str:
    """The address inside its own module: `aws_security_group.b[0]`."""
    return resource.address[len(resource.module) + 1 :] if resource.module else resource.address


def _output(target: Resource, wanted: str, files: Mapping[str, bytes]) -> str | None:
    """The name of the output of the target's module whose value is exactly `wanted`."""
    from lint.fix.hcl import read

    if target.origin.file is None:
        return None
    directory = PurePosixPath(target.origin.file).parent
    for name in sorted(files):
        if PurePosixPath(name).parent != directory or not name.endswith((".tf", ".tofu")):
            continue
        try:
            source = read(name, files[name])
        except SyntaxProblem:
            continue
        for block in source.body.blocks:
            value = block.body.attribute("value") if block.type == "output" and block.labels else None
            if value is not None and source.text(value.value.span.start, value.value.span.end).strip() == wanted:
                return block.labels[0]
    return None
