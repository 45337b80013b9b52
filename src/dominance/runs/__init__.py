"""Runs: what must be made, what has been made, and what came of it."""

from dominance.runs.audit import ENGINES, METHODS, AuditOptions, audit
from dominance.runs.document import as_document
from dominance.runs.results import read_result
from dominance.runs.score import score

__all__ = ["ENGINES", "METHODS", "AuditOptions", "as_document", "audit", "read_result", "score"]
