"""What an installed module holds is mended where it is called, and one of several calls without touching the others."""

from __future__ import annotations

import json
from pathlib import Path

from lint.check import mend
from tests.fix import projects
from tests.fix.projects import applied, judged, request, the

PROJECT = """\
version: 1
deployments:
  dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    roles:
      console: [{addresses: [203.0.113.10/32]}]
      cloud-sync-gateway: [{terraform: aws_instance.gateway}]
      agent: [{terraform: aws_instance.app}]
"""

GROUP = """\
variable "name" {
  type = string
}

variable "ingress" {
  type    = list(map(string))
  default = []
}

variable "prefixed" {
  type    = bool
  default = true
}

resource "aws_security_group" "this" {
  count = var.prefixed ? 0 : 1
  name  = var.name
}

resource "aws_security_group" "prefixed" {
  count       = var.prefixed ? 1 : 0
  name_prefix = var.name
}

locals {
  id = concat(aws_security_group.this.*.id, aws_security_group.prefixed.*.id, [""])[0]
}

resource "aws_security_group_rule" "ingress" {
  count             = length(var.ingress)
  type              = "ingress"
  security_group_id = local.id
  protocol          = "tcp"
  from_port         = var.ingress[count.index].port
  to_port           = var.ingress[count.index].port
  cidr_blocks       = compact(split(",", lookup(var.ingress[count.index], "cidr_blocks", "10.0.0.0/8")))
}

resource "aws_security_group_rule" "egress" {
  type              = "egress"
  security_group_id = local.id
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/0"]
}

output "security_group_arn" {
  value = try(aws_security_group.this[0].arn, aws_security_group.prefixed[0].arn, "")
}

output "security_group_id" {
  value = try(aws_security_group.this[0].id, aws_security_group.prefixed[0].id, "")
}
"""

ROOT = """\
module "gateway" {
  source  = "example/group/aws"
  version = "~> 5.0"

  name = "gateway"

  ingress = [
    {
      port        = 22
      description = "console"
      cidr_blocks = "203.0.113.10/32"
    },
  ]
}

module "app" {
  source = "example/group/aws"

  name = "app"
}

resource "aws_instance" "gateway" {
  private_ip             = "10.0.2.9"
  vpc_security_group_ids = [module.gateway.security_group_id]
}

resource "aws_instance" "app" {
  private_ip             = "10.0.1.5"
  vpc_security_group_ids = [module.app.security_group_id]
}
"""


def installed(directory: Path, root: str, modules: dict[str, str], project: str = PROJECT) -> Path:
    """A root whose modules are installed as `terraform init` installs them from a registry."""
    listed = [{"Key": "", "Source": "", "Dir": "."}]
    for name, text in modules.items():
        folder = directory / ".terraform" / "modules" / name
        folder.mkdir(parents=True)
        (folder / "main.tf").write_text(text)
        source = "registry.terraform.io/example/group/aws"
        listed.append({"Key": name, "Source": source, "Version": "5.1.0", "Dir": f".terraform/modules/{name}"})
    (directory / ".terraform" / "modules" / "modules.json").write_text(json.dumps({"Modules": listed}))
    return projects.write(directory, root, project=project)


