"""Reads CSV as Go's encoding/csv does (RFC 4180): quotes only around whole fields, blank lines left out."""

from __future__ import annotations


def read_csv(text: str) -> list[list[str]]:
    """The records of a CSV text. Raises ValueError for a stray or missing quote.

    Python's own csv module takes stray quotes as they come, which Terraform refuses.
    """
    rows: list[list[str]] = []
    text = text.replace("\r\n", "\n")
    at, end = 0, len(text)
    while at < end:
        if text[at] == "\n":
            at += 1
            continue
        row: list[str] = []
        while True:
            if at < end and text[at] == '"':
                field, at = _quoted(text, at + 1)
                if at < end and text[at] not in ",\n":
                    raise ValueError("CSV parse error: text behind a quoted field")
            else:
                stop = at
                while stop < end and text[stop] not in ",\n":
                    stop += 1
                field = text[at:stop]
                if '"' in field:
                    raise ValueError("CSV parse error: a quote inside a field without quotes")
                at = stop
            row.append(field)
            if at < end and text[at] == ",":
                at += 1
                continue
            at += 1
            break
        rows.append(row)
    return rows


def _quoted(text: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    while True:
        stop = text.find('"', at)
        if stop < 0:
            raise ValueError("CSV parse error: a quoted field isn't closed")
        parts.append(text[at:stop])
        if text[stop + 1 : stop + 2] == '"':
            parts.append('"')
            at = stop + 2
            continue
        return "".join(parts), stop + 1
