"""An AWS on loopback: moto's server with what moto leaves out, pages of any size, and failures on demand.

moto ignores MaxResults for most calls and doesn't know VPC Block Public Access; both are put right here.
"""

from __future__ import annotations

import re
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
_OWN = {
    "DescribeVpcBlockPublicAccessOptions": (
        f'<DescribeVpcBlockPublicAccessOptionsResponse xmlns="{EC2}"><vpcBlockPublicAccessOptions>'
        "<internetGatewayBlockMode>off</internetGatewayBlockMode></vpcBlockPublicAccessOptions>"
        "</DescribeVpcBlockPublicAccessOptionsResponse>"
    ),
    "DescribeVpcBlockPublicAccessExclusions": (
        f'<DescribeVpcBlockPublicAccessExclusionsResponse xmlns="{EC2}"><vpcBlockPublicAccessExclusionSet/>'
        "</DescribeVpcBlockPublicAccessExclusionsResponse>"
    ),
    "DescribeStaleSecurityGroups": (
        f'<DescribeStaleSecurityGroupsResponse xmlns="{EC2}"><staleSecurityGroupSet/>'
        "</DescribeStaleSecurityGroupsResponse>"
    ),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server saw it."""

    service: str
    region: str
    action: str
    key: str  # access key
    token: str | None
    parameters: tuple[tuple[str, str], ...]
    time: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in the place of the real one; `cut`: the connection breaks in the middle of the real one."""

    status: str = "200 OK"
    code: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    cut: bool = False


DENIED = Refusal("403 Forbidden", "UnauthorizedOperation")
THROTTLED = Refusal("503 Service Unavailable", "RequestLimitExceeded", (("Retry-After", "0"),))
UNAVAILABLE = Refusal("501 Not Implemented", "NotImplemented")
ERROR = Refusal("400 Bad Request", "OperationNotPermitted")
BROKEN = Refusal("500 Internal Server Error", "InternalError")
CUT = Refusal(cut=True)
Judge = Callable[[Request], "Refusal | None"]


@dataclass
class Aws:
    """The server. `judge` may refuse a request; `page_size` bounds the pages of EC2 (None: as moto gives them)."""

    judge: Judge | None = None
    page_size: int | None = None
    requests: list[Request] = field(default_factory=list)
    gate: Callable[[Request], None] | None = None
    slowest: float = 0.0  # seconds that moto took for one answer
    _alone: threading.Lock = field(default_factory=threading.Lock)  # moto fails where its world changes while it looks
    _answers: dict[tuple[Any, ...], _Whole] = field(default_factory=dict)

    def start(self) -> None:
        """Listen on a free port of loopback."""
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()

    @property
    def url(self) -> str:
        """For AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def calm(self) -> None:
        """No faults, no pages, nothing remembered."""
        self.judge, self.page_size, self.gate = None, None, None
        self.requests.clear()
        self._answers.clear()

    def actions(self) -> list[str]:
        """Every operation asked for, as `ec2.DescribeVpcs`."""
        return [f"{r.service}.{r.action}" for r in self.requests]

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        request, form = _read(environ, body)
        self.requests.append(request)
        if self.gate is not None:
            self.gate(request)
        refusal = self.judge(request) if self.judge is not None else None
        if refusal is not None and not refusal.cut:
            return _refuse(request, refusal, start)
        page = self.page_size if request.service == "ec2" and "MaxResults" in form else None
        if page is not None:
            kept = {k: v for k, v in form.items() if k not in ("MaxResults", "NextToken")}
            body = urlencode(kept).encode()
        if request.action == "SearchTransitGatewayRoutes":  # moto fails where MaxResults is given
            body = urlencode({k: v for k, v in form.items() if k != "MaxResults"}).encode()
        whole = self._answers.get(_identity(request)) if page is not None and request.token else None
        if whole is not None:
            status, headers, given = "200 OK", [("Content-Type", "text/xml")], b""
        elif request.action in _OWN:
            given = _OWN[request.action].encode()
            status, headers = "200 OK", [("Content-Type", "text/xml")]
        else:
            status, headers, given = self._ask_moto(environ, body)
        if page is not None and status.startswith("200"):
            size = min(page, int(form["MaxResults"]))
            given = (whole or self._whole(request, given)).page(int(form.get("NextToken") or 0), size)
        headers = [(k, v) for k, v in headers if k.lower() not in ("content-length", "transfer-encoding")]
        start(status, [*headers, ("Content-Length", str(len(given)))])
        return [given[: len(given) // 2]] if refusal is not None else [given]

    def _whole(self, request: Request, given: bytes) -> _Whole:
        """moto's whole answer, kept for the pages behind the first one."""
        found = self._answers[_identity(request)] = _Whole(given)
        return found

    def _ask_moto(self, environ: dict[str, Any], body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
        import io

        caught: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            caught[:] = [status, headers]

        inner = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        inner["wsgi.input_terminated"] = True
        with self._alone:
            begun = time.perf_counter()
            given = b"".join(self._moto(inner, start))
            self.slowest = max(self.slowest, time.perf_counter() - begun)
        return caught[0], caught[1], given


class _Silent(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """Nothing."""


def _read(environ: dict[str, Any], body: bytes) -> tuple[Request, dict[str, str]]:
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    key, region, service = scope.groups() if scope else ("", "", "")
    form = dict(parse_qsl(body.decode("utf-8", "replace"))) if b"=" in body else {}
    action = form.get("Action") or environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] or environ["PATH_INFO"]
    if service == "elasticloadbalancing":
        service = "elbv2" if form.get("Version", "").startswith("2015") else "elb"
    token = form.get("NextToken") or form.get("Marker")
    parameters = tuple(sorted((k, v) for k, v in form.items() if k not in ("Action", "Version", "NextToken", "Marker")))
    return Request(service, region, action, key, token, parameters, time.monotonic()), form


def _refuse(request: Request, refusal: Refusal, start: Callable[..., Any]) -> Iterable[bytes]:
    code = refusal.code
    if code == "UnauthorizedOperation" and request.service != "ec2":
        code = "AccessDenied"
    if request.service == "ec2":
        text = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>refused</Message></Error></Errors>"
            "<RequestID>x</RequestID></Response>"
        )
    else:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>refused</Message></Error>"
            "<RequestId>x</RequestId></ErrorResponse>"
        )
    if request.service == "organizations":
        text = f'{{"__type": "{code}", "message": "refused"}}'
    start(refusal.status, [("Content-Type", "text/xml"), ("Content-Length", str(len(text))), *refusal.headers])
    return [text.encode()]


class _Whole:
    """An EC2 answer with all of its first list, to be given in pages."""

    def __init__(self, given: bytes) -> None:
        self._space = given.partition(b'xmlns="')[2].partition(b'"')[0].decode()
        self._given = given
        root = ET.fromstring(given)
        self._tag = root.tag
        lists = [child for child in root if child.tag.endswith("Set") or len(child)]
        self._list = lists[0] if lists else None

    def page(self, first: int, size: int) -> bytes:
        """So many items, with the token of the rest."""
        if self._list is None:
            return self._given
        ET.register_namespace("", self._space)
        root = ET.Element(self._tag)
        listed = ET.SubElement(root, self._list.tag)
        listed.extend(self._list[first : first + size])
        if first + size < len(self._list):
            ET.SubElement(root, f"{{{self._space}}}nextToken").text = str(first + size)
        return ET.tostring(root)


def _identity(request: Request) -> tuple[Any, ...]:
    return (request.key, request.region, request.service, request.action, request.parameters)
