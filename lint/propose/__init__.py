"""Proposes a project file: finds which packs a graph speaks of, and which endpoints play their roles.

Judges no flow.
"""

from __future__ import annotations

from lint.propose.evidence import Evidence, PackEvidence, RoleEvidence, rank
from lint.propose.proposal import Proposal, propose

__all__ = ["Evidence", "PackEvidence", "Proposal", "RoleEvidence", "propose", "rank"]
