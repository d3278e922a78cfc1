locals {
  id = try(aws_security_group.this[0].id, aws_security_group.prefixed[0].id, "")

  ingress_rules = concat(
    var.ingress_rules,
    var.service == null ? [] : lookup(var.auto_groups, coalesce(var.service, "none"), { ingress_rules = [] })["ingress_rules"],
  )
}

resource "aws_security_group" "this" {
  count = var.create && !var.use_name_prefix ? 1 : 0

  name   = var.name
  vpc_id = var.vpc_id
  tags   = merge({ Name = format("%s", var.name) }, var.tags)
}

resource "aws_security_group" "prefixed" {
  count = var.create && var.use_name_prefix ? 1 : 0

  name_prefix = "${var.name}-"
  vpc_id      = var.vpc_id
  tags        = merge({ Name = format("%s", var.name) }, var.tags)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group_rule" "ingress_rules" {
  count = var.create ? length(local.ingress_rules) : 0

  security_group_id = local.id
  type              = "ingress"
  cidr_blocks       = var.ingress_cidr_blocks
  description       = var.rules[local.ingress_rules[count.index]][3]
  from_port         = var.rules[local.ingress_rules[count.index]][0]
  to_port           = var.rules[local.ingress_rules[count.index]][1]
  protocol          = var.rules[local.ingress_rules[count.index]][2]
}

resource "aws_security_group_rule" "ingress_with_cidr_blocks" {
  count = var.create ? length(var.ingress_with_cidr_blocks) : 0

  security_group_id = local.id
  type              = "ingress"
  cidr_blocks = compact(split(",", lookup(
    var.ingress_with_cidr_blocks[count.index], "cidr_blocks", join(",", var.ingress_cidr_blocks),
  )))
  description = lookup(var.ingress_with_cidr_blocks[count.index], "description", "Ingress rule")
  from_port = lookup(
    var.ingress_with_cidr_blocks[count.index],
    "from_port",
    var.rules[lookup(var.ingress_with_cidr_blocks[count.index], "rule", "all-all")][0],
  )
  to_port = lookup(
    var.ingress_with_cidr_blocks[count.index],
    "to_port",
    var.rules[lookup(var.ingress_with_cidr_blocks[count.index], "rule", "all-all")][1],
  )
  protocol = lookup(
    var.ingress_with_cidr_blocks[count.index],
    "protocol",
    var.rules[lookup(var.ingress_with_cidr_blocks[count.index], "rule", "all-all")][2],
  )
}

resource "aws_security_group_rule" "ingress_with_self" {
  count = var.create ? length(var.ingress_with_self) : 0

  security_group_id = local.id
  type              = "ingress"
  self              = lookup(var.ingress_with_self[count.index], "self", true)
  from_port         = var.rules[lookup(var.ingress_with_self[count.index], "rule", "all-all")][0]
  to_port           = var.rules[lookup(var.ingress_with_self[count.index], "rule", "all-all")][1]
  protocol          = var.rules[lookup(var.ingress_with_self[count.index], "rule", "all-all")][2]
}

resource "aws_security_group_rule" "ingress_with_source_security_group_id" {
  count = var.create ? length(var.ingress_with_source_security_group_id) : 0

  security_group_id        = local.id
  type                     = "ingress"
  source_security_group_id = var.ingress_with_source_security_group_id[count.index]["source_security_group_id"]
  from_port                = var.rules[lookup(var.ingress_with_source_security_group_id[count.index], "rule", "all-all")][0]
  to_port                  = var.rules[lookup(var.ingress_with_source_security_group_id[count.index], "rule", "all-all")][1]
  protocol                 = var.rules[lookup(var.ingress_with_source_security_group_id[count.index], "rule", "all-all")][2]
}

resource "aws_security_group_rule" "egress_rules" {
  count = var.create ? length(var.egress_rules) : 0

  security_group_id = local.id
  type              = "egress"
  cidr_blocks       = var.egress_cidr_blocks
  ipv6_cidr_blocks  = var.egress_ipv6_cidr_blocks
  from_port         = var.rules[var.egress_rules[count.index]][0]
  to_port           = var.rules[var.egress_rules[count.index]][1]
  protocol          = var.rules[var.egress_rules[count.index]][2]
}
