"""What changed between two rule graphs: matches their things, compares what traffic passes in exact sets.

Knows no source and no cloud.
"""

from __future__ import annotations

from lint.drift.comparison import compare
from lint.drift.result import Drift, FilterChange, ReachChange

__all__ = ["Drift", "FilterChange", "ReachChange", "compare"]
