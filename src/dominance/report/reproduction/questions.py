"""The open questions of the papers and of this project: what answers each, or what it would take."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.report.reproduction.words import ours
from dominance.runs.reproduction.result import ClaimResult


@dataclass(frozen=True)
class Question:
    """An open question.

    Attributes:
        asks: the question.
        claims: the claims whose findings bear on it.
        says: what else is known, or why nothing is measured here.
        command: what measures it, or more of it.
    """

    asks: str
    claims: tuple[str, ...]
    says: str
    command: str | None = None


QUESTIONS: tuple[Question, ...] = (
    Question(
        "Is low diversity of training pictures the cause, or only goes with it?",
        ("training-diversity", "twins", "factorial-own", "factorial-rivals"),
        "Twins differ in nothing but their training pictures, and the factorial in nothing but rigidity.",
    ),
    Question(
        "Does the benchmark's own filter make the effect?",
        ("bench-medians", "independent"),
        "New seeds take the luck of selection out of it, the independent suite the selection itself.",
    ),
    Question(
        "Can dominance be repaired without changing the prompt?",
        ("loss-kl", "loss-com", "loss-iou", "loss-cc"),
        "Other methods, regions first, are compared with plain drawing by a command of their own.",
        "dominance mitigate miniature-bench --method regions,overlap,rebalance,schedule",
    ),
    Question(
        "Do feed-forward and residual paths carry it?",
        (),
        "Not measured by a claim: a sweep of them takes as long as that of the heads.",
        "dominance ablate miniature-bench --sweep feed-forward,residual",
    ),
    Question(
        "Which heads act together?",
        ("single-head", "several-heads"),
        "The claims remove a prompt's mitigating heads together; pairs of the strongest, and how far they add up, are a"
        " sweep of their own.",
        "dominance ablate miniature-bench --sweep interactions",
    ),
    Question(
        "When must one intervene?",
        ("dynamics", "early-steps"),
        "The dynamics say when the lead is lost, and another text in the first steps what comes of them; what equal"
        " attention in each interval of steps restores is an edit.",
        "dominance ablate miniature-bench --edit rebalance --intervals 5",
    ),
    Question(
        "Does the detector transfer from model to model?",
        ("detector", "detector-transfer"),
        "The rule is fitted on one model's bench and applied to the prompts of its twin and of the base. Whatever comes"
        " of it, a threshold is of the model that it was fitted to, and preflight refuses another.",
        "dominance calibrate runs/reproduce-miniature/bench",
    ),
    Question(
        "Do focus and dynamics hold on prompts of other benchmarks?",
        ("listed-focus", "listed-dynamics"),
        "The templates are another benchmark's; the miniature knows none of its objects, so that the concepts are its"
        " own. On a real model they are COCO's, and any other list can be audited and calibrated on.",
        "dominance audit prompts.csv --concepts coco --model owner/name --judge qwen:owner/name",
    ),
    Question(
        "Does it depend on the architecture?",
        (),
        "Not measured here: no small transformer has been trained on the miniature's world. Every claim runs on"
        " transformers too, where all layers stand for the paper's.",
        "dominance reproduce --model owner/name --judge qwen:owner/name",
    ),
)


def answers(question: Question, claims: Sequence[ClaimResult]) -> list[str]:
    """What the examined claims say about it, one line each."""
    return [f"{one.title}: {one.verdict} ({ours(one)})" for one in claims if one.name in question.claims]
