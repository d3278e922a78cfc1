"""format and formatlist, with Terraform's verbs (Go's, on exact numbers and grapheme clusters)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lint.terraform.budget import BudgetSpent
from lint.terraform.convert import ConversionError, convert
from lint.terraform.functions.graphemes import clusters
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.numbers import Number
from lint.terraform.texts import join_texts
from lint.terraform.types import BOOL, DYNAMIC, NUMBER, STRING, ListType, SetType, TupleType, list_of
from lint.terraform.values import Unknown, Value, json_text, string, to_json, unknown_from

_ARGUMENTS = Parameter("args", null=True, unknown=True, partial=True)
_VERB = re.compile(r"([0#+\- ]*)([1-9][0-9]*)?(\.[0-9]*)?(?:\[([1-9][0-9]*)\])?([A-Za-z])")
_MAX_WIDTH_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Verb:
    """One `%…x` of a format: its flags, width, precision (None where absent), argument from 1, and letter."""

    flags: str
    width: int | None
    precision: int | None
    argument: int
    letter: str


def parse_format(text: str) -> list[str | Verb]:
    """The literal pieces and verbs of a format. Raises FunctionError, or BudgetSpent for absurd widths."""
    pieces: list[str | Verb] = []
    at = 0
    following = 1
    while at < len(text):
        sign = text.find("%", at)
        if sign < 0:
            pieces.append(text[at:])
            break
        if sign > at:
            pieces.append(text[at:sign])
        if text[sign + 1 : sign + 2] == "%":
            pieces.append("%")
            at = sign + 2
            continue
        found = _VERB.match(text, sign + 1)
        if found is None:
            raise FunctionError(f"unrecognized or unfinished format verb at offset {sign}")
        flags, width, precision, argument, letter = found.groups()
        for size in (width, precision, argument):
            if size is not None and len(size) > _MAX_WIDTH_DIGITS:
                raise BudgetSpent("a text of so many characters isn't built")
        number = int(argument) if argument else following
        following = number + 1
        pieces.append(
            Verb(
                flags,
                int(width) if width else None,
                None if precision is None else int(precision[1:] or 0),
                number,
                letter,
            )
        )
        at = found.end()
    return pieces


def _format(call: Caller, pieces: Sequence[str | Verb], arguments: Sequence[Value]) -> Value:
    """The text; partly known where an argument isn't."""
    parts: list[Value] = []
    highest = 0
    for each in pieces:
        if isinstance(each, str):
            parts.append(Value(STRING, each))
            continue
        highest = max(highest, each.argument)
        if each.argument > len(arguments):
            raise FunctionError(f'not enough arguments: "%{each.letter}" needs number {each.argument}')
        parts.append(_apply(call, each, arguments[each.argument - 1]))
    if highest < len(arguments):
        raise FunctionError(f"too many arguments; only {highest} used by format string")
    return join_texts(parts or [Value(STRING, "")], call.budget)


def _apply(call: Caller, verb: Verb, argument: Value) -> Value:
    if verb.letter not in "vtbdoxXeEfgGsq":
        raise FunctionError(f'unsupported format verb "%{verb.letter}"')
    if not argument.known:
        return _apply_unknown(call, verb, argument)
    if verb.letter != "v" and argument.data is None:
        raise FunctionError(f'unsupported value for "%{verb.letter}": null value cannot be formatted')
    if verb.width is not None:
        call.budget.text(verb.width)
    if verb.precision is not None:
        call.budget.text(verb.precision)
    return Value(STRING, _render(verb, argument))


def _apply_unknown(call: Caller, verb: Verb, argument: Value) -> Value:
    plain = verb.width is None and verb.precision is None and not verb.flags
    if isinstance(argument.data, Unknown) and plain and verb.letter in "sdv":
        try:
            text = convert(argument, STRING)
        except ConversionError as problem:
            if verb.letter == "v":
                return unknown_from(STRING, (argument,), not_null=True)
            raise FunctionError(f'unsupported value for "%{verb.letter}": {problem}') from None
        if not isinstance(text.data, Unknown):
            return _apply(call, verb, text)
        held: Unknown = text.data
        if verb.letter != "v" or held.not_null:
            return text
        return Value(STRING, Unknown(held.reasons, held.reference, None, held.within, None, pieces=held.pieces))
    return unknown_from(STRING, (argument,), not_null=True)


