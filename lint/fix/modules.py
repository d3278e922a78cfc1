"""How one Terraform module names a thing that another resource is: `aws_security_group.a.id`, `module.b.group_id`.

Whether an output really is what it seems to be is for the proof to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lint.fix.workshop import Workshop
from lint.origin import Origin
from lint.terraform.resources import Resource

_CALL = re.compile(r'module\.[\w-]+(?:\[(?:"(?:[^"\\]|\\.)*"|\d+|\*)\])?')


def segments(module: str) -> list[str]:
    """The calls that a module instance's address is made of: `module.a["x"]`, `module.b`."""
    return _CALL.findall(module)


def callers(resource: Resource) -> Iterator[tuple[str, Origin]]:
    """The modules around the resource's own, innermost first: the address of each, and its call that leads here."""
    path = segments(resource.module)
    if len(path) != len(resource.origin.calls):
        return
    for depth in range(len(path) - 1, -1, -1):
        yield ".".join(path[:depth]), resource.origin.calls[depth]


def reference(target: Resource, user: str, attribute: str, shop: Workshop) -> str | None:
    """The expression by which the module `user` names `attribute` of `target`; None where it has no way to."""
    path, own = segments(target.module), segments(user)
    if path[: len(own)] != own or len(path) != len(target.origin.calls):
        return None
    name = target.address[len(target.module) :].lstrip(".") if target.mode == "data" else local_name(target)
    if len(path) == len(own):
        return f"{name}.{attribute}"
    wanted, key = f"{name}.{attribute}", target.key
    for depth in range(len(path), len(own), -1):
        file = target.origin.file if depth == len(path) else target.origin.calls[depth].file
        output = _output(file, wanted, key, shop) if file is not None else None
        if output is None or "*" in path[depth - 1]:
            return None
        wanted, key = f"{path[depth - 1]}.{output}", None
    return wanted


def local_name(resource: Resource) -> str:
    """The address inside its own module: `aws_security_group.b[0]`."""
    return resource.address[len(resource.module) + 1 :] if resource.module else resource.address


def _output(file: str, wanted: str, key: str | int | None, shop: Workshop) -> str | None:
    """The output of the module in whose folder `file` lies that is `wanted`, or that speaks of it, the shortest one."""
    thing, _, attribute = wanted.rpartition(".")
    stem = re.sub(r"\[[^\]]*\]$", "", thing)
    splats = (f"{stem}[*].{attribute}", f"{stem}.*.{attribute}")
    spoken = re.compile(rf"(?<![\w.]){re.escape(stem)}(\[[^\]]*\]|\.\*)?\.{re.escape(attribute)}\b")
    found: list[tuple[bool, int, str]] = []
    for name in shop.files_beside(file):
        source = shop.source(name)
        for block in source.body.blocks if source is not None else ():
            value = block.body.attribute("value") if block.type == "output" and block.labels else None
            if source is None or value is None:
                continue
            text = source.text(value.value.span.start, value.value.span.end).strip()
            if text in splats:
                if isinstance(key, int):
                    found.append((False, 0, f"{block.labels[0]}[{key}]"))
            elif text == wanted or (spoken.search(text) and not text.startswith(("[", "{"))):
                found.append((text != wanted, len(text), block.labels[0]))
    return min(found)[2] if found else None
