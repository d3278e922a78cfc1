"""Functions on numbers: abs, ceil, floor, log, max, min, parseint, pow, range, signum, sum."""

from __future__ import annotations

import math

from lint.terraform.convert import ConversionError, convert
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function, whole
from lint.terraform.numbers import ZERO, Number, infinity
from lint.terraform.types import NUMBER, STRING, ListType, SetType, TupleType, list_of
from lint.terraform.values import Unknown, Value, unknown_reasons

MAX_RANGE = 1024
"""Terraform refuses a range() of more elements."""


@function("abs", Parameter("num", NUMBER), returns=NUMBER)
def _abs(call: Caller, num: Value) -> Value:
    return Value(NUMBER, abs(num.data))


@function("ceil", Parameter("num", NUMBER), returns=NUMBER)
def _ceil(call: Caller, num: Value) -> Value:
    return Value(NUMBER, _rounded(num.data, up=True))


@function("floor", Parameter("num", NUMBER), returns=NUMBER)
def _floor(call: Caller, num: Value) -> Value:
    return Value(NUMBER, _rounded(num.data, up=False))


def _rounded(data: Number, *, up: bool) -> Number:
    if data.infinite:
        return data
    size = data.mantissa << data.exponent if data.exponent >= 0 else data.mantissa >> -data.exponent
    if data.exponent < 0 and up != data.negative:
        size += 1
    return Number(data.negative and size != 0, size, 0, data.bits)


@function("log", Parameter("num", NUMBER), Parameter("base", NUMBER), returns=NUMBER)
def _log(call: Caller, num: Value, base: Value) -> Value:
    top, bottom = _log64(_float(num)), _log64(_float(base))
    if math.isnan(top) or math.isnan(bottom):
        raise FunctionError("the logarithm of a negative number has no value")
    if bottom == 0:
        if top == 0:
            raise FunctionError("the logarithm has no value")
        return Value(NUMBER, infinity((top < 0) != (math.copysign(1.0, bottom) < 0)))
    result = math.nan if math.isinf(top) and math.isinf(bottom) else top / bottom
    if math.isnan(result):
        raise FunctionError("the logarithm has no value")
    return Value(NUMBER, Number.of(result))


def _float(value: Value) -> float:
    """A number as float64. Raises FunctionError beyond its range."""
    found = float(value.data)
    if math.isinf(found):
        raise FunctionError("the number is too large")
    return found


def _log64(number: float) -> float:
    """The natural logarithm as Go's math.Log has it, to the last bit (FreeBSD's e_log.c)."""
    if number < 0:
        return math.nan
    if number == 0:
        return -math.inf
    fraction, power = math.frexp(number)
    if fraction < math.sqrt(2) / 2:
        fraction, power = fraction * 2, power - 1
    f = fraction - 1
    s = f / (2 + f)
    s2 = s * s
    s4 = s2 * s2
    odd = s2 * (_L[0] + s4 * (_L[2] + s4 * (_L[4] + s4 * _L[6])))
    even = s4 * (_L[1] + s4 * (_L[3] + s4 * _L[5]))
    half = 0.5 * f * f
    return power * _LN2_HIGH - ((half - (s * (half + (odd + even)) + power * _LN2_LOW)) - f)


_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_L = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)


def _pow64(base: float, exponent: float) -> float:
    """A power as Go's math.Pow has it, to the last bit where the exponent is a whole number, or 0.5.

    For others Go's own last digit depends on the processor.
    """
    left = int(abs(exponent))
    rest = abs(exponent) - left
    if left >= 1 << 63 or base in (0, 1) or (base < 0 and rest):
        return math.pow(base, exponent)
    if abs(exponent) == 0.5:
        return math.sqrt(base) if exponent > 0 else 1 / math.sqrt(base)
    mantissa, power = 1.0, 0
    if rest:
        if rest > 0.5:
            rest, left = rest - 1, left + 1
        mantissa = math.exp(rest * _log64(base))
    step, shift = math.frexp(base)
    while left:
        if abs(shift) > 1 << 12:
            power += shift
            break
        if left & 1:
            mantissa, power = mantissa * step, power + shift
        step, shift = step * step, shift * 2
        if step < 0.5:
            step, shift = step + step, shift - 1
        left >>= 1
    if exponent < 0:
        mantissa, power = 1 / mantissa, -power
    return math.ldexp(mantissa, power)