def _converted(verb: Verb, argument: Value, wanted: object) -> Value:
    kind = NUMBER if wanted is NUMBER else BOOL if wanted is BOOL else STRING
    try:
        return convert(argument, kind)
    except ConversionError as problem:
        raise FunctionError(f'unsupported value for "%{verb.letter}": {problem}') from None


def _render(verb: Verb, argument: Value) -> str:
    letter = verb.letter
    if letter == "v":
        return _pad(verb, _as_is(verb, argument))
    if letter == "t":
        return "true" if _converted(verb, argument, BOOL).data else "false"
    if letter in "sq":
        text: str = _converted(verb, argument, STRING).data
        if verb.precision:
            text = "".join(clusters(text)[: verb.precision])
        return _pad(verb, json_text(text) if letter == "q" else text)
    number: Number = _converted(verb, argument, NUMBER).data
    if letter in "bdoxX":
        if not number.integral:
            raise FunctionError(f'unsupported value for "%{letter}": an integer is required')
        return _integer(verb, int(number))
    return _float(verb, number)


def _as_is(verb: Verb, argument: Value) -> str:
    data = argument.data
    if "#" not in verb.flags:
        if isinstance(data, str):
            return data
        if isinstance(data, Number):
            return general(data)
    try:
        return to_json(argument)
    except ValueError as problem:
        raise FunctionError(f'unsupported value for "%v": {problem}') from None


def _pad(verb: Verb, text: str) -> str:
    if verb.width is None:
        return text
    missing = verb.width - len(clusters(text))
    if missing <= 0:
        return text
    pads = ("0" if "0" in verb.flags else " ") * missing
    return text + pads if "-" in verb.flags else pads + text


def _integer(verb: Verb, number: int) -> str:
    """As Go formats a big integer: precision is the least number of digits, zeros fill up to the width."""
    letter, flags = verb.letter, verb.flags
    digits = {"d": "d", "b": "b", "o": "o", "x": "x", "X": "X"}[letter]
    body = format(abs(number), digits) if letter != "d" else _decimal_text(abs(number))
    prefix = ""
    if "#" in flags:
        prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(letter, "")
    sign = "-" if number < 0 else "+" if "+" in flags else " " if " " in flags else ""
    zeros = left = right = 0
    if verb.precision is not None:
        if len(body) < verb.precision:
            zeros = verb.precision - len(body)
        elif body == "0" and verb.precision == 0:
            return ""
    length = len(sign) + len(prefix) + zeros + len(body)
    if verb.width is not None and length < verb.width:
        missing = verb.width - length
        if "-" in flags:
            right = missing
        elif "0" in flags and verb.precision is None:
            zeros = missing
        else:
            left = missing
    return " " * left + sign + prefix + "0" * zeros + body + " " * right


def _decimal_text(number: int) -> str:
    return Number(False, number, 0, max(64, number.bit_length())).exact_text()


def _float(verb: Verb, number: Number) -> str:
    """As Go formats a big float with %e, %f and %g; zeros fill up to the width behind the sign."""
    letter, flags = verb.letter, verb.flags
    precision = verb.precision if verb.precision is not None else (-1 if letter in "gG" else 6)
    text = "Inf" if number.infinite else _digits_text(abs(number), letter, precision)
    sign = "-" if number.negative else "+" if "+" in flags else " " if " " in flags else ""
    if number.infinite and not sign:
        sign = "+"
    missing = 0 if verb.width is None else max(0, verb.width - len(sign) - len(text))
    if "0" in flags and "-" not in flags and not number.infinite:
        return sign + "0" * missing + text
    if "-" in flags:
        return sign + text + " " * missing
    return " " * missing + sign + text


def general(number: Number) -> str:
    """Shortest text, with an exponent where that is shorter (Go's `%g` without a precision)."""
    if number.infinite:
        return "-Inf" if number.negative else "+Inf"
    return ("-" if number.negative else "") + _digits_text(abs(number), "g", -1)


