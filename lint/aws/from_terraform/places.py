"""Account and region of a resource, as far as its own attributes or its provider block tell."""

from __future__ import annotations

from lint.aws.from_terraform import facts
from lint.terraform.resources import Resource


def region_of(resource: Resource) -> str | None:
    """Provider 6 keeps it on the resource; before that only the ARN and the provider block know it."""
    return (
        facts.text(resource.values.get("region"))
        or _arn_part(resource, 3)
        or facts.text(resource.provider_values.get("region"))
    )


def account_of(resource: Resource) -> str | None:
    """From `owner_id`, the ARN, or the only account that the provider block allows."""
    owner = facts.text(resource.values.get("owner_id")) or _arn_part(resource, 4)
    if owner:
        return owner
    allowed = facts.strings(resource.provider_values.get("allowed_account_ids"))
    return allowed[0] if len(allowed) == 1 else None


def _arn_part(resource: Resource, part: int) -> str | None:
    pieces = (facts.text(resource.values.get("arn")) or "").split(":", 5)
    return (pieces[part] or None) if len(pieces) == 6 else None


def display_name(resource: Resource) -> str:
    """The Name tag; else the name attribute; else the label in the configuration."""
    tags = dict(facts.tags_of(resource)[0])
    return tags.get("Name") or facts.text(resource.values.get("name")) or resource.name
