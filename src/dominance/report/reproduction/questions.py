"""The open questions of the papers and of this project: what answers each, or what it would take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dominance.report.parts.given import DEFAULT, Given, command, given_to
from dominance.report.reproduction.words import ours
from dominance.runs.reproduction.result import ClaimResult, ReproduceResult


class Examined:
    """What a question's words may follow: the model that was examined, and what was found of it."""

    def __init__(self, result: ReproduceResult) -> None:
        self.result = result
        self.measured = {claim.name for claim in result.claims if claim.verdict != "not possible here"}

    @cached_property
    def given(self) -> Given:
        return given_to(self.result.run, self.result.model, self.result.judge, self.result.settings)

    @property
    def bench(self) -> str | None:
        """Prompts on which this model lets a concept dominate, as commands take them; None where there are none yet."""
        if self.result.model == DEFAULT:
            return "miniature-bench"
        file = Path(self.result.run) / "bench" / "suite.yaml"
        return str(file) if file.is_file() else None


@dataclass(frozen=True)
class Question:
    """An open question.

    Attributes:
        asks: the question.
        claims: the claims whose findings bear on it.
        says: what else is known, or why nothing is measured here.
        command: what measures it, or more of it.
        see: the page of the documentation, and the place in it, that holds what was measured on the miniature.
    """

    asks: str
    claims: tuple[str, ...]
    says: str | Callable[[Examined], str]
    command: str | Callable[[Examined], str | None] | None = None
    see: str | None = None


def _on_bench(name: str, **options: Any) -> Callable[[Examined], str | None]:
    """Writes a command on the dominance prompts of the model that was examined."""

    def written(examined: Examined) -> str | None:
        given, bench = examined.given, examined.bench
        return given.command(name, bench, **options) if bench is not None and given.can_draw else None

    return written


def _cause(examined: Examined) -> str:
    if examined.result.twins:
        return "Twins differ in nothing but their training pictures, and the factorial in nothing but rigidity."
    return (
        "Two models differ in nothing but their training pictures only if they were made so, and where nothing is known"
        " of a model's pictures, kinds stand for rigidity in the factorial: what is found is then what goes together,"
        " not what causes it. Adapters taught for the question (`dominance train diversity`, --trained) tell more."
    )


def _augmented(examined: Examined) -> str:
    told = (
        "Every picture of one design is mirrored, shifted, zoomed and recoloured as usual; geometry alone, and ten"
        " designs, which are other things, stand beside it in the figures."
    )
    if examined.result.world is None:
        return f"{told} It takes models that were taught so, and their results in --trained."
    return told if "augmentation" in examined.measured else f"{told} Not measured here yet."


def _augments(examined: Examined) -> str | None:
    if examined.result.world is None:
        return None
    return command(
        "train diversity", arms="known,augmented,augmented-place", levels="1,10", subjects="castle,clown",
        results="trained.jsonl", page="trained.md",
    )  # fmt: skip


def _transfer(examined: Examined) -> str:
    others = "its twin and of the base" if examined.result.twins else "the model of --other"
    told = f"The rule is fitted on one model's bench and applied to the prompts of {others}."
    if not examined.result.twins and examined.given.more.get("other") is None:
        told = "It needs a second model: give --other."
    return f"{told} A threshold is of the model that it was fitted to all the same, and preflight refuses another."


def _of_bench(examined: Examined) -> str | None:
    folder = Path(examined.result.run) / "bench"
    return command("calibrate", str(folder)) if folder.is_dir() else None


def _listed(examined: Examined) -> str:
    if examined.result.world is not None:
        return (
            "The templates are those of GenEval and of T2I-CompBench's spatial prompts; the world"
            f" {examined.result.world} has few of their objects, so that the concepts are its own. COCO's captions and"
            " the other prompts of T2I-CompBench are of things that the model was never shown; on a real model,"
            " --listed takes your copy of such a list."
        )
    return (
        "By default, the templates are those of GenEval and of T2I-CompBench's spatial prompts, and the objects COCO's."
        " COCO's captions and the other prompts of T2I-CompBench do not come with this package: --listed takes your"
        " copy of them."
    )


