"""Terraform's built-in functions by family; `registry` finds them by name."""
