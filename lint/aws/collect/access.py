"""Whose identity asks: sessions of boto3, roles in other accounts, and the accounts of an organization.

Sources: STS API reference, AssumeRole; Organizations API reference, ListAccounts and Account; botocore's standard
credential chain.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lint.aws.collect.calls import ACCOUNTS, ASSUME_ROLE, CALLER
from lint.aws.collect.requests import answered, turn, watch
from lint.live.calls import Answer, Call, Fault, LiveError, Page
from lint.live.collection import Collection, must
from lint.live.options import AwsAccess
from lint.version import __version__

DEFAULT_REGION = "us-east-1"
_making = threading.Lock()  # boto3's sessions are not safe to use from several threads; its clients are


@dataclass(frozen=True, slots=True)
class Account:
    """One account to scan with a session that may. `closed`: why there is none."""

    id: str
    session: Any
    closed: tuple[str, str] | None = None  # status and error of the role that could not be assumed


@dataclass(frozen=True, slots=True)
class _Renewing:
    """Hands a session of botocore credentials that renew themselves."""

    credentials: Any

    def load_credentials(self) -> Any:
        """What botocore asks for."""
        return self.credentials


class Clients:
    """Makes clients, each once.

    `heard` is called with the name of every operation that is sent (`ec2.DescribeVpcs`).
    """

    def __init__(self, heard: Callable[[str], None] | None = None) -> None:
        self._made: dict[tuple[Any, str, str], Any] = {}
        self._heard = heard

    def of(self, account: Account, service: str, region: str) -> Any:
        """The client of a service in a region for an account."""
        from botocore.config import Config

        key = (account.session, service, region)
        with _making:
            client = self._made.get(key)
            if client is None:
                config = Config(
                    retries={
                        "mode": "standard",
                        "total_max_attempts": 1,
                    },  # the collection tries again, within its limits
                    connect_timeout=5,
                    read_timeout=60,
                    max_pool_connections=16,
                    user_agent_extra=f"netpact/{__version__}",
                )
                try:
                    client = account.session.client(service, region_name=region, config=config)
                except Exception as error:
                    raise _unusable(error) from error
                watch(client)
                if self._heard is not None:
                    client.meta.events.register("before-call", self._tell)
                self._made[key] = client
            return client

    def drop(self, account: Account, region: str) -> None:
        """Let go of the clients of a region that is done: an organization has thousands."""
        with _making:
            for key in [key for key in self._made if key[0] is account.session and key[2] == region]:
                del self._made[key]

    def _tell(self, model: Any, **_: Any) -> None:
        if self._heard is not None:
            self._heard(f"{model.service_model.service_name}.{model.name}")


@lru_cache(maxsize=1)
def _loader() -> Any:
    """One loader of service descriptions for all sessions: they are large, and the same in every account."""
    from botocore.loaders import create_loader

    return create_loader()


def _session(profile: str | None = None) -> Any:
    """A session of botocore."""
    from botocore.session import Session

    inner = Session(profile=profile)
    inner.register_component("data_loader", _loader())
    return inner


def _with_boto3(boto3: Any, inner: Any) -> Any:
    """A session of boto3 around one of botocore."""
    session = boto3.Session(botocore_session=inner)
    paths = _loader().search_paths
    paths[:] = list(dict.fromkeys(paths))  # every session adds the same folder again
    return session


def is_known(region: str) -> bool:
    """Whether botocore's list of regions, which may be older than the region, has it."""
    session = _session()
    partitions = session.get_available_partitions()
    return any(region in session.get_available_regions("ec2", partition_name=one) for one in partitions)


def first_session(access: AwsAccess) -> Any:
    """The session of the standard credential chain, or of the profile that is named."""
    try:
        import boto3
    except ImportError as error:
        raise LiveError(
            "reading a live AWS account needs boto3; install it with `pip install 'netpact[aws]'`"
        ) from error
    try:
        return _with_boto3(boto3, _session(access.profile))
    except Exception as error:
        raise _unusable(error) from error


def _unusable(error: Exception) -> Exception:
    """Mistakes in profiles and settings, as messages."""
    from botocore.exceptions import BotoCoreError

    if isinstance(error, (BotoCoreError, ValueError)):
        return LiveError(
            f"AWS can't be asked: {error}; look at --aws-profile, AWS_PROFILE, AWS_ENDPOINT_URL and ~/.aws/config"
        )
    return error


