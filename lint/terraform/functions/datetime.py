"""Functions on timestamps (RFC 3339): formatdate, timeadd, timecmp; the clock itself is never read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.numbers import Number
from lint.terraform.types import NUMBER, STRING
from lint.terraform.values import Unknown, Value, string

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))"
)
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_NANOSECONDS = 1_000_000_000
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: nanoseconds since the first day of year 1 (UTC), and the offset it is written in (seconds)."""

    nanoseconds: int
    offset: int

    def local(self) -> tuple[int, int, int, int, int, int, int]:
        """Year, month, day, hour, minute, second and weekday (0 is Monday) where it is written."""
        seconds = self.nanoseconds // _NANOSECONDS + self.offset
        days, rest = divmod(seconds, _DAY_SECONDS)
        # The calendar repeats every 400 years (146,097 days), which are whole weeks.
        eras, day_of_era = divmod(days, 146_097)
        day = date.fromordinal(day_of_era + 1)
        year = day.year + 400 * eras
        return year, day.month, day.day, rest // 3600, rest // 60 % 60, rest % 60, day.weekday()

    def zone(self, colon: str) -> str:
        """The offset as `+05:30`."""
        minutes = abs(self.offset) // 60
        return f"{'-' if self.offset < 0 else '+'}{minutes // 60:02d}{colon}{minutes % 60:02d}"

    def text(self) -> str:
        """RFC 3339 without fractions of a second."""
        year, month, day, hour, minute, second, _ = self.local()
        shown = f"{year:04d}" if year >= 0 else f"-{-year:04d}"
        zone = self.zone(":") if self.offset else "Z"
        return f"{shown}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{zone}"


def parse_moment(text: str) -> Moment:
    """The moment of an RFC 3339 timestamp. Raises FunctionError."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None or not text.isascii():
        raise FunctionError("not a valid RFC3339 timestamp")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if hour > 23 or minute > 59 or second > 59:
        raise FunctionError("not a valid RFC3339 timestamp: the time of day is out of range")
    era, year_of_era = divmod(year - 1, 400)
    try:
        days = date(year_of_era + 1, month, day).toordinal() - 1 + era * 146_097
    except ValueError:
        raise FunctionError("not a valid RFC3339 timestamp: the day is out of range") from None
    offset = 0
    if found[9]:
        hours, minutes = int(found[10]), int(found[11])
        if hours > 23 or minutes > 59:
            raise FunctionError("not a valid RFC3339 timestamp: the UTC offset is out of range")
        offset = (hours * 60 + minutes) * 60 * (-1 if found[9] == "-" else 1)
    fraction = int((found[7] or ".0")[1:10].ljust(9, "0"))
    seconds = days * _DAY_SECONDS + hour * 3600 + minute * 60 + second - offset
    return Moment(seconds * _NANOSECONDS + fraction, offset)


_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": _NANOSECONDS,
    "m": 60 * _NANOSECONDS,
    "h": 3600 * _NANOSECONDS,
}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")


def parse_duration(text: str) -> int:
    """The nanoseconds of a Go duration (`1h30m`, `-1.5s`). Raises FunctionError."""
    rest = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    if rest == "0":
        return 0
    total = 0
    at = 0
    if not rest or len(rest) > 1_000:
        raise FunctionError("invalid duration")
    while at < len(rest):
        found = _PART.match(rest, at)
        if found is None or not (found[1] or found[2]):
            raise FunctionError("invalid duration")
        unit = _UNITS[found[3]]
        total += int(found[1] or 0) * unit
        if found[2]:
            digits = found[2][:18]
            total += int(digits) * unit // 10 ** len(digits)
        at = found.end()
    if total >= 1 << 63:
        raise FunctionError("invalid duration: it is too long")
    return -total if text.startswith("-") else total


@function("timeadd", Parameter("timestamp", STRING), Parameter("duration", STRING), returns=STRING)
def _timeadd(call: Caller, timestamp: Value, duration: Value) -> Value:
    moment = parse_moment(timestamp.data)
    return string(Moment(moment.nanoseconds + parse_duration(duration.data), moment.offset).text())


@function("timecmp", Parameter("timestamp_a", STRING), Parameter("timestamp_b", STRING), returns=NUMBER)
def _timecmp(call: Caller, first: Value, second: Value) -> Value:
    one, two = parse_moment(first.data).nanoseconds, parse_moment(second.data).nanoseconds
    return Value(NUMBER, Number(one < two, int(one != two), 0, 64))


def _clock(call: Caller, name: str) -> Value:
    reason = call.reason(f"{name}() depends on when Terraform runs", f"tf.function:{name}")
    return Value(STRING, Unknown((reason,), not_null=True))


@function("timestamp", returns=STRING)
def _timestamp(call: Caller) -> Value:
    return _clock(call, "timestamp")


@function("plantimestamp", returns=STRING)
def _plantimestamp(call: Caller) -> Value:
    return _clock(call, "plantimestamp")


@function("formatdate", Parameter("format", STRING), Parameter("time", STRING), returns=STRING)
def _formatdate(call: Caller, layout: Value, time: Value) -> Value:
    moment = parse_moment(time.data)
    return string("".join(_shown(token, moment) for token in _tokens(layout.data)))


def _tokens(layout: str) -> list[str]:
    """The quoted literals, runs of one letter, and pieces between them."""
    tokens: list[str] = []
    at = 0
    while at < len(layout):
        start = at
        if layout[at] == "'":
            at += 1
            if layout[at : at + 1] == "'":
                at += 1
            else:
                while at < len(layout):
                    if layout[at] != "'":
                        at += 1
                    elif layout[at + 1 : at + 2] == "'":
                        at += 2
                    else:
                        at += 1
                        break
        elif _letter(layout[at]):
            while at < len(layout) and layout[at] == layout[start]:
                at += 1
        else:
            while at < len(layout) and layout[at] != "'" and not _letter(layout[at]):
                at += 1
        tokens.append(layout[start:at])
    return tokens


def _letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _shown(token: str, moment: Moment) -> str:
    if token[0] == "'":
        if len(token) == 1 or token[-1] != "'":
            raise FunctionError("unterminated literal '")
        return "'" if len(token) == 2 else token[1:-1].replace("''", "'")
    if not _letter(token[0]):
        return token
    year, month, day, hour, minute, second, weekday = moment.local()
    half = "PM" if hour >= 12 else "AM"
    zone = moment.zone("")
    verbs = {
        "YY": f"{year % 100:02d}",
        "YYYY": f"{year:04d}",
        "M": str(month),
        "MM": f"{month:02d}",
        "MMM": _MONTHS[month - 1][:3],
        "MMMM": _MONTHS[month - 1],
        "D": str(day),
        "DD": f"{day:02d}",
        "EEE": _DAYS[weekday][:3],
        "EEEE": _DAYS[weekday],
        "h": str(hour),
        "hh": f"{hour:02d}",
        "H": str(hour % 12 or 12),
        "HH": f"{hour % 12 or 12:02d}",
        "AA": half,
        "aa": half.lower(),
        "m": str(minute),
        "mm": f"{minute:02d}",
        "s": str(second),
        "ss": f"{second:02d}",
        "Z": moment.zone(":") if moment.offset else "Z",
        "ZZZ": "UTC" if zone == "+0000" else zone,
        "ZZZZ": zone,
        "ZZZZZ": moment.zone(":"),
    }
    found = verbs.get(token)
    if found is None:
        raise FunctionError(f'invalid date format verb "{token[:20]}"')
    return found