def test_a_missing_rule_is_added_beside_the_call(tmp_path: Path) -> None:
    installed(tmp_path, ROOT, {"gateway": GROUP, "app": GROUP})
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    applied(tmp_path, finding)
    # The module's own rules are of this kind, and two kinds in one group would fight.
    assert """\
}

resource "aws_security_group_rule" "gateway_tcp_13260" {
  type                     = "ingress"
  security_group_id        = module.gateway.security_group_id
  description              = "hyperbdr/saas-block-storage: agent to cloud-sync-gateway"
  protocol                 = "tcp"
  from_port                = 13260
  to_port                  = 13260
  source_security_group_id = module.app.security_group_id
}

module "app" {
""" in (tmp_path / "main.tf").read_text()
    assert the(judged(tmp_path), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_too_wide_an_input_is_narrowed_in_the_call(tmp_path: Path) -> None:
    root = ROOT.replace("203.0.113.10/32", "0.0.0.0/0")
    installed(tmp_path, root, {"gateway": GROUP, "app": GROUP})
    finding = the(judged(tmp_path), "gateway-ssh", "tcp/22")
    assert finding.verdict == "violated"
    applied(tmp_path, finding)
    assert (tmp_path / "main.tf").read_text() == ROOT


def test_a_default_that_the_module_chose_is_named(tmp_path: Path) -> None:
    root = ROOT.replace('      cidr_blocks = "203.0.113.10/32"\n', "")
    installed(tmp_path, root, {"gateway": GROUP, "app": GROUP})
    finding = the(judged(tmp_path), "gateway-ssh", "tcp/22")
    assert finding.verdict == "violated"
    assert finding.fix is None
    assert any("installed from elsewhere" in note and "main.tf:1" in note for note in finding.notes)


def test_installed_files_stay_as_they_are(tmp_path: Path) -> None:
    installed(tmp_path, ROOT, {"gateway": GROUP, "app": GROUP})
    mended = mend(request(tmp_path), write=True)
    assert mended.left == 0, mended.said
    assert (tmp_path / ".terraform" / "modules" / "gateway" / "main.tf").read_text() == GROUP


def test_one_of_several_calls_of_ones_own_module_gets_its_rule_outside(tmp_path: Path) -> None:
    own = tmp_path / "modules" / "group"
    own.mkdir(parents=True)
    (own / "main.tf").write_text(GROUP)
    root = ROOT.replace("example/group/aws", "./modules/group").replace('  version = "~> 5.0"\n', "")
    projects.write(tmp_path, root, project=PROJECT)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    applied(tmp_path, finding)
    assert (own / "main.tf").read_text() == GROUP
    assert the(judged(tmp_path), "block-agent-2", "tcp/13260").verdict == "satisfied"


def test_a_group_two_modules_deep_is_named_through_both(tmp_path: Path) -> None:
    outer = """\
module "group" {
  source = "../group"
  name   = "gateway"
}

output "group_id" {
  value = module.group.security_group_id
}
"""
    for name, text in (("group", GROUP), ("outer", outer)):
        (tmp_path / "modules" / name).mkdir(parents=True)
        (tmp_path / "modules" / name / "main.tf").write_text(text)
    root = (
        ROOT[ROOT.index('module "app"') :]
        .replace("example/group/aws", "./modules/group")
        .replace("module.gateway.security_group_id", 'module.gateway["a"].group_id')
    )
    call = 'module "gateway" {\n  for_each = toset(["a"])\n  source   = "./modules/outer"\n}\n'
    projects.write(tmp_path, call, root, project=PROJECT)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.fix is not None
    applied(tmp_path, finding)
    assert the(judged(tmp_path), "block-agent-2", "tcp/13260").verdict == "satisfied"
    assert 'module.gateway["a"].group_id' in finding.fix.patch or "module.group.security_group_id" in finding.fix.patch


NETWORK = """\
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "private" {
  count      = 2
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.0.${count.index + 1}.0/24"
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_network_acl" "private" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = aws_subnet.private[*].id
}

resource "aws_network_acl_rule" "all" {
  for_each       = { in = false, out = true }
  network_acl_id = aws_network_acl.private.id
  rule_number    = 900
  egress         = each.value
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = "192.0.2.0/24"
  from_port      = 0
  to_port        = 65535
}

resource "aws_route_table" "private" {
  count  = 2
  vpc_id = aws_vpc.this.id
}

resource "aws_route_table_association" "private" {
  count          = 2
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

output "private_subnets" {
  value = aws_subnet.private[*].id
}

output "private_network_acl_id" {
  value = try(aws_network_acl.private.id, null)
}

output "private_route_table_ids" {
  value = aws_route_table.private[*].id
}

output "igw_id" {
  value = try(aws_internet_gateway.this.id, null)
}
"""


def test_acls_and_route_tables_of_a_module_are_opened_beside_its_call(tmp_path: Path) -> None:
    root = """\
module "vpc" {
  source = "example/vpc/aws"
}

resource "aws_instance" "gateway" {
  subnet_id                   = module.vpc.private_subnets[1]
  private_ip                  = "10.0.2.9"
  associate_public_ip_address = true
  vpc_security_group_ids      = [aws_security_group.gateway.id]
}

resource "aws_security_group" "gateway" {
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"""
    project = PROJECT.replace("{terraform: aws_instance.app}", "{addresses: [10.9.0.0/16]}")
    installed(tmp_path, root, {"vpc": NETWORK}, project=project)
    finding = the(judged(tmp_path), "block-agent-4", "tcp/443")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    for text in (
        "module.vpc.private_network_acl_id",
        "route_table_id         = module.vpc.private_route_table_ids[1]",
        "gateway_id             = module.vpc.igw_id",
    ):
        assert text in finding.fix.patch
    applied(tmp_path, finding)
    assert the(judged(tmp_path), "block-agent-4", "tcp/443").verdict == "satisfied"


SECURED = """\
variable "group" {
  type = string
}

resource "azurerm_network_security_group" "this" {
  name                = "nsg-gateway"
  resource_group_name = var.group
  location            = "westeurope"
}

resource "azurerm_network_security_rule" "nobody" {
  name                        = "nobody"
  resource_group_name         = var.group
  network_security_group_name = azurerm_network_security_group.this.name
  priority                    = 4000
  direction                   = "Inbound"
  access                      = "Deny"
  protocol                    = "*"
  source_port_range           = "*"
  destination_port_range      = "*"
  source_address_prefix       = "*"
  destination_address_prefix  = "*"
}

output "network_security_group_id" {
  value = azurerm_network_security_group.this.id
}

output "network_security_group_name" {
  value = azurerm_network_security_group.this.name
}
"""


def test_a_network_security_group_of_a_module_gets_its_rule_beside_the_call(tmp_path: Path) -> None:
    call = """\
module "nsg" {
  source = "example/nsg/azurerm"
  group  = azurerm_resource_group.dr.name
}
"""
    root = "\n".join(
        [
            projects.NETWORK,
            projects.subnet("gw", "10.0.2.0/24", "module.nsg.network_security_group_id"),
            projects.machine("gateway", "gw", "10.0.2.9"),
            call,
        ]
    )
    project = projects.PROJECT.replace('{names: ["app*"]}', "{addresses: [10.0.9.0/24]}")
    installed(tmp_path, root, {"nsg": SECURED}, project=project)
    finding = the(judged(tmp_path), "block-agent-2", "tcp/13260")
    assert finding.verdict == "violated"
    assert finding.fix is not None
    assert "network_security_group_name = module.nsg.network_security_group_name" in finding.fix.patch
    assert "resource_group_name         = azurerm_resource_group.dr.name" in finding.fix.patch
    applied(tmp_path, finding)
    assert the(judged(tmp_path), "block-agent-2", "tcp/13260").verdict == "satisfied"
