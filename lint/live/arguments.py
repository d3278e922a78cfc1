"""The command line's arguments for live sources, and the options that they make. Knows argparse, no SDK."""

from __future__ import annotations

import argparse

from lint.live.options import AwsAccess, AzureAccess, LiveOptions


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for `aws:` and `azure:` sources to a command."""
    live = parser.add_argument_group("live accounts (aws:, azure:)")
    live.add_argument("--resume", action="store_true", help="go on with the scan that was stopped or killed")
    live.add_argument(
        "--redact-tag",
        action="append",
        default=[],
        metavar="KEY",
        help="never store tags of this name (glob, repeatable)",
    )
    live.add_argument(
        "--rate",
        type=_positive,
        default=5.0,
        metavar="N",
        help="calls a second for each operation, account and region (5)",
    )
    live.add_argument("--aws-profile", metavar="NAME", help="profile of the AWS configuration files")
    live.add_argument("--aws-role-arn", metavar="ARN", help="role to assume first")
    live.add_argument(
        "--aws-org", metavar="ROLE", help="scan every account of the organization, assuming this role in each"
    )
    live.add_argument("--aws-external-id", metavar="ID", help="external id that the roles ask for")
    live.add_argument(
        "--azure-cloud", choices=("public", "usgovernment", "china"), default="public", help="which Azure cloud"
    )
    live.add_argument("--azure-tenant", metavar="ID", help="tenant to sign in to")
    live.add_argument(
        "--azure-management-group",
        action="append",
        default=[],
        metavar="ID",
        help="scan the subscriptions below this management group (repeatable)",
    )
    live.add_argument(
        "--azure-no-resource-graph", action="store_true", help="use the plain ARM lists only, never Resource Graph"
    )
    live.add_argument(
        "--azure-verify-effective",
        action="store_true",
        help="also compare with the rules and routes in force at running machines (two slow calls for each interface)",
    )


def options_from(namespace: argparse.Namespace) -> LiveOptions:
    """What the arguments of `add` say."""
    return LiveOptions(
        resume=namespace.resume,
        redact_tags=tuple(namespace.redact_tag),
        rate=namespace.rate,
        aws=AwsAccess(
            profile=namespace.aws_profile,
            role_arn=namespace.aws_role_arn,
            organization=namespace.aws_org,
            external_id=namespace.aws_external_id,
        ),
        azure=AzureAccess(
            cloud=namespace.azure_cloud,
            tenant=namespace.azure_tenant,
            management_groups=tuple(namespace.azure_management_group),
            resource_graph=not namespace.azure_no_resource_graph,
            verify_effective=namespace.azure_verify_effective,
        ),
    )


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not a number") from error
    if not 0.1 <= value <= 1000:
        raise argparse.ArgumentTypeError("give a rate between 0.1 and 1000 calls a second")
    return value
