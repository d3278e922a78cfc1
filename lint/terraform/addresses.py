"""Terraform's addresses as text: resources, module instances and their keys. Knows no values.

Source: "Resource Addressing" in Terraform's documentation.
"""

from __future__ import annotations

import re

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TEMPLATE = re.compile(r"([$%])\{")
UNKNOWN_KEY = "*"
"""Stands for the key of an instance of which it isn't known whether it exists."""


def key_text(key: str | int | None, exists: bool = True) -> str:
    """`["x"]`, `[0]`, or nothing; `[*]` for an instance that may exist under any key."""
    if not exists:
        return "[*]"
    if key is None:
        return ""
    if isinstance(key, int):
        return f"[{key}]"
    quoted = "".join(_ESCAPES.get(char, char) for char in key)
    quoted = _TEMPLATE.sub(r"\1\1{", quoted)
    return f'["{quoted}"]'


def resource_address(module: str, mode: str, kind: str, name: str, key: str = "") -> str:
    """The address of a resource; `module` is the address of its module instance, `key` as `key_text` gives it."""
    prefix = {"data": "data.", "ephemeral": "ephemeral."}.get(mode, "")
    head = f"{module}." if module else ""
    return f"{head}{prefix}{kind}.{name}{key}"


def module_address(parent: str, name: str, key: str = "") -> str:
    """The address of a module instance below another one."""
    head = f"{parent}." if parent else ""
    return f"{head}module.{name}{key}"
