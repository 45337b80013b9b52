"""The stage that measures images without a question, in batches, each value stored as soon as it is known."""

import hashlib
import json
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.documents import from_json, to_json
from dominance.errors import ItemError
from dominance.judges.measuring import Measuring
from dominance.measures import PictureScores
from dominance.numbers import plural
from dominance.pictures import open_image
from dominance.progress import Progress
from dominance.records import Prompt
from dominance.runs.stages.drawing import in_halves
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import MeasuringPlan, Plan, PlannedImage
from dominance.wording import on_one_line, quoted

if TYPE_CHECKING:
    from dominance.judges.picture_scores import Encoders

_AT_ONCE = 16
_MOST_NAMED = 20
_Key = tuple[str, str]
"""An image's item, and the measure under which the ledger holds its value."""
_Waiting = tuple[_Key, PlannedImage, Prompt, Path]


def find_measuring(given: Measuring) -> MeasuringPlan | None:
    """What measures the images of a run; None where nothing is asked for.

    Raises:
        ModelError: nothing by that name; weights missing, cut off or not safetensors.
    """
    if given.similarity is None:
        return None
    from dominance.judges.picture_scores import find_encoders

    identity = find_encoders(given.similarity, given.captions).identity
    return MeasuringPlan(given.similarity, given.captions, identity)


def check_measuring(plan: Plan, device: str) -> None:
    """Loads what measures the images, so that what cannot be loaded shows before anything is made.

    Raises:
        ModelError: a model cannot be loaded.
    """
    if plan.measuring is not None:
        _encoders(plan.measuring, device).load()


def _encoders(measuring: MeasuringPlan, device: str) -> "Encoders":
    from dominance.judges.picture_scores import find_encoders

    return find_encoders(measuring.similarity, measuring.captions, device)


def measure_pictures(plan: Plan, ledger: Ledger, folder: Path, device: str) -> dict[str, object]:
    """Measures the plan's images that have no value yet, and gives what the manifest says of it.

    Images that cannot be read are named on standard error.

    Raises:
        ModelError: a model cannot be loaded.
    """
    if plan.measuring is None:
        return {}
    if waiting := _waiting(plan, ledger, folder):
        _measure(waiting, plan.measuring, ledger, device)
    return {"measuring": to_json(plan.measuring)}


def _measure(waiting: Sequence[_Waiting], measuring: MeasuringPlan, ledger: Ledger, device: str) -> None:
    encoders = _encoders(measuring, device)
    _tell_unread({prompt.text for *_, prompt, _ in waiting}, encoders, measuring.similarity)
    problems: list[str] = []
    with Progress("measured", total=len(waiting), each="an image") as progress:
        for start in range(0, len(waiting), _AT_ONCE):
            chunk = waiting[start : start + _AT_ONCE]
            outcomes = _scored(chunk, encoders)
            good = {key: to_json(s) for (key, *_), s in zip(chunk, outcomes, strict=True) if not _failed(s)}
            ledger.add_measured(good)
            problems += [
                f"not measured: image {image.name} of prompt {image.prompt_id}: {outcome}"
                for (_, image, _, _), outcome in zip(chunk, outcomes, strict=True)
                if _failed(outcome)
            ]
            progress.advance(len(chunk))
    for problem in problems[:_MOST_NAMED]:
        sys.stderr.write(f"{on_one_line(problem, 1000)}\n")
    if len(problems) > _MOST_NAMED:
        sys.stderr.write(f"not measured: {len(problems) - _MOST_NAMED} more images\n")


def picture_scores(plan: Plan, ledger: Ledger) -> dict[tuple[str, str], PictureScores]:
    """What was measured on the plan's images, by the item of each and its prompt's id."""
    keys = _keys(plan, plan.images)
    known = ledger.measured() if keys else {}
    measured = [(image, known[key]) for key, image in keys if key in known]
    return {(image.item, image.prompt_id): from_json(PictureScores, scores) for image, scores in measured}


def still_to_measure(plan: Plan, ledger: Ledger, missing: Collection[str]) -> int:
    """How many images would be measured, those still to be drawn among them; one of two prompts counts for each.

    Args:
        missing: items of images that are still to be drawn.
    """
    keys = {key for key, _ in _keys(plan, plan.to_draw)}
    known = ledger.measured() if keys else {}
    return sum(key not in known or key[0] in missing for key in keys)


def _waiting(plan: Plan, ledger: Ledger, folder: Path) -> list[_Waiting]:
    known, rows = ledger.measured(), ledger.images()
    prompts = {prompt.id: prompt for prompt in plan.suite.prompts}
    found: dict[_Key, _Waiting] = {}
    for key, image in _keys(plan, plan.to_draw):
        if image.item in rows and key not in known:
            found[key] = (key, image, prompts[image.prompt_id], folder / rows[image.item].file)
    return list(found.values())


def _keys(plan: Plan, images: Sequence[PlannedImage]) -> list[tuple[_Key, PlannedImage]]:
    """Under which key the ledger holds the value of each image; none where nothing is asked for."""
    if plan.measuring is None:
        return []
    prompts = {prompt.id: prompt for prompt in plan.suite.prompts}
    return [(_key(plan.measuring, image, prompts), image) for image in images]


def _key(measuring: MeasuringPlan, image: PlannedImage, prompts: dict[str, Prompt]) -> _Key:
    """An image made elsewhere may belong to several prompts, and is measured against each."""
    prompt = prompts[image.prompt_id]
    against = json.dumps([prompt.text, [concept.name for concept in prompt.concepts]])
    return image.item, f"pictures:{measuring.identity}:{hashlib.sha256(against.encode()).hexdigest()[:16]}"


def _scored(chunk: Sequence[_Waiting], encoders: "Encoders") -> list[PictureScores | ItemError]:
    opened = [open_image(path) for *_, path in chunk]
    good = [place for place, image in enumerate(opened) if not isinstance(image, ItemError)]

    def act(places: Sequence[int]) -> list[PictureScores]:
        images = [image for place in places if not isinstance(image := opened[place], ItemError)]
        prompts = [chunk[place][2] for place in places]
        concepts = [[concept.name for concept in prompt.concepts] for prompt in prompts]
        return encoders.score(images, [prompt.text for prompt in prompts], concepts)

    found = iter(in_halves(act, good) if good else [])
    return [image if isinstance(image, ItemError) else next(found) for image in opened]


def _failed(outcome: PictureScores | ItemError) -> bool:
    return isinstance(outcome, ItemError)


def _tell_unread(texts: set[str], encoders: "Encoders", name: str) -> None:
    """Names a prompt that the CLIP does not read whole or does not understand, and how many there are."""
    if strange := encoders.unknown(sorted(texts)):
        text, words = next(iter(strange.items()))
        sys.stderr.write(
            f"note: {plural(len(strange), 'prompt')} with words that {on_one_line(name, 120)} does not know, such as"
            f" {quoted(words[0])} in {quoted(text)}: no image is compared with the whole of it\n"
        )
    if cut := encoders.too_long(sorted(texts)):
        sys.stderr.write(
            f"note: {plural(len(cut), 'prompt')} of more tokens than {on_one_line(name, 120)} reads, such as"
            f" {quoted(cut[0])}: no image is compared with the whole of it\n"
        )