def _digits_text(number: Number, letter: str, precision: int) -> str:
    lower = letter.lower()
    mark = "E" if letter.isupper() else "e"
    if lower == "f":
        return _fixed(number, precision)
    if lower == "e":
        digits, point = number.rounded_digits(precision + 1) if precision >= 0 else number.digits()
        return _scientific(digits, point, max(precision, 0) if precision >= 0 else max(0, len(digits) - 1), mark)
    shortest = precision < 0
    if shortest:
        digits, point = number.digits()
        limit = 6  # Go's big floats take 6 here, however many digits there are.
    else:
        precision = precision or 1
        digits, point = number.rounded_digits(precision)
        limit = precision
        if limit > len(digits) and len(digits) >= point:
            limit = len(digits)
    power = point - 1
    if digits and (power < -4 or power >= limit):
        return _scientific(digits, point, len(digits) - 1, mark)
    if not digits and not shortest and limit == 0:
        return "0"
    return _plain(digits, point)


def _plain(digits: str, point: int) -> str:
    if not digits:
        return "0"
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return f"{digits[:point]}.{digits[point:]}"


def _fixed(number: Number, precision: int) -> str:
    """Digits with so many places behind the point, rounded half to even on the exact value."""
    digits, point = number.exact_digits()
    kept = point + precision
    if kept < len(digits):
        if kept < 0:
            digits, point = "", 0
        else:
            digits, point = number.rounded_digits(kept) if kept > 0 else _round_to_nothing(digits, point, precision)
    whole = (digits[:point].ljust(point, "0") if point > 0 else "") or "0"
    if precision <= 0:
        return whole
    behind = ("0" * -point + digits if point < 0 else digits[point:]).ljust(precision, "0")[:precision]
    return f"{whole}.{behind}"


def _round_to_nothing(digits: str, point: int, precision: int) -> tuple[str, int]:
    """Less than one unit in the last place: rounded to that unit or to zero (a half to zero, which is even)."""
    up = digits[0] > "5" or (digits[0] == "5" and len(digits) > 1)
    return ("1", point + 1) if up else ("", 0)


def _scientific(digits: str, point: int, places: int, mark: str) -> str:
    first = digits[:1] or "0"
    rest = digits[1:].ljust(places, "0")
    power = point - 1 if digits else 0
    tail = f".{rest}" if rest else ""
    return f"{first}{tail}{mark}{'-' if power < 0 else '+'}{abs(power):02d}"


def _untyped_null(call: Caller, arguments: Sequence[Value]) -> Value | None:
    """What Terraform makes of an argument `null` without a type: a result that is never known, not even after apply."""
    if not any(a.data is None and a.type is DYNAMIC for a in arguments):
        return None
    text = "Terraform leaves a format unknown where an argument is a null without a type"
    reason = call.reason(text, "tf.untyped-null", "give the null a type, as in tostring(null)")
    return Value(DYNAMIC, Unknown((reason,)))


@function("format", Parameter("format", STRING), variadic=_ARGUMENTS, returns=STRING)
def _format_function(call: Caller, text: Value, *arguments: Value) -> Value:
    untyped = _untyped_null(call, arguments)
    if untyped is not None:
        return untyped
    result = _format(call, parse_format(text.data), arguments)
    return string(result.data) if isinstance(result.data, str) else result


@function("formatlist", Parameter("format", STRING), variadic=_ARGUMENTS, returns=list_of(STRING))
def _formatlist(call: Caller, text: Value, *arguments: Value) -> Value:
    untyped = _untyped_null(call, arguments)
    if untyped is not None:
        return untyped
    kind = list_of(STRING)
    if not arguments:
        return Value(kind, (_format(call, parse_format(text.data), ()),))
    count: int | None = None
    unclear: list[Value] = []
    for each in arguments:
        if each.data is None or not isinstance(each.type, (ListType, SetType, TupleType)):
            if isinstance(each.data, Unknown) and each.type is DYNAMIC:
                unclear.append(each)
            continue
        if isinstance(each.data, Unknown) or (isinstance(each.type, SetType) and len(each.data) > 1 and not each.known):
            unclear.append(each)
            continue
        if count is not None and len(each.data) != count:
            raise FunctionError("the lists have different lengths")
        count = len(each.data)
    if unclear:
        return unknown_from(kind, arguments, not_null=True)
    if count == 0:
        return Value(kind, ())
    pieces = parse_format(text.data)
    rows = 1 if count is None else count
    call.budget.elements(rows * len(arguments))
    made: list[Value] = []
    for i in range(rows):
        row = [
            a.data[i] if a.data is not None and isinstance(a.type, (ListType, SetType, TupleType)) else a
            for a in arguments
        ]
        made.append(_format(call, pieces, row))
    return Value(kind, tuple(made))
