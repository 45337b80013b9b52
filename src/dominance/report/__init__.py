"""What people open at the end of a run: the HTML page, the JUnit file, and the finding in words."""

from dominance.report.headline import gate_sentence, headline, notes
from dominance.report.html import REPORT_NAME, write_report
from dominance.report.junit import write_junit
from dominance.report.ranking import Direction, directions, worst_first
from dominance.report.sentences import prompt_sentence

__all__ = [
    "REPORT_NAME",
    "Direction",
    "directions",
    "gate_sentence",
    "headline",
    "notes",
    "prompt_sentence",
    "worst_first",
    "write_junit",
    "write_report",
]
