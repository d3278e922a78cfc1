"""Says how a live account was read: how much was asked of whom, and which calls failed. Knows plain coverage alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lint.live.progress import many

_MOST_NUMBERS = 5  # told apart in one line
_MOST_FAILED = 20
_MOST_PLACES = 6


def is_live(coverage: Mapping[str, Any]) -> bool:
    """Whether it is the coverage of a live account, just read or kept in a snapshot."""
    return "requests" in coverage


def asked(coverage: Mapping[str, Any]) -> str:
    """`2 accounts, 3 regions, 44 requests (12 ec2.describe_subnets, 16 kinds 2 each), 1 of 43 calls failed`."""
    by_number: dict[int, list[str]] = {}
    for name, number in coverage["requests"].items():
        by_number.setdefault(number, []).append(name)
    numbers = sorted(by_number, reverse=True)
    told = []
    for number in numbers[:_MOST_NUMBERS]:
        names = by_number[number]
        told += [f"{number} {name}" for name in names] if len(names) < 3 else [f"{len(names)} kinds {number} each"]
    rest = numbers[_MOST_NUMBERS:]
    if rest:
        told.append(f"{sum(len(by_number[n]) for n in rest)} kinds {rest[-1]}-{rest[0]} each")
    requests = many(sum(coverage["requests"].values()), "request")
    text = f"{scope(coverage)}, {requests}" + (f" ({', '.join(told)})" if told else "")
    calls = coverage["calls"]
    failed = calls["made"] - calls["complete"]
    return f"{text}, {failed} of {many(calls['made'], 'call')} failed" if failed else text


def scope(coverage: Mapping[str, Any]) -> str:
    """`2 accounts, 3 regions`, or in Azure `2 subscriptions`."""
    if coverage.get("cloud") == "azure":
        return many(coverage["scopes"], "subscription")
    return f"{many(coverage['scopes'], 'account')}, {many(coverage['regions'], 'region')}"


def kinds(coverage: Mapping[str, Any]) -> str:
    """`23 requests: 2 ec2.describe_addresses, 1 ec2.describe_vpcs`: of every kind how many, repeated ones too."""
    requests: Mapping[str, int] = coverage["requests"]
    return f"{many(sum(requests.values()), 'request')}: " + ", ".join(f"{n} {name}" for name, n in requests.items())


def failed(coverage: Mapping[str, Any]) -> Iterator[str]:
    """The calls that failed, those of one error together: `ec2.describe_vpcs denied (1 eu, 1 us): Unauthorized`."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for one in coverage["failed"]:
        where = " ".join(part for part in (one["account"], one["region"]) if part)
        places.setdefault((_call(one), one["status"], one["error"]), []).append(where)
    alike: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (call, status, error), found in places.items():
        alike.setdefault((status, error, tuple(found)), []).append(call)
    for (status, error, where_all), calls in list(alike.items())[:_MOST_FAILED]:
        named = calls if len(calls) < 4 else [calls[0], f"{len(calls) - 1} other calls"]
        more = f" and {len(where_all) - _MOST_PLACES} more" if len(where_all) > _MOST_PLACES else ""
        where = ", ".join(place for place in where_all[:_MOST_PLACES] if place)
        what = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
        yield f"{what} {status}" + (f" ({where}{more})" if where else "") + (f": {error}" if error else "")
    if len(alike) > _MOST_FAILED:
        yield f"{sum(len(calls) for calls in list(alike.values())[_MOST_FAILED:])} more calls failed"


def _call(one: Mapping[str, Any]) -> str:
    about = ", ".join(str(value) for value in one["parameters"].values())
    return f"{one['call']} of {about}" if about else str(one["call"])


def messages(coverage: Mapping[str, Any]) -> frozenset[str]:
    """What the run's messages say of the failed calls, for a report that lists these with their source."""
    found = set()
    for one in coverage.get("failed", ()):
        where = ", ".join(part for part in (one["account"], one["region"]) if part)
        found.add(f"{where}: {_call(one)} {one['status']}: {one['error']}")
    return frozenset(found)
