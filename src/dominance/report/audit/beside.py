"""A run beside another of the same prompts: what one loses and the other keeps, in sentences and in pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.beside import Beside, Contrast, OtherImage, OtherPrompt
from dominance.numbers import difference, mean, plural, score
from dominance.records import PromptResult, RunResult, ScoredImage
from dominance.report.parts.image_view import VERDICTS
from dominance.report.parts.next_steps import NextStep, after_audit
from dominance.report.parts.pictures import Embedded, Missing, Pictures
from dominance.report.parts.sentences import either, image_label, image_sentence, of_images
from dominance.runs.stages.directions import directions

_MOST_CELLS = 10
_MOST_NAMED = 3
_MOST_STEPS = 2
"""Of what to do next about the prompt that is shown."""


@dataclass(frozen=True)
class Cell:
    """One image of a strip: its picture, or why it is missing, and its verdict; whether doubtful answers decide it."""

    picture: Embedded | Missing
    verdict: str
    label: str
    alt: str
    doubtful: bool


@dataclass(frozen=True)
class ContrastStrip:
    """The images of one run; ``by`` is what drew them, ``role`` which of the two runs it is."""

    by: str
    role: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class BesideView:
    """All that a page shows of the other run; without a contrast, it has no strips."""

    found: str
    strips: tuple[ContrastStrip, ...]
    verdicts: tuple[str, ...]
    doubtful: bool
    noises: str
    change: str
    unpaired: str | None
    steps: tuple[NextStep, ...]


def beside_view(result: RunResult, pictures: Pictures) -> BesideView | None:
    """The comparison as the page shows it; None where the run was given no other."""
    found = result.beside
    if found is None:
        return None
    here = _shown(found, result)
    strips = () if here is None or found.contrast is None else _strips(found, here, found.contrast, pictures)
    there = {cell.verdict for strip in strips for cell in strip.cells}
    return BesideView(
        found=found_sentence(found, result),
        strips=strips,
        verdicts=tuple(name for name in VERDICTS if name in there),
        doubtful=any(cell.doubtful for strip in strips for cell in strip.cells),
        noises="" if here is None or found.contrast is None else _noises(found.contrast, here, len(strips[0].cells)),
        change=change_sentence(found),
        unpaired=unpaired_sentence(found),
        steps=() if here is None else after_audit(result, here)[:_MOST_STEPS],
    )


def beside_line(found: Beside, result: RunResult) -> str:
    """The comparison in one line of a terminal."""
    rest = unpaired_sentence(found)
    said = [found_sentence(found, result), change_sentence(found), *([rest] if rest else [])]
    return f"beside {found.run}: {' '.join(said)}"


def found_sentence(found: Beside, result: RunResult) -> str:
    """What the worst prompt loses here and keeps there; or that no prompt does."""
    here = _shown(found, result)
    if here is None or found.contrast is None:
        return f"No prompt loses a concept by {found.here} and keeps every one by {found.there}."
    first, there = directions(here), found.contrast.there
    if here.verdict == "dominance" and first:
        lost = f"{first[0].dominating} takes over from {first[0].dominated} in {of_images(first[0].images, here)}"
    else:
        lost = f"no concept shows in {of_images(here.lost, here)}"
    kept = f"{found.there} shows {_every(there)} in {there.balanced} of {_scored(there)}"
    return f"“{here.prompt.text}”: {lost} by {found.here}; {kept}{_from(found.contrast, here)}."


def change_sentence(found: Beside) -> str:
    """Mean DvD on both sides over the shared prompts, and how many prompts lose a concept on one side only.

    Where each side loses some, and the means do not differ, it says that other prompts lose theirs.
    """
    both = plural(found.prompts, "prompt")
    if found.dvd_here is None:
        said = f"Of the {both} of both runs, none has a DvD score on both sides"
    else:
        over = both if found.measured == found.prompts else f"{found.measured} of {both}"
        change = difference(found.change, found.change_interval)
        said = (
            f"Over {over} of both runs, mean DvD is {mean(found.dvd_here)} here and {mean(found.dvd_there)} there,"
            f" {change}"
        )
    here, there = len(found.lost_here), len(found.lost_there)
    lose = f"{plural(here, 'prompt')} {'loses' if here == 1 else 'lose'} a concept here and not there"
    low, high = found.change_interval or (None, None)
    swapped = here and there and low is not None and high is not None and low <= 0 <= high
    which = ": the two differ in which prompts lose one" if swapped else ""
    return f"{said}; {lose}, {there} there and not here{which}."


def unpaired_sentence(found: Beside) -> str | None:
    """The prompts of one run alone, counted and named; None where both have the same."""
    sides = (("this run", found.only_here), (found.run, found.only_there))
    said = [f"{_named(texts)} only in {where}" for where, texts in sides if texts]
    return f"Not compared: {'; '.join(said)}." if said else None


def _named(texts: Sequence[str]) -> str:
    quoted = ", ".join(f"“{text}”" for text in texts[:_MOST_NAMED])
    more = f" and {len(texts) - _MOST_NAMED} more" if len(texts) > _MOST_NAMED else ""
    return f"{plural(len(texts), 'prompt')} ({quoted}{more})"


def _shown(found: Beside, result: RunResult) -> PromptResult | None:
    if found.contrast is None:
        return None
    return next(prompt for prompt in result.prompts if prompt.prompt.id == found.contrast.id)


def _every(there: OtherPrompt) -> str:
    count = len(there.concepts)
    return there.concepts[0] if count == 1 else "both" if count == 2 else f"all {count} concepts"


def _scored(there: OtherPrompt) -> str:
    return str(there.scored) if there.scored == len(there.images) else plural(there.scored, "scored image")


def _from(contrast: Contrast, here: PromptResult) -> str:
    """How the images of both are paired; nothing is said of images whose noise is not known."""
    same, own, others = contrast.same_noises, len(here.images), len(contrast.there.images)
    if not same:
        return ", from other noises" if _seeded(contrast, here) else ""
    return ", from the same noises" if same == own == others else f", with {plural(same, 'noise')} in common"


def _noises(contrast: Contrast, here: PromptResult, shown: int) -> str:
    if not contrast.same_noises:
        return "· from other noises in each run" if _seeded(contrast, here) else ""
    cut = f", {shown} of {contrast.same_noises} shown" if shown < contrast.same_noises else ""
    return f"· the two images of a column start from the same noise{cut}"


def _seeded(contrast: Contrast, here: PromptResult) -> bool:
    return all(image.seed is not None for image in (*here.images, *contrast.there.images))


def _strips(found: Beside, here: PromptResult, contrast: Contrast, pictures: Pictures) -> tuple[ContrastStrip, ...]:
    """The images with a seed in common, in the same columns; each run's own images where no seed is."""
    others = {image.seed: image for image in contrast.there.images if image.seed is not None}
    same = [(image, others[image.seed]) for image in here.images if image.seed is not None and image.seed in others]
    own, there = zip(*same, strict=True) if same else (here.images, contrast.there.images)
    text = here.prompt.text
    return (
        ContrastStrip(
            found.here, "this run", tuple(_cell(text, image, found.here, pictures) for image in own[:_MOST_CELLS])
        ),
        ContrastStrip(
            found.there, "the other", tuple(_cell(text, image, found.there, pictures) for image in there[:_MOST_CELLS])
        ),
    )


def _cell(text: str, image: ScoredImage | OtherImage, by: str, pictures: Pictures) -> Cell:
    label = f"seed {image.name}" if isinstance(image, OtherImage) and image.seed is not None else image.name
    if isinstance(image, ScoredImage):
        label = image_label(image)
        said = image_sentence(text, image, label)
    else:
        known = "" if image.dvd is None else f", DvD {score(image.dvd)}"
        doubt = f", hangs on doubtful answers, may be {either(image.could_be)}" if image.hangs else ""
        said = f"“{text}”, {label}: {image.verdict or 'unscored'}{known}{doubt}"
    picture = Missing("the image was not made") if image.file is None else pictures.of(image.file)
    return Cell(picture, image.verdict or "unscored", label, f"{said}, by {by}", image.hangs)
