"""One request to ARM or Resource Graph: its answer as plain JSON, or a Fault that says what kind of failure it was.

Sources: "Understand how Azure Resource Manager throttles requests"; "Guidance for throttled requests in Azure Resource
Graph"; the Azure REST guidelines on errors and `nextLink`; azure-core's exceptions.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lint.azure.collect.access import Connection, unusable
from lint.azure.collect.calls import Operation
from lint.azure.collect.trim import trimmed
from lint.live.calls import CUT, DENIED, ERROR, THROTTLED, UNAVAILABLE, Fault, LiveError, Page, Turn
from lint.live.options import LiveOptions

_VERSIONS = frozenset({"InvalidApiVersionParameter", "NoRegisteredProviderFound", "UnsupportedApiVersion"})
# The subscription as a whole doesn't answer this identity.
GONE = frozenset(
    {"SubscriptionNotFound", "InvalidSubscriptionId", "DisallowedOperation", "InvalidAuthenticationTokenTenant"}
)
_UNDER_WAY = (202, 204)
FEW = 3  # attempts where the service seems to be broken rather than busy
_DATED = re.compile(r"(?<![\w-])(\d{4}-\d{2}-\d{2})(?![\w-])")
_PLAIN = "/-._~()!$&'*+,;=:@"
_TOKENS = ("nextLink", "$skipToken", "skipToken")


def turn(
    connection: Connection, operation: Operation, path: str, options: LiveOptions, body: Mapping[str, Any] | None = None
) -> Turn:
    """A function that makes one request of an operation, page by page.

    It raises Fault; LiveError where no call can work. A Retry-After of more than ten times `options.longest_wait` ends
    the call.
    """
    budget = 10 * options.longest_wait

    def one(token: str | None) -> Page:
        version = connection.version(operation)
        url = f"{connection.host}{quote(path, safe=_PLAIN)}?api-version={version}{operation.query}"
        method = operation.method
        sent: dict[str, Any] | None = dict(body or {}) if method == "POST" else None
        if token is not None:
            if operation.long:
                method, sent = "GET", None
            if sent is None:
                url = token
                if not connection.own(url):
                    raise Fault(ERROR, f"the next page lies on another host and was not asked for: {url[:200]}")
            elif "options" in sent:
                sent["options"] = {**sent["options"], "$skipToken": token}
            else:
                sent["skipToken"] = token
        status, headers, answer = _sent(connection, method, url, sent)
        if operation.long and status in _UNDER_WAY:
            return _under_way(connection, status, headers, token)
        if status != 200:
            found = _refused(connection, operation, version, status, headers, answer, token, budget)
            if isinstance(found, Page):
                return found
            raise found
        return _page(operation, answer)

    return one


def _under_way(connection: Connection, status: int, headers: Mapping[str, str], token: str | None) -> Page:
    """A long-running call that isn't done: where to ask for its result. Raises Fault while it is worked on.

    Source: ARM resource provider contract, "Asynchronous operations": 202, `Location`, `Retry-After`.
    """
    if status == 204:
        return Page({"value": []})
    if token is not None:
        raise Fault(CUT, "its result didn't come in time", after=_seconds(headers), pending=True)
    place = next((str(value) for key, value in headers.items() if str(key).lower() == "location"), "")
    if not place:
        raise Fault(ERROR, "it is worked on, and the answer doesn't say where its result will be")
    if not connection.own(place):
        raise Fault(ERROR, f"its result lies on another host and was not asked for: {place[:200]}")
    return Page({"value": []}, place)


def _sent(connection: Connection, method: str, url: str, body: Any) -> tuple[int, Mapping[str, str], Any]:
    """Status, headers and JSON of an answer. Raises Fault where none came, LiveError where nobody is signed in."""
    from azure.core import exceptions as e

    try:
        response = connection.send(method, url, body)
        status, headers = int(response.status_code), response.headers
        try:
            return status, headers, response.json()
        except (ValueError, RecursionError) as error:
            if status == 200:
                raise Fault(CUT, "the answer ended early or isn't JSON", again=True) from error
            return status, headers, {}
    except e.ClientAuthenticationError as error:
        raise unusable(error) from error
    except e.ServiceRequestError as error:
        raise Fault(UNAVAILABLE, _line(error), again=True, attempts=FEW) from error
    except e.ServiceResponseTimeoutError as error:
        raise Fault(CUT, _line(error), again=True, attempts=FEW) from error
    except (e.ServiceResponseError, e.DecodeError) as error:
        raise Fault(CUT, _line(error), again=True) from error
    except e.AzureError as error:
        raise Fault(ERROR, _line(error)) from error


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    # Addresses of objects differ from run to run.
    return f"{type(error).__name__}: {re.sub(r' at 0x[0-9a-f]+', '', text)}"[:400]


def _page(operation: Operation, answer: Any) -> Page:
    if operation.single:
        if not isinstance(answer, dict):
            raise Fault(ERROR, "the answer is no resource")
        return Page(trimmed(answer, operation.kind))
    rows = answer.get("value", answer.get("data", answer.get("values"))) if isinstance(answer, dict) else None
    if rows is None or not isinstance(rows, (list, dict)):
        raise Fault(ERROR, "the answer holds no list")
    following = next((answer[key] for key in _TOKENS if answer.get(key)), None)
    if following is None and str(answer.get("resultTruncated", "")).lower() == "true":
        raise Fault(ERROR, "the result was truncated, and nothing leads to the rest")
    if following is not None and not isinstance(following, str):
        raise Fault(ERROR, "the link to the next page is no text")
    kept = {key: value for key, value in answer.items() if key not in _TOKENS}
    if isinstance(kept.get("data"), dict):
        kept["data"] = _table(kept["data"])
    for key in ("value", "data"):
        if isinstance(kept.get(key), list):
            kept[key] = [trimmed(row, operation.kind) for row in kept[key]]
    return Page(kept, following)


def _table(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Resource Graph's other form of an answer, columns and rows, as objects."""
    columns, rows = data.get("columns"), data.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise Fault(ERROR, "the answer holds no list")
    names = [str(one.get("name")) if isinstance(one, dict) else str(one) for one in columns]
    return [dict(zip(names, row, strict=False)) for row in rows if isinstance(row, list)]


