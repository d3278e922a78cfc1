"""Whose identity asks, and of which cloud: the credential, the ARM host, and the client that sends.

Sources: azure-identity's and azure-core's reference; "Azure Government developer guide"; "Azure China developer guide".
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from lint.azure.collect.calls import Operation
from lint.live.calls import LiveError
from lint.live.options import AzureAccess
from lint.version import __version__

_INSTALL = (
    "reading live Azure subscriptions needs azure-mgmt-network and azure-identity; "
    "install them with `pip install 'netpact[azure]'`"
)
_SIGN_IN = "sign in (`az login`, or AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET) and try again"
_CLOUDS = {
    "public": ("AZURE_PUBLIC_CLOUD", None),
    "usgovernment": ("AZURE_US_GOVERNMENT", "login.microsoftonline.us"),
    "china": ("AZURE_CHINA_CLOUD", "login.chinacloudapi.cn"),
}
_IDLE = re.compile(r"unavailable|not found|not be found|not installed|requires the|^To mitigate|^Attempted", re.I)
_CLAIMS = {"tid": "tenant", "oid": "object", "appid": "application", "upn": "name"}
CONNECT_TIMEOUT, READ_TIMEOUT = 10, 120  # seconds


class Connection:
    """One ARM host with an identity. `send` may be called from any thread.

    `policy` and `transport` of azure-core take the place of the identity's and of the ones by requests; then the
    credential is never asked.
    """

    def __init__(
        self,
        credential: Any,
        cloud: str = "public",
        *,
        host: str | None = None,
        policy: Any = None,
        transport: Any = None,
        heard: Callable[[str, str], None] | None = None,
    ) -> None:
        try:
            from azure.core import AzureClouds
            from azure.core.pipeline import policies
            from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
            from azure.mgmt.core.tools import get_arm_endpoints
            from azure.mgmt.network import NetworkManagementClient
        except ImportError as error:
            raise LiveError(_INSTALL) from error
        setting = AzureClouds[_CLOUDS[cloud][0]]
        endpoints = get_arm_endpoints(setting)
        self.cloud = cloud
        self.host = (host or endpoints["resource_manager"]).rstrip("/")
        self._scopes = endpoints["credential_scopes"]
        self._credential = credential
        self._anonymous = policy is not None
        self._heard = heard
        self._versions: dict[str, str] = {}
        self._lock = threading.Lock()
        # The client's own pipeline would register resource providers, which is a change; it would follow redirects to
        # other hosts, and try again beside the scan's own limits.
        chain = [
            policies.RequestIdPolicy(),
            policies.HeadersPolicy(),
            policies.UserAgentPolicy(base_user_agent=f"netpact/{__version__}"),
            policies.ProxyPolicy(),
            policy or ARMChallengeAuthenticationPolicy(credential, *self._scopes),
        ]
        more: dict[str, Any] = {"connection_timeout": CONNECT_TIMEOUT, "read_timeout": READ_TIMEOUT}
        if transport is not None:
            more["transport"] = transport
        unused: Any = credential or object()  # the client wants one, also where a policy does without
        self._client = NetworkManagementClient(
            unused, "unused", base_url=self.host, cloud_setting=setting, policies=chain, **more
        )

    def send(self, method: str, url: str, body: Any = None) -> Any:
        """Send one request and give azure-core's response, whatever its status. Raises azure-core's errors."""
        from azure.core.rest import HttpRequest

        if self._heard is not None:
            self._heard(method, urlsplit(url).path)
        arguments = {} if body is None else {"json": body}
        return self._client.send_request(HttpRequest(method, url, **arguments))

    def own(self, url: str) -> bool:
        """Whether a URL leads to the ARM host itself."""
        here, there = urlsplit(self.host), urlsplit(url)
        return (here.scheme, here.netloc.lower()) == (there.scheme, there.netloc.lower())

    def version(self, operation: Operation) -> str:
        """The API version to ask with: the table's, or the newest that this cloud offers."""
        with self._lock:
            return self._versions.get(operation.name, operation.version)

    def settle(self, operation: Operation, version: str) -> None:
        """From now on, ask with another API version."""
        with self._lock:
            self._versions[operation.name] = version

    def caller(self) -> dict[str, Any]:
        """Who asks, by the claims of the access token: tenant, object, application and name. Raises LiveError."""
        if self._anonymous:
            return {}
        from azure.core.exceptions import ClientAuthenticationError

        try:
            token = self._credential.get_token(*self._scopes).token
        except ClientAuthenticationError as error:
            raise unusable(error) from error
        return _claims(token)


def unusable(error: Exception) -> LiveError:
    """No token could be had."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    # Each kind of credential says why it gave nothing; those that aren't set up at all say nothing of use.
    tried = [line for line in lines[1:] if ": " in line and not _IDLE.search(line)]
    said = tried[0] if tried else lines[0].rstrip(".") if lines else type(error).__name__
    return LiveError(f"no usable Azure credentials: {said[:400]}; {_SIGN_IN}")


def connect(access: AzureAccess) -> Connection:
    """The connection of the standard credential chain to the cloud that is named. Raises LiveError."""
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise LiveError(_INSTALL) from error
    logging.getLogger("azure").addHandler(logging.NullHandler())  # what went wrong is said once, by us
    if access.cloud not in _CLOUDS:
        raise LiveError(f"there is no Azure cloud {access.cloud!r}; name one of {', '.join(_CLOUDS)}")
    authority = _CLOUDS[access.cloud][1]
    more: dict[str, Any] = {"authority": authority} if authority is not None else {}
    if access.tenant is not None:
        more["additionally_allowed_tenants"] = [access.tenant]
    try:
        credential: Any = DefaultAzureCredential(**more)
    except ValueError as error:
        raise LiveError(f"the Azure identity can't be set up: {error}; {_SIGN_IN}") from error
    if access.tenant is not None:
        credential = _InTenant(credential, access.tenant)
    return Connection(credential, access.cloud)


class _InTenant:
    """A credential that asks for tokens of one tenant."""

    def __init__(self, inner: Any, tenant: str) -> None:
        self._inner = inner
        self._tenant = tenant

    def get_token(self, *scopes: str, **more: Any) -> Any:
        """What azure-core asks for."""
        return self._inner.get_token(*scopes, **{**more, "tenant_id": self._tenant})


def _claims(token: str) -> dict[str, Any]:
    """The claims of a token that name its holder; nothing where the token isn't readable."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return {ours: claims[theirs] for theirs, ours in _CLAIMS.items() if theirs in claims}
    except (IndexError, ValueError, TypeError):
        return {}
