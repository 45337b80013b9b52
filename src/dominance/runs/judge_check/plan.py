"""A judge check as a run plan, and what it could not do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import RunError
from dominance.files import is_file
from dominance.judges.protocol import Judge
from dominance.records import Concept, LeftOut, Prompt, Question, Suite
from dominance.run_settings import RunSettings
from dominance.runs.audit.result import recorded_plan
from dominance.runs.judge_check.controls import CONTROLS, OF_MINIATURE, Asked
from dominance.runs.judge_check.labels import Labels
from dominance.runs.judge_check.sources import ORIGIN, Source
from dominance.runs.stages.judge_fit import is_miniature
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, default_folder
from dominance.runs.store.ledger import ImageRow, Ledger
from dominance.runs.store.measurements import refuse_measurement
from dominance.runs.store.plan import Plan, PlannedImage
from dominance.wording import on_one_line, quoted

_SUITE = "judge-check"


@dataclass(frozen=True)
class LoadedJudge:
    """A judge and the mode in which it was loaded."""

    judge: Judge
    mode: str | None


@dataclass(frozen=True)
class CheckPlan:
    """Everything that is decided before the judges are asked."""

    suite: Suite
    sources: tuple[Source, ...]
    questions: dict[Concept, tuple[Question, ...]]
    labels: Labels | None
    judges: tuple[LoadedJudge, ...]
    each: int
    seed: int
    paths: tuple[Path, ...]
    settings: dict[str, object]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def drawn(self) -> bool:
        """Whether the images are the labelled pictures, because none were given."""
        return not self.paths

    @property
    def prompts(self) -> dict[str, Prompt]:
        return {source.prompt.id: source.prompt for source in self.sources}


def refuse_other_run(folder: Path) -> None:
    """Raises a RunError unless the folder is new, empty, or holds a judge check."""
    check_run_folder(folder)
    if not (folder / LEDGER_NAME).exists():
        return
    with Ledger(folder / LEDGER_NAME) as ledger:
        refuse_measurement(ledger, folder)
        earlier = recorded_plan(ledger, folder)
        if (earlier is not None and earlier.origin != ORIGIN) or (earlier is None and ledger.images()):
            raise RunError(f"{on_one_line(folder, 120)} holds a run, not a judge check; give another --out")


def folder_of(check: CheckPlan, out: Path | str | None, default: Path) -> Path:
    """The check's folder: as given, else the default, or one named apart where that holds another check.

    A second judge, or more images, may be added to a check.

    Raises:
        RunError: the given folder holds another check.
    """

    def difference(folder: Path) -> str | None:
        if not is_file(folder / LEDGER_NAME):
            return None
        with Ledger(folder / LEDGER_NAME) as ledger:
            earlier = recorded_plan(ledger, folder)
        return None if earlier is None else _difference(check, earlier)

    if out is None:
        identities = [loaded.judge.identity for loaded in check.judges]
        return default_folder(default, difference, [identities, _images(check.settings["images"]), _texts(check.suite)])
    if (held_here := difference(Path(out))) is not None:
        raise RunError(f"{on_one_line(out, 120)} holds {held_here}; give another --out")
    return Path(out)


def _difference(check: CheckPlan, earlier: Plan) -> str | None:
    was, now = earlier.settings.record(), check.settings
    judge = check.judges[0].judge
    if earlier.judge_identity != judge.identity:
        if earlier.judge == judge.name:
            return f"a check of another state of the judge {quoted(judge.name)}"
        return f"a check of the judge {quoted(earlier.judge)}, not of {quoted(judge.name)}"
    if None not in (was.get("against"), now["against"]) and was["against"] != now["against"]:
        return f"a check against the judge {quoted(str(was['against']))}, not {quoted(str(now['against']))}"
    if not set(_images(was.get("images"))) <= set(_images(now["images"])):
        return "a check on other images"
    return None


def _images(given: object) -> list[str]:
    return sorted(map(str, given)) if isinstance(given, list | tuple) else [str(given)]


def _texts(suite: Suite) -> list[str]:
    return sorted(prompt.text for prompt in suite.prompts)


def plan_of(check: CheckPlan, asked: Sequence[Asked]) -> Plan:
    """The check as a run plan: each image with the questions about every concept it is checked for."""
    prompts = dict(check.prompts)
    images = []
    for image in asked:
        prompt_id = image.prompt_id or ""
        if image.control is not None:
            # Suite ids have no slash, so these never collide with the images' own prompts.
            prompt_id = f"{image.control.name}/{image.concept.name}:{image.concept.kind}"
            prompts.setdefault(
                prompt_id, Prompt(prompt_id, f"{image.control.name}: {image.concept.name}", (image.concept,))
            )
        images.append(PlannedImage(image.item, prompt_id, prompts[prompt_id].text, image.name, None, image.file))
    return Plan(
        suite=Suite(_SUITE, tuple(prompts.values())),
        model="bundled models" if check.drawn else "existing images",
        judge=check.judges[0].judge.name,
        judge_identity=check.judges[0].judge.identity,
        questions=check.questions,
        images=tuple(dict.fromkeys(images)),
        settings=RunSettings.of(check.settings),
        origin=ORIGIN,
    )


def enter_images(plan: Plan, ledger: Ledger) -> None:
    """Records every image; an image whose file has moved gets its new path."""
    known = ledger.images()
    for image in {image.item: image for image in plan.images}.values():
        if image.item not in known or known[image.item].file != image.file:
            ledger.add_image(ImageRow(image.item, image.text, None, image.file, {}))


def notes_of(check: CheckPlan, asked: Sequence[Asked]) -> list[str]:
    notes = []
    made = {control: sum(1 for image in asked if image.control is control) for control in CONTROLS}
    miniature = is_miniature(check.suite)
    for control, count in made.items():
        if count < check.each and (miniature or control not in OF_MINIATURE):
            few = f"only {count} of {check.each}" if count else "none"
            notes.append(f"{control.shows}: {few} could be made from the {len(check.sources)} images")
    if check.drawn:
        notes.append(_on_labels(check))
    return notes


def _on_labels(check: CheckPlan) -> str:
    whose = f"{len(check.sources)} pictures that the bundled models drew"
    if check.settings["half"] == "kept":
        return f"the images are {whose}; do not choose settings by this half, --half dev is for that"
    which = "the half dev" if check.settings["half"] == "dev" else "both halves"
    return f"the images are {whose}, of {which}; the bundled judge has learned from dev: only --half kept tests it"