def _refused(
    connection: Connection,
    operation: Operation,
    version: str,
    status: int,
    headers: Mapping[str, str],
    answer: Any,
    token: str | None,
    budget: float,
) -> Fault | Page:
    """What an answer without success means for the call."""
    code, message = _error(answer)
    text = ": ".join(part for part in (code or f"HTTP {status}", message) if part)[:400]
    after = _seconds(headers)
    if status == 429 or (status == 503 and after is not None):
        if after is not None and after > budget:
            return Fault(
                THROTTLED, f"{text} (asked to wait {after:.0f} s, more than the {budget:.0f} s that netpact waits)"
            )
        return Fault(THROTTLED, text, again=True, after=after)
    if code in _VERSIONS or (status in (400, 404) and "api version" in message.lower()):
        return _other_version(connection, operation, version, text, message)
    if status == 401 and code not in GONE:
        raise LiveError(f"Azure doesn't accept the access token ({text}); sign in again, then repeat with --resume")
    if status in (401, 403):
        return Fault(DENIED, text)
    if operation.long and token is not None and status in (404, 410):
        return Fault(ERROR, f"its result is gone ({text})", restart=True)
    if operation.long and status in (400, 404, 409) and _nothing_in_force(code, message):
        return Page({"value": []})
    if token is not None and status in (400, 410) and "token" in f"{code} {message}".lower():
        return Fault(ERROR, text, restart=True)
    if status in (404, 405, 501):
        return Fault(UNAVAILABLE, text)
    if status >= 500 or status in (408, 409):
        return Fault(ERROR, text, again=True, after=after if after is None or after <= budget else None, attempts=FEW)
    return Fault(ERROR, text)


def _nothing_in_force(code: str, message: str) -> bool:
    """Whether Azure says that there is nothing to tell of an interface: its machine doesn't run, or no group guards it.

    Source: "Diagnose a virtual machine network traffic filter problem".
    """
    said = f"{code} {message}".lower().replace(" ", "")
    stopped = "running" in said and ("vm" in said or "virtualmachine" in said)
    return stopped or ("networksecuritygroup" in said and ("notassociated" in said or "nonetworksecurity" in said))


def _error(answer: Any) -> tuple[str, str]:
    said = answer.get("error", answer) if isinstance(answer, dict) else {}
    if not isinstance(said, dict):
        return "", ""
    code, message = said.get("code"), said.get("message")
    return code if isinstance(code, str) else "", " ".join(message.split()) if isinstance(message, str) else ""


def _other_version(connection: Connection, operation: Operation, version: str, text: str, message: str) -> Fault | Page:
    """This cloud trails behind: it is asked with the newest API version that it names, unless that hides something."""
    offered = sorted(one for one in _DATED.findall(message) if one < version)
    newest = offered[-1] if offered else None
    if newest is None:
        return Fault(UNAVAILABLE, text)
    if newest < operation.oldest:
        if operation.feature:
            return Page({"value": []})  # what doesn't exist in this cloud yet can't be in use
        return Fault(
            UNAVAILABLE, f"this cloud offers {newest}, and answers before {operation.oldest} lack what decides"
        )
    connection.settle(operation, newest)
    return Fault(ERROR, text, again=True, after=0.0)


def _seconds(headers: Mapping[str, str]) -> float | None:
    """How long to wait: Retry-After as a number or a date (RFC 9110, section 10.2.3), or until the quota resets."""
    lowered = {str(key).lower(): str(value).strip() for key, value in headers.items()}
    for name, unit in (("retry-after-ms", 1000.0), ("x-ms-retry-after-ms", 1000.0), ("retry-after", 1.0)):
        written = lowered.get(name)
        if written is None:
            continue
        try:
            return max(float(written) / unit, 0.0)
        except ValueError:
            pass
        from email.utils import parsedate_to_datetime

        try:
            moment = parsedate_to_datetime(written)
        except ValueError:
            continue
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return max((moment - datetime.datetime.now(datetime.UTC)).total_seconds(), 0.0)
    resets = re.fullmatch(r"(\d+):(\d\d):(\d\d)", lowered.get("x-ms-user-quota-resets-after", ""))
    if resets:
        hours, minutes, seconds = (int(part) for part in resets.groups())
        return hours * 3600.0 + minutes * 60 + seconds
    return None