@function("pow", Parameter("num", NUMBER), Parameter("power", NUMBER), returns=NUMBER)
def _pow(call: Caller, num: Value, power: Value) -> Value:
    base, exponent = _float(num), _float(power)
    try:
        result = _pow64(base, exponent)
    except OverflowError:
        odd = exponent.is_integer() and int(exponent) % 2 == 1
        result = -math.inf if base < 0 and odd else math.inf
    except ValueError:
        # Zero to a negative power is an infinity; a negative number to a fraction has no value.
        if base != 0:
            raise FunctionError("a negative number to a fractional power has no value") from None
        odd = exponent.is_integer() and int(exponent) % 2 == 1
        result = math.copysign(math.inf, base) if odd else math.inf
    return Value(NUMBER, Number.of(result))


@function("signum", Parameter("num", NUMBER), returns=NUMBER)
def _signum(call: Caller, num: Value) -> Value:
    size = whole(num)
    return Value(NUMBER, Number(size < 0, 1 if size else 0, 0, 64))


@function("max", variadic=Parameter("numbers", NUMBER), returns=NUMBER)
def _max(call: Caller, *numbers: Value) -> Value:
    if not numbers:
        raise FunctionError("must pass at least one number")
    result = numbers[0]
    for each in numbers[1:]:
        if each.data > result.data:
            result = each
    return result


@function("min", variadic=Parameter("numbers", NUMBER), returns=NUMBER)
def _min(call: Caller, *numbers: Value) -> Value:
    if not numbers:
        raise FunctionError("must pass at least one number")
    result = numbers[0]
    for each in numbers[1:]:
        if each.data < result.data:
            result = each
    return result


@function("parseint", Parameter("number"), Parameter("base", NUMBER))
def _parseint(call: Caller, number: Value, base: Value) -> Value:
    if number.type is not STRING:
        raise FunctionError(f"first argument must be a string, not {number.type}")
    radix = whole(base)
    if not 2 <= radix <= 62:
        raise FunctionError("base must be a whole number between 2 and 62 inclusive")
    text: str = number.data
    digits = text[1:] if text[:1] in ("+", "-") else text
    size = 0
    if not digits or len(digits) > 100_000:
        raise FunctionError("cannot parse the text as an integer of that base")
    for char in digits:
        digit = _digit(char, radix)
        if digit is None:
            raise FunctionError(f"cannot parse the text as an integer of base {radix}")
        size = size * radix + digit
    return Value(NUMBER, Number(text[:1] == "-" and size != 0, size, 0, max(64, size.bit_length())))


def _digit(char: str, radix: int) -> int | None:
    if not char.isascii() or not char.isalnum():
        return None
    if char.isdigit():
        value = int(char)
    elif char.islower() or radix <= 36:
        value = ord(char.lower()) - ord("a") + 10
    else:
        value = ord(char) - ord("A") + 36
    return value if value < radix else None


@function("range", variadic=Parameter("params", NUMBER), returns=list_of(NUMBER))
def _range(call: Caller, *params: Value) -> Value:
    numbers: list[Number] = [p.data for p in params]
    if len(numbers) == 1:
        start, end = ZERO, numbers[0]
        step = Number(end < ZERO, 1, 0, 64)
    elif len(numbers) == 2:
        start, end = numbers
        step = Number(end < start, 1, 0, 64)
    elif len(numbers) == 3:
        start, end, step = numbers
    else:
        raise FunctionError("must have one, two, or three arguments")
    if step == ZERO:
        raise FunctionError("step must not be zero")
    down = step < ZERO
    if down and end > start:
        raise FunctionError("end must be less than start when step is negative")
    if not down and end < start:
        raise FunctionError("end must be greater than start when step is positive")
    values: list[Value] = []
    at = start
    while at > end if down else at < end:
        if len(values) >= MAX_RANGE:
            raise FunctionError(
                f"more than {MAX_RANGE} values were generated; either decrease the difference or use a larger step"
            )
        values.append(Value(NUMBER, at))
        at = at + step
    # Exact numbers cost more than other elements.
    call.budget.elements(len(values))
    call.budget.spend(2 * len(values))
    return Value(list_of(NUMBER), tuple(values))


@function("sum", Parameter("list", partial=True))
def _sum(call: Caller, numbers: Value) -> Value:
    if not isinstance(numbers.type, (ListType, SetType, TupleType)):
        raise FunctionError("argument must be list, set, or tuple")
    if not numbers.data:
        raise FunctionError("cannot sum an empty list")
    total: Number | None = None
    unclear = False
    for each in numbers.data:
        try:
            number = convert(each, NUMBER)
        except ConversionError:
            raise FunctionError("argument must be list, set, or tuple of number values") from None
        if number.data is None:
            raise FunctionError("argument must be list, set, or tuple of number values")
        if isinstance(number.data, Unknown):
            unclear = True
        elif total is None:
            total = number.data
        else:
            total = total + number.data
    if unclear:
        return Value(NUMBER, Unknown(unknown_reasons(numbers), not_null=True))
    return Value(NUMBER, total)
