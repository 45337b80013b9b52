"""What generating usable images says in words."""

from collections import Counter
from dataclasses import dataclass

from dominance.numbers import UNKNOWN, coefficient, counted, plural, rate, share
from dominance.report.parts.measures import MeasuresView, measured_view
from dominance.report.parts.sentences import listed
from dominance.runs.generation.result import GeneratedPrompt, GenerationResult
from dominance.runs.stages.early import EarlyCalibration

_ENDED = {
    "budget": "the budget is spent",
    "noises": "every seed has been tried",
    "refused": "it cannot be drawn",
    "no way": "no method can serve it",
}
_WHY = {
    "given up": "given up at 40%",
    "failed": "finished without a concept",
    "error": "nothing came of it",
}


@dataclass(frozen=True)
class PromptRow:
    """One prompt's figures, as the page and the terminal show them."""

    text: str
    risk: str
    usable: str
    ways: str
    thrown: str
    evaluations: str
    per_usable: str
    plain: str
    looks: str


def headline(result: GenerationResult) -> str:
    """How many images are usable, and what each took, in one sentence."""
    wanted = result.usable + result.missing
    if not result.usable:
        spent = number(result.evaluations)
        return f"None of {plural(wanted, 'image')} wanted is usable, after {spent} network evaluations."
    many = f"{result.usable} of {wanted} usable images" if result.missing else plural(result.usable, "usable image")
    each, plain = number(result.per_usable), number(result.plain_evaluations)
    return f"{many}, at {each} network evaluations each; one plain image takes {plain}."


def beside_plain(result: GenerationResult) -> str:
    """What plain rejection takes: as it was drawn beside, else as the calibration lets expect."""
    if result.plain_per_usable is not None:
        ratio = result.ratio
        each = number(result.plain_per_usable)
        times = "" if ratio is None else f", so that this took {coefficient(ratio, result.ratio_interval)} of it"
        return f"Plain rejection, drawn beside: {each} network evaluations a usable image{times}."
    if any(prompt.rejection is not None for prompt in result.prompts):
        spent = sum(prompt.rejection.evaluations for prompt in result.prompts if prompt.rejection is not None)
        return f"Plain rejection, drawn beside, gave no usable image in {number(spent)} network evaluations."
    if result.expected_plain is not None:
        return (
            f"Plain rejection is expected to take {number(result.expected_plain)} network evaluations a usable image,"
            " by the prompts at the same risk that the threshold comes from; --check draws it beside."
        )
    return "What plain rejection takes is not known; --check draws it beside."


def early_sentence(result: GenerationResult) -> str | None:
    """What the judge's early look did; None where it did not look."""
    if result.early is None or result.early.threshold is None:
        return None
    if all(each.early_file is None for prompt in result.prompts for each in prompt.attempts):
        return None
    begun = sum(len(prompt.attempts) for prompt in result.prompts)
    said = (
        f"At {result.early.at:.0%} of the steps the judge gave up {result.given_up} of {plural(begun, 'image')} begun"
    )
    if result.false_aborts is not None:
        one = result.false_aborts.count == 1
        return f"{said}; finished for the check, {rate(result.false_aborts)} of them {'is' if one else 'are'} usable."
    return (
        f"{said}. On the prompts of its calibration it gives up {rate(result.early.caught)} of what fails, and"
        f" {rate(result.early.false_aborts)} of what is usable."
    )


def ended_sentences(result: GenerationResult) -> list[str]:
    """The prompts that have fewer images than wanted, and why."""
    said = []
    for prompt in result.prompts:
        if len(prompt.usable) < result.wanted:
            why = prompt.problem or _ENDED.get(prompt.ended, "it ended")
            spent = f"; {number(prompt.evaluations)} network evaluations spent" if prompt.attempts else ""
            said.append(f"“{prompt.text}”: {len(prompt.usable)} of {result.wanted} usable: {why}{spent}")
    return said


def prompt_rows(result: GenerationResult) -> list[PromptRow]:
    """The figures by prompt."""
    return [_row(prompt, result.wanted) for prompt in result.prompts]


def _row(prompt: GeneratedPrompt, wanted: int) -> PromptRow:
    ways = Counter(each.way for each in prompt.usable)
    thrown = Counter(each.outcome for each in prompt.attempts if each.outcome != "usable")
    plain = prompt.rejection
    spent = prompt.evaluations
    return PromptRow(
        text=prompt.text,
        risk=prompt.risk or UNKNOWN,
        usable=f"{len(prompt.usable)}/{wanted}",
        ways=", ".join(f"{count} {way}" for way, count in ways.items()) or UNKNOWN,
        thrown=", ".join(f"{count} {what}" for what, count in thrown.items()) or "none",
        evaluations=number(spent),
        per_usable=number(spent / len(prompt.usable)) if prompt.usable else UNKNOWN,
        plain=UNKNOWN if plain is None else _rejection(plain.usable, plain.images, plain.evaluations),
        looks=str(prompt.looks),
    )


def _rejection(usable: int, images: int, evaluations: float) -> str:
    each = number(evaluations / usable) if usable else UNKNOWN
    return f"{each} ({usable} of {images})"


def way_measures(result: GenerationResult) -> MeasuresView | None:
    """What was measured of the usable images of each way, and where there are several, of all."""
    counts = Counter(each.way for prompt in result.prompts for each in prompt.usable)
    ways = [(f"{way}: {plural(counts[way], 'image')}", own) for way, own in result.measures_by_way.items()]
    every = (f"all: {plural(result.usable, 'image')}", result.measures)
    return measured_view([every, *ways] if len(ways) > 1 else ways)


def why_thrown(outcome: str) -> str:
    """What became of an image that is not handed over."""
    return _WHY[outcome]


def number(value: float | None) -> str:
    """Network evaluations.

    >>> number(52.0), number(61.25), number(None)
    ('52', '61.2', '–')
    """
    return UNKNOWN if value is None else f"{value:.1f}".removesuffix(".0")


def early_sentences(found: EarlyCalibration) -> list[str]:
    """What an early calibration found."""
    seen, at = found.evidence, f"{found.at:.0%} of the steps"
    said = [
        f"{found.model}, judged by {found.judge}: {plural(seen.images, 'image')} of {plural(seen.prompts, 'prompt')},"
        f" {rate(seen.usable)} usable",
        f"at {at}, a usable image scores higher than one that fails: AUC {coefficient(seen.auc, seen.interval)}",
    ]
    if found.threshold is None:
        said.append(
            "that is not above chance, so no image would be given up; audit more prompts, or take another judge"
        )
    else:
        said.append(
            f"below {found.threshold:.3f} an image is given up; held out by prompt, {rate(seen.caught)} of what fails,"
            f" and {rate(seen.false_aborts)} of what is usable"
        )
        if seen.cost is not None:
            said.append(f"so a usable image costs {share(seen.cost)} of what it costs to finish all")
    by_risk = [f"{counted(found)} at {risk} risk" for risk, found in seen.usable_by_risk.items()]
    said += [f"usable when drawn plain: {listed(by_risk)}"] if by_risk else []
    return [*said, *(f"left out: {count} {reason}" for reason, count in seen.left_out.items())]
