"""Judges: an image and questions in, answers out."""

from dominance.judges.protocol import Judge, ScriptedJudge, as_answer
from dominance.judges.registry import JUDGES, MODES, load_judge

__all__ = ["JUDGES", "MODES", "Judge", "ScriptedJudge", "as_answer", "load_judge"]