def _on_list(examined: Examined) -> str:
    claims = "reproduce listed-focus listed-dynamics"
    if examined.given.can_draw and examined.result.world is None:
        return examined.given.command(claims, listed="prompts.csv")
    return command(claims, listed="prompts.csv", model="owner/name", judge="qwen:owner/name")


def _other_architecture(examined: Examined) -> str:
    if examined.result.world is not None:
        return command("train miniature", denoiser="transformer")
    return command("reproduce", model="owner/name", judge="qwen:owner/name")


def _heads(examined: Examined) -> str:
    told = "The claims remove a prompt's mitigating heads together"
    if "several-heads" not in examined.measured:
        told += ", of which there were none here to put together"
    return (
        f"{told}; and every set of the few heads that raise the lost concept's presence most, whether or not they"
        " mitigate, chosen on other prompts. More heads, their Shapley values and interactions, and whether sets that"
        " grow greedily are the best, are on the page of the sweep."
    )


QUESTIONS: tuple[Question, ...] = (
    Question(
        "Does low diversity of training pictures cause dominance, or only go along with it?",
        ("training-diversity", "twins", "factorial-own", "factorial-rivals"),
        _cause,
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
        _on_bench("mitigate", method="regions,overlap,rebalance,schedule"),
        "repair.md",
    ),
    Question(
        "Does augmenting uniform pictures lower dominance, and is identity kept?",
        ("augmentation", "augmentation-identity"),
        _augmented,
        _augments,
        "findings.md#what-in-the-pictures-must-vary",
    ),
    Question(
        "Do feed-forward and residual paths carry it?",
        ("patched-parts",),
        "What cross-attention, feed-forward networks and residual branches put out in the twin, in which the concept"
        " survives, is put into the model that loses it (`dominance.patch` in Python takes any layers and steps). A"
        " sweep that removes them one by one takes as long as that of the heads, and tells something only where"
        " removing a part brings a concept back.",
        _on_bench("ablate", sweep="feed-forward,residual"),
    ),
    Question(
        "Which heads act together?",
        ("single-head", "several-heads", "head-sets"),
        _heads,
        _on_bench("ablate", sweep="sets"),
        "findings.md#is-there-a-head-that-carries-it",
    ),
    Question(
        "When must one intervene?",
        ("dynamics", "early-steps", "early-guidance", "early-rebalancing", "early-regions", "early-or-late"),
        "The dynamics say when the lead is lost. What the first steps decide is asked by disrupting them: with another"
        " text, without guidance, with equal attention, with regions. A shorter time and later steps stand beside each"
        " in its figures; other parts of the steps are settings of the same methods, `since` and `until`.",
        _on_bench("mitigate", method="regions:until=0.2,regions:since=0.2:until=0.4,regions:since=0.4:until=0.6"),
        "findings.md#does-equal-attention-for-both-concepts-help-and-when",
    ),
    Question(
        "Does the detector transfer from model to model?",
        ("detector", "detector-transfer"),
        _transfer,
        _of_bench,
        "findings.md#the-first-step",
    ),
    Question(
        "Do focus and dynamics hold on prompts of other benchmarks?",
        ("listed-focus", "listed-dynamics"),
        _listed,
        _on_list,
    ),
    Question(
        "Does it depend on the architecture?",
        (),
        "No claim compares architectures. A small transformer was trained on the miniature's world in place of the UNet"
        " and taught each entity in one design and in ten: on it, too, one design dominates more. Every claim runs on"
        " transformers as well, where all layers stand for the paper's; early-layers and control-pairs alone go by"
        " number.",
        _other_architecture,
        "training.md#a-transformer-in-place-of-the-unet",
    ),
)


def stated(question: Question, result: ReproduceResult) -> Question:
    """The question in words about what was examined; what the miniature shows is another model's answer elsewhere."""
    examined = Examined(result)
    says, measured_by = question.says, question.command
    return replace(
        question,
        says=says if isinstance(says, str) else says(examined),
        command=measured_by(examined) if callable(measured_by) else measured_by,
        see=question.see if result.model == DEFAULT else None,
    )


def answers(question: Question, claims: Sequence[ClaimResult]) -> list[str]:
    """What the examined claims say about it, one line each."""
    return [f"{one.title}: {one.verdict} ({ours(one)})" for one in claims if one.name in question.claims]
