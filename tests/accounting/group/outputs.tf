output "security_group_id" {
  value = local.id
}
