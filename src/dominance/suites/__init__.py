"""What is asked: suites of prompts with their concepts, and the questions about each concept."""

from dominance.suites.brackets import bracketed, parse_prompt
from dominance.suites.questions import QuestionSet, load_questions
from dominance.suites.suites import bundled_suites, find_suite, load_suite

__all__ = ["QuestionSet", "bracketed", "bundled_suites", "find_suite", "load_questions", "load_suite", "parse_prompt"]
