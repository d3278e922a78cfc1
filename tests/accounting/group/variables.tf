variable "create" {
  type    = bool
  default = true
}

variable "name" {
  type = string
}

variable "use_name_prefix" {
  type    = bool
  default = true
}

variable "vpc_id" {
  type    = string
  default = null
}

variable "rules" {
  description = "Named services: from port, to port, protocol, description"
  type        = map(list(any))
  default = {
    ssh-tcp        = [22, 22, "tcp", "SSH"]
    http-80-tcp    = [80, 80, "tcp", "HTTP"]
    https-443-tcp  = [443, 443, "tcp", "HTTPS"]
    postgresql-tcp = [5432, 5432, "tcp", "PostgreSQL"]
    dns-udp        = [53, 53, "udp", "DNS"]
    all-icmp       = [-1, -1, "icmp", "All ICMP"]
    all-all        = [-1, -1, "-1", "All protocols"]
  }
}

variable "auto_groups" {
  type = map(map(list(string)))
  default = {
    web      = { ingress_rules = ["http-80-tcp", "https-443-tcp"] }
    database = { ingress_rules = ["postgresql-tcp"] }
  }
}

variable "service" {
  description = "A key of auto_groups, or null"
  type        = string
  default     = null
}

variable "ingress_rules" {
  type    = list(string)
  default = []
}

variable "ingress_cidr_blocks" {
  type    = list(string)
  default = []
}

variable "ingress_with_cidr_blocks" {
  type    = list(map(string))
  default = []
}

variable "ingress_with_self" {
  type    = list(map(string))
  default = []
}

variable "ingress_with_source_security_group_id" {
  type    = list(map(string))
  default = []
}

variable "egress_rules" {
  type    = list(string)
  default = ["all-all"]
}

variable "egress_cidr_blocks" {
  type    = list(string)
  default = ["0.0.0.0/0"]
}

variable "egress_ipv6_cidr_blocks" {
  type    = list(string)
  default = ["::/0"]
}

variable "tags" {
  type    = map(string)
  default = {}
}