def accounts(collection: Collection, clients: Clients, access: AwsAccess, region: str | None) -> list[Account]:
    """Every account to scan, each with its session.

    Raises LiveError where the caller has no identity or can't list them.
    """
    session = first_session(access)
    home = region or session.region_name or DEFAULT_REGION
    hub = Account("", session)
    caller = _caller(collection, clients, hub, home)
    if access.role_arn:
        hub = _assumed(collection, clients, hub, "", access.role_arn, access.external_id, home)
        if hub.closed is not None:
            raise LiveError(f"the role {access.role_arn} can't be assumed: {hub.closed[1]}; look at its trust policy")
        caller = _caller(collection, clients, hub, home)
    own = Account(str(caller["Account"]), hub.session)
    collection.store.note("caller", _same_caller(collection, caller))
    if not access.organization:
        return [own]
    answer = must(
        collection.gather(Call.of(own.id, "", ACCOUNTS.name), turn(clients.of(own, "organizations", home), ACCOUNTS)),
        "listing the organization's accounts",
        "only the management account or a delegated administrator may; leave --aws-org away to scan one account",
    )
    partition = str(caller["Arn"]).split(":")[1] or "aws"
    found = []
    for id_ in _active(answer):
        if id_ == own.id:
            found.append(own)
            continue
        arn = f"arn:{partition}:iam::{id_}:role/{access.organization}"
        found.append(_assumed(collection, clients, own, id_, arn, access.external_id, home))
    return found


def _active(answer: Answer) -> list[str]:
    """Ids of the accounts that are active; `State` is the newer name of `Status`."""
    found = []
    for page in answer.pages:
        for each in page.get("Accounts") or ():
            if (each.get("State") or each.get("Status") or "ACTIVE") == "ACTIVE":
                found.append(str(each["Id"]))
    return sorted(found)


# botocore's names for a service that gave no answer at all
_UNREACHED = (
    "EndpointConnectionError",
    "ConnectTimeoutError",
    "ProxyConnectionError",
    "ConnectionClosedError",
    "SSLError",
)


def _caller(collection: Collection, clients: Clients, account: Account, region: str) -> dict[str, Any]:
    call = Call.of(account.id, "", CALLER.name)
    try:
        page = collection.perform(call, turn(clients.of(account, "sts", region), CALLER))
    except Fault as fault:
        if fault.error.startswith(_UNREACHED):
            what, remedy = "AWS can't be reached", "check the network, the proxy and AWS_ENDPOINT_URL"
            if not is_known(region):
                remedy = f"{region} is no region that the installed botocore knows: check its name, then the network"
        else:
            what, remedy = "AWS doesn't accept the credentials", "sign in (`aws sso login`, AWS_PROFILE, --aws-profile)"
        raise LiveError(f"{what}: {fault.error}; {remedy} and try again") from fault
    return dict(page.body)


def _same_caller(collection: Collection, caller: dict[str, Any]) -> dict[str, Any]:
    """The caller, where a resumed scan was begun in the same account."""
    before = collection.store.noted("caller")
    if before is not None and before.get("Account") != caller.get("Account"):
        raise LiveError(
            f"the scan was begun in account {before.get('Account')}, these credentials are of "
            f"{caller.get('Account')}; use the same account, or leave --resume away"
        )
    return {key: caller[key] for key in ("Account", "Arn", "UserId") if key in caller}


def _assumed(
    collection: Collection, clients: Clients, by: Account, id_: str, arn: str, external_id: str | None, region: str
) -> Account:
    """An account with a session of a role in it, which is assumed again before its credentials expire."""
    import boto3
    from botocore.credentials import RefreshableCredentials

    call = Call.of(id_, "", ASSUME_ROLE.name, {"RoleArn": arn})
    client = clients.of(by, "sts", region)
    extra = {"ExternalId": external_id} if external_id else {}

    def refresh() -> dict[str, Any]:
        def one(_: str | None) -> Page:
            return answered(client, ASSUME_ROLE, {"RoleArn": arn, "RoleSessionName": "netpact", **extra})

        given = collection.perform(call, one).body["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"],
        }

    try:
        first = refresh()
    except Fault as fault:
        return Account(id_, None, (fault.status, fault.error))
    inner = _session()
    renewing = RefreshableCredentials.create_from_metadata(first, refresh, "sts-assume-role")
    inner.register_component("credential_provider", _Renewing(renewing))
    inner.set_config_variable("region", region)
    return Account(id_, _with_boto3(boto3, inner))
