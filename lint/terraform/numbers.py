"""Terraform's numbers: binary floating point with a mantissa of 512 bits. Knows no types and no values.

Terraform computes with Go's `math/big.Float`: integers up to 2**512 are exact, everything else is rounded to the
nearest mantissa (ties to even), and text is the shortest decimal that reads back as the same number. There is a
negative zero and there are infinities, but no NaN.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from functools import total_ordering

BITS = 512
"""Mantissa of a number read from text. Results of counting have 64 bits, results of float64 arithmetic 53."""

MAX_EXPONENT = 1 << 17
"""Beyond 2**131072 (or below its inverse) netpact doesn't compute: the exact digits would fill memory."""


class NumberRangeError(ArithmeticError):
    """A number so large or so small that its digits would not fit a budget."""


@total_ordering
class Number:
    """One number: ±mantissa · 2**exponent, or ±infinity. Immutable; equal by value, whatever its precision.

    The mantissa is odd, or 0 with exponent 0, so that equal numbers have equal parts.
    """

    __slots__ = ("bits", "exponent", "infinite", "mantissa", "negative")

    negative: bool
    mantissa: int
    exponent: int
    infinite: bool
    bits: int

    def __init__(
        self, negative: bool, mantissa: int, exponent: int = 0, bits: int = BITS, infinite: bool = False
    ) -> None:
        if mantissa == 0:
            exponent = 0
        else:
            surplus = mantissa.bit_length() - bits
            if surplus > 0:
                mantissa, exponent = _round_even(mantissa, surplus), exponent + surplus
            if not mantissa & 1:
                zeros = (mantissa & -mantissa).bit_length() - 1
                mantissa >>= zeros
                exponent += zeros
            if exponent > MAX_EXPONENT or exponent < -MAX_EXPONENT:
                raise NumberRangeError("a number beyond 2**131072 is not computed")
        self.negative = negative
        self.mantissa = mantissa
        self.exponent = exponent
        self.infinite = infinite
        self.bits = bits

    @staticmethod
    def of(value: int | float | Decimal | Fraction, bits: int = BITS) -> Number:
        """The number nearest to a Python number. Raises ValueError for NaN."""
        if isinstance(value, int):
            return Number(value < 0, abs(value), 0, bits)
        if isinstance(value, Decimal):
            return Number.parse(str(value)) if value.is_finite() else infinity(value < 0)
        if isinstance(value, float):
            if math.isnan(value):
                raise ValueError("not a number")
            if math.isinf(value):
                return infinity(value < 0)
            top, bottom = value.as_integer_ratio()
            return Number(math.copysign(1.0, value) < 0, abs(top), 1 - bottom.bit_length(), 53)
        return _quotient(value < 0, abs(value.numerator), value.denominator, bits)

    @staticmethod
    def parse(text: str) -> Number:
        """The number that decimal text stands for. Raises ValueError where it isn't one.

        Accepted is what Terraform accepts for `tonumber`: digits, a point, an exponent (of ten, or of two behind `p`),
        a sign, `inf`; no spaces.
        """
        found = _DECIMAL.fullmatch(text)
        if found is None:
            if text.lstrip("+-")[:3] in ("inf", "Inf") and _INFINITY.fullmatch(text):
                return infinity(text[0] == "-")
            raise ValueError(f"{text[:40]!r} is not a number")
        sign, whole, fraction, mark, power = found.groups()
        fraction = fraction or ""
        digits = (whole or "") + fraction
        if len(digits) > 100_000 or len(power or "") > 12:
            raise NumberRangeError("a number with so many digits is not computed")
        binary = mark is not None and mark in "pP"
        shift = int(power) if binary else 0
        exponent = (0 if binary else int(power or 0)) - len(fraction)
        mantissa = _to_int(digits)
        if mantissa == 0:
            return Number(sign == "-", 0)
        if abs(exponent) * 4 > MAX_EXPONENT * 1.2:
            raise NumberRangeError("a number with so large an exponent is not computed")
        if exponent >= 0:
            return Number(sign == "-", mantissa * 5**exponent, exponent + shift)
        found_number = _quotient(sign == "-", mantissa, 10**-exponent, BITS)
        if shift:
            return Number(sign == "-", found_number.mantissa, found_number.exponent + shift)
        return found_number

    @property
    def integral(self) -> bool:
        """Whether it is a whole number."""
        return self.exponent >= 0 and not self.infinite

    def __int__(self) -> int:
        """The whole number towards zero. Raises OverflowError for an infinity."""
        if self.infinite:
            raise OverflowError("infinity is not a whole number")
        size = self.mantissa << self.exponent if self.exponent >= 0 else self.mantissa >> -self.exponent
        return -size if self.negative else size

    def __float__(self) -> float:
        """The nearest float64; an infinity where it is beyond its range."""
        if self.infinite:
            return -math.inf if self.negative else math.inf
        try:
            size = float(self.fraction())
        except OverflowError:
            size = -math.inf if self.negative else math.inf
        return -0.0 if size == 0 and self.negative else size

    def fraction(self) -> Fraction:
        """The exact value. Raises OverflowError for an infinity."""
        if self.infinite:
            raise OverflowError("infinity is not a fraction")
        signed = -self.mantissa if self.negative else self.mantissa
        if self.exponent >= 0:
            return Fraction(signed << self.exponent)
        return Fraction(signed, 1 << -self.exponent)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Number):
            return NotImplemented
        return (
            self.mantissa == other.mantissa
            and self.exponent == other.exponent
            and self.infinite == other.infinite
            and (self.negative == other.negative or (self.mantissa == 0 and not self.infinite))
        )

    def __hash__(self) -> int:
        return hash((self.negative and (self.mantissa != 0 or self.infinite), self.mantissa, self.exponent))

    def __lt__(self, other: Number) -> bool:
        if self.infinite or other.infinite:
            return self._rank() < other._rank()
        low = min(self.exponent, other.exponent)
        left = self.mantissa << (self.exponent - low)
        right = other.mantissa << (other.exponent - low)
        return (-left if self.negative else left) < (-right if other.negative else right)

    def _rank(self) -> int:
        return 0 if not self.infinite else -1 if self.negative else 1

    def __neg__(self) -> Number:
        return Number(not self.negative, self.mantissa, self.exponent, self.bits, self.infinite)

    def __abs__(self) -> Number:
        return Number(False, self.mantissa, self.exponent, self.bits, self.infinite)

    def __add__(self, other: Number) -> Number:
        if self.infinite or other.infinite:
            if self.infinite and other.infinite and self.negative != other.negative:
                raise ValueError("infinity minus infinity has no value")
            return self if self.infinite else other
        bits = max(self.bits, other.bits)
        low = min(self.exponent, other.exponent)
        left = self.mantissa << (self.exponent - low)
        right = other.mantissa << (other.exponent - low)
        total = (-left if self.negative else left) + (-right if other.negative else right)
        if total == 0:
            return Number(self.negative and other.negative and not self.mantissa and not other.mantissa, 0, 0, bits)
        return Number(total < 0, abs(total), low, bits)

    def __sub__(self, other: Number) -> Number:
        return self + -other

    def __mul__(self, other: Number) -> Number:
        negative = self.negative != other.negative
        if self.infinite or other.infinite:
            if not (self.mantissa or self.infinite) or not (other.mantissa or other.infinite):
                raise ValueError("zero times infinity has no value")
            return infinity(negative)
        bits = max(self.bits, other.bits)
        return Number(negative, self.mantissa * other.mantissa, self.exponent + other.exponent, bits)

    def __truediv__(self, other: Number) -> Number:
        """The quotient, an infinity for a divisor of 0; raises ValueError for 0 / 0 and infinity / infinity."""
        negative = self.negative != other.negative
        if not other.mantissa and not other.infinite:
            if not self.mantissa and not self.infinite:
                raise ValueError("zero divided by zero has no value")
            return infinity(negative)
        if self.infinite:
            if other.infinite:
                raise ValueError("infinity divided by infinity has no value")
            return infinity(negative)
        bits = max(self.bits, other.bits)
        if other.infinite:
            return Number(negative, 0, 0, bits)
        shifted = _quotient(negative, self.mantissa, other.mantissa, bits)
        return Number(negative, shifted.mantissa, shifted.exponent + self.exponent - other.exponent, bits)

    def text(self) -> str:
        """Shortest decimal text that reads back as this number, without an exponent: `0.1`, `-0`, `1000`."""
        if self.infinite:
            return "-Inf" if self.negative else "+Inf"
        sign = "-" if self.negative else ""
        if self.exponent >= 0 and self.mantissa.bit_length() + self.exponent <= 512 and self.bits == BITS:
            return f"{sign}{self.mantissa << self.exponent}"
        digits, point = self.digits()
        if not digits:
            return f"{sign}0"
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        if point >= len(digits):
            return f"{sign}{digits}{'0' * (point - len(digits))}"
        return f"{sign}{digits[:point]}.{digits[point:]}"

    def digits(self) -> tuple[str, int]:
        """Shortest digits d1d2… and the place p of the point with value 0.d1d2… · 10**p; no trailing zeros."""
        if not self.mantissa:
            return "", 0
        # Half a unit in the last place on either side still rounds to this number; the bounds themselves only if the
        # mantissa (as wide as the precision) is even.
        shift = self.bits - self.mantissa.bit_length()
        wide = self.mantissa << (shift + 1)
        exponent = self.exponent - shift - 1
        inclusive = not wide & 2
        exact, exact_point = _decimal(wide, exponent)
        low, low_point = _decimal(wide - 1, exponent)
        high, high_point = _decimal(wide + 1, exponent)
        width = max(exact_point, low_point, high_point)
        exact = "0" * (width - exact_point) + exact
        low = ("0" * (width - low_point) + low).rstrip("0")
        high = ("0" * (width - high_point) + high).rstrip("0")
        for i, digit in enumerate(exact):
            low_digit = low[i] if i < len(low) else "0"
            high_digit = high[i] if i < len(high) else "0"
            down = low_digit != digit or (inclusive and i + 1 == len(low))
            up = digit != high_digit and (inclusive or int(digit) + 1 < int(high_digit) or i + 1 < len(high))
            if down and up:
                return _trim(*_round_digits(exact, i + 1, nearest=True), width)
            if down:
                return _trim(exact[: i + 1], 0, width)
            if up:
                return _trim(*_round_digits(exact, i + 1, nearest=False), width)
        return _trim(exact, 0, width)

    def rounded_digits(self, count: int) -> tuple[str, int]:
        """The digits to `count` significant places (ties to even on the exact value); as `digits`."""
        if not self.mantissa:
            return "", 0
        exact, point = _decimal(self.mantissa, self.exponent)
        if len(exact) <= count:
            return exact, point
        if count < 0:
            return "", 0
        return _trim(*_round_digits(exact, count, nearest=True), point)

    def exact_digits(self) -> tuple[str, int]:
        """All digits of the exact value; as `digits`."""
        return _decimal(self.mantissa, self.exponent) if self.mantissa else ("", 0)

    def exact_text(self) -> str:
        """All digits of a whole number."""
        return _to_digits(self.mantissa << self.exponent if self.exponent >= 0 else self.mantissa >> -self.exponent)

    def decimal(self) -> Decimal:
        """As a Decimal of the shortest text."""
        if self.infinite:
            return Decimal("-Infinity" if self.negative else "Infinity")
        return Decimal(self.text())

    def __repr__(self) -> str:
        return f"Number({self.text()})"


