"""The values of expressions, one module for each family of them; `evaluate` is the way in."""
