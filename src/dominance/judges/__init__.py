"""Judges: an image and questions in, answers out."""

from dominance.judges.protocol import Judge, ScriptedJudge, as_answer
from dominance.judges.registry import JUDGE_MODES, listed_judges, load_judge

__all__ = ["JUDGE_MODES", "Judge", "ScriptedJudge", "as_answer", "listed_judges", "load_judge"]
