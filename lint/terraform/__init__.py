"""The Terraform language: text, plan JSON and state JSON to evaluated resources. Knows no cloud."""
