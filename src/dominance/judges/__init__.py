"""Judges: an image and questions in, answers out."""

from dominance.judges.protocol import Judge, ScriptedJudge, as_answer
from dominance.judges.registry import JUDGES, load_judge

__all__ = ["JUDGES", "Judge", "ScriptedJudge", "as_answer", "load_judge"]
