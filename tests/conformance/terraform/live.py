"""Asks the machine's own `terraform` what expressions give: a few hundred of them in three runs of the program.

Every expression becomes a local value. `terraform validate` names those that are wrong; the others become outputs of a
plan, from which value (as `jsonencode` writes it) and type are read.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

ERROR = ({"error": True}, "error")


def binary() -> str | None:
    """The terraform program of this machine, if there is one."""
    return shutil.which("terraform")


BATCH = 250
"""The program's time grows faster than the number of local values."""


def ask(expressions: Sequence[str], directory: Path) -> list[tuple[Any, str] | None]:
    """Value and type of each expression, ERROR where Terraform refuses it, None where the value isn't known."""
    directory.mkdir(parents=True, exist_ok=True)
    answers: list[tuple[Any, str] | None] = []
    for start in range(0, len(expressions), BATCH):
        answers.extend(_ask(expressions[start : start + BATCH], directory))
    return answers


def _ask(expressions: Sequence[str], directory: Path) -> list[tuple[Any, str] | None]:
    refused: set[int] = set()
    for _ in range(6):
        found = _validate(expressions, refused, directory)
        if not found:
            break
        refused |= found
    plan, more = _plan(expressions, refused, directory)
    if more:
        refused |= more
        plan, _ = _plan(expressions, refused, directory)
    answers: list[tuple[Any, str] | None] = []
    for i in range(len(expressions)):
        if i in refused:
            answers.append(ERROR)
            continue
        output = plan.get(f"e{i}", {})
        value = output.get("value")
        if not value or value[0] is None:
            answers.append(None)
            continue
        kind = output["type"][1][1]
        answers.append((json.loads(value[0], parse_float=Decimal, parse_int=Decimal), type_line(kind)))
    return answers


def type_line(kind: Any) -> str:
    """The JSON form of a type as one line of text: `object({a: string})`."""
    if isinstance(kind, str):
        return kind
    word, inner = kind[0], kind[1]
    if word == "tuple":
        return f"tuple([{', '.join(type_line(k) for k in inner)}])"
    if word == "object":
        return f"object({{{', '.join(f'{n}: {type_line(k)}' for n, k in sorted(inner.items()))}}})"
    return f"{word}({type_line(inner)})"


def _run(directory: Path, *arguments: str) -> str:
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    done = subprocess.run(
        [str(binary()), *arguments], cwd=directory, env=environment, capture_output=True, text=True, timeout=300
    )
    return done.stdout


def _write(expressions: Sequence[str], refused: set[int], directory: Path, *, outputs: bool) -> None:
    lines = ["locals {"]
    places: list[str] = []
    for i, expression in enumerate(expressions):
        if i in refused:
            continue
        lines.append(f"e{i} = {expression}".rstrip("\n"))
        places.append(f'output "e{i}" {{\n  sensitive = true\n  value = [jsonencode(local.e{i}), local.e{i}]\n}}\n')
    lines.append("}")
    (directory / "main.tf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (directory / "outputs.tf").write_text("".join(places) if outputs else "", encoding="utf-8")


def _owners(expressions: Sequence[str], refused: set[int]) -> list[tuple[int, int]]:
    """First line of each expression in main.tf, with its number."""
    line, found = 2, []
    for i, expression in enumerate(expressions):
        if i in refused:
            continue
        found.append((line, i))
        line += expression.rstrip("\n").count("\n") + 1
    return found


def _validate(expressions: Sequence[str], refused: set[int], directory: Path) -> set[int]:
    _write(expressions, refused, directory, outputs=False)
    report = json.loads(_run(directory, "validate", "-json"))
    starts = _owners(expressions, refused)
    found: set[int] = set()
    for each in report.get("diagnostics", []):
        if each.get("severity") != "error":
            continue
        place = each.get("range")
        if place is None:
            raise AssertionError(f"terraform says: {each.get('summary')}: {each.get('detail')}")
        line = place["start"]["line"]
        owner = [i for start, i in starts if start <= line]
        if place["filename"] != "main.tf" or not owner:
            raise AssertionError(f"terraform says: {each}")
        found.add(owner[-1])
    return found


def _plan(expressions: Sequence[str], refused: set[int], directory: Path) -> tuple[dict[str, Any], set[int]]:
    _write(expressions, refused, directory, outputs=True)
    report = _run(directory, "plan", "-json", "-input=false", "-out=plan.bin")
    starts = _owners(expressions, refused)
    failed: set[int] = set()
    for text in report.splitlines():
        each = json.loads(text)
        if each.get("@level") != "error":
            continue
        place = each.get("diagnostic", {}).get("range")
        if place is None:
            raise AssertionError(text)
        line = place["start"]["line"]
        if place["filename"] == "main.tf":
            failed.add([i for start, i in starts if start <= line][-1])
        else:
            numbers = [i for _, i in starts]
            failed.add(numbers[(line - 1) // 4])
    if failed:
        return {}, failed
    shown = json.loads(_run(directory, "show", "-json", "plan.bin"))
    outputs: dict[str, Any] = shown["planned_values"]["outputs"]
    return outputs, set()
