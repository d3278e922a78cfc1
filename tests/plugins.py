"""Where the machine keeps what tests need of the real Terraform."""

from __future__ import annotations

import os
from pathlib import Path

PLACES = ("/opt/tf-plugins", "/usr/local/share/terraform/plugins", "~/.terraform.d/plugins")


def plugin_directory() -> Path | None:
    """The plugin directory that holds an AWS provider, if there is one."""
    for place in (os.environ.get("NETPACT_PLUGIN_DIR", ""), *PLACES):
        folder = Path(place).expanduser()
        if place and any(folder.glob("*/hashicorp/aws/*/*/terraform-provider-aws*")):
            return folder
    return None
