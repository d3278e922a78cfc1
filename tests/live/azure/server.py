"""An Azure Resource Manager on loopback: lists, pages, Resource Graph, children, and failures on demand.

It answers from one table of resources, in the shapes of the public REST specification's examples.
"""

from __future__ import annotations

import copy
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

UNIFORM = re.compile(r"(.*/virtualMachineScaleSets/[^/]+)/networkInterfaces", re.I)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server saw it. `subscription` is "" where the path names none; `body` is that of a POST."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: Any
    time: float

    @property
    def subscription(self) -> str:
        found = re.match(r"/subscriptions/([^/]+)", self.path, re.I)
        return found[1] if found else ""

    @property
    def first(self) -> bool:
        """Whether it asks for a first page."""
        names = {name for name, _ in self.query}
        return "$skiptoken" not in names and "$skipToken" not in json.dumps(self.body)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in the place of the real one; `cut`: the connection breaks in the middle of the real one."""

    status: int = 200
    code: str = ""
    message: str = "refused"
    headers: tuple[tuple[str, str], ...] = ()
    cut: bool = False
    slow: float = 0.0
    raw: bytes | None = None


DENIED = Refusal(403, "AuthorizationFailed")
THROTTLED = Refusal(429, "TooManyRequests", headers=(("Retry-After", "0"),))
MISSING = Refusal(404, "ResourceNotFound")
BROKEN = Refusal(500, "InternalServerError")
ODD = Refusal(400, "BadRequest")
CUT = Refusal(cut=True)
Judge = Callable[[Request], "Refusal | None"]


@dataclass
class Arm:
    """The server. `resources` are whole ARM objects by their ids; `page_size` bounds pages.

    `judge` may refuse a request, `rewrite` may change a body before it is sent.
    """

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)  # of management: ids of subscriptions
    tags: dict[str, Any] = field(default_factory=dict)  # service tag data
    permissions: list[dict[str, Any]] = field(default_factory=lambda: [{"actions": ["*/read"], "notActions": []}])
    judge: Judge | None = None
    rewrite: Callable[[Request, Any], Any] | None = None
    page_size: int = 1000
    empty_pages: bool = False
    stopped: set[str] = field(default_factory=set)  # names of machines that don't run
    in_force: dict[str, list[Any]] = field(default_factory=dict)  # by interface id and action, in lower case
    polls: int = 1  # how often a long-running call is still under way when it is asked for
    after: str = "0"  # Retry-After of long-running calls
    results: list[tuple[list[Any], int]] = field(default_factory=list)
    expired: int = 0  # results before this one are gone
    requests: list[Request] = field(default_factory=list)

    def start(self) -> None:
        """Listen on a free port of loopback."""
        arm = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                arm._serve(self, None)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                arm._serve(self, json.loads(self.rfile.read(length) or b"null"))

            do_PUT = do_DELETE = do_PATCH = do_POST

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The ARM host."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def put(self, *resources: dict[str, Any]) -> None:
        """Add resources."""
        for one in resources:
            self.resources[one["id"]] = one

    def asked(self, ending: str) -> list[Request]:
        """The requests whose path ends so."""
        return [one for one in self.requests if one.path.lower().endswith(ending.lower())]

    # Answers

    def _serve(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        parts = urlsplit(handler.path)
        query = tuple(parse_qsl(parts.query))
        request = Request(handler.command, unquote(parts.path), query, body, time.monotonic())
        self.requests.append(request)
        refusal = self.judge(request) if self.judge is not None else None
        if refusal is not None and refusal.slow:
            time.sleep(refusal.slow)
        if refusal is not None and not refusal.cut and refusal.raw is None:
            error = {"error": {"code": refusal.code, "message": refusal.message}}
            return self._send(handler, refusal.status, json.dumps(error).encode(), refusal.headers)
        status, answer = self._answer(request)
        headers: tuple[tuple[str, str], ...] = ()
        if status == 202:
            place = f"{self.url}{answer.pop('at')}?api-version={dict(request.query)['api-version']}"
            headers = (("Location", place), ("Retry-After", self.after))
        if status == 200 and self.rewrite is not None:
            answer = self.rewrite(request, answer)
        data = json.dumps(answer).encode()
        if refusal is not None and refusal.raw is not None:
            data = refusal.raw
        if refusal is not None and refusal.cut:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data[: len(data) // 2])
            handler.wfile.flush()
            handler.close_connection = True
            return None
        return self._send(handler, status, data, headers)

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, data: bytes, headers: tuple[tuple[str, str], ...]
    ) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json; charset=utf-8")
        handler.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def _answer(self, request: Request) -> tuple[int, Any]:
        path = request.path.rstrip("/")
        lowered = path.lower()
        if "api-version" not in dict(request.query):
            return 400, {"error": {"code": "MissingApiVersionParameter", "message": "no api-version"}}
        if lowered == "/providers/microsoft.resourcegraph/resources" and request.method == "POST":
            return 200, self._graph(request.body)
        if request.method == "POST":
            network, _, action = path.rpartition("/")
            if action.lower().startswith("listnetworkmanagereffective") and self._get(network) is not None:
                return 200, {"value": []}
            if action.lower() in ("effectivenetworksecuritygroups", "effectiveroutetable"):
                return self._long(network, action)
            return 405, {"error": {"code": "MethodNotAllowed", "message": path}}
        if request.method == "GET" and "/operationresults/" in lowered:
            number = int(lowered.rpartition("/")[2])
            if not self.expired <= number < len(self.results):
                return 404, {"error": {"code": "NotFound", "message": "the result has expired"}}
            rows, left = self.results[number]
            self.results[number] = (rows, left - 1)
            return (202, {"at": path}) if left > 0 else (200, {"value": rows})
        if request.method != "GET":
            return 405, {"error": {"code": "MethodNotAllowed", "message": path}}
        if lowered == "/subscriptions":
            return 200, self._paged(request, self.subscriptions)
        if lowered.startswith("/providers/microsoft.management/managementgroups/"):
            ids = self.groups.get(path.split("/")[4])
            if ids is None:
                return 404, {"error": {"code": "NotFound", "message": "no such management group"}}
            rows = [
                {"id": f"/subscriptions/{one}", "type": "/subscriptions", "name": one, "properties": {}} for one in ids
            ]
            return 200, self._paged(request, rows)
        if request.subscription.lower() not in {one["subscriptionId"].lower() for one in self.subscriptions}:
            return 404, {"error": {"code": "SubscriptionNotFound", "message": "no such subscription"}}
        if lowered.endswith("/providers/microsoft.authorization/permissions"):
            return 200, {"value": self.permissions}
        if lowered.endswith("/resourcegroups"):
            names = {id_.split("/")[4] for id_ in self.resources if id_.lower().startswith(lowered + "/")}
            rows = [{"id": f"{path}/{name}", "name": name, "location": "westeurope"} for name in sorted(names)]
            return 200, self._paged(request, rows)
        if lowered.endswith("/servicetags"):
            return 200, self.tags
        single = self._get(path)
        if single is not None:
            return 200, single
        return self._children(request, path)

    def _long(self, interface: str, action: str) -> tuple[int, Any]:
        """202 for what is in force at an interface whose machine runs."""
        found = self._get(interface)
        machine = found["properties"].get("virtualMachine", {}).get("id", "") if found is not None else ""
        if not machine or machine.rpartition("/")[2] in self.stopped:
            message = "The network interface must be attached to a running virtual machine."
            return 400, {"error": {"code": "NicNotAttachedToRunningVm", "message": message}}
        self.results.append((self.in_force.get(f"{interface}/{action}".lower(), []), self.polls))
        return 202, {"at": f"/subscriptions/{interface.split('/')[2]}/operationResults/{len(self.results) - 1}"}

    def _get(self, id_: str) -> dict[str, Any] | None:
        return next((one for key, one in self.resources.items() if key.lower() == id_.lower()), None)

    def _children(self, request: Request, path: str) -> tuple[int, Any]:
        """A list: of a subscription, of a resource group, or below a resource."""
        head, _, tail = path.rpartition("/providers/")
        segments = tail.split("/")
        if len(segments) > 2:
            owner = path.rpartition("/")[0]
            if self._get(owner) is None:
                return 404, {"error": {"code": "ResourceNotFound", "message": f"{owner} was not found"}}
            uniform = UNIFORM.fullmatch(path)
            pattern = f"{re.escape(path)}/[^/]+"
            if uniform:
                pattern = f"{re.escape(uniform[1])}/virtualMachines/[^/]+/networkInterfaces/[^/]+"
            rows = [one for id_, one in self.resources.items() if re.fullmatch(pattern, id_, re.I)]
            if segments[-1].lower() == "connections":
                rows = [
                    one
                    for one in self.resources.values()
                    if one["type"].lower() == "microsoft.network/connections"
                    and one["properties"]["virtualNetworkGateway1"]["id"].lower() == owner.lower()
                ]
            return 200, self._paged(request, rows)
        kind = tail.lower()
        rows = [
            one
            for id_, one in self.resources.items()
            if one["type"].lower() == kind and id_.lower().startswith(f"{head}/".lower())
        ]
        if dict(request.query).get("statusOnly") == "true":
            rows = [self._with_state(one) for one in rows]
        return 200, self._paged(request, rows)

    def _with_state(self, machine: dict[str, Any]) -> dict[str, Any]:
        code = "PowerState/deallocated" if machine["name"] in self.stopped else "PowerState/running"
        statuses = [{"code": "ProvisioningState/succeeded"}, {"code": code, "displayStatus": "VM state"}]
        return {**machine, "properties": {"vmId": machine["name"], "instanceView": {"statuses": statuses}}}

    def _paged(self, request: Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
        first = int(dict(request.query).get("$skiptoken", 0))
        following = first + self.page_size
        answer: dict[str, Any] = {"value": copy.deepcopy(rows[first:following])}
        if self.empty_pages and first == 0 and len(dict(request.query)) == 1 and rows:
            following, answer = 0, {"value": []}
        if following < len(rows):
            query = {"api-version": dict(request.query)["api-version"], "$skiptoken": str(following)}
            answer["nextLink"] = f"{self.url}{request.path}?{urlencode(query)}"
        return answer

    def _graph(self, body: Any) -> dict[str, Any]:
        kinds = set(re.findall(r"'([^']+)'", body["query"]))
        wanted = {one.lower() for one in body["subscriptions"]}
        rows = [
            {
                "id": one["id"],
                "name": one["name"],
                "type": one["type"].lower(),
                "location": one.get("location", ""),
                "resourceGroup": id_.split("/")[4].lower(),
                "subscriptionId": id_.split("/")[2],
                "sku": one.get("sku"),
                "tags": one.get("tags"),
                "properties": one.get("properties", {}),
            }
            for id_, one in sorted(self.resources.items(), key=lambda item: item[0].lower())
            if one["type"].lower() in kinds and id_.split("/")[2].lower() in wanted
        ]
        first = int(body["options"].get("$skipToken", 0))
        size = min(self.page_size, body["options"].get("$top", 100))
        page = rows[first : first + size]
        answer = {"totalRecords": len(rows), "count": len(page), "data": page, "facets": [], "resultTruncated": "false"}
        if first + size < len(rows):
            answer |= {"$skipToken": str(first + size), "resultTruncated": "true"}
        return answer
