"""Renders what `check`, `trace`, `map`, `show` and `diff` found. Decides nothing."""
