"""Terraform's concrete syntax: text to an expression tree with exact byte ranges."""
