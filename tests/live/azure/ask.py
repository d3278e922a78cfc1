"""The real client of azure-mgmt-network, made to talk plain HTTP to the server on loopback."""

from __future__ import annotations

from typing import Any

from azure.core.pipeline.policies import SansIOHTTPPolicy

from lint.azure.collect.access import Connection
from tests.live.azure.server import Arm


class LoopbackAuth(SansIOHTTPPolicy[Any, Any]):
    """Signs every request with a token that means nothing."""

    def on_request(self, request: Any) -> None:
        """What azure-core calls before it sends."""
        request.http_request.headers["Authorization"] = "Bearer test"


def connection(arm: Arm, **more: Any) -> Connection:
    """The connection to a server."""
    return Connection(None, host=arm.url, policy=LoopbackAuth(), **more)
