"""Judges: an image and questions in, answers out."""

from dominance.judges.protocol import Judge, ScriptedJudge, as_answer
from dominance.judges.registry import MODES, listed_judges, load_judge

__all__ = ["MODES", "Judge", "ScriptedJudge", "as_answer", "listed_judges", "load_judge"]
