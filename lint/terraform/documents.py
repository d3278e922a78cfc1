"""Reads the JSON that Terraform itself writes: versions and values. Knows neither plans nor states in particular."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from lint.origin import Reason
from lint.terraform.resources import Coverage, Resource, count_unknown
from lint.terraform.types import DYNAMIC
from lint.terraform.values import (
    SENSITIVE,
    Reference,
    Unknown,
    Value,
    from_python,
    object_value,
    tuple_value,
    unknown,
    with_marks,
)

MAX_DEPTH = 100


class SourceProblem(Exception):
    """A plan or state that can't be used: the file, what is wrong with it, and what to do."""

    def __init__(self, file: str, text: str, remedy: str) -> None:
        super().__init__(f"{file}: {text}; {remedy}")
        self.file = file
        self.text = text
        self.remedy = remedy


def read_document(data: bytes, file: str) -> dict[str, Any]:
    """The JSON object in a file. Raises SourceProblem."""
    remedy = "write it with `terraform show -json`"
    if data[:2] == b"PK":
        raise SourceProblem(file, "this is a binary plan", f"{remedy}: terraform show -json PLANFILE")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        document = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except UnicodeDecodeError:
        raise SourceProblem(file, "this is no text", remedy) from None
    except RecursionError:
        raise SourceProblem(file, "its JSON is nested too deeply", remedy) from None
    except json.JSONDecodeError as problem:
        raise SourceProblem(file, f"invalid JSON at line {problem.lineno}: {problem.msg}", remedy) from None
    except ValueError as problem:
        raise SourceProblem(file, f"invalid JSON: {problem}", remedy) from None
    if not isinstance(document, dict):
        raise SourceProblem(file, "this is JSON, but no object", remedy)
    return document


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number")


@contextmanager
def well_formed(file: str, what: str) -> Iterator[None]:
    """Reads parts of a document that Terraform wrote; where they aren't shaped so, somebody else wrote them."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as problem:
        text = f"this is not shaped as a {what} is"
        raise SourceProblem(file, text, "write it again with `terraform show -json`") from problem


def check_format(document: Mapping[str, Any], file: str, what: str) -> None:
    """Whether the format's major version is the one that is read. Raises SourceProblem."""
    version = document.get("format_version")
    if not isinstance(version, str):
        text = f"this is no {what} in JSON: format_version is missing"
        raise SourceProblem(file, text, "write it with `terraform show -json`")
    if version.split(".", 1)[0] != "1":
        written = document.get("terraform_version")
        by = f" (written by Terraform {written})" if isinstance(written, str) else ""
        text = f"format version {version} of this {what} isn't supported{by}; version 1 is"
        raise SourceProblem(file, text, "write it with Terraform 1.0 or newer, or OpenTofu")


def merged(
    known: Any, unknown_part: Any, sensitive: Any, address: str, path: tuple[str | int, ...], depth: int = 0
) -> Value:
    """A value from what is known of it, what isn't known yet, and what is sensitive, as a plan splits them.

    Elements belong together by their index, also those of sets.
    """
    if depth > MAX_DEPTH:
        return unknown(DYNAMIC, (Reason(f"{address}.{path[0]} is nested too deeply", "tf.budget"),))
    if unknown_part is True:
        return _later(address, path)
    value: Value
    if isinstance(known, dict) or (known is None and isinstance(unknown_part, dict) and unknown_part):
        have = known if isinstance(known, dict) else {}
        lack = unknown_part if isinstance(unknown_part, dict) else {}
        secret = sensitive if isinstance(sensitive, dict) else {}
        names = dict.fromkeys([*have, *[name for name, flag in lack.items() if flag]])
        value = object_value(
            {
                str(name): merged(
                    have.get(name), lack.get(name), secret.get(name), address, (*path, str(name)), depth + 1
                )
                for name in names
            }
        )
    elif isinstance(known, list):
        lack_list = unknown_part if isinstance(unknown_part, list) else []
        secret_list = sensitive if isinstance(sensitive, list) else []
        value = tuple_value(
            [
                merged(
                    known[i] if i < len(known) else None,
                    lack_list[i] if i < len(lack_list) else None,
                    secret_list[i] if i < len(secret_list) else None,
                    address,
                    (*path, i),
                    depth + 1,
                )
                for i in range(max(len(known), len(lack_list)))
            ]
        )
    else:
        value = from_python(known)
    return with_marks(value, (SENSITIVE,)) if sensitive is True else value


def _later(address: str, path: tuple[str | int, ...]) -> Value:
    shown = ".".join(str(step) for step in path)
    reason = Reason(f"{address}.{shown} is known only after apply", f"tf.computed:{address}")
    return unknown(DYNAMIC, (reason,), reference=Reference(address, path))


def local_provider(full: object) -> str:
    """`aws` for `registry.terraform.io/hashicorp/aws`, or for `provider["registry…/aws"].west` "aws.west"."""
    if not isinstance(full, str):
        return ""
    text, alias = full, ""
    if '["' in full and '"]' in full:
        text, _, tail = full.partition('["')[2].partition('"]')
        alias = tail
    return text.rsplit("/", 1)[-1] + alias


def coverage_of(resources: Iterable[Resource], modules: int) -> Coverage:
    """Everything that a plan or state lists is read: what is counted is what it holds."""
    found = tuple(resources)
    return Coverage(1, 1, modules, modules, len(found), sum(count_unknown(r.values, r.blocks) for r in found))


def wholly_unknown(value: Value) -> bool:
    """Whether nothing at all is known of a value."""
    return isinstance(value.data, Unknown)
