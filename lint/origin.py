"""Where a thing comes from and why a value is unknown: plain data that every room may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in a source: a range of a file, and/or a resource of an account.

    Lines and columns count from 1, bytes from 0; `end_byte` is exclusive. `file` is relative to the source's
    directory (POSIX separators). `calls` lists the module calls that led here, outermost first.
    """

    file: str | None = None
    line: int | None = None
    end_line: int | None = None
    column: int | None = None
    start_byte: int | None = None
    end_byte: int | None = None
    address: str | None = None  # Terraform address, module.a["x"].aws_security_group.b[0]
    account: str | None = None
    region: str | None = None
    resource_id: str | None = None
    calls: tuple[Origin, ...] = ()

    def where(self) -> str:
        """`main.tf:12`, or the resource id, or the address: what a sentence names."""
        if self.file is not None:
            return f"{self.file}:{self.line}" if self.line is not None else self.file
        return self.resource_id or self.address or "unknown place"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something could not be determined: a sentence for a person, and what would settle it.

    `code` is a stable machine word (`azure.tag.no-data:Storage`, `tf.no-value:var.console_cidr`), or None. Of what
    could not be read, `root` is the folder of the Terraform root that it belongs to, relative as in `Origin.file`.
    """

    text: str
    code: str | None = None
    origin: Origin | None = None
    remedy: str | None = None
    root: str | None = None

    def sentence(self) -> str:
        """`var.console_cidr has no value (variables.tf:3)`, with the remedy behind it where there is one."""
        place = f" ({self.origin.where()})" if self.origin is not None and self.origin.file else ""
        tail = f"; {self.remedy}" if self.remedy else ""
        return f"{self.text}{place}{tail}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A message to a person about a source or a project file: what, where, what to do.

    `severity`: "error" (the run ends with status 2), "incomplete" (what depends on it is undetermined) or "warning".
    """

    severity: str
    text: str
    origin: Origin | None = None
    remedy: str | None = None

    def sentence(self) -> str:
        """One line for a report, with the place and the remedy."""
        place = f" ({self.origin.where()})" if self.origin is not None else ""
        tail = f"; {self.remedy}" if self.remedy else ""
        return f"{self.text}{place}{tail}"


def origin_json(origin: Origin | None) -> dict[str, Any] | None:
    """File and lines where there is a file, else what names the thing in its account."""
    if origin is None:
        return None
    keys = {
        "file": origin.file,
        "line": origin.line,
        "end_line": origin.end_line,
        "column": origin.column,
        "address": origin.address,
        "account": origin.account,
        "region": origin.region,
        "resource_id": origin.resource_id,
    }
    found: dict[str, Any] = {key: value for key, value in keys.items() if value is not None}
    if origin.calls:
        found["calls"] = [origin_json(call) for call in origin.calls]
    return found
