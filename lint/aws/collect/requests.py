"""One request to AWS by botocore: its answer as plain JSON, or a Fault that says what kind of failure it was.

Sources: EC2 API reference, "Error codes"; common errors of the query protocol; botocore's exceptions.
"""

from __future__ import annotations

import base64
import datetime
import threading
from collections.abc import Mapping
from typing import Any

from lint.aws.collect.calls import Operation
from lint.live.calls import CUT, DENIED, ERROR, THROTTLED, UNAVAILABLE, Fault, LiveError, Page, Turn

DENIALS = frozenset(
    {
        "UnauthorizedOperation",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "NotAuthorized",
        "UnauthorizedException",
    }
)
# In one region only: it isn't enabled for the account, or the service isn't subscribed to.
REGION_CLOSED = frozenset(
    {
        "OptInRequired",
        "AuthFailure",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "SubscriptionRequiredException",
    }
)
THROTTLES = frozenset(
    {
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "SlowDown",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_STALE_TOKENS = frozenset(
    {"InvalidNextToken", "InvalidPaginationToken", "InvalidNextTokenException", "ExpiredNextTokenException"}
)
_VAGUE = frozenset({"InvalidParameterValue", "InvalidParameter", "ValidationError", "InvalidMarker"})
FEW = 3  # attempts where the service seems to be broken rather than busy
_answered = threading.local()


def watch(client: Any) -> None:
    """Remember the HTTP status of every answer of a client, also of those that botocore can't parse."""
    client.meta.events.register("before-parse", _remember)


def _remember(response_dict: Mapping[str, Any], **_: Any) -> None:
    _answered.status = response_dict.get("status_code")


def turn(client: Any, operation: Operation, parent: str | None = None) -> Turn:
    """A function that makes one request of an operation, page by page.

    It raises Fault; LiveError where no call can work.
    """

    def one(token: str | None) -> Page:
        return answered(client, operation, _arguments(client, operation, parent, token), token)

    return one


def answered(client: Any, operation: Operation, arguments: Mapping[str, Any], token: str | None = None) -> Page:
    """Make one request and give its answer as a page. Raises Fault; LiveError where no call can work."""
    _answered.status = None
    try:
        answer = getattr(client, operation.method)(**arguments)
    except Exception as error:
        raise _fault(error, operation, token) from error
    following = answer.get(operation.token_out) if operation.size else None
    body = {k: v for k, v in answer.items() if k not in ("ResponseMetadata", operation.token_out)}
    return Page(plain(body), str(following) if following else None)


def _arguments(client: Any, operation: Operation, parent: str | None, token: str | None) -> dict[str, Any]:
    try:
        name = client.meta.method_to_api_mapping[operation.method]
        shape = client.meta.service_model.operation_model(name).input_shape
    except KeyError as error:
        raise Fault(UNAVAILABLE, f"the installed botocore doesn't know {operation.name}; update boto3") from error
    known = shape.members if shape is not None else {}
    arguments: dict[str, Any] = dict(operation.fixed)
    if operation.parent and parent is not None:
        arguments[operation.parent] = parent
    if operation.size and operation.size_name in known:
        arguments[operation.size_name] = operation.size
    if token is not None:
        arguments[operation.token_in] = token
    return arguments


def _fault(error: Exception, operation: Operation, token: str | None) -> Exception:
    """What an exception of botocore means for the call. Exceptions of other kinds stay what they are."""
    from botocore import exceptions as b
    from botocore.parsers import ResponseParserError

    if isinstance(error, b.ClientError):
        return _refused(error, token)
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, (b.NoCredentialsError, b.PartialCredentialsError, b.CredentialRetrievalError, b.SSOError)):
        return LiveError(
            f"no usable AWS credentials: {error}; sign in (`aws sso login`, AWS_PROFILE, --aws-profile) and try again"
        )
    if isinstance(error, b.NoRegionError):
        return LiveError("no AWS region is set; name regions (aws:eu-west-1) or set AWS_DEFAULT_REGION")
    if isinstance(error, ResponseParserError):
        status = getattr(_answered, "status", None)
        if status in (404, 501):
            return Fault(UNAVAILABLE, f"{operation.name} isn't offered here (HTTP {status})")
        if isinstance(status, int) and status >= 500:
            return Fault(UNAVAILABLE, f"the service answered HTTP {status} without a message", again=True, attempts=FEW)
        return Fault(CUT, "the answer ended early or isn't what the service should send", again=True)
    if isinstance(error, (b.EndpointConnectionError, b.ConnectTimeoutError, b.ProxyConnectionError)):
        return Fault(UNAVAILABLE, text, again=True, attempts=FEW)
    if isinstance(error, b.SSLError):
        return Fault(UNAVAILABLE, text)
    if isinstance(error, b.ReadTimeoutError):
        return Fault(CUT, text, again=True, attempts=FEW)
    if isinstance(error, (b.HTTPClientError, b.ConnectionClosedError, b.IncompleteReadError, b.ResponseStreamingError)):
        return Fault(CUT, text, again=True)
    if isinstance(error, b.BotoCoreError):
        return Fault(ERROR, text)
    return error


def _refused(error: Any, token: str | None) -> Exception:
    said = error.response.get("Error", {})
    code, message = str(said.get("Code", "")), str(said.get("Message", ""))
    metadata = error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode")
    text = f"{code}: {message}" if message else code
    after = _seconds(metadata.get("HTTPHeaders", {}).get("retry-after"))
    if code in EXPIRED:
        return LiveError(f"the AWS credentials have expired ({text}); sign in again (`aws sso login`, AWS_PROFILE)")
    if code in DENIALS:
        return Fault(DENIED, text)
    if code in THROTTLES or status == 429:
        return Fault(THROTTLED, text, again=True, after=after)
    if token is not None and (code in _STALE_TOKENS or (code in _VAGUE and "token" in message.lower())):
        return Fault(ERROR, text, restart=True)
    if code in REGION_CLOSED or status in (404, 501):
        return Fault(UNAVAILABLE, text)
    if isinstance(status, int) and status >= 500:
        kind = THROTTLED if after is not None and status == 503 else ERROR
        return Fault(kind, text, again=True, after=after, attempts=None if kind == THROTTLED else FEW)
    return Fault(DENIED if status == 403 else ERROR, text)


def _seconds(written: object) -> float | None:
    """Retry-After in seconds, as a number or as a date (RFC 9110, section 10.2.3)."""
    if not isinstance(written, str):
        return None
    try:
        return max(float(written), 0.0)
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(written)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max((moment - datetime.datetime.now(datetime.UTC)).total_seconds(), 0.0)


def plain(value: Any) -> Any:
    """An answer as JSON can say it: times as `aws` prints them, bytes in base64."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return value
