"""Text put together of pieces of which some aren't known: what is certain of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lint.terraform.budget import Budget
from lint.terraform.types import STRING
from lint.terraform.unknowns import lift
from lint.terraform.values import (
    Reference,
    Unknown,
    Value,
    merge_reasons,
    normal,
    pieces_of,
    prefix_of,
    unknown_reasons,
)

MAX_PIECES = 64
"""A text of more known and unknown pieces than these is unknown as a whole."""


def join_texts(values: Sequence[Value], budget: Budget) -> Value:
    """Strings joined; where some aren't known, what is certain of the whole: candidates, a prefix, a CIDR around it."""
    if all(v.known for v in values):
        budget.text(sum([len(v.data) for v in values]))
        return Value(STRING, normal("".join([v.data for v in values])))

    def join(texts: Sequence[Value]) -> Value:
        if any(t.data is None for t in texts):
            raise ValueError("a null has no text")
        if all(t.known for t in texts):
            budget.text(sum([len(t.data) for t in texts]))
            return Value(STRING, normal("".join([t.data for t in texts])))
        return _partly_known(texts)

    try:
        lifted = lift(values, join, ValueError, nulls=False)
    except ValueError:
        lifted = None  # every candidate is null, so that Terraform refuses whatever it turns out to be
    return lifted if lifted is not None else _partly_known(values)


def _partly_known(values: Sequence[Value]) -> Value:
    unclear = [v for v in values if not v.known]
    rest = [v for v in values if v.known and v.data]
    if len(unclear) == 1 and not rest:
        # "${x}" beside empty text is x itself.
        return Value(STRING, replace(unclear[0].data, not_null=True, attributes=None, element=None))
    prefix = ""
    for each in values:
        if not each.known:
            prefix += prefix_of(each) or ""
            break
        prefix += each.data
    reasons = merge_reasons(*[unknown_reasons(v) for v in unclear])
    return Value(
        STRING,
        Unknown(
            reasons,
            prefix=normal(prefix) or None,
            within=octets_within(values),
            not_null=True,
            pieces=_pieces(values),
        ),
    )


def _pieces(values: Sequence[Value]) -> tuple[str | Reference, ...] | None:
    """The known texts and attributes that the whole is made of; None where another unknown is among them.

    Only for ASCII, of which no character changes beside what an attribute may bring (Terraform keeps text in NFC).
    """
    found: list[str | Reference] = []
    for each in values:
        pieces = pieces_of(each)
        if pieces is None or len(found) + len(pieces) > MAX_PIECES:
            return None
        for piece in pieces:
            last = found[-1] if found else None
            if isinstance(piece, str) and not piece.isascii():
                return None
            if isinstance(piece, str) and isinstance(last, str):
                found[-1] = last + piece
            else:
                found.append(piece)
    return tuple(found)


def octets_within(values: Sequence[Value]) -> str | None:
    """The CIDR around an IPv4 address or CIDR whose text starts with whole known octets, as in `"10.${x}.0.0/16"`.

    Only where the known rest makes the whole an address in dotted form, so that nothing the unknown pieces can be
    leaves it: anything but octets would be refused as an address.
    """
    first = values[0]
    if not first.known:
        return _address_with_length(values)
    head, dot, _ = first.data.rpartition(".")
    octets = head.split(".")
    if not dot or not 1 <= len(octets) <= 3:
        return None
    if not all(o.isascii() and o.isdigit() and (o == "0" or o[0] != "0") and int(o) < 256 for o in octets):
        return None
    pattern = "".join(each.data if each.known else "\0" for each in values)
    address, slash, length = pattern.partition("/")
    pieces = address.split(".")
    if len(pieces) != 4 or not all(p.replace("\0", "0").isascii() and p.replace("\0", "0").isdigit() for p in pieces):
        return None
    bits = 8 * len(octets)
    if slash and not (length.isascii() and length.isdigit() and bits <= int(length) <= 32):
        return None
    return f"{'.'.join([*octets, *['0'] * (4 - len(octets))])}/{bits}"


def _address_with_length(values: Sequence[Value]) -> str | None:
    """`"${address}/32"` lies in whatever the address lies in, if the whole is a single address."""
    within = values[0].data.within
    rest = "".join(v.data for v in values[1:] if v.known)
    if within is None or not all(v.known for v in values[1:]):
        return None
    known: str = within
    return known if rest == ("/128" if ":" in known else "/32") else None
