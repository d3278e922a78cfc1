"""Texts that people and clouds write, as trees: YAML with lines, JSON without a key given twice. Knows no meaning."""