ZERO = Number(False, 0)


def infinity(negative: bool) -> Number:
    """Positive or negative infinity."""
    return Number(negative, 0, 0, BITS, True)


_DECIMAL = re.compile(r"([+-]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:([eEpP])([+-]?[0-9]+))?")
_INFINITY = re.compile(r"[+-]?[iI]nf")


def _to_int(digits: str) -> int:
    """int() without Python's limit on the number of digits."""
    if len(digits) <= 4000:
        return int(digits)
    half = len(digits) // 2
    shift: int = 10**half
    return _to_int(digits[:-half]) * shift + _to_int(digits[-half:])


def _to_digits(value: int) -> str:
    """str() of a natural number without Python's limit on the number of digits."""
    if value.bit_length() < 13_000:
        return str(value)
    half = int(value.bit_length() * 0.15)
    top, bottom = divmod(value, 10**half)
    return _to_digits(top) + _to_digits(bottom).rjust(half, "0")


def _round_even(mantissa: int, surplus: int) -> int:
    kept = mantissa >> surplus
    rest = mantissa & ((1 << surplus) - 1)
    half = 1 << (surplus - 1)
    if rest > half or (rest == half and kept & 1):
        kept += 1
    return kept


def _quotient(negative: bool, top: int, bottom: int, bits: int) -> Number:
    if top == 0:
        return Number(negative, 0, 0, bits)
    shift = max(0, bits + 2 - top.bit_length() + bottom.bit_length())
    quotient, rest = divmod(top << shift, bottom)
    # A sticky bit below the last place keeps the rounding exact.
    return Number(negative, (quotient << 1) | bool(rest), -shift - 1, bits)


def _decimal(mantissa: int, exponent: int) -> tuple[str, int]:
    """Exact digits without trailing zeros, and the place of the point, of mantissa · 2**exponent."""
    if exponent >= 0:
        text = _to_digits(mantissa << exponent)
        return text.rstrip("0"), len(text)
    text = _to_digits(mantissa * 5**-exponent)
    return text.rstrip("0"), len(text) + exponent


def _round_digits(digits: str, count: int, nearest: bool) -> tuple[str, int]:
    """The first `count` digits rounded (to nearest, ties to even; or up), and 1 where a digit was carried in front."""
    kept = digits[:count]
    if count >= len(digits):
        return kept, 0
    up = True
    if nearest:
        rest = digits[count:]
        if rest[0] == "5" and not rest[1:].strip("0"):
            up = count > 0 and int(digits[count - 1]) % 2 == 1
        else:
            up = rest[0] >= "5"
    if not up:
        return kept, 0
    raised = _to_digits(_to_int(kept or "0") + 1).rjust(len(kept), "0")
    return raised, len(raised) - len(kept)


def _trim(digits: str, carried: int, point: int) -> tuple[str, int]:
    point += carried
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    stripped = stripped.rstrip("0")
    return (stripped, point) if stripped else ("", 0)
