"""What generating usable images says in words, and to do next."""

from dataclasses import replace

from dominance.metrics import rate
from dominance.report.generation.sentences import beside_plain, early_sentence
from dominance.report.generation.steps import after_generate
from dominance.runs.generation.result import Attempt, EarlyLook, Ended, GeneratedPrompt, GenerationResult, Rejection

LOOK = EarlyLook(0.4, 0.5, rate(3, 4), rate(0, 4))
FAILED = Attempt("i", 0, "plain", "failed", "a.png", evaluations=50.0, looks=1)


def nothing_usable(ended: Ended, *attempts: Attempt, early: EarlyLook | None = None) -> GenerationResult:
    prompt = GeneratedPrompt("p", "a mug", None, ("mug",), None, None, None, 0.0, attempts, ended)
    shown = replace(prompt, rejection=Rejection(4, 1, 200.0))
    return GenerationResult(
        "run", "s", "miniature", "miniature", {}, 2, 500, 50.0, early, (shown,), None, None, 200.0, None, None, None
    )


def test_plain_images_are_not_denied_where_nothing_else_is_usable() -> None:
    said = beside_plain(nothing_usable("budget", FAILED))
    assert said == "Plain rejection, drawn beside: 200 network evaluations a usable image."


def test_a_look_is_told_of_only_where_there_was_one() -> None:
    assert early_sentence(nothing_usable("budget", FAILED, early=LOOK)) is None
    seen = replace(FAILED, early_file="a-early.png", early_score=0.9)
    assert "gave up 0 of 1 image begun" in (early_sentence(nothing_usable("budget", seen, early=LOOK)) or "")


def test_a_larger_budget_is_advised_only_where_that_was_spent() -> None:
    def told(ended: Ended) -> str:
        return after_generate(nothing_usable(ended, FAILED))[0].why

    assert told("budget").startswith("give a larger budget")
    assert told("noises").startswith("give more seeds")
    assert told("refused") == told("no way") == "change the prompts that cannot be drawn; the page says why"
